/* The decision tree of a decoder: decode_tree.h. */
#include "decode_tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAF 0x8000u /* in a tree reference: index into the lists */
#define LAST 0x8000u /* in a list: no more patterns follow */
#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

enum { PICTURES = 2048 };

struct node {
	unsigned shift, width, base;
};

static struct picture *const *pictures;
static unsigned picture_count;
static uint16_t order[PICTURES]; /* picture numbers, most special first */
static struct node nodes[8192];
static unsigned node_count;
static uint16_t children[60000];
static unsigned child_count;
static uint16_t lists[30000];
static unsigned list_count;

/* A set of pictures, most special first. */
struct set {
	uint16_t members[PICTURES];
	unsigned count;
};

/* Sets that have a tree already. */
static struct {
	uint16_t *members;
	unsigned count, ref;
} known[16384];
static unsigned known_count;

void
die(const char *where, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "insns.def: %s: ", where);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

/* ---- pictures ------------------------------------------------------------ */

unsigned
picture_bits(const char *text, char bits[32])
{
	char packed[33];
	unsigned count = 0;

	for (const char *p = text; *p; p++) {
		if (*p == ' ')
			continue;
		if (count == 32)
			die(text, "more than 32 bits");
		packed[count++] = *p;
	}
	if (count != 16 && count != 32)
		die(text, "%u bits", count);
	for (unsigned i = 0; i < count; i++)
		bits[i] = packed[count - 1 - i];
	return count;
}

void
picture_parse(struct picture *p)
{
	char bits[32];

	p->bits = picture_bits(p->text, bits);
	p->match = p->mask = p->rank = 0;
	for (unsigned i = 0; i < p->bits; i++) {
		if (bits[i] != '0' && bits[i] != '1')
			continue;
		p->mask |= 1u << i;
		p->match |= (uint32_t)(bits[i] == '1') << i;
		p->rank++;
	}
}

static int
by_rank(const void *a, const void *b)
{
	unsigned x = *(const uint16_t *)a, y = *(const uint16_t *)b;

	if (pictures[x]->rank != pictures[y]->rank)
		return pictures[x]->rank < pictures[y]->rank ? 1 : -1;
	return x < y ? -1 : x > y;
}

void
tree_begin(struct picture *const *all, unsigned count, unsigned roots)
{
	if (count > PICTURES || roots > LENGTH(nodes))
		die("tree", "too many pictures or roots");
	pictures = all;
	picture_count = count;
	node_count = roots;
	for (unsigned i = 0; i < count; i++) {
		order[i] = (uint16_t)i;
		for (unsigned j = 0; j < i; j++) {
			const struct picture *a = all[i], *b = all[j];

			if (a->bits == b->bits && a->rank == b->rank &&
			    !((a->match ^ b->match) & a->mask & b->mask))
				die(a->text, "overlaps %s, and neither is more special", b->text);
		}
	}
	qsort(order, count, sizeof order[0], by_rank);
}

/* ---- the tree ------------------------------------------------------------ */

/* The members of `from` that an instruction with these bits under mask may be. */
static void
set_narrow(const struct set *from, uint32_t bits, uint32_t mask, struct set *to)
{
	to->count = 0;
	for (unsigned i = 0; i < from->count; i++) {
		const struct picture *p = pictures[from->members[i]];

		if (!((p->match ^ bits) & p->mask & mask))
			to->members[to->count++] = from->members[i];
	}
}

/* A list of picture numbers plus one; 0 is the pattern of illegal ones. */
static unsigned
tree_leaf(const struct set *set)
{
	unsigned length = set->count ? set->count : 1;
	uint16_t list[PICTURES + 1] = { LAST };

	for (unsigned i = 0; i < set->count; i++)
		list[i] = (uint16_t)((set->members[i] + 1) | (i + 1 == set->count ? LAST : 0));
	for (unsigned at = 0; at + length <= list_count; at++)
		if (!memcmp(lists + at, list, length * sizeof list[0]))
			return LEAF | at;
	if (list_count + length > LENGTH(lists))
		die("tree", "too many leaves");
	memcpy(lists + list_count, list, length * sizeof list[0]);
	list_count += length;
	return LEAF | (list_count - length);
}

/* How many pictures stay under one child of a field, on average over pictures,
 * plus a little for the size of the table. */
static double
split_cost(const struct set *set, unsigned shift, unsigned width)
{
	uint32_t mask = ((1u << width) - 1) << shift;
	unsigned sizes[128] = { 0 };
	double sum = 0;

	for (unsigned i = 0; i < set->count; i++)
		for (uint32_t v = 0; v < 1u << width; v++)
			sizes[v] += !((pictures[set->members[i]]->match ^ v << shift) &
				      pictures[set->members[i]]->mask & mask);
	for (unsigned i = 0; i < set->count; i++) {
		const struct picture *p = pictures[set->members[i]];
		unsigned lives = 0, company = 0;

		for (uint32_t v = 0; v < 1u << width; v++)
			if (!((p->match ^ v << shift) & p->mask & mask)) {
				lives++;
				company += sizes[v];
			}
		sum += (double)company / lives;
	}
	return sum / set->count + 0.004 * (1u << width);
}

/* The field, of bits not tested yet, that tells the set's members apart best;
 * false: none helps. */
static bool
best_split(const struct set *set, uint32_t tested, unsigned *shift, unsigned *width)
{
	double best = set->count;

	*width = 0;
	for (unsigned w = 1; w <= 7; w++)
		for (unsigned s = 0; s + w <= pictures[set->members[0]]->bits; s++) {
			double cost = split_cost(set, s, w);

			if (cost >= best - 0.25 || ((1u << w) - 1) << s & tested)
				continue;
			best = cost;
			*shift = s;
			*width = w;
		}
	return *width != 0;
}

static unsigned tree_build(const struct set *set, uint32_t tested);

static unsigned
tree_node(const struct set *set, uint32_t tested, unsigned shift, unsigned width)
{
	unsigned number = node_count++;
	uint32_t mask = ((1u << width) - 1) << shift;
	struct set child;

	if (node_count > LENGTH(nodes) || child_count + (1u << width) > LENGTH(children))
		die("tree", "too many nodes");
	nodes[number] = (struct node){ shift, width, child_count };
	child_count += 1u << width;
	for (uint32_t v = 0; v < 1u << width; v++) {
		unsigned ref;

		set_narrow(set, v << shift, mask, &child);
		ref = tree_build(&child, tested | mask);
		children[nodes[number].base + v] = (uint16_t)ref;
	}
	return number;
}

/* A tree serves wherever the same set is left: its leaves compare all bits. */
static unsigned
tree_build(const struct set *set, uint32_t tested)
{
	size_t size = set->count * sizeof set->members[0];
	unsigned shift, width, ref;

	if (set->count < 2)
		return tree_leaf(set);
	for (unsigned i = 0; i < known_count; i++)
		if (known[i].count == set->count && !memcmp(known[i].members, set->members, size))
			return known[i].ref;
	ref = best_split(set, tested, &shift, &width) ? tree_node(set, tested, shift, width) : tree_leaf(set);
	if (known_count < LENGTH(known) && (known[known_count].members = malloc(size))) {
		memcpy(known[known_count].members, set->members, size);
		known[known_count].count = set->count;
		known[known_count++].ref = ref;
	}
	return ref;
}

void
tree_root(unsigned root, unsigned bits, uint32_t fixed, uint32_t mask,
	  bool (*leave_out)(unsigned number, unsigned root))
{
	struct set all = { .count = 0 }, set;
	unsigned ref;

	for (unsigned i = 0; i < picture_count; i++)
		if (pictures[order[i]]->bits == bits && (!leave_out || !leave_out(order[i], root)))
			all.members[all.count++] = order[i];
	set_narrow(&all, fixed, mask, &set);
	ref = tree_build(&set, mask);
	if (!(ref & LEAF)) {
		nodes[root] = nodes[ref];
		return;
	}
	if (child_count == LENGTH(children))
		die("tree", "too many nodes");
	nodes[root] = (struct node){ 0, 0, child_count };
	children[child_count++] = (uint16_t)ref;
}

static void
print_numbers(const char *name, const uint16_t *numbers, unsigned count)
{
	printf("static const uint16_t %s[%u] = {", name, count);
	for (unsigned i = 0; i < count; i++)
		printf("%s%u,", i % 12 ? " " : "\n\t", numbers[i]);
	printf("\n};\n\n");
}

void
tree_print(void)
{
	print_numbers("children", children, child_count);
	print_numbers("lists", lists, list_count);
	printf("static const struct node nodes[%u] = {\n", node_count);
	for (unsigned i = 0; i < node_count; i++)
		printf("\t{ %u, %u, %#x },\n", nodes[i].base, nodes[i].shift, (1u << nodes[i].width) - 1);
	printf("};\n\n");
}

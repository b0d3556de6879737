/* Makes gen/riscv64_tables.h from src/guest/riscv64/insns.def: the decision
 * tree of the decoder, the extraction of operands for each format, and the
 * field lists of the encoder. Checks the table on the way: every bit of a
 * picture is fixed or an operand, immediates name as many bits as there are,
 * and no two pictures overlap without one being the more special.
 *
 * The tree: a node is a bit field that selects a child, which is a node or a
 * leaf; a leaf is a list of patterns, most special first, of which the first
 * that matches is meant. Nodes 0…287 are roots: first the 256 combinations of
 * funct3 and opcode, then the 32 of the ends of a 16-bit instruction; a root is
 * always a node, if need be of no bits, so that the decoder takes the same path
 * for most instructions. Nodes, children and leaves are numbers, not pointers,
 * so the tables need no relocation. Where a pattern does not fix the bits that
 * a node looks at, it stands under several children.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAF 0x8000u /* in a tree reference: index into the lists */
#define LAST 0x8000u /* in a list: no more patterns follow */

/* ---- the table as written ------------------------------------------------ */

struct format {
	const char *name, *picture, *immediate, *constants;
};

struct pattern {
	const char *form, *op, *picture, *format; /* form and op NULL: reserved */
	uint32_t match, mask;
	unsigned bits, fixed;
	bool rm;
};

static const struct format formats[] = {
#define FORMAT(id, picture, immediate, constants) { #id, picture, immediate, constants },
#include "guest/riscv64/insns.def"
};

static struct pattern patterns[] = {
#define INSN(op, mnemonic, picture, format, extension, operands, attributes) \
	{ "RV_" #op, "RV_" #op, picture, #format, 0, 0, 0, 0, false },
#include "guest/riscv64/insns.def"
#define CINSN(form, mnemonic, picture, format, extension, operands, op) \
	{ "RV_FORM_" #form, "RV_" #op, picture, #format, 0, 0, 0, 0, false },
#include "guest/riscv64/insns.def"
#define RESERVED(picture, why) { NULL, NULL, picture, NULL, 0, 0, 0, 0, false },
#include "guest/riscv64/insns.def"
};

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define PATTERNS LENGTH(patterns)

static _Noreturn void die(const char *where, const char *format, ...) __attribute__((format(printf, 2, 3)));

static _Noreturn void
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

/* Copies a picture without blanks; element n is bit n of the instruction. */
static unsigned
picture_bits(const char *picture, char bits[32])
{
	char text[33];
	unsigned count = 0;

	for (const char *p = picture; *p; p++) {
		if (*p == ' ')
			continue;
		if (count == 32)
			die(picture, "more than 32 bits");
		text[count++] = *p;
	}
	if (count != 16 && count != 32)
		die(picture, "%u bits", count);
	for (unsigned i = 0; i < count; i++)
		bits[i] = text[count - 1 - i];
	return count;
}

static const struct format *
format_find(const char *name, const char *where)
{
	for (size_t i = 0; i < LENGTH(formats); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	die(where, "no format %s", name);
}

/* An operand bit may be fixed by a picture (that narrows the operand); a bit
 * that is neither fixed nor an operand may not be. */
static void
pattern_check_format(const struct pattern *p, const char *bits)
{
	char letters[32];

	if (picture_bits(format_find(p->format, p->form)->picture, letters) != p->bits)
		die(p->form, "format %s has another length", p->format);
	for (unsigned i = 0; i < p->bits; i++)
		if ((letters[i] == '.' && bits[i] == '.') || (letters[i] == '-' && bits[i] != '.'))
			die(p->form, "bit %u disagrees with format %s", i, p->format);
}

static void
pattern_parse(struct pattern *p)
{
	char bits[32];

	p->bits = picture_bits(p->picture, bits);
	for (unsigned i = 0; i < p->bits; i++) {
		if (!strchr("01.", bits[i]))
			die(p->picture, "bad character %c", bits[i]);
		if (bits[i] == '.')
			continue;
		p->mask |= 1u << i;
		p->match |= (uint32_t)(bits[i] == '1') << i;
		p->fixed++;
	}
	if (((p->match & p->mask & 3) == 3) != (p->bits == 32) || (p->mask & 3) != 3)
		die(p->picture, "low bits do not fit the length");
	if (p->form) {
		pattern_check_format(p, bits);
		p->rm = strchr(format_find(p->format, p->form)->picture, 'r') != NULL;
	}
}

static void
patterns_check(void)
{
	for (size_t i = 0; i < PATTERNS; i++)
		for (size_t j = 0; j < i; j++) {
			const struct pattern *a = &patterns[i], *b = &patterns[j];

			if (a->bits == b->bits && a->fixed == b->fixed &&
			    !((a->match ^ b->match) & a->mask & b->mask))
				die(a->picture, "overlaps %s, and neither is more special", b->picture);
		}
}

/* ---- formats: fields ----------------------------------------------------- */

/* bits[shift + width - 1 … shift] are operand bits from `low` on. */
struct field {
	char letter;
	unsigned shift, width, low;
};

struct layout {
	struct field fields[16];
	unsigned count;
	unsigned top; /* highest bit of the immediate */
	bool is_signed;
};

/* The immediate's bit numbers as its notation lists them; returns how many. */
static unsigned
immediate_parse(const struct format *f, unsigned numbers[64], struct layout *layout)
{
	const char *p = f->immediate;
	unsigned count = 0;

	if (*p == 's') {
		layout->is_signed = true;
		p++;
	}
	while (*p) {
		char *end;
		unsigned high, low;

		if (*p == ' ' || *p == '|') {
			p++;
			continue;
		}
		high = low = (unsigned)strtoul(p, &end, 10);
		if (end == p)
			die(f->name, "immediate %s", f->immediate);
		if (*end == ':')
			low = (unsigned)strtoul(end + 1, &end, 10);
		p = end;
		if (high < low || high > 31)
			die(f->name, "immediate %s", f->immediate);
		if (high > layout->top)
			layout->top = high;
		for (unsigned n = high + 1; n-- > low;)
			numbers[count++] = n;
	}
	return count;
}

static struct layout
format_layout(const struct format *f)
{
	struct layout layout = { .count = 0 };
	char bits[32];
	unsigned numbers[64], next = 0;
	unsigned length = picture_bits(f->picture, bits);
	unsigned listed = immediate_parse(f, numbers, &layout);

	for (unsigned i = length; i-- > 0;) {
		struct field *last = layout.count ? &layout.fields[layout.count - 1] : NULL;
		char c = bits[i];
		unsigned low = 0;

		if (c == '.' || c == '-')
			continue;
		if (!strchr("dstuxrcali", c))
			die(f->name, "bad character %c", c);
		if (c == 'i') {
			if (next == listed)
				die(f->name, "immediate lists too few bits");
			low = numbers[next++];
		}
		if (last && last->letter == c && last->shift == i + 1 && (c != 'i' || last->low == low + 1)) {
			last->shift--;
			last->width++;
			last->low = low;
			continue;
		}
		layout.fields[layout.count++] = (struct field){ c, i, 1, low };
	}
	if (next != listed)
		die(f->name, "immediate lists too many bits");
	return layout;
}

static const char *
letter_members(char letter)
{
	switch (letter) {
	case 'd':
		return "out->rd";
	case 's':
		return "out->rs1";
	case 't':
		return "out->rs2";
	case 'u':
		return "out->rs3";
	case 'x':
		return "out->rd = out->rs1";
	case 'r':
		return "out->rm";
	case 'c':
		return "out->csr";
	case 'a':
		return "out->aq";
	case 'l':
		return "out->rl";
	}
	return NULL;
}

static void
emit_extract(const struct format *f)
{
	struct layout layout = format_layout(f);
	const char *joint = "";

	printf("\tcase RV_FORMAT_%s:\n", f->name);
	for (unsigned i = 0; i < layout.count; i++) {
		const struct field *field = &layout.fields[i];
		const char *member = letter_members(field->letter);

		if (!member)
			continue;
		printf("\t\t%s = (bits >> %u & %#x)%s;\n", member, field->shift, (1u << field->width) - 1,
		       strchr("dstux", field->letter) && field->width == 3 ? " + 8" : "");
	}
	if (*f->immediate) {
		printf("\t\timm = ");
		for (unsigned i = 0; i < layout.count; i++) {
			const struct field *field = &layout.fields[i];

			if (field->letter != 'i')
				continue;
			printf("%s(bits >> %u & %#x) << %u", joint, field->shift,
			       (unsigned)((1ull << field->width) - 1), field->low);
			joint = " | ";
		}
		if (layout.is_signed)
			printf(";\n\t\tout->imm = (int32_t)(imm << %u) >> %u;\n", 31 - layout.top, 31 - layout.top);
		else
			printf(";\n\t\tout->imm = (int64_t)imm;\n");
	}
	for (const char *p = f->constants; *p;) {
		int length = (int)strcspn(p, " ");

		printf("\t\tout->%.*s;\n", length, p);
		p += length + (p[length] == ' ');
	}
	printf("\t\tbreak;\n");
}

static void
emit_formats(void)
{
	unsigned first = 0;

	printf("static inline void\nextract(enum riscv64_format format, uint32_t bits, struct riscv64_insn *out)\n"
	       "{\n\tuint32_t imm;\n\n\tswitch (format) {\n");
	for (size_t i = 0; i < LENGTH(formats); i++)
		emit_extract(&formats[i]);
	printf("\tcase RV_FORMAT_COUNT:\n\t\tbreak;\n\t}\n}\n\n");

	printf("static const struct field fields[] = {\n");
	for (size_t i = 0; i < LENGTH(formats); i++) {
		struct layout layout = format_layout(&formats[i]);

		for (unsigned j = 0; j < layout.count; j++) {
			const struct field *f = &layout.fields[j];

			printf("\t{ '%c', %u, %u, %u },\n", f->letter, f->shift, f->width, f->low);
		}
	}
	printf("};\n\nstatic const struct format_fields format_fields[RV_FORMAT_COUNT] = {\n");
	for (size_t i = 0; i < LENGTH(formats); i++) {
		unsigned count = format_layout(&formats[i]).count;

		printf("\t[RV_FORMAT_%s] = { %u, %u },\n", formats[i].name, first, count);
		first += count;
	}
	printf("};\n\n");
}

/* ---- the tree ------------------------------------------------------------ */

struct node {
	unsigned shift, width, base;
};

static struct node nodes[1024];
static unsigned node_count;
static uint16_t children[16384];
static unsigned child_count;
static uint16_t lists[8192];
static unsigned list_count;

/* A set of patterns, most special first. */
struct set {
	uint16_t members[PATTERNS];
	unsigned count;
};

static int
by_fixed(const void *a, const void *b)
{
	const struct pattern *x = &patterns[*(const uint16_t *)a], *y = &patterns[*(const uint16_t *)b];

	if (x->fixed != y->fixed)
		return x->fixed < y->fixed ? 1 : -1;
	return x < y ? -1 : x > y;
}

/* The members of `from` that an instruction with these bits under mask may be. */
static void
set_narrow(const struct set *from, uint32_t bits, uint32_t mask, struct set *to)
{
	to->count = 0;
	for (unsigned i = 0; i < from->count; i++) {
		const struct pattern *p = &patterns[from->members[i]];

		if (!((p->match ^ bits) & p->mask & mask))
			to->members[to->count++] = from->members[i];
	}
}

/* A list of pattern numbers plus one; 0 is the pattern of illegal ones. */
static unsigned
tree_leaf(const struct set *set)
{
	unsigned length = set->count ? set->count : 1;
	uint16_t list[PATTERNS + 1] = { LAST };

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

/* How many patterns stay under one child of a field, on average over patterns,
 * plus a little for the size of the table. */
static double
split_cost(const struct set *set, unsigned shift, unsigned width)
{
	uint32_t mask = ((1u << width) - 1) << shift;
	unsigned sizes[128] = { 0 };
	double sum = 0;

	for (unsigned i = 0; i < set->count; i++)
		for (uint32_t v = 0; v < 1u << width; v++)
			sizes[v] += !((patterns[set->members[i]].match ^ v << shift) &
				      patterns[set->members[i]].mask & mask);
	for (unsigned i = 0; i < set->count; i++) {
		const struct pattern *p = &patterns[set->members[i]];
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

static unsigned
tree_build(const struct set *set, uint32_t tested)
{
	double best = set->count;
	unsigned shift = 0, width = 0, number;
	struct set child;

	if (set->count < 2)
		return tree_leaf(set);
	for (unsigned w = 1; w <= 7; w++)
		for (unsigned s = 0; s + w <= patterns[set->members[0]].bits; s++) {
			double cost = split_cost(set, s, w);

			if (cost < best - 0.25 && !(((1u << w) - 1) << s & tested)) {
				best = cost;
				shift = s;
				width = w;
			}
		}
	if (!width)
		return tree_leaf(set);
	number = node_count++;
	if (node_count > LENGTH(nodes) || child_count + (1u << width) > LENGTH(children))
		die("tree", "too many nodes");
	nodes[number] = (struct node){ shift, width, child_count };
	child_count += 1u << width;
	for (uint32_t v = 0; v < 1u << width; v++) {
		uint32_t mask = ((1u << width) - 1) << shift;

		set_narrow(set, v << shift, mask, &child);
		children[nodes[number].base + v] = (uint16_t)tree_build(&child, tested | mask);
	}
	return number;
}

/* The roots of one length, from node `first` on. */
static void
tree_roots(unsigned first, unsigned length, unsigned size)
{
	struct set all = { .count = 0 }, set;

	for (unsigned i = 0; i < PATTERNS; i++)
		if (patterns[i].bits == length)
			all.members[all.count++] = (uint16_t)i;
	qsort(all.members, all.count, sizeof all.members[0], by_fixed);
	for (uint32_t i = 0; i < size; i++) {
		uint32_t mask = length == 32 ? 0x707f : 0xe003;
		uint32_t bits = length == 32 ? (i & 31) << 2 | 3 | (i >> 5) << 12 : (i & 3) | (i >> 2) << 13;
		unsigned kept = 0, ref;

		set_narrow(&all, bits, mask, &set);
		for (unsigned j = 0; j < set.count; j++)
			if (!patterns[set.members[j]].rm || (i >> 5 != 5 && i >> 5 != 6))
				set.members[kept++] = set.members[j];
		set.count = kept;
		ref = tree_build(&set, mask);
		if (ref & LEAF) {
			nodes[first + i] = (struct node){ 0, 0, child_count };
			children[child_count++] = (uint16_t)ref;
		} else {
			nodes[first + i] = nodes[ref];
		}
	}
}

static void
emit_numbers(const char *name, const uint16_t *numbers, unsigned count)
{
	printf("static const uint16_t %s[%u] = {", name, count);
	for (unsigned i = 0; i < count; i++)
		printf("%s%u,", i % 12 ? " " : "\n\t", numbers[i]);
	printf("\n};\n\n");
}

static void
emit_tree(void)
{
	node_count = 288;
	tree_roots(0, 32, 256);
	tree_roots(256, 16, 32);
	emit_numbers("children", children, child_count);
	emit_numbers("lists", lists, list_count);
	printf("static const struct node nodes[%u] = {\n", node_count);
	for (unsigned i = 0; i < node_count; i++)
		printf("\t{ %u, %u, %#x },\n", nodes[i].base, nodes[i].shift, (1u << nodes[i].width) - 1);
	printf("};\n\n");
}

static void
emit_patterns(void)
{
	printf("static const struct pattern patterns[%zu] = {\n\t{ 0, 0, RV_ILLEGAL, 0 },\n", PATTERNS + 1);
	for (size_t i = 0; i < PATTERNS; i++) {
		const struct pattern *p = &patterns[i];

		printf("\t{ %#x, %#x, %s, RV_FORMAT_%s },\n", p->match, p->mask, p->op ? p->op : "RV_ILLEGAL",
		       p->format ? p->format : "NONE");
	}
	printf("};\n");
}

int
main(void)
{
	for (size_t i = 0; i < PATTERNS; i++)
		pattern_parse(&patterns[i]);
	patterns_check();
	printf("/* Made from src/guest/riscv64/insns.def by tools/gen-riscv64.c. */\n\n");
	emit_formats();
	emit_tree();
	emit_patterns();
	return ferror(stdout) != 0;
}

/* Makes gen/aarch64_tables.h from src/guest/aarch64/insns.def: the decision tree
 * of the decoder, the extraction of operands, and the field lists of the encoder.
 *
 * Instructions whose operands stand in the same places share a format; what a
 * format is follows from the pictures.
 */
#include <stdio.h>
#include <string.h>

#include "decode_tree.h"

/* ---- the table as written ------------------------------------------------ */

struct pattern {
	const char *op; /* NULL: reserved */
	struct picture picture;
	unsigned format;
};

static struct pattern patterns[] = {
#define INSN(op, mnemonic, picture, extension, operands, attributes) { "A64_" #op, { .text = picture }, 0 },
#include "guest/aarch64/insns.def"
#define RESERVED(picture, why) { NULL, { .text = picture }, 0 },
#include "guest/aarch64/insns.def"
};

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define PATTERNS LENGTH(patterns)

/* Above what any picture has by its fixed bits; reserved ones may overlap, so
 * each has its own. */
enum { RANK_RESERVED = 64 };

/* ---- formats ------------------------------------------------------------- */

static const struct {
	char letter;
	const char *member;
} members[] = {
	{ 'd', "rd" },	 { 'n', "rn" },	    { 'm', "rm" },   { 'a', "ra" },   { 'z', "size" },
	{ 'y', "size" }, { 'q', "q" },	    { 'c', "cond" }, { 't', "kind" }, { 'o', "option" },
	{ 'i', "imm" },	 { 'I', "imm" },    { 'k', "imm2" }, { 'h', "imm3" }, { 'A', "acquire" },
	{ 'L', "release" },
};

/* bits[shift + width - 1 … shift] are operand bits from `low` on. */
struct field {
	char letter;
	unsigned shift, width, low;
};

struct format {
	char letters[33]; /* element n is bit n; '.' is no operand */
	struct field fields[16];
	unsigned count;
};

static struct format formats[PATTERNS];
static unsigned format_count;

/* From the least significant bit up, so that `low` is how many bits of the
 * letter there were before. */
static void
format_fields(struct format *f, const char *where)
{
	unsigned seen[128] = { 0 };

	for (unsigned i = 0; i < 32; i++) {
		struct field *last = f->count ? &f->fields[f->count - 1] : NULL;
		char c = f->letters[i];

		if (c == '.')
			continue;
		if (last && last->letter == c && last->shift + last->width == i) {
			last->width++;
		} else {
			if (f->count == LENGTH(f->fields))
				die(where, "too many fields");
			f->fields[f->count++] = (struct field){ c, i, 1, seen[(int)c] };
		}
		seen[(int)c]++;
	}
}

static unsigned
format_find(const char letters[33], const char *where)
{
	for (unsigned i = 0; i < format_count; i++)
		if (!strcmp(formats[i].letters, letters))
			return i;
	strcpy(formats[format_count].letters, letters);
	format_fields(&formats[format_count], where);
	return format_count++;
}

static void
pattern_parse(struct pattern *p)
{
	char bits[32], letters[33] = { 0 };

	picture_parse(&p->picture);
	if (picture_bits(p->picture.text, bits) != 32)
		die(p->picture.text, "not 32 bits");
	for (unsigned i = 0; i < 32; i++) {
		bool known = strchr(p->op ? "01-" : "01.", bits[i]) != NULL;

		letters[i] = known ? '.' : bits[i];
		for (unsigned j = 0; p->op && j < LENGTH(members); j++)
			known |= members[j].letter == bits[i];
		if (!known)
			die(p->picture.text, "bad character %c", bits[i]);
	}
	if (!p->op)
		p->picture.rank = RANK_RESERVED + (unsigned)(p - patterns);
	p->format = format_find(letters, p->picture.text);
}

/* ---- output -------------------------------------------------------------- */

/* out->member = its pieces, joined, for each letter of the format. */
static void
emit_extract(const struct format *f, unsigned number)
{
	printf("\tcase %u:\n", number);
	for (unsigned m = 0; m < LENGTH(members); m++) {
		const char *joint = "";
		char letter = members[m].letter;
		unsigned width = 0;

		for (unsigned i = 0; i < f->count; i++)
			width += f->fields[i].letter == letter ? f->fields[i].width : 0;
		if (!width)
			continue;
		printf("\t\tout->%s = ", members[m].member);
		if (letter == 'I')
			printf("(int32_t)((");
		else if (letter == 'y')
			printf("1 ^ (");
		else
			printf("(");
		for (unsigned i = 0; i < f->count; i++) {
			const struct field *field = &f->fields[i];

			if (field->letter != letter)
				continue;
			printf("%s(bits >> %u & %#x) << %u", joint, field->shift, (1u << field->width) - 1,
			       field->low);
			joint = " | ";
		}
		if (letter == 'I')
			printf(") << %u) >> %u;\n", 32 - width, 32 - width);
		else
			printf(");\n");
	}
	printf("\t\tbreak;\n");
}

static void
emit_formats(void)
{
	unsigned first = 0;

	printf("static inline void\nextract(unsigned format, uint32_t bits, struct aarch64_insn *out)\n"
	       "{\n\tswitch (format) {\n");
	for (unsigned i = 0; i < format_count; i++)
		emit_extract(&formats[i], i);
	printf("\t}\n}\n\nstatic const struct field fields[] = {\n");
	for (unsigned i = 0; i < format_count; i++)
		for (unsigned j = 0; j < formats[i].count; j++) {
			const struct field *f = &formats[i].fields[j];

			printf("\t{ '%c', %u, %u, %u },\n", f->letter, f->shift, f->width, f->low);
		}
	printf("};\n\nstatic const struct format_fields format_fields[%u] = {\n", format_count);
	for (unsigned i = 0; i < format_count; i++) {
		printf("\t{ %u, %u },\n", first, formats[i].count);
		first += formats[i].count;
	}
	printf("};\n\n");
}

static void
emit_tree(void)
{
	static struct picture *pictures[PATTERNS];

	for (size_t i = 0; i < PATTERNS; i++)
		pictures[i] = &patterns[i].picture;
	tree_begin(pictures, PATTERNS, 1u << 11);
	for (uint32_t i = 0; i < 1u << 11; i++)
		tree_root(i, 32, i << 21, 0xffe00000, NULL);
	tree_print();
}

static void
emit_patterns(void)
{
	printf("static const struct pattern patterns[%zu] = {\n\t{ 0, 0, A64_ILLEGAL, 0 },\n", PATTERNS + 1);
	for (size_t i = 0; i < PATTERNS; i++) {
		const struct pattern *p = &patterns[i];

		printf("\t{ %#x, %#x, %s, %u },\n", p->picture.match, p->picture.mask,
		       p->op ? p->op : "A64_ILLEGAL", p->format);
	}
	printf("};\n");
}

int
main(void)
{
	for (size_t i = 0; i < PATTERNS; i++)
		pattern_parse(&patterns[i]);
	printf("/* Made from src/guest/aarch64/insns.def by tools/gen-aarch64.c. */\n\n");
	emit_formats();
	emit_tree();
	emit_patterns();
	return ferror(stdout) != 0;
}

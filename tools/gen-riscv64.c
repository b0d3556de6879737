/* Makes gen/riscv64_tables.h from src/guest/riscv64/insns.def: the decision
 * tree of the decoder, the extraction of operands for each format, and the
 * field lists of the encoder. Checks the table on the way: every bit of a
 * picture is fixed or an operand, immediates name as many bits as there are,
 * and no two pictures overlap without one being the more special.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode_tree.h"

/* ---- the table as written ------------------------------------------------ */

struct format {
	const char *name, *picture, *immediate, *constants;
};

struct pattern {
	const char *form, *op, *format; /* form and op NULL: reserved */
	struct picture picture;
	bool rm;
};

static const struct format formats[] = {
#define FORMAT(id, picture, immediate, constants) { #id, picture, immediate, constants },
#include "guest/riscv64/insns.def"
};

static struct pattern patterns[] = {
#define INSN(op, mnemonic, picture, format, extension, operands, attributes) \
	{ "RV_" #op, "RV_" #op, #format, { .text = picture }, false },
#include "guest/riscv64/insns.def"
#define CINSN(form, mnemonic, picture, format, extension, operands, op) \
	{ "RV_FORM_" #form, "RV_" #op, #format, { .text = picture }, false },
#include "guest/riscv64/insns.def"
#define RESERVED(picture, why) { NULL, NULL, NULL, { .text = picture }, false },
#include "guest/riscv64/insns.def"
};

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define PATTERNS LENGTH(patterns)

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

	if (picture_bits(format_find(p->format, p->form)->picture, letters) != p->picture.bits)
		die(p->form, "format %s has another length", p->format);
	for (unsigned i = 0; i < p->picture.bits; i++)
		if ((letters[i] == '.' && bits[i] == '.') || (letters[i] == '-' && bits[i] != '.'))
			die(p->form, "bit %u disagrees with format %s", i, p->format);
}

static void
pattern_parse(struct pattern *p)
{
	struct picture *picture = &p->picture;
	char bits[32];

	picture_parse(picture);
	if (((picture->match & picture->mask & 3) == 3) != (picture->bits == 32) || (picture->mask & 3) != 3)
		die(picture->text, "low bits do not fit the length");
	picture_bits(picture->text, bits);
	for (unsigned i = 0; i < picture->bits; i++)
		if (!strchr("01.", bits[i]))
			die(picture->text, "bad character %c", bits[i]);
	if (p->form) {
		pattern_check_format(p, bits);
		p->rm = strchr(format_find(p->format, p->form)->picture, 'r') != NULL;
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
		if (!strchr("dstuxrcalmni", c))
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
	case 'm':
		return "out->vm";
	case 'n':
		return "out->nf";
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

/* Roots 0…255 are the combinations of funct3 and opcode, the 32 after them those
 * of the ends of a 16-bit instruction. */
enum { ROOTS_LONG = 256, ROOTS = 288 };

/* Rounding modes 5 and 6 are reserved. */
static bool
is_reserved_mode(unsigned number, unsigned root)
{
	return patterns[number].rm && (root >> 5 == 5 || root >> 5 == 6);
}

static void
emit_tree(void)
{
	static struct picture *pictures[PATTERNS];

	for (size_t i = 0; i < PATTERNS; i++)
		pictures[i] = &patterns[i].picture;
	tree_begin(pictures, PATTERNS, ROOTS);
	for (uint32_t i = 0; i < ROOTS_LONG; i++)
		tree_root(i, 32, (i & 31) << 2 | 3 | (i >> 5) << 12, 0x707f, is_reserved_mode);
	for (uint32_t i = 0; i < ROOTS - ROOTS_LONG; i++)
		tree_root(ROOTS_LONG + i, 16, (i & 3) | (i >> 2) << 13, 0xe003, NULL);
	tree_print();
}

static void
emit_patterns(void)
{
	printf("static const struct pattern patterns[%zu] = {\n\t{ 0, 0, RV_ILLEGAL, 0 },\n", PATTERNS + 1);
	for (size_t i = 0; i < PATTERNS; i++) {
		const struct pattern *p = &patterns[i];

		printf("\t{ %#x, %#x, %s, RV_FORMAT_%s },\n", p->picture.match, p->picture.mask, p->op ? p->op : "RV_ILLEGAL",
		       p->format ? p->format : "NONE");
	}
	printf("};\n");
}

int
main(void)
{
	for (size_t i = 0; i < PATTERNS; i++)
		pattern_parse(&patterns[i]);
	printf("/* Made from src/guest/riscv64/insns.def by tools/gen-riscv64.c. */\n\n");
	emit_formats();
	emit_tree();
	emit_patterns();
	return ferror(stdout) != 0;
}

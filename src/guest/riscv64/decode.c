/* Decoding and encoding by the tables that tools/gen-riscv64.c makes of
 * insns.def.
 *
 * The way through them is decode.h's. Patterns are numbered as forms are (those
 * after the forms are reserved encodings), so the pattern that matches is the
 * form.
 */
#include "guest/decode.h"
#include "guest/riscv64/insn.h"

enum { ROOT_SHORT = 256 };

/* Operand bits as the generator finds them; letters as in insns.def. */
struct field {
	char letter;
	uint8_t shift, width, low;
};

struct format_fields {
	uint8_t first, count;
};

#include "gen/riscv64_tables.h"

bool
riscv64_decode(uint32_t bits, struct riscv64_insn *out)
{
	/* No branch on the length: it is as good as random. Patterns of 16 bits
	 * do not look at the upper half. */
	bool is_long = (bits & 3) == 3;
	unsigned root_long = (bits >> 2 & 0x1f) | (bits >> 7 & 0xe0);
	unsigned root_short = ROOT_SHORT | (bits & 3) | (bits >> 11 & 0x1c);
	unsigned number = decode_find(nodes, children, lists, patterns, is_long ? root_long : root_short, bits);
	const struct pattern *pattern = &patterns[number];

	*out = (struct riscv64_insn){ 0 };
	out->length = (uint8_t)(2 + 2 * is_long);
	if (UNLIKELY(pattern->op == RV_ILLEGAL))
		return false;
	out->op = pattern->op;
	out->form = (uint16_t)number;
	extract(pattern->format, bits, out);
	return true;
}

/* The operand that a field holds part of. */
static uint64_t
operand(const struct riscv64_insn *in, const struct field *field)
{
	/* Three bits name x8…x15. */
	unsigned bias = field->width == 3 ? 8 : 0;

	switch (field->letter) {
	case 'd':
	case 'x':
		return in->rd - bias;
	case 's':
		return in->rs1 - bias;
	case 't':
		return in->rs2 - bias;
	case 'u':
		return in->rs3 - bias;
	case 'r':
		return in->rm;
	case 'c':
		return in->csr;
	case 'a':
		return in->aq;
	case 'l':
		return in->rl;
	case 'm':
		return in->vm;
	case 'n':
		return in->nf;
	}
	return (uint64_t)in->imm >> field->low;
}

bool
riscv64_encode(const struct riscv64_insn *in, uint32_t *bits)
{
	const struct pattern *pattern = &patterns[in->form];
	const struct format_fields *format;
	struct riscv64_insn back;

	if (in->form == RV_ILLEGAL || in->form >= RV_FORM_COUNT)
		return false;
	*bits = pattern->match;
	format = &format_fields[pattern->format];
	for (unsigned i = 0; i < format->count; i++) {
		const struct field *field = &fields[format->first + i];
		uint64_t value = operand(in, field) & ((1ull << field->width) - 1);

		*bits |= (uint32_t)(value << field->shift) & ~pattern->mask;
	}
	/* What does not fit, or is another form's or reserved, does not come back. */
	return riscv64_decode(*bits, &back) && back.form == in->form && back.imm == in->imm &&
	       back.rd == in->rd && back.rs1 == in->rs1 && back.rs2 == in->rs2 &&
	       back.rs3 == in->rs3 && back.rm == in->rm && back.csr == in->csr &&
	       back.aq == in->aq && back.rl == in->rl && back.vm == in->vm && back.nf == in->nf;
}

void
riscv64_form_bits(unsigned form, struct riscv64_form *info)
{
	const struct pattern *pattern = &patterns[form];

	info->match = pattern->match;
	info->mask = pattern->mask;
	info->op = pattern->op;
	info->format = pattern->format;
	info->length = (pattern->match & 3) == 3 ? 4 : 2;
}

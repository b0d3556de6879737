/* Bit fields, bit counts, byte and bit order, CRC. */
#include "guest/aarch64/lift.h"

static ir_ref
shift(struct lifter *l, enum ir_op op, ir_ref x, unsigned count)
{
	return ir_binary(&l->b, op, x, a64_constant(l, count));
}

static ir_ref
masked(struct lifter *l, ir_ref x, uint64_t mask)
{
	return ir_binary(&l->b, IR_AND, x, a64_constant(l, mask));
}

static unsigned
width(const struct lifter *l)
{
	return ir_type_bits(a64_type(l));
}

/* The integer type of so many bits, or IR_VOID. */
static enum ir_type
type_of_bits(unsigned bits)
{
	return bits == 8 ? IR_I8 : bits == 16 ? IR_I16 : bits == 32 ? IR_I32 : IR_VOID;
}

/* ---- bit fields --------------------------------------------------------- */

/* immr r and imms s: if s >= r bits s…r go to the bottom, else bits s…0 go to bit
 * width - r. */

LIFTER(a64_ubfm)
{
	unsigned r = (unsigned)l->insn.imm, s = l->insn.imm2, w = width(l);
	enum ir_type whole = type_of_bits(s + 1);
	ir_ref x = a64_r(l, l->insn.rn);

	(void)a, (void)b;
	if (s < r) {
		x = s + 1 == r ? x : masked(l, x, ~0ull >> (63 - s));
		x = shift(l, IR_SHL, x, w - r);
	} else if (!r && whole != IR_VOID) {
		x = ir_zext(&l->b, a64_type(l), whole, x);
	} else {
		x = shift(l, IR_LSHR, x, r);
		x = s + 1 == w ? x : masked(l, x, ~0ull >> (63 - (s - r)));
	}
	a64_set(l, l->insn.rd, x);
}

LIFTER(a64_sbfm)
{
	unsigned r = (unsigned)l->insn.imm, s = l->insn.imm2, w = width(l);
	enum ir_type whole = type_of_bits(s + 1);
	ir_ref x = a64_r(l, l->insn.rn);

	(void)a, (void)b;
	if (!r && whole != IR_VOID) {
		x = ir_sext(&l->b, a64_type(l), whole, x);
	} else {
		x = shift(l, IR_SHL, x, w - 1 - s);
		x = shift(l, IR_ASHR, x, s < r ? r - 1 - s : w - 1 - s + r);
	}
	a64_set(l, l->insn.rd, x);
}

LIFTER(a64_bfm)
{
	unsigned r = (unsigned)l->insn.imm, s = l->insn.imm2, w = width(l);
	unsigned lsb = s < r ? w - r : 0;
	uint64_t mask = ~0ull >> (63 - (s < r ? s : s - r));
	ir_ref x = a64_r(l, l->insn.rn);

	(void)a, (void)b;
	if (s >= r)
		x = shift(l, IR_LSHR, x, r);
	x = shift(l, IR_SHL, masked(l, x, mask), lsb);
	x = ir_binary(&l->b, IR_OR, masked(l, a64_r(l, l->insn.rd), ~(mask << lsb)), x);
	a64_set(l, l->insn.rd, x);
}

LIFTER(a64_extr)
{
	unsigned lsb = (unsigned)l->insn.imm;
	ir_ref high = a64_r(l, l->insn.rn), low = a64_r(l, l->insn.rm), result;

	(void)a, (void)b;
	if (!lsb)
		result = low;
	else if (l->insn.rn == l->insn.rm)
		result = shift(l, IR_ROTR, low, lsb);
	else
		result = ir_binary(&l->b, IR_OR, shift(l, IR_LSHR, low, lsb),
				   shift(l, IR_SHL, high, width(l) - lsb));
	a64_set(l, l->insn.rd, result);
}

/* ---- counts and order --------------------------------------------------- */

/* a: the operation; b: of 64 bits, though the size does not say so. */
LIFTER(a64_unary)
{
	ir_ref x = b ? a64_x(l, l->insn.rn) : a64_r(l, l->insn.rn);

	a64_set(l, l->insn.rd, ir_unary(&l->b, (enum ir_op)a, x));
}

/* Leading bits that equal the sign, without it. */
LIFTER(a64_cls)
{
	ir_ref x = a64_r(l, l->insn.rn);
	ir_ref changes = ir_binary(&l->b, IR_XOR, x, shift(l, IR_ASHR, x, 1));

	(void)a, (void)b;
	a64_set(l, l->insn.rd,
		ir_binary(&l->b, IR_SUB, ir_unary(&l->b, IR_CLZ, changes), a64_constant(l, 1)));
}

LIFTER(a64_rev16)
{
	uint64_t low = 0x00ff00ff00ff00ff;
	ir_ref x = a64_r(l, l->insn.rn);
	ir_ref up = shift(l, IR_SHL, masked(l, x, low), 8), down = masked(l, shift(l, IR_LSHR, x, 8), low);

	(void)a, (void)b;
	a64_set(l, l->insn.rd, ir_binary(&l->b, IR_OR, up, down));
}

LIFTER(a64_rev32)
{
	ir_ref x = ir_unary(&l->b, IR_BSWAP, a64_x(l, l->insn.rn));

	(void)a, (void)b;
	a64_set(l, l->insn.rd, ir_binary(&l->b, IR_ROTR, x, ir_const(&l->b, IR_I64, 32)));
}

/* a: type of the value; b: the polynomial. */
LIFTER(a64_crc32)
{
	ir_ref crc = ir_trunc(&l->b, IR_I32, a64_x(l, l->insn.rn));
	ir_ref value = ir_trunc(&l->b, (enum ir_type)a, a64_x(l, l->insn.rm));

	a64_set(l, l->insn.rd, ir_fold(&l->b, IR_CRC32, IR_I32, b, crc, value, 0));
}

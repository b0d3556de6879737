/* What reads NZCV and what makes it otherwise than by arithmetic: conditional
 * select and compare, FEAT_FlagM and FlagM2. */
#include "guest/aarch64/lift.h"

/* ---- select and compare ------------------------------------------------- */

/* Rd = the condition holds ? Rn : Rm, Rm + 1, ~Rm or -Rm; a: enum a64_select. */
LIFTER(a64_select)
{
	unsigned rn = l->insn.rn, rm = l->insn.rm;
	ir_ref yes, no, cond;

	(void)b;
	/* cset, csetm */
	if (rn == 31 && rm == 31 && (a == A64_SELECT_INC || a == A64_SELECT_NOT) && l->insn.cond < 14) {
		cond = a64_cond(l, l->insn.cond ^ 1);
		a64_set(l, l->insn.rd, a == A64_SELECT_INC ? cond : ir_trunc(&l->b, a64_type(l), ir_unary(&l->b, IR_NEG, cond)));
		return;
	}
	yes = a64_r(l, rn);
	no = a64_r(l, rm);
	if (a == A64_SELECT_INC)
		no = ir_binary(&l->b, IR_ADD, no, a64_constant(l, 1));
	else if (a == A64_SELECT_NOT || a == A64_SELECT_NEG)
		no = ir_unary(&l->b, a == A64_SELECT_NOT ? IR_NOT : IR_NEG, no);
	cond = a64_cond(l, l->insn.cond);
	a64_set(l, l->insn.rd, ir_select(&l->b, cond, yes, no));
}

/* a: the op that compares; b: with the immediate. The flags given are N Z C V
 * from bit 3 down. */
LIFTER(a64_ccmp)
{
	ir_ref x = a64_r(l, l->insn.rn);
	ir_ref y = b ? a64_constant(l, (uint64_t)l->insn.imm) : a64_r(l, l->insn.rm);
	ir_ref compared = ir_fold(&l->b, (enum ir_op)a, IR_FLAGS, IR_CARRY_NOT_BORROW, x, y, 0), given;
	unsigned bits = IR_FLAG_C_NOT_BORROW;

	if (l->insn.cond >= 14) {
		ir_set(&l->b, AARCH64_NZCV, compared);
		return;
	}
	for (unsigned i = 0; i < 4; i++)
		bits |= (l->insn.imm2 >> (3 - i) & 1) << i;
	given = ir_const(&l->b, IR_FLAGS, bits);
	ir_set(&l->b, AARCH64_NZCV,
	       ir_fold(&l->b, IR_FLAGS_SELECT, IR_FLAGS, 0, a64_cond(l, l->insn.cond), compared, given));
}

/* ---- flags as bits: N Z C V from bit 0, as enum ir_flag ------------------ */

static ir_ref
flag_bits(struct lifter *l)
{
	ir_ref flags = ir_get(&l->b, AARCH64_NZCV);
	ir_ref bits = ir_fold(&l->b, IR_FLAGS_BITS, IR_I64, 0, flags, 0, 0);

	return ir_binary(&l->b, IR_AND, bits, ir_const(&l->b, IR_I64, 15));
}

/* Those flags that are in mask become the bits. */
static void
set_flag_bits(struct lifter *l, ir_ref bits, unsigned mask)
{
	ir_ref flags = ir_fold(&l->b, IR_FLAGS_PACK, IR_FLAGS, IR_CARRY_NOT_BORROW, bits, 0, 0);

	if (mask != 15)
		flags = ir_fold(&l->b, IR_FLAGS_MERGE, IR_FLAGS, mask, ir_get(&l->b, AARCH64_NZCV), flags, 0);
	ir_set(&l->b, AARCH64_NZCV, flags);
}

/* The low four bits of x, the other way round. */
static ir_ref
reversed(struct lifter *l, ir_ref x)
{
	return ir_binary(&l->b, IR_LSHR, ir_unary(&l->b, IR_BITREV, x), ir_const(&l->b, IR_I64, 60));
}

ir_ref
a64_nzcv(struct lifter *l)
{
	ir_ref bits = ir_unary(&l->b, IR_BITREV, flag_bits(l));

	return ir_binary(&l->b, IR_LSHR, bits, ir_const(&l->b, IR_I64, 32));
}

void
a64_set_nzcv(struct lifter *l, ir_ref value)
{
	ir_ref top = ir_binary(&l->b, IR_LSHR, value, ir_const(&l->b, IR_I64, 28));

	set_flag_bits(l, reversed(l, top), 15);
}

static ir_ref
bit(struct lifter *l, ir_ref x, unsigned number)
{
	ir_ref down = ir_binary(&l->b, IR_LSHR, x, ir_const(&l->b, IR_I64, number));

	return ir_binary(&l->b, IR_AND, down, ir_const(&l->b, IR_I64, 1));
}

static ir_ref
at_bit(struct lifter *l, ir_ref x, unsigned number)
{
	return ir_binary(&l->b, IR_SHL, x, ir_const(&l->b, IR_I64, number));
}

static ir_ref
either(struct lifter *l, ir_ref x, ir_ref y)
{
	return ir_binary(&l->b, IR_OR, x, y);
}

LIFTER(a64_cfinv)
{
	(void)a, (void)b;
	set_flag_bits(l, ir_binary(&l->b, IR_XOR, flag_bits(l), ir_const(&l->b, IR_I64, IR_FLAG_C)), 15);
}

LIFTER(a64_rmif)
{
	ir_ref x = ir_binary(&l->b, IR_ROTR, a64_x(l, l->insn.rn), ir_const(&l->b, IR_I64, (uint64_t)l->insn.imm));
	unsigned mask = 0;

	(void)a, (void)b;
	for (unsigned i = 0; i < 4; i++)
		mask |= (l->insn.imm2 >> (3 - i) & 1) << i;
	set_flag_bits(l, reversed(l, x), mask);
}

/* N and Z of the low a bits, V if the bit above is not the sign. */
LIFTER(a64_setf)
{
	ir_ref x = a64_x(l, l->insn.rn), sign = bit(l, x, a - 1);
	ir_ref low = ir_binary(&l->b, IR_AND, x, ir_const(&l->b, IR_I64, (1u << a) - 1));
	ir_ref zero = ir_icmp(&l->b, IR_I64, IR_EQ, low, ir_const(&l->b, IR_I64, 0));
	ir_ref overflow = ir_binary(&l->b, IR_XOR, bit(l, x, a), sign);

	(void)b;
	set_flag_bits(l, either(l, either(l, sign, at_bit(l, zero, 1)), at_bit(l, overflow, 3)),
		      IR_FLAG_N | IR_FLAG_Z | IR_FLAG_V);
}

/* From the form of a floating-point comparison that Arm makes to the usual one
 * and (a) back. */
LIFTER(a64_xaflag)
{
	ir_ref flags = flag_bits(l), one = ir_const(&l->b, IR_I64, 1);
	ir_ref z = bit(l, flags, 1), c = bit(l, flags, 2), v = bit(l, flags, 3);
	ir_ref not_c = ir_binary(&l->b, IR_XOR, c, one), n;

	(void)b;
	if (a) {
		z = either(l, z, v);
		c = ir_binary(&l->b, IR_ANDN, c, v);
		set_flag_bits(l, either(l, at_bit(l, z, 1), at_bit(l, c, 2)), 15);
		return;
	}
	n = ir_binary(&l->b, IR_ANDN, not_c, z);
	v = ir_binary(&l->b, IR_AND, not_c, z);
	c = either(l, c, z);
	z = ir_binary(&l->b, IR_ANDN, z, not_c);
	set_flag_bits(l, either(l, either(l, n, at_bit(l, z, 1)), either(l, at_bit(l, c, 2), at_bit(l, v, 3))), 15);
}

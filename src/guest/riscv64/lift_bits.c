/* Zba, Zbb, Zbc, Zbs: what lift_int.c's shapes do not cover. */
#include "guest/riscv64/lift.h"

/* a: how far rs1 is shifted; b: only its low half counts. */
LIFTER(lift_shift_add)
{
	ir_ref x = lift_x(l, l->insn.rs1), y = lift_x(l, l->insn.rs2);

	if (b)
		x = ir_zext(&l->b, IR_I64, IR_I32, x);
	if (a)
		x = ir_binary(&l->b, IR_SHL, x, ir_const(&l->b, IR_I64, a));
	lift_set_x(l, ir_binary(&l->b, IR_ADD, x, y));
}

LIFTER(lift_slli_uw)
{
	ir_ref x = ir_zext(&l->b, IR_I64, IR_I32, lift_x(l, l->insn.rs1));

	(void)a, (void)b;
	lift_set_x(l, ir_binary(&l->b, IR_SHL, x, lift_imm(l)));
}

/* a: the op. */
LIFTER(lift_unary)
{
	(void)b;
	lift_set_x(l, ir_unary(&l->b, (enum ir_op)a, lift_x(l, l->insn.rs1)));
}

/* a: the op; counts in the low half. */
LIFTER(lift_unary_word)
{
	ir_ref x = ir_trunc(&l->b, IR_I32, lift_x(l, l->insn.rs1));

	(void)b;
	lift_set_x(l, ir_zext(&l->b, IR_I64, IR_I32, ir_unary(&l->b, (enum ir_op)a, x)));
}

/* a: the type extended from. */
LIFTER(lift_sign_extend)
{
	(void)b;
	lift_set_x(l, ir_sext(&l->b, IR_I64, (enum ir_type)a, lift_x(l, l->insn.rs1)));
}

LIFTER(lift_zero_extend)
{
	(void)b;
	lift_set_x(l, ir_zext(&l->b, IR_I64, (enum ir_type)a, lift_x(l, l->insn.rs1)));
}

LIFTER(lift_orn)
{
	ir_ref x = lift_x(l, l->insn.rs1);
	ir_ref y = ir_unary(&l->b, IR_NOT, lift_x(l, l->insn.rs2));

	(void)a, (void)b;
	lift_set_x(l, ir_binary(&l->b, IR_OR, x, y));
}

LIFTER(lift_xnor)
{
	ir_ref x = lift_x(l, l->insn.rs1), y = lift_x(l, l->insn.rs2);

	(void)a, (void)b;
	lift_set_x(l, ir_unary(&l->b, IR_NOT, ir_binary(&l->b, IR_XOR, x, y)));
}

/* Bits 126 to 63 of the carry-less product. */
LIFTER(lift_clmulr)
{
	ir_ref x = lift_x(l, l->insn.rs1), y = lift_x(l, l->insn.rs2);
	ir_ref high = ir_binary(&l->b, IR_CLMULH, x, y);
	ir_ref low = ir_binary(&l->b, IR_CLMUL, x, y);

	(void)a, (void)b;
	high = ir_binary(&l->b, IR_SHL, high, ir_const(&l->b, IR_I64, 1));
	low = ir_binary(&l->b, IR_LSHR, low, ir_const(&l->b, IR_I64, 63));
	lift_set_x(l, ir_binary(&l->b, IR_OR, high, low));
}

/* a: what is done with the one bit that rs2 numbers. */
LIFTER(lift_bit)
{
	ir_ref x = lift_x(l, l->insn.rs1), y = lift_x(l, l->insn.rs2);
	ir_ref bit = ir_binary(&l->b, IR_SHL, ir_const(&l->b, IR_I64, 1), y);

	(void)b;
	lift_set_x(l, ir_binary(&l->b, (enum ir_op)a, x, bit));
}

LIFTER(lift_bit_imm)
{
	ir_ref bit = ir_const(&l->b, IR_I64, 1ull << l->insn.imm);

	(void)b;
	lift_set_x(l, ir_binary(&l->b, (enum ir_op)a, lift_x(l, l->insn.rs1), bit));
}

static void
extract_bit(struct lifter *l, ir_ref number)
{
	ir_ref x = ir_binary(&l->b, IR_LSHR, lift_x(l, l->insn.rs1), number);

	lift_set_x(l, ir_binary(&l->b, IR_AND, x, ir_const(&l->b, IR_I64, 1)));
}

LIFTER(lift_bext)
{
	(void)a, (void)b;
	extract_bit(l, lift_x(l, l->insn.rs2));
}

LIFTER(lift_bext_imm)
{
	(void)a, (void)b;
	extract_bit(l, lift_imm(l));
}

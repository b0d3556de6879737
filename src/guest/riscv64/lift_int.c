/* RV64I and M: computing on integers; Zicond; Zimop.
 *
 * W instructions whose low half depends on low halves alone are computed in 64
 * bits and then extended, so that no operand is cut first; shifts and divisions
 * are computed in 32.
 */
#include "guest/riscv64/lift.h"

LIFTER(lift_lui)
{
	(void)a, (void)b;
	lift_set_x(l, lift_imm(l));
}

LIFTER(lift_auipc)
{
	(void)a, (void)b;
	if (l->insn.rd)
		lift_set_x(l, ir_pc(&l->b, l->at + l->insn.imm));
}

/* a: the op. */
LIFTER(lift_binary)
{
	ir_ref x = lift_x(l, l->insn.rs1), y = lift_x(l, l->insn.rs2);

	(void)b;
	lift_set_x(l, ir_binary(&l->b, (enum ir_op)a, x, y));
}

LIFTER(lift_binary_imm)
{
	ir_ref x = lift_x(l, l->insn.rs1);

	(void)b;
	lift_set_x(l, ir_binary(&l->b, (enum ir_op)a, x, lift_imm(l)));
}

/* a: the op, done in 64 bits. */
LIFTER(lift_word)
{
	ir_ref x = lift_x(l, l->insn.rs1), y = lift_x(l, l->insn.rs2);

	(void)b;
	lift_set_x(l, ir_sext(&l->b, IR_I64, IR_I32, ir_binary(&l->b, (enum ir_op)a, x, y)));
}

LIFTER(lift_word_imm)
{
	ir_ref x = lift_x(l, l->insn.rs1);

	(void)b;
	lift_set_x(l, ir_sext(&l->b, IR_I64, IR_I32, ir_binary(&l->b, (enum ir_op)a, x, lift_imm(l))));
}

/* a: the op, done in 32 bits. */
LIFTER(lift_narrow)
{
	ir_ref x = ir_trunc(&l->b, IR_I32, lift_x(l, l->insn.rs1));
	ir_ref y = ir_trunc(&l->b, IR_I32, lift_x(l, l->insn.rs2));

	(void)b;
	lift_set_x(l, ir_sext(&l->b, IR_I64, IR_I32, ir_binary(&l->b, (enum ir_op)a, x, y)));
}

LIFTER(lift_narrow_imm)
{
	ir_ref x = ir_trunc(&l->b, IR_I32, lift_x(l, l->insn.rs1));
	ir_ref y = ir_const(&l->b, IR_I32, (uint64_t)l->insn.imm);

	(void)b;
	lift_set_x(l, ir_sext(&l->b, IR_I64, IR_I32, ir_binary(&l->b, (enum ir_op)a, x, y)));
}

/* a: the condition. */
LIFTER(lift_compare)
{
	ir_ref x = lift_x(l, l->insn.rs1), y = lift_x(l, l->insn.rs2);

	(void)b;
	lift_set_x(l, ir_icmp(&l->b, IR_I64, (enum ir_cond)a, x, y));
}

LIFTER(lift_compare_imm)
{
	ir_ref x = lift_x(l, l->insn.rs1);

	(void)b;
	lift_set_x(l, ir_icmp(&l->b, IR_I64, (enum ir_cond)a, x, lift_imm(l)));
}

/* a: how rs2 must compare with 0 for the result to be 0. */
LIFTER(lift_czero)
{
	ir_ref x = lift_x(l, l->insn.rs1), y = lift_x(l, l->insn.rs2);
	ir_ref zero = ir_const(&l->b, IR_I64, 0);
	ir_ref is_zero = ir_icmp(&l->b, IR_I64, (enum ir_cond)a, y, zero);

	(void)b;
	lift_set_x(l, ir_select(&l->b, is_zero, zero, x));
}

/* May-be-operations write 0 until an extension gives them a meaning. */
LIFTER(lift_zero)
{
	(void)a, (void)b;
	lift_set_x(l, ir_const(&l->b, IR_I64, 0));
}

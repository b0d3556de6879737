/* Branches, calls, returns; exceptions. */
#include "guest/aarch64/lift.h"
#include "guest/branch.h"

static int32_t
target(const struct lifter *l)
{
	return l->at + (int32_t)(4 * l->insn.imm);
}

static void
branch(struct lifter *l, ir_ref cond)
{
	l->ended = guest_branch(&l->b, cond, target(l), l->next, &l->join, l->single_block);
}

LIFTER(a64_b_cond)
{
	(void)a, (void)b;
	if (target(l) != l->next)
		branch(l, a64_cond(l, l->insn.cond));
}

/* a: the condition that the register has to zero. */
LIFTER(a64_cbz)
{
	(void)b;
	if (target(l) == l->next)
		return;
	branch(l, ir_icmp(&l->b, IR_I64, (enum ir_cond)a, a64_r(l, l->insn.rd), a64_constant(l, 0)));
}

/* a: the condition that the bit has to zero. */
LIFTER(a64_tbz)
{
	ir_ref mask = ir_const(&l->b, IR_I64, 1ull << l->insn.imm2), bit;

	(void)b;
	if (target(l) == l->next)
		return;
	bit = ir_binary(&l->b, IR_AND, a64_x(l, l->insn.rd), mask);
	branch(l, ir_icmp(&l->b, IR_I64, (enum ir_cond)a, bit, ir_const(&l->b, IR_I64, 0)));
}

/* a: a call. */
LIFTER(a64_b)
{
	(void)b;
	if (a) {
		a64_set(l, 30, ir_pc(&l->b, l->next));
		ir_exit_call(&l->b, target(l), l->next);
	} else {
		ir_exit_jump(&l->b, target(l));
	}
	l->ended = true;
}

/* a: enum ir_exit_kind. */
LIFTER(a64_br)
{
	ir_ref to = a64_x(l, l->insn.rn);

	(void)b;
	if (a == IR_EXIT_ICALL)
		a64_set(l, 30, ir_pc(&l->b, l->next));
	ir_exit_value(&l->b, (enum ir_exit_kind)a, to, l->next);
	l->ended = true;
}

/* a: the trap. */
LIFTER(a64_trap)
{
	(void)b;
	ir_exit_trap(&l->b, (enum ir_trap)a, l->at, l->next);
	l->ended = true;
}

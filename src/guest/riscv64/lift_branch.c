/* Branches, jumps, calls, returns; ecall, ebreak, fence.i, and what is left to
 * the system level. */
#include "guest/branch.h"
#include "guest/riscv64/lift.h"

/* x1 and x5: the registers that calls put their return address in (manual I,
 * 2.5.1). */
static bool
is_link(unsigned reg)
{
	return reg == 1 || reg == 5;
}

static const struct ir_ins *
op_of(const struct lifter *l, ir_ref ref)
{
	return &l->b.region->ins[ref];
}

/* a: the condition. */
LIFTER(lift_branch)
{
	int32_t target = l->at + (int32_t)l->insn.imm;
	ir_ref x, y, cond;

	(void)b;
	if (target == l->next)
		return;
	lift_retire(l);
	x = lift_x(l, l->insn.rs1);
	y = lift_x(l, l->insn.rs2);
	cond = ir_icmp(&l->b, IR_I64, (enum ir_cond)a, x, y);
	l->ended = guest_branch(&l->b, cond, target, l->next, &l->join, l->single_block);
}

/* To a target that is known. */
static void
jump(struct lifter *l, int32_t target, bool call)
{
	if (call)
		ir_exit_call(&l->b, target, l->next);
	else
		ir_exit_jump(&l->b, target);
	l->ended = true;
}

static void
set_link(struct lifter *l)
{
	if (l->insn.rd)
		lift_set_x(l, ir_pc(&l->b, l->next));
}

LIFTER(lift_jal)
{
	(void)a, (void)b;
	lift_retire(l);
	set_link(l);
	jump(l, l->at + (int32_t)l->insn.imm, is_link(l->insn.rd));
}

/* The hints of the manual's table: a call if rd is a link register, also when
 * it is a coroutine's switch that pops and then pushes; else a return if rs1 is
 * one. */
static enum ir_exit_kind
jalr_kind(const struct riscv64_insn *insn)
{
	if (is_link(insn->rd))
		return IR_EXIT_ICALL;
	return is_link(insn->rs1) ? IR_EXIT_RETURN : IR_EXIT_INDIRECT;
}

/* auipc and jalr together are a direct jump, which ir_binary has seen: the sum
 * is an op PC then. */
LIFTER(lift_jalr)
{
	enum ir_exit_kind kind = jalr_kind(&l->insn);
	ir_ref base = lift_x(l, l->insn.rs1);
	ir_ref sum = ir_binary(&l->b, IR_ADD, base, lift_imm(l));
	int64_t delta = op_of(l, sum)->imm;

	(void)a, (void)b;
	lift_retire(l);
	set_link(l);
	if (op_of(l, sum)->op == IR_PC && delta >= INT32_MIN && delta <= INT32_MAX) {
		jump(l, (int32_t)(delta & ~1ll), kind == IR_EXIT_ICALL);
		return;
	}
	ir_exit_value(&l->b, kind, ir_binary(&l->b, IR_AND, sum, ir_const(&l->b, IR_I64, ~1ull)),
		      l->next);
	l->ended = true;
}

/* a: the trap. */
LIFTER(lift_trap)
{
	(void)b;
	ir_exit_trap(&l->b, (enum ir_trap)a, l->at, l->next);
	l->ended = true;
}

void
lift_system(struct lifter *l)
{
	ir_exit_trap(&l->b, IR_TRAP_SYSTEM, l->at, l->next);
	l->ended = true;
}

/* sfence.vma and sinval.vma. Which of rs1 and rs2 is x0, not their value, says
 * what they are about. Everything after is looked up: fetches are ordered too. */
LIFTER(lift_fence_vma)
{
	unsigned given = (l->insn.rs1 ? RV_FENCE_ADDRESS : 0) | (l->insn.rs2 ? RV_FENCE_ASID : 0);
	ir_ref arguments[3];

	(void)a, (void)b;
	if (!lift_in_system(l) || l->mode & RISCV64_MODE_NO_FENCE_VMA) {
		lift_illegal(l, 0, 0);
		return;
	}
	arguments[0] = lift_x(l, l->insn.rs1);
	arguments[1] = lift_x(l, l->insn.rs2);
	arguments[2] = ir_const(&l->b, IR_I64, given);
	ir_call(&l->b, IR_VOID, RV_HELPER_FENCE_VMA, 3, arguments);
	lift_retire(l);
	ir_exit_lookup(&l->b, l->next);
	l->ended = true;
}

/* Returns, waiting, the fences around sinval.vma. */
LIFTER(lift_privileged)
{
	(void)a, (void)b;
	if (lift_in_system(l))
		lift_system(l);
	else
		lift_illegal(l, 0, 0);
}

/* What was written as data may be code now: everything after is looked up. */
LIFTER(lift_fence_i)
{
	(void)a, (void)b;
	lift_retire(l);
	ir_exit_lookup(&l->b, l->next);
	l->ended = true;
}

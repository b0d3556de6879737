/* CSRs of the system level, as far as lifted code reads and writes them itself:
 * those that are slots, and mstatus and sstatus. All others leave the region for
 * riscv64_csr_execute.
 *
 * A write to mstatus or sstatus goes on in the region unless it may let an
 * interrupt in that waits, or changes the mode key: then it ends in a lookup,
 * after which whoever runs the vCPU asks for interrupts. Kernels clear and set
 * SIE all the time, with bits that the lifter sees.
 */
#include "guest/riscv64/lift.h"

enum { CSR_SSTATUS = 0x100, CSR_MSTATUS = 0x300 };

/* How a CSR instruction is written. */
struct access {
	enum riscv64_csr_action action;
	bool immediate;
	bool writes;
};

static ir_ref
masked(struct lifter *l, ir_ref value, uint64_t mask)
{
	return ir_binary(&l->b, IR_AND, value, ir_const(&l->b, IR_I64, mask));
}

static ir_ref
operand_of(struct lifter *l, const struct access *access)
{
	return access->immediate ? lift_imm(l) : lift_x(l, l->insn.rs1);
}

/* Bits that are zero in mask are zero in the slot. */
static void
lift_slot(struct lifter *l, const struct riscv64_csr *csr, const struct access *access)
{
	ir_ref operand = operand_of(l, access), old = ir_get(&l->b, csr->slot);

	lift_set_x(l, old);
	if (access->writes)
		ir_set(&l->b, csr->slot, masked(l, lift_csr_result(l, access->action, old, operand), csr->mask));
}

/* The bits of value that may be ones. */
static uint64_t
possible(const struct lifter *l, ir_ref value)
{
	const struct ir_ins *ins = &l->b.region->ins[value], *mask;

	if (ins->op == IR_CONST)
		return (uint64_t)ins->imm;
	if (ins->op != IR_AND)
		return UINT64_MAX;
	mask = &l->b.region->ins[ins->b];
	return mask->op == IR_CONST ? (uint64_t)mask->imm : UINT64_MAX;
}

/* Ends the region behind this instruction if the condition is not zero. */
static void
end_if(struct lifter *l, ir_ref condition)
{
	uint32_t away = l->b.region->block_count;

	ir_br(&l->b, condition, away, away + 1);
	ir_block(&l->b, true);
	ir_exit_lookup(&l->b, l->next);
	ir_block(&l->b, true);
	if (l->single_block) {
		ir_exit_jump(&l->b, l->next);
		l->ended = true;
	}
}

/* FS becomes what it is in value, SD with it. */
static void
set_fs(struct lifter *l, ir_ref value)
{
	ir_ref fs = masked(l, value, STATUS_FS);
	ir_ref dirty = ir_icmp(&l->b, IR_I64, IR_EQ, fs, ir_const(&l->b, IR_I64, STATUS_FS));
	ir_ref sd = ir_binary(&l->b, IR_SHL, dirty, ir_const(&l->b, IR_I64, 63));

	ir_set(&l->b, RISCV64_SLOT_FS, ir_binary(&l->b, IR_OR, fs, sd));
	l->fs_dirty = false;
}

static void
write_status(struct lifter *l, enum riscv64_csr_action action, uint64_t writable, uint64_t changes, ir_ref value)
{
	ir_ref kept = masked(l, ir_get(&l->b, RISCV64_SLOT_MSTATUS), ~writable), end = 0, waiting;

	ir_set(&l->b, RISCV64_SLOT_MSTATUS, ir_binary(&l->b, IR_OR, kept, masked(l, value, writable)));
	if (changes & STATUS_FS)
		set_fs(l, value);
	if (changes & (STATUS_FS | STATUS_SUM | STATUS_MXR | STATUS_MPRV)) {
		ir_ref key_changed = ir_call(&l->b, IR_I64, RV_HELPER_STATUS, 0, NULL);

		if (changes & STATUS_FS)
			end = key_changed;
	}
	if (action != RV_CSR_CLEAR && changes & (STATUS_SIE | STATUS_MIE)) {
		waiting = ir_get(&l->b, RISCV64_SLOT_WAITING);
		end = end ? ir_binary(&l->b, IR_OR, end, waiting) : waiting;
	}
	if (!end)
		return;
	lift_retire(l);
	end_if(l, end);
}

/* mstatus.MPP does not take every value: left to riscv64_csr_execute. */
static void
lift_status(struct lifter *l, const struct access *access)
{
	bool machine = l->insn.csr == CSR_MSTATUS;
	uint64_t writable = machine ? MSTATUS_WRITABLE : SSTATUS_WRITABLE, changes = UINT64_MAX;
	uint64_t shown = machine ? UINT64_MAX : SSTATUS_SHOWN;
	ir_ref operand = operand_of(l, access), old, new;

	if (access->action != RV_CSR_WRITE)
		changes = possible(l, operand);
	changes &= access->writes ? writable | STATUS_FS : 0;
	if (changes & STATUS_MPP) {
		lift_system(l);
		return;
	}
	old = masked(l, ir_get(&l->b, RISCV64_SLOT_MSTATUS), shown);
	old = ir_binary(&l->b, IR_OR, old, ir_get(&l->b, RISCV64_SLOT_FS));
	new = lift_csr_result(l, access->action, old, operand);
	lift_set_x(l, old);
	if (changes)
		write_status(l, access->action, writable, changes, new);
}

void
lift_csr_system(struct lifter *l, enum riscv64_csr_action action, bool immediate)
{
	const struct riscv64_csr *csr = riscv64_csr(l->insn.csr);
	struct access access = { .action = action, .immediate = immediate };

	access.writes = action == RV_CSR_WRITE || (immediate ? l->insn.imm : l->insn.rs1);
	if (!csr || !riscv64_csr_in_reach(l->insn.csr, lift_privilege(l), access.writes))
		lift_illegal(l, 0, 0);
	else if (csr->number == CSR_SSTATUS || csr->number == CSR_MSTATUS)
		lift_status(l, &access);
	else if (csr->slot)
		lift_slot(l, csr, &access);
	else
		lift_system(l);
}

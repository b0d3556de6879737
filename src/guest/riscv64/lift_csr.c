/* Zicsr: the CSRs that user code has. They are fflags, frm, fcsr and the
 * counters cycle, time, instret. In a process VM any other is illegal, in a system
 * VM lift_status.c sees to them.
 *
 * The accrued flags may live in the host's FPU, so they have ops; frm has a
 * home in the frame, which a helper reads. A write to frm that may change the
 * mode key ends the region.
 */
#include "guest/riscv64/lift.h"

enum { CSR_FFLAGS = 0x001, CSR_FRM = 0x002, CSR_FCSR = 0x003, CSR_CYCLE = 0xc00, CSR_TIME, CSR_INSTRET };
enum { FLAGS_MASK = 31, FRM_MASK = 7, FRM_SHIFT = 5 };

static ir_ref
masked(struct lifter *l, ir_ref value, uint64_t mask)
{
	return ir_binary(&l->b, IR_AND, value, ir_const(&l->b, IR_I64, mask));
}

static ir_ref
call(struct lifter *l, enum riscv64_helper helper)
{
	return ir_call(&l->b, IR_I64, helper, 0, NULL);
}

/* The host may have noted more than RISC-V has flags for. */
static ir_ref
read_flags(struct lifter *l)
{
	return masked(l, ir_emit(&l->b, IR_FPFLAGS_GET, IR_I64, 0, 0, 0, 0), FLAGS_MASK);
}

static ir_ref
read_csr(struct lifter *l, unsigned csr)
{
	ir_ref frm;

	if (csr == CSR_FFLAGS)
		return read_flags(l);
	frm = call(l, RV_HELPER_FRM);
	if (csr == CSR_FRM)
		return frm;
	frm = ir_binary(&l->b, IR_SHL, frm, ir_const(&l->b, IR_I64, FRM_SHIFT));
	return ir_binary(&l->b, IR_OR, frm, read_flags(l));
}

static void
write_frm(struct lifter *l, ir_ref value)
{
	ir_ref frm = masked(l, value, FRM_MASK);
	const struct ir_ins *ins = &l->b.region->ins[frm];
	bool same_key = ins->op == IR_CONST && riscv64_mode_of((uint64_t)ins->imm) == (l->mode & RISCV64_MODE_FRM);

	ir_emit(&l->b, IR_FPROUND_SET, IR_VOID, 0, frm, 0, 0);
	if (same_key)
		return;
	lift_retire(l);
	ir_exit_lookup(&l->b, l->next);
	l->ended = true;
}

static void
write_csr(struct lifter *l, unsigned csr, ir_ref value)
{
	if (csr != CSR_FRM)
		ir_emit(&l->b, IR_FPFLAGS_SET, IR_VOID, 0, masked(l, value, FLAGS_MASK), 0, 0);
	if (csr == CSR_FCSR)
		value = ir_binary(&l->b, IR_LSHR, value, ir_const(&l->b, IR_I64, FRM_SHIFT));
	if (csr != CSR_FFLAGS)
		write_frm(l, value);
}

ir_ref
lift_csr_result(struct lifter *l, enum riscv64_csr_action action, ir_ref old, ir_ref operand)
{
	switch (action) {
	case RV_CSR_WRITE:
		return operand;
	case RV_CSR_SET:
		return ir_binary(&l->b, IR_OR, old, operand);
	case RV_CSR_CLEAR:
		return ir_binary(&l->b, IR_ANDN, old, operand);
	}
	return operand;
}

static void
lift_counter(struct lifter *l, unsigned csr)
{
	static const struct {
		uint8_t helper;
		uint16_t closed;
	} counter[] = {
		{ RV_HELPER_CYCLE, RISCV64_MODE_NO_CYCLE },
		{ RV_HELPER_TIME, RISCV64_MODE_NO_TIME },
		{ RV_HELPER_INSTRET, RISCV64_MODE_NO_INSTRET },
	};

	enum riscv64_helper helper = (enum riscv64_helper)counter[csr - CSR_CYCLE].helper;

	if (helper == RV_HELPER_TIME && l->mode & RISCV64_MODE_COUNTS)
		helper = RV_HELPER_TIME_COUNTED;
	if (l->mode & counter[csr - CSR_CYCLE].closed)
		lift_illegal(l, 0, 0);
	else
		lift_set_x(l, call(l, helper));
}

/* a: enum riscv64_csr_action; b: the operand is the immediate. Set and clear
 * with x0 or 0 do not write, whatever the CSR (manual I, 6.1). */
LIFTER(lift_csr)
{
	unsigned csr = l->insn.csr;
	enum riscv64_csr_action action = (enum riscv64_csr_action)a;
	bool writes = action == RV_CSR_WRITE || (b ? l->insn.imm : l->insn.rs1);
	bool reads = action != RV_CSR_WRITE || l->insn.rd;
	ir_ref operand, old = 0;

	if (csr >= CSR_CYCLE && csr <= CSR_INSTRET && !writes) {
		lift_counter(l, csr);
		return;
	}
	if (lift_in_system(l) && (csr < CSR_FFLAGS || csr > CSR_FCSR)) {
		lift_csr_system(l, action, b);
		return;
	}
	if (l->mode & RISCV64_MODE_VECTOR && lift_csr_vector(l, action, b))
		return;
	if (csr < CSR_FFLAGS || csr > CSR_FCSR || l->mode & RISCV64_MODE_FP_OFF) {
		lift_illegal(l, 0, 0);
		return;
	}
	operand = b ? lift_imm(l) : lift_x(l, l->insn.rs1);
	if (reads) {
		old = read_csr(l, csr);
		lift_set_x(l, old);
	}
	if (!writes)
		return;
	lift_fs_dirty(l);
	write_csr(l, csr, lift_csr_result(l, action, old, operand));
}

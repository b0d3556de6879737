/* MRS and MSR: the system registers that Linux gives user code, read by the
 * hardware or by its emulation (Documentation/arch/arm64/cpu-feature-registers).
 * Any other, and writing one that is only to be read, is illegal.
 */
#include "guest/aarch64/lift.h"

#define REGISTER(op0, op1, crn, crm, op2) \
	(((op0) - 2) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

enum {
	NZCV = REGISTER(3, 3, 4, 2, 0),
	FPCR = REGISTER(3, 3, 4, 4, 0),
	FPSR = REGISTER(3, 3, 4, 4, 1),
	TPIDR_EL0 = REGISTER(3, 3, 13, 0, 2),
	TPIDRRO_EL0 = REGISTER(3, 3, 13, 0, 3),
	CTR_EL0 = REGISTER(3, 3, 0, 0, 1),
	DCZID_EL0 = REGISTER(3, 3, 0, 0, 7),
	CNTFRQ_EL0 = REGISTER(3, 3, 14, 0, 0),
	CNTVCT_EL0 = REGISTER(3, 3, 14, 0, 2),
	MIDR_EL1 = REGISTER(3, 0, 0, 0, 0),
	MPIDR_EL1 = REGISTER(3, 0, 0, 0, 5),
	REVIDR_EL1 = REGISTER(3, 0, 0, 0, 6),
	ID_FIRST = REGISTER(3, 0, 0, 2, 0),
	ID_LAST = REGISTER(3, 0, 0, 7, 7),
};

static ir_ref
constant(struct lifter *l, uint64_t value)
{
	return ir_const(&l->b, IR_I64, value);
}

static ir_ref
binary(struct lifter *l, enum ir_op op, ir_ref x, uint64_t y)
{
	return ir_binary(&l->b, op, x, constant(l, y));
}

/* ---- FPCR and FPSR ------------------------------------------------------ */

/* RMode 0 to 3 is to nearest, up, down, to zero: minus the number in the IR. */
static void
write_fpcr(struct lifter *l, ir_ref value)
{
	ir_ref rmode = binary(l, IR_LSHR, value, 22);
	ir_ref round = binary(l, IR_AND, ir_unary(&l->b, IR_NEG, rmode), 3);

	ir_set(&l->b, AARCH64_FPCR, binary(l, IR_AND, value, AARCH64_FPCR_KEPT));
	ir_emit(&l->b, IR_FPROUND_SET, IR_VOID, 0, round, 0, 0);
	/* The mode key may be another one now. */
	ir_exit_lookup(&l->b, l->next);
	l->ended = true;
}

/* IOC DZC OFC UFC IXC from bit 0 are NV DZ OF UF NX from bit 4 down. */
static ir_ref
five_reversed(struct lifter *l, ir_ref x)
{
	return binary(l, IR_LSHR, ir_unary(&l->b, IR_BITREV, x), 59);
}

static ir_ref
read_fpsr(struct lifter *l)
{
	ir_ref flags = ir_emit(&l->b, IR_FPFLAGS_GET, IR_I64, 0, 0, 0, 0);
	ir_ref saturated = ir_get(&l->b, AARCH64_QC);
	ir_ref low = ir_emit(&l->b, IR_VEXTRACT, IR_I64, IR_I64, saturated, 0, 0);
	ir_ref high = ir_emit(&l->b, IR_VEXTRACT, IR_I64, IR_I64, saturated, 0, 1);
	ir_ref qc = ir_icmp(&l->b, IR_I64, IR_NE, ir_binary(&l->b, IR_OR, low, high), constant(l, 0));
	ir_ref idc = binary(l, IR_SHL, binary(l, IR_AND, flags, 64), 1);

	flags = ir_binary(&l->b, IR_OR, five_reversed(l, flags), idc);
	return ir_binary(&l->b, IR_OR, flags, binary(l, IR_SHL, qc, 27));
}

static void
write_fpsr(struct lifter *l, ir_ref value)
{
	ir_ref idc = binary(l, IR_AND, binary(l, IR_LSHR, value, 1), 64);
	ir_ref qc = binary(l, IR_AND, binary(l, IR_LSHR, value, 27), 1);

	ir_set(&l->b, AARCH64_QC, ir_emit(&l->b, IR_VSCALAR, IR_V128, IR_I64, qc, 0, 0));
	ir_emit(&l->b, IR_FPFLAGS_SET, IR_VOID, 0, ir_binary(&l->b, IR_OR, five_reversed(l, value), idc), 0, 0);
}

/* ---- what a register reads as ------------------------------------------- */

static bool
fixed_value(unsigned number, uint64_t *value)
{
	switch (number) {
	case TPIDRRO_EL0: /* the kernel's own; 0 in 64-bit processes */
	case REVIDR_EL1:
		*value = 0;
		return true;
	case CTR_EL0:
		*value = AARCH64_CTR;
		return true;
	case DCZID_EL0:
		*value = AARCH64_DCZID;
		return true;
	case CNTFRQ_EL0:
		*value = AARCH64_COUNTER_HZ;
		return true;
	case MIDR_EL1:
		*value = AARCH64_MIDR;
		return true;
	case MPIDR_EL1:
		*value = 1u << 31;
		return true;
	}
	if (number < ID_FIRST || number > ID_LAST)
		return false;
	*value = aarch64_id_register(number - ID_FIRST);
	return true;
}

/* 0: there is no such register. */
static ir_ref
read(struct lifter *l, unsigned number)
{
	uint64_t value;

	switch (number) {
	case NZCV:
		return a64_nzcv(l);
	case FPCR:
		return ir_call(&l->b, IR_I64, A64_HELPER_FPCR, 0, NULL);
	case FPSR:
		return read_fpsr(l);
	case TPIDR_EL0:
		return ir_get(&l->b, AARCH64_TPIDR);
	case CNTVCT_EL0:
		return ir_call(&l->b, IR_I64, A64_HELPER_COUNTER, 0, NULL);
	}
	return fixed_value(number, &value) ? constant(l, value) : 0;
}

LIFTER(a64_mrs)
{
	ir_ref value = read(l, (unsigned)l->insn.imm);

	if (value)
		a64_set(l, l->insn.rd, value);
	else
		a64_illegal(l, a, b);
}

LIFTER(a64_msr)
{
	switch (l->insn.imm) {
	case NZCV:
		a64_set_nzcv(l, a64_x(l, l->insn.rd));
		return;
	case FPCR:
		write_fpcr(l, a64_x(l, l->insn.rd));
		return;
	case FPSR:
		write_fpsr(l, a64_x(l, l->insn.rd));
		return;
	case TPIDR_EL0:
		ir_set(&l->b, AARCH64_TPIDR, a64_x(l, l->insn.rd));
		return;
	}
	a64_illegal(l, a, b);
}

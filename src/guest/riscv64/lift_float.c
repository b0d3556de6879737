/* F, D, Zfa: arithmetic, comparison, class, signs; and the f registers.
 *
 * A register is a 64-bit container. A single or half is boxed in it: unboxing
 * yields the canonical NaN where the bits above are not all ones (manual I,
 * 21.2), and every result is boxed again. Arithmetic makes canonical NaNs only.
 */
#include "guest/riscv64/lift.h"

ir_ref
lift_f(struct lifter *l, enum ir_type type, unsigned reg)
{
	ir_ref container = ir_get(&l->b, RISCV64_F0 + reg), value;

	if (type == IR_F64)
		return container;
	value = l->unboxed[reg].value;
	if (l->unboxed[reg].container == container && l->b.region->ins[value].type == type)
		return value;
	value = ir_unbox(&l->b, type, container);
	l->unboxed[reg].container = container;
	l->unboxed[reg].value = value;
	return value;
}

void
lift_set_f(struct lifter *l, enum ir_type type, ir_ref value)
{
	if (type != IR_F64)
		value = ir_fold(&l->b, IR_BOX, IR_F64, 0, value, 0, 0);
	ir_set(&l->b, RISCV64_F0 + l->insn.rd, value);
}

unsigned
lift_fp_aux(const struct lifter *l, unsigned variant)
{
	unsigned rm = l->insn.rm;

	if (rm == RV_DYN && l->mode & RISCV64_MODE_FRM_RMM)
		rm = RV_RMM;
	return IR_FP(rm, IR_NAN_RISCV, 0, variant);
}

/* a: the type; b: the op. */
LIFTER(lift_fp_binary)
{
	enum ir_type type = (enum ir_type)a;
	ir_ref x = lift_f(l, type, l->insn.rs1), y = lift_f(l, type, l->insn.rs2);

	lift_set_f(l, type, ir_emit(&l->b, (enum ir_op)b, type, lift_fp_aux(l, 0), x, y, 0));
}

LIFTER(lift_fp_unary)
{
	enum ir_type type = (enum ir_type)a;
	ir_ref x = lift_f(l, type, l->insn.rs1);

	lift_set_f(l, type, ir_emit(&l->b, (enum ir_op)b, type, lift_fp_aux(l, 0), x, 0, 0));
}

/* a: the type; b: enum ir_fma_variant. */
LIFTER(lift_fp_fma)
{
	enum ir_type type = (enum ir_type)a;
	ir_ref x = lift_f(l, type, l->insn.rs1), y = lift_f(l, type, l->insn.rs2);
	ir_ref z = lift_f(l, type, l->insn.rs3);

	lift_set_f(l, type, ir_emit(&l->b, IR_FMA, type, lift_fp_aux(l, b), x, y, z));
}

static void
minmax(struct lifter *l, enum ir_op op, enum ir_type type, unsigned variant)
{
	ir_ref x = lift_f(l, type, l->insn.rs1), y = lift_f(l, type, l->insn.rs2);

	lift_set_f(l, type, ir_emit(&l->b, op, type, lift_fp_aux(l, variant), x, y, 0));
}

/* a: the type; b: enum ir_fminmax_variant. */
LIFTER(lift_fp_min)
{
	minmax(l, IR_FMIN, (enum ir_type)a, b);
}

LIFTER(lift_fp_max)
{
	minmax(l, IR_FMAX, (enum ir_type)a, b);
}

/* a: the type; b: enum ir_fcmp_variant. */
LIFTER(lift_fp_compare)
{
	enum ir_type type = (enum ir_type)a;
	ir_ref x = lift_f(l, type, l->insn.rs1), y = lift_f(l, type, l->insn.rs2);

	lift_set_x(l, ir_emit(&l->b, IR_FCMP, IR_I64, lift_fp_aux(l, b), x, y, 0));
}

/* a: the type; b: enum ir_frint_variant. */
LIFTER(lift_fp_round)
{
	enum ir_type type = (enum ir_type)a;
	ir_ref x = lift_f(l, type, l->insn.rs1);

	lift_set_f(l, type, ir_emit(&l->b, IR_FRINT, type, lift_fp_aux(l, b), x, 0, 0));
}

/* a: the type; b: enum ir_fsgnj_variant. */
LIFTER(lift_fsgnj)
{
	enum ir_type type = (enum ir_type)a;
	ir_ref x = lift_f(l, type, l->insn.rs1), y = lift_f(l, type, l->insn.rs2);

	lift_set_f(l, type, ir_fold(&l->b, IR_FSGNJ, type, b, x, y, 0));
}

/* a: the type. */
LIFTER(lift_fclass)
{
	ir_ref x = lift_f(l, (enum ir_type)a, l->insn.rs1);

	(void)b;
	lift_set_x(l, ir_fold(&l->b, IR_FCLASS, IR_I64, 0, x, 0, 0));
}

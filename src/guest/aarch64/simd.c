/* v registers as values of the IR. */
#include "guest/aarch64/simd.h"

static const struct ir_ins *
ins_of(const struct lifter *l, ir_ref ref)
{
	return &l->b.region->ins[ref];
}

/* ---- constants ---------------------------------------------------------- */

ir_ref
a64_v_zero(struct lifter *l, enum ir_type type)
{
	return ir_const(&l->b, type, 0);
}

ir_ref
a64_v_splat(struct lifter *l, enum ir_type type, enum ir_type lane, uint64_t value)
{
	if (!value)
		return a64_v_zero(l, type);
	return ir_emit(&l->b, IR_VSPLAT, type, lane, ir_const(&l->b, lane, value), 0, 0);
}

ir_ref
a64_v_const(struct lifter *l, uint64_t low, uint64_t high)
{
	if (!high)
		return ir_const(&l->b, IR_V128, low);
	return ir_emit(&l->b, IR_VJOIN, IR_V128, 0, ir_const(&l->b, IR_V64, low), ir_const(&l->b, IR_V64, high), 0);
}

/* ---- registers ---------------------------------------------------------- */

ir_ref
a64_v(struct lifter *l, unsigned reg)
{
	return ir_get(&l->b, AARCH64_V0 + reg);
}

/* What was widened just now need not be narrowed. */
ir_ref
a64_v_low(struct lifter *l, unsigned reg)
{
	ir_ref whole = a64_v(l, reg);
	const struct ir_ins *ins = ins_of(l, whole);

	if ((ins->op == IR_VRESIZE || ins->op == IR_VJOIN) && a64_type_of(l, ins->a) == IR_V64)
		return ins->a;
	return ir_emit(&l->b, IR_VRESIZE, IR_V64, 0, whole, 0, 0);
}

ir_ref
a64_v_high(struct lifter *l, unsigned reg)
{
	return ir_emit(&l->b, IR_VHIGH, IR_V64, 0, a64_v(l, reg), 0, 0);
}

ir_ref
a64_v_scalar(struct lifter *l, enum ir_type type, unsigned reg)
{
	ir_ref whole = a64_v(l, reg);
	const struct ir_ins *ins = ins_of(l, whole);

	if (ins->op == IR_VSCALAR && ins->aux == type && a64_type_of(l, ins->a) == type)
		return ins->a;
	return ir_emit(&l->b, IR_VEXTRACT, type, type, whole, 0, 0);
}

ir_ref
a64_v_source(struct lifter *l, unsigned reg, enum ir_type lane)
{
	if (l->insn.q)
		return a64_v(l, reg);
	if (!a64_is_scalar(l) || lane == IR_I64)
		return a64_v_low(l, reg);
	return ir_emit(&l->b, IR_VSCALAR, IR_V64, lane, a64_v_scalar(l, lane, reg), 0, 0);
}

/* Bits L, M, Rm, H: the wider the lane the fewer of them number it, and the more
 * the register. */
unsigned
a64_element(const struct lifter *l, enum ir_type lane, unsigned *reg)
{
	unsigned low = (unsigned)l->insn.imm >> 2 & 1, middle = (unsigned)l->insn.imm >> 1 & 1;
	unsigned high = (unsigned)l->insn.imm & 1, bits = ir_type_bits(lane);

	*reg = l->insn.rm | (bits == 16 ? 0 : middle << 4);
	return bits == 16 ? high << 2 | low << 1 | middle : bits == 32 ? high << 1 | low : high;
}

static ir_ref
element(struct lifter *l, enum ir_type type, enum ir_type lane)
{
	unsigned reg, number = a64_element(l, lane, &reg);

	return ir_emit(&l->b, IR_VDUP, type, lane, a64_v(l, reg), 0, number);
}

ir_ref
a64_v_second(struct lifter *l, enum ir_type lane)
{
	return a64_is_by_element(l) ? element(l, a64_shape(l), lane) : a64_v_source(l, l->insn.rm, lane);
}

ir_ref
a64_v_half(struct lifter *l, unsigned reg, enum ir_type lane)
{
	return l->insn.q ? a64_v_high(l, reg) : a64_v_source(l, reg, lane);
}

ir_ref
a64_v_second_half(struct lifter *l, enum ir_type lane)
{
	return a64_is_by_element(l) ? element(l, IR_V64, lane) : a64_v_half(l, l->insn.rm, lane);
}

void
a64_v_set_register(struct lifter *l, unsigned reg, ir_ref value)
{
	enum ir_type type = a64_type_of(l, value);

	if (type == IR_V64)
		value = ir_emit(&l->b, IR_VRESIZE, IR_V128, 0, value, 0, 0);
	else if (type != IR_V128)
		value = ir_emit(&l->b, IR_VSCALAR, IR_V128, type, value, 0, 0);
	ir_set(&l->b, AARCH64_V0 + reg, value);
}

void
a64_v_set(struct lifter *l, ir_ref value)
{
	a64_v_set_register(l, l->insn.rd, value);
}

void
a64_v_set_half(struct lifter *l, ir_ref value)
{
	if (l->insn.q)
		value = ir_emit(&l->b, IR_VJOIN, IR_V128, 0, a64_v_low(l, l->insn.rd), value, 0);
	a64_v_set(l, value);
}

/* ---- ops ---------------------------------------------------------------- */

ir_ref
a64_v_op(struct lifter *l, enum ir_op op, unsigned aux, ir_ref x, ir_ref y, ir_ref z)
{
	return ir_emit(&l->b, op, a64_type_of(l, x), aux, x, y, z);
}

ir_ref
a64_v_shift_by(struct lifter *l, enum ir_op op, enum ir_type lane, ir_ref x, unsigned count)
{
	return count ? a64_v_op(l, op, lane, x, ir_const(&l->b, IR_I64, count), 0) : x;
}

void
a64_saturated(struct lifter *l, ir_ref vector)
{
	ir_ref so_far = ir_get(&l->b, AARCH64_QC);

	if (a64_type_of(l, vector) == IR_V64)
		vector = ir_emit(&l->b, IR_VRESIZE, IR_V128, 0, vector, 0, 0);
	ir_set(&l->b, AARCH64_QC, a64_v_op(l, IR_VOR, 0, so_far, vector, 0));
}

void
a64_saturated_where(struct lifter *l, ir_ref got, ir_ref wanted)
{
	a64_saturated(l, a64_v_op(l, IR_VXOR, 0, got, wanted, 0));
}

ir_ref
a64_v_accumulated(struct lifter *l, unsigned how, enum ir_type lane, ir_ref old, ir_ref value)
{
	if (how == VA_NONE)
		return value;
	return a64_v_op(l, how == VA_ADD ? IR_VADD : IR_VSUB, lane, old, value, 0);
}

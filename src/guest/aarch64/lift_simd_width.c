/* Advanced SIMD on integers: lanes that get twice or half their width. The `2`
 * forms read or write high halves. C7.2. */
#include "guest/aarch64/simd.h"

static enum ir_type
lane_of(const struct lifter *l)
{
	return a64_lane(l->insn.size);
}

static enum ir_type
twice(enum ir_type lane)
{
	return (enum ir_type)(lane + 1);
}

/* All lanes of a v64, extended. */
static ir_ref
extended(struct lifter *l, unsigned is_signed, enum ir_type lane, ir_ref x)
{
	return ir_emit(&l->b, is_signed ? IR_VSXTL : IR_VZXTL, IR_V128, lane, x, 0, 0);
}

/* ---- twice -------------------------------------------------------------- */

/* Both operands extended. a: the op; b: IR_LANE_SIGNED. Once extended a difference
 * is signed. */
LIFTER(a64_v_long)
{
	enum ir_type lane = lane_of(l);
	ir_ref x = extended(l, b, lane, a64_v_half(l, l->insn.rn, lane));
	ir_ref y = extended(l, b, lane, a64_v_second_half(l, lane));

	a64_v_set(l, a64_v_op(l, (enum ir_op)a, twice(lane) | (a == IR_VABD ? IR_LANE_SIGNED : 0), x, y, 0));
}

/* SABAL, UABAL. b: IR_LANE_SIGNED. */
LIFTER(a64_v_abal)
{
	enum ir_type lane = lane_of(l);
	ir_ref x = extended(l, b, lane, a64_v_half(l, l->insn.rn, lane));
	ir_ref y = extended(l, b, lane, a64_v_half(l, l->insn.rm, lane));
	ir_ref value = a64_v_op(l, IR_VABD, twice(lane) | IR_LANE_SIGNED, x, y, 0);

	(void)a;
	a64_v_set(l, a64_v_accumulated(l, VA_ADD, twice(lane), a64_v(l, l->insn.rd), value));
}

/* The second operand extended. a: the op; b: IR_LANE_SIGNED. */
LIFTER(a64_v_wide)
{
	enum ir_type lane = lane_of(l);
	ir_ref y = extended(l, b, lane, a64_v_half(l, l->insn.rm, lane));

	a64_v_set(l, a64_v_op(l, (enum ir_op)a, twice(lane), a64_v(l, l->insn.rn), y, 0));
}

/* a: enum a64_v_accumulation; b: IR_LANE_SIGNED. */
LIFTER(a64_v_mlal)
{
	enum ir_type lane = lane_of(l);
	ir_ref x = a64_v_half(l, l->insn.rn, lane), y = a64_v_second_half(l, lane);
	ir_ref product = ir_emit(&l->b, IR_VMULL, IR_V128, lane | b, x, y, 0);

	a64_v_set(l, a64_v_accumulated(l, a, twice(lane), a == VA_NONE ? 0 : a64_v(l, l->insn.rd), product));
}

/* Twice the product, saturated, then the sum, saturated. What lies above a scalar
 * is zero times zero. a: enum a64_v_accumulation. */
LIFTER(a64_v_sqdmlal)
{
	enum ir_type lane = lane_of(l), wide = twice(lane);
	ir_ref x = a64_v_half(l, l->insn.rn, lane), y = a64_v_second_half(l, lane);
	ir_ref product = ir_emit(&l->b, IR_VMULL, IR_V128, lane | IR_LANE_SIGNED, x, y, 0);
	ir_ref value = a64_v_op(l, IR_VADDS, wide, product, product, 0), old, sum;

	(void)b;
	a64_saturated_where(l, value, a64_v_op(l, IR_VADD, wide, product, product, 0));
	if (a != VA_NONE) {
		old = a64_v(l, l->insn.rd);
		if (a64_is_scalar(l))
			old = ir_emit(&l->b, IR_VSCALAR, IR_V128, wide, a64_v_scalar(l, wide, l->insn.rd), 0, 0);
		sum = a64_v_op(l, a == VA_ADD ? IR_VADDS : IR_VSUBS, wide, old, value, 0);
		a64_saturated_where(l, sum, a64_v_accumulated(l, a, wide, old, value));
		value = sum;
	}
	a64_v_set(l, value);
}

/* a: the lane. */
LIFTER(a64_v_pmull)
{
	ir_ref x = a64_v_half(l, l->insn.rn, (enum ir_type)a), y = a64_v_half(l, l->insn.rm, (enum ir_type)a);

	(void)b;
	a64_v_set(l, ir_emit(&l->b, IR_VPMULL, IR_V128, a, x, y, 0));
}

/* The low halves of the products of bytes. */
LIFTER(a64_v_pmul)
{
	ir_ref low = ir_emit(&l->b, IR_VPMULL, IR_V128, IR_I8, a64_v_low(l, l->insn.rn), a64_v_low(l, l->insn.rm), 0);
	ir_ref value = ir_emit(&l->b, IR_VNARROW, IR_V64, IR_I16, low, 0, 0), high;

	(void)a, (void)b;
	if (l->insn.q) {
		high = ir_emit(&l->b, IR_VPMULL, IR_V128, IR_I8, a64_v_high(l, l->insn.rn), a64_v_high(l, l->insn.rm), 0);
		high = ir_emit(&l->b, IR_VNARROW, IR_V64, IR_I16, high, 0, 0);
		value = ir_emit(&l->b, IR_VJOIN, IR_V128, 0, value, high, 0);
	}
	a64_v_set(l, value);
}

/* SHLL: by the width of the lanes. */
LIFTER(a64_v_shll)
{
	enum ir_type lane = lane_of(l);
	ir_ref x = extended(l, 0, lane, a64_v_half(l, l->insn.rn, lane));

	(void)a, (void)b;
	a64_v_set(l, a64_v_shift_by(l, IR_VSHL, twice(lane), x, ir_type_bits(lane)));
}

/* SSHLL, USHLL: immh:immb is the width of the lanes plus the count. a:
 * IR_LANE_SIGNED. */
LIFTER(a64_v_shift_long)
{
	unsigned imm = (unsigned)l->insn.imm, log2 = 31 - (unsigned)__builtin_clz(imm >> 3);
	enum ir_type lane = a64_lane(log2);
	ir_ref x = extended(l, a, lane, a64_v_half(l, l->insn.rn, lane));

	(void)b;
	a64_v_set(l, a64_v_shift_by(l, IR_VSHL, twice(lane), x, imm - (8u << log2)));
}

/* ---- half --------------------------------------------------------------- */

/* The high halves of sums and differences. a: the op; b: rounded. */
LIFTER(a64_v_high_narrow)
{
	enum ir_type lane = lane_of(l), wide = twice(lane);
	ir_ref value = a64_v_op(l, (enum ir_op)a, wide, a64_v(l, l->insn.rn), a64_v(l, l->insn.rm), 0), half;

	if (b) {
		half = a64_v_splat(l, IR_V128, wide, 1ull << (ir_type_bits(lane) - 1));
		value = a64_v_op(l, IR_VADD, wide, value, half, 0);
	}
	value = a64_v_shift_by(l, IR_VLSHR, wide, value, ir_type_bits(lane));
	a64_v_set_half(l, ir_emit(&l->b, IR_VNARROW, IR_V64, wide, value, 0, 0));
}

/* Narrows and notes whether something was lost: whether it does not widen to what
 * it was. */
static ir_ref
narrowed(struct lifter *l, enum ir_op op, enum ir_type wide, ir_ref x)
{
	ir_ref value = ir_emit(&l->b, op, IR_V64, wide, x, 0, 0);

	if (op != IR_VNARROW)
		a64_saturated_where(l, extended(l, op == IR_VNARROWS, (enum ir_type)(wide - 1), value), x);
	return value;
}

/* The source of a narrowing operation: of a scalar lane 0 alone. */
static ir_ref
wide_source(struct lifter *l, enum ir_type wide)
{
	if (!a64_is_scalar(l))
		return a64_v(l, l->insn.rn);
	return ir_emit(&l->b, IR_VSCALAR, IR_V128, wide, a64_v_scalar(l, wide, l->insn.rn), 0, 0);
}

/* a: the op. */
LIFTER(a64_v_narrow)
{
	enum ir_type wide = twice(lane_of(l));

	(void)b;
	a64_v_set_half(l, narrowed(l, (enum ir_op)a, wide, wide_source(l, wide)));
}

/* a: the op that narrows; b: rounded. immh:immb is twice the width of the wide
 * lanes less the count. The bit that rounds is added after the shift, where there
 * is room, but for plain narrowing, which loses the carry anyway. */
LIFTER(a64_v_shift_narrow)
{
	unsigned imm = (unsigned)l->insn.imm, log2 = 31 - (unsigned)__builtin_clz(imm >> 3);
	unsigned count = (16u << log2) - imm;
	enum ir_type wide = a64_lane(log2 + 1);
	enum ir_op shift = a == IR_VNARROW || a == IR_VNARROWU ? IR_VLSHR : IR_VASHR;
	ir_ref x = wide_source(l, wide), value = a64_v_shift_by(l, shift, wide, x, count), bit;

	if (b) {
		bit = a64_v_shift_by(l, IR_VLSHR, wide, x, count - 1);
		bit = a64_v_op(l, IR_VAND, 0, bit, a64_v_splat(l, IR_V128, wide, 1), 0);
		value = a64_v_op(l, IR_VADD, wide, value, bit, 0);
	}
	a64_v_set_half(l, narrowed(l, (enum ir_op)a, wide, value));
}

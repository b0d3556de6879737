/* Advanced SIMD: shifts by an immediate that keep the width of lanes. immh:immb
 * is the width of a lane, by its highest bit, and the count: left, as it is;
 * right, what is missing to twice the width. C7.2. */
#include "guest/aarch64/simd.h"

struct shift {
	enum ir_type lane;
	unsigned width, left, right;
};

static struct shift
shift_of(const struct lifter *l)
{
	unsigned imm = (unsigned)l->insn.imm, log2 = 31 - (unsigned)__builtin_clz(imm >> 3);
	unsigned width = 8u << log2;

	return (struct shift){ a64_lane(log2), width, imm - width, 2 * width - imm };
}

/* a: IR_LANE_SIGNED, IR_LANE_ROUND; b: enum a64_v_accumulation. Rounded: the bit
 * that goes out last is added. */
LIFTER(a64_v_shift_right)
{
	struct shift s = shift_of(l);
	ir_ref x = a64_v_source(l, l->insn.rn, s.lane), bit;
	ir_ref value = a64_v_shift_by(l, a & IR_LANE_SIGNED ? IR_VASHR : IR_VLSHR, s.lane, x, s.right);

	if (a & IR_LANE_ROUND) {
		bit = a64_v_shift_by(l, IR_VLSHR, s.lane, x, s.right - 1);
		bit = a64_v_op(l, IR_VAND, 0, bit, a64_v_splat(l, a64_type_of(l, x), s.lane, 1), 0);
		value = a64_v_op(l, IR_VADD, s.lane, value, bit, 0);
	}
	a64_v_set(l, a64_v_accumulated(l, b, s.lane, b == VA_NONE ? 0 : a64_v_source(l, l->insn.rd, s.lane), value));
}

LIFTER(a64_v_shift_left)
{
	struct shift s = shift_of(l);

	(void)a, (void)b;
	a64_v_set(l, a64_v_shift_by(l, IR_VSHL, s.lane, a64_v_source(l, l->insn.rn, s.lane), s.left));
}

/* SRI, SLI: the bits that nothing is shifted into stay. a: right. */
LIFTER(a64_v_shift_insert)
{
	struct shift s = shift_of(l);
	ir_ref x = a64_v_source(l, l->insn.rn, s.lane), old = a64_v_source(l, l->insn.rd, s.lane);
	uint64_t ones = UINT64_MAX >> (64 - s.width);
	uint64_t mask = a ? (s.right == s.width ? 0 : ones >> s.right) : ones << s.left & ones;
	ir_ref value = a64_v_shift_by(l, a ? IR_VLSHR : IR_VSHL, s.lane, x, a ? s.right : s.left);

	(void)b;
	old = a64_v_op(l, IR_VANDN, 0, old, a64_v_splat(l, a64_type_of(l, x), s.lane, mask), 0);
	a64_v_set(l, a64_v_op(l, IR_VOR, 0, value, old, 0));
}

/* a: IR_LANE_SIGNED; b: from signed to unsigned. There what is negative gives 0
 * and counts as saturated. */
LIFTER(a64_v_shift_saturating)
{
	struct shift s = shift_of(l);
	ir_ref x = a64_v_source(l, l->insn.rn, s.lane), zero, negative;
	ir_ref count = a64_v_splat(l, a64_type_of(l, x), s.lane, s.left);

	if (b) {
		zero = a64_v_zero(l, a64_type_of(l, x));
		negative = a64_v_op(l, IR_VCMPGT, s.lane, zero, x, 0);
		a64_saturated(l, negative);
		x = a64_v_op(l, IR_VANDN, 0, x, negative, 0);
	}
	a64_saturated(l, a64_v_op(l, IR_VSHIFT, s.lane | (a & IR_LANE_SIGNED) | IR_LANE_OVERFLOW, x, count, 0));
	a64_v_set(l, a64_v_op(l, IR_VSHIFT, s.lane | (a & IR_LANE_SIGNED) | IR_LANE_SATURATE, x, count, 0));
}

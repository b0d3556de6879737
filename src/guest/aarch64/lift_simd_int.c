/* Advanced SIMD on integers: lanes that keep their width. C7.2. */
#include "guest/aarch64/simd.h"

static enum ir_type
lane_of(const struct lifter *l)
{
	return a64_lane(l->insn.size);
}

/* Scalars that are there in 64 bits only have no size field. */
static enum ir_type
lane_or_64(const struct lifter *l)
{
	return a64_lane(l->insn.bits >> 22 & 3);
}

/* ---- two operands ------------------------------------------------------- */

/* a: the op; b: IR_LANE_* bits. */
LIFTER(a64_v_binary)
{
	enum ir_type lane = lane_or_64(l);
	ir_ref x = a64_v_source(l, l->insn.rn, lane), y = a64_v_second(l, lane);

	a64_v_set(l, a64_v_op(l, (enum ir_op)a, lane | b, x, y, 0));
}

/* a: the saturating op; b: the wrapping one. */
LIFTER(a64_v_saturating)
{
	enum ir_type lane = lane_of(l);
	ir_ref x = a64_v_source(l, l->insn.rn, lane), y = a64_v_second(l, lane);
	ir_ref value = a64_v_op(l, (enum ir_op)a, lane, x, y, 0);

	a64_saturated_where(l, value, a64_v_op(l, (enum ir_op)b, lane, x, y, 0));
	a64_v_set(l, value);
}

/* Vd plus or minus the op's result. a: the op; b: IR_LANE_* bits, or
 * VA_SUBTRACT. */
LIFTER(a64_v_accumulate)
{
	enum ir_type lane = lane_of(l);
	ir_ref x = a64_v_source(l, l->insn.rn, lane), y = a64_v_second(l, lane);
	ir_ref old = a64_v_source(l, l->insn.rd, lane);
	ir_ref value = a64_v_op(l, (enum ir_op)a, lane | (b & IR_LANE_SIGNED), x, y, 0);

	a64_v_set(l, a64_v_accumulated(l, b == VA_SUBTRACT ? VA_SUBTRACT : VA_ADD, lane, old, value));
}

/* Pairs of neighbours of Vn, then of Vm. a: the op. */
LIFTER(a64_v_pairwise)
{
	enum ir_type lane = lane_of(l);
	ir_ref x = a64_v_source(l, l->insn.rn, lane), y = a64_v_source(l, l->insn.rm, lane);
	ir_ref even = a64_v_op(l, IR_VEVEN, lane, x, y, 0), odd = a64_v_op(l, IR_VODD, lane, x, y, 0);

	(void)b;
	a64_v_set(l, a64_v_op(l, (enum ir_op)a, lane, even, odd, 0));
}

static ir_ref
compare(struct lifter *l, enum a64_v_condition how, enum ir_type lane, ir_ref x, ir_ref y)
{
	ir_ref less;

	switch (how) {
	case VC_GT:
		return a64_v_op(l, IR_VCMPGT, lane, x, y, 0);
	case VC_LT:
		return a64_v_op(l, IR_VCMPGT, lane, y, x, 0);
	case VC_HI:
		return a64_v_op(l, IR_VCMPGTU, lane, x, y, 0);
	case VC_EQ:
		return a64_v_op(l, IR_VCMPEQ, lane, x, y, 0);
	case VC_GE:
		less = a64_v_op(l, IR_VCMPGT, lane, y, x, 0);
		return a64_v_op(l, IR_VNOT, 0, less, 0, 0);
	case VC_LE:
		less = a64_v_op(l, IR_VCMPGT, lane, x, y, 0);
		return a64_v_op(l, IR_VNOT, 0, less, 0, 0);
	case VC_HS:
		less = a64_v_op(l, IR_VCMPGTU, lane, y, x, 0);
		return a64_v_op(l, IR_VNOT, 0, less, 0, 0);
	}
	return x;
}

/* a: the comparison; b: with zero. */
LIFTER(a64_v_compare)
{
	enum ir_type lane = lane_or_64(l);
	ir_ref x = a64_v_source(l, l->insn.rn, lane);
	ir_ref y = b ? a64_v_zero(l, a64_type_of(l, x)) : a64_v_second(l, lane);

	a64_v_set(l, compare(l, (enum a64_v_condition)a, lane, x, y));
}

/* CMTST: all ones where the lanes have a bit in common. */
LIFTER(a64_v_test)
{
	enum ir_type lane = lane_or_64(l);
	ir_ref x = a64_v_source(l, l->insn.rn, lane), y = a64_v_second(l, lane);
	ir_ref both = a64_v_op(l, IR_VAND, 0, x, y, 0);
	ir_ref none = a64_v_op(l, IR_VCMPEQ, lane, both, a64_v_zero(l, a64_type_of(l, x)), 0);

	(void)a, (void)b;
	a64_v_set(l, a64_v_op(l, IR_VNOT, 0, none, 0, 0));
}

/* a: enum a64_v_bitwise. */
LIFTER(a64_v_bits)
{
	ir_ref x = a64_v_source(l, l->insn.rn, IR_I8), y = a64_v_source(l, l->insn.rm, IR_I8), value = 0;

	(void)b;
	switch ((enum a64_v_bitwise)a) {
	case VB_AND:
		value = a64_v_op(l, IR_VAND, 0, x, y, 0);
		break;
	case VB_BIC:
		value = a64_v_op(l, IR_VANDN, 0, x, y, 0);
		break;
	case VB_ORR: /* of a register with itself: mov */
		value = l->insn.rn == l->insn.rm ? x : a64_v_op(l, IR_VOR, 0, x, y, 0);
		break;
	case VB_ORN:
		value = a64_v_op(l, IR_VOR, 0, x, a64_v_op(l, IR_VNOT, 0, y, 0, 0), 0);
		break;
	case VB_EOR:
		value = a64_v_op(l, IR_VXOR, 0, x, y, 0);
		break;
	case VB_BSL:
		value = a64_v_op(l, IR_VBSL, 0, a64_v_source(l, l->insn.rd, IR_I8), x, y);
		break;
	case VB_BIT:
		value = a64_v_op(l, IR_VBSL, 0, y, x, a64_v_source(l, l->insn.rd, IR_I8));
		break;
	case VB_BIF:
		value = a64_v_op(l, IR_VBSL, 0, y, a64_v_source(l, l->insn.rd, IR_I8), x);
		break;
	}
	a64_v_set(l, value);
}

/* Shifts by Vm's lanes. a: IR_LANE_* bits. */
LIFTER(a64_v_shift)
{
	enum ir_type lane = lane_or_64(l);
	ir_ref x = a64_v_source(l, l->insn.rn, lane), y = a64_v_source(l, l->insn.rm, lane);

	(void)b;
	if (a & IR_LANE_SATURATE)
		a64_saturated(l, a64_v_op(l, IR_VSHIFT, lane | (a & ~(unsigned)IR_LANE_SATURATE) | IR_LANE_OVERFLOW, x, y, 0));
	a64_v_set(l, a64_v_op(l, IR_VSHIFT, lane | a, x, y, 0));
}

/* SQDMULH, SQRDMULH saturate in one case: both operands the smallest number. a:
 * IR_LANE_ROUND. */
LIFTER(a64_v_sqdmulh)
{
	enum ir_type lane = lane_of(l);
	ir_ref x = a64_v_source(l, l->insn.rn, lane), y = a64_v_second(l, lane);
	ir_ref least = a64_v_splat(l, a64_type_of(l, x), lane, 1ull << (ir_type_bits(lane) - 1));
	ir_ref x_least = a64_v_op(l, IR_VCMPEQ, lane, x, least, 0), y_least = a64_v_op(l, IR_VCMPEQ, lane, y, least, 0);

	(void)b;
	a64_saturated(l, a64_v_op(l, IR_VAND, 0, x_least, y_least, 0));
	a64_v_set(l, a64_v_op(l, IR_VQDMULH, lane | a, x, y, 0));
}

/* a: IR_LANE_SUBTRACT. */
LIFTER(a64_v_sqrdmlah)
{
	enum ir_type lane = lane_of(l);
	ir_ref x = a64_v_source(l, l->insn.rn, lane), y = a64_v_second(l, lane);
	ir_ref old = a64_v_source(l, l->insn.rd, lane);

	(void)b;
	a64_saturated(l, a64_v_op(l, IR_VQRDMLAH, lane | a | IR_LANE_OVERFLOW, old, x, y));
	a64_v_set(l, a64_v_op(l, IR_VQRDMLAH, lane | a, old, x, y));
}

/* a: IR_LANE_SIGNED. */
LIFTER(a64_v_dot)
{
	ir_ref x = a64_v_source(l, l->insn.rn, IR_I8), y = a64_v_second(l, IR_I32);
	ir_ref old = a64_v_source(l, l->insn.rd, IR_I32);

	(void)b;
	a64_v_set(l, a64_v_op(l, IR_VDOT, IR_I8 | a, old, x, y));
}

/* ---- one operand -------------------------------------------------------- */

/* a: the op. */
LIFTER(a64_v_unary)
{
	enum ir_type lane = lane_or_64(l);

	(void)b;
	a64_v_set(l, a64_v_op(l, (enum ir_op)a, lane, a64_v_source(l, l->insn.rn, lane), 0, 0));
}

/* The same, of bytes whatever the size field says. */
LIFTER(a64_v_unary_bytes)
{
	(void)b;
	a64_v_set(l, a64_v_op(l, (enum ir_op)a, IR_I8, a64_v_source(l, l->insn.rn, IR_I8), 0, 0));
}

/* a: VRECPE or VRSQRTE. */
LIFTER(a64_v_estimate)
{
	(void)b;
	a64_v_set(l, a64_v_op(l, (enum ir_op)a, IR_I32, a64_v_source(l, l->insn.rn, IR_I32), 0, 0));
}

/* Leading bits like the sign, without it: those that are zero once each bit is
 * compared with its neighbour. */
LIFTER(a64_v_cls)
{
	enum ir_type lane = lane_of(l);
	ir_ref x = a64_v_source(l, l->insn.rn, lane);
	ir_ref differs = a64_v_op(l, IR_VXOR, 0, x, a64_v_shift_by(l, IR_VASHR, lane, x, 1), 0);
	ir_ref count = a64_v_op(l, IR_VCLZ, lane, differs, 0, 0);

	(void)a, (void)b;
	a64_v_set(l, a64_v_op(l, IR_VSUB, lane, count, a64_v_splat(l, a64_type_of(l, x), lane, 1), 0));
}

/* a: bytes of the group. */
LIFTER(a64_v_reverse)
{
	(void)b;
	a64_v_set(l, a64_v_op(l, IR_VREV, lane_of(l), a64_v_source(l, l->insn.rn, IR_I8), 0, a));
}

/* The smallest number, whose absolute value is out of range as a signed one,
 * gives the largest. */
LIFTER(a64_v_sqabs)
{
	enum ir_type lane = lane_of(l);
	ir_ref x = a64_v_source(l, l->insn.rn, lane), absolute = a64_v_op(l, IR_VABS, lane, x, 0, 0);
	ir_ref most = a64_v_splat(l, a64_type_of(l, x), lane, (1ull << (ir_type_bits(lane) - 1)) - 1);
	ir_ref value = a64_v_op(l, IR_VUMIN, lane, absolute, most, 0);

	(void)a, (void)b;
	a64_saturated_where(l, value, absolute);
	a64_v_set(l, value);
}

LIFTER(a64_v_sqneg)
{
	enum ir_type lane = lane_of(l);
	ir_ref x = a64_v_source(l, l->insn.rn, lane);
	ir_ref value = a64_v_op(l, IR_VSUBS, lane, a64_v_zero(l, a64_type_of(l, x)), x, 0);

	(void)a, (void)b;
	a64_saturated_where(l, value, a64_v_op(l, IR_VNEG, lane, x, 0, 0));
	a64_v_set(l, value);
}

/* Signed Vd plus unsigned Vn, saturated as signed: with the sign bit of Vd flipped
 * it is an unsigned sum that saturates in the same place. */
LIFTER(a64_v_suqadd)
{
	enum ir_type lane = lane_of(l);
	ir_ref x = a64_v_source(l, l->insn.rn, lane), old = a64_v_source(l, l->insn.rd, lane);
	ir_ref sign = a64_v_splat(l, a64_type_of(l, x), lane, 1ull << (ir_type_bits(lane) - 1));
	ir_ref moved = a64_v_op(l, IR_VADDU, lane, a64_v_op(l, IR_VXOR, 0, old, sign, 0), x, 0);
	ir_ref value = a64_v_op(l, IR_VXOR, 0, moved, sign, 0), wrapped = a64_v_op(l, IR_VADD, lane, old, x, 0);

	(void)a, (void)b;
	a64_saturated_where(l, value, wrapped);
	a64_v_set(l, value);
}

/* Unsigned Vd plus signed Vn, saturated as unsigned: what is positive of Vn is
 * added, what is negative subtracted. */
LIFTER(a64_v_usqadd)
{
	enum ir_type lane = lane_of(l);
	ir_ref x = a64_v_source(l, l->insn.rn, lane), old = a64_v_source(l, l->insn.rd, lane);
	ir_ref negative = a64_v_op(l, IR_VCMPGT, lane, a64_v_zero(l, a64_type_of(l, x)), x, 0);
	ir_ref minus = a64_v_op(l, IR_VAND, 0, a64_v_op(l, IR_VNEG, lane, x, 0, 0), negative, 0);
	ir_ref plus = a64_v_op(l, IR_VANDN, 0, x, negative, 0);
	ir_ref value = a64_v_op(l, IR_VADDU, lane, old, plus, 0);

	(void)a, (void)b;
	value = a64_v_op(l, IR_VSUBU, lane, value, minus, 0);
	a64_saturated_where(l, value, a64_v_op(l, IR_VADD, lane, old, x, 0));
	a64_v_set(l, value);
}

/* ---- across lanes ------------------------------------------------------- */

/* a: enum ir_reduce. */
LIFTER(a64_v_across)
{
	enum ir_type lane = lane_of(l);
	ir_ref x = a64_v_source(l, l->insn.rn, lane);

	(void)b;
	a64_v_set(l, ir_emit(&l->b, IR_VREDUCE, lane, IR_REDUCE(lane, a), x, 0, 0));
}

/* SADDLV, UADDLV: pairs first, whose sums have room; so has then the whole. a:
 * IR_LANE_SIGNED. */
LIFTER(a64_v_add_long_across)
{
	enum ir_type lane = lane_of(l), wide = (enum ir_type)(lane + 1);
	ir_ref x = a64_v_source(l, l->insn.rn, lane);
	ir_ref pairs = a64_v_op(l, IR_VADDLP, lane | a, x, 0, 0);

	(void)b;
	a64_v_set(l, ir_emit(&l->b, IR_VREDUCE, wide, IR_REDUCE(wide, IR_REDUCE_ADD), pairs, 0, 0));
}

LIFTER(a64_v_add_pair)
{
	ir_ref x = a64_v(l, l->insn.rn);

	(void)a, (void)b;
	a64_v_set(l, ir_emit(&l->b, IR_VREDUCE, IR_I64, IR_REDUCE(IR_I64, IR_REDUCE_ADD), x, 0, 0));
}

/* SADDLP … a: added to Vd; b: IR_LANE_SIGNED. */
LIFTER(a64_v_add_long_pairs)
{
	enum ir_type lane = lane_of(l), wide = (enum ir_type)(lane + 1);
	ir_ref value = a64_v_op(l, IR_VADDLP, lane | b, a64_v_source(l, l->insn.rn, lane), 0, 0);

	a64_v_set(l, a64_v_accumulated(l, a ? VA_ADD : VA_NONE, wide, a64_v_source(l, l->insn.rd, lane), value));
}

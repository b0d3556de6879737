/* Floating point: conversions between formats and with integers, and moves to and
 * from x registers. C7.2. */
#include "guest/aarch64/simd.h"

/* The format of a scalar's size field. */
static enum ir_type
format_of(const struct lifter *l)
{
	return l->insn.size == 3 ? IR_F16 : l->insn.size ? IR_F64 : IR_F32;
}

static enum ir_type
integer_of(const struct lifter *l)
{
	return l->insn.option ? IR_I64 : IR_I32;
}

/* ---- with x registers --------------------------------------------------- */

static void
to_integer(struct lifter *l, enum ir_round round, unsigned is_signed, unsigned scale)
{
	enum ir_type from = format_of(l);
	unsigned variant = IR_F2I_ARM | (is_signed ? IR_F2I_SIGNED : 0);
	ir_ref x = a64_v_scalar(l, from, l->insn.rn);

	a64_set(l, l->insn.rd,
		ir_emit(&l->b, scale ? IR_F2X : IR_F2I, integer_of(l), a64_fp_aux(l, round, from == IR_F16, variant), x, 0,
			scale));
}

/* a: the rounding mode; b: signed. */
LIFTER(a64_fp_to_int)
{
	to_integer(l, (enum ir_round)a, b, 0);
}

/* a: signed. The field is 64 less the bits of fraction. */
LIFTER(a64_fp_to_fixed)
{
	(void)b;
	to_integer(l, IR_RTZ, a, 64 - (unsigned)l->insn.imm);
}

/* a: signed; b: with bits of fraction. */
LIFTER(a64_fp_from_int)
{
	enum ir_type to = format_of(l);
	unsigned scale = b ? 64 - (unsigned)l->insn.imm : 0;
	ir_ref x = ir_trunc(&l->b, integer_of(l), a64_x(l, l->insn.rn));

	a64_v_set(l, ir_emit(&l->b, scale ? IR_X2F : IR_I2F, to,
			     a64_fp_aux(l, IR_RDYN, to == IR_F16, a ? IR_I2F_SIGNED : 0), x, 0, scale));
}

/* a: the integer type; b: the upper half of the register. */
LIFTER(a64_fmov_to_x)
{
	ir_ref x;

	if (b)
		x = ir_emit(&l->b, IR_VEXTRACT, IR_I64, IR_I64, a64_v(l, l->insn.rn), 0, 1);
	else
		x = ir_bitcast(&l->b, (enum ir_type)a, a64_v_scalar(l, a64_lane_as_float((enum ir_type)a), l->insn.rn));
	a64_set(l, l->insn.rd, x);
}

LIFTER(a64_fmov_from_x)
{
	ir_ref x = ir_trunc(&l->b, (enum ir_type)a, a64_x(l, l->insn.rn));

	if (b)
		x = ir_emit(&l->b, IR_VINSERT, IR_V128, IR_I64, a64_v(l, l->insn.rd), x, 1);
	else
		x = ir_bitcast(&l->b, a64_lane_as_float((enum ir_type)a), x);
	a64_v_set(l, x);
}

/* FJCVTZS: modulo 2^32; Z says whether the result, converted back, is the very
 * operand, which -0 and what is flushed are not. */
LIFTER(a64_fjcvtzs)
{
	unsigned aux = a64_fp_aux(l, IR_RTZ, false, IR_F2I_MODULAR | IR_F2I_SIGNED);
	ir_ref x = a64_v_scalar(l, IR_F64, l->insn.rn);
	ir_ref r = ir_emit(&l->b, IR_F2I, IR_I32, aux, x, 0, 0);
	ir_ref back = ir_emit(&l->b, IR_I2F, IR_F64, a64_fp_aux(l, IR_RNE, false, IR_I2F_SIGNED), r, 0, 0);
	ir_ref same = ir_icmp(&l->b, IR_I64, IR_EQ, ir_bitcast(&l->b, IR_I64, back), ir_bitcast(&l->b, IR_I64, x));
	ir_ref z = ir_const(&l->b, IR_FLAGS, IR_FLAG_Z | IR_FLAG_C_NOT_BORROW);
	ir_ref none = ir_const(&l->b, IR_FLAGS, IR_FLAG_C_NOT_BORROW);

	(void)a, (void)b;
	ir_set(&l->b, AARCH64_NZCV, ir_fold(&l->b, IR_FLAGS_SELECT, IR_FLAGS, 0, same, z, none));
	a64_set(l, l->insn.rd, r);
}

/* ---- between formats ---------------------------------------------------- */

/* Conversions obey FZ alone, whatever the formats, and AHP. */
static unsigned
convert_aux(const struct lifter *l, enum ir_round round)
{
	return a64_fp_aux(l, round, false, l->mode & AARCH64_MODE_AHP ? IR_FCVT_ALTERNATIVE : 0);
}

/* a: the format to; b: from. */
LIFTER(a64_fp_convert)
{
	ir_ref x = a64_v_scalar(l, (enum ir_type)b, l->insn.rn);

	a64_v_set(l, ir_emit(&l->b, IR_FCVT, (enum ir_type)a, convert_aux(l, IR_RDYN), x, 0, 0));
}

/* FCVTN, FCVTXN: f32 to f16, or f64 to f32 if size. a: the rounding mode; FCVTXN
 * has no size. */
LIFTER(a64_fp_narrow)
{
	enum ir_type from = a == IR_ROD || l->insn.size ? IR_F64 : IR_F32;
	unsigned aux = convert_aux(l, (enum ir_round)a);

	(void)b;
	if (a64_is_scalar(l))
		a64_v_set(l, ir_emit(&l->b, IR_FCVT, IR_F32, aux, a64_v_scalar(l, IR_F64, l->insn.rn), 0, 0));
	else
		a64_v_set_half(l, ir_emit(&l->b, IR_VFNARROW, IR_V64, aux | IR_VFP(from, 0, 0, 0, 0),
					  a64_v(l, l->insn.rn), 0, 0));
}

LIFTER(a64_fp_widen)
{
	enum ir_type from = l->insn.size ? IR_F32 : IR_F16;
	ir_ref x = a64_v_half(l, l->insn.rn, IR_I64);

	(void)a, (void)b;
	a64_v_set(l, ir_emit(&l->b, IR_VFWIDEN, IR_V128, convert_aux(l, IR_RDYN) | IR_VFP(from, 0, 0, 0, 0), x, 0, 0));
}

/* ---- in v registers ----------------------------------------------------- */

/* To or from integers of the lane's width, of a scalar or of lanes. */
static void
convert_lanes(struct lifter *l, enum ir_type lane, bool to_int, enum ir_round round, unsigned variant, unsigned scale)
{
	unsigned aux = a64_fp_aux(l, round, lane == IR_F16, variant);
	enum ir_type integer = a64_lane_as_int(lane);
	ir_ref x;

	if (!a64_is_scalar(l)) {
		x = a64_v_source(l, l->insn.rn, integer);
		x = a64_v_op(l, to_int ? IR_VF2I : IR_VI2F, aux | IR_VFP(lane, 0, 0, 0, 0), x, 0, scale);
	} else if (to_int) {
		x = ir_emit(&l->b, scale ? IR_F2X : IR_F2I, integer, aux, a64_v_scalar(l, lane, l->insn.rn), 0, scale);
	} else {
		x = ir_emit(&l->b, scale ? IR_X2F : IR_I2F, lane, aux, a64_v_scalar(l, integer, l->insn.rn), 0, scale);
	}
	a64_v_set(l, x);
}

static enum ir_type
lane_of(const struct lifter *l, unsigned b)
{
	return b & VF_HALF ? IR_F16 : l->insn.size ? IR_F64 : IR_F32;
}

/* a: the rounding mode; b: IR_F2I_SIGNED, VF_HALF. */
LIFTER(a64_fp_lanes_to_int)
{
	convert_lanes(l, lane_of(l, b), true, (enum ir_round)a, IR_F2I_ARM | (b & IR_F2I_SIGNED), 0);
}

/* a: IR_I2F_SIGNED; b: VF_HALF. */
LIFTER(a64_fp_lanes_from_int)
{
	convert_lanes(l, lane_of(l, b), false, IR_RDYN, a, 0);
}

/* immh:immb is twice the width of a lane less the bits of fraction. */
static unsigned
fraction(const struct lifter *l, enum ir_type *lane)
{
	unsigned imm = (unsigned)l->insn.imm, log2 = 31 - (unsigned)__builtin_clz(imm >> 3);

	*lane = a64_lane_as_float(a64_lane(log2));
	return (16u << log2) - imm;
}

/* a: IR_F2I_SIGNED. */
LIFTER(a64_fp_lanes_to_fixed)
{
	enum ir_type lane;
	unsigned scale = fraction(l, &lane);

	(void)b;
	convert_lanes(l, lane, true, IR_RTZ, IR_F2I_ARM | a, scale);
}

/* a: IR_I2F_SIGNED. */
LIFTER(a64_fp_lanes_from_fixed)
{
	enum ir_type lane;
	unsigned scale = fraction(l, &lane);

	(void)b;
	convert_lanes(l, lane, false, IR_RDYN, a, scale);
}

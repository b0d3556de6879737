/* Floating point, scalar and on lanes: arithmetic, comparison, selection. C7.2.
 *
 * One lifter serves the three encodings of an operation: of scalars, of vectors,
 * and of scalars in the vector groups. What each works on is its `form`.
 */
#include "guest/aarch64/simd.h"

struct form {
	enum ir_type lane; /* f16 f32 f64 */
	enum ir_type type; /* the lane of a scalar, else v64 or v128 */
	bool scalar;
};

/* b: VF_HALF. The format of the scalar groups (bit 30 clear) is in the size field,
 * 3 for half. */
static struct form
form_of(const struct lifter *l, unsigned b)
{
	struct form f = { .lane = l->insn.size & 1 ? IR_F64 : IR_F32, .scalar = a64_is_scalar(l) };

	if (b & VF_HALF || (f.scalar && !(l->insn.bits >> 30 & 1) && l->insn.size == 3))
		f.lane = IR_F16;
	f.type = f.scalar ? f.lane : a64_shape(l);
	return f;
}

static ir_ref
value_of(struct lifter *l, struct form f, unsigned reg)
{
	return f.scalar ? a64_v_scalar(l, f.lane, reg) : a64_v_source(l, reg, a64_lane_as_int(f.lane));
}

/* Vm, or the element of it. */
static ir_ref
second_of(struct lifter *l, struct form f)
{
	unsigned reg, number;

	if (!f.scalar)
		return a64_v_second(l, a64_lane_as_int(f.lane));
	if (!(l->insn.bits >> 30 & 1) || !a64_is_by_element(l))
		return value_of(l, f, l->insn.rm);
	number = a64_element(l, a64_lane_as_int(f.lane), &reg);
	return ir_emit(&l->b, IR_VEXTRACT, f.lane, f.lane, a64_v(l, reg), 0, number);
}

/* The op on lanes that does what op does on scalars. */
static enum ir_op
on_lanes(enum ir_op op)
{
	static const uint8_t lanes[IR_OP_COUNT] = {
		[IR_FADD] = IR_VFADD, [IR_FSUB] = IR_VFSUB, [IR_FMUL] = IR_VFMUL, [IR_FDIV] = IR_VFDIV,
		[IR_FSQRT] = IR_VFSQRT, [IR_FMA] = IR_VFMA, [IR_FMIN] = IR_VFMIN, [IR_FMAX] = IR_VFMAX,
		[IR_FRINT] = IR_VFRINT, [IR_FMULX] = IR_VFMULX, [IR_FRECPE] = IR_VFRECPE,
		[IR_FRSQRTE] = IR_VFRSQRTE, [IR_FRECPS] = IR_VFRECPS, [IR_FRSQRTS] = IR_VFRSQRTS,
	};

	return (enum ir_op)lanes[op];
}

static unsigned
aux_of(const struct lifter *l, struct form f, enum ir_round round, unsigned variant)
{
	unsigned aux = a64_fp_aux(l, round, f.lane == IR_F16, variant & 0xff);

	return f.scalar ? aux : aux | IR_VFP(f.lane, 0, 0, 0, 0);
}

static ir_ref
arithmetic(struct lifter *l, struct form f, enum ir_op op, enum ir_round round, unsigned variant, ir_ref x, ir_ref y,
	   ir_ref z)
{
	return ir_emit(&l->b, f.scalar ? op : on_lanes(op), f.type, aux_of(l, f, round, variant), x, y, z);
}

/* The sign bits of a form's lanes, or all others, as a vector. */
static ir_ref
sign_mask(struct lifter *l, struct form f, bool others)
{
	uint64_t sign = 1ull << (ir_type_bits(f.lane) - 1);

	return a64_v_splat(l, f.type, a64_lane_as_int(f.lane), others ? sign - 1 : sign);
}

static ir_ref
negated(struct lifter *l, struct form f, ir_ref x)
{
	if (f.scalar)
		return ir_fold(&l->b, IR_FNEG, f.lane, 0, x, 0, 0);
	return a64_v_op(l, IR_VXOR, 0, x, sign_mask(l, f, false), 0);
}

static ir_ref
absolute(struct lifter *l, struct form f, ir_ref x)
{
	if (f.scalar)
		return ir_fold(&l->b, IR_FABS, f.lane, 0, x, 0, 0);
	return a64_v_op(l, IR_VAND, 0, x, sign_mask(l, f, true), 0);
}

/* ---- arithmetic --------------------------------------------------------- */

/* a: the op on scalars, of one or two operands; b: its variant, VF_HALF. */
LIFTER(a64_fp)
{
	struct form f = form_of(l, b);
	ir_ref x = value_of(l, f, l->insn.rn);

	switch (a) {
	case IR_COPY:
		break;
	case IR_FNEG:
		x = negated(l, f, x);
		break;
	case IR_FABS:
		x = absolute(l, f, x);
		break;
	default:
		x = arithmetic(l, f, (enum ir_op)a, IR_RDYN, b, x, ir_op_info[a].operands[1] == '=' ? second_of(l, f) : 0, 0);
		break;
	}
	a64_v_set(l, x);
}

/* The negative of a product, of a NaN too. */
LIFTER(a64_fp_nmul)
{
	struct form f = form_of(l, 0);
	ir_ref x = value_of(l, f, l->insn.rn), y = value_of(l, f, l->insn.rm);

	(void)a, (void)b;
	a64_v_set(l, negated(l, f, arithmetic(l, f, IR_FMUL, IR_RDYN, 0, x, y, 0)));
}

/* FABD: the difference without its sign, of a NaN too. b: VF_HALF. */
LIFTER(a64_fp_difference)
{
	struct form f = form_of(l, b);
	ir_ref x = value_of(l, f, l->insn.rn), y = second_of(l, f);

	(void)a;
	a64_v_set(l, absolute(l, f, arithmetic(l, f, IR_FSUB, IR_RDYN, 0, x, y, 0)));
}

/* FMADD … a: enum ir_fma_variant. */
LIFTER(a64_fp_fma)
{
	struct form f = form_of(l, 0);
	ir_ref x = value_of(l, f, l->insn.rn), y = value_of(l, f, l->insn.rm), z = value_of(l, f, l->insn.ra);

	(void)b;
	a64_v_set(l, arithmetic(l, f, IR_FMA, IR_RDYN, a, x, y, z));
}

/* FMLA, FMLS: to Vd. a: enum ir_fma_variant; b: VF_HALF. */
LIFTER(a64_fp_accumulate)
{
	struct form f = form_of(l, b);
	ir_ref x = value_of(l, f, l->insn.rn), y = second_of(l, f), z = value_of(l, f, l->insn.rd);

	a64_v_set(l, arithmetic(l, f, IR_FMA, IR_RDYN, a, x, y, z));
}

/* Halves of a v64, flushed if FZ16 says so, as singles. A signaling NaN stays one,
 * for the operation to see. */
static ir_ref
halves_as_singles(struct lifter *l, ir_ref x)
{
	ir_ref magnitude = a64_v_op(l, IR_VAND, 0, x, a64_v_splat(l, IR_V64, IR_I16, 0x7fff), 0), part, quiet;

	if (l->mode & AARCH64_MODE_FZ16) {
		part = a64_v_op(l, IR_VCMPGTU, IR_I16, a64_v_splat(l, IR_V64, IR_I16, 0x0400), magnitude, 0);
		part = a64_v_op(l, IR_VAND, 0, part, a64_v_splat(l, IR_V64, IR_I16, 0x7fff), 0);
		x = a64_v_op(l, IR_VANDN, 0, x, part, 0);
	}
	part = a64_v_op(l, IR_VCMPGTU, IR_I16, magnitude, a64_v_splat(l, IR_V64, IR_I16, 0x7c00), 0);
	quiet = a64_v_op(l, IR_VCMPGTU, IR_I16, magnitude, a64_v_splat(l, IR_V64, IR_I16, 0x7dff), 0);
	part = a64_v_op(l, IR_VANDN, 0, part, quiet, 0);
	part = ir_emit(&l->b, IR_VSXTL, IR_V128, IR_I16, part, 0, 0);
	part = a64_v_op(l, IR_VAND, 0, part, a64_v_splat(l, IR_V128, IR_I32, 1u << 22), 0);
	x = ir_emit(&l->b, IR_VFWIDEN, IR_V128, IR_VFP(IR_F16, IR_RNE, IR_NAN_ARM, IR_FP_NOFLAGS, 0), x, 0, 0);
	return a64_v_op(l, IR_VANDN, 0, x, part, 0);
}

/* FMLAL, FMLSL: half-precision factors, of the low or the high half of what the
 * instruction has of them, exactly multiplied. a: enum ir_fma_variant; b: high
 * half. */
LIFTER(a64_fp_fmlal)
{
	struct form f = { .lane = IR_F32, .type = a64_shape(l) };
	unsigned reg, number;
	ir_ref operand[2];

	for (unsigned i = 0; i < 2; i++) {
		unsigned from = i ? l->insn.rm : l->insn.rn;
		ir_ref x;

		if (i && a64_is_by_element(l)) {
			number = a64_element(l, IR_I16, &reg);
			x = ir_emit(&l->b, IR_VDUP, IR_V64, IR_I16, a64_v(l, reg), 0, number);
		} else if (l->insn.q) {
			x = b ? a64_v_high(l, from) : a64_v_low(l, from);
		} else { /* 32 bits */
			x = ir_emit(&l->b, IR_VDUP, IR_V64, IR_I32, a64_v(l, from), 0, b);
		}
		x = halves_as_singles(l, x);
		operand[i] = l->insn.q ? x : ir_emit(&l->b, IR_VRESIZE, IR_V64, 0, x, 0, 0);
	}
	a64_v_set(l, arithmetic(l, f, IR_FMA, IR_RDYN, a, operand[0], operand[1], value_of(l, f, l->insn.rd)));
}

/* FRINT… a: the rounding mode; b: enum ir_frint_variant, VF_HALF. */
LIFTER(a64_fp_round)
{
	struct form f = form_of(l, b);

	a64_v_set(l, arithmetic(l, f, IR_FRINT, (enum ir_round)a, b, value_of(l, f, l->insn.rn), 0, 0));
}

/* ---- pairs and all lanes: a the op, b its variant, VF_HALF -------------- */

LIFTER(a64_fp_pairwise)
{
	struct form f = form_of(l, b);
	ir_ref x = value_of(l, f, l->insn.rn), y = value_of(l, f, l->insn.rm);
	ir_ref even = a64_v_op(l, IR_VEVEN, f.lane, x, y, 0), odd = a64_v_op(l, IR_VODD, f.lane, x, y, 0);

	a64_v_set(l, arithmetic(l, f, (enum ir_op)a, IR_RDYN, b, even, odd, 0));
}

/* The lanes from first on, n of them, by halves (the manual's Reduce). */
static ir_ref
reduced(struct lifter *l, struct form f, enum ir_op op, unsigned variant, unsigned first, unsigned n)
{
	ir_ref x, y;

	if (n == 1)
		return ir_emit(&l->b, IR_VEXTRACT, f.lane, f.lane, a64_v(l, l->insn.rn), 0, first);
	x = reduced(l, f, op, variant, first, n / 2);
	y = reduced(l, f, op, variant, first + n / 2, n / 2);
	return arithmetic(l, f, op, IR_RDYN, variant, x, y, 0);
}

/* FMAXV …: as a scalar from the lanes of a vector. */
LIFTER(a64_fp_across)
{
	struct form f = form_of(l, b);
	unsigned lanes = (l->insn.q || f.lane == IR_F32 ? 128 : 64) / ir_type_bits(f.lane);

	f.scalar = true;
	f.type = f.lane;
	a64_v_set(l, reduced(l, f, (enum ir_op)a, b, 0, lanes));
}

/* The same of a pair. */
LIFTER(a64_fp_pair)
{
	a64_v_set(l, reduced(l, form_of(l, b), (enum ir_op)a, b, 0, 2));
}

/* ---- comparison --------------------------------------------------------- */

/* Lanes of all ones where it holds; all but equality signal quiet NaNs. a: enum
 * a64_v_condition; b: VF_ABS, VF_ZERO, VF_HALF. */
LIFTER(a64_fp_compare)
{
	struct form f = form_of(l, b);
	ir_ref x = value_of(l, f, l->insn.rn), t;
	ir_ref y = b & VF_ZERO ? ir_const(&l->b, f.type, 0) : second_of(l, f);
	unsigned variant = a == VC_EQ ? IR_FCMP_EQ : (a == VC_GT || a == VC_LT ? IR_FCMP_LT : IR_FCMP_LE) | IR_FP_SIGNALING;

	if (b & VF_ABS) {
		x = absolute(l, f, x);
		y = absolute(l, f, y);
	}
	if (a == VC_GT || a == VC_GE) {
		t = x;
		x = y;
		y = t;
	}
	if (f.scalar) {
		enum ir_type mask = a64_lane_as_int(f.lane);

		t = ir_emit(&l->b, IR_FCMP, mask, aux_of(l, f, IR_RDYN, variant), x, y, 0);
		t = ir_fold(&l->b, IR_NEG, mask, 0, t, 0, 0);
	} else {
		t = ir_emit(&l->b, IR_VFCMP, f.type, aux_of(l, f, IR_RDYN, variant), x, y, 0);
	}
	a64_v_set(l, t);
}

/* NZCV of a comparison. */
static ir_ref
flags_of(struct lifter *l, struct form f, unsigned variant, ir_ref x, ir_ref y)
{
	return ir_emit(&l->b, IR_FLAGS_FCMP, IR_FLAGS, aux_of(l, f, IR_RDYN, variant), x, y, 0);
}

/* FCMP, FCMPE. a: IR_FP_SIGNALING; b: with zero. */
LIFTER(a64_fp_flags)
{
	struct form f = form_of(l, 0);
	ir_ref x = value_of(l, f, l->insn.rn);
	ir_ref y = b ? ir_const(&l->b, f.type, 0) : value_of(l, f, l->insn.rm);

	ir_set(&l->b, AARCH64_NZCV, flags_of(l, f, a, x, y));
}

/* FCCMP: compares only if the condition holds, so that else nothing is raised: two
 * zeros raise nothing. a: IR_FP_SIGNALING. */
LIFTER(a64_fp_ccmp)
{
	struct form f = form_of(l, 0);
	ir_ref x = value_of(l, f, l->insn.rn), y = value_of(l, f, l->insn.rm), zero = ir_const(&l->b, f.type, 0);
	ir_ref met = a64_cond(l, l->insn.cond), given, flags;
	unsigned nzcv = l->insn.imm2;

	(void)b;
	x = ir_select(&l->b, met, x, zero);
	y = ir_select(&l->b, met, y, zero);
	given = ir_const(&l->b, IR_FLAGS,
			 (nzcv & 8 ? IR_FLAG_N : 0) | (nzcv & 4 ? IR_FLAG_Z : 0) | (nzcv & 2 ? IR_FLAG_C : 0) |
				 (nzcv & 1 ? IR_FLAG_V : 0) | IR_FLAG_C_NOT_BORROW);
	flags = flags_of(l, f, a, x, y);
	ir_set(&l->b, AARCH64_NZCV, ir_fold(&l->b, IR_FLAGS_SELECT, IR_FLAGS, 0, met, flags, given));
}

LIFTER(a64_fp_select)
{
	struct form f = form_of(l, 0);
	ir_ref x = value_of(l, f, l->insn.rn), y = value_of(l, f, l->insn.rm);

	(void)a, (void)b;
	a64_v_set(l, ir_select(&l->b, a64_cond(l, l->insn.cond), x, y));
}

/* ---- complex numbers: lanes in pairs, real below imaginary -------------- */

static struct form
complex_form(const struct lifter *l)
{
	return (struct form){ .lane = a64_lane_as_float(a64_lane(l->insn.size)), .type = a64_shape(l) };
}

/* x with the signs of its even or odd lanes flipped. */
static ir_ref
half_negated(struct lifter *l, struct form f, ir_ref x, bool odd)
{
	unsigned width = ir_type_bits(f.lane);
	uint64_t sign = 1ull << (width - 1);
	ir_ref mask;

	if (f.lane == IR_F64)
		mask = a64_v_const(l, odd ? 0 : sign, odd ? sign : 0);
	else
		mask = a64_v_splat(l, f.type, a64_lane_as_int((enum ir_type)(f.lane + 1)), odd ? sign << width : sign);
	return a64_v_op(l, IR_VXOR, 0, x, mask, 0);
}

/* FCADD: plus Vm turned by 90 degrees, or 270 if imm2. */
LIFTER(a64_fp_complex_add)
{
	struct form f = complex_form(l);
	ir_ref x = value_of(l, f, l->insn.rn), y = value_of(l, f, l->insn.rm);

	(void)a, (void)b;
	y = a64_v_op(l, IR_VREV, f.lane, y, 0, ir_type_bits(f.lane) / 4);
	y = half_negated(l, f, y, l->insn.imm2);
	a64_v_set(l, arithmetic(l, f, IR_FADD, IR_RDYN, 0, x, y, 0));
}

/* FCMLA: Vd plus Vm, turned by imm2 times 90 degrees, times the real part of Vn, or
 * for odd imm2 the imaginary one. */
LIFTER(a64_fp_complex_fma)
{
	struct form f = complex_form(l);
	bool imaginary = l->insn.imm2 & 1;
	ir_ref x = value_of(l, f, l->insn.rn), y, z = value_of(l, f, l->insn.rd);

	(void)a, (void)b;
	if (a64_is_by_element(l)) { /* pairs: H and L number those of f16, H those of f32 */
		unsigned low = (unsigned)l->insn.imm >> 2 & 1, middle = (unsigned)l->insn.imm >> 1 & 1;
		unsigned high = (unsigned)l->insn.imm & 1, number = f.lane == IR_F16 ? high << 1 | low : high;
		enum ir_type pair = (enum ir_type)(a64_lane_as_int(f.lane) + 1);

		y = ir_emit(&l->b, IR_VDUP, f.type, pair, a64_v(l, l->insn.rm | middle << 4), 0, number);
	} else {
		y = value_of(l, f, l->insn.rm);
	}
	x = a64_v_op(l, imaginary ? IR_VTRNODD : IR_VTRNEVEN, f.lane, x, x, 0);
	if (imaginary)
		y = a64_v_op(l, IR_VREV, f.lane, y, 0, ir_type_bits(f.lane) / 4);
	if (l->insn.imm2 == 2)
		y = negated(l, f, y);
	else if (imaginary)
		y = half_negated(l, f, y, l->insn.imm2 == 3);
	a64_v_set(l, arithmetic(l, f, IR_FMA, IR_RDYN, 0, x, y, z));
}

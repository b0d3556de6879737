/* softfloat: the rules of the ISAs that are not arithmetic. Order, minimum,
 * maximum and class against the order of the bit patterns; NaN results, flushing
 * and flags of Arm and RISC-V against vectors worked out from the manuals. */
#include "base/softfloat.h"
#include "unit/check.h"
#include "unit/softfloat_operands.h"

#include <string.h>

/* A number's place in the total order: −0 is just before +0. */
static int64_t
order_key(enum fp_format f, uint64_t a)
{
	int64_t magnitude = (int64_t)(a & (sign_of(f) - 1));

	return a & sign_of(f) ? ~magnitude : magnitude;
}

/* ---- order, minimum, maximum, class ------------------------------------- */

static void
check_compare(enum fp_format f, uint64_t a, uint64_t b)
{
	struct fp_env quiet = { 0 }, loud = { 0 };
	enum fp_relation want = FP_UNORDERED;
	bool nan = is_nan(f, a) || is_nan(f, b);
	bool signaling = is_signaling(f, a) || is_signaling(f, b);

	if (is_zero(f, a) && is_zero(f, b))
		want = FP_EQUAL;
	else if (!nan)
		want = order_key(f, a) < order_key(f, b)   ? FP_LESS
		       : order_key(f, a) > order_key(f, b) ? FP_GREATER
							   : FP_EQUAL;
	CHECK_INT(fp_compare(&quiet, f, a, b, false), want);
	CHECK_INT(quiet.flags, signaling ? FP_INVALID : 0);
	CHECK_INT(fp_compare(&loud, f, a, b, true), want);
	CHECK_INT(loud.flags, nan ? FP_INVALID : 0);
	CHECK_INT(fp_eq(&quiet, f, a, b, false), want == FP_EQUAL);
	CHECK_INT(fp_lt(&quiet, f, a, b, false), want == FP_LESS);
	CHECK_INT(fp_le(&quiet, f, a, b, false), want == FP_LESS || want == FP_EQUAL);
	CHECK_INT(fp_unordered(&quiet, f, a, b, false), nan);
}

/* Arm's FPProcessNaNs. */
static uint64_t
arm_nan(enum fp_format f, uint64_t a, uint64_t b)
{
	uint64_t n = is_signaling(f, a) ? a : is_signaling(f, b) ? b : is_nan(f, a) ? a : b;

	return n | quiet_of(f);
}

static void
check_minmax(enum fp_format f, bool max, uint64_t a, uint64_t b)
{
	uint64_t (*op)(struct fp_env *, enum fp_format, enum fp_minmax_rule, uint64_t, uint64_t) =
		max ? fp_max : fp_min;
	struct fp_env riscv = { 0 }, arm = { .nan_rule = FP_NAN_ARM };
	bool a_nan = is_nan(f, a), b_nan = is_nan(f, b);
	bool signaling = is_signaling(f, a) || is_signaling(f, b);
	uint64_t number = (order_key(f, a) < order_key(f, b)) != max ? a : b;
	uint64_t canonical = infinity_of(f) | quiet_of(f), one = a_nan ? b : a;

	CHECK_INT(op(&riscv, f, FP_MINMAX_NUMBER, a, b),
		  a_nan && b_nan ? canonical : a_nan || b_nan ? one : number);
	CHECK_INT(riscv.flags, signaling ? FP_INVALID : 0);
	riscv.flags = 0;
	CHECK_INT(op(&riscv, f, FP_MINMAX_NAN, a, b), a_nan || b_nan ? canonical : number);
	CHECK_INT(riscv.flags, signaling ? FP_INVALID : 0);
	CHECK_INT(op(&arm, f, FP_MINMAX_NAN, a, b), a_nan || b_nan ? arm_nan(f, a, b) : number);
	CHECK_INT(arm.flags, signaling ? FP_INVALID : 0);
	arm.flags = 0;
	CHECK_INT(op(&arm, f, FP_MINMAX_QUIET_NUMBER, a, b),
		  signaling || (a_nan && b_nan) ? arm_nan(f, a, b)
		  : a_nan || b_nan		? one
						: number);
	CHECK_INT(arm.flags, signaling ? FP_INVALID : 0);
}

static unsigned
reference_class(enum fp_format f, uint64_t a)
{
	unsigned positive = is_infinite(f, a)	 ? 7
			    : is_zero(f, a)	 ? 4
			    : is_subnormal(f, a) ? 5
						 : 6;

	if (is_nan(f, a))
		return is_signaling(f, a) ? 1u << 8 : 1u << 9;
	return 1u << (a & sign_of(f) ? 7 - positive : positive);
}

static void
check_order(enum fp_format f)
{
	static struct operands o;
	struct fp_env env = { .nan_rule = FP_NAN_ARM };
	uint64_t junk = f == FP_F64 ? 0 : ~(2 * sign_of(f) - 1);

	operands_fill(&o, f);
	for (unsigned i = 0; i < o.count; i++) {
		CHECK_INT(fp_classify(f, o.value[i]), reference_class(f, o.value[i]));
		/* Bits above the format are ignored. */
		CHECK_INT(fp_classify(f, o.value[i] | junk), reference_class(f, o.value[i]));
		for (unsigned j = 0; j < o.count; j++) {
			check_compare(f, o.value[i], o.value[j]);
			check_minmax(f, false, o.value[i], o.value[j]);
			check_minmax(f, true, o.value[i], o.value[j]);
			CHECK_INT(fp_min(&env, f, FP_MINMAX_X86, o.value[i], o.value[j] | junk),
				  fp_min(&env, f, FP_MINMAX_X86, o.value[i] | junk, o.value[j]));
			CHECK_INT(fp_add(&env, f, o.value[i], o.value[j] | junk),
				  fp_add(&env, f, o.value[i] | junk, o.value[j]));
		}
	}
}

/* ---- vectors ------------------------------------------------------------ */

enum vector_op { ADD, SUB, MUL, DIV, SQRT, FMA, TO_F16, TO_F32, TO_F64, ROUND, MIN, MAXNM, EQUAL };

#define ARM FP_NAN_ARM
#define ARM_DN FP_NAN_ARM_DEFAULT
#define RISCV FP_NAN_RISCV
#define FZ 1u
#define PRODUCT FP_FMA_NEGATE_PRODUCT
#define ADDEND FP_FMA_NEGATE_ADDEND

static const struct vector {
	const char *what;
	enum vector_op op;
	enum fp_format format;
	enum fp_nan_rule rule;
	unsigned flush, signs;
	uint64_t a, b, c, want;
	unsigned flags;
} vectors[] = {
	/* FPProcessNaNs: a signaling operand before a quiet one. */
	{ "qnan+snan", ADD, FP_F32, ARM, 0, 0, 0x7fc00001, 0xff800002, 0, 0xffc00002, 16 },
	{ "snan+snan", ADD, FP_F32, ARM, 0, 0, 0x7f800001, 0xff800002, 0, 0x7fc00001, 16 },
	{ "1-qnan", SUB, FP_F32, ARM, 0, 0, 0x3f800000, 0xffc00005, 0, 0xffc00005, 0 },
	{ "qnan*qnan", MUL, FP_F64, ARM, 0, 0, 0x7ff8000000000007, 0xfff8000000000009, 0,
	  0x7ff8000000000007, 0 },
	{ "qnan*snan", MUL, FP_F64, ARM_DN, 0, 0, 0xfff8000000000007, 0xfff0000000000009, 0,
	  0x7ff8000000000000, 16 },
	{ "inf-inf", SUB, FP_F16, ARM, 0, 0, 0x7c00, 0x7c00, 0, 0x7e00, 16 },
	{ "sqrt -1", SQRT, FP_F16, ARM, 0, 0, 0xbc00, 0, 0, 0x7e00, 16 },
	{ "sqrt -1", SQRT, FP_F16, RISCV, 0, 0, 0xbc00, 0, 0, 0x7e00, 16 },
	{ "0/0", DIV, FP_F32, RISCV, 0, 0, 0, 0x80000000, 0, 0x7fc00000, 16 },
	{ "-1/0", DIV, FP_F32, RISCV, 0, 0, 0xbf800000, 0, 0, 0xff800000, 8 },
	/* FPProcessNaNs3: the addend first; signaling before quiet. */
	{ "fma q,q,q", FMA, FP_F32, ARM, 0, 0, 0x7fc00001, 0x7fc00002, 0x7fc00003, 0x7fc00003, 0 },
	{ "fma q,s,q", FMA, FP_F32, ARM, 0, 0, 0x7fc00001, 0x7f800002, 0x7fc00003, 0x7fc00002, 16 },
	{ "fma s,s,q", FMA, FP_F32, ARM, 0, 0, 0x7f800001, 0x7f800002, 0x7fc00003, 0x7fc00001, 16 },
	/* Infinity times zero. */
	{ "fma inf,0,q", FMA, FP_F32, ARM, 0, 0, 0x7f800000, 0, 0xffc00003, 0x7fc00000, 16 },
	{ "fma 0,inf,s", FMA, FP_F32, ARM, 0, 0, 0, 0x7f800000, 0xff800003, 0xffc00003, 16 },
	{ "fma inf,0,q", FMA, FP_F32, RISCV, 0, 0, 0x7f800000, 0, 0xffc00003, 0x7fc00000, 16 },
	{ "fma inf,0,1", FMA, FP_F64, RISCV, 0, 0, 0x7ff0000000000000, 0, 0x3ff0000000000000,
	  0x7ff8000000000000, 16 },
	/* FPMulAdd gets negated operands: also NaNs. */
	{ "fmsub q,1,1", FMA, FP_F32, ARM, 0, PRODUCT, 0x7fc00001, 0x3f800000, 0x3f800000, 0xffc00001, 0 },
	{ "fmsub -q,1,1", FMA, FP_F32, ARM, 0, PRODUCT, 0xffc00001, 0x3f800000, 0, 0x7fc00001, 0 },
	{ "fmls 1,1,-s", FMA, FP_F32, ARM, 0, ADDEND, 0, 0, 0xff800001, 0x7fc00001, 16 },
	{ "fmsub 1,q,1", FMA, FP_F32, ARM, 0, PRODUCT, 0x3f800000, 0x7fc00001, 0x3f800000, 0x7fc00001, 0 },
	{ "fnmadd 1,1,q", FMA, FP_F32, ARM, 0, PRODUCT | ADDEND, 0x3f800000, 0x3f800000, 0x7fc00001,
	  0xffc00001, 0 },
	/* Conversions keep the top of the payload. */
	{ "snan", TO_F16, FP_F64, ARM, 0, 0, 0xfff4040000000001, 0, 0, 0xff01, 16 },
	{ "qnan", TO_F64, FP_F32, ARM, 0, 0, 0xffc00001, 0, 0, 0xfff8000020000000, 0 },
	{ "qnan", TO_F64, FP_F32, RISCV, 0, 0, 0xffc00001, 0, 0, 0x7ff8000000000000, 0 },
	{ "snan", ROUND, FP_F32, RISCV, 0, 0, 0xff800001, 0, 0, 0x7fc00000, 16 },
	/* Flushed operands: input denormal, but not for binary16. */
	{ "sub+sub", ADD, FP_F32, ARM, FZ, 0, 1, 1, 0, 0, 32 },
	{ "-sub-sub", SUB, FP_F64, ARM, FZ, 0, 0x8000000000000001, 1, 0, 0x8000000000000000, 32 },
	{ "sub+sub", ADD, FP_F16, ARM, FZ, 0, 1, 1, 0, 0, 0 },
	{ "sub==0", EQUAL, FP_F32, ARM, FZ, 0, 0x80000001, 0, 0, 1, 32 },
	{ "sub==0", EQUAL, FP_F32, ARM, 0, 0, 0x80000001, 0, 0, 0, 0 },
	{ "sub min 1", MIN, FP_F32, ARM, FZ, 0, 0x80000001, 0x3f800000, 0, 0x80000000, 32 },
	{ "1/sub", DIV, FP_F32, ARM, FZ, 0, 0x3f800000, 0x80000001, 0, 0xff800000, 40 },
	{ "sub*nan", MUL, FP_F32, ARM, FZ, 0, 1, 0x7fc00001, 0, 0x7fc00001, 32 },
	{ "sqrt -sub", SQRT, FP_F32, ARM, FZ, 0, 0x80000001, 0, 0, 0x80000000, 32 },
	{ "sub maxnm q", MAXNM, FP_F32, ARM, FZ, 0, 0x80000001, 0x7fc00001, 0, 0x80000000, 32 },
	{ "round sub", ROUND, FP_F32, ARM, FZ, 0, 0x80000001, 0, 0, 0x80000000, 32 },
	{ "sub", TO_F64, FP_F32, ARM, FZ, 0, 0x80000001, 0, 0, 0x8000000000000000, 32 },
	/* Flushed results: underflow alone, exact or not, by the value before
	 * rounding. */
	{ "min/2", MUL, FP_F32, ARM, FZ, 0, 0x80800000, 0x3f000000, 0, 0x80000000, 2 },
	{ "to sub", TO_F32, FP_F64, ARM, FZ, 0, 0x36a0000000000000, 0, 0, 0, 2 },
	{ "almost min", MUL, FP_F32, ARM, FZ, 0, 0x00ffffff, 0x3f000000, 0, 0, 2 },
	/* The same not flushed: tiny before rounding, the smallest normal after. */
	{ "almost min", MUL, FP_F32, ARM, 0, 0, 0x00ffffff, 0x3f000000, 0, 0x00800000, 3 },
	{ "almost min", MUL, FP_F32, RISCV, 0, 0, 0x00ffffff, 0x3f000000, 0, 0x00800000, 3 },
	{ "nearer min", MUL, FP_F32, ARM, 0, 0, 0x3f800001, 0x007fffff, 0, 0x00800000, 3 },
	{ "nearer min", MUL, FP_F32, RISCV, 0, 0, 0x3f800001, 0x007fffff, 0, 0x00800000, 1 },
};

static uint64_t
run_vector(const struct vector *v, struct fp_env *env)
{
	switch (v->op) {
	case ADD:
		return fp_add(env, v->format, v->a, v->b);
	case SUB:
		return fp_sub(env, v->format, v->a, v->b);
	case MUL:
		return fp_mul(env, v->format, v->a, v->b);
	case DIV:
		return fp_div(env, v->format, v->a, v->b);
	case SQRT:
		return fp_sqrt(env, v->format, v->a);
	case FMA:
		return fp_fma(env, v->format, v->a, v->b, v->c, v->signs);
	case TO_F16:
		return fp_convert(env, v->format, FP_F16, v->a);
	case TO_F32:
		return fp_convert(env, v->format, FP_F32, v->a);
	case TO_F64:
		return fp_convert(env, v->format, FP_F64, v->a);
	case ROUND:
		return fp_round_to_int(env, v->format, v->a, true);
	case MIN:
		return fp_min(env, v->format, FP_MINMAX_NAN, v->a, v->b);
	case MAXNM:
		return fp_max(env, v->format, FP_MINMAX_QUIET_NUMBER, v->a, v->b);
	case EQUAL:
		return fp_eq(env, v->format, v->a, v->b, false);
	}
	return 0;
}

static void
check_vectors(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(vectors); i++) {
		const struct vector *v = &vectors[i];
		struct fp_env env = { .nan_rule = (uint8_t)v->rule,
				      .tininess_before = v->rule != RISCV,
				      .flush_inputs = v->flush & FZ,
				      .flush_outputs = v->flush & FZ };
		uint64_t got = run_vector(v, &env);

		if (check_note(got == v->want && env.flags == v->flags))
			fprintf(stderr,
				"%s %s rule %d: got %#" PRIx64 " flags %#x, want %#" PRIx64
				" flags %#x\n",
				layouts[v->format].name, v->what, v->rule, got, env.flags, v->want,
				v->flags);
	}
}

/* Flags accumulate; nothing clears them. */
static void
check_sticky(void)
{
	struct fp_env env = { 0 };

	fp_div(&env, FP_F32, 0x3f800000, 0);
	fp_div(&env, FP_F32, 0x3f800000, 0x40400000);
	fp_add(&env, FP_F32, 0x3f800000, 0x3f800000);
	CHECK_INT(env.flags, FP_DIVIDE_BY_ZERO | FP_INEXACT);
}

/* ---- Arm: estimates, steps, the alternative half ------------------------ */

/* The estimates are within 2^-8 of what the host computes; of powers of two the
 * manual's tables give the values below. */
static void
test_estimates(void)
{
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t bits = (uint64_t)i * 0x9e3779b97f4a7c15u >> 12 | (uint64_t)(i % 40 + 1000) << 52;
		struct fp_env env = { .nan_rule = FP_NAN_ARM, .tininess_before = true };
		uint64_t inverse = fp_reciprocal(&env, FP_F64, bits), root = fp_reciprocal_root(&env, FP_F64, bits);
		double x, y, z;

		memcpy(&x, &bits, 8);
		memcpy(&y, &inverse, 8);
		memcpy(&z, &root, 8);
		CHECK(x * y > 1 - 0x1p-8 && x * y < 1 + 0x1p-8);
		CHECK(x * z * z > 1 - 0x1p-7 && x * z * z < 1 + 0x1p-7);
		CHECK_INT(env.flags, 0);
	}
	CHECK_INT(fp_reciprocal_u32(0x80000000), 0xff800000);
	CHECK_INT(fp_reciprocal_u32(0xffffffff), 0x80000000);
	CHECK_INT(fp_reciprocal_u32(0x7fffffff), 0xffffffff);
	CHECK_INT(fp_reciprocal_root_u32(0x40000000), 0xff800000);
	CHECK_INT(fp_reciprocal_root_u32(0xffffffff), 0x80000000);
	CHECK_INT(fp_reciprocal_root_u32(0x3fffffff), 0xffffffff);
}

static void
test_steps(void)
{
	struct fp_env env = { .nan_rule = FP_NAN_ARM, .tininess_before = true };
	const uint64_t infinity = 0x7ff0000000000000, three = 0x4008000000000000, half = 0x3fe0000000000000;

	CHECK_INT(fp_reciprocal_step(&env, FP_F64, three, half), half);             /* 2 - 1.5 */
	CHECK_INT(fp_reciprocal_root_step(&env, FP_F64, three, half), 0x3fe8000000000000); /* (3 - 1.5) / 2 */
	CHECK_INT(fp_reciprocal_step(&env, FP_F64, 0, infinity), 0x4000000000000000);
	CHECK_INT(fp_reciprocal_root_step(&env, FP_F64, infinity, 0), 0x3ff8000000000000);
	CHECK_INT(fp_mulx(&env, FP_F64, 0, infinity | 1ull << 63), 0xc000000000000000);
	CHECK_INT(env.flags, 0);
	CHECK_INT(fp_reciprocal(&env, FP_F64, 1ull << 63), infinity | 1ull << 63);
	CHECK_INT(env.flags, FP_DIVIDE_BY_ZERO);
}

/* FPCR.AHP: exponent 31 is like any other; NaNs and what is too large are
 * invalid. */
static void
test_alternative_half(void)
{
	static const struct {
		uint32_t single, half, flags;
	} narrow[] = {
		{ 0x7f800000, 0x7fff, FP_INVALID }, { 0xff800000, 0xffff, FP_INVALID },
		{ 0x7fc00000, 0x0000, FP_INVALID }, { 0xffc00001, 0x8000, FP_INVALID },
		{ 0x47800000, 0x7c00, 0 },          { 0x47ffe000, 0x7fff, 0 },
		{ 0x47fff000, 0x7fff, FP_INVALID }, { 0x48000000, 0x7fff, FP_INVALID },
		{ 0x3f800000, 0x3c00, 0 },          { 0x47ffefff, 0x7fff, FP_INEXACT },
	};

	for (unsigned i = 0; i < sizeof narrow / sizeof *narrow; i++) {
		struct fp_env env = { .nan_rule = FP_NAN_ARM, .tininess_before = true, .alternative_half = true };

		CHECK_INT(fp_convert(&env, FP_F32, FP_F16, narrow[i].single), narrow[i].half);
		CHECK_INT(env.flags, narrow[i].flags);
		if (narrow[i].flags)
			continue;
		CHECK_INT(fp_convert(&env, FP_F16, FP_F32, narrow[i].half), narrow[i].single);
		CHECK_INT(env.flags, 0);
	}
}

int
main(void)
{
	for (enum fp_format f = FP_F16; f <= FP_F64; f++)
		check_order(f);
	check_vectors();
	check_sticky();
	test_estimates();
	test_steps();
	test_alternative_half();
	return check_done();
}

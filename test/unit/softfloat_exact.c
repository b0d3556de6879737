/* softfloat against exact arithmetic: what no x86 instruction does. For each
 * operation the results toward and away from zero (that the host's SSE vouches
 * for in softfloat.c) are the two neighbours of the exact result; where it lies
 * between them is found in 128-bit integers, and from that follow the results
 * to nearest even, to nearest away and to odd, and what Arm calls tiny. */
#include "base/softfloat.h"
#include "unit/check.h"
#include "unit/softfloat_operands.h"

/* ---- exact numbers ------------------------------------------------------ */

/* m × 2^e, a magnitude. */
struct exact {
	u128 m;
	int e;
};

static int
top_bit(u128 x)
{
	return x >> 64 ? 127 - __builtin_clzll((uint64_t)(x >> 64))
		       : 63 - __builtin_clzll((uint64_t)x);
}

/* −1, 0, 1 as x is less than, equal to, greater than y. */
static int
exact_compare(struct exact x, struct exact y)
{
	if (!x.m || !y.m)
		return (x.m != 0) - (y.m != 0);
	x.e += top_bit(x.m);
	y.e += top_bit(y.m);
	if (x.e != y.e)
		return x.e < y.e ? -1 : 1;
	x.m <<= 127 - top_bit(x.m);
	y.m <<= 127 - top_bit(y.m);
	return (x.m > y.m) - (x.m < y.m);
}

/* The magnitude of a; that of infinity is the power of two in its place. */
static struct exact
exact_decode(enum fp_format f, uint64_t a)
{
	struct layout l = layouts[f];
	uint64_t magnitude = a & (sign_of(f) - 1), hidden = UINT64_C(1) << (l.precision - 1);
	int biased = (int)(magnitude >> (l.precision - 1));

	if (!biased)
		return (struct exact){ magnitude, 2 - l.bias - l.precision };
	return (struct exact){ (magnitude & (hidden - 1)) | hidden,
			       biased + 1 - l.bias - l.precision };
}

/* The same number with an odd m; a zero has the exponent e. */
static struct exact
exact_reduce(struct exact x, int e)
{
	while (x.m && !(x.m & 1)) {
		x.m >>= 1;
		x.e++;
	}
	return x.m ? x : (struct exact){ 0, e };
}

/* x + y, or x − y with a sign; false when it would not fit 126 bits. */
static bool
exact_sum(struct exact x, bool x_sign, struct exact y, bool y_sign, struct exact *sum)
{
	s128 s, t;

	x = exact_reduce(x, y.e);
	y = exact_reduce(y, x.e);
	if (x.e < y.e) {
		struct exact z = x;
		bool z_sign = x_sign;

		x = y, x_sign = y_sign;
		y = z, y_sign = z_sign;
	}
	if (x.e - y.e > 126 || (x.m && top_bit(x.m) + x.e - y.e > 125))
		return false;
	s = (s128)(x.m << (x.e - y.e));
	t = (s128)y.m;
	s = (x_sign ? -s : s) + (y_sign ? -t : t);
	*sum = (struct exact){ (u128)(s < 0 ? -s : s), y.e };
	return true;
}

/* ---- operations --------------------------------------------------------- */

enum op { ADD, SUB, MUL, DIV, SQRT, FMA, CONVERT, FROM_INT, OPS };

static const char *const op_names[] = { "add",	"sub", "mul",	  "div",
					"sqrt", "fma", "convert", "from_int" };

/* An operation from operands of one format to a result of another. */
struct operation {
	enum op op;
	enum fp_format from, to;
	uint64_t a, b, c; /* c: the addend, or the scale of FROM_INT */
};

static uint64_t
run(struct fp_env *env, const struct operation *o)
{
	switch (o->op) {
	case ADD:
		return fp_add(env, o->from, o->a, o->b);
	case SUB:
		return fp_sub(env, o->from, o->a, o->b);
	case MUL:
		return fp_mul(env, o->from, o->a, o->b);
	case DIV:
		return fp_div(env, o->from, o->a, o->b);
	case SQRT:
		return fp_sqrt(env, o->from, o->a);
	case FMA:
		return fp_fma(env, o->from, o->a, o->b, o->c, 0);
	case CONVERT:
		return fp_convert(env, o->from, o->to, o->a);
	case FROM_INT:
		return fp_from_int(env, o->to, o->a, true, (unsigned)o->c);
	case OPS:
		break;
	}
	return 0;
}

/* The product of two significands no longer than 55 bits. */
static struct exact
exact_product(struct exact x, struct exact y)
{
	return (struct exact){ x.m * y.m, x.e + y.e };
}

/* Compares twice the magnitude of the exact result with sum, of no more than 55
 * bits. False when that takes more than 128 bits. */
static bool
exact_position(const struct operation *o, struct exact sum, int *position)
{
	struct exact a = exact_decode(o->from, o->a), b = exact_decode(o->from, o->b);
	struct exact c = exact_decode(o->from, o->c), x = { 0, 0 };
	bool as = o->a & sign_of(o->from), bs = o->b & sign_of(o->from);
	bool cs = o->c & sign_of(o->from);

	switch (o->op) {
	case ADD:
	case SUB:
		if (!exact_sum(a, as, b, bs != (o->op == SUB), &x))
			return false;
		break;
	case MUL:
		x = exact_product(a, b);
		break;
	case DIV:
		x = a;
		sum = exact_product(sum, b);
		break;
	case SQRT: /* 2√a : sum as 4a : sum² */
		x = a;
		x.e++;
		sum = exact_product(sum, sum);
		break;
	case FMA:
		if (!exact_sum(exact_product(a, b), as != bs, c, cs, &x))
			return false;
		break;
	case CONVERT:
		x = a;
		break;
	case FROM_INT:
		x.m = o->a >> 63 ? -o->a : o->a;
		x.e = -(int)o->c;
		break;
	case OPS:
		return false;
	}
	x.e++;
	*position = exact_compare(x, sum);
	return true;
}

/* ---- the rounding modes ------------------------------------------------- */

struct outcome {
	uint64_t value;
	unsigned flags;
};

static struct outcome
outcome(const struct operation *o, struct fp_env env)
{
	struct outcome r;

	r.value = run(&env, o);
	r.flags = env.flags;
	return r;
}

static void
expect(const struct operation *o, const char *what, struct outcome got, struct outcome want)
{
	if (check_note(got.value == want.value && got.flags == want.flags))
		fprintf(stderr,
			"%s %s to %s (%#" PRIx64 ", %#" PRIx64 ", %#" PRIx64 ") %s: got %#" PRIx64
			" flags %#x, want %#" PRIx64 " flags %#x\n",
			layouts[o->from].name, op_names[o->op], layouts[o->to].name, o->a, o->b, o->c,
			what, got.value, got.flags, want.value, want.flags);
}

/* To nearest, from the neighbours low (toward zero) and high. */
static void
check_nearest(const struct operation *o, uint64_t low, uint64_t high)
{
	struct exact sum = exact_decode(o->to, low), upper = exact_decode(o->to, high);
	struct outcome even = outcome(o, (struct fp_env){ .rounding = FP_RNE });
	struct outcome away = outcome(o, (struct fp_env){ .rounding = FP_RMM });
	int position;

	CHECK_INT(high, low + 1);
	sum.m += upper.m << (upper.e - sum.e);
	if (!exact_position(o, sum, &position)) {
		/* Operands too far apart for a tie: no difference. */
		expect(o, "away", away, even);
		return;
	}
	if (check_note(even.value == (position > 0 || (position == 0 && (low & 1)) ? high : low)))
		expect(o, "nearest even", even, (struct outcome){ low, 0 });
	expect(o, "away", away, (struct outcome){ position >= 0 ? high : low, even.flags });
}

/* Arm: tiny means below the smallest normal number before rounding, so exactly
 * when truncation gives a subnormal or a zero for what is not zero. */
static void
check_tininess(const struct operation *o, struct outcome low, uint8_t rounding)
{
	bool tiny = is_subnormal(o->to, low.value) ||
		    (is_zero(o->to, low.value) && (low.flags & FP_INEXACT));
	struct outcome after = outcome(o, (struct fp_env){ .rounding = rounding });
	struct outcome want = after;
	struct fp_env env = { .rounding = rounding, .tininess_before = true,
			      .nan_rule = FP_NAN_ARM_DEFAULT };

	want.flags &= ~(unsigned)FP_UNDERFLOW;
	if (tiny && (after.flags & FP_INEXACT))
		want.flags |= FP_UNDERFLOW;
	expect(o, "tininess before", outcome(o, env), want);
	env.flush_outputs = true;
	if (tiny)
		want = (struct outcome){ low.value & sign_of(o->to), FP_UNDERFLOW };
	expect(o, "flush", outcome(o, env), want);
}

static void
check_operation(const struct operation *o)
{
	struct outcome low = outcome(o, (struct fp_env){ .rounding = FP_RTZ }), high, odd;
	uint64_t sign = low.value & sign_of(o->to);

	if (low.flags & (FP_INVALID | FP_DIVIDE_BY_ZERO))
		return;
	for (uint8_t r = FP_RNE; r <= FP_RMM; r++)
		check_tininess(o, low, r);
	odd = outcome(o, (struct fp_env){ .rounding = FP_ODD });
	if (!(low.flags & FP_INEXACT)) {
		expect(o, "odd", odd, low);
		expect(o, "away", outcome(o, (struct fp_env){ .rounding = FP_RMM }), low);
		return;
	}
	low.value |= 1;
	expect(o, "odd", odd, low);
	low = outcome(o, (struct fp_env){ .rounding = FP_RTZ });
	high = outcome(o, (struct fp_env){ .rounding = sign ? FP_RDN : FP_RUP });
	check_nearest(o, low.value, high.value);
}

/* ---- the operands ------------------------------------------------------- */

static void
check_binary_and_fused(enum fp_format f, const struct operands *o)
{
	uint64_t state = 41 + (uint64_t)f;

	for (unsigned i = 0; i < o->count; i++)
		for (unsigned j = 0; j < o->count; j += 3) {
			struct operation x = { ADD, f, f, o->value[i],
					       o->value[(j + i % 3) % o->count], 0 };

			for (x.op = ADD; x.op <= DIV; x.op++)
				check_operation(&x);
			x.op = FMA;
			x.c = o->value[random_next(&state) % o->count];
			check_operation(&x);
			x.c = random_operand(f, &state);
			check_operation(&x);
		}
	/* Short significands: ties are frequent. */
	for (unsigned i = 0; i < 50000; i++) {
		uint64_t mask = ~(quiet_of(f) / 16 - 1);
		struct operation x = { ADD, f, f, random_operand(f, &state) & mask,
				       random_operand(f, &state), 0 };

		x.b = (x.a & infinity_of(f)) | (x.b & ~infinity_of(f) & (mask | 15));
		x.c = random_operand(f, &state) & mask;
		for (x.op = ADD; x.op <= FMA; x.op++)
			check_operation(&x);
	}
}

static void
check_unary(enum fp_format f, const struct operands *o)
{
	uint64_t state = 43;

	for (unsigned i = 0; i < o->count + 40000; i++) {
		uint64_t a = i < o->count ? o->value[i] : random_operand(f, &state);
		struct operation x = { SQRT, f, f, a, 0, 0 };

		check_operation(&x);
		x.op = CONVERT;
		for (x.to = FP_F16; x.to <= f; x.to++) {
			check_operation(&x);
			/* Ties of the narrower format. */
			x.a = a & ~UINT64_C(0x1fff);
			check_operation(&x);
			x.a = a & ~UINT64_C(0xfffffff);
			check_operation(&x);
			x.a = a;
		}
		x = (struct operation){ FROM_INT, f, f, random_next(&state), 0, 0 };
		x.a = (x.a | UINT64_C(1) << 63) >> (i & 63);
		if (i & 64)
			x.a &= ~((UINT64_C(1) << (random_next(&state) & 63)) - 1);
		if (i & 128)
			x.a = -x.a;
		check_operation(&x);
		x.c = random_next(&state) % 65;
		check_operation(&x);
	}
}

/* ---- to integers -------------------------------------------------------- */

/* The magnitude of a × 2^scale rounded; 2^100 when it is larger. */
static u128
reference_integer(struct exact x, bool sign, uint8_t rounding, bool *inexact)
{
	struct exact floor, twice = { x.m, x.e + 1 };
	int position;
	bool up = false;

	*inexact = false;
	if (!x.m || x.e >= 0)
		return x.e > 70 && x.m ? (u128)1 << 100 : x.m << (x.m ? x.e : 0);
	floor = (struct exact){ x.e < -127 ? 0 : x.m >> -x.e, 0 };
	*inexact = exact_compare(x, floor) != 0;
	position = exact_compare(twice, (struct exact){ 2 * floor.m + 1, 0 });
	switch ((enum fp_rounding)rounding) {
	case FP_RNE:
		up = position > 0 || (position == 0 && (floor.m & 1));
		break;
	case FP_RTZ:
	case FP_ODD:
		break;
	case FP_RDN:
		up = *inexact && sign;
		break;
	case FP_RUP:
		up = *inexact && !sign;
		break;
	case FP_RMM:
		up = position >= 0;
		break;
	}
	return floor.m + up;
}

static uint64_t
reference_saturated(struct fp_int type, enum fp_int_rule rule, bool nan, bool sign)
{
	uint64_t lowest = type.is_signed ? ~UINT64_C(0) << (type.width - 1) : 0;
	uint64_t highest = type.is_signed ? ~lowest : ~UINT64_C(0) >> (64 - type.width);

	if (rule == FP_INT_X86)
		return type.is_signed ? lowest : highest;
	if (nan)
		return rule == FP_INT_ARM ? 0 : highest;
	return sign ? lowest : highest;
}

static void
check_to_int_type(enum fp_format f, uint64_t a, struct fp_int type, enum fp_int_rule rule,
		  uint8_t rounding, unsigned scale)
{
	struct fp_env env = { .rounding = rounding };
	struct exact x = exact_decode(f, a);
	bool sign = a & sign_of(f), inexact;
	uint64_t got = fp_to_int(&env, f, a, type, rule, scale), want;
	unsigned flags;
	u128 magnitude, lowest = type.is_signed ? (u128)1 << (type.width - 1) : 0;
	u128 highest = ((u128)1 << (type.width - type.is_signed)) - 1;

	x.e += (int)scale;
	magnitude = reference_integer(x, sign, rounding, &inexact);
	flags = inexact ? FP_INEXACT : 0;
	want = sign ? -(uint64_t)magnitude : (uint64_t)magnitude;
	if (is_nan(f, a) || is_infinite(f, a) || magnitude > (sign ? lowest : highest)) {
		flags = FP_INVALID;
		want = reference_saturated(type, rule, is_nan(f, a), sign);
	}
	if (check_note(got == want && env.flags == flags))
		fprintf(stderr,
			"%s to_int(%#" PRIx64 ") %c%d rule %d rounding %d scale %u: got %#" PRIx64
			" flags %#x, want %#" PRIx64 " flags %#x\n",
			layouts[f].name, a, type.is_signed ? 'i' : 'u', type.width, rule, rounding,
			scale, got, env.flags, want, flags);
}

static void
check_to_int(enum fp_format f, const struct operands *o)
{
	uint64_t state = 47;

	for (unsigned i = 0; i < 8 * o->count; i++) {
		uint64_t a = i < o->count ? o->value[i] : random_operand(f, &state);

		/* Halves are where the roundings differ. */
		if (i % 3 == 0)
			a &= ~(infinity_of(f) & -infinity_of(f)) | ~(quiet_of(f) / 8 - 1);
		for (unsigned t = 0; t < 8; t++)
			for (uint8_t r = FP_RNE; r <= FP_RMM; r++)
				for (unsigned rule = FP_INT_RISCV; rule <= FP_INT_X86; rule++) {
					struct fp_int type = { (uint8_t)(8u << t % 4), t / 4 };
					unsigned scale = (i + r) & 1 ? 0 : i % 65;

					check_to_int_type(f, a, type, rule, r, scale);
				}
	}
}

/* Zfa's fcvtmod.w.d and Arm's FJCVTZS. */
static void
check_modular(const struct operands *o)
{
	uint64_t state = 53;

	for (unsigned i = 0; i < 40 * o->count; i++) {
		uint64_t a = i < o->count ? o->value[i] : random_operand(FP_F64, &state);
		struct exact x = exact_decode(FP_F64, a);
		struct fp_env env = { .rounding = FP_RUP }, plain = { .rounding = FP_RTZ };
		bool exact;
		int32_t got = fp_to_int32_modular(&env, a, &exact);
		uint32_t low = 0;

		if (!is_nan(FP_F64, a) && !is_infinite(FP_F64, a)) {
			low = (uint32_t)(x.e < -63 ? 0 : x.e < 0 ? x.m >> -x.e : x.m);
			for (int e = 0; e < x.e; e++)
				low *= 2;
		}
		CHECK_INT((uint32_t)got, a >> 63 ? -low : low);
		fp_to_int(&plain, FP_F64, a, FP_I32, FP_INT_RISCV, 0);
		CHECK_INT(env.flags, plain.flags);
		CHECK_INT(exact, fp_from_int(&plain, FP_F64, (uint64_t)got, true, 0) == a);
		CHECK_INT(fp_to_int32_modular(&env, a, NULL), got);
	}
}

int
main(void)
{
	static struct operands o;

	for (enum fp_format f = FP_F16; f <= FP_F64; f++) {
		operands_fill(&o, f);
		check_binary_and_fused(f, &o);
		check_unary(f, &o);
		check_to_int(f, &o);
	}
	check_modular(&o);
	return check_done();
}

/* softfloat: Arm's operations for Newton-Raphson iterations: estimates of a
 * reciprocal and of a reciprocal square root, and the steps that refine them.
 * Source: Arm ARM (DDI 0487), shared/functions/float: FPRecipEstimate,
 * FPRSqrtEstimate, FPRecpX, FPRecipStepFused, FPRSqrtStepFused, FPMulX. */
#include "base/softfloat_impl.h"

/* 2^(8 + 9) / a, a from 256 to 511 and the result too; to a resolution of one
 * half. */
static unsigned
reciprocal(unsigned a)
{
	return ((1u << 19) / (2 * a + 1) + 1) / 2;
}

/* a from 128 to 511, a quarter to one; the result from 256 to 511. */
static unsigned
reciprocal_root(unsigned a)
{
	unsigned b = 512;

	/* The largest b with a * b^2 below 2^28. */
	a = a < 256 ? 2 * a + 1 : (a | 1) * 2;
	for (unsigned bit = 256; bit; bit /= 2)
		if ((uint64_t)a * (b + bit) * (b + bit) < UINT64_C(1) << 28)
			b += bit;
	return (b + 1) / 2;
}

uint32_t
fp_reciprocal_u32(uint32_t a)
{
	return a >> 31 ? reciprocal(a >> 23) << 23 : UINT32_MAX;
}

uint32_t
fp_reciprocal_root_u32(uint32_t a)
{
	return a >> 30 ? reciprocal_root(a >> 23) << 23 : UINT32_MAX;
}

/* A result by sign, biased exponent and the first eight bits of the fraction
 * behind the hidden bit; an exponent of 0 or -1 makes it subnormal. */
static uint64_t
pack_estimate(enum fp_format format, bool sign, int biased, unsigned estimate)
{
	int fraction_bits = fp_layout_of(format).precision - 1;
	uint64_t significand = (uint64_t)estimate << (fraction_bits - 8);

	if (biased > 0)
		significand += (uint64_t)(biased - 1) << fraction_bits;
	else
		significand >>= 1 - biased;
	return fp_zero(format, sign) | significand;
}

/* The reciprocal of a number this small is out of range. */
static uint64_t
reciprocal_overflow(struct fp_env *env, enum fp_format format, bool sign)
{
	bool finite = env->rounding == FP_RTZ || (env->rounding == FP_RUP && sign) ||
		      (env->rounding == FP_RDN && !sign);

	fp_raise(env, FP_OVERFLOW | FP_INEXACT);
	return fp_infinity(format, sign) - finite;
}

uint64_t
fp_reciprocal(struct fp_env *env, enum fp_format format, uint64_t a)
{
	struct fp_number n = fp_unpack(env, format, a);
	int bias = fp_layout_of(format).bias;

	if (fp_is_nan(n))
		return fp_propagate(env, format, &n, 1);
	if (n.kind == FP_INFINITE)
		return fp_zero(format, n.sign);
	if (n.kind == FP_ZERO) {
		fp_raise(env, FP_DIVIDE_BY_ZERO);
		return fp_infinity(format, n.sign);
	}
	if (n.exponent < -bias - 1)
		return reciprocal_overflow(env, format, n.sign);
	if (env->flush_outputs && n.exponent >= bias - 1) {
		fp_raise(env, FP_UNDERFLOW);
		return fp_zero(format, n.sign);
	}
	return pack_estimate(format, n.sign, bias - 1 - n.exponent,
			     reciprocal((unsigned)(n.significand >> 55)));
}

uint64_t
fp_reciprocal_root(struct fp_env *env, enum fp_format format, uint64_t a)
{
	struct fp_number n = fp_unpack(env, format, a);
	int bias = fp_layout_of(format).bias, biased = n.exponent + bias;

	if (fp_is_nan(n))
		return fp_propagate(env, format, &n, 1);
	if (n.kind == FP_ZERO) {
		fp_raise(env, FP_DIVIDE_BY_ZERO);
		return fp_infinity(format, n.sign);
	}
	if (n.sign)
		return fp_invalid(env, format);
	if (n.kind == FP_INFINITE)
		return fp_zero(format, false);
	/* The scaled number is a quarter to one: its exponent is even. */
	return pack_estimate(format, false, (3 * bias - 1 - biased) / 2,
			     reciprocal_root((unsigned)(n.significand >> (biased & 1 ? 56 : 55))));
}

uint64_t
fp_reciprocal_exponent(struct fp_env *env, enum fp_format format, uint64_t a)
{
	struct fp_number n = fp_unpack(env, format, a);
	struct fp_layout l = fp_layout_of(format);
	uint64_t mask = (uint64_t)(2 * l.bias + 1) << (l.precision - 1);

	if (fp_is_nan(n))
		return fp_propagate(env, format, &n, 1);
	if (!(a & mask))
		return fp_zero(format, n.sign) | (mask - (UINT64_C(1) << (l.precision - 1)));
	return fp_zero(format, n.sign) | (~a & mask);
}

/* One is zero and the other infinite. */
static bool
is_zero_times_infinity(enum fp_format format, struct fp_env env, uint64_t a, uint64_t b)
{
	enum fp_kind m = fp_unpack(&env, format, a).kind, n = fp_unpack(&env, format, b).kind;

	return (m == FP_ZERO && n == FP_INFINITE) || (m == FP_INFINITE && n == FP_ZERO);
}

/* 1.0, 1.5, 2.0, 3.0 as significand halves from one, and exponent. */
static uint64_t
small_number(enum fp_format format, bool sign, bool and_half, int exponent)
{
	struct fp_layout l = fp_layout_of(format);

	return fp_zero(format, sign) | (uint64_t)(l.bias + exponent) << (l.precision - 1) |
	       (uint64_t)and_half << (l.precision - 2);
}

/* Unpacks both once more where the special case holds, for the flag of a
 * flushed operand. */
static void
note_operands(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
	fp_unpack(env, format, a);
	fp_unpack(env, format, b);
}

uint64_t
fp_mulx(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
	if (!is_zero_times_infinity(format, *env, a, b))
		return fp_mul(env, format, a, b);
	note_operands(env, format, a, b);
	return small_number(format, (a ^ b) & fp_sign_bit(format), false, 1);
}

uint64_t
fp_reciprocal_step(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
	uint64_t two = small_number(format, false, false, 1);

	if (!is_zero_times_infinity(format, *env, a, b))
		return fp_fma(env, format, a, b, two, FP_FMA_NEGATE_PRODUCT);
	note_operands(env, format, a, b);
	return two;
}

uint64_t
fp_reciprocal_root_step(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
	uint64_t three = small_number(format, false, true, 1);

	if (!is_zero_times_infinity(format, *env, a, b))
		return fp_fma_scaled(env, format, a, b, three, FP_FMA_NEGATE_PRODUCT, -1);
	note_operands(env, format, a, b);
	return small_number(format, false, true, 0);
}

/* softfloat: taking numbers apart, NaN results, and the rounding of results. */
#include "base/softfloat_impl.h"

/* x86 has neither DAZ nor FTZ for binary16 (F16C, AVX512-FP16). */
static bool
flush_applies(const struct fp_env *env, enum fp_format format)
{
	return !(env->nan_rule == FP_NAN_X86 && format == FP_F16);
}

static struct fp_number
unpack_subnormal(struct fp_env *env, enum fp_format format, struct fp_number n)
{
	bool x86 = env->nan_rule == FP_NAN_X86;
	int shift = __builtin_clzll(n.significand);

	if (env->flush_inputs && flush_applies(env, format)) {
		/* Arm's FPUnpack raises InputDenorm, but not for binary16. */
		if (!x86 && format != FP_F16)
			fp_raise(env, FP_DENORMAL_INPUT);
		n.kind = FP_ZERO;
		n.significand = 0;
		return n;
	}
	n.kind = FP_FINITE;
	n.denormal = x86;
	n.significand <<= shift;
	n.exponent = 1 - fp_layout_of(format).bias - shift;
	return n;
}

struct fp_number
fp_unpack(struct fp_env *env, enum fp_format format, uint64_t a)
{
	struct fp_layout l = fp_layout_of(format);
	uint64_t fraction = a << (64 - l.precision) & INT64_MAX;
	int biased = (int)(a >> (l.precision - 1)) & (2 * l.bias + 1);
	struct fp_number n = {.sign = a >> (l.width - 1) & 1, .significand = fraction};

	if (biased == 2 * l.bias + 1 && !fp_is_alternative(env, format)) {
		n.kind = fraction == 0         ? FP_INFINITE
			 : fraction >> 62 != 0 ? FP_QUIET_NAN
					       : FP_SIGNALING_NAN;
		return n;
	}
	if (biased == 0) {
		if (fraction != 0)
			return unpack_subnormal(env, format, n);
		n.kind = FP_ZERO;
		return n;
	}
	n.kind = FP_FINITE;
	n.exponent = biased - l.bias;
	n.significand = fraction | UINT64_C(1) << 63;
	return n;
}

/* ---- special results ---------------------------------------------------- */

uint64_t
fp_zero(enum fp_format format, bool sign)
{
	return sign ? fp_sign_bit(format) : 0;
}

uint64_t
fp_infinity(enum fp_format format, bool sign)
{
	struct fp_layout l = fp_layout_of(format);

	return fp_zero(format, sign) | (uint64_t)(2 * l.bias + 1) << (l.precision - 1);
}

static uint64_t
quiet_bit(enum fp_format format)
{
	return UINT64_C(1) << (fp_layout_of(format).precision - 2);
}

static uint64_t
default_nan(const struct fp_env *env, enum fp_format format)
{
	return fp_infinity(format, env->nan_rule == FP_NAN_X86) | quiet_bit(format);
}

uint64_t
fp_invalid(struct fp_env *env, enum fp_format format)
{
	fp_raise(env, FP_INVALID);
	return default_nan(env, format);
}

uint64_t
fp_propagate(struct fp_env *env, enum fp_format format, const struct fp_number *list,
	     unsigned count)
{
	const struct fp_number *signaling = NULL, *any = NULL;

	for (unsigned i = count; i-- > 0;) {
		if (list[i].kind == FP_SIGNALING_NAN)
			signaling = &list[i];
		if (fp_is_nan(list[i]))
			any = &list[i];
	}
	if (signaling)
		fp_raise(env, FP_INVALID);

	switch ((enum fp_nan_rule)env->nan_rule) {
	case FP_NAN_ARM:
		if (signaling)
			any = signaling;
		break;
	case FP_NAN_X86:
		break;
	case FP_NAN_RISCV:
	case FP_NAN_ARM_DEFAULT:
		return default_nan(env, format);
	}
	return fp_infinity(format, any->sign) | quiet_bit(format) |
	       any->significand >> (64 - fp_layout_of(format).precision);
}

uint64_t
fp_alternative_limit(struct fp_env *env, bool sign)
{
	fp_raise(env, FP_INVALID);
	return fp_zero(FP_F16, sign) | (fp_sign_bit(FP_F16) - 1);
}

/* ---- rounding ----------------------------------------------------------- */

u128
fp_round_shift(enum fp_rounding rounding, bool sign, u128 significand, unsigned drop,
	       bool *inexact)
{
	u128 kept = drop < 128 ? significand >> drop : 0;
	bool half = drop <= 128 && (significand >> (drop - 1) & 1);
	bool rest = drop > 128 ? significand != 0
			       : drop > 1 && significand << (129 - drop) != 0;

	*inexact = half || rest;
	switch (rounding) {
	case FP_RNE:
		return kept + (half && (rest || (kept & 1)));
	case FP_RTZ:
		return kept;
	case FP_RDN:
		return kept + (sign && *inexact);
	case FP_RUP:
		return kept + (!sign && *inexact);
	case FP_RMM:
		return kept + half;
	case FP_ODD:
		return kept | *inexact;
	}
	return kept;
}

static uint64_t
overflow(struct fp_env *env, enum fp_format format, bool sign)
{
	bool to_infinity = true;
	uint64_t infinity = fp_infinity(format, sign);

	if (fp_is_alternative(env, format))
		return fp_alternative_limit(env, sign);

	switch ((enum fp_rounding)env->rounding) {
	case FP_RNE:
	case FP_RMM:
		break;
	case FP_RTZ:
	case FP_ODD:
		to_infinity = false;
		break;
	case FP_RDN:
		to_infinity = sign;
		break;
	case FP_RUP:
		to_infinity = !sign;
		break;
	}
	fp_raise(env, FP_OVERFLOW | FP_INEXACT);
	return to_infinity ? infinity : infinity - 1;
}

/* Whether a normalized result below the smallest normal number is tiny: after
 * rounding it is not when, to full precision, it rounds up to that number. */
static bool
is_tiny(const struct fp_env *env, struct fp_layout l, bool sign, int exponent, u128 significand)
{
	bool inexact;
	u128 rounded;

	if (env->tininess_before || exponent < -l.bias)
		return true;
	rounded = fp_round_shift(env->rounding, sign, significand, 128 - (unsigned)l.precision,
				 &inexact);
	return rounded >> l.precision == 0;
}

/* Arm's FPRound and x86's FTZ differ in what they report. */
static uint64_t
flush_result(struct fp_env *env, enum fp_format format, bool sign)
{
	fp_raise(env, env->nan_rule == FP_NAN_X86 ? FP_UNDERFLOW | FP_INEXACT : FP_UNDERFLOW);
	return fp_zero(format, sign);
}

static unsigned
leading_zeros(u128 x)
{
	uint64_t high = (uint64_t)(x >> 64);

	return (unsigned)(high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)x));
}

uint64_t
fp_round_pack(struct fp_env *env, enum fp_format format, bool sign, int exponent,
	      u128 significand)
{
	struct fp_layout l = fp_layout_of(format);
	unsigned zeros = leading_zeros(significand);
	unsigned drop = 128 - (unsigned)l.precision;
	bool tiny = false, inexact;
	uint64_t result;

	significand <<= zeros;
	exponent -= (int)zeros;
	if (exponent > l.bias + fp_is_alternative(env, format))
		return overflow(env, format, sign);
	if (exponent < 1 - l.bias) {
		tiny = is_tiny(env, l, sign, exponent, significand);
		if (tiny && env->flush_outputs && flush_applies(env, format))
			return flush_result(env, format, sign);
		drop += (unsigned)(1 - l.bias - exponent);
		exponent = 1 - l.bias;
	}

	/* The hidden bit, where there is one, and a carry out of the rounding
	 * both add one to the exponent field. */
	result = (uint64_t)fp_round_shift(env->rounding, sign, significand, drop, &inexact);
	result += (uint64_t)(exponent + l.bias - 1) << (l.precision - 1);
	if (result >= (fp_is_alternative(env, format) ? fp_sign_bit(format) : fp_infinity(format, false)))
		return overflow(env, format, sign);
	if (inexact)
		fp_raise(env, tiny ? FP_INEXACT | FP_UNDERFLOW : FP_INEXACT);
	return fp_zero(format, sign) | result;
}

/* softfloat: conversions between formats and with integers, and rounding to
 * an integer. */
#include "base/softfloat_impl.h"

uint64_t
fp_convert(struct fp_env *env, enum fp_format from, enum fp_format to, uint64_t a)
{
	struct fp_number n = fp_unpack(env, from, a);

	if (fp_is_alternative(env, to) && n.kind == FP_INFINITE)
		return fp_alternative_limit(env, n.sign);
	if (fp_is_alternative(env, to) && fp_is_nan(n)) {
		fp_raise(env, FP_INVALID);
		return fp_zero(to, n.sign);
	}
	if (fp_is_nan(n))
		return fp_propagate(env, to, &n, 1);
	if (n.denormal && from != FP_F16)
		fp_raise(env, FP_DENORMAL_INPUT);
	if (n.kind == FP_ZERO)
		return fp_zero(to, n.sign);
	if (n.kind == FP_INFINITE)
		return fp_infinity(to, n.sign);
	return fp_round_pack(env, to, n.sign, n.exponent, (u128)n.significand << 64);
}

/* ---- integers ----------------------------------------------------------- */

/* The magnitude of a number below 2^64, rounded to an integer; it may reach
 * 2^64. */
static u128
integer_magnitude(enum fp_rounding rounding, struct fp_number n, int scale, bool *inexact)
{
	int exponent = n.exponent + scale;
	unsigned drop = exponent < -1 ? 129 : (unsigned)(127 - exponent);

	return fp_round_shift(rounding, n.sign, (u128)n.significand << 64, drop, inexact);
}

/* The largest magnitude that type holds with this sign. */
static uint64_t
integer_limit(struct fp_int type, bool sign)
{
	uint64_t half = UINT64_C(1) << (type.width - 1);

	if (type.is_signed)
		return sign ? half : half - 1;
	return sign ? 0 : half - 1 + half;
}

static uint64_t
integer_out_of_range(struct fp_env *env, struct fp_number n, struct fp_int type,
		     enum fp_int_rule rule)
{
	bool sign = n.sign;

	fp_raise(env, FP_INVALID);
	switch (rule) {
	case FP_INT_RISCV:
		sign = sign && !fp_is_nan(n);
		break;
	case FP_INT_ARM:
		if (fp_is_nan(n))
			return 0;
		break;
	case FP_INT_X86:
		sign = type.is_signed;
		break;
	}
	return sign ? -integer_limit(type, true) : integer_limit(type, false);
}

uint64_t
fp_to_int(struct fp_env *env, enum fp_format format, uint64_t a, struct fp_int type,
	  enum fp_int_rule rule, unsigned scale)
{
	struct fp_number n = fp_unpack(env, format, a);
	bool inexact;
	u128 magnitude;

	if (n.kind == FP_ZERO)
		return 0;
	if (n.kind != FP_FINITE || n.exponent + (int)scale >= 64)
		return integer_out_of_range(env, n, type, rule);
	magnitude = integer_magnitude(env->rounding, n, (int)scale, &inexact);
	if (magnitude > integer_limit(type, n.sign))
		return integer_out_of_range(env, n, type, rule);
	if (inexact)
		fp_raise(env, FP_INEXACT);
	return n.sign ? -(uint64_t)magnitude : (uint64_t)magnitude;
}

uint64_t
fp_from_int(struct fp_env *env, enum fp_format format, uint64_t value, bool is_signed,
	    unsigned scale)
{
	bool sign = is_signed && value >> 63;
	uint64_t magnitude = sign ? -value : value;

	if (value == 0)
		return fp_zero(format, false);
	return fp_round_pack(env, format, sign, 63 - (int)scale, (u128)magnitude << 64);
}

int32_t
fp_to_int32_modular(struct fp_env *env, uint64_t a, bool *exact)
{
	struct fp_number n = fp_unpack(env, FP_F64, a);
	bool inexact = false, outside = false;
	uint64_t low = 0; /* the truncated magnitude, modulo 2^32 at least */

	if (n.kind == FP_FINITE && n.exponent < 64) {
		low = (uint64_t)integer_magnitude(FP_RTZ, n, 0, &inexact);
		outside = low > integer_limit(FP_I32, n.sign);
	} else if (n.kind != FP_ZERO) {
		outside = true;
		/* From 2^84 on a double is a multiple of 2^32. */
		if (n.kind == FP_FINITE && n.exponent < 84)
			low = n.significand << (n.exponent - 63);
	}
	if (outside)
		fp_raise(env, FP_INVALID);
	else if (inexact)
		fp_raise(env, FP_INEXACT);
	if (exact)
		*exact = !outside && !inexact && (n.kind != FP_ZERO || a == 0);
	return (int32_t)(uint32_t)(n.sign ? -low : low);
}

uint64_t
fp_round_to_int(struct fp_env *env, enum fp_format format, uint64_t a, bool raise_inexact)
{
	struct fp_number n = fp_unpack(env, format, a);
	bool inexact;
	u128 magnitude;

	if (fp_is_nan(n))
		return fp_propagate(env, format, &n, 1);
	if (n.kind == FP_ZERO)
		return fp_zero(format, n.sign);
	if (n.kind == FP_INFINITE)
		return fp_infinity(format, n.sign);
	if (n.exponent >= fp_layout_of(format).precision - 1) /* an integer already */
		return fp_round_pack(env, format, n.sign, n.exponent, (u128)n.significand << 64);

	magnitude = integer_magnitude(env->rounding, n, 0, &inexact);
	if (inexact && raise_inexact)
		fp_raise(env, FP_INEXACT);
	if (magnitude == 0)
		return fp_zero(format, n.sign);
	return fp_round_pack(env, format, n.sign, 127, magnitude);
}

uint64_t
fp_round_to_int_within(struct fp_env *env, enum fp_format format, uint64_t a, unsigned width,
		       bool raise_inexact)
{
	struct fp_layout l = fp_layout_of(format);
	struct fp_number n = fp_unpack(env, format, a);
	bool inexact, fits = n.kind == FP_ZERO;

	if (n.kind == FP_FINITE && n.exponent < (int)width)
		fits = integer_magnitude(env->rounding, n, 0, &inexact) <=
		       integer_limit((struct fp_int){(uint8_t)width, true}, n.sign);
	if (fits)
		return fp_round_to_int(env, format, a, raise_inexact);
	fp_raise(env, FP_INVALID);
	return fp_zero(format, true) | (uint64_t)(l.bias + (int)width - 1) << (l.precision - 1);
}

/* softfloat, private: numbers taken apart, and the one way to round them back.
 *
 * Every operation has the same three steps: fp_unpack the operands, deal with
 * NaNs and the special cases, and compute an exact result (or one with a
 * sticky lowest bit) in 128 bits which fp_round_pack rounds once.
 */
#ifndef BASE_SOFTFLOAT_IMPL_H
#define BASE_SOFTFLOAT_IMPL_H

#include "base/base.h"
#include "base/softfloat.h"

/* Ordered: everything from FP_QUIET_NAN on is a NaN. */
enum fp_kind { FP_ZERO, FP_FINITE, FP_INFINITE, FP_QUIET_NAN, FP_SIGNALING_NAN };

/* A finite number is significand / 2^63 × 2^exponent with bit 63 set, for
 * subnormals too. A NaN has its fraction in the same place (the quiet bit is
 * bit 62) and no bit 63. */
struct fp_number {
	enum fp_kind kind;
	bool sign;
	bool denormal; /* x86 reports it: subnormal, and not flushed */
	int exponent;
	uint64_t significand;
};

struct fp_layout {
	int precision; /* bits of the significand with the hidden one */
	int bias;
	int width;
};

static inline struct fp_layout
fp_layout_of(enum fp_format format)
{
	switch (format) {
	case FP_F16:
		return (struct fp_layout){11, 15, 16};
	case FP_F32:
		return (struct fp_layout){24, 127, 32};
	case FP_F64:
		break;
	}
	return (struct fp_layout){53, 1023, 64};
}

static inline bool
fp_is_nan(struct fp_number n)
{
	return n.kind >= FP_QUIET_NAN;
}

static inline void
fp_raise(struct fp_env *env, unsigned flags)
{
	env->flags |= (uint8_t)flags;
}

static inline bool
fp_is_alternative(const struct fp_env *env, enum fp_format format)
{
	return env->alternative_half && format == FP_F16;
}

/* The format's sign bit alone. */
static inline uint64_t
fp_sign_bit(enum fp_format format)
{
	return UINT64_C(1) << (fp_layout_of(format).width - 1);
}

/* x >> distance, any distance, with the lost bits ORed into the lowest bit. */
static inline u128
fp_shift_jam(u128 x, unsigned distance)
{
	if (distance == 0)
		return x;
	if (distance >= 128)
		return x != 0;
	return x >> distance | (x << (128 - distance) != 0);
}

/* Takes a apart, flushing a subnormal when the environment says so. */
struct fp_number fp_unpack(struct fp_env *env, enum fp_format format, uint64_t a);

uint64_t fp_zero(enum fp_format format, bool sign);
uint64_t fp_infinity(enum fp_format format, bool sign);

/* What the alternative binary16 has for infinities and more; raises invalid. */
uint64_t fp_alternative_limit(struct fp_env *env, bool sign);

/* Raises invalid and returns the default NaN. */
uint64_t fp_invalid(struct fp_env *env, enum fp_format format);

/* The NaN result of an operation on the operands in list, at least one of
 * them a NaN, in the order of preference of the nan_rule; raises invalid for
 * a signaling one. */
uint64_t fp_propagate(struct fp_env *env, enum fp_format format, const struct fp_number *list,
		      unsigned count);

/* significand >> drop rounded to an integer, drop 1 or more; *inexact tells
 * whether anything but zeros was lost. */
u128 fp_round_shift(enum fp_rounding rounding, bool sign, u128 significand, unsigned drop,
		    bool *inexact);

/* Rounds ±significand / 2^127 × 2^exponent, not zero and not necessarily
 * normalized, and raises what comes with it. */
uint64_t fp_round_pack(struct fp_env *env, enum fp_format format, bool sign, int exponent,
		       u128 significand);

/* fp_fma's result times 2^scale, rounded once. */
uint64_t fp_fma_scaled(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b, uint64_t c,
		       unsigned signs, int scale);

#endif

/* softfloat: addition, multiplication, division, square root, fused
 * multiply-add. Each computes the result exactly, or exactly but for a sticky
 * lowest bit far below what rounding can keep, and rounds it once. */
#include "base/softfloat_impl.h"

/* x86 reports a subnormal operand unless something of higher priority came
 * first; so this is called last. */
static void
raise_denormal(struct fp_env *env, bool denormal)
{
	if (denormal)
		fp_raise(env, FP_DENORMAL_INPUT);
}

/* The sign of an exact zero sum of numbers that are not both of one sign. */
static bool
zero_sum_sign(const struct fp_env *env)
{
	return env->rounding == FP_RDN;
}

/* One summand: ±significand / 2^127 × 2^exponent, bit 127 clear so that a sum
 * has room, bit 126 set. */
struct term {
	bool sign;
	int exponent;
	u128 significand;
};

/* Exact but for a sticky bit: bits are lost only when the exponents differ by
 * more than the zeros below the shifted significand (21 for a product, 63 for
 * a number), and then at most two leading bits cancel. */
static uint64_t
add_terms(struct fp_env *env, enum fp_format format, struct term a, struct term b)
{
	u128 sum;

	if (a.exponent < b.exponent) {
		struct term t = a;
		a = b;
		b = t;
	}
	b.significand = fp_shift_jam(b.significand, (unsigned)(a.exponent - b.exponent));
	if (a.sign == b.sign) {
		sum = a.significand + b.significand;
	} else if (a.significand >= b.significand) {
		sum = a.significand - b.significand;
	} else {
		sum = b.significand - a.significand;
		a.sign = b.sign;
	}
	if (sum == 0)
		return fp_zero(format, zero_sum_sign(env));
	return fp_round_pack(env, format, a.sign, a.exponent, sum);
}

static struct term
number_term(struct fp_number n)
{
	return (struct term){n.sign, n.exponent + 1, (u128)n.significand << 63};
}

/* Sums where a zero is one operand: the other, rounded for the sake of
 * flushing. */
static uint64_t
add_to_zero(struct fp_env *env, enum fp_format format, bool zero_sign, struct fp_number n)
{
	if (n.kind == FP_ZERO)
		return fp_zero(format, n.sign == zero_sign ? n.sign : zero_sum_sign(env));
	return fp_round_pack(env, format, n.sign, n.exponent, (u128)n.significand << 64);
}

static uint64_t
add_numbers(struct fp_env *env, enum fp_format format, struct fp_number a, struct fp_number b)
{
	if (a.kind == FP_INFINITE && b.kind == FP_INFINITE && a.sign != b.sign)
		return fp_invalid(env, format);
	raise_denormal(env, a.denormal || b.denormal);
	if (a.kind == FP_INFINITE)
		return fp_infinity(format, a.sign);
	if (b.kind == FP_INFINITE)
		return fp_infinity(format, b.sign);
	if (a.kind == FP_ZERO)
		return add_to_zero(env, format, a.sign, b);
	if (b.kind == FP_ZERO)
		return add_to_zero(env, format, b.sign, a);
	return add_terms(env, format, number_term(a), number_term(b));
}

uint64_t
fp_add(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
	struct fp_number n[2] = {fp_unpack(env, format, a), fp_unpack(env, format, b)};

	if (fp_is_nan(n[0]) || fp_is_nan(n[1]))
		return fp_propagate(env, format, n, 2);
	return add_numbers(env, format, n[0], n[1]);
}

/* Not an addition of −b: a NaN b propagates with its own sign. */
uint64_t
fp_sub(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
	struct fp_number n[2] = {fp_unpack(env, format, a), fp_unpack(env, format, b)};

	if (fp_is_nan(n[0]) || fp_is_nan(n[1]))
		return fp_propagate(env, format, n, 2);
	n[1].sign = !n[1].sign;
	return add_numbers(env, format, n[0], n[1]);
}

uint64_t
fp_mul(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
	struct fp_number n[2] = {fp_unpack(env, format, a), fp_unpack(env, format, b)};
	bool sign = n[0].sign != n[1].sign;

	if (fp_is_nan(n[0]) || fp_is_nan(n[1]))
		return fp_propagate(env, format, n, 2);
	if (n[0].kind == FP_INFINITE || n[1].kind == FP_INFINITE) {
		if (n[0].kind == FP_ZERO || n[1].kind == FP_ZERO)
			return fp_invalid(env, format);
		raise_denormal(env, n[0].denormal || n[1].denormal);
		return fp_infinity(format, sign);
	}
	raise_denormal(env, n[0].denormal || n[1].denormal);
	if (n[0].kind == FP_ZERO || n[1].kind == FP_ZERO)
		return fp_zero(format, sign);
	return fp_round_pack(env, format, sign, n[0].exponent + n[1].exponent + 1,
			     (u128)n[0].significand * n[1].significand);
}

uint64_t
fp_div(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
	struct fp_number n[2] = {fp_unpack(env, format, a), fp_unpack(env, format, b)};
	bool sign = n[0].sign != n[1].sign;
	u128 dividend, quotient;

	if (fp_is_nan(n[0]) || fp_is_nan(n[1]))
		return fp_propagate(env, format, n, 2);
	if (n[0].kind == n[1].kind && n[0].kind != FP_FINITE)
		return fp_invalid(env, format);
	if (n[1].kind == FP_ZERO && n[0].kind == FP_FINITE) {
		fp_raise(env, FP_DIVIDE_BY_ZERO);
		return fp_infinity(format, sign);
	}
	raise_denormal(env, n[0].denormal || n[1].denormal);
	if (n[0].kind == FP_INFINITE || n[1].kind == FP_ZERO)
		return fp_infinity(format, sign);
	if (n[0].kind == FP_ZERO || n[1].kind == FP_INFINITE)
		return fp_zero(format, sign);

	/* A quotient of 63 or 64 bits, and whether there is a remainder. */
	dividend = (u128)n[0].significand << 63;
	quotient = dividend / n[1].significand;
	return fp_round_pack(env, format, sign, n[0].exponent - n[1].exponent,
			     quotient << 64 | (quotient * n[1].significand != dividend));
}

/* ---- square root -------------------------------------------------------- */

/* A root and what it leaves: root² + rest is the radicand, rest ≤ 2 × root. */
struct root {
	u128 root, rest;
};

/* The root of a 32-bit radicand, digit by digit. */
static struct root
root_of_32(uint32_t radicand)
{
	uint32_t root = 0, rest = radicand;

	for (uint32_t bit = UINT32_C(1) << 30; bit != 0; bit >>= 2) {
		uint32_t trial = root + bit;

		root >>= 1;
		if (rest >= trial) {
			rest -= trial;
			root += bit;
		}
	}
	return (struct root){root, rest};
}

/* From the root of a radicand to that of (radicand << 2 × bits) + more, by one
 * division (P. Zimmermann, "Karatsuba Square Root", 1999). The radicand has
 * 2 × bits bits of which the upper two are not both zero. */
static struct root
root_extend(struct root high, unsigned bits, uint64_t more)
{
	u128 upper = high.rest << bits | more >> bits;
	u128 digit = upper / (2 * high.root);
	u128 rest = upper % (2 * high.root) << bits | (more & ((UINT64_C(1) << bits) - 1));
	struct root r = {(high.root << bits) + digit, rest - digit * digit};

	/* The guess is at most one too large. */
	if (rest < digit * digit) {
		r.rest += 2 * r.root - 1;
		r.root--;
	}
	return r;
}

uint64_t
fp_sqrt(struct fp_env *env, enum fp_format format, uint64_t a)
{
	struct fp_number n = fp_unpack(env, format, a);
	struct root r;
	u128 radicand;

	if (fp_is_nan(n))
		return fp_propagate(env, format, &n, 1);
	if (n.kind == FP_ZERO)
		return fp_zero(format, n.sign);
	if (n.sign)
		return fp_invalid(env, format);
	if (n.kind == FP_INFINITE)
		return fp_infinity(format, false);
	raise_denormal(env, n.denormal);

	/* With an even exponent the radicand is 2^126 … 2^128 - 1, so the root
	 * has 64 bits. */
	radicand = (u128)n.significand << (63 + (n.exponent & 1));
	r = root_of_32((uint32_t)(radicand >> 96));
	r = root_extend(r, 16, (uint32_t)(radicand >> 64));
	r = root_extend(r, 32, (uint64_t)radicand);
	return fp_round_pack(env, format, false, (n.exponent - (n.exponent & 1)) / 2,
			     r.root << 64 | (r.rest != 0));
}

/* ---- fused multiply-add ------------------------------------------------- */

/* The NaN result of ±(a × b) ± c when an operand is one. */
static uint64_t
fma_nan(struct fp_env *env, enum fp_format format, const struct fp_number n[3],
	bool invalid_product, unsigned signs)
{
	struct fp_number arm[3] = {n[2], n[0], n[1]};

	if (env->nan_rule == FP_NAN_X86)
		return fp_propagate(env, format, n, 3);
	/* A signaling addend propagates even then (FPMulAdd). */
	if (invalid_product && n[2].kind == FP_QUIET_NAN)
		return fp_invalid(env, format);
	arm[0].sign ^= (signs & FP_FMA_NEGATE_ADDEND) != 0;
	arm[1].sign ^= (signs & FP_FMA_NEGATE_PRODUCT) != 0;
	return fp_propagate(env, format, arm, 3);
}

uint64_t
fp_fma(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b, uint64_t c,
	unsigned signs)
{
	return fp_fma_scaled(env, format, a, b, c, signs, 0);
}

uint64_t
fp_fma_scaled(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b, uint64_t c,
	      unsigned signs, int scale)
{
	struct fp_number n[3] = {fp_unpack(env, format, a), fp_unpack(env, format, b),
				 fp_unpack(env, format, c)};
	bool infinite = n[0].kind == FP_INFINITE || n[1].kind == FP_INFINITE;
	bool zero = n[0].kind == FP_ZERO || n[1].kind == FP_ZERO;
	struct term product;

	if (fp_is_nan(n[0]) || fp_is_nan(n[1]) || fp_is_nan(n[2]))
		return fma_nan(env, format, n, infinite && zero, signs);
	if (infinite && zero)
		return fp_invalid(env, format);

	product.sign = (n[0].sign != n[1].sign) ^ ((signs & FP_FMA_NEGATE_PRODUCT) != 0);
	n[2].sign ^= (signs & FP_FMA_NEGATE_ADDEND) != 0;
	if (infinite && n[2].kind == FP_INFINITE && n[2].sign != product.sign)
		return fp_invalid(env, format);
	raise_denormal(env, n[0].denormal || n[1].denormal || n[2].denormal);
	if (infinite)
		return fp_infinity(format, product.sign);
	if (n[2].kind == FP_INFINITE)
		return fp_infinity(format, n[2].sign);
	n[2].exponent += scale;
	if (zero)
		return add_to_zero(env, format, product.sign, n[2]);

	product.exponent = n[0].exponent + n[1].exponent + 1 + scale;
	product.significand = (u128)n[0].significand * n[1].significand;
	if (n[2].kind == FP_ZERO)
		return fp_round_pack(env, format, product.sign, product.exponent,
				     product.significand);

	/* Bit 126 is to be the highest; the lowest 22 bits are zeros. */
	if (product.significand >> 127) {
		product.significand >>= 1;
		product.exponent++;
	}
	return add_terms(env, format, product, number_term(n[2]));
}

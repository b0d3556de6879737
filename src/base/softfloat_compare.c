/* softfloat: comparison, minimum and maximum, class. */
#include "base/softfloat_impl.h"

/* Neither is a NaN; zeros are equal. */
static enum fp_relation
compare_magnitudes(struct fp_number a, struct fp_number b)
{
	if (a.kind != b.kind)
		return a.kind < b.kind ? FP_LESS : FP_GREATER;
	if (a.kind != FP_FINITE)
		return FP_EQUAL;
	if (a.exponent != b.exponent)
		return a.exponent < b.exponent ? FP_LESS : FP_GREATER;
	if (a.significand != b.significand)
		return a.significand < b.significand ? FP_LESS : FP_GREATER;
	return FP_EQUAL;
}

static enum fp_relation
compare_numbers(struct fp_number a, struct fp_number b)
{
	if (a.kind == FP_ZERO && b.kind == FP_ZERO)
		return FP_EQUAL;
	if (a.sign != b.sign)
		return a.sign ? FP_LESS : FP_GREATER;
	return a.sign ? compare_magnitudes(b, a) : compare_magnitudes(a, b);
}

enum fp_relation
fp_compare(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b, bool signaling)
{
	struct fp_number m = fp_unpack(env, format, a), n = fp_unpack(env, format, b);

	if (fp_is_nan(m) || fp_is_nan(n)) {
		if (signaling || m.kind == FP_SIGNALING_NAN || n.kind == FP_SIGNALING_NAN)
			fp_raise(env, FP_INVALID);
		return FP_UNORDERED;
	}
	if (m.denormal || n.denormal)
		fp_raise(env, FP_DENORMAL_INPUT);
	return compare_numbers(m, n);
}

/* ---- minimum and maximum ------------------------------------------------ */

/* An operand's bits, with a flushed one as the zero it counts for. */
static uint64_t
operand_bits(enum fp_format format, struct fp_number n, uint64_t bits)
{
	if (n.kind == FP_ZERO)
		return fp_zero(format, n.sign);
	return bits & ((fp_sign_bit(format) << 1) - 1);
}

/* The operand that an operation with a NaN among n[0], n[1] delivers by rule:
 * its index, or 2 for a NaN by the nan_rule. */
static unsigned
minmax_nan_choice(enum fp_minmax_rule rule, const struct fp_number n[2])
{
	unsigned number = fp_is_nan(n[0]) ? 1 : 0;

	switch (rule) {
	case FP_MINMAX_NUMBER:
		return fp_is_nan(n[number]) ? 2 : number;
	case FP_MINMAX_NAN:
		return 2;
	case FP_MINMAX_QUIET_NUMBER:
		return n[1 - number].kind == FP_QUIET_NAN && !fp_is_nan(n[number]) ? number : 2;
	case FP_MINMAX_X86:
		return 1;
	}
	return 2;
}

static uint64_t
minmax(struct fp_env *env, enum fp_format format, enum fp_minmax_rule rule, bool max, uint64_t a,
	uint64_t b)
{
	struct fp_number n[2] = {fp_unpack(env, format, a), fp_unpack(env, format, b)};
	uint64_t bits[2] = {operand_bits(format, n[0], a), operand_bits(format, n[1], b)};
	enum fp_relation relation, wanted = max ? FP_GREATER : FP_LESS;

	if (fp_is_nan(n[0]) || fp_is_nan(n[1])) {
		unsigned choice = minmax_nan_choice(rule, n);

		if (rule == FP_MINMAX_X86 || n[0].kind == FP_SIGNALING_NAN ||
		    n[1].kind == FP_SIGNALING_NAN)
			fp_raise(env, FP_INVALID);
		return choice < 2 ? bits[choice] : fp_propagate(env, format, n, 2);
	}
	if (n[0].denormal || n[1].denormal)
		fp_raise(env, FP_DENORMAL_INPUT);

	relation = compare_numbers(n[0], n[1]);
	if (relation == FP_EQUAL && rule != FP_MINMAX_X86) /* −0 < +0 */
		return bits[n[0].sign == max ? 1 : 0];
	return bits[relation == wanted ? 0 : 1];
}

uint64_t
fp_min(struct fp_env *env, enum fp_format format, enum fp_minmax_rule rule, uint64_t a,
	uint64_t b)
{
	return minmax(env, format, rule, false, a, b);
}

uint64_t
fp_max(struct fp_env *env, enum fp_format format, enum fp_minmax_rule rule, uint64_t a,
	uint64_t b)
{
	return minmax(env, format, rule, true, a, b);
}

/* ---- class -------------------------------------------------------------- */

unsigned
fp_classify(enum fp_format format, uint64_t a)
{
	struct fp_env env = {0};
	struct fp_number n = fp_unpack(&env, format, a);
	unsigned positive = 0;

	switch (n.kind) {
	case FP_ZERO:
		positive = 4;
		break;
	case FP_FINITE:
		positive = n.exponent < 1 - fp_layout_of(format).bias ? 5 : 6;
		break;
	case FP_INFINITE:
		positive = 7;
		break;
	case FP_SIGNALING_NAN:
		return 1u << 8;
	case FP_QUIET_NAN:
		return 1u << 9;
	}
	return 1u << (n.sign ? 7 - positive : positive);
}

/* Operands and layouts that the softfloat tests share: for each format every
 * interesting exponent with every interesting fraction and both signs, and
 * reproducible random numbers. Own arithmetic, so that an error in the code
 * under test is not made again here. */
#ifndef TEST_UNIT_SOFTFLOAT_OPERANDS_H
#define TEST_UNIT_SOFTFLOAT_OPERANDS_H

#include "base/base.h"
#include "base/softfloat.h"

#define OPERANDS_MAX 512

struct operands {
	unsigned count;
	uint64_t value[OPERANDS_MAX];
};

static const struct layout {
	int precision, bias, width;
	const char *name;
} layouts[] = { { 11, 15, 16, "f16" }, { 24, 127, 32, "f32" }, { 53, 1023, 64, "f64" } };

static inline uint64_t
random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline uint64_t
sign_of(enum fp_format f)
{
	return UINT64_C(1) << (layouts[f].width - 1);
}

static inline uint64_t
infinity_of(enum fp_format f)
{
	return (uint64_t)(2 * layouts[f].bias + 1) << (layouts[f].precision - 1);
}

static inline uint64_t
quiet_of(enum fp_format f)
{
	return UINT64_C(1) << (layouts[f].precision - 2);
}

static inline bool
is_nan(enum fp_format f, uint64_t a)
{
	return (a & (sign_of(f) - 1)) > infinity_of(f);
}

static inline bool
is_signaling(enum fp_format f, uint64_t a)
{
	return is_nan(f, a) && !(a & quiet_of(f));
}

static inline bool
is_infinite(enum fp_format f, uint64_t a)
{
	return (a & (sign_of(f) - 1)) == infinity_of(f);
}

static inline bool
is_zero(enum fp_format f, uint64_t a)
{
	return (a & (sign_of(f) - 1)) == 0;
}

static inline bool
is_subnormal(enum fp_format f, uint64_t a)
{
	return !is_zero(f, a) && (a & infinity_of(f)) == 0;
}

/* Random bits with the exponent often near the middle, so that operations
 * meet. */
static inline uint64_t
random_operand(enum fp_format f, uint64_t *state)
{
	struct layout l = layouts[f];
	uint64_t r = random_next(state), fraction = r & ((UINT64_C(1) << (l.precision - 1)) - 1);
	uint64_t exponent = random_next(state);

	if (exponent >> 62)
		exponent = (uint64_t)l.bias - 8 + (exponent & 15);
	else
		exponent &= (uint64_t)(2 * l.bias + 1);
	return (r & sign_of(f)) | exponent << (l.precision - 1) | fraction;
}

static inline void
operands_add(struct operands *o, enum fp_format f, uint64_t value)
{
	for (unsigned i = 0; i < o->count; i++)
		if (o->value[i] == value)
			return;
	if (o->count + 2 <= OPERANDS_MAX) {
		o->value[o->count++] = value;
		o->value[o->count++] = value | sign_of(f);
	}
}

static inline void
operands_fill(struct operands *o, enum fp_format f)
{
	struct layout l = layouts[f];
	uint64_t state = 1 + (uint64_t)f, ones = (UINT64_C(1) << (l.precision - 1)) - 1;
	int exponents[] = { 0,	1,  2,	l.precision, l.bias - l.precision - 1, l.bias - l.precision,
			    l.bias - 3, l.bias - 2, l.bias - 1, l.bias, l.bias + 1,
			    l.bias + l.precision - 2, l.bias + l.precision - 1,
			    l.bias + l.precision, l.bias + 30, l.bias + 31, l.bias + 32,
			    l.bias + 62, l.bias + 63, l.bias + 64, 2 * l.bias - 1, 2 * l.bias,
			    2 * l.bias + 1 };
	uint64_t fractions[] = { 0, 1, quiet_of(f), quiet_of(f) - 1, quiet_of(f) + 1, ones,
				 ones - 1, ones / 3, ones / 5 };

	o->count = 0;
	for (unsigned e = 0; e < ARRAY_LEN(exponents); e++)
		for (unsigned i = 0; i < ARRAY_LEN(fractions); i++)
			if (exponents[e] >= 0 && exponents[e] <= 2 * l.bias + 1)
				operands_add(o, f, (uint64_t)exponents[e] << (l.precision - 1) |
							   fractions[i]);
	for (int i = 0; i < 20; i++)
		operands_add(o, f, random_operand(f, &state) & (sign_of(f) - 1));
}

#endif

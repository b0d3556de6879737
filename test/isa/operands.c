/* Operands that instructions are tried with; see operands.h. */
#include "isa/operands.h"

uint64_t
operand_integer(struct rng *rng)
{
	static const uint64_t fixed[] = {
		0, 1, 2, 3, 7, 8, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 2047, 2048,
		0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
		0x7fffffffffffffff, 0x8000000000000000, 0x8000000000000001, 0xffffffff80000000,
		0xffffffff7fffffff, 0xffffffff00000000, 0x5555555555555555, 0xaaaaaaaaaaaaaaaa,
		0x0001000100010001, 0x0100000000000080, 0xfffffffffffffffe, 0xffffffffffffffff,
	};
	uint64_t value = rng_next(rng);

	switch (rng_below(rng, 8)) {
	case 0:
	case 1:
		return fixed[rng_below(rng, ARRAY_LEN(fixed))];
	case 2:
		return (UINT64_C(1) << rng_below(rng, 64)) - rng_below(rng, 2);
	case 3:
		return -(UINT64_C(1) << rng_below(rng, 64));
	case 4:
		return (uint64_t)(int64_t)(int32_t)value;
	case 5:
		return (uint64_t)((int64_t)value >> rng_below(rng, 64));
	case 6:
		return value >> rng_below(rng, 64);
	default:
		return value;
	}
}

/* Exponent and significand widths by format. */
static void
format_shape(unsigned bits, unsigned *exponent, unsigned *fraction)
{
	*exponent = bits == 16 ? 5 : bits == 32 ? 8 : 11;
	*fraction = bits - 1 - *exponent;
}

struct value_list {
	uint64_t *values;
	unsigned count;
	unsigned max;
	uint64_t sign; /* of the format */
};

static void
add_one(struct value_list *list, uint64_t value)
{
	for (unsigned i = 0; i < list->count; i++)
		if (list->values[i] == value)
			return;
	if (list->count < list->max)
		list->values[list->count++] = value;
}

static void
add_both(struct value_list *list, uint64_t value)
{
	add_one(list, value);
	add_one(list, value | list->sign);
}

/* Values whose exponents matter: around 1, the ends of the integer types and
 * of the smaller formats, the ends of the format. */
static void
add_scaled(struct value_list *list, unsigned fraction, unsigned max_exponent)
{
	static const int scales[] = {0, -1, 1, 31, 63, 32, 30, 62, 64, -2, 10, 23, 24, 52, 53, 15,
				     16, -14, -24, -25, 127, 128, -126, -149, -150, 3, -12, -53, 11, 22, 51};
	int bias = (int)(max_exponent >> 1);
	uint64_t ones = (UINT64_C(1) << fraction) - 1;

	for (unsigned i = 0; i < ARRAY_LEN(scales); i++) {
		int exponent = scales[i] + bias;
		uint64_t base;

		if (exponent <= 0 || exponent >= (int)max_exponent)
			continue;
		base = (uint64_t)exponent << fraction;
		add_both(list, base);
		add_both(list, base | ones);
		add_both(list, base | UINT64_C(1) << (fraction - 1));
		add_both(list, base | 1);
		if (fraction > 31)
			add_both(list, base | (UINT64_C(0x7fffffff) << (fraction - 31)));
	}
}

unsigned
operand_floats(unsigned bits, uint64_t *values, unsigned max)
{
	struct value_list list = {values, 0, max, UINT64_C(1) << (bits - 1)};
	struct rng rng = {bits};
	unsigned exponent, fraction;
	uint64_t quiet, infinity, ones;

	format_shape(bits, &exponent, &fraction);
	ones = (UINT64_C(1) << fraction) - 1;
	infinity = ((UINT64_C(1) << exponent) - 1) << fraction;
	quiet = UINT64_C(1) << (fraction - 1);
	add_both(&list, 0);
	add_both(&list, infinity);
	add_both(&list, infinity | quiet);
	add_both(&list, infinity | 1);
	add_both(&list, ((infinity >> fraction) >> 1) << fraction); /* 1 */
	add_both(&list, 1);
	add_both(&list, infinity - 1);
	add_both(&list, ones + 1); /* smallest normal */
	add_both(&list, ones);
	add_both(&list, infinity | ones);
	add_both(&list, infinity | (quiet - 1));
	add_both(&list, infinity | quiet | 1);
	add_both(&list, 2);
	add_both(&list, ones + 2);
	add_both(&list, quiet);
	add_both(&list, (ones + 1) * 2);
	add_both(&list, infinity - ones - 1);
	add_scaled(&list, fraction, (1u << exponent) - 1);
	for (unsigned i = 0; i < 4 * max && list.count < max; i++)
		add_one(&list, rng_next(&rng) >> (64 - bits));
	return list.count;
}

uint64_t
operand_float(struct rng *rng)
{
	static uint64_t chosen[3][256];
	static unsigned counts[3];
	unsigned format = rng_below(rng, 8);
	unsigned width;
	uint64_t value;

	if (!counts[0])
		for (unsigned i = 0; i < 3; i++)
			counts[i] = operand_floats(16u << i, chosen[i], ARRAY_LEN(chosen[i]));
	width = format < 1 ? 0 : format < 4 ? 1 : 2;
	value = chosen[width][rng_below(rng, counts[width])];
	if (rng_once_in(rng, 3))
		value = rng_next(rng) >> (64 - (16u << width));
	if (width < 2)
		value |= -UINT64_C(1) << (16u << width);
	/* A wrong box: some bit above the value is clear. */
	if (width < 2 && rng_once_in(rng, 8))
		value &= ~(UINT64_C(1) << (63 - rng_below(rng, 64 - (16u << width))));
	return value;
}

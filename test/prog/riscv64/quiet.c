/* Comparisons between frflags and fsflags, as compilers make quiet ones: the
 * flags are afterwards what they were, whatever was compared.
 * out: good
 */
#include <stdint.h>
#include <unistd.h>

#include "check.h"

static const uint64_t value[] = {
	0x0000000000000000, 0x8000000000000000, 0x3ff0000000000000, 0xbff0000000000000, 0x0000000000000001,
	0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0xfff8000000000001, 0x7ff0000000000001,
	0xfff4000000000000,
};
enum { VALUES = sizeof value / sizeof *value };

#define COMPARE(op) \
	static unsigned quiet_##op(double a, double b, unsigned *flags) \
	{ \
		unsigned result, saved; \
\
		__asm__ volatile("fsflags %2\n\tfrflags %1\n\t" #op ".d %0, %3, %4\n\tfsflags %1\n\tfrflags %2" \
				 : "=&r"(result), "=&r"(saved), "+r"(*flags) \
				 : "f"(a), "f"(b)); \
		return result | saved << 8; \
	}
COMPARE(flt)
COMPARE(fle)
COMPARE(feq)

/* Flags that are put back are less than were raised before. */
static unsigned
not_put_back(double a, double b, unsigned other)
{
	unsigned result, saved, flags;

	__asm__ volatile("fsflags zero\n\tfrflags %1\n\tflt.d %0, %3, %4\n\tfsflags %5\n\tfrflags %2"
			 : "=&r"(result), "=&r"(saved), "=&r"(flags)
			 : "f"(a), "f"(b), "r"(other));
	return flags;
}

static double
number(uint64_t bits)
{
	double d;

	__builtin_memcpy(&d, &bits, 8);
	return d;
}

static int
is_nan(uint64_t bits)
{
	return (bits << 1) > UINT64_C(0xffe) << 52;
}

/* As an integer that is ordered as the number is. */
static int64_t
order(uint64_t bits)
{
	return bits >> 63 ? -(int64_t)(bits << 1 >> 1) : (int64_t)bits;
}

int
main(void)
{
	for (int i = 0; i < VALUES; i++)
		for (int j = 0; j < VALUES; j++)
			for (unsigned before = 0; before < 32; before++) {
				double a = number(value[i]), b = number(value[j]);
				int nan = is_nan(value[i]) || is_nan(value[j]);
				int64_t x = order(value[i]), y = order(value[j]);
				unsigned flags = before;

				CHECK(quiet_flt(a, b, &flags) == ((!nan && x < y) | before << 8) && flags == before);
				CHECK(quiet_fle(a, b, &flags) == ((!nan && x <= y) | before << 8) && flags == before);
				CHECK(quiet_feq(a, b, &flags) == ((!nan && x == y) | before << 8) && flags == before);
				CHECK(not_put_back(a, b, before) == before);
			}
	write(1, "good\n", 5);
	return 0;
}

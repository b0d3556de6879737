/* The C library's memory functions: mostly short blocks (up to 128 bytes, any
 * alignment), some of 4 KB, as programs call them.
 * class: integer
 */
#include "kernel.h"

#define CALLS 4096

static unsigned char from[16 << 10], to[16 << 10];
static uint16_t offset[CALLS], length[CALLS];

static uint64_t
one_round(long n)
{
	uint64_t sum = 0;

	for (int i = 0; i < CALLS; i++) {
		size_t o = offset[i], l = length[i];

		memcpy(to + o, from + (o ^ (n & 31)), l);
		memset(to + (o ^ 64), (int)n, l / 2);
		sum += (uint64_t)(memcmp(to + o, from + o, l) > 0);
		memmove(to + o + 3, to + o, l);
		sum += to[o + l / 2];
	}
	return sum;
}

int
main(int argc, char **argv)
{
	uint64_t random = 17, sum = 0;

	for (size_t i = 0; i < sizeof from; i++)
		from[i] = (unsigned char)kernel_random(&random);
	for (int i = 0; i < CALLS; i++) {
		offset[i] = (uint16_t)(kernel_random(&random) % 8192);
		length[i] = (uint16_t)(i % 64 ? kernel_random(&random) % 128 : 4096);
	}
	for (long n = kernel_rounds(argc, argv, 25000); n > 0; n--)
		sum = kernel_mix(sum, one_round(n));
	return kernel_done(sum);
}

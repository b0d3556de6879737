/* Sieve of Eratosthenes over a byte array: strided stores, short loops.
 * class: integer
 */
#include "kernel.h"

#define SIZE (2 << 20)

static unsigned char composite[SIZE];

static uint64_t
sieve(void)
{
	uint64_t count = 0, last = 0;

	memset(composite, 0, sizeof composite);
	for (uint32_t i = 2; i < SIZE; i++) {
		if (composite[i])
			continue;
		count++;
		last = i;
		for (uint64_t j = (uint64_t)i * i; j < SIZE; j += i)
			composite[j] = 1;
	}
	return count << 32 | last;
}

int
main(int argc, char **argv)
{
	uint64_t sum = 0;

	for (long n = kernel_rounds(argc, argv, 350); n > 0; n--)
		sum = kernel_mix(sum, sieve());
	return kernel_done(sum);
}

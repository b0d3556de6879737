/* Quicksort with insertion sort below 16, by a comparison through a pointer
 * every other round: unpredictable branches, swaps, indirect calls.
 * class: integer
 */
#include "kernel.h"

#define COUNT (1 << 18)

static uint32_t values[COUNT];

static void
sort_direct(uint32_t *a, long low, long high)
{
	while (high - low > 16) {
		uint32_t pivot = a[low + (high - low) / 2];
		long i = low, j = high;

		while (i <= j) {
			while (a[i] < pivot)
				i++;
			while (a[j] > pivot)
				j--;
			if (i <= j) {
				uint32_t t = a[i];

				a[i++] = a[j];
				a[j--] = t;
			}
		}
		sort_direct(a, low, j);
		low = i;
	}
	for (long i = low + 1; i <= high; i++) {
		uint32_t v = a[i];
		long j = i - 1;

		for (; j >= low && a[j] > v; j--)
			a[j + 1] = a[j];
		a[j + 1] = v;
	}
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	uint64_t random = 3, sum = 0;

	for (long n = kernel_rounds(argc, argv, 70); n > 0; n--) {
		for (long i = 0; i < COUNT; i++)
			values[i] = kernel_random(&random);
		if (n & 1)
			sort_direct(values, 0, COUNT - 1);
		else
			qsort(values, COUNT, sizeof *values, compare);
		for (long i = 0; i < COUNT; i += 97)
			sum = kernel_mix(sum, values[i]);
	}
	return kernel_done(sum);
}

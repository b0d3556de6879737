/* Product of 64-bit integer matrices, row by column: multiply, add, strides.
 * class: integer
 */
#include "kernel.h"

#define N 256

static uint64_t a[N][N], b[N][N], c[N][N];

static void
multiply(void)
{
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			uint64_t s = 0;

			for (int k = 0; k < N; k++)
				s += a[i][k] * b[k][j];
			c[i][j] = s;
		}
}

int
main(int argc, char **argv)
{
	uint64_t random = 5, sum = 0;

	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			a[i][j] = kernel_random(&random);
			b[i][j] = kernel_random(&random);
		}
	for (long n = kernel_rounds(argc, argv, 140); n > 0; n--) {
		multiply();
		for (int i = 0; i < N; i++) {
			sum = kernel_mix(sum, c[i][i]);
			a[i][n % N] ^= c[n % N][i];
		}
	}
	return kernel_done(sum);
}

/* Product of matrices, double and single precision, row by column.
 * class: floating point
 * variants: strict fma
 */
#include "kernel.h"

#define N 192

static double a[N][N], b[N][N], c[N][N];
static float x[N][N], y[N][N], z[N][N];

static void
multiply_double(void)
{
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			double s = 0;

			for (int k = 0; k < N; k++)
				s += a[i][k] * b[k][j];
			c[i][j] = s;
		}
}

static void
multiply_single(void)
{
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			float s = 0;

			for (int k = 0; k < N; k++)
				s += x[i][k] * y[k][j];
			z[i][j] = s;
		}
}

int
main(int argc, char **argv)
{
	uint64_t random = 23, sum = 0, wide;
	uint32_t narrow;

	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			a[i][j] = kernel_random(&random) / 4294967296.0 - 0.5;
			b[i][j] = kernel_random(&random) / 4294967296.0 - 0.5;
			x[i][j] = (float)a[i][j];
			y[i][j] = (float)b[i][j];
		}
	for (long n = kernel_rounds(argc, argv, 450); n > 0; n--) {
		multiply_double();
		multiply_single();
		for (int i = 0; i < N; i++) {
			memcpy(&wide, &c[i][i], 8);
			memcpy(&narrow, &z[i][i], 4);
			sum = kernel_mix(sum, wide ^ narrow);
			a[i][n % N] += c[n % N][i] / 64;
			x[i][n % N] += z[n % N][i] / 64;
		}
	}
	return kernel_done(sum);
}

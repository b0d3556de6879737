/* The Mandelbrot set, escape times: multiply, add, compare and branch in
 * double precision, all in registers.
 * class: floating point
 * variants: strict fma
 */
#include "kernel.h"

#define SIZE 400
#define LIMIT 200

static int
escape(double x, double y)
{
	double u = 0, v = 0;
	int n = 0;

	while (n < LIMIT && u * u + v * v <= 4) {
		double t = u * u - v * v + x;

		v = 2 * u * v + y;
		u = t;
		n++;
	}
	return n;
}

int
main(int argc, char **argv)
{
	uint64_t sum = 0;

	for (long n = kernel_rounds(argc, argv, 85); n > 0; n--)
		for (int i = 0; i < SIZE; i++)
			for (int j = 0; j < SIZE; j++)
				sum = kernel_mix(sum, (uint64_t)escape(-2.2 + 3.0 * j / SIZE,
								       -1.5 + 3.0 * i / SIZE + 1e-6 * (double)n));
	return kernel_done(sum);
}

/* Planets under gravity, velocity Verlet: divide, square root, long dependency
 * chains in double precision.
 * class: floating point
 * variants: strict fma
 */
#include "kernel.h"

#include <math.h>

#define BODIES 6

struct body {
	double position[3], velocity[3], acceleration[3], mass;
};

static struct body bodies[BODIES];

static void
accelerate(void)
{
	for (int i = 0; i < BODIES; i++)
		for (int k = 0; k < 3; k++)
			bodies[i].acceleration[k] = 0;
	for (int i = 0; i < BODIES; i++)
		for (int j = i + 1; j < BODIES; j++) {
			double d[3], r2 = 1e-3, f;

			for (int k = 0; k < 3; k++) {
				d[k] = bodies[j].position[k] - bodies[i].position[k];
				r2 += d[k] * d[k];
			}
			f = 1 / (r2 * sqrt(r2));
			for (int k = 0; k < 3; k++) {
				bodies[i].acceleration[k] += d[k] * f * bodies[j].mass;
				bodies[j].acceleration[k] -= d[k] * f * bodies[i].mass;
			}
		}
}

static void
step(double t)
{
	for (int i = 0; i < BODIES; i++)
		for (int k = 0; k < 3; k++) {
			bodies[i].velocity[k] += bodies[i].acceleration[k] * (t / 2);
			bodies[i].position[k] += bodies[i].velocity[k] * t;
		}
	accelerate();
	for (int i = 0; i < BODIES; i++)
		for (int k = 0; k < 3; k++)
			bodies[i].velocity[k] += bodies[i].acceleration[k] * (t / 2);
}

int
main(int argc, char **argv)
{
	uint64_t random = 19, sum = 0, bits;

	for (int i = 0; i < BODIES; i++) {
		bodies[i].mass = i ? 1.0 / (8 * i) : 4;
		for (int k = 0; k < 3; k++) {
			bodies[i].position[k] = i * (kernel_random(&random) / 4294967296.0 - 0.5);
			bodies[i].velocity[k] = i ? kernel_random(&random) / 4294967296.0 - 0.5 : 0;
		}
	}
	accelerate();
	for (long n = kernel_rounds(argc, argv, 13000000); n > 0; n--)
		step(1e-4);
	for (int i = 0; i < BODIES; i++)
		for (int k = 0; k < 3; k++) {
			memcpy(&bits, &bodies[i].position[k], 8);
			sum = kernel_mix(sum, bits);
		}
	return kernel_done(sum);
}

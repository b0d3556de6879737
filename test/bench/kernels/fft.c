/* Fast Fourier transform, radix 2, in place, forth and back: butterflies over
 * growing strides, double precision. Twiddles by recurrence, not by libm, whose
 * results differ between libraries.
 * class: floating point
 * variants: strict fma
 */
#include "kernel.h"

#include <math.h>

#define BITS 12
#define N (1 << BITS)

struct complex {
	double re, im;
};

/* A complex product leaves open which of two multiplications is fused with
 * the addition, and compilers choose differently; said here, so that both
 * sides print the same. */
static inline double
multiply_add(double x, double y, double z)
{
#if KERNEL_FMA
	return __builtin_fma(x, y, z);
#else
	return x * y + z;
#endif
}

static inline struct complex
multiply(struct complex a, struct complex b)
{
	return (struct complex){ multiply_add(a.re, b.re, -(a.im * b.im)),
				 multiply_add(a.re, b.im, a.im * b.re) };
}

static struct complex data[N], twiddle[N / 2];

/* exp(2 pi i k / N) by halving angles, which needs but square roots. */
static void
make_twiddles(void)
{
	struct complex root[BITS]; /* root[k] = exp(2 pi i / 2^(k+1)) */

	root[0] = (struct complex){ -1, 0 };
	root[1] = (struct complex){ 0, 1 };
	for (int k = 2; k < BITS; k++) {
		root[k].re = sqrt((1 + root[k - 1].re) / 2);
		root[k].im = root[k - 1].im / (2 * root[k].re);
	}
	for (int i = 0; i < N / 2; i++) {
		struct complex w = { 1, 0 };

		for (int k = 0; k < BITS; k++)
			if (i & N >> (k + 1))
				w = multiply(w, root[k]);
		twiddle[i] = w;
	}
}

static void
transform(double sign)
{
	for (unsigned i = 0, j = 0; i < N; i++) {
		unsigned bit = N >> 1;

		if (i < j) {
			struct complex t = data[i];

			data[i] = data[j];
			data[j] = t;
		}
		for (; j & bit; bit >>= 1)
			j ^= bit;
		j ^= bit;
	}
	for (int half = 1; half < N; half *= 2)
		for (int base = 0; base < N; base += 2 * half)
			for (int k = 0; k < half; k++) {
				struct complex w = twiddle[k * (N / 2 / half)];
				struct complex a = data[base + k], b = data[base + half + k], t;

				w.im *= sign;
				t = multiply(b, w);
				data[base + k] = (struct complex){ a.re + t.re, a.im + t.im };
				data[base + half + k] = (struct complex){ a.re - t.re, a.im - t.im };
			}
}

int
main(int argc, char **argv)
{
	uint64_t random = 29, sum = 0, bits;

	make_twiddles();
	for (int i = 0; i < N; i++)
		data[i].re = kernel_random(&random) / 4294967296.0 - 0.5;
	for (long n = kernel_rounds(argc, argv, 20000); n > 0; n--) {
		transform(1);
		transform(-1);
		for (int i = 0; i < N; i++) {
			data[i].re /= N;
			data[i].im /= N;
		}
	}
	for (int i = 0; i < N; i++) {
		memcpy(&bits, &data[i].re, 8);
		sum = kernel_mix(sum, bits);
	}
	return kernel_done(sum);
}

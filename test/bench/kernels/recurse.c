/* Recursive calls: Fibonacci, Ackermann, Takeuchi. Nearly all time goes to
 * call, return and the stack.
 * class: integer
 * flags: -fno-optimize-sibling-calls
 */
#include "kernel.h"

#define CALLED __attribute__((noinline, noclone))

static CALLED uint64_t
fibonacci(uint64_t n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static CALLED uint64_t
ackermann(uint64_t m, uint64_t n)
{
	if (!m)
		return n + 1;
	if (!n)
		return ackermann(m - 1, 1);
	return ackermann(m - 1, ackermann(m, n - 1));
}

static CALLED int
takeuchi(int x, int y, int z)
{
	return y >= x ? z : takeuchi(takeuchi(x - 1, y, z), takeuchi(y - 1, z, x), takeuchi(z - 1, x, y));
}

int
main(int argc, char **argv)
{
	uint64_t sum = 0;

	for (long n = kernel_rounds(argc, argv, 80); n > 0; n--) {
		uint64_t fib = 32, ack = 8;
		int tak = 18;

		OPAQUE(fib);
		OPAQUE(ack);
		OPAQUE(tak);
		sum = kernel_mix(sum, fibonacci(fib));
		sum = kernel_mix(sum, ackermann(3, ack));
		for (int i = 0; i < 100; i++)
			sum = kernel_mix(sum, (uint64_t)takeuchi(tak, 12, 6));
	}
	return kernel_done(sum);
}

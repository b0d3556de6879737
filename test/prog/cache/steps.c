/* A program with enough code of its own for the disk cache: prints what its
 * functions make of the seed that it is built with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SEED
#define SEED 1
#endif

static unsigned long x = SEED;

#define STEP(n)                                                                   \
	__attribute__((noinline)) static void step##n(int depth)                   \
	{                                                                          \
		for (int i = 0; i < 3; i++)                                        \
			x = (x ^ (n + SEED)) * 2654435761u + (x >> (n % 13 + 1)); \
		if (depth)                                                         \
			step##n(depth - 1);                                        \
	}
STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6) STEP(7) STEP(8) STEP(9) STEP(10)

static int
compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int
main(void)
{
	static void (*const step[])(int) = { step1, step2, step3, step4, step5, step6, step7, step8, step9, step10 };
	int list[50];
	double sum = 0;

	for (int i = 0; i < 100; i++)
		step[i % 10](i % 4);
	for (int i = 0; i < 50; i++)
		list[i] = (int)(x >> (i % 20)) & 0xffff;
	qsort(list, 50, sizeof *list, compare);
	for (int i = 1; i <= 50; i++)
		sum += list[i - 1] / (double)i;
	printf("%lx %d %.6f\n", x, list[25], sum);
	return 0;
}

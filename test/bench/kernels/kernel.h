/* What every kernel of the benchmark has: it takes a number of rounds as its
 * argument (the default takes one to two seconds on a machine of 2020 at -O2),
 * does its work on data that it makes itself, and prints one checksum, so that
 * two builds can be held against each other. No clock, no file, no locale.
 *
 * test/bench/run reads a kernel's head comment: `class:` the row group it is
 * averaged in, `variants:` strict (no contraction) and fma (with it, and with
 * KERNEL_FMA=1) for floating point, `flags:` more for the compiler.
 */
#ifndef TEST_BENCH_KERNEL_H
#define TEST_BENCH_KERNEL_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef KERNEL_FMA
#define KERNEL_FMA 0
#endif

/* Keeps a value out of the compiler's knowledge, costs nothing. */
#define OPAQUE(x) __asm__ volatile("" : "+r"(x))

static inline long
kernel_rounds(int argc, char **argv, long usual)
{
	return argc > 1 ? atol(argv[1]) : usual;
}

/* A linear congruential generator (Knuth's MMIX constants), upper half. */
static inline uint32_t
kernel_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 32);
}

/* Mixes one more value into a checksum (FNV-1a by words). */
static inline uint64_t
kernel_mix(uint64_t sum, uint64_t value)
{
	return (sum ^ value) * 1099511628211u;
}

static inline int
kernel_done(uint64_t sum)
{
	printf("%016llx\n", (unsigned long long)sum);
	return 0;
}

#endif

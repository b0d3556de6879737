/* Exclusives and LSE atomics of all sizes, alone and by several threads; tagged
 * addresses; what misaligned atomics and jumps get.
 * out: good
 */
#pragma GCC target("arch=armv8.4-a")
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>

#include "check.h"

#define THREADS 4
#define ROUNDS 20000

static uint64_t count_x, count_lse;
static uint8_t count_b;
static uint16_t count_h;
static _Alignas(16) struct {
	uint64_t low, high;
} pair, pair_lse;

static void
add_exclusive(void)
{
	__asm__ volatile("1: ldaxr x9, [%0]; add x9, x9, 1; stlxr w10, x9, [%0]; cbnz w10, 1b" : : "r"(&count_x)
			 : "x9", "x10", "memory");
	__asm__ volatile("1: ldxrb w9, [%0]; add w9, w9, 1; stxrb w10, w9, [%0]; cbnz w10, 1b" : : "r"(&count_b)
			 : "x9", "x10", "memory");
	__asm__ volatile("1: ldaxrh w9, [%0]; add w9, w9, 1; stxrh w10, w9, [%0]; cbnz w10, 1b" : : "r"(&count_h)
			 : "x9", "x10", "memory");
	/* The halves always differ by as much. */
	__asm__ volatile("1: ldaxp x9, x11, [%0]; add x9, x9, 1; add x11, x11, 3; stlxp w10, x9, x11, [%0]; cbnz w10, 1b"
			 : : "r"(&pair) : "x9", "x10", "x11", "memory");
}

static void
add_lse(void)
{
	__asm__ volatile("ldaddal %0, x9, [%1]" : : "r"(1ul), "r"(&count_lse) : "x9", "memory");
	__asm__ volatile("ldp x2, x3, [%0]\n"
			 "1: mov x6, x2; mov x7, x3; add x4, x2, 1; add x5, x3, 3\n\t"
			 "caspal x2, x3, x4, x5, [%0]; cmp x2, x6; ccmp x3, x7, 0, eq; b.ne 1b"
			 : : "r"(&pair_lse) : "x2", "x3", "x4", "x5", "x6", "x7", "cc", "memory");
}

static void *
adder(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		add_exclusive();
		add_lse();
	}
	return unused;
}

static void
test_threads(void)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, adder, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK(count_x == THREADS * ROUNDS && count_lse == THREADS * ROUNDS);
	CHECK(count_b == (uint8_t)(THREADS * ROUNDS) && count_h == (uint16_t)(THREADS * ROUNDS));
	CHECK(pair.low == THREADS * ROUNDS && pair.high == 3 * THREADS * ROUNDS);
	CHECK(pair_lse.low == THREADS * ROUNDS && pair_lse.high == 3 * THREADS * ROUNDS);
}

static void
test_monitor(void)
{
	uint64_t word = 5, lost;

	__asm__ volatile("ldxr x9, [%1]; clrex; stxr %w0, x9, [%1]" : "=&r"(lost) : "r"(&word) : "x9", "memory");
	CHECK(lost == 1);
	__asm__ volatile("stxr %w0, xzr, [%1]" : "=&r"(lost) : "r"(&word) : "memory");
	CHECK(lost == 1 && word == 5);
	__asm__ volatile("ldxr x9, [%1]; mov x9, 7; stxr %w0, x9, [%1]" : "=&r"(lost) : "r"(&word) : "x9", "memory");
	CHECK(lost == 0 && word == 7);
}

/* The top byte of an address is ignored, in all sorts of accesses. */
static void
test_tags(void)
{
	static uint64_t words[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	uint64_t *tagged = (uint64_t *)((uintptr_t)words | 0xa5ul << 56), sum = 0;
	__uint128_t both;

	for (int i = 0; i < 8; i++)
		sum += tagged[i];
	CHECK(sum == 36);
	__asm__ volatile("ldr %q0, [%1, 16]" : "=w"(both) : "r"(tagged));
	CHECK(both == ((__uint128_t)4 << 64 | 3));
	CHECK(__atomic_fetch_add(tagged, 9, __ATOMIC_SEQ_CST) == 1 && words[0] == 10);
	__asm__ volatile("1: ldxr x9, [%0]; add x9, x9, 1; stxr w10, x9, [%0]; cbnz w10, 1b" : : "r"(tagged + 1)
			 : "x9", "x10", "memory");
	CHECK(words[1] == 3);
}

static sigjmp_buf back;
static volatile uintptr_t address;
static volatile int code;

static void
on_bus(int signal, siginfo_t *info, void *context)
{
	(void)context;
	address = (uintptr_t)info->si_addr;
	code = info->si_code;
	siglongjmp(back, signal);
}

static void
test_misaligned(void)
{
	struct sigaction action = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO };
	static uint64_t words[2];
	uintptr_t odd = (uintptr_t)words + 1;

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	if (!sigsetjmp(back, 1)) {
		__asm__ volatile("ldaxr x9, [%0]" : : "r"(odd) : "x9", "memory");
		CHECK(0);
	}
	CHECK(address == odd && code == BUS_ADRALN);
	if (!sigsetjmp(back, 1)) {
		((void (*)(void))((uintptr_t)test_tags + 2))();
		CHECK(0);
	}
	CHECK(address == (uintptr_t)test_tags + 2 && code == BUS_ADRALN);
	address = 0;
	if (!sigsetjmp(back, 1)) {
		((void (*)(void))1)();
		CHECK(0);
	}
	CHECK(address == 1 && code == BUS_ADRALN);
}

int
main(void)
{
	test_threads();
	test_monitor();
	test_tags();
	test_misaligned();
	return check_done();
}

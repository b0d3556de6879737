/* The program that the small operating system runs: a family of processes that
 * compute, touch memory and check that nobody else's got into it. */
#include <stdint.h>

#define HEAP ((volatile uint64_t *)0x140000000ul)
#define PAGES 48
#define CHILDREN 24
enum { CALL_WRITE, CALL_FORK, CALL_EXIT, CALL_WAIT, CALL_YIELD, CALL_HART };

static inline int64_t
call(uint64_t number, uint64_t argument)
{
	register uint64_t a0 __asm__("a0") = argument, a7 __asm__("a7") = number;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7) : "memory");
	return (int64_t)a0;
}

/* A walk through pages in an order of its own, which leaves a mark in each. */
static uint64_t
work(uint64_t seed)
{
	uint64_t sum = 0;

	for (unsigned round = 0; round < 60; round++) {
		for (unsigned i = 0; i < PAGES; i++) {
			seed = seed * 6364136223846793005ul + 1442695040888963407ul;
			volatile uint64_t *word = HEAP + (seed >> 33) % PAGES * 512 + (seed >> 50) % 512;

			*word = *word + seed;
			sum += *word;
		}
		if (round % 16 == 0)
			call(CALL_YIELD, 0);
	}
	return sum;
}

/* Reads a page at thousands of places of code, then writes to it at others. What a
 * place knows of a page must not let another one do more than it may. Both words
 * end as 8. */
static void
places(volatile uint64_t *words)
{
	uint64_t at = (uint64_t)words, flip = 8;

	__asm__ volatile(".rept 4096\n\txor %0, %0, %1\n\tld t0, 0(%0)\n\t.endr\n\t"
			 ".rept 64\n\txor %0, %0, %1\n\tsd %1, 0(%0)\n\t.endr"
			 : "+r"(at) : "r"(flip) : "t0", "memory");
}

/* Adds i to four neighbouring words in the i-th round, each time in another page, and
 * in each third across the end of one. Memory was zero, and is again. True: it held
 * what it should. */
static int
wander(void)
{
	uint64_t due = 0, sum = 0, word;

	for (uint64_t i = 0; i < 6000; i++) {
		uint64_t first = i % (PAGES - 1) * 512 + (i % 3 ? 64 : 510);

		__asm__ volatile("ld %0, 0(%1)\n\tadd %0, %0, %2\n\tsd %0, 0(%1)\n\t"
				 "ld %0, 8(%1)\n\tadd %0, %0, %2\n\tsd %0, 8(%1)\n\t"
				 "ld %0, 16(%1)\n\tadd %0, %0, %2\n\tsd %0, 16(%1)\n\t"
				 "ld %0, 24(%1)\n\tadd %0, %0, %2\n\tsd %0, 24(%1)"
				 : "=&r"(word) : "r"(HEAP + first), "r"(i) : "memory");
		due += i * (4 * first + 6);
	}
	for (uint64_t i = 0; i < PAGES * 512; i++) {
		sum += i * HEAP[i];
		HEAP[i] = 0;
	}
	return sum == due;
}

/* What work leaves does not depend on who ran meanwhile: done twice, from the same
 * memory, it comes to the same. */
static int64_t
child(uint64_t number)
{
	uint64_t first, second;
	volatile uint64_t *page = HEAP + number % PAGES * 512;
	int64_t grandchild;

	first = work(number);
	for (unsigned i = 0; i < PAGES * 512; i++)
		HEAP[i] = 0;
	second = work(number);
	for (unsigned i = 0; i < PAGES * 512; i++)
		HEAP[i] = 0;
	grandchild = call(CALL_FORK, 0);
	if (!grandchild) {
		places(page);
		if (page[0] != 8 || page[1] != 8)
			return 7;
		page[0] = page[1] = 0;
		if (number % 8 == 0 && !wander())
			return 8;
		return work(number) == first ? 5 : 6;
	}
	if (call(CALL_WAIT, 0) != 5)
		return 2;
	/* Memory that the grandchild wrote is still ours as it was. */
	return first == second && page[0] == 0 && page[1] == 0 && work(number) == first ? 0 : 1;
}

int64_t
user_main(void)
{
	int64_t bad = 0;

	for (unsigned i = 0; i < CHILDREN; i++) {
		int64_t pid = call(CALL_FORK, 0);

		if (pid < 0)
			return 100;
		if (!pid)
			return child(i + 1);
	}
	/* One that must fault and nothing else: it writes to its own code. */
	if (!call(CALL_FORK, 0)) {
		*(volatile uint32_t *)0x100000000ul = 0;
		return 0;
	}
	for (unsigned i = 0; i < CHILDREN + 1; i++) {
		int64_t status = call(CALL_WAIT, 0);

		if (status == -15)
			call(CALL_WRITE, 'F');
		else
			call(CALL_WRITE, status ? '!' : '.');
		bad += status && status != -15;
	}
	call(CALL_WRITE, '\n');
	return bad || call(CALL_WAIT, 0) != -1;
}

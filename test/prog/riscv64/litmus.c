/* Litmus tests of the memory model (RVWMO, manual I, 17 and appendix A): outcomes
 * that it forbids must never be seen. Four threads go through arrays of places at
 * once, each place a cache line of its own, so that accesses of all threads to one
 * place meet; then every place is judged.
 * out: good
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "check.h"

#define PLACES 512
#define MILLISECONDS 100 /* for each test */
#define THREADS 4

/* Locations x and y, and what the threads read, by thread. */
struct place {
	_Alignas(64) uint64_t x;
	_Alignas(64) uint64_t y;
	_Alignas(64) uint64_t seen[THREADS][2];
};

struct test {
	const char *name;
	void (*thread[THREADS])(struct place *);
	int (*forbidden)(const struct place *);
};

static struct place places[PLACES];
static atomic_uint arrived, batch;
/* Written by the thread that judges, while the others wait. */
static unsigned current;
static int64_t until;

/* One thread's program on place p: a0 is x, a1 y, a2 what it saw. */
#define PROGRAM(name, who, code) \
	static void name(struct place *p) \
	{ \
		register uint64_t *x __asm__("a0") = &p->x, *y __asm__("a1") = &p->y, *seen __asm__("a2") = p->seen[who]; \
\
		__asm__ volatile("li t2, 1\n\t" code "\n\tsd t0, 0(a2)\n\tsd t1, 8(a2)" : : "r"(x), "r"(y), "r"(seen) \
				 : "t0", "t1", "t2", "memory"); \
	}

#define STORE_X "sd t2, 0(a0)\n\t"
#define STORE_Y "sd t2, 0(a1)\n\t"
#define LOAD_X "ld t0, 0(a0)\n\t"
#define LOAD_Y "ld t0, 0(a1)\n\t"
#define LOAD_X_SECOND "ld t1, 0(a0)\n\t"
#define LOAD_Y_SECOND "ld t1, 0(a1)\n\t"
#define FENCE "fence rw, rw\n\t"

/* Store buffering: each stores, then loads what the other stores; not both 0. */
PROGRAM(sb_fence_0, 0, STORE_X FENCE LOAD_Y)
PROGRAM(sb_fence_1, 1, STORE_Y FENCE LOAD_X)
PROGRAM(sb_wr_0, 0, STORE_X "fence w, r\n\t" LOAD_Y)
PROGRAM(sb_wr_1, 1, STORE_Y "fence w, r\n\t" LOAD_X)
PROGRAM(sb_amo_0, 0, "amoswap.d.aqrl zero, t2, (a0)\n\tamoor.d.aqrl t0, zero, (a1)")
PROGRAM(sb_amo_1, 1, "amoswap.d.aqrl zero, t2, (a1)\n\tamoor.d.aqrl t0, zero, (a0)")
PROGRAM(sb_lrsc_0, 0, "1: lr.d.aqrl t1, (a0)\n\tsc.d.aqrl t1, t2, (a0)\n\tbnez t1, 1b\n\tlr.d.aqrl t0, (a1)")
PROGRAM(sb_lrsc_1, 1, "1: lr.d.aqrl t1, (a1)\n\tsc.d.aqrl t1, t2, (a1)\n\tbnez t1, 1b\n\tlr.d.aqrl t0, (a0)")

static int
sb(const struct place *p)
{
	return !p->seen[0][0] && !p->seen[1][0];
}

/* Message passing: who sees the flag y sees the message x. */
PROGRAM(mp_fence_0, 0, STORE_X "fence w, w\n\t" STORE_Y)
PROGRAM(mp_fence_1, 1, LOAD_Y "fence r, r\n\t" LOAD_X_SECOND)
PROGRAM(mp_tso_0, 0, STORE_X "fence.tso\n\t" STORE_Y)
PROGRAM(mp_tso_1, 1, LOAD_Y "fence.tso\n\t" LOAD_X_SECOND)
PROGRAM(mp_amo_0, 0, STORE_X "amoadd.d.rl zero, t2, (a1)")
PROGRAM(mp_amo_1, 1, "amoor.d.aq t0, zero, (a1)\n\t" LOAD_X_SECOND)
PROGRAM(mp_address_1, 1, LOAD_Y "xor t1, t0, t0\n\tadd t1, t1, a0\n\tld t1, 0(t1)")

static int
mp(const struct place *p)
{
	return p->seen[1][0] && !p->seen[1][1];
}

/* Load buffering: not each what the other stores behind its load. */
PROGRAM(lb_0, 0, LOAD_X "xor t1, t0, t0\n\taddi t1, t1, 1\n\tsd t1, 0(a1)")
PROGRAM(lb_1, 1, LOAD_Y "fence r, w\n\t" STORE_X)

static int
lb(const struct place *p)
{
	return p->seen[0][0] && p->seen[1][0];
}

/* Coherence: a place never goes back, for a thread that writes (1, 2) and one that reads. */
PROGRAM(corr_0, 0, STORE_X "li t2, 2\n\t" STORE_X)
PROGRAM(corr_1, 1, LOAD_X LOAD_X_SECOND)

static int
corr(const struct place *p)
{
	return p->seen[1][1] < p->seen[1][0];
}

/* Two threads write both places the other way round: the last of each cannot be both firsts. */
PROGRAM(w22_0, 0, STORE_X FENCE "li t2, 2\n\t" STORE_Y)
PROGRAM(w22_1, 1, STORE_Y FENCE "li t2, 2\n\t" STORE_X)

static int
w22(const struct place *p)
{
	return p->x == 1 && p->y == 1;
}

/* Independent reads of independent writes: both readers see one order. */
PROGRAM(iriw_0, 0, STORE_X)
PROGRAM(iriw_1, 1, STORE_Y)
PROGRAM(iriw_2, 2, LOAD_X "fence r, r\n\t" LOAD_Y_SECOND)
PROGRAM(iriw_3, 3, LOAD_Y "fence r, r\n\t" LOAD_X_SECOND)

static int
iriw(const struct place *p)
{
	return p->seen[2][0] && !p->seen[2][1] && p->seen[3][0] && !p->seen[3][1];
}

/* Write to read causality: x is seen by 1, which tells by y; who sees y sees x. */
PROGRAM(wrc_0, 0, STORE_X)
PROGRAM(wrc_1, 1, LOAD_X "fence rw, w\n\tsd t0, 0(a1)")
PROGRAM(wrc_2, 2, LOAD_Y "fence r, rw\n\t" LOAD_X_SECOND)

static int
wrc(const struct place *p)
{
	return p->seen[2][0] && !p->seen[2][1];
}

/* A wide store is seen as a whole, whatever its order. */
PROGRAM(single_0, 0, "li t2, -1\n\t" STORE_X)
PROGRAM(single_1, 1, LOAD_X LOAD_X_SECOND)

static int
single(const struct place *p)
{
	return (p->seen[1][0] && p->seen[1][0] != ~0ull) || (p->seen[1][1] && p->seen[1][1] != ~0ull);
}

static const struct test tests[] = {
	{ "SB+fence.rw.rw", { sb_fence_0, sb_fence_1 }, sb },
	{ "SB+fence.w.r", { sb_wr_0, sb_wr_1 }, sb },
	{ "SB+amo.aqrl", { sb_amo_0, sb_amo_1 }, sb },
	{ "SB+lr-sc.aqrl", { sb_lrsc_0, sb_lrsc_1 }, sb },
	{ "MP+fence.w.w+fence.r.r", { mp_fence_0, mp_fence_1 }, mp },
	{ "MP+fence.tso", { mp_tso_0, mp_tso_1 }, mp },
	{ "MP+amo.rl+amo.aq", { mp_amo_0, mp_amo_1 }, mp },
	{ "MP+fence.w.w+address", { mp_fence_0, mp_address_1 }, mp },
	{ "LB+data+fence.r.w", { lb_0, lb_1 }, lb },
	{ "CoRR", { corr_0, corr_1 }, corr },
	{ "2+2W+fence.rw.rw", { w22_0, w22_1 }, w22 },
	{ "IRIW+fence.r.r", { iriw_0, iriw_1, iriw_2, iriw_3 }, iriw },
	{ "WRC+fence.rw.w+fence.r.rw", { wrc_0, wrc_1, wrc_2 }, wrc },
	{ "single-copy", { single_0, single_1 }, single },
};
#define TESTS (sizeof(tests) / sizeof(tests[0]))

static int64_t
milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Looks at all places, clears them, and goes on to the next test when this one has had its time. */
static void
judge(void)
{
	const struct test *test = &tests[current];
	int64_t now = milliseconds();

	for (int i = 0; i < PLACES; i++) {
		if (test->forbidden(&places[i]))
			printf("%s: forbidden outcome seen\n", test->name);
		places[i] = (struct place){ 0 };
	}
	if (now < until)
		return;
	until = now + MILLISECONDS;
	current++;
}

/* All threads leave it at once, when the last has come, which judges before. */
static void
meet(unsigned number)
{
	if (atomic_fetch_add(&arrived, 1) == THREADS - 1) {
		judge();
		atomic_store(&arrived, 0);
		atomic_store(&batch, number + 1);
		return;
	}
	for (unsigned spins = 1; atomic_load(&batch) == number; spins++) {
		if (spins % 1024 == 0)
			sched_yield();
	}
}

static void *
go(void *self)
{
	unsigned me = (unsigned)(uintptr_t)self;

	for (unsigned number = 0; current < TESTS; number++) {
		void (*program)(struct place *) = tests[current].thread[me];

		/* In every second batch odd threads begin at the other end, so that other accesses meet. */
		for (int i = 0; program && i < PLACES; i++)
			program(&places[number & me & 1 ? PLACES - 1 - i : i]);
		meet(number);
	}
	return NULL;
}

int
main(void)
{
	pthread_t threads[THREADS];

	until = milliseconds() + MILLISECONDS;
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, go, (void *)i));
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(threads[i], NULL));
	return check_done();
}

/* Litmus tests of a memory model: outcomes that it forbids must never be seen. Four
 * threads go through arrays of places at once, each place some cache lines of
 * its own, so that accesses of all threads to one place meet; then every place is
 * judged.
 */
#ifndef TEST_PROG_LITMUS_H
#define TEST_PROG_LITMUS_H

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

/* Locations x (and the word behind it) and y, and what the threads read, by thread. */
struct place {
	_Alignas(64) uint64_t x, x_high;
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
static const struct test *current, *last;
static int64_t until;

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
	int64_t now = milliseconds();

	for (int i = 0; i < PLACES; i++) {
		if (current->forbidden(&places[i]))
			printf("%s: forbidden outcome seen\n", current->name);
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

	for (unsigned number = 0; current != last; number++) {
		void (*program)(struct place *) = current->thread[me];

		/* In every second batch odd threads begin at the other end, so that other accesses meet. */
		for (int i = 0; program && i < PLACES; i++)
			program(&places[number & me & 1 ? PLACES - 1 - i : i]);
		meet(number);
	}
	return NULL;
}

/* Runs the tests, each for some time. */
static int
run_tests(const struct test *tests, unsigned count)
{
	pthread_t threads[THREADS];

	current = tests;
	last = tests + count;
	until = milliseconds() + MILLISECONDS;
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, go, (void *)i));
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(threads[i], NULL));
	return check_done();
}

/* ---- outcomes that are forbidden ---------------------------------------- */

/* Store buffering: each stores, then loads what the other stores; not both 0. */
static int
sb(const struct place *p)
{
	return !p->seen[0][0] && !p->seen[1][0];
}

/* Message passing: who sees the flag y sees the message x. */
static int
mp(const struct place *p)
{
	return p->seen[1][0] && !p->seen[1][1];
}

/* Load buffering: not each what the other stores behind its load. */
static int
lb(const struct place *p)
{
	return p->seen[0][0] && p->seen[1][0];
}

/* Coherence: a place never goes back, for a thread that writes (1, 2) and one that reads. */
static int
corr(const struct place *p)
{
	return p->seen[1][1] < p->seen[1][0];
}

/* Two threads write both places the other way round: the last of each cannot be both firsts. */
static int
w22(const struct place *p)
{
	return p->x == 1 && p->y == 1;
}

/* Independent reads of independent writes: both readers see one order. */
static int
iriw(const struct place *p)
{
	return p->seen[2][0] && !p->seen[2][1] && p->seen[3][0] && !p->seen[3][1];
}

/* Write to read causality: x is seen by 1, which tells by y; who sees y sees x. */
static int
wrc(const struct place *p)
{
	return p->seen[2][0] && !p->seen[2][1];
}

/* A store is seen as a whole: all ones. */
static int
single(const struct place *p)
{
	return (p->seen[1][0] && p->seen[1][0] != ~0ull) || (p->seen[1][1] && p->seen[1][1] != ~0ull);
}

#endif

/* Two threads on shared atomics: fetch-and-add, compare-and-swap loops,
 * exchange, a ticket lock.
 * class: threads
 * flags: -pthread
 */
#include "kernel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define THREADS 2

static _Atomic uint64_t counter, maximum, bits, next_ticket, now_serving;
static uint64_t guarded;
static long rounds;

static void
lock_ticket(void)
{
	uint64_t mine = atomic_fetch_add_explicit(&next_ticket, 1, memory_order_relaxed);
	unsigned spins = 0;

	while (atomic_load_explicit(&now_serving, memory_order_acquire) != mine)
		if (++spins % 64 == 0)
			sched_yield(); /* there may be one processor */
}

static void *
work(void *argument)
{
	uint64_t random = (uint64_t)(uintptr_t)argument;

	for (long n = 0; n < rounds; n++) {
		uint64_t value = kernel_random(&random), seen;

		for (int i = 0; i < 40; i++) {
			atomic_fetch_add(&counter, 3);
			atomic_fetch_xor(&bits, value << (i & 31));
			seen = atomic_load_explicit(&maximum, memory_order_relaxed);
			while (seen < value && !atomic_compare_exchange_weak(&maximum, &seen, value))
				;
			value = value * 5 + 1;
			value &= 0xffffffff;
		}
		if (n % 8 == 0) {
			lock_ticket();
			guarded++;
			atomic_fetch_add_explicit(&now_serving, 1, memory_order_release);
		}
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	pthread_t thread[THREADS];
	uint64_t sum = 0;

	rounds = kernel_rounds(argc, argv, 900000);
	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, work, (void *)(i + 1)))
			return 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	sum = kernel_mix(kernel_mix(sum, counter), maximum);
	return kernel_done(kernel_mix(kernel_mix(sum, bits), guarded));
}

/* Two threads that share a queue under a mutex with condition variables, and a
 * mutex that is mostly free: the library's locks over futex.
 * class: threads
 * flags: -pthread
 */
#include "kernel.h"

#include <pthread.h>

#define SLOTS 64

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t quiet = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER;
static uint64_t queue[SLOTS];
static unsigned head, tail;
static long rounds;

static void
put(uint64_t value)
{
	pthread_mutex_lock(&lock);
	while (tail - head == SLOTS)
		pthread_cond_wait(&not_full, &lock);
	queue[tail++ % SLOTS] = value;
	pthread_cond_signal(&not_empty);
	pthread_mutex_unlock(&lock);
}

static uint64_t
get(void)
{
	uint64_t value;

	pthread_mutex_lock(&lock);
	while (tail == head)
		pthread_cond_wait(&not_empty, &lock);
	value = queue[head++ % SLOTS];
	pthread_cond_signal(&not_full);
	pthread_mutex_unlock(&lock);
	return value;
}

static void *
produce(void *argument)
{
	uint64_t random = 31, *made = argument;

	for (long n = 0; n < rounds; n++) {
		uint64_t value = 0;

		for (int i = 0; i < 20; i++) {
			pthread_mutex_lock(&quiet);
			value += kernel_random(&random);
			pthread_mutex_unlock(&quiet);
		}
		*made += value;
		put(value);
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	pthread_t thread;
	uint64_t made = 0, sum = 0, taken = 0;

	rounds = kernel_rounds(argc, argv, 2000000);
	if (pthread_create(&thread, NULL, produce, &made))
		return 1;
	for (long n = 0; n < rounds; n++) {
		uint64_t value = get();

		taken += value;
		sum = kernel_mix(sum, value);
	}
	pthread_join(thread, NULL);
	if (taken != made)
		return 1;
	return kernel_done(sum);
}

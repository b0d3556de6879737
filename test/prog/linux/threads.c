/* Threads: mutexes, conditions, barriers, thread-local data, many of them,
 * robust and PI mutexes, cancellation, signals to one, exit in every way. */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "show.h"

#define THREADS 100
#define ROUNDS 200

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static int turn;
static unsigned long plain;
static atomic_ulong shared;
static __thread int own = 5;
static __thread char large[9000];

static void *
adder(void *argument)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		plain++;
		pthread_mutex_unlock(&mutex);
		shared++;
		own++;
	}
	MUST(own == 5 + ROUNDS && !large[8999]);
	large[8999] = 1;
	return argument;
}

static void
test_many(void)
{
	pthread_t thread[THREADS];
	void *result;
	long sum = 0;

	for (int round = 0; round < 3; round++) {
		for (long i = 0; i < THREADS; i++)
			MUST(!pthread_create(&thread[i], NULL, adder, (void *)i));
		for (int i = 0; i < THREADS; i++) {
			MUST(!pthread_join(thread[i], &result));
			sum += (long)result;
		}
	}
	printf("plain %lu shared %lu sum %ld own %d\n", plain, (unsigned long)shared, sum, own);
}

static void *
ping(void *argument)
{
	int me = (int)(long)argument;

	for (int i = 0; i < 500; i++) {
		pthread_mutex_lock(&mutex);
		while (turn != me)
			pthread_cond_wait(&turned, &mutex);
		turn = (turn + 1) % 3;
		pthread_cond_broadcast(&turned);
		pthread_mutex_unlock(&mutex);
	}
	pthread_barrier_wait(&barrier);
	return NULL;
}

static void
test_turns(void)
{
	pthread_t thread[3];

	pthread_barrier_init(&barrier, NULL, 4);
	for (long i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, ping, (void *)i);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	printf("turn %d\n", turn);
}

static void *
die_holding(void *argument)
{
	pthread_mutex_lock(argument);
	return NULL;
}

static void
test_robust(void)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t robust, pi;
	pthread_t thread;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &attr);
	pthread_create(&thread, NULL, die_holding, &robust);
	pthread_join(thread, NULL);
	printf("robust %d\n", pthread_mutex_lock(&robust) == EOWNERDEAD);
	pthread_mutex_consistent(&robust);
	SHOW(pthread_mutex_unlock(&robust));
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&pi, &attr);
	SHOW(pthread_mutex_lock(&pi));
	SHOW(pthread_mutex_unlock(&pi));
}

static void *
sleeper(void *argument)
{
	(void)argument;
	for (;;)
		pause();
}

static void
test_cancel(void)
{
	pthread_t thread;
	void *result;

	pthread_create(&thread, NULL, sleeper, NULL);
	SHOW(pthread_cancel(thread));
	SHOW(pthread_join(thread, &result));
	printf("cancelled %d\n", result == PTHREAD_CANCELED);
}

static atomic_int hits;
static pthread_t target;

static void
hit(int signal)
{
	(void)signal;
	MUST(pthread_equal(pthread_self(), target));
	hits++;
}

static atomic_int stop;

static void *
spinner(void *argument)
{
	unsigned long x = 1;

	while (!stop)
		x = x * 3 + 1;
	(void)argument;
	return (void *)(x & 0);
}

static void
test_kill(void)
{
	struct sigaction action = { .sa_handler = hit };

	sigaction(SIGUSR1, &action, NULL);
	stop = 0;
	pthread_create(&target, NULL, spinner, NULL);
	for (int i = 0; i < 200; i++) {
		int before = hits;

		MUST(!pthread_kill(target, SIGUSR1));
		while (hits == before)
			sched_yield();
	}
	stop = 1;
	pthread_join(target, NULL);
	printf("hits %d\n", hits);
}

/* fork in a process with threads: the child has one. */
static void
test_fork(void)
{
	pthread_t thread[4];
	int status;

	stop = 0;
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, spinner, NULL);
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (!pid) {
			pthread_t other;
			void *result;

			MUST(!pthread_create(&other, NULL, adder, (void *)7));
			MUST(!pthread_join(other, &result));
			_exit((int)(long)result + i);
		}
		MUST(waitpid(pid, &status, 0) == pid);
		MUST(WIFEXITED(status) && WEXITSTATUS(status) == 7 + i);
	}
	stop = 1;
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	printf("forked\n");
}

static atomic_int unwound;

/* Runs in pthread_exit behind the unwinding, which libgcc cannot do any more once exit
 * has run its destructors. */
static void
say_unwound(void *unused)
{
	(void)unused;
	unwound = 1;
}

static void *
leave(void *how)
{
	while (!unwound && (long)how < 2)
		sched_yield();
	usleep(20000);
	if (how)
		exit(9);
	return NULL;
}

/* The process ends when another thread says so; when the first thread ends, the
 * others go on. */
static void
test_exits(void)
{
	for (long how = 0; how < 3; how++) {
		pthread_t thread;
		pthread_key_t key;
		int status;
		pid_t pid;

		fflush(stdout);
		pid = fork();
		if (!pid) {
			pthread_key_create(&key, say_unwound);
			pthread_setspecific(key, &key);
			pthread_create(&thread, NULL, leave, (void *)how);
			if (how < 2)
				pthread_exit(NULL);
			for (;;)
				pause();
		}
		MUST(waitpid(pid, &status, 0) == pid);
		printf("how %ld: exited %d status %d\n", how, WIFEXITED(status), WEXITSTATUS(status));
	}
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_many();
	test_turns();
	test_robust();
	test_cancel();
	test_kill();
	test_fork();
	test_exits();
	return 0;
}

/* Threads come and go by the hundred while signals, maps and forks fly: nothing
 * is lost, nobody waits for ever. */
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "show.h"

#define THREADS 100

static atomic_int ran, wrong, stop, signals;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_here = PTHREAD_COND_INITIALIZER;
static int here;

static void
on_signal(int signal)
{
	signals++;
}

static void *
brief(void *argument)
{
	uint64_t x = (uint64_t)(uintptr_t)argument;

	for (int i = 0; i < 2000; i++)
		x = x * 6364136223846793005 + 1;
	ran++;
	return (void *)(uintptr_t)x;
}

/* Everybody waits for everybody, is shot at, and ends. */
static void *
gather(void *argument)
{
	pthread_mutex_lock(&mutex);
	if (++here % THREADS == 0)
		pthread_cond_broadcast(&all_here);
	else
		for (int target = (here + THREADS - 1) / THREADS * THREADS; here < target;)
			pthread_cond_wait(&all_here, &mutex);
	pthread_mutex_unlock(&mutex);
	ran++;
	return NULL;
}

static void *
shooter(void *argument)
{
	while (!stop) {
		kill(getpid(), SIGUSR1);
		usleep(50);
	}
	return NULL;
}

static void *
mapper(void *argument)
{
	while (!stop) {
		char *at = mmap(NULL, 64 << 10, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		MUST(at != MAP_FAILED);
		at[0] = at[40000] = 1;
		MUST(!mprotect(at, 4096, PROT_READ));
		MUST(!munmap(at + 4096, 8192));
		if (at[0] != 1 || at[40000] != 1)
			wrong++;
		MUST(!munmap(at, 64 << 10));
	}
	return NULL;
}

static void *
forker(void *argument)
{
	extern char **environ;
	char *argv[] = { "/proc/self/exe", "child", NULL };

	for (int i = 0; i < 10; i++) {
		int status = 0;
		pid_t child = 0;

		if (i % 5 == 0)
			MUST(!posix_spawn(&child, argv[0], NULL, NULL, argv, environ));
		else if (i % 5 == 1)
			child = vfork();
		else
			child = fork();
		if (!child && i % 5 == 1)
			_exit(3);
		if (!child) {
			pthread_t thread;

			/* A thread in the child of a fork of one of many. */
			MUST(!pthread_create(&thread, NULL, brief, argument));
			pthread_join(thread, NULL);
			_exit(3);
		}
		while (waitpid(child, &status, 0) < 0)
			MUST(errno == EINTR);
		if (status != 3 << 8)
			wrong++;
	}
	return NULL;
}

static void
run_rounds(const char *name, int rounds, int threads, void *(*body)(void *), void *(*noise)(void *))
{
	pthread_t thread[THREADS], noisy;

	ran = stop = 0;
	if (noise)
		MUST(!pthread_create(&noisy, NULL, noise, NULL));
	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < threads; i++)
			MUST(!pthread_create(&thread[i], NULL, body, (void *)(uintptr_t)i));
		for (int i = 0; i < threads; i++)
			pthread_join(thread[i], NULL);
	}
	stop = 1;
	if (noise)
		pthread_join(noisy, NULL);
	printf("%s: %d ran, %d wrong\n", name, ran, wrong);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	if (argc > 1)
		return 3;
	sigaction(SIGUSR1, &action, NULL);
	run_rounds("brief, shot at", 5, THREADS, brief, shooter);
	run_rounds("gathered, shot at", 3, THREADS, gather, shooter);
	run_rounds("brief among maps", 5, THREADS, brief, mapper);
	run_rounds("forks, shot at", 1, 8, forker, shooter);
	run_rounds("forks among maps", 1, 8, forker, mapper);
	printf("signals %d\n", signals > 0);
	return 0;
}

/* Signal storms: none may be lost, doubled or break what it interrupts. Queued
 * signals are counted exactly while threads compute, wait, fork, allocate and
 * change their masks. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "show.h"

#define SIGNALS 4000
#define WORKERS 4

static atomic_int counted, finished, wrong;

static void
count(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	if (info->si_code != SI_QUEUE || info->si_value.sival_int != 12345)
		wrong++;
	counted++;
}

static uint64_t
mix(uint64_t x)
{
	for (int i = 0; i < 200; i++)
		x = (x ^ x >> 13) * 0x9e3779b97f4a7c15 + (uint64_t)i;
	return x;
}

static double
series(int n)
{
	double sum = 0;

	for (int i = 1; i <= n; i++)
		sum += 1.0 / ((double)i * i) - 1.0 / (3.0 + i);
	return sum;
}

static void *
compute(void *argument)
{
	uint64_t want = mix(7);
	double sum = series(300);

	while (!finished)
		if (mix(7) != want || series(300) != sum)
			wrong++;
	return argument;
}

static void *
transfer(void *argument)
{
	int pair[2];
	unsigned n = 0, got;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		wrong++;
	while (!finished) {
		if (write(pair[0], &n, sizeof n) != sizeof n || read(pair[1], &got, sizeof got) != sizeof got ||
		    got != n++)
			wrong++;
	}
	return argument;
}

static void *
change(void *argument)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 2);
	while (!finished) {
		void *p;

		pthread_sigmask(SIG_BLOCK, &set, &old);
		p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED || *(volatile char *)p || munmap(p, 8192))
			wrong++;
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		free(malloc(100));
	}
	return argument;
}

static void *
breed(void *argument)
{
	while (!finished) {
		int status;
		pid_t pid = fork();

		if (!pid)
			_exit(5);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 5)
			wrong++;
	}
	return argument;
}

int
main(void)
{
	void *(*const work[WORKERS])(void *) = { compute, transfer, change, breed };
	struct sigaction action = { .sa_sigaction = count, .sa_flags = SA_SIGINFO | SA_RESTART };
	pthread_t thread[WORKERS];

	sigaction(SIGRTMIN + 2, &action, NULL);
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&thread[i], NULL, work[i], NULL);
	for (int i = 0; i < SIGNALS; i++) {
		union sigval value = { .sival_int = 12345 };

		if (i & 1)
			while (sigqueue(getpid(), SIGRTMIN + 2, value))
				sched_yield();
		else
			while (pthread_sigqueue(thread[i / 2 % WORKERS], SIGRTMIN + 2, value))
				sched_yield();
	}
	while (counted < SIGNALS)
		sched_yield();
	finished = 1;
	for (int i = 0; i < WORKERS; i++)
		pthread_join(thread[i], NULL);
	printf("counted %d wrong %d\n", counted, wrong);
	return 0;
}

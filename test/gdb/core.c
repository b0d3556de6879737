/* A program that dies with a core: two threads beside, one in its own code and one
 * in a system call, and a few frames in the first. Its argument: by abort, raise
 * (of SIGQUIT), or a store to nowhere. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile int ready;
volatile double number = 2.5;

static void __attribute__((noinline))
spin(long from)
{
	ready++;
	for (volatile long i = from;; i++)
		;
}

static void *
spinner(void *argument)
{
	spin(7);
	return argument;
}

static void *
sleeper(void *argument)
{
	ready++;
	pause();
	return argument;
}

static int __attribute__((noinline))
inner(int depth, const char *how)
{
	volatile int local = depth * 3;

	if (depth < 3)
		return inner(depth + 1, how) + local;
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "raise"))
		raise(SIGQUIT);
	*(volatile int *)16 = local;
	return local;
}

int
main(int argc, char **argv)
{
	pthread_t thread;

	pthread_create(&thread, NULL, spinner, NULL);
	pthread_create(&thread, NULL, sleeper, NULL);
	while (ready < 2)
		usleep(1000);
	number *= 2;
	return inner(1, argc > 1 ? argv[1] : "store") + (int)number;
}

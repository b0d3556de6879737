/* What the suite gdb debugs: a thread, a signal, a child, a busy loop that ends
 * when the debugger says so. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile int total;
static int
add(int a, int b)
{
	int sum = a + b;
	total += sum;
	return sum;
}
static void *
work(void *arg)
{
	for (int i = 0; i < 3; i++)
		add(i, *(int *)arg);
	return 0;
}

static void
on(int s)
{
	total += s;
}

static volatile int go_on;

int
main(int argc, char **argv)
{
	int n = 40;
	(void)argv;
	pthread_t t;
	signal(SIGUSR1, on);
	pthread_create(&t, 0, work, &n);
	pthread_join(t, 0);
	raise(SIGUSR1);
	if (!fork()) /* has no breakpoints */
		_exit(add(1, 2));
	wait(&n);
	printf("total %d, child %d\n", total, n >> 8);
	fflush(stdout);
	while (argc > 1 && !go_on)
		;
	return 5;
}

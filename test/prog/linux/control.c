/* Control flow that no call and return pairs up: deep recursion, longjmp,
 * coroutines, handlers that leave by longjmp, overflowing stacks, unwinding
 * through a thousand frames. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

#include "show.h"

/* ---- recursion ---------------------------------------------------------- */

static __attribute__((noinline)) uint64_t
descend(uint64_t n)
{
	if (!n)
		return 1;
	return descend(n - 1) * 3 + n;
}

static __attribute__((noinline)) unsigned
ackermann(unsigned m, unsigned n)
{
	if (!m)
		return n + 1;
	return ackermann(m - 1, n ? ackermann(m, n - 1) : 1);
}

static void *
recurse(void *argument)
{
	uint64_t sum = 0;

	/* Around the sizes that a shadow stack may have, then far beyond. */
	for (uint64_t n = 65000; n < 66100; n += 100)
		sum += descend(n);
	for (int i = 0; i < 3; i++)
		sum += descend(1000000);
	*(uint64_t *)argument = sum + ackermann(2, 400) + ackermann(3, 7);
	return NULL;
}

static void
test_recursion(void)
{
	pthread_attr_t attr;
	pthread_t thread[2];
	uint64_t sum[2];

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 << 20);
	for (int i = 0; i < 2; i++)
		MUST(!pthread_create(&thread[i], &attr, recurse, &sum[i]));
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	printf("recursion %lu %d\n", (unsigned long)sum[0], sum[0] == sum[1]);
}

/* ---- longjmp ------------------------------------------------------------ */

static jmp_buf back;
static sigjmp_buf from_handler;
static volatile uint64_t depth_sum;

static __attribute__((noinline)) void
leave(int n, int value)
{
	depth_sum += (uint64_t)n;
	if (!n)
		longjmp(back, value);
	leave(n - 1, value);
	depth_sum++; /* not a tail call */
}

static void
on_signal(int signal)
{
	siglongjmp(from_handler, signal);
}

static void
test_longjmp(void)
{
	volatile int count = 0;

	for (int i = 1; i < 2000; i++) {
		if (!setjmp(back))
			leave(i % 300, i);
		else
			count++;
	}
	signal(SIGUSR1, on_signal);
	for (int i = 0; i < 2000; i++) {
		if (!sigsetjmp(from_handler, 1))
			raise(SIGUSR1);
		else
			count++;
	}
	printf("longjmp %d %lu\n", count, (unsigned long)depth_sum);
}

/* ---- coroutines --------------------------------------------------------- */

#define ROUTINES 50
static ucontext_t main_context, routine[ROUTINES];
static char stacks[ROUTINES][32768];
static uint64_t walked;

static __attribute__((noinline)) void
walk(int self, int levels)
{
	if (levels)
		walk(self, levels - 1);
	walked = walked * 31 + (uint64_t)(self * 100 + levels);
	swapcontext(&routine[self], &main_context);
	walked++;
}

static void
enter(int self)
{
	for (;;)
		walk(self, 20);
}

static void
test_coroutines(void)
{
	for (int i = 0; i < ROUTINES; i++) {
		getcontext(&routine[i]);
		routine[i].uc_stack.ss_sp = stacks[i];
		routine[i].uc_stack.ss_size = sizeof stacks[i];
		makecontext(&routine[i], (void (*)(void))enter, 1, i);
	}
	for (int i = 0; i < 10000; i++)
		swapcontext(&main_context, &routine[i * 7 % ROUTINES]);
	printf("coroutines %lu\n", (unsigned long)walked);
}

/* ---- overflowing stacks -------------------------------------------------- */

static volatile uintptr_t fault_low, fault_high;
static volatile int overflows;

static void
on_overflow(int signal, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr;

	if (at >= fault_low && at < fault_high)
		overflows++;
	siglongjmp(from_handler, 1);
}

static __attribute__((noinline)) uint64_t
overflow(uint64_t n)
{
	volatile char fill[200];

	fill[0] = (char)n;
	return overflow(n + 1) + fill[0];
}

static void *
overflow_thread(void *argument)
{
	static char alternate[65536];
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof alternate };
	pthread_attr_t attr;
	size_t size, guard;
	void *base;

	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstack(&attr, &base, &size);
	pthread_attr_getguardsize(&attr, &guard);
	fault_low = (uintptr_t)base - guard;
	fault_high = (uintptr_t)base + guard;
	MUST(!sigaltstack(&stack, NULL));
	for (volatile int i = 0; i < 200; i++)
		if (!sigsetjmp(from_handler, 1))
			overflow(0);
	return NULL;
}

static void
test_overflow(void)
{
	struct sigaction action = { .sa_sigaction = on_overflow, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	pthread_t thread;

	sigaction(SIGSEGV, &action, NULL);
	MUST(!pthread_create(&thread, NULL, overflow_thread, NULL));
	pthread_join(thread, NULL);
	signal(SIGSEGV, SIG_DFL);
	printf("overflows %d\n", overflows);
}

/* ---- unwinding ----------------------------------------------------------- */

static volatile int cleaned;

static void
clean(void *argument)
{
	cleaned++;
}

static __attribute__((noinline)) void
nest(int n)
{
	pthread_cleanup_push(clean, NULL);
	if (n)
		nest(n - 1);
	else
		pthread_exit(NULL); /* forced unwinding */
	pthread_cleanup_pop(0);
}

static void *
unwind(void *argument)
{
	nest(1000);
	return NULL;
}

static void
test_unwind(void)
{
	for (int i = 0; i < 10; i++) {
		pthread_t thread;

		MUST(!pthread_create(&thread, NULL, unwind, NULL));
		pthread_join(thread, NULL);
	}
	printf("cleaned %d\n", cleaned);
}

int
main(void)
{
	test_recursion();
	test_longjmp();
	test_coroutines();
	test_overflow();
	test_unwind();
	return 0;
}

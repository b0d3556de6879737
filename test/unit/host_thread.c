/* host/: raw threads, the lock that outlives its owner, the system-call window
 * under signals, the copy that can fault. */
#include "host/lock.h"
#include "host/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/raw.h"
#include "unit/check.h"

#define STACK (64u << 10)

static uint32_t lock, stop;
static unsigned long counter;
static volatile unsigned taken, windowed;

static void
handler(int signal, siginfo_t *info, void *context)
{
	(void)info;
	if (signal == SIGSEGV) {
		if (!host_copy_recover(context))
			RAW1(SYS_exit_group, 99);
		return;
	}
	taken++;
	stop = 1;
	host_window_interrupt(context);
}

static void
count(void *argument)
{
	for (int i = 0; i < 20000; i++) {
		lock_take(&lock);
		counter++;
		lock_drop(&lock);
	}
	host_exit_unmap(argument, STACK, 0);
}

static long
thread_start(void (*function)(void *))
{
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return host_clone(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
			  stack + STACK, NULL, NULL, function, stack);
}

static void
test_threads(void)
{
	long tid[4];

	for (int i = 0; i < 4; i++) {
		tid[i] = thread_start(count);
		CHECK(tid[i] > 0);
	}
	for (int i = 0; i < 4; i++)
		while (!RAW3(SYS_tgkill, getpid(), tid[i], 0))
			usleep(1000);
	CHECK_INT(counter, 4 * 20000);
	CHECK_INT(lock, 0);
}

static void
die_inside(void *argument)
{
	(void)argument;
	lock_take(&lock);
	RAW2(SYS_kill, RAW0(SYS_getpid), SIGKILL);
	for (;;)
		;
}

/* A child in our memory dies as the owner: at once, or while another waits. */
static void
test_owner_dies(void)
{
	static char stack[STACK] __attribute__((aligned(16)));
	long pid = host_clone(CLONE_VM | CLONE_VFORK | SIGCHLD, stack + STACK, NULL, NULL, die_inside, NULL);
	int status;

	CHECK(pid > 0);
	CHECK(lock != 0);
	CHECK(lock_take(&lock)); /* a zombie owns it */
	CHECK(!lock_try(&lock));
	lock_drop(&lock);
	CHECK(waitpid((pid_t)pid, &status, 0) == pid && WIFSIGNALED(status));
	CHECK(!lock_take(&lock));
	lock_drop(&lock);
	CHECK_INT(lock, 0);
}

/* Signals at every moment around many short calls: none may be lost between
 * the test and the call. */
static void
test_window(void)
{
	pid_t parent = getpid(), child;
	int fds[2];
	char byte;

	CHECK_INT(host_signal_set(SIGUSR1, handler, 0), 0);
	CHECK_INT(pipe(fds), 0);
	stop = 1;
	CHECK_INT(host_window_syscall(&stop, SYS_getpid, 0, 0, 0, 0, 0, 0), HOST_INTERRUPTED);
	stop = 0;
	CHECK_INT(host_window_syscall(&stop, SYS_getpid, 0, 0, 0, 0, 0, 0), parent);
	child = fork();
	if (!child) {
		for (int i = 0; i < 3000; i++)
			kill(parent, SIGUSR1);
		_exit(0);
	}
	/* Each read blocks for ever unless its signal ends it. */
	while (waitpid(child, NULL, WNOHANG) == 0) {
		long result;

		stop = 0;
		result = host_window_syscall(&stop, SYS_poll, 0, 0, 1, 0, 0, 0);
		CHECK(result == 0 || result == -EINTR || result == HOST_INTERRUPTED);
		windowed += result == HOST_INTERRUPTED;
	}
	CHECK(taken > 0);
	/* With SA_RESTART the kernel would go back into the call. */
	CHECK_INT(host_signal_set(SIGALRM, handler, SA_RESTART), 0);
	stop = 0;
	ualarm(20000, 0);
	CHECK_INT(host_window_syscall(&stop, SYS_read, fds[0], (long)&byte, 1, 0, 0, 0), HOST_INTERRUPTED);
	CHECK_INT(host_signal_set(SIGALRM, handler, 0), 0);
	stop = 0;
	ualarm(20000, 0);
	CHECK_INT(host_window_syscall(&stop, SYS_read, fds[0], (long)&byte, 1, 0, 0, 0), -EINTR);
	/* The C library would refuse this one. */
	CHECK_INT(host_signal_set(32, handler, 0), 0);
	CHECK_INT(host_signal_set(32, (host_handler_fn)1, 0), 0);
	CHECK(host_signal_ignored(32));
	CHECK_INT(host_signal_set(32, NULL, 0), 0);
	CHECK_INT(host_signal_set(SIGKILL, handler, 0), -EINVAL);
}

static void
test_copy(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), buffer[64];

	CHECK_INT(host_signal_set(SIGSEGV, handler, 0), 0);
	munmap(page + 4096, 4096);
	memset(page, 7, 4096);
	CHECK_INT(host_copy(buffer, page + 4096 - 64, 64), 0);
	CHECK_INT(buffer[63], 7);
	CHECK_INT(host_copy(buffer, page + 4096 - 24, 64), 40);
	CHECK_INT(host_copy(page + 4096 - 1, buffer, 64), 63);
	CHECK_INT(host_copy(buffer, (void *)(1ul << 63), 8), 8);
	CHECK_INT(host_copy(buffer, (void *)8, 8), 8);
}

int
main(void)
{
	void *alternate = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	host_signal_stack(alternate, STACK);
	test_threads();
	test_owner_dies();
	test_window();
	test_copy();
	return check_done();
}

/* clone3: processes, a child on a stack of its own in shared memory, dropped
 * handlers, descriptors of processes, and what the kernel refuses. */
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "show.h"

#define CLEAR_SIGHAND 0x100000000ull
#define STACK 65536

struct args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup, unknown[200];
};

static volatile int word;

static long
clone3(struct args *args, size_t size)
{
	return syscall(SYS_clone3, args, size);
}

static void
handler(int signal)
{
	word = signal;
}

static void
reap(pid_t pid)
{
	int status = 0;

	MUST(waitpid(pid, &status, __WALL) == pid);
	printf("exited %d %d signal %d\n", WIFEXITED(status), WIFEXITED(status) ? WEXITSTATUS(status) : 0,
	       WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static void
test_fork(void)
{
	int pidfd = -1, parent_tid = 0, child_tid = 0;
	struct args args = { .flags = CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID, .exit_signal = SIGCHLD,
			     .pidfd = (uintptr_t)&pidfd, .parent_tid = (uintptr_t)&parent_tid,
			     .child_tid = (uintptr_t)&child_tid };
	struct pollfd poll_fd;
	long pid = clone3(&args, 88);

	if (!pid)
		_exit(child_tid == getpid() && !word ? 7 : 1);
	MUST(pid > 0);
	printf("told %d %d\n", parent_tid == pid, child_tid);
	poll_fd = (struct pollfd){ pidfd, POLLIN, 0 };
	SHOW(poll(&poll_fd, 1, -1));
	reap((pid_t)pid);
	SHOW(close(pidfd));
}

/* The child's own path: after the call it is on a new, empty stack. */
static long
clone3_call(struct args *args, void (*function)(void))
{
	long result;
#ifdef __riscv
	register struct args *a0 __asm__("a0") = args;
	register long a1 __asm__("a1") = 88;
	register long a7 __asm__("a7") = SYS_clone3;
	register void (*s2)(void) __asm__("s2") = function;

	__asm__ volatile("ecall\n\tbnez a0, 1f\n\tjalr s2\n1:" : "+r"(a0) : "r"(a1), "r"(a7), "r"(s2) : "memory", "ra");
	result = (long)a0;
#elif defined __aarch64__
	register struct args *x0 __asm__("x0") = args;
	register long x1 __asm__("x1") = 88;
	register long x8 __asm__("x8") = SYS_clone3;
	register void (*x19)(void) __asm__("x19") = function;

	__asm__ volatile("svc 0\n\tcbnz x0, 1f\n\tblr x19\n1:" : "+r"(x0) : "r"(x1), "r"(x8), "r"(x19) : "memory", "x30");
	result = (long)x0;
#else
	register void (*r12)(void) __asm__("r12") = function;

	__asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\tcall *%%r12\n1:"
			 : "=a"(result) : "a"(SYS_clone3), "D"(args), "S"(88l), "r"(r12) : "rcx", "r11", "memory");
#endif
	return result;
}

static void
child_in_memory(void)
{
	struct sigaction usr1, usr2, chld;

	syscall(SYS_rt_sigaction, SIGUSR1, NULL, &usr1, 8);
	syscall(SYS_rt_sigaction, SIGUSR2, NULL, &usr2, 8);
	syscall(SYS_rt_sigaction, SIGCHLD, NULL, &chld, 8);
	word = 40 + 1 * (usr1.sa_handler == SIG_DFL) + 2 * (usr2.sa_handler == SIG_IGN) + 4 * !usr1.sa_flags +
	       8 * !chld.sa_flags;
	syscall(SYS_kill, syscall(SYS_getpid), SIGUSR2);
	syscall(SYS_kill, syscall(SYS_getpid), SIGUSR1); /* ends it */
	syscall(SYS_exit, 5);
}

static void
test_shared(uint64_t more)
{
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct args args = { .flags = CLONE_VM | more, .exit_signal = SIGCHLD, .stack = (uintptr_t)stack,
			     .stack_size = STACK };
	long pid;

	word = 0;
	pid = clone3_call(&args, child_in_memory);
	MUST(pid > 0);
	reap((pid_t)pid);
	printf("word %d\n", word);
	signal(SIGUSR1, handler); /* ours is as it was */
	raise(SIGUSR1);
	printf("word %d\n", word == SIGUSR1);
	MUST(!munmap(stack, STACK));
}

static void
test_cleared_copy(void)
{
	struct args args = { .flags = CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	long pid = clone3(&args, 88);

	if (!pid) {
		raise(SIGUSR2);
		raise(SIGUSR1);
		_exit(1);
	}
	MUST(pid > 0);
	reap((pid_t)pid);
}

static void
test_refused(void)
{
	struct args args = { .exit_signal = SIGCHLD };

	SHOW(clone3(&args, 56));
	SHOW(clone3(&args, 5000));
	SHOW(clone3(NULL, 88));
	args.unknown[3] = 1;
	SHOW(clone3(&args, 160));
	SHOW(clone3((struct args *)((uintptr_t)&args | (uint64_t)1 << 63), 88));
	args = (struct args){ .exit_signal = 300 };
	SHOW(clone3(&args, 88));
	args = (struct args){ .flags = SIGCHLD };
	SHOW(clone3(&args, 88));
	args = (struct args){ .flags = CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM };
	SHOW(clone3(&args, 88));
	args = (struct args){ .flags = CLONE_SIGHAND };
	SHOW(clone3(&args, 88));
	args = (struct args){ .flags = CLONE_VM, .stack = (uintptr_t)&args };
	SHOW(clone3(&args, 88));
	args = (struct args){ .flags = CLONE_VM, .stack_size = 4096 };
	SHOW(clone3(&args, 88));
	args = (struct args){ .flags = CLONE_VM, .stack = 4096, .stack_size = (uint64_t)-1 };
	SHOW(clone3(&args, 88));
	args = (struct args){ .set_tid_size = 1, .exit_signal = SIGCHLD };
	SHOW(clone3(&args, 88));
	args = (struct args){ .flags = (uint64_t)1 << 40, .exit_signal = SIGCHLD };
	SHOW(clone3(&args, 88));
	args = (struct args){ .flags = CLONE_PARENT_SETTID | CLONE_PIDFD, .pidfd = 16, .exit_signal = SIGCHLD };
	SHOW(clone3(&args, 88));
	args = (struct args){ .flags = 0x200000000ull, .cgroup = 1023, .exit_signal = SIGCHLD };
	SHOW(clone3(&args, 88));
}

int
main(void)
{
	signal(SIGUSR1, handler);
	signal(SIGUSR2, SIG_IGN);
	sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP }, NULL);
	test_fork();
	test_shared(CLEAR_SIGHAND);
	test_shared(CLEAR_SIGHAND | CLONE_VFORK);
	test_shared(0);
	test_cleared_copy();
	test_refused();
	return 0;
}

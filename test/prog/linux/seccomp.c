/* Filters of system calls: what they see, each answer, their order, threads and
 * exec. */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "show.h"

#if defined __riscv
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define ARCHITECTURE AUDIT_ARCH_X86_64
#endif
#define BAD 8l

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)

static int
install(const struct sock_filter *program, unsigned length, unsigned flags)
{
	struct sock_fprog prog = { (unsigned short)length, (struct sock_filter *)program };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}
#define INSTALL(program, flags) install(program, sizeof program / sizeof *program, flags)

/* Answer for one call, all others allowed. */
static int
answer(int number, uint32_t value)
{
	struct sock_filter program[] = { LOAD(arch), UNLESS(ARCHITECTURE, 3), LOAD(nr), UNLESS((uint32_t)number, 1),
					 RETURN(value), RETURN(SECCOMP_RET_ALLOW) };

	return INSTALL(program, 0);
}

/* Runs function in a child and shows how it ends. */
static void
child(const char *name, void (*function)(void))
{
	int status = 0;

	printf("-- %s\n", name);
	fflush(stdout);
	if (!fork()) {
		SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		function();
		fflush(stdout);
		syscall(SYS_exit_group, 7);
	}
	MUST(wait(&status) > 0);
	if (WIFSIGNALED(status))
		printf("signal %d\n", WTERMSIG(status));
	else
		printf("status %d\n", WEXITSTATUS(status));
}

static void
test_errno(void)
{
	SHOW(prctl(PR_GET_SECCOMP));
	SHOW(answer(SYS_getppid, SECCOMP_RET_ERRNO | ERANGE));
	SHOW(prctl(PR_GET_SECCOMP));
	SHOW(syscall(SYS_getppid));
	SHOW(syscall(SYS_getpid) > 0);
	SHOW(answer(SYS_getppid, SECCOMP_RET_ERRNO | 0xffff));
	SHOW(syscall(SYS_getppid) == -1); /* the older one counts no more: equals go to the newest */
	SHOW(answer(SYS_getppid, SECCOMP_RET_ALLOW));
	SHOW(syscall(SYS_getppid) == -1);
	SHOW(answer(SYS_getppid, SECCOMP_RET_ERRNO)); /* 0: done, and nothing happened */
	SHOW(syscall(SYS_getppid));
	SHOW(answer(SYS_getsid, SECCOMP_RET_TRACE | 3));
	SHOW(syscall(SYS_getsid, 0));
	SHOW(answer(SYS_getuid, SECCOMP_RET_USER_NOTIF));
	SHOW(syscall(SYS_getuid));
	SHOW(answer(SYS_getgid, SECCOMP_RET_LOG));
	SHOW(syscall(SYS_getgid) >= 0);
	SHOW(answer(100000, SECCOMP_RET_ERRNO | EXDEV));
	SHOW(syscall(100000));
}

static void
test_arguments(void)
{
	/* A program that uses arithmetic, scratch memory, both loads of X. */
	struct sock_filter program[] = {
		LOAD(nr), UNLESS(SYS_close, 11), LOAD(args[0]), BPF_STMT(BPF_ST, 3),
		BPF_STMT(BPF_LDX | BPF_MEM, 3), BPF_STMT(BPF_ALU | BPF_MUL | BPF_X, 0), BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 1),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 2), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff),
		BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO), BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_MISC | BPF_TXA, 0), BPF_STMT(BPF_RET | BPF_A, 0), RETURN(SECCOMP_RET_ALLOW) };

	SHOW(INSTALL(program, 0));
	for (int fd = 5; fd < 13; fd++) {
		errno = 0;
		syscall(SYS_close, fd);
		printf("%d: %d\n", fd, errno);
	}
}

static volatile uintptr_t trap_at;

static void
on_trap(int number, siginfo_t *info, void *context)
{
	(void)context;
	printf("signal %d code %d errno %d call %d arch %d\n", number, info->si_code, info->si_errno,
	       info->si_syscall == SYS_getppid, info->si_arch == ARCHITECTURE);
	trap_at = (uintptr_t)info->si_call_addr;
}

static void
test_trap(void)
{
	struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };

	sigaction(SIGSYS, &action, NULL);
	SHOW(answer(SYS_getppid, SECCOMP_RET_TRAP | 123));
	syscall(SYS_getppid);
	SHOW(trap_at > (uintptr_t)&syscall && trap_at < (uintptr_t)&syscall + 200);
}

static void
test_trap_unhandled(void)
{
	SHOW(answer(SYS_getppid, SECCOMP_RET_TRAP));
	syscall(SYS_getppid);
}

static void
test_kill(void)
{
	SHOW(answer(SYS_getppid, SECCOMP_RET_KILL_PROCESS));
	syscall(SYS_getppid);
}

static void *
thread_killed(void *unused)
{
	(void)unused;
	SHOW(answer(SYS_getppid, SECCOMP_RET_KILL_THREAD));
	syscall(SYS_getppid);
	printf("not reached\n");
	return NULL;
}

static void
test_kill_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, thread_killed, NULL);
	SHOW(pthread_join(thread, NULL));
	SHOW(syscall(SYS_getppid) > 0);
}

static void
test_strict(void)
{
	SHOW(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
	syscall(SYS_write, 1, "written\n", 8);
	syscall(SYS_exit, 9);
}

static void
test_strict_kills(void)
{
	SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, 0));
	syscall(SYS_getpid);
}

static pthread_barrier_t barrier;

static void *
thread_follows(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	SHOW(syscall(SYS_getppid));
	return NULL;
}

static void
test_all_threads(void)
{
	struct sock_filter program[] = { LOAD(nr), UNLESS(SYS_getppid, 1), RETURN(SECCOMP_RET_ERRNO | ENODEV),
					 RETURN(SECCOMP_RET_ALLOW) };
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&thread, NULL, thread_follows, NULL);
	pthread_barrier_wait(&barrier);
	SHOW(INSTALL(program, SECCOMP_FILTER_FLAG_TSYNC));
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	pthread_create(&thread, NULL, thread_follows, NULL); /* a new one has them, too */
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
}

static void
test_exec(void)
{
	SHOW(answer(SYS_getppid, SECCOMP_RET_ERRNO | ENOTTY));
	SHOW(answer(SYS_getuid, SECCOMP_RET_ERRNO | ENOSPC));
	execl("/proc/self/exe", "seccomp", "again", (char *)NULL);
	SHOW(-1);
}

static void
test_errors(void)
{
	struct sock_filter none[] = { RETURN(SECCOMP_RET_ALLOW) }, no_end[] = { LOAD(nr) };
	struct sock_filter far[] = { BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), RETURN(0) };
	struct sock_filter half[] = { BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), RETURN(0) };
	struct sock_filter beyond[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), RETURN(0) };
	struct sock_filter fresh[] = { BPF_STMT(BPF_LD | BPF_MEM, 1), RETURN(0) };
	struct sock_filter zero[] = { BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RETURN(0) };
	struct sock_fprog wild = { 1, (struct sock_filter *)BAD }, empty = { 0, none };
	uint32_t action[] = { SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS, 0x12340000 };
	unsigned short sizes[3];

	SHOW(syscall(SYS_seccomp, 99, 0, 0));
	SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, 0));
	SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, BAD));
	SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0x1000, &wild));
	SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &wild));
	SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &empty));
	SHOW(INSTALL(no_end, 0));
	SHOW(INSTALL(far, 0));
	SHOW(INSTALL(half, 0));
	SHOW(INSTALL(beyond, 0));
	SHOW(INSTALL(fresh, 0));
	SHOW(INSTALL(zero, 0));
	for (int i = 0; i < 3; i++)
		SHOW(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action[i]));
	SHOW(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, BAD));
	SHOW(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, sizes));
	printf("%d %d %d\n", sizes[0], sizes[1], sizes[2]);
	SHOW(prctl(PR_SET_SECCOMP, 5, 0, 0, 0));
	SHOW(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, BAD, 0, 0));
	SHOW(INSTALL(none, 0));
	SHOW(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
}

int
main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		SHOW(syscall(SYS_getppid));
		SHOW(syscall(SYS_getuid));
		SHOW(prctl(PR_GET_SECCOMP));
		return 3;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	child("errno", test_errno);
	child("arguments", test_arguments);
	child("trap", test_trap);
	child("trap, not handled", test_trap_unhandled);
	child("kill", test_kill);
	child("kill a thread", test_kill_thread);
	child("strict", test_strict);
	child("strict kills", test_strict_kills);
	child("all threads", test_all_threads);
	child("exec", test_exec);
	child("errors", test_errors);
	return 0;
}

/* Synchronous signals: codes and addresses, recovery by siglongjmp, alternate
 * stacks, what happens when they are blocked or ignored or the stack is bad. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "show.h"

static sigjmp_buf back;
static char *page, *alternate;
static volatile int where;

static void
handler(int signal, siginfo_t *info, void *context)
{
	char here;

	(void)context;
	printf("signal %d code %d offset %ld on-alternate %d\n", signal, info->si_code,
	       (long)((char *)info->si_addr - page), &here > alternate && &here < alternate + 65536);
	siglongjmp(back, 1);
}

static void
at(const char *what)
{
	printf("%s: ", what);
	fflush(stdout);
}

static void
test_codes(void)
{
	char name[] = "/tmp/faultsXXXXXX";
	int fd = mkstemp(name);
	volatile char *file, *closed = page + 8192;

	unlink(name);
	MUST(fd >= 0 && !ftruncate(fd, 100));
	file = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	MUST(file != MAP_FAILED);
	at("read of nothing");
	if (!sigsetjmp(back, 1))
		where = *(volatile char *)(page + 3 * 4096 + 5);
	at("write to read-only");
	if (!sigsetjmp(back, 1))
		page[4096 + 17] = 1;
	at("read of none");
	if (!sigsetjmp(back, 1))
		where = closed[4];
	at("write across the end");
	if (!sigsetjmp(back, 1))
		*(volatile uint64_t *)(page + 4096 - 3) = 1;
	at("beyond the file");
	if (!sigsetjmp(back, 1)) {
		page = (char *)file;
		where = file[4096 + 3];
	}
}

static void
test_jump(void)
{
	void (*nowhere)(void);

	at("call of a page without code");
	page[0] = 0;
	nowhere = (void (*)(void))(uintptr_t)page;
	if (!sigsetjmp(back, 1))
		nowhere();
	at("call of nothing");
	nowhere = (void (*)(void))(uintptr_t)(page + 3 * 4096);
	if (!sigsetjmp(back, 1))
		nowhere();
}

static void
child(const char *what, void (*function)(void))
{
	pid_t pid;
	int status;

	at(what);
	pid = fork();
	if (!pid) {
		struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		function();
		printf("survived\n");
		fflush(stdout);
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0) == pid);
	printf("exited %d signal %d\n", WIFEXITED(status), WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static void
touch(void)
{
	*(volatile char *)(page + 3 * 4096) = 1;
}

static void
blocked(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigprocmask(SIG_BLOCK, &set, NULL);
	touch();
}

static void
ignored(void)
{
	signal(SIGSEGV, SIG_IGN);
	kill(getpid(), SIGSEGV);
	printf("sent is ignored\n");
	fflush(stdout);
	touch();
}

static void
by_default(void)
{
	signal(SIGSEGV, SIG_DFL);
	touch();
}

static void
bad_stack(void)
{
	stack_t stack = { .ss_size = 65536 };

	stack.ss_sp = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigaltstack(&stack, NULL);
	touch();
}

static void
trap(void)
{
	__builtin_trap();
}

/* Stack overflow, seen on the alternate stack. */
static int
deep(int n)
{
	volatile char room[4096];

	room[0] = (char)n;
	return n > 1000000 ? 0 : deep(n + 1) + room[0];
}

static void
overflow_handler(int signal)
{
	printf("overflow: signal %d\n", signal);
	fflush(stdout);
	_exit(3);
}

static void
overflow(void)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };
	struct sigaction action = { .sa_handler = overflow_handler, .sa_flags = SA_ONSTACK };

	setrlimit(RLIMIT_STACK, &limit);
	sigaction(SIGSEGV, &action, NULL);
	deep(0);
}

static void
disarm_handler(int signal)
{
	stack_t now;

	sigaltstack(NULL, &now);
	printf("in handler %d: flags %#x\n", signal, (unsigned)now.ss_flags);
}

static void
test_alternate(void)
{
	stack_t set = { .ss_sp = alternate, .ss_size = 65536 }, old;
	struct sigaction action = { .sa_handler = disarm_handler, .sa_flags = SA_ONSTACK };

	SHOW(sigaltstack(NULL, &old));
	printf("flags %#x\n", (unsigned)old.ss_flags);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	set.ss_flags = (int)(1u << 31); /* SS_AUTODISARM */
	SHOW(sigaltstack(&set, NULL));
	raise(SIGUSR1);
	SHOW(sigaltstack(NULL, &old));
	printf("flags %#x same %d\n", (unsigned)old.ss_flags, old.ss_sp == (void *)alternate);
	set.ss_flags = 77;
	SHOW(sigaltstack(&set, NULL));
	set.ss_flags = 0;
	set.ss_size = 100;
	SHOW(sigaltstack(&set, NULL));
	set.ss_flags = SS_DISABLE;
	SHOW(sigaltstack(&set, NULL));
	SHOW(sigaltstack((void *)8, NULL));
}

int
main(void)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t stack;
	char *kept;

	setvbuf(stdout, NULL, _IOLBF, 0);
	alternate = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	kept = page = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(page + 12288, 4096);
	mprotect(page + 4096, 4096, PROT_READ);
	mprotect(page + 8192, 4096, PROT_NONE);
	stack = (stack_t){ .ss_sp = alternate, .ss_size = 65536 };
	MUST(!sigaltstack(&stack, NULL));
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	test_codes();
	page = kept;
	test_jump();
	child("blocked", blocked);
	child("ignored", ignored);
	child("default", by_default);
	child("bad alternate stack", bad_stack);
	signal(SIGILL, SIG_DFL);
	signal(SIGTRAP, SIG_DFL);
	at("trap");
	{
		int status;
		pid_t pid = fork();

		if (!pid)
			trap();
		waitpid(pid, &status, 0);
		printf("signaled %d\n", WIFSIGNALED(status));
	}
	child("stack overflow", overflow);
	test_alternate();
	return 0;
}

/* The guest's address space from the inside: stack growth, limits, code that is
 * written, protected and moved.
 * out: good
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"

static sigjmp_buf back;
static volatile siginfo_t seen;
static volatile int expected;

/* True at first, false when the fault that follows has come back here. */
#define EXPECT_FAULT() (expected = 1, !sigsetjmp(back, 1))

static void
on_fault(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	if (!expected)
		_exit(9);
	expected = 0;
	seen = *info;
	siglongjmp(back, 1);
}

static long
deep(long n)
{
	volatile char room[1024];

	room[0] = (char)n;
	return n ? deep(n - 1) + (room[0] == (char)n) : 0;
}

/* li a0, value; ret */
static void
write_code(uint32_t *at, unsigned value)
{
#ifdef __riscv
	at[0] = value << 20 | 0x513;
	at[1] = 0x8067;
#else
	at[0] = 0x52800000 | value << 5; /* mov w0, value; ret */
	at[1] = 0xd65f03c0;
#endif
}

static long
call(void *code)
{
	return ((long (*)(void))code)();
}

static void
test_code(void)
{
	const int all = PROT_READ | PROT_WRITE | PROT_EXEC;
	char *code = mmap(NULL, 8192, all, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *moved;

	for (unsigned i = 0; i < 100; i++) {
		write_code((uint32_t *)code, i);
		__builtin___clear_cache(code, code + 8);
		CHECK(call(code) == (long)i);
	}
	CHECK(!mprotect(code, 4096, PROT_READ | PROT_EXEC));
	CHECK(call(code) == 99);
	if (EXPECT_FAULT()) {
		*(volatile char *)code = 0;
		CHECK(!"a store to read-only code");
	}
	CHECK(seen.si_signo == SIGSEGV && seen.si_code == SEGV_ACCERR && seen.si_addr == code);
	CHECK(!mprotect(code, 4096, PROT_READ | PROT_WRITE));
	if (EXPECT_FAULT()) {
		call(code);
		CHECK(!"a call of data");
	}
	CHECK(seen.si_signo == SIGSEGV && seen.si_code == SEGV_ACCERR && seen.si_addr == code);
	CHECK(!mprotect(code, 4096, all));
	CHECK(call(code) == 99);
	moved = mremap(code, 4096, 8192, MREMAP_MAYMOVE);
	CHECK(moved != MAP_FAILED && call(moved) == 99);
	CHECK(!munmap(moved, 8192));
	if (EXPECT_FAULT()) {
		call(moved);
		CHECK(!"a call of nothing");
	}
	CHECK(seen.si_signo == SIGSEGV && seen.si_code == SEGV_MAPERR && seen.si_addr == moved);
}

/* A system call that writes where code was. */
static void
test_read_over_code(void)
{
	char *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t fresh[2];
	int pipes[2];

	write_code((uint32_t *)code, 1);
	__builtin___clear_cache(code, code + 8);
	CHECK(call(code) == 1);
	write_code(fresh, 2);
	CHECK(!pipe(pipes) && write(pipes[1], fresh, 8) == 8);
	CHECK(read(pipes[0], code, 8) == 8);
	__builtin___clear_cache(code, code + 8);
	CHECK(call(code) == 2);
	munmap(code, 4096);
}

static void
test_limits(void)
{
	struct rlimit old, limit;
	void *more;

	CHECK(!getrlimit(RLIMIT_AS, &old));
	limit = old;
	limit.rlim_cur = 512 << 20;
	CHECK(!setrlimit(RLIMIT_AS, &limit));
	CHECK(!getrlimit(RLIMIT_AS, &limit) && limit.rlim_cur == 512 << 20);
	errno = 0;
	CHECK(mmap(NULL, 1 << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
	more = mmap(NULL, 256 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(more != MAP_FAILED);
	munmap(more, 256 << 20);
	CHECK(!setrlimit(RLIMIT_AS, &old));
	/* The stack grows as far as its limit is now, and that may be raised. */
	CHECK(!getrlimit(RLIMIT_STACK, &limit));
	if (limit.rlim_max >= 64 << 20) {
		limit.rlim_cur = 64 << 20;
		CHECK(!setrlimit(RLIMIT_STACK, &limit));
		CHECK(deep(40 << 10) == 40 << 10);
	}
}

static void
test_brk(void)
{
	char *start = sbrk(0);

	CHECK(sbrk(1 << 20) == start);
	memset(start, 1, 1 << 20);
	CHECK(sbrk(-(1 << 20)) == start + (1 << 20));
	CHECK(sbrk(1 << 20) == start && start[5000] == 0);
}

/* Beyond its limit the stack is a fault, which the alternate stack takes. */
static void
test_overflow(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_STACK, &limit);
	limit.rlim_cur = 1 << 20;
	CHECK(!setrlimit(RLIMIT_STACK, &limit));
	if (EXPECT_FAULT()) {
		deep(1 << 20);
		CHECK(!"a stack without end");
	}
	CHECK(seen.si_signo == SIGSEGV);
}

int
main(void)
{
	static char stack[65536];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigaltstack(&alternate, NULL);
	sigaction(SIGSEGV, &action, NULL);
	test_code();
	test_read_over_code();
	test_limits();
	test_brk();
	test_overflow();
	return check_done();
}

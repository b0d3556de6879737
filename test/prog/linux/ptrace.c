/* ptrace: a program traces children of its own architecture. What differs between
 * architectures (numbers of system calls, registers) is shown by name or not at all. */
#include <elf.h>
#include <errno.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

static volatile long word = 17, handled;
static const char *self;

static long
trace(long request, pid_t pid, long address, long data)
{
	return syscall(SYS_ptrace, request, pid, address, data);
}

static void
show_status(const char *what, int status)
{
	if (WIFSTOPPED(status))
		printf("%s: stopped by %d, event %d\n", what, WSTOPSIG(status), status >> 16);
	else if (WIFSIGNALED(status))
		printf("%s: killed by %d\n", what, WTERMSIG(status));
	else
		printf("%s: exited with %d\n", what, WEXITSTATUS(status));
	fflush(stdout);
}

static int
wait_for(const char *what, pid_t pid)
{
	int status = 0;

	MUST(waitpid(pid, &status, __WALL) == pid);
	show_status(what, status);
	return status;
}

static void
handler(int signal)
{
	handled += signal;
}

static pid_t
child(void (*function)(void))
{
	pid_t pid = fork();

	if (!pid) {
		trace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		function();
		_exit(3);
	}
	return pid;
}

static const char *
call_name(uint64_t number)
{
	switch (number) {
	case SYS_getpid: return "getpid";
	case SYS_getppid: return "getppid";
	case SYS_close: return "close";
	case SYS_exit_group: return "exit_group";
	}
	return "another";
}

/* ---- system calls -------------------------------------------------------- */

static void
makes_calls(void)
{
	long pid = syscall(SYS_getpid);

	syscall(SYS_close, -1);
	if (syscall(SYS_getppid) != 4242)
		_exit(9);
	_exit(pid == getpid() ? 5 : 6);
}

static void
set_result(pid_t pid, long value)
{
	uint64_t registers[40];
	struct iovec part = { registers, sizeof registers };

	MUST(!trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)&part));
#if defined(__riscv)
	registers[10] = (uint64_t)value;
#elif defined(__aarch64__)
	registers[0] = (uint64_t)value;
#else
	registers[10] = (uint64_t)value;
#endif
	MUST(!trace(PTRACE_SETREGSET, pid, NT_PRSTATUS, (long)&part));
}

static void
calls(void)
{
	struct ptrace_syscall_info info;
	pid_t pid = child(makes_calls);
	uint64_t number = 0;
	unsigned long message;
	int status = wait_for("calls", pid);

	SHOW(trace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
	SHOW(trace(PTRACE_SETOPTIONS, pid, 0, 1l << 40));
	SHOW(trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, (long)&info));
	printf("op %d\n", info.op);
	for (;;) {
		MUST(!trace(PTRACE_SYSCALL, pid, 0, 0));
		MUST(waitpid(pid, &status, 0) == pid);
		if (!WIFSTOPPED(status))
			break;
		MUST(WSTOPSIG(status) == (SIGTRAP | 0x80));
		memset(&info, 0, sizeof info);
		SHOW(trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, (long)&info));
		MUST(!trace(PTRACE_GETEVENTMSG, pid, 0, (long)&message));
		MUST(info.stack_pointer && info.instruction_pointer);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
			number = info.entry.nr;
			printf("entry to %s, message %lu\n", call_name(number), message);
			if (number == SYS_close)
				printf("argument %d\n", (int)info.entry.args[0]);
		} else {
			printf("exit of %s, message %lu, error %d\n", call_name(number), message, info.exit.is_error);
			if (number == SYS_close)
				printf("result %d\n", (int)info.exit.rval);
			if (number == SYS_getpid)
				printf("its number: %d\n", info.exit.rval == pid);
			if (number == SYS_getppid)
				set_result(pid, 4242);
		}
	}
	show_status("calls end", status);
}

/* ---- memory and registers --------------------------------------------------- */

static void
looks_at_word(void)
{
	_exit(word == 99 ? 7 : 8);
}

static void
memory(void)
{
	uint64_t registers[40];
	struct iovec part = { registers, sizeof registers };
	pid_t pid = child(looks_at_word);
	long value = 0;

	wait_for("memory", pid);
	SHOW(trace(PTRACE_PEEKDATA, pid, (long)&word, (long)&value));
	printf("word %ld\n", value);
	SHOW(trace(PTRACE_PEEKDATA, pid, 8, (long)&value));
	SHOW(trace(PTRACE_POKEDATA, pid, (long)&word, 99));
	SHOW(trace(PTRACE_POKEDATA, pid, 8, 99));
	SHOW(trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)&part));
	printf("some registers %d\n", part.iov_len > 200 && part.iov_len < sizeof registers);
	SHOW(trace(PTRACE_GETREGSET, pid, 0x12345, (long)&part));
	SHOW(trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, 8));
	SHOW(trace(PTRACE_CONT, pid, 0, 1000));
	SHOW(trace(PTRACE_CONT, pid, 0, 0));
	wait_for("memory ends", pid);
	SHOW(trace(PTRACE_CONT, pid, 0, 0));
	SHOW(trace(PTRACE_PEEKDATA, getppid(), 0, (long)&value));
}

/* ---- signals -------------------------------------------------------------------- */

static void
raises(void)
{
	signal(SIGUSR1, handler);
	signal(SIGSEGV, handler);
	raise(SIGUSR1);
	raise(SIGUSR1);
	raise(SIGCHLD);
	raise(SIGTERM);
	*(volatile int *)8 = 1;
	_exit((int)handled);
}

static void
show_info(pid_t pid)
{
	siginfo_t info;

	memset(&info, 0, sizeof info);
	SHOW(trace(PTRACE_GETSIGINFO, pid, 0, (long)&info));
	printf("signal %d, code %d, address %p\n", info.si_signo, info.si_code,
	       info.si_signo == SIGSEGV ? info.si_addr : NULL);
}

static void
signals(void)
{
	static const int given[] = { 0, SIGUSR1, SIGUSR1, SIGCHLD, 0, SIGKILL };
	pid_t pid = child(raises);
	int status = wait_for("signals", pid);

	for (unsigned i = 0; WIFSTOPPED(status) && i < sizeof given / sizeof *given; i++) {
		show_info(pid);
		MUST(!trace(PTRACE_CONT, pid, 0, given[i]));
		status = wait_for("signals go on", pid);
	}
}

/* ---- children, programs -------------------------------------------------------------- */

static void
forks(void)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(11);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WEXITSTATUS(status) + 1);
}

static void
events(void)
{
	pid_t pid = child(forks), grandchild, got;
	unsigned long message = 0;
	int status;

	wait_for("events", pid);
	SHOW(trace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXIT));
	SHOW(trace(PTRACE_CONT, pid, 0, 0));
	wait_for("fork", pid);
	SHOW(trace(PTRACE_GETEVENTMSG, pid, 0, (long)&message));
	grandchild = (pid_t)message;
	wait_for("the child of the fork", grandchild);
	SHOW(trace(PTRACE_CONT, grandchild, 0, 0));
	wait_for("it ends", grandchild);
	SHOW(trace(PTRACE_GETEVENTMSG, grandchild, 0, (long)&message));
	printf("status %lx\n", message);
	SHOW(trace(PTRACE_CONT, grandchild, 0, 0));
	wait_for("it has ended", grandchild);
	SHOW(trace(PTRACE_CONT, pid, 0, 0));
	while ((got = waitpid(pid, &status, 0)) == pid && WIFSTOPPED(status)) {
		show_status("the parent", status);
		trace(PTRACE_CONT, pid, 0, status >> 16 ? 0 : WSTOPSIG(status));
	}
	show_status("the parent", status);
}

static void
executes(void)
{
	execl(self, self, "executed", NULL);
}

static void
programs(void)
{
	pid_t pid = child(executes);
	unsigned long message = 0;

	wait_for("programs", pid);
	SHOW(trace(PTRACE_CONT, pid, 0, 0));
	wait_for("executed, no option", pid);
	SHOW(trace(PTRACE_CONT, pid, 0, 0));
	wait_for("ends", pid);
	pid = child(executes);
	wait_for("again", pid);
	SHOW(trace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXEC));
	SHOW(trace(PTRACE_CONT, pid, 0, 0));
	wait_for("executed", pid);
	SHOW(trace(PTRACE_GETEVENTMSG, pid, 0, (long)&message));
	printf("message is its number: %d\n", (pid_t)message == pid);
	SHOW(trace(PTRACE_CONT, pid, 0, 0));
	wait_for("ends", pid);
}

/* ---- attaching ------------------------------------------------------------------------- */

static void
attached(void)
{
	volatile long *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = fork();
	uint64_t registers[40];
	struct iovec part = { registers, sizeof registers };
	long value = 0;

	if (!pid)
		for (;;)
			shared[0]++;
	while (!shared[0])
		usleep(1000);
	SHOW(trace(PTRACE_ATTACH, pid, 0, 0));
	wait_for("attached", pid);
	show_info(pid);
	SHOW(trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)&part));
	value = shared[0];
	usleep(10000);
	printf("it stands still: %d\n", value == shared[0]);
	SHOW(trace(PTRACE_DETACH, pid, 0, 0));
	while (value == shared[0])
		usleep(1000);
	SHOW(trace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD));
	SHOW(trace(PTRACE_CONT, pid, 0, 0));
	SHOW(trace(PTRACE_INTERRUPT, pid, 0, 0));
	wait_for("interrupted", pid);
	value = shared[0];
	SHOW(trace(PTRACE_CONT, pid, 0, 0));
	while (value == shared[0])
		usleep(1000);
	kill(pid, SIGUSR2);
	wait_for("signalled", pid);
	show_info(pid);
	SHOW(trace(PTRACE_CONT, pid, 0, SIGUSR2));
	wait_for("dies", pid);
}

static void
sleeps(void)
{
	struct timespec for_long = { .tv_sec = 100 };

	nanosleep(&for_long, NULL);
}

static void
stopped(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		sleeps();
		_exit(1);
	}
	SHOW(trace(PTRACE_SEIZE, pid, 0, 0));
	kill(pid, SIGSTOP);
	status = wait_for("a signal", pid);
	SHOW(trace(PTRACE_CONT, pid, 0, WSTOPSIG(status)));
	wait_for("a group stop", pid);
	SHOW(trace(PTRACE_LISTEN, pid, 0, 0));
	kill(pid, SIGCONT);
	wait_for("goes on", pid);
	SHOW(trace(PTRACE_CONT, pid, 0, 0));
	wait_for("the signal for that", pid);
	kill(pid, SIGKILL);
	wait_for("killed", pid);
}

int
main(int argc, char **argv)
{
	alarm(60);
	if (argc > 1)
		return 21;
	self = argv[0];
	calls();
	memory();
	signals();
	events();
	programs();
	attached();
	stopped();
	return 0;
}

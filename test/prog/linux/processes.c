/* Processes: fork, vfork, posix_spawn, clone's odd forms, exec, wait. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "show.h"

extern char **environ;
static volatile int shared_word;
static const char *self;

static void
reap(const char *what, pid_t pid)
{
	int status = 0;

	MUST(pid > 0);
	MUST(waitpid(pid, &status, 0) == pid);
	printf("%s: exited %d %d signal %d\n", what, WIFEXITED(status), WIFEXITED(status) ? WEXITSTATUS(status) : 0,
	       WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static void
test_vfork(void)
{
	pid_t pid = vfork();

	if (!pid) {
		shared_word = 42; /* seen by the parent */
		_exit(3);
	}
	printf("word %d\n", shared_word);
	reap("vfork", pid);
	pid = vfork();
	if (!pid) {
		execl("/nonexistent/program", "x", (char *)NULL);
		shared_word = errno;
		_exit(127);
	}
	printf("errno seen %d\n", shared_word == ENOENT);
	reap("vfork, failed exec", pid);
	pid = vfork();
	if (!pid) {
		kill(getpid(), SIGKILL);
		_exit(1);
	}
	reap("vfork, killed", pid);
	for (int i = 0; i < 50; i++) {
		pid = vfork();
		if (!pid) {
			execl(self, self, "quiet", (char *)NULL);
			_exit(99);
		}
		MUST(pid > 0 && waitpid(pid, NULL, 0) == pid);
	}
	/* A handler set in the child is not the parent's. */
	signal(SIGUSR1, SIG_IGN);
	pid = vfork();
	if (!pid) {
		signal(SIGUSR1, SIG_DFL);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	raise(SIGUSR1);
	printf("still ignored\n");
}

static void
test_spawn(void)
{
	char *const argv[] = { (char *)self, (char *)"child", (char *)"a b", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t set;
	pid_t pid;

	printf("spawn of nothing %d\n", posix_spawn(&pid, "/nonexistent", NULL, NULL, argv, environ) == ENOENT);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 9, "/dev/null", O_RDONLY, 0);
	posix_spawnattr_init(&attr);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	posix_spawnattr_setsigmask(&attr, &set);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	fflush(stdout);
	MUST(!posix_spawn(&pid, self, &actions, &attr, argv, environ));
	reap("spawn", pid);
	fflush(stdout);
	printf("system %d\n", WEXITSTATUS(system("exit 5")));
}

static int
clone_child(void *argument)
{
	shared_word = 77;
	return (int)(long)argument;
}

static void
test_clone(void)
{
	char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid, tid = 0;
	int status;

	shared_word = 0;
	pid = clone(clone_child, stack + 65536, CLONE_VM | SIGCHLD, (void *)11L);
	reap("clone with memory", pid);
	printf("word %d\n", shared_word);
	shared_word = 0;
	pid = clone(clone_child, stack + 65536, SIGCHLD, (void *)12L);
	reap("clone with a stack", pid);
	printf("word %d\n", shared_word);
	pid = clone(clone_child, stack + 65536, CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | SIGCHLD, (void *)13L,
		    &tid);
	printf("word %d tid %d\n", shared_word, tid == pid);
	reap("clone as vfork", pid);
	pid = clone(clone_child, stack + 65536, CLONE_VM, (void *)14L);
	printf("no signal: %d", waitpid(pid, &status, 0));
	printf(" %d", waitpid(pid, &status, __WCLONE) == pid);
	printf(" %d\n", WEXITSTATUS(status));
	SHOW(clone(clone_child, stack + 65536, CLONE_SIGHAND, NULL));
	SHOW(clone(clone_child, stack + 65536, CLONE_VM | CLONE_THREAD, NULL));
	SHOW(clone(clone_child, stack + 65536, CLONE_FS | CLONE_NEWNS, NULL));
}

static void
test_wait(void)
{
	siginfo_t info;
	struct rusage usage;
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(200);
	memset(&info, 0, sizeof info);
	SHOW(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	printf("signo %d code %d status %d same %d\n", info.si_signo, info.si_code, info.si_status,
	       info.si_pid == pid);
	SHOW(wait4(pid, &status, 0, &usage) == pid);
	SHOW(waitpid(-1, &status, 0));
	SHOW(waitpid(-1, &status, 12345));
	SHOW(waitid(P_ALL, 0, &info, 0));
	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (!pid)
		_exit(1);
	SHOW(waitpid(pid, &status, 0));
	signal(SIGCHLD, SIG_DFL);
}

/* Many at once, and a chain of them. */
static void
test_many(void)
{
	pid_t pids[30];
	int status, sum = 0;

	for (int i = 0; i < 30; i++) {
		pids[i] = fork();
		if (!pids[i])
			_exit(i);
	}
	for (int i = 0; i < 30; i++) {
		MUST(waitpid(pids[i], &status, 0) == pids[i]);
		sum += WEXITSTATUS(status);
	}
	printf("sum %d\n", sum);
	fflush(stdout);
	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();

		if (pid) {
			MUST(waitpid(pid, &status, 0) == pid);
			if (i)
				_exit(WEXITSTATUS(status) + 1);
			printf("chain %d\n", WEXITSTATUS(status));
			return;
		}
	}
	_exit(0);
}

static void
test_exec(void)
{
	char *const empty[] = { NULL };
	char *const argv[] = { (char *)self, NULL };
	pid_t pid;

	SHOW(execve("/", argv, environ));
	SHOW(execve("/dev/null", argv, environ));
	SHOW(execve("", argv, environ));
	SHOW(execve(self, (char **)8, environ));
	SHOW(execve((char *)8, empty, environ));
	fflush(stdout);
	pid = fork();
	if (!pid) {
		int fd = open(self, O_PATH | O_CLOEXEC);
		char *const args[] = { (char *)"by-descriptor", (char *)"child", NULL };
		sigset_t set;

		sigemptyset(&set);
		sigaddset(&set, SIGSEGV);
		sigaddset(&set, SIGUSR1);
		sigprocmask(SIG_BLOCK, &set, NULL);
		signal(SIGUSR2, SIG_IGN);
		signal(SIGBUS, SIG_IGN);
		syscall(SYS_execveat, fd, "", args, environ, AT_EMPTY_PATH);
		_exit(98);
	}
	reap("by descriptor", pid);
}

static int
as_child(int argc, char **argv)
{
	struct sigaction action;
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	printf("child: %d arguments, last %s, fd 9 %s\n", argc, argv[argc - 1],
	       fcntl(9, F_GETFD) < 0 ? "closed" : "open");
	for (int s = 1; s < 32; s++) {
		sigaction(s, NULL, &action);
		if (sigismember(&set, s) || action.sa_handler != SIG_DFL)
			printf(" signal %d: blocked %d ignored %d\n", s, sigismember(&set, s),
			       action.sa_handler == SIG_IGN);
	}
	return 17;
}

int
main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1 && !strcmp(argv[1], "quiet"))
		return 0;
	if (argc > 1)
		return as_child(argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_vfork();
	test_spawn();
	test_clone();
	test_wait();
	test_many();
	test_exec();
	return 0;
}

/* Handlers, siginfo, masks, nesting, sigsuspend, pending, resethand, queues. */
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "show.h"

static volatile sig_atomic_t depth, deepest, count[65];

static void
note(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	count[signal]++;
	if (++depth > deepest)
		deepest = depth;
	printf("signal %d code %d from-self %d value %d usr1-blocked %d\n", signal, info->si_code,
	       info->si_pid == getpid(), info->si_code == SI_QUEUE ? info->si_value.sival_int : 0,
	       sigismember(&uc->uc_sigmask, SIGUSR1));
	depth--;
}

static void
nest(int signal)
{
	sigset_t now;

	if (++depth > deepest)
		deepest = depth;
	sigprocmask(SIG_BLOCK, NULL, &now);
	printf("nest %d: usr1 %d usr2 %d\n", signal, sigismember(&now, SIGUSR1), sigismember(&now, SIGUSR2));
	if (signal == SIGUSR1)
		raise(SIGUSR2);
	printf("nest %d ends\n", signal);
	depth--;
}

static void
set(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	MUST(!sigaction(signal, &action, NULL));
}

static void
set_info(int signal, int flags)
{
	struct sigaction action = { .sa_sigaction = note, .sa_flags = flags | SA_SIGINFO };

	MUST(!sigaction(signal, &action, NULL));
}

static void
test_info(void)
{
	for (int s = 1; s <= 64; s++)
		if (s != SIGKILL && s != SIGSTOP && s != 32 && s != 33)
			set_info(s, 0);
	for (int s = 1; s <= 64; s++)
		if (s != SIGKILL && s != SIGSTOP && s != 32 && s != 33)
			raise(s);
	for (int s = SIGRTMIN; s < SIGRTMIN + 3; s++)
		SHOW(sigqueue(getpid(), s, (union sigval){ .sival_int = s * 10 }));
	SHOW(kill(getpid(), SIGUSR1));
	SHOW(kill(getpid(), 65));
	SHOW(kill(getpid(), 0));
	SHOW(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR2));
}

/* The two that the C library keeps to itself, by the bare call. */
static void
test_reserved(void)
{
	struct { void *handler; unsigned long flags, rest[2]; } old, ignore = { (void *)1, 0, { 0, 0 } };

	for (int s = 32; s <= 33; s++) {
		SHOW(syscall(SYS_rt_sigaction, s, &ignore, NULL, 8));
		SHOW(syscall(SYS_rt_sigaction, s, NULL, &old, 8));
		printf("ignored %d\n", old.handler == (void *)1);
		SHOW(kill(getpid(), s));
	}
	SHOW(syscall(SYS_rt_sigaction, 65, NULL, &old, 8));
	SHOW(syscall(SYS_rt_sigaction, SIGKILL, &ignore, NULL, 8));
	SHOW(syscall(SYS_rt_sigaction, SIGKILL, NULL, &old, 8));
	SHOW(syscall(SYS_rt_sigaction, SIGUSR1, &ignore, NULL, 4));
	SHOW(syscall(SYS_rt_sigaction, SIGUSR1, (void *)8, NULL, 8));
}

static void
test_masks(void)
{
	sigset_t set_usr, pending, old, empty;
	siginfo_t info;
	struct timespec zero = { 0, 0 };

	sigemptyset(&set_usr);
	sigemptyset(&empty);
	sigaddset(&set_usr, SIGUSR1);
	sigaddset(&set_usr, SIGSEGV);
	sigaddset(&set_usr, SIGRTMIN);
	SHOW(sigprocmask(SIG_BLOCK, &set_usr, &old));
	raise(SIGUSR1);
	raise(SIGUSR1);
	raise(SIGSEGV);
	sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 1 });
	sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 2 });
	SHOW(sigpending(&pending));
	printf("pending usr1 %d usr2 %d segv %d rt %d\n", sigismember(&pending, SIGUSR1),
	       sigismember(&pending, SIGUSR2), sigismember(&pending, SIGSEGV), sigismember(&pending, SIGRTMIN));
	SHOW(sigtimedwait(&set_usr, &info, &zero));
	SHOW(sigtimedwait(&set_usr, &info, &zero));
	SHOW(sigtimedwait(&set_usr, &info, &zero));
	printf("value %d\n", info.si_value.sival_int);
	SHOW(sigsuspend(&empty));
	SHOW(sigtimedwait(&set_usr, &info, &zero));
	raise(SIGSEGV);
	SHOW(sigprocmask(SIG_SETMASK, &old, NULL));
	SHOW(sigprocmask(77, &old, NULL));
	SHOW(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &old, NULL, 4));
	raise(SIGUSR1);
	alarm(1);
	SHOW(sigsuspend(&empty));
}

static void
test_nesting(void)
{
	deepest = 0;
	set(SIGUSR1, nest, 0);
	set(SIGUSR2, nest, SA_NODEFER);
	raise(SIGUSR1);
	printf("deepest %d\n", deepest);
	set(SIGUSR2, nest, SA_RESETHAND);
	raise(SIGUSR2);
	struct sigaction old;
	sigaction(SIGUSR2, NULL, &old);
	printf("default again %d\n", old.sa_handler == SIG_DFL);
}

/* How a child ends by each signal. */
static void
test_ends(void)
{
	for (int s = 1; s <= 34; s++) {
		pid_t pid;
		int status;

		if (s == SIGSTOP || s == SIGTSTP || s == SIGTTIN || s == SIGTTOU || s == 32 || s == 33)
			continue;
		fflush(stdout);
		pid = fork();
		if (!pid) {
			signal(s, SIG_DFL);
			kill(getpid(), s);
			_exit(s);
		}
		MUST(waitpid(pid, &status, 0) == pid);
		printf("%d: exited %d %d signaled %d %d\n", s, WIFEXITED(status), WEXITSTATUS(status),
		       WIFSIGNALED(status), WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	}
}

static volatile sig_atomic_t ticks;

static void
tick(int signal)
{
	(void)signal;
	ticks++;
}

/* A timer interrupts computation: its result must not change. */
static void
test_timer(void)
{
	struct itimerval timer = { { 0, 500 }, { 0, 500 } };
	unsigned long hash = 1;
	double sum = 0;

	set(SIGALRM, tick, SA_RESTART);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (unsigned long i = 1; ticks < 200; i++) {
		unsigned long h = i;
		double s = 0;

		for (int k = 0; k < 1000; k++) {
			h = h * 6364136223846793005ul + 1442695040888963407ul;
			s += 1.0 / (double)(k + 1);
		}
		if (i == 1) {
			hash = h;
			sum = s;
		} else {
			unsigned long again = 1;

			for (int k = 0; k < 1000; k++)
				again = again * 6364136223846793005ul + 1442695040888963407ul;
			MUST(again == hash);
			MUST(s == sum);
		}
	}
	timer = (struct itimerval){ { 0, 0 }, { 0, 0 } };
	setitimer(ITIMER_REAL, &timer, NULL);
	printf("hash %lx sum %.17g\n", hash, sum);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_info();
	test_reserved();
	test_masks();
	test_nesting();
	test_ends();
	test_timer();
	return 0;
}

/* Blocking calls that a handler interrupts: EINTR or restart, as signal(7)
 * lists them. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

static int fds[2], sockets[2], release_write;
static volatile sig_atomic_t handled;

/* The first signal only interrupts; the second one lets a restarted call end. */
static void
handler(int signal)
{
	(void)signal;
	if (++handled == 2) {
		char byte = 'x';

		(void)!write(release_write, &byte, 1);
	}
}

static void
arm(int flags, int to)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	struct itimerval timer = { { 0, 150000 }, { 0, 60000 } }; /* every, first */

	release_write = to;
	handled = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void
disarm(void)
{
	struct itimerval timer = { { 0, 0 }, { 0, 0 } };

	setitimer(ITIMER_REAL, &timer, NULL);
	printf("  handled %d\n", handled > 2 ? 2 : handled);
}

static long
futex_wait(unsigned *word, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, 0, 0, timeout, NULL, 0);
}

#define WITH(flags, to, call) (arm(flags, to), printf("%s: ", #flags), ({ SHOW(call); }), disarm())

static void
test_reads(void)
{
	char byte;

	WITH(0, fds[1], read(fds[0], &byte, 1));
	WITH(SA_RESTART, fds[1], read(fds[0], &byte, 1));
	WITH(0, sockets[1], recv(sockets[0], &byte, 1, 0));
	WITH(SA_RESTART, sockets[1], recv(sockets[0], &byte, 1, 0));
}

static void
test_waits(void)
{
	struct pollfd p = { .fd = fds[0], .events = POLLIN };
	struct epoll_event event = { .events = EPOLLIN };
	struct timespec nap = { 0, 300000000 }, left = { 0, 0 };
	struct timeval tv = { 0, 300000 };
	int epoll = epoll_create1(0);
	unsigned word = 0;
	fd_set set;
	char byte;

	epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event);
	WITH(0, fds[1], poll(&p, 1, 300));
	WITH(SA_RESTART, fds[1], poll(&p, 1, 300));
	WITH(SA_RESTART, fds[1], epoll_wait(epoll, &event, 1, 300));
	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	WITH(SA_RESTART, fds[1], select(fds[0] + 1, &set, NULL, NULL, &tv));
	WITH(SA_RESTART, fds[1], nanosleep(&nap, &left));
	printf("  some left %d\n", left.tv_nsec > 0 && left.tv_nsec < 300000000);
	WITH(SA_RESTART, fds[1], clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL));
	WITH(0, fds[1], futex_wait(&word, NULL));
	WITH(SA_RESTART, fds[1], futex_wait(&word, &nap));
	WITH(SA_RESTART, fds[1], pause());
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	while (read(fds[0], &byte, 1) == 1)
		;
	fcntl(fds[0], F_SETFL, 0);
}

static void
test_children(int flags)
{
	pid_t pid = fork();
	int status;

	if (!pid) { /* until the second signal */
		char byte;

		_exit(read(fds[0], &byte, 1) == 1 ? 7 : 8);
	}
	arm(flags, fds[1]);
	errno = 0;
	printf("wait with %s: ", flags ? "restart" : "none");
	if (waitpid(pid, &status, 0) == pid)
		printf("status %d", WEXITSTATUS(status));
	else
		printf("%s", strerrorname_np(errno));
	disarm();
	if (!flags) {
		(void)!write(fds[1], "x", 1);
		waitpid(pid, &status, 0);
	}
}

static volatile sig_atomic_t seen;

static void
count(int signal)
{
	(void)signal;
	seen++;
}

/* ppoll and friends: the signal is open only inside. */
static void
test_masks(void)
{
	sigset_t block, open;
	struct sigaction action = { .sa_handler = count };
	struct timespec soon = { 0, 50000000 };
	struct pollfd p = { .fd = fds[0], .events = POLLIN };
	struct epoll_event event;
	int epoll = epoll_create1(0);
	char byte = 1;

	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&open);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, NULL);
	raise(SIGUSR1);
	SHOW(seen);
	SHOW(ppoll(&p, 1, &soon, NULL));
	SHOW(seen);
	SHOW(ppoll(&p, 1, &soon, &open));
	SHOW(seen);
	raise(SIGUSR1);
	SHOW(pselect(0, NULL, NULL, NULL, &soon, &open));
	SHOW(seen);
	raise(SIGUSR1);
	SHOW(epoll_pwait(epoll, &event, 1, 50, &open));
	SHOW(seen);
	SHOW(ppoll(&p, 1, &soon, &open));
	/* Ready wins over the signal: the mask never opens. */
	MUST(write(fds[1], &byte, 1) == 1);
	raise(SIGUSR1);
	SHOW(ppoll(&p, 1, &soon, &open));
	printf("seen %d\n", seen == 3 || seen == 4);
	MUST(read(fds[0], &byte, 1) == 1);
	sigprocmask(SIG_UNBLOCK, &block, NULL);
	SHOW(seen);
}

/* A stopped and continued process goes on sleeping without an error. */
static void
test_stop(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		struct timespec nap = { 0, 200000000 };

		_exit(nanosleep(&nap, NULL) ? 1 : 0);
	}
	usleep(50000);
	kill(pid, SIGSTOP);
	SHOW(waitpid(pid, &status, WUNTRACED) == pid);
	SHOW(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	kill(pid, SIGCONT);
	SHOW(waitpid(pid, &status, WCONTINUED) == pid);
	SHOW(WIFCONTINUED(status));
	SHOW(waitpid(pid, &status, 0) == pid);
	SHOW(WEXITSTATUS(status));
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	MUST(!pipe(fds) && !socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	test_reads();
	test_waits();
	test_children(0);
	test_children(SA_RESTART);
	test_masks();
	test_stop();
	return 0;
}

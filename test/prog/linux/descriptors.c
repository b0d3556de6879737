/* Pipes, poll, epoll, eventfd, timerfd, signalfd, inotify, memfd, splice, fcntl
 * locks, dup and close in all forms. */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "show.h"

static void
test_pipe(void)
{
	int fds[2], waiting = 0;
	char text[16] = "";
	struct iovec iov[3] = { { (char *)"ab", 2 }, { (char *)"", 0 }, { (char *)"cde", 3 } };

	SHOW(pipe2(fds, O_NONBLOCK | O_CLOEXEC));
	SHOW(pipe2(fds, 12345));
	SHOW(pipe((int *)8));
	SHOW(read(fds[0], text, 1));
	SHOW(writev(fds[1], iov, 3));
	SHOW(ioctl(fds[0], FIONREAD, &waiting));
	SHOW(waiting);
	iov[0].iov_base = text;
	iov[2].iov_base = text + 8;
	SHOW(readv(fds[0], iov, 3));
	printf("%s %s\n", text, text + 8);
	SHOW(writev(fds[1], iov, -1));
	SHOW(writev(fds[1], (struct iovec *)8, 1));
	iov[0].iov_base = (void *)8;
	SHOW(writev(fds[1], iov, 1));
	SHOW(writev(fds[1], iov, 2000));
	signal(SIGPIPE, SIG_IGN);
	close(fds[0]);
	SHOW(write(fds[1], "x", 1));
	signal(SIGPIPE, SIG_DFL);
	close(fds[1]);
	SHOW(write(fds[1], "x", 1));
	SHOW(write(1, (void *)8, 1));
	SHOW(read(-1, text, 1));
	SHOW(read(0x7fffffff, text, 1));
}

static void
test_poll(void)
{
	int fds[2], ep = epoll_create1(EPOLL_CLOEXEC);
	struct pollfd p[3];
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u64 = 0x123456789abcdef0 }, out[4];

	MUST(!pipe(fds));
	p[0] = (struct pollfd){ fds[0], POLLIN, 0 };
	p[1] = (struct pollfd){ fds[1], POLLOUT, 0 };
	p[2] = (struct pollfd){ 1000, POLLIN, 0 };
	SHOW(poll(p, 3, 0));
	printf("revents %x %x %x\n", p[0].revents, p[1].revents, p[2].revents);
	SHOW(poll((struct pollfd *)8, 1, 0));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &event));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &event));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &event));
	SHOW(epoll_ctl(ep, EPOLL_CTL_MOD, fds[1], &event));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, fds[1], (struct epoll_event *)8));
	event.data.u64 = 0xfedcba9876543210;
	event.events = EPOLLOUT;
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, fds[1], &event));
	MUST(write(fds[1], "x", 1) == 1);
	SHOW(epoll_wait(ep, out, 4, 0));
	for (int i = 0; i < 2; i++)
		printf("event %x %llx\n", out[i].events, (unsigned long long)out[i].data.u64);
	SHOW(epoll_wait(ep, out, 4, 0));
	SHOW(epoll_wait(ep, out, 0, 0));
	SHOW(epoll_wait(fds[0], out, 1, 0));
	SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, fds[0], NULL));
	SHOW(epoll_create1(77));
	close(fds[1]);
	p[0].revents = 0;
	MUST(read(fds[0], p, 1) == 1);
	p[0] = (struct pollfd){ fds[0], POLLIN, 0 };
	SHOW(poll(p, 1, -1));
	printf("revents %x\n", p[0].revents);
	close(fds[0]);
	close(ep);
}

static void
test_events(void)
{
	int event = eventfd(3, EFD_NONBLOCK | EFD_SEMAPHORE), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec spec = { { 0, 1000000 }, { 0, 1000000 } };
	unsigned long long value = 0;
	struct signalfd_siginfo info;
	sigset_t set;
	int fd;

	SHOW(read(event, &value, 8));
	SHOW(value);
	SHOW(read(event, &value, 4));
	value = 0xfffffffffffffffe;
	SHOW(write(event, &value, 8));
	SHOW(timerfd_settime(timer, 0, &spec, NULL));
	usleep(20000);
	SHOW(read(timer, &value, 8));
	printf("expired %d\n", value >= 5);
	SHOW(timerfd_settime(event, 0, &spec, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_NONBLOCK);
	SHOW(read(fd, &info, sizeof info));
	raise(SIGUSR1);
	sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = 99 });
	SHOW(read(fd, &info, sizeof info));
	printf("signal %u\n", info.ssi_signo);
	SHOW(read(fd, &info, sizeof info));
	printf("signal %u value %d\n", info.ssi_signo, info.ssi_int);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	close(fd);
	close(event);
	close(timer);
}

static void
test_files(void)
{
	char name[] = "/tmp/descXXXXXX", text[64] = "";
	int fd = mkstemp(name), other, memory = memfd_create("m", MFD_ALLOW_SEALING), watch = inotify_init1(IN_NONBLOCK);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5 };
	struct inotify_event *event = (struct inotify_event *)text;
	off_t offset = 2;
	int status;

	MUST(inotify_add_watch(watch, name, IN_MODIFY) > 0);
	SHOW(write(fd, "hello, world", 12));
	SHOW(read(watch, text, sizeof text));
	printf("mask %x\n", event->mask);
	SHOW(pwrite(fd, "J", 1, 0));
	SHOW(pread(fd, text, 5, 0));
	printf("%.5s\n", text);
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(lseek(fd, -1, SEEK_SET));
	SHOW(lseek(fd, 0, 99));
	SHOW(sendfile(memory, fd, &offset, 5));
	SHOW(offset);
	SHOW(copy_file_range(fd, &offset, memory, NULL, 100, 0));
	SHOW(fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_WRITE));
	SHOW(write(memory, "x", 1));
	SHOW(ftruncate(memory, 1));
	SHOW(fcntl(fd, F_SETLK, &lock));
	fflush(stdout);
	if (!fork()) {
		lock.l_start = 0;
		lock.l_len = 0;
		SHOW(fcntl(fd, F_SETLK, &lock));
		lock.l_type = F_RDLCK;
		SHOW(fcntl(fd, F_GETLK, &lock));
		printf("type %d start %ld len %ld held %d\n", lock.l_type, (long)lock.l_start, (long)lock.l_len,
		       lock.l_pid == getppid());
		_exit(0);
	}
	wait(&status);
	SHOW(fcntl(fd, F_GETFL) & O_ACCMODE);
	SHOW(fcntl(fd, F_SETFD, FD_CLOEXEC));
	SHOW(fcntl(fd, F_GETFD));
	SHOW(other = fcntl(fd, F_DUPFD_CLOEXEC, 100));
	SHOW(dup2(fd, 50));
	SHOW(dup3(fd, 50, O_CLOEXEC));
	SHOW(dup3(fd, fd, 0));
	SHOW(dup2(fd, -1));
	SHOW(close(50));
	SHOW(close(50));
	SHOW(close_range(90, 110, 0));
	SHOW(fcntl(other, F_GETFD));
	SHOW(close_range(110, 90, 0));
	SHOW(fcntl(fd, 9999));
	SHOW(fallocate(fd, 0, 0, 100));
	SHOW(posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM));
	SHOW(ioctl(fd, TIOCGWINSZ, text));
	SHOW(unlink(name));
	close(fd);
	close(memory);
	close(watch);
}

/* All that may be open is closed but the first three: the emulator's own must
 * survive. */
static void
test_close_all(void)
{
	int status;

	fflush(stdout);
	if (!fork()) {
		for (int fd = 3; fd < 5000; fd++)
			close(fd);
		close_range(3, ~0u, 0);
		SHOW(open("/dev/null", O_RDONLY));
		SHOW(system("exit 4") >> 8);
		_exit(0);
	}
	wait(&status);
	SHOW(status);
}

/* The descriptors that /proc lists are those that there are. */
static void
test_listing(const char *path)
{
	DIR *list = opendir(path);
	struct dirent *entry;
	int count = 0, closed = 0;

	MUST(list);
	while ((entry = readdir(list)))
		if (entry->d_name[0] != '.') {
			count++;
			closed += fcntl(atoi(entry->d_name), F_GETFD) < 0;
		}
	closedir(list);
	printf("%s: %s, %d of them closed\n", path, count > 2 ? "some" : "few", closed);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_pipe();
	test_poll();
	test_events();
	test_files();
	test_close_all();
	test_listing("/proc/self/fd");
	test_listing("/proc/self/fdinfo");
	test_listing("/proc/thread-self/fd");
	return 0;
}

/* Calls whose results a program can predict: what they return and what they leave
 * in memory, class by class. */
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

static void
test_pidfd(void)
{
	pid_t child = fork();
	int fd, pipes[2], got;
	siginfo_t info = { 0 };

	if (!child) {
		pause();
		_exit(1);
	}
	fd = (int)syscall(SYS_pidfd_open, child, 0);
	SHOW(fd >= 0);
	SHOW(fcntl(fd, F_GETFD));
	SHOW(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	SHOW(syscall(SYS_pidfd_send_signal, fd, 99, NULL, 0));
	SHOW(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 7));
	MUST(!pipe(pipes));
	got = (int)syscall(SYS_pidfd_getfd, fd, 0, 0);
	SHOW(got >= 0);
	SHOW(syscall(SYS_pidfd_getfd, fd, 1000, 0));
	SHOW(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
	SHOW(waitid((idtype_t)3 /* P_PIDFD */, (id_t)fd, &info, WEXITED));
	printf("%d %d %d %d\n", info.si_signo, info.si_code, info.si_status, info.si_pid == child);
	SHOW(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	SHOW(syscall(SYS_pidfd_open, -1, 0));
	SHOW(syscall(SYS_pidfd_open, getpid(), 0x12345));
}

static void
test_process_vm(void)
{
	static char page[8192] = "in the parent";
	char to[32] = "";
	struct iovec local = { to, sizeof to }, remote = { page, 14 }, bad = { (void *)8, 14 };
	struct iovec two[2] = { { page, 5 }, { (void *)8, 4 } };
	pid_t child;
	int status;

	SHOW(process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	puts(to);
	SHOW(process_vm_readv(getpid(), &local, 1, &bad, 1, 0));
	SHOW(process_vm_readv(getpid(), &local, 1, two, 2, 0));
	SHOW(process_vm_readv(getpid(), &bad, 1, &remote, 1, 0));
	SHOW(process_vm_readv(getpid(), &local, 1, &remote, 1, 1));
	SHOW(process_vm_readv(getpid(), &local, 2000, &remote, 1, 0));
	SHOW(process_vm_readv(getpid(), (void *)8, 1, &remote, 1, 0));
	SHOW(process_vm_readv(12345678, &local, 1, &remote, 1, 0));
	SHOW(process_vm_readv(getpid(), &local, 0, &remote, 1, 0));
	fflush(stdout);
	child = fork();
	if (!child) {
		strcpy(page, "in the child!");
		raise(SIGSTOP);
		_exit(page[0] == 'X' ? 3 : 4);
	}
	MUST(waitpid(child, &status, WUNTRACED) == child);
	SHOW(process_vm_readv(child, &local, 1, &remote, 1, 0));
	puts(to);
	to[0] = 'X';
	SHOW(process_vm_writev(child, &local, 1, &remote, 1, 0));
	kill(child, SIGCONT);
	waitpid(child, &status, 0);
	printf("status %x\n", status);
}

static void
test_membarrier(void)
{
	long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

	SHOW(commands & MEMBARRIER_CMD_GLOBAL);
	SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
	SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
	SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
	SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 1, 0));
	SHOW(syscall(SYS_membarrier, 12345, 0, 0));
	SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0));
}

static void
test_ancillary(void)
{
	int sv[2], pipes[2], on = 1;
	union { struct cmsghdr head; char space[CMSG_SPACE(2 * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))]; } control;
	char data[8] = "data";
	struct iovec iov = { data, 5 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = CMSG_SPACE(2 * sizeof(int)) };
	struct cmsghdr *c = &control.head;

	MUST(!socketpair(AF_UNIX, SOCK_DGRAM, 0, sv) && !pipe(pipes));
	setsockopt(sv[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
	*c = (struct cmsghdr){ CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(c), pipes, sizeof pipes);
	SHOW(sendmsg(sv[0], &message, 0));
	memset(&control, 0, sizeof control);
	message.msg_controllen = sizeof control;
	SHOW(recvmsg(sv[1], &message, MSG_CMSG_CLOEXEC));
	printf("flags %x, controllen %zu\n", (unsigned)message.msg_flags, message.msg_controllen);
	for (c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		printf("level %d type %d length %zu\n", c->cmsg_level, c->cmsg_type, (size_t)c->cmsg_len);
		if (c->cmsg_type == SCM_RIGHTS) {
			int fds[2];

			memcpy(fds, CMSG_DATA(c), sizeof fds);
			SHOW(fcntl(fds[0], F_GETFD));
			SHOW(write(fds[1], "x", 1));
			SHOW(read(pipes[0], data, 8));
		} else if (c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred cred;

			memcpy(&cred, CMSG_DATA(c), sizeof cred);
			printf("own %d\n", cred.pid == getpid() && cred.uid == getuid());
		}
	}
	/* Too little room: cut off. */
	message.msg_controllen = 4;
	SHOW(send(sv[0], "more", 4, 0));
	SHOW(recvmsg(sv[1], &message, 0));
	printf("flags %x, controllen %zu\n", (unsigned)message.msg_flags, message.msg_controllen);
	/* A time stamp. */
	SHOW(setsockopt(sv[1], SOL_SOCKET, SO_TIMESTAMP, &on, sizeof on));
	message.msg_controllen = sizeof control;
	SHOW(send(sv[0], "late", 4, 0));
	SHOW(recvmsg(sv[1], &message, 0));
	for (c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
		printf("level %d type %d length %zu\n", c->cmsg_level, c->cmsg_type, (size_t)c->cmsg_len);
}

static void
test_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	struct termios t;
	struct winsize w = { 12, 34, 56, 78 }, got = { 0 };
	char name[64], line[32];
	int count = 0;

	MUST(master >= 0 && !grantpt(master) && !unlockpt(master) && !ptsname_r(master, name, sizeof name));
	slave = open(name, O_RDWR | O_NOCTTY);
	MUST(slave >= 0);
	SHOW(isatty(slave));
	SHOW(tcgetattr(slave, &t));
	printf("%x %x %x %x\n", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag);
	for (unsigned i = 0; i < 17; i++)
		printf("%d ", t.c_cc[i]);
	puts("");
	SHOW(ioctl(slave, TIOCSWINSZ, &w));
	SHOW(ioctl(master, TIOCGWINSZ, &got));
	printf("%d %d %d %d\n", got.ws_row, got.ws_col, got.ws_xpixel, got.ws_ypixel);
	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	SHOW(tcsetattr(slave, TCSANOW, &t));
	SHOW(write(master, "raw", 3));
	SHOW(poll(&(struct pollfd){ slave, POLLIN, 0 }, 1, 1000));
	SHOW(ioctl(slave, FIONREAD, &count));
	SHOW(read(slave, line, sizeof line));
	SHOW(tcflush(slave, TCIOFLUSH));
	SHOW(tcdrain(slave));
	SHOW(tcgetsid(slave) == -1);
	SHOW(ioctl(slave, TIOCGPTN, &count));
	SHOW(ioctl(0x7fff, TCGETS, &t));
	SHOW(ioctl(slave, TCGETS, 8));
	close(slave);
	SHOW(read(master, line, sizeof line) == -1);
	close(master);
}

static void
test_memory(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *m = mmap(NULL, (size_t)page * 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *again;
	unsigned char vec[8];

	MUST(m != MAP_FAILED);
	memset(m, 1, (size_t)page * 8);
	SHOW(mincore(m, (size_t)page * 8, vec));
	SHOW(vec[0] & vec[7] & 1);
	SHOW(madvise(m + page, (size_t)page, MADV_DONTNEED));
	SHOW(m[page] + m[0]);
	SHOW(mprotect(m + page, (size_t)page, PROT_NONE));
	SHOW(write(-1, m + page, 1));
	SHOW(mlock(m, (size_t)page));
	SHOW(munlock(m, (size_t)page));
	again = mmap(m, (size_t)page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	SHOW(again == MAP_FAILED);
	SHOW(munmap(m + 4 * page, (size_t)page));
	SHOW(mincore(m, (size_t)page * 8, vec));
	SHOW(msync(m, (size_t)page * 8, MS_SYNC));
	SHOW(madvise(m, (size_t)page * 8, MADV_WILLNEED));
	again = mremap(m, (size_t)page, (size_t)page * 2, 0);
	SHOW(again == MAP_FAILED);
	again = mremap(m + 5 * page, (size_t)page, (size_t)page, MREMAP_MAYMOVE | MREMAP_FIXED, m + 4 * page);
	SHOW(again == m + 4 * page);
	SHOW(m[4 * page]);
	SHOW(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	SHOW(mmap(NULL, (size_t)page, PROT_READ, MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	SHOW(mmap(NULL, (size_t)page, PROT_READ, MAP_PRIVATE, 0x7fff, 0) == MAP_FAILED);
	SHOW(syscall(SYS_mmap, 0, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1));
}

static void
test_limits(void)
{
	struct rlimit r = { 20, 30 };
	int fd, last = 0;

	SHOW(setrlimit(RLIMIT_NOFILE, &r));
	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		last = fd;
	SHOW(errno == EMFILE);
	SHOW(last);
	SHOW(dup2(0, 25));
	SHOW(fcntl(0, F_DUPFD, 19));
	SHOW(fcntl(0, F_DUPFD, 20));
	for (fd = 3; fd < 20; fd++)
		close(fd);
	r = (struct rlimit){ 4096, 4096 };
	signal(SIGXFSZ, SIG_IGN);
	SHOW(setrlimit(RLIMIT_FSIZE, &r));
	fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	SHOW(pwrite(fd, "x", 1, 4095));
	SHOW(pwrite(fd, "x", 1, 4096));
	SHOW(ftruncate(fd, 5000));
	close(fd);
	r = (struct rlimit){ 5, 4 };
	SHOW(setrlimit(RLIMIT_CPU, &r));
	SHOW(setrlimit((__rlimit_resource_t)99, &r));
}

static void
in_child(const char *name, void (*test)(void))
{
	pid_t child;
	int status;

	printf("== %s\n", name);
	fflush(stdout);
	child = fork();
	if (!child) {
		test();
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, &status, 0);
	printf("status %x\n", status);
}

int
main(void)
{
	in_child("pidfd", test_pidfd);
	in_child("process_vm", test_process_vm);
	in_child("membarrier", test_membarrier);
	in_child("ancillary", test_ancillary);
	in_child("terminal", test_terminal);
	in_child("memory", test_memory);
	in_child("limits", test_limits);
	return 0;
}

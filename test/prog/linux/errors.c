/* Each call with odd arguments: the error must be the kernel's own, in its own
 * order of checks. */
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

#define BAD 8l                      /* nothing is mapped there */
#define HIGH (long)0x7fffffffffffl  /* nor at the very end of the space */
#define WILD (long)0xdead000000000000l

#define CALL(name, ...)                                                                   \
	do {                                                                              \
		long value;                                                               \
		errno = 0;                                                                \
		value = syscall(SYS_##name, ##__VA_ARGS__);                               \
		printf("%s(%s) = %s\n", #name, #__VA_ARGS__,                              \
		       value == -1 ? strerrorname_np(errno) : value ? "some" : "0");      \
	} while (0)

/* The same call with every kind of bad pointer in one place. */
#define POINTERS(name, before, ...)                                                       \
	do {                                                                              \
		long P = 0;                                                               \
		CALL(name, before, P, ##__VA_ARGS__);                                     \
		P = BAD;                                                                  \
		CALL(name, before, P, ##__VA_ARGS__);                                     \
		P = HIGH;                                                                 \
		CALL(name, before, P, ##__VA_ARGS__);                                     \
		P = WILD;                                                                 \
		CALL(name, before, P, ##__VA_ARGS__);                                     \
	} while (0)

static long fds[2];
static int pipes[2];

static void
test_files(void)
{
	POINTERS(read, pipes[0], 0);
	POINTERS(write, pipes[1], 1);
	POINTERS(readv, pipes[0], 1);
	POINTERS(writev, pipes[1], 1);
	POINTERS(pread64, -1, 1, 0);
	CALL(pread64, pipes[0], BAD, 1, 0);
	CALL(pwrite64, pipes[1], BAD, 1, -1l);
	CALL(preadv, pipes[0], BAD, 1, 0, 0);
	CALL(preadv2, -1, BAD, 1, 0, 0, 0);
	CALL(lseek, pipes[0], 0, 0);
	POINTERS(openat, -100, 0, 0);
	POINTERS(openat, -1, 0, 0);
	POINTERS(mkdirat, -100, 0755);
	POINTERS(unlinkat, -100, 0);
	CALL(unlinkat, -100, BAD, 12345);
	POINTERS(linkat, -100, -100, BAD, 0);
	CALL(linkat, -100, BAD, -100, BAD, 0x8000000);
	POINTERS(renameat2, -100, -100, "x", 0);
	CALL(renameat2, -100, BAD, -100, BAD, 7);
	CALL(symlinkat, BAD, -100, "x");
	POINTERS(readlinkat, -100, fds, 10);
	CALL(readlinkat, -100, "/proc", BAD, 0);
	POINTERS(newfstatat, -100, fds, 0);
	CALL(newfstatat, -100, "/", BAD, 0);
	CALL(newfstatat, -100, BAD, BAD, 0x77777);
	POINTERS(statx, -100, 0, 0, BAD);
	CALL(statx, -100, "/", 0, 0x7ff, BAD);
	CALL(statx, -100, "/", 0x6000, 0x7ff, BAD);
	POINTERS(fstat, -1);
	POINTERS(fstat, 0x7fffffff);
	CALL(fstat, pipes[0], BAD);
	POINTERS(faccessat, -100, 0);
	CALL(faccessat2, -100, BAD, 99, 0);
	POINTERS(fchmodat, -100, 0);
	POINTERS(fchownat, -100, 0, 0, 0);
	CALL(fchownat, -100, BAD, 0, 0, 0x8000);
	POINTERS(utimensat, -100, BAD, 0);
	CALL(utimensat, -100, 0, 0, 0);
	CALL(chdir, BAD);
	CALL(chdir, "/nothing");
	CALL(fchdir, pipes[0]);
	CALL(chroot, BAD);
	CALL(getdents64, pipes[0], BAD, 100);
	POINTERS(pipe2, 0 ? 0 : BAD);
	CALL(dup, -1);
	CALL(dup3, 0, 1, 12345);
	CALL(dup3, 1000, 0, 0);
	CALL(close, -1);
	CALL(fcntl, -1, 1, 0);
	CALL(fcntl, 0, 1234, 0);
	CALL(fcntl, 0, 5, BAD);
	CALL(flock, pipes[0], 77);
	CALL(ftruncate, pipes[0], 5);
	CALL(truncate, BAD, 5);
	CALL(fallocate, pipes[0], 0, 0, 5);
	CALL(statfs, BAD, BAD);
	CALL(fstatfs, pipes[0], BAD);
	CALL(ioctl, pipes[0], 0x5401, BAD);
	CALL(ioctl, pipes[0], 0x541b, BAD);
	CALL(ioctl, -1, 0, 0);
	CALL(sendfile, pipes[1], pipes[0], BAD, 5);
	CALL(splice, pipes[0], BAD, pipes[1], 0, 5, 0);
	CALL(tee, pipes[0], pipes[0], 5, 0);
	CALL(vmsplice, pipes[1], BAD, 1, 0);
	CALL(copy_file_range, pipes[0], 0, pipes[1], 0, 5, 0);
	CALL(getcwd, BAD, 100);
	CALL(getcwd, BAD, 1);
	CALL(mknodat, -100, "/tmp/x", 0170000, 0);
	CALL(memfd_create, BAD, 0);
	CALL(memfd_create, "x", 0x10000);
	CALL(inotify_add_watch, pipes[0], "/", 1);
	CALL(getxattr, "/", BAD, 0, 0);
	CALL(listxattr, BAD, 0, 0);
	CALL(openat2, -100, "/", BAD, 24);
	CALL(openat2, -100, "/", fds, 3);
}

static void
test_waiting(void)
{
	CALL(ppoll, BAD, 1, 0, 0, 8);
	CALL(ppoll, 0, 0, BAD, 0, 8);
	CALL(ppoll, 0, 0, 0, BAD, 8);
	CALL(ppoll, 0, 0, 0, fds, 7);
	CALL(ppoll, 0, 0x7fffffff, 0, 0, 8);
	CALL(pselect6, -1, 0, 0, 0, 0, 0);
	CALL(pselect6, 10, BAD, 0, 0, 0, 0);
	CALL(pselect6, 0, 0, 0, 0, BAD, 0);
	CALL(pselect6, 0, 0, 0, 0, 0, BAD);
	CALL(epoll_create1, 1);
	CALL(epoll_ctl, pipes[0], 1, pipes[0], BAD);
	CALL(epoll_pwait, pipes[0], fds, 1, 0, 0, 8);
	CALL(epoll_pwait, -1, fds, 1, 0, 0, 8);
	CALL(eventfd2, 0, 77);
	CALL(timerfd_create, 99, 0);
	CALL(timerfd_settime, pipes[0], 0, BAD, 0);
	CALL(timerfd_settime, pipes[0], 0, fds, 0);
	CALL(signalfd4, -1, BAD, 8, 0);
	CALL(signalfd4, -1, fds, 4, 0);
	CALL(signalfd4, pipes[0], fds, 8, 0);
	CALL(nanosleep, BAD, 0);
	CALL(clock_nanosleep, 0, 0, BAD, 0);
	CALL(clock_nanosleep, 99, 0, fds, 0);
	CALL(futex, BAD, 0, 0, 0, 0, 0);
	CALL(futex, 3, 0, 0, 0, 0, 0);
	CALL(futex, fds, 0, 1, 0, 0, 0);
	CALL(futex, fds, 99, 0, 0, 0, 0);
	CALL(futex, fds, 0, 0, BAD, 0, 0);
	CALL(futex, fds, 1, 1, 0, 0, 0);
	CALL(futex, fds, 9, 0, 0, 0, 0);
	CALL(futex, fds, 4, 1, 1, BAD, 0);
	CALL(futex, fds, 3, 1, -1, fds, 0);
	CALL(futex, fds, 5, 1, 1, BAD, 0);
}

static void
test_processes(void)
{
	CALL(wait4, 12345678, 0, 0, 0);
	CALL(wait4, -1, BAD, 0, 0);
	CALL(waitid, 99, 0, BAD, 4, 0);
	CALL(kill, 12345678, 0);
	CALL(kill, getpid(), 99);
	CALL(tkill, -1, 0);
	CALL(tgkill, getpid(), 12345678, 0);
	CALL(tgkill, 0, 0, 0);
	CALL(rt_sigaction, 1, BAD, 0, 8);
	CALL(rt_sigaction, 1, 0, BAD, 8);
	CALL(rt_sigaction, 0, 0, 0, 8);
	CALL(rt_sigprocmask, 0, BAD, 0, 8);
	CALL(rt_sigprocmask, 9, fds, 0, 8);
	CALL(rt_sigprocmask, 0, 0, BAD, 8);
	CALL(rt_sigpending, BAD, 8);
	CALL(rt_sigpending, fds, 16);
	CALL(rt_sigsuspend, BAD, 8);
	CALL(rt_sigsuspend, fds, 9);
	CALL(rt_sigtimedwait, BAD, 0, 0, 8);
	CALL(rt_sigtimedwait, fds, 0, BAD, 8);
	CALL(rt_sigtimedwait, fds, 0, 0, 4);
	CALL(rt_sigqueueinfo, getpid(), 99, fds);
	CALL(rt_sigqueueinfo, getpid(), 10, BAD);
	CALL(sigaltstack, BAD, 0);
	CALL(sched_getaffinity, 0, 1, fds);
	CALL(sched_getaffinity, 0, 8, BAD);
	CALL(sched_setaffinity, 0, 8, BAD);
	CALL(sched_setscheduler, 0, 99, fds);
	CALL(sched_getparam, 0, BAD);
	CALL(sched_get_priority_max, 99);
	CALL(getpriority, 9, 0);
	CALL(setpriority, 9, 0, 0);
	CALL(getrusage, 9, fds);
	CALL(getrusage, 0, BAD);
	CALL(getrlimit, 99, fds);
	CALL(getrlimit, 0, BAD);
	CALL(setrlimit, 99, fds);
	CALL(prlimit64, 0, 7, BAD, 0);
	CALL(prlimit64, 12345678, 7, 0, 0);
	CALL(times, BAD);
	CALL(getgroups, -1, 0);
	CALL(setpgid, 12345678, 0);
	CALL(getpgid, 12345678);
	CALL(getsid, 12345678);
	CALL(prctl, 99999, 0, 0, 0, 0);
	CALL(prctl, 15, BAD, 0, 0, 0);
	CALL(prctl, 1, 99, 0, 0, 0);
	CALL(capget, BAD, 0);
	CALL(get_robust_list, 12345678, fds, fds);
	CALL(set_robust_list, 0, 5);
	CALL(unshare, 1);
	CALL(setns, pipes[0], 0);
	CALL(getrandom, BAD, 10, 0);
	CALL(getrandom, fds, 8, 99);
	CALL(sysinfo, BAD);
	CALL(uname, BAD);
	CALL(getitimer, 9, fds);
	CALL(setitimer, 9, fds, 0);
	CALL(setitimer, 0, BAD, 0);
	CALL(timer_create, 99, 0, fds);
	CALL(timer_create, 0, BAD, fds);
	CALL(timer_delete, 77);
	CALL(timer_settime, 77, 0, fds, 0);
	CALL(clock_gettime, 99, fds);
	CALL(clock_gettime, 0, BAD);
	CALL(clock_getres, 0, BAD);
	CALL(gettimeofday, BAD, 0);
	CALL(execveat, -1, "x", 0, 0, 0);
	CALL(membarrier, 9999, 0, 0);
	CALL(pidfd_open, 12345678, 0);
	CALL(pidfd_open, getpid(), 99);
}

static void
test_memory(void)
{
	CALL(mmap, 0, 0, 3, 0x22, -1, 0);
	CALL(mmap, 0, 4096, 3, 0x20, -1, 0);
	CALL(mmap, 0, 4096, 3, 2, -1, 0);
	CALL(mmap, 0, 4096, 3, 2, pipes[0], 0);
	CALL(mmap, 0, 4096, 3, 0x22, -1, 5);
	CALL(mmap, 5, 4096, 3, 0x32, -1, 0);
	CALL(mmap, 0, WILD, 3, 0x22, -1, 0);
	CALL(mmap, WILD, 4096, 3, 0x32, -1, 0);
	CALL(munmap, 5, 4096);
	CALL(munmap, 4096, 0);
	CALL(munmap, WILD, 4096);
	CALL(mprotect, 5, 4096, 0);
	CALL(mprotect, 4096, 4096, 0);
	CALL(mprotect, 4096, 0, 0);
	CALL(mprotect, (long)fds & -4096, 4096, 0x77);
	CALL(mremap, 4096, 4096, 8192, 1, 0);
	CALL(mremap, 5, 4096, 8192, 1, 0);
	CALL(mremap, 4096, 4096, 0, 1, 0);
	CALL(mremap, 4096, 4096, 4096, 99, 0);
	CALL(madvise, 5, 4096, 4);
	CALL(madvise, 4096, 4096, 4);
	CALL(madvise, 4096, 4096, 999);
	CALL(msync, 5, 4096, 0);
	CALL(msync, 4096, 4096, 4);
	CALL(mincore, 4096, 4096, fds);
	CALL(mincore, 5, 4096, fds);
	CALL(mlock, 4096, 4096);
	CALL(brk, 0);
	CALL(shmat, -1, 0, 0);
	CALL(shmdt, 4096);
	CALL(shmctl, -1, 2, fds);
	CALL(semctl, -1, 0, 12, 0);
	CALL(msgctl, -1, 2, fds);
	CALL(semop, -1, fds, 1);
}

static void
test_sockets(void)
{
	CALL(socket, 999, 1, 0);
	CALL(bind, 0, BAD, 16);
	CALL(bind, -1, BAD, 16);
	CALL(connect, pipes[0], fds, 16);
	CALL(accept, -1, 0, 0);
	CALL(sendto, pipes[0], fds, 1, 0, 0, 0);
	CALL(recvfrom, -1, fds, 1, 0, 0, 0);
	CALL(sendmsg, -1, BAD, 0);
	CALL(recvmsg, pipes[0], BAD, 0);
	CALL(sendmmsg, -1, BAD, 1, 0);
	CALL(setsockopt, pipes[0], 1, 2, fds, 4);
	CALL(getsockopt, -1, 1, 2, fds, BAD);
	CALL(getsockname, pipes[0], fds, BAD);
	CALL(shutdown, pipes[0], 0);
	CALL(listen, -1, 0);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	MUST(!pipe(pipes));
	test_files();
	test_waiting();
	test_processes();
	test_memory();
	test_sockets();
	return 0;
}

/* The kernel's further facilities, a class each: what a program that uses one sees
 * must be native's, also where this machine or user may not have it. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

static void
test_namespaces(void)
{
	char name[65];
	int fd, status;

	SHOW(unshare(0));
	SHOW(unshare(0x40));
	SHOW(unshare(CLONE_NEWUTS));
	SHOW(sethostname("elsewhere", 9));
	SHOW(gethostname(name, sizeof name));
	puts(errno ? "" : name);
	fd = open("/proc/1/ns/uts", O_RDONLY);
	SHOW(setns(fd, CLONE_NEWNET));
	SHOW(setns(fd, CLONE_NEWUTS));
	SHOW(setns(-1, 0));
	SHOW(unshare(CLONE_NEWPID));
	fflush(stdout);
	if (!fork()) {
		SHOW(getpid());
		fflush(stdout);
		_exit(5);
	}
	wait(&status);
	printf("%x\n", status);
}

static void
test_mounts(void)
{
	struct statfs fs;
	long fs_fd, mount_fd;

	SHOW(unshare(CLONE_NEWNS));
	SHOW(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	SHOW(mount("none", "/mnt", "tmpfs", MS_NOEXEC, "size=64k"));
	SHOW(statfs("/mnt", &fs));
	printf("%lx %lx %ld\n", (long)fs.f_type, (long)fs.f_flags & ST_NOEXEC, (long)fs.f_blocks);
	SHOW(mkdir("/mnt/under", 0700));
	SHOW(mount("/mnt", "/mnt/under", NULL, MS_BIND, NULL));
	SHOW(umount2("/mnt/under", MNT_DETACH));
	SHOW(umount2("/mnt/under", 0x1000));
	SHOW(mount((char *)8, "/mnt", "tmpfs", 0, NULL));
	SHOW(mount("none", (char *)8, "tmpfs", 0, NULL));
	SHOW(mount("none", "/mnt", "no such", 0, NULL));
	SHOW((fs_fd = syscall(SYS_fsopen, "tmpfs", 1)) >= 0);
	SHOW(syscall(SYS_fsconfig, fs_fd, 1, "size", "128k", 0));
	SHOW(syscall(SYS_fsconfig, fs_fd, 1, "strange", "1", 0));
	SHOW(syscall(SYS_fsconfig, fs_fd, 6, 0, 0, 0));
	SHOW((mount_fd = syscall(SYS_fsmount, fs_fd, 1, 0)) >= 0);
	SHOW(syscall(SYS_move_mount, mount_fd, "", -100, "/mnt/under", 4));
	SHOW(statfs("/mnt/under", &fs));
	printf("%ld\n", (long)fs.f_blocks);
	SHOW(syscall(SYS_open_tree, -100, "/mnt", 1) >= 0);
	SHOW(syscall(SYS_fsopen, "no such", 0));
	SHOW(syscall(SYS_fspick, -100, "/mnt/nothing", 0));
}

static void
test_capabilities(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	SHOW(syscall(SYS_capget, &head, data));
	printf("%x %x\n", data[0].effective, data[0].permitted);
	data[0].effective &= ~(1u << CAP_CHOWN);
	SHOW(syscall(SYS_capset, &head, data));
	SHOW(syscall(SYS_capget, &head, data));
	SHOW(data[0].effective >> CAP_CHOWN & 1);
	head.version = 1;
	SHOW(syscall(SYS_capget, &head, data));
	SHOW(head.version == _LINUX_CAPABILITY_VERSION_3);
	SHOW(syscall(SYS_capget, 8, data));
	head.pid = -5;
	SHOW(syscall(SYS_capget, &head, data));
	SHOW(prctl(PR_CAPBSET_READ, CAP_SYS_TIME));
	SHOW(prctl(PR_CAPBSET_READ, 999));
	SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0));
	SHOW(prctl(PR_SET_KEEPCAPS, 1));
	SHOW(prctl(PR_GET_KEEPCAPS));
}

static void
test_landlock(void)
{
	uint64_t handled = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
	long rules = syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);

	SHOW(rules >= 0);
	SHOW(syscall(SYS_landlock_create_ruleset, 8, 8, 0));
	SHOW(syscall(SYS_landlock_create_ruleset, &handled, 1, 0));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	SHOW(syscall(SYS_landlock_restrict_self, rules, 0));
	SHOW(open("/etc/passwd", O_RDONLY) >= 0);
	SHOW(access("/etc/passwd", R_OK));
}

static void
test_keys(void)
{
	char text[16] = "";
	long ring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0), key;

	SHOW(ring > 0);
	SHOW((key = syscall(SYS_add_key, "user", "a key", "secret", 6, KEY_SPEC_SESSION_KEYRING)) > 0);
	SHOW(syscall(SYS_keyctl, KEYCTL_READ, key, text, sizeof text));
	puts(text);
	SHOW(syscall(SYS_keyctl, KEYCTL_READ, key, 8, sizeof text));
	SHOW(syscall(SYS_request_key, "user", "a key", 0, KEY_SPEC_SESSION_KEYRING) == key);
	SHOW(syscall(SYS_keyctl, KEYCTL_REVOKE, key));
	SHOW(syscall(SYS_keyctl, KEYCTL_READ, key, text, sizeof text));
	SHOW(syscall(SYS_keyctl, 12345));
	SHOW(syscall(SYS_add_key, "user", 8, "secret", 6, KEY_SPEC_SESSION_KEYRING));
}

static void
test_open(void)
{
	struct open_how how = { .flags = O_RDONLY, .resolve = RESOLVE_NO_SYMLINKS };
	struct statx sx;
	int high;

	SHOW(syscall(SYS_openat2, -100, "/proc/self/exe", &how, sizeof how));
	how.resolve = RESOLVE_BENEATH;
	SHOW(syscall(SYS_openat2, -100, "/etc/passwd", &how, sizeof how));
	how.resolve = RESOLVE_IN_ROOT;
	SHOW(syscall(SYS_openat2, -100, "/nothing", &how, sizeof how));
	how.resolve = 0x1000;
	SHOW(syscall(SYS_openat2, -100, "/", &how, sizeof how));
	SHOW(statx(-100, "/etc/passwd", 0, STATX_BASIC_STATS | STATX_BTIME, &sx));
	printf("%o %d\n", sx.stx_mode, (sx.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
	SHOW(statx(-100, "/etc/passwd", 0, 0x80000000, &sx));
	high = dup(0);
	SHOW(syscall(SYS_close_range, high, high + 10, CLOSE_RANGE_CLOEXEC));
	SHOW(fcntl(high, F_GETFD));
	SHOW(syscall(SYS_close_range, high, ~0u, 0));
	SHOW(fcntl(high, F_GETFD));
	SHOW(syscall(SYS_close_range, 5, 4, 0));
	SHOW(syscall(SYS_close_range, 5, 6, 77));
	SHOW(syscall(SYS_faccessat2, -100, "/etc/passwd", R_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW));
}

static void
test_notify(void)
{
	char name[] = "/tmp/facilitiesXXXXXX", path[64];
	union { struct inotify_event event; char space[1024]; } u;
	int fd = inotify_init1(IN_NONBLOCK), watch, size;

	MUST(mkdtemp(name));
	snprintf(path, sizeof path, "%s/file", name);
	SHOW(watch = inotify_add_watch(fd, name, IN_ALL_EVENTS));
	close(open(path, O_CREAT | O_WRONLY, 0600));
	rename(path, path);
	unlink(path);
	rmdir(name);
	size = (int)read(fd, &u, sizeof u);
	for (int at = 0; at < size;) {
		const struct inotify_event *e = (const void *)(u.space + at);

		printf("%x %s\n", e->mask, e->len ? e->name : "");
		at += (int)(sizeof *e + e->len);
	}
	SHOW(read(fd, &u, sizeof u));
	SHOW(inotify_rm_watch(fd, watch));
	SHOW(inotify_add_watch(fd, (char *)8, IN_ACCESS));
	SHOW(read(fd, (void *)8, 100));
}

static void
test_attributes(void)
{
	char name[] = "/tmp/facilitiesXXXXXX", text[64];
	int fd = mkstemp(name);

	SHOW(setxattr(name, "user.one", "value", 5, 0));
	SHOW(setxattr(name, "user.one", "value", 5, XATTR_CREATE));
	SHOW(fsetxattr(fd, "user.two", "", 0, XATTR_REPLACE));
	SHOW(getxattr(name, "user.one", text, sizeof text));
	SHOW(fgetxattr(fd, "user.one", text, 2));
	SHOW(getxattr(name, "user.none", text, sizeof text));
	SHOW(getxattr(name, "user.one", (void *)8, 64));
	SHOW(listxattr(name, NULL, 0));
	SHOW(removexattr(name, "user.one"));
	SHOW(removexattr(name, "user.one"));
	SHOW(lsetxattr(name, "nonsense", "x", 1, 0));
	unlink(name);
}

static void
test_times(void)
{
	struct itimerspec set = { { 0, 2000000 }, { 0, 1000000 } }, old;
	struct timespec ts = { 0, 3000000 }, bad = { 0, -1 };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	uint64_t count = 0;
	timer_t timer;
	struct sigevent event = { .sigev_notify = SIGEV_NONE };

	SHOW(timerfd_settime(fd, 0, &set, &old));
	nanosleep(&ts, NULL);
	SHOW(read(fd, &count, sizeof count));
	SHOW(count > 0);
	SHOW(timerfd_settime(fd, 0, &(struct itimerspec){ { 0, 0 }, bad }, NULL));
	SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
	SHOW(timer_settime(timer, 0, &set, NULL));
	SHOW(timer_gettime(timer, &old));
	SHOW(old.it_interval.tv_nsec);
	SHOW(timer_delete(timer));
	SHOW(timer_create(99, &event, &timer));
	SHOW(clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, NULL));
	SHOW(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL));
	SHOW(clock_gettime(CLOCK_BOOTTIME, &ts));
	SHOW(clock_gettime(77, &ts));
	SHOW(syscall(SYS_clock_getres, CLOCK_MONOTONIC, 8));
}

static void
test_scheduling(void)
{
	struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t more[5]; } attr = { 0 };
	struct sched_param param = { 0 };
	cpu_set_t set, one;

	SHOW(syscall(SYS_sched_getattr, 0, &attr, 48, 0));
	printf("%u %u %d\n", attr.size, attr.policy, attr.nice);
	attr.nice = 5;
	SHOW(syscall(SYS_sched_setattr, 0, &attr, 0));
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(syscall(SYS_sched_getattr, 0, &attr, 8, 0));
	SHOW(syscall(SYS_sched_setattr, 0, 8, 0));
	SHOW(sched_setscheduler(0, SCHED_BATCH, &param));
	SHOW(sched_getscheduler(0));
	SHOW(sched_setscheduler(0, SCHED_FIFO, &param));
	SHOW(sched_getaffinity(0, sizeof set, &set));
	CPU_ZERO(&one);
	SHOW(sched_setaffinity(0, sizeof one, &one));
	for (int cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&one); cpu++)
		if (CPU_ISSET(cpu, &set))
			CPU_SET(cpu, &one);
	SHOW(sched_setaffinity(0, sizeof one, &one));
	SHOW(CPU_ISSET(sched_getcpu(), &one));
	SHOW(syscall(SYS_getcpu, 8, 0, 0));
	SHOW(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 4));
	SHOW(syscall(SYS_ioprio_get, 1, 0));
}

static void
test_copies(void)
{
	int in = memfd_create("in", MFD_ALLOW_SEALING), out = memfd_create("out", 0), pipes[2];
	char text[32] = "";
	off_t from = 2;
	loff_t at = 1;

	MUST(write(in, "0123456789", 10) == 10 && !pipe(pipes));
	SHOW(sendfile(out, in, &from, 4));
	SHOW((long)from);
	SHOW(copy_file_range(in, &at, out, NULL, 3, 0));
	SHOW(pread(out, text, sizeof text, 0));
	puts(text);
	at = 0;
	SHOW(splice(in, &at, pipes[1], NULL, 5, 0));
	SHOW(tee(pipes[0], pipes[0], 1, 0));
	SHOW(read(pipes[0], text, sizeof text));
	SHOW(vmsplice(pipes[1], &(struct iovec){ text, 5 }, 1, 0));
	SHOW(fcntl(in, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK));
	SHOW(write(in, "x", 1));
	SHOW(ftruncate(in, 1));
	SHOW(fcntl(in, F_GET_SEALS));
	SHOW(mmap(NULL, 10, PROT_WRITE, MAP_SHARED, in, 0) == MAP_FAILED);
	SHOW(fallocate(out, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2));
	SHOW(fallocate(out, 0, 0, -1));
	SHOW(posix_fadvise(out, 0, 0, 99));
	SHOW(preadv2(out, &(struct iovec){ text, 5 }, 1, 0, 0x1000000));
	SHOW(lseek(out, 100, SEEK_DATA));
}

static void
test_futexes(void)
{
	struct { uint64_t value, address; uint32_t flags, pad; } wait[2];
	static uint32_t word[2] = { 1, 2 };
	struct timespec soon = { 0, 0 };

	for (int i = 0; i < 2; i++) {
		wait[i].value = (uint64_t)i + 1;
		wait[i].address = (uintptr_t)&word[i];
		wait[i].flags = 2 /* 32 bits */ | FUTEX_PRIVATE_FLAG;
		wait[i].pad = 0;
	}
	SHOW(syscall(SYS_futex_waitv, wait, 2, 0, &soon, CLOCK_MONOTONIC));
	word[1] = 7;
	SHOW(syscall(SYS_futex_waitv, wait, 2, 0, &soon, CLOCK_MONOTONIC));
	SHOW(syscall(SYS_futex_waitv, wait, 0, 0, &soon, CLOCK_MONOTONIC));
	SHOW(syscall(SYS_futex_waitv, 8, 1, 0, &soon, CLOCK_MONOTONIC));
	SHOW(syscall(SYS_futex_waitv, wait, 2, 1, &soon, CLOCK_MONOTONIC));
	wait[0].flags = 0x100;
	SHOW(syscall(SYS_futex_waitv, wait, 1, 0, &soon, CLOCK_MONOTONIC));
	SHOW(syscall(SYS_futex, word, FUTEX_WAIT_BITSET, 1, &soon, NULL, 0));
	SHOW(syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 1, &soon, NULL, ~0));
	SHOW(syscall(SYS_futex, word, FUTEX_CMP_REQUEUE, 1, 1, &word[1], 5));
	SHOW(syscall(SYS_futex, word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	SHOW(syscall(SYS_futex, word, FUTEX_WAKE_OP, 1, 1, &word[1], FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 7)));
	SHOW(word[1]);
}

static void
test_signal_descriptor(void)
{
	struct signalfd_siginfo info;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &set, NULL);
	SHOW((fd = signalfd(-1, &set, SFD_NONBLOCK)) >= 0);
	SHOW(read(fd, &info, sizeof info));
	SHOW(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ .sival_int = 77 }));
	SHOW(raise(SIGUSR2));
	for (int i = 0; i < 2; i++) {
		SHOW(read(fd, &info, sizeof info));
		printf("%u %d %d %d\n", info.ssi_signo, info.ssi_code, info.ssi_int, info.ssi_pid == (uint32_t)getpid());
	}
	SHOW(read(fd, &info, 10));
	SHOW(signalfd(0, &set, 0));
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
	in_child("namespaces", test_namespaces);
	in_child("mounts", test_mounts);
	in_child("capabilities", test_capabilities);
	in_child("landlock", test_landlock);
	in_child("keys", test_keys);
	in_child("open", test_open);
	in_child("notify", test_notify);
	in_child("attributes", test_attributes);
	in_child("times", test_times);
	in_child("scheduling", test_scheduling);
	in_child("copies", test_copies);
	in_child("futexes", test_futexes);
	in_child("signalfd", test_signal_descriptor);
	return 0;
}

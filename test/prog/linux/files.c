/* Files by name: open flags, stat in all forms, directories, links, times,
 * extended attributes, working directory; and getcwd, uname, limits. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "show.h"

static void
show_stat(const char *what, const struct stat *st)
{
	printf("%s: mode %o nlink %d size %ld blocks %d mtime %ld.%09ld dev %d rdev %u:%u owner %d\n", what,
	       st->st_mode, (int)st->st_nlink, S_ISDIR(st->st_mode) ? 0L : (long)st->st_size,
	       S_ISREG(st->st_mode) && st->st_blocks > 0, (long)st->st_mtim.tv_sec, (long)st->st_mtim.tv_nsec,
	       st->st_dev != 0, major(st->st_rdev), minor(st->st_rdev), st->st_uid == geteuid());
}

static void
test_stat(void)
{
	struct timespec times[2] = { { 1000000000, 123456789 }, { 1500000000, 987654321 } };
	struct stat st;
	struct statx sx;
	struct statfs fs;
	int fd = open("file", O_RDWR | O_CREAT | O_EXCL, 0640);

	MUST(fd >= 0);
	MUST(write(fd, "some text", 9) == 9);
	SHOW(futimens(fd, times));
	SHOW(fstat(fd, &st));
	show_stat("fstat", &st);
	SHOW(symlink("file", "link"));
	times[1].tv_nsec = UTIME_OMIT;
	SHOW(utimensat(AT_FDCWD, "link", times, AT_SYMLINK_NOFOLLOW));
	SHOW(stat("link", &st));
	show_stat("stat", &st);
	SHOW(lstat("link", &st));
	printf("link %o %ld\n", st.st_mode, (long)st.st_size);
	SHOW(stat("/dev/null", &st));
	printf("null %o %u:%u\n", st.st_mode & S_IFMT, major(st.st_rdev), minor(st.st_rdev));
	SHOW(statx(fd, "", AT_EMPTY_PATH, STATX_ALL, &sx));
	printf("statx %o %llu %lld.%09u\n", sx.stx_mode, (unsigned long long)sx.stx_size,
	       (long long)sx.stx_mtime.tv_sec, sx.stx_mtime.tv_nsec);
	SHOW(fstatat(fd, "", &st, AT_EMPTY_PATH));
	SHOW(fstatat(AT_FDCWD, "file", &st, 0x8000));
	SHOW(stat("nothing", &st));
	SHOW(stat("file/x", &st));
	SHOW(stat("", &st));
	SHOW(stat((char *)8, &st));
	SHOW(stat("file", (struct stat *)8));
	SHOW(fstat(-1, &st));
	SHOW(statfs(".", &fs));
	printf("statfs %d %d\n", fs.f_bsize > 0, fs.f_namelen > 0);
	SHOW(chmod("file", 04711));
	SHOW(stat("file", &st));
	printf("mode %o\n", st.st_mode);
	SHOW(truncate("file", 5));
	SHOW(truncate("file", -1));
	SHOW(access("file", R_OK | W_OK));
	SHOW(access("file", 99));
	SHOW(faccessat(AT_FDCWD, "link", F_OK, AT_SYMLINK_NOFOLLOW));
	close(fd);
}

static void
show_flags(int flags)
{
	printf("flags:%s%s%s%s%s%s\n", flags & O_APPEND ? " append" : "", flags & O_NONBLOCK ? " nonblock" : "",
	       flags & O_DIRECT ? " direct" : "", flags & O_DIRECTORY ? " directory" : "",
	       flags & O_NOFOLLOW ? " nofollow" : "", (flags & O_ACCMODE) == O_RDWR ? " rdwr" : "");
}

static void
test_open(void)
{
	SHOW(open("file", O_CREAT | O_EXCL, 0600));
	SHOW(open("link", O_NOFOLLOW));
	SHOW(open("file", O_DIRECTORY));
	SHOW(open(".", O_WRONLY));
	SHOW(open("nothing", O_RDONLY));
	SHOW(openat(1000, "file", O_RDONLY));
	SHOW(open((char *)8, O_RDONLY));
	SHOW_OK(close(open(".", O_TMPFILE | O_RDWR, 0600)));
	SHOW(syscall(SYS_openat, AT_FDCWD, "file", O_RDONLY | O_LARGEFILE) > 2);
	/* Some flags have other values on other machines. */
	show_flags(fcntl(syscall(SYS_openat, AT_FDCWD, "file", O_RDWR | O_APPEND | O_NONBLOCK | O_DIRECT), F_GETFL));
	show_flags(fcntl(syscall(SYS_openat, AT_FDCWD, ".", O_DIRECTORY | O_NOFOLLOW), F_GETFL));
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
test_directory(void)
{
	struct dirent **list;
	char text[PATH_MAX], long_name[5000];
	int count;

	SHOW(mkdir("directory", 0755));
	SHOW(mkdir("directory", 0755));
	SHOW(link("file", "directory/hard"));
	SHOW(rename("directory/hard", "directory/soft"));
	SHOW(renameat2(AT_FDCWD, "file", AT_FDCWD, "directory/soft", RENAME_NOREPLACE));
	SHOW(mkfifo("directory/fifo", 0600));
	SHOW(rmdir("directory"));
	count = scandir("directory", &list, NULL, (int (*)(const struct dirent **, const struct dirent **))by_name);
	for (int i = 0; i < count; i++)
		printf("entry %s type %d\n", list[i]->d_name, list[i]->d_type);
	SHOW(chdir("directory"));
	MUST(getcwd(text, sizeof text));
	printf("cwd ends %s\n", strrchr(text, '/'));
	SHOW(syscall(SYS_getcwd, text, 2));
	SHOW(syscall(SYS_getcwd, (char *)8, 4096));
	SHOW(chdir(".."));
	SHOW(readlink("link", text, sizeof text));
	SHOW(readlink("link", text, 2));
	printf("%.2s\n", text);
	SHOW(readlink("file", text, sizeof text));
	SHOW(readlink("link", text, 0));
	SHOW(unlink("directory"));
	SHOW(unlink("directory/soft"));
	SHOW(unlinkat(AT_FDCWD, "directory/fifo", 0));
	SHOW(unlinkat(AT_FDCWD, "directory", AT_REMOVEDIR));
	memset(long_name, 'a', sizeof long_name - 1);
	long_name[sizeof long_name - 1] = 0;
	SHOW(open(long_name, O_RDONLY));
	long_name[300] = 0;
	SHOW(open(long_name, O_RDONLY));
	SHOW_OK(setxattr("file", "user.test", "value", 5, 0));
	SHOW_OK(getxattr("file", "user.none", text, sizeof text));
}

static void
test_system(void)
{
	struct rlimit limit = { 1000, 900 };
	struct utsname name;
	struct timeval tv;

	SHOW(setrlimit(RLIMIT_NOFILE, &limit));
	SHOW(getrlimit(99, &limit));
	limit = (struct rlimit){ 512, 1024 };
	SHOW(setrlimit(RLIMIT_NOFILE, &limit));
	SHOW(getrlimit(RLIMIT_NOFILE, &limit));
	printf("%ld %ld\n", (long)limit.rlim_cur, (long)limit.rlim_max);
	limit = (struct rlimit){ 1ul << 32, 1ul << 33 };
	SHOW(setrlimit(RLIMIT_AS, &limit));
	SHOW(getrlimit(RLIMIT_AS, &limit));
	printf("%ld %ld\n", (long)limit.rlim_cur, (long)limit.rlim_max);
	SHOW(uname(&name));
	printf("%s\n", name.sysname);
	SHOW(uname((struct utsname *)8));
	SHOW(gettimeofday(&tv, NULL));
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(getpid() > 0 && getppid() > 0 && getpgrp() > 0 && getsid(0) > 0);
	SHOW(umask(022) == umask(022));
	SHOW(syscall(5000));
	SHOW(syscall(-1));
}

int
main(void)
{
	char directory[] = "/tmp/filesXXXXXX";

	setvbuf(stdout, NULL, _IOLBF, 0);
	umask(022);
	MUST(mkdtemp(directory) && !chdir(directory));
	test_stat();
	test_open();
	test_directory();
	test_system();
	unlink("file");
	unlink("link");
	SHOW(rmdir(directory));
	return 0;
}

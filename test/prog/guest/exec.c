/* execve of guest programs, scripts and host programs, by name and by
 * descriptor, and its errors. The program executes itself; what it prints as a
 * child is compared by the parent.
 * out: good
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static char self[4096], folder[] = "/tmp/isomorph-exec-XXXXXX";
static char output[4096];
static int code;

enum how { BY_PATH, BY_FD, BY_SELF_LINK };

/* Runs in a child; its output and exit code are left in output and code. The
 * error of execve is its exit code plus 100. */
static void
run(enum how how, const char *path, int fd, char **argv, int use_vfork)
{
	int pipes[2], status, size = 0, got;
	char *envp[] = { (char *)"COLOUR=blue", NULL };
	pid_t pid;

	fflush(stdout);
	if (pipe2(pipes, O_CLOEXEC))
		exit(1);
	pid = use_vfork ? vfork() : fork();
	if (!pid) {
		dup2(pipes[1], 1);
		if (how == BY_FD)
			syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
		else
			execve(how == BY_PATH ? path : "/proc/self/exe", argv, envp);
		_exit(100 + errno);
	}
	close(pipes[1]);
	while ((got = read(pipes[0], output + size, sizeof output - 1 - size)) > 0)
		size += got;
	output[size] = 0;
	close(pipes[0]);
	waitpid(pid, &status, 0);
	code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static char *
make(const char *name, const char *text, int mode)
{
	char *path;
	int fd;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		exit(1);
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	CHECK(write(fd, text, strlen(text)) == (long)strlen(text));
	fchmod(fd, mode);
	close(fd);
	return path;
}

static char *
text(const char *format, const char *a, const char *b)
{
	char *out;

	if (asprintf(&out, format, a, b) < 0)
		exit(1);
	return out;
}

static void
test_programs(void)
{
	char *argv[] = { (char *)"the name", (char *)"-show", (char *)"", (char *)"a b", NULL };
	int fd;

	run(BY_PATH, self, 0, argv, 0);
	CHECK(code == 3 && !strcmp(output, "[the name][-show][][a b] COLOUR=blue\n"));
	run(BY_PATH, self, 0, argv, 1);
	CHECK(code == 3 && !strcmp(output, "[the name][-show][][a b] COLOUR=blue\n"));
	run(BY_SELF_LINK, NULL, 0, argv, 0);
	CHECK(code == 3 && !strcmp(output, "[the name][-show][][a b] COLOUR=blue\n"));
	fd = open(self, O_RDONLY | O_CLOEXEC);
	run(BY_FD, NULL, fd, argv, 0);
	CHECK(code == 3 && !strcmp(output, "[the name][-show][][a b] COLOUR=blue\n"));
	close(fd);
	fd = open(self, O_PATH);
	run(BY_FD, NULL, fd, argv, 0);
	CHECK(code == 3);
	close(fd);
	argv[0] = (char *)"echo";
	argv[1] = (char *)"of the host";
	run(BY_PATH, "/bin/echo", 0, argv, 0);
	CHECK(code == 0 && !strcmp(output, "of the host  a b\n"));
}

static void
test_memfd(void)
{
	char *argv[] = { (char *)"memory", (char *)"-show", NULL };
	int from = open(self, O_RDONLY), fd = memfd_create("program", MFD_CLOEXEC);
	char part[65536];
	long got;

	while ((got = read(from, part, sizeof part)) > 0)
		CHECK(write(fd, part, got) == got);
	close(from);
	run(BY_FD, NULL, fd, argv, 0);
	CHECK(code == 3 && !strcmp(output, "[memory][-show] COLOUR=blue\n"));
	close(fd);
}

static void
test_scripts(void)
{
	char *one = make("one", text("#!%s%s\nrest\n", self, ""), 0755);
	char *two = make("two", text("#! %s \t -show more \nrest\n", self, ""), 0755);
	char *three = make("three", text("#!%s -show\n", two, ""), 0755);
	char *loop = make("loop", text("#!%s/loop\n", folder, ""), 0755);
	char *shell = make("shell", "#!/bin/sh\necho \"$0\" \"$1\"\n", 0755);
	char *none = make("none", "#!/nonexistent/interpreter\n", 0755);
	char *empty = make("empty", "#!\n", 0755);
	char *argv[] = { (char *)"lost", (char *)"x", NULL };
	int fd;

	run(BY_PATH, one, 0, argv, 0);
	CHECK(code == 3 && !strcmp(output, text("[%s][%s][x] COLOUR=blue\n", self, one)));
	run(BY_PATH, two, 0, argv, 1);
	CHECK(code == 3 && !strcmp(output, text(text("[%s][-show more][%%s][x] COLOUR=blue\n", self, ""), two, "")));
	run(BY_PATH, three, 0, argv, 0);
	CHECK(code == 3 && strstr(output, text("[-show more][%s][-show][%s][x]", two, three)));
	run(BY_PATH, loop, 0, argv, 0);
	CHECK(code == 100 + ELOOP);
	run(BY_PATH, shell, 0, argv, 0);
	CHECK(code == 0 && !strcmp(output, text("%s x\n", shell, "")));
	run(BY_PATH, none, 0, argv, 0);
	CHECK(code == 100 + ENOENT);
	run(BY_PATH, empty, 0, argv, 0);
	CHECK(code == 100 + ENOEXEC);
	fd = open(one, O_RDONLY | O_CLOEXEC);
	run(BY_FD, NULL, fd, argv, 0);
	CHECK(code == 100 + ENOENT);
	fcntl(fd, F_SETFD, 0);
	run(BY_FD, NULL, fd, argv, 0);
	CHECK(code == 3 && strstr(output, "][/dev/fd/"));
	close(fd);
}

static void
test_errors(void)
{
	char *argv[] = { (char *)"x", NULL };
	char *plain = make("plain", "just text\n", 0755), *locked = make("locked", "#!/bin/sh\n", 0644);

	run(BY_PATH, "/nonexistent", 0, argv, 0);
	CHECK(code == 100 + ENOENT);
	run(BY_PATH, "", 0, argv, 0);
	CHECK(code == 100 + ENOENT);
	run(BY_PATH, folder, 0, argv, 0);
	CHECK(code == 100 + EACCES);
	run(BY_PATH, plain, 0, argv, 0);
	CHECK(code == 100 + ENOEXEC);
	run(BY_PATH, locked, 0, argv, 0);
	CHECK(code == 100 + EACCES);
	run(BY_PATH, text("%s/x", plain, ""), 0, argv, 0);
	CHECK(code == 100 + ENOTDIR);
	run(BY_FD, NULL, 999, argv, 0);
	CHECK(code == 100 + EBADF);
	CHECK(syscall(SYS_execve, self, (char **)8, NULL) == -1 && errno == EFAULT);
	CHECK(syscall(SYS_execve, self, (char *[]){ (char *)16, NULL }, NULL) == -1 && errno == EFAULT);
	CHECK(syscall(SYS_execveat, AT_FDCWD, self, argv, NULL, 0x40000000) == -1 && errno == EINVAL);
}

/* What stays open and what does not. */
static void
test_descriptors(void)
{
	char *argv[] = { (char *)"x", (char *)"-open", (char *)"50", (char *)"51", NULL };

	dup3(1, 50, 0);
	dup3(1, 51, O_CLOEXEC);
	run(BY_PATH, self, 0, argv, 0);
	CHECK(code == 0 && !strcmp(output, "50 open, 51 closed\n"));
	close(50);
	close(51);
}

int
main(int argc, char **argv)
{
	extern char **environ;

	for (int i = 1; i < argc; i++)
		if (!strncmp(argv[i], "-show", 5) || strstr(argv[i], "/isomorph-exec-") ||
		    !strncmp(argv[i], "/dev/fd/", 8)) {
			for (int n = 0; n < argc; n++)
				printf("[%s]", argv[n]);
			printf(" %s\n", environ[0]);
			return 3;
		}
	if (argc == 4 && !strcmp(argv[1], "-open")) {
		printf("%s %s, ", argv[2], fcntl(atoi(argv[2]), F_GETFD) < 0 ? "closed" : "open");
		printf("%s %s\n", argv[3], fcntl(atoi(argv[3]), F_GETFD) < 0 ? "closed" : "open");
		return 0;
	}
	CHECK(realpath(argv[0], self) && mkdtemp(folder));
	test_programs();
	test_memfd();
	test_scripts();
	test_errors();
	test_descriptors();
	CHECK(!system(text("rm -rf %s", folder, "")));
	return check_done();
}

/* Runs a command some times and tells what processor time it took: user and
 * system seconds of the process and all its descendants that were waited for,
 * so that a fork of the (large) benchmark driver is not measured.
 *
 * usage: launch [-r ROOT] [-o OUT] [-n TIMES] [-t SECONDS] COMMAND [ARG…]
 *	-r	in this root folder (in a user namespace when not root)
 *	-o	the command's stdout, emptied at the start; stderr to OUT.err
 *	-n	how often, one after another
 *	-t	kills it after this time, exit status 124
 * Prints: user system elapsed largest-resident-kB status
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile pid_t child;
static volatile sig_atomic_t expired;

static void
expire(int signal_number)
{
	(void)signal_number;
	expired = 1;
	if (child > 0)
		kill(-child, SIGKILL);
}

static int
open_output(const char *path, const char *suffix)
{
	char name[4096];
	int fd;

	snprintf(name, sizeof name, "%s%s", path, suffix);
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
	if (fd < 0)
		err(125, "%s", name);
	return fd;
}

static void
enter_root(const char *root)
{
	if (geteuid() && unshare(CLONE_NEWUSER))
		err(125, "user namespace");
	if (chroot(root) || chdir("/"))
		err(125, "%s", root);
}

/* Runs the command once. Returns its exit status, 128 + signal when killed. */
static int
run(char **command, const char *root, int out, int errors)
{
	int status;

	child = fork();
	if (child < 0)
		err(125, "fork");
	if (!child) {
		setpgid(0, 0);
		dup2(out, 1);
		dup2(errors, 2);
		if (root)
			enter_root(root);
		execv(command[0], command);
		err(127, "%s", command[0]);
	}
	setpgid(child, child);
	while (waitpid(child, &status, 0) < 0)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
main(int argc, char **argv)
{
	const char *root = NULL, *output = "/dev/null";
	unsigned times = 1, seconds = 0;
	struct timespec from, to;
	struct rusage usage;
	int option, out, errors, status = 0, null;

	while ((option = getopt(argc, argv, "+r:o:n:t:")) != -1)
		switch (option) {
		case 'r': root = optarg; break;
		case 'o': output = optarg; break;
		case 'n': times = (unsigned)atoi(optarg); break;
		case 't': seconds = (unsigned)atoi(optarg); break;
		default: return 125;
		}
	if (optind >= argc)
		errx(125, "no command");
	out = open_output(output, "");
	errors = open_output(output, strcmp(output, "/dev/null") ? ".err" : "");
	null = open("/dev/null", O_RDONLY);
	dup2(null, 0);
	signal(SIGALRM, expire);
	alarm(seconds);
	clock_gettime(CLOCK_MONOTONIC, &from);
	while (times-- && !expired && !status)
		status = run(argv + optind, root, out, errors);
	clock_gettime(CLOCK_MONOTONIC, &to);
	getrusage(RUSAGE_CHILDREN, &usage);
	printf("%.6f %.6f %.6f %ld %d\n",
	       (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6,
	       (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6,
	       (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9,
	       usage.ru_maxrss, expired ? 124 : status);
	return 0;
}

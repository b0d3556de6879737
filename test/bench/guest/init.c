/* /init of the benchmark's initramfs: runs the program that the kernel command
 * line names with bench=NAME (path /bench/NAME; none: nothing) between two marks
 * on the console, then powers off. Static, for the guest. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The program that the command line names, "" when none. */
static void
wanted(char *name, size_t size)
{
	char line[4096] = "";
	int fd = open("/proc/cmdline", O_RDONLY);
	ssize_t got = read(fd, line, sizeof line - 1);
	char *found;

	close(fd);
	name[0] = 0;
	line[got > 0 ? got : 0] = 0;
	found = strstr(line, "bench=");
	if (found)
		snprintf(name, size, "/bench/%.*s", (int)strcspn(found + 6, " \n"), found + 6);
}

int
main(void)
{
	char name[256];
	int status = -1;
	pid_t child;

	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	wanted(name, sizeof name);
	dprintf(1, "\n<<<bench\n");
	if (name[0]) {
		child = fork();
		if (child == 0) {
			execl(name, name, (char *)NULL);
			_exit(127);
		}
		waitpid(child, &status, 0);
	} else {
		status = 0;
	}
	dprintf(1, "bench>>> %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 255);
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}

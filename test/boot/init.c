/* /init of the boot suite's initramfs: says what it sees of the machine, makes
 * some processes, and does what the kernel's command line says behind test=:
 * off, reboot, panic. Static, for the guest. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *
wanted(char line[4096])
{
	int fd = open("/proc/cmdline", O_RDONLY);
	ssize_t got = read(fd, line, 4095);
	char *found;

	close(fd);
	line[got > 0 ? got : 0] = 0;
	found = strstr(line, "test=");
	return found ? found + 5 : "off";
}

/* Children that each return what they were told to. */
static int
forks_work(void)
{
	int good = 0, status;

	for (int i = 0; i < 20; i++)
		if (fork() == 0)
			_exit(i);
	for (int i = 0; i < 20; i++)
		good += wait(&status) > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
	return good == 190;
}

int
main(void)
{
	struct utsname name;
	char line[4096];
	const char *what;

	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	uname(&name);
	printf("init: %s, %ld processors\n", name.machine, sysconf(_SC_NPROCESSORS_ONLN));
	printf("init: forks %s\n", forks_work() ? "work" : "FAIL");
	fflush(stdout);
	what = wanted(line);
	if (!strncmp(what, "panic", 5))
		return 1; /* the kernel does not take it well */
	reboot(strncmp(what, "reboot", 6) ? RB_POWER_OFF : RB_AUTOBOOT);
	return 1;
}

/* /proc/self/exe is the program's absolute path, also when it was executed by a
 * relative one with ".." in it, and where no /proc is mounted.
 * out: good
 */
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

int
main(int argc, char **argv)
{
	char exe[PATH_MAX], folder[PATH_MAX], again[2 * PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", exe, sizeof exe - 1);
	struct stat named, called;

	CHECK(length > 0);
	exe[length] = 0;
	CHECK(exe[0] == '/' && !strstr(exe, "/../") && !strstr(exe, "/./"));
	CHECK(!stat(exe, &named) && !stat(argv[0], &called));
	CHECK(named.st_ino == called.st_ino && named.st_dev == called.st_dev);
	if (argc == 1) {
		strcpy(folder, exe);
		CHECK(!chdir(dirname(folder)));
		snprintf(again, sizeof again, "./../%s/%s", strcmp(folder, "/") ? basename(folder) : ".",
			 basename(exe));
		execl(again, again, "again", (char *)NULL);
		CHECK(!"reached");
	}
	return check_done();
}

/* The verbs of machines are done by another program, isomorph-system, so that
 * this one stays a static file that needs nothing. It lies beside this one
 * (a build folder) or in libexec/isomorph of the same prefix.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

static const char *const places[] = { "isomorph-system", "../libexec/isomorph/isomorph-system" };

int
cli_system(int argc, char **argv)
{
	char self[PATH_MAX], path[PATH_MAX + 64] = "";
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	(void)argc;
	self[length > 0 ? length : 0] = 0;
	slash = strrchr(self, '/');
	for (size_t i = 0; slash && i < sizeof places / sizeof places[0]; i++) {
		snprintf(path, sizeof path, "%.*s/%s", (int)(slash - self), self, places[i]);
		if (access(path, X_OK) == 0)
			break;
	}
	/* It gets the verb as argv[0]: what it says begins with `isomorph VERB`. */
	execv(path, argv);
	fprintf(stderr, "isomorph %s: the program that runs machines cannot be started: %s: %s; "
		"`make` builds it beside isomorph, `make install` installs both\n", argv[0], path, strerror(errno));
	return 1;
}

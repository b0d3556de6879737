/* Sockets of machines: run/NAME/FILE. A path longer than a socket's address has
 * room for is reached through the folder's descriptor. */
#include "monitor/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "monitor/places.h"

/* Does call (bind or connect) on a new socket with the address of the file. */
static int
with_address(const char *name, const char *file, bool make, int (*call)(int, const struct sockaddr *, socklen_t),
	     struct error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char folder[PATH_MAX];
	int fd, dir;

	if (places_path(PLACE_RUN, name, make, folder, error))
		return -1;
	dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (dir < 0 || fd < 0) {
		error_set(error, errno, "%s: %s", folder, strerror(errno));
		goto fail;
	}
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dir, file);
	if (make)
		unlinkat(dir, file, 0);
	if (call(fd, (const struct sockaddr *)&address, sizeof address)) {
		error_set(error, errno, "%s/%s: %s", folder, file, strerror(errno));
		goto fail;
	}
	close(dir);
	return fd;
fail:
	if (dir >= 0)
		close(dir);
	if (fd >= 0)
		close(fd);
	return -1;
}

int
socket_listen(const char *name, const char *file, struct error *error)
{
	int fd = with_address(name, file, true, bind, error);

	if (fd >= 0 && listen(fd, 8)) {
		error_set(error, errno, "%s of the machine %s: %s", file, name, strerror(errno));
		close(fd);
		fd = -1;
	}
	return fd;
}

int
socket_connect(const char *name, const char *file, struct error *error)
{
	if (!places_runs(name))
		return error_set(error, ESRCH, "no machine %s runs; `isomorph list` shows those that do", name);
	return with_address(name, file, false, connect, error);
}

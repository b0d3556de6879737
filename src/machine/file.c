/* Files that are loaded into a guest: read as a whole, told apart by what they
 * begin with. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/populate.h"
#include "machine/machine_impl.h"

#define LARGEST (UINT64_C(4) << 30)

static int
read_all(struct payload *image, int fd, const char *path, const char *what, struct error *error)
{
	struct stat info;
	size_t done = 0;

	if (fstat(fd, &info))
		return error_set(error, errno, "%s %s: %s", what, path, strerror(errno));
	if (!S_ISREG(info.st_mode) || !info.st_size || (uint64_t)info.st_size > LARGEST)
		return error_set(error, EINVAL, "%s %s: not a file of 1 byte to 4 GiB", what, path);
	image->size = (size_t)info.st_size;
	image->bytes = malloc(image->size);
	if (!image->bytes)
		return error_set(error, ENOMEM, "%s %s: no memory for its %zu bytes", what, path, image->size);
	host_populate(image->bytes, image->size);
	while (done < image->size) {
		ssize_t got = read(fd, image->bytes + done, image->size - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return error_set(error, errno, "%s %s: %s", what, path,
					 got ? strerror(errno) : "became shorter while it was read");
		done += (size_t)got;
	}
	return 0;
}

int
payload_read(struct payload *image, const char *path, const char *what, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), failed;

	*image = (struct payload){ 0 };
	if (fd < 0)
		return error_set(error, errno, "%s %s: %s", what, path, strerror(errno));
	failed = read_all(image, fd, path, what, error);
	close(fd);
	if (failed)
		payload_free(image);
	return failed;
}

void
payload_free(struct payload *image)
{
	free(image->bytes);
	*image = (struct payload){ 0 };
}

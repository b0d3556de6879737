/* Files that are loaded into a guest: seen as a whole, told apart by what they
 * begin with. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/machine_impl.h"

#define LARGEST (UINT64_C(4) << 30)

/* Mapped rather than read: what is copied to guest RAM then is the host's own
 * copy of the file. A file that somebody cuts meanwhile ends the program, as it
 * does any that maps it. */
static int
map_all(struct payload *image, int fd, const char *path, const char *what, struct error *error)
{
	struct stat info;
	void *bytes;

	if (fstat(fd, &info))
		return error_set(error, errno, "%s %s: %s", what, path, strerror(errno));
	if (!S_ISREG(info.st_mode) || !info.st_size || (uint64_t)info.st_size > LARGEST)
		return error_set(error, EINVAL, "%s %s: not a file of 1 byte to 4 GiB", what, path);
	bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return error_set(error, errno, "%s %s: %s", what, path, strerror(errno));
	*image = (struct payload){ bytes, (size_t)info.st_size, true, fd };
	return 0;
}

int
payload_read(struct payload *image, const char *path, const char *what, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), failed;

	*image = (struct payload){ 0 };
	if (fd < 0)
		return error_set(error, errno, "%s %s: %s", what, path, strerror(errno));
	failed = map_all(image, fd, path, what, error);
	if (failed)
		close(fd);
	return failed;
}

void
payload_free(struct payload *image)
{
	if (image->mapped) {
		munmap(image->bytes, image->size);
		close(image->file);
	} else {
		free(image->bytes);
	}
	*image = (struct payload){ 0 };
}

/* By the kernel's hand: a page of a mapping that is touched first costs more than
 * to copy it. Says how much that was. */
static size_t
read_to(uint8_t *to, const struct payload *image)
{
	size_t done = 0;
	ssize_t got;

	while (done < image->size) {
		got = pread(image->file, to + done, image->size - done, (off_t)done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return done;
}

bool
payload_place(const struct payload *image, struct memory *memory, uint64_t address)
{
	uint8_t *host = memory_ram(memory, address, image->size, true);
	size_t done = 0;

	if (host && image->mapped) {
		done = read_to(host, image);
		memory_touched(memory, address, done);
	}
	return done == image->size || memory_write(memory, address + done, image->bytes + done, image->size - done);
}

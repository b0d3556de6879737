/* Opening images: which format, whose lock, what lies below. */
#include "backend/disk/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* True if the file is one of those above, which would make the chain a ring. */
static bool
is_above(const struct image *above, const struct stat *st)
{
	for (; above; above = above->above) {
		struct stat other;

		if (!fstat(above->fd, &other) && other.st_dev == st->st_dev && other.st_ino == st->st_ino)
			return true;
	}
	return false;
}

static unsigned
depth_of(const struct image *above)
{
	unsigned depth = 0;

	for (; above; above = above->above)
		depth++;
	return depth;
}

static int
open_file(const char *path, bool read_only, const struct image *above, struct error *error)
{
	struct stat st;
	int fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st)) {
		error_set(error, errno, "%s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		error_set(error, 0, "%s: neither a file nor a block device", path);
	} else if (is_above(above, &st)) {
		error_set(error, 0, "%s: this image is below itself in its chain of backing files", path);
	} else if (flock(fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB)) {
		error_set(error, errno, "%s: %s", path,
			  errno == EWOULDBLOCK ? "in use by another machine" : strerror(errno));
	} else {
		return fd;
	}
	close(fd);
	return -1;
}

static const char *
guess(int fd)
{
	uint8_t start[4] = { 0 };

	if (!file_read(fd, start, sizeof start, 0) && !memcmp(start, "QFI\xfb", 4))
		return "qcow2";
	return "raw";
}

static struct image *
open_format(int fd, const char *path, const char *format, bool read_only, const struct image *above,
	    struct error *error)
{
	if (!strcmp(format, "raw"))
		return raw_open(fd, path, read_only, above, error);
	if (!strcmp(format, "qcow2"))
		return qcow2_open(fd, path, read_only, above, error);
	error_set(error, 0, "%s: unknown disk format \"%s\" (raw, qcow2)", path, format);
	return NULL;
}

struct image *
image_open(const char *path, const char *format, bool read_only, const struct image *above, struct error *error)
{
	struct image *image;
	int fd;

	if (strlen(path) >= IMAGE_PATH) {
		error_set(error, ENAMETOOLONG, "disk image: a path of more than %u bytes", IMAGE_PATH - 1);
		return NULL;
	}
	if (depth_of(above) >= IMAGE_DEPTH) {
		error_set(error, 0, "%s: more than %u images on top of each other", path, IMAGE_DEPTH);
		return NULL;
	}
	fd = open_file(path, read_only, above, error);
	if (fd < 0)
		return NULL;
	image = open_format(fd, path, format ? format : guess(fd), read_only, above, error);
	if (!image)
		close(fd);
	else
		image->guessed = !format;
	return image;
}

void
image_close(struct image *image)
{
	if (!image)
		return;
	image->format->close(image);
	image_close(image->backing);
	close(image->fd);
	free(image);
}

int
image_read(struct image *image, void *to, uint64_t offset, uint64_t size)
{
	struct iovec segment = { to, size };

	if (offset > image->size || size > image->size - offset)
		return EINVAL;
	return image->format->read(image, &segment, 1, offset, size);
}

int
image_write(struct image *image, const void *from, uint64_t offset, uint64_t size)
{
	struct iovec segment = { (void *)(uintptr_t)from, size };

	if (offset > image->size || size > image->size - offset)
		return EINVAL;
	return image->format->write(image, &segment, 1, offset, size);
}

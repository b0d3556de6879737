/* Raw images: the file, or the host's block device, is the disk. A file that
 * ends inside a sector is taken as padded with zeros. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/disk/image.h"

static int
raw_read(struct image *image, const struct iovec *to, unsigned count, uint64_t offset, uint64_t size)
{
	(void)size;
	return file_readv(image->fd, to, count, offset);
}

/* A guest that writes another format's header to a disk whose format was guessed
 * would have it taken as that format next time, with a backing file of its choice. */
static bool
disguises(const struct image *image, const struct iovec *from, unsigned count, uint64_t offset)
{
	static const uint8_t magic[4] = { 'Q', 'F', 'I', 0xfb };
	uint8_t start[4] = { 0 };
	unsigned done = 0;

	if (!image->guessed || offset)
		return false;
	while (done < sizeof start) {
		struct iovec part;
		uint64_t length;

		if (!segments_cut(from, count, done, sizeof start - done, &part, 1, &length))
			return false;
		memcpy(start + done, part.iov_base, length);
		done += (unsigned)length;
	}
	return !memcmp(start, magic, sizeof magic);
}

static int
raw_write(struct image *image, const struct iovec *from, unsigned count, uint64_t offset, uint64_t size)
{
	(void)size;
	if (disguises(image, from, count, offset)) {
		log_line(LOG_WARN, "%s: refused a qcow2 header on a disk whose format was guessed; say its format",
			 image->path);
		return EPERM;
	}
	return file_writev(image->fd, from, count, offset);
}

static int
raw_flush(struct image *image)
{
	return fdatasync(image->fd) ? errno : 0;
}

static int
device_range(struct image *image, unsigned long request, uint64_t offset, uint64_t size)
{
	uint64_t range[2] = { offset, size };

	return ioctl(image->fd, request, range) ? errno : 0;
}

static int
raw_discard(struct image *image, uint64_t offset, uint64_t size)
{
	int failed;

	if (image->block_device)
		failed = device_range(image, BLKDISCARD, offset, size);
	else
		failed = fallocate(image->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size)
				 ? errno
				 : 0;
	/* Discard is a hint: a host that cannot is no failure. */
	return failed == EOPNOTSUPP || failed == ENOTTY ? 0 : failed;
}

static int
write_zeros(struct image *image, uint64_t offset, uint64_t size)
{
	static const char zeros[65536];

	while (size) {
		size_t part = size < sizeof zeros ? size : sizeof zeros;
		int failed = file_write(image->fd, zeros, part, offset);

		if (failed)
			return failed;
		offset += part;
		size -= part;
	}
	return 0;
}

static int
raw_zero(struct image *image, uint64_t offset, uint64_t size, bool unmap)
{
	int failed;

	if (image->block_device) {
		failed = device_range(image, BLKZEROOUT, offset, size);
	} else {
		int mode = unmap ? FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE : FALLOC_FL_ZERO_RANGE;

		failed = fallocate(image->fd, mode, (off_t)offset, (off_t)size) ? errno : 0;
	}
	return failed == EOPNOTSUPP || failed == ENOTTY ? write_zeros(image, offset, size) : failed;
}

static void
raw_close(struct image *image)
{
	(void)image;
}

static const struct image_format raw_format = { "raw", raw_read, raw_write, raw_flush, raw_discard, raw_zero, raw_close };

struct image *
raw_open(int fd, const char *path, bool read_only, const struct image *above, struct error *error)
{
	struct image *image = calloc(1, sizeof *image);
	struct stat st;
	uint64_t size;

	if (!image || fstat(fd, &st)) {
		error_set(error, errno, "%s: %s", path, strerror(errno));
		free(image);
		return NULL;
	}
	size = (uint64_t)st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, &size)) {
		error_set(error, errno, "%s: its size cannot be had: %s", path, strerror(errno));
		free(image);
		return NULL;
	}
	image->format = &raw_format;
	image->above = above;
	image->fd = fd;
	text_format(image->path, sizeof image->path, "%s", path);
	image->size = align_up(size, IMAGE_SECTOR);
	image->read_only = read_only;
	image->block_device = S_ISBLK(st.st_mode);
	return image;
}

/* Whole transfers between memory and a host file, and segments of memory. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "backend/disk/image.h"

#define SEGMENTS 64u /* a system call */

unsigned
segments_cut(const struct iovec *from, unsigned count, uint64_t skip, uint64_t size, struct iovec *to, unsigned room,
	     uint64_t *total)
{
	unsigned n = 0;

	*total = 0;
	for (unsigned i = 0; i < count && size && n < room; i++) {
		uint64_t part = from[i].iov_len;

		if (skip >= part) {
			skip -= part;
			continue;
		}
		part -= skip;
		if (part > size)
			part = size;
		to[n++] = (struct iovec){ (char *)from[i].iov_base + skip, part };
		*total += part;
		size -= part;
		skip = 0;
	}
	return n;
}

void
segments_zero(const struct iovec *to, unsigned count, uint64_t skip, uint64_t size)
{
	while (size) {
		struct iovec part;
		uint64_t length;

		if (!segments_cut(to, count, skip, size, &part, 1, &length))
			return;
		memset(part.iov_base, 0, part.iov_len);
		skip += length;
		size -= length;
	}
}

static uint64_t
segments_size(const struct iovec *segment, unsigned count)
{
	uint64_t size = 0;

	for (unsigned i = 0; i < count; i++)
		size += segment[i].iov_len;
	return size;
}

int
file_readv(int fd, const struct iovec *to, unsigned count, uint64_t offset)
{
	uint64_t size = segments_size(to, count), done = 0;

	while (done < size) {
		struct iovec part[SEGMENTS];
		uint64_t want;
		unsigned n = segments_cut(to, count, done, size - done, part, SEGMENTS, &want);
		ssize_t got = preadv(fd, part, (int)n, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (!got) {
			segments_zero(to, count, done, size - done);
			return 0;
		}
		done += (uint64_t)got;
	}
	return 0;
}

int
file_writev(int fd, const struct iovec *from, unsigned count, uint64_t offset)
{
	uint64_t size = segments_size(from, count), done = 0;

	while (done < size) {
		struct iovec part[SEGMENTS];
		uint64_t want;
		unsigned n = segments_cut(from, count, done, size - done, part, SEGMENTS, &want);
		ssize_t put = pwritev(fd, part, (int)n, (off_t)(offset + done));

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return errno;
		if (!put)
			return ENOSPC;
		done += (uint64_t)put;
	}
	return 0;
}

int
file_read(int fd, void *to, size_t size, uint64_t offset)
{
	struct iovec segment = { to, size };

	return file_readv(fd, &segment, 1, offset);
}

int
file_write(int fd, const void *from, size_t size, uint64_t offset)
{
	struct iovec segment = { (void *)(uintptr_t)from, size };

	return file_writev(fd, &segment, 1, offset);
}

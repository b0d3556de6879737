/* The host's list of its mappings, /proc/self/maps (proc(5)), read line by line. */
#include "process/host_maps.h"

#include <fcntl.h>
#include <sys/syscall.h>

#include "base/raw.h"

static int
next_char(struct host_maps *h)
{
	if (h->at == h->used) {
		long got = RAW3(SYS_read, h->fd, h->buffer, sizeof h->buffer);

		h->at = 0;
		h->used = got > 0 ? (size_t)got : 0;
		if (!h->used)
			return -1;
	}
	return (unsigned char)h->buffer[h->at++];
}

static uint64_t
next_hex(struct host_maps *h)
{
	uint64_t value = 0;

	for (int c; (c = next_char(h)) >= 0;) {
		if (c >= '0' && c <= '9')
			value = value << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			break;
	}
	return value;
}

/* start-end perms offset device inode   name */
static bool
next_line(struct host_maps *h)
{
	size_t length = 0;
	unsigned blanks = 0;
	int c = 0, before = 0;

	h->start = next_hex(h);
	h->end = next_hex(h);
	while (blanks < 4 && (c = next_char(h)) >= 0 && c != '\n') {
		blanks += c == ' ' && before != ' ';
		before = c;
	}
	while (c >= 0 && c != '\n' && (c = next_char(h)) == ' ')
		;
	for (; c >= 0 && c != '\n'; c = next_char(h))
		if (length < sizeof h->name - 1)
			h->name[length++] = (char)c;
	h->name[length] = 0;
	return h->end != 0;
}

void
host_maps_open(struct host_maps *h)
{
	long fd = RAW4(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);

	h->fd = raw_failed(fd) ? -1 : (int)fd;
	h->at = h->used = 0;
	h->start = h->end = 0;
}

void
host_maps_close(struct host_maps *h)
{
	if (h->fd >= 0)
		RAW1(SYS_close, h->fd);
	h->fd = -1;
}

const char *
host_maps_name(struct host_maps *h, uint64_t address)
{
	while (h->fd >= 0 && h->end <= address)
		if (!next_line(h))
			host_maps_close(h);
	return h->fd >= 0 && h->start <= address ? h->name : "";
}

/* The guest's files for gdb (vFile packets, gdb's manual, E.7): the program and its
 * libraries, by the guest's names, to be read. */
#include "process/gdb_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define PATH_ROOM 4096u

/* A result, or an error by its number, which are Linux's in the protocol. */
static void
send_result(struct gdb *gdb, long result)
{
	int n = raw_failed(result) ? text_format(gdb->reply, PACKET_SIZE, "F-1,%x", (unsigned)-result)
				   : text_format(gdb->reply, PACKET_SIZE, "F%lx", (unsigned long)result);

	gdb_send(gdb, gdb->reply, (size_t)n);
}

/* A result with bytes that are in gdb->reply from at on. */
static void
send_bytes(struct gdb *gdb, size_t at, long count)
{
	char head[24];
	int n;

	if (raw_failed(count)) {
		send_result(gdb, count);
		return;
	}
	n = text_format(head, sizeof head, "F%lx;", (unsigned long)count);
	memcpy(gdb->reply + at - (size_t)n, head, (size_t)n);
	gdb_send(gdb, gdb->reply + at - (size_t)n, (size_t)(count + n));
}

/* The host's path for the guest's in hexadecimal at *at; NULL: not one. */
static const char *
read_path(struct gdb *gdb, const char **at, char text[2][PATH_ROOM])
{
	size_t n = 0;

	while (n < PATH_ROOM - 1 && hex_bytes(at, &text[0][n], 1))
		n++;
	text[0][n] = 0;
	return n ? path_to_host(gdb->process, text[0], text[1], PATH_ROOM) : NULL;
}

static long
open_path(struct gdb *gdb, const char *at)
{
	char text[2][PATH_ROOM];
	const char *path = read_path(gdb, &at, text);
	long fd;

	if (!path || *at++ != ',')
		return -EINVAL;
	if (hex_number(&at)) /* O_RDONLY is 0 */
		return -EACCES;
	fd = RAW4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	return raw_failed(fd) ? fd : hide_fd(fd);
}

static void
send_read(struct gdb *gdb, const char *at)
{
	const size_t room = 32;
	int fd = (int)hex_number(&at);
	size_t size = *at == ',' ? (at++, (size_t)hex_number(&at)) : 0;
	uint64_t offset = *at == ',' ? (at++, hex_number(&at)) : 0;

	if (size > PACKET_SIZE / 2) /* each byte may take two */
		size = PACKET_SIZE / 2;
	send_bytes(gdb, room, RAW4(SYS_pread64, fd, gdb->reply + room, size, offset));
}

static void
put(uint8_t **to, uint64_t value, unsigned size)
{
	while (size--)
		*(*to)++ = (uint8_t)(value >> size * 8);
}

/* struct fio_stat: big-endian, times in seconds. */
static void
send_status(struct gdb *gdb, const char *at)
{
	const size_t room = 32;
	uint8_t *to = (uint8_t *)gdb->reply + room;
	struct stat st;
	long result = RAW2(SYS_fstat, (int)hex_number(&at), &st);

	if (raw_failed(result)) {
		send_result(gdb, result);
		return;
	}
	put(&to, st.st_dev, 4);
	put(&to, st.st_ino, 4);
	put(&to, st.st_mode, 4);
	put(&to, st.st_nlink, 4);
	put(&to, st.st_uid, 4);
	put(&to, st.st_gid, 4);
	put(&to, st.st_rdev, 4);
	put(&to, (uint64_t)st.st_size, 8);
	put(&to, (uint64_t)st.st_blksize, 8);
	put(&to, (uint64_t)st.st_blocks, 8);
	put(&to, (uint64_t)st.st_atim.tv_sec, 4);
	put(&to, (uint64_t)st.st_mtim.tv_sec, 4);
	put(&to, (uint64_t)st.st_ctim.tv_sec, 4);
	send_bytes(gdb, room, (char *)to - (gdb->reply + room));
}

static void
send_link(struct gdb *gdb, const char *at)
{
	const size_t room = 32;
	char text[2][PATH_ROOM];
	const char *path = read_path(gdb, &at, text);

	send_bytes(gdb, room, path ? RAW3(SYS_readlink, path, gdb->reply + room, PATH_ROOM) : -EINVAL);
}

void
gdb_file(struct gdb *gdb)
{
	const char *text = gdb->text + 6, *at = text; /* vFile: */

	if (!strncmp(text, "setfs:", 6)) {
		send_result(gdb, 0); /* the guest's view is the only one */
	} else if (!strncmp(text, "open:", 5)) {
		send_result(gdb, open_path(gdb, text + 5));
	} else if (!strncmp(text, "close:", 6)) {
		at += 6;
		send_result(gdb, RAW1(SYS_close, (int)hex_number(&at)));
	} else if (!strncmp(text, "pread:", 6)) {
		send_read(gdb, text + 6);
	} else if (!strncmp(text, "fstat:", 6)) {
		send_status(gdb, text + 6);
	} else if (!strncmp(text, "readlink:", 9)) {
		send_link(gdb, text + 9);
	} else {
		gdb_send_text(gdb, "");
	}
}

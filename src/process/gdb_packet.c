/* Packets: $text#checksum, with } before characters that mean something else
 * (gdb's manual, E.1). */
#include "process/gdb_impl.h"

#include <poll.h>
#include <string.h>
#include <sys/syscall.h>

#include "host/lock.h"

/* ---- hexadecimal -------------------------------------------------------- */

static const char digits[] = "0123456789abcdef";

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

void
hex_append(char *text, size_t *length, const void *bytes, size_t size)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < size; i++) {
		text[(*length)++] = digits[byte[i] >> 4];
		text[(*length)++] = digits[byte[i] & 15];
	}
}

uint64_t
hex_number(const char **at)
{
	uint64_t value = 0;

	for (; digit(**at) >= 0; ++*at)
		value = value << 4 | (uint64_t)digit(**at);
	return value;
}

bool
hex_bytes(const char **at, void *bytes, size_t size)
{
	uint8_t *byte = bytes;

	for (size_t i = 0; i < size; i++, *at += 2) {
		if (digit((*at)[0]) < 0 || digit((*at)[1]) < 0)
			return false;
		byte[i] = (uint8_t)(digit((*at)[0]) << 4 | digit((*at)[1]));
	}
	return true;
}

/* ---- sending ------------------------------------------------------------ */

static void
write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		long done = RAW6(SYS_sendto, fd, bytes, size, 0x4000 /* MSG_NOSIGNAL */, 0, 0);

		if (done <= 0)
			return; /* the reader sees that it is closed */
		bytes += done;
		size -= (size_t)done;
	}
}

void
gdb_send(struct gdb *gdb, const char *text, size_t length)
{
	uint8_t sum = 0;
	size_t n = 1;

	lock_take(&gdb->send_lock);
	gdb->out[0] = '$';
	for (size_t i = 0; i < length && n < PACKET_SIZE; i++) {
		char c = text[i];

		if (c == '#' || c == '$' || c == '}' || c == '*') {
			gdb->out[n++] = '}';
			sum = (uint8_t)(sum + '}');
			c ^= 0x20;
		}
		gdb->out[n++] = c;
		sum = (uint8_t)(sum + (uint8_t)c);
	}
	gdb->out[n++] = '#';
	hex_append(gdb->out, &n, &sum, 1);
	write_all(gdb->connection, gdb->out, n);
	lock_drop(&gdb->send_lock);
}

void
gdb_send_text(struct gdb *gdb, const char *text)
{
	gdb_send(gdb, text, strlen(text));
}

/* ---- receiving ---------------------------------------------------------- */

static void
drop(struct gdb *gdb, size_t size)
{
	gdb->in_used -= size;
	memmove(gdb->in, gdb->in + size, gdb->in_used);
}

/* Takes a whole packet out of gdb->in. False: there is none yet. */
static bool
take_packet(struct gdb *gdb)
{
	size_t start = 0, end, n = 0;

	while (start < gdb->in_used && gdb->in[start] != '$' && gdb->in[start] != 3)
		start++; /* acknowledgements */
	drop(gdb, start);
	if (!gdb->in_used)
		return false;
	if (gdb->in[0] == 3) {
		memcpy(gdb->text, "\3", 2);
		drop(gdb, 1);
		return true;
	}
	for (end = 1; end < gdb->in_used && gdb->in[end] != '#'; end++)
		;
	if (end + 2 >= gdb->in_used)
		return false;
	for (size_t i = 1; i < end; i++) {
		char c = gdb->in[i];

		if (c == '}' && i + 1 < end)
			c = (char)(gdb->in[++i] ^ 0x20);
		gdb->text[n++] = c;
	}
	gdb->text[n] = 0;
	gdb->text_length = n;
	drop(gdb, end + 3);
	if (!gdb->no_ack)
		write_all(gdb->connection, "+", 1);
	return true;
}

bool
gdb_receive(struct gdb *gdb, bool wait)
{
	for (;;) {
		struct pollfd ready = { gdb->connection, POLLIN, 0 };
		struct timespec now = { 0, 0 };
		long got;

		if (take_packet(gdb))
			return true;
		gdb->text[0] = 0;
		if (gdb->in_used == PACKET_SIZE)
			return false; /* longer than we said we take */
		if (!wait && RAW5(SYS_ppoll, &ready, 1, &now, NULL, 0) != 1)
			return true;
		got = RAW3(SYS_read, gdb->connection, gdb->in + gdb->in_used, PACKET_SIZE - gdb->in_used);
		if (got <= 0)
			return false;
		gdb->in_used += (size_t)got;
	}
}

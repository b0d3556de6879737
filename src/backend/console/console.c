/* A console over descriptors: a ring of output that the event loop writes, a
 * buffer of input that the chip empties.
 *
 * A terminal is shared with other programs, so its descriptor is not made
 * non-blocking: epoll says when a write of a little will not block, and writes
 * to it are short.
 */
#include "backend/console/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT 65536u /* a power of two */
#define INPUT 4096u
#define PIECE 512u    /* what a writable terminal or pipe takes without blocking */

struct console {
	struct event_loop *loop;
	int in, out;
	bool own_in; /* in is ours to close */
	struct event *reads, *writes;
	const struct console_client *client;
	void *owner;
	uint8_t output[OUTPUT];
	uint64_t head, tail; /* written into, taken out of output; both only grow */
	uint8_t input[INPUT];
	size_t from, to;     /* of input, what is not taken yet */
	bool refused;        /* somebody waits for room */
};

/* ---- output ---------------------------------------------------------------- */

size_t
console_room(const struct console *c)
{
	return OUTPUT - (size_t)(c->head - c->tail);
}

/* False: nothing more goes out now. */
static bool
write_piece(struct console *c)
{
	size_t at = c->tail % OUTPUT, size = (size_t)(c->head - c->tail);
	ssize_t done;

	size = size < OUTPUT - at ? size : OUTPUT - at;
	size = size < PIECE ? size : PIECE;
	if (!size)
		return false;
	done = write(c->out, c->output + at, size);
	if (done < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	/* Nobody reads any more: a guest's console is not worth more than a line
	 * that nobody sees. */
	c->tail += done < 0 ? size : (size_t)done;
	return true;
}

static void
on_writable(void *owner, unsigned what)
{
	struct console *c = owner;

	(void)what;
	write_piece(c);
	if (c->head == c->tail)
		event_want(c->writes, 0);
	if (c->refused && console_room(c) >= OUTPUT / 2) {
		c->refused = false;
		if (c->client && c->client->room)
			c->client->room(c->owner);
	}
}

size_t
console_write(struct console *c, const uint8_t *bytes, size_t size)
{
	size_t room = console_room(c);

	if (!c->writes)
		return size;
	if (size > room) {
		size = room;
		c->refused = true;
	}
	for (size_t i = 0; i < size; i++)
		c->output[c->head++ % OUTPUT] = bytes[i];
	if (size)
		event_want(c->writes, EVENT_WRITE);
	return size;
}

void
console_drain(struct console *c, int milliseconds)
{
	struct pollfd ready = { .fd = c->out, .events = POLLOUT };

	while (c->writes && c->head != c->tail && poll(&ready, 1, milliseconds) > 0)
		if (!write_piece(c) && errno != EINTR && errno != EAGAIN)
			return;
}

/* ---- input ----------------------------------------------------------------- */

static void
offer(struct console *c)
{
	while (c->from < c->to && c->client && c->client->input) {
		size_t taken = c->client->input(c->owner, c->input + c->from, c->to - c->from);

		if (!taken)
			break;
		c->from += taken;
	}
	if (c->from == c->to)
		c->from = c->to = 0;
	if (c->reads)
		event_want(c->reads, c->to < INPUT ? EVENT_READ : 0);
}

static void
on_readable(void *owner, unsigned what)
{
	struct console *c = owner;
	ssize_t size = read(c->in, c->input + c->to, INPUT - c->to);

	(void)what;
	if (size > 0) {
		c->to += (size_t)size;
		offer(c);
	} else if (!size || (errno != EAGAIN && errno != EINTR)) {
		event_remove(c->reads);
		c->reads = NULL;
	}
}

void
console_more(struct console *c)
{
	offer(c);
}

size_t
console_read(struct console *c, uint8_t *bytes, size_t size)
{
	size = size < c->to - c->from ? size : c->to - c->from;
	if (size)
		memcpy(bytes, c->input + c->from, size);
	c->from += size;
	offer(c);
	return size;
}

/* ---- life ------------------------------------------------------------------ */

struct console *
console_new(struct event_loop *loop, int in, int out, struct error *error)
{
	struct console *c = calloc(1, sizeof *c);

	if (!c)
		fatal("out of memory for a console");
	c->loop = loop;
	c->in = in;
	c->out = out;
	/* The event loop watches a descriptor once. */
	c->own_in = in >= 0 && in == out;
	if (c->own_in && (c->in = in = fcntl(out, F_DUPFD_CLOEXEC, 0)) < 0) {
		error_set(error, errno, "no second descriptor for a console: %s", strerror(errno));
		free(c);
		return NULL;
	}
	if (out >= 0)
		c->writes = event_watch(loop, out, 0, on_writable, c);
	if (in >= 0)
		c->reads = event_watch(loop, in, EVENT_READ, on_readable, c);
	return c;
}

void
console_free(struct console *c)
{
	if (!c)
		return;
	event_remove(c->reads);
	event_remove(c->writes);
	if (c->own_in)
		close(c->in);
	free(c);
}

void
console_attach(struct console *c, const struct console_client *client, void *owner)
{
	c->client = client;
	c->owner = owner;
	offer(c);
}

/* Streams. A descriptor may be shared with other processes (a shell's terminal),
 * so it is not made non-blocking: poll says how much it takes, in pieces so small
 * that a pipe or terminal that is ready takes one without waiting. */
#include "backend/console/stream.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 512u /* _POSIX_PIPE_BUF: what is ready for writing takes as much */
#define READ_PIECE 4096u

struct stream {
	struct stream_client client;
	struct event *input, *output;
	int in, out;
	int own; /* a copy of the descriptor that is both; else -1 */
	bool starved; /* the device took no more */
	bool blocked; /* stream_write took less than all */
	size_t unread_start, unread;
	uint8_t unread_data[READ_PIECE]; /* read, but not taken by the device */
	size_t kept;
	uint8_t kept_data[STREAM_ROOM];
};

/* ---- output -------------------------------------------------------------------- */

static bool
is_ready(int fd)
{
	struct pollfd p = { fd, POLLOUT, 0 };

	return poll(&p, 1, 0) == 1 && p.revents & (POLLOUT | POLLERR | POLLHUP);
}

/* Writes what goes without waiting. Whoever listened may be gone: then all is
 * dropped, the guest goes on. */
static size_t
put(struct stream *s, const uint8_t *data, size_t size)
{
	size_t done = 0;

	while (done < size && s->out >= 0 && is_ready(s->out)) {
		size_t part = size - done < PIECE ? size - done : PIECE;
		ssize_t n = write(s->out, data + done, part);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			s->out = -1;
			break;
		}
		done += (size_t)n;
	}
	return s->out < 0 ? size : done;
}

static void
flush(void *owner, unsigned what)
{
	struct stream *s = owner;
	size_t done = put(s, s->kept_data, s->kept);

	(void)what;
	memmove(s->kept_data, s->kept_data + done, s->kept - done);
	s->kept -= done;
	if (s->kept)
		return;
	event_want(s->output, 0);
	if (s->blocked) {
		s->blocked = false;
		if (s->client.writable)
			s->client.writable(s->client.owner);
	}
}

size_t
stream_write(struct stream *s, const uint8_t *data, size_t size)
{
	size_t done = s->kept ? 0 : put(s, data, size);
	size_t keep = size - done < STREAM_ROOM - s->kept ? size - done : STREAM_ROOM - s->kept;

	if (!keep && done == size)
		return size;
	memcpy(s->kept_data + s->kept, data + done, keep);
	s->kept += keep;
	s->blocked = done + keep < size;
	if (s->output)
		event_want(s->output, EVENT_WRITE);
	return done + keep;
}

/* ---- input ------------------------------------------------------------------------ */

/* Offers what was read. True: all was taken. */
static bool
offer(struct stream *s)
{
	while (s->unread) {
		size_t taken = s->client.receive(s->client.owner, s->unread_data + s->unread_start, s->unread);

		s->unread_start += taken;
		s->unread -= taken;
		if (!taken)
			break;
	}
	s->starved = s->unread != 0;
	return !s->unread;
}

static void
readable(void *owner, unsigned what)
{
	struct stream *s = owner;
	ssize_t n;

	(void)what;
	if (!offer(s)) {
		event_want(s->input, 0);
		return;
	}
	n = read(s->in, s->unread_data, sizeof s->unread_data);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) { /* the end, or a terminal that went away */
		event_remove(s->input);
		s->input = NULL;
		return;
	}
	s->unread_start = 0;
	s->unread = (size_t)n;
	if (!offer(s))
		event_want(s->input, 0);
}

void
stream_resume(struct stream *s)
{
	if (!s->starved)
		return;
	if (offer(s) && s->input)
		event_want(s->input, EVENT_READ);
}

/* ---- life ---------------------------------------------------------------------------- */

struct stream *
stream_new(struct event_loop *loop, int in, int out, const struct stream_client *client, struct error *error)
{
	struct stream *s = calloc(1, sizeof *s);

	if (!s) {
		error_set(error, ENOMEM, "console: no memory");
		return NULL;
	}
	s->client = *client;
	s->in = in;
	s->out = out;
	if (in >= 0)
		s->input = event_watch(loop, in, EVENT_READ, readable, s);
	/* A second registration of the same descriptor needs another number. */
	s->own = out >= 0 && out == in ? dup(out) : -1;
	if (s->own >= 0)
		s->out = s->own;
	if (s->out >= 0)
		s->output = event_watch(loop, s->out, 0, flush, s);
	return s;
}

void
stream_free(struct stream *s)
{
	if (!s)
		return;
	if (s->input)
		event_remove(s->input);
	if (s->output)
		event_remove(s->output);
	if (s->own >= 0)
		close(s->own);
	free(s);
}

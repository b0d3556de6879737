/* The terminal: raw mode, and Ctrl-a as the key before those for us. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "monitor/session.h"

enum { CTRL_A = 1 };

void
terminal_open(struct terminal *t, int in, int out)
{
	struct termios raw;

	*t = (struct terminal){ .in = in, .out = out };
	if (!isatty(in) || !isatty(out) || tcgetattr(in, &t->saved))
		return;
	raw = t->saved;
	cfmakeraw(&raw);
	/* A guest writes \r\n itself; our own lines do not. */
	raw.c_oflag |= OPOST;
	t->raw = tcsetattr(in, TCSANOW, &raw) == 0;
}

void
terminal_close(struct terminal *t)
{
	if (t->raw)
		tcsetattr(t->in, TCSADRAIN, &t->saved);
	t->raw = false;
}

int
terminal_key(struct terminal *t, unsigned char byte)
{
	if (!t->raw)
		return TERMINAL_SEND;
	if (!t->prefix && byte == CTRL_A) {
		t->prefix = true;
		return TERMINAL_NONE;
	}
	if (!t->prefix)
		return TERMINAL_SEND;
	t->prefix = false;
	return byte == CTRL_A ? TERMINAL_SEND : byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

void
terminal_write(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size) {
		ssize_t put = write(fd, at, size);

		if (put < 0 && errno == EAGAIN) {
			struct pollfd wait = { .fd = fd, .events = POLLOUT };

			poll(&wait, 1, 1000);
		} else if (put < 0 && errno != EINTR) {
			return;
		}
		if (put > 0) {
			at += put;
			size -= (size_t)put;
		}
	}
}

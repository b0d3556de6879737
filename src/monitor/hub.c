/* A guest console: a socket pair whose far end the machine has. What the guest
 * writes goes to the terminal and to every client of the console's socket; the
 * last 64 KiB are kept for those who come later. A client that does not read
 * loses output, never holds the guest up.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "monitor/session.h"
#include "monitor/sockets.h"

static void
drop_client(struct hub_client *client)
{
	event_remove(client->event);
	close(client->fd);
	client->fd = -1;
}

static void
show(struct hub *c, const char *data, size_t size)
{
	if (c->sink)
		c->sink(c->to, data, size);
	for (size_t i = 0; i < size; i++)
		c->kept[c->written++ % HUB_KEPT] = data[i];
	for (unsigned i = 0; i < HUB_CLIENTS; i++)
		if (c->client[i].fd >= 0 && send(c->client[i].fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
		    errno != EAGAIN)
			drop_client(&c->client[i]);
}

/* Gives the guest what it takes; then whoever types may go on. */
static void
feed(struct hub *c)
{
	ssize_t put = c->typed_count ? write(c->near, c->typed, c->typed_count) : 0;

	if (put > 0) {
		c->typed_count -= (size_t)put;
		memmove(c->typed, c->typed + put, c->typed_count);
	}
	event_want(c->event, EVENT_READ | (c->typed_count ? EVENT_WRITE : 0u));
	if (c->waiting && hub_room(c)) {
		event_want(c->waiting, EVENT_READ);
		c->waiting = NULL;
	}
}

static void
ready(void *owner, unsigned what)
{
	struct hub *c = owner;
	char data[4096];
	ssize_t got;

	if (what & (EVENT_READ | EVENT_HANGUP)) {
		got = read(c->near, data, sizeof data);
		if (got > 0)
			show(c, data, (size_t)got);
		else if (!got || errno != EAGAIN)
			event_want(c->event, 0);
	}
	if (what & EVENT_WRITE)
		feed(c);
}

size_t
hub_room(const struct hub *c)
{
	return sizeof c->typed - c->typed_count;
}

void
hub_type(struct hub *c, const void *data, size_t size)
{
	if (size > hub_room(c))
		size = hub_room(c);
	memcpy(c->typed + c->typed_count, data, size);
	c->typed_count += size;
	feed(c);
}

static void
client_ready(void *owner, unsigned what)
{
	struct hub_client *client = owner;
	char data[1024];
	ssize_t got;

	if (!(what & EVENT_READ)) {
		drop_client(client);
		return;
	}
	got = recv(client->fd, data, sizeof data, MSG_DONTWAIT);
	if (got > 0)
		hub_type(client->hub, data, (size_t)got);
	else if (!got || errno != EAGAIN)
		drop_client(client);
}

/* The last lines of what is kept: a screen's worth, not the whole boot. */
static void
greet(struct hub *c, int fd)
{
	size_t start = c->written > HUB_KEPT ? c->written - HUB_KEPT : 0, at = c->written;
	char text[4096];
	size_t count = 0;

	for (unsigned lines = 0; at > start && c->written - at < sizeof text; at--)
		if (c->kept[(at - 1) % HUB_KEPT] == '\n' && ++lines == 24)
			break;
	for (; at < c->written; at++)
		text[count++] = c->kept[at % HUB_KEPT];
	if (count && send(fd, text, count, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
}

static void
accept_ready(void *owner, unsigned what)
{
	struct hub *c = owner;
	int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	unsigned i = 0;

	(void)what;
	while (i < HUB_CLIENTS && c->client[i].fd >= 0)
		i++;
	if (fd < 0)
		return;
	if (i == HUB_CLIENTS) {
		close(fd);
		return;
	}
	greet(c, fd);
	c->client[i].fd = fd;
	c->client[i].event = event_watch(c->session->loop, fd, EVENT_READ, client_ready, &c->client[i]);
}

int
hub_open(struct hub *c, struct session *session, const char *file, struct error *error)
{
	int pair[2];

	*c = (struct hub){ .session = session, .near = -1, .far = { -1, -1 }, .listener = -1 };
	for (unsigned i = 0; i < HUB_CLIENTS; i++)
		c->client[i] = (struct hub_client){ .hub = c, .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
		return error_set(error, errno, "no sockets for the console: %s", strerror(errno));
	c->near = pair[0];
	c->far[0] = pair[1];
	/* Two descriptors: an event loop watches each once. */
	c->far[1] = fcntl(pair[1], F_DUPFD_CLOEXEC, 0);
	if (c->far[1] < 0)
		return error_set(error, errno, "no descriptor for the console: %s", strerror(errno));
	c->event = event_watch(session->loop, c->near, EVENT_READ, ready, c);
	if (!session->name)
		return 0;
	c->listener = socket_listen(session->name, file, error);
	if (c->listener < 0)
		return -1;
	c->accept = event_watch(session->loop, c->listener, EVENT_READ, accept_ready, c);
	return 0;
}

void
hub_close(struct hub *c)
{
	char data[4096];
	ssize_t got;

	if (!c->session || c->near < 0)
		return;
	close(c->far[0]);
	close(c->far[1]);
	while ((got = read(c->near, data, sizeof data)) > 0)
		show(c, data, (size_t)got);
	event_remove(c->event);
	event_remove(c->accept);
	close(c->near);
	for (unsigned i = 0; i < HUB_CLIENTS; i++)
		if (c->client[i].fd >= 0)
			drop_client(&c->client[i]);
	if (c->listener >= 0)
		close(c->listener);
	c->near = -1;
}

/* A guest console: a socket pair whose far end the machine has. What the guest
 * writes goes to the terminal and to every client of the console's socket. The last
 * 64 KiB are kept, for those who come later and those who read slowly: each client
 * has its place in them. One that falls further behind loses what was overwritten;
 * nobody holds the guest up.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

/* A client is listened to while there is room for what it types. */
static void
watch_client(struct hub_client *client)
{
	event_want(client->event, (hub_room(client->hub) ? EVENT_READ : 0u) |
					  (client->sent < client->hub->written ? EVENT_WRITE : 0u));
}

/* Sends a client what it has not got, as far as it takes it. */
static void
catch_up(struct hub_client *client)
{
	struct hub *c = client->hub;

	if (c->written - client->sent > HUB_KEPT)
		client->sent = c->written - HUB_KEPT;
	while (client->sent < c->written) {
		size_t at = client->sent % HUB_KEPT, size = c->written - client->sent;
		ssize_t put = send(client->fd, c->kept + at, size < HUB_KEPT - at ? size : HUB_KEPT - at,
				   MSG_NOSIGNAL | MSG_DONTWAIT);

		if (put < 0 && errno != EAGAIN) {
			drop_client(client);
			return;
		}
		if (put <= 0)
			break;
		client->sent += (size_t)put;
	}
	watch_client(client);
}

static void
show(struct hub *c, const char *data, size_t size)
{
	if (c->sink)
		c->sink(c->to, data, size);
	for (size_t i = 0; i < size; i++)
		c->kept[c->written++ % HUB_KEPT] = data[i];
	for (unsigned i = 0; i < HUB_CLIENTS; i++)
		if (c->client[i].fd >= 0)
			catch_up(&c->client[i]);
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
	for (unsigned i = 0; i < HUB_CLIENTS; i++)
		if (c->client[i].fd >= 0)
			watch_client(&c->client[i]);
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
	size_t room = hub_room(client->hub);
	ssize_t got;

	if (!(what & (EVENT_READ | EVENT_WRITE))) {
		drop_client(client);
		return;
	}
	if (what & EVENT_WRITE)
		catch_up(client);
	if (!(what & EVENT_READ) || client->fd < 0 || !room)
		return;
	got = recv(client->fd, data, room < sizeof data ? room : sizeof data, MSG_DONTWAIT);
	if (got > 0)
		hub_type(client->hub, data, (size_t)got);
	else if (!got || errno != EAGAIN)
		drop_client(client);
}

/* Where the last lines of what is kept begin: a screen's worth, not the whole boot. */
static size_t
last_lines(const struct hub *c)
{
	size_t start = c->written > HUB_KEPT ? c->written - HUB_KEPT : 0, at = c->written;

	for (unsigned lines = 0; at > start && c->written - at < 4096; at--)
		if (c->kept[(at - 1) % HUB_KEPT] == '\n' && ++lines == 24)
			break;
	return at;
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
	c->client[i].fd = fd;
	c->client[i].sent = last_lines(c);
	c->client[i].event = event_watch(c->session->loop, fd, EVENT_READ, client_ready, &c->client[i]);
	catch_up(&c->client[i]);
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

/* The end: the client still gets the rest, unless it has not read for a second. */
static void
dismiss(struct hub_client *client)
{
	struct pollfd wait = { .fd = client->fd, .events = POLLOUT };

	while (client->fd >= 0 && client->sent < client->hub->written && poll(&wait, 1, 1000) > 0)
		catch_up(client);
	if (client->fd >= 0)
		drop_client(client);
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
			dismiss(&c->client[i]);
	if (c->listener >= 0)
		close(c->listener);
	c->near = -1;
}

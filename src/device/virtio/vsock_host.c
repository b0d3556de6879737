/* The virtio socket's host side: Unix stream sockets on the event loop. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "device/virtio/vsock_impl.h"

#define FIRST_PORT 0x40000000u

/* ---- connections ------------------------------------------------------------------ */

struct connection *
vsock_find(struct vsock *v, uint32_t host_port, uint32_t guest_port)
{
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		struct connection *c = &v->connection[i];

		if (c->state >= CONNECTING && c->host_port == host_port && c->guest_port == guest_port)
			return c;
	}
	return NULL;
}

void
vsock_close(struct connection *c)
{
	if (c->state == UNUSED)
		return;
	event_remove(c->event);
	close(c->fd);
	free(c->data);
	*c = (struct connection){ .vsock = c->vsock };
}

void
vsock_close_all(struct vsock *v)
{
	for (unsigned i = 0; i < CONNECTIONS; i++)
		vsock_close(&v->connection[i]);
}

void
vsock_watch(struct connection *c)
{
	unsigned want = 0;

	if (c->state == GREETING || (c->state == CONNECTED && !c->readable && !c->ended))
		want |= EVENT_READ;
	if (c->kept)
		want |= EVENT_WRITE;
	event_want(c->event, want);
}

/* ---- data to the host ---------------------------------------------------------------- */

/* The host's side has taken n more bytes; the guest is told before it would have to
 * wait for it. */
static void
taken(struct connection *c, size_t n)
{
	c->taken += (uint32_t)n;
	if (c->taken - c->told >= CONNECTION_ROOM / 2) {
		c->told = c->taken;
		c->owes_credit = true;
	}
}

/* All has gone that was to go. */
static void
end_if_done(struct vsock *v, struct connection *c)
{
	if (c->kept || !c->guest_sends_none)
		return;
	if (c->ended || c->guest_takes_none) {
		vsock_refuse(v, c); /* both directions: a reset ends it (virtio 5.10.6.5) */
		vsock_close(c);
	} else {
		shutdown(c->fd, SHUT_WR);
	}
}

static void
send_kept(struct vsock *v, struct connection *c)
{
	ssize_t n = send(c->fd, c->data, c->kept, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		vsock_refuse(v, c);
		vsock_close(c);
		return;
	}
	memmove(c->data, c->data + n, c->kept - (size_t)n);
	c->kept -= (size_t)n;
	taken(c, (size_t)n);
	end_if_done(v, c);
}

void
vsock_to_host(struct vsock *v, struct connection *c, const struct virtio_chain *chain, uint32_t size)
{
	if (c->state != CONNECTED || c->guest_sends_none || size > CONNECTION_ROOM - c->kept) {
		vsock_refuse(v, c); /* more than its credit, or out of turn */
		vsock_close(c);
		return;
	}
	c->kept += virtio_chain_read(chain, VSOCK_HEADER, c->data + c->kept, size);
	if (c->kept)
		send_kept(v, c);
}

void
vsock_shut(struct vsock *v, struct connection *c)
{
	if (c->guest_takes_none)
		shutdown(c->fd, SHUT_RD);
	end_if_done(v, c);
}

/* ---- the greeting ------------------------------------------------------------------------ */

/* "CONNECT PORT\n", byte for byte, so that nothing behind it is read. */
static void
greet(struct vsock *v, struct connection *c)
{
	char byte, *end;
	unsigned long port;

	for (;;) {
		ssize_t n = recv(c->fd, &byte, 1, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0 || c->greeted == sizeof c->greeting - 1) {
			vsock_close(c);
			return;
		}
		if (byte == '\n')
			break;
		c->greeting[c->greeted++] = byte;
	}
	port = strncmp(c->greeting, "CONNECT ", 8) ? ULONG_MAX : strtoul(c->greeting + 8, &end, 10);
	if (port > UINT32_MAX || *end || end == c->greeting + 8 || !virtio_live(&v->virtio)) {
		vsock_close(c);
		return;
	}
	do
		c->host_port = FIRST_PORT + v->next_port++ % FIRST_PORT;
	while (vsock_find(v, c->host_port, (uint32_t)port));
	c->guest_port = (uint32_t)port;
	c->state = CONNECTING;
	c->owes_answer = true;
}

void
vsock_accepted(struct vsock *v, struct connection *c)
{
	char text[32];
	int size = text_format(text, sizeof text, "OK %u\n", c->host_port);

	(void)v;
	if (send(c->fd, text, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT) == size) {
		c->state = CONNECTED;
		return;
	}
	vsock_refuse(v, c);
	vsock_close(c);
}

static void
ready(void *owner, unsigned what)
{
	struct connection *c = owner;
	struct vsock *v = c->vsock;

	if (what & EVENT_WRITE && c->kept)
		send_kept(v, c);
	if (c->state == GREETING)
		greet(v, c);
	else if (c->state == CONNECTED && what & (EVENT_READ | EVENT_HANGUP))
		c->readable = true;
	vsock_pump(v);
}

static struct connection *
connection_new(struct vsock *v, int fd)
{
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		struct connection *c = &v->connection[i];

		if (c->state != UNUSED)
			continue;
		*c = (struct connection){ .vsock = v, .fd = fd, .data = malloc(CONNECTION_ROOM) };
		if (!c->data)
			return NULL;
		c->event = event_watch(v->virtio.host.loop, fd, 0, ready, c);
		return c;
	}
	return NULL;
}

/* ---- sockets ------------------------------------------------------------------------------- */

static bool
address_of(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return text_format(address->sun_path, sizeof address->sun_path, "%s", path) < (int)sizeof address->sun_path;
}

struct connection *
vsock_connect_host(struct vsock *v, uint32_t host_port, uint32_t guest_port)
{
	struct sockaddr_un address;
	char path[VSOCK_PATH + 16];
	struct connection *c = NULL;
	int fd;

	text_format(path, sizeof path, "%s_%u", v->path, host_port);
	if (!address_of(path, &address))
		return NULL;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof address))
		c = connection_new(v, fd);
	if (!c) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	c->state = CONNECTED;
	c->opened_by_guest = true;
	c->host_port = host_port;
	c->guest_port = guest_port;
	return c;
}

static void
incoming(void *owner, unsigned what)
{
	struct vsock *v = owner;
	int fd = accept4(v->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct connection *c = fd >= 0 ? connection_new(v, fd) : NULL;

	(void)what;
	if (c) {
		c->state = GREETING;
		vsock_watch(c);
	} else if (fd >= 0) {
		close(fd);
	}
}

int
vsock_listen(struct vsock *v, const char *path, struct error *error)
{
	struct sockaddr_un address;
	struct stat st;
	int fd;

	for (unsigned i = 0; i < CONNECTIONS; i++)
		v->connection[i].vsock = v;
	if (strlen(path) >= sizeof v->path || !address_of(path, &address))
		return error_set(error, ENAMETOOLONG, "vsock: %s: a path of less than %u bytes is needed", path, VSOCK_PATH);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(error, errno, "vsock: %s", strerror(errno));
	/* A socket that nobody listens at is left from a machine that was killed. */
	if (!lstat(path, &st) && S_ISSOCK(st.st_mode) && connect(fd, (struct sockaddr *)&address, sizeof address) &&
	    errno == ECONNREFUSED)
		unlink(path);
	close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 16)) {
		error_set(error, errno, "vsock: %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	text_format(v->path, sizeof v->path, "%s", path);
	v->listener = fd;
	v->listening = event_watch(v->virtio.host.loop, fd, EVENT_READ, incoming, v);
	return 0;
}

void
vsock_unlisten(struct vsock *v)
{
	if (v->listener < 0)
		return;
	event_remove(v->listening);
	close(v->listener);
	unlink(v->path);
}

/* A switch without anybody in the middle: each machine has a datagram socket in a
 * folder, named by its card's address. A frame goes to the socket of its
 * destination; one for many, or for an address that no socket is named by, goes
 * to all. A datagram is a packet as net.h has it. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "backend/net/net_impl.h"
#include "host/clock.h"

#define NAME_SIZE 12u /* the address in hexadecimal */
#define PATIENCE 20000000u /* nanoseconds that a full receiver is waited for */
#define BUFFER (4 << 20)

struct port {
	struct net net;
	int fd;
	uint64_t blocked_since; /* 0: not blocked */
	char name[NAME_SIZE + 1];
	char folder[80];
	uint8_t buffer[NET_HEADER + NET_FRAME_MAX];
};

static void
name_of(const uint8_t *mac, char *name)
{
	for (unsigned i = 0; i < 6; i++)
		text_format(name + 2 * i, 3, "%02x", mac[i]);
}

static bool
address_of(const struct port *s, const char *name, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return text_format(address->sun_path, sizeof address->sun_path, "%s/%s", s->folder, name) <
	       (int)sizeof address->sun_path;
}

/* 0 or errno. */
static int
send_to(struct port *s, const char *name, const uint8_t *packet, size_t size)
{
	struct sockaddr_un address;

	if (!address_of(s, name, &address))
		return ENAMETOOLONG;
	if (sendto(s->fd, packet, size, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof address) >= 0)
		return 0;
	if (errno == ECONNREFUSED) /* left behind by a machine that was killed */
		unlink(address.sun_path);
	return errno;
}

static void
send_to_all(struct port *s, const uint8_t *packet, size_t size)
{
	DIR *folder = opendir(s->folder);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (strlen(entry->d_name) == NAME_SIZE && strcmp(entry->d_name, s->name))
			send_to(s, entry->d_name, packet, size);
	if (folder)
		closedir(folder);
}

static bool
switch_send(struct net *net, uint8_t *packet, size_t size)
{
	struct port *s = (struct port *)net;
	const uint8_t *destination = packet + NET_HEADER;
	char name[NAME_SIZE + 1];
	int failed = ENOENT;

	if (!(destination[0] & 1)) {
		name_of(destination, name);
		failed = send_to(s, name, packet, size);
	}
	if (failed == EAGAIN) {
		uint64_t now = clock_nanoseconds();

		if (!s->blocked_since)
			s->blocked_since = now;
		if (now - s->blocked_since < PATIENCE)
			return false;
	}
	s->blocked_since = 0;
	if (failed == ENOENT || failed == ECONNREFUSED)
		send_to_all(s, packet, size);
	return true;
}

static unsigned
switch_watch(struct net *net, struct pollfd *p, int *timeout, bool full)
{
	struct port *s = (struct port *)net;

	*p = (struct pollfd){ s->fd, full ? 0 : POLLIN, 0 };
	if (s->blocked_since)
		*timeout = 1;
	return 1;
}

static void
switch_ready(struct net *net, const struct pollfd *p, unsigned count)
{
	struct port *s = (struct port *)net;

	(void)count;
	for (unsigned i = 0; p->revents & POLLIN && i < 64; i++) {
		ssize_t size = recv(s->fd, s->buffer, sizeof s->buffer, MSG_DONTWAIT);
		struct net_header header;

		if (size <= (ssize_t)NET_HEADER)
			return;
		/* Another machine's word: only what net_finish_checksum checks is kept. */
		memcpy(&header, s->buffer, sizeof header);
		header.flags &= NET_NEEDS_CHECKSUM;
		header.gso_type = NET_GSO_NONE;
		header.gso_size = header.header_size = 0;
		net_received(net, &header, s->buffer + NET_HEADER, (size_t)size - NET_HEADER);
	}
}

static void
switch_close(struct net *net)
{
	struct port *s = (struct port *)net;
	struct sockaddr_un address;

	close(s->fd);
	if (address_of(s, s->name, &address))
		unlink(address.sun_path);
}

static int
bind_port(struct port *s, struct error *error)
{
	struct sockaddr_un address;
	int size = BUFFER, probe;

	if (!address_of(s, s->name, &address))
		return error_set(error, ENAMETOOLONG, "network switch: %s: too long a path", s->folder);
	if (mkdir(s->folder, 0700) && errno != EEXIST)
		return error_set(error, errno, "network switch: %s: %s", s->folder, strerror(errno));
	/* A socket that nobody answers at is left from a machine that was killed. */
	probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (probe >= 0 && !connect(probe, (struct sockaddr *)&address, sizeof address))
		error_set(error, EADDRINUSE, "network switch: another machine on %s has the address %s", s->folder, s->name);
	else
		unlink(address.sun_path);
	if (probe >= 0)
		close(probe);
	if (error && error->set)
		return -1;
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&address, sizeof address))
		return error_set(error, errno, "network switch: %s: %s", address.sun_path, strerror(errno));
	setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	return 0;
}

static struct net *
switch_open(const struct net_options *options, struct error *error)
{
	struct port *s = calloc(1, sizeof *s);

	if (!s) {
		error_set(error, ENOMEM, "network: no memory");
		return NULL;
	}
	s->fd = -1;
	s->net.offload = NET_CHECKSUM;
	name_of(options->mac, s->name);
	if (!options->name || !*options->name || strlen(options->name) >= sizeof s->folder) {
		error_set(error, 0, "network switch: needs a folder (switch=PATH) of less than %zu bytes",
			  sizeof s->folder);
	} else {
		text_format(s->folder, sizeof s->folder, "%s", options->name);
		if (!bind_port(s, error))
			return &s->net;
	}
	if (s->fd >= 0)
		close(s->fd);
	free(s);
	return NULL;
}

const struct net_type net_switch = { "switch",	    switch_open, switch_watch, switch_ready, switch_send, NULL,
				     switch_close };

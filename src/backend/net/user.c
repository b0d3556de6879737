/* The user-mode network: libslirp as router, NAT, DHCP and DNS server of a network
 * that only this machine is on.
 *
 *     10.0.2.0/24    10.0.2.2 the host, 10.0.2.3 DNS, 10.0.2.15 the guest
 *     fec0::/64      the same in IPv6, when the host has a route for it
 *
 * libslirp ends every TCP connection, so no path sets the frame size: frames of
 * 64 KiB save the guest most of its work. Everything here but opening runs on the
 * backend's thread. */
#include <arpa/inet.h>
#include <errno.h>
#include <slirp/libslirp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/net/net_impl.h"
#include "host/clock.h"

#define MTU 65520u
#define TIMERS 8u

struct timer {
	bool used;
	SlirpTimerCb call;
	void *opaque;
	int64_t when; /* milliseconds; -1: not armed */
};

struct user {
	struct net net;
	Slirp *slirp;
	struct timer timer[TIMERS];
	struct pollfd *p; /* while libslirp adds to it */
	const struct pollfd *ready;
	unsigned count;
};

static int64_t
milliseconds(void)
{
	return (int64_t)(clock_nanoseconds() / 1000000);
}

/* ---- what libslirp calls ------------------------------------------------------------ */

static ssize_t
send_packet(const void *frame, size_t size, void *opaque)
{
	struct user *u = opaque;
	/* Made here, never on a wire: its checksums need no check. */
	struct net_header header = { .flags = NET_CHECKED };

	net_received(&u->net, &header, frame, size);
	return (ssize_t)size;
}

static void
guest_error(const char *message, void *opaque)
{
	(void)opaque;
	log_line(LOG_DEBUG, "network: %s", message);
}

static int64_t
clock_now(void *opaque)
{
	(void)opaque;
	return (int64_t)clock_nanoseconds();
}

static void *
timer_new(SlirpTimerCb call, void *call_opaque, void *opaque)
{
	struct user *u = opaque;

	for (unsigned i = 0; i < TIMERS; i++) {
		if (u->timer[i].used)
			continue;
		u->timer[i] = (struct timer){ true, call, call_opaque, -1 };
		return &u->timer[i];
	}
	return NULL;
}

static void
timer_free(void *timer, void *opaque)
{
	(void)opaque;
	if (timer)
		((struct timer *)timer)->used = false;
}

static void
timer_mod(void *timer, int64_t when, void *opaque)
{
	(void)opaque;
	if (timer)
		((struct timer *)timer)->when = when;
}

static void
no_descriptor(int fd, void *opaque)
{
	(void)fd, (void)opaque;
}

static void
notify(void *opaque)
{
	(void)opaque; /* always on the thread that polls */
}

static const SlirpCb callbacks = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = clock_now,
	.timer_new = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = no_descriptor,
	.unregister_poll_fd = no_descriptor,
	.notify = notify,
};

/* ---- polling --------------------------------------------------------------------------- */

static int
add_poll(int fd, int events, void *opaque)
{
	struct user *u = opaque;
	short want = 0;

	if (u->count == NET_DESCRIPTORS)
		return -1;
	if (events & SLIRP_POLL_IN)
		want |= POLLIN;
	if (events & SLIRP_POLL_OUT)
		want |= POLLOUT;
	if (events & SLIRP_POLL_PRI)
		want |= POLLPRI;
	u->p[u->count] = (struct pollfd){ fd, want, 0 };
	return (int)u->count++;
}

static int
get_ready(int index, void *opaque)
{
	struct user *u = opaque;
	int got = 0;
	short events;

	if (index < 0 || (unsigned)index >= u->count)
		return 0;
	events = u->ready[index].revents;
	if (events & POLLIN)
		got |= SLIRP_POLL_IN;
	if (events & POLLOUT)
		got |= SLIRP_POLL_OUT;
	if (events & POLLPRI)
		got |= SLIRP_POLL_PRI;
	if (events & (POLLERR | POLLNVAL))
		got |= SLIRP_POLL_ERR;
	if (events & POLLHUP)
		got |= SLIRP_POLL_HUP;
	return got;
}

static unsigned
user_watch(struct net *net, struct pollfd *p, int *timeout, bool full)
{
	struct user *u = (struct user *)net;
	uint32_t wait = UINT32_MAX;
	int64_t now = milliseconds();

	(void)full; /* windows of TCP bound what comes */
	u->p = p;
	u->count = 0;
	slirp_pollfds_fill(u->slirp, &wait, add_poll, u);
	for (unsigned i = 0; i < TIMERS; i++) {
		const struct timer *t = &u->timer[i];
		int64_t left = t->when > now ? t->when - now : 0;

		if (t->used && t->when >= 0 && left < wait)
			wait = (uint32_t)left;
	}
	*timeout = wait > INT32_MAX ? -1 : (int)wait;
	return u->count;
}

static void
user_ready(struct net *net, const struct pollfd *p, unsigned count)
{
	struct user *u = (struct user *)net;
	int64_t now = milliseconds();

	u->ready = p;
	u->count = count;
	slirp_pollfds_poll(u->slirp, 0, get_ready, u);
	for (unsigned i = 0; i < TIMERS; i++) {
		struct timer *t = &u->timer[i];

		if (!t->used || t->when < 0 || t->when > now)
			continue;
		t->when = -1;
		t->call(t->opaque);
	}
}

/* Fragments of IPv4 are dropped: libslirp 4.7 puts some that do not fit together
 * at a wild address, so that a guest could end the machine. The card's MTU is
 * larger than nearly all that can be sent. */
static bool
is_fragment(const uint8_t *frame, size_t size)
{
	enum { TYPE = 12, FLAGS = 20, MORE_AND_OFFSET = 0x3f };

	return size >= FLAGS + 2 && frame[TYPE] == 8 && !frame[TYPE + 1] &&
	       (frame[FLAGS] & MORE_AND_OFFSET || frame[FLAGS + 1]);
}

static bool
user_send(struct net *net, uint8_t *packet, size_t size)
{
	struct net_header header;

	memcpy(&header, packet, sizeof header);
	if (net_finish_checksum(&header, packet + NET_HEADER, size - NET_HEADER) &&
	    !is_fragment(packet + NET_HEADER, size - NET_HEADER))
		slirp_input(((struct user *)net)->slirp, packet + NET_HEADER, (int)(size - NET_HEADER));
	return true;
}

/* ---- opening ------------------------------------------------------------------------------ */

/* "tcp:HOSTPORT:GUESTPORT" or "tcp:ADDRESS:HOSTPORT:GUESTPORT"; udp likewise. */
static int
add_forward(struct user *u, const char *text, struct error *error)
{
	struct in_addr host = { htonl(INADDR_LOOPBACK) }, guest = { htonl(0x0a00020f) };
	char copy[128], *part[4], *rest = copy, *end;
	unsigned parts = 0;
	long from, to;

	text_format(copy, sizeof copy, "%s", text);
	while (parts < 4 && (part[parts] = strsep(&rest, ":")))
		parts++;
	if (parts < 3 || rest || (strcmp(part[0], "tcp") && strcmp(part[0], "udp")) ||
	    (parts == 4 && *part[1] && !inet_aton(part[1], &host)))
		return error_set(error, 0,
				 "forward \"%s\": not of the form tcp:[ADDRESS:]HOSTPORT:GUESTPORT (or udp:…)", text);
	from = strtol(part[parts - 2], &end, 10);
	if (*end || end == part[parts - 2] || from < 1 || from > 65535)
		return error_set(error, 0, "forward \"%s\": \"%s\" is no port", text, part[parts - 2]);
	to = strtol(part[parts - 1], &end, 10);
	if (*end || end == part[parts - 1] || to < 1 || to > 65535)
		return error_set(error, 0, "forward \"%s\": \"%s\" is no port", text, part[parts - 1]);
	if (slirp_add_hostfwd(u->slirp, part[0][0] == 'u', host, (int)from, guest, (int)to))
		return error_set(error, errno, "forward \"%s\": port %ld of the host cannot be had: %s", text, from,
				 strerror(errno));
	return 0;
}

/* Whether the host would know where to send IPv6; sends nothing. */
static bool
host_has_ipv6(void)
{
	struct sockaddr_in6 far = { .sin6_family = AF_INET6, .sin6_port = htons(53) };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool yes;

	inet_pton(AF_INET6, "2000::1", &far.sin6_addr);
	yes = fd >= 0 && !connect(fd, (struct sockaddr *)&far, sizeof far);
	if (fd >= 0)
		close(fd);
	return yes;
}

static void
configure(SlirpConfig *config)
{
	*config = (SlirpConfig){ .version = 4, .in_enabled = true, .if_mtu = MTU, .if_mru = MTU };
	config->vnetwork.s_addr = htonl(0x0a000200);
	config->vnetmask.s_addr = htonl(0xffffff00);
	config->vhost.s_addr = htonl(0x0a000202);
	config->vnameserver.s_addr = htonl(0x0a000203);
	config->vdhcp_start.s_addr = htonl(0x0a00020f);
	config->vhostname = "isomorph";
	config->in6_enabled = host_has_ipv6();
	inet_pton(AF_INET6, "fec0::", &config->vprefix_addr6);
	config->vprefix_len = 64;
	inet_pton(AF_INET6, "fec0::2", &config->vhost6);
	inet_pton(AF_INET6, "fec0::3", &config->vnameserver6);
}

static void
user_close(struct net *net)
{
	struct user *u = (struct user *)net;

	if (u->slirp)
		slirp_cleanup(u->slirp);
}

static struct net *
user_open(const struct net_options *options, struct error *error)
{
	struct user *u = calloc(1, sizeof *u);
	SlirpConfig config;

	if (!u) {
		error_set(error, ENOMEM, "network: no memory");
		return NULL;
	}
	u->net.offload = NET_CHECKSUM;
	u->net.mtu = MTU;
	configure(&config);
	u->slirp = slirp_new(&config, &callbacks, u);
	if (!u->slirp)
		error_set(error, 0, "network: libslirp refused to start");
	for (unsigned i = 0; u->slirp && i < options->forwards; i++)
		if (add_forward(u, options->forward[i], error)) {
			user_close(&u->net);
			u->slirp = NULL;
		}
	if (u->slirp)
		return &u->net;
	free(u);
	return NULL;
}

const struct net_type net_user = { "user", user_open, user_watch, user_ready, user_send, NULL, user_close };

/* A TAP interface of the host: the kernel takes and gives virtio's header, so
 * checksums and segmentation are left to whoever can. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "backend/net/net_impl.h"

struct tap {
	struct net net;
	int fd;
	bool blocked; /* the last send was refused */
	uint8_t buffer[NET_HEADER + NET_FRAME_MAX];
};

static unsigned
tap_watch(struct net *net, struct pollfd *p, int *timeout, bool full)
{
	struct tap *t = (struct tap *)net;

	(void)timeout;
	*p = (struct pollfd){ t->fd, (short)((full ? 0 : POLLIN) | (t->blocked ? POLLOUT : 0)), 0 };
	return 1;
}

static void
tap_ready(struct net *net, const struct pollfd *p, unsigned count)
{
	struct tap *t = (struct tap *)net;

	(void)count;
	if (p->revents & POLLOUT)
		t->blocked = false;
	if (!(p->revents & POLLIN))
		return;
	for (unsigned i = 0; i < 64; i++) { /* then others have their turn */
		ssize_t size = read(t->fd, t->buffer, sizeof t->buffer);
		struct net_header header;

		if (size <= (ssize_t)NET_HEADER)
			return;
		memcpy(&header, t->buffer, sizeof header);
		net_received(net, &header, t->buffer + NET_HEADER, (size_t)size - NET_HEADER);
	}
}

static bool
tap_send(struct net *net, uint8_t *packet, size_t size)
{
	struct tap *t = (struct tap *)net;

	if (write(t->fd, packet, size) < 0 && errno == EAGAIN) {
		t->blocked = true;
		return false;
	}
	return true; /* what the kernel refuses is lost, as on a wire */
}

static void
tap_set_offload(struct net *net, unsigned offload)
{
	unsigned flags = 0;

	if (offload & NET_CHECKSUM)
		flags |= TUN_F_CSUM;
	if (offload & NET_TSO4)
		flags |= TUN_F_TSO4;
	if (offload & NET_TSO6)
		flags |= TUN_F_TSO6;
	if (offload & NET_ECN && flags & (TUN_F_TSO4 | TUN_F_TSO6))
		flags |= TUN_F_TSO_ECN;
	ioctl(((struct tap *)net)->fd, TUNSETOFFLOAD, flags);
}

static void
tap_close(struct net *net)
{
	close(((struct tap *)net)->fd);
}

static int
open_interface(const char *name, struct error *error)
{
	struct ifreq request = { 0 };
	int header = NET_HEADER, fd;

	if (!name || !*name || strlen(name) >= IFNAMSIZ)
		return error_set(error, 0, "network tap: needs the name of an interface (tap=INTERFACE)");
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_set(error, errno, "network tap: /dev/net/tun: %s", strerror(errno));
	text_format(request.ifr_name, sizeof request.ifr_name, "%s", name);
	request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	if (!ioctl(fd, TUNSETIFF, &request) && !ioctl(fd, TUNSETVNETHDRSZ, &header))
		return fd;
	error_set(error, errno,
		  "network tap: interface %s: %s (make it with: ip tuntap add %s mode tap user $USER)", name,
		  strerror(errno), name);
	close(fd);
	return -1;
}

static struct net *
tap_open(const struct net_options *options, struct error *error)
{
	struct tap *t = calloc(1, sizeof *t);

	if (!t) {
		error_set(error, ENOMEM, "network: no memory");
		return NULL;
	}
	t->fd = open_interface(options->name, error);
	if (t->fd < 0) {
		free(t);
		return NULL;
	}
	t->net.offload = NET_CHECKSUM | NET_TSO4 | NET_TSO6 | NET_ECN;
	tap_set_offload(&t->net, 0);
	return &t->net;
}

const struct net_type net_tap = { "tap", tap_open, tap_watch, tap_ready, tap_send, tap_set_offload, tap_close };

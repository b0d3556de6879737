/* backend/net/: the host's ends of network cards.
 *
 *     user     a NAT in this process (libslirp): DHCP, DNS, outgoing TCP and UDP,
 *              forwarded ports; needs no rights
 *     tap      a TAP interface of the host
 *     switch   a folder of sockets, one a machine: whoever opens the same folder
 *              is on the same Ethernet
 *
 * A packet is an Ethernet frame after a struct net_header, which is virtio's (virtio
 * 5.1.6): who sends may leave checksums, and with some backends segmentation, to
 * the other side.
 *
 * Threading: each backend has a thread, which does all host I/O. The calls are made
 * under the device lock, and the client's callbacks under it on that thread, unless
 * said otherwise.
 */
#ifndef BACKEND_NET_NET_H
#define BACKEND_NET_NET_H

#include <pthread.h>
#include <sys/uio.h>

#include "base/base.h"

#define NET_FRAME_MAX 65550u /* bytes of a frame */

/* Little-endian, as in the guest's memory. */
struct net_header {
	uint8_t flags, gso_type;
	uint16_t header_size, gso_size, checksum_start, checksum_offset, buffers;
};
enum net_flag { NET_NEEDS_CHECKSUM = 1, NET_CHECKED = 2 };
enum net_gso { NET_GSO_NONE = 0, NET_GSO_TCP4 = 1, NET_GSO_TCP6 = 4, NET_GSO_ECN = 0x80 };

/* What one side can leave to the other. */
enum net_offload { NET_CHECKSUM = 1, NET_TSO4 = 2, NET_TSO6 = 4, NET_ECN = 8 };

struct net;

struct net_options {
	const char *kind;    /* "user", "tap", "switch" */
	const char *name;    /* tap: interface; switch: folder */
	uint8_t mac[6];      /* of the card */
	const char *const *forward; /* user: "tcp:8080:80", "udp:127.0.0.1:53:53" */
	unsigned forwards;
	pthread_mutex_t *lock; /* the device lock, borrowed */
};

struct net_client {
	/* A packet from outside: header and frame, size bytes in all. False: there
	 * is no room; it comes again after net_resume. */
	bool (*receive)(void *owner, const uint8_t *packet, size_t size);
	/* net_send, which refused a packet, takes some again. */
	void (*writable)(void *owner);
	void *owner;
};

/* NULL: *error says what is wrong. */
struct net *net_open(const struct net_options *options, struct error *error);
/* Starts the traffic. The client is copied. */
int net_start(struct net *net, const struct net_client *client, struct error *error);
/* The device lock is not held. */
void net_close(struct net *net);

/* What may be left to the backend in packets sent, and the largest frame without
 * its header of 14 bytes that makes sense (MTU); 0: nothing is known. */
unsigned net_offload(const struct net *net);
unsigned net_mtu(const struct net *net);
/* What the guest takes in packets received: enum net_offload bits. */
void net_set_offload(struct net *net, unsigned offload);

/* Copies a packet of size bytes. False: too many are under way; nothing is taken.
 * After the last of several, net_flush. */
bool net_send(struct net *net, const struct iovec *packet, unsigned segments, size_t size);
void net_flush(struct net *net);
/* The client has room again. */
void net_resume(struct net *net);

#endif

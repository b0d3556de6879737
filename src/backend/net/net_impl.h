/* Private to backend/net/: a backend's thread and the queues on both sides of it.
 *
 * Sent packets wait in `out` for the thread, received ones in `in` for the client.
 * `lock` guards both and is taken last, for moments; `in` is emptied under the
 * device lock alone, so packets keep their order.
 */
#ifndef BACKEND_NET_NET_IMPL_H
#define BACKEND_NET_NET_IMPL_H

#include <poll.h>

#include "backend/net/net.h"

#define NET_HEADER sizeof(struct net_header)
#define NET_OUT_MOST 512u /* packets that wait, at most */
#define NET_IN_MOST 2048u
#define NET_DESCRIPTORS 1024u

struct net_packet {
	struct net_packet *next;
	size_t size; /* header and frame */
	uint8_t data[];
};

struct net_list {
	struct net_packet *first, **last;
	unsigned count;
};

/* What a kind of backend does; all on its thread but open. */
struct net_type {
	const char *name;
	struct net *(*open)(const struct net_options *options, struct error *error);
	/* Adds descriptors to watch at p (room for NET_DESCRIPTORS), returns how
	 * many; may shorten *timeout (milliseconds, -1: none). full: no more
	 * packets are wanted now. */
	unsigned (*watch)(struct net *net, struct pollfd *p, int *timeout, bool full);
	/* Takes in what is ready: net_received for each packet. */
	void (*ready)(struct net *net, const struct pollfd *p, unsigned count);
	/* Sends one. False: the host takes no more now (watch for it). */
	bool (*send)(struct net *net, uint8_t *packet, size_t size);
	void (*set_offload)(struct net *net, unsigned offload); /* under the device lock; or NULL */
	void (*close)(struct net *net);
};

extern const struct net_type net_user, net_tap, net_switch;

/* First member of each kind's struct. */
struct net {
	const struct net_type *type;
	struct net_client client;
	pthread_mutex_t *device_lock;
	pthread_mutex_t lock;
	pthread_t thread;
	bool running, ending;
	int wake;              /* eventfd */
	unsigned offload, mtu;
	unsigned guest_offload; /* what the guest takes; atomic */
	bool refused;          /* net_send refused one */
	struct net_list out, in;
};

/* The frame of a packet that came from outside; the backend's thread only. */
void net_received(struct net *net, const struct net_header *header, const uint8_t *frame, size_t size);
/* Computes the checksum that the header leaves open; false: the header lies. */
bool net_finish_checksum(struct net_header *header, uint8_t *frame, size_t size);

#endif

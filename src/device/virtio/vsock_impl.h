/* Private to the virtio socket: connections, and the two sides of them. vsock.c
 * speaks with the guest, vsock_host.c with Unix sockets. */
#ifndef DEVICE_VIRTIO_VSOCK_IMPL_H
#define DEVICE_VIRTIO_VSOCK_IMPL_H

#include "device/virtio/virtio_impl.h"

#define CONNECTIONS 64u
#define RESETS 64u
#define CONNECTION_ROOM 262144u /* bytes that the guest may send ahead */
#define VSOCK_HEADER 44u
#define VSOCK_HOST 2u           /* the host's address */
#define VSOCK_STREAM 1u
#define VSOCK_MOST 65536u       /* bytes of data in a packet to the guest */
#define VSOCK_PATH 100u

/* virtio 5.10.6 */
enum vsock_op { VSOCK_REQUEST = 1, VSOCK_RESPONSE, VSOCK_RST, VSOCK_SHUTDOWN, VSOCK_RW, VSOCK_CREDIT_UPDATE,
		VSOCK_CREDIT_REQUEST };
enum vsock_shutdown { VSOCK_NO_RECEIVE = 1, VSOCK_NO_SEND = 2 };

struct vsock_packet {
	uint64_t from, to;
	uint32_t from_port, to_port, size;
	uint16_t op;
	uint32_t flags, room, taken; /* room, taken: the sender's credit for data */
};

enum connection_state { UNUSED, GREETING /* "CONNECT PORT" is awaited */, CONNECTING, CONNECTED };

struct connection {
	struct vsock *vsock;
	enum connection_state state;
	int fd;
	struct event *event;
	uint32_t host_port, guest_port;
	bool opened_by_guest;
	bool owes_answer, owes_credit;
	bool readable;         /* the host's side has data, or has ended */
	bool ended;            /* the host's side sends no more */
	bool guest_sends_none, guest_takes_none;
	uint32_t guest_room, guest_taken, sent; /* credit for what goes to the guest */
	uint32_t taken;        /* bytes that the host's side took, in all */
	uint32_t told;         /* of them the guest knows */
	size_t kept;           /* bytes at data that the host's side did not take yet */
	uint8_t *data;         /* CONNECTION_ROOM bytes */
	char greeting[32];
	unsigned greeted;
};

struct vsock {
	struct virtio_device virtio;
	uint64_t cid;
	char path[VSOCK_PATH];
	int listener;
	struct event *listening;
	bool restored;         /* the guest must be told that connections are gone */
	uint32_t next_port;    /* for connections that the host opens */
	struct connection connection[CONNECTIONS];
	struct vsock_packet reset[RESETS];
	unsigned resets;
};

/* vsock.c */
struct vsock *vsock_of(struct virtio_device *device);
void vsock_pump(struct vsock *v);
/* The guest gets a reset for it. */
void vsock_refuse(struct vsock *v, const struct connection *c);

/* vsock_host.c */
int vsock_listen(struct vsock *v, const char *path, struct error *error);
void vsock_unlisten(struct vsock *v);
struct connection *vsock_find(struct vsock *v, uint32_t host_port, uint32_t guest_port);
/* A guest's connection to a port of the host; NULL: nobody is there. */
struct connection *vsock_connect_host(struct vsock *v, uint32_t host_port, uint32_t guest_port);
/* The guest has accepted the host's connection. */
void vsock_accepted(struct vsock *v, struct connection *c);
/* size bytes after the header of the chain. */
void vsock_to_host(struct vsock *v, struct connection *c, const struct virtio_chain *chain, uint32_t size);
/* The guest has ended one of its directions. */
void vsock_shut(struct vsock *v, struct connection *c);
void vsock_watch(struct connection *c);
void vsock_close(struct connection *c);
void vsock_close_all(struct vsock *v);

#endif

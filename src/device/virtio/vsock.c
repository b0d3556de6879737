/* virtio socket (virtio 5.10): queue 0 takes packets to the guest, queue 1 those from
 * it, queue 2 events. Packets to the guest are made when it has a buffer for them:
 * each connection notes what it owes (an answer, credit, data), resets for
 * connections that are no more are in a short list. */
#include "device/virtio/vsock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device/virtio/vsock_impl.h"

enum queue { RX, TX, EVENT, QUEUES };

struct vsock *
vsock_of(struct virtio_device *device)
{
	return (struct vsock *)device;
}

/* ---- to the guest -------------------------------------------------------------------- */

static void
put_header(uint8_t *p, const struct vsock_packet *h)
{
	put64(p, h->from);
	put64(p + 8, h->to);
	put32(p + 16, h->from_port);
	put32(p + 20, h->to_port);
	put32(p + 24, h->size);
	put16(p + 28, VSOCK_STREAM);
	put16(p + 30, h->op);
	put32(p + 32, h->flags);
	put32(p + 36, h->room);
	put32(p + 40, h->taken);
}

/* A buffer of the guest's for a packet; false: there is none. */
static bool
take_buffer(struct vsock *v, struct virtio_chain *chain)
{
	if (!virtqueue_pop(&v->virtio.queue[RX], chain))
		return false;
	if (chain->in_size > VSOCK_HEADER)
		return true;
	virtio_broken(&v->virtio, "queue 0: a buffer of %llu bytes, too small for a packet",
		      (unsigned long long)chain->in_size);
	return false;
}

static void
give_packet(struct vsock *v, const struct virtio_chain *chain, const struct vsock_packet *h)
{
	uint8_t bytes[VSOCK_HEADER];

	put_header(bytes, h);
	virtio_chain_write(chain, 0, bytes, sizeof bytes);
	virtqueue_push(&v->virtio.queue[RX], chain, VSOCK_HEADER + h->size);
}

static struct vsock_packet
packet_of(const struct vsock *v, const struct connection *c, uint16_t op)
{
	return (struct vsock_packet){ .from = VSOCK_HOST, .to = v->cid, .from_port = c->host_port, .to_port = c->guest_port,
				      .op = op, .room = CONNECTION_ROOM, .taken = c->taken };
}

/* Reads from the host straight into the chain. False: nothing came. */
static bool
give_data(struct vsock *v, struct connection *c, const struct virtio_chain *chain)
{
	struct iovec part[VIRTIO_SEGMENTS];
	uint64_t room = chain->in_size - VSOCK_HEADER, size;
	uint32_t credit = c->guest_room - (c->sent - c->guest_taken);
	struct vsock_packet h = packet_of(v, c, VSOCK_RW);
	unsigned parts;
	ssize_t n;

	room = room < credit ? room : credit;
	room = room < VSOCK_MOST ? room : VSOCK_MOST;
	parts = virtio_cut(chain->segment + chain->out, chain->in, VSOCK_HEADER, room, part, &size);
	n = readv(c->fd, part, (int)(parts < 64 ? parts : 64));
	if (n > 0) {
		h.size = (uint32_t)n;
		c->sent += (uint32_t)n;
		give_packet(v, chain, &h);
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		c->readable = false;
		return false;
	}
	c->readable = false;
	c->ended = true; /* the host's program sends no more */
	h = packet_of(v, c, VSOCK_SHUTDOWN);
	h.flags = n < 0 ? VSOCK_NO_SEND | VSOCK_NO_RECEIVE : VSOCK_NO_SEND;
	give_packet(v, chain, &h);
	return true;
}

/* What a connection owes, one packet. False: nothing now. */
static bool
give_owed(struct vsock *v, struct connection *c, const struct virtio_chain *chain)
{
	struct vsock_packet h;

	if (c->owes_answer) {
		c->owes_answer = false;
		h = packet_of(v, c, c->opened_by_guest ? VSOCK_RESPONSE : VSOCK_REQUEST);
		give_packet(v, chain, &h);
		return true;
	}
	if (c->owes_credit) {
		c->owes_credit = false;
		h = packet_of(v, c, VSOCK_CREDIT_UPDATE);
		give_packet(v, chain, &h);
		return true;
	}
	if (c->state == CONNECTED && c->readable && !c->ended && !c->guest_takes_none &&
	    c->guest_room - (c->sent - c->guest_taken) && c->guest_room >= c->sent - c->guest_taken)
		return give_data(v, c, chain);
	return false;
}

static bool
wants_packet(const struct connection *c)
{
	return c->owes_answer || c->owes_credit ||
	       (c->state == CONNECTED && c->readable && !c->ended && !c->guest_takes_none &&
		c->guest_room > c->sent - c->guest_taken);
}

/* Fills the guest's buffers with what there is; each connection in turn. */
void
vsock_pump(struct vsock *v)
{
	struct virtio_chain chain;
	bool any = true;

	while (v->resets && take_buffer(v, &chain))
		give_packet(v, &chain, &v->reset[--v->resets]);
	while (any && virtio_live(&v->virtio)) {
		any = false;
		for (unsigned i = 0; i < CONNECTIONS; i++) {
			struct connection *c = &v->connection[i];

			if (c->state == UNUSED || !wants_packet(c) || !take_buffer(v, &chain))
				continue;
			if (give_owed(v, c, &chain))
				any = true;
			else
				virtqueue_unpop(&v->virtio.queue[RX], &chain);
		}
	}
	for (unsigned i = 0; i < CONNECTIONS; i++)
		if (v->connection[i].state != UNUSED)
			vsock_watch(&v->connection[i]);
	virtqueue_signal(&v->virtio.queue[RX]);
}

static void
reset_packet(struct vsock *v, uint32_t host_port, uint32_t guest_port)
{
	if (v->resets < RESETS)
		v->reset[v->resets++] = (struct vsock_packet){ .from = VSOCK_HOST, .to = v->cid, .from_port = host_port,
							       .to_port = guest_port, .op = VSOCK_RST };
}

void
vsock_refuse(struct vsock *v, const struct connection *c)
{
	reset_packet(v, c->host_port, c->guest_port);
}

/* ---- from the guest --------------------------------------------------------------------- */

static void
request(struct vsock *v, const struct vsock_packet *h)
{
	struct connection *c = vsock_connect_host(v, h->to_port, h->from_port);

	if (!c) {
		reset_packet(v, h->to_port, h->from_port);
		return;
	}
	c->guest_room = h->room;
	c->guest_taken = h->taken;
	c->owes_answer = true;
}

static void
established(struct vsock *v, struct connection *c, const struct vsock_packet *h, const struct virtio_chain *chain)
{
	switch (h->op) {
	case VSOCK_RESPONSE:
		if (c->state == CONNECTING && !c->opened_by_guest)
			vsock_accepted(v, c);
		break;
	case VSOCK_RW: vsock_to_host(v, c, chain, h->size); break;
	case VSOCK_CREDIT_REQUEST: c->owes_credit = true; break;
	case VSOCK_CREDIT_UPDATE: break;
	case VSOCK_SHUTDOWN:
		if (h->flags & VSOCK_NO_RECEIVE)
			c->guest_takes_none = true;
		if (h->flags & VSOCK_NO_SEND)
			c->guest_sends_none = true;
		vsock_shut(v, c);
		break;
	case VSOCK_RST: vsock_close(c); break;
	default:
		vsock_refuse(v, c);
		vsock_close(c);
		break;
	}
}

static void
from_guest(struct vsock *v, const struct virtio_chain *chain)
{
	uint8_t p[VSOCK_HEADER];
	struct vsock_packet h;
	struct connection *c;

	if (virtio_chain_read(chain, 0, p, sizeof p) < sizeof p)
		return;
	h = (struct vsock_packet){ get64(p),	  get64(p + 8),	 get32(p + 16), get32(p + 20), get32(p + 24),
				   get16(p + 30), get32(p + 32), get32(p + 36), get32(p + 40) };
	if (h.from != v->cid || h.to != VSOCK_HOST || get16(p + 28) != VSOCK_STREAM ||
	    h.size > chain->out_size - VSOCK_HEADER) {
		reset_packet(v, h.to_port, h.from_port);
		return;
	}
	c = vsock_find(v, h.to_port, h.from_port);
	if (c) {
		c->guest_room = h.room;
		c->guest_taken = h.taken;
		established(v, c, &h, chain);
	} else if (h.op == VSOCK_REQUEST) {
		request(v, &h);
	} else if (h.op != VSOCK_RST) {
		reset_packet(v, h.to_port, h.from_port);
	}
}

static void
transmit(struct vsock *v, struct virtqueue *queue)
{
	struct virtio_chain chain;

	/* While nobody takes the resets that are due, the guest waits too. */
	while (v->resets < RESETS && virtqueue_pop(queue, &chain)) {
		from_guest(v, &chain);
		virtqueue_push(queue, &chain, 0);
	}
	virtqueue_signal(queue);
}

static void
tell_restored(struct vsock *v)
{
	struct virtio_chain chain;
	uint8_t event[4] = { 0 }; /* VIRTIO_VSOCK_EVENT_TRANSPORT_RESET */

	if (!v->restored || !virtqueue_pop(&v->virtio.queue[EVENT], &chain))
		return;
	v->restored = false;
	virtqueue_push(&v->virtio.queue[EVENT], &chain, (uint32_t)virtio_chain_write(&chain, 0, event, sizeof event));
	virtqueue_signal(&v->virtio.queue[EVENT]);
}

static void
vsock_notify(struct virtio_device *device, struct virtqueue *queue)
{
	struct vsock *v = vsock_of(device);

	if (queue->index == TX || queue->index == RX) {
		if (queue->index == RX)
			vsock_pump(v);
		transmit(v, &device->queue[TX]);
		vsock_pump(v);
	} else {
		tell_restored(v);
	}
}

static void
vsock_config(struct virtio_device *device, uint8_t *config)
{
	put64(config, vsock_of(device)->cid);
}

static void
vsock_reset(struct virtio_device *device)
{
	struct vsock *v = vsock_of(device);

	vsock_close_all(v);
	v->resets = 0;
	v->restored = false;
}

static void
vsock_state(struct virtio_device *device, struct state *s)
{
	struct vsock *v = vsock_of(device);
	uint64_t cid = v->cid;

	state_u64(s, "cid", &cid);
	if (state_way(s) == STATE_RESTORE) {
		state_check(s, cid == v->cid, "a vsock device with another address");
		v->restored = true;
	}
}

static void
vsock_free(struct virtio_device *device)
{
	struct vsock *v = vsock_of(device);

	pthread_mutex_lock(device->host.lock);
	vsock_close_all(v);
	vsock_unlisten(v);
	pthread_mutex_unlock(device->host.lock);
}

static const struct virtio_class vsock_class = {
	.type = VIRTIO_TYPE("virtio-vsock", 1),
	.id = 19,
	.config_size = 8,
	.reset = vsock_reset,
	.notify = vsock_notify,
	.config = vsock_config,
	.state = vsock_state,
	.free = vsock_free,
};

struct virtio_device *
virtio_vsock_new(const struct virtio_host *host, const char *name, uint32_t cid, const char *path, struct error *error)
{
	struct vsock *v;

	if (cid < 3 || cid == UINT32_MAX) {
		error_set(error, 0, "vsock: a guest's address is 3 or more, not %u", cid);
		return NULL;
	}
	v = virtio_new(&vsock_class, sizeof *v, host, name, 0, QUEUES, 128);
	if (!v) {
		error_set(error, 0, "%s: no memory", name);
		return NULL;
	}
	v->cid = cid;
	v->listener = -1;
	if (!vsock_listen(v, path, error))
		return &v->virtio;
	virtio_free(&v->virtio.device);
	return NULL;
}

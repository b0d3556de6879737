/* virtio network card (virtio 5.1): queue 0 receives, queue 1 sends, queue 2 takes
 * commands. Checksums are always left to us, segmentation where the backend can.
 * A received packet may be spread over several chains (merged buffers). */
#include "device/virtio/net.h"

#include "device/virtio/virtio_impl.h"

enum feature { CSUM = 0, GUEST_CSUM = 1, MTU = 3, MAC = 5, GUEST_TSO4 = 7, GUEST_TSO6 = 8, GUEST_ECN = 9, HOST_TSO4 = 11,
	       HOST_TSO6 = 12, HOST_ECN = 13, MRG_RXBUF = 15, STATUS = 16, CTRL_VQ = 17, GUEST_ANNOUNCE = 21,
	       CTRL_MAC_ADDR = 23 };
enum config { C_MAC = 0, C_STATUS = 6, C_PAIRS = 8, C_MTU = 10, C_SIZE = 12 };
enum status { LINK_UP = 1, ANNOUNCE = 2 };
enum queue { RECEIVE, SEND, CONTROL, QUEUES };
enum control { CONTROL_MAC = 1, MAC_ADDR_SET = 1, CONTROL_ANNOUNCE = 3, ANNOUNCE_ACK = 0 };
#define HEADER 12u
#define BUFFERS_AT 10u /* in the header: num_buffers */

struct card {
	struct virtio_device virtio;
	struct net *net;
	uint8_t mac[6], first_mac[6];
	bool link, announce;
};

static struct card *
card(struct virtio_device *device)
{
	return (struct card *)device;
}

/* ---- receiving ------------------------------------------------------------------- */

static void
set_buffers(struct card *c, const struct virtio_chain *first, uint16_t buffers)
{
	uint8_t bytes[2];

	put16(bytes, buffers);
	virtio_chain_write(first, BUFFERS_AT, bytes, 2);
	memory_touched(c->virtio.host.memory, first->address[first->out],
		       first->segment[first->out].iov_len < HEADER ? first->segment[first->out].iov_len : HEADER);
}

/* Spreads the packet over as many chains as it needs. False: there are too few. */
static bool
receive_merged(struct card *c, const uint8_t *packet, size_t size)
{
	struct virtqueue *queue = &c->virtio.queue[RECEIVE];
	struct virtio_chain first, next, *chain = &first;
	uint16_t buffers = 0;
	size_t done = 0;

	while (done < size) {
		size_t part;

		if (!virtqueue_pop(queue, chain)) {
			virtqueue_abandon(queue);
			return c->virtio.status & VIRTIO_NEEDS_RESET;
		}
		part = virtio_chain_write(chain, 0, packet + done, size - done);
		if (!part || (!buffers && part < HEADER)) {
			virtio_broken(&c->virtio, "queue 0: a buffer for packets without room");
			return true;
		}
		done += part;
		virtqueue_push_later(queue, chain, (uint32_t)part);
		buffers++;
		chain = &next;
	}
	if (buffers)
		set_buffers(c, &first, buffers);
	virtqueue_publish(queue);
	return true;
}

static bool
receive_whole(struct card *c, const uint8_t *packet, size_t size)
{
	struct virtqueue *queue = &c->virtio.queue[RECEIVE];
	struct virtio_chain chain;

	if (!virtqueue_pop(queue, &chain))
		return c->virtio.status & VIRTIO_NEEDS_RESET;
	if (chain.in_size < size) { /* too long for this guest: lost */
		virtqueue_unpop(queue, &chain);
		return true;
	}
	virtio_chain_write(&chain, 0, packet, size);
	virtqueue_push(queue, &chain, (uint32_t)size);
	return true;
}

static bool
receive(void *owner, const uint8_t *packet, size_t size)
{
	struct card *c = owner;
	bool taken;

	if (c->virtio.stopped)
		return false;
	if (!virtio_live(&c->virtio) || !c->virtio.queue[RECEIVE].ready || !c->link)
		return true; /* lost, as with a card that is off */
	taken = virtio_has(&c->virtio, MRG_RXBUF) ? receive_merged(c, packet, size) : receive_whole(c, packet, size);
	virtqueue_signal(&c->virtio.queue[RECEIVE]);
	return taken;
}

/* ---- sending ------------------------------------------------------------------------ */

static void
transmit(void *owner)
{
	struct card *c = owner;
	struct virtqueue *queue = &c->virtio.queue[SEND];
	struct virtio_chain chain;
	bool any = false;

	while (virtqueue_pop(queue, &chain)) {
		if (c->link && !net_send(c->net, chain.segment, chain.out, chain.out_size)) {
			virtqueue_unpop(queue, &chain); /* until it calls again */
			break;
		}
		virtqueue_push(queue, &chain, 0);
		any = true;
	}
	if (!any)
		return;
	virtqueue_signal(queue);
	net_flush(c->net);
}

/* ---- commands ------------------------------------------------------------------------- */

static uint8_t
command(struct card *c, const struct virtio_chain *chain)
{
	uint8_t bytes[8];
	size_t size = virtio_chain_read(chain, 0, bytes, sizeof bytes);

	if (size < 2)
		return 1;
	if (bytes[0] == CONTROL_MAC && bytes[1] == MAC_ADDR_SET && size == 8) {
		memcpy(c->mac, bytes + 2, 6);
		return 0;
	}
	if (bytes[0] == CONTROL_ANNOUNCE && bytes[1] == ANNOUNCE_ACK && c->announce) {
		c->announce = false;
		return 0;
	}
	return 1;
}

static void
control(struct card *c, struct virtqueue *queue)
{
	struct virtio_chain chain;

	while (virtqueue_pop(queue, &chain)) {
		uint8_t ack = command(c, &chain);

		virtqueue_push(queue, &chain, (uint32_t)virtio_chain_write(&chain, 0, &ack, 1));
	}
	virtqueue_signal(queue);
}

static void
card_notify(struct virtio_device *device, struct virtqueue *queue)
{
	switch ((enum queue)queue->index) {
	case RECEIVE: net_resume(card(device)->net); break;
	case SEND: transmit(card(device)); break;
	case CONTROL: control(card(device), queue); break;
	case QUEUES: break;
	}
}

/* ---- configuration ------------------------------------------------------------------- */

static void
card_config(struct virtio_device *device, uint8_t *config)
{
	struct card *c = card(device);

	memcpy(config + C_MAC, c->mac, 6);
	put16(config + C_STATUS, (uint16_t)((c->link ? LINK_UP : 0) | (c->announce ? ANNOUNCE : 0)));
	put16(config + C_PAIRS, 1);
	put16(config + C_MTU, (uint16_t)net_mtu(c->net));
}

static void
card_accepted(struct virtio_device *device)
{
	unsigned offload = 0;

	if (virtio_has(device, GUEST_CSUM)) {
		offload |= NET_CHECKSUM;
		offload |= virtio_has(device, GUEST_TSO4) ? NET_TSO4 : 0;
		offload |= virtio_has(device, GUEST_TSO6) ? NET_TSO6 : 0;
		offload |= virtio_has(device, GUEST_ECN) ? NET_ECN : 0;
	}
	net_set_offload(card(device)->net, offload);
}

void
virtio_net_set_link(struct virtio_device *device, bool up)
{
	if (card(device)->link == up)
		return;
	card(device)->link = up;
	if (virtio_has(device, STATUS))
		virtio_config_changed(device);
}

void
virtio_net_announce(struct virtio_device *device)
{
	if (!virtio_has(device, GUEST_ANNOUNCE))
		return;
	card(device)->announce = true;
	virtio_config_changed(device);
}

/* ---- life ------------------------------------------------------------------------------ */

static void
card_reset(struct virtio_device *device)
{
	struct card *c = card(device);

	memcpy(c->mac, c->first_mac, 6);
	c->announce = false;
	net_set_offload(c->net, 0);
}

static void
card_resume(struct virtio_device *device)
{
	net_resume(card(device)->net);
}

static void
card_state(struct virtio_device *device, struct state *s)
{
	struct card *c = card(device);

	state_bytes(s, "mac", c->mac, sizeof c->mac);
	state_bool(s, "link", &c->link);
	state_bool(s, "announce", &c->announce);
}

static void
card_free(struct virtio_device *device)
{
	net_close(card(device)->net);
}

static const struct virtio_class card_class = {
	.type = VIRTIO_TYPE("virtio-net", 1),
	.id = 1,
	.config_size = C_SIZE,
	.reset = card_reset,
	.accepted = card_accepted,
	.notify = card_notify,
	.config = card_config,
	.state = card_state,
	.resume = card_resume,
	.free = card_free,
};

static uint64_t
features_of(const struct net *net)
{
	uint64_t features = VIRTIO_F(CSUM) | VIRTIO_F(GUEST_CSUM) | VIRTIO_F(MAC) | VIRTIO_F(MRG_RXBUF) |
			    VIRTIO_F(STATUS) | VIRTIO_F(CTRL_VQ) | VIRTIO_F(GUEST_ANNOUNCE) | VIRTIO_F(CTRL_MAC_ADDR);
	unsigned offload = net_offload(net);

	if (net_mtu(net))
		features |= VIRTIO_F(MTU);
	if (offload & NET_TSO4)
		features |= VIRTIO_F(GUEST_TSO4) | VIRTIO_F(HOST_TSO4);
	if (offload & NET_TSO6)
		features |= VIRTIO_F(GUEST_TSO6) | VIRTIO_F(HOST_TSO6);
	if (offload & NET_ECN)
		features |= VIRTIO_F(GUEST_ECN) | VIRTIO_F(HOST_ECN);
	return features;
}

struct virtio_device *
virtio_net_new(const struct virtio_host *host, const char *name, struct net *net, const uint8_t mac[6],
	       struct error *error)
{
	struct card *c = virtio_new(&card_class, sizeof *c, host, name, features_of(net), QUEUES, VIRTQUEUE_SIZE);
	struct net_client client = { receive, transmit, c };

	if (!c) {
		net_close(net);
		error_set(error, 0, "%s: no memory", name);
		return NULL;
	}
	c->net = net;
	memcpy(c->mac, mac, 6);
	memcpy(c->first_mac, mac, 6);
	c->link = true;
	if (!net_start(net, &client, error))
		return &c->virtio;
	virtio_free(&c->virtio.device);
	return NULL;
}

void
virtio_net_make_mac(const char *machine, unsigned number, uint8_t mac[6])
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (const char *p = machine ? machine : ""; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619u;
	hash += number;
	mac[0] = 0x52;
	mac[1] = 0x54;
	put32(mac + 2, hash);
}

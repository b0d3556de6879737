/* The thread of a network backend, and the packets that wait on either side. */
#include "backend/net/net.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backend/net/net_impl.h"

static const struct net_type *const types[] = { &net_user, &net_tap, &net_switch };

/* ---- lists ---------------------------------------------------------------------- */

static void
list_init(struct net_list *list)
{
	*list = (struct net_list){ .last = &list->first };
}

static void
list_add(struct net_list *list, struct net_packet *packet)
{
	packet->next = NULL;
	*list->last = packet;
	list->last = &packet->next;
	list->count++;
}

static void
list_drop_first(struct net_list *list)
{
	struct net_packet *packet = list->first;

	list->first = packet->next;
	if (!list->first)
		list->last = &list->first;
	list->count--;
	free(packet);
}

static struct net_packet *
packet_new(size_t size)
{
	struct net_packet *packet = malloc(sizeof *packet + size);

	if (packet)
		packet->size = size;
	return packet;
}

/* The first packet of a list, as others may add to it meanwhile. */
static struct net_packet *
first_of(struct net *net, const struct net_list *list)
{
	struct net_packet *packet;

	pthread_mutex_lock(&net->lock);
	packet = list->first;
	pthread_mutex_unlock(&net->lock);
	return packet;
}

static void
drop_first(struct net *net, struct net_list *list)
{
	pthread_mutex_lock(&net->lock);
	list_drop_first(list);
	pthread_mutex_unlock(&net->lock);
}

/* ---- checksums -------------------------------------------------------------------- */

static uint16_t
ones_sum(const uint8_t *data, size_t size)
{
	uint64_t sum = 0;

	for (; size >= 4; data += 4, size -= 4) {
		uint32_t word;

		memcpy(&word, data, 4);
		sum += word;
	}
	if (size) {
		uint32_t word = 0;

		memcpy(&word, data, size);
		sum += word;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

bool
net_finish_checksum(struct net_header *header, uint8_t *frame, size_t size)
{
	size_t start = header->checksum_start, at = start + header->checksum_offset;
	uint16_t sum;

	if (!(header->flags & NET_NEEDS_CHECKSUM))
		return true;
	if (start >= size || at + 2 > size)
		return false;
	/* The field holds the sum of what comes before (the pseudo header). */
	sum = (uint16_t)~ones_sum(frame + start, size - start);
	sum = sum ? sum : 0xffff;
	memcpy(frame + at, &sum, 2);
	header->flags = NET_CHECKED;
	return true;
}

/* ---- received ------------------------------------------------------------------------ */

void
net_received(struct net *net, const struct net_header *header, const uint8_t *frame, size_t size)
{
	struct net_packet *packet;
	struct net_header copy = *header;

	if (size > NET_FRAME_MAX || size < 14)
		return;
	packet = packet_new(NET_HEADER + size);
	if (!packet)
		return;
	memcpy(packet->data + NET_HEADER, frame, size);
	if (!(__atomic_load_n(&net->guest_offload, __ATOMIC_RELAXED) & NET_CHECKSUM)) {
		if (!net_finish_checksum(&copy, packet->data + NET_HEADER, size)) {
			free(packet);
			return;
		}
		copy.flags = 0;
	}
	copy.buffers = 1;
	memcpy(packet->data, &copy, sizeof copy);
	pthread_mutex_lock(&net->lock);
	if (net->in.count < NET_IN_MOST) {
		list_add(&net->in, packet);
		packet = NULL;
	}
	pthread_mutex_unlock(&net->lock);
	free(packet); /* as a card does that nobody empties */
}

/* Hands over what the client takes. The device lock is held. */
static void
deliver(struct net *net)
{
	struct net_packet *packet;

	while ((packet = first_of(net, &net->in)) && net->client.receive(net->client.owner, packet->data, packet->size))
		drop_first(net, &net->in);
}

void
net_resume(struct net *net)
{
	bool was_full;

	pthread_mutex_lock(&net->lock);
	was_full = net->in.count >= NET_IN_MOST / 2;
	pthread_mutex_unlock(&net->lock);
	deliver(net);
	if (was_full)
		net_flush(net);
}

/* ---- sent ----------------------------------------------------------------------------- */

bool
net_send(struct net *net, const struct iovec *segment, unsigned segments, size_t size)
{
	struct net_packet *packet;
	size_t done = 0;
	bool full;

	pthread_mutex_lock(&net->lock);
	full = net->out.count >= NET_OUT_MOST;
	net->refused |= full;
	pthread_mutex_unlock(&net->lock);
	if (full)
		return false;
	if (size > NET_HEADER + NET_FRAME_MAX || size < NET_HEADER + 14)
		return true; /* no frame: lost */
	packet = packet_new(size);
	if (!packet)
		return true;
	for (unsigned i = 0; i < segments && done < size; i++) {
		size_t part = segment[i].iov_len < size - done ? segment[i].iov_len : size - done;

		memcpy(packet->data + done, segment[i].iov_base, part);
		done += part;
	}
	packet->size = done;
	pthread_mutex_lock(&net->lock);
	list_add(&net->out, packet);
	pthread_mutex_unlock(&net->lock);
	return true;
}

void
net_flush(struct net *net)
{
	uint64_t one = 1;

	while (write(net->wake, &one, sizeof one) < 0 && errno == EINTR)
		;
}

static void
send_all(struct net *net)
{
	struct net_packet *packet;

	while ((packet = first_of(net, &net->out))) {
		if (packet->size >= NET_HEADER + 14 && !net->type->send(net, packet->data, packet->size))
			return;
		drop_first(net, &net->out);
	}
}

/* ---- the thread -------------------------------------------------------------------------- */

/* What the device is told under its lock, if there is anything. */
static void
tell(struct net *net)
{
	bool refused, received;

	pthread_mutex_lock(&net->lock);
	refused = net->refused && net->out.count < NET_OUT_MOST / 2;
	if (refused)
		net->refused = false;
	received = net->in.count;
	pthread_mutex_unlock(&net->lock);
	if (!refused && !received)
		return;
	pthread_mutex_lock(net->device_lock);
	if (refused)
		net->client.writable(net->client.owner);
	deliver(net);
	pthread_mutex_unlock(net->device_lock);
}

static void *
work(void *argument)
{
	struct net *net = argument;
	struct pollfd *p = calloc(NET_DESCRIPTORS + 1, sizeof *p);

	while (p && !__atomic_load_n(&net->ending, __ATOMIC_ACQUIRE)) {
		int timeout = -1;
		unsigned count;
		uint64_t drained;
		bool full;

		pthread_mutex_lock(&net->lock);
		full = net->in.count >= NET_IN_MOST / 2;
		pthread_mutex_unlock(&net->lock);
		p[0] = (struct pollfd){ net->wake, POLLIN, 0 };
		count = net->type->watch(net, p + 1, &timeout, full);
		if (poll(p, count + 1, timeout) < 0 && errno != EINTR)
			break;
		if (p[0].revents && read(net->wake, &drained, sizeof drained) < 0 && errno != EAGAIN)
			break;
		net->type->ready(net, p + 1, count);
		send_all(net);
		tell(net);
	}
	free(p);
	return NULL;
}

int
net_start(struct net *net, const struct net_client *client, struct error *error)
{
	sigset_t all, old;
	int failed;

	net->client = *client;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	failed = pthread_create(&net->thread, NULL, work, net);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (failed)
		return error_set(error, failed, "network: no thread: %s", strerror(failed));
	net->running = true;
	return 0;
}

/* ---- opening -------------------------------------------------------------------------------- */

struct net *
net_open(const struct net_options *options, struct error *error)
{
	const char *kind = options->kind ? options->kind : "user";

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct net *net;

		if (strcmp(kind, types[i]->name))
			continue;
		net = types[i]->open(options, error);
		if (!net)
			return NULL;
		net->type = types[i];
		net->device_lock = options->lock;
		pthread_mutex_init(&net->lock, NULL);
		list_init(&net->out);
		list_init(&net->in);
		net->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (net->wake >= 0)
			return net;
		error_set(error, errno, "network: %s", strerror(errno));
		net_close(net);
		return NULL;
	}
	error_set(error, 0, "network: unknown kind \"%s\" (user, tap, switch, none)", kind);
	return NULL;
}

void
net_close(struct net *net)
{
	if (!net)
		return;
	if (net->running) {
		__atomic_store_n(&net->ending, true, __ATOMIC_RELEASE);
		net_flush(net);
		pthread_join(net->thread, NULL);
	}
	while (net->out.first)
		list_drop_first(&net->out);
	while (net->in.first)
		list_drop_first(&net->in);
	if (net->wake >= 0)
		close(net->wake);
	pthread_mutex_destroy(&net->lock);
	net->type->close(net);
	free(net);
}

unsigned
net_offload(const struct net *net)
{
	return net->offload;
}

unsigned
net_mtu(const struct net *net)
{
	return net->mtu;
}

void
net_set_offload(struct net *net, unsigned offload)
{
	__atomic_store_n(&net->guest_offload, offload, __ATOMIC_RELAXED);
	if (net->type->set_offload)
		net->type->set_offload(net, offload);
}

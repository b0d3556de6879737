/* Queues whatever their ring: set-up, taking and giving back chains, and the
 * checks that every buffer passes. */
#include <stdlib.h>

#include "device/virtio/virtio_impl.h"

static bool
is_packed(const struct virtqueue *queue)
{
	return virtio_has(queue->device, VIRTIO_F_RING_PACKED);
}

/* ---- set-up ------------------------------------------------------------------ */

/* A ring's area in host memory if it is RAM and aligned, else NULL. */
static uint8_t *
map(struct virtqueue *queue, uint64_t address, uint64_t size, unsigned align)
{
	if (address % align)
		return NULL;
	return memory_ram(queue->device->host.memory, address, size, true);
}

static bool
map_rings(struct virtqueue *queue)
{
	bool packed = is_packed(queue);

	queue->host_descriptors = map(queue, queue->descriptors, (uint64_t)VIRTQ_DESCRIPTOR * queue->size, 16);
	queue->host_driver = map(queue, queue->driver, packed ? 4 : split_driver_size(queue), packed ? 4 : 2);
	queue->host_used = map(queue, queue->used, packed ? 4 : split_used_size(queue), 4);
	return queue->host_descriptors && queue->host_driver && queue->host_used;
}

static bool
size_good(const struct virtqueue *queue)
{
	if (!queue->size || queue->size > queue->max)
		return false;
	return is_packed(queue) || !(queue->size & (queue->size - 1));
}

/* Also after a restore: maps what the fields say. */
static bool
prepare(struct virtqueue *queue)
{
	if (!size_good(queue)) {
		virtio_broken(queue->device, "queue %u: a size of %u descriptors", queue->index, queue->size);
		return false;
	}
	if (!map_rings(queue)) {
		virtio_broken(queue->device, "queue %u: rings at %#llx, %#llx and %#llx, not aligned or not in RAM",
			      queue->index, (unsigned long long)queue->descriptors, (unsigned long long)queue->driver,
			      (unsigned long long)queue->used);
		return false;
	}
	return true;
}

void
virtqueue_set_ready(struct virtqueue *queue)
{
	if (queue->ready || queue->device->status & VIRTIO_NEEDS_RESET || !prepare(queue))
		return;
	queue->next = queue->used_next = queue->signalled = 0;
	queue->next_wrap = queue->used_wrap = true;
	queue->signalled_known = false;
	queue->ready = true;
}

void
virtqueue_reset(struct virtqueue *queue)
{
	struct virtio_device *device = queue->device;

	*queue = (struct virtqueue){ .device = device, .index = queue->index, .max = queue->max, .size = queue->max,
				     .vector = VIRTIO_NO_VECTOR };
}

void
virtqueue_state(struct virtqueue *queue, struct state *s)
{
	state_begin(s, "queue", 1);
	state_u16(s, "size", &queue->size);
	state_u16(s, "vector", &queue->vector);
	state_bool(s, "ready", &queue->ready);
	state_u64(s, "descriptors", &queue->descriptors);
	state_u64(s, "driver", &queue->driver);
	state_u64(s, "used", &queue->used);
	state_u16(s, "next", &queue->next);
	state_u16(s, "used_next", &queue->used_next);
	state_u16(s, "signalled", &queue->signalled);
	state_bool(s, "signalled_known", &queue->signalled_known);
	state_bool(s, "next_wrap", &queue->next_wrap);
	state_bool(s, "used_wrap", &queue->used_wrap);
	if (state_way(s) == STATE_RESTORE && queue->ready) {
		bool good = size_good(queue) && map_rings(queue);

		if (is_packed(queue))
			good = good && queue->next < queue->size && queue->used_next < queue->size &&
			       queue->signalled < queue->size;
		state_check(s, good, "a virtio queue of which size, rings or positions cannot be");
		queue->ready = good;
	}
	state_end(s);
}

/* ---- descriptors ------------------------------------------------------------- */

struct virtq_descriptor
virtq_descriptor(const uint8_t *table, unsigned n, bool packed)
{
	uint8_t copy[VIRTQ_DESCRIPTOR];
	struct virtq_descriptor d;

	memcpy(copy, table + (size_t)VIRTQ_DESCRIPTOR * n, sizeof copy);
	__atomic_signal_fence(__ATOMIC_SEQ_CST); /* from here on the copy */
	d.address = get64(copy);
	d.size = get32(copy + 8);
	d.flags = get16(copy + (packed ? 14 : 12));
	d.tail = get16(copy + (packed ? 12 : 14));
	return d;
}

bool
virtq_add(struct virtqueue *queue, struct virtio_chain *chain, const struct virtq_descriptor *d)
{
	unsigned n = chain->out + chain->in;
	uint64_t size = d->size;
	void *host;

	if (!size)
		return true;
	if (n == VIRTIO_SEGMENTS) {
		virtio_broken(queue->device, "queue %u: a chain of more than %u buffers", queue->index, VIRTIO_SEGMENTS);
		return false;
	}
	if (chain->in && !(d->flags & VIRTQ_WRITE)) {
		virtio_broken(queue->device, "queue %u: a readable buffer after a writable one", queue->index);
		return false;
	}
	host = memory_borrow(queue->device->host.memory, d->address, &size, d->flags & VIRTQ_WRITE);
	if (!host || size != d->size) {
		virtio_broken(queue->device, "queue %u: a buffer of %u bytes at %#llx, which is not RAM", queue->index,
			      d->size, (unsigned long long)d->address);
		return false;
	}
	chain->segment[n] = (struct iovec){ host, d->size };
	chain->address[n] = d->address;
	if (d->flags & VIRTQ_WRITE) {
		chain->in++;
		chain->in_size += d->size;
	} else {
		chain->out++;
		chain->out_size += d->size;
	}
	return true;
}

const uint8_t *
virtq_indirect(struct virtqueue *queue, const struct virtq_descriptor *d, unsigned *entries)
{
	uint64_t size = d->size;
	const uint8_t *table;

	if (!virtio_has(queue->device, VIRTIO_F_INDIRECT_DESC)) {
		virtio_broken(queue->device, "queue %u: an indirect descriptor without the feature", queue->index);
		return NULL;
	}
	table = memory_borrow(queue->device->host.memory, d->address, &size, false);
	if (!table || size != d->size || !size || size % VIRTQ_DESCRIPTOR || size > 65536u * VIRTQ_DESCRIPTOR) {
		virtio_broken(queue->device, "queue %u: an indirect table of %u bytes at %#llx", queue->index, d->size,
			      (unsigned long long)d->address);
		return NULL;
	}
	*entries = (unsigned)(size / VIRTQ_DESCRIPTOR);
	return table;
}

/* ---- chains ------------------------------------------------------------------- */

static bool
usable(const struct virtqueue *queue)
{
	return queue->ready && virtio_live(queue->device);
}

bool
virtqueue_waiting(struct virtqueue *queue)
{
	if (!usable(queue))
		return false;
	return is_packed(queue) ? packed_waiting(queue) : split_waiting(queue);
}

bool
virtqueue_pop(struct virtqueue *queue, struct virtio_chain *chain)
{
	if (!usable(queue))
		return false;
	chain->out = chain->in = 0;
	chain->out_size = chain->in_size = 0;
	return is_packed(queue) ? packed_pop(queue, chain) : split_pop(queue, chain);
}

static void
unpop(struct virtqueue *queue, unsigned chains, unsigned descriptors)
{
	if (is_packed(queue))
		packed_unpop(queue, descriptors);
	else
		queue->next = (uint16_t)(queue->next - chains);
}

void
virtqueue_unpop(struct virtqueue *queue, const struct virtio_chain *chain)
{
	unpop(queue, 1, chain->descriptors);
}

/* Tells memory about the first `written` bytes of the writable buffers. */
static void
touch(struct virtqueue *queue, const struct virtio_chain *chain, uint64_t written)
{
	for (unsigned i = chain->out; i < chain->out + (unsigned)chain->in && written; i++) {
		uint64_t size = chain->segment[i].iov_len < written ? chain->segment[i].iov_len : written;

		memory_touched(queue->device->host.memory, chain->address[i], size);
		written -= size;
	}
}

void
virtqueue_push_later(struct virtqueue *queue, const struct virtio_chain *chain, uint32_t written)
{
	if (!queue->ready || queue->device->status & VIRTIO_NEEDS_RESET)
		return;
	touch(queue, chain, written);
	if (queue->done_count == VIRTQUEUE_SIZE) /* more than the ring holds at once */
		return;
	queue->done[queue->done_count++] =
		(struct virtqueue_done){ chain->id, chain->descriptors, written, chain->in != 0 };
}

void
virtqueue_publish(struct virtqueue *queue)
{
	if (queue->done_count && queue->ready && !(queue->device->status & VIRTIO_NEEDS_RESET)) {
		if (is_packed(queue))
			packed_publish(queue);
		else
			split_publish(queue);
		queue->unsignalled = true;
	}
	queue->done_count = 0;
}

void
virtqueue_abandon(struct virtqueue *queue)
{
	unsigned descriptors = 0;

	for (unsigned i = 0; i < queue->done_count; i++)
		descriptors += queue->done[i].descriptors;
	unpop(queue, queue->done_count, descriptors);
	queue->done_count = 0;
}

void
virtqueue_push(struct virtqueue *queue, const struct virtio_chain *chain, uint32_t written)
{
	virtqueue_push_later(queue, chain, written);
	virtqueue_publish(queue);
}

void
virtqueue_signal(struct virtqueue *queue)
{
	struct virtio_device *device = queue->device;

	if (!queue->unsignalled || device->status & VIRTIO_NEEDS_RESET)
		return;
	queue->unsignalled = false;
	if (is_packed(queue) ? packed_wants_interrupt(queue) : split_wants_interrupt(queue)) {
		device->isr |= VIRTIO_ISR_QUEUE;
		if (device->transport)
			device->transport->interrupt(device->transport_owner, queue);
	}
}

/* ---- copies --------------------------------------------------------------------- */

static size_t
copy(const struct iovec *segment, unsigned count, uint64_t offset, void *data, size_t size, bool to_guest)
{
	size_t done = 0;

	for (unsigned i = 0; i < count && done < size; i++) {
		size_t part = segment[i].iov_len;

		if (offset >= part) {
			offset -= part;
			continue;
		}
		part -= offset;
		if (part > size - done)
			part = size - done;
		if (to_guest)
			memcpy((char *)segment[i].iov_base + offset, (const char *)data + done, part);
		else
			memcpy((char *)data + done, (const char *)segment[i].iov_base + offset, part);
		done += part;
		offset = 0;
	}
	return done;
}

size_t
virtio_chain_read(const struct virtio_chain *chain, uint64_t offset, void *to, size_t size)
{
	return copy(chain->segment, chain->out, offset, to, size, false);
}

size_t
virtio_chain_write(const struct virtio_chain *chain, uint64_t offset, const void *from, size_t size)
{
	return copy(chain->segment + chain->out, chain->in, offset, (void *)(uintptr_t)from, size, true);
}

unsigned
virtio_cut(const struct iovec *segment, unsigned count, uint64_t offset, uint64_t size, struct iovec *to,
	   uint64_t *total)
{
	unsigned n = 0;

	*total = 0;
	for (unsigned i = 0; i < count && size; i++) {
		uint64_t part = segment[i].iov_len;

		if (offset >= part) {
			offset -= part;
			continue;
		}
		part -= offset;
		if (part > size)
			part = size;
		to[n++] = (struct iovec){ (char *)segment[i].iov_base + offset, part };
		*total += part;
		size -= part;
		offset = 0;
	}
	return n;
}

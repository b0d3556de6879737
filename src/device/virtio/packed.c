/* The packed ring (virtio 2.8): one ring of descriptors that the driver makes
 * available and the device makes used in place. Two bits of a descriptor's flags,
 * compared with a wrap counter that flips each time round, tell which it is. */
#include "device/virtio/virtio_impl.h"

/* Event suppression (virtio 2.8.10): a position with the wrap counter on top,
 * and how it is meant. */
#define EVENT_POSITION 0u
#define EVENT_FLAGS 2u
enum event_flag { EVENT_ENABLE, EVENT_DISABLE, EVENT_DESCRIPTOR };

static uint8_t *
flags_at(const struct virtqueue *queue, uint16_t position)
{
	return queue->host_descriptors + VIRTQ_DESCRIPTOR * position + 14;
}

static bool
available(uint16_t flags, bool wrap)
{
	return !!(flags & VIRTQ_AVAIL) == wrap && !!(flags & VIRTQ_USED) != wrap;
}

static void
advance(const struct virtqueue *queue, uint16_t *position, bool *wrap, unsigned by)
{
	unsigned next = *position + by;

	if (next >= queue->size) {
		next -= queue->size;
		*wrap = !*wrap;
	}
	*position = (uint16_t)next;
}

bool
packed_waiting(struct virtqueue *queue)
{
	if (available(shared_load16(flags_at(queue, queue->next)), queue->next_wrap))
		return true;
	if (!virtio_has(queue->device, VIRTIO_F_EVENT_IDX))
		return false;
	/* Ask for the next one, then look again. */
	shared_store16(queue->host_used + EVENT_POSITION, (uint16_t)(queue->next | queue->next_wrap << 15));
	shared_store16(queue->host_used + EVENT_FLAGS, EVENT_DESCRIPTOR);
	memory_touched(queue->device->host.memory, queue->used, 4);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return available(shared_load16(flags_at(queue, queue->next)), queue->next_wrap);
}

static bool
add_indirect(struct virtqueue *queue, struct virtio_chain *chain, const struct virtq_descriptor *d)
{
	unsigned entries;
	const uint8_t *table = virtq_indirect(queue, d, &entries);

	for (unsigned i = 0; table && i < entries; i++) {
		struct virtq_descriptor entry = virtq_descriptor(table, i, true);

		if (entry.flags & VIRTQ_INDIRECT) {
			virtio_broken(queue->device, "queue %u: an indirect descriptor inside a table", queue->index);
			return false;
		}
		if (!virtq_add(queue, chain, &entry))
			return false;
	}
	return table;
}

bool
packed_pop(struct virtqueue *queue, struct virtio_chain *chain)
{
	uint16_t position = queue->next;
	bool wrap = queue->next_wrap;
	struct virtq_descriptor d;

	if (!packed_waiting(queue))
		return false;
	chain->descriptors = 0;
	do {
		if (chain->descriptors == queue->size) {
			virtio_broken(queue->device, "queue %u: a chain longer than the ring", queue->index);
			return false;
		}
		d = virtq_descriptor(queue->host_descriptors, position, true);
		chain->descriptors++;
		if (d.flags & VIRTQ_INDIRECT) {
			if (d.flags & VIRTQ_NEXT || chain->descriptors > 1) {
				virtio_broken(queue->device, "queue %u: an indirect descriptor in a chain", queue->index);
				return false;
			}
			if (!add_indirect(queue, chain, &d))
				return false;
		} else if (!virtq_add(queue, chain, &d)) {
			return false;
		}
		advance(queue, &position, &wrap, 1);
	} while (d.flags & VIRTQ_NEXT);
	chain->id = d.tail;
	queue->next = position;
	queue->next_wrap = wrap;
	return true;
}

void
packed_unpop(struct virtqueue *queue, unsigned descriptors)
{
	if (descriptors > queue->next) {
		queue->next = (uint16_t)(queue->next + queue->size);
		queue->next_wrap = !queue->next_wrap;
	}
	queue->next = (uint16_t)(queue->next - descriptors);
}

static void
mark_used(struct virtqueue *queue, uint16_t position, bool wrap, bool writable)
{
	uint16_t flags = (uint16_t)(writable ? VIRTQ_WRITE : 0);

	if (wrap)
		flags |= VIRTQ_AVAIL | VIRTQ_USED;
	shared_store16(flags_at(queue, position), flags);
	memory_touched(queue->device->host.memory, queue->descriptors + VIRTQ_DESCRIPTOR * position, VIRTQ_DESCRIPTOR);
}

/* The driver looks at used elements in order, so the flags of the first one,
 * written last, publish all of them. */
void
packed_publish(struct virtqueue *queue)
{
	uint16_t first = queue->used_next;
	bool first_wrap = queue->used_wrap;

	for (unsigned i = 0; i < queue->done_count; i++) {
		const struct virtqueue_done *done = &queue->done[i];
		uint8_t *element = queue->host_descriptors + VIRTQ_DESCRIPTOR * queue->used_next;

		shared_store32(element + 8, done->written);
		shared_store16(element + 12, done->id);
		if (i)
			mark_used(queue, queue->used_next, queue->used_wrap, done->writable);
		advance(queue, &queue->used_next, &queue->used_wrap, done->descriptors);
	}
	mark_used(queue, first, first_wrap, queue->done[0].writable);
}

bool
packed_wants_interrupt(struct virtqueue *queue)
{
	uint16_t flags, event, old = queue->signalled, position;
	bool known = queue->signalled_known;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	flags = shared_load16(queue->host_driver + EVENT_FLAGS) & 3;
	event = shared_load16(queue->host_driver + EVENT_POSITION);
	queue->signalled = queue->used_next;
	queue->signalled_known = true;
	if (flags != EVENT_DESCRIPTOR)
		return flags != EVENT_DISABLE;
	/* Positions of the round before count from below zero. */
	position = event & 0x7fff;
	if (!!(event >> 15) != queue->used_wrap)
		position = (uint16_t)(position - queue->size);
	if (old > queue->used_next)
		old = (uint16_t)(old - queue->size);
	return !known || virtq_passed(position, queue->used_next, old);
}

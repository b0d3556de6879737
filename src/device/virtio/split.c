/* The split ring (virtio 2.7): a descriptor table, a ring of the heads of
 * available chains, and a ring of used ones. All three are guest RAM: each word
 * is read once. */
#include "device/virtio/virtio_impl.h"

/* Layout of both rings: flags, index, the ring, the other side's event index. */
#define RING_FLAGS 0u
#define RING_INDEX 2u
#define RING_START 4u
#define AVAIL_NO_INTERRUPT 1u

uint64_t
split_driver_size(const struct virtqueue *queue)
{
	return RING_START + 2u * queue->size + 2;
}

uint64_t
split_used_size(const struct virtqueue *queue)
{
	return RING_START + 8u * queue->size + 2;
}

/* Chains that wait, or -1 if the driver's index cannot be. */
static int
waiting(struct virtqueue *queue)
{
	uint16_t ahead = (uint16_t)(shared_load16(queue->host_driver + RING_INDEX) - queue->next);

	if (ahead <= queue->size)
		return ahead;
	virtio_broken(queue->device, "queue %u: %u chains available in a ring of %u", queue->index, ahead, queue->size);
	return -1;
}

bool
split_waiting(struct virtqueue *queue)
{
	int count = waiting(queue);

	if (count || !virtio_has(queue->device, VIRTIO_F_EVENT_IDX))
		return count > 0;
	/* Ask to be notified of the next one, then look again: the driver may have
	 * added it before it could see that. */
	shared_store16(queue->host_used + RING_START + 8u * queue->size, queue->next);
	memory_touched(queue->device->host.memory, queue->used + RING_START + 8u * queue->size, 2);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return waiting(queue) > 0;
}

/* Follows the chain from descriptor `index` of a table of `entries`; each may be
 * met once at most. */
static bool
walk(struct virtqueue *queue, struct virtio_chain *chain, const uint8_t *table, unsigned entries, bool indirect,
	uint16_t index)
{
	for (unsigned seen = 0; seen < entries; seen++) {
		struct virtq_descriptor d;

		if (index >= entries) {
			virtio_broken(queue->device, "queue %u: descriptor %u of %u", queue->index, index, entries);
			return false;
		}
		d = virtq_descriptor(table, index, false);
		if (d.flags & VIRTQ_INDIRECT) {
			unsigned count;
			const uint8_t *other;

			if (indirect || d.flags & VIRTQ_NEXT) {
				virtio_broken(queue->device, "queue %u: an indirect descriptor inside a table or with a next one",
					      queue->index);
				return false;
			}
			other = virtq_indirect(queue, &d, &count);
			return other && walk(queue, chain, other, count, true, 0);
		}
		if (!virtq_add(queue, chain, &d))
			return false;
		if (!(d.flags & VIRTQ_NEXT))
			return true;
		index = d.tail;
	}
	virtio_broken(queue->device, "queue %u: a chain of descriptors that never ends", queue->index);
	return false;
}

bool
split_pop(struct virtqueue *queue, struct virtio_chain *chain)
{
	uint16_t head;

	if (!split_waiting(queue))
		return false;
	head = shared_load16(queue->host_driver + RING_START + 2u * (queue->next % queue->size));
	chain->id = head;
	chain->descriptors = 1;
	if (!walk(queue, chain, queue->host_descriptors, queue->size, false, head))
		return false;
	queue->next++;
	return true;
}

void
split_publish(struct virtqueue *queue)
{
	struct memory *memory = queue->device->host.memory;

	for (unsigned i = 0; i < queue->done_count; i++) {
		unsigned offset = RING_START + 8u * ((uint16_t)(queue->used_next + i) % queue->size);

		shared_store32(queue->host_used + offset, queue->done[i].id);
		shared_store32(queue->host_used + offset + 4, queue->done[i].written);
		memory_touched(memory, queue->used + offset, 8);
	}
	queue->used_next = (uint16_t)(queue->used_next + queue->done_count);
	shared_store16(queue->host_used + RING_INDEX, queue->used_next);
	memory_touched(memory, queue->used + RING_INDEX, 2);
}

bool
split_wants_interrupt(struct virtqueue *queue)
{
	uint16_t old = queue->signalled, event;
	bool known = queue->signalled_known;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!virtio_has(queue->device, VIRTIO_F_EVENT_IDX))
		return !(shared_load16(queue->host_driver + RING_FLAGS) & AVAIL_NO_INTERRUPT);
	event = shared_load16(queue->host_driver + RING_START + 2u * queue->size);
	queue->signalled = queue->used_next;
	queue->signalled_known = true;
	return !known || virtq_passed(event, queue->used_next, old);
}

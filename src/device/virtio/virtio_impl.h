/* Private to device/virtio/: the two kinds of rings, and little-endian words that
 * the guest shares with us. */
#ifndef DEVICE_VIRTIO_VIRTIO_IMPL_H
#define DEVICE_VIRTIO_VIRTIO_IMPL_H

#include <endian.h>
#include <string.h>

#include "device/virtio/virtio.h"

/* Descriptor flags (virtio 2.7.5, 2.8.1). */
enum virtq_flag {
	VIRTQ_NEXT = 1,
	VIRTQ_WRITE = 2,
	VIRTQ_INDIRECT = 4,
	VIRTQ_AVAIL = 1 << 7, /* packed */
	VIRTQ_USED = 1 << 15,
};

/* A descriptor of either ring, taken apart; `tail` is next (split) or id (packed). */
struct virtq_descriptor {
	uint64_t address;
	uint32_t size;
	uint16_t flags, tail;
};

#define VIRTQ_DESCRIPTOR 16u /* bytes */

bool split_pop(struct virtqueue *queue, struct virtio_chain *chain);
bool split_waiting(struct virtqueue *queue);
void split_publish(struct virtqueue *queue);
bool split_wants_interrupt(struct virtqueue *queue);
/* Bytes of the driver's and the device's area. */
uint64_t split_driver_size(const struct virtqueue *queue);
uint64_t split_used_size(const struct virtqueue *queue);

bool packed_pop(struct virtqueue *queue, struct virtio_chain *chain);
bool packed_waiting(struct virtqueue *queue);
void packed_publish(struct virtqueue *queue);
bool packed_wants_interrupt(struct virtqueue *queue);
void packed_unpop(struct virtqueue *queue, unsigned descriptors);

/* Adds a descriptor's buffer to the chain, checked. False: the device is broken. */
void virtqueue_state(struct virtqueue *queue, struct state *s);
bool virtq_add(struct virtqueue *queue, struct virtio_chain *chain, const struct virtq_descriptor *d);
/* An indirect descriptor's table in host memory and how many entries it has;
 * NULL: the device is broken. */
const uint8_t *virtq_indirect(struct virtqueue *queue, const struct virtq_descriptor *d, unsigned *entries);
/* A copy of entry n of a table. */
struct virtq_descriptor virtq_descriptor(const uint8_t *table, unsigned n, bool packed);

/* True if an index that moved from old to new (modulo 2^16) passed event, which
 * the other side asked to be told of (virtio 2.7.10). */
static inline bool
virtq_passed(uint16_t event, uint16_t new, uint16_t old)
{
	return (uint16_t)(new - event - 1) < (uint16_t)(new - old);
}

static inline uint16_t
shared_load16(const uint8_t *p)
{
	return le16toh(__atomic_load_n((const uint16_t *)(const void *)p, __ATOMIC_ACQUIRE));
}

static inline void
shared_store16(uint8_t *p, uint16_t value)
{
	__atomic_store_n((uint16_t *)(void *)p, htole16(value), __ATOMIC_RELEASE);
}

static inline void
shared_store32(uint8_t *p, uint32_t value)
{
	__atomic_store_n((uint32_t *)(void *)p, htole32(value), __ATOMIC_RELAXED);
}

/* ---- little-endian fields in bytes ----------------------------------------- */

static inline void
put16(uint8_t *p, uint16_t value)
{
	value = htole16(value);
	memcpy(p, &value, sizeof value);
}

static inline void
put32(uint8_t *p, uint32_t value)
{
	value = htole32(value);
	memcpy(p, &value, sizeof value);
}

static inline void
put64(uint8_t *p, uint64_t value)
{
	value = htole64(value);
	memcpy(p, &value, sizeof value);
}

static inline uint16_t
get16(const uint8_t *p)
{
	uint16_t value;

	memcpy(&value, p, sizeof value);
	return le16toh(value);
}

static inline uint32_t
get32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof value);
	return le32toh(value);
}

static inline uint64_t
get64(const uint8_t *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof value);
	return le64toh(value);
}

#endif

/* A driver of virtio devices for unit tests: sees a device through its registers
 * alone, keeps rings of either kind in a small guest RAM, and waits for what
 * comes back. Include after the headers of what is tested.
 */
#ifndef TEST_UNIT_VIRTIO_DRIVER_H
#define TEST_UNIT_VIRTIO_DRIVER_H

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "device/virtio/virtio.h"
#include "unit/check.h"

#define DRIVER_RAM 0x80000000u
#define DRIVER_RAM_SIZE 0x400000u
#define DRIVER_MMIO 0x10001000u
#define DRIVER_QUEUES 8u
#define DRIVER_SIZE 16u /* descriptors a queue */

struct driver_queue {
	uint64_t descriptors, driver, used;
	uint16_t next_free, avail, last_used; /* split; packed: position of the next */
	uint16_t packed_used;
	bool wrap, used_wrap;
	uint16_t count[DRIVER_SIZE]; /* packed: descriptors of a buffer id */
};

struct driver {
	struct memory memory;
	pthread_mutex_t lock;
	struct event_loop *loop;
	struct virtio_host host;
	struct virtio_device *device;
	uint64_t features, top; /* top: of what is used of RAM */
	unsigned interrupts;
	bool level;
	struct driver_queue queue[DRIVER_QUEUES];
};

/* A buffer of a chain. */
struct driver_buffer {
	uint64_t address;
	uint32_t size;
	bool in; /* the device writes it */
};

static inline void
driver_irq(void *owner, unsigned number, bool level)
{
	struct driver *d = owner;

	(void)number;
	if (level && !d->level)
		__atomic_add_fetch(&d->interrupts, 1, __ATOMIC_RELAXED);
	d->level = level;
}

static inline void
driver_lock(void *owner)
{
	pthread_mutex_lock(&((struct driver *)owner)->lock);
}

static inline void
driver_unlock(void *owner)
{
	pthread_mutex_unlock(&((struct driver *)owner)->lock);
}

static inline void
driver_init(struct driver *d, bool packed)
{
	struct error error = { 0 };

	memset(d, 0, sizeof *d);
	pthread_mutex_init(&d->lock, NULL);
	memory_init(&d->memory, &error);
	memory_add_ram(&d->memory, "ram", DRIVER_RAM, DRIVER_RAM_SIZE, &error);
	d->memory.lock = driver_lock;
	d->memory.unlock = driver_unlock;
	d->memory.owner = d;
	d->loop = event_loop_new(&d->lock, &error);
	d->host = (struct virtio_host){ &d->memory, d->loop, &d->lock, packed };
	d->top = DRIVER_RAM;
	if (!CHECK(!error.set))
		fprintf(stderr, "%s\n", error.text);
}

static inline void
driver_attach(struct driver *d, struct virtio_device *device)
{
	struct error error = { 0 };
	struct irq_line irq = { driver_irq, d, 1 };

	d->device = device;
	CHECK(!virtio_mmio_attach(device, DRIVER_MMIO, &irq, &error));
	event_loop_start(d->loop, &error);
	CHECK(!error.set);
}

static inline void
driver_fini(struct driver *d)
{
	if (d->device)
		virtio_free(&d->device->device);
	event_loop_free(d->loop);
	memory_fini(&d->memory);
}

/* ---- registers and RAM ------------------------------------------------------- */

static inline uint32_t
driver_get(struct driver *d, uint64_t offset)
{
	uint64_t value = 0;

	memory_load(&d->memory, DRIVER_MMIO + offset, 4, &value);
	return (uint32_t)value;
}

static inline void
driver_set(struct driver *d, uint64_t offset, uint32_t value)
{
	memory_store(&d->memory, DRIVER_MMIO + offset, 4, value);
}

static inline uint64_t
driver_config(struct driver *d, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	memory_load(&d->memory, DRIVER_MMIO + 0x100 + offset, size, &value);
	return value;
}

static inline void *
driver_host(struct driver *d, uint64_t address)
{
	return memory_ram(&d->memory, address, 1, true);
}

/* Zeroed RAM for a buffer. */
static inline uint64_t
driver_alloc(struct driver *d, uint64_t size)
{
	uint64_t address = d->top;

	d->top = (d->top + size + 63) & ~(uint64_t)63;
	if (d->top > DRIVER_RAM + DRIVER_RAM_SIZE)
		abort();
	memset(driver_host(d, address), 0, size);
	return address;
}

static inline uint64_t
driver_copy(struct driver *d, const void *data, uint64_t size)
{
	uint64_t address = driver_alloc(d, size ? size : 1);

	memory_write(&d->memory, address, data, size);
	return address;
}

/* ---- set-up --------------------------------------------------------------------- */

static inline bool
driver_packed(const struct driver *d)
{
	return d->features >> VIRTIO_F_RING_PACKED & 1;
}

static inline void
driver_queue_up(struct driver *d, unsigned n)
{
	struct driver_queue *q = &d->queue[n];

	*q = (struct driver_queue){ .wrap = true, .used_wrap = true };
	q->descriptors = driver_alloc(d, 16 * DRIVER_SIZE);
	q->driver = driver_alloc(d, 6 + 2 * DRIVER_SIZE);
	q->used = driver_alloc(d, 6 + 8 * DRIVER_SIZE);
	driver_set(d, 0x30, n);
	driver_set(d, 0x38, DRIVER_SIZE);
	driver_set(d, 0x80, (uint32_t)q->descriptors);
	driver_set(d, 0x84, (uint32_t)(q->descriptors >> 32));
	driver_set(d, 0x90, (uint32_t)q->driver);
	driver_set(d, 0x94, (uint32_t)(q->driver >> 32));
	driver_set(d, 0xa0, (uint32_t)q->used);
	driver_set(d, 0xa4, (uint32_t)(q->used >> 32));
	driver_set(d, 0x44, 1);
}

/* Everything from reset to DRIVER_OK, with those of the wanted features that the
 * device offers and all its queues. */
static inline void
driver_start(struct driver *d, uint64_t wanted)
{
	uint64_t offered;

	driver_set(d, 0x70, 0);
	driver_set(d, 0x70, 1);
	driver_set(d, 0x70, 3);
	driver_set(d, 0x14, 0);
	offered = driver_get(d, 0x10);
	driver_set(d, 0x14, 1);
	offered |= (uint64_t)driver_get(d, 0x10) << 32;
	d->features = offered & (wanted | VIRTIO_F(VIRTIO_F_VERSION_1));
	driver_set(d, 0x24, 0);
	driver_set(d, 0x20, (uint32_t)d->features);
	driver_set(d, 0x24, 1);
	driver_set(d, 0x20, (uint32_t)(d->features >> 32));
	driver_set(d, 0x70, 11);
	CHECK_INT(driver_get(d, 0x70), 11);
	for (unsigned n = 0; n < d->device->queues && n < DRIVER_QUEUES; n++)
		driver_queue_up(d, n);
	driver_set(d, 0x70, 15);
}

/* ---- chains ----------------------------------------------------------------------- */

static inline void
driver_put_descriptor(struct driver *d, uint64_t at, const struct driver_buffer *b, uint16_t third, uint16_t fourth)
{
	memory_write64(&d->memory, at, b->address);
	memory_write32(&d->memory, at + 8, b->size);
	memory_write16(&d->memory, at + 12, third);
	memory_write16(&d->memory, at + 14, fourth);
}

static inline uint16_t
driver_add_split(struct driver *d, struct driver_queue *q, const struct driver_buffer *b, unsigned count)
{
	uint16_t head = q->next_free % DRIVER_SIZE;

	for (unsigned i = 0; i < count; i++) {
		uint16_t n = (uint16_t)((q->next_free + i) % DRIVER_SIZE), next = (uint16_t)((n + 1) % DRIVER_SIZE);

		driver_put_descriptor(d, q->descriptors + 16u * n, &b[i],
				      (uint16_t)((i + 1 < count ? 1 : 0) | (b[i].in ? 2 : 0)), next);
	}
	q->next_free = (uint16_t)(q->next_free + count);
	memory_write16(&d->memory, q->driver + 4 + 2u * (q->avail % DRIVER_SIZE), head);
	memory_write16(&d->memory, q->driver + 2, ++q->avail);
	return head;
}

static inline uint16_t
driver_add_packed(struct driver *d, struct driver_queue *q, const struct driver_buffer *b, unsigned count)
{
	uint16_t id = q->avail, first = q->avail, first_flags = 0;

	q->count[id] = (uint16_t)count;
	for (unsigned i = 0; i < count; i++) {
		uint16_t flags = (uint16_t)((i + 1 < count ? 1 : 0) | (b[i].in ? 2 : 0) | (q->wrap ? 0x80 : 0x8000));

		driver_put_descriptor(d, q->descriptors + 16u * q->avail, &b[i], id, 0);
		if (i)
			memory_write16(&d->memory, q->descriptors + 16u * q->avail + 14, flags);
		else
			first_flags = flags;
		if (++q->avail == DRIVER_SIZE) {
			q->avail = 0;
			q->wrap = !q->wrap;
		}
	}
	memory_write16(&d->memory, q->descriptors + 16u * first + 14, first_flags);
	return id;
}

/* Makes a chain available (readable buffers first); the device is told by
 * driver_kick. Returns what driver_used gives back for it. */
static inline uint16_t
driver_add(struct driver *d, unsigned n, const struct driver_buffer *b, unsigned count)
{
	struct driver_queue *q = &d->queue[n];

	return driver_packed(d) ? driver_add_packed(d, q, b, count) : driver_add_split(d, q, b, count);
}

static inline void
driver_kick(struct driver *d, unsigned n)
{
	driver_set(d, 0x50, n);
}

static inline bool
driver_used_packed(struct driver *d, struct driver_queue *q, uint16_t *id, uint32_t *size)
{
	uint64_t at = q->descriptors + 16u * q->packed_used;
	uint16_t flags;

	memory_read16(&d->memory, at + 14, &flags);
	if (!!(flags & 0x80) != q->used_wrap || !!(flags & 0x8000) != q->used_wrap)
		return false;
	memory_read16(&d->memory, at + 12, id);
	memory_read32(&d->memory, at + 8, size);
	q->packed_used = (uint16_t)(q->packed_used + q->count[*id % DRIVER_SIZE]);
	if (q->packed_used >= DRIVER_SIZE) {
		q->packed_used = (uint16_t)(q->packed_used - DRIVER_SIZE);
		q->used_wrap = !q->used_wrap;
	}
	return true;
}

/* The next used chain, if there is one. */
static inline bool
driver_used(struct driver *d, unsigned n, uint16_t *id, uint32_t *size)
{
	struct driver_queue *q = &d->queue[n];
	uint16_t index;
	uint32_t id32;

	if (driver_packed(d))
		return driver_used_packed(d, q, id, size);
	memory_read16(&d->memory, q->used + 2, &index);
	if (index == q->last_used)
		return false;
	memory_read32(&d->memory, q->used + 4 + 8u * (q->last_used % DRIVER_SIZE), &id32);
	memory_read32(&d->memory, q->used + 8 + 8u * (q->last_used % DRIVER_SIZE), size);
	*id = (uint16_t)id32;
	q->last_used++;
	return true;
}

/* Waits for it, five seconds at most. */
static inline bool
driver_wait(struct driver *d, unsigned n, uint16_t *id, uint32_t *size)
{
	for (unsigned i = 0; i < 50000; i++) {
		if (driver_used(d, n, id, size))
			return true;
		usleep(100);
	}
	return false;
}

/* Adds a chain, tells the device, waits; returns the size that it wrote, or
 * UINT32_MAX when nothing came back. */
static inline uint32_t
driver_do(struct driver *d, unsigned n, const struct driver_buffer *b, unsigned count)
{
	uint16_t id = driver_add(d, n, b, count), got = 0;
	uint32_t size = 0;

	driver_kick(d, n);
	if (!driver_wait(d, n, &got, &size))
		return UINT32_MAX;
	CHECK_INT(got, id);
	return size;
}

/* ---- state --------------------------------------------------------------------------- */

/* Saves the device, resets it, restores it, saves it again: both must be equal.
 * The device is quiet meanwhile and goes on afterwards. */
static inline void
driver_check_state(struct driver *d)
{
	struct device *device = &d->device->device;
	struct state *first = state_save(), *again = state_save(), *back;
	struct error error = { 0 };
	const void *data, *data2;
	size_t size, size2;

	pthread_mutex_lock(&d->lock);
	device->type->quiesce(device);
	device->type->state(device, first);
	data = state_data(first, &size);
	device->type->reset(device);
	back = state_restore(data, size);
	device->type->state(device, back);
	if (!CHECK(!state_close(back, &error)))
		fprintf(stderr, "%s\n", error.text);
	device->type->state(device, again);
	data2 = state_data(again, &size2);
	CHECK(size == size2 && !memcmp(data, data2, size));
	CHECK(size > 100);
	state_close(first, NULL);
	state_close(again, NULL);
	device->type->resume(device);
	pthread_mutex_unlock(&d->lock);
}

#endif

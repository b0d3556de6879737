/* A fuzz target for a virtio device: an input is a script of register accesses, bytes
 * written into rings and buffers, well-formed chains with whatever in them, and
 * notifications. A device is made by the file that includes this, once; each input
 * starts from reset.
 */
#ifndef TEST_FUZZ_VIRTIO_H
#define TEST_FUZZ_VIRTIO_H

#include "fuzz/fuzz.h"
#include "unit/virtio_driver.h"

/* The device under test, and what happens besides (bytes from the host's side). */
static struct virtio_device *fuzz_device(struct driver *d);
static void fuzz_outside(struct driver *d, struct input *in);

static struct driver fuzzed;

#define FUZZ_BUFFERS (DRIVER_RAM + 0x8000u) /* 16 buffers of 512 bytes */
#define FUZZ_TABLES (DRIVER_RAM + 0xa000u)
#define FUZZ_USED (DRIVER_RAM + 0x10000u)   /* the end of what an input touches */

static inline uint64_t
fuzz_address(struct input *in)
{
	switch (take(in, 1) % 8) {
	case 0: return take(in, 8);
	case 1: return DRIVER_RAM + DRIVER_RAM_SIZE - take(in, 1);
	case 2: return FUZZ_TABLES + take(in, 1) * 16;
	case 3: return DRIVER_RAM + take(in, 2);
	default: return FUZZ_BUFFERS + take(in, 1) % 16 * 512;
	}
}

static inline uint32_t
fuzz_size(struct input *in)
{
	switch (take(in, 1) % 8) {
	case 0: return (uint32_t)take(in, 4);
	case 1: return 0;
	case 2: return (uint32_t)take(in, 2);
	default: return (uint32_t)take(in, 1) + 1;
	}
}

/* A descriptor with anything in it. */
static inline void
fuzz_descriptor(struct driver *d, struct input *in, uint64_t at)
{
	struct driver_buffer b = { fuzz_address(in), fuzz_size(in), false };
	uint16_t third = (uint16_t)take(in, 2), fourth = (uint16_t)take(in, 2);

	driver_put_descriptor(d, at, &b, third, fourth);
}

static inline void
fuzz_bytes(struct driver *d, struct input *in, uint64_t at)
{
	size_t size = take(in, 1) % 64, left = (size_t)(in->end - in->at);

	if (size > left)
		size = left;
	memory_write(&d->memory, at, in->at, size);
	in->at += size;
}

/* A chain as a driver would make it: bytes out, room in. */
static inline void
fuzz_chain(struct driver *d, struct input *in, unsigned queue)
{
	struct driver_buffer b[4];
	unsigned out = (unsigned)take(in, 1) % 3, total = out + (unsigned)take(in, 1) % 3;

	for (unsigned i = 0; i < total; i++) {
		b[i].address = FUZZ_BUFFERS + take(in, 1) % 16 * 512;
		b[i].size = take(in, 1) % 8 ? 1 + (uint32_t)take(in, 1) * 2 : 512;
		b[i].in = i >= out;
		if (i < out)
			fuzz_bytes(d, in, b[i].address);
	}
	if (total)
		driver_add(d, queue, b, total);
	driver_kick(d, queue);
}

static inline void
fuzz_step(struct driver *d, struct input *in)
{
	unsigned n = (unsigned)take(in, 1), queue;
	struct driver_queue *q;

	queue = (unsigned)take(in, 1) % (d->device->queues < DRIVER_QUEUES ? d->device->queues : DRIVER_QUEUES);
	q = &d->queue[queue];
	switch (n % 16) {
	case 0: driver_set(d, take(in, 1) & 0xfc, (uint32_t)take(in, 4)); break;
	case 1: driver_get(d, take(in, 2) & 0x1fc); break;
	case 2: {
		unsigned size = 1u << take(in, 1) % 4;

		memory_store(&d->memory, DRIVER_MMIO + 0x100 + (take(in, 1) & ~(size - 1)), size, take(in, 8));
		break;
	}
	case 3: {
		unsigned size = 1u << take(in, 1) % 4;
		uint64_t value;

		memory_load(&d->memory, DRIVER_MMIO + 0x100 + (take(in, 1) & ~(size - 1)), size, &value);
		break;
	}
	case 4: case 5: fuzz_descriptor(d, in, q->descriptors + 16 * (take(in, 1) % DRIVER_SIZE)); break;
	case 6: fuzz_descriptor(d, in, FUZZ_TABLES + 16 * take(in, 1)); break;
	case 7: /* the next head, and how far the index goes */
		memory_write16(&d->memory, q->driver + 4 + 2u * (q->avail % DRIVER_SIZE), (uint16_t)take(in, 1));
		q->avail = (uint16_t)(q->avail + take(in, 1) % 3);
		memory_write16(&d->memory, q->driver + 2, take(in, 1) % 16 ? q->avail : (uint16_t)take(in, 2));
		driver_kick(d, queue);
		break;
	case 8: fuzz_bytes(d, in, FUZZ_BUFFERS + take(in, 1) % 16 * 512); break;
	case 9: driver_kick(d, take(in, 1) % 8 ? queue : (unsigned)take(in, 4)); break;
	case 10:
		driver_set(d, 0x30, queue);
		driver_set(d, 0xc0, 1);
		driver_queue_up(d, queue);
		break;
	case 11: fuzz_outside(d, in); break;
	default: fuzz_chain(d, in, queue); break;
	}
}

/* Saving and restoring in the middle changes nothing. */
static inline void
fuzz_state(struct driver *d)
{
	pthread_mutex_lock(&d->lock);
	d->device->device.type->quiesce(&d->device->device);
	pthread_mutex_unlock(&d->lock);
	if (!(d->device->status & VIRTIO_NEEDS_RESET))
		driver_check_state(d);
	else {
		pthread_mutex_lock(&d->lock);
		d->device->device.type->resume(&d->device->device);
		pthread_mutex_unlock(&d->lock);
	}
	if (check_failures)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct driver *d = &fuzzed;
	struct input in = { data, data + size };
	unsigned flags = (unsigned)take(&in, 1);

	pthread_mutex_lock(&d->lock);
	virtio_reset(&d->device->device);
	pthread_mutex_unlock(&d->lock);
	memset(driver_host(d, DRIVER_RAM), 0, FUZZ_USED - DRIVER_RAM);
	d->top = DRIVER_RAM;
	driver_start(d, flags & 1 ? UINT64_MAX : UINT64_MAX & ~VIRTIO_F(VIRTIO_F_RING_PACKED) & ~((uint64_t)flags << 8));
	while (in.at < in.end)
		fuzz_step(d, &in);
	if (flags >> 1 & 1 && flags >> 2 & 1)
		fuzz_state(d);
	pthread_mutex_lock(&d->lock);
	d->device->device.type->quiesce(&d->device->device);
	d->device->device.type->resume(&d->device->device);
	pthread_mutex_unlock(&d->lock);
	return 0;
}

void
fuzz_start(void)
{
	log_open(-1, LOG_ERROR);
	driver_init(&fuzzed, true);
	driver_attach(&fuzzed, fuzz_device(&fuzzed));
}

#endif

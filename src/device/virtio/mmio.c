/* virtio over MMIO, version 2 (virtio 4.2): one page of registers and one level
 * interrupt line, high while the interrupt status is not 0. */
#include <stdlib.h>

#include "device/virtio/virtio_impl.h"

struct mmio {
	struct virtio_device *device;
	struct irq_line irq;
	uint64_t address;
};

enum mmio_register {
	MAGIC = 0x00, VERSION = 0x04, DEVICE_ID = 0x08, VENDOR_ID = 0x0c,
	DEVICE_FEATURES = 0x10, DEVICE_FEATURES_SEL = 0x14, DRIVER_FEATURES = 0x20, DRIVER_FEATURES_SEL = 0x24,
	QUEUE_SEL = 0x30, QUEUE_NUM_MAX = 0x34, QUEUE_NUM = 0x38, QUEUE_READY = 0x44, QUEUE_NOTIFY = 0x50,
	INTERRUPT_STATUS = 0x60, INTERRUPT_ACK = 0x64, STATUS = 0x70,
	QUEUE_DESC = 0x80, QUEUE_DRIVER = 0x90, QUEUE_DEVICE = 0xa0,
	SHM_SEL = 0xac, SHM_LENGTH = 0xb0, SHM_BASE = 0xb8,
	QUEUE_RESET = 0xc0, CONFIG_GENERATION = 0xfc, CONFIG = 0x100,
};

#define MAGIC_VALUE 0x74726976u /* "virt" */
#define VENDOR 0x4f53494du

static void
update_irq(const struct mmio *m)
{
	irq_set(&m->irq, m->device->isr);
}

static uint32_t
read_queue(const struct virtqueue *queue, uint64_t offset)
{
	if (!queue)
		return 0;
	switch (offset) {
	case QUEUE_NUM_MAX: return queue->max;
	case QUEUE_READY: return queue->ready;
	}
	return 0;
}

static uint64_t
mmio_read(void *owner, uint64_t offset, unsigned size)
{
	struct mmio *m = owner;
	struct virtio_device *device = m->device;

	if (offset >= CONFIG)
		return virtio_config_read(device, offset - CONFIG, size);
	if (size != 4)
		return 0;
	switch (offset) {
	case MAGIC: return MAGIC_VALUE;
	case VERSION: return 2;
	case DEVICE_ID: return device->class->id;
	case VENDOR_ID: return VENDOR;
	case DEVICE_FEATURES: return virtio_offered_page(device);
	case INTERRUPT_STATUS: return device->isr;
	case STATUS: return device->status;
	case CONFIG_GENERATION: return device->generation;
	case SHM_LENGTH: case SHM_LENGTH + 4: case SHM_BASE: case SHM_BASE + 4:
		return UINT32_MAX; /* there is no shared memory */
	}
	return read_queue(virtio_selected(device), offset);
}

static void
set_half(uint64_t *address, bool high, uint32_t value)
{
	*address = high ? (*address & UINT32_MAX) | (uint64_t)value << 32 : (*address & ~(uint64_t)UINT32_MAX) | value;
}

static void
write_ready(struct virtqueue *queue, uint32_t value)
{
	if (value == 1)
		virtqueue_set_ready(queue);
	else if (!value && queue->ready)
		virtqueue_reset(queue);
}

static void
write_queue(struct virtio_device *device, struct virtqueue *queue, uint64_t offset, uint32_t value)
{
	if (!queue)
		return;
	if (offset == QUEUE_READY) {
		if (!value && queue->ready && device->class->queue_reset)
			device->class->queue_reset(device, queue);
		write_ready(queue, value);
		return;
	}
	if (offset == QUEUE_RESET) {
		if (value == 1 && virtio_has(device, VIRTIO_F_RING_RESET)) {
			if (device->class->queue_reset)
				device->class->queue_reset(device, queue);
			virtqueue_reset(queue);
		}
		return;
	}
	if (queue->ready)
		return;
	switch (offset) {
	case QUEUE_NUM: queue->size = value > UINT16_MAX ? 0 : (uint16_t)value; break;
	case QUEUE_DESC: case QUEUE_DESC + 4: set_half(&queue->descriptors, offset & 4, value); break;
	case QUEUE_DRIVER: case QUEUE_DRIVER + 4: set_half(&queue->driver, offset & 4, value); break;
	case QUEUE_DEVICE: case QUEUE_DEVICE + 4: set_half(&queue->used, offset & 4, value); break;
	}
}

static void
mmio_write(void *owner, uint64_t offset, unsigned size, uint64_t value64)
{
	struct mmio *m = owner;
	struct virtio_device *device = m->device;
	uint32_t value = (uint32_t)value64;

	if (offset >= CONFIG) {
		virtio_config_write(device, offset - CONFIG, size, value64);
		return;
	}
	if (size != 4)
		return;
	switch (offset) {
	case DEVICE_FEATURES_SEL: device->feature_page = value; break;
	case DRIVER_FEATURES: virtio_accept_page(device, value); break;
	case DRIVER_FEATURES_SEL: device->driver_feature_page = value; break;
	case QUEUE_SEL: device->queue_selected = value > UINT16_MAX ? UINT16_MAX : (uint16_t)value; break;
	case QUEUE_NOTIFY: virtio_notified(device, value); break;
	case INTERRUPT_ACK:
		device->isr &= (uint8_t)~value;
		update_irq(m);
		break;
	case STATUS: virtio_set_status(device, (uint8_t)value); break;
	default: write_queue(device, virtio_selected(device), offset, value); break;
	}
}

static void
mmio_interrupt(void *owner, const struct virtqueue *queue)
{
	(void)queue;
	update_irq(owner);
}

static void
mmio_reset(void *owner, bool power)
{
	(void)power;
	update_irq(owner);
}

static void
mmio_state(void *owner, struct state *s)
{
	(void)owner;
	state_begin(s, "virtio-mmio", 1); /* has nothing but what the device has */
	state_end(s);
}

static const struct memory_ops mmio_ops = { mmio_read, mmio_write, 1, 8 };
static const struct virtio_transport mmio_transport = { mmio_interrupt, mmio_reset, mmio_state, free };

int
virtio_mmio_attach(struct virtio_device *device, uint64_t address, const struct irq_line *irq, struct error *error)
{
	struct mmio *m = calloc(1, sizeof *m);

	if (!m) {
		virtio_free(&device->device);
		return error_set(error, 0, "%s: no memory", device->device.name);
	}
	*m = (struct mmio){ device, *irq, address };
	virtio_attach(device, &mmio_transport, m);
	if (memory_add_device(device->host.memory, device->device.name, address, VIRTIO_MMIO_SIZE, &mmio_ops, m, error)) {
		virtio_free(&device->device);
		return -1;
	}
	return 0;
}

static uint64_t
empty_read(void *owner, uint64_t offset, unsigned size)
{
	(void)owner;
	if (size != 4)
		return 0;
	return offset == MAGIC ? MAGIC_VALUE : offset == VERSION ? 2 : offset == VENDOR_ID ? VENDOR : 0;
}

static void
empty_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	(void)owner, (void)offset, (void)size, (void)value;
}

static const struct memory_ops empty_ops = { empty_read, empty_write, 1, 8 };

int
virtio_mmio_empty(struct memory *memory, uint64_t address, struct error *error)
{
	return memory_add_device(memory, "virtio-mmio", address, VIRTIO_MMIO_SIZE, &empty_ops, NULL, error);
}

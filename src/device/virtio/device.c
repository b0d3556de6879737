/* What is common to all virtio devices: features, status, configuration space,
 * reset and state (virtio 2.1 to 2.5, 3.1). */
#include <stdlib.h>

#include "device/virtio/virtio_impl.h"

#define CONFIG_MAX 256u /* bytes of the largest configuration space here */

static struct virtio_device *
virtio(struct device *device)
{
	return (struct virtio_device *)device;
}

void *
virtio_new(const struct virtio_class *class, size_t size, const struct virtio_host *host, const char *name,
	   uint64_t features, unsigned queues, uint16_t most)
{
	struct virtio_device *device = calloc(1, size);

	if (!device)
		return NULL;
	device->queue = calloc(queues ? queues : 1, sizeof *device->queue);
	if (!device->queue) {
		free(device);
		return NULL;
	}
	device->device.type = &class->type;
	text_format(device->device.name, sizeof device->device.name, "%s", name);
	device->class = class;
	device->host = *host;
	device->queues = queues;
	device->offered = features | VIRTIO_F(VIRTIO_F_VERSION_1) | VIRTIO_F(VIRTIO_F_INDIRECT_DESC) |
			  VIRTIO_F(VIRTIO_F_EVENT_IDX) | VIRTIO_F(VIRTIO_F_RING_RESET);
	if (host->packed)
		device->offered |= VIRTIO_F(VIRTIO_F_RING_PACKED);
	device->config_vector = VIRTIO_NO_VECTOR;
	for (unsigned i = 0; i < queues; i++) {
		device->queue[i] = (struct virtqueue){ .device = device, .index = (uint16_t)i, .max = most };
		virtqueue_reset(&device->queue[i]);
	}
	return device;
}

void
virtio_attach(struct virtio_device *device, const struct virtio_transport *transport, void *owner)
{
	device->transport = transport;
	device->transport_owner = owner;
}

void
virtio_free(struct device *base)
{
	struct virtio_device *device = virtio(base);

	/* The kind first: its threads may interrupt until they have ended. */
	if (device->class->free)
		device->class->free(device);
	if (device->transport)
		device->transport->free(device->transport_owner);
	free(device->queue);
	free(device);
}

/* ---- features and status ----------------------------------------------------------- */

static uint32_t
page(uint64_t features, uint32_t number)
{
	return number < 2 ? (uint32_t)(features >> (32 * number)) : 0;
}

uint32_t
virtio_offered_page(const struct virtio_device *device)
{
	return page(device->offered, device->feature_page);
}

uint32_t
virtio_accepted_page(const struct virtio_device *device)
{
	return page(device->features, device->driver_feature_page);
}

void
virtio_accept_page(struct virtio_device *device, uint32_t bits)
{
	unsigned shift = 32 * device->driver_feature_page;

	/* Fixed once FEATURES_OK is set (virtio 2.2.1). */
	if (device->driver_feature_page > 1 || device->status & VIRTIO_FEATURES_OK)
		return;
	device->features = (device->features & ~((uint64_t)UINT32_MAX << shift)) | (uint64_t)bits << shift;
}

static void
notify(struct virtio_device *device, struct virtqueue *queue)
{
	if (queue->ready && virtio_live(device) && device->class->notify)
		device->class->notify(device, queue);
}

static void
notify_all(struct virtio_device *device)
{
	for (unsigned i = 0; i < device->queues; i++)
		notify(device, &device->queue[i]);
}

void
virtio_notified(struct virtio_device *device, unsigned queue)
{
	if (queue < device->queues)
		notify(device, &device->queue[queue]);
}

static void reset(struct virtio_device *device, bool power);

void
virtio_set_status(struct virtio_device *device, uint8_t status)
{
	uint8_t old = device->status;

	if (!status) {
		reset(device, false);
		return;
	}
	/* The driver only adds bits; NEEDS_RESET is the device's. */
	status = (uint8_t)((status & ~VIRTIO_NEEDS_RESET) | old);
	if (status & ~old & VIRTIO_FEATURES_OK) {
		if (device->features & ~device->offered || !virtio_has(device, VIRTIO_F_VERSION_1))
			status &= (uint8_t)~VIRTIO_FEATURES_OK; /* refused: the driver reads it back */
		else if (device->class->accepted)
			device->class->accepted(device);
	}
	if (!(status & VIRTIO_FEATURES_OK))
		status &= (uint8_t)~VIRTIO_DRIVER_OK;
	device->status = status;
	if (status & ~old & VIRTIO_DRIVER_OK)
		notify_all(device);
}

void
virtio_broken(struct virtio_device *device, const char *format, ...)
{
	char text[256];
	va_list args;

	if (device->status & VIRTIO_NEEDS_RESET)
		return;
	va_start(args, format);
	text_vformat(text, sizeof text, format, args);
	va_end(args);
	log_line(LOG_WARN, "%s: %s stopped until its driver resets it: %s", device->device.name,
		 device->device.type->name, text);
	device->status |= VIRTIO_NEEDS_RESET;
	if (device->status & VIRTIO_DRIVER_OK)
		virtio_config_changed(device);
}

struct virtqueue *
virtio_selected(struct virtio_device *device)
{
	return device->queue_selected < device->queues ? &device->queue[device->queue_selected] : NULL;
}

/* ---- configuration space -------------------------------------------------------------- */

void
virtio_config_changed(struct virtio_device *device)
{
	device->generation++;
	device->isr |= VIRTIO_ISR_CONFIG;
	if (device->transport)
		device->transport->interrupt(device->transport_owner, NULL);
}

uint64_t
virtio_config_read(struct virtio_device *device, uint64_t offset, unsigned size)
{
	uint8_t config[CONFIG_MAX + 8] = { 0 };

	if (offset >= device->class->config_size || !device->class->config)
		return 0;
	device->class->config(device, config);
	memset(config + device->class->config_size, 0, 8);
	return get64(config + offset) & (size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1);
}

void
virtio_config_write(struct virtio_device *device, uint64_t offset, unsigned size, uint64_t value)
{
	uint8_t config[CONFIG_MAX + 8] = { 0 };
	uint8_t bytes[8];

	if (offset >= device->class->config_size || size > device->class->config_size - offset ||
	    !device->class->configure)
		return;
	device->class->config(device, config);
	put64(bytes, value);
	memcpy(config + offset, bytes, size);
	device->class->configure(device, config, (unsigned)offset, size);
}

/* ---- life ---------------------------------------------------------------------------------- */

static void
reset(struct virtio_device *device, bool power)
{
	/* The kind first: it may wait for requests that are under way. */
	device->stopped = true;
	if (device->class->reset)
		device->class->reset(device);
	device->stopped = false;
	device->features = 0;
	device->feature_page = device->driver_feature_page = 0;
	device->queue_selected = 0;
	device->config_vector = VIRTIO_NO_VECTOR;
	device->status = device->isr = 0;
	for (unsigned i = 0; i < device->queues; i++)
		virtqueue_reset(&device->queue[i]);
	if (device->transport)
		device->transport->reset(device->transport_owner, power);
}

void
virtio_reset(struct device *device)
{
	reset(virtio(device), true);
}

void
virtio_quiesce(struct device *base)
{
	struct virtio_device *device = virtio(base);

	device->stopped = true;
	if (device->class->quiesce)
		device->class->quiesce(device);
}

void
virtio_resume(struct device *base)
{
	struct virtio_device *device = virtio(base);

	device->stopped = false;
	if (device->class->resume)
		device->class->resume(device);
	notify_all(device);
}

void
virtio_state(struct device *base, struct state *s)
{
	struct virtio_device *device = virtio(base);

	state_begin(s, "virtio", 1);
	state_u64(s, "features", &device->features);
	state_u32(s, "feature_page", &device->feature_page);
	state_u32(s, "driver_feature_page", &device->driver_feature_page);
	state_u16(s, "queue_selected", &device->queue_selected);
	state_u16(s, "config_vector", &device->config_vector);
	state_u8(s, "status", &device->status);
	state_u8(s, "isr", &device->isr);
	state_u32(s, "generation", &device->generation);
	if (state_way(s) == STATE_RESTORE)
		state_check(s, !(device->status & VIRTIO_FEATURES_OK && device->features & ~device->offered),
			    "virtio features that this device does not have");
	for (unsigned i = 0; i < device->queues; i++)
		virtqueue_state(&device->queue[i], s);
	state_end(s);
	if (state_way(s) == STATE_RESTORE && device->status & VIRTIO_FEATURES_OK && device->class->accepted)
		device->class->accepted(device);
	if (device->class->state)
		device->class->state(device, s);
	if (device->transport)
		device->transport->state(device->transport_owner, s);
}

/* virtio over PCI, modern interface (virtio 4.1): one BAR with the common
 * registers, interrupt status, the device's configuration and a notification
 * word a queue; capabilities that say where; a second way to all of them through
 * configuration space; MSI-X, or the interrupt pin while that is off. */
#include <stdlib.h>

#include "device/virtio/virtio_impl.h"

#define BAR 4u
#define MSIX_BAR 1u
#define BAR_SIZE 0x4000u
#define VENDOR 0x1af4u
#define DEVICE_BASE 0x1040u
#define VENDOR_CAPABILITY 9u
#define NOTIFY_STEP 4u

/* Structures (virtio 4.1.4), each in a page of the BAR. */
enum structure { COMMON = 1, NOTIFY = 2, ISR = 3, DEVICE = 4, PCI_CFG = 5 };
#define COMMON_AT 0x0000u
#define ISR_AT 0x1000u
#define DEVICE_AT 0x2000u
#define NOTIFY_AT 0x3000u
#define PAGE 0x1000u

/* virtio 4.1.4.3 */
enum common_register {
	DEVICE_FEATURE_SELECT = 0, DEVICE_FEATURE = 4, DRIVER_FEATURE_SELECT = 8, DRIVER_FEATURE = 12,
	CONFIG_VECTOR = 16, NUM_QUEUES = 18, STATUS = 20, GENERATION = 21, QUEUE_SELECT = 22, QUEUE_SIZE = 24,
	QUEUE_VECTOR = 26, QUEUE_ENABLE = 28, QUEUE_NOTIFY_OFF = 30, QUEUE_DESC = 32, QUEUE_DRIVER = 40,
	QUEUE_DEVICE = 48, QUEUE_NOTIFY_DATA = 56, QUEUE_RESET = 58, COMMON_SIZE = 60,
};

struct virtio_pci {
	struct pci_function pci;
	struct virtio_device *device;
	unsigned window; /* offset of the capability that is a way to the BAR */
};

/* ---- common registers --------------------------------------------------------- */

/* All of them as they read now; to: COMMON_SIZE bytes. */
static void
common_image(const struct virtio_pci *v, uint8_t *to)
{
	struct virtio_device *device = v->device;
	const struct virtqueue *queue = virtio_selected(device);

	put32(to + DEVICE_FEATURE_SELECT, device->feature_page);
	put32(to + DEVICE_FEATURE, virtio_offered_page(device));
	put32(to + DRIVER_FEATURE_SELECT, device->driver_feature_page);
	put32(to + DRIVER_FEATURE, virtio_accepted_page(device));
	put16(to + CONFIG_VECTOR, device->config_vector);
	put16(to + NUM_QUEUES, (uint16_t)device->queues);
	to[STATUS] = device->status;
	to[GENERATION] = (uint8_t)device->generation;
	put16(to + QUEUE_SELECT, device->queue_selected);
	if (!queue)
		return;
	put16(to + QUEUE_SIZE, queue->size);
	put16(to + QUEUE_VECTOR, queue->vector);
	put16(to + QUEUE_ENABLE, queue->ready);
	put16(to + QUEUE_NOTIFY_OFF, queue->index);
	put64(to + QUEUE_DESC, queue->descriptors);
	put64(to + QUEUE_DRIVER, queue->driver);
	put64(to + QUEUE_DEVICE, queue->used);
	put16(to + QUEUE_NOTIFY_DATA, queue->index);
}

static uint64_t
common_read(const struct virtio_pci *v, uint64_t offset, unsigned size)
{
	uint8_t image[COMMON_SIZE + 8] = { 0 };

	if (offset >= COMMON_SIZE)
		return 0;
	common_image(v, image);
	return get64(image + offset) & (size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1);
}

static void
set_half(uint64_t *address, bool high, uint32_t value)
{
	*address = high ? (*address & UINT32_MAX) | (uint64_t)value << 32 : (*address & ~(uint64_t)UINT32_MAX) | value;
}

/* A vector that the function does not have reads back as none. */
static uint16_t
vector(const struct virtio_pci *v, uint32_t value)
{
	return value < v->pci.vectors ? (uint16_t)value : VIRTIO_NO_VECTOR;
}

static void
queue_write(struct virtio_pci *v, struct virtqueue *queue, uint64_t offset, uint32_t value)
{
	struct virtio_device *device = v->device;

	if (!queue)
		return;
	if (offset == QUEUE_VECTOR) {
		queue->vector = vector(v, value);
	} else if (offset == QUEUE_RESET) {
		if (value != 1 || !virtio_has(device, VIRTIO_F_RING_RESET))
			return;
		if (device->class->queue_reset)
			device->class->queue_reset(device, queue);
		virtqueue_reset(queue);
	} else if (!queue->ready) {
		switch (offset) {
		case QUEUE_SIZE: queue->size = (uint16_t)value; break;
		case QUEUE_ENABLE:
			if (value == 1)
				virtqueue_set_ready(queue);
			break;
		case QUEUE_DESC: case QUEUE_DESC + 4: set_half(&queue->descriptors, offset & 4, value); break;
		case QUEUE_DRIVER: case QUEUE_DRIVER + 4: set_half(&queue->driver, offset & 4, value); break;
		case QUEUE_DEVICE: case QUEUE_DEVICE + 4: set_half(&queue->used, offset & 4, value); break;
		}
	}
}

static void
common_write(struct virtio_pci *v, uint64_t offset, uint32_t value)
{
	struct virtio_device *device = v->device;

	switch (offset) {
	case DEVICE_FEATURE_SELECT: device->feature_page = value; break;
	case DRIVER_FEATURE_SELECT: device->driver_feature_page = value; break;
	case DRIVER_FEATURE: virtio_accept_page(device, value); break;
	case CONFIG_VECTOR: device->config_vector = vector(v, value); break;
	case STATUS: virtio_set_status(device, (uint8_t)value); break;
	case QUEUE_SELECT: device->queue_selected = (uint16_t)value; break;
	default: queue_write(v, virtio_selected(device), offset, value); break;
	}
}

/* ---- the BAR -------------------------------------------------------------------- */

static uint64_t
bar_read(void *owner, uint64_t offset, unsigned size)
{
	struct virtio_pci *v = owner;
	uint64_t at = offset % PAGE;

	switch (offset - at) {
	case COMMON_AT: return common_read(v, at, size);
	case DEVICE_AT: return virtio_config_read(v->device, at, size);
	case ISR_AT:
		if (!at) {
			uint8_t isr = v->device->isr;

			v->device->isr = 0; /* reading it acknowledges (virtio 4.1.4.5) */
			pci_set_intx(&v->pci, false);
			return isr;
		}
	}
	return 0;
}

static void
bar_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct virtio_pci *v = owner;
	uint64_t at = offset % PAGE;

	switch (offset - at) {
	case COMMON_AT:
		common_write(v, at, (uint32_t)value);
		if (size == 8)
			common_write(v, at + 4, (uint32_t)(value >> 32));
		break;
	case DEVICE_AT: virtio_config_write(v->device, at, size, value); break;
	case NOTIFY_AT: virtio_notified(v->device, (unsigned)(at / NOTIFY_STEP)); break;
	}
}

static const struct memory_ops bar_ops = { bar_read, bar_write, 1, 8 };

/* The window: four bytes of configuration space that stand for bytes of the BAR
 * (virtio 4.1.4.9). False: the capability names none. */
static bool
window_place(const struct virtio_pci *v, unsigned size, uint32_t *offset)
{
	const uint8_t *capability = v->pci.config + v->window;
	uint32_t length = get32(capability + 12);

	*offset = get32(capability + 8);
	return capability[4] == BAR && length == size && *offset < BAR_SIZE && *offset % size == 0;
}

static uint32_t
window_read(void *owner, unsigned offset, unsigned size)
{
	uint32_t at;

	return !offset && window_place(owner, size, &at) ? (uint32_t)bar_read(owner, at, size) : 0;
}

static void
window_write(void *owner, unsigned offset, unsigned size, uint32_t value)
{
	uint32_t at;

	if (!offset && window_place(owner, size, &at))
		bar_write(owner, at, size, value);
}

/* ---- the transport ------------------------------------------------------------------ */

static void
pci_interrupt(void *owner, const struct virtqueue *queue)
{
	struct virtio_pci *v = owner;

	if (pci_msix_enabled(&v->pci))
		pci_msix_send(&v->pci, queue ? queue->vector : v->device->config_vector);
	else
		pci_set_intx(&v->pci, v->device->isr);
}

static void
transport_reset(void *owner, bool power)
{
	struct virtio_pci *v = owner;

	if (power)
		pci_reset(&v->pci);
	else
		pci_set_intx(&v->pci, false);
}

static void
transport_state(void *owner, struct state *s)
{
	struct virtio_pci *v = owner;

	pci_state(&v->pci, s);
}

static const struct virtio_transport pci_transport = { pci_interrupt, transport_reset, transport_state, free };

/* ---- description ---------------------------------------------------------------------- */

static unsigned
add_structure(struct virtio_pci *v, enum structure structure, uint32_t offset, uint32_t size, unsigned extra)
{
	unsigned at = pci_add_capability(&v->pci, VENDOR_CAPABILITY, 16 + extra);

	v->pci.config[at + 2] = (uint8_t)(16 + extra);
	v->pci.config[at + 3] = (uint8_t)structure;
	v->pci.config[at + 4] = structure == PCI_CFG ? 0 : BAR;
	pci_put32(&v->pci, at + 8, offset);
	pci_put32(&v->pci, at + 12, size);
	return at;
}

static uint32_t
class_code(uint16_t id)
{
	switch (id) {
	case 1: return 0x020000;        /* Ethernet */
	case 2: case 8: return 0x010000; /* SCSI-like storage */
	case 3: return 0x078000;        /* communication */
	case 19: return 0x028000;       /* network, other */
	}
	return 0x00ff00;
}

static void
describe(struct virtio_pci *v)
{
	struct virtio_device *device = v->device;
	unsigned vectors = device->queues + 1, at;

	pci_init(&v->pci, &(struct pci_identity){ .vendor = VENDOR,
						  .device = (uint16_t)(DEVICE_BASE + device->class->id),
						  .subsystem_vendor = VENDOR,
						  .subsystem = 0x1100,
						  .class_code = class_code(device->class->id),
						  .revision = 1 });
	pci_add_bar(&v->pci, BAR, BAR_SIZE, true, &bar_ops, v);
	add_structure(v, COMMON, COMMON_AT, PAGE, 0);
	add_structure(v, ISR, ISR_AT, PAGE, 0);
	add_structure(v, DEVICE, DEVICE_AT, PAGE, 0);
	at = add_structure(v, NOTIFY, NOTIFY_AT, PAGE, 4);
	pci_put32(&v->pci, at + 16, NOTIFY_STEP);
	v->window = add_structure(v, PCI_CFG, 0, 0, 4);
	v->pci.writable[v->window + 4] = 0xff;
	memset(v->pci.writable + v->window + 8, 0xff, 8);
	v->pci.window = v->window + 16;
	v->pci.window_size = 4;
	v->pci.window_read = window_read;
	v->pci.window_write = window_write;
	v->pci.window_owner = v;
	pci_add_msix(&v->pci, MSIX_BAR, vectors < PCI_MSIX_VECTORS ? vectors : PCI_MSIX_VECTORS);
}

int
virtio_pci_attach(struct virtio_device *device, struct pci_bus *bus, int slot, struct error *error)
{
	struct virtio_pci *v = calloc(1, sizeof *v);

	if (!v) {
		virtio_free(&device->device);
		return error_set(error, 0, "%s: no memory", device->device.name);
	}
	v->device = device;
	describe(v);
	virtio_attach(device, &pci_transport, v);
	if (pci_attach(bus, slot, &v->pci, error)) {
		virtio_free(&device->device);
		return -1;
	}
	return 0;
}

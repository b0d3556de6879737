/* device/virtio/: the devices of the virtio standard, version 1.2 (cited below as
 * "virtio 2.7"), modern interface only.
 *
 * The pieces
 *
 *     transport (mmio.c, pci.c)      registers as the guest sees them
 *          |  virtio_* of device.c: features, status, queues' set-up
 *     struct virtio_device           what is common to all devices
 *          |  struct virtio_class
 *     blk.c, net.c, console.c …      one file a kind
 *          |  virtqueue_pop, virtqueue_push, virtqueue_signal
 *     struct virtqueue               split.c, packed.c: the rings in guest RAM
 *
 * The rings are hostile. Every descriptor is copied once, checked, and used from
 * the copy; a queue or descriptor that cannot be puts its device into
 * NEEDS_RESET with one line in the log (virtio_broken), and from then on the
 * device touches neither its queues nor guest memory until the driver resets
 * it. What a chain's buffers hold may change at any time: a device copies what
 * it decides on.
 *
 * Threading: everything here runs under the machine's device lock (device.h).
 * Backends that work on threads of their own come back through it.
 */
#ifndef DEVICE_VIRTIO_VIRTIO_H
#define DEVICE_VIRTIO_VIRTIO_H

#include <pthread.h>
#include <sys/uio.h>

#include "bus/pci.h"
#include "device/device.h"
#include "host/event.h"

#define VIRTQUEUE_SIZE 256u   /* the largest queue, in descriptors */
#define VIRTIO_SEGMENTS 256u  /* the most buffers of one chain, indirect ones included */

/* virtio 2.1 */
enum virtio_status {
	VIRTIO_ACKNOWLEDGE = 1,
	VIRTIO_DRIVER = 2,
	VIRTIO_DRIVER_OK = 4,
	VIRTIO_FEATURES_OK = 8,
	VIRTIO_NEEDS_RESET = 64,
	VIRTIO_FAILED = 128,
};

/* Feature bits that are not a device's own (virtio 6). */
#define VIRTIO_F(bit) (UINT64_C(1) << (bit))
enum virtio_feature {
	VIRTIO_F_INDIRECT_DESC = 28,
	VIRTIO_F_EVENT_IDX = 29,
	VIRTIO_F_VERSION_1 = 32,
	VIRTIO_F_RING_PACKED = 34,
	VIRTIO_F_RING_RESET = 40,
};

/* Bits of the interrupt status (virtio 4.1.4.5). */
enum virtio_isr { VIRTIO_ISR_QUEUE = 1, VIRTIO_ISR_CONFIG = 2 };

#define VIRTIO_NO_VECTOR 0xffff

struct virtio_device;

/* One queue. The fields of the first group are the driver's wishes, set through
 * the transport while the queue is not ready. */
struct virtqueue {
	struct virtio_device *device;
	uint16_t index;
	uint16_t max;             /* the largest size that the device takes */
	uint16_t size;            /* descriptors */
	uint16_t vector;          /* MSI-X entry */
	bool ready;
	uint64_t descriptors, driver, used; /* guest-physical: descriptor, driver and
	                                       device area (virtio 2.6) */

	uint16_t next;            /* split: avail index, packed: position, of the next chain */
	uint16_t used_next;       /* the same for the next used element */
	uint16_t signalled;       /* used_next when the driver was last interrupted */
	bool signalled_known;
	bool next_wrap, used_wrap; /* packed */

	uint8_t *host_descriptors, *host_driver, *host_used; /* where they are, while ready */

	/* Chains that are done but not yet shown to the driver. */
	struct virtqueue_done {
		uint16_t id, descriptors;
		uint32_t written;
		bool writable; /* has buffers that the device writes */
	} done[VIRTQUEUE_SIZE];
	unsigned done_count;
	bool unsignalled; /* published since the last virtqueue_signal */
};

/* A chain that was taken from a queue: its buffers, in host memory that is guest
 * RAM. The device reads the first `out` ones and writes the `in` ones after them. */
struct virtio_chain {
	uint16_t id;          /* for virtqueue_push */
	uint16_t descriptors; /* packed: places in the ring that it takes */
	uint16_t out, in;
	uint64_t out_size, in_size; /* bytes */
	struct iovec segment[VIRTIO_SEGMENTS];
	uint64_t address[VIRTIO_SEGMENTS]; /* guest-physical, of each */
};

/* What a kind of device is. Callbacks that are NULL are not needed. */
struct virtio_class {
	struct device_type type; /* VIRTIO_TYPE(name, version) */
	uint16_t id;             /* virtio 5 */
	uint16_t config_size;    /* bytes of configuration space */
	/* Back to power-on: nothing of the driver's is held afterwards. */
	void (*reset)(struct virtio_device *device);
	/* The driver's choice is made (FEATURES_OK), or was restored. */
	void (*accepted)(struct virtio_device *device);
	/* The queue may have new chains. Only while the device is live. */
	void (*notify)(struct virtio_device *device, struct virtqueue *queue);
	/* The driver takes one queue back: drop what is held of it. */
	void (*queue_reset)(struct virtio_device *device, struct virtqueue *queue);
	/* Writes the configuration space as it is now to config (config_size bytes). */
	void (*config)(struct virtio_device *device, uint8_t *config);
	/* The driver wrote [offset, offset + size) of config, inside config_size. */
	void (*configure)(struct virtio_device *device, const uint8_t *config, unsigned offset, unsigned size);
	void (*state)(struct virtio_device *device, struct state *s);
	void (*quiesce)(struct virtio_device *device);
	void (*resume)(struct virtio_device *device);
	/* The device lock is not held; what takes it (events) takes it here. */
	void (*free)(struct virtio_device *device);
};

/* The transport's half, called by the device. */
struct virtio_transport {
	/* The interrupt of a queue, or of a configuration change (queue NULL). */
	void (*interrupt)(void *transport, const struct virtqueue *queue);
	/* The interrupt status is 0 again; power: all else is as after power-on too. */
	void (*reset)(void *transport, bool power);
	void (*state)(void *transport, struct state *s);
	void (*free)(void *transport);
};

/* What a device needs of its machine; all borrowed. */
struct virtio_host {
	struct memory *memory;
	struct event_loop *loop;
	pthread_mutex_t *lock; /* the device lock */
	bool packed;           /* offer packed rings */
};

/* First member of each kind's struct. */
struct virtio_device {
	struct device device;
	const struct virtio_class *class;
	struct virtio_host host;
	const struct virtio_transport *transport;
	void *transport_owner;

	uint64_t offered;  /* features */
	struct virtqueue *queue;
	unsigned queues;

	/* What the driver sees and sets through either transport. */
	uint64_t features; /* that it accepted */
	uint32_t feature_page, driver_feature_page; /* device_feature_select, driver_feature_select */
	uint16_t queue_selected;
	uint16_t config_vector;
	uint8_t status;
	uint8_t isr;
	uint32_t generation; /* of the configuration space */
	bool stopped;        /* quiesced: queues wait for resume */
};

/* ---- for each kind of device ---------------------------------------------- */

#define VIRTIO_TYPE(kind, version_) \
	{ .name = (kind), .version = (version_), .reset = virtio_reset, .state = virtio_state, \
	  .quiesce = virtio_quiesce, .resume = virtio_resume, .free = virtio_free }

void virtio_reset(struct device *device);
void virtio_state(struct device *device, struct state *s);
void virtio_quiesce(struct device *device);
void virtio_resume(struct device *device);
/* Frees kind, transport and device; the lock is not held, the event loop still there. */
void virtio_free(struct device *device);

/* Fills in what is common; size: of the kind's struct. features: the kind's own
 * bits; the common ones are added. Each queue takes up to `most` descriptors.
 * NULL: no memory. */
void *virtio_new(const struct virtio_class *class, size_t size, const struct virtio_host *host, const char *name,
		 uint64_t features, unsigned queues, uint16_t most);
static inline bool
virtio_has(const struct virtio_device *device, unsigned feature)
{
	return device->features >> feature & 1;
}
/* DRIVER_OK, not broken, not stopped: queues may be used. */
static inline bool
virtio_live(const struct virtio_device *device)
{
	return (device->status & (VIRTIO_DRIVER_OK | VIRTIO_NEEDS_RESET)) == VIRTIO_DRIVER_OK && !device->stopped;
}
/* The driver broke a rule: NEEDS_RESET, one log line. */
void virtio_broken(struct virtio_device *device, const char *format, ...) PRINTF_LIKE(2, 3);
/* The configuration space has changed: new generation, interrupt. */
void virtio_config_changed(struct virtio_device *device);

/* Takes the next chain. False: none (then the driver notifies of the next one),
 * or the device is not live, or has just been broken. */
bool virtqueue_pop(struct virtqueue *queue, struct virtio_chain *chain);
/* True if virtqueue_pop would find something, and asks for notification if not. */
bool virtqueue_waiting(struct virtqueue *queue);
/* Gives a chain back, of which the first `written` bytes of the writable buffers
 * were written. The driver is told by virtqueue_signal, once for many. */
void virtqueue_push(struct virtqueue *queue, const struct virtio_chain *chain, uint32_t written);
void virtqueue_signal(struct virtqueue *queue);
/* Gives back chains whose use is seen at once (virtio-net's merged buffers):
 * each with virtqueue_push_later, then virtqueue_publish; or virtqueue_abandon,
 * which leaves them on the queue, to be taken again. */
void virtqueue_push_later(struct virtqueue *queue, const struct virtio_chain *chain, uint32_t written);
void virtqueue_publish(struct virtqueue *queue);
void virtqueue_abandon(struct virtqueue *queue);
/* Leaves the chain that was taken last, and not pushed, on the queue. */
void virtqueue_unpop(struct virtqueue *queue, const struct virtio_chain *chain);

/* Copies from the readable, to the writable bytes of a chain, from offset on;
 * returns how many there were, at most size. */
size_t virtio_chain_read(const struct virtio_chain *chain, uint64_t offset, void *to, size_t size);
size_t virtio_chain_write(const struct virtio_chain *chain, uint64_t offset, const void *from, size_t size);
/* The part [offset, offset + size) of count segments as segments at to (room
 * for as many); returns how many, and what they have in all. */
unsigned virtio_cut(const struct iovec *segment, unsigned count, uint64_t offset, uint64_t size, struct iovec *to,
		    uint64_t *total);

/* ---- for the transports ---------------------------------------------------- */

void virtio_attach(struct virtio_device *device, const struct virtio_transport *transport, void *owner);
uint32_t virtio_offered_page(const struct virtio_device *device);
uint32_t virtio_accepted_page(const struct virtio_device *device);
void virtio_accept_page(struct virtio_device *device, uint32_t bits);
void virtio_set_status(struct virtio_device *device, uint8_t status);
/* The selected queue; NULL when there is no such one. */
struct virtqueue *virtio_selected(struct virtio_device *device);
void virtqueue_set_ready(struct virtqueue *queue);
void virtqueue_reset(struct virtqueue *queue);
void virtio_notified(struct virtio_device *device, unsigned queue);
/* size 1, 2, 4 or 8; beyond the configuration space reads are 0 and writes lost. */
uint64_t virtio_config_read(struct virtio_device *device, uint64_t offset, unsigned size);
void virtio_config_write(struct virtio_device *device, uint64_t offset, unsigned size, uint64_t value);

/* The small transport (virtio 4.2): 0x200 bytes of registers at address. The
 * device is the machine's afterwards (device->free frees both); on failure it is
 * freed. irq is copied. */
int virtio_mmio_attach(struct virtio_device *device, uint64_t address, const struct irq_line *irq,
		       struct error *error);
#define VIRTIO_MMIO_SIZE 0x200u
/* The main transport (virtio 4.1): a PCI function in `slot` of the bus, or in any
 * (PCI_ANY_SLOT). Ownership as above. */
int virtio_pci_attach(struct virtio_device *device, struct pci_bus *bus, int slot, struct error *error);
/* A place without a device, which drivers skip (virtio 4.2.2.2). */
int virtio_mmio_empty(struct memory *memory, uint64_t address, struct error *error);

#endif

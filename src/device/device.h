/* device/: guest-visible chips. One small file a chip, named as on its data
 * sheet, and one const struct of callbacks.
 *
 * A device sees its registers, its interrupt line, a clock, guest memory through
 * checked access, the backends of backend/, and its state fields; never a vCPU.
 *
 * Threading: every callback, register access and event-loop call is made under
 * the machine's one device lock (machine.h). Host I/O that may block happens on
 * a backend's threads, which take the lock to tell the device of completion.
 */
#ifndef DEVICE_DEVICE_H
#define DEVICE_DEVICE_H

#include "bus/irq.h"
#include "memory/memory.h"
#include "state/state.h"

struct device;

/* What kind of chip it is. */
struct device_type {
	const char *name; /* "ns16550a"; a snapshot's section */
	unsigned version; /* of its state */
	/* As after power-on. */
	void (*reset)(struct device *device);
	/* Lists its fields once; also called to restore, after reset. */
	void (*state)(struct device *device, struct state *s);
	/* Stops and starts host activity around snapshots: after quiesce no
	 * backend request is in flight. NULL: has none. */
	void (*quiesce)(struct device *device);
	void (*resume)(struct device *device);
	void (*free)(struct device *device);
};

/* First member of each device's struct. */
struct device {
	const struct device_type *type;
	char name[32];          /* unique in its machine: "disk0" */
	struct device *next;    /* in the machine's list */
};

#endif

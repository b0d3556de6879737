/* ACLINT: machine timer and software interrupts in the layout of SiFive's CLINT,
 * and supervisor software interrupts (RISC-V ACLINT specification 1.0-rc4). */
#ifndef DEVICE_INTC_ACLINT_H
#define DEVICE_INTC_ACLINT_H

#include "bus/clock.h"
#include "device/device.h"
#include "host/event.h"

#define ACLINT_SIZE 0x10000u
#define ACLINT_SSWI_SIZE 0x4000u

struct aclint_wiring {
	uint64_t clint, sswi;     /* addresses */
	unsigned harts;           /* at most 64 */
	uint64_t hz;              /* of mtime; divides 10^9 */
	struct guest_clock *clock; /* borrowed, as the loop */
	struct event_loop *loop;
	/* A line for each hart, borrowed until return: MTI, MSI, SSI. The last is
	 * only ever raised: its pending bit is software's to clear. */
	const struct irq_line *timer, *software, *supervisor;
};

struct device *aclint_new(struct memory *memory, const struct aclint_wiring *wiring, struct error *error);

#endif

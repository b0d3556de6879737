/* The test finisher of SiFive's boards, which a device tree calls syscon: a word
 * that switches the machine off or resets it. */
#ifndef DEVICE_POWER_SYSCON_H
#define DEVICE_POWER_SYSCON_H

#include "device/device.h"

#define SYSCON_SIZE 0x1000u

/* What is written, with a code in the upper 16 bits for the second. */
enum { SYSCON_PASS = 0x5555, SYSCON_FAIL = 0x3333, SYSCON_RESET = 0x7777 };

/* Who is told; called on a vCPU's thread under the device lock. */
struct syscon_power {
	void (*off)(void *owner, bool failed, int code);
	void (*reset)(void *owner);
	void *owner;
};

struct device *syscon_new(struct memory *memory, uint64_t address, const struct syscon_power *power,
			  struct error *error);

#endif

/* The Goldfish real-time clock: nanoseconds since 1970 and one alarm. */
#ifndef DEVICE_RTC_GOLDFISH_H
#define DEVICE_RTC_GOLDFISH_H

#include "device/device.h"
#include "host/event.h"

#define GOLDFISH_RTC_SIZE 0x1000u

/* loop borrowed. NULL: *error. */
struct device *goldfish_rtc_new(struct memory *memory, uint64_t address, const struct irq_line *irq,
				struct event_loop *loop, struct error *error);

#endif

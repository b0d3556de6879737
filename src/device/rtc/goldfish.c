/* Goldfish RTC. Reading TIME_LOW latches TIME_HIGH; writing ALARM_LOW arms the
 * alarm with the ALARM_HIGH written before it. (Android's goldfish hardware
 * description, "Goldfish timer".)
 *
 * It shows the host's calendar plus what the guest set it ahead. That the host's
 * calendar may be set while an alarm waits is left to the next look at it.
 */
#include "device/rtc/goldfish.h"

#include <stdlib.h>
#include <time.h>

#include "host/clock.h"

enum {
	TIME_LOW = 0x00,
	TIME_HIGH = 0x04,
	ALARM_LOW = 0x08,
	ALARM_HIGH = 0x0c,
	IRQ_ENABLED = 0x10,
	CLEAR_ALARM = 0x14,
	ALARM_STATUS = 0x18,
	CLEAR_INTERRUPT = 0x1c,
};

struct goldfish_rtc {
	struct device device;
	struct irq_line irq;
	struct event *event;
	uint64_t ahead; /* of the host's calendar; wraps */
	uint64_t alarm;
	uint32_t latch, alarm_high, set_high;
	bool armed, enabled, pending;
};

static uint64_t
now(const struct goldfish_rtc *r)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec + r->ahead;
}

static void
update(struct goldfish_rtc *r)
{
	uint64_t time = now(r);

	if (r->armed && r->alarm <= time) {
		r->armed = false;
		r->pending = true;
	}
	/* An alarm farther away than a host lives needs no event. */
	if (r->armed && r->alarm - time < (uint64_t)INT64_MAX / 2)
		event_arm(r->event, clock_nanoseconds() + (r->alarm - time));
	else
		event_arm(r->event, UINT64_MAX);
	irq_set(&r->irq, r->pending && r->enabled);
}

static void
on_time(void *owner)
{
	update(owner);
}

static uint64_t
rtc_read(void *device, uint64_t offset, unsigned size)
{
	struct goldfish_rtc *r = device;
	uint64_t time;

	(void)size;
	switch (offset) {
	case TIME_LOW:
		time = now(r);
		r->latch = (uint32_t)(time >> 32);
		return (uint32_t)time;
	case TIME_HIGH:
		return r->latch;
	case ALARM_LOW:
		return (uint32_t)r->alarm;
	case ALARM_HIGH:
		return r->alarm >> 32;
	case IRQ_ENABLED:
		return r->enabled;
	case ALARM_STATUS:
		return r->armed;
	}
	return 0;
}

static void
rtc_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct goldfish_rtc *r = device;

	(void)size;
	switch (offset) {
	case TIME_LOW:
		r->ahead += ((uint64_t)r->set_high << 32 | value) - now(r);
		break;
	case TIME_HIGH:
		r->set_high = (uint32_t)value;
		break;
	case ALARM_LOW:
		r->alarm = (uint64_t)r->alarm_high << 32 | value;
		r->armed = true;
		break;
	case ALARM_HIGH:
		r->alarm_high = (uint32_t)value;
		break;
	case IRQ_ENABLED:
		r->enabled = value & 1;
		break;
	case CLEAR_ALARM:
		r->armed = false;
		break;
	case CLEAR_INTERRUPT:
		r->pending = false;
		break;
	}
	update(r);
}

static const struct memory_ops rtc_ops = { rtc_read, rtc_write, 4, 4 };

/* The time goes on across a reset, as on a battery. */
static void
rtc_reset(struct device *device)
{
	struct goldfish_rtc *r = (struct goldfish_rtc *)device;

	r->alarm = 0;
	r->latch = r->alarm_high = r->set_high = 0;
	r->armed = r->enabled = r->pending = false;
	update(r);
}

static void
rtc_state(struct device *device, struct state *s)
{
	struct goldfish_rtc *r = (struct goldfish_rtc *)device;

	state_u64(s, "ahead", &r->ahead);
	state_u64(s, "alarm", &r->alarm);
	state_u32(s, "latch", &r->latch);
	state_u32(s, "alarm_high", &r->alarm_high);
	state_u32(s, "set_high", &r->set_high);
	state_bool(s, "armed", &r->armed);
	state_bool(s, "enabled", &r->enabled);
	state_bool(s, "pending", &r->pending);
	if (state_way(s) == STATE_RESTORE)
		update(r);
}

static void
rtc_free(struct device *device)
{
	event_remove(((struct goldfish_rtc *)device)->event);
	free(device);
}

static const struct device_type goldfish_rtc_type = {
	.name = "goldfish-rtc",
	.version = 1,
	.reset = rtc_reset,
	.state = rtc_state,
	.free = rtc_free,
};

struct device *
goldfish_rtc_new(struct memory *memory, uint64_t address, const struct irq_line *irq, struct event_loop *loop,
		 struct error *error)
{
	struct goldfish_rtc *r = calloc(1, sizeof *r);

	if (!r)
		fatal("out of memory for a clock");
	r->device.type = &goldfish_rtc_type;
	r->irq = *irq;
	if (memory_add_device(memory, "rtc", address, GOLDFISH_RTC_SIZE, &rtc_ops, r, error)) {
		free(r);
		return NULL;
	}
	r->event = event_timer(loop, on_time, r);
	return &r->device;
}

/* The guest's clock: time since it was switched on, which stands still while the
 * machine is paused. Read by any thread; changed while all vCPUs stand still or
 * under the device lock. Time-of-day chips use the host's calendar instead. */
#ifndef BUS_CLOCK_H
#define BUS_CLOCK_H

#include "base/base.h"
#include "host/event.h"
#include "state/state.h"

struct guest_clock {
	uint64_t start;  /* host's clock_nanoseconds when this one was 0; wraps */
	uint64_t frozen; /* while it stands still: what it shows */
	bool still;
	/* Called (if not NULL) after it was set, under the caller's locks. */
	void (*moved)(void *owner);
	void *owner;
	uint64_t (*source)(void *owner); /* NULL: clock_nanoseconds */
	/* The source is no clock of the host's: timers of this one are fired by hand,
	 * by what it shows (host/event.h). */
	bool counted;
	/* If it is counted: called (if not NULL) when a timer of it is armed, for when. */
	void (*armed)(void *owner, uint64_t nanoseconds);
};

/* At 0 and standing still. */
void guest_clock_init(struct guest_clock *clock);
void guest_clock_stop(struct guest_clock *clock);
void guest_clock_go(struct guest_clock *clock);
/* Nanoseconds that it shows now; and makes it show them. */
uint64_t guest_clock_now(const struct guest_clock *clock);
void guest_clock_set(struct guest_clock *clock, uint64_t nanoseconds);
/* Arms a timer for when it shows this; UINT64_MAX: never. While it stands still no time
 * comes: timers are to be armed anew when it goes on. */
void guest_clock_arm(const struct guest_clock *clock, struct event *timer, uint64_t nanoseconds);
/* Stands still meanwhile. */
void guest_clock_state(struct guest_clock *clock, struct state *s);

#endif

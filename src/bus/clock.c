/* The guest's clock is the host's monotonic clock minus the time it stood still.
 *
 * A vCPU may read it while another sets it (mtime): each field is one atomic word,
 * and `still` changes only while all of them stand still. */
#include "bus/clock.h"

#include "host/clock.h"

static uint64_t
source(const struct guest_clock *clock)
{
	return clock->source ? clock->source(clock->owner) : clock_nanoseconds();
}

void
guest_clock_init(struct guest_clock *clock)
{
	*clock = (struct guest_clock){ .still = true };
}

uint64_t
guest_clock_now(const struct guest_clock *clock)
{
	if (__atomic_load_n(&clock->still, __ATOMIC_ACQUIRE))
		return __atomic_load_n(&clock->frozen, __ATOMIC_RELAXED);
	return source(clock) - __atomic_load_n(&clock->start, __ATOMIC_RELAXED);
}

void
guest_clock_stop(struct guest_clock *clock)
{
	__atomic_store_n(&clock->frozen, guest_clock_now(clock), __ATOMIC_RELAXED);
	__atomic_store_n(&clock->still, true, __ATOMIC_RELEASE);
}

void
guest_clock_go(struct guest_clock *clock)
{
	if (clock->still)
		__atomic_store_n(&clock->start, source(clock) - clock->frozen, __ATOMIC_RELAXED);
	__atomic_store_n(&clock->still, false, __ATOMIC_RELEASE);
}

void
guest_clock_set(struct guest_clock *clock, uint64_t nanoseconds)
{
	__atomic_store_n(&clock->frozen, nanoseconds, __ATOMIC_RELAXED);
	__atomic_store_n(&clock->start, source(clock) - nanoseconds, __ATOMIC_RELAXED);
	if (clock->moved)
		clock->moved(clock->owner);
}

/* The host's clock_nanoseconds when it will show this. */
static uint64_t
host_time(const struct guest_clock *clock, uint64_t nanoseconds)
{
	uint64_t now = guest_clock_now(clock);

	if (nanoseconds <= now)
		return 0;
	/* In a host's life nothing is further away than this. */
	if (nanoseconds - now >= (uint64_t)INT64_MAX / 2)
		return UINT64_MAX;
	return source(clock) + (nanoseconds - now);
}

void
guest_clock_arm(const struct guest_clock *clock, struct event *timer, uint64_t nanoseconds)
{
	if (clock->still || nanoseconds == UINT64_MAX) {
		event_arm(timer, UINT64_MAX);
	} else if (clock->counted) {
		event_arm(timer, nanoseconds);
		if (clock->armed)
			clock->armed(clock->owner, nanoseconds);
	} else {
		event_arm(timer, host_time(clock, nanoseconds));
	}
}

void
guest_clock_state(struct guest_clock *clock, struct state *s)
{
	uint64_t now = guest_clock_now(clock);

	state_begin(s, "clock", 1);
	state_u64(s, "nanoseconds", &now);
	state_end(s);
	if (state_way(s) == STATE_RESTORE)
		guest_clock_set(clock, now);
}

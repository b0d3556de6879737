/* ACLINT, three parts: MSWI and MTIMER in one region as a CLINT, SSWI in another.
 *
 * MTIMER compares mtime, the guest's clock in ticks, with each hart's mtimecmp; a
 * timer of the event loop raises the line when its time has come.
 */
#include "device/intc/aclint.h"

#include <stdlib.h>

#define HARTS 64u

enum { MTIMECMP = 0x4000, MTIME = 0xbff8, MTIME_END = 0xc000 }; /* before: MSIP */

struct aclint {
	struct device device;
	struct guest_clock *clock;
	unsigned harts;
	uint64_t tick; /* nanoseconds */
	struct event *event;
	uint64_t mtimecmp[HARTS];
	bool msip[HARTS];
	struct irq_line timer[HARTS], software[HARTS], supervisor[HARTS];
};

static uint64_t
mtime(const struct aclint *a)
{
	return guest_clock_now(a->clock) / a->tick;
}

/* Lines follow the comparisons; the event comes at the next that will be true. */
static void
update_timers(struct aclint *a)
{
	uint64_t now = mtime(a), next = UINT64_MAX;

	for (unsigned i = 0; i < a->harts; i++) {
		bool due = now >= a->mtimecmp[i];

		irq_set(&a->timer[i], due);
		if (!due && a->mtimecmp[i] < next)
			next = a->mtimecmp[i];
	}
	guest_clock_arm(a->clock, a->event, next > UINT64_MAX / a->tick ? UINT64_MAX : next * a->tick);
}

static void
on_time(void *owner)
{
	update_timers(owner);
}

/* Cuts what is asked for out of a 64-bit register, and puts it in. */
static uint64_t
part(uint64_t value, uint64_t offset, unsigned size)
{
	return size == 8 ? value : value >> (offset & 4 ? 32 : 0) & UINT32_MAX;
}

static uint64_t
with_part(uint64_t value, uint64_t offset, unsigned size, uint64_t new)
{
	unsigned shift = offset & 4 ? 32 : 0;

	if (size == 8)
		return new;
	return (value & ~((uint64_t)UINT32_MAX << shift)) | (new & UINT32_MAX) << shift;
}

static uint64_t
clint_read(void *owner, uint64_t offset, unsigned size)
{
	struct aclint *a = owner;

	if (offset < MTIMECMP) {
		uint64_t low = offset / 4 < a->harts ? a->msip[offset / 4] : 0;
		uint64_t high = size == 8 && offset / 4 + 1 < a->harts ? a->msip[offset / 4 + 1] : 0;

		return low | high << 32;
	}
	if (offset >= MTIME)
		return offset < MTIME_END ? part(mtime(a), offset, size) : 0;
	return (offset - MTIMECMP) / 8 < a->harts ? part(a->mtimecmp[(offset - MTIMECMP) / 8], offset, size) : 0;
}

static void
write_msip(struct aclint *a, uint64_t hart, uint64_t value)
{
	if (hart >= a->harts)
		return;
	a->msip[hart] = value & 1;
	irq_set(&a->software[hart], a->msip[hart]);
}

static void
clint_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct aclint *a = owner;

	if (offset < MTIMECMP) {
		write_msip(a, offset / 4, value);
		if (size == 8)
			write_msip(a, offset / 4 + 1, value >> 32);
	} else if (offset >= MTIME_END) {
		return;
	} else if (offset >= MTIME) {
		/* Everybody's clock moves; the board tells the others. */
		guest_clock_set(a->clock, with_part(mtime(a), offset, size, value) * a->tick);
		update_timers(a);
	} else if ((offset - MTIMECMP) / 8 < a->harts) {
		uint64_t *compare = &a->mtimecmp[(offset - MTIMECMP) / 8];

		*compare = with_part(*compare, offset, size, value);
		update_timers(a);
	}
}

static uint64_t
sswi_read(void *owner, uint64_t offset, unsigned size)
{
	(void)owner;
	(void)offset;
	(void)size;
	return 0;
}

static void
sswi_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct aclint *a = owner;

	(void)size;
	if (offset / 4 < a->harts && value & 1)
		irq_set(&a->supervisor[offset / 4], true);
}

static const struct memory_ops clint_ops = { clint_read, clint_write, 4, 8 };
static const struct memory_ops sswi_ops = { sswi_read, sswi_write, 4, 4 };

static void
aclint_reset(struct device *device)
{
	struct aclint *a = (struct aclint *)device;

	for (unsigned i = 0; i < a->harts; i++) {
		a->mtimecmp[i] = UINT64_MAX;
		a->msip[i] = false;
		irq_set(&a->software[i], false);
	}
	update_timers(a);
}

static void
aclint_state(struct device *device, struct state *s)
{
	struct aclint *a = (struct aclint *)device;

	for (unsigned i = 0; i < a->harts; i++) {
		state_u64(s, "mtimecmp", &a->mtimecmp[i]);
		state_bool(s, "msip", &a->msip[i]);
	}
	if (state_way(s) != STATE_RESTORE)
		return;
	for (unsigned i = 0; i < a->harts; i++)
		irq_set(&a->software[i], a->msip[i]);
	update_timers(a);
}

static void
aclint_free(struct device *device)
{
	struct aclint *a = (struct aclint *)device;

	event_remove(a->event);
	free(a);
}

/* The clock goes again. */
static void
aclint_resume(struct device *device)
{
	update_timers((struct aclint *)device);
}

static const struct device_type aclint_type = {
	.name = "aclint",
	.version = 1,
	.reset = aclint_reset,
	.state = aclint_state,
	.resume = aclint_resume,
	.free = aclint_free,
};

struct device *
aclint_new(struct memory *memory, const struct aclint_wiring *w, struct error *error)
{
	struct aclint *a = calloc(1, sizeof *a);

	if (!a)
		fatal("out of memory for the timer");
	a->device.type = &aclint_type;
	a->clock = w->clock;
	a->harts = w->harts < HARTS ? w->harts : HARTS;
	a->tick = 1000000000 / w->hz;
	for (unsigned i = 0; i < a->harts; i++) {
		a->mtimecmp[i] = UINT64_MAX;
		a->timer[i] = w->timer[i];
		a->software[i] = w->software[i];
		a->supervisor[i] = w->supervisor[i];
	}
	if (memory_add_device(memory, "clint", w->clint, ACLINT_SIZE, &clint_ops, a, error) ||
	    memory_add_device(memory, "sswi", w->sswi, ACLINT_SSWI_SIZE, &sswi_ops, a, error)) {
		free(a);
		return NULL;
	}
	a->event = event_timer(w->loop, on_time, a);
	if (a->clock->counted)
		event_by_hand(a->event);
	return &a->device;
}

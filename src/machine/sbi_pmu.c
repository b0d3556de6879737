/* SBI: performance monitoring (chapter 11). Counters of each hart: number 0 is the
 * CSR cycle, 2 is instret (1 is none: time is no counter), and from 3 on there are
 * counters of what this firmware does. No overflow interrupts, no filters.
 *
 * What happens is always counted, for each hart; a firmware counter is the difference
 * to what the total was when it started.
 */
#include "guest/riscv64/state.h"
#include "machine/virt.h"

enum { CYCLE = 0, INSTRET = 2, FIRST = 3, COUNTERS = FIRST + SBI_FIRMWARE_COUNTERS };
enum { HARDWARE_CYCLES = 1, HARDWARE_INSTRUCTIONS = 2, TYPE_HARDWARE = 0, TYPE_FIRMWARE = 15 };
enum { CONFIG_SKIP_MATCH = 1, CONFIG_CLEAR = 2, CONFIG_START = 4, START_SET_VALUE = 1, STOP_RESET = 1 };
#define NO_EVENT UINT32_MAX

static struct sbi_pmu *
pmu_of(struct machine *m, unsigned hart)
{
	return &virt_of(m)->pmu[hart];
}

void
sbi_pmu_count(struct machine *m, unsigned hart, enum sbi_event event)
{
	__atomic_add_fetch(&pmu_of(m, hart)->total[event], 1, __ATOMIC_RELAXED);
}

void
sbi_pmu_reset(struct machine *m)
{
	for (unsigned i = 0; i < m->cpus; i++) {
		struct sbi_pmu *p = pmu_of(m, i);

		*p = (struct sbi_pmu){ .started = 1 << CYCLE | 1 << INSTRET };
		for (unsigned n = 0; n < SBI_FIRMWARE_COUNTERS; n++)
			p->counter[n].event = NO_EVENT;
	}
}

/* ---- counters ---------------------------------------------------------------- */

static bool
exists(uint64_t n)
{
	return n < COUNTERS && n != 1;
}

static uint64_t
total(struct sbi_pmu *p, uint32_t event)
{
	return event < SBI_EVENTS ? __atomic_load_n(&p->total[event], __ATOMIC_RELAXED) : 0;
}

static uint64_t
read_counter(struct sbi_pmu *p, unsigned n)
{
	const struct sbi_counter *c = &p->counter[n - FIRST];

	return p->started >> n & 1 ? c->value + (total(p, c->event) - c->base) : c->value;
}

/* Starts or stops a counter; value: what it shows then, NULL: what it does now. */
static void
run(struct sbi *call, unsigned n, bool go, const uint64_t *value)
{
	struct sbi_pmu *p = pmu_of(call->machine, call->cpu->number);
	struct sbi_counter *c;

	if (n < FIRST) {
		riscv64_counter_run(call->cpu->vcpu.frame, n, go, value);
	} else {
		c = &p->counter[n - FIRST];
		c->value = value ? *value : read_counter(p, n);
		c->base = total(p, c->event);
	}
	p->started = go ? p->started | UINT32_C(1) << n : p->started & ~(UINT32_C(1) << n);
}

/* The set of counters (first, mask) as bits; false: some do not exist. */
static bool
counters(uint64_t first, uint64_t mask, uint32_t *set)
{
	*set = 0;
	if (first >= COUNTERS || !mask)
		return false;
	for (unsigned i = 0; i < 64; i++) {
		if (!(mask >> i & 1))
			continue;
		if (first + i >= COUNTERS)
			return false;
		*set |= UINT32_C(1) << (first + i);
	}
	return true;
}

static int64_t
info(struct sbi *call)
{
	enum { CSR_CYCLE = 0xc00, BITS_LESS_1 = 63 };
	uint64_t n = call->a[0];

	if (!exists(n))
		return SBI_INVALID_PARAM;
	call->value = n < FIRST ? CSR_CYCLE + n : UINT64_C(1) << 63;
	call->value |= BITS_LESS_1 << 12;
	return SBI_SUCCESS;
}

/* ---- configuring ---------------------------------------------------------------- */

/* A counter of the set that counts the event; COUNTERS: none does. */
static unsigned
match(const struct sbi_pmu *p, uint32_t set, unsigned type, unsigned code)
{
	if (type == TYPE_HARDWARE && code == HARDWARE_CYCLES && set >> CYCLE & 1)
		return CYCLE;
	if (type == TYPE_HARDWARE && code == HARDWARE_INSTRUCTIONS && set >> INSTRET & 1)
		return INSTRET;
	for (unsigned n = FIRST; type == TYPE_FIRMWARE && code < SBI_EVENTS && n < COUNTERS; n++)
		if (set >> n & 1 && !(p->started >> n & 1))
			return n;
	return COUNTERS;
}

static int64_t
configure(struct sbi *call)
{
	static const uint64_t zero;
	struct sbi_pmu *p = pmu_of(call->machine, call->cpu->number);
	unsigned type = call->a[3] >> 16 & 15, code = call->a[3] & 0xffff, n;
	uint32_t set;

	if (!counters(call->a[0], call->a[1], &set) || call->a[3] >> 20)
		return SBI_INVALID_PARAM;
	n = call->a[2] & CONFIG_SKIP_MATCH ? (unsigned)__builtin_ctz(set) : match(p, set, type, code);
	if (!exists(n))
		return call->a[2] & CONFIG_SKIP_MATCH ? SBI_INVALID_PARAM : SBI_NOT_SUPPORTED;
	if (n >= FIRST && !(call->a[2] & CONFIG_SKIP_MATCH)) {
		p->counter[n - FIRST].event = code;
		p->counter[n - FIRST].base = total(p, code);
	}
	if (call->a[2] & (CONFIG_CLEAR | CONFIG_START))
		run(call, n, call->a[2] & CONFIG_START || p->started >> n & 1, call->a[2] & CONFIG_CLEAR ? &zero : NULL);
	call->value = n;
	return SBI_SUCCESS;
}

static int64_t
start_or_stop(struct sbi *call, bool go)
{
	struct sbi_pmu *p = pmu_of(call->machine, call->cpu->number);
	int64_t result = SBI_SUCCESS;
	uint32_t set;

	if (!counters(call->a[0], call->a[1], &set))
		return SBI_INVALID_PARAM;
	for (unsigned n = 0; n < COUNTERS; n++) {
		if (!(set >> n & 1) || !exists(n))
			continue;
		if ((p->started >> n & 1) == go)
			result = go ? SBI_ALREADY_STARTED : SBI_ALREADY_STOPPED;
		else
			run(call, n, go, go && call->a[2] & START_SET_VALUE ? &call->a[3] : NULL);
		if (!go && call->a[2] & STOP_RESET && n >= FIRST)
			p->counter[n - FIRST].event = NO_EVENT;
	}
	return result;
}

int64_t
sbi_pmu(struct sbi *call)
{
	enum { NUMBER, INFO, CONFIGURE, START, STOP, READ, READ_HIGH };

	switch (call->function) {
	case NUMBER:
		call->value = COUNTERS;
		return SBI_SUCCESS;
	case INFO:
		return info(call);
	case CONFIGURE:
		return configure(call);
	case START:
		return start_or_stop(call, true);
	case STOP:
		return start_or_stop(call, false);
	case READ:
		if (!exists(call->a[0]) || call->a[0] < FIRST)
			return SBI_INVALID_PARAM;
		call->value = read_counter(pmu_of(call->machine, call->cpu->number), (unsigned)call->a[0]);
		return SBI_SUCCESS;
	case READ_HIGH:
		return SBI_SUCCESS; /* the upper half of 64 bits on 32-bit harts */
	}
	return SBI_NOT_SUPPORTED;
}

void
sbi_pmu_state(struct machine *m, struct state *s)
{
	for (unsigned i = 0; i < m->cpus; i++) {
		struct sbi_pmu *p = pmu_of(m, i);

		state_begin(s, "pmu", 1);
		state_u32(s, "started", &p->started);
		state_bytes(s, "total", p->total, sizeof p->total);
		for (unsigned n = 0; n < SBI_FIRMWARE_COUNTERS; n++) {
			state_u32(s, "event", &p->counter[n].event);
			state_u64(s, "value", &p->counter[n].value);
			state_u64(s, "base", &p->counter[n].base);
		}
		state_end(s);
	}
}

/* The built-in firmware: RISC-V Supervisor Binary Interface 2.0, for machines that
 * start a kernel directly. Calls come with the extension in a7, the function in
 * a6, arguments in a0 to a5; they answer an error in a0 and a value in a1. The
 * legacy calls (chapter 5) answer in a0 alone.
 */
#include "guest/riscv64/state.h"
#include "machine/virt.h"

enum { A0 = 10, A1 = 11, A6 = 16, A7 = 17, SSI = 1 };

/* ---- base (chapter 4) ---------------------------------------------------------- */

static bool known(uint64_t extension);

static int64_t
base(struct sbi *call)
{
	enum { VERSION, IMPLEMENTATION, IMPLEMENTATION_VERSION, PROBE, VENDOR, ARCHITECTURE, MACHINE_ID };
	enum { SBI_2_0 = 2 << 24, OURS = 0x150 /* no registered number */ };

	switch (call->function) {
	case VERSION:
		call->value = SBI_2_0;
		return SBI_SUCCESS;
	case IMPLEMENTATION:
		call->value = OURS;
		return SBI_SUCCESS;
	case IMPLEMENTATION_VERSION:
		call->value = 1;
		return SBI_SUCCESS;
	case PROBE:
		call->value = known(call->a[0]);
		return SBI_SUCCESS;
	case VENDOR:
	case ARCHITECTURE:
	case MACHINE_ID:
		call->value = 0;
		return SBI_SUCCESS;
	}
	return SBI_NOT_SUPPORTED;
}

/* ---- time (chapter 6) ------------------------------------------------------------ */

static int64_t
set_timer(struct sbi *call)
{
	sbi_pmu_count(call->machine, call->cpu->number, SBI_EVENT_SET_TIMER);
	call->machine->type->guest->system->set_timer(call->cpu->vcpu.frame, call->a[0]);
	return SBI_SUCCESS;
}

static int64_t
time_call(struct sbi *call)
{
	return call->function ? SBI_NOT_SUPPORTED : set_timer(call);
}

/* ---- sets of harts (3.1): a mask of 64 and the number of its first ----------------- */

/* *set: a bit for each hart; false: some are not there. */
static bool
harts(const struct machine *m, uint64_t mask, uint64_t first, uint64_t *set)
{
	uint64_t all = m->cpus < 64 ? (UINT64_C(1) << m->cpus) - 1 : UINT64_MAX;

	if (first == UINT64_MAX) {
		*set = all;
		return true;
	}
	*set = first < 64 ? mask << first : 0;
	return first < m->cpus && !(*set & ~all) && *set >> first == mask;
}

/* Counts what a hart sends and, the event after it, what each of the set receives. */
static void
count(struct sbi *call, uint64_t set, enum sbi_event sent)
{
	sbi_pmu_count(call->machine, call->cpu->number, sent);
	for (unsigned i = 0; i < call->machine->cpus; i++)
		if (set >> i & 1)
			sbi_pmu_count(call->machine, i, sent + 1);
}

/* ---- interrupts between harts (chapter 7) -------------------------------------------- */

static int64_t
ipi(struct sbi *call)
{
	uint64_t set;

	if (call->function)
		return SBI_NOT_SUPPORTED;
	if (!harts(call->machine, call->a[0], call->a[1], &set))
		return SBI_INVALID_PARAM;
	count(call, set, SBI_EVENT_IPI_SENT);
	for (unsigned i = 0; i < call->machine->cpus; i++)
		if (set >> i & 1) {
			struct irq_line line = machine_cpu_input(call->machine, i, SSI);

			irq_set(&line, true);
		}
	return SBI_SUCCESS;
}

/* ---- remote fences (chapter 8) ---------------------------------------------------------- */

static int64_t
rfence(struct sbi *call)
{
	enum { FENCE_I, SFENCE_VMA, SFENCE_VMA_ASID };
	struct cpu_flush flush = { .start = call->a[2], .size = call->a[3] };
	enum sbi_event event = SBI_EVENT_FENCE_I_SENT;
	uint64_t set;

	switch (call->function) {
	case FENCE_I:
		flush.code = true;
		break;
	case SFENCE_VMA:
		flush.translations = flush.global = true;
		event = SBI_EVENT_SFENCE_SENT;
		break;
	case SFENCE_VMA_ASID:
		flush.translations = flush.asid_only = true;
		event = SBI_EVENT_SFENCE_ASID_SENT;
		flush.asid = (uint32_t)(call->a[4] & 0xffff);
		break;
	default:
		return SBI_NOT_SUPPORTED;
	}
	if (!harts(call->machine, call->a[0], call->a[1], &set))
		return SBI_INVALID_PARAM;
	/* "If both are 0 or size is all ones": everything. */
	if (flush.size != UINT64_MAX && flush.start + flush.size < flush.start)
		return SBI_INVALID_ADDRESS;
	count(call, set, event);
	cpu_flush_remote(&call->machine->space, &call->cpu->vcpu, &set, 1, &flush);
	return SBI_SUCCESS;
}

/* ---- all of them -------------------------------------------------------------------------- */

struct extension {
	uint64_t number;
	int64_t (*call)(struct sbi *call);
	bool legacy;
};

static int64_t
legacy_shutdown(struct sbi *call)
{
	call->no_answer = true;
	machine_end(call->machine, MACHINE_POWEROFF, 0);
	return SBI_SUCCESS;
}

static const struct extension extensions[] = {
	{ 0x10, base, false },
	{ 0x54494d45, time_call, false },
	{ 0x735049, ipi, false },
	{ 0x52464e43, rfence, false },
	{ 0x48534d, sbi_hsm, false },
	{ 0x53525354, sbi_srst, false },
	{ 0x4442434e, sbi_dbcn, false },
	{ 0x53555350, sbi_susp, false },
	{ 0x504d55, sbi_pmu, false },
	{ 0x00, set_timer, true },
	{ 0x01, sbi_putchar, true },
	{ 0x02, sbi_getchar, true },
	{ 0x08, legacy_shutdown, true },
};

static const struct extension *
find(uint64_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(extensions); i++)
		if (extensions[i].number == number)
			return &extensions[i];
	return NULL;
}

static bool
known(uint64_t number)
{
	return find(number);
}

void
sbi_call(struct machine *m, unsigned cpu)
{
	struct riscv64_state *s = riscv64_state_of(m->cpu[cpu].vcpu.frame);
	struct sbi call = { .machine = m, .cpu = &m->cpu[cpu], .function = s->x[A6] };
	const struct extension *extension = find(s->x[A7]);
	int64_t result = SBI_NOT_SUPPORTED;

	for (unsigned i = 0; i < ARRAY_LEN(call.a); i++)
		call.a[i] = s->x[A0 + i];
	if (extension)
		result = extension->call(&call);
	if (call.no_answer)
		return;
	s->x[A0] = (uint64_t)result;
	if (!extension || !extension->legacy)
		s->x[A1] = call.value;
}

/* SBI: hart state (chapter 9), system reset (10) and suspend (13). */
#include "machine/virt.h"

#define RETENTIVE 0u
#define NON_RETENTIVE 0x80000000u

static bool
fetchable(struct machine *m, uint64_t address)
{
	return !(address & 1) && memory_ram(&m->memory, address, 2, false);
}

static int64_t
start(struct sbi *call)
{
	struct machine *m = call->machine;
	struct machine_cpu *cpu;
	uint32_t stopped = CPU_STOPPED;

	if (call->a[0] >= m->cpus)
		return SBI_INVALID_PARAM;
	if (!fetchable(m, call->a[1]))
		return SBI_INVALID_ADDRESS;
	cpu = &m->cpu[call->a[0]];
	/* Two that start the same hart at once: the second finds it claimed. */
	if (!__atomic_compare_exchange_n(&cpu->state, &stopped, CPU_CLAIMED, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return SBI_ALREADY_AVAILABLE;
	cpu->start_pc = call->a[1];
	cpu->start_argument = call->a[2];
	__atomic_store_n(&cpu->state, CPU_STARTING, __ATOMIC_SEQ_CST);
	machine_cpu_kick(cpu);
	return SBI_SUCCESS;
}

static int64_t
status(struct sbi *call)
{
	enum { STARTED, STOPPED, START_PENDING, STOP_PENDING, SUSPENDED };

	if (call->a[0] >= call->machine->cpus)
		return SBI_INVALID_PARAM;
	switch ((enum cpu_state)__atomic_load_n(&call->machine->cpu[call->a[0]].state, __ATOMIC_SEQ_CST)) {
	case CPU_STARTED:
		call->value = STARTED;
		break;
	case CPU_STOPPED:
		call->value = STOPPED;
		break;
	case CPU_CLAIMED:
	case CPU_STARTING:
		call->value = START_PENDING;
		break;
	case CPU_SUSPENDED:
	case CPU_SUSPENDED_DEEP:
		call->value = SUSPENDED;
		break;
	}
	return SBI_SUCCESS;
}

/* Waits for an interrupt; then goes on behind the call, or, deep, as if it was
 * started at an address with an argument. */
static int64_t
suspend(struct sbi *call, bool deep, uint64_t address, uint64_t argument)
{
	if (deep && !fetchable(call->machine, address))
		return SBI_INVALID_ADDRESS;
	call->cpu->start_pc = address;
	call->cpu->start_argument = argument;
	call->no_answer = deep;
	__atomic_store_n(&call->cpu->state, deep ? CPU_SUSPENDED_DEEP : CPU_SUSPENDED, __ATOMIC_SEQ_CST);
	return SBI_SUCCESS;
}

int64_t
sbi_hsm(struct sbi *call)
{
	enum { START, STOP, STATUS, SUSPEND };

	switch (call->function) {
	case START:
		return start(call);
	case STOP:
		call->no_answer = true;
		__atomic_store_n(&call->cpu->state, CPU_STOPPED, __ATOMIC_SEQ_CST);
		return SBI_SUCCESS;
	case STATUS:
		return status(call);
	case SUSPEND:
		if (call->a[0] != RETENTIVE && call->a[0] != NON_RETENTIVE)
			return SBI_INVALID_PARAM;
		return suspend(call, call->a[0] == NON_RETENTIVE, call->a[1], call->a[2]);
	}
	return SBI_NOT_SUPPORTED;
}

int64_t
sbi_susp(struct sbi *call)
{
	enum { SUSPEND_TO_RAM = 0 };
	const struct machine *m = call->machine;

	if (call->function)
		return SBI_NOT_SUPPORTED;
	if (call->a[0] != SUSPEND_TO_RAM)
		return SBI_INVALID_PARAM;
	for (unsigned i = 0; i < m->cpus; i++)
		if (&m->cpu[i] != call->cpu && __atomic_load_n(&m->cpu[i].state, __ATOMIC_SEQ_CST) != CPU_STOPPED)
			return SBI_DENIED;
	return suspend(call, true, call->a[1], call->a[2]);
}

int64_t
sbi_srst(struct sbi *call)
{
	enum { SHUTDOWN, COLD_REBOOT, WARM_REBOOT };
	enum { NO_REASON, SYSTEM_FAILURE };

	if (call->function)
		return SBI_NOT_SUPPORTED;
	if (call->a[0] > WARM_REBOOT || call->a[1] > SYSTEM_FAILURE)
		return SBI_INVALID_PARAM;
	call->no_answer = true;
	if (call->a[0] != SHUTDOWN)
		machine_want_reset(call->machine);
	else
		machine_end(call->machine, call->a[1] == SYSTEM_FAILURE ? MACHINE_PANIC : MACHINE_POWEROFF, 0);
	return SBI_SUCCESS;
}

/* How vCPUs share the host: pinning, weights, and all on one thread in turn.
 *
 * In turn: one vCPU runs until it waits, or until it has run for a quantum of
 * host time and comes to a safepoint. That is one thread, and one order of vCPUs,
 * but not yet the same switch points every time: that takes regions that count
 * instructions.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/clock.h"
#include "machine/machine_impl.h"

#define QUANTUM_NS 2000000u

/* A list of host CPUs, "0-3,5". False: it is none. */
static bool
parse_list(const char *text, cpu_set_t *set)
{
	CPU_ZERO(set);
	while (*text) {
		char *end;
		unsigned long first = strtoul(text, &end, 10), last = first;

		if (end == text)
			return false;
		if (*end == '-') {
			text = end + 1;
			last = strtoul(text, &end, 10);
			if (end == text)
				return false;
		}
		if (last < first || last >= CPU_SETSIZE || (*end && *end != ','))
			return false;
		for (unsigned long n = first; n <= last; n++)
			CPU_SET(n, set);
		text = *end ? end + 1 : end;
	}
	return true;
}

static void
pin(struct machine_cpu *cpu, const char *list)
{
	cpu_set_t set;

	if (!parse_list(list, &set))
		log_line(LOG_WARN, "vCPU %u is not pinned: '%s' is no list of host CPUs", cpu->number, list);
	else if (sched_setaffinity(0, sizeof set, &set))
		log_line(LOG_WARN, "vCPU %u cannot be pinned to %s: %s", cpu->number, list, strerror(errno));
}

/* A step of the host's nice value changes a thread's share by a quarter. */
static int
nice_of(unsigned weight)
{
	double share = weight / 100.0;
	int nice = 0;

	for (; share < 0.9 && nice < 19; nice++)
		share *= 1.25;
	for (; share > 1.1 && nice > -20; nice--)
		share /= 1.25;
	return nice;
}

void
machine_schedule(struct machine_cpu *cpu)
{
	const struct machine_config *config = &cpu->machine->config;
	int nice = config->weight ? nice_of(config->weight) : 0;

	if (config->pin && config->pin[cpu->number])
		pin(cpu, config->pin[cpu->number]);
	if (nice && setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), nice))
		log_line(LOG_WARN, "vCPU %u keeps the weight 100: %s", cpu->number, strerror(errno));
}

/* ---- in turn ------------------------------------------------------------------ */

struct turns {
	struct machine *machine;
	struct event *quantum; /* in the loop of timers */
	unsigned now;          /* whose turn it is */
};

static void
on_quantum(void *owner)
{
	struct turns *t = owner;

	machine_cpu_kick(&t->machine->cpu[__atomic_load_n(&t->now, __ATOMIC_ACQUIRE)]);
}

/* Runs one vCPU for its turn; false if it had nothing to do. */
static bool
turn(struct turns *t, struct machine_cpu *cpu)
{
	struct machine *m = cpu->machine;
	uint64_t end = clock_nanoseconds() + QUANTUM_NS;

	if (!machine_cpu_ready(cpu))
		return false;
	if (cpu->waits && !__atomic_load_n(&cpu->vcpu.frame->poll, __ATOMIC_SEQ_CST))
		return false;
	cpu->waits = false;
	pthread_mutex_lock(&m->timer_lock);
	event_arm(t->quantum, end);
	pthread_mutex_unlock(&m->timer_lock);
	while (!cpu->waits && cpu->state == CPU_STARTED && clock_nanoseconds() < end &&
	       !__atomic_load_n(&m->halt, __ATOMIC_ACQUIRE))
		switch (cpu_run_system(&cpu->vcpu)) {
		case CPU_SYSTEM_POLL:
		case CPU_SYSTEM_DUE:
			break;
		case CPU_SYSTEM_WAIT:
			cpu->waits = true;
			break;
		case CPU_SYSTEM_CALL:
			m->type->call(m, cpu->number);
			break;
		}
	return true;
}

/* Nobody has anything to do: until one is polled. */
static void
rest(struct machine *m)
{
	uint32_t idle;

	__atomic_store_n(&m->turns_asleep, 1, __ATOMIC_SEQ_CST);
	idle = __atomic_load_n(&m->turns_word, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < m->cpus; i++)
		if (__atomic_load_n(&m->cpu[i].vcpu.frame->poll, __ATOMIC_SEQ_CST))
			goto out;
	machine_wait_word(&m->turns_word, idle);
out:
	__atomic_store_n(&m->turns_asleep, 0, __ATOMIC_SEQ_CST);
}

void
machine_run_in_turn(struct machine *m)
{
	struct turns t = { .machine = m };

	machine_schedule(&m->cpu[0]);
	pthread_mutex_lock(&m->timer_lock);
	t.quantum = event_timer(m->timers, on_quantum, &t);
	pthread_mutex_unlock(&m->timer_lock);
	while (machine_go_on(m)) {
		bool any = false;

		for (unsigned i = 0; i < m->cpus; i++) {
			__atomic_store_n(&t.now, i, __ATOMIC_RELEASE);
			any |= turn(&t, &m->cpu[i]);
			if (m->cpu[i].state != CPU_STARTED)
				__atomic_store_n(&m->cpu[i].vcpu.frame->poll, 0, __ATOMIC_SEQ_CST);
		}
		if (!any)
			rest(m);
	}
	pthread_mutex_lock(&m->timer_lock);
	event_remove(t.quantum);
	pthread_mutex_unlock(&m->timer_lock);
}

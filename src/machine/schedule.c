/* How vCPUs share the host: pinning, weights, and all on one thread in turn.
 *
 * In turn: one vCPU runs until it waits or has retired as many instructions as its
 * turn has; then comes the next that has something to do. Time is what they retire,
 * a nanosecond each, and while all wait, the host's until the next timer is due.
 * A turn is interrupted when a timer is due, one that was armed meanwhile too; its
 * vCPU sees its own at once, another's waits for its turn. So whatever happens among vCPUs, and between
 * them and their timers, happens at the same instructions every time; what comes
 * from outside (disks, networks, consoles, the calendar) comes when the host has it.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "machine/machine_impl.h"

#define QUANTUM 100000u /* instructions of a turn */

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
	/* Beside what the process was started with. */
	if (nice && setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), getpriority(PRIO_PROCESS, 0) + nice))
		log_line(LOG_WARN, "vCPU %u keeps the weight 100: %s", cpu->number, strerror(errno));
}

/* ---- in turn ------------------------------------------------------------------ */

uint64_t
machine_turn_time(void *owner)
{
	const struct machine *m = owner;
	const struct machine_cpu *cpu = __atomic_load_n(&m->turn_of, __ATOMIC_RELAXED);

	if (!cpu)
		return m->turn_base;
	return m->turn_base + m->turn_room - m->type->guest->system->instructions_left(cpu->vcpu.frame);
}

void
machine_turn_until(void *owner, uint64_t nanoseconds)
{
	struct machine *m = owner;
	struct machine_cpu *cpu = __atomic_load_n(&m->turn_of, __ATOMIC_RELAXED);

	/* The turn's end, by the source and then by the guest's clock. */
	if (!cpu || nanoseconds >= m->turn_base + m->turn_room - machine_turn_time(m) + guest_clock_now(&m->clock))
		return;
	__atomic_store_n(&m->turn_cut, 1, __ATOMIC_SEQ_CST);
	machine_cpu_kick(cpu);
}

/* Fires what is due; how long until the next, or UINT64_MAX. */
static uint64_t
fire_timers(struct machine *m)
{
	uint64_t now = guest_clock_now(&m->clock), next, other;

	pthread_mutex_lock(&m->lock);
	event_fire_by_hand(m->loop, now);
	next = event_next_by_hand(m->loop);
	pthread_mutex_unlock(&m->lock);
	pthread_mutex_lock(&m->timer_lock);
	event_fire_by_hand(m->timers, now);
	other = event_next_by_hand(m->timers);
	pthread_mutex_unlock(&m->timer_lock);
	next = other < next ? other : next;
	return next == UINT64_MAX ? next : next - now;
}

static bool
goes_on(const struct machine_cpu *cpu)
{
	return !cpu->waits && cpu->state == CPU_STARTED && !__atomic_load_n(&cpu->machine->halt, __ATOMIC_ACQUIRE);
}

static void
run(struct machine_cpu *cpu)
{
	struct machine *m = cpu->machine;

	while (goes_on(cpu) && !__atomic_load_n(&m->turn_cut, __ATOMIC_SEQ_CST))
		switch (cpu_run_system(&cpu->vcpu)) {
		case CPU_SYSTEM_POLL:
			break;
		case CPU_SYSTEM_DUE:
			return;
		case CPU_SYSTEM_WAIT:
			cpu->waits = true;
			break;
		case CPU_SYSTEM_CALL:
			m->type->call(m, cpu->number);
			break;
		}
}

/* Runs one vCPU for its turn; false if it had nothing to do. */
static bool
turn(struct machine_cpu *cpu)
{
	struct machine *m = cpu->machine;
	uint64_t left = QUANTUM, next, began;

	if (!machine_cpu_ready(cpu))
		return false;
	if (cpu->waits && !__atomic_load_n(&cpu->vcpu.frame->poll, __ATOMIC_SEQ_CST))
		return false;
	for (cpu->waits = false; left && goes_on(cpu); left -= m->turn_base - began) {
		began = m->turn_base;
		next = fire_timers(m);
		m->turn_room = next < left ? next + !next : left;
		m->type->guest->system->allow_instructions(cpu->vcpu.frame, m->turn_room);
		__atomic_store_n(&m->turn_cut, 0, __ATOMIC_SEQ_CST);
		__atomic_store_n(&m->turn_of, cpu, __ATOMIC_RELAXED);
		run(cpu);
		m->turn_base = machine_turn_time(m);
		__atomic_store_n(&m->turn_of, NULL, __ATOMIC_RELAXED);
	}
	return true;
}

/* Nobody has anything to do: until one is polled or a timer is due. */
static void
rest(struct machine *m)
{
	uint64_t left = fire_timers(m);
	struct timespec limit = { (time_t)(left / 1000000000), (long)(left % 1000000000) };
	uint32_t idle;

	__atomic_store_n(&m->turns_asleep, 1, __ATOMIC_SEQ_CST);
	idle = __atomic_load_n(&m->turns_word, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < m->cpus; i++)
		if (__atomic_load_n(&m->cpu[i].vcpu.frame->poll, __ATOMIC_SEQ_CST))
			goto out;
	if (machine_wait_word(&m->turns_word, idle, left == UINT64_MAX ? NULL : &limit))
		m->turn_base += left;
out:
	__atomic_store_n(&m->turns_asleep, 0, __ATOMIC_SEQ_CST);
}

void
machine_run_in_turn(struct machine *m)
{
	machine_schedule(&m->cpu[0]);
	while (machine_go_on(m)) {
		bool any = false;

		for (unsigned i = 0; i < m->cpus; i++) {
			any |= turn(&m->cpu[i]);
			if (m->cpu[i].state != CPU_STARTED)
				__atomic_store_n(&m->cpu[i].vcpu.frame->poll, 0, __ATOMIC_SEQ_CST);
		}
		if (!any)
			rest(m);
	}
}

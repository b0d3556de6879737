/* vCPU threads: each runs guest code until it is polled, waits for an interrupt
 * or calls the firmware.
 *
 * Sleeping. A vCPU sleeps in a futex on its frame->poll, which the engine clears
 * when it looks at it. Whoever wants its attention sets the word first and then
 * looks whether it sleeps; the vCPU says that it sleeps first and then looks at
 * the word (the kernel does, again). So no call is lost, and none costs a system
 * call while the vCPU runs.
 *
 * The guest's own timer is an event of a loop beside the devices': it sets the
 * timer's input and polls.
 */
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/raw.h"
#include "machine/machine_impl.h"

#define INPUTS 64u /* of a vCPU: a line's number is cpu * INPUTS + input */

/* ---- polling and sleeping --------------------------------------------------- */

void
machine_cpu_kick(struct machine_cpu *cpu)
{
	uint32_t *poll = &cpu->vcpu.frame->poll;
	struct machine *m = cpu->machine;

	__atomic_store_n(poll, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&cpu->asleep, __ATOMIC_SEQ_CST))
		RAW3(SYS_futex, poll, FUTEX_WAKE_PRIVATE, 1);
	if (!m->config.deterministic)
		return;
	__atomic_add_fetch(&m->turns_word, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&m->turns_asleep, __ATOMIC_SEQ_CST))
		RAW3(SYS_futex, &m->turns_word, FUTEX_WAKE_PRIVATE, 1);
}

bool
machine_wait_word(uint32_t *word, uint32_t seen, const struct timespec *limit)
{
	return RAW4(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, limit) == -ETIMEDOUT;
}

void
machine_kick_all(struct machine *m)
{
	for (unsigned i = 0; i < m->cpus; i++)
		if (m->cpu[i].made)
			machine_cpu_kick(&m->cpu[i]);
}

void
machine_cpu_sleep(struct machine_cpu *cpu)
{
	uint32_t *poll = &cpu->vcpu.frame->poll;

	__atomic_store_n(&cpu->asleep, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(poll, __ATOMIC_SEQ_CST))
		machine_wait_word(poll, 0, NULL);
	__atomic_store_n(&cpu->asleep, 0, __ATOMIC_SEQ_CST);
}

/* ---- interrupt inputs ------------------------------------------------------- */

static void
set_input(void *controller, unsigned number, bool level)
{
	struct machine *m = controller;
	struct machine_cpu *cpu = &m->cpu[number / INPUTS];

	m->type->guest->system->set_input(cpu->vcpu.frame, number % INPUTS, level);
	if (level)
		machine_cpu_kick(cpu);
}

struct irq_line
machine_cpu_input(struct machine *m, unsigned cpu, unsigned input)
{
	return (struct irq_line){ set_input, m, cpu * INPUTS + input };
}

/* ---- time -------------------------------------------------------------------- */

static uint64_t
tick_nanoseconds(const struct machine *m)
{
	return 1000000000 / m->type->guest->system->timebase_hz;
}

uint64_t
machine_time(const struct machine *m)
{
	return guest_clock_now(&m->clock) / tick_nanoseconds(m);
}

static uint64_t
env_time(struct guest_env *env)
{
	return machine_time(((struct machine_cpu *)env->owner)->machine);
}

/* timer_lock held. */
static void
arm(struct machine_cpu *cpu)
{
	const struct machine *m = cpu->machine;
	uint64_t tick = tick_nanoseconds(m);

	guest_clock_arm(&m->clock, cpu->timer, cpu->deadline > UINT64_MAX / tick ? UINT64_MAX : cpu->deadline * tick);
}

static void
env_timer(struct guest_env *env, uint64_t when)
{
	struct machine_cpu *cpu = env->owner;

	pthread_mutex_lock(&cpu->machine->timer_lock);
	cpu->deadline = when;
	arm(cpu);
	pthread_mutex_unlock(&cpu->machine->timer_lock);
}

static void
on_time(void *owner)
{
	struct machine_cpu *cpu = owner;
	struct machine *m = cpu->machine;

	if (machine_time(m) < cpu->deadline) {
		arm(cpu);
		return;
	}
	set_input(m, cpu->number * INPUTS + m->type->timer_input, true);
}

void
machine_timers_update(struct machine *m)
{
	pthread_mutex_lock(&m->timer_lock);
	for (unsigned i = 0; i < m->cpus; i++)
		arm(&m->cpu[i]);
	pthread_mutex_unlock(&m->timer_lock);
}

/* ---- running ----------------------------------------------------------------- */

/* It leaves reset for where it was sent. */
static void
begin(struct machine_cpu *cpu)
{
	cpu->machine->type->enter(cpu->machine, cpu->number);
	cpu_state_changed(&cpu->vcpu);
	__atomic_store_n(&cpu->state, CPU_STARTED, __ATOMIC_SEQ_CST);
}

bool
machine_cpu_ready(struct machine_cpu *cpu)
{
	const struct guest_system *system = cpu->machine->type->guest->system;

	switch ((enum cpu_state)__atomic_load_n(&cpu->state, __ATOMIC_SEQ_CST)) {
	case CPU_STARTED:
		return true;
	case CPU_STOPPED:
	case CPU_CLAIMED:
		return false;
	case CPU_STARTING:
		begin(cpu);
		return true;
	case CPU_SUSPENDED:
		if (!system->awake(cpu->vcpu.frame))
			return false;
		__atomic_store_n(&cpu->state, CPU_STARTED, __ATOMIC_SEQ_CST);
		return true;
	case CPU_SUSPENDED_DEEP:
		if (!system->awake(cpu->vcpu.frame))
			return false;
		begin(cpu);
		return true;
	}
	return false;
}

static void *
cpu_main(void *argument)
{
	struct machine_cpu *cpu = argument;
	struct error error = { 0 };

	machine_schedule(cpu);
	if (cpu_thread_enter(&error)) {
		cpu->machine->failure = error;
		machine_end(cpu->machine, MACHINE_FAILED, 0);
	}
	while (machine_go_on(cpu->machine)) {
		if (!machine_cpu_ready(cpu)) {
			machine_cpu_sleep(cpu);
			__atomic_store_n(&cpu->vcpu.frame->poll, 0, __ATOMIC_SEQ_CST);
			continue;
		}
		switch (cpu_run_system(&cpu->vcpu)) {
		case CPU_SYSTEM_POLL:
		case CPU_SYSTEM_DUE:
			break;
		case CPU_SYSTEM_WAIT:
			machine_cpu_sleep(cpu);
			break;
		case CPU_SYSTEM_CALL:
			cpu->machine->type->call(cpu->machine, cpu->number);
			break;
		}
	}
	cpu_thread_leave();
	return NULL;
}

static void *
turns_main(void *argument)
{
	struct machine *m = argument;
	struct error error = { 0 };

	if (cpu_thread_enter(&error)) {
		m->failure = error;
		machine_end(m, MACHINE_FAILED, 0);
	}
	machine_run_in_turn(m);
	cpu_thread_leave();
	return NULL;
}

/* ---- life -------------------------------------------------------------------- */

int
machine_cpus_new(struct machine *m, struct error *error)
{
	for (unsigned i = 0; i < m->cpus; i++) {
		struct machine_cpu *cpu = &m->cpu[i];

		cpu->machine = m;
		cpu->number = i;
		cpu->deadline = UINT64_MAX;
		cpu->timer = event_timer(m->timers, on_time, cpu);
		if (m->clock.counted)
			event_by_hand(cpu->timer);
		cpu->env = (struct guest_env){ .memory = &m->memory, .number = i, .time = env_time,
					       .timer = env_timer, .owner = cpu,
					       .counts = m->config.bare || m->config.deterministic };
		if (vcpu_init(&cpu->vcpu, &m->space, &m->options, error))
			return -1;
		cpu->made = true;
		cpu->vcpu.owner = cpu;
		if (cpu_system_init(&cpu->vcpu, &cpu->env, error))
			return -1;
	}
	return 0;
}

static int
start_thread(struct machine *m, struct machine_cpu *cpu, void *(*function)(void *), void *argument,
	     struct error *error)
{
	int code;

	pthread_mutex_lock(&m->life_lock);
	m->running++;
	pthread_mutex_unlock(&m->life_lock);
	code = pthread_create(&cpu->thread, NULL, function, argument);
	cpu->threaded = !code;
	if (!code)
		return 0;
	pthread_mutex_lock(&m->life_lock);
	m->running--;
	pthread_mutex_unlock(&m->life_lock);
	return error_set(error, code, "no thread for vCPU %u: %s", cpu->number, strerror(code));
}

/* Host signals are the main thread's; vCPUs only have those of their own faults. */
int
machine_cpus_start(struct machine *m, struct error *error)
{
	unsigned threads = m->config.deterministic ? 1 : m->cpus;
	sigset_t all, before;
	int failed = 0;

	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (unsigned i = 0; i < threads && !failed; i++)
		failed = m->config.deterministic ? start_thread(m, &m->cpu[i], turns_main, m, error)
						 : start_thread(m, &m->cpu[i], cpu_main, &m->cpu[i], error);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed;
}

void
machine_cpus_join(struct machine *m)
{
	for (unsigned i = 0; i < m->cpus; i++) {
		if (!m->cpu[i].threaded)
			continue;
		pthread_join(m->cpu[i].thread, NULL);
		m->cpu[i].threaded = false;
	}
}

void
machine_cpus_free(struct machine *m)
{
	for (unsigned i = 0; i < m->cpus; i++) {
		if (m->cpu[i].made)
			vcpu_fini(&m->cpu[i].vcpu);
		m->cpu[i].made = false;
	}
}

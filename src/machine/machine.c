/* Making, resetting and unmaking machines, and their state as a whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtio/input.h"
#include "machine/machine_impl.h"

static const struct machine_type *const types[] = { &machine_riscv64_virt };

const struct machine_type *
machine_type_find(const char *arch, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if ((!arch || !strcmp(arch, types[i]->guest->name)) && (!name || !strcmp(name, types[i]->name)))
			return types[i];
	return NULL;
}

/* ---- what memory tells ------------------------------------------------------ */

static void
on_written(void *owner, uint64_t address, uint64_t size)
{
	struct machine *m = owner;

	cpu_invalidate(&m->space, address, address + size);
}

static void
on_map_changed(void *owner)
{
	((struct machine *)owner)->map_changed = true;
}

static void
device_lock(void *owner)
{
	pthread_mutex_lock(&((struct machine *)owner)->lock);
}

/* vCPUs forget what they know of a map that changed once the lock is free: a vCPU
 * in a device is not waited for, but one that waits for the lock would be. */
static void
device_unlock(void *owner)
{
	struct machine *m = owner;
	bool changed = m->map_changed;

	m->map_changed = false;
	pthread_mutex_unlock(&m->lock);
	if (changed)
		cpu_flush_map(&m->space, NULL);
}

/* The clock was set: the board's timers come at other times now. */
static void
on_clock_moved(void *owner)
{
	machine_timers_update(owner);
}

/* ---- making ----------------------------------------------------------------- */

static int
take_config(struct machine *m, const struct machine_config *config, struct error *error)
{
	const char *accel = config->accel;

	m->config = *config;
	m->type = machine_type_find(config->arch, config->type);
	if (!m->type)
		return error_set(error, ENOENT, "there is no machine %s for %s", config->type ? config->type : "(any)",
				 config->arch ? config->arch : "(any)");
	if (config->cpus > MACHINE_CPUS)
		return error_set(error, EINVAL, "%u vCPUs are too many; a machine has at most %u", config->cpus,
				 MACHINE_CPUS);
	m->cpus = config->cpus ? config->cpus : 1;
	if (!m->config.memory)
		m->config.memory = m->type->default_memory;
	if (m->config.memory % MEMORY_PAGE || m->config.memory < UINT64_C(2) << 20)
		return error_set(error, EINVAL, "memory must be at least 2M, in whole pages of 4K");
	if (config->options)
		m->options = *config->options;
	if (!accel || !strcmp(accel, "auto"))
		return 0;
	if (!strcmp(accel, "translate"))
		m->options.accel = CPU_ACCEL_TRANSLATE;
	else if (!strcmp(accel, "interpret"))
		m->options.accel = CPU_ACCEL_INTERPRET;
	else if (!strcmp(accel, "lockstep"))
		m->options.accel = CPU_ACCEL_LOCKSTEP;
	else
		return error_set(error, EINVAL, "there is no way '%s' to run this guest: translate, interpret, lockstep",
				 accel);
	return 0;
}

static int
make(struct machine *m, struct error *error)
{
	if (memory_init(&m->memory, error))
		return -1;
	m->memory.owner = m;
	m->memory.written = on_written;
	m->memory.changed = on_map_changed;
	m->memory.lock = device_lock;
	m->memory.unlock = device_unlock;
	guest_clock_init(&m->clock);
	m->clock.moved = on_clock_moved;
	m->clock.owner = m;
	if (m->config.deterministic) {
		m->clock.source = machine_turn_time;
		m->clock.counted = true;
		m->clock.armed = machine_turn_until;
	}
	m->loop = event_loop_new(&m->lock, error);
	m->timers = event_loop_new(&m->timer_lock, error);
	if (!m->loop || !m->timers)
		return -1;
	m->space = (struct cpu_space){ .guest = m->type->guest, .memory = &m->memory, .owner = m };
	if (cpu_space_init(&m->space, &m->options, error))
		return -1;
	m->space_made = true;
	m->console = console_new(m->loop, m->config.console_in, m->config.console_out, error);
	if (!m->console || machine_cpus_new(m, error))
		return -1;
	return m->type->build(m, error);
}

struct machine *
machine_new(const struct machine_config *config, struct error *error)
{
	struct machine *m = calloc(1, sizeof *m);

	if (!m)
		fatal("out of memory for a machine");
	pthread_mutex_init(&m->lock, NULL);
	pthread_mutex_init(&m->timer_lock, NULL);
	pthread_mutex_init(&m->life_lock, NULL);
	pthread_cond_init(&m->life_changed, NULL);
	if (!take_config(m, config, error) && !make(m, error))
		return m;
	machine_free(m);
	return NULL;
}

void
machine_add(struct machine *m, struct device *device, const char *name)
{
	struct device **end = &m->devices;

	text_format(device->name, sizeof device->name, "%s", name);
	while (*end)
		end = &(*end)->next;
	device->next = NULL;
	*end = device;
}

void
machine_free(struct machine *m)
{
	if (!m)
		return;
	machine_stop(m);
	machine_cpus_join(m);
	event_loop_stop(m->loop);
	event_loop_stop(m->timers);
	while (m->devices) {
		struct device *next = m->devices->next;

		m->devices->type->free(m->devices);
		m->devices = next;
	}
	if (m->console)
		console_drain(m->console, 1000);
	console_free(m->console);
	machine_cpus_free(m);
	if (m->type && m->board)
		m->type->free(m);
	if (m->space_made)
		cpu_space_fini(&m->space);
	event_loop_free(m->loop);
	event_loop_free(m->timers);
	memory_fini(&m->memory);
	pthread_mutex_destroy(&m->lock);
	pthread_mutex_destroy(&m->timer_lock);
	pthread_mutex_destroy(&m->life_lock);
	pthread_cond_destroy(&m->life_changed);
	free(m);
}

int
machine_reset(struct machine *m, bool load, struct error *error)
{
	int failed;

	pthread_mutex_lock(&m->lock);
	for (struct device *d = m->devices; d; d = d->next)
		d->type->reset(d);
	pci_reset(&m->pci.bridge);
	pthread_mutex_unlock(&m->lock);
	for (unsigned i = 0; i < m->cpus; i++) {
		m->type->guest->system->reset(m->cpu[i].vcpu.frame);
		m->cpu[i].state = CPU_STARTED;
	}
	failed = load ? m->type->load(m, error) : 0;
	cpu_flush_map(&m->space, NULL);
	for (unsigned i = 0; i < m->cpus; i++)
		cpu_state_changed(&m->cpu[i].vcpu);
	return failed;
}

struct memory *
machine_memory(struct machine *m)
{
	return &m->memory;
}

void
machine_stats(struct machine *m, struct cpu_stats *stats)
{
	cpu_stats(&m->space, stats);
}

struct disk *
machine_disk(struct machine *m, unsigned number)
{
	return number < MACHINE_DISKS ? m->disk[number] : NULL;
}

bool
machine_powerdown(struct machine *m)
{
	bool pressed;

	if (!m->button)
		return false;
	pthread_mutex_lock(&m->lock);
	pressed = virtio_button_press(m->button);
	pthread_mutex_unlock(&m->lock);
	return pressed;
}

/* ---- state ------------------------------------------------------------------ */

static void
cpus_state(struct machine *m, struct state *s)
{
	char name[16];

	for (unsigned i = 0; i < m->cpus; i++) {
		struct machine_cpu *cpu = &m->cpu[i];

		text_format(name, sizeof name, "cpu%u", i);
		state_begin(s, name, 1);
		cpu_sync(&cpu->vcpu);
		m->type->guest->system->state(cpu->vcpu.frame, s);
		state_u32(s, "state", &cpu->state);
		state_u64(s, "start_pc", &cpu->start_pc);
		state_u64(s, "start_argument", &cpu->start_argument);
		state_check(s, cpu->state <= CPU_SUSPENDED_DEEP, "state");
		state_end(s);
		if (state_way(s) == STATE_RESTORE)
			cpu_state_changed(&cpu->vcpu);
	}
}

/* vCPUs before devices: an input that a device raises when it is restored is not
 * to be overwritten by what the vCPU had. */
void
machine_state(struct machine *m, struct state *s)
{
	uint32_t cpus = m->cpus;

	pthread_mutex_lock(&m->lock);
	state_begin(s, "machine", 1);
	state_u32(s, "cpus", &cpus);
	state_check(s, cpus == m->cpus, "cpus");
	guest_clock_state(&m->clock, s);
	cpus_state(m, s);
	for (struct device *d = m->devices; d; d = d->next) {
		state_begin(s, d->name, d->type->version);
		d->type->state(d, s);
		state_end(s);
	}
	pci_state(&m->pci.bridge, s);
	state_begin(s, "board", 1);
	m->type->state(m, s);
	state_end(s);
	state_end(s);
	m->map_changed = false;
	pthread_mutex_unlock(&m->lock);
	if (state_way(s) == STATE_RESTORE)
		cpu_flush_map(&m->space, NULL);
}

/* The life of a machine: start, pause, resume, reset, end.
 *
 * A vCPU thread that is polled looks at `halt`. Whoever wants the machine to
 * stand still counts up `holds` and waits until no vCPU thread runs. Resets are
 * done by the thread in machine_wait, which stops the machine for it as anybody
 * would.
 */
#include <errno.h>
#include <string.h>

#include "host/clock.h"
#include "machine/machine_impl.h"

/* ---- standing still --------------------------------------------------------- */

bool
machine_go_on(struct machine *m)
{
	bool go;

	if (!__atomic_load_n(&m->halt, __ATOMIC_ACQUIRE))
		return true;
	pthread_mutex_lock(&m->life_lock);
	m->running--;
	pthread_cond_broadcast(&m->life_changed);
	while (m->holds && !(m->halt & HALT_QUIT))
		pthread_cond_wait(&m->life_changed, &m->life_lock);
	go = !(m->halt & HALT_QUIT);
	if (go)
		m->running++;
	pthread_mutex_unlock(&m->life_lock);
	return go;
}

/* life_lock held. */
static void
set_halt(struct machine *m)
{
	uint32_t halt = (m->holds ? HALT_PAUSE : 0u) | (m->halt & HALT_QUIT);

	__atomic_store_n(&m->halt, halt, __ATOMIC_RELEASE);
}

void
machine_hold(struct machine *m)
{
	pthread_mutex_lock(&m->life_lock);
	m->holds++;
	set_halt(m);
	machine_kick_all(m);
	while (m->running)
		pthread_cond_wait(&m->life_changed, &m->life_lock);
	pthread_mutex_unlock(&m->life_lock);
}

void
machine_release(struct machine *m)
{
	pthread_mutex_lock(&m->life_lock);
	m->holds--;
	set_halt(m);
	pthread_cond_broadcast(&m->life_changed);
	pthread_mutex_unlock(&m->life_lock);
}

static void
devices_quiesce(struct machine *m)
{
	pthread_mutex_lock(&m->lock);
	guest_clock_stop(&m->clock);
	for (struct device *d = m->devices; d; d = d->next)
		if (d->type->quiesce)
			d->type->quiesce(d);
	pthread_mutex_unlock(&m->lock);
}

static void
devices_resume(struct machine *m)
{
	pthread_mutex_lock(&m->lock);
	guest_clock_go(&m->clock);
	for (struct device *d = m->devices; d; d = d->next)
		if (d->type->resume)
			d->type->resume(d);
	pthread_mutex_unlock(&m->lock);
	machine_timers_update(m);
}

/* Pauses nest: only the first stops the devices and the last starts them. */
void
machine_pause(struct machine *m)
{
	bool first;

	machine_hold(m);
	pthread_mutex_lock(&m->life_lock);
	first = !m->pauses++;
	pthread_mutex_unlock(&m->life_lock);
	if (first)
		devices_quiesce(m);
}

void
machine_resume(struct machine *m)
{
	bool last;

	pthread_mutex_lock(&m->life_lock);
	last = m->pauses && !--m->pauses;
	pthread_mutex_unlock(&m->life_lock);
	if (last)
		devices_resume(m);
	machine_release(m);
}

/* ---- start and end ---------------------------------------------------------- */

int
machine_start(struct machine *m, struct error *error)
{
	if (m->config.restored)
		machine_pause(m);
	if (machine_reset(m, !m->config.restored, error) || event_loop_start(m->loop, error) ||
	    event_loop_start(m->timers, error))
		return -1;
	pthread_mutex_lock(&m->lock);
	if (!m->config.restored)
		guest_clock_go(&m->clock);
	pthread_mutex_unlock(&m->lock);
	m->last_reset = clock_nanoseconds();
	m->started = true;
	return machine_cpus_start(m, error);
}

void
machine_end(struct machine *m, enum machine_end end, int status)
{
	pthread_mutex_lock(&m->life_lock);
	if (!m->ended) {
		m->ended = true;
		m->end = end;
		m->status = status;
	}
	__atomic_fetch_or(&m->halt, HALT_QUIT, __ATOMIC_ACQ_REL);
	pthread_cond_broadcast(&m->life_changed);
	pthread_mutex_unlock(&m->life_lock);
	machine_kick_all(m);
}

void
machine_want_reset(struct machine *m)
{
	pthread_mutex_lock(&m->life_lock);
	/* Nobody runs on until the reset is done. */
	if (!m->want_reset)
		m->holds++;
	m->want_reset = true;
	set_halt(m);
	pthread_cond_broadcast(&m->life_changed);
	pthread_mutex_unlock(&m->life_lock);
	machine_kick_all(m);
}

void
machine_stop(struct machine *m)
{
	machine_end(m, MACHINE_STOPPED, 0);
}

/* Too many resets in a row, each soon after the one before? */
static bool
goes_in_circles(struct machine *m)
{
	uint64_t now = clock_nanoseconds();

	m->resets = now - m->last_reset < MACHINE_RESET_SECONDS * UINT64_C(1000000000) ? m->resets + 1 : 1;
	m->last_reset = now;
	return m->resets > MACHINE_RESETS;
}

/* The guest asked for it. */
static void
do_reset(struct machine *m)
{
	struct error error = { 0 };

	if (goes_in_circles(m)) {
		machine_end(m, MACHINE_RESET, 0);
		return;
	}
	machine_pause(m);
	if (machine_reset(m, true, &error)) {
		m->failure = error;
		machine_end(m, MACHINE_FAILED, 0);
	}
	machine_resume(m);
}

enum machine_end
machine_wait(struct machine *m, int *status, struct error *error)
{
	pthread_mutex_lock(&m->life_lock);
	while (!m->ended) {
		if (!m->want_reset) {
			pthread_cond_wait(&m->life_changed, &m->life_lock);
			continue;
		}
		pthread_mutex_unlock(&m->life_lock);
		do_reset(m);
		pthread_mutex_lock(&m->life_lock);
		m->want_reset = false;
		m->holds--; /* machine_want_reset's */
		set_halt(m);
		pthread_cond_broadcast(&m->life_changed);
	}
	pthread_mutex_unlock(&m->life_lock);
	machine_cpus_join(m);
	if (m->config.signature && (m->end == MACHINE_BARE || m->end == MACHINE_POWEROFF) &&
	    machine_write_signature(m, &m->failure))
		m->end = MACHINE_FAILED;
	if (m->end == MACHINE_FAILED && m->failure.set)
		error_set(error, m->failure.code, "%s", m->failure.text);
	if (status)
		*status = m->status;
	return m->end;
}

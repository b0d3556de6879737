/* Counters, time, and the supervisor's timer. Manual, 3.1.10 to 3.1.12, 10.1.5,
 * and "Sstc".
 *
 * On a vCPU that counts, mcycle and minstret are the instructions retired, a
 * cycle each. On others both go with the machine's time, as if a cycle and an
 * instruction took a nanosecond (doc/deviations.md), and by one at least between
 * two reads, for at least one instruction retired. They stop when mcountinhibit
 * says so, and can be written. mcountinhibit has bits for them alone; the other
 * counters are zero anyway.
 *
 * stimecmp: the machine's timer is set for it, and sets the input STI when it
 * goes off. The input may be late, and wrong when stimecmp was moved meanwhile,
 * so who looks closely updates it first.
 */
#include "guest/riscv64/privileged.h"

enum {
	CSR_MCYCLE = 0xb00,
	CYCLES_A_TICK = 1000000000 / RISCV64_SYSTEM_TIMEBASE_HZ,
	INHIBIT_WRITABLE = 1 << COUNTER_CYCLE | 1 << COUNTER_INSTRET,
};

/* ---- counters ------------------------------------------------------------ */

bool
riscv64_counter_enabled(const struct riscv64_state *s, unsigned counter, unsigned privilege)
{
	uint64_t enabled = ~UINT64_C(0);

	if (privilege < RISCV64_MACHINE)
		enabled &= s->mcounteren;
	if (privilege < RISCV64_SUPERVISOR)
		enabled &= s->scounteren;
	return enabled >> counter & 1;
}

RV_CSR_ALLOW(counter)
{
	const struct riscv64_state *s = riscv64_state_read(frame);

	return riscv64_counter_enabled(s, number & 31, s->privilege);
}

/* What a counter that runs adds to its field. */
static uint64_t
running(const struct ir_frame *frame, enum riscv64_counter counter)
{
	const struct riscv64_state *s = riscv64_state_read(frame);

	if (s->mcountinhibit >> counter & 1)
		return 0;
	return s->counts ? s->retired : frame->env->time(frame->env) * CYCLES_A_TICK;
}

static struct riscv64_counted *
counted(struct ir_frame *frame, enum riscv64_counter counter)
{
	struct riscv64_state *s = riscv64_state_of(frame);

	return counter == COUNTER_CYCLE ? &s->mcycle : &s->minstret;
}

uint64_t
riscv64_counter_read(struct ir_frame *frame, enum riscv64_counter counter)
{
	struct riscv64_counted *c;
	uint64_t value;

	if (counter == COUNTER_TIME)
		return frame->env->time(frame->env);
	c = counted(frame, counter);
	c->fresh = 0;
	value = c->ahead + running(frame, counter);
	if (riscv64_state_read(frame)->counts || riscv64_state_read(frame)->mcountinhibit >> counter & 1)
		return value;
	if ((int64_t)(value - c->last) <= 0)
		value = c->last + 1;
	c->last = value;
	return value;
}

/* The next read gives the value, or more. What is counted of the instruction that
 * sets it is not shown (3.1.11). */
static void
set_counter(struct ir_frame *frame, enum riscv64_counter counter, uint64_t value)
{
	const struct riscv64_state *s = riscv64_state_read(frame);

	if (s->counts && !(s->mcountinhibit >> counter & 1))
		value--;
	*counted(frame, counter) = (struct riscv64_counted){ value - running(frame, counter), value - 1, 0 };
}

static enum riscv64_counter
counter_of(unsigned number)
{
	return number == CSR_MCYCLE ? COUNTER_CYCLE : COUNTER_INSTRET;
}

/* frame->pc is the address behind the instruction. The one right behind a write
 * reads what was written (3.1.11); nothing but the write leads to it before it
 * has read. */
RV_CSR_READ(mcounter)
{
	enum { CSR_BYTES = 4 };
	enum riscv64_counter counter = counter_of(number);
	struct riscv64_counted *c = counted(frame, counter);

	if (c->fresh != frame->pc - CSR_BYTES)
		return riscv64_counter_read(frame, counter);
	set_counter(frame, counter, c->last + 1);
	return ++c->last;
}

RV_CSR_WRITE_TO(mcounter)
{
	enum riscv64_counter counter = counter_of(number);

	set_counter(frame, counter, value);
	if (!riscv64_state_read(frame)->counts)
		counted(frame, counter)->fresh = frame->pc;
}

RV_CSR_READ(mcountinhibit)
{
	(void)number;
	return riscv64_state_read(frame)->mcountinhibit;
}

RV_CSR_WRITE_TO(mcountinhibit)
{
	struct riscv64_state *s = riscv64_state_of(frame);
	uint64_t cycle = riscv64_counter_read(frame, COUNTER_CYCLE);
	uint64_t instret = riscv64_counter_read(frame, COUNTER_INSTRET);
	uint64_t changes = (s->mcountinhibit ^ value) & INHIBIT_WRITABLE;

	(void)number;
	s->mcountinhibit = value & INHIBIT_WRITABLE;
	if (changes >> COUNTER_CYCLE & 1)
		set_counter(frame, COUNTER_CYCLE, cycle);
	if (changes >> COUNTER_INSTRET & 1)
		set_counter(frame, COUNTER_INSTRET, instret);
}

void
riscv64_counter_run(struct ir_frame *frame, unsigned counter, bool run, const uint64_t *value)
{
	enum riscv64_counter which = counter == COUNTER_CYCLE ? COUNTER_CYCLE : COUNTER_INSTRET;
	uint64_t now = value ? *value : riscv64_counter_read(frame, which);
	uint64_t *inhibit = &riscv64_state_of(frame)->mcountinhibit;

	*inhibit = run ? *inhibit & ~RV_BIT(which) : *inhibit | RV_BIT(which);
	set_counter(frame, which, now);
}

/* ---- stimecmp ------------------------------------------------------------ */

/* The input is cleared before the timer is set, which may go off at once. */
void
riscv64_timer_update(struct ir_frame *frame)
{
	struct riscv64_state *s = riscv64_state_of(frame);
	struct guest_env *env = frame->env;
	bool on = s->menvcfg & MENVCFG_STCE;
	bool due = on && env->time(env) >= s->stimecmp;

	riscv64_set_input(frame, RISCV64_STI, due);
	env->timer(env, on && !due ? s->stimecmp : UINT64_MAX);
}

void
riscv64_set_timer(struct ir_frame *frame, uint64_t when)
{
	riscv64_state_of(frame)->stimecmp = when;
	riscv64_timer_update(frame);
}

/* Below M-mode both menvcfg and mcounteren must grant it. */
RV_CSR_ALLOW(stimecmp)
{
	const struct riscv64_state *s = riscv64_state_read(frame);

	(void)number;
	return s->privilege == RISCV64_MACHINE ||
	       ((s->menvcfg & MENVCFG_STCE) && (s->mcounteren >> COUNTER_TIME & 1));
}

RV_CSR_READ(stimecmp)
{
	(void)number;
	return riscv64_state_read(frame)->stimecmp;
}

RV_CSR_WRITE_TO(stimecmp)
{
	struct riscv64_state *s = riscv64_state_of(frame);

	(void)number;
	s->stimecmp = value;
	if (s->menvcfg & MENVCFG_STCE)
		riscv64_timer_update(frame);
}

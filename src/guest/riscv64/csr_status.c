/* CSRs that decide what the hart may do: mstatus and sstatus, interrupt enables
 * and pending bits, execution environments, counter enables, satp. Manual, 3.1,
 * 10.1. */
#include "guest/riscv64/privileged.h"

enum { CSR_SSTATUS = 0x100, CSR_SIP = 0x144, CSR_SCOUNTEREN = 0x106, CSR_SENVCFG = 0x10a };

/* ---- the mode key -------------------------------------------------------- */

/* Whether envcfg's bits all allow it to code of this privilege. */
static uint64_t
environment(const struct riscv64_state *s)
{
	if (s->privilege == RISCV64_MACHINE)
		return SENVCFG_WRITABLE;
	return s->privilege == RISCV64_SUPERVISOR ? s->menvcfg : s->menvcfg & s->senvcfg;
}

static uint32_t
mode_key(const struct riscv64_state *s)
{
	uint32_t key = RISCV64_MODE_SYSTEM | (uint32_t)s->privilege << RISCV64_MODE_PRIVILEGE_SHIFT;

	if (s->counts)
		key |= RISCV64_MODE_COUNTS;
	if (!s->fs)
		key |= RISCV64_MODE_FP_OFF;
	if (!(environment(s) & ENVCFG_CBZE))
		key |= RISCV64_MODE_NO_CBO_ZERO;
	if (!riscv64_counter_enabled(s, COUNTER_CYCLE, s->privilege))
		key |= RISCV64_MODE_NO_CYCLE;
	if (!riscv64_counter_enabled(s, COUNTER_TIME, s->privilege))
		key |= RISCV64_MODE_NO_TIME;
	if (!riscv64_counter_enabled(s, COUNTER_INSTRET, s->privilege))
		key |= RISCV64_MODE_NO_INSTRET;
	if (s->privilege == RISCV64_USER || (s->privilege == RISCV64_SUPERVISOR && s->mstatus & STATUS_TVM))
		key |= RISCV64_MODE_NO_FENCE_VMA;
	return key;
}

void
riscv64_changed(struct ir_frame *frame)
{
	struct riscv64_state *s = riscv64_state_of(frame);

	s->mode_key = mode_key(s);
	frame->env->changed(frame->env);
}

/* ---- mstatus, sstatus ---------------------------------------------------- */

RV_CSR_READ(status)
{
	const struct riscv64_state *s = riscv64_state_read(frame);

	return (number == CSR_SSTATUS ? s->mstatus & SSTATUS_SHOWN : s->mstatus) | s->fs;
}

/* MPP cannot be 2, a privilege that there is not: it stays as it was. */
RV_CSR_WRITE_TO(status)
{
	struct riscv64_state *s = riscv64_state_of(frame);
	uint64_t writable = number == CSR_SSTATUS ? SSTATUS_WRITABLE : MSTATUS_WRITABLE;

	if ((value & STATUS_MPP) >> STATUS_MPP_SHIFT == 2)
		writable &= ~(uint64_t)STATUS_MPP;
	s->mstatus = (s->mstatus & ~writable) | (value & writable);
	s->fs = value & STATUS_FS;
	if (s->fs == STATUS_FS)
		s->fs |= STATUS_SD;
	riscv64_changed(frame);
}

/* ---- interrupts ---------------------------------------------------------- */

RV_CSR_READ(sie)
{
	const struct riscv64_state *s = riscv64_state_read(frame);

	(void)number;
	return s->mie & s->mideleg;
}

RV_CSR_WRITE_TO(sie)
{
	struct riscv64_state *s = riscv64_state_of(frame);

	(void)number;
	s->mie = (s->mie & ~s->mideleg) | (value & s->mideleg);
}

uint64_t
riscv64_ip_change(struct ir_frame *frame, uint64_t writable, enum riscv64_csr_action action, uint64_t operand)
{
	uint64_t *mip = &riscv64_state_of(frame)->mip, before = __atomic_load_n(mip, __ATOMIC_RELAXED), after;

	do
		after = (before & ~writable) | (riscv64_csr_result(action, before, operand) & writable);
	while (!__atomic_compare_exchange_n(mip, &before, after, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return before;
}

/* mip and sip. What is set or cleared is the software's SEI, what is read also shows
 * the input's (manual, 3.1.9). */
RV_CSR_CHANGE(ip)
{
	struct riscv64_state *s = riscv64_state_of(frame);
	uint64_t shown = IP_ALL, writable = IP_SSI | IP_SEI, old;

	if (s->menvcfg & MENVCFG_STCE)
		riscv64_timer_update(frame);
	else
		writable |= IP_STI;
	if (number == CSR_SIP) {
		shown = s->mideleg;
		writable = s->mideleg & IP_SSI;
	}
	old = riscv64_pending(frame) & shown;
	if (!write)
		return old;
	/* SSI may have come since it was read. */
	return (old & ~(uint64_t)IP_SSI) | (riscv64_ip_change(frame, writable, action, operand) & shown & IP_SSI);
}

/* ---- environments, counter enables --------------------------------------- */

RV_CSR_READ(envcfg)
{
	const struct riscv64_state *s = riscv64_state_read(frame);

	return number == CSR_SENVCFG ? s->senvcfg : s->menvcfg;
}

/* CBIE cannot be 2; it becomes 0. */
RV_CSR_WRITE_TO(envcfg)
{
	struct riscv64_state *s = riscv64_state_of(frame);
	uint64_t common = value & SENVCFG_WRITABLE, before = s->menvcfg;

	if ((value & ENVCFG_CBIE) == (ENVCFG_CBIE & ~ENVCFG_CBIE_FLUSH))
		common &= ~(uint64_t)ENVCFG_CBIE;
	if (number == CSR_SENVCFG) {
		s->senvcfg = common;
	} else {
		s->menvcfg = common | (value & (MENVCFG_ADUE | MENVCFG_PBMTE | MENVCFG_STCE));
		if ((before ^ s->menvcfg) & MENVCFG_STCE)
			riscv64_timer_update(frame);
		/* What a walk made of page tables depends on the others. */
		if ((before ^ s->menvcfg) & (MENVCFG_ADUE | MENVCFG_PBMTE))
			frame->env->flush(frame->env, false, 0, false, 0, true);
	}
	riscv64_changed(frame);
}

RV_CSR_READ(counteren)
{
	const struct riscv64_state *s = riscv64_state_read(frame);

	return number == CSR_SCOUNTEREN ? s->scounteren : s->mcounteren;
}

RV_CSR_WRITE_TO(counteren)
{
	struct riscv64_state *s = riscv64_state_of(frame);

	*(number == CSR_SCOUNTEREN ? &s->scounteren : &s->mcounteren) = (uint32_t)value;
	riscv64_changed(frame);
}

/* ---- satp ---------------------------------------------------------------- */

RV_CSR_ALLOW(satp)
{
	const struct riscv64_state *s = riscv64_state_read(frame);

	(void)number;
	return s->privilege == RISCV64_MACHINE || !(s->mstatus & STATUS_TVM);
}

RV_CSR_READ(satp)
{
	(void)number;
	return riscv64_state_read(frame)->satp;
}

/* A mode that there is not: the write has no effect at all (10.1.11). Entries
 * of the soft TLB know their ASID but not their mode. */
RV_CSR_WRITE_TO(satp)
{
	struct riscv64_state *s = riscv64_state_of(frame);
	unsigned mode = SATP_MODE(value), before = SATP_MODE(s->satp);

	(void)number;
	if (!riscv64_satp_mode_is(s, mode))
		return;
	s->satp = value;
	if (mode != before && mode != SATP_BARE && before != SATP_BARE)
		frame->env->flush(frame->env, false, 0, false, 0, true);
	riscv64_changed(frame);
}

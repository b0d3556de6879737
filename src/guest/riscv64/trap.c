/* Traps: exceptions and interrupts on their way to a handler, and back. Manual,
 * 3.1.6 to 3.1.9, 3.1.14 to 3.1.16, 3.3.2, 10.1.
 *
 * riscv64_state.mip holds what software wrote in its low bits (SSI, STI, SEI),
 * the inputs MSI, MTI, MEI beside them, and the inputs STI and SEI above
 * (IP_LINES). SSI has one bit for both. With Sstc on, STI is the input alone.
 */
#include "guest/riscv64/privileged.h"

#include <string.h>

/* ---- interrupt inputs ---------------------------------------------------- */

void
riscv64_set_input(struct ir_frame *frame, unsigned number, bool level)
{
	uint64_t *mip = &riscv64_state_of(frame)->mip, bit = RV_BIT(number);

	if (bit & (IP_STI | IP_SEI))
		bit <<= IP_LINES;
	if (level)
		__atomic_or_fetch(mip, bit, __ATOMIC_ACQ_REL);
	else
		__atomic_and_fetch(mip, ~bit, __ATOMIC_ACQ_REL);
}

/* Inputs stay as they are now. SSI is software's and others' at once: raised by
 * either it stays raised. */
void
riscv64_restore(struct ir_frame *frame, const uint8_t *saved)
{
	const uint64_t inputs = IP_MSI | IP_MTI | IP_MEI | IP_STI_LINE | IP_SEI_LINE;
	const size_t at = offsetof(struct riscv64_state, mip), after = at + sizeof(uint64_t);
	uint64_t *mip = &riscv64_state_of(frame)->mip, before, old = __atomic_load_n(mip, __ATOMIC_ACQUIRE);

	memcpy(&before, saved + at, sizeof before);
	while (!__atomic_compare_exchange_n(mip, &old, (old & (inputs | IP_SSI)) | (before & ~inputs), false,
					    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		;
	memcpy(frame->guest, saved, at);
	memcpy(frame->guest + after, saved + after, IR_GUEST_STATE_SIZE - after);
}

uint64_t
riscv64_pending(const struct ir_frame *frame)
{
	const struct riscv64_state *s = riscv64_state_read(frame);
	uint64_t mip = __atomic_load_n(&s->mip, __ATOMIC_ACQUIRE);
	uint64_t lines = mip >> IP_LINES & (IP_STI | IP_SEI);

	if (s->menvcfg & MENVCFG_STCE)
		mip &= ~(uint64_t)IP_STI;
	return (mip & IP_ALL) | lines;
}

bool
riscv64_awake(const struct ir_frame *frame)
{
	return riscv64_pending(frame) & riscv64_state_read(frame)->mie;
}

/* ---- entering a handler -------------------------------------------------- */

/* Privilege changes; the next instruction is the handler's first. */
static void
enter(struct ir_frame *frame, unsigned privilege, uint64_t tvec, uint64_t cause)
{
	bool vectored = tvec & 1 && cause & CAUSE_INTERRUPT;

	frame->pc = (tvec & ~UINT64_C(3)) + (vectored ? 4 * (cause & 63) : 0);
	riscv64_state_of(frame)->privilege = (uint8_t)privilege;
	riscv64_changed(frame);
}

static void
enter_supervisor(struct ir_frame *frame, const struct guest_fault *fault)
{
	struct riscv64_state *s = riscv64_state_of(frame);
	uint64_t status = s->mstatus & ~(uint64_t)(STATUS_SPP | STATUS_SPIE | STATUS_SIE);

	if (s->mstatus & STATUS_SIE)
		status |= STATUS_SPIE;
	if (s->privilege == RISCV64_SUPERVISOR)
		status |= STATUS_SPP;
	s->mstatus = status;
	s->sepc = frame->pc;
	s->scause = fault->cause;
	s->stval = fault->value;
	enter(frame, RISCV64_SUPERVISOR, s->stvec, fault->cause);
}

static void
enter_machine(struct ir_frame *frame, const struct guest_fault *fault)
{
	struct riscv64_state *s = riscv64_state_of(frame);
	uint64_t status = s->mstatus & ~(uint64_t)(STATUS_MPP | STATUS_MPIE | STATUS_MIE);

	if (s->mstatus & STATUS_MIE)
		status |= STATUS_MPIE;
	s->mstatus = status | (uint64_t)s->privilege << STATUS_MPP_SHIFT;
	s->mepc = frame->pc;
	s->mcause = fault->cause;
	s->mtval = fault->value;
	enter(frame, RISCV64_MACHINE, s->mtvec, fault->cause);
}

/* A trap never goes to a privilege below the one it is taken from. */
void
riscv64_deliver(struct ir_frame *frame, const struct guest_fault *fault)
{
	const struct riscv64_state *s = riscv64_state_read(frame);
	uint64_t delegated = fault->cause & CAUSE_INTERRUPT ? s->mideleg : s->medeleg;

	if (s->privilege < RISCV64_MACHINE && delegated >> (fault->cause & 63) & 1)
		enter_supervisor(frame, fault);
	else
		enter_machine(frame, fault);
}

/* stval and mtval of a breakpoint are its address. */
bool
riscv64_trap(struct ir_frame *frame, enum ir_trap trap, uint64_t value, struct guest_fault *fault,
	     enum guest_step *step)
{
	const struct riscv64_state *s = riscv64_state_read(frame);
	if (trap == IR_TRAP_SYSCALL && s->firmware && s->privilege == RISCV64_SUPERVISOR) {
		*step = GUEST_STEP_CALL;
		return false;
	}
	if (trap == IR_TRAP_SYSCALL)
		*fault = (struct guest_fault){ CAUSE_ECALL + s->privilege, 0 };
	else if (trap == IR_TRAP_BREAKPOINT)
		*fault = (struct guest_fault){ CAUSE_BREAKPOINT, frame->pc };
	else
		*fault = (struct guest_fault){ CAUSE_ILLEGAL, value };
	return true;
}

/* ---- taking interrupts --------------------------------------------------- */

/* Of those pending and enabled by mie, those that the privilege lets in; those
 * for M-mode go before all others. */
static uint64_t
let_in(const struct riscv64_state *s, uint64_t pending)
{
	bool machine = s->privilege < RISCV64_MACHINE || s->mstatus & STATUS_MIE;
	bool supervisor = s->privilege < RISCV64_SUPERVISOR ||
			  (s->privilege == RISCV64_SUPERVISOR && s->mstatus & STATUS_SIE);

	if (machine && pending & ~s->mideleg)
		return pending & ~s->mideleg;
	return supervisor ? pending & s->mideleg : 0;
}

unsigned
riscv64_most_urgent(uint64_t pending)
{
	static const uint8_t order[] = { RISCV64_MEI, RISCV64_MSI, RISCV64_MTI,
					 RISCV64_SEI, RISCV64_SSI, RISCV64_STI };
	unsigned i = 0;

	while (!(pending >> order[i] & 1))
		i++;
	return order[i];
}

bool
riscv64_interrupt(struct ir_frame *frame)
{
	struct riscv64_state *s = riscv64_state_of(frame);
	struct guest_fault fault = { 0 };
	uint64_t taken;

	s->waiting = riscv64_pending(frame) & s->mie;
	if (LIKELY(!s->waiting))
		return false;
	if (s->waiting & IP_STI && s->menvcfg & MENVCFG_STCE && frame->env->time(frame->env) < s->stimecmp) {
		riscv64_timer_update(frame); /* the input was of a time before */
		s->waiting = riscv64_pending(frame) & s->mie;
	}
	taken = let_in(s, s->waiting);
	if (!taken)
		return false;
	fault.cause = CAUSE_INTERRUPT | riscv64_most_urgent(taken);
	riscv64_deliver(frame, &fault);
	return true;
}

/* ---- returning ----------------------------------------------------------- */

/* Whoever was interrupted between LR and SC must not go on with the reservation
 * of somebody else. */
static void
leave(struct ir_frame *frame, uint64_t pc)
{
	frame->pc = pc;
	frame->link_address = IR_LINK_NONE;
	riscv64_changed(frame);
}

void
riscv64_mret(struct ir_frame *frame)
{
	struct riscv64_state *s = riscv64_state_of(frame);
	unsigned privilege = (unsigned)(s->mstatus & STATUS_MPP) >> STATUS_MPP_SHIFT;
	uint64_t status = s->mstatus & ~(uint64_t)(STATUS_MPP | STATUS_MIE);

	if (s->mstatus & STATUS_MPIE)
		status |= STATUS_MIE;
	if (privilege != RISCV64_MACHINE)
		status &= ~(uint64_t)STATUS_MPRV;
	s->mstatus = status | STATUS_MPIE;
	s->privilege = (uint8_t)privilege;
	leave(frame, s->mepc);
}

void
riscv64_sret(struct ir_frame *frame)
{
	struct riscv64_state *s = riscv64_state_of(frame);
	uint64_t status = s->mstatus & ~(uint64_t)(STATUS_SPP | STATUS_SIE | STATUS_MPRV);

	if (s->mstatus & STATUS_SPIE)
		status |= STATUS_SIE;
	s->privilege = s->mstatus & STATUS_SPP ? RISCV64_SUPERVISOR : RISCV64_USER;
	s->mstatus = status | STATUS_SPIE;
	leave(frame, s->sepc);
}

/* Privileged instructions: those that lifted code leaves to IR_TRAP_SYSTEM.
 * Manual, 3.3, 10.2, 10.6 (Svinval); cache-block management: "CMO". */
#include "guest/riscv64/privileged.h"

/* ---- cache blocks -------------------------------------------------------- */

/* Whether menvcfg and senvcfg let the privilege do it. */
static bool
manage_enabled(const struct riscv64_state *s, enum riscv64_op op)
{
	uint64_t field = op == RV_CBO_INVAL ? ENVCFG_CBIE : ENVCFG_CBCFE;

	if (s->privilege < RISCV64_MACHINE && !(s->menvcfg & field))
		return false;
	return s->privilege != RISCV64_USER || s->senvcfg & field;
}

/* cbo.inval, cbo.clean, cbo.flush: memory is coherent, so all that is left is
 * the right to access the block: to load from it or to store to it. Device
 * registers take no such access. A fault is a store's. */
static enum guest_step
manage(struct ir_frame *frame, const struct riscv64_insn *insn, struct guest_fault *fault)
{
	const struct riscv64_state *s = riscv64_state_read(frame);
	uint64_t address = s->x[insn->rs1], block = address & -(uint64_t)RISCV64_CACHE_BLOCK;
	unsigned regime = riscv64_data_regime(frame);
	struct guest_walk walk;

	if (!riscv64_walk(frame, block, RISCV64_CACHE_BLOCK, GUEST_READ, regime, &walk, fault) &&
	    !riscv64_walk(frame, block, RISCV64_CACHE_BLOCK, GUEST_WRITE, regime, &walk, fault)) {
		fault->value = address;
		return GUEST_STEP_FAULT;
	}
	if (memory_find_ram(frame->env->memory, walk.physical))
		return GUEST_STEP_NEXT;
	*fault = riscv64_access_fault(address, GUEST_WRITE);
	return GUEST_STEP_FAULT;
}

/* ---- all ------------------------------------------------------------------ */

/* In U-mode wfi is illegal, as S-mode is there; with TW it is in S-mode too, at
 * once: the time limit is 0. */
static bool
may_wait(const struct riscv64_state *s)
{
	return s->privilege == RISCV64_MACHINE || (s->privilege == RISCV64_SUPERVISOR && !(s->mstatus & STATUS_TW));
}

static bool
may_sret(const struct riscv64_state *s)
{
	return s->privilege == RISCV64_MACHINE || (s->privilege == RISCV64_SUPERVISOR && !(s->mstatus & STATUS_TSR));
}

/* Does it, pc aside but for returns. FAULT with cause 0: it is illegal. */
static enum guest_step
perform(struct ir_frame *frame, const struct riscv64_insn *insn, struct guest_fault *fault)
{
	static const enum guest_step done[] = { GUEST_STEP_FAULT, GUEST_STEP_NEXT };
	const struct riscv64_state *s = riscv64_state_read(frame);

	switch ((int)insn->op) {
	case RV_CSRRW:
	case RV_CSRRS:
	case RV_CSRRC:
	case RV_CSRRWI:
	case RV_CSRRSI:
	case RV_CSRRCI:
		return done[riscv64_csr_execute(frame, insn)];
	case RV_SRET:
		if (!may_sret(s))
			return GUEST_STEP_FAULT;
		riscv64_sret(frame);
		return GUEST_STEP_NEXT;
	case RV_MRET:
		if (s->privilege != RISCV64_MACHINE)
			return GUEST_STEP_FAULT;
		riscv64_mret(frame);
		return GUEST_STEP_NEXT;
	case RV_WFI:
		return may_wait(s) ? GUEST_STEP_WAIT : GUEST_STEP_FAULT;
	case RV_SFENCE_W_INVAL:
	case RV_SFENCE_INVAL_IR:
		return done[s->privilege != RISCV64_USER];
	case RV_CBO_INVAL:
	case RV_CBO_CLEAN:
	case RV_CBO_FLUSH:
		return manage_enabled(s, insn->op) ? manage(frame, insn, fault) : GUEST_STEP_FAULT;
	}
	return GUEST_STEP_FAULT;
}

enum guest_step
riscv64_execute(struct ir_frame *frame, uint64_t bits, uint64_t next, struct guest_fault *fault)
{
	uint64_t pc = frame->pc;
	struct riscv64_insn insn;
	enum guest_step step = GUEST_STEP_FAULT;

	*fault = (struct guest_fault){ 0 };
	/* Returns set pc; for the rest it is `next`. */
	frame->pc = next;
	if (riscv64_decode((uint32_t)bits, &insn))
		step = perform(frame, &insn, fault);
	if (step != GUEST_STEP_FAULT) {
		riscv64_state_of(frame)->retired++;
		return step;
	}
	frame->pc = pc;
	if (!fault->cause)
		*fault = (struct guest_fault){ CAUSE_ILLEGAL, bits };
	return step;
}

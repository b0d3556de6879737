/* The run loop of system vCPUs: from region to region as translate/run.c does,
 * and what a guest's traps, system instructions and interrupts ask for. */
#include "cpu/system/system.h"

#include "cpu/translate/translate.h"

#include <string.h>

#define APART_AFTER 4u /* crossings that are worth a region */

enum outcome { GO_ON, OUT };

/* ---- traps ------------------------------------------------------------------- */

static void
deliver(struct cpu_system *s, const struct guest_fault *fault)
{
	s->guest->deliver(s->vcpu->frame, fault);
	s->stale = true;
}

/* The bits of the instruction at [pc, next), little-endian. */
static uint64_t
bits_at(struct cpu_system *s, uint64_t pc, uint64_t next)
{
	uint64_t bits = 0, physical, part;
	const uint8_t *page;

	for (uint64_t at = pc; at < next && next - pc <= sizeof bits; at += part) {
		part = align_down(at, GUEST_PAGE) + GUEST_PAGE - at;
		if (part > next - at)
			part = next - at;
		s->vcpu->frame->pc = at;
		if (!system_fetch(s, &physical))
			break;
		page = memory_ram(s->memory, align_down(physical, GUEST_PAGE), GUEST_PAGE, false);
		if (page)
			memcpy((uint8_t *)&bits + (at - pc), page + physical % GUEST_PAGE, part);
	}
	s->vcpu->frame->pc = pc;
	return bits;
}

/* What a step asks for; frame->pc is right for it. */
static enum outcome
after_step(struct cpu_system *s, enum guest_step step, enum cpu_system_stop *stop)
{
	struct ir_frame *frame = s->vcpu->frame;

	s->stale = true;
	switch (step) {
	case GUEST_STEP_NEXT:
		s->guest->interrupt(frame);
		return GO_ON;
	case GUEST_STEP_WAIT:
		if (s->guest->interrupt(frame) || s->guest->awake(frame))
			return GO_ON;
		*stop = CPU_SYSTEM_WAIT;
		return OUT;
	case GUEST_STEP_CALL:
		*stop = CPU_SYSTEM_CALL;
		return OUT;
	case GUEST_STEP_FAULT:
		deliver(s, &s->fault);
		return GO_ON;
	}
	return GO_ON;
}

/* The trap that a region or its evaluation stopped with. */
static enum outcome
handle_trap(struct cpu_system *s, const struct cpu_stop *trap, enum cpu_system_stop *stop)
{
	struct ir_frame *frame = s->vcpu->frame;
	enum guest_step step = GUEST_STEP_FAULT;
	uint64_t bits;

	frame->pc = trap->pc;
	switch (trap->trap) {
	case IR_TRAP_READ_FAULT:
	case IR_TRAP_WRITE_FAULT:
	case IR_TRAP_FETCH_FAULT:
		break; /* s->fault says */
	case IR_TRAP_SYSTEM:
		bits = bits_at(s, trap->pc, trap->next);
		step = s->guest->execute(frame, bits, trap->next, &s->fault);
		break;
	case IR_TRAP_ILLEGAL:
	case IR_TRAP_BREAKPOINT:
	case IR_TRAP_SYSCALL:
	case IR_TRAP_DIVIDE:
	case IR_TRAP_MISALIGNED:
	case IR_TRAP_NONE:
		bits = trap->trap == IR_TRAP_ILLEGAL ? bits_at(s, trap->pc, trap->next) : trap->address;
		if (!s->guest->trap(frame, trap->trap, bits, &s->fault, &step))
			frame->pc = trap->next;
		break;
	}
	return after_step(s, step, stop);
}

/* ---- safepoints ---------------------------------------------------------------- */

static enum outcome
polled(struct cpu_system *s, enum cpu_system_stop *stop)
{
	struct ir_frame *frame = s->vcpu->frame;

	__atomic_store_n(&frame->poll, 0, __ATOMIC_SEQ_CST);
	if (mail_pending(s))
		mail_serve(s);
	s->guest->interrupt(frame);
	s->stale = true;
	*stop = CPU_SYSTEM_POLL;
	return OUT;
}

/* ---- running -------------------------------------------------------------------- */

/* What is at frame->pc, which cannot be fetched. */
static void
fetch_failed(struct cpu_system *s)
{
	deliver(s, &s->fault);
}

/* Evaluates a region, or one instruction, at frame->pc. */
static enum outcome
evaluate(struct cpu_system *s, bool single, enum cpu_system_stop *stop)
{
	struct vcpu *vcpu = s->vcpu;
	struct cpu_stop trap;
	bool stopped = vcpu->space->cache->translator ? run_interpreted(vcpu, single, &trap)
						       : interp_here(vcpu, single, &trap);

	s->stale = true;
	if (stopped)
		return handle_trap(s, &trap, stop);
	if (vcpu->local->eval.kind == IR_EXIT_LOOKUP)
		s->guest->interrupt(vcpu->frame);
	return GO_ON;
}

/* A region of this code is made, and is next as was asked for, or, when it cannot be,
 * evaluated. */
static enum outcome
make(struct cpu_system *s, uint64_t physical, struct run_next *next, enum cpu_system_stop *stop)
{
	struct cpu_stop trap;
	enum region_made made;

	safepoint_leave(s->vcpu);
	system_leave(s); /* it may wait for other vCPUs */
	made = region_make(s->vcpu, physical, &trap);
	system_enter(s);
	if (made == REGION_MADE)
		return GO_ON;
	*next = (struct run_next){ 0 };
	switch (made) {
	case REGION_MADE:
		break;
	case REGION_EVALUATED:
		return evaluate(s, false, stop);
	case REGION_STOPPED:
		return handle_trap(s, &trap, stop);
	}
	return GO_ON;
}

/* The region for the code; NULL when it must be made. One that straddles into a
 * page that is not what the second page is now gives way. */
static struct region *
find(struct cpu_system *s, uint64_t physical)
{
	const struct translator *t = translator_of(s->vcpu);
	struct region *region = lookup_find(t, physical, s->vcpu->frame->mode);

	if (!region || LIKELY(!region->second) || system_second_is(s->vcpu, region->second))
		return region;
	space_lock(s->vcpu->space);
	region_kill(s->vcpu->space, (uint32_t)(region - t->region));
	space_unlock(s->vcpu->space);
	return NULL;
}

/* A shared probe met the end of a page. Where that happens again and again the exit
 * is chained to a region without sharing; else the instruction is evaluated. */
static enum outcome
crossed(struct cpu_system *s, const struct code_exit *exit, struct run_next *next, enum cpu_system_stop *stop)
{
	const struct translator *t = translator_of(s->vcpu);
	uint32_t offset = (uint32_t)((const uint8_t *)exit - t->memory.x);
	struct code_exit *counted = (struct code_exit *)(void *)(t->memory.w + offset);

	if (__atomic_add_fetch(&counted->misses, 1, __ATOMIC_RELAXED) <= APART_AFTER)
		return evaluate(s, true, stop);
	*next = (struct run_next){ .link = offset, .apart = true };
	return GO_ON;
}

/* A place has missed its memory of a page often, or has not when that was asked. */
static void
wandered(struct cpu_system *s, const struct code_exit *exit)
{
	struct ir_site *site = &s->vcpu->frame->site[exit->value];
	struct region *region = &translator_of(s->vcpu)->region[exit->region];

	space_lock(s->vcpu->space);
	if (region_state(region) == REGION_LIVE)
		region_wander(s->vcpu->space, region, exit->target, exit->link);
	space_unlock(s->vcpu->space);
	site->misses = site->tries = 0;
}

/* What the exit that generated code took asks for. */
static enum outcome
left(struct cpu_system *s, struct run_next *next, enum cpu_system_stop *stop)
{
	const struct code_exit *exit = s->vcpu->frame->exit_record;
	struct cpu_stop trap;

	if (exit->kind == CODE_EXIT_INTERPRET || exit->kind == CODE_EXIT_APART) {
		s->vcpu->local->stats.exits[exit->kind]++;
		*next = (struct run_next){ 0 };
		s->vcpu->frame->pc = exit_target(s->vcpu, exit);
		return exit->kind == CODE_EXIT_APART ? crossed(s, exit, next, stop) : evaluate(s, true, stop);
	}
	if (exit->kind == CODE_EXIT_WANDER)
		wandered(s, exit);
	if (exit_decode(s->vcpu, next, &trap))
		return handle_trap(s, &trap, stop);
	if (exit->kind == IR_EXIT_LOOKUP) {
		s->guest->interrupt(s->vcpu->frame);
		s->stale = true;
	}
	return GO_ON;
}

static enum outcome
run_region(struct cpu_system *s, struct region *region, struct run_next *next, enum cpu_system_stop *stop)
{
	const struct translator *t = translator_of(s->vcpu);

	if (UNLIKELY(region_state(region) == REGION_INTERPRET)) {
		*next = (struct run_next){ 0 };
		return evaluate(s, false, stop);
	}
	if (next->indirect)
		jumps_fill(s, region);
	t->thunks.enter(s->vcpu->frame, region_entry(t, region));
	return left(s, next, stop);
}

/* A flush of the cache changes the epoch: addresses of code die everywhere. */
static uint32_t
epoch_enter(struct cpu_system *s)
{
	uint32_t before = s->vcpu->local->epoch, epoch = safepoint_enter(s->vcpu);

	if (LIKELY(epoch == before))
		return epoch;
	for (unsigned i = 0; i < CONTEXTS; i++)
		if (s->contexts[i].number)
			context_renew(s, &s->contexts[i]);
	system_sync(s);
	return epoch;
}

static enum outcome
translate_step(struct cpu_system *s, struct run_next *next, uint32_t *left_epoch, enum cpu_system_stop *stop)
{
	struct region *region;
	uint64_t physical;
	uint32_t epoch = epoch_enter(s);

	if (!system_fetch(s, &physical)) {
		fetch_failed(s);
		*next = (struct run_next){ 0 };
		return GO_ON;
	}
	if (UNLIKELY(s->fine)) {
		*next = (struct run_next){ 0 };
		return evaluate(s, true, stop);
	}
	if (next->apart)
		s->vcpu->frame->mode |= CPU_MODE_APART;
	s->vcpu->local->stats.lookups++;
	region = find(s, physical);
	if (!region)
		return make(s, physical, next, stop);
	if (next->link && *left_epoch == epoch)
		link_exit(s->vcpu, next->link, region, epoch);
	*left_epoch = epoch;
	return run_region(s, region, next, stop);
}

/* A vCPU that counts stops at its limit and nowhere else: where a region might go
 * beyond it, one instruction is evaluated. True: that was done, with *outcome. */
static bool
near_limit(struct cpu_system *s, enum outcome *outcome, enum cpu_system_stop *stop)
{
	uint64_t left = s->guest->instructions_left(s->vcpu->frame);

	if (LIKELY(left >= region_insns(s->vcpu)))
		return false;
	*stop = CPU_SYSTEM_DUE;
	*outcome = left ? evaluate(s, true, stop) : OUT;
	return true;
}

static enum cpu_system_stop
run_translated(struct cpu_system *s)
{
	struct run_next next = { 0 };
	uint32_t left_epoch = 0;
	enum cpu_system_stop stop;
	enum outcome outcome;

	for (;;) {
		if (UNLIKELY(__atomic_load_n(&s->vcpu->frame->poll, __ATOMIC_ACQUIRE)) && polled(s, &stop) == OUT)
			break;
		if (s->stale)
			system_sync(s);
		if (UNLIKELY(s->counts) && near_limit(s, &outcome, &stop))
			next = (struct run_next){ 0 };
		else
			outcome = translate_step(s, &next, &left_epoch, &stop);
		if (outcome == OUT)
			break;
	}
	safepoint_leave(s->vcpu);
	translator_sync(s->vcpu);
	return stop;
}

/* Both ways, and compared: lockstep/. */
static enum outcome
lockstep_step(struct cpu_system *s, enum cpu_system_stop *stop)
{
	uint32_t *turn = &s->vcpu->space->cache->turn;
	struct cpu_stop trap;
	uint64_t physical;
	bool stopped;

	if (system_fetch(s, &physical) && UNLIKELY(s->fine))
		return evaluate(s, true, stop);
	system_leave(s); /* whoever has the turn may wait for others */
	lock_take(turn);
	system_enter(s);
	system_sync(s);
	stopped = lockstep_once(s->vcpu, &trap);
	lock_drop(turn);
	s->stale = true;
	if (stopped)
		return handle_trap(s, &trap, stop);
	s->guest->interrupt(s->vcpu->frame);
	return GO_ON;
}

static enum cpu_system_stop
run_evaluated(struct cpu_system *s, bool lockstep)
{
	enum cpu_system_stop stop;
	enum outcome outcome;

	for (;;) {
		if (UNLIKELY(__atomic_load_n(&s->vcpu->frame->poll, __ATOMIC_ACQUIRE)) && polled(s, &stop) == OUT)
			break;
		if (s->stale)
			system_sync(s);
		if (UNLIKELY(s->counts) && near_limit(s, &outcome, &stop)) {
			if (outcome == OUT)
				break;
			continue;
		}
		if ((lockstep ? lockstep_step(s, &stop) : evaluate(s, false, &stop)) == OUT)
			break;
	}
	return stop;
}

enum cpu_system_stop
cpu_run_system(struct vcpu *vcpu)
{
	struct cpu_system *s = system_of(vcpu);
	enum cpu_system_stop stop;

	system_thread_runs(vcpu);
	s->stale = true;
	system_enter(s);
	if (vcpu->space->cache->translator && vcpu->options->accel == CPU_ACCEL_TRANSLATE)
		stop = run_translated(s);
	else
		stop = run_evaluated(s, vcpu->local->lockstep);
	system_leave(s);
	return stop;
}

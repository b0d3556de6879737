/* Lockstep: each region is evaluated with an undo log, memory and state are put
 * back, its translation runs, and the two outcomes are compared: slots, pc,
 * floating-point flags and rounding, the linked address, the bytes stored, and
 * the trap or fault.
 *
 * Translations stay unlinked and jump tables empty, so that each comes back
 * after one region. One that comes back in the middle (a poll, a rare case left
 * to the evaluator, a planted fault) is compared there with an evaluation of
 * the instructions before: that tests the state it recovered.
 *
 * Both runs see the same memory only if nobody else writes meanwhile. vCPUs
 * take turns; for the rest, a region that differs is run again, twice.
 */
#include "cpu/lockstep/lockstep.h"

#include "base/raw.h"
#include "guest/system.h"
#include "host/lock.h"

#include <string.h>
#include <sys/syscall.h>

#define TRIES 3u
#define TURN 256u /* regions between two chances for others */

int
lockstep_vcpu_init(struct vcpu *vcpu, struct error *error)
{
	if (!vcpu->space->cache->translator)
		return error_set(error, 0, "lockstep needs a code generator for this host");
	vcpu->local->lockstep = pages_alloc(sizeof *vcpu->local->lockstep);
	if (!vcpu->local->lockstep)
		return error_set(error, 12, "no memory for lockstep");
	return 0;
}

void
lockstep_vcpu_fini(struct vcpu *vcpu)
{
	struct lockstep *ls = vcpu->local->lockstep;

	if (!ls)
		return;
	arena_fini(&ls->arena);
	vec_fini(&ls->undo, sizeof(struct ir_undo));
	vec_fini(&ls->evaluated.memory, 32);
	vec_fini(&ls->translated.memory, 32);
	pages_free(ls, sizeof *ls);
	vcpu->local->lockstep = NULL;
}

/* ---- state and memory ------------------------------------------------------ */

static void
frame_save(struct vcpu *vcpu, struct lockstep_state *state)
{
	const struct ir_frame *frame = vcpu->frame;

	translator_sync(vcpu);
	memcpy(state->guest, frame->guest, sizeof state->guest);
	state->pc = frame->pc;
	state->fp_flags = frame->fp_flags;
	state->fp_round = frame->fp_round;
	state->link_address = frame->link_address;
	state->link_value = frame->link_value;
}

static void
frame_restore(struct vcpu *vcpu, const struct lockstep_state *state)
{
	struct ir_frame *frame = vcpu->frame;

	translator_sync(vcpu); /* drops what the host still holds */
	if (vcpu->space->memory && vcpu->space->guest->system->restore)
		vcpu->space->guest->system->restore(frame, state->guest);
	else
		memcpy(frame->guest, state->guest, sizeof state->guest);
	frame->pc = state->pc;
	frame->fp_flags = state->fp_flags;
	frame->fp_round = state->fp_round;
	frame->link_address = state->link_address;
	frame->link_value = state->link_value;
	translator_sync(vcpu);
}

static uint8_t *
guest_bytes(const struct vcpu *vcpu, uint64_t address)
{
	return (uint8_t *)(uintptr_t)(vcpu->space->guest_base + address);
}

/* The evaluator wrote to every address of its undo log, so they are mapped. */
static void
memory_keep(const struct vcpu *vcpu, const struct lockstep *ls, struct vec *memory)
{
	const struct ir_undo *undo = ls->undo.data;

	memory->count = 0;
	for (size_t i = 0; i < ls->undo.count; i++)
		memcpy(vec_push(memory, 32), guest_bytes(vcpu, undo[i].address), undo[i].size);
}

static void
memory_undo(const struct vcpu *vcpu, const struct lockstep *ls)
{
	const struct ir_undo *undo = ls->undo.data;

	for (size_t i = ls->undo.count; i-- > 0;)
		memcpy(guest_bytes(vcpu, undo[i].address), undo[i].old, undo[i].size);
}

/* ---- the two runs ----------------------------------------------------------- */

/* Whether a second run could be told from the first. */
static bool
runs_once(const struct vcpu *vcpu, const struct lockstep *ls)
{
	const struct ir_region *region = vcpu->local->evaluating;
	const struct ir_undo *undo = ls->undo.data;

	if (vcpu->local->eval.device)
		return true;
	for (ir_ref i = 1; i < region->ins_count; i++)
		if (region->ins[i].op == IR_CALL &&
		    (region->helpers[region->ins[i].aux].effects & IR_H_VOLATILE))
			return true;
	for (size_t i = 0; vcpu->space->shared && i < ls->undo.count; i++)
		if (vcpu->space->shared(vcpu->space, undo[i].address, undo[i].size))
			return true;
	return false;
}

static void
run_evaluated(struct vcpu *vcpu, struct lockstep *ls)
{
	ls->undo.count = 0;
	vcpu->local->eval.undo = &ls->undo;
	vcpu->local->evaluating = NULL;
	ls->evaluated.stopped = interp_here(vcpu, false, &ls->evaluated.stop);
	vcpu->local->eval.undo = NULL;
	frame_save(vcpu, &ls->evaluated.state);
	memory_keep(vcpu, ls, &ls->evaluated.memory);
}

/* The exit, in the middle of the region, that translated code took. */
static const struct code_exit *
partial_exit(const struct vcpu *vcpu)
{
	return vcpu->frame->exit_record;
}

/* Evaluates what translated code did before that exit: the instructions before
 * the one that it names; before a poll, which may come after a jump to anywhere,
 * as many as it counts. */
static void
run_prefix(struct vcpu *vcpu, struct lockstep *ls)
{
	const struct lifted *whole = interp_last(vcpu);
	const struct code_exit *exit = partial_exit(vcpu);
	bool polled = exit->kind == CODE_EXIT_POLL;
	uint32_t done = polled ? exit->retired : (uint32_t)exit->target;
	struct guest_lift_limits limits = { .insns = polled ? done : whole->region.insns, .code = whole->code,
					    .readable = polled ? whole->code_size : done };
	struct ir_region region;

	ls->evaluated.stopped = false;
	arena_reset(&ls->arena);
	if (done) {
		if (vcpu->space->guest->lift(&region, &ls->arena, whole->region.pc,
					     whole->region.mode & ~CPU_MODE_ENGINE, &limits))
			fatal("lockstep cannot lift a part of the region at %#lx", (unsigned long)whole->region.pc);
		/* Stops are told apart by the write that undo logs would hide. */
		ls->evaluated.stopped = interp_region(vcpu, &region, &ls->evaluated.stop);
		vcpu->local->evaluating = &whole->region;
	}
	frame_save(vcpu, &ls->evaluated.state);
	memory_keep(vcpu, ls, &ls->evaluated.memory);
}

/* The translation of what is at the frame's pc; made when it is missing. NULL:
 * there is none, it was evaluated, stopped says how that went. */
static const struct region *
translation(struct vcpu *vcpu, struct lockstep_run *run)
{
	for (;;) {
		const struct region *region;
		uint64_t pc = vcpu->frame->pc;

		if (vcpu->local->system && !system_code(vcpu, &pc, &run->stop)) {
			run->stopped = true;
			return NULL;
		}
		safepoint_enter(vcpu);
		region = lookup_find(translator_of(vcpu), pc, vcpu->frame->mode);
		if (region && !system_second_is(vcpu, region->second)) {
			space_lock(vcpu->space);
			region_kill(vcpu->space, (uint32_t)(region - translator_of(vcpu)->region));
			space_unlock(vcpu->space);
			region = NULL;
		}
		if (region && region_state(region) == REGION_LIVE)
			return region;
		safepoint_leave(vcpu);
		if (region) {
			run->stopped = run_interpreted(vcpu, false, &run->stop);
			return NULL;
		}
		switch (region_make(vcpu, pc, &run->stop)) {
		case REGION_MADE:
			break;
		case REGION_EVALUATED:
			run->stopped = vcpu->local->system && run_interpreted(vcpu, false, &run->stop);
			return NULL;
		case REGION_STOPPED:
			run->stopped = true;
			return NULL;
		}
	}
}

/* True: it came back in the middle of the region, and goes on by exit_decode. */
static bool
run_translated(struct vcpu *vcpu, struct lockstep_run *run)
{
	const struct region *region = translation(vcpu, run);
	struct run_next next;
	bool partial = false;

	if (region) {
		translator_of(vcpu)->thunks.enter(vcpu->frame, region_entry(translator_of(vcpu), region));
		partial = exit_is_partial(vcpu);
		run->stopped = !partial && exit_decode(vcpu, &next, &run->stop);
	}
	safepoint_leave(vcpu);
	return partial;
}

/* ---- a region ---------------------------------------------------------------- */

static bool
goes_on(struct vcpu *vcpu, struct cpu_stop *stop)
{
	struct run_next next;
	bool stopped = exit_decode(vcpu, &next, stop);

	safepoint_leave(vcpu);
	return stopped;
}

/* Runs it by translation alone. */
static bool
run_uncompared(struct vcpu *vcpu, struct lockstep *ls, struct cpu_stop *stop)
{
	if (run_translated(vcpu, &ls->translated))
		return goes_on(vcpu, stop);
	*stop = ls->translated.stop;
	return ls->translated.stopped;
}

/* An instruction that translated code leaves to the evaluator may have raised
 * its flags already; they are not held against those of the instructions before
 * it, of which none may be lost. */
static void
flags_of_partial(struct lockstep *ls)
{
	uint32_t prefix = ls->evaluated.state.fp_flags, seen = ls->translated.state.fp_flags;

	if (!(prefix & ~seen & LOCKSTEP_FLAGS))
		ls->evaluated.state.fp_flags = seen;
}

/* Runs it both ways once. The outcomes are in ls, memory is as the second run
 * left it. */
static bool
run_both(struct vcpu *vcpu, struct lockstep *ls)
{
	bool partial;

	memory_undo(vcpu, ls);
	frame_restore(vcpu, &ls->before);
	partial = run_translated(vcpu, &ls->translated);
	if (partial)
		vcpu->frame->pc = ls->before.pc + (uint64_t)(int64_t)partial_exit(vcpu)->target;
	frame_save(vcpu, &ls->translated.state);
	memory_keep(vcpu, ls, &ls->translated.memory);
	if (partial) {
		memory_undo(vcpu, ls);
		frame_restore(vcpu, &ls->before);
		run_prefix(vcpu, ls);
		flags_of_partial(ls);
	}
	return partial;
}

static bool
lockstep_region(struct vcpu *vcpu, struct lockstep *ls, struct cpu_stop *stop)
{
	unsigned sample = vcpu->options->lockstep_sample;
	bool partial;

	if (sample > 1 && ls->entries++ % sample)
		return run_uncompared(vcpu, ls, stop);
	frame_save(vcpu, &ls->before);
	for (unsigned tries = 1;; tries++) {
		run_evaluated(vcpu, ls);
		/* No region: what is at the pc cannot be fetched. */
		if (!vcpu->local->evaluating || runs_once(vcpu, ls)) {
			*stop = ls->evaluated.stop;
			return ls->evaluated.stopped;
		}
		partial = run_both(vcpu, ls);
		if (!lockstep_differ(vcpu, ls))
			break;
		if (tries == TRIES) {
			lockstep_report(vcpu, ls);
			RAW1(SYS_exit_group, CPU_LOCKSTEP_STATUS);
		}
		memory_undo(vcpu, ls);
		frame_restore(vcpu, &ls->before);
	}
	if (partial)
		return goes_on(vcpu, stop);
	*stop = ls->translated.stop;
	return ls->translated.stopped;
}

bool
lockstep_once(struct vcpu *vcpu, struct cpu_stop *stop)
{
	bool stopped = lockstep_region(vcpu, vcpu->local->lockstep, stop);

	translator_sync(vcpu);
	return stopped;
}

void
lockstep_run(struct vcpu *vcpu, struct cpu_stop *stop)
{
	struct lockstep *ls = vcpu->local->lockstep;
	uint32_t *turn = &vcpu->space->cache->turn;
	unsigned regions = 0;

	lock_take(turn);
	for (;;) {
		vcpu->frame->mode = vcpu->space->guest->mode(vcpu->frame);
		if (cpu_polled(vcpu, stop) || lockstep_region(vcpu, ls, stop))
			break;
		if (++regions % TURN)
			continue;
		lock_drop(turn);
		RAW0(SYS_sched_yield);
		lock_take(turn);
	}
	lock_drop(turn);
	translator_sync(vcpu);
}

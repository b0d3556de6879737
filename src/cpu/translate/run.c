/* The run loop: from region to region, in generated code as long as it goes. */
#include "cpu/translate/translate.h"

#include <signal.h>

_Static_assert(sizeof(struct code_exit) <= sizeof ((struct cpu_local *)NULL)->record, "fits");

/* ---- safepoints ------------------------------------------------------------ */

/* The jump table and the shadow stack hold code of one epoch and mode. */
static void
forget_code(struct vcpu *vcpu)
{
	shadow_reset(vcpu);
	for (unsigned i = 0; i < IR_JUMP_TABLE_SIZE; i++) {
		if (vcpu->frame->jump[i].pc) /* leave pages alone that were never written */
			vcpu->frame->jump[i].pc = IR_JUMP_EMPTY;
	}
}

uint32_t
safepoint_enter(struct vcpu *vcpu)
{
	const struct translator *t = translator_of(vcpu);
	struct cpu_local *local = vcpu->local;
	uint32_t epoch;

	/* Either a flush sees us inside, or we see its epoch. */
	do {
		epoch = __atomic_load_n(&t->epoch, __ATOMIC_SEQ_CST);
		__atomic_store_n(&local->inside, epoch, __ATOMIC_SEQ_CST);
	} while (epoch != __atomic_load_n(&t->epoch, __ATOMIC_SEQ_CST));
	if (local->system) { /* has contexts: system/run.c */
		local->epoch = epoch;
		return epoch;
	}
	if (UNLIKELY(local->epoch != epoch || local->mode != vcpu->frame->mode)) {
		forget_code(vcpu);
		local->epoch = epoch;
		local->mode = vcpu->frame->mode;
	}
	return epoch;
}

void
safepoint_leave(struct vcpu *vcpu)
{
	__atomic_store_n(&vcpu->local->inside, 0, __ATOMIC_SEQ_CST);
}

/* Whoever kills the region marks it first and searches the table then: the
 * entry is found there, or the mark here. */
static void
jump_fill(struct vcpu *vcpu, const struct translator *t, const struct region *region)
{
	struct ir_jump *entry = &vcpu->frame->jump[(region->pc >> 1) % IR_JUMP_TABLE_SIZE];

	__atomic_store_n(&entry->pc, IR_JUMP_EMPTY, __ATOMIC_RELAXED);
	__atomic_store_n(&entry->host, (void *)(uintptr_t)region_entry(t, region), __ATOMIC_RELEASE);
	__atomic_store_n(&entry->pc, region->pc, __ATOMIC_SEQ_CST);
	if (UNLIKELY(__atomic_load_n(&region->state, __ATOMIC_SEQ_CST) != REGION_LIVE))
		__atomic_store_n(&entry->pc, IR_JUMP_EMPTY, __ATOMIC_RELAXED);
}

/* ---- exits ----------------------------------------------------------------- */

/* The trap that force_faults planted before an access has done its work; each
 * does so once. */
static bool
fault_was_forced(struct vcpu *vcpu)
{
	struct translator *t = translator_of(vcpu);
	uintptr_t offset = vcpu->local->fault.pc - (uintptr_t)t->memory.x;

	if (!vcpu->options->force_faults || vcpu->local->fault.signal != SIGILL)
		return false;
	space_lock(vcpu->space);
	if (segment_unseal(t, (uint32_t)offset, true))
		t->target->force_done(t->memory.w + offset);
	space_unlock(vcpu->space);
	return true;
}

bool
exit_is_partial(struct vcpu *vcpu)
{
	const struct code_exit *exit = vcpu->frame->exit_record;

	return (exit->kind >= CODE_EXIT_POLL && exit->kind != CODE_EXIT_CHECK && exit->kind != CODE_EXIT_HOT) ||
	       ((const void *)exit == vcpu->local->record && vcpu->options->force_faults &&
		vcpu->local->fault.signal == SIGILL);
}

/* Evaluates the one instruction that generated code does not do. */
static bool
interpret_one(struct vcpu *vcpu, struct cpu_stop *stop)
{
	safepoint_leave(vcpu);
	return run_interpreted(vcpu, true, stop);
}

/* A trap before its instruction: a CHECK, or a host fault. */
static bool
check_exit(struct vcpu *vcpu, const struct code_exit *exit, uint64_t pc, struct cpu_stop *stop)
{
	enum ir_access access;

	if ((const void *)exit == vcpu->local->record) {
		if (fault_was_forced(vcpu))
			return interpret_one(vcpu, stop);
		cpu_fault_stop(vcpu, pc, stop);
		return true;
	}
	if (cpu_trap_is_host_fault(vcpu, (enum ir_trap)exit->trap)) {
		cpu_fault_stop(vcpu, pc, stop);
		return true;
	}
	cpu_trap_stop(vcpu, (enum ir_trap)exit->trap, pc, pc, exit->value, stop);
	/* The record has 32 bits for a value, too few for an address. */
	if (stop->trap == IR_TRAP_MISALIGNED)
		stop->address = cpu_accessed(vcpu, pc, &access);
	return true;
}

static bool
side_exit(struct vcpu *vcpu, const struct code_exit *exit, uint64_t pc, struct run_next *next, struct cpu_stop *stop)
{
	vcpu->frame->pc = pc;
	switch ((enum code_exit_kind)exit->kind) {
	case CODE_EXIT_POLL:
	case CODE_EXIT_WANDER:
		return false;
	case CODE_EXIT_HOT:
		next->hot = pc - (uint64_t)(int64_t)exit->target + (uint64_t)(int64_t)exit->link;
		next->link = (uint32_t)((const uint8_t *)exit - translator_of(vcpu)->memory.x);
		return false;
	case CODE_EXIT_CHECK:
		return check_exit(vcpu, exit, pc, stop);
	case CODE_EXIT_INTERPRET:
	case CODE_EXIT_APART:
		if (translator_of(vcpu)->region[exit->region].tier == 2)
			loop_bailed(vcpu, exit->region);
		return interpret_one(vcpu, stop);
	}
	return false;
}

/* The guest address of the region that the vCPU is in. */
static uint64_t
base_of(const struct vcpu *vcpu, const struct region *region)
{
	return vcpu->local->system ? ir_frame_page(vcpu->frame) + region->pc % GUEST_PAGE : region->pc;
}

uint64_t
exit_target(const struct vcpu *vcpu, const struct code_exit *exit)
{
	return base_of(vcpu, &translator_of(vcpu)->region[exit->region]) + (uint64_t)(int64_t)exit->target;
}

bool
exit_decode(struct vcpu *vcpu, struct run_next *next, struct cpu_stop *stop)
{
	const struct translator *t = translator_of(vcpu);
	const struct code_exit *exit = vcpu->frame->exit_record;
	const struct region *region = &t->region[exit->region];
	uint64_t base = base_of(vcpu, region), target = base + (uint64_t)(int64_t)exit->target;

	*next = (struct run_next){ 0 };
	vcpu->local->stats.exits[exit->kind % ARRAY_LEN(vcpu->local->stats.exits)]++;
	if (exit->kind >= CODE_EXIT_POLL)
		return side_exit(vcpu, exit, target, next, stop);
	switch ((enum ir_exit_kind)exit->kind) {
	case IR_EXIT_JUMP:
	case IR_EXIT_CALL:
		vcpu->frame->pc = target;
		if (exit->patch)
			next->link = (uint32_t)((const uint8_t *)exit - t->memory.x);
		return false;
	case IR_EXIT_INDIRECT:
	case IR_EXIT_ICALL:
	case IR_EXIT_RETURN:
		next->indirect = true;
		return false;
	case IR_EXIT_TRAP:
		cpu_trap_stop(vcpu, (enum ir_trap)exit->trap, target,
			      base + (uint64_t)(int64_t)exit->link, exit->value, stop);
		return true;
	case IR_EXIT_LOOKUP:
		vcpu->frame->pc = target;
		return false;
	}
	fatal("exit of unknown kind %u from the region at %#lx", exit->kind, (unsigned long)region->pc);
}

/* ---- running --------------------------------------------------------------- */

void
translator_sync(struct vcpu *vcpu)
{
	translator_of(vcpu)->target->fp_sync(vcpu->frame);
}

bool
run_interpreted(struct vcpu *vcpu, bool single, struct cpu_stop *stop)
{
	bool stopped;

	translator_sync(vcpu);
	stopped = interp_here(vcpu, single, stop);
	translator_sync(vcpu);
	return stopped;
}

/* Enters the region and says what its exit asks for. */
static bool
run_region(struct vcpu *vcpu, const struct region *region, struct run_next *next, struct cpu_stop *stop)
{
	const struct translator *t = translator_of(vcpu);

	if (UNLIKELY(region_state(region) == REGION_INTERPRET)) {
		*next = (struct run_next){ 0 };
		safepoint_leave(vcpu);
		return run_interpreted(vcpu, false, stop);
	}
	if (next->indirect)
		jump_fill(vcpu, t, region);
	t->thunks.enter(vcpu->frame, region_entry(t, region));
	return exit_decode(vcpu, next, stop);
}

/* Jumps back to the frame's pc count from the start again. */
static void
cool(struct vcpu *vcpu)
{
	vcpu->frame->heat[(vcpu->frame->pc >> 1) % IR_HEAT_SIZE] = (int32_t)vcpu->options->loop_heat;
}

static void
run(struct vcpu *vcpu, struct cpu_stop *stop)
{
	const struct translator *t = translator_of(vcpu);
	const struct guest *guest = vcpu->space->guest;
	struct ir_frame *frame = vcpu->frame;
	struct run_next next = { 0 };
	uint32_t left = 0; /* epoch of next.link */

	for (;;) {
		struct region *region;
		uint32_t epoch;

		frame->mode = guest->mode(frame);
		if (UNLIKELY(next.hot)) {
			safepoint_leave(vcpu);
			cool(vcpu);
			loop_make(vcpu, next.hot);
			next.hot = 0;
		}
		epoch = safepoint_enter(vcpu);
		if (cpu_polled(vcpu, stop))
			return;
		vcpu->local->stats.lookups++;
		region = lookup_find(t, frame->pc, frame->mode);
		if (!region) {
			safepoint_leave(vcpu);
			switch (region_make(vcpu, frame->pc, stop)) {
			case REGION_MADE:
				break;
			case REGION_EVALUATED:
				next = (struct run_next){ 0 };
				break;
			case REGION_STOPPED:
				return;
			}
			continue;
		}
		if (next.link && left == epoch)
			link_exit(vcpu, next.link, region, epoch);
		left = epoch;
		if (run_region(vcpu, region, &next, stop))
			return;
	}
}

void
translator_run(struct vcpu *vcpu, struct cpu_stop *stop)
{
	if (!translator_of(vcpu)) {
		interp_run(vcpu, stop);
		return;
	}
	run(vcpu, stop);
	safepoint_leave(vcpu);
	translator_sync(vcpu);
}

int
translator_vcpu_init(struct vcpu *vcpu, struct error *error)
{
	struct translator *t = translator_of(vcpu);

	if (!t)
		return 0;
	t->target->frame_init(vcpu->frame, &t->thunks);
	for (unsigned i = 0; i < IR_HEAT_SIZE; i++)
		vcpu->frame->heat[i] = (int32_t)vcpu->options->loop_heat;
	vcpu->local->epoch = __atomic_load_n(&t->epoch, __ATOMIC_SEQ_CST);
	vcpu->local->mode = vcpu->space->guest->mode(vcpu->frame);
	return shadow_init(vcpu, error);
}

void
translator_vcpu_fini(struct vcpu *vcpu)
{
	if (vcpu->local->shadow)
		shadow_fini(vcpu);
}

/* ---- host faults in generated code ------------------------------------------ */

bool
translator_fault(struct vcpu *vcpu, const struct host_fault *fault, void *ucontext)
{
	const struct translator *t = translator_of(vcpu);
	struct code_exit *record = (struct code_exit *)(void *)vcpu->local->record;
	struct code_move move[POINT_MOVES];
	const struct region *region;
	uint32_t moves;
	int32_t pc;

	if (vcpu->local->shadow && shadow_fault(vcpu, fault, ucontext))
		return true;
	if (vcpu->local->shadow && shadow_void(vcpu, fault, ucontext)) {
		*record = (struct code_exit){ .kind = IR_EXIT_RETURN };
		return t->target->fault_exit(ucontext, vcpu->frame, t->guest->slots, NULL, 0, record);
	}
	region = region_at(t, fault->pc);
	if (!region || !points_find(t, region, (uint32_t)(fault->pc - (uintptr_t)region_entry(t, region)),
				    &pc, move, &moves))
		return false;
	*record = (struct code_exit){ .region = (uint32_t)(region - t->region), .target = pc,
				      .kind = CODE_EXIT_CHECK };
	vcpu->local->fault = *fault;
	return t->target->fault_exit(ucontext, vcpu->frame, t->guest->slots, move, moves, record);
}

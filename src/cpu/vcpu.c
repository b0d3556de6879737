/* vCPUs: their life, the choice of how to run one, host faults in guest code. */
#include "cpu/cpu_impl.h"
#include "cpu/translate/translate.h"

static void
unlist(struct cpu_space *space, struct vcpu *vcpu)
{
	struct vcpu **link = &space->cache->vcpus;

	while (*link && *link != vcpu)
		link = &(*link)->local->next;
	if (*link)
		*link = vcpu->local->next;
}

static int
accel_init(struct vcpu *vcpu, struct error *error)
{
	switch (vcpu->options->accel) {
	case CPU_ACCEL_INTERPRET:
		return 0;
	case CPU_ACCEL_TRANSLATE:
		return translator_vcpu_init(vcpu, error);
	case CPU_ACCEL_LOCKSTEP:
		return translator_vcpu_init(vcpu, error) || lockstep_vcpu_init(vcpu, error) ? -1 : 0;
	}
	return -1;
}

int
vcpu_init(struct vcpu *vcpu, struct cpu_space *space, const struct cpu_options *options, struct error *error)
{
	vcpu->space = space;
	vcpu->options = options;
	vcpu->frame = pages_alloc(sizeof *vcpu->frame);
	vcpu->local = pages_alloc(sizeof *vcpu->local);
	if (!vcpu->frame || !vcpu->local) {
		pages_free(vcpu->frame, sizeof *vcpu->frame);
		pages_free(vcpu->local, sizeof *vcpu->local);
		return error_set(error, 12, "no memory for a virtual CPU");
	}
	vcpu->frame->guest_base = space->guest_base;
	vcpu->frame->link_address = IR_LINK_NONE;
	for (unsigned i = 0; i < space->guest->helper_count; i++)
		vcpu->frame->helper[i] = space->guest->helpers[i].function;
	space->guest->reset(vcpu->frame);
	space_lock(space);
	vcpu->local->next = space->cache->vcpus;
	__atomic_store_n(&space->cache->vcpus, vcpu, __ATOMIC_RELEASE);
	space_unlock(space);
	if (!accel_init(vcpu, error))
		return 0;
	vcpu_fini(vcpu);
	return -1;
}

void
vcpu_fini(struct vcpu *vcpu)
{
	if (!vcpu->local)
		return;
	space_lock(vcpu->space);
	unlist(vcpu->space, vcpu);
	cpu_stats_retire(vcpu->space, &vcpu->local->stats);
	space_unlock(vcpu->space);
	lockstep_vcpu_fini(vcpu);
	system_vcpu_fini(vcpu);
	translator_vcpu_fini(vcpu);
	interp_fini(vcpu);
	arena_fini(&vcpu->local->arena);
	pages_free(vcpu->frame, sizeof *vcpu->frame);
	pages_free(vcpu->local, sizeof *vcpu->local);
	vcpu->frame = NULL;
	vcpu->local = NULL;
}

void
cpu_run(struct vcpu *vcpu, struct cpu_stop *stop)
{
	*stop = (struct cpu_stop){ 0 };
	switch (vcpu->options->accel) {
	case CPU_ACCEL_INTERPRET:
		interp_run(vcpu, stop);
		break;
	case CPU_ACCEL_TRANSLATE:
		translator_run(vcpu, stop);
		break;
	case CPU_ACCEL_LOCKSTEP:
		lockstep_run(vcpu, stop);
		break;
	}
}

void
cpu_step(struct vcpu *vcpu, struct cpu_stop *stop)
{
	*stop = (struct cpu_stop){ .kind = CPU_STOP_POLL };
	if (vcpu->space->cache->translator)
		run_interpreted(vcpu, true, stop);
	else
		interp_here(vcpu, true, stop);
}

void
cpu_sync(struct vcpu *vcpu)
{
	if (vcpu->space->cache->translator)
		translator_sync(vcpu);
}

/* The mode key is worked out anew at each lookup; only the host's floating-
 * point control follows the frame. */
void
cpu_state_changed(struct vcpu *vcpu)
{
	cpu_sync(vcpu);
	if (vcpu->local->system)
		system_state_changed(vcpu);
}

bool
cpu_polled(struct vcpu *vcpu, struct cpu_stop *stop)
{
	if (LIKELY(!__atomic_load_n(&vcpu->frame->poll, __ATOMIC_ACQUIRE)))
		return false;
	stop->kind = CPU_STOP_POLL;
	stop->pc = stop->next = vcpu->frame->pc;
	return true;
}

/* ---- traps and faults ---------------------------------------------------- */

uint64_t
cpu_accessed(struct vcpu *vcpu, uint64_t pc, enum ir_access *access)
{
	uint8_t code[16];
	struct host_fault fault;
	size_t size = cpu_read_code(vcpu, pc, code, sizeof code, &fault);
	uint64_t address = 0;

	*access = IR_ACCESS_R;
	if (size)
		vcpu->space->guest->access_address(vcpu->frame, code, size, &address, access);
	return address;
}

void
cpu_fault_stop(struct vcpu *vcpu, uint64_t pc, struct cpu_stop *stop)
{
	const struct host_fault fault = vcpu->local->fault;
	enum ir_access access;
	bool write = fault.write;

	vcpu->frame->pc = pc;
	*stop = (struct cpu_stop){ .kind = CPU_STOP_TRAP, .pc = pc, .next = pc,
				   .host_signal = fault.signal, .host_code = fault.code };
	/* An atomic access may read first, and the undo log reads what a store
	 * will overwrite: the host's word counts only when it is a write. */
	if (!fault.write) {
		stop->address = cpu_accessed(vcpu, pc, &access);
		write = access != IR_ACCESS_R;
	}
	if (fault.has_address)
		stop->address = fault.address - vcpu->space->guest_base;
	stop->trap = write ? IR_TRAP_WRITE_FAULT : IR_TRAP_READ_FAULT;
}

void
cpu_trap_stop(struct vcpu *vcpu, enum ir_trap trap, uint64_t pc, uint64_t next,
	      uint64_t value, struct cpu_stop *stop)
{
	vcpu->frame->pc = pc;
	*stop = (struct cpu_stop){ .kind = CPU_STOP_TRAP, .trap = trap, .pc = pc, .next = next,
				   .address = value };
}

bool
cpu_host_fault(struct vcpu *vcpu, int signal, void *info, void *ucontext)
{
	struct cpu_local *local = vcpu->local;
	struct host_fault fault;

	if (!local || !host_fault_read(&fault, signal, info, ucontext))
		return false;
	if (vcpu->frame->guard) {
		const struct recovery *point = vcpu->frame->guard;

		vcpu->frame->guard = NULL;
		local->fault = fault;
		recovery_redirect(point, ucontext);
		return true;
	}
	if (local->recovering) {
		local->recovering = false;
		local->fault = fault;
		recovery_redirect(&local->recovery, ucontext);
		return true;
	}
	return vcpu->space->cache->translator && translator_fault(vcpu, &fault, ucontext);
}

/* A system vCPU's life, and what its guest asks of the engine. */
#include "cpu/system/system.h"

#include "cpu/translate/translate.h"

static struct vcpu *
vcpu_of(struct guest_env *env)
{
	return env->engine;
}

static void
flush(struct guest_env *env, bool one, uint64_t address, bool asid_only, uint32_t asid, bool global)
{
	const struct cpu_flush what = { .translations = true, .asid_only = asid_only, .asid = asid, .global = global,
					.start = one ? address : 0, .size = one ? 1 : 0 };

	system_flush(system_of(vcpu_of(env)), &what);
}

/* Also from a helper in the middle of a region: data accesses go on in the new
 * regime at once; what concerns code waits for the region's end. */
static void
changed(struct guest_env *env)
{
	struct cpu_system *s = system_of(vcpu_of(env));
	const struct ir_frame *frame = s->vcpu->frame;
	unsigned regime = s->guest->data_regime(frame);
	uint32_t asid = s->guest->asid(frame);

	if (regime != s->regime || asid != s->asid)
		tlb_select(s, regime, asid);
	s->stale = true;
}

/* Translations follow each write to code by themselves: tlb.c, may_write. */
static void
code_changed(struct guest_env *env)
{
	(void)env;
}

int
cpu_system_init(struct vcpu *vcpu, struct guest_env *env, struct error *error)
{
	struct cpu_system *s = pages_alloc(sizeof *s);
	unsigned other = 1;

	if (!s)
		return error_set(error, 12, "no memory for a virtual CPU");
	s->vcpu = vcpu;
	s->guest = vcpu->space->guest->system;
	s->memory = vcpu->space->memory;
	s->stale = true;
	s->counts = env->counts;
	mmu_init(s);
	vcpu->local->system = s;
	vcpu->local->eval.mmu = &s->mmu;
	vcpu->frame->env = env;
	vcpu->frame->fill = tlb_fill;
	env->flush = flush;
	env->changed = changed;
	env->code_changed = code_changed;
	env->engine = vcpu;
	if (!vcpu->local->shadow) /* no translator */
		return 0;
	s->shadow[0].memory = vcpu->local->shadow;
	s->shadow[0].top = vcpu->frame->shadow_stack;
	vcpu->local->shadow = NULL;
	if (shadow_init(vcpu, error)) {
		vcpu->local->shadow = s->shadow[0].memory;
		return -1;
	}
	s->shadow[other].memory = vcpu->local->shadow;
	s->shadow_now = other;
	return 0;
}

void
system_vcpu_fini(struct vcpu *vcpu)
{
	struct cpu_system *s = vcpu->local->system;

	if (!s)
		return;
	if (s->shadow[0].memory) {
		vcpu->local->shadow = s->shadow[!s->shadow_now].memory;
		shadow_fini(vcpu);
		vcpu->local->shadow = s->shadow[s->shadow_now].memory;
	}
	tlb_fini(s);
	jumps_fini(s);
	vcpu->local->system = NULL;
	pages_free(s, sizeof *s);
}

void
system_state_changed(struct vcpu *vcpu)
{
	system_of(vcpu)->stale = true;
}

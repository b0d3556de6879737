/* Fetches: how they are translated now, and what is remembered of it. */
#include "cpu/system/system.h"

#include "cpu/translate/translate.h"

#include <string.h>

/* ---- contexts ------------------------------------------------------------------ */

void
context_renew(struct cpu_system *s, struct context *context)
{
	context->number = ++s->last_number;
	context->own = false;
	if (context->filled) {
		memset(context->page, 0, sizeof context->page);
		context->spans = (struct span_set){ 0 };
		context->filled = false;
	}
	jumps_clear(context);
	if (context == s->context)
		s->stale = true; /* the shadow stack */
}

static bool
serves(const struct context *context, unsigned regime, uint32_t mode, uint32_t asid)
{
	return context->number && context->regime == regime && context->mode == mode &&
	       (!context->own || context->asid == asid);
}

static struct context *
context_find(struct cpu_system *s, unsigned regime, uint32_t mode, uint32_t asid)
{
	struct context *oldest = &s->contexts[0];

	for (unsigned i = 0; i < CONTEXTS; i++) {
		struct context *context = &s->contexts[i];

		if (serves(context, regime, mode, asid))
			return context;
		if (context->used < oldest->used)
			oldest = context;
	}
	if (oldest == s->context)
		s->context = NULL;
	oldest->regime = regime;
	oldest->mode = mode;
	context_renew(s, oldest);
	return oldest;
}

/* ---- shadow stacks -------------------------------------------------------------- */

/* User code has one, everything else the other. */
static void
shadow_select(struct cpu_system *s)
{
	unsigned which = s->guest->private_regimes >> s->context->regime & 1;
	struct cpu_local *local = s->vcpu->local;
	struct ir_frame *frame = s->vcpu->frame;
	struct shadow_stack *shadow = &s->shadow[which];

	if (which != s->shadow_now) {
		s->shadow[s->shadow_now].top = frame->shadow_stack;
		s->shadow_now = which;
		local->shadow = shadow->memory;
		frame->shadow_stack = shadow->top;
	}
	if (shadow->context != s->context->number) {
		shadow_reset(s->vcpu);
		shadow->context = s->context->number;
	}
}

void
system_sync(struct cpu_system *s)
{
	struct ir_frame *frame = s->vcpu->frame;
	unsigned regime = s->guest->data_regime(frame), fetch = s->guest->fetch_regime(frame);
	uint32_t asid = s->guest->asid(frame);

	s->stale = false;
	frame->mode = s->vcpu->space->guest->mode(frame);
	if (!s->view || regime != s->regime || asid != s->asid)
		tlb_select(s, regime, asid);
	if ((frame->mode & s->guest->user_mode_mask) == s->guest->user_mode)
		sites_select(s);
	if (!s->context || !serves(s->context, fetch, frame->mode, asid)) {
		s->context = context_find(s, fetch, frame->mode, asid);
	}
	s->context->used = ++s->clock;
	if (s->vcpu->local->shadow) { /* a translator */
		jumps_select(s);
		shadow_select(s);
	}
	s->stale = false;
}

/* ---- fetches --------------------------------------------------------------------- */

/* The context from now on relies on this mapping. */
static void
rely(struct cpu_system *s, uint64_t page, const struct guest_walk *walk)
{
	struct context *context = s->context;
	uint64_t span = walk->span > walk->page ? walk->span : walk->page;
	unsigned bit = set_hash(page / IR_TLB_PAGE, CONTEXT_PAGES);

	context->filled = true;
	if (span > IR_TLB_PAGE)
		span_add(&context->spans, page, span_log2(span));
	else
		context->page[bit / 64] |= UINT64_C(1) << (bit % 64);
	if (!walk->global && !context->own) {
		context->own = true;
		context->asid = s->asid;
	}
}

static bool
fetch_walk(struct cpu_system *s, uint64_t address, struct fetch_entry *entry)
{
	struct guest_walk walk = { 0 };
	uint64_t page = align_down(address, IR_TLB_PAGE);

	if (!s->guest->walk(s->vcpu->frame, address, 2, GUEST_EXECUTE, s->context->regime, &walk, &s->fault))
		return false;
	rely(s, page, &walk);
	*entry = (struct fetch_entry){ .page = page, .physical = align_down(walk.physical, IR_TLB_PAGE),
				       .super = walk.page >= SUPER_PAGE, .fine = walk.page < IR_TLB_PAGE };
	if (!entry->fine)
		entry->context = s->context->number;
	return true;
}

static const struct fetch_entry *
fetch_translate(struct cpu_system *s, uint64_t address)
{
	/* Contexts that run the same pages do not meet. */
	struct fetch_entry *entry = &s->fetch[(address / IR_TLB_PAGE + s->context->number * 37) % FETCH_SIZE];

	if (LIKELY(entry->context == s->context->number && entry->page == align_down(address, IR_TLB_PAGE)))
		return entry;
	return fetch_walk(s, address, entry) ? entry : NULL;
}

bool
system_fetch(struct cpu_system *s, uint64_t *physical)
{
	struct ir_frame *frame = s->vcpu->frame;
	const struct fetch_entry *entry = fetch_translate(s, frame->pc);

	if (UNLIKELY(!entry))
		return false;
	s->fine = entry->fine;
	frame->page = entry->page;
	frame->mode = s->context->mode | (entry->super ? MODE_SUPER : 0);
	*physical = entry->physical + frame->pc % IR_TLB_PAGE;
	return true;
}

bool
system_code(struct vcpu *vcpu, uint64_t *pc, struct cpu_stop *stop)
{
	struct ir_frame *frame = vcpu->frame;

	if (system_fetch(system_of(vcpu), pc))
		return true;
	*stop = (struct cpu_stop){ .kind = CPU_STOP_TRAP, .trap = IR_TRAP_FETCH_FAULT, .pc = frame->pc,
				   .next = frame->pc };
	return false;
}

bool
system_fine(const struct vcpu *vcpu)
{
	return vcpu->local->system && system_of(vcpu)->fine;
}

uint64_t
system_context(const struct vcpu *vcpu)
{
	return system_of(vcpu)->context->number;
}

bool
system_fetch_next(struct cpu_system *s, uint64_t *physical)
{
	const struct fetch_entry *entry = fetch_translate(s, ir_frame_page(s->vcpu->frame) + IR_TLB_PAGE);

	if (!entry)
		return false;
	*physical = entry->physical;
	return true;
}

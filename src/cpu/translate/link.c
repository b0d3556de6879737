/* Chaining: exits that jump straight to the next region, and what undoes it. */
#include "cpu/translate/translate.h"

static struct code_exit *
exit_at(const struct translator *t, uint32_t offset)
{
	return (struct code_exit *)(void *)(t->memory.w + offset);
}

/* The mode key of the region that the exit leads to. */
static uint32_t
mode_behind(const struct code_exit *exit, const struct region *from)
{
	return exit->kind == CODE_EXIT_APART ? from->mode | CPU_MODE_APART : from->mode & ~CPU_MODE_APART;
}

static bool
may_link(struct translator *t, const struct code_exit *exit, const struct region *to)
{
	const struct region *from = &t->region[exit->region];

	/* A system VM's target by guest address may have become another. */
	return exit->patch && to->pc == from->pc + (uint64_t)(int64_t)exit->target && from->state == REGION_LIVE && to->state == REGION_LIVE &&
	       to->mode == mode_behind(exit, from) && t->link_count < t->link_max;
}

/* Under the lock; the exit's segment may be written. Listed first: a killed
 * holder must not leave a link that nothing knows. */
static void
link_to(struct vcpu *vcpu, uint32_t exit, struct region *to)
{
	struct translator *t = translator_of(vcpu);

	t->link[t->link_count] = (struct link){ exit, to->incoming };
	to->incoming = t->link_count++;
	t->target->link(exit_at(t, exit), t->memory.x - t->memory.w, region_entry(t, to));
	vcpu->local->stats.links++;
}

void
link_exit(struct vcpu *vcpu, uint32_t exit, struct region *to, uint32_t epoch)
{
	struct translator *t = translator_of(vcpu);

	space_lock(vcpu->space);
	if (t->epoch == epoch && may_link(t, exit_at(t, exit), to) && segment_unseal(t, exit, false))
		link_to(vcpu, exit, to);
	space_unlock(vcpu->space);
}

void
link_known(struct vcpu *vcpu, const struct region *region, const struct target_code *code)
{
	struct translator *t = translator_of(vcpu);

	/* Lockstep takes regions one at a time, forced faults patch them. */
	if (vcpu->options->accel != CPU_ACCEL_TRANSLATE || vcpu->options->force_faults)
		return;
	for (uint32_t i = 0; i < code->exit_count; i++) {
		uint32_t exit = region->cold + code->exit[i];
		const struct code_exit *record = exit_at(t, exit);
		struct region *to;

		if (!record->patch || record->kind == CODE_EXIT_HOT)
			continue;
		to = lookup_find(t, region->pc + (uint64_t)(int64_t)record->target, mode_behind(record, region));
		if (to && may_link(t, record, to))
			link_to(vcpu, exit, to);
	}
}

/* Other threads probe their jump tables meanwhile: the key alone is cleared,
 * so a probe finds the old entry or none. */
static void
jump_forget(struct vcpu *vcpu, const struct translator *t, const struct region *region)
{
	if (vcpu->local->system) {
		system_jumps_forget(vcpu, region_entry(t, region), region->pc);
		return;
	}
	struct ir_jump *entry = &vcpu->frame->jump[(region->pc >> 1) % IR_JUMP_TABLE_SIZE];
	uint64_t pc = region->pc;

	if (__atomic_load_n(&entry->host, __ATOMIC_RELAXED) == region_entry(t, region))
		__atomic_compare_exchange_n(&entry->pc, &pc, IR_JUMP_EMPTY, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

void
region_kill(struct cpu_space *space, uint32_t number)
{
	struct translator *t = space->cache->translator;
	struct region *region = &t->region[number];

	if (region->state != REGION_LIVE && region->state != REGION_INTERPRET)
		return;
	/* Before jump tables are searched: see jump_fill. */
	__atomic_store_n(&region->state, REGION_DEAD, __ATOMIC_SEQ_CST);
	space->cache->invalidated++;
	for (uint32_t i = region->incoming; i; i = t->link[i].next) {
		if (!segment_unseal(t, t->link[i].exit, true))
			fatal("out of host memory for code");
		t->target->unlink(exit_at(t, t->link[i].exit));
	}
	region->incoming = 0;
	/* A loop may go on for long: it leaves at its next safepoint. */
	for (struct vcpu *vcpu = space->cache->vcpus; region->tier == 2 && vcpu; vcpu = vcpu->local->next)
		cpu_poll(vcpu);
	for (struct vcpu *vcpu = space->cache->vcpus; vcpu; vcpu = vcpu->local->next)
		jump_forget(vcpu, t, region);
}

void
translator_drop_page(struct cpu_space *space, struct code_page *page)
{
	struct translator *t = space->cache->translator;

	for (uint32_t i = page->first; i;) {
		const struct region *region = &t->region[i];
		uint32_t next = region->page_next[page->page != align_down(region->pc, GUEST_PAGE)];

		region_kill(space, i);
		i = next;
	}
	page->first = 0;
}

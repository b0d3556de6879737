/* Interpretation: regions are lifted once, kept by the vCPU, and evaluated.
 *
 * Lifted regions are dropped all together, when code of the space was
 * invalidated or when there are too many bytes of them. */
#include "cpu/cpu_impl.h"

#include <string.h>

#define BUCKETS 4096u
#define ARENA_LIMIT (32u << 20)
#define VALUE_SIZE (4 * sizeof(uint64_t)) /* ir_eval's room for a value */
#define VALUE_GROWTH (64u << 10)

struct interp_entry {
	struct interp_entry *next;
	uint64_t pc;
	uint32_t mode;
	bool single; /* one instruction */
	struct lifted lifted;
};

static struct interp_entry **
bucket_of(struct interp_cache *cache, uint64_t pc, uint32_t mode)
{
	return &cache->bucket[((pc >> 1) ^ (pc >> 13) ^ mode) % BUCKETS];
}

static void
drop_all(struct interp_cache *cache)
{
	size_t size = BUCKETS * sizeof *cache->bucket;

	arena_reset(&cache->arena);
	cache->bytes = 0;
	if (!cache->bucket && !(cache->bucket = pages_alloc(size)))
		fatal("out of host memory (%zu bytes)", size);
	memset(cache->bucket, 0, size);
}

void
interp_fini(struct vcpu *vcpu)
{
	struct interp_cache *cache = &vcpu->local->interp;

	pages_free(cache->bucket, BUCKETS * sizeof *cache->bucket);
	cache->bucket = NULL;
	pages_free(cache->value, cache->values * VALUE_SIZE);
	cache->value = NULL;
	arena_fini(&cache->arena);
}

/* Room for a region's values; what was in it goes. */
static uint64_t *
value_room(struct interp_cache *cache, uint32_t values)
{
	size_t size = align_up(values * VALUE_SIZE, VALUE_GROWTH);

	if (LIKELY(values <= cache->values))
		return cache->value;
	/* Never seen to hold pages that are given back: base.h, arenas. */
	pages_free(__atomic_exchange_n(&cache->value, NULL, __ATOMIC_ACQ_REL), cache->values * VALUE_SIZE);
	cache->values = (uint32_t)(size / VALUE_SIZE);
	__atomic_store_n(&cache->value, pages_alloc(size), __ATOMIC_RELEASE);
	if (!cache->value)
		fatal("out of host memory (%zu bytes)", size);
	return cache->value;
}

const struct lifted *
interp_last(const struct vcpu *vcpu)
{
	_Static_assert(!offsetof(struct lifted, region), "found by its region");
	return (const struct lifted *)(const void *)vcpu->local->evaluating;
}

/* About what a region takes in the arena. */
static size_t
region_bytes(const struct ir_region *region)
{
	return region->ins_capacity * sizeof *region->ins + region->block_capacity * sizeof *region->block +
	       region->pool_capacity * sizeof *region->pool + 2 * CODE_BYTES;
}

/* The region at pc, lifted now if it is not at hand. NULL: *stop says why. */
static const struct ir_region *
find_region(struct vcpu *vcpu, uint64_t pc, uint32_t mode, bool single, struct cpu_stop *stop)
{
	struct cpu_space *space = vcpu->space;
	struct interp_cache *cache = &vcpu->local->interp;
	uint64_t drops = __atomic_load_n(&space->cache->drops, __ATOMIC_ACQUIRE);
	struct interp_entry *entry, **bucket;
	bool keep = !system_fine(vcpu); /* else each fetch is checked */

	if (!cache->bucket || cache->drops != drops || cache->bytes > ARENA_LIMIT) {
		drop_all(cache);
		cache->drops = drops;
	}
	bucket = bucket_of(cache, pc, mode);
	for (entry = *bucket; entry && keep; entry = entry->next)
		if (entry->pc == pc && entry->mode == mode && entry->single == single &&
		    system_second_is(vcpu, entry->lifted.second))
			return &entry->lifted.region;
	entry = arena_alloc(&cache->arena, sizeof *entry);
	if (!cpu_lift(vcpu, &cache->arena, pc, mode, single, &entry->lifted, stop))
		return NULL;
	cache->bytes += region_bytes(&entry->lifted.region) + sizeof *entry;
	vcpu->local->stats.interpreted += entry->lifted.region.insns;
	space_lock(space);
	if (keep && cpu_keep(space, &entry->lifted)) {
		entry->pc = pc;
		entry->mode = mode;
		entry->single = single;
		entry->next = *bucket;
		*bucket = entry;
	}
	space_unlock(space);
	return &entry->lifted.region;
}

/* What else the evaluator needs lies in local->arena, which is free between
 * translations. */
bool
interp_region(struct vcpu *vcpu, const struct ir_region *region, struct cpu_stop *stop)
{
	struct cpu_local *local = vcpu->local;
	struct ir_eval *eval = &local->eval;

	arena_reset(&local->arena);
	eval->frame = vcpu->frame;
	eval->arena = &local->arena;
	eval->value = value_room(&local->interp, region->ins_count);
	local->evaluating = region;
	if (recovery_set(&local->recovery)) {
		recovery_landed();
		cpu_fault_stop(vcpu, local->evaluating->pc + (uint64_t)(int64_t)local->eval.at, stop);
		return true;
	}
	local->recovering = true;
	if (!ir_eval(eval, region))
		fatal("the evaluator does not know an op of the region at %#lx", (unsigned long)region->pc);
	local->recovering = false;
	if (eval->kind != IR_EXIT_TRAP)
		return false;
	if (eval->before) {
		uint64_t pc = vcpu->frame->pc;

		if (cpu_trap_is_host_fault(vcpu, eval->trap))
			cpu_fault_stop(vcpu, pc, stop);
		else
			cpu_trap_stop(vcpu, eval->trap, pc, pc, eval->trap_value, stop);
	} else {
		cpu_trap_stop(vcpu, eval->trap, vcpu->frame->pc, eval->link, eval->trap_value, stop);
	}
	return true;
}

bool
interp_here(struct vcpu *vcpu, bool single, struct cpu_stop *stop)
{
	struct ir_frame *frame = vcpu->frame;
	const struct ir_region *region;

	uint64_t pc = frame->pc, context;

	if (!vcpu->local->system) {
		frame->mode = vcpu->space->guest->mode(frame);
		region = find_region(vcpu, pc, frame->mode, single, stop);
		return !region || interp_region(vcpu, region, stop);
	}
	context = system_context(vcpu);
	if (!system_code(vcpu, &pc, stop))
		return true;
	single |= system_fine(vcpu);
	region = find_region(vcpu, pc, frame->mode, single, stop);
	if (!region)
		return true;
	if (context != system_context(vcpu)) { /* while it waited for others */
		vcpu->local->eval.kind = IR_EXIT_JUMP;
		return false;
	}
	return interp_region(vcpu, region, stop);
}

void
interp_run(struct vcpu *vcpu, struct cpu_stop *stop)
{
	while (!cpu_polled(vcpu, stop))
		if (interp_here(vcpu, false, stop))
			return;
}

/* Address spaces that code runs in: their lock, what invalidates, fork. */
#include "cpu/cpu_impl.h"

void
space_lock(struct cpu_space *space)
{
	/* A holder that died left things half changed: start afresh. The page
	 * table only grows by whole slots, the list of vCPUs by one store. */
	if (lock_take(&space->cache->lock) && space->cache->translator)
		cache_flush(space);
}

void
space_unlock(struct cpu_space *space)
{
	lock_drop(&space->cache->lock);
}

int
cpu_space_init(struct cpu_space *space, const struct cpu_options *options, struct error *error)
{
	space->cache = pages_alloc(sizeof *space->cache);
	if (!space->cache)
		return error_set(error, 12, "no memory for an address space");
	space->cache->options = options;
	if (options->accel == CPU_ACCEL_INTERPRET || !translator_init(space, error))
		return 0;
	pages_free(space->cache, sizeof *space->cache);
	space->cache = NULL;
	return -1;
}

void
cpu_space_fini(struct cpu_space *space)
{
	if (!space->cache)
		return;
	if (space->cache->translator)
		translator_fini(space);
	page_table_fini(&space->cache->pages);
	pages_free(space->cache, sizeof *space->cache);
	space->cache = NULL;
}

void
cpu_invalidate(struct cpu_space *space, uint64_t start, uint64_t end)
{
	struct cpu_cache *cache = space->cache;
	struct code_page *page;
	uint64_t cursor = 0;
	bool hit = false;

	if (space->memory) /* before the count of attempts: system/tlb.c */
		system_unwatch(space, start, end);
	space_lock(space);
	while ((page = page_next(&cache->pages, start, end, &cursor))) {
		hit = true;
		page_set_watched(page, false);
		if (cache->translator)
			translator_drop_page(space, page);
	}
	/* After the pages: a lift that sees this count sees them unwatched. */
	__atomic_store_n(&cache->attempts, cache->attempts + 1, __ATOMIC_RELEASE);
	if (hit)
		__atomic_store_n(&cache->drops, cache->drops + 1, __ATOMIC_RELEASE);
	space_unlock(space);
}

bool
cpu_has_code(struct cpu_space *space, uint64_t start, uint64_t end)
{
	uint64_t cursor = 0;
	bool has;

	space_lock(space);
	has = page_next(&space->cache->pages, start, end, &cursor);
	space_unlock(space);
	return has;
}

void
cpu_fork_before(struct cpu_space *space)
{
	space_lock(space);
}

void
cpu_fork_after(struct cpu_space *space, bool child)
{
	if (space->cache->translator)
		translator_fork(space, child);
	if (child) {
		lock_reset(&space->cache->lock);
		lock_reset(&space->cache->turn);
	}
	if (!child)
		space_unlock(space);
}

void
cpu_save(struct vcpu *vcpu)
{
	if (vcpu->space->cache->translator)
		translator_save(vcpu);
}

/* Counters are added up field by field: struct cpu_stats is all uint64_t. */
static void
stats_add(struct cpu_stats *to, const struct cpu_stats *from)
{
	uint64_t *sum = (uint64_t *)to;
	const uint64_t *term = (const uint64_t *)from;

	_Static_assert(sizeof *to % sizeof *sum == 0, "counters only");
	for (size_t i = 0; i < sizeof *to / sizeof *sum; i++)
		sum[i] += term[i];
}

void
cpu_stats_retire(struct cpu_space *space, const struct cpu_stats *stats)
{
	stats_add(&space->cache->gone, stats);
}

void
cpu_stats(const struct cpu_space *space, struct cpu_stats *stats)
{
	*stats = space->cache->gone;
	for (const struct vcpu *vcpu = space->cache->vcpus; vcpu; vcpu = vcpu->local->next)
		stats_add(stats, &vcpu->local->stats);
	stats->invalidated = space->cache->invalidated;
	stats->flushes = space->cache->flushes;
}

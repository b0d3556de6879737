/* The code cache: its memory, lookup, flush and reclaiming. */
#include "cpu/translate/translate.h"

#include "base/raw.h"
#include "host/populate.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define RESERVE_DEFAULT (UINT64_C(256) << 20)
#define RESERVE_LEAST (UINT64_C(4) << 20)
#define THUNK_BYTES (64u << 10)
#define FIRST_SLOTS 1024u

/* ---- lookup --------------------------------------------------------------- */

static uint32_t
lookup_hash(uint64_t pc, uint32_t mode)
{
	return (uint32_t)(((pc ^ (uint64_t)mode << 48) * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static bool
is_alive(const struct region *region)
{
	uint8_t state = region_state(region);

	return state == REGION_LIVE || state == REGION_INTERPRET;
}

struct region *
lookup_find(const struct translator *t, uint64_t pc, uint32_t mode)
{
	const struct lookup *lookup = __atomic_load_n(&t->lookup, __ATOMIC_ACQUIRE);
	uint32_t hash = lookup_hash(pc, mode);

	for (uint32_t i = hash & lookup->mask;; i = (i + 1) & lookup->mask) {
		uint64_t slot = __atomic_load_n(&lookup->slot[i], __ATOMIC_ACQUIRE);
		struct region *region = &t->region[(uint32_t)slot];

		if (!slot)
			return NULL;
		if (slot >> 32 == hash && region->pc == pc && region->mode == mode && is_alive(region))
			return region;
	}
}

static size_t
lookup_size(uint32_t slots)
{
	return sizeof(struct lookup) + slots * sizeof(uint64_t);
}

static struct lookup *
lookup_new(uint32_t slots, struct lookup *older)
{
	struct lookup *lookup = pages_alloc(lookup_size(slots));

	if (!lookup)
		fatal("out of host memory (%zu bytes)", lookup_size(slots));
	if (slots > FIRST_SLOTS) /* it fills in no order */
		host_populate(lookup, lookup_size(slots));
	lookup->mask = slots - 1;
	lookup->older = older;
	return lookup;
}

static void
lookup_free(struct lookup *lookup)
{
	while (lookup) {
		struct lookup *older = lookup->older;

		pages_free(lookup, lookup_size(lookup->mask + 1));
		lookup = older;
	}
}

/* Into the first slot that is free or holds a dead region. */
static void
lookup_put(const struct translator *t, struct lookup *lookup, uint32_t number)
{
	const struct region *region = &t->region[number];
	uint32_t hash = lookup_hash(region->pc, region->mode), i = hash & lookup->mask;

	while (lookup->slot[i] && is_alive(&t->region[(uint32_t)lookup->slot[i]]))
		i = (i + 1) & lookup->mask;
	lookup->used += !lookup->slot[i];
	__atomic_store_n(&lookup->slot[i], (uint64_t)hash << 32 | number, __ATOMIC_RELEASE);
}

void
lookup_insert(struct translator *t, uint32_t number)
{
	struct lookup *old = t->lookup, *grown;

	if (old->used <= old->mask / 2) {
		lookup_put(t, old, number);
		return;
	}
	/* Readers may be in the old table: it stays until all is reclaimed. */
	grown = lookup_new((old->mask + 1) * 2, old);
	for (uint32_t i = 0; i <= old->mask; i++)
		if (old->slot[i] && is_alive(&t->region[(uint32_t)old->slot[i]]))
			lookup_put(t, grown, (uint32_t)old->slot[i]);
	lookup_put(t, grown, number);
	__atomic_store_n(&t->lookup, grown, __ATOMIC_RELEASE);
}

/* ---- flush ---------------------------------------------------------------- */

void
cache_flush(struct cpu_space *space)
{
	struct translator *t = space->cache->translator;

	for (uint32_t i = 1; i < t->region_count; i++)
		__atomic_store_n(&t->region[i].state, REGION_DEAD, __ATOMIC_RELEASE);
	__atomic_store_n(&t->lookup, lookup_new(FIRST_SLOTS, t->lookup), __ATOMIC_RELEASE);
	page_table_clear(&space->cache->pages);
	t->draining = true;
	space->cache->flushes++;
	__atomic_store_n(&t->epoch, t->epoch + 1 ? t->epoch + 1 : 1, __ATOMIC_SEQ_CST);
	for (struct vcpu *vcpu = space->cache->vcpus; vcpu; vcpu = vcpu->local->next)
		cpu_poll(vcpu);
}

bool
cache_reclaim(struct cpu_space *space, const struct vcpu *self)
{
	struct translator *t = space->cache->translator;

	for (struct vcpu *vcpu = space->cache->vcpus; vcpu; vcpu = vcpu->local->next) {
		uint32_t inside = __atomic_load_n(&vcpu->local->inside, __ATOMIC_SEQ_CST);

		if (vcpu != self && inside && inside != t->epoch)
			return false;
	}
	segment_reset(t);
	t->region_count = t->link_count = t->map_used = t->saved = 1;
	lookup_free(t->lookup->older);
	t->lookup->older = NULL;
	t->draining = false;
	return true;
}

/* ---- a space's translator -------------------------------------------------- */

/* Tables in proportion to code memory; they are touched as they fill. */
static int
tables_reserve(struct translator *t)
{
	size_t size = t->memory.size, segments = size / SEGMENT_SIZE;
	size_t regions = size / 256, links = size / 128, map = size / 4;
	size_t order = segments * SEGMENT_REGIONS;
	long p;

	t->tables_size = regions * sizeof *t->region + links * sizeof *t->link +
			 order * sizeof *t->order + segments * sizeof *t->segment +
			 TRANSLATOR_RELOCS * sizeof *t->reloc + map;
	p = RAW6(SYS_mmap, 0, t->tables_size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (raw_failed(p))
		return -1;
	t->tables = (uint8_t *)p;
	t->segment = (void *)p;
	t->region = (void *)(t->segment + segments);
	t->link = (void *)(t->region + regions);
	t->order = (void *)(t->link + links);
	t->reloc = (void *)(t->order + order);
	t->map = (void *)(t->reloc + TRANSLATOR_RELOCS);
	t->region_ready = (uint8_t *)align_down((uintptr_t)t->region, 4096);
	t->map_ready = (uint8_t *)align_down((uintptr_t)t->map, 4096);
	t->region_max = (uint32_t)regions;
	t->link_max = (uint32_t)links;
	t->map_max = (uint32_t)map;
	t->segment_max = t->segment_limit = (uint32_t)segments;
	return 0;
}

/* How much to reserve: not more than a sixteenth of what the host allows. */
static size_t
reserve_size(uint64_t limit)
{
	struct rlimit rlimit = { RLIM_INFINITY, RLIM_INFINITY };
	uint64_t size = limit ? align_up(limit, SEGMENT_SIZE) + SEGMENT_SIZE : RESERVE_DEFAULT;

	RAW4(SYS_prlimit64, 0, RLIMIT_AS, NULL, &rlimit);
	if (size > RESERVE_DEFAULT * 4)
		size = RESERVE_DEFAULT * 4;
	while (size > RESERVE_LEAST && size > rlimit.rlim_cur / 16)
		size /= 2;
	return align_up(size, SEGMENT_SIZE);
}

static int
memory_reserve(struct translator *t, uint64_t limit, struct error *error)
{
	size_t size = reserve_size(limit), least = size < RESERVE_LEAST ? size : RESERVE_LEAST;

	for (;;) {
		long bad = code_memory_reserve(&t->memory, size, least);

		if (bad)
			return error_set(error, (int)-bad, "no address space for translated code (%zu bytes)", least);
		if (!tables_reserve(t))
			return 0;
		size = align_down(t->memory.size / 2, SEGMENT_SIZE);
		code_memory_release(&t->memory);
		if (size < least)
			return error_set(error, 12, "no address space for the tables of translated code");
	}
}

static int
thunks_make(struct translator *t, struct error *error)
{
	struct code_stream hot = { t->memory.w, t->memory.w + THUNK_BYTES };
	long bad = code_memory_map(&t->memory, 0, THUNK_BYTES);

	if (bad)
		return error_set(error, (int)-bad, "cannot map memory for translated code");
	if (!t->target->thunks(t->guest->slots, &hot, t->memory.x - t->memory.w, &t->thunks))
		return error_set(error, 0, "the code generator cannot make its thunks");
	return 0;
}

int
translator_init(struct cpu_space *space, struct error *error)
{
	const struct cpu_options *options = space->cache->options;
	const struct target *target = options->target ? options->target : target_host();
	struct translator *t;

	if (!target)
		return 0;
	t = pages_alloc(sizeof *t);
	if (!t)
		return error_set(error, 12, "no memory for a translator");
	space->cache->translator = t;
	t->target = target;
	t->guest = space->guest;
	t->bulk = space->memory;
	t->epoch = 1;
	t->region_count = t->link_count = t->map_used = t->segment_next = t->saved = 1;
	if (memory_reserve(t, options->cache_bytes, error) || thunks_make(t, error)) {
		translator_fini(space);
		return -1;
	}
	t->lookup = lookup_new(FIRST_SLOTS, NULL);
	return 0;
}

void
translator_fini(struct cpu_space *space)
{
	struct translator *t = space->cache->translator;

	lookup_free(t->lookup);
	code_memory_release(&t->memory);
	pages_free(t->tables, t->tables_size);
	pages_free(t, sizeof *t);
	space->cache->translator = NULL;
}

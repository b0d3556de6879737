/* One region: lifted, compiled, put into the tables. */
#include "cpu/translate/translate.h"

#include "base/raw.h"
#include "guest/system.h"
#include "store/store.h"

#include <sys/syscall.h>
#include <time.h>

uint64_t
region_clock(const struct vcpu *vcpu)
{
	struct timespec now;

	if (!vcpu->options->stats)
		return 0;
	RAW2(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void
region_wander(struct cpu_space *space, struct region *region, int32_t delta, bool often)
{
	struct translator *t = space->cache->translator;
	uint8_t *place = &t->places[code_place(region->pc + (uint64_t)(int64_t)delta)];

	if (*place == CODE_SITE_NEW)
		*place = CODE_SITE_TRIED;
	else if (*place == CODE_SITE_TRIED)
		*place = often ? CODE_SITE_WANDER : CODE_SITE_GOOD;
	region_kill(space, (uint32_t)(region - t->region));
}

/* The guest's user level in a system VM. */
static bool
is_user(const struct vcpu *vcpu, uint32_t mode)
{
	const struct guest_system *system = vcpu->space->guest->system;

	return vcpu->local->system && (mode & system->user_mode_mask) == system->user_mode;
}

/* What is about to be made a region: whose it is, and where its PCs count from. */
struct making {
	const struct lifted *lifted;
	struct store *store;
	uint64_t anchor;
	uint32_t index; /* of the segment, */
	uint8_t number; /* and of the anchor in it */
};

static enum target_result
compile_into(struct vcpu *vcpu, const struct making *making, struct target_code *code)
{
	struct translator *t = translator_of(vcpu);
	const struct lifted *lifted = making->lifted;
	struct segment *segment = &t->segment[making->index];
	uint8_t *w = t->memory.w + (size_t)making->index * SEGMENT_SIZE;
	struct code_stream hot = { w + segment->hot, w + SEGMENT_COLD };
	struct code_stream cold = { w + segment->cold, w + SEGMENT_SIZE };
	unsigned dump = vcpu->options->dump & (CPU_DUMP_REGALLOC | CPU_DUMP_EMIT);
	struct target_job job = {
		.region = &lifted->region,
		.number = t->region_count,
		.anchor = (int64_t)(lifted->region.pc - making->anchor),
		.anchor_slot = w + making->number * 8u,
		.reloc = making->store ? t->reloc : NULL,
		.reloc_room = TRANSLATOR_RELOCS,
		.hot = &hot,
		.cold = &cold,
		.arena = &vcpu->local->arena,
		.guest_base_zero = !vcpu->space->guest_base && !vcpu->local->system,
		.baseline = vcpu->options->baseline,
		.force_faults = vcpu->options->force_faults && !vcpu->local->system,
		.system = vcpu->local->system,
		.super = lifted->region.mode & CPU_MODE_SUPER,
		.sites = is_user(vcpu, lifted->region.mode),
		.loop = lifted->loop,
		.heat = vcpu->options->tier == 2 && !vcpu->local->system && vcpu->options->accel == CPU_ACCEL_TRANSLATE,
		.apart = lifted->region.mode & CPU_MODE_APART,
		.places = t->places,
	};
	enum target_result result;

	if (segment->regions == SEGMENT_REGIONS)
		return TARGET_NO_ROOM;
	if (UNLIKELY(dump))
		job.mark = arena_alloc(&vcpu->local->arena, lifted->region.ins_count * sizeof *job.mark);
	result = t->target->compile(&job, code);
	if (UNLIKELY(dump) && result != TARGET_NO_ROOM)
		cpu_dump_code(lifted, result == TARGET_OK ? code : NULL, job.mark,
			      w + segment->hot + code->entry, dump);
	return result;
}

static void
list_in_pages(struct cpu_space *space, struct region *region, uint32_t number)
{
	uint64_t first = align_down(region->pc, GUEST_PAGE);
	unsigned pages = first + GUEST_PAGE < region->pc + region->bytes && region->second != first ? 2 : 1;

	for (unsigned i = 0; i < pages; i++) {
		uint64_t address = i && region->second ? region->second : first + i * GUEST_PAGE;
		struct code_page *page = page_make(&space->cache->pages, address);

		region->page_next[i] = page->first;
		page->first = number;
	}
}

void
region_place(struct translator *t, struct region *region, uint32_t hot, uint32_t hot_size, uint32_t cold,
	     uint32_t cold_size)
{
	uint32_t index = hot / SEGMENT_SIZE;
	struct segment *segment = &t->segment[index];

	region->hot = hot;
	region->cold = cold;
	region->hot_size = hot_size;
	region->cold_size = cold_size;
	segment->hot = (uint32_t)align_up(hot % SEGMENT_SIZE + hot_size, HOT_ALIGN);
	segment->cold = (uint32_t)align_up(cold % SEGMENT_SIZE + cold_size, COLD_ALIGN);
	t->order[(size_t)index * SEGMENT_REGIONS + segment->regions] = t->region_count;
	__atomic_store_n(&segment->regions, segment->regions + 1, __ATOMIC_RELEASE);
	segment_ahead(t, index);
	table_ahead(t, &t->map_ready, t->map + t->map_used);
}

void
region_enter(struct cpu_space *space, struct region *region, enum region_state state)
{
	struct translator *t = space->cache->translator;

	region->state = (uint8_t)state;
	table_ahead(t, &t->region_ready, region);
	list_in_pages(space, region, t->region_count);
	lookup_insert(t, t->region_count++);
}

/* Gives the compiled code its place; the last step makes it visible. */
static bool
region_publish(struct vcpu *vcpu, const struct making *making, const struct target_code *code)
{
	struct translator *t = translator_of(vcpu);
	struct cpu_stats *stats = &vcpu->local->stats;
	const struct lifted *lifted = making->lifted;
	struct region *region = &t->region[t->region_count];
	const struct segment *segment = &t->segment[making->index];
	uint32_t map = t->map_used, base = making->index * SEGMENT_SIZE;
	const struct region *before = lifted->loop ? lookup_find(t, lifted->region.pc, lifted->region.mode) : NULL;

	*region = (struct region){ .pc = lifted->region.pc, .mode = lifted->region.mode, .second = lifted->second,
				   .bytes = (uint16_t)lifted->region.bytes, .anchor = making->number,
				   .tier = lifted->loop ? 2 : 1 };
	if (code) {
		if (!points_pack(t, region, code))
			return false;
		if (code->movable && region->bytes && notes_pack(t, region, code)) {
			region->store = making->store;
			store_want(making->store);
		}
		region_place(t, region, base + segment->hot + code->entry, code->hot_size, base + segment->cold,
			     code->cold_size);
		stats->host_bytes += code->hot_size;
		stats->cold_bytes += code->cold_size;
		stats->map_bytes += t->map_used - map;
	}
	stats->regions++;
	stats->loops += lifted->loop;
	stats->guest_insns += lifted->region.insns;
	if (before)
		region_kill(vcpu->space, (uint32_t)(before - t->region));
	region_enter(vcpu->space, region, code ? REGION_LIVE : REGION_INTERPRET);
	if (code)
		link_known(vcpu, region, code);
	return true;
}

enum room { ROOM_DONE, ROOM_SEGMENT, ROOM_NONE, ROOM_REFUSED };

/* Tries once: done, the segment is full, the tables are, or it is a loop without
 * code. */
static enum room
region_try(struct vcpu *vcpu, struct making *making)
{
	struct translator *t = translator_of(vcpu);
	struct target_code code = { 0 };

	making->index = segment_for(t, making->anchor, &making->number);
	if (making->index == SEGMENT_NONE || t->region_count == t->region_max)
		return ROOM_NONE;
	switch (compile_into(vcpu, making, &code)) {
	case TARGET_OK:
		return region_publish(vcpu, making, &code) ? ROOM_DONE : ROOM_NONE;
	case TARGET_NO_ROOM:
		if (t->segment[making->index].regions) {
			t->segment[making->index].full = true;
			return ROOM_SEGMENT;
		}
		/* Too large for an empty segment, so for any. */
		break;
	case TARGET_UNSUPPORTED:
		break;
	}
	if (making->lifted->loop)
		return ROOM_REFUSED;
	return region_publish(vcpu, making, NULL) ? ROOM_DONE : ROOM_NONE;
}

bool
region_compile(struct vcpu *vcpu, const struct lifted *lifted, uint64_t anchor, struct store *store)
{
	struct cpu_space *space = vcpu->space;
	struct making making = { .lifted = lifted, .store = store, .anchor = anchor };
	struct translator *t = translator_of(vcpu);
	const struct region *there = lookup_find(t, lifted->region.pc, lifted->region.mode);
	bool flushed = false;

	if (there && (!lifted->loop || (there->tier == 2 && there->bytes >= lifted->region.bytes)))
		return true;
	if (t->draining && !cache_reclaim(space, vcpu))
		return false;
	if (!cpu_keep(space, lifted))
		return false;
	for (;;) {
		switch (region_try(vcpu, &making)) {
		case ROOM_DONE:
			return true;
		case ROOM_SEGMENT:
			break;
		case ROOM_REFUSED:
			return false;
		case ROOM_NONE:
			if (flushed)
				return false;
			flushed = true;
			cache_flush(space);
			if (!cache_reclaim(space, vcpu))
				return false;
			break;
		}
	}
}

enum region_made
region_make(struct vcpu *vcpu, uint64_t pc, struct cpu_stop *stop)
{
	struct cpu_space *space = vcpu->space;
	struct cpu_local *local = vcpu->local;
	uint64_t began = region_clock(vcpu), anchor = 0;
	struct store *store = NULL;
	struct lifted lifted;
	bool made;

	arena_reset(&local->arena);
	if (!space->memory)
		store = keep_store(vcpu, pc, &anchor);
	made = store && keep_recall(vcpu, store, pc, anchor);
	if (!made) {
		if (!cpu_lift(vcpu, &local->arena, pc, vcpu->frame->mode, 0, &lifted, stop))
			return REGION_STOPPED;
		space_lock(space);
		made = region_compile(vcpu, &lifted, anchor, store);
		space_unlock(space);
	}
	local->stats.translate_ns += region_clock(vcpu) - began;
	if (made)
		return REGION_MADE;
	if (local->system)
		return REGION_EVALUATED;
	return run_interpreted(vcpu, false, stop) ? REGION_STOPPED : REGION_EVALUATED;
}

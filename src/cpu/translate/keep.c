/* Regions kept in stores (store/store.h) from run to run, so that a program that ran
 * before need not be translated again.
 *
 * A record is a region: the guest's bytes that it was made of, its code as it lay
 * in memory with no exit chained, the points and notes of translator.map. Its
 * number is how far its PC is from the anchor of its file, its mode the mode key.
 * That is where it is looked for; that it may be used is seen from the guest's
 * bytes, which must be those that are in memory now. So a file that changed, or code
 * that a program changed in memory, does no harm, and nothing about the file need
 * be known.
 *
 * To recall it, its code is copied to a segment like that of a region just made and
 * set right for its place (code_move_to); exits get the region's new number. From
 * then on it is like any other.
 */
#include "cpu/translate/translate.h"

#include "store/store.h"

#include <string.h>

/* The head of a record. Behind it, each padded to 8 bytes: the guest's code, hot
 * code, cold code; then points and notes. */
struct kept {
	uint32_t hot_size, cold_size;
	uint32_t points_size, notes_size;
	int32_t apart, anchored; /* struct code_place */
	uint16_t bytes;          /* of guest code */
	uint8_t lead;            /* cold code begins so far behind 16-byte alignment */
	uint8_t pad[5];
};
_Static_assert(sizeof(struct kept) % 8 == 0, "what follows is aligned");

enum { LARGEST = SEGMENT_SIZE, EXITS = 512 }; /* what is looked at: a record's bytes, its exits */

struct parts {
	const uint8_t *code, *hot, *cold, *points, *notes, *end;
};

/* Where the parts lie behind the head. */
static struct parts
parts_of(const struct kept *kept)
{
	struct parts p = { .code = (const uint8_t *)(kept + 1) };

	p.hot = p.code + align_up(kept->bytes, 8);
	p.cold = p.hot + align_up(kept->hot_size, 8);
	p.points = p.cold + align_up(kept->cold_size, 8);
	p.notes = p.points + kept->points_size;
	p.end = p.notes + kept->notes_size;
	return p;
}

struct store *
keep_store(struct vcpu *vcpu, uint64_t pc, uint64_t *anchor)
{
	struct cpu_space *space = vcpu->space;
	struct cpu_local *local = vcpu->local;
	const struct cpu_options *options = vcpu->options;
	uint64_t attempts = __atomic_load_n(&space->cache->attempts, __ATOMIC_ACQUIRE);

	if (space->store && !options->force_faults && !options->dump) {
		if (local->stored_attempts != attempts || pc - local->stored.start >= local->stored.end - local->stored.start) {
			local->stored = (struct cpu_file_code){ 0 };
			local->store = space->store(space, pc, &local->stored);
			local->stored_attempts = attempts;
		}
		if (local->store) {
			*anchor = local->stored.anchor;
			return local->store;
		}
		local->stored.end = local->stored.start; /* it held for this pc alone */
	}
	*anchor = space->anchor(space, pc);
	return NULL;
}

/* ---- recalled -------------------------------------------------------------- */

struct search {
	const struct store *store;
	uint64_t number;
	uint32_t mode;
	struct arena *arena;
	struct store_record *found; /* a copy */
};

static void
search(void *argument)
{
	struct search *s = argument;
	const struct store_record *record = store_find(s->store, s->number, s->mode);
	uint32_t size = record ? __atomic_load_n(&record->size, __ATOMIC_RELAXED) : 0;

	if (!size || size > LARGEST)
		return;
	s->found = arena_alloc(s->arena, sizeof *record + size);
	memcpy(s->found, record, sizeof *record + size);
	s->found->size = size;
}

/* A sound record for this place of this file, or NULL. */
static const struct kept *
find(struct vcpu *vcpu, const struct store *store, uint64_t number)
{
	struct search s = { store, number, vcpu->frame->mode, &vcpu->local->arena, NULL };
	const struct kept *kept;

	if (!cpu_guarded(vcpu, search, &s) || !s.found || s.found->number != number || s.found->mode != s.mode ||
	    !store_sound(s.found) || s.found->size < sizeof *kept)
		return NULL;
	kept = (const struct kept *)(const void *)s.found->bytes;
	if (kept->hot_size > LARGEST || kept->cold_size > LARGEST || kept->points_size > LARGEST ||
	    kept->notes_size > LARGEST || !kept->bytes || kept->lead >= HOT_ALIGN ||
	    parts_of(kept).end > s.found->bytes + s.found->size)
		return NULL;
	return kept;
}

/* The notes as lists in the arena; false: they are none of a region like this. */
static bool
read_notes(struct arena *arena, const struct kept *kept, struct code_parts *parts)
{
	const struct parts p = parts_of(kept);
	struct notes notes = { p.notes, p.end };
	uint32_t room = kept->notes_size; /* a number takes a byte at least */
	uint32_t *exit = arena_alloc(arena, 2 * room * sizeof *exit), *reloc = exit + room;

	parts->exit = exit;
	parts->reloc = reloc;
	parts->exit_count = notes_list(&notes, exit, room, 0);
	if (parts->exit_count > room)
		return false;
	parts->reloc_count = notes_list(&notes, reloc, room, 2);
	if (parts->reloc_count > room)
		return false;
	for (uint32_t i = 0; i < parts->exit_count; i++)
		if (exit[i] % 8 || exit[i] + sizeof(struct code_exit) > kept->cold_size)
			return false;
	for (uint32_t i = 0; i < parts->reloc_count; i++)
		if ((reloc[i] & CODE_RELOC_OFFSET) + 4 > (reloc[i] & CODE_RELOC_COLD ? kept->cold_size : kept->hot_size))
			return false;
	return true;
}

/* Under the lock: a place for the region; false: there is no room now, it is to be
 * made as any other. */
static bool
find_place(struct translator *t, const struct kept *kept, uint64_t anchor, uint8_t *number, uint32_t *hot,
	   uint32_t *cold)
{
	uint32_t index = segment_for(t, anchor, number);
	const struct segment *segment = &t->segment[index];

	if (index == SEGMENT_NONE || t->region_count == t->region_max || segment->regions == SEGMENT_REGIONS)
		return false;
	*hot = segment->hot;
	*cold = (uint32_t)align_up(segment->cold - kept->lead % HOT_ALIGN, HOT_ALIGN) + kept->lead;
	if (*hot + kept->hot_size > SEGMENT_COLD || *cold + kept->cold_size > SEGMENT_SIZE ||
	    t->map_used + kept->points_size > t->map_max)
		return false;
	*hot += index * SEGMENT_SIZE;
	*cold += index * SEGMENT_SIZE;
	return true;
}

/* Under the lock. */
static bool
publish(struct vcpu *vcpu, const struct kept *kept, uint64_t pc, uint64_t anchor, struct code_parts *parts)
{
	struct translator *t = translator_of(vcpu);
	const struct parts p = parts_of(kept);
	struct region *region = &t->region[t->region_count];
	struct target_code code = { .exit = parts->exit, .exit_count = parts->exit_count };
	struct code_place from = { kept->apart, kept->anchored }, to;
	uint32_t hot, cold;
	uint8_t number;

	if (!find_place(t, kept, anchor, &number, &hot, &cold))
		return false;
	*region = (struct region){ .pc = pc, .mode = vcpu->frame->mode, .bytes = kept->bytes, .tier = 1, .anchor = number,
				   .points = t->map_used };
	memcpy(t->map + t->map_used, p.points, kept->points_size);
	t->map_used += kept->points_size;
	region->points_end = region->notes_end = t->map_used;
	parts->hot = t->memory.w + hot;
	parts->cold = t->memory.w + cold;
	parts->cold_size = kept->cold_size;
	memcpy(parts->hot, p.hot, kept->hot_size);
	memcpy(parts->cold, p.cold, kept->cold_size);
	to.apart = (int64_t)cold - hot;
	to.anchored = (int64_t)(hot % SEGMENT_SIZE) - number * 8;
	code_move_to(parts, &from, &to);
	for (uint32_t i = 0; i < parts->exit_count; i++)
		((struct code_exit *)(void *)(parts->cold + parts->exit[i]))->region = t->region_count;
	region_place(t, region, hot, kept->hot_size, cold, kept->cold_size);
	vcpu->local->stats.recalled++;
	region_enter(vcpu->space, region, REGION_LIVE);
	link_known(vcpu, region, &code);
	return true;
}

bool
keep_recall(struct vcpu *vcpu, struct store *store, uint64_t pc, uint64_t anchor)
{
	struct cpu_space *space = vcpu->space;
	struct translator *t = translator_of(vcpu);
	uint64_t attempts = vcpu->local->stored_attempts;
	const struct kept *kept = find(vcpu, store, pc - anchor);
	struct code_parts parts = { 0 };
	bool made;

	if (!kept || pc + kept->bytes > vcpu->local->stored.end || !read_notes(&vcpu->local->arena, kept, &parts) ||
	    !cpu_code_is(vcpu, pc, parts_of(kept).code, kept->bytes))
		return false;
	space_lock(space);
	made = lookup_find(t, pc, vcpu->frame->mode) ||
	       (!t->draining && cpu_keep_code(space, pc, kept->bytes, attempts) &&
		publish(vcpu, kept, pc, anchor, &parts));
	space_unlock(space);
	return made;
}

/* ---- saved ------------------------------------------------------------------ */

/* Fills a record in from a live region. Under the lock. */
static void
fill(const struct translator *t, const struct region *region, struct kept *kept, const uint8_t *code)
{
	const struct parts p = parts_of(kept);
	uint8_t *hot = (uint8_t *)(uintptr_t)p.hot, *cold = (uint8_t *)(uintptr_t)p.cold;
	struct notes notes = { t->map + region->points_end, t->map + region->notes_end };
	uint32_t exit[EXITS], exits;

	memcpy((uint8_t *)(uintptr_t)p.code, code, kept->bytes);
	memcpy(hot, t->memory.w + region->hot, kept->hot_size);
	memcpy(cold, t->memory.w + region->cold, kept->cold_size);
	memcpy((uint8_t *)(uintptr_t)p.points, t->map + region->points, kept->points_size);
	memcpy((uint8_t *)(uintptr_t)p.notes, notes.at, kept->notes_size);
	exits = notes_list(&notes, exit, ARRAY_LEN(exit), 0);
	for (uint32_t i = 0; i < exits; i++) {
		struct code_exit *record = (struct code_exit *)(void *)(cold + exit[i]);
		int64_t jump = (int64_t)exit[i] + record->patch; /* from the first cold byte */
		int32_t distance = (int32_t)(record->stub - record->patch - 4);

		record->region = record->misses = 0;
		if (!record->patch)
			continue;
		if (jump < 0 || jump >= (int64_t)kept->cold_size)
			memcpy(hot + jump + kept->apart, &distance, sizeof distance);
		else
			memcpy(cold + jump, &distance, sizeof distance);
	}
}

/* Few regions have more exits than fill has room for: they are made anew. */
static bool
is_small(const struct translator *t, const struct region *region)
{
	struct notes notes = { t->map + region->points_end, t->map + region->notes_end };
	uint32_t none;

	return notes_list(&notes, &none, 0, 0) <= EXITS;
}

/* Under the lock: what is kept of the region, if it still is. */
static void
save(struct vcpu *vcpu, struct region *region, const uint8_t *code)
{
	struct translator *t = translator_of(vcpu);
	struct kept head = { .hot_size = region->hot_size, .cold_size = region->cold_size,
			     .points_size = region->points_end - region->points,
			     .notes_size = region->notes_end - region->points_end,
			     .apart = (int32_t)(region->cold - region->hot),
			     .anchored = (int32_t)(region->hot % SEGMENT_SIZE) - region->anchor * 8,
			     .bytes = region->bytes, .lead = (uint8_t)(region->cold % HOT_ALIGN) };
	uint64_t anchor = t->segment[region->hot / SEGMENT_SIZE].anchor[region->anchor];
	uint64_t size = (uint64_t)(parts_of(&head).end - (const uint8_t *)&head);
	struct kept *kept;

	if (region->state != REGION_LIVE || size > LARGEST || !is_small(t, region))
		return;
	kept = store_add(region->store, region->pc - anchor, region->mode, (uint32_t)size);
	if (!kept)
		return;
	*kept = head;
	fill(t, region, kept, code);
	vcpu->local->stats.saved++;
}

struct reading {
	uint8_t *to;
	const uint8_t *from;
	size_t size;
};

static void
read_code(void *argument)
{
	struct reading *r = argument;

	memcpy(r->to, r->from, r->size);
}

/* The guest's bytes are read without the lock, and are those of the region if it is
 * still alive then. */
void
translator_save(struct vcpu *vcpu)
{
	struct translator *t = translator_of(vcpu);
	uint8_t code[CODE_BYTES + 16];
	uint32_t epoch = __atomic_load_n(&t->epoch, __ATOMIC_SEQ_CST);

	for (uint32_t i = t->saved; i < __atomic_load_n(&t->region_count, __ATOMIC_RELAXED); i++) {
		struct region *region = &t->region[i];
		struct reading r = { code, (const uint8_t *)(uintptr_t)(vcpu->space->guest_base + region->pc),
				     region->bytes };

		if (!region->store || r.size > sizeof code || !store_worth(region->store) ||
		    region_state(region) != REGION_LIVE || !cpu_guarded(vcpu, read_code, &r))
			continue;
		space_lock(vcpu->space);
		if (t->epoch == epoch)
			save(vcpu, region, code);
		space_unlock(vcpu->space);
	}
	t->saved = t->region_count;
}

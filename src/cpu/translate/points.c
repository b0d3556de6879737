/* From a host PC back to the guest.
 *
 * A region's points are a string of bytes, read front to back on the rare
 * fault: for each point the distance of its host offset from the last one's,
 * the distance of its guest PC (signed), the number of moves and the moves.
 * Numbers are in base 128, low part first, top bit set on all but the last
 * byte; signed ones with the sign in bit 0.
 *
 * Behind that, for regions that are to be kept, in the same numbers: how many exits
 * there are and the offset of each; and the same of relocations, each rotated left by two,
 * which makes small numbers of them.
 */
#include "cpu/translate/translate.h"

#define NUMBER_BYTES 10

static void
put(struct translator *t, uint64_t number)
{
	for (; number >= 128; number >>= 7)
		t->map[t->map_used++] = (uint8_t)(number | 128);
	t->map[t->map_used++] = (uint8_t)number;
}

static uint64_t
take(const struct translator *t, uint32_t *at)
{
	uint64_t number = 0;
	unsigned shift = 0;

	do
		number |= (uint64_t)(t->map[*at] & 127) << shift, shift += 7;
	while (t->map[(*at)++] & 128);
	return number;
}

static uint64_t
fold_sign(int64_t x)
{
	return (uint64_t)x << 1 ^ (uint64_t)(x >> 63);
}

static int64_t
unfold_sign(uint64_t x)
{
	return (int64_t)(x >> 1 ^ (0 - (x & 1)));
}

/* Moves of point i: [*from, result). */
static uint32_t
moves_of(const struct target_code *code, uint32_t i, uint32_t *from)
{
	*from = code->point[i].map;
	return i + 1 < code->point_count ? code->point[i + 1].map : code->move_count;
}

bool
points_pack(struct translator *t, struct region *region, const struct target_code *code)
{
	uint64_t most = (uint64_t)NUMBER_BYTES * 3 * ((uint64_t)code->point_count + code->move_count);
	uint32_t host = 0;
	int32_t pc = 0;

	if (t->map_used + most > t->map_max)
		return false;
	region->points = t->map_used;
	for (uint32_t i = 0; i < code->point_count; i++) {
		const struct code_point *point = &code->point[i];
		uint32_t from, to = moves_of(code, i, &from);

		put(t, point->host - host);
		put(t, fold_sign((int64_t)point->pc - pc));
		put(t, to - from);
		for (; from < to; from++) {
			const struct code_move *move = &code->move[from];

			put(t, move->slot);
			put(t, (uint64_t)move->where << 4 | move->fixup);
			put(t, move->value);
		}
		host = point->host;
		pc = point->pc;
	}
	region->points_end = t->map_used;
	return true;
}

static void
put_list(struct translator *t, const uint32_t *list, uint32_t count, unsigned rotate)
{
	put(t, count);
	for (uint32_t i = 0; i < count; i++)
		put(t, (uint32_t)(list[i] << rotate | (uint64_t)list[i] >> (32 - rotate)));
}

bool
notes_pack(struct translator *t, struct region *region, const struct target_code *code)
{
	/* 32 bits take five bytes at most. */
	uint64_t most = 5 * ((uint64_t)code->exit_count + code->reloc_count + 2);

	if (t->map_used + most > t->map_max)
		return false;
	put_list(t, code->exit, code->exit_count, 0);
	put_list(t, t->reloc, code->reloc_count, 2);
	region->notes_end = t->map_used;
	return true;
}

static uint64_t
note(struct notes *notes)
{
	uint64_t number = 0;

	for (unsigned shift = 0; notes->at < notes->end && shift < 64; shift += 7) {
		uint8_t byte = *notes->at++;

		number |= (uint64_t)(byte & 127) << shift;
		if (!(byte & 128))
			return number;
	}
	return UINT64_MAX;
}

uint32_t
notes_list(struct notes *notes, uint32_t *list, uint32_t room, unsigned rotated)
{
	uint64_t count = note(notes);

	for (uint64_t i = 0; i < count && i < room; i++) {
		uint64_t number = note(notes);

		if (number > UINT32_MAX)
			return UINT32_MAX;
		list[i] = (uint32_t)(number >> rotated | number << (32 - rotated));
	}
	return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

bool
points_find(const struct translator *t, const struct region *region, uint32_t host,
	    int32_t *pc, struct code_move *move, uint32_t *moves)
{
	uint32_t at = region->points;
	uint64_t end = 0;

	*pc = 0;
	while (at < region->points_end) {
		end += take(t, &at);
		*pc += (int32_t)unfold_sign(take(t, &at));
		*moves = (uint32_t)take(t, &at);
		for (uint32_t i = 0; i < *moves; i++) {
			struct code_move m = { .slot = (uint16_t)take(t, &at) };
			uint64_t how = take(t, &at);

			m.where = (uint8_t)(how >> 4);
			m.fixup = how & 15;
			m.value = take(t, &at);
			if (i < POINT_MOVES)
				move[i] = m;
		}
		if (host < end)
			return *moves <= POINT_MOVES;
	}
	return false;
}

struct region *
region_at(const struct translator *t, uintptr_t x)
{
	uintptr_t offset = x - (uintptr_t)t->memory.x;
	uint32_t index = (uint32_t)(offset / SEGMENT_SIZE), low = 0, high;
	const uint32_t *order;
	struct region *region;

	if (offset >= t->memory.size || !index)
		return NULL;
	order = t->order + (size_t)index * SEGMENT_REGIONS;
	high = __atomic_load_n(&t->segment[index].regions, __ATOMIC_ACQUIRE);
	if (!high)
		return NULL;
	/* The last region that starts at or before the offset. */
	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;

		if (t->region[order[middle]].hot <= offset)
			low = middle;
		else
			high = middle;
	}
	region = &t->region[order[low]];
	return offset - region->hot < region->hot_size ? region : NULL;
}

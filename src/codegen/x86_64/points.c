/* What a region tells beside its code: the points that may fault, with the slots
 * that are not at home there, its exit records, and what in it is relative. */
#include "codegen/x86_64/gen.h"

#include <string.h>

static void *
grow(struct gen *g, void *old, uint32_t count, uint32_t *capacity, size_t size)
{
	void *data;

	if (count < *capacity)
		return old;
	*capacity = *capacity ? *capacity * 2 : 64;
	data = arena_alloc(g->job->arena, *capacity * size);
	if (count)
		memcpy(data, old, count * size);
	return data;
}

void
add_move(struct gen *g, const struct code_move *move)
{
	g->move = grow(g, g->move, g->move_count, &g->move_capacity, sizeof *g->move);
	g->move[g->move_count++] = *move;
}

void
add_exit(struct gen *g, const struct code_exit *record)
{
	g->exit = grow(g, g->exit, g->exit_count, &g->exit_capacity, sizeof *g->exit);
	g->exit[g->exit_count++] = (uint32_t)((const uint8_t *)record - g->cold_start);
}

void
mark_fault(struct gen *g)
{
	struct code_point *point;
	unsigned left = g->raw_count;

	if (g->job->system) /* memory is there: soft_tlb.c */
		return;
	g->point = grow(g, g->point, g->point_count, &g->point_capacity, sizeof *g->point);
	point = &g->point[g->point_count++];
	point->host = (uint32_t)(g->hot.p - g->hot_start);
	point->pc = g->pc;
	point->map = g->move_count;
	for (unsigned slot = 0; left; slot++) {
		if (!g->raw_home[slot])
			continue;
		left--;
		add_move(g, &(struct code_move){ .slot = (uint16_t)slot, .where = CODE_HOME, .fixup = IR_FIX_CANON,
						 .value = g->raw_home[slot] });
	}
	flags_map(g);
}

/* ---- relocations ---------------------------------------------------------- */

/* A distance may count from behind an immediate: that much beside its target. */
enum { NEAR = 16 };

void
relocs_begin(struct gen *g)
{
	uint32_t half = g->job->reloc ? g->job->reloc_room / 2 : 0;

	if (!half)
		return;
	g->hot.note = g->job->reloc;
	g->cold.note = g->job->reloc + half;
	g->hot.note_end = g->cold.note;
	g->cold.note_end = g->cold.note + half;
	g->hot.base = g->hot_start;
	g->cold.base = g->cold_start;
}

static bool
is_in(const uint8_t *p, const uint8_t *start, const uint8_t *end)
{
	return p >= start - NEAR && p < end + NEAR;
}

/* Takes what leads out of its own stream; false: somewhere unknown. */
static bool
take_notes(const struct gen *g, struct target_code *code, const uint32_t *note, const uint32_t *end, bool cold)
{
	for (; note < end; note++) {
		const uint8_t *field = (cold ? g->cold_start : g->hot_start) + *note, *to;
		uint32_t reloc = *note | (cold ? CODE_RELOC_COLD : 0);
		int32_t distance;

		memcpy(&distance, field, sizeof distance);
		to = field + 4 + distance;
		if (is_in(to, g->job->anchor_slot, g->job->anchor_slot + 8))
			reloc |= CODE_RELOC_ANCHOR;
		else if (is_in(to, cold ? g->cold_start : g->hot_start, cold ? g->cold.p : g->hot.p))
			continue;
		else if (!is_in(to, cold ? g->hot_start : g->cold_start, cold ? g->hot.p : g->cold.p))
			return false;
		g->job->reloc[code->reloc_count++] = reloc;
	}
	return true;
}

static void
relocs_end(struct gen *g, struct target_code *code)
{
	uint32_t *cold = g->job->reloc + g->job->reloc_room / 2;

	code->reloc_count = 0;
	code->movable = g->hot.note && g->hot.note != g->hot.note_end && g->cold.note != g->cold.note_end &&
			take_notes(g, code, g->job->reloc, g->hot.note, false) &&
			take_notes(g, code, cold, g->cold.note, true);
}

void
hand_over(struct gen *g, const struct target_job *job, struct target_code *code)
{
	code->entry = (uint32_t)(g->hot_start - job->hot->w);
	code->hot_size = (uint32_t)(g->hot.p - g->hot_start);
	code->cold_size = (uint32_t)(g->cold.p - g->cold_start);
	code->point = g->point;
	code->point_count = g->point_count;
	code->move = g->move;
	code->move_count = g->move_count;
	code->mark_count = g->mark_count;
	code->exit = g->exit;
	code->exit_count = g->exit_count;
	relocs_end(g, code);
	job->hot->w = g->hot.p;
	job->cold->w = g->cold.p;
}

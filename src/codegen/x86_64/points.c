/* What a region tells beside its code: the points that may fault, with the slots
 * that are not at home there, and its exit records. */
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

/* Order, dominators and loops of a region's blocks: cfg.h. */
#include "ir/cfg.h"

#include <string.h>

/* Depth first, without recursion: a region may be as deep as it is long. */
static void
order_blocks(struct ir_cfg *cfg, struct arena *arena)
{
	const struct ir_region *r = cfg->region;
	uint32_t *stack = arena_alloc(arena, r->block_count * sizeof *stack), depth = 1, at = r->block_count;
	uint8_t *next = arena_alloc(arena, r->block_count);
	bool *seen = arena_alloc(arena, r->block_count * sizeof *seen);

	stack[0] = 0;
	seen[0] = true;
	while (depth) {
		uint32_t block = stack[depth - 1], to;
		ir_ref end = ir_block_end(r, block);

		if (next[block] == ir_targets(r, end)) {
			cfg->order[--at] = block;
			depth--;
			continue;
		}
		to = ir_successor(r, end, next[block]++);
		if (!seen[to]) {
			seen[to] = true;
			stack[depth++] = to;
		}
	}
	cfg->reached = r->block_count - at;
	memmove(cfg->order, cfg->order + at, cfg->reached * sizeof *cfg->order);
	memset(cfg->place, 0xff, r->block_count * sizeof *cfg->place);
	for (uint32_t i = 0; i < cfg->reached; i++)
		cfg->place[cfg->order[i]] = i;
}

/* The nearest block that dominates both. */
static uint32_t
common(const struct ir_cfg *cfg, uint32_t x, uint32_t y)
{
	while (x != y)
		if (cfg->place[x] > cfg->place[y])
			x = cfg->above[x];
		else
			y = cfg->above[y];
	return x;
}

/* By iteration to a fixed point in reverse postorder (Cooper, Harvey, Kennedy:
 * "A Simple, Fast Dominance Algorithm"). */
static void
find_dominators(struct ir_cfg *cfg)
{
	const struct ir_region *r = cfg->region;

	memset(cfg->above, 0xff, r->block_count * sizeof *cfg->above);
	cfg->above[0] = 0;
	for (bool changed = true; changed;) {
		changed = false;
		for (uint32_t i = 0; i < cfg->reached; i++) {
			uint32_t from = cfg->order[i];
			ir_ref end = ir_block_end(r, from);

			for (unsigned which = 0; which < ir_targets(r, end); which++) {
				uint32_t to = ir_successor(r, end, which);
				uint32_t now = cfg->above[to] == IR_NOWHERE ? from : common(cfg, cfg->above[to], from);

				changed |= now != cfg->above[to];
				cfg->above[to] = now;
			}
		}
	}
}

bool
ir_cfg_dominates(const struct ir_cfg *cfg, uint32_t x, uint32_t y)
{
	while (cfg->place[y] > cfg->place[x])
		y = cfg->above[y];
	return x == y;
}

/* What can come to the source of a back edge without the head: from there
 * backwards, by repeated passes over all edges. */
static void
mark_loop(struct ir_cfg *cfg, uint32_t head, uint8_t *in)
{
	const struct ir_region *r = cfg->region;

	for (bool changed = true; changed;) {
		changed = false;
		for (uint32_t i = cfg->reached; i-- > cfg->place[head] + 1;) {
			uint32_t from = cfg->order[i];
			ir_ref end = ir_block_end(r, from);

			for (unsigned which = 0; which < ir_targets(r, end) && !in[from]; which++) {
				uint32_t to = ir_successor(r, end, which);

				if (in[to] && to != head)
					in[from] = changed = true;
			}
		}
	}
}

/* A loop is all the back edges to one head. */
static void
find_loops(struct ir_cfg *cfg, struct arena *arena)
{
	const struct ir_region *r = cfg->region;
	uint8_t *in = arena_alloc(arena, r->block_count);

	for (uint32_t h = 0; h < cfg->reached; h++) {
		uint32_t head = cfg->order[h];
		bool any = false;

		memset(in, 0, r->block_count);
		for (uint32_t i = h; i < cfg->reached; i++) {
			ir_ref end = ir_block_end(r, cfg->order[i]);

			for (unsigned which = 0; which < ir_targets(r, end); which++)
				if (ir_successor(r, end, which) == head && ir_cfg_dominates(cfg, head, cfg->order[i]))
					in[cfg->order[i]] = any = true;
		}
		if (!any)
			continue;
		in[head] = true;
		mark_loop(cfg, head, in);
		for (uint32_t i = h; i < cfg->reached; i++)
			cfg->depth[cfg->order[i]] = (uint8_t)(cfg->depth[cfg->order[i]] + in[cfg->order[i]]);
	}
}

void
ir_cfg_make(struct ir_cfg *cfg, const struct ir_region *region, struct arena *arena)
{
	size_t size = region->block_count * sizeof(uint32_t);

	*cfg = (struct ir_cfg){ .region = region, .order = arena_alloc(arena, size), .place = arena_alloc(arena, size),
				.above = arena_alloc(arena, size), .preds = arena_alloc(arena, size),
				.pred = arena_alloc(arena, size), .depth = arena_alloc(arena, region->block_count) };
	order_blocks(cfg, arena);
	find_dominators(cfg);
	for (uint32_t i = 0; i < cfg->reached; i++) {
		ir_ref end = ir_block_end(region, cfg->order[i]);

		for (unsigned which = 0; which < ir_targets(region, end); which++) {
			uint32_t to = ir_successor(region, end, which);

			cfg->preds[to]++;
			cfg->pred[to] = cfg->order[i];
		}
	}
	find_loops(cfg, arena);
}

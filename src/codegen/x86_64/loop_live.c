/* Where each value is alive: a bit an op, set if the value is wanted by that op or
 * one after it and was made before. What is made at an op shares no place with what
 * is alive at the next; parameters and GETs are made where their block begins. */
#include "codegen/x86_64/loop.h"

#include <string.h>


static void
row_add(struct loop *l, ir_ref value, void *arg)
{
	uint64_t *bit = arg;
	uint32_t row = l->val[value].row;

	bit[row / 64] |= UINT64_C(1) << (row % 64);
}

static void
row_take(struct loop *l, ir_ref value, uint64_t *bit)
{
	uint32_t row = l->val[value].row;

	bit[row / 64] &= ~(UINT64_C(1) << (row % 64));
}

/* Made at the head of its block, with all others that are. */
static bool
is_head(const struct ir_ins *ins)
{
	return ins->op == IR_PARAM || ins->op == IR_GET;
}

/* From what is alive behind the block to what is before; mark: notes each op's. */
static void
walk(struct loop *l, uint32_t number, uint64_t *now, uint32_t set_words, bool mark)
{
	const struct ir_block *block = &l->region->block[number];

	for (ir_ref ref = block->first + block->count; ref-- > block->first;) {
		const struct ir_ins *ins = &l->ins[ref];

		if (l->val[ref].late == LATE_PLACE && !is_head(ins)) {
			if (mark && ref + 1 < block->first + block->count) /* also what nobody wants is made */
				loop_row(l, ref)[(ref + 1) / 64] |= UINT64_C(1) << ((ref + 1) % 64);
			row_take(l, ref, now);
		}
		if (ins->type == IR_VOID || l->val[ref].late == LATE_PLACE)
			loop_uses(l, ref, row_add, now);
		for (uint32_t w = 0; mark && w < set_words; w++)
			for (uint64_t rest = now[w]; rest; rest &= rest - 1) {
				uint32_t row = w * 64 + (uint32_t)__builtin_ctzll(rest);

				l->live[(size_t)row * l->words + ref / 64] |= UINT64_C(1) << (ref % 64);
			}
	}
	for (ir_ref ref = block->first; ref < block->first + block->count; ref++)
		if (l->val[ref].late == LATE_PLACE && is_head(&l->ins[ref]))
			row_take(l, ref, now);
}

static void
behind(const struct loop *l, uint32_t block, uint64_t *const *in, uint64_t *now, uint32_t words)
{
	ir_ref end = ir_block_end(l->region, block);

	memset(now, 0, words * sizeof *now);
	for (unsigned which = 0; which < ir_targets(l->region, end); which++) {
		const uint64_t *there = in[ir_successor(l->region, end, which)];

		for (uint32_t w = 0; w < words; w++)
			now[w] |= there[w];
	}
}

/* GETs are alive from the region's first op on, as they all come in at once. */
static void
stretch_heads(struct loop *l)
{
	for (uint32_t number = 0; number < l->region->block_count; number++) {
		const struct ir_block *block = &l->region->block[number];

		for (ir_ref ref = block->first; ref < block->first + block->count; ref++) {
			if (l->val[ref].late != LATE_PLACE || !is_head(&l->ins[ref]))
				continue;
			for (ir_ref at = block->first; at <= ref + 1 && at < block->first + block->count; at++)
				loop_row(l, ref)[at / 64] |= UINT64_C(1) << (at % 64);
		}
	}
}

void
loop_live(struct loop *l)
{
	const struct ir_region *r = l->region;
	uint64_t **in = arena_alloc(l->arena, r->block_count * sizeof *in), *now;
	uint32_t set_words;

	l->rows = 1;
	for (ir_ref ref = 1; ref < r->ins_count; ref++)
		if (l->val[ref].late == LATE_PLACE)
			l->val[ref].row = l->rows++;
	l->row_value = arena_alloc(l->arena, l->rows * sizeof *l->row_value);
	for (ir_ref ref = 1; ref < r->ins_count; ref++)
		if (l->val[ref].row)
			l->row_value[l->val[ref].row] = ref;
	l->words = r->ins_count / 64 + 1;
	l->live = arena_alloc(l->arena, (size_t)l->rows * l->words * sizeof *l->live);
	set_words = l->rows / 64 + 1;
	now = arena_alloc(l->arena, set_words * sizeof *now);
	for (uint32_t block = 0; block < r->block_count; block++)
		in[block] = arena_alloc(l->arena, set_words * sizeof *now);
	for (bool changed = true; changed;) {
		changed = false;
		for (uint32_t block = r->block_count; block-- > 0;) {
			behind(l, block, in, now, set_words);
			walk(l, block, now, set_words, false);
			changed |= memcmp(now, in[block], set_words * sizeof *now) != 0;
			memcpy(in[block], now, set_words * sizeof *now);
		}
	}
	for (uint32_t block = 0; block < r->block_count; block++) {
		behind(l, block, in, now, set_words);
		walk(l, block, now, set_words, true);
	}
	stretch_heads(l);
}

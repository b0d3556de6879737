/* The builder: regions, blocks, constants, guest slots, memory and calls.
 *
 * It runs once for every guest instruction that is translated, so it verifies
 * nothing and remembers little: what each slot holds, and the last constants
 * in a small direct-mapped array. Both are facts about the open block and, by
 * `keep`, about those it dominates. build_fold.c folds pure ops, build_end.c
 * ends blocks.
 *
 * The arrays come from the arena and grow by doubling; the old copies die with
 * the arena.
 */
#include "ir/build_impl.h"

#include <string.h>

enum {
	FIRST_INS = 256, /* a usual region needs no more */
	FIRST_POOL = 128,
	FIRST_BLOCK = 32,
	MOST_INS = 1 << 20,
};

static void *
grow(struct arena *arena, const void *old, size_t used, size_t bytes)
{
	void *fresh = arena_alloc(arena, bytes);

	return memcpy(fresh, old, used);
}

bool
build_grow_ins(struct ir_builder *b)
{
	struct ir_region *r = b->region;

	if (r->ins_capacity >= MOST_INS) {
		b->failed = true;
		return false;
	}
	r->ins = grow(r->arena, r->ins, r->ins_count * sizeof *r->ins,
		      2 * (size_t)r->ins_capacity * sizeof *r->ins);
	r->ins_capacity *= 2;
	return true;
}

bool
build_grow_pool(struct ir_builder *b, uint32_t count)
{
	struct ir_region *r = b->region;
	uint32_t capacity = r->pool_capacity;

	while (count > capacity - r->pool_count) {
		if (capacity >= MOST_INS) {
			b->failed = true;
			return false;
		}
		capacity *= 2;
	}
	r->pool = grow(r->arena, r->pool, r->pool_count * sizeof *r->pool,
		       (size_t)capacity * sizeof *r->pool);
	r->pool_capacity = capacity;
	return true;
}

static void
forget_slots(struct ir_builder *b)
{
	memset(b->slot_value, 0, b->region->slots->count * sizeof b->slot_value[0]);
}

static void
forget(struct ir_builder *b)
{
	forget_slots(b);
	memset(b->constant, 0, sizeof b->constant);
}

static void
open_block(struct ir_builder *b)
{
	struct ir_region *r = b->region;

	b->block = r->block_count++;
	r->block[b->block] = (struct ir_block){ .first = r->ins_count };
}

void
ir_build_begin(struct ir_builder *b, struct ir_region *region, struct arena *arena,
	       const struct ir_slots *slots, uint64_t pc, uint32_t mode)
{
	*region = (struct ir_region){
		.pc = pc,
		.mode = mode,
		.slots = slots,
		.ins = arena_alloc(arena, FIRST_INS * sizeof(struct ir_ins)),
		.ins_count = 1,
		.ins_capacity = FIRST_INS,
		.block = arena_alloc(arena, FIRST_BLOCK * sizeof(struct ir_block)),
		.block_capacity = FIRST_BLOCK,
		.pool = arena_alloc(arena, FIRST_POOL * sizeof(uint32_t)),
		.pool_capacity = FIRST_POOL,
		.arena = arena,
	};
	region->ins[0].op = IR_NOP;
	b->region = region;
	b->retired = 0;
	b->at = INT32_MIN;
	b->aliased = false;
	b->failed = false;
	forget(b);
	open_block(b);
}

/* Closes the open block; it must have ended. */
static const struct ir_block *
close_block(struct ir_builder *b)
{
	struct ir_region *r = b->region;
	struct ir_block *block = &r->block[b->block];

	block->count = r->ins_count - block->first;
	if (!block->count || !(ir_op_info[r->ins[r->ins_count - 1].op].effects & IR_E_END))
		b->failed = true;
	return block;
}

uint32_t
ir_block(struct ir_builder *b, bool keep)
{
	struct ir_region *r = b->region;
	const struct ir_block *before = close_block(b);

	/* What a block that leaves the region made does not reach here. */
	if (!keep || (r->ins[r->ins_count - 1].op == IR_EXIT && before->count > 1))
		forget(b);
	if (r->block_count == r->block_capacity) {
		r->block = grow(r->arena, r->block, r->block_count * sizeof *r->block,
				2 * (size_t)r->block_capacity * sizeof *r->block);
		r->block_capacity *= 2;
	}
	open_block(b);
	return b->block;
}

bool
ir_build_end(struct ir_builder *b)
{
	close_block(b);
	b->region->insns = b->retired;
	return !b->failed;
}

ir_ref
ir_emit(struct ir_builder *b, enum ir_op op, enum ir_type type, unsigned aux, ir_ref x, ir_ref y,
	ir_ref z)
{
	return build_op(b, op, type, aux, x, y, z);
}

void
ir_at(struct ir_builder *b, int32_t delta, unsigned length)
{
	int64_t end = (int64_t)delta + length;

	build_imm(b, IR_AT, IR_VOID, length, 0, delta);
	b->retired++;
	b->at = delta;
	if (end > (int64_t)b->region->bytes)
		b->region->bytes = (uint32_t)end;
}

ir_ref
ir_const(struct ir_builder *b, enum ir_type type, uint64_t value)
{
	unsigned bits = ir_type_bits(type);
	const struct ir_ins *ins;
	ir_ref *slot;

	if (bits && bits < 64)
		value &= int_mask(bits);
	slot = &b->constant[(value ^ value >> 4 ^ type) % ARRAY_LEN(b->constant)];
	ins = build_ins(b, *slot);
	if (ins->op == IR_CONST && ins->type == type && (uint64_t)ins->imm == value)
		return *slot;
	return *slot = build_imm(b, IR_CONST, type, 0, 0, (int64_t)value);
}

ir_ref
ir_pc(struct ir_builder *b, int64_t delta)
{
	return build_imm(b, IR_PC, IR_I64, 0, 0, delta);
}

ir_ref
ir_param(struct ir_builder *b, enum ir_type type)
{
	struct ir_block *block = &b->region->block[b->block];

	return build_imm(b, IR_PARAM, type, 0, 0, block->parameters++);
}

/* ---- guest slots -------------------------------------------------------- */

ir_ref
ir_get(struct ir_builder *b, unsigned slot)
{
	const struct ir_slot *s = &b->region->slots->slot[slot];
	ir_ref known = b->slot_value[slot];

	if (known)
		return known;
	b->aliased |= s->alias != slot;
	return b->slot_value[slot] = build_op(b, IR_GET, s->type, slot, 0, 0, 0);
}

/* Makes the other slots that share bytes with this one unknown. */
static void
forget_aliases(struct ir_builder *b, unsigned slot)
{
	const struct ir_slots *slots = b->region->slots;

	for (unsigned i = 0; i < slots->count; i++)
		if (i != slot && slots->slot[i].alias == slots->slot[slot].alias)
			b->slot_value[i] = 0;
}

void
ir_set(struct ir_builder *b, unsigned slot, ir_ref value)
{
	if (b->slot_value[slot] == value)
		return;
	build_op(b, IR_SET, IR_VOID, slot, value, 0, 0);
	b->aliased |= b->region->slots->slot[slot].alias != slot;
	if (UNLIKELY(b->aliased))
		forget_aliases(b, slot);
	b->slot_value[slot] = value;
}

/* ---- memory and helpers ------------------------------------------------- */

ir_ref
ir_xlate(struct ir_builder *b, enum ir_access access, unsigned align_log2, ir_ref address,
	 int32_t lo, int32_t hi)
{
	return build_imm(b, IR_XLATE, IR_HOST, (unsigned)access | align_log2 << 4, address,
			 (int64_t)((uint64_t)(uint32_t)hi << 32 | (uint32_t)lo));
}

ir_ref
ir_load(struct ir_builder *b, enum ir_type type, unsigned mem_aux, ir_ref host, int32_t disp)
{
	return build_op(b, IR_LOAD, type, mem_aux, host, 0, (uint32_t)disp);
}

void
ir_store(struct ir_builder *b, unsigned mem_aux, ir_ref host, ir_ref value, int32_t disp)
{
	build_op(b, IR_STORE, IR_VOID, mem_aux, host, value, (uint32_t)disp);
}

ir_ref
ir_call(struct ir_builder *b, enum ir_type type, unsigned helper, unsigned count,
	const ir_ref *arguments)
{
	struct ir_region *r = b->region;
	unsigned effects = helper < r->helper_count ? r->helpers[helper].effects : IR_H_ANY;
	uint32_t at = build_pool(b, count + 1);
	ir_ref call;

	if (b->failed)
		return 0;
	r->pool[at] = count;
	for (unsigned i = 0; i < count; i++)
		r->pool[at + 1 + i] = arguments[i];
	call = build_op(b, IR_CALL, type, helper, at, 0, 0);
	if (effects & IR_H_WRITE_STATE)
		forget_slots(b);
	return call;
}

const uint32_t *
ir_call_arguments(const struct ir_region *region, ir_ref call, uint32_t *count)
{
	const uint32_t *list = &region->pool[region->ins[call].a];

	*count = list[0];
	return list + 1;
}

void
ir_check(struct ir_builder *b, enum ir_trap trap, ir_ref condition, uint32_t value)
{
	if (build_is_const(b, condition) && !build_value(b, condition))
		return;
	build_imm(b, IR_CHECK, IR_VOID, (unsigned)trap, condition, value);
}

/* What the builder's files share; see build.c. */
#ifndef IR_BUILD_IMPL_H
#define IR_BUILD_IMPL_H

#include "ir/integer.h"

/* Makes room for one more op, or `count` more pool words. False, and the
 * builder has failed, when the region is too large. */
bool build_grow_ins(struct ir_builder *b);
bool build_grow_pool(struct ir_builder *b, uint32_t count);

/* Appends an op as it is and returns it, its operands for the caller to fill;
 * NULL if the builder failed. */
static inline struct ir_ins *
build_append(struct ir_builder *b, enum ir_op op, enum ir_type type, unsigned aux, ir_ref x)
{
	struct ir_region *region = b->region;
	struct ir_ins *ins;

	if (UNLIKELY(region->ins_count == region->ins_capacity) && !build_grow_ins(b))
		return NULL;
	ins = &region->ins[region->ins_count++];
	ins->op = (uint8_t)op;
	ins->type = (uint8_t)type;
	ins->aux = (uint16_t)aux;
	ins->a = x;
	ins->imm = 0;
	return ins;
}

static inline ir_ref
build_op(struct ir_builder *b, enum ir_op op, enum ir_type type, unsigned aux, ir_ref x, ir_ref y,
	 ir_ref z)
{
	struct ir_ins *ins = build_append(b, op, type, aux, x);

	if (UNLIKELY(!ins))
		return 0;
	ins->b = y;
	ins->c = z;
	return b->region->ins_count - 1;
}

static inline ir_ref
build_imm(struct ir_builder *b, enum ir_op op, enum ir_type type, unsigned aux, ir_ref x, int64_t imm)
{
	struct ir_ins *ins = build_append(b, op, type, aux, x);

	if (UNLIKELY(!ins))
		return 0;
	ins->imm = imm;
	return b->region->ins_count - 1;
}

/* Room for count words in the operand pool; their index. */
static inline uint32_t
build_pool(struct ir_builder *b, uint32_t count)
{
	struct ir_region *region = b->region;
	uint32_t at = region->pool_count;

	if (UNLIKELY(count > region->pool_capacity - at) && !build_grow_pool(b, count))
		return 0;
	region->pool_count = at + count;
	return at;
}

static inline const struct ir_ins *
build_ins(const struct ir_builder *b, ir_ref ref)
{
	return &b->region->ins[ref];
}

static inline enum ir_type
build_type(const struct ir_builder *b, ir_ref ref)
{
	return (enum ir_type)b->region->ins[ref].type;
}

/* True for a constant of up to 64 bits. */
static inline bool
build_is_const(const struct ir_builder *b, ir_ref ref)
{
	const struct ir_ins *ins = build_ins(b, ref);

	return ins->op == IR_CONST && ins->type <= IR_I64;
}

static inline uint64_t
build_value(const struct ir_builder *b, ir_ref ref)
{
	return (uint64_t)build_ins(b, ref)->imm;
}

#endif

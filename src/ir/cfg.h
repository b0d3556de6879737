/* The shape of a region's control flow: an order of its blocks, dominators,
 * loops. For passes and code generators; valid as long as no block changes its
 * end. Everything lies in the arena given. */
#ifndef IR_CFG_H
#define IR_CFG_H

#include "ir/ir.h"

struct ir_cfg {
	const struct ir_region *region;
	uint32_t *order;  /* blocks that can be reached, in reverse postorder; of a
	                     BR the second target comes right behind it if it can */
	uint32_t reached; /* how many */
	uint32_t *place;  /* of each block in order; IR_NOWHERE: not reached */
	uint32_t *above;  /* immediate dominators; the first block is its own */
	uint32_t *preds;  /* how many edges lead to each block from reached ones */
	uint32_t *pred;   /* the last one's source in order; of a block with one
	                     predecessor that one */
	uint8_t *depth;   /* of loops around each block */
};
#define IR_NOWHERE UINT32_MAX

void ir_cfg_make(struct ir_cfg *cfg, const struct ir_region *region, struct arena *arena);
/* Whether each way to y leads through x; both can be reached. */
bool ir_cfg_dominates(const struct ir_cfg *cfg, uint32_t x, uint32_t y);

/* The op that ends the block. */
static inline ir_ref
ir_block_end(const struct ir_region *region, uint32_t block)
{
	return region->block[block].first + region->block[block].count - 1;
}

/* How many targets that op has: 2 of BR, 1 of GOTO, else none. */
static inline unsigned
ir_targets(const struct ir_region *region, ir_ref end)
{
	return region->ins[end].op == IR_BR ? 2 : region->ins[end].op == IR_GOTO;
}

/* The block that target `which` is. */
static inline uint32_t
ir_successor(const struct ir_region *region, ir_ref end, unsigned which)
{
	const uint32_t *arguments;
	uint32_t count;

	return ir_target(region, end, which, &arguments, &count);
}

#endif

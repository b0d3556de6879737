/* Conditional branches of the lifters: branch.h. */
#include "guest/branch.h"

bool
guest_branch(struct ir_builder *b, ir_ref cond, int32_t target, int32_t next, int32_t *join,
	     bool single_block)
{
	const struct ir_ins *op = &b->region->ins[cond];
	uint32_t away = b->region->block_count;

	if (op->op == IR_CONST) {
		if (op->imm)
			ir_exit_jump(b, target);
		return op->imm;
	}
	if (target > next && target < *join)
		*join = target;
	ir_br(b, cond, away, away + 1);
	ir_block(b, true);
	ir_exit_jump(b, target);
	ir_block(b, true);
	if (single_block)
		ir_exit_jump(b, next);
	return single_block;
}

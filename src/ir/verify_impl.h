/* What the verifier's files share; see verify.c. */
#ifndef IR_VERIFY_IMPL_H
#define IR_VERIFY_IMPL_H

#include "ir/ir.h"

struct verify {
	const struct ir_region *region;
	struct error *error;
	uint32_t *block_of; /* by ref */
	uint32_t *order;    /* blocks that can be reached, in reverse postorder */
	uint32_t reached;   /* how many */
	uint32_t *place;    /* by block: where it is in order, or NOWHERE */
	uint32_t *above;    /* by block: immediate dominator, or NOWHERE */
};
#define NOWHERE UINT32_MAX

/* Records what is wrong with an op; false. */
bool verify_fail(struct verify *v, ir_ref ref, const char *format, ...) PRINTF_LIKE(3, 4);

/* The op's lists lie in the pool, its targets are blocks. Everything else may
 * follow them once this holds for all ops. */
bool verify_pool(struct verify *v, ir_ref ref);
/* Result type, operand types, aux and immediates. Operands are known to be
 * ops. */
bool verify_op(struct verify *v, ir_ref ref);
/* What a helper may do, IR_H_ANY if that is not known. */
unsigned verify_helper_effects(const struct ir_region *region, unsigned helper);

/* How many blocks an op that ends one leads to. */
static inline unsigned
verify_targets(const struct ir_ins *ins)
{
	return ins->op == IR_BR ? 2 : ins->op == IR_GOTO ? 1 : 0;
}

#endif

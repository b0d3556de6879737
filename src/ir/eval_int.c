/* The evaluator's integer ops of up to 64 bits, and moves of any value. Those
 * on i128 are in eval_wide.c. */
#include "ir/eval_impl.h"

#include <string.h>

static u128
wide_of(const struct eval_run *run, ir_ref ref)
{
	const uint64_t *words = eval_of(run, ref);

	return eval_type(run, ref) == IR_I128 ? (u128)words[1] << 64 | words[0] : words[0];
}

static void
do_wide(struct eval_run *run, const struct ir_ins *ins, enum ir_type from, uint64_t *out)
{
	u128 b = ins->b ? wide_of(run, ins->b) : 0, result;

	if (!eval_wide_op(ins->op, from, ins->aux, wide_of(run, ins->a), b, &result)) {
		run->broken = true;
		return;
	}
	out[0] = eval_cut(ins->type, (uint64_t)result);
	out[1] = (uint64_t)(result >> 64);
}

void
eval_integer(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	bool from_b = ins->op == IR_INSERT || ins->op == IR_CRC32;
	enum ir_type from = eval_type(run, from_b ? ins->b : ins->a);

	if (ins->type == IR_I128 || from == IR_I128 || eval_type(run, ins->a) == IR_I128)
		do_wide(run, ins, from, out);
	else if (!ir_int_op(ins->op, ins->type, from, ins->aux, eval_of(run, ins->a)[0],
			    eval_of(run, ins->b)[0], 0, out))
		run->broken = true;
}

void
eval_pair(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	uint64_t low = eval_of(run, ins->a)[0], high = eval_of(run, ins->b)[0];

	out[0] = low;
	out[1] = high;
}

void
eval_copy(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	memcpy(out, eval_of(run, ins->a), sizeof(eval_value));
}

/* Also FLAGS_SELECT: the value's type does not matter. */
void
eval_select(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	memcpy(out, eval_of(run, wide_of(run, ins->a) ? ins->b : ins->c), sizeof(eval_value));
}

/* One op by itself, for generated code that has none for it. */
#include "ir/eval_impl.h"

#include <string.h>

uint64_t
ir_eval_op(struct ir_frame *frame, uint64_t what, uint64_t types, uint64_t c)
{
	const char *kinds = ir_op_info[what & 0xff].operands;
	struct ir_ins ins[5] = { 0 }, *op = &ins[4];
	struct ir_region region = { .ins = ins, .ins_count = 5 };
	eval_value value[5] = { 0 };
	struct eval_run run = { .region = &region, .frame = frame, .value = value };

	op->op = (uint8_t)what;
	op->type = (uint8_t)(what >> 8);
	op->aux = (uint16_t)(what >> 16);
	op->a = 1;
	op->b = 2;
	op->c = kinds[2] == 'D' ? (uint32_t)c : 3;
	for (unsigned i = 0; i < 3; i++) {
		enum ir_type type = (enum ir_type)(types >> 8 * i & 0xff);

		ins[1 + i].type = (uint8_t)type;
		value[1 + i][0] = eval_cut(type, frame->operand[2 * i]);
		value[1 + i][1] = frame->operand[2 * i + 1];
	}
	eval_table[op->op](&run, op, value[4]);
	frame->operand[0] = eval_cut((enum ir_type)op->type, value[4][0]);
	frame->operand[1] = value[4][1];
	return 0;
}

/* Which slot a result is for: looked up where it is made, so that it is made
 * there. */
#include "codegen/x86_64/gen.h"

/* Ops that may stand between a value and its SET: they have no code, or none
 * that leaves or needs what the slot held (its uses are counted). */
static bool
is_between(const struct ir_ins *ins)
{
	switch (ins->op) {
	case IR_NOP:
	case IR_CONST:
	case IR_FLAGS_ADD:
	case IR_FLAGS_SUB:
	case IR_FLAGS_LOGIC:
		return true;
	case IR_SET:
	case IR_ZEXT:
	case IR_VSCALAR:
		return true;
	default:
		return false;
	}
}

/* An op that leaves the low part where it is and clears what is above. */
static bool
widens_in_place(const struct gen *g, ir_ref ref, const struct ir_ins *ins)
{
	enum ir_type from = (enum ir_type)g->ins[ref].type;

	if (ins->op == IR_ZEXT)
		return ins->aux == IR_I32 && ins->type == IR_I64 && from == IR_I32;
	if (ins->op == IR_VSCALAR)
		return ins->type == IR_V128 && ins->aux == from && (from == IR_F32 || from == IR_F64);
	return ins->op == IR_VRESIZE && ins->type == IR_V128 && from == IR_V64;
}

int
set_of(const struct gen *g, ir_ref ref)
{
	ir_ref value = ref, end = ref + 8 < g->region->ins_count ? ref + 8 : g->region->ins_count;
	int slot = NO_SLOT;

	for (ir_ref i = ref + 1; i < end; i++) {
		const struct ir_ins *ins = &g->ins[i];

		if (ins->a == value && value == ref && widens_in_place(g, ref, ins)) {
			value = i;
			continue;
		}
		if (ins->op == IR_SET && ins->a == value)
			return ins->aux;
		if (!is_between(ins))
			return slot;
	}
	return slot;
}

/* Ops that have no code of their own: their operands go to the frame, and the
 * evaluator does them in C (ir_eval_op). That takes a quarter of the time that
 * leaving the region does, to have the instruction interpreted. */
#include "codegen/x86_64/gen.h"

#include "ir/eval.h"

/* A type that the words of frame->operand have room for, as they are. */
static bool
fits(enum ir_type type)
{
	return (type >= IR_I8 && type <= IR_I64) || (type >= IR_F16 && type <= IR_V128);
}
_Static_assert(IR_I64 < IR_F16 && IR_F64 < IR_V64 && IR_V64 < IR_V128, "order of types");

static struct x86_mem
operand_mem(unsigned word)
{
	return frame_mem(offsetof(struct ir_frame, operand) + 8 * (size_t)word);
}

/* Bit i: operand i is a value. */
static unsigned
values(const struct ir_ins *ins)
{
	const char *kinds = ir_op_info[ins->op].operands;
	const ir_ref ref[] = { ins->a, ins->b, ins->c };
	unsigned set = 0;

	for (unsigned i = 0; i < 3; i++)
		if (kinds[i] != '.' && kinds[i] != '*' && kinds[i] != 'D' && ref[i])
			set |= 1u << i;
	return set;
}

static void
store_operand(struct gen *g, ir_ref ref, unsigned word)
{
	int reg = use(g, ref);

	if (bank_of(g, resolve(g, ref)) == GPR) {
		x86_mov_mr(&g->hot, 8, operand_mem(word), reg);
	} else {
		canonicalize(g, ref, reg);
		x86_movups_store(&g->hot, operand_mem(word), reg);
	}
	op_done(g);
}

static void
load_result(struct gen *g, ir_ref ref)
{
	enum ir_type type = (enum ir_type)g->ins[ref].type;
	int d = type == IR_FLAGS ? temp(g, GPR) : dest(g, ref, false);

	if (type == IR_V128) {
		x86_movups_load(&g->hot, d, operand_mem(0));
	} else if (type_is_fp(type)) {
		x86_movsd_load(&g->hot, d, operand_mem(0));
		g->val[ref].zx = (uint8_t)(ir_type_bits(type) / 8);
	} else {
		x86_mov_rm(&g->hot, 8, d, operand_mem(0));
	}
	define(g, ref, d);
}

bool
gen_evaluated(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	const ir_ref operand[] = { ins->a, ins->b, ins->c };
	unsigned effects = ir_op_info[ins->op].effects, set = values(ins);
	uint64_t types = 0;

	if ((effects != IR_E_PURE && effects != IR_E_FP) || !(fits((enum ir_type)ins->type) || ins->type == IR_FLAGS))
		return false;
	for (unsigned i = 0; i < 3; i++) {
		if (!(set >> i & 1))
			continue;
		if (!fits((enum ir_type)g->ins[operand[i]].type))
			return false;
		types |= (uint64_t)g->ins[operand[i]].type << 8 * i;
	}
	for (unsigned i = 0; i < 3; i++)
		if (set >> i & 1)
			store_operand(g, operand[i], 2 * i);
	flags_flush(g);
	canonicalize_homes(g, &g->hot, true);
	save_values(g, false);
	claim(g, GPR, RAX);
	claim(g, GPR, RDX);
	claim(g, GPR, RCX);
	x86_mov_ri(&g->hot, RAX, ins->op | (uint64_t)ins->type << 8 | (uint64_t)ins->aux << 16);
	x86_mov_ri(&g->hot, RDX, types);
	x86_mov_ri(&g->hot, RCX, ins->c);
	op_done(g);
	gen_helper_call(g, &g->hot, H_EVALUATE);
	for (unsigned i = 0; i < 3; i++)
		if (set >> i & 1)
			drop(g, operand[i]);
	load_result(g, ref);
	return true;
}

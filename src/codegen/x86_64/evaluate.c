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

/* The operand's place in the frame, by way of register t. */
static void
load_from_frame(struct gen *g, ir_ref ref, int t)
{
	ref = resolve(g, ref);
	if (g->ins[ref].type == IR_V128)
		x86_movups_load(&g->cold, t, place_mem(g, ref));
	else
		x86_movsd_load(&g->cold, t, place_mem(g, ref));
}

/* A raw operand (rule 3) of an op that lets NaNs through: the canonical one, by way of
 * register t. */
static void
mend_operand(struct gen *g, unsigned word, int reg, int bytes, int t)
{
	uint8_t *over;

	x86_ucomis(&g->cold, bytes, reg, reg);
	over = x86_jcc_short(&g->cold, X86_CC_NP);
	x86_movsd_load(&g->cold, t, FRAME_CONST(bytes == 8 ? K_NAN64 : K_NAN32));
	x86_movups_store(&g->cold, operand_mem(word), t);
	x86_patch_rel8(over, g->cold.p);
}

void
gen_rare(struct gen *g, ir_ref ref, int d, const int reg[3])
{
	const struct ir_ins *ins = &g->ins[ref];
	const ir_ref operand[] = { ins->a, ins->b, ins->c };
	unsigned set = values(ins), raw;
	uint32_t types = 0;

	for (unsigned i = 0; i < 3; i++) {
		if (!(set >> i & 1))
			continue;
		types |= (uint32_t)g->ins[operand[i]].type << 8 * i;
		if (reg[i] == NO_REG)
			load_from_frame(g, operand[i], d);
		x86_movups_store(&g->cold, operand_mem(2 * i), reg[i] == NO_REG ? d : reg[i]);
		raw = g->val[resolve(g, operand[i])].raw;
		if (raw && IR_FP_NAN(ins->aux) != IR_NAN_RISCV)
			mend_operand(g, 2 * i, reg[i], (int)raw, d);
	}
	x86_mov_mi(&g->cold, 4, FRAME(rare.what), (int32_t)(ins->op | (uint32_t)ins->type << 8 | (uint32_t)ins->aux << 16));
	x86_mov_mi(&g->cold, 4, FRAME(rare.types), (int32_t)types);
	x86_mov_mi(&g->cold, 4, FRAME(rare.c), (int32_t)ins->c);
	x86_call_m(&g->cold, FRAME(rare_thunk));
	if (ins->type == IR_V128)
		x86_movups_load(&g->cold, d, operand_mem(0));
	else
		x86_movsd_load(&g->cold, d, operand_mem(0));
	if (ins->type == IR_F32 && IR_FP_NAN(ins->aux) == IR_NAN_RISCV) /* boxed, as an operand may be */
		x86_vop3_m(&g->cold, X86_ORPS, 0, d, d, FRAME_CONST(K_BOX32));
	x86_jmp(&g->cold, g->hot.p);
}

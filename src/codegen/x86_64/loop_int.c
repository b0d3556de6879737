/* Integer ops of loops. Each may use rax and rdx freely (loop.h, rule 2); its result
 * goes to its place last, or where nothing else of the op is read any more. */
#include "codegen/x86_64/loop.h"

static bool
is_int(enum ir_type type)
{
	return type <= IR_I64 && type >= IR_I8;
}

bool
loop_knows(const struct loop *l, ir_ref ref)
{
	const struct ir_ins *ins = &l->ins[ref];
	enum ir_type type = (enum ir_type)ins->type, from = (enum ir_type)l->ins[ins->a].type;

	if (is_word_op((enum ir_op)ins->op))
		return type == IR_I32 || type == IR_I64;
	switch (ins->op) {
	case IR_NOP:
	case IR_AT:
		return true;
	case IR_CONST:
	case IR_PARAM:
	case IR_GET:
		return is_int(type) || type == IR_F32 || type == IR_F64;
	case IR_PC:
		return type == IR_I64;
	case IR_ADD:
	case IR_SUB:
	case IR_MUL:
	case IR_AND:
	case IR_OR:
	case IR_XOR:
	case IR_ANDN:
	case IR_NOT:
	case IR_NEG:
		return is_int(type);
	case IR_TRUNC:
	case IR_SEXT:
	case IR_ZEXT:
	case IR_ICMP:
		return is_int(type) && is_int(from) && ins->aux <= IR_UGE;
	case IR_COPY:
		return is_int(type);
	case IR_SELECT:
		return is_int(type) && is_int(from);
	case IR_XLATE:
		return IR_XLATE_ALIGN(ins->aux) == 0;
	case IR_LOAD:
		return (is_int(type) && IR_MEM_TYPE(ins->aux) <= IR_I64) ||
		       ((type == IR_F32 || type == IR_F64) && IR_MEM_TYPE(ins->aux) == type);
	case IR_STORE:
		from = (enum ir_type)l->ins[ins->b].type;
		return IR_MEM_ORDER(ins->aux) != IR_SEQ_CST &&
		       ((is_int(from) && IR_MEM_TYPE(ins->aux) <= IR_I64) ||
			((from == IR_F32 || from == IR_F64) && ir_type_bits(IR_MEM_TYPE(ins->aux)) >= 32 &&
			 ir_type_bits(IR_MEM_TYPE(ins->aux)) <= 64));
	case IR_CHECK:
		return is_int(from);
	case IR_BR:
		return is_int(from);
	case IR_GOTO:
		return true;
	case IR_EXIT:
		return ir_exit_of(l->region, ref).kind == IR_EXIT_JUMP;
	default:
		return loop_fp_knows(l, ref);
	}
}

/* ---- two operands ------------------------------------------------------------- */

/* d = a op b of the ALU row. */
static void
alu(struct loop *l, ir_ref ref, enum x86_alu op, int size)
{
	const struct ir_ins *ins = &l->ins[ref];
	struct x86_asm *a = &l->g.hot;
	int d = loop_out(l, ref, RAX), ra, rb;
	ir_ref x = ins->a, y = ins->b;
	struct x86_mem m;
	int32_t imm;

	if (op != X86_SUB && loop_is_const(l, x)) {
		x = y;
		y = ins->a;
	}
	ra = loop_in(l, x, RAX);
	if (loop_imm32(l, y, size, &imm) && !(op == X86_SUB && imm == INT32_MIN)) {
		if (op == X86_SUB || (op == X86_ADD && d != ra)) {
			x86_lea(a, size, d, x86_base(ra, op == X86_SUB ? -imm : imm));
		} else {
			if (d != ra)
				x86_mov_rr(a, size, d, ra);
			x86_alu_ri(a, op, op == X86_AND && size == 8 && imm >= 0 ? 4 : size, d, imm);
		}
	} else if (loop_in_mem(l, y, &m)) {
		if (d != ra)
			x86_mov_rr(a, size, d, ra);
		x86_alu_rm(a, op, size, d, m);
	} else {
		rb = loop_in(l, y, RDX);
		if (d == rb && d != ra && op == X86_SUB) {
			x86_neg_r(a, size, d);
			x86_alu_rr(a, X86_ADD, size, d, ra);
		} else if (d == rb) {
			x86_alu_rr(a, op, size, d, ra);
		} else if (d != ra && op == X86_ADD) {
			x86_lea(a, size, d, x86_index(ra, rb, 0, 0));
		} else {
			if (d != ra)
				x86_mov_rr(a, size, d, ra);
			x86_alu_rr(a, op, size, d, rb);
		}
	}
	loop_made(l, ref, d);
}

static void
multiply(struct loop *l, ir_ref ref, int size)
{
	const struct ir_ins *ins = &l->ins[ref];
	struct x86_asm *a = &l->g.hot;
	int d = loop_out(l, ref, RAX), ra, rb;
	ir_ref x = ins->a, y = ins->b;
	int32_t imm;

	if (loop_is_const(l, x)) {
		x = y;
		y = ins->a;
	}
	ra = loop_in(l, x, RAX);
	if (loop_imm32(l, y, size, &imm)) {
		x86_imul_rri(a, size, d, ra, imm);
	} else {
		rb = loop_in(l, y, RDX);
		if (d == rb) {
			x86_imul_rr(a, size, d, ra);
		} else {
			if (d != ra)
				x86_mov_rr(a, size, d, ra);
			x86_imul_rr(a, size, d, rb);
		}
	}
	loop_made(l, ref, d);
}

/* An operand for instructions that take rdx:rax: not in one of the two. */
static struct x86_mem
kept(struct loop *l, ir_ref ref)
{
	struct x86_mem m;

	if (loop_in_mem(l, ref, &m))
		return m;
	x86_mov_mr(&l->g.hot, 8, FRAME(kept), loop_in(l, ref, RAX));
	return FRAME(kept);
}

static void
multiply_high(struct loop *l, ir_ref ref, int size)
{
	const struct ir_ins *ins = &l->ins[ref];
	struct x86_asm *a = &l->g.hot;
	struct x86_mem b = kept(l, ins->b);

	x86_mov_rr(a, size, RAX, loop_in(l, ins->a, RAX));
	if (ins->op == IR_MULHS)
		x86_imul_m(a, size, b);
	else
		x86_mul_m(a, size, b);
	if (ins->op == IR_MULHSU) { /* the unsigned product counts a negative a 2^width too high */
		x86_mov_rr(a, size, RAX, loop_in(l, ins->a, RAX));
		x86_sar_ri(a, size, RAX, size * 8 - 1);
		x86_alu_rm(a, X86_AND, size, RAX, b);
		x86_alu_rr(a, X86_SUB, size, RDX, RAX);
	}
	loop_made(l, ref, RDX);
}

/* As tier 1's (int.c): what traps on the host is answered in cold code. */
static void
divide(struct loop *l, ir_ref ref, int size)
{
	const struct ir_ins *ins = &l->ins[ref];
	bool is_signed = ins->op == IR_SDIV || ins->op == IR_SREM;
	struct x86_asm *a = &l->g.hot, *cold = &l->g.cold;
	struct x86_mem b = kept(l, ins->b);
	uint8_t *rare, *back, *not_zero = NULL;

	x86_mov_rm(a, size, RDX, b);
	if (is_signed) {
		x86_lea(a, size, RDX, x86_base(RDX, 1));
		x86_alu_ri(a, X86_CMP, size, RDX, 1);
	} else {
		x86_test_rr(a, size, RDX, RDX);
	}
	x86_mov_rr(a, size, RAX, loop_in(l, ins->a, RAX)); /* keeps the flags */
	rare = x86_jcc_forward(a, is_signed ? X86_CC_BE : X86_CC_E);
	if (is_signed) {
		x86_cdq(a, size);
		x86_idiv_m(a, size, b);
	} else {
		x86_alu_rr(a, X86_XOR, 4, RDX, RDX);
		x86_div_m(a, size, b);
	}
	back = a->p;
	x86_patch_rel32(rare, cold->p);
	if (is_signed) {
		x86_alu_mi(cold, X86_CMP, size, b, 0);
		not_zero = x86_jcc_short(cold, X86_CC_NE);
	}
	x86_mov_rr(cold, size, RDX, RAX); /* the remainder of x / 0 is x */
	x86_mov_ri(cold, RAX, ins->aux ? 0 : UINT64_MAX >> (64 - 8 * size));
	x86_jmp(cold, back);
	if (not_zero) {
		x86_patch_rel8(not_zero, cold->p); /* x / -1 */
		x86_neg_r(cold, size, RAX);
		x86_alu_rr(cold, X86_XOR, 4, RDX, RDX);
		x86_jmp(cold, back);
	}
	loop_made(l, ref, ins->op == IR_SDIV || ins->op == IR_UDIV ? RAX : RDX);
}

/* Rotation by a number that is not known: in rax, by cl, which is kept. */
static void
rotate(struct loop *l, ir_ref ref, int size)
{
	const struct ir_ins *ins = &l->ins[ref];
	struct x86_asm *a = &l->g.hot;

	x86_mov_rr(a, size, RAX, loop_in(l, ins->a, RAX));
	x86_mov_rr(a, 8, RDX, loop_in(l, ins->b, RDX));
	x86_xchg_rr(a, 8, RCX, RDX);
	x86_shift_rc(a, ins->op == IR_ROTL ? X86_ROL : X86_ROR, size, RAX);
	x86_mov_rr(a, 8, RCX, RDX);
	loop_made(l, ref, RAX);
}

static void
shift(struct loop *l, ir_ref ref, int size)
{
	static const uint8_t group[] = { [IR_SHL] = X86_SHL, [IR_LSHR] = X86_SHR, [IR_ASHR] = X86_SAR,
					 [IR_ROTL] = X86_ROL, [IR_ROTR] = X86_ROR };
	const struct ir_ins *ins = &l->ins[ref];
	enum x86_shift op = (enum x86_shift)group[ins->op];
	struct x86_asm *a = &l->g.hot;
	int d = loop_out(l, ref, RAX), ra, rb, count;

	if (!loop_is_const(l, ins->b) && op <= X86_ROR) {
		rotate(l, ref, size);
		return;
	}
	ra = loop_in(l, ins->a, RAX);
	if (!loop_is_const(l, ins->b)) {
		rb = loop_in(l, ins->b, RDX);
		if (op == X86_SHL)
			x86_shlx_rrr(a, size, d, ra, rb);
		else if (op == X86_SHR)
			x86_shrx_rrr(a, size, d, ra, rb);
		else
			x86_sarx_rrr(a, size, d, ra, rb);
		loop_made(l, ref, d);
		return;
	}
	count = (int)(l->ins[loop_same(l, ins->b)].imm & (size * 8 - 1));
	if (op <= X86_ROR && count && d != ra) {
		x86_rorx_rri(a, size, d, ra, op == X86_ROR ? count : 8 * size - count);
	} else if (op == X86_SHL && count && count <= 3 && d != ra) {
		x86_lea(a, size, d, count == 1 ? x86_index(ra, ra, 0, 0) : x86_scaled(ra, (unsigned)count, 0));
	} else {
		if (d != ra)
			x86_mov_rr(a, size, d, ra);
		if (count)
			x86_shift_ri(a, op, size, d, count);
	}
	loop_made(l, ref, d);
}

/* ---- one operand ----------------------------------------------------------------- */

static void
one_operand(struct loop *l, ir_ref ref, int size)
{
	const struct ir_ins *ins = &l->ins[ref];
	struct x86_asm *a = &l->g.hot;
	int ra = loop_in(l, ins->a, RAX), d = loop_out(l, ref, RAX);

	switch (ins->op) {
	case IR_CLZ:
		x86_lzcnt_rr(a, size, d, ra);
		break;
	case IR_CTZ:
		x86_tzcnt_rr(a, size, d, ra);
		break;
	case IR_POPCNT:
		x86_popcnt_rr(a, size, d, ra);
		break;
	default:
		if (d != ra)
			x86_mov_rr(a, size, d, ra);
		if (ins->op == IR_NOT)
			x86_not_r(a, size, d);
		else if (ins->op == IR_NEG)
			x86_neg_r(a, size, d);
		else
			x86_bswap_r(a, size, d);
	}
	loop_made(l, ref, d);
}

static void
extend(struct loop *l, ir_ref ref)
{
	const struct ir_ins *ins = &l->ins[ref];
	int from = (int)ir_type_bits((enum ir_type)ins->aux) / 8, to = (int)ir_type_bits((enum ir_type)ins->type) / 8;
	int d = loop_out(l, ref, RAX);
	struct x86_mem m;
	bool memory = loop_in_mem(l, ins->a, &m);

	if (to < 4)
		to = 4;
	if (memory && ins->op == IR_SEXT)
		x86_movsx_rm(&l->g.hot, to, from, d, m);
	else if (memory)
		x86_movzx_rm(&l->g.hot, from, d, m);
	else if (ins->op == IR_SEXT)
		x86_movsx_rr(&l->g.hot, to, from, d, loop_in(l, ins->a, RAX));
	else
		x86_movzx_rr(&l->g.hot, from, d, loop_in(l, ins->a, RAX));
	loop_made(l, ref, d);
}

/* ---- comparisons ------------------------------------------------------------------- */

static enum x86_cc
compare(struct loop *l, const struct ir_ins *ins)
{
	static const uint8_t code[] = { [IR_EQ] = X86_CC_E,   [IR_NE] = X86_CC_NE,  [IR_SLT] = X86_CC_L, [IR_SLE] = X86_CC_LE,
					[IR_SGT] = X86_CC_G,  [IR_SGE] = X86_CC_GE, [IR_ULT] = X86_CC_B, [IR_ULE] = X86_CC_BE,
					[IR_UGT] = X86_CC_A,  [IR_UGE] = X86_CC_AE };
	static const uint8_t swap[] = { [IR_EQ] = IR_EQ,   [IR_NE] = IR_NE,   [IR_SLT] = IR_SGT, [IR_SLE] = IR_SGE,
					[IR_SGT] = IR_SLT, [IR_SGE] = IR_SLE, [IR_ULT] = IR_UGT, [IR_ULE] = IR_UGE,
					[IR_UGT] = IR_ULT, [IR_UGE] = IR_ULE };
	int size = (int)ir_type_bits((enum ir_type)l->ins[ins->a].type) / 8, ra;
	struct x86_asm *a = &l->g.hot;
	ir_ref x = ins->a, y = ins->b;
	unsigned cond = ins->aux;
	struct x86_mem m;
	int32_t imm;

	if (loop_is_const(l, x)) {
		x = y;
		y = ins->a;
		cond = swap[cond];
	}
	if (loop_imm32(l, y, size, &imm)) {
		if (loop_in_mem(l, x, &m)) {
			x86_alu_mi(a, X86_CMP, size, m, imm);
		} else {
			ra = loop_in(l, x, RAX);
			if (imm)
				x86_alu_ri(a, X86_CMP, size, ra, imm);
			else
				x86_test_rr(a, size, ra, ra);
		}
	} else if (loop_in_mem(l, y, &m)) {
		x86_alu_rm(a, X86_CMP, size, loop_in(l, x, RAX), m);
	} else {
		ra = loop_in(l, x, RAX);
		x86_alu_rr(a, X86_CMP, size, ra, loop_in(l, y, RDX));
	}
	return (enum x86_cc)code[cond];
}

enum x86_cc
loop_condition(struct loop *l, ir_ref ref)
{
	int size, r;

	ref = loop_same(l, ref);
	if (l->val[ref].late == LATE_TEST)
		return compare(l, &l->ins[ref]);
	size = (int)ir_type_bits((enum ir_type)l->ins[ref].type) / 8;
	r = loop_in(l, ref, RAX);
	x86_test_rr(&l->g.hot, size, r, r);
	return X86_CC_NE;
}

static void
icmp(struct loop *l, ir_ref ref)
{
	enum x86_cc cc = compare(l, &l->ins[ref]);
	int d = loop_out(l, ref, RAX);

	x86_setcc_r(&l->g.hot, cc, RAX);
	x86_movzx_rr(&l->g.hot, 1, d, RAX);
	loop_made(l, ref, d);
}

/* What is read after the compare is brought by moves, which keep the flags. */
static void
select_value(struct loop *l, ir_ref ref, int size)
{
	const struct ir_ins *ins = &l->ins[ref];
	enum x86_cc cc = loop_condition(l, ins->a);
	struct x86_asm *a = &l->g.hot;
	int d = loop_out(l, ref, RAX), rb = loop_in(l, ins->b, RDX), rc = loop_in(l, ins->c, RAX);

	if (d == rb && d != rc) {
		x86_cmov_rr(a, x86_cc_invert(cc), size, d, rc);
	} else {
		if (d != rc)
			x86_mov_rr(a, size, d, rc);
		x86_cmov_rr(a, cc, size, d, rb);
	}
	loop_made(l, ref, d);
}

static void
min_max(struct loop *l, ir_ref ref, int size)
{
	static const uint8_t code[] = { [IR_SMIN] = X86_CC_L, [IR_SMAX] = X86_CC_G, [IR_UMIN] = X86_CC_B, [IR_UMAX] = X86_CC_A };
	const struct ir_ins *ins = &l->ins[ref];
	enum x86_cc cc = (enum x86_cc)code[ins->op];
	struct x86_asm *a = &l->g.hot;
	int d = loop_out(l, ref, RAX), ra = loop_in(l, ins->a, RAX), rb = loop_in(l, ins->b, RDX);

	x86_alu_rr(a, X86_CMP, size, ra, rb);
	if (d == rb) {
		x86_cmov_rr(a, cc, size, d, ra);
	} else {
		if (d != ra)
			x86_mov_rr(a, size, d, ra);
		x86_cmov_rr(a, x86_cc_invert(cc), size, d, rb);
	}
	loop_made(l, ref, d);
}

static void
andn(struct loop *l, ir_ref ref, int size)
{
	int d = loop_out(l, ref, RAX), ra = loop_in(l, l->ins[ref].a, RAX), rb = loop_in(l, l->ins[ref].b, RDX);

	x86_andn_rrr(&l->g.hot, size, d, rb, ra);
	loop_made(l, ref, d);
}

bool
loop_int(struct loop *l, ir_ref ref)
{
	const struct ir_ins *ins = &l->ins[ref];
	int size = op_size((enum ir_type)ins->type), d;

	switch (ins->op) {
	case IR_PC:
		d = loop_out(l, ref, RAX);
		gen_pc_to(&l->g, d, ins->imm);
		loop_made(l, ref, d);
		return true;
	case IR_ADD: alu(l, ref, X86_ADD, size); return true;
	case IR_SUB: alu(l, ref, X86_SUB, size); return true;
	case IR_AND: alu(l, ref, X86_AND, size); return true;
	case IR_OR: alu(l, ref, X86_OR, size); return true;
	case IR_XOR: alu(l, ref, X86_XOR, size); return true;
	case IR_ANDN: andn(l, ref, size); return true;
	case IR_MUL: multiply(l, ref, size); return true;
	case IR_MULHS:
	case IR_MULHU:
	case IR_MULHSU: multiply_high(l, ref, size); return true;
	case IR_SDIV:
	case IR_UDIV:
	case IR_SREM:
	case IR_UREM: divide(l, ref, size); return true;
	case IR_SHL:
	case IR_LSHR:
	case IR_ASHR:
	case IR_ROTL:
	case IR_ROTR: shift(l, ref, size); return true;
	case IR_SMIN:
	case IR_SMAX:
	case IR_UMIN:
	case IR_UMAX: min_max(l, ref, size); return true;
	case IR_NOT:
	case IR_NEG:
	case IR_BSWAP:
	case IR_CLZ:
	case IR_CTZ:
	case IR_POPCNT: one_operand(l, ref, size); return true;
	case IR_SEXT:
	case IR_ZEXT: extend(l, ref); return true;
	case IR_ICMP: icmp(l, ref); return true;
	case IR_SELECT: select_value(l, ref, size); return true;
	default: return false;
	}
}

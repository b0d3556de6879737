/* Integer ops. */
#include "codegen/x86_64/gen.h"

/* A result for ref in register d, which may be an operand's. */
static void
finish(struct gen *g, ir_ref ref, int d)
{
	const struct ir_ins *ins = &g->ins[ref];
	const char *kinds = ir_op_info[ins->op].operands;

	if (kinds[0] != '.')
		drop(g, ins->a);
	if (kinds[1] != '.')
		drop(g, ins->b);
	if (kinds[2] != '.' && kinds[2] != 'D')
		drop(g, ins->c);
	define(g, ref, d);
}

/* d = a op b for the commutative ones of the ALU row. */
static void
alu(struct gen *g, ir_ref ref, enum x86_alu op, int size)
{
	ir_ref a = g->ins[ref].a, b = g->ins[ref].b;
	struct x86_mem m;
	int32_t imm;
	int ra, rb, d;

	if (is_const(g, a)) {
		a = b;
		b = g->ins[ref].a;
	}
	if (const_imm32(g, b, size, &imm)) {
		ra = use(g, a);
		d = dest(g, ref, true);
		if (op == X86_ADD && d != ra) {
			x86_lea(&g->hot, size, d, x86_base(ra, imm));
		} else {
			if (d != ra)
				x86_mov_rr(&g->hot, size, d, ra);
			if (op == X86_AND && size == 8 && imm >= 0)
				size = 4; /* the upper half of the result is zero */
			x86_alu_ri(&g->hot, op, size, d, imm);
		}
	} else if (resolve(g, a) != resolve(g, b) && use_mem(g, b, &m)) {
		ra = use(g, a);
		d = dest(g, ref, true);
		if (d != ra)
			x86_mov_rr(&g->hot, size, d, ra);
		x86_alu_rm(&g->hot, op, size, d, m);
	} else {
		ra = use(g, a);
		rb = use(g, b);
		d = dest(g, ref, true);
		if (d == ra) {
			x86_alu_rr(&g->hot, op, size, d, rb);
		} else if (d == rb) {
			x86_alu_rr(&g->hot, op, size, d, ra);
		} else if (op == X86_ADD) {
			x86_lea(&g->hot, size, d, x86_index(ra, rb, 0, 0));
		} else {
			x86_mov_rr(&g->hot, size, d, ra);
			x86_alu_rr(&g->hot, op, size, d, rb);
		}
	}
	finish(g, ref, d);
}

static void
sub(struct gen *g, ir_ref ref, int size)
{
	ir_ref a = g->ins[ref].a, b = g->ins[ref].b;
	struct x86_mem m;
	int32_t imm;
	int ra, rb, d;

	if (is_const(g, a) && g->ins[resolve(g, a)].imm == 0) {
		rb = use(g, b);
		d = dest(g, ref, true);
		if (d != rb)
			x86_mov_rr(&g->hot, size, d, rb);
		x86_neg_r(&g->hot, size, d);
		finish(g, ref, d);
		return;
	}
	if (const_imm32(g, b, size, &imm) && imm != INT32_MIN) {
		ra = use(g, a);
		d = dest(g, ref, true);
		if (d != ra)
			x86_lea(&g->hot, size, d, x86_base(ra, -imm));
		else
			x86_alu_ri(&g->hot, X86_SUB, size, d, imm);
	} else if (resolve(g, a) != resolve(g, b) && use_mem(g, b, &m)) {
		ra = use(g, a);
		d = dest(g, ref, true);
		if (d != ra)
			x86_mov_rr(&g->hot, size, d, ra);
		x86_alu_rm(&g->hot, X86_SUB, size, d, m);
	} else {
		ra = use(g, a);
		rb = use(g, b);
		d = dest(g, ref, true);
		if (d == rb && d != ra) {
			x86_neg_r(&g->hot, size, d);
			x86_alu_rr(&g->hot, X86_ADD, size, d, ra);
		} else {
			if (d != ra)
				x86_mov_rr(&g->hot, size, d, ra);
			x86_alu_rr(&g->hot, X86_SUB, size, d, rb);
		}
	}
	finish(g, ref, d);
}

static void
andn(struct gen *g, ir_ref ref, int size)
{
	int ra = use(g, g->ins[ref].a), rb = use(g, g->ins[ref].b), d;

	if (g->cpu->bmi1) {
		d = dest(g, ref, true);
		x86_andn_rrr(&g->hot, size, d, rb, ra);
	} else {
		d = dest(g, ref, false);
		x86_mov_rr(&g->hot, size, d, rb);
		x86_not_r(&g->hot, size, d);
		x86_alu_rr(&g->hot, X86_AND, size, d, ra);
	}
	finish(g, ref, d);
}

/* not, neg, bswap: d = a, then the one-operand instruction. */
static void
in_place(struct gen *g, ir_ref ref, int size)
{
	int ra = use(g, g->ins[ref].a);
	int d = dest(g, ref, true);

	if (d != ra)
		x86_mov_rr(&g->hot, size, d, ra);
	if (g->ins[ref].op == IR_NOT)
		x86_not_r(&g->hot, size, d);
	else if (g->ins[ref].op == IR_NEG)
		x86_neg_r(&g->hot, size, d);
	else
		x86_bswap_r(&g->hot, size, d);
	finish(g, ref, d);
}

static void
multiply(struct gen *g, ir_ref ref, int size)
{
	ir_ref a = g->ins[ref].a, b = g->ins[ref].b;
	struct x86_mem m;
	int32_t imm;
	int ra, rb, d;

	if (is_const(g, a)) {
		a = b;
		b = g->ins[ref].a;
	}
	ra = use(g, a);
	if (const_imm32(g, b, size, &imm)) {
		d = dest(g, ref, true);
		x86_imul_rri(&g->hot, size, d, ra, imm);
	} else if (resolve(g, a) != resolve(g, b) && use_mem(g, b, &m)) {
		d = dest(g, ref, true);
		if (d != ra)
			x86_mov_rr(&g->hot, size, d, ra);
		x86_imul_rm(&g->hot, size, d, m);
	} else {
		rb = use(g, b);
		d = dest(g, ref, true);
		if (d == rb) {
			x86_imul_rr(&g->hot, size, d, ra);
		} else {
			if (d != ra)
				x86_mov_rr(&g->hot, size, d, ra);
			x86_imul_rr(&g->hot, size, d, rb);
		}
	}
	finish(g, ref, d);
}

/* The high halves: rdx:rax = rax * operand. */
static void
multiply_high(struct gen *g, ir_ref ref, int size)
{
	ir_ref a = g->ins[ref].a, b = g->ins[ref].b;
	int op = g->ins[ref].op, ra, rb, d;

	claim(g, GPR, RAX);
	claim(g, GPR, RDX);
	ra = use(g, a);
	rb = use(g, b);
	x86_mov_rr(&g->hot, size, RAX, ra);
	if (op == IR_MULHS)
		x86_imul_r(&g->hot, size, rb);
	else
		x86_mul_r(&g->hot, size, rb);
	if (op == IR_MULHSU) { /* unsigned product counts a negative a 2^width too high */
		x86_mov_rr(&g->hot, size, RAX, ra);
		x86_sar_ri(&g->hot, size, RAX, size * 8 - 1);
		x86_alu_rr(&g->hot, X86_AND, size, RAX, rb);
		x86_alu_rr(&g->hot, X86_SUB, size, RDX, RAX);
	}
	d = dest_or(g, ref, RDX);
	if (d != RDX)
		x86_mov_rr(&g->hot, size, d, RDX);
	finish(g, ref, d);
}

/* Division: the two cases that trap on the host (0, and the smallest number
 * by -1) are answered in cold code. */
static void
divide(struct gen *g, ir_ref ref, int size)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool is_signed = ins->op == IR_SDIV || ins->op == IR_SREM;
	bool quotient = ins->op == IR_SDIV || ins->op == IR_UDIV;
	uint8_t *rare, *back, *not_zero = NULL;
	int ra, rb, d;

	claim(g, GPR, RAX);
	claim(g, GPR, RDX);
	ra = use(g, ins->a);
	rb = use(g, ins->b);
	if (is_signed) {
		x86_lea(&g->hot, size, RDX, x86_base(rb, 1));
		x86_alu_ri(&g->hot, X86_CMP, size, RDX, 1);
		x86_mov_rr(&g->hot, size, RAX, ra);
		rare = x86_jcc_forward(&g->hot, X86_CC_BE);
		x86_cdq(&g->hot, size);
		x86_idiv_r(&g->hot, size, rb);
	} else {
		x86_test_rr(&g->hot, size, rb, rb);
		x86_mov_rr(&g->hot, size, RAX, ra);
		rare = x86_jcc_forward(&g->hot, X86_CC_E);
		x86_alu_rr(&g->hot, X86_XOR, 4, RDX, RDX);
		x86_div_r(&g->hot, size, rb);
	}
	back = g->hot.p;
	x86_patch_rel32(rare, g->cold.p);
	if (is_signed) {
		x86_test_rr(&g->cold, size, rb, rb);
		not_zero = x86_jcc_short(&g->cold, X86_CC_NE);
	}
	x86_mov_rr(&g->cold, size, RDX, RAX); /* remainder of x / 0 is x */
	x86_mov_ri(&g->cold, RAX, ins->aux ? 0 : UINT64_MAX >> (64 - 8 * size));
	x86_jmp(&g->cold, back);
	if (not_zero) {
		x86_patch_rel8(not_zero, g->cold.p); /* x / -1 */
		x86_neg_r(&g->cold, size, RAX);
		x86_alu_rr(&g->cold, X86_XOR, 4, RDX, RDX);
		x86_jmp(&g->cold, back);
	}
	d = dest_or(g, ref, quotient ? RAX : RDX);
	if (d != RAX && d != RDX)
		x86_mov_rr(&g->hot, size, d, quotient ? RAX : RDX);
	finish(g, ref, d);
}

static void
shift(struct gen *g, ir_ref ref, int size)
{
	const struct ir_ins *ins = &g->ins[ref];
	static const uint8_t group[] = { [IR_SHL] = X86_SHL, [IR_LSHR] = X86_SHR, [IR_ASHR] = X86_SAR,
					 [IR_ROTL] = X86_ROL, [IR_ROTR] = X86_ROR };
	enum x86_shift op = (enum x86_shift)group[ins->op];
	int ra, rb, d;

	if (is_const(g, ins->b)) {
		int count = (int)(g->ins[resolve(g, ins->b)].imm & (size * 8 - 1));

		ra = use(g, ins->a);
		d = dest(g, ref, true);
		if (op <= X86_ROR && count && d != ra && g->cpu->bmi2) {
			x86_rorx_rri(&g->hot, size, d, ra, op == X86_ROR ? count : 8 * size - count);
		} else if (op == X86_SHL && count <= 3 && count > 0 && d != ra) {
			x86_lea(&g->hot, size, d,
				count == 1 ? x86_index(ra, ra, 0, 0) : x86_scaled(ra, (unsigned)count, 0));
		} else {
			if (d != ra || !count) /* which clears what is above, too */
				x86_mov_rr(&g->hot, size, d, ra);
			if (count)
				x86_shift_ri(&g->hot, op, size, d, count);
		}
	} else if (g->cpu->bmi2 && op >= X86_SHL) {
		ra = use(g, ins->a);
		rb = use(g, ins->b);
		d = dest(g, ref, true);
		if (op == X86_SHL)
			x86_shlx_rrr(&g->hot, size, d, ra, rb);
		else if (op == X86_SHR)
			x86_shrx_rrr(&g->hot, size, d, ra, rb);
		else
			x86_sarx_rrr(&g->hot, size, d, ra, rb);
	} else {
		claim(g, GPR, RCX);
		ra = use(g, ins->a);
		rb = use(g, ins->b);
		d = dest(g, ref, false);
		x86_mov_rr(&g->hot, 4, RCX, rb);
		x86_mov_rr(&g->hot, size, d, ra);
		x86_shift_rc(&g->hot, op, size, d);
	}
	finish(g, ref, d);
}

/* ---- comparisons -------------------------------------------------------- */

static enum x86_cc
condition_code(enum ir_cond cond)
{
	static const uint8_t code[] = {
		[IR_EQ] = X86_CC_E,   [IR_NE] = X86_CC_NE,  [IR_SLT] = X86_CC_L, [IR_SLE] = X86_CC_LE,
		[IR_SGT] = X86_CC_G,  [IR_SGE] = X86_CC_GE, [IR_ULT] = X86_CC_B, [IR_ULE] = X86_CC_BE,
		[IR_UGT] = X86_CC_A,  [IR_UGE] = X86_CC_AE,
	};
	return (enum x86_cc)code[cond];
}

static enum ir_cond
swapped(enum ir_cond cond)
{
	static const uint8_t swap[] = {
		[IR_EQ] = IR_EQ,   [IR_NE] = IR_NE,   [IR_SLT] = IR_SGT, [IR_SLE] = IR_SGE,
		[IR_SGT] = IR_SLT, [IR_SGE] = IR_SLE, [IR_ULT] = IR_UGT, [IR_ULE] = IR_UGE,
		[IR_UGT] = IR_ULT, [IR_UGE] = IR_ULE,
	};
	return (enum ir_cond)swap[cond];
}

/* Compares the operands of the ICMP, and drops them. */
static enum x86_cc
compare(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	ir_ref a = ins->a, b = ins->b;
	enum ir_cond cond = (enum ir_cond)ins->aux;
	int size = (int)ir_type_bits((enum ir_type)g->ins[a].type) / 8;
	struct x86_mem m;
	int32_t imm;

	if (is_const(g, a) && !is_const(g, b)) {
		a = b;
		b = ins->a;
		cond = swapped(cond);
	}
	if (const_imm32(g, b, size, &imm)) {
		if (use_mem(g, a, &m)) {
			x86_alu_mi(&g->hot, X86_CMP, size, m, imm);
		} else {
			int ra = use(g, a);

			if (imm == 0)
				x86_test_rr(&g->hot, size, ra, ra);
			else
				x86_alu_ri(&g->hot, X86_CMP, size, ra, imm);
		}
	} else if (resolve(g, a) != resolve(g, b) && use_mem(g, b, &m)) {
		x86_alu_rm(&g->hot, X86_CMP, size, use(g, a), m);
	} else {
		int ra = use(g, a), rb = use(g, b);

		x86_alu_rr(&g->hot, X86_CMP, size, ra, rb);
	}
	drop(g, ins->a);
	drop(g, ins->b);
	return condition_code(cond);
}

enum x86_cc
gen_condition(struct gen *g, ir_ref ref)
{
	ir_ref value = resolve(g, ref);
	enum x86_cc cc;

	if (g->val[value].deferred && g->ins[value].op == IR_COND) {
		cc = flags_condition(g, g->ins[value].a, (enum ir_cond)g->ins[value].aux);
	} else if (g->val[value].deferred) {
		cc = compare(g, value);
	} else {
		int r = use(g, value);
		int size = (int)ir_type_bits((enum ir_type)g->ins[ref].type) / 8; /* value's may be wider */

		x86_test_rr(&g->hot, size, r, r);
		cc = X86_CC_NE;
	}
	drop(g, ref);
	op_done(g);
	return cc;
}

static void
icmp(struct gen *g, ir_ref ref)
{
	const struct ir_ins *next = &g->ins[ref + 1];
	enum x86_cc cc;
	int d;

	if (g->val[ref].uses == 1 && next->a == ref &&
	    (next->op == IR_BR || next->op == IR_CHECK || (next->op == IR_SELECT && g->val[ref + 1].uses))) {
		g->val[ref].deferred = true;
		return;
	}
	cc = compare(g, ref);
	d = dest(g, ref, false);
	x86_setcc_r(&g->hot, cc, d);
	x86_movzx_rr(&g->hot, 1, d, d);
	define(g, ref, d);
}

/* The operands' registers are read after the compare: only moves until then. */
static void
select_value(struct gen *g, ir_ref ref, int size)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool deferred = g->val[resolve(g, ins->a)].deferred;
	enum x86_cc cc;
	int rb, rc, d;

	/* gen_condition drops its operand, and dest counts it among those of
	 * this op: it must stay counted until the end. */
	if (!deferred)
		g->val[resolve(g, ins->a)].uses++;
	cc = gen_condition(g, ins->a);
	rb = use(g, ins->b);
	rc = use(g, ins->c);
	d = dest(g, ref, true);
	if (d == rb && d != rc) {
		x86_cmov_rr(&g->hot, x86_cc_invert(cc), size, d, rc);
	} else {
		if (d != rc)
			x86_mov_rr(&g->hot, size, d, rc);
		x86_cmov_rr(&g->hot, cc, size, d, rb);
	}
	if (!deferred)
		drop(g, ins->a);
	drop(g, ins->b);
	drop(g, ins->c);
	define(g, ref, d);
}

static void
min_max(struct gen *g, ir_ref ref, int size)
{
	static const uint8_t code[] = { [IR_SMIN] = X86_CC_L, [IR_SMAX] = X86_CC_G,
					[IR_UMIN] = X86_CC_B, [IR_UMAX] = X86_CC_A };
	const struct ir_ins *ins = &g->ins[ref];
	int ra = use(g, ins->a), rb = use(g, ins->b), d;
	enum x86_cc cc = (enum x86_cc)code[ins->op];

	x86_alu_rr(&g->hot, X86_CMP, size, ra, rb);
	d = dest(g, ref, true);
	if (d == rb) {
		x86_cmov_rr(&g->hot, cc, size, d, ra);
	} else {
		if (d != ra)
			x86_mov_rr(&g->hot, size, d, ra);
		x86_cmov_rr(&g->hot, x86_cc_invert(cc), size, d, rb);
	}
	finish(g, ref, d);
}

/* ---- bits --------------------------------------------------------------- */

static void
count_bits(struct gen *g, ir_ref ref, int size)
{
	const struct ir_ins *ins = &g->ins[ref];
	ir_ref a = resolve(g, ins->a);
	bool reversed = g->val[a].deferred; /* BITREV, left to its CLZ */
	bool leading = ins->op == IR_CLZ && !reversed;
	int ra = use(g, reversed ? g->ins[a].a : a), width = size * 8, d, t;

	if (ins->op == IR_POPCNT) {
		d = dest(g, ref, true);
		x86_popcnt_rr(&g->hot, size, d, ra);
	} else if (leading ? g->cpu->lzcnt : g->cpu->bmi1) {
		d = dest(g, ref, !reversed);
		if (leading)
			x86_lzcnt_rr(&g->hot, size, d, ra);
		else
			x86_tzcnt_rr(&g->hot, size, d, ra);
	} else {
		t = temp(g, GPR);
		d = dest(g, ref, false);
		x86_mov_ri(&g->hot, t, (uint64_t)(leading ? 2 * width - 1 : width));
		if (leading)
			x86_bsr_rr(&g->hot, size, d, ra);
		else
			x86_bsf_rr(&g->hot, size, d, ra);
		x86_cmov_rr(&g->hot, X86_CC_E, size, d, t);
		if (leading)
			x86_alu_ri(&g->hot, X86_XOR, size, d, width - 1);
	}
	finish(g, ref, d);
}

/* Zbb orc.b: bytes that are zero stay, others become 0xff. */
static void
or_combine(struct gen *g, ir_ref ref)
{
	int ra = use(g, g->ins[ref].a);
	int x = temp(g, FPR), zero = temp(g, FPR), d;

	x86_movd_xr(&g->hot, 8, x, ra);
	x86_vzero(&g->hot, zero);
	x86_vop3(&g->hot, X86_PCMPEQB, 0, x, x, zero);
	d = dest(g, ref, true);
	x86_movd_rx(&g->hot, 8, d, x);
	x86_not_r(&g->hot, 8, d);
	finish(g, ref, d);
}

static void
carryless(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int ra = use(g, ins->a), rb = use(g, ins->b);
	int x = temp(g, FPR), y = temp(g, FPR), d;

	x86_movd_xr(&g->hot, 8, x, ra);
	x86_movd_xr(&g->hot, 8, y, rb);
	x86_vop3_i(&g->hot, X86_PCLMULQDQ, 0, x, x, y, 0);
	d = dest(g, ref, true);
	if (ins->op == IR_CLMUL)
		x86_movd_rx(&g->hot, 8, d, x);
	else
		x86_pextr(&g->hot, 8, d, x, 1);
	finish(g, ref, d);
}

static void
extend(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int from = (int)ir_type_bits((enum ir_type)ins->aux) / 8;
	int to = (int)ir_type_bits((enum ir_type)ins->type) / 8;
	struct x86_mem m;
	int ra, d;

	if (use_mem(g, ins->a, &m)) {
		d = dest(g, ref, true);
		if (ins->op == IR_SEXT)
			x86_movsx_rm(&g->hot, to < 4 ? 4 : to, from, d, m);
		else
			x86_movzx_rm(&g->hot, from, d, m);
	} else {
		ra = use(g, ins->a);
		d = dest(g, ref, true);
		if (ins->op == IR_SEXT)
			x86_movsx_rr(&g->hot, to < 4 ? 4 : to, from, d, ra);
		else
			x86_movzx_rr(&g->hot, from, d, ra);
	}
	finish(g, ref, d);
}

void
gen_pc_to(struct gen *g, int reg, int64_t delta)
{
	int64_t distance = (int64_t)((uint64_t)g->job->anchor + (uint64_t)delta);

	if (g->job->system) {
		x86_mov_rm(&g->hot, 8, reg, FRAME(page));
		x86_alu_ri(&g->hot, X86_AND, 8, reg, -(int32_t)IR_TLB_PAGE);
		distance = (int64_t)(g->region->pc % IR_TLB_PAGE) + delta;
		if (distance == (int32_t)distance)
			x86_lea(&g->hot, 8, reg, x86_base(reg, (int32_t)distance));
		else
			x86_alu_rm(&g->hot, X86_ADD, 8, reg, const_mem(g, (uint64_t)distance, 0));
		return;
	}

	if (distance != (int32_t)distance) { /* folded with any constant */
		x86_mov_ri(&g->hot, reg, (uint64_t)distance);
		g->hot.start = g->hot.p;
		x86_alu_rm(&g->hot, X86_ADD, 8, reg, x86_rip((int32_t)(g->job->anchor_slot - g->hot.p)));
		return;
	}
	g->hot.start = g->hot.p; /* x86_rip counts from there */
	x86_mov_rm(&g->hot, 8, reg, x86_rip((int32_t)(g->job->anchor_slot - g->hot.p)));
	if (distance)
		x86_lea(&g->hot, 8, reg, x86_base(reg, (int32_t)distance));
}

static bool
gen_int_op(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	enum ir_type type = (enum ir_type)ins->type;
	int size = op_size(type);

	/* Narrow types work where the low bits do not depend on the high. */
	bool narrow = type == IR_I8 || type == IR_I16;

	if (type == IR_I128)
		return false;
	switch (ins->op) {
	case IR_ADD:
		if (!flags_arithmetic(g, ref) && !address_defer_add(g, ref) && !address_sum(g, ref) &&
		    !address_defer_update(g, ref))
			alu(g, ref, X86_ADD, size);
		return true;
	case IR_AND:
		alu(g, ref, X86_AND, size);
		if (!narrow)
			flags_of_logic(g, ref);
		return true;
	case IR_OR: alu(g, ref, X86_OR, size); return true;
	case IR_XOR: alu(g, ref, X86_XOR, size); return true;
	case IR_SUB:
		if (!flags_arithmetic(g, ref))
			sub(g, ref, size);
		return true;
	case IR_ANDN: andn(g, ref, size); return true;
	case IR_NOT:
	case IR_NEG: in_place(g, ref, size); return true;
	case IR_MUL: multiply(g, ref, size); return true;
	case IR_SEXT:
	case IR_ZEXT:
		if (ins->aux == IR_I128 || g->ins[ins->a].type == IR_I128)
			return false;
		if (ins->aux == type || (ins->op == IR_ZEXT && ins->aux == IR_I32 && g->val[resolve(g, ins->a)].zx == 4)) {
			define_alias(g, ref, ins->a);
			drop(g, ins->a);
		} else {
			extend(g, ref);
		}
		return true;
	case IR_ICMP:
		if (g->ins[ins->a].type == IR_I128)
			return false;
		icmp(g, ref);
		return true;
	case IR_SELECT:
		if (type == IR_FLAGS || type == IR_V256)
			return false;
		if (type_is_fp(type)) {
			gen_select_fpr(g, ref);
			return true;
		}
		select_value(g, ref, size);
		return true;
	case IR_PC: {
		int d = dest(g, ref, true);

		gen_pc_to(g, d, ins->imm);
		define(g, ref, d);
		g->last_pc = ref;
		return true;
	}
	default:
		break;
	}
	if (narrow)
		return false;
	switch (ins->op) {
	case IR_BSWAP: in_place(g, ref, size); return true;
	case IR_MULHS:
	case IR_MULHU:
	case IR_MULHSU: multiply_high(g, ref, size); return true;
	case IR_SDIV:
	case IR_UDIV:
	case IR_SREM:
	case IR_UREM: divide(g, ref, size); return true;
	case IR_SHL:
		if (!address_defer_shift(g, ref))
			shift(g, ref, size);
		return true;
	case IR_LSHR:
	case IR_ASHR:
	case IR_ROTL:
	case IR_ROTR: shift(g, ref, size); return true;
	case IR_SMIN:
	case IR_SMAX:
	case IR_UMIN:
	case IR_UMAX: min_max(g, ref, size); return true;
	case IR_CLZ:
	case IR_CTZ:
	case IR_POPCNT: count_bits(g, ref, size); return true;
	case IR_ORCB:
		if (size != 8)
			return false;
		or_combine(g, ref);
		return true;
	case IR_CLMUL:
	case IR_CLMULH:
		if (size != 8 || !g->cpu->pclmul)
			return false;
		carryless(g, ref);
		return true;
	default:
		return false;
	}
}

bool
gen_int(struct gen *g, ir_ref ref)
{
	struct val *v = &g->val[ref];

	if (!gen_int_op(g, ref))
		return false;
	if (g->ins[ref].type == IR_I32 && !v->alias && !v->deferred)
		v->zx = 4;
	return true;
}

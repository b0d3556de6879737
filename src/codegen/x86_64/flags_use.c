/* Flags: the uses. Conditions, the byte of a slot, and what the frame gets; what
 * deferred flags hold. flags.c has the scheme. */
#include "codegen/x86_64/flags_impl.h"

#include "ir/integer.h"

#include <string.h>

/* The operands that deferred flags hold, by part. */
static void
operands_of(const struct gen *g, ir_ref f, ir_ref part[FLAGS_PARTS])
{
	const struct ir_ins *ins = &g->ins[f];

	memset(part, 0, FLAGS_PARTS * sizeof part[0]);
	switch (ins->op) {
	case IR_FLAGS_ADD:
	case IR_FLAGS_SUB:
		if (g->val[f].form != FLAGS_RB)
			part[FLAGS_PART_A] = ins->a;
		if (g->val[f].form != FLAGS_RA)
			part[FLAGS_PART_B] = ins->b;
		if (g->val[f].form != FLAGS_AB)
			part[FLAGS_PART_R] = flags_result(g, f);
		break;
	case IR_FLAGS_LOGIC:
		part[FLAGS_PART_R] = ins->a;
		break;
	case IR_FLAGS_FCMP:
		part[FLAGS_PART_A] = ins->a;
		part[FLAGS_PART_B] = ins->b;
		break;
	case IR_FLAGS_SELECT:
		part[FLAGS_PART_A] = ins->b;
		part[FLAGS_PART_B] = ins->c;
		break;
	default:
		break;
	}
}

void
flags_release(struct gen *g, ir_ref ref)
{
	ir_ref part[FLAGS_PARTS];

	switch (g->ins[ref].op) {
	case IR_PAIR:
		drop(g, g->ins[ref].b);
		drop(g, g->ins[ref].a);
		return;
	case IR_VAESE:
	case IR_VAESD:
		drop(g, g->ins[ref].a);
		drop(g, g->ins[ref].b);
		return;
	case IR_COND:
	case IR_BITREV:
		drop(g, g->ins[ref].a);
		return;
	default:
		break;
	}
	operands_of(g, ref, part);
	for (unsigned i = 0; i < FLAGS_PARTS; i++)
		if (part[i])
			drop(g, part[i]);
}

/* ---- conditions --------------------------------------------------------- */

void
flags_unlock(struct gen *g, uint32_t locked)
{
	uint32_t set = g->locked[GPR] & ~locked & TEMP_GPRS;

	g->locked[GPR] = locked;
	for (; set; set &= set - 1) {
		int reg = __builtin_ctz(set);

		if (!g->held[GPR][reg])
			g->free[GPR] |= 1u << reg;
	}
}

/* The host's condition after a comparison or subtraction (CF is a borrow), or
 * an addition or LAHF's flags of one (CF is C). May complement CF. */
static enum x86_cc
host_condition(struct gen *g, enum ir_cond cond, bool sum, bool arm)
{
	static const uint8_t code[] = {
		[IR_EQ] = X86_CC_E,  [IR_NE] = X86_CC_NE, [IR_SLT] = X86_CC_L, [IR_SLE] = X86_CC_LE,
		[IR_SGT] = X86_CC_G, [IR_SGE] = X86_CC_GE, [IR_ULT] = X86_CC_B, [IR_ULE] = X86_CC_BE,
		[IR_UGT] = X86_CC_A, [IR_UGE] = X86_CC_AE, [IR_MI] = X86_CC_S, [IR_PL] = X86_CC_NS,
		[IR_VS] = X86_CC_O,  [IR_VC] = X86_CC_NO, [IR_CS] = X86_CC_B, [IR_CC] = X86_CC_AE,
		[IR_PE] = X86_CC_P,  [IR_PO] = X86_CC_NP,
	};

	if (cond == IR_CS || cond == IR_CC)
		return !sum && arm ? x86_cc_invert(code[cond]) : code[cond];
	if (!sum || !arm)
		return code[cond];
	/* CF says "not below" */
	if (cond == IR_ULT || cond == IR_UGE)
		return x86_cc_invert(code[cond]);
	if (cond == IR_ULE || cond == IR_UGT)
		x86_cmc(&g->hot);
	return code[cond];
}

/* Compares a with b. */
static void
emit_compare(struct gen *g, ir_ref a, ir_ref b, int size)
{
	struct x86_mem m;
	int32_t imm;
	int t;

	if (const_imm32(g, b, size, &imm)) {
		if (!is_const(g, a) && use_mem(g, a, &m)) {
			x86_alu_mi(&g->hot, X86_CMP, size, m, imm);
		} else {
			t = use(g, a);
			if (imm == 0)
				x86_test_rr(&g->hot, size, t, t);
			else
				x86_alu_ri(&g->hot, X86_CMP, size, t, imm);
		}
		return;
	}
	t = use(g, a);
	if (resolve(g, a) != resolve(g, b) && use_mem(g, b, &m))
		x86_alu_rm(&g->hot, X86_CMP, size, t, m);
	else
		x86_alu_rr(&g->hot, X86_CMP, size, t, use(g, b));
}

/* t = x op y, in a temporary. */
static int
combine(struct gen *g, enum x86_alu op, ir_ref x, ir_ref y, int size)
{
	int wide = size < 4 ? 4 : size, rx = use(g, x), t, ry;
	int32_t imm;

	if (const_imm32(g, y, wide, &imm)) {
		t = temp(g, GPR);
		x86_mov_rr(&g->hot, wide, t, rx);
		x86_alu_ri(&g->hot, op, wide, t, imm);
		return t;
	}
	ry = use(g, y);
	t = temp(g, GPR);
	x86_mov_rr(&g->hot, wide, t, rx);
	x86_alu_rr(&g->hot, op, wide, t, ry);
	return t;
}

/* Makes the host's flags those of a + b, CF as C. */
static void
emit_add(struct gen *g, ir_ref f, int size)
{
	const struct ir_ins *ins = &g->ins[f];
	ir_ref a = g->val[f].form == FLAGS_AB ? ins->a : flags_result(g, f);
	ir_ref b = g->val[f].form == FLAGS_RA ? ins->a : ins->b;
	int32_t imm;
	int t, rb;

	if (g->val[f].form == FLAGS_AB) {
		int ra = use(g, a);

		t = temp(g, GPR);
		x86_mov_rr(&g->hot, size == 8 ? 8 : 4, t, ra);
	} else { /* the other operand is what b makes the result of */
		t = combine(g, X86_SUB, a, b, size);
	}
	if (const_imm32(g, b, size, &imm)) {
		x86_alu_ri(&g->hot, X86_ADD, size, t, imm);
		return;
	}
	rb = use(g, b);
	x86_alu_rr(&g->hot, X86_ADD, size, t, rb);
}

static void
emit_sub(struct gen *g, ir_ref f, int size)
{
	const struct ir_ins *ins = &g->ins[f];
	int32_t imm;
	int t;

	switch ((enum flags_form)g->val[f].form) {
	case FLAGS_AB:
		emit_compare(g, ins->a, ins->b, size);
		break;
	case FLAGS_RB:
		t = combine(g, X86_ADD, flags_result(g, f), ins->b, size);
		if (const_imm32(g, ins->b, size, &imm))
			x86_alu_ri(&g->hot, X86_CMP, size, t, imm);
		else
			x86_alu_rr(&g->hot, X86_CMP, size, t, use(g, ins->b));
		break;
	case FLAGS_RA:
		t = combine(g, X86_SUB, ins->a, flags_result(g, f), size);
		x86_alu_rr(&g->hot, X86_CMP, size, use(g, ins->a), t);
		break;
	}
}

/* The host's flags again, from LAHF's and SETO's: 1 minus -127 overflows, 0
 * does not. */
static void
emit_host_flags(struct gen *g, ir_ref f)
{
	int reg = use(g, f);

	if (reg != RAX)
		x86_xchg_rr(&g->hot, 8, RAX, reg);
	x86_alu_ri(&g->hot, X86_CMP, 1, RAX, -127);
	x86_sahf(&g->hot);
	if (reg != RAX)
		x86_xchg_rr(&g->hot, 8, RAX, reg);
}

/* a sum that is a comparison with the constant's negative: the same flags, but
 * CF is a borrow. */
static bool
is_compare(const struct gen *g, ir_ref f, int size, int32_t *imm)
{
	return g->ins[f].op == IR_FLAGS_ADD && g->val[f].form == FLAGS_AB && size >= 4 &&
	       const_imm32(g, g->ins[f].b, size, imm) && *imm && *imm != INT32_MIN && flags_not_borrow(&g->ins[f]);
}

bool
flags_reproduce(struct gen *g, ir_ref f)
{
	const struct ir_ins *ins = &g->ins[f];
	int size = flags_bytes(g, ins->a), ra;
	bool sum = ins->op != IR_FLAGS_SUB && ins->op != IR_FLAGS_SBC;
	int32_t imm;

	if (eflags_are(g, f))
		return sum;
	switch (ins->op) {
	case IR_FLAGS_ADD:
		if (is_compare(g, f, size, &imm)) {
			x86_alu_ri(&g->hot, X86_CMP, size, use(g, ins->a), -imm);
			return false;
		}
		emit_add(g, f, size);
		break;
	case IR_FLAGS_SUB:
		emit_sub(g, f, size);
		break;
	case IR_FLAGS_LOGIC:
		ra = use(g, ins->a);
		x86_test_rr(&g->hot, size, ra, ra);
		break;
	default:
		emit_host_flags(g, f);
	}
	return sum;
}

/* UCOMIS gives ZF PF CF: 000 greater, 001 less, 100 equal, 111 unordered. The
 * conditions of Arm's NZCV after a comparison are single ones of the host's,
 * with the operands one way round or the other; EQ and NE take two. */
bool
flags_fcmp_swapped(enum ir_cond cond)
{
	switch (cond) {
	case IR_UGE:
	case IR_ULT:
	case IR_UGT:
	case IR_ULE:
	case IR_CS:
	case IR_CC:
	case IR_MI:
	case IR_PL:
		return true;
	default:
		return false;
	}
}

void
flags_emit_fcmp(struct gen *g, ir_ref f, bool swapped)
{
	const struct ir_ins *ins = &g->ins[f];
	int size = flags_bytes(g, ins->a), ra = use(g, ins->a), rb = use(g, ins->b);

	if (f < g->fp_cleared) /* would raise once more what was cleared */
		g->failed = true;
	if (IR_FP_VARIANT_OF(ins->aux) & IR_FP_SIGNALING)
		x86_comis(&g->hot, size, swapped ? rb : ra, swapped ? ra : rb);
	else
		x86_ucomis(&g->hot, size, swapped ? rb : ra, swapped ? ra : rb);
	eflags_become(g, f);
	g->eflags_swapped = swapped;
}

static enum x86_cc
fcmp_condition(struct gen *g, ir_ref f, enum ir_cond cond)
{
	static const uint8_t code[] = {
		[IR_SLT] = X86_CC_B,  [IR_SLE] = X86_CC_BE, [IR_SGT] = X86_CC_A,  [IR_SGE] = X86_CC_AE,
		[IR_ULT] = X86_CC_A,  [IR_ULE] = X86_CC_AE, [IR_UGT] = X86_CC_B,  [IR_UGE] = X86_CC_BE,
		[IR_CC] = X86_CC_A,   [IR_CS] = X86_CC_BE,  [IR_MI] = X86_CC_A,	  [IR_PL] = X86_CC_BE,
		[IR_VS] = X86_CC_P,   [IR_VC] = X86_CC_NP,
	};
	bool either = cond == IR_EQ || cond == IR_NE || cond == IR_VS || cond == IR_VC;
	int t, u;

	if (!eflags_are(g, f) || (!either && g->eflags_swapped != flags_fcmp_swapped(cond)))
		flags_emit_fcmp(g, f, flags_fcmp_swapped(cond));
	if (cond == IR_PE || cond == IR_PO) { /* Arm's have no parity: clear */
		t = temp(g, GPR);
		x86_alu_rr(&g->hot, X86_CMP, 4, t, t);
		return cond == IR_PE ? X86_CC_NE : X86_CC_E;
	}
	if (cond != IR_EQ && cond != IR_NE)
		return (enum x86_cc)code[cond];
	t = temp(g, GPR);
	u = temp(g, GPR);
	x86_setcc_r(&g->hot, X86_CC_NP, t);
	x86_setcc_r(&g->hot, X86_CC_E, u);
	x86_test_rr(&g->hot, 1, t, u);
	return cond == IR_EQ ? X86_CC_NE : X86_CC_E;
}

/* m ? flags b : constant c. The condition of the constant is known. */
static enum x86_cc
select_condition(struct gen *g, ir_ref f, enum ir_cond cond)
{
	const struct ir_ins *ins = &g->ins[f];
	bool known = ir_flags_hold(cond, (unsigned)g->ins[resolve(g, ins->c)].imm);
	int m = use(g, f), t = temp(g, GPR);
	uint32_t locked = g->locked[GPR];
	enum x86_cc cc = flags_condition(g, ins->b, cond);

	flags_unlock(g, locked);
	x86_setcc_r(&g->hot, known ? x86_cc_invert(cc) : cc, t);
	x86_test_rr(&g->hot, 1, t, m);
	return known ? X86_CC_E : X86_CC_NE;
}

/* Of a byte of enum ir_flag bits. */
static enum x86_cc
byte_condition(struct gen *g, ir_ref f, enum ir_cond cond)
{
	static const uint8_t bit[] = { [IR_EQ] = IR_FLAG_Z, [IR_NE] = IR_FLAG_Z, [IR_MI] = IR_FLAG_N, [IR_PL] = IR_FLAG_N,
				       [IR_VS] = IR_FLAG_V, [IR_VC] = IR_FLAG_V, [IR_CS] = IR_FLAG_C, [IR_CC] = IR_FLAG_C,
				       [IR_PE] = IR_FLAG_P, [IR_PO] = IR_FLAG_P };
	unsigned table = 0;
	int r = use(g, f), t, u;

	if (cond < ARRAY_LEN(bit) && bit[cond]) {
		x86_test_ri(&g->hot, 1, r, bit[cond]);
		return cond == IR_NE || cond == IR_PL || cond == IR_VC || cond == IR_CC || cond == IR_PO ? X86_CC_E :
														 X86_CC_NE;
	}
	t = temp(g, GPR);
	x86_mov_rr(&g->hot, 4, t, r);
	if (cond >= IR_ULT && cond <= IR_UGE) { /* bit 2 becomes "below" */
		x86_shift_ri(&g->hot, X86_SHR, 4, t, 4);
		x86_alu_rr(&g->hot, X86_XOR, 4, t, r);
		x86_alu_ri(&g->hot, X86_AND, 4, t, IR_FLAG_C);
		if (cond == IR_ULE || cond == IR_UGT) {
			u = temp(g, GPR);
			x86_mov_rr(&g->hot, 4, u, r);
			x86_alu_ri(&g->hot, X86_AND, 4, u, IR_FLAG_Z);
			x86_alu_rr(&g->hot, X86_OR, 4, t, u);
		}
		return cond == IR_ULT || cond == IR_ULE ? X86_CC_NE : X86_CC_E;
	}
	for (unsigned flags = 0; flags < 16; flags++)
		table |= (unsigned)ir_flags_hold(cond, flags) << flags;
	u = temp(g, GPR);
	x86_alu_ri(&g->hot, X86_AND, 4, t, 15);
	x86_mov_ri(&g->hot, u, table);
	x86_bt_rr(&g->hot, 4, u, t);
	return X86_CC_B;
}

enum x86_cc
flags_condition(struct gen *g, ir_ref f, enum ir_cond cond)
{
	const struct ir_ins *ins;
	bool arm, plain = cond == IR_EQ || cond == IR_NE || cond == IR_MI || cond == IR_PL;
	int size, r;

	f = resolve(g, f);
	ins = &g->ins[f];
	if (!g->val[f].deferred)
		return byte_condition(g, f, cond);
	if (ins->op == IR_FLAGS_SELECT)
		return select_condition(g, f, cond);
	if (ins->op == IR_FLAGS_FCMP)
		return fcmp_condition(g, f, cond);
	arm = flags_not_borrow(ins);
	size = flags_bytes(g, ins->a);
	if (arm && (cond == IR_PE || cond == IR_PO)) { /* clear */
		r = temp(g, GPR);
		x86_alu_rr(&g->hot, X86_CMP, 4, r, r);
		return cond == IR_PE ? X86_CC_NE : X86_CC_E;
	}
	if (plain && g->val[f].form != FLAGS_AB && !eflags_are(g, f)) {
		r = use(g, flags_result(g, f));
		x86_test_rr(&g->hot, size, r, r);
		return host_condition(g, cond, false, arm);
	}
	return host_condition(g, cond, flags_reproduce(g, f), arm);
}

/* ---- what the slot gets ------------------------------------------------- */

static unsigned
log2_bytes(const struct gen *g, ir_ref ref)
{
	return (unsigned)__builtin_ctz((unsigned)flags_bytes(g, ref));
}

uint32_t
flags_describe(const struct gen *g, ir_ref f, ir_ref *part)
{
	const struct ir_ins *ins = &g->ins[f];
	uint32_t word;

	if (ins->op == IR_CONST) {
		memset(part, 0, FLAGS_PARTS * sizeof part[0]);
		return FLAGS_WORD(FLAGS_CONSTANT, 0, 0, 0) | FLAGS_WORD_CONSTANT(ins->imm);
	}
	if (ins->op == IR_FLAGS_SELECT) {
		word = flags_describe(g, resolve(g, ins->b), part);
		part[FLAGS_PART_M] = f;
		return word | FLAGS_WORD_SELECT | FLAGS_WORD_CONSTANT(g->ins[resolve(g, ins->c)].imm);
	}
	operands_of(g, f, part);
	switch (ins->op) {
	case IR_FLAGS_ADD:
	case IR_FLAGS_SUB:
		return FLAGS_WORD(ins->op == IR_FLAGS_ADD ? FLAGS_OF_ADD : FLAGS_OF_SUB, g->val[f].form,
				  log2_bytes(g, ins->a), flags_not_borrow(ins));
	case IR_FLAGS_LOGIC:
		return FLAGS_WORD(FLAGS_OF_LOGIC, 0, log2_bytes(g, ins->a), flags_not_borrow(ins));
	case IR_FLAGS_FCMP:
		return FLAGS_WORD(FLAGS_OF_FCMP, 0, log2_bytes(g, ins->a), 1);
	default: /* ADC, SBC: f itself is in a register */
		part[FLAGS_PART_R] = f;
		return FLAGS_WORD(ins->op == IR_FLAGS_ADC ? FLAGS_HOST_ADD : FLAGS_HOST_SUB, 0, 0, flags_not_borrow(ins));
	}
}

/* ---- the byte ----------------------------------------------------------- */

/* t = the byte of the host's flags: N + 2 Z + 4 C + 8 V; only flag-preserving
 * instructions between the SETs. */
static int
byte_of_host(struct gen *g, bool sum)
{
	int t = temp(g, GPR), u = temp(g, GPR);

	x86_setcc_r(&g->hot, X86_CC_S, t);
	x86_movzx_rr(&g->hot, 1, t, t);
	x86_setcc_r(&g->hot, X86_CC_E, u);
	x86_movzx_rr(&g->hot, 1, u, u);
	x86_lea(&g->hot, 4, t, x86_index(t, u, 1, 0));
	x86_setcc_r(&g->hot, sum ? X86_CC_B : X86_CC_AE, u);
	x86_lea(&g->hot, 4, t, x86_index(t, u, 2, 0));
	x86_setcc_r(&g->hot, X86_CC_O, u);
	x86_lea(&g->hot, 4, t, x86_index(t, u, 3, IR_FLAG_C_NOT_BORROW));
	return t;
}

/* N = CF ^ PF, Z = ZF ^ PF, C = !N, V = PF: 4 + 64 - 3 N + 2 Z + 8 V. */
static int
byte_of_fcmp(struct gen *g, ir_ref f)
{
	int t, u, v;

	flags_emit_fcmp(g, f, false);
	t = temp(g, GPR);
	u = temp(g, GPR);
	v = temp(g, GPR);
	x86_setcc_r(&g->hot, X86_CC_B, t);
	x86_setcc_r(&g->hot, X86_CC_E, u);
	x86_setcc_r(&g->hot, X86_CC_P, v);
	x86_movzx_rr(&g->hot, 1, t, t);
	x86_movzx_rr(&g->hot, 1, u, u);
	x86_movzx_rr(&g->hot, 1, v, v);
	x86_alu_rr(&g->hot, X86_XOR, 4, t, v);
	x86_alu_rr(&g->hot, X86_XOR, 4, u, v);
	x86_imul_rri(&g->hot, 4, t, t, -3);
	x86_lea(&g->hot, 4, t, x86_index(t, u, 1, 4 + IR_FLAG_C_NOT_BORROW));
	x86_lea(&g->hot, 4, t, x86_index(t, v, 3, 0));
	return t;
}

int
flags_byte(struct gen *g, ir_ref f)
{
	const struct ir_ins *ins;
	uint32_t locked;
	int t, m, given;

	f = resolve(g, f);
	ins = &g->ins[f];
	if (!g->val[f].deferred)
		return use(g, f);
	if (ins->op == IR_FLAGS_FCMP)
		return byte_of_fcmp(g, f);
	if (ins->op == IR_FLAGS_SELECT) {
		locked = g->locked[GPR];
		t = flags_byte(g, ins->b);
		if (t == NO_REG)
			return NO_REG;
		flags_unlock(g, locked);
		g->locked[GPR] |= 1u << t;
		g->free[GPR] &= ~(1u << t);
		m = use(g, f);
		given = use(g, ins->c);
		x86_test_ri(&g->hot, 1, m, 1);
		x86_cmov_rr(&g->hot, X86_CC_E, 4, t, given);
		return t;
	}
	if (!flags_not_borrow(ins))
		return NO_REG;
	return byte_of_host(g, flags_reproduce(g, f));
}

/* Flags: NZCV and EFLAGS as values. Nothing is made where an op makes flags;
 * its operands stay alive and each user takes the cheapest way:
 *
 *   - a condition right behind the arithmetic op that has the same operands,
 *     or behind another condition, uses the host's flags as they are (eflags);
 *   - another condition compares again;
 *   - a SET of the slot only notes the value (flags_now). At exits its operands
 *     and a word that says what they are go to the frame (flags.h): in cold
 *     code where the exit is a side exit, and at a fault by the state map. C
 *     never sees that: leaving generated code works the byte out.
 *
 * What flags need is counted as uses of the flags value; when the last is
 * gone its operands are dropped. Two values have a register: of ADC and SBC
 * the host's flags (AH, OF in AL), which nothing can compute again without
 * the carry that went in; of a select its truth value. Flags from a byte
 * (the slot, FLAGS_PACK) are that byte in a register or at home.
 */
#include "codegen/x86_64/flags_impl.h"

/* How far from an op its partner may be, or the user of its condition. */
enum { NEAR = 8 };

/* The op that takes the truth value first may take the condition itself. */
static bool
has_taker(const struct gen *g, ir_ref ref)
{
	ir_ref end = ref + NEAR < g->region->ins_count ? ref + NEAR : g->region->ins_count;

	for (ir_ref i = ref + 1; i < end; i++) {
		const struct ir_ins *ins = &g->ins[i];

		if (ins->op == IR_BR || ins->op == IR_CHECK || ins->op == IR_SELECT || ins->op == IR_FLAGS_SELECT)
			if (ins->a == ref)
				return ins->op == IR_BR || ins->op == IR_CHECK || g->val[i].uses;
		if (ir_op_info[ins->op].effects & IR_E_END)
			return false;
	}
	return false;
}

static void
condition(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	enum x86_cc cc;
	int t, d;

	if (g->val[ref].uses == 1 && has_taker(g, ref)) {
		g->val[ref].deferred = true;
		return;
	}
	cc = flags_condition(g, ins->a, (enum ir_cond)ins->aux);
	t = temp(g, GPR);
	x86_setcc_r(&g->hot, cc, t);
	d = dest_or(g, ref, t);
	x86_movzx_rr(&g->hot, 1, d, t);
	drop(g, ins->a);
	define(g, ref, d);
}

/* CF becomes the carry that an addition takes in, or the borrow. */
static void
carry_in(struct gen *g, ir_ref c, bool borrow, bool arm)
{
	uint32_t locked = g->locked[GPR];
	bool sum;
	int t;

	c = resolve(g, c);
	if (g->val[c].deferred && g->ins[c].op != IR_FLAGS_SELECT && g->ins[c].op != IR_FLAGS_FCMP) {
		const struct ir_ins *ins = &g->ins[c];

		sum = flags_reproduce(g, c);
		/* CF is C, or its opposite for Arm's differences; a borrow
		 * is C, or its opposite if the op reads it so. */
		if ((!sum && flags_not_borrow(ins)) != (borrow && arm))
			x86_cmc(&g->hot);
		flags_unlock(g, locked);
		return;
	}
	t = temp(g, GPR);
	x86_setcc_r(&g->hot, flags_condition(g, c, IR_CS), t);
	if (borrow && arm)
		x86_alu_ri(&g->hot, X86_CMP, 1, t, 1);
	else
		x86_alu_ri(&g->hot, X86_ADD, 1, t, 0xff);
	flags_unlock(g, locked);
}

/* LAHF's and SETO's flags as the value of f, in rax, which is claimed. */
static void
keep_host_flags(struct gen *g, ir_ref f)
{
	x86_lahf(&g->hot);
	x86_setcc_r(&g->hot, X86_CC_O, RAX);
	g->val[f].deferred = true;
	define(g, f, RAX);
	eflags_become(g, f);
}

/* Another op nearby of the same operands. */
static ir_ref
partner(const struct gen *g, ir_ref ref, enum ir_op op, bool back)
{
	const struct ir_ins *ins = &g->ins[ref];
	ir_ref end = ref + NEAR < g->region->ins_count ? ref + NEAR : g->region->ins_count;

	for (ir_ref i = ref + 1; i < end && g->ins[i].op != IR_AT && g->ins[i].op != IR_SET; i++)
		if (g->ins[i].op == op && g->val[i].uses && g->ins[i].a == ins->a && g->ins[i].b == ins->b &&
		    (op != IR_FLAGS_ADC && op != IR_FLAGS_SBC ? true : g->ins[i].c == ins->c))
			return i;
	for (ir_ref i = ref - 1; back && g->ins[i].op != IR_AT && g->ins[i].op != IR_SET && i + NEAR > ref; i--)
		if (g->ins[i].op == op && g->val[i].uses && g->ins[i].a == ins->a && g->ins[i].b == ins->b)
			return i;
	return 0;
}

/* a op b + carry in a temporary; also the flags f of the same, if not 0. */
static int
carry_arithmetic(struct gen *g, ir_ref ref, bool minus, ir_ref f)
{
	const struct ir_ins *ins = &g->ins[ref];
	int size = flags_bytes(g, ins->a), ra, rb, d;

	carry_in(g, ins->c, minus, flags_not_borrow(ins));
	if (f) /* it is where the host's flags go */
		claim(g, GPR, RAX);
	/* only moves from here on */
	ra = use(g, ins->a);
	rb = use(g, ins->b);
	d = temp(g, GPR);
	x86_mov_rr(&g->hot, size, d, ra);
	x86_alu_rr(&g->hot, minus ? X86_SBB : X86_ADC, size, d, rb);
	if (f)
		keep_host_flags(g, f);
	return d;
}

/* ADC SBC */
static void
carry_result(struct gen *g, ir_ref ref)
{
	bool minus = g->ins[ref].op == IR_SBC;
	ir_ref f = partner(g, ref, minus ? IR_FLAGS_SBC : IR_FLAGS_ADC, false);
	int d, home;

	if (f && g->val[f].deferred)
		f = 0;
	d = carry_arithmetic(g, ref, minus, f);
	if (f) {
		drop(g, g->ins[f].a);
		drop(g, g->ins[f].b);
		drop(g, g->ins[f].c);
	}
	home = dest_or(g, ref, d);
	if (home != d)
		x86_mov_rr(&g->hot, 8, home, d);
	if (f)
		eflags_become(g, f);
	drop(g, g->ins[ref].a);
	drop(g, g->ins[ref].b);
	drop(g, g->ins[ref].c);
	define(g, ref, home);
	if (g->ins[ref].type == IR_I32)
		g->val[ref].zx = 4;
}

/* Whether ADD x, -c is the SUB x, c that f is of. */
static bool
subtracts_same(const struct gen *g, ir_ref add, ir_ref f)
{
	const struct ir_ins *x = &g->ins[add], *y = &g->ins[f];
	unsigned bits = ir_type_bits((enum ir_type)x->type);
	uint64_t sum;

	if (y->op != IR_FLAGS_SUB || x->a != y->a || !is_const(g, x->b) || !is_const(g, y->b) || !g->val[f].uses)
		return false;
	sum = (uint64_t)g->ins[resolve(g, x->b)].imm + (uint64_t)g->ins[resolve(g, y->b)].imm;
	return !(sum << (64 - bits));
}

static ir_ref
arithmetic_partner(const struct gen *g, ir_ref ref)
{
	ir_ref end = ref + NEAR < g->region->ins_count ? ref + NEAR : g->region->ins_count, f;

	if (g->ins[ref].op == IR_SUB)
		return partner(g, ref, IR_FLAGS_SUB, true);
	f = partner(g, ref, IR_FLAGS_ADD, true);
	if (f || !is_const(g, g->ins[ref].b))
		return f;
	for (ir_ref i = ref + 1; i < end && g->ins[i].op != IR_AT && g->ins[i].op != IR_SET; i++)
		if (subtracts_same(g, ref, i))
			return i;
	for (ir_ref i = ref - 1; g->ins[i].op != IR_AT && g->ins[i].op != IR_SET && i + NEAR > ref; i--)
		if (subtracts_same(g, ref, i))
			return i;
	return 0;
}

/* The flags are known by the result instead of an operand that dies: of the
 * slot that the result goes to, or with no other use. */
static void
choose_form(struct gen *g, ir_ref ref, ir_ref f)
{
	const struct ir_ins *ins = &g->ins[f];
	ir_ref a = resolve(g, ins->a), b = resolve(g, ins->b);
	int slot = set_of(g, ref), far = (int)ref - (int)f;

	if (a == b || far != (int8_t)far)
		return;
	if ((slot != NO_SLOT && g->val[a].home == slot) || (g->val[a].home == NO_SLOT && g->val[a].uses == 2))
		g->val[f].form = FLAGS_RB;
	else if (slot != NO_SLOT && g->val[b].home == slot && !is_const(g, b))
		g->val[f].form = FLAGS_RA;
	else
		return;
	g->val[f].near = (int8_t)far;
	g->val[ref].uses++;
	drop(g, g->val[f].form == FLAGS_RB ? a : b);
}

bool
flags_arithmetic(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	ir_ref f = arithmetic_partner(g, ref), b;
	int size = flags_bytes(g, ref), ra, rb, d, t;
	enum x86_alu op;
	struct x86_mem m;
	int32_t imm;

	if (!f || size < 4 || is_const(g, ins->a))
		return false;
	op = g->ins[f].op == IR_FLAGS_SUB ? X86_SUB : X86_ADD;
	b = g->ins[f].b;
	choose_form(g, ref, f);
	ra = use(g, ins->a);
	if (const_imm32(g, b, size, &imm)) {
		d = dest(g, ref, true);
		if (d != ra)
			x86_mov_rr(&g->hot, size, d, ra);
		x86_alu_ri(&g->hot, op, size, d, imm);
	} else if (resolve(g, ins->a) != resolve(g, b) && use_mem(g, b, &m)) {
		d = dest(g, ref, true);
		if (d != ra)
			x86_mov_rr(&g->hot, size, d, ra);
		x86_alu_rm(&g->hot, op, size, d, m);
	} else {
		rb = use(g, b);
		d = dest(g, ref, true);
		t = d == rb && d != ra ? temp(g, GPR) : d;
		if (t != ra)
			x86_mov_rr(&g->hot, size, t, ra);
		x86_alu_rr(&g->hot, op, size, t, rb);
		if (t != d)
			x86_mov_rr(&g->hot, size, d, t);
	}
	eflags_become(g, f);
	drop(g, ins->a);
	drop(g, ins->b);
	define(g, ref, d);
	g->val[ref].zx = size == 4 ? 4 : 0;
	return true;
}

void
flags_of_logic(struct gen *g, ir_ref ref)
{
	ir_ref end = ref + NEAR < g->region->ins_count ? ref + NEAR : g->region->ins_count;

	for (ir_ref i = ref + 1; i < end && g->ins[i].op != IR_AT; i++)
		if (g->ins[i].op == IR_FLAGS_LOGIC && g->ins[i].a == ref && g->val[i].uses)
			eflags_become(g, i);
}

static bool
compare_floats(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	enum ir_type type = (enum ir_type)g->ins[ins->a].type;
	ir_ref end = ref + NEAR < g->region->ins_count ? ref + NEAR : g->region->ins_count;
	bool swapped = false;

	if ((type != IR_F32 && type != IR_F64) || IR_FP_VARIANT_OF(ins->aux) & IR_FCMP_X86 ||
	    ins->aux & (IR_FP_FLUSH | IR_FP_NOFLAGS))
		return false;
	for (ir_ref i = ref + 1; i < end; i++) {
		if (g->ins[i].op == IR_COND && g->ins[i].a == ref) {
			swapped = flags_fcmp_swapped((enum ir_cond)g->ins[i].aux);
			break;
		}
	}
	flags_emit_fcmp(g, ref, swapped);
	g->val[ref].deferred = g->val[ref].uses > 0;
	if (!g->val[ref].deferred) {
		drop(g, ins->a);
		drop(g, ins->b);
	}
	return true;
}

/* a ? b : c. With constant flags c it stays a choice; else of bytes. */
static bool
select_flags(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	ir_ref yes = resolve(g, ins->b), no = resolve(g, ins->c);
	enum x86_cc cc = gen_condition(g, ins->a);
	int m = temp(g, GPR), x, y;

	x86_setcc_r(&g->hot, cc, m);
	if (g->ins[no].op == IR_CONST && g->val[yes].deferred && g->ins[yes].op != IR_FLAGS_SELECT) {
		g->val[ref].deferred = true;
		define(g, ref, m);
		return true;
	}
	x = flags_byte(g, yes);
	y = flags_byte(g, no);
	if (x == NO_REG || y == NO_REG)
		return false;
	x86_test_ri(&g->hot, 1, m, 1);
	x86_mov_rr(&g->hot, 4, m, y);
	x86_cmov_rr(&g->hot, X86_CC_NE, 4, m, x);
	drop(g, ins->b);
	drop(g, ins->c);
	define(g, ref, m);
	return true;
}

static bool
merge(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int mask = ins->aux & 63, x = flags_byte(g, ins->a), y, t, u;

	y = x == NO_REG ? NO_REG : flags_byte(g, ins->b);
	if (y == NO_REG)
		return false;
	mask |= mask & IR_FLAG_C ? IR_FLAG_C_NOT_BORROW : 0;
	t = temp(g, GPR);
	u = temp(g, GPR);
	x86_mov_rr(&g->hot, 4, t, x);
	x86_mov_rr(&g->hot, 4, u, y);
	x86_alu_ri(&g->hot, X86_AND, 4, t, 127 & ~mask);
	x86_alu_ri(&g->hot, X86_AND, 4, u, mask);
	x86_alu_rr(&g->hot, X86_OR, 4, t, u);
	drop(g, ins->a);
	drop(g, ins->b);
	define(g, ref, t);
	return true;
}

/* FLAGS_PACK, FLAGS_BITS */
static bool
byte_move(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool pack = ins->op == IR_FLAGS_PACK;
	int from = pack ? use(g, ins->a) : flags_byte(g, ins->a), t;

	if (from == NO_REG)
		return false;
	t = temp(g, GPR);
	x86_mov_rr(&g->hot, 4, t, from);
	x86_alu_ri(&g->hot, X86_AND, 4, t, 63);
	if (pack && ins->aux & IR_CARRY_NOT_BORROW)
		x86_alu_ri(&g->hot, X86_OR, 4, t, IR_FLAG_C_NOT_BORROW);
	drop(g, ins->a);
	define(g, ref, t);
	return true;
}

bool
gen_flags(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];

	switch (ins->op) {
	case IR_FLAGS_ADD:
	case IR_FLAGS_SUB:
	case IR_FLAGS_LOGIC:
		g->val[ref].deferred = true;
		return true;
	case IR_FLAGS_ADC:
	case IR_FLAGS_SBC:
		if (g->val[ref].deferred) /* made with the result */
			return true;
		if (flags_bytes(g, ins->a) < 4)
			return false;
		carry_arithmetic(g, ref, ins->op == IR_FLAGS_SBC, ref);
		drop(g, ins->a);
		drop(g, ins->b);
		drop(g, ins->c);
		return true;
	case IR_ADC:
	case IR_SBC:
		if (ins->type < IR_I32)
			return false;
		carry_result(g, ref);
		return true;
	case IR_FLAGS_FCMP: return compare_floats(g, ref);
	case IR_FLAGS_SELECT: return select_flags(g, ref);
	case IR_FLAGS_MERGE: return merge(g, ref);
	case IR_FLAGS_PACK:
	case IR_FLAGS_BITS: return byte_move(g, ref);
	case IR_COND: condition(g, ref); return true;
	default: return false;
	}
}

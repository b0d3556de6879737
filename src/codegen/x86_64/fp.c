/* Scalar floating point, inline on SSE, AVX and FMA. The guest's dynamic
 * rounding mode is in MXCSR and its accrued flags are MXCSR's sticky bits (or
 * fp_flags). Where x86 differs from RISC-V:
 *
 *   - generated NaNs are negative, inputs' payloads propagate: results are raw
 *     until they escape (rule 3);
 *   - inf * 0 + quiet NaN is not invalid: a fused result that is a NaN is the
 *     evaluator's (the addend does not matter then: invalid for its sake has been
 *     raised);
 *   - conversions out of range give one fixed integer: the interpreter again;
 *   - minsd and maxsd know neither -0 < 0 nor NaN rules: compared first.
 *
 * Arm's rules are in fp_arm.c. Arithmetic with x86's, flushing, or rounded to the
 * nearest with ties away has no code: its instruction is interpreted.
 */
#include "codegen/x86_64/vector.h"

static int
fp_size(enum ir_type type)
{
	return type == IR_F64 ? 8 : 4;
}

/* ROUNDSD's modes; 4 takes MXCSR's. 0xff: the host has none. */
static const uint8_t host_round[] = { [IR_RNE] = X86_RNE, [IR_RTZ] = X86_RTZ, [IR_RDN] = X86_RDN, [IR_RUP] = X86_RUP,
				      [IR_RMM] = 0xff,    [IR_ROD] = 0xff,    [6] = 0xff,         [IR_RDYN] = 4 };

/* What the inline forms of this folder cover. */
static bool
is_plain(const struct ir_ins *ins, bool rounds)
{
	unsigned aux = ins->aux;

	return IR_FP_NAN(aux) == IR_NAN_RISCV && !(aux & (IR_FP_TINY_BEFORE | IR_FP_FLUSH | IR_FP_NOFLAGS)) &&
	       (!rounds || IR_FP_ROUND(aux) == IR_RDYN || IR_FP_ROUND(aux) <= IR_RUP) && ins->type != IR_F16;
}

/* An op with a static rounding mode (some compilers write round-to-nearest so)
 * has the host round in it: if MXCSR is not in that mode now, which is rare,
 * the instruction is the interpreter's. Asked once a region. */
void
fp_require_round(struct gen *g, const struct ir_ins *ins)
{
	enum ir_round round = IR_FP_ROUND(ins->aux);
	struct x86_mem control = FRAME(host_fp);
	int t;

	if (round == IR_RDYN || g->known_round == (int)round + 1)
		return;
	if (round == IR_RNE) {
		control.disp++; /* bits 13 and 14 */
		x86_test_mi(&g->hot, 1, control, 0x60);
	} else {
		t = temp(g, GPR);
		x86_mov_rm(&g->hot, 4, t, control);
		x86_alu_ri(&g->hot, X86_AND, 4, t, 3 << 13);
		x86_alu_ri(&g->hot, X86_CMP, 4, t, host_round[round] << 13);
	}
	gen_bail(g, X86_CC_NE);
	op_done(g);
	g->known_round = (int)round + 1;
}

static bool
boxed(const struct gen *g, ir_ref ref)
{
	return g->val[resolve(g, ref)].boxed;
}

/* A result that may be a NaN which is not canonical yet. */
static void
define_raw(struct gen *g, ir_ref ref, int d, bool is_boxed)
{
	define(g, ref, d);
	g->val[ref].raw = (uint8_t)fp_size((enum ir_type)g->ins[ref].type);
	g->val[ref].boxed = is_boxed && g->ins[ref].type == IR_F32;
}

static void
arithmetic(struct gen *g, ir_ref ref)
{
	static const uint8_t opcode[] = { [IR_FADD] = 0x58, [IR_FMUL] = 0x59, [IR_FSUB] = 0x5c, [IR_FDIV] = 0x5e };
	const struct ir_ins *ins = &g->ins[ref];
	int size = fp_size((enum ir_type)ins->type);
	int ra = use(g, ins->a), rb = use(g, ins->b), d;
	bool is_boxed = boxed(g, ins->a);

	d = dest(g, ref, g->hot.vex);
	x86_vop3(&g->hot, X86_SCALAR(size, opcode[ins->op]), 0, d, ra, rb);
	drop(g, ins->a);
	drop(g, ins->b);
	define_raw(g, ref, d, is_boxed);
}

static void
square_root(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int ra = use(g, ins->a), d = dest(g, ref, true);

	x86_sqrts(&g->hot, fp_size((enum ir_type)ins->type), d, ra);
	drop(g, ins->a);
	define_raw(g, ref, d, g->hot.vex && boxed(g, ins->a));
}

/* Which operand the host's instruction is to replace: what order it does it in. */
static enum x86_fma_order
choose_replaced(struct gen *g, ir_ref ref, int size, const int reg[3], bool *in_place)
{
	static const enum x86_fma_order order[] = { X86_213, X86_132, X86_231 };
	const struct ir_ins *ins = &g->ins[ref];
	const ir_ref operand[] = { ins->a, ins->b, ins->c };

	*in_place = true;
	for (int i = 2; i >= 0; i--)
		if (is_dest(g, ref, reg[i]))
			return order[i];
	*in_place = false;
	for (int i = 2; i >= 0; i--)
		if (g->val[resolve(g, operand[i])].zx == size)
			return order[i];
	return X86_231;
}

/* a * b + c. */
struct fp_fused
fp_fuse(struct gen *g, ir_ref ref, int size, bool any_nan)
{
	static const uint8_t form[] = { X86_FMADD, X86_FNMADD, X86_FMSUB, X86_FNMSUB };
	const struct ir_ins *ins = &g->ins[ref];
	enum x86_fma fma = (enum x86_fma)form[IR_FP_VARIANT_OF(ins->aux) & 3];
	int reg[] = { use(g, ins->a), use(g, ins->b), use(g, ins->c) }, t, from;
	bool in_place;
	enum x86_fma_order order = choose_replaced(g, ref, size, reg, &in_place);
	struct fp_fused result = { .operand = { reg[0], reg[1], reg[2] } };

	from = reg[order == X86_231 ? 2 : order == X86_213 ? 0 : 1];
	result.upper = order == X86_231 ? ins->c : order == X86_213 ? ins->a : ins->b;
	result.reg = in_place ? from : dest(g, ref, false);
	if (!in_place) {
		x86_movaps(&g->hot, result.reg, from);
	} else if (!any_nan || reg[0] == from || reg[1] == from) {
		t = temp(g, FPR);
		x86_movaps(&g->hot, t, from);
		for (int i = 0; i < 3; i++)
			if (reg[i] == from)
				result.operand[i] = t;
	}
	if (order == X86_231) /* d = a * b + d */
		x86_fmas(&g->hot, fma, X86_231, size, result.reg, reg[0], reg[1]);
	else if (order == X86_213) /* d = b * d + c */
		x86_fmas(&g->hot, fma, X86_213, size, result.reg, reg[1], reg[2]);
	else /* d = d * a + c */
		x86_fmas(&g->hot, fma, X86_132, size, result.reg, reg[2], reg[0]);
	return result;
}

static void
fused(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int size = fp_size((enum ir_type)ins->type);
	struct fp_fused r = fp_fuse(g, ref, size, true);
	bool is_boxed = boxed(g, r.upper);

	x86_ucomis(&g->hot, size, r.reg, r.reg);
	x86_patch_rel32(x86_jcc_forward(&g->hot, X86_CC_P), g->cold.p);
	gen_rare(g, ref, r.reg, r.operand);
	drop(g, ins->a);
	drop(g, ins->b);
	drop(g, ins->c);
	define(g, ref, r.reg);
	g->val[ref].boxed = is_boxed && size == 4;
}

/* RISC-V minimumNumber, maximumNumber: NaNs in cold code by interpretation,
 * equal operands (zeros of unlike sign) by and, or. */
static void
min_max(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int size = fp_size((enum ir_type)ins->type);
	int ra = use(g, ins->a), rb = use(g, ins->b), t = temp(g, FPR), d;
	bool is_min = ins->op == IR_FMIN;
	uint8_t *equal;

	canonicalize(g, ins->a, ra);
	canonicalize(g, ins->b, rb);
	x86_ucomis(&g->hot, size, ra, rb);
	gen_bail(g, X86_CC_P);
	x86_vop3(&g->hot, X86_SCALAR(size, is_min ? 0x5d : 0x5f), 0, t, ra, rb);
	equal = x86_jcc_forward(&g->hot, X86_CC_E);
	x86_patch_rel32(equal, g->cold.p);
	x86_vop3(&g->cold, is_min ? X86_ORPS : X86_ANDPS, 0, t, ra, rb);
	x86_jmp(&g->cold, g->hot.p);
	d = dest_or(g, ref, t);
	drop(g, ins->a);
	drop(g, ins->b);
	if (d != t)
		x86_movaps(&g->hot, d, t);
	define(g, ref, d);
}

/* Ops that neither leave nor have to do with floating point's flags. */
static bool
is_neutral(const struct ir_ins *ins)
{
	return ins->op == IR_NOP || ins->op == IR_AT || ins->op == IR_CONST || ins->op == IR_GET || ins->op == IR_SET ||
	       ins->op == IR_AND;
}

/* RISC-V compilers make a quiet comparison of a signaling one:
 *
 *     frflags t0       flt.d t1,fa0,fa1       fsflags t0
 *
 * which MXCSR is slow to be read and written for. If FCMP ref is such a one: the
 * FPFLAGS_SET, which changes nothing unless an operand is a NaN. */
static ir_ref
flags_put_back(const struct gen *g, ir_ref ref)
{
	ir_ref got = ref - 1, set = ref + 1, value;

	if (IR_FP_NAN(g->ins[ref].aux) != IR_NAN_RISCV) /* whose flags are the low five */
		return 0;
	while (got > 0 && is_neutral(&g->ins[got]))
		got--;
	while (set < g->region->ins_count && is_neutral(&g->ins[set]))
		set++;
	if (g->ins[got].op != IR_FPFLAGS_GET || set == g->region->ins_count || g->ins[set].op != IR_FPFLAGS_SET)
		return 0;
	value = resolve(g, g->ins[set].a);
	if (g->ins[value].op != IR_AND || resolve(g, g->ins[value].a) != got || !is_const(g, g->ins[value].b) ||
	    g->ins[resolve(g, g->ins[value].b)].imm != 31)
		return 0;
	return set;
}

static bool
compare(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	unsigned variant = IR_FP_VARIANT_OF(ins->aux);
	unsigned relation = variant & 7;
	int size = fp_size((enum ir_type)g->ins[ins->a].type);
	bool signaling = variant & IR_FP_SIGNALING;
	int ra, rb, d, t;

	if (g->ins[ins->a].type == IR_F16 || ins->aux & IR_FP_FLUSH)
		return false;
	ra = use(g, ins->a);
	rb = use(g, ins->b);
	g->fp_kept = flags_put_back(g, ref);
	/* a < b is "b above a", which is false when unordered. */
	if (signaling && !g->fp_kept)
		x86_comis(&g->hot, size, relation == IR_FCMP_EQ ? ra : rb, relation == IR_FCMP_EQ ? rb : ra);
	else
		x86_ucomis(&g->hot, size, relation == IR_FCMP_EQ ? ra : rb, relation == IR_FCMP_EQ ? rb : ra);
	if (g->fp_kept) /* it may have raised what a signaling one raises anyway */
		gen_bail(g, X86_CC_P);
	d = dest(g, ref, true);
	switch (relation) {
	case IR_FCMP_LT:
		x86_setcc_r(&g->hot, X86_CC_A, d);
		break;
	case IR_FCMP_LE:
		x86_setcc_r(&g->hot, X86_CC_AE, d);
		break;
	case IR_FCMP_UNORD:
		x86_setcc_r(&g->hot, X86_CC_P, d);
		break;
	default:
		t = temp(g, GPR);
		x86_setcc_r(&g->hot, X86_CC_NP, t);
		x86_setcc_r(&g->hot, X86_CC_E, d);
		x86_alu_rr(&g->hot, X86_AND, 4, d, t);
		break;
	}
	x86_movzx_rr(&g->hot, 1, d, d);
	drop(g, ins->a);
	drop(g, ins->b);
	define(g, ref, d);
	return true;
}

/* A temporary that holds the float in ra times 2^c, exactly; what is as large as
 * 2^63 then is out of range, or rare, and given up before it can overflow. */
static int
scale_up(struct gen *g, ir_ref ref, int fp, int ra)
{
	uint64_t c = g->ins[ref].c, limit = fp == 8 ? (1023 + 63 - c) << 52 : (127 + 63 - c) << 23;
	int x = temp(g, FPR), y = temp(g, FPR);

	x86_vop3_m(&g->hot, X86_ANDPS, 0, x, ra, FRAME_CONST(fp == 8 ? K_ABS64 : K_ABS32));
	vec_load_const(g, y, limit, 0);
	x86_ucomis(&g->hot, fp, x, y);
	gen_bail(g, X86_CC_AE);
	vec_with_const(g, X86_SCALAR(fp, 0x59), x, ra, fp == 8 ? (1023 + c) << 52 : (127 + c) << 23, 0);
	return x;
}

/* The host's out-of-range answer, whatever made it, goes to the interpreter;
 * the flags it raised (invalid, or inexact) are right already. */
static bool
to_integer(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	enum ir_type from = (enum ir_type)g->ins[ins->a].type;
	unsigned variant = IR_FP_VARIANT_OF(ins->aux);
	int size = op_size((enum ir_type)ins->type), fp = fp_size(from);
	enum ir_round round = IR_FP_ROUND(ins->aux);
	bool is_signed = variant & IR_F2I_SIGNED;
	bool other = round != IR_RDYN && round != IR_RTZ; /* than the host converts in */
	int ra, x, t, d;

	if (from == IR_F16 || (variant & 3) > IR_F2I_ARM || ins->aux & (IR_FP_FLUSH | IR_FP_NOFLAGS) || (other && round > (is_signed ? IR_RMM : IR_RUP)) ||
	    ins->type < IR_I32 || (!is_signed && !g->cpu->avx512f))
		return false;
	ra = use(g, ins->a);
	if (ins->op == IR_F2X && ins->c)
		ra = scale_up(g, ref, fp, ra);
	t = temp(g, GPR);
	x = other ? temp(g, FPR) : ra;
	if (round == IR_RMM)
		fp_round_away(g, fp, x, ra);
	else if (other)
		x86_rounds(&g->hot, fp, x, ra, host_round[round] | 8);
	if (is_signed) {
		if (round != IR_RDYN)
			x86_cvtts2si(&g->hot, fp, size, t, x);
		else
			x86_cvts2si(&g->hot, fp, size, t, x);
		x86_alu_ri(&g->hot, X86_CMP, size, t, 1);
		gen_bail(g, X86_CC_O);
	} else {
		if (round != IR_RDYN)
			x86_vcvtts2usi(&g->hot, fp, size, 0, t, x);
		else
			x86_vcvts2usi(&g->hot, fp, size, 0, t, x);
		x86_alu_ri(&g->hot, X86_CMP, size, t, -1);
		gen_bail(g, X86_CC_E);
	}
	if (other) /* in range: now inexact may be raised */
		x86_rounds(&g->hot, fp, x, ra, round == IR_RMM ? X86_RNE : host_round[round]);
	d = dest_or(g, ref, t);
	drop(g, ins->a);
	if (d != t)
		x86_mov_rr(&g->hot, 8, d, t);
	define(g, ref, d);
	return true;
}

/* d = d / 2^c, which is exact: c is at most 64, and d not below 1. */
static void
scale_down(struct gen *g, ir_ref ref, int fp, int d)
{
	uint64_t power = fp == 8 ? (uint64_t)(1023 - g->ins[ref].c) << 52 : (uint64_t)(127 - g->ins[ref].c) << 23;

	vec_with_const(g, X86_SCALAR(fp, 0x59), d, d, power, 0);
}

static bool
from_integer(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	enum ir_type from = (enum ir_type)g->ins[ins->a].type;
	bool is_signed = IR_FP_VARIANT_OF(ins->aux) & IR_I2F_SIGNED;
	bool exact = from == IR_I32 && ins->type == IR_F64;
	bool nearest = IR_FP_ROUND(ins->aux) == IR_RNE;
	bool other = !exact && IR_FP_ROUND(ins->aux) != IR_RDYN && !nearest;
	int size = op_size(from), fp = fp_size((enum ir_type)ins->type), ra, d;

	if (ins->aux & (IR_FP_FLUSH | IR_FP_NOFLAGS) || ins->type == IR_F16 || from < IR_I32 || from > IR_I64 || (other && !is_signed))
		return false;
	if (!is_signed && size == 8 && !g->cpu->avx512f)
		return false;
	if (!exact && nearest)
		fp_require_round(g, ins);
	ra = use(g, ins->a);
	if (other) { /* any rounding mode will do where the integer is exact */
		int t = temp(g, GPR);

		x86_mov_rr(&g->hot, size, t, ra);
		x86_sar_ri(&g->hot, size, t, fp == 8 ? 52 : 23);
		x86_alu_ri(&g->hot, X86_ADD, size, t, 1);
		x86_alu_ri(&g->hot, X86_CMP, size, t, 1);
		gen_bail(g, X86_CC_A);
	}
	d = dest(g, ref, true);
	if (is_signed) {
		x86_cvtsi2s(&g->hot, fp, size, d, ra);
	} else if (size == 8) {
		x86_vcvtusi2s(&g->hot, fp, size, 0, d, ra);
	} else { /* zero-extended it is a signed 64-bit number */
		int t = temp(g, GPR);

		x86_mov_rr(&g->hot, 4, t, ra);
		x86_cvtsi2s(&g->hot, fp, 8, d, t);
	}
	if (ins->op == IR_X2F && ins->c)
		scale_down(g, ref, fp, d);
	g->val[ref].zx = (uint8_t)fp;
	drop(g, ins->a);
	define(g, ref, d);
	return true;
}

static bool
convert(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	enum ir_type from = (enum ir_type)g->ins[ins->a].type;
	bool widens = from == IR_F32 && ins->type == IR_F64;
	int ra, d;

	if (!is_plain(ins, !widens) || from == IR_F16)
		return false;
	if (!widens)
		fp_require_round(g, ins);
	ra = use(g, ins->a);
	d = dest(g, ref, true);
	if (widens)
		x86_cvtss2sd(&g->hot, d, ra);
	else
		x86_cvtsd2ss(&g->hot, d, ra);
	drop(g, ins->a);
	define_raw(g, ref, d, false);
	return true;
}

static bool
round_integral(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	enum ir_round round = IR_FP_ROUND(ins->aux);
	bool inexact = IR_FP_VARIANT_OF(ins->aux) & IR_FRINT_INEXACT;
	int ra, d;

	if (!is_plain(ins, false) || host_round[round] == 0xff)
		return false;
	ra = use(g, ins->a);
	d = dest(g, ref, true);
	x86_rounds(&g->hot, fp_size((enum ir_type)ins->type), d, ra, host_round[round] | (inexact ? 0 : 8));
	drop(g, ins->a);
	define_raw(g, ref, d, g->hot.vex && boxed(g, ins->a));
	return true;
}

/* Bits of a sign. The low word only of an f32 changes, so boxes stay. */
static void
sign_op(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool is64 = ins->type == IR_F64;
	int ra = use(g, ins->a), rb, t, d;
	bool is_boxed = boxed(g, ins->a);
	uint8_t zx = g->val[resolve(g, ins->a)].zx;

	canonicalize(g, ins->a, ra);
	if (ins->op == IR_FNEG || ins->op == IR_FABS) {
		d = dest(g, ref, true);
		if (ins->op == IR_FNEG) {
			x86_vop3_m(&g->hot, X86_XORPS, 0, d, ra, FRAME_CONST(is64 ? K_SIGN64 : K_SIGN32));
		} else {
			x86_vop3_m(&g->hot, X86_ANDPS, 0, d, ra, FRAME_CONST(is64 ? K_ABS64 : K_ABS32));
		}
		drop(g, ins->a);
	} else {
		rb = use(g, ins->b);
		canonicalize(g, ins->b, rb);
		if (resolve(g, ins->a) == resolve(g, ins->b) && ins->aux == IR_FSGNJ_COPY) {
			d = dest(g, ref, true);
			if (d != ra)
				x86_movaps(&g->hot, d, ra);
		} else if (resolve(g, ins->a) == resolve(g, ins->b)) {
			d = dest(g, ref, true);
			if (ins->aux == IR_FSGNJ_NOT)
				x86_vop3_m(&g->hot, X86_XORPS, 0, d, ra, FRAME_CONST(is64 ? K_SIGN64 : K_SIGN32));
			else
				x86_vop3_m(&g->hot, X86_ANDPS, 0, d, ra, FRAME_CONST(is64 ? K_ABS64 : K_ABS32));
		} else {
			t = temp(g, FPR);
			x86_movaps_load(&g->hot, t, FRAME_CONST(is64 ? K_SIGN64 : K_SIGN32));
			if (ins->aux == IR_FSGNJ_XOR) {
				x86_vop3(&g->hot, X86_ANDPS, 0, t, t, rb);
				d = dest_or(g, ref, t);
				if (d == ra)
					x86_vop3(&g->hot, X86_XORPS, 0, d, ra, t);
				else
					x86_vop3(&g->hot, X86_XORPS, 0, d, t, ra);
			} else {
				int u = temp(g, FPR);

				if (ins->aux == IR_FSGNJ_NOT) {
					x86_vop3(&g->hot, X86_XORPS, 0, u, rb, t);
					x86_vop3(&g->hot, X86_ANDPS, 0, u, u, t);
				} else {
					x86_vop3(&g->hot, X86_ANDPS, 0, u, rb, t);
				}
				/* t = ~sign & a */
				x86_vop3(&g->hot, X86_ANDNPS, 0, t, t, ra);
				d = dest_or(g, ref, t);
				x86_vop3(&g->hot, X86_ORPS, 0, d, t, u);
			}
		}
		drop(g, ins->a);
		drop(g, ins->b);
	}
	g->val[ref].zx = ins->op != IR_FSGNJ ? zx : 0;
	define(g, ref, d);
	g->val[ref].boxed = is_boxed && !is64;
}

static bool
box(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	ir_ref value = resolve(g, ins->a);
	int ra, d;

	if (g->ins[ins->a].type != IR_F32)
		return false;
	if (g->val[value].boxed) {
		define_alias(g, ref, value);
		drop(g, value);
		return true;
	}
	ra = use(g, value);
	d = dest(g, ref, true);
	x86_vop3_m(&g->hot, X86_ORPS, 0, d, ra, FRAME_CONST(K_BOX32));
	g->val[ref].raw = g->val[value].raw;
	drop(g, value);
	define(g, ref, d);
	g->val[ref].boxed = true;
	return true;
}

/* A container that is not a box is the interpreter's: it reads as the
 * canonical NaN, which no compiled program relies on. */
static bool
unbox(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	ir_ref value = resolve(g, ins->a);
	int ra, t;

	if (ins->type != IR_F32)
		return false;
	ra = use(g, value);
	if (!g->val[value].boxed) {
		canonicalize(g, value, ra);
		t = temp(g, GPR);
		x86_pextr(&g->hot, 4, t, ra, 1);
		x86_alu_ri(&g->hot, X86_CMP, 4, t, -1);
		gen_bail(g, X86_CC_NE);
		g->val[value].boxed = true;
	}
	define_alias(g, ref, value);
	drop(g, value);
	return true;
}

static bool
bitcast(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	ir_ref value = resolve(g, ins->a);
	bool from_fp = bank_of(g, ins->a) == FPR, to_fp = bank_of(g, ref) == FPR;
	unsigned bits = ir_type_bits((enum ir_type)ins->type);
	int size = bits == 64 ? 8 : 4, ra, d;

	if (bits > 64 || (bits < 32 && from_fp == to_fp))
		return false;
	ra = use(g, value);
	if (from_fp)
		canonicalize(g, value, ra);
	if (from_fp == to_fp) {
		define_alias(g, ref, value);
		drop(g, value);
		return true;
	}
	d = dest(g, ref, true);
	if (to_fp)
		x86_movd_xr(&g->hot, size, d, ra);
	else
		x86_movd_rx(&g->hot, size, d, ra);
	drop(g, value);
	define(g, ref, d);
	return true;
}

/* ---- flags and rounding mode -------------------------------------------- */

static void
flags_get(struct gen *g, ir_ref ref)
{
	int t = temp(g, GPR);

	x86_stmxcsr(&g->hot, FRAME(host_fp));
	x86_mov_rm(&g->hot, 4, t, FRAME(host_fp));
	x86_alu_ri(&g->hot, X86_AND, 4, t, 0x3f);
	x86_movzx_rm(&g->hot, 1, t,
		     x86_index(RBP, t, 0, (int32_t)offsetof(struct ir_frame, constant) + 8 * K_FLAGS - IR_FRAME_BIAS));
	x86_or_rm(&g->hot, 4, t, FRAME(fp_flags));
	define(g, ref, t);
}

static void
flags_set(struct gen *g, ir_ref ref)
{
	ir_ref a = g->ins[ref].a;
	int32_t imm;

	if (g->fp_kept == ref) {
		drop(g, a);
		return;
	}
	g->fp_cleared = ref;
	if (const_imm32(g, a, 4, &imm)) {
		x86_mov_mi(&g->hot, 4, FRAME(fp_flags), imm & 0x7f);
	} else {
		x86_mov_mr(&g->hot, 4, FRAME(fp_flags), use(g, a));
		x86_alu_mi(&g->hot, X86_AND, 4, FRAME(fp_flags), 0x7f);
	}
	x86_stmxcsr(&g->hot, FRAME(host_fp));
	x86_alu_mi(&g->hot, X86_AND, 4, FRAME(host_fp), ~0x3f);
	x86_ldmxcsr(&g->hot, FRAME(host_fp));
	drop(g, a);
}

static void
round_set(struct gen *g, ir_ref ref)
{
	ir_ref a = g->ins[ref].a;

	g->known_round = 0;
	canonicalize_homes(g, &g->hot, true);
	save_values(g, false);
	x86_stmxcsr(&g->hot, FRAME(host_fp));
	claim(g, GPR, RAX);
	copy_to(g, RAX, a, 8);
	gen_helper_call(g, &g->hot, H_ROUND_SET);
	x86_ldmxcsr(&g->hot, FRAME(host_fp));
	drop(g, a);
}

bool
gen_fp(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];

	if (ir_op_info[ins->op].effects & IR_E_FP && fp_is_arm(ins) && gen_fp_arm(g, ref))
		return true;
	switch (ins->op) {
	case IR_FADD:
	case IR_FSUB:
	case IR_FMUL:
	case IR_FDIV:
		if (!is_plain(ins, true))
			return false;
		fp_require_round(g, ins);
		arithmetic(g, ref);
		return true;
	case IR_FSQRT:
		if (!is_plain(ins, true))
			return false;
		fp_require_round(g, ins);
		square_root(g, ref);
		return true;
	case IR_FMA:
		if (!is_plain(ins, true) || !g->cpu->fma)
			return false;
		fp_require_round(g, ins);
		fused(g, ref);
		return true;
	case IR_FMIN:
	case IR_FMAX:
		if (!is_plain(ins, false) || IR_FP_VARIANT_OF(ins->aux) != IR_FMINMAX_NUMBER)
			return false;
		min_max(g, ref);
		return true;
	case IR_FCMP: return compare(g, ref);
	case IR_F2I:
	case IR_F2X: return to_integer(g, ref);
	case IR_I2F:
	case IR_X2F: return from_integer(g, ref);
	case IR_FCVT: return convert(g, ref);
	case IR_FRINT: return round_integral(g, ref);
	case IR_FNEG:
	case IR_FABS:
	case IR_FSGNJ:
		if (ins->type == IR_F16)
			return false;
		sign_op(g, ref);
		return true;
	case IR_BOX: return box(g, ref);
	case IR_UNBOX: return unbox(g, ref);
	case IR_BITCAST: return bitcast(g, ref);
	case IR_FPFLAGS_GET: flags_get(g, ref); return true;
	case IR_FPFLAGS_SET: flags_set(g, ref); return true;
	case IR_FPROUND_SET: round_set(g, ref); return true;
	default: return false;
	}
}

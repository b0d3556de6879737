/* Scalar floating point as Arm has it, inline. Where x86 differs from Arm:
 *
 *   - which NaN comes of two, and the one that is generated: a result that is a
 *     NaN is the evaluator's (gen_rare);
 *   - Arm finds a result tiny before it is rounded, x86 after: one that is the
 *     smallest normal number may have underflowed, and is the evaluator's where it
 *     may be inexact;
 *   - minsd and maxsd know neither NaN rules nor -0 < 0.
 *
 * One PTEST of the exponent finds what may be either, and zeros. Cold code tells them
 * by one comparison: UCOMIS of the magnitude with the smallest normal number sets
 * ZF if they are equal and if they are unordered. Operands outlive the result: if one
 * is replaced by it, a temporary keeps it. Arm's other modes (flushing, half precision)
 * have no code here.
 *
 * Scalars come out of vectors: what is above them in a register is anything,
 * unless val.zx says zero.
 */
#include "codegen/x86_64/gen.h"

bool
fp_is_arm(const struct ir_ins *ins)
{
	enum ir_nan nan = IR_FP_NAN(ins->aux);

	return (nan == IR_NAN_ARM || nan == IR_NAN_ARM_DEFAULT) && !(ins->aux & (IR_FP_FLUSH | IR_FP_NOFLAGS)) &&
	       (IR_FP_ROUND(ins->aux) <= IR_RUP || IR_FP_ROUND(ins->aux) == IR_RDYN ||
		(IR_FP_ROUND(ins->aux) == IR_RMM && ins->op == IR_FRINT));
}

static int
size_of(enum ir_type type)
{
	return (int)ir_type_bits(type) / 8;
}

/* Has the evaluator make the result in d if what the host made there is not for sure
 * Arm's. operand: gen_rare's. */
static void
check(struct gen *g, ir_ref ref, int size, int d, bool may_underflow, const int operand[3])
{
	struct x86_mem magnitude = FRAME_CONST(size == 8 ? K_ABS64 : K_ABS32);
	struct x86_mem smallest = FRAME_CONST(size == 8 ? K_MIN64 : K_MIN32);
	enum x86_cc rare = X86_CC_P;
	uint8_t *good;
	int u;

	if (!may_underflow || !(g->ins[ref].aux & IR_FP_TINY_BEFORE)) {
		x86_ucomis(&g->hot, size, d, d);
	} else if (!g->hot.vex) {
		u = temp(g, FPR);
		x86_vop3_m(&g->hot, X86_ANDPS, 0, u, d, magnitude);
		x86_ucomis_m(&g->hot, size, u, smallest);
		rare = X86_CC_E;
	} else {
		/* None of the exponent's bits (ZF), or all (CF), but for the lowest: zeros
		 * are among these, and few others that are as they should be. */
		u = temp(g, FPR);
		x86_vop2_m(&g->hot, X86_PTEST, 0, d, FRAME_CONST(size == 8 ? K_LARGE64 : K_LARGE32));
		x86_patch_rel32(x86_jcc_forward(&g->hot, X86_CC_BE), g->cold.p);
		x86_vop3_m(&g->cold, X86_ANDPS, 0, u, d, magnitude);
		x86_ucomis_m(&g->cold, size, u, smallest);
		good = x86_jcc_forward(&g->cold, X86_CC_NE);
		x86_patch_rel32(good, g->hot.p);
		gen_rare(g, ref, d, operand);
		return;
	}
	x86_patch_rel32(x86_jcc_forward(&g->hot, rare), g->cold.p);
	gen_rare(g, ref, d, operand);
}

static void
arithmetic(struct gen *g, ir_ref ref)
{
	static const uint8_t opcode[] = { [IR_FADD] = 0x58, [IR_FMUL] = 0x59, [IR_FSUB] = 0x5c, [IR_FDIV] = 0x5e };
	const struct ir_ins *ins = &g->ins[ref];
	int size = size_of((enum ir_type)ins->type), ra, rb = NO_REG, t;
	ir_ref a = ins->a, b = ins->b;
	struct x86_mem m;

	/* The result has the upper part of the first: better one that is clear. */
	if ((ins->op == IR_FADD || ins->op == IR_FMUL) && g->val[resolve(g, a)].zx != size) {
		a = ins->b;
		b = ins->a;
	}
	ra = use(g, a);
	if (resolve(g, a) != resolve(g, b) && use_mem(g, b, &m)) {
		t = dest(g, ref, false);
		x86_vop3_m(&g->hot, X86_SCALAR(size, opcode[ins->op]), 0, t, ra, m);
	} else {
		rb = use(g, b);
		t = dest(g, ref, false);
		x86_vop3(&g->hot, X86_SCALAR(size, opcode[ins->op]), 0, t, ra, rb);
	}
	/* A sum that is tiny is exact. */
	check(g, ref, size, t, ins->op == IR_FMUL || ins->op == IR_FDIV,
	      a == ins->a ? (int[]){ ra, rb, NO_REG } : (int[]){ rb, ra, NO_REG });
	g->val[ref].zx = g->val[resolve(g, a)].zx == size ? (uint8_t)size : 0;
	drop(g, ins->a);
	drop(g, ins->b);
	define(g, ref, t);
}

static void
square_root(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int size = size_of((enum ir_type)ins->type), ra = use(g, ins->a), t = dest(g, ref, false);

	if (!g->hot.vex) /* not what was there before */
		x86_movaps(&g->hot, t, ra);
	x86_sqrts(&g->hot, size, t, ra);
	check(g, ref, size, t, false, (int[]){ ra, NO_REG, NO_REG });
	drop(g, ins->a);
	define(g, ref, t);
}

static void
fused(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int size = size_of((enum ir_type)ins->type);
	struct fp_fused r = fp_fuse(g, ref, size, false);

	check(g, ref, size, r.reg, true, r.operand);
	g->val[ref].zx = g->val[resolve(g, r.upper)].zx == size ? (uint8_t)size : 0;
	drop(g, ins->a);
	drop(g, ins->b);
	drop(g, ins->c);
	define(g, ref, r.reg);
}

/* Equal operands, zeros of unlike sign, are or-ed or and-ed in cold code. */
static void
min_max(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int size = size_of((enum ir_type)ins->type), ra = use(g, ins->a), rb = use(g, ins->b), t = dest(g, ref, false);
	bool is_min = ins->op == IR_FMIN;
	uint8_t *equal;

	x86_ucomis(&g->hot, size, ra, rb);
	gen_bail(g, X86_CC_P);
	x86_vop3(&g->hot, X86_SCALAR(size, is_min ? 0x5d : 0x5f), 0, t, ra, rb);
	equal = x86_jcc_forward(&g->hot, X86_CC_E);
	x86_patch_rel32(equal, g->cold.p);
	x86_vop3(&g->cold, is_min ? X86_ORPS : X86_ANDPS, 0, t, ra, rb);
	x86_jmp(&g->cold, g->hot.p);
	drop(g, ins->a);
	drop(g, ins->b);
	define(g, ref, t);
}

/* The lane alone, as the conversions of half precision take four. */
static int
alone(struct gen *g, ir_ref ref, int bytes)
{
	int s = use(g, ref), t;

	if (g->val[resolve(g, ref)].zx && g->val[resolve(g, ref)].zx <= bytes)
		return s;
	t = temp(g, FPR);
	if (bytes == 4) {
		x86_vop3_i(&g->hot, X86_INSERTPS, 0, t, s, s, 0xe);
	} else {
		x86_vzero(&g->hot, t);
		x86_vop3_i(&g->hot, X86_PBLENDW, 0, t, t, s, 1);
	}
	return t;
}

static bool
from_half(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int s, t;

	if (!g->cpu->f16c)
		return false;
	s = alone(g, ins->a, 2);
	t = temp(g, FPR);
	x86_vcvtph2ps(&g->hot, t, s);
	x86_ucomis(&g->hot, 4, t, t);
	gen_bail(g, X86_CC_P);
	if (ins->type == IR_F64)
		x86_cvtss2sd(&g->hot, t, t);
	drop(g, ins->a);
	define(g, ref, t);
	return true;
}

static bool
to_half(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int s, t, r;

	if (!g->cpu->f16c || g->ins[ins->a].type != IR_F32)
		return false;
	s = alone(g, ins->a, 4);
	t = temp(g, FPR);
	r = temp(g, GPR);
	x86_vcvtps2ph(&g->hot, t, s, 4);
	x86_movd_rx(&g->hot, 4, r, t);
	x86_alu_ri(&g->hot, X86_AND, 4, r, 0x7fff);
	x86_alu_ri(&g->hot, X86_CMP, 4, r, 0x7c00);
	gen_bail(g, X86_CC_A);
	x86_alu_ri(&g->hot, X86_CMP, 4, r, 0x0400);
	gen_bail(g, X86_CC_E);
	g->val[ref].zx = 2;
	drop(g, ins->a);
	define(g, ref, t);
	return true;
}

static bool
convert(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	enum ir_type from = (enum ir_type)g->ins[ins->a].type;
	int ra, t;

	if (from == IR_F16)
		return from_half(g, ref);
	fp_require_round(g, ins);
	if (ins->type == IR_F16)
		return to_half(g, ref);
	ra = use(g, ins->a);
	t = dest(g, ref, false);
	if (ins->type == IR_F64) {
		x86_cvtss2sd(&g->hot, t, ra);
		check(g, ref, 8, t, false, (int[]){ ra, NO_REG, NO_REG });
	} else {
		x86_cvtsd2ss(&g->hot, t, ra);
		check(g, ref, 4, t, true, (int[]){ ra, NO_REG, NO_REG });
	}
	drop(g, ins->a);
	define(g, ref, t);
	return true;
}

void
fp_round_away(struct gen *g, int size, int d, int s)
{
	int u = temp(g, FPR);
	uint8_t *whole, *tie;

	x86_rounds(&g->hot, size, d, s, X86_RNE | 8);
	x86_ucomis(&g->hot, size, d, s);
	gen_bail(g, X86_CC_P);
	/* Infinities are whole numbers, of which no difference is taken. */
	whole = x86_jcc_short(&g->hot, X86_CC_E);
	x86_vop3(&g->hot, X86_SCALAR(size, 0x5c), 0, u, s, d);
	x86_vop3_m(&g->hot, X86_ANDPS, 0, u, u, FRAME_CONST(size == 8 ? K_ABS64 : K_ABS32));
	x86_ucomis_m(&g->hot, size, u, FRAME_CONST(size == 8 ? K_HALF64 : K_HALF32));
	tie = x86_jcc_forward(&g->hot, X86_CC_E);
	x86_patch_rel8(whole, g->hot.p);
	x86_patch_rel32(tie, g->cold.p);
	x86_vop3_m(&g->cold, X86_ANDPS, 0, u, s, FRAME_CONST(size == 8 ? K_SIGN64 : K_SIGN32));
	x86_vop3_m(&g->cold, X86_ORPS, 0, u, u, FRAME_CONST(size == 8 ? K_HALF64 : K_HALF32));
	x86_vop3(&g->cold, X86_SCALAR(size, 0x58), 0, d, s, u);
	x86_jmp(&g->cold, g->hot.p);
}

static bool
round_integral(struct gen *g, ir_ref ref)
{
	static const uint8_t mode[] = { [IR_RNE] = X86_RNE, [IR_RTZ] = X86_RTZ, [IR_RDN] = X86_RDN, [IR_RUP] = X86_RUP,
					[IR_RDYN] = 4 };
	const struct ir_ins *ins = &g->ins[ref];
	unsigned variant = IR_FP_VARIANT_OF(ins->aux);
	int size = size_of((enum ir_type)ins->type), ra, t;

	if (variant & ~(unsigned)IR_FRINT_INEXACT)
		return false;
	ra = use(g, ins->a);
	t = temp(g, FPR);
	if (IR_FP_ROUND(ins->aux) == IR_RMM) {
		fp_round_away(g, size, t, ra);
		if (variant & IR_FRINT_INEXACT)
			x86_rounds(&g->hot, size, t, ra, X86_RNE);
		drop(g, ins->a);
		define(g, ref, t);
		return true;
	}
	x86_rounds(&g->hot, size, t, ra, mode[IR_FP_ROUND(ins->aux)] | (variant & IR_FRINT_INEXACT ? 0 : 8));
	check(g, ref, size, t, false, (int[]){ ra, NO_REG, NO_REG });
	drop(g, ins->a);
	define(g, ref, t);
	return true;
}

bool
gen_fp_arm(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];

	if (!fp_is_arm(ins) || (ins->type == IR_F16 && ins->op != IR_FCVT) ||
	    (ins->op == IR_FCVT && IR_FP_VARIANT_OF(ins->aux) & IR_FCVT_ALTERNATIVE))
		return false;
	switch (ins->op) {
	case IR_FADD:
	case IR_FSUB:
	case IR_FMUL:
	case IR_FDIV:
		fp_require_round(g, ins);
		arithmetic(g, ref);
		return true;
	case IR_FSQRT:
		fp_require_round(g, ins);
		square_root(g, ref);
		return true;
	case IR_FMA:
		if (!g->cpu->fma)
			return false;
		fp_require_round(g, ins);
		fused(g, ref);
		return true;
	case IR_FMIN:
	case IR_FMAX:
		if (IR_FP_VARIANT_OF(ins->aux) == IR_FMINMAX_X86)
			return false;
		min_max(g, ref);
		return true;
	case IR_FCVT: return convert(g, ref);
	case IR_FRINT: return round_integral(g, ref);
	default: return false;
	}
}

/* SELECT of vectors and floats: a jump over a move. */
void
gen_select_fpr(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	enum x86_cc cc;
	int rb, rc, t;
	uint8_t *over;

	if (g->val[resolve(g, ins->b)].raw)
		canonicalize(g, ins->b, use(g, ins->b));
	if (g->val[resolve(g, ins->c)].raw)
		canonicalize(g, ins->c, use(g, ins->c));
	cc = gen_condition(g, ins->a); /* only moves until it is used */
	rb = use(g, ins->b);
	rc = use(g, ins->c);
	t = temp(g, FPR);
	x86_movaps(&g->hot, t, rb);
	over = x86_jcc_short(&g->hot, cc);
	x86_movaps(&g->hot, t, rc);
	x86_patch_rel8(over, g->hot.p);
	drop(g, ins->b);
	drop(g, ins->c);
	define(g, ref, t);
}

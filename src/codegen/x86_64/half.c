/* Half precision, as Arm has it, on lanes and scalars: converted to singles (F16C),
 * done there, and converted back.
 *
 * Rounding twice does no harm: a single has more than twice the digits and two,
 * which is enough for sums, products, quotients and square roots, and a product
 * of halves is a single; flags are those of both steps. What is left is a fused
 * sum that the single rounds to the middle of two halves, and one that is tiny;
 * and as everywhere (fp_arm.c) NaNs and results that may have underflowed
 * before they were rounded. All those are the interpreter's.
 *
 * Eight lanes take a 256-bit register (AVX2).
 */
#include "codegen/x86_64/vector.h"

enum { HALF_NAN = 0x7c00, HALF_LEAST = 0x0400 }; /* above it NaNs; the smallest normal number */

static bool
is_scalar(const struct ir_ins *ins)
{
	return !is_vector_type((enum ir_type)ins->type);
}

/* 1: the op works on eight lanes. */
static int
length(const struct ir_ins *ins)
{
	return ins->type == IR_V128;
}

/* The halves of an operand as singles, in a new temporary; of a scalar zeros beside
 * it. */
static int
widen(struct gen *g, const struct ir_ins *ins, ir_ref ref)
{
	int s = use(g, ref), t = temp(g, FPR);

	if (is_scalar(ins) && g->val[resolve(g, ref)].zx != 2) {
		x86_vzero(&g->hot, t);
		x86_vop3_i(&g->hot, X86_PBLENDW, 0, t, t, s, 1);
		x86_vcvtph2ps(&g->hot, t, t);
	} else {
		x86_vex_rr(&g->hot, X86_VCVTPH2PS, length(ins), t, 0, s);
	}
	unlock(g, FPR, s);
	return t;
}

/* Rounds singles in t to halves, as MXCSR says. */
static void
narrow(struct gen *g, int l, int t)
{
	x86_vex_rr(&g->hot, X86_VCVTPS2PH, l, t, 0, t);
	x86_put8(&g->hot, 4);
	if (l)
		x86_vzeroupper(&g->hot);
}

static void
bail_if_any(struct gen *g, int l, int mask)
{
	x86_vop2(&g->hot, X86_PTEST, l, mask, mask);
	gen_bail(g, X86_CC_NE);
}

static void
check(struct gen *g, int t, bool may_underflow)
{
	uint64_t magnitude = vec_repeat(0x7fff, 2), nan = vec_repeat(HALF_NAN, 2), least = vec_repeat(HALF_LEAST, 2);
	int u = temp(g, FPR), v = temp(g, FPR);

	vec_with_const(g, X86_PAND, u, t, magnitude, magnitude);
	if (may_underflow)
		vec_with_const(g, X86_PCMPEQW, v, u, least, least);
	vec_with_const(g, X86_PCMPGTW, u, u, nan, nan);
	if (may_underflow)
		x86_vop3(&g->hot, X86_POR, 0, u, u, v);
	bail_if_any(g, 0, u);
	give_back(g, FPR, u);
	give_back(g, FPR, v);
}

/* The result in t; what is above it is zero. */
static void
finish(struct gen *g, ir_ref ref, int t)
{
	if (g->ins[ref].type != IR_V128)
		g->val[ref].zx = is_scalar(&g->ins[ref]) ? 2 : 8;
	vec_finish(g, ref, t);
}

static uint32_t
single(const struct ir_ins *ins, unsigned opcode)
{
	return is_scalar(ins) ? X86_SCALAR(4, opcode) : X86_OP(NP, 0F, 0) | opcode;
}

static void
arithmetic(struct gen *g, ir_ref ref, unsigned opcode)
{
	const struct ir_ins *ins = &g->ins[ref];
	int t = widen(g, ins, ins->a), u;

	if (opcode == 0x51 && !is_scalar(ins)) {
		x86_vop2(&g->hot, X86_SQRTPS, length(ins), t, t);
	} else if (opcode == 0x51) {
		x86_sqrts(&g->hot, 4, t, t);
	} else {
		u = widen(g, ins, ins->b);
		x86_vop3(&g->hot, single(ins, opcode), length(ins), t, t, u);
		give_back(g, FPR, u);
	}
	narrow(g, length(ins), t);
	check(g, t, opcode == 0x59 || opcode == 0x5e);
	finish(g, ref, t);
}

/* d = op(s, value in every lane of 32 bits); u is lost. */
static void
with_single(struct gen *g, uint32_t op, int l, int d, int s, uint32_t value, int u)
{
	x86_vop2_m(&g->hot, X86_VPBROADCASTD, l, u, const_mem(g, vec_repeat(value, 4), vec_repeat(value, 4)));
	x86_vop3(&g->hot, op, l, d, s, u);
}

/* Fused sums that are not for sure rounded right: bits 12:0 are 1000…, or they are
 * below the smallest normal half but not zero. */
static void
check_sum(struct gen *g, int l, int t)
{
	int u = temp(g, FPR), v = temp(g, FPR), w = temp(g, FPR);

	with_single(g, X86_PAND, l, u, t, 0x1fff, w);
	with_single(g, X86_PCMPEQD, l, u, u, 0x1000, w);
	with_single(g, X86_PAND, l, v, t, 0x7fffffff, w);
	x86_vop2_m(&g->hot, X86_VPBROADCASTD, l, w, const_mem(g, vec_repeat(0x38800000, 4), vec_repeat(0x38800000, 4)));
	x86_vop3(&g->hot, X86_PCMPGTD, l, w, w, v);
	/* 0 is not greater than 0 */
	x86_vop3(&g->hot, X86_PSIGND, l, v, v, w); /* -v where w, else 0 */
	x86_vop3(&g->hot, X86_POR, l, u, u, v);
	bail_if_any(g, l, u);
	give_back(g, FPR, u);
	give_back(g, FPR, v);
	give_back(g, FPR, w);
}

static void
fused(struct gen *g, ir_ref ref)
{
	static const uint32_t op[] = { X86_FMADD231PS, X86_FNMADD231PS, X86_FMSUB231PS, X86_FNMSUB231PS };
	const struct ir_ins *ins = &g->ins[ref];
	int l = length(ins), t = widen(g, ins, ins->c), s = widen(g, ins, ins->a), x = widen(g, ins, ins->b);

	/* The scalar one stands one opcode above, and leaves the zeros beside it. */
	x86_vex_rr(&g->hot, op[IR_FP_VARIANT_OF(ins->aux) & 3] + is_scalar(ins), l, t, s, x);
	give_back(g, FPR, s);
	give_back(g, FPR, x);
	check_sum(g, l, t);
	narrow(g, l, t);
	check(g, t, true);
	finish(g, ref, t);
}

/* Zeros of both signs as in vector_fp.c. */
static void
min_max(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool is_min = ins->op == IR_VFMIN || ins->op == IR_FMIN;
	int l = length(ins), t = widen(g, ins, ins->a), u = widen(g, ins, ins->b), v = temp(g, FPR);
	uint32_t op = is_min ? X86_MINPS : X86_MAXPS;

	x86_vop3_i(&g->hot, X86_CMPPS, l, v, t, u, X86_CMP_UNORD);
	bail_if_any(g, l, v);
	x86_vop3(&g->hot, op, l, v, t, u);
	x86_vop3(&g->hot, op, l, u, u, t);
	x86_vop3(&g->hot, is_min ? X86_ORPS : X86_ANDPS, l, t, u, v);
	narrow(g, l, t);
	finish(g, ref, t);
}

/* Lanes of 32 bits in t as words, in its low half, those that do not fit saturated. */
static void
pack(struct gen *g, int l, int t, bool is_signed)
{
	uint32_t op = is_signed ? X86_PACKSSDW : X86_PACKUSDW;
	int u;

	if (!l) {
		x86_vop3(&g->hot, op, 0, t, t, t);
		x86_movq(&g->hot, t, t);
		return;
	}
	u = temp(g, FPR);
	x86_vop2_i(&g->hot, X86_VEXTRACTI128, 1, t, u, 1);
	x86_vop3(&g->hot, op, 0, t, t, u);
	x86_vzeroupper(&g->hot);
}

static void
compare(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	unsigned variant = IR_FP_VARIANT_OF(ins->aux);
	static const uint8_t quiet[] = { [IR_FCMP_EQ] = 0, [IR_FCMP_LT] = 0x11, [IR_FCMP_LE] = 0x12, [IR_FCMP_UNORD] = 3 };
	static const uint8_t loud[] = { [IR_FCMP_EQ] = 0x10, [IR_FCMP_LT] = 1, [IR_FCMP_LE] = 2, [IR_FCMP_UNORD] = 0x13 };
	int l = length(ins), t = widen(g, ins, ins->a), u = widen(g, ins, ins->b);

	x86_vop3_i(&g->hot, X86_CMPPS, l, t, t, u, (variant & IR_FP_SIGNALING ? loud : quiet)[variant & 3]);
	give_back(g, FPR, u);
	pack(g, l, t, true);
	finish(g, ref, t);
}

/* ROUNDPS's modes; 4 takes MXCSR's. */
static const uint8_t host_round[] = { [IR_RNE] = X86_RNE, [IR_RTZ] = X86_RTZ, [IR_RDN] = X86_RDN, [IR_RUP] = X86_RUP, [IR_RDYN] = 4 };

static bool
round_integral(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	unsigned variant = IR_FP_VARIANT_OF(ins->aux) & 7;
	int l = length(ins), t;

	if (variant & ~(unsigned)IR_FRINT_INEXACT)
		return false;
	t = widen(g, ins, ins->a);
	x86_vop2_i(&g->hot, X86_ROUNDPS, l, t, t, host_round[IR_FP_ROUND(ins->aux)] | (variant & IR_FRINT_INEXACT ? 0 : 8));
	narrow(g, l, t);
	check(g, t, false);
	finish(g, ref, t);
	return true;
}

/* Of halves all integers fit 32 bits; what does not fit 16 is the interpreter's. */
static bool
to_integers(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	unsigned variant = IR_FP_VARIANT_OF(ins->aux);
	bool is_signed = variant & IR_F2I_SIGNED;
	enum ir_round round = IR_FP_ROUND(ins->aux);
	int l = length(ins), t, u, v;

	if ((variant & 3) != IR_F2I_ARM)
		return false;
	t = widen(g, ins, ins->a);
	u = temp(g, FPR);
	v = temp(g, FPR);
	if (ins->c)
		with_single(g, X86_MULPS, l, t, t, (127 + ins->c) << 23, u);
	x86_vop2_i(&g->hot, X86_ROUNDPS, l, u, t, host_round[round] | 8);
	x86_vop2(&g->hot, X86_CVTTPS2DQ, l, u, u);
	x86_vshift_i(&g->hot, 4, 6, l, v, u, 16);
	x86_vshift_i(&g->hot, 4, is_signed ? 4 : 2, l, v, v, 16);
	x86_vop3(&g->hot, X86_PXOR, l, v, v, u);
	bail_if_any(g, l, v);
	x86_vop2_i(&g->hot, X86_ROUNDPS, l, v, t, host_round[round]); /* raises inexact */
	x86_vop3(&g->hot, X86_POR, l, t, u, u);
	give_back(g, FPR, v);
	pack(g, l, t, is_signed);
	finish(g, ref, t);
	return true;
}

/* Exact as singles, so rounded once. */
static void
from_integers(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool is_signed = IR_FP_VARIANT_OF(ins->aux) & IR_I2F_SIGNED;
	int l = length(ins), s = use(g, ins->a), t = temp(g, FPR), u = temp(g, FPR);

	x86_vop2(&g->hot, is_signed ? X86_PMOVSXWD : X86_PMOVZXWD, l, t, s);
	x86_vop2(&g->hot, X86_CVTDQ2PS, l, t, t);
	if (ins->c)
		with_single(g, X86_MULPS, l, t, t, (127 - ins->c) << 23, u);
	narrow(g, l, t);
	finish(g, ref, t);
}

/* Four lanes to singles, or singles to them. */
static bool
resize(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int s, t, u;

	if (ins->type != (ins->op == IR_VFWIDEN ? IR_V128 : IR_V64) || IR_FP_VARIANT_OF(ins->aux) & IR_FCVT_ALTERNATIVE)
		return false;
	s = use(g, ins->a);
	t = temp(g, FPR);
	if (ins->op == IR_VFWIDEN) {
		x86_vcvtph2ps(&g->hot, t, s);
		u = temp(g, FPR);
		x86_vop3_i(&g->hot, X86_CMPPS, 0, u, t, t, X86_CMP_UNORD);
		bail_if_any(g, 0, u);
		vec_finish(g, ref, t);
		return true;
	}
	x86_vcvtps2ph(&g->hot, t, s, 4);
	check(g, t, true);
	finish(g, ref, t);
	return true;
}

static void
sign(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int s = use(g, ins->a), t = temp(g, FPR);

	if (ins->op == IR_FNEG)
		vec_with_const(g, X86_PXOR, t, s, 0x8000, 0);
	else
		vec_with_const(g, X86_PAND, t, s, 0x7fff, 0);
	g->val[ref].zx = ins->op == IR_FABS || g->val[resolve(g, ins->a)].zx == 2 ? 2 : 0;
	vec_finish(g, ref, t);
}

static bool
is_half(const struct ir_ins *ins)
{
	if (ins->op == IR_VFNARROW)
		return IR_VFP_LANE(ins->aux) == IR_F32;
	if (ins->op >= IR_VFADD && ins->op <= IR_VFRSQRTS)
		return IR_VFP_LANE(ins->aux) == IR_F16 && is_vector_type((enum ir_type)ins->type);
	return ins->type == IR_F16;
}

bool
gen_half(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool converts = ins->op == IR_VF2I || ins->op == IR_VI2F;
	enum ir_round round = IR_FP_ROUND(ins->aux);

	if (!g->hot.vex || !is_half(ins))
		return false;
	if (ins->op == IR_FNEG || ins->op == IR_FABS) {
		sign(g, ref);
		return true;
	}
	if (!(ir_op_info[ins->op].effects & IR_E_FP) || !g->cpu->f16c || !g->cpu->avx2 || (!converts && !fp_is_arm(ins)) ||
	    ins->aux & (IR_FP_FLUSH | IR_FP_NOFLAGS) || (round > IR_RUP && round != IR_RDYN))
		return false;
	if (ins->op != IR_FRINT && ins->op != IR_VFRINT && ins->op != IR_VF2I)
		fp_require_round(g, ins);
	switch (ins->op) {
	case IR_FADD:
	case IR_VFADD: arithmetic(g, ref, 0x58); return true;
	case IR_FSUB:
	case IR_VFSUB: arithmetic(g, ref, 0x5c); return true;
	case IR_FMUL:
	case IR_VFMUL: arithmetic(g, ref, 0x59); return true;
	case IR_FDIV:
	case IR_VFDIV: arithmetic(g, ref, 0x5e); return true;
	case IR_FSQRT:
	case IR_VFSQRT: arithmetic(g, ref, 0x51); return true;
	case IR_FMA:
	case IR_VFMA:
		if (!g->cpu->fma)
			return false;
		fused(g, ref);
		return true;
	case IR_FMIN:
	case IR_FMAX:
	case IR_VFMIN:
	case IR_VFMAX:
		if ((IR_FP_VARIANT_OF(ins->aux) & 3) == IR_FMINMAX_X86)
			return false;
		min_max(g, ref);
		return true;
	case IR_VFCMP: compare(g, ref); return true;
	case IR_FRINT:
	case IR_VFRINT: return round_integral(g, ref);
	case IR_VF2I: return to_integers(g, ref);
	case IR_VI2F: from_integers(g, ref); return true;
	case IR_VFWIDEN:
	case IR_VFNARROW: return resize(g, ref);
	default: return false;
	}
}

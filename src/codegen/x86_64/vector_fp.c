/* Floating point on lanes, inline, for guests with Arm's NaNs and tininess:
 * fp_arm.c says where x86 differs. If any lane's result is a NaN, or may have
 * underflowed before it was rounded, the operation is the evaluator's.
 *
 * Lanes that a v64 does not have must raise nothing: its operands are doubled.
 */
#include "codegen/x86_64/vector.h"

static int
fp_lane(const struct ir_ins *ins)
{
	return (int)ir_type_bits(IR_VFP_LANE(ins->aux)) / 8;
}

/* The packed single's opcode line for this lane. */
static uint32_t
packed(int bytes, unsigned opcode)
{
	return bytes == 8 ? X86_OP(66, 0F, 0) | X86_EW | opcode : X86_OP(NP, 0F, 0) | opcode;
}

/* An operand: all lanes of the register may take part. */
static int
operand(struct gen *g, ir_ref user, ir_ref ref)
{
	int s = use(g, ref), t;

	if (g->ins[user].type == IR_V128)
		return s;
	t = temp(g, FPR);
	x86_vop3(&g->hot, X86_PUNPCKLQDQ, 0, t, s, s);
	unlock(g, FPR, s);
	return t;
}

/* Leaves the instruction to the interpreter if a lane of mask is set. */
static void
bail_if_any(struct gen *g, int mask)
{
	x86_vop2(&g->hot, X86_PTEST, 0, mask, mask);
	gen_bail(g, X86_CC_NE);
}

static void
compare(struct gen *g, int bytes, int d, int s, int x, int predicate)
{
	x86_vop3_i(&g->hot, bytes == 8 ? X86_CMPPD : X86_CMPPS, 0, d, s, x, predicate);
}

/* Has the evaluator make the result in t if what the host made there is not for sure
 * Arm's. operand: gen_rare's. */
static void
check(struct gen *g, ir_ref ref, int bytes, int t, bool may_underflow, const int operand[3])
{
	int u = temp(g, FPR), v;
	uint64_t magnitude = vec_repeat(UINT64_MAX >> (65 - 8 * bytes), bytes);
	uint64_t smallest = vec_repeat(bytes == 8 ? 0x0010000000000000 : 0x00800000, bytes);

	if (!may_underflow || !(g->ins[ref].aux & IR_FP_TINY_BEFORE)) {
		compare(g, bytes, u, t, t, X86_CMP_UNORD);
	} else if (g->hot.vex) {
		vec_with_const(g, X86_ANDPS, u, t, magnitude, magnitude);
		x86_vop3_mi(&g->hot, bytes == 8 ? X86_CMPPD : X86_CMPPS, 0, u, u, const_mem(g, smallest, smallest),
			    8 /* equal or unordered, quiet */);
	} else {
		v = temp(g, FPR);
		vec_with_const(g, X86_ANDPS, v, t, magnitude, magnitude);
		vec_load_const(g, u, smallest, smallest);
		compare(g, bytes, u, u, v, X86_CMP_EQ);
		compare(g, bytes, v, v, v, X86_CMP_UNORD);
		x86_vop3(&g->hot, X86_POR, 0, u, u, v);
	}
	x86_vop2(&g->hot, X86_PTEST, 0, u, u);
	x86_patch_rel32(x86_jcc_forward(&g->hot, X86_CC_NE), g->cold.p);
	gen_rare(g, ref, t, operand);
}

static void
arithmetic(struct gen *g, ir_ref ref)
{
	static const uint8_t opcode[] = { [IR_VFADD] = 0x58, [IR_VFMUL] = 0x59, [IR_VFSUB] = 0x5c, [IR_VFDIV] = 0x5e };
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = fp_lane(ins), s = operand(g, ref, ins->a), x = operand(g, ref, ins->b), t = dest(g, ref, false);

	x86_vop3(&g->hot, packed(bytes, opcode[ins->op]), 0, t, s, x);
	check(g, ref, bytes, t, ins->op == IR_VFMUL || ins->op == IR_VFDIV, (int[]){ s, x, NO_REG });
	vec_finish(g, ref, t);
}

static void
square_root(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = fp_lane(ins), s = operand(g, ref, ins->a), t = dest(g, ref, false);

	x86_vop2(&g->hot, packed(bytes, 0x51), 0, t, s);
	check(g, ref, bytes, t, false, (int[]){ s, NO_REG, NO_REG });
	vec_finish(g, ref, t);
}

static void
fused(struct gen *g, ir_ref ref)
{
	static const uint32_t single[] = { X86_FMADD231PS, X86_FNMADD231PS, X86_FMSUB231PS, X86_FNMSUB231PS };
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = fp_lane(ins), s = operand(g, ref, ins->a), x = operand(g, ref, ins->b), c = use(g, ins->c);
	uint32_t op = single[IR_FP_VARIANT_OF(ins->aux) & 3] | (bytes == 8 ? X86_W | X86_EW : 0);
	bool in_place = ins->type == IR_V128 && is_dest(g, ref, c) && c != s && c != x;
	int d = in_place ? c : dest(g, ref, false), t = in_place ? temp(g, FPR) : d;

	if (ins->type == IR_V64)
		x86_vop3(&g->hot, X86_PUNPCKLQDQ, 0, t, c, c);
	else
		x86_movaps(&g->hot, t, c);
	x86_vex_rr(&g->hot, op, 0, d, s, x);
	check(g, ref, bytes, d, true, (int[]){ s, x, in_place ? t : c });
	vec_finish(g, ref, d);
}

/* MINPS gives its second operand if both are zeros: taken both ways round, the
 * right one of the two is their or, of MAXPS their and. */
static void
min_max(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool is_min = ins->op == IR_VFMIN;
	int bytes = fp_lane(ins), s = operand(g, ref, ins->a), x = operand(g, ref, ins->b);
	int t = temp(g, FPR), u = temp(g, FPR);
	uint32_t op = packed(bytes, is_min ? 0x5d : 0x5f);

	compare(g, bytes, t, s, x, X86_CMP_UNORD);
	bail_if_any(g, t);
	x86_vop3(&g->hot, op, 0, t, s, x);
	x86_vop3(&g->hot, op, 0, u, x, s);
	x86_vop3(&g->hot, is_min ? X86_ORPS : X86_ANDPS, 0, t, t, u);
	vec_finish(g, ref, t);
}

static bool
compare_lanes(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	unsigned variant = IR_FP_VARIANT_OF(ins->aux), relation = variant & 3;
	bool signaling = variant & IR_FP_SIGNALING;
	static const uint8_t quiet[] = { [IR_FCMP_EQ] = 0, [IR_FCMP_LT] = 0x11, [IR_FCMP_LE] = 0x12, [IR_FCMP_UNORD] = 3 };
	static const uint8_t loud[] = { [IR_FCMP_EQ] = 0x10, [IR_FCMP_LT] = 1, [IR_FCMP_LE] = 2, [IR_FCMP_UNORD] = 0x13 };
	int predicate = signaling ? loud[relation] : quiet[relation], s, x, t;

	if (predicate > 7 && !g->hot.vex)
		return false;
	s = operand(g, ref, ins->a);
	x = operand(g, ref, ins->b);
	t = temp(g, FPR);
	compare(g, fp_lane(ins), t, s, x, predicate);
	vec_finish(g, ref, t);
	return true;
}

static bool
round_integral(struct gen *g, ir_ref ref)
{
	static const uint8_t mode[] = { [IR_RNE] = X86_RNE, [IR_RTZ] = X86_RTZ, [IR_RDN] = X86_RDN, [IR_RUP] = X86_RUP,
					[IR_RDYN] = 4 };
	const struct ir_ins *ins = &g->ins[ref];
	unsigned variant = IR_FP_VARIANT_OF(ins->aux) & 7;
	int bytes = fp_lane(ins), s, t;

	if (variant & ~(unsigned)IR_FRINT_INEXACT)
		return false;
	s = operand(g, ref, ins->a);
	t = temp(g, FPR);
	x86_vop2_i(&g->hot, bytes == 8 ? X86_ROUNDPD : X86_ROUNDPS, 0, t, s,
		   mode[IR_FP_ROUND(ins->aux)] | (variant & IR_FRINT_INEXACT ? 0 : 8));
	check(g, ref, bytes, t, false, (int[]){ s, NO_REG, NO_REG });
	vec_finish(g, ref, t);
	return true;
}

/* t = lanes of s times 2^n, exactly; those too large for any integer go to the
 * interpreter before they overflow, if they may. */
static void
scale(struct gen *g, int bytes, int t, int s, int n, bool may_overflow)
{
	uint64_t magnitude = vec_repeat(UINT64_MAX >> (65 - 8 * bytes), bytes);
	uint64_t power = vec_repeat(bytes == 8 ? (uint64_t)(1023 + n) << 52 : (uint64_t)(127 + n) << 23, bytes);
	uint64_t most = vec_repeat(bytes == 8 ? (uint64_t)(1023 + 64) << 52 : (uint64_t)(127 + 64) << 23, bytes);

	if (may_overflow) {
		vec_with_const(g, X86_ANDPS, t, s, magnitude, magnitude);
		x86_vop3_m(&g->hot, bytes == 8 ? X86_CMPPD : X86_CMPPS, 0, t, t, const_mem(g, most, most));
		x86_put8(&g->hot, X86_CMP_NLT);
		bail_if_any(g, t);
	}
	vec_with_const(g, packed(bytes, 0x59), t, s, power, power);
}

/* To integers: the host's answer to what is out of range is the interpreter's.
 * Other rounding than to zero comes first, raising nothing; and once more when
 * the result is known to be in range. */
static bool
to_integers(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	unsigned variant = IR_FP_VARIANT_OF(ins->aux);
	bool is_signed = variant & IR_F2I_SIGNED;
	enum ir_round round = IR_FP_ROUND(ins->aux);
	static const uint8_t mode[] = { [IR_RNE] = X86_RNE, [IR_RDN] = X86_RDN, [IR_RUP] = X86_RUP, [IR_RDYN] = 4 };
	int bytes = fp_lane(ins), s, t, u, whole;
	uint64_t wrong = is_signed ? vec_repeat(UINT64_C(1) << (8 * bytes - 1), bytes) : UINT64_MAX;

	if ((variant & 3) != IR_F2I_ARM ||
	    (!(is_signed && bytes == 4) && !(g->cpu->avx512vl && g->cpu->avx512dq)))
		return false;
	s = operand(g, ref, ins->a);
	t = temp(g, FPR);
	u = temp(g, FPR);
	if (ins->c) {
		scale(g, bytes, t, s, (int)ins->c, true);
		unlock(g, FPR, s);
		s = t;
		t = temp(g, FPR);
	}
	whole = s;
	if (round != IR_RTZ) {
		whole = u;
		x86_vop2_i(&g->hot, bytes == 8 ? X86_ROUNDPD : X86_ROUNDPS, 0, u, s, mode[round] | 8);
	}
	if (is_signed && bytes == 4)
		x86_vop2(&g->hot, X86_CVTTPS2DQ, 0, t, whole);
	else if (is_signed)
		x86_evex_rr(&g->hot, X86_VCVTTPD2QQ, X86_L128, t, 0, whole);
	else
		x86_evex_rr(&g->hot, bytes == 4 ? X86_VCVTTPS2UDQ : X86_VCVTTPD2UQQ, X86_L128, t, 0, whole);
	vec_with_const(g, bytes == 4 ? X86_PCMPEQD : X86_PCMPEQQ, u, t, wrong, wrong);
	bail_if_any(g, u);
	if (round != IR_RTZ)
		x86_vop2_i(&g->hot, bytes == 8 ? X86_ROUNDPD : X86_ROUNDPS, 0, u, s, mode[round]);
	vec_finish(g, ref, t);
	return true;
}

static bool
from_integers(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool is_signed = IR_FP_VARIANT_OF(ins->aux) & IR_I2F_SIGNED;
	int bytes = fp_lane(ins), s, t;

	if ((!(is_signed && bytes == 4) && !(g->cpu->avx512vl && g->cpu->avx512dq)))
		return false;
	fp_require_round(g, ins);
	s = operand(g, ref, ins->a);
	t = temp(g, FPR);
	if (is_signed && bytes == 4)
		x86_vop2(&g->hot, X86_CVTDQ2PS, 0, t, s);
	else if (is_signed)
		x86_evex_rr(&g->hot, X86_VCVTQQ2PD, X86_L128, t, 0, s);
	else
		x86_evex_rr(&g->hot, bytes == 4 ? X86_VCVTUDQ2PS : X86_VCVTUQQ2PD, X86_L128, t, 0, s);
	if (ins->c)
		scale(g, bytes, t, t, -(int)ins->c, false);
	vec_finish(g, ref, t);
	return true;
}

/* f32 to f64 and back; the two lanes are in the low half of the v64. */
static bool
resize(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool widens = ins->op == IR_VFWIDEN;
	int s, t;

	if (widens ? ins->type != IR_V128 : ins->type != IR_V64 || IR_VFP_LANE(ins->aux) != IR_F64)
		return false;
	s = use(g, ins->a);
	t = temp(g, FPR);
	x86_vop2(&g->hot, widens ? X86_CVTPS2PD : X86_CVTPD2PS, 0, t, s);
	check(g, ref, widens ? 8 : 4, t, !widens, (int[]){ s, NO_REG, NO_REG });
	if (!widens)
		g->val[ref].zx = 8;
	vec_finish(g, ref, t);
	return true;
}

bool
gen_vector_fp(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool converts = ins->op == IR_VF2I || ins->op == IR_VI2F;

	if (ins->op < IR_VFADD || ins->op > IR_VFNARROW || (!g->hot.vex && g->hot.scratch < 0) || !is_vector_type((enum ir_type)ins->type) ||
	    IR_VFP_LANE(ins->aux) == IR_F16 || (!converts && !fp_is_arm(ins)) ||
	    ins->aux & (IR_FP_FLUSH | IR_FP_NOFLAGS) || IR_FP_ROUND(ins->aux) == IR_RMM)
		return false;
	switch (ins->op) {
	case IR_VFADD:
	case IR_VFSUB:
	case IR_VFMUL:
	case IR_VFDIV:
		fp_require_round(g, ins);
		arithmetic(g, ref);
		return true;
	case IR_VFSQRT:
		fp_require_round(g, ins);
		square_root(g, ref);
		return true;
	case IR_VFMA:
		if (!g->cpu->fma)
			return false;
		fp_require_round(g, ins);
		fused(g, ref);
		return true;
	case IR_VFMIN:
	case IR_VFMAX:
		if ((IR_FP_VARIANT_OF(ins->aux) & 3) == IR_FMINMAX_X86)
			return false;
		min_max(g, ref);
		return true;
	case IR_VFCMP: return compare_lanes(g, ref);
	case IR_VFRINT: return round_integral(g, ref);
	case IR_VF2I: return to_integers(g, ref);
	case IR_VI2F: return from_integers(g, ref);
	case IR_VFWIDEN:
	case IR_VFNARROW:
		fp_require_round(g, ins);
		return resize(g, ref);
	default: return false;
	}
}

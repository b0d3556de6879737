/* Arm's floating point of singles and doubles that programs seldom use, on lanes and
 * scalars: FMULX and the steps of Newton's iterations, rounding with ties away
 * on lanes, and conversions where AVX-512 has an instruction but the host has not
 * got it. As in fp_arm.c, what is not for sure right is the interpreter's, before
 * anything was raised that it would not raise.
 */
#include "codegen/x86_64/vector.h"

/* What an op works on. */
struct form {
	int bytes; /* of a float */
	bool scalar, doubled; /* doubled: a v64, whose operands are doubled */
};

static struct form
form_of(const struct ir_ins *ins)
{
	bool lanes = is_vector_type((enum ir_type)ins->type);
	enum ir_type type = lanes ? IR_VFP_LANE(ins->aux) : (enum ir_type)ins->type;

	return (struct form){ (int)ir_type_bits(type) / 8, !lanes, ins->type == IR_V64 };
}

static uint32_t
op_of(struct form f, unsigned opcode)
{
	if (f.scalar)
		return X86_SCALAR(f.bytes, opcode);
	return f.bytes == 8 ? X86_OP(66, 0F, 0) | X86_EW | opcode : X86_OP(NP, 0F, 0) | opcode;
}

/* A constant in all lanes; of a scalar zeros beside it. */
static uint64_t
low_word(struct form f, uint64_t value)
{
	return f.scalar ? value : vec_repeat(value, f.bytes);
}

static uint64_t
high_word(struct form f, uint64_t value)
{
	return f.scalar ? 0 : vec_repeat(value, f.bytes);
}

static void
with(struct gen *g, struct form f, uint32_t op, int d, int s, uint64_t value)
{
	vec_with_const(g, op, d, s, low_word(f, value), high_word(f, value));
}

static int
operand(struct gen *g, struct form f, ir_ref ref)
{
	int s = use(g, ref), t;

	if (!f.doubled)
		return s;
	t = temp(g, FPR);
	x86_vop3(&g->hot, X86_PUNPCKLQDQ, 0, t, s, s);
	unlock(g, FPR, s);
	return t;
}

static uint64_t
magnitude(struct form f)
{
	return UINT64_MAX >> (65 - 8 * f.bytes);
}

/* A power of two as a float. */
static uint64_t
power(struct form f, int n)
{
	return f.bytes == 8 ? (uint64_t)(1023 + n) << 52 : (uint64_t)(127 + n) << 23;
}

static void
bail_if_any(struct gen *g, int mask)
{
	x86_vop2(&g->hot, X86_PTEST, 0, mask, mask);
	gen_bail(g, X86_CC_NE);
}

/* t = all ones where s, without its sign, is at least 2^n: as integers. */
static void
at_least(struct gen *g, struct form f, int t, int s, int n)
{
	with(g, f, X86_PAND, t, s, magnitude(f));
	with(g, f, f.bytes == 8 ? X86_PCMPGTQ : X86_PCMPGTD, t, t, power(f, n) - 1);
}

static int
past_finite(struct form f)
{
	return f.bytes == 8 ? 1024 : 128;
}

/* Gives up what is 2^n or more, infinities and NaNs anyway, of s and x. */
static void
require_below(struct gen *g, struct form f, int n, int s, int x)
{
	int t = temp(g, FPR), u = temp(g, FPR);

	at_least(g, f, t, s, n);
	if (x != s) {
		at_least(g, f, u, x, n);
		x86_vop3(&g->hot, X86_POR, 0, t, t, u);
	}
	bail_if_any(g, t);
	give_back(g, FPR, t);
	give_back(g, FPR, u);
}

/* Infinities and NaNs, whose products may be other than the host's. */
static void
require_finite(struct gen *g, struct form f, int s, int x)
{
	require_below(g, f, past_finite(f), s, x);
}

/* ---- FMULX, FRECPS, FRSQRTS --------------------------------------------- */

static void
multiply(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	struct form f = form_of(ins);
	int s = operand(g, f, ins->a), x = operand(g, f, ins->b), t, u;

	require_finite(g, f, s, x);
	t = temp(g, FPR);
	x86_vop3(&g->hot, op_of(f, 0x59), 0, t, s, x);
	u = temp(g, FPR);
	with(g, f, X86_PAND, u, t, magnitude(f));
	with(g, f, f.bytes == 8 ? X86_PCMPEQQ : X86_PCMPEQD, u, u, f.bytes == 8 ? 0x0010000000000000 : 0x00800000);
	if (f.scalar) /* the zeros beside it were equal to zeros */
		x86_pshufd(&g->hot, u, u, f.bytes == 8 ? 0x44 : 0);
	bail_if_any(g, u);
	vec_finish(g, ref, t);
}

/* 2 - a * b; (3 - a * b) / 2, which is rounded once: the host's difference must not
 * overflow, nor say that it did. So operands that could make it are given up
 * before. Neither is ever tiny. */
static void
step(struct gen *g, ir_ref ref, bool root)
{
	const struct ir_ins *ins = &g->ins[ref];
	struct form f = form_of(ins);
	uint64_t constant = power(f, 1);
	int s = operand(g, f, ins->a), x = operand(g, f, ins->b), t;
	uint32_t op = f.scalar ? X86_OP(66, 0F38, 0xbd) : X86_FNMADD231PS;

	if (root) /* 3 is 1.5 times 2 */
		constant |= f.bytes == 8 ? UINT64_C(1) << 51 : 1u << 22;
	require_below(g, f, root ? past_finite(f) / 2 - 1 : past_finite(f), s, x);
	t = temp(g, FPR);
	vec_load_const(g, t, low_word(f, constant), high_word(f, constant));
	x86_vex_rr(&g->hot, op | (f.bytes == 8 ? X86_W | X86_EW : 0), 0, t, s, x);
	if (root)
		with(g, f, op_of(f, 0x59), t, t, power(f, -1));
	vec_finish(g, ref, t);
}

/* ---- rounding with ties away, on lanes ---------------------------------- */

/* d = s, which is finite: to the nearest; where what is left is a half of s's sign,
 * one further. All of it is exact. */
static void
round_away(struct gen *g, struct form f, int d, int s)
{
	uint32_t minus = op_of(f, 0x5c), plus = op_of(f, 0x58);
	uint64_t sign = UINT64_C(1) << (8 * f.bytes - 1);
	int u = temp(g, FPR), v = temp(g, FPR);

	x86_vop2_i(&g->hot, f.bytes == 8 ? X86_ROUNDPD : X86_ROUNDPS, 0, d, s, X86_RNE | 8);
	with(g, f, X86_PAND, v, s, sign);
	with(g, f, X86_POR, v, v, power(f, -1));
	x86_vop3(&g->hot, minus, 0, u, s, d);
	x86_vop3_i(&g->hot, f.bytes == 8 ? X86_CMPPD : X86_CMPPS, 0, u, u, v, X86_CMP_EQ);
	with(g, f, X86_PAND, v, s, sign);
	with(g, f, X86_POR, v, v, power(f, 0));
	x86_vop3(&g->hot, X86_PAND, 0, u, u, v);
	x86_vop3(&g->hot, plus, 0, d, d, u);
	with(g, f, X86_PAND, v, s, sign); /* zeros */
	x86_vop3(&g->hot, X86_POR, 0, d, d, v);
	give_back(g, FPR, u);
	give_back(g, FPR, v);
}

static bool
round_lanes(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	struct form f = form_of(ins);
	int s, t;

	if (f.scalar || IR_FP_ROUND(ins->aux) != IR_RMM || IR_FP_VARIANT_OF(ins->aux) & 7)
		return false;
	s = operand(g, f, ins->a);
	require_finite(g, f, s, s);
	t = temp(g, FPR);
	round_away(g, f, t, s);
	vec_finish(g, ref, t);
	return true;
}

/* ---- lanes to integers -------------------------------------------------- */

static const uint8_t host_round[] = { [IR_RNE] = X86_RNE, [IR_RTZ] = X86_RTZ, [IR_RDN] = X86_RDN, [IR_RUP] = X86_RUP,
				      [IR_RMM] = X86_RNE, [IR_RDYN] = 4 };

/* t = integral s as integers; negative ones are the interpreter's if unsigned. */
static void
convert_doubles(struct gen *g, bool is_signed, int t, int s)
{
	int r = temp(g, GPR), q = temp(g, GPR), u = temp(g, FPR);

	x86_vop3(&g->hot, X86_PUNPCKHQDQ, 0, u, s, s);
	x86_cvtts2si(&g->hot, 8, 8, r, s);
	x86_cvtts2si(&g->hot, 8, 8, q, u);
	for (int i = 0; i < 2 && !is_signed; i++) {
		x86_alu_ri(&g->hot, X86_CMP, 8, i ? q : r, 0);
		gen_bail(g, X86_CC_S);
	}
	x86_movd_xr(&g->hot, 8, t, r);
	x86_pinsr(&g->hot, 8, t, t, q, 1);
}

static void
convert_singles(struct gen *g, struct form f, bool is_signed, int t, int s)
{
	int u = temp(g, FPR);

	x86_vop2(&g->hot, X86_CVTTPS2DQ, 0, t, s);
	if (is_signed)
		return;
	with(g, f, X86_PAND, u, t, 0x80000000);
	bail_if_any(g, u);
}

/* Those that may not fit a signed integer are the interpreter's. Rounded first,
 * raising nothing; once more, for the flag, when they are known to fit. */
static bool
to_integers(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	unsigned variant = IR_FP_VARIANT_OF(ins->aux);
	bool is_signed = variant & IR_F2I_SIGNED;
	enum ir_round round = IR_FP_ROUND(ins->aux);
	struct form f = form_of(ins);
	uint32_t rounds = f.bytes == 8 ? X86_ROUNDPD : X86_ROUNDPS;
	int s, t, whole;

	if ((variant & 3) != IR_F2I_ARM || ins->c)
		return false;
	s = operand(g, f, ins->a);
	require_below(g, f, 8 * f.bytes - 1, s, s);
	whole = temp(g, FPR);
	if (round == IR_RMM)
		round_away(g, f, whole, s);
	else
		x86_vop2_i(&g->hot, rounds, 0, whole, s, host_round[round] | 8);
	t = temp(g, FPR);
	if (f.bytes == 8)
		convert_doubles(g, is_signed, t, whole);
	else
		convert_singles(g, f, is_signed, t, whole);
	x86_vop2_i(&g->hot, rounds, 0, whole, s, host_round[round]);
	vec_finish(g, ref, t);
	return true;
}

/* ---- lanes from integers ------------------------------------------------ */

/* Unsigned singles: the sum of both halves, each exact, is rounded once. */
static bool
from_integers(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool is_signed = IR_FP_VARIANT_OF(ins->aux) & IR_I2F_SIGNED;
	struct form f = form_of(ins);
	int s, t, u, r;

	if (f.bytes == 8 && !is_signed)
		return false;
	fp_require_round(g, ins);
	s = operand(g, f, ins->a);
	t = temp(g, FPR);
	u = temp(g, FPR);
	if (f.bytes == 8) {
		r = temp(g, GPR);
		x86_movd_rx(&g->hot, 8, r, s);
		x86_cvtsi2s(&g->hot, 8, 8, t, r);
		x86_pextr(&g->hot, 8, r, s, 1);
		x86_cvtsi2s(&g->hot, 8, 8, u, r);
		x86_vop3(&g->hot, X86_UNPCKLPD, 0, t, t, u);
	} else {
		x86_vshift_i(&g->hot, 4, 2, 0, t, s, 16);
		with(g, f, X86_PAND, u, s, 0xffff);
		x86_vop2(&g->hot, X86_CVTDQ2PS, 0, t, t);
		x86_vop2(&g->hot, X86_CVTDQ2PS, 0, u, u);
		with(g, f, X86_MULPS, t, t, power(f, 16));
		x86_vop3(&g->hot, X86_ADDPS, 0, t, t, u);
	}
	if (ins->c)
		with(g, f, op_of(f, 0x59), t, t, power(f, -(int)ins->c));
	vec_finish(g, ref, t);
	return true;
}

/* ---- unsigned scalars --------------------------------------------------- */

/* What is negative, and what is too large, is the interpreter's before the host
 * raises anything. */
static bool
to_unsigned(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	enum ir_type from = (enum ir_type)g->ins[ins->a].type;
	unsigned variant = IR_FP_VARIANT_OF(ins->aux);
	int size = (int)ir_type_bits((enum ir_type)ins->type) / 8, bytes = (int)ir_type_bits(from) / 8, s, x, y, t;
	enum ir_round round = IR_FP_ROUND(ins->aux);
	struct form f = { bytes, true, false };
	uint64_t limit = size == 8 ? power(f, 63) : bytes == 8 ? 0x41efffffffe00000 : 0x4f7fffff;

	if ((variant & 7) != IR_F2I_ARM || (ins->op == IR_F2X && ins->c) || size < 4 || bytes < 4 || round == IR_ROD)
		return false;
	s = use(g, ins->a);
	y = temp(g, FPR);
	x86_vzero(&g->hot, y);
	x86_ucomis(&g->hot, bytes, s, y);
	gen_bail(g, X86_CC_B);
	vec_load_const(g, y, limit, 0);
	x86_ucomis(&g->hot, bytes, y, s);
	gen_bail(g, X86_CC_BE);
	give_back(g, FPR, y);
	x = temp(g, FPR);
	if (round == IR_RMM)
		fp_round_away(g, bytes, x, s);
	else
		x86_rounds(&g->hot, bytes, x, s, host_round[round] | 8);
	t = temp(g, GPR);
	x86_cvtts2si(&g->hot, bytes, 8, t, x);
	x86_rounds(&g->hot, bytes, x, s, host_round[round]); /* raises inexact */
	drop(g, ins->a);
	define(g, ref, t);
	return true;
}

/* 64 bits: half of a large one, with its lowest bit kept, rounds as the whole. */
static bool
from_unsigned(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int fp = (int)ir_type_bits((enum ir_type)ins->type) / 8, ra, r, q, d;
	uint8_t *large, *back;

	if (g->ins[ins->a].type != IR_I64 || fp < 4 || IR_FP_VARIANT_OF(ins->aux) & IR_I2F_SIGNED || (ins->op == IR_X2F && ins->c) ||
	    (IR_FP_ROUND(ins->aux) != IR_RDYN && IR_FP_ROUND(ins->aux) != IR_RNE))
		return false;
	fp_require_round(g, ins);
	ra = use(g, ins->a);
	r = temp(g, GPR);
	q = temp(g, GPR);
	d = temp(g, FPR);
	x86_alu_ri(&g->hot, X86_CMP, 8, ra, 0);
	large = x86_jcc_forward(&g->hot, X86_CC_S);
	x86_cvtsi2s(&g->hot, fp, 8, d, ra);
	back = g->hot.p;
	x86_patch_rel32(large, g->cold.p);
	x86_mov_rr(&g->cold, 8, r, ra);
	x86_mov_rr(&g->cold, 4, q, ra);
	x86_shr_ri(&g->cold, 8, r, 1);
	x86_alu_ri(&g->cold, X86_AND, 4, q, 1);
	x86_alu_rr(&g->cold, X86_OR, 8, r, q);
	x86_cvtsi2s(&g->cold, fp, 8, d, r);
	x86_vop3(&g->cold, X86_SCALAR(fp, 0x58), 0, d, d, d);
	x86_jmp(&g->cold, back);
	g->val[ref].zx = (uint8_t)fp;
	drop(g, ins->a);
	define(g, ref, d);
	return true;
}

static bool
is_arm(const struct ir_ins *ins)
{
	enum ir_nan nan = IR_FP_NAN(ins->aux);

	return (nan == IR_NAN_ARM || nan == IR_NAN_ARM_DEFAULT) && !(ins->aux & (IR_FP_FLUSH | IR_FP_NOFLAGS)) &&
	       IR_FP_ROUND(ins->aux) != IR_ROD;
}

bool
gen_fp_rare(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool lanes = is_vector_type((enum ir_type)ins->type);

	if (!(ir_op_info[ins->op].effects & IR_E_FP) || !is_arm(ins) || (!g->hot.vex && g->hot.scratch < 0) ||
	    (lanes ? IR_VFP_LANE(ins->aux) == IR_F16 : ins->type == IR_F16))
		return false;
	switch (ins->op) {
	case IR_FMULX:
	case IR_VFMULX: multiply(g, ref); return true;
	case IR_FRECPS:
	case IR_VFRECPS:
	case IR_FRSQRTS:
	case IR_VFRSQRTS:
		if (!g->cpu->fma)
			return false;
		step(g, ref, ins->op == IR_FRSQRTS || ins->op == IR_VFRSQRTS);
		return true;
	case IR_VFRINT: return round_lanes(g, ref);
	case IR_VF2I: return to_integers(g, ref);
	case IR_VI2F: return from_integers(g, ref);
	case IR_F2I:
	case IR_F2X: return to_unsigned(g, ref);
	case IR_I2F:
	case IR_X2F: return from_unsigned(g, ref);
	default: return false;
	}
}

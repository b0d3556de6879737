/* Floating point of loops: RISC-V's rules on SSE, AVX and FMA, as fp.c has them for
 * tier 1, whose head comment says where the host differs. A result that is checked
 * before it counts is made in xmm15. */
#include "codegen/x86_64/loop.h"

static int
fp_size(enum ir_type type)
{
	return type == IR_F64 ? 8 : 4;
}

static bool
is_float(enum ir_type type)
{
	return type == IR_F32 || type == IR_F64;
}

/* ROUNDSD's modes; 4 takes MXCSR's. 0xff: the host has none. */
static const uint8_t host_round[] = { [IR_RNE] = X86_RNE, [IR_RTZ] = X86_RTZ, [IR_RDN] = X86_RDN, [IR_RUP] = X86_RUP,
				      [IR_RMM] = 0xff,    [IR_ROD] = 0xff,    [6] = 0xff,         [IR_RDYN] = 4 };

static bool
is_plain(unsigned aux)
{
	return IR_FP_NAN(aux) == IR_NAN_RISCV && !(aux & (IR_FP_TINY_BEFORE | IR_FP_FLUSH | IR_FP_NOFLAGS));
}

/* Rounds as MXCSR says; rounding to nearest by name is asked for at entry. */
static bool
rounds_plainly(unsigned aux)
{
	return is_plain(aux) && (IR_FP_ROUND(aux) == IR_RDYN || IR_FP_ROUND(aux) == IR_RNE);
}

bool
loop_fp_knows(const struct loop *l, ir_ref ref)
{
	const struct ir_ins *ins = &l->ins[ref];
	enum ir_type type = (enum ir_type)ins->type, from = (enum ir_type)l->ins[ins->a].type;
	unsigned variant = IR_FP_VARIANT_OF(ins->aux), aux = ins->aux;
	enum ir_round round = IR_FP_ROUND(aux);

	switch (ins->op) {
	case IR_FADD:
	case IR_FSUB:
	case IR_FMUL:
	case IR_FDIV:
	case IR_FSQRT:
	case IR_FMA:
		return is_float(type) && rounds_plainly(aux);
	case IR_FMIN:
	case IR_FMAX:
		return is_float(type) && is_plain(aux) && variant == IR_FMINMAX_NUMBER;
	case IR_FCMP:
		return is_float(from) && !(aux & IR_FP_FLUSH) && (variant & 7) <= IR_FCMP_UNORD && !(variant & IR_FCMP_X86);
	case IR_FCVT:
		return is_float(type) && is_float(from) && rounds_plainly(aux);
	case IR_F2I:
		return is_float(from) && (type == IR_I32 || type == IR_I64) && is_plain(aux) &&
		       (variant & 3) == IR_F2I_RISCV && host_round[round] != 0xff &&
		       (variant & IR_F2I_SIGNED || l->g.cpu->avx512f);
	case IR_I2F:
		return is_float(type) && (from == IR_I32 || from == IR_I64) && is_plain(aux) &&
		       (round == IR_RDYN || round == IR_RNE || (from == IR_I32 && type == IR_F64)) &&
		       (variant & IR_I2F_SIGNED || from == IR_I32 || l->g.cpu->avx512f);
	case IR_FRINT:
		return is_float(type) && is_plain(aux) && !(variant & ~(unsigned)IR_FRINT_INEXACT) && host_round[round] != 0xff;
	case IR_FNEG:
	case IR_FABS:
	case IR_FSGNJ:
		return is_float(type);
	case IR_FPFLAGS_GET:
		return type == IR_I64;
	case IR_FPFLAGS_SET:
		return from == IR_I64;
	case IR_BOX:
		return from == IR_F32;
	case IR_UNBOX:
		return type == IR_F32;
	case IR_BITCAST:
		return ir_type_bits(type) >= 32 && ir_type_bits(type) <= 64 && (is_float(type) || type <= IR_I64) &&
		       (is_float(from) || from <= IR_I64);
	default:
		return false;
	}
}

void
loop_mend(struct loop *l, ir_ref ref, int reg)
{
	int size = l->val[loop_same(l, ref)].raw;
	struct x86_asm *a = &l->g.hot;

	if (!size)
		return;
	x86_ucomis(a, size, reg, reg);
	x86_patch_rel32(x86_jcc_forward(a, X86_CC_P), l->g.cold.p);
	x86_movsd_load(&l->g.cold, reg, FRAME_CONST(size == 8 ? K_NAN64 : K_NAN32));
	x86_jmp(&l->g.cold, a->p);
}

/* ---- arithmetic -------------------------------------------------------------- */

static void
arithmetic(struct loop *l, ir_ref ref)
{
	static const uint8_t opcode[] = { [IR_FADD] = 0x58, [IR_FMUL] = 0x59, [IR_FSUB] = 0x5c, [IR_FDIV] = 0x5e };
	const struct ir_ins *ins = &l->ins[ref];
	uint32_t op = X86_SCALAR(fp_size((enum ir_type)ins->type), opcode[ins->op]);
	int d = loop_out(l, ref, XMM15), ra = loop_in_fp(l, ins->a, XMM15);
	struct x86_mem m;

	if (loop_in_mem(l, ins->b, &m))
		x86_vop3_m(&l->g.hot, op, 0, d, ra, m);
	else
		x86_vop3(&l->g.hot, op, 0, d, ra, loop_in_fp(l, ins->b, XMM14));
	loop_made(l, ref, d);
}

/* The operands must be whole if the result is a NaN: it goes to the interpreter. */
static void
fused(struct loop *l, ir_ref ref)
{
	static const uint8_t form[] = { X86_FMADD, X86_FNMADD, X86_FMSUB, X86_FNMSUB };
	const struct ir_ins *ins = &l->ins[ref];
	enum x86_fma fma = (enum x86_fma)form[IR_FP_VARIANT_OF(ins->aux) & 3];
	int size = fp_size((enum ir_type)ins->type), ra, rc = loop_in_fp(l, ins->c, XMM15);
	struct x86_asm *a = &l->g.hot;
	struct x86_mem m;

	if (rc != XMM15)
		x86_movaps(a, XMM15, rc);
	ra = loop_in_fp(l, ins->a, XMM14);
	if (loop_in_mem(l, ins->b, &m))
		x86_fmas_m(a, fma, X86_231, size, XMM15, ra, m);
	else if (loop_is_const(l, ins->b) && ra == XMM14)
		x86_fmas_m(a, fma, X86_231, size, XMM15, ra,
			   const_mem(&l->g, (uint64_t)l->ins[loop_same(l, ins->b)].imm, 0));
	else
		x86_fmas(a, fma, X86_231, size, XMM15, ra, loop_in_fp(l, ins->b, XMM14));
	x86_ucomis(a, size, XMM15, XMM15);
	loop_bail(l, X86_CC_P, ref);
	loop_made(l, ref, XMM15);
}

/* NaNs are the interpreter's; of equal operands (zeros of unlike sign) and, or. */
static void
min_max(struct loop *l, ir_ref ref)
{
	const struct ir_ins *ins = &l->ins[ref];
	int size = fp_size((enum ir_type)ins->type);
	int ra = loop_in_fp(l, ins->a, XMM14), rb = loop_in_fp(l, ins->b, XMM15);
	bool is_min = ins->op == IR_FMIN;
	struct x86_asm *a = &l->g.hot, *cold = &l->g.cold;
	uint8_t *equal;

	loop_mend(l, ins->a, ra);
	loop_mend(l, ins->b, rb);
	x86_ucomis(a, size, ra, rb);
	loop_bail(l, X86_CC_P, ref);
	equal = x86_jcc_forward(a, X86_CC_E);
	x86_vop3(a, X86_SCALAR(size, is_min ? 0x5d : 0x5f), 0, XMM15, ra, rb);
	x86_patch_rel32(equal, cold->p);
	x86_vop3(cold, is_min ? X86_ORPS : X86_ANDPS, 0, XMM15, ra, rb);
	x86_jmp(cold, a->p);
	loop_made(l, ref, XMM15);
}

static void
compare(struct loop *l, ir_ref ref)
{
	const struct ir_ins *ins = &l->ins[ref];
	unsigned variant = IR_FP_VARIANT_OF(ins->aux), relation = variant & 7;
	int size = fp_size((enum ir_type)l->ins[ins->a].type), d = loop_out(l, ref, RAX);
	int ra = loop_in_fp(l, ins->a, XMM14), rb = loop_in_fp(l, ins->b, XMM15);
	static const uint8_t code[] = { [IR_FCMP_LT] = X86_CC_A, [IR_FCMP_LE] = X86_CC_AE, [IR_FCMP_UNORD] = X86_CC_P };
	struct x86_asm *a = &l->g.hot;
	int x = relation == IR_FCMP_EQ ? ra : rb, y = relation == IR_FCMP_EQ ? rb : ra;

	/* a < b is "b above a", which is false when unordered. */
	if (variant & IR_FP_SIGNALING)
		x86_comis(a, size, x, y);
	else
		x86_ucomis(a, size, x, y);
	if (relation == IR_FCMP_EQ) {
		x86_setcc_r(a, X86_CC_NP, RDX);
		x86_setcc_r(a, X86_CC_E, RAX);
		x86_alu_rr(a, X86_AND, 4, RAX, RDX);
	} else {
		x86_setcc_r(a, (enum x86_cc)code[relation], RAX);
	}
	x86_movzx_rr(a, 1, d, RAX);
	loop_made(l, ref, d);
}

/* ---- conversions -------------------------------------------------------------- */

/* The host's out-of-range answer goes to the interpreter; the flags it raised are
 * right already. */
static void
to_integer(struct loop *l, ir_ref ref)
{
	const struct ir_ins *ins = &l->ins[ref];
	int size = op_size((enum ir_type)ins->type), fp = fp_size((enum ir_type)l->ins[ins->a].type);
	enum ir_round round = IR_FP_ROUND(ins->aux);
	bool other = round != IR_RDYN && round != IR_RTZ; /* than the host converts in */
	bool is_signed = IR_FP_VARIANT_OF(ins->aux) & IR_F2I_SIGNED;
	int ra = loop_in_fp(l, ins->a, XMM14), x = ra;
	struct x86_asm *a = &l->g.hot;

	if (other) {
		x = XMM15;
		x86_rounds(a, fp, x, ra, host_round[round] | 8);
	}
	if (is_signed) {
		if (round != IR_RDYN)
			x86_cvtts2si(a, fp, size, RAX, x);
		else
			x86_cvts2si(a, fp, size, RAX, x);
		x86_alu_ri(a, X86_CMP, size, RAX, 1);
		loop_bail(l, X86_CC_O, ref);
	} else {
		if (round != IR_RDYN)
			x86_vcvtts2usi(a, fp, size, 0, RAX, x);
		else
			x86_vcvts2usi(a, fp, size, 0, RAX, x);
		x86_alu_ri(a, X86_CMP, size, RAX, -1);
		loop_bail(l, X86_CC_E, ref);
	}
	if (other) /* in range: now inexact may be raised */
		x86_rounds(a, fp, x, ra, host_round[round]);
	loop_made(l, ref, RAX);
}

static void
from_integer(struct loop *l, ir_ref ref)
{
	const struct ir_ins *ins = &l->ins[ref];
	int size = op_size((enum ir_type)l->ins[ins->a].type), fp = fp_size((enum ir_type)ins->type);
	int d = loop_out(l, ref, XMM15), ra = loop_in(l, ins->a, RAX);

	if (IR_FP_VARIANT_OF(ins->aux) & IR_I2F_SIGNED) {
		x86_cvtsi2s(&l->g.hot, fp, size, d, ra);
	} else if (size == 8) {
		x86_vcvtusi2s(&l->g.hot, fp, size, 0, d, ra);
	} else { /* zero-extended it is a signed 64-bit number */
		x86_mov_rr(&l->g.hot, 4, RAX, ra);
		x86_cvtsi2s(&l->g.hot, fp, 8, d, RAX);
	}
	loop_made(l, ref, d);
}

/* ---- bits -------------------------------------------------------------------------- */

static void
sign_op(struct loop *l, ir_ref ref)
{
	const struct ir_ins *ins = &l->ins[ref];
	bool is64 = ins->type == IR_F64;
	struct x86_mem sign = FRAME_CONST(is64 ? K_SIGN64 : K_SIGN32), magnitude = FRAME_CONST(is64 ? K_ABS64 : K_ABS32);
	int d = loop_out(l, ref, XMM15), ra = loop_in_fp(l, ins->a, XMM15), rb;
	struct x86_asm *a = &l->g.hot;

	loop_mend(l, ins->a, ra);
	if (ins->op == IR_FNEG) {
		x86_vop3_m(a, X86_XORPS, 0, d, ra, sign);
	} else if (ins->op == IR_FABS) {
		x86_vop3_m(a, X86_ANDPS, 0, d, ra, magnitude);
	} else {
		rb = loop_in_fp(l, ins->b, XMM14);
		loop_mend(l, ins->b, rb);
		if (ins->aux == IR_FSGNJ_NOT) {
			x86_vop3_m(a, X86_XORPS, 0, XMM14, rb, sign);
			rb = XMM14;
		}
		x86_vop3_m(a, X86_ANDPS, 0, XMM14, rb, sign);
		if (ins->aux != IR_FSGNJ_XOR) {
			x86_vop3_m(a, X86_ANDPS, 0, XMM15, ra, magnitude);
			ra = XMM15;
		}
		x86_vop3(a, ins->aux == IR_FSGNJ_XOR ? X86_XORPS : X86_ORPS, 0, d, ra, XMM14);
	}
	loop_made(l, ref, d);
}

/* A container that is not a box reads as the canonical NaN. */
static void
unbox(struct loop *l, ir_ref ref)
{
	int d = loop_out(l, ref, XMM15), ra = loop_in_fp(l, l->ins[ref].a, XMM14);
	struct x86_asm *a = &l->g.hot, *cold = &l->g.cold;
	uint8_t *other;

	x86_pextr(a, 4, RAX, ra, 1);
	x86_alu_ri(a, X86_CMP, 4, RAX, -1);
	other = x86_jcc_forward(a, X86_CC_NE);
	if (d != ra)
		x86_movaps(a, d, ra);
	x86_patch_rel32(other, cold->p);
	x86_movsd_load(cold, d, FRAME_CONST(K_NAN32));
	x86_jmp(cold, a->p);
	loop_made(l, ref, d);
}

static void
bitcast(struct loop *l, ir_ref ref)
{
	const struct ir_ins *ins = &l->ins[ref];
	bool from_fp = bank_of(&l->g, ins->a) == FPR, to_fp = bank_of(&l->g, ref) == FPR;
	int size = ir_type_bits((enum ir_type)ins->type) == 64 ? 8 : 4, ra, d;

	ra = from_fp ? loop_in_fp(l, ins->a, XMM14) : loop_in(l, ins->a, RAX);
	if (from_fp)
		loop_mend(l, ins->a, ra);
	if (from_fp == to_fp) {
		loop_made(l, ref, ra);
		return;
	}
	d = loop_out(l, ref, to_fp ? XMM15 : RAX);
	if (to_fp)
		x86_movd_xr(&l->g.hot, size, d, ra);
	else
		x86_movd_rx(&l->g.hot, size, d, ra);
	loop_made(l, ref, d);
}

static void
one_operand(struct loop *l, ir_ref ref)
{
	const struct ir_ins *ins = &l->ins[ref];
	int size = fp_size((enum ir_type)ins->type), d = loop_out(l, ref, XMM15), ra = loop_in_fp(l, ins->a, XMM14);
	bool inexact = IR_FP_VARIANT_OF(ins->aux) & IR_FRINT_INEXACT;
	struct x86_asm *a = &l->g.hot;

	switch (ins->op) {
	case IR_FSQRT:
		x86_sqrts(a, size, d, ra);
		break;
	case IR_FRINT:
		x86_rounds(a, size, d, ra, host_round[IR_FP_ROUND(ins->aux)] | (inexact ? 0 : 8));
		break;
	case IR_FCVT:
		if (l->ins[ins->a].type == ins->type)
			d = ra;
		else if (size == 8)
			x86_cvtss2sd(a, d, ra);
		else
			x86_cvtsd2ss(a, d, ra);
		break;
	default: /* BOX */
		loop_mend(l, ins->a, ra);
		x86_vop3_m(a, X86_ORPS, 0, d, ra, FRAME_CONST(K_BOX32));
	}
	loop_made(l, ref, d);
}

static void
flags_get(struct loop *l, ir_ref ref)
{
	const int32_t table = (int32_t)offsetof(struct ir_frame, constant) + 8 * K_FLAGS - IR_FRAME_BIAS;
	struct x86_asm *a = &l->g.hot;

	x86_stmxcsr(a, FRAME(host_fp));
	x86_mov_rm(a, 4, RAX, FRAME(host_fp));
	x86_alu_ri(a, X86_AND, 4, RAX, 0x3f);
	x86_movzx_rm(a, 1, RAX, x86_index(RBP, RAX, 0, table));
	x86_or_rm(a, 4, RAX, FRAME(fp_flags));
	loop_made(l, ref, RAX);
}

static void
flags_set(struct loop *l, ir_ref ref)
{
	struct x86_asm *a = &l->g.hot;

	x86_mov_rr(a, 4, RAX, loop_in(l, l->ins[ref].a, RAX));
	x86_alu_ri(a, X86_AND, 4, RAX, 0x7f);
	x86_mov_mr(a, 4, FRAME(fp_flags), RAX);
	x86_stmxcsr(a, FRAME(host_fp));
	x86_alu_mi(a, X86_AND, 4, FRAME(host_fp), ~0x3f);
	x86_ldmxcsr(a, FRAME(host_fp));
}

bool
loop_fp(struct loop *l, ir_ref ref)
{
	switch (l->ins[ref].op) {
	case IR_FADD:
	case IR_FSUB:
	case IR_FMUL:
	case IR_FDIV: arithmetic(l, ref); return true;
	case IR_FMA: fused(l, ref); return true;
	case IR_FMIN:
	case IR_FMAX: min_max(l, ref); return true;
	case IR_FCMP: compare(l, ref); return true;
	case IR_F2I: to_integer(l, ref); return true;
	case IR_I2F: from_integer(l, ref); return true;
	case IR_FSQRT:
	case IR_FRINT:
	case IR_FCVT:
	case IR_BOX: one_operand(l, ref); return true;
	case IR_FNEG:
	case IR_FABS:
	case IR_FSGNJ: sign_op(l, ref); return true;
	case IR_FPFLAGS_GET: flags_get(l, ref); return true;
	case IR_FPFLAGS_SET: flags_set(l, ref); return true;
	case IR_UNBOX: unbox(l, ref); return true;
	case IR_BITCAST: bitcast(l, ref); return true;
	default: return false;
	}
}

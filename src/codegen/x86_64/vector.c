/* Vector ops on integer lanes, inline: SSE4.2, three operands with AVX, AVX-512
 * where it has what was missing. Ops and lanes without an instruction of their
 * own are a few of others; the identities stand at each. */
#include "codegen/x86_64/vector.h"

void
vec_finish(struct gen *g, ir_ref ref, int d)
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

void
vec_unary(struct gen *g, ir_ref ref, uint32_t op)
{
	int s = use(g, g->ins[ref].a), d = dest(g, ref, true);

	x86_vop2(&g->hot, op, 0, d, s);
	vec_finish(g, ref, d);
}

static void
binary(struct gen *g, ir_ref ref, uint32_t op, ir_ref x, ir_ref y)
{
	int s = use(g, x), t, d;
	struct x86_mem m;

	if (g->hot.vex && resolve(g, x) != resolve(g, y) && use_vector_mem(g, y, &m)) {
		d = vec_dest(g, ref);
		x86_vop3_m(&g->hot, op, 0, d, s, m);
	} else {
		t = use(g, y);
		d = vec_dest(g, ref);
		x86_vop3(&g->hot, op, 0, d, s, t);
	}
	vec_finish(g, ref, d);
}

void
vec_binary(struct gen *g, ir_ref ref, uint32_t op)
{
	binary(g, ref, op, g->ins[ref].a, g->ins[ref].b);
}

void
vec_swapped(struct gen *g, ir_ref ref, uint32_t op)
{
	binary(g, ref, op, g->ins[ref].b, g->ins[ref].a);
}

/* ---- ops that are one instruction --------------------------------------- */

#define NONE 0
#define BY_LANE(b, w, d, q) { b, w, d, q }
struct by_lane {
	uint32_t lane[4]; /* of 1, 2, 4, 8 bytes */
};
static const struct by_lane one[IR_OP_COUNT] = {
	[IR_VADD] = { BY_LANE(X86_PADDB, X86_PADDW, X86_PADDD, X86_PADDQ) },
	[IR_VSUB] = { BY_LANE(X86_PSUBB, X86_PSUBW, X86_PSUBD, X86_PSUBQ) },
	[IR_VMUL] = { BY_LANE(NONE, X86_PMULLW, X86_PMULLD, NONE) },
	[IR_VAND] = { BY_LANE(X86_PAND, X86_PAND, X86_PAND, X86_PAND) },
	[IR_VOR] = { BY_LANE(X86_POR, X86_POR, X86_POR, X86_POR) },
	[IR_VXOR] = { BY_LANE(X86_PXOR, X86_PXOR, X86_PXOR, X86_PXOR) },
	[IR_VSMIN] = { BY_LANE(X86_PMINSB, X86_PMINSW, X86_PMINSD, NONE) },
	[IR_VSMAX] = { BY_LANE(X86_PMAXSB, X86_PMAXSW, X86_PMAXSD, NONE) },
	[IR_VUMIN] = { BY_LANE(X86_PMINUB, X86_PMINUW, X86_PMINUD, NONE) },
	[IR_VUMAX] = { BY_LANE(X86_PMAXUB, X86_PMAXUW, X86_PMAXUD, NONE) },
	[IR_VADDS] = { BY_LANE(X86_PADDSB, X86_PADDSW, NONE, NONE) },
	[IR_VSUBS] = { BY_LANE(X86_PSUBSB, X86_PSUBSW, NONE, NONE) },
	[IR_VADDU] = { BY_LANE(X86_PADDUSB, X86_PADDUSW, NONE, NONE) },
	[IR_VSUBU] = { BY_LANE(X86_PSUBUSB, X86_PSUBUSW, NONE, NONE) },
	[IR_VCMPEQ] = { BY_LANE(X86_PCMPEQB, X86_PCMPEQW, X86_PCMPEQD, X86_PCMPEQQ) },
	[IR_VCMPGT] = { BY_LANE(X86_PCMPGTB, X86_PCMPGTW, X86_PCMPGTD, X86_PCMPGTQ) },
};

static unsigned
lane_index(const struct ir_ins *ins)
{
	return (unsigned)__builtin_ctz((unsigned)lane_bytes(ins));
}

/* What AVX-512 has for lanes of 8 bytes. */
static uint32_t
wide_op(enum ir_op op)
{
	switch ((int)op) {
	case IR_VMUL: return X86_VPMULLQ;
	case IR_VSMIN: return X86_VPMINSQ;
	case IR_VSMAX: return X86_VPMAXSQ;
	case IR_VUMIN: return X86_VPMINUQ;
	case IR_VUMAX: return X86_VPMAXUQ;
	default: return 0;
	}
}

static bool
by_instruction(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool bits = ins->op == IR_VAND || ins->op == IR_VOR || ins->op == IR_VXOR;
	uint32_t op = one[ins->op].lane[bits ? 0 : lane_index(ins)];
	int s, t, d;

	if (op) {
		/* Zeros above both stay so. */
		bool clear = g->val[resolve(g, ins->a)].zx == 8 && g->val[resolve(g, ins->b)].zx == 8 && ins->op != IR_VCMPEQ;

		binary(g, ref, op, ins->a, ins->b);
		if (clear)
			g->val[ref].zx = 8;
		return true;
	}
	op = lane_bytes(ins) == 8 && g->cpu->avx512vl && g->cpu->avx512dq ? wide_op(ins->op) : 0;
	if (!op)
		return false;
	s = use(g, ins->a);
	t = use(g, ins->b);
	d = vec_dest(g, ref);
	x86_evex_rr(&g->hot, op, X86_L128, d, s, t);
	vec_finish(g, ref, d);
	return true;
}

/* ---- bits --------------------------------------------------------------- */

static void
complement(struct gen *g, ir_ref ref)
{
	int s = use(g, g->ins[ref].a), d = dest(g, ref, true);

	vec_with_const(g, X86_PXOR, d, s, UINT64_MAX, UINT64_MAX);
	vec_finish(g, ref, d);
}

/* a ? b : c by bits: ((b ^ c) & a) ^ c, or one ternary. */
static void
choose(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int m = use(g, ins->a), x = use(g, ins->b), y = use(g, ins->c), t = temp(g, FPR), d;

	if (g->cpu->avx512vl) {
		x86_movaps(&g->hot, t, m);
		x86_evex_rr(&g->hot, X86_VPTERNLOGD, X86_L128, t, x, y);
		x86_put8(&g->hot, 0xca);
		d = dest_or(g, ref, t);
		if (d != t)
			x86_movaps(&g->hot, d, t);
	} else {
		x86_vop3(&g->hot, X86_PXOR, 0, t, x, y);
		x86_vop3(&g->hot, X86_PAND, 0, t, t, m);
		d = dest_or(g, ref, t);
		if (d == y)
			x86_vop3(&g->hot, X86_PXOR, 0, d, y, t);
		else
			x86_vop3(&g->hot, X86_PXOR, 0, d, t, y);
	}
	vec_finish(g, ref, d);
}

/* Table of 16 looked up by each half of each byte: t = low half's, u = high's. */
static void
nibbles(struct gen *g, int s, int t, int u, const uint64_t low[2], const uint64_t high[2])
{
	uint64_t mask = vec_repeat(15, 1);
	int v = temp(g, FPR);

	x86_vshift_i(&g->hot, 2, 2, 0, u, s, 4);
	vec_with_const(g, X86_PAND, u, u, mask, mask);
	vec_with_const(g, X86_PAND, t, s, mask, mask);
	vec_load_const(g, v, low[0], low[1]);
	x86_vop3(&g->hot, X86_PSHUFB, 0, v, v, t);
	vec_load_const(g, t, high[0], high[1]);
	x86_vop3(&g->hot, X86_PSHUFB, 0, t, t, u);
	x86_movaps(&g->hot, u, t);
	x86_movaps(&g->hot, t, v);
}

static bool
count_or_reverse(struct gen *g, ir_ref ref)
{
	static const uint64_t ones[2] = { 0x0302020102010100, 0x0403030203020201 };
	static const uint64_t mirror[2] = { 0xe060a020c0408000, 0xf070b030d0509010 }; /* of the low half */
	static const uint64_t mirror_high[2] = { 0x0e060a020c040800, 0x0f070b030d050901 };
	const struct ir_ins *ins = &g->ins[ref];
	bool count = ins->op == IR_VPOPCNT;
	int s, t, u, d;

	if (lane_bytes(ins) != 1)
		return false;
	s = use(g, ins->a);
	t = temp(g, FPR);
	u = temp(g, FPR);
	nibbles(g, s, t, u, count ? ones : mirror, count ? ones : mirror_high);
	d = dest_or(g, ref, t);
	x86_vop3(&g->hot, count ? X86_PADDB : X86_POR, 0, d, t, u);
	vec_finish(g, ref, d);
	return true;
}

/* Leading zeros: of bytes by their halves, of lanes twice as wide those of the
 * high half, plus the low one's where the high one is all zero. */
static bool
leading_zeros(struct gen *g, ir_ref ref)
{
	static const uint64_t low[2] = { 0x0505050506060708, 0x0404040404040404 };
	static const uint64_t high[2] = { 0x0101010102020308, 0 };
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = lane_bytes(ins), s, t, u;

	if (bytes == 8)
		return false;
	s = use(g, ins->a);
	t = temp(g, FPR);
	u = temp(g, FPR);
	nibbles(g, s, t, u, low, high);
	x86_vop3(&g->hot, X86_PMINUB, 0, t, t, u);
	for (int half = 1; half < bytes; half *= 2) {
		uint64_t all = vec_repeat(8 * (unsigned)half, half);

		vec_with_const(g, one[IR_VCMPEQ].lane[__builtin_ctz((unsigned)half)], u, t, all, all);
		x86_vshift_i(&g->hot, 2 * half, 2, 0, u, u, 8 * half);
		x86_vop3(&g->hot, X86_PAND, 0, u, u, t);
		x86_vshift_i(&g->hot, 2 * half, 2, 0, t, t, 8 * half);
		x86_vop3(&g->hot, one[IR_VADD].lane[__builtin_ctz(2 * (unsigned)half)], 0, t, t, u);
	}
	vec_finish(g, ref, t);
	return true;
}

/* ---- shifts by one count ------------------------------------------------ */

/* d = s shifted by a constant, lanes of 2, 4 or 8 bytes. */
static void
shift_lanes(struct gen *g, enum ir_op op, int bytes, int d, int s, int count)
{
	static const uint8_t digit[] = { [IR_VSHL - IR_VSHL] = 6, [IR_VLSHR - IR_VSHL] = 2, [IR_VASHR - IR_VSHL] = 4 };
	int t;

	if (op == IR_VASHR && bytes == 8) {
		if (g->cpu->avx512vl) { /* the digit's place is the destination's */
			x86_evex_rr(&g->hot, X86_OP(66, 0F, 0x72) | X86_EW, X86_L128, 4, d, s);
			x86_put8(&g->hot, count);
			return;
		}
		/* (s >> n ^ sign) - sign, the sign's bit moved along */
		t = temp(g, FPR);
		vec_load_const(g, t, UINT64_C(1) << (63 - count), UINT64_C(1) << (63 - count));
		x86_vshift_i(&g->hot, 8, 2, 0, d, s, count);
		x86_vop3(&g->hot, X86_PXOR, 0, d, d, t);
		x86_vop3(&g->hot, X86_PSUBQ, 0, d, d, t);
		return;
	}
	x86_vshift_i(&g->hot, bytes, digit[op - IR_VSHL], 0, d, s, count);
}

/* Bytes: in lanes of 2, and what came over the border cleared. */
static void
shift_bytes(struct gen *g, enum ir_op op, int d, int s, int count)
{
	unsigned mask = op == IR_VSHL ? 0xffu << count & 0xff : 0xffu >> count;
	uint64_t sign = vec_repeat(0x80u >> count, 1), keep = vec_repeat(mask, 1);

	x86_vshift_i(&g->hot, 2, op == IR_VSHL ? 6 : 2, 0, d, s, count);
	vec_with_const(g, X86_PAND, d, d, keep, keep);
	if (op != IR_VASHR)
		return;
	vec_with_const(g, X86_PXOR, d, d, sign, sign);
	vec_with_const(g, X86_PSUBB, d, d, sign, sign);
}

void
vec_shift_constant(struct gen *g, enum ir_op op, int bytes, int d, int s, int count)
{
	if (bytes == 1)
		shift_bytes(g, op, d, s, count);
	else
		shift_lanes(g, op, bytes, d, s, count);
}

static bool
shift(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = lane_bytes(ins), s, d;
	uint64_t count;

	if (!is_const(g, ins->b))
		return false;
	count = (uint64_t)g->ins[resolve(g, ins->b)].imm;
	if (count >= 8 * (unsigned)bytes && ins->op == IR_VASHR)
		count = 8 * (unsigned)bytes - 1;
	s = use(g, ins->a);
	d = dest(g, ref, true);
	if (count >= 8 * (unsigned)bytes)
		x86_vzero(&g->hot, d);
	else
		vec_shift_constant(g, ins->op, bytes, d, s, (int)count);
	vec_finish(g, ref, d);
	return true;
}

/* ---- comparison, minimum, absolute values ------------------------------- */

/* Unsigned: as signed numbers with the signs flipped. */
static void
above(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = lane_bytes(ins), s = use(g, ins->a), x = use(g, ins->b), t = temp(g, FPR), u = temp(g, FPR), d;
	uint64_t sign = vec_repeat(UINT64_C(1) << (8 * bytes - 1), bytes);

	vec_with_const(g, X86_PXOR, t, s, sign, sign);
	vec_with_const(g, X86_PXOR, u, x, sign, sign);
	d = dest_or(g, ref, t);
	x86_vop3(&g->hot, one[IR_VCMPGT].lane[lane_index(ins)], 0, d, t, u);
	vec_finish(g, ref, d);
}

static bool
absolute(struct gen *g, ir_ref ref)
{
	static const uint32_t op[] = { X86_PABSB, X86_PABSW, X86_PABSD };
	const struct ir_ins *ins = &g->ins[ref];
	int s, t, d;

	if (lane_bytes(ins) < 8) {
		vec_unary(g, ref, op[lane_index(ins)]);
		return true;
	}
	s = use(g, ins->a);
	t = temp(g, FPR);
	x86_vzero(&g->hot, t); /* (a ^ sign) - sign, of the sign of each */
	x86_vop3(&g->hot, X86_PCMPGTQ, 0, t, t, s);
	if (g->hot.vex) {
		d = dest(g, ref, true);
		x86_vop3(&g->hot, X86_PXOR, 0, d, s, t);
	} else {
		d = temp(g, FPR);
		x86_vop3(&g->hot, X86_PXOR, 0, d, s, t);
	}
	x86_vop3(&g->hot, X86_PSUBQ, 0, d, d, t);
	vec_finish(g, ref, d);
	return true;
}

static void
negate(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int s = use(g, ins->a), t = temp(g, FPR), d;

	x86_vzero(&g->hot, t);
	d = dest_or(g, ref, t);
	if (d == s && !g->hot.vex)
		d = t;
	x86_vop3(&g->hot, one[IR_VSUB].lane[lane_index(ins)], 0, d, t, s);
	vec_finish(g, ref, d);
}

/* |a - b|: max - min. */
static bool
difference(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool is_signed = ins->aux & IR_LANE_SIGNED;
	unsigned i = lane_index(ins);
	int s, x, t, u, d;

	if (i == 3)
		return false;
	s = use(g, ins->a);
	x = use(g, ins->b);
	t = temp(g, FPR);
	u = temp(g, FPR);
	x86_vop3(&g->hot, one[is_signed ? IR_VSMAX : IR_VUMAX].lane[i], 0, t, s, x);
	x86_vop3(&g->hot, one[is_signed ? IR_VSMIN : IR_VUMIN].lane[i], 0, u, s, x);
	d = dest_or(g, ref, t);
	x86_vop3(&g->hot, one[IR_VSUB].lane[i], 0, d, t, u);
	vec_finish(g, ref, d);
	return true;
}

/* ---- halves of sums ----------------------------------------------------- */

/* (a + b) >> 1 = (a & b) + ((a ^ b) >> 1), rounded (a | b) - ((a ^ b) >> 1);
 * (a - b) >> 1 = ((a ^ b) >> 1) - (~a & b). */
static bool
halve(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	enum ir_op right = ins->aux & IR_LANE_SIGNED ? IR_VASHR : IR_VLSHR;
	bool minus = ins->op == IR_VHSUB, rounds = ins->aux & IR_LANE_ROUND;
	int bytes = lane_bytes(ins), s, x, t, u, d;
	uint32_t combine = minus || rounds ? one[IR_VSUB].lane[lane_index(ins)] : one[IR_VADD].lane[lane_index(ins)];

	if (!minus && rounds && right == IR_VLSHR && bytes <= 2) {
		vec_binary(g, ref, bytes == 1 ? X86_PAVGB : X86_PAVGW);
		return true;
	}
	s = use(g, ins->a);
	x = use(g, ins->b);
	t = temp(g, FPR);
	u = temp(g, FPR);
	x86_vop3(&g->hot, X86_PXOR, 0, t, s, x);
	vec_shift_constant(g, right, bytes, t, t, 1);
	x86_vop3(&g->hot, minus ? X86_PANDN : rounds ? X86_POR : X86_PAND, 0, u, s, x);
	if (!minus && rounds) { /* u - t */
		d = dest_or(g, ref, u);
		x86_vop3(&g->hot, combine, 0, d, u, t);
	} else {
		d = dest_or(g, ref, t);
		x86_vop3(&g->hot, combine, 0, d, t, u);
	}
	vec_finish(g, ref, d);
	return true;
}

/* ---- saturation of wide lanes ------------------------------------------- */

/* Unsigned i32: min(a, ~b) + b; max(a, b) - b. */
static bool
saturate_unsigned(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int s, x, t, d;

	if (lane_bytes(ins) != 4)
		return false;
	s = use(g, ins->a);
	x = use(g, ins->b);
	t = temp(g, FPR);
	if (ins->op == IR_VADDU) {
		vec_with_const(g, X86_PXOR, t, x, UINT64_MAX, UINT64_MAX);
		x86_vop3(&g->hot, X86_PMINUD, 0, t, t, s);
	} else {
		x86_vop3(&g->hot, X86_PMAXUD, 0, t, s, x);
	}
	d = dest_or(g, ref, t);
	if (d == x && !g->hot.vex)
		d = t;
	x86_vop3(&g->hot, ins->op == IR_VADDU ? X86_PADDD : X86_PSUBD, 0, d, t, x);
	vec_finish(g, ref, d);
	return true;
}

/* Signed i32: r = a op b; where it overflowed ((a ^ r) & (b ^ r), or (a ^ b) & (a ^
 * r)) the largest of the sign of a. */
static bool
saturate_signed(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool minus = ins->op == IR_VSUBS;
	int s, x, r, t, u, d;

	if (lane_bytes(ins) != 4)
		return false;
	s = use(g, ins->a);
	x = use(g, ins->b);
	r = temp(g, FPR);
	t = temp(g, FPR);
	u = temp(g, FPR);
	x86_vop3(&g->hot, minus ? X86_PSUBD : X86_PADDD, 0, r, s, x);
	x86_vop3(&g->hot, X86_PXOR, 0, t, x, minus ? s : r);
	x86_vop3(&g->hot, X86_PXOR, 0, u, s, r);
	x86_vop3(&g->hot, X86_PAND, 0, t, t, u);
	x86_vshift_i(&g->hot, 4, 4, 0, t, t, 31);
	x86_vshift_i(&g->hot, 4, 4, 0, u, s, 31);
	vec_with_const(g, X86_PXOR, u, u, vec_repeat(0x7fffffff, 4), vec_repeat(0x7fffffff, 4));
	/* r ^ ((r ^ u) & t) */
	x86_vop3(&g->hot, X86_PXOR, 0, u, u, r);
	x86_vop3(&g->hot, X86_PAND, 0, u, u, t);
	d = dest_or(g, ref, r);
	x86_vop3(&g->hot, X86_PXOR, 0, d, r, u);
	vec_finish(g, ref, d);
	return true;
}

bool
vector_has_code(const struct gen *g, const struct ir_ins *ins)
{
	return ins->type != IR_V256 && (g->hot.vex || g->hot.scratch >= 0) &&
	       (ir_op_info[ins->op].operands[0] != 'v' || is_vector_type((enum ir_type)g->ins[ins->a].type));
}

bool
gen_vector(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];

	if (ins->op < IR_VSPLAT || ins->op > IR_VTRNODD || !vector_has_code(g, ins))
		return false;
	if (vec_move(g, ref) || vec_width(g, ref) || vec_product(g, ref) || vec_wide(g, ref))
		return true;
	switch (ins->op) {
	case IR_VANDN: vec_swapped(g, ref, X86_PANDN); return true;
	case IR_VNOT: complement(g, ref); return true;
	case IR_VBSL: choose(g, ref); return true;
	case IR_VPOPCNT:
	case IR_VBITREV: return count_or_reverse(g, ref);
	case IR_VCLZ: return leading_zeros(g, ref);
	case IR_VSHL:
	case IR_VLSHR:
	case IR_VASHR: return shift(g, ref);
	case IR_VSHIFT: return vec_shift_lanes(g, ref);
	case IR_VCMPGTU: above(g, ref); return true;
	case IR_VABS: return absolute(g, ref);
	case IR_VNEG: negate(g, ref); return true;
	case IR_VABD: return difference(g, ref);
	case IR_VHADD:
	case IR_VHSUB: return halve(g, ref);
	case IR_VADDU:
	case IR_VSUBU: return by_instruction(g, ref) || saturate_unsigned(g, ref);
	case IR_VADDS:
	case IR_VSUBS: return by_instruction(g, ref) || saturate_signed(g, ref);
	default: return by_instruction(g, ref);
	}
}

/* Vector ops that change the width of lanes: extension, narrowing, products,
 * sums of neighbours and of all lanes. */
#include "codegen/x86_64/vector.h"

#include <string.h>

/* ---- extension, narrowing ----------------------------------------------- */

static bool
extend(struct gen *g, ir_ref ref)
{
	static const uint32_t sign[] = { [1] = X86_PMOVSXBW, [2] = X86_PMOVSXWD, [4] = X86_PMOVSXDQ };
	static const uint32_t zero[] = { [1] = X86_PMOVZXBW, [2] = X86_PMOVZXWD, [4] = X86_PMOVZXDQ };
	const struct ir_ins *ins = &g->ins[ref];

	vec_unary(g, ref, ins->op == IR_VSXTL ? sign[lane_bytes(ins)] : zero[lane_bytes(ins)]);
	return true;
}

static void
truncate(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = lane_bytes(ins), lanes = (int)ir_type_bits((enum ir_type)g->ins[ins->a].type) / 8 / bytes;
	int s = use(g, ins->a), d = dest(g, ref, true);
	uint8_t order[16];
	uint64_t words[2];

	memset(order, 0x80, sizeof order); /* zeros */
	for (int i = 0; i < lanes * bytes / 2; i++)
		order[i] = (uint8_t)(i / (bytes / 2) * bytes + i % (bytes / 2));
	memcpy(words, order, sizeof words);
	vec_with_const(g, X86_PSHUFB, d, s, words[0], words[1]);
	g->val[ref].zx = 8;
	vec_finish(g, ref, d);
}

/* Lanes of 8 bytes, by AVX-512, whose destination is in the place of a source. */
static bool
narrow_wide(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int s, t;

	if (!g->cpu->avx512vl)
		return false;
	s = use(g, ins->a);
	t = temp(g, FPR);
	if (ins->op == IR_VNARROWSU) {
		x86_vzero(&g->hot, t);
		x86_evex_rr(&g->hot, X86_VPMAXSQ, X86_L128, t, t, s);
		s = t;
	}
	x86_evex_rr(&g->hot, ins->op == IR_VNARROWS ? X86_VPMOVSQD : X86_VPMOVUSQD, X86_L128, s, 0, t);
	g->val[ref].zx = 8;
	vec_finish(g, ref, t);
	return true;
}

/* With saturation: PACK of the lanes and of zeros. */
static bool
narrow(struct gen *g, ir_ref ref)
{
	static const uint32_t pack_signed[] = { [2] = X86_PACKSSWB, [4] = X86_PACKSSDW };
	static const uint32_t pack_unsigned[] = { [2] = X86_PACKUSWB, [4] = X86_PACKUSDW };
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = lane_bytes(ins), s, t, d;
	uint64_t most;

	if (g->ins[ins->a].type != IR_V128)
		return false;
	if (bytes == 8)
		return narrow_wide(g, ref);
	s = use(g, ins->a);
	t = temp(g, FPR);
	if (ins->op == IR_VNARROWU) { /* too large for a signed one: cut first */
		most = vec_repeat(bytes == 2 ? 0xff : 0xffff, bytes);
		vec_with_const(g, bytes == 2 ? X86_PMINUW : X86_PMINUD, t, s, most, most);
		s = t;
	}
	d = dest_or(g, ref, t);
	x86_vop3(&g->hot, ins->op == IR_VNARROWS ? pack_signed[bytes] : pack_unsigned[bytes], 0, t, s, s);
	x86_movq(&g->hot, d, t);
	g->val[ref].zx = 8;
	vec_finish(g, ref, d);
	return true;
}

/* ---- products ----------------------------------------------------------- */

static bool
multiply_long(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool is_signed = ins->aux & IR_LANE_SIGNED;
	int bytes = lane_bytes(ins), s, x, t, u, d;

	if (ins->type != IR_V128)
		return false;
	s = use(g, ins->a);
	x = use(g, ins->b);
	t = temp(g, FPR);
	u = temp(g, FPR);
	switch (bytes) {
	case 1:
		x86_vop2(&g->hot, is_signed ? X86_PMOVSXBW : X86_PMOVZXBW, 0, t, s);
		x86_vop2(&g->hot, is_signed ? X86_PMOVSXBW : X86_PMOVZXBW, 0, u, x);
		d = dest_or(g, ref, t);
		x86_vop3(&g->hot, X86_PMULLW, 0, d, t, u);
		break;
	case 2:
		x86_vop3(&g->hot, X86_PMULLW, 0, t, s, x);
		x86_vop3(&g->hot, is_signed ? X86_PMULHW : X86_PMULHUW, 0, u, s, x);
		d = dest_or(g, ref, t);
		x86_vop3(&g->hot, X86_PUNPCKLWD, 0, d, t, u);
		break;
	case 4:
		x86_vop2(&g->hot, X86_PMOVZXDQ, 0, t, s);
		x86_vop2(&g->hot, X86_PMOVZXDQ, 0, u, x);
		d = dest_or(g, ref, t);
		x86_vop3(&g->hot, is_signed ? X86_PMULDQ : X86_PMULUDQ, 0, d, t, u);
		break;
	default:
		return false;
	}
	vec_finish(g, ref, d);
	return true;
}

/* Bytes: even and odd ones apart, in lanes of 2. */
static void
multiply_bytes(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int s = use(g, ins->a), x = use(g, ins->b), t = temp(g, FPR), u = temp(g, FPR), d;
	uint64_t even = vec_repeat(0xff, 2);

	x86_vshift_i(&g->hot, 2, 2, 0, t, s, 8);
	x86_vshift_i(&g->hot, 2, 2, 0, u, x, 8);
	x86_vop3(&g->hot, X86_PMULLW, 0, t, t, u);
	x86_vshift_i(&g->hot, 2, 6, 0, t, t, 8);
	x86_vop3(&g->hot, X86_PMULLW, 0, u, s, x);
	vec_with_const(g, X86_PAND, u, u, even, even);
	d = dest_or(g, ref, t);
	x86_vop3(&g->hot, X86_POR, 0, d, t, u);
	vec_finish(g, ref, d);
}

/* High half of the doubled product, i16: PMULHRSW is the rounded one. The one
 * product too large comes out as the smallest number. */
static void
double_high_wide(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	uint64_t smallest = vec_repeat(0x80000000, 4);
	int s = use(g, ins->a), x = use(g, ins->b), t = temp(g, FPR), u = temp(g, FPR);

	x86_vshift_i(&g->hot, 8, 2, 0, t, s, 32);
	x86_vshift_i(&g->hot, 8, 2, 0, u, x, 32);
	x86_vop3(&g->hot, X86_PMULDQ, 0, u, u, t);
	x86_vop3(&g->hot, X86_PMULDQ, 0, t, s, x);
	x86_vop3(&g->hot, X86_PADDQ, 0, t, t, t);
	x86_vop3(&g->hot, X86_PADDQ, 0, u, u, u);
	if (ins->aux & IR_LANE_ROUND) {
		vec_with_const(g, X86_PADDQ, t, t, 0x80000000, 0x80000000);
		vec_with_const(g, X86_PADDQ, u, u, 0x80000000, 0x80000000);
	}
	x86_vshift_i(&g->hot, 8, 2, 0, t, t, 32);
	x86_vop3_i(&g->hot, X86_PBLENDW, 0, t, t, u, 0xcc);
	vec_with_const(g, X86_PCMPEQD, u, t, smallest, smallest);
	x86_vop3(&g->hot, X86_PXOR, 0, t, t, u);
	vec_finish(g, ref, t);
}

static bool
double_high(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	uint64_t smallest = vec_repeat(0x8000, 2);
	int s, x, t, u, d;

	if (lane_bytes(ins) == 4)
		double_high_wide(g, ref);
	if (lane_bytes(ins) != 2)
		return lane_bytes(ins) == 4;
	s = use(g, ins->a);
	x = use(g, ins->b);
	t = temp(g, FPR);
	u = temp(g, FPR);
	if (ins->aux & IR_LANE_ROUND) {
		x86_vop3(&g->hot, X86_PMULHRSW, 0, t, s, x);
	} else {
		x86_vop3(&g->hot, X86_PMULLW, 0, u, s, x);
		x86_vop3(&g->hot, X86_PMULHW, 0, t, s, x);
		x86_vshift_i(&g->hot, 2, 2, 0, u, u, 15);
		x86_vop3(&g->hot, X86_PADDW, 0, t, t, t);
		x86_vop3(&g->hot, X86_POR, 0, t, t, u);
	}
	vec_with_const(g, X86_PCMPEQW, u, t, smallest, smallest);
	d = dest_or(g, ref, t);
	x86_vop3(&g->hot, X86_PXOR, 0, d, t, u);
	vec_finish(g, ref, d);
	return true;
}

/* Products of bytes as PMADDWD of the even ones and of the odd ones. */
static void
dot(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool is_signed = ins->aux & IR_LANE_SIGNED;
	int s = use(g, ins->b), x = use(g, ins->c), t = temp(g, FPR), u = temp(g, FPR), v = temp(g, FPR), c, d;
	int right = is_signed ? 4 : 2;

	x86_vshift_i(&g->hot, 2, right, 0, t, s, 8);
	x86_vshift_i(&g->hot, 2, right, 0, u, x, 8);
	x86_vop3(&g->hot, X86_PMADDWD, 0, t, t, u);
	x86_vshift_i(&g->hot, 2, 6, 0, u, s, 8);
	x86_vshift_i(&g->hot, 2, right, 0, u, u, 8);
	x86_vshift_i(&g->hot, 2, 6, 0, v, x, 8);
	x86_vshift_i(&g->hot, 2, right, 0, v, v, 8);
	x86_vop3(&g->hot, X86_PMADDWD, 0, u, u, v);
	x86_vop3(&g->hot, X86_PADDD, 0, t, t, u);
	unlock(g, FPR, s); /* there may be no register else */
	unlock(g, FPR, x);
	c = use(g, ins->a);
	d = dest_or(g, ref, t);
	x86_vop3(&g->hot, X86_PADDD, 0, d, t, c);
	vec_finish(g, ref, d);
}

/* ---- sums --------------------------------------------------------------- */

/* Neighbours: both halves of each lane twice as wide. */
static bool
add_pairs(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool is_signed = ins->aux & IR_LANE_SIGNED;
	int bytes = lane_bytes(ins), s = use(g, ins->a), t, u, d;
	uint64_t ones = vec_repeat(1, bytes), low = vec_repeat(bytes == 2 ? 0xffff : 0xffffffff, 2 * bytes);

	if (bytes == 8)
		return false;
	t = temp(g, FPR);
	d = dest_or(g, ref, t);
	if (bytes == 1 && !is_signed) {
		vec_with_const(g, X86_PMADDUBSW, d, s, ones, ones);
	} else if (bytes == 1) {
		vec_load_const(g, t, ones, ones);
		x86_vop3(&g->hot, X86_PMADDUBSW, 0, t, t, s);
		if (d != t)
			x86_movaps(&g->hot, d, t);
	} else if (bytes == 2 && is_signed) {
		vec_with_const(g, X86_PMADDWD, d, s, ones, ones);
	} else {
		u = temp(g, FPR);
		if (is_signed) { /* i32: PMULDQ by one is a sign extension of the even ones */
			x86_vshift_i(&g->hot, 8, 2, 0, t, s, 32);
			vec_load_const(g, u, 1, 1);
			x86_vop3(&g->hot, X86_PMULDQ, 0, t, t, u);
			x86_vop3(&g->hot, X86_PMULDQ, 0, u, u, s);
		} else {
			x86_vshift_i(&g->hot, 2 * bytes, 2, 0, t, s, 8 * bytes);
			vec_with_const(g, X86_PAND, u, s, low, low);
		}
		x86_vop3(&g->hot, bytes == 2 ? X86_PADDD : X86_PADDQ, 0, d, t, u);
	}
	vec_finish(g, ref, d);
	return true;
}

/* All lanes, by folding the upper half onto the lower. */
static bool
reduce(struct gen *g, ir_ref ref)
{
	static const uint32_t ops[][4] = {
		[IR_REDUCE_ADD] = { X86_PADDB, X86_PADDW, X86_PADDD, X86_PADDQ },
		[IR_REDUCE_SMIN] = { X86_PMINSB, X86_PMINSW, X86_PMINSD, 0 },
		[IR_REDUCE_SMAX] = { X86_PMAXSB, X86_PMAXSW, X86_PMAXSD, 0 },
		[IR_REDUCE_UMIN] = { X86_PMINUB, X86_PMINUW, X86_PMINUD, 0 },
		[IR_REDUCE_UMAX] = { X86_PMAXUB, X86_PMAXUW, X86_PMAXUD, 0 },
	};
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = lane_bytes(ins), width = (int)ir_type_bits((enum ir_type)g->ins[ins->a].type) / 8, s, t, u, d;
	uint32_t op = ops[IR_REDUCE_HOW(ins->aux)][__builtin_ctz((unsigned)bytes)];

	if (!op)
		return false;
	s = use(g, ins->a);
	t = temp(g, FPR);
	u = temp(g, FPR);
	if (width == bytes)
		x86_movaps(&g->hot, t, s);
	for (int half = width / 2; half >= bytes; half /= 2) {
		if (half >= 4)
			x86_pshufd(&g->hot, u, s, half == 8 ? 0xee : 0x55);
		else
			x86_vshift_i(&g->hot, 8, 3, 0, u, s, half);
		x86_vop3(&g->hot, op, 0, t, u, s);
		s = t;
	}
	d = dest(g, ref, false);
	if (bytes >= 4)
		x86_movd_rx(&g->hot, bytes, d, t);
	else
		x86_pextr(&g->hot, bytes, d, t, 0);
	if (bytes < 8)
		g->val[ref].zx = 4;
	vec_finish(g, ref, d);
	return true;
}

bool
vec_width(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];

	switch (ins->op) {
	case IR_VSXTL:
	case IR_VZXTL: return extend(g, ref);
	case IR_VNARROW: truncate(g, ref); return true;
	case IR_VNARROWS:
	case IR_VNARROWSU:
	case IR_VNARROWU: return narrow(g, ref);
	case IR_VMUL:
		if (lane_bytes(ins) != 1)
			return false;
		multiply_bytes(g, ref);
		return true;
	case IR_VMULL: return multiply_long(g, ref);
	case IR_VQDMULH: return double_high(g, ref);
	case IR_VDOT: dot(g, ref); return true;
	case IR_VADDLP: return add_pairs(g, ref);
	case IR_VREDUCE: return reduce(g, ref);
	default: return false;
	}
}

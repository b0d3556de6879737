/* Ops on lanes of 8 bytes that only AVX-512 has instructions for, or none: made of
 * comparisons (SSE4.2). */
#include "codegen/x86_64/vector.h"

static const uint64_t sign = UINT64_C(1) << 63;

/* d = all ones where s > x, unsigned. t is lost. */
static void
above(struct gen *g, int d, int s, int x, int t)
{
	vec_with_const(g, X86_PXOR, t, x, sign, sign);
	vec_with_const(g, X86_PXOR, d, s, sign, sign);
	x86_vop3(&g->hot, X86_PCMPGTQ, 0, d, d, t);
}

/* d = all ones where s is negative. */
static void
spread_sign(struct gen *g, int d, int s)
{
	x86_vshift_i(&g->hot, 4, 4, 0, d, s, 31);
	x86_pshufd(&g->hot, d, d, 0xf5);
}

/* A sum is smaller than an operand if it was too large; a difference of the smaller
 * from the larger is 0. */
static void
saturate_unsigned(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool minus = ins->op == IR_VSUBU;
	int s = use(g, ins->a), x = use(g, ins->b), r = temp(g, FPR), t = temp(g, FPR), u;

	x86_vop3(&g->hot, minus ? X86_PSUBQ : X86_PADDQ, 0, r, s, x);
	u = temp(g, FPR);
	if (minus) {
		above(g, t, x, s, u);
		x86_vop3(&g->hot, X86_PANDN, 0, t, t, r);
		vec_finish(g, ref, t);
	} else {
		above(g, t, s, r, u);
		x86_vop3(&g->hot, X86_POR, 0, r, r, t);
		vec_finish(g, ref, r);
	}
}

/* As those of 4 bytes (vector.c). */
static void
saturate_signed(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool minus = ins->op == IR_VSUBS;
	int s = use(g, ins->a), x = use(g, ins->b), r = temp(g, FPR), t = temp(g, FPR), u = temp(g, FPR);

	x86_vop3(&g->hot, minus ? X86_PSUBQ : X86_PADDQ, 0, r, s, x);
	x86_vop3(&g->hot, X86_PXOR, 0, t, x, minus ? s : r);
	x86_vop3(&g->hot, X86_PXOR, 0, u, s, r);
	x86_vop3(&g->hot, X86_PAND, 0, t, t, u);
	spread_sign(g, t, t);
	spread_sign(g, u, s);
	vec_with_const(g, X86_PXOR, u, u, ~sign, ~sign);
	x86_vop3(&g->hot, X86_PXOR, 0, u, u, r);
	x86_vop3(&g->hot, X86_PAND, 0, u, u, t);
	x86_vop3(&g->hot, X86_PXOR, 0, r, r, u);
	vec_finish(g, ref, r);
}

/* |a - b|: the difference, negated where b is larger. */
static void
difference(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int s = use(g, ins->a), x = use(g, ins->b), r = temp(g, FPR), t = temp(g, FPR);

	if (ins->aux & IR_LANE_SIGNED)
		x86_vop3(&g->hot, X86_PCMPGTQ, 0, t, x, s);
	else
		above(g, t, x, s, r);
	x86_vop3(&g->hot, X86_PSUBQ, 0, r, s, x);
	x86_vop3(&g->hot, X86_PXOR, 0, r, r, t);
	x86_vop3(&g->hot, X86_PSUBQ, 0, r, r, t);
	vec_finish(g, ref, r);
}

/* r = bound where s is beyond it: greater, or less. t is lost. */
static void
clamp(struct gen *g, int r, int s, uint64_t bound, bool upper, int t)
{
	vec_load_const(g, t, bound, bound);
	x86_vop3(&g->hot, X86_PCMPGTQ, 0, t, upper ? s : t, upper ? t : s);
	x86_vop3(&g->hot, X86_PANDN, 0, r, t, s);
	vec_with_const(g, X86_PAND, t, t, bound, bound);
	x86_vop3(&g->hot, X86_POR, 0, r, r, t);
}

/* To 4 bytes, saturated. Unsigned: all ones where the upper half is not zero. */
static void
narrow(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int s = use(g, ins->a), r = temp(g, FPR), t = temp(g, FPR);
	uint64_t least = (uint64_t)INT32_MIN;

	if (ins->op == IR_VNARROWU) {
		x86_vzero(&g->hot, t);
		x86_vop3(&g->hot, X86_PCMPEQD, 0, t, t, s);
		x86_pshufd(&g->hot, t, t, 0xf5);
		vec_with_const(g, X86_PXOR, t, t, UINT64_MAX, UINT64_MAX);
		x86_vop3(&g->hot, X86_POR, 0, r, s, t);
	} else {
		clamp(g, r, s, ins->op == IR_VNARROWS ? INT32_MAX : UINT32_MAX, true, t);
		clamp(g, r, r, ins->op == IR_VNARROWS ? least : 0, false, t);
	}
	x86_pshufd(&g->hot, r, r, 0x08);
	x86_movq(&g->hot, r, r);
	g->val[ref].zx = 8;
	vec_finish(g, ref, r);
}

bool
vec_wide(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];

	if (lane_bytes(ins) != 8)
		return false;
	switch (ins->op) {
	case IR_VADDU:
	case IR_VSUBU: saturate_unsigned(g, ref); return true;
	case IR_VADDS:
	case IR_VSUBS: saturate_signed(g, ref); return true;
	case IR_VABD: difference(g, ref); return true;
	case IR_VNARROWS:
	case IR_VNARROWSU:
	case IR_VNARROWU:
		if (g->ins[ins->a].type != IR_V128)
			return false;
		narrow(g, ref);
		return true;
	default: return false;
	}
}

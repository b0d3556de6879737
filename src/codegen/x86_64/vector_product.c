/* Products of lanes that take more than a few instructions: doubled, rounded and
 * accumulated (VQRDMLAH), without carries (VPMULL). */
#include "codegen/x86_64/vector.h"

/* ---- doubled, rounded, accumulated -------------------------------------- */

/* t = m, so that the result is a + m, or a - m with IR_LANE_SUBTRACT, saturated:
 * the high half of 2 * b * c, halves rounded up, or in a difference down. All ones
 * in bad: m is the positive number 2^(width-1), that no lane holds. */

/* 16 bits. A half has the product's low 15 bits 0x4000. */
static void
high_words(struct gen *g, const struct ir_ins *ins, int t, int bad)
{
	uint64_t least = vec_repeat(0x8000, 2), low = vec_repeat(0x7fff, 2), half = vec_repeat(0x4000, 2);
	int s = use(g, ins->b), x = use(g, ins->c), u;

	x86_vop3(&g->hot, X86_PMULHRSW, 0, t, s, x);
	vec_with_const(g, X86_PCMPEQW, bad, t, least, least);
	if (ins->aux & IR_LANE_SUBTRACT) {
		u = temp(g, FPR);
		x86_vop3(&g->hot, X86_PMULLW, 0, u, s, x);
		vec_with_const(g, X86_PAND, u, u, low, low);
		vec_with_const(g, X86_PCMPEQW, u, u, half, half);
		x86_vop3(&g->hot, X86_PADDW, 0, t, t, u);
		give_back(g, FPR, u);
	}
	unlock(g, FPR, s);
	unlock(g, FPR, x);
}

/* 32 bits: even and odd lanes in 64. */
static void
high_doubles(struct gen *g, const struct ir_ins *ins, int t, int bad)
{
	uint64_t least = vec_repeat(0x80000000, 4), half = ins->aux & IR_LANE_SUBTRACT ? 0x3fffffff : 0x40000000;
	int s = use(g, ins->b), x = use(g, ins->c);

	x86_vshift_i(&g->hot, 8, 2, 0, t, s, 32);
	x86_vshift_i(&g->hot, 8, 2, 0, bad, x, 32);
	x86_vop3(&g->hot, X86_PMULDQ, 0, bad, bad, t);
	x86_vop3(&g->hot, X86_PMULDQ, 0, t, s, x);
	vec_with_const(g, X86_PADDQ, t, t, half, half);
	vec_with_const(g, X86_PADDQ, bad, bad, half, half);
	x86_vshift_i(&g->hot, 8, 2, 0, t, t, 31);
	x86_vshift_i(&g->hot, 8, 6, 0, bad, bad, 1);
	x86_vop3_i(&g->hot, X86_PBLENDW, 0, t, t, bad, 0xcc);
	vec_with_const(g, X86_PCMPEQD, bad, t, least, least);
	unlock(g, FPR, s);
	unlock(g, FPR, x);
}

/* r = a + m or a - m overflows where the signs of a and r differ and that of m
 * wants them equal: it is that of bad lanes' m flipped. */
static bool
accumulate_high(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = lane_bytes(ins), m, bad, a, r;
	bool minus = ins->aux & IR_LANE_SUBTRACT, words = bytes == 2;
	uint64_t most = vec_repeat(UINT64_MAX >> (65 - 8 * bytes), bytes);

	if (bytes != 2 && bytes != 4)
		return false;
	m = temp(g, FPR);
	bad = temp(g, FPR);
	if (words)
		high_words(g, ins, m, bad);
	else
		high_doubles(g, ins, m, bad);
	a = use(g, ins->a);
	r = temp(g, FPR);
	if (minus)
		x86_vop3(&g->hot, words ? X86_PSUBW : X86_PSUBD, 0, r, a, m);
	else
		x86_vop3(&g->hot, words ? X86_PADDW : X86_PADDD, 0, r, a, m);
	x86_vop3(&g->hot, X86_PXOR, 0, bad, bad, m);
	x86_vop3(&g->hot, X86_PXOR, 0, bad, bad, minus ? a : r);
	x86_vop3(&g->hot, X86_PXOR, 0, m, a, r);
	x86_vop3(&g->hot, X86_PAND, 0, bad, bad, m);
	x86_vshift_i(&g->hot, bytes, 4, 0, bad, bad, 8 * bytes - 1);
	if (ins->aux & IR_LANE_OVERFLOW) {
		vec_finish(g, ref, bad);
		return true;
	}
	/* r ^ ((r ^ largest of the sign of a) & bad) */
	x86_vshift_i(&g->hot, bytes, 4, 0, m, a, 8 * bytes - 1);
	vec_with_const(g, X86_PXOR, m, m, most, most);
	x86_vop3(&g->hot, X86_PXOR, 0, m, m, r);
	x86_vop3(&g->hot, X86_PAND, 0, m, m, bad);
	x86_vop3(&g->hot, X86_PXOR, 0, r, r, m);
	vec_finish(g, ref, r);
	return true;
}

/* ---- without carries ---------------------------------------------------- */

/* Bytes, in lanes of 2: bit by bit of b from the highest. */
static void
carryless_bytes(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int s = use(g, ins->a), x = use(g, ins->b), r = temp(g, FPR), a = temp(g, FPR), bits = temp(g, FPR), mask;

	x86_vop2(&g->hot, X86_PMOVZXBW, 0, a, s);
	x86_vop2(&g->hot, X86_PMOVZXBW, 0, bits, x);
	unlock(g, FPR, s);
	unlock(g, FPR, x);
	mask = temp(g, FPR);
	x86_vshift_i(&g->hot, 2, 6, 0, bits, bits, 8);
	x86_vshift_i(&g->hot, 2, 4, 0, r, bits, 15);
	x86_vop3(&g->hot, X86_PAND, 0, r, r, a);
	for (int i = 6; i >= 0; i--) {
		x86_vop3(&g->hot, X86_PADDW, 0, bits, bits, bits);
		x86_vop3(&g->hot, X86_PADDW, 0, r, r, r);
		x86_vshift_i(&g->hot, 2, 4, 0, mask, bits, 15);
		x86_vop3(&g->hot, X86_PAND, 0, mask, mask, a);
		x86_vop3(&g->hot, X86_PXOR, 0, r, r, mask);
	}
	vec_finish(g, ref, r);
}

static bool
carryless(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int s, x, d;

	if (lane_bytes(ins) == 1 && ins->type == IR_V128) {
		carryless_bytes(g, ref);
		return true;
	}
	if (lane_bytes(ins) != 8 || !g->cpu->pclmul)
		return false;
	s = use(g, ins->a);
	x = use(g, ins->b);
	d = vec_dest(g, ref);
	x86_vop3_i(&g->hot, X86_PCLMULQDQ, 0, d, s, x, 0);
	vec_finish(g, ref, d);
	return true;
}

bool
vec_product(struct gen *g, ir_ref ref)
{
	switch (g->ins[ref].op) {
	case IR_VQRDMLAH: return accumulate_high(g, ref);
	case IR_VPMULL: return carryless(g, ref);
	default: return false;
	}
}

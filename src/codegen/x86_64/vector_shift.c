/* Shifts of each lane by a count of its own, left or right (VSHIFT): both ways are
 * shifted, and the sign of the count chooses. The host's shifts give zero, or the
 * sign, for counts past the lane, negative ones among them, as wanted.
 *
 * Lanes of 8 and 4 bytes need AVX2, those of 2 AVX-512; without it they, and bytes
 * always, are shifted in 32 bits, eight at a time. A shift to the left by one
 * constant count needs neither.
 */
#include "codegen/x86_64/vector.h"

/* All the temporaries: both operands are in them, and are lost. */
enum { VALUE = 10, COUNT, LEFT, RIGHT, SPARE, SPARE2 };

static const uint32_t subtract[] = { [2] = X86_PSUBW, [4] = X86_PSUBD, [8] = X86_PSUBQ };
static const uint32_t add[] = { [2] = X86_PADDW, [4] = X86_PADDD, [8] = X86_PADDQ };
static const uint32_t equal[] = { [1] = X86_PCMPEQB, [2] = X86_PCMPEQW, [4] = X86_PCMPEQD, [8] = X86_PCMPEQQ };
static const uint32_t greater[] = { [1] = X86_PCMPGTB, [2] = X86_PCMPGTW, [4] = X86_PCMPGTD, [8] = X86_PCMPGTQ };

static uint64_t
largest(int bytes)
{
	return UINT64_MAX >> (65 - 8 * bytes);
}

static void
complement(struct gen *g, int d)
{
	vec_with_const(g, X86_PXOR, d, d, UINT64_MAX, UINT64_MAX);
}

/* d = all ones where the lane of s is negative. */
static void
negative(struct gen *g, int bytes, int d, int s)
{
	x86_vzero(&g->hot, d);
	x86_vop3(&g->hot, greater[bytes], 0, d, d, s);
}

/* ---- by one constant count, to the left, saturating --------------------- */

static bool
constant_left(const struct gen *g, const struct ir_ins *ins, int *count)
{
	const struct ir_ins *splat = &g->ins[resolve(g, ins->b)];

	if (splat->op != IR_VSPLAT || !is_const(g, splat->a))
		return false;
	*count = (int8_t)g->ins[resolve(g, splat->a)].imm;
	return *count >= 0 && *count < 8 * lane_bytes(ins);
}

/* t = all ones where something leaves the lane: s > most >> count or s < least >>
 * count; unsigned, s >> (width - count) != 0. u is lost. */
static void
constant_overflow(struct gen *g, const struct ir_ins *ins, int count, int t, int u, int s)
{
	int bytes = lane_bytes(ins);
	uint64_t most = vec_repeat(largest(bytes) >> count, bytes);

	if (ins->aux & IR_LANE_SIGNED) {
		vec_load_const(g, t, ~most, ~most);
		x86_vop3(&g->hot, greater[bytes], 0, t, t, s);
		vec_load_const(g, u, most, most);
		x86_vop3(&g->hot, greater[bytes], 0, u, s, u);
		x86_vop3(&g->hot, X86_POR, 0, t, t, u);
	} else if (!count) {
		x86_vzero(&g->hot, t);
	} else {
		vec_shift_constant(g, IR_VLSHR, bytes, t, s, 8 * bytes - count);
		x86_vzero(&g->hot, u);
		x86_vop3(&g->hot, equal[bytes], 0, t, t, u);
		complement(g, t);
	}
}

static void
shift_left_constant(struct gen *g, ir_ref ref, int count)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = lane_bytes(ins), s = use(g, ins->a), t = temp(g, FPR), u = temp(g, FPR), v;
	uint64_t most = vec_repeat(largest(bytes), bytes);

	constant_overflow(g, ins, count, t, u, s);
	if (ins->aux & IR_LANE_OVERFLOW) {
		vec_finish(g, ref, t);
		return;
	}
	vec_shift_constant(g, IR_VSHL, bytes, u, s, count);
	if (ins->aux & IR_LANE_SIGNED) { /* the largest of the sign, where t */
		v = temp(g, FPR);
		negative(g, bytes, v, s);
		vec_with_const(g, X86_PXOR, v, v, most, most);
		x86_vop3(&g->hot, X86_PAND, 0, v, v, t);
		x86_vop3(&g->hot, X86_PANDN, 0, t, t, u);
		x86_vop3(&g->hot, X86_POR, 0, t, t, v);
	} else {
		x86_vop3(&g->hot, X86_POR, 0, t, t, u);
	}
	vec_finish(g, ref, t);
}

/* ---- by counts, in the lane's own width --------------------------------- */

static void
shift_left(struct gen *g, int bytes, int d, int s, int n)
{
	if (bytes == 2)
		x86_evex_rr(&g->hot, X86_VPSLLVW, X86_L128, d, s, n);
	else
		x86_vop3(&g->hot, bytes == 4 ? X86_VPSLLVD : X86_VPSLLVQ, 0, d, s, n);
}

/* t is lost. Of 8 bytes, with the sign where AVX-512 is not: what is not negative
 * of s or ~s, turned back. */
static void
shift_right(struct gen *g, bool is_signed, int bytes, int d, int s, int n, int t)
{
	if (bytes == 2) {
		x86_evex_rr(&g->hot, is_signed ? X86_VPSRAVW : X86_VPSRLVW, X86_L128, d, s, n);
	} else if (bytes == 4) {
		x86_vop3(&g->hot, is_signed ? X86_VPSRAVD : X86_VPSRLVD, 0, d, s, n);
	} else if (!is_signed) {
		x86_vop3(&g->hot, X86_VPSRLVQ, 0, d, s, n);
	} else if (g->cpu->avx512vl) {
		x86_evex_rr(&g->hot, X86_VPSRAVQ, X86_L128, d, s, n);
	} else {
		assert(d != n && t != n && t != s);
		negative(g, 8, t, s);
		x86_vop3(&g->hot, X86_PXOR, 0, d, s, t);
		x86_vop3(&g->hot, X86_VPSRLVQ, 0, d, d, n);
		x86_vop3(&g->hot, X86_PXOR, 0, d, d, t);
	}
}

/* COUNT = its low byte, sign-extended to the lane. */
static void
extend_count(struct gen *g, int bytes)
{
	int up = 8 * bytes - 8;

	if (bytes == 1)
		return;
	if (bytes < 8) {
		x86_vshift_i(&g->hot, bytes, 6, 0, COUNT, COUNT, up);
		x86_vshift_i(&g->hot, bytes, 4, 0, COUNT, COUNT, up);
	} else { /* (byte ^ 128) - 128 */
		vec_with_const(g, X86_PAND, COUNT, COUNT, 0xff, 0xff);
		vec_with_const(g, X86_PXOR, COUNT, COUNT, 0x80, 0x80);
		vec_with_const(g, X86_PSUBQ, COUNT, COUNT, 0x80, 0x80);
	}
}

/* RIGHT = VALUE shifted right by -COUNT; rounded, plus the bit that went out last,
 * by one less, which is ~COUNT. */
static void
make_right(struct gen *g, const struct ir_ins *ins, int bytes)
{
	bool is_signed = ins->aux & IR_LANE_SIGNED;
	uint64_t one = vec_repeat(1, bytes);

	x86_vzero(&g->hot, SPARE);
	x86_vop3(&g->hot, subtract[bytes], 0, SPARE, SPARE, COUNT);
	shift_right(g, is_signed, bytes, RIGHT, VALUE, SPARE, SPARE2);
	if (!(ins->aux & IR_LANE_ROUND))
		return;
	vec_with_const(g, X86_PXOR, SPARE, COUNT, UINT64_MAX, UINT64_MAX);
	shift_right(g, is_signed, bytes, LEFT, VALUE, SPARE, SPARE2);
	vec_with_const(g, X86_PAND, LEFT, LEFT, one, one);
	x86_vop3(&g->hot, add[bytes], 0, RIGHT, RIGHT, LEFT);
}

/* What went out on the left is what does not come back from LEFT. SPARE = all ones
 * where nothing did. */
static void
saturate_left(struct gen *g, const struct ir_ins *ins, int bytes)
{
	bool is_signed = ins->aux & IR_LANE_SIGNED;
	uint64_t most = vec_repeat(largest(bytes), bytes);

	shift_right(g, is_signed, bytes, SPARE, LEFT, COUNT, SPARE2);
	x86_vop3(&g->hot, equal[bytes], 0, SPARE, SPARE, VALUE);
	if (ins->aux & IR_LANE_OVERFLOW)
		return;
	if (is_signed) {
		negative(g, bytes, SPARE2, VALUE);
		vec_with_const(g, X86_PXOR, SPARE2, SPARE2, most, most);
	} else {
		vec_load_const(g, SPARE2, UINT64_MAX, UINT64_MAX);
	}
	x86_vpblendvb(&g->hot, 0, LEFT, SPARE2, LEFT, SPARE);
}

static void
shift_lanes(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = lane_bytes(ins);

	if (!(ins->aux & IR_LANE_OVERFLOW))
		make_right(g, ins, bytes);
	shift_left(g, bytes, LEFT, VALUE, COUNT);
	if (ins->aux & (IR_LANE_SATURATE | IR_LANE_OVERFLOW))
		saturate_left(g, ins, bytes);
	if (ins->aux & IR_LANE_OVERFLOW) { /* none on the right */
		negative(g, bytes, RIGHT, COUNT);
		x86_vop3(&g->hot, X86_POR, 0, LEFT, SPARE, RIGHT);
		complement(g, LEFT);
	} else {
		x86_vpblendvb(&g->hot, 0, LEFT, LEFT, RIGHT, COUNT);
	}
}

/* ---- narrow lanes, eight at a time in 32 bits --------------------------- */

/* LEFT = the exact result of eight values in LEFT and counts, at most the width of
 * the lane: it fits, unsigned ones as unsigned. RIGHT, SPARE are lost. */
static void
shift_eight(struct gen *g, const struct ir_ins *ins, int count)
{
	uint32_t right = ins->aux & IR_LANE_SIGNED ? X86_VPSRAVD : X86_VPSRLVD;

	x86_vop3(&g->hot, X86_PXOR, 0, SPARE, SPARE, SPARE);
	x86_vop3(&g->hot, X86_PSUBD, 1, SPARE, SPARE, count);
	x86_vop3(&g->hot, right, 1, RIGHT, LEFT, SPARE);
	if (ins->aux & IR_LANE_ROUND) {
		x86_vop3(&g->hot, X86_PCMPEQD, 1, SPARE, SPARE, SPARE);
		x86_vop3(&g->hot, X86_PXOR, 1, SPARE, SPARE, count);
		x86_vop3(&g->hot, right, 1, SPARE, LEFT, SPARE);
		x86_vshift_i(&g->hot, 4, 6, 1, SPARE, SPARE, 31);
		x86_vshift_i(&g->hot, 4, 2, 1, SPARE, SPARE, 31);
		x86_vop3(&g->hot, X86_PADDD, 1, RIGHT, RIGHT, SPARE);
	}
	x86_vop3(&g->hot, X86_VPSLLVD, 1, LEFT, LEFT, count);
	x86_vpblendvb(&g->hot, 1, LEFT, LEFT, RIGHT, count);
}

/* SPARE = all ones where LEFT is a number of the lane. RIGHT is lost. */
static void
fits_in_lane(struct gen *g, bool is_signed, int width)
{
	if (is_signed) {
		x86_vshift_i(&g->hot, 4, 6, 1, SPARE, LEFT, 32 - width);
		x86_vshift_i(&g->hot, 4, 4, 1, SPARE, SPARE, 32 - width);
		x86_vop3(&g->hot, X86_PCMPEQD, 1, SPARE, SPARE, LEFT);
	} else {
		x86_vshift_i(&g->hot, 4, 2, 1, SPARE, LEFT, width);
		x86_vop3(&g->hot, X86_PXOR, 0, RIGHT, RIGHT, RIGHT);
		x86_vop3(&g->hot, X86_PCMPEQD, 1, SPARE, SPARE, RIGHT);
	}
}

/* LEFT packed to words in its low half. Saturated as signed numbers it has the
 * lane's, or numbers that the next packing saturates; all else is made to fit. */
static void
pack_eight(struct gen *g, const struct ir_ins *ins)
{
	bool is_signed = ins->aux & IR_LANE_SIGNED, saturates = ins->aux & IR_LANE_SATURATE;
	int width = 8 * lane_bytes(ins);
	uint32_t pack = X86_PACKSSDW;

	if (ins->aux & IR_LANE_OVERFLOW) {
		fits_in_lane(g, is_signed, width);
		x86_vop3(&g->hot, X86_PCMPEQD, 1, RIGHT, RIGHT, RIGHT);
		x86_vop3(&g->hot, X86_PXOR, 1, LEFT, SPARE, RIGHT);
	} else if (!(is_signed && saturates)) {
		if (saturates) {
			fits_in_lane(g, false, width);
			x86_vop3(&g->hot, X86_PCMPEQD, 1, RIGHT, RIGHT, RIGHT);
			x86_vop3(&g->hot, X86_PXOR, 1, SPARE, SPARE, RIGHT);
			x86_vop3(&g->hot, X86_POR, 1, LEFT, LEFT, SPARE);
		}
		x86_vshift_i(&g->hot, 4, 6, 1, LEFT, LEFT, 32 - width);
		x86_vshift_i(&g->hot, 4, 2, 1, LEFT, LEFT, 32 - width);
		pack = X86_PACKUSDW;
	}
	x86_vop2_i(&g->hot, X86_VEXTRACTI128, 1, LEFT, SPARE, 1);
	x86_vop3(&g->hot, pack, 0, LEFT, LEFT, SPARE);
}

static void
shift_words(struct gen *g, const struct ir_ins *ins)
{
	bool is_signed = ins->aux & IR_LANE_SIGNED;

	vec_with_const(g, X86_PMINSW, COUNT, COUNT, vec_repeat(16, 2), vec_repeat(16, 2));
	x86_vop2(&g->hot, is_signed ? X86_PMOVSXWD : X86_PMOVZXWD, 1, LEFT, VALUE);
	x86_vop2(&g->hot, X86_PMOVSXWD, 1, COUNT, COUNT);
	shift_eight(g, ins, COUNT);
	pack_eight(g, ins);
	x86_vzeroupper(&g->hot);
}

/* The low halves first, then the high ones, which meanwhile are both in VALUE. */
static void
shift_bytes(struct gen *g, const struct ir_ins *ins)
{
	bool is_signed = ins->aux & IR_LANE_SIGNED, packs_signed = ins->aux & IR_LANE_OVERFLOW ||
								    (is_signed && ins->aux & IR_LANE_SATURATE);
	uint32_t extend = is_signed ? X86_PMOVSXBD : X86_PMOVZXBD;

	vec_with_const(g, X86_PMINSB, COUNT, COUNT, vec_repeat(8, 1), vec_repeat(8, 1));
	x86_vop2(&g->hot, extend, 1, LEFT, VALUE);
	x86_vop2(&g->hot, X86_PMOVSXBD, 1, SPARE2, COUNT);
	x86_vop3(&g->hot, X86_PUNPCKHQDQ, 0, VALUE, VALUE, COUNT);
	shift_eight(g, ins, SPARE2);
	pack_eight(g, ins);
	if (ins->type == IR_V128) {
		x86_movaps(&g->hot, COUNT, LEFT);
		x86_vop2(&g->hot, extend, 1, LEFT, VALUE);
		x86_vshift_i(&g->hot, 8, 3, 0, VALUE, VALUE, 8);
		x86_vop2(&g->hot, X86_PMOVSXBD, 1, SPARE2, VALUE);
		shift_eight(g, ins, SPARE2);
		pack_eight(g, ins);
		x86_vop3(&g->hot, packs_signed ? X86_PACKSSWB : X86_PACKUSWB, 0, LEFT, COUNT, LEFT);
	} else {
		x86_vop3(&g->hot, packs_signed ? X86_PACKSSWB : X86_PACKUSWB, 0, LEFT, LEFT, LEFT);
	}
	x86_vzeroupper(&g->hot);
}

bool
vec_shift_lanes(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = lane_bytes(ins), count, d;
	uint32_t all = 0;

	if (ins->aux & (IR_LANE_SATURATE | IR_LANE_OVERFLOW) && constant_left(g, ins, &count)) {
		shift_left_constant(g, ref, count);
		return true;
	}
	for (int reg = VALUE; reg <= SPARE2; reg++)
		all |= 1u << reg;
	if (!g->hot.vex || !g->cpu->avx2 || (g->temps[FPR] & all) != all)
		return false;
	for (int reg = VALUE; reg <= SPARE2; reg++)
		claim(g, FPR, reg);
	copy_to(g, VALUE, ins->a, 16);
	copy_to(g, COUNT, ins->b, 16);
	extend_count(g, bytes);
	if (bytes == 1)
		shift_bytes(g, ins);
	else if (bytes == 2 && !(g->cpu->avx512vl && g->cpu->avx512bw))
		shift_words(g, ins);
	else
		shift_lanes(g, ref);
	d = dest_or(g, ref, LEFT);
	if (d != LEFT)
		x86_movaps(&g->hot, d, LEFT);
	vec_finish(g, ref, d);
	return true;
}

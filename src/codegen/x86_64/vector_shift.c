/* Shifts of each lane by a count of its own, left or right (VSHIFT), on AVX2 and
 * AVX-512: both ways are shifted, and the sign of the count chooses. The host's
 * shifts give zero, or the sign, for counts past the lane, negative ones among
 * them, as wanted. What saturates, and lanes of bytes, have no code. */
#include "codegen/x86_64/vector.h"

/* All the temporaries: both operands are in them, and are lost. */
enum { VALUE = 12, COUNT, SCRATCH, RIGHT };

struct lane_shifts {
	uint32_t left, logical, arithmetic;
};

static const struct lane_shifts *
shifts_of(int bytes)
{
	static const struct lane_shifts words = { X86_VPSLLVW, X86_VPSRLVW, X86_VPSRAVW };
	static const struct lane_shifts doubles = { X86_VPSLLVD, X86_VPSRLVD, X86_VPSRAVD };
	static const struct lane_shifts quads = { X86_VPSLLVQ, X86_VPSRLVQ, X86_VPSRAVQ };

	return bytes == 2 ? &words : bytes == 4 ? &doubles : &quads;
}

/* d = s shifted by n, lane by lane; 32-bit lanes have it in AVX2. */
static void
shift(struct gen *g, uint32_t op, int bytes, int d, int s, int n)
{
	if (bytes == 4)
		x86_vop3(&g->hot, op, 0, d, s, n);
	else
		x86_evex_rr(&g->hot, op, X86_L128, d, s, n);
}

/* COUNT = its low byte, sign-extended to the lane. */
static void
extend_count(struct gen *g, int bytes)
{
	int up = 8 * bytes - 8;

	x86_vshift_i(&g->hot, bytes, 6, 0, COUNT, COUNT, up);
	if (bytes < 8) {
		x86_vshift_i(&g->hot, bytes, 4, 0, COUNT, COUNT, up);
	} else { /* EVEX with W: 64-bit lanes */
		x86_evex_rr(&g->hot, X86_OP(66, 0F, 0x72) | X86_EW, X86_L128, 4, COUNT, COUNT);
		x86_put8(&g->hot, up);
	}
}

/* RIGHT = VALUE shifted right by -COUNT; rounded, plus the bit that went out last,
 * by one less, which is ~COUNT. */
static void
shift_right(struct gen *g, const struct ir_ins *ins, uint32_t op, int bytes)
{
	static const uint32_t subtract[] = { [2] = X86_PSUBW, [4] = X86_PSUBD, [8] = X86_PSUBQ };
	static const uint32_t add[] = { [2] = X86_PADDW, [4] = X86_PADDD, [8] = X86_PADDQ };
	uint64_t one = vec_repeat(1, bytes);

	x86_vzero(&g->hot, RIGHT);
	x86_vop3(&g->hot, subtract[bytes], 0, RIGHT, RIGHT, COUNT);
	shift(g, op, bytes, RIGHT, VALUE, RIGHT);
	if (!(ins->aux & IR_LANE_ROUND))
		return;
	vec_with_const(g, X86_PXOR, SCRATCH, COUNT, UINT64_MAX, UINT64_MAX);
	shift(g, op, bytes, SCRATCH, VALUE, SCRATCH);
	vec_with_const(g, X86_PAND, SCRATCH, SCRATCH, one, one);
	x86_vop3(&g->hot, add[bytes], 0, RIGHT, RIGHT, SCRATCH);
}

bool
vec_shift_lanes(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = lane_bytes(ins), d;
	const struct lane_shifts *op = shifts_of(bytes);

	if (bytes == 1 || ins->aux & (IR_LANE_SATURATE | IR_LANE_OVERFLOW) ||
	    !(bytes == 4 ? g->hot.vex && g->cpu->avx2 : g->cpu->avx512vl && g->cpu->avx512bw))
		return false;
	for (int reg = VALUE; reg <= RIGHT; reg++)
		claim(g, FPR, reg);
	copy_to(g, VALUE, ins->a, 16);
	copy_to(g, COUNT, ins->b, 16);
	extend_count(g, bytes);
	shift_right(g, ins, ins->aux & IR_LANE_SIGNED ? op->arithmetic : op->logical, bytes);
	shift(g, op->left, bytes, SCRATCH, VALUE, COUNT);
	d = dest_or(g, ref, SCRATCH);
	x86_vpblendvb(&g->hot, 0, d, SCRATCH, RIGHT, COUNT);
	vec_finish(g, ref, d);
	return true;
}

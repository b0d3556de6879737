/* The evaluator's vector ops on integer lanes, one lane at a time. */
#include "ir/eval_impl.h"

#include <string.h>

static unsigned
words_of(enum ir_type type)
{
	return ir_type_bits(type) / 64;
}

/* VAND VOR VXOR VANDN VBSL VNOT */
void
eval_vector_bits(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	const uint64_t *a = eval_of(run, ins->a), *b = eval_of(run, ins->b);
	const uint64_t *c = eval_of(run, ins->c);

	for (unsigned i = 0; i < words_of(ins->type); i++)
		switch ((int)ins->op) {
		case IR_VAND:
			out[i] = a[i] & b[i];
			break;
		case IR_VOR:
			out[i] = a[i] | b[i];
			break;
		case IR_VXOR:
			out[i] = a[i] ^ b[i];
			break;
		case IR_VANDN:
			out[i] = a[i] & ~b[i];
			break;
		case IR_VBSL:
			out[i] = (a[i] & b[i]) | (~a[i] & c[i]);
			break;
		case IR_VNOT:
			out[i] = ~a[i];
			break;
		}
}

/* One lane of a two-operand op; VSHL VLSHR VASHR have the count in y. */
static uint64_t
lane_op(enum ir_op op, unsigned width, uint64_t x, uint64_t y)
{
	int64_t sx = int_signed(x, width), sy = int_signed(y, width);

	switch ((int)op) {
	case IR_VADD: return x + y;
	case IR_VSUB: return x - y;
	case IR_VMUL: return x * y;
	case IR_VSHL: return y < width ? x << y : 0;
	case IR_VLSHR: return y < width ? x >> y : 0;
	case IR_VASHR: return (uint64_t)(sx >> (y < width ? y : width - 1));
	case IR_VSMIN: return sx < sy ? x : y;
	case IR_VSMAX: return sx > sy ? x : y;
	case IR_VUMIN: return x < y ? x : y;
	case IR_VUMAX: return x > y ? x : y;
	case IR_VADDS: return lane_saturate_signed((s128)sx + sy, width);
	case IR_VSUBS: return lane_saturate_signed((s128)sx - sy, width);
	case IR_VADDU: return lane_saturate_unsigned((s128)x + y, width);
	case IR_VSUBU: return lane_saturate_unsigned((s128)x - y, width);
	case IR_VCMPEQ: return x == y ? UINT64_MAX : 0;
	case IR_VCMPGT: return sx > sy ? UINT64_MAX : 0;
	case IR_VCMPGTU: return x > y ? UINT64_MAX : 0;
	}
	return 0;
}

void
eval_vector_lanes(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	unsigned width = ir_type_bits((enum ir_type)ins->aux);
	const uint64_t *a = eval_of(run, ins->a), *b = eval_of(run, ins->b);
	bool shift = ins->op == IR_VSHL || ins->op == IR_VLSHR || ins->op == IR_VASHR;

	for (unsigned i = 0; i < ir_type_bits(ins->type) / width; i++)
		lane_set(out, i, width,
			 lane_op(ins->op, width, lane_get(a, i, width),
				 shift ? b[0] : lane_get(b, i, width)));
}

/* ---- one operand -------------------------------------------------------- */

static uint64_t
reverse(uint64_t x, unsigned width)
{
	uint64_t r = 0;

	for (unsigned i = 0; i < width; i++)
		r |= (x >> i & 1) << (width - 1 - i);
	return r;
}

/* VNEG VABS VCLZ VPOPCNT VBITREV VRECPE VRSQRTE */
void
eval_vector_unary(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	unsigned width = ir_type_bits((enum ir_type)ins->aux);
	const uint64_t *a = eval_of(run, ins->a);

	for (unsigned i = 0; i < ir_type_bits(ins->type) / width; i++) {
		uint64_t x = lane_get(a, i, width), r = 0;

		switch ((int)ins->op) {
		case IR_VNEG:
			r = -x;
			break;
		case IR_VABS:
			r = int_signed(x, width) < 0 ? -x : x;
			break;
		case IR_VCLZ:
			r = x ? (unsigned)__builtin_clzll(x) - (64 - width) : width;
			break;
		case IR_VPOPCNT:
			r = (unsigned)__builtin_popcountll(x);
			break;
		case IR_VBITREV:
			r = reverse(x, width);
			break;
		case IR_VRECPE:
			r = fp_reciprocal_u32((uint32_t)x);
			break;
		case IR_VRSQRTE:
			r = fp_reciprocal_root_u32((uint32_t)x);
			break;
		}
		lane_set(out, i, width, r);
	}
}

/* ---- with bits besides the lane type ------------------------------------ */

/* A lane as the number that it is by the sign in aux. */
static s128
number(uint64_t x, unsigned width, unsigned aux)
{
	return aux & IR_LANE_SIGNED ? (s128)int_signed(x, width) : (s128)x;
}

/* The exact result, or just its overflow, in the lane. */
static uint64_t
fit(s128 exact, unsigned width, unsigned aux)
{
	uint64_t r = aux & IR_LANE_SIGNED ? lane_saturate_signed(exact, width) : lane_saturate_unsigned(exact, width);

	if (aux & IR_LANE_OVERFLOW)
		return number(r & int_mask(width), width, aux) != exact ? UINT64_MAX : 0;
	return r;
}

/* VSHIFT. What leaves the lane on the left is as good as one bit above it. */
static uint64_t
shift(s128 x, int count, unsigned width, unsigned aux)
{
	int right = -count < 127 ? -count : 127;
	s128 exact;

	if (count >= (int)width)
		exact = (x < 0 ? -1 : x > 0) * ((s128)1 << width);
	else if (count >= 0)
		exact = x * ((s128)1 << count);
	else if (!(aux & IR_LANE_ROUND))
		exact = x >> right;
	else
		exact = right > (int)width ? 0 : (x + ((s128)1 << (right - 1))) >> right;
	return aux & (IR_LANE_SATURATE | IR_LANE_OVERFLOW) ? fit(exact, width, aux) : (uint64_t)exact;
}

static uint64_t
extra_op(enum ir_op op, unsigned width, unsigned aux, uint64_t a, uint64_t b, uint64_t c)
{
	s128 x = number(a, width, aux), y = number(b, width, aux);
	s128 sa = int_signed(a, width), product = 2 * (s128)int_signed(b, width) * int_signed(c, width);
	s128 half = aux & IR_LANE_ROUND ? (s128)1 << (width - 1) : 0;

	switch ((int)op) {
	case IR_VHADD:
		return (uint64_t)((x + y + !!(aux & IR_LANE_ROUND)) >> 1);
	case IR_VHSUB:
		return (uint64_t)((x - y) >> 1);
	case IR_VABD:
		return (uint64_t)(x > y ? x - y : y - x);
	case IR_VSHIFT:
		return shift(x, (int8_t)b, width, aux);
	case IR_VQDMULH:
		return lane_saturate_signed((2 * sa * int_signed(b, width) + half) >> width, width);
	case IR_VQRDMLAH:
		half = (s128)1 << (width - 1);
		product = aux & IR_LANE_SUBTRACT ? -product : product;
		return fit((sa * ((s128)1 << width) + product + half) >> width, width, aux | IR_LANE_SIGNED);
	}
	return 0;
}

/* VHADD VHSUB VABD VSHIFT VQDMULH VQRDMLAH */
void
eval_vector_extra(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	unsigned width = ir_type_bits(IR_LANE_TYPE(ins->aux));
	const uint64_t *a = eval_of(run, ins->a), *b = eval_of(run, ins->b), *c = eval_of(run, ins->c);

	for (unsigned i = 0; i < ir_type_bits(ins->type) / width; i++)
		lane_set(out, i, width,
			 extra_op((enum ir_op)ins->op, width, ins->aux, lane_get(a, i, width),
				  lane_get(b, i, width), lane_get(c, i, width)));
}

/* ---- lanes that change their width -------------------------------------- */

static u128
carryless(uint64_t a, uint64_t b)
{
	u128 r = 0;

	for (unsigned i = 0; i < 64; i++)
		if (b >> i & 1)
			r ^= (u128)a << i;
	return r;
}

/* A lane of twice the width, up to 128 bits. */
static void
set_double(uint64_t *out, unsigned lane, unsigned width, u128 x)
{
	if (width < 64) {
		lane_set(out, lane, 2 * width, (uint64_t)x);
		return;
	}
	out[2 * lane] = (uint64_t)x;
	out[2 * lane + 1] = (uint64_t)(x >> 64);
}

/* VMULL VPMULL VADDLP VDOT */
void
eval_vector_widen(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	unsigned aux = ins->aux, width = ir_type_bits(IR_LANE_TYPE(aux));
	const uint64_t *a = eval_of(run, ins->a), *b = eval_of(run, ins->b), *c = eval_of(run, ins->c);
	eval_value r;

	for (unsigned i = 0; i < ir_type_bits(ins->type) / (2 * width); i++) {
		uint64_t x = lane_get(a, i, width), y = lane_get(b, i, width);

		if (ins->op == IR_VPMULL)
			set_double(r, i, width, carryless(x, y));
		else if (ins->op == IR_VMULL)
			set_double(r, i, width, (u128)(number(x, width, aux) * number(y, width, aux)));
		else if (ins->op == IR_VADDLP)
			set_double(r, i, width,
				   (u128)(number(lane_get(a, 2 * i, width), width, aux) +
					  number(lane_get(a, 2 * i + 1, width), width, aux)));
	}
	for (unsigned i = 0; ins->op == IR_VDOT && i < ir_type_bits(ins->type) / 32; i++) {
		s128 sum = (s128)lane_get(a, i, 32);

		for (unsigned k = 4 * i; k < 4 * i + 4; k++)
			sum += number(lane_get(b, k, 8), 8, aux) * number(lane_get(c, k, 8), 8, aux);
		lane_set(r, i, 32, (uint64_t)sum);
	}
	memcpy(out, r, sizeof r);
}

void
eval_vector_reduce(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	static const uint8_t op[] = {
		[IR_REDUCE_ADD] = IR_VADD, [IR_REDUCE_SMIN] = IR_VSMIN, [IR_REDUCE_SMAX] = IR_VSMAX,
		[IR_REDUCE_UMIN] = IR_VUMIN, [IR_REDUCE_UMAX] = IR_VUMAX,
	};
	unsigned width = ir_type_bits(IR_LANE_TYPE(ins->aux));
	const uint64_t *a = eval_of(run, ins->a);
	uint64_t r = lane_get(a, 0, width);

	for (unsigned i = 1; i < ir_type_bits(eval_type(run, ins->a)) / width; i++)
		r = lane_op((enum ir_op)op[IR_REDUCE_HOW(ins->aux)], width, r, lane_get(a, i, width)) & int_mask(width);
	out[0] = r;
	out[1] = 0;
}

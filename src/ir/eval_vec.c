/* The evaluator's vector ops on integer lanes, one lane at a time. */
#include "ir/eval_impl.h"

#include <string.h>

static unsigned
words_of(enum ir_type type)
{
	return ir_type_bits(type) / 64;
}

/* VAND VOR VXOR VANDN VBSL */
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
		}
}

static uint64_t
saturate_signed(s128 x, unsigned width)
{
	s128 most = (s128)(int_mask(width) >> 1), least = -most - 1;

	return (uint64_t)(x > most ? most : x < least ? least : x);
}

static uint64_t
saturate_unsigned(s128 x, unsigned width)
{
	s128 most = (s128)int_mask(width);

	return (uint64_t)(x > most ? most : x < 0 ? 0 : x);
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
	case IR_VADDS: return saturate_signed((s128)sx + sy, width);
	case IR_VSUBS: return saturate_signed((s128)sx - sy, width);
	case IR_VADDU: return saturate_unsigned((s128)x + y, width);
	case IR_VSUBU: return saturate_unsigned((s128)x - y, width);
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

static void
shuffle(unsigned bytes, const uint64_t *a, const uint64_t *b, uint64_t *out)
{
	for (unsigned i = 0; i < bytes; i++) {
		unsigned from = (unsigned)lane_get(b, i, 8);

		lane_set(out, i, 8, from < bytes ? lane_get(a, from, 8) : 0);
	}
}

/* VSPLAT VEXTRACT VINSERT VSHUF. A lane number counts modulo the lanes. */
void
eval_vector_move(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	const uint64_t *a = eval_of(run, ins->a), *b = eval_of(run, ins->b);
	unsigned width = ir_type_bits((enum ir_type)ins->aux);
	unsigned bits = ir_type_bits(ins->op == IR_VEXTRACT ? eval_type(run, ins->a) : ins->type);

	switch ((int)ins->op) {
	case IR_VSPLAT:
		for (unsigned i = 0; i < bits / width; i++)
			lane_set(out, i, width, a[0]);
		break;
	case IR_VEXTRACT:
		out[0] = eval_cut(ins->type, lane_get(a, (ins->c & 0xff) % (bits / width), width));
		out[1] = 0;
		break;
	case IR_VINSERT:
		memcpy(out, a, sizeof(eval_value));
		lane_set(out, (ins->c & 0xff) % (bits / width), width, b[0]);
		break;
	case IR_VSHUF:
		shuffle(bits / 8, a, b, out);
		break;
	}
}

static void
zip(const uint64_t *a, const uint64_t *b, unsigned lanes, unsigned width, unsigned first, uint64_t *out)
{
	for (unsigned i = 0; i < lanes / 2; i++) {
		lane_set(out, 2 * i, width, lane_get(a, first + i, width));
		lane_set(out, 2 * i + 1, width, lane_get(b, first + i, width));
	}
}

/* VZIPLO VZIPHI VSXTL VZXTL VNARROW: aux is the lane type of the operand. */
void
eval_vector_resize(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	const uint64_t *a = eval_of(run, ins->a), *b = eval_of(run, ins->b);
	unsigned width = ir_type_bits((enum ir_type)ins->aux);
	unsigned lanes = ir_type_bits(ins->type) / width;

	memset(out, 0, sizeof(eval_value));
	switch ((int)ins->op) {
	case IR_VZIPLO:
		zip(a, b, lanes, width, 0, out);
		break;
	case IR_VZIPHI:
		zip(a, b, lanes, width, lanes / 2, out);
		break;
	case IR_VSXTL:
		for (unsigned i = 0; i < lanes / 2; i++)
			lane_set(out, i, 2 * width,
				 (uint64_t)int_signed(lane_get(a, i, width), width));
		break;
	case IR_VZXTL:
		for (unsigned i = 0; i < lanes / 2; i++)
			lane_set(out, i, 2 * width, lane_get(a, i, width));
		break;
	case IR_VNARROW:
		lanes = ir_type_bits(eval_type(run, ins->a)) / width;
		for (unsigned i = 0; i < lanes; i++)
			lane_set(out, i, width / 2, lane_get(a, i, width));
		break;
	}
}

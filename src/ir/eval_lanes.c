/* The evaluator's vector ops that move lanes: from scalars and to them, into
 * other widths, and about. */
#include "ir/eval_impl.h"

#include <string.h>

static void
shuffle(unsigned bytes, const uint64_t *a, const uint64_t *b, uint64_t *out)
{
	for (unsigned i = 0; i < bytes; i++) {
		unsigned from = (unsigned)lane_get(b, i, 8);

		lane_set(out, i, 8, from < bytes ? lane_get(a, from, 8) : 0);
	}
}

/* VSPLAT VEXTRACT VINSERT VSHUF VSCALAR VDUP. A lane number counts modulo the
 * lanes. */
void
eval_vector_move(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	const uint64_t *a = eval_of(run, ins->a), *b = eval_of(run, ins->b);
	unsigned width = ir_type_bits((enum ir_type)ins->aux), bits = ir_type_bits(ins->type);
	unsigned from = ir_type_bits(eval_type(run, ins->a));

	switch ((int)ins->op) {
	case IR_VSPLAT:
		for (unsigned i = 0; i < bits / width; i++)
			lane_set(out, i, width, a[0]);
		break;
	case IR_VSCALAR:
		memset(out, 0, sizeof(eval_value));
		lane_set(out, 0, width, a[0]);
		break;
	case IR_VDUP:
		for (unsigned i = 0; i < bits / width; i++)
			lane_set(out, i, width, lane_get(a, (ins->c & 0xff) % (from / width), width));
		break;
	case IR_VEXTRACT:
		out[0] = eval_cut(ins->type, lane_get(a, (ins->c & 0xff) % (from / width), width));
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

/* VZIPLO VZIPHI VEVEN VODD VTRNEVEN VTRNODD */
void
eval_vector_permute(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	const uint64_t *a = eval_of(run, ins->a), *b = eval_of(run, ins->b);
	unsigned width = ir_type_bits((enum ir_type)ins->aux);
	unsigned lanes = ir_type_bits(ins->type) / width;
	unsigned odd = ins->op == IR_VODD || ins->op == IR_VTRNODD;

	switch ((int)ins->op) {
	case IR_VZIPLO:
		zip(a, b, lanes, width, 0, out);
		break;
	case IR_VZIPHI:
		zip(a, b, lanes, width, lanes / 2, out);
		break;
	case IR_VEVEN:
	case IR_VODD:
		for (unsigned i = 0; i < lanes; i++)
			lane_set(out, i, width, lane_get(i < lanes / 2 ? a : b, 2 * i % lanes + odd, width));
		break;
	case IR_VTRNEVEN:
	case IR_VTRNODD:
		for (unsigned i = 0; i < lanes; i++)
			lane_set(out, i, width, lane_get(i & 1 ? b : a, (i & ~1u) + odd, width));
		break;
	}
}

/* VRESIZE VHIGH VJOIN VEXT VREV: what moves without regard to lanes, or within
 * groups of bytes. */
void
eval_vector_bytes(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	const uint64_t *a = eval_of(run, ins->a), *b = eval_of(run, ins->b);
	unsigned bytes = ir_type_bits(ins->type) / 8, from = ir_type_bits(eval_type(run, ins->a)) / 8;
	unsigned lane = ins->op == IR_VREV ? ir_type_bits((enum ir_type)ins->aux) / 8 : 1;

	for (unsigned i = 0; i < bytes; i++) {
		unsigned at = i + (ins->op == IR_VHIGH ? bytes : ins->op == IR_VEXT ? ins->c % bytes : 0);
		uint64_t x = 0;

		if (ins->op == IR_VREV)
			at = (i ^ (ins->c - 1)) ^ (lane - 1);
		if (at < from)
			x = lane_get(a, at, 8);
		else if (ins->op == IR_VJOIN || ins->op == IR_VEXT)
			x = lane_get(b, at - from, 8);
		lane_set(out, i, 8, x);
	}
}

static uint64_t
narrow(enum ir_op op, unsigned width, uint64_t x)
{
	switch ((int)op) {
	case IR_VNARROWS:
		return lane_saturate_signed(int_signed(x, width), width / 2);
	case IR_VNARROWSU:
		return lane_saturate_unsigned(int_signed(x, width), width / 2);
	case IR_VNARROWU:
		return lane_saturate_unsigned((s128)x, width / 2);
	}
	return x;
}

/* VSXTL VZXTL VNARROW VNARROWS VNARROWSU VNARROWU: aux is the lane type of the
 * operand. */
void
eval_vector_resize(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	const uint64_t *a = eval_of(run, ins->a);
	unsigned width = ir_type_bits((enum ir_type)ins->aux);
	unsigned lanes = ir_type_bits(eval_type(run, ins->a)) / width;
	bool widens = ins->op == IR_VSXTL || ins->op == IR_VZXTL;
	eval_value from;

	memcpy(from, a, sizeof from);
	memset(out, 0, sizeof(eval_value));
	if (widens)
		lanes = ir_type_bits(ins->type) / width / 2;
	for (unsigned i = 0; i < lanes; i++) {
		uint64_t x = lane_get(from, i, width);

		if (ins->op == IR_VSXTL)
			x = (uint64_t)int_signed(x, width);
		lane_set(out, i, widens ? 2 * width : width / 2, widens ? x : narrow((enum ir_op)ins->op, width, x));
	}
}

/* ir/: the evaluator's ops on 128-bit vectors that move lanes, change their width
 * or take more than wrapping arithmetic, against what ops.def says of each lane,
 * in 128-bit numbers. */
#include "ir/eval.h"
#include "unit/check.h"

static const struct ir_slot slot_list[] = {
	{ "a", 0, IR_V128, -1, 0 },    { "b", 16, IR_V128, -1, 1 },   { "c", 32, IR_V128, -1, 2 },
	{ "r", 48, IR_V128, -1, 3 },   { "n", 64, IR_I64, -1, 4 },    { "a64", 0, IR_V64, -1, 0 },
	{ "b64", 16, IR_V64, -1, 1 },  { "r64", 48, IR_V64, -1, 3 },
};
enum { A, B, C, R, N, A64, B64, R64 };
static const struct ir_slots slots = { slot_list, ARRAY_LEN(slot_list) };

static struct arena arena;
static struct ir_frame frame;
static struct ir_region region;
static struct ir_builder builder;

static uint64_t
random_word(void)
{
	static uint64_t x = 0x9e3779b97f4a7c15u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

/* Random bytes, many of them extreme; b has many counts of shifts. */
static void
randomize(void)
{
	static const uint8_t extreme[] = { 0, 1, 0x7f, 0x80, 0xff, 0xfe, 8, 16 };

	for (unsigned i = 0; i < 48; i++) {
		uint64_t x = random_word();

		frame.guest[i] = x & 0x300 ? extreme[x & 7] : (uint8_t)(x >> 16);
	}
	memset(frame.guest + 48, 0x55, 16);
}

static void
begin(void)
{
	arena_reset(&arena);
	ir_build_begin(&builder, &region, &arena, &slots, 0, 0);
}

static void
run(void)
{
	struct ir_eval eval = { .frame = &frame, .arena = &arena };
	struct error error = { 0 };

	ir_exit_jump(&builder, 4);
	CHECK(ir_build_end(&builder));
	if (!CHECK(!ir_verify(&region, &error)))
		fprintf(stderr, "%s\n", error.text);
	CHECK(ir_eval(&eval, &region));
}

/* Lane i of a slot, as a signed or unsigned number. */
static s128
lane(unsigned slot, unsigned i, unsigned width, bool is_signed)
{
	uint64_t x = 0;

	memcpy(&x, frame.guest + 16 * slot + i * width / 8, width / 8);
	return is_signed ? (s128)((int64_t)(x << (64 - width)) >> (64 - width)) : (s128)x;
}

static uint64_t
cut(s128 x, unsigned width)
{
	return (uint64_t)x & UINT64_MAX >> (64 - width);
}

static s128
clamp(s128 x, unsigned width, bool is_signed)
{
	s128 most = is_signed ? ((s128)1 << (width - 1)) - 1 : ((s128)1 << width) - 1, least = is_signed ? -most - 1 : 0;

	return x > most ? most : x < least ? least : x;
}

static void
check_lane(enum ir_op op, unsigned aux, unsigned i, unsigned width, s128 want)
{
	if (!CHECK_INT(cut(lane(R, i, width, false), width), cut(want, width)))
		fprintf(stderr, "\t%s aux %#x lane %u\n", ir_op_info[op].text, aux, i);
}

/* ---- lanes of the same width -------------------------------------------- */

static s128
shifted(s128 x, int count, unsigned width, unsigned aux)
{
	s128 exact = x, half;

	for (int i = 0; i < count && count < (int)width; i++)
		exact *= 2;
	if (count >= (int)width && x)
		exact = (x < 0 ? -1 : 1) * ((s128)1 << width);
	if (count < 0) {
		half = aux & IR_LANE_ROUND && count > -100 ? (s128)1 << (-count - 1) : 0;
		exact = count > -100 ? (x + half) >> -count : x < 0 && !(aux & IR_LANE_ROUND) ? -1 : 0;
	}
	if (aux & IR_LANE_OVERFLOW)
		return clamp(exact, width, aux & IR_LANE_SIGNED) != exact ? -1 : 0;
	return aux & IR_LANE_SATURATE ? clamp(exact, width, aux & IR_LANE_SIGNED) : exact;
}

static s128
expected(enum ir_op op, unsigned aux, unsigned i, unsigned width)
{
	bool is_signed = aux & IR_LANE_SIGNED;
	s128 x = lane(A, i, width, is_signed), y = lane(B, i, width, is_signed), bit, r = 0;
	s128 sa = lane(A, i, width, true), sb = lane(B, i, width, true), sc = lane(C, i, width, true);

	switch ((int)op) {
	case IR_VNEG: return -sa;
	case IR_VABS: return sa < 0 ? -sa : sa;
	case IR_VHADD: return (x + y + (aux & IR_LANE_ROUND ? 1 : 0)) >> 1;
	case IR_VHSUB: return (x - y) >> 1;
	case IR_VABD: return x > y ? x - y : y - x;
	case IR_VSHIFT: return shifted(x, (int8_t)lane(B, i, width, false), width, aux);
	case IR_VQDMULH:
		return clamp((2 * sa * sb + (aux & IR_LANE_ROUND ? (s128)1 << (width - 1) : 0)) >> width, width, true);
	case IR_VQRDMLAH:
		bit = (s128)1 << (width - 1);
		r = (sa * ((s128)1 << width) + (aux & IR_LANE_SUBTRACT ? -2 : 2) * sb * sc + bit) >> width;
		return aux & IR_LANE_OVERFLOW ? (clamp(r, width, true) != r ? -1 : 0) : clamp(r, width, true);
	case IR_VCLZ:
		for (r = 0; r < width && !(x >> (width - 1 - (unsigned)r) & 1); r++)
			;
		return r;
	case IR_VPOPCNT:
		for (unsigned k = 0; k < width; k++)
			r += x >> k & 1;
		return r;
	case IR_VBITREV:
		for (unsigned k = 0; k < width; k++)
			r |= (x >> k & 1) << (width - 1 - k);
		return r;
	}
	return 0;
}

static void
test_same_width(void)
{
	static const struct {
		enum ir_op op;
		unsigned bits, most; /* lanes up to this width */
	} cases[] = {
		{ IR_VNEG, 0, 64 }, { IR_VABS, 0, 64 }, { IR_VCLZ, 0, 64 }, { IR_VPOPCNT, 0, 64 }, { IR_VBITREV, 0, 64 },
		{ IR_VHADD, 0, 64 }, { IR_VHADD, IR_LANE_SIGNED, 64 }, { IR_VHADD, IR_LANE_ROUND, 64 },
		{ IR_VHADD, IR_LANE_SIGNED | IR_LANE_ROUND, 64 }, { IR_VHSUB, 0, 64 }, { IR_VHSUB, IR_LANE_SIGNED, 64 },
		{ IR_VABD, 0, 64 }, { IR_VABD, IR_LANE_SIGNED, 64 }, { IR_VSHIFT, 0, 64 }, { IR_VSHIFT, IR_LANE_SIGNED, 64 },
		{ IR_VSHIFT, IR_LANE_ROUND, 64 }, { IR_VSHIFT, IR_LANE_SIGNED | IR_LANE_ROUND, 64 },
		{ IR_VSHIFT, IR_LANE_SATURATE, 64 }, { IR_VSHIFT, IR_LANE_SIGNED | IR_LANE_SATURATE, 64 },
		{ IR_VSHIFT, IR_LANE_OVERFLOW, 64 }, { IR_VSHIFT, IR_LANE_SIGNED | IR_LANE_OVERFLOW | IR_LANE_ROUND, 64 },
		{ IR_VQDMULH, 0, 32 }, { IR_VQDMULH, IR_LANE_ROUND, 32 }, { IR_VQRDMLAH, 0, 32 },
		{ IR_VQRDMLAH, IR_LANE_SUBTRACT, 32 }, { IR_VQRDMLAH, IR_LANE_OVERFLOW, 32 },
	};

	for (unsigned k = 0; k < ARRAY_LEN(cases); k++)
		for (unsigned round = 0; round < 400; round++) {
			enum ir_type type = (enum ir_type)(IR_I8 + round % 4);
			unsigned width = ir_type_bits(type), aux = type | cases[k].bits;
			const char *operands = ir_op_info[cases[k].op].operands;

			if (width > cases[k].most)
				continue;
			begin();
			ir_set(&builder, R,
			       ir_emit(&builder, cases[k].op, IR_V128, aux, ir_get(&builder, A),
				       operands[1] == '=' ? ir_get(&builder, B) : 0,
				       operands[2] == '=' ? ir_get(&builder, C) : 0));
			randomize();
			run();
			for (unsigned i = 0; i < 128 / width; i++)
				check_lane(cases[k].op, aux, i, width, expected(cases[k].op, aux, i, width));
		}
}

/* ---- other widths ------------------------------------------------------- */

static void
check_narrow(enum ir_op op, enum ir_type type)
{
	unsigned width = ir_type_bits(type);
	bool from_signed = op != IR_VNARROWU, to_signed = op == IR_VNARROWS;

	begin();
	ir_set(&builder, R64, ir_emit(&builder, op, IR_V64, type, ir_get(&builder, A), 0, 0));
	randomize();
	run();
	for (unsigned i = 0; i < 128 / width; i++)
		check_lane(op, type, i, width / 2, clamp(lane(A, i, width, from_signed), width / 2, to_signed));
	CHECK_INT(lane(R, 1, 64, false), 0x5555555555555555);
}

static void
check_multiply(enum ir_type type, bool is_signed)
{
	unsigned width = ir_type_bits(type), aux = type | (is_signed ? IR_LANE_SIGNED : 0);

	begin();
	ir_set(&builder, R, ir_emit(&builder, IR_VMULL, IR_V128, aux, ir_get(&builder, A64), ir_get(&builder, B64), 0));
	randomize();
	run();
	for (unsigned i = 0; i < 64 / width; i++)
		check_lane(IR_VMULL, aux, i, 2 * width, lane(A, i, width, is_signed) * lane(B, i, width, is_signed));
	begin();
	ir_set(&builder, R, ir_emit(&builder, IR_VADDLP, IR_V128, aux, ir_get(&builder, A), 0, 0));
	run();
	for (unsigned i = 0; i < 64 / width; i++)
		check_lane(IR_VADDLP, aux, i, 2 * width,
			   lane(A, 2 * i, width, is_signed) + lane(A, 2 * i + 1, width, is_signed));
}

static void
check_dot(bool is_signed)
{
	unsigned aux = IR_I8 | (is_signed ? IR_LANE_SIGNED : 0);

	begin();
	ir_set(&builder, R, ir_emit(&builder, IR_VDOT, IR_V128, aux, ir_get(&builder, A), ir_get(&builder, B), ir_get(&builder, C)));
	randomize();
	run();
	for (unsigned i = 0; i < 4; i++) {
		s128 sum = lane(A, i, 32, false);

		for (unsigned k = 4 * i; k < 4 * i + 4; k++)
			sum += lane(B, k, 8, is_signed) * lane(C, k, 8, is_signed);
		check_lane(IR_VDOT, aux, i, 32, sum);
	}
}

static void
check_reduce(enum ir_type type, enum ir_reduce how)
{
	unsigned width = ir_type_bits(type);
	bool is_signed = how == IR_REDUCE_SMIN || how == IR_REDUCE_SMAX;
	s128 want = 0, got;

	begin();
	ir_set(&builder, N,
	       ir_emit(&builder, IR_VREDUCE, IR_I64, IR_REDUCE(type, how), ir_get(&builder, A), 0, 0));
	randomize();
	run();
	for (unsigned i = 0; i < 128 / width; i++) {
		s128 x = lane(A, i, width, is_signed);
		bool less = how == IR_REDUCE_SMIN || how == IR_REDUCE_UMIN;

		want = how == IR_REDUCE_ADD ? want + x : !i || (less ? x < want : x > want) ? x : want;
	}
	got = lane(4, 0, 64, false);
	CHECK_INT(got, cut(want, width));
}

/* Carry-less products, bit by bit. */
static void
check_carryless(void)
{
	u128 want = 0, got;

	begin();
	ir_set(&builder, R, ir_emit(&builder, IR_VPMULL, IR_V128, IR_I64, ir_get(&builder, A64), ir_get(&builder, B64), 0));
	randomize();
	run();
	for (unsigned i = 0; i < 64; i++)
		if (lane(B, 0, 64, false) >> i & 1)
			want ^= (u128)lane(A, 0, 64, false) << i;
	memcpy(&got, frame.guest + 48, 16);
	CHECK(got == want);
}

static void
test_other_width(void)
{
	for (unsigned round = 0; round < 200; round++) {
		for (unsigned type = IR_I16; type <= IR_I64; type++) {
			check_narrow(IR_VNARROWS, (enum ir_type)type);
			check_narrow(IR_VNARROWSU, (enum ir_type)type);
			check_narrow(IR_VNARROWU, (enum ir_type)type);
			check_multiply((enum ir_type)(type - 1), round & 1);
		}
		check_dot(round & 1);
		check_carryless();
		for (unsigned how = IR_REDUCE_ADD; how <= IR_REDUCE_UMAX; how++)
			check_reduce((enum ir_type)(IR_I8 + round % 4), (enum ir_reduce)how);
	}
}

/* ---- moves -------------------------------------------------------------- */

/* Which byte of b:a, numbered from the lowest of a, becomes byte i. */
static unsigned
source(enum ir_op op, unsigned i, unsigned lane_bytes, unsigned c)
{
	unsigned k = i / lane_bytes, byte = i % lane_bytes, half = 8 / lane_bytes, odd = op == IR_VODD || op == IR_VTRNODD;

	switch ((int)op) {
	case IR_VEVEN:
	case IR_VODD: return (k < half ? 0 : 16) + (2 * (k % half) + odd) * lane_bytes + byte;
	case IR_VTRNEVEN:
	case IR_VTRNODD: return (k & 1 ? 16 : 0) + ((k & ~1u) + odd) * lane_bytes + byte;
	case IR_VREV: return i / c * c + (c / lane_bytes - 1 - i % c / lane_bytes) * lane_bytes + byte;
	case IR_VDUP: return c % (16 / lane_bytes) * lane_bytes + byte;
	case IR_VEXT: return i + c % 16;
	}
	return i;
}

static void
test_moves(void)
{
	static const enum ir_op ops[] = { IR_VEVEN, IR_VODD, IR_VTRNEVEN, IR_VTRNODD, IR_VREV, IR_VDUP, IR_VEXT };

	for (unsigned k = 0; k < ARRAY_LEN(ops); k++)
		for (unsigned round = 0; round < 64; round++) {
			enum ir_type type = (enum ir_type)(IR_I8 + round % 4);
			unsigned bytes = ir_type_bits(type) / 8, c = round / 4;
			bool two = ir_op_info[ops[k]].operands[1] == '=', number = ir_op_info[ops[k]].operands[2] == 'D';

			if (ops[k] == IR_VREV)
				c = bytes << (1 + round / 4 % 2);
			if (ops[k] == IR_VREV && c > 16)
				continue;
			begin();
			ir_set(&builder, R,
			       ir_emit(&builder, ops[k], IR_V128, ops[k] == IR_VEXT ? 0 : type, ir_get(&builder, A),
				       two ? ir_get(&builder, B) : 0, number ? c : 0));
			randomize();
			run();
			for (unsigned i = 0; i < 16; i++)
				CHECK_INT(frame.guest[48 + i], frame.guest[source(ops[k], i, bytes, c)]);
		}
}

/* Joined halves, their halves, what zeros stand above. */
static void
test_halves(void)
{
	ir_ref joined;

	begin();
	joined = ir_emit(&builder, IR_VJOIN, IR_V128, 0, ir_get(&builder, A64), ir_get(&builder, B64), 0);
	ir_set(&builder, R, joined);
	ir_set(&builder, C, ir_emit(&builder, IR_VRESIZE, IR_V128, 0, ir_emit(&builder, IR_VHIGH, IR_V64, 0, joined, 0, 0), 0, 0));
	ir_set(&builder, A, ir_emit(&builder, IR_VSCALAR, IR_V128, IR_I16, ir_const(&builder, IR_I16, 0xbeef), 0, 0));
	randomize();
	uint64_t low = (uint64_t)lane(A, 0, 64, false), high = (uint64_t)lane(B, 0, 64, false);
	run();
	CHECK_INT(lane(R, 0, 64, false), low);
	CHECK_INT(lane(R, 1, 64, false), high);
	CHECK_INT(lane(C, 0, 64, false), high);
	CHECK_INT(lane(C, 1, 64, false), 0);
	CHECK_INT(lane(A, 0, 64, false), 0xbeef);
	CHECK_INT(lane(A, 1, 64, false), 0);
}

int
main(void)
{
	test_same_width();
	test_other_width();
	test_moves();
	test_halves();
	arena_fini(&arena);
	return check_done();
}

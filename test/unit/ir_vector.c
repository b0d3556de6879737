/* ir/: the evaluator's vector ops against the compiler's vector extensions,
 * lane by lane where those lack the operation. */
#include "ir/eval.h"
#include "unit/check.h"

static const struct ir_slot slot_list[] = {
	{ "a", 0, IR_V256, -1, 0 },  { "b", 32, IR_V256, -1, 1 }, { "c", 64, IR_V256, -1, 2 },
	{ "r", 96, IR_V256, -1, 3 }, { "n", 128, IR_I64, -1, 4 }, { "a128", 0, IR_V128, -1, 0 },
	{ "r64", 96, IR_V64, -1, 3 }, { "lane", 128, IR_I64, -1, 4 },
};
enum { VA, VB, VC, VR, N, VA128, VR64 };
static const struct ir_slots slots = { slot_list, ARRAY_LEN(slot_list) };

static struct arena arena, values;
static struct ir_frame frame;
static struct ir_region region;
static struct ir_builder b;

static void
begin(void)
{
	arena_reset(&arena);
	ir_build_begin(&b, &region, &arena, &slots, 0, 0);
}

static void
run(void)
{
	struct ir_eval eval = { .frame = &frame, .arena = &values };

	ir_exit_jump(&b, 4);
	CHECK(ir_build_end(&b));
	arena_reset(&values);
	CHECK(ir_eval(&eval, &region));
}

static uint64_t
random_word(void)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

/* Random bytes, many of them extreme, many equal in both. */
static void
randomize(void)
{
	for (unsigned i = 0; i < 96; i++) {
		uint64_t x = random_word();

		frame.guest[i] = x & 0x300 ? (uint8_t)x : x & 0x400 ? 0x80 : x & 0x800 ? 0x7f : 0xff;
		if (i >= 32 && i < 64 && !(x & 0x7000))
			frame.guest[i] = frame.guest[i - 32];
	}
}

/* One function a lane type: the result of op on 256-bit vectors, element by
 * element in the compiler's arithmetic. WIDE holds sums of lanes. */
#define VECTOR_CASES(NAME, S, U, WIDE, MIN, MAX, UMAX_)                                     \
	typedef S NAME##_s __attribute__((vector_size(32)));                                \
	typedef U NAME##_u __attribute__((vector_size(32)));                                \
	static void NAME(enum ir_op op, const void *x, const void *y, uint64_t n, void *r)  \
	{                                                                                   \
		NAME##_u a, c, out = { 0 };                                                 \
		unsigned lanes = 32 / sizeof(S), width = 8 * sizeof(S);                     \
		memcpy(&a, x, 32);                                                          \
		memcpy(&c, y, 32);                                                          \
		NAME##_s sa = (NAME##_s)a, sc = (NAME##_s)c;                                \
		switch ((int)op) {                                                          \
		case IR_VADD: out = a + c; break;                                           \
		case IR_VSUB: out = a - c; break;                                           \
		case IR_VMUL: out = a * c; break;                                           \
		case IR_VCMPEQ: out = (NAME##_u)(a == c); break;                            \
		case IR_VCMPGT: out = (NAME##_u)(sa > sc); break;                           \
		case IR_VCMPGTU: out = (NAME##_u)(a > c); break;                            \
		case IR_VSMIN: out = (NAME##_u)((sa & (sa < sc)) | (sc & ~(sa < sc))); break; \
		case IR_VSMAX: out = (NAME##_u)((sa & (sa > sc)) | (sc & ~(sa > sc))); break; \
		case IR_VUMIN: out = (a & (NAME##_u)(a < c)) | (c & ~(NAME##_u)(a < c)); break; \
		case IR_VUMAX: out = (a & (NAME##_u)(a > c)) | (c & ~(NAME##_u)(a > c)); break; \
		}                                                                           \
		for (unsigned i = 0; i < lanes; i++) {                                      \
			WIDE p = sa[i], q = sc[i], up = a[i], uq = c[i], sum;               \
			switch ((int)op) {                                                  \
			case IR_VSHL: out[i] = n < width ? (U)(a[i] << n) : 0; break;       \
			case IR_VLSHR: out[i] = n < width ? (U)(a[i] >> n) : 0; break;      \
			case IR_VASHR:                                                      \
				out[i] = (U)(n < width ? sa[i] >> n : sa[i] < 0 ? -1 : 0);  \
				break;                                                      \
			case IR_VADDS:                                                      \
			case IR_VSUBS:                                                      \
				sum = op == IR_VADDS ? p + q : p - q;                       \
				out[i] = (U)(sum > MAX ? MAX : sum < MIN ? MIN : sum);      \
				break;                                                      \
			case IR_VADDU:                                                      \
			case IR_VSUBU:                                                      \
				sum = op == IR_VADDU ? up + uq : up - uq;                   \
				out[i] = (U)(sum > (WIDE)UMAX_ ? (WIDE)UMAX_ : sum < 0 ? 0 : sum); \
				break;                                                      \
			}                                                                   \
		}                                                                           \
		memcpy(r, &out, 32);                                                        \
	}

VECTOR_CASES(lanes8, int8_t, uint8_t, int64_t, INT8_MIN, INT8_MAX, UINT8_MAX)
VECTOR_CASES(lanes16, int16_t, uint16_t, int64_t, INT16_MIN, INT16_MAX, UINT16_MAX)
VECTOR_CASES(lanes32, int32_t, uint32_t, int64_t, INT32_MIN, INT32_MAX, UINT32_MAX)
VECTOR_CASES(lanes64, int64_t, uint64_t, s128, INT64_MIN, INT64_MAX, UINT64_MAX)

static void
test_lanes(void)
{
	static const enum ir_type types[] = { IR_I8, IR_I16, IR_I32, IR_I64 };
	static void (*const expect[])(enum ir_op, const void *, const void *, uint64_t, void *) = {
		lanes8, lanes16, lanes32, lanes64,
	};

	for (enum ir_op op = IR_VADD; op <= IR_VCMPGTU; op++)
		for (unsigned i = 0; i < 4 * 40; i++) {
			bool shift = op == IR_VSHL || op == IR_VLSHR || op == IR_VASHR;
			uint64_t n = i % 5 ? random_word() % 70 : random_word();
			uint8_t want[32];

			if (op >= IR_VAND && op <= IR_VANDN)
				continue;
			begin();
			ir_set(&b, VR, ir_emit(&b, op, IR_V256, types[i % 4], ir_get(&b, VA),
					       ir_get(&b, shift ? N : VB), 0));
			randomize();
			memcpy(frame.guest + 128, &n, 8);
			expect[i % 4](op, frame.guest, frame.guest + 32, n, want);
			run();
			if (!CHECK(!memcmp(frame.guest + 96, want, 32)))
				fprintf(stderr, "\t%s %s\n", ir_op_info[op].text, ir_type_name(types[i % 4]));
		}
}

static void
test_bits(void)
{
	static const enum ir_op ops[] = { IR_VAND, IR_VOR, IR_VXOR, IR_VANDN, IR_VBSL };

	for (unsigned k = 0; k < ARRAY_LEN(ops); k++) {
		begin();
		ir_set(&b, VR, ir_emit(&b, ops[k], IR_V256, IR_I64, ir_get(&b, VA), ir_get(&b, VB),
				       ops[k] == IR_VBSL ? ir_get(&b, VC) : 0));
		randomize();
		run();
		for (unsigned i = 0; i < 32; i++) {
			uint8_t x = frame.guest[i], y = frame.guest[i + 32], z = frame.guest[i + 64];
			uint8_t want[] = { x & y, x | y, x ^ y, x & (uint8_t)~y, (x & y) | ((uint8_t)~x & z) };

			CHECK_INT(frame.guest[96 + i], want[k]);
		}
	}
}

/* SPLAT, INSERT, EXTRACT, SHUF on bytes 0, 1, 2, … */
static void
test_moves(void)
{
	ir_ref x;

	for (unsigned i = 0; i < 96; i++)
		frame.guest[i] = (uint8_t)i;
	begin();
	x = ir_get(&b, VA);
	x = ir_emit(&b, IR_VINSERT, IR_V256, IR_I16, x, ir_const(&b, IR_I16, 0xbeef), 3);
	ir_set(&b, VR, x);
	x = ir_emit(&b, IR_VEXTRACT, IR_I32, IR_I32, x, 0, 1);
	ir_set(&b, N, ir_zext(&b, IR_I64, IR_I32, x));
	ir_set(&b, VC, ir_emit(&b, IR_VSPLAT, IR_V256, IR_I32, x, 0, 0));
	run();
	for (unsigned i = 0; i < 32; i++)
		CHECK_INT(frame.guest[96 + i], i == 6 ? 0xef : i == 7 ? 0xbe : i);
	for (unsigned i = 0; i < 8; i++)
		CHECK(!memcmp(frame.guest + 64 + 4 * i, "\x04\x05\xef\xbe", 4));
	CHECK(!memcmp(frame.guest + 128, "\x04\x05\xef\xbe\0\0\0", 8));

	for (unsigned i = 0; i < 32; i++)
		frame.guest[32 + i] = (uint8_t)(i % 3 ? 31 - i : 32 + i * 7);
	begin();
	ir_set(&b, VR, ir_emit(&b, IR_VSHUF, IR_V256, IR_I8, ir_get(&b, VA), ir_get(&b, VB), 0));
	run();
	for (unsigned i = 0; i < 32; i++)
		CHECK_INT(frame.guest[96 + i], i % 3 ? 31 - i : 0);
}

static void
test_resize(void)
{
	ir_ref x;

	randomize();
	begin();
	ir_set(&b, VR, ir_emit(&b, IR_VZIPLO, IR_V256, IR_I16, ir_get(&b, VA), ir_get(&b, VB), 0));
	run();
	for (unsigned i = 0; i < 16; i++)
		CHECK(!memcmp(frame.guest + 96 + 2 * i, frame.guest + (i & 1 ? 32 : 0) + i / 2 * 2, 2));
	begin();
	ir_set(&b, VR, ir_emit(&b, IR_VZIPHI, IR_V256, IR_I64, ir_get(&b, VA), ir_get(&b, VB), 0));
	run();
	for (unsigned i = 0; i < 4; i++)
		CHECK(!memcmp(frame.guest + 96 + 8 * i, frame.guest + (i & 1 ? 32 : 0) + 16 + i / 2 * 8, 8));
	for (unsigned sign = 0; sign < 2; sign++) {
		begin();
		x = ir_emit(&b, sign ? IR_VSXTL : IR_VZXTL, IR_V256, IR_I8, ir_get(&b, VA), 0, 0);
		ir_set(&b, VR, x);
		ir_set(&b, VC, ir_emit(&b, IR_VNARROW, IR_V256, IR_I16, x, 0, 0));
		run();
		for (unsigned i = 0; i < 32; i++) {
			uint8_t from = frame.guest[i / 2];

			CHECK_INT(frame.guest[96 + i], !(i & 1) ? from : sign && from & 0x80 ? 0xff : 0);
			CHECK_INT(frame.guest[64 + i], i < 16 ? frame.guest[i] : 0);
		}
	}
	/* To a narrower vector: the neighbours in the frame stay. */
	memset(frame.guest + 96, 0x77, 32);
	begin();
	ir_set(&b, VR64, ir_emit(&b, IR_VNARROW, IR_V64, IR_I32, ir_get(&b, VA128), 0, 0));
	run();
	for (unsigned i = 0; i < 32; i++)
		CHECK_INT(frame.guest[96 + i], i < 8 ? frame.guest[i / 2 * 4 + i % 2] : 0x77);
}

static void
test_float_lanes(void)
{
	static const float x[] = { 1, 2, -3, 0.5f, 1e30f, 0, -0.0f, 7 };
	static const float y[] = { 3, 0, 2, 0.25f, 1e30f, 5, 1, -7 };
	float got[8];

	for (enum ir_op op = IR_VFADD; op <= IR_VFDIV; op++) {
		begin();
		ir_set(&b, VR, ir_emit(&b, op, IR_V256, IR_VFP(IR_F32, IR_RNE, IR_NAN_ARM, 0, 0),
				       ir_get(&b, VA), ir_get(&b, VB), 0));
		memcpy(frame.guest, x, 32);
		memcpy(frame.guest + 32, y, 32);
		frame.fp_flags = 0;
		run();
		memcpy(got, frame.guest + 96, 32);
		for (unsigned i = 0; i < 8; i++) {
			float want = op == IR_VFADD ? x[i] + y[i] : op == IR_VFSUB ? x[i] - y[i] :
				     op == IR_VFMUL ? x[i] * y[i] : x[i] / y[i];

			CHECK(!memcmp(&want, &got[i], 4));
		}
		CHECK_INT(frame.fp_flags, op == IR_VFMUL ? 5 : op == IR_VFDIV ? 9 : 0);
	}
}

int
main(void)
{
	test_lanes();
	test_bits();
	test_moves();
	test_resize();
	test_float_lanes();
	arena_fini(&arena);
	arena_fini(&values);
	return check_done();
}

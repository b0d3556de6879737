/* ir/: AES, SHA-1, SHA-256 of the evaluator by the examples of FIPS 197 and
 * FIPS 180-4: each made of the ops as a program would make it of instructions. */
#include "ir/eval.h"
#include "unit/check.h"

static const struct ir_slot slot_list[] = {
	{ "a", 0, IR_V128, -1, 0 },
	{ "b", 16, IR_V128, -1, 1 },
	{ "c", 32, IR_V128, -1, 2 },
	{ "r", 48, IR_V128, -1, 3 },
};
enum { A, B, C, R };
static const struct ir_slots slots = { slot_list, ARRAY_LEN(slot_list) };

struct words {
	uint32_t w[4];
};

static struct arena arena;
static struct ir_frame frame;

/* One op on words, lane 0 first; operands it has not are ignored. */
static struct words
run(enum ir_op op, unsigned aux, struct words a, struct words b, struct words c)
{
	struct ir_region region;
	struct ir_builder builder;
	struct ir_eval eval = { .frame = &frame, .arena = &arena };
	const char *operands = ir_op_info[op].operands;
	struct error error = { 0 };
	struct words r;

	arena_reset(&arena);
	memcpy(frame.guest, &a, sizeof a);
	memcpy(frame.guest + 16, &b, sizeof b);
	memcpy(frame.guest + 32, &c, sizeof c);
	ir_build_begin(&builder, &region, &arena, &slots, 0, 0);
	ir_set(&builder, R,
	       ir_emit(&builder, op, IR_V128, aux, ir_get(&builder, A), operands[1] == '=' ? ir_get(&builder, B) : 0,
		       operands[2] == '=' ? ir_get(&builder, C) : 0));
	ir_exit_jump(&builder, 4);
	CHECK(ir_build_end(&builder) && !ir_verify(&region, &error) && ir_eval(&eval, &region));
	memcpy(&r, frame.guest + 48, sizeof r);
	return r;
}

static const struct words zero;

static struct words
xor(struct words a, struct words b)
{
	for (unsigned i = 0; i < 4; i++)
		a.w[i] ^= b.w[i];
	return a;
}

static struct words
from_hex(const char *text)
{
	uint8_t bytes[16];
	struct words r;
	unsigned byte;

	for (unsigned i = 0; i < 16; i++) {
		CHECK_INT(sscanf(text + 2 * i, "%2x", &byte), 1);
		bytes[i] = (uint8_t)byte;
	}
	memcpy(&r, bytes, 16);
	return r;
}

static void
check_words(struct words got, struct words want)
{
	for (unsigned i = 0; i < 4; i++)
		CHECK_INT(got.w[i], want.w[i]);
}

/* FIPS 197, appendix B: the round keys of appendix A.1. The equivalent inverse
 * cipher has InvMixColumns of the middle ones (5.3.5). */
static void
test_aes(void)
{
	static const char *const keys[] = {
		"2b7e151628aed2a6abf7158809cf4f3c", "a0fafe1788542cb123a339392a6c7605",
		"f2c295f27a96b9435935807a7359f67f", "3d80477d4716fe3e1e237e446d7a883b",
		"ef44a541a8525b7fb671253bdb0bad00", "d4d1c6f87c839d87caf2b8bc11f915bc",
		"6d88a37a110b3efddbf98641ca0093fd", "4e54f70e5f5fc9f384a64fb24ea6dc4f",
		"ead27321b58dbad2312bf5607f8d292f", "ac7766f319fadc2128d12941575c006e",
		"d014f9a8c9ee2589e13f0cc8b6630ca6",
	};
	struct words plain = from_hex("3243f6a8885a308d313198a2e0370734"), state = plain;

	for (unsigned i = 0; i < 9; i++)
		state = run(IR_VAESMC, 0, run(IR_VAESE, 0, state, from_hex(keys[i]), zero), zero, zero);
	state = xor(run(IR_VAESE, 0, state, from_hex(keys[9]), zero), from_hex(keys[10]));
	check_words(state, from_hex("3925841d02dc09fbdc118597196a0b32"));

	state = run(IR_VAESIMC, 0, run(IR_VAESD, 0, state, from_hex(keys[10]), zero), zero, zero);
	for (unsigned i = 9; i > 1; i--) {
		struct words key = run(IR_VAESIMC, 0, from_hex(keys[i]), zero, zero);

		state = run(IR_VAESIMC, 0, run(IR_VAESD, 0, state, key, zero), zero, zero);
	}
	state = run(IR_VAESD, 0, state, run(IR_VAESIMC, 0, from_hex(keys[1]), zero, zero), zero);
	check_words(xor(state, from_hex(keys[0])), plain);
}

/* ---- SHA: the message "abc" in one block -------------------------------- */

static struct words
plus(struct words a, struct words b)
{
	for (unsigned i = 0; i < 4; i++)
		a.w[i] += b.w[i];
	return a;
}

static struct words
same(uint32_t x)
{
	return (struct words){ { x, x, x, x } };
}

/* Four words of the schedule, from the sixteen before. */
static struct words
sha1_next(const struct words *w)
{
	/* w[t-16] ^ w[t-14] ^ w[t-8], then with w[t-3] (FIPS 180-4, 6.1.2). */
	struct words x = { { w[0].w[2], w[0].w[3], w[1].w[0], w[1].w[1] } };

	return run(IR_VSHA1SU1, 0, xor(xor(w[0], x), w[2]), w[3], zero);
}

static void
test_sha1(void)
{
	static const uint32_t k[] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
	static const uint8_t function[] = { IR_SHA1_C, IR_SHA1_P, IR_SHA1_M, IR_SHA1_P };
	struct words w[20] = { { { 0x61626380 } }, { { 0 } }, { { 0 } }, { { 0, 0, 0, 24 } } };
	struct words h = { { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 } }, x = h, e = { { 0xc3d2e1f0 } };

	for (unsigned i = 0; i < 20; i++) {
		uint32_t a = x.w[0];

		if (i >= 4)
			w[i] = sha1_next(w + i - 4);
		x = run(IR_VSHA1, function[i / 5], x, e, plus(w[i], same(k[i / 5])));
		e.w[0] = a << 30 | a >> 2;
	}
	check_words(plus(x, h), (struct words){ { 0xa9993e36, 0x4706816a, 0xba3e2571, 0x7850c26c } });
	CHECK_INT(e.w[0] + 0xc3d2e1f0, 0x9cd0d89d);
}

static void
test_sha256(void)
{
	static const uint32_t k[64] = {
		0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
		0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
		0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
		0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
		0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
		0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
		0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
		0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
	};
	struct words w[16] = { { { 0x61626380 } }, { { 0 } }, { { 0 } }, { { 0, 0, 0, 24 } } };
	struct words abcd = { { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a } }, x = abcd;
	struct words efgh = { { 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 } }, y = efgh;

	for (unsigned i = 0; i < 16; i++) {
		struct words next, old = x;

		if (i >= 4)
			w[i] = run(IR_VSHA256SU1, 0, run(IR_VSHA256SU0, 0, w[i - 4], w[i - 3], zero), w[i - 2], w[i - 1]);
		memcpy(&next, k + 4 * i, sizeof next);
		next = plus(next, w[i]);
		x = run(IR_VSHA256H, 0, x, y, next);
		y = run(IR_VSHA256H2, 0, y, old, next);
	}
	check_words(plus(x, abcd), (struct words){ { 0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223 } });
	check_words(plus(y, efgh), (struct words){ { 0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad } });
}

int
main(void)
{
	test_aes();
	test_sha1();
	test_sha256();
	arena_fini(&arena);
	return check_done();
}

/* The evaluator's AES and SHA ops, as FIPS 197 and FIPS 180-4 define their
 * rounds. No table: the AES S-box is computed, inverse in GF(2^8) and affine
 * map. */
#include "ir/eval_impl.h"

#include <string.h>

/* ---- AES: FIPS 197 ------------------------------------------------------ */

/* Product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
static uint8_t
gf_multiply(uint8_t a, uint8_t b)
{
	uint8_t r = 0;

	for (; b; b >>= 1) {
		if (b & 1)
			r ^= a;
		a = (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1b : 0));
	}
	return r;
}

/* a^254: its inverse, of 0 itself. */
static uint8_t
gf_inverse(uint8_t a)
{
	uint8_t r = 1;

	for (unsigned i = 0; i < 7; i++) {
		a = gf_multiply(a, a);
		r = gf_multiply(r, a);
	}
	return r;
}

static uint8_t
rotate8(uint8_t x, unsigned n)
{
	return (uint8_t)(x << n | x >> (8 - n));
}

static uint8_t
substitute(uint8_t x, bool inverse)
{
	if (inverse)
		return gf_inverse(rotate8(x, 1) ^ rotate8(x, 3) ^ rotate8(x, 6) ^ 0x05);
	x = gf_inverse(x);
	return x ^ rotate8(x, 1) ^ rotate8(x, 2) ^ rotate8(x, 3) ^ rotate8(x, 4) ^ 0x63;
}

/* SubBytes and ShiftRows, or their inverses; byte r + 4 c is row r, column c. */
static void
shift_and_substitute(const uint8_t *in, bool inverse, uint8_t *out)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned row = i % 4, column = i / 4;
		unsigned from = inverse ? column + 4 - row : column + row;

		out[i] = substitute(in[row + from % 4 * 4], inverse);
	}
}

static void
mix_columns(const uint8_t *in, bool inverse, uint8_t *out)
{
	static const uint8_t factor[2][4] = { { 2, 3, 1, 1 }, { 14, 11, 13, 9 } };

	for (unsigned i = 0; i < 16; i++) {
		out[i] = 0;
		for (unsigned k = 0; k < 4; k++)
			out[i] ^= gf_multiply(in[i / 4 * 4 + (i + k) % 4], factor[inverse][k]);
	}
}

static void
bytes_of(const uint64_t *words, uint8_t *bytes)
{
	for (unsigned i = 0; i < 16; i++)
		bytes[i] = (uint8_t)lane_get(words, i, 8);
}

/* VAESE VAESD VAESMC VAESIMC */
void
eval_aes(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	uint8_t a[16], b[16], r[16];

	bytes_of(eval_of(run, ins->a), a);
	if (ins->op == IR_VAESE || ins->op == IR_VAESD) {
		bytes_of(eval_of(run, ins->b), b);
		for (unsigned i = 0; i < 16; i++)
			a[i] ^= b[i];
		shift_and_substitute(a, ins->op == IR_VAESD, r);
	} else {
		mix_columns(a, ins->op == IR_VAESIMC, r);
	}
	for (unsigned i = 0; i < 16; i++)
		lane_set(out, i, 8, r[i]);
}

/* ---- SHA: FIPS 180-4 ---------------------------------------------------- */

static uint32_t
rotate_left(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t
rotate_right(uint32_t x, unsigned n)
{
	return rotate_left(x, 32 - n);
}

static uint32_t
choose(uint32_t x, uint32_t y, uint32_t z)
{
	return (x & y) ^ (~x & z);
}

static uint32_t
majority(uint32_t x, uint32_t y, uint32_t z)
{
	return (x & y) ^ (x & z) ^ (y & z);
}

static void
words_of(const uint64_t *from, uint32_t *word)
{
	for (unsigned i = 0; i < 4; i++)
		word[i] = (uint32_t)lane_get(from, i, 32);
}

static void
set_words(uint64_t *out, const uint32_t *word)
{
	for (unsigned i = 0; i < 4; i++)
		lane_set(out, i, 32, word[i]);
}

static uint32_t
sha1_function(enum ir_sha1 kind, uint32_t x, uint32_t y, uint32_t z)
{
	switch (kind) {
	case IR_SHA1_C:
		return choose(x, y, z);
	case IR_SHA1_P:
		return x ^ y ^ z;
	case IR_SHA1_M:
		return majority(x, y, z);
	}
	return 0;
}

static void
sha1_rounds(enum ir_sha1 kind, uint32_t *x, uint32_t e, const uint32_t *w)
{
	for (unsigned i = 0; i < 4; i++) {
		uint32_t t = rotate_left(x[0], 5) + sha1_function(kind, x[1], x[2], x[3]) + e + w[i];

		e = x[3];
		x[3] = x[2];
		x[2] = rotate_left(x[1], 30);
		x[1] = x[0];
		x[0] = t;
	}
}

/* VSHA1 VSHA1SU1 */
void
eval_sha1(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	uint32_t x[4], y[4], w[4];

	words_of(eval_of(run, ins->a), x);
	words_of(eval_of(run, ins->b), y);
	if (ins->op == IR_VSHA1) {
		words_of(eval_of(run, ins->c), w);
		sha1_rounds((enum ir_sha1)ins->aux, x, y[0], w);
	} else {
		for (unsigned i = 0; i < 3; i++)
			x[i] = rotate_left(x[i] ^ y[i + 1], 1);
		x[3] = rotate_left(x[3], 1) ^ rotate_left(x[0], 1);
	}
	set_words(out, x);
}

static void
sha256_rounds(uint32_t *x, uint32_t *y, const uint32_t *w)
{
	for (unsigned i = 0; i < 4; i++) {
		uint32_t sum1 = rotate_right(y[0], 6) ^ rotate_right(y[0], 11) ^ rotate_right(y[0], 25);
		uint32_t sum0 = rotate_right(x[0], 2) ^ rotate_right(x[0], 13) ^ rotate_right(x[0], 22);
		uint32_t t1 = y[3] + sum1 + choose(y[0], y[1], y[2]) + w[i];
		uint32_t t2 = sum0 + majority(x[0], x[1], x[2]), d = x[3];

		memmove(x + 1, x, 3 * sizeof *x);
		memmove(y + 1, y, 3 * sizeof *y);
		x[0] = t1 + t2;
		y[0] = d + t1;
	}
}

static uint32_t
sigma0(uint32_t x)
{
	return rotate_right(x, 7) ^ rotate_right(x, 18) ^ x >> 3;
}

static uint32_t
sigma1(uint32_t x)
{
	return rotate_right(x, 17) ^ rotate_right(x, 19) ^ x >> 10;
}

/* VSHA256H VSHA256H2 VSHA256SU0 VSHA256SU1 */
void
eval_sha256(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	uint32_t x[4], y[4], z[4] = { 0 };

	words_of(eval_of(run, ins->a), x);
	words_of(eval_of(run, ins->b), y);
	if (ins->op != IR_VSHA256SU0)
		words_of(eval_of(run, ins->c), z);
	switch ((int)ins->op) {
	case IR_VSHA256H:
		sha256_rounds(x, y, z);
		break;
	case IR_VSHA256H2: /* x is h:g:f:e */
		sha256_rounds(y, x, z);
		break;
	case IR_VSHA256SU0:
		for (unsigned i = 0; i < 4; i++)
			x[i] += sigma0(i < 3 ? x[i + 1] : y[0]);
		break;
	case IR_VSHA256SU1:
		for (unsigned i = 0; i < 4; i++)
			x[i] += sigma1(i < 2 ? z[i + 2] : x[i - 2]) + (i < 3 ? y[i + 1] : z[0]);
		break;
	}
	set_words(out, x);
}

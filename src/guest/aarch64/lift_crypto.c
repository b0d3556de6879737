/* Cryptography: AES, SHA-1, SHA-256 by ops of their own; SHA-512 and SHA-3 of
 * integer and vector ops. C7.2, FIPS 180-4. */
#include "guest/aarch64/simd.h"

/* AESE, AESD take Vd and Vn; AESMC, AESIMC Vn. a: the op; b: takes two. */
LIFTER(a64_aes)
{
	ir_ref x = a64_v(l, b ? l->insn.rd : l->insn.rn), y = b ? a64_v(l, l->insn.rn) : 0;

	a64_v_set(l, a64_v_op(l, (enum ir_op)a, 0, x, y, 0));
}

/* a: the op; b: how many of Vd, Vn, Vm it takes. */
LIFTER(a64_crypto)
{
	ir_ref x = a64_v(l, l->insn.rd), y = a64_v(l, l->insn.rn), z = b > 2 ? a64_v(l, l->insn.rm) : 0;

	a64_v_set(l, a64_v_op(l, (enum ir_op)a, 0, x, y, z));
}

/* ---- SHA-1 -------------------------------------------------------------- */

/* a: enum ir_sha1. */
LIFTER(a64_sha1)
{
	ir_ref x = a64_v(l, l->insn.rd), e = a64_v(l, l->insn.rn), w = a64_v(l, l->insn.rm);

	(void)b;
	a64_v_set(l, a64_v_op(l, IR_VSHA1, a, x, e, w));
}

LIFTER(a64_sha1_rotate)
{
	ir_ref x = a64_v_scalar(l, IR_I32, l->insn.rn);

	(void)a, (void)b;
	a64_v_set(l, ir_binary(&l->b, IR_ROTL, x, ir_const(&l->b, IR_I32, 30)));
}

/* SHA1SU0: the upper half of Vd with the lower of Vn above it, with Vd, with Vm. */
LIFTER(a64_sha1_schedule)
{
	ir_ref x = a64_v(l, l->insn.rd), y = a64_v_op(l, IR_VEXT, 0, x, a64_v(l, l->insn.rn), 8);

	(void)a, (void)b;
	y = a64_v_op(l, IR_VXOR, 0, y, x, 0);
	a64_v_set(l, a64_v_op(l, IR_VXOR, 0, y, a64_v(l, l->insn.rm), 0));
}

/* ---- SHA-512: words of 64 bits ------------------------------------------ */

static ir_ref
word(struct lifter *l, unsigned reg, unsigned number)
{
	return ir_emit(&l->b, IR_VEXTRACT, IR_I64, IR_I64, a64_v(l, reg), 0, number);
}

static void
set_words(struct lifter *l, ir_ref low, ir_ref high)
{
	ir_ref r = ir_emit(&l->b, IR_VSCALAR, IR_V128, IR_I64, low, 0, 0);

	a64_v_set(l, ir_emit(&l->b, IR_VINSERT, IR_V128, IR_I64, r, high, 1));
}

static ir_ref
plus(struct lifter *l, ir_ref x, ir_ref y)
{
	return ir_binary(&l->b, IR_ADD, x, y);
}

static ir_ref
turned(struct lifter *l, ir_ref x, unsigned n)
{
	return ir_binary(&l->b, IR_ROTR, x, ir_const(&l->b, IR_I64, n));
}

/* x turned right by three distances and combined; or shifted, by the last. */
static ir_ref
mixed(struct lifter *l, ir_ref x, unsigned i, unsigned j, unsigned k, bool shifts)
{
	ir_ref last = shifts ? ir_binary(&l->b, IR_LSHR, x, ir_const(&l->b, IR_I64, k)) : turned(l, x, k);

	return ir_binary(&l->b, IR_XOR, ir_binary(&l->b, IR_XOR, turned(l, x, i), turned(l, x, j)), last);
}

static ir_ref
chosen(struct lifter *l, ir_ref x, ir_ref y, ir_ref z)
{
	return ir_binary(&l->b, IR_XOR, ir_binary(&l->b, IR_AND, x, y), ir_binary(&l->b, IR_ANDN, z, x));
}

static ir_ref
majority(struct lifter *l, ir_ref x, ir_ref y, ir_ref z)
{
	ir_ref differs = ir_binary(&l->b, IR_XOR, x, y), both = ir_binary(&l->b, IR_AND, x, y);

	return ir_binary(&l->b, IR_XOR, both, ir_binary(&l->b, IR_AND, differs, z));
}

LIFTER(a64_sha512h)
{
	ir_ref x0 = word(l, l->insn.rn, 0), x1 = word(l, l->insn.rn, 1), y0 = word(l, l->insn.rm, 0);
	ir_ref y1 = word(l, l->insn.rm, 1), w0 = word(l, l->insn.rd, 0), w1 = word(l, l->insn.rd, 1), t, high, low;

	(void)a, (void)b;
	high = plus(l, plus(l, chosen(l, y1, x0, x1), mixed(l, y1, 14, 18, 41, false)), w1);
	t = plus(l, high, y0);
	low = plus(l, plus(l, chosen(l, t, y1, x0), mixed(l, t, 14, 18, 41, false)), w0);
	set_words(l, low, high);
}

LIFTER(a64_sha512h2)
{
	ir_ref x0 = word(l, l->insn.rn, 0), y0 = word(l, l->insn.rm, 0), y1 = word(l, l->insn.rm, 1);
	ir_ref w0 = word(l, l->insn.rd, 0), w1 = word(l, l->insn.rd, 1), high, low;

	(void)a, (void)b;
	high = plus(l, plus(l, majority(l, x0, y1, y0), mixed(l, y0, 28, 34, 39, false)), w1);
	low = plus(l, plus(l, majority(l, high, y0, y1), mixed(l, high, 28, 34, 39, false)), w0);
	set_words(l, low, high);
}

LIFTER(a64_sha512su0)
{
	ir_ref w0 = word(l, l->insn.rd, 0), w1 = word(l, l->insn.rd, 1), x0 = word(l, l->insn.rn, 0);

	(void)a, (void)b;
	set_words(l, plus(l, w0, mixed(l, w1, 1, 8, 7, true)), plus(l, w1, mixed(l, x0, 1, 8, 7, true)));
}

LIFTER(a64_sha512su1)
{
	ir_ref w0 = word(l, l->insn.rd, 0), w1 = word(l, l->insn.rd, 1), x0 = word(l, l->insn.rn, 0);
	ir_ref x1 = word(l, l->insn.rn, 1), y0 = word(l, l->insn.rm, 0), y1 = word(l, l->insn.rm, 1);

	(void)a, (void)b;
	set_words(l, plus(l, plus(l, w0, mixed(l, x0, 19, 61, 6, true)), y0),
		  plus(l, plus(l, w1, mixed(l, x1, 19, 61, 6, true)), y1));
}

/* ---- SHA-3 -------------------------------------------------------------- */

/* Words of 64 bits turned left. */
static ir_ref
turned_lanes(struct lifter *l, ir_ref x, unsigned n)
{
	ir_ref up = a64_v_shift_by(l, IR_VSHL, IR_I64, x, n), down;

	if (!n)
		return x;
	down = a64_v_shift_by(l, IR_VLSHR, IR_I64, x, 64 - n);
	return a64_v_op(l, IR_VOR, 0, up, down, 0);
}

LIFTER(a64_rax1)
{
	ir_ref y = turned_lanes(l, a64_v(l, l->insn.rm), 1);

	(void)a, (void)b;
	a64_v_set(l, a64_v_op(l, IR_VXOR, 0, a64_v(l, l->insn.rn), y, 0));
}

LIFTER(a64_eor3)
{
	ir_ref x = a64_v_op(l, IR_VXOR, 0, a64_v(l, l->insn.rn), a64_v(l, l->insn.rm), 0);

	(void)a, (void)b;
	a64_v_set(l, a64_v_op(l, IR_VXOR, 0, x, a64_v(l, l->insn.ra), 0));
}

LIFTER(a64_bcax)
{
	ir_ref x = a64_v_op(l, IR_VANDN, 0, a64_v(l, l->insn.rm), a64_v(l, l->insn.ra), 0);

	(void)a, (void)b;
	a64_v_set(l, a64_v_op(l, IR_VXOR, 0, x, a64_v(l, l->insn.rn), 0));
}

LIFTER(a64_xar)
{
	ir_ref x = a64_v_op(l, IR_VXOR, 0, a64_v(l, l->insn.rn), a64_v(l, l->insn.rm), 0);

	(void)a, (void)b;
	a64_v_set(l, turned_lanes(l, x, (64 - (unsigned)l->insn.imm) % 64));
}

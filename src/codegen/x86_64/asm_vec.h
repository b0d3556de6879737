/* Floating-point and vector instructions of the x86-64 assembler. asm.h has
 * the naming law; vec_ops.h the opcodes.
 *
 * Every operation is written with separate destination and sources, in any
 * registers. With AVX that is one VEX instruction. Without, x86_vop3 copies:
 *
 *   d = s1           op d, s2
 *   d differs        movaps d, s1; op d, s2
 *   d = s2           movaps scratch, s2; movaps d, s1; op d, scratch
 *
 * and never swaps sources, because the first one's NaN wins. Packed memory
 * operands must be 16-byte aligned without AVX. XMM16 and above, which need
 * AVX-512VL, select EVEX by themselves.
 *
 * Scalar results: the bits of d above the scalar are those of s1, as the
 * hardware has it; nothing should rely on them.
 */
#ifndef CODEGEN_X86_64_ASM_VEC_H
#define CODEGEN_X86_64_ASM_VEC_H

#include "codegen/x86_64/asm_int.h"
#include "codegen/x86_64/vec_ops.h"

/* ---- generic ------------------------------------------------------------ */

/* d = op(s), where the instruction has two operands. l: 0 for 128 bits and
 * scalars, 1 for 256 (AVX). */
X86_INLINE void
x86_vop2(struct x86_asm *a, uint32_t op, int l, int d, int s)
{
	if (a->vex)
		x86_vex_rr(a, op, l, d, 0, s);
	else
		x86_legacy_rr(a, op, d, s, 0);
}

X86_INLINE void
x86_vop2_m(struct x86_asm *a, uint32_t op, int l, int d, struct x86_mem m)
{
	if (a->vex)
		x86_vex_rm(a, op, l, d, 0, m);
	else
		x86_legacy_rm(a, op, d, m, 0);
}

/* Copies all of s to d. From a high to a low register the store's opcode is
 * the one that VEX encodes in two bytes. */
static inline void
x86_movaps(struct x86_asm *a, int d, int s)
{
	if (s >= XMM8 && d < XMM8)
		x86_vop2(a, X86_OP(NP, 0F, 0x29), 0, s, d);
	else
		x86_vop2(a, X86_OP(NP, 0F, 0x28), 0, d, s);
}

/* Without AVX: makes d hold s1 and returns where s2 is then. */
static inline int
x86_two_operands(struct x86_asm *a, int d, int s1, int s2)
{
	if (d == s1)
		return s2;
	if (d == s2) {
		assert(a->scratch >= 0 && a->scratch != s1 && a->scratch != s2);
		x86_movaps(a, a->scratch, s2);
		s2 = a->scratch;
	}
	x86_movaps(a, d, s1);
	return s2;
}

/* d = op(s1, s2) */
X86_INLINE void
x86_vop3(struct x86_asm *a, uint32_t op, int l, int d, int s1, int s2)
{
	if (a->vex) {
		x86_vex_rr(a, op, l, d, s1, s2);
	} else {
		s2 = x86_two_operands(a, d, s1, s2);
		x86_legacy_rr(a, op, d, s2, 0);
	}
}

X86_INLINE void
x86_vop3_m(struct x86_asm *a, uint32_t op, int l, int d, int s1, struct x86_mem m)
{
	if (a->vex) {
		x86_vex_rm(a, op, l, d, s1, m);
	} else {
		if (d != s1)
			x86_movaps(a, d, s1);
		x86_legacy_rm(a, op, d, m, 0);
	}
}

/* The same with an immediate byte, for opcodes with X86_IMM(1). */
X86_INLINE void
x86_vop2_i(struct x86_asm *a, uint32_t op, int l, int d, int s, int imm)
{
	x86_vop2(a, op, l, d, s);
	x86_put8(a, imm);
}

X86_INLINE void
x86_vop2_mi(struct x86_asm *a, uint32_t op, int l, int d, struct x86_mem m, int imm)
{
	x86_vop2_m(a, op, l, d, m);
	x86_put8(a, imm);
}

X86_INLINE void
x86_vop3_i(struct x86_asm *a, uint32_t op, int l, int d, int s1, int s2, int imm)
{
	x86_vop3(a, op, l, d, s1, s2);
	x86_put8(a, imm);
}

X86_INLINE void
x86_vop3_mi(struct x86_asm *a, uint32_t op, int l, int d, int s1, struct x86_mem m, int imm)
{
	x86_vop3_m(a, op, l, d, s1, m);
	x86_put8(a, imm);
}

/* Zeroes d; the hardware knows that it depends on nothing. */
static inline void
x86_vzero(struct x86_asm *a, int d)
{
	x86_vop3(a, X86_PXOR, 0, d, d, d);
}

/* Shifts the lanes of s by an immediate: lane 2, 4 or 8 bytes; digit 2 for
 * right, 4 arithmetic right (not 8 bytes), 6 left. Lane 8 with digit 3 or 7
 * shifts the whole register by bytes. */
static inline void
x86_vshift_i(struct x86_asm *a, int lane, int digit, int l, int d, int s, int count)
{
	uint32_t op = X86_OP(66, 0F, lane == 2 ? 0x71 : lane == 4 ? 0x72 : 0x73) | X86_IMM(1) |
		      (lane == 8 ? X86_EW : 0);

	if (a->vex) {
		x86_vex_rr(a, op, l, digit, d, s);
	} else {
		if (d != s)
			x86_movaps(a, d, s);
		x86_legacy_rr(a, op, digit, d, 0);
	}
	x86_put8(a, count);
}

/* d = mask ? s2 : s1 by the top bit of each byte of mask. AVX only. */
static inline void
x86_vpblendvb(struct x86_asm *a, int l, int d, int s1, int s2, int mask)
{
	x86_vex_rr(a, X86_OP(66, 0F3A, 0x4c) | X86_IMM(1), l, d, s1, s2);
	x86_put8(a, mask << 4);
}

/* After 256-bit code, before legacy SSE code. AVX only. */
static inline void
x86_vzeroupper(struct x86_asm *a)
{
	x86_put8(a, 0xc5);
	x86_put16(a, 0x77f8);
}

/* ---- loads, stores, moves ----------------------------------------------- */

/* A load of a scalar zeroes the rest of d. */
#define X86_DEFINE_MOVE(name, load_op, store_op)                                       \
	static inline void x86_##name##_load(struct x86_asm *a, int d, struct x86_mem m)   \
	{ x86_vop2_m(a, load_op, 0, d, m); }                                               \
	static inline void x86_##name##_store(struct x86_asm *a, struct x86_mem m, int s)  \
	{ x86_vop2_m(a, store_op, 0, s, m); }

X86_DEFINE_MOVE(movss, X86_OP(F3, 0F, 0x10), X86_OP(F3, 0F, 0x11))
X86_DEFINE_MOVE(movsd, X86_OP(F2, 0F, 0x10) | X86_EW, X86_OP(F2, 0F, 0x11) | X86_EW)
X86_DEFINE_MOVE(movd, X86_OP(66, 0F, 0x6e), X86_OP(66, 0F, 0x7e))
X86_DEFINE_MOVE(movq, X86_OP(F3, 0F, 0x7e) | X86_EW, X86_OP(66, 0F, 0xd6) | X86_EW)
X86_DEFINE_MOVE(movaps, X86_OP(NP, 0F, 0x28), X86_OP(NP, 0F, 0x29))
X86_DEFINE_MOVE(movups, X86_OP(NP, 0F, 0x10), X86_OP(NP, 0F, 0x11))
X86_DEFINE_MOVE(movdqa, X86_OP(66, 0F, 0x6f), X86_OP(66, 0F, 0x7f))
X86_DEFINE_MOVE(movdqu, X86_OP(F3, 0F, 0x6f), X86_OP(F3, 0F, 0x7f))

/* 32 bytes, any alignment. AVX only. */
static inline void
x86_vmovdqu256_load(struct x86_asm *a, int d, struct x86_mem m)
{
	x86_vex_rm(a, X86_OP(F3, 0F, 0x6f), 1, d, 0, m);
}

static inline void
x86_vmovdqu256_store(struct x86_asm *a, struct x86_mem m, int s)
{
	x86_vex_rm(a, X86_OP(F3, 0F, 0x7f), 1, s, 0, m);
}

/* By size, 4 or 8: movss or movsd. */
static inline void
x86_movs_load(struct x86_asm *a, int size, int d, struct x86_mem m)
{
	if (size == 4)
		x86_movss_load(a, d, m);
	else
		x86_movsd_load(a, d, m);
}

static inline void
x86_movs_store(struct x86_asm *a, int size, struct x86_mem m, int s)
{
	if (size == 4)
		x86_movss_store(a, m, s);
	else
		x86_movsd_store(a, m, s);
}

/* d = s1 with its lowest 4 or 8 bytes from s2. */
static inline void
x86_movss(struct x86_asm *a, int d, int s1, int s2)
{
	x86_vop3(a, X86_OP(F3, 0F, 0x10), 0, d, s1, s2);
}

static inline void
x86_movsd(struct x86_asm *a, int d, int s1, int s2)
{
	x86_vop3(a, X86_OP(F2, 0F, 0x10) | X86_EW, 0, d, s1, s2);
}

/* 8 bytes, the upper half of d becomes zero. */
static inline void
x86_movq(struct x86_asm *a, int d, int s)
{
	x86_vop2(a, X86_OP(F3, 0F, 0x7e) | X86_EW, 0, d, s);
}

/* General register to vector register (the rest becomes zero) and back.
 * size: 4 movd, 8 movq. */
static inline void
x86_movd_xr(struct x86_asm *a, int size, int d, int gpr)
{
	x86_vop2(a, X86_OP(66, 0F, 0x6e) | (size == 8 ? X86_W | X86_EW : 0), 0, d, gpr);
}

static inline void
x86_movd_rx(struct x86_asm *a, int size, int gpr, int s)
{
	x86_vop2(a, X86_OP(66, 0F, 0x7e) | (size == 8 ? X86_W | X86_EW : 0), 0, s, gpr);
}

/* ---- scalar arithmetic -------------------------------------------------- */

/* The single or the double one of a scalar pair: F3, or F2 with EVEX.W. */
#define X86_SCALAR(size, opcode)                                                       \
	((size) == 8 ? X86_OP(F2, 0F, opcode) | X86_EW : X86_OP(F3, 0F, opcode))

/* x86_adds takes the size, 4 or 8; x86_addss and x86_addsd have it fixed. */
#define X86_DEFINE_SCALAR(name, opcode)                                                \
	static inline void x86_##name##s(struct x86_asm *a, int size, int d, int s1,       \
					 int s2)                                           \
	{ x86_vop3(a, X86_SCALAR(size, opcode), 0, d, s1, s2); }                           \
	static inline void x86_##name##s_m(struct x86_asm *a, int size, int d, int s1,     \
					   struct x86_mem m)                               \
	{ x86_vop3_m(a, X86_SCALAR(size, opcode), 0, d, s1, m); }                          \
	static inline void x86_##name##ss(struct x86_asm *a, int d, int s1, int s2)        \
	{ x86_##name##s(a, 4, d, s1, s2); }                                                \
	static inline void x86_##name##sd(struct x86_asm *a, int d, int s1, int s2)        \
	{ x86_##name##s(a, 8, d, s1, s2); }                                                \
	static inline void x86_##name##ss_m(struct x86_asm *a, int d, int s1,              \
					    struct x86_mem m)                              \
	{ x86_##name##s_m(a, 4, d, s1, m); }                                               \
	static inline void x86_##name##sd_m(struct x86_asm *a, int d, int s1,              \
					    struct x86_mem m)                              \
	{ x86_##name##s_m(a, 8, d, s1, m); }

X86_DEFINE_SCALAR(add, 0x58)
X86_DEFINE_SCALAR(mul, 0x59)
X86_DEFINE_SCALAR(sub, 0x5c)
X86_DEFINE_SCALAR(min, 0x5d)
X86_DEFINE_SCALAR(div, 0x5e)
X86_DEFINE_SCALAR(max, 0x5f)

/* Operations on one source: d's other bits and, without AVX, a wait for its
 * old value. With AVX s serves as the first source, so there is no wait. */
X86_INLINE void
x86_unary(struct x86_asm *a, uint32_t op, int d, int s)
{
	if (a->vex)
		x86_vex_rr(a, op, 0, d, s, s);
	else
		x86_legacy_rr(a, op, d, s, 0);
}

static inline void
x86_sqrts(struct x86_asm *a, int size, int d, int s)
{
	x86_unary(a, X86_SCALAR(size, 0x51), d, s);
}

static inline void
x86_sqrtss(struct x86_asm *a, int d, int s)
{
	x86_sqrts(a, 4, d, s);
}

static inline void
x86_sqrtsd(struct x86_asm *a, int d, int s)
{
	x86_sqrts(a, 8, d, s);
}

static inline void
x86_cvtss2sd(struct x86_asm *a, int d, int s)
{
	x86_unary(a, X86_CVTSS2SD, d, s);
}

static inline void
x86_cvtsd2ss(struct x86_asm *a, int d, int s)
{
	x86_unary(a, X86_CVTSD2SS, d, s);
}

/* mode: enum x86_rounding; 4 takes MXCSR's; 8 more hides the inexact flag. */
static inline void
x86_rounds(struct x86_asm *a, int size, int d, int s, int mode)
{
	x86_unary(a, size == 8 ? X86_ROUNDSD : X86_ROUNDSS, d, s);
	x86_put8(a, mode);
}

static inline void
x86_roundss(struct x86_asm *a, int d, int s, int mode)
{
	x86_rounds(a, 4, d, s, mode);
}

static inline void
x86_roundsd(struct x86_asm *a, int d, int s, int mode)
{
	x86_rounds(a, 8, d, s, mode);
}

/* ---- scalar compare ----------------------------------------------------- */

/* ZF PF CF: 000 x > y, 001 x < y, 100 equal, 111 unordered. ucomi raises
 * invalid on signalling NaNs only, comi on all. size: 4 or 8. */
static inline void
x86_ucomis(struct x86_asm *a, int size, int x, int y)
{
	x86_vop2(a, size == 8 ? X86_OP(66, 0F, 0x2e) | X86_EW : X86_OP(NP, 0F, 0x2e), 0, x, y);
}

static inline void
x86_ucomis_m(struct x86_asm *a, int size, int x, struct x86_mem m)
{
	x86_vop2_m(a, size == 8 ? X86_OP(66, 0F, 0x2e) | X86_EW : X86_OP(NP, 0F, 0x2e), 0, x,
		   m);
}

static inline void
x86_comis(struct x86_asm *a, int size, int x, int y)
{
	x86_vop2(a, size == 8 ? X86_OP(66, 0F, 0x2f) | X86_EW : X86_OP(NP, 0F, 0x2f), 0, x, y);
}

/* The predicates that legacy SSE has; ordered, quiet for EQ NEQ ORD UNORD. */
enum x86_cmp_predicate {
	X86_CMP_EQ, X86_CMP_LT, X86_CMP_LE, X86_CMP_UNORD,
	X86_CMP_NEQ, X86_CMP_NLT, X86_CMP_NLE, X86_CMP_ORD,
};

/* The low 4 or 8 bytes of d become all ones or all zeros. XMM0-15 only. */
static inline void
x86_cmps(struct x86_asm *a, int size, int d, int s1, int s2, int predicate)
{
	x86_vop3_i(a, size == 8 ? X86_CMPSD : X86_CMPSS, 0, d, s1, s2, predicate);
}

/* ---- conversions with general registers --------------------------------- */

/* From a signed integer of size bytes, 4 or 8, to a float of fp bytes. Zeroes
 * d first: the instruction keeps d's upper bits, and would wait for them. */
static inline void
x86_cvtsi2s(struct x86_asm *a, int fp, int size, int d, int gpr)
{
	uint32_t op = (fp == 8 ? X86_OP(F2, 0F, 0x2a) : X86_OP(F3, 0F, 0x2a)) |
		      (size == 8 ? X86_W | X86_EW : 0);

	x86_vzero(a, d);
	x86_vop3(a, op, 0, d, d, gpr);
}

/* The shared shape of conversions to an integer register. */
X86_INLINE void
x86_to_int(struct x86_asm *a, int opcode, int fp, int size, int gpr, int s)
{
	uint32_t w = size == 8 ? X86_W | X86_EW : 0;

	x86_vop2(a, (fp == 8 ? X86_OP(F2, 0F, opcode) : X86_OP(F3, 0F, opcode)) | w, 0, gpr, s);
}

/* To a signed integer of size bytes, truncated; out of range and NaN give the
 * most negative integer and invalid. */
static inline void
x86_cvtts2si(struct x86_asm *a, int fp, int size, int gpr, int s)
{
	x86_to_int(a, 0x2c, fp, size, gpr, s);
}

/* The same, rounded as MXCSR says. */
static inline void
x86_cvts2si(struct x86_asm *a, int fp, int size, int gpr, int s)
{
	x86_to_int(a, 0x2d, fp, size, gpr, s);
}

/* ---- AVX-512F: unsigned conversions, rounding in the instruction -------- */

/* control: 0 rounds as MXCSR says; X86_ROUND(mode) so, raising nothing.
 * Not usable with a double and a 4-byte integer, which is always exact. */
static inline void
x86_vcvtusi2s(struct x86_asm *a, int fp, int size, int control, int d, int gpr)
{
	x86_vzero(a, d);
	x86_evex_rr(a, X86_OP(NP, 0F, 0x7b) | (fp == 8 ? X86_PP_F2 : X86_PP_F3) |
			       (size == 8 ? X86_EW : 0),
		    control, d, d, gpr);
}

/* Truncates; out of range gives all ones and invalid. control: 0 or X86_SAE. */
static inline void
x86_vcvtts2usi(struct x86_asm *a, int fp, int size, int control, int gpr, int s)
{
	x86_evex_rr(a, X86_OP(NP, 0F, 0x78) | (fp == 8 ? X86_PP_F2 : X86_PP_F3) |
			       (size == 8 ? X86_EW : 0),
		    control, gpr, 0, s);
}

static inline void
x86_vcvts2usi(struct x86_asm *a, int fp, int size, int control, int gpr, int s)
{
	x86_evex_rr(a, X86_OP(NP, 0F, 0x79) | (fp == 8 ? X86_PP_F2 : X86_PP_F3) |
			       (size == 8 ? X86_EW : 0),
		    control, gpr, 0, s);
}

/* ---- FMA3 --------------------------------------------------------------- */

/* The digits name the operands of "multiply, multiply, add": 231 is
 * d = s1 * s2 + d; 213 is d = s1 * d + s2; 132 is d = d * s2 + s1. */
enum x86_fma_order { X86_132 = 0x00, X86_213 = 0x10, X86_231 = 0x20 };

/* msub subtracts the addend, nmadd negates the product, nmsub both. */
enum x86_fma { X86_FMADD = 0x99, X86_FMSUB = 0x9b, X86_FNMADD = 0x9d, X86_FNMSUB = 0x9f };

/* Scalar, size 4 or 8; VEX whatever a->vex says. */
static inline void
x86_fmas(struct x86_asm *a, enum x86_fma fma, enum x86_fma_order order, int size, int d,
	 int s1, int s2)
{
	x86_vex_rr(a, X86_OP(66, 0F38, (unsigned)fma + (unsigned)order) |
			      (size == 8 ? X86_W | X86_EW : 0),
		   0, d, s1, s2);
}

static inline void
x86_fmas_m(struct x86_asm *a, enum x86_fma fma, enum x86_fma_order order, int size, int d,
	   int s1, struct x86_mem m)
{
	x86_vex_rm(a, X86_OP(66, 0F38, (unsigned)fma + (unsigned)order) |
			      (size == 8 ? X86_W | X86_EW : 0),
		   0, d, s1, m);
}

/* ---- half precision (F16C) ---------------------------------------------- */

/* Four halves of s to four singles. */
static inline void
x86_vcvtph2ps(struct x86_asm *a, int d, int s)
{
	x86_vex_rr(a, X86_VCVTPH2PS, 0, d, 0, s);
}

/* Four singles to four halves. mode: enum x86_rounding, or 4 for MXCSR's. */
static inline void
x86_vcvtps2ph(struct x86_asm *a, int d, int s, int mode)
{
	x86_vex_rr(a, X86_VCVTPS2PH, 0, s, 0, d);
	x86_put8(a, mode);
}

/* ---- lanes -------------------------------------------------------------- */

/* The lane of size bytes (1, 2, 4, 8) to a general register, zero-extended. */
static inline void
x86_pextr(struct x86_asm *a, int size, int gpr, int s, int lane)
{
	uint32_t op = size == 1   ? X86_OP(66, 0F3A, 0x14)
		      : size == 2 ? X86_OP(66, 0F3A, 0x15)
		      : size == 4 ? X86_OP(66, 0F3A, 0x16)
				  : X86_OP(66, 0F3A, 0x16) | X86_W | X86_EW;

	x86_vop2_i(a, op | X86_IMM(1), 0, s, gpr, lane);
}

/* d = s with one lane replaced. */
static inline void
x86_pinsr(struct x86_asm *a, int size, int d, int s, int gpr, int lane)
{
	uint32_t op = size == 1   ? X86_OP(66, 0F3A, 0x20)
		      : size == 2 ? X86_OP(66, 0F, 0xc4)
		      : size == 4 ? X86_OP(66, 0F3A, 0x22)
				  : X86_OP(66, 0F3A, 0x22) | X86_W | X86_EW;

	if (!a->vex && d != s) { /* here, as gpr may have the number of d */
		x86_movaps(a, d, s);
		s = d;
	}
	x86_vop3(a, op | X86_IMM(1), 0, d, s, gpr);
	x86_put8(a, lane);
}

/* The lane of two bytes to memory. */
static inline void
x86_pextrw_m(struct x86_asm *a, struct x86_mem m, int s, int lane)
{
	x86_vop2_mi(a, X86_OP(66, 0F3A, 0x15) | X86_IMM(1), 0, s, m, lane);
}

/* The sign bits of the lanes to a general register. */
static inline void
x86_pmovmskb(struct x86_asm *a, int gpr, int s)
{
	x86_vop2(a, X86_OP(66, 0F, 0xd7), 0, gpr, s);
}

static inline void
x86_movmskps(struct x86_asm *a, int gpr, int s)
{
	x86_vop2(a, X86_OP(NP, 0F, 0x50), 0, gpr, s);
}

static inline void
x86_movmskpd(struct x86_asm *a, int gpr, int s)
{
	x86_vop2(a, X86_OP(66, 0F, 0x50), 0, gpr, s);
}

static inline void
x86_pshufd(struct x86_asm *a, int d, int s, int order)
{
	x86_vop2_i(a, X86_PSHUFD, 0, d, s, order);
}

/* ---- SHA: has no VEX form, destroys its first operand ------------------- */

/* op: X86_SHA…; SHA256RNDS2 reads XMM0 too. */
X86_INLINE void
x86_sha(struct x86_asm *a, uint32_t op, int d, int s)
{
	x86_legacy_rr(a, op, d, s, 0);
}

#endif

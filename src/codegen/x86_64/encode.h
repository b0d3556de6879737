/* The encoding layer of the x86-64 assembler: operands in, bytes out.
 *
 * An instruction is described by one constant that reads as the manual's
 * opcode line does: X86_OP(F2, 0F, 0x58) | X86_EW is "F2 0F 58 /r", which
 * under EVEX has W1. From it three encoders make the three kinds of prefix:
 *
 *   legacy  [66] [66|F3|F2] [REX] [0F [38|3A]] opcode ModRM …
 *   VEX     C5 xx | C4 xx xx       opcode ModRM …
 *   EVEX    62 xx xx xx            opcode ModRM …    (xmm16-31, rounding, masks)
 *
 * Each takes the register field (ModRM.reg), for VEX and EVEX the extra
 * source (vvvv), and a register or memory operand (ModRM.rm). Immediates are
 * appended by the caller; the constant says how many bytes follow (X86_IMM),
 * which RIP-relative operands need to know.
 *
 * Source: Intel SDM volume 2, chapter 2 (formats) and appendix A (maps).
 */
#ifndef CODEGEN_X86_64_ENCODE_H
#define CODEGEN_X86_64_ENCODE_H

#include "base/base.h"

#include <assert.h>
#include <string.h>

enum x86_gpr {
	RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI,
	R8, R9, R10, R11, R12, R13, R14, R15,
};

/* 16 and above exist only with AVX-512. */
enum x86_xmm {
	XMM0, XMM1, XMM2, XMM3, XMM4, XMM5, XMM6, XMM7,
	XMM8, XMM9, XMM10, XMM11, XMM12, XMM13, XMM14, XMM15,
	XMM16, XMM17, XMM18, XMM19, XMM20, XMM21, XMM22, XMM23,
	XMM24, XMM25, XMM26, XMM27, XMM28, XMM29, XMM30, XMM31,
};

/* Where code is written. The caller guarantees room: it sees to it once per
 * IR op that 256 bytes are left; no encoder checks. One thread at a time. */
struct x86_asm {
	uint8_t *p;     /* the next byte goes here */
	uint8_t *end;   /* the first byte that is not ours */
	uint8_t *start; /* x86_rip() offsets count from here */
	bool vex;       /* AVX is there: vector code is VEX-encoded */
	int8_t scratch; /* vector register that x86_vop3 may destroy without AVX */
	/* Places of 32-bit distances, from `base`, for whoever wants to move the
	 * code: written as they are emitted while there is room. None: both NULL. */
	uint32_t *note, *note_end;
	const uint8_t *base;
};

/* A distance to elsewhere is about to be written at p. */
static inline void
x86_note(struct x86_asm *a, const uint8_t *p)
{
	if (a->note != a->note_end)
		*a->note++ = (uint32_t)(p - a->base);
}

/* ---- memory operands ---------------------------------------------------- */

/* No base, no index, RIP as base. The values have bit 3 clear, as if they
 * were low registers, so that REX bits need no test. */
#define X86_NONE (-16)
#define X86_RIP (-32)

/* [base + (index << scale_log2) + disp]; one machine word, passed by value. */
struct x86_mem {
	int8_t base;
	int8_t index; /* never RSP, which the encoding cannot express */
	uint8_t scale_log2;
	uint8_t unused;
	int32_t disp;
};

static inline struct x86_mem
x86_base(int base, int32_t disp)
{
	return (struct x86_mem){ (int8_t)base, X86_NONE, 0, 0, disp };
}

static inline struct x86_mem
x86_index(int base, int index, unsigned scale_log2, int32_t disp)
{
	assert(index != RSP && scale_log2 <= 3);
	return (struct x86_mem){ (int8_t)base, (int8_t)index, (uint8_t)scale_log2, 0, disp };
}

/* [(index << scale_log2) + disp] */
static inline struct x86_mem
x86_scaled(int index, unsigned scale_log2, int32_t disp)
{
	return x86_index(X86_NONE, index, scale_log2, disp);
}

/* [disp]: the low or the high 2 GiB of the address space. */
static inline struct x86_mem
x86_absolute(int32_t disp)
{
	return (struct x86_mem){ X86_NONE, X86_NONE, 0, 0, disp };
}

/* The byte at start + offset, addressed relative to RIP. */
static inline struct x86_mem
x86_rip(int32_t offset)
{
	return (struct x86_mem){ X86_RIP, X86_NONE, 0, 0, offset };
}

/* ---- opcode constants --------------------------------------------------- */

#define X86_PP_NP 0u
#define X86_PP_66 (1u << 8)
#define X86_PP_F3 (2u << 8)
#define X86_PP_F2 (3u << 8)
#define X86_MAP_1 0u
#define X86_MAP_0F (1u << 10)
#define X86_MAP_0F38 (2u << 10)
#define X86_MAP_0F3A (3u << 10)
#define X86_MAP_5 (5u << 10) /* half precision, EVEX only */
#define X86_MAP_6 (6u << 10)
#define X86_W (1u << 13)   /* REX.W and VEX.W */
#define X86_EW (1u << 14)  /* EVEX.W, which often differs from VEX.W */
#define X86_O16 (1u << 15) /* operand size prefix in front of a mandatory one */
#define X86_IMM(n) ((unsigned)(n) << 16) /* n bytes of immediate follow */

#define X86_OP(pp, map, opcode) (X86_PP_##pp | X86_MAP_##map | (unsigned)(opcode))

#define X86_GET_PP(op) ((op) >> 8 & 3)
#define X86_GET_MAP(op) ((op) >> 10 & 7)
#define X86_GET_IMM(op) ((int)((op) >> 16 & 7))

/* The opcode of an integer instruction for operands of 1, 2, 4 or 8 bytes.
 * Where a byte form exists it is the even opcode below the given odd one. */
static inline uint32_t
x86_sized(uint32_t op, int size)
{
	assert(size == 1 || size == 2 || size == 4 || size == 8);
	return (op - (size == 1)) | (size == 2 ? X86_O16 : 0) | (size == 8 ? X86_W : 0);
}

/* ---- bytes -------------------------------------------------------------- */

/* The encoders are forced inline: their opcode is a constant, and most of
 * each of them folds away. They keep the write pointer in a local, because a
 * store of a byte may alias anything, the pointer's own home included. */
#define X86_INLINE static inline __attribute__((always_inline))

static inline void
x86_put8(struct x86_asm *a, int byte)
{
	*a->p++ = (uint8_t)byte;
}

static inline void
x86_put16(struct x86_asm *a, int value)
{
	uint16_t v = (uint16_t)value;

	memcpy(a->p, &v, 2);
	a->p += 2;
}

static inline void
x86_put32(struct x86_asm *a, int32_t value)
{
	memcpy(a->p, &value, 4);
	a->p += 4;
}

static inline void
x86_put64(struct x86_asm *a, uint64_t value)
{
	memcpy(a->p, &value, 8);
	a->p += 8;
}

/* An immediate of an operand size: sign-extended 32 bits for 8 bytes. */
static inline void
x86_put_imm(struct x86_asm *a, int size, int32_t imm)
{
	if (size >= 4)
		x86_put32(a, imm);
	else if (size == 2)
		x86_put16(a, imm);
	else
		x86_put8(a, imm);
}

static inline uint8_t *
x86_put_disp32(uint8_t *p, int32_t disp)
{
	memcpy(p, &disp, 4);
	return p + 4;
}

/* ModRM, SIB and displacement of a memory operand. The special cases of the
 * manual's tables 2-2 and 2-3: rm 4 (rsp, r12) means SIB; mod 0 with base 5
 * (rbp, r13) means no base, or RIP. EVEX multiplies an 8-bit displacement by
 * a tuple size; with wide set it is used only when it is zero. */
static inline uint8_t *
x86_put_mem(struct x86_asm *a, uint8_t *p, int reg, struct x86_mem m, int imm_size,
	    bool wide)
{
	int field = (reg & 7) << 3, rm = m.base & 7, mod;

	if (UNLIKELY(m.base < 0)) {
		if (m.base == X86_RIP) {
			*p++ = (uint8_t)(field | 5);
			x86_note(a, p);
			return x86_put_disp32(
				p, (int32_t)(m.disp - (p + 4 + imm_size - a->start)));
		}
		*p++ = (uint8_t)(field | 4);
		*p++ = (uint8_t)(m.index < 0 ? 0x25
					     : m.scale_log2 << 6 | (m.index & 7) << 3 | 5);
		return x86_put_disp32(p, m.disp);
	}
	if (m.disp == 0 && rm != 5)
		mod = 0;
	else if (m.disp == (int8_t)m.disp && (!wide || m.disp == 0))
		mod = 0x40;
	else
		mod = 0x80;
	if (m.index >= 0) {
		*p++ = (uint8_t)(mod | field | 4);
		*p++ = (uint8_t)(m.scale_log2 << 6 | (m.index & 7) << 3 | rm);
	} else {
		*p++ = (uint8_t)(mod | field | rm);
		*p = 0x24;
		p += rm == 4;
	}
	if (mod == 0x80)
		return x86_put_disp32(p, m.disp);
	*p = (uint8_t)m.disp;
	return p + (mod == 0x40);
}

/* ---- legacy encoding ---------------------------------------------------- */

/* Prefixes and opcode; rex holds the W, R, X, B bits, and 0x40 when a REX is
 * wanted even if they are all zero (spl, bpl, sil, dil). */
X86_INLINE uint8_t *
x86_put_legacy(uint8_t *p, uint32_t op, int rex)
{
	if (op & X86_O16)
		*p++ = 0x66;
	if (X86_GET_PP(op))
		*p++ = (uint8_t)(0xf2f36600u >> X86_GET_PP(op) * 8);
	*p = (uint8_t)(rex | 0x40);
	p += rex != 0;
	if (X86_GET_MAP(op)) {
		*p++ = 0x0f;
		if (X86_GET_MAP(op) == 2)
			*p++ = 0x38;
		else if (X86_GET_MAP(op) == 3)
			*p++ = 0x3a;
	}
	*p++ = (uint8_t)op;
	return p;
}

X86_INLINE int
x86_rex_rr(uint32_t op, int reg, int rm)
{
	return (op & X86_W ? 8 : 0) | (reg & 8) >> 1 | (rm & 8) >> 3;
}

X86_INLINE int
x86_rex_rm(uint32_t op, int reg, struct x86_mem m)
{
	return (op & X86_W ? 8 : 0) | (reg & 8) >> 1 | (m.index & 8) >> 2 | (m.base & 8) >> 3;
}

/* 0x40 when a byte operand in this register needs a REX. */
X86_INLINE int
x86_rex_byte(int size, int reg)
{
	return size == 1 && reg >= RSP ? 0x40 : 0;
}

/* Instruction with two registers; rex as extra bits, usually 0. */
X86_INLINE void
x86_legacy_rr(struct x86_asm *a, uint32_t op, int reg, int rm, int rex)
{
	uint8_t *p = x86_put_legacy(a->p, op, x86_rex_rr(op, reg, rm) | rex);

	*p++ = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
	a->p = p;
}

X86_INLINE void
x86_legacy_rm(struct x86_asm *a, uint32_t op, int reg, struct x86_mem m, int rex)
{
	uint8_t *p = x86_put_legacy(a->p, op, x86_rex_rm(op, reg, m) | rex);

	a->p = x86_put_mem(a, p, reg, m, X86_GET_IMM(op), false);
}

/* ---- EVEX --------------------------------------------------------------- */

/* The control byte of EVEX (P2 without V'): vector length, embedded rounding
 * or broadcast, mask register, zeroing. Combine with |. */
#define X86_L128 0x00
#define X86_L256 0x20
#define X86_L512 0x40
#define X86_BCAST 0x10
#define X86_SAE 0x10                        /* suppress all exceptions */
#define X86_ROUND(mode) ((mode) << 5 | 0x10) /* and round so; implies SAE */
#define X86_MASK(k) (k)                     /* k1…k7 */
#define X86_ZEROING 0x80

/* Rounding modes as MXCSR, EVEX and ROUNDSD number them. */
enum x86_rounding { X86_RNE, X86_RDN, X86_RUP, X86_RTZ };

/* high: the R X B R' bits that the operands set, uninverted, in place. */
X86_INLINE uint8_t *
x86_put_evex(uint8_t *p, uint32_t op, int control, int high, int vvvv)
{
	p[0] = 0x62;
	p[1] = (uint8_t)((high ^ 0xf0) | (int)X86_GET_MAP(op));
	p[2] = (uint8_t)((op & X86_EW ? 0x80 : 0) | (~vvvv & 15) << 3 | 4 | (int)X86_GET_PP(op));
	p[3] = (uint8_t)(control | (vvvv & 16 ? 0 : 8));
	p[4] = (uint8_t)op;
	return p + 5;
}

static inline void
x86_evex_rr(struct x86_asm *a, uint32_t op, int control, int reg, int vvvv, int rm)
{
	uint8_t *p = x86_put_evex(
		a->p, op, control,
		(reg & 8) << 4 | (rm & 16) << 2 | (rm & 8) << 2 | (reg & 16), vvvv);

	*p++ = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
	a->p = p;
}

static inline void
x86_evex_rm(struct x86_asm *a, uint32_t op, int control, int reg, int vvvv, struct x86_mem m)
{
	uint8_t *p = x86_put_evex(
		a->p, op, control,
		(reg & 8) << 4 | (m.index & 8) << 3 | (m.base & 8) << 2 | (reg & 16), vvvv);

	a->p = x86_put_mem(a, p, reg, m, X86_GET_IMM(op), true);
}

/* ---- VEX ---------------------------------------------------------------- */

/* high: the R X B bits that the operands set, uninverted, in place. */
X86_INLINE uint8_t *
x86_put_vex(uint8_t *p, uint32_t op, int l, int high, int vvvv)
{
	int last = (~vvvv & 15) << 3 | l << 2 | (int)X86_GET_PP(op);

	if (X86_GET_MAP(op) == 1 && !(op & X86_W) && !(high & 0x60)) {
		p[0] = 0xc5;
		p[1] = (uint8_t)((high ^ 0x80) | last);
		p[2] = (uint8_t)op;
		return p + 3;
	}
	p[0] = 0xc4;
	p[1] = (uint8_t)((high ^ 0xe0) | (int)X86_GET_MAP(op));
	p[2] = (uint8_t)((op & X86_W ? 0x80 : 0) | last);
	p[3] = (uint8_t)op;
	return p + 4;
}

/* l: 0 scalar or 128 bits, 1 256 bits. vvvv: 0 where there is no such operand.
 * Registers from XMM16 on turn the instruction into its EVEX form. */
X86_INLINE void
x86_vex_rr(struct x86_asm *a, uint32_t op, int l, int reg, int vvvv, int rm)
{
	uint8_t *p;

	if (UNLIKELY((reg | vvvv | rm) >= 16)) {
		x86_evex_rr(a, op, l << 5, reg, vvvv, rm);
		return;
	}
	p = x86_put_vex(a->p, op, l, (reg & 8) << 4 | (rm & 8) << 2, vvvv);
	*p++ = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
	a->p = p;
}

X86_INLINE void
x86_vex_rm(struct x86_asm *a, uint32_t op, int l, int reg, int vvvv, struct x86_mem m)
{
	uint8_t *p;

	if (UNLIKELY((reg | vvvv) >= 16)) {
		x86_evex_rm(a, op, l << 5, reg, vvvv, m);
		return;
	}
	p = x86_put_vex(a->p, op, l, (reg & 8) << 4 | (m.index & 8) << 3 | (m.base & 8) << 2,
			vvvv);
	a->p = x86_put_mem(a, p, reg, m, X86_GET_IMM(op), false);
}

#endif

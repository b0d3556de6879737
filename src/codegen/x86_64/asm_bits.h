/* Bit instructions of the x86-64 assembler: counts, bit tests, byte swaps,
 * CRC, BMI1, BMI2 and ADX. asm.h has the naming law. Sizes are 4 and 8, and 2
 * where said. The caller sees to it that the host has the instruction:
 * popcnt and crc32 belong to the baseline, the rest is probed. */
#ifndef CODEGEN_X86_64_ASM_BITS_H
#define CODEGEN_X86_64_ASM_BITS_H

#include "codegen/x86_64/asm_int.h"

/* ---- counts ------------------------------------------------------------- */

/* bsf, bsr: d is undefined for s = 0 (ZF says so). lzcnt and tzcnt run as bsr
 * and bsf on hosts without them: probe. popcnt writes all flags. */
#define X86_DEFINE_COUNT(name, op)                                                     \
	static inline void x86_##name##_rr(struct x86_asm *a, int size, int d, int s)      \
	{ x86_legacy_rr(a, x86_sized(op, size), d, s, 0); }                                \
	static inline void x86_##name##_rm(struct x86_asm *a, int size, int d,             \
					   struct x86_mem m)                               \
	{ x86_legacy_rm(a, x86_sized(op, size), d, m, 0); }

X86_DEFINE_COUNT(bsf, X86_OP(NP, 0F, 0xbc))
X86_DEFINE_COUNT(bsr, X86_OP(NP, 0F, 0xbd))
X86_DEFINE_COUNT(tzcnt, X86_OP(F3, 0F, 0xbc))
X86_DEFINE_COUNT(lzcnt, X86_OP(F3, 0F, 0xbd))
X86_DEFINE_COUNT(popcnt, X86_OP(F3, 0F, 0xb8))
/* d += s + a carry of its own: CF (adcx) or OF (adox). ADX. */
X86_DEFINE_COUNT(adcx, X86_OP(66, 0F38, 0xf6))
X86_DEFINE_COUNT(adox, X86_OP(F3, 0F38, 0xf6))

/* CRC-32C of size bytes (1, 2, 4, 8) of s into the 32 bits of d. */
static inline void
x86_crc32_rr(struct x86_asm *a, int size, int d, int s)
{
	x86_legacy_rr(a, x86_sized(X86_OP(F2, 0F38, 0xf1), size), d, s,
		      x86_rex_byte(size, s));
}

/* ---- byte order --------------------------------------------------------- */

static inline void
x86_bswap_r(struct x86_asm *a, int size, int r)
{
	assert(size >= 4);
	x86_plus_r(a, X86_OP(NP, 0F, 0xc8) | (size == 8 ? X86_W : 0), r);
}

/* size: 2, 4, 8; with 2 the upper bits of d stay. */
static inline void
x86_movbe_rm(struct x86_asm *a, int size, int d, struct x86_mem m)
{
	x86_legacy_rm(a, x86_sized(X86_OP(NP, 0F38, 0xf0), size), d, m, 0);
}

static inline void
x86_movbe_mr(struct x86_asm *a, int size, struct x86_mem m, int s)
{
	x86_legacy_rm(a, x86_sized(X86_OP(NP, 0F38, 0xf1), size), s, m, 0);
}

/* ---- bit tests ---------------------------------------------------------- */

/* CF = the bit, its number modulo the width; then set, reset, complemented.
 * There is no form on memory: with a register it leaves the operand. */
#define X86_DEFINE_BT(name, opcode, digit)                                             \
	static inline void x86_##name##_rr(struct x86_asm *a, int size, int d, int bit)    \
	{ x86_legacy_rr(a, x86_sized(X86_OP(NP, 0F, opcode), size), bit, d, 0); }          \
	static inline void x86_##name##_ri(struct x86_asm *a, int size, int d, int bit)    \
	{                                                                                  \
		x86_legacy_rr(a, x86_sized(X86_OP(NP, 0F, 0xba), size), digit, d, 0);      \
		x86_put8(a, bit);                                                          \
	}

X86_DEFINE_BT(bt, 0xa3, 4)
X86_DEFINE_BT(bts, 0xab, 5)
X86_DEFINE_BT(btr, 0xb3, 6)
X86_DEFINE_BT(btc, 0xbb, 7)

/* ---- BMI1, BMI2: three operands, VEX ------------------------------------ */

X86_INLINE void
x86_bmi_rrr(struct x86_asm *a, uint32_t op, int size, int reg, int vvvv, int rm)
{
	x86_vex_rr(a, op | (size == 8 ? X86_W : 0), 0, reg, vvvv, rm);
}

X86_INLINE void
x86_bmi_rrm(struct x86_asm *a, uint32_t op, int size, int reg, int vvvv, struct x86_mem m)
{
	x86_vex_rm(a, op | (size == 8 ? X86_W : 0), 0, reg, vvvv, m);
}

/* d = s shifted (or cut, …) by the register c; the second source is vvvv. */
#define X86_DEFINE_BMI_RM_V(name, op)                                                  \
	static inline void x86_##name##_rrr(struct x86_asm *a, int size, int d, int s,     \
					    int c)                                         \
	{ x86_bmi_rrr(a, op, size, d, c, s); }                                             \
	static inline void x86_##name##_rmr(struct x86_asm *a, int size, int d,            \
					    struct x86_mem s, int c)                       \
	{ x86_bmi_rrm(a, op, size, d, c, s); }

X86_DEFINE_BMI_RM_V(shlx, X86_OP(66, 0F38, 0xf7))
X86_DEFINE_BMI_RM_V(sarx, X86_OP(F3, 0F38, 0xf7))
X86_DEFINE_BMI_RM_V(shrx, X86_OP(F2, 0F38, 0xf7))
X86_DEFINE_BMI_RM_V(bextr, X86_OP(NP, 0F38, 0xf7))
X86_DEFINE_BMI_RM_V(bzhi, X86_OP(NP, 0F38, 0xf5))

/* The first source is vvvv. andn: d = ~s1 & s2. mulx: d:s1 = rdx * s2, where
 * both d (high half) and s1 (low half) are written. */
#define X86_DEFINE_BMI_V_RM(name, op)                                                  \
	static inline void x86_##name##_rrr(struct x86_asm *a, int size, int d, int s1,    \
					    int s2)                                        \
	{ x86_bmi_rrr(a, op, size, d, s1, s2); }                                           \
	static inline void x86_##name##_rrm(struct x86_asm *a, int size, int d, int s1,    \
					    struct x86_mem s2)                             \
	{ x86_bmi_rrm(a, op, size, d, s1, s2); }

X86_DEFINE_BMI_V_RM(andn, X86_OP(NP, 0F38, 0xf2))
X86_DEFINE_BMI_V_RM(pdep, X86_OP(F2, 0F38, 0xf5))
X86_DEFINE_BMI_V_RM(pext, X86_OP(F3, 0F38, 0xf5))
X86_DEFINE_BMI_V_RM(mulx, X86_OP(F2, 0F38, 0xf6))

/* blsr clears, blsi keeps, blsmsk masks up to the lowest set bit of s. */
#define X86_DEFINE_BLS(name, digit)                                                    \
	static inline void x86_##name##_rr(struct x86_asm *a, int size, int d, int s)      \
	{ x86_bmi_rrr(a, X86_OP(NP, 0F38, 0xf3), size, digit, d, s); }

X86_DEFINE_BLS(blsr, 1)
X86_DEFINE_BLS(blsmsk, 2)
X86_DEFINE_BLS(blsi, 3)

/* Rotates right without touching the flags. */
static inline void
x86_rorx_rri(struct x86_asm *a, int size, int d, int s, int count)
{
	x86_bmi_rrr(a, X86_OP(F2, 0F3A, 0xf0), size, d, 0, s);
	x86_put8(a, count);
}

#endif

/* Integer instructions of the x86-64 assembler: moves, arithmetic, shifts,
 * atomics, system. asm.h has the naming law. */
#ifndef CODEGEN_X86_64_ASM_INT_H
#define CODEGEN_X86_64_ASM_INT_H

#include "codegen/x86_64/encode.h"

/* ---- shapes: how most integer instructions lay out their operands ------- */

/* Both operands have the size. reg goes to ModRM.reg, rm to ModRM.rm. */
X86_INLINE void
x86_int_rr(struct x86_asm *a, uint32_t op, int size, int reg, int rm)
{
	x86_legacy_rr(a, x86_sized(op, size), reg, rm,
		      x86_rex_byte(size, reg) | x86_rex_byte(size, rm));
}

X86_INLINE void
x86_int_rm(struct x86_asm *a, uint32_t op, int size, int reg, struct x86_mem m)
{
	x86_legacy_rm(a, x86_sized(op, size), reg, m, x86_rex_byte(size, reg));
}

/* One operand; digit is the opcode's extension in ModRM.reg. */
X86_INLINE void
x86_int_r(struct x86_asm *a, uint32_t op, int digit, int size, int rm)
{
	x86_legacy_rr(a, x86_sized(op, size), digit, rm, x86_rex_byte(size, rm));
}

X86_INLINE void
x86_int_m(struct x86_asm *a, uint32_t op, int digit, int size, struct x86_mem m)
{
	x86_legacy_rm(a, x86_sized(op, size), digit, m, 0);
}

/* The register is in the low bits of the opcode. */
X86_INLINE void
x86_plus_r(struct x86_asm *a, uint32_t op, int r)
{
	a->p = x86_put_legacy(a->p, op | (r & 7), x86_rex_rr(op, 0, r));
}

/* ---- mov, lea ----------------------------------------------------------- */

static inline void
x86_mov_rr(struct x86_asm *a, int size, int d, int s)
{
	x86_int_rr(a, 0x89, size, s, d);
}

static inline void
x86_mov_rm(struct x86_asm *a, int size, int d, struct x86_mem m)
{
	x86_int_rm(a, 0x8b, size, d, m);
}

static inline void
x86_mov_mr(struct x86_asm *a, int size, struct x86_mem m, int s)
{
	x86_int_rm(a, 0x89, size, s, m);
}

/* The immediate is sign-extended for 8 bytes, cut off for 1 and 2. */
static inline void
x86_mov_mi(struct x86_asm *a, int size, struct x86_mem m, int32_t imm)
{
	x86_int_m(a, 0xc7 | X86_IMM(size > 4 ? 4 : size), 0, size, m);
	x86_put_imm(a, size, imm);
}

/* Sets all 64 bits of d, in the shortest way that keeps the flags. */
static inline void
x86_mov_ri(struct x86_asm *a, int d, uint64_t imm)
{
	if (imm == (uint32_t)imm) {
		x86_plus_r(a, 0xb8, d);
		x86_put32(a, (int32_t)imm);
	} else if (imm == (uint64_t)(int32_t)imm) {
		x86_int_r(a, 0xc7, 0, 8, d);
		x86_put32(a, (int32_t)imm);
	} else {
		x86_plus_r(a, 0xb8 | X86_W, d);
		x86_put64(a, imm);
	}
}

/* As x86_mov_ri, shorter for zero (xor), but destroys the flags. */
static inline void
x86_set_ri(struct x86_asm *a, int d, uint64_t imm)
{
	if (imm == 0)
		x86_int_rr(a, 0x31, 4, d, d);
	else
		x86_mov_ri(a, d, imm);
}

/* movabs: always ten bytes, so that the last eight can be patched. */
static inline void
x86_movabs_ri(struct x86_asm *a, int d, uint64_t imm)
{
	x86_plus_r(a, 0xb8 | X86_W, d);
	x86_put64(a, imm);
}

/* Zero-extends from bytes (1, 2, 4; 8 is a move) to 64 bits. */
static inline void
x86_movzx_rr(struct x86_asm *a, int from, int d, int s)
{
	if (from >= 4)
		x86_mov_rr(a, from, d, s);
	else
		x86_legacy_rr(a, X86_OP(NP, 0F, from == 1 ? 0xb6 : 0xb7), d, s,
			      x86_rex_byte(from, s));
}

static inline void
x86_movzx_rm(struct x86_asm *a, int from, int d, struct x86_mem m)
{
	if (from >= 4)
		x86_mov_rm(a, from, d, m);
	else
		x86_legacy_rm(a, X86_OP(NP, 0F, from == 1 ? 0xb6 : 0xb7), d, m, 0);
}

/* The opcode that sign-extends from bytes to to bytes, with its prefix bits.
 * to: 2, 4 (bits 63:32 become 0) or 8; from ≤ to. */
static inline uint32_t
x86_movsx_op(int to, int from)
{
	assert(from <= to && to >= 2);
	if (from == to)
		return x86_sized(0x8b, to);
	if (from == 4)
		return 0x63 | X86_W; /* movsxd */
	return x86_sized(X86_OP(NP, 0F, from == 1 ? 0xbe : 0xbf), to);
}

static inline void
x86_movsx_rr(struct x86_asm *a, int to, int from, int d, int s)
{
	x86_legacy_rr(a, x86_movsx_op(to, from), d, s, x86_rex_byte(from, s));
}

static inline void
x86_movsx_rm(struct x86_asm *a, int to, int from, int d, struct x86_mem m)
{
	x86_legacy_rm(a, x86_movsx_op(to, from), d, m, 0);
}

static inline void
x86_lea(struct x86_asm *a, int size, int d, struct x86_mem m)
{
	x86_int_rm(a, 0x8d, size, d, m);
}

/* ---- the eight of the first row ----------------------------------------- */

/* Opcode bits 5:3 and the digit of the immediate form. */
enum x86_alu { X86_ADD, X86_OR, X86_ADC, X86_SBB, X86_AND, X86_SUB, X86_XOR, X86_CMP };

static inline void
x86_alu_rr(struct x86_asm *a, enum x86_alu alu, int size, int d, int s)
{
	x86_int_rr(a, (unsigned)alu << 3 | 1, size, s, d);
}

static inline void
x86_alu_rm(struct x86_asm *a, enum x86_alu alu, int size, int d, struct x86_mem m)
{
	x86_int_rm(a, (unsigned)alu << 3 | 3, size, d, m);
}

static inline void
x86_alu_mr(struct x86_asm *a, enum x86_alu alu, int size, struct x86_mem m, int s)
{
	x86_int_rm(a, (unsigned)alu << 3 | 1, size, s, m);
}

/* The immediate is sign-extended to 8 bytes, cut off to 1 and 2. A 2-byte
 * operand whose immediate needs 16 bits stalls Intel's decoders. */
static inline void
x86_alu_ri(struct x86_asm *a, enum x86_alu alu, int size, int d, int32_t imm)
{
	bool byte = size == 1 || imm == (int8_t)imm;

	x86_int_r(a, byte && size != 1 ? 0x83 : 0x81, (int)alu, size, d);
	x86_put_imm(a, byte ? 1 : size, imm);
}

static inline void
x86_alu_mi(struct x86_asm *a, enum x86_alu alu, int size, struct x86_mem m, int32_t imm)
{
	bool byte = size == 1 || imm == (int8_t)imm;
	int imm_size = byte ? 1 : size > 4 ? 4 : size;

	x86_int_m(a, (byte && size != 1 ? 0x83 : 0x81) | X86_IMM(imm_size), (int)alu, size, m);
	x86_put_imm(a, imm_size, imm);
}

#define X86_DEFINE_ALU(name, alu)                                                      \
	static inline void x86_##name##_rr(struct x86_asm *a, int size, int d, int s)      \
	{ x86_alu_rr(a, alu, size, d, s); }                                                \
	static inline void x86_##name##_ri(struct x86_asm *a, int size, int d, int32_t i)  \
	{ x86_alu_ri(a, alu, size, d, i); }                                                \
	static inline void x86_##name##_rm(struct x86_asm *a, int size, int d,             \
					   struct x86_mem m)                               \
	{ x86_alu_rm(a, alu, size, d, m); }                                                \
	static inline void x86_##name##_mr(struct x86_asm *a, int size, struct x86_mem m,  \
					   int s)                                          \
	{ x86_alu_mr(a, alu, size, m, s); }                                                \
	static inline void x86_##name##_mi(struct x86_asm *a, int size, struct x86_mem m,  \
					   int32_t i)                                      \
	{ x86_alu_mi(a, alu, size, m, i); }

X86_DEFINE_ALU(add, X86_ADD)
X86_DEFINE_ALU(or, X86_OR)
X86_DEFINE_ALU(adc, X86_ADC)
X86_DEFINE_ALU(sbb, X86_SBB)
X86_DEFINE_ALU(and, X86_AND)
X86_DEFINE_ALU(sub, X86_SUB)
X86_DEFINE_ALU(xor, X86_XOR)
X86_DEFINE_ALU(cmp, X86_CMP)

static inline void
x86_test_rr(struct x86_asm *a, int size, int x, int y)
{
	x86_int_rr(a, 0x85, size, y, x);
}

static inline void
x86_test_mr(struct x86_asm *a, int size, struct x86_mem m, int r)
{
	x86_int_rm(a, 0x85, size, r, m);
}

/* A mask with bit 7 (or 31) and all above clear tests the low byte (or the
 * low half) instead, which gives the same flags, sign and parity too. */
static inline void
x86_test_ri(struct x86_asm *a, int size, int r, int32_t imm)
{
	if ((imm & ~0x7f) == 0)
		size = 1;
	else if (size == 8 && imm >= 0)
		size = 4;
	x86_int_r(a, 0xf7, 0, size, r);
	x86_put_imm(a, size, imm);
}

static inline void
x86_test_mi(struct x86_asm *a, int size, struct x86_mem m, int32_t imm)
{
	x86_int_m(a, 0xf7 | X86_IMM(size > 4 ? 4 : size), 0, size, m);
	x86_put_imm(a, size, imm);
}

/* ---- one operand: inc dec not neg, and mul div on rdx:rax ---------------- */

#define X86_DEFINE_UNARY(name, opcode, digit)                                          \
	static inline void x86_##name##_r(struct x86_asm *a, int size, int r)              \
	{ x86_int_r(a, opcode, digit, size, r); }                                          \
	static inline void x86_##name##_m(struct x86_asm *a, int size, struct x86_mem m)   \
	{ x86_int_m(a, opcode, digit, size, m); }

X86_DEFINE_UNARY(inc, 0xff, 0)
X86_DEFINE_UNARY(dec, 0xff, 1)
X86_DEFINE_UNARY(not, 0xf7, 2)
X86_DEFINE_UNARY(neg, 0xf7, 3)
X86_DEFINE_UNARY(mul, 0xf7, 4)
X86_DEFINE_UNARY(imul, 0xf7, 5)
X86_DEFINE_UNARY(div, 0xf7, 6)
X86_DEFINE_UNARY(idiv, 0xf7, 7)

/* The sign of rax into rdx: cwd, cdq, cqo for size 2, 4, 8. */
static inline void
x86_cdq(struct x86_asm *a, int size)
{
	assert(size != 1);
	a->p = x86_put_legacy(a->p, x86_sized(0x99, size), size == 8 ? 8 : 0);
}

/* size: 2, 4 or 8 */
static inline void
x86_imul_rr(struct x86_asm *a, int size, int d, int s)
{
	assert(size != 1);
	x86_int_rr(a, X86_OP(NP, 0F, 0xaf), size, d, s);
}

static inline void
x86_imul_rm(struct x86_asm *a, int size, int d, struct x86_mem m)
{
	assert(size != 1);
	x86_int_rm(a, X86_OP(NP, 0F, 0xaf), size, d, m);
}

static inline void
x86_imul_rri(struct x86_asm *a, int size, int d, int s, int32_t imm)
{
	bool byte = imm == (int8_t)imm;

	assert(size != 1);
	x86_int_rr(a, byte ? 0x6b : 0x69, size, d, s);
	x86_put_imm(a, byte ? 1 : size, imm);
}

/* ---- shifts ------------------------------------------------------------- */

/* The digit of the shift group. */
enum x86_shift {
	X86_ROL, X86_ROR, X86_RCL, X86_RCR, X86_SHL, X86_SHR, X86_SAR = 7,
};

/* count: below the width of the operand. A count of 0 leaves the flags. */
static inline void
x86_shift_ri(struct x86_asm *a, enum x86_shift shift, int size, int d, int count)
{
	if (count == 1) {
		x86_int_r(a, 0xd1, (int)shift, size, d);
		return;
	}
	x86_int_r(a, 0xc1, (int)shift, size, d);
	x86_put8(a, count);
}

/* By cl modulo 64 for 8 bytes, modulo 32 otherwise. */
static inline void
x86_shift_rc(struct x86_asm *a, enum x86_shift shift, int size, int d)
{
	x86_int_r(a, 0xd3, (int)shift, size, d);
}

static inline void
x86_shift_mi(struct x86_asm *a, enum x86_shift shift, int size, struct x86_mem m, int count)
{
	x86_int_m(a, 0xc1 | X86_IMM(1), (int)shift, size, m);
	x86_put8(a, count);
}

#define X86_DEFINE_SHIFT(name, shift)                                                  \
	static inline void x86_##name##_ri(struct x86_asm *a, int size, int d, int count)  \
	{ x86_shift_ri(a, shift, size, d, count); }                                        \
	static inline void x86_##name##_rc(struct x86_asm *a, int size, int d)             \
	{ x86_shift_rc(a, shift, size, d); }

X86_DEFINE_SHIFT(rol, X86_ROL)
X86_DEFINE_SHIFT(ror, X86_ROR)
X86_DEFINE_SHIFT(rcl, X86_RCL)
X86_DEFINE_SHIFT(rcr, X86_RCR)
X86_DEFINE_SHIFT(shl, X86_SHL)
X86_DEFINE_SHIFT(shr, X86_SHR)
X86_DEFINE_SHIFT(sar, X86_SAR)

/* Double shifts: bits enter d from s. size: 2, 4, 8. */
static inline void
x86_shld_rri(struct x86_asm *a, int size, int d, int s, int count)
{
	x86_legacy_rr(a, x86_sized(X86_OP(NP, 0F, 0xa4), size), s, d, 0);
	x86_put8(a, count);
}

static inline void
x86_shrd_rri(struct x86_asm *a, int size, int d, int s, int count)
{
	x86_legacy_rr(a, x86_sized(X86_OP(NP, 0F, 0xac), size), s, d, 0);
	x86_put8(a, count);
}

static inline void
x86_shld_rrc(struct x86_asm *a, int size, int d, int s)
{
	x86_legacy_rr(a, x86_sized(X86_OP(NP, 0F, 0xa5), size), s, d, 0);
}

static inline void
x86_shrd_rrc(struct x86_asm *a, int size, int d, int s)
{
	x86_legacy_rr(a, x86_sized(X86_OP(NP, 0F, 0xad), size), s, d, 0);
}

/* ---- atomics ------------------------------------------------------------ */

/* Prefix to the next instruction, whose destination must be memory. */
static inline void
x86_lock(struct x86_asm *a)
{
	x86_put8(a, 0xf0);
}

static inline void
x86_xchg_rr(struct x86_asm *a, int size, int x, int y)
{
	x86_int_rr(a, 0x87, size, y, x);
}

/* Atomic without a prefix. */
static inline void
x86_xchg_mr(struct x86_asm *a, int size, struct x86_mem m, int r)
{
	x86_int_rm(a, 0x87, size, r, m);
}

/* m += r; r = the old m. Atomic after x86_lock. */
static inline void
x86_xadd_mr(struct x86_asm *a, int size, struct x86_mem m, int r)
{
	x86_int_rm(a, X86_OP(NP, 0F, 0xc1), size, r, m);
}

/* If m = rax: ZF = 1, m = r; else ZF = 0, rax = m. Atomic after x86_lock. */
static inline void
x86_cmpxchg_mr(struct x86_asm *a, int size, struct x86_mem m, int r)
{
	x86_int_rm(a, X86_OP(NP, 0F, 0xb1), size, r, m);
}

/* As cmpxchg on rdx:rax against 16 aligned bytes, with rcx:rbx as the new
 * value. Atomic after x86_lock. */
static inline void
x86_cmpxchg16b_m(struct x86_asm *a, struct x86_mem m)
{
	x86_legacy_rm(a, X86_OP(NP, 0F, 0xc7) | X86_W, 1, m, 0);
}

/* ---- stack and system --------------------------------------------------- */

static inline void
x86_push_r(struct x86_asm *a, int r)
{
	x86_plus_r(a, 0x50, r);
}

static inline void
x86_pop_r(struct x86_asm *a, int r)
{
	x86_plus_r(a, 0x58, r);
}

static inline void
x86_push_m(struct x86_asm *a, struct x86_mem m)
{
	x86_legacy_rm(a, 0xff, 6, m, 0);
}

static inline void
x86_pop_m(struct x86_asm *a, struct x86_mem m)
{
	x86_legacy_rm(a, 0x8f, 0, m, 0);
}

/* Pushes 8 bytes, the sign-extended immediate. */
static inline void
x86_push_i(struct x86_asm *a, int32_t imm)
{
	bool byte = imm == (int8_t)imm;

	x86_put8(a, byte ? 0x6a : 0x68);
	x86_put_imm(a, byte ? 1 : 4, imm);
}

/* Instructions without operands: their bytes, in the order of memory. */
#define X86_DEFINE_PLAIN1(name, b0)                                                    \
	static inline void x86_##name(struct x86_asm *a)                                   \
	{ x86_put8(a, b0); }
#define X86_DEFINE_PLAIN2(name, b0, b1)                                                \
	static inline void x86_##name(struct x86_asm *a)                                   \
	{ x86_put16(a, (b1) << 8 | (b0)); }
#define X86_DEFINE_PLAIN3(name, b0, b1, b2)                                            \
	static inline void x86_##name(struct x86_asm *a)                                   \
	{ x86_put16(a, (b1) << 8 | (b0)); x86_put8(a, b2); }

X86_DEFINE_PLAIN1(int3, 0xcc)
X86_DEFINE_PLAIN1(ret, 0xc3)
X86_DEFINE_PLAIN1(cmc, 0xf5)
X86_DEFINE_PLAIN1(clc, 0xf8)
X86_DEFINE_PLAIN1(stc, 0xf9)
X86_DEFINE_PLAIN1(pushfq, 0x9c)
X86_DEFINE_PLAIN1(popfq, 0x9d)
X86_DEFINE_PLAIN1(sahf, 0x9e)
X86_DEFINE_PLAIN1(lahf, 0x9f)
X86_DEFINE_PLAIN2(ud2, 0x0f, 0x0b)
X86_DEFINE_PLAIN2(pause, 0xf3, 0x90)
X86_DEFINE_PLAIN2(rdtsc, 0x0f, 0x31)
X86_DEFINE_PLAIN2(syscall, 0x0f, 0x05)
X86_DEFINE_PLAIN3(mfence, 0x0f, 0xae, 0xf0)
X86_DEFINE_PLAIN3(lfence, 0x0f, 0xae, 0xe8)
X86_DEFINE_PLAIN3(sfence, 0x0f, 0xae, 0xf8)

static inline void
x86_ldmxcsr(struct x86_asm *a, struct x86_mem m)
{
	x86_legacy_rm(a, X86_OP(NP, 0F, 0xae), 2, m, 0);
}

static inline void
x86_stmxcsr(struct x86_asm *a, struct x86_mem m)
{
	x86_legacy_rm(a, X86_OP(NP, 0F, 0xae), 3, m, 0);
}

#endif

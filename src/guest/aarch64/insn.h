/* A64 instructions: decoding, encoding, text. All of it follows from insns.def
 * and insns_simd.def; no state, no allocation, any thread, no libc.
 *
 * The decoder knows every extension in the table, and the guest has them all.
 * Source of all encodings: Arm ARM DDI 0487, chapter C4.
 */
#ifndef GUEST_AARCH64_INSN_H
#define GUEST_AARCH64_INSN_H

#include "base/base.h"

enum aarch64_extension {
#define EXTENSION(id, name, word, bit, id_register, shift, value) A64_EXT_##id,
#include "guest/aarch64/insns.def"
	A64_EXT_COUNT
};

/* 0 is no instruction, so a zeroed struct aarch64_insn is illegal. */
enum aarch64_op {
	A64_ILLEGAL,
#define INSN(op, mnemonic, picture, extension, operands, attributes) A64_##op,
#include "guest/aarch64/insns.def"
	A64_OP_COUNT
};

enum aarch64_attribute {
	AA_LOAD = 1 << 0,      /* reads memory, or needs the right to */
	AA_STORE = 1 << 1,     /* writes memory */
	AA_BRANCH = 1 << 2,    /* conditional, target is pc + 4 * imm */
	AA_END = 1 << 3,       /* what follows may not run next: ends a block */
	AA_SYSTEM = 1 << 4,    /* imm names a system register */
	AA_EXCLUSIVE = 1 << 5, /* uses the exclusive monitor */
	AA_PAIR = 1 << 6,      /* two elements, one after the other */
	AA_SCALED = 1 << 7,    /* imm counts elements, not bytes */
	/* What is accessed … */
	AA_BASE = 1 << 8,      /* at Xn or SP */
	AA_OFFSET = 2 << 8,    /* … plus imm */
	AA_PRE = 3 << 8,       /* … plus imm, which is then Xn */
	AA_POST = 4 << 8,      /* at Xn or SP, which then grows by imm */
	AA_INDEX = 5 << 8,     /* at Xn or SP plus Rm, extended and shifted */
	AA_LITERAL = 6 << 8,   /* at pc + 4 * imm */
	AA_BLOCK = 7 << 8,     /* the cache block that holds Xd */
	AA_ADDRESS = 7 << 8,   /* mask of these */
	/* An element has … */
	AA_M8 = 1 << 12,
	AA_M16 = 2 << 12,
	AA_M32 = 3 << 12,
	AA_M64 = 4 << 12,
	AA_M128 = 5 << 12,
	AA_MZ = 6 << 12,       /* 32 bits if size is 0, 64 if 1, 128 if 2 */
	AA_MEMORY = 7 << 12,   /* mask of these */
};

/* One instruction. Operands that the operation does not have are 0. */
struct aarch64_insn {
	enum aarch64_op op;
	uint32_t bits;
	int64_t imm;           /* i or I of the table: unscaled */
	uint32_t imm2, imm3;   /* k, h */
	uint8_t rd, rn, rm, ra; /* d n m a; 31 is SP or zero as the operation says */
	uint8_t size;          /* z or y */
	uint8_t q;
	uint8_t cond;
	uint8_t kind;          /* t */
	uint8_t option;        /* o */
	uint8_t acquire, release;
};

/* Decodes any 32 bits. False, with op A64_ILLEGAL, when they are no instruction;
 * out->bits is set all the same. */
bool aarch64_decode(uint32_t bits, struct aarch64_insn *out);

/* Encodes op with the operands in `in`. False if one does not fit. */
bool aarch64_encode(const struct aarch64_insn *in, uint32_t *bits);

/* What the table says of an operation. Every encoding of it is match | (anything
 * & ~mask); such an encoding may still belong to a more special operation or be
 * reserved, which aarch64_decode tells. The strings are static. */
struct aarch64_op_info {
	const char *mnemonic;
	const char *operands;
	uint32_t match, mask;
	enum aarch64_extension extension;
	unsigned attributes; /* AA_* */
};
struct aarch64_op_info aarch64_op_info(enum aarch64_op op);
unsigned aarch64_op_attributes(enum aarch64_op op);

/* Log2 of the bytes of one element that a memory instruction accesses. */
unsigned aarch64_access_log2(const struct aarch64_insn *insn);
/* Bytes that its immediate adds to the address. */
int64_t aarch64_access_offset(const struct aarch64_insn *insn);
/* The 64-bit (size 1) or 32-bit mask that the 13 bits N:immr:imms mean (the
 * manual's DecodeBitMasks). */
uint64_t aarch64_bitmask(unsigned imm13, bool is_64);

/* ---- text --------------------------------------------------------------- */

enum aarch64_text {
	/* What people write: mov, cmp, lsl, cset … */
	A64_TEXT_ALIASES = 1 << 0,
};

/* Writes the instruction as objdump does, "add\tx0, x1, #0x3", at most size
 * bytes with the final 0. Branch targets are absolute, computed from pc. Illegal
 * bits become ".inst\t0x…". Returns the length of the whole text, which may be
 * size or more. */
int aarch64_disassemble(char *buffer, size_t size, uint64_t pc, uint32_t bits, unsigned flags);

#endif

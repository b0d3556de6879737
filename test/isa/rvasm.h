/* A small RV64 assembler and ELF writer for generated test programs: the
 * instructions come from the project's own table (riscv64_encode), so no cross
 * compiler is needed where the tests run. Used by host programs only; running
 * out of memory or an operand that does not fit ends the program with a message.
 */
#ifndef TEST_ISA_RVASM_H
#define TEST_ISA_RVASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/riscv64/insn.h"

/* Integer registers by their ABI names. */
enum {
	X_ZERO, X_RA, X_SP, X_GP, X_TP, X_T0, X_T1, X_T2, X_S0, X_S1, X_A0, X_A1, X_A2, X_A3,
	X_A4, X_A5, X_A6, X_A7, X_S2, X_S3, X_S4, X_S5, X_S6, X_S7, X_S8, X_S9, X_S10, X_S11,
	X_T3, X_T4, X_T5, X_T6,
};

/* Bytes that will stand at guest address base. A struct with only base set is
 * empty; the owner frees bytes. */
struct rv_code {
	uint8_t *bytes;
	size_t size;
	size_t capacity;
	uint64_t base;
};

/* A place in the code, known or not yet; zeroed it is unknown. */
struct rv_label {
	bool bound;
	size_t at;
	struct rv_fixup {
		size_t at;
		struct riscv64_insn insn;
	} fixups[16];
	unsigned count;
};

/* One PT_LOAD; memory beyond size is zero. */
struct rv_segment {
	uint64_t address; /* a multiple of 4096 */
	const void *bytes;
	size_t size;
	size_t memory;
	unsigned flags; /* PF_R | PF_W | PF_X */
};

_Noreturn void rv_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

uint64_t rv_here(const struct rv_code *code);
void rv_bytes(struct rv_code *code, const void *bytes, size_t size);
/* The low length bytes of bits. */
void rv_word(struct rv_code *code, uint32_t bits, unsigned length);
void rv_put(struct rv_code *code, const struct riscv64_insn *insn);
/* Encodes insn at offset at, over what stands there. */
void rv_patch(struct rv_code *code, size_t at, const struct riscv64_insn *insn);

/* op rd, rs1, rs2 */
void rv_r(struct rv_code *code, enum riscv64_op op, unsigned rd, unsigned rs1, unsigned rs2);
/* op rd, rs1, imm; also loads, lui and auipc (rs1 0), csrr?i */
void rv_i(struct rv_code *code, enum riscv64_op op, unsigned rd, unsigned rs1, int64_t imm);
/* op rs2, imm(rs1) */
void rv_s(struct rv_code *code, enum riscv64_op op, unsigned rs2, unsigned rs1, int64_t imm);
/* op rd, csr, rs1 */
void rv_csr(struct rv_code *code, enum riscv64_op op, unsigned rd, unsigned csr, unsigned rs1);
/* Any 64-bit constant into rd, in one to eight instructions. */
void rv_constant(struct rv_code *code, unsigned rd, uint64_t value);
/* The system call number with arguments that stand in a0…. */
void rv_syscall(struct rv_code *code, unsigned number);

void rv_branch(struct rv_code *code, enum riscv64_op op, unsigned rs1, unsigned rs2,
	       struct rv_label *to);
void rv_jump(struct rv_code *code, unsigned rd, struct rv_label *to);
void rv_bind(struct rv_code *code, struct rv_label *label);

/* A static executable for Linux. */
void rv_write_elf(const char *path, const struct rv_segment *segments, unsigned count,
		  uint64_t entry);

/* ---- random numbers: the same on every machine -------------------------- */

struct rng {
	uint64_t state;
};

/* splitmix64 */
static inline uint64_t
rng_next(struct rng *rng)
{
	uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* 0 … count - 1 */
static inline unsigned
rng_below(struct rng *rng, unsigned count)
{
	return (unsigned)((rng_next(rng) >> 32) * count >> 32);
}

/* True once in count times. */
static inline bool
rng_once_in(struct rng *rng, unsigned count)
{
	return rng_below(rng, count) == 0;
}

#endif

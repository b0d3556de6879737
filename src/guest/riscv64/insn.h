/* RV64 instructions: decoding, encoding, text. All of it follows from
 * insns.def; no state, no allocation, any thread, no libc.
 *
 * A decoded instruction is always one of the 32-bit operations RV_ADD, RV_LW …
 * with the operands that the operation has. A 16-bit instruction decodes to its
 * expansion with length 2, so `c.addi16sp -32` is RV_ADDI, rd 2, rs1 2, imm -32.
 * Who needs to know how it was written looks at `form`.
 *
 * The decoder knows every extension in the table. Which of them a guest's CPU
 * has is the caller's affair: riscv64_form_extensions says what to ask for.
 * Source of all encodings: RISC-V Instruction Set Manual, volume I.
 */
#ifndef GUEST_RISCV64_INSN_H
#define GUEST_RISCV64_INSN_H

#include "base/base.h"

enum riscv64_extension {
#define EXTENSION(id, name) RV_EXT_##id,
#include "guest/riscv64/insns.def"
	RV_EXT_COUNT
};

/* 0 is no instruction, so a zeroed struct riscv64_insn is illegal. */
enum riscv64_op {
	RV_ILLEGAL,
#define INSN(op, mnemonic, picture, format, extension, operands, attributes) RV_##op,
#include "guest/riscv64/insns.def"
	RV_OP_COUNT
};

/* A form is a way to write an operation. Form number n below RV_OP_COUNT is the
 * 32-bit form of operation n; the 16-bit ones follow. */
enum riscv64_form_id {
	RV_FORM_LAST_LONG = RV_OP_COUNT - 1,
#define CINSN(form, mnemonic, picture, format, extension, operands, op) RV_FORM_##form,
#include "guest/riscv64/insns.def"
	RV_FORM_COUNT
};

enum riscv64_format {
#define FORMAT(id, picture, immediate, constants) RV_FORMAT_##id,
#include "guest/riscv64/insns.def"
	RV_FORMAT_COUNT
};

enum riscv64_attribute {
	RVA_BRANCH = 1 << 0, /* conditional, target is pc + imm */
	RVA_JUMP = 1 << 1,   /* jal, jalr */
	RVA_LOAD = 1 << 2,   /* reads memory */
	RVA_STORE = 1 << 3,  /* writes memory or needs the right to */
	RVA_AMO = 1 << 4,    /* atomic; has aq and rl */
	RVA_FP = 1 << 5,     /* illegal while mstatus.FS is off */
	RVA_CSR = 1 << 6,    /* csr is valid */
	RVA_END = 1 << 7,    /* what follows may not run next: ends a block */
	RVA_VECTOR = 1 << 8, /* of V: insns_vector.def */
};

/* Rounding modes in `rm`; 5 and 6 do not decode. */
enum riscv64_rm { RV_RNE, RV_RTZ, RV_RDN, RV_RUP, RV_RMM, RV_DYN = 7 };

/* One instruction. Operands that the operation does not have are 0. */
struct riscv64_insn {
	enum riscv64_op op;
	uint16_t form; /* enum riscv64_form_id, or the operation's number */
	uint16_t csr;  /* CSR number, not checked */
	/* The immediate, extended to 64 bits as the operation wants it: byte
	 * offsets of loads, stores, branches and jumps (from this instruction's
	 * pc), shift amounts, the whole value added by lui and auipc (low 12 bits
	 * 0), the 5-bit operand of csrr?i, the index of fli's constant, n of mop.r.n
	 * and mop.rr.n, fm << 8 | pred << 4 | succ of fence. */
	int64_t imm;
	/* Register numbers 0…31; x, f or v as the operation says. */
	uint8_t rd, rs1, rs2, rs3;
	uint8_t rm; /* enum riscv64_rm */
	uint8_t aq : 1, rl : 1;
	uint8_t vm : 1, nf : 3; /* vector: not masked; fields of a segment, less one */
	uint8_t length; /* bytes: 2 or 4 */
};

/* Length of the instruction that begins with this halfword: 2 or 4. Longer
 * encodings (low bits 11111) are reserved; they count as 4 and do not decode. */
static inline unsigned
riscv64_insn_length(uint16_t low)
{
	return (low & 3) == 3 ? 4 : 2;
}

/* Decodes the instruction at the start of bits; of a 16-bit one the upper half
 * is ignored. False if it is illegal; then op is RV_ILLEGAL and only length is
 * valid besides. */
bool riscv64_decode(uint32_t bits, struct riscv64_insn *out);

/* The opposite: the bits of in->form with in's operands; `in` may be filled by
 * hand with form = op. False if the form cannot express an operand. */
bool riscv64_encode(const struct riscv64_insn *in, uint32_t *bits);

/* What the table says of a form. Every encoding of the form is
 * match | (anything & ~mask); such an encoding may still belong to a more
 * special form or be reserved, which riscv64_decode tells (out->form). */
struct riscv64_form {
	const char *mnemonic; /* `#` stands for the immediate */
	const char *operands; /* words as in disassemble.c; an f… is an f register */
	uint32_t match;
	uint32_t mask;                    /* without the upper half if length is 2 */
	enum riscv64_op op;
	enum riscv64_format format;
	enum riscv64_extension extension; /* of this form alone */
	unsigned attributes;              /* RVA_*, of the operation */
	unsigned length;                  /* bytes: 2 or 4 */
};

/* Fills in what decode.c knows: match, mask, op, format, length. */
void riscv64_form_bits(unsigned form, struct riscv64_form *info);

/* Forms are 1 … RV_FORM_COUNT - 1, without gaps. The strings are static. */
struct riscv64_form riscv64_form_info(unsigned form);

/* Set of extensions (1u << RV_EXT_*) that must all be there for the form: its
 * own and its operation's. What Zfa and Zfhmin define for doubles also needs D,
 * which is not in the set: every guest here has it. */
uint32_t riscv64_form_extensions(unsigned form);

/* As ISA strings write it: "zba". */
const char *riscv64_extension_name(enum riscv64_extension extension);

/* RVA_* of an operation. */
unsigned riscv64_op_attributes(enum riscv64_op op);

/* ---- text --------------------------------------------------------------- */

enum riscv64_text {
	/* What people write: ret, mv, beqz; 16-bit forms as their expansions. */
	RV_TEXT_ALIASES = 1 << 0,
};

/* Writes the instruction as objdump does, "addi\ta0,a1,-3", at most size bytes
 * with the final 0. Branch and jump targets are absolute, computed from pc.
 * Without RV_TEXT_ALIASES the form itself is written: "c.mv\ta0,a1". Illegal
 * bits become ".insn\t2, 0x…" or ".insn\t4, 0x…". Returns the length of the whole
 * text, which may be size or more. */
int riscv64_disassemble(char *buffer, size_t size, uint64_t pc, uint32_t bits, unsigned flags);

/* "a0", "fa0"; register 0…31. */
const char *riscv64_x_name(unsigned reg);
const char *riscv64_f_name(unsigned reg);
/* NULL when the number has no name here. */
const char *riscv64_csr_name(unsigned csr);

#endif

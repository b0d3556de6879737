/* Writing A64 instructions as text, private to the folder: what disassemble.c and
 * disassemble_simd.c share. */
#ifndef GUEST_AARCH64_TEXT_H
#define GUEST_AARCH64_TEXT_H

#include "guest/aarch64/insn.h"

struct a64_writer {
	char *buffer;
	size_t size;
	size_t length; /* of the whole text */
	uint64_t pc;
	bool comma;    /* one is due before what comes next */
};

/* Appends text; the comma that is due first. */
void a64_write(struct a64_writer *w, const char *format, ...) PRINTF_LIKE(2, 3);

/* Writes operand `word` of the operand strings if it is one of floating point and
 * Advanced SIMD; what disassemble_simd.c does not know it leaves. */
bool a64_write_simd(struct a64_writer *w, const char *word, const struct aarch64_insn *insn);

#endif

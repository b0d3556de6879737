/* Flags in the frame: how flags_op says what flags_a, flags_b, flags_r and
 * flags_m mean. Written by generated code (flags.c), read by C when generated
 * code is left and by IR_FIX_FLAGS of a fault (flags_frame.c).
 *
 * The word: kind in bits 0-3, form in 4-5, log2 of the operand's bytes in 6-7,
 * bit 8 as IR_CARRY_NOT_BORROW, bit 9: flags_m chooses between these flags and,
 * where it is zero, the constant ones in bits 16-22.
 */
#ifndef CODEGEN_X86_64_FLAGS_H
#define CODEGEN_X86_64_FLAGS_H

#include "base/base.h"

enum flags_kind {
	FLAGS_IN_SLOT, /* the word is zero */
	FLAGS_OF_ADD,  /* a + b */
	FLAGS_OF_SUB,  /* a - b */
	FLAGS_OF_LOGIC, /* of the result r */
	FLAGS_OF_FCMP, /* of two floats, Arm's */
	FLAGS_HOST_ADD, /* the host's flags of a sum: LAHF's AH and SETO's AL, in r */
	FLAGS_HOST_SUB, /* of a difference */
	FLAGS_CONSTANT, /* in bits 16-22 */
};
/* Which two of a, b and the result r an addition or a subtraction is known by:
 * the result often overwrites an operand. */
enum flags_form { FLAGS_AB, FLAGS_RB, FLAGS_RA };

#define FLAGS_WORD(kind, form, log2_bytes, not_borrow) \
	((uint32_t)((kind) | (form) << 4 | (log2_bytes) << 6 | (uint32_t)(not_borrow) << 8))
#define FLAGS_WORD_SELECT (1u << 9)
#define FLAGS_WORD_CONSTANT(bits) ((uint32_t)((bits) & 127) << 16)

/* The words of the frame as a fault's state map numbers them (in code_move's
 * slot). */
enum flags_part { FLAGS_PART_OP, FLAGS_PART_A, FLAGS_PART_B, FLAGS_PART_R, FLAGS_PART_M, FLAGS_PARTS };

#endif

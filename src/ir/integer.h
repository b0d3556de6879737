/* The pure integer ops on values of up to 64 bits, as plain functions: the
 * evaluator runs them and the builder folds constants with them.
 *
 * A value of a narrow type is held zero-extended in a uint64_t, always.
 */
#ifndef IR_INTEGER_H
#define IR_INTEGER_H

#include "ir/ir.h"

/* Ones in the low `bits`, 1 to 64. */
static inline uint64_t
int_mask(unsigned bits)
{
	return UINT64_MAX >> (64 - bits);
}

/* The low `bits` (1 to 64) of x as a signed number. */
static inline int64_t
int_signed(uint64_t x, unsigned bits)
{
	return (int64_t)(x << (64 - bits)) >> (64 - bits);
}

/* x (enum ir_cond EQ to UGE) y, of the width given. */
bool ir_int_compare(enum ir_cond cond, unsigned bits, uint64_t x, uint64_t y);

/* Whether a condition holds of flags, enum ir_flag bits. */
bool ir_flags_hold(enum ir_cond cond, unsigned flags);

/* Does a pure integer op. type is the result's, at most 64 bits wide; from is
 * the type of operand a, but for INSERT and CRC32 of operand b, and may not be
 * wider than 64 bits either. False for an op that is none of these. */
bool ir_int_op(enum ir_op op, enum ir_type type, enum ir_type from, unsigned aux, uint64_t a,
	       uint64_t b, uint64_t c, uint64_t *result);

#endif

/* Operands that instructions are tried with: the boundaries that the manual's
 * corner cases lie at, and random ones between. */
#ifndef TEST_ISA_OPERANDS_H
#define TEST_ISA_OPERANDS_H

#include "isa/rvasm.h"

/* An integer: boundary, small, 32-bit or random. */
uint64_t operand_integer(struct rng *rng);
/* A register file's view of a float: f64, boxed f32 or f16, badly boxed ones. */
uint64_t operand_float(struct rng *rng);
/* Up to max chosen values of a format of 16, 32 or 64 bits, each once; the
 * first ones matter most. Returns how many. */
unsigned operand_floats(unsigned bits, uint64_t *values, unsigned max);

#endif

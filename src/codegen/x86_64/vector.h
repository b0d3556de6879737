/* Vectors of 64 and 128 bits, private to vector*.c. A v64 is in the low half of
 * its register; what is above it is anything, unless val.zx says zero. So ops
 * on all lanes of the register do for both types. */
#ifndef CODEGEN_X86_64_VECTOR_H
#define CODEGEN_X86_64_VECTOR_H

#include "codegen/x86_64/gen.h"

static inline bool
is_vector_type(enum ir_type type)
{
	return type == IR_V64 || type == IR_V128;
}

/* Bytes of a lane. */
static inline int
lane_bytes(const struct ir_ins *ins)
{
	return (int)ir_type_bits(IR_LANE_TYPE(ins->aux)) / 8;
}

/* The result's register: an operand's only where AVX keeps three apart. */
static inline int
vec_dest(struct gen *g, ir_ref ref)
{
	return dest(g, ref, g->hot.vex);
}

/* Drops the operands and binds the result. */
void vec_finish(struct gen *g, ir_ref ref, int d);
/* The result is op(a), op(a, b), op(x, y) for operands x and y of it. */
void vec_unary(struct gen *g, ir_ref ref, uint32_t op);
void vec_binary(struct gen *g, ir_ref ref, uint32_t op);
void vec_swapped(struct gen *g, ir_ref ref, uint32_t op);
/* d = 16 bytes of constant; op(s, constant). */
void vec_load_const(struct gen *g, int d, uint64_t low, uint64_t high);
void vec_with_const(struct gen *g, uint32_t op, int d, int s, uint64_t low, uint64_t high);
/* The lane value in every lane of 8 bytes. */
uint64_t vec_repeat(uint64_t value, int bytes);

/* d = s shifted by a constant below the lane's width: VSHL, VLSHR, VASHR. */
void vec_shift_constant(struct gen *g, enum ir_op op, int bytes, int d, int s, int count);

bool vec_move(struct gen *g, ir_ref ref);
bool vec_shift_lanes(struct gen *g, ir_ref ref);
bool vec_width(struct gen *g, ir_ref ref);
bool vec_product(struct gen *g, ir_ref ref);
bool vec_wide(struct gen *g, ir_ref ref);

#endif

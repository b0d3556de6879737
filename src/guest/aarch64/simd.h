/* What the lifters of floating point, Advanced SIMD and cryptography share.
 *
 * A v register is a value of 128 bits. An instruction that works on 64 bits of
 * it takes values of type v64 and clears the upper half of its result, as all do
 * that write less than the register (C1.2.5).
 *
 * Shapes. A scalar instruction of the vector groups (bit 28 set) is done on v64
 * values that hold its operands in lane 0 and zeros in the others, where every
 * integer operation gives zero and saturates nothing; floating point has ops on
 * scalars. So one lifter serves the vector, the scalar and the by-element form of
 * an operation.
 */
#ifndef GUEST_AARCH64_SIMD_H
#define GUEST_AARCH64_SIMD_H

#include "guest/aarch64/lift.h"

/* ---- instruction shapes ------------------------------------------------- */

static inline bool
a64_is_scalar(const struct lifter *l)
{
	return l->insn.bits >> 28 & 1;
}

/* By element: x 01111 or x 11111, bit 10 clear; scalars of floating point, which
 * begin likewise, have bit 30 clear. */
static inline bool
a64_is_by_element(const struct lifter *l)
{
	return (l->insn.bits & 0x0f000400) == 0x0f000000;
}

static inline enum ir_type
a64_lane(unsigned log2_bytes)
{
	return (enum ir_type)(IR_I8 + log2_bytes);
}

/* The integer lane, and the floating-point one, of so many bits. */
static inline enum ir_type
a64_lane_as_float(enum ir_type lane)
{
	return (enum ir_type)(IR_F16 + (lane - IR_I16));
}

static inline enum ir_type
a64_lane_as_int(enum ir_type lane)
{
	return (enum ir_type)(IR_I16 + (lane - IR_F16));
}

/* v64 or v128 by Q; a scalar is a v64. */
static inline enum ir_type
a64_shape(const struct lifter *l)
{
	return l->insn.q ? IR_V128 : IR_V64;
}

/* ---- registers: simd.c -------------------------------------------------- */

/* The register whole, its low half, its high half. */
ir_ref a64_v(struct lifter *l, unsigned reg);
ir_ref a64_v_low(struct lifter *l, unsigned reg);
ir_ref a64_v_high(struct lifter *l, unsigned reg);
/* As much of it as the instruction works on; of a scalar lane 0 alone, of that
 * type. */
ir_ref a64_v_source(struct lifter *l, unsigned reg, enum ir_type lane);
/* Of Vm: the register as above, or the element of it in every lane. */
ir_ref a64_v_second(struct lifter *l, enum ir_type lane);
/* The element's number, and its register, of a by-element instruction. */
unsigned a64_element(const struct lifter *l, enum ir_type lane, unsigned *reg);
/* Half of a register: the one that Q chooses, of a scalar its lane 0. */
ir_ref a64_v_half(struct lifter *l, unsigned reg, enum ir_type lane);
/* The same of Vm, or the element of it in every lane of a v64. */
ir_ref a64_v_second_half(struct lifter *l, enum ir_type lane);
/* Vd becomes a value of type v64 or v128, or of any scalar type. */
void a64_v_set(struct lifter *l, ir_ref value);
void a64_v_set_register(struct lifter *l, unsigned reg, ir_ref value);
/* Vd becomes a v64 with zeros above, or if Q keeps its low half under it. */
void a64_v_set_half(struct lifter *l, ir_ref value);
/* The value of a scalar type in lane 0 of a register. */
ir_ref a64_v_scalar(struct lifter *l, enum ir_type type, unsigned reg);

/* A vector of type whose lanes are all value; any vector of 128 bits; a vector of
 * zeros. */
ir_ref a64_v_splat(struct lifter *l, enum ir_type type, enum ir_type lane, uint64_t value);
ir_ref a64_v_const(struct lifter *l, uint64_t low, uint64_t high);
ir_ref a64_v_zero(struct lifter *l, enum ir_type type);

/* An op on lanes, of the type of x. */
ir_ref a64_v_op(struct lifter *l, enum ir_op op, unsigned aux, ir_ref x, ir_ref y, ir_ref z);
/* x op y, y a constant count. */
ir_ref a64_v_shift_by(struct lifter *l, enum ir_op op, enum ir_type lane, ir_ref x, unsigned count);
/* FPSR.QC is set if the vector is not zero; if two vectors differ. */
void a64_saturated(struct lifter *l, ir_ref vector);
void a64_saturated_where(struct lifter *l, ir_ref got, ir_ref wanted);
/* Vd as a VA_ says of old, the value of Vd, and value. */
ir_ref a64_v_accumulated(struct lifter *l, unsigned how, enum ir_type lane, ir_ref old, ir_ref value);

static inline enum ir_type
a64_type_of(const struct lifter *l, ir_ref ref)
{
	return (enum ir_type)l->b.region->ins[ref].type;
}

#endif

/* Advanced SIMD: copies of elements, permutations, tables, constants. C7.2. */
#include "guest/aarch64/simd.h"

/* Elements of 32 and 64 bits go as floats, which stay in vector registers. */
static enum ir_type
element_type(enum ir_type lane)
{
	return lane >= IR_I32 ? a64_lane_as_float(lane) : lane;
}

/* ---- copies: a is the lane ---------------------------------------------- */

LIFTER(a64_v_dup)
{
	(void)b;
	a64_v_set(l, ir_emit(&l->b, IR_VDUP, a64_shape(l), a, a64_v(l, l->insn.rn), 0, (ir_ref)l->insn.imm));
}

LIFTER(a64_v_dup_scalar)
{
	enum ir_type type = element_type((enum ir_type)a);

	(void)b;
	a64_v_set(l, ir_emit(&l->b, IR_VEXTRACT, type, type, a64_v(l, l->insn.rn), 0, (ir_ref)l->insn.imm));
}

LIFTER(a64_v_dup_register)
{
	ir_ref x = ir_trunc(&l->b, (enum ir_type)a, a64_x(l, l->insn.rn));

	(void)b;
	a64_v_set(l, ir_emit(&l->b, IR_VSPLAT, a64_shape(l), a, x, 0, 0));
}

LIFTER(a64_v_insert_register)
{
	ir_ref x = ir_trunc(&l->b, (enum ir_type)a, a64_x(l, l->insn.rn));

	(void)b;
	a64_v_set(l, ir_emit(&l->b, IR_VINSERT, IR_V128, a, a64_v(l, l->insn.rd), x, (ir_ref)l->insn.imm));
}

LIFTER(a64_v_insert)
{
	enum ir_type type = element_type((enum ir_type)a);
	ir_ref x = ir_emit(&l->b, IR_VEXTRACT, type, type, a64_v(l, l->insn.rn), 0, l->insn.imm2);

	(void)b;
	a64_v_set(l, ir_emit(&l->b, IR_VINSERT, IR_V128, type, a64_v(l, l->insn.rd), x, (ir_ref)l->insn.imm));
}

/* b: the type to which the sign extends, or 0. */
LIFTER(a64_v_extract)
{
	ir_ref x = ir_emit(&l->b, IR_VEXTRACT, (enum ir_type)a, a, a64_v(l, l->insn.rn), 0, (ir_ref)l->insn.imm);

	if (b)
		x = ir_sext(&l->b, (enum ir_type)b, (enum ir_type)a, x);
	a64_set(l, l->insn.rd, x);
}

/* ---- permutations ------------------------------------------------------- */

/* a: the op. */
LIFTER(a64_v_permute)
{
	enum ir_type lane = a64_lane(l->insn.size);

	(void)b;
	a64_v_set(l, a64_v_op(l, (enum ir_op)a, lane, a64_v_source(l, l->insn.rn, lane),
			      a64_v_source(l, l->insn.rm, lane), 0));
}

LIFTER(a64_v_ext)
{
	ir_ref x = a64_v_source(l, l->insn.rn, IR_I8), y = a64_v_source(l, l->insn.rm, IR_I8);

	(void)a, (void)b;
	a64_v_set(l, l->insn.imm ? a64_v_op(l, IR_VEXT, 0, x, y, (ir_ref)l->insn.imm) : x);
}

/* One lookup for each register of the table, of indices less what came before it;
 * those out of range give zero. a: what is out of the whole range keeps Vd. */
LIFTER(a64_v_table)
{
	unsigned registers = (unsigned)l->insn.imm + 1;
	ir_ref indices = a64_v(l, l->insn.rm), value = 0, in_range;

	(void)b;
	for (unsigned i = 0; i < registers; i++) {
		ir_ref from = i ? a64_v_op(l, IR_VSUB, IR_I8, indices, a64_v_splat(l, IR_V128, IR_I8, 16 * i), 0) : indices;
		ir_ref found = a64_v_op(l, IR_VSHUF, 0, a64_v(l, (l->insn.rn + i) % 32), from, 0);

		value = i ? a64_v_op(l, IR_VOR, 0, value, found, 0) : found;
	}
	if (a) {
		in_range = a64_v_op(l, IR_VCMPGTU, IR_I8, a64_v_splat(l, IR_V128, IR_I8, 16 * registers), indices, 0);
		value = a64_v_op(l, IR_VBSL, 0, in_range, value, a64_v(l, l->insn.rd));
	}
	if (!l->insn.q)
		value = ir_emit(&l->b, IR_VRESIZE, IR_V64, 0, value, 0, 0);
	a64_v_set(l, value);
}

/* ---- constants ---------------------------------------------------------- */

/* The eight bits abcdefgh as a float: sign a, exponent NOT(b) b… cd, fraction
 * efgh0… (VFPExpandImm). */
static uint64_t
float_bits(enum ir_type type, unsigned imm8)
{
	unsigned width = ir_type_bits(type);
	unsigned exponent = width == 16 ? 5 : width == 32 ? 8 : 11, fraction = width - 1 - exponent;
	uint64_t b = imm8 >> 6 & 1, sign = imm8 >> 7 & 1;
	uint64_t high = b ? (1ull << (exponent - 3)) - 1 : 1ull << (exponent - 3);

	return sign << (width - 1) | (high << 2 | (imm8 >> 4 & 3)) << fraction | (uint64_t)(imm8 & 15) << (fraction - 4);
}

static uint64_t
byte_mask(unsigned imm8)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < 8; i++)
		if (imm8 >> i & 1)
			mask |= 0xffull << 8 * i;
	return mask;
}

/* a: enum a64_v_immediate; b: the lane. imm2 is a shift, in bytes. */
LIFTER(a64_v_constant)
{
	unsigned imm8 = (unsigned)l->insn.imm, shift = l->insn.imm2;
	enum ir_type lane = (enum ir_type)b, type = l->insn.bits >> 30 & 1 ? IR_V128 : IR_V64;
	ir_ref old = 0;
	uint64_t value = (uint64_t)imm8 << 8 * shift;

	switch ((enum a64_v_immediate)a) {
	case VI_MOV:
	case VI_MVN:
		break;
	case VI_ORR:
	case VI_BIC:
		old = a64_v_source(l, l->insn.rd, lane);
		break;
	case VI_MSL: /* ones are shifted in */
	case VI_MSLN:
		lane = IR_I32;
		value = shift ? (uint64_t)imm8 << 16 | 0xffff : (uint64_t)imm8 << 8 | 0xff;
		break;
	case VI_FLOAT:
		value = float_bits(a64_lane_as_float(lane), imm8);
		break;
	case VI_MASK:
		value = byte_mask(imm8);
		break;
	}
	if (a == VI_MVN || a == VI_MSLN)
		value = ~value & UINT64_MAX >> (64 - ir_type_bits(lane));
	old = old ? a64_v_op(l, a == VI_ORR ? IR_VOR : IR_VANDN, 0, old, a64_v_splat(l, type, lane, value), 0) :
		    a64_v_splat(l, type, lane, value);
	a64_v_set(l, old);
}

/* FMOV (scalar, immediate). */
LIFTER(a64_fp_constant)
{
	enum ir_type type = l->insn.size == 3 ? IR_F16 : l->insn.size ? IR_F64 : IR_F32;

	(void)a, (void)b;
	a64_v_set(l, ir_const(&l->b, type, float_bits(type, (unsigned)l->insn.imm)));
}

/* Arithmetic and logic: immediate, shifted and extended operands, carry, multiply
 * and divide. */
#include "guest/aarch64/lift.h"

/* The op that makes the flags of an op. */
static enum ir_op
flags_of(enum ir_op op)
{
	return op == IR_ADD ? IR_FLAGS_ADD : IR_FLAGS_SUB;
}

/* rd becomes x op y; with flags, NZCV those of it. sp: 31 is SP. */
static void
add_sub(struct lifter *l, enum ir_op op, bool flags, bool sp, ir_ref x, ir_ref y)
{
	ir_ref result = l->insn.rd == 31 && !sp ? 0 : ir_binary(&l->b, op, x, y), nzcv = 0;

	if (flags)
		nzcv = ir_fold(&l->b, flags_of(op), IR_FLAGS, IR_CARRY_NOT_BORROW, x, y, 0);
	if (result)
		a64_set_sp(l, l->insn.rd, result);
	if (flags)
		ir_set(&l->b, AARCH64_NZCV, nzcv);
}

static void
logic(struct lifter *l, enum ir_op op, bool flags, bool sp, ir_ref x, ir_ref y)
{
	ir_ref result = ir_binary(&l->b, op, x, y), nzcv = 0;

	if (flags)
		nzcv = ir_fold(&l->b, IR_FLAGS_LOGIC, IR_FLAGS, IR_CARRY_NOT_BORROW, result, 0, 0);
	if (sp || l->insn.rd != 31)
		a64_set_sp(l, l->insn.rd, result);
	if (flags)
		ir_set(&l->b, AARCH64_NZCV, nzcv);
}

/* Rm shifted by the immediate. */
static ir_ref
shifted(struct lifter *l)
{
	static const uint8_t shifts[4] = { IR_SHL, IR_LSHR, IR_ASHR, IR_ROTR };

	return ir_binary(&l->b, (enum ir_op)shifts[l->insn.kind], a64_r(l, l->insn.rm),
			 a64_constant(l, (uint64_t)l->insn.imm));
}

/* Rm extended and shifted left by the immediate (ExtendReg). */
static ir_ref
extended(struct lifter *l)
{
	static const uint8_t types[4] = { IR_I8, IR_I16, IR_I32, IR_I64 };
	enum ir_type type = a64_type(l), from = (enum ir_type)types[l->insn.option & 3];
	ir_ref value = a64_r(l, l->insn.rm);

	if (ir_type_bits(from) < ir_type_bits(type))
		value = l->insn.option & 4 ? ir_sext(&l->b, type, from, value) : ir_zext(&l->b, type, from, value);
	return ir_binary(&l->b, IR_SHL, value, a64_constant(l, (uint64_t)l->insn.imm));
}

/* ---- immediates --------------------------------------------------------- */

LIFTER(a64_adr)
{
	(void)a, (void)b;
	a64_set(l, l->insn.rd, ir_pc(&l->b, l->at + (l->insn.imm * 4 | l->insn.imm2)));
}

/* Wherever a region lies, its place in the page is the same. */
LIFTER(a64_adrp)
{
	int64_t in_page = (int64_t)((l->b.region->pc + (uint64_t)l->at) & 0xfff);
	int64_t delta = (l->insn.imm * 4 | l->insn.imm2) * 4096;

	(void)a, (void)b;
	a64_set(l, l->insn.rd, ir_pc(&l->b, l->at - in_page + delta));
}

/* a: the operation; b: sets flags. */
LIFTER(a64_add_imm)
{
	uint64_t imm = (uint64_t)l->insn.imm << (l->insn.kind ? 12 : 0);
	ir_ref x = a64_rsp(l, l->insn.rn);

	add_sub(l, (enum ir_op)a, b, !b, x, a64_constant(l, imm));
}

/* a: the operation; b: sets flags. */
LIFTER(a64_logic_imm)
{
	ir_ref x = a64_r(l, l->insn.rn);

	logic(l, (enum ir_op)a, b, !b, x, a64_constant(l, aarch64_bitmask((unsigned)l->insn.imm, l->insn.size)));
}

/* a: inverted. */
LIFTER(a64_mov_wide)
{
	uint64_t value = (uint64_t)l->insn.imm << 16 * l->insn.kind;

	(void)b;
	a64_set(l, l->insn.rd, a64_constant(l, a ? ~value : value));
}

LIFTER(a64_movk)
{
	unsigned shift = 16 * l->insn.kind;
	ir_ref kept = ir_binary(&l->b, IR_AND, a64_r(l, l->insn.rd), a64_constant(l, ~(0xffffull << shift)));

	(void)a, (void)b;
	a64_set(l, l->insn.rd,
		ir_binary(&l->b, IR_OR, kept, a64_constant(l, (uint64_t)l->insn.imm << shift)));
}

/* ---- registers ---------------------------------------------------------- */

/* a: the operation; b: sets flags. */
LIFTER(a64_add)
{
	ir_ref x = a64_r(l, l->insn.rn);

	add_sub(l, (enum ir_op)a, b, false, x, shifted(l));
}

/* a: the operation; b: sets flags. */
LIFTER(a64_add_ext)
{
	ir_ref x = a64_rsp(l, l->insn.rn);

	add_sub(l, (enum ir_op)a, b, !b, x, extended(l));
}

/* a: the operation; b: sets flags. */
LIFTER(a64_logic)
{
	ir_ref x = a64_r(l, l->insn.rn);

	logic(l, (enum ir_op)a, b, false, x, shifted(l));
}

/* ORN, EON: a the operation. */
LIFTER(a64_logic_not)
{
	ir_ref x = a64_r(l, l->insn.rn);

	(void)b;
	logic(l, (enum ir_op)a, false, false, x, ir_unary(&l->b, IR_NOT, shifted(l)));
}

/* a: IR_ADC or IR_SBC; b: sets flags. */
LIFTER(a64_carry)
{
	enum ir_op flags = a == IR_ADC ? IR_FLAGS_ADC : IR_FLAGS_SBC;
	unsigned aux = a == IR_ADC ? 0 : IR_CARRY_NOT_BORROW;
	ir_ref x = a64_r(l, l->insn.rn), y = a64_r(l, l->insn.rm), in = ir_get(&l->b, AARCH64_NZCV), nzcv = 0;
	ir_ref result = ir_emit(&l->b, (enum ir_op)a, a64_type(l), aux, x, y, in);

	if (b)
		nzcv = ir_emit(&l->b, flags, IR_FLAGS, IR_CARRY_NOT_BORROW, x, y, in);
	a64_set(l, l->insn.rd, result);
	if (b)
		ir_set(&l->b, AARCH64_NZCV, nzcv);
}

/* a: the operation; b: its aux. Shift counts are taken modulo the width, as the
 * IR does. */
LIFTER(a64_binary)
{
	ir_ref x = a64_r(l, l->insn.rn), y = a64_r(l, l->insn.rm);

	a64_set(l, l->insn.rd, ir_fold(&l->b, (enum ir_op)a, a64_type(l), b, x, y, 0));
}

/* a: subtracts the product. */
LIFTER(a64_madd)
{
	ir_ref x = a64_r(l, l->insn.rn), y = a64_r(l, l->insn.rm);
	ir_ref product = ir_binary(&l->b, IR_MUL, x, y);

	(void)b;
	a64_set(l, l->insn.rd, ir_binary(&l->b, a ? IR_SUB : IR_ADD, a64_r(l, l->insn.ra), product));
}

/* a: subtracts the product; b: the factors are signed. */
LIFTER(a64_madd_long)
{
	ir_ref x = a64_x(l, l->insn.rn), y = a64_x(l, l->insn.rm), product;

	x = b ? ir_sext(&l->b, IR_I64, IR_I32, x) : ir_zext(&l->b, IR_I64, IR_I32, x);
	y = b ? ir_sext(&l->b, IR_I64, IR_I32, y) : ir_zext(&l->b, IR_I64, IR_I32, y);
	product = ir_binary(&l->b, IR_MUL, x, y);
	a64_set(l, l->insn.rd, ir_binary(&l->b, a ? IR_SUB : IR_ADD, a64_x(l, l->insn.ra), product));
}

/* a: the operation. */
LIFTER(a64_mul_high)
{
	ir_ref x = a64_x(l, l->insn.rn), y = a64_x(l, l->insn.rm);

	(void)b;
	a64_set(l, l->insn.rd, ir_binary(&l->b, (enum ir_op)a, x, y));
}

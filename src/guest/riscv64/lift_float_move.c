/* F, D, Zfhmin, Zfa: conversions and moves between f and x registers. */
#include "guest/riscv64/lift.h"

/* Of enum riscv64_int. */
static enum ir_type
int_type(unsigned kind)
{
	return kind == RV_INT_W || kind == RV_INT_WU ? IR_I32 : IR_I64;
}

static bool
int_signed(unsigned kind)
{
	return kind == RV_INT_W || kind == RV_INT_L;
}

/* a: the type; b: enum riscv64_int. Results of 32 bits are sign-extended, also
 * the unsigned ones. */
LIFTER(lift_fp_to_int)
{
	unsigned variant = IR_F2I_RISCV | (int_signed(b) ? IR_F2I_SIGNED : 0);
	ir_ref x = lift_f(l, (enum ir_type)a, l->insn.rs1);
	ir_ref value = ir_emit(&l->b, IR_F2I, int_type(b), lift_fp_aux(l, variant), x, 0, 0);

	lift_set_x(l, ir_sext(&l->b, IR_I64, int_type(b), value));
}

/* fcvtmod.w.d; always truncates. */
LIFTER(lift_fp_modular)
{
	unsigned aux = IR_FP(IR_RTZ, IR_NAN_RISCV, 0, IR_F2I_MODULAR | IR_F2I_SIGNED);
	ir_ref x = lift_f(l, IR_F64, l->insn.rs1);

	(void)a, (void)b;
	lift_set_x(l, ir_sext(&l->b, IR_I64, IR_I32, ir_emit(&l->b, IR_F2I, IR_I32, aux, x, 0, 0)));
}

/* a: the type; b: enum riscv64_int. */
LIFTER(lift_fp_from_int)
{
	unsigned aux = lift_fp_aux(l, int_signed(b) ? IR_I2F_SIGNED : 0);
	ir_ref x = ir_trunc(&l->b, int_type(b), lift_x(l, l->insn.rs1));

	lift_set_f(l, (enum ir_type)a, ir_emit(&l->b, IR_I2F, (enum ir_type)a, aux, x, 0, 0));
}

/* a: the type converted to; b: from. */
LIFTER(lift_fp_convert)
{
	ir_ref x = lift_f(l, (enum ir_type)b, l->insn.rs1);

	lift_set_f(l, (enum ir_type)a,
		   ir_emit(&l->b, IR_FCVT, (enum ir_type)a, lift_fp_aux(l, 0), x, 0, 0));
}

/* b: the integer type of the same width as a, the float type. Bits move as
 * they are, boxed or not, and are sign-extended. */
LIFTER(lift_fmv_to_x)
{
	ir_ref bits = ir_bitcast(&l->b, IR_I64, ir_get(&l->b, RISCV64_F0 + l->insn.rs1));

	(void)a;
	lift_set_x(l, ir_sext(&l->b, IR_I64, (enum ir_type)b, bits));
}

LIFTER(lift_fmv_from_x)
{
	ir_ref bits = ir_trunc(&l->b, (enum ir_type)b, lift_x(l, l->insn.rs1));

	lift_set_f(l, (enum ir_type)a, ir_bitcast(&l->b, (enum ir_type)a, bits));
}

/* ---- fli ---------------------------------------------------------------- */

/* (1 + quarters/4) × 2^exponent; the constants of Zfa but for the numbers 0
 * (-1), 1 (the smallest normal number), 30 (infinity), 31 (canonical NaN). */
struct fli {
	int8_t exponent;
	uint8_t quarters;
};

static const struct fli fli_constants[32] = {
	[2] = { -16, 0 }, { -15, 0 }, { -8, 0 }, { -7, 0 }, { -4, 0 }, { -3, 0 },
	[8] = { -2, 0 },  { -2, 1 },  { -2, 2 }, { -2, 3 }, { -1, 0 }, { -1, 1 }, { -1, 2 }, { -1, 3 },
	[16] = { 0, 0 },  { 0, 1 },   { 0, 2 },	 { 0, 3 },  { 1, 0 },  { 1, 1 },  { 1, 2 },  { 2, 0 },
	[24] = { 3, 0 },  { 4, 0 },   { 7, 0 },	 { 8, 0 },  { 15, 0 }, { 16, 0 },
};

/* The bits of constant `number` in a format with that many fraction and
 * exponent bits. */
static uint64_t
fli_bits(unsigned number, unsigned fraction, unsigned exponent)
{
	uint64_t top = (1ull << exponent) - 1, bias = top / 2;
	const struct fli *fli = &fli_constants[number];

	if (number == 0)
		return (1ull << exponent | bias) << fraction;
	if (number == 1)
		return 1ull << fraction;
	if (number == 30)
		return top << fraction;
	if (number == 31)
		return top << fraction | 1ull << (fraction - 1);
	return (bias + (uint64_t)(int64_t)fli->exponent) << fraction | (uint64_t)fli->quarters << (fraction - 2);
}

/* a: the type. */
LIFTER(lift_fli)
{
	unsigned number = (unsigned)l->insn.imm;
	uint64_t bits = a == IR_F32 ? fli_bits(number, 23, 8) : fli_bits(number, 52, 11);

	(void)b;
	lift_set_f(l, (enum ir_type)a, ir_const(&l->b, (enum ir_type)a, bits));
}

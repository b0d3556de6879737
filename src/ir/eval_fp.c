/* The evaluator's floating point, on base/softfloat.h: rounding from the op or
 * the frame, flags into the frame. */
#include "ir/eval_impl.h"

_Static_assert((int)IR_RNE == FP_RNE && (int)IR_RMM == FP_RMM && (int)IR_ROD == FP_ODD, "rounding modes");
_Static_assert((int)IR_NAN_RISCV == FP_NAN_RISCV && (int)IR_NAN_X86 == FP_NAN_X86, "NaN rules");
_Static_assert((int)IR_FMA_NEG_PRODUCT == FP_FMA_NEGATE_PRODUCT &&
	       (int)IR_FMA_NEG_ADDEND == FP_FMA_NEGATE_ADDEND, "signs of FMA");
_Static_assert((int)IR_F2I_RISCV == FP_INT_RISCV && (int)IR_F2I_X86 == FP_INT_X86, "F2I rules");

enum fp_format
eval_format(enum ir_type type)
{
	return type == IR_F16 ? FP_F16 : type == IR_F32 ? FP_F32 : FP_F64;
}

/* A dynamic mode that is invalid rounds to nearest; lifters see to it that no
 * op runs under one. */
struct fp_env
eval_environment(const struct eval_run *run, unsigned aux)
{
	unsigned round = IR_FP_ROUND(aux);

	if (round == IR_RDYN)
		round = run->frame->fp_round <= IR_RMM ? run->frame->fp_round : IR_RNE;
	return (struct fp_env){
		.rounding = (uint8_t)round,
		.nan_rule = (uint8_t)IR_FP_NAN(aux),
		.tininess_before = aux & IR_FP_TINY_BEFORE,
		.flush_inputs = aux & IR_FP_FLUSH,
		.flush_outputs = aux & IR_FP_FLUSH,
	};
}

enum { FLAG_X86_DENORMAL = FP_DENORMAL_INPUT, FLAG_ARM_FLUSHED = FLAG_X86_DENORMAL << 1 };

void
eval_raise(struct eval_run *run, unsigned aux, const struct fp_env *env)
{
	unsigned flags = env->flags;

	if (aux & IR_FP_NOFLAGS)
		return;
	if (IR_FP_NAN(aux) != IR_NAN_X86 && flags & FP_DENORMAL_INPUT)
		flags ^= FLAG_X86_DENORMAL | FLAG_ARM_FLUSHED;
	run->frame->fp_flags |= flags;
}

static enum fp_minmax_rule
minmax_rule(unsigned aux)
{
	switch ((enum ir_fminmax_variant)(IR_FP_VARIANT_OF(aux) & 3)) {
	case IR_FMINMAX_NUMBER: /* Arm's FMINNM is 754-2008's */
		return IR_FP_NAN(aux) == IR_NAN_RISCV ? FP_MINMAX_NUMBER : FP_MINMAX_QUIET_NUMBER;
	case IR_FMINMAX_PROPAGATE:
		return FP_MINMAX_NAN;
	case IR_FMINMAX_X86:
		return FP_MINMAX_X86;
	}
	return FP_MINMAX_NUMBER;
}

static uint64_t
to_integral(struct fp_env *env, enum fp_format format, unsigned variant, uint64_t a)
{
	bool inexact = variant & IR_FRINT_INEXACT;

	if (!(variant & (IR_FRINT_I32 | IR_FRINT_I64)))
		return fp_round_to_int(env, format, a, inexact);
	return fp_round_to_int_within(env, format, a, variant & IR_FRINT_I32 ? 32 : 64, inexact);
}

uint64_t
eval_arithmetic(struct fp_env *env, enum ir_op op, enum fp_format format, unsigned aux, uint64_t a, uint64_t b,
		uint64_t c)
{
	switch ((int)op) {
	case IR_FADD: return fp_add(env, format, a, b);
	case IR_FSUB: return fp_sub(env, format, a, b);
	case IR_FMUL: return fp_mul(env, format, a, b);
	case IR_FDIV: return fp_div(env, format, a, b);
	case IR_FSQRT: return fp_sqrt(env, format, a);
	case IR_FMA: return fp_fma(env, format, a, b, c, IR_FP_VARIANT_OF(aux) & 3);
	case IR_FMIN: return fp_min(env, format, minmax_rule(aux), a, b);
	case IR_FMAX: return fp_max(env, format, minmax_rule(aux), a, b);
	case IR_FRINT: return to_integral(env, format, IR_FP_VARIANT_OF(aux), a);
	case IR_FMULX: return fp_mulx(env, format, a, b);
	case IR_FRECPE: return fp_reciprocal(env, format, a);
	case IR_FRSQRTE: return fp_reciprocal_root(env, format, a);
	case IR_FRECPS: return fp_reciprocal_step(env, format, a, b);
	case IR_FRSQRTS: return fp_reciprocal_root_step(env, format, a, b);
	case IR_FRECPX: return fp_reciprocal_exponent(env, format, a);
	}
	return 0;
}

/* FADD to FMAX, FRINT, FMULX to FRECPX */
void
eval_float(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	struct fp_env env = eval_environment(run, ins->aux);

	out[0] = eval_arithmetic(&env, (enum ir_op)ins->op, eval_format(ins->type), ins->aux,
				 eval_of(run, ins->a)[0], eval_of(run, ins->b)[0],
				 ir_op_info[ins->op].operands[2] == '=' ? eval_of(run, ins->c)[0] : 0);
	eval_raise(run, ins->aux, &env);
}

bool
eval_relation_holds(enum fp_relation relation, unsigned variant)
{
	switch (variant & 3) {
	case IR_FCMP_EQ:
		return relation == FP_EQUAL;
	case IR_FCMP_LT:
		return relation == FP_LESS;
	case IR_FCMP_LE:
		return relation == FP_LESS || relation == FP_EQUAL;
	}
	return relation == FP_UNORDERED;
}

/* Flags by relation: Arm's FCMP, x86's UCOMIS. */
static uint64_t
flags_of(enum fp_relation relation, bool x86)
{
	static const uint8_t arm[] = {
		[FP_LESS] = IR_FLAG_N,
		[FP_EQUAL] = IR_FLAG_Z | IR_FLAG_C,
		[FP_GREATER] = IR_FLAG_C,
		[FP_UNORDERED] = IR_FLAG_C | IR_FLAG_V,
	};
	static const uint8_t ucomis[] = {
		[FP_LESS] = IR_FLAG_C,
		[FP_EQUAL] = IR_FLAG_Z,
		[FP_GREATER] = 0,
		[FP_UNORDERED] = IR_FLAG_Z | IR_FLAG_P | IR_FLAG_C,
	};

	return x86 ? ucomis[relation] : arm[relation] | IR_FLAG_C_NOT_BORROW;
}

/* FCMP FLAGS_FCMP */
void
eval_float_compare(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	struct fp_env env = eval_environment(run, ins->aux);
	unsigned variant = IR_FP_VARIANT_OF(ins->aux);
	enum fp_relation relation =
		fp_compare(&env, eval_format(eval_type(run, ins->a)), eval_of(run, ins->a)[0],
			   eval_of(run, ins->b)[0], variant & IR_FP_SIGNALING);

	eval_raise(run, ins->aux, &env);
	if (ins->op == IR_FLAGS_FCMP) {
		out[0] = flags_of(relation, variant & IR_FCMP_X86);
		return;
	}
	out[0] = eval_relation_holds(relation, variant);
	out[1] = 0;
}

uint64_t
eval_to_integer(struct fp_env *env, unsigned aux, enum fp_format format, unsigned width, uint64_t a, unsigned scale)
{
	unsigned variant = IR_FP_VARIANT_OF(aux), rule = variant & 3;
	struct fp_int type = { (uint8_t)width, variant & IR_F2I_SIGNED };

	if (rule == IR_F2I_MODULAR)
		return (uint64_t)(int64_t)fp_to_int32_modular(env, a, NULL);
	return fp_to_int(env, format, a, type, (enum fp_int_rule)rule, scale);
}

uint64_t
eval_from_integer(struct fp_env *env, unsigned aux, enum fp_format format, unsigned width, uint64_t a, unsigned scale)
{
	bool is_signed = IR_FP_VARIANT_OF(aux) & IR_I2F_SIGNED;

	return fp_from_int(env, format, is_signed ? (uint64_t)int_signed(a, width) : a, is_signed, scale);
}

/* FCVT F2I I2F F2X X2F */
void
eval_float_convert(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	struct fp_env env = eval_environment(run, ins->aux);
	enum ir_type from = eval_type(run, ins->a);
	uint64_t a = eval_of(run, ins->a)[0];
	unsigned scale = ins->op == IR_F2X || ins->op == IR_X2F ? ins->c : 0;

	if (from == IR_I128 || ins->type == IR_I128) {
		run->broken = true;
		return;
	}
	switch ((int)ins->op) {
	case IR_FCVT: /* formats convert without regard to FZ16 */
		env.flush_inputs &= from != IR_F16;
		env.flush_outputs &= ins->type != IR_F16;
		env.alternative_half = IR_FP_VARIANT_OF(ins->aux) & IR_FCVT_ALTERNATIVE;
		out[0] = fp_convert(&env, eval_format(from), eval_format(ins->type), a);
		break;
	case IR_F2I:
	case IR_F2X:
		out[0] = eval_cut(ins->type, eval_to_integer(&env, ins->aux, eval_format(from),
							     ir_type_bits(ins->type), a, scale));
		break;
	case IR_I2F:
	case IR_X2F:
		out[0] = eval_from_integer(&env, ins->aux, eval_format(ins->type), ir_type_bits(from), a, scale);
		break;
	}
	eval_raise(run, ins->aux, &env);
}

static uint64_t
inject_sign(unsigned how, uint64_t sign, uint64_t a, uint64_t b)
{
	switch ((enum ir_fsgnj_variant)how) {
	case IR_FSGNJ_COPY:
		return (a & ~sign) | (b & sign);
	case IR_FSGNJ_NOT:
		return (a & ~sign) | (~b & sign);
	case IR_FSGNJ_XOR:
		return a ^ (b & sign);
	}
	return a;
}

static uint64_t
unbox(enum ir_type type, uint64_t a)
{
	uint64_t mask = int_mask(ir_type_bits(type));

	if ((a | mask) == UINT64_MAX)
		return a & mask;
	return type == IR_F16 ? 0x7e00 : 0x7fc00000; /* canonical NaN */
}

/* Those that look at bits only: FCLASS FNEG FABS FSGNJ BOX UNBOX */
void
eval_float_bits(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	enum ir_type from = eval_type(run, ins->a);
	uint64_t a = eval_of(run, ins->a)[0];
	uint64_t sign = (uint64_t)1 << (ir_type_bits(from) - 1);

	switch ((int)ins->op) {
	case IR_FCLASS:
		out[0] = eval_cut(ins->type, fp_classify(eval_format(from), a));
		out[1] = 0;
		break;
	case IR_FNEG:
		out[0] = a ^ sign;
		break;
	case IR_FABS:
		out[0] = a & ~sign;
		break;
	case IR_FSGNJ:
		out[0] = inject_sign(ins->aux, sign, a, eval_of(run, ins->b)[0]);
		break;
	case IR_BOX:
		out[0] = a | ~int_mask(ir_type_bits(from));
		break;
	case IR_UNBOX:
		out[0] = ins->type == IR_F64 ? a : unbox(ins->type, a);
		break;
	}
}

/* FPFLAGS_GET FPFLAGS_SET FPROUND_SET */
void
eval_float_state(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	uint64_t a = ins->op == IR_FPFLAGS_GET ? 0 : eval_of(run, ins->a)[0];

	switch ((int)ins->op) {
	case IR_FPFLAGS_GET:
		out[0] = eval_cut(ins->type, run->frame->fp_flags);
		out[1] = 0;
		break;
	case IR_FPFLAGS_SET:
		run->frame->fp_flags = a & 127;
		break;
	case IR_FPROUND_SET:
		run->frame->fp_round = a < IR_RDYN ? (uint32_t)a : IR_RDYN;
		break;
	}
}

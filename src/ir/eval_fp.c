/* The evaluator's floating point, on base/softfloat.h: rounding from the op or
 * the frame, flags into the frame. */
#include "base/softfloat.h"
#include "ir/eval_impl.h"

_Static_assert((int)IR_RNE == FP_RNE && (int)IR_RMM == FP_RMM && (int)IR_ROD == FP_ODD, "rounding modes");
_Static_assert((int)IR_NAN_RISCV == FP_NAN_RISCV && (int)IR_NAN_X86 == FP_NAN_X86, "NaN rules");
_Static_assert((int)IR_FMA_NEG_PRODUCT == FP_FMA_NEGATE_PRODUCT &&
	       (int)IR_FMA_NEG_ADDEND == FP_FMA_NEGATE_ADDEND, "signs of FMA");
_Static_assert((int)IR_F2I_RISCV == FP_INT_RISCV && (int)IR_F2I_X86 == FP_INT_X86, "F2I rules");

static enum fp_format
format_of(enum ir_type type)
{
	return type == IR_F16 ? FP_F16 : type == IR_F32 ? FP_F32 : FP_F64;
}

/* A dynamic mode that is invalid rounds to nearest; lifters see to it that no
 * op runs under one. */
static struct fp_env
environment(const struct eval_run *run, unsigned aux)
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

static void
raise_flags(struct eval_run *run, unsigned aux, const struct fp_env *env)
{
	if (!(aux & IR_FP_NOFLAGS))
		run->frame->fp_flags |= env->flags;
}

static enum fp_minmax_rule
minmax_rule(unsigned aux)
{
	switch ((enum ir_fminmax_variant)IR_FP_VARIANT_OF(aux)) {
	case IR_FMINMAX_NUMBER: /* Arm's FMINNM is 754-2008's */
		return IR_FP_NAN(aux) == IR_NAN_RISCV ? FP_MINMAX_NUMBER : FP_MINMAX_QUIET_NUMBER;
	case IR_FMINMAX_PROPAGATE:
		return FP_MINMAX_NAN;
	case IR_FMINMAX_X86:
		return FP_MINMAX_X86;
	}
	return FP_MINMAX_NUMBER;
}

/* FADD to FMAX and FRINT */
void
eval_float(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	struct fp_env env = environment(run, ins->aux);
	enum fp_format format = format_of(ins->type);
	uint64_t a = eval_of(run, ins->a)[0], b = eval_of(run, ins->b)[0];

	switch ((int)ins->op) {
	case IR_FADD:
		out[0] = fp_add(&env, format, a, b);
		break;
	case IR_FSUB:
		out[0] = fp_sub(&env, format, a, b);
		break;
	case IR_FMUL:
		out[0] = fp_mul(&env, format, a, b);
		break;
	case IR_FDIV:
		out[0] = fp_div(&env, format, a, b);
		break;
	case IR_FSQRT:
		out[0] = fp_sqrt(&env, format, a);
		break;
	case IR_FMA:
		out[0] = fp_fma(&env, format, a, b, eval_of(run, ins->c)[0], IR_FP_VARIANT_OF(ins->aux) & 3);
		break;
	case IR_FMIN:
		out[0] = fp_min(&env, format, minmax_rule(ins->aux), a, b);
		break;
	case IR_FMAX:
		out[0] = fp_max(&env, format, minmax_rule(ins->aux), a, b);
		break;
	case IR_FRINT:
		out[0] = fp_round_to_int(&env, format, a, IR_FP_VARIANT_OF(ins->aux) & IR_FRINT_INEXACT);
		break;
	}
	raise_flags(run, ins->aux, &env);
}

/* The same on each lane; the lane type is in c. */
void
eval_float_lanes(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	struct fp_env env = environment(run, ins->aux);
	enum fp_format format = format_of((enum ir_type)ins->c);
	unsigned width = ir_type_bits((enum ir_type)ins->c);
	const uint64_t *a = eval_of(run, ins->a), *b = eval_of(run, ins->b);

	for (unsigned i = 0; i < ir_type_bits(ins->type) / width; i++) {
		uint64_t x = lane_get(a, i, width), y = lane_get(b, i, width), r = 0;

		switch ((int)ins->op) {
		case IR_VFADD:
			r = fp_add(&env, format, x, y);
			break;
		case IR_VFSUB:
			r = fp_sub(&env, format, x, y);
			break;
		case IR_VFMUL:
			r = fp_mul(&env, format, x, y);
			break;
		case IR_VFDIV:
			r = fp_div(&env, format, x, y);
			break;
		}
		lane_set(out, i, width, r);
	}
	raise_flags(run, ins->aux, &env);
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
	struct fp_env env = environment(run, ins->aux);
	unsigned variant = IR_FP_VARIANT_OF(ins->aux);
	enum fp_relation relation =
		fp_compare(&env, format_of(eval_type(run, ins->a)), eval_of(run, ins->a)[0],
			   eval_of(run, ins->b)[0], variant & IR_FP_SIGNALING);

	raise_flags(run, ins->aux, &env);
	if (ins->op == IR_FLAGS_FCMP) {
		out[0] = flags_of(relation, variant & IR_FCMP_X86);
		return;
	}
	out[1] = 0;
	switch (variant & 3) {
	case IR_FCMP_EQ:
		out[0] = relation == FP_EQUAL;
		break;
	case IR_FCMP_LT:
		out[0] = relation == FP_LESS;
		break;
	case IR_FCMP_LE:
		out[0] = relation == FP_LESS || relation == FP_EQUAL;
		break;
	case IR_FCMP_UNORD:
		out[0] = relation == FP_UNORDERED;
		break;
	}
}

static uint64_t
to_integer(struct fp_env *env, const struct ir_ins *ins, enum fp_format format, uint64_t a)
{
	unsigned variant = IR_FP_VARIANT_OF(ins->aux), rule = variant & 3;
	struct fp_int type = { (uint8_t)ir_type_bits(ins->type), variant & IR_F2I_SIGNED };

	if (rule == IR_F2I_MODULAR)
		return (uint64_t)(int64_t)fp_to_int32_modular(env, a, NULL);
	return fp_to_int(env, format, a, type, (enum fp_int_rule)rule, 0);
}

static uint64_t
from_integer(struct fp_env *env, const struct ir_ins *ins, enum ir_type from, uint64_t a)
{
	bool is_signed = IR_FP_VARIANT_OF(ins->aux) & IR_I2F_SIGNED;

	if (is_signed)
		a = (uint64_t)int_signed(a, ir_type_bits(from));
	return fp_from_int(env, format_of(ins->type), a, is_signed, 0);
}

/* FCVT F2I I2F */
void
eval_float_convert(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	struct fp_env env = environment(run, ins->aux);
	enum ir_type from = eval_type(run, ins->a);
	uint64_t a = eval_of(run, ins->a)[0];

	if (from == IR_I128 || ins->type == IR_I128) {
		run->broken = true;
		return;
	}
	switch ((int)ins->op) {
	case IR_FCVT: /* formats convert without regard to FZ16 */
		env.flush_inputs &= from != IR_F16;
		env.flush_outputs &= ins->type != IR_F16;
		out[0] = fp_convert(&env, format_of(from), format_of(ins->type), a);
		break;
	case IR_F2I:
		out[0] = eval_cut(ins->type, to_integer(&env, ins, format_of(from), a));
		break;
	case IR_I2F:
		out[0] = from_integer(&env, ins, from, a);
		break;
	}
	raise_flags(run, ins->aux, &env);
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
		out[0] = eval_cut(ins->type, fp_classify(format_of(from), a));
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
		run->frame->fp_flags = a & 63;
		break;
	case IR_FPROUND_SET:
		run->frame->fp_round = a < IR_RDYN ? (uint32_t)a : IR_RDYN;
		break;
	}
}

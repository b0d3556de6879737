/* The evaluator's floating point on lanes: each lane as the scalar op of the
 * same meaning does it (eval_fp.c), from the lowest; the flags of all are
 * or-ed. */
#include "ir/eval_impl.h"

#include <string.h>

/* The scalar op of a lane op. */
static enum ir_op
scalar_of(enum ir_op op)
{
	static const uint8_t scalar[IR_OP_COUNT] = {
		[IR_VFADD] = IR_FADD, [IR_VFSUB] = IR_FSUB, [IR_VFMUL] = IR_FMUL,
		[IR_VFDIV] = IR_FDIV, [IR_VFSQRT] = IR_FSQRT, [IR_VFMA] = IR_FMA,
		[IR_VFMIN] = IR_FMIN, [IR_VFMAX] = IR_FMAX, [IR_VFRINT] = IR_FRINT,
		[IR_VFMULX] = IR_FMULX, [IR_VFRECPE] = IR_FRECPE, [IR_VFRSQRTE] = IR_FRSQRTE,
		[IR_VFRECPS] = IR_FRECPS, [IR_VFRSQRTS] = IR_FRSQRTS,
	};

	return (enum ir_op)scalar[op];
}

/* VFADD to VFMAX, VFRINT, VFMULX to VFRSQRTS */
void
eval_float_lanes(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	struct fp_env env = eval_environment(run, ins->aux);
	enum ir_type lane = IR_VFP_LANE(ins->aux);
	unsigned width = ir_type_bits(lane);
	const uint64_t *a = eval_of(run, ins->a), *b = eval_of(run, ins->b), *c = eval_of(run, ins->c);

	for (unsigned i = 0; i < ir_type_bits(ins->type) / width; i++)
		lane_set(out, i, width,
			 eval_arithmetic(&env, scalar_of((enum ir_op)ins->op), eval_format(lane), ins->aux,
					 lane_get(a, i, width), lane_get(b, i, width), lane_get(c, i, width)));
	eval_raise(run, ins->aux, &env);
}

/* VFCMP VF2I VI2F */
void
eval_float_lanes_int(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	struct fp_env env = eval_environment(run, ins->aux);
	enum ir_type lane = IR_VFP_LANE(ins->aux);
	enum fp_format format = eval_format(lane);
	unsigned width = ir_type_bits(lane), variant = IR_FP_VARIANT_OF(ins->aux);
	const uint64_t *a = eval_of(run, ins->a), *b = eval_of(run, ins->b);

	for (unsigned i = 0; i < ir_type_bits(ins->type) / width; i++) {
		uint64_t x = lane_get(a, i, width), r = 0;

		switch ((int)ins->op) {
		case IR_VFCMP:
			r = eval_relation_holds(fp_compare(&env, format, x, lane_get(b, i, width),
							   variant & IR_FP_SIGNALING),
						variant) ?
				    UINT64_MAX :
				    0;
			break;
		case IR_VF2I:
			r = eval_to_integer(&env, ins->aux, format, width, x, ins->c);
			break;
		case IR_VI2F:
			r = eval_from_integer(&env, ins->aux, format, width, x, ins->c);
			break;
		}
		lane_set(out, i, width, r);
	}
	eval_raise(run, ins->aux, &env);
}

static enum ir_type
format_beside(enum ir_type lane, bool wider)
{
	return (enum ir_type)(wider ? lane + 1 : lane - 1);
}
_Static_assert(IR_F32 == IR_F16 + 1 && IR_F64 == IR_F32 + 1, "formats in order of width");

/* VFWIDEN VFNARROW. Formats convert without regard to FZ16. */
void
eval_float_lanes_convert(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	struct fp_env env = eval_environment(run, ins->aux);
	enum ir_type from = IR_VFP_LANE(ins->aux), to = format_beside(from, ins->op == IR_VFWIDEN);
	const uint64_t *a = eval_of(run, ins->a);
	unsigned lanes = ir_type_bits(ins->type) / ir_type_bits(to);

	env.flush_inputs &= from != IR_F16;
	env.flush_outputs &= to != IR_F16;
	env.alternative_half = IR_FP_VARIANT_OF(ins->aux) & IR_FCVT_ALTERNATIVE;
	for (unsigned i = 0; i < lanes; i++)
		lane_set(out, i, ir_type_bits(to),
			 fp_convert(&env, eval_format(from), eval_format(to),
				    lane_get(a, i, ir_type_bits(from))));
	eval_raise(run, ins->aux, &env);
}

/* Random vector ops, Arm's floating point and cryptography for codegen_random.h:
 * what each op takes, by shape. */
#ifndef TEST_UNIT_CODEGEN_VECTORS_H
#define TEST_UNIT_CODEGEN_VECTORS_H

static ir_ref
vector_of(struct maker *m, enum ir_type type)
{
	return any(m, type);
}

static enum ir_type
vector_type(void)
{
	return percent(65) ? IR_V128 : IR_V64;
}

static enum ir_type
int_lane(void)
{
	return (enum ir_type)(IR_I8 + below(4));
}

/* ---- integer lanes ------------------------------------------------------ */

static void
make_lanes(struct maker *m)
{
	static const uint8_t two[] = {
		IR_VADD, IR_VSUB, IR_VMUL, IR_VAND, IR_VOR, IR_VXOR, IR_VANDN, IR_VSMIN, IR_VSMAX, IR_VUMIN, IR_VUMAX,
		IR_VADDS, IR_VSUBS, IR_VADDU, IR_VSUBU, IR_VCMPEQ, IR_VCMPGT, IR_VCMPGTU, IR_VZIPLO, IR_VZIPHI, IR_VEVEN,
		IR_VODD, IR_VTRNEVEN, IR_VTRNODD, IR_VHADD, IR_VHSUB, IR_VABD };
	static const uint8_t rare[] = { IR_VMUL, IR_VSMIN, IR_VUMAX };
	enum ir_op op = (enum ir_op)two[below(ARRAY_LEN(two))];
	enum ir_type type = vector_type(), lane = int_lane();
	unsigned aux = lane;

	for (unsigned i = 0; i < ARRAY_LEN(rare); i++) /* no code without AVX-512 */
		if (op == rare[i] && lane == IR_I64 && percent(80))
			lane = IR_I32, aux = lane;
	if (type == IR_V64 && lane == IR_I64 && op >= IR_VZIPLO)
		lane = IR_I16, aux = lane;
	if (op == IR_VHADD || op == IR_VHSUB || op == IR_VABD)
		aux = IR_LANE(lane == IR_I64 && op != IR_VABD ? IR_I32 : lane,
			      (below(2) ? IR_LANE_SIGNED : 0) | (op == IR_VHADD && below(2) ? IR_LANE_ROUND : 0));
	if (op >= IR_VAND && op <= IR_VANDN)
		aux = 0;
	make(m, op, type, aux, vector_of(m, type), vector_of(m, type), 0);
}

static void
make_lane_unary(struct maker *m)
{
	static const uint8_t ops[] = { IR_VNOT, IR_VNEG, IR_VABS, IR_VCLZ, IR_VPOPCNT, IR_VBITREV, IR_VREV, IR_VSHL, IR_VLSHR, IR_VASHR,
				       IR_VSHL, IR_VLSHR, IR_VASHR };
	enum ir_op op = (enum ir_op)ops[below(ARRAY_LEN(ops))];
	enum ir_type type = vector_type(), lane = int_lane();
	ir_ref x = vector_of(m, type);
	unsigned group;

	switch ((int)op) {
	case IR_VPOPCNT:
	case IR_VBITREV: make(m, op, type, IR_I8, x, 0, 0); break;
	case IR_VNOT: make(m, op, type, 0, x, 0, 0); break;
	case IR_VREV:
		group = 2u << below(type == IR_V128 ? 4 : 3);
		lane = (enum ir_type)(IR_I8 + below((unsigned)__builtin_ctz(group)));
		keep(m, ir_emit(&m->b, op, type, lane > IR_I64 ? IR_I64 : lane, x, 0, group));
		break;
	case IR_VSHL:
	case IR_VLSHR:
	case IR_VASHR:
		keep(m, ir_emit(&m->b, op, type, lane, x, ir_const(&m->b, IR_I64, below(ir_type_bits(lane) + 2)), 0));
		break;
	default: make(m, op, type, lane, x, 0, 0);
	}
}

static void
make_lane_width(struct maker *m)
{
	enum ir_type lane = (enum ir_type)(IR_I8 + below(3)), wide = (enum ir_type)(lane + 1);
	unsigned sign = below(2) ? IR_LANE_SIGNED : 0;
	enum ir_type type = vector_type();

	switch (below(10)) {
	case 9:
		lane = int_lane();
		make(m, IR_VSHIFT, type,
		     IR_LANE(lane, sign | (below(2) ? IR_LANE_ROUND : 0) |
					   (percent(50) ? 0 : percent(50) ? IR_LANE_SATURATE : IR_LANE_OVERFLOW)),
		     vector_of(m, type),
		     percent(60) ? make(m, IR_VSPLAT, type, lane, ir_const(&m->b, lane, random64() % 32 * (percent(50) ? 1 : 255) & 255), 0, 0)
				 : vector_of(m, type), 0);
		break;
	case 0: make(m, percent(50) ? IR_VSXTL : IR_VZXTL, IR_V128, lane, vector_of(m, type), 0, 0); break;
	case 1: make(m, IR_VNARROW, IR_V64, wide, vector_of(m, IR_V128), 0, 0); break;
	case 2:
		make(m, (enum ir_op)(IR_VNARROWS + below(3)), IR_V64, wide,
		     vector_of(m, IR_V128), 0, 0);
		break;
	case 3: make(m, IR_VMULL, IR_V128, IR_LANE(lane, sign), vector_of(m, IR_V64), vector_of(m, IR_V64), 0); break;
	case 4:
		make(m, IR_VQDMULH, type, IR_LANE(percent(50) ? IR_I16 : IR_I32, below(2) ? IR_LANE_ROUND : 0), vector_of(m, type),
		     vector_of(m, type), 0);
		break;
	case 5:
		make(m, IR_VDOT, type, IR_LANE(IR_I8, sign), vector_of(m, type), vector_of(m, type), vector_of(m, type));
		break;
	case 6:
		if (percent(50))
			make(m, IR_VPMULL, IR_V128, percent(50) ? IR_I64 : IR_I8, vector_of(m, IR_V64), vector_of(m, IR_V64), 0);
		else
			make(m, IR_VQRDMLAH, type,
			     IR_LANE(percent(50) ? IR_I16 : IR_I32, (below(2) ? IR_LANE_SUBTRACT : 0) | (below(2) ? IR_LANE_OVERFLOW : 0)),
			     vector_of(m, type), vector_of(m, type), vector_of(m, type));
		break;
	case 7: make(m, IR_VADDLP, type, IR_LANE(lane, sign), vector_of(m, type), 0, 0); break;
	default:
		lane = (enum ir_type)(IR_I8 + below(3));
		make(m, IR_VREDUCE, percent(50) ? IR_I64 : IR_I32, IR_REDUCE(lane, below(IR_REDUCE_UMAX + 1)),
		     vector_of(m, type), 0, 0);
	}
}

static void
make_lane_move(struct maker *m)
{
	enum ir_type type = vector_type(), lane = int_lane();
	ir_ref x;

	switch (below(14)) {
	case 0:
		x = any(m, lane);
		make(m, IR_VSPLAT, type, lane, x, 0, 0);
		break;
	case 1: keep(m, ir_emit(&m->b, IR_VDUP, type, lane, vector_of(m, vector_type()), 0, below(16))); break;
	case 2:
		keep(m, ir_emit(&m->b, IR_VEXTRACT, lane < IR_I64 && percent(50) ? IR_I32 : IR_I64,
				lane == IR_I64 ? IR_I32 : lane, vector_of(m, type), 0, below(16)));
		break;
	case 3:
		x = any(m, lane);
		keep(m, ir_emit(&m->b, IR_VINSERT, type, lane, vector_of(m, type), x, below(16)));
		break;
	case 4: make(m, IR_VSCALAR, type, lane, any(m, lane), 0, 0); break;
	case 5:
		x = percent(50) ? any(m, IR_F64) : any(m, IR_F32);
		lane = (enum ir_type)m->region.ins[x].type;
		make(m, IR_VSCALAR, IR_V128, lane, x, 0, 0);
		break;
	case 6: make(m, IR_VRESIZE, IR_V128, 0, vector_of(m, IR_V64), 0, 0); break;
	case 7: make(m, IR_VHIGH, IR_V64, 0, vector_of(m, IR_V128), 0, 0); break;
	case 8: make(m, IR_VJOIN, IR_V128, 0, vector_of(m, IR_V64), vector_of(m, IR_V64), 0); break;
	case 9: make(m, IR_VSHUF, type, 0, vector_of(m, type), vector_of(m, type), 0); break;
	case 10: keep(m, ir_emit(&m->b, IR_VEXT, type, 0, vector_of(m, type), vector_of(m, type), below(16))); break;
	case 11: make(m, IR_VBSL, type, 0, vector_of(m, type), vector_of(m, type), vector_of(m, type)); break;
	case 12:
		x = percent(50) ? any(m, IR_F64) : any(m, IR_F32);
		lane = (enum ir_type)m->region.ins[x].type;
		keep(m, ir_emit(&m->b, IR_VINSERT, type, lane, vector_of(m, type), x, below(4)));
		break;
	default:
		lane = percent(50) ? IR_F64 : IR_F32;
		keep(m, ir_emit(&m->b, IR_VEXTRACT, lane, lane, vector_of(m, type), 0, below(4)));
	}
}

/* ---- floating point ----------------------------------------------------- */

static unsigned
arm_aux(unsigned variant)
{
	return IR_FP(IR_RDYN, percent(80) ? IR_NAN_ARM : IR_NAN_ARM_DEFAULT, IR_FP_TINY_BEFORE, variant);
}

static void
make_arm_conversion(struct maker *m)
{
	static const uint8_t rounds[] = { IR_RDYN, IR_RDYN, IR_RTZ, IR_RTZ, IR_RTZ, IR_RNE, IR_RDN, IR_RUP, IR_RMM };
	unsigned round = rounds[below(ARRAY_LEN(rounds))], sign = below(4) != 0;
	enum ir_type fp = percent(50) ? IR_F64 : IR_F32, integer = percent(50) ? IR_I64 : IR_I32;
	unsigned bits = IR_FP_TINY_BEFORE;

	switch (below(7)) {
	case 5:
		keep(m, ir_emit(&m->b, IR_F2X, integer, IR_FP(round, IR_NAN_ARM, bits, IR_F2I_ARM | sign << 2), any(m, fp), 0, below(65)));
		break;
	case 6: keep(m, ir_emit(&m->b, IR_X2F, fp, IR_FP(IR_RDYN, IR_NAN_ARM, bits, sign), any(m, integer), 0, below(65))); break;
	case 0: make(m, IR_F2I, integer, IR_FP(round, IR_NAN_ARM, bits, IR_F2I_ARM | sign << 2), any(m, fp), 0, 0); break;
	case 1: make(m, IR_I2F, fp, IR_FP(IR_RDYN, IR_NAN_ARM, bits, sign), any(m, integer), 0, 0); break;
	case 2: make(m, IR_FCVT, fp, arm_aux(0), any(m, fp == IR_F64 ? IR_F32 : IR_F64), 0, 0); break;
	case 3:
		make(m, IR_FCVT, fp, arm_aux(0), make(m, IR_FCVT, IR_F16, arm_aux(0), any(m, IR_F32), 0, 0), 0, 0);
		break;
	default: make(m, IR_FRINT, fp, IR_FP(round, IR_NAN_ARM, bits, below(2)), any(m, fp), 0, 0);
	}
}

static void
make_arm_fp(struct maker *m)
{
	static const uint8_t two[] = { IR_FADD, IR_FSUB, IR_FMUL, IR_FDIV, IR_FMIN, IR_FMAX };
	enum ir_type type = percent(50) ? IR_F64 : IR_F32;
	ir_ref x = any(m, type), y = percent(8) ? x : any(m, type), r;
	enum ir_op op;

	switch (below(10)) {
	case 0:
	case 1: make_arm_conversion(m); return;
	case 2: r = make(m, IR_FSQRT, type, arm_aux(0), x, 0, 0); break;
	case 3: r = make(m, IR_FMA, type, arm_aux(below(4)), x, y, any(m, type)); break;
	case 4: r = make(m, IR_SELECT, type, 0, any(m, IR_I64), x, y); break;
	default:
		op = (enum ir_op)two[below(percent(80) ? 4 : 6)];
		r = make(m, op, type, arm_aux(op == IR_FMIN || op == IR_FMAX ? below(2) : 0), x, y, 0);
	}
	if (percent(60))
		make(m, IR_VSCALAR, IR_V128, type, r, 0, 0);
}

/* Half precision: lanes come of singles, or are any. */
static void
make_half(struct maker *m)
{
	static const uint8_t two[] = { IR_VFADD, IR_VFSUB, IR_VFMUL, IR_VFDIV, IR_VFMIN, IR_VFMAX };
	static const uint8_t scalar[] = { IR_FADD, IR_FSUB, IR_FMUL, IR_FDIV, IR_FMIN, IR_FMAX };
	enum ir_type type = vector_type();
	unsigned bits = IR_FP_TINY_BEFORE, which = below(6);
	ir_ref x = percent(50) ? vector_of(m, type) : 0, y;

	if (!x) {
		x = make(m, IR_VFNARROW, IR_V64, IR_VFP(IR_F32, IR_RDYN, IR_NAN_ARM, bits, 0), vector_of(m, IR_V128), 0, 0);
		if (type == IR_V128)
			x = make(m, IR_VJOIN, IR_V128, 0, x, x, 0);
	}
	y = percent(50) ? x : vector_of(m, type);
	switch (below(11)) {
	case 0: make(m, IR_VFSQRT, type, IR_VFP(IR_F16, IR_RDYN, IR_NAN_ARM, bits, 0), x, 0, 0); break;
	case 1:
	case 2: make(m, IR_VFMA, type, IR_VFP(IR_F16, IR_RDYN, IR_NAN_ARM, bits, below(4)), x, y, vector_of(m, type)); break;
	case 3: make(m, IR_VFCMP, type, IR_VFP(IR_F16, IR_RDYN, IR_NAN_ARM, bits, below(4) | below(2) << 3), x, y, 0); break;
	case 4: make(m, IR_VFRINT, type, IR_VFP(IR_F16, below(5), IR_NAN_ARM, bits, below(2)), x, 0, 0); break;
	case 5:
		keep(m, ir_emit(&m->b, IR_VF2I, type, IR_VFP(IR_F16, below(5), IR_NAN_ARM, bits, IR_F2I_ARM | below(2) << 2),
				x, 0, percent(50) ? 0 : below(17)));
		break;
	case 6: keep(m, ir_emit(&m->b, IR_VI2F, type, IR_VFP(IR_F16, IR_RDYN, IR_NAN_ARM, bits, below(2)), x, 0, below(17))); break;
	case 7: make(m, IR_VFWIDEN, IR_V128, IR_VFP(IR_F16, IR_RDYN, IR_NAN_ARM, bits, 0), vector_of(m, IR_V64), 0, 0); break;
	case 8:
		x = any(m, IR_F16);
		y = any(m, IR_F16);
		x = make(m, (enum ir_op)scalar[which], IR_F16, arm_aux(which > 3 ? below(2) : 0), x, y, 0);
		x = make(m, IR_FMA, IR_F16, arm_aux(below(4)), x, y, any(m, IR_F16));
		make(m, IR_VSCALAR, IR_V128, IR_F16, make(m, percent(50) ? IR_FNEG : IR_FABS, IR_F16, 0, x, 0, 0), 0, 0);
		break;
	default: make(m, (enum ir_op)two[which], type, IR_VFP(IR_F16, IR_RDYN, IR_NAN_ARM, bits, which > 3 ? below(2) : 0), x, y, 0);
	}
}

/* Steps of iterations, products that know infinity times zero. */
static void
make_step(struct maker *m)
{
	static const uint8_t lanes[] = { IR_VFMULX, IR_VFRECPS, IR_VFRSQRTS }, scalar[] = { IR_FMULX, IR_FRECPS, IR_FRSQRTS };
	unsigned which = below(3);
	enum ir_type type = vector_type(), lane = percent(50) || type == IR_V64 ? IR_F32 : IR_F64;
	ir_ref x;

	if (percent(50)) {
		make(m, (enum ir_op)lanes[which], type, IR_VFP(lane, IR_RDYN, IR_NAN_ARM, IR_FP_TINY_BEFORE, 0), vector_of(m, type),
		     vector_of(m, type), 0);
		return;
	}
	x = any(m, lane);
	x = make(m, (enum ir_op)scalar[which], lane, arm_aux(0), x, any(m, lane), 0);
	make(m, IR_VSCALAR, IR_V128, lane, x, 0, 0);
}

static void
make_lane_fp(struct maker *m)
{
	static const uint8_t two[] = { IR_VFADD, IR_VFSUB, IR_VFMUL, IR_VFDIV, IR_VFMIN, IR_VFMAX };
	enum ir_type type = vector_type(), lane = percent(50) || type == IR_V64 ? IR_F32 : IR_F64;
	unsigned bits = IR_FP_TINY_BEFORE;
	ir_ref x = vector_of(m, type), y = percent(8) ? x : vector_of(m, type);
	enum ir_op op;

	switch (below(12)) {
	case 0: make(m, IR_VFSQRT, type, IR_VFP(lane, IR_RDYN, IR_NAN_ARM, bits, 0), x, 0, 0); break;
	case 1: make(m, IR_VFMA, type, IR_VFP(lane, IR_RDYN, IR_NAN_ARM, bits, below(4)), x, y, vector_of(m, type)); break;
	case 2:
		make(m, IR_VFCMP, type, IR_VFP(lane, IR_RDYN, IR_NAN_ARM, bits, below(4) | below(2) << 3), x, y, 0);
		break;
	case 3: make(m, IR_VFRINT, type, IR_VFP(lane, below(5), IR_NAN_ARM, bits, below(2)), x, 0, 0); break;
	case 4:
		keep(m, ir_emit(&m->b, IR_VF2I, type, IR_VFP(lane, percent(60) ? IR_RTZ : below(5), IR_NAN_ARM, bits, IR_F2I_ARM | below(2) << 2),
				x, 0, percent(50) ? 0 : below(lane == IR_F32 ? 33 : 65)));
		break;
	case 5: keep(m, ir_emit(&m->b, IR_VI2F, type, IR_VFP(lane, IR_RDYN, IR_NAN_ARM, bits, below(2)), x, 0, percent(50) ? 0 : below(33))); break;
	case 6: make(m, IR_VFWIDEN, IR_V128, IR_VFP(IR_F32, IR_RDYN, IR_NAN_ARM, bits, 0), vector_of(m, IR_V64), 0, 0); break;
	case 7: make(m, IR_VFNARROW, IR_V64, IR_VFP(IR_F64, IR_RDYN, IR_NAN_ARM, bits, 0), vector_of(m, IR_V128), 0, 0); break;
	default:
		op = (enum ir_op)two[below(percent(80) ? 4 : 6)];
		make(m, op, type, IR_VFP(lane, IR_RDYN, IR_NAN_ARM, bits, op == IR_VFMIN || op == IR_VFMAX ? below(2) : 0), x, y, 0);
	}
}

/* ---- cryptography ------------------------------------------------------- */

static void
make_crypto(struct maker *m)
{
	static const uint8_t schedule[] = { IR_VSHA1SU1, IR_VSHA256SU0, IR_VSHA256SU1 };
	ir_ref x = vector_of(m, IR_V128), y = vector_of(m, IR_V128), z = vector_of(m, IR_V128);
	enum ir_op op;
	bool encrypts = percent(50);

	switch (below(5)) {
	case 0:
	case 1: /* a round, its halves apart or together */
		if (percent(80))
			x = make(m, encrypts ? IR_VAESE : IR_VAESD, IR_V128, 0, x, y, 0);
		if (percent(80))
			make(m, encrypts ? IR_VAESMC : IR_VAESIMC, IR_V128, 0, x, 0, 0);
		break;
	case 2: make(m, IR_VSHA1, IR_V128, below(3), x, y, z); break;
	case 3:
		op = percent(50) ? IR_VSHA256H : IR_VSHA256H2;
		for (unsigned i = below(3); i < 3; i++) { /* the next rounds take both results */
			ir_ref u = make(m, op, IR_V128, 0, x, y, z), v = y;

			if (percent(80))
				v = make(m, op == IR_VSHA256H ? IR_VSHA256H2 : IR_VSHA256H, IR_V128, 0, y, x, z);
			x = u;
			y = v;
		}
		break;
	default:
		op = (enum ir_op)schedule[below(ARRAY_LEN(schedule))];
		make(m, op, IR_V128, 0, x, y, op == IR_VSHA256SU1 ? z : 0);
	}
}

static void
make_vector(struct maker *m)
{
	switch (below(11)) {
	case 9: make_half(m); break;
	case 10: make_step(m); break;
	case 8: make_crypto(m); break;
	case 0:
	case 1: make_lanes(m); break;
	case 2: make_lane_unary(m); break;
	case 3: make_lane_width(m); break;
	case 4: make_lane_move(m); break;
	case 5: make_arm_fp(m); break;
	case 6: make_lane_fp(m); break;
	default: make_lane_move(m);
	}
}

#endif

/* RV64 lifters of floating-point arithmetic, comparison and signs, against the
 * host's arithmetic (SSE, FMA3) and against rules written from the manual where
 * the host has no such operation; and regions against single instructions. */
#include "unit/riscv64_float.h"

/* ---- arithmetic --------------------------------------------------------- */

/* op of the host: + - * / and s for the square root of a. Types by volatile
 * objects, so that nothing is computed before or after its time. */
static uint64_t
host_compute(char op, bool wide, uint64_t a, uint64_t b)
{
	volatile float s = f32(a), t = f32(b);
	volatile double x = f64(a), y = f64(b);

	if (wide)
		x = op == '+' ? x + y : op == '-' ? x - y : op == '*' ? x * y : op == '/' ? x / y : sqrt(x);
	else
		s = op == '+' ? s + t : op == '-' ? s - t : op == '*' ? s * t : op == '/' ? s / t : sqrtf(s);
	return wide ? bits64(x) : bits32(s);
}

static void
test_arithmetic(void)
{
	static const struct {
		enum riscv64_op op;
		char sign;
		bool wide;
	} tests[] = {
		{ RV_FADD_S, '+', false }, { RV_FSUB_S, '-', false }, { RV_FMUL_S, '*', false },
		{ RV_FDIV_S, '/', false }, { RV_FSQRT_S, 's', false }, { RV_FADD_D, '+', true },
		{ RV_FSUB_D, '-', true },  { RV_FMUL_D, '*', true },  { RV_FDIV_D, '/', true },
		{ RV_FSQRT_D, 's', true },
	};

	for (unsigned n = 0; n < 10000; n++) {
		unsigned t = n % ARRAY_LEN(tests), rm;
		bool wide = tests[t].wide;
		struct riscv64_insn insn = { .op = tests[t].op, .rd = FD, .rs1 = FA,
					     .rs2 = tests[t].sign == 's' ? 0 : FB };
		uint64_t a, b, want;

		rv_begin();
		a = put_float(FA, wide);
		b = put_float(FB, wide);
		rm = choose_rounding(&insn);
		host_begin(rm);
		want = host_compute(tests[t].sign, wide, a, b);
		check_f(insn, wide, want, host_end());
	}
}

/* Signs are flipped on bits: the host would raise flags for them on x87. */
static uint64_t
flipped(uint64_t x, bool flip, bool wide)
{
	return x ^ (uint64_t)flip << (wide ? 63 : 31);
}

static bool
is_infinity_by_zero(uint64_t a, uint64_t b, bool wide)
{
	uint64_t infinity = wide ? 0x7ff0000000000000 : 0x7f800000, sign = wide ? 1ull << 63 : 1ull << 31;

	return ((a & ~sign) == infinity && !(b & ~sign)) || ((b & ~sign) == infinity && !(a & ~sign));
}

static void
check_fma(const struct riscv64_insn *model, bool negate_product, bool negate_addend, bool wide)
{
	struct riscv64_insn insn = *model;
	uint64_t a, b, c, want;
	unsigned rm, flags;

	rv_begin();
	a = put_float(FA, wide);
	b = put_float(FB, wide);
	c = put_float(FC, wide);
	rm = choose_rounding(&insn);
	host_begin(rm);
	if (wide) {
		volatile double x = f64(flipped(a, negate_product, wide)), y = f64(b);
		volatile double z = f64(flipped(c, negate_addend, wide));

		x = fma(x, y, z);
		want = bits64(x);
	} else {
		volatile float x = f32(flipped(a, negate_product, wide)), y = f32(b);
		volatile float z = f32(flipped(c, negate_addend, wide));

		x = fmaf(x, y, z);
		want = bits32(x);
	}
	flags = host_end();
	if (is_infinity_by_zero(a, b, wide))
		flags |= NV;
	check_f(insn, wide, want, flags);
}

static void
test_fma(void)
{
	static const enum riscv64_op ops[8] = { RV_FMADD_S,  RV_FMSUB_S, RV_FNMSUB_S, RV_FNMADD_S,
						RV_FMADD_D,  RV_FMSUB_D, RV_FNMSUB_D, RV_FNMADD_D };

	if (!__builtin_cpu_supports("fma")) {
		printf("no FMA3 here: fused operations are not compared\n");
		return;
	}
	for (unsigned n = 0; n < 16000; n++) {
		struct riscv64_insn insn = { .op = ops[n % 8], .rd = FD, .rs1 = FA, .rs2 = FB, .rs3 = FC };

		/* fnmsub is -(a × b) + c, fnmadd -(a × b) - c. */
		check_fma(&insn, n & 2, n % 4 == 1 || n % 4 == 3, n & 4);
	}
}

/* Ties go away from zero; nothing of the host's does that. */
static void
test_max_magnitude(void)
{
	static const struct {
		float a, b, sum;
	} sums[] = { { 1, 0x1p-24f, 0x1.000002p0f }, { -1, -0x1p-24f, -0x1.000002p0f }, { 1, 0x1p-25f, 1 },
		     { 0x1.000002p0f, 0x1p-24f, 0x1.000004p0f } };

	for (unsigned i = 0; i < 2 * ARRAY_LEN(sums); i++) {
		rv_begin();
		rv_state()->f[FA] = BOX32 | bits32(sums[i / 2].a);
		rv_state()->f[FB] = BOX32 | bits32(sums[i / 2].b);
		rv.frame.fp_round = i & 1 ? IR_RMM : IR_RDN;
		check_f((struct riscv64_insn){ .op = RV_FADD_S, .rd = FD, .rs1 = FA, .rs2 = FB,
					       .rm = i & 1 ? RV_DYN : RV_RMM },
			false, bits32(sums[i / 2].sum), NX);
	}
	/* A reserved mode makes what uses it illegal, also what is exact. */
	for (unsigned frm = 5; frm < 8; frm++)
		for (unsigned i = 0; i < 4; i++) {
			static const enum riscv64_op ops[] = { RV_FADD_S, RV_FSQRT_D, RV_FCVT_D_W, RV_FMADD_D };

			rv_begin();
			rv.frame.fp_round = frm;
			rv_insn((struct riscv64_insn){ .op = ops[i], .rd = FD, .rm = RV_DYN });
			rv_run();
			CHECK_INT(rv.eval.trap, IR_TRAP_ILLEGAL);
			rv_begin();
			rv.frame.fp_round = frm;
			rv_insn((struct riscv64_insn){ .op = ops[i], .rd = FD, .rm = RV_RTZ });
			RV(FSGNJ_S, .rd = FD);
			rv_run();
			RV_CHECK_JUMP(8);
		}
}

/* ---- comparisons, class, signs ------------------------------------------ */

/* -1, 0, 1 as a is less than, the same as, greater than b; -0 is less than +0 if
 * `signs`. No NaNs. */
static int
order(uint64_t a, uint64_t b, bool wide, bool signs)
{
	long double x = exact(a, wide), y = exact(b, wide);

	if (x != y)
		return x < y ? -1 : 1;
	return signs ? !signbit(x) - !signbit(y) : 0;
}

static void
check_minmax(enum riscv64_op op, bool wide, bool max, bool propagate)
{
	uint64_t a, b, want;
	bool nan_a, nan_b;

	rv_begin();
	a = put_float(FA, wide);
	b = put_float(FB, wide);
	nan_a = is_nan(a, wide);
	nan_b = is_nan(b, wide);
	if ((nan_a && nan_b) || ((nan_a || nan_b) && propagate))
		want = wide ? NAN64 : NAN32;
	else if (nan_a || nan_b)
		want = nan_a ? b : a;
	else
		want = (order(a, b, wide, true) < 0) == max ? b : a;
	check_f((struct riscv64_insn){ .op = op, .rd = FD, .rs1 = FA, .rs2 = FB }, wide, want,
		is_signaling(a, wide) || is_signaling(b, wide) ? NV : 0);
}

/* relation: one of = < and [ for <=. */
static void
check_compare(enum riscv64_op op, bool wide, char relation, bool quiet)
{
	uint64_t a, b;
	bool nan, want;

	rv_begin();
	a = put_float(FA, wide);
	b = put_float(FB, wide);
	if (rv_random() % 4 == 0) {
		rv_state()->f[FB] = rv_state()->f[FA];
		b = a;
	}
	nan = is_nan(a, wide) || is_nan(b, wide);
	want = !nan && (relation == '=' ? order(a, b, wide, false) == 0
			: relation == '<' ? order(a, b, wide, false) < 0 : order(a, b, wide, false) <= 0);
	check_x((struct riscv64_insn){ .op = op, .rd = XD, .rs1 = FA, .rs2 = FB }, want,
		is_signaling(a, wide) || is_signaling(b, wide) || (nan && !quiet) ? NV : 0);
}

static void
check_sign(enum riscv64_op op, bool wide, unsigned how)
{
	uint64_t a, b, sign = wide ? 1ull << 63 : 1ull << 31, from;
	unsigned rs2 = rv_random() & 1 ? FA : FB;

	rv_begin();
	a = put_float(FA, wide);
	b = put_float(FB, wide);
	if (rs2 == FA)
		b = a;
	from = how == 0 ? b : how == 1 ? ~b : a ^ b;
	check_f((struct riscv64_insn){ .op = op, .rd = FD, .rs1 = FA, .rs2 = rs2 }, wide,
		(a & ~sign) | (from & sign), 0);
}

static void
check_class(enum riscv64_op op, bool wide)
{
	uint64_t a, magnitude;
	bool minus;
	unsigned bit;

	rv_begin();
	a = put_float(FA, wide);
	minus = a >> (wide ? 63 : 31) & 1;
	magnitude = a & (wide ? INT64_MAX : 0x7fffffff);
	if (is_nan(a, wide))
		bit = is_signaling(a, wide) ? 8 : 9;
	else if (magnitude == (wide ? 0x7ff0000000000000 : 0x7f800000))
		bit = minus ? 0 : 7;
	else if (!magnitude)
		bit = minus ? 3 : 4;
	else if (magnitude < (wide ? 1ull << 52 : 1ull << 23))
		bit = minus ? 2 : 5;
	else
		bit = minus ? 1 : 6;
	check_x((struct riscv64_insn){ .op = op, .rd = XD, .rs1 = FA }, 1u << bit, 0);
}

static void
test_relations(void)
{
	for (unsigned n = 0; n < 500; n++) {
		check_minmax(RV_FMIN_S, false, false, false);
		check_minmax(RV_FMAX_S, false, true, false);
		check_minmax(RV_FMIN_D, true, false, false);
		check_minmax(RV_FMAX_D, true, true, false);
		check_minmax(RV_FMINM_S, false, false, true);
		check_minmax(RV_FMAXM_S, false, true, true);
		check_minmax(RV_FMINM_D, true, false, true);
		check_minmax(RV_FMAXM_D, true, true, true);
		check_compare(RV_FEQ_S, false, '=', true);
		check_compare(RV_FLT_S, false, '<', false);
		check_compare(RV_FLE_S, false, '[', false);
		check_compare(RV_FLTQ_S, false, '<', true);
		check_compare(RV_FLEQ_S, false, '[', true);
		check_compare(RV_FEQ_D, true, '=', true);
		check_compare(RV_FLT_D, true, '<', false);
		check_compare(RV_FLE_D, true, '[', false);
		check_compare(RV_FLTQ_D, true, '<', true);
		check_compare(RV_FLEQ_D, true, '[', true);
		check_sign(RV_FSGNJ_S, false, 0);
		check_sign(RV_FSGNJN_S, false, 1);
		check_sign(RV_FSGNJX_S, false, 2);
		check_sign(RV_FSGNJ_D, true, 0);
		check_sign(RV_FSGNJN_D, true, 1);
		check_sign(RV_FSGNJX_D, true, 2);
		check_class(RV_FCLASS_S, false);
		check_class(RV_FCLASS_D, true);
	}
}

/* ---- sequences ---------------------------------------------------------- */

/* What a region remembers of registers must not change what it computes:
 * instructions in one region against the same ones in a region each. */
static void
test_sequences(void)
{
	static const enum riscv64_op ops[] = { RV_FADD_S, RV_FMUL_S, RV_FSGNJ_S, RV_FSGNJX_S, RV_FMIN_S,
					       RV_FMV_W_X, RV_FMV_X_W, RV_FCVT_D_S, RV_FCVT_S_D, RV_FADD_D,
					       RV_FSGNJ_D, RV_FCVT_S_H, RV_FCVT_H_S, RV_FLW, RV_FEQ_S };
	uint8_t code[64];
	struct riscv64_state whole;

	for (unsigned n = 0; n < 2000; n++) {
		struct riscv64_state start;
		uint32_t flags;

		rv_begin();
		for (unsigned i = 0; i < 4; i++)
			put_float(i, false);
		rv_state()->x[8] = MEMORY_BASE;
		for (unsigned i = 0; i < 16; i++) {
			uint64_t r = rv_random();
			enum riscv64_op op = ops[r % ARRAY_LEN(ops)];
			bool two = riscv64_form_info(op).format == RV_FORMAT_R ||
				   riscv64_form_info(op).format == RV_FORMAT_RM;

			rv_insn((struct riscv64_insn){ .op = op, .rd = r >> 8 & 3,
						       .rs1 = op == RV_FLW ? 8 : r >> 16 & 3,
						       .rs2 = two ? r >> 24 & 3 : 0 });
		}
		start = *rv_state();
		memcpy(code, rv.code, sizeof code);
		rv_run();
		RV_CHECK_JUMP(64);
		whole = *rv_state();
		flags = rv.frame.fp_flags;
		*rv_state() = start;
		rv.frame.fp_flags = 0;
		for (unsigned i = 0; i < 16; i++) {
			memcpy(rv.code, code + 4 * i, 4);
			rv.size = 4;
			rv_run();
		}
		CHECK(!memcmp(&whole, rv_state(), sizeof whole));
		CHECK_INT(flags, rv.frame.fp_flags);
	}
}

int
main(void)
{
	test_arithmetic();
	test_fma();
	test_max_magnitude();
	test_relations();
	test_sequences();
	return check_done();
}

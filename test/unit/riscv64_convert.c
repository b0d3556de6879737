/* RV64 lifters of conversions, rounding to integers, moves and constants, half
 * precision with them, against the host's arithmetic and against rules written
 * from the manual. */
#include "unit/riscv64_float.h"

/* ---- conversions -------------------------------------------------------- */

/* x to an integral value by rm, RMM too. */
static long double
integral(long double x, unsigned rm)
{
	volatile long double result = x;

	if (rm == RV_RMM)
		return roundl(x);
	fesetround(host_rounding[rm]);
	result = rintl(result);
	fesetround(FE_TONEAREST);
	return result;
}

static void
check_to_int(enum riscv64_op op, bool wide, unsigned bits, bool is_signed)
{
	struct riscv64_insn insn = { .op = op, .rd = XD, .rs1 = FA };
	long double top = ldexpl(1, (int)bits - is_signed), bottom = is_signed ? -top : 0, x, r;
	uint64_t a, want, most = is_signed ? (1ull << (bits - 1)) - 1 : UINT64_MAX >> (64 - bits);
	unsigned rm, flags = 0;

	rv_begin();
	a = put_float(FA, wide);
	rm = choose_rounding(&insn);
	if (rv_random() % 4 == 0)
		insn.rm = rm = RV_RMM;
	x = is_nan(a, wide) ? 0 : exact(a, wide);
	r = integral(x, rm);
	if (is_nan(a, wide) || r >= top) {
		want = most;
		flags = NV;
	} else if (r < bottom) {
		want = is_signed ? ~most : 0;
		flags = NV;
	} else {
		want = r < 0 ? (uint64_t)(int64_t)r : (uint64_t)r;
		flags = r != x ? NX : 0;
	}
	check_x(insn, bits == 32 ? (uint64_t)(int64_t)(int32_t)want : want, flags);
}

static void
check_from_int(enum riscv64_op op, bool wide, unsigned bits, bool is_signed)
{
	struct riscv64_insn insn = { .op = op, .rd = FD, .rs1 = XA };
	volatile long double x;
	uint64_t a, want;

	rv_begin();
	a = rv_state()->x[XA];
	if (is_signed)
		x = (int64_t)(a << (64 - bits)) >> (64 - bits);
	else
		x = a & UINT64_MAX >> (64 - bits);
	host_begin(choose_rounding(&insn));
	if (wide) {
		volatile double d = (double)x;

		want = bits64(d);
	} else {
		volatile float f = (float)x;

		want = bits32(f);
	}
	check_f(insn, wide, want, host_end());
}

static void
check_round(enum riscv64_op op, bool wide, bool raises)
{
	struct riscv64_insn insn = { .op = op, .rd = FD, .rs1 = FA };
	uint64_t a, want;
	unsigned rm, flags = 0;
	long double r;

	rv_begin();
	a = put_float(FA, wide);
	rm = choose_rounding(&insn);
	if (rv_random() % 4 == 0)
		insn.rm = rm = RV_RMM;
	if (is_nan(a, wide)) {
		want = wide ? NAN64 : NAN32;
		flags = is_signaling(a, wide) ? NV : 0;
	} else {
		r = integral(exact(a, wide), rm);
		want = wide ? bits64((double)r) : bits32((float)r);
		if (raises && r != exact(a, wide))
			flags = NX;
	}
	check_f(insn, wide, want, flags);
}

static void
check_modular(void)
{
	uint64_t a, want;
	unsigned flags;

	rv_begin();
	a = put_float(FA, true);
	if (is_nan(a, true) || isinf(f64(a))) {
		want = 0;
		flags = NV;
	} else {
		double t = trunc(f64(a)), low = fmod(t, 0x1p32);

		want = (uint64_t)(int64_t)(int32_t)(uint32_t)(int64_t)low;
		flags = t < -0x1p31 || t >= 0x1p31 ? NV : t != f64(a) ? NX : 0;
	}
	check_x((struct riscv64_insn){ .op = RV_FCVTMOD_W_D, .rd = XD, .rs1 = FA, .rm = 0 }, want, flags);
}

static void
check_formats(void)
{
	struct riscv64_insn narrow = { .op = RV_FCVT_S_D, .rd = FD, .rs1 = FA };
	volatile double d;
	volatile float f;

	rv_begin();
	d = f64(put_float(FA, true));
	host_begin(choose_rounding(&narrow));
	f = (float)d;
	check_f(narrow, false, bits32(f), host_end());

	rv_begin();
	f = f32(put_float(FA, false));
	host_begin(0);
	d = (double)f;
	check_f((struct riscv64_insn){ .op = RV_FCVT_D_S, .rd = FD, .rs1 = FA, .rm = 0 }, true, bits64(d),
		host_end());
}

static void
test_conversions(void)
{
	for (unsigned n = 0; n < 1000; n++) {
		check_to_int(RV_FCVT_W_S, false, 32, true);
		check_to_int(RV_FCVT_WU_S, false, 32, false);
		check_to_int(RV_FCVT_L_S, false, 64, true);
		check_to_int(RV_FCVT_LU_S, false, 64, false);
		check_to_int(RV_FCVT_W_D, true, 32, true);
		check_to_int(RV_FCVT_WU_D, true, 32, false);
		check_to_int(RV_FCVT_L_D, true, 64, true);
		check_to_int(RV_FCVT_LU_D, true, 64, false);
		check_from_int(RV_FCVT_S_W, false, 32, true);
		check_from_int(RV_FCVT_S_WU, false, 32, false);
		check_from_int(RV_FCVT_S_L, false, 64, true);
		check_from_int(RV_FCVT_S_LU, false, 64, false);
		check_from_int(RV_FCVT_D_W, true, 32, true);
		check_from_int(RV_FCVT_D_WU, true, 32, false);
		check_from_int(RV_FCVT_D_L, true, 64, true);
		check_from_int(RV_FCVT_D_LU, true, 64, false);
		check_round(RV_FROUND_S, false, false);
		check_round(RV_FROUNDNX_S, false, true);
		check_round(RV_FROUND_D, true, false);
		check_round(RV_FROUNDNX_D, true, true);
		check_modular();
		check_formats();
	}
}

/* ---- half precision ----------------------------------------------------- */

static bool
half_is_nan(unsigned h)
{
	return (h & 0x7fff) > 0x7c00;
}

static double
half_value(unsigned h)
{
	unsigned exponent = h >> 10 & 31, fraction = h & 0x3ff;
	double magnitude = exponent == 31 ? INFINITY
			   : exponent ? ldexp(1024 + fraction, (int)exponent - 25) : ldexp(fraction, -24);

	return h & 0x8000 ? -magnitude : magnitude;
}

/* x, no NaN, to half precision by rm: round at the place that the format has,
 * then see what came out. */
static unsigned
half_of(double x, unsigned rm, unsigned *flags)
{
	unsigned sign = signbit(x) ? 0x8000 : 0;
	int exponent, place;
	double r, free_r, magnitude;

	*flags = 0;
	if (x == 0 || isinf(x))
		return sign | (x == 0 ? 0 : 0x7c00);
	exponent = ilogb(x);
	place = exponent - 10 < -24 ? -24 : exponent - 10;
	r = (double)integral(ldexpl((long double)x, -place), rm);
	r = ldexp(r, place);
	free_r = (double)integral(ldexpl((long double)x, 10 - exponent), rm);
	free_r = ldexp(free_r, exponent - 10);
	if (fabs(r) >= 0x1p16) {
		bool away = rm == RV_RNE || (rm == RV_RUP && x > 0) || (rm == RV_RDN && x < 0);

		*flags = OF | NX;
		return sign | (away ? 0x7c00 : 0x7bff);
	}
	if (r != x)
		*flags = NX | (fabs(free_r) < 0x1p-14 ? UF : 0);
	magnitude = fabs(r);
	if (magnitude < 0x1p-14)
		return sign | (unsigned)ldexp(magnitude, 24);
	exponent = ilogb(magnitude);
	return sign | (unsigned)((exponent + 15) << 10) | ((unsigned)ldexp(magnitude, 10 - exponent) & 0x3ff);
}

static void
check_from_half(unsigned h, bool wide)
{
	bool nan = half_is_nan(h), boxed = rv_random() % 8;
	uint64_t want = wide ? bits64(half_value(h)) : bits32((float)half_value(h));

	rv_begin();
	rv_state()->f[FA] = BOX16 | h;
	if (!boxed)
		rv_state()->f[FA] ^= 1ull << (16 + rv_random() % 48);
	if (nan || !boxed)
		want = wide ? NAN64 : NAN32;
	check_f((struct riscv64_insn){ .op = wide ? RV_FCVT_D_H : RV_FCVT_S_H, .rd = FD, .rs1 = FA }, wide,
		want, nan && boxed && !(h & 0x200) ? NV : 0);
}

static void
check_to_half(bool wide)
{
	struct riscv64_insn insn = { .op = wide ? RV_FCVT_H_D : RV_FCVT_H_S, .rd = FD, .rs1 = FA };
	uint64_t a, r = rv_random();
	unsigned rm, flags, want;

	rv_begin();
	a = put_float(FA, wide);
	if (r & 1) { /* within the format's range, or nearly */
		a = wide ? (r >> 1 & 1) << 63 | (1023 - 27 + (r >> 8) % 45) << 52 | rv_random() >> 12
			 : (r >> 1 & 1) << 31 | (127 - 27 + (r >> 8) % 45) << 23 | rv_random() >> 41;
		rv_state()->f[FA] = wide ? a : BOX32 | a;
	}
	rm = choose_rounding(&insn);
	if (is_nan(a, wide)) {
		want = 0x7e00;
		flags = is_signaling(a, wide) ? NV : 0;
	} else {
		want = half_of((double)exact(a, wide), rm, &flags);
	}
	check_f(insn, true, BOX16 | want, flags);
}

static void
test_half(void)
{
	for (unsigned h = 0; h < 65536; h += 7) {
		check_from_half(h, false);
		check_from_half(h, true);
	}
	for (unsigned n = 0; n < 4000; n++)
		check_to_half(n & 1);
}

/* ---- moves, constants --------------------------------------------------- */

static void
test_moves(void)
{
	for (unsigned n = 0; n < 300; n++) {
		uint64_t x, f;

		rv_begin();
		x = rv_state()->x[XA];
		f = rv_state()->f[FA];
		RV(FMV_X_W, .rd = 10, .rs1 = FA);
		RV(FMV_X_D, .rd = 11, .rs1 = FA);
		RV(FMV_X_H, .rd = 12, .rs1 = FA);
		RV(FMV_W_X, .rd = 10, .rs1 = XA);
		RV(FMV_D_X, .rd = 11, .rs1 = XA);
		RV(FMV_H_X, .rd = 12, .rs1 = XA);
		RV(FMV_W_X, .rd = 13);
		RV(FMV_D_X, .rd = 14);
		rv_run();
		CHECK_INT(rv_state()->x[10], (int32_t)f);
		CHECK_INT(rv_state()->x[11], f);
		CHECK_INT(rv_state()->x[12], (int16_t)f);
		CHECK_INT(rv_state()->f[10], BOX32 | (uint32_t)x);
		CHECK_INT(rv_state()->f[11], x);
		CHECK_INT(rv_state()->f[12], BOX16 | (uint16_t)x);
		CHECK_INT(rv_state()->f[13], BOX32);
		CHECK_INT(rv_state()->f[14], 0);
		CHECK_INT(rv.frame.fp_flags, 0);
	}
}

static void
test_constants(void)
{
	static const double constants[32] = {
		-1, 0, 0x1p-16, 0x1p-15, 0x1p-8, 0x1p-7, 0.0625, 0.125, 0.25, 0.3125, 0.375, 0.4375, 0.5, 0.625,
		0.75, 0.875, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 8, 16, 128, 256, 32768, 65536, INFINITY, NAN,
	};

	for (unsigned i = 0; i < 32; i++) {
		rv_begin();
		check_f((struct riscv64_insn){ .op = RV_FLI_S, .rd = FD, .imm = i }, false,
			i == 1 ? 0x00800000 : bits32((float)constants[i]), 0);
		rv_begin();
		check_f((struct riscv64_insn){ .op = RV_FLI_D, .rd = FD, .imm = i }, true,
			i == 1 ? 0x0010000000000000 : bits64(constants[i]), 0);
	}
}

int
main(void)
{
	test_conversions();
	test_half();
	test_moves();
	test_constants();
	return check_done();
}

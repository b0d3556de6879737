/* Floating-point and vector code from the x86-64 assembler, run on this machine
 * without and with AVX and compared with C. */
#include "x86_run.h"

#include <math.h>

static double
as_double(uint64_t v)
{
	double d;

	memcpy(&d, &v, 8);
	return d;
}

static uint64_t
double_bits(double d)
{
	uint64_t v;

	memcpy(&v, &d, 8);
	return v;
}

static uint32_t
float_bits(float f)
{
	uint32_t v;

	memcpy(&v, &f, 4);
	return v;
}

/* Some number; no NaN, whose payload C does not promise. */
static double
some_double(void)
{
	static const double edges[] = { 0, -0.0, 1, -1.5, 0x1p-1074, 0x1p1023, 1e300, HUGE_VAL };

	return random64() & 1 ? edges[random64() % ARRAY_LEN(edges)]
			      : (double)(int64_t)random64() * 0x1p-40;
}

static double
want_double(int op, double x, double y)
{
	switch (op) {
	case 0x58:
		return x + y;
	case 0x59:
		return x * y;
	case 0x5c:
		return x - y;
	case 0x5d:
		return x < y ? x : y;
	case 0x5e:
		return x / y;
	}
	return x > y ? x : y;
}

static void
test_arithmetic(void)
{
	static const unsigned ops[] = { 0x58, 0x59, 0x5c, 0x5d, 0x5e, 0x5f };

	for (int i = 0; i < 2000; i++) {
		volatile double x = some_double(), y = some_double();
		volatile float xf = (float)x, yf = (float)y;
		unsigned op = ops[random64() % ARRAY_LEN(ops)];
		int d = (int)(random64() & 7), s1 = (int)(random64() & 7), s2 = (int)(random64() & 15);
		double want, single;

		if (s1 == s2)
			continue;
		io.in[0] = double_bits(x);
		io.in[1] = double_bits(y);
		begin();
		x86_movsd_load(a, s1, IO(in[0]));
		x86_movsd_load(a, s2, IO(in[1]));
		x86_vop3(a, X86_OP(F2, 0F, op) | X86_EW, 0, d, s1, s2);
		x86_movsd_store(a, IO(out[0]), d);
		run();
		want = want_double((int)op, x, y);
		CHECK_INT(isnan(as_double(io.out[0])), isnan(want));
		if (!isnan(want))
			CHECK_INT(io.out[0], double_bits(want));
		io.in[0] = float_bits(xf);
		io.in[1] = float_bits(yf);
		io.out[0] = 0;
		begin();
		x86_movss_load(a, s1, IO(in[0]));
		x86_vop3_m(a, X86_OP(F3, 0F, op), 0, d, s1, IO(in[1]));
		x86_movs_store(a, 4, IO(out[0]), d);
		run();
		/* one operation in double, rounded to float, is the float one */
		single = want_double((int)op, (double)xf, (double)yf);
		if (!isnan(single))
			CHECK_INT(io.out[0], float_bits((float)single));
	}
}

static void
test_conversions(void)
{
	for (int i = 0; i < 500; i++) {
		int64_t n = (int64_t)interesting();
		volatile double x = (double)(int64_t)(random64() >> (random64() & 63)) / 16;
		int d = i & 15;

		if (d == a->scratch)
			continue;
		io.in[0] = (uint64_t)n;
		io.in[1] = double_bits(x);
		begin();
		x86_mov_rm(a, 8, R9, IO(in[0]));
		x86_cvtsi2s(a, 8, i & 16 ? 8 : 4, d, R9);
		x86_movd_rx(a, 8, RAX, d);
		x86_mov_mr(a, 8, IO(out[0]), RAX);
		x86_cvtsi2s(a, 4, i & 16 ? 8 : 4, d, R9);
		x86_cvtss2sd(a, d, d);
		x86_movq_store(a, IO(out[1]), d);
		x86_movq_load(a, d, IO(in[1]));
		x86_cvtts2si(a, 8, 8, R8, d);
		x86_mov_mr(a, 8, IO(in[2]), R8);
		x86_roundsd(a, d, d, X86_RUP);
		x86_movsd_store(a, IO(in[3]), d);
		run();
		CHECK_INT(io.out[0], double_bits(i & 16 ? (double)n : (double)(int32_t)n));
		CHECK_INT(io.out[1], double_bits((double)(i & 16 ? (float)n : (float)(int32_t)n)));
		CHECK_INT(io.in[2], fabs(x) < 0x1p63 ? (int64_t)x : INT64_MIN);
		CHECK_INT(io.in[3], double_bits(ceil(x)));
	}
}

static void
test_float_compare(void)
{
	for (int i = 0; i < 300; i++) {
		double x = i % 7 ? some_double() : NAN, y = i % 5 ? some_double() : x;
		int flags = x != x || y != y ? ZF | PF | CF : x == y ? ZF : x < y ? CF : 0;

		io.in[0] = double_bits(x);
		io.in[1] = double_bits(y);
		begin();
		x86_movsd_load(a, 9, IO(in[0]));
		x86_movsd_load(a, 2, IO(in[1]));
		x86_ucomis(a, 8, 9, 2);
		store_flags();
		x86_cmps(a, 8, 2, 9, 2, X86_CMP_LE);
		x86_movq_store(a, IO(out[0]), 2);
		x86_sqrtsd(a, 3, 9);
		x86_movq_store(a, IO(out[1]), 3);
		run();
		CHECK_INT(io.flags & (CF | PF | ZF), flags);
		CHECK_INT(io.out[0], x <= y ? UINT64_MAX : 0);
		if (x >= 0)
			CHECK_INT(io.out[1], double_bits(sqrt(x)));
	}
}

/* The inexact flag and the rounding mode by MXCSR. */
static void
test_mxcsr(void)
{
	io.mxcsr[0] = 0x1f80 | X86_RUP << 13;
	io.in[0] = double_bits(1);
	io.in[1] = double_bits(3);
	begin();
	x86_stmxcsr(a, IO(memory));
	x86_ldmxcsr(a, IO(mxcsr[0]));
	x86_movsd_load(a, 1, IO(in[0]));
	x86_divsd_m(a, 1, 1, IO(in[1]));
	x86_movsd_store(a, IO(out[0]), 1);
	x86_stmxcsr(a, IO(mxcsr[1]));
	x86_ldmxcsr(a, IO(memory));
	run();
	CHECK_INT(io.out[0], 0x3fd5555555555556);
	CHECK_INT(io.mxcsr[1], 0x1fa0 | X86_RUP << 13);
}

static void
test_lanes(void)
{
	uint32_t lanes[4];

	io.in[0] = 0x1111111122222222;
	io.in[1] = 0x3333333344444444;
	begin();
	x86_movups_load(a, 1, IO(in[0]));
	x86_vop3(a, X86_PADDD, 0, 2, 1, 1);
	x86_pshufd(a, 3, 2, 0x1b);
	x86_mov_ri(a, RDX, 9);
	x86_pinsr(a, 4, 4, 3, RDX, 2);
	x86_movaps_store(a, IO(memory), 4);
	x86_pextr(a, 8, RAX, 2, 1);
	x86_mov_mr(a, 8, IO(out[0]), RAX);
	x86_vshift_i(a, 8, 2, 0, 5, 1, 4);
	x86_movq_store(a, IO(out[1]), 5);
	run();
	memcpy(lanes, io.memory, 16);
	CHECK_INT(lanes[0], 0x66666666);
	CHECK_INT(lanes[1], 0x88888888);
	CHECK_INT(lanes[2], 9);
	CHECK_INT(lanes[3], 0x44444444);
	CHECK_INT(io.out[0], 0x6666666688888888);
	CHECK_INT(io.out[1], 0x0111111112222222);
}

static void
test_fma(void)
{
	for (int i = 0; i < 300; i++) {
		double x = some_double(), y = some_double(), z = some_double();
		double want = i & 1 ? fma(x, y, z) : fma(-x, y, -z);

		io.in[0] = double_bits(x);
		io.in[1] = double_bits(y);
		io.in[2] = double_bits(z);
		begin();
		x86_movsd_load(a, 1, IO(in[0]));
		x86_movsd_load(a, 12, IO(in[2]));
		x86_fmas_m(a, i & 1 ? X86_FMADD : X86_FNMSUB, X86_231, 8, 12, 1, IO(in[1]));
		x86_movsd_store(a, IO(out[0]), 12);
		run();
		if (!isnan(want))
			CHECK_INT(io.out[0], double_bits(want));
	}
}

static void
test_avx512(void)
{
	for (int i = 0; i < 300; i++) {
		uint64_t n = interesting();
		volatile double x = (double)(random64() >> (random64() & 63)) / 8;

		io.in[0] = n;
		io.in[1] = double_bits(x);
		begin();
		x86_mov_rm(a, 8, R9, IO(in[0]));
		x86_vcvtusi2s(a, 8, 8, 0, 17, R9);
		x86_movsd_store(a, IO(out[0]), 17);
		x86_vcvtusi2s(a, 8, 8, X86_ROUND(X86_RTZ), 30, R9);
		x86_movsd_store(a, IO(out[1]), 30);
		x86_movsd_load(a, 31, IO(in[1]));
		x86_vcvtts2usi(a, 8, 8, 0, RCX, 31);
		x86_mov_mr(a, 8, IO(in[2]), RCX);
		run();
		CHECK_INT(io.out[0], double_bits((double)n));
		CHECK((u128)as_double(io.out[1]) <= n);
		CHECK_INT(io.in[2], x < 0x1p64 ? (uint64_t)x : UINT64_MAX);
	}
}

static void
test_float(bool vex)
{
	a->vex = vex;
	a->scratch = vex ? -1 : XMM15;
	test_arithmetic();
	test_conversions();
	test_float_compare();
	test_mxcsr();
	test_lanes();
}

int
main(void)
{
	if (!run_init())
		return check_done();
	test_float(false);
	if (cpu.avx)
		test_float(true);
	if (cpu.fma)
		test_fma();
	if (cpu.avx512vl)
		test_avx512();
	printf("left out, as this host lacks it:%s%s%s\n", cpu.avx ? "" : " AVX",
	       cpu.fma ? "" : " FMA", cpu.avx512vl ? "" : " AVX-512");
	return check_done();
}

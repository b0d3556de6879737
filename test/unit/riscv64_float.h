/* Floating point for unit tests of RV64: operands, boxing, and the host's own
 * arithmetic with RISC-V's rules for NaNs on top. */
#ifndef TEST_UNIT_RISCV64_FLOAT_H
#define TEST_UNIT_RISCV64_FLOAT_H

#include "unit/riscv64_run.h"

#include <fenv.h>
#include <math.h>

enum { NX = 1, UF = 2, OF = 4, DZ = 8, NV = 16 };

#define NAN32 0x7fc00000ull
#define NAN64 0x7ff8000000000000ull
#define BOX32 0xffffffff00000000ull
#define BOX16 0xffffffffffff0000ull

/* Operands lie in f1, f2, f3 and x5; results go to f4 or x6. */
enum { FA = 1, FB, FC, FD, XA = 5, XD };

/* ---- values ------------------------------------------------------------- */

static inline float
f32(uint64_t bits)
{
	uint32_t low = (uint32_t)bits;
	float value;

	memcpy(&value, &low, 4);
	return value;
}

static inline double
f64(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, 8);
	return value;
}

static inline uint64_t
bits32(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, 4);
	return (bits & 0x7fffffff) > 0x7f800000 ? NAN32 : bits;
}

static inline uint64_t
bits64(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, 8);
	return isnan(value) ? NAN64 : bits;
}

static inline bool
is_nan(uint64_t x, bool wide)
{
	return wide ? (x & ~(1ull << 63)) > 0x7ff0000000000000 : (x & 0x7fffffff) > 0x7f800000;
}

static inline bool
is_signaling(uint64_t x, bool wide)
{
	return is_nan(x, wide) && !(x & (wide ? 1ull << 51 : 1ull << 22));
}

/* The value exactly; of no NaN. */
static inline long double
exact(uint64_t x, bool wide)
{
	return wide ? (long double)f64(x) : (long double)f32(x);
}

static inline uint64_t
random_float(bool wide)
{
	static const uint64_t corners64[] = {
		0, 1, 0x000fffffffffffff, 0x0010000000000000, 0x3ff0000000000000, 0x3fe0000000000000,
		0x3ff8000000000000, 0x4004000000000000, 0x7fefffffffffffff, 0x7ff0000000000000,
		0x7ff8000000000000, 0x7ff0000000000001, 0x7fffffffffffffff, 0x41dfffffffc00000,
		0x41e0000000000000, 0x41efffffffe00000, 0x43e0000000000000, 0x43f0000000000000,
		0x3ff0000000000001, 0x41dfffffffe00000,
	};
	static const uint64_t corners32[] = {
		0, 1, 0x007fffff, 0x00800000, 0x3f800000, 0x3f000000, 0x3fc00000, 0x40200000, 0x7f7fffff,
		0x7f800000, 0x7fc00000, 0x7f800001, 0x7fffffff, 0x4f000000, 0x4f800000, 0x5f000000,
		0x5f800000, 0x3f800001, 0x477fe000, 0x33800000,
	};
	uint64_t r = rv_random(), sign = (r >> 8 & 1) << (wide ? 63 : 31), x = rv_random();

	switch (r % 4) {
	case 0:
		return sign | (wide ? corners64[(r >> 16) % ARRAY_LEN(corners64)]
				    : corners32[(r >> 16) % ARRAY_LEN(corners32)]);
	case 1: /* near one: sums and products that round */
		return wide ? sign | (0x3f0 + (r >> 16) % 32) << 52 | x >> 12
			    : sign | (0x70 + (r >> 16) % 32) << 23 | x >> 41;
	case 2: /* few digits: halves, integers */
		return wide ? sign | (0x3f8 + (r >> 16) % 80) << 52 | x >> 60 << 48
			    : sign | (0x78 + (r >> 16) % 80) << 23 | x >> 60 << 19;
	}
	return wide ? x : x & 0xffffffff;
}

/* Puts x into register f(reg), sometimes badly boxed: then it is a NaN. */
static inline uint64_t
put_float(unsigned reg, bool wide)
{
	uint64_t x = random_float(wide), r = rv_random();

	rv_state()->f[reg] = wide ? x : BOX32 | x;
	if (wide || r % 8)
		return x;
	rv_state()->f[reg] &= ~(1ull << (32 + (r >> 8) % 32));
	return NAN32;
}

/* ---- the host ----------------------------------------------------------- */

static const int host_rounding[4] = { FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD };

static inline void
host_begin(unsigned rm)
{
	feclearexcept(FE_ALL_EXCEPT);
	fesetround(host_rounding[rm]);
}

static inline unsigned
host_end(void)
{
	int raised = fetestexcept(FE_ALL_EXCEPT);

	fesetround(FE_TONEAREST);
	return (raised & FE_INEXACT ? NX : 0) | (raised & FE_UNDERFLOW ? UF : 0) |
	       (raised & FE_OVERFLOW ? OF : 0) | (raised & FE_DIVBYZERO ? DZ : 0) |
	       (raised & FE_INVALID ? NV : 0);
}

/* A random rounding mode that the host has, static or dynamic. */
static inline unsigned
choose_rounding(struct riscv64_insn *insn)
{
	unsigned rm = rv_random() & 3;

	insn->rm = rv_random() & 1 ? rm : RV_DYN;
	rv.frame.fp_round = insn->rm == RV_DYN ? rm : rv_random() & 3;
	return rm;
}

/* Runs the instruction, with some flags already raised; these must stay and
 * `flags` be added. */
static inline bool
run(struct riscv64_insn insn, unsigned flags)
{
	unsigned before = rv_random() & 31;
	uint32_t round = rv.frame.fp_round;

	rv.frame.fp_flags = before;
	rv_insn(insn);
	rv_run();
	RV_CHECK_JUMP(4);
	CHECK_INT(rv.frame.fp_round, round);
	return CHECK_INT(rv.frame.fp_flags, before | flags);
}

static inline void
check_f(struct riscv64_insn insn, bool wide, uint64_t want, unsigned flags)
{
	uint64_t a = rv_state()->f[FA], b = rv_state()->f[FB], c = rv_state()->f[FC];
	bool ok = run(insn, flags);

	if (!CHECK_INT(rv_state()->f[FD], wide ? want : BOX32 | want) || !ok)
		fprintf(stderr, "  %s rm %u of %#lx %#lx %#lx\n", riscv64_form_info(insn.op).mnemonic, insn.rm,
			a, b, c);
}

static inline void
check_x(struct riscv64_insn insn, uint64_t want, unsigned flags)
{
	uint64_t a = rv_state()->f[FA], b = rv_state()->f[FB];
	bool ok = run(insn, flags);

	if (!CHECK_INT(rv_state()->x[XD], want) || !ok)
		fprintf(stderr, "  %s rm %u of %#lx %#lx\n", riscv64_form_info(insn.op).mnemonic, insn.rm, a, b);
}

#endif

/* softfloat: IEEE 754-2019 arithmetic on bit patterns, with integers only.
 *
 * Binary16, binary32 and binary64, exact for three guests: RISC-V (F, D, Zfh,
 * Zfa), Arm (A64 scalar and vector lanes) and x86 (SSE, AVX, FMA3, F16C).
 * Where these ISAs differ (which NaN results, when a result is tiny, what
 * flushing reports, what a conversion out of range gives), the caller says so
 * in struct fp_env or by a rule argument; nothing is decided by the host.
 *
 * Values. A value travels in the low bits of a uint64_t in its format's
 * interchange encoding. Bits above the format's width are ignored in operands
 * and zero in results; NaN-boxing is the caller's.
 *
 * Every function is pure but for the flags that it ORs into its environment:
 * no globals, no allocation, no host floating point. Any thread, also inside
 * signal handlers.
 *
 * Sources: RISC-V unprivileged manual, chapters F, D, Zfh, Zfa; Arm ARM (DDI
 * 0487) shared/functions/float pseudocode, FPCR.AH = 0; Intel SDM volume 1,
 * 4.8.3.5 (NaN rules), 4.9.2 (exception priority), 10.2.3, 11.5 (SSE), 14.5
 * (FMA).
 */
#ifndef BASE_SOFTFLOAT_H
#define BASE_SOFTFLOAT_H

#include <stdbool.h>
#include <stdint.h>

enum fp_format { FP_F16, FP_F32, FP_F64 };

/* RISC-V's numbering of frm; FP_ODD is Arm's FPRounding_ODD (FCVTXN). */
enum fp_rounding {
	FP_RNE, /* to nearest, ties to even */
	FP_RTZ, /* toward zero */
	FP_RDN, /* toward minus infinity */
	FP_RUP, /* toward plus infinity */
	FP_RMM, /* to nearest, ties away from zero (Arm: TIEAWAY) */
	FP_ODD, /* inexact results get an odd significand; overflow gives the
		 * largest finite number */
};

/* RISC-V's layout of fflags, and one flag more. */
enum fp_flag {
	FP_INEXACT = 1,
	FP_UNDERFLOW = 2,
	FP_OVERFLOW = 4,
	FP_DIVIDE_BY_ZERO = 8,
	FP_INVALID = 16,
	/* x86 DE: an operation consumed a subnormal operand without flushing
	 * it, and nothing of higher priority (NaN operand, invalid, division
	 * by zero) happened. Arm IDC: a binary32 or binary64 operand was
	 * flushed. Never under FP_NAN_RISCV. */
	FP_DENORMAL_INPUT = 32,
};

/* Which NaN an operation delivers, and with it whose habits it follows. */
enum fp_nan_rule {
	/* Always the default NaN, positive. Flushing is not for this rule. */
	FP_NAN_RISCV,
	/* The first signaling operand, else the first quiet one, quieted; the
	 * default NaN is positive. Operand order: a, b; fused: addend, a, b. */
	FP_NAN_ARM,
	/* Arm with FPCR.DN = 1: always the default NaN, positive. */
	FP_NAN_ARM_DEFAULT,
	/* The first operand that is a NaN, signaling or not, quieted; the
	 * default NaN is negative. Operand order: a, b; fused: a, b, addend. */
	FP_NAN_X86,
};

/* How to compute, and what happened. The caller owns it. Zeroed, it is RISC-V
 * with round to nearest even. */
struct fp_env {
	uint8_t rounding; /* enum fp_rounding */
	uint8_t nan_rule; /* enum fp_nan_rule */
	/* A result is tiny when it is below the smallest normal number before
	 * rounding (Arm) instead of after rounding as if the exponent had no
	 * lower bound (RISC-V, x86). */
	bool tininess_before;
	/* Subnormal operands count as zeros of their sign (Arm FZ, or FZ16 for
	 * binary16; x86 DAZ, never for binary16). Arm's conversions between
	 * formats ignore FZ16: clear this there when the operand is binary16. */
	bool flush_inputs;
	/* Tiny results become zeros of their sign (Arm FZ, FZ16: tiny before
	 * rounding, underflow alone is raised; x86 FTZ: tiny after rounding,
	 * underflow and inexact are raised, never for binary16). Arm's
	 * conversions ignore FZ16: clear this when the result is binary16. */
	bool flush_outputs;
	/* fp_convert only: binary16 is Arm's alternative format (FPCR.AHP), which has
	 * numbers where infinities and NaNs were. What it cannot hold raises
	 * invalid: a NaN becomes zero, the rest the largest number. */
	bool alternative_half;
	uint8_t flags; /* enum fp_flag, accumulated, never cleared here */
};

/* ---- arithmetic (softfloat_arith.c): correctly rounded ------------------ */

uint64_t fp_add(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b);
uint64_t fp_sub(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b);
uint64_t fp_mul(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b);
uint64_t fp_div(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b);
uint64_t fp_sqrt(struct fp_env *env, enum fp_format format, uint64_t a);

/* How fp_fma negates; OR them. */
enum fp_fma_sign {
	FP_FMA_PLAIN = 0,
	FP_FMA_NEGATE_PRODUCT = 1,
	FP_FMA_NEGATE_ADDEND = 2,
};

/* ±(a × b) ± c with one rounding; signs is an OR of enum fp_fma_sign. Infinity
 * times zero raises invalid, with a quiet NaN as addend too, except under
 * FP_NAN_X86. Under FP_NAN_ARM that case gives the default NaN, and negating
 * flips the sign of a NaN operand a or c before it propagates (FPMulAdd is
 * given negated operands). For x86's NaN order a is the factor that the manual
 * writes first: SRC1 × SRC3 in the 132 form, SRC2 × SRC1 in 213, SRC2 × SRC3 in
 * 231. */
uint64_t fp_fma(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b, uint64_t c,
		unsigned signs);

/* ---- for Newton-Raphson iterations (softfloat_estimate.c): Arm ----------- */

/* Estimates of 1 / a and 1 / √a, correct to 8 bits, as the manual's tables have
 * them; of a zero infinity, with division by zero raised. */
uint64_t fp_reciprocal(struct fp_env *env, enum fp_format format, uint64_t a);
uint64_t fp_reciprocal_root(struct fp_env *env, enum fp_format format, uint64_t a);
/* The sign of a with its exponent's bits inverted (FRECPX). */
uint64_t fp_reciprocal_exponent(struct fp_env *env, enum fp_format format, uint64_t a);
/* The same estimates of unsigned fractions a / 2^32, in units of 2^-31; all ones
 * where a is below 1/2, for the root 1/4 (URECPE, URSQRTE). */
uint32_t fp_reciprocal_u32(uint32_t a);
uint32_t fp_reciprocal_root_u32(uint32_t a);
/* 2 − a × b and (3 − a × b) / 2 with one rounding; zero times infinity counts as
 * zero. A NaN a propagates with its sign flipped. */
uint64_t fp_reciprocal_step(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b);
uint64_t fp_reciprocal_root_step(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b);
/* a × b, where zero times infinity is 2 with the sign of the product. */
uint64_t fp_mulx(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b);

/* ---- comparison, class (softfloat_compare.c) ---------------------------- */

enum fp_relation { FP_LESS, FP_EQUAL, FP_GREATER, FP_UNORDERED };

/* a against b; zeros are equal whatever their signs. Invalid is raised for a
 * signaling NaN, and when signaling is set for a quiet one too (RISC-V flt,
 * fle, Arm FCMPE, x86 comis; feq, fltq, fleq, FCMP, ucomis are quiet). */
enum fp_relation fp_compare(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b,
			    bool signaling);

static inline bool
fp_eq(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b, bool signaling)
{
	return fp_compare(env, format, a, b, signaling) == FP_EQUAL;
}

static inline bool
fp_lt(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b, bool signaling)
{
	return fp_compare(env, format, a, b, signaling) == FP_LESS;
}

static inline bool
fp_le(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b, bool signaling)
{
	return fp_compare(env, format, a, b, signaling) <= FP_EQUAL;
}

static inline bool
fp_unordered(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b, bool signaling)
{
	return fp_compare(env, format, a, b, signaling) == FP_UNORDERED;
}

enum fp_minmax_rule {
	/* minimumNumber of 754-2019: a number beats any NaN; a signaling NaN
	 * raises invalid all the same. RISC-V fmin, fmax. */
	FP_MINMAX_NUMBER,
	/* minimum of 754-2019: any NaN gives a NaN by the nan_rule. Zfa fminm,
	 * fmaxm; Arm FMIN, FMAX. */
	FP_MINMAX_NAN,
	/* minNum of 754-2008: a number beats a quiet NaN, a signaling one gives
	 * a NaN by the nan_rule. Arm FMINNM, FMAXNM. */
	FP_MINMAX_QUIET_NUMBER,
	/* "a < b ? a : b" with a signaling comparison: any NaN raises invalid
	 * and gives b unchanged, as do two zeros. x86 minsd, maxsd. */
	FP_MINMAX_X86,
};

/* Except under FP_MINMAX_X86, −0 is less than +0. */
uint64_t fp_min(struct fp_env *env, enum fp_format format, enum fp_minmax_rule rule, uint64_t a,
		uint64_t b);
uint64_t fp_max(struct fp_env *env, enum fp_format format, enum fp_minmax_rule rule, uint64_t a,
		uint64_t b);

/* RISC-V's fclass mask, exactly one bit of ten: 0 −∞, 1 −normal, 2 −subnormal,
 * 3 −0, 4 +0, 5 +subnormal, 6 +normal, 7 +∞, 8 signaling NaN, 9 quiet NaN. */
unsigned fp_classify(enum fp_format format, uint64_t a);

/* ---- conversion (softfloat_convert.c) ----------------------------------- */

/* Between formats. A propagated NaN keeps its sign and the upper bits of its
 * payload. Under FP_NAN_X86 a subnormal binary16 operand raises no
 * FP_DENORMAL_INPUT (F16C). */
uint64_t fp_convert(struct fp_env *env, enum fp_format from, enum fp_format to, uint64_t a);

/* What a float gives that the integer type cannot hold. All raise invalid and
 * then not inexact. */
enum fp_int_rule {
	FP_INT_RISCV, /* the nearer end of the range; NaN: the largest integer */
	FP_INT_ARM,   /* the nearer end of the range; NaN: 0 */
	FP_INT_X86,   /* "integer indefinite": signed 1000…0, unsigned 1111…1 */
};

/* A two's complement or unsigned integer type. */
struct fp_int {
	uint8_t width; /* 8…64 bits */
	bool is_signed;
};

#define FP_I32 ((struct fp_int){32, true})
#define FP_U32 ((struct fp_int){32, false})
#define FP_I64 ((struct fp_int){64, true})
#define FP_U64 ((struct fp_int){64, false})

/* a × 2^scale as an integer, rounded by env->rounding; scale, the fraction
 * bits of Arm's fixed-point forms, is 0…64. The result is sign-extended to 64
 * bits for a signed type, zero-extended for an unsigned one. */
uint64_t fp_to_int(struct fp_env *env, enum fp_format format, uint64_t a, struct fp_int type,
		   enum fp_int_rule rule, unsigned scale);

/* value × 2^−scale, rounded; value is a whole int64_t or uint64_t (narrower
 * integers are to be extended before); scale is 0…64. */
uint64_t fp_from_int(struct fp_env *env, enum fp_format format, uint64_t value, bool is_signed,
		     unsigned scale);

/* Binary64 a truncated (whatever env->rounding) and taken modulo 2^32; NaN and
 * infinities give 0. Flags as a truncating conversion to int32 has them:
 * invalid when a is outside its range, else inexact. Zfa fcvtmod.w.d, which
 * ignores *exact; Arm FJCVTZS, whose Z flag is *exact: the result equals a,
 * and a is neither −0 nor flushed. exact may be NULL. */
int32_t fp_to_int32_modular(struct fp_env *env, uint64_t a, bool *exact);

/* a rounded to an integer in its own format, by env->rounding. Inexact is
 * raised only when asked for. Zfa fround (no), froundnx (yes); Arm FRINTX
 * (yes), other FRINT (no); x86 roundsd (by its immediate). */
uint64_t fp_round_to_int(struct fp_env *env, enum fp_format format, uint64_t a,
			 bool raise_inexact);

/* The same, but NaNs, infinities and what does not fit a signed integer of
 * `width` bits, 32 or 64, give its smallest number and raise invalid (Arm
 * FRINT32X, FRINT64Z, …). Not for binary16. */
uint64_t fp_round_to_int_within(struct fp_env *env, enum fp_format format, uint64_t a,
				unsigned width, bool raise_inexact);

#endif

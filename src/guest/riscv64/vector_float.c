/* Kernels of floating-point operations ("Vector Floating-Point Instructions"), on
 * softfloat: NaNs are RISC-V's canonical one, flags gather in v->fp. */
#include "guest/riscv64/vector.h"

#define KERNEL(name) uint64_t kernel_##name(struct vector *v, uint64_t a, uint64_t b, uint64_t d)
/* One that takes the operands that it names. */
#define KERNEL_IS(name, expression) \
	KERNEL(name) \
	{ \
		(void)v, (void)a, (void)b, (void)d; \
		return expression; \
	}

KERNEL_IS(fadd, fp_add(&v->fp, v->format, a, b))
KERNEL_IS(fsub, fp_sub(&v->fp, v->format, a, b))
KERNEL_IS(frsub, fp_sub(&v->fp, v->format, b, a))
KERNEL_IS(fmul, fp_mul(&v->fp, v->format, a, b))
KERNEL_IS(fdiv, fp_div(&v->fp, v->format, a, b))
KERNEL_IS(frdiv, fp_div(&v->fp, v->format, b, a))
KERNEL_IS(fsqrt, fp_sqrt(&v->fp, v->format, a))
KERNEL_IS(fmin, fp_min(&v->fp, v->format, FP_MINMAX_NUMBER, a, b))
KERNEL_IS(fmax, fp_max(&v->fp, v->format, FP_MINMAX_NUMBER, a, b))
KERNEL_IS(fclass, fp_classify(v->format, a))

static uint64_t
sign_bit(const struct vector *v)
{
	return UINT64_C(1) << (v->sew - 1);
}

KERNEL_IS(fsgnj, (a & ~sign_bit(v)) | (b & sign_bit(v)))
KERNEL_IS(fsgnjn, (a & ~sign_bit(v)) | (~b & sign_bit(v)))
KERNEL_IS(fsgnjx, a ^ (b & sign_bit(v)))

/* ---- fused multiply-add -------------------------------------------------- */

enum { NEGATE_BOTH = FP_FMA_NEGATE_PRODUCT | FP_FMA_NEGATE_ADDEND };

KERNEL_IS(fmadd, fp_fma(&v->fp, v->format, b, d, a, FP_FMA_PLAIN))
KERNEL_IS(fnmadd, fp_fma(&v->fp, v->format, b, d, a, NEGATE_BOTH))
KERNEL_IS(fmsub, fp_fma(&v->fp, v->format, b, d, a, FP_FMA_NEGATE_ADDEND))
KERNEL_IS(fnmsub, fp_fma(&v->fp, v->format, b, d, a, FP_FMA_NEGATE_PRODUCT))
KERNEL_IS(fmacc, fp_fma(&v->fp, v->format, b, a, d, FP_FMA_PLAIN))
KERNEL_IS(fnmacc, fp_fma(&v->fp, v->format, b, a, d, NEGATE_BOTH))
KERNEL_IS(fmsac, fp_fma(&v->fp, v->format, b, a, d, FP_FMA_NEGATE_ADDEND))
KERNEL_IS(fnmsac, fp_fma(&v->fp, v->format, b, a, d, FP_FMA_NEGATE_PRODUCT))

/* ---- of twice the width: operands are made wide first, which is exact ----- */

static uint64_t
widened(struct vector *v, uint64_t x)
{
	return fp_convert(&v->fp, v->format, v->wide, x);
}

KERNEL_IS(fwadd, fp_add(&v->fp, v->wide, widened(v, a), widened(v, b)))
KERNEL_IS(fwsub, fp_sub(&v->fp, v->wide, widened(v, a), widened(v, b)))
KERNEL_IS(fwmul, fp_mul(&v->fp, v->wide, widened(v, a), widened(v, b)))
KERNEL_IS(fwadd_first, fp_add(&v->fp, v->wide, a, widened(v, b)))
KERNEL_IS(fwsub_first, fp_sub(&v->fp, v->wide, a, widened(v, b)))
KERNEL_IS(fwadd_second, fp_add(&v->fp, v->wide, b, widened(v, a)))
KERNEL_IS(fwmacc, fp_fma(&v->fp, v->wide, widened(v, b), widened(v, a), d, FP_FMA_PLAIN))
KERNEL_IS(fwnmacc, fp_fma(&v->fp, v->wide, widened(v, b), widened(v, a), d, NEGATE_BOTH))
KERNEL_IS(fwmsac, fp_fma(&v->fp, v->wide, widened(v, b), widened(v, a), d, FP_FMA_NEGATE_ADDEND))
KERNEL_IS(fwnmsac, fp_fma(&v->fp, v->wide, widened(v, b), widened(v, a), d, FP_FMA_NEGATE_PRODUCT))

/* ---- comparisons ---------------------------------------------------------- */

KERNEL_IS(feq, fp_eq(&v->fp, v->format, a, b, false))
KERNEL_IS(fne, !fp_eq(&v->fp, v->format, a, b, false))
KERNEL_IS(flt, fp_lt(&v->fp, v->format, a, b, true))
KERNEL_IS(fle, fp_le(&v->fp, v->format, a, b, true))
KERNEL_IS(fgt, fp_lt(&v->fp, v->format, b, a, true))
KERNEL_IS(fge, fp_le(&v->fp, v->format, b, a, true))

/* ---- conversions: formats by the widths of source and destination --------- */

static enum fp_format
format(unsigned width)
{
	return width == 64 ? FP_F64 : width == 32 ? FP_F32 : FP_F16;
}

static uint64_t
to_int(struct vector *v, uint64_t a, bool is_signed, unsigned rounding)
{
	v->fp.rounding = (uint8_t)rounding;
	return fp_to_int(&v->fp, format(v->a_width), a, (struct fp_int){ (uint8_t)v->d_width, is_signed }, FP_INT_RISCV,
			 0);
}

static uint64_t
convert(struct vector *v, uint64_t a, unsigned rounding)
{
	v->fp.rounding = (uint8_t)rounding;
	return fp_convert(&v->fp, format(v->a_width), format(v->d_width), a);
}

KERNEL_IS(fcvt_xu_f, to_int(v, a, false, v->fp.rounding))
KERNEL_IS(fcvt_x_f, to_int(v, a, true, v->fp.rounding))
KERNEL_IS(fcvt_rtz_xu_f, to_int(v, a, false, FP_RTZ))
KERNEL_IS(fcvt_rtz_x_f, to_int(v, a, true, FP_RTZ))
KERNEL_IS(fcvt_f_xu, fp_from_int(&v->fp, format(v->d_width), a, false, 0))
KERNEL_IS(fcvt_f_x, fp_from_int(&v->fp, format(v->d_width), a, true, 0))
KERNEL_IS(fcvt_f_f, convert(v, a, v->fp.rounding))
KERNEL_IS(fcvt_rod_f_f, convert(v, a, FP_ODD))

/* ---- estimates, 7 bits --------------------------------------------------- */

/* Of the significand's first seven bits, i: 1 / (1 + i / 128) in the middle of the
 * interval, rounded to nearest; the fraction's seven bits. */
static const uint8_t reciprocal_table[128] = {
	127, 125, 123, 121, 119, 117, 116, 114, 112, 110, 109, 107, 105, 104, 102, 100,
	99, 97, 96, 94, 93, 91, 90, 88, 87, 85, 84, 83, 81, 80, 79, 77,
	76, 75, 74, 72, 71, 70, 69, 68, 66, 65, 64, 63, 62, 61, 60, 59,
	58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43,
	42, 41, 40, 40, 39, 38, 37, 36, 35, 35, 34, 33, 32, 31, 31, 30,
	29, 28, 28, 27, 26, 25, 25, 24, 23, 23, 22, 21, 21, 20, 19, 19,
	18, 17, 17, 16, 15, 15, 14, 14, 13, 12, 12, 11, 11, 10, 9, 9,
	8, 8, 7, 7, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0,
};
/* Of the exponent's lowest bit and the significand's first six: the same of the
 * reciprocal square root. */
static const uint8_t root_table[128] = {
	52, 51, 50, 48, 47, 46, 44, 43, 42, 41, 40, 39, 38, 36, 35, 34,
	33, 32, 31, 30, 30, 29, 28, 27, 26, 25, 24, 23, 23, 22, 21, 20,
	19, 19, 18, 17, 16, 16, 15, 14, 14, 13, 12, 12, 11, 10, 10, 9,
	9, 8, 7, 7, 6, 6, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0,
	127, 125, 123, 121, 119, 118, 116, 114, 113, 111, 109, 108, 106, 105, 103, 102,
	100, 99, 97, 96, 95, 93, 92, 91, 90, 88, 87, 86, 85, 84, 83, 82,
	80, 79, 78, 77, 76, 75, 74, 73, 72, 71, 70, 70, 69, 68, 67, 66,
	65, 64, 63, 63, 62, 61, 60, 59, 59, 58, 57, 56, 56, 55, 54, 53,
};
/* A finite number that is not zero, normalized; a subnormal one's exponent is 0 or
 * below. */
struct parts {
	uint64_t sign;     /* in its place */
	uint64_t fraction; /* without the leading one */
	int64_t exponent;  /* biased */
	unsigned bits;     /* of the fraction */
	int64_t bias;
};

static struct parts
split(const struct vector *v, uint64_t a)
{
	bool is_double = v->format == FP_F64;
	struct parts p = { .bits = is_double ? 52 : 23, .bias = is_double ? 1023 : 127 };
	uint64_t one = UINT64_C(1) << p.bits;

	p.sign = a & sign_bit(v);
	p.fraction = a & (one - 1);
	p.exponent = (int64_t)((a & ~sign_bit(v)) >> p.bits);
	if (!p.exponent) {
		for (; !(p.fraction & one); p.fraction <<= 1)
			p.exponent--;
		p.exponent++;
		p.fraction &= one - 1;
	}
	return p;
}

static uint64_t
infinity(const struct parts *p)
{
	return (uint64_t)(2 * p->bias + 1) << p->bits;
}

/* fp_classify's bits. */
enum {
	MINUS_INFINITY = 1,
	MINUS_NORMAL = 2,
	MINUS_SUBNORMAL = 4,
	MINUS_ZERO = 8,
	ZERO = 16,
	PLUS_INFINITY = 128,
	SIGNALING = 256,
	QUIET = 512,
};

/* Zeros give infinities, NaNs and what is in `invalid` the canonical NaN. False: it
 * is none of these. */
static bool
special(struct vector *v, uint64_t a, unsigned class, unsigned invalid, uint64_t *result)
{
	unsigned bits = v->format == FP_F64 ? 52 : 23;
	uint64_t inf = (sign_bit(v) - 1) >> bits << bits;

	if (class & (SIGNALING | invalid))
		v->fp.flags |= FP_INVALID;
	if (class & (ZERO | MINUS_ZERO))
		v->fp.flags |= FP_DIVIDE_BY_ZERO;
	if (class & (SIGNALING | QUIET | invalid))
		*result = inf | UINT64_C(1) << (bits - 1);
	else if (class & (ZERO | MINUS_ZERO))
		*result = inf | (a & sign_bit(v));
	else if (class & (PLUS_INFINITY | MINUS_INFINITY))
		*result = a & sign_bit(v);
	else
		return false;
	return true;
}

KERNEL(frsqrt7)
{
	unsigned class = fp_classify(v->format, a);
	struct parts p;
	uint64_t result;
	size_t index;

	(void)b, (void)d;
	if (special(v, a, class, MINUS_INFINITY | MINUS_NORMAL | MINUS_SUBNORMAL, &result))
		return result;
	p = split(v, a);
	index = (size_t)(p.exponent & 1) << 6 | p.fraction >> (p.bits - 6);
	return (uint64_t)((3 * p.bias - 1 - p.exponent) >> 1) << p.bits | (uint64_t)root_table[index] << (p.bits - 7);
}

/* The reciprocal of a subnormal below a quarter of the smallest normal number
 * overflows; that of the two largest exponents is subnormal. */
KERNEL(frec7)
{
	unsigned class = fp_classify(v->format, a);
	struct parts p;
	uint64_t result, fraction;
	int64_t exponent;

	(void)b, (void)d;
	if (special(v, a, class, 0, &result))
		return result;
	p = split(v, a);
	if (p.exponent < -1) {
		bool down = v->fp.rounding == FP_RTZ || v->fp.rounding == (p.sign ? FP_RUP : FP_RDN);

		v->fp.flags |= FP_OVERFLOW | FP_INEXACT;
		return p.sign | (infinity(&p) - down);
	}
	exponent = 2 * p.bias - 1 - p.exponent;
	fraction = (uint64_t)reciprocal_table[p.fraction >> (p.bits - 7)] << (p.bits - 7);
	if (exponent <= 0) {
		fraction = (fraction | UINT64_C(1) << p.bits) >> (1 - exponent);
		exponent = 0;
	}
	return p.sign | (uint64_t)exponent << p.bits | fraction;
}

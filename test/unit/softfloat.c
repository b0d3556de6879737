/* softfloat against the host's SSE, FMA3, F16C and AVX-512F instructions:
 * results and flags in all four rounding modes, with and without flushing,
 * under the x86 NaN rule as they are and under RISC-V's with NaNs made
 * canonical. Binary16 arithmetic is held against the host's binary64 rounded
 * to odd and then once to binary16. What no x86 does is in softfloat_rules.c. */
#include "base/softfloat.h"
#include "unit/check.h"
#include "unit/softfloat_operands.h"

#if defined(__x86_64__)
#include <cpuid.h>

/* ---- the host's instructions -------------------------------------------- */

typedef uint64_t xmm __attribute__((vector_size(16)));

#define DAZ (1u << 6)
#define FTZ (1u << 15)

/* RNE, RTZ, RDN, RUP in MXCSR's rounding control. */
static const unsigned host_rounding[4] = { 0, 3u << 13, 1u << 13, 2u << 13 };

struct host {
	unsigned mxcsr; /* rounding, DAZ, FTZ */
	unsigned seen;	/* flags raised, MXCSR's layout */
};

static bool host_fma, host_f16c, host_avx512;

static void
host_probe(void)
{
	unsigned a, b, c, d, low = 0, high;

	if (!__get_cpuid(1, &a, &b, &c, &d))
		return;
	if (c & bit_OSXSAVE)
		__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	host_fma = (c & bit_FMA) && (low & 6) == 6;
	host_f16c = (c & bit_F16C) && (low & 6) == 6;
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
		host_avx512 = (b & bit_AVX512F) && (low & 0xe6) == 0xe6;
}

/* Runs one instruction under the host environment h. */
#define HOST_RUN(h, insn, ...)                                                                  \
	do {                                                                                    \
		unsigned in_ = 0x1f80u | (h)->mxcsr, out_ = 0, usual_ = 0x1f80u;                \
		__asm__ volatile("ldmxcsr %[in]\n\t" insn "\n\tstmxcsr %[out]\n\tldmxcsr %[usual]" \
				 : [out] "+m"(out_), __VA_ARGS__, [in] "m"(in_),                \
				   [usual] "m"(usual_)                                          \
				 : "cc");                                                       \
		(h)->seen |= out_ & 63;                                                         \
	} while (0)

#define HOST_BINARY(name, insn)                                                       \
	static uint64_t name(struct host *h, uint64_t a, uint64_t b)                  \
	{                                                                             \
		xmm x = { a }, y = { b };                                             \
		HOST_RUN(h, insn " %[y], %[x]", [x] "+x"(x) : [y] "x"(y));            \
		return x[0];                                                          \
	}

#define HOST_UNARY(name, insn)                                                        \
	static uint64_t name(struct host *h, uint64_t a)                              \
	{                                                                             \
		xmm x = { 0 }, y = { a };                                             \
		HOST_RUN(h, insn ", %[x]", [x] "+x"(x) : [y] "x"(y));                 \
		return x[0];                                                          \
	}

#define HOST_TO_INT(name, insn)                                                       \
	static uint64_t name(struct host *h, uint64_t a)                              \
	{                                                                             \
		uint64_t r = 0;                                                       \
		xmm x = { a };                                                        \
		HOST_RUN(h, insn, [r] "+r"(r) : [x] "x"(x));                          \
		return r;                                                             \
	}

#define HOST_FROM_INT(name, insn)                                                     \
	static uint64_t name(struct host *h, uint64_t a)                              \
	{                                                                             \
		xmm x = { 0 };                                                        \
		HOST_RUN(h, insn ", %[x]", [x] "+x"(x) : [r] "r"(a));                 \
		return x[0];                                                          \
	}

#define HOST_BOTH(kind, name, insn)      \
	kind(name##_f32, insn "ss")      \
	kind(name##_f64, insn "sd")

HOST_BOTH(HOST_BINARY, host_add, "add")
HOST_BOTH(HOST_BINARY, host_sub, "sub")
HOST_BOTH(HOST_BINARY, host_mul, "mul")
HOST_BOTH(HOST_BINARY, host_div, "div")
HOST_BOTH(HOST_BINARY, host_min, "min")
HOST_BOTH(HOST_BINARY, host_max, "max")
HOST_BINARY(host_lt_f32, "cmpltss")
HOST_BINARY(host_lt_f64, "cmpltsd")
HOST_BINARY(host_le_f32, "cmpless")
HOST_BINARY(host_le_f64, "cmplesd")
HOST_BINARY(host_eq_f32, "cmpeqss")
HOST_BINARY(host_eq_f64, "cmpeqsd")
HOST_BINARY(host_unord_f32, "cmpunordss")
HOST_BINARY(host_unord_f64, "cmpunordsd")
HOST_UNARY(host_sqrt_f32, "sqrtss %[y]")
HOST_UNARY(host_sqrt_f64, "sqrtsd %[y]")
HOST_UNARY(host_round_f32, "roundss $4, %[y]")
HOST_UNARY(host_round_f64, "roundsd $4, %[y]")
HOST_UNARY(host_round_quiet_f32, "roundss $12, %[y]")
HOST_UNARY(host_round_quiet_f64, "roundsd $12, %[y]")
HOST_UNARY(host_f32_to_f64, "cvtss2sd %[y]")
HOST_UNARY(host_f64_to_f32, "cvtsd2ss %[y]")
HOST_UNARY(host_f16_to_f32, "vcvtph2ps %[y]")
HOST_UNARY(host_f32_to_f16, "vcvtps2ph $4, %[y]")
HOST_TO_INT(host_f32_to_i32, "cvtss2si %[x], %k[r]")
HOST_TO_INT(host_f64_to_i32, "cvtsd2si %[x], %k[r]")
HOST_TO_INT(host_f32_to_i64, "cvtss2si %[x], %q[r]")
HOST_TO_INT(host_f64_to_i64, "cvtsd2si %[x], %q[r]")
HOST_TO_INT(host_f32_to_u32, "vcvtss2usi %[x], %k[r]")
HOST_TO_INT(host_f64_to_u32, "vcvtsd2usi %[x], %k[r]")
HOST_TO_INT(host_f32_to_u64, "vcvtss2usi %[x], %q[r]")
HOST_TO_INT(host_f64_to_u64, "vcvtsd2usi %[x], %q[r]")
HOST_FROM_INT(host_i64_to_f32, "cvtsi2ssq %q[r]")
HOST_FROM_INT(host_i64_to_f64, "cvtsi2sdq %q[r]")
HOST_FROM_INT(host_u64_to_f32, "vcvtusi2ssq %q[r], %[x]")
HOST_FROM_INT(host_u64_to_f64, "vcvtusi2sdq %q[r], %[x]")

/* a × b + c in the forms of the encoding, AT&T operand order. The manual writes
 * the product as SRC1 × SRC3 (132), SRC2 × SRC1 (213), SRC2 × SRC3 (231), and
 * of two NaN factors the one written first is delivered: that is a. */
#define HOST_FMA_OPS(t)                                                                        \
	HOST_FUSED(host_fma132_##t, "vfmadd132" SUFFIX_##t " %[y], %[z], %[x]", a, b, x)       \
	HOST_FUSED(host_fma213_##t, "vfmadd213" SUFFIX_##t " %[z], %[y], %[x]", b, a, x)       \
	HOST_FUSED(host_fma231_##t, "vfmadd231" SUFFIX_##t " %[y], %[x], %[z]", a, b, z)       \
	HOST_FUSED(host_fnma_##t, "vfnmadd231" SUFFIX_##t " %[y], %[x], %[z]", a, b, z)        \
	HOST_FUSED(host_fms_##t, "vfmsub231" SUFFIX_##t " %[y], %[x], %[z]", a, b, z)          \
	HOST_FUSED(host_fnms_##t, "vfnmsub231" SUFFIX_##t " %[y], %[x], %[z]", a, b, z)
#define HOST_FUSED(name, insn, in_x, in_y, result)                                             \
	static uint64_t name(struct host *h, uint64_t a, uint64_t b, uint64_t c)               \
	{                                                                                      \
		xmm x = { in_x }, y = { in_y }, z = { c };                                     \
		HOST_RUN(h, insn, [z] "+x"(z), [x] "+x"(x) : [y] "x"(y));                      \
		return result[0];                                                              \
	}
#define SUFFIX_f32 "ss"
#define SUFFIX_f64 "sd"
HOST_FMA_OPS(f32)
HOST_FMA_OPS(f64)

/* ---- comparing ---------------------------------------------------------- */

/* MXCSR's flags (IE DE ZE OE UE PE) in the layout of enum fp_flag. */
static unsigned
host_flags(const struct host *h)
{
	unsigned s = h->seen;

	return (s & 1 ? FP_INVALID : 0) | (s & 2 ? FP_DENORMAL_INPUT : 0) |
	       (s & 4 ? FP_DIVIDE_BY_ZERO : 0) | (s & 8 ? FP_OVERFLOW : 0) |
	       (s & 16 ? FP_UNDERFLOW : 0) | (s & 32 ? FP_INEXACT : 0);
}

static struct host
host_env(const struct fp_env *env)
{
	return (struct host){ host_rounding[env->rounding] | (env->flush_inputs ? DAZ : 0) |
				      (env->flush_outputs ? FTZ : 0),
			      0 };
}

/* What was computed, for the message of a failure. */
struct what {
	const char *op;
	enum fp_format format;
	uint64_t a, b, c;
};

static void
agree(struct what w, const struct fp_env *env, uint64_t got, uint64_t want, unsigned want_flags)
{
	if (check_note(got == want && env->flags == want_flags))
		fprintf(stderr,
			"%s %s(%#" PRIx64 ", %#" PRIx64 ", %#" PRIx64 ") rounding %d rule %d "
			"flush %d%d: got %#" PRIx64 " flags %#x, want %#" PRIx64 " flags %#x\n",
			layouts[w.format].name, w.op, w.a, w.b, w.c, env->rounding, env->nan_rule,
			env->flush_inputs, env->flush_outputs, got, env->flags, want, want_flags);
}

static uint64_t
canonical(enum fp_format f, uint64_t a)
{
	return is_nan(f, a) ? infinity_of(f) | quiet_of(f) : a;
}

static struct fp_env
riscv_env(const struct fp_env *env)
{
	return (struct fp_env){ .rounding = env->rounding, .nan_rule = FP_NAN_RISCV };
}

/* Runs expression (in terms of e) under *env, and when nothing is flushed also
 * under RISC-V's rule, against the host's value and flags. */
#define AGREE(w, env, expression, value, h)                                                    \
	do {                                                                                   \
		uint64_t value_ = (value);                                                     \
		struct fp_env env_ = *(env), *e = &env_;                                       \
		uint64_t got_ = (expression);                                                  \
		agree(w, e, got_, value_, host_flags(h));                                      \
		if (!(env)->flush_inputs && !(env)->flush_outputs) {                           \
			env_ = riscv_env(env);                                                 \
			got_ = (expression);                                                   \
			agree(w, e, got_, canonical((w).format, value_),                       \
			      host_flags(h) & 31);                                             \
		}                                                                              \
	} while (0)

/* ---- binary32, binary64: pairs ------------------------------------------ */

typedef uint64_t binary(struct fp_env *, enum fp_format, uint64_t, uint64_t);
typedef uint64_t host_binary(struct host *, uint64_t, uint64_t);

static const struct {
	const char *name;
	binary *soft;
	host_binary *host[3];
} binaries[] = {
	{ "add", fp_add, { NULL, host_add_f32, host_add_f64 } },
	{ "sub", fp_sub, { NULL, host_sub_f32, host_sub_f64 } },
	{ "mul", fp_mul, { NULL, host_mul_f32, host_mul_f64 } },
	{ "div", fp_div, { NULL, host_div_f32, host_div_f64 } },
};

static const struct {
	const char *name;
	unsigned relations; /* a bit each */
	bool signaling;
	host_binary *host[3];
} compares[] = {
	{ "lt", 1u << FP_LESS, true, { NULL, host_lt_f32, host_lt_f64 } },
	{ "le", 1u << FP_LESS | 1u << FP_EQUAL, true, { NULL, host_le_f32, host_le_f64 } },
	{ "eq", 1u << FP_EQUAL, false, { NULL, host_eq_f32, host_eq_f64 } },
	{ "unord", 1u << FP_UNORDERED, false, { NULL, host_unord_f32, host_unord_f64 } },
};

static void
test_pair(enum fp_format f, const struct fp_env *env, uint64_t a, uint64_t b)
{
	struct what w = { "", f, a, b, 0 };

	for (unsigned i = 0; i < ARRAY_LEN(binaries); i++) {
		struct host h = host_env(env);
		uint64_t want = binaries[i].host[f](&h, a, b);

		w.op = binaries[i].name;
		AGREE(w, env, binaries[i].soft(e, f, a, b), want, &h);
	}
}

/* What does not depend on the rounding. */
static void
test_pair_order(enum fp_format f, const struct fp_env *env, uint64_t a, uint64_t b)
{
	struct what w = { "", f, a, b, 0 };

	for (unsigned i = 0; i < ARRAY_LEN(compares); i++) {
		struct host h = host_env(env);
		bool want = compares[i].host[f](&h, a, b) & 1;

		w.op = compares[i].name;
		AGREE(w, env,
		      compares[i].relations >> fp_compare(e, f, a, b, compares[i].signaling) & 1,
		      want, &h);
	}
	for (int max = 0; max < 2; max++) {
		struct host h = host_env(env);
		host_binary *host = f == FP_F32 ? (max ? host_max_f32 : host_min_f32)
						: (max ? host_max_f64 : host_min_f64);
		uint64_t want = host(&h, a, b);
		struct fp_env e = *env;
		uint64_t got = (max ? fp_max : fp_min)(&e, f, FP_MINMAX_X86, a, b);

		w.op = max ? "max" : "min";
		agree(w, &e, got, want, host_flags(&h));
	}
}

static void
test_pairs(enum fp_format f, const struct operands *o)
{
	for (int flush = 0; flush < 4; flush++)
		for (uint8_t r = 0; r < 4; r++) {
			struct fp_env env = { .rounding = r, .nan_rule = FP_NAN_X86,
					      .flush_inputs = flush & 1,
					      .flush_outputs = flush & 2 };
			/* Flushing on every third pair: the rest is the same. */
			unsigned step = flush ? 3 : 1;

			for (unsigned i = 0; i < o->count; i++)
				for (unsigned j = i % step; j < o->count; j += step) {
					test_pair(f, &env, o->value[i], o->value[j]);
					if (r == 0 && flush < 2)
						test_pair_order(f, &env, o->value[i], o->value[j]);
				}
		}
}

/* ---- one operand -------------------------------------------------------- */

typedef uint64_t host_unary(struct host *, uint64_t);

static void
test_single(enum fp_format f, const struct fp_env *env, uint64_t a)
{
	bool d = f == FP_F64;
	struct what w = { "sqrt", f, a, 0, 0 };
	struct host h = host_env(env);
	uint64_t want = (d ? host_sqrt_f64 : host_sqrt_f32)(&h, a);

	AGREE(w, env, fp_sqrt(e, f, a), want, &h);
	w.op = "round";
	h = host_env(env);
	want = (d ? host_round_f64 : host_round_f32)(&h, a);
	AGREE(w, env, fp_round_to_int(e, f, a, true), want, &h);
	w.op = "round quiet";
	h = host_env(env);
	want = (d ? host_round_quiet_f64 : host_round_quiet_f32)(&h, a);
	AGREE(w, env, fp_round_to_int(e, f, a, false), want, &h);

	/* AGREE takes the result's format from w to find NaNs. */
	w.op = d ? "to f32" : "to f64";
	w.format = d ? FP_F32 : FP_F64;
	h = host_env(env);
	want = (d ? host_f64_to_f32 : host_f32_to_f64)(&h, a);
	AGREE(w, env, fp_convert(e, f, w.format, a), want, &h);
	if (!d && host_f16c) {
		w.op = "to f16";
		w.format = FP_F16;
		h = host_env(env);
		want = host_f32_to_f16(&h, a) & 0xffff;
		AGREE(w, env, fp_convert(e, f, FP_F16, a), want, &h);
	}
}

static void
test_to_int(enum fp_format f, const struct fp_env *env, uint64_t a)
{
	static const struct {
		struct fp_int type;
		bool avx512;
		host_unary *host[3];
		const char *name;
	} list[] = {
		{ { 32, true }, false, { NULL, host_f32_to_i32, host_f64_to_i32 }, "to i32" },
		{ { 64, true }, false, { NULL, host_f32_to_i64, host_f64_to_i64 }, "to i64" },
		{ { 32, false }, true, { NULL, host_f32_to_u32, host_f64_to_u32 }, "to u32" },
		{ { 64, false }, true, { NULL, host_f32_to_u64, host_f64_to_u64 }, "to u64" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(list); i++) {
		struct what w = { list[i].name, f, a, 0, 0 };
		struct host h = host_env(env);
		struct fp_env e = *env;
		uint64_t want, got;

		if (list[i].avx512 && !host_avx512)
			continue;
		want = list[i].host[f](&h, a);
		if (list[i].type.width == 32 && list[i].type.is_signed)
			want = (uint64_t)(int32_t)want;
		got = fp_to_int(&e, f, a, list[i].type, FP_INT_X86, 0);
		agree(w, &e, got, want, host_flags(&h));
	}
}

static void
test_from_int(const struct fp_env *env, uint64_t v)
{
	for (enum fp_format f = FP_F32; f <= FP_F64; f++) {
		struct what w = { "from i64", f, v, 0, 0 };
		struct host h = host_env(env);
		uint64_t want = (f == FP_F32 ? host_i64_to_f32 : host_i64_to_f64)(&h, v);

		AGREE(w, env, fp_from_int(e, f, v, true, 0), want, &h);
		if (!host_avx512)
			continue;
		w.op = "from u64";
		h = host_env(env);
		want = (f == FP_F32 ? host_u64_to_f32 : host_u64_to_f64)(&h, v);
		AGREE(w, env, fp_from_int(e, f, v, false, 0), want, &h);
	}
}

static void
test_singles(enum fp_format f, const struct operands *o)
{
	uint64_t state = 5;

	for (int flush = 0; flush < 4; flush++)
		for (uint8_t r = 0; r < 4; r++) {
			struct fp_env env = { .rounding = r, .nan_rule = FP_NAN_X86,
					      .flush_inputs = flush & 1,
					      .flush_outputs = flush & 2 };

			for (unsigned i = 0; i < o->count + 10000; i++) {
				uint64_t a = i < o->count ? o->value[i] : random_operand(f, &state);

				test_single(f, &env, a);
				test_to_int(f, &env, a);
			}
			for (unsigned i = 0; f == FP_F64 && i < 5000; i++) {
				uint64_t v = random_next(&state) >> (i & 63);

				test_from_int(&env, i & 64 ? v : -v);
				test_from_int(&env, (UINT64_C(1) << (i & 63)) + i / 64 - 2);
			}
		}
}

/* ---- fused multiply-add ------------------------------------------------- */

typedef uint64_t host_fused(struct host *, uint64_t, uint64_t, uint64_t);

static const struct {
	const char *name;
	unsigned signs;
	host_fused *host[3];
} fused[] = {
	{ "fmadd132", 0, { NULL, host_fma132_f32, host_fma132_f64 } },
	{ "fmadd231", 0, { NULL, host_fma231_f32, host_fma231_f64 } },
	{ "fmadd213", 0, { NULL, host_fma213_f32, host_fma213_f64 } },
	{ "fnmadd", FP_FMA_NEGATE_PRODUCT, { NULL, host_fnma_f32, host_fnma_f64 } },
	{ "fmsub", FP_FMA_NEGATE_ADDEND, { NULL, host_fms_f32, host_fms_f64 } },
	{ "fnmsub", FP_FMA_NEGATE_PRODUCT | FP_FMA_NEGATE_ADDEND,
	  { NULL, host_fnms_f32, host_fnms_f64 } },
};

static bool
product_invalid(enum fp_format f, uint64_t a, uint64_t b)
{
	return (is_infinite(f, a) && is_zero(f, b)) || (is_zero(f, a) && is_infinite(f, b));
}

static void
test_fused(enum fp_format f, const struct fp_env *env, unsigned form, uint64_t a, uint64_t b,
	   uint64_t c)
{
	struct what w = { fused[form].name, f, a, b, c };
	struct host h = host_env(env);
	struct fp_env e = *env;
	uint64_t want = fused[form].host[f](&h, a, b, c);
	uint64_t got = fp_fma(&e, f, a, b, c, fused[form].signs);
	unsigned flags = host_flags(&h);

	agree(w, &e, got, want, flags);
	if (env->flush_inputs || env->flush_outputs)
		return;
	/* RISC-V and Arm: invalid whatever the addend. */
	flags = (flags & 31) | (product_invalid(f, a, b) ? FP_INVALID : 0);
	e = riscv_env(env);
	got = fp_fma(&e, f, a, b, c, fused[form].signs);
	agree(w, &e, got, canonical(f, want), flags);
}

/* Addends that all but cancel the product. */
static void
test_fused_cancelling(enum fp_format f, const struct fp_env *env)
{
	uint64_t state = 9 + (uint64_t)env->rounding;

	for (unsigned i = 0; i < 30000; i++) {
		uint64_t a = random_operand(f, &state), b = random_operand(f, &state), c;
		struct host h = host_env(env);

		c = (f == FP_F32 ? host_mul_f32 : host_mul_f64)(&h, a, b) ^ sign_of(f);
		if (is_nan(f, c))
			continue;
		test_fused(f, env, i % ARRAY_LEN(fused), a, b, c ^ random_next(&state) >> 61);
		c += (uint64_t)(i % 128) << (layouts[f].precision - 1);
		test_fused(f, env, i % ARRAY_LEN(fused), a, b, c & (2 * sign_of(f) - 1));
	}
}

static void
test_fmas(enum fp_format f, const struct operands *all)
{
	struct operands o = { 0 };
	uint64_t first[] = { 0, 1, quiet_of(f), 2 * quiet_of(f), infinity_of(f), infinity_of(f) - 1,
			     infinity_of(f) + 1, infinity_of(f) | quiet_of(f) };

	/* Each special value, and a ninth of the rest. */
	for (unsigned i = 0; i < ARRAY_LEN(first); i++)
		operands_add(&o, f, first[i]);
	for (unsigned i = 0; i < all->count; i += 9)
		operands_add(&o, f, all->value[i]);
	for (int flush = 0; flush < 4; flush += 3)
		for (uint8_t r = 0; r < 4; r++) {
			struct fp_env env = { .rounding = r, .nan_rule = FP_NAN_X86,
					      .flush_inputs = flush & 1,
					      .flush_outputs = flush & 2 };

			for (unsigned i = 0; i < o.count; i++)
				for (unsigned j = 0; j < o.count; j++)
					for (unsigned k = flush ? j % 4 : 0; k < o.count;
					     k += flush ? 4 : 1)
						test_fused(f, &env, (i + j + k) % ARRAY_LEN(fused),
							   o.value[i], o.value[j], o.value[k]);
			test_fused_cancelling(f, &env);
		}
}

/* ---- binary16 through binary64 ------------------------------------------ */

static uint64_t
host_widen(struct host *h, uint64_t a)
{
	return host_f32_to_f64(h, host_f16_to_f32(h, a));
}

/* Rounds to odd: what was truncated inexactly gets an odd significand. */
static uint64_t
host_odd(struct host *h, const struct host *op, uint64_t value)
{
	h->seen |= op->seen & ~2u;
	return value | (op->seen >> 5 & 1);
}

/* The binary64 value, computed by op in truncating mode, as a binary16. */
static uint64_t
host_narrow(struct host *h, const struct host *op, uint64_t value)
{
	struct host step = { host_rounding[FP_RTZ], 0 };

	value = host_odd(h, op, value);
	value = host_f64_to_f32(&step, value);
	value = host_odd(h, &step, value);
	return host_f32_to_f16(h, value) & 0xffff;
}

/* A binary operation, or the square root of a when host is NULL. An exact zero
 * takes its sign from the wanted rounding. */
static uint64_t
host_half(struct host *h, host_binary *host, uint64_t a, uint64_t b)
{
	struct host op = { host_rounding[FP_RTZ], 0 };
	uint64_t r, x = host_widen(h, a), y = host_widen(h, b);

	r = host ? host(&op, x, y) : host_sqrt_f64(&op, x);
	if (host && is_zero(FP_F64, r) && !op.seen) {
		op.mxcsr = h->mxcsr;
		r = host(&op, x, y);
	}
	return host_narrow(h, &op, r);
}

static uint64_t
host_half_fma(struct host *h, uint64_t a, uint64_t b, uint64_t c)
{
	struct host op = { host_rounding[FP_RTZ], 0 };
	uint64_t r, x = host_widen(h, a), y = host_widen(h, b), z = host_widen(h, c);

	r = host_fma231_f64(&op, x, y, z);
	if (is_zero(FP_F64, r) && !op.seen) {
		op.mxcsr = h->mxcsr;
		r = host_fma231_f64(&op, x, y, z);
	}
	return host_narrow(h, &op, r);
}

/* As agree, without the subnormal operands that widening hides. */
static void
agree_half(struct what w, struct fp_env *env, uint64_t got, uint64_t want, const struct host *h)
{
	env->flags &= 31;
	agree(w, env, got, want, host_flags(h) & 31);
}

static void
test_half_pair(const struct fp_env *env, uint64_t a, uint64_t b)
{
	struct what w = { "", FP_F16, a, b, 0 };

	for (unsigned i = 0; i < ARRAY_LEN(binaries); i++) {
		struct host h = host_env(env);
		struct fp_env e = *env;
		uint64_t want = host_half(&h, binaries[i].host[FP_F64], a, b);

		w.op = binaries[i].name;
		agree_half(w, &e, binaries[i].soft(&e, FP_F16, a, b), want, &h);
	}
}

static void
test_half_single(const struct fp_env *env, uint64_t a)
{
	struct what w = { "sqrt", FP_F16, a, 0, 0 };
	struct host h = host_env(env);
	struct fp_env own = *env;
	uint64_t want = host_half(&h, NULL, a, 0);

	agree_half(w, &own, fp_sqrt(&own, FP_F16, a), want, &h);
	w = (struct what){ "from f16", FP_F32, a, 0, 0 };
	h = host_env(env);
	want = host_f16_to_f32(&h, a);
	AGREE(w, env, fp_convert(e, FP_F16, FP_F32, a), want, &h);
	w.format = FP_F64;
	want = host_f32_to_f64(&h, want);
	AGREE(w, env, fp_convert(e, FP_F16, FP_F64, a), want, &h);

	w = (struct what){ "round", FP_F16, a, 0, 0 };
	h = host_env(env);
	want = host_widen(&h, a);
	want = host_round_f64(&h, want);
	h.seen &= ~2u;
	want = host_f32_to_f16(&h, host_f64_to_f32(&h, want)) & 0xffff;
	own = *env;
	agree_half(w, &own, fp_round_to_int(&own, FP_F16, a, true), want, &h);
}

static void
test_half(const struct operands *o)
{
	uint64_t state = 77;

	for (uint8_t r = 0; r < 4; r++) {
		struct fp_env env = { .rounding = r, .nan_rule = FP_NAN_X86 };

		for (uint64_t a = 0; a < 0x10000; a++)
			test_half_single(&env, a);
		for (unsigned i = 0; i < o->count; i++)
			for (unsigned j = 0; j < o->count; j++)
				test_half_pair(&env, o->value[i], o->value[j]);
		for (unsigned i = 0; host_fma && i < 400000; i++) {
			uint64_t a = random_operand(FP_F16, &state);
			uint64_t b = o->value[i % o->count];
			uint64_t c = o->value[i / o->count % o->count];
			struct what w = { "fma", FP_F16, a, b, c };
			struct host h = host_env(&env);
			struct fp_env e = env;
			uint64_t want = host_half_fma(&h, a, b, c);

			agree_half(w, &e, fp_fma(&e, FP_F16, a, b, c, 0), want, &h);
		}
	}
}

int
main(void)
{
	static struct operands o;

	host_probe();
	for (enum fp_format f = FP_F32; f <= FP_F64; f++) {
		operands_fill(&o, f);
		CHECK(o.count >= 200);
		test_pairs(f, &o);
		test_singles(f, &o);
		if (host_fma)
			test_fmas(f, &o);
	}
	operands_fill(&o, FP_F16);
	CHECK(o.count >= 200);
	if (host_f16c)
		test_half(&o);
	return check_done();
}

#else

int
main(void)
{
	printf("skipped: the reference is x86's SSE\n");
	return 0;
}

#endif

/* Floating point on all pairs of chosen operands, under every rounding mode,
 * static and dynamic.
 *
 * The program runs each operation of the table on each pair (or each operand, if
 * it has one) and writes the raw results: per first operand a row of results, 8
 * bytes each, and a row of accrued flags, a byte each. The check computes the
 * same with softfloat, which its own tests hold against exact arithmetic. A third
 * operand goes through the list on its own, so that it meets the pairs at
 * different offsets.
 */
#include "isa/sweep.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/softfloat.h"
#include "isa/operands.h"

#define MAX_OPERANDS 400u
#define BAD_BOXES 4u

#define TEXT UINT64_C(0x10000)
#define TABLES UINT64_C(0x10000000) /* h, s, d, integers, MAX_OPERANDS each */
#define OUTPUT UINT64_C(0x10100000)

enum sweep_kind {
	K_ADD, K_SUB, K_MUL, K_DIV, K_SQRT, K_FMADD, K_FMSUB, K_FNMSUB, K_FNMADD, K_MIN, K_MAX,
	K_MINM, K_MAXM, K_SGNJ, K_SGNJN, K_SGNJX, K_EQ, K_LT, K_LE, K_LTQ, K_LEQ, K_CLASS,
	K_CONVERT, K_TO_INT, K_FROM_INT, K_ROUND, K_ROUNDNX, K_MODULAR, K_TO_X, K_FROM_X,
};

/* Operand lists; those of floats are numbered as enum fp_format. */
enum sweep_list { L_H, L_S, L_D, L_INT, L_COUNT };

struct sweep_op {
	enum riscv64_op op;
	enum sweep_kind kind;
	enum sweep_list from; /* of the operands */
	enum sweep_list to;   /* of the result */
	unsigned operands;    /* 1…3 */
	bool rounds;          /* has a rounding mode */
	struct fp_int type;   /* of conversions */
};

#define BOTH(NAME, KIND, OPERANDS, ROUNDS) \
	{RV_##NAME##_S, KIND, L_S, L_S, OPERANDS, ROUNDS, {0, 0}}, \
	{RV_##NAME##_D, KIND, L_D, L_D, OPERANDS, ROUNDS, {0, 0}},
#define COMPARE(NAME, KIND) \
	{RV_##NAME##_S, KIND, L_S, L_INT, 2, false, {0, 0}}, \
	{RV_##NAME##_D, KIND, L_D, L_INT, 2, false, {0, 0}},
#define INTEGER(SUFFIX, WIDTH, SIGNED) \
	{RV_FCVT_##SUFFIX##_S, K_TO_INT, L_S, L_INT, 1, true, {WIDTH, SIGNED}}, \
	{RV_FCVT_##SUFFIX##_D, K_TO_INT, L_D, L_INT, 1, true, {WIDTH, SIGNED}}, \
	{RV_FCVT_S_##SUFFIX, K_FROM_INT, L_INT, L_S, 1, true, {WIDTH, SIGNED}}, \
	{RV_FCVT_D_##SUFFIX, K_FROM_INT, L_INT, L_D, 1, true, {WIDTH, SIGNED}},

static const struct sweep_op ops[] = {
	BOTH(FADD, K_ADD, 2, true)
	BOTH(FSUB, K_SUB, 2, true)
	BOTH(FMUL, K_MUL, 2, true)
	BOTH(FDIV, K_DIV, 2, true)
	BOTH(FSQRT, K_SQRT, 1, true)
	BOTH(FMADD, K_FMADD, 3, true)
	BOTH(FMSUB, K_FMSUB, 3, true)
	BOTH(FNMSUB, K_FNMSUB, 3, true)
	BOTH(FNMADD, K_FNMADD, 3, true)
	BOTH(FMIN, K_MIN, 2, false)
	BOTH(FMAX, K_MAX, 2, false)
	BOTH(FMINM, K_MINM, 2, false)
	BOTH(FMAXM, K_MAXM, 2, false)
	BOTH(FSGNJ, K_SGNJ, 2, false)
	BOTH(FSGNJN, K_SGNJN, 2, false)
	BOTH(FSGNJX, K_SGNJX, 2, false)
	BOTH(FROUND, K_ROUND, 1, true)
	BOTH(FROUNDNX, K_ROUNDNX, 1, true)
	COMPARE(FEQ, K_EQ)
	COMPARE(FLT, K_LT)
	COMPARE(FLE, K_LE)
	COMPARE(FLTQ, K_LTQ)
	COMPARE(FLEQ, K_LEQ)
	INTEGER(W, 32, true)
	INTEGER(WU, 32, false)
	INTEGER(L, 64, true)
	INTEGER(LU, 64, false)
	{RV_FCLASS_S, K_CLASS, L_S, L_INT, 1, false, {0, 0}},
	{RV_FCLASS_D, K_CLASS, L_D, L_INT, 1, false, {0, 0}},
	{RV_FCVT_S_D, K_CONVERT, L_D, L_S, 1, true, {0, 0}},
	{RV_FCVT_D_S, K_CONVERT, L_S, L_D, 1, true, {0, 0}},
	{RV_FCVT_H_S, K_CONVERT, L_S, L_H, 1, true, {0, 0}},
	{RV_FCVT_S_H, K_CONVERT, L_H, L_S, 1, true, {0, 0}},
	{RV_FCVT_H_D, K_CONVERT, L_D, L_H, 1, true, {0, 0}},
	{RV_FCVT_D_H, K_CONVERT, L_H, L_D, 1, true, {0, 0}},
	{RV_FCVTMOD_W_D, K_MODULAR, L_D, L_INT, 1, false, {0, 0}},
	{RV_FMV_X_H, K_TO_X, L_H, L_INT, 1, false, {0, 0}},
	{RV_FMV_X_W, K_TO_X, L_S, L_INT, 1, false, {0, 0}},
	{RV_FMV_X_D, K_TO_X, L_D, L_INT, 1, false, {0, 0}},
	{RV_FMV_H_X, K_FROM_X, L_INT, L_H, 1, false, {0, 0}},
	{RV_FMV_W_X, K_FROM_X, L_INT, L_S, 1, false, {0, 0}},
	{RV_FMV_D_X, K_FROM_X, L_INT, L_D, 1, false, {0, 0}},
};

#define BITS(list) (16u << (list))

/* ---- operands ----------------------------------------------------------- */

static void
make_lists(uint64_t lists[L_COUNT][MAX_OPERANDS], unsigned operands)
{
	struct rng rng = {7};

	for (unsigned list = L_H; list <= L_D; list++) {
		unsigned have = operand_floats(BITS(list), lists[list], operands);

		if (have != operands)
			rv_die("only %u operands", have);
		for (unsigned i = 0; i < operands && list != L_D; i++) {
			lists[list][i] |= -UINT64_C(1) << BITS(list);
			if (i + BAD_BOXES >= operands)
				lists[list][i] &= ~(UINT64_C(1) << (63 - i % 8));
		}
	}
	for (unsigned i = 0; i < operands; i++)
		lists[L_INT][i] = operand_integer(&rng);
}

/* What an instruction sees of a register: bad boxes are NaNs. */
static uint64_t
unbox(enum sweep_list list, uint64_t value)
{
	static const uint64_t nan[] = {0x7e00, 0x7fc00000};

	if (list >= L_D)
		return value;
	if (value >> BITS(list) != UINT64_MAX >> BITS(list))
		return nan[list];
	return value & ~(-UINT64_C(1) << BITS(list));
}

static uint64_t
box(enum sweep_list list, uint64_t value)
{
	return list < L_D ? value | -UINT64_C(1) << BITS(list) : value;
}

/* ---- the program -------------------------------------------------------- */

/* s0: this op's list; s1, s2, s3: operands; s4: list's end; s5, s6: output;
 * s7: output's start. */
static void
put_operation(struct rv_code *c, const struct sweep_op *op, unsigned rm)
{
	struct riscv64_insn insn = {.op = op->op, .rs1 = 10, .rd = 13, .rm = (uint8_t)rm};

	if (op->operands > 1)
		insn.rs2 = 11;
	if (op->operands > 2)
		insn.rs3 = 12;
	rv_put(c, &(struct riscv64_insn){.op = RV_CSRRWI, .csr = 1});
	rv_put(c, &insn);
	rv_csr(c, RV_CSRRS, X_T0, 1, 0);
	rv_s(c, op->to == L_INT ? RV_SD : RV_FSD, 13, X_S5, 0);
	rv_s(c, RV_SB, X_T0, X_S6, 0);
	rv_i(c, RV_ADDI, X_S5, X_S5, 8);
	rv_i(c, RV_ADDI, X_S6, X_S6, 1);
}

static void
put_write_row(struct rv_code *c, unsigned operands)
{
	rv_constant(c, X_A0, 1);
	rv_i(c, RV_ADDI, X_A1, X_S7, 0);
	rv_constant(c, X_A2, operands * 9);
	rv_syscall(c, 64);
}

static void
put_row_start(struct rv_code *c, unsigned operands)
{
	rv_i(c, RV_ADDI, X_S5, X_S7, 0);
	rv_constant(c, X_T0, operands * 8);
	rv_r(c, RV_ADD, X_S6, X_S7, X_T0);
}

/* The third operand moves on by one each pair. */
static void
put_step_third(struct rv_code *c)
{
	struct rv_label inside = {0};

	rv_i(c, RV_ADDI, X_S3, X_S3, 8);
	rv_branch(c, RV_BNE, X_S3, X_S4, &inside);
	rv_i(c, RV_ADDI, X_S3, X_S0, 0);
	rv_bind(c, &inside);
}

/* frm is set already. */
static void
put_loops(struct rv_code *c, const struct sweep_op *op, unsigned rm, unsigned operands)
{
	enum riscv64_op load = op->from == L_INT ? RV_LD : RV_FLD;
	struct rv_label outer = {0}, inner = {0};

	rv_constant(c, X_S0, TABLES + op->from * MAX_OPERANDS * 8);
	rv_constant(c, X_T0, operands * 8);
	rv_r(c, RV_ADD, X_S4, X_S0, X_T0);
	rv_i(c, RV_ADDI, X_S1, X_S0, 0);
	rv_i(c, RV_ADDI, X_S3, X_S0, 0);
	rv_constant(c, X_S7, OUTPUT);
	put_row_start(c, operands);
	rv_bind(c, &outer);
	rv_i(c, RV_ADDI, X_S2, X_S0, 0);
	if (op->operands > 1)
		put_row_start(c, operands);
	rv_bind(c, &inner);
	rv_i(c, load, 10, X_S1, 0);
	rv_i(c, load, 11, X_S2, 0);
	rv_i(c, load, 12, X_S3, 0);
	put_operation(c, op, rm);
	if (op->operands > 1) {
		put_step_third(c);
		rv_i(c, RV_ADDI, X_S2, X_S2, 8);
		rv_branch(c, RV_BNE, X_S2, X_S4, &inner);
		if (op->operands > 2) /* else row and column would go in step */
			put_step_third(c);
		put_write_row(c, operands);
	}
	rv_i(c, RV_ADDI, X_S1, X_S1, 8);
	rv_branch(c, RV_BNE, X_S1, X_S4, &outer);
	if (op->operands == 1)
		put_write_row(c, operands);
}

/* Rounding modes of an operation, in order: static ones, then dynamic ones as
 * 8 + frm; those without run under one. */
static unsigned
modes_of(const struct sweep_op *op, uint8_t modes[10])
{
	unsigned count = 0;

	for (uint8_t mode = 0; mode < (op->rounds ? 5 : 1); mode++)
		modes[count++] = mode;
	for (uint8_t mode = 0; op->rounds && mode < 5; mode++)
		modes[count++] = 8 + mode;
	return count;
}

void
sweep_program(unsigned operands, const char *path)
{
	static uint64_t lists[L_COUNT][MAX_OPERANDS];
	struct rv_code c = {.base = TEXT};

	make_lists(lists, operands);
	for (unsigned i = 0; i < ARRAY_LEN(ops); i++) {
		uint8_t modes[10];
		unsigned count = modes_of(&ops[i], modes);

		for (unsigned m = 0; m < count; m++) {
			rv_put(&c, &(struct riscv64_insn){.op = RV_CSRRWI, .csr = 2, .imm = modes[m] & 7});
			put_loops(&c, &ops[i], modes[m] < 8 ? modes[m] : RV_DYN, operands);
		}
	}
	rv_constant(&c, X_A0, 0);
	rv_syscall(&c, 94);
	rv_write_elf(path, (struct rv_segment[]){
		{TEXT, c.bytes, c.size, 0, PF_R | PF_X},
		{TABLES, lists, sizeof(lists), 0, PF_R},
		{OUTPUT, NULL, 0, MAX_OPERANDS * 9, PF_R | PF_W},
	}, 3, TEXT);
	free(c.bytes);
}

/* ---- the check ---------------------------------------------------------- */

static uint64_t
two_operands(struct fp_env *env, const struct sweep_op *op, enum fp_format f, uint64_t a, uint64_t b)
{
	uint64_t sign = UINT64_C(1) << (BITS(f) - 1);

	switch (op->kind) {
	case K_ADD: return fp_add(env, f, a, b);
	case K_SUB: return fp_sub(env, f, a, b);
	case K_MUL: return fp_mul(env, f, a, b);
	case K_DIV: return fp_div(env, f, a, b);
	case K_MIN: return fp_min(env, f, FP_MINMAX_NUMBER, a, b);
	case K_MAX: return fp_max(env, f, FP_MINMAX_NUMBER, a, b);
	case K_MINM: return fp_min(env, f, FP_MINMAX_NAN, a, b);
	case K_MAXM: return fp_max(env, f, FP_MINMAX_NAN, a, b);
	case K_SGNJ: return (a & ~sign) | (b & sign);
	case K_SGNJN: return (a & ~sign) | (~b & sign);
	case K_SGNJX: return a ^ (b & sign);
	case K_EQ: return fp_eq(env, f, a, b, false);
	case K_LT: return fp_lt(env, f, a, b, true);
	case K_LE: return fp_le(env, f, a, b, true);
	case K_LTQ: return fp_lt(env, f, a, b, false);
	case K_LEQ: return fp_le(env, f, a, b, false);
	default: rv_die("no expectation for operation %d", op->op);
	}
}

static uint64_t
one_operand(struct fp_env *env, const struct sweep_op *op, enum fp_format f, uint64_t raw)
{
	uint64_t a = unbox(op->from, raw);
	unsigned width = BITS(f);

	switch (op->kind) {
	case K_SQRT: return fp_sqrt(env, f, a);
	case K_ROUND: return fp_round_to_int(env, f, a, false);
	case K_ROUNDNX: return fp_round_to_int(env, f, a, true);
	case K_CLASS: return fp_classify(f, a);
	case K_CONVERT: return fp_convert(env, f, (enum fp_format)op->to, a);
	case K_MODULAR: return (uint64_t)(int64_t)fp_to_int32_modular(env, a, NULL);
	case K_FROM_X: return raw;
	/* Words are sign-extended into x, unsigned ones too. */
	case K_TO_INT:
		a = fp_to_int(env, f, a, op->type, FP_INT_RISCV, 0);
		return op->type.width == 32 ? (uint64_t)(int64_t)(int32_t)a : a;
	case K_FROM_INT:
		if (op->type.width == 32)
			raw = op->type.is_signed ? (uint64_t)(int64_t)(int32_t)raw : (uint32_t)raw;
		return fp_from_int(env, (enum fp_format)op->to, raw, op->type.is_signed, 0);
	/* A move does not look at the box. */
	case K_TO_X:
		return (uint64_t)((int64_t)(raw << (64 - width)) >> (64 - width));
	default: rv_die("no expectation for operation %d", op->op);
	}
}

static uint64_t
expect(struct fp_env *env, const struct sweep_op *op, const uint64_t raw[3])
{
	static const unsigned signs[] = {
		FP_FMA_PLAIN, FP_FMA_NEGATE_ADDEND, FP_FMA_NEGATE_PRODUCT,
		FP_FMA_NEGATE_PRODUCT | FP_FMA_NEGATE_ADDEND,
	};
	enum fp_format f = (enum fp_format)(op->from == L_INT ? op->to : op->from);
	uint64_t result;

	if (op->operands == 1)
		result = one_operand(env, op, f, raw[0]);
	else if (op->operands == 2)
		result = two_operands(env, op, f, unbox(op->from, raw[0]), unbox(op->from, raw[1]));
	else
		result = fp_fma(env, f, unbox(op->from, raw[0]), unbox(op->from, raw[1]),
				unbox(op->from, raw[2]), signs[op->kind - K_FMADD]);
	return op->to == L_INT ? result : box(op->to, result);
}

struct checker {
	uint64_t lists[L_COUNT][MAX_OPERANDS];
	unsigned operands;
	unsigned long checks;
	unsigned long wrong;
	uint8_t row[MAX_OPERANDS * 9];
};

static void
read_row(struct checker *k)
{
	if (fread(k->row, 9, k->operands, stdin) != k->operands)
		rv_die("the program's output ends early, after %lu results", k->checks);
}

static void
check_one(struct checker *k, const struct sweep_op *op, unsigned mode, unsigned column,
	  const uint64_t raw[3])
{
	struct fp_env env = {.rounding = mode & 7};
	uint64_t want = expect(&env, op, raw), got;
	uint8_t flags = k->row[k->operands * 8 + column];

	memcpy(&got, k->row + column * 8, 8);
	k->checks++;
	if (got == want && flags == env.flags)
		return;
	if (k->wrong++ < 40)
		printf("%s %s rm %u: %016" PRIx64 " %016" PRIx64 " %016" PRIx64 ": got %016" PRIx64
		       " flags %02x, want %016" PRIx64 " flags %02x\n",
		       riscv64_form_info(op->op).mnemonic, mode < 8 ? "static" : "dynamic", mode & 7,
		       raw[0], raw[1], raw[2], got, flags, want, env.flags);
}

static void
check_operation(struct checker *k, const struct sweep_op *op, unsigned mode)
{
	const uint64_t *list = k->lists[op->from];
	unsigned third = 0;

	if (op->operands == 1)
		read_row(k);
	for (unsigned i = 0; i < k->operands; i++) {
		if (op->operands == 1) {
			check_one(k, op, mode, i, (uint64_t[3]){list[i], 0, 0});
			continue;
		}
		read_row(k);
		for (unsigned j = 0; j < k->operands; j++) {
			check_one(k, op, mode, j,
				  (uint64_t[3]){list[i], list[j], op->operands > 2 ? list[third] : 0});
			third = (third + 1) % k->operands;
		}
		third = (third + (op->operands > 2)) % k->operands;
	}
}

bool
sweep_check(unsigned operands)
{
	static struct checker k;

	k.operands = operands;
	make_lists(k.lists, operands);
	for (unsigned i = 0; i < ARRAY_LEN(ops); i++) {
		uint8_t modes[10];
		unsigned count = modes_of(&ops[i], modes);

		for (unsigned m = 0; m < count; m++)
			check_operation(&k, &ops[i], modes[m]);
	}
	if (getchar() != EOF)
		rv_die("the program wrote more than expected");
	printf("%lu results, %lu wrong\n", k.checks, k.wrong);
	return !k.wrong;
}

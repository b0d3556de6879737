/* ir/: the evaluator: control flow, exits, faults, memory, undo log, linked
 * load and conditional store, helpers, floating point. */
#include "ir/eval.h"
#include "unit/check.h"

enum { A, B, C, D, F, G, NARROW, WIDE, SLOTS };
static const struct ir_slot slot_list[SLOTS] = {
	[A] = { "a", 0, IR_I64, -1, A },	   [B] = { "b", 8, IR_I64, -1, B },
	[C] = { "c", 16, IR_I64, -1, C },	   [D] = { "d", 24, IR_I64, -1, D },
	[F] = { "f", 32, IR_F64, -1, F },	   [G] = { "g", 40, IR_F64, -1, G },
	[NARROW] = { "narrow", 48, IR_I16, -1, NARROW }, [WIDE] = { "wide", 64, IR_I128, -1, WIDE },
};
static const struct ir_slots slots = { slot_list, SLOTS };

#define BASE 0x10000u
static struct arena arena, values;
static struct ir_frame frame;
static struct ir_region region;
static struct ir_builder b;
static struct ir_eval eval;
static _Alignas(64) uint8_t memory[256];
static const struct ir_window window = { BASE, sizeof memory, memory };

static uint64_t
sum_helper(struct ir_frame *f, uint64_t x, uint64_t y, uint64_t z)
{
	f->fp_flags |= 32;
	return x + 10 * y + 100 * z;
}

static const struct ir_helper helpers[] = { { "sum", sum_helper, 3, 0 } };

static uint64_t
slot(unsigned i)
{
	uint64_t x;

	memcpy(&x, frame.guest + slot_list[i].offset, sizeof x);
	return x;
}

static void
set_slot(unsigned i, uint64_t x)
{
	memcpy(frame.guest + slot_list[i].offset, &x, sizeof x);
}

static void
begin(void)
{
	arena_reset(&arena);
	ir_build_begin(&b, &region, &arena, &slots, 0x1000, 0);
	region.helpers = helpers;
	region.helper_count = ARRAY_LEN(helpers);
}

static void
run(void)
{
	if (!b.region->block[b.block].count)
		CHECK(ir_build_end(&b));
	arena_reset(&values);
	eval.frame = &frame;
	eval.window = &window;
	eval.arena = &values;
	CHECK(ir_eval(&eval, &region));
}

static ir_ref
number(uint64_t x)
{
	return ir_const(&b, IR_I64, x);
}

/* Fibonacci by a loop whose parameters change places. */
static void
test_loop(void)
{
	ir_ref x, y, left, start[3], next[3], out[1];

	begin();
	ir_at(&b, 0, 4);
	start[0] = number(0);
	start[1] = number(1);
	start[2] = ir_get(&b, A);
	ir_goto(&b, 1, 3, start);
	ir_block(&b, false);
	x = ir_param(&b, IR_I64);
	y = ir_param(&b, IR_I64);
	left = ir_param(&b, IR_I64);
	ir_at(&b, 4, 4);
	next[0] = y;
	next[1] = ir_binary(&b, IR_ADD, x, y);
	next[2] = ir_binary(&b, IR_SUB, left, number(1));
	out[0] = x;
	ir_br_with(&b, left, 1, 3, next, 2, 1, out);
	ir_block(&b, false);
	ir_set(&b, B, ir_param(&b, IR_I64));
	ir_exit_jump(&b, 8);
	set_slot(A, 50);
	run();
	CHECK_INT(slot(B), 12586269025);
	CHECK_INT(frame.pc, 0x1008);
	CHECK_INT(eval.kind, IR_EXIT_JUMP);
	CHECK_INT(eval.retired, 52);
	CHECK_INT(eval.at, 4);
}

/* More parameters than fit on the evaluator's stack: rotated by one. */
static void
test_many_parameters(void)
{
	ir_ref list[40], rotated[40], sum = 0;

	begin();
	for (unsigned i = 0; i < 40; i++)
		list[i] = number(i);
	ir_goto(&b, 1, 40, list);
	ir_block(&b, false);
	for (unsigned i = 0; i < 40; i++)
		list[i] = ir_param(&b, IR_I64);
	for (unsigned i = 0; i < 40; i++)
		rotated[i] = list[(i + 1) % 40];
	ir_br_with(&b, list[39], 1, 40, rotated, 2, 40, rotated);
	ir_block(&b, false);
	for (unsigned i = 0; i < 40; i++) {
		ir_ref p = ir_param(&b, IR_I64);

		list[i] = p;
	}
	sum = list[0];
	for (unsigned i = 1; i < 40; i++)
		sum = ir_binary(&b, IR_ADD, ir_binary(&b, IR_MUL, sum, number(3)), list[i]);
	ir_set(&b, A, sum);
	ir_exit_jump(&b, 4);
	run();
	uint64_t want = 2; /* rotated twice: list[39] is 0 at the second pass */
	for (unsigned i = 1; i < 40; i++)
		want = want * 3 + (i + 2) % 40;
	CHECK_INT(slot(A), want);
}

static void
test_exits(void)
{
	begin();
	ir_at(&b, 0, 4);
	ir_exit_call(&b, 0x100, 4);
	run();
	CHECK_INT(frame.pc, 0x1100);
	CHECK_INT(eval.link, 0x1004);
	CHECK_INT(eval.kind, IR_EXIT_CALL);
	CHECK_INT(eval.retired, 1);

	begin();
	ir_at(&b, 0, 4);
	ir_at(&b, 4, 2);
	ir_exit_value(&b, IR_EXIT_RETURN, ir_get(&b, A), 0);
	set_slot(A, 0x7ffff000);
	run();
	CHECK_INT(frame.pc, 0x7ffff000);
	CHECK_INT(eval.kind, IR_EXIT_RETURN);
	CHECK_INT(eval.retired, 2);

	for (enum ir_trap trap = IR_TRAP_ILLEGAL; trap <= IR_TRAP_SYSCALL; trap++) {
		begin();
		ir_at(&b, -4, 4);
		ir_at(&b, 8, 4);
		ir_set(&b, A, number(trap));
		ir_exit_trap(&b, trap, 8, 12);
		run();
		CHECK_INT(frame.pc, 0x1008);
		CHECK_INT(eval.link, 0x100c);
		CHECK_INT(eval.trap, trap);
		CHECK(!eval.before);
		CHECK_INT(slot(A), trap);
		CHECK_INT(eval.retired, trap == IR_TRAP_SYSCALL ? 2 : 1);
		CHECK_INT(eval.retired, ir_exit_of(&region, region.ins_count - 1).retired);
	}
}

static void
test_check(void)
{
	begin();
	ir_at(&b, 0, 4);
	ir_set(&b, B, number(1));
	ir_at(&b, 4, 2);
	ir_check(&b, IR_TRAP_ILLEGAL, ir_get(&b, A), 0xdeadbeef);
	ir_set(&b, B, number(2));
	ir_exit_jump(&b, 6);
	for (unsigned fails = 0; fails < 2; fails++) {
		set_slot(A, fails);
		run();
		CHECK_INT(eval.before, fails);
		CHECK_INT(eval.trap, fails ? IR_TRAP_ILLEGAL : IR_TRAP_NONE);
		CHECK_INT(eval.trap_value, fails ? 0xdeadbeef : 0);
		CHECK_INT(frame.pc, fails ? 0x1004 : 0x1006);
		CHECK_INT(slot(B), fails ? 1 : 2);
		CHECK_INT(eval.retired, fails ? 1 : 2);
		if (fails)
			CHECK_INT(eval.link, 0x1006);
	}
}

static void
test_call(void)
{
	ir_ref list[3];

	begin();
	list[0] = number(1);
	list[1] = number(2);
	list[2] = number(300);
	ir_set(&b, A, ir_call(&b, IR_I64, 0, 3, list));
	ir_set(&b, B, ir_zext(&b, IR_I64, IR_I8, ir_call(&b, IR_I8, 0, 3, list)));
	ir_set(&b, C, ir_pc(&b, -16));
	ir_exit_lookup(&b, 4);
	run();
	CHECK_INT(slot(A), 30021);
	CHECK_INT(slot(B), 30021 & 0xff);
	CHECK_INT(slot(C), 0xff0);
	CHECK_INT(eval.kind, IR_EXIT_LOOKUP);
	frame.fp_flags = 0;
}

/* ---- memory ------------------------------------------------------------- */

static const enum ir_type sizes[] = { IR_I8, IR_I16, IR_I32, IR_I64 };

/* Loads of each size, sign and alignment, and stores beside them. */
static void
test_access(void)
{
	for (unsigned i = 0; i < 4 * 2 * 16; i++) {
		enum ir_type type = sizes[i % 4];
		unsigned bytes = ir_type_bits(type) / 8, offset = i / 8;
		bool sign = i & 4;
		uint64_t want = 0;
		ir_ref host;

		for (unsigned k = 0; k < sizeof memory; k++)
			memory[k] = (uint8_t)(k * 37 + i + 128);
		for (unsigned k = bytes; k-- > 0;)
			want = want << 8 | memory[64 + offset + k];
		if (sign && want >> (8 * bytes - 1))
			want |= ~(uint64_t)0 << (8 * bytes - 1);
		begin();
		host = ir_xlate(&b, IR_ACCESS_RW, 0, ir_get(&b, A), 0, 64);
		ir_set(&b, B, ir_load(&b, IR_I64, IR_MEM(type, sign, i % 5), host, 32));
		ir_store(&b, IR_MEM(type, 0, i % 5), host, number(0x8877665544332211), -8);
		ir_exit_jump(&b, 4);
		set_slot(A, BASE + 32 + offset);
		run();
		CHECK_INT(slot(B), want);
		for (unsigned k = 0; k < 8; k++)
			CHECK_INT(memory[24 + offset + k],
				  k < bytes ? 0x11 * (k + 1) : (uint8_t)((24 + offset + k) * 37 + i + 128));
	}
}

static void
test_wide_access(void)
{
	struct vec undo = { 0 };
	const struct ir_undo *log;
	ir_ref host, x;

	for (unsigned k = 0; k < sizeof memory; k++)
		memory[k] = (uint8_t)k;
	begin();
	host = ir_xlate(&b, IR_ACCESS_RW, 4, number(BASE), 0, 256);
	x = ir_load(&b, IR_I128, IR_MEM(IR_I128, 0, 0), host, 16);
	ir_set(&b, WIDE, x);
	ir_store(&b, IR_MEM(IR_I128, 0, 0), host, ir_unary(&b, IR_NOT, x), 40);
	ir_store(&b, IR_MEM(IR_V256, 0, 0), host, ir_load(&b, IR_V256, IR_MEM(IR_V256, 0, 0), host, 0), 96);
	x = ir_emit(&b, IR_CAS, IR_I128, IR_MEM(IR_I128, 0, IR_SEQ_CST), host,
		    ir_load(&b, IR_I128, IR_MEM(IR_I128, 0, 0), host, 0), x);
	ir_set(&b, A, ir_trunc(&b, IR_I64, x));
	ir_exit_jump(&b, 4);
	eval.undo = &undo;
	run();
	eval.undo = NULL;
	CHECK(!memcmp(frame.guest + slot_list[WIDE].offset, "\x10\x11\x12\x13\x14\x15\x16\x17"
							    "\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f", 16));
	for (unsigned k = 0; k < 16; k++) {
		CHECK_INT(memory[k], k + 16);
		CHECK_INT(memory[40 + k], (uint8_t)~(k + 16));
	}
	for (unsigned k = 0; k < 32; k++)
		CHECK_INT(memory[96 + k], k);
	CHECK_INT(slot(A), 0x0706050403020100);
	CHECK_INT(undo.count, 3);
	log = undo.data;
	for (size_t i = undo.count; i-- > 0;)
		memcpy(memory + (log[i].address - BASE), log[i].old, log[i].size);
	for (unsigned k = 0; k < sizeof memory; k++)
		CHECK_INT(memory[k], k);
	vec_fini(&undo, sizeof(struct ir_undo));
}

/* What a fault leaves: the state before its instruction. */
static void
test_faults(void)
{
	static const struct {
		uint64_t address;
		unsigned align, access;
		enum ir_trap trap;
		uint64_t value;
	} cases[] = {
		{ BASE, 3, IR_ACCESS_R, IR_TRAP_NONE, 0 },
		{ BASE + 248, 0, IR_ACCESS_W, IR_TRAP_NONE, 0 },
		{ BASE + 249, 0, IR_ACCESS_R, IR_TRAP_READ_FAULT, BASE + 256 },
		{ BASE + 300, 0, IR_ACCESS_W, IR_TRAP_WRITE_FAULT, BASE + 300 },
		{ BASE - 1, 0, IR_ACCESS_RW, IR_TRAP_WRITE_FAULT, BASE - 1 },
		{ BASE + 4, 3, IR_ACCESS_R, IR_TRAP_MISALIGNED, BASE + 4 },
		{ UINT64_MAX - 3, 0, IR_ACCESS_R, IR_TRAP_READ_FAULT, UINT64_MAX - 3 },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++)
		for (unsigned range = 0; range < 2; range++) { /* 0: the access itself finds it */
			ir_ref host;

			begin();
			ir_at(&b, 0, 2);
			ir_set(&b, B, number(1));
			ir_at(&b, 2, 4);
			host = ir_xlate(&b, cases[i].access, cases[i].align, ir_get(&b, A), 0, range ? 8 : 0);
			if (cases[i].access & IR_ACCESS_W)
				ir_store(&b, IR_MEM(IR_I64, 0, 0), host, number(7), 0);
			else
				ir_load(&b, IR_I64, IR_MEM(IR_I64, 0, 0), host, 0);
			ir_set(&b, B, number(2));
			ir_exit_jump(&b, 6);
			set_slot(A, cases[i].address);
			run();
			CHECK_INT(eval.trap, cases[i].trap);
			CHECK_INT(eval.trap_value, cases[i].value);
			CHECK_INT(eval.before, cases[i].trap != IR_TRAP_NONE);
			CHECK_INT(frame.pc, cases[i].trap ? 0x1002 : 0x1006);
			CHECK_INT(slot(B), cases[i].trap ? 1 : 2);
			CHECK_INT(eval.retired, cases[i].trap ? 1 : 2);
		}
}

static int64_t
rmw_result(enum ir_rmw rmw, int64_t old, int64_t x)
{
	bool below = (uint64_t)old < (uint64_t)x;

	switch (rmw) {
	case IR_RMW_XCHG: return x;
	case IR_RMW_ADD: return old + x;
	case IR_RMW_AND: return old & x;
	case IR_RMW_OR: return old | x;
	case IR_RMW_XOR: return old ^ x;
	case IR_RMW_SMIN: return old < x ? old : x;
	case IR_RMW_SMAX: return old > x ? old : x;
	case IR_RMW_UMIN: return below ? old : x;
	case IR_RMW_UMAX: return below ? x : old;
	case IR_RMW_ANDN: return old & ~x;
	}
	return 0;
}

static void
test_rmw(void)
{
	static const int64_t operands[] = { 5, -3, 0, -128, 127 };

	for (unsigned i = 0; i < 4 * 10 * 25; i++) {
		enum ir_type type = sizes[i % 4];
		enum ir_rmw rmw = i / 4 % 10;
		int64_t old = operands[i / 40 % 5], x = operands[i / 200 % 5], now;
		unsigned bytes = ir_type_bits(type) / 8;
		ir_ref host, cas;

		begin();
		host = ir_xlate(&b, IR_ACCESS_RW, i % 4, number(BASE + 64), 0, 8);
		ir_set(&b, A, ir_sext(&b, IR_I64, type, ir_emit(&b, IR_RMW, type, IR_MEM_RMW(type, IR_SEQ_CST, rmw), host,
			      ir_trunc(&b, type, ir_get(&b, B)), 0)));
		/* Twice compare and exchange: the second finds the first's. */
		cas = ir_emit(&b, IR_CAS, type, IR_MEM(type, 0, IR_ACQ_REL), host,
			      ir_trunc(&b, type, ir_get(&b, C)), ir_const(&b, type, 99));
		ir_set(&b, C, ir_sext(&b, IR_I64, type, cas));
		cas = ir_emit(&b, IR_CAS, type, IR_MEM(type, 0, IR_ACQ_REL), host,
			      ir_const(&b, type, 98), ir_const(&b, type, 1));
		ir_set(&b, D, ir_sext(&b, IR_I64, type, cas));
		ir_exit_jump(&b, 4);
		memset(memory, 0x5a, sizeof memory);
		memcpy(memory + 64, &old, bytes);
		set_slot(B, (uint64_t)x);
		set_slot(C, (uint64_t)rmw_result(rmw, old, x));
		run();
		now = 0x5a5a5a5a5a5a5a5a;
		memcpy(&now, "\x63\0\0\0\0\0\0\0", bytes);
		CHECK_INT(slot(A), old);
		CHECK_INT(slot(C) << (64 - 8 * bytes), (uint64_t)rmw_result(rmw, old, x) << (64 - 8 * bytes));
		CHECK_INT(slot(D), 99);
		CHECK(!memcmp(memory + 64, &now, 8));
	}
}

/* A conditional store fails without its load, after another address's, after
 * a change of memory, and the second time. */
static void
test_linked(void)
{
	for (unsigned i = 0; i < 4; i++) {
		enum ir_type type = i & 1 ? IR_I32 : IR_I64;
		unsigned bytes = ir_type_bits(type) / 8;
		unsigned aux = IR_MEM(type, 0, IR_ACQ_REL);
		ir_ref host, other, x;

		memset(memory, 0x11, sizeof memory);
		frame.link_address = IR_LINK_NONE;
		begin();
		host = ir_xlate(&b, IR_ACCESS_RW, 2, number(BASE + 8), 0, 8);
		other = ir_xlate(&b, IR_ACCESS_RW, 2, number(BASE + 16), 0, 8);
		x = ir_const(&b, type, 0x22222222);
		if (i < 3)
			ir_set(&b, C, ir_zext(&b, IR_I64, type, ir_emit(&b, IR_LL, type, aux, i == 2 ? other : host,
				      number(i == 2 ? BASE + 16 : BASE + 8), 0)));
		if (i == 1)
			ir_store(&b, IR_MEM(IR_I8, 0, 0), host, number(0x10), 0);
		ir_emit(&b, IR_FENCE, IR_VOID, IR_FENCE(1, 2), 0, 0, 0);
		ir_set(&b, A, ir_emit(&b, IR_SC, IR_I64, aux, host, x, number(BASE + 8)));
		ir_set(&b, B, ir_emit(&b, IR_SC, IR_I64, aux, host, x, number(BASE + 8)));
		ir_exit_jump(&b, 4);
		run();
		CHECK_INT(slot(A), i != 0);
		CHECK_INT(slot(B), 1);
		CHECK_INT(memory[8 + bytes - 2], i ? 0x11 : bytes == 8 ? 0 : 0x22);
		CHECK_INT(memory[8], i == 1 ? 0x10 : i ? 0x11 : 0x22);
		CHECK_INT(frame.link_address, IR_LINK_NONE);
		if (i < 3)
			CHECK_INT(slot(C), i & 1 ? 0x11111111 : 0x1111111111111111);
	}
}

/* Straight through guest_base, no window; a narrow slot keeps its neighbours. */
static void
test_base(void)
{
	ir_ref host;

	begin();
	host = ir_xlate(&b, IR_ACCESS_RW, 3, number(BASE), 0, 8);
	ir_set(&b, NARROW, ir_load(&b, IR_I16, IR_MEM(IR_I16, 0, 0), host, 2));
	ir_exit_jump(&b, 4);
	CHECK(ir_build_end(&b));
	memcpy(memory, "\1\2\3\4", 4);
	memset(frame.guest + 48, 0xee, 8);
	frame.guest_base = (uint64_t)(uintptr_t)memory - BASE;
	eval.window = NULL;
	arena_reset(&values);
	CHECK(ir_eval(&eval, &region));
	CHECK_INT(slot(NARROW), 0xeeeeeeeeeeee0403);
}

/* ---- floating point ----------------------------------------------------- */

static uint64_t
bits_of(double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof bits);
	return bits;
}

static void
test_float(void)
{
	unsigned dynamic = IR_FP(IR_RDYN, IR_NAN_RISCV, 0, 0);
	ir_ref x, y, narrow;

	begin();
	x = ir_get(&b, F);
	y = ir_get(&b, G);
	ir_emit(&b, IR_FPROUND_SET, IR_VOID, 0, number(IR_RUP), 0, 0);
	ir_set(&b, A, ir_bitcast(&b, IR_I64, ir_emit(&b, IR_FDIV, IR_F64, dynamic, x, y, 0)));
	ir_set(&b, B, ir_emit(&b, IR_FPFLAGS_GET, IR_I64, 0, 0, 0, 0));
	ir_emit(&b, IR_FPFLAGS_SET, IR_VOID, 0, number(0), 0, 0);
	ir_set(&b, C, ir_emit(&b, IR_F2I, IR_I64, IR_FP(IR_RTZ, 0, 0, IR_F2I_SIGNED), x, 0, 0));
	ir_set(&b, D, ir_emit(&b, IR_FCMP, IR_I64, IR_FP(0, 0, 0, IR_FCMP_LT), x, y, 0));
	narrow = ir_emit(&b, IR_FCVT, IR_F32, IR_FP(IR_RNE, 0, 0, 0), x, 0, 0);
	narrow = ir_emit(&b, IR_FSGNJ, IR_F32, IR_FSGNJ_NOT, narrow, narrow, 0);
	ir_set(&b, F, ir_emit(&b, IR_BOX, IR_F64, 0, narrow, 0, 0));
	ir_set(&b, G, ir_emit(&b, IR_BOX, IR_F64, 0, ir_emit(&b, IR_UNBOX, IR_F32, 0, y, 0, 0), 0, 0));
	ir_exit_jump(&b, 4);
	set_slot(F, bits_of(1.0));
	set_slot(G, bits_of(3.0));
	frame.fp_flags = 0;
	run();
	CHECK_INT(frame.fp_round, IR_RUP);
	CHECK_INT(slot(A), 0x3fd5555555555556); /* a third, rounded up */
	CHECK_INT(slot(B), 1);
	CHECK_INT(slot(C), 1);
	CHECK_INT(slot(D), 1);
	CHECK_INT(slot(F), 0xffffffffbf800000);
	CHECK_INT(slot(G), 0xffffffff7fc00000);
	CHECK_INT(frame.fp_flags, 0);
}

static void
test_float_rules(void)
{
	static const struct {
		enum ir_op op;
		unsigned aux;
		uint64_t x, y, want, flags;
	} cases[] = {
		{ IR_FADD, IR_FP(0, IR_NAN_RISCV, 0, 0), 0x7ff0000000000001, 0, 0x7ff8000000000000, 16 },
		{ IR_FADD, IR_FP(0, IR_NAN_RISCV, IR_FP_NOFLAGS, 0), 0x7ff0000000000001, 0, 0x7ff8000000000000, 0 },
		{ IR_FADD, IR_FP(0, IR_NAN_X86, 0, 0), 0xfff0000000000001, 0, 0xfff8000000000001, 16 },
		{ IR_FSUB, IR_FP(IR_RDN, 0, 0, 0), 0x3ff0000000000000, 0x3ff0000000000000, 0x8000000000000000, 0 },
		{ IR_FMUL, IR_FP(0, IR_NAN_ARM, IR_FP_FLUSH, 0), 1, 0x3ff0000000000000, 0, 64 },
		{ IR_FDIV, IR_FP(0, 0, 0, 0), 0x3ff0000000000000, 0, 0x7ff0000000000000, 8 },
		{ IR_FSQRT, IR_FP(0, 0, 0, 0), 0x4010000000000000, 0, 0x4000000000000000, 0 },
		{ IR_FMA, IR_FP(0, 0, 0, IR_FMA_NEG_PRODUCT), 0x4000000000000000, 0x4008000000000000,
		  0xc010000000000000, 0 }, /* -(2 * 3) + 2 */
		{ IR_FMIN, IR_FP(0, IR_NAN_RISCV, 0, IR_FMINMAX_NUMBER), 0x7ff0000000000001, 0, 0, 16 },
		{ IR_FMIN, IR_FP(0, IR_NAN_ARM, 0, IR_FMINMAX_NUMBER), 0x7ff0000000000001, 0, 0x7ff8000000000001, 16 },
		{ IR_FMAX, IR_FP(0, IR_NAN_X86, 0, IR_FMINMAX_X86), 0x3ff0000000000000, 0x7ff8000000000000,
		  0x7ff8000000000000, 16 },
		{ IR_FRINT, IR_FP(IR_RMM, 0, 0, IR_FRINT_INEXACT), 0x4004000000000000, 0, 0x4008000000000000, 1 },
		{ IR_FRINT, IR_FP(IR_RNE, 0, 0, 0), 0x4004000000000000, 0, 0x4000000000000000, 0 },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		ir_ref x, y;
		bool two = ir_op_info[cases[i].op].operands[1] == '=';

		begin();
		x = ir_get(&b, F);
		y = ir_get(&b, G);
		x = ir_emit(&b, cases[i].op, IR_F64, cases[i].aux, x, two ? y : 0, cases[i].op == IR_FMA ? x : 0);
		ir_set(&b, F, x);
		ir_exit_jump(&b, 4);
		set_slot(F, cases[i].x);
		set_slot(G, cases[i].y);
		frame.fp_flags = 0;
		run();
		CHECK_INT(slot(F), cases[i].want);
		CHECK_INT(frame.fp_flags, cases[i].flags);
	}
}

/* An integer to a float and back, by width and sign. */
static void
test_float_integers(void)
{
	for (unsigned k = 0; k < 4; k++)
		for (unsigned sign = 0; sign < 2; sign++) {
			unsigned w = ir_type_bits(sizes[k]);
			uint64_t x = (uint64_t)0x81 << (w - 8);
			double want = sign ? -(double)((uint64_t)0x7f << (w - 8)) : (double)x;
			ir_ref f;

			begin();
			f = ir_emit(&b, IR_I2F, IR_F64, IR_FP(0, 0, 0, sign), ir_trunc(&b, sizes[k], ir_get(&b, A)), 0, 0);
			ir_set(&b, F, f);
			f = ir_emit(&b, IR_F2I, sizes[k], IR_FP(0, 0, 0, sign << 2), f, 0, 0);
			ir_set(&b, B, ir_zext(&b, IR_I64, sizes[k], f));
			f = ir_emit(&b, IR_F2I, sizes[k], IR_FP(0, 0, 0, IR_F2I_RISCV | sign << 2), ir_get(&b, G), 0, 0);
			ir_set(&b, C, ir_zext(&b, IR_I64, sizes[k], f));
			ir_set(&b, D, ir_emit(&b, IR_FCLASS, IR_I64, 0, ir_get(&b, G), 0, 0));
			ir_exit_jump(&b, 4);
			set_slot(A, x);
			set_slot(G, 0xfff0000000000000);
			run();
			CHECK_INT(slot(F), bits_of(want));
			CHECK_INT(slot(B), x);
			CHECK_INT(slot(C), sign ? (uint64_t)1 << (w - 1) : 0);
			CHECK_INT(slot(D), 1);
		}
}

int
main(void)
{
	test_loop();
	test_many_parameters();
	test_exits();
	test_check();
	test_call();
	test_access();
	test_wide_access();
	test_faults();
	test_rmw();
	test_linked();
	test_base();
	test_float();
	test_float_rules();
	test_float_integers();
	arena_fini(&arena);
	arena_fini(&values);
	return check_done();
}

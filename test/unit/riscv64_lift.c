/* RV64 lifters of integer instructions, against expectations written from the
 * manual, one expression an operation: alone, and in random sequences that the
 * builder may fold. Then how regions begin and end. */
#include "unit/riscv64_run.h"

static uint64_t
word(uint64_t x)
{
	return (uint64_t)(int64_t)(int32_t)x;
}

static uint64_t
mul_high(uint64_t x, bool x_signed, uint64_t y, bool y_signed)
{
	s128 a = x_signed ? (s128)(int64_t)x : (s128)x, b = y_signed ? (s128)(int64_t)y : (s128)y;

	return (uint64_t)((u128)(a * b) >> 64);
}

static uint64_t
divide(int64_t x, int64_t y, int64_t least, bool remainder)
{
	if (!y)
		return remainder ? (uint64_t)x : UINT64_MAX;
	if (x == least && y == -1)
		return remainder ? 0 : (uint64_t)x;
	return (uint64_t)(remainder ? x % y : x / y);
}

static uint64_t
divide_unsigned(uint64_t x, uint64_t y, bool remainder)
{
	if (!y)
		return remainder ? x : UINT64_MAX;
	return remainder ? x % y : x / y;
}

static uint64_t
rotate(uint64_t x, unsigned left, unsigned bits)
{
	uint64_t result = 0;

	for (unsigned i = 0; i < bits; i++)
		result |= (x >> i & 1) << (i + left) % bits;
	return result;
}

/* Zeros before the first one, from the top or from the bottom. */
static uint64_t
zeros(uint64_t x, unsigned bits, bool leading)
{
	unsigned n = 0;

	while (n < bits && !(x >> (leading ? bits - 1 - n : n) & 1))
		n++;
	return n;
}

static uint64_t
ones(uint64_t x, unsigned bits)
{
	unsigned n = 0;

	for (unsigned i = 0; i < bits; i++)
		n += x >> i & 1;
	return n;
}

static uint64_t
carry_less(uint64_t x, uint64_t y, unsigned from)
{
	u128 product = 0;

	for (unsigned i = 0; i < 64; i++)
		if (y >> i & 1)
			product ^= (u128)x << i;
	return (uint64_t)(product >> from);
}

static uint64_t
bytes(uint64_t x, bool reverse)
{
	uint64_t result = 0;

	for (unsigned i = 0; i < 8; i++) {
		uint64_t byte = x >> 8 * i & 0xff;

		result |= reverse ? byte << (56 - 8 * i) : (byte ? 0xffull : 0) << 8 * i;
	}
	return result;
}

/* X(op, result); x, y: rs1, rs2; i: immediate; pc: the instruction's. */
#define INT_TESTS(X) \
	X(LUI, (uint64_t)i) \
	X(AUIPC, pc + (uint64_t)i) \
	X(ADDI, x + (uint64_t)i) \
	X(SLTI, (int64_t)x < i) \
	X(SLTIU, x < (uint64_t)i) \
	X(XORI, x ^ (uint64_t)i) \
	X(ORI, x | (uint64_t)i) \
	X(ANDI, x & (uint64_t)i) \
	X(SLLI, x << i) \
	X(SRLI, x >> i) \
	X(SRAI, (uint64_t)((int64_t)x >> i)) \
	X(ADD, x + y) \
	X(SUB, x - y) \
	X(SLL, x << (y & 63)) \
	X(SLT, (int64_t)x < (int64_t)y) \
	X(SLTU, x < y) \
	X(XOR, x ^ y) \
	X(SRL, x >> (y & 63)) \
	X(SRA, (uint64_t)((int64_t)x >> (y & 63))) \
	X(OR, x | y) \
	X(AND, x & y) \
	X(ADDIW, word(x + (uint64_t)i)) \
	X(SLLIW, word(x << i)) \
	X(SRLIW, word((uint32_t)x >> i)) \
	X(SRAIW, (uint64_t)((int64_t)(int32_t)x >> i)) \
	X(ADDW, word(x + y)) \
	X(SUBW, word(x - y)) \
	X(SLLW, word(x << (y & 31))) \
	X(SRLW, word((uint32_t)x >> (y & 31))) \
	X(SRAW, (uint64_t)((int64_t)(int32_t)x >> (y & 31))) \
	X(MUL, x * y) \
	X(MULH, mul_high(x, true, y, true)) \
	X(MULHSU, mul_high(x, true, y, false)) \
	X(MULHU, (uint64_t)((u128)x * y >> 64)) \
	X(DIV, divide((int64_t)x, (int64_t)y, INT64_MIN, false)) \
	X(DIVU, divide_unsigned(x, y, false)) \
	X(REM, divide((int64_t)x, (int64_t)y, INT64_MIN, true)) \
	X(REMU, divide_unsigned(x, y, true)) \
	X(MULW, word(x * y)) \
	X(DIVW, word(divide((int32_t)x, (int32_t)y, INT32_MIN, false))) \
	X(DIVUW, word(divide_unsigned((uint32_t)x, (uint32_t)y, false))) \
	X(REMW, word(divide((int32_t)x, (int32_t)y, INT32_MIN, true))) \
	X(REMUW, word(divide_unsigned((uint32_t)x, (uint32_t)y, true))) \
	X(CZERO_EQZ, y == 0 ? 0 : x) \
	X(CZERO_NEZ, y != 0 ? 0 : x) \
	X(ADD_UW, (uint32_t)x + y) \
	X(SH1ADD, 2 * x + y) \
	X(SH2ADD, 4 * x + y) \
	X(SH3ADD, 8 * x + y) \
	X(SH1ADD_UW, 2 * (uint64_t)(uint32_t)x + y) \
	X(SH2ADD_UW, 4 * (uint64_t)(uint32_t)x + y) \
	X(SH3ADD_UW, 8 * (uint64_t)(uint32_t)x + y) \
	X(SLLI_UW, (uint64_t)(uint32_t)x << i) \
	X(ANDN, x & ~y) \
	X(ORN, x | ~y) \
	X(XNOR, ~(x ^ y)) \
	X(CLZ, zeros(x, 64, true)) \
	X(CTZ, zeros(x, 64, false)) \
	X(CPOP, ones(x, 64)) \
	X(CLZW, zeros(x, 32, true)) \
	X(CTZW, zeros(x, 32, false)) \
	X(CPOPW, ones(x, 32)) \
	X(MIN, (int64_t)x < (int64_t)y ? x : y) \
	X(MINU, x < y ? x : y) \
	X(MAX, (int64_t)x > (int64_t)y ? x : y) \
	X(MAXU, x > y ? x : y) \
	X(SEXT_B, (uint64_t)(int64_t)(int8_t)x) \
	X(SEXT_H, (uint64_t)(int64_t)(int16_t)x) \
	X(ZEXT_H, (uint16_t)x) \
	X(ROL, rotate(x, y & 63, 64)) \
	X(ROR, rotate(x, 64 - (y & 63), 64)) \
	X(RORI, rotate(x, 64 - (unsigned)i, 64)) \
	X(ROLW, word(rotate((uint32_t)x, y & 31, 32))) \
	X(RORW, word(rotate((uint32_t)x, 32 - (y & 31), 32))) \
	X(RORIW, word(rotate((uint32_t)x, 32 - (unsigned)i, 32))) \
	X(ORC_B, bytes(x, false)) \
	X(REV8, bytes(x, true)) \
	X(CLMUL, carry_less(x, y, 0)) \
	X(CLMULR, carry_less(x, y, 63)) \
	X(CLMULH, carry_less(x, y, 64)) \
	X(BCLR, x & ~(1ull << (y & 63))) \
	X(BCLRI, x & ~(1ull << i)) \
	X(BEXT, x >> (y & 63) & 1) \
	X(BEXTI, x >> i & 1) \
	X(BINV, x ^ 1ull << (y & 63)) \
	X(BINVI, x ^ 1ull << i) \
	X(BSET, x | 1ull << (y & 63)) \
	X(BSETI, x | 1ull << i) \
	X(MOP_R, 0) \
	X(MOP_RR, 0)

#define DEFINE(operation, result) \
	static uint64_t want_##operation(uint64_t x, uint64_t y, int64_t i, uint64_t pc) \
	{ \
		(void)x, (void)y, (void)i, (void)pc; \
		return (uint64_t)(result); \
	}
INT_TESTS(DEFINE)

struct int_test {
	enum riscv64_op op;
	uint64_t (*want)(uint64_t x, uint64_t y, int64_t i, uint64_t pc);
};

static const struct int_test int_tests[] = {
#define ENTRY(operation, result) { RV_##operation, want_##operation },
	INT_TESTS(ENTRY)
};

/* Appends the instruction with random operands, and does it to x. */
static void
put_int_test(const struct int_test *test, uint64_t *x)
{
	/* Few registers, so that results become operands. */
	uint64_t r = rv_random(), pc = CODE_PC + rv.size;
	enum riscv64_format format = riscv64_form_info(test->op).format;
	struct riscv64_insn insn = { .op = test->op, .rd = r % 8, .imm = rv_random_imm(test->op) };

	if (format != RV_FORMAT_U)
		insn.rs1 = r >> 8 & 7;
	if (format == RV_FORMAT_R || format == RV_FORMAT_MOPRR)
		insn.rs2 = r >> 16 & 7;
	/* Some of those to x0 are called ntl.*, prefetch.*. */
	if ((test->op == RV_ADD || test->op == RV_ORI) && !insn.rd)
		insn.rd = 1;
	rv_insn(insn);
	if (insn.rd)
		x[insn.rd] = test->want(x[insn.rs1], x[insn.rs2], insn.imm, pc);
}

static void
run_and_compare(const uint64_t *x, unsigned count, const char *name)
{
	bool ok = true;

	rv_run();
	RV_CHECK_JUMP(4 * count);
	CHECK_INT(rv.eval.retired, count);
	CHECK_INT(rv.region.insns, count);
	CHECK_INT(rv.region.bytes, 4 * count);
	for (unsigned i = 0; i < 32; i++)
		ok &= CHECK_INT(rv_state()->x[i], x[i]);
	if (!ok)
		fprintf(stderr, "  in: %s\n", name);
}

static void
test_integers(void)
{
	uint64_t x[32];

	for (unsigned t = 0; t < ARRAY_LEN(int_tests); t++)
		for (unsigned n = 0; n < 300; n++) {
			rv_begin();
			memcpy(x, rv_state()->x, sizeof x);
			put_int_test(&int_tests[t], x);
			run_and_compare(x, 1, riscv64_form_info(int_tests[t].op).mnemonic);
		}
}

static void
test_integer_sequences(void)
{
	uint64_t x[32];

	for (unsigned n = 0; n < 2000; n++) {
		unsigned length = 2 + rv_random() % 31;

		rv_begin();
		memcpy(x, rv_state()->x, sizeof x);
		for (unsigned i = 0; i < length; i++)
			put_int_test(&int_tests[rv_random() % ARRAY_LEN(int_tests)], x);
		run_and_compare(x, length, "a sequence");
	}
}

/* ---- branches, jumps ---------------------------------------------------- */

static void
check_branch(enum riscv64_op op, uint64_t x, uint64_t y, bool taken)
{
	int32_t offset = (int32_t)(rv_random() % 2048) * 2 - 2048;

	rv_begin();
	rv_state()->x[3] = x;
	rv_state()->x[4] = y;
	rv.single_block = rv_random() & 1;
	rv_insn((struct riscv64_insn){ .op = op, .rs1 = 3, .rs2 = 4, .imm = offset });
	rv_run();
	RV_CHECK_JUMP(taken ? offset : 4);
	CHECK_INT(rv.eval.retired, 1);
}

static void
test_branches(void)
{
	for (unsigned n = 0; n < 300; n++) {
		uint64_t x = rv_random_operand(), y = n % 4 ? rv_random_operand() : x;

		check_branch(RV_BEQ, x, y, x == y);
		check_branch(RV_BNE, x, y, x != y);
		check_branch(RV_BLT, x, y, (int64_t)x < (int64_t)y);
		check_branch(RV_BGE, x, y, (int64_t)x >= (int64_t)y);
		check_branch(RV_BLTU, x, y, x < y);
		check_branch(RV_BGEU, x, y, x >= y);
	}
	/* Known when lifted: x0 is what it is. */
	rv_begin();
	RV(BEQ, .imm = 64);
	rv_run();
	RV_CHECK_JUMP(64);
	rv_begin();
	RV(BNE, .imm = 64);
	RV(BLTU, .rs1 = 5, .imm = 64);
	RV(ADDI, .rd = 5, .imm = 7);
	rv_run();
	RV_CHECK_JUMP(12);
	CHECK_INT(rv_state()->x[5], 7);
	CHECK_INT(rv.region.block_count, 1);
	/* To the next instruction: none at all. */
	rv_begin();
	RV(BLT, .rs1 = 5, .rs2 = 6, .imm = 4);
	rv_run();
	RV_CHECK_JUMP(4);
	CHECK_INT(rv.region.block_count, 1);
}

/* What has been set before a branch that is taken in the middle, is set. */
static void
test_trunk(void)
{
	for (unsigned leave = 0; leave < 4; leave++) {
		rv_begin();
		rv_state()->x[10] = leave;
		for (unsigned i = 0; i < 3; i++) {
			RV(ADDI, .rd = 11, .imm = i);
			RV(BEQ, .rs1 = 10, .rs2 = 11, .imm = 100);
		}
		RV(ADDI, .rd = 11, .imm = 99);
		rv_run();
		RV_CHECK_JUMP(leave < 3 ? 8 * leave + 4 + 100 : 28);
		CHECK_INT(rv.eval.retired, leave < 3 ? 2 * leave + 2 : 7);
		CHECK_INT(rv_state()->x[11], leave < 3 ? leave : 99);
	}
}

static void
check_jalr(unsigned rd, unsigned rs1, enum ir_exit_kind kind)
{
	int64_t imm = (int64_t)rv_random() >> 52;
	uint64_t target;

	rv_begin();
	target = (rv_state()->x[rs1] + (uint64_t)imm) & ~1ull;
	RV(JALR, .rd = rd, .rs1 = rs1, .imm = imm);
	rv_run();
	CHECK_INT(rv.eval.kind, kind);
	CHECK_INT(rv.frame.pc, target);
	CHECK_INT(rv_state()->x[rd], rd ? CODE_PC + 4 : 0);
	if (kind == IR_EXIT_ICALL)
		CHECK_INT(rv.eval.link, CODE_PC + 4);
}

static void
test_jumps(void)
{
	for (unsigned rd = 0; rd < 32; rd++) {
		bool link = rd == 1 || rd == 5;
		int32_t offset = (int32_t)(rv_random() % (1 << 20)) * 2 - (1 << 20);

		rv_begin();
		RV(JAL, .rd = rd, .imm = offset);
		rv_run();
		CHECK_INT(rv.eval.kind, link ? IR_EXIT_CALL : IR_EXIT_JUMP);
		CHECK_INT(rv.frame.pc, CODE_PC + (uint64_t)(int64_t)offset);
		CHECK_INT(rv_state()->x[rd], rd ? CODE_PC + 4 : 0);
		if (link)
			CHECK_INT(rv.eval.link, CODE_PC + 4);
		for (unsigned rs1 = 0; rs1 < 32; rs1++)
			check_jalr(rd, rs1, link ? IR_EXIT_ICALL
					    : rs1 == 1 || rs1 == 5 ? IR_EXIT_RETURN : IR_EXIT_INDIRECT);
	}
	/* call: auipc, jalr. */
	rv_begin();
	RV(AUIPC, .rd = 1, .imm = 0x12345000);
	RV(JALR, .rd = 1, .rs1 = 1, .imm = -0x123);
	rv_run();
	CHECK_INT(rv.eval.kind, IR_EXIT_CALL);
	CHECK_INT(rv.frame.pc, CODE_PC + 0x12345000 - 0x124);
	CHECK_INT(rv.eval.link, CODE_PC + 8);
	CHECK_INT(rv_state()->x[1], CODE_PC + 8);
	/* tail */
	rv_begin();
	RV(AUIPC, .rd = 6, .imm = -0x12345000);
	RV(JALR, .rs1 = 6, .imm = 0x122);
	rv_run();
	RV_CHECK_JUMP(-0x12345000 + 0x122);
	CHECK_INT(rv_state()->x[6], CODE_PC - 0x12345000);
}

/* ---- where regions begin and end ---------------------------------------- */

static void
check_trap(enum ir_trap trap, int32_t at, int32_t next, unsigned retired)
{
	CHECK_INT(rv.eval.kind, IR_EXIT_TRAP);
	CHECK_INT(rv.eval.trap, trap);
	CHECK_INT(rv.frame.pc, CODE_PC + (uint64_t)at);
	CHECK_INT(rv.eval.link, CODE_PC + (uint64_t)next);
	CHECK_INT(rv.eval.retired, retired);
}

static void
test_traps(void)
{
	rv_begin();
	RV(ADDI, .rd = 10, .imm = 5);
	RV(ECALL, .rd = 0);
	rv_run();
	check_trap(IR_TRAP_SYSCALL, 4, 8, 2);
	CHECK_INT(rv_state()->x[10], 5);

	rv_begin();
	RV(ADDI, .rd = 10, .imm = 6);
	rv_put(0x9002, 2); /* c.ebreak */
	rv_run();
	check_trap(IR_TRAP_BREAKPOINT, 4, 6, 1);

	rv_begin();
	RV(ADDI, .rd = 10, .imm = 7);
	rv_put(0, 2);
	rv_run();
	check_trap(IR_TRAP_ILLEGAL, 4, 6, 1);
	CHECK_INT(rv_state()->x[10], 7);

	rv_begin();
	RV(CBO_INVAL, .rs1 = 10);
	rv_run();
	check_trap(IR_TRAP_ILLEGAL, 0, 4, 0);

	rv_begin();
	RV(FENCE_I, .rd = 0);
	rv_run();
	CHECK_INT(rv.eval.kind, IR_EXIT_LOOKUP);
	CHECK_INT(rv.frame.pc, CODE_PC + 4);
}

static void
test_limits(void)
{
	rv_begin();
	for (unsigned i = 0; i < 100; i++)
		RV(ADDI, .rd = 10, .rs1 = 10, .imm = 1);
	rv_state()->x[10] = 0;
	rv_run();
	RV_CHECK_JUMP(4 * 64);
	CHECK_INT(rv_state()->x[10], 64);
	rv.insns = 3;
	rv_run();
	RV_CHECK_JUMP(12);
	CHECK_INT(rv_state()->x[10], 67);
	/* Up to the first instruction that is not wholly there. */
	rv.insns = 0;
	rv.size = 10;
	rv_run();
	RV_CHECK_JUMP(8);
	for (rv.size = 0; rv.size < 4; rv.size++) {
		rv_run();
		check_trap(IR_TRAP_FETCH_FAULT, 0, rv.size < 2 ? 0 : 2, 0);
		CHECK_INT(rv.region.bytes, 0);
	}
	/* c.nop fits in two. */
	rv_begin();
	rv_put(1, 2);
	rv_run();
	RV_CHECK_JUMP(2);
	CHECK_INT(rv.region.bytes, 2);
}

static void
test_nothing(void)
{
	static const enum riscv64_op ops[] = { RV_PAUSE, RV_NTL_P1, RV_NTL_PALL, RV_NTL_S1, RV_NTL_ALL,
					       RV_WRS_NTO, RV_WRS_STO, RV_FENCE_TSO };
	struct riscv64_state before;

	rv_begin();
	before = *rv_state();
	for (unsigned i = 0; i < ARRAY_LEN(ops); i++)
		rv_insn((struct riscv64_insn){ .op = ops[i] });
	RV(PREFETCH_I, .rs1 = 5, .imm = 32);
	RV(PREFETCH_R, .rs1 = 5, .imm = -64);
	RV(PREFETCH_W, .rs1 = 5);
	for (unsigned i = 0; i < 256; i += 5)
		RV(FENCE, .imm = i);
	rv.insns = 64;
	rv_run();
	RV_CHECK_JUMP(rv.size < 256 ? rv.size : 256);
	CHECK(!memcmp(&before, rv_state(), sizeof before));
}

/* ---- the guest ---------------------------------------------------------- */

static void
test_guest(void)
{
	const struct guest *guest = guest_by_name("riscv64");
	char text[64];

	CHECK(guest == &guest_riscv64);
	CHECK(guest_by_elf_machine(243) == guest);
	CHECK(guest_by_name("pdp11") == NULL);
	CHECK(guest_by_elf_machine(1) == NULL);
	rv_begin();
	for (unsigned i = 1; i < 32; i++) {
		const struct ir_slot *slot = &guest->slots->slot[RISCV64_X0 + i];

		CHECK_TEXT(slot->name, riscv64_x_name(i));
		CHECK_INT(guest_slot_read(guest, &rv.frame, RISCV64_X0 + i), rv_state()->x[i]);
		guest_slot_write(guest, &rv.frame, RISCV64_X0 + i, i * 3);
		CHECK_INT(rv_state()->x[i], i * 3);
	}
	for (unsigned i = 0; i < 32; i++) {
		CHECK_TEXT(guest->slots->slot[RISCV64_F0 + i].name, riscv64_f_name(i));
		CHECK_INT(guest_slot_read(guest, &rv.frame, RISCV64_F0 + i), rv_state()->f[i]);
	}
	CHECK_TEXT(guest->slots->slot[guest->slot_sp].name, "sp");
	CHECK_TEXT(guest->slots->slot[guest->slot_tls].name, "tp");
	RV(ADD, .rd = 10, .rs1 = 11, .rs2 = 12);
	CHECK_INT(guest->disassemble(text, sizeof text, CODE_PC, rv.code, 4), 4);
	CHECK_TEXT(text, "add\ta0,a1,a2");
	CHECK_INT(guest->disassemble(text, sizeof text, CODE_PC, rv.code, 3), 0);
}

int
main(void)
{
	test_integers();
	test_integer_sequences();
	test_branches();
	test_trunk();
	test_jumps();
	test_traps();
	test_limits();
	test_nothing();
	test_guest();
	return check_done();
}

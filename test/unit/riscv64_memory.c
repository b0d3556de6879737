/* RV64 lifters of loads, stores, atomics, cache blocks and CSRs, and what the
 * guest tells of an access that faults, against expectations written from the
 * manual. */
#include "unit/riscv64_run.h"

/* A random place of that size in memory. */
static uint64_t
random_address(unsigned size)
{
	return MEMORY_BASE + rv_random() % (MEMORY_SIZE - size + 1);
}

static void
fill_memory(void)
{
	for (unsigned i = 0; i < MEMORY_SIZE; i += 8) {
		uint64_t word = rv_random_operand();

		memcpy(rv.memory + i, &word, 8);
	}
}

static uint64_t
read_memory(uint64_t address, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, rv.memory + (address - MEMORY_BASE), size);
	return value;
}

/* The first instruction of the code accesses that, says the guest. */
static void
check_access(uint64_t address, enum ir_access access)
{
	enum ir_access got_access;
	uint64_t got;

	CHECK(guest_riscv64.access_address(&rv.frame, rv.code, rv.size, &got, &got_access));
	CHECK_INT(got, address);
	CHECK_INT(got_access, access);
	CHECK(!guest_riscv64.access_address(&rv.frame, rv.code, 3, &got, &got_access));
}

/* The one instruction faulted as if it had not begun. */
static void
check_fault(enum ir_trap trap, uint64_t address, const struct riscv64_state *before)
{
	CHECK_INT(rv.eval.kind, IR_EXIT_TRAP);
	CHECK_INT(rv.eval.trap, trap);
	CHECK_INT(rv.eval.trap_value, address);
	CHECK(rv.eval.before);
	CHECK_INT(rv.frame.pc, CODE_PC);
	CHECK_INT(rv.eval.retired, 0);
	CHECK(!memcmp(before, rv_state(), sizeof *before));
}

/* ---- loads and stores --------------------------------------------------- */

/* How a loaded register follows from the bytes. */
enum extension { SIGNED, UNSIGNED, BOXED };

static const struct {
	enum riscv64_op op;
	unsigned size;
	enum extension extension;
} loads[] = {
	{ RV_LB, 1, SIGNED },	{ RV_LH, 2, SIGNED },	{ RV_LW, 4, SIGNED },	{ RV_LD, 8, SIGNED },
	{ RV_LBU, 1, UNSIGNED }, { RV_LHU, 2, UNSIGNED }, { RV_LWU, 4, UNSIGNED }, { RV_FLH, 2, BOXED },
	{ RV_FLW, 4, BOXED },	{ RV_FLD, 8, BOXED },
};

static uint64_t
extended(uint64_t value, unsigned size, enum extension extension)
{
	unsigned unused = 64 - 8 * size;

	if (extension == SIGNED)
		return (uint64_t)((int64_t)(value << unused) >> unused);
	return extension == BOXED && size < 8 ? value | UINT64_MAX << 8 * size : value;
}

static void
check_load(unsigned t, bool inside)
{
	unsigned size = loads[t].size, rd = rv_random() % 32, rs1 = 1 + rv_random() % 31;
	uint64_t address = inside ? random_address(size) : MEMORY_BASE + MEMORY_SIZE - size + 1;
	int64_t imm = rv_random_imm(loads[t].op);
	struct riscv64_state want;

	rv_begin();
	fill_memory();
	rv_state()->x[rs1] = address - (uint64_t)imm;
	want = *rv_state();
	rv_insn((struct riscv64_insn){ .op = loads[t].op, .rd = rd, .rs1 = rs1, .imm = imm });
	check_access(address, IR_ACCESS_R);
	rv_run();
	if (!inside) {
		check_fault(IR_TRAP_READ_FAULT, MEMORY_BASE + MEMORY_SIZE, &want);
		return;
	}
	RV_CHECK_JUMP(4);
	if (loads[t].extension == BOXED)
		want.f[rd] = extended(read_memory(address, size), size, BOXED);
	else if (rd)
		want.x[rd] = extended(read_memory(address, size), size, loads[t].extension);
	CHECK(!memcmp(&want, rv_state(), sizeof want));
}

static const struct {
	enum riscv64_op op;
	unsigned size;
	bool from_f;
} stores[] = {
	{ RV_SB, 1, false }, { RV_SH, 2, false }, { RV_SW, 4, false }, { RV_SD, 8, false },
	{ RV_FSH, 2, true }, { RV_FSW, 4, true }, { RV_FSD, 8, true },
};

static void
check_store(unsigned t, bool inside)
{
	unsigned size = stores[t].size, rs2 = rv_random() % 32, rs1 = 1 + rv_random() % 31;
	uint64_t address = inside ? random_address(size) : MEMORY_BASE + MEMORY_SIZE - size + 1;
	int64_t imm = rv_random_imm(stores[t].op);
	uint8_t memory[MEMORY_SIZE];
	struct riscv64_state before;

	rv_begin();
	fill_memory();
	rv_state()->x[rs1] = address - (uint64_t)imm;
	before = *rv_state();
	memcpy(memory, rv.memory, sizeof memory);
	rv_insn((struct riscv64_insn){ .op = stores[t].op, .rs2 = rs2, .rs1 = rs1, .imm = imm });
	check_access(address, IR_ACCESS_W);
	rv_run();
	if (inside) {
		RV_CHECK_JUMP(4);
		memcpy(memory + (address - MEMORY_BASE), stores[t].from_f ? &before.f[rs2] : &before.x[rs2],
		       size);
		CHECK(!memcmp(&before, rv_state(), sizeof before));
	} else {
		check_fault(IR_TRAP_WRITE_FAULT, MEMORY_BASE + MEMORY_SIZE, &before);
	}
	CHECK(!memcmp(memory, rv.memory, sizeof memory));
}

static void
test_plain(void)
{
	for (unsigned n = 0; n < 200; n++) {
		for (unsigned t = 0; t < ARRAY_LEN(loads); t++)
			check_load(t, n % 8);
		for (unsigned t = 0; t < ARRAY_LEN(stores); t++)
			check_store(t, n % 8);
	}
}

/* ---- atomics ------------------------------------------------------------ */

/* X(op, new value); o: the old one, y: rs2, both sign-extended. */
#define AMO_TESTS(X) \
	X(AMOADD, o + y) \
	X(AMOSWAP, y) \
	X(AMOXOR, o ^ y) \
	X(AMOAND, o & y) \
	X(AMOOR, o | y) \
	X(AMOMIN, (int64_t)o < (int64_t)y ? o : y) \
	X(AMOMAX, (int64_t)o > (int64_t)y ? o : y) \
	X(AMOMINU, o < y ? o : y) \
	X(AMOMAXU, o > y ? o : y)

#define DEFINE(operation, result) \
	static uint64_t want_##operation(uint64_t o, uint64_t y) \
	{ \
		(void)o; \
		return (result); \
	}
AMO_TESTS(DEFINE)

static const struct amo_test {
	enum riscv64_op op;
	unsigned size;
	uint64_t (*want)(uint64_t o, uint64_t y);
} amo_tests[] = {
#define ENTRY(operation, result) \
	{ RV_##operation##_W, 4, want_##operation }, { RV_##operation##_D, 8, want_##operation },
	AMO_TESTS(ENTRY)
};

static void
check_amo(const struct amo_test *test, bool aligned)
{
	unsigned size = test->size, rd = rv_random() % 32, rs2 = rv_random() % 32;
	unsigned rs1 = 1 + rv_random() % 31;
	uint64_t address = random_address(size) & -(uint64_t)size, old, operand;
	struct riscv64_state want;

	rv_begin();
	fill_memory();
	rv_state()->x[rs1] = address + !aligned;
	want = *rv_state();
	old = extended(read_memory(address, size), size, SIGNED);
	operand = extended(want.x[rs2], size, SIGNED);
	rv_insn((struct riscv64_insn){ .op = test->op, .rd = rd, .rs1 = rs1, .rs2 = rs2,
				       .aq = rv_random() & 1, .rl = rv_random() & 1 });
	check_access(address + !aligned, IR_ACCESS_RW);
	rv_run();
	if (!aligned) {
		check_fault(IR_TRAP_MISALIGNED, address + 1, &want);
		CHECK_INT(extended(read_memory(address, size), size, SIGNED), old);
		return;
	}
	RV_CHECK_JUMP(4);
	if (rd)
		want.x[rd] = old;
	CHECK(!memcmp(&want, rv_state(), sizeof want));
	CHECK_INT(extended(read_memory(address, size), size, SIGNED),
		  extended(test->want(old, operand), size, SIGNED));
}

/* lr, then what `between` says, then sc of x12 to where it says. */
static void
check_pair(bool wide, bool elsewhere, bool changed)
{
	unsigned size = wide ? 8 : 4;
	uint64_t address = (random_address(16) & ~7ull), old, value;
	bool success = !elsewhere && !changed;

	rv_begin();
	fill_memory();
	rv_state()->x[10] = address;
	rv_state()->x[11] = address + (elsewhere ? size : 0);
	value = rv_state()->x[12];
	old = read_memory(address, size);
	rv_insn((struct riscv64_insn){ .op = wide ? RV_LR_D : RV_LR_W, .rd = 13, .rs1 = 10, .aq = 1 });
	check_access(address, IR_ACCESS_R);
	if (changed) {
		RV(XORI, .rd = 14, .rs1 = 13, .imm = 4);
		rv_insn((struct riscv64_insn){ .op = wide ? RV_SD : RV_SW, .rs1 = 10, .rs2 = 14 });
	}
	rv_insn((struct riscv64_insn){ .op = wide ? RV_SC_D : RV_SC_W, .rd = 15, .rs1 = 11, .rs2 = 12,
				       .rl = 1 });
	rv_insn((struct riscv64_insn){ .op = wide ? RV_SC_D : RV_SC_W, .rd = 16, .rs1 = 11, .rs2 = 0 });
	rv_run();
	CHECK_INT(rv_state()->x[13], extended(old, size, SIGNED));
	CHECK_INT(rv_state()->x[15], !success);
	CHECK_INT(rv_state()->x[16], 1);
	CHECK_INT(read_memory(address, size),
		  success ? extended(value, size, SIGNED) & UINT64_MAX >> (64 - 8 * size)
			  : changed ? old ^ 4 : old);
}

static void
test_atomics(void)
{
	for (unsigned n = 0; n < 200; n++) {
		for (unsigned t = 0; t < ARRAY_LEN(amo_tests); t++)
			check_amo(&amo_tests[t], n % 8);
		check_pair(n & 1, n & 2, n & 4);
	}
	for (unsigned wide = 0; wide < 2; wide++)
		for (unsigned store = 0; store < 2; store++) {
			struct riscv64_state before;

			rv_begin();
			rv_state()->x[10] = MEMORY_BASE + 2;
			before = *rv_state();
			rv_insn((struct riscv64_insn){ .op = store ? wide ? RV_SC_D : RV_SC_W
							     : wide ? RV_LR_D : RV_LR_W,
						       .rd = 10, .rs1 = 10 });
			rv_run();
			check_fault(IR_TRAP_MISALIGNED, MEMORY_BASE + 2, &before);
		}
}

/* ---- order -------------------------------------------------------------- */

/* The op number `which` of that kind in the region; 0 if there are not so
 * many. */
static ir_ref
find_op(enum ir_op op, unsigned which)
{
	for (ir_ref ref = 1; ref < rv.region.ins_count; ref++)
		if (rv.region.ins[ref].op == op && !which--)
			return ref;
	return 0;
}

/* What an evaluator of one thread cannot see. */
static void
test_order(void)
{
	static const enum ir_order orders[4] = { IR_RELAXED, IR_ACQUIRE, IR_RELEASE, IR_SEQ_CST };

	for (unsigned sets = 0; sets < 256; sets++) {
		ir_ref fence;

		if (sets == 0x10) /* pause */
			continue;
		rv_begin();
		RV(FENCE, .imm = sets);
		rv_lift();
		fence = find_op(IR_FENCE, 0);
		CHECK(!fence == (sets < 16 || !(sets & 15)));
		if (fence)
			CHECK_INT(rv.region.ins[fence].aux, IR_FENCE(sets >> 4, sets & 15));
	}
	rv_begin();
	RV(FENCE_TSO, .rd = 0);
	rv_lift();
	CHECK_INT(rv.region.ins[find_op(IR_FENCE, 0)].aux, IR_FENCE(2, 3));
	CHECK_INT(rv.region.ins[find_op(IR_FENCE, 1)].aux, IR_FENCE(1, 1));
	for (unsigned i = 0; i < 4; i++) {
		rv_begin();
		RV(LR_W, .rd = 5, .rs1 = 6, .aq = i & 1, .rl = i >> 1);
		RV(SC_D, .rd = 5, .rs1 = 6, .aq = i & 1, .rl = i >> 1);
		RV(AMOADD_W, .rd = 5, .rs1 = 6, .aq = i & 1, .rl = i >> 1);
		rv_lift();
		CHECK_INT(IR_MEM_ORDER(rv.region.ins[find_op(IR_LL, 0)].aux), orders[i]);
		CHECK_INT(IR_MEM_ORDER(rv.region.ins[find_op(IR_SC, 0)].aux), orders[i]);
		CHECK_INT(IR_MEM_ORDER(rv.region.ins[find_op(IR_RMW, 0)].aux), orders[i]);
	}
}

/* ---- cache blocks ------------------------------------------------------- */

static void
test_cache_blocks(void)
{
	static const uint8_t zeros[RISCV64_CACHE_BLOCK];
	uint8_t memory[MEMORY_SIZE];
	struct riscv64_state before;
	uint64_t address;

	for (unsigned n = 0; n < 50; n++) {
		rv_begin();
		fill_memory();
		address = rv_state()->x[10] = random_address(1);
		memcpy(memory, rv.memory, sizeof memory);
		memcpy(memory + ((address - MEMORY_BASE) & ~63ull), zeros, sizeof zeros);
		RV(CBO_ZERO, .rs1 = 10);
		check_access(address, IR_ACCESS_W);
		rv_run();
		RV_CHECK_JUMP(4);
		CHECK(!memcmp(memory, rv.memory, sizeof memory));
		rv_begin();
		rv_state()->x[10] = address;
		RV(CBO_CLEAN, .rs1 = 10);
		RV(CBO_FLUSH, .rs1 = 10);
		check_access(address, IR_ACCESS_R);
		rv_run();
		RV_CHECK_JUMP(8);
		CHECK(!memcmp(memory, rv.memory, sizeof memory));
	}
	for (enum riscv64_op op = RV_CBO_CLEAN; op <= RV_CBO_ZERO; op++) {
		rv_begin();
		rv_state()->x[10] = MEMORY_BASE + MEMORY_SIZE;
		before = *rv_state();
		rv_insn((struct riscv64_insn){ .op = op, .rs1 = 10 });
		rv_run();
		check_fault(op == RV_CBO_ZERO ? IR_TRAP_WRITE_FAULT : IR_TRAP_READ_FAULT,
			    MEMORY_BASE + MEMORY_SIZE, &before);
	}
}

/* ---- CSRs --------------------------------------------------------------- */

enum { FFLAGS = 1, FRM = 2, FCSR = 3 };

static const enum riscv64_op csr_ops[2][3] = { { RV_CSRRW, RV_CSRRS, RV_CSRRC },
					       { RV_CSRRWI, RV_CSRRSI, RV_CSRRCI } };

/* Registers are as they were, but for x(rd). */
static void
check_csr_result(unsigned csr, unsigned rd, uint64_t fcsr, uint64_t want, const struct riscv64_state *before)
{
	struct riscv64_state state = *before;

	if (rd)
		state.x[rd] = csr == FFLAGS ? fcsr & 31 : csr == FRM ? fcsr >> 5 : fcsr;
	CHECK(!memcmp(&state, rv_state(), sizeof state));
	CHECK_INT(rv.frame.fp_flags, want & 31);
	CHECK_INT(rv.frame.fp_round, want >> 5);
	CHECK_INT(rv.frame.pc, CODE_PC + 4);
	/* A new mode key is looked up. */
	if (guest_riscv64.mode(&rv.frame) != rv.region.mode)
		CHECK_INT(rv.eval.kind, IR_EXIT_LOOKUP);
}

static void
check_csr(unsigned csr, unsigned action, bool immediate)
{
	unsigned rd = rv_random() % 32, field = rv_random() % 32;
	uint64_t fcsr = rv_random() % 256, old, operand, value, want;
	struct riscv64_state before;

	rv_begin();
	rv.frame.fp_flags = fcsr & 31;
	rv.frame.fp_round = (uint32_t)fcsr >> 5;
	before = *rv_state();
	old = csr == FFLAGS ? fcsr & 31 : csr == FRM ? fcsr >> 5 : fcsr;
	operand = immediate ? field : before.x[field];
	value = action == 0 ? operand : action == 1 ? old | operand : old & ~operand;
	want = csr == FFLAGS ? (fcsr & 0xe0) | (value & 31)
	       : csr == FRM  ? (fcsr & 31) | (value & 7) << 5
			     : value & 255;
	rv_insn((struct riscv64_insn){ .op = csr_ops[immediate][action], .rd = rd, .csr = csr,
				       .rs1 = immediate ? 0 : field, .imm = immediate ? field : 0 });
	rv_run();
	check_csr_result(csr, rd, fcsr, want, &before);
}

static void
check_illegal(unsigned csr, enum riscv64_op op, unsigned operand)
{
	bool immediate = op == RV_CSRRWI || op == RV_CSRRSI || op == RV_CSRRCI;

	rv_begin();
	rv_insn((struct riscv64_insn){ .op = op, .rd = 5, .csr = csr, .rs1 = immediate ? 0 : operand,
				       .imm = immediate ? operand : 0 });
	rv_run();
	CHECK_INT(rv.eval.kind, IR_EXIT_TRAP);
	CHECK_INT(rv.eval.trap, IR_TRAP_ILLEGAL);
	CHECK_INT(rv.frame.pc, CODE_PC);
}

static void
test_counters(void)
{
	for (unsigned csr = 0xc00; csr <= 0xc02; csr++) {
		uint64_t first;

		rv_begin();
		RV(CSRRS, .rd = 5, .csr = csr);
		RV(CSRRCI, .rd = 6, .csr = csr);
		rv_run();
		RV_CHECK_JUMP(8);
		first = rv_state()->x[6];
		CHECK(rv_state()->x[5] <= first && first);
		do
			rv_run();
		while (rv_state()->x[6] == first);
		CHECK(rv_state()->x[6] > first);
		for (unsigned i = 0; i < 6; i++)
			check_illegal(csr, csr_ops[i / 3][i % 3], 1);
		check_illegal(csr, RV_CSRRW, 0);
	}
}

static void
test_csrs(void)
{
	for (unsigned n = 0; n < 200; n++)
		for (unsigned csr = FFLAGS; csr <= FCSR; csr++)
			for (unsigned i = 0; i < 6; i++)
				check_csr(csr, i % 3, i / 3);
	test_counters();
	/* vstart, sstatus, mhartid, hpmcounter3, vlenb */
	for (unsigned csr = 0; csr < 4096; csr++)
		if ((csr < FFLAGS || csr > FCSR) && (csr < 0xc00 || csr > 0xc02))
			check_illegal(csr, RV_CSRRS, 0);
	/* A mode that is surely the host's does not end the region. */
	rv_begin();
	RV(CSRRWI, .csr = FRM, .imm = IR_RUP);
	RV(ADDI, .rd = 5, .imm = 1);
	rv_run();
	RV_CHECK_JUMP(8);
	CHECK_INT(rv.frame.fp_round, IR_RUP);
}

int
main(void)
{
	test_plain();
	test_atomics();
	test_order();
	test_cache_blocks();
	test_csrs();
	return check_done();
}

/* RV64's vectors in the evaluator, against expectations written from the manual: vset,
 * CSRs, what is illegal, tails, masks and vstart, fixed point. Values at large are
 * test/isa/vector-random's. */
#include "unit/riscv64_run.h"

enum { E8 = 0, E16 = 1 << 3, E32 = 2 << 3, E64 = 3 << 3, M1 = 0, M2 = 1, M4 = 2, M8 = 3, MF8 = 5, MF4 = 6, MF2 = 7 };
enum { VSTART = 0x008, VXSAT = 0x009, VXRM = 0x00a, VCSR = 0x00f, VL = 0xc20, VTYPE = 0xc21, VLENB = 0xc22 };

static void
begin(unsigned vlenb)
{
	rv_begin();
	riscv64_vector_init(&rv.frame, vlenb);
	rv.frame.guest_base = (uint64_t)(uintptr_t)rv.memory - MEMORY_BASE;
}

/* vsetivli zero, vl, vtype */
static void
set(unsigned vl, unsigned vtype)
{
	RV(VSETIVLI, .rs1 = (uint8_t)vl, .imm = vtype);
}

static uint8_t *
vector(unsigned reg)
{
	return rv_state()->v + reg * rv_state()->vlenb;
}

static void
fill(unsigned reg, unsigned first)
{
	for (unsigned i = 0; i < rv_state()->vlenb; i++)
		vector(reg)[i] = (uint8_t)(first + i);
}

static void
check_illegal(void)
{
	rv_run();
	CHECK_INT(rv.eval.kind, IR_EXIT_TRAP);
	CHECK_INT(rv.eval.trap, IR_TRAP_ILLEGAL);
}

/* ---- configuration --------------------------------------------------------- */

static void
check_set(unsigned vlenb, uint64_t avl, uint64_t vtype, uint64_t vl)
{
	begin(vlenb);
	rv_state()->x[5] = avl;
	rv_state()->x[6] = vtype;
	rv_state()->vstart = 1;
	RV(VSETVL, .rd = 7, .rs1 = 5, .rs2 = 6);
	rv_run();
	RV_CHECK_JUMP(4);
	CHECK_INT(rv_state()->x[7], vl);
	CHECK_INT(rv_state()->vl, vl);
	CHECK_INT(rv_state()->vtype, vl || !avl ? vtype : RISCV64_VILL);
	CHECK_INT(rv_state()->vstart, 0);
}

static void
test_set(void)
{
	check_set(16, 5, E8 | M1, 5);
	check_set(16, 1000, E8 | M8, 128);
	check_set(32, 1000, E8 | M8, 256);
	check_set(16, UINT64_MAX, E64 | M1 | 0xc0, 2);
	check_set(16, 9, E8 | MF8, 2);
	check_set(16, 9, E32 | MF2, 2);
	check_set(16, 0, E32 | M1, 0);
	check_set(16, 9, E16 | MF8, 0); /* SEW > LMUL * ELEN */
	check_set(16, 9, E64 | MF2, 0);
	check_set(16, 9, E8 | 4, 0);    /* reserved LMUL, SEW, bits above */
	check_set(16, 9, 4 << 3, 0);
	check_set(16, 9, E8 | 0x100, 0);
	check_set(16, 9, RISCV64_VILL, 0);

	begin(16); /* x0: as many as there can be; to x0: as many as there were */
	RV(VSETVLI, .rd = 7, .imm = E16 | M2);
	RV(VSETVLI, .imm = E8 | M1);
	rv_run();
	CHECK_INT(rv_state()->x[7], 16);
	CHECK_INT(rv_state()->vl, 16);
	CHECK_INT(rv_state()->vtype, E8 | M1);
	begin(16);
	set(3, E8 | M1);
	RV(VSETVLI, .imm = E8 | M2); /* which has another VLMAX */
	rv_run();
	CHECK_INT(rv_state()->vtype, RISCV64_VILL);
	CHECK_INT(rv_state()->vl, 0);
}

static void
test_csrs(void)
{
	begin(32);
	rv_state()->x[5] = UINT64_MAX;
	set(7, E8 | M1);
	RV(CSRRW, .csr = VCSR, .rs1 = 5);
	RV(CSRRS, .rd = 6, .csr = VXRM);
	RV(CSRRCI, .rd = 7, .csr = VXSAT, .imm = 1);
	RV(CSRRS, .rd = 8, .csr = VCSR);
	RV(CSRRS, .rd = 9, .csr = VLENB);
	RV(CSRRS, .rd = 10, .csr = VL);
	RV(CSRRS, .rd = 11, .csr = VTYPE);
	RV(CSRRW, .csr = VSTART, .rs1 = 5);
	RV(CSRRS, .rd = 12, .csr = VSTART);
	rv_run();
	RV_CHECK_JUMP(40);
	CHECK_INT(rv_state()->x[6], 3);
	CHECK_INT(rv_state()->x[7], 1);
	CHECK_INT(rv_state()->x[8], 6);
	CHECK_INT(rv_state()->x[9], 32);
	CHECK_INT(rv_state()->x[10], 7);
	CHECK_INT(rv_state()->x[11], E8 | M1);
	CHECK_INT(rv_state()->x[12], 255);
	for (unsigned csr = VL; csr <= VLENB; csr++) {
		begin(16);
		RV(CSRRW, .csr = (uint16_t)csr, .rs1 = 5);
		check_illegal();
	}
}

/* ---- what is illegal --------------------------------------------------------- */

#define ILLEGAL(type, operation, ...) \
	do { \
		begin(16); \
		set(2, type); \
		RV(operation, __VA_ARGS__); \
		check_illegal(); \
	} while (0)

#define LEGAL(type, operation, ...) \
	do { \
		begin(16); \
		set(2, type); \
		RV(operation, __VA_ARGS__); \
		rv_run(); \
		RV_CHECK_JUMP(8); \
	} while (0)

static void
test_illegal(void)
{
	rv_begin(); /* without V */
	RV(VADD_VV, .rd = 8, .rs1 = 9, .rs2 = 10, .vm = 1);
	check_illegal();
	rv_begin();
	RV(CSRRS, .rd = 9, .csr = VLENB);
	check_illegal();

	ILLEGAL(0x1ff, VADD_VV, .rd = 8, .rs1 = 9, .rs2 = 10, .vm = 1);     /* vill */
	ILLEGAL(E8 | M2, VADD_VV, .rd = 8, .rs1 = 9, .rs2 = 10, .vm = 1);   /* alignment */
	ILLEGAL(E8 | M8, VADD_VV, .rd = 8, .rs1 = 16, .rs2 = 28, .vm = 1);
	ILLEGAL(E8 | M1, VADD_VV, .rd = 0, .rs1 = 9, .rs2 = 10, .vm = 0);   /* over the mask */
	ILLEGAL(E8 | M1, VADD_VV, .rd = 8, .rs1 = 0, .rs2 = 10, .vm = 0);   /* two widths */
	LEGAL(E8 | M1, VADD_VV, .rd = 0, .rs1 = 0, .rs2 = 10, .vm = 1);
	LEGAL(E8 | M1, VMSEQ_VV, .rd = 0, .rs1 = 9, .rs2 = 10, .vm = 0);
	ILLEGAL(E64 | M1, VWADD_VV, .rd = 8, .rs1 = 10, .rs2 = 11, .vm = 1); /* too wide */
	ILLEGAL(E8 | M8, VWADD_VV, .rd = 8, .rs1 = 16, .rs2 = 24, .vm = 1);
	ILLEGAL(E8 | M1, VWADD_VV, .rd = 8, .rs1 = 8, .rs2 = 11, .vm = 1);  /* over the lower part */
	LEGAL(E8 | M1, VWADD_VV, .rd = 8, .rs1 = 9, .rs2 = 9, .vm = 1);     /* over the higher */
	ILLEGAL(E8 | MF2, VWADD_VV, .rd = 8, .rs1 = 8, .rs2 = 9, .vm = 1);
	ILLEGAL(E8 | M1, VNSRL_WI, .rd = 9, .rs2 = 8, .vm = 1);
	LEGAL(E8 | M1, VNSRL_WI, .rd = 8, .rs2 = 8, .vm = 1);
	ILLEGAL(E8 | M1, VZEXT_VF2, .rd = 8, .rs2 = 9, .vm = 1);
	ILLEGAL(E8 | M1, VSLIDEUP_VI, .rd = 8, .rs2 = 8, .vm = 1);
	LEGAL(E8 | M1, VSLIDEDOWN_VI, .rd = 8, .rs2 = 8, .vm = 1);
	ILLEGAL(E8 | M1, VRGATHER_VV, .rd = 8, .rs1 = 8, .rs2 = 9, .vm = 1);
	ILLEGAL(E16 | M1, VFADD_VV, .rd = 8, .rs1 = 9, .rs2 = 10, .vm = 1);
	LEGAL(E32 | M1, VFADD_VV, .rd = 8, .rs1 = 9, .rs2 = 10, .vm = 1);
	ILLEGAL(E8 | M8, VLE16, .rd = 8, .rs1 = 5, .vm = 1);                /* EMUL 16 */
	ILLEGAL(E8 | M1, VLSEGE8, .rd = 30, .rs1 = 5, .vm = 1, .nf = 2);    /* past v31 */
	ILLEGAL(E8 | M4, VLSEGE8, .rd = 8, .rs1 = 5, .vm = 1, .nf = 2);     /* 12 registers */
	ILLEGAL(E8 | M1, VL2RE8, .rd = 9, .rs1 = 5, .vm = 1, .nf = 1);

	begin(16); /* frm */
	rv.frame.fp_round = 5;
	set(2, E32 | M1);
	RV(VFSGNJ_VV, .rd = 8, .rs1 = 9, .rs2 = 10, .vm = 1);
	check_illegal();
	begin(16); /* not from the middle */
	set(2, E8 | M1);
	RV(CSRRWI, .csr = VSTART, .imm = 1);
	RV(VREDSUM_VS, .rd = 8, .rs1 = 9, .rs2 = 10, .vm = 1);
	check_illegal();
	CHECK_INT(rv_state()->vstart, 1);
}

/* ---- which elements ---------------------------------------------------------- */

static void
test_elements(void)
{
	begin(16);
	fill(8, 100);
	fill(9, 1);
	fill(0, 0x5b); /* 01011011 */
	set(7, E8 | M1);
	RV(CSRRWI, .csr = VSTART, .imm = 1);
	RV(VADD_VI, .rd = 8, .rs2 = 9, .imm = -16, .vm = 0);
	RV(VCPOP_M, .rd = 5, .rs2 = 0, .vm = 1);
	RV(VFIRST_M, .rd = 6, .rs2 = 9, .vm = 0);
	RV(VMV_X_S, .rd = 7, .rs2 = 8, .vm = 1);
	rv_run();
	RV_CHECK_JUMP(24);
	for (unsigned i = 0; i < 16; i++) {
		bool active = i >= 1 && i < 7 && 0x5b >> i & 1;

		CHECK_INT(vector(8)[i], active ? (1 + i - 16) & 0xff : 100 + i);
	}
	CHECK_INT(rv_state()->vstart, 0);
	CHECK_INT(rv_state()->x[5], 5);
	CHECK_INT(rv_state()->x[6], 0);
	CHECK_INT(rv_state()->x[7], 100);
}

static void
test_fixed(void)
{
	static const uint8_t rounded[4] = { 3, 2, 2, 3 }; /* 5 / 2 by vxrm */

	for (unsigned vxrm = 0; vxrm < 4; vxrm++) {
		begin(16);
		memset(vector(9), 5, 16);
		memset(vector(10), 0x7f, 16);
		set(16, E8 | M1);
		RV(CSRRWI, .csr = VXRM, .imm = vxrm);
		RV(VSSRL_VI, .rd = 8, .rs2 = 9, .imm = 1, .vm = 1);
		RV(CSRRS, .rd = 5, .csr = VXSAT);
		RV(VSADD_VV, .rd = 11, .rs1 = 9, .rs2 = 10, .vm = 1);
		RV(CSRRS, .rd = 6, .csr = VXSAT);
		rv_run();
		CHECK_INT(vector(8)[3], rounded[vxrm]);
		CHECK_INT(vector(11)[15], 0x7f);
		CHECK_INT(rv_state()->x[5], 0);
		CHECK_INT(rv_state()->x[6], 1);
	}
}

static void
test_memory(void)
{
	for (unsigned i = 0; i < MEMORY_SIZE; i++)
		rv.memory[i] = (uint8_t)i;
	begin(16);
	rv_state()->x[5] = MEMORY_BASE + 64;
	rv_state()->x[6] = (uint64_t)-3;
	set(5, E8 | M1);
	RV(VLSSEGE8, .rd = 8, .rs1 = 5, .rs2 = 6, .vm = 1, .nf = 1);
	RV(VSE8, .rd = 9, .rs1 = 5, .vm = 1);
	rv_run();
	RV_CHECK_JUMP(12);
	for (unsigned i = 0; i < 5; i++) {
		CHECK_INT(vector(8)[i], 64 - 3 * i);
		CHECK_INT(rv.memory[64 + i], 65 - 3 * i);
	}
	CHECK_INT(rv.memory[69], 69);
	CHECK(!rv.frame.guard);
}

/* What a system call leaves, and what a signal frame brings back. */
static void
test_discard(void)
{
	begin(16);
	set(5, E8 | M1);
	rv_run();
	riscv64_vector_discard(&rv.frame);
	CHECK_INT(vector(31)[15], 0xff);
	CHECK_INT(rv_state()->vtype, RISCV64_VILL);
	riscv64_vector_restore(&rv.frame, 100, E8 | M1, 0x83, 0x1d);
	CHECK_INT(rv_state()->vl, 16);
	CHECK_INT(rv_state()->vstart, 3);
	CHECK_INT(rv_state()->vxrm, 2);
	CHECK_INT(rv_state()->vxsat, 1);
	riscv64_vector_restore(&rv.frame, 100, 0x100, 0, 0);
	CHECK_INT(rv_state()->vtype, RISCV64_VILL);
	begin(16); /* one that was never used has nothing to lose */
	riscv64_vector_discard(&rv.frame);
	CHECK_INT(vector(31)[15], 0);
}

int
main(void)
{
	test_set();
	test_csrs();
	test_illegal();
	test_elements();
	test_fixed();
	test_memory();
	test_discard();
	return check_done();
}

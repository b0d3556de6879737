/* Every CSR: which numbers there are and who may touch them, which bits can be
 * written and what others read as, counter enables, the floating-point state. */
#include "bare.h"

#define MENVCFG 0x30a
#define SENVCFG 0x10a
#define STIMECMP 0x14d
#define STCE (1ull << 63)
#define FS_OFF 0
#define FS_INITIAL (1 << 13)
#define FS_CLEAN (2 << 13)
#define FS_DIRTY (3 << 13)

/* ---- which there are ----------------------------------------------------- */

struct range {
	uint16_t first, last;
};

/* CSRs of this machine. Others a machine may have as well (QEMU: those of
 * hypervisor, state enable, performance counting…) only when `optional`. */
static const struct range present[] = {
	{ 0x001, 0x003 }, { 0x100, 0x100 }, { 0x104, 0x106 }, { 0x10a, 0x10a }, { 0x140, 0x144 },
	{ 0x14d, 0x14d }, { 0x180, 0x180 }, { 0x300, 0x306 }, { 0x30a, 0x30a }, { 0x320, 0x320 },
	{ 0x323, 0x33f }, { 0x340, 0x344 }, { 0x3a0, 0x3a0 }, { 0x3a2, 0x3a2 }, { 0x3b0, 0x3bf },
	{ 0x7a0, 0x7a4 }, { 0xb00, 0xb00 }, { 0xb02, 0xb1f }, { 0xc00, 0xc1f }, { 0xf11, 0xf15 },
};
static const struct range optional[] = {
	{ 0x015, 0x015 }, /* seed */
	{ 0x120, 0x120 }, /* scountinhibit */
	{ 0x10c, 0x10f }, { 0x30c, 0x30f }, /* state enable */
	{ 0x14e, 0x15f }, { 0x308, 0x309 }, { 0x310, 0x31f }, { 0x321, 0x322 }, { 0x350, 0x35f }, /* indirect, AIA, Smcntrpmf */
	{ 0x3a4, 0x3ae }, { 0x3c0, 0x3ef }, /* PMP entries 16 to 63 */
	{ 0x333, 0x33f }, { 0xb13, 0xb1f }, { 0xc13, 0xc1f }, /* performance counters from 19 on */
	{ 0x5a8, 0x5a8 }, { 0x7a5, 0x7af }, { 0x720, 0x747 }, { 0xda0, 0xda0 }, { 0xdb0, 0xdb0 }, { 0xfb0, 0xfb0 },
};

static bool
is_in(const struct range *range, unsigned count, unsigned number)
{
	for (unsigned i = 0; i < count; i++)
		if (number >= range[i].first && number <= range[i].last)
			return true;
	return false;
}
#define IS_IN(array, number) is_in(array, sizeof array / sizeof *array, number)

/* For each number: a read, a write that writes nothing, a write, each with a
 * return. */
enum { READ, SET_NOTHING, WRITE, FORMS };
static uint32_t code[4096][FORMS][2];

static void
make_code(void)
{
	for (uint32_t n = 0; n < 4096; n++) {
		code[n][READ][0] = n << 20 | 0x2573; /* csrr a0, n */
		code[n][SET_NOTHING][0] = n << 20 | 0x6073; /* csrsi n, 0 */
		code[n][WRITE][0] = n << 20 | 0x51073; /* csrw n, a0 */
		for (unsigned form = 0; form < FORMS; form++)
			code[n][form][1] = 0x8067; /* ret */
	}
	__asm__ volatile("fence.i" : : : "memory");
}

static bool
works(unsigned n, unsigned form, enum privilege privilege)
{
	struct outcome o = RUN(privilege, code[n][form], 0, 0);

	if (o.cause == NONE)
		return true;
	CHECK(o.cause, ILLEGAL);
	CHECK(o.value, code[n][form][0]);
	CHECK(o.pc, code[n][form]);
	return false;
}

static void
test_existence(void)
{
	make_code();
	csr_set(mstatus, FS_DIRTY);
	csr_set(MENVCFG, STCE);
	csr_write(mcounteren, -1);
	csr_write(scounteren, -1);
	for (unsigned n = 0; n < 4096; n++) {
		unsigned lowest = n >> 8 & 3;

		if (IS_IN(optional, n))
			continue;
		for (unsigned p = U; p <= M; p++) {
			bool there = IS_IN(present, n) && p >= lowest;
			enum privilege mode = (enum privilege)p;

			if (p == 2)
				continue;
			if (works(n, READ, mode) != there || works(n, SET_NOTHING, mode) != there)
				finish(__LINE__, n << 4 | p, there);
			/* Read-only ones; the others may change too much. */
			if (there && n >> 10 == 3 && works(n, WRITE, mode))
				finish(__LINE__, n << 4 | p, 0);
		}
	}
	csr_clear(mstatus, FS_DIRTY);
}

/* ---- what can be written -------------------------------------------------- */

/* All zeros, all ones, and each bit alone: what is read is what was written of
 * the bits in mask, and `fixed` elsewhere; bits of `open` may be anything. */
#define CHECK_BITS(name, mask, fixed, open) \
	do { \
		csr_write(name, 0); \
		CHECK(csr_read(name) & ~(u64)(open), fixed); \
		csr_write(name, -1ull); \
		CHECK(csr_read(name) & ~(u64)(open), (mask) | (fixed)); \
		for (unsigned bit_ = 0; bit_ < 64; bit_++) { \
			csr_write(name, 1ull << bit_); \
			CHECK(csr_read(name) & ~(u64)(open), ((mask) & 1ull << bit_) | (fixed)); \
		} \
		csr_write(name, 0); \
	} while (0)

/* Interrupts of the hypervisor and of counters, which QEMU delegates without
 * having them, and platform interrupts. */
#define OTHER_INTERRUPTS (~0xffffull | 0x3444)

static void
test_bits(void)
{
	u64 old;

	CHECK_BITS(mscratch, -1ull, 0, 0);
	CHECK_BITS(sscratch, -1ull, 0, 0);
	CHECK_BITS(mepc, -2ull, 0, 0);
	CHECK_BITS(sepc, -2ull, 0, 0);
	CHECK_BITS(mtval, -1ull, 0, 0);
	CHECK_BITS(stval, -1ull, 0, 0);
	CHECK_BITS(mideleg, 0x222, 0, OTHER_INTERRUPTS);
	CHECK_BITS(mie, 0xaaa, 0, OTHER_INTERRUPTS);
	csr_write(SENVCFG, -1ull);
	CHECK(csr_read(SENVCFG), 0xf1);
	csr_write(SENVCFG, 0);
	CHECK(csr_read(SENVCFG), 0);
	CHECK(csr_read(mhartid), 0);
	/* Set, clear and swap return the old value. */
	csr_write(mscratch, 0xff00);
	__asm__ volatile("csrrsi %0, mscratch, 31" : "=r"(old));
	CHECK(old, 0xff00);
	__asm__ volatile("csrrci %0, mscratch, 15" : "=r"(old));
	CHECK(old, 0xff1f);
	CHECK(csr_swap(mscratch, 5), 0xff10);
	__asm__ volatile("csrrs %0, mscratch, %1" : "=r"(old) : "r"(0x50ull));
	CHECK(old, 5);
	__asm__ volatile("csrrc %0, mscratch, %1" : "=r"(old) : "r"(0x11ull));
	CHECK(old, 0x55);
	__asm__ volatile("mv t0, %1\ncsrrw t0, mscratch, t0\nmv %0, t0" : "=r"(old) : "r"(0x77ull) : "t0");
	CHECK(old, 0x44);
	CHECK(csr_read(mscratch), 0x77);
	/* misa: fixed, 64 bits, at least IMAFDC, S and U. */
	old = csr_read(misa);
	CHECK(old >> 62, 2);
	CHECK(old & 0x14112d, 0x14112d);
	/* Reserved modes of a vector base do not stay. */
	csr_write(stvec, 0x80001002);
	CHECK((csr_read(stvec) & 3) < 2, true);
	csr_write(stvec, 0x80001001);
	CHECK(csr_read(stvec), 0x80001001);
	/* Read-only copies and constants. */
	csr_write(mcountinhibit, -1);
	CHECK(csr_read(mcountinhibit) & 7, 5);
	csr_write(mcountinhibit, 0);
	csr_write(mcounteren, 0);
	CHECK(csr_read(mcounteren), 0);
	csr_write(mcounteren, 7);
	CHECK(csr_read(mcounteren), 7);
	csr_write(mcause, INTERRUPT | 7);
	CHECK(csr_read(mcause), INTERRUPT | 7);
	csr_write(scause, 13);
	CHECK(csr_read(scause), 13);
}

static void
test_satp(void)
{
	for (u64 mode = 0; mode < 16; mode++) {
		u64 value = mode << 60 | 0x1234ull << 44 | 0x80000;

		csr_write(satp, 0);
		csr_write(satp, value);
		if (mode >= 8 && mode <= 10)
			CHECK(csr_read(satp), value);
		else if (mode && mode != 11) /* Sv64 may be there */
			CHECK(csr_read(satp), 0);
	}
	/* All bits of ASID and PPN. */
	csr_write(satp, 9ull << 60 | ((1ull << 60) - 1));
	CHECK(csr_read(satp), 9ull << 60 | ((1ull << 60) - 1));
	csr_write(satp, 0);
}

static void
test_status(void)
{
	u64 writable = 0x7e19aa, fixed = 0xa00000000;

	/* One bit at a time, MPP and FS aside, and UXL and SXL, with which QEMU
	 * has 32-bit modes. */
	csr_write(mstatus, 0);
	CHECK(csr_read(mstatus), fixed);
	for (unsigned bit = 0; bit < 63; bit++) {
		if ((bit >= 11 && bit <= 14) || (bit >= 32 && bit <= 35))
			continue;
		csr_write(mstatus, 1ull << bit);
		CHECK(csr_read(mstatus), (writable & 1ull << bit) | fixed);
	}
	/* sstatus is a view. */
	csr_write(mstatus, -1ull & ~(u64)(MSTATUS_MPP | MSTATUS_MIE));
	CHECK(csr_read(sstatus), 0x80000002000c6122);
	csr_write(sstatus, 0);
	CHECK(csr_read(mstatus) & 0xc6122, 0);
	CHECK(csr_read(mstatus) & 0x720080, 0x720080);
	csr_write(mstatus, 0);
	csr_write(sstatus, -1ull);
	CHECK(csr_read(mstatus), 0x8000000a000c6122);
	csr_write(sstatus, 0);
	/* MPP holds the privileges that there are. */
	for (unsigned p = U; p <= M; p++) {
		csr_clear(mstatus, MSTATUS_MPP);
		csr_set(mstatus, (u64)p << 11);
		CHECK((csr_read(mstatus) >> 11 & 3) == 2, false);
		if (p != 2)
			CHECK(csr_read(mstatus) >> 11 & 3, p);
	}
	csr_clear(mstatus, MSTATUS_MPP);
	/* SD goes with FS = dirty. */
	for (u64 fs = 0; fs < 4; fs++) {
		csr_clear(mstatus, MSTATUS_FS);
		csr_set(mstatus, fs << 13);
		CHECK(csr_read(mstatus) >> 13 & 3, fs);
		CHECK(csr_read(mstatus) >> 63, fs == 3);
		CHECK(csr_read(sstatus) >> 13 & 3, fs);
		CHECK(csr_read(sstatus) >> 63, fs == 3);
	}
	csr_clear(mstatus, MSTATUS_FS);
}

/* ---- counters ------------------------------------------------------------- */

static void
test_counters(void)
{
	/* cycle, time, instret and hpmcounter3 by mcounteren, then scounteren. */
	static const uint8_t counters[] = { 0, 1, 2 };

	for (unsigned i = 0; i < sizeof counters; i++) {
		unsigned bit = counters[i];
		uint32_t read = (0xc00 + bit) << 20 | 0x2573;

		for (unsigned enables = 0; enables < 4; enables++) {
			bool m = enables & 1, s = enables & 2;

			csr_write(mcounteren, m ? 1ull << bit : ~(1ull << bit));
			csr_write(scounteren, s ? 1ull << bit : ~(1ull << bit));
			CHECK(is_illegal(M, read), false);
			CHECK(is_illegal(S, read), !m);
			CHECK(is_illegal(U, read), !m || !s);
		}
	}
	csr_write(mcounteren, -1);
	csr_write(scounteren, -1);
	/* They grow, stand still, and can be written. */
	u64 cycle = csr_read(cycle), instret = csr_read(instret), time = csr_read(time);

	for (unsigned i = 0; i < 100000; i++)
		__asm__ volatile("");
	CHECK(csr_read(cycle) > cycle, true);
	CHECK(csr_read(instret) > instret, true);
	CHECK(csr_read(time) > time, true);
	csr_write(mcountinhibit, 5);
	cycle = csr_read(mcycle);
	instret = csr_read(minstret);
	for (unsigned i = 0; i < 1000; i++)
		__asm__ volatile("");
	CHECK(csr_read(mcycle), cycle);
	CHECK(csr_read(minstret), instret);
	csr_write(mcycle, 0x123456789abcdef0);
	CHECK(csr_read(cycle), 0x123456789abcdef0);
	csr_write(minstret, 0x1122334455667788);
	CHECK(csr_read(instret), 0x1122334455667788);
	csr_write(mcountinhibit, 0);
	CHECK(csr_read(mcycle) - 0x123456789abcdef0 < 1ull << 32, true);
	for (unsigned n = 3; n < 19; n++)
		CHECK(run_bits(M, (0xb00 + n) << 20 | 0x2573, 1).a0, 0);
}

/* ---- floating-point state -------------------------------------------------- */

CODE(fp_move, "fmv.d.x ft0, zero");
CODE(fp_load, "fld ft0, 0(a0)");
CODE(fp_store, "fsd ft0, 0(a0)");
CODE(fp_add, "fadd.d ft0, ft1, ft2");
CODE(fp_compare, "feq.d a0, ft1, ft2");
CODE(fp_read, "frcsr a0");
CODE(fp_write, "fscsr a0");
CODE(fp_set_rm, "fsrm zero");
CODE(fp_flags, "fsflags zero");
CODE(fp_compressed, "c.fldsp ft0, 0(sp)");

static u64 fp_data;

static void
test_float(void)
{
	static const struct {
		const char *code;
		bool writes; /* makes FS dirty in any machine */
		bool reads;  /* in none */
	} cases[] = {
		{ fp_move, true, false }, { fp_load, true, false }, { fp_store, false, true },
		{ fp_add, true, false }, { fp_compare, false, false }, { fp_read, false, true },
		{ fp_write, true, false }, { fp_set_rm, true, false }, { fp_flags, true, false },
	};

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
		for (unsigned p = U; p <= M; p++) {
			enum privilege mode = (enum privilege)p;
			u64 fs;

			if (p == 2)
				continue;
			csr_clear(mstatus, MSTATUS_FS);
			struct outcome o = RUN(mode, cases[i].code, &fp_data, 0);

			CHECK(o.cause, ILLEGAL);
			CHECK(o.pc, cases[i].code);
			CHECK(csr_read(mstatus) >> 13 & 3, 0);
			for (u64 before = 1; before < 4; before++) {
				csr_clear(mstatus, MSTATUS_FS);
				csr_set(mstatus, before << 13);
				WORKS(mode, cases[i].code, &fp_data, 0);
				fs = csr_read(mstatus) >> 13 & 3;
				CHECK(csr_read(mstatus) >> 63, fs == 3);
				if (cases[i].writes)
					CHECK(fs, 3);
				if (cases[i].reads)
					CHECK(fs, before);
			}
		}
	/* A load that faults changes nothing. */
	csr_clear(mstatus, MSTATUS_FS);
	csr_set(mstatus, FS_CLEAN);
	TRAPS(S, fp_load, 0x18000000, 0, LOAD_ACCESS, 0x18000000);
	CHECK(csr_read(mstatus) >> 13 & 3, 2);
	csr_clear(mstatus, MSTATUS_FS);
	struct outcome o = RUN(U, fp_compressed, 0, 0);

	CHECK(o.cause, ILLEGAL);
	CHECK(o.value, 0x2002);
}

/* ---- cache blocks, timer enable -------------------------------------------- */

CODE(cbo_zero, ".option push\n.option arch, +zicboz\ncbo.zero (a0)\n.option pop");
CODE(cbo_clean, ".option push\n.option arch, +zicbom\ncbo.clean (a0)\n.option pop");
CODE(cbo_flush, ".option push\n.option arch, +zicbom\ncbo.flush (a0)\n.option pop");
CODE(cbo_inval, ".option push\n.option arch, +zicbom\ncbo.inval (a0)\n.option pop");

static void
test_environments(void)
{
	static const struct {
		const char *code;
		u64 field, value;
	} cases[] = {
		{ cbo_zero, 0x80, 0x80 }, { cbo_clean, 0x40, 0x40 }, { cbo_flush, 0x40, 0x40 },
		{ cbo_inval, 0x30, 0x10 }, { cbo_inval, 0x30, 0x30 },
	};
	u64 *block = (u64 *)test_page(0);

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
		for (unsigned enables = 0; enables < 4; enables++) {
			bool m = enables & 1, s = enables & 2;

			csr_clear(MENVCFG, 0xf1);
			csr_set(MENVCFG, m ? cases[i].value : 0xf0 & ~cases[i].field);
			csr_write(SENVCFG, s ? cases[i].value : 0xf0 & ~cases[i].field);
			for (unsigned j = 0; j < 16; j++)
				block[j] = j + 1;
			CHECK(RUN(M, cases[i].code, block, 0).cause, NONE);
			CHECK(RUN(S, cases[i].code, block, 0).cause, m ? NONE : ILLEGAL);
			CHECK(RUN(U, cases[i].code, block, 0).cause, m && s ? NONE : ILLEGAL);
			CHECK(block[8], 9);
			CHECK(block[7], cases[i].code == cbo_zero ? 0 : 8);
		}
	/* A block that may not be accessed: a store's fault. */
	csr_set(MENVCFG, 0xf0);
	struct outcome o = RUN(S, cbo_zero, 0x18000000, 0);

	CHECK(o.cause, STORE_ACCESS);
	CHECK(o.value, 0x18000000);
	/* stimecmp from S: menvcfg.STCE and mcounteren.TM. */
	for (unsigned enables = 0; enables < 4; enables++) {
		csr_clear(MENVCFG, STCE);
		csr_set(MENVCFG, enables & 1 ? STCE : 0);
		csr_write(mcounteren, enables & 2 ? 2 : 5);
		CHECK(is_illegal(S, STIMECMP << 20 | 0x2573), enables != 3);
		CHECK(is_illegal(M, STIMECMP << 20 | 0x2573), false);
	}
}

int
main(void)
{
	open_memory();
	test_existence();
	test_bits();
	test_satp();
	test_status();
	test_counters();
	test_float();
	test_environments();
	return 0;
}

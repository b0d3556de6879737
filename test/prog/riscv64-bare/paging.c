/* Address translation: Sv39, Sv48 and Sv57, every kind of page fault, rights by mode,
 * A and D, superpages, Svnapot, Svpbmt, MPRV, accesses that cross pages. */
#include "bare.h"

CODE(load8, "ld a0, 0(a0)");
CODE(store8, "sd a1, 0(a0)");
CODE(atomic_add, "amoadd.d a0, a1, (a0)");
CODE(load_reserved, "lr.d a0, (a0)");
CODE(store_conditional, "sc.d a0, a1, (a0)");
CODE(jump, "jr a0");
CODE(load8_mprv, "csrs mstatus, a1\nld a0, 0(a0)\ncsrc mstatus, a1");
CODE(store8_mprv, "csrs mstatus, a1\nsd a0, 0(a0)\ncsrc mstatus, a1");

#define MENVCFG 0x30a
#define ADUE (1ull << 61)
#define PBMTE (1ull << 62)

static u64 tables; /* satp */

/* Code for U-mode runs from its own mapping. */
static u64
in(enum privilege p, const void *code)
{
	return address_of(code) + (p == U ? USER_ALIAS : 0);
}

static u64
page(unsigned n)
{
	return TEST_PAGES + n * PAGE;
}

static void
set_entry(u64 *entry, u64 value)
{
	*entry = value;
	sfence();
}

/* The first test page becomes the entry; what S and U may do with it. */
static void
map(u64 flags)
{
	set_entry(test_entry(0), PTE_TO(test_page(0), flags));
}

static void
check_access(u64 line, enum privilege p, u64 address, bool read, bool write, bool execute)
{
	enum privilege m = read ? NOWHERE : M;

	expect(line, p, in(p, load8), address, 0, read ? NONE : LOAD_PAGE, read ? 0 : address, m);
	expect(line, p, in(p, load_reserved), address, 0, read ? NONE : LOAD_PAGE, read ? 0 : address, m);
	m = write ? NOWHERE : M;
	expect(line, p, in(p, store8), address, 0x8082, write ? NONE : STORE_PAGE, write ? 0 : address, m);
	expect(line, p, in(p, atomic_add), address, 0, write ? NONE : STORE_PAGE, write ? 0 : address, m);
	expect(line, p, in(p, store_conditional), address, 0, write ? NONE : STORE_PAGE, write ? 0 : address, m);
	m = execute ? NOWHERE : M;
	expect(line, p, in(p, jump), address, 0, execute ? NONE : FETCH_PAGE, execute ? 0 : address, m);
}
#define CHECK_ACCESS(...) check_access(__LINE__, __VA_ARGS__)

/* All combinations of V, R, W, X, U with A and D set, under SUM and MXR. */
static void
test_rights(void)
{
	for (unsigned flags = 0; flags < 32; flags++) {
		bool leaf = flags & (PTE_R | PTE_X), reserved = (flags & (PTE_R | PTE_W)) == PTE_W;
		bool valid = flags & PTE_V && leaf && !reserved;
		bool user = flags & PTE_U;

		/* A pointer on the last level is no leaf either. */
		*(volatile u64 *)test_page(0) = 0x8082; /* ret */
		__asm__ volatile("fence.i");
		map(flags | (leaf ? PTE_AD : 0));
		for (unsigned bits = 0; bits < 4; bits++) {
			bool sum = bits & 1, mxr = bits & 2;
			bool read = valid && (flags & PTE_R || (mxr && flags & PTE_X));
			bool write = valid && flags & PTE_W, execute = valid && flags & PTE_X;

			csr_clear(mstatus, MSTATUS_SUM | MSTATUS_MXR);
			csr_set(mstatus, (sum ? MSTATUS_SUM : 0) | (mxr ? MSTATUS_MXR : 0));
			CHECK_ACCESS(U, page(0), read && user, write && user, execute && user);
			CHECK_ACCESS(S, page(0), read && (!user || sum), write && (!user || sum), execute && !user);
		}
	}
	csr_clear(mstatus, MSTATUS_SUM | MSTATUS_MXR);
}

/* Svade: A and D are never set, and wanted. */
static void
test_svade(void)
{
	csr_clear(MENVCFG, ADUE);
	*(volatile u64 *)test_page(0) = 0x8082;
	map(PTE_V | PTE_RWX);
	CHECK_ACCESS(S, page(0), false, false, false);
	CHECK(*test_entry(0), PTE_TO(test_page(0), PTE_V | PTE_RWX));
	map(PTE_V | PTE_RWX | PTE_A);
	CHECK_ACCESS(S, page(0), true, false, true);
	map(PTE_V | PTE_RWX | PTE_D);
	CHECK_ACCESS(S, page(0), false, false, false);
}

/* Svadu: they are set by what is done, and by nothing else. */
static void
test_svadu(void)
{
	csr_set(MENVCFG, ADUE);
	if (!(csr_read(MENVCFG) & ADUE))
		finish(__LINE__, 0, 1);
	sfence();
	*(volatile u64 *)test_page(0) = 0x8082;
	map(PTE_V | PTE_R);
	TRAPS(S, store8, page(0), 0, STORE_PAGE, page(0));
	CHECK(*test_entry(0) & PTE_AD, 0);
	TRAPS(U, in(U, load8), page(0), 0, LOAD_PAGE, page(0));
	CHECK(*test_entry(0) & PTE_AD, 0);
	WORKS(S, load8, page(0), 0);
	CHECK(*test_entry(0) & PTE_AD, PTE_A);
	map(PTE_V | PTE_RW);
	WORKS(S, load8, page(0), 0);
	CHECK(*test_entry(0) & PTE_AD, PTE_A);
	WORKS(S, store8, page(0), 0x8082);
	CHECK(*test_entry(0) & PTE_AD, PTE_AD);
	map(PTE_V | PTE_RW);
	WORKS(S, atomic_add, page(0), 0);
	CHECK(*test_entry(0) & PTE_AD, PTE_AD);
	map(PTE_V | PTE_X);
	WORKS(S, jump, page(0), 0);
	CHECK(*test_entry(0) & PTE_AD, PTE_A);
	csr_clear(MENVCFG, ADUE);
	sfence();
}

/* Entries on the way: pointers that are not valid or have bits of leaves. */
static void
test_pointers(unsigned levels)
{
	for (unsigned level = 1; level < levels; level++) {
		u64 *entry = test_table_entry(level), good = *entry;
		/* The first entry has the program too, the second is the same. */
		u64 at = page(0) + (level > 2 ? 1ull << (12 + 9 * level) : 0);

		map(PTE_V | PTE_RW | PTE_AD);
		WORKS(S, load8, at, 0);
		set_entry(entry, good & ~(u64)PTE_V);
		CHECK_ACCESS(S, at, false, false, false);
		set_entry(entry, good | PTE_W); /* reserved */
		CHECK_ACCESS(S, at, false, false, false);
		for (unsigned bit = 0; bit < 3; bit++) {
			static const u64 must_be_zero[] = { PTE_A, PTE_D, PTE_U };

			set_entry(entry, good | must_be_zero[bit]);
			CHECK_ACCESS(S, at, false, false, false);
		}
		set_entry(entry, good | 1ull << 63); /* N and PBMT of a pointer */
		CHECK_ACCESS(S, at, false, false, false);
		set_entry(entry, good | 1ull << 61);
		CHECK_ACCESS(S, at, false, false, false);
		set_entry(entry, good | PTE_G);
		WORKS(S, load8, at, 0);
		/* A pointer to where no memory is: an access fault. */
		set_entry(entry, PTE_TO(0x18000000, PTE_V));
		TRAPS(S, load8, at, 0, LOAD_ACCESS, at);
		TRAPS(S, store8, at, 0, STORE_ACCESS, at);
		TRAPS(S, jump, at, 0, FETCH_ACCESS, at);
		set_entry(entry, good);
		WORKS(S, load8, at, 0);
	}
	/* Reserved bits of a leaf. */
	for (unsigned bit = 54; bit < 61; bit++) {
		map(PTE_V | PTE_RW | PTE_AD | 1ull << bit);
		CHECK_ACCESS(S, page(0), false, false, false);
	}
	/* The leaf's memory is missing. */
	set_entry(test_entry(0), PTE_TO(0x18000000, PTE_V | PTE_RWX | PTE_AD));
	TRAPS(S, load8, page(0), 0, LOAD_ACCESS, page(0));
	TRAPS(S, store8, page(0), 0, STORE_ACCESS, page(0));
	TRAPS(S, jump, page(0), 0, FETCH_ACCESS, page(0));
}

/* Leaves above level 0 must be aligned. */
static void
test_superpages(void)
{
	u64 *entry = test_table_entry(1), good = *entry, ram = 2 * GIB;
	u64 within = test_page(3) & ((2 << 20) - 1), base = test_page(3) - within;

	*(u64 *)test_page(3) = 0x1234567890abcdef;
	set_entry(entry, PTE_TO(base, PTE_V | PTE_RW | PTE_AD));
	CHECK(WORKS(S, load8, TEST_PAGES + within, 0).a0, 0x1234567890abcdef);
	CHECK_ACCESS(S, TEST_PAGES + within, true, true, false);
	for (u64 bit = PAGE; bit < 2 << 20; bit *= 2) {
		set_entry(entry, PTE_TO(base | bit, PTE_V | PTE_RWX | PTE_AD));
		CHECK_ACCESS(S, TEST_PAGES + within, false, false, false);
	}
	set_entry(entry, good);
	entry = test_table_entry(2);
	good = *entry;
	set_entry(entry, PTE_TO(ram, PTE_V | PTE_RW | PTE_AD));
	*(u64 *)test_page(3) = 0x1122334455667788;
	CHECK(WORKS(S, load8, TEST_PAGES + (test_page(3) - ram), 0).a0, 0x1122334455667788);
	for (u64 bit = PAGE; bit < GIB; bit *= 2) {
		set_entry(entry, PTE_TO(ram | bit, PTE_V | PTE_RWX | PTE_AD));
		CHECK_ACCESS(S, TEST_PAGES + (test_page(3) - ram), false, false, false);
	}
	set_entry(entry, good);
}

/* Bits above the address must be copies of its highest. */
static void
test_canonical(unsigned levels)
{
	unsigned top = 11 + 9 * levels;

	for (unsigned bit = top; bit < 64; bit++) {
		u64 address = page(0) ^ 1ull << bit;

		TRAPS(S, load8, address, 0, LOAD_PAGE, address);
		TRAPS(S, store8, address, 0, STORE_PAGE, address);
		TRAPS(S, jump, address, 0, FETCH_PAGE, address);
	}
}

static void
test_napot(void)
{
	u64 base = 2 * GIB + (16 << 20); /* RAM behind the program */
	u64 leaf = PTE_TO(base | 0x8000, PTE_V | PTE_RW | PTE_AD | 1ull << 63);

	for (unsigned i = 16; i < 32; i++)
		*test_entry(i) = leaf;
	sfence();
	for (unsigned i = 0; i < 16; i++) {
		*(volatile u64 *)(base + i * PAGE) = i + 100;
		CHECK(WORKS(S, load8, page(16 + i), 0).a0, i + 100);
		WORKS(S, store8, page(16 + i), i + 200);
		CHECK(*(volatile u64 *)(base + i * PAGE), i + 200);
	}
	for (u64 low = 0; low < 16; low++) { /* other sizes are reserved */
		if (low == 8)
			continue;
		set_entry(test_entry(16), PTE_TO(base | low << 12, PTE_V | PTE_RW | PTE_AD | 1ull << 63));
		CHECK_ACCESS(S, page(16), false, false, false);
	}
	/* N is for the last level. */
	u64 *entry = test_table_entry(1), good = *entry;

	set_entry(entry, PTE_TO(2 * GIB, PTE_V | PTE_RW | PTE_AD | 1ull << 63));
	CHECK_ACCESS(S, page(0), false, false, false);
	set_entry(entry, good);
}

static void
test_pbmt(void)
{
	for (u64 type = 1; type < 4; type++) {
		csr_clear(MENVCFG, PBMTE);
		map(PTE_V | PTE_RW | PTE_AD | type << 61);
		CHECK_ACCESS(S, page(0), false, false, false);
		csr_set(MENVCFG, PBMTE);
		sfence();
		CHECK_ACCESS(S, page(0), type != 3, type != 3, false);
	}
	csr_clear(MENVCFG, PBMTE);
	sfence();
}

/* M-mode with MPRV accesses as MPP, and fetches as itself. */
static void
test_mprv(void)
{
	struct outcome o;

	map(PTE_V | PTE_RW | PTE_AD | PTE_U);
	*(u64 *)test_page(0) = 77;
	csr_clear(mstatus, MSTATUS_MPP);
	/* probe() enters M-mode by mret, which leaves MPP = U. */
	o = WORKS(M, load8_mprv, page(0), MSTATUS_MPRV);
	CHECK(o.a0, 77);
	map(PTE_V | PTE_RW | PTE_AD);
	o = RUN(M, load8_mprv, page(0), MSTATUS_MPRV);
	CHECK(o.cause, LOAD_PAGE);
	CHECK(o.value, page(0));
	CHECK(o.status >> 11 & 3, M);
	csr_clear(mstatus, MSTATUS_MPRV);
	o = RUN(M, load8_mprv, page(0), MSTATUS_MPRV | 1 << 11); /* MPP = S */
	csr_clear(mstatus, MSTATUS_MPRV);
	CHECK(o.cause, NONE);
	CHECK(o.a0, 77);
	map(PTE_V | PTE_RW | PTE_AD | PTE_U);
	o = RUN(M, store8_mprv, page(0), MSTATUS_MPRV | 1 << 11);
	csr_clear(mstatus, MSTATUS_MPRV);
	CHECK(o.cause, STORE_PAGE);
	o = RUN(M, store8_mprv, page(0), MSTATUS_MPRV | 1 << 11 | MSTATUS_SUM);
	csr_clear(mstatus, MSTATUS_MPRV | MSTATUS_SUM);
	CHECK(o.cause, NONE);
	map(PTE_V | PTE_X | PTE_AD);
	o = RUN(M, load8_mprv, page(0), MSTATUS_MPRV | 1 << 11);
	csr_clear(mstatus, MSTATUS_MPRV);
	CHECK(o.cause, LOAD_PAGE);
	o = RUN(M, load8_mprv, page(0), MSTATUS_MPRV | 1 << 11 | MSTATUS_MXR);
	csr_clear(mstatus, MSTATUS_MPRV | MSTATUS_MXR);
	CHECK(o.cause, NONE);
	/* MPP = M: M-mode's own access, for which there is no such address. */
	o = RUN(M, load8_mprv, page(0), MSTATUS_MPRV | 3 << 11);
	csr_clear(mstatus, MSTATUS_MPRV);
	CHECK(o.cause, LOAD_ACCESS);
}

/* The fault's address is in the page that faults; what was there stays. */
static void
test_crossing(void)
{
	u64 last = page(0) + PAGE - 4;

	*test_entry(0) = PTE_TO(test_page(0), PTE_V | PTE_RW | PTE_AD);
	*test_entry(1) = PTE_TO(test_page(5), PTE_V | PTE_RW | PTE_AD);
	sfence();
	WORKS(S, store8, last, 0x1122334455667788);
	CHECK(*(uint32_t *)(test_page(0) + PAGE - 4), 0x55667788);
	CHECK(*(uint32_t *)test_page(5), 0x11223344);
	CHECK(WORKS(S, load8, last, 0).a0, 0x1122334455667788);
	set_entry(test_entry(1), 0);
	TRAPS(S, load8, last, 0, LOAD_PAGE, page(1));
	TRAPS(S, store8, last, 0, STORE_PAGE, page(1));
	CHECK(*(uint32_t *)(test_page(0) + PAGE - 4), 0x55667788);
	*test_entry(1) = PTE_TO(test_page(5), PTE_V | PTE_RW | PTE_AD);
	set_entry(test_entry(0), PTE_TO(test_page(0), PTE_V));
	TRAPS(S, load8, last, 0, LOAD_PAGE, last);
	TRAPS(S, store8, last, 0, STORE_PAGE, last);
	CHECK(*(uint32_t *)test_page(5), 0x11223344);
	/* An instruction: auipc a0, 0 at the end of a page, its second half on
	 * the next one. */
	*(volatile uint16_t *)(test_page(0) + PAGE - 2) = 0x0517;
	*(volatile uint16_t *)test_page(5) = 0;
	*(volatile uint16_t *)(test_page(5) + 2) = 0x8082;
	__asm__ volatile("fence.i");
	*test_entry(0) = PTE_TO(test_page(0), PTE_V | PTE_RWX | PTE_AD);
	*test_entry(1) = PTE_TO(test_page(5), PTE_V | PTE_RWX | PTE_AD);
	sfence();
	CHECK(WORKS(S, jump, page(1) - 2, 0).a0, page(1) - 2);
	set_entry(test_entry(1), PTE_TO(test_page(5), PTE_V | PTE_RW | PTE_AD));
	struct outcome o = TRAPS(S, jump, page(1) - 2, 0, FETCH_PAGE, page(1));

	CHECK(o.pc, page(1) - 2);
}

/* Bare mode: addresses are physical, whatever the rights of pages. */
static void
test_bare(void)
{
	csr_write(satp, 0);
	*(u64 *)test_page(0) = 99;
	CHECK(WORKS(S, load8, test_page(0), 0).a0, 99);
	CHECK(WORKS(U, load8, test_page(0), 0).a0, 99);
	TRAPS(S, load8, page(0), 0, LOAD_ACCESS, page(0));
	csr_write(satp, tables);
}

int
main(void)
{
	open_memory();
	csr_write(medeleg, 0);
	for (unsigned levels = 3; levels <= 5; levels++) {
		tables = make_tables(levels);
		csr_write(satp, tables);
		CHECK(csr_read(satp), tables);
		sfence();
		csr_clear(MENVCFG, ADUE);
		test_rights();
		test_svade();
		test_svadu();
		test_pointers(levels);
		test_superpages();
		test_canonical(levels);
		test_napot();
		test_pbmt();
		test_mprv();
		test_crossing();
		test_bare();
	}
	return 0;
}

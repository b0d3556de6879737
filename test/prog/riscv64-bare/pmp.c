/* Physical memory protection: rights, matching, priority, partial matches, locks,
 * M-mode's own rule, MPRV, page walks, Bare and translated. */
#include "bare.h"

CODE(load8, "ld a0, 0(a0)");
CODE(load4, "lw a0, 0(a0)");
CODE(store8, "sd a1, 0(a0)");
CODE(store4, "sw a1, 0(a0)");
CODE(atomic_add, "amoadd.d a0, a1, (a0)");
CODE(jump, "jr a0");
CODE(load8_mprv, "csrs mstatus, a1\nld a0, 0(a0)\ncsrc mstatus, a1");

enum { R = 1, W = 2, X = 4, TOR = 8, NA4 = 16, NAPOT = 24, L = 128 };

/* Entry n: configuration and address register. */
static void
set_config(unsigned n, u64 config)
{
	u64 shift = 8 * (n % 8), mask = 0xffull << shift;

	if (n < 8)
		csr_write(pmpcfg0, (csr_read(pmpcfg0) & ~mask) | config << shift);
	else
		csr_write(pmpcfg2, (csr_read(pmpcfg2) & ~mask) | config << shift);
	sfence();
}

#define SET_ADDRESS(n, value) csr_write(pmpaddr##n, (u64)(value) >> 2)

static u64
napot(u64 base, u64 size)
{
	return base | (size / 2 - 1);
}

static void
check_access(u64 line, enum privilege p, u64 address, unsigned rights)
{
	expect(line, p, (u64)load8, address, 0, rights & R ? NONE : LOAD_ACCESS, rights & R ? 0 : address,
	       rights & R ? NOWHERE : M);
	expect(line, p, (u64)store8, address, 0x8082, rights & W ? NONE : STORE_ACCESS, rights & W ? 0 : address,
	       rights & W ? NOWHERE : M);
	expect(line, p, (u64)atomic_add, address, 0, rights & W ? NONE : STORE_ACCESS, rights & W ? 0 : address,
	       rights & W ? NOWHERE : M);
	expect(line, p, (u64)jump, address, 0, rights & X ? NONE : FETCH_ACCESS, rights & X ? 0 : address,
	       rights & X ? NOWHERE : M);
}
#define CHECK_ACCESS(...) check_access(__LINE__, __VA_ARGS__)

static u64 base; /* a page of memory */

/* All combinations of rights, in S and U; M-mode is free of them. */
static void
test_rights(void)
{
	*(volatile u64 *)base = 0x8082;
	__asm__ volatile("fence.i");
	SET_ADDRESS(0, napot(base, 4096));
	for (unsigned rights = 0; rights < 8; rights++) {
		set_config(0, NAPOT | rights);
		if ((rights & (R | W)) == W) /* reserved; whatever it became */
			continue;
		CHECK(csr_read(pmpcfg0) & 0xff, NAPOT | rights);
		CHECK_ACCESS(S, base, rights);
		CHECK_ACCESS(U, base, rights);
		CHECK_ACCESS(M, base, R | W | X);
	}
	set_config(0, 0);
}

/* Where each kind of entry begins and ends. */
static void
test_matching(void)
{
	for (u64 size = 8; size <= 4096; size *= 2) {
		SET_ADDRESS(0, napot(base + 4096, size));
		set_config(0, NAPOT);
		CHECK_ACCESS(S, base + 4096 - 8, R | W | X);
		*(volatile u64 *)(base + 4096 + size) = 0x8082;
		CHECK_ACCESS(S, base + 4096, 0);
		CHECK_ACCESS(S, base + 4096 + size - 8, 0);
		CHECK_ACCESS(S, base + 4096 + size, R | W | X);
	}
	SET_ADDRESS(0, base + 4);
	set_config(0, NA4 | R);
	WORKS(S, load4, base, 0);
	WORKS(S, store4, base, 0);
	WORKS(S, load4, base + 4, 0);
	TRAPS(S, store4, base + 4, 0, STORE_ACCESS, base + 4);
	WORKS(S, store4, base + 8, 0);
	/* Top of range: from the address below, or 0, up to its own. */
	SET_ADDRESS(0, base + 16);
	SET_ADDRESS(1, base + 28);
	set_config(0, 0);
	set_config(1, TOR | R);
	WORKS(S, store4, base + 12, 0);
	TRAPS(S, store4, base + 16, 0, STORE_ACCESS, base + 16);
	TRAPS(S, store4, base + 24, 0, STORE_ACCESS, base + 24);
	WORKS(S, load4, base + 24, 0);
	WORKS(S, store4, base + 28, 0);
	SET_ADDRESS(1, base + 16); /* empty */
	sfence();
	WORKS(S, store4, base + 16, 0);
	SET_ADDRESS(1, base + 12); /* ends before it begins */
	sfence();
	WORKS(S, store4, base + 12, 0);
	set_config(1, 0);
	SET_ADDRESS(0, base + 16); /* the first one begins at 0: its own code, too */
	set_config(0, TOR | R | X);
	TRAPS(S, store4, base + 12, 0, STORE_ACCESS, base + 12);
	WORKS(S, store4, base + 16, 0);
	set_config(0, 0);
}

/* The lowest entry that matches any byte decides; it must match all. */
static void
test_priority(void)
{
	SET_ADDRESS(0, napot(base, 64));
	SET_ADDRESS(1, napot(base, 4096));
	set_config(1, NAPOT);
	set_config(0, NAPOT | R | W);
	CHECK_ACCESS(S, base, R | W);
	CHECK_ACCESS(S, base + 64, 0);
	set_config(0, NAPOT);
	set_config(1, NAPOT | R | W);
	CHECK_ACCESS(S, base, 0);
	CHECK_ACCESS(S, base + 64, R | W);
	/* Half of an access, with all rights on either side. */
	SET_ADDRESS(0, base);
	set_config(0, NA4 | R | W | X);
	set_config(1, NAPOT | R | W | X);
	TRAPS(S, load8, base, 0, LOAD_ACCESS, base);
	TRAPS(S, store8, base, 0, STORE_ACCESS, base);
	WORKS(S, load4, base, 0);
	WORKS(S, load4, base + 4, 0);
	/* M-mode too, where an entry that is not locked lets it pass otherwise. */
	TRAPS(M, load8, base, 0, LOAD_ACCESS, base);
	WORKS(M, load4, base, 0);
	SET_ADDRESS(0, base + 4);
	sfence();
	TRAPS(S, load8, base, 0, LOAD_ACCESS, base);
	set_config(0, 0);
	set_config(1, 0);
	WORKS(S, load8, base, 0);
}

/* Without any match S and U have nothing. */
static void
test_default(void)
{
	/* With no entry at all QEMU has mret itself fault. */
	SET_ADDRESS(0, napot(base, 8));
	set_config(0, NAPOT | R | W | X);
	set_config(15, 0);
	TRAPS(S, load8, base, 0, FETCH_ACCESS, load8);
	TRAPS(U, load8, base, 0, FETCH_ACCESS, load8);
	WORKS(M, load8, base + 8, 0);
	open_memory();
	set_config(0, 0);
	sfence();
}

/* Data accesses of M-mode under MPRV are MPP's. */
static void
test_mprv(void)
{
	struct outcome o;

	SET_ADDRESS(0, napot(base, 4096));
	set_config(0, NAPOT);
	o = RUN(M, load8_mprv, base, MSTATUS_MPRV); /* MPP is U after mret */
	CHECK(o.cause, LOAD_ACCESS);
	csr_clear(mstatus, MSTATUS_MPRV);
	o = RUN(M, load8_mprv, base, MSTATUS_MPRV | 3 << 11);
	CHECK(o.cause, NONE);
	csr_clear(mstatus, MSTATUS_MPRV);
	set_config(0, 0);
}

/* The table that a walk reads must be readable to S-mode, and writable where
 * A and D are set; else it is an access fault of the access. */
static void
test_walk(void)
{
	u64 address = TEST_PAGES;

	csr_write(satp, make_tables(3));
	*test_entry(0) = PTE_TO(base, PTE_V | PTE_RWX | PTE_AD);
	SET_ADDRESS(0, napot((u64)test_entry(0), 4096));
	set_config(0, NAPOT | R);
	CHECK_ACCESS(S, address, R | W | X);
	set_config(0, NAPOT);
	CHECK_ACCESS(S, address, 0);
	set_config(0, NAPOT | X);
	CHECK_ACCESS(S, address, 0);
	/* Svadu. */
	csr_set(0x30a, 1ull << 61);
	set_config(0, NAPOT | R);
	*test_entry(0) = PTE_TO(base, PTE_V | PTE_RWX);
	sfence();
	CHECK_ACCESS(S, address, 0);
	CHECK(*test_entry(0), PTE_TO(base, PTE_V | PTE_RWX));
	set_config(0, NAPOT | R | W);
	CHECK_ACCESS(S, address, R | W | X);
	csr_clear(0x30a, 1ull << 61);
	/* The page itself, by halves. */
	*test_entry(0) = PTE_TO(base, PTE_V | PTE_RWX | PTE_AD);
	SET_ADDRESS(0, napot(base + 2048, 2048));
	set_config(0, NAPOT | R);
	*(volatile u64 *)base = 0x8082;
	CHECK_ACCESS(S, address, R | W | X);
	CHECK_ACCESS(S, address + 2040, R | W | X);
	CHECK_ACCESS(S, address + 2048, R);
	csr_write(satp, 0);
	set_config(0, 0);
}

/* Locked entries: they bind M-mode, and do not change until reset. */
static void
test_locks(void)
{
	SET_ADDRESS(4, napot(base, 4096));
	set_config(4, L | NAPOT | R);
	*(volatile u64 *)(base + 4096) = 0x8082;
	CHECK_ACCESS(M, base, R);
	CHECK_ACCESS(S, base, R);
	set_config(4, NAPOT | R | W);
	CHECK(csr_read(pmpcfg0) >> 32 & 0xff, L | NAPOT | R);
	csr_write(pmpaddr4, 0);
	CHECK(csr_read(pmpaddr4), napot(base, 4096) >> 2);
	CHECK_ACCESS(M, base, R);
	/* An entry before it lets M-mode through again. */
	SET_ADDRESS(0, napot(base, 4096));
	set_config(0, NAPOT);
	CHECK_ACCESS(M, base, R | W | X);
	CHECK_ACCESS(S, base, 0);
	set_config(0, 0);
	/* A locked top of range locks the address below it, an entry that is off
	 * its own. */
	SET_ADDRESS(9, base + 4096);
	SET_ADDRESS(10, base + 8192);
	set_config(10, L | TOR | R | W);
	csr_write(pmpaddr9, 0);
	CHECK(csr_read(pmpaddr9), (base + 4096) >> 2);
	CHECK_ACCESS(M, base + 4096, R | W);
	CHECK_ACCESS(M, base + 8192, R | W | X);
	set_config(12, L);
	csr_write(pmpaddr12, 1234);
	CHECK(csr_read(pmpaddr12), 0);
	csr_write(pmpaddr11, 1234); /* entry 12 is no range */
	CHECK(csr_read(pmpaddr11), 1234);
}

/* Registers: 54 bits of address, no reserved bits of configuration. */
static void
test_registers(void)
{
	csr_write(pmpaddr0, -1ull);
	CHECK(csr_read(pmpaddr0), (1ull << 54) - 1);
	csr_write(pmpaddr0, 0);
	set_config(0, 0x60);
	CHECK(csr_read(pmpcfg0) & 0xff, 0);
	CHECK(is_illegal(M, 0x3a102573), true); /* pmpcfg1, pmpcfg3: not on RV64 */
	CHECK(is_illegal(M, 0x3a302573), true);
	CHECK(is_illegal(S, 0x3a002573), true);
	CHECK(is_illegal(S, 0x3b002573), true);
}

int
main(void)
{
	base = test_page(4);
	for (unsigned i = 0; i < 3 * 512; i++)
		((volatile u64 *)base)[i] = 0x8082;
	__asm__ volatile("fence.i");
	open_memory();
	test_registers();
	test_rights();
	test_matching();
	test_priority();
	test_default();
	test_mprv();
	test_walk();
	test_locks();
	return 0;
}

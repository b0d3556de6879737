/* What sfence.vma, sinval.vma and satp writes make seen, and fence.i: mappings
 * that change under loads, stores and fetches; address spaces; global pages;
 * superpages. */
#include "bare.h"

CODE(load8, "ld a0, 0(a0)");
CODE(store8, "sd a1, 0(a0)");
CODE(jump, "jr a0");
/* Loads twice, with a fence between that S-mode does itself; a1 is the fence's
 * operand or an entry to clear. */
CODE(clear_and_fence, "ld t0, 0(a0)\nsd zero, 0(a1)\nsfence.vma a0\nld a0, 0(a0)");
CODE(change_satp, "csrw satp, a1\nld a0, 0(a0)");
CODE(patch, "la t0, 1f\nsw a1, 0(t0)\nfence.i\n.option push\n.option norvc\n1: li a0, 1\n.option pop");

#define SATP(tables, asid) ((tables) | (u64)(asid) << 44)
#define LI_A0(n) ((uint32_t)(n) << 20 | 0x513) /* li a0, n */

enum way { ALL, BY_ADDRESS, BY_ASID, BY_BOTH, BY_SINVAL, WAYS };

static u64 tables;

static void
fence(enum way way, u64 address, u64 asid)
{
	switch (way) {
	case ALL:
		__asm__ volatile("sfence.vma" : : : "memory");
		break;
	case BY_ADDRESS:
		__asm__ volatile("sfence.vma %0" : : "r"(address) : "memory");
		break;
	case BY_ASID:
		__asm__ volatile("sfence.vma zero, %0" : : "r"(asid) : "memory");
		break;
	case BY_BOTH:
		__asm__ volatile("sfence.vma %0, %1" : : "r"(address), "r"(asid) : "memory");
		break;
	default: /* sfence.w.inval; sinval.vma a0, a1; sfence.inval.ir */
		__asm__ volatile("mv a0, %0\nmv a1, %1\n.4byte 0x18000073, 0x16b50073, 0x18100073"
				 : : "r"(address), "r"(asid) : "a0", "a1", "memory");
	}
}

/* A leaf that points elsewhere, loses rights, goes away. */
static void
test_changes(void)
{
	u64 one = PTE_TO(test_page(1), PTE_V | PTE_RWX | PTE_AD), two = PTE_TO(test_page(2), PTE_V | PTE_RWX | PTE_AD);
	u64 at = TEST_PAGES;

	*(volatile u64 *)test_page(1) = LI_A0(11) | 0x8082ull << 32;
	*(volatile u64 *)test_page(2) = LI_A0(22) | 0x8082ull << 32;
	__asm__ volatile("fence.i");
	for (unsigned asid = 0; asid < 3; asid++)
		for (enum way way = ALL; way < WAYS; way++) {
			csr_write(satp, SATP(tables, asid));
			*test_entry(0) = one;
			fence(way, at + 8, asid); /* any address of the page */
			CHECK((uint32_t)WORKS(S, load8, at, 0).a0, LI_A0(11));
			CHECK(WORKS(S, jump, at, 0).a0, 11);
			WORKS(S, store8, at + 64, 0x1111);
			*test_entry(0) = two;
			fence(way, at + 16, asid);
			CHECK((uint32_t)WORKS(S, load8, at, 0).a0, LI_A0(22));
			CHECK(WORKS(S, jump, at, 0).a0, 22);
			WORKS(S, store8, at + 64, 0x2222);
			CHECK(*(volatile u64 *)(test_page(1) + 64), 0x1111);
			CHECK(*(volatile u64 *)(test_page(2) + 64), 0x2222);
			*test_entry(0) = two & ~(u64)(PTE_W | PTE_X);
			fence(way, at, asid);
			WORKS(S, load8, at, 0);
			TRAPS(S, store8, at + 64, 0, STORE_PAGE, at + 64);
			TRAPS(S, jump, at, 0, FETCH_PAGE, at);
			*test_entry(0) = 0;
			fence(way, at + 4088, asid);
			TRAPS(S, load8, at, 0, LOAD_PAGE, at);
			*(volatile u64 *)(test_page(1) + 64) = *(volatile u64 *)(test_page(2) + 64) = 0;
		}
	csr_write(satp, tables);
	*test_entry(0) = one;
	fence(ALL, 0, 0);
	TRAPS(S, clear_and_fence, at, 0x18000000, STORE_PAGE, 0x18000000); /* not mapped */
	*test_entry(0) = one;
	fence(ALL, 0, 0);
	TRAPS(S, clear_and_fence, at, test_entry(0), LOAD_PAGE, at);
}

/* Without a fence: another ASID sees its own pages, at once and after coming
 * back; a satp write within a piece of code counts from the next access on. */
static void
test_address_spaces(void)
{
	static _Alignas(4096) u64 other[512], other_middle[512], other_leaf[512];
	u64 at = TEST_PAGES + PAGE, other_tables = 8ull << 60 | (u64)other >> 12;

	for (unsigned i = 0; i < 512; i++)
		other[i] = ((u64 *)((tables & ((1ull << 44) - 1)) << 12))[i];
	other[4] = PTE_TO(other_middle, PTE_V);
	other_middle[0] = PTE_TO(other_leaf, PTE_V);
	*test_entry(1) = PTE_TO(test_page(1), PTE_V | PTE_RW | PTE_AD);
	other_leaf[1] = PTE_TO(test_page(2), PTE_V | PTE_RW | PTE_AD);
	*test_entry(2) = other_leaf[2] = PTE_TO(test_page(3), PTE_V | PTE_RW | PTE_AD | PTE_G);
	*(volatile u64 *)test_page(1) = 111;
	*(volatile u64 *)test_page(2) = 222;
	*(volatile u64 *)test_page(3) = 333;
	fence(ALL, 0, 0);
	for (unsigned i = 0; i < 4; i++) {
		csr_write(satp, SATP(tables, 5));
		CHECK(WORKS(S, load8, at, 0).a0, 111);
		CHECK(WORKS(S, load8, at + PAGE, 0).a0, 333);
		csr_write(satp, SATP(other_tables, 6));
		CHECK(WORKS(S, load8, at, 0).a0, 222);
		CHECK(WORKS(S, load8, at + PAGE, 0).a0, 333);
		CHECK(WORKS(S, change_satp, at, SATP(tables, 5)).a0, 111);
		CHECK(WORKS(S, change_satp, at, SATP(other_tables, 6)).a0, 222);
	}
	/* A fence of one address space, or one that spares global pages, need not,
	 * but may, touch others; this one's must go. */
	*test_entry(1) = PTE_TO(test_page(4), PTE_V | PTE_RW | PTE_AD);
	*(volatile u64 *)test_page(4) = 444;
	csr_write(satp, SATP(other_tables, 6));
	fence(BY_BOTH, at, 5);
	CHECK(WORKS(S, load8, at, 0).a0, 222);
	csr_write(satp, SATP(tables, 5));
	CHECK(WORKS(S, load8, at, 0).a0, 444);
	/* Global pages go by a fence without ASID. */
	*test_entry(2) = other_leaf[2] = PTE_TO(test_page(4), PTE_V | PTE_RW | PTE_AD | PTE_G);
	fence(BY_ADDRESS, at + PAGE, 0);
	CHECK(WORKS(S, load8, at + PAGE, 0).a0, 444);
	csr_write(satp, SATP(other_tables, 6));
	CHECK(WORKS(S, load8, at + PAGE, 0).a0, 444);
	/* The other tables under the same ASID: a fence of all of it. */
	csr_write(satp, SATP(tables, 6));
	fence(BY_ASID, 0, 6);
	CHECK(WORKS(S, load8, at, 0).a0, 444);
	/* Bare and back takes no fence. */
	csr_write(satp, 0);
	CHECK(WORKS(S, load8, test_page(2), 0).a0, 222);
	csr_write(satp, SATP(tables, 6));
	CHECK(WORKS(S, load8, at, 0).a0, 444);
	csr_write(satp, tables);
	fence(ALL, 0, 0);
}

/* A superpage goes as a whole, by any address in it; it may become small pages. */
static void
test_superpages(void)
{
	u64 *entry = test_table_entry(1), small = *entry, base = 2 * GIB + (32 << 20), at = TEST_PAGES;

	for (enum way way = ALL; way < WAYS; way++) {
		for (u64 offset = 0; offset < 2 << 20; offset += 64 * PAGE)
			*(volatile u64 *)(base + offset) = offset + 1;
		*entry = PTE_TO(base, PTE_V | PTE_RW | PTE_AD);
		fence(ALL, 0, 0); /* of many small pages */
		for (u64 offset = 0; offset < 2 << 20; offset += 64 * PAGE)
			CHECK(WORKS(S, load8, at + offset, 0).a0, offset + 1);
		*entry = small;
		*test_entry(0) = *test_entry(64) = PTE_TO(test_page(6), PTE_V | PTE_RW | PTE_AD);
		*(volatile u64 *)test_page(6) = 666;
		*test_entry(128) = 0;
		fence(way, at + 300 * PAGE, 0);
		CHECK(WORKS(S, load8, at, 0).a0, 666);
		CHECK(WORKS(S, load8, at + 64 * PAGE, 0).a0, 666);
		TRAPS(S, load8, at + 128 * PAGE, 0, LOAD_PAGE, at + 128 * PAGE);
	}
}

/* Code written by the one who runs it, and through another mapping. */
static void
test_code(void)
{
	u64 at = TEST_PAGES + 3 * PAGE;

	csr_write(satp, 0);
	for (uint32_t i = 0; i < 100; i++)
		CHECK(WORKS(i % 2 ? S : M, patch, 0, LI_A0(i)).a0, i);
	csr_write(satp, tables);
	*test_entry(3) = PTE_TO(test_page(7), PTE_V | PTE_X | PTE_AD);
	fence(ALL, 0, 0);
	for (u64 i = 0; i < 100; i++) {
		*(volatile u64 *)(test_page(7) + 128) = LI_A0(i) | 0x8082ull << 32;
		__asm__ volatile("fence.i" : : : "memory");
		CHECK(WORKS(S, jump, at + 128, 0).a0, i);
		CHECK(WORKS(M, jump, test_page(7) + 128, 0).a0, i);
	}
}

int
main(void)
{
	open_memory();
	tables = make_tables(3);
	csr_write(satp, tables);
	fence(ALL, 0, 0);
	test_changes();
	test_address_spaces();
	test_superpages();
	test_code();
	return 0;
}

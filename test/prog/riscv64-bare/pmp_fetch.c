/* Physical memory protection of instructions, where it is finer than a page: each
 * is checked as it is fetched, also when it was run before, in Bare mode and
 * translated. */
#include "bare.h"

CODE(jump, "jr a0");

enum { R = 1, W = 2, X = 4, NAPOT = 24, C_NOP = 0x0001, C_RET = 0x8082, NOP_LOW = 0x0013, NOP_HIGH = 0x0000 };

static u64 base; /* a page of memory, of which 8 bytes at HOLE are the test's */
enum { HOLE = 64, HOLE_SIZE = 8 };

static void
set_hole(unsigned rights)
{
	csr_write(pmpaddr0, ((base + HOLE) | (HOLE_SIZE / 2 - 1)) >> 2);
	csr_write(pmpcfg0, NAPOT | rights);
	sfence();
}

static void
put(unsigned at, unsigned half)
{
	*(volatile uint16_t *)(base + at) = (uint16_t)half;
	__asm__ volatile("fence.i" : : : "memory");
}

/* A run from `from` on stops at `pc` because of the byte at `value`. */
static void
check_stop(u64 line, enum privilege p, u64 address, unsigned from, unsigned pc, unsigned value)
{
	struct outcome o = run_at((u64)jump, p, address + from, 0);

	check(line, o.cause, FETCH_ACCESS);
	check(line, o.pc, address + pc);
	check(line, o.value, address + value);
}
#define STOPS(...) check_stop(__LINE__, __VA_ARGS__)

/* The page is at this address for S-mode. */
static void
test_at(u64 address)
{
	for (unsigned at = 0; at < 128; at += 2)
		put(at, C_NOP);
	put(126, C_RET);
	for (unsigned round = 0; round < 3; round++) {
		set_hole(R | W | X);
		WORKS(S, jump, address, 0);
		set_hole(R | W);
		STOPS(S, address, 0, HOLE, HOLE);
		STOPS(S, address, HOLE - 2, HOLE, HOLE);
		STOPS(S, address, HOLE + 4, HOLE + 4, HOLE + 4);
		WORKS(S, jump, address + HOLE + HOLE_SIZE, 0);
	}
	/* Half an instruction. */
	put(HOLE - 2, NOP_LOW);
	put(HOLE, NOP_HIGH);
	STOPS(S, address, 0, HOLE - 2, HOLE);
	set_hole(X);
	WORKS(S, jump, address, 0);
	set_hole(0);
	STOPS(S, address, HOLE - 2, HOLE - 2, HOLE);
}

int
main(void)
{
	base = test_page(4);
	open_memory();
	test_at(base);
	csr_write(satp, make_tables(4));
	*test_entry(0) = PTE_TO(base, PTE_V | PTE_RWX | PTE_AD);
	sfence();
	test_at(TEST_PAGES);
	csr_write(satp, 0);
	/* M-mode is free of it. */
	WORKS(M, jump, base, 0);
	return 0;
}

/* What bare-metal tests of the riscv64 system level share.
 *
 * A test's main() runs in M-mode with a stack, and reports through CHECK, the
 * first of which that fails ends the program; so does main's return, with
 * success. run() enters a piece of code at a privilege and says what trap ended
 * it, in which mode it was handled, and what the CSRs say of it. The code is a
 * naked function (CODE), with two arguments in a0 and a1; it returns normally
 * when nothing goes wrong.
 *
 * Every expectation stands in the manual (RISC-V Instruction Set Manual, volume
 * II); where it leaves a choice the test takes what both this project and QEMU
 * do, or accepts all.
 */
#ifndef BARE_H
#define BARE_H

#define SYSCON 0x100000
#define UART 0x10000000
#define CLINT 0x2000000
#define MSTATUS_SIE (1 << 1)
#define MSTATUS_MIE (1 << 3)
#define MSTATUS_SPIE (1 << 5)
#define MSTATUS_MPIE (1 << 7)
#define MSTATUS_SPP (1 << 8)
#define MSTATUS_MPP (3 << 11)
#define MSTATUS_FS (3 << 13)
#define MSTATUS_MPRV (1 << 17)
#define MSTATUS_SUM (1 << 18)
#define MSTATUS_MXR (1 << 19)
#define MSTATUS_TVM (1 << 20)
#define MSTATUS_TW (1 << 21)
#define MSTATUS_TSR (1 << 22)

#define OUTCOME_A0 0
#define OUTCOME_CAUSE 8
#define OUTCOME_VALUE 16
#define OUTCOME_PC 24
#define OUTCOME_STATUS 32
#define OUTCOME_VECTOR 40

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t u64;

enum privilege { U = 0, S = 1, M = 3, NOWHERE = 0 };
enum cause {
	FETCH_MISALIGNED, FETCH_ACCESS, ILLEGAL, BREAKPOINT, LOAD_MISALIGNED, LOAD_ACCESS, STORE_MISALIGNED,
	STORE_ACCESS, ECALL_U, ECALL_S, ECALL_M = 11, FETCH_PAGE, LOAD_PAGE, STORE_PAGE = 15,
	NONE = 64,
};
#define INTERRUPT (1ull << 63)

struct outcome {
	u64 a0, cause, value, pc, status, vector;
	int level; /* S or M: where the trap was handled; 0: there was none */
};

#define STRING_(x) #x
#define STRING(x) STRING_(x)

#define csr_read(name) \
	({ \
		u64 value_; \
		__asm__ volatile("csrr %0, " STRING(name) : "=r"(value_) : : "memory"); \
		value_; \
	})
#define csr_write(name, value) __asm__ volatile("csrw " STRING(name) ", %0" : : "r"((u64)(value)) : "memory")
#define csr_set(name, value) __asm__ volatile("csrs " STRING(name) ", %0" : : "r"((u64)(value)) : "memory")
#define csr_clear(name, value) __asm__ volatile("csrc " STRING(name) ", %0" : : "r"((u64)(value)) : "memory")
#define csr_swap(name, value) \
	({ \
		u64 old_; \
		__asm__ volatile("csrrw %0, " STRING(name) ", %1" : "=r"(old_) : "r"((u64)(value)) : "memory"); \
		old_; \
	})

/* Code for run(): CODE(name, "instructions"). */
#define CODE(name, text) \
	__asm__(".text\n.balign 8\n" #name ":\n" text "\nret\n"); \
	extern const char name[]

#define CHECK(got, want) check(__LINE__, (u64)(got), (u64)(want))

_Noreturn void finish(u64 line, u64 got, u64 want);
void probe(struct outcome *outcome, u64 code, u64 a, u64 b);
extern const char probe_end[], trap_supervisor[], trap_machine[], trap_machine_vectors[], _start[];

static inline void
check(u64 line, u64 got, u64 want)
{
	if (got != want)
		finish(line, got, want);
}

static inline u64
address_of(const void *object)
{
	return (u64)object;
}

/* bare.c: */

struct outcome run_at(u64 code, enum privilege privilege, u64 a, u64 b);
/* Runs and checks what trap came of it: its cause (NONE: none), its value, and
 * where it was handled. */
struct outcome expect(u64 line, enum privilege privilege, u64 code, u64 a, u64 b, u64 cause, u64 value,
		      enum privilege level);
#define RUN(mode, code, a, b) run_at((u64)(code), mode, (u64)(a), (u64)(b))
#define WORKS(mode, code, a, b) \
	expect(__LINE__, mode, (u64)(code), (u64)(a), (u64)(b), NONE, 0, NOWHERE)
#define TRAPS(mode, code, a, b, cause, value) \
	expect(__LINE__, mode, (u64)(code), (u64)(a), (u64)(b), cause, (u64)(value), M)
/* Handled in S-mode. */
#define TRAPS_S(mode, code, a, b, cause, value) \
	expect(__LINE__, mode, (u64)(code), (u64)(a), (u64)(b), cause, (u64)(value), S)

/* All of memory open to S and U mode, by the last PMP entry. */
void open_memory(void);
/* Whether a CSR instruction (bits) traps as illegal at the privilege. */
bool is_illegal(enum privilege privilege, uint32_t bits);
/* Runs one instruction, made on the spot, followed by a return; a in a0. */
struct outcome run_bits(enum privilege privilege, uint32_t bits, u64 a);

/* ---- page tables ---- */

enum {
	PTE_V = 1, PTE_R = 2, PTE_W = 4, PTE_X = 8, PTE_U = 16, PTE_G = 32, PTE_A = 64, PTE_D = 128,
	PTE_AD = PTE_A | PTE_D, PTE_RWX = PTE_R | PTE_W | PTE_X, PTE_RW = PTE_R | PTE_W,
};
#define GIB (1ull << 30)
#define PAGE 4096ull
/* Where the first GiB of RAM is mapped for U-mode; for S-mode it is where it is. */
#define USER_ALIAS GIB
/* Test pages are mapped from here on, by tables of all levels. */
#define TEST_PAGES (4 * GIB)

#define PTE_TO(address, flags) ((u64)(address) >> 12 << 10 | (flags))

/* satp for these tables, with ASID 0: of 3 levels (Sv39), 4 (Sv48) or 5 (Sv57). */
u64 make_tables(unsigned levels);
/* The leaf (level 0) entry of the nth test page; n below 512. */
u64 *test_entry(unsigned n);
/* The entries above it: level 1, 2 and, if there are, 3 and 4: there the second
 * one, where everything is mapped again, 512 GiB up and 256 TiB up. */
u64 *test_table_entry(unsigned level);
/* The nth page of physical memory for tests, 16 of them, zeroed at start. */
u64 test_page(unsigned n);

static inline void
sfence(void)
{
	__asm__ volatile("sfence.vma" : : : "memory");
}

#endif
#endif

/* What bare-metal tests share: see bare.h. */
#include "bare.h"

/* ---- output -------------------------------------------------------------- */

static void
put_text(const char *text)
{
	for (; *text; text++)
		*(volatile uint8_t *)UART = (uint8_t)*text;
}

static void
put_number(u64 number, unsigned base)
{
	char text[24], *end = text + sizeof text;

	*--end = 0;
	do {
		*--end = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	put_text(end);
}

void report(u64 line, u64 got, u64 want);

void
report(u64 line, u64 got, u64 want)
{
	put_text("line ");
	put_number(line, 10);
	put_text(": 0x");
	put_number(got, 16);
	put_text(" should be 0x");
	put_number(want, 16);
	put_text("\n");
}

void *memset(void *to, int byte, u64 size);

void *
memset(void *to, int byte, u64 size)
{
	for (u64 i = 0; i < size; i++)
		((volatile char *)to)[i] = (char)byte;
	return to;
}

void *memcpy(void *to, const void *from, u64 size);

void *
memcpy(void *to, const void *from, u64 size)
{
	for (u64 i = 0; i < size; i++)
		((volatile char *)to)[i] = ((const char *)from)[i];
	return to;
}

/* ---- running code -------------------------------------------------------- */

struct outcome
run_at(u64 code, enum privilege privilege, u64 a, u64 b)
{
	struct outcome o = { .vector = 1 };
	u64 supervisor = address_of(trap_supervisor);

	csr_clear(mstatus, MSTATUS_MPP);
	csr_set(mstatus, (u64)privilege << 11);
	csr_write(stvec, supervisor | (csr_read(stvec) & 1));
	probe(&o, code, a, b);
	o.level = M;
	if ((o.cause == ECALL_U || o.cause == ECALL_S || o.cause == ECALL_M) &&
	    o.pc % GIB == address_of(probe_end) % GIB) {
		o.level = 0;
		o.cause = NONE;
		o.value = 0;
	} else if (o.cause == ECALL_S && o.pc >= supervisor && o.pc < supervisor + 64) {
		o.level = S;
		o.vector = (o.pc - supervisor) / 4;
		o.cause = csr_read(scause);
		o.value = csr_read(stval);
		o.pc = csr_read(sepc);
	}
	return o;
}

struct outcome
expect(u64 line, enum privilege privilege, u64 code, u64 a, u64 b, u64 cause, u64 value, enum privilege level)
{
	struct outcome o = run_at(code, privilege, a, b);

	check(line, o.cause, cause);
	check(line, o.value, value);
	check(line, (u64)o.level, level);
	return o;
}

static uint32_t made_code[2];

struct outcome
run_bits(enum privilege privilege, uint32_t bits, u64 a)
{
	made_code[0] = bits;
	made_code[1] = 0x00008067; /* ret */
	__asm__ volatile("fence.i" : : : "memory");
	return run_at((u64)made_code, privilege, a, 0);
}

bool
is_illegal(enum privilege privilege, uint32_t bits)
{
	struct outcome o = run_bits(privilege, bits, 0);

	if (o.cause == NONE)
		return false;
	CHECK(o.cause, ILLEGAL);
	CHECK(o.value, bits);
	CHECK(o.pc, (u64)made_code);
	return true;
}

void
open_memory(void)
{
	csr_write(pmpaddr15, -1ull >> 10);
	csr_write(pmpcfg2, 0x1full << 56);
}

/* ---- page tables --------------------------------------------------------- */

static _Alignas(4096) u64 table[5][512];
static _Alignas(4096) u64 pages[16][512];

u64
test_page(unsigned n)
{
	return (u64)pages[n];
}

u64 *
test_entry(unsigned n)
{
	return &table[0][n];
}

u64 *
test_table_entry(unsigned level)
{
	return level == 1 ? &table[1][0] : level == 2 ? &table[2][4] : &table[level][1];
}

u64
make_tables(unsigned levels)
{
	u64 ram = 2 * GIB, root = (u64)table[levels - 1];

	table[2][2] = PTE_TO(ram, PTE_V | PTE_RWX | PTE_AD);
	table[2][3] = PTE_TO(ram, PTE_V | PTE_RWX | PTE_AD | PTE_U);
	table[2][4] = PTE_TO(table[1], PTE_V);
	table[1][0] = PTE_TO(table[0], PTE_V);
	table[3][0] = table[3][1] = PTE_TO(table[2], PTE_V);
	table[4][0] = table[4][1] = PTE_TO(table[3], PTE_V);
	return (levels + 5ull) << 60 | root >> 12;
}

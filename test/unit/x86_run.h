/* For the tests that run code from the x86-64 assembler on this machine.
 *
 * A snippet is a function of one argument, the address of a struct io in RDI.
 * It loads its inputs, does one thing and stores its results and the flags:
 * begin(), any number of x86_ calls, run(). Only one page of code exists.
 */
#ifndef TEST_UNIT_X86_RUN_H
#define TEST_UNIT_X86_RUN_H

#include "check.h"
#include "codegen/x86_64/asm.h"
#include "host/cpu.h"

#include <stddef.h>
#include <sys/mman.h>

struct io {
	uint64_t in[4];
	uint64_t out[2];
	uint64_t flags;
	uint32_t mxcsr[2];
	uint8_t memory[64] __attribute__((aligned(16)));
};

static struct io io;
static struct x86_asm assembler;
static struct x86_asm *const a = &assembler;
static struct host_cpu cpu;
static uint64_t seed = 0x9e3779b97f4a7c15;

#define IO(field) x86_base(RDI, (int32_t)offsetof(struct io, field))

static inline uint64_t
random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* A value at which arithmetic breaks, or any. */
static inline uint64_t
interesting(void)
{
	static const uint64_t edges[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0x7fffffff,
					  0x80000000, 0xffffffff, INT64_MAX, 1ull << 63, UINT64_MAX };
	uint64_t v = random64();

	return v % 3 ? v >> (v >> 58) : edges[v / 3 % ARRAY_LEN(edges)];
}

static inline void
begin(void)
{
	a->p = a->start;
}

static inline void
run(void)
{
	void (*f)(struct io *);
	uint8_t *entry = a->start;

	x86_ret(a);
	CHECK(a->p <= a->end);
	memcpy(&f, &entry, sizeof f);
	f(&io);
}

/* Bits of the flags register. */
enum { CF = 1, PF = 4, ZF = 0x40, SF = 0x80, OF = 0x800 };

static inline void
store_flags(void)
{
	x86_pushfq(a);
	x86_pop_m(a, IO(flags));
}

/* False, and a failed check, where there is no memory to run code in. */
static inline bool
run_init(void)
{
	size_t size = 4096;
	uint8_t *page = mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!CHECK(page != MAP_FAILED))
		return false;
	assembler = (struct x86_asm){ .p = page, .start = page, .end = page + size };
	host_cpu_probe(&cpu, HOST_CPU_ALL);
	return true;
}

#endif

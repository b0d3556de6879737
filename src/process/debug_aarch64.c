/* aarch64's registers for gdb: features org.gnu.gdb.aarch64.core, .fpu and .tls
 * (gdb's manual, Standard Target Features). */
#include <elf.h>
#include <string.h>

#include "guest/aarch64/state.h"
#include "process/debug.h"

enum { SP = 31, PC, CPSR, V0, FPSR = V0 + 32, FPCR, TPIDR, COUNT };

static unsigned
size_of(unsigned n)
{
	if (n >= V0 && n < FPSR)
		return 16;
	return n == CPSR || n == FPSR || n == FPCR ? 4 : 8;
}

static void
read_register(const struct ir_frame *frame, unsigned n, void *value)
{
	const struct aarch64_state *s = aarch64_state_read(frame);
	uint64_t v;

	if (size_of(n) == 16) {
		memcpy(value, &s->v[n - V0], 16);
		return;
	}
	switch (n) {
	case PC: v = frame->pc; break;
	case CPSR: v = aarch64_nzcv_read(frame); break;
	case FPSR: v = aarch64_fpsr_read(frame); break;
	case FPCR: v = aarch64_fpcr_read(frame); break;
	case TPIDR: v = s->tpidr; break;
	default: v = s->x[n]; break;
	}
	memcpy(value, &v, size_of(n));
}

static void
write_register(struct ir_frame *frame, unsigned n, const void *value)
{
	struct aarch64_state *s = aarch64_state_of(frame);
	uint64_t v = 0;

	if (size_of(n) == 16) {
		memcpy(&s->v[n - V0], value, 16);
		return;
	}
	memcpy(&v, value, size_of(n));
	switch (n) {
	case PC: frame->pc = v; break;
	case CPSR: aarch64_nzcv_write(frame, (uint32_t)v); break;
	case FPSR: aarch64_fpsr_write(frame, (uint32_t)v); break;
	case FPCR: aarch64_fpcr_write(frame, (uint32_t)v); break;
	case TPIDR: s->tpidr = v; break;
	default: s->x[n] = v; break;
	}
}

static uint32_t
trap(unsigned size)
{
	return size == 4 ? 0xd4200000 /* brk #0 */ : 0;
}

static int
description(char *text, size_t size)
{
	int n = text_format(text, size, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target>"
					"<architecture>aarch64</architecture><osabi>GNU/Linux</osabi>"
					"<feature name=\"org.gnu.gdb.aarch64.core\">");

	for (unsigned i = 0; i < 31; i++)
		n += text_format(text + n, size - (size_t)n, "<reg name=\"x%u\" bitsize=\"64\"/>", i);
	n += text_format(text + n, size - (size_t)n, "<reg name=\"sp\" bitsize=\"64\" type=\"data_ptr\"/>"
						     "<reg name=\"pc\" bitsize=\"64\" type=\"code_ptr\"/>"
						     "<reg name=\"cpsr\" bitsize=\"32\"/></feature>"
						     "<feature name=\"org.gnu.gdb.aarch64.fpu\">");
	for (unsigned i = 0; i < 32; i++)
		n += text_format(text + n, size - (size_t)n, "<reg name=\"v%u\" bitsize=\"128\" type=\"uint128\"/>", i);
	n += text_format(text + n, size - (size_t)n, "<reg name=\"fpsr\" bitsize=\"32\"/><reg name=\"fpcr\" bitsize=\"32\"/>"
						     "</feature><feature name=\"org.gnu.gdb.aarch64.tls\">"
						     "<reg name=\"tpidr\" bitsize=\"64\" type=\"data_ptr\"/></feature></target>");
	return n;
}

/* struct user_pt_regs and user_fpsimd_state of uapi/asm/ptrace.h. */
static const struct debug_set sets[] = {
	{ NT_PRSTATUS, 272, { { 0, 33, 8 }, { CPSR, 1, 8 } } },
	{ NT_PRFPREG, 528, { { V0, 32, 16 }, { FPSR, 2, 4 } } },
	{ NT_ARM_TLS, 8, { { TPIDR, 1, 8 } } },
	{ 0 },
};

const struct debug_registers debug_aarch64 = {
	.count = COUNT,
	.pc = PC,
	.size = size_of,
	.read = read_register,
	.write = write_register,
	.trap = trap,
	.description = description,
	.sets = sets,
};

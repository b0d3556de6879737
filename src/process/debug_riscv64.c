/* riscv64's registers for gdb: features org.gnu.gdb.riscv.cpu and .fpu (gdb's
 * manual, Standard Target Features). */
#include <elf.h>
#include <string.h>

#include "guest/riscv64/state.h"
#include "process/debug.h"

enum { PC = 32, F0 = 33, FFLAGS = 65, FRM, FCSR, COUNT };

static unsigned
size_of(unsigned n)
{
	return n >= FFLAGS ? 4 : 8;
}

static uint64_t
value_of(const struct ir_frame *frame, unsigned n)
{
	const struct riscv64_state *s = (const struct riscv64_state *)frame->guest;

	switch (n) {
	case PC: return frame->pc;
	case FFLAGS: return frame->fp_flags & 31;
	case FRM: return frame->fp_round & 7;
	case FCSR: return (frame->fp_flags & 31) | (frame->fp_round & 7) << 5;
	}
	return n < PC ? s->x[n] : s->f[n - F0];
}

static void
read_register(const struct ir_frame *frame, unsigned n, void *value)
{
	uint64_t v = value_of(frame, n);

	memcpy(value, &v, size_of(n));
}

static void
write_register(struct ir_frame *frame, unsigned n, const void *value)
{
	struct riscv64_state *s = (struct riscv64_state *)frame->guest;
	uint64_t v = 0;

	memcpy(&v, value, size_of(n));
	switch (n) {
	case 0: return;
	case PC: frame->pc = v; return;
	case FFLAGS: frame->fp_flags = v & 31; return;
	case FRM: frame->fp_round = v & 7; return;
	case FCSR:
		frame->fp_flags = v & 31;
		frame->fp_round = v >> 5 & 7;
		return;
	}
	if (n < PC)
		s->x[n] = v;
	else
		s->f[n - F0] = v;
}

static uint32_t
trap(unsigned size)
{
	return size == 2 ? 0x9002 /* c.ebreak */ : size == 4 ? 0x00100073 /* ebreak */ : 0;
}

static int
description(char *text, size_t size)
{
	static const char *const x[] = { "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "fp", "s1", "a0",
					 "a1", "a2", "a3", "a4", "a5", "a6", "a7", "s2", "s3", "s4", "s5",
					 "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6" };
	static const char *const f[] = { "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0",
					 "fa1", "fa2", "fa3", "fa4", "fa5", "fa6", "fa7", "fs2", "fs3", "fs4", "fs5",
					 "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11" };
	static const char *const type[32] = { [1] = "code_ptr", [2] = "data_ptr", [3] = "data_ptr", [4] = "data_ptr" };
	int n = text_format(text, size, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target>"
					"<architecture>riscv:rv64</architecture><osabi>GNU/Linux</osabi>"
					"<feature name=\"org.gnu.gdb.riscv.cpu\">");

	for (unsigned i = 0; i < 32; i++)
		n += text_format(text + n, size - (size_t)n, "<reg name=\"%s\" bitsize=\"64\" type=\"%s\"/>", x[i],
				 type[i] ? type[i] : "int");
	n += text_format(text + n, size - (size_t)n, "<reg name=\"pc\" bitsize=\"64\" type=\"code_ptr\"/></feature>"
						     "<feature name=\"org.gnu.gdb.riscv.fpu\">");
	for (unsigned i = 0; i < 32; i++)
		n += text_format(text + n, size - (size_t)n, "<reg name=\"%s\" bitsize=\"64\" type=\"ieee_double\"/>",
				 f[i]);
	n += text_format(text + n, size - (size_t)n, "<reg name=\"fflags\" bitsize=\"32\" type=\"int\"/>"
						     "<reg name=\"frm\" bitsize=\"32\" type=\"int\"/>"
						     "<reg name=\"fcsr\" bitsize=\"32\" type=\"int\"/></feature></target>");
	return n;
}

/* struct user_regs_struct and __riscv_d_ext_state of uapi/asm/ptrace.h. */
static const struct debug_set sets[] = {
	{ NT_PRSTATUS, 256, { { PC, 1, 8 }, { 1, 31, 8 } } },
	{ NT_PRFPREG, 264, { { F0, 32, 8 }, { FCSR, 1, 4 } } },
	{ 0 },
};

const struct debug_registers debug_riscv64 = {
	.count = COUNT,
	.pc = PC,
	.size = size_of,
	.read = read_register,
	.write = write_register,
	.trap = trap,
	.description = description,
	.sets = sets,
};

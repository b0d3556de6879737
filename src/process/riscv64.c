/* The Linux ABI of riscv64: registers at a system call and at the start, signal
 * frames as arch/riscv/kernel/signal.c lays them out, and what a program learns
 * of its processor.
 */
#include "process/riscv64.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "guest/riscv64/state.h"
#include "process/debug.h"
#include "process/process_impl.h"
#include "process/vdso.h"

enum { RA = 1, SP = 2, TP = 4, A0 = 10, A1 = 11, A2 = 12, A7 = 17 };

/* ---- the processor -------------------------------------------------------- */

const struct riscv64_extension riscv64_extensions[] = {
	{ "zicbom", 55, false },      { "zicbop", 60, false },	 { "zicboz", 6, false },
	{ "zicond", 35, false },      { "zicsr", -1, false },	 { "zifencei", -1, false },
	{ "zihintntl", 29, false },   { "zihintpause", 36, false }, { "zimop", 42, false },
	{ "zaamo", 56, false },	      { "zalrsc", 57, false },	 { "zawrs", 48, false },
	{ "zfa", 32, false },	      { "zfhmin", 28, false },	 { "zca", 43, false },
	{ "zcb", 44, false },	      { "zcd", 45, false },	 { "zcmop", 47, false },
	{ "zba", 3, false },	      { "zbb", 4, false },	 { "zbc", 7, false },
	{ "zbs", 5, false },	      { "zve32f", 38, true },	 { "zve32x", 37, true },
	{ "zve64d", 41, true },	      { "zve64f", 40, true },	 { "zve64x", 39, true },
	{ NULL, -1, false },
};

uint64_t
riscv64_hwprobe_ima_ext_0(const struct process *process)
{
	bool vector = process->options->vlen;
	uint64_t bits = 1 | 2 | (uint64_t)vector << 2; /* F and D, C, V */

	for (const struct riscv64_extension *e = riscv64_extensions; e->name; e++)
		if (e->hwprobe >= 0 && (vector || !e->vector))
			bits |= 1ull << e->hwprobe;
	return bits;
}

static uint64_t
hwcap(const struct process *process)
{
	uint64_t bits = 0;

	for (const char *letter = process->options->vlen ? "IMAFDCV" : "IMAFDC"; *letter; letter++)
		bits |= 1ull << (*letter - 'A');
	return bits;
}

static int
isa_string(const struct process *process, char *text, size_t size)
{
	bool vector = process->options->vlen;
	int length = text_format(text, size, vector ? "rv64imafdcv" : "rv64imafdc");

	for (const struct riscv64_extension *e = riscv64_extensions; e->name; e++)
		if (vector || !e->vector)
			length += text_format((size_t)length < size ? text + length : NULL,
					      (size_t)length < size ? size - (size_t)length : 0, "_%s", e->name);
	return length;
}

static int
cpuinfo(const struct process *process, char *text, size_t size, unsigned cpu)
{
	char isa[512];

	isa_string(process, isa, sizeof isa);
	return text_format(text, size,
			   "processor\t: %u\n"
			   "hart\t\t: %u\n"
			   "isa\t\t: %s\n"
			   "mmu\t\t: sv48\n"
			   "mvendorid\t: 0x0\n"
			   "marchid\t\t: 0x0\n"
			   "mimpid\t\t: 0x0\n"
			   "hart isa\t: %s\n\n",
			   cpu, cpu, isa, isa);
}

/* ---- registers ------------------------------------------------------------ */

static void
syscall_enter(struct ir_frame *frame)
{
	riscv64_vector_discard(frame);
}

static void
syscall_read(const struct ir_frame *frame, struct abi_regs *regs)
{
	const struct riscv64_state *s = (const struct riscv64_state *)frame->guest;

	regs->number = s->x[A7];
	for (unsigned i = 0; i < 6; i++)
		regs->argument[i] = s->x[A0 + i];
}

static void
syscall_result(struct ir_frame *frame, uint64_t result)
{
	riscv64_state_of(frame)->x[A0] = result;
}

static uint64_t
syscall_result_read(const struct ir_frame *frame)
{
	return ((const struct riscv64_state *)frame->guest)->x[A0];
}

static void
start(const struct process *process, struct ir_frame *frame, uint64_t entry, uint64_t stack)
{
	riscv64_state_of(frame)->x[SP] = stack;
	frame->pc = entry;
	if (process->options->vlen)
		riscv64_vector_init(frame, process->options->vlen / 8);
}

static void
child(struct ir_frame *frame, uint64_t stack, bool set_tls, uint64_t tls)
{
	struct riscv64_state *s = riscv64_state_of(frame);

	s->x[A0] = 0;
	s->vector_used = false;
	if (stack)
		s->x[SP] = stack;
	if (set_tls)
		s->x[TP] = tls;
}

static uint64_t
stack_pointer(const struct ir_frame *frame)
{
	return ((const struct riscv64_state *)frame->guest)->x[SP];
}

/* ---- signal frames -------------------------------------------------------- */

/* struct rt_sigframe, arch/riscv/kernel/signal.c and uapi/asm/{ucontext,
 * sigcontext,ptrace}.h. */
struct signal_frame {
	uint8_t info[128];
	uint64_t uc_flags, uc_link;
	struct signal_stack uc_stack;
	uint64_t uc_sigmask;
	uint8_t uc_unused[1024 / 8 - 8];
	uint8_t pad[8];         /* uc_mcontext is 16-byte aligned */
	uint64_t pc, x[31];     /* x1… */
	uint64_t f[32];         /* union __riscv_fp_state, d */
	uint32_t fcsr;
	uint8_t fp_unused[516 - 260]; /* the union is as large as with Q */
	uint32_t reserved;            /* must be 0 */
	uint32_t extension[2];        /* header of the next extension; {0, 0}: none */
};
_Static_assert(sizeof(struct signal_frame) == 1088, "rt_sigframe");
_Static_assert(offsetof(struct signal_frame, pc) == 304, "uc_mcontext");
_Static_assert(offsetof(struct signal_frame, f) == 560, "sc_fpregs");
_Static_assert(offsetof(struct signal_frame, extension) == 1080, "sc_extdesc.hdr");

static uint32_t
fcsr_read(const struct ir_frame *frame)
{
	return (frame->fp_flags & 31) | (frame->fp_round & 7) << 5;
}

/* The frame, and behind it, where there is vector state, that and the header that
 * ends the list. */
static uint64_t
frame_size(uint64_t vlenb)
{
	uint64_t more = riscv64_vector_context_size(vlenb);

	return align_up(sizeof(struct signal_frame) + (more ? more + 8 : 0), 16);
}

static uint64_t
signal_stack_minimum(const struct process *process)
{
	return frame_size(process->options->vlen / 8);
}

/* A list of headers {magic, size} with what they head, up to {0, 0}. */
static int
extensions_pop(struct thread *thread, uint64_t at)
{
	uint32_t header[2];
	int result;

	for (;; at += header[1]) {
		if (mem_read(thread, header, at, sizeof header))
			return -EFAULT;
		if (!header[0])
			return header[1] ? -EINVAL : 0;
		if (header[0] != RISCV64_VECTOR_MAGIC)
			return -EINVAL;
		result = riscv64_vector_context_read(thread, at, header[1]);
		if (result)
			return result;
	}
}

/* restorer and flags: riscv64 has no SA_RESTORER; handlers return to the vdso. */
static int
signal_push(struct thread *thread, int signal, const void *info, uint64_t handler, uint64_t restorer,
	    uint64_t flags, uint64_t stack, uint64_t mask)
{
	struct ir_frame *frame = thread->vcpu.frame;
	struct riscv64_state *s = riscv64_state_of(frame);
	struct signal_frame out = { .uc_sigmask = mask };
	bool vector = riscv64_vector_context_is(thread);
	uint64_t at = align_down(stack - frame_size(vector ? s->vlenb : 0), 16);

	(void)restorer;
	(void)flags;
	memcpy(out.info, info, sizeof out.info);
	signal_alt_get(thread, s->x[SP], &out.uc_stack);
	out.pc = frame->pc;
	memcpy(out.x, s->x + 1, sizeof out.x);
	memcpy(out.f, s->f, sizeof out.f);
	out.fcsr = fcsr_read(frame);
	if (mem_write(thread, at, &out, sizeof out) ||
	    (vector && riscv64_vector_context_write(thread, at + offsetof(struct signal_frame, extension))))
		return -EFAULT;
	s->x[SP] = at;
	s->x[RA] = thread->process->sigreturn_address;
	s->x[A0] = (uint64_t)signal;
	s->x[A1] = at + offsetof(struct signal_frame, info);
	s->x[A2] = at + offsetof(struct signal_frame, uc_flags);
	frame->pc = handler;
	frame->link_address = IR_LINK_NONE;
	cpu_state_changed(&thread->vcpu);
	return 0;
}

static int
signal_pop(struct thread *thread, uint64_t *mask)
{
	struct ir_frame *frame = thread->vcpu.frame;
	struct riscv64_state *s = riscv64_state_of(frame);
	struct signal_frame in;
	int result;

	if (mem_read(thread, &in, s->x[SP], sizeof in))
		return -EFAULT;
	if (in.reserved)
		return -EINVAL;
	result = extensions_pop(thread, s->x[SP] + offsetof(struct signal_frame, extension));
	if (result)
		return result;
	*mask = in.uc_sigmask;
	frame->pc = in.pc;
	memcpy(s->x + 1, in.x, sizeof in.x);
	memcpy(s->f, in.f, sizeof in.f);
	frame->fp_flags = in.fcsr & 31;
	frame->fp_round = in.fcsr >> 5 & 7;
	frame->link_address = IR_LINK_NONE;
	cpu_state_changed(&thread->vcpu);
	/* The kernel too overlooks that the stack cannot be set. */
	signal_alt_set(thread, s->x[SP], &in.uc_stack);
	return 0;
}

const struct abi abi_riscv64 = {
	.guest = &guest_riscv64,
	.machine = "riscv64",
	.hwcap = hwcap,
	.address_limit = 1ull << 47,
	.signal_stack_minimum = signal_stack_minimum,
	.alternate_stack_minimum = 2048,
	.debug = &debug_riscv64,
	.audit_arch = 0xc00000f3,
	.syscall_column = ABI_COLUMN_RISCV64,
	.syscall_enter = syscall_enter,
	.syscall_read = syscall_read,
	.syscall_result = syscall_result,
	.syscall_result_read = syscall_result_read,
	.start = start,
	.child = child,
	.signal_push = signal_push,
	.signal_pop = signal_pop,
	.stack_pointer = stack_pointer,
	.vdso = vdso_riscv64,
	.vdso_size = VDSO_RISCV64_SIZE,
	.vdso_sigreturn = VDSO_RISCV64_SIGRETURN,
	.cpuinfo = cpuinfo,
};

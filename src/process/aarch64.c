/* The Linux ABI of aarch64: registers at a system call and at the start, signal
 * frames as arch/arm64/kernel/signal.c lays them out, and what a program learns
 * of its processor.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "guest/aarch64/state.h"
#include "process/debug.h"
#include "process/process_impl.h"
#include "process/vdso.h"

enum { FP = 29, LR = 30, SP = 31 };

/* ---- the processor -------------------------------------------------------- */

static uint64_t
hwcap(const struct process *process)
{
	(void)process;
	return aarch64_hwcap(1);
}

static uint64_t
hwcap2(void)
{
	return aarch64_hwcap(2);
}

/* As arch/arm64/kernel/cpuinfo.c writes it, of the MIDR_EL1 that mrs reads. */
static int
cpuinfo(const struct process *process, char *text, size_t size, unsigned cpu)
{
	char features[1024];
	size_t length = 0;

	(void)process;
	features[0] = 0;
	for (unsigned i = 0; i < 128; i++) {
		const char *name = aarch64_hwcap_name(1 + i / 64, i % 64);

		if (name && length < sizeof features)
			length += (size_t)text_format(features + length, sizeof features - length, " %s", name);
	}
	return text_format(text, size,
			   "processor\t: %u\n"
			   "BogoMIPS\t: 100.00\n"
			   "Features\t:%s\n"
			   "CPU implementer\t: 0x%02x\n"
			   "CPU architecture: 8\n"
			   "CPU variant\t: 0x%x\n"
			   "CPU part\t: 0x%03x\n"
			   "CPU revision\t: %u\n\n",
			   cpu, features, AARCH64_MIDR >> 24, AARCH64_MIDR >> 20 & 15, AARCH64_MIDR >> 4 & 0xfff,
			   AARCH64_MIDR & 15);
}

/* ---- registers ------------------------------------------------------------ */

static void
syscall_read(const struct ir_frame *frame, struct abi_regs *regs)
{
	const struct aarch64_state *s = aarch64_state_read(frame);

	regs->number = (uint32_t)s->x[8];
	for (unsigned i = 0; i < 6; i++)
		regs->argument[i] = s->x[i];
}

static void
syscall_result(struct ir_frame *frame, uint64_t result)
{
	aarch64_state_of(frame)->x[0] = result;
}

static uint64_t
syscall_result_read(const struct ir_frame *frame)
{
	return aarch64_state_read(frame)->x[0];
}

static void
start(const struct process *process, struct ir_frame *frame, uint64_t entry, uint64_t stack)
{
	(void)process;
	aarch64_state_of(frame)->x[SP] = stack;
	frame->pc = entry;
}

static void
child(struct ir_frame *frame, uint64_t stack, bool set_tls, uint64_t tls)
{
	struct aarch64_state *s = aarch64_state_of(frame);

	s->x[0] = 0;
	if (stack)
		s->x[SP] = stack;
	if (set_tls)
		s->tpidr = tls;
}

static uint64_t
stack_pointer(const struct ir_frame *frame)
{
	return aarch64_state_read(frame)->x[SP];
}

/* O_DIRECTORY and O_NOFOLLOW are where the host has O_DIRECT and O_LARGEFILE, and
 * the other way round (uapi/asm/fcntl.h). */
static uint64_t
open_flags(uint64_t flags)
{
	const uint64_t low = 0140000, high = low << 2;

	return (flags & ~(low | high)) | (flags & low) << 2 | (flags & high) >> 2;
}

/* ---- signal frames -------------------------------------------------------- */

#define FPSIMD_MAGIC 0x46508001u
#define ESR_MAGIC 0x45535201u

struct context_head {
	uint32_t magic, size;
};

/* struct rt_sigframe, arch/arm64/kernel/signal.c and uapi/asm/{ucontext,
 * sigcontext}.h, with the records that this processor has. */
struct signal_frame {
	uint8_t info[128];
	uint64_t uc_flags, uc_link;
	struct signal_stack uc_stack;
	uint64_t uc_sigmask;
	uint8_t uc_unused[1024 / 8 - 8];
	uint8_t pad[8];         /* uc_mcontext is 16-byte aligned */
	uint64_t fault_address;
	uint64_t x[31], sp, pc, pstate;
	uint8_t reserved_pad[8];
	union {
		uint8_t reserved[4096];
		struct {
			struct context_head fpsimd;
			uint32_t fpsr, fpcr;
			struct aarch64_vector v[32];
			struct context_head esr;
			uint64_t esr_value;
		};
	};
};
_Static_assert(offsetof(struct signal_frame, fault_address) == 304, "uc_mcontext");
_Static_assert(offsetof(struct signal_frame, reserved) == 592, "__reserved");
_Static_assert(sizeof(struct signal_frame) == 4688, "rt_sigframe");

/* Above the frame, where unwinders look for it: the interrupted x29 and x30. */
struct frame_record {
	uint64_t fp, lr;
};

enum { FPSIMD_SIZE = 528, ESR_SIZE = 16 };

/* ESR_EL1 of a fault: an abort of data or an instruction fetch from a lower level,
 * translation or permission fault of the last level, and whether it wrote. */
static uint32_t
fault_code(const struct cpu_stop *stop, int code)
{
	uint32_t status = code == SEGV_ACCERR ? 0x0f : 0x07;

	if (stop->trap == IR_TRAP_FETCH_FAULT)
		return 0x82000000 | status;
	return 0x92000000 | status | (stop->trap == IR_TRAP_WRITE_FAULT ? 0x40 : 0);
}

static void
fill_context(const struct thread *thread, struct signal_frame *out)
{
	const struct ir_frame *frame = thread->vcpu.frame;
	const struct aarch64_state *s = aarch64_state_read(frame);

	out->fault_address = thread->fault_address;
	memcpy(out->x, s->x, sizeof out->x);
	out->sp = s->x[SP];
	out->pc = frame->pc;
	out->pstate = aarch64_nzcv_read(frame);
	out->fpsimd = (struct context_head){ FPSIMD_MAGIC, FPSIMD_SIZE };
	out->fpsr = aarch64_fpsr_read(frame);
	out->fpcr = aarch64_fpcr_read(frame);
	memcpy(out->v, s->v, sizeof out->v);
	if (thread->fault_code) {
		out->esr = (struct context_head){ ESR_MAGIC, ESR_SIZE };
		out->esr_value = thread->fault_code;
	}
}

static int
signal_push(struct thread *thread, int signal, const void *info, uint64_t handler, uint64_t restorer,
	    uint64_t flags, uint64_t stack, uint64_t mask)
{
	struct ir_frame *frame = thread->vcpu.frame;
	struct aarch64_state *s = aarch64_state_of(frame);
	struct frame_record record = { s->x[FP], s->x[LR] };
	struct signal_frame out = { .uc_sigmask = mask };
	uint64_t next = align_down(stack - sizeof record, 16), at = next - sizeof out;

	if (flags & SA_SIGINFO)
		memcpy(out.info, info, sizeof out.info);
	signal_alt_get(thread, s->x[SP], &out.uc_stack);
	fill_context(thread, &out);
	if (mem_write(thread, at, &out, sizeof out) || mem_write(thread, next, &record, sizeof record))
		return -EFAULT;
	s->x[0] = (uint64_t)signal;
	if (flags & SA_SIGINFO) {
		s->x[1] = at + offsetof(struct signal_frame, info);
		s->x[2] = at + offsetof(struct signal_frame, uc_flags);
	}
	s->x[SP] = at;
	s->x[FP] = next;
	s->x[LR] = flags & ABI_SA_RESTORER ? restorer : thread->process->sigreturn_address;
	frame->pc = handler;
	frame->link_address = IR_LINK_NONE;
	cpu_state_changed(&thread->vcpu);
	return 0;
}

/* Offset of the FPSIMD record in the reserved area, which handlers may have
 * rearranged; -1 if the list of records is not one that the kernel takes. */
static int
find_fpsimd(const struct signal_frame *in)
{
	int found = -1;

	for (size_t at = 0; at + sizeof(struct context_head) <= sizeof in->reserved;) {
		struct context_head head;

		memcpy(&head, in->reserved + at, sizeof head);
		if (!head.magic)
			return head.size ? -1 : found;
		if (head.size < sizeof head || head.size % 16 || head.size > sizeof in->reserved - at)
			return -1;
		if (head.magic == FPSIMD_MAGIC && head.size == FPSIMD_SIZE && found < 0)
			found = (int)at;
		else if (head.magic != ESR_MAGIC)
			return -1;
		at += head.size;
	}
	return -1;
}

static int
signal_pop(struct thread *thread, uint64_t *mask)
{
	enum { PSTATE_BAD = 0x3df }; /* mode, 32-bit, DAIF */
	struct ir_frame *frame = thread->vcpu.frame;
	struct aarch64_state *s = aarch64_state_of(frame);
	struct signal_frame in;
	uint32_t status[2]; /* FPSR, FPCR */
	int fpsimd;

	if (s->x[SP] % 16 || mem_read(thread, &in, s->x[SP], sizeof in))
		return -EFAULT;
	fpsimd = find_fpsimd(&in);
	if (fpsimd < 0 || in.pstate & PSTATE_BAD)
		return -EINVAL;
	*mask = in.uc_sigmask;
	memcpy(s->x, in.x, sizeof in.x);
	s->x[SP] = in.sp;
	frame->pc = in.pc;
	aarch64_nzcv_write(frame, (uint32_t)in.pstate);
	memcpy(status, in.reserved + fpsimd + sizeof(struct context_head), sizeof status);
	memcpy(s->v, in.reserved + fpsimd + sizeof(struct context_head) + sizeof status, sizeof s->v);
	aarch64_fpsr_write(frame, status[0]);
	aarch64_fpcr_write(frame, status[1]);
	frame->link_address = IR_LINK_NONE;
	cpu_state_changed(&thread->vcpu);
	/* The kernel refuses a frame whose stack cannot be set, but for EPERM,
	 * which it cannot tell. */
	signal_alt_set(thread, s->x[SP], &in.uc_stack);
	return 0;
}

/* The frame, its record, and room to align them. */
static uint64_t
signal_stack_minimum(const struct process *process)
{
	(void)process;
	return sizeof(struct signal_frame) + sizeof(struct frame_record) + 16;
}

const struct abi abi_aarch64 = {
	.guest = &guest_aarch64,
	.machine = "aarch64",
	.platform = "aarch64",
	.hwcap = hwcap,
	.hwcap2 = hwcap2,
	.address_limit = 1ull << 48,
	.signal_stack_minimum = signal_stack_minimum,
	.alternate_stack_minimum = 5120,
	.debug = &debug_aarch64,
	.audit_arch = 0xc00000b7,
	.syscall_column = ABI_COLUMN_AARCH64,
	.sigaction_restorer = true,
	.misaligned_at_data = true,
	.open_flags = open_flags,
	.syscall_read = syscall_read,
	.syscall_result = syscall_result,
	.syscall_result_read = syscall_result_read,
	.start = start,
	.child = child,
	.signal_push = signal_push,
	.signal_pop = signal_pop,
	.fault_code = fault_code,
	.stack_pointer = stack_pointer,
	.vdso = vdso_aarch64,
	.vdso_size = VDSO_AARCH64_SIZE,
	.vdso_sigreturn = VDSO_AARCH64_SIGRETURN,
	.cpuinfo = cpuinfo,
};

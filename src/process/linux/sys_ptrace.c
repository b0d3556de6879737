/* ptrace, and the waits that tell of its stops; process/trace.h says how it works. */
#include <elf.h>
#include <linux/ptrace.h>
#include <stddef.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "process/debug.h"
#include "process/linux/tracee.h"

#ifndef NT_ARM_SYSTEM_CALL
#define NT_ARM_SYSTEM_CALL 0x404
#endif

/* What of a frame holds the guest's registers: all up to what is the engine's. */
#define REGISTERS_SIZE offsetof(struct ir_frame, guest_base)

static int64_t
host(long request, const struct tracee *tracee, long address, long data)
{
	return RAW4(SYS_ptrace, request, tracee->tid, address, data);
}

/* ---- registers --------------------------------------------------------------- */

static long
frame_address(const struct tracee *tracee, uint64_t *frame)
{
	return tracee->thread ? tracee_read(tracee, tracee->thread + offsetof(struct thread, vcpu.frame), frame, sizeof *frame)
			      : -ESRCH;
}

/* A copy of the thread's frame, as far as REGISTERS_SIZE, that the caller frees
 * (frame_free). */
static long
frame_read(const struct tracee *tracee, struct ir_frame **copy)
{
	uint64_t frame;
	long result = frame_address(tracee, &frame);

	if (result)
		return result;
	*copy = pages_alloc(sizeof **copy);
	if (!*copy)
		return -ENOMEM;
	result = tracee_read(tracee, frame, *copy, REGISTERS_SIZE);
	if (result)
		pages_free(*copy, sizeof **copy);
	return result;
}

static void
frame_free(struct ir_frame *copy)
{
	pages_free(copy, sizeof *copy);
}

/* All but `poll`, which others write. */
static long
frame_write(const struct tracee *tracee, const struct ir_frame *copy)
{
	const size_t poll = offsetof(struct ir_frame, poll), after = offsetof(struct ir_frame, fp_flags);
	struct trace trace;
	uint64_t frame;
	long result = frame_address(tracee, &frame);

	if (!result)
		result = tracee_get(tracee, &trace);
	if (!result)
		result = tracee_write(tracee, frame, copy, poll);
	if (!result)
		result = tracee_write(tracee, frame + after, (const uint8_t *)copy + after, REGISTERS_SIZE - after);
	trace.changed = 1;
	return result ? result : tracee_set(tracee, &trace);
}

static const struct debug_set *
find_set(const struct debug_registers *registers, uint64_t note)
{
	const struct debug_set *set = registers->sets;

	while (set->size && set->note != note)
		set++;
	return set->size ? set : NULL;
}

/* NT_ARM_SYSTEM_CALL: the number of the call that is being made. */
static int64_t
call_number(struct thread *thread, const struct tracee *tracee, struct iovec *part, bool write)
{
	struct trace trace;
	long result = tracee_get(tracee, &trace);

	if (thread->process->guest->elf_machine != EM_AARCH64)
		return -EINVAL;
	if (part->iov_len > sizeof trace.call)
		part->iov_len = sizeof trace.call;
	if (result)
		return result;
	if (!write)
		return mem_write(thread, (uintptr_t)part->iov_base, &trace.call, part->iov_len);
	result = mem_read(thread, &trace.call, (uintptr_t)part->iov_base, part->iov_len);
	return result ? result : tracee_set(tracee, &trace);
}

static int64_t
registers(struct thread *thread, const struct tracee *tracee, uint64_t note, struct iovec *part, bool write)
{
	const struct debug_registers *debug = thread->process->abi->debug;
	const struct debug_set *set = find_set(debug, note);
	uint8_t bytes[DEBUG_SET_SIZE];
	struct ir_frame *frame;
	long result;

	if (note == NT_ARM_SYSTEM_CALL)
		return call_number(thread, tracee, part, write);
	if (!set || part->iov_len % 4)
		return -EINVAL;
	result = frame_read(tracee, &frame);
	if (result)
		return result;
	if (part->iov_len > set->size)
		part->iov_len = set->size;
	debug_set_read(debug, set, frame, bytes);
	if (!write) {
		result = mem_write(thread, (uintptr_t)part->iov_base, bytes, part->iov_len);
	} else if (!(result = mem_read(thread, bytes, (uintptr_t)part->iov_base, part->iov_len))) {
		debug_set_write(debug, set, frame, bytes);
		result = frame_write(tracee, frame);
	}
	frame_free(frame);
	return result;
}

static int64_t
register_set(struct thread *thread, const struct tracee *tracee, uint64_t note, uint64_t vector, bool write)
{
	struct iovec part;
	int64_t result;

	if (mem_read(thread, &part, vector, sizeof part))
		return -EFAULT;
	result = registers(thread, tracee, note, &part, write);
	return result ? result : mem_write(thread, vector, &part, sizeof part);
}

/* ---- what a stop is ------------------------------------------------------------ */

/* What of info is used, in bytes. */
static size_t
describe_call(const struct abi *abi, const struct ir_frame *frame, uint32_t stop, struct ptrace_syscall_info *info)
{
	struct abi_regs regs;

	info->arch = abi->audit_arch;
	info->instruction_pointer = frame->pc;
	info->stack_pointer = abi->stack_pointer(frame);
	if (stop == TRACE_ENTRY) {
		abi->syscall_read(frame, &regs);
		info->op = PTRACE_SYSCALL_INFO_ENTRY;
		info->entry.nr = regs.number;
		for (unsigned i = 0; i < 6; i++)
			info->entry.args[i] = regs.argument[i];
		return offsetof(struct ptrace_syscall_info, entry) + sizeof info->entry;
	}
	if (stop == TRACE_EXIT) {
		info->op = PTRACE_SYSCALL_INFO_EXIT;
		info->exit.rval = (int64_t)abi->syscall_result_read(frame);
		info->exit.is_error = info->exit.rval < 0 && info->exit.rval >= -4095;
		return offsetof(struct ptrace_syscall_info, exit.is_error) + 1;
	}
	info->op = PTRACE_SYSCALL_INFO_NONE;
	return offsetof(struct ptrace_syscall_info, entry);
}

static int64_t
call_info(struct thread *thread, const struct tracee *tracee, uint64_t size, uint64_t address)
{
	struct ptrace_syscall_info info = { 0 };
	struct ir_frame *frame;
	struct trace trace;
	size_t used;
	long result = tracee_get(tracee, &trace);

	if (!result)
		result = frame_read(tracee, &frame);
	if (result)
		return result;
	used = describe_call(thread->process->abi, frame, tracee->trapped ? trace.stop : TRACE_NONE, &info);
	frame_free(frame);
	return mem_write(thread, address, &info, size < used ? size : used) ? -EFAULT : (int64_t)used;
}

static int64_t
signal_info(struct thread *thread, const struct tracee *tracee, uint64_t address, bool write)
{
	struct trace trace;
	siginfo_t info;
	long result = 0;

	if (write && mem_read(thread, &info, address, sizeof info))
		return -EFAULT;
	if (tracee->trapped) {
		result = tracee_get(tracee, &trace);
		if (write && !result) {
			trace.info = info;
			return tracee_set(tracee, &trace);
		}
		info = trace.info;
	} else {
		result = host(write ? PTRACE_SETSIGINFO : PTRACE_GETSIGINFO, tracee, 0, (long)&info);
	}
	return result || write ? result : mem_write(thread, address, &info, sizeof info);
}

static int64_t
event_message(struct thread *thread, const struct tracee *tracee, uint64_t address)
{
	struct trace trace;
	uint64_t message = 0;
	long result = 0;

	if (!tracee->trapped)
		result = host(PTRACE_GETEVENTMSG, tracee, 0, (long)&message);
	else if (!(result = tracee_get(tracee, &trace)))
		message = trace.stop == TRACE_EXEC    ? (uint64_t)tracee->tid
			  : trace.stop == TRACE_ENTRY ? PTRACE_EVENTMSG_SYSCALL_ENTRY
			  : trace.stop == TRACE_EXIT  ? PTRACE_EVENTMSG_SYSCALL_EXIT
						      : 0;
	return result ? result : mem_write(thread, address, &message, sizeof message);
}

static int64_t
signal_mask(struct thread *thread, const struct tracee *tracee, uint64_t size, uint64_t address)
{
	uint64_t mask;
	long result;

	if (size != sizeof mask)
		return -EINVAL;
	if (!tracee->thread)
		return -ESRCH;
	result = tracee_read(tracee, tracee->thread + offsetof(struct thread, mask), &mask, sizeof mask);
	return result ? result : mem_write(thread, address, &mask, sizeof mask);
}

/* ---- memory -------------------------------------------------------------------- */

/* A word into the thread's memory, whatever its protection; translations of it
 * go before it runs on. */
static int64_t
poke(const struct tracee *tracee, uint64_t address, uint64_t word)
{
	struct trace trace;
	long result = tracee_get(tracee, &trace);

	if (!result)
		result = host(PTRACE_POKEDATA, tracee, (long)address, (long)word);
	if (result)
		return result;
	if (trace.dirty_start >= trace.dirty_end || address < trace.dirty_start)
		trace.dirty_start = address;
	if (address + sizeof word > trace.dirty_end)
		trace.dirty_end = address + sizeof word;
	return tracee_set(tracee, &trace);
}

static int64_t
peek(struct thread *thread, const struct tracee *tracee, uint64_t address, uint64_t to)
{
	uint64_t word;
	long result = host(PTRACE_PEEKDATA, tracee, (long)address, (long)&word);

	return result ? result : mem_write(thread, to, &word, sizeof word);
}

/* ---- attaching and going on ------------------------------------------------------ */

static int64_t
attach(struct process *process, long request, const uint64_t *a)
{
	struct tracee *tracee = tracee_find(process, (int)a[1], false);
	uint32_t options = request == PTRACE_SEIZE ? (uint32_t)a[3] : 0;
	long result = RAW4(SYS_ptrace, request, a[1], a[2], request == PTRACE_SEIZE ? tracee_host_options(options) | (a[3] >> 32 << 32) : 0);

	if (result)
		return result;
	if (!tracee)
		tracee = tracee_find(process, (int)a[1], true);
	if (!tracee) {
		RAW4(SYS_ptrace, PTRACE_DETACH, a[1], 0, 0);
		return -ENOMEM;
	}
	*tracee = (struct tracee){
		.tid = (int)a[1], .seized = request == PTRACE_SEIZE, .told = request == PTRACE_SEIZE, .options = options,
	};
	return 0;
}

static int64_t
set_options(struct tracee *tracee, uint64_t options)
{
	long result = host(PTRACE_SETOPTIONS, tracee, 0, (long)options);

	if (result)
		return result;
	tracee->options = (uint32_t)options;
	return host(PTRACE_SETOPTIONS, tracee, 0, (long)tracee_host_options(tracee->options));
}

static int64_t
go_on(struct process *process, struct tracee *tracee, long request, uint64_t signal)
{
	bool trapped = tracee->trapped, leaves = request == PTRACE_DETACH;
	struct trace trace;
	long result;

	if (signal > GUEST_SIGNALS)
		return -EIO;
	if (!tracee_get(tracee, &trace)) {
		trace.active = !leaves;
		if (process->writes_memory) { /* through /proc/PID/mem: nobody knows where */
			trace.dirty_start = 0;
			trace.dirty_end = space_size(process->space);
		}
		trace.how = request == PTRACE_SYSCALL ? TRACE_SYSCALLS : request == PTRACE_SINGLESTEP ? TRACE_STEP : TRACE_CONTINUE;
		if (trapped)
			trace.signal = (int32_t)signal;
		result = tracee_set(tracee, &trace);
		if (result)
			return result;
	}
	tracee->trapped = false;
	result = host(leaves ? PTRACE_DETACH : PTRACE_CONT, tracee, 0, trapped ? 0 : (long)signal);
	if (leaves && !result)
		tracee_drop(process, tracee->tid);
	return result;
}

/* The child's own wish to be traced by its parent. */
static int64_t
trace_me(struct thread *thread)
{
	long result = RAW1(SYS_ptrace, PTRACE_TRACEME);

	if (!result)
		thread->trace.active = 1;
	return result;
}

static int64_t
requested(struct thread *thread, struct tracee *tracee, const uint64_t *a)
{
	switch (a[0]) {
	case PTRACE_PEEKTEXT:
	case PTRACE_PEEKDATA: return peek(thread, tracee, a[2], a[3]);
	case PTRACE_POKETEXT:
	case PTRACE_POKEDATA: return poke(tracee, a[2], a[3]);
	case PTRACE_CONT:
	case PTRACE_SYSCALL:
	case PTRACE_SINGLESTEP:
	case PTRACE_DETACH: return go_on(thread->process, tracee, (long)a[0], a[3]);
	case PTRACE_KILL:
	case PTRACE_INTERRUPT:
	case PTRACE_LISTEN: return host((long)a[0], tracee, 0, 0);
	case PTRACE_SETOPTIONS: return set_options(tracee, a[3]);
	case PTRACE_GETEVENTMSG: return event_message(thread, tracee, a[3]);
	case PTRACE_GETSIGINFO: return signal_info(thread, tracee, a[3], false);
	case PTRACE_SETSIGINFO: return signal_info(thread, tracee, a[3], true);
	case PTRACE_GETSIGMASK: return signal_mask(thread, tracee, a[2], a[3]);
	case PTRACE_GETREGSET: return register_set(thread, tracee, a[2], a[3], false);
	case PTRACE_SETREGSET: return register_set(thread, tracee, a[2], a[3], true);
	case PTRACE_GET_SYSCALL_INFO: return call_info(thread, tracee, a[2], a[3]);
	}
	return -EIO;
}

int64_t
sys_ptrace(struct thread *thread, const uint64_t *a)
{
	struct process *process = thread->process;
	struct tracee *tracee;
	int64_t stopped;

	if (process->guest_base)
		return -EPERM;
	switch (a[0]) {
	case PTRACE_TRACEME: return trace_me(thread);
	case PTRACE_ATTACH:
	case PTRACE_SEIZE: return attach(process, (long)a[0], a);
	}
	tracee = tracee_find(process, (int)a[1], false);
	if (!tracee)
		return -ESRCH;
	/* All others but these want it stopped, which the kernel knows. */
	stopped = a[0] == PTRACE_INTERRUPT || a[0] == PTRACE_KILL ? 0 : host(PTRACE_PEEKUSR, tracee, 0, (long)&(long){ 0 });
	return stopped ? stopped : requested(thread, tracee, a);
}

/* ---- waiting ----------------------------------------------------------------------- */

int64_t
sys_wait4(struct thread *thread, const uint64_t *a)
{
	struct process *process = thread->process;
	int status = 0;
	int64_t result;

	do {
		result = signal_syscall(thread, SYS_wait4, (long)a[0], (long)&status, (long)a[2],
					(long)guest_buffer(thread, a[3], sizeof(struct rusage), true), 0, 0);
		if (result > 0 && !WIFSTOPPED(status) && !WIFCONTINUED(status))
			tracee_drop(process, (int)result);
	} while (result > 0 && WIFSTOPPED(status) && !tracee_stopped(process, (int)result, &status));
	if (result > 0 && a[1] && mem_write(thread, a[1], &status, sizeof status))
		return -EFAULT;
	return result;
}

/* siginfo has in si_status what a wait status has above its low byte. */
static bool
told(struct process *process, siginfo_t *info, uint64_t options)
{
	int status = info->si_status << 8 | 0x7f;

	if (info->si_signo != SIGCHLD)
		return true;
	if (info->si_code == CLD_EXITED || info->si_code == CLD_KILLED || info->si_code == CLD_DUMPED)
		if (!(options & WNOWAIT))
			tracee_drop(process, info->si_pid);
	if (info->si_code != CLD_TRAPPED || (options & WNOWAIT))
		return true;
	if (!tracee_stopped(process, info->si_pid, &status))
		return false;
	info->si_status = status >> 8;
	return true;
}

int64_t
sys_waitid(struct thread *thread, const uint64_t *a)
{
	siginfo_t info;
	int64_t result;

	do {
		memset(&info, 0, sizeof info);
		result = signal_syscall(thread, SYS_waitid, (long)a[0], (long)a[1], (long)&info, (long)a[3],
					(long)guest_buffer(thread, a[4], sizeof(struct rusage), true), 0);
	} while (!result && !told(thread->process, &info, a[3]));
	/* As the kernel, also after an error: two stretches, the padding between is not
	 * touched. */
	if (result != SIGNAL_INTERRUPTED && a[2] &&
	    (mem_write(thread, a[2], &info, 3 * sizeof(int)) || mem_write(thread, a[2] + 16, &info.si_pid, 3 * sizeof(int))))
		return -EFAULT;
	return result;
}

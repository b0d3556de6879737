/* One guest system call: its registers, the table, the host or a handler. */
#include "process/linux/linux.h"

#include <string.h>

#include "gen/syscall_table.h"

/* ---- the table ---------------------------------------------------------- */

static const struct {
	const uint16_t *index;
	size_t count;
} columns[] = {
	[ABI_COLUMN_RISCV64] = { column_riscv64, ARRAY_LEN(column_riscv64) },
	[ABI_COLUMN_AARCH64] = { column_aarch64, ARRAY_LEN(column_aarch64) },
};

static const struct syscall *
find(const struct abi *abi, uint64_t number)
{
	unsigned index;

	if (abi->syscall_column >= ARRAY_LEN(columns) || number >= columns[abi->syscall_column].count)
		return NULL;
	index = columns[abi->syscall_column].index[number];
	return index ? &syscalls[index - 1] : NULL;
}

/* ---- arguments ---------------------------------------------------------- */

const char *
path_argument(struct thread *thread, uint64_t address, char *buffer, bool follow)
{
	const struct process *process = thread->process;
	static const char exe[] = "/proc/self/exe";

	if (mem_string(thread, address, buffer, PATH_SIZE) < 0)
		return guest_buffer(thread, address, 1, false);
	if (buffer[0] != '/')
		return buffer;
	if (follow && !strcmp(buffer, exe) && process->exe_path[0])
		return process->exe_path;
	if (process->sysroot[0]) {
		char *copy = buffer + PATH_SIZE; /* the second half of the caller's buffer */

		return follow ? path_to_host(process, buffer, copy, PATH_SIZE)
			      : path_to_host_nofollow(process, buffer, copy, PATH_SIZE);
	}
	return buffer;
}

static uint64_t
memory_size(const struct syscall_argument *argument, const uint64_t *a)
{
	uint64_t size, value;

	if (!argument->from)
		return argument->size;
	value = a[argument->from - 1];
	if (__builtin_mul_overflow(value, argument->scale, &size) ||
	    __builtin_add_overflow(size, argument->plus, &size))
		return UINT64_MAX;
	return size;
}

struct paths { char text[2][PATH_BUFFER]; unsigned used; };

static long
convert(struct thread *thread, const struct syscall_argument *argument, uint64_t value, const uint64_t *a,
	struct paths *paths)
{
	switch ((enum argument_kind)argument->kind) {
	case ARG_FD:
	case ARG_AT:
		return fd_argument(thread, value);
	case ARG_PATH:
	case ARG_LPATH:
		return (long)path_argument(thread, value, paths->text[paths->used++],
					   argument->kind == ARG_PATH);
	case ARG_IN:
	case ARG_IN_TIMESPEC:
	case ARG_PTR:
	case ARG_STR:
	case ARG_LSTR:
	case ARG_ADDR:
		return (long)guest_buffer(thread, value, 1, false);
	case ARG_OUT:
	case ARG_IO:
		return (long)guest_buffer(thread, value, memory_size(argument, a), true);
	case ARG_OFLAG:
		return (long)open_flags_argument(thread, value);
	case ARG_INT: case ARG_UINT: case ARG_LONG: case ARG_SIZE: case ARG_HEX: case ARG_MODE: case ARG_SIG:
	case ARG_MMAP: case ARG_PROT: case ARG_CLONE: case ARG_FCNTL: case ARG_FUTEX:
	case ARG_ATFLAG: case ARG_HOW: case ARG_WHENCE: case ARG_RESOURCE: case ARG_PRCTL: case ARG_SOCKFAM:
	case ARG_IOCTL:
		return (long)value;
	case ARG_IOV: case ARG_SIGSET: case ARG_TIMESPEC: case ARG_OUTADDR:
		break; /* of handlers only */
	}
	return (long)value;
}

/* A call that passes: all its arguments converted by kind. Without memory or
 * paths there is nothing to convert but descriptors. */
static int64_t
pass(struct thread *thread, const struct syscall *call, const uint64_t *a)
{
	struct paths paths;
	long v[6] = { 0 };

	paths.used = 0;
	for (unsigned i = 0; i < call->count; i++)
		v[i] = convert(thread, &call->argument[i], a[i], a, &paths);
	return signal_syscall(thread, call->host, v[0], v[1], v[2], v[3], v[4], v[5]);
}

const struct iovec *
iovec_argument(struct thread *thread, uint64_t address, uint64_t count, bool write, struct iovec *local)
{
	struct process *process = thread->process;

	if (!count || count > IOVEC_MAX || (!write && !process->guest_base) ||
	    mem_read(thread, local, address, (size_t)count * sizeof *local))
		return guest_buffer(thread, address, 1, false);
	for (uint64_t i = 0; i < count; i++)
		local[i].iov_base = guest_buffer(thread, (uint64_t)(uintptr_t)local[i].iov_base, local[i].iov_len,
						 write);
	return local;
}

/* ---- dispatch ----------------------------------------------------------- */

/* Said once for each number. */
static int64_t
unknown(struct thread *thread, uint64_t number)
{
	struct process *process = thread->process;
	uint64_t bit = (uint64_t)1 << (number & 63), *word;

	if (number >= 64 * ARRAY_LEN(process->unknown_calls))
		return -ENOSYS;
	word = &process->unknown_calls[number / 64];
	if (!(__atomic_fetch_or(word, bit, __ATOMIC_RELAXED) & bit))
		log_line(LOG_WARN, "unknown system call %llu: ENOSYS", (unsigned long long)number);
	return -ENOSYS;
}

static int64_t
perform(struct thread *thread, const struct syscall *call, const uint64_t *a)
{
	switch ((enum syscall_action)call->action) {
	case CALL_PASS:
		return pass(thread, call, a);
	case CALL_SAME:
		return thread->process->guest_base ? -ENOSYS : pass(thread, call, a);
	case CALL_SYS:
		return call->handler(thread, a);
	case CALL_NONE:
		break;
	}
	return -ENOSYS;
}

static bool
may_not_return(const struct syscall *call)
{
	return call->handler == sys_exit || call->handler == sys_exit_group || call->handler == sys_execve ||
	       call->handler == sys_execveat || call->handler == sys_rt_sigreturn;
}

void
syscall_dispatch(struct thread *thread, const struct cpu_stop *stop)
{
	const struct abi *abi = thread->process->abi;
	struct ir_frame *frame = thread->vcpu.frame;
	const struct syscall *call;
	struct abi_regs regs;
	int64_t result;

	if (abi->syscall_enter)
		abi->syscall_enter(frame);
	abi->syscall_read(frame, &regs);
	call = find(abi, regs.number);
	frame->pc = stop->next; /* what a clone's child starts with */
	if (UNLIKELY(thread->trace.active)) {
		trace_entry(thread, regs.number);
		abi->syscall_read(frame, &regs);
		call = find(abi, regs.number);
	}
	if (UNLIKELY(thread->seccomp_mode) && !seccomp_check(thread, call, &regs, &result)) {
		if (UNLIKELY(thread->process->strace) && call && result != SYSCALL_DONE)
			strace_call(thread, call, regs.argument, &result);
	} else if (!call) {
		result = unknown(thread, regs.number);
	} else {
		if (UNLIKELY(thread->process->strace) && may_not_return(call))
			strace_call(thread, call, regs.argument, NULL);
		result = perform(thread, call, regs.argument);
		if (UNLIKELY(thread->process->strace) && result != SYSCALL_DONE)
			strace_call(thread, call, regs.argument, &result);
	}
	__atomic_store_n(&thread->pins, 0, __ATOMIC_RELEASE);
	if (UNLIKELY(thread->trace.active) && result == SIGNAL_INTERRUPTED) {
		/* The tracer sees the kernel's own mark, and the call is made again. */
		abi->syscall_result(frame, (uint64_t)result);
		trace_exit(thread);
		abi->syscall_result(frame, regs.argument[0]);
	}
	if (result == SIGNAL_INTERRUPTED)
		frame->pc = stop->pc;
	else if (result != SYSCALL_DONE)
		abi->syscall_result(frame, (uint64_t)result);
	if (UNLIKELY(thread->trace.active) && result != SIGNAL_INTERRUPTED)
		trace_exit(thread);
}

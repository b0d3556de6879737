/* The traced side of ptrace between guests; trace.h tells how it works. */
#include "process/trace.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "host/trace.h"
#include "process/signal_impl.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define PAGE 4096u
/* The end of a guest's addresses that has them from 0 on, for every guest. */
#define ANCHOR_ADDRESS 0x7e0000000000ull

uint64_t
trace_anchor_address(void)
{
	return ANCHOR_ADDRESS;
}

void
trace_init(struct process *process)
{
	struct trace_anchor *anchor;
	long at;

	if (process->guest_base)
		return;
	at = RAW6(SYS_mmap, ANCHOR_ADDRESS, PAGE, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (at != (long)ANCHOR_ADDRESS)
		return;
	anchor = (struct trace_anchor *)at;
	*anchor = (struct trace_anchor){ TRACE_MAGIC, sizeof(struct thread), process };
}

/* What the tracer did meanwhile. */
static void
take_changes(struct thread *thread)
{
	struct trace *trace = &thread->trace;

	if (trace->dirty_start < trace->dirty_end) {
		space_unwatch(thread->process->space, trace->dirty_start, trace->dirty_end - trace->dirty_start);
		cpu_invalidate(&thread->process->cpu_space, align_down(trace->dirty_start, PAGE),
			       align_up(trace->dirty_end, PAGE));
	}
	trace->dirty_start = trace->dirty_end = 0;
	if (trace->changed)
		cpu_state_changed(&thread->vcpu);
	trace->changed = 0;
}

/* Sends the thread a signal that its tracer knows of. */
static void
send_self(struct thread *thread, int signal)
{
	struct trace *trace = &thread->trace;

	if (trace->info.si_signo != signal)
		trace->info = (siginfo_t){ .si_signo = signal, .si_code = SI_USER, .si_pid = (int)RAW0(SYS_getpid) };
	/* The host's handler would take it for a fault of its own. */
	if ((signal_bit(signal) & SIGNAL_SYNCHRONOUS) && trace->info.si_code > 0) {
		signal_queue_self(thread, signal, &trace->info);
		return;
	}
	trace->pass = signal;
	RAW4(SYS_rt_tgsigqueueinfo, RAW0(SYS_getpid), thread->tid, signal, &trace->info);
}

static void
trap(struct thread *thread, enum trace_stop why)
{
	struct trace *trace = &thread->trace;

	__atomic_store_n(&trace->stop, why, __ATOMIC_RELEASE);
	host_trap(TRACE_MAGIC, thread);
	trace->stop = TRACE_NONE;
	take_changes(thread);
}

/* A stop that is not for a signal: what the tracer gives with it is sent. */
static void
trap_event(struct thread *thread, enum trace_stop why)
{
	struct trace *trace = &thread->trace;

	trace->signal = 0;
	trace->info = (siginfo_t){ .si_signo = SIGTRAP, .si_code = SIGTRAP };
	trap(thread, why);
	if (trace->signal)
		send_self(thread, trace->signal);
}

void
trace_run(struct thread *thread)
{
	struct trace *trace = &thread->trace;
	uint32_t held = trace->held;

	take_changes(thread);
	trace->held = TRACE_NONE;
	if (held == TRACE_SIGNAL) {
		trap(thread, TRACE_SIGNAL);
		if (trace->signal)
			send_self(thread, trace->signal);
	} else if (held) {
		trap_event(thread, held);
	}
}

void
trace_ran(struct thread *thread)
{
	siginfo_t info = { .si_signo = SIGTRAP, .si_code = TRAP_TRACE };

	if (thread->trace.how == TRACE_STEP && trace_signal(thread, SIGTRAP, &info))
		send_self(thread, thread->trace.signal);
}

void
trace_exec(struct thread *thread)
{
	thread->trace.call = -1;
	trap_event(thread, TRACE_EXEC);
	if (thread->trace.how == TRACE_SYSCALLS)
		trap_event(thread, TRACE_EXIT);
}

void
trace_entry(struct thread *thread, uint64_t number)
{
	thread->trace.call = (int32_t)number;
	thread->trace.entered = thread->trace.how == TRACE_SYSCALLS;
	if (thread->trace.entered)
		trap_event(thread, TRACE_ENTRY);
}

void
trace_exit(struct thread *thread)
{
	/* Not for a call that the tracer did not see begin: a signal that came in it
	 * has been told by then, which Linux would do after the call's end. */
	if (thread->trace.entered && thread->trace.how == TRACE_SYSCALLS)
		trap_event(thread, TRACE_EXIT);
	thread->trace.call = -1;
}

int
trace_signal(struct thread *thread, int signal, siginfo_t *info)
{
	struct trace *trace = &thread->trace;

	trace->signal = signal;
	trace->info = *info;
	trap(thread, TRACE_SIGNAL);
	*info = trace->info;
	return trace->signal;
}

/* Threads that are traced: where their state is, and what their stops mean. */
#include "process/linux/tracee.h"

#include <linux/ptrace.h>
#include <stddef.h>
#include <sys/wait.h>

#include "host/lock.h"
#include "host/trace.h"
#include "process/signal_impl.h"

#define AUTO_ATTACH (PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE)
#define STOPPED 0x7f /* low byte of a wait status */

/* ---- the table ------------------------------------------------------------ */

struct tracee *
tracee_find(struct process *process, int tid, bool add)
{
	struct tracees *all = process->tracees;
	struct tracee *found = NULL, *empty = NULL;

	if (!all && add)
		all = process->tracees = pages_alloc(sizeof *all);
	if (!all)
		return NULL;
	lock_take(&all->lock);
	for (unsigned i = 0; i < all->count && !found; i++) {
		if (all->entry[i].tid == tid)
			found = &all->entry[i];
		else if (!all->entry[i].tid && !empty)
			empty = &all->entry[i];
	}
	if (!found && add) {
		if (!empty && all->count < TRACEES_MAX)
			empty = &all->entry[all->count++];
		if (empty)
			*empty = (struct tracee){ .tid = tid };
		found = empty;
	}
	lock_drop(&all->lock);
	return found;
}

void
tracee_drop(struct process *process, int tid)
{
	struct tracee *tracee = tracee_find(process, tid, false);

	if (tracee)
		tracee->tid = 0;
}

/* A new thread that the kernel attached for us has the options of its parent. */
static void
inherit(struct process *process, struct tracee *tracee)
{
	struct tracees *all = process->tracees;

	lock_take(&all->lock);
	for (unsigned i = 0; i < all->count; i++)
		if (all->entry[i].tid && &all->entry[i] != tracee && (all->entry[i].options & AUTO_ATTACH)) {
			tracee->options = all->entry[i].options;
			tracee->seized = all->entry[i].seized;
			break;
		}
	lock_drop(&all->lock);
}

/* The host must always tell of exec, so that it is not taken for a signal; its
 * system calls are of no interest. */
uint32_t
tracee_host_options(uint32_t options)
{
	return (options & ~(uint32_t)PTRACE_O_TRACESYSGOOD) | PTRACE_O_TRACEEXEC;
}

/* ---- their memory ---------------------------------------------------------- */

long
tracee_read(const struct tracee *tracee, uint64_t from, void *to, size_t size)
{
	struct iovec ours = { to, size }, theirs = { (void *)(uintptr_t)from, size };
	long got = RAW6(SYS_process_vm_readv, tracee->tid, &ours, 1, &theirs, 1, 0);

	return raw_failed(got) ? got : (size_t)got == size ? 0 : -EIO;
}

long
tracee_write(const struct tracee *tracee, uint64_t to, const void *from, size_t size)
{
	struct iovec ours = { (void *)(uintptr_t)from, size }, theirs = { (void *)(uintptr_t)to, size };
	long got = RAW6(SYS_process_vm_writev, tracee->tid, &ours, 1, &theirs, 1, 0);

	return raw_failed(got) ? got : (size_t)got == size ? 0 : -EIO;
}

long
tracee_get(const struct tracee *tracee, struct trace *trace)
{
	return tracee->thread ? tracee_read(tracee, tracee->thread + offsetof(struct thread, trace), trace, sizeof *trace)
			      : -ESRCH;
}

long
tracee_set(const struct tracee *tracee, const struct trace *trace)
{
	return tracee->thread ? tracee_write(tracee, tracee->thread + offsetof(struct thread, trace), trace, sizeof *trace)
			      : -ESRCH;
}

/* Finds its struct thread in the list of its process: by its stack, whose block
 * ends with it, or by its number when it is on another stack (translated code). */
static void
locate(struct tracee *tracee, uint64_t stack)
{
	uint64_t at, by_stack = (stack & ~(uint64_t)(THREAD_BLOCK_SIZE - 1)) + THREAD_BLOCK_SIZE -
				align_up(sizeof(struct thread), 64);
	struct trace_anchor anchor;
	int tid;

	tracee->thread = 0;
	if (tracee_read(tracee, trace_anchor_address(), &anchor, sizeof anchor) || anchor.magic != TRACE_MAGIC ||
	    anchor.thread_size != sizeof(struct thread))
		return;
	if (tracee_read(tracee, (uintptr_t)anchor.process + offsetof(struct process, threads), &at, sizeof at))
		return;
	for (unsigned patience = 100000; at && patience; patience--) {
		if (at == by_stack) {
			tracee->thread = at;
			return;
		}
		if (tracee_read(tracee, at + offsetof(struct thread, tid), &tid, sizeof tid))
			return;
		if (tid == tracee->tid)
			tracee->thread = at;
		if (tracee_read(tracee, at + offsetof(struct thread, next), &at, sizeof at))
			return;
	}
}

/* ---- stops ------------------------------------------------------------------- */

static bool
go_on(const struct tracee *tracee, int signal)
{
	RAW4(SYS_ptrace, PTRACE_CONT, tracee->tid, 0, signal);
	return false;
}

static int
stop_status(int signal, int event)
{
	return event << 16 | signal << 8 | STOPPED;
}

/* A trap of its own. */
static bool
trapped(struct tracee *tracee, const struct trace *trace, int *status)
{
	int good = tracee->options & PTRACE_O_TRACESYSGOOD ? 0x80 : 0;

	tracee->trapped = true;
	switch ((enum trace_stop)trace->stop) {
	case TRACE_ENTRY:
	case TRACE_EXIT:
		*status = stop_status(SIGTRAP | good, 0);
		return true;
	case TRACE_SIGNAL:
		*status = stop_status(trace->signal, 0);
		return true;
	case TRACE_EXEC:
		if (tracee->seized && !(tracee->options & PTRACE_O_TRACEEXEC))
			return go_on(tracee, 0);
		*status = stop_status(SIGTRAP, tracee->options & PTRACE_O_TRACEEXEC ? PTRACE_EVENT_EXEC : 0);
		return true;
	case TRACE_EVENT:
		*status = stop_status(SIGTRAP, PTRACE_EVENT_STOP);
		return true;
	case TRACE_NONE:
		break;
	}
	return go_on(tracee, 0);
}

/* Whether its registers are exact; if not it is sent on to where they are, with
 * what it has to tell. */
static bool
exact(struct tracee *tracee, struct trace *trace, enum trace_stop why, int signal, const siginfo_t *info)
{
	uint32_t inside = 0, one = 1;
	uint64_t frame = 0;

	tracee_read(tracee, tracee->thread + offsetof(struct thread, inside), &inside, sizeof inside);
	if (!inside)
		return true;
	trace->held = why;
	trace->signal = signal;
	trace->info = *info;
	tracee_set(tracee, trace);
	tracee_read(tracee, tracee->thread + offsetof(struct thread, vcpu.frame), &frame, sizeof frame);
	tracee_write(tracee, frame + offsetof(struct ir_frame, poll), &one, sizeof one);
	return go_on(tracee, 0);
}

static bool
signal_stop(struct tracee *tracee, struct trace *trace, int signal)
{
	siginfo_t info;

	if (raw_failed(RAW4(SYS_ptrace, PTRACE_GETSIGINFO, tracee->tid, 0, &info)))
		return true; /* a group stop */
	if ((signal_bit(signal) & SIGNAL_SYNCHRONOUS) && info.si_code > 0)
		return go_on(tracee, signal); /* the emulator's own to look at first */
	if (trace->pass == signal) {
		trace->pass = 0;
		tracee_set(tracee, trace);
		return go_on(tracee, signal);
	}
	return exact(tracee, trace, TRACE_SIGNAL, signal, &info);
}

bool
tracee_stopped(struct process *process, int tid, int *status)
{
	struct tracee *tracee = tracee_find(process, tid, false);
	int signal = WSTOPSIG(*status), event = *status >> 16;
	siginfo_t none = { .si_signo = SIGTRAP };
	struct trace trace;
	uint64_t stack, at = (uintptr_t)host_tracee_trapped(tid, TRACE_MAGIC, &stack);

	if (!stack)
		return true; /* not traced by us: job control */
	if (!tracee) {
		tracee = tracee_find(process, tid, true);
		if (!tracee)
			return true;
		inherit(process, tracee);
	}
	if (!tracee->told)
		tracee->told = !RAW4(SYS_ptrace, PTRACE_SETOPTIONS, tid, 0, tracee_host_options(tracee->options));
	tracee->trapped = false;
	if (signal == SIGTRAP && !event && at) {
		tracee->thread = at;
		return tracee_get(tracee, &trace) ? go_on(tracee, 0) : trapped(tracee, &trace, status);
	}
	if (event == PTRACE_EVENT_EXEC) {
		tracee->thread = 0;
		return go_on(tracee, 0);
	}
	locate(tracee, stack);
	if (tracee_get(tracee, &trace)) /* it has not begun; or it is the host's program */
		return event ? true : go_on(tracee, signal == SIGTRAP ? 0 : signal);
	trace.active = 1;
	tracee_set(tracee, &trace);
	if (!event)
		return signal_stop(tracee, &trace, signal);
	if (event == PTRACE_EVENT_STOP && signal == SIGTRAP)
		return exact(tracee, &trace, TRACE_EVENT, 0, &none);
	return true;
}

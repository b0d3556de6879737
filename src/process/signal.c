/* Signals: from the host's handlers to the guest's.
 *
 * The host's dispositions mirror the guest's: what the guest ignores or leaves
 * to the default action the host ignores or acts on by itself; for what the
 * guest handles the host runs host_handler with the flags that change system
 * calls (SA_RESTART, SA_NOCLDSTOP, SA_NOCLDWAIT). The synchronous five are
 * always handled, and never blocked on the host, since the emulator's own
 * faults come by them; that the guest blocks them is kept in pending_sync.
 *
 * A signal goes through three steps:
 *   1. host_handler, wherever it interrupts the thread, only stages it:
 *      copies its siginfo, blocks everything else (by the mask the handler
 *      returns to), asks the vCPU to stop, and steps a system call that has not
 *      begun, or is to be restarted, back out of its window.
 *   2. At the next safepoint signal_deliver writes the guest's frame, whose
 *      state is exact there.
 *   3. Only then the host's mask becomes what the guest's handler runs with, and
 *      the next one may come. So there is never more than one staged, and what
 *      sigpending, signalfd or another thread sees is what the kernel holds.
 * A call or trap that the vCPU stopped for while one is staged is dropped: the
 * PC still points at its instruction, which runs again after the handler.
 *
 * Whoever changes the guest's mask first holds all signals (signal_hold), which
 * fails when one was staged before: it must be delivered under the old mask.
 */
#include "process/process_impl.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/lock.h"
#include "host/trace.h"
#include "process/core.h"
#include "process/gdb.h"
#include "process/signal_impl.h"

_Static_assert(SIGNAL_INTERRUPTED == HOST_INTERRUPTED, "one value under two names");

#define GUEST_SA_NODEFER 0x40000000u
#define GUEST_SA_RESETHAND 0x80000000u
#define GUEST_SA_ONSTACK 0x08000000u
/* Flags whose effect is on the kernel's side of a signal. */
#define HOST_FLAGS (SA_RESTART | SA_NOCLDSTOP | SA_NOCLDWAIT)

#define SS_AUTODISARM_FLAG ((int32_t)(1u << 31))

/* ---- 1. the host's side ------------------------------------------------- */

static unsigned
synchronous_index(int signal)
{
	switch (signal) {
	case SIGSEGV: return 0;
	case SIGBUS: return 1;
	case SIGILL: return 2;
	case SIGFPE: return 3;
	default: return 4;
	}
}

/* The host ends the process by this signal. */
static _Noreturn void
end_by(struct thread *thread, int signal)
{
	uint64_t others = ~signal_bit(signal);

	gdb_ends(thread, 'X', (int)gdb_signal_number(signal));
	host_signal_set(signal, NULL, 0);
	RAW3(SYS_tgkill, RAW0(SYS_getpid), RAW0(SYS_gettid), signal);
	host_signal_mask(others, NULL);
	/* Only the first process of a PID namespace survives that. */
	for (;;)
		RAW1(SYS_exit_group, 128 + signal);
}

static void
fault(struct thread *thread, int signal, siginfo_t *info, void *context)
{
	struct process *process = thread->process;
	uint64_t address = (uint64_t)info->si_addr - process->guest_base;

	if (signal == SIGTRAP && host_context_trapped(context, TRACE_MAGIC)) {
		thread->trace.active = 0; /* nobody traces any more */
		return;
	}
	if (signal == SIGSEGV && info->si_code == SEGV_ACCERR && space_unwatch_fault(process->space, address))
		return;
	if ((signal == SIGSEGV || signal == SIGBUS) && host_copy_recover(context))
		return;
	if (cpu_host_fault(&thread->vcpu, signal, info, context))
		return;
	log_line(LOG_ERROR, "defect: signal %d (code %d) at host address %#llx, data address %#llx, guest pc %#llx",
		 signal, info->si_code, (unsigned long long)host_context_pc(context),
		 (unsigned long long)(uintptr_t)info->si_addr, (unsigned long long)thread->vcpu.frame->pc);
	end_by(thread, signal);
}

/* Runs on the thread's alternate stack with everything blocked. */
static void
host_handler(int signal, siginfo_t *info, void *context)
{
	struct thread *thread = thread_current();
	bool synchronous = signal_bit(signal) & SIGNAL_SYNCHRONOUS;

	if (synchronous && info->si_code > 0) {
		fault(thread, signal, info, context);
		return;
	}
	if (synchronous && (thread->staged || (thread->mask & signal_bit(signal)))) {
		thread->pending_info[synchronous_index(signal)] = *info;
		thread->pending_sync |= signal_bit(signal);
		return;
	}
	thread->staged_info = *info;
	__atomic_store_n(&thread->staged, (uint32_t)signal, __ATOMIC_RELEASE);
	host_context_set_mask(context, SIGNAL_HELD);
	host_window_interrupt(context);
	cpu_poll(&thread->vcpu);
}

static bool
ignored_by_default(int signal)
{
	return signal == SIGCHLD || signal == SIGCONT || signal == SIGURG || signal == SIGWINCH;
}

static bool
stops_by_default(int signal)
{
	return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* Sets the host's disposition to match the guest's. */
static long
host_action(const struct process *process, int signal, const struct signal_action *action)
{
	unsigned long flags = action->flags & HOST_FLAGS;

	/* Before the program dies of one, its core is written or a debugger told. */
	if (action->handler == SIGNAL_DEFAULT && process->dumps_core && core_signal(signal))
		return host_signal_set(signal, host_handler, flags | SA_RESTART);
	if (process->gdb && action->handler == SIGNAL_DEFAULT && !ignored_by_default(signal) && !stops_by_default(signal) &&
	    signal != SIGKILL)
		return host_signal_set(signal, host_handler, flags | SA_RESTART);
	if (action->handler > SIGNAL_IGNORE)
		return host_signal_set(signal, host_handler, flags);
	/* One that the guest ignores must not end its calls with EINTR. */
	if (signal_bit(signal) & SIGNAL_SYNCHRONOUS)
		return host_signal_set(signal, host_handler, flags | SA_RESTART);
	return host_signal_set(signal, (host_handler_fn)(uintptr_t)action->handler, flags);
}

int64_t
signal_action_set(struct thread *thread, int signal, const struct signal_action *set, struct signal_action *old)
{
	struct signal_table *table = thread->signals;
	int64_t result = 0;

	if (signal < 1 || signal > GUEST_SIGNALS || (set && (signal == SIGKILL || signal == SIGSTOP)))
		return -EINVAL;
	lock_take(&table->lock);
	if (old)
		*old = table->action[signal];
	if (set) {
		table->action[signal] = *set;
		table->action[signal].mask &= ~SIGNAL_UNBLOCKABLE;
		result = host_action(thread->process, signal, set);
	}
	lock_drop(&table->lock);
	/* What is ignored from now on is no longer pending (POSIX 2.4.3). */
	if (set && set->handler == SIGNAL_IGNORE)
		thread->pending_sync &= ~signal_bit(signal);
	return result;
}

void
signal_drop_handlers(struct thread *thread)
{
	struct signal_table *table = thread->signals;

	for (int signal = 1; signal <= GUEST_SIGNALS; signal++) {
		struct signal_action *action = &table->action[signal];
		struct signal_action fresh = { .handler = action->handler == SIGNAL_IGNORE };
		bool same = action->handler <= SIGNAL_IGNORE && !action->flags;

		*action = fresh;
		if (!same)
			host_action(thread->process, signal, action);
	}
}

void
signal_core_limit(struct thread *thread)
{
	struct signal_table *table = thread->signals;

	thread->process->dumps_core = core_limit() != 0;
	lock_take(&table->lock);
	for (int signal = 1; signal <= GUEST_SIGNALS; signal++)
		if (core_signal(signal) && table->action[signal].handler == SIGNAL_DEFAULT)
			host_action(thread->process, signal, &table->action[signal]);
	lock_drop(&table->lock);
}

int
signal_init(struct process *process, struct error *error)
{
	struct signal_table *table = pages_alloc(sizeof *table);

	if (!table)
		return error_set(error, ENOMEM, "no memory for the signal table");
	table->users = 1; /* the process's own */
	process->signals = table;
	process->dumps_core = core_limit() != 0;
	for (int signal = 1; signal <= GUEST_SIGNALS; signal++) {
		if (host_signal_ignored(signal))
			table->action[signal].handler = SIGNAL_IGNORE;
		if ((signal_bit(signal) & SIGNAL_SYNCHRONOUS) || process->gdb || (process->dumps_core && core_signal(signal)))
			host_action(process, signal, &table->action[signal]);
	}
	return 0;
}

/* ---- blocked sets ------------------------------------------------------- */

int64_t
signal_hold(struct thread *thread)
{
	uint64_t held = SIGNAL_HELD;

	return signal_syscall(thread, SYS_rt_sigprocmask, SIG_SETMASK, (long)&held, 0, sizeof held, 0, 0);
}

void
signal_release(struct thread *thread)
{
	host_signal_mask(thread->mask & ~SIGNAL_SYNCHRONOUS, NULL);
}

int64_t
signal_mask_set(struct thread *thread, uint64_t mask)
{
	int64_t result = signal_hold(thread);

	if (result)
		return result;
	thread->mask = mask & ~SIGNAL_UNBLOCKABLE;
	signal_release(thread);
	return 0;
}

long
signal_syscall(struct thread *thread, long nr, long a, long b, long c, long d, long e, long f)
{
	return host_window_syscall(&thread->staged, nr, a, b, c, d, e, f);
}

bool
signal_mask_swap(struct thread *thread, uint64_t mask)
{
	thread->saved_mask = thread->mask;
	thread->has_saved_mask = true;
	thread->mask = mask & ~SIGNAL_UNBLOCKABLE;
	return !(thread->pending_sync & ~thread->mask);
}

void
signal_mask_unswap(struct thread *thread, long result)
{
	/* EINTR keeps the saved mask for the handler's frame, which ends with
	 * it; signal_deliver restores it when no handler ran after all. */
	if (result == -EINTR)
		return;
	thread->mask = thread->saved_mask;
	thread->has_saved_mask = false;
}

/* ---- the alternate stack ------------------------------------------------ */

static bool
on_alternate(const struct thread *thread, uint64_t sp)
{
	if ((int32_t)thread->alt_flags & SS_AUTODISARM_FLAG)
		return false;
	return sp > thread->alt_stack && sp - thread->alt_stack <= thread->alt_size;
}

void
signal_alt_get(const struct thread *thread, uint64_t sp, struct signal_stack *out)
{
	*out = (struct signal_stack){ .base = thread->alt_stack, .size = thread->alt_size };
	out->flags = !thread->alt_size ? SS_DISABLE : on_alternate(thread, sp) ? SS_ONSTACK : 0;
	out->flags |= (int32_t)thread->alt_flags & SS_AUTODISARM_FLAG;
}

int
signal_alt_set(struct thread *thread, uint64_t sp, const struct signal_stack *in)
{
	int32_t mode = in->flags & ~SS_AUTODISARM_FLAG;

	if (on_alternate(thread, sp))
		return -EPERM;
	if (in->base == thread->alt_stack && in->size == thread->alt_size && (uint32_t)in->flags == thread->alt_flags)
		return 0; /* nothing changes: nothing is looked at */
	if (mode && mode != SS_DISABLE && mode != SS_ONSTACK)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		thread->alt_stack = thread->alt_size = 0;
	} else {
		if (in->size < thread->process->abi->alternate_stack_minimum)
			return -ENOMEM;
		thread->alt_stack = in->base;
		thread->alt_size = in->size;
	}
	thread->alt_flags = (uint32_t)in->flags;
	return 0;
}

/* ---- 2. the guest's side ------------------------------------------------ */

static struct signal_action
action_take(struct thread *thread, int signal)
{
	struct signal_table *table = thread->signals;
	struct signal_action action;

	lock_take(&table->lock);
	action = table->action[signal];
	if (action.handler > SIGNAL_IGNORE && (action.flags & GUEST_SA_RESETHAND)) {
		table->action[signal].handler = SIGNAL_DEFAULT;
		host_action(thread->process, signal, &table->action[signal]);
	}
	lock_drop(&table->lock);
	return action;
}

/* The action changed to the default one after the signal was staged (another
 * thread, RESETHAND): the host, whose action has changed as well, does it. */
static void
default_action(struct thread *thread, int signal, const siginfo_t *info)
{
	if (ignored_by_default(signal))
		return;
	if (stops_by_default(signal)) {
		RAW3(SYS_tgkill, RAW0(SYS_getpid), thread->tid, signal);
		return;
	}
	signal_die(thread, signal, info);
}

/* A frame could not be written: SIGSEGV, or the end when that was the one or
 * cannot be handled (force_sigsegv in the kernel). */
static void
frame_failed(struct thread *thread, int signal)
{
	siginfo_t info = { .si_signo = SIGSEGV, .si_code = SI_KERNEL };

	if (signal == SIGSEGV)
		signal_die(thread, SIGSEGV, &info);
	signal_force(thread, SIGSEGV, &info);
}

/* Writes the frame of one signal; all are held. */
static void
deliver_one(struct thread *thread, int signal, const siginfo_t *info)
{
	const struct abi *abi = thread->process->abi;
	struct signal_action action = action_take(thread, signal);
	uint64_t saved = thread->has_saved_mask ? thread->saved_mask : thread->mask;
	uint64_t sp = abi->stack_pointer(thread->vcpu.frame), stack = sp;
	bool on_alt = on_alternate(thread, sp);

	if (action.handler == SIGNAL_IGNORE)
		return;
	if (action.handler == SIGNAL_DEFAULT) {
		default_action(thread, signal, info);
		return;
	}
	if ((action.flags & GUEST_SA_ONSTACK) && thread->alt_size && !on_alt)
		stack = thread->alt_stack + thread->alt_size;
	if (abi->signal_push(thread, signal, info, action.handler, action.restorer, action.flags, stack, saved) ||
	    (on_alt && !on_alternate(thread, abi->stack_pointer(thread->vcpu.frame)))) {
		frame_failed(thread, signal);
		return;
	}
	if ((int32_t)thread->alt_flags & SS_AUTODISARM_FLAG) {
		thread->alt_stack = thread->alt_size = 0;
		thread->alt_flags = SS_DISABLE;
	}
	thread->has_saved_mask = false;
	thread->mask |= action.mask;
	if (!(action.flags & GUEST_SA_NODEFER))
		thread->mask |= signal_bit(signal);
	thread->mask &= ~SIGNAL_UNBLOCKABLE;
	cpu_state_changed(&thread->vcpu);
}

void
signal_force(struct thread *thread, int signal, const siginfo_t *info)
{
	siginfo_t changed = *info;
	uint64_t handler;

	if (UNLIKELY(thread->process->gdb != NULL))
		signal = gdb_signal(thread, signal, info);
	if (UNLIKELY(thread->trace.active) && signal) {
		signal = trace_signal(thread, signal, &changed);
		info = &changed;
	}
	if (!signal)
		return;
	handler = __atomic_load_n(&thread->signals->action[signal].handler, __ATOMIC_RELAXED);
	/* Blocked or ignored, it cannot be: force_sig_info_to_task. */
	if (handler <= SIGNAL_IGNORE || (thread->mask & signal_bit(signal)))
		signal_die(thread, signal, info);
	deliver_one(thread, signal, info);
}

/* Stages the first of the synchronous signals that are no longer blocked. */
static bool
stage_pending(struct thread *thread)
{
	uint64_t ready = thread->pending_sync & ~thread->mask;
	int signal = ready ? __builtin_ctzll(ready) + 1 : 0;

	if (!signal)
		return false;
	thread->pending_sync &= ~signal_bit(signal);
	thread->staged_info = thread->pending_info[synchronous_index(signal)];
	thread->staged = (uint32_t)signal;
	return true;
}

void
signal_deliver(struct thread *thread)
{
	__atomic_store_n(&thread->vcpu.frame->poll, 0, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&thread->staged, __ATOMIC_ACQUIRE) || thread->has_saved_mask ||
	       (thread->pending_sync & ~thread->mask)) {
		host_signal_mask(SIGNAL_HELD, NULL);
		if (thread->staged || stage_pending(thread)) {
			siginfo_t info = thread->staged_info;
			int signal = (int)thread->staged;

			thread->staged = 0;
			if (UNLIKELY(thread->process->gdb != NULL))
				info.si_signo = signal = gdb_signal(thread, signal, &info);
			if (signal)
				deliver_one(thread, signal, &info);
		} else if (thread->has_saved_mask) {
			thread->mask = thread->saved_mask;
			thread->has_saved_mask = false;
		}
		signal_release(thread);
	}
}

int
signal_return(struct thread *thread)
{
	int64_t result = signal_hold(thread);
	uint64_t mask;

	if (result)
		return (int)result;
	if (thread->process->abi->signal_pop(thread, &mask)) {
		siginfo_t info = { .si_signo = SIGSEGV, .si_code = SI_KERNEL };

		signal_force(thread, SIGSEGV, &info);
	} else {
		thread->mask = mask & ~SIGNAL_UNBLOCKABLE;
		cpu_state_changed(&thread->vcpu);
	}
	signal_release(thread);
	return 0;
}

int64_t
signal_queue_self(struct thread *thread, int signal, const siginfo_t *info)
{
	int64_t result = signal_hold(thread);

	if (result)
		return result;
	thread->pending_info[synchronous_index(signal)] = *info;
	thread->pending_sync |= signal_bit(signal);
	signal_release(thread);
	return 0;
}

/* ---- traps -------------------------------------------------------------- */

/* SEGV_ACCERR if something is mapped there. */
static int
segv_code(struct thread *thread, uint64_t address)
{
	struct mapping mapping;

	return space_find(thread->process->space, address, &mapping) ? SEGV_ACCERR : SEGV_MAPERR;
}

static void
trap_memory(struct thread *thread, const struct cpu_stop *stop, siginfo_t *info)
{
	const struct abi *abi = thread->process->abi;

	info->si_addr = (void *)(uintptr_t)stop->address;
	if (stop->host_signal == SIGBUS) {
		info->si_signo = SIGBUS;
		info->si_code = stop->host_code;
		return;
	}
	info->si_signo = SIGSEGV;
	info->si_code = segv_code(thread, stop->address);
	thread->fault_address = stop->address;
	if (abi->fault_code)
		thread->fault_code = abi->fault_code(stop, info->si_code);
}

/* The code at a fault will do under another mode key: nothing to signal. */
static bool
faulted_for_mode(struct thread *thread, const struct cpu_stop *stop)
{
	const struct guest *guest = thread->process->guest;

	if (!guest->fault_again || (stop->trap != IR_TRAP_READ_FAULT && stop->trap != IR_TRAP_WRITE_FAULT) ||
	    !guest->fault_again(thread->vcpu.frame, stop->address))
		return false;
	cpu_state_changed(&thread->vcpu);
	return true;
}

void
signal_from_trap(struct thread *thread, const struct cpu_stop *stop)
{
	siginfo_t info = { .si_addr = (void *)(uintptr_t)stop->pc };

	if (faulted_for_mode(thread, stop))
		return;
	switch (stop->trap) {
	case IR_TRAP_ILLEGAL:
		info.si_signo = SIGILL;
		info.si_code = ILL_ILLOPC;
		break;
	case IR_TRAP_BREAKPOINT:
		if (gdb_breakpoint(thread, stop->pc))
			return;
		info.si_signo = SIGTRAP;
		info.si_code = TRAP_BRKPT;
		break;
	case IR_TRAP_DIVIDE:
	case IR_TRAP_SYSTEM:
		info.si_signo = SIGFPE;
		info.si_code = FPE_INTDIV;
		break;
	case IR_TRAP_MISALIGNED: /* of the PC if there is no address */
		if (thread->process->abi->misaligned_at_data && stop->address)
			info.si_addr = (void *)(uintptr_t)stop->address;
		info.si_signo = SIGBUS;
		info.si_code = BUS_ADRALN;
		break;
	case IR_TRAP_READ_FAULT:
	case IR_TRAP_WRITE_FAULT:
	case IR_TRAP_FETCH_FAULT:
		trap_memory(thread, stop, &info);
		break;
	case IR_TRAP_NONE:
	case IR_TRAP_SYSCALL:
		return;
	}
	if (signal_hold(thread))
		return; /* one was staged: it comes first, the trap recurs */
	signal_force(thread, info.si_signo, &info);
	signal_release(thread);
}

/* ---- the end ------------------------------------------------------------ */

void
signal_die(struct thread *thread, int signal, const siginfo_t *info)
{
	siginfo_t plain = { .si_signo = signal };

	if (core_signal(signal))
		core_dump(thread, signal, info ? info : &plain);
	end_by(thread, signal);
}

int64_t
signal_execveat(struct thread *thread, int dirfd, const char *path, char **argv, char **envp, int flags)
{
	const struct signal_action *action = thread->signals->action;
	int64_t result = signal_hold(thread);

	if (result)
		return result;
	for (int signal = 1; signal <= GUEST_SIGNALS; signal++)
		if ((signal_bit(signal) & SIGNAL_SYNCHRONOUS) && action[signal].handler == SIGNAL_IGNORE)
			host_signal_set(signal, (host_handler_fn)1, 0);
	/* The one moment in which the host blocks what the guest blocks of the
	 * synchronous five. */
	host_signal_mask(thread->mask, NULL);
	result = signal_syscall(thread, SYS_execveat, dirfd, (long)path, (long)argv, (long)envp, flags, 0);
	host_signal_mask(SIGNAL_HELD, NULL);
	for (int signal = 1; signal <= GUEST_SIGNALS; signal++)
		if (signal_bit(signal) & SIGNAL_SYNCHRONOUS)
			host_action(thread->process, signal, &action[signal]);
	if (!thread->staged)
		signal_release(thread);
	return result;
}

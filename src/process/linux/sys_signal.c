/* Signals as system calls; the machinery is signal.c's. */
#include <string.h>

#include "process/linux/linux.h"

#define SIGSET_SIZE 8u

/* ---- actions and masks -------------------------------------------------- */

/* The kernel's struct sigaction in the guest: handler, flags, where the ABI has
 * it restorer, mask. */
static size_t
action_words(const struct thread *thread)
{
	return thread->process->abi->sigaction_restorer ? 4 : 3;
}

int64_t
sys_rt_sigaction(struct thread *thread, const uint64_t *a)
{
	size_t words = action_words(thread);
	struct signal_action set = { 0 }, old;
	uint64_t w[4];
	int64_t result;

	if (a[3] != SIGSET_SIZE)
		return -EINVAL;
	if (a[1]) {
		if (mem_read(thread, w, a[1], words * sizeof w[0]))
			return -EFAULT;
		set = (struct signal_action){ w[0], w[1], words == 4 ? w[2] : 0, w[words - 1] };
	}
	result = signal_action_set(thread, (int)a[0], a[1] ? &set : NULL, &old);
	if (result || !a[2])
		return result;
	w[0] = old.handler;
	w[1] = old.flags;
	w[2] = old.restorer;
	w[words - 1] = old.mask;
	return mem_write(thread, a[2], w, words * sizeof w[0]);
}

int64_t
sys_rt_sigprocmask(struct thread *thread, const uint64_t *a)
{
	uint64_t old = thread->mask, set;
	int64_t result;

	if (a[3] != SIGSET_SIZE)
		return -EINVAL;
	if (a[1]) {
		if (mem_read(thread, &set, a[1], sizeof set))
			return -EFAULT;
		switch ((int)a[0]) {
		case SIG_BLOCK: set |= old; break;
		case SIG_UNBLOCK: set = old & ~set; break;
		case SIG_SETMASK: break;
		default: return -EINVAL;
		}
		result = signal_mask_set(thread, set);
		if (result)
			return result;
	}
	return a[2] ? mem_write(thread, a[2], &old, sizeof old) : 0;
}

int64_t
sys_rt_sigpending(struct thread *thread, const uint64_t *a)
{
	uint64_t set = 0;

	if (a[1] > SIGSET_SIZE)
		return -EINVAL;
	RAW2(SYS_rt_sigpending, &set, sizeof set);
	set |= thread->pending_sync;
	set &= thread->mask;
	return mem_write(thread, a[0], &set, (size_t)a[1]);
}

int64_t
sys_rt_sigsuspend(struct thread *thread, const uint64_t *a)
{
	uint64_t guest, host;
	int64_t result = -EINTR;

	if (a[1] != SIGSET_SIZE)
		return -EINVAL;
	if (mem_read(thread, &guest, a[0], sizeof guest))
		return -EFAULT;
	host = host_mask(guest);
	if (signal_mask_swap(thread, guest))
		result = signal_syscall(thread, SYS_rt_sigsuspend, (long)&host, sizeof host, 0, 0, 0, 0);
	signal_mask_unswap(thread, result);
	return result;
}

int64_t
sys_sigaltstack(struct thread *thread, const uint64_t *a)
{
	uint64_t sp = thread->process->abi->stack_pointer(thread->vcpu.frame);
	struct signal_stack set, old;
	int result;

	memset(&old, 0, sizeof old);
	signal_alt_get(thread, sp, &old);
	if (a[0]) {
		if (mem_read(thread, &set, a[0], sizeof set))
			return -EFAULT;
		result = signal_alt_set(thread, sp, &set);
		if (result)
			return result;
	}
	return a[1] ? mem_write(thread, a[1], &old, sizeof old) : 0;
}

int64_t
sys_rt_sigreturn(struct thread *thread, const uint64_t *a)
{
	(void)a;
	return signal_return(thread) ? SIGNAL_INTERRUPTED : SYSCALL_DONE;
}

/* ---- waiting for and sending -------------------------------------------- */

/* A synchronous one that was sent while blocked waits in pending_sync. */
static int
take_pending(struct thread *thread, uint64_t set, siginfo_t *info)
{
	uint64_t ready = thread->pending_sync & set & SIGNAL_SYNCHRONOUS;
	int signal;

	if (!ready)
		return 0;
	signal = __builtin_ctzll(ready) + 1;
	thread->pending_sync &= ~signal_bit(signal);
	for (unsigned i = 0; i < ARRAY_LEN(thread->pending_info); i++)
		if (thread->pending_info[i].si_signo == signal)
			*info = thread->pending_info[i];
	return signal;
}

int64_t
sys_rt_sigtimedwait(struct thread *thread, const uint64_t *a)
{
	uint64_t set;
	siginfo_t info;
	int64_t result;

	if (a[3] != SIGSET_SIZE)
		return -EINVAL;
	if (mem_read(thread, &set, a[0], sizeof set))
		return -EFAULT;
	result = take_pending(thread, set, &info);
	if (!result) {
		set = host_mask(set);
		result = signal_syscall(thread, SYS_rt_sigtimedwait, (long)&set, (long)&info,
					(long)guest_buffer(thread, a[2], 1, false), sizeof set, 0, 0);
	}
	if (result > 0 && a[1] && mem_write(thread, a[1], &info, sizeof info))
		return -EFAULT;
	return result;
}

/* Sent to the thread itself with a code of a real fault (as crash handlers do
 * that pass a signal on), a synchronous signal would look like our own fault. */
static bool
looks_like_fault(const siginfo_t *info, uint64_t signal)
{
	return signal >= 1 && signal <= GUEST_SIGNALS && (signal_bit((int)signal) & SIGNAL_SYNCHRONOUS) &&
	       info->si_code > 0;
}

int64_t
sys_rt_sigqueueinfo(struct thread *thread, const uint64_t *a)
{
	siginfo_t info;

	if (mem_read(thread, &info, a[2], sizeof info))
		return -EFAULT;
	if (looks_like_fault(&info, a[1]) && (int)a[0] == (int)RAW0(SYS_getpid))
		return signal_queue_self(thread, (int)a[1], &info);
	return signal_syscall(thread, SYS_rt_sigqueueinfo, (long)a[0], (long)a[1], (long)&info, 0, 0, 0);
}

int64_t
sys_rt_tgsigqueueinfo(struct thread *thread, const uint64_t *a)
{
	siginfo_t info;

	if (mem_read(thread, &info, a[3], sizeof info))
		return -EFAULT;
	if (looks_like_fault(&info, a[2]) && (int)a[0] == (int)RAW0(SYS_getpid) && (int)a[1] == thread->tid)
		return signal_queue_self(thread, (int)a[2], &info);
	return signal_syscall(thread, SYS_rt_tgsigqueueinfo, (long)a[0], (long)a[1], (long)a[2], (long)&info, 0,
			      0);
}

int64_t
sys_signalfd4(struct thread *thread, const uint64_t *a)
{
	uint64_t set;

	if (a[2] != SIGSET_SIZE)
		return -EINVAL;
	if (mem_read(thread, &set, a[1], sizeof set))
		return -EFAULT;
	/* The synchronous five, which the host never blocks, do not come by it. */
	return RAW4(SYS_signalfd4, fd_argument(thread, a[0]), &set, sizeof set, a[3]);
}

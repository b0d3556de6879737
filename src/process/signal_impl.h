/* What thread.c, signal.c and linux/ share of signals. */
#ifndef PROCESS_SIGNAL_IMPL_H
#define PROCESS_SIGNAL_IMPL_H

#include "host/thread.h"
#include "process/process_impl.h"

#define SIGNAL_DEFAULT 0u
#define SIGNAL_IGNORE 1u

/* The kernel's 64-bit set: signal n is bit n - 1. */
static inline uint64_t
signal_bit(int signal)
{
	return (uint64_t)1 << (signal - 1);
}

/* Raised by instructions: never blocked on the host, or the emulator could not
 * see its own faults. */
#define SIGNAL_SYNCHRONOUS \
	(signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGILL) | signal_bit(SIGFPE) | signal_bit(SIGTRAP))
#define SIGNAL_UNBLOCKABLE (signal_bit(SIGKILL) | signal_bit(SIGSTOP))
/* The host's mask while a signal is staged or a frame is written. */
#define SIGNAL_HELD (~SIGNAL_SYNCHRONOUS)

/* Blocks all signals. SIGNAL_INTERRUPTED: one is staged, nothing done. */
int64_t signal_hold(struct thread *thread);
/* Gives the host the guest's mask. */
void signal_release(struct thread *thread);
/* Hold, change the guest's mask, release. */
int64_t signal_mask_set(struct thread *thread, uint64_t mask);

/* Around a call that takes a temporary mask (sigsuspend, ppoll, …), which the
 * host kernel is given too. swap: false when a synchronous signal is pending
 * that the mask lets through: the call's result is -EINTR, without the call.
 * unswap gets the call's result. */
bool signal_mask_swap(struct thread *thread, uint64_t mask);
void signal_mask_unswap(struct thread *thread, long result);

/* rt_sigaction; set and old may be NULL. 0 or -errno. */
int64_t signal_action_set(struct thread *thread, int signal, const struct signal_action *set,
			  struct signal_action *old);
/* Every action but "ignore" becomes the default one (CLONE_CLEAR_SIGHAND), for a
 * thread that shares its table with none. Signals must be held. */
void signal_drop_handlers(struct thread *thread);
/* Delivers a signal that its thread raised by an instruction; dies of it when it
 * is blocked, ignored or not handled. Signals must be held. */
void signal_force(struct thread *thread, int signal, const siginfo_t *info);
/* rt_sigreturn: 0 or SIGNAL_INTERRUPTED. The guest's registers are the frame's. */
int signal_return(struct thread *thread);
/* A synchronous signal that the thread sent itself with a siginfo that claims a
 * fault: staged in software, as the host's handler would take it for one. */
int64_t signal_queue_self(struct thread *thread, int signal, const siginfo_t *info);

#endif

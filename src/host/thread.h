/* Host threads without the C library: raw clone, stacks, the system call that a
 * signal can stop, copies that can fault, and host signals.
 *
 * Guest threads run here. They have no C library state of their own (the
 * thread pointer register is inherited and not used), so all 64 signals and
 * all of the address space belong to the guest.
 */
#ifndef HOST_THREAD_H
#define HOST_THREAD_H

#include <signal.h>

#include "base/base.h"

/* ---- threads ------------------------------------------------------------ */

/* Runs function(argument) on the stack that ends at top (16-byte aligned);
 * function must not return. */
_Noreturn void host_stack_enter(void *top, void (*function)(void *argument), void *argument);

/* The kernel's clone with its flags. With a stack (its top), the new thread or
 * process runs function(argument) on it, which must not return, and the caller
 * gets its number; without one the child returns 0 from here, as fork does.
 * Returns -errno on failure. */
long host_clone(unsigned long flags, void *top, void *parent_tid, void *child_tid,
		void (*function)(void *argument), void *argument);

/* The kernel's struct clone_args as of its third version (clone3(2)). */
struct host_clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
};

/* The kernel's clone3, with the size that the arguments are said to have. With a
 * stack in args, function is not NULL and runs as above; without one the child
 * returns 0. Returns -errno on failure; -ENOSYS also where a filter of system
 * calls keeps it away. */
long host_clone3(const struct host_clone_args *args, size_t size, void (*function)(void *argument), void *argument);

/* Ends the calling thread and gives back the memory that holds its stack. All
 * signals must be blocked. */
_Noreturn void host_exit_unmap(void *memory, size_t size, int status);

/* The calling thread's number (gettid). */
uint32_t host_thread_number(void);

/* ---- system calls that a signal stops ----------------------------------- */

/* Returned when *stop was set before the call began, or the kernel is about to
 * restart it after a handler: nothing happened yet. The kernel's ERESTARTSYS,
 * which user programs never see. */
#define HOST_INTERRUPTED (-512)

/* Makes host system call nr unless *stop is non-zero. The test and the call are
 * one: a handler that sets *stop and calls host_window_interrupt leaves no gap
 * in between. Returns the kernel's result or HOST_INTERRUPTED. */
long host_window_syscall(const uint32_t *stop, long nr, long a, long b, long c, long d, long e, long f);

/* ---- copies that can fault ---------------------------------------------- */

/* Copies size bytes; returns how many were NOT copied since a page was missing
 * (0: all). Needs the handler below to call host_copy_recover. */
size_t host_copy(void *to, const void *from, size_t size);

/* ---- signals ------------------------------------------------------------ */

#define HOST_SIGNALS 64

typedef void (*host_handler_fn)(int signal, siginfo_t *info, void *context);

/* The kernel's rt_sigaction. handler NULL sets the default action, SIG_IGN
 * ((host_handler_fn)1) ignores; otherwise it runs on the alternate stack with
 * everything blocked. flags: SA_RESTART, SA_NOCLDSTOP, SA_NOCLDWAIT as wanted.
 * Returns 0 or -errno. Any signal, also those a C library keeps for itself. */
long host_signal_set(int signal, host_handler_fn handler, unsigned long flags);
/* True if the host ignores the signal now. */
bool host_signal_ignored(int signal);
/* Sets the calling thread's blocked set; old may be NULL. */
void host_signal_mask(uint64_t set, uint64_t *old);
/* The calling thread's alternate stack. */
void host_signal_stack(void *base, size_t size);
void host_signal_stack_none(void);

/* In a handler, on its context argument. */
/* The blocked set that holds once the handler has returned. */
void host_context_set_mask(void *context, uint64_t set);
/* If it stopped host_window_syscall before the call, or the call is about to be
 * restarted: makes it return HOST_INTERRUPTED instead. */
void host_window_interrupt(void *context);
/* If it faulted in host_copy: makes that return, true. */
bool host_copy_recover(void *context);
/* Where it was, for a report of a defect. */
uint64_t host_context_pc(const void *context);

#endif

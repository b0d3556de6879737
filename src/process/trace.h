/* ptrace between guests: a guest's debugger traces a guest's program, an emulator
 * each.
 *
 * The tracing itself is the host kernel's: who may trace, attaching, waiting, group
 * stops, the events of fork, clone and exit, LISTEN, detaching. What the kernel knows
 * nothing of the two emulators tell each other through the traced thread's
 * struct trace, which the tracer reads and writes while the thread is stopped
 * (process_vm_readv). There are two kinds of stops:
 *
 *   trap   the traced thread stops itself, by host_trap at a safepoint: entry and
 *          exit of a guest's system call, a signal that an instruction raised, the
 *          start of an executed program, a step
 *   host   the kernel's own. The guest's registers are exact in them unless the thread
 *          was in guest code (thread.inside). Then the tracer says in trace.held what it
 *          has got, takes the signal back, and lets the thread run on to the next
 *          safepoint, where it traps
 *
 * Stops of the emulator's own (faults in guest code or at watched pages, the host's
 * exec, signals that were told before) are let go on, unseen.
 *
 *   trace.c                the traced side
 *   linux/tracee.c         the tracer's side: threads, their stops
 *   linux/sys_ptrace.c     requests, wait4, waitid
 *
 * Only without a guest base, and between emulators of one build.
 */
#ifndef PROCESS_TRACE_H
#define PROCESS_TRACE_H

#include <signal.h>

#include "base/base.h"

struct thread;
struct process;

#define TRACE_MAGIC 0x69736f7472616365ull

enum trace_how { TRACE_CONTINUE, TRACE_SYSCALLS, TRACE_STEP };
enum trace_stop { TRACE_NONE, TRACE_ENTRY, TRACE_EXIT, TRACE_SIGNAL, TRACE_EXEC, TRACE_EVENT };

struct trace {
	uint32_t active;  /* a tracer's emulator reads this */
	uint32_t how;     /* enum trace_how, set by the tracer */
	uint32_t stop;    /* enum trace_stop: why it is trapped */
	uint32_t held;    /* enum trace_stop: what to trap for at the next safepoint */
	uint32_t entered; /* the tracer was told of the call's entry */
	uint32_t changed; /* the tracer wrote registers */
	int32_t signal;   /* of a TRACE_SIGNAL; then, by the tracer, what is to be
	                     delivered, 0: nothing */
	int32_t pass;     /* the host's signal that was told already and is let through */
	int32_t call;     /* number of the system call that is being made, or -1 */
	siginfo_t info;   /* of signal */
	uint64_t dirty_start, dirty_end; /* guest memory that the tracer wrote */
};

/* At the end of the guest's addresses, for the tracer to find. */
struct trace_anchor {
	uint64_t magic;
	uint64_t thread_size; /* of struct thread: another build has another */
	struct process *process;
};

/* Makes the anchor. Without it the process cannot be traced. */
void trace_init(struct process *process);
/* Where it is in every process. */
uint64_t trace_anchor_address(void);

/* For threads that are traced. Before guest code is entered: */
void trace_run(struct thread *thread);
/* After an instruction, system calls included, for TRACE_STEP. */
void trace_ran(struct thread *thread);
/* A program has been executed. */
void trace_exec(struct thread *thread);
/* Around a system call. Its registers may be changed at both. */
void trace_entry(struct thread *thread, uint64_t number);
void trace_exit(struct thread *thread);
/* A signal that an instruction raised: what is to be delivered in its place, or 0.
 * *info may be changed. */
int trace_signal(struct thread *thread, int signal, siginfo_t *info);

#endif

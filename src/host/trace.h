/* A trap by which a thread stops for the one that traces it (ptrace(2)), in both of
 * which the emulator runs. */
#ifndef HOST_TRACE_H
#define HOST_TRACE_H

#include "base/base.h"

/* Raises SIGTRAP with two words in registers; returns when the tracer lets it go on.
 * Without a tracer the handler is called, which returns here. */
void host_trap(uint64_t magic, void *argument);
/* In a handler of SIGTRAP: whether it is a host_trap with this word. */
bool host_context_trapped(const void *context, uint64_t magic);
/* For the tracer: the second word of the stopped thread's host_trap, NULL if that is
 * not where it is. *stack is its stack pointer. */
void *host_tracee_trapped(int tid, uint64_t magic, uint64_t *stack);

#endif

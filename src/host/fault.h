/* What a synchronous host signal says, read off its siginfo and context.
 * Async-signal-safe; no libc.
 */
#ifndef HOST_FAULT_H
#define HOST_FAULT_H

#include <stdbool.h>
#include <stdint.h>

struct host_fault {
	int signal;         /* SIGSEGV, SIGBUS, … */
	int code;           /* its si_code */
	uintptr_t pc;       /* host instruction that faulted */
	bool has_address;   /* false: the host gave none (a non-canonical one) */
	uintptr_t address;  /* byte accessed */
	bool write;         /* known only with an address */
};

/* True when the signal was raised by an instruction rather than sent. */
bool host_fault_read(struct host_fault *fault, int signal, const void *info, const void *ucontext);
/* Moves the stack pointer of the interrupted code. */
void host_fault_set_stack(void *ucontext, uintptr_t stack);

#endif

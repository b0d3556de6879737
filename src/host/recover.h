/* Recovery points: a place C code comes back to when a host fault hits what it
 * called, as setjmp's, but left by rewriting the signal's context, so that the
 * kernel restores the signal mask and the stack when the handler returns.
 *
 *     if (recovery_set(&point))
 *             …the fault happened; locals not volatile are lost…
 *
 * The point dies when the function that set it returns. Any thread; no libc.
 */
#ifndef HOST_RECOVER_H
#define HOST_RECOVER_H

#include <stdint.h>

/* What a call preserves, the stack pointer and where to go on. */
struct recovery {
	uint64_t reg[8];
};

/* 0 when set, 1 when it came back through recovery_redirect. */
int recovery_set(struct recovery *point) __attribute__((returns_twice));

/* In a signal handler: when it returns, the thread goes on at point. */
void recovery_redirect(const struct recovery *point, void *ucontext);

#endif

/* Recovery points: a place C code comes back to when a host fault hits what it
 * called, as setjmp's, but left by rewriting the signal's context, so that the
 * kernel restores the signal mask and the stack when the handler returns.
 *
 *     if (recovery_set(&point)) {
 *             recovery_landed();
 *             …the fault happened; locals not volatile are lost…
 *     }
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

/* First thing after coming back: the frames in between are gone, which a
 * sanitizer's map of the stack cannot know by itself. */
#ifdef __SANITIZE_ADDRESS__
#define RECOVERY_DEPTH 65536u /* more stack than what can fault takes */
void __asan_unpoison_memory_region(const volatile void *start, unsigned long size);
#endif
static inline void
recovery_landed(void)
{
#ifdef __SANITIZE_ADDRESS__
	__asan_unpoison_memory_region((char *)__builtin_frame_address(0) - RECOVERY_DEPTH, RECOVERY_DEPTH);
#endif
}

#endif

/* A lock of one word, for data that all threads of an address space share.
 *
 * It is the kernel's priority-inheritance futex (futex(2), FUTEX_LOCK_PI): the
 * word holds the owner's thread number, so the kernel knows who owns it and
 * wakes the next one when the owner dies inside, as a vfork child can that is
 * killed in the middle of the translator. Nobody then waits for ever; the next
 * owner is told, and repairs what it can.
 *
 * Zero is free. Not recursive (taking it twice is fatal). Any thread; also a
 * signal handler, if the code that it interrupted does not hold the lock.
 */
#ifndef HOST_LOCK_H
#define HOST_LOCK_H

#include "base/base.h"

/* Waits until the lock is the caller's. True: the owner before died inside,
 * what the lock guards may be half changed. */
bool lock_take(uint32_t *lock);
/* Takes it if it is free. */
bool lock_try(uint32_t *lock);
void lock_drop(uint32_t *lock);
/* In the child of a fork, whose one thread is not the owner that the copied
 * word names: frees the lock. */
void lock_reset(uint32_t *lock);

/* Spares a system call for each lock: from now on self() tells any caller's
 * thread number, or 0 when it cannot (then the kernel is asked). A wrong number
 * breaks the locks. */
void lock_identify(uint32_t (*self)(void));

#endif

/* The one-word lock: the protocol of futex(2)'s PI futexes. The word is 0, or
 * the owner's thread number with FUTEX_WAITERS when the kernel must be asked to
 * hand it on, and FUTEX_OWNER_DIED once the kernel did so for a dead owner. */
#include "host/lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "base/raw.h"

/* What the kernel hands on ThreadSanitizer does not see, so it is told. */
#ifdef __SANITIZE_THREAD__
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define TELL_ACQUIRED(lock) __tsan_acquire(lock)
#define TELL_RELEASED(lock) __tsan_release(lock)
#else
#define TELL_ACQUIRED(lock) ((void)(lock))
#define TELL_RELEASED(lock) ((void)(lock))
#endif

static uint32_t (*identify)(void);

void
lock_identify(uint32_t (*self)(void))
{
	__atomic_store_n(&identify, self, __ATOMIC_RELAXED);
}

static uint32_t
own_number(void)
{
	uint32_t (*self)(void) = __atomic_load_n(&identify, __ATOMIC_RELAXED);
	uint32_t number = self ? self() : 0;

	return number ? number : (uint32_t)RAW0(SYS_gettid);
}

static bool
exchange(uint32_t *lock, uint32_t *expected, uint32_t value)
{
	return __atomic_compare_exchange_n(lock, expected, value, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

bool
lock_try(uint32_t *lock)
{
	uint32_t expected = 0;

	return exchange(lock, &expected, own_number());
}

/* The kernel finds no such owner: take the word from the dead, if nobody else
 * did so since `seen` was read. */
static bool
inherit(uint32_t *lock, uint32_t seen, uint32_t self)
{
	return seen && exchange(lock, &seen, self | (seen & FUTEX_WAITERS));
}

bool
lock_take(uint32_t *lock)
{
	uint32_t self = own_number(), seen = 0;

	if (LIKELY(exchange(lock, &seen, self)))
		return false;
	for (;;) {
		long result = RAW4(SYS_futex, lock, FUTEX_LOCK_PI_PRIVATE, 0, 0);

		if (!result) {
			uint32_t old = __atomic_fetch_and(lock, ~(uint32_t)FUTEX_OWNER_DIED, __ATOMIC_ACQUIRE);

			TELL_ACQUIRED(lock);
			return old & FUTEX_OWNER_DIED;
		}
		if (result == -EDEADLK)
			fatal("a lock was taken twice by one thread");
		seen = __atomic_load_n(lock, __ATOMIC_RELAXED);
		if (result == -ESRCH && inherit(lock, seen, self))
			return true;
		if (result == -ENOSYS)
			RAW0(SYS_sched_yield);
		seen = 0;
		if (exchange(lock, &seen, self))
			return false;
	}
}

void
lock_drop(uint32_t *lock)
{
	uint32_t self = own_number();

	if (LIKELY(__atomic_compare_exchange_n(lock, &self, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)))
		return;
	TELL_RELEASED(lock);
	if (RAW2(SYS_futex, lock, FUTEX_UNLOCK_PI_PRIVATE) == -ENOSYS)
		__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

void
lock_reset(uint32_t *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

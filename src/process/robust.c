/* Robust lists where the kernel cannot walk them: with a guest base other than 0
 * (sanitizer builds) the addresses in a guest's list are not the host's. A
 * thread walks its own when it ends, as exit_robust_list in the kernel; what a
 * killed thread held stays locked then. */
#include <linux/futex.h>
#include <sys/syscall.h>

#include "process/process_impl.h"

struct robust_head { /* struct robust_list_head */
	uint64_t next;
	int64_t offset; /* from an entry to its futex */
	uint64_t pending;
};

static void
owner_died(struct thread *thread, uint64_t entry, int64_t offset)
{
	bool inherits = entry & 1;
	uint64_t address = (entry & ~(uint64_t)1) + (uint64_t)offset;
	uint32_t *word = guest_pointer(thread->process, address), seen;

	if ((address & 3) || mem_read(thread, &seen, address, sizeof seen))
		return;
	while ((seen & FUTEX_TID_MASK) == (uint32_t)thread->tid) {
		uint32_t died = (seen & FUTEX_WAITERS) | FUTEX_OWNER_DIED;

		if (!__atomic_compare_exchange_n(word, &seen, died, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			continue;
		if (!inherits && (seen & FUTEX_WAITERS))
			RAW3(SYS_futex, word, FUTEX_WAKE, 1);
		return;
	}
}

void
robust_exit(struct thread *thread)
{
	struct robust_head head;
	uint64_t entry;
	unsigned left = 2048; /* ROBUST_LIST_LIMIT */

	if (!thread->process->guest_base || !thread->robust_list ||
	    mem_read(thread, &head, thread->robust_list, sizeof head))
		return;
	for (entry = head.next; (entry & ~(uint64_t)1) != thread->robust_list && left; left--) {
		uint64_t next;

		if (mem_read(thread, &next, entry & ~(uint64_t)1, sizeof next))
			return;
		if (entry != head.pending)
			owner_died(thread, entry, head.offset);
		entry = next;
	}
	if (head.pending)
		owner_died(thread, head.pending, head.offset);
}

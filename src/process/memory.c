/* Guest memory for the process VM's own C: copies that fail with -EFAULT where
 * a page is missing, and buffers that are handed to the host's kernel. */
#include "process/process_impl.h"

#include <errno.h>
#include <string.h>

#include "host/thread.h"

#define PAGE 4096u
/* No kernel and no processor takes this address: bit 47 and 63 differ. */
#define BAD_ADDRESS ((uint64_t)1 << 63)

void *
guest_pointer(const struct process *process, uint64_t address)
{
	return (void *)(uintptr_t)(process->guest_base + address);
}

static bool
in_space(const struct process *process, uint64_t address, uint64_t size)
{
	uint64_t limit = space_size(process->space);

	return address <= limit && size <= limit - address;
}

/* When there is no room, the last one grows to hold this one too. */
static void
pin(struct thread *thread, uint64_t start, uint64_t end)
{
	uint32_t count = thread->pins;

	if (count == THREAD_PINS) {
		if (thread->pin[count - 1].start > start)
			__atomic_store_n(&thread->pin[count - 1].start, start, __ATOMIC_SEQ_CST);
		if (thread->pin[count - 1].end < end)
			__atomic_store_n(&thread->pin[count - 1].end, end, __ATOMIC_SEQ_CST);
		return;
	}
	thread->pin[count].start = start;
	thread->pin[count].end = end;
	__atomic_store_n(&thread->pins, count + 1, __ATOMIC_SEQ_CST);
}

void *
guest_buffer(struct thread *thread, uint64_t address, uint64_t size, bool write)
{
	struct process *process = thread->process;

	if (!address)
		return NULL;
	if (!in_space(process, address, 1))
		return (void *)(uintptr_t)(BAD_ADDRESS | (address & (PAGE - 1))); /* as aligned */
	if (write && size) {
		uint64_t room = space_size(process->space) - address;

		if (size > room)
			size = room;
		if (process->thread_count > 1)
			pin(thread, address, address + size);
		space_unwatch(process->space, address, size);
	}
	return guest_pointer(process, address);
}

int
mem_read(struct thread *thread, void *to, uint64_t from, size_t size)
{
	if (!in_space(thread->process, from, size))
		return -EFAULT;
	return host_copy(to, guest_pointer(thread->process, from), size) ? -EFAULT : 0;
}

int
mem_write(struct thread *thread, uint64_t to, const void *from, size_t size)
{
	if (!in_space(thread->process, to, size))
		return -EFAULT;
	/* Watched pages are lifted by the fault handler. */
	return host_copy(guest_pointer(thread->process, to), from, size) ? -EFAULT : 0;
}

int64_t
mem_string(struct thread *thread, uint64_t address, char *to, size_t limit)
{
	size_t done = 0;

	while (done < limit) {
		size_t piece = PAGE - (size_t)((address + done) & (PAGE - 1));
		const char *end;

		if (piece > limit - done)
			piece = limit - done;
		if (mem_read(thread, to + done, address + done, piece))
			return -EFAULT;
		end = memchr(to + done, 0, piece);
		if (end)
			return end - to;
		done += piece;
	}
	return -ENAMETOOLONG;
}

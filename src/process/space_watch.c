/* Pages that the guest may write to and that hold translated code.
 *
 * Such a page is read-only at the host. The first store to it faults, the
 * fault lifts the watch and drops the translations, and the store is made
 * again. Pages that the guest may not write need no watch: nothing changes
 * them before an mprotect or mmap, which drop translations themselves.
 *
 * Translations are dropped before the page is opened: else another thread could
 * store there, announce it, and still find the old code. So the engine's lock is
 * taken inside this folder's, never the other way round.
 *
 * Two threads may fault on the same page at once. The second finds the watch
 * gone. So it does when the kernel was about to write there, or when an mprotect
 * came in between. Hence a store that the book allows is made again, after the
 * host was told once more what the book says.
 *
 * A page that a system call in the making may write to is not watched at all: a
 * thread first writes its pins down, then looks for watches; here a page is first
 * entered, then the pins are looked at. One of the two sees the other. Code in such
 * a page is interpreted until the call has returned.
 *
 * The set loses a page only after the page is open: space_unwatch looks at the
 * count without the lock.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "process/space_impl.h"

static size_t
watch_slot(const struct watch_set *set, uint64_t page)
{
	uint64_t hash = (page / PAGE) * 0x9e3779b97f4a7c15ull;
	size_t i = (size_t)(hash >> 20) & (set->size - 1);

	while (set->slot[i] && set->slot[i] != (page | 1))
		i = (i + 1) & (set->size - 1);
	return i;
}

static bool
watch_has(const struct watch_set *set, uint64_t page)
{
	return set->count && set->slot[watch_slot(set, page)];
}

static void
watch_grow(struct watch_set *set)
{
	struct watch_set old = *set;

	set->size = old.size ? old.size * 2 : PAGE / sizeof *set->slot;
	set->slot = pages_alloc(set->size * sizeof *set->slot);
	if (!set->slot)
		fatal("out of host memory for watched pages");
	for (size_t i = 0; i < old.size; i++)
		if (old.slot[i])
			set->slot[watch_slot(set, old.slot[i] & ~1ull)] = old.slot[i];
	pages_free(old.slot, old.size * sizeof *old.slot);
}

static void
watch_add(struct watch_set *set, uint64_t page)
{
	if (set->count * 2 >= set->size)
		watch_grow(set);
	set->slot[watch_slot(set, page)] = page | 1;
	__atomic_store_n(&set->count, set->count + 1, __ATOMIC_RELAXED);
}

/* Takes an entry out; entries after it that it had pushed on move back. */
static void
watch_remove(struct watch_set *set, uint64_t page)
{
	size_t i = watch_slot(set, page), n = i;

	set->slot[i] = 0;
	__atomic_store_n(&set->count, set->count - 1, __ATOMIC_RELEASE);
	for (;;) {
		uint64_t entry;

		n = (n + 1) & (set->size - 1);
		entry = set->slot[n];
		if (!entry)
			return;
		set->slot[n] = 0;
		set->slot[watch_slot(set, entry & ~1ull)] = entry;
	}
}

/* Calls out the next watched page in [*at, end); short ranges are asked page by
 * page, long ones by going through the set (in no order; *cursor keeps the
 * place and starts at 0). */
static bool
watch_next(const struct watch_set *set, uint64_t start, uint64_t end, size_t *cursor, uint64_t *page)
{
	if ((end - start) / PAGE <= set->size) {
		for (; start + *cursor * PAGE < end; ++*cursor)
			if (watch_has(set, start + *cursor * PAGE)) {
				*page = start + *cursor * PAGE;
				return true;
			}
		return false;
	}
	for (; *cursor < set->size; ++*cursor) {
		*page = set->slot[*cursor] & ~1ull;
		if (set->slot[*cursor] && *page >= start && *page < end)
			return true;
	}
	return false;
}

void
watch_clear(struct space *space, uint64_t start, uint64_t end)
{
	struct watch_set *set = &space->watch;
	uint64_t page;
	size_t cursor = 0;

	/* The removed slot may be filled by a later entry: look at it again. */
	while (set->count && watch_next(set, start, end, &cursor, &page))
		watch_remove(set, page);
	/* An entry that wrapped around to before the cursor. */
	cursor = 0;
	while (set->count && watch_next(set, start, end, &cursor, &page))
		watch_remove(set, page);
}

/* False when the guest may not write there. */
static bool
page_open(struct space *space, uint64_t page)
{
	size_t i = tree_find(space, page);

	if (i == space->count || space->map[i].start > page || !(space->map[i].prot & PROT_WRITE))
		return false;
	return !RAW3(SYS_mprotect, space->base + page, PAGE, space_host_prot(space->map[i].prot));
}

void
watch_lift(struct space *space, uint64_t start, uint64_t end)
{
	struct watch_set *set = &space->watch;
	uint64_t page, low = UINT64_MAX, high = 0;

	for (size_t cursor = 0; set->count && watch_next(set, start, end, &cursor, &page); cursor++) {
		if (page < low)
			low = page;
		if (page + PAGE > high)
			high = page + PAGE;
	}
	if (!high)
		return;
	space_code_gone(space, low, high);
	for (size_t cursor = 0; watch_next(set, low, high, &cursor, &page); cursor++)
		page_open(space, page);
	watch_clear(space, low, high);
}

static bool
overlaps(uint64_t start, uint64_t end, uint64_t page)
{
	return start < page + PAGE && end > page;
}

/* Whether a system call may write to the page, or the kernel when a thread dies.
 * The list of threads is locked. */
static bool
pinned(const struct process *process, uint64_t page)
{
	for (const struct thread *t = process->threads; t; t = t->next) {
		uint32_t count = __atomic_load_n(&t->pins, __ATOMIC_SEQ_CST);

		for (uint32_t i = 0; i < count; i++)
			if (overlaps(t->pin[i].start, t->pin[i].end, page))
				return true;
		if (t->clear_child_tid && process->thread_count > 1 &&
		    overlaps(t->clear_child_tid, t->clear_child_tid + 4, page))
			return true;
	}
	return false;
}

bool
space_watch(struct cpu_space *cpu, uint64_t start, uint64_t end)
{
	struct process *process = cpu->owner;
	struct space *space = process->space;
	bool all = true;

	lock_take(&process->thread_lock); /* in this order, as fork */
	book_lock(space);
	for (uint64_t page = align_down(start, PAGE); page < end; page += PAGE) {
		size_t i = tree_find(space, page);

		if (i == space->count || space->map[i].start > page ||
		    !(space->map[i].prot & PROT_WRITE) || watch_has(&space->watch, page))
			continue;
		watch_add(&space->watch, page);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (pinned(process, page)) {
			watch_remove(&space->watch, page);
			all = false;
		} else {
			RAW3(SYS_mprotect, space->base + page, PAGE, PROT_READ);
		}
	}
	book_unlock(space);
	lock_drop(&process->thread_lock);
	return all;
}

bool
space_unwatch_fault(struct space *space, uint64_t address)
{
	struct watch_set *set = &space->watch;
	uint64_t page = align_down(address, PAGE);
	bool watched, retry;

	if (address >= space->size)
		return false;
	book_lock(space);
	watched = watch_has(set, page);
	if (watched)
		space_code_gone(space, page, page + PAGE);
	retry = page_open(space, page);
	if (watched)
		watch_remove(set, page);
	book_unlock(space);
	return retry;
}

void
space_unwatch(struct space *space, uint64_t address, uint64_t length)
{
	if (LIKELY(!__atomic_load_n(&space->watch.count, __ATOMIC_ACQUIRE)) || !length)
		return;
	if (address >= space->size)
		return;
	if (length > space->size - address)
		length = space->size - address;
	book_lock(space);
	watch_lift(space, align_down(address, PAGE), align_up(address + length, PAGE));
	book_unlock(space);
}

void
watch_fini(struct space *space)
{
	pages_free(space->watch.slot, space->watch.size * sizeof *space->watch.slot);
}

/* The guest's address space, private to space*.c.
 *
 *   space.c         birth, limits, lookups, what the engine asks
 *   space_map.c     mmap, munmap, brk: placement, the host's side of a mapping
 *   space_change.c  mprotect, mremap, madvise
 *   space_tree.c    the ordered set of mappings and its accounts
 *   space_watch.c   pages write-protected because they hold translated code
 *
 * The rule of two books. The host kernel's book of mappings has the
 * emulator's own in it and shows no PROT_EXEC, so the guest's book is kept
 * here, as the guest's kernel would keep it; every operation is judged by this
 * book first, done at the host second, and entered here last. Host operations
 * touch only what this book says is the guest's: addresses that it thinks free
 * are claimed with MAP_FIXED_NOREPLACE, and what turns out to be taken (by the
 * emulator) is entered as reserved.
 *
 * Two ways to place the guest. At base 0 the guest has its own addresses, free
 * ones are free at the host too. With a base, a window of addresses is reserved
 * whole, and a free address is a PROT_NONE page of the reservation.
 *
 * Locks: `lock` guards everything. The code cache's lock comes after it (code,
 * anchor and watch are called without that one), so that translations die before
 * this one is dropped: whoever gets addresses next finds nothing old there.
 */
#ifndef PROCESS_SPACE_IMPL_H
#define PROCESS_SPACE_IMPL_H

#include "host/lock.h"
#include "process/process_impl.h"

#define PAGE 4096u
/* The kernel's distance between a stack and what lies below it. */
#define STACK_GUARD (256u * PAGE)

struct watch_set { /* open addressing; a slot holds an address | 1, or 0 */
	uint64_t *slot;
	size_t size, count; /* size: a power of two or 0 */
};

struct space {
	uint32_t lock; /* host/lock.h */
	struct process *process;
	uint64_t base;      /* host address of guest address 0 */
	bool window;        /* reserved whole (base is not 0) */
	uint64_t minimum;   /* below it nothing is placed */
	uint64_t size;      /* addresses are below it */
	uint64_t mmap_base; /* placement goes down from here */

	struct mapping *map; /* ordered, disjoint */
	size_t count, capacity;
	uint64_t total, data; /* bytes that RLIMIT_AS and RLIMIT_DATA count */

	uint64_t shared_objects; /* how many anonymous shared ones there were */
	uint64_t brk_start, brk;
	struct rlimit limit_as, limit_data, limit_stack;
	struct watch_set watch;
};

void book_lock(struct space *space);
void book_unlock(struct space *space);

/* ---- space_tree.c: all need the lock ---- */
/* Index of the first mapping that ends after address; count if none. */
size_t tree_find(const struct space *space, uint64_t address);
/* As tree_find(start), after bringing stacks that the host grew, as far as
 * they matter to [start, end), up to date. */
size_t tree_look(struct space *space, uint64_t start, uint64_t end);
/* Stacks anywhere, before total is used. */
void tree_grow_all(struct space *space);
/* Makes [start, end) free. */
void tree_clear(struct space *space, uint64_t start, uint64_t end);
/* Enters a mapping, whatever was there; merges it with like neighbours. */
void tree_set(struct space *space, const struct mapping *mapping);
/* Calls out the part of [*start, end) that lies in one mapping, index *i,
 * moving both on. False at the end. Skips gaps. */
bool tree_part(const struct space *space, size_t *i, uint64_t *start, uint64_t end,
	       struct mapping *part);
bool tree_any(struct space *space, uint64_t start, uint64_t end);
bool tree_reserved(struct space *space, uint64_t start, uint64_t end);
/* True when the guest has all of [start, end). */
bool tree_covered(struct space *space, uint64_t start, uint64_t end);
/* True when any of it is executable to the guest. */
bool tree_executable(struct space *space, uint64_t start, uint64_t end);
/* May length more bytes of this kind be had, by the guest's limits? */
bool tree_may_grow(struct space *space, uint64_t length, uint32_t prot, uint32_t flags);

/* ---- space_map.c ---- */
/* A place for length bytes, near hint if it is not 0; or -ENOMEM. */
int64_t space_place(struct space *space, uint64_t hint, uint64_t length, uint64_t alignment);
/* Makes the free parts of [start, end) the guest's at the host (PROT_NONE).
 * -ENOMEM when some of it is the emulator's. */
int64_t space_claim(struct space *space, uint64_t start, uint64_t end);
/* Gives up the host's mappings of what the book calls free in [start, end). */
void space_unclaim(struct space *space, uint64_t start, uint64_t end);
/* munmap without locking or checks. */
void space_remove(struct space *space, uint64_t start, uint64_t end);
/* What the host is told: code is data to it. */
int space_host_prot(uint32_t prot);
/* Code at [start, end) is gone, at the host too. */
void space_code_gone(struct space *space, uint64_t start, uint64_t end);

/* ---- space_watch.c: all but the two public ones need the lock ---- */
void watch_clear(struct space *space, uint64_t start, uint64_t end);
/* Lifts the watches in [start, end), at the host too, and drops the code there. */
void watch_lift(struct space *space, uint64_t start, uint64_t end);
void watch_fini(struct space *space);
bool space_watch(struct cpu_space *cpu, uint64_t start, uint64_t end);

#endif

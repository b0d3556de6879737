/* The guest's address space: birth, limits, lookups, and what the engine asks
 * of it. space_impl.h has the rules.
 *
 * Layout at base 0, as the guest's kernel would lay it out:
 *
 *   0 … minimum        nothing (the host's mmap_min_addr)
 *   program            where its ELF file says, or at 2/3 of size; then brk
 *   …
 *   mmap_base          mappings grow down from here
 *   gap                RLIMIT_STACK, at least 128 MiB, and the stack's jitter
 *   size               the emulator lives above: its binary, code, stacks
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>

#include "process/space_impl.h"

#define MINIMUM 0x10000u
/* The host puts its mappings within 1 TiB and 16 GiB below 2^47. */
#define SIZE_AT_ZERO (0x7eull << 40)
/* The smallest address space that a 64-bit guest's kernel has (riscv64 Sv39). */
#define SIZE_OF_WINDOW (1ull << 38)
#define GAP_MINIMUM (128ull << 20)
#define ANCHOR_SPAN (1ull << 30)

void
book_lock(struct space *space)
{
	if (lock_take(&space->lock))
		log_line(LOG_WARN, "a process died while it changed the guest's address space");
}

void
book_unlock(struct space *space)
{
	lock_drop(&space->lock);
}

/* ---- what the engine asks ------------------------------------------------ */

static struct space *
space_of(struct cpu_space *cpu)
{
	return ((struct process *)cpu->owner)->space;
}

static const uint8_t *
space_code(struct cpu_space *cpu, uint64_t pc, size_t *readable)
{
	struct space *space = space_of(cpu);
	uint64_t end = pc;

	book_lock(space);
	for (size_t i = tree_look(space, pc, pc + 1); i < space->count; i++) {
		const struct mapping *m = &space->map[i];

		if (m->start > end || !(m->prot & PROT_EXEC))
			break;
		end = m->end;
	}
	book_unlock(space);
	*readable = end - pc;
	return end > pc ? (const uint8_t *)space->base + pc : NULL;
}

static uint64_t
space_anchor(struct cpu_space *cpu, uint64_t pc)
{
	struct mapping m;

	if (!space_find(space_of(cpu), pc, &m) || !m.file_base || m.file_base > pc)
		return align_down(pc, ANCHOR_SPAN);
	return m.file_base + align_down(pc - m.file_base, ANCHOR_SPAN);
}

static struct store *
space_store(struct cpu_space *cpu, uint64_t pc, struct cpu_file_code *code)
{
	struct process *process = cpu->owner;
	struct mapping m;
	uint64_t anchor;

	if (!process->keep.files.count || !space_find(process->space, pc, &m) || !(m.prot & PROT_EXEC) ||
	    (m.flags & MAP_TYPE) != MAP_PRIVATE || !m.inode || !m.file_base || m.file_base > pc)
		return NULL;
	anchor = m.file_base + align_down(pc - m.file_base, ANCHOR_SPAN);
	*code = (struct cpu_file_code){ m.start > anchor ? m.start : anchor,
					m.end < anchor + ANCHOR_SPAN ? m.end : anchor + ANCHOR_SPAN, anchor };
	return keep_find(process, m.device, m.inode);
}

/* ---- birth --------------------------------------------------------------- */

uint64_t
space_random(const struct space *space, unsigned bits)
{
	uint64_t value = 0;
	long persona = RAW1(SYS_personality, 0xffffffff);

	if ((!raw_failed(persona) && (persona & ADDR_NO_RANDOMIZE)) ||
	    raw_failed(RAW3(SYS_getrandom, &value, sizeof value, 0)))
		return 0;
	if (space->window && bits > 18)
		bits = 18; /* what Sv39 kernels do */
	return (value & ((1ull << bits) - 1)) * PAGE;
}

static int
reserve_window(struct space *space, struct error *error)
{
	long at = RAW6(SYS_mmap, 0, SIZE_OF_WINDOW, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (raw_failed(at))
		return error_set(error, (int)-at,
				 "cannot reserve %llu GiB of addresses for the guest: raise ulimit -v",
				 SIZE_OF_WINDOW >> 30);
	space->window = true;
	space->base = (uint64_t)at;
	space->size = SIZE_OF_WINDOW;
	return 0;
}

/* The guest's limits start as the host's; the host's own are lifted as far as
 * they go, since they would count the emulator. */
static void
take_limit(int resource, struct rlimit *limit)
{
	struct rlimit all;

	if (raw_failed(RAW4(SYS_prlimit64, 0, resource, NULL, limit)))
		limit->rlim_cur = limit->rlim_max = RLIM_INFINITY;
	all.rlim_cur = all.rlim_max = limit->rlim_max;
	if (limit->rlim_cur != limit->rlim_max)
		RAW4(SYS_prlimit64, 0, resource, &all, NULL);
}

static void
choose_layout(struct space *space)
{
	uint64_t gap = space->limit_stack.rlim_cur;

	if (gap < GAP_MINIMUM)
		gap = GAP_MINIMUM;
	if (gap > space->size / 6)
		gap = space->size / 6; /* the kernel goes on bottom-up instead */
	/* As much again as the stack's own jitter can be. */
	gap += STACK_GUARD + (space->window ? PAGE << 18 : PAGE << 22ull);
	space->mmap_base = align_down(space->size - gap - space_random(space, 28), PAGE);
}

struct space *
space_new(struct process *process, struct error *error)
{
	struct space *space = pages_alloc(sizeof *space);
	struct cpu_space *cpu = &process->cpu_space;

	if (!space || !(space->map = pages_alloc(PAGE))) {
		error_set(error, ENOMEM, "out of host memory");
		return NULL;
	}
	space->capacity = PAGE / sizeof *space->map;
	space->process = process;
	space->minimum = MINIMUM;
	space->size = SIZE_AT_ZERO;
	if (space->size > process->abi->address_limit)
		space->size = process->abi->address_limit;
	take_limit(RLIMIT_AS, &space->limit_as);
	take_limit(RLIMIT_DATA, &space->limit_data);
	RAW4(SYS_prlimit64, 0, RLIMIT_STACK, NULL, &space->limit_stack);
#ifdef ISOMORPH_SANITIZE
	const bool window = true;
#else
	const bool window = process->options->guest_base;
#endif
	if (window && reserve_window(space, error)) {
		space_free(space);
		return NULL;
	}
	choose_layout(space);
	process->space = space;
	process->guest_base = space->base;
	cpu->guest = process->guest;
	cpu->guest_base = space->base;
	cpu->code = space_code;
	cpu->anchor = space_anchor;
	cpu->store = space_store;
	cpu->watch = space_watch;
	cpu->owner = process;
	return space;
}

void
space_free(struct space *space)
{
	if (space->window)
		RAW2(SYS_munmap, space->base, space->size);
	watch_fini(space);
	pages_free(space->map, space->capacity * sizeof *space->map);
	pages_free(space, sizeof *space);
}

uint64_t
space_size(const struct space *space)
{
	return space->size;
}

/* ---- limits -------------------------------------------------------------- */

static int64_t
set_limit(int resource, struct rlimit *limit, const struct rlimit *set)
{
	if (set->rlim_cur > set->rlim_max)
		return -EINVAL;
	if (set->rlim_max > limit->rlim_max) {
		/* Whether we may is the host's to say: raise its own there. */
		struct rlimit host = { set->rlim_max, set->rlim_max };
		long result = RAW4(SYS_prlimit64, 0, resource, &host, NULL);

		if (raw_failed(result))
			return result;
	}
	if (resource == RLIMIT_STACK) {
		long result = RAW4(SYS_prlimit64, 0, resource, set, NULL);

		if (raw_failed(result))
			return result;
	}
	*limit = *set;
	return 0;
}

bool
space_rlimit(struct space *space, int resource, const struct rlimit *set, struct rlimit *old,
	     int64_t *result)
{
	struct rlimit *limit;

	switch (resource) {
	case RLIMIT_AS:
		limit = &space->limit_as;
		break;
	case RLIMIT_DATA:
		limit = &space->limit_data;
		break;
	case RLIMIT_STACK:
		limit = &space->limit_stack;
		break;
	default:
		return false;
	}
	*result = 0;
	book_lock(space);
	if (old)
		*old = *limit;
	if (set)
		*result = set_limit(resource, limit, set);
	book_unlock(space);
	return true;
}

/* ---- lookups ------------------------------------------------------------- */

bool
space_next(struct space *space, uint64_t address, struct mapping *out)
{
	size_t i;
	bool found = false;

	book_lock(space);
	for (i = tree_look(space, address, address + 1); i < space->count && !found; i++) {
		found = !(space->map[i].flags & MAPPING_RESERVED);
		if (found)
			*out = space->map[i];
	}
	book_unlock(space);
	return found;
}

bool
space_find(struct space *space, uint64_t address, struct mapping *out)
{
	return space_next(space, address, out) && out->start <= address;
}

void
space_note(struct space *space, const struct mapping *mapping)
{
	bool code;

	book_lock(space);
	code = tree_executable(space, mapping->start, mapping->end);
	watch_clear(space, mapping->start, mapping->end);
	tree_set(space, mapping);
	if (code)
		space_code_gone(space, mapping->start, mapping->end);
	book_unlock(space);
}

void
space_forget(struct space *space, uint64_t address, uint64_t length)
{
	bool code;

	book_lock(space);
	code = tree_executable(space, address, address + length);
	if (space->window) /* its maker unmapped it: back into the reservation */
		space_remove(space, address, address + length);
	watch_clear(space, address, address + length);
	tree_clear(space, address, address + length);
	if (code)
		space_code_gone(space, address, address + length);
	book_unlock(space);
}

/* ---- fork ---------------------------------------------------------------- */

void
space_fork_before(struct space *space)
{
	book_lock(space);
}

void
space_fork_after(struct space *space, bool child)
{
	if (!child) {
		book_unlock(space);
		return;
	}
	lock_reset(&space->lock);
	for (size_t i = 0; i < space->count;) {
		struct mapping m = space->map[i];

		if (!(m.flags & MAPPING_DONTFORK)) {
			i++;
			continue;
		}
		space_remove(space, m.start, m.end);
		if (m.prot & PROT_EXEC)
			space_code_gone(space, m.start, m.end);
	}
}

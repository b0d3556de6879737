/* mprotect, mremap and madvise on the guest's book. Checks and their order are
 * those of Linux (mm/mprotect.c, mm/mremap.c, mm/madvise.c).
 */
#include <errno.h>
#include <linux/mman.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "process/space_impl.h"

#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)
#ifndef PROT_SEM
#define PROT_SEM 0x8
#endif

/* ---- mprotect ----------------------------------------------------------- */

static int64_t
protect_part(struct space *space, struct mapping *part, uint32_t prot)
{
	uint64_t length = part->end - part->start;
	bool gains_write = (prot & PROT_WRITE) && !(part->prot & PROT_WRITE);
	long result;

	if (part->flags & MAPPING_RESERVED)
		return -ENOMEM;
	if ((prot & PROT_EXEC) && (part->flags & MAPPING_NOEXEC))
		return -EACCES;
	if (gains_write && !(part->flags & MAP_SHARED) &&
	    !tree_may_grow(space, length, prot, part->flags) &&
	    tree_may_grow(space, length, part->prot, part->flags))
		return -ENOMEM;
	result = RAW3(SYS_mprotect, space->base + part->start, length, space_host_prot(prot));
	if (raw_failed(result))
		return result;
	watch_clear(space, part->start, part->end);
	part->prot = prot;
	tree_set(space, part);
	return 0;
}

static int64_t
protect_locked(struct space *space, uint64_t start, uint64_t end, int prot, bool *code)
{
	size_t i = tree_look(space, start, end);
	int64_t result;

	if (i == space->count || space->map[i].start >= end)
		return -ENOMEM;
	if (prot & PROT_GROWSDOWN) {
		start = space->map[i].start;
		if (!(space->map[i].flags & MAP_GROWSDOWN))
			return -EINVAL;
	} else if (space->map[i].start > start) {
		return -ENOMEM;
	}
	if (prot & PROT_GROWSUP)
		return -EINVAL;
	while (start < end) {
		struct mapping part;
		uint64_t at = start;

		i = tree_find(space, start);
		if (!tree_part(space, &i, &at, end, &part) || part.start > start)
			return -ENOMEM;
		*code |= (part.prot & PROT_EXEC) != 0;
		result = protect_part(space, &part, (uint32_t)prot & PROT_ALL);
		if (result)
			return result;
		start = part.end;
	}
	return 0;
}

int64_t
space_mprotect(struct space *space, uint64_t address, uint64_t length, int prot)
{
	uint64_t end = address + align_up(length, PAGE);
	const int grows = PROT_GROWSDOWN | PROT_GROWSUP;
	bool code = false;
	int64_t result;

	if ((prot & grows) == grows || (address & (PAGE - 1)))
		return -EINVAL;
	if (!length)
		return 0;
	if (end <= address)
		return -ENOMEM;
	if (prot & ~(grows | PROT_ALL | PROT_SEM))
		return -EINVAL;
	if (address >= space->size || end > space->size)
		return -ENOMEM;
	book_lock(space);
	result = protect_locked(space, address, end, prot, &code);
	if (code)
		space_code_gone(space, address, end);
	book_unlock(space);
	return result;
}

/* ---- mremap ------------------------------------------------------------- */

struct move {
	uint64_t from, old_length, to, length;
	int flags;
};

/* Moves at the host and in the book; m is the part of the mapping at from. */
static int64_t
move_locked(struct space *space, const struct move *v, struct mapping m, bool *code)
{
	uint64_t end = v->to + v->length;
	int64_t result = space_claim(space, v->to, end);

	if (result)
		return result;
	*code |= tree_executable(space, v->to, end);
	result = RAW5(SYS_mremap, space->base + v->from, v->old_length, v->length,
		      v->flags | MREMAP_MAYMOVE | MREMAP_FIXED, space->base + v->to);
	if (raw_failed(result)) {
		space_unclaim(space, v->to, end);
		return result;
	}
	if (v->old_length && !(v->flags & MREMAP_DONTUNMAP)) {
		tree_clear(space, v->from, v->from + v->old_length);
		if (space->window) /* fill the hole in the reservation */
			RAW6(SYS_mmap, space->base + v->from, v->old_length, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	}
	watch_clear(space, v->to, end);
	m.start = v->to;
	m.end = end;
	if (m.file_base)
		m.file_base = m.start >= m.offset ? m.start - m.offset : m.start;
	tree_set(space, &m);
	return (int64_t)v->to;
}

/* Grows where it stands. -EEXIST when something is in the way. */
static int64_t
extend_locked(struct space *space, const struct move *v, struct mapping m)
{
	uint64_t from = v->from + v->old_length, to = v->from + v->length;
	int64_t result;

	if (to > space->size || tree_any(space, from, to))
		return -EEXIST;
	if (space->window)
		RAW2(SYS_munmap, space->base + from, to - from);
	result = RAW5(SYS_mremap, space->base + v->from, v->old_length, v->length, 0, 0);
	if (raw_failed(result)) {
		if (space->window)
			RAW6(SYS_mmap, space->base + from, to - from, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
		return result == -ENOMEM ? -EEXIST : result;
	}
	m.start = from;
	m.end = to;
	if (m.inode || m.device)
		m.offset += v->old_length;
	tree_set(space, &m);
	return (int64_t)v->from;
}

/* The kernel's vma_to_resize: may the mapping m at from grow like this? */
static int64_t
may_resize(struct space *space, const struct move *v, const struct mapping *m)
{
	if (!v->old_length && !(m->flags & MAP_SHARED))
		return -EINVAL;
	if (v->old_length > m->end - v->from)
		return -EFAULT;
	if (v->length > v->old_length &&
	    !tree_may_grow(space, v->length - v->old_length, m->prot, m->flags))
		return -ENOMEM;
	return 0;
}

static int64_t
remap_fixed(struct space *space, struct move *v, struct mapping *m, bool *code)
{
	/* What is left of it when it shrinks is what moves. */
	struct move rest = *v;
	int64_t result;

	if (rest.old_length > v->length)
		rest.old_length = v->length;
	if (tree_reserved(space, v->to, v->to + v->length))
		return -ENOMEM;
	result = may_resize(space, &rest, m);
	if (result)
		return result;
	*code |= tree_executable(space, v->to, v->to + v->length);
	space_remove(space, v->to, v->to + v->length);
	if (!tree_covered(space, v->from, v->from + PAGE))
		return -EFAULT; /* a copy (old_length 0) onto itself */
	if (v->old_length > v->length) {
		space_remove(space, v->from + v->length, v->from + v->old_length);
		v->old_length = v->length;
	}
	return move_locked(space, v, *m, code);
}

/* Where it shall go, before the mapping is looked at. */
static bool
fixed_place_good(const struct space *space, const struct move *v)
{
	if ((v->to & (PAGE - 1)) || v->length > space->size || v->to > space->size - v->length)
		return false;
	return v->from + v->old_length <= v->to || v->to + v->length <= v->from;
}

static int64_t
remap_locked(struct space *space, struct move *v, bool *code)
{
	size_t i = tree_look(space, v->from, v->from + PAGE);
	uint64_t at = v->from;
	struct mapping m;
	int64_t result;

	if ((v->flags & MREMAP_FIXED) && !fixed_place_good(space, v))
		return -EINVAL;
	if (i == space->count || !tree_part(space, &i, &at, space->size, &m) ||
	    m.start != v->from || (m.flags & MAPPING_RESERVED))
		return -EFAULT;
	/* A watch splits the host's mapping, which mremap would not cross. */
	*code |= tree_executable(space, v->from, v->from + v->old_length);
	watch_lift(space, v->from, v->from + v->old_length);
	if (v->flags & MREMAP_FIXED)
		return remap_fixed(space, v, &m, code);
	if (v->old_length >= v->length && !(v->flags & MREMAP_DONTUNMAP)) {
		if (v->old_length > v->length)
			space_remove(space, v->from + v->length, v->from + v->old_length);
		return (int64_t)v->from;
	}
	result = may_resize(space, v, &m);
	if (result)
		return result;
	if (!(v->flags & MREMAP_DONTUNMAP) && v->old_length == m.end - v->from) {
		result = extend_locked(space, v, m);
		if (result != -EEXIST)
			return result;
	}
	if (!(v->flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	result = space_place(space, v->flags & MREMAP_DONTUNMAP ? v->to : 0, v->length, PAGE);
	if (result < 0)
		return result;
	v->to = (uint64_t)result;
	return move_locked(space, v, m, code);
}

int64_t
space_mremap(struct space *space, uint64_t old, uint64_t old_length, uint64_t new_length,
	     int flags, uint64_t new_address)
{
	struct move v = { old, align_up(old_length, PAGE), new_address,
			  align_up(new_length, PAGE), flags };
	bool code = false;
	int64_t result;

	if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return -EINVAL;
	if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if ((flags & MREMAP_DONTUNMAP) && v.old_length != v.length)
		return -EINVAL;
	if ((old & (PAGE - 1)) || !v.length)
		return -EINVAL;
	if (old >= space->size || v.old_length > space->size - old)
		return -EFAULT;
	if (v.length > space->size)
		return flags & MREMAP_FIXED ? -EINVAL : -ENOMEM;
	book_lock(space);
	result = remap_locked(space, &v, &code);
	if (code) {
		space_code_gone(space, old, old + align_up(old_length, PAGE));
		if (result >= 0 && (uint64_t)result != old)
			space_code_gone(space, (uint64_t)result, (uint64_t)result + v.length);
	}
	book_unlock(space);
	return result;
}

/* ---- madvise ------------------------------------------------------------ */

/* Advice after which the bytes may have changed. */
static bool
drops_contents(int advice)
{
	switch (advice) {
	case MADV_DONTNEED:
	case MADV_FREE:
	case MADV_REMOVE:
	case MADV_WIPEONFORK:
#ifdef MADV_DONTNEED_LOCKED
	case MADV_DONTNEED_LOCKED:
#endif
		return true;
	}
	return false;
}

/* Whether the guest's protection lets these pages be touched as the advice asks;
 * the host's, of pages that may be written or executed, always lets them be read. */
static bool
may_populate(const struct mapping *part, int advice)
{
	switch (advice) {
	case MADV_POPULATE_READ: return part->prot & PROT_READ;
	case MADV_POPULATE_WRITE: return part->prot & PROT_WRITE;
	}
	return true;
}

/* What the book keeps of an advice. */
static uint32_t
advised_flags(uint32_t flags, int advice)
{
	switch (advice) {
	case MADV_DONTFORK: return flags | MAPPING_DONTFORK;
	case MADV_DOFORK: return flags & ~(uint32_t)MAPPING_DONTFORK;
	case MADV_DONTDUMP: return flags | MAPPING_DONTDUMP;
	case MADV_DODUMP: return flags & ~(uint32_t)MAPPING_DONTDUMP;
	}
	return flags;
}

static int64_t
advise_locked(struct space *space, uint64_t start, uint64_t end, int advice)
{
	size_t i = tree_look(space, start, end);
	uint64_t at = start, covered = start;
	struct mapping part;
	bool gap = false;

	while (tree_part(space, &i, &at, end, &part)) {
		long result;

		gap |= part.start != covered || (part.flags & MAPPING_RESERVED);
		covered = part.end;
		if (gap && (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE))
			return -ENOMEM; /* these go no further; others skip it */
		if (part.flags & MAPPING_RESERVED)
			continue;
		if (!may_populate(&part, advice))
			return -EINVAL;
		result = RAW3(SYS_madvise, space->base + part.start, part.end - part.start, advice);
		if (raw_failed(result))
			return result;
		if (advised_flags(part.flags, advice) != part.flags) {
			part.flags = advised_flags(part.flags, advice);
			tree_set(space, &part);
			i = tree_find(space, at);
		}
	}
	return gap || covered != end ? -ENOMEM : 0;
}

int64_t
space_madvise(struct space *space, uint64_t address, uint64_t length, int advice)
{
	uint64_t end = address + align_up(length, PAGE);
	long valid = RAW3(SYS_madvise, 0, 0, advice);
	bool code;
	int64_t result;

	if (raw_failed(valid))
		return valid;
	if ((address & (PAGE - 1)) || (length && !align_up(length, PAGE)) || end < address)
		return -EINVAL;
	if (end == address)
		return 0;
	if (address >= space->size)
		return -ENOMEM;
	book_lock(space);
	if (end > space->size)
		end = space->size;
	watch_lift(space, address, end);
	code = drops_contents(advice) && tree_executable(space, address, end);
	result = advise_locked(space, address, end, advice);
	if (code)
		space_code_gone(space, address, end);
	book_unlock(space);
	return result;
}

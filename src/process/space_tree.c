/* The ordered set of the guest's mappings, and its accounts.
 *
 * An array, searched by halves: lookups are far more frequent than changes,
 * and moving the tail of a few thousand entries costs less than the host's
 * system call that goes with each change.
 *
 * Stacks (MAP_GROWSDOWN) are grown by the host kernel without telling. Where
 * that could matter, tree_look asks the host how far the stack has come.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "process/space_impl.h"

size_t
tree_find(const struct space *space, uint64_t address)
{
	size_t low = 0, high = space->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (space->map[middle].end > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Adds (or takes) a mapping's bytes to the accounts. */
static void
account(struct space *space, const struct mapping *m, bool add)
{
	uint64_t bytes = m->end - m->start;

	if (m->flags & MAPPING_RESERVED)
		return;
	space->total += add ? bytes : -bytes;
	if ((m->prot & PROT_WRITE) && !(m->flags & (MAP_SHARED | MAP_GROWSDOWN)))
		space->data += add ? bytes : -bytes;
}

static void
tree_reserve(struct space *space, size_t more)
{
	size_t old = space->capacity * sizeof *space->map;
	struct mapping *map;

	if (space->count + more <= space->capacity)
		return;
	map = pages_alloc(old * 2);
	if (!map)
		fatal("out of host memory for the guest's mappings");
	memcpy(map, space->map, space->count * sizeof *map);
	pages_free(space->map, old);
	space->map = map;
	space->capacity = old * 2 / sizeof *map;
}

/* Replaces `out` entries at index i by `in` unset ones. */
static void
tree_splice(struct space *space, size_t i, size_t out, size_t in)
{
	tree_reserve(space, in);
	memmove(space->map + i + in, space->map + i + out,
		(space->count - i - out) * sizeof *space->map);
	space->count += in - out;
}

/* m without what lies before start: offset moves along. */
static void
cut_front(struct mapping *m, uint64_t start)
{
	if (m->inode || m->device)
		m->offset += start - m->start;
	m->start = start;
}

void
tree_clear(struct space *space, uint64_t start, uint64_t end)
{
	size_t i = tree_find(space, start), last = i;
	struct mapping piece[2];
	unsigned pieces = 0;

	if (i == space->count || space->map[i].start >= end)
		return;
	if (space->map[i].start < start) {
		piece[pieces] = space->map[i];
		piece[pieces++].end = start;
	}
	while (last < space->count && space->map[last].start < end)
		account(space, &space->map[last++], false);
	if (space->map[last - 1].end > end) {
		piece[pieces] = space->map[last - 1];
		cut_front(&piece[pieces++], end);
	}
	tree_splice(space, i, last - i, pieces);
	for (unsigned n = 0; n < pieces; n++) {
		space->map[i + n] = piece[n];
		account(space, &piece[n], true);
	}
}

static bool
mergeable(const struct mapping *a, const struct mapping *b)
{
	if (a->end != b->start || a->prot != b->prot || a->flags != b->flags ||
	    a->device != b->device || a->inode != b->inode || a->file_base != b->file_base)
		return false;
	return !(a->inode || a->device) || a->offset + (a->end - a->start) == b->offset;
}

void
tree_set(struct space *space, const struct mapping *mapping)
{
	size_t i;

	tree_clear(space, mapping->start, mapping->end);
	account(space, mapping, true);
	i = tree_find(space, mapping->start);
	if (i > 0 && mergeable(&space->map[i - 1], mapping)) {
		space->map[--i].end = mapping->end;
	} else {
		tree_splice(space, i, 0, 1);
		space->map[i] = *mapping;
	}
	if (i + 1 < space->count && mergeable(&space->map[i], &space->map[i + 1])) {
		space->map[i].end = space->map[i + 1].end;
		tree_splice(space, i + 1, 1, 0);
	}
}

bool
tree_part(const struct space *space, size_t *i, uint64_t *start, uint64_t end,
	  struct mapping *part)
{
	const struct mapping *m;

	if (*i >= space->count || *start >= end || space->map[*i].start >= end)
		return false;
	m = &space->map[(*i)++];
	*part = *m;
	if (m->start < *start)
		cut_front(part, *start);
	if (m->end > end)
		part->end = end;
	*start = part->end;
	return true;
}

/* ---- stacks ------------------------------------------------------------- */

static bool
host_has_page(const struct space *space, uint64_t page)
{
	unsigned char resident;

	return !raw_failed(RAW3(SYS_mincore, space->base + page, PAGE, &resident));
}

/* How far down the host has grown the stack at index i: it is one range, so
 * mapped pages end somewhere in between; double the step, then halve. */
static void
grow(struct space *space, size_t i)
{
	struct mapping *m = &space->map[i];
	uint64_t floor = i ? space->map[i - 1].end : 0, known = m->start, step = PAGE;

	if (space->window || known - floor < PAGE || !host_has_page(space, known - PAGE))
		return;
	while (known - floor >= step && host_has_page(space, known - step)) {
		known -= step;
		step *= 2;
	}
	for (; step >= PAGE; step /= 2)
		if (known - floor >= step && host_has_page(space, known - step))
			known -= step;
	space->total += m->start - known;
	m->start = known;
}

size_t
tree_look(struct space *space, uint64_t start, uint64_t end)
{
	size_t i = tree_find(space, start);

	for (size_t n = i; n < space->count; n++) {
		if (space->map[n].flags & MAP_GROWSDOWN)
			grow(space, n);
		if (space->map[n].start >= end)
			break;
	}
	return tree_find(space, start);
}

void
tree_grow_all(struct space *space)
{
	for (size_t i = 0; i < space->count; i++)
		if (space->map[i].flags & MAP_GROWSDOWN)
			grow(space, i);
}

/* ---- questions ---------------------------------------------------------- */

bool
tree_any(struct space *space, uint64_t start, uint64_t end)
{
	size_t i = tree_look(space, start, end);

	return i < space->count && space->map[i].start < end;
}

bool
tree_reserved(struct space *space, uint64_t start, uint64_t end)
{
	for (size_t i = tree_find(space, start); i < space->count; i++) {
		if (space->map[i].start >= end)
			break;
		if (space->map[i].flags & MAPPING_RESERVED)
			return true;
	}
	return false;
}

bool
tree_covered(struct space *space, uint64_t start, uint64_t end)
{
	for (size_t i = tree_look(space, start, end); start < end; i++) {
		const struct mapping *m = &space->map[i];

		if (i == space->count || m->start > start || (m->flags & MAPPING_RESERVED))
			return false;
		start = m->end;
	}
	return true;
}

bool
tree_executable(struct space *space, uint64_t start, uint64_t end)
{
	for (size_t i = tree_find(space, start); i < space->count; i++) {
		if (space->map[i].start >= end)
			break;
		if (space->map[i].prot & PROT_EXEC)
			return true;
	}
	return false;
}

/* The kernel's may_expand_vm. */
bool
tree_may_grow(struct space *space, uint64_t length, uint32_t prot, uint32_t flags)
{
	if (space->limit_as.rlim_cur != RLIM_INFINITY) {
		tree_grow_all(space);
		if (length > space->limit_as.rlim_cur ||
		    space->total > space->limit_as.rlim_cur - length)
			return false;
	}
	if ((prot & PROT_WRITE) && !(flags & (MAP_SHARED | MAP_GROWSDOWN)) &&
	    space->limit_data.rlim_cur != RLIM_INFINITY)
		return length <= space->limit_data.rlim_cur &&
		       space->data <= space->limit_data.rlim_cur - length;
	return true;
}

/* mmap, munmap and brk on the guest's book, and the host's side of a mapping.
 *
 * Order of checks and error codes follow mm/mmap.c of Linux. Placement is the
 * kernel's too: the highest gap below mmap_base that is large enough, with the
 * guard distance below stacks; when there is none, the lowest above.
 */
#include <errno.h>
#include <linux/mman.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "process/space_impl.h"

#define HUGE_PAGE (2u << 20)
/* x86's MAP_32BIT and MAP_ABOVE4G, which generic-ABI kernels do not know. */
#define FOREIGN_FLAGS 0xc0u
/* What MAP_SHARED_VALIDATE takes of any file: LEGACY_MAP_MASK of linux/mman.h. */
#define VALIDATED_FLAGS \
	((unsigned)(MAP_SHARED_VALIDATE | MAP_FIXED | MAP_DENYWRITE | MAP_EXECUTABLE | MAP_GROWSDOWN | MAP_LOCKED | \
		    MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB) | 21u << 26 | 30u << 26)
#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)

int
space_host_prot(uint32_t prot)
{
	int host = (int)(prot & (PROT_READ | PROT_WRITE));

	return prot & PROT_EXEC ? host | PROT_READ : host;
}

/* ---- the host's side ---------------------------------------------------- */

static long
host_mmap(const struct space *space, uint64_t start, uint64_t length, int prot, int flags,
	  int fd, uint64_t offset)
{
	return RAW6(SYS_mmap, space->base + start, length, prot, flags, fd, offset);
}

/* What a mapping with MAP_FIXED_NOREPLACE came to: 0, or -EEXIST when the host
 * has something there. A kernel before 4.17 takes the address as a hint. */
static long
judge_claim(const struct space *space, uint64_t start, uint64_t length, long got)
{
	if (raw_failed(got))
		return got;
	if ((uint64_t)got == space->base + start)
		return 0;
	RAW2(SYS_munmap, got, length);
	return -EEXIST;
}

/* Takes free addresses, provided that the host has nothing there. */
static long
host_claim(const struct space *space, uint64_t start, uint64_t length)
{
	return judge_claim(space, start, length,
			   host_mmap(space, start, length, PROT_NONE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
				     -1, 0));
}

/* Gives addresses back: to the host, or to the reserved window. */
static void
host_release(const struct space *space, uint64_t start, uint64_t length)
{
	if (space->window)
		host_mmap(space, start, length, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	else
		RAW2(SYS_munmap, space->base + start, length);
}

/* Finds which pages of [start, end), free by our book, the host holds, and
 * enters them as reserved. */
static void
learn(struct space *space, uint64_t start, uint64_t end)
{
	uint64_t middle = start + align_down((end - start) / 2, PAGE);

	if (!raw_failed(RAW3(SYS_msync, space->base + start, end - start, MS_ASYNC))) {
		struct mapping hole = { .start = start, .end = end, .flags = MAPPING_RESERVED };

		tree_set(space, &hole);
		return;
	}
	if (end - start == PAGE || !host_claim(space, start, end - start)) {
		host_release(space, start, end - start);
		return;
	}
	learn(space, start, middle);
	learn(space, middle, end);
}

/* Calls act for each part of [start, end) that the book calls free; stops at
 * the first failure and tells how far it came. */
static long
each_free(struct space *space, uint64_t *start, uint64_t end,
	  long (*act)(struct space *space, uint64_t start, uint64_t end))
{
	size_t i = tree_find(space, *start);
	long result;

	for (; *start < end; i++) {
		uint64_t stop = i < space->count && space->map[i].start < end
					? space->map[i].start
					: end;

		if (stop > *start && (result = act(space, *start, stop)))
			return result;
		*start = stop < end ? space->map[i].end : end;
	}
	return 0;
}

static long
claim_part(struct space *space, uint64_t start, uint64_t end)
{
	return space->window ? 0 : host_claim(space, start, end - start);
}

static long
release_part(struct space *space, uint64_t start, uint64_t end)
{
	if (!space->window)
		host_release(space, start, end - start);
	return 0;
}

void
space_unclaim(struct space *space, uint64_t start, uint64_t end)
{
	each_free(space, &start, end, release_part);
}

int64_t
space_claim(struct space *space, uint64_t start, uint64_t end)
{
	uint64_t at = start;
	long result;

	if (tree_reserved(space, start, end))
		return -ENOMEM;
	result = each_free(space, &at, end, claim_part);
	if (!result)
		return 0;
	space_unclaim(space, start, at);
	if (result != -EEXIST)
		return result;
	while (at < end) { /* what is free beyond `at` includes the emulator's */
		size_t i = tree_find(space, at);
		uint64_t stop = i < space->count && space->map[i].start < end
					? space->map[i].start
					: end;

		if (stop > at)
			learn(space, at, stop);
		i = tree_find(space, stop);
		at = stop < end && i < space->count ? space->map[i].end : end;
	}
	return -ENOMEM;
}

void
space_remove(struct space *space, uint64_t start, uint64_t end)
{
	size_t i = tree_look(space, start, end);
	uint64_t at = start;
	struct mapping part;

	watch_clear(space, start, end);
	while (tree_part(space, &i, &at, end, &part))
		if (!(part.flags & MAPPING_RESERVED)) {
			uint64_t from = part.start, to = part.end;

			host_release(space, from, to - from);
		}
	/* The emulator's own stay in the book. */
	for (at = start, i = tree_find(space, start); i < space->count;) {
		uint64_t stop;

		if (space->map[i].start >= end)
			break;
		if (space->map[i].flags & MAPPING_RESERVED) {
			at = space->map[i++].end;
			continue;
		}
		if (at < space->map[i].start)
			at = space->map[i].start;
		stop = space->map[i].end < end ? space->map[i].end : end;
		tree_clear(space, at, stop);
		at = stop;
		i = tree_find(space, at);
	}
}

void
space_code_gone(struct space *space, uint64_t start, uint64_t end)
{
	if (space->process->cpu_space.cache)
		cpu_invalidate(&space->process->cpu_space, start, end);
}

/* ---- placement ---------------------------------------------------------- */

/* Where a mapping begins to be in the way of others. */
static uint64_t
guarded_start(const struct mapping *m)
{
	if ((m->flags & MAP_GROWSDOWN) && m->start >= STACK_GUARD)
		return m->start - STACK_GUARD;
	return m->start;
}

static bool
place_free(struct space *space, uint64_t address, uint64_t length)
{
	size_t i;

	if (length > space->size || address > space->size - length)
		return false;
	i = tree_look(space, address, address + length);
	return i == space->count || address + length <= guarded_start(&space->map[i]);
}

/* The highest place for length bytes in [low, high), or 0. */
static uint64_t
place_down(const struct space *space, uint64_t low, uint64_t high, uint64_t length,
	   uint64_t alignment)
{
	size_t i = tree_find(space, high);

	if (i < space->count && guarded_start(&space->map[i]) < high)
		high = guarded_start(&space->map[i]);
	for (;;) {
		uint64_t floor = i ? space->map[i - 1].end : 0;
		uint64_t at;

		if (floor < low)
			floor = low;
		if (high > floor && high - floor >= length) {
			at = align_down(high - length, alignment);
			if (at >= floor)
				return at;
		}
		if (!i || space->map[i - 1].start <= low)
			return 0;
		high = guarded_start(&space->map[--i]);
	}
}

int64_t
space_place(struct space *space, uint64_t hint, uint64_t length, uint64_t alignment)
{
	uint64_t at;

	if (length > space->size)
		return -ENOMEM;
	if (hint && hint >= space->minimum && !(hint & (alignment - 1)) &&
	    hint <= space->size - length && place_free(space, hint, length))
		return (int64_t)hint;
	/* As the kernel does, give large areas a chance of huge pages. */
	if (alignment == PAGE && !(length & (HUGE_PAGE - 1))) {
		at = place_down(space, space->minimum, space->mmap_base, length, HUGE_PAGE);
		if (at)
			return (int64_t)at;
	}
	at = place_down(space, space->minimum, space->mmap_base, length, alignment);
	if (!at) {
		tree_grow_all(space);
		at = place_down(space, space->mmap_base, space->size, length, alignment);
	}
	return at ? (int64_t)at : -ENOMEM;
}

/* ---- mmap --------------------------------------------------------------- */

struct request {
	uint64_t address, length, offset;
	int prot, flags, fd;
};

/* The module that a file mapping is part of: the dynamic loader maps a file
 * whole and then its segments over that, or each after the other. */
static uint64_t
module_base(const struct space *space, const struct mapping *m)
{
	size_t i = tree_find(space, m->start);

	if (i < space->count && space->map[i].start <= m->start &&
	    space->map[i].inode == m->inode && space->map[i].device == m->device)
		return space->map[i].file_base;
	if (i > 0 && space->map[i - 1].end == m->start &&
	    space->map[i - 1].inode == m->inode && space->map[i - 1].device == m->device)
		return space->map[i - 1].file_base;
	return m->start >= m->offset ? m->start - m->offset : m->start;
}

/* Fills in what the file says. Descriptors were checked by the host already.
 * struct stat of the host's libc for this system call is the kernel's own. */
static int64_t
describe_file(struct mapping *m, const struct request *r)
{
	struct stat status;
	struct statfs system;
	long result = RAW2(SYS_fstat, r->fd, &status);

	if (raw_failed(result))
		return result;
	m->device = status.st_dev;
	m->inode = status.st_ino;
	m->offset = r->offset;
	if (!raw_failed(RAW2(SYS_fstatfs, r->fd, &system)) && (system.f_flags & ST_NOEXEC)) {
		if (r->prot & PROT_EXEC)
			return -EPERM;
		m->flags |= MAPPING_NOEXEC;
	}
	return 0;
}

/* Maps at r->address, of which the book says what is there. */
static int64_t
map_at(struct space *space, const struct request *r, bool *code)
{
	uint64_t start = r->address, end = start + r->length;
	struct mapping m = { .start = start, .end = end, .prot = (uint32_t)(r->prot & PROT_ALL) };
	int64_t result;
	bool fresh; /* all of it is free: one call will do */

	m.flags = (uint32_t)(r->flags & (MAP_TYPE | MAP_GROWSDOWN | MAP_HUGETLB));
	if ((m.flags & MAP_TYPE) == MAP_SHARED_VALIDATE)
		m.flags = (m.flags & ~(uint32_t)MAP_TYPE) | MAP_SHARED;
	if (!(r->flags & MAP_ANONYMOUS)) {
		if ((result = describe_file(&m, r)))
			return result;
	} else if (m.flags & MAP_SHARED) { /* a file of the kernel's own, "/dev/zero" */
		m.device = 1;
		m.inode = ++space->shared_objects;
	}
	fresh = !space->window && !tree_any(space, start, end);
	if (!fresh && (result = space_claim(space, start, end)))
		return result;
	*code = tree_executable(space, start, end);
	if (m.inode || m.device)
		m.file_base = module_base(space, &m);
	result = host_mmap(space, start, r->length, space_host_prot(m.prot),
			   (r->flags & ~(MAP_FIXED | MAP_FIXED_NOREPLACE)) |
				   (fresh ? MAP_FIXED_NOREPLACE : MAP_FIXED),
			   r->fd, r->offset);
	if (fresh)
		result = judge_claim(space, start, r->length, result);
	if (raw_failed(result)) {
		if (!fresh)
			space_unclaim(space, start, end);
		if (result != -EEXIST)
			return result;
		learn(space, start, end);
		return -ENOMEM;
	}
	watch_clear(space, start, end);
	tree_set(space, &m);
	return (int64_t)start;
}

/* What the kernel checks before it looks at addresses. */
static int64_t
check_request(const struct space *space, struct request *r)
{
	if (r->offset & (PAGE - 1))
		return -EINVAL;
	if (!(r->flags & MAP_ANONYMOUS) && raw_failed(RAW2(SYS_fcntl, r->fd, 1 /* F_GETFD */)))
		return -EBADF;
	if (!r->length)
		return -EINVAL;
	r->length = align_up(r->length, r->flags & MAP_HUGETLB ? HUGE_PAGE : PAGE);
	if (!r->length)
		return -ENOMEM;
	if (r->offset + r->length < r->offset)
		return -EOVERFLOW;
	if ((r->flags & MAP_TYPE) == MAP_SHARED_VALIDATE && !(r->flags & MAP_ANONYMOUS)) {
		if (r->flags & ~(int)(VALIDATED_FLAGS | MAP_SYNC))
			return -EOPNOTSUPP;
		/* The host, which is asked with flags of ours as well, is to know
		 * only what its files must judge. */
		if (!(r->flags & MAP_SYNC))
			r->flags = (r->flags & ~MAP_TYPE) | MAP_SHARED;
	}
	r->flags &= ~(int)FOREIGN_FLAGS;
	if (r->flags & MAP_FIXED_NOREPLACE)
		r->flags |= MAP_FIXED;
	if (r->length > space->size)
		return -ENOMEM;
	if (!(r->flags & MAP_FIXED)) {
		r->address = align_down(r->address, PAGE);
		if (r->address && r->address < space->minimum)
			r->address = space->minimum;
		return 0;
	}
	if (r->address > space->size - r->length)
		return -ENOMEM;
	return r->address & (PAGE - 1) ? -EINVAL : 0;
}

/* Bytes of [start, end) that are the guest's already: mapping over them does
 * not count against its limit. */
static uint64_t
mapped_bytes(struct space *space, uint64_t start, uint64_t end)
{
	size_t i = tree_look(space, start, end);
	struct mapping part;
	uint64_t bytes = 0;

	while (tree_part(space, &i, &start, end, &part))
		bytes += part.end - part.start;
	return bytes;
}

static int64_t
map_locked(struct space *space, struct request *r, bool *code)
{
	uint64_t counted = r->length;
	uint64_t alignment = r->flags & MAP_HUGETLB ? HUGE_PAGE : PAGE;
	int64_t result;

	if (r->flags & MAP_FIXED) {
		uint64_t end = r->address + r->length;

		if ((r->flags & MAP_FIXED_NOREPLACE) && tree_any(space, r->address, end))
			return -EEXIST;
		counted -= mapped_bytes(space, r->address, end);
	}
	if (!tree_may_grow(space, counted, (uint32_t)r->prot, (uint32_t)r->flags))
		return -ENOMEM;
	if (r->flags & MAP_FIXED)
		return map_at(space, r, code);
	for (uint64_t hint = r->address;;) {
		result = space_place(space, hint, r->length, alignment);
		if (result < 0)
			return result;
		r->address = (uint64_t)result;
		result = map_at(space, r, code);
		/* The emulator was there: the book knows it now, so again. */
		if (result != -ENOMEM || !tree_reserved(space, r->address, r->address + r->length))
			return result;
	}
}

int64_t
space_mmap(struct space *space, uint64_t address, uint64_t length, int prot, int flags, int fd,
	   uint64_t offset)
{
	struct request r = { address, length, offset, prot, flags, fd };
	bool code = false;
	int64_t result = check_request(space, &r);

	if (result)
		return result;
	book_lock(space);
	result = map_locked(space, &r, &code);
	if (code)
		space_code_gone(space, r.address, r.address + r.length);
	book_unlock(space);
	if (result >= 0 && (prot & PROT_EXEC) && !(flags & MAP_ANONYMOUS) && (flags & MAP_TYPE) == MAP_PRIVATE)
		keep_file(space->process, fd);
	return result;
}

int64_t
space_munmap(struct space *space, uint64_t address, uint64_t length)
{
	bool code;

	if ((address & (PAGE - 1)) || address > space->size || length > space->size - address)
		return -EINVAL;
	length = align_up(length, PAGE);
	if (!length)
		return -EINVAL;
	book_lock(space);
	code = tree_executable(space, address, address + length);
	space_remove(space, address, address + length);
	if (code)
		space_code_gone(space, address, address + length);
	book_unlock(space);
	return 0;
}

/* ---- brk ---------------------------------------------------------------- */

void
space_set_brk(struct space *space, uint64_t start)
{
	space->brk_start = space->brk = start;
}

static bool
brk_locked(struct space *space, uint64_t address, bool *code)
{
	uint64_t old = align_up(space->brk, PAGE), end = align_up(address, PAGE);
	struct request r = { .address = old, .length = end - old, .prot = PROT_READ | PROT_WRITE,
			     .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, .fd = -1 };

	if (address < space->brk_start)
		return false;
	if (space->limit_data.rlim_cur != RLIM_INFINITY &&
	    address - space->brk_start > space->limit_data.rlim_cur)
		return false;
	if (end == old)
		return true;
	if (end < old) {
		*code = tree_executable(space, end, old);
		space_remove(space, end, old);
		return true;
	}
	return end <= space->size && place_free(space, old, r.length) &&
	       tree_may_grow(space, r.length, (uint32_t)r.prot, (uint32_t)r.flags) &&
	       map_at(space, &r, code) >= 0;
}

int64_t
space_brk(struct space *space, uint64_t address)
{
	bool code = false, done;
	uint64_t old;

	book_lock(space);
	old = space->brk;
	done = brk_locked(space, address, &code);
	if (done)
		space->brk = address;
	address = space->brk;
	if (code)
		space_code_gone(space, align_down(address, PAGE), align_up(old, PAGE));
	book_unlock(space);
	return (int64_t)address;
}

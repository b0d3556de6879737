/* The two views of codemem.h, without a file descriptor: mremap of a shared
 * mapping with an old size of 0 maps the same memory a second time (mremap(2)).
 */
#include "host/codemem.h"

#include "base/base.h"
#include "base/raw.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static long
reserve(size_t size)
{
	return RAW6(SYS_mmap, 0, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

long
code_memory_reserve(struct code_memory *memory, size_t size, size_t least)
{
	long w, x = -ENOMEM;

	for (; size >= least; size /= 2) {
		w = reserve(size);
		if (raw_failed(w))
			continue;
		x = reserve(size);
		if (!raw_failed(x)) {
			*memory = (struct code_memory){ (uint8_t *)w, (uint8_t *)x, size };
			return 0;
		}
		RAW2(SYS_munmap, w, size);
	}
	return x;
}

void
code_memory_release(struct code_memory *memory)
{
	if (!memory->size)
		return;
	RAW2(SYS_munmap, memory->w, memory->size);
	RAW2(SYS_munmap, memory->x, memory->size);
	*memory = (struct code_memory){ 0 };
}

/* New shared memory mapped twice, anywhere. */
static long
map_twice(size_t size, long *w, long *x)
{
	long bad;

	*w = RAW6(SYS_mmap, 0, size, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (raw_failed(*w))
		return *w;
	pages_unmark((void *)*w, size);
	*x = RAW5(SYS_mremap, *w, 0, size, MREMAP_MAYMOVE, 0);
	if (raw_failed(*x)) {
		RAW2(SYS_munmap, *w, size);
		return *x;
	}
	bad = RAW3(SYS_mprotect, *x, size, PROT_READ | PROT_EXEC);
	if (bad) {
		RAW2(SYS_munmap, *w, size);
		RAW2(SYS_munmap, *x, size);
	}
	return bad;
}

/* Moves both mappings to their places. The kernel swaps each under its lock,
 * so a thread that runs there sees the old page or the new one. */
static long
move_in(const struct code_memory *memory, size_t at, size_t size, long w, long x)
{
	long moved = RAW5(SYS_mremap, x, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, memory->x + at);

	if (raw_failed(moved)) {
		RAW2(SYS_munmap, w, size);
		RAW2(SYS_munmap, x, size);
		return moved;
	}
	moved = RAW5(SYS_mremap, w, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, memory->w + at);
	if (raw_failed(moved))
		fatal("cannot place code memory (error %ld)", -moved);
	return 0;
}

long
code_memory_map(const struct code_memory *memory, size_t at, size_t size)
{
	long w, x, bad = map_twice(size, &w, &x);

	return bad ? bad : move_in(memory, at, size, w, x);
}

long
code_memory_own(const struct code_memory *memory, size_t at, size_t size,
		const struct code_span *span, unsigned spans)
{
	long w, x, bad = map_twice(size, &w, &x);

	if (bad)
		return bad;
	for (unsigned i = 0; i < spans; i++)
		memcpy((uint8_t *)w + span[i].start, memory->w + at + span[i].start, span[i].size);
	return move_in(memory, at, size, w, x);
}

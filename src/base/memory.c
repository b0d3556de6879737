/* Pages from the host, the arena and the growable array. */
#include "base/base.h"
#include "base/raw.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#ifdef ISOMORPH_SANITIZE
__attribute__((weak)) void __asan_unpoison_memory_region(const volatile void *address, size_t size);
#endif

#define PAGE 4096u
#define CHUNK_SIZE (64u << 10)

void
pages_unmark(void *pages, size_t size)
{
#ifdef ISOMORPH_SANITIZE
	if (__asan_unpoison_memory_region)
		__asan_unpoison_memory_region(pages, align_up(size, PAGE));
#endif
	(void)pages;
	(void)size;
}

void *
pages_alloc(size_t size)
{
	long p = RAW6(SYS_mmap, 0, align_up(size, PAGE), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (raw_failed(p))
		return NULL;
	pages_unmark((void *)p, size);
	return (void *)p;
}

void
pages_free(void *pages, size_t size)
{
	if (!pages)
		return;
#ifdef __SANITIZE_THREAD__ /* which forgets then who touched them */
	munmap(pages, align_up(size, PAGE));
#else
	RAW2(SYS_munmap, pages, align_up(size, PAGE));
#endif
}

struct arena_chunk {
	struct arena_chunk *next;
	size_t size; /* whole chunk, this header too */
};

static void
arena_enter(struct arena *arena, struct arena_chunk *chunk)
{
	arena->chunk = chunk;
	arena->next = (char *)chunk + align_up(sizeof *chunk, 16);
	arena->end = (char *)chunk + chunk->size;
}

static void
arena_grow(struct arena *arena, size_t need)
{
	size_t size = align_up(need + align_up(sizeof(struct arena_chunk), 16), CHUNK_SIZE);
	struct arena_chunk *chunk = pages_alloc(size);

	if (!chunk)
		fatal("out of host memory (%zu bytes)", size);
	chunk->size = size;
	__atomic_store_n(arena->chunk ? &arena->chunk->next : &arena->first, chunk, __ATOMIC_RELEASE);
	arena_enter(arena, chunk);
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	void *p;

	size = align_up(size, 16);
	if (UNLIKELY((size_t)(arena->end - arena->next) < size))
		arena_grow(arena, size);
	p = arena->next;
	arena->next += size;
	return memset(p, 0, size);
}

/* Out of the list first, then freed: see base.h. */
static void
chunks_free(struct arena_chunk **list)
{
	struct arena_chunk *chunk;

	while ((chunk = *list)) {
		__atomic_store_n(list, chunk->next, __ATOMIC_RELEASE);
		pages_free(chunk, chunk->size);
	}
}

void
arena_reset(struct arena *arena)
{
	if (!arena->first)
		return;
	chunks_free(&arena->first->next);
	arena_enter(arena, arena->first);
}

void
arena_reserve(struct arena *arena, size_t size)
{
	if (arena->first && arena->first->size >= size) {
		arena_reset(arena);
		return;
	}
	arena_fini(arena);
	arena_grow(arena, size);
}

void
arena_fini(struct arena *arena)
{
	chunks_free(&arena->first);
	*arena = (struct arena){ 0 };
}

void *
vec_push(struct vec *vec, size_t element_size)
{
	void *element;

	if (vec->count == vec->capacity) {
		size_t old = align_up(vec->capacity * element_size, PAGE);
		size_t bytes = old ? old * 2 : PAGE;
		void *data = pages_alloc(bytes);

		if (!data)
			fatal("out of host memory (%zu bytes)", bytes);
		if (vec->data)
			memcpy(data, vec->data, vec->count * element_size);
		/* With the old capacity the new data can be freed only in part:
		 * no harm. */
		data = __atomic_exchange_n(&vec->data, data, __ATOMIC_ACQ_REL);
		vec->capacity = bytes / element_size;
		pages_free(data, old);
	}
	element = (char *)vec->data + vec->count++ * element_size;
	return memset(element, 0, element_size);
}

void
vec_fini(struct vec *vec, size_t element_size)
{
	pages_free(__atomic_exchange_n(&vec->data, NULL, __ATOMIC_ACQ_REL), vec->capacity * element_size);
	*vec = (struct vec){ 0 };
}

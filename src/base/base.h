/* base/: what every folder may use. No policy, no host calls but memory.
 *
 * Arena, growable array, error value, log and byte helpers. Nothing here
 * knows what a guest is. Code that runs on guest threads must not use libc's
 * malloc, stdio or errno (doc/process-vm.md says why); everything in this
 * folder obeys that.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 s128;

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Rounds x up to a multiple of align, a power of two. */
static inline uint64_t
align_up(uint64_t x, uint64_t align)
{
	return (x + align - 1) & ~(align - 1);
}

static inline uint64_t
align_down(uint64_t x, uint64_t align)
{
	return x & ~(align - 1);
}

/* ---- errors: a host or configuration failure, told to a person ---------- */

/* A message that says what failed, where, and what to do. The caller owns it;
 * the first failure sticks, later ones are dropped. */
struct error {
	bool set;
	int code; /* an errno value or 0 */
	char text[496];
};

/* Records a failure and returns -1, so that `return error_set(e, …)` reads
 * well. e may be NULL. */
int error_set(struct error *e, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/* ---- text: bounded formatting without libc's stdio ---------------------- */

/* As vsnprintf, without locale, malloc or errno, so it may run on any thread.
 * Knows %d %i %u %x %X %o %c %s %p %% with the length modifiers hh h l ll z j,
 * flags 0 - # + space, width and precision (also *). Returns the length that
 * the whole text has, which may be size or more. */
int text_vformat(char *buffer, size_t size, const char *format, va_list args);
int text_format(char *buffer, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);

/* ---- pages: memory straight from the host kernel ------------------------ */

/* Zeroed anonymous pages, size rounded up to whole pages; NULL when there are
 * none. Placed outside the guest's part of the address space where the host
 * offers it. */
void *pages_alloc(size_t size);
void pages_free(void *pages, size_t size);
/* Sanitizer builds: pages newly mapped by other means carry no marks of what was
 * there before (a thread's stack). Else nothing. */
void pages_unmark(void *pages, size_t size);

/* ---- arena: many small objects that die together ------------------------ */

/* Grows by chunks of pages; arena_reset keeps the first chunk. Not
 * thread-safe. A zeroed struct is an empty arena.
 *
 * An arena, and a vec below, is never seen to hold pages that were given back: the
 * child of a fork may free those of threads that it caught in the middle of any
 * of these functions (some pages are lost then), and so may a parent those of a
 * vfork child that was killed there. */
struct arena {
	struct arena_chunk *first;
	struct arena_chunk *chunk;
	char *next;
	char *end;
};

/* Zeroed memory, 16-byte aligned, valid until reset or fini. Never NULL: out
 * of host memory is fatal (fatal()). */
void *arena_alloc(struct arena *arena, size_t size);
void arena_reset(struct arena *arena);
/* Resets it and sees to a first chunk of about that size or more. */
void arena_reserve(struct arena *arena, size_t size);
void arena_fini(struct arena *arena);

/* ---- vec: growable array of any element --------------------------------- */

/* A zeroed struct is an empty vec. Memory comes from pages_alloc, so a vec is
 * right for arrays that live long or grow large; small ones belong in an
 * arena. */
struct vec {
	void *data;
	size_t count;    /* elements in use */
	size_t capacity; /* elements that fit */
};

/* Makes room for one more element of the given size and returns it, zeroed.
 * Pointers into the vec die. */
void *vec_push(struct vec *vec, size_t element_size);
void vec_fini(struct vec *vec, size_t element_size);

/* ---- log: the one global, a sink of lines ------------------------------- */

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Where lines go and from which level on; set once at start. fd is borrowed. */
void log_open(int fd, enum log_level level);
int log_fd(void);
/* Writes one line "isomorph: …" with a single write system call. */
void log_line(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

/* A host failure that nothing can recover from (no memory for the VMM's own
 * needs): one line, then exit status 125 by the raw system call. */
_Noreturn void fatal(const char *format, ...) PRINTF_LIKE(1, 2);

#endif

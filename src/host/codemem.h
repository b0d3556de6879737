/* Memory for generated code: segments mapped twice, writable at one address,
 * executable at another, never both at one. One range of addresses is
 * reserved for each view, so that branches reach everywhere; segments come
 * into being inside it one by one.
 *
 * Segments are shared memory and so survive fork as one thing that both sides
 * see; code_memory_own gives a process its own copy at the same addresses.
 *
 * No libc; the caller serialises.
 */
#ifndef HOST_CODEMEM_H
#define HOST_CODEMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct code_memory {
	uint8_t *w;  /* writable view */
	uint8_t *x;  /* executable view */
	size_t size; /* of each */
};

/* A part of a segment, from its start. */
struct code_span {
	size_t start, size;
};

/* Reserves size bytes of addresses (whole pages), or half as many, and so on,
 * not less than least. 0 or a negated errno. */
long code_memory_reserve(struct code_memory *memory, size_t size, size_t least);
void code_memory_release(struct code_memory *memory);
/* Fresh zeroed memory at [at, at + size) of both views; what was there goes.
 * Nothing may run there. 0 or a negated errno. */
long code_memory_map(const struct code_memory *memory, size_t at, size_t size);
/* Replaces [at, at + size) by private copies of the spans given; other threads
 * may be running in it. 0 or a negated errno, then nothing has changed. */
long code_memory_own(const struct code_memory *memory, size_t at, size_t size,
		     const struct code_span *span, unsigned spans);

#endif

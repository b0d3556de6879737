/* state/: one description of a component's state, for saving, restoring,
 * comparing and printing.
 *
 * Each component has one function that lists its fields, beside its struct:
 *
 *     void
 *     uart_state(struct uart *u, struct state *s)
 *     {
 *             state_u8(s, "lcr", &u->lcr);
 *             state_bytes(s, "fifo", u->fifo, sizeof u->fifo);
 *     }
 *
 * The direction is the stream's, so saving and restoring cannot disagree. A
 * section has a name and a version; an unknown or missing section or field, or
 * one of another size, is an error that names it. Errors stick and are told at
 * state_close; after one every call does nothing, and restored fields keep
 * values that a component must have checked before it uses them as indices
 * (state_check).
 *
 * Format: little-endian; section = tag 'S', name, version, fields, tag 'E';
 * field = tag 'F', name, size, bytes. Threading: a stream belongs to one
 * thread; the machine stands still.
 */
#ifndef STATE_STATE_H
#define STATE_STATE_H

#include "base/base.h"

enum state_way { STATE_SAVE, STATE_RESTORE, STATE_COMPARE, STATE_PRINT };

struct state; /* opaque */

/* A stream into memory that the stream owns (SAVE), or from size bytes at data,
 * borrowed (RESTORE, COMPARE: fields that differ from the stream are listed in
 * the error). PRINT writes lines `section.field = value` through print. */
struct state *state_save(void);
struct state *state_restore(const void *data, size_t size);
struct state *state_compare(const void *data, size_t size);
struct state *state_print(void (*print)(void *to, const char *line), void *to);
enum state_way state_way(const struct state *s);

/* SAVE: what was written so far; owned by the stream. */
const void *state_data(const struct state *s, size_t *size);
/* Frees the stream. 0, or -1 with the first failure: what and in which section
 * and field. */
int state_close(struct state *s, struct error *error);

/* Sections nest, eight deep at most. newest: the version written now; returns the version in the
 * stream (newest when saving), at most newest, or newest after a failure. */
unsigned state_begin(struct state *s, const char *section, unsigned newest);
void state_end(struct state *s);

void state_bool(struct state *s, const char *name, bool *field);
void state_u8(struct state *s, const char *name, uint8_t *field);
void state_u16(struct state *s, const char *name, uint16_t *field);
void state_u32(struct state *s, const char *name, uint32_t *field);
void state_u64(struct state *s, const char *name, uint64_t *field);
void state_bytes(struct state *s, const char *name, void *field, size_t size);
/* Bytes of which there may be up to max: *size is how many. */
void state_blob(struct state *s, const char *name, void *field, uint32_t *size, uint32_t max);

/* RESTORE: fails the stream unless good; what: a restored value that cannot be. */
void state_check(struct state *s, bool good, const char *what);

#endif

/* The host's end of a guest's console: two streams of bytes, over descriptors.
 *
 * Output is kept in a buffer and written by the event loop, so that nobody waits
 * for a slow terminal; when the buffer is full, less is taken, and the chip lets
 * the guest wait. Input is offered to the chip, which takes what it has room
 * for. Threading: under the machine's device lock.
 */
#ifndef BACKEND_CONSOLE_CONSOLE_H
#define BACKEND_CONSOLE_CONSOLE_H

#include "host/event.h"

struct console;

/* The chip's side; both may be NULL. */
struct console_client {
	/* Bytes came in; returns how many were taken. The rest is offered again
	 * after console_more. */
	size_t (*input)(void *owner, const uint8_t *bytes, size_t size);
	/* There is room again after console_write took less than it was given. */
	void (*room)(void *owner);
};

/* Descriptors, borrowed, blocking or not; -1: none (output is thrown away, no
 * input comes). */
struct console *console_new(struct event_loop *loop, int in, int out, struct error *error);
void console_free(struct console *console);
/* Several chips may share a console: each writes; the last one attached reads. */
void console_attach(struct console *console, const struct console_client *client, void *owner);
/* Returns how many bytes were taken, from the first on. */
size_t console_write(struct console *console, const uint8_t *bytes, size_t size);
size_t console_room(const struct console *console);
/* The client can take input again. */
void console_more(struct console *console);
/* Takes at most size bytes of input that has come, for who has no client (SBI). */
size_t console_read(struct console *console, uint8_t *bytes, size_t size);
/* Writes out what is kept, for at most that many milliseconds; no thread uses
 * the console any more. */
void console_drain(struct console *console, int milliseconds);

#endif

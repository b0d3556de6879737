/* The host's end of a stream of bytes that a guest's serial device has: a pair of
 * descriptors (terminal, pipes, socket, files).
 *
 * Nothing here waits. What the host does not take at once is kept, up to
 * STREAM_ROOM bytes; beyond that the device keeps it. What the guest does not take
 * stays with the host. What a terminal is set to is others' business.
 *
 * Threading: all under the device lock; callbacks on the event loop's thread.
 */
#ifndef BACKEND_CONSOLE_STREAM_H
#define BACKEND_CONSOLE_STREAM_H

#include "host/event.h"

#define STREAM_ROOM 65536u

struct stream;

/* What the device does. */
struct stream_client {
	/* Takes up to size bytes, returns how many. Fewer than size: no more come
	 * until stream_resume. */
	size_t (*receive)(void *owner, const uint8_t *data, size_t size);
	/* There is room for output again, after stream_write took less than all. NULL: waits not. */
	void (*writable)(void *owner);
	void *owner;
};

/* Descriptors are borrowed; -1: nothing comes, or what is written is dropped. The
 * client is copied. NULL: no memory, *error. */
struct stream *stream_new(struct event_loop *loop, int in, int out, const struct stream_client *client,
			  struct error *error);
/* What could not be written yet is lost. */
void stream_free(struct stream *stream);
/* Returns how many bytes were taken. */
size_t stream_write(struct stream *stream, const uint8_t *data, size_t size);
/* The device can take input again. */
void stream_resume(struct stream *stream);

#endif

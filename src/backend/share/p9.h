/* A folder of the host as a 9P2000.L server (the protocol of Linux's v9fs; its
 * messages as in the Linux kernel's include/net/9p/9p.h).
 *
 * Nothing outside the folder is reached: every path is taken below it by the kernel
 * (openat2 with RESOLVE_BENEATH and no symbolic links, which the guest follows
 * itself), names hold no '/', and ".." at the top stays there. Only files and
 * folders are opened; no device nodes, set-user-ID bits or owners are made.
 *
 * Threading: one call at a time. Calls may block on the host's disk.
 */
#ifndef BACKEND_SHARE_P9_H
#define BACKEND_SHARE_P9_H

#include "base/base.h"
#include "state/state.h"

#define P9_MESSAGE_MAX (512u << 10) /* bytes */

struct p9;

/* NULL: *error says what is wrong with path. */
struct p9 *p9_new(const char *path, bool read_only, struct error *error);
void p9_free(struct p9 *p9);
/* All files are closed, as before the first message. */
void p9_reset(struct p9 *p9);
/* Answers a message; reply has room for `room` bytes. Returns the answer's size; 0:
 * the message was none, or room has not enough for any answer. */
size_t p9_handle(struct p9 *p9, const uint8_t *message, size_t size, uint8_t *reply, size_t room);
/* Files are named in it; restored, they are opened anew. */
void p9_state(struct p9 *p9, struct state *s);

#endif

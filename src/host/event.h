/* An event loop: one thread that waits for file descriptors and deadlines and
 * calls back. Each machine has one; devices and backends register with it.
 *
 * Callbacks run on the loop's thread with the loop's lock held (given at
 * event_loop_new: the machine's device lock), one at a time. Registering,
 * changing and removing may be done by any thread that holds that lock; after
 * event_remove returns, the callback does not run again.
 */
#ifndef HOST_EVENT_H
#define HOST_EVENT_H

#include <pthread.h>

#include "base/base.h"

struct event_loop;
struct event; /* a descriptor or a timer that is watched */

enum event_ready { EVENT_READ = 1, EVENT_WRITE = 2, EVENT_HANGUP = 4 };

/* lock is borrowed and must outlive the loop. NULL: *error is set. */
struct event_loop *event_loop_new(pthread_mutex_t *lock, struct error *error);
/* Starts the thread; ends it (no callbacks afterwards; lock not held), after which
 * events may still be removed; frees the loop and what is watched. NULL is let
 * pass. */
int event_loop_start(struct event_loop *loop, struct error *error);
void event_loop_stop(struct event_loop *loop);
void event_loop_free(struct event_loop *loop);

/* Watches a descriptor, borrowed, which nobody else watches in this loop; want: enum
 * event_ready bits. */
struct event *event_watch(struct event_loop *loop, int fd, unsigned want,
			  void (*ready)(void *owner, unsigned what), void *owner);
void event_want(struct event *event, unsigned want);
/* A timer, unarmed; event_arm fires it once at this time of clock_nanoseconds
 * (UINT64_MAX: never). */
struct event *event_timer(struct event_loop *loop, void (*fire)(void *owner), void *owner);
void event_arm(struct event *event, uint64_t when);
/* From now on the timer goes by another clock, the caller's, who fires those that
 * are due and asks when the next one is (UINT64_MAX: never); under the lock. */
void event_by_hand(struct event *event);
uint64_t event_next_by_hand(const struct event_loop *loop);
void event_fire_by_hand(struct event_loop *loop, uint64_t now);
void event_remove(struct event *event);
/* Runs the callback on the loop's thread soon; any thread, no lock needed. The
 * same (call, owner) asked for twice before it runs runs once. */
void event_post(struct event_loop *loop, void (*call)(void *owner), void *owner);
/* Forgets what was posted for this owner, who goes away; the lock is held. */
void event_forget(struct event_loop *loop, void *owner);

#endif

/* Threads that do what may block, for devices: jobs go in, are run in some order
 * on some thread, and are told of afterwards.
 *
 * Threading: worker_submit and worker_drain are called under the device lock; run
 * is called without it, done under it, on a thread of the worker's or inside
 * worker_drain.
 */
#ifndef BACKEND_WORK_WORKER_H
#define BACKEND_WORK_WORKER_H

#include <pthread.h>

#include "base/base.h"

#define WORKER_THREADS 8u /* at most */

struct worker;

/* The caller's, until done is called. */
struct worker_job {
	void (*run)(struct worker_job *job);
	void (*done)(struct worker_job *job);
	struct worker_job *next; /* the worker's */
};

/* lock: the device lock, borrowed. NULL: *error. */
struct worker *worker_new(unsigned threads, pthread_mutex_t *lock, struct error *error);
/* Finishes all jobs first. The device lock is not held. */
void worker_free(struct worker *worker);
void worker_submit(struct worker *worker, struct worker_job *job);
/* Waits until no job is under way; done was called for all of them. */
void worker_drain(struct worker *worker);

#endif

/* Two locks. `lock` guards the lists and is held for moments only; the device lock
 * is the caller's. A thread never holds `lock` while it takes the device lock, so
 * that worker_drain, whose caller holds the device lock, can wait for the threads:
 * it tells what they finished itself. It runs what no thread has begun, too, since
 * all of them may stand before the device lock. */
#include "backend/work/worker.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct list {
	struct worker_job *first, **last;
};

struct worker {
	pthread_mutex_t *device_lock;
	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	struct list waiting, finished;
	unsigned busy; /* jobs that wait or run */
	unsigned sleepers;
	bool ending;
	pthread_t thread[WORKER_THREADS];
	unsigned threads;
};

static void
list_init(struct list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

static void
list_add(struct list *list, struct worker_job *job)
{
	job->next = NULL;
	*list->last = job;
	list->last = &job->next;
}

static struct worker_job *
list_take(struct list *list)
{
	struct worker_job *job = list->first;

	if (job) {
		list->first = job->next;
		if (!list->first)
			list->last = &list->first;
	}
	return job;
}

/* Tells of all that is finished. The device lock is held. */
static void
tell(struct worker *w)
{
	for (;;) {
		struct worker_job *job;

		pthread_mutex_lock(&w->lock);
		job = list_take(&w->finished);
		pthread_mutex_unlock(&w->lock);
		if (!job)
			return;
		job->done(job);
	}
}

/* `lock` is held before and after, not meanwhile. */
static void
run(struct worker *w, struct worker_job *job)
{
	pthread_mutex_unlock(&w->lock);
	job->run(job);
	pthread_mutex_lock(&w->lock);
	list_add(&w->finished, job);
	if (!--w->busy)
		pthread_cond_broadcast(&w->idle);
}

static void *
work(void *argument)
{
	struct worker *w = argument;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		struct worker_job *job = list_take(&w->waiting);

		if (!job) {
			if (w->ending)
				break;
			w->sleepers++;
			pthread_cond_wait(&w->work, &w->lock);
			w->sleepers--;
			continue;
		}
		run(w, job);
		pthread_mutex_unlock(&w->lock);
		pthread_mutex_lock(w->device_lock);
		tell(w);
		pthread_mutex_unlock(w->device_lock);
		pthread_mutex_lock(&w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

void
worker_submit(struct worker *w, struct worker_job *job)
{
	pthread_mutex_lock(&w->lock);
	list_add(&w->waiting, job);
	w->busy++;
	if (w->sleepers)
		pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
}

void
worker_drain(struct worker *w)
{
	struct worker_job *job;
	bool again;

	/* What is told may ask for more (a flush after a write). */
	do {
		pthread_mutex_lock(&w->lock);
		while ((job = list_take(&w->waiting)))
			run(w, job);
		while (w->busy)
			pthread_cond_wait(&w->idle, &w->lock);
		pthread_mutex_unlock(&w->lock);
		tell(w);
		pthread_mutex_lock(&w->lock);
		again = w->busy;
		pthread_mutex_unlock(&w->lock);
	} while (again);
}

struct worker *
worker_new(unsigned threads, pthread_mutex_t *lock, struct error *error)
{
	struct worker *w = calloc(1, sizeof *w);
	sigset_t all, old;
	int failed = 0;

	if (!w) {
		error_set(error, 0, "no memory");
		return NULL;
	}
	w->device_lock = lock;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->work, NULL);
	pthread_cond_init(&w->idle, NULL);
	list_init(&w->waiting);
	list_init(&w->finished);
	/* Signals are for the threads that know what to do with them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (w->threads < threads && w->threads < WORKER_THREADS && !failed) {
		failed = pthread_create(&w->thread[w->threads], NULL, work, w);
		w->threads += !failed;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!failed)
		return w;
	error_set(error, failed, "no thread: %s", strerror(failed));
	worker_free(w);
	return NULL;
}

void
worker_free(struct worker *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->ending = true;
	pthread_cond_broadcast(&w->work);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->threads; i++)
		pthread_join(w->thread[i], NULL);
	pthread_cond_destroy(&w->work);
	pthread_cond_destroy(&w->idle);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* The event loop: epoll, one timer descriptor for the earliest deadline, one
 * event descriptor to wake it.
 *
 * What is removed stays allocated until the loop's thread has passed, so that an
 * event which epoll has just reported is still there to be looked at: the thread
 * takes the lock first, and then sees that it is dead. A descriptor that epoll
 * does not take (a regular file) is always ready.
 */
#include "host/event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "host/clock.h"

#define READY_AT_ONCE 32

struct event {
	struct event_loop *loop;
	struct event *next; /* in the loop's list */
	bool dead;
	bool timer;
	bool by_hand; /* a timer of another clock */
	bool always; /* a descriptor that is ready whenever wanted */
	int fd;
	unsigned want;
	uint64_t when;
	void (*ready)(void *owner, unsigned what);
	void (*fire)(void *owner);
	void *owner;
};

struct post {
	void (*call)(void *owner);
	void *owner;
};

struct event_loop {
	pthread_mutex_t *lock; /* the owner's; guards all below but posts */
	int epoll, timer, wake;
	struct event *events;
	uint64_t armed; /* what the timer descriptor is set to */
	pthread_t thread;
	bool started;
	bool stop; /* atomic */
	pthread_mutex_t post_lock; /* guards posts; taken last */
	struct post *posts;
	size_t post_count, post_room;
};

static void
wake(struct event_loop *loop)
{
	uint64_t one = 1;

	while (write(loop->wake, &one, sizeof one) < 0 && errno == EINTR)
		;
}

static int
epoll_add(struct event_loop *loop, int fd, unsigned events, void *to)
{
	struct epoll_event event = { .events = events, .data.ptr = to };

	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event);
}

struct event_loop *
event_loop_new(pthread_mutex_t *lock, struct error *error)
{
	struct event_loop *loop = calloc(1, sizeof *loop);

	if (!loop)
		fatal("out of memory for an event loop");
	loop->lock = lock;
	loop->armed = UINT64_MAX;
	pthread_mutex_init(&loop->post_lock, NULL);
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->epoll >= 0 && loop->timer >= 0 && loop->wake >= 0 &&
	    !epoll_add(loop, loop->timer, EPOLLIN, NULL) && !epoll_add(loop, loop->wake, EPOLLIN, NULL))
		return loop;
	error_set(error, errno, "no event loop: %s", strerror(errno));
	event_loop_free(loop);
	return NULL;
}

/* ---- the thread ------------------------------------------------------------ */

/* Sets the timer descriptor to the earliest deadline. Lock held. */
static void
arm(struct event_loop *loop)
{
	struct itimerspec spec = { 0 };
	uint64_t first = UINT64_MAX;

	for (struct event *e = loop->events; e; e = e->next)
		if (!e->dead && e->timer && !e->by_hand && e->when < first)
			first = e->when;
	if (first == loop->armed)
		return;
	loop->armed = first;
	if (first != UINT64_MAX) {
		/* All zero would disarm; a time in the past fires at once. */
		first = first ? first : 1;
		spec.it_value.tv_sec = (time_t)(first / 1000000000);
		spec.it_value.tv_nsec = (long)(first % 1000000000);
	}
	timerfd_settime(loop->timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void
run_timers(struct event_loop *loop)
{
	uint64_t now = clock_nanoseconds(), count;

	if (read(loop->timer, &count, sizeof count) == (ssize_t)sizeof count)
		loop->armed = UINT64_MAX;
	for (struct event *e = loop->events; e; e = e->next)
		if (!e->dead && e->timer && !e->by_hand && e->when <= now) {
			e->when = UINT64_MAX;
			e->fire(e->owner);
		}
}

void
event_by_hand(struct event *event)
{
	event->by_hand = true;
}

uint64_t
event_next_by_hand(const struct event_loop *loop)
{
	uint64_t first = UINT64_MAX;

	for (const struct event *e = loop->events; e; e = e->next)
		if (!e->dead && e->by_hand && e->when < first)
			first = e->when;
	return first;
}

void
event_fire_by_hand(struct event_loop *loop, uint64_t now)
{
	for (struct event *e = loop->events; e; e = e->next)
		if (!e->dead && e->by_hand && e->when <= now) {
			e->when = UINT64_MAX;
			e->fire(e->owner);
		}
}

static void
run_posts(struct event_loop *loop)
{
	struct post *posts;
	size_t count;
	uint64_t drained;

	if (read(loop->wake, &drained, sizeof drained) < 0)
		return;
	pthread_mutex_lock(&loop->post_lock);
	posts = loop->posts;
	count = loop->post_count;
	loop->posts = NULL;
	loop->post_count = loop->post_room = 0;
	pthread_mutex_unlock(&loop->post_lock);
	for (size_t i = 0; i < count; i++)
		posts[i].call(posts[i].owner);
	free(posts);
}

/* Calls back those that are always ready; true if there are any. */
static bool
run_always(struct event_loop *loop)
{
	bool any = false;

	for (struct event *e = loop->events; e; e = e->next)
		if (!e->dead && e->always && e->want) {
			e->ready(e->owner, e->want);
			any = any || (!e->dead && e->want);
		}
	return any;
}

static void
sweep(struct event_loop *loop)
{
	for (struct event **link = &loop->events; *link;) {
		struct event *e = *link;

		if (!e->dead) {
			link = &e->next;
			continue;
		}
		*link = e->next;
		free(e);
	}
}

static void
run_ready(struct event *e, unsigned events)
{
	unsigned what = 0;

	if (events & EPOLLIN)
		what |= EVENT_READ;
	if (events & EPOLLOUT)
		what |= EVENT_WRITE;
	if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP))
		what |= EVENT_HANGUP;
	what &= e->want | EVENT_HANGUP;
	if (!e->dead && what)
		e->ready(e->owner, what);
}

static void *
thread_main(void *argument)
{
	struct event_loop *loop = argument;
	struct epoll_event ready[READY_AT_ONCE];
	bool busy = false;

	while (!__atomic_load_n(&loop->stop, __ATOMIC_ACQUIRE)) {
		int count = epoll_wait(loop->epoll, ready, READY_AT_ONCE, busy ? 0 : -1);

		pthread_mutex_lock(loop->lock);
		for (int i = 0; i < count; i++)
			if (ready[i].data.ptr)
				run_ready(ready[i].data.ptr, ready[i].events);
		run_posts(loop);
		run_timers(loop);
		busy = run_always(loop);
		sweep(loop);
		arm(loop);
		pthread_mutex_unlock(loop->lock);
	}
	return NULL;
}

int
event_loop_start(struct event_loop *loop, struct error *error)
{
	int code = pthread_create(&loop->thread, NULL, thread_main, loop);

	if (code)
		return error_set(error, code, "no thread for the event loop: %s", strerror(code));
	loop->started = true;
	return 0;
}

void
event_loop_stop(struct event_loop *loop)
{
	if (!loop || !loop->started)
		return;
	__atomic_store_n(&loop->stop, true, __ATOMIC_RELEASE);
	wake(loop);
	pthread_join(loop->thread, NULL);
	loop->started = false;
}

void
event_loop_free(struct event_loop *loop)
{
	if (!loop)
		return;
	event_loop_stop(loop);
	while (loop->events) {
		struct event *next = loop->events->next;

		free(loop->events);
		loop->events = next;
	}
	if (loop->epoll >= 0)
		close(loop->epoll);
	if (loop->timer >= 0)
		close(loop->timer);
	if (loop->wake >= 0)
		close(loop->wake);
	pthread_mutex_destroy(&loop->post_lock);
	free(loop->posts);
	free(loop);
}

/* ---- what is watched ------------------------------------------------------- */

static struct event *
event_new(struct event_loop *loop, void *owner)
{
	struct event *e = calloc(1, sizeof *e);

	if (!e)
		fatal("out of memory for an event");
	e->loop = loop;
	e->owner = owner;
	e->fd = -1;
	e->when = UINT64_MAX;
	e->next = loop->events;
	loop->events = e;
	return e;
}

static unsigned
epoll_bits(unsigned want)
{
	return (want & EVENT_READ ? EPOLLIN | EPOLLRDHUP : 0u) | (want & EVENT_WRITE ? EPOLLOUT : 0u);
}

struct event *
event_watch(struct event_loop *loop, int fd, unsigned want, void (*ready)(void *owner, unsigned what), void *owner)
{
	struct event *e = event_new(loop, owner);

	e->fd = fd;
	e->ready = ready;
	event_want(e, want);
	return e;
}

/* What is not wanted at all is taken out of the set: a hangup is reported there
 * always, over and over. */
void
event_want(struct event *event, unsigned want)
{
	struct event_loop *loop = event->loop;
	struct epoll_event e = { .events = epoll_bits(want), .data.ptr = event };

	if (event->want == want)
		return;
	if (event->always)
		wake(loop);
	else if (!want)
		epoll_ctl(loop->epoll, EPOLL_CTL_DEL, event->fd, &e);
	else if (event->want)
		epoll_ctl(loop->epoll, EPOLL_CTL_MOD, event->fd, &e);
	else if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, event->fd, &e) && errno == EPERM) {
		event->always = true;
		wake(loop);
	}
	event->want = want;
}

struct event *
event_timer(struct event_loop *loop, void (*fire)(void *owner), void *owner)
{
	struct event *e = event_new(loop, owner);

	e->timer = true;
	e->fire = fire;
	return e;
}

void
event_arm(struct event *event, uint64_t when)
{
	event->when = when;
	if (!event->by_hand && when < event->loop->armed)
		arm(event->loop);
}

void
event_remove(struct event *event)
{
	if (!event)
		return;
	if (!event->timer && event->want && !event->always)
		epoll_ctl(event->loop->epoll, EPOLL_CTL_DEL, event->fd, NULL);
	event->dead = true;
	event->want = 0;
}

void
event_post(struct event_loop *loop, void (*call)(void *owner), void *owner)
{
	bool found = false;

	pthread_mutex_lock(&loop->post_lock);
	for (size_t i = 0; i < loop->post_count && !found; i++)
		found = loop->posts[i].call == call && loop->posts[i].owner == owner;
	if (!found) {
		if (loop->post_count == loop->post_room) {
			size_t room = loop->post_room * 2 + 16;
			struct post *posts = realloc(loop->posts, room * sizeof *posts);

			if (!posts)
				fatal("out of memory for the event loop's calls");
			loop->posts = posts;
			loop->post_room = room;
		}
		loop->posts[loop->post_count++] = (struct post){ call, owner };
	}
	pthread_mutex_unlock(&loop->post_lock);
	if (!found)
		wake(loop);
}

/* The loop's thread takes posts and runs them without letting go of the lock, so
 * those that are not in the list have run. */
void
event_forget(struct event_loop *loop, void *owner)
{
	size_t kept = 0;

	pthread_mutex_lock(&loop->post_lock);
	for (size_t i = 0; i < loop->post_count; i++)
		if (loop->posts[i].owner != owner)
			loop->posts[kept++] = loop->posts[i];
	loop->post_count = kept;
	pthread_mutex_unlock(&loop->post_lock);
}

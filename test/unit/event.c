/* The event loop: descriptors, regular files, timers in order, posted calls once,
 * and that nothing removed is called again. */
#include "host/event.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "host/clock.h"
#include "unit/check.h"

struct box {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	struct event_loop *loop;
	struct event *event, *timer[3];
	int fd;
	unsigned reads, hangups, posts, fired;
	char order[8];
};

static void
lock(struct box *b)
{
	pthread_mutex_lock(&b->lock);
}

/* Waits, lock held, until *count is at least want; false after five seconds. */
static bool
wait_for(struct box *b, const unsigned *count, unsigned want)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 5;
	while (*count < want)
		if (pthread_cond_timedwait(&b->moved, &b->lock, &end))
			return false;
	return true;
}

static void
on_ready(void *owner, unsigned what)
{
	struct box *b = owner;
	char byte;

	if (what & EVENT_READ && read(b->fd, &byte, 1) == 1)
		b->reads++;
	else {
		b->hangups++;
		event_want(b->event, 0);
	}
	pthread_cond_broadcast(&b->moved);
}

static void
on_post(void *owner)
{
	struct box *b = owner;

	b->posts++;
	pthread_cond_broadcast(&b->moved);
}

static void
on_timer(void *owner)
{
	struct box *b = owner;

	b->order[b->fired++] = 'a';
	pthread_cond_broadcast(&b->moved);
}

static void
on_second(void *owner)
{
	struct box *b = owner;

	b->order[b->fired++] = 'b';
	pthread_cond_broadcast(&b->moved);
}

static void
test_descriptors(struct box *b)
{
	int pipe_ends[2];
	char name[] = "/tmp/isomorph-event-XXXXXX";

	CHECK_INT(pipe(pipe_ends), 0);
	lock(b);
	b->fd = pipe_ends[0];
	b->event = event_watch(b->loop, b->fd, EVENT_READ, on_ready, b);
	CHECK_INT(write(pipe_ends[1], "xy", 2), 2);
	CHECK(wait_for(b, &b->reads, 2));
	close(pipe_ends[1]);
	CHECK(wait_for(b, &b->hangups, 1));
	event_remove(b->event);
	close(pipe_ends[0]);

	/* A regular file, which epoll does not take: read to its end. */
	b->fd = mkstemp(name);
	unlink(name);
	CHECK_INT(write(b->fd, "abc", 3), 3);
	CHECK_INT(lseek(b->fd, 0, SEEK_SET), 0);
	b->event = event_watch(b->loop, b->fd, EVENT_READ, on_ready, b);
	CHECK(wait_for(b, &b->hangups, 2));
	CHECK_INT(b->reads, 5);
	event_remove(b->event);
	close(b->fd);
	pthread_mutex_unlock(&b->lock);
}

static void
test_timers(struct box *b)
{
	uint64_t now = clock_nanoseconds();

	lock(b);
	b->timer[0] = event_timer(b->loop, on_timer, b);
	b->timer[1] = event_timer(b->loop, on_second, b);
	b->timer[2] = event_timer(b->loop, on_timer, b);
	event_arm(b->timer[0], now + 20000000);
	event_arm(b->timer[1], now + 10000000);
	event_arm(b->timer[2], now + 1000000);
	event_remove(b->timer[2]); /* never fires */
	CHECK(wait_for(b, &b->fired, 2));
	CHECK_TEXT(b->order, "ba");
	CHECK(clock_nanoseconds() >= now + 20000000);
	event_arm(b->timer[0], 0); /* long past */
	CHECK(wait_for(b, &b->fired, 3));
	event_arm(b->timer[1], clock_nanoseconds() + 3600000000000);
	pthread_mutex_unlock(&b->lock);
}

static void
test_posts(struct box *b)
{
	lock(b);
	event_post(b->loop, on_post, b);
	event_post(b->loop, on_post, b); /* the lock is held: it cannot have run */
	CHECK(wait_for(b, &b->posts, 1));
	event_post(b->loop, on_post, b);
	CHECK(wait_for(b, &b->posts, 2));
	CHECK_INT(b->posts, 2);
	pthread_mutex_unlock(&b->lock);
}

int
main(void)
{
	struct box b = { .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER };
	struct error error = { 0 };

	b.loop = event_loop_new(&b.lock, &error);
	CHECK(b.loop != NULL);
	CHECK_INT(event_loop_start(b.loop, &error), 0);
	test_descriptors(&b);
	test_timers(&b);
	test_posts(&b);
	event_loop_free(b.loop);
	return check_done();
}

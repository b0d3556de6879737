/* A session: opens what people see of a machine, runs it on an event loop of its
 * own, closes it again. */
#include "monitor/session.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "host/clock.h"

void
session_end(struct session *session, enum session_ended why)
{
	if (!session->ended)
		session->ended = why;
	if (session->paused) {
		session->paused = false;
		machine_resume(session->machine);
	}
	machine_stop(session->machine);
}

static void
time_is_over(void *owner)
{
	session_end(owner, SESSION_TIMEOUT);
}

static void
signalled(void *owner, unsigned what)
{
	struct session *session = owner;
	struct signalfd_siginfo info;

	(void)what;
	if (read(session->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
		session_end(session, SESSION_OUTSIDE);
}

/* Signals that end us end the machine first. Blocked before any thread is
 * made, so that all inherit it. */
static int
open_signals(struct session *session, struct error *error)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	session->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return session->signal_fd < 0 ? error_set(error, errno, "no signal descriptor: %s", strerror(errno)) : 0;
}

int
session_open(struct session *session, struct isomorph_config *config, bool on_screen, struct error *error)
{
	*session = (struct session){ .config = config, .name = config->machine.name, .on_screen = on_screen,
				     .signal_fd = -1, .control.listener = -1 };
	pthread_mutex_init(&session->lock, NULL);
	session->console.near = session->shell.near = -1;
	session->loop = event_loop_new(&session->lock, error);
	if (!session->loop || open_signals(session, error) ||
	    hub_open(&session->console, session, "console", error) ||
	    hub_open(&session->shell, session, "shell", error) || control_open(session, error))
		return -1;
	config->machine.console_in = session->console.far[0];
	config->machine.console_out = session->console.far[1];
	/* Nobody reaches an unnamed machine's. */
	config->machine.shell_in = session->name ? session->shell.far[0] : -1;
	config->machine.shell_out = session->name ? session->shell.far[1] : -1;
	return 0;
}

int
session_start(struct session *session, struct machine *machine, struct error *error)
{
	unsigned seconds = session->config->timeout;

	/* The loop does not run yet: no lock is needed. */
	session->machine = machine;
	session->signals = event_watch(session->loop, session->signal_fd, EVENT_READ, signalled, session);
	session->timer = event_timer(session->loop, time_is_over, session);
	if (seconds)
		event_arm(session->timer, clock_nanoseconds() + seconds * UINT64_C(1000000000));
	if (session->on_screen)
		screen_open(session);
	return event_loop_start(session->loop, error);
}

void
session_stop(struct session *session)
{
	pthread_mutex_lock(&session->lock);
	control_event(session, "ended", NULL);
	session->machine = NULL;
	event_remove(session->timer);
	event_remove(session->signals);
	event_remove(session->screen.typing);
	pthread_mutex_unlock(&session->lock);
}

void
session_close(struct session *session)
{
	pthread_mutex_lock(&session->lock);
	hub_close(&session->console);
	hub_close(&session->shell);
	control_close(session);
	pthread_mutex_unlock(&session->lock);
	event_loop_free(session->loop);
	if (session->on_screen)
		screen_close(session);
	if (session->signal_fd >= 0)
		close(session->signal_fd);
	pthread_mutex_destroy(&session->lock);
}

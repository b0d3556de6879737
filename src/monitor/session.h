/* One machine that runs in this process, seen from outside: its consoles, the
 * terminal, the control socket. Private to monitor/.
 *
 * Threads: an event loop of the session's own does all of this; the main thread
 * waits for the machine. The session's lock is held in every callback. Order:
 * session's lock, then the machine's device lock.
 */
#ifndef MONITOR_SESSION_H
#define MONITOR_SESSION_H

#include <pthread.h>
#include <termios.h>

#include "host/event.h"
#include "monitor/config.h"

struct session;

/* ---- terminal.c: raw mode and keys ----------------------------------------- */

struct terminal {
	int in, out;
	bool raw;           /* both are a terminal: keys are looked for */
	bool prefix;        /* Ctrl-a was typed */
	struct termios saved;
};
void terminal_open(struct terminal *t, int in, int out);
void terminal_close(struct terminal *t);
/* What a typed byte means: TERMINAL_SEND (it goes to the guest), TERMINAL_NONE,
 * or the letter after Ctrl-a. */
enum { TERMINAL_NONE = 0, TERMINAL_SEND = -1 };
int terminal_key(struct terminal *t, unsigned char byte);
/* All of it, to a descriptor that may be slow; output that nobody takes any
 * more is dropped. */
void terminal_write(int fd, const void *data, size_t size);

/* ---- hub.c: one guest console, whoever looks at it --------------------- */

#define HUB_CLIENTS 8
#define HUB_KEPT 65536
struct hub {
	struct session *session;
	int near;              /* a socket pair: our end, */
	int far[2];            /* and the machine's, to read from and to write to */
	struct event *event;
	int listener;
	struct event *accept;
	struct hub_client {
		struct hub *hub;
		int fd; /* -1: free */
		struct event *event;
		size_t sent; /* of what was written */
	} client[HUB_CLIENTS];
	void (*sink)(void *to, const void *data, size_t size); /* the terminal */
	void *to;
	char kept[HUB_KEPT]; /* the last output; a ring */
	size_t written;      /* all in all; its place in the ring is the rest by HUB_KEPT */
	char typed[4096];      /* input that the guest has not taken yet */
	size_t typed_count;
	struct event *waiting; /* whoever types, when there was no room */
};
/* file: its socket's name in the machine's run folder. */
int hub_open(struct hub *c, struct session *session, const char *file, struct error *error);
/* Input; what does not fit is lost, as on a serial line. */
void hub_type(struct hub *c, const void *data, size_t size);
size_t hub_room(const struct hub *c);
/* The machine is gone: what it still wrote is shown, then all is closed. Lock
 * held, as for all but hub_open. */
void hub_close(struct hub *c);

/* ---- control.c: the control socket, doc/control-socket.md ------------------ */

#define CONTROL_CLIENTS 8
#define CONTROL_LINE 65536
struct control {
	int listener; /* -1: no socket */
	struct event *accept;
	struct control_client {
		struct session *session;
		int fd; /* -1: free */
		struct event *event;
		char *line;
		size_t used;
	} client[CONTROL_CLIENTS];
};
int control_open(struct session *session, struct error *error);
void control_close(struct session *session);
/* Tells every client; data is taken, may be NULL. */
void control_event(struct session *session, const char *event, cJSON *data);

/* ---- commands.c: what can be asked of a machine ----------------------------- */

/* The answer, or NULL and *error. Session's lock held. */
cJSON *command_run(struct session *session, const char *name, const cJSON *arguments, struct error *error);
/* Calls each for every command. */
void command_each(void (*each)(void *to, const char *name, const char *what), void *to);

/* ---- screen.c: the session's terminal --------------------------------------- */

struct screen {
	struct terminal terminal;
	struct event *typing;
	bool prompt;    /* the monitor has the keys */
	char line[256]; /* typed to it */
	size_t used;
};
void screen_open(struct session *session);
void screen_close(struct session *session);

/* ---- session.c ---------------------------------------------------------------- */

enum session_ended { SESSION_RUNS, SESSION_OUTSIDE, SESSION_TIMEOUT };
struct session {
	struct isomorph_config *config;
	const char *name; /* NULL: unnamed, no sockets */
	struct machine *machine;
	pthread_mutex_t lock;
	struct event_loop *loop;
	struct hub console; /* the first one */
	struct hub shell;   /* the second, where a root shell may wait */
	struct control control;
	struct screen screen;
	struct event *timer, *signals;
	int signal_fd;
	bool on_screen; /* has this process's terminal */
	bool paused;
	enum session_ended ended; /* by whom, when not by the guest */
};
/* Opens consoles and the control socket; the machine does not exist yet. */
int session_open(struct session *session, struct isomorph_config *config, bool on_screen, struct error *error);
/* The machine runs from now on. */
int session_start(struct session *session, struct machine *machine, struct error *error);
/* No callback touches the machine after this; then the machine may be freed. */
void session_stop(struct session *session);
/* Shows what is left and closes. */
void session_close(struct session *session);
/* Ends the machine at once. Lock held. */
void session_end(struct session *session, enum session_ended why);

#endif

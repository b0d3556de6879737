/* The session on this process's terminal: keys to the guest, Ctrl-a for us, and
 * the monitor, a line at a time, behind Ctrl-a c. Where standard output is no
 * terminal, the guest's bytes go through as they are.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor/session.h"

static const char keys_help[] = "\nCtrl-a x  end the machine\n"
				"Ctrl-a c  monitor: commands for the machine\n"
				"Ctrl-a h  this help\n"
				"Ctrl-a Ctrl-a  send one Ctrl-a\n";

static void
say(struct session *session, const char *text)
{
	terminal_write(session->screen.terminal.out, text, strlen(text));
}

static void
list_command(void *to, const char *name, const char *what)
{
	char line[200];

	text_format(line, sizeof line, "%-14s %s\n", name, what);
	say(to, line);
}

/* Does a line that was typed to the monitor. */
static void
monitor_line(struct session *session, const char *line)
{
	struct error error = { 0 };
	cJSON *reply;
	char *text;

	if (!strcmp(line, "quit") || !strcmp(line, "q")) {
		session->screen.prompt = false;
		say(session, "(back in the guest)\n");
		return;
	}
	if (!strcmp(line, "help")) {
		command_each(list_command, session);
		say(session, "quit           back to the guest\n");
	} else if (*line) {
		reply = command_run(session, line, NULL, &error);
		text = reply ? cJSON_Print(reply) : NULL;
		say(session, text ? text : error.text);
		say(session, "\n");
		free(text);
		cJSON_Delete(reply);
	}
	say(session, "isomorph> ");
}

static void
monitor_key(struct session *session, char byte)
{
	struct screen *screen = &session->screen;

	if (byte == '\r' || byte == '\n') {
		say(session, "\n");
		screen->line[screen->used] = 0;
		screen->used = 0;
		monitor_line(session, screen->line);
	} else if ((byte == 127 || byte == '\b') && screen->used) {
		screen->used--;
		say(session, "\b \b");
	} else if (byte >= ' ' && byte < 127 && screen->used < sizeof screen->line - 1) {
		screen->line[screen->used++] = byte;
		terminal_write(screen->terminal.out, &byte, 1);
	}
}

static void
command_key(struct session *session, int key)
{
	switch (key) {
	case 'x':
		say(session, "\n");
		session_end(session, SESSION_OUTSIDE);
		break;
	case 'c':
		session->screen.prompt = !session->screen.prompt;
		say(session, session->screen.prompt ? "\n(`help` lists the commands, `quit` goes back to the guest)\nisomorph> " :
						      "\n");
		break;
	case 'h':
		say(session, keys_help);
		break;
	}
}

static void
typed(void *owner, unsigned what)
{
	struct session *session = owner;
	struct screen *screen = &session->screen;
	char data[512];
	size_t room = hub_room(&session->console);
	ssize_t got;

	(void)what;
	if (!room && !screen->terminal.raw) {
		event_want(screen->typing, 0);
		session->console.waiting = screen->typing;
		return;
	}
	/* On a terminal keys are read even so: Ctrl-a must work. */
	got = read(screen->terminal.in, data, room && room < sizeof data ? room : sizeof data);
	if (got <= 0) {
		event_want(screen->typing, 0);
		return;
	}
	for (ssize_t i = 0; i < got; i++) {
		int key = terminal_key(&screen->terminal, (unsigned char)data[i]);

		if (key != TERMINAL_SEND)
			command_key(session, key);
		else if (screen->prompt)
			monitor_key(session, data[i]);
		else
			hub_type(&session->console, &data[i], 1);
	}
}

static void
shown(void *to, const void *data, size_t size)
{
	struct session *session = to;

	terminal_write(session->screen.terminal.out, data, size);
}

void
screen_open(struct session *session)
{
	terminal_open(&session->screen.terminal, STDIN_FILENO, STDOUT_FILENO);
	session->console.sink = shown;
	session->console.to = session;
	session->screen.typing = event_watch(session->loop, STDIN_FILENO, EVENT_READ, typed, session);
}

void
screen_close(struct session *session)
{
	terminal_close(&session->screen.terminal);
}

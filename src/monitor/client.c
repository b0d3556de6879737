/* Talking to machines that run in other processes. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "monitor/layers.h"
#include "monitor/places.h"
#include "monitor/session.h"
#include "monitor/sockets.h"

enum { REPLY_MOST = 16 << 20 };

/* ---- one request ---------------------------------------------------------------- */

/* The next line, cut at its end; NULL when the other side is gone or slow. */
static char *
read_line(FILE *from, char **line, size_t *room)
{
	ssize_t length = getline(line, room, from);

	return length > 0 && length < REPLY_MOST ? *line : NULL;
}

/* Reads messages until the reply to request 1. */
static cJSON *
read_reply(FILE *from)
{
	char *line = NULL;
	size_t room = 0;
	cJSON *reply = NULL;

	while (!reply && read_line(from, &line, &room)) {
		reply = cJSON_Parse(line);
		if (!cJSON_HasObjectItem(reply, "id")) {
			cJSON_Delete(reply);
			reply = NULL;
		}
	}
	free(line);
	return reply;
}

/* {"execute": command, "id": 1, "arguments": …} as a line. */
static char *
make_request(const char *command, const char *arguments)
{
	cJSON *request = cJSON_CreateObject(), *parsed = arguments ? cJSON_Parse(arguments) : NULL;
	char *text;

	cJSON_AddStringToObject(request, "execute", command);
	cJSON_AddNumberToObject(request, "id", 1);
	if (parsed)
		cJSON_AddItemToObject(request, "arguments", parsed);
	text = cJSON_PrintUnformatted(request);
	cJSON_Delete(request);
	return text;
}

static char *
converse(int fd, const char *name, const char *command, const char *arguments, struct error *error)
{
	char *request = make_request(command, arguments), *result = NULL;
	FILE *stream = fdopen(fd, "r+");
	cJSON *reply = NULL;
	const char *why;

	if (!stream || !request) {
		error_set(error, errno, "out of memory");
		close(fd);
	} else {
		fprintf(stream, "%s\n", request);
		fflush(stream);
		reply = read_reply(stream);
		fclose(stream);
		why = cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetObjectItem(reply, "error"), "desc"));
		if (!reply)
			error_set(error, errno, "the machine %s does not answer", name);
		else if (why)
			error_set(error, 0, "%s", why);
		else
			result = cJSON_Print(cJSON_GetObjectItem(reply, "return"));
	}
	cJSON_Delete(reply);
	free(request);
	return result;
}

char *
isomorph_control(const char *name, const char *command, const char *arguments, unsigned seconds, char *error)
{
	struct timeval wait = { .tv_sec = seconds };
	struct error why = { 0 };
	int fd = socket_connect(name, "control", &why);
	char *result = NULL;

	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
		result = converse(fd, name, command, arguments, &why);
	}
	if (!result)
		text_format(error, ISOMORPH_ERROR, "%s", why.text);
	return result;
}

/* ---- a console --------------------------------------------------------------------- */

static const char keys_help[] = "\nCtrl-a d  leave; the machine goes on\n"
				"Ctrl-a x  end the machine\n"
				"Ctrl-a h  this help\n"
				"Ctrl-a Ctrl-a  send one Ctrl-a\n";

/* Sends what was typed; false when that was the key to leave. */
static bool
take_keys(struct terminal *t, int fd, const char *name, const char *data, ssize_t count)
{
	char error[ISOMORPH_ERROR];

	for (ssize_t i = 0; i < count; i++) {
		int key = terminal_key(t, (unsigned char)data[i]);

		if (key == TERMINAL_SEND)
			terminal_write(fd, &data[i], 1);
		else if (key == 'd')
			return false;
		else if (key == 'x')
			free(isomorph_control(name, "stop", NULL, 5, error));
		else if (key == 'h')
			terminal_write(t->out, keys_help, sizeof keys_help - 1);
	}
	return true;
}

/* True: left by key or by the end of input; false: the machine went away. */
static bool
exchange(struct terminal *t, int fd, const char *name)
{
	struct pollfd wait[2] = { { .fd = fd, .events = POLLIN }, { .fd = t->in, .events = POLLIN } };
	char data[4096];
	ssize_t got;

	for (;;) {
		if (poll(wait, 2, -1) < 0 && errno != EINTR)
			return false;
		if (wait[0].revents) {
			got = read(fd, data, sizeof data);
			if (got <= 0)
				return false;
			terminal_write(t->out, data, (size_t)got);
		}
		if (wait[1].revents) {
			got = read(t->in, data, sizeof data);
			if (got <= 0 && !t->raw)
				wait[1].fd = -1; /* a script's end: the output is still wanted */
			else if (got <= 0 || !take_keys(t, fd, name, data, got))
				return true;
		}
	}
}

int
isomorph_console(const char *name, const char *which)
{
	struct error error = { 0 };
	int fd = socket_connect(name, which, &error);
	struct terminal terminal;
	bool left;

	if (fd < 0) {
		fprintf(stderr, "isomorph %s: %s\n", which, error.text);
		return ISOMORPH_EXIT_FAILED;
	}
	terminal_open(&terminal, STDIN_FILENO, STDOUT_FILENO);
	if (terminal.raw)
		fprintf(stderr, "(%s of %s; Ctrl-a d leaves, Ctrl-a h helps)\n", which, name);
	left = exchange(&terminal, fd, name);
	terminal_close(&terminal);
	close(fd);
	if (terminal.raw)
		fprintf(stderr, left ? "\n(left; %s goes on)\n" : "\n(%s has ended)\n", name);
	return 0;
}

/* ---- all of them ---------------------------------------------------------------------- */

struct each {
	void (*call)(void *to, const char *name, bool runs);
	void *to;
	bool running_only;
};

static void
each_folder(void *to, const char *name)
{
	struct each *each = to;
	bool runs = places_runs(name);

	if (runs || !each->running_only)
		each->call(each->to, name, runs);
}

int
isomorph_each(bool all, void (*call)(void *to, const char *name, bool runs), void *to)
{
	struct each each = { call, to, !all };

	return places_each(all ? PLACE_MACHINE : PLACE_RUN, each_folder, &each, NULL);
}

struct clone {
	const char *of;
	char name[64];
};

static void
look_for_clone(void *to, const char *name)
{
	struct clone *clone = to;

	if (layers_stands_on(name, clone->of))
		text_format(clone->name, sizeof clone->name, "%s", name);
}

int
isomorph_remove(const char *name, char *error)
{
	struct error why = { 0 };
	struct clone clone = { .of = name };
	char path[PATH_MAX];
	int lock = -1;

	if (!*name || strchr(name, '/') || name[0] == '.' || places_path(PLACE_MACHINE, name, false, path, &why) ||
	    access(path, F_OK))
		error_set(&why, ENOENT, "there is no machine %s; `isomorph list --all` shows those that are", name);
	else
		places_each(PLACE_MACHINE, look_for_clone, &clone, &why);
	if (clone.name[0])
		error_set(&why, EBUSY, "the machine %s stands on disks of %s; `isomorph remove %s` first", clone.name, name,
			  clone.name);
	if (!why.set && (lock = places_lock(name, &why)) < 0 && why.code == EBUSY)
		text_format(why.text, sizeof why.text, "the machine %s runs; `isomorph stop %s` first", name, name);
	else if (lock >= 0 && !places_remove(path, &why) && !places_path(PLACE_RUN, name, false, path, &why))
		places_remove(path, &why);
	if (lock >= 0)
		close(lock);
	if (why.set)
		text_format(error, ISOMORPH_ERROR, "%s", why.text);
	return why.set ? -1 : 0;
}

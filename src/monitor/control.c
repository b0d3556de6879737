/* The control socket: JSON messages, one a line. doc/control-socket.md describes
 * it; commands.c has the commands. A line longer than 64 KiB, or a client that
 * does not read its replies, is disconnected.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "monitor/session.h"
#include "monitor/sockets.h"

static void
drop(struct control_client *client)
{
	event_remove(client->event);
	close(client->fd);
	free(client->line);
	client->line = NULL;
	client->fd = -1;
}

/* Sends one message as a line and frees it. A socket's buffer holds 200 KiB;
 * replies that do not fit wait a second. */
static void
say(struct control_client *client, cJSON *message)
{
	char *text = cJSON_PrintUnformatted(message);
	struct timeval second = { .tv_sec = 1 };
	size_t size, at = 0;

	cJSON_Delete(message);
	if (!text)
		return;
	size = strlen(text);
	text[size++] = '\n';
	setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
	while (at < size) {
		ssize_t put = send(client->fd, text + at, size - at, MSG_NOSIGNAL);

		if (put <= 0)
			break;
		at += (size_t)put;
	}
	free(text);
	if (at < size)
		drop(client);
}

static void
answer(struct control_client *client, const char *line)
{
	cJSON *request = cJSON_Parse(line), *reply = cJSON_CreateObject(), *result = NULL;
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(request, "id");
	const char *command = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(request, "execute"));
	struct error error = { 0 };

	if (!cJSON_IsObject(request))
		error_set(&error, 0, "a JSON object is wanted, on one line");
	else if (!command)
		error_set(&error, 0, "\"execute\" is wanted: the name of a command");
	else
		result = command_run(client->session, command, cJSON_GetObjectItemCaseSensitive(request, "arguments"),
				     &error);
	if (result) {
		cJSON_AddItemToObject(reply, "return", result);
	} else {
		cJSON *why = cJSON_AddObjectToObject(reply, "error");

		cJSON_AddStringToObject(why, "desc", error.text);
		cJSON_AddNumberToObject(why, "errno", error.code);
	}
	if (id)
		cJSON_AddItemToObject(reply, "id", cJSON_Duplicate(id, true));
	cJSON_Delete(request);
	say(client, reply);
}

static void
client_ready(void *owner, unsigned what)
{
	struct control_client *client = owner;
	ssize_t got = recv(client->fd, client->line + client->used, CONTROL_LINE - client->used, MSG_DONTWAIT);
	char *end;

	(void)what;
	if (got <= 0) {
		if (!got || errno != EAGAIN)
			drop(client);
		return;
	}
	client->used += (size_t)got;
	while (client->fd >= 0 && (end = memchr(client->line, '\n', client->used))) {
		size_t length = (size_t)(end - client->line) + 1;

		*end = 0;
		if (client->line[strspn(client->line, " \t\r")])
			answer(client, client->line);
		if (client->fd < 0)
			return;
		client->used -= length;
		memmove(client->line, client->line + length, client->used);
	}
	if (client->used == CONTROL_LINE)
		drop(client);
}

static void
accept_ready(void *owner, unsigned what)
{
	struct session *session = owner;
	struct control *c = &session->control;
	int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
	unsigned i = 0;
	cJSON *hello, *about;

	(void)what;
	if (fd < 0)
		return;
	while (i < CONTROL_CLIENTS && c->client[i].fd >= 0)
		i++;
	if (i == CONTROL_CLIENTS || !(c->client[i].line = malloc(CONTROL_LINE))) {
		close(fd);
		return;
	}
	c->client[i].fd = fd;
	c->client[i].used = 0;
	c->client[i].event = event_watch(session->loop, fd, EVENT_READ, client_ready, &c->client[i]);
	hello = cJSON_CreateObject();
	about = cJSON_AddObjectToObject(hello, "isomorph");
	cJSON_AddStringToObject(about, "version", ISOMORPH_VERSION);
	cJSON_AddNumberToObject(about, "protocol", 1);
	cJSON_AddStringToObject(about, "machine", session->name);
	say(&c->client[i], hello);
}

void
control_event(struct session *session, const char *event, cJSON *data)
{
	cJSON *message = cJSON_CreateObject(), *stamp;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	cJSON_AddStringToObject(message, "event", event);
	stamp = cJSON_AddObjectToObject(message, "timestamp");
	cJSON_AddNumberToObject(stamp, "seconds", (double)now.tv_sec);
	cJSON_AddNumberToObject(stamp, "microseconds", (double)(now.tv_nsec / 1000));
	if (data)
		cJSON_AddItemToObject(message, "data", data);
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		if (session->control.client[i].fd >= 0)
			say(&session->control.client[i], cJSON_Duplicate(message, true));
	cJSON_Delete(message);
}

int
control_open(struct session *session, struct error *error)
{
	struct control *c = &session->control;

	c->listener = -1;
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		c->client[i] = (struct control_client){ .session = session, .fd = -1 };
	if (!session->name)
		return 0;
	c->listener = socket_listen(session->name, "control", error);
	if (c->listener < 0)
		return -1;
	c->accept = event_watch(session->loop, c->listener, EVENT_READ, accept_ready, session);
	return 0;
}

void
control_close(struct session *session)
{
	struct control *c = &session->control;

	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		if (c->client[i].fd >= 0)
			drop(&c->client[i]);
	if (c->listener >= 0) {
		event_remove(c->accept);
		close(c->listener);
	}
	c->listener = -1;
}

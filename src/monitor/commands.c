/* What can be asked of a running machine, by the control socket and in the
 * monitor behind Ctrl-a c. doc/control-socket.md describes each.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "migrate/snapshot.h"
#include "monitor/layers.h"

static cJSON *
nothing(void)
{
	return cJSON_CreateObject();
}

static cJSON *
status(struct session *session, const cJSON *arguments, struct error *error)
{
	const struct machine_config *config = &session->config->machine;
	cJSON *reply = cJSON_CreateObject();

	(void)arguments;
	(void)error;
	cJSON_AddStringToObject(reply, "name", session->name ? session->name : "");
	cJSON_AddStringToObject(reply, "status", session->paused ? "paused" : "running");
	cJSON_AddNumberToObject(reply, "pid", getpid());
	cJSON_AddStringToObject(reply, "arch", config->arch);
	cJSON_AddNumberToObject(reply, "cpus", config->cpus);
	cJSON_AddNumberToObject(reply, "memory", (double)config->memory);
	return reply;
}

static cJSON *
configuration(struct session *session, const cJSON *arguments, struct error *error)
{
	(void)arguments;
	(void)error;
	return cJSON_Duplicate(session->config->document, true);
}

static cJSON *
pause_machine(struct session *session, const cJSON *arguments, struct error *error)
{
	(void)arguments;
	(void)error;
	if (!session->paused) {
		machine_pause(session->machine);
		session->paused = true;
		control_event(session, "paused", NULL);
	}
	return nothing();
}

static cJSON *
resume_machine(struct session *session, const cJSON *arguments, struct error *error)
{
	(void)arguments;
	(void)error;
	if (session->paused) {
		session->paused = false;
		machine_resume(session->machine);
		control_event(session, "resumed", NULL);
	}
	return nothing();
}

static cJSON *
power_down(struct session *session, const cJSON *arguments, struct error *error)
{
	if (session->paused && !resume_machine(session, arguments, error))
		return NULL;
	if (machine_powerdown(session->machine))
		return nothing();
	error_set(error, ENOTSUP, "this machine has no power button; shut it down from inside, or end it (stop --now)");
	return NULL;
}

static cJSON *
stop(struct session *session, const cJSON *arguments, struct error *error)
{
	(void)arguments;
	(void)error;
	session_end(session, SESSION_OUTSIDE);
	return nothing();
}

/* ---- inspect ---------------------------------------------------------------- */

static void
add_line(void *to, const char *line)
{
	cJSON_AddItemToArray(to, cJSON_CreateString(line));
}

static cJSON *
inspect(struct session *session, const cJSON *arguments, struct error *error)
{
	cJSON *reply = cJSON_CreateObject(), *lines = cJSON_AddArrayToObject(reply, "state");
	struct state *s = state_print(add_line, lines);

	(void)arguments;
	/* Pauses nest. */
	machine_pause(session->machine);
	machine_state(session->machine, s);
	machine_resume(session->machine);
	if (!state_close(s, error))
		return reply;
	cJSON_Delete(reply);
	return NULL;
}

/* ---- snapshots ---------------------------------------------------------------- */

/* The machine is paused: what its disks are now is frozen, then its RAM and state
 * are written. */
static int
take_snapshot(struct session *session, const char *folder, struct error *error)
{
	cJSON *about = cJSON_CreateObject();
	char *options = config_text(session->config);
	int failed;

	cJSON_AddItemToObject(about, "options", cJSON_Parse(options));
	failed = layers_push(session, cJSON_AddArrayToObject(about, "disks"), error) ||
		 snapshot_save(session->machine, folder, about, error);
	free(options);
	cJSON_Delete(about);
	return failed ? -1 : 0;
}

static cJSON *
save_snapshot(struct session *session, const cJSON *arguments, struct error *error)
{
	const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(arguments, "snapshot"));
	uint64_t start = clock_nanoseconds();
	char folder[PATH_MAX];
	cJSON *reply;
	int failed;

	if (!session->name) {
		error_set(error, EINVAL, "a machine needs a --name for snapshots of it to be kept");
		return NULL;
	}
	if (snapshots_path(session->name, name ? name : "default", true, folder, error))
		return NULL;
	machine_pause(session->machine);
	failed = take_snapshot(session, folder, error);
	machine_resume(session->machine);
	if (failed)
		return NULL;
	control_event(session, "snapshot-saved", cJSON_CreateString(folder));
	reply = cJSON_CreateObject();
	cJSON_AddStringToObject(reply, "folder", folder);
	cJSON_AddNumberToObject(reply, "milliseconds", (double)((clock_nanoseconds() - start) / 1000000));
	return reply;
}

static cJSON *commands(struct session *session, const cJSON *arguments, struct error *error);

static const struct {
	const char *name, *what;
	cJSON *(*run)(struct session *session, const cJSON *arguments, struct error *error);
} table[] = {
	{ "status", "name, status, process, size", status },
	{ "configuration", "the options, as in its machine file", configuration },
	{ "pause", "stop all vCPUs", pause_machine },
	{ "resume", "let them go on", resume_machine },
	{ "powerdown", "ask the guest to shut down", power_down },
	{ "stop", "end the machine at once", stop },
	{ "inspect", "the state of every CPU and device, by name", inspect },
	{ "snapshot-save", "write RAM, state and disks to a snapshot", save_snapshot },
	{ "commands", "this list", commands },
};

static cJSON *
commands(struct session *session, const cJSON *arguments, struct error *error)
{
	cJSON *reply = cJSON_CreateObject();

	(void)session;
	(void)arguments;
	(void)error;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		cJSON_AddStringToObject(reply, table[i].name, table[i].what);
	return reply;
}

cJSON *
command_run(struct session *session, const char *name, const cJSON *arguments, struct error *error)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (!strcmp(table[i].name, name)) {
			if (session->machine)
				return table[i].run(session, arguments, error);
			error_set(error, EAGAIN, "the machine is not there yet, or no more");
			return NULL;
		}
	error_set(error, ENOSYS, "there is no command %s; \"commands\" lists them", name);
	return NULL;
}

void
command_each(void (*each)(void *to, const char *name, const char *what), void *to)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		each(to, table[i].name, table[i].what);
}

/* The verbs of machines that run: list, inspect, stop, pause, resume, console,
 * shell, and remove. Each talks to the machine's control socket.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "isomorph/machine.h"

static const char list_help[] =
	"usage: isomorph list [--all] [--json]\n\n"
	"Lists the machines that run.\n\n"
	"  --all       also those that do not run but are kept\n"
	"  --json      for programs: an array of objects\n\n"
	"example: isomorph list --all\n";
static const char inspect_help[] =
	"usage: isomorph inspect [--json] NAME\n\n"
	"Shows a running machine's options and the state of every CPU and device, by name.\n\n"
	"example: isomorph inspect debian-trixie | grep '^cpu0'\n";
static const char stop_help[] =
	"usage: isomorph stop [--now] [--timeout SECONDS] NAME\n\n"
	"Asks a machine to shut down and waits until it has.\n\n"
	"  --now       end it at once, as by pulling the plug\n"
	"  --timeout SECONDS\n"
	"              how long to wait (60); it runs on if it has not ended by then\n\n"
	"example: isomorph stop debian-trixie\n";
static const char pause_help[] =
	"usage: isomorph pause NAME\n\n"
	"Stops all CPUs of a machine until `isomorph resume`.\n\n"
	"example: isomorph pause debian-trixie\n";
static const char resume_help[] =
	"usage: isomorph resume NAME\n\n"
	"Lets a paused machine go on.\n\n"
	"example: isomorph resume debian-trixie\n";
static const char console_help[] =
	"usage: isomorph console NAME\n\n"
	"Connects this terminal to the machine's console. Ctrl-a d leaves, Ctrl-a h helps.\n\n"
	"example: isomorph console debian-trixie\n";
static const char shell_help[] =
	"usage: isomorph shell NAME\n\n"
	"Connects this terminal to the machine's second console, on which a Debian image\n"
	"has a root shell. Ctrl-a d leaves, Ctrl-a h helps.\n\n"
	"example: isomorph shell debian-trixie\n";
static const char remove_help[] =
	"usage: isomorph remove NAME\n\n"
	"Removes a machine that does not run: its options, its disk, its snapshots.\n\n"
	"example: isomorph remove debian-trixie\n";

/* What stands on the command line of such a verb. */
struct words {
	const char *name;
	bool all, json, now;
	unsigned timeout;
};

/* Takes one option; 0, or 2 after saying what is wrong. known: those of the verb. */
static int
take_option(struct words *w, int argc, char **argv, int *i, const char *known)
{
	const char *option = argv[*i];
	char *end;

	if (!strstr(known, option))
		return cli_usage(argv[0], "there is no option %s", option);
	if (!strcmp(option, "--all"))
		w->all = true;
	else if (!strcmp(option, "--json"))
		w->json = true;
	else if (!strcmp(option, "--now"))
		w->now = true;
	else if (++*i == argc || (w->timeout = (unsigned)strtoul(argv[*i], &end, 10), *end || !w->timeout))
		return cli_usage(argv[0], "--timeout: seconds are wanted");
	return 0;
}

/* -1: go on; else the exit code. */
static int
take_words(struct words *w, int argc, char **argv, const char *help, const char *known, bool named)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return fputs(help, stdout), 0;
		if (argv[i][0] == '-') {
			int code = take_option(w, argc, argv, &i, known);

			if (code)
				return code;
		} else if (!named || w->name) {
			return cli_usage(argv[0], "%s: one NAME %s", argv[i], named ? "only" : "too many");
		} else {
			w->name = argv[i];
		}
	}
	return named && !w->name ? cli_usage(argv[0], "which machine? `isomorph list` shows them") : -1;
}

static int
failed(const char *verb, const char *error)
{
	fprintf(stderr, "isomorph %s: %s\n", verb, error);
	return ISOMORPH_EXIT_FAILED;
}

/* The reply to a command as JSON; NULL: error says why. */
static cJSON *
ask(const char *name, const char *command, char *error)
{
	char *text = isomorph_control(name, command, NULL, 30, error);
	cJSON *reply = text ? cJSON_Parse(text) : NULL;

	free(text);
	return reply;
}

/* ---- list --------------------------------------------------------------------------- */

static void
add_machine(void *to, const char *name, bool runs)
{
	char error[ISOMORPH_ERROR];
	cJSON *machine = runs ? ask(name, "status", error) : NULL;

	if (!machine) {
		machine = cJSON_CreateObject();
		cJSON_AddStringToObject(machine, "name", name);
		cJSON_AddStringToObject(machine, "status", runs ? "starting" : "off");
	}
	cJSON_AddItemToArray(to, machine);
}

static const char *
text_of(const cJSON *machine, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(machine, key));

	return text ? text : "";
}

static void
print_machine(const cJSON *machine)
{
	const cJSON *memory = cJSON_GetObjectItem(machine, "memory");

	printf("%-20s %-9s", text_of(machine, "name"), text_of(machine, "status"));
	if (memory)
		printf(" %-8s %4d %7.0fM %8d", text_of(machine, "arch"), cJSON_GetObjectItem(machine, "cpus")->valueint,
		       memory->valuedouble / (1 << 20), cJSON_GetObjectItem(machine, "pid")->valueint);
	putchar('\n');
}

int
cli_list(int argc, char **argv)
{
	struct words w = { 0 };
	int code = take_words(&w, argc, argv, list_help, "--all --json", false);
	cJSON *machines, *machine;
	char *text;

	if (code >= 0)
		return code;
	machines = cJSON_CreateArray();
	isomorph_each(w.all, add_machine, machines);
	if (w.json) {
		text = cJSON_Print(machines);
		puts(text ? text : "[]");
		free(text);
	} else if (!cJSON_GetArraySize(machines)) {
		fputs(w.all ? "no machines\n" : "no machine runs (`isomorph list --all` shows those that are kept)\n", stderr);
	} else {
		printf("%-20s %-9s %-8s %4s %8s %8s\n", "NAME", "STATUS", "ARCH", "CPUS", "MEMORY", "PID");
		cJSON_ArrayForEach(machine, machines)
			print_machine(machine);
	}
	cJSON_Delete(machines);
	return 0;
}

/* ---- inspect -------------------------------------------------------------------------- */

static int
show_inspected(const cJSON *options, const cJSON *state, bool json)
{
	const cJSON *lines = cJSON_GetObjectItem(state, "state"), *line;
	char *text;

	if (json) {
		cJSON *both = cJSON_CreateObject();

		cJSON_AddItemReferenceToObject(both, "options", (cJSON *)options);
		cJSON_AddItemReferenceToObject(both, "state", (cJSON *)lines);
		text = cJSON_Print(both);
		puts(text ? text : "{}");
		cJSON_Delete(both);
	} else {
		text = cJSON_Print(options);
		puts(text ? text : "");
		cJSON_ArrayForEach(line, lines)
			puts(line->valuestring);
	}
	free(text);
	return 0;
}

int
cli_inspect(int argc, char **argv)
{
	char error[ISOMORPH_ERROR];
	struct words w = { 0 };
	int code = take_words(&w, argc, argv, inspect_help, "--json", true);
	cJSON *options, *state = NULL;

	if (code >= 0)
		return code;
	options = ask(w.name, "configuration", error);
	if (options)
		state = ask(w.name, "inspect", error);
	code = state ? show_inspected(options, state, w.json) : failed("inspect", error);
	cJSON_Delete(options);
	cJSON_Delete(state);
	return code;
}

/* ---- stop, pause, resume ---------------------------------------------------------------- */

struct search {
	const char *name;
	bool runs;
};

static void
compare_name(void *to, const char *name, bool runs)
{
	struct search *search = to;

	if (!strcmp(name, search->name))
		search->runs = runs;
}

static bool
still_runs(const char *name)
{
	struct search search = { .name = name };

	isomorph_each(false, compare_name, &search);
	return search.runs;
}

int
cli_stop(int argc, char **argv)
{
	struct timespec tenth = { .tv_nsec = 100000000 };
	char error[ISOMORPH_ERROR];
	struct words w = { .timeout = 60 };
	int code = take_words(&w, argc, argv, stop_help, "--now --timeout", true);
	cJSON *reply;

	if (code >= 0)
		return code;
	reply = ask(w.name, w.now ? "stop" : "powerdown", error);
	cJSON_Delete(reply);
	if (!reply && still_runs(w.name))
		return failed("stop", error);
	for (unsigned tenths = 0; still_runs(w.name); tenths++) {
		if (tenths == w.timeout * 10) {
			snprintf(error, sizeof error, "%s has not shut down in %u seconds; `isomorph stop --now %s` ends it",
				 w.name, w.timeout, w.name);
			return failed("stop", error);
		}
		nanosleep(&tenth, NULL);
	}
	return 0;
}

static int
simple(int argc, char **argv, const char *help)
{
	char error[ISOMORPH_ERROR];
	struct words w = { 0 };
	int code = take_words(&w, argc, argv, help, "", true);
	cJSON *reply;

	if (code >= 0)
		return code;
	reply = ask(w.name, argv[0], error);
	cJSON_Delete(reply);
	return reply ? 0 : failed(argv[0], error);
}

int
cli_pause(int argc, char **argv)
{
	return simple(argc, argv, pause_help);
}

int
cli_resume(int argc, char **argv)
{
	return simple(argc, argv, resume_help);
}

/* ---- console, shell, remove ---------------------------------------------------------------- */

int
cli_console(int argc, char **argv)
{
	struct words w = { 0 };
	int code = take_words(&w, argc, argv, console_help, "", true);

	return code >= 0 ? code : isomorph_console(w.name, "console");
}

int
cli_shell(int argc, char **argv)
{
	struct words w = { 0 };
	int code = take_words(&w, argc, argv, shell_help, "", true);

	return code >= 0 ? code : isomorph_console(w.name, "shell");
}

int
cli_remove(int argc, char **argv)
{
	char error[ISOMORPH_ERROR];
	struct words w = { 0 };
	int code = take_words(&w, argc, argv, remove_help, "", true);

	if (code >= 0)
		return code;
	return isomorph_remove(w.name, error) ? failed("remove", error) : 0;
}

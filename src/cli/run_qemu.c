/* What qemu-user's users have: its options where they differ from ours, its
 * names, its environment variables. Taken when the program is called by one of
 * qemu's names, so that it can stand in the place of the other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/run_state.h"

/* Properties behind the model's name: v and vlen count, of others the guest has what
 * the translator has. */
static int
set_properties(struct run_state *s, const char *text)
{
	bool vector = s->options.vlen;
	char vlen[8] = "128";

	for (const char *at = strchr(text, ','); at; at = strchr(at + 1, ',')) {
		if (!strncmp(at, ",v=", 3))
			vector = !strncmp(at + 3, "true", 4) || !strncmp(at + 3, "on", 2);
		else if (!strncmp(at, ",vlen=", 6))
			snprintf(vlen, sizeof vlen, "%.*s", (int)strcspn(at + 6, ","), at + 6);
	}
	return run_set_vlen(s, vector ? vlen : "0");
}

/* The guest sees the most that the translator supports; a model of a real
 * processor, which would show less, is not offered. */
static int
set_cpu(struct run_state *s, const char *value)
{
	if (!strcmp(value, "help")) {
		puts("Available CPUs:\n  max");
		s->done = true;
		return 0;
	}
	if (!strcmp(value, "max") || !strcmp(value, "any") || !strcmp(value, "rv64") || !strncmp(value, "max,", 4) ||
	    !strncmp(value, "rv64,", 5))
		return set_properties(s, value);
	return cli_usage("run", "-cpu %s: choose max", value);
}

static int
set_page_size(struct run_state *s, const char *value)
{
	(void)s;
	if (strtoul(value, NULL, 0) == 4096)
		return 0;
	return cli_usage("run", "-p %s: pages have 4096 bytes here", value);
}

/* Where guest memory lies is ours to say; the guest cannot tell. */
static int
check_number(struct run_state *s, const char *value)
{
	char *end;

	(void)s;
	strtoull(value, &end, 0);
	return end == value ? cli_usage("run", "%s: a number is wanted", value) : 0;
}

/* -E A=B,C=D and -U A,C; a value with a comma in it is not to be had so. */
static int
each_word(struct run_state *s, const char *value, int (*take)(struct run_state *, const char *))
{
	char *text = strdup(value), *save, *at;
	int code = text ? 0 : 125;

	for (at = text ? strtok_r(text, ",", &save) : NULL; at && !code; at = strtok_r(NULL, ",", &save)) {
		char *word = strdup(at); /* stays: the options borrow it */

		code = word ? take(s, word) : 125;
	}
	free(text);
	return code;
}

static int
set_variables(struct run_state *s, const char *value)
{
	return each_word(s, value, run_set_variable);
}

static int
unset_variables(struct run_state *s, const char *value)
{
	return each_word(s, value, run_unset_variable);
}

/* -d: its words for our stages. */
static int
set_log(struct run_state *s, const char *value)
{
	static const char *const stage[][2] = { { "in_asm", "guest" }, { "op", "lift" }, { "out_asm", "emit" } };
	static char stages[64];
	char text[256], *save;

	snprintf(text, sizeof text, "%s", value);
	stages[0] = 0;
	for (char *at = strtok_r(text, ",", &save); at; at = strtok_r(NULL, ",", &save)) {
		size_t i = 0;

		if (!strcmp(at, "strace")) {
			s->options.strace = true;
			continue;
		}
		while (i < sizeof stage / sizeof stage[0] && strcmp(at, stage[i][0]) != 0)
			i++;
		if (i == sizeof stage / sizeof stage[0])
			return cli_usage("run", "-d %s: choose from in_asm, op, out_asm, strace", at);
		if (!strstr(stages, stage[i][1]))
			snprintf(stages + strlen(stages), sizeof stages - strlen(stages), "%s%s", stages[0] ? "," : "",
				 stage[i][1]);
	}
	s->options.dump = stages[0] ? stages : NULL;
	return 0;
}

const struct run_option run_qemu_options[] = {
	{ "-cpu", RUN_CALL_VALUE, 0, set_cpu },
	{ "-B", RUN_CALL_VALUE, 0, check_number },
	{ "-R", RUN_CALL_VALUE, 0, check_number },
	{ "-p", RUN_CALL_VALUE, 0, set_page_size },
	{ "-E", RUN_CALL_VALUE, 0, set_variables },
	{ "-U", RUN_CALL_VALUE, 0, unset_variables },
	{ "-d", RUN_CALL_VALUE, 0, set_log },
	{ "-seed", RUN_CALL_VALUE, 0, check_number },
	{ NULL, RUN_CALL_VALUE, 0, NULL },
};

/* Variable and the option that it stands for; options on the command line come
 * after and win. */
static const char *const variables[][2] = {
	{ "QEMU_LD_PREFIX", "-L" }, { "QEMU_SET_ENV", "-E" },	{ "QEMU_UNSET_ENV", "-U" },
	{ "QEMU_ARGV0", "-0" },	    { "QEMU_UNAME", "-r" },	{ "QEMU_STACK_SIZE", "-s" },
	{ "QEMU_CPU", "-cpu" },	    { "QEMU_GUEST_BASE", "-B" }, { "QEMU_RESERVED_VA", "-R" },
	{ "QEMU_PAGESIZE", "-p" },  { "QEMU_LOG", "-d" },	{ "QEMU_LOG_FILENAME", "-D" },
	{ "QEMU_GDB", "-g" },	    { "QEMU_RAND_SEED", "-seed" },
};

int
run_qemu_environment(struct run_state *s)
{
	int code = 0;

	for (size_t i = 0; !code && i < sizeof variables / sizeof variables[0]; i++) {
		char *words[2] = { (char *)variables[i][1], getenv(variables[i][0]) };
		int at = 0;

		if (words[1])
			code = run_take_option(s, 2, words, &at);
	}
	if (getenv("QEMU_STRACE"))
		s->options.strace = true;
	return code;
}

/* ---- names --------------------------------------------------------------------- */

/* (isomorph|qemu)-GUEST[-static][-binfmt-P] */
bool
run_name_parse(const char *path, struct run_name *name)
{
	static const char *const guests[] = { "riscv64", "aarch64" };
	const char *slash = strrchr(path, '/'), *at = slash ? slash + 1 : path;

	*name = (struct run_name){ .qemu = !strncmp(at, "qemu-", 5) };
	if (!name->qemu && strncmp(at, "isomorph-", 9) != 0)
		return false;
	at += name->qemu ? 5 : 9;
	for (size_t i = 0; i < sizeof guests / sizeof guests[0]; i++) {
		size_t length = strlen(guests[i]);

		if (strncmp(at, guests[i], length) != 0)
			continue;
		at += length;
		if (!strncmp(at, "-static", 7))
			at += 7;
		name->preserve = !strcmp(at, "-binfmt-P");
		return !*at || name->preserve;
	}
	return false;
}

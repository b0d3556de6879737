/* isomorph run: options to struct isomorph_process_options. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/run_state.h"
#include "isomorph/size.h"

#ifndef AT_FLAGS_PRESERVE_ARGV0
#define AT_FLAGS_PRESERVE_ARGV0 1ul /* linux/binfmts.h */
#endif

static const char run_help[] =
	"usage: isomorph run [OPTION…] PROGRAM [ARGUMENT…]\n\n"
	"Runs a Linux program of another instruction set (riscv64, aarch64) as if it were the\n"
	"machine's own. Ends with the program's exit code, or by its signal.\n\n"
	"  -L DIRECTORY        root of the guest's libraries: absolute paths that exist\n"
	"                      below it mean the files there\n"
	"  -E VARIABLE=VALUE   set in the program's environment\n"
	"  -U VARIABLE         not in the program's environment\n"
	"  -0 NAME             argv[0] of the program\n"
	"  -s SIZE             stack limit (bytes, or K M G)\n"
	"  -r RELEASE          kernel release that uname shows\n"
	"  -strace             log system calls\n"
	"  -d STAGE,…          log stages of translation: guest lift regalloc emit\n"
	"  -g, --gdb PORT|PATH wait for gdb on a port of this machine, or on a socket\n"
	"  -D FILE             log to FILE instead of standard error\n"
	"  -version, --version print the version\n"
	"  -h, --help          this text\n"
	"  --accel HOW         translate (the default), interpret, or lockstep: both,\n"
	"                      compared\n"
	"  --tier N            highest tier of translation: 1 (the default), or 2, which\n"
	"                      optimizes loops\n"
	"  --cache DIR         keep translations in DIR, so that the next start is quicker\n"
	"                      (~/.cache/isomorph/translations if there is a ~/.cache);\n"
	"                      off: keep none\n"
	"  --vlen BITS         riscv64: vector registers (V) of 128 or 256 bits; 0 (the\n"
	"                      default): none\n"
	"  --stats             print counters and times at the end\n"
	"For tests of isomorph itself:\n"
	"  -B                  guest memory in a window, not at its own addresses\n"
	"  --force-faults      every instruction that can fault does so once\n"
	"  --baseline          use x86-64-v2 instructions only\n"
	"  --baseline-v3       use x86-64-v3 instructions only\n"
	"  --lockstep-sample N compare one region in N\n"
	"  --max-insns N       guest instructions a region may have\n"
	"  --loop-heat N       jumps back after which a loop is optimized\n\n"
	"Options may be given in ISOMORPH_RUN too, separated by blanks.\n\n"
	"example: isomorph run -L build/root/riscv64 /usr/bin/python3 -c 'print(6 * 7)'\n";

static bool
parse_size(const char *text, uint64_t *bytes)
{
	return isomorph_size_parse(text, "KMG", bytes);
}

static bool
parse_count(const char *text, unsigned *count)
{
	uint64_t value;

	if (!parse_size(text, &value) || !value || value > UINT32_MAX)
		return false;
	*count = (unsigned)value;
	return true;
}

/* ---- options, each with what it does --------------------------------------- */

int
run_set_variable(struct run_state *s, const char *value)
{
	if (!strchr(value, '=') || value[0] == '=')
		return cli_usage("run", "-E %s: VARIABLE=VALUE is wanted", value);
	if (s->set_count == s->room)
		return cli_usage("run", "-E %s: too many variables", value);
	s->set[s->set_count++] = (char *)value;
	return 0;
}

int
run_unset_variable(struct run_state *s, const char *value)
{
	if (!*value || strchr(value, '='))
		return cli_usage("run", "-U %s: the name of a variable is wanted", value);
	if (s->unset_count == s->room)
		return cli_usage("run", "-U %s: too many variables", value);
	s->unset[s->unset_count++] = (char *)value;
	return 0;
}

static int
set_stack(struct run_state *s, const char *value)
{
	if (!parse_size(value, &s->options.stack_bytes) || !s->options.stack_bytes)
		return cli_usage("run", "-s %s: a size is wanted, such as 8M", value);
	return 0;
}

static int
set_sample(struct run_state *s, const char *value)
{
	if (!parse_count(value, &s->options.lockstep_sample))
		return cli_usage("run", "--lockstep-sample %s: a number from 1 is wanted", value);
	return 0;
}

static int
set_insns(struct run_state *s, const char *value)
{
	if (!parse_count(value, &s->options.max_insns))
		return cli_usage("run", "--max-insns %s: a number from 1 is wanted", value);
	return 0;
}

static int
set_tier(struct run_state *s, const char *value)
{
	if (strcmp(value, "1") != 0 && strcmp(value, "2") != 0)
		return cli_usage("run", "--tier %s: choose 1 or 2", value);
	s->options.tier = (unsigned)(value[0] - '0');
	return 0;
}

static int
set_heat(struct run_state *s, const char *value)
{
	uint64_t heat;

	if (!parse_size(value, &heat) || heat > INT32_MAX)
		return cli_usage("run", "--loop-heat %s: a number is wanted", value);
	s->options.loop_heat = (unsigned)heat;
	return 0;
}

static int
set_accel(struct run_state *s, const char *value)
{
	if (strcmp(value, "translate") != 0 && strcmp(value, "interpret") != 0 &&
	    strcmp(value, "lockstep") != 0)
		return cli_usage("run", "--accel %s: choose translate, interpret or lockstep", value);
	s->options.accel = value;
	return 0;
}

int
run_set_vlen(struct run_state *s, const char *value)
{
	if (strcmp(value, "0") != 0 && strcmp(value, "128") != 0 && strcmp(value, "256") != 0)
		return cli_usage("run", "--vlen %s: choose 0, 128 or 256", value);
	s->options.vlen = (unsigned)strtoul(value, NULL, 10);
	return 0;
}

static int
set_baseline(struct run_state *s, const char *value)
{
	(void)value;
	s->options.baseline = 2;
	return 0;
}

static int
set_baseline_v3(struct run_state *s, const char *value)
{
	(void)value;
	s->options.baseline = 3;
	return 0;
}

static int
show_help(struct run_state *s, const char *value)
{
	(void)value;
	fputs(run_help, stdout);
	s->done = true;
	return 0;
}

static int
show_version(struct run_state *s, const char *value)
{
	(void)value;
	puts("isomorph " ISOMORPH_VERSION);
	s->done = true;
	return 0;
}

#define FIELD(name) offsetof(struct isomorph_process_options, name)

static const struct run_option options[] = {
	{ "-L", RUN_TEXT, FIELD(sysroot), NULL },
	{ "-E", RUN_CALL_VALUE, 0, run_set_variable },
	{ "-U", RUN_CALL_VALUE, 0, run_unset_variable },
	{ "-0", RUN_TEXT, FIELD(argv0), NULL },
	{ "-s", RUN_CALL_VALUE, 0, set_stack },
	{ "-r", RUN_TEXT, FIELD(uname_release), NULL },
	{ "-strace", RUN_FLAG, FIELD(strace), NULL },
	{ "-d", RUN_TEXT, FIELD(dump), NULL },
	{ "-g", RUN_TEXT, FIELD(gdb), NULL },
	{ "--gdb", RUN_TEXT, FIELD(gdb), NULL },
	{ "-D", RUN_TEXT, FIELD(log_file), NULL },
	{ "-B", RUN_FLAG, FIELD(guest_base), NULL },
	{ "--accel", RUN_CALL_VALUE, 0, set_accel },
	{ "--cache", RUN_TEXT, FIELD(cache), NULL },
	{ "--stats", RUN_FLAG, FIELD(stats), NULL },
	{ "--force-faults", RUN_FLAG, FIELD(force_faults), NULL },
	{ "--baseline", RUN_CALL, 0, set_baseline },
	{ "--baseline-v3", RUN_CALL, 0, set_baseline_v3 },
	{ "--lockstep-sample", RUN_CALL_VALUE, 0, set_sample },
	{ "--max-insns", RUN_CALL_VALUE, 0, set_insns },
	{ "--tier", RUN_CALL_VALUE, 0, set_tier },
	{ "--loop-heat", RUN_CALL_VALUE, 0, set_heat },
	{ "--vlen", RUN_CALL_VALUE, 0, run_set_vlen },
	{ "--handover", RUN_TEXT, FIELD(handover), NULL },
	{ "--help", RUN_CALL, 0, show_help },
	{ "-h", RUN_CALL, 0, show_help },
	{ "-version", RUN_CALL, 0, show_version },
	{ "--version", RUN_CALL, 0, show_version },
};

static const struct run_option *
find_option(const struct run_state *s, const char *name)
{
	for (const struct run_option *o = run_qemu_options; s->name.qemu && o->name; o++)
		if (!strcmp(o->name, name))
			return o;
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
		if (!strcmp(options[i].name, name))
			return &options[i];
	return NULL;
}

int
run_take_option(struct run_state *s, int argc, char **argv, int *i)
{
	const struct run_option *option = find_option(s, argv[*i]);
	char *field;

	if (!option)
		return cli_usage("run", "there is no option %s", argv[*i]);
	++*i;
	field = (char *)&s->options + option->field;
	switch (option->kind) {
	case RUN_FLAG:
		*(bool *)field = true;
		return 0;
	case RUN_CALL:
		return option->call(s, NULL);
	case RUN_TEXT:
	case RUN_CALL_VALUE:
		break;
	}
	if (*i == argc)
		return cli_usage("run", "%s needs a value", option->name);
	if (option->kind == RUN_CALL_VALUE)
		return option->call(s, argv[(*i)++]);
	*(const char **)field = argv[(*i)++];
	return 0;
}

/* ISOMORPH_RUN's words as options; the text is cut up in place. */
static int
take_environment(struct run_state *s, char *text)
{
	char *word[64], *save;
	int count = 0, code = 0;

	for (char *at = strtok_r(text, " \t\n", &save); at; at = strtok_r(NULL, " \t\n", &save)) {
		if (count == 64)
			return cli_usage("run", "ISOMORPH_RUN has too many words");
		word[count++] = at;
	}
	for (int i = 0; i < count && !code;)
		code = run_take_option(s, count, word, &i);
	return code;
}

static bool
same_name(const char *variable, const char *name)
{
	size_t length = strcspn(name, "=");

	return !strncmp(variable, name, length) && variable[length] == '=';
}

/* The environment with -E and -U done: in order, the last -E of a name wins. */
static char **
make_environment(const struct run_state *s)
{
	size_t count = 0, n = 0;
	char **list;

	while (environ[count])
		count++;
	list = calloc(count + s->set_count + 1, sizeof *list);
	for (size_t i = 0; list && i < count; i++) {
		bool drop = false;

		for (size_t k = 0; k < s->unset_count; k++)
			drop |= same_name(environ[i], s->unset[k]);
		for (size_t k = 0; k < s->set_count; k++)
			drop |= same_name(environ[i], s->set[k]);
		if (!drop)
			list[n++] = environ[i];
	}
	for (size_t i = 0; list && i < s->set_count; i++) {
		bool again = false;

		for (size_t k = i + 1; k < s->set_count; k++)
			again |= same_name(s->set[k], s->set[i]);
		if (!again)
			list[n++] = s->set[i];
	}
	return list;
}

/* What is left of argv once options are taken: the program and its arguments. */
static int
run_program(struct run_state *s, int argc, char **argv, int i)
{
	int code;

	if (i == argc)
		return cli_usage("run", "which PROGRAM?");
	s->options.program = argv[i];
	if (s->name.preserve && i + 1 < argc)
		i++;
	s->options.argv = argv + i;
	s->options.envp = make_environment(s);
	if (getauxval(AT_EXECFD))
		s->options.execfd = (int)getauxval(AT_EXECFD);
	code = s->options.envp ? isomorph_process_run(&s->options) : 125;
	free(s->options.envp);
	return code;
}

int
cli_run(int argc, char **argv)
{
	char *environment = getenv("ISOMORPH_RUN"), *words = environment ? strdup(environment) : NULL;
	struct run_state s = { .options = { .execfd = -1, .tier = 1, .loop_heat = 5000 }, .room = (size_t)argc + 64 };
	int i = 1, code = 125;

	if (argc)
		run_name_parse(argv[0], &s.name);
	/* The kernel's word for the flag P of binfmt_misc. Then argv has no
	 * options: what looks like one is the program's name. */
	if (getauxval(AT_FLAGS) & AT_FLAGS_PRESERVE_ARGV0)
		s.name.preserve = true;
	s.set = calloc(s.room, sizeof *s.set);
	s.unset = calloc(s.room, sizeof *s.unset);
	if (!s.set || !s.unset || (environment && !words)) {
		fputs("isomorph run: out of memory\n", stderr);
		goto out;
	}
	code = s.name.qemu ? run_qemu_environment(&s) : 0;
	if (!code && words)
		code = take_environment(&s, words);
	while (!code && !s.done && !s.name.preserve && i < argc && argv[i][0] == '-' && argv[i][1]) {
		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		code = run_take_option(&s, argc, argv, &i);
	}
	if (!code && !s.done)
		code = run_program(&s, argc, argv, i);
out:
	free(s.set);
	free(s.unset);
	free(words);
	return code;
}

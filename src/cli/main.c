/* isomorph VERB …: finds the verb and runs it. Called by the name of a guest
 * (isomorph-riscv64, qemu-riscv64-static) it is `isomorph run`.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/run_state.h"

struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
};

static int help(int argc, char **argv);
static int version(int argc, char **argv);

static const struct verb verbs[] = {
	{ "run", cli_run, "run a program of another instruction set" },
	{ "disasm", cli_disasm, "show the instructions of a program" },
	{ "explain", cli_explain, "show how instructions are translated" },
	{ "binfmt", cli_binfmt, "have the kernel run such programs by itself" },
	{ "cache", cli_cache, "translations that are kept on disk" },
	{ "boot", cli_system, "run a machine" },
	{ "list", cli_system, "list machines" },
	{ "inspect", cli_system, "show the state of a machine" },
	{ "stop", cli_system, "shut a machine down, or end it" },
	{ "pause", cli_system, "stop a machine's CPUs" },
	{ "resume", cli_system, "let a paused machine go on" },
	{ "console", cli_system, "the console of a machine" },
	{ "shell", cli_system, "a shell in a machine" },
	{ "snapshot", cli_system, "keep a machine as it is, go back to it" },
	{ "image", cli_system, "base images of machines" },
	{ "remove", cli_system, "remove a machine" },
	{ "help", help, "this text, or `isomorph help VERB`" },
	{ "version", version, "the version" },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct verb *
find_verb(const char *name)
{
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static int
help(int argc, char **argv)
{
	char *ask[] = { NULL, (char *)"--help", NULL };

	if (argc > 1) {
		const struct verb *verb = find_verb(argv[1]);

		if (!verb)
			return fprintf(stderr, "isomorph: there is no verb %s; `isomorph help` lists them\n", argv[1]), 2;
		if (verb->run != help && verb->run != version) {
			ask[0] = argv[1];
			return verb->run(2, ask);
		}
	}
	puts("usage: isomorph VERB …\n\n"
	     "Runs Linux programs and whole machines of other instruction sets (riscv64, aarch64).\n");
	for (size_t i = 0; i < COUNT(verbs); i++)
		printf("  %-9s %s\n", verbs[i].name, verbs[i].what);
	puts("\nexample: isomorph run -L build/root/riscv64 /usr/bin/python3\n"
	     "`isomorph VERB --help` says more.");
	return 0;
}

static int
version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("isomorph " ISOMORPH_VERSION);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *name = argc && argv[0] ? argv[0] : "isomorph";
	const struct verb *verb;
	struct run_name ours;

	if (run_name_parse(name, &ours))
		return cli_run(argc, argv);
	if (argc < 2) {
		fputs("isomorph: no verb given; `isomorph help` lists them\n", stderr);
		return 2;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return help(1, argv + 1);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-version"))
		return version(1, argv + 1);
	verb = find_verb(argv[1]);
	if (!verb) {
		fprintf(stderr, "isomorph: there is no verb %s; `isomorph help` lists them\n", argv[1]);
		return 2;
	}
	return verb->run(argc - 1, argv + 1);
}

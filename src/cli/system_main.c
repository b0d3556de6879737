/* isomorph-system: the verbs of machines. `isomorph VERB …` executes it with
 * the verb as its name; called by its own name it takes the verb from argv[1].
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{ "boot", cli_boot }, { "list", cli_list }, { "inspect", cli_inspect }, { "stop", cli_stop },
	{ "pause", cli_pause }, { "resume", cli_resume }, { "console", cli_console }, { "shell", cli_shell },
	{ "snapshot", cli_snapshot }, { "image", cli_image }, { "remove", cli_remove },
};

int
main(int argc, char **argv)
{
	for (int from = 0; from < 2 && from < argc; from++)
		for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
			if (!strcmp(argv[from], verbs[i].name))
				return verbs[i].run(argc - from, argv + from);
	fputs("isomorph-system: call `isomorph VERB …`; `isomorph help` lists the verbs\n", stderr);
	return 2;
}

/* isomorph disasm and isomorph explain: for people who look inside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "isomorph/explain.h"

static const char disasm_help[] =
	"usage: isomorph disasm FILE\n\n"
	"Shows the instructions of every executable part of an ELF file, with symbols.\n\n"
	"example: isomorph disasm build/demo/riscv64/usr/bin/busybox\n";

static const char explain_help[] =
	"usage: isomorph explain FILE[:PLACE]\n\n"
	"Shows, for the region of code that starts at PLACE (a symbol or a hexadecimal\n"
	"address; the entry point when there is none), each guest instruction, the IR it\n"
	"becomes, and the host instructions, with where the guest's state is.\n\n"
	"example: isomorph explain build/demo/riscv64/usr/lib/riscv64-linux-gnu/libm.so.6:cbrt\n";

/* The one argument of a verb; NULL after --help or an error, *code the exit
 * code. */
static char *
one_file(int argc, char **argv, const char *help, int *code)
{
	*code = 0;
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return NULL;
	}
	if (argc == 2 && (argv[1][0] != '-' || !argv[1][1]))
		return argv[1];
	if (argc > 1 && argv[1][0] == '-')
		*code = cli_usage(argv[0], "there is no option %s", argv[1]);
	else
		*code = cli_usage(argv[0], argc < 2 ? "which FILE?" : "one FILE only");
	return NULL;
}

int
cli_disasm(int argc, char **argv)
{
	int code;
	char *file = one_file(argc, argv, disasm_help, &code);

	return file ? isomorph_disassemble(file, 1) : code;
}

int
cli_explain(int argc, char **argv)
{
	int code;
	char *file = one_file(argc, argv, explain_help, &code);
	char *colon;

	if (!file)
		return code;
	colon = strrchr(file, ':');
	/* A file's name may have a colon in it. */
	if (colon && access(file, F_OK) == 0)
		colon = NULL;
	if (colon)
		*colon++ = 0;
	if (colon && !*colon)
		return cli_usage(argv[0], "%s: which PLACE?", file);
	return isomorph_explain(file, colon, 1);
}

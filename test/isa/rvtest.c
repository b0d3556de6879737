/* rvtest: makes and judges test programs for riscv64. See test/isa/README.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/random.h"
#include "isa/sweep.h"
#include "isa/values.h"

static const char usage[] =
	"usage: rvtest random EXTENSION SEED BLOCKS RUNS GROUP OUTPUT\n"
	"           EXTENSION+: what QEMU's user mode lacks, too\n"
	"       rvtest sweep OPERANDS OUTPUT\n"
	"       rvtest sweep-check OPERANDS <OUTPUT-OF-THE-PROGRAM\n"
	"       rvtest values TABLE OUTPUT\n"
	"       rvtest values-check TABLE <OUTPUT-OF-THE-PROGRAM\n"
	"       rvtest text PC BITS\n"
	"       rvtest extensions\n";

static unsigned
number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 0);

	if (*end || !*text || value > 100000000)
		rv_die("not a number: %s", text);
	return (unsigned)value;
}

static int
make_random(char **args)
{
	struct random_options options = {
		.extension = args[0], .seed = number(args[1]), .blocks = number(args[2]),
		.runs = number(args[3]), .group = number(args[4]),
	};

	char *plus = strchr(args[0], '+');

	if (plus) {
		*plus = 0;
		options.full = true;
	}
	if (!random_extension_known(options.extension))
		rv_die("no extension %s", options.extension);
	if (!options.blocks || !options.runs || !options.group)
		rv_die("blocks, runs and group must not be 0");
	printf("%u\n", random_program(&options, args[5]));
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 8 && !strcmp(argv[1], "random"))
		return make_random(argv + 2);
	if (argc == 4 && !strcmp(argv[1], "sweep")) {
		sweep_program(number(argv[2]), argv[3]);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "sweep-check"))
		return !sweep_check(number(argv[2]));
	if (argc == 4 && !strcmp(argv[1], "values")) {
		values_program(argv[2], argv[3]);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "values-check"))
		return !values_check(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "text")) {
		char text[128];

		riscv64_disassemble(text, sizeof(text), strtoull(argv[2], NULL, 16),
				    (uint32_t)strtoul(argv[3], NULL, 16), 0);
		puts(text);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "extensions")) {
		for (unsigned i = 0; i < RV_EXT_COUNT; i++)
			if (random_extension_known(riscv64_extension_name(i)))
				puts(riscv64_extension_name(i));
		puts("mix\nillegal");
		return 0;
	}
	fputs(usage, stderr);
	return 2;
}

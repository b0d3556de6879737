/* How a verb says that it was called wrongly. */
#include <stdarg.h>
#include <stdio.h>

#include "cli/cli.h"

int
cli_usage(const char *verb, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "isomorph %s: ", verb);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, " (isomorph %s --help)\n", verb);
	return 2;
}

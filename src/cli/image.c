/* isomorph image: the base images that machines stand on. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "isomorph/machine.h"

static const char image_help[] =
	"usage: isomorph image list\n"
	"       isomorph image pull IMAGE\n"
	"       isomorph image remove NAME\n\n"
	"Base images: made once, by `pull` or when `isomorph boot --image` first needs one,\n"
	"and shared by all machines.\n\n"
	"  IMAGE       debian or debian:SUITE, from the Debian mirror that apt uses here\n"
	"  NAME        as `list` shows it\n\n"
	"example: isomorph image pull debian:trixie\n";

static void
print_image(void *to, const char *name, const char *path, bool whole)
{
	char file[4200];
	struct stat st;

	(void)to;
	snprintf(file, sizeof file, "%s/root.img", path);
	if (whole && !stat(file, &st))
		printf("%-28s %6lld MiB  %s\n", name, (long long)st.st_blocks / 2048, path);
	else
		printf("%-28s %10s  %s\n", name, "incomplete", path);
}

static int
fail(const char *error)
{
	fprintf(stderr, "isomorph image: %s\n", error);
	return ISOMORPH_EXIT_FAILED;
}

int
cli_image(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	char error[ISOMORPH_ERROR];

	if (!strcmp(what, "--help") || !strcmp(what, "-h"))
		return fputs(image_help, stdout), 0;
	if (!strcmp(what, "list") && argc == 2)
		return isomorph_image_each(print_image, NULL);
	if (!strcmp(what, "pull") && argc == 3)
		return isomorph_image_make(argv[2], NULL, error) ? fail(error) : 0;
	if (!strcmp(what, "remove") && argc == 3)
		return isomorph_image_remove(argv[2], error) ? fail(error) : 0;
	return cli_usage("image", "list, pull IMAGE or remove NAME is wanted");
}

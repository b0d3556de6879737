/* isomorph image: the base images that machines stand on. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "isomorph/machine.h"
#include "isomorph/size.h"

static const char image_help[] =
	"usage: isomorph image list\n"
	"       isomorph image pull IMAGE\n"
	"       isomorph image create FILE SIZE\n"
	"       isomorph image create FILE [SIZE] --base IMAGE_FILE\n"
	"       isomorph image remove NAME\n\n"
	"Base images: made once, by `pull` or when `isomorph boot --image` first needs one,\n"
	"and shared by all machines.\n\n"
	"`create` makes an empty disk image (qcow2), or one on top of another: what is\n"
	"written to it stays in it.\n\n"
	"  IMAGE       debian or debian:SUITE, from the Debian mirror that apt uses here\n"
	"  NAME        as `list` shows it\n"
	"  SIZE        such as 20G\n\n"
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

/* FILE [SIZE] [--base FILE] */
static int
create(int argc, char **argv)
{
	const char *file = NULL, *size = NULL, *base = NULL;
	uint64_t bytes = 0;
	char error[ISOMORPH_ERROR];

	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--base") && i + 1 < argc)
			base = argv[++i];
		else if (argv[i][0] == '-' || (file && size))
			return cli_usage("image", "create FILE SIZE, or FILE --base FILE, is wanted, not %s", argv[i]);
		else
			*(file ? &size : &file) = argv[i];
	}
	if (!file || (!size && !base))
		return cli_usage("image", "create wants a FILE and its SIZE, or --base");
	if (size && (!isomorph_size_parse(size, "KMGT", &bytes) || !bytes))
		return cli_usage("image", "%s is no size; 20G is one", size);
	return isomorph_image_create(file, bytes, base, error) ? fail(error) : 0;
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
	if (!strcmp(what, "create"))
		return create(argc - 2, argv + 2);
	if (!strcmp(what, "remove") && argc == 3)
		return isomorph_image_remove(argv[2], error) ? fail(error) : 0;
	return cli_usage("image", "list, pull IMAGE, create FILE SIZE or remove NAME is wanted");
}

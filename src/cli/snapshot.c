/* isomorph snapshot: RAM, state and disks of a machine, kept and gone back to. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "isomorph/machine.h"

static const char snapshot_help[] =
	"usage: isomorph snapshot save NAME [SNAPSHOT]\n"
	"       isomorph snapshot list NAME\n"
	"       isomorph snapshot restore NAME [SNAPSHOT] [--detach] [--timeout SECONDS]\n"
	"       isomorph snapshot clone NAME [SNAPSHOT] CLONE\n"
	"       isomorph snapshot verify NAME [SNAPSHOT]\n"
	"       isomorph snapshot delete NAME SNAPSHOT\n\n"
	"Keeps a running machine as it is at one instant: RAM, devices, disks. It runs on\n"
	"then. A snapshot of the same name (`default` when there is none) is replaced.\n"
	"`restore` starts the machine again from there; what was written to its disks\n"
	"since is no longer seen, other snapshots stay. `clone` makes another machine of it,\n"
	"which `isomorph snapshot restore CLONE` starts, also while the first one runs.\n"
	"`verify` compares all of it, RAM too, with the checksums of when it was taken.\n\n"
	"  --detach    in the background\n"
	"  --timeout SECONDS\n"
	"              ends the machine after that\n\n"
	"example: isomorph snapshot save debian-trixie clean\n";

static int
fail(const char *error)
{
	fprintf(stderr, "isomorph snapshot: %s\n", error);
	return ISOMORPH_EXIT_FAILED;
}

static int
save(const char *name, const char *snapshot)
{
	char error[ISOMORPH_ERROR], *arguments, *reply;
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "snapshot", snapshot);
	arguments = cJSON_PrintUnformatted(object);
	reply = isomorph_control(name, "snapshot-save", arguments, 0, error);
	free(arguments);
	cJSON_Delete(object);
	free(reply);
	return reply ? 0 : fail(error);
}

static void
print_snapshot(void *to, const char *snapshot, long when, unsigned long long bytes)
{
	time_t seconds = when;
	char stamp[32] = "";
	struct tm tm;

	(void)to;
	if (localtime_r(&seconds, &tm))
		strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &tm);
	printf("%-24s %s %6llu MiB\n", snapshot, stamp, bytes >> 20);
}

static int
restore(int argc, char **argv, const char *name, const char *snapshot)
{
	struct isomorph_config *config = isomorph_config_new();
	char error[ISOMORPH_ERROR];
	int code = 0;

	if (!config)
		return fail("out of memory");
	if (isomorph_config_snapshot(config, name, snapshot, error))
		code = fail(error);
	for (int i = 0; i < argc && !code; i++) {
		if (!strcmp(argv[i], "--detach"))
			code = isomorph_config_set(config, "detach", NULL, error) ? fail(error) : 0;
		else if (!strcmp(argv[i], "--timeout") && ++i < argc)
			code = isomorph_config_set(config, "timeout", argv[i], error) ? cli_usage("snapshot", "%s", error) : 0;
		else
			code = cli_usage("snapshot", "restore takes --detach and --timeout SECONDS");
	}
	if (!code)
		code = isomorph_boot(config);
	isomorph_config_free(config);
	return code;
}

static int
clone(const char *name, const char *snapshot, const char *new)
{
	char error[ISOMORPH_ERROR];

	return isomorph_snapshot_clone(name, snapshot, new, error) ? fail(error) : 0;
}

int
cli_snapshot(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "", *name = argc > 2 ? argv[2] : NULL;
	bool named = argc > 3 && argv[3][0] != '-';
	const char *snapshot = named ? argv[3] : "default";
	int words = 3 + named;
	char error[ISOMORPH_ERROR];

	if (!strcmp(what, "--help") || !strcmp(what, "-h"))
		return fputs(snapshot_help, stdout), 0;
	if (!name || name[0] == '-')
		return cli_usage("snapshot", "save, list, restore, clone, verify or delete, and NAME, are wanted");
	if (!strcmp(what, "save") && argc == words)
		return save(name, snapshot);
	if (!strcmp(what, "list") && argc == 3)
		return isomorph_snapshot_each(name, print_snapshot, NULL, error) ? fail(error) : 0;
	if (!strcmp(what, "restore"))
		return restore(argc - words, argv + words, name, snapshot);
	if (!strcmp(what, "verify") && argc == words)
		return isomorph_snapshot_verify(name, snapshot, error) ? fail(error) : 0;
	if (!strcmp(what, "clone") && named && argc <= words + 1)
		return clone(name, argc > words ? snapshot : "default", argv[argc - 1]);
	if (!strcmp(what, "delete") && argc == 4)
		return isomorph_snapshot_delete(name, snapshot, error) ? fail(error) : 0;
	return cli_usage("snapshot", "save NAME [SNAPSHOT], list NAME, restore NAME [SNAPSHOT], clone NAME [SNAPSHOT] CLONE, "
				     "verify NAME [SNAPSHOT] or delete NAME SNAPSHOT is wanted");
}

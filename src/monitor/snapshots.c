/* Snapshots of named machines: machines/NAME/snapshots/SNAPSHOT. The machine
 * itself takes one when it is asked (commands.c); this is what any process may do
 * with them. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/snapshot.h"
#include "monitor/layers.h"
#include "monitor/places.h"

int
snapshots_path(const char *name, const char *snapshot, bool make, char path[PATH_MAX], struct error *error)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	char below[256];

	if (snapshot && (!*snapshot || snapshot[0] == '.' || strlen(snapshot) > 64 || snapshot[strspn(snapshot, letters)]))
		return error_set(error, EINVAL, "%s: a snapshot's name has up to 64 letters, digits and . _ -", snapshot);
	text_format(below, sizeof below, "%s/snapshots", name);
	if (!snapshot)
		return places_path(PLACE_MACHINE, below, make, path, error);
	return places_file(PLACE_MACHINE, below, snapshot, make, path, error);
}

/* A machine's name comes from the command line: no path. */
static int
check_name(const char *name, struct error *error)
{
	char path[PATH_MAX];

	if (!*name || strchr(name, '/') || name[0] == '.' || places_path(PLACE_MACHINE, name, false, path, error) ||
	    access(path, F_OK))
		return error_set(error, ENOENT, "there is no machine %s; `isomorph list --all` shows those that are", name);
	return 0;
}

static int
told(const struct error *why, char *error)
{
	if (why->set)
		text_format(error, ISOMORPH_ERROR, "%s", why->text);
	return why->set ? -1 : 0;
}

int
isomorph_snapshot_each(const char *name, void (*each)(void *to, const char *snapshot, long when, unsigned long long bytes),
		       void *to, char *error)
{
	struct error why = { 0 };
	char path[PATH_MAX], file[PATH_MAX];
	struct dirent **list = NULL;
	struct stat st, ram;
	int count = 0;

	if (!check_name(name, &why) && !snapshots_path(name, NULL, false, path, &why))
		count = scandir(path, &list, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		text_format(file, sizeof file, "%s/%s/manifest.json", path, list[i]->d_name);
		if (list[i]->d_name[0] != '.' && !stat(file, &st)) {
			text_format(file, sizeof file, "%s/%s/ram", path, list[i]->d_name);
			each(to, list[i]->d_name, (long)st.st_mtime, stat(file, &ram) ? 0 : (unsigned long long)ram.st_blocks * 512);
		}
		free(list[i]);
	}
	free(list);
	return told(&why, error);
}

/* The folder of a snapshot that there is. */
static int
find(const char *name, const char *snapshot, char path[PATH_MAX], struct error *error)
{
	if (check_name(name, error) || snapshots_path(name, snapshot, false, path, error))
		return -1;
	if (!access(path, F_OK))
		return 0;
	return error_set(error, ENOENT, "the machine %s has no snapshot %s; `isomorph snapshot list %s` shows those it has", name,
			 snapshot, name);
}

int
isomorph_snapshot_delete(const char *name, const char *snapshot, char *error)
{
	struct error why = { 0 };
	char path[PATH_MAX];
	int lock;

	if (!find(name, snapshot, path, &why) && !places_remove(path, &why) && (lock = places_lock(name, NULL)) >= 0) {
		layers_sweep(name);
		close(lock);
	}
	return told(&why, error);
}

int
isomorph_snapshot_verify(const char *name, const char *snapshot, char *error)
{
	struct error why = { 0 };
	struct snapshot *s = NULL;
	char path[PATH_MAX];

	if (!find(name, snapshot, path, &why) && (s = snapshot_open(path, &why)))
		snapshot_verify(s, &why);
	snapshot_close(s);
	return told(&why, error);
}

int
isomorph_snapshot_clone(const char *name, const char *snapshot, const char *clone, char *error)
{
	struct error why = { 0 };
	char path[PATH_MAX];

	if (!find(name, snapshot, path, &why))
		clone_make(path, clone, &why);
	return told(&why, error);
}

int
isomorph_config_snapshot(struct isomorph_config *config, const char *name, const char *snapshot, char *error)
{
	struct error why = { 0 };
	struct snapshot *s = NULL;
	char path[PATH_MAX];

	if (!find(name, snapshot, path, &why))
		s = snapshot_open(path, &why);
	if (s) {
		config_take(config, cJSON_GetObjectItemCaseSensitive(snapshot_about(s), "options"), path, &why);
		config->snapshot = config_copy(config, path);
		config->machine.restored = true;
		snapshot_close(s);
	}
	return told(&why, error);
}

/* Layers of disks (layers.h says what they are). */
#include "monitor/layers.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/disk/disk.h"
#include "backend/disk/qcow2.h"
#include "monitor/places.h"

enum { LAYERS_MOST = 1 << 20 }; /* numbers of layers; bytes of disks.json */

/* ---- disks.json ------------------------------------------------------------------- */

/* NULL: the file cannot be read, and nobody knows what is written to. One that is
 * not there yet is an empty map. */
static cJSON *
read_map(const char *name, struct error *error)
{
	char path[PATH_MAX], *text;
	cJSON *map;

	if (places_file(PLACE_MACHINE, name, "disks.json", false, path, error))
		return NULL;
	if (access(path, F_OK) && errno == ENOENT)
		return cJSON_CreateObject();
	text = places_read(path, LAYERS_MOST, error);
	if (!text)
		return NULL;
	map = cJSON_Parse(text);
	free(text);
	if (cJSON_IsObject(map))
		return map;
	cJSON_Delete(map);
	error_set(error, EINVAL, "%s is damaged: which layers the disks write to is not known; restore a snapshot", path);
	return NULL;
}

static int
write_map(const char *name, const cJSON *map, struct error *error)
{
	char path[PATH_MAX], *text = cJSON_Print(map);
	int failed = !text || places_file(PLACE_MACHINE, name, "disks.json", true, path, error) ||
		     places_write(path, text, error);

	free(text);
	return failed ? -1 : 0;
}

static void
set_layer(cJSON *map, unsigned number, const char *file)
{
	char key[16];

	text_format(key, sizeof key, "%u", number);
	cJSON_DeleteItemFromObjectCaseSensitive(map, key);
	cJSON_AddStringToObject(map, key, file);
}

/* A layer's name that is free. */
static int
free_layer(const char *name, unsigned number, char file[64], char path[PATH_MAX], struct error *error)
{
	for (unsigned n = 1; n < LAYERS_MOST; n++) {
		text_format(file, 64, "disk-%u.%u.qcow2", number, n);
		if (places_file(PLACE_MACHINE, name, file, true, path, error))
			return -1;
		if (access(path, F_OK))
			return 0;
	}
	return error_set(error, EEXIST, "%s: too many layers", path);
}

int
layers_apply(struct isomorph_config *config, struct error *error)
{
	struct machine_config *m = &config->machine;
	cJSON *map = read_map(m->name, error), *item;
	char path[PATH_MAX];

	if (!map)
		return -1;
	cJSON_ArrayForEach(item, map) {
		unsigned long number = strtoul(item->string, NULL, 10);
		const char *file = cJSON_GetStringValue(item);

		if (number >= m->disks || !file || strchr(file, '/'))
			continue;
		if (places_file(PLACE_MACHINE, m->name, file, false, path, error))
			break;
		m->disk[number].path = config_copy(config, path);
		m->disk[number].format = "qcow2";
	}
	cJSON_Delete(map);
	return error->set ? -1 : 0;
}

/* ---- freezing -------------------------------------------------------------------------- */

/* One disk gets a new layer; what it was goes to the list. */
static int
push(struct session *session, unsigned number, struct disk *disk, cJSON *map, cJSON *list, struct error *error)
{
	struct machine_disk *config = &session->config->machine.disk[number];
	char file[64], path[PATH_MAX], *frozen = realpath(disk_path(disk), NULL);
	cJSON *entry;

	if (!frozen || config->snapshot) {
		free(frozen);
		return error_set(error, EINVAL, "disk %u (%s) cannot be in a snapshot: what is written to it is not kept", number,
				 config->path);
	}
	if (free_layer(session->name, number, file, path, error) || disk_push_layer(disk, path, error)) {
		free(frozen);
		return -1;
	}
	entry = cJSON_CreateObject();
	cJSON_AddNumberToObject(entry, "number", number);
	cJSON_AddStringToObject(entry, "path", frozen);
	cJSON_AddStringToObject(entry, "format", config->format ? config->format : "qcow2");
	cJSON_AddNumberToObject(entry, "size", (double)disk_size(disk));
	cJSON_AddItemToArray(list, entry);
	config->format = "qcow2";
	set_layer(map, number, file);
	free(frozen);
	return 0;
}

int
layers_push(struct session *session, cJSON *list, struct error *error)
{
	cJSON *map = read_map(session->name, error);
	int failed = 0;

	if (!map)
		return -1;

	for (unsigned i = 0; i < session->config->machine.disks && !failed; i++) {
		struct disk *disk = machine_disk(session->machine, i);

		if (disk && !disk_read_only(disk))
			failed = push(session, i, disk, map, list, error);
	}
	/* Also after a failure: layers that were pushed are written to. */
	if (write_map(session->name, map, failed ? NULL : error))
		failed = -1;
	cJSON_Delete(map);
	return failed;
}

/* ---- what is in use ------------------------------------------------------------------------ */

/* What is in use, by file name, as members of `used`: a layer and all below it
 * that are in the machine's folder (qcow2: Header, bytes 8 to 20). */
static void
mark(cJSON *used, const char *folder, const char *path)
{
	char below[PATH_MAX];
	uint8_t head[20];
	uint64_t offset;
	uint32_t size;

	for (unsigned depth = 0; depth < 64; depth++) {
		const char *file = strrchr(path, '/');
		FILE *image = fopen(path, "re");
		bool whole = image && fread(head, 1, sizeof head, image) == sizeof head;

		file = file ? file + 1 : path;
		if (!strncmp(path, folder, strlen(folder)) && !cJSON_HasObjectItem(used, file))
			cJSON_AddTrueToObject(used, file);
		memcpy(&offset, head + 8, sizeof offset);
		memcpy(&size, head + 16, sizeof size);
		size = be32toh(size);
		whole = whole && !memcmp(head, "QFI\xfb", 4) && size && size < sizeof below &&
			!fseeko(image, (off_t)be64toh(offset), SEEK_SET) && fread(below, 1, size, image) == size;
		if (image)
			fclose(image);
		if (!whole)
			return;
		below[size] = 0;
		path = below;
	}
}

struct sweep {
	const char *name;
	char folder[PATH_MAX + 1]; /* with a slash behind it */
	cJSON *used;
	bool unsure; /* a snapshot could not be read: everything counts as used */
};

static void
mark_snapshot(struct sweep *sweep, const char *name, const char *snapshot)
{
	char path[PATH_MAX], file[PATH_MAX], *text = NULL;
	cJSON *manifest;
	const cJSON *disks, *entry;

	if (!snapshots_path(name, snapshot, false, path, NULL)) {
		text_format(file, sizeof file, "%s/manifest.json", path);
		text = places_read(file, 4 << 20, NULL);
	}
	manifest = text ? cJSON_Parse(text) : NULL;
	disks = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(manifest, "about"), "disks");
	sweep->unsure |= !cJSON_IsArray(disks);
	cJSON_ArrayForEach(entry, disks) {
		const char *frozen = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "path"));

		if (frozen)
			mark(sweep->used, sweep->folder, frozen);
	}
	cJSON_Delete(manifest);
	free(text);
}

static void
mark_snapshots(struct sweep *sweep, const char *name)
{
	const struct dirent *entry;
	char path[PATH_MAX];
	DIR *snapshots = snapshots_path(name, NULL, false, path, NULL) ? NULL : opendir(path);

	while (snapshots && (entry = readdir(snapshots)))
		if (entry->d_name[0] != '.')
			mark_snapshot(sweep, name, entry->d_name);
	if (snapshots)
		closedir(snapshots);
}

/* The layers that a machine's disks write to. */
static void
mark_disks(struct sweep *sweep, const char *name)
{
	cJSON *map = read_map(name, NULL), *item;
	char path[PATH_MAX], file[PATH_MAX];

	sweep->unsure |= !map;
	cJSON_ArrayForEach(item, map) {
		const char *layer = cJSON_GetStringValue(item);

		if (layer && !places_file(PLACE_MACHINE, name, layer, false, path, NULL) && realpath(path, file))
			mark(sweep->used, sweep->folder, file);
	}
	cJSON_Delete(map);
}

/* Clones stand on the layers of what they are clones of. */
static void
mark_other(void *to, const char *name)
{
	struct sweep *sweep = to;

	if (!strcmp(name, sweep->name))
		return;
	mark_snapshots(sweep, name);
	mark_disks(sweep, name);
}

/* Nothing is marked yet. False: there is no such machine. */
static bool
sweep_begin(struct sweep *sweep, const char *name)
{
	char path[PATH_MAX];

	*sweep = (struct sweep){ .name = name };
	if (places_path(PLACE_MACHINE, name, false, path, NULL) || !realpath(path, sweep->folder))
		return false;
	text_format(sweep->folder + strlen(sweep->folder), 2, "/");
	sweep->used = cJSON_CreateObject();
	return true;
}

/* Marks what the machine's snapshots, and other machines, stand on. */
static bool
sweep_open(struct sweep *sweep, const char *name)
{
	if (!sweep_begin(sweep, name))
		return false;
	mark_snapshots(sweep, name);
	places_each(PLACE_MACHINE, mark_other, sweep, NULL);
	return true;
}

bool
layers_stands_on(const char *name, const char *below)
{
	struct sweep sweep;
	bool stands;

	if (!sweep_begin(&sweep, below))
		return false;
	mark_other(&sweep, name);
	stands = sweep.used->child;
	cJSON_Delete(sweep.used);
	return stands;
}

/* ---- restoring -------------------------------------------------------------------------- */

/* The layer that disk number k is to write to: the one it wrote to before, if no
 * snapshot needs that (disks.json is good as it is, and nothing piles up), or else
 * a new name. */
static int
choose_layer(const struct sweep *sweep, const cJSON *map, unsigned k, char file[64], char path[PATH_MAX],
	     struct error *error)
{
	char key[16];
	const char *now;

	text_format(key, sizeof key, "%u", k);
	now = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(map, key));
	if (!now || strncmp(now, "disk-", 5) || strchr(now, '/') || strlen(now) >= 64 || sweep->unsure ||
	    cJSON_HasObjectItem(sweep->used, now))
		return free_layer(sweep->name, k, file, path, error);
	text_format(file, 64, "%s", now);
	return places_file(PLACE_MACHINE, sweep->name, file, true, path, error);
}

/* Puts an empty layer on the frozen image at path, in place of what is there. */
static int
replace_layer(const char *path, uint64_t size, const char *base, const char *format, struct error *error)
{
	char beside[PATH_MAX + 8];

	snprintf(beside, sizeof beside, "%s.new", path);
	unlink(beside);
	if (qcow2_create(beside, size, base, format, error))
		return -1;
	if (!rename(beside, path))
		return 0;
	error_set(error, errno, "%s: %s", path, strerror(errno));
	unlink(beside);
	return -1;
}

static int
restore(struct isomorph_config *config, const struct sweep *sweep, const cJSON *entry, const cJSON *before, cJSON *map,
	struct error *error)
{
	struct machine_config *m = &config->machine;
	const cJSON *number = cJSON_GetObjectItemCaseSensitive(entry, "number");
	const cJSON *size = cJSON_GetObjectItemCaseSensitive(entry, "size");
	const char *base = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "path"));
	const char *format = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "format"));
	char file[64], path[PATH_MAX];
	unsigned k;

	if (!cJSON_IsNumber(number) || !(number->valuedouble >= 0 && number->valuedouble < m->disks) || !base || !format ||
	    !cJSON_IsNumber(size) || !(size->valuedouble >= 0 && size->valuedouble < 9e15))
		return error_set(error, EINVAL, "the snapshot is damaged: its disks are not those of its options");
	k = (unsigned)number->valuedouble;
	if (choose_layer(sweep, before, k, file, path, error) ||
	    replace_layer(path, (uint64_t)size->valuedouble, base, format, error))
		return -1;
	m->disk[k].path = config_copy(config, path);
	m->disk[k].format = "qcow2";
	set_layer(map, k, file);
	return 0;
}

/* The map is written, and synced, only when it changes: that is slow on a busy disk. */
int
layers_restore(struct isomorph_config *config, const cJSON *list, struct error *error)
{
	const char *name = config->machine.name;
	cJSON *before = read_map(name, NULL), *map = cJSON_CreateObject();
	const cJSON *entry;
	struct sweep sweep;
	int failed = 0;

	if (!sweep_open(&sweep, name))
		failed = error_set(error, ENOENT, "there is no machine %s", name);
	cJSON_ArrayForEach(entry, list)
		failed = failed || restore(config, &sweep, entry, before, map, error);
	if (!failed && !cJSON_Compare(before, map, true))
		failed = write_map(name, map, error);
	cJSON_Delete(sweep.used);
	cJSON_Delete(before);
	cJSON_Delete(map);
	return failed ? -1 : 0;
}

/* ---- sweeping ------------------------------------------------------------------------------ */

static void
remove_unused(const struct sweep *sweep)
{
	DIR *folder = opendir(sweep->folder);
	const struct dirent *entry;
	char path[PATH_MAX];

	while (folder && (entry = readdir(folder))) {
		if (strncmp(entry->d_name, "disk-", 5) || cJSON_HasObjectItem(sweep->used, entry->d_name))
			continue;
		text_format(path, sizeof path, "%s%s", sweep->folder, entry->d_name);
		unlink(path);
	}
	if (folder)
		closedir(folder);
}

void
layers_sweep(const char *name)
{
	struct sweep sweep;

	if (!sweep_open(&sweep, name))
		return;
	mark_disks(&sweep, name);
	if (!sweep.unsure)
		remove_unused(&sweep);
	cJSON_Delete(sweep.used);
}

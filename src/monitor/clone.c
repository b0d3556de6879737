/* A new machine from a snapshot of another. RAM, state and checksums are files that
 * never change, so both have them under a name of their own (hard links), and pages
 * that nobody has written to are in the host's memory once. Disks are layers on
 * the same frozen images. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device/virtio/net.h"
#include "monitor/layers.h"
#include "monitor/places.h"

#define MANIFEST_MOST (4u << 20)

/* The guest knows its cards' addresses, which were made from the other's name. */
static void
keep_addresses(cJSON *options, const char *name)
{
	cJSON *nets = cJSON_DetachItemFromObjectCaseSensitive(options, "net"), *kept, *net;
	unsigned number = 0;

	if (cJSON_HasObjectItem(options, "bare"))
		return;
	if (!nets) {
		nets = cJSON_CreateArray();
		cJSON_AddItemToArray(nets, cJSON_CreateString("user"));
	}
	kept = cJSON_AddArrayToObject(options, "net");
	cJSON_ArrayForEach(net, nets) {
		const char *text = cJSON_IsString(net) ? net->valuestring : "";
		char with[512];
		uint8_t mac[6];

		virtio_net_make_mac(name, number++, mac);
		if (strstr(text, ",mac=") || !strcmp(text, "none"))
			text_format(with, sizeof with, "%s", text);
		else
			text_format(with, sizeof with, "%s,mac=%02x:%02x:%02x:%02x:%02x:%02x", text, mac[0], mac[1], mac[2], mac[3],
				    mac[4], mac[5]);
		cJSON_AddItemToArray(kept, cJSON_CreateString(with));
	}
	cJSON_Delete(nets);
}

/* The options in the manifest become the clone's. */
static int
rename_options(cJSON *manifest, const char *clone, cJSON **options, struct error *error)
{
	cJSON *about = cJSON_GetObjectItemCaseSensitive(manifest, "about"), *name;

	*options = cJSON_GetObjectItemCaseSensitive(about, "options");
	name = cJSON_GetObjectItemCaseSensitive(*options, "name");
	if (!cJSON_IsString(name))
		return error_set(error, EINVAL, "the snapshot is damaged: it does not say which machine it is of");
	keep_addresses(*options, name->valuestring);
	cJSON_DeleteItemFromObjectCaseSensitive(*options, "forward");
	cJSON_ReplaceItemInObjectCaseSensitive(*options, "name", cJSON_CreateString(clone));
	return 0;
}

/* Hard links, where the file system has them. */
static int
share_files(const char *from, const char *to, struct error *error)
{
	static const char *const files[] = { "ram", "state", "sums" };
	char old[PATH_MAX], new[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		text_format(old, sizeof old, "%s/%s", from, files[i]);
		text_format(new, sizeof new, "%s/%s", to, files[i]);
		if (link(old, new))
			return error_set(error, errno, "%s cannot be shared with %s: %s", old, new, strerror(errno));
	}
	return 0;
}

static int
write_json(const char *folder, const char *file, const cJSON *document, struct error *error)
{
	char path[PATH_MAX], *text = cJSON_Print(document);
	int failed;

	text_format(path, sizeof path, "%s/%s", folder, file);
	failed = text ? places_write(path, text, error) : error_set(error, ENOMEM, "out of memory");
	free(text);
	return failed;
}

/* The manifest last: without it there is no snapshot. */
static int
fill(const char *snapshot, const char *clone, cJSON *manifest, struct error *error)
{
	char folder[PATH_MAX], machine[PATH_MAX];
	cJSON *options;

	if (rename_options(manifest, clone, &options, error) || places_path(PLACE_MACHINE, clone, true, machine, error) ||
	    snapshots_path(clone, "default", true, folder, error))
		return -1;
	if (mkdir(folder, 0700))
		return error_set(error, errno, "%s: %s", folder, strerror(errno));
	if (write_json(machine, "machine.json", options, error) || share_files(snapshot, folder, error))
		return -1;
	return write_json(folder, "manifest.json", manifest, error);
}

int
clone_make(const char *snapshot, const char *clone, struct error *error)
{
	struct isomorph_config *check = isomorph_config_new();
	char path[PATH_MAX], file[PATH_MAX], *text = NULL;
	cJSON *manifest = NULL;
	int failed = !check || config_set(check, "name", clone, error) || places_path(PLACE_MACHINE, clone, false, path, error);
	int lock = -1;

	isomorph_config_free(check);
	if (!failed && !access(path, F_OK))
		failed = error_set(error, EEXIST, "there is a machine %s already", clone);
	if (failed || (lock = places_lock(clone, error)) < 0)
		return -1;
	text_format(file, sizeof file, "%s/manifest.json", snapshot);
	text = places_read(file, MANIFEST_MOST, error);
	manifest = text ? cJSON_Parse(text) : NULL;
	if (text && !manifest)
		error_set(error, EINVAL, "the snapshot is damaged: %s", file);
	failed = !manifest || fill(snapshot, clone, manifest, error);
	if (failed)
		places_remove(path, NULL);
	cJSON_Delete(manifest);
	free(text);
	close(lock);
	return failed ? -1 : 0;
}

/* Writing a snapshot (snapshot.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "migrate/snapshot_impl.h"

struct save {
	struct machine *machine;
	int folder; /* descriptor of the new one */
	cJSON *manifest;
	struct error *error;
	const char *path; /* for messages */
	int ram;
	struct sums sums;
};

static int
failed(struct save *s, const char *file)
{
	return error_set(s->error, errno, "%s/%s cannot be written: %s", s->path, file, strerror(errno));
}

static int
write_all(int fd, const void *data, size_t size, uint64_t offset)
{
	const char *at = data;

	while (size) {
		ssize_t put = pwrite(fd, at, size, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return -1;
		at += put;
		offset += (uint64_t)put;
		size -= (size_t)put;
	}
	return 0;
}

static int
write_file(struct save *s, const char *name, const void *data, size_t size)
{
	int fd = openat(s->folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int bad;

	if (fd < 0)
		return failed(s, name);
	bad = write_all(fd, data, size, 0) || fsync(fd);
	if (bad)
		failed(s, name);
	close(fd);
	return bad ? -1 : 0;
}

/* ---- RAM ---------------------------------------------------------------------- */

/* Writes the pages of a region that are not zero, runs at once. */
static int
write_region(struct save *s, const struct memory_region *region, uint64_t offset)
{
	uint64_t from = 0, to = region->size;

	while (from < to) {
		uint64_t end = from;

		for (; end < to && !page_is_zero(region->host + end); end += MEMORY_PAGE)
			sums_add(&s->sums, offset + end, region->host + end);
		if (end > from && write_all(s->ram, region->host + from, end - from, offset + from))
			return -1;
		from = end + MEMORY_PAGE;
	}
	return 0;
}

static uint64_t
ram_size(const struct memory *memory)
{
	uint64_t size = 0;

	for (unsigned i = 0; i < memory->count; i++)
		size += memory->region[i].borrowed ? 0 : memory->region[i].size;
	return size;
}

static int
write_regions(struct save *s)
{
	struct memory *memory = machine_memory(s->machine);
	cJSON *list = cJSON_AddArrayToObject(s->manifest, "ram");
	uint64_t offset = 0;

	for (unsigned i = 0; i < memory->count; i++) {
		const struct memory_region *region = &memory->region[i];
		cJSON *entry;

		if (region->borrowed)
			continue;
		entry = cJSON_CreateObject();
		cJSON_AddStringToObject(entry, "name", region->name);
		cJSON_AddNumberToObject(entry, "start", (double)region->start);
		cJSON_AddNumberToObject(entry, "size", (double)region->size);
		cJSON_AddNumberToObject(entry, "offset", (double)offset);
		cJSON_AddItemToArray(list, entry);
		if (write_region(s, region, offset))
			return -1;
		offset += region->size;
	}
	return 0;
}

static int
write_ram(struct save *s)
{
	uint64_t size = ram_size(machine_memory(s->machine));
	size_t sums = s->sums.count * sizeof *s->sums.sum;
	int bad = s->ram < 0 || write_regions(s) || ftruncate(s->ram, (off_t)size) || fsync(s->ram);

	if (bad)
		return failed(s, "ram");
	cJSON_AddNumberToObject(s->manifest, "ram-size", (double)size);
	cJSON_AddNumberToObject(s->manifest, "sums-crc32", (double)crc32_z(0, (const void *)s->sums.sum, sums));
	return write_file(s, "sums", s->sums.sum, sums);
}

/* ---- the rest -------------------------------------------------------------------- */

static int
write_state(struct save *s)
{
	struct state *stream = state_save();
	struct error why = { 0 };
	const void *data;
	size_t size;
	int bad;

	machine_state(s->machine, stream);
	data = state_data(stream, &size);
	cJSON_AddNumberToObject(s->manifest, "state-size", (double)size);
	cJSON_AddNumberToObject(s->manifest, "state-crc32", (double)crc32_z(0, data, size));
	bad = write_file(s, "state", data, size);
	if (state_close(stream, &why) && !bad)
		bad = error_set(s->error, why.code, "%s", why.text);
	return bad;
}

static int
write_manifest(struct save *s)
{
	char *text = cJSON_Print(s->manifest);
	int bad = text ? write_file(s, "manifest.json", text, strlen(text)) : error_set(s->error, ENOMEM, "out of memory");

	free(text);
	if (!bad && fsync(s->folder))
		bad = failed(s, "");
	return bad;
}

/* Removes a folder of ours: it has no folders in it. */
static void
remove_folder(const char *folder)
{
	static const char *const files[] = { "manifest.json", "state", "ram", "sums" };
	char path[4200];

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		text_format(path, sizeof path, "%s/%s", folder, files[i]);
		unlink(path);
	}
	rmdir(folder);
}

/* The new folder takes the place of the old one, if there is one. */
static int
exchange(const char *beside, const char *folder, struct error *error)
{
	bool old = !access(folder, F_OK);
	char parent[4200];
	char *slash;
	int fd;

	if (renameat2(AT_FDCWD, beside, AT_FDCWD, folder, old ? RENAME_EXCHANGE : RENAME_NOREPLACE))
		return error_set(error, errno, "%s cannot be put in place: %s", folder, strerror(errno));
	if (old)
		remove_folder(beside);
	text_format(parent, sizeof parent, "%s", folder);
	slash = strrchr(parent, '/');
	if (slash)
		*slash = 0;
	fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	return 0;
}

int
snapshot_save(struct machine *machine, const char *folder, const cJSON *about, struct error *error)
{
	char beside[4200];
	struct save s = { .machine = machine, .error = error, .path = folder };
	int bad = -1;

	text_format(beside, sizeof beside, "%s.new", folder);
	remove_folder(beside);
	if (mkdir(beside, 0700) || (s.folder = open(beside, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return error_set(error, errno, "%s: %s", beside, strerror(errno));
	s.ram = openat(s.folder, "ram", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (sums_init(&s.sums, ram_size(machine_memory(machine))))
		fatal("out of memory for a snapshot's checksums");
	s.manifest = cJSON_CreateObject();
	cJSON_AddNumberToObject(s.manifest, "format", SNAPSHOT_FORMAT);
	cJSON_AddItemToObject(s.manifest, "about", cJSON_Duplicate(about, true));
	if (!write_ram(&s) && !write_state(&s) && !write_manifest(&s))
		bad = exchange(beside, folder, error);
	cJSON_Delete(s.manifest);
	sums_fini(&s.sums);
	if (s.ram >= 0)
		close(s.ram);
	close(s.folder);
	if (bad)
		remove_folder(beside);
	return bad;
}

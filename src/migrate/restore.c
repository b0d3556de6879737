/* Reading a snapshot (snapshot.h). Nothing in its folder is trusted. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "migrate/snapshot_impl.h"

/* Opens a plain file of the folder; *size is its size, at most `most`. */
static int
open_file(const struct snapshot *s, const char *name, uint64_t most, uint64_t *size, struct error *error)
{
	char path[4200];
	struct stat st;
	int fd;

	text_format(path, sizeof path, "%s/%s", s->folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return error_set(error, errno, "the snapshot has no readable %s: %s: %s", name, path, strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > most) {
		close(fd);
		return error_set(error, EINVAL, "the snapshot is damaged: %s is no file of a size that can be", path);
	}
	*size = (uint64_t)st.st_size;
	return fd;
}

/* A file's bytes with a NUL behind them. */
static char *
read_file(const struct snapshot *s, const char *name, uint64_t most, uint64_t *size, struct error *error)
{
	int fd = open_file(s, name, most, size, error);
	char *data = fd < 0 ? NULL : calloc(1, *size + 1);
	uint64_t at = 0;
	ssize_t got = 1;

	for (; data && at < *size && got > 0; at += got > 0 ? (uint64_t)got : 0)
		got = read(fd, data + at, *size - at);
	if (fd >= 0)
		close(fd);
	if (data && at < *size) {
		error_set(error, EIO, "%s/%s cannot be read", s->folder, name);
		free(data);
		return NULL;
	}
	return data;
}

/* ---- the manifest ----------------------------------------------------------------- */

/* A whole number below 2^53; false: it is none. */
static bool
get_number(const cJSON *object, const char *key, uint64_t *value)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble >= 9007199254740992.0)
		return false;
	*value = (uint64_t)item->valuedouble;
	return (double)*value == item->valuedouble;
}

static int
damaged(const struct snapshot *s, const char *what, struct error *error)
{
	return error_set(error, EINVAL, "the snapshot is damaged: %s/manifest.json: %s", s->folder, what);
}

static int
take_region(struct snapshot *s, const cJSON *entry, struct error *error)
{
	struct snapshot_region *r = &s->region[s->regions];
	const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "name"));

	if (s->regions == SNAPSHOT_REGIONS || !name || strlen(name) >= sizeof r->name ||
	    !get_number(entry, "start", &r->start) || !get_number(entry, "size", &r->size) ||
	    !get_number(entry, "offset", &r->offset) || (r->start | r->size | r->offset) % MEMORY_PAGE || !r->size ||
	    r->offset + r->size > s->ram_size)
		return damaged(s, "ram", error);
	memcpy(r->name, name, strlen(name) + 1);
	s->regions++;
	return 0;
}

static int
take_manifest(struct snapshot *s, struct error *error)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(s->manifest, "ram"), *entry;
	uint64_t format, crc, sums;

	if (!cJSON_IsObject(s->manifest) || !get_number(s->manifest, "format", &format))
		return damaged(s, "is no manifest", error);
	if (format != SNAPSHOT_FORMAT)
		return error_set(error, EINVAL, "the snapshot %s is of format %llu; this program knows %u", s->folder,
				 (unsigned long long)format, SNAPSHOT_FORMAT);
	if (!get_number(s->manifest, "ram-size", &s->ram_size) || !get_number(s->manifest, "state-size", &s->state_size) ||
	    !get_number(s->manifest, "state-crc32", &crc) || crc > UINT32_MAX || s->state_size > SNAPSHOT_STATE_MOST)
		return damaged(s, "sizes", error);
	if (!get_number(s->manifest, "sums-crc32", &sums) || sums > UINT32_MAX)
		return damaged(s, "sums-crc32", error);
	s->state_crc = (uint32_t)crc;
	s->sums_crc = (uint32_t)sums;
	if (!cJSON_IsArray(list) || !cJSON_IsObject(snapshot_about(s)))
		return damaged(s, "ram or about is missing", error);
	cJSON_ArrayForEach(entry, list)
		if (take_region(s, entry, error))
			return -1;
	return 0;
}

struct snapshot *
snapshot_open(const char *folder, struct error *error)
{
	struct snapshot *s = calloc(1, sizeof *s);
	uint64_t size;
	char *text;

	if (!s)
		fatal("out of memory for a snapshot");
	s->ram = -1;
	text_format(s->folder, sizeof s->folder, "%s", folder);
	text = read_file(s, "manifest.json", SNAPSHOT_MANIFEST_MOST, &size, error);
	if (!text)
		goto fail;
	s->manifest = cJSON_Parse(text);
	free(text);
	if (take_manifest(s, error))
		goto fail;
	s->ram = open_file(s, "ram", UINT64_MAX, &size, error);
	if (s->ram < 0)
		goto fail;
	if (size == s->ram_size)
		return s;
	error_set(error, EINVAL, "the snapshot is damaged: %s/ram has %llu bytes, not %llu", s->folder,
		  (unsigned long long)size, (unsigned long long)s->ram_size);
fail:
	snapshot_close(s);
	return NULL;
}

void
snapshot_close(struct snapshot *s)
{
	if (!s)
		return;
	cJSON_Delete(s->manifest);
	if (s->ram >= 0)
		close(s->ram);
	free(s);
}

const cJSON *
snapshot_about(const struct snapshot *s)
{
	return cJSON_GetObjectItemCaseSensitive(s->manifest, "about");
}

/* ---- into a machine ------------------------------------------------------------------ */

static const struct snapshot_region *
find_region(const struct snapshot *s, const struct memory_region *region)
{
	for (unsigned i = 0; i < s->regions; i++)
		if (s->region[i].start == region->start && s->region[i].size == region->size &&
		    !strcmp(s->region[i].name, region->name))
			return &s->region[i];
	return NULL;
}

/* Every region of the machine has its part of the file, and no part is left. */
static int
map_ram(const struct snapshot *s, struct memory *memory, struct error *error)
{
	unsigned mapped = 0;

	for (unsigned i = 0; i < memory->count; i++) {
		const struct memory_region *region = &memory->region[i];
		const struct snapshot_region *r = region->borrowed ? NULL : find_region(s, region);

		if (region->borrowed)
			continue;
		if (!r)
			return error_set(error, EINVAL, "the snapshot %s is of another machine: it has no %s of %llu bytes",
					 s->folder, region->name, (unsigned long long)region->size);
		if (memory_map_file(memory, region->start, s->ram, r->offset, error))
			return -1;
		mapped++;
	}
	if (mapped != s->regions)
		return error_set(error, EINVAL, "the snapshot %s is of another machine: it has more memory", s->folder);
	return 0;
}

/* A small file, compared with its checksum in the manifest. NULL: *error. */
static char *
read_checked(const struct snapshot *s, const char *name, uint64_t most, uint32_t crc, uint64_t *size, struct error *error)
{
	char *data = read_file(s, name, most, size, error);

	if (!data || crc32_z(0, (const void *)data, *size) == crc)
		return data;
	free(data);
	error_set(error, EINVAL, "the snapshot is damaged: %s/%s is not what was written", s->folder, name);
	return NULL;
}

static char *
read_state(const struct snapshot *s, uint64_t *size, struct error *error)
{
	char *data = read_checked(s, "state", SNAPSHOT_STATE_MOST, s->state_crc, size, error);

	if (!data || *size == s->state_size)
		return data;
	free(data);
	error_set(error, EINVAL, "the snapshot is damaged: %s/state is not what was written", s->folder);
	return NULL;
}

static int
compare_ram(const struct snapshot *s, const uint32_t *written, uint64_t count, struct error *error)
{
	struct sums sums;
	int bad = 0;

	if (sums_init(&sums, s->ram_size))
		fatal("out of memory for a snapshot's checksums");
	if (count != sums.count)
		bad = error_set(error, EINVAL, "the snapshot is damaged: %s/sums is of other memory", s->folder);
	else if (sums_of_file(&sums, s->ram, s->ram_size))
		bad = error_set(error, errno, "%s/ram cannot be read: %s", s->folder, strerror(errno));
	for (uint64_t i = 0; i < count && !bad; i++)
		if (sums.sum[i] != written[i])
			bad = error_set(error, EINVAL, "the snapshot is damaged: %s/ram is not what was written, between bytes %llu and %llu",
					s->folder, (unsigned long long)(i * SUMS_CHUNK), (unsigned long long)((i + 1) * SUMS_CHUNK));
	sums_fini(&sums);
	return bad;
}

int
snapshot_verify(const struct snapshot *s, struct error *error)
{
	uint64_t size;
	char *data = read_state(s, &size, error);
	int bad;

	if (!data)
		return -1;
	free(data);
	data = read_checked(s, "sums", SNAPSHOT_SUMS_MOST, s->sums_crc, &size, error);
	if (!data)
		return -1;
	bad = compare_ram(s, (const uint32_t *)(const void *)data, size / sizeof(uint32_t), error);
	free(data);
	return bad;
}

int
snapshot_restore(const struct snapshot *s, struct machine *machine, struct error *error)
{
	struct error why = { 0 };
	struct state *stream;
	uint64_t size;
	char *data = read_state(s, &size, error);
	int bad;

	if (!data)
		return -1;
	bad = map_ram(s, machine_memory(machine), error);
	if (!bad) {
		stream = state_restore(data, size);
		machine_state(machine, stream);
		bad = state_close(stream, &why);
		if (bad)
			error_set(error, why.code, "the snapshot %s does not fit this machine: %s", s->folder, why.text);
	}
	free(data);
	return bad;
}

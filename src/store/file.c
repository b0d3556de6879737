/* A store that is read: its file is mapped, its records are found by its index.
 * Whatever the file says is checked against its size before it is believed; that
 * a record's bytes are sound is seen on a copy of them (store_sound). */
#include "store/store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#define DAY 86400

uint32_t
store_tag(uint64_t number, uint32_t mode)
{
	return (uint32_t)(((number ^ (uint64_t)mode << 40) * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

void
store_file_name(char *name, uint64_t key, uint64_t identity)
{
	text_format(name, STORE_NAME, "%016llx%016llx" STORE_SUFFIX, (unsigned long long)identity,
		    (unsigned long long)key);
}

long
store_file_open(int home, const char *name, uint64_t *size)
{
	struct stat status;
	long fd = RAW4(SYS_openat, home, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);

	if (raw_failed(fd))
		return fd;
	if (raw_failed(RAW2(SYS_fstat, fd, &status)) || !S_ISREG(status.st_mode) || (status.st_mode & 022) ||
	    status.st_uid != (uid_t)RAW0(SYS_geteuid) || status.st_size < (off_t)sizeof(struct store_header)) {
		RAW1(SYS_close, fd);
		return -EACCES;
	}
	*size = (uint64_t)status.st_size;
	return fd;
}

bool
store_header_sound(const struct store_header *h, uint64_t size)
{
	return h->magic == STORE_MAGIC && h->sum == store_hash(h, offsetof(struct store_header, sum), STORE_MAGIC) &&
	       h->bytes == size && h->end >= sizeof *h && h->end % 8 == 0 && h->slots &&
	       !(h->slots & (h->slots - 1)) && h->end <= size &&
	       size - h->end == h->slots * sizeof(struct store_slot);
}

/* What is used is written anew once a day, in name: what was not used for longest
 * goes first when there is too much. */
static void
touch(int fd)
{
	struct timespec now;
	struct stat status;

	if (!raw_failed(RAW2(SYS_clock_gettime, CLOCK_REALTIME, &now)) && !raw_failed(RAW2(SYS_fstat, fd, &status)) &&
	    now.tv_sec - status.st_mtim.tv_sec > DAY)
		RAW4(SYS_utimensat, fd, NULL, NULL, 0);
}

static void
map_file(const struct store_home *home, struct store *store)
{
	struct store_header *header = &store->header;
	char name[STORE_NAME];
	uint64_t size;
	long fd, directory = store_home_open(home->path), map;

	if (raw_failed(directory))
		return;
	store_file_name(name, home->key, store->identity);
	fd = store_file_open((int)directory, name, &size);
	RAW1(SYS_close, directory);
	if (raw_failed(fd))
		return;
	if (RAW4(SYS_pread64, fd, header, sizeof *header, 0) == (long)sizeof *header &&
	    store_header_sound(header, size) && header->key == home->key && header->identity == store->identity) {
		map = RAW6(SYS_mmap, 0, size, PROT_READ, MAP_SHARED, fd, 0);
		if (!raw_failed(map)) {
			store->map = (const uint8_t *)map;
			store->map_size = size;
			touch((int)fd);
		}
	}
	RAW1(SYS_close, fd);
}

struct store *
store_open(const struct store_home *home, uint64_t identity)
{
	struct store *store = pages_alloc(sizeof *store);

	if (!store)
		return NULL;
	store->identity = identity;
	map_file(home, store);
	return store;
}

void
store_close(struct store *store)
{
	if (store->map)
		RAW2(SYS_munmap, store->map, store->map_size);
	pages_free(store->added, store->added_room);
	pages_free(store, sizeof *store);
}

uint32_t
store_count(const struct store *store)
{
	return store->map ? store->header.records : 0;
}

const struct store_record *
store_find(const struct store *store, uint64_t number, uint32_t mode)
{
	const uint64_t end = store->header.end;
	const uint32_t tag = store_tag(number, mode), slots = store->header.slots;
	const struct store_slot *slot = (const struct store_slot *)(const void *)(store->map + end);

	if (!store->map)
		return NULL;
	for (uint32_t i = 0; i < slots; i++) {
		const struct store_slot s = slot[(tag + i) & (slots - 1)];
		const uint64_t at = (uint64_t)s.at * 8;
		const struct store_record *record = (const void *)(store->map + at);

		if (!s.at)
			return NULL;
		if (s.tag != tag)
			continue;
		if (at + sizeof *record > end || record->size % 8 || record->size > end - at - sizeof *record ||
		    record->number != number || record->mode != mode)
			return NULL;
		return record;
	}
	return NULL;
}

bool
store_sound(const struct store_record *record)
{
	const size_t from = offsetof(struct store_record, number);

	return record->sum == store_hash((const uint8_t *)record + from, sizeof *record - from + record->size, 0);
}

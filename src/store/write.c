/* A store that is written: old records, new ones behind them, a new index, in a
 * file beside, which then takes the old one's name. */
#include "store/store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define FIRST_ROOM (256u << 10)

/* ---- what is new ------------------------------------------------------------ */

#define WORTH_LEAST 8u  /* new records, and */
#define WORTH_PART 128u /* one in this many of the old ones' number */

void
store_want(struct store *store)
{
	store->wanted++;
}

bool
store_worth(const struct store *store)
{
	return store->map_size < STORE_FULL && store->wanted >= WORTH_LEAST + store_count(store) / WORTH_PART;
}

void
store_unwant(struct store *store)
{
	store->wanted = 0;
}

static bool
make_room(struct store *store, size_t need)
{
	size_t room = store->added_room ? store->added_room : FIRST_ROOM;
	uint8_t *grown;

	while (room < need)
		room *= 2;
	if (room == store->added_room)
		return true;
	grown = pages_alloc(room);
	if (!grown)
		return false;
	if (store->added)
		memcpy(grown, store->added, store->added_size);
	pages_free(store->added, store->added_room);
	store->added = grown;
	store->added_room = room;
	return true;
}

void *
store_add(struct store *store, uint64_t number, uint32_t mode, uint32_t size)
{
	uint32_t padded = (uint32_t)align_up(size, 8);
	size_t need = store->added_size + sizeof(struct store_record) + padded;
	struct store_record *record;

	if (need > STORE_BYTES / 2 || size > STORE_BYTES / 2 || !make_room(store, need))
		return NULL;
	record = (struct store_record *)(void *)(store->added + store->added_size);
	record->number = number;
	record->mode = mode;
	record->size = padded;
	store->added_size = need;
	store->added_count++;
	return record->bytes;
}

static void
forget(struct store *store)
{
	if (store->added)
		memset(store->added, 0, store->added_size);
	store->added_size = store->added_count = store->wanted = 0;
}

static const struct store_record *
record_at(const uint8_t *bytes, uint64_t at)
{
	return (const struct store_record *)(const void *)(bytes + at);
}

static uint64_t
record_bytes(const struct store_record *record)
{
	return sizeof *record + record->size;
}

static void
sum_up(struct store *store)
{
	const size_t from = offsetof(struct store_record, number);

	for (size_t at = 0; at < store->added_size;) {
		struct store_record *record = (struct store_record *)(void *)(store->added + at);

		record->sum = store_hash((uint8_t *)record + from, sizeof *record - from + record->size, 0);
		at += record_bytes(record);
	}
}

/* ---- the index -------------------------------------------------------------- */

/* Enters a record unless one with its tag is there; whether it did. */
static bool
enter(struct store_slot *slot, uint32_t slots, uint32_t tag, uint64_t at)
{
	uint32_t i = tag & (slots - 1);

	for (; slot[i].at; i = (i + 1) & (slots - 1))
		if (slot[i].tag == tag)
			return false;
	slot[i] = (struct store_slot){ tag, (uint32_t)(at / 8) };
	return true;
}

/* What a file is made of: the old one's header and index, NULL if there is none. */
struct plan {
	struct store_header header;
	struct store_slot *slot;
	const struct store_header *old;
	const struct store_slot *old_slot;
};

/* The new header and index. The added records begin where the old ones end. */
static bool
plan_make(struct plan *plan, const struct store_home *home, const struct store *store)
{
	uint64_t at = plan->old ? plan->old->end : sizeof plan->header;
	uint32_t slots = 64;
	struct store_header *h = &plan->header;

	while (slots < store->added_count * 2 + (plan->old ? plan->old->records * 2 : 0))
		slots *= 2;
	plan->slot = pages_alloc(slots * sizeof *plan->slot);
	if (!plan->slot)
		return false;
	*h = (struct store_header){ .magic = STORE_MAGIC, .key = home->key, .identity = store->identity, .slots = slots,
				    .end = at + store->added_size };
	h->bytes = h->end + slots * sizeof *plan->slot;
	for (size_t i = 0; i < store->added_size;) {
		const struct store_record *record = record_at(store->added, i);

		h->records += enter(plan->slot, slots, store_tag(record->number, record->mode), at + i);
		i += record_bytes(record);
	}
	for (uint32_t i = 0; plan->old && i < plan->old->slots && h->records < slots / 4 * 3; i++)
		if (plan->old_slot[i].at)
			h->records += enter(plan->slot, slots, plan->old_slot[i].tag, (uint64_t)plan->old_slot[i].at * 8);
	h->sum = store_hash(h, offsetof(struct store_header, sum), STORE_MAGIC);
	return true;
}

/* ---- the file --------------------------------------------------------------- */

static bool
put(int fd, const void *data, uint64_t size, uint64_t at)
{
	for (uint64_t done = 0; done < size;) {
		long n = RAW4(SYS_pwrite64, fd, (const uint8_t *)data + done, size - done, at + done);

		if (n <= 0)
			return false;
		done += (uint64_t)n;
	}
	return true;
}

static bool
copy(int from, int to, uint64_t start, uint64_t end)
{
	uint8_t bytes[4096];

	for (int64_t in = (int64_t)start, out = in; start < end;) {
		long n = RAW6(SYS_copy_file_range, from, &in, to, &out, end - start, 0);

		if (n <= 0)
			break;
		start += (uint64_t)n;
	}
	while (start < end) {
		uint64_t want = end - start < sizeof bytes ? end - start : sizeof bytes;
		long n = RAW4(SYS_pread64, from, bytes, want, start);

		if (n <= 0 || !put(to, bytes, (uint64_t)n, start))
			return false;
		start += (uint64_t)n;
	}
	return true;
}

/* A write beyond the limit on the size of files would be a signal. */
static bool
may_be(uint64_t bytes)
{
	struct rlimit limit;

	return raw_failed(RAW4(SYS_prlimit64, 0, RLIMIT_FSIZE, NULL, &limit)) || limit.rlim_cur >= bytes;
}

static bool
put_file(int home, const char *name, int old, const struct plan *plan, const struct store *store)
{
	char beside[STORE_NAME];
	const struct store_header *h = &plan->header;
	uint64_t start = h->end - store->added_size;
	bool done;
	long fd;

	if (!may_be(h->bytes))
		return false;
	text_format(beside, sizeof beside, "%d" STORE_BESIDE, (int)RAW0(SYS_getpid));
	RAW3(SYS_unlinkat, home, beside, 0); /* of a process of this number that died */
	fd = RAW4(SYS_openat, home, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (raw_failed(fd))
		return false;
	done = (!plan->old || copy(old, (int)fd, sizeof *h, start)) &&
	       put((int)fd, store->added, store->added_size, start) &&
	       put((int)fd, plan->slot, h->slots * sizeof *plan->slot, h->end) && put((int)fd, h, sizeof *h, 0);
	RAW1(SYS_close, fd);
	if (done && !raw_failed(RAW4(SYS_renameat, home, beside, home, name)))
		return true;
	RAW3(SYS_unlinkat, home, beside, 0);
	return false;
}

/* The index of the file there is now, which may be newer than the one that was
 * mapped; NULL: none that may be added to. */
static struct store_slot *
old_index(int old, uint64_t size, const struct store_home *home, const struct store *store, struct store_header *h)
{
	struct store_slot *slot;
	uint64_t bytes;

	if (RAW4(SYS_pread64, old, h, sizeof *h, 0) != (long)sizeof *h || !store_header_sound(h, size) ||
	    h->key != home->key || h->identity != store->identity || h->bytes + store->added_size > STORE_BYTES)
		return NULL;
	bytes = h->slots * sizeof *slot;
	slot = pages_alloc(bytes);
	if (slot && RAW4(SYS_pread64, old, slot, bytes, h->end) != (long)bytes) {
		pages_free(slot, bytes);
		return NULL;
	}
	return slot;
}

static bool
write_locked(int home_fd, const struct store_home *home, struct store *store)
{
	char name[STORE_NAME];
	struct store_header header;
	struct plan plan = { 0 };
	struct store_slot *slot = NULL;
	uint64_t size = 0;
	long old;
	bool done = false;

	store_file_name(name, home->key, store->identity);
	old = store_file_open(home_fd, name, &size);
	if (!raw_failed(old))
		slot = old_index((int)old, size, home, store, &header);
	if (slot) {
		plan.old = &header;
		plan.old_slot = slot;
	}
	sum_up(store);
	if (plan_make(&plan, home, store))
		done = put_file(home_fd, name, (int)old, &plan, store);
	if (slot)
		pages_free(slot, header.slots * sizeof *slot);
	pages_free(plan.slot, plan.header.slots * sizeof *plan.slot);
	if (!raw_failed(old))
		RAW1(SYS_close, old);
	if (done)
		store_home_trim(home_fd, home->limit ? home->limit : STORE_HOME_BYTES, name);
	return done;
}

bool
store_write(const struct store_home *home, struct store *store)
{
	long fd = store->added_count ? store_home_make(home->path) : -ENOENT;
	bool done = false;

	if (!raw_failed(fd)) {
		if (!raw_failed(RAW2(SYS_flock, fd, LOCK_EX | LOCK_NB)))
			done = write_locked((int)fd, home, store);
		RAW1(SYS_close, fd);
	}
	forget(store);
	return done;
}

/* ---- verify ----------------------------------------------------------------- */

uint64_t
store_damage(const struct store_header *h, const uint8_t *bytes)
{
	const struct store_slot *slot = (const struct store_slot *)(const void *)(bytes + h->end);
	uint64_t found = 0, sound = 0;

	for (uint32_t i = 0; i < h->slots; i++) {
		uint64_t at = (uint64_t)slot[i].at * 8;
		const struct store_record *record = record_at(bytes, at);

		if (!at)
			continue;
		found++;
		sound += at >= sizeof *h && at + sizeof *record <= h->end && record->size % 8 == 0 &&
			 record->size <= h->end - at - sizeof *record && store_sound(record) &&
			 slot[i].tag == store_tag(record->number, record->mode);
	}
	return found - sound + (found > h->records ? found - h->records : h->records - found);
}

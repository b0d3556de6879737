/* store/: what is kept comes back as it was or not at all: damaged, cut, of others,
 * under another key, written by several at a time; and it stays within its bounds. */
#include "unit/check.h"

#include "store/store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECORDS = 60, MODES = 3 };

static struct store_home home = { .key = 0x1234 };
static char file_path[STORE_PATH + 64];

static uint64_t
random64(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

/* What record `number` holds: bytes that tell which they are. */
static uint32_t
size_of(uint64_t number)
{
	return (uint32_t)(8 + number * 37 % 200);
}

static void
fill(uint8_t *bytes, uint64_t number, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(number * 7 + i * 13);
}

static void
add(struct store *store, uint64_t number, uint32_t mode)
{
	uint8_t *bytes = store_add(store, number, mode, size_of(number));

	if (CHECK(bytes != NULL))
		fill(bytes, number, size_of(number));
	store_want(store);
}

/* 1: it is there and right; 0: it is not there; -1: it is there and wrong. */
static int
look(const struct store *store, uint64_t number, uint32_t mode)
{
	static uint64_t copy[1 << 12];
	const struct store_record *record = store_find(store, number, mode);
	struct store_record *own = (struct store_record *)(void *)copy;
	uint8_t want[512];

	if (!record || sizeof *record + record->size > sizeof copy)
		return 0;
	memcpy(own, record, sizeof *record + record->size);
	if (!store_sound(own))
		return 0;
	fill(want, number, size_of(number));
	return own->number == number && own->mode == mode && own->size >= size_of(number) &&
			       !memcmp(own->bytes, want, size_of(number))
		       ? 1
		       : -1;
}

static unsigned
count_right(uint64_t key, uint64_t identity, unsigned records)
{
	struct store_home other = home;
	struct store *store;
	unsigned right = 0;
	bool wrong = false;

	other.key = key;
	store = store_open(&other, identity);
	for (unsigned i = 0; i < records; i++) {
		int result = look(store, i, i % MODES);

		right += result > 0;
		wrong |= result < 0;
	}
	CHECK(!wrong);
	store_close(store);
	return right;
}

static void
write_records(uint64_t identity, unsigned from, unsigned to)
{
	struct store *store = store_open(&home, identity);

	for (unsigned i = from; i < to; i++)
		add(store, i, i % MODES);
	CHECK(store_write(&home, store));
	store_close(store);
}

static void
test_plain(void)
{
	struct stat status;

	write_records(1, 0, RECORDS);
	CHECK_INT(count_right(home.key, 1, RECORDS), RECORDS);
	CHECK_INT(count_right(home.key, 2, RECORDS), 0);
	CHECK_INT(count_right(home.key + 1, 1, RECORDS), 0);
	write_records(1, RECORDS / 2, RECORDS * 2); /* half of it again */
	CHECK_INT(count_right(home.key, 1, RECORDS * 2), RECORDS * 2);
	snprintf(file_path, sizeof file_path, "%s/%016x%016x.keep", home.path, 1, 0x1234);
	CHECK_INT(stat(file_path, &status), 0);
	CHECK_INT(status.st_mode & 0777, 0600);
}

static void
put_file(const uint8_t *bytes, size_t size)
{
	int fd = open(file_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}

/* Every byte (in a quick run every few of them) flipped, and cut at every length. */
static void
test_damage(void)
{
	static uint8_t good[1 << 16];
	int fd = open(file_path, O_RDONLY);
	ssize_t size = read(fd, good, sizeof good);
	unsigned step = getenv("LONG") ? 1 : 23, least = RECORDS * 2;

	close(fd);
	CHECK(size > 4096 && size < (ssize_t)sizeof good);
	for (ssize_t at = 0; at < size; at += (ssize_t)step) {
		uint8_t byte = (uint8_t)(1u << random64() % 8);
		unsigned right;

		good[at] ^= byte;
		put_file(good, (size_t)size);
		right = count_right(home.key, 1, RECORDS * 2);
		if (at >= 64 && right < least)
			least = right;
		good[at] ^= byte;
		put_file(good, (size_t)at);
		CHECK_INT(count_right(home.key, 1, RECORDS * 2), 0);
	}
	/* A flip costs one record; or, in the index, those behind it. */
	CHECK(least > RECORDS);
	put_file(good, (size_t)size);
	CHECK_INT(count_right(home.key, 1, RECORDS * 2), RECORDS * 2);
}

/* What others may have written is not read. */
static void
test_owner(void)
{
	char moved[sizeof file_path + 8];

	chmod(file_path, 0620);
	CHECK_INT(count_right(home.key, 1, RECORDS), 0);
	chmod(file_path, 0600);
	CHECK_INT(count_right(home.key, 1, RECORDS), RECORDS);
	chmod(home.path, 0777);
	CHECK_INT(count_right(home.key, 1, RECORDS), 0);
	chmod(home.path, 0700);
	snprintf(moved, sizeof moved, "%s.moved", file_path);
	CHECK_INT(rename(file_path, moved), 0);
	CHECK_INT(symlink(moved, file_path), 0);
	CHECK_INT(count_right(home.key, 1, RECORDS), 0);
	unlink(file_path);
	CHECK_INT(rename(moved, file_path), 0);
	if (getuid() == 0) { /* of another owner */
		CHECK_INT(chown(file_path, 12345, (gid_t)-1), 0);
		CHECK_INT(count_right(home.key, 1, RECORDS), 0);
		CHECK_INT(chown(file_path, 0, (gid_t)-1), 0);
	}
	CHECK_INT(count_right(home.key, 1, RECORDS), RECORDS);
}

/* Eight processes write to one store. Each may find it locked; some do not. */
static void
test_together(void)
{
	enum { PROCESSES = 8, EACH = 40 };
	unsigned right;

	for (unsigned i = 0; i < PROCESSES; i++)
		if (!fork()) {
			struct store *store = store_open(&home, 5);

			for (unsigned n = i * EACH; n < (i + 1) * EACH; n++)
				add(store, n, n % MODES);
			_exit(store_write(&home, store) ? 0 : 1);
		}
	for (unsigned i = 0; i < PROCESSES; i++) {
		int status;

		CHECK(wait(&status) > 0 && WIFEXITED(status));
	}
	right = count_right(home.key, 5, PROCESSES * EACH);
	CHECK(right >= EACH && right % EACH == 0);
}

/* A store that has become full is used, and not written again. */
static void
test_full(void)
{
	struct store *store = store_open(&home, 300);

	CHECK(store_add(store, 1, 1, (uint32_t)STORE_FULL) != NULL);
	CHECK(store_write(&home, store));
	store_close(store);
	store = store_open(&home, 300);
	CHECK(store_find(store, 1, 1) != NULL);
	for (unsigned i = 0; i < 1000; i++)
		store_want(store);
	CHECK(!store_worth(store));
	store_close(store);
}

static void
test_limits(void)
{
	struct store_status status;
	struct store *store;
	bool absent;

	home.limit = 64 << 10;
	for (unsigned i = 100; i < 130; i++) {
		write_records(i, 0, RECORDS);
		CHECK_INT(count_right(home.key, i, RECORDS), RECORDS);
	}
	CHECK(store_home_status(home.path, true, &status, &absent));
	CHECK(status.files > 1 && status.bytes <= home.limit);
	CHECK_INT(status.damaged, 0);
	CHECK(status.records >= status.files * RECORDS);
	store = store_open(&home, 200);
	CHECK(!store_worth(store));
	CHECK(store_add(store, 1, 1, (uint32_t)STORE_BYTES) == NULL);
	CHECK(!store_write(&home, store));
	store_close(store);
	home.limit = 0;
	test_full();
	CHECK(store_home_clear(home.path, &status, &absent));
	CHECK(store_home_status(home.path, false, &status, &absent));
	CHECK_INT(status.files, 0);
}

static void
test_places(void)
{
	char path[STORE_PATH];
	struct store_home none = { .key = 1 };
	struct store *store = store_open(&none, 1);

	CHECK(store_default_path(path, sizeof path, "/x", "/home/u"));
	CHECK_TEXT(path, "/x/isomorph/translations");
	CHECK(store_default_path(path, sizeof path, "relative", "/home/u"));
	CHECK_TEXT(path, "/home/u/.cache/isomorph/translations");
	CHECK(!store_default_path(path, sizeof path, NULL, NULL));
	CHECK(!store_default_path(path, 8, NULL, "/home/u"));
	CHECK(store_find(store, 1, 1) == NULL);
	add(store, 1, 1);
	CHECK(!store_write(&none, store));
	store_close(store);
}

int
main(void)
{
	char top[] = "/tmp/isomorph-store-XXXXXX";

	if (!CHECK(mkdtemp(top) != NULL))
		return check_done();
	snprintf(home.path, sizeof home.path, "%s/a/b/c", top); /* made when first written to */
	test_plain();
	test_damage();
	test_owner();
	test_together();
	test_limits();
	test_places();
	CHECK_INT(rmdir(home.path), 0);
	strcpy(strrchr(home.path, '/'), "");
	CHECK_INT(rmdir(home.path), 0);
	strcpy(strrchr(home.path, '/'), "");
	CHECK_INT(rmdir(home.path), 0);
	CHECK_INT(rmdir(top), 0);
	return check_done();
}

/* The directory of stores: where it is, whether it may be used, how much it holds. */
#include "store/store_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define NAMED "/isomorph/translations"
#define PARENTS 3 /* directories that may have to be made above a home */

bool
store_default_path(char *path, size_t size, const char *xdg_cache_home, const char *home)
{
	int length;

	if (xdg_cache_home && xdg_cache_home[0] == '/')
		length = text_format(path, size, "%s" NAMED, xdg_cache_home);
	else if (home && home[0] == '/' && home[1])
		length = text_format(path, size, "%s/.cache" NAMED, home);
	else
		return false;
	return length >= 0 && (size_t)length < size;
}

bool
store_whole_path(char *path, size_t size, const char *given)
{
	long length = 0;

	if (given[0] != '/') {
		length = RAW2(SYS_getcwd, path, size);
		if (length <= 0 || path[0] != '/')
			return false;
		path[length - 1] = '/';
	}
	return (size_t)text_format(path + length, size - (size_t)length, "%s", given) < size - (size_t)length;
}

bool
store_default_wanted(const char *path)
{
	char base[STORE_PATH];
	size_t length = strlen(path) - strlen(NAMED);
	struct stat status;

	memcpy(base, path, length);
	base[length] = 0;
	return !raw_failed(RAW4(SYS_newfstatat, AT_FDCWD, base, &status, 0)) && S_ISDIR(status.st_mode);
}

long
store_home_open(const char *path)
{
	struct stat status;
	long fd = path[0] == '/' ? RAW4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
				 : -ENOENT;

	if (raw_failed(fd))
		return fd;
	if (raw_failed(RAW2(SYS_fstat, fd, &status)) || status.st_uid != (uid_t)RAW0(SYS_geteuid) ||
	    (status.st_mode & 022)) {
		RAW1(SYS_close, fd);
		return -EACCES;
	}
	return fd;
}

long
store_home_make(const char *path)
{
	char part[STORE_PATH];
	size_t end[PARENTS + 1], length = strlen(path);
	unsigned parts = 0;
	long fd = store_home_open(path);

	if (fd != -ENOENT || length >= sizeof part || path[0] != '/')
		return fd;
	memcpy(part, path, length + 1);
	/* From the last one on upwards, until one is there; then down again. */
	while (parts <= PARENTS && length > 1) {
		long made = RAW3(SYS_mkdirat, AT_FDCWD, part, 0700);

		end[parts++] = length;
		if (made != -ENOENT)
			break;
		while (length > 1 && part[length - 1] != '/')
			length--;
		part[--length] = 0;
	}
	while (parts-- > 1) {
		part[end[parts]] = '/';
		RAW3(SYS_mkdirat, AT_FDCWD, part, 0700);
	}
	return store_home_open(path);
}

/* ---- what is in it ---------------------------------------------------------- */

struct entry { /* linux_dirent64, getdents(2) */
	uint64_t inode;
	int64_t next;
	uint16_t length;
	uint8_t type;
	char name[];
};

struct walk {
	int fd;
	long got, at;
	_Alignas(8) char buffer[4096];
};

static const char *
walk_next(struct walk *walk)
{
	for (;;) {
		struct entry *entry;

		if (walk->at >= walk->got) {
			walk->got = RAW3(SYS_getdents64, walk->fd, walk->buffer, sizeof walk->buffer);
			walk->at = 0;
			if (walk->got <= 0)
				return NULL;
		}
		entry = (struct entry *)(void *)(walk->buffer + walk->at);
		walk->at += entry->length;
		if (strcmp(entry->name, ".") != 0 && strcmp(entry->name, "..") != 0)
			return entry->name;
	}
}

static bool
ends(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);

	return length >= tail && !strcmp(name + length - tail, suffix);
}

void
store_home_trim(int home, uint64_t limit, const char *keep)
{
	for (;;) {
		struct walk walk = { .fd = home };
		char oldest[STORE_NAME] = "";
		int64_t when = 0, age;
		uint64_t bytes = 0;
		struct stat status;
		const char *name;

		RAW3(SYS_lseek, home, 0, SEEK_SET);
		while ((name = walk_next(&walk))) {
			if (!(ends(name, STORE_SUFFIX) || ends(name, STORE_BESIDE)) || strlen(name) >= STORE_NAME ||
			    raw_failed(RAW4(SYS_newfstatat, home, name, &status, AT_SYMLINK_NOFOLLOW)))
				continue;
			bytes += (uint64_t)status.st_size;
			age = status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
			if (strcmp(name, keep) != 0 && (!oldest[0] || age < when)) {
				memcpy(oldest, name, strlen(name) + 1);
				when = age;
			}
		}
		if (bytes <= limit || !oldest[0] || raw_failed(RAW3(SYS_unlinkat, home, oldest, 0)))
			return;
	}
}

/* ---- for people ------------------------------------------------------------- */

/* Reads the store and counts what is in it and how much of it is not sound. */
static void
inspect(int fd, uint64_t size, bool verify, struct store_status *status)
{
	struct store_header header;
	uint8_t *bytes;
	uint64_t got = 0;

	if (RAW4(SYS_pread64, fd, &header, sizeof header, 0) != (long)sizeof header ||
	    !store_header_sound(&header, size)) {
		status->foreign++;
		return;
	}
	status->records += header.records;
	if (!verify)
		return;
	bytes = pages_alloc(size);
	while (bytes && got < size) {
		long n = RAW4(SYS_pread64, fd, bytes + got, size - got, got);

		if (n <= 0)
			break;
		got += (uint64_t)n;
	}
	if (bytes && got == size)
		status->damaged += store_damage(&header, bytes);
	pages_free(bytes, size);
}

static bool
look(const char *path, bool verify, bool remove, struct store_status *status, bool *absent)
{
	struct walk walk = { .fd = (int)store_home_open(path) };
	const char *name;

	*status = (struct store_status){ 0 };
	*absent = walk.fd == -ENOENT;
	if (walk.fd < 0)
		return false;
	while ((name = walk_next(&walk))) {
		uint64_t size;
		bool ours = ends(name, STORE_SUFFIX), beside = ends(name, STORE_BESIDE);
		long fd = ours ? store_file_open(walk.fd, name, &size) : -EACCES;

		if (raw_failed(fd)) {
			status->foreign += !beside;
		} else {
			status->files++;
			status->bytes += size;
			inspect((int)fd, size, verify, status);
			RAW1(SYS_close, fd);
		}
		if (remove && (ours || beside))
			RAW3(SYS_unlinkat, walk.fd, name, 0);
	}
	RAW1(SYS_close, walk.fd);
	return true;
}

bool
store_home_status(const char *path, bool verify, struct store_status *status, bool *absent)
{
	return look(path, verify, false, status, absent);
}

bool
store_home_clear(const char *path, struct store_status *status, bool *absent)
{
	return look(path, false, true, status, absent);
}

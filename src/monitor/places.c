/* Folders after the XDG base directory specification, with a private folder in
 * /tmp where there is no home. What is asked of a folder found there: that it
 * is this user's. */
#include "monitor/places.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What begins a path of a kind: $variable, else $HOME/home, then below. */
static const struct {
	const char *variable, *home, *below;
} base[] = {
	[PLACE_RUN] = { "XDG_RUNTIME_DIR", ".local/state/isomorph/run", "isomorph" },
	[PLACE_MACHINE] = { "XDG_DATA_HOME", ".local/share/isomorph/machines", "isomorph/machines" },
	[PLACE_IMAGE] = { "XDG_CACHE_HOME", ".cache/isomorph/images", "isomorph/images" },
};
static const char *const kind[] = { "run", "machines", "images" };

/* Every folder of the path that is missing. */
static int
make_folders(char *path, struct error *error)
{
	struct stat st;

	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = 0;
		if (mkdir(path, 0700) && errno != EEXIST)
			return error_set(error, errno, "%s: the folder cannot be made: %s", path, strerror(errno));
		if (!slash)
			break;
		*slash = '/';
	}
	if (stat(path, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return error_set(error, EPERM, "%s: is no folder of this user; remove it or set XDG_RUNTIME_DIR", path);
	return 0;
}

int
places_path(enum place place, const char *name, bool make, char path[PATH_MAX], struct error *error)
{
	const char *variable = getenv(base[place].variable), *home = getenv("HOME");
	const char *slash = name ? "/" : "";
	int length;

	if (!name)
		name = "";
	if (variable && variable[0] == '/')
		length = snprintf(path, PATH_MAX, "%s/%s%s%s", variable, base[place].below, slash, name);
	else if (home && home[0] == '/')
		length = snprintf(path, PATH_MAX, "%s/%s%s%s", home, base[place].home, slash, name);
	else
		length = snprintf(path, PATH_MAX, "/tmp/isomorph-%u/%s%s%s", geteuid(), kind[place], slash, name);
	if (length >= PATH_MAX)
		return error_set(error, ENAMETOOLONG, "%.100s…: the path is too long", path);
	return make ? make_folders(path, error) : 0;
}

int
places_file(enum place place, const char *name, const char *file, bool make, char path[PATH_MAX], struct error *error)
{
	size_t length;

	if (places_path(place, name, make, path, error))
		return -1;
	length = strlen(path);
	if ((size_t)snprintf(path + length, PATH_MAX - length, "/%s", file) >= PATH_MAX - length)
		return error_set(error, ENAMETOOLONG, "%.100s…: the path is too long", path);
	return 0;
}

static int
no_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int
places_each(enum place place, void (*each)(void *to, const char *name), void *to, struct error *error)
{
	char path[PATH_MAX];
	struct dirent **list;
	int count;

	if (places_path(place, NULL, false, path, error))
		return -1;
	count = scandir(path, &list, no_dots, alphasort);
	if (count < 0)
		return errno == ENOENT ? 0 : error_set(error, errno, "%s: %s", path, strerror(errno));
	for (int i = 0; i < count; i++) {
		each(to, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return 0;
}

int
places_lock(const char *name, struct error *error)
{
	char path[PATH_MAX];
	int fd;

	if (places_file(PLACE_RUN, name, "lock", true, path, error))
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		return error_set(error, EBUSY, "the machine %s runs already; `isomorph console %s` shows it, --name gives another",
				 name, name);
	}
	return fd;
}

bool
places_runs(const char *name)
{
	char path[PATH_MAX];
	bool runs;
	int fd;

	if (places_file(PLACE_RUN, name, "lock", false, path, NULL))
		return false;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	runs = flock(fd, LOCK_SH | LOCK_NB) != 0;
	close(fd);
	return runs;
}

char *
places_read(const char *path, size_t most, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text = NULL;
	size_t at = 0;
	ssize_t got = 1;

	if (fd < 0 || fstat(fd, &st)) {
		error_set(error, errno, "%s: %s", path, strerror(errno));
		goto out;
	}
	if ((uint64_t)st.st_size > most || !S_ISREG(st.st_mode)) {
		error_set(error, EFBIG, "%s: is no file of at most %zu bytes", path, most);
		goto out;
	}
	text = calloc(1, (size_t)st.st_size + 1);
	for (; text && at < (size_t)st.st_size && got > 0; at += got > 0 ? (size_t)got : 0)
		got = read(fd, text + at, (size_t)st.st_size - at);
	if (!text || got < 0) {
		error_set(error, errno, "%s: %s", path, strerror(errno));
		free(text);
		text = NULL;
	}
out:
	if (fd >= 0)
		close(fd);
	return text;
}

int
places_write(const char *path, const char *text, struct error *error)
{
	char beside[PATH_MAX + 8];
	size_t size = strlen(text);
	int fd;

	snprintf(beside, sizeof beside, "%s.new", path);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(error, errno, "%s: %s", beside, strerror(errno));
	if (write(fd, text, size) != (ssize_t)size || fsync(fd) || rename(beside, path)) {
		error_set(error, errno, "%s: %s", path, strerror(errno));
		close(fd);
		unlink(beside);
		return -1;
	}
	close(fd);
	return 0;
}

static int
remove_entry(const char *path, const struct stat *st, int kind_of, struct FTW *at)
{
	(void)st;
	(void)kind_of;
	(void)at;
	return remove(path);
}

int
places_remove(const char *folder, struct error *error)
{
	if (nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS))
		return error_set(error, errno, "%s cannot be removed: %s", folder, strerror(errno));
	return 0;
}

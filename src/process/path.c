/* Guest paths and host paths under -L.
 *
 * An absolute path that exists below the sysroot means the file there, links
 * inside the sysroot taken as inside it, as chroot would; what does not exist
 * there is the host's. So libraries and programs of the guest's architecture
 * come first and everything else of the machine stays in reach. Folders that
 * belong to the machine or to its user, which a sysroot has only as empty
 * places, are the host's always.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

#include "process/process_impl.h"

#define PATH_ROOM 4096
#define LINKS_MAX 40

static const char *const host_folders[] = { "proc", "sys", "dev", "tmp",    "run",
					    "home", "root", "mnt", "var/tmp" };

static bool
is_hosts(const char *path)
{
	while (*path == '/')
		path++;
	for (size_t i = 0; i < ARRAY_LEN(host_folders); i++) {
		size_t length = strlen(host_folders[i]);

		if (!strncmp(path, host_folders[i], length) && (!path[length] || path[length] == '/'))
			return true;
	}
	return false;
}

/* A walk down a path: `out` is where it has come to, `rest` what is left. */
struct walk {
	char *out;
	size_t room, root, length; /* of out; the root's part of it; now */
	unsigned links;
	bool left;                 /* an absolute link was followed */
	char rest[PATH_ROOM];
	char link[PATH_ROOM];
};

static bool
walk_down(struct walk *w, const char *name, size_t length)
{
	if (length == 1 && name[0] == '.')
		return true;
	if (length == 2 && !memcmp(name, "..", 2)) {
		while (w->length > w->root && w->out[--w->length] != '/')
			;
		w->out[w->length] = 0;
		return true;
	}
	if (w->length + length + 2 > w->room)
		return false;
	w->out[w->length++] = '/';
	memcpy(w->out + w->length, name, length);
	w->length += length;
	w->out[w->length] = 0;
	return true;
}

/* The link just walked onto, of `length` bytes in w->link, goes before `rest`. */
static bool
walk_link(struct walk *w, size_t length, const char *rest)
{
	size_t more = strlen(rest);

	if (length + more + 2 > sizeof w->rest || ++w->links > LINKS_MAX)
		return false;
	memmove(w->rest + length + 1, rest, more + 1);
	memcpy(w->rest, w->link, length);
	w->rest[length] = '/';
	if (w->link[0] == '/') {
		w->length = w->root;
		w->left = true;
	} else {
		while (w->length > w->root && w->out[--w->length] != '/')
			;
	}
	w->out[w->length] = 0;
	return true;
}

enum walked { WALK_FOUND, WALK_MISSING, WALK_FAILED };

/* Walks w->rest below w->out. WALK_MISSING: w->out is the first that does not
 * exist, w->rest what would follow. */
static enum walked
walk(struct walk *w, bool follow)
{
	char *at = w->rest;

	for (;;) {
		char *name, *end;
		long link;

		while (*at == '/')
			at++;
		if (!*at)
			return WALK_FOUND;
		name = at;
		at = end = name + strcspn(name, "/");
		while (*end == '/')
			end++;
		if (!walk_down(w, name, (size_t)(at - name)))
			return WALK_FAILED;
		if (!w->length) /* back at "/" */
			continue;
		link = RAW3(SYS_readlink, w->out, w->link, sizeof w->link - 1);
		if (link == -ENOENT || link == -ENOTDIR || link == -ENAMETOOLONG) {
			memmove(w->rest, at, strlen(at) + 1);
			return link == -ENOENT ? WALK_MISSING : WALK_FAILED;
		}
		if (link < 0 || (!follow && !*end))
			continue; /* no link, or one we may not read */
		if (!walk_link(w, (size_t)link, at))
			return WALK_FAILED;
		at = w->rest;
	}
}

static const char *
to_host(const struct process *process, const char *path, char *buffer, size_t size, bool follow)
{
	size_t root = strlen(process->sysroot);
	struct walk w = { .out = buffer, .room = size, .root = root, .length = root };
	size_t length;

	if (!root || path[0] != '/' || is_hosts(path) || strlen(path) >= sizeof w.rest || root >= size)
		return path;
	memcpy(buffer, process->sysroot, root + 1);
	memcpy(w.rest, path, strlen(path) + 1);
	switch (walk(&w, follow)) {
	case WALK_FOUND:
		if (!w.left || !is_hosts(buffer + root))
			return buffer;
		return buffer[root] ? buffer + root : "/";
	case WALK_MISSING:
		/* An absolute link led out, to /proc or the like. */
		length = strlen(w.rest);
		if (w.left && w.length + length < size) {
			memcpy(buffer + w.length, w.rest, length + 1);
			return buffer + root;
		}
		return path;
	case WALK_FAILED:
		break;
	}
	return path;
}

const char *
path_to_host(const struct process *process, const char *path, char *buffer, size_t size)
{
	if (proc_view_is_exe(path) && process->exe_path[0])
		return process->exe_path;
	return to_host(process, path, buffer, size, true);
}

const char *
path_to_host_nofollow(const struct process *process, const char *path, char *buffer, size_t size)
{
	return to_host(process, path, buffer, size, false);
}

const char *
path_to_guest(const struct process *process, const char *path)
{
	size_t root = strlen(process->sysroot);

	if (!root || strncmp(path, process->sysroot, root) || (path[root] && path[root] != '/'))
		return path;
	return path[root] ? path + root : "/";
}

long
path_real(const char *path, char *out, size_t size)
{
	struct walk w = { .out = out, .room = size };
	long length = 0;

	out[0] = 0;
	if (path[0] != '/') {
		length = RAW2(SYS_getcwd, out, size);
		if (length < 0)
			return length;
		w.length = strlen(out);
		if (w.length == 1) /* "/" */
			w.length = 0;
		out[w.length] = 0;
	}
	if (strlen(path) >= sizeof w.rest)
		return -ENAMETOOLONG;
	memcpy(w.rest, path, strlen(path) + 1);
	switch (walk(&w, true)) {
	case WALK_FOUND:
		if (!w.length)
			memcpy(out, "/", 2);
		return 0;
	case WALK_MISSING:
		return -ENOENT;
	case WALK_FAILED:
		break;
	}
	return -ENOTDIR;
}

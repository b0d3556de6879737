/* Fids and the paths that they stand for. A fid holds a path, not a descriptor, until
 * the client opens it: clients keep thousands. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend/share/p9_impl.h"

/* ---- paths ------------------------------------------------------------------------- */

int
p9_open(const struct p9 *p9, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK),
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
	long fd;

	/* The kernel refuses flags beside O_PATH that mean nothing there. */
	if (flags & O_PATH)
		how.flags &= ~(uint64_t)(O_NOCTTY | O_NONBLOCK);
	/* A symbolic link itself may be named, at the end, by O_PATH. */
	if (flags & O_PATH && !(flags & O_DIRECTORY) && *path) {
		const char *name;
		int parent = p9_open_parent(p9, path, &name);

		if (parent < 0)
			return parent;
		fd = openat(parent, name, flags | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			fd = -errno;
		close(parent);
		return (int)fd;
	}
	fd = syscall(SYS_openat2, p9->root, *path ? path : ".", &how, sizeof how);
	return fd < 0 ? -errno : (int)fd;
}

int
p9_open_parent(const struct p9 *p9, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char parent[P9_PATH];

	*name = slash ? slash + 1 : path;
	text_format(parent, sizeof parent, "%.*s", slash ? (int)(slash - path) : 0, path);
	return p9_open(p9, parent, O_PATH | O_DIRECTORY);
}

int
p9_stat(const struct p9 *p9, const char *path, struct stat *st)
{
	int fd = p9_open(p9, path, O_PATH), failed;

	if (fd < 0)
		return -fd;
	failed = fstat(fd, st) ? errno : 0;
	close(fd);
	return failed;
}

int
p9_join(char *to, const char *path, const char *name)
{
	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return EINVAL;
	if (text_format(to, P9_PATH, "%s%s%s", path, *path ? "/" : "", name) >= (int)P9_PATH)
		return ENAMETOOLONG;
	return 0;
}

void
p9_moved(struct p9 *p9, const char *from, const char *to)
{
	size_t size = strlen(from);

	for (unsigned i = 0; i < p9->fids; i++) {
		struct p9_fid *fid = &p9->fid[i];
		char path[P9_PATH], *copy;

		if (!fid->used || strncmp(fid->path, from, size) || (fid->path[size] && fid->path[size] != '/'))
			continue;
		if (text_format(path, sizeof path, "%s%s", to, fid->path + size) >= (int)sizeof path)
			continue;
		copy = strdup(path);
		if (!copy)
			continue;
		free(fid->path);
		fid->path = copy;
	}
}

/* ---- fids ---------------------------------------------------------------------------- */

struct p9_fid *
p9_find(struct p9 *p9, uint32_t number)
{
	for (unsigned i = 0; i < p9->fids; i++)
		if (p9->fid[i].used && p9->fid[i].number == number)
			return &p9->fid[i];
	return NULL;
}

static struct p9_fid *
room(struct p9 *p9)
{
	unsigned more = p9->fids ? p9->fids * 2 : 64;
	struct p9_fid *fid;

	for (unsigned i = 0; i < p9->fids; i++)
		if (!p9->fid[i].used)
			return &p9->fid[i];
	if (more > P9_FIDS)
		return NULL;
	fid = realloc(p9->fid, more * sizeof *fid);
	if (!fid)
		return NULL;
	memset(fid + p9->fids, 0, (more - p9->fids) * sizeof *fid);
	p9->fid = fid;
	fid += p9->fids;
	p9->fids = more;
	return fid;
}

struct p9_fid *
p9_fid_new(struct p9 *p9, uint32_t number, const char *path)
{
	struct p9_fid *fid = p9_find(p9, number) ? NULL : room(p9);
	char *copy = fid ? strdup(path) : NULL;

	if (!copy)
		return NULL;
	*fid = (struct p9_fid){ .number = number, .used = true, .fd = -1, .path = copy };
	return fid;
}

void
p9_close(struct p9_fid *fid)
{
	if (fid->folder)
		closedir(fid->folder);
	else if (fid->fd >= 0)
		close(fid->fd);
	fid->folder = NULL;
	fid->fd = -1;
}

void
p9_drop(struct p9_fid *fid)
{
	if (!fid->used)
		return;
	p9_close(fid);
	free(fid->path);
	*fid = (struct p9_fid){ 0 };
}

/* ---- state ----------------------------------------------------------------------------- */

/* Whether a path could have come about by p9_join. */
static bool
path_good(const char *path)
{
	char joined[P9_PATH] = "", name[P9_NAME], next[P9_PATH];

	while (*path) {
		size_t size = strcspn(path, "/");

		if (size >= sizeof name)
			return false;
		memcpy(name, path, size);
		name[size] = 0;
		if (p9_join(next, joined, name))
			return false;
		memcpy(joined, next, strlen(next) + 1);
		path += size;
		if (*path == '/' && !*++path)
			return false;
	}
	return true;
}

static void
fid_state(struct p9 *p9, unsigned i, struct state *s)
{
	struct p9_fid saved = i < p9->fids ? p9->fid[i] : (struct p9_fid){ 0 }, *fid;
	char path[P9_PATH] = { 0 };
	uint32_t size = saved.used ? (uint32_t)strlen(saved.path) : 0;
	bool open = saved.used && saved.fd >= 0;

	if (size)
		memcpy(path, saved.path, size);
	state_u32(s, "number", &saved.number);
	state_u32(s, "flags", &saved.flags);
	state_bool(s, "open", &open);
	state_blob(s, "path", path, &size, P9_PATH - 1);
	if (state_way(s) != STATE_RESTORE)
		return;
	path[size < P9_PATH ? size : 0] = 0;
	state_check(s, path_good(path), "a path that leads out of a share");
	fid = path_good(path) ? p9_fid_new(p9, saved.number, path) : NULL;
	state_check(s, fid, "a file number twice, or too many");
	if (!fid || !open)
		return;
	/* What is not there any more stays closed: its use fails. */
	fid->flags = saved.flags;
	fid->fd = p9_open(p9, path, (int)(saved.flags & (O_ACCMODE | O_DIRECTORY)));
	if (fid->fd >= 0 && saved.flags & O_DIRECTORY)
		fid->folder = fdopendir(fid->fd);
	fid->fd = fid->fd < 0 ? -1 : fid->fd;
}

void
p9_state(struct p9 *p9, struct state *s)
{
	uint32_t count = 0;
	unsigned at = 0;

	state_begin(s, "9p", 1);
	if (state_way(s) == STATE_RESTORE)
		p9_reset(p9);
	for (unsigned i = 0; i < p9->fids; i++)
		count += p9->fid[i].used;
	state_u32(s, "message", &p9->message);
	state_check(s, p9->message >= P9_HEADER + 4 && p9->message <= P9_MESSAGE_MAX, "a message size that cannot be");
	if (p9->message < P9_HEADER + 4 || p9->message > P9_MESSAGE_MAX)
		p9->message = P9_MESSAGE_MAX;
	state_u32(s, "files", &count);
	state_check(s, count <= P9_FIDS, "too many files");
	for (uint32_t n = 0; n < count && n < P9_FIDS; n++) {
		while (state_way(s) != STATE_RESTORE && at < p9->fids && !p9->fid[at].used)
			at++;
		fid_state(p9, state_way(s) == STATE_RESTORE ? UINT32_MAX : at, s);
		at++;
	}
	state_end(s);
}

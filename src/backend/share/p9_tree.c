/* 9P: names, attributes, and what changes the tree. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "backend/share/p9_impl.h"

#define WALK_MAX 16u
#define BASIC_ATTRIBUTES 0x7ffu
#define MODE_BITS 0777u

/* ---- walking ------------------------------------------------------------------------ */

/* One step from `path`, in place. */
static int
step(struct p9 *p9, char *path, const char *name, struct stat *st)
{
	char next[P9_PATH];
	int failed = 0;

	if (!strcmp(name, "..")) {
		char *slash = strrchr(path, '/');

		*(slash ? slash : path) = 0;
	} else {
		failed = p9_join(next, path, name);
		if (!failed)
			memcpy(path, next, strlen(next) + 1);
	}
	return failed ? failed : p9_stat(p9, path, st);
}

int
p9_walk(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	uint32_t from = (uint32_t)p9_get(in, 4), to = (uint32_t)p9_get(in, 4);
	unsigned names = (unsigned)p9_get(in, 2), done = 0;
	struct p9_fid *fid = p9_find(p9, from);
	struct p9_message head = *out;
	char path[P9_PATH], *copy;
	int failed = 0;

	if (in->bad || !fid || names > WALK_MAX || (to == from && fid->fd >= 0))
		return EBADF;
	text_format(path, sizeof path, "%s", fid->path);
	p9_put(out, 2, 0);
	for (; done < names && !failed; done += !failed) {
		char name[P9_NAME];
		struct stat st;

		p9_get_text(in, name, sizeof name);
		failed = in->bad ? EINVAL : step(p9, path, name, &st);
		if (!failed)
			p9_put_qid(out, &st);
	}
	if (failed && (!done || in->bad))
		return failed;
	p9_put(&head, 2, done);
	if (failed)
		return 0; /* part of the way: no new fid */
	if (to != from)
		return p9_fid_new(p9, to, path) ? 0 : EBADF;
	copy = strdup(path);
	if (!copy)
		return ENOMEM;
	free(fid->path);
	fid->path = copy;
	return 0;
}

/* ---- attributes ------------------------------------------------------------------------- */

static int
fid_stat(struct p9 *p9, const struct p9_fid *fid, struct stat *st)
{
	if (fid->fd >= 0) /* also when its name is gone */
		return fstat(fid->fd, st) ? errno : 0;
	return p9_stat(p9, fid->path, st);
}

int
p9_getattr(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	struct p9_fid *fid = p9_find(p9, (uint32_t)p9_get(in, 4));
	const struct timespec *time[3];
	struct stat st;
	int failed;

	if (!fid)
		return EBADF;
	failed = fid_stat(p9, fid, &st);
	if (failed)
		return failed;
	p9_put(out, 8, BASIC_ATTRIBUTES);
	p9_put_qid(out, &st);
	p9_put(out, 4, st.st_mode);
	p9_put(out, 4, st.st_uid);
	p9_put(out, 4, st.st_gid);
	p9_put(out, 8, st.st_nlink);
	p9_put(out, 8, st.st_rdev);
	p9_put(out, 8, (uint64_t)st.st_size);
	p9_put(out, 8, (uint64_t)st.st_blksize);
	p9_put(out, 8, (uint64_t)st.st_blocks);
	time[0] = &st.st_atim;
	time[1] = &st.st_mtim;
	time[2] = &st.st_ctim;
	for (unsigned i = 0; i < 3; i++) {
		p9_put(out, 8, (uint64_t)time[i]->tv_sec);
		p9_put(out, 8, (uint64_t)time[i]->tv_nsec);
	}
	for (unsigned i = 0; i < 4; i++) /* time of birth, generation, data version */
		p9_put(out, 8, 0);
	return 0;
}

enum set { SET_MODE = 1, SET_UID = 2, SET_GID = 4, SET_SIZE = 8, SET_ATIME = 0x10, SET_MTIME = 0x20, SET_ATIME_TO = 0x80,
	   SET_MTIME_TO = 0x100 };

static struct timespec
time_of(uint32_t valid, uint32_t now, uint32_t to, uint64_t seconds, uint64_t nanoseconds)
{
	struct timespec t = { 0, UTIME_OMIT };

	if (valid & to)
		t = (struct timespec){ (time_t)seconds, (long)(nanoseconds % 1000000000) };
	else if (valid & now)
		t.tv_nsec = UTIME_NOW;
	return t;
}

/* Attributes of what O_PATH descriptor fd stands for, which may be a symbolic link;
 * /proc is the way to those without a name. */
static int
set_mode_and_times(int fd, uint32_t valid, uint32_t mode, const struct timespec times[2])
{
	char path[64];
	struct stat st;

	text_format(path, sizeof path, "/proc/self/fd/%d", fd);
	if (fstat(fd, &st))
		return errno;
	if (valid & SET_MODE && !S_ISLNK(st.st_mode) && chmod(path, mode & MODE_BITS))
		return errno;
	if (valid & (SET_ATIME | SET_MTIME)) {
		int failed = S_ISLNK(st.st_mode) ? utimensat(fd, "", times, AT_EMPTY_PATH) : utimensat(AT_FDCWD, path, times, 0);

		if (failed)
			return errno;
	}
	return 0;
}

int
p9_setattr(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	struct p9_fid *fid = p9_find(p9, (uint32_t)p9_get(in, 4));
	uint32_t valid = (uint32_t)p9_get(in, 4), mode = (uint32_t)p9_get(in, 4), uid = (uint32_t)p9_get(in, 4),
		 gid = (uint32_t)p9_get(in, 4);
	uint64_t size = p9_get(in, 8), value[4];
	struct timespec times[2];
	struct stat st;
	int fd, failed;

	(void)out;
	for (unsigned i = 0; i < 4; i++)
		value[i] = p9_get(in, 8);
	if (in->bad || !fid)
		return EBADF;
	times[0] = time_of(valid, SET_ATIME, SET_ATIME_TO, value[0], value[1]);
	times[1] = time_of(valid, SET_MTIME, SET_MTIME_TO, value[2], value[3]);
	failed = fid_stat(p9, fid, &st);
	if (failed)
		return failed;
	/* Files belong to whoever runs the machine. */
	if ((valid & SET_UID && uid != st.st_uid) || (valid & SET_GID && gid != st.st_gid))
		return EPERM;
	if (valid & SET_SIZE) {
		if (!S_ISREG(st.st_mode))
			return EINVAL;
		fd = fid->fd >= 0 && fid->flags & O_ACCMODE ? dup(fid->fd) : p9_open(p9, fid->path, O_WRONLY);
		if (fd < 0)
			return fid->fd >= 0 ? EBADF : -fd;
		failed = ftruncate(fd, (off_t)size) ? errno : 0;
		close(fd);
		if (failed)
			return failed;
	}
	if (!(valid & (SET_MODE | SET_ATIME | SET_MTIME)))
		return 0;
	fd = fid->fd >= 0 ? dup(fid->fd) : p9_open(p9, fid->path, O_PATH);
	if (fd < 0)
		return EBADF;
	failed = set_mode_and_times(fd, valid, mode, times);
	close(fd);
	return failed;
}

int
p9_statfs(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	struct statfs st;

	if (!p9_find(p9, (uint32_t)p9_get(in, 4)))
		return EBADF;
	if (fstatfs(p9->root, &st))
		return errno;
	p9_put(out, 4, 0x01021997); /* V9FS_MAGIC */
	p9_put(out, 4, (uint64_t)st.f_bsize);
	p9_put(out, 8, st.f_blocks);
	p9_put(out, 8, st.f_bfree);
	p9_put(out, 8, st.f_bavail);
	p9_put(out, 8, st.f_files);
	p9_put(out, 8, st.f_ffree);
	p9_put(out, 8, 0);
	p9_put(out, 4, 255);
	return 0;
}

int
p9_readlink(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	struct p9_fid *fid = p9_find(p9, (uint32_t)p9_get(in, 4));
	char target[P9_PATH];
	ssize_t size;
	int fd;

	if (!fid)
		return EBADF;
	fd = p9_open(p9, fid->path, O_PATH);
	if (fd < 0)
		return -fd;
	size = readlinkat(fd, "", target, sizeof target);
	close(fd);
	if (size < 0)
		return errno == ENOENT ? EINVAL : errno;
	p9_put_text(out, target, (size_t)size);
	return 0;
}

/* ---- making names ---------------------------------------------------------------------- */

/* The folder of a new name: fid and name are read from the message. A descriptor, or
 * -errno. */
static int
new_name(struct p9 *p9, struct p9_message *in, char *name, char *path)
{
	const struct p9_fid *fid = p9_find(p9, (uint32_t)p9_get(in, 4));
	int failed;

	p9_get_text(in, name, P9_NAME);
	if (in->bad || !fid)
		return -EBADF;
	failed = p9_join(path, fid->path, name);
	return failed ? -failed : p9_open(p9, fid->path, O_PATH | O_DIRECTORY);
}

/* Ends a handler that made a name: closes the folder, answers with what was made. */
static int
made(struct p9 *p9, int folder, int failed, const char *path, struct p9_message *out)
{
	struct stat st;

	close(folder);
	if (!failed)
		failed = p9_stat(p9, path, &st);
	if (!failed)
		p9_put_qid(out, &st);
	return failed;
}

int
p9_mkdir(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	char name[P9_NAME], path[P9_PATH];
	int folder = new_name(p9, in, name, path);
	uint32_t mode = (uint32_t)p9_get(in, 4);
	int failed;

	if (folder < 0)
		return -folder;
	failed = mkdirat(folder, name, mode & MODE_BITS) ? errno : 0;
	return made(p9, folder, failed, path, out);
}

int
p9_symlink(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	char name[P9_NAME], path[P9_PATH], target[P9_PATH];
	int folder = new_name(p9, in, name, path);

	if (folder < 0)
		return -folder;
	p9_get_text(in, target, sizeof target);
	return made(p9, folder, in->bad ? EINVAL : symlinkat(target, folder, name) ? errno : 0, path, out);
}

int
p9_mknod(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	char name[P9_NAME], path[P9_PATH];
	int folder = new_name(p9, in, name, path), failed = EPERM;
	uint32_t mode = (uint32_t)p9_get(in, 4);

	if (folder < 0)
		return -folder;
	if (S_ISFIFO(mode) || S_ISSOCK(mode) || S_ISREG(mode)) /* devices are the host's */
		failed = mknodat(folder, name, mode & (S_IFMT | MODE_BITS), 0) ? errno : 0;
	return made(p9, folder, failed, path, out);
}

int
p9_link(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	const struct p9_fid *to = p9_find(p9, (uint32_t)p9_get(in, 4)), *from = p9_find(p9, (uint32_t)p9_get(in, 4));
	char name[P9_NAME], path[P9_PATH];
	const char *old;
	int folder, parent, failed;

	(void)out;
	p9_get_text(in, name, sizeof name);
	if (in->bad || !to || !from || !*from->path)
		return EBADF;
	failed = p9_join(path, to->path, name);
	if (failed)
		return failed;
	parent = p9_open_parent(p9, from->path, &old);
	if (parent < 0)
		return -parent;
	folder = p9_open(p9, to->path, O_PATH | O_DIRECTORY);
	failed = folder < 0 ? -folder : linkat(parent, old, folder, name, 0) ? errno : 0;
	if (folder >= 0)
		close(folder);
	close(parent);
	return failed;
}

/* ---- moving and removing -------------------------------------------------------------- */

static int
move(struct p9 *p9, const char *from, const char *to)
{
	const char *old, *new;
	int a = p9_open_parent(p9, from, &old), b, failed;

	if (a < 0)
		return -a;
	b = p9_open_parent(p9, to, &new);
	failed = b < 0 ? -b : renameat(a, old, b, new) ? errno : 0;
	close(a);
	if (b >= 0)
		close(b);
	if (!failed)
		p9_moved(p9, from, to);
	return failed;
}

int
p9_rename(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	const struct p9_fid *fid = p9_find(p9, (uint32_t)p9_get(in, 4)), *folder = p9_find(p9, (uint32_t)p9_get(in, 4));
	char name[P9_NAME], from[P9_PATH], to[P9_PATH];
	int failed;

	(void)out;
	p9_get_text(in, name, sizeof name);
	if (in->bad || !fid || !folder || !*fid->path)
		return EBADF;
	failed = p9_join(to, folder->path, name);
	text_format(from, sizeof from, "%s", fid->path); /* the fid's own will change */
	return failed ? failed : move(p9, from, to);
}

int
p9_renameat(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	const struct p9_fid *a = p9_find(p9, (uint32_t)p9_get(in, 4)), *b;
	char old[P9_NAME], new[P9_NAME], from[P9_PATH], to[P9_PATH];
	int failed;

	(void)out;
	p9_get_text(in, old, sizeof old);
	b = p9_find(p9, (uint32_t)p9_get(in, 4));
	p9_get_text(in, new, sizeof new);
	if (in->bad || !a || !b)
		return EBADF;
	failed = p9_join(from, a->path, old);
	if (!failed)
		failed = p9_join(to, b->path, new);
	return failed ? failed : move(p9, from, to);
}

static int
unlink_path(struct p9 *p9, const char *path, bool folder)
{
	const char *name;
	int parent = p9_open_parent(p9, path, &name), failed;

	if (parent < 0)
		return -parent;
	failed = unlinkat(parent, name, folder ? AT_REMOVEDIR : 0) ? errno : 0;
	close(parent);
	return failed;
}

int
p9_unlinkat(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	const struct p9_fid *fid = p9_find(p9, (uint32_t)p9_get(in, 4));
	char name[P9_NAME], path[P9_PATH];
	uint32_t flags;
	int failed;

	(void)out;
	p9_get_text(in, name, sizeof name);
	flags = (uint32_t)p9_get(in, 4);
	if (in->bad || !fid)
		return EBADF;
	failed = p9_join(path, fid->path, name);
	return failed ? failed : unlink_path(p9, path, flags & AT_REMOVEDIR);
}

/* The fid is gone, whether the file is or not. */
int
p9_remove(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	struct p9_fid *fid = p9_find(p9, (uint32_t)p9_get(in, 4));
	struct stat st;
	int failed;

	(void)out;
	if (!fid)
		return EBADF;
	failed = !*fid->path ? EPERM : p9_stat(p9, fid->path, &st);
	if (!failed)
		failed = unlink_path(p9, fid->path, S_ISDIR(st.st_mode));
	p9_drop(fid);
	return failed;
}

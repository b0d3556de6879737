/* 9P: open files and folders. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "backend/share/p9_impl.h"

#define READDIR_ENTRY 24u /* bytes beside the name */
#define UNLOCKED 2u

/* The client's open flags are those of Linux's generic ABI, which is the host's. What
 * it asks beyond these is its own business. */
static int
host_flags(const struct p9 *p9, uint32_t flags)
{
	if (p9->read_only && (flags & O_ACCMODE || flags & O_TRUNC))
		return -1;
	return (int)(flags & (O_ACCMODE | O_TRUNC | O_DIRECTORY));
}

static int
keep_open(struct p9_fid *fid, int fd, uint32_t flags, struct p9_message *out)
{
	struct stat st;

	if (fstat(fd, &st)) {
		close(fd);
		return EIO;
	}
	fid->flags = flags & (O_ACCMODE | O_DIRECTORY);
	if (S_ISDIR(st.st_mode)) {
		fid->folder = fdopendir(fd);
		fid->flags |= O_DIRECTORY;
		if (!fid->folder) {
			close(fd);
			return EIO;
		}
	}
	fid->fd = fd;
	p9_put_qid(out, &st);
	p9_put(out, 4, 0); /* no unit better than another */
	return 0;
}

int
p9_lopen(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	struct p9_fid *fid = p9_find(p9, (uint32_t)p9_get(in, 4));
	uint32_t flags = (uint32_t)p9_get(in, 4);
	struct stat st;
	int fd, failed, wanted = host_flags(p9, flags);

	if (in->bad || !fid || fid->fd >= 0)
		return EBADF;
	if (wanted < 0)
		return EROFS;
	failed = p9_stat(p9, fid->path, &st);
	if (failed)
		return failed;
	/* Opening other things can do anything (a tape rewinds); the guest has its own. */
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return S_ISLNK(st.st_mode) ? ELOOP : ENXIO;
	fd = p9_open(p9, fid->path, wanted);
	return fd < 0 ? -fd : keep_open(fid, fd, flags, out);
}

int
p9_lcreate(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	struct p9_fid *fid = p9_find(p9, (uint32_t)p9_get(in, 4));
	char name[P9_NAME], path[P9_PATH], *copy;
	uint32_t flags, mode;
	int parent, fd, failed;

	p9_get_text(in, name, sizeof name);
	flags = (uint32_t)p9_get(in, 4);
	mode = (uint32_t)p9_get(in, 4);
	if (in->bad || !fid || fid->fd >= 0)
		return EBADF;
	failed = p9_join(path, fid->path, name);
	if (failed)
		return failed;
	parent = p9_open(p9, fid->path, O_PATH | O_DIRECTORY);
	if (parent < 0)
		return -parent;
	fd = openat(parent, name, (int)(flags & (O_ACCMODE | O_TRUNC | O_EXCL)) | O_CREAT | O_NOFOLLOW | O_CLOEXEC |
					  O_NONBLOCK, mode & 0777);
	failed = fd < 0 ? errno : 0;
	close(parent);
	copy = failed ? NULL : strdup(path);
	if (failed || !copy) {
		if (fd >= 0)
			close(fd);
		return failed ? failed : ENOMEM;
	}
	fchmod(fd, mode & 0777); /* whatever our umask is */
	free(fid->path);
	fid->path = copy;
	return keep_open(fid, fd, flags, out);
}

int
p9_read(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	struct p9_fid *fid = p9_find(p9, (uint32_t)p9_get(in, 4));
	uint64_t offset = p9_get(in, 8);
	uint32_t count = (uint32_t)p9_get(in, 4);
	uint8_t *start = out->at;
	ssize_t got;

	if (in->bad || !fid || fid->fd < 0 || fid->folder)
		return EBADF;
	p9_put(out, 4, 0);
	if (out->bad)
		return EINVAL;
	if (count > out->end - out->at)
		count = (uint32_t)(out->end - out->at);
	got = pread(fid->fd, out->at, count, (off_t)offset);
	if (got < 0)
		return errno;
	out->at = start;
	p9_put(out, 4, (uint64_t)got);
	out->at += got;
	return 0;
}

int
p9_write(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	struct p9_fid *fid = p9_find(p9, (uint32_t)p9_get(in, 4));
	uint64_t offset = p9_get(in, 8);
	uint32_t count = (uint32_t)p9_get(in, 4);
	ssize_t put;

	if (in->bad || !fid || fid->fd < 0 || fid->folder)
		return EBADF;
	if (count > in->end - in->at)
		return EINVAL;
	put = pwrite(fid->fd, in->at, count, (off_t)offset);
	if (put < 0)
		return errno;
	p9_put(out, 4, (uint64_t)put);
	return 0;
}

/* One entry; false: it does not fit any more. ".." at the top, and everywhere, is
 * named without being looked at: what is above is nobody's. */
static bool
put_entry(struct p9_message *out, const uint8_t *end, const struct dirent *entry, const struct stat *folder)
{
	size_t size = strlen(entry->d_name);
	struct stat st = { .st_ino = entry->d_ino, .st_dev = folder->st_dev, .st_mode = DTTOIF(entry->d_type) };

	if ((size_t)(end - out->at) < READDIR_ENTRY + size)
		return false;
	if (!strcmp(entry->d_name, "..") || !strcmp(entry->d_name, "."))
		st = *folder;
	p9_put_qid(out, &st);
	p9_put(out, 8, (uint64_t)entry->d_off);
	p9_put(out, 1, entry->d_type);
	p9_put_text(out, entry->d_name, size);
	return true;
}

int
p9_readdir(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	struct p9_fid *fid = p9_find(p9, (uint32_t)p9_get(in, 4));
	uint64_t offset = p9_get(in, 8);
	uint32_t count = (uint32_t)p9_get(in, 4);
	struct p9_message head = *out;
	struct stat folder;
	struct dirent *entry;
	const uint8_t *start, *end;

	if (in->bad || !fid || !fid->folder)
		return EBADF;
	p9_put(out, 4, 0);
	if (out->bad || fstat(fid->fd, &folder))
		return EINVAL;
	start = out->at;
	end = count < (size_t)(out->end - start) ? start + count : out->end;
	if (offset)
		seekdir(fid->folder, (long)offset);
	else
		rewinddir(fid->folder);
	while ((entry = readdir(fid->folder)) && put_entry(out, end, entry, &folder))
		;
	p9_put(&head, 4, (uint64_t)(out->at - start));
	return 0;
}

int
p9_fsync(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	struct p9_fid *fid = p9_find(p9, (uint32_t)p9_get(in, 4));
	uint32_t data = (uint32_t)p9_get(in, 4);

	(void)out;
	if (!fid || fid->fd < 0)
		return EBADF;
	return (data ? fdatasync(fid->fd) : fsync(fid->fd)) ? errno : 0;
}

int
p9_clunk(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	struct p9_fid *fid = p9_find(p9, (uint32_t)p9_get(in, 4));

	(void)out;
	if (!fid)
		return EBADF;
	p9_drop(fid);
	return 0;
}

/* Locks hold among the guest's own programs, which its kernel sees to. */
int
p9_lock(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	if (!p9_find(p9, (uint32_t)p9_get(in, 4)))
		return EBADF;
	p9_put(out, 1, 0); /* granted */
	return 0;
}

int
p9_getlock(struct p9 *p9, struct p9_message *in, struct p9_message *out)
{
	struct p9_fid *fid = p9_find(p9, (uint32_t)p9_get(in, 4));
	uint64_t start, length;
	uint32_t process;
	char client[P9_NAME];

	p9_get(in, 1);
	start = p9_get(in, 8);
	length = p9_get(in, 8);
	process = (uint32_t)p9_get(in, 4);
	p9_get_text(in, client, sizeof client);
	if (!fid || in->bad)
		return EBADF;
	p9_put(out, 1, UNLOCKED);
	p9_put(out, 8, start);
	p9_put(out, 8, length);
	p9_put(out, 4, process);
	p9_put_text(out, client, strlen(client));
	return 0;
}

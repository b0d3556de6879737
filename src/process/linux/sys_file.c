/* Files by path and descriptor: what does not simply pass, since paths have a
 * guest's view (/proc, the sysroot), descriptors of ours are hidden, or structs
 * differ. */
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "process/linux/linux.h"

/* ---- opening and closing ------------------------------------------------ */

static int64_t
open_view(struct thread *thread, uint64_t dirfd, uint64_t address, char *path, uint64_t flags, uint64_t mode)
{
	if (mem_string(thread, address, path, PATH_SIZE) < 0) {
		path[0] = 0;
		return PROC_VIEW_NONE; /* the host's call says why */
	}
	return proc_view_open(thread, (int)fd_argument(thread, dirfd), path, (int)flags, (int)mode);
}

static bool
open_follows(uint64_t flags)
{
	return !(flags & O_NOFOLLOW) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
}

/* A debugger's way to memory: /proc/PID/mem. */
static bool
is_memory(const char *path)
{
	size_t length = strnlen(path, PATH_SIZE);

	return length > 10 && !memcmp(path, "/proc/", 6) && !memcmp(path + length - 4, "/mem", 4);
}

int64_t
sys_openat(struct thread *thread, const uint64_t *a)
{
	char path[PATH_BUFFER];
	uint64_t flags = open_flags_argument(thread, a[2]);
	int64_t view = open_view(thread, a[0], a[1], path, flags, a[3]);

	if (view != PROC_VIEW_NONE)
		return view;
	if ((flags & O_ACCMODE) != O_RDONLY && is_memory(path))
		thread->process->writes_memory = true;
	return signal_syscall(thread, SYS_openat, fd_argument(thread, a[0]),
			      (long)path_argument(thread, a[1], path, open_follows(flags)), (long)flags, (long)a[3],
			      0, 0);
}

int64_t
sys_openat2(struct thread *thread, const uint64_t *a)
{
	char path[PATH_BUFFER];
	struct open_how how = { 0 };
	int64_t view;

	if (a[3] >= sizeof how && !mem_read(thread, &how, a[2], sizeof how) && !how.resolve) {
		view = open_view(thread, a[0], a[1], path, how.flags, how.mode);
		if (view != PROC_VIEW_NONE)
			return view;
	}
	return signal_syscall(thread, SYS_openat2, fd_argument(thread, a[0]),
			      (long)path_argument(thread, a[1], path, open_follows(how.flags) && !how.resolve),
			      (long)guest_buffer(thread, a[2], a[3], false), (long)a[3], 0, 0);
}

int64_t
sys_close(struct thread *thread, const uint64_t *a)
{
	return RAW1(SYS_close, fd_argument(thread, a[0]));
}

/* Our descriptors stay open: the range is closed in the pieces between them. */
int64_t
sys_close_range(struct thread *thread, const uint64_t *a)
{
	uint32_t first = (uint32_t)a[0], last = (uint32_t)a[1];
	int own[PROCESS_FDS_MAX];
	unsigned count = process_own_fds(thread->process, own);
	uint64_t flags = a[2];

	for (unsigned i = 0; i < count; i++) {
		uint32_t fd = (uint32_t)own[i];

		if (fd < first || fd > last)
			continue;
		if (fd > first) {
			long result = RAW3(SYS_close_range, first, fd - 1, flags);

			if (result)
				return result;
			flags &= ~(uint64_t)CLOSE_RANGE_UNSHARE;
		}
		if (fd == last)
			return 0;
		first = fd + 1;
	}
	return RAW3(SYS_close_range, first, last, flags);
}

int64_t
sys_dup3(struct thread *thread, const uint64_t *a)
{
	/* Onto one of ours: as if it lay beyond the limit. */
	if (process_owns_fd(thread->process, (int)a[1]))
		return -EBADF;
	return RAW3(SYS_dup3, fd_argument(thread, a[0]), a[1], a[2]);
}

int64_t
sys_fcntl(struct thread *thread, const uint64_t *a)
{
	long argument = (long)a[2];
	int64_t result;

	switch ((int)a[1]) {
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		argument = (long)guest_buffer(thread, a[2], 32, true);
		break;
	case F_GETOWN_EX:
	case F_SETOWN_EX:
	case F_GET_RW_HINT:
	case F_SET_RW_HINT:
	case F_GET_FILE_RW_HINT:
	case F_SET_FILE_RW_HINT:
		argument = (long)guest_buffer(thread, a[2], 8, true);
		break;
	case F_SETFL:
		argument = (long)open_flags_argument(thread, a[2]);
		break;
	}
	result = signal_syscall(thread, SYS_fcntl, fd_argument(thread, a[0]), (long)a[1], argument, 0, 0, 0);
	if ((int)a[1] == F_GETFL && result >= 0)
		result = (int64_t)open_flags_argument(thread, (uint64_t)result);
	return result;
}

/* ---- names -------------------------------------------------------------- */

int64_t
sys_getcwd(struct thread *thread, const uint64_t *a)
{
	char path[PATH_SIZE];
	long length = RAW2(SYS_getcwd, path, sizeof path);
	const char *shown = path;

	if (length < 0)
		return length;
	if (thread->process->sysroot[0]) {
		shown = path_to_guest(thread->process, path);
		length = (long)strlen(shown) + 1;
	}
	if ((uint64_t)length > a[1])
		return -ERANGE;
	return mem_write(thread, a[0], shown, (size_t)length) ? -EFAULT : length;
}

int64_t
sys_readlinkat(struct thread *thread, const uint64_t *a)
{
	char path[PATH_BUFFER], text[PATH_SIZE];
	int64_t length = PROC_VIEW_NONE;

	if ((int)a[3] > 0 && mem_string(thread, a[1], path, PATH_SIZE) >= 0)
		length = proc_view_readlink(thread, (int)fd_argument(thread, a[0]), path, text, sizeof text);
	if (length == PROC_VIEW_NONE)
		return signal_syscall(thread, SYS_readlinkat, fd_argument(thread, a[0]),
				      (long)path_argument(thread, a[1], path, false),
				      (long)guest_buffer(thread, a[2], a[3], true), (long)a[3], 0, 0);
	if (length < 0)
		return length;
	if ((uint64_t)length > a[3])
		length = (int64_t)a[3];
	return mem_write(thread, a[2], text, (size_t)length) ? -EFAULT : length;
}

/* ---- directories -------------------------------------------------------- */

/* The kernel's struct linux_dirent64, with as much of the name as the number of a
 * descriptor has. */
struct entry {
	uint64_t inode;
	int64_t next;
	uint16_t size;
	uint8_t type;
	char name[13];
};

/* Whether the directory lists descriptors of this process. */
static bool
lists_descriptors(long fd)
{
	char link[32], path[64], own[32];
	struct statfs file_system;
	long length;

	if (RAW2(SYS_fstatfs, fd, &file_system) || file_system.f_type != PROC_SUPER_MAGIC)
		return false;
	text_format(link, sizeof link, "/proc/self/fd/%d", (int)fd);
	length = RAW3(SYS_readlink, link, path, sizeof path - 1);
	if (length <= 0)
		return false;
	path[length] = 0;
	length = text_format(own, sizeof own, "/proc/%d/", (int)RAW0(SYS_getpid));
	return !strncmp(path, own, (size_t)length) && (strstr(path, "/fd") != NULL);
}

static bool
is_own_name(const struct process *process, const char *name)
{
	int own[PROCESS_FDS_MAX];
	unsigned count = process_own_fds(process, own);
	char text[16];

	for (unsigned i = 0; i < count; i++) {
		text_format(text, sizeof text, "%d", own[i]);
		if (!strcmp(text, name))
			return true;
	}
	return false;
}

/* Takes the entries named as our descriptors out of a listing of size bytes.
 * Returns what is left, or -EFAULT. */
static int64_t
hide_entries(struct thread *thread, uint64_t list, int64_t size)
{
	struct entry e;
	char move[280];
	int64_t from, to = 0;

	for (from = 0; from < size; from += e.size) {
		size_t room = (size_t)(size - from) < sizeof e ? (size_t)(size - from) : sizeof e;

		if (mem_read(thread, &e, list + (uint64_t)from, room) || e.size < offsetof(struct entry, name))
			return -EFAULT;
		e.name[sizeof e.name - 1] = 0;
		if (is_own_name(thread->process, e.name))
			continue;
		if (from != to && (e.size > sizeof move || mem_read(thread, move, list + (uint64_t)from, e.size) ||
				   mem_write(thread, list + (uint64_t)to, move, e.size)))
			return -EFAULT;
		to += e.size;
	}
	return to;
}

int64_t
sys_getdents64(struct thread *thread, const uint64_t *a)
{
	long fd = fd_argument(thread, a[0]);
	int64_t size;

	/* A piece that held nothing but ours is not the end. */
	do {
		size = signal_syscall(thread, SYS_getdents64, fd, (long)guest_buffer(thread, a[1], a[2], true),
				      (long)a[2], 0, 0, 0);
		if (size <= 0 || !lists_descriptors(fd))
			return size;
		size = hide_entries(thread, a[1], size);
	} while (!size);
	return size;
}

/* ---- attributes --------------------------------------------------------- */

/* asm-generic/stat.h for 64-bit. */
struct generic_stat {
	uint64_t st_dev, st_ino;
	uint32_t st_mode, st_nlink, st_uid, st_gid;
	uint64_t st_rdev, pad1;
	int64_t st_size;
	int32_t st_blksize, pad2;
	int64_t st_blocks;
	int64_t st_atime_s;
	uint64_t st_atime_ns;
	int64_t st_mtime_s;
	uint64_t st_mtime_ns;
	int64_t st_ctime_s;
	uint64_t st_ctime_ns;
	uint32_t unused[2];
};
_Static_assert(sizeof(struct generic_stat) == 128, "as a cross compiler lays it out");

static int64_t
stat_out(struct thread *thread, uint64_t address, const struct stat *st)
{
	struct generic_stat out = {
		.st_dev = st->st_dev,
		.st_ino = st->st_ino,
		.st_mode = st->st_mode,
		.st_nlink = (uint32_t)st->st_nlink,
		.st_uid = st->st_uid,
		.st_gid = st->st_gid,
		.st_rdev = st->st_rdev,
		.st_size = st->st_size,
		.st_blksize = (int32_t)st->st_blksize,
		.st_blocks = st->st_blocks,
		.st_atime_s = st->st_atim.tv_sec,
		.st_atime_ns = (uint64_t)st->st_atim.tv_nsec,
		.st_mtime_s = st->st_mtim.tv_sec,
		.st_mtime_ns = (uint64_t)st->st_mtim.tv_nsec,
		.st_ctime_s = st->st_ctim.tv_sec,
		.st_ctime_ns = (uint64_t)st->st_ctim.tv_nsec,
	};

	return mem_write(thread, address, &out, sizeof out);
}

int64_t
sys_fstat(struct thread *thread, const uint64_t *a)
{
	struct stat st;
	long result = RAW2(SYS_fstat, fd_argument(thread, a[0]), &st);

	return result ? result : stat_out(thread, a[1], &st);
}

int64_t
sys_newfstatat(struct thread *thread, const uint64_t *a)
{
	char path[PATH_BUFFER];
	struct stat st;
	long result = signal_syscall(thread, SYS_newfstatat, fd_argument(thread, a[0]),
				     (long)path_argument(thread, a[1], path, !(a[3] & AT_SYMLINK_NOFOLLOW)),
				     (long)&st, (long)a[3], 0, 0);

	return result ? result : stat_out(thread, a[2], &st);
}

int64_t
sys_statx(struct thread *thread, const uint64_t *a)
{
	char path[PATH_BUFFER];

	return signal_syscall(thread, SYS_statx, fd_argument(thread, a[0]),
			      (long)path_argument(thread, a[1], path, !(a[2] & AT_SYMLINK_NOFOLLOW)), (long)a[2],
			      (long)a[3], (long)guest_buffer(thread, a[4], 256, true), 0);
}

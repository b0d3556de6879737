/* The files under /proc that would show the emulator where a program looks for
 * itself: exe, maps, cmdline, environ, auxv of its own process, and cpuinfo.
 * They are made when they are opened, as memory files. They need no /proc.
 *
 * The rest of /proc is the host's: the numbers in stat and status are those of
 * the process that both are.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "process/host_maps.h"
#include "process/process_impl.h"

#define PATH_ROOM 4096
#define NAME_COLUMN 73 /* where maps has its names */

enum view {
	VIEW_NONE,
	VIEW_EXE,
	VIEW_MAPS,
	VIEW_CMDLINE,
	VIEW_ENVIRON,
	VIEW_AUXV,
	VIEW_CPUINFO,
	VIEW_LINK, /* another of our links: shows the guest's name of its target */
};

static const struct {
	const char *name;
	enum view view;
} own_files[] = {
	{ "exe", VIEW_EXE },	     { "maps", VIEW_MAPS }, { "cmdline", VIEW_CMDLINE },
	{ "environ", VIEW_ENVIRON }, { "auxv", VIEW_AUXV }, { "cwd", VIEW_LINK },
	{ "root", VIEW_LINK },
};

/* ---- which file ------------------------------------------------------------ */

/* If *path starts with the component name, moves it past that. */
static bool
take(const char **path, const char *name)
{
	size_t length = strlen(name);

	if (strncmp(*path, name, length) != 0 || ((*path)[length] && (*path)[length] != '/'))
		return false;
	*path += length;
	while (**path == '/')
		++*path;
	return true;
}

static bool
take_number(const char **path, long number)
{
	char text[24];

	text_format(text, sizeof text, "%ld", number);
	return take(path, text);
}

static bool
take_any_number(const char **path)
{
	const char *at = *path;

	while (*at >= '0' && *at <= '9')
		at++;
	if (at == *path || *at != '/')
		return false;
	while (*at == '/')
		at++;
	*path = at;
	return true;
}

static enum view
view_of(const char *path)
{
	if (path[0] != '/')
		return VIEW_NONE;
	while (*path == '/')
		path++;
	if (!take(&path, "proc"))
		return VIEW_NONE;
	if (!strcmp(path, "cpuinfo"))
		return VIEW_CPUINFO;
	if (!take(&path, "self") && !take(&path, "thread-self") &&
	    !take_number(&path, RAW0(SYS_getpid)))
		return VIEW_NONE;
	if (take(&path, "task") && !take_any_number(&path))
		return VIEW_NONE;
	for (size_t i = 0; i < ARRAY_LEN(own_files); i++)
		if (!strcmp(path, own_files[i].name))
			return own_files[i].view;
	return !strncmp(path, "fd/", 3) ? VIEW_LINK : VIEW_NONE;
}

bool
proc_view_is_exe(const char *path)
{
	return !strncmp(path, "/proc/", 6) && view_of(path) == VIEW_EXE;
}

/* As view_of, for a path that may be relative to an open folder of /proc. */
static enum view
view_at(int dirfd, const char *path)
{
	char link[32], full[PATH_ROOM];
	const char *last = strrchr(path, '/');
	bool known = !strcmp(last ? last + 1 : path, "cpuinfo");
	long length;

	if (path[0] == '/')
		return view_of(path);
	for (size_t i = 0; i < ARRAY_LEN(own_files) && !known; i++)
		known = !strcmp(last ? last + 1 : path, own_files[i].name);
	if (!known)
		return VIEW_NONE;
	if (dirfd == AT_FDCWD)
		text_format(link, sizeof link, "/proc/self/cwd");
	else
		text_format(link, sizeof link, "/proc/self/fd/%d", dirfd);
	length = RAW3(SYS_readlink, link, full, sizeof full - 1);
	if (length < 5 || memcmp(full, "/proc", 5) != 0)
		return VIEW_NONE;
	text_format(full + length, sizeof full - (size_t)length, "/%s", path);
	return view_of(full);
}

/* ---- writing ----------------------------------------------------------------- */

struct writer {
	int fd;
	size_t used;
	char buffer[4096];
};

static void
flush(struct writer *w)
{
	size_t done = 0;

	while (done < w->used) {
		long got = RAW3(SYS_write, w->fd, w->buffer + done, w->used - done);

		if (got <= 0 && got != -EINTR)
			break;
		done += got > 0 ? (size_t)got : 0;
	}
	w->used = 0;
}

static void
put(struct writer *w, const char *bytes, size_t size)
{
	while (size) {
		size_t part = sizeof w->buffer - w->used;

		if (part > size)
			part = size;
		memcpy(w->buffer + w->used, bytes, part);
		w->used += part;
		bytes += part;
		size -= part;
		if (w->used == sizeof w->buffer)
			flush(w);
	}
}

/* ---- maps ---------------------------------------------------------------------- */

static const char *
own_name(const struct process *process, const struct mapping *m)
{
	if (process->vdso_address >= m->start && process->vdso_address < m->end)
		return "[vdso]";
	if (process->stack_top > m->start && process->stack_top <= m->end)
		return "[stack]";
	if (m->end > process->brk_start && m->start < (uint64_t)space_brk(process->space, 0))
		return "[heap]";
	return "";
}

static void
put_mapping(struct writer *w, struct process *process, struct host_maps *h, const struct mapping *m)
{
	char line[160];
	const char *name = "";
	int length = text_format(line, sizeof line, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ",
				 (unsigned long long)m->start, (unsigned long long)m->end,
				 m->prot & PROT_READ ? 'r' : '-', m->prot & PROT_WRITE ? 'w' : '-',
				 m->prot & PROT_EXEC ? 'x' : '-', m->flags & MAP_SHARED ? 's' : 'p',
				 (unsigned long long)m->offset, major(m->device), minor(m->device),
				 (unsigned long long)m->inode);

	if (m->inode || m->device)
		name = path_to_guest(process, host_maps_name(h, process->guest_base + m->start));
	if (!*name)
		name = own_name(process, m);
	put(w, line, (size_t)length);
	if (*name) {
		for (; length < NAME_COLUMN; length++)
			put(w, " ", 1);
		put(w, name, strlen(name));
	}
	put(w, "\n", 1);
}

static void
put_maps(struct writer *w, struct thread *thread)
{
	struct host_maps *h = arena_alloc(&thread->arena, sizeof *h);
	struct mapping m;
	uint64_t at = 0;

	host_maps_open(h);
	while (space_next(thread->process->space, at, &m)) {
		put_mapping(w, thread->process, h, &m);
		at = m.end;
	}
	host_maps_close(h);
	arena_reset(&thread->arena);
}

/* ---- the others ------------------------------------------------------------------ */

static void
put_memory(struct writer *w, struct thread *thread, uint64_t start, uint64_t end)
{
	char part[1024];

	while (start < end) {
		size_t size = end - start < sizeof part ? end - start : sizeof part;

		if (mem_read(thread, part, start, size))
			return; /* the guest unmapped it: the file ends there */
		put(w, part, size);
		start += size;
	}
}

/* How many processors are online: "0-3,8" of /sys, or those that we may use. */
static unsigned
count_cpus(void)
{
	char text[256];
	unsigned long set[128];
	long fd = RAW4(SYS_openat, AT_FDCWD, "/sys/devices/system/cpu/online", O_RDONLY | O_CLOEXEC, 0);
	long got = raw_failed(fd) ? 0 : RAW3(SYS_read, fd, text, sizeof text);
	unsigned count = 0, value = 0, first = 0;
	bool range = false;

	if (!raw_failed(fd))
		RAW1(SYS_close, fd);
	for (long i = 0; i < got; i++) {
		if (text[i] >= '0' && text[i] <= '9') {
			value = value * 10 + (unsigned)(text[i] - '0');
			continue;
		}
		if (text[i] == '-') {
			first = value;
			range = true;
		} else {
			count += range ? value - first + 1 : 1;
			range = false;
		}
		value = 0;
	}
	if (count)
		return count;
	got = RAW3(SYS_sched_getaffinity, 0, sizeof set, set);
	for (long i = 0; i < got / (long)sizeof set[0]; i++)
		count += (unsigned)__builtin_popcountl(set[i]);
	return count ? count : 1;
}

static void
put_cpuinfo(struct writer *w, const struct process *process)
{
	char text[1536];
	unsigned count = count_cpus();

	for (unsigned i = 0; i < count; i++) {
		int length = process->abi->cpuinfo(process, text, sizeof text, i);

		put(w, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
	}
}

static int64_t
open_view(struct thread *thread, enum view view, int flags)
{
	struct process *process = thread->process;
	struct writer w = { .used = 0 };
	long fd = RAW2(SYS_memfd_create, "proc", flags & O_CLOEXEC ? MFD_CLOEXEC : 0);

	if (raw_failed(fd))
		return fd;
	w.fd = (int)fd;
	switch (view) {
	case VIEW_MAPS:
		put_maps(&w, thread);
		break;
	case VIEW_CMDLINE:
		put_memory(&w, thread, process->argument_start, process->argument_end);
		break;
	case VIEW_ENVIRON:
		put_memory(&w, thread, process->environment_start, process->environment_end);
		break;
	case VIEW_AUXV:
		put_memory(&w, thread, process->auxv_address, process->auxv_address + process->auxv_size);
		break;
	case VIEW_CPUINFO:
		put_cpuinfo(&w, process);
		break;
	case VIEW_NONE:
	case VIEW_EXE:
	case VIEW_LINK:
		break;
	}
	flush(&w);
	RAW3(SYS_lseek, fd, 0, SEEK_SET);
	return fd;
}

int64_t
proc_view_open(struct thread *thread, int dirfd, const char *path, int flags, int mode)
{
	struct process *process = thread->process;
	enum view view = view_at(dirfd, path);

	switch (view) {
	case VIEW_NONE:
	case VIEW_LINK:
		return PROC_VIEW_NONE;
	case VIEW_EXE:
		if (flags & O_NOFOLLOW)
			return PROC_VIEW_NONE;
		return RAW4(SYS_openat, AT_FDCWD, process->exe_path, flags, mode);
	case VIEW_CMDLINE:
	case VIEW_ENVIRON:
	case VIEW_AUXV:
		if (process->host_shows) {
			long fd = RAW4(SYS_openat, dirfd, path, flags, mode);

			if (!raw_failed(fd))
				return fd;
		}
		break;
	case VIEW_MAPS:
	case VIEW_CPUINFO:
		break;
	}
	/* To be written to, or as a name only: what the host says of it. */
	if ((flags & O_ACCMODE) != O_RDONLY || (flags & (O_PATH | O_DIRECTORY)))
		return PROC_VIEW_NONE;
	return open_view(thread, view, flags);
}

int64_t
proc_view_readlink(struct thread *thread, int dirfd, const char *path, char *buffer, size_t size)
{
	struct process *process = thread->process;
	enum view view = view_at(dirfd, path);
	char target[PATH_ROOM];
	const char *shown;
	size_t length;
	long got;

	if (view == VIEW_EXE && process->exe_path[0]) {
		shown = path_to_guest(process, process->exe_path);
	} else if (view == VIEW_LINK && process->sysroot[0]) {
		got = RAW4(SYS_readlinkat, dirfd, path, target, sizeof target - 1);
		if (raw_failed(got))
			return got;
		target[got] = 0;
		shown = path_to_guest(process, target);
	} else {
		return PROC_VIEW_NONE;
	}
	length = strlen(shown);
	if (length > size)
		length = size;
	memcpy(buffer, shown, length);
	return (int64_t)length;
}

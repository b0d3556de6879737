/* What a path leads to when it is executed: the kernel's open_exec, the script
 * rule of fs/binfmt_script.c, and the ELF header to tell a guest's program from
 * the host's. What is neither script nor guest is left to the host's kernel,
 * which knows its own formats.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "process/process_impl.h"

#define HEAD_SIZE 256 /* BINPRM_BUF_SIZE */
#define DEPTH_MAX 5   /* scripts run by scripts */
#define PATH_ROOM 4096

struct head {
	char bytes[HEAD_SIZE + 1];
	size_t length;
};

static char *
arena_text(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_alloc(arena, length + 1);

	memcpy(copy, text, length);
	copy[length] = 0;
	return copy;
}

/* May this file be executed by us? */
static int64_t
check_file(int fd)
{
	struct stat status;
	struct statfs system;
	long result = RAW2(SYS_fstat, fd, &status);

	if (raw_failed(result))
		return result;
	if (!S_ISREG(status.st_mode))
		return -EACCES;
	if (!raw_failed(RAW2(SYS_fstatfs, fd, &system)) && (system.f_flags & ST_NOEXEC))
		return -EACCES;
	return 0;
}

/* A descriptor of our own for the same file, to be read from. */
static int64_t
reopen(int fd)
{
	char name[32];
	long mode = RAW2(SYS_fcntl, fd, F_GETFL);

	if (raw_failed(mode) || !(mode & O_PATH))
		return RAW3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3);
	text_format(name, sizeof name, "/proc/self/fd/%d", fd);
	return RAW4(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC, 0);
}

/* Opens for reading what is to be executed. */
static int64_t
open_program(int dirfd, const char *path, int flags)
{
	long result;
	int access_flags = AT_EACCESS | (flags & AT_SYMLINK_NOFOLLOW);

	if (!*path) {
		if (!(flags & AT_EMPTY_PATH))
			return -ENOENT;
		if (dirfd == AT_FDCWD)
			return -EACCES; /* the current folder */
		access_flags |= AT_EMPTY_PATH;
	}
	/* faccessat2 came with Linux 5.8; before, judge by the real ids. */
	result = RAW4(SYS_faccessat2, dirfd, path, X_OK, access_flags);
	if (result == -ENOSYS || result == -EPERM)
		result = *path ? RAW3(SYS_faccessat, dirfd, path, X_OK) : 0;
	if (raw_failed(result))
		return result;
	if (!*path)
		return reopen(dirfd);
	return RAW4(SYS_openat, dirfd, path,
		    O_RDONLY | O_CLOEXEC | (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0), 0);
}

static int64_t
read_head(int fd, struct head *head)
{
	long got = RAW4(SYS_pread64, fd, head->bytes, HEAD_SIZE, 0);

	if (raw_failed(got))
		return got;
	head->length = (size_t)got;
	memset(head->bytes + got, 0, sizeof head->bytes - (size_t)got);
	return 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* "#! interpreter argument": the two parts, or -ENOEXEC. An interpreter's name
 * that fills the buffer may be cut off, which is refused; a cut argument is
 * not. */
static int64_t
parse_script(const struct head *head, struct arena *arena, char **interpreter, char **argument)
{
	const char *at = head->bytes + 2, *end = memchr(at, '\n', head->length - 2), *name;

	*argument = NULL;
	if (!end) {
		const char *last = head->bytes + head->length;

		name = at;
		while (name < last && is_blank(*name))
			name++;
		if (name == last)
			return -ENOEXEC;
		while (name < last && *name && !is_blank(*name))
			name++;
		if (name == last && head->length == HEAD_SIZE)
			return -ENOEXEC;
		end = last;
	}
	while (end > at && is_blank(end[-1]))
		end--;
	while (at < end && is_blank(*at))
		at++;
	if (at == end || !*at)
		return -ENOEXEC;
	name = at;
	while (at < end && *at && !is_blank(*at))
		at++;
	*interpreter = arena_text(arena, name, (size_t)(at - name));
	while (at < end && is_blank(*at))
		at++;
	if (at < end && *at)
		*argument = arena_text(arena, at, strnlen(at, (size_t)(end - at)));
	return 0;
}

/* interpreter [argument] script, then what stood after the old first. */
static void
prepend(struct exec_target *target, struct arena *arena, char *interpreter, char *argument)
{
	size_t old = target->prefix_count, n = 0;
	char **prefix = arena_alloc(arena, (old + 3) * sizeof *prefix);

	prefix[n++] = interpreter;
	if (argument)
		prefix[n++] = argument;
	prefix[n++] = (char *)target->path;
	for (size_t i = 1; i < old; i++)
		prefix[n++] = target->prefix[i];
	target->prefix = prefix;
	target->prefix_count = n;
	target->path = interpreter;
}

static const struct guest *
guest_of(const struct head *head)
{
	Elf64_Ehdr header;

	if (head->length < sizeof header)
		return NULL;
	memcpy(&header, head->bytes, sizeof header);
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
	    header.e_ident[EI_DATA] != ELFDATA2LSB)
		return NULL;
	return guest_by_elf_machine(header.e_machine);
}

/* The kernel's names for programs that were given by a descriptor. */
static const char *
name_of(struct arena *arena, int dirfd, const char *path)
{
	char *name;
	size_t size = strlen(path) + 32;

	if (*path == '/' || dirfd == AT_FDCWD)
		return arena_text(arena, path, strlen(path));
	name = arena_alloc(arena, size);
	text_format(name, size, *path ? "/dev/fd/%d/%s" : "/dev/fd/%d", dirfd, path);
	return name;
}

int64_t
exec_find(const struct process *process, struct arena *arena, int dirfd, const char *path, int flags,
	  struct exec_target *target)
{
	struct head *head = arena_alloc(arena, sizeof *head);
	char *buffer = arena_alloc(arena, PATH_ROOM);
	const char *host = path;

	*target = (struct exec_target){ .kind = EXEC_HOST, .fd = -1 };
	target->path = target->name = name_of(arena, dirfd, path);
	if (*path)
		host = path_to_host(process, path, buffer, PATH_ROOM);
	target->host_path = arena_text(arena, host, strlen(host));
	for (unsigned depth = 0;; depth++) {
		char *interpreter, *argument;
		int64_t result, fd = open_program(dirfd, host, flags);

		if (fd < 0)
			return fd;
		result = check_file((int)fd);
		if (!result)
			result = read_head((int)fd, head);
		if (!result && (target->guest = guest_of(head))) {
			target->kind = EXEC_GUEST;
			target->fd = (int)fd;
			return 0;
		}
		RAW1(SYS_close, fd);
		if (result || memcmp(head->bytes, "#!", 2) != 0)
			return result; /* the host's, whatever it is */
		if (!*path && depth == 0 && (RAW2(SYS_fcntl, dirfd, F_GETFD) & FD_CLOEXEC))
			return -ENOENT; /* the interpreter could not open it */
		if (depth == DEPTH_MAX)
			return -ELOOP;
		result = parse_script(head, arena, &interpreter, &argument);
		if (result)
			return result;
		prepend(target, arena, interpreter, argument);
		host = path_to_host(process, interpreter, buffer, PATH_ROOM);
		dirfd = AT_FDCWD;
		flags = 0;
	}
}

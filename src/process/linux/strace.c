/* -strace: one line for each call, its arguments by the kinds in syscalls.tab:
 *
 *	1234 openat(AT_FDCWD,"/etc/passwd",O_RDONLY|O_CLOEXEC) = 3
 *
 * Written when the call is done (so that what the kernel wrote can be shown), by
 * one write, or before it when it does not return. */
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include "process/linux/linux.h"

#define LINE_SIZE 1024
#define TEXT_SHOWN 48 /* bytes of a string or buffer */

struct line {
	char text[LINE_SIZE];
	size_t length;
};

static void add(struct line *line, const char *format, ...) PRINTF_LIKE(2, 3);

static void
add(struct line *line, const char *format, ...)
{
	size_t room = sizeof line->text - line->length;
	va_list args;
	int length;

	va_start(args, format);
	length = text_vformat(line->text + line->length, room, format, args);
	va_end(args);
	line->length += (size_t)length < room ? (size_t)length : room - 1;
}

/* ---- names -------------------------------------------------------------- */

struct name {
	uint64_t value;
	const char *name;
};
#define N(x) { (uint64_t)(x), #x }

static const struct name open_names[] = {
	N(O_WRONLY), N(O_RDWR), N(O_CREAT), N(O_EXCL), N(O_NOCTTY), N(O_TRUNC), N(O_APPEND), N(O_NONBLOCK),
	N(O_TMPFILE), N(O_DIRECTORY), N(O_NOFOLLOW), N(O_CLOEXEC), N(O_PATH), N(O_SYNC), N(O_DSYNC), N(O_DIRECT),
	{ 0100000, "O_LARGEFILE" }, N(O_NOATIME),
};
static const struct name mmap_names[] = {
	N(MAP_SHARED), N(MAP_PRIVATE), N(MAP_FIXED), N(MAP_ANONYMOUS), N(MAP_GROWSDOWN), N(MAP_DENYWRITE),
	N(MAP_NORESERVE), N(MAP_POPULATE), N(MAP_NONBLOCK), N(MAP_STACK), N(MAP_HUGETLB), N(MAP_FIXED_NOREPLACE),
};
static const struct name prot_names[] = { N(PROT_READ), N(PROT_WRITE), N(PROT_EXEC), N(PROT_GROWSDOWN) };
static const struct name clone_names[] = {
	N(CLONE_VM), N(CLONE_FS), N(CLONE_FILES), N(CLONE_SIGHAND), N(CLONE_PIDFD), N(CLONE_VFORK), N(CLONE_PARENT),
	N(CLONE_THREAD), N(CLONE_NEWNS), N(CLONE_SYSVSEM), N(CLONE_SETTLS), N(CLONE_PARENT_SETTID),
	N(CLONE_CHILD_CLEARTID), N(CLONE_CHILD_SETTID), N(CLONE_NEWUSER), N(CLONE_NEWPID), N(CLONE_NEWNET),
};
static const struct name at_names[] = {
	N(AT_SYMLINK_NOFOLLOW), N(AT_REMOVEDIR), N(AT_SYMLINK_FOLLOW), N(AT_NO_AUTOMOUNT), N(AT_EMPTY_PATH),
};
static const struct name fcntl_names[] = {
	N(F_DUPFD), N(F_GETFD), N(F_SETFD), N(F_GETFL), N(F_SETFL), N(F_GETLK), N(F_SETLK), N(F_SETLKW),
	N(F_SETOWN), N(F_GETOWN), N(F_DUPFD_CLOEXEC), N(F_SETPIPE_SZ), N(F_GETPIPE_SZ), N(F_ADD_SEALS),
	N(F_GET_SEALS), N(F_OFD_SETLK), N(F_OFD_GETLK), N(F_OFD_SETLKW),
};
static const struct name futex_names[] = {
	N(FUTEX_WAIT), N(FUTEX_WAKE), N(FUTEX_REQUEUE), N(FUTEX_CMP_REQUEUE), N(FUTEX_WAKE_OP), N(FUTEX_LOCK_PI),
	N(FUTEX_UNLOCK_PI), N(FUTEX_TRYLOCK_PI), N(FUTEX_WAIT_BITSET), N(FUTEX_WAKE_BITSET),
	N(FUTEX_WAIT_REQUEUE_PI), N(FUTEX_CMP_REQUEUE_PI), N(FUTEX_LOCK_PI2),
};
static const struct name how_names[] = { N(SIG_BLOCK), N(SIG_UNBLOCK), N(SIG_SETMASK) };
static const struct name whence_names[] = { { 0, "SEEK_SET" }, { 1, "SEEK_CUR" }, { 2, "SEEK_END" } };
static const struct name family_names[] = {
	N(AF_UNIX), N(AF_INET), N(AF_INET6), N(AF_NETLINK), N(AF_PACKET), N(AF_ALG), N(AF_VSOCK),
};
static const struct name resource_names[] = {
	{ 0, "RLIMIT_CPU" }, { 1, "RLIMIT_FSIZE" }, { 2, "RLIMIT_DATA" }, { 3, "RLIMIT_STACK" },
	{ 4, "RLIMIT_CORE" }, { 5, "RLIMIT_RSS" }, { 6, "RLIMIT_NPROC" }, { 7, "RLIMIT_NOFILE" },
	{ 8, "RLIMIT_MEMLOCK" }, { 9, "RLIMIT_AS" },
};
static const char *const signal_names[] = {
	"0", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL",
	"SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT",
	"SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF",
	"SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
};
#define E(x) [x] = #x
static const char *const errno_names[] = {
	E(EPERM), E(ENOENT), E(ESRCH), E(EINTR), E(EIO), E(ENXIO), E(E2BIG), E(ENOEXEC), E(EBADF), E(ECHILD),
	E(EAGAIN), E(ENOMEM), E(EACCES), E(EFAULT), E(ENOTBLK), E(EBUSY), E(EEXIST), E(EXDEV), E(ENODEV),
	E(ENOTDIR), E(EISDIR), E(EINVAL), E(ENFILE), E(EMFILE), E(ENOTTY), E(ETXTBSY), E(EFBIG), E(ENOSPC),
	E(ESPIPE), E(EROFS), E(EMLINK), E(EPIPE), E(EDOM), E(ERANGE), E(EDEADLK), E(ENAMETOOLONG), E(ENOLCK),
	E(ENOSYS), E(ENOTEMPTY), E(ELOOP), E(ENODATA), E(ETIME), E(EPROTO), E(EBADMSG), E(EOVERFLOW), E(EILSEQ),
	E(ENOTSOCK), E(EDESTADDRREQ), E(EMSGSIZE), E(EPROTOTYPE), E(ENOPROTOOPT), E(EPROTONOSUPPORT),
	E(EOPNOTSUPP), E(EAFNOSUPPORT), E(EADDRINUSE), E(EADDRNOTAVAIL), E(ENETDOWN), E(ENETUNREACH),
	E(ECONNABORTED), E(ECONNRESET), E(ENOBUFS), E(EISCONN), E(ENOTCONN), E(ETIMEDOUT), E(ECONNREFUSED),
	E(EHOSTUNREACH), E(EALREADY), E(EINPROGRESS), E(ESTALE), E(ECANCELED), E(EOWNERDEAD),
};

static void
add_value(struct line *line, const struct name *names, size_t count, uint64_t value)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].value == value) {
			add(line, "%s", names[i].name);
			return;
		}
	add(line, "%lld", (long long)value);
}

/* Bits by name; zero as `none`, what has no name in hex. */
static void
add_bits(struct line *line, const struct name *names, size_t count, uint64_t value, const char *none)
{
	const char *between = "";

	if (!value)
		add(line, "%s", none);
	for (size_t i = 0; i < count && value; i++)
		if ((value & names[i].value) == names[i].value) {
			add(line, "%s%s", between, names[i].name);
			value &= ~names[i].value;
			between = "|";
		}
	if (value)
		add(line, "%s%#llx", between, (unsigned long long)value);
}

static void
add_signal(struct line *line, uint64_t signal)
{
	if (signal < ARRAY_LEN(signal_names))
		add(line, "%s", signal_names[signal]);
	else
		add(line, "SIG%llu", (unsigned long long)signal);
}

/* ---- memory ------------------------------------------------------------- */

static void
add_text(struct line *line, const char *text, size_t length, bool more)
{
	add(line, "\"");
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n')
			add(line, "\\n");
		else if (c == '"' || c == '\\')
			add(line, "\\%c", c);
		else if (c < 32 || c > 126)
			add(line, "\\%o", c);
		else
			add(line, "%c", c);
	}
	add(line, more ? "\"..." : "\"");
}

static void
add_string(struct line *line, struct thread *thread, uint64_t address)
{
	char text[256];
	int64_t length = mem_string(thread, address, text, sizeof text);

	if (length == -EFAULT || !address)
		add(line, "%#llx", (unsigned long long)address);
	else
		add_text(line, text, length < 0 ? sizeof text - 1 : (size_t)length, length < 0);
}

static void
add_memory(struct line *line, struct thread *thread, uint64_t address, int64_t size)
{
	char text[TEXT_SHOWN];
	size_t shown = size < TEXT_SHOWN ? (size_t)size : TEXT_SHOWN;

	if (!address || size < 0 || mem_read(thread, text, address, shown))
		add(line, "%#llx", (unsigned long long)address);
	else
		add_text(line, text, shown, size > TEXT_SHOWN);
}

static void
add_words(struct line *line, struct thread *thread, uint64_t address, bool time)
{
	uint64_t words[2] = { 0 };

	if (!address || mem_read(thread, words, address, time ? 16 : 8))
		add(line, "%#llx", (unsigned long long)address);
	else if (time)
		add(line, "{%lld,%lld}", (long long)words[0], (long long)words[1]);
	else
		add(line, "[%#llx]", (unsigned long long)words[0]);
}

/* ---- one argument ------------------------------------------------------- */

#define BITS(names, value, none) add_bits(line, names, ARRAY_LEN(names), value, none)
#define VALUE(names, value) add_value(line, names, ARRAY_LEN(names), value)

static void
add_futex(struct line *line, uint64_t value)
{
	VALUE(futex_names, value & FUTEX_CMD_MASK);
	if (value & FUTEX_PRIVATE_FLAG)
		add(line, "|FUTEX_PRIVATE_FLAG");
	if (value & FUTEX_CLOCK_REALTIME)
		add(line, "|FUTEX_CLOCK_REALTIME");
}

/* Values shown by name. */
static void
add_named(struct line *line, enum argument_kind kind, uint64_t value)
{
	if (kind == ARG_OFLAG)
		BITS(open_names, value & UINT32_MAX, "O_RDONLY");
	else if (kind == ARG_MMAP)
		BITS(mmap_names, value & UINT32_MAX, "0");
	else if (kind == ARG_PROT)
		BITS(prot_names, value & UINT32_MAX, "PROT_NONE");
	else if (kind == ARG_ATFLAG)
		BITS(at_names, value & UINT32_MAX, "0");
	else if (kind == ARG_FCNTL)
		VALUE(fcntl_names, value);
	else if (kind == ARG_HOW)
		VALUE(how_names, value);
	else if (kind == ARG_WHENCE)
		VALUE(whence_names, value);
	else if (kind == ARG_RESOURCE)
		VALUE(resource_names, value);
	else if (kind == ARG_SOCKFAM)
		VALUE(family_names, value);
	else
		add_futex(line, value);
}

static void
add_clone(struct line *line, uint64_t value)
{
	BITS(clone_names, value & ~(uint64_t)CSIGNAL, "0");
	if (value & CSIGNAL) {
		add(line, "|");
		add_signal(line, value & CSIGNAL);
	}
}

static void
add_argument(struct line *line, struct thread *thread, const struct syscall_argument *argument, uint64_t value,
	     const uint64_t *a, const int64_t *result)
{
	enum argument_kind kind = argument->kind;

	switch (kind) {
	case ARG_INT: case ARG_FD: case ARG_PRCTL:
		add(line, "%d", (int)value);
		break;
	case ARG_UINT:
		add(line, "%u", (unsigned)value);
		break;
	case ARG_LONG: case ARG_SIZE:
		add(line, "%lld", (long long)value);
		break;
	case ARG_MODE:
		add(line, "0%o", (unsigned)value);
		break;
	case ARG_AT:
		add(line, (int)value == AT_FDCWD ? "AT_FDCWD" : "%d", (int)value);
		break;
	case ARG_SIG:
		add_signal(line, value);
		break;
	case ARG_CLONE:
		add_clone(line, value);
		break;
	case ARG_OFLAG: case ARG_MMAP: case ARG_PROT: case ARG_FCNTL: case ARG_FUTEX: case ARG_ATFLAG: case ARG_HOW:
	case ARG_WHENCE: case ARG_RESOURCE: case ARG_SOCKFAM:
		add_named(line, kind, value);
		break;
	case ARG_PATH: case ARG_LPATH: case ARG_STR: case ARG_LSTR:
		add_string(line, thread, value);
		break;
	case ARG_OUTADDR:
		add_memory(line, thread, value, result ? *result : -1);
		break;
	case ARG_IN: /* a length that another argument gives: data */
		add_memory(line, thread, value, argument->from ? (int64_t)a[argument->from - 1] : -1);
		break;
	case ARG_OUT:
		add_memory(line, thread, value, argument->from && result ? *result : -1);
		break;
	case ARG_IN_TIMESPEC: case ARG_TIMESPEC:
		add_words(line, thread, value, true);
		break;
	case ARG_SIGSET:
		add_words(line, thread, value, false);
		break;
	case ARG_HEX: case ARG_IOCTL: case ARG_IO: case ARG_IOV: case ARG_PTR: case ARG_ADDR:
		add(line, value ? "%#llx" : "%llu", (unsigned long long)value);
		break;
	}
}

static void
add_result(struct line *line, int64_t result)
{
	if (result == SIGNAL_INTERRUPTED)
		add(line, " = ? (to be restarted)");
	else if (result < 0 && (uint64_t)-result < ARRAY_LEN(errno_names) && errno_names[-result])
		add(line, " = -1 %s", errno_names[-result]);
	else if (result >= 0 && result < 1 << 20)
		add(line, " = %lld", (long long)result);
	else
		add(line, " = %#llx", (unsigned long long)result);
}

void
strace_call(struct thread *thread, const struct syscall *call, const uint64_t *a, const int64_t *result)
{
	struct line line = { .length = 0 };

	add(&line, "%d %s(", thread->tid, call->name);
	for (unsigned i = 0; i < call->count; i++) {
		add(&line, i ? "," : "");
		add_argument(&line, thread, &call->argument[i], a[i], a, result);
	}
	add(&line, ")");
	if (result)
		add_result(&line, *result);
	if (line.length > sizeof line.text - 2)
		line.length = sizeof line.text - 2;
	line.text[line.length++] = '\n';
	RAW3(SYS_write, log_fd(), line.text, line.length);
}

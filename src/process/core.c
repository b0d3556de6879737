/* When a core is written, and where: RLIMIT_CORE, PR_SET_DUMPABLE and
 * /proc/sys/kernel/core_pattern hold for the guest's core as for any (core(5)).
 * A pattern that names a program to pipe to, or a socket, is the host kernel's
 * alone: then the file is called core.
 *
 * Only the host's kernel can make a wait status tell of a core, and only by
 * writing one, which would be of the emulator and take the name. So it is let:
 * without memory (coredump_filter 0), that is a few KiB. A helper, a fork, waits
 * by ptrace for the moment after that and before the process can be waited for,
 * and puts the guest's core in its place. Where that is not possible the host is kept from
 * dumping, and the status tells of no core.
 */
#include "process/core.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ptrace.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/lock.h"
#include "process/signal_impl.h"

#define NAME_SIZE 1024u /* of a core's path */
#define STOP_PATIENCE 20000u /* rounds of 100 us: two seconds */

bool
core_signal(int signal)
{
	return signal_bit(signal) & (SIGNAL_SYNCHRONOUS | signal_bit(SIGQUIT) | signal_bit(SIGABRT) | signal_bit(SIGSYS) |
				     signal_bit(SIGXCPU) | signal_bit(SIGXFSZ));
}

uint64_t
core_limit(void)
{
	struct rlimit limit = { 0 };

	RAW4(SYS_prlimit64, 0, RLIMIT_CORE, NULL, &limit);
	return limit.rlim_cur;
}

/* ---- its name ------------------------------------------------------------------ */

/* The file's first line; "" if it cannot be read. */
static void
read_line(const char *path, char *line, size_t size)
{
	long fd = RAW4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	long length = raw_failed(fd) ? 0 : RAW3(SYS_read, fd, line, size - 1);

	if (!raw_failed(fd))
		RAW1(SYS_close, fd);
	line[length > 0 ? length : 0] = 0;
	line[strcspn(line, "\n")] = 0;
}

struct name {
	char text[NAME_SIZE];
	size_t length;
};

static void
name_put(struct name *name, const char *text, bool slashes)
{
	for (; *text && name->length < sizeof name->text - 1; text++)
		name->text[name->length++] = *text == '/' && !slashes ? '!' : *text;
	name->text[name->length] = 0;
}

static void
name_number(struct name *name, uint64_t number)
{
	char text[24];

	text_format(text, sizeof text, "%llu", (unsigned long long)number);
	name_put(name, text, true);
}

/* What %letter of the pattern stands for. */
static void
name_expand(struct name *name, const struct thread *thread, char letter, int signal)
{
	const struct process *process = thread->process;
	const char *slash = strrchr(process->exe_path, '/');
	struct timespec now = { 0 };
	struct utsname system = { 0 };
	char text[17] = "";

	switch (letter) {
	case '%': name_put(name, "%", true); break;
	case 'p': case 'P': name_number(name, (uint64_t)RAW0(SYS_getpid)); break;
	case 'i': case 'I': name_number(name, (uint64_t)thread->tid); break;
	case 'u': name_number(name, (uint64_t)RAW0(SYS_getuid)); break;
	case 'g': name_number(name, (uint64_t)RAW0(SYS_getgid)); break;
	case 'd': name_number(name, 1); break;
	case 's': name_number(name, (uint64_t)signal); break;
	case 'c': name_number(name, core_limit()); break;
	case 't':
		RAW2(SYS_clock_gettime, CLOCK_REALTIME, &now);
		name_number(name, (uint64_t)now.tv_sec);
		break;
	case 'h':
		RAW1(SYS_uname, &system);
		name_put(name, system.nodename, false);
		break;
	case 'e':
		RAW2(SYS_prctl, PR_GET_NAME, text);
		name_put(name, text, false);
		break;
	case 'f': name_put(name, slash ? slash + 1 : process->exe_path, false); break;
	case 'E': name_put(name, process->exe_path, false); break;
	}
}

/* format_corename of fs/coredump.c. */
static void
core_name(struct name *name, const struct thread *thread, int signal)
{
	char pattern[256], uses_pid[4];
	bool pid = false;

	read_line("/proc/sys/kernel/core_pattern", pattern, sizeof pattern);
	read_line("/proc/sys/kernel/core_uses_pid", uses_pid, sizeof uses_pid);
	name->length = 0;
	if (!pattern[0] || pattern[0] == '|' || pattern[0] == '@')
		text_format(pattern, sizeof pattern, "core");
	for (const char *at = pattern; *at; at++) {
		char one[2] = { *at, 0 };

		if (*at != '%') {
			name_put(name, one, true);
		} else if (*++at) {
			pid |= *at == 'p';
			name_expand(name, thread, *at, signal);
		} else {
			break;
		}
	}
	if (!pid && uses_pid[0] == '1') {
		name_put(name, ".", true);
		name_number(name, (uint64_t)RAW0(SYS_getpid));
	}
}

/* ---- the host's kernel ----------------------------------------------------------- */

/* It writes no core of this process, whatever the pattern (1 is its sign for
 * that). */
static void
forbid_host(const struct thread *thread)
{
	struct rlimit limit;

	RAW4(SYS_prlimit64, 0, RLIMIT_CORE, NULL, &limit);
	limit.rlim_cur = limit.rlim_max ? 1 : 0;
	RAW4(SYS_prlimit64, 0, RLIMIT_CORE, &limit, NULL);
	if (!thread->vfork_child) /* the memory's, which a vfork child shares */
		RAW2(SYS_prctl, PR_SET_DUMPABLE, 0);
}

static bool
without_memory(void)
{
	long fd = RAW4(SYS_openat, AT_FDCWD, "/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC, 0);
	bool done = !raw_failed(fd) && RAW3(SYS_write, fd, "0", 1) == 1;

	if (!raw_failed(fd))
		RAW1(SYS_close, fd);
	return done;
}

/* The helper: holds no descriptor but go, so that nobody waits for it to close one.
 * Says on go that it watches; ends when kept has become name. */
static _Noreturn void
help(int tid, int go, const char *kept, const char *name)
{
	long seized;
	int status = 0;

	RAW2(SYS_prctl, PR_SET_NAME, "core helper");
	if (go)
		RAW3(SYS_close_range, 0, go - 1, 0);
	RAW3(SYS_close_range, go + 1, ~0u, 0);
	RAW1(SYS_setsid, 0);
	do /* until we are allowed to */
		seized = RAW4(SYS_ptrace, PTRACE_SEIZE, tid, 0, PTRACE_O_TRACEEXIT);
	while (seized == -EINTR);
	RAW3(SYS_write, go, seized ? "n" : "y", 1);
	RAW1(SYS_close, go);
	while (!seized) {
		long got = RAW4(SYS_wait4, tid, &status, __WALL, NULL);

		if (got == -EINTR)
			continue;
		if (got != tid || !WIFSTOPPED(status) || status >> 16 == PTRACE_EVENT_EXIT)
			break;
		RAW4(SYS_ptrace, PTRACE_CONT, tid, 0, status >> 16 ? 0 : WSTOPSIG(status));
	}
	if (!seized)
		RAW2(SYS_rename, kept, name);
	for (;;)
		RAW1(SYS_exit_group, 0);
}

/* True when a helper will put kept in the place of the host's core. */
static bool
start_helper(struct thread *thread, const char *kept, const char *name)
{
	struct rlimit limit;
	int go[2];
	char answer = 'n';
	long child;

	if (thread->vfork_child || raw_failed(RAW2(SYS_pipe2, go, O_CLOEXEC)))
		return false;
	child = host_clone(CLONE_UNTRACED, NULL, NULL, NULL, NULL, NULL);
	if (!child) {
		/* It begins when the parent has let it, and closed its end. */
		RAW1(SYS_close, go[0]);
		help(thread->tid, go[1], kept, name);
	}
	RAW1(SYS_close, go[1]);
	if (child > 0) {
		RAW2(SYS_prctl, PR_SET_PTRACER, child);
		RAW3(SYS_read, go[0], &answer, 1);
	}
	RAW1(SYS_close, go[0]);
	if (answer != 'y' || !without_memory())
		return false;
	RAW4(SYS_prlimit64, 0, RLIMIT_CORE, NULL, &limit);
	limit.rlim_cur = limit.rlim_max;
	RAW4(SYS_prlimit64, 0, RLIMIT_CORE, &limit, NULL);
	return true;
}

/* ---- dying ------------------------------------------------------------------------- */

static bool
any_inside(struct thread *self)
{
	struct process *process = self->process;
	bool inside = false;

	lock_take(&process->thread_lock);
	for (struct thread *t = process->threads; t; t = t->next) {
		if (t == self || t->vfork_child || !__atomic_load_n(&t->inside, __ATOMIC_SEQ_CST))
			continue;
		cpu_poll(&t->vcpu);
		inside = true;
	}
	lock_drop(&process->thread_lock);
	return inside;
}

/* Stops the other threads where their registers are exact. Of two that die, one
 * does not return. */
static void
stop_others(struct thread *thread)
{
	struct timespec moment = { .tv_nsec = 100000 };

	if (__atomic_exchange_n(&thread->process->dying, 1, __ATOMIC_SEQ_CST))
		for (;;)
			RAW4(SYS_ppoll, NULL, 0, NULL, NULL);
	for (unsigned i = 0; i < STOP_PATIENCE && any_inside(thread); i++)
		RAW2(SYS_nanosleep, &moment, NULL);
}

static bool
piped(void)
{
	char pattern[256];

	read_line("/proc/sys/kernel/core_pattern", pattern, sizeof pattern);
	return pattern[0] == '|' || pattern[0] == '@';
}

void
core_dump(struct thread *thread, int signal, const siginfo_t *info)
{
	struct name *name, *kept;
	uint64_t limit = core_limit();
	long fd;

	if (!limit || RAW1(SYS_prctl, PR_GET_DUMPABLE) != 1)
		return;
	host_signal_mask(SIGNAL_HELD, NULL);
	if (!thread->vfork_child)
		stop_others(thread);
	arena_reset(&thread->arena);
	name = arena_alloc(&thread->arena, sizeof *name);
	kept = arena_alloc(&thread->arena, sizeof *kept);
	core_name(name, thread, signal);
	name_put(kept, name->text, true);
	name_put(kept, ".part", true);
	RAW1(SYS_unlink, kept->text);
	fd = RAW4(SYS_openat, AT_FDCWD, kept->text, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (!raw_failed(fd)) {
		core_write(thread, (int)fd, limit, signal, info);
		RAW1(SYS_close, fd);
		if (!piped() && start_helper(thread, kept->text, name->text))
			return;
		RAW2(SYS_rename, kept->text, name->text);
	}
	forbid_host(thread);
}

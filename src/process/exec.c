/* execve of a guest: its next program may be the guest's, the host's or a
 * script for either.
 *
 * A guest's program is run by executing the emulator again, through a hidden
 * descriptor on its own file, with the options it was given itself; so nothing
 * of the old address space is left, close-on-exec and the like are the
 * kernel's to do, and no binfmt registration is needed. What options cannot say
 * goes in the handover: descriptors, and the guest's own limits, which the
 * host's do not show.
 *
 * A program of the host is executed by the host. Its limits are then set to the
 * guest's.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process/process_impl.h"
#include "process/riscv64.h"

#define VECTOR_MAX (1u << 22)  /* pointers; the host's limit on bytes is lower */
#define OPTIONS_MAX 40
#define HANDOVER_SIZE 208

/* ---- handover ------------------------------------------------------------- */

static void
handover_write(char *text, const struct thread *thread, int program_fd, int filters_fd)
{
	const struct process *process = thread->process;
	struct rlimit as, data;
	int64_t result;

	space_rlimit(process->space, RLIMIT_AS, NULL, &as, &result);
	space_rlimit(process->space, RLIMIT_DATA, NULL, &data, &result);
	text_format(text, HANDOVER_SIZE, "%d,%d,%d,%u,%llu,%llu,%llu,%llu", process->self_fd, program_fd,
		    filters_fd, thread->trace.active ? 1 + thread->trace.how : 0, (unsigned long long)as.rlim_cur, (unsigned long long)as.rlim_max,
		    (unsigned long long)data.rlim_cur, (unsigned long long)data.rlim_max);
}

static bool
read_number(const char **at, uint64_t *value)
{
	bool minus = **at == '-';
	const char *start = *at += minus;

	for (*value = 0; **at >= '0' && **at <= '9'; ++*at)
		*value = *value * 10 + (uint64_t)(**at - '0');
	if (*at == start)
		return false;
	if (minus)
		*value = -*value;
	if (**at == ',')
		++*at;
	return true;
}

bool
handover_read(struct handover *h, const char *text)
{
	uint64_t value[8];

	for (unsigned i = 0; i < ARRAY_LEN(value); i++)
		if (!read_number(&text, &value[i]))
			return false;
	*h = (struct handover){ true, (int)value[0], (int)value[1], (int)value[2], (int)value[3],
				{ value[4], value[5] }, { value[6], value[7] } };
	return !*text;
}

/* ---- vectors -------------------------------------------------------------- */

/* A pointer that the host kernel may be handed for a guest's. */
static char *
host_string(const struct process *process, uint64_t address)
{
	if (address >= space_size(process->space))
		return (char *)-1l; /* no kernel reads there: EFAULT */
	return guest_pointer(process, address);
}

/* How many pointers the guest's vector has, or -errno. */
static int64_t
count_vector(struct thread *thread, uint64_t vector)
{
	uint64_t pointer;

	for (int64_t n = 0; n < VECTOR_MAX; n++) {
		if (mem_read(thread, &pointer, vector + (uint64_t)n * 8, sizeof pointer))
			return -EFAULT;
		if (!pointer)
			return n;
	}
	return -E2BIG;
}

/* Reads a guest's vector into an array that has room for `before` more at its
 * start. NULL is an empty vector, as it is to Linux. */
static int64_t
read_vector(struct thread *thread, uint64_t vector, size_t before, char ***out)
{
	int64_t n = vector ? count_vector(thread, vector) : 0;
	char **list;
	uint64_t pointer;

	if (n < 0)
		return n;
	list = arena_alloc(&thread->arena, (before + (size_t)n + 1) * sizeof *list);
	for (int64_t i = 0; i < n; i++) {
		if (mem_read(thread, &pointer, vector + (uint64_t)i * 8, sizeof pointer))
			return -EFAULT;
		list[before + (size_t)i] = host_string(thread->process, pointer);
	}
	*out = list;
	return n;
}

/* ---- the emulator again ---------------------------------------------------- */

struct words {
	char **list;
	size_t count;
	struct arena *arena;
};

static void
word(struct words *w, const char *text)
{
	w->list[w->count++] = (char *)text;
}

static void
number(struct words *w, const char *option, uint64_t value)
{
	char *text = arena_alloc(w->arena, 24);

	text_format(text, 24, "%llu", (unsigned long long)value);
	word(w, option);
	word(w, text);
}

static void
pair(struct words *w, const char *option, const char *value)
{
	if (!value)
		return;
	word(w, option);
	word(w, value);
}

/* The options that this process was started with and that its programs inherit:
 * fewer than OPTIONS_MAX words. */
static void
option_words(struct words *w, const struct process *process)
{
	const struct isomorph_process_options *o = process->options;

	word(w, "isomorph");
	word(w, "run");
	pair(w, "-L", process->sysroot[0] ? process->sysroot : NULL);
	pair(w, "--accel", o->accel);
	pair(w, "-d", o->dump);
	pair(w, "-D", o->log_file);
	pair(w, "-r", o->uname_release);
	pair(w, "--cache", process->keep.home.path[0] ? process->keep.home.path : "off");
	if (o->strace)
		word(w, "-strace");
	if (o->stats)
		word(w, "--stats");
	if (o->force_faults)
		word(w, "--force-faults");
	if (o->guest_base)
		word(w, "-B");
	if (o->baseline)
		word(w, o->baseline == 3 ? "--baseline-v3" : "--baseline");
	if (o->lockstep_sample > 1)
		number(w, "--lockstep-sample", o->lockstep_sample);
	if (o->max_insns)
		number(w, "--max-insns", o->max_insns);
	if (o->vlen)
		number(w, "--vlen", o->vlen);
	number(w, "--tier", o->tier);
	number(w, "--loop-heat", o->loop_heat);
}

static void
keep_across_exec(int fd, bool keep)
{
	if (fd >= 0)
		RAW3(SYS_fcntl, fd, F_SETFD, keep ? 0 : FD_CLOEXEC);
}

/* argv: the guest's, argc of them from index OPTIONS_MAX on. */
static int64_t
exec_guest(struct thread *thread, const struct exec_target *target, char **argv, int64_t argc, char **envp)
{
	struct process *process = thread->process;
	struct arena *arena = &thread->arena;
	size_t prefix = target->prefix_count, rest = argc ? (size_t)argc : 0;
	char *handover = arena_alloc(arena, HANDOVER_SIZE);
	struct words w = { .arena = arena };
	int filters = seccomp_write(thread);
	int64_t result;

	if (filters < -1)
		return filters;

	/* options --handover X -0 ARGV0 -- PROGRAM arguments */
	w.list = arena_alloc(arena, (OPTIONS_MAX + 8 + prefix + rest + 1) * sizeof *w.list);
	option_words(&w, process);
	if (riscv64_vector_ends(thread))
		pair(&w, "--vlen", "0");
	handover_write(handover, thread, target->fd, filters);
	pair(&w, "--handover", handover);
	pair(&w, "-0", prefix ? target->prefix[0] : rest ? argv[0] : "");
	word(&w, "--");
	word(&w, target->name);
	for (size_t i = 1; i < prefix; i++)
		word(&w, target->prefix[i]);
	for (size_t i = 1; i < rest; i++)
		word(&w, argv[i]);
	w.list[w.count] = NULL;
	keep_across_exec(target->fd, true);
	keep_across_exec(process->self_fd, true);
	result = signal_execveat(thread, process->self_fd, "", w.list, envp, AT_EMPTY_PATH);
	keep_across_exec(process->self_fd, false);
	if (filters >= 0)
		RAW1(SYS_close, filters);
	return result;
}

/* The host's limits become the guest's for a program of the host; put back when
 * there was none. */
static int64_t
exec_host(struct thread *thread, const struct exec_target *target, int dirfd, char **argv, char **envp,
	  int flags)
{
	static const int resource[] = { RLIMIT_AS, RLIMIT_DATA };
	struct rlimit guest[2], host[2];
	char *empty[] = { (char *)"", NULL };
	int64_t result;

	for (unsigned i = 0; i < ARRAY_LEN(resource); i++) {
		space_rlimit(thread->process->space, resource[i], NULL, &guest[i], &result);
		RAW4(SYS_prlimit64, 0, resource[i], NULL, &host[i]);
		guest[i].rlim_max = host[i].rlim_max; /* so that it can be put back */
		if (guest[i].rlim_cur > guest[i].rlim_max)
			guest[i].rlim_cur = guest[i].rlim_max;
		RAW4(SYS_prlimit64, 0, resource[i], &guest[i], NULL);
	}
	result = signal_execveat(thread, dirfd, target->host_path, argv[0] ? argv : empty, envp, flags);
	for (unsigned i = 0; i < ARRAY_LEN(resource); i++)
		RAW4(SYS_prlimit64, 0, resource[i], &host[i], NULL);
	return result;
}

/* /proc/self/exe means the guest's program to it. */
static const char *
exec_path(struct thread *thread, const char *path)
{
	const struct process *process = thread->process;

	return proc_view_is_exe(path) && process->exe_path[0] ? path_to_guest(process, process->exe_path) : path;
}

int64_t
exec_program(struct thread *thread, int dirfd, const char *path, uint64_t argv, uint64_t envp, int flags)
{
	struct process *process = thread->process;
	struct exec_target target;
	char **arguments, **environment;
	int64_t argc, result;

	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	result = exec_find(process, &thread->arena, dirfd, exec_path(thread, path), flags, &target);
	if (result)
		goto out;
	argc = result = read_vector(thread, argv, 0, &arguments);
	if (result >= 0)
		result = read_vector(thread, envp, 0, &environment);
	if (result < 0)
		goto out;
	keep_save(thread);
	/* Without a way to execute ourselves, the host may have been told how
	 * (binfmt). */
	if (target.kind == EXEC_GUEST && process->self_fd >= 0)
		result = exec_guest(thread, &target, arguments, argc, environment);
	else
		result = exec_host(thread, &target, dirfd, arguments, environment, flags);
out:
	if (target.fd >= 0)
		RAW1(SYS_close, target.fd);
	arena_reset(&thread->arena);
	return result;
}

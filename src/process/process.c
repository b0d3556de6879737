/* From options to a running guest, and what belongs to the process as a whole.
 *
 * Everything here runs on the first thread before it enters the guest; a
 * failure is told in one line and becomes the exit code that a shell gives.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "codegen/target.h"
#include "process/gdb_impl.h"
#include "process/process_impl.h"

#define PAGE 4096ull
/* Where hidden descriptors go: as high as may be, out of the guest's way. */
#define HIDDEN_FD_MAX 1023

/* ---- options --------------------------------------------------------------- */

struct name_value {
	const char *name;
	unsigned value;
};

static const struct name_value accels[] = { { "translate", CPU_ACCEL_TRANSLATE },
					    { "interpret", CPU_ACCEL_INTERPRET },
					    { "lockstep", CPU_ACCEL_LOCKSTEP } };
static const struct name_value stages[] = { { "guest", CPU_DUMP_GUEST },
					    { "lift", CPU_DUMP_LIFT },
					    { "regalloc", CPU_DUMP_REGALLOC },
					    { "emit", CPU_DUMP_EMIT } };

static bool
find_value(const struct name_value *list, size_t count, const char *name, size_t length, unsigned *value)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(list[i].name) == length && !memcmp(list[i].name, name, length)) {
			*value = list[i].value;
			return true;
		}
	return false;
}

static int
read_options(struct process *process, struct error *error)
{
	const struct isomorph_process_options *o = process->options;
	struct cpu_options *cpu = &process->cpu_options;
	unsigned value = CPU_ACCEL_TRANSLATE;

	if (o->accel && !find_value(accels, ARRAY_LEN(accels), o->accel, strlen(o->accel), &value))
		return error_set(error, EINVAL, "--accel %s: choose translate, interpret or lockstep", o->accel);
	cpu->accel = (enum cpu_accel)value;
	for (const char *at = o->dump; at && *at;) {
		size_t length = strcspn(at, ",");

		if (!find_value(stages, ARRAY_LEN(stages), at, length, &value))
			return error_set(error, EINVAL,
					 "-d %s: choose from guest, lift, regalloc, emit", o->dump);
		cpu->dump |= value;
		at += length + (at[length] == ',');
	}
	cpu->force_faults = o->force_faults;
	cpu->baseline = o->baseline;
	cpu->lockstep_sample = o->lockstep_sample ? o->lockstep_sample : 1;
	cpu->max_insns = o->max_insns;
	cpu->tier = o->tier;
	cpu->loop_heat = o->loop_heat;
	cpu->stats = o->stats;
	process->strace = o->strace;
	return 0;
}

/* ---- hidden descriptors ----------------------------------------------------- */

/* Moves a descriptor up and marks it close-on-exec. */
int
hide_fd(long fd)
{
	struct rlimit limit;
	long high, top = HIDDEN_FD_MAX;

	if (raw_failed(fd))
		return -1;
	if (!raw_failed(RAW4(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit)) &&
	    limit.rlim_cur <= HIDDEN_FD_MAX)
		top = (long)limit.rlim_cur - 1;
	for (high = -1; raw_failed(high) && top > fd; top /= 2)
		high = RAW3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, top);
	if (raw_failed(high)) {
		RAW3(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
		return (int)fd;
	}
	RAW1(SYS_close, fd);
	return (int)high;
}

/* A descriptor on the emulator's own file: /proc says which it is, and without
 * /proc the kernel told how it was started. */
static void
find_self(struct process *process, const struct handover *handover)
{
	long fd, length;

	if (handover->given) {
		process->self_fd = handover->self_fd;
		if (process->self_fd >= 0)
			RAW3(SYS_fcntl, process->self_fd, F_SETFD, FD_CLOEXEC);
	} else {
		fd = RAW4(SYS_openat, AT_FDCWD, "/proc/self/exe", O_PATH | O_CLOEXEC, 0);
		if (raw_failed(fd) && getauxval(AT_EXECFN))
			fd = RAW4(SYS_openat, AT_FDCWD, getauxval(AT_EXECFN), O_PATH | O_CLOEXEC, 0);
		process->self_fd = hide_fd(fd);
	}
	length = RAW3(SYS_readlink, "/proc/self/exe", process->self_path, sizeof process->self_path - 1);
	process->self_path[length > 0 ? length : 0] = 0;
}

static int
open_log(struct process *process, struct error *error)
{
	const char *file = process->options->log_file;
	long fd = 2;

	if (file) {
		fd = RAW4(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
		if (raw_failed(fd))
			return error_set(error, EINVAL, "-D %s: cannot be written: %s", file, strerror((int)-fd));
		fd = hide_fd(fd);
	}
	log_open((int)fd, process->options->strace || process->options->dump ? LOG_DEBUG : LOG_WARN);
	return 0;
}

bool
process_owns_fd(const struct process *process, int fd)
{
	return fd >= 0 && (fd == process->self_fd || (process->options->log_file && fd == log_fd()) ||
			   (UNLIKELY(process->gdb != NULL) &&
			    (fd == process->gdb->listener || fd == process->gdb->connection || fd == process->gdb->wake)));
}

unsigned
process_own_fds(const struct process *process, int fds[PROCESS_FDS_MAX])
{
	const struct gdb *gdb = process->gdb;
	int all[PROCESS_FDS_MAX] = { process->self_fd, process->options->log_file ? log_fd() : -1,
				     gdb ? gdb->listener : -1, gdb ? gdb->connection : -1, gdb ? gdb->wake : -1 };
	unsigned count = 0;

	for (unsigned i = 0; i < PROCESS_FDS_MAX; i++) {
		unsigned at = count;

		if (all[i] < 0)
			continue;
		for (; at && fds[at - 1] > all[i]; at--)
			fds[at] = fds[at - 1];
		fds[at] = all[i];
		count++;
	}
	return count;
}

/* ---- loading ---------------------------------------------------------------- */

static bool
is_directory(const char *path)
{
	struct stat status;

	return !raw_failed(RAW4(SYS_newfstatat, AT_FDCWD, path, &status, 0)) && S_ISDIR(status.st_mode);
}

static int
load_error(struct error *error, int64_t result, const char *path, const struct exec_target *target)
{
	const char *why = strerror((int)-result); /* still on libc's own thread */

	if (target->prefix_count) /* a script, and its interpreter failed */
		return error_set(error, (int)-result, "%s: its interpreter %s cannot be executed: %s", path,
				 target->path, strerror((int)-result));
	switch (-result) {
	case ENOENT:
		why = strchr(path, '/') ? "no such file" : "no such file here, and PATH is not searched";
		break;
	case EACCES:
		why = is_directory(path) ? "is a directory"
					 : "permission denied, it must be readable and executable";
		break;
	case ENOEXEC:
		why = "not a program";
		break;
	case ELOOP:
		why = "too many links or scripts";
		break;
	}
	return error_set(error, (int)-result, "%s: %s", path, why);
}

/* Finds the program that is to be run; its kind must be a guest's. */
static int
find_program(struct process *process, struct handover *handover, struct arena *arena,
	     struct exec_target *target, struct error *error)
{
	const struct isomorph_process_options *o = process->options;
	int fd = handover->given ? handover->program_fd : o->execfd;
	int64_t result;

	if (fd >= 0) {
		/* A script's last step was taken by who executed us: what is in
		 * fd is the program, and argv is whole. */
		RAW3(SYS_fcntl, fd, F_SETFD, 0);
		result = exec_find(process, arena, fd, "", AT_EMPTY_PATH, target);
		RAW1(SYS_close, fd);
	} else {
		result = exec_find(process, arena, AT_FDCWD, o->program, 0, target);
	}
	if (result)
		return load_error(error, result, o->program, target);
	if (target->kind == EXEC_HOST)
		return error_set(error, ENOEXEC,
				 "%s: not a program of a guest that is known here (riscv64, aarch64 Linux); this "
				 "machine's own run without isomorph",
				 o->program);
	process->guest = target->guest;
	process->abi = abi_of(target->guest);
	if (!process->abi)
		return error_set(error, ENOEXEC, "%s: programs for %s cannot be run yet", o->program,
				 target->guest->name);
	return 0;
}

/* Takes path for the program's if it leads to the file that is run. */
static bool
name_program_by(struct process *process, const struct exec_target *target, const char *path, char *buffer)
{
	struct stat program, named;

	return !path_real(path_to_host(process, path, buffer, sizeof process->exe_path), process->exe_path,
			  sizeof process->exe_path) &&
	       !RAW2(SYS_fstat, target->fd, &program) && !RAW2(SYS_stat, process->exe_path, &named) &&
	       program.st_dev == named.st_dev && program.st_ino == named.st_ino;
}

/* The program's absolute path, as /proc/self/exe shows it. Without a /proc to
 * tell what a descriptor is open on, what the caller named is tried; "" if that
 * is no name of it. */
static void
name_program(struct process *process, const struct exec_target *target, struct arena *arena)
{
	char link[32], *buffer = arena_alloc(arena, sizeof process->exe_path);
	long length;

	text_format(link, sizeof link, "/proc/self/fd/%d", target->fd);
	length = RAW3(SYS_readlink, link, process->exe_path, sizeof process->exe_path - 1);
	if (length > 0)
		process->exe_path[length] = 0;
	else if (!name_program_by(process, target, target->path, buffer) &&
		 !name_program_by(process, target, process->options->program, buffer))
		process->exe_path[0] = 0;
}

static int
map_vdso(struct process *process, struct error *error)
{
	const struct abi *abi = process->abi;
	int64_t at = space_mmap(process->space, 0, abi->vdso_size, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at < 0)
		return error_set(error, (int)-at, "no memory for the vdso");
	memcpy(guest_pointer(process, (uint64_t)at), abi->vdso, abi->vdso_size);
	space_mprotect(process->space, (uint64_t)at, align_up(abi->vdso_size, PAGE), PROT_READ | PROT_EXEC);
	process->vdso_address = (uint64_t)at;
	process->sigreturn_address = (uint64_t)at + abi->vdso_sigreturn;
	return 0;
}

/* The guest's argv: the script's prefix or argv0 first, then the rest. */
static char **
guest_argv(const struct process *process, const struct exec_target *target, struct arena *arena)
{
	const struct isomorph_process_options *o = process->options;
	size_t count = 0, n = 0;
	char **list;

	while (o->argv[count])
		count++;
	list = arena_alloc(arena, (target->prefix_count + count + 2) * sizeof *list);
	for (size_t i = 0; i < target->prefix_count; i++)
		list[n++] = target->prefix[i];
	if (!target->prefix_count)
		list[n++] = (char *)(o->argv0 ? o->argv0 : count ? o->argv[0] : "");
	for (size_t i = 1; i < count; i++)
		list[n++] = o->argv[i];
	return list;
}

static void
hand_limits(struct process *process, const struct handover *handover)
{
	struct rlimit stack;
	int64_t result;

	if (handover->given) {
		space_rlimit(process->space, RLIMIT_AS, &handover->limit_as, NULL, &result);
		space_rlimit(process->space, RLIMIT_DATA, &handover->limit_data, NULL, &result);
	}
	if (process->options->stack_bytes) {
		space_rlimit(process->space, RLIMIT_STACK, NULL, &stack, &result);
		stack.rlim_cur = process->options->stack_bytes;
		if (stack.rlim_cur > stack.rlim_max)
			stack.rlim_cur = stack.rlim_max;
		space_rlimit(process->space, RLIMIT_STACK, &stack, NULL, &result);
	}
}

/* The name in ps and top, and, where the host's kernel lets us say where they
 * are, the arguments, so that /proc shows the guest's to everybody. Addresses are
 * the host's only at base 0. */
static void
show_to_host(struct process *process, uint64_t sp)
{
	const char *name = process->options->program, *slash = strrchr(name, '/');
	uint64_t brk = (uint64_t)RAW1(SYS_brk, 0);
	struct prctl_mm_map map = {
		.start_code = process->code_start,
		.end_code = process->code_end,
		.start_data = process->code_start,
		.end_data = process->code_end,
		.start_brk = brk, /* ours: libc's heap stays usable */
		.brk = brk,
		.start_stack = sp,
		.arg_start = process->argument_start,
		.arg_end = process->argument_end,
		.env_start = process->environment_start,
		.env_end = process->environment_end,
		.auxv = (__u64 *)guest_pointer(process, process->auxv_address),
		.auxv_size = (__u32)process->auxv_size,
		.exe_fd = (__u32)-1,
	};

	RAW2(SYS_prctl, PR_SET_NAME, slash ? slash + 1 : name);
	process->host_shows = !process->guest_base &&
			      !raw_failed(RAW5(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0));
}

/* ---- statistics -------------------------------------------------------------- */

static const char *const exit_names[32] = {
	[IR_EXIT_JUMP] = "jump",
	[IR_EXIT_CALL] = "call",
	[IR_EXIT_INDIRECT] = "indirect jump",
	[IR_EXIT_ICALL] = "indirect call",
	[IR_EXIT_RETURN] = "return",
	[IR_EXIT_TRAP] = "trap",
	[IR_EXIT_LOOKUP] = "lookup",
	[CODE_EXIT_POLL] = "poll",
	[CODE_EXIT_CHECK] = "failed check",
	[CODE_EXIT_INTERPRET] = "rare case",
	[CODE_EXIT_HOT] = "hot loop",
};

void
process_stats(struct process *process)
{
	struct timespec now = { 0 };
	struct cpu_stats s;
	uint64_t all_ns;

	if (!process->options->stats)
		return;
	cpu_stats(&process->cpu_space, &s);
	RAW2(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &now);
	all_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	log_line(LOG_ERROR, "%s: %llu regions, %llu guest instructions translated", process->options->program,
		 (unsigned long long)s.regions, (unsigned long long)s.guest_insns);
	if (s.loops)
		log_line(LOG_ERROR, "of these regions %llu are loops", (unsigned long long)s.loops);
	/* A child of fork starts with the counters of its parent, but no time. */
	log_line(LOG_ERROR, "processor time: %llu us translating, %llu us executing, system calls included",
		 (unsigned long long)s.translate_ns / 1000,
		 (unsigned long long)(all_ns > s.translate_ns ? all_ns - s.translate_ns : 0) / 1000);
	log_line(LOG_ERROR, "code %llu bytes hot, %llu cold, %llu of maps", (unsigned long long)s.host_bytes,
		 (unsigned long long)s.cold_bytes, (unsigned long long)s.map_bytes);
	log_line(LOG_ERROR, "%llu lookups, %llu links, %llu invalidated, %llu flushes, %llu interpreted",
		 (unsigned long long)s.lookups, (unsigned long long)s.links,
		 (unsigned long long)s.invalidated, (unsigned long long)s.flushes,
		 (unsigned long long)s.interpreted);
	log_line(LOG_ERROR, "%llu regions recalled from disk, %llu saved", (unsigned long long)s.recalled,
		 (unsigned long long)s.saved);
	for (unsigned i = 0; i < ARRAY_LEN(s.exits); i++)
		if (s.exits[i])
			log_line(LOG_ERROR, "exits by %s: %llu", exit_names[i] ? exit_names[i] : "others",
				 (unsigned long long)s.exits[i]);
}

/* ---- running ----------------------------------------------------------------- */

/* Builds everything; the thread is ready to enter. */
static int
prepare(struct process *process, struct handover *handover, struct arena *arena, struct thread **thread,
	struct error *error)
{
	struct exec_target target = { .fd = -1 };
	struct elf_image image;
	uint64_t sp = 0;
	int result;

	if (open_log(process, error) || read_options(process, error))
		return -1;
	find_self(process, handover);
	if (find_program(process, handover, arena, &target, error))
		return -1;
	name_program(process, &target, arena);
	result = !space_new(process, error) ? -1 : 0;
	if (!result) {
		keep_init(process);
		hand_limits(process, handover);
		result = elf_load(process, target.fd, process->options->program, &image, error);
	}
	RAW1(SYS_close, target.fd);
	if (result || map_vdso(process, error) ||
	    stack_build(process, &image, guest_argv(process, &target, arena), process->options->envp, &sp,
			error))
		return -1;
	if (gdb_listen(process, error) || cpu_space_init(&process->cpu_space, &process->cpu_options, error) ||
	    signal_init(process, error) || !(*thread = thread_new(process, error)))
		return -1;
	if (handover->filters_fd >= 0 && !seccomp_read(*thread, handover->filters_fd))
		return error_set(error, EINVAL, "--handover is for isomorph's own use");
	trace_init(process);
	if (handover->traced) {
		(*thread)->trace.active = 1;
		(*thread)->trace.how = (uint32_t)handover->traced - 1;
	}
	process->abi->start(process, (*thread)->vcpu.frame, process->entry, sp);
	cpu_state_changed(&(*thread)->vcpu);
	show_to_host(process, sp);
	return 0;
}

static int
take_texts(struct process *process, struct handover *handover, struct error *error)
{
	const struct isomorph_process_options *o = process->options;

	if (o->handover && !handover_read(handover, o->handover))
		return error_set(error, EINVAL, "--handover is for isomorph's own use");
	if (!o->sysroot)
		return 0;
	if (path_real(o->sysroot, process->sysroot, sizeof process->sysroot) || !is_directory(process->sysroot))
		return error_set(error, EINVAL, "-L %s: no such directory", o->sysroot);
	if (!strcmp(process->sysroot, "/"))
		process->sysroot[0] = 0;
	return 0;
}

static int
exit_code(const struct error *error)
{
	switch (error->code) {
	case EINVAL:
		return 2;
	case ENOENT:
		return 127;
	case ENOMEM:
	case EAGAIN:
	case EMFILE:
	case ENFILE:
		return 125;
	}
	return 126;
}

int
isomorph_process_run(const struct isomorph_process_options *options)
{
	struct process *process = pages_alloc(sizeof *process);
	struct error error = { 0 };
	struct arena arena = { 0 };
	struct handover handover = { .self_fd = -1, .program_fd = -1, .filters_fd = -1 };
	struct thread *thread = NULL;

	if (!process)
		fatal("out of host memory");
	process->options = options;
	process->self_fd = -1;
	if (!take_texts(process, &handover, &error) &&
	    !prepare(process, &handover, &arena, &thread, &error)) {
		arena_fini(&arena);
		thread_enter(thread);
	}
	arena_fini(&arena);
	log_line(LOG_ERROR, "%s", error.text);
	return exit_code(&error);
}

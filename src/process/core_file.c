/* What is in a core file: an ELF header, a PT_NOTE with what is known of process
 * and threads, and a PT_LOAD for each of the guest's mappings, whose bytes are
 * there as /proc/PID/coredump_filter asks (core(5)).
 *
 * Pages are read through /proc/self/mem, whatever their protection, and those that
 * were never touched become holes. Without /proc all that can be read is written.
 */
#include "process/core.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/lock.h"
#include "process/debug.h"
#include "process/host_maps.h"

#define PAGE 4096u
#define PAGES_AT_ONCE 64u
#define NAME "CORE\0\0\0" /* a note's name, padded to 4 bytes */
#define NAME_SIZE 5u
/* coredump_filter */
#define FILTER_DEFAULT 0x33u
enum {
	FILTER_ANONYMOUS = 1, FILTER_ANONYMOUS_SHARED = 2, FILTER_FILE = 4, FILTER_FILE_SHARED = 8, FILTER_HEADERS = 16,
};
/* /proc/PID/pagemap */
#define PAGEMAP_PRESENT (3ull << 62) /* in memory or swapped out */
#define PAGEMAP_FILE (1ull << 61)    /* of a file or shared */

/* struct elf_prstatus of a 64-bit ABI, up to its registers. */
struct status_head {
	int32_t signo, code, error;
	int16_t current_signal, pad;
	uint64_t pending, held;
	int32_t pid, parent, group, session;
	int64_t times[8];
};
_Static_assert(sizeof(struct status_head) == 112, "pr_reg follows");

/* struct elf_prpsinfo. */
struct process_info {
	char state, state_name, zombie, nice;
	uint64_t flag;
	uint32_t uid, gid;
	int32_t pid, parent, group, session;
	char name[16], arguments[80];
};
_Static_assert(sizeof(struct process_info) == 136, "elf_prpsinfo");

struct part {
	struct mapping mapping;
	uint64_t size; /* bytes of it in the file */
};

struct core {
	struct thread *thread;
	const struct debug_registers *registers;
	int fd, memory, pagemap; /* -1: no /proc */
	uint64_t filter;
	uint64_t at, limit; /* of the file */
	bool short_of;      /* something was not written */
	struct vec notes;   /* bytes */
	struct vec parts;
	uint8_t page[PAGES_AT_ONCE * PAGE];
};

/* ---- output -------------------------------------------------------------- */

static void
put(struct core *core, const void *bytes, uint64_t size)
{
	const uint8_t *from = bytes;

	if (core->at > core->limit || size > core->limit - core->at) {
		core->short_of = true;
		size = core->at > core->limit ? 0 : core->limit - core->at;
	}
	while (size) {
		long done = RAW4(SYS_pwrite64, core->fd, from, size, core->at);

		if (done == -EINTR)
			continue;
		if (done <= 0) {
			core->short_of = true;
			return;
		}
		from += done;
		core->at += (uint64_t)done;
		size -= (uint64_t)done;
	}
}

static void
append(struct vec *bytes, const void *from, size_t size)
{
	for (size_t i = 0; i < size; i++)
		*(uint8_t *)vec_push(bytes, 1) = ((const uint8_t *)from)[i];
}

/* ---- notes ----------------------------------------------------------------- */

static void
note_begin(struct core *core, uint32_t type, size_t size)
{
	Elf64_Nhdr head = { NAME_SIZE, (uint32_t)size, type };

	append(&core->notes, &head, sizeof head);
	append(&core->notes, NAME, align_up(NAME_SIZE, 4));
}

static void
note_end(struct core *core)
{
	while (core->notes.count % 4)
		append(&core->notes, "", 1);
}

static void
note(struct core *core, uint32_t type, const void *bytes, size_t size)
{
	note_begin(core, type, size);
	append(&core->notes, bytes, size);
	note_end(core);
}

static void
note_status(struct core *core, struct thread *thread, int signal)
{
	const struct debug_set *set = core->registers->sets;
	struct status_head head = {
		.signo = signal,
		.current_signal = (int16_t)signal,
		.held = thread->mask,
		.pid = thread->tid,
		.parent = (int32_t)RAW0(SYS_getppid),
		.group = (int32_t)RAW1(SYS_getpgid, 0),
		.session = (int32_t)RAW1(SYS_getsid, 0),
	};
	uint8_t registers[DEBUG_SET_SIZE];
	uint64_t has_fp = 1; /* pr_fpvalid and padding */

	debug_set_read(core->registers, set, thread->vcpu.frame, registers);
	note_begin(core, NT_PRSTATUS, sizeof head + set->size + sizeof has_fp);
	append(&core->notes, &head, sizeof head);
	append(&core->notes, registers, set->size);
	append(&core->notes, &has_fp, sizeof has_fp);
	note_end(core);
}

static void
note_other_sets(struct core *core, struct thread *thread)
{
	uint8_t registers[DEBUG_SET_SIZE];

	for (const struct debug_set *set = core->registers->sets + 1; set->size; set++) {
		debug_set_read(core->registers, set, thread->vcpu.frame, registers);
		note(core, set->note, registers, set->size);
	}
}

static void
note_process(struct core *core)
{
	struct process *process = core->thread->process;
	struct process_info info = {
		.state_name = 'R',
		.uid = (uint32_t)RAW0(SYS_getuid),
		.gid = (uint32_t)RAW0(SYS_getgid),
		.pid = (int32_t)RAW0(SYS_getpid),
		.parent = (int32_t)RAW0(SYS_getppid),
		.group = (int32_t)RAW1(SYS_getpgid, 0),
		.session = (int32_t)RAW1(SYS_getsid, 0),
	};
	const char *path = process->exe_path[0] ? process->exe_path : process->options->program, *slash = strrchr(path, '/');
	size_t size = process->argument_end - process->argument_start;

	text_format(info.name, sizeof info.name, "%s", slash ? slash + 1 : path);
	if (size >= sizeof info.arguments)
		size = sizeof info.arguments - 1;
	if (mem_read(core->thread, info.arguments, process->argument_start, size))
		size = 0;
	for (size_t i = 0; i < size; i++)
		if (!info.arguments[i])
			info.arguments[i] = ' ';
	note(core, NT_PRPSINFO, &info, sizeof info);
}

static void
note_auxv(struct core *core)
{
	const struct process *process = core->thread->process;
	uint8_t *auxv = arena_alloc(&core->thread->arena, process->auxv_size);

	if (!mem_read(core->thread, auxv, process->auxv_address, process->auxv_size))
		note(core, NT_AUXV, auxv, process->auxv_size);
}

/* NT_FILE: count, page size, a triple of addresses and page offset for each, names. */
static void
note_files(struct core *core)
{
	struct process *process = core->thread->process;
	struct host_maps *maps = arena_alloc(&core->thread->arena, sizeof *maps);
	struct vec names = { 0 }, triples = { 0 };
	const struct part *part = core->parts.data;
	uint64_t head[2] = { 0, PAGE };

	host_maps_open(maps);
	for (size_t i = 0; i < core->parts.count; i++) {
		const struct mapping *m = &part[i].mapping;
		uint64_t triple[3] = { m->start, m->end, m->offset / PAGE };
		const char *name;

		if (!m->inode && !m->device)
			continue;
		name = path_to_guest(process, host_maps_name(maps, process->guest_base + m->start));
		if (name[0] != '/')
			continue;
		append(&triples, triple, sizeof triple);
		append(&names, name, strlen(name) + 1);
		head[0]++;
	}
	host_maps_close(maps);
	note_begin(core, NT_FILE, sizeof head + triples.count + names.count);
	append(&core->notes, head, sizeof head);
	append(&core->notes, triples.data, triples.count);
	append(&core->notes, names.data, names.count);
	note_end(core);
	vec_fini(&triples, 1);
	vec_fini(&names, 1);
}

/* The dying thread is the first. The list of threads is locked. */
static void
notes(struct core *core, int signal, const siginfo_t *info)
{
	struct thread *dying = core->thread;

	note_status(core, dying, signal);
	note_process(core);
	note(core, NT_SIGINFO, info, sizeof *info);
	note_auxv(core);
	note_files(core);
	note_other_sets(core, dying);
	if (dying->vfork_child)
		return;
	for (struct thread *t = dying->process->threads; t; t = t->next)
		if (t != dying && !t->vfork_child) {
			note_status(core, t, signal);
			note_other_sets(core, t);
		}
}

/* ---- memory ------------------------------------------------------------------ */

/* What the kernel knows of count pages from address on; false without /proc. */
static bool
page_states(const struct core *core, uint64_t address, uint64_t *states, size_t count)
{
	uint64_t first = (core->thread->process->guest_base + address) / PAGE;

	return core->pagemap >= 0 &&
	       RAW4(SYS_pread64, core->pagemap, states, count * sizeof *states, first * sizeof *states) ==
		       (long)(count * sizeof *states);
}

/* Whether any page is there that is the process's own: written to, for a file's. */
static bool
has_own_pages(const struct core *core, const struct mapping *m)
{
	uint64_t states[512];

	for (uint64_t at = m->start; at < m->end;) {
		size_t count = (m->end - at) / PAGE < ARRAY_LEN(states) ? (m->end - at) / PAGE : ARRAY_LEN(states);

		if (!page_states(core, at, states, count))
			return true;
		for (size_t i = 0; i < count; i++)
			if ((states[i] & PAGEMAP_PRESENT) && ((m->flags & MAP_SHARED) || !(states[i] & PAGEMAP_FILE)))
				return true;
		at += count * PAGE;
	}
	return false;
}

static bool
has_elf_header(const struct core *core, const struct mapping *m)
{
	uint8_t magic[SELFMAG];

	return !m->offset && (m->prot & PROT_READ) && !mem_read(core->thread, magic, m->start, SELFMAG) &&
	       !memcmp(magic, ELFMAG, SELFMAG);
}

/* As vma_dump_size decides. */
static uint64_t
dumped_size(const struct core *core, const struct mapping *m)
{
	const struct process *process = core->thread->process;
	uint64_t whole = m->end - m->start;
	bool file = m->inode || m->device;

	if (process->vdso_address >= m->start && process->vdso_address < m->end)
		return whole;
	if (m->flags & MAPPING_DONTDUMP)
		return 0;
	if (m->flags & MAP_SHARED)
		return core->filter & (file ? FILTER_FILE_SHARED : FILTER_ANONYMOUS_SHARED) && has_own_pages(core, m) ? whole : 0;
	if ((core->filter & FILTER_FILE) && file)
		return whole;
	if ((core->filter & FILTER_ANONYMOUS) && has_own_pages(core, m))
		return whole;
	return file && (core->filter & FILTER_HEADERS) && has_elf_header(core, m) ? PAGE : 0;
}

static void
collect(struct core *core)
{
	struct mapping m;

	for (uint64_t at = 0; space_next(core->thread->process->space, at, &m) && core->parts.count < PN_XNUM - 2; at = m.end)
		*(struct part *)vec_push(&core->parts, sizeof(struct part)) = (struct part){ m, dumped_size(core, &m) };
}

/* Up to PAGES_AT_ONCE pages; those that were never touched stay a hole. */
static void
put_pages(struct core *core, const struct mapping *m, uint64_t address, size_t size)
{
	uint64_t states[PAGES_AT_ONCE], any = PAGEMAP_PRESENT;
	uint64_t host = core->thread->process->guest_base + address;

	if (!m->inode && !m->device && page_states(core, address, states, size / PAGE)) {
		any = 0;
		for (size_t i = 0; i < size / PAGE; i++)
			any |= states[i];
	}
	if (!(any & PAGEMAP_PRESENT) ||
	    ((core->memory < 0 || RAW4(SYS_pread64, core->memory, core->page, size, host) != (long)size) &&
	     mem_read(core->thread, core->page, address, size)))
		core->at += size;
	else
		put(core, core->page, size);
}

static void
put_memory(struct core *core)
{
	const struct part *part = core->parts.data;

	for (size_t i = 0; i < core->parts.count; i++)
		for (uint64_t done = 0; done < part[i].size && core->at < core->limit;) {
			uint64_t size = part[i].size - done;

			if (size > sizeof core->page)
				size = sizeof core->page;
			put_pages(core, &part[i].mapping, part[i].mapping.start + done, size);
			done += size;
		}
	/* The last pages may be a hole. */
	RAW2(SYS_ftruncate, core->fd, core->at < core->limit ? core->at : core->limit);
}

/* ---- headers ------------------------------------------------------------------- */

static void
put_headers(struct core *core)
{
	const struct part *part = core->parts.data;
	Elf64_Ehdr head = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = core->thread->process->guest->elf_machine,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof head,
		.e_ehsize = sizeof head,
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (uint16_t)(core->parts.count + 1),
	};
	Elf64_Phdr segment = {
		.p_type = PT_NOTE,
		.p_offset = sizeof head + (core->parts.count + 1) * sizeof segment,
		.p_filesz = core->notes.count,
		.p_align = 4,
	};
	uint64_t at = align_up(segment.p_offset + segment.p_filesz, PAGE);

	put(core, &head, sizeof head);
	put(core, &segment, sizeof segment);
	for (size_t i = 0; i < core->parts.count; i++) {
		const struct mapping *m = &part[i].mapping;

		segment = (Elf64_Phdr){
			.p_type = PT_LOAD,
			.p_flags = (m->prot & PROT_READ ? PF_R : 0u) | (m->prot & PROT_WRITE ? PF_W : 0u) |
				   (m->prot & PROT_EXEC ? PF_X : 0u),
			.p_offset = at,
			.p_vaddr = m->start,
			.p_filesz = part[i].size,
			.p_memsz = m->end - m->start,
			.p_align = PAGE,
		};
		put(core, &segment, sizeof segment);
		at += part[i].size;
	}
	put(core, core->notes.data, core->notes.count);
	core->at = align_up(core->at, PAGE);
}

static int
open_proc(const char *path)
{
	long fd = RAW4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);

	return raw_failed(fd) ? -1 : (int)fd;
}

/* coredump_filter, in hexadecimal. */
static uint64_t
read_filter(void)
{
	int fd = open_proc("/proc/self/coredump_filter");
	char text[20];
	long length = fd < 0 ? -1 : RAW3(SYS_read, fd, text, sizeof text);
	uint64_t filter = 0;

	if (fd >= 0)
		RAW1(SYS_close, fd);
	for (long i = 0; i < length && text[i] != '\n'; i++)
		filter = filter << 4 | (uint64_t)(text[i] <= '9' ? text[i] - '0' : text[i] - 'a' + 10);
	return length > 0 ? filter : FILTER_DEFAULT;
}

bool
core_write(struct thread *thread, int fd, uint64_t limit, int signal, const siginfo_t *info)
{
	struct core *core = arena_alloc(&thread->arena, sizeof *core);

	core->thread = thread;
	core->registers = thread->process->abi->debug;
	core->fd = fd;
	core->limit = limit;
	core->memory = open_proc("/proc/self/mem");
	core->pagemap = open_proc("/proc/self/pagemap");
	core->filter = read_filter();
	collect(core);
	lock_take(&thread->process->thread_lock);
	notes(core, signal, info);
	lock_drop(&thread->process->thread_lock);
	put_headers(core);
	put_memory(core);
	RAW1(SYS_close, core->memory);
	RAW1(SYS_close, core->pagemap);
	vec_fini(&core->notes, 1);
	vec_fini(&core->parts, sizeof(struct part));
	return !core->short_of;
}

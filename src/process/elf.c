/* Loading ELF programs as the kernel's fs/binfmt_elf.c does: which files are
 * refused with which error, where segments go, what the rest of a page is.
 *
 * Everything that can refuse a program is looked at before the first mapping
 * is made, so that execve's errors come while there is still somebody to tell.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "process/process_impl.h"

#define PAGE 4096ull
#define HEADERS_MAX (64u << 10) /* bytes of program headers that Linux reads */
#define JITTER_BITS 28          /* pages that a program's place varies by */
#define BRK_JITTER_BITS 18

/* One file while it is being loaded. */
struct elf {
	int fd;
	const char *path;
	uint64_t file_size;
	Elf64_Ehdr header;
	Elf64_Phdr *segment; /* in the caller's arena */
	uint64_t bias;       /* added to every address in the file */
	uint64_t low, high;  /* addresses that its segments span, before bias */
	uint64_t alignment;
};

/* ---- reading -------------------------------------------------------------- */

static int
not_loadable(struct error *error, int code, const struct elf *elf, const char *why)
{
	return error_set(error, code, "%s: %s", elf->path, why);
}

static int
read_at(const struct elf *elf, void *to, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		long got = RAW4(SYS_pread64, elf->fd, (char *)to + done, size - done, offset + done);

		if (got == -EINTR)
			continue;
		if (got <= 0)
			return -1;
		done += (size_t)got;
	}
	return 0;
}

static int
check_header(const struct process *process, const struct elf *elf, struct error *error)
{
	const Elf64_Ehdr *h = &elf->header;

	if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
		return not_loadable(error, ENOEXEC, elf, "not an ELF program");
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB ||
	    h->e_machine != process->guest->elf_machine)
		return error_set(error, ENOEXEC, "%s: not a program for %s (its ELF machine is %u)",
				 elf->path, process->guest->name, h->e_machine);
	if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
		return not_loadable(error, ENOEXEC, elf, "an ELF file, but not a program");
	if (h->e_phentsize != sizeof(Elf64_Phdr) || !h->e_phnum ||
	    h->e_phnum * sizeof(Elf64_Phdr) > HEADERS_MAX)
		return not_loadable(error, ENOEXEC, elf, "damaged: bad program headers");
	return 0;
}

/* What the loadable segments span. */
static int
measure(struct elf *elf, const struct process *process, struct error *error)
{
	uint64_t size = space_size(process->space);

	elf->low = UINT64_MAX;
	elf->alignment = PAGE;
	for (unsigned i = 0; i < elf->header.e_phnum; i++) {
		const Elf64_Phdr *s = &elf->segment[i];

		if (s->p_type != PT_LOAD)
			continue;
		if (s->p_filesz > s->p_memsz || s->p_memsz > size || s->p_vaddr > size - s->p_memsz)
			return not_loadable(error, ENOEXEC, elf, "damaged: a segment of impossible size");
		if ((s->p_vaddr - s->p_offset) & (PAGE - 1))
			return not_loadable(error, ENOEXEC, elf, "damaged: a segment out of step with its page");
		if (s->p_vaddr < elf->low)
			elf->low = align_down(s->p_vaddr, PAGE);
		if (s->p_vaddr + s->p_memsz > elf->high)
			elf->high = s->p_vaddr + s->p_memsz;
		if (s->p_align > elf->alignment && !(s->p_align & (s->p_align - 1)))
			elf->alignment = s->p_align;
	}
	if (elf->low > elf->high)
		return not_loadable(error, ENOEXEC, elf, "an ELF file without anything to load");
	return 0;
}

static int
elf_open(struct process *process, struct elf *elf, struct arena *arena, struct error *error)
{
	struct stat status;
	size_t bytes;

	if (raw_failed(RAW2(SYS_fstat, elf->fd, &status)))
		return not_loadable(error, EIO, elf, "cannot be read");
	elf->file_size = (uint64_t)status.st_size;
	if (read_at(elf, &elf->header, sizeof elf->header, 0))
		return not_loadable(error, ENOEXEC, elf, "not an ELF program (too short)");
	if (check_header(process, elf, error))
		return -1;
	bytes = elf->header.e_phnum * sizeof(Elf64_Phdr);
	elf->segment = arena_alloc(arena, bytes);
	if (read_at(elf, elf->segment, bytes, elf->header.e_phoff))
		return not_loadable(error, ENOEXEC, elf, "damaged: program headers cut off");
	return measure(elf, process, error);
}

/* The interpreter that the program asks for, opened; -1 and no error set when
 * it asks for none. */
static int
open_interpreter(struct process *process, struct elf *program, struct elf *interpreter,
		 struct arena *arena, struct error *error)
{
	char *path, *buffer;
	const char *host;
	const Elf64_Phdr *s = program->segment;
	unsigned n = program->header.e_phnum;
	long fd;

	while (n && s->p_type != PT_INTERP) {
		s++;
		n--;
	}
	if (!n)
		return 0;
	if (s->p_filesz < 2 || s->p_filesz > 4096)
		return not_loadable(error, ENOEXEC, program, "damaged: bad interpreter name");
	path = arena_alloc(arena, s->p_filesz);
	buffer = arena_alloc(arena, 4096);
	if (read_at(program, path, s->p_filesz, s->p_offset) || path[s->p_filesz - 1])
		return not_loadable(error, ENOEXEC, program, "damaged: bad interpreter name");
	host = path_to_host(process, path, buffer, 4096);
	fd = RAW4(SYS_openat, AT_FDCWD, host, O_RDONLY | O_CLOEXEC, 0);
	if (raw_failed(fd))
		return error_set(error, (int)-fd,
				 "%s: its interpreter %s cannot be opened: %s; -L DIRECTORY names "
				 "the root of %s libraries",
				 program->path, path, strerror((int)-fd), process->guest->name);
	*interpreter = (struct elf){ .fd = (int)fd, .path = path };
	if (elf_open(process, interpreter, arena, error)) {
		RAW1(SYS_close, fd);
		interpreter->fd = -1;
		if (error && error->code == ENOEXEC)
			error->code = ELIBBAD;
		return -1;
	}
	return 0;
}

/* ---- mapping -------------------------------------------------------------- */

static uint32_t
segment_prot(const Elf64_Phdr *s)
{
	return (s->p_flags & PF_R ? PROT_READ : 0u) | (s->p_flags & PF_W ? PROT_WRITE : 0u) |
	       (s->p_flags & PF_X ? PROT_EXEC : 0u);
}

static int
map_segment(struct process *process, const struct elf *elf, const Elf64_Phdr *s, struct error *error)
{
	uint64_t address = s->p_vaddr + elf->bias, start = align_down(address, PAGE);
	uint64_t file_end = address + s->p_filesz, end = align_up(address + s->p_memsz, PAGE);
	uint64_t file_pages_end = align_up(file_end, PAGE);
	uint64_t offset = align_down(s->p_offset, PAGE);
	int prot = (int)segment_prot(s);
	int64_t got = 0;

	if (s->p_filesz)
		got = space_mmap(process->space, start, file_pages_end - start, prot,
				 MAP_PRIVATE | MAP_FIXED_NOREPLACE, elf->fd, offset);
	else
		file_pages_end = start;
	/* What follows the file's bytes in their last page is zero. */
	if (got >= 0 && s->p_memsz > s->p_filesz && file_end < file_pages_end && (prot & PROT_WRITE)) {
		if (offset + (align_down(file_end, PAGE) - start) >= elf->file_size)
			return not_loadable(error, EFAULT, elf, "damaged: cut off");
		memset(guest_pointer(process, file_end), 0, file_pages_end - file_end);
	}
	if (got >= 0 && end > file_pages_end)
		got = space_mmap(process->space, file_pages_end, end - file_pages_end, prot,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (got >= 0)
		return 0;
	return error_set(error, (int)-got, "%s: cannot map its segment at %#llx (error %lld)", elf->path,
			 (unsigned long long)start, (long long)-got);
}

/* Finds a place for a file that can go anywhere, near hint. */
static int
place(struct process *process, struct elf *elf, uint64_t hint, struct error *error)
{
	uint64_t low = align_down(elf->low, elf->alignment);
	uint64_t length = align_up(elf->high - low, PAGE) + elf->alignment - PAGE;
	int64_t at = space_mmap(process->space, align_down(hint, elf->alignment), length, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at < 0)
		return error_set(error, (int)-at, "%s: no room for it in the guest's address space",
				 elf->path);
	space_munmap(process->space, (uint64_t)at, length);
	elf->bias = align_up((uint64_t)at, elf->alignment) - low;
	return 0;
}

static int
map_file(struct process *process, struct elf *elf, uint64_t hint, struct error *error)
{
	if (elf->header.e_type == ET_DYN && place(process, elf, hint, error))
		return -1;
	for (unsigned i = 0; i < elf->header.e_phnum; i++)
		if (elf->segment[i].p_type == PT_LOAD && elf->segment[i].p_memsz &&
		    map_segment(process, elf, &elf->segment[i], error))
			return -1;
	return 0;
}

/* ---- the result ----------------------------------------------------------- */

static void
describe(const struct elf *elf, struct elf_image *image)
{
	for (unsigned i = 0; i < elf->header.e_phnum; i++) {
		const Elf64_Phdr *s = &elf->segment[i];

		if (s->p_type == PT_GNU_STACK)
			image->stack_flags = s->p_flags;
		if (s->p_type != PT_LOAD)
			continue;
		if (elf->header.e_phoff >= s->p_offset && elf->header.e_phoff < s->p_offset + s->p_filesz)
			image->phdr = elf->header.e_phoff - s->p_offset + s->p_vaddr + elf->bias;
		if ((s->p_flags & PF_X) && (!image->start || s->p_vaddr + elf->bias < image->start))
			image->start = s->p_vaddr + elf->bias;
		if ((s->p_flags & PF_X) && s->p_vaddr + elf->bias + s->p_filesz > image->end)
			image->end = s->p_vaddr + elf->bias + s->p_filesz;
	}
	image->base = elf->bias;
	image->entry = elf->header.e_entry + elf->bias;
	image->phnum = elf->header.e_phnum;
}

int
elf_load(struct process *process, int fd, const char *path, struct elf_image *image, struct error *error)
{
	struct arena arena = { 0 };
	struct elf program = { .fd = fd, .path = path }, interpreter = { .fd = -1 };
	uint64_t size = space_size(process->space);
	int result = -1;

	*image = (struct elf_image){ .stack_flags = PF_R | PF_W };
	if (elf_open(process, &program, &arena, error) ||
	    open_interpreter(process, &program, &interpreter, &arena, error))
		goto out;
	if (map_file(process, &program, size / 3 * 2 + space_random(process->space, JITTER_BITS), error))
		goto out;
	describe(&program, image);
	if (interpreter.fd >= 0) {
		if (map_file(process, &interpreter, 0, error))
			goto out;
		image->interpreter_base = interpreter.bias;
		image->interpreter_entry = interpreter.header.e_entry + interpreter.bias;
	}
	image->brk = align_up(program.high + program.bias, PAGE) +
		     space_random(process->space, BRK_JITTER_BITS);
	space_set_brk(process->space, image->brk);
	process->code_start = image->start;
	process->code_end = image->end;
	process->brk_start = image->brk;
	process->entry = image->interpreter_entry ? image->interpreter_entry : image->entry;
	result = 0;
out:
	if (interpreter.fd >= 0)
		RAW1(SYS_close, interpreter.fd);
	arena_fini(&arena);
	return result;
}

/* The stack a program starts with: strings, argv, envp and the auxiliary
 * vector, laid out as create_elf_tables of fs/binfmt_elf.c does.
 *
 * From the top down: 8 zero bytes, the program's name, environment strings,
 * argument strings, 16 random bytes; then, upwards from the stack pointer: argc,
 * argv…, 0, envp…, 0, auxv.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "process/process_impl.h"

#define PAGE 4096ull
#define FIRST_ROOM (128u << 10) /* mapped at first below the strings; it grows */
#define TOP_JITTER_BITS 22
/* With a guest base the host cannot grow the stack into the reserved window. */
#define WHOLE_USUAL (64ull << 20)
#define WHOLE_MAXIMUM (256ull << 20)
#define CLOCK_TICKS 100
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

struct build {
	struct process *process;
	uint64_t at; /* guest address, goes down */
};

static uint64_t
push(struct build *b, const void *bytes, size_t size)
{
	b->at -= size;
	memcpy(guest_pointer(b->process, b->at), bytes, size);
	return b->at;
}

static size_t
count_strings(char **list, size_t *bytes)
{
	size_t n = 0;

	while (list[n])
		*bytes += strlen(list[n++]) + 1;
	return n;
}

/* Pushes the strings so that they lie in order. Returns the first's address. */
static uint64_t
push_strings(struct build *b, char **list, size_t count)
{
	while (count--)
		push(b, list[count], strlen(list[count]) + 1);
	return b->at;
}

/* The pointers to strings that lie one after the other from address on. */
static uint64_t *
list_strings(uint64_t *to, char **list, size_t count, uint64_t address)
{
	for (size_t i = 0; i < count; i++) {
		*to++ = address;
		address += strlen(list[i]) + 1;
	}
	*to++ = 0;
	return to;
}

static int
map_stack(struct process *process, const struct elf_image *image, uint64_t need, struct error *error)
{
	uint64_t size = space_size(process->space), limit, room;
	int prot = PROT_READ | PROT_WRITE | (image->stack_flags & PF_X ? PROT_EXEC : 0);
	struct rlimit stack;
	int64_t result;

	space_rlimit(process->space, RLIMIT_STACK, NULL, &stack, &result);
	room = align_up(need + FIRST_ROOM, PAGE);
	if (process->guest_base) { /* what its limit may be raised to, within reason */
		limit = stack.rlim_max < WHOLE_USUAL ? stack.rlim_max : WHOLE_USUAL;
		if (stack.rlim_cur > limit)
			limit = stack.rlim_cur < WHOLE_MAXIMUM ? stack.rlim_cur : WHOLE_MAXIMUM;
		if (limit > room)
			room = align_up(limit, PAGE);
	}
	process->stack_top =
		align_down(size - PAGE - space_random(process->space, TOP_JITTER_BITS), PAGE);
	result = space_mmap(process->space, process->stack_top - room, room, prot,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_GROWSDOWN |
				    MAP_FIXED_NOREPLACE,
			    -1, 0);
	if (result < 0)
		return error_set(error, (int)-result, "no memory for the guest's stack (error %lld)",
				 (long long)-result);
	return 0;
}

struct auxv {
	uint64_t entry[2 * 32];
	unsigned count;
};

static void
aux(struct auxv *v, uint64_t type, uint64_t value)
{
	v->entry[v->count++] = type;
	v->entry[v->count++] = value;
}

static void
fill_auxv(struct auxv *v, const struct process *process, const struct elf_image *image,
	  uint64_t random, uint64_t name, uint64_t platform)
{
	const struct abi *abi = process->abi;

	aux(v, AT_SYSINFO_EHDR, process->vdso_address);
	aux(v, AT_MINSIGSTKSZ, abi->signal_stack_minimum(process));
	aux(v, AT_HWCAP, abi->hwcap(process));
	aux(v, AT_PAGESZ, PAGE);
	aux(v, AT_CLKTCK, CLOCK_TICKS);
	aux(v, AT_PHDR, image->phdr);
	aux(v, AT_PHENT, sizeof(Elf64_Phdr));
	aux(v, AT_PHNUM, image->phnum);
	aux(v, AT_BASE, image->interpreter_base);
	aux(v, AT_FLAGS, 0);
	aux(v, AT_ENTRY, image->entry);
	aux(v, AT_UID, (uint64_t)RAW0(SYS_getuid));
	aux(v, AT_EUID, (uint64_t)RAW0(SYS_geteuid));
	aux(v, AT_GID, (uint64_t)RAW0(SYS_getgid));
	aux(v, AT_EGID, (uint64_t)RAW0(SYS_getegid));
	aux(v, AT_SECURE, getauxval(AT_SECURE));
	aux(v, AT_RANDOM, random);
	if (abi->hwcap2)
		aux(v, AT_HWCAP2, abi->hwcap2());
	aux(v, AT_EXECFN, name);
	if (platform)
		aux(v, AT_PLATFORM, platform);
	aux(v, AT_NULL, 0);
}

int
stack_build(struct process *process, const struct elf_image *image, char **argv, char **envp,
	    uint64_t *sp, struct error *error)
{
	const char *path = process->options->program;
	size_t bytes = strlen(path) + 1, argc, envc, words;
	struct build b = { .process = process };
	struct auxv v = { 0 };
	uint64_t *out, random, platform = 0, name;
	uint8_t noise[16] = { 0 };

	argc = count_strings(argv, &bytes);
	envc = count_strings(envp, &bytes);
	words = 1 + argc + 1 + envc + 1 + ARRAY_LEN(v.entry);
	if (map_stack(process, image, bytes + words * 8 + 256, error))
		return -1;
	b.at = process->stack_top - 8;
	name = push(&b, path, strlen(path) + 1);
	process->environment_end = b.at;
	process->environment_start = push_strings(&b, envp, envc);
	process->argument_end = b.at;
	process->argument_start = push_strings(&b, argv, argc);
	b.at = align_down(b.at, 16);
	if (process->abi->platform)
		platform = push(&b, process->abi->platform, strlen(process->abi->platform) + 1);
	RAW3(SYS_getrandom, noise, sizeof noise, 0);
	b.at = align_down(b.at, 16);
	random = push(&b, noise, sizeof noise);
	fill_auxv(&v, process, image, random, name, platform);
	*sp = align_down(b.at - (1 + argc + 1 + envc + 1 + v.count) * 8, 16);
	out = guest_pointer(process, *sp);
	*out++ = argc;
	out = list_strings(out, argv, argc, process->argument_start);
	out = list_strings(out, envp, envc, process->environment_start);
	process->auxv_address = *sp + (1 + argc + 1 + envc + 1) * 8;
	process->auxv_size = v.count * 8;
	memcpy(out, v.entry, v.count * 8);
	return 0;
}

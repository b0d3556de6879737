/* Fuzz target: what is loaded into a machine: small sound files (ELF with a symbol,
 * gzip, zstd, EFI zboot, a device tree) with some of their bytes changed or cut off.
 * Each is taken or refused, and nothing else. */
#include <elf.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "fuzz/fuzz.h"
#include "machine/virt.h"

#define RAM UINT64_C(0x80000000)
#define RAM_SIZE 0x100000u
#define FILE_MOST 2048u

enum { ELF, GZIP, ZSTD, ZBOOT, TREE, KINDS };

static struct {
	uint8_t bytes[FILE_MOST];
	size_t size;
} sound[KINDS];
static struct memory memory;
static char path[64];
static int fd;

/* A segment, and a symbol table with "tohost" in it. */
static void
make_elf(void)
{
	static const char names[] = "\0tohost";
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segment;
		Elf64_Shdr section[2];
		Elf64_Sym symbol[2];
		char names[8];
		uint32_t code[4];
	} *f = (void *)sound[ELF].bytes;

	f->header = (Elf64_Ehdr){ .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
				  .e_type = ET_EXEC, .e_machine = EM_RISCV, .e_version = 1, .e_entry = RAM,
				  .e_phoff = offsetof(__typeof__(*f), segment), .e_shoff = offsetof(__typeof__(*f), section),
				  .e_ehsize = sizeof f->header, .e_phentsize = sizeof f->segment, .e_phnum = 1,
				  .e_shentsize = sizeof *f->section, .e_shnum = 2 };
	f->segment = (Elf64_Phdr){ .p_type = PT_LOAD, .p_vaddr = RAM, .p_paddr = RAM, .p_filesz = sizeof f->code,
				   .p_memsz = 0x2000, .p_offset = offsetof(__typeof__(*f), code) };
	f->section[0] = (Elf64_Shdr){ .sh_type = SHT_SYMTAB, .sh_link = 1, .sh_size = sizeof f->symbol,
				      .sh_offset = offsetof(__typeof__(*f), symbol) };
	f->section[1] = (Elf64_Shdr){ .sh_type = SHT_STRTAB, .sh_size = sizeof f->names,
				      .sh_offset = offsetof(__typeof__(*f), names) };
	f->symbol[1] = (Elf64_Sym){ .st_name = 1, .st_shndx = 1, .st_value = RAM + 0x1000 };
	memcpy(f->names, names, sizeof names);
	sound[ELF].size = sizeof *f;
}

/* Text that packs well, by each; zboot is the gzip one behind its header. */
static void
make_packed(void)
{
	static const uint32_t zboot[4] = { 0x5a4d, 0x676d697a, 64, 0 };
	uint8_t plain[8192];
	z_stream z = { .next_in = plain, .avail_in = sizeof plain, .next_out = sound[GZIP].bytes, .avail_out = FILE_MOST };

	for (size_t i = 0; i < sizeof plain; i++)
		plain[i] = (uint8_t)(i % 61 * (i >> 8));
	if (deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY) || deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	sound[GZIP].size = z.total_out;
	deflateEnd(&z);
	sound[ZSTD].size = ZSTD_compress(sound[ZSTD].bytes, FILE_MOST, plain, sizeof plain, 3);
	if (ZSTD_isError(sound[ZSTD].size) || sound[GZIP].size + 64 > FILE_MOST)
		abort();
	memcpy(sound[ZBOOT].bytes, zboot, sizeof zboot);
	memcpy(sound[ZBOOT].bytes + 12, &(uint32_t){ (uint32_t)sound[GZIP].size }, 4);
	memcpy(sound[ZBOOT].bytes + 64, sound[GZIP].bytes, sound[GZIP].size);
	sound[ZBOOT].size = 64 + sound[GZIP].size;
}

static void
make_tree(void)
{
	void *fdt = sound[TREE].bytes;
	int failed = fdt_create(fdt, FILE_MOST) || fdt_finish_reservemap(fdt) || fdt_begin_node(fdt, "") ||
		     fdt_property_string(fdt, "compatible", "riscv-virtio") || fdt_begin_node(fdt, "chosen") ||
		     fdt_property_string(fdt, "bootargs", "before") || fdt_property_u32(fdt, "rng-seed", 1) ||
		     fdt_end_node(fdt) || fdt_begin_node(fdt, "memory@80000000") || fdt_end_node(fdt) ||
		     fdt_end_node(fdt) || fdt_finish(fdt);

	if (failed)
		abort();
	sound[TREE].size = fdt_totalsize(fdt);
}

static void
load_tree(void)
{
	static struct machine machine;
	const struct virt_chosen chosen = { .append = "console=ttyS0", .initrd = RAM, .initrd_end = RAM + 1 };
	size_t size;

	machine.config.dtb = path;
	free(virt_fdt(&machine, &chosen, &size, NULL));
}

static void
load_image(void)
{
	struct payload image;
	uint64_t entry, end, address;

	if (payload_read(&image, path, "kernel", NULL))
		return;
	if (!payload_unpack(&image, path, NULL)) {
		if (payload_is_elf(&image) && !payload_load_elf(&image, path, &memory, &entry, &end, NULL))
			payload_symbol(&image, "tohost", &address);
		else
			payload_place(&image, &memory, RAM);
	}
	payload_free(&image);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	unsigned kind = (unsigned)take(&in, 1) % KINDS;
	size_t length = sound[kind].size;
	uint8_t copy[FILE_MOST];

	memcpy(copy, sound[kind].bytes, length);
	if (take(&in, 1) % 8 == 0)
		length = take(&in, 2) % (length + 1);
	for (unsigned changes = (unsigned)take(&in, 1) % 16; changes && length; changes--) {
		/* Heads more often than the rest. */
		size_t at = (take(&in, 1) % 2 ? take(&in, 1) : take(&in, 2)) % length;

		copy[at] = (uint8_t)take(&in, 1);
	}
	if (ftruncate(fd, 0) || pwrite(fd, copy, length, 0) != (ssize_t)length)
		abort();
	if (kind == TREE)
		load_tree();
	else
		load_image();
	return 0;
}

void
fuzz_start(void)
{
	log_open(-1, LOG_ERROR);
	make_elf();
	make_packed();
	make_tree();
	if (memory_init(&memory, NULL) || memory_add_ram(&memory, "ram", RAM, RAM_SIZE, NULL))
		abort();
	fd = memfd_create("image", MFD_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
}

void
fuzz_stop(void)
{
	memory_fini(&memory);
	close(fd);
}

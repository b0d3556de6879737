/* Reads a guest's ELF file for disassembly. See elf_file.h. */
#include "monitor/elf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* size bytes at offset, or NULL when the file has not so many there. */
static const void *
part(const struct elf_file *file, uint64_t offset, uint64_t size)
{
	if (offset > file->size || size > file->size - offset)
		return NULL;
	return file->bytes + offset;
}

static const Elf64_Shdr *
section(const struct elf_file *file, unsigned n)
{
	const Elf64_Ehdr *h = file->header;

	if (n >= h->e_shnum || h->e_shentsize != sizeof(Elf64_Shdr))
		return NULL;
	return part(file, h->e_shoff + (uint64_t)n * sizeof(Elf64_Shdr), sizeof(Elf64_Shdr));
}

static const Elf64_Phdr *
segment(const struct elf_file *file, unsigned n)
{
	const Elf64_Ehdr *h = file->header;

	if (n >= h->e_phnum || h->e_phentsize != sizeof(Elf64_Phdr))
		return NULL;
	return part(file, h->e_phoff + (uint64_t)n * sizeof(Elf64_Phdr), sizeof(Elf64_Phdr));
}

/* A string of string table section n. */
static const char *
string(const struct elf_file *file, unsigned n, uint64_t offset)
{
	const Elf64_Shdr *table = section(file, n);
	const char *text;

	if (!table || offset >= table->sh_size)
		return "";
	text = part(file, table->sh_offset + offset, table->sh_size - offset);
	return text && memchr(text, 0, table->sh_size - offset) ? text : "";
}

bool
elf_file_code(const struct elf_file *file, unsigned n, struct elf_range *range)
{
	bool by_section = file->header->e_shnum > 0;
	unsigned count = by_section ? file->header->e_shnum : file->header->e_phnum, seen = 0;

	for (unsigned i = 0; i < count; i++) {
		const Elf64_Shdr *s = by_section ? section(file, i) : NULL;
		const Elf64_Phdr *p = by_section ? NULL : segment(file, i);

		if (by_section ? !s || !(s->sh_flags & SHF_EXECINSTR) || s->sh_type == SHT_NOBITS
			       : !p || p->p_type != PT_LOAD || !(p->p_flags & PF_X))
			continue;
		if (seen++ < n)
			continue;
		range->address = by_section ? s->sh_addr : p->p_vaddr;
		range->size = by_section ? s->sh_size : p->p_filesz;
		range->name = by_section ? string(file, file->header->e_shstrndx, s->sh_name) : "";
		range->bytes = part(file, by_section ? s->sh_offset : p->p_offset, range->size);
		if (range->bytes)
			return true;
	}
	return false;
}

bool
elf_file_at(const struct elf_file *file, uint64_t address, struct elf_range *range)
{
	for (unsigned n = 0; elf_file_code(file, n, range); n++) {
		if (address >= range->address && address - range->address < range->size)
			return true;
	}
	return false;
}

struct symbol {
	uint64_t address;
	const char *name;
	bool function;
};

/* Lists the defined symbols of both tables. */
static void
collect_symbols(struct elf_file *file)
{
	for (unsigned n = 0; n < file->header->e_shnum; n++) {
		const Elf64_Shdr *s = section(file, n);
		const Elf64_Sym *symbols;

		if (!s || (s->sh_type != SHT_SYMTAB && s->sh_type != SHT_DYNSYM))
			continue;
		symbols = part(file, s->sh_offset, s->sh_size);
		if (!symbols)
			continue;
		for (uint64_t i = 0; i < s->sh_size / sizeof *symbols; i++) {
			const char *name = string(file, s->sh_link, symbols[i].st_name);

			if (symbols[i].st_shndx == SHN_UNDEF || !*name)
				continue;
			*(struct symbol *)vec_push(&file->symbols, sizeof(struct symbol)) = (struct symbol){
				symbols[i].st_value, name, ELF64_ST_TYPE(symbols[i].st_info) == STT_FUNC };
		}
	}
}

static int
by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

bool
elf_file_symbol(const struct elf_file *file, const char *name, uint64_t *address)
{
	const struct symbol *symbol = file->symbols.data;

	for (size_t i = 0; i < file->symbols.count; i++) {
		if (strcmp(symbol[i].name, name) == 0) {
			*address = symbol[i].address;
			return true;
		}
	}
	return false;
}

const char *
elf_file_name(const struct elf_file *file, uint64_t address)
{
	const struct symbol *symbol = file->symbols.data;
	size_t low = 0, high = file->symbols.count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (symbol[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < file->symbols.count && symbol[low].address == address; low++) {
		if (symbol[low].function)
			return symbol[low].name;
	}
	return NULL;
}

int
elf_file_open(struct elf_file *file, const char *path, struct error *error)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *bytes;

	*file = (struct elf_file){ 0 };
	if (fd < 0 || fstat(fd, &st) < 0) {
		error_set(error, errno, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return 127;
	}
	if (S_ISDIR(st.st_mode)) {
		error_set(error, EISDIR, "%s: is a directory", path);
		close(fd);
		return 126;
	}
	bytes = st.st_size > 0 ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	close(fd);
	if (bytes == MAP_FAILED) {
		error_set(error, 0, "%s: empty or not a file that can be mapped", path);
		return 126;
	}
	file->bytes = bytes;
	file->size = (size_t)st.st_size;
	file->header = part(file, 0, sizeof(Elf64_Ehdr));
	if (!file->header || memcmp(file->header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    file->header->e_ident[EI_CLASS] != ELFCLASS64 || file->header->e_ident[EI_DATA] != ELFDATA2LSB) {
		error_set(error, 0, "%s: not a 64-bit little-endian ELF file", path);
		elf_file_close(file);
		return 126;
	}
	file->guest = guest_by_elf_machine(file->header->e_machine);
	if (!file->guest) {
		error_set(error, 0, "%s: ELF machine %u is none of the guest ISAs (riscv64, aarch64)", path,
			  file->header->e_machine);
		elf_file_close(file);
		return 126;
	}
	collect_symbols(file);
	qsort(file->symbols.data, file->symbols.count, sizeof(struct symbol), by_address);
	return 0;
}

void
elf_file_close(struct elf_file *file)
{
	if (file->bytes)
		munmap((void *)(uintptr_t)file->bytes, file->size);
	vec_fini(&file->symbols, sizeof(struct symbol));
	file->bytes = NULL;
}

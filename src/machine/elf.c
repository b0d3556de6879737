/* ELF files as a loader of a bare machine sees them: segments at physical
 * addresses, and a symbol or two. Every offset in the file is checked. */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "machine/machine_impl.h"

bool
payload_is_elf(const struct payload *image)
{
	return image->size >= sizeof(Elf64_Ehdr) && !memcmp(image->bytes, ELFMAG, SELFMAG) &&
	       image->bytes[EI_CLASS] == ELFCLASS64 && image->bytes[EI_DATA] == ELFDATA2LSB;
}

/* count entries of size bytes each at offset lie in the file. */
static bool
holds(const struct payload *image, uint64_t offset, uint64_t count, uint64_t size)
{
	return offset <= image->size && count <= (image->size - offset) / size;
}

static int
load_segment(const struct payload *image, const Elf64_Phdr *p, const char *path, struct memory *memory,
	     struct error *error)
{
	static const uint8_t zeros[4096];

	if (p->p_filesz > p->p_memsz || !holds(image, p->p_offset, p->p_filesz, 1))
		return error_set(error, EINVAL, "%s: damaged: a segment lies outside the file", path);
	if (!memory_ram(memory, p->p_paddr, p->p_memsz, true))
		return error_set(error, EFBIG, "%s: its segment at %#llx, %llu bytes, is not in RAM", path,
				 (unsigned long long)p->p_paddr, (unsigned long long)p->p_memsz);
	memory_write(memory, p->p_paddr, image->bytes + p->p_offset, p->p_filesz);
	for (uint64_t at = p->p_filesz; at < p->p_memsz;) {
		uint64_t size = p->p_memsz - at < sizeof zeros ? p->p_memsz - at : sizeof zeros;

		memory_write(memory, p->p_paddr + at, zeros, size);
		at += size;
	}
	return 0;
}

int
payload_load_elf(const struct payload *image, const char *path, struct memory *memory, uint64_t *entry, uint64_t *end,
	       struct error *error)
{
	Elf64_Ehdr header;
	bool any = false;

	memcpy(&header, image->bytes, sizeof header);
	if (header.e_phentsize != sizeof(Elf64_Phdr) || !holds(image, header.e_phoff, header.e_phnum, sizeof(Elf64_Phdr)))
		return error_set(error, EINVAL, "%s: damaged: no program headers", path);
	*end = 0;
	*entry = header.e_entry;
	for (unsigned i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr p;

		memcpy(&p, image->bytes + header.e_phoff + i * sizeof p, sizeof p);
		if (p.p_type != PT_LOAD || !p.p_memsz)
			continue;
		if (load_segment(image, &p, path, memory, error))
			return -1;
		/* An entry address is virtual; it moves with its segment. */
		if (header.e_entry - p.p_vaddr < p.p_memsz)
			*entry = header.e_entry - p.p_vaddr + p.p_paddr;
		*end = p.p_paddr + p.p_memsz > *end ? p.p_paddr + p.p_memsz : *end;
		any = true;
	}
	return any ? 0 : error_set(error, EINVAL, "%s: has nothing to load", path);
}

/* The string at offset of the table; "" when it is none. */
static const char *
text_at(const struct payload *image, const Elf64_Shdr *table, uint32_t offset)
{
	const char *text;

	if (!holds(image, table->sh_offset, table->sh_size, 1) || offset >= table->sh_size)
		return "";
	text = (const char *)image->bytes + table->sh_offset + offset;
	return memchr(text, 0, table->sh_size - offset) ? text : "";
}

bool
payload_symbol(const struct payload *image, const char *name, uint64_t *address)
{
	Elf64_Ehdr header;

	memcpy(&header, image->bytes, sizeof header);
	if (header.e_shentsize != sizeof(Elf64_Shdr) || !holds(image, header.e_shoff, header.e_shnum, sizeof(Elf64_Shdr)))
		return false;
	for (unsigned i = 0; i < header.e_shnum; i++) {
		Elf64_Shdr table, strings;

		memcpy(&table, image->bytes + header.e_shoff + i * sizeof table, sizeof table);
		if (table.sh_type != SHT_SYMTAB || table.sh_link >= header.e_shnum || !holds(image, table.sh_offset, table.sh_size, 1))
			continue;
		memcpy(&strings, image->bytes + header.e_shoff + table.sh_link * sizeof strings, sizeof strings);
		for (uint64_t n = 0; n < table.sh_size / sizeof(Elf64_Sym); n++) {
			Elf64_Sym symbol;

			memcpy(&symbol, image->bytes + table.sh_offset + n * sizeof symbol, sizeof symbol);
			if (symbol.st_shndx == SHN_UNDEF || strcmp(text_at(image, &strings, symbol.st_name), name))
				continue;
			*address = symbol.st_value;
			return true;
		}
	}
	return false;
}

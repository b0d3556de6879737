/* A guest's ELF file, mapped to be looked at. Everything in it is hostile:
 * each offset is checked before it is used. 64-bit little-endian files only. */
#ifndef MONITOR_ELF_FILE_H
#define MONITOR_ELF_FILE_H

#include <elf.h>

#include "guest/guest.h"

struct elf_file {
	const uint8_t *bytes;
	size_t size;
	const Elf64_Ehdr *header;
	const struct guest *guest;
	struct vec symbols; /* elf_file.c's, sorted by address */
};

struct elf_range {
	uint64_t address;
	const uint8_t *bytes;
	uint64_t size;
	const char *name; /* of the section, or "" */
};

/* Maps the file. Returns 0, or the exit code with a message in error: 127 it
 * cannot be read, 126 it is not for us. */
int elf_file_open(struct elf_file *file, const char *path, struct error *error);
void elf_file_close(struct elf_file *file);
/* The executable range number n, in file order; false beyond the last. */
bool elf_file_code(const struct elf_file *file, unsigned n, struct elf_range *range);
/* The executable range that holds address. */
bool elf_file_at(const struct elf_file *file, uint64_t address, struct elf_range *range);
/* Symbol name to address. */
bool elf_file_symbol(const struct elf_file *file, const char *name, uint64_t *address);
/* The name of the function that starts at address, or NULL. */
const char *elf_file_name(const struct elf_file *file, uint64_t address);

#endif

/* The program's own build ID: NT_GNU_BUILD_ID in a PT_NOTE segment (elf(5)), found from
 * the ELF header, which the linker names and which is loaded with the program. */
#include "host/build.h"

#include <elf.h>
#include <link.h>
#include <string.h>

extern const ElfW(Ehdr) __ehdr_start __attribute__((weak, visibility("hidden")));

static size_t
find_note(const uint8_t *at, size_t size, const uint8_t **id)
{
	ElfW(Nhdr) note;

	while (size >= sizeof note) {
		size_t name, whole;

		memcpy(&note, at, sizeof note);
		name = sizeof note + (note.n_namesz + 3u) / 4 * 4;
		whole = name + (note.n_descsz + 3u) / 4 * 4;
		if (whole > size)
			return 0;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && !memcmp(at + sizeof note, "GNU", 4)) {
			*id = at + name;
			return note.n_descsz;
		}
		at += whole;
		size -= whole;
	}
	return 0;
}

size_t
host_build_id(const uint8_t **id)
{
	const uint8_t *base = (const uint8_t *)&__ehdr_start;
	const ElfW(Phdr) *segment;
	size_t size = 0;

	if (!base)
		return 0;
	segment = (const void *)(base + __ehdr_start.e_phoff);
	for (unsigned i = 0; i < __ehdr_start.e_phnum && !size; i++)
		if (segment[i].p_type == PT_NOTE)
			size = find_note(base + segment[i].p_vaddr, segment[i].p_memsz, id);
	return size;
}

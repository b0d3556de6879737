/* `isomorph disasm`: the guest's code as text. */
#include "isomorph/explain.h"
#include "monitor/elf_file.h"
#include "monitor/monitor.h"

#include <string.h>

static void
put_line(struct writer *w, uint64_t address, const char *bytes, char *text)
{
	char *tab = strchr(text, '\t');

	if (tab)
		*tab++ = 0;
	writer_put(w, tab ? "%8llx:  %-8s  %-10s %s\n" : "%8llx:  %-8s  %s%s\n", (unsigned long long)address,
		   bytes, text, tab ? tab : "");
}

static void
disassemble_range(struct writer *w, const struct elf_file *file, const struct elf_range *range)
{
	uint64_t at = 0;

	writer_put(w, "\nDisassembly of %s at 0x%llx:\n", *range->name ? range->name : "a segment",
		   (unsigned long long)range->address);
	while (at < range->size) {
		const char *name = elf_file_name(file, range->address + at);
		char text[128], bytes[32] = "";
		int length = file->guest->disassemble(text, sizeof text, range->address + at, range->bytes + at,
						      range->size - at);

		if (name)
			writer_put(w, "\n%016llx <%s>:\n", (unsigned long long)(range->address + at), name);
		if (length <= 0)
			break;
		for (int i = length, n = 0; i-- > 0;)
			n += text_format(bytes + n, sizeof bytes - (size_t)n, "%02x", range->bytes[at + (uint64_t)i]);
		put_line(w, range->address + at, bytes, text);
		at += (uint64_t)length;
	}
}

int
isomorph_disassemble(const char *path, int fd)
{
	static struct writer w;
	struct elf_file file;
	struct elf_range range;
	struct error error = { 0 };
	int code = elf_file_open(&file, path, &error);

	if (code) {
		log_line(LOG_ERROR, "%s", error.text);
		return code;
	}
	w.fd = fd;
	writer_put(&w, "%s: %s\n", path, file.guest->name);
	for (unsigned n = 0; elf_file_code(&file, n, &range); n++)
		disassemble_range(&w, &file, &range);
	if (!elf_file_code(&file, 0, &range)) {
		log_line(LOG_ERROR, "%s: damaged, or it has no code", path);
		code = 126;
	}
	writer_flush(&w);
	elf_file_close(&file);
	return w.failed ? 125 : code;
}

/* Host code as text: objdump reads the bytes, and what it shows as distances is
 * given names: `exit N` for the stub behind exit record N, `record N`, `anchor`, `cold+0x…`.
 */
#include "monitor/host_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The exit whose record lies at this offset from the first hot byte, or whose
 * stub, right behind it, does; counted from 1. 0: none. */
static unsigned
exit_at(const struct host_map *map, int64_t offset, uint32_t into)
{
	for (uint32_t i = 0; i < map->exit_count; i++)
		if (offset == (int64_t)map->cold + map->exits[i] + into)
			return i + 1;
	return 0;
}

/* "[rip+0x…]  # 0xADDRESS" becomes a name, if ADDRESS has one. */
static void
name_memory(char *line, const struct host_map *map)
{
	char *open = strstr(line, "[rip+"), *comment = strstr(line, "# 0x"), name[32] = "anchor";
	int64_t offset;

	if (!open || !comment)
		return;
	offset = (int64_t)strtoull(comment + 2, NULL, 16);
	if (offset != map->anchor) {
		unsigned record = exit_at(map, offset, 0);

		if (!record)
			return;
		snprintf(name, sizeof name, "record %u", record);
	}
	snprintf(open, strlen(open) + 1, "[%s]", name);
}

/* A jump or call to a stub names it. */
static void
name_target(char *line, size_t size, const struct host_map *map)
{
	char *last = strrchr(line, ' ');
	unsigned number;
	int64_t offset;
	size_t room;

	if (!last || strncmp(last, " 0x", 3) != 0 || (line[0] != 'j' && strncmp(line, "call", 4) != 0))
		return;
	room = size - (size_t)(last - line);
	offset = (int64_t)strtoull(last + 1, NULL, 16);
	number = exit_at(map, offset, map->record_size);
	if (number)
		snprintf(last, room, " exit %u", number);
	else if (offset >= (int64_t)map->cold)
		snprintf(last, room, " cold+0x%x", (unsigned)(offset - map->cold));
}

static void
add_line(struct host_text *text, const char *line, const struct host_map *map)
{
	struct host_line *add = &text->line[text->count];
	unsigned offset;
	int start = 0;

	if (sscanf(line, " %x: %n", &offset, &start) != 1 || !start)
		return;
	add->offset = offset;
	snprintf(add->text, sizeof add->text, "%s", line + start);
	add->text[strcspn(add->text, "\n")] = 0;
	for (char *end = add->text + strlen(add->text); end > add->text && end[-1] == ' ';)
		*--end = 0;
	name_memory(add->text, map);
	name_target(add->text, sizeof add->text, map);
	text->count++;
}

void
host_text_read(struct host_text *text, const uint8_t *code, uint32_t size, uint32_t base,
	       const struct host_map *map)
{
	char path[] = "/tmp/isomorph-explain-XXXXXX", command[256], line[512];
	int fd = mkstemp(path);
	FILE *pipe;

	*text = (struct host_text){ .line = calloc(size + 1, sizeof *text->line) };
	if (fd < 0 || !text->line)
		return;
	if (write(fd, code, size) == (ssize_t)size) {
		snprintf(command, sizeof command,
			 "objdump -D -b binary %s --no-show-raw-insn --adjust-vma=%u %s 2>/dev/null", map->objdump,
			 base, path);
		pipe = popen(command, "r");
		while (pipe && text->count < size && fgets(line, sizeof line, pipe))
			add_line(text, line, map);
		if (pipe)
			pclose(pipe);
	}
	close(fd);
	unlink(path);
}

void
host_text_fini(struct host_text *text)
{
	free(text->line);
	*text = (struct host_text){ 0 };
}

/* Host code as text, for `isomorph explain`. */
#ifndef MONITOR_HOST_TEXT_H
#define MONITOR_HOST_TEXT_H

#include "base/base.h"

struct host_line {
	uint32_t offset; /* of the instruction, from base on */
	char text[96];
};

struct host_text {
	struct host_line *line; /* malloc'd, sorted by offset */
	unsigned count;
};

/* Where a region's parts lie, so that distances become names. Offsets are from
 * the first hot byte. */
struct host_map {
	int64_t anchor;        /* the word that holds the segment's guest address */
	uint32_t cold;         /* first cold byte */
	const uint32_t *exits; /* exit records, from the first cold byte */
	uint32_t exit_count;
	uint32_t record_size;
	const char *objdump; /* the target's options for it */
};

/* Disassembles size bytes that lie at offset base, by objdump. No lines when
 * that is not installed. host_text_fini frees. */
void host_text_read(struct host_text *text, const uint8_t *code, uint32_t size, uint32_t base,
		    const struct host_map *map);
void host_text_fini(struct host_text *text);

#endif

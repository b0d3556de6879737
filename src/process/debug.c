/* Sets of a guest's registers, as debug.h describes them. */
#include "process/debug.h"

#include <string.h>

void
debug_set_read(const struct debug_registers *registers, const struct debug_set *set, const struct ir_frame *frame, void *bytes)
{
	uint8_t *at = bytes, value[DEBUG_REGISTER_SIZE];

	memset(bytes, 0, set->size);
	for (const struct debug_part *part = set->part; part < set->part + ARRAY_LEN(set->part); part++)
		for (unsigned i = 0; i < part->count; i++, at += part->size) {
			registers->read(frame, part->first + i, value);
			memcpy(at, value, registers->size(part->first + i));
		}
}

void
debug_set_write(const struct debug_registers *registers, const struct debug_set *set, struct ir_frame *frame, const void *bytes)
{
	const uint8_t *at = bytes;

	for (const struct debug_part *part = set->part; part < set->part + ARRAY_LEN(set->part); part++)
		for (unsigned i = 0; i < part->count; i++, at += part->size)
			registers->write(frame, part->first + i, at);
}

/* Code of a region that is used at another place than it was made for. What there
 * is to change: target.h, CODE_RELOC_…; and the distance from an exit record to
 * the jump that leads to it. */
#include "codegen/target.h"

#include <string.h>

static void
add(uint8_t *field, int64_t by)
{
	int32_t distance;

	memcpy(&distance, field, sizeof distance);
	distance = (int32_t)(distance + by);
	memcpy(field, &distance, sizeof distance);
}

void
code_move_to(const struct code_parts *parts, const struct code_place *from, const struct code_place *to)
{
	int64_t apart = to->apart - from->apart, anchored = to->anchored - from->anchored;

	for (uint32_t i = 0; i < parts->reloc_count; i++) {
		uint32_t reloc = parts->reloc[i], offset = reloc & CODE_RELOC_OFFSET;
		bool cold = reloc & CODE_RELOC_COLD;

		if (reloc & CODE_RELOC_ANCHOR)
			add((cold ? parts->cold : parts->hot) + offset, cold ? -anchored - apart : -anchored);
		else
			add((cold ? parts->cold : parts->hot) + offset, cold ? -apart : apart);
	}
	for (uint32_t i = 0; i < parts->exit_count; i++) {
		uint32_t at = parts->exit[i];
		struct code_exit *exit = (struct code_exit *)(void *)(parts->cold + at);
		int64_t jump = (int64_t)at + exit->patch;

		if (exit->patch && (jump < 0 || jump >= (int64_t)parts->cold_size)) /* it is in hot code */
			exit->patch = (int32_t)(exit->patch - apart);
	}
}

/* Runs over a table of encodings and their text, test/isa/GUEST.tab. */
#ifndef TEST_UNIT_ISA_VECTORS_H
#define TEST_UNIT_ISA_VECTORS_H

#include "unit/check.h"

#include <stdlib.h>

/* Calls check for each vector: bits, as many digits as they have, text without
 * aliases and with them. Returns how many there were. */
static inline unsigned
isa_vectors(const char *path, void (*check)(uint32_t bits, unsigned digits, const char *plain, const char *usual))
{
	FILE *file = fopen(path, "r");
	char line[256];
	unsigned vectors = 0;

	if (!CHECK(file != NULL))
		return 0;
	while (fgets(line, sizeof line, file)) {
		char *plain, *usual;
		uint32_t bits = (uint32_t)strtoul(line, &plain, 16);
		unsigned digits = (unsigned)(plain - line);

		if (*line == '#')
			continue;
		line[strcspn(line, "\n")] = 0;
		usual = strstr(++plain, " | ");
		if (usual) {
			*usual = 0;
			usual += 3;
		}
		check(bits, digits, plain, usual ? usual : plain);
		vectors++;
	}
	fclose(file);
	return vectors;
}

#endif

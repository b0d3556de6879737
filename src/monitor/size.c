/* Sizes as people write them: isomorph/size.h. */
#include "isomorph/size.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool
isomorph_size_parse(const char *text, const char *units, uint64_t *bytes)
{
	const char *unit;
	char *end;

	errno = 0;
	*bytes = strtoull(text, &end, 0);
	if (end == text || errno || text[0] == '-')
		return false;
	if (!*end)
		return true;
	unit = strchr(units, *end & ~0x20);
	if (!unit || end[1] || *bytes >> (64 - 10 * (unit - units + 1)))
		return false;
	*bytes <<= 10 * (unit - units + 1);
	return true;
}

/* Values of the form FIRST,key=value,flag: cut up at commas. */
#include <string.h>

#include "monitor/config.h"

/* The next part from *at on, in place: ",," becomes a comma. */
static char *
next_part(char **at)
{
	char *start = *at, *to = start, *from = start;

	while (*from && (*from != ',' || from[1] == ',')) {
		if (*from == ',')
			from++;
		*to++ = *from++;
	}
	*at = *from ? from + 1 : NULL;
	*to = 0;
	return start;
}

int
config_split(struct isomorph_config *config, const char *value, struct config_parts *parts, struct error *error)
{
	char *at = config_copy(config, value);

	*parts = (struct config_parts){ .first = next_part(&at) };
	while (at) {
		char *part = next_part(&at), *equals = strchr(part, '=');

		if (parts->count == CONFIG_PARTS)
			return error_set(error, 0, "%s: too many parts", value);
		if (equals)
			*equals++ = 0;
		parts->part[parts->count].key = part;
		parts->part[parts->count++].value = equals;
	}
	return 0;
}

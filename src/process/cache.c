/* The disk cache as people see it: include/isomorph/cache.h. */
#include "isomorph/cache.h"

#include <stdlib.h>
#include <string.h>

#include "store/store.h"

bool
isomorph_cache(const char *directory, enum isomorph_cache_action action, struct isomorph_cache_status *status)
{
	struct store_status found = { 0 };
	char path[STORE_PATH];
	bool usable;

	*status = (struct isomorph_cache_status){ .limit = STORE_HOME_BYTES };
	if (!(directory ? store_whole_path(path, sizeof path, directory)
			: store_default_path(path, sizeof path, getenv("XDG_CACHE_HOME"), getenv("HOME"))))
		return false;
	if (action == ISOMORPH_CACHE_CLEAR)
		usable = store_home_clear(path, &found, &status->absent);
	else
		usable = store_home_status(path, action == ISOMORPH_CACHE_VERIFY, &found, &status->absent);
	memcpy(status->path, path, strlen(path) + 1);
	status->unusable = !usable && !status->absent;
	status->files = found.files;
	status->bytes = found.bytes;
	status->translations = found.records;
	status->foreign = found.foreign;
	status->damaged = found.damaged;
	return true;
}

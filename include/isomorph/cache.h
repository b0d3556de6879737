/* Public API of the disk cache of translations: what people may ask of it. Runs
 * (process.h) use it by themselves. Any thread. */
#ifndef ISOMORPH_CACHE_H
#define ISOMORPH_CACHE_H

#include <stdbool.h>
#include <stdint.h>

struct isomorph_cache_status {
	char path[4096];  /* of the directory; "": there is none for this user (no HOME) */
	bool absent;      /* nothing is there yet */
	bool unusable;    /* others may write there, or own it: it is not used */
	uint64_t files, bytes, translations;
	uint64_t foreign; /* files that are no usable store, such as damaged ones */
	uint64_t damaged; /* verify: translations that are not sound */
	uint64_t limit;   /* bytes that it grows to */
};

enum isomorph_cache_action { ISOMORPH_CACHE_LOOK, ISOMORPH_CACHE_VERIFY, ISOMORPH_CACHE_CLEAR };

/* directory: where; NULL: where runs of this user keep them. CLEAR: the status is of what
 * was there before. False: there is none for this user, or the path is too long. */
bool isomorph_cache(const char *directory, enum isomorph_cache_action action,
		    struct isomorph_cache_status *status);

#endif

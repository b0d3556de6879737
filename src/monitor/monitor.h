/* monitor/: looking at guests from outside. Private to the folder and its
 * users above; the public API is in include/. */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include "base/base.h"

/* Buffered text to a file descriptor. */
struct writer {
	int fd;
	size_t used;
	bool failed; /* not all of it could be written; said once */
	char buffer[8192];
};

void writer_put(struct writer *w, const char *format, ...) PRINTF_LIKE(2, 3);
void writer_flush(struct writer *w);

#endif

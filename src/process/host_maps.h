/* The names of the host's mappings, for the guest's own lists of them. */
#ifndef PROCESS_HOST_MAPS_H
#define PROCESS_HOST_MAPS_H

#include "base/base.h"

struct host_maps {
	int fd; /* -1: no /proc, or all was read */
	size_t at, used;
	uint64_t start, end;
	char name[4096];
	char buffer[4096];
};

void host_maps_open(struct host_maps *h);
void host_maps_close(struct host_maps *h);
/* What the host calls what it has at an address of the host's; "" when nothing.
 * Addresses must come in ascending order. Valid until the next call. */
const char *host_maps_name(struct host_maps *h, uint64_t address);

#endif

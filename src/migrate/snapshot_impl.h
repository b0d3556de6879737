/* Private to migrate/. */
#ifndef MIGRATE_SNAPSHOT_IMPL_H
#define MIGRATE_SNAPSHOT_IMPL_H

#include "migrate/snapshot.h"

#define SNAPSHOT_FORMAT 1
#define SNAPSHOT_REGIONS 16
#define SNAPSHOT_MANIFEST_MOST (4u << 20) /* bytes */
#define SNAPSHOT_STATE_MOST (256u << 20)

struct snapshot_region {
	char name[32];
	uint64_t start, size; /* guest-physical */
	uint64_t offset;      /* in the ram file */
};

struct snapshot {
	char folder[4096];
	cJSON *manifest;
	struct snapshot_region region[SNAPSHOT_REGIONS];
	unsigned regions;
	uint64_t ram_size, state_size;
	uint32_t state_crc;
	int ram;              /* the file; -1 */
};

#endif

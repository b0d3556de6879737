/* Private to migrate/. */
#ifndef MIGRATE_SNAPSHOT_IMPL_H
#define MIGRATE_SNAPSHOT_IMPL_H

#include "migrate/snapshot.h"

#define SNAPSHOT_FORMAT 2 /* 1 had no checksums of RAM */
#define SNAPSHOT_REGIONS 16
#define SNAPSHOT_MANIFEST_MOST (4u << 20) /* bytes */
#define SNAPSHOT_STATE_MOST (256u << 20)
#define SNAPSHOT_SUMS_MOST (64u << 20)

/* ---- sums.c ----------------------------------------------------------------- */

#define SUMS_CHUNK (UINT64_C(1) << 20) /* bytes of the ram file that one is for */

struct sums {
	uint32_t *sum;
	uint64_t count;
};

/* 0 or -1: no memory. */
int sums_init(struct sums *sums, uint64_t ram_size);
void sums_fini(struct sums *sums);
/* A page that is not zeros, at offset of the ram file; in order. */
void sums_add(struct sums *sums, uint64_t offset, const uint8_t *page);
/* All pages of a ram file of that size; 0 or -1 and errno. */
int sums_of_file(struct sums *sums, int ram, uint64_t size);
bool page_is_zero(const uint8_t *page);

/* ---- restore.c ---------------------------------------------------------------- */

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
	uint32_t state_crc, sums_crc;
	int ram;              /* the file; -1 */
};

#endif

/* Private to the qcow2 format (QEMU's docs/interop/qcow2; cited as "qcow2: title").
 *
 * The map of a disk. Clusters of the guest are found through two levels: L1, one
 * table in memory, points to L2 tables, one cluster each, whose entries name
 * clusters of the file. Every cluster of the file has a count of uses, in refcount
 * blocks that one refcount table points to.
 *
 * Writing. Tables are changed in memory and written out by flush, in an order in
 * which a crash at any point leaves an image whose counts are right or too high:
 *
 *     refcount blocks | data and blocks reach the disk | L2 tables | L1
 *         | tables reach the disk | counts of clusters let go (next flush)
 *
 * So a cluster let go is neither counted down nor used again before no table on
 * disk names it, and what was not flushed is lost in a crash, as on a real disk
 * with a write cache.
 *
 * Locking. `lock` is held for reading while a request uses the map and the
 * clusters it names, for writing while the map or the counts change.
 */
#ifndef BACKEND_DISK_QCOW2_IMPL_H
#define BACKEND_DISK_QCOW2_IMPL_H

#include <endian.h>
#include <pthread.h>
#include <string.h>

#include "backend/disk/image.h"

#define QCOW2_MAGIC 0x514649fbu
/* qcow2: Header. Byte offsets. */
enum qcow2_header {
	Q_MAGIC = 0, Q_VERSION = 4, Q_BACKING_OFFSET = 8, Q_BACKING_SIZE = 16, Q_CLUSTER_BITS = 20, Q_SIZE = 24,
	Q_CRYPT = 32, Q_L1_SIZE = 36, Q_L1_OFFSET = 40, Q_REFTABLE_OFFSET = 48, Q_REFTABLE_CLUSTERS = 56,
	Q_SNAPSHOTS = 60, Q_SNAPSHOTS_OFFSET = 64, Q_INCOMPATIBLE = 72, Q_COMPATIBLE = 80, Q_AUTOCLEAR = 88,
	Q_REFCOUNT_ORDER = 96, Q_HEADER_LENGTH = 100, Q_COMPRESSION = 104, Q_HEADER_MAX = 112,
};
enum qcow2_incompatible {
	QCOW2_DIRTY = 1, QCOW2_CORRUPT = 2, QCOW2_EXTERNAL_DATA = 4, QCOW2_COMPRESSION = 8, QCOW2_EXTENDED_L2 = 16,
};
#define QCOW2_EXTENSION_END 0u
#define QCOW2_EXTENSION_BACKING_FORMAT 0xe2792acau

/* Entries of L1 and L2 (qcow2: Cluster mapping). */
#define QCOW2_COPIED (UINT64_C(1) << 63)
#define QCOW2_COMPRESSED (UINT64_C(1) << 62)
#define QCOW2_OFFSET UINT64_C(0x00fffffffffffe00)
#define QCOW2_ZERO UINT64_C(1)

/* A table in memory, as it stands in the file (big-endian), and what of it was
 * changed. */
struct qcow2_table {
	uint64_t offset;      /* in the file */
	uint32_t dirty_from, dirty_to; /* bytes; equal: none */
	uint8_t data[];       /* a cluster */
};

struct qcow2 {
	struct image image;
	pthread_rwlock_t lock;
	unsigned version, bits;     /* cluster size is 1 << bits */
	uint64_t cluster;           /* bytes */
	unsigned refcount_order;    /* a count has 1 << order bits */
	unsigned compression;       /* 0 deflate, 1 zstd */
	uint64_t l1_offset;
	uint32_t l1_size;           /* entries */
	uint64_t *l1;               /* host byte order */
	struct qcow2_table **l2;    /* by L1 index; NULL: not in memory */
	uint32_t l2_loaded;
	uint32_t l1_dirty_from, l1_dirty_to; /* entries */
	uint64_t reftable_offset;
	uint32_t reftable_size;     /* entries */
	uint64_t *reftable;
	struct qcow2_table **block; /* by refcount table index */
	uint32_t reftable_dirty_from, reftable_dirty_to;
	uint64_t free_hint;         /* no free cluster below it */
	uint64_t fresh;             /* clusters from here on were never written: read as 0 */
	struct vec let_go;          /* of uint64_t: cluster numbers to count down after a flush */
	bool unsynced;              /* dirty tables exist */
	bool bad;                   /* an inconsistency was found: no more writes */
	uint8_t *scratch;           /* two clusters, for the holder of the write lock */
};

static inline uint64_t
qcow2_load(const uint8_t *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof value);
	return be64toh(value);
}

static inline uint32_t
qcow2_load32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof value);
	return be32toh(value);
}

static inline void
qcow2_store(uint8_t *p, uint64_t value)
{
	value = htobe64(value);
	memcpy(p, &value, sizeof value);
}

static inline void
qcow2_store32(uint8_t *p, uint32_t value)
{
	value = htobe32(value);
	memcpy(p, &value, sizeof value);
}

/* Notes that [from, to) of something changed. */
static inline void
qcow2_dirty(uint32_t *from, uint32_t *to, uint32_t first, uint32_t end)
{
	if (*from == *to) {
		*from = first;
		*to = end;
		return;
	}
	if (first < *from)
		*from = first;
	if (end > *to)
		*to = end;
}

/* Says once that the image contradicts itself, stops writes to it, returns EIO. */
int qcow2_corrupt(struct qcow2 *q, const char *what, uint64_t offset);

/* ---- qcow2_refcount.c: all under the write lock ----------------------------- */

/* Finds `want` (at least 1) clusters that nobody uses, all in a row, and counts
 * them once; *got of them, 1 to want, from *offset in the file on. */
int qcow2_alloc(struct qcow2 *q, uint64_t want, uint64_t *offset, uint64_t *got);
/* Uses cluster once less, after the next flush. */
void qcow2_let_go(struct qcow2 *q, uint64_t offset);
/* Counts down what was let go; the tables are on disk. */
int qcow2_release(struct qcow2 *q);
int qcow2_refcount(struct qcow2 *q, uint64_t cluster, uint64_t *count);
int qcow2_set_refcount(struct qcow2 *q, uint64_t cluster, uint64_t count);
int qcow2_write_blocks(struct qcow2 *q);
/* qcow2_rebuild.c. After a crash of a program that writes counts late: makes them anew. */
int qcow2_rebuild(struct qcow2 *q);

/* ---- qcow2_map.c ---------------------------------------------------------------- */

enum qcow2_kind { QCOW2_UNALLOCATED, QCOW2_ZEROS, QCOW2_DATA, QCOW2_PACKED };

struct qcow2_extent {
	enum qcow2_kind kind;
	uint64_t offset;   /* DATA: of the extent's first byte in the file */
	uint64_t size;     /* bytes that it goes on like this, at most as asked */
	uint64_t entry;    /* of the first cluster */
	bool writable;     /* DATA: ours alone */
};

/* What stands at [offset, offset + size) of the disk. -EAGAIN: its table is not in
 * memory; call again after qcow2_load_l2 under the write lock. Else 0 or errno. */
int qcow2_map(struct qcow2 *q, uint64_t offset, uint64_t size, struct qcow2_extent *extent);
int qcow2_load_l2(struct qcow2 *q, uint64_t offset);
/* The table for offset, in memory and ours alone, made when there is none. Under
 * the write lock. */
int qcow2_own_l2(struct qcow2 *q, uint64_t offset, struct qcow2_table **table);
/* Sets the entry of the cluster at offset in its table; lets the old one go. */
void qcow2_set_entry(struct qcow2 *q, struct qcow2_table *table, uint64_t offset, uint64_t entry);
/* Where a compressed cluster lies in the file. */
void qcow2_packed_place(const struct qcow2 *q, uint64_t entry, uint64_t *offset, uint64_t *size);
/* Writes out all tables in order. Under the write lock. */
int qcow2_sync(struct qcow2 *q);
/* True if a cluster of the file holds header, L1 or refcount table. */
bool qcow2_is_metadata(const struct qcow2 *q, uint64_t offset);

/* ---- qcow2_header.c: reads and checks what is in memory from the start ------- */

int qcow2_read_header(struct qcow2 *q, struct error *error);

/* ---- qcow2_inflate.c --------------------------------------------------------------- */

/* Unpacks a whole cluster. False: the bytes are not a compressed cluster. */
bool qcow2_inflate(unsigned compression, const uint8_t *from, size_t size, uint8_t *to, size_t cluster);

#endif

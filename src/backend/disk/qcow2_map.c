/* qcow2: from a place on the disk to a place in the file (qcow2: Cluster mapping),
 * and the order in which tables reach the file. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/disk/qcow2_impl.h"

/* L2 tables kept in memory, in bytes; clean ones are dropped beyond. */
#define L2_KEPT (64u << 20)

int
qcow2_corrupt(struct qcow2 *q, const char *what, uint64_t offset)
{
	if (!__atomic_exchange_n(&q->bad, true, __ATOMIC_RELAXED))
		log_line(LOG_ERROR,
			 "%s: this qcow2 image contradicts itself: %s %#llx; it is not written any more "
			 "(qemu-img check -r all may repair it)",
			 q->image.path, what, (unsigned long long)offset);
	return EIO;
}

static uint64_t
l2_entries(const struct qcow2 *q)
{
	return q->cluster / 8;
}

static uint64_t
l1_index(const struct qcow2 *q, uint64_t offset)
{
	return offset >> q->bits >> (q->bits - 3);
}

static uint64_t
l2_index(const struct qcow2 *q, uint64_t offset)
{
	return (offset >> q->bits) & (l2_entries(q) - 1);
}

static bool
overlaps(const struct qcow2 *q, uint64_t offset, uint64_t start, uint64_t size)
{
	return offset < start + size && start < offset + q->cluster;
}

bool
qcow2_is_metadata(const struct qcow2 *q, uint64_t offset)
{
	return overlaps(q, offset, 0, q->cluster) || overlaps(q, offset, q->l1_offset, (uint64_t)q->l1_size * 8) ||
	       overlaps(q, offset, q->reftable_offset, (uint64_t)q->reftable_size * 8);
}

/* A cluster of the file that an entry may name. */
static bool
place_good(const struct qcow2 *q, uint64_t offset)
{
	return offset % q->cluster == 0 && offset / q->cluster < q->fresh && !qcow2_is_metadata(q, offset);
}

/* ---- L2 tables -------------------------------------------------------------------- */

static void
drop_clean(struct qcow2 *q)
{
	for (uint32_t i = 0; i < q->l1_size; i++) {
		struct qcow2_table *table = q->l2[i];

		if (!table || table->dirty_from != table->dirty_to)
			continue;
		free(table);
		q->l2[i] = NULL;
		q->l2_loaded--;
	}
}

static struct qcow2_table *
new_l2(struct qcow2 *q, uint64_t index, uint64_t offset)
{
	struct qcow2_table *table;

	if ((uint64_t)q->l2_loaded * q->cluster >= L2_KEPT)
		drop_clean(q);
	table = calloc(1, sizeof *table + q->cluster);
	if (!table)
		return NULL;
	table->offset = offset;
	q->l2[index] = table;
	q->l2_loaded++;
	return table;
}

int
qcow2_load_l2(struct qcow2 *q, uint64_t offset)
{
	uint64_t index = l1_index(q, offset), place = q->l1[index] & QCOW2_OFFSET;
	struct qcow2_table *table;
	int failed;

	if (q->l2[index] || !place)
		return 0;
	if (!place_good(q, place))
		return qcow2_corrupt(q, "an L2 table at", place);
	table = new_l2(q, index, place);
	if (!table)
		return ENOMEM;
	failed = file_read(q->image.fd, table->data, q->cluster, place);
	if (failed) {
		free(table);
		q->l2[index] = NULL;
		q->l2_loaded--;
	}
	return failed;
}

static void
l1_set(struct qcow2 *q, uint64_t index, uint64_t entry)
{
	q->l1[index] = entry;
	qcow2_dirty(&q->l1_dirty_from, &q->l1_dirty_to, (uint32_t)index, (uint32_t)index + 1);
	q->unsynced = true;
}

int
qcow2_own_l2(struct qcow2 *q, uint64_t offset, struct qcow2_table **result)
{
	uint64_t index = l1_index(q, offset), place, got;
	struct qcow2_table *table;
	int failed = qcow2_load_l2(q, offset);

	if (failed)
		return failed;
	table = q->l2[index];
	if (table && q->l1[index] & QCOW2_COPIED) {
		*result = table;
		return 0;
	}
	failed = qcow2_alloc(q, 1, &place, &got);
	if (failed)
		return failed;
	if (table) {
		/* A snapshot has this table too: ours becomes a copy. */
		qcow2_let_go(q, table->offset);
		table->offset = place;
	} else {
		table = new_l2(q, index, place);
		if (!table) {
			qcow2_let_go(q, place);
			return ENOMEM;
		}
	}
	if (q->fresh <= place / q->cluster)
		q->fresh = place / q->cluster + 1;
	table->dirty_from = 0;
	table->dirty_to = (uint32_t)q->cluster;
	l1_set(q, index, place | QCOW2_COPIED);
	*result = table;
	return 0;
}

/* ---- entries ------------------------------------------------------------------------ */

void
qcow2_packed_place(const struct qcow2 *q, uint64_t entry, uint64_t *offset, uint64_t *size)
{
	unsigned shift = 62 - (q->bits - 8);

	*offset = entry & ((UINT64_C(1) << shift) - 1);
	*size = ((entry & ~(QCOW2_COPIED | QCOW2_COMPRESSED)) >> shift) * IMAGE_SECTOR + IMAGE_SECTOR -
		*offset % IMAGE_SECTOR;
}

static enum qcow2_kind
kind_of(const struct qcow2 *q, uint64_t entry)
{
	if (entry & QCOW2_COMPRESSED)
		return QCOW2_PACKED;
	if (q->version > 2 && entry & QCOW2_ZERO)
		return QCOW2_ZEROS;
	return entry & QCOW2_OFFSET ? QCOW2_DATA : QCOW2_UNALLOCATED;
}

static uint64_t
entry_at(const struct qcow2 *q, uint64_t offset)
{
	return qcow2_load(q->l2[l1_index(q, offset)]->data + 8 * l2_index(q, offset));
}

/* How far, in whole clusters, the entries after the one at offset go on alike. */
static uint64_t
alike(const struct qcow2 *q, uint64_t offset, uint64_t size, uint64_t entry, enum qcow2_kind kind)
{
	uint64_t index = l2_index(q, offset), length = q->cluster - offset % q->cluster;
	uint64_t step = kind == QCOW2_DATA ? q->cluster : 0;

	for (uint64_t n = 1; length < size && index + n < l2_entries(q) && kind != QCOW2_PACKED; n++) {
		uint64_t other = entry_at(q, offset + n * q->cluster);

		if (kind == QCOW2_DATA ? other != entry + n * step : kind_of(q, other) != kind)
			break;
		length += q->cluster;
	}
	return length < size ? length : size;
}

int
qcow2_map(struct qcow2 *q, uint64_t offset, uint64_t size, struct qcow2_extent *extent)
{
	uint64_t index = l1_index(q, offset), place, table_rest;

	if (!q->l2[index]) {
		if (q->l1[index] & QCOW2_OFFSET)
			return -EAGAIN;
		table_rest = (l2_entries(q) - l2_index(q, offset)) * q->cluster - offset % q->cluster;
		*extent = (struct qcow2_extent){ .kind = QCOW2_UNALLOCATED, .size = size < table_rest ? size : table_rest };
		return 0;
	}
	extent->entry = entry_at(q, offset);
	extent->kind = kind_of(q, extent->entry);
	extent->size = alike(q, offset, size, extent->entry, extent->kind);
	extent->writable = extent->entry & QCOW2_COPIED && q->l1[index] & QCOW2_COPIED;
	if (extent->kind != QCOW2_DATA)
		return 0;
	place = extent->entry & QCOW2_OFFSET;
	extent->offset = place + offset % q->cluster;
	for (uint64_t n = 0; n < offset % q->cluster + extent->size; n += q->cluster)
		if (!place_good(q, place + n))
			return qcow2_corrupt(q, "a data cluster at", place + n);
	return 0;
}

/* Lets go of what an entry used. */
static void
drop_entry(struct qcow2 *q, uint64_t entry)
{
	if (entry & QCOW2_COMPRESSED) {
		uint64_t offset, size;

		qcow2_packed_place(q, entry, &offset, &size);
		for (uint64_t at = align_down(offset, q->cluster); at < offset + size; at += q->cluster)
			if (at / q->cluster < q->fresh)
				qcow2_let_go(q, at);
	} else if (entry & QCOW2_OFFSET && place_good(q, entry & QCOW2_OFFSET)) {
		qcow2_let_go(q, entry & QCOW2_OFFSET);
	}
}

void
qcow2_set_entry(struct qcow2 *q, struct qcow2_table *table, uint64_t offset, uint64_t entry)
{
	uint32_t at = (uint32_t)(8 * l2_index(q, offset));
	uint64_t old = qcow2_load(table->data + at);

	if (old == entry)
		return;
	if ((old & (QCOW2_OFFSET | QCOW2_COMPRESSED)) != (entry & (QCOW2_OFFSET | QCOW2_COMPRESSED)) ||
	    old & QCOW2_COMPRESSED)
		drop_entry(q, old);
	qcow2_store(table->data + at, entry);
	qcow2_dirty(&table->dirty_from, &table->dirty_to, at, at + 8);
	q->unsynced = true;
}

/* ---- writing out ------------------------------------------------------------------------ */

static int
write_l2(struct qcow2 *q)
{
	for (uint32_t i = 0; i < q->l1_size; i++) {
		struct qcow2_table *table = q->l2[i];
		int failed;

		if (!table || table->dirty_from == table->dirty_to)
			continue;
		failed = file_write(q->image.fd, table->data + table->dirty_from, table->dirty_to - table->dirty_from,
				    table->offset + table->dirty_from);
		if (failed)
			return failed;
		table->dirty_from = table->dirty_to = 0;
	}
	return 0;
}

static int
write_l1(struct qcow2 *q)
{
	for (uint32_t i = q->l1_dirty_from; i < q->l1_dirty_to; i++) {
		uint8_t entry[8];
		int failed;

		qcow2_store(entry, q->l1[i]);
		failed = file_write(q->image.fd, entry, sizeof entry, q->l1_offset + 8 * (uint64_t)i);
		if (failed)
			return failed;
	}
	q->l1_dirty_from = q->l1_dirty_to = 0;
	return 0;
}

/* The file reaches to the end of the last cluster that is used. */
static int
extend_file(struct qcow2 *q)
{
	off_t end = lseek(q->image.fd, 0, SEEK_END);

	if (end >= 0 && (uint64_t)end < q->fresh * q->cluster && ftruncate(q->image.fd, (off_t)(q->fresh * q->cluster)))
		return errno;
	return 0;
}

int
qcow2_sync(struct qcow2 *q)
{
	int failed;

	if (!q->unsynced)
		return fdatasync(q->image.fd) ? errno : 0;
	if (q->bad)
		return EIO;
	failed = extend_file(q);
	if (!failed)
		failed = qcow2_write_blocks(q);
	if (!failed && fdatasync(q->image.fd))
		failed = errno;
	if (!failed)
		failed = write_l2(q);
	if (!failed && q->l1_dirty_from != q->l1_dirty_to) {
		if (fdatasync(q->image.fd))
			failed = errno;
		if (!failed)
			failed = write_l1(q);
	}
	if (!failed && fdatasync(q->image.fd))
		failed = errno;
	if (failed)
		return failed;
	q->unsynced = false;
	return qcow2_release(q);
}

/* qcow2: how often each cluster of the file is used (qcow2: Host cluster
 * management). A refcount block that does not exist yet is made in the first
 * cluster of the range that it counts, where nothing else can be. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/disk/qcow2_impl.h"

#define REFTABLE_MAX (8u << 20) /* bytes */

static uint64_t
counts_in_block(const struct qcow2 *q)
{
	return UINT64_C(1) << (q->bits + 3 - q->refcount_order);
}

static uint64_t
get_count(const struct qcow2 *q, const uint8_t *block, uint64_t n)
{
	unsigned bits = 1u << q->refcount_order;
	uint64_t value = 0;

	if (bits < 8)
		return block[n * bits / 8] >> (n * bits % 8) & ((1u << bits) - 1);
	for (unsigned i = 0; i < bits / 8; i++)
		value = value << 8 | block[n * (bits / 8) + i];
	return value;
}

static void
put_count(const struct qcow2 *q, struct qcow2_table *block, uint64_t n, uint64_t value)
{
	unsigned bits = 1u << q->refcount_order;
	uint64_t first = n * bits / 8;

	if (bits < 8) {
		unsigned shift = (unsigned)(n * bits % 8), mask = ((1u << bits) - 1) << shift;

		block->data[first] = (uint8_t)((block->data[first] & ~mask) | (value << shift & mask));
	} else {
		for (unsigned i = bits / 8; i--; value >>= 8)
			block->data[first + i] = (uint8_t)value;
	}
	qcow2_dirty(&block->dirty_from, &block->dirty_to, (uint32_t)first,
		    (uint32_t)(first + (bits < 8 ? 1 : bits / 8)));
}

static struct qcow2_table *
new_table(const struct qcow2 *q, uint64_t offset)
{
	struct qcow2_table *table = calloc(1, sizeof *table + q->cluster);

	if (table)
		table->offset = offset;
	return table;
}

/* Brings the block with number n into memory; *block is NULL if there is none. */
static int
load_block(struct qcow2 *q, uint64_t n, struct qcow2_table **block)
{
	uint64_t offset;
	int failed;

	*block = NULL;
	if (n >= q->reftable_size)
		return 0;
	*block = q->block[n];
	offset = q->reftable[n];
	if (*block || !offset)
		return 0;
	if (offset % q->cluster || offset / q->cluster >= q->fresh)
		return qcow2_corrupt(q, "a refcount block at", offset);
	*block = new_table(q, offset);
	if (!*block)
		return ENOMEM;
	failed = file_read(q->image.fd, (*block)->data, q->cluster, offset);
	if (failed) {
		free(*block);
		*block = NULL;
		return failed;
	}
	q->block[n] = *block;
	return 0;
}

int
qcow2_refcount(struct qcow2 *q, uint64_t cluster, uint64_t *count)
{
	struct qcow2_table *block;
	int failed = load_block(q, cluster / counts_in_block(q), &block);

	*count = block ? get_count(q, block->data, cluster % counts_in_block(q)) : 0;
	return failed;
}

/* ---- making room for counts ------------------------------------------------------- */

static int
make_block(struct qcow2 *q, uint64_t n, struct qcow2_table **block)
{
	uint64_t first = n * counts_in_block(q);

	*block = new_table(q, first * q->cluster);
	if (!*block)
		return ENOMEM;
	put_count(q, *block, 0, 1);
	(*block)->dirty_from = 0;
	(*block)->dirty_to = (uint32_t)q->cluster;
	q->block[n] = *block;
	q->reftable[n] = first * q->cluster;
	qcow2_dirty(&q->reftable_dirty_from, &q->reftable_dirty_to, (uint32_t)n, (uint32_t)n + 1);
	q->unsynced = true;
	if (q->fresh <= first)
		q->fresh = first + 1;
	return 0;
}

static int
write_entries(struct qcow2 *q, const uint64_t *entries, uint32_t from, uint32_t to, uint64_t offset)
{
	uint8_t buffer[4096];

	while (from < to) {
		uint32_t n = to - from < sizeof buffer / 8 ? to - from : (uint32_t)sizeof buffer / 8;
		int failed;

		for (uint32_t i = 0; i < n; i++)
			qcow2_store(buffer + 8 * i, entries[from + i]);
		failed = file_write(q->image.fd, buffer, 8 * n, offset + 8 * (uint64_t)from);
		if (failed)
			return failed;
		from += n;
	}
	return 0;
}

/* Makes the file use the table that now stands in memory, at a new place. */
static int
move_reftable(struct qcow2 *q, uint64_t offset, uint64_t clusters)
{
	uint64_t old = q->reftable_offset, old_clusters = align_up((uint64_t)q->reftable_size * 8, q->cluster) / q->cluster;
	uint8_t header[12];
	int failed;

	q->reftable_offset = offset;
	q->reftable_size = (uint32_t)(clusters * q->cluster / 8);
	failed = qcow2_write_blocks(q);
	if (!failed)
		failed = write_entries(q, q->reftable, 0, q->reftable_size, offset);
	if (!failed && fdatasync(q->image.fd))
		failed = errno;
	if (failed)
		return failed;
	qcow2_store(header, offset);
	qcow2_store32(header + 8, (uint32_t)clusters);
	failed = file_write(q->image.fd, header, sizeof header, Q_REFTABLE_OFFSET);
	for (uint64_t i = 0; !failed && i < old_clusters; i++)
		qcow2_let_go(q, old + i * q->cluster);
	return failed;
}

/* The refcount table gets more entries: a larger one after all that the old one
 * counts, behind the block that counts it. */
static int
grow_reftable(struct qcow2 *q, uint64_t entries)
{
	uint32_t old = q->reftable_size;
	uint64_t first = old * counts_in_block(q); /* its block's cluster */
	uint64_t size = align_up((entries + entries / 2 + 1) * 8, q->cluster), clusters = size / q->cluster;
	struct qcow2_table *block, **blocks;
	uint64_t *table;
	int failed;

	if (size > REFTABLE_MAX || clusters + 1 > counts_in_block(q) || (first + 1 + clusters) * q->cluster & ~QCOW2_OFFSET)
		return EFBIG;
	table = calloc(size / 8, sizeof *table);
	blocks = calloc(size / 8, sizeof(struct qcow2_table *));
	if (!table || !blocks) {
		free(table);
		free(blocks);
		return ENOMEM;
	}
	memcpy(table, q->reftable, old * sizeof *table);
	memcpy(blocks, q->block, old * sizeof(struct qcow2_table *));
	free(q->reftable);
	free(q->block);
	q->reftable = table;
	q->block = blocks;
	failed = make_block(q, old, &block);
	for (uint64_t i = 0; !failed && i < clusters; i++)
		put_count(q, block, 1 + i, 1);
	if (!failed)
		failed = move_reftable(q, (first + 1) * q->cluster, clusters);
	if (q->fresh < first + 1 + clusters)
		q->fresh = first + 1 + clusters;
	if (failed)
		q->bad = true;
	return failed;
}

int
qcow2_set_refcount(struct qcow2 *q, uint64_t cluster, uint64_t count)
{
	uint64_t n = cluster / counts_in_block(q);
	struct qcow2_table *block;
	int failed;

	if (q->refcount_order < 6 && count >> (1u << q->refcount_order))
		return EFBIG;
	if (n >= q->reftable_size) {
		failed = grow_reftable(q, n + 1);
		if (failed)
			return failed;
	}
	failed = load_block(q, n, &block);
	if (!failed && !block)
		failed = make_block(q, n, &block);
	if (failed)
		return failed;
	put_count(q, block, cluster % counts_in_block(q), count);
	q->unsynced = true;
	return 0;
}

/* ---- taking and letting go ----------------------------------------------------------- */

/* Free as far as the counts say; blocks that must still be made take the first
 * cluster of their range, and a larger table the ones after it. */
static int
is_free(struct qcow2 *q, uint64_t cluster, bool *yes)
{
	uint64_t count, n = cluster / counts_in_block(q);
	struct qcow2_table *block;
	int failed = load_block(q, n, &block);

	*yes = false;
	if (failed)
		return failed;
	if (!block) {
		/* Make it now, so that what it takes is counted. */
		failed = n >= q->reftable_size ? grow_reftable(q, n + 1) : make_block(q, n, &block);
		if (failed)
			return failed;
	}
	failed = qcow2_refcount(q, cluster, &count);
	*yes = !failed && !count;
	return failed;
}

int
qcow2_alloc(struct qcow2 *q, uint64_t want, uint64_t *offset, uint64_t *got)
{
	uint64_t cluster = q->free_hint;
	bool yes;
	int failed;

	for (;; cluster++) {
		failed = is_free(q, cluster, &yes);
		if (failed)
			return failed;
		if (yes)
			break;
	}
	*offset = cluster * q->cluster;
	if (*offset & ~QCOW2_OFFSET)
		return EFBIG;
	for (*got = 0; *got < want; ++*got) {
		if (*got) {
			failed = is_free(q, cluster + *got, &yes);
			if (failed || !yes)
				break;
		}
		if (qcow2_is_metadata(q, *offset + *got * q->cluster))
			return qcow2_corrupt(q, "no use is counted of the metadata at", *offset + *got * q->cluster);
		failed = qcow2_set_refcount(q, cluster + *got, 1);
		if (failed)
			break;
	}
	q->free_hint = cluster + *got;
	return *got ? 0 : failed;
}

void
qcow2_let_go(struct qcow2 *q, uint64_t offset)
{
	*(uint64_t *)vec_push(&q->let_go, sizeof(uint64_t)) = offset / q->cluster;
	q->unsynced = true;
}

int
qcow2_release(struct qcow2 *q)
{
	const uint64_t *clusters = q->let_go.data;
	int failed = 0;

	for (size_t i = 0; i < q->let_go.count && !failed; i++) {
		uint64_t count;

		failed = qcow2_refcount(q, clusters[i], &count);
		if (failed)
			break;
		if (!count) {
			failed = qcow2_corrupt(q, "no use is counted of the used cluster at", clusters[i] * q->cluster);
			break;
		}
		failed = qcow2_set_refcount(q, clusters[i], count - 1);
		if (count > 1)
			continue;
		if (clusters[i] < q->free_hint)
			q->free_hint = clusters[i];
		/* Only a hint to the host. */
		fallocate(q->image.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(clusters[i] * q->cluster),
			  (off_t)q->cluster);
	}
	q->let_go.count = 0;
	return failed;
}

int
qcow2_write_blocks(struct qcow2 *q)
{
	bool table = q->reftable_dirty_from != q->reftable_dirty_to;
	int failed = 0;

	for (uint32_t i = 0; i < q->reftable_size; i++) {
		struct qcow2_table *block = q->block[i];

		if (!block || block->dirty_from == block->dirty_to)
			continue;
		failed = file_write(q->image.fd, block->data + block->dirty_from, block->dirty_to - block->dirty_from,
				    block->offset + block->dirty_from);
		if (failed)
			return failed;
		block->dirty_from = block->dirty_to = 0;
	}
	if (!table)
		return 0;
	if (fdatasync(q->image.fd))
		return errno;
	failed = write_entries(q, q->reftable, q->reftable_dirty_from, q->reftable_dirty_to, q->reftable_offset);
	if (!failed)
		q->reftable_dirty_from = q->reftable_dirty_to = 0;
	return failed;
}

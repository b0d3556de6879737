/* qcow2: reference counts made anew from the tables, after a crash of a program
 * that writes them late (qcow2: the dirty bit). Walks all that uses a cluster:
 * header, L1 and refcount tables, L2 tables and data, of the disk and of each of
 * its snapshots (qcow2: Snapshots). */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/disk/qcow2_impl.h"

#define SNAPSHOTS_MAX 65536u
#define L1_MAX (32u << 20)

struct rebuild {
	struct qcow2 *q;
	uint32_t *uses; /* by cluster of the file */
	uint64_t clusters;
};

static int
use(struct rebuild *r, uint64_t offset, uint64_t size)
{
	uint64_t bits = r->q->bits;

	for (uint64_t n = offset >> bits; size && n <= (offset + size - 1) >> bits; n++) {
		if (n >= r->clusters)
			return qcow2_corrupt(r->q, "outside the file is", offset);
		r->uses[n]++;
	}
	return 0;
}

static int
use_l2(struct rebuild *r, uint64_t offset)
{
	struct qcow2 *q = r->q;
	uint8_t *table = malloc(q->cluster);
	int failed = table ? use(r, offset, q->cluster) : ENOMEM;

	if (!failed)
		failed = file_read(q->image.fd, table, q->cluster, offset);
	for (uint64_t i = 0; !failed && i < q->cluster / 8; i++) {
		uint64_t entry = qcow2_load(table + 8 * i), at, size;

		if (entry & QCOW2_COMPRESSED) {
			qcow2_packed_place(q, entry, &at, &size);
			/* Its last sectors may be past the end of the file. */
			if (at + size > r->clusters * q->cluster && at < r->clusters * q->cluster)
				size = r->clusters * q->cluster - at;
			failed = use(r, at, size);
		} else if (entry & QCOW2_OFFSET) {
			failed = use(r, entry & QCOW2_OFFSET, q->cluster);
		}
	}
	free(table);
	return failed;
}

static int
use_l1(struct rebuild *r, uint64_t offset, uint64_t entries)
{
	int failed = use(r, offset, entries * 8);

	for (uint64_t i = 0; !failed && i < entries; i++) {
		uint8_t entry[8];

		failed = file_read(r->q->image.fd, entry, sizeof entry, offset + 8 * i);
		if (!failed && qcow2_load(entry) & QCOW2_OFFSET)
			failed = use_l2(r, qcow2_load(entry) & QCOW2_OFFSET);
	}
	return failed;
}

static int
use_snapshots(struct rebuild *r)
{
	struct qcow2 *q = r->q;
	uint8_t header[Q_HEADER_MAX], head[40];
	uint64_t start, at;
	uint32_t count;
	int failed = file_read(q->image.fd, header, sizeof header, 0);

	count = qcow2_load32(header + Q_SNAPSHOTS);
	start = at = qcow2_load(header + Q_SNAPSHOTS_OFFSET);
	if (!failed && count > SNAPSHOTS_MAX)
		failed = EIO;
	for (uint32_t i = 0; !failed && i < count; i++) {
		failed = file_read(q->image.fd, head, sizeof head, at);
		if (failed)
			break;
		if (qcow2_load32(head + 8) > L1_MAX / 8 || at > r->clusters * q->cluster)
			return EIO;
		failed = use_l1(r, qcow2_load(head), qcow2_load32(head + 8));
		/* Fixed part, extra data, id and name, padded. */
		at = align_up(at + 40 + qcow2_load32(head + 36) + (uint64_t)(head[12] << 8 | head[13]) +
				      (uint64_t)(head[14] << 8 | head[15]),
			      8);
	}
	return failed ? failed : use(r, start, at - start);
}

static int
use_all(struct rebuild *r)
{
	struct qcow2 *q = r->q;
	int failed = use(r, 0, q->cluster);

	if (!failed)
		failed = use(r, q->reftable_offset, (uint64_t)q->reftable_size * 8);
	for (uint32_t i = 0; !failed && i < q->reftable_size; i++)
		if (q->reftable[i])
			failed = use(r, q->reftable[i], q->cluster);
	if (!failed)
		failed = use_l1(r, q->l1_offset, q->l1_size);
	return failed ? failed : use_snapshots(r);
}

/* The COPIED bits of the disk's own tables follow the counts. */
static int
mark_copied(struct rebuild *r)
{
	struct qcow2 *q = r->q;
	int failed = 0;

	for (uint32_t i = 0; !failed && i < q->l1_size; i++) {
		uint64_t place = q->l1[i] & QCOW2_OFFSET;
		struct qcow2_table *table;
		bool alone;

		if (!place)
			continue;
		failed = qcow2_load_l2(q, (uint64_t)i * q->cluster * (q->cluster / 8));
		if (failed)
			break;
		table = q->l2[i];
		for (uint32_t at = 0; at < q->cluster; at += 8) {
			uint64_t old = qcow2_load(table->data + at), entry = old & ~QCOW2_COPIED;

			if (old & QCOW2_COMPRESSED || !(old & QCOW2_OFFSET))
				continue;
			if (r->uses[(old & QCOW2_OFFSET) >> q->bits] == 1)
				entry |= QCOW2_COPIED;
			if (entry == old)
				continue;
			qcow2_store(table->data + at, entry);
			qcow2_dirty(&table->dirty_from, &table->dirty_to, at, at + 8);
		}
		alone = r->uses[place >> q->bits] == 1;
		q->l1[i] = place | (alone ? QCOW2_COPIED : 0);
		qcow2_dirty(&q->l1_dirty_from, &q->l1_dirty_to, i, i + 1);
	}
	return failed;
}

int
qcow2_rebuild(struct qcow2 *q)
{
	struct rebuild r = { .q = q, .clusters = q->fresh };
	int failed;

	r.uses = calloc(r.clusters ? r.clusters : 1, sizeof *r.uses);
	failed = r.uses ? use_all(&r) : ENOMEM;
	for (uint64_t i = 0; !failed && i < r.clusters; i++) {
		uint64_t count;

		failed = qcow2_refcount(q, i, &count);
		/* A block that is made here takes cluster i itself, or one after it: it
		 * counts itself. */
		if (!failed && count != r.uses[i])
			failed = qcow2_set_refcount(q, i, r.uses[i]);
	}
	if (!failed)
		failed = mark_copied(&r);
	q->unsynced = true;
	if (!failed)
		failed = qcow2_sync(q);
	free(r.uses);
	return failed;
}

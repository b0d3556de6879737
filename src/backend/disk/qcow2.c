/* qcow2: opening, and the disk's requests. */
#include "backend/disk/qcow2.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/disk/qcow2_impl.h"

static struct qcow2 *
qcow2(struct image *image)
{
	return (struct qcow2 *)image;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- reading ------------------------------------------------------------------- */

/* Calls file_readv or file_writev on a part of the segments. */
static int
transfer(struct qcow2 *q, const struct iovec *segment, unsigned count, uint64_t skip, uint64_t size, uint64_t offset,
	 bool write)
{
	while (size) {
		struct iovec part[64];
		uint64_t length;
		unsigned n = segments_cut(segment, count, skip, size, part, 64, &length);
		int failed = write ? file_writev(q->image.fd, part, n, offset) : file_readv(q->image.fd, part, n, offset);

		if (failed || !length)
			return failed;
		skip += length;
		offset += length;
		size -= length;
	}
	return 0;
}

static int
read_backing(struct image *backing, const struct iovec *to, unsigned count, uint64_t skip, uint64_t offset,
	     uint64_t size)
{
	uint64_t inside = !backing || offset >= backing->size ? 0 : least(size, backing->size - offset);

	segments_zero(to, count, skip + inside, size - inside);
	while (inside) {
		struct iovec part[64];
		uint64_t length;
		unsigned n = segments_cut(to, count, skip, inside, part, 64, &length);
		int failed = backing->format->read(backing, part, n, offset, length);

		if (failed)
			return failed;
		skip += length;
		offset += length;
		inside -= length;
	}
	return 0;
}

/* Unpacks a compressed cluster to `cluster`, a cluster long. */
static int
unpack(struct qcow2 *q, uint64_t entry, uint8_t *cluster)
{
	uint64_t offset, size;
	uint8_t *packed;
	int failed;

	qcow2_packed_place(q, entry, &offset, &size);
	if (offset / q->cluster >= q->fresh || size > 2 * q->cluster)
		return qcow2_corrupt(q, "a compressed cluster at", offset);
	packed = malloc(size);
	if (!packed)
		return ENOMEM;
	failed = file_read(q->image.fd, packed, size, offset);
	if (!failed && !qcow2_inflate(q->compression, packed, size, cluster, q->cluster))
		failed = qcow2_corrupt(q, "a compressed cluster that does not unpack, at", offset);
	free(packed);
	return failed;
}

static int
read_packed(struct qcow2 *q, uint64_t entry, const struct iovec *to, unsigned count, uint64_t skip, uint64_t inside,
	    uint64_t size)
{
	uint8_t *cluster = malloc(q->cluster);
	int failed = cluster ? unpack(q, entry, cluster) : ENOMEM;

	while (!failed && size) {
		struct iovec part;
		uint64_t length;

		segments_cut(to, count, skip, size, &part, 1, &length);
		memcpy(part.iov_base, cluster + inside, length);
		skip += length;
		inside += length;
		size -= length;
	}
	free(cluster);
	return failed;
}

/* qcow2_map, with the table loaded. The read lock is held, and still is. */
static int
map_loaded(struct qcow2 *q, uint64_t offset, uint64_t size, struct qcow2_extent *extent)
{
	for (;;) {
		int failed = qcow2_map(q, offset, size, extent);

		if (failed != -EAGAIN)
			return failed;
		pthread_rwlock_unlock(&q->lock);
		pthread_rwlock_wrlock(&q->lock);
		failed = qcow2_load_l2(q, offset);
		pthread_rwlock_unlock(&q->lock);
		pthread_rwlock_rdlock(&q->lock);
		if (failed)
			return failed;
	}
}

static int
qcow2_read(struct image *image, const struct iovec *to, unsigned count, uint64_t offset, uint64_t size)
{
	struct qcow2 *q = qcow2(image);
	uint64_t done = 0;
	int failed = 0;

	pthread_rwlock_rdlock(&q->lock);
	while (done < size && !failed) {
		struct qcow2_extent extent;
		uint64_t at = offset + done;

		failed = map_loaded(q, at, size - done, &extent);
		if (failed)
			break;
		switch (extent.kind) {
		case QCOW2_UNALLOCATED:
			failed = read_backing(image->backing, to, count, done, at, extent.size);
			break;
		case QCOW2_ZEROS: segments_zero(to, count, done, extent.size); break;
		case QCOW2_DATA: failed = transfer(q, to, count, done, extent.size, extent.offset, false); break;
		case QCOW2_PACKED:
			failed = read_packed(q, extent.entry, to, count, done, at % q->cluster, extent.size);
			break;
		}
		done += extent.size;
	}
	pthread_rwlock_unlock(&q->lock);
	return failed;
}

/* ---- writing ----------------------------------------------------------------------- */

/* What the cluster at `start` (a multiple of the cluster size) holds now, into
 * the scratch buffer. */
static int
old_content(struct qcow2 *q, uint64_t start, const struct qcow2_extent *extent, uint8_t *to)
{
	struct iovec segment = { to, q->cluster };

	switch (extent->kind) {
	case QCOW2_UNALLOCATED: return read_backing(q->image.backing, &segment, 1, 0, start, q->cluster);
	case QCOW2_ZEROS: memset(to, 0, q->cluster); return 0;
	case QCOW2_DATA: return file_read(q->image.fd, to, q->cluster, extent->entry & QCOW2_OFFSET);
	case QCOW2_PACKED: return unpack(q, extent->entry, to);
	}
	return EIO;
}

/* Writes part of the cluster at `start` to its new place, with what it held
 * around it. */
static int
write_partial(struct qcow2 *q, const struct iovec *from, unsigned count, uint64_t done, uint64_t inside, uint64_t size,
	      uint64_t start, const struct qcow2_extent *extent, uint64_t place, bool fresh)
{
	uint64_t skip = 0;
	int failed;

	/* In a cluster that was never written, holes read as zeros already. */
	if (fresh && (extent->kind == QCOW2_ZEROS || (extent->kind == QCOW2_UNALLOCATED && !q->image.backing)))
		return transfer(q, from, count, done, size, place + inside, true);
	failed = old_content(q, start, extent, q->scratch);
	if (failed)
		return failed;
	while (skip < size) {
		struct iovec part;
		uint64_t length;

		if (!segments_cut(from, count, done + skip, size - skip, &part, 1, &length))
			return EINVAL;
		memcpy(q->scratch + inside + skip, part.iov_base, length);
		skip += length;
	}
	return file_write(q->image.fd, q->scratch, q->cluster, place);
}

/* The write's part in one cluster, which needs a place of its own. Under the write
 * lock. The entry is set once the bytes are there. */
static int
write_one(struct qcow2 *q, const struct iovec *from, unsigned count, uint64_t done, uint64_t at, uint64_t size,
	  const struct qcow2_extent *extent)
{
	uint64_t place, got, inside = at % q->cluster;
	struct qcow2_table *table;
	bool fresh = false;
	int failed = qcow2_own_l2(q, at, &table);

	if (failed)
		return failed;
	if (extent->kind == QCOW2_ZEROS && extent->writable && extent->entry & QCOW2_OFFSET) {
		place = extent->entry & QCOW2_OFFSET; /* reads as zeros, but has a place */
		if (place % q->cluster || place / q->cluster >= q->fresh || qcow2_is_metadata(q, place))
			return qcow2_corrupt(q, "a data cluster at", place);
	} else {
		failed = qcow2_alloc(q, 1, &place, &got);
		if (failed)
			return failed;
		fresh = place / q->cluster >= q->fresh;
		if (fresh)
			q->fresh = place / q->cluster + 1;
	}
	if (size == q->cluster)
		failed = transfer(q, from, count, done, size, place, true);
	else
		failed = write_partial(q, from, count, done, inside, size, at - inside, extent, place, fresh);
	if (!failed)
		qcow2_set_entry(q, table, at, place | QCOW2_COPIED);
	else if (place != (extent->entry & QCOW2_OFFSET))
		qcow2_let_go(q, place);
	return failed;
}

/* As many whole clusters of the write as go into a row of new ones. */
static int
write_row(struct qcow2 *q, const struct iovec *from, unsigned count, uint64_t done, uint64_t at, uint64_t clusters,
	  uint64_t *written)
{
	uint64_t place, got;
	struct qcow2_table *table;
	int failed = qcow2_own_l2(q, at, &table);

	if (!failed)
		failed = qcow2_alloc(q, clusters, &place, &got);
	if (failed)
		return failed;
	if (q->fresh < place / q->cluster + got)
		q->fresh = place / q->cluster + got;
	failed = transfer(q, from, count, done, got * q->cluster, place, true);
	for (uint64_t i = 0; i < got; i++) {
		if (failed)
			qcow2_let_go(q, place + i * q->cluster);
		else
			qcow2_set_entry(q, table, at + i * q->cluster, (place + i * q->cluster) | QCOW2_COPIED);
	}
	*written = got * q->cluster;
	return failed;
}

static int
write_new(struct qcow2 *q, const struct iovec *from, unsigned count, uint64_t done, uint64_t at, uint64_t size,
	  uint64_t *written)
{
	struct qcow2_extent extent;
	int failed = qcow2_load_l2(q, at);

	if (!failed)
		failed = qcow2_map(q, at, size, &extent);
	if (failed)
		return failed;
	*written = least(extent.size, q->cluster - at % q->cluster);
	/* Another request may have given it a place meanwhile. */
	if (extent.kind == QCOW2_DATA && extent.writable)
		return transfer(q, from, count, done, *written, extent.offset, true);
	if (at % q->cluster == 0 && extent.size >= q->cluster && !(extent.entry & QCOW2_OFFSET))
		return write_row(q, from, count, done, at, extent.size / q->cluster, written);
	return write_one(q, from, count, done, at, *written, &extent);
}

static int
qcow2_write(struct image *image, const struct iovec *from, unsigned count, uint64_t offset, uint64_t size)
{
	struct qcow2 *q = qcow2(image);
	uint64_t done = 0;
	int failed = q->bad ? EIO : 0;

	pthread_rwlock_rdlock(&q->lock);
	while (done < size && !failed) {
		struct qcow2_extent extent;
		uint64_t at = offset + done, written = 0;

		failed = map_loaded(q, at, size - done, &extent);
		if (failed)
			break;
		if (extent.kind == QCOW2_DATA && extent.writable) {
			written = extent.size;
			failed = transfer(q, from, count, done, written, extent.offset, true);
		} else {
			pthread_rwlock_unlock(&q->lock);
			pthread_rwlock_wrlock(&q->lock);
			failed = write_new(q, from, count, done, at, size - done, &written);
			pthread_rwlock_unlock(&q->lock);
			pthread_rwlock_rdlock(&q->lock);
		}
		done += written;
	}
	pthread_rwlock_unlock(&q->lock);
	return failed;
}

static int
qcow2_flush(struct image *image)
{
	struct qcow2 *q = qcow2(image);
	int failed;

	pthread_rwlock_rdlock(&q->lock);
	if (!q->unsynced) {
		failed = fdatasync(image->fd) ? errno : 0;
		pthread_rwlock_unlock(&q->lock);
		return failed;
	}
	pthread_rwlock_unlock(&q->lock);
	pthread_rwlock_wrlock(&q->lock);
	failed = qcow2_sync(q);
	pthread_rwlock_unlock(&q->lock);
	return failed;
}

/* ---- zeros and discards ----------------------------------------------------------- */

static int
write_zeros(struct image *image, uint64_t offset, uint64_t size)
{
	static const char zeros[65536];
	int failed = 0;

	while (size && !failed) {
		uint64_t part = least(size, sizeof zeros);
		struct iovec segment = { (void *)(uintptr_t)zeros, part };

		failed = qcow2_write(image, &segment, 1, offset, part);
		offset += part;
		size -= part;
	}
	return failed;
}

/* One whole cluster reads as zeros from now on. Under the write lock. */
static int
zero_cluster(struct qcow2 *q, uint64_t at, bool unmap)
{
	struct qcow2_extent extent = { 0 };
	struct qcow2_table *table;
	uint64_t entry;
	int failed = qcow2_load_l2(q, at);

	if (!failed)
		failed = qcow2_map(q, at, q->cluster, &extent);
	if (failed || extent.kind == QCOW2_ZEROS || (extent.kind == QCOW2_UNALLOCATED && !q->image.backing))
		return failed;
	failed = qcow2_own_l2(q, at, &table);
	if (failed)
		return failed;
	entry = q->image.backing ? QCOW2_ZERO : 0;
	if (!unmap && q->version > 2 && extent.kind == QCOW2_DATA && extent.writable)
		entry = extent.entry | QCOW2_ZERO; /* keeps its place */
	qcow2_set_entry(q, table, at, entry);
	return 0;
}

static int
qcow2_zero(struct image *image, uint64_t offset, uint64_t size, bool unmap)
{
	struct qcow2 *q = qcow2(image);
	uint64_t end = offset + size, first = align_up(offset, q->cluster), last = align_down(end, q->cluster);
	int failed = 0;

	if (end == image->size) /* the last cluster may be cut */
		last = align_up(end, q->cluster);
	if (first >= last || (q->version < 3 && (image->backing || !unmap)))
		return write_zeros(image, offset, size);
	if (q->bad)
		return EIO;
	for (uint64_t at = first; at < last && !failed; at += q->cluster) {
		pthread_rwlock_wrlock(&q->lock);
		failed = zero_cluster(q, at, unmap);
		pthread_rwlock_unlock(&q->lock);
	}
	if (!failed && offset < first)
		failed = write_zeros(image, offset, first - offset);
	if (!failed && last < end)
		failed = write_zeros(image, last, end - last);
	return failed;
}

static int
qcow2_discard(struct image *image, uint64_t offset, uint64_t size)
{
	struct qcow2 *q = qcow2(image);
	uint64_t first = align_up(offset, q->cluster), last = align_down(offset + size, q->cluster);

	if (offset + size == image->size)
		last = align_up(offset + size, q->cluster);
	if (first >= last || (q->version < 3 && image->backing))
		return 0;
	return qcow2_zero(image, first, least(last, image->size) - first, true);
}

/* ---- closing and opening --------------------------------------------------------------- */

static void
qcow2_close(struct image *image)
{
	struct qcow2 *q = qcow2(image);

	if (!image->read_only && !q->bad && q->l1) {
		/* Twice: what the first lets go of is counted down by the second. */
		int failed = qcow2_sync(q);

		if (!failed && q->unsynced)
			failed = qcow2_sync(q);
		if (failed)
			log_line(LOG_ERROR, "%s: %s: the last writes are lost", image->path, strerror(failed));
	}
	for (uint32_t i = 0; q->l2 && i < q->l1_size; i++)
		free(q->l2[i]);
	for (uint32_t i = 0; q->block && i < q->reftable_size; i++)
		free(q->block[i]);
	free(q->l1);
	free(q->l2);
	free(q->reftable);
	free(q->block);
	free(q->scratch);
	vec_fini(&q->let_go, sizeof(uint64_t));
	pthread_rwlock_destroy(&q->lock);
}

static const struct image_format qcow2_format = { "qcow2",	 qcow2_read, qcow2_write, qcow2_flush,
						  qcow2_discard, qcow2_zero, qcow2_close };

struct image *
qcow2_open(int fd, const char *path, bool read_only, const struct image *above, struct error *error)
{
	struct qcow2 *q = calloc(1, sizeof *q);
	pthread_rwlockattr_t fair;

	if (!q) {
		error_set(error, ENOMEM, "%s: no memory", path);
		return NULL;
	}
	/* Steady reads must not keep an allocating write waiting for ever. */
	pthread_rwlockattr_init(&fair);
	pthread_rwlockattr_setkind_np(&fair, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&q->lock, &fair);
	pthread_rwlockattr_destroy(&fair);
	q->image.format = &qcow2_format;
	q->image.fd = fd;
	q->image.read_only = read_only;
	q->image.above = above;
	text_format(q->image.path, sizeof q->image.path, "%s", path);
	if (!qcow2_read_header(q, error))
		return &q->image;
	q->image.read_only = true; /* nothing to write out */
	qcow2_close(&q->image);
	image_close(q->image.backing);
	free(q);
	return NULL;
}

/* qcow2: the header and the tables that are in memory from the start, checked
 * (qcow2: Header, Header extensions). */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/disk/qcow2_impl.h"

#define L1_MAX (32u << 20)      /* bytes */
#define REFTABLE_MAX (8u << 20) /* bytes */
#define BACKING_NAME_MAX 1023u

static int
refuse(struct qcow2 *q, struct error *error, const char *what)
{
	return error_set(error, EINVAL, "%s: %s", q->image.path, what);
}

/* True if size bytes at offset lie in the file, offset at a cluster's start. */
static bool
in_file(const struct qcow2 *q, uint64_t offset, uint64_t size)
{
	uint64_t end = q->fresh * q->cluster;

	return offset && offset % q->cluster == 0 && offset < end && size <= end - offset;
}

static int
check_features(struct qcow2 *q, const uint8_t *header, struct error *error)
{
	uint64_t incompatible = qcow2_load(header + Q_INCOMPATIBLE);

	if (incompatible & QCOW2_EXTERNAL_DATA)
		return refuse(q, error, "qcow2 with its data in another file is not supported (qemu-img convert it)");
	if (incompatible & QCOW2_EXTENDED_L2)
		return refuse(q, error, "qcow2 with subclusters is not supported (qemu-img convert it)");
	if (incompatible & QCOW2_CORRUPT && !q->image.read_only)
		return refuse(q, error, "this qcow2 image is marked as corrupt (qemu-img check -r all repairs it)");
	if (incompatible & ~(uint64_t)(QCOW2_DIRTY | QCOW2_CORRUPT | QCOW2_COMPRESSION))
		return refuse(q, error, "this qcow2 image needs a feature that is not known here");
	q->refcount_order = qcow2_load32(header + Q_REFCOUNT_ORDER);
	if (q->refcount_order > 6)
		return refuse(q, error, "damaged qcow2 header: width of reference counts");
	if (qcow2_load32(header + Q_HEADER_LENGTH) < Q_COMPRESSION || qcow2_load32(header + Q_HEADER_LENGTH) > q->cluster)
		return refuse(q, error, "damaged qcow2 header: its length");
	if (incompatible & QCOW2_COMPRESSION) {
		if (qcow2_load32(header + Q_HEADER_LENGTH) <= Q_COMPRESSION || header[Q_COMPRESSION] > 1)
			return refuse(q, error, "this qcow2 image is compressed in a way that is not known here");
		q->compression = header[Q_COMPRESSION];
	}
	return 0;
}

static int
check_header(struct qcow2 *q, const uint8_t *header, struct error *error)
{
	struct stat st;

	q->version = qcow2_load32(header + Q_VERSION);
	q->bits = qcow2_load32(header + Q_CLUSTER_BITS);
	if (qcow2_load32(header) != QCOW2_MAGIC)
		return refuse(q, error, "this is no qcow2 image");
	if (q->version != 2 && q->version != 3)
		return refuse(q, error, "qcow2 of a version other than 2 and 3");
	if (q->bits < 9 || q->bits > 21)
		return refuse(q, error, "damaged qcow2 header: cluster size");
	q->cluster = UINT64_C(1) << q->bits;
	if (qcow2_load32(header + Q_CRYPT))
		return refuse(q, error, "an encrypted qcow2 image is not supported");
	if (fstat(q->image.fd, &st))
		return error_set(error, errno, "%s: %s", q->image.path, strerror(errno));
	q->fresh = align_up((uint64_t)st.st_size, q->cluster) >> q->bits;
	q->refcount_order = 4;
	if (q->version == 3 && check_features(q, header, error))
		return -1;
	q->image.size = qcow2_load(header + Q_SIZE);
	if (q->image.size > UINT64_C(1) << 60)
		return refuse(q, error, "damaged qcow2 header: the disk's size");
	q->image.size = align_up(q->image.size, IMAGE_SECTOR);
	return 0;
}

/* A table of big-endian words in the file to one in memory. NULL: *error. */
static uint64_t *
load_words(struct qcow2 *q, uint64_t offset, uint64_t count, struct error *error)
{
	uint64_t *words = calloc(count ? count : 1, sizeof *words);
	int failed = words ? file_read(q->image.fd, words, count * 8, offset) : ENOMEM;

	if (failed) {
		error_set(error, failed, "%s: %s", q->image.path, strerror(failed));
		free(words);
		return NULL;
	}
	for (uint64_t i = 0; i < count; i++)
		words[i] = be64toh(words[i]);
	return words;
}

static int
load_l1(struct qcow2 *q, const uint8_t *header, struct error *error)
{
	uint64_t needed = (q->image.size + q->cluster * (q->cluster / 8) - 1) / (q->cluster * (q->cluster / 8));

	q->l1_size = qcow2_load32(header + Q_L1_SIZE);
	q->l1_offset = qcow2_load(header + Q_L1_OFFSET);
	if (q->l1_size > L1_MAX / 8 || q->l1_size < needed)
		return refuse(q, error, "damaged qcow2 header: its L1 table does not fit the disk's size");
	if (q->l1_size && !in_file(q, q->l1_offset, (uint64_t)q->l1_size * 8))
		return refuse(q, error, "damaged qcow2 header: its L1 table lies outside the file");
	q->l1 = load_words(q, q->l1_offset, q->l1_size, error);
	q->l2 = calloc(q->l1_size ? q->l1_size : 1, sizeof(struct qcow2_table *));
	if (q->l1 && !q->l2)
		return refuse(q, error, "no memory");
	return q->l1 ? 0 : -1;
}

static int
load_reftable(struct qcow2 *q, const uint8_t *header, struct error *error)
{
	uint64_t clusters = qcow2_load32(header + Q_REFTABLE_CLUSTERS), used = 0;

	q->reftable_offset = qcow2_load(header + Q_REFTABLE_OFFSET);
	if (!clusters || clusters * q->cluster > REFTABLE_MAX || !in_file(q, q->reftable_offset, clusters * q->cluster))
		return refuse(q, error, "damaged qcow2 header: its refcount table lies outside the file");
	q->reftable_size = (uint32_t)(clusters * q->cluster / 8);
	q->reftable = load_words(q, q->reftable_offset, q->reftable_size, error);
	if (!q->reftable)
		return -1;
	q->block = calloc(q->reftable_size, sizeof(struct qcow2_table *));
	if (!q->block)
		return refuse(q, error, "no memory");
	/* Each block is a cluster of the file; more of them than clusters is a trap. */
	for (uint32_t i = 0; i < q->reftable_size; i++)
		used += q->reftable[i] != 0;
	if (used > q->fresh)
		return refuse(q, error, "damaged qcow2 image: more refcount blocks than the file has clusters");
	return 0;
}

/* The backing file's format by the header extension; "" when it does not say. */
static void
backing_format(struct qcow2 *q, const uint8_t *header, uint64_t names, char *format, size_t room)
{
	uint64_t at = q->version > 2 ? qcow2_load32(header + Q_HEADER_LENGTH) : Q_INCOMPATIBLE;

	*format = 0;
	while (at + 8 <= names) {
		uint8_t head[8];
		uint32_t size;

		if (file_read(q->image.fd, head, sizeof head, at))
			return;
		size = qcow2_load32(head + 4);
		if (qcow2_load32(head) == QCOW2_EXTENSION_END || size > names - at - 8)
			return;
		if (qcow2_load32(head) == QCOW2_EXTENSION_BACKING_FORMAT && size < room) {
			memset(format, 0, room);
			if (file_read(q->image.fd, format, size, at + 8))
				*format = 0;
			return;
		}
		at += 8 + align_up(size, 8);
	}
}

static int
open_backing(struct qcow2 *q, const uint8_t *header, struct error *error)
{
	uint64_t offset = qcow2_load(header + Q_BACKING_OFFSET);
	uint32_t size = qcow2_load32(header + Q_BACKING_SIZE);
	char name[BACKING_NAME_MAX + 1] = { 0 }, format[16], path[IMAGE_PATH];
	const char *slash = strrchr(q->image.path, '/');
	int failed;

	if (!offset)
		return 0;
	if (!size || size > BACKING_NAME_MAX || offset > q->cluster || size > q->cluster - offset)
		return refuse(q, error, "damaged qcow2 header: the name of its backing file");
	failed = file_read(q->image.fd, name, size, offset);
	if (failed)
		return error_set(error, failed, "%s: %s", q->image.path, strerror(failed));
	backing_format(q, header, offset, format, sizeof format);
	if (name[0] == '/' || !slash)
		text_format(path, sizeof path, "%s", name);
	else if (text_format(path, sizeof path, "%.*s/%s", (int)(slash - q->image.path), q->image.path, name) >=
		 (int)sizeof path)
		return refuse(q, error, "the path of its backing file is too long");
	q->image.backing = image_open(path, *format ? format : NULL, true, &q->image, error);
	return q->image.backing ? 0 : -1;
}

/* Marks in the header that features which we do not keep up are out of date, and
 * that counts are right. */
static int
claim(struct qcow2 *q, uint8_t *header, struct error *error)
{
	uint64_t incompatible = qcow2_load(header + Q_INCOMPATIBLE);
	int failed = 0;

	if (q->version < 3 || (!qcow2_load(header + Q_AUTOCLEAR) && !(incompatible & QCOW2_DIRTY)))
		return 0;
	if (incompatible & QCOW2_DIRTY)
		failed = qcow2_rebuild(q);
	qcow2_store(header + Q_INCOMPATIBLE, incompatible & ~(uint64_t)QCOW2_DIRTY);
	qcow2_store(header + Q_AUTOCLEAR, 0);
	if (!failed)
		failed = file_write(q->image.fd, header + Q_INCOMPATIBLE, Q_REFCOUNT_ORDER - Q_INCOMPATIBLE, Q_INCOMPATIBLE);
	return failed ? error_set(error, failed, "%s: its reference counts are out of date and could not be made anew: %s",
				  q->image.path, strerror(failed))
		      : 0;
}

int
qcow2_read_header(struct qcow2 *q, struct error *error)
{
	uint8_t header[Q_HEADER_MAX];
	int failed = file_read(q->image.fd, header, sizeof header, 0);

	if (failed)
		return error_set(error, failed, "%s: %s", q->image.path, strerror(failed));
	if (check_header(q, header, error) || load_l1(q, header, error) || load_reftable(q, header, error))
		return -1;
	q->scratch = malloc(2 * q->cluster);
	if (!q->scratch)
		return refuse(q, error, "no memory");
	if (open_backing(q, header, error))
		return -1;
	return q->image.read_only ? 0 : claim(q, header, error);
}

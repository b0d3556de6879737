/* qcow2: making an empty image. Clusters of 64 KiB: the header, the refcount
 * table, one refcount block, the L1 table. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "backend/disk/qcow2.h"
#include "backend/disk/qcow2_impl.h"

#define BITS 16u
#define CLUSTER (UINT64_C(1) << BITS)
#define L1_CLUSTER 3u
#define L1_MAX (32u << 20)
#define BACKING_NAME_MAX 1023u

static void
fill_header(uint8_t *header, uint64_t size, uint64_t l1_entries, const char *backing, const char *format)
{
	uint32_t at = Q_HEADER_MAX;

	qcow2_store32(header + Q_MAGIC, QCOW2_MAGIC);
	qcow2_store32(header + Q_VERSION, 3);
	qcow2_store32(header + Q_CLUSTER_BITS, BITS);
	qcow2_store(header + Q_SIZE, size);
	qcow2_store32(header + Q_L1_SIZE, (uint32_t)l1_entries);
	qcow2_store(header + Q_L1_OFFSET, L1_CLUSTER * CLUSTER);
	qcow2_store(header + Q_REFTABLE_OFFSET, CLUSTER);
	qcow2_store32(header + Q_REFTABLE_CLUSTERS, 1);
	qcow2_store32(header + Q_REFCOUNT_ORDER, 4);
	qcow2_store32(header + Q_HEADER_LENGTH, Q_HEADER_MAX);
	if (backing) {
		qcow2_store32(header + at, QCOW2_EXTENSION_BACKING_FORMAT);
		qcow2_store32(header + at + 4, (uint32_t)strlen(format));
		memcpy(header + at + 8, format, strlen(format));
		at += 8 + (uint32_t)align_up(strlen(format), 8);
	}
	at += 8; /* the extension that ends them is zeros */
	if (backing) {
		qcow2_store(header + Q_BACKING_OFFSET, at);
		qcow2_store32(header + Q_BACKING_SIZE, (uint32_t)strlen(backing));
		memcpy(header + at, backing, strlen(backing));
	}
}

int
qcow2_create(const char *path, uint64_t size, const char *backing, const char *backing_format, struct error *error)
{
	uint8_t block[2 * (L1_CLUSTER + L1_MAX / CLUSTER)] = { 0 };
	uint8_t header[4096] = { 0 }, entry[8];
	uint64_t per_table = CLUSTER * (CLUSTER / 8), l1_entries, clusters;
	int fd, failed;

	size = align_up(size, IMAGE_SECTOR);
	l1_entries = (size + per_table - 1) / per_table;
	if (l1_entries > L1_MAX / 8)
		return error_set(error, EFBIG, "%s: a disk of %llu bytes is too large", path, (unsigned long long)size);
	if (backing && (strlen(backing) > BACKING_NAME_MAX || !*backing))
		return error_set(error, EINVAL, "%s: the path of the backing file has more than %u bytes, or none", path,
				 BACKING_NAME_MAX);
	if (backing && (!backing_format || (strcmp(backing_format, "raw") && strcmp(backing_format, "qcow2"))))
		return error_set(error, EINVAL, "%s: its backing file must be of format raw or qcow2", path);
	if (!l1_entries)
		l1_entries = 1;
	clusters = L1_CLUSTER + align_up(l1_entries * 8, CLUSTER) / CLUSTER;
	fill_header(header, size, l1_entries, backing, backing_format);
	for (uint64_t i = 0; i < clusters; i++)
		block[2 * i + 1] = 1;
	qcow2_store(entry, 2 * CLUSTER);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	failed = ftruncate(fd, (off_t)(clusters * CLUSTER)) ? errno : file_write(fd, entry, sizeof entry, CLUSTER);
	if (!failed)
		failed = file_write(fd, block, 2 * clusters, 2 * CLUSTER);
	if (!failed)
		failed = file_write(fd, header, sizeof header, 0);
	if (close(fd) && !failed)
		failed = errno;
	if (failed) {
		unlink(path);
		return error_set(error, failed, "%s: %s", path, strerror(failed));
	}
	return 0;
}

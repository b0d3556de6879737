/* Fuzz target: a small sound qcow2 image with some of its bytes changed, opened, read
 * and written. Whatever it says, requests end, with or without failure, and touch
 * nothing but the image. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/disk/qcow2_impl.h"
#include "fuzz/fuzz.h"

#define CLUSTER 512u
#define CLUSTERS 16u
#define DISK (64u * CLUSTER) /* bytes: one L2 table */

static uint8_t sound[CLUSTERS * CLUSTER];
static char path[64];
static int fd;

/* Cluster 0 header, 1 refcount table, 2 refcount block, 3 L1, 4 L2, from 5 on data. */
static void
make_sound(void)
{
	qcow2_store32(sound + Q_MAGIC, QCOW2_MAGIC);
	qcow2_store32(sound + Q_VERSION, 3);
	qcow2_store32(sound + Q_CLUSTER_BITS, 9);
	qcow2_store(sound + Q_SIZE, DISK);
	qcow2_store32(sound + Q_L1_SIZE, 1);
	qcow2_store(sound + Q_L1_OFFSET, 3 * CLUSTER);
	qcow2_store(sound + Q_REFTABLE_OFFSET, 1 * CLUSTER);
	qcow2_store32(sound + Q_REFTABLE_CLUSTERS, 1);
	qcow2_store32(sound + Q_REFCOUNT_ORDER, 4);
	qcow2_store32(sound + Q_HEADER_LENGTH, 104);
	qcow2_store(sound + CLUSTER, 2 * CLUSTER);
	for (unsigned i = 0; i < 12; i++)
		sound[2 * CLUSTER + 2 * i + 1] = 1;
	qcow2_store(sound + 3 * CLUSTER, QCOW2_COPIED | 4 * CLUSTER);
	for (unsigned i = 0; i < 5; i++)
		qcow2_store(sound + 4 * CLUSTER + 16 * i, QCOW2_COPIED | (5 + i) * CLUSTER);
	qcow2_store(sound + 4 * CLUSTER + 8, QCOW2_ZERO);
	/* A compressed cluster, in sector 10 of the file. */
	qcow2_store(sound + 4 * CLUSTER + 24, QCOW2_COMPRESSED | 10 * CLUSTER);
	memcpy(sound + 10 * CLUSTER, "\x4b\x4c\x1c\x05\x23\x19\x00\x00", 8); /* 512 times "a" */
}

/* Where it hurts more often than elsewhere: header and tables. */
static void
change(uint8_t *image, struct input *in)
{
	unsigned place = (unsigned)take(in, 1), at = (unsigned)take(in, 2), size = 1u << place % 4;

	switch (place >> 2 & 3) {
	case 0: at %= 112; break;
	case 1: at = (1 + at % 4) * CLUSTER + (at >> 2) % CLUSTER; break;
	case 2: at = 4 * CLUSTER + at % 80; break;
	default: at %= CLUSTERS * CLUSTER - 8; break;
	}
	for (unsigned i = 0; i < size && at < CLUSTERS * CLUSTER; i++)
		image[at++] = (uint8_t)take(in, 1);
}

static void
use(struct image *image, struct input *in)
{
	static uint8_t buffer[DISK];
	uint64_t sectors = image->size / IMAGE_SECTOR;

	for (unsigned i = 0; i < 12 && in->at < in->end && sectors; i++) {
		uint64_t offset = (take(in, 1) % 8 ? take(in, 1) : take(in, 8)) % sectors * IMAGE_SECTOR;
		uint64_t size = (1 + take(in, 1) % 8) * IMAGE_SECTOR;

		if (size > image->size - offset)
			size = image->size - offset;
		switch (take(in, 1) % 8) {
		case 0: case 1: image_read(image, buffer, offset, size); break;
		case 2: case 3: case 4: image_write(image, buffer, offset, size); break;
		case 5: image->format->zero(image, offset, size, size & 512); break;
		case 6: image->format->discard(image, offset, size); break;
		case 7: image->format->flush(image); break;
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	uint8_t copy[sizeof sound];
	struct image *image;
	bool read_only = take(&in, 1) % 8 == 0;
	size_t length = take(&in, 1) % 16 ? sizeof copy : take(&in, 2) % sizeof copy;

	memcpy(copy, sound, sizeof copy);
	if (take(&in, 1) % 8 == 7) /* counts are late: they are made anew */
		copy[Q_INCOMPATIBLE + 7] = QCOW2_DIRTY;
	for (unsigned changes = (unsigned)take(&in, 1) % 8; changes; changes--)
		change(copy, &in);
	if (ftruncate(fd, 0) || pwrite(fd, copy, length, 0) != (ssize_t)length)
		abort();
	image = image_open(path, "qcow2", read_only, NULL, NULL);
	if (image && image->size <= UINT64_C(1) << 40)
		use(image, &in);
	image_close(image);
	return 0;
}

void
fuzz_start(void)
{
	log_open(-1, LOG_ERROR);
	make_sound();
	fd = memfd_create("image", MFD_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
}

void
fuzz_stop(void)
{
	close(fd);
}

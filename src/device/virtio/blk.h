/* virtio block device (virtio 5.2) in front of a disk. */
#ifndef DEVICE_VIRTIO_BLK_H
#define DEVICE_VIRTIO_BLK_H

#include "backend/disk/disk.h"
#include "device/virtio/virtio.h"

struct virtio_blk_options {
	struct disk *disk;   /* becomes the device's, also on failure */
	const char *serial;  /* up to 20 bytes; NULL: the device's name */
	unsigned queues;     /* 0: 1; at most 8 */
};

/* NULL: no memory. */
struct virtio_device *virtio_blk_new(const struct virtio_host *host, const char *name,
				     const struct virtio_blk_options *options);
/* The disk behind it, borrowed: for snapshots. */
struct disk *virtio_blk_disk(struct virtio_device *device);

#endif

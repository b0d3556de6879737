/* virtio SCSI host (virtio 5.6): one unit (number 0) a target. */
#ifndef DEVICE_VIRTIO_SCSI_H
#define DEVICE_VIRTIO_SCSI_H

#include "device/scsi/scsi.h"
#include "device/virtio/virtio.h"

#define VIRTIO_SCSI_TARGETS 16u

/* NULL: no memory. */
struct virtio_device *virtio_scsi_new(const struct virtio_host *host, const char *name);
/* Puts a unit, which becomes the host's, to the next target; before the machine
 * runs. -1 when all are taken (the unit is freed). */
int virtio_scsi_add(struct virtio_device *device, struct scsi_unit *unit);
/* The disk of a target, borrowed; NULL: none. */
struct disk *virtio_scsi_disk(struct virtio_device *device, unsigned target);

#endif

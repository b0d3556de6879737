/* virtio balloon (virtio 5.5): takes memory from the guest for the host, and gives
 * back to the host what the guest reports as free. */
#ifndef DEVICE_VIRTIO_BALLOON_H
#define DEVICE_VIRTIO_BALLOON_H

#include "device/virtio/virtio.h"

/* NULL: no memory. */
struct virtio_device *virtio_balloon_new(const struct virtio_host *host, const char *name);
/* Asks the guest to do without so many bytes, in pages of 4096. Under the lock, as
 * the next. */
void virtio_balloon_set(struct virtio_device *device, uint64_t bytes);
/* Bytes that it does without now. */
uint64_t virtio_balloon_size(const struct virtio_device *device);

#endif

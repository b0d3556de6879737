/* virtio 9P transport: a folder of the host for the guest to mount
 * (mount -t 9p -o trans=virtio,version=9p2000.L TAG DIR). */
#ifndef DEVICE_VIRTIO_P9_H
#define DEVICE_VIRTIO_P9_H

#include "backend/share/p9.h"
#include "device/virtio/virtio.h"

#define VIRTIO_P9_TAG 64u /* bytes of a tag, at most */

/* The share becomes the device's, also on failure. */
struct virtio_device *virtio_p9_new(const struct virtio_host *host, const char *name, struct p9 *share,
				    const char *tag, struct error *error);

#endif

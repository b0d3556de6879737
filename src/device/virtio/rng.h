/* virtio entropy device (virtio 5.4): the host kernel's random bytes. */
#ifndef DEVICE_VIRTIO_RNG_H
#define DEVICE_VIRTIO_RNG_H

#include "device/virtio/virtio.h"

/* NULL: no memory. */
struct virtio_device *virtio_rng_new(const struct virtio_host *host, const char *name);

#endif

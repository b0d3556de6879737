/* virtio console (virtio 5.3): one port, a stream of bytes both ways. */
#ifndef DEVICE_VIRTIO_CONSOLE_H
#define DEVICE_VIRTIO_CONSOLE_H

#include "device/virtio/virtio.h"

/* in, out: host descriptors, borrowed (backend/console/stream.h). */
struct virtio_device *virtio_console_new(const struct virtio_host *host, const char *name, int in, int out,
					 struct error *error);
/* The terminal's size, in characters; under the device lock. */
void virtio_console_resize(struct virtio_device *device, uint16_t columns, uint16_t rows);

#endif

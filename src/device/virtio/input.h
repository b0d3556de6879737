/* virtio input device (virtio 5.8): here a machine's power button, as a keyboard that
 * has this one key. */
#ifndef DEVICE_VIRTIO_INPUT_H
#define DEVICE_VIRTIO_INPUT_H

#include "device/virtio/virtio.h"

/* NULL: no memory. */
struct virtio_device *virtio_button_new(const struct virtio_host *host, const char *name);
/* Presses and lets go; false: no driver is there to see it. Under the lock. */
bool virtio_button_press(struct virtio_device *device);

#endif

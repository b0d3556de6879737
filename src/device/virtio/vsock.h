/* virtio socket (virtio 5.10): streams between programs of the guest and of the
 * host. On the host's side they are Unix sockets:
 *
 *     PATH        a host program connects, writes "CONNECT PORT\n", reads
 *                 "OK NUMBER\n", and is then connected to that port of the guest
 *     PATH_PORT   where a guest's connection to PORT of the host (address 2) goes
 *
 * Connections do not outlive a restore: the guest is told that all are gone.
 */
#ifndef DEVICE_VIRTIO_VSOCK_H
#define DEVICE_VIRTIO_VSOCK_H

#include "device/virtio/virtio.h"

/* cid: the guest's address, 3 or more. path is copied; a socket is made there,
 * replacing one that nobody listens at. */
struct virtio_device *virtio_vsock_new(const struct virtio_host *host, const char *name, uint32_t cid,
				       const char *path, struct error *error);

#endif

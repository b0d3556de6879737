/* virtio network card (virtio 5.1) on a backend of backend/net. */
#ifndef DEVICE_VIRTIO_NET_H
#define DEVICE_VIRTIO_NET_H

#include "backend/net/net.h"
#include "device/virtio/virtio.h"

/* The backend becomes the device's, also on failure; not started yet. */
struct virtio_device *virtio_net_new(const struct virtio_host *host, const char *name, struct net *net,
				     const uint8_t mac[6], struct error *error);
/* The cable. Under the device lock, as below. */
void virtio_net_set_link(struct virtio_device *device, bool up);
/* The guest is asked to tell its neighbours where it is, after it has moved. */
void virtio_net_announce(struct virtio_device *device);
/* An address that is made from the machine's name and the card's number: the same
 * every time, locally administered. */
void virtio_net_make_mac(const char *machine, unsigned number, uint8_t mac[6]);

#endif

/* virtio entropy device (virtio 5.4): one queue of buffers to be filled. */
#include "device/virtio/rng.h"

#include <sys/random.h>

/* Of one buffer: the driver asks again for more. getrandom never blocks long for
 * so little. */
#define MOST 4096u

static void
rng_notify(struct virtio_device *device, struct virtqueue *queue)
{
	struct virtio_chain chain;

	(void)device;
	while (virtqueue_pop(queue, &chain)) {
		uint8_t bytes[MOST];
		size_t want = chain.in_size < MOST ? chain.in_size : MOST;
		ssize_t got = getrandom(bytes, want, 0);

		virtqueue_push(queue, &chain,
			       got > 0 ? (uint32_t)virtio_chain_write(&chain, 0, bytes, (size_t)got) : 0);
	}
	virtqueue_signal(queue);
}

static const struct virtio_class rng_class = {
	.type = VIRTIO_TYPE("virtio-rng", 1),
	.id = 4,
	.notify = rng_notify,
};

struct virtio_device *
virtio_rng_new(const struct virtio_host *host, const char *name)
{
	return virtio_new(&rng_class, sizeof(struct virtio_device), host, name, 0, 1, 64);
}

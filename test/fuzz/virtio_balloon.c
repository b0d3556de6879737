/* Fuzz target: the balloon. */
#include "device/virtio/balloon.h"
#include "fuzz/virtio.h"

static struct virtio_device *
fuzz_device(struct driver *d)
{
	return virtio_balloon_new(&d->host, "balloon0");
}

static void
fuzz_outside(struct driver *d, struct input *in)
{
	pthread_mutex_lock(&d->lock);
	virtio_balloon_set(d->device, take(in, 8));
	pthread_mutex_unlock(&d->lock);
}

void
fuzz_stop(void)
{
	driver_fini(&fuzzed);
}

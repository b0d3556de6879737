/* Fuzz target: registers, both rings and indirect tables, with the entropy device. */
#include "device/virtio/rng.h"
#include "fuzz/virtio.h"

static struct virtio_device *
fuzz_device(struct driver *d)
{
	return virtio_rng_new(&d->host, "rng0");
}

static void
fuzz_outside(struct driver *d, struct input *in)
{
	(void)d, (void)in;
}

void
fuzz_stop(void)
{
	driver_fini(&fuzzed);
}

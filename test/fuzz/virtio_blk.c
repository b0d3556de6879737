/* Fuzz target: the block device, in front of a small raw disk. */
#include <fcntl.h>
#include <sys/mman.h>

#include "device/virtio/blk.h"
#include "fuzz/virtio.h"

static struct virtio_device *
fuzz_device(struct driver *d)
{
	char path[64];
	int fd = memfd_create("disk", MFD_CLOEXEC);
	struct disk_options options = { path, "raw", false, false, &d->lock };
	struct virtio_blk_options blk = { .queues = 2 };

	if (fd < 0 || ftruncate(fd, 1 << 16))
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	blk.disk = disk_open(&options, NULL);
	return virtio_blk_new(&d->host, "disk0", &blk);
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

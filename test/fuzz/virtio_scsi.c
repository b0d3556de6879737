/* Fuzz target: the SCSI host, with a disk and a CD-ROM drive. */
#include <sys/mman.h>

#include "device/virtio/scsi.h"
#include "fuzz/virtio.h"

static struct disk *
small_disk(struct driver *d)
{
	char path[64];
	int fd = memfd_create("disk", MFD_CLOEXEC);
	struct disk_options options = { path, "raw", false, false, &d->lock };

	if (fd < 0 || ftruncate(fd, 1 << 16))
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return disk_open(&options, NULL);
}

static struct virtio_device *
fuzz_device(struct driver *d)
{
	struct virtio_device *host = virtio_scsi_new(&d->host, "scsi0");

	virtio_scsi_add(host, scsi_unit_new(SCSI_CDROM, small_disk(d), "cd"));
	virtio_scsi_add(host, scsi_unit_new(SCSI_DISK, small_disk(d), "sd"));
	return host;
}

/* A command for one of the two: any block, room for its sense. */
static void
fuzz_outside(struct driver *d, struct input *in)
{
	static const uint8_t opcodes[] = { 0x00, 0x03, 0x08, 0x0a, 0x12, 0x1a, 0x1b, 0x1e, 0x25, 0x28, 0x2a, 0x35, 0x42,
					   0x43, 0x46, 0x4a, 0x51, 0x5a, 0x88, 0x8a, 0x9e, 0xa0, 0xa8, 0xaa };
	uint8_t head[51] = { 1, 0, 0x40 };
	struct driver_buffer b[4];
	unsigned count = 1, opcode = (unsigned)take(in, 1);

	head[1] = (uint8_t)take(in, 1) % 3;
	head[19] = opcode < 200 ? opcodes[opcode % sizeof opcodes] : (uint8_t)opcode;
	for (unsigned i = 20; i < 36; i++)
		head[i] = (uint8_t)take(in, 1);
	memory_write(&d->memory, FUZZ_BUFFERS, head, sizeof head);
	b[0] = (struct driver_buffer){ FUZZ_BUFFERS, sizeof head, false };
	if (take(in, 1) % 2)
		b[count++] = (struct driver_buffer){ FUZZ_BUFFERS + 512, 1 + (uint32_t)take(in, 2) % 4096, false };
	b[count++] = (struct driver_buffer){ FUZZ_BUFFERS + 1024, 108, true };
	if (take(in, 1) % 2)
		b[count++] = (struct driver_buffer){ FUZZ_BUFFERS + 2048, 1 + (uint32_t)take(in, 2) % 4096, true };
	driver_add(d, 2, b, count);
	driver_kick(d, 2);
}

void
fuzz_stop(void)
{
	driver_fini(&fuzzed);
}

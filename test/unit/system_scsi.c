/* The SCSI host with a CD-ROM drive and a disk: what they say of themselves,
 * transfers, tray, units and targets that are not there, commands that lie about
 * their room, task management, state. */
#include "device/virtio/scsi.h"

#include <fcntl.h>

#include "unit/virtio_driver.h"

#define ISO_SIZE (300u * 2048)
#define DISK_SIZE (1u << 20)
enum { CDROM, DISK };

static char iso[64], disk[64];

static void
make_files(void)
{
	uint8_t block[2048];
	int fd;

	snprintf(iso, sizeof iso, "/tmp/isomorph-iso-XXXXXX");
	snprintf(disk, sizeof disk, "/tmp/isomorph-sd-XXXXXX");
	fd = mkstemp(iso);
	for (unsigned i = 0; i < ISO_SIZE / 2048; i++) {
		memset(block, (int)i, sizeof block);
		CHECK_INT(write(fd, block, sizeof block), sizeof block);
	}
	close(fd);
	fd = mkstemp(disk);
	CHECK_INT(ftruncate(fd, DISK_SIZE), 0);
	close(fd);
}

static void
with_host(struct driver *d)
{
	struct error error = { 0 };
	struct disk_options a = { iso, "raw", true, false, &d->lock }, b = { disk, "raw", false, false, &d->lock };
	struct virtio_device *host;

	driver_init(d, false);
	host = virtio_scsi_new(&d->host, "scsi0");
	CHECK_INT(virtio_scsi_add(host, scsi_unit_new(SCSI_CDROM, disk_open(&a, &error), "cd-1")), 0);
	CHECK_INT(virtio_scsi_add(host, scsi_unit_new(SCSI_DISK, disk_open(&b, &error), "sd-1")), 0);
	CHECK(!error.set);
	driver_attach(d, host);
	driver_start(d, VIRTIO_F(VIRTIO_F_EVENT_IDX));
}

struct answer {
	unsigned status, response, key, code;
	uint32_t residual;
	uint8_t *data; /* in guest RAM */
};

/* A command of `length` bytes; size bytes in, or (out != NULL) out. */
static struct answer
ask(struct driver *d, uint8_t target, uint8_t lun, const void *cdb, unsigned length, const void *out, uint32_t size)
{
	uint8_t head[51] = { 1, target, 0x40, lun };
	struct driver_buffer b[4];
	struct answer answer;
	uint64_t data, response;
	const uint8_t *p;
	unsigned count = 0;

	d->top = DRIVER_RAM + 0x10000;
	memcpy(head + 19, cdb, length);
	data = driver_alloc(d, size + 1);
	response = driver_alloc(d, 108);
	if (out)
		memcpy(driver_host(d, data), out, size);
	b[count++] = (struct driver_buffer){ driver_copy(d, head, 51), 51, false };
	if (out)
		b[count++] = (struct driver_buffer){ data, size, false };
	b[count++] = (struct driver_buffer){ response, 108, true };
	if (!out && size)
		b[count++] = (struct driver_buffer){ data, size, true };
	CHECK(driver_do(d, 2, b, count) != UINT32_MAX);
	p = driver_host(d, response);
	answer = (struct answer){ p[10], p[11], p[12 + 2] & 15, (unsigned)(p[12 + 12] << 8 | p[12 + 13]), 0,
				  driver_host(d, data) };
	memcpy(&answer.residual, p + 4, 4);
	return answer;
}

#define ASK(target, size, ...) \
	ask(&d, target, 0, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), NULL, size)
#define SEND(target, data, size, ...) \
	ask(&d, target, 0, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), data, size)

static void
test_cdrom(void)
{
	struct driver d;
	struct answer a;

	with_host(&d);
	CHECK_INT(ASK(CDROM, 0, 0).status, 0);
	a = ASK(CDROM, 96, 0x12, 0, 0, 0, 96);
	CHECK_INT(a.status, 0);
	CHECK_INT(a.data[0], 5);
	CHECK_INT(a.data[1], 0x80);
	CHECK_INT(a.residual, 96 - 36);
	CHECK(!memcmp(a.data + 8, "ISOMORPHCD-ROM", 14));
	a = ASK(CDROM, 64, 0x12, 1, 0x80, 0, 64);
	CHECK(!memcmp(a.data + 4, "cd-1", 4));
	CHECK_INT(ASK(CDROM, 64, 0x12, 1, 0xb0, 0, 64).key, 5);
	a = ASK(CDROM, 8, 0x25);
	CHECK(!memcmp(a.data, "\0\0\1\x2b\0\0\x08\0", 8));
	a = ASK(CDROM, 4096, 0x28, 0, 0, 0, 1, 0x29, 0, 0, 2);
	CHECK_INT(a.status | a.residual, 0);
	CHECK_INT(a.data[0], 297 & 255);
	CHECK_INT(a.data[2048], 298 & 255);
	a = ASK(CDROM, 4096, 0x28, 0, 0, 0, 1, 0x2b, 0, 0, 2);
	CHECK_INT(a.status, 2);
	CHECK_INT(a.key << 16 | a.code, 0x52100);
	CHECK_INT(a.residual, 4096);
	/* Less room than the command asks for. */
	CHECK_INT(ASK(CDROM, 2048, 0x28, 0, 0, 0, 0, 1, 0, 0, 2).key, 5);
	/* It does not write. */
	CHECK_INT(SEND(CDROM, "x", 1, 0x2a, 0, 0, 0, 0, 1, 0, 0, 1).code, 0x2000);
	a = ASK(CDROM, 64, 0x43, 0, 0, 0, 0, 0, 0, 0, 64);
	CHECK(!memcmp(a.data, "\0\x12\1\1\0\x14\1\0\0\0\0\0\0\x14\xaa\0\0\0\1\x2c", 20));
	a = ASK(CDROM, 64, 0x43, 2, 0, 0, 0, 0, 0xaa, 0, 64);
	CHECK(!memcmp(a.data, "\0\x0a\1\1\0\x14\xaa\0\0\0\6\0", 12)); /* 300 + 150 blocks: 6 seconds */
	a = ASK(CDROM, 64, 0x46, 0, 0, 0, 0, 0, 0, 0, 64);
	CHECK_INT(a.data[7], 8);
	a = ASK(CDROM, 64, 0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 64);
	CHECK_INT(a.status, 0);
	CHECK_INT(a.data[8], 0x2a);
	a = ASK(CDROM, 64, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 64);
	CHECK_INT(a.data[5], 2);
	/* Locked, it does not open; unlocked it does, and has no medium then. */
	ASK(CDROM, 0, 0x1e, 0, 0, 0, 1);
	CHECK_INT(ASK(CDROM, 0, 0x1b, 0, 0, 0, 2).code, 0x5302);
	ASK(CDROM, 0, 0x1e, 0, 0, 0, 0);
	CHECK_INT(ASK(CDROM, 0, 0x1b, 0, 0, 0, 2).status, 0);
	driver_check_state(&d);
	a = ASK(CDROM, 0, 0);
	CHECK_INT(a.key << 16 | a.code, 0x23a00);
	CHECK_INT(ASK(CDROM, 2048, 0x28, 0, 0, 0, 0, 1, 0, 0, 1).key, 2);
	CHECK_INT(ASK(CDROM, 0, 0x1b, 0, 0, 0, 3).status, 0);
	CHECK_INT(ASK(CDROM, 0, 0).status, 0);
	driver_fini(&d);
}

static void
test_disk(void)
{
	static uint8_t data[8192];
	struct driver d;
	struct answer a;

	with_host(&d);
	a = ASK(DISK, 32, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32);
	CHECK(!memcmp(a.data, "\0\0\0\0\0\0\x07\xff\0\0\x02\0\0\3\x80", 15));
	for (unsigned i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 3 + i / 256);
	CHECK_INT(SEND(DISK, data, 8192, 0x2a, 0, 0, 0, 0, 100, 0, 0, 16).status, 0);
	a = ASK(DISK, 8192, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 100, 0, 0, 0, 16);
	CHECK(!memcmp(a.data, data, 8192));
	CHECK_INT(SEND(DISK, data, 512, 0x2a, 0, 0, 0, 0x07, 0xff, 0, 0, 1).status, 0);
	CHECK_INT(SEND(DISK, data, 1024, 0x2a, 0, 0, 0, 0x07, 0xff, 0, 0, 2).code, 0x2100);
	CHECK_INT(ASK(DISK, 512, 0x88, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 1).code, 0x2100);
	CHECK_INT(ASK(DISK, 512, 0xa8, 0, 0, 0, 0, 0, 255, 255, 255, 255).key, 5);
	CHECK_INT(ASK(DISK, 0, 0x35).status, 0);
	a = SEND(DISK, "\0\x16\0\x10\0\0\0\0\0\0\0\0\0\0\0\x64\0\0\0\x10\0\0\0\0", 24, 0x42, 0, 0, 0, 0, 0, 0, 0, 24);
	CHECK_INT(a.status, 0);
	a = ASK(DISK, 8192, 0x28, 0, 0, 0, 0, 100, 0, 0, 16);
	CHECK_INT(a.data[0] | a.data[8191], 0);
	CHECK_INT(SEND(DISK, "\0\x16\0\x20\0\0\0\0", 8, 0x42, 0, 0, 0, 0, 0, 0, 0, 8).code, 0x2600);
	a = ASK(DISK, 64, 0x12, 1, 0xb2, 0, 64);
	CHECK_INT(a.data[5], 0x80);
	CHECK_INT(ASK(DISK, 0, 0xff).code, 0x2000);
	driver_fini(&d);
}

static void
test_addresses(void)
{
	struct driver d;
	struct answer a;
	uint64_t answer;
	struct driver_buffer b[2];

	with_host(&d);
	CHECK_INT(ASK(2, 0, 0).response, 3);
	CHECK_INT(ASK(255, 0, 0).response, 3);
	a = ask(&d, DISK, 1, "\0\0\0\0\0\0", 6, NULL, 0);
	CHECK_INT(a.code, 0x2500);
	a = ask(&d, DISK, 1, "\x12\0\0\0\x24\0", 6, NULL, 36);
	CHECK_INT(a.data[0], 0x7f);
	a = ASK(DISK, 16, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16);
	CHECK_INT(a.data[3], 8);
	/* Abort something: it is gone. */
	answer = driver_copy(&d, "\xee", 1);
	b[0] = (struct driver_buffer){ driver_copy(&d, "\0\0\0\0\0\0\0\0\1\1\x40\0\0\0\0\0\0\0\0\0\0\0\0", 24), 24, false };
	b[1] = (struct driver_buffer){ answer, 1, true };
	CHECK_INT(driver_do(&d, 0, b, 2), 1);
	CHECK_INT(*(uint8_t *)driver_host(&d, answer), 0);
	/* No room for the response. */
	driver_add(&d, 2, b, 2);
	driver_kick(&d, 2);
	CHECK(driver_get(&d, 0x70) & 64);
	driver_fini(&d);
}

int
main(void)
{
	log_open(-1, LOG_ERROR);
	make_files();
	test_cdrom();
	test_disk();
	test_addresses();
	unlink(iso);
	unlink(disk);
	return check_done();
}

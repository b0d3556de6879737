/* The block device in front of raw and qcow2 disks: requests of all kinds, many
 * at once, sizes and places that are wrong, caches, read-only, scratch overlays,
 * layers, reset with requests under way, state. */
#include "device/virtio/blk.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "backend/disk/qcow2.h"
#include "unit/virtio_driver.h"

#define SIZE (1u << 20)
#define EVENTS VIRTIO_F(VIRTIO_F_EVENT_IDX)
#define ALL (UINT64_MAX & ~VIRTIO_F(VIRTIO_F_RING_PACKED))

enum { IN = 0, OUT = 1, FLUSH = 4, ID = 8, DISCARD = 11, ZEROES = 13 };
enum { OK, IOERR, UNSUPP };

static char path[64], overlay[80];

static void
make_file(const char *format)
{
	unlink(path);
	if (!strcmp(format, "qcow2")) {
		CHECK_INT(qcow2_create(path, SIZE, NULL, NULL, NULL), 0);
	} else {
		int fd = open(path, O_CREAT | O_RDWR, 0600);

		CHECK_INT(ftruncate(fd, SIZE), 0);
		close(fd);
	}
}

static void
with_disk(struct driver *d, const char *format, bool read_only, bool snapshot, bool packed)
{
	struct error error = { 0 };
	struct disk_options options = { path, format, read_only, snapshot, &d->lock };
	struct virtio_blk_options blk = { NULL, "serial-7", 2 };

	driver_init(d, packed);
	blk.disk = disk_open(&options, &error);
	if (!CHECK(blk.disk))
		fprintf(stderr, "%s\n", error.text);
	driver_attach(d, virtio_blk_new(&d->host, "disk0", &blk));
}

/* One request on queue n; data in (or from) RAM at address. Returns its status. */
static unsigned
ask_on(struct driver *d, unsigned n, uint32_t type, uint64_t sector, uint64_t address, uint32_t size)
{
	uint8_t head[16] = { (uint8_t)type };
	uint64_t header, status, top = d->top;
	bool in = type == IN || type == ID;
	struct driver_buffer b[4];
	unsigned count = 0;

	memcpy(head + 8, &sector, 8);
	header = driver_copy(d, head, 16);
	status = driver_copy(d, "\xee", 1);
	b[count++] = (struct driver_buffer){ header, 16, false };
	/* The data in two buffers, to have segments. */
	if (size > 512) {
		b[count++] = (struct driver_buffer){ address, 512, in };
		b[count++] = (struct driver_buffer){ address + 512, size - 512, in };
	} else if (size) {
		b[count++] = (struct driver_buffer){ address, size, in };
	}
	b[count++] = (struct driver_buffer){ status, 1, true };
	CHECK_INT(driver_do(d, n, b, count), 1 + (in ? size : 0));
	d->top = top;
	return *(uint8_t *)driver_host(d, status);
}

static unsigned
ask(struct driver *d, uint32_t type, uint64_t sector, uint64_t address, uint32_t size)
{
	return ask_on(d, 0, type, sector, address, size);
}

static unsigned
ask_range(struct driver *d, uint32_t type, uint64_t sector, uint32_t sectors, uint32_t flags)
{
	struct { uint64_t sector; uint32_t sectors, flags; } range = { sector, sectors, flags };

	return ask(d, type, 0, driver_copy(d, &range, sizeof range), sizeof range);
}

static void
test_requests(const char *format, uint64_t features)
{
	struct driver d;
	uint64_t a, b;
	uint8_t *p;

	make_file(format);
	with_disk(&d, format, false, false, true);
	driver_start(&d, features);
	CHECK_INT(driver_config(&d, 0, 8), SIZE / 512);
	CHECK_INT(driver_config(&d, 20, 4), 512);
	CHECK_INT(driver_config(&d, 34, 2), 2);
	a = driver_alloc(&d, 8192);
	b = driver_alloc(&d, 8192);
	p = driver_host(&d, a);
	for (unsigned i = 0; i < 8192; i++)
		p[i] = (uint8_t)(i * 7 + i / 256);
	CHECK_INT(ask(&d, OUT, 100, a, 8192), OK);
	CHECK_INT(ask_on(&d, 1, IN, 100, b, 8192), OK);
	CHECK(!memcmp(driver_host(&d, b), p, 8192));
	CHECK_INT(ask(&d, FLUSH, 0, 0, 0), OK);
	CHECK_INT(ask(&d, IN, 99, b, 1024), OK);
	CHECK(!memcmp((char *)driver_host(&d, b) + 512, p, 512));
	/* The edges. */
	CHECK_INT(ask(&d, OUT, SIZE / 512 - 1, a, 512), OK);
	CHECK_INT(ask(&d, OUT, SIZE / 512 - 1, a, 1024), IOERR);
	CHECK_INT(ask(&d, IN, SIZE / 512, b, 512), IOERR);
	CHECK_INT(ask(&d, IN, UINT64_MAX, b, 512), IOERR);
	CHECK_INT(ask(&d, IN, UINT64_MAX / 512, b, 1024), IOERR);
	CHECK_INT(ask(&d, IN, 0, b, 511), IOERR);
	CHECK_INT(ask(&d, 77, 0, b, 512), UNSUPP);
	CHECK_INT(ask(&d, ID, 0, b, 20), OK);
	CHECK_TEXT(driver_host(&d, b), "serial-7");
	/* Zeros and discards. */
	CHECK_INT(ask_range(&d, ZEROES, 101, 2, 0), OK);
	CHECK_INT(ask(&d, IN, 100, b, 2048), OK);
	memset(p + 512, 0, 1024);
	CHECK(!memcmp(driver_host(&d, b), p, 2048));
	CHECK_INT(ask_range(&d, ZEROES, 0, 2048, 1), OK);
	CHECK_INT(ask(&d, IN, 100, b, 512), OK);
	CHECK_INT(*(uint8_t *)driver_host(&d, b) | ((uint8_t *)driver_host(&d, b))[100], 0);
	CHECK_INT(ask_range(&d, DISCARD, 0, 2048, 0), OK);
	CHECK_INT(ask_range(&d, DISCARD, 0, 2049, 0), IOERR);
	CHECK_INT(ask_range(&d, DISCARD, 0, 8, 1), UNSUPP);
	CHECK_INT(ask_range(&d, ZEROES, 0, 8, 2), UNSUPP);
	driver_check_state(&d);
	CHECK_INT(ask(&d, OUT, 5, a, 512), OK);
	driver_fini(&d);
}

/* As many requests at once as fit, from both queues, over and over; the driver
 * takes them back in whatever order. */
static void
test_many(const char *format, bool packed)
{
	struct driver d;
	uint64_t header[2][4], data[2][4], status;

	make_file(format);
	with_disk(&d, format, false, false, packed);
	driver_start(&d, packed ? UINT64_MAX : ALL);
	status = driver_alloc(&d, 1);
	for (unsigned i = 0; i < 8; i++) {
		header[i % 2][i / 2] = driver_alloc(&d, 16);
		data[i % 2][i / 2] = driver_alloc(&d, 4096);
	}
	for (unsigned round = 0; round < 60; round++) {
		bool write = round % 2 == 0;

		for (unsigned i = 0; i < 8; i++) {
			unsigned n = i % 2, k = i / 2;
			uint64_t sector = ((round / 2 * 8 + i) * 8) % (SIZE / 512);
			struct driver_buffer b[3] = { { header[n][k], 16, false }, { data[n][k], 4096, !write },
						      { status, 1, true } };

			memory_write32(&d.memory, header[n][k], write ? OUT : IN);
			memory_write64(&d.memory, header[n][k] + 8, sector);
			memset(driver_host(&d, data[n][k]), write ? (int)(round + i) : 0xaa, 4096);
			driver_add(&d, n, b, 3);
			driver_kick(&d, n);
		}
		for (unsigned i = 0; i < 8; i++) {
			uint16_t id;
			uint32_t size;

			CHECK(driver_wait(&d, i % 2, &id, &size));
			CHECK_INT(size, write ? 1 : 4097);
		}
		for (unsigned i = 0; i < 8 && !write; i++) {
			const uint8_t *p = driver_host(&d, data[i % 2][i / 2]);

			CHECK_INT(p[0], (uint8_t)(round - 1 + i));
			CHECK_INT(p[4095], (uint8_t)(round - 1 + i));
		}
	}
	driver_fini(&d);
}

/* A driver that resets the device under way gets nothing of before. */
static void
test_reset_under_way(void)
{
	struct driver d;

	make_file("raw");
	with_disk(&d, "raw", false, false, false);
	for (unsigned round = 0; round < 50; round++) {
		uint64_t header, data;
		struct driver_buffer b[3];

		d.top = DRIVER_RAM;
		driver_start(&d, ALL);
		header = driver_alloc(&d, 16);
		data = driver_alloc(&d, 65536);
		b[0] = (struct driver_buffer){ header, 16, false };
		b[1] = (struct driver_buffer){ data, 65536, true };
		b[2] = (struct driver_buffer){ header, 1, true };
		driver_add(&d, 0, b, 3);
		driver_kick(&d, 0);
		driver_set(&d, 0x70, 0);
		/* Now the memory is the driver's again. */
		memset(driver_host(&d, DRIVER_RAM), 0x55, 0x20000);
		usleep(200);
		CHECK_INT(*(uint8_t *)driver_host(&d, data), 0x55);
		CHECK_INT(*(uint8_t *)driver_host(&d, d.queue[0].used + 2), 0x55);
	}
	driver_fini(&d);
}

static void
test_broken_requests(void)
{
	struct driver d;
	struct driver_buffer b;
	uint64_t data;

	make_file("raw");
	with_disk(&d, "raw", false, false, false);
	for (unsigned crime = 0; crime < 3; crime++) {
		driver_start(&d, ALL);
		data = driver_alloc(&d, 64);
		b = (struct driver_buffer){ data, crime == 0 ? 16 : 8, crime == 1 };
		driver_add(&d, 0, &b, 1);
		driver_kick(&d, 0);
		CHECK(driver_get(&d, 0x70) & 64);
	}
	driver_fini(&d);
}

static void
test_read_only_and_scratch(void)
{
	struct driver d;
	uint64_t a;
	struct stat st;

	make_file("raw");
	with_disk(&d, "raw", true, false, false);
	driver_start(&d, ALL);
	CHECK(d.features >> 5 & 1);
	a = driver_alloc(&d, 512);
	CHECK_INT(ask(&d, OUT, 0, a, 512), IOERR);
	CHECK_INT(ask(&d, IN, 0, a, 512), OK);
	CHECK_INT(ask(&d, FLUSH, 0, 0, 0), OK);
	driver_fini(&d);
	/* Writes go where nobody sees them. */
	with_disk(&d, NULL, false, true, false);
	driver_start(&d, ALL);
	a = driver_alloc(&d, 512);
	memset(driver_host(&d, a), 0x77, 512);
	CHECK_INT(ask(&d, OUT, 3, a, 512), OK);
	memset(driver_host(&d, a), 0, 512);
	CHECK_INT(ask(&d, IN, 3, a, 512), OK);
	CHECK_INT(*(uint8_t *)driver_host(&d, a), 0x77);
	driver_fini(&d);
	CHECK(!stat(path, &st) && st.st_blocks == 0);
}

/* A layer on top keeps what was below as it was. */
static void
test_layer(void)
{
	struct driver d;
	struct error error = { 0 };
	uint64_t a;
	uint8_t byte = 0;
	int fd;

	make_file("raw");
	with_disk(&d, "raw", false, false, false);
	driver_start(&d, ALL);
	a = driver_alloc(&d, 512);
	memset(driver_host(&d, a), 0x11, 512);
	CHECK_INT(ask(&d, OUT, 3, a, 512), OK);
	virtio_quiesce(&d.device->device);
	if (!CHECK_INT(disk_push_layer(virtio_blk_disk(d.device), overlay, &error), 0))
		fprintf(stderr, "%s\n", error.text);
	virtio_resume(&d.device->device);
	memset(driver_host(&d, a), 0x22, 512);
	CHECK_INT(ask(&d, OUT, 4, a, 512), OK);
	CHECK_INT(ask(&d, OUT, 3, a, 512), OK);
	CHECK_INT(ask(&d, IN, 3, a, 512), OK);
	CHECK_INT(*(uint8_t *)driver_host(&d, a), 0x22);
	driver_fini(&d);
	fd = open(path, O_RDONLY);
	CHECK_INT(pread(fd, &byte, 1, 3 * 512), 1);
	CHECK_INT(byte, 0x11);
	close(fd);
	unlink(overlay);
}

int
main(void)
{
	int fd;

	log_open(-1, LOG_ERROR);
	snprintf(path, sizeof path, "/tmp/isomorph-blk-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		return 1;
	close(fd);
	snprintf(overlay, sizeof overlay, "%s.layer", path);
	test_requests("raw", ALL);
	test_requests("qcow2", ALL);
	test_requests("raw", UINT64_MAX);
	test_requests("qcow2", 0); /* no cache: write-through */
	test_many("raw", false);
	test_many("qcow2", false);
	test_many("qcow2", true);
	test_reset_under_way();
	test_broken_requests();
	test_read_only_and_scratch();
	test_layer();
	unlink(path);
	return check_done();
}

/* The balloon: pages given up cost the host nothing and read as zeros, in runs up and
 * down; reported ranges; numbers that are no RAM; the target; state. */
#include "device/virtio/balloon.h"

#include <sys/mman.h>
#include <unistd.h>

#include "unit/virtio_driver.h"

enum { INFLATE, DEFLATE, REPORTING };
#define AREA (DRIVER_RAM + 0x200000u)
#define PAGES 512u /* 2 MiB: the host may have it as one page */

/* What the area takes of the host's memory. */
static uint64_t
host_bytes(struct driver *d)
{
	unsigned char resident[PAGES];
	uint64_t bytes = 0;

	CHECK(!mincore(driver_host(d, AREA), PAGES * 4096, resident));
	for (unsigned i = 0; i < PAGES; i++)
		bytes += resident[i] & 1 ? 4096 : 0;
	return bytes;
}

static unsigned
zero_pages(struct driver *d)
{
	unsigned count = 0;

	for (unsigned i = 0; i < PAGES; i++)
		count += !*(uint8_t *)driver_host(d, AREA + 4096 * i) && !*(uint8_t *)driver_host(d, AREA + 4096 * i + 4095);
	return count;
}

static void
fill(struct driver *d)
{
	memset(driver_host(d, AREA), 0x5a, PAGES * 4096);
}

static void
test_pages(void)
{
	static const int orders[] = { 1, -1, 2 }; /* up, down, every other one */
	struct driver d;

	driver_init(&d, false);
	driver_attach(&d, virtio_balloon_new(&d.host, "balloon0"));
	driver_start(&d, UINT64_MAX);
	for (unsigned order = 0; order < ARRAY_LEN(orders); order++) {
		uint32_t numbers[PAGES];
		unsigned count = orders[order] == 2 ? PAGES / 2 : PAGES;
		struct driver_buffer b;
		uint64_t before;

		fill(&d);
		for (unsigned i = 0; i < count; i++) {
			unsigned n = orders[order] < 0 ? PAGES - 1 - i : i * (unsigned)orders[order];

			numbers[i] = AREA / 4096 + n;
		}
		b = (struct driver_buffer){ driver_copy(&d, numbers, 4 * count), 4 * count, false };
		before = host_bytes(&d);
		CHECK_INT(driver_do(&d, INFLATE, &b, 1), 0);
		if (count == PAGES) /* before they are looked at: that fills them */
			CHECK_INT(before - host_bytes(&d), count * 4096);
		CHECK_INT(zero_pages(&d), count);
		CHECK_INT(driver_do(&d, DEFLATE, &b, 1), 0);
	}
	/* Pages that are no RAM are nobody's. */
	{
		uint32_t wrong[4] = { 0, UINT32_MAX, DRIVER_RAM / 4096 - 1, (DRIVER_RAM + DRIVER_RAM_SIZE) / 4096 };
		struct driver_buffer b = { driver_copy(&d, wrong, 16), 15, false };

		CHECK_INT(driver_do(&d, INFLATE, &b, 1), 0);
		CHECK_INT(driver_get(&d, 0x70) & 64, 0);
	}
	/* Reported: whole pages only. */
	fill(&d);
	{
		struct driver_buffer b[2] = { { AREA, 8192, true }, { AREA + 5 * 4096 + 100, 8192, true } };

		CHECK_INT(driver_do(&d, REPORTING, b, 2), 0);
		CHECK_INT(zero_pages(&d), 3);
	}
	driver_fini(&d);
}

static unsigned
resident_pages(struct driver *d)
{
	unsigned char there[PAGES];
	unsigned count = 0;

	CHECK(!mincore(driver_host(d, AREA), PAGES * 4096, there));
	for (unsigned i = 0; i < PAGES; i++)
		count += there[i] & 1;
	return count;
}

/* RAM that is a snapshot's file, privately: reported pages are given up there too. */
static void
test_restored(void)
{
	int file = memfd_create("snapshot", MFD_CLOEXEC);
	struct driver_buffer large = { AREA, PAGES * 4096, true }, small = { AREA, 4096, true };
	struct error error = { 0 };
	struct driver d;

	driver_init(&d, false);
	driver_attach(&d, virtio_balloon_new(&d.host, "balloon0"));
	driver_start(&d, UINT64_MAX);
	CHECK_INT(write(file, driver_host(&d, DRIVER_RAM), DRIVER_RAM_SIZE), DRIVER_RAM_SIZE);
	CHECK(!memory_map_file(&d.memory, DRIVER_RAM, file, 0, &error));
	fill(&d);
	CHECK_INT(driver_do(&d, REPORTING, &small, 1), 0);
	CHECK_INT(zero_pages(&d), 0);
	CHECK_INT(resident_pages(&d), PAGES);
	CHECK_INT(driver_do(&d, REPORTING, &large, 1), 0);
	CHECK_INT(resident_pages(&d), 0);
	CHECK_INT(zero_pages(&d), PAGES);
	fill(&d);
	CHECK_INT(zero_pages(&d), 0);
	driver_fini(&d);
	close(file);
}

static void
test_target(void)
{
	struct driver d;

	driver_init(&d, false);
	driver_attach(&d, virtio_balloon_new(&d.host, "balloon0"));
	driver_start(&d, UINT64_MAX);
	pthread_mutex_lock(&d.lock);
	virtio_balloon_set(d.device, 123 * 4096 + 5);
	pthread_mutex_unlock(&d.lock);
	CHECK_INT(driver_get(&d, 0x60) & 2, 2);
	CHECK_INT(driver_config(&d, 0, 4), 123);
	driver_set(&d, 0x104, 77);
	CHECK_INT(driver_config(&d, 4, 4), 77);
	CHECK_INT(virtio_balloon_size(d.device), 77 * 4096);
	driver_check_state(&d);
	CHECK_INT(driver_config(&d, 4, 4), 77);
	driver_fini(&d);
}

int
main(void)
{
	log_open(-1, LOG_ERROR);
	test_pages();
	test_restored();
	test_target();
	return check_done();
}

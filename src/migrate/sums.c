/* Checksums of RAM in a snapshot: one for each megabyte of the ram file, over its
 * pages that are not zeros and where they lie. Holes cost nothing.
 *
 * They are made while the pages are written and compared by snapshot_verify alone:
 * a restore does not read the pages, and a guest should not wait for them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "migrate/snapshot_impl.h"

bool
page_is_zero(const uint8_t *page)
{
	return !page[0] && !memcmp(page, page + 1, MEMORY_PAGE - 1);
}

int
sums_init(struct sums *sums, uint64_t ram_size)
{
	sums->count = (ram_size + SUMS_CHUNK - 1) / SUMS_CHUNK;
	sums->sum = calloc(sums->count + 1, sizeof *sums->sum);
	return sums->sum ? 0 : -1;
}

void
sums_fini(struct sums *sums)
{
	free(sums->sum);
}

void
sums_add(struct sums *sums, uint64_t offset, const uint8_t *page)
{
	uint32_t *sum = &sums->sum[offset / SUMS_CHUNK];

	*sum = (uint32_t)crc32_z(*sum, (const void *)&offset, sizeof offset);
	*sum = (uint32_t)crc32_z(*sum, page, MEMORY_PAGE);
}

/* The pages of one run of data in the file. */
static int
add_run(struct sums *sums, int ram, uint64_t from, uint64_t to)
{
	enum { PAGES = 64 };
	uint8_t *buffer = malloc(PAGES * MEMORY_PAGE);
	ssize_t got = 1;

	while (buffer && from < to && got > 0) {
		size_t want = to - from < PAGES * MEMORY_PAGE ? to - from : PAGES * MEMORY_PAGE;

		got = pread(ram, buffer, want, (off_t)from);
		got = got < 0 ? got : (ssize_t)align_down((uint64_t)got, MEMORY_PAGE);
		for (ssize_t at = 0; at < got; at += MEMORY_PAGE)
			if (!page_is_zero(buffer + at))
				sums_add(sums, from + (uint64_t)at, buffer + at);
		from += got > 0 ? (uint64_t)got : 0;
	}
	free(buffer);
	return from < to ? -1 : 0;
}

int
sums_of_file(struct sums *sums, int ram, uint64_t size)
{
	uint64_t at = 0;

	while (at < size) {
		off_t data = lseek(ram, (off_t)at, SEEK_DATA), hole;

		if (data < 0)
			return errno == ENXIO ? 0 : -1;
		hole = lseek(ram, data, SEEK_HOLE);
		at = hole < 0 ? size : align_up((uint64_t)hole, MEMORY_PAGE);
		at = at < size ? at : size;
		if (add_run(sums, ram, align_down((uint64_t)data, MEMORY_PAGE), at))
			return -1;
	}
	return 0;
}

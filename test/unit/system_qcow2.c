/* qcow2 images against QEMU's own tools and against a copy in memory: images that
 * qemu-img makes (versions, cluster sizes, widths of counts, compression, backing
 * files, snapshots, lazy counts), random writes, zeros and discards, then what
 * qemu-img reads back and whether it finds the image sound. Then images that are
 * broken. Without qemu-img only our own images are tried. */
#include "backend/disk/qcow2.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/disk/image.h"
#include "unit/check.h"

static char folder[64];
static bool have_qemu;

static bool PRINTF_LIKE(1, 2)
shell(const char *format, ...)
{
	char command[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof command, format, args);
	va_end(args);
	return system(command) == 0;
}

static const char *
in_folder(const char *name)
{
	static char path[4][256];
	static unsigned next;

	next = (next + 1) % 4;
	snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
	return path[next];
}

static struct image *
open_image(const char *name, const char *format, bool read_only)
{
	struct error error = { 0 };
	struct image *image = image_open(in_folder(name), format, read_only, NULL, &error);

	if (!CHECK(image))
		fprintf(stderr, "%s\n", error.text);
	return image;
}

/* qemu-img finds it sound, and reads what is at content. */
static void
check_by_qemu(const char *name, const uint8_t *content, size_t size)
{
	uint8_t *back = malloc(size);
	int fd;

	if (have_qemu && !CHECK(shell("cd %s && qemu-img check -q %s", folder, name)))
		shell("cd %s && qemu-img check %s; qemu-img info %s", folder, name, name);
	if (have_qemu && CHECK(shell("cd %s && qemu-img convert -O raw %s back.raw", folder, name))) {
		fd = open(in_folder("back.raw"), O_RDONLY);
		CHECK_INT(pread(fd, back, size, 0), size);
		close(fd);
		CHECK(!memcmp(back, content, size));
	}
	free(back);
}

static void
fill(uint8_t *data, size_t size, unsigned seed)
{
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
}

/* ---- random requests against a copy in memory -------------------------------------- */

static uint64_t
pick(unsigned *seed, uint64_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 4) % below;
}

static void
request(struct image *image, uint8_t *copy, uint64_t size, unsigned *seed, uint8_t *buffer)
{
	uint64_t offset = pick(seed, size / 512) * 512, length = (1 + pick(seed, pick(seed, 4) ? 16 : 600)) * 512;
	unsigned what = (unsigned)pick(seed, 20);

	if (length > size - offset)
		length = size - offset;
	if (what < 9) {
		fill(buffer, length, *seed);
		CHECK_INT(image_write(image, buffer, offset, length), 0);
		memcpy(copy + offset, buffer, length);
	} else if (what < 11) {
		CHECK_INT(image->format->zero(image, offset, length, what & 1), 0);
		memset(copy + offset, 0, length);
	} else if (what == 11) {
		/* Whatever a discard leaves is what holds from now on. */
		CHECK_INT(image->format->discard(image, offset, length), 0);
		CHECK_INT(image_read(image, copy + offset, offset, length), 0);
	} else if (what == 12) {
		CHECK_INT(image->format->flush(image), 0);
	} else {
		CHECK_INT(image_read(image, buffer, offset, length), 0);
		CHECK(!memcmp(buffer, copy + offset, length));
	}
}

static void
storm(const char *name, uint8_t *copy, uint64_t size, unsigned seed, unsigned requests)
{
	uint8_t *buffer = malloc(600 * 512);
	struct image *image = open_image(name, NULL, false);

	if (image) {
		CHECK_INT(image->size, size);
		for (unsigned i = 0; i < requests; i++)
			request(image, copy, size, &seed, buffer);
		image_close(image);
		check_by_qemu(name, copy, size);
		image = open_image(name, "qcow2", true);
		for (uint64_t at = 0; image && at < size; at += 65536) {
			uint64_t part = size - at < 65536 ? size - at : 65536;

			CHECK_INT(image_read(image, buffer, at, part), 0);
			CHECK(!memcmp(buffer, copy + at, part));
		}
		image_close(image);
	}
	free(buffer);
}

static void
test_own_images(void)
{
	const uint64_t size = 6 << 20;
	uint8_t *copy = calloc(1, size);
	struct error error = { 0 };
	int fd = open(in_folder("base.raw"), O_CREAT | O_RDWR, 0600);

	CHECK_INT(qcow2_create(in_folder("own.qcow2"), size - 100, NULL, NULL, &error), 0);
	CHECK_INT(qcow2_create(in_folder("own.qcow2"), size, NULL, NULL, &error), -1); /* is there */
	storm("own.qcow2", copy, size, 1, 600);
	storm("own.qcow2", copy, size, 2, 300);
	/* On top of a raw file that is shorter. */
	fill(copy, size, 9);
	CHECK_INT(pwrite(fd, copy, size / 2, 0), size / 2);
	close(fd);
	memset(copy + size / 2, 0, size / 2);
	error = (struct error){ 0 };
	CHECK_INT(qcow2_create(in_folder("top.qcow2"), size, "base.raw", "raw", &error), 0);
	storm("top.qcow2", copy, size, 3, 600);
	/* On top of that one. */
	CHECK_INT(qcow2_create(in_folder("top2.qcow2"), size, in_folder("top.qcow2"), "qcow2", &error), 0);
	storm("top2.qcow2", copy, size, 4, 600);
	CHECK_INT(qcow2_create(in_folder("bad.qcow2"), size, "base.raw", "vmdk", &error), -1);
	CHECK_INT(qcow2_create(in_folder("bad.qcow2"), UINT64_MAX / 2, NULL, NULL, NULL), -1);
	free(copy);
}

static void
test_qemu_images(void)
{
	static const char *const options[] = {
		"compat=0.10", "compat=1.1", "compat=1.1,cluster_size=512", "compat=0.10,cluster_size=512",
		"cluster_size=2M", "refcount_bits=1", "refcount_bits=8", "refcount_bits=64,cluster_size=4096",
		"lazy_refcounts=on", "preallocation=metadata",
	};
	const uint64_t size = (5 << 20) + 1536;
	uint8_t *copy = malloc(size);

	for (unsigned i = 0; have_qemu && i < ARRAY_LEN(options); i++) {
		memset(copy, 0, size);
		CHECK(shell("cd %s && qemu-img create -q -f qcow2 -o %s q%u.qcow2 %llu", folder, options[i], i,
			    (unsigned long long)size));
		snprintf((char *)copy, 32, "q%u.qcow2", i);
		{
			char name[32];

			snprintf(name, sizeof name, "q%u.qcow2", i);
			memset(copy, 0, 32);
			storm(name, copy, size, 10 + i, 400);
		}
	}
	free(copy);
}

/* Compressed clusters are read and written over; snapshots keep what they had. */
static void
test_shared_clusters(void)
{
	const uint64_t size = 4 << 20;
	uint8_t *copy = calloc(1, size), *before = calloc(1, size);
	int fd;

	if (!copy || !before || !have_qemu) {
		free(copy);
		free(before);
		return;
	}
	for (uint64_t i = 0; i < size; i++)
		copy[i] = (uint8_t)(i / 97 + i % 13);
	memset(copy + size / 2, 0, size / 8);
	memcpy(before, copy, size);
	fd = open(in_folder("plain.raw"), O_CREAT | O_RDWR, 0600);
	CHECK_INT(pwrite(fd, copy, size, 0), size);
	close(fd);
	CHECK(shell("cd %s && qemu-img convert -c -O qcow2 plain.raw z.qcow2 && "
		    "qemu-img convert -c -O qcow2 -o compression_type=zstd plain.raw zs.qcow2 && "
		    "qemu-img convert -O qcow2 plain.raw snap.qcow2 && qemu-img snapshot -c first snap.qcow2",
		    folder));
	storm("z.qcow2", copy, size, 21, 300);
	memcpy(copy, before, size);
	storm("zs.qcow2", copy, size, 22, 300);
	memcpy(copy, before, size);
	storm("snap.qcow2", copy, size, 23, 300);
	/* The snapshot is what it was. */
	CHECK(shell("cd %s && qemu-img snapshot -a first snap.qcow2", folder));
	check_by_qemu("snap.qcow2", before, size);
	free(copy);
	free(before);
}

/* What was not flushed may be lost with the process, never more: the file is
 * copied in the middle of it all, as a kill would leave it. */
static void
test_killed(void)
{
	const uint64_t size = 4 << 20;
	uint8_t *copy = calloc(1, size), *buffer = malloc(65536);
	struct error error = { 0 };
	struct image *image;
	unsigned seed = 5;

	CHECK_INT(qcow2_create(in_folder("live.qcow2"), size, NULL, NULL, &error), 0);
	image = open_image("live.qcow2", NULL, false);
	for (unsigned round = 0; image && round < 6; round++) {
		for (unsigned i = 0; i < 20; i++) {
			uint64_t at = pick(&seed, size / 2 / 65536) * 65536;

			fill(buffer, 65536, seed);
			CHECK_INT(image_write(image, buffer, at, 65536), 0);
			memcpy(copy + at, buffer, 65536);
		}
		CHECK_INT(image->format->flush(image), 0);
		/* Unflushed writes elsewhere. */
		fill(buffer, 65536, seed);
		CHECK_INT(image_write(image, buffer, size / 2 + round * 3 * 65536, 65536), 0);
		CHECK(shell("cp %s %s", in_folder("live.qcow2"), in_folder("killed.qcow2")));
		if (have_qemu)
			CHECK(shell("cd %s && qemu-img check -q killed.qcow2", folder));
		{
			struct image *killed = open_image("killed.qcow2", NULL, true);
			uint8_t *half = malloc(size / 2);

			CHECK_INT(image_read(killed, half, 0, size / 2), 0);
			CHECK(!memcmp(half, copy, size / 2));
			free(half);
			image_close(killed);
		}
	}
	image_close(image);
	free(copy);
	free(buffer);
}

/* An image that says that its counts are late gets them anew. */
static void
test_dirty(void)
{
	const uint64_t size = 2 << 20;
	uint8_t *copy = calloc(1, size), zeros[65536] = { 0 }, dirty[8] = { 0, 0, 0, 0, 0, 0, 0, 1 };
	struct error error = { 0 };
	int fd;

	CHECK_INT(qcow2_create(in_folder("dirty.qcow2"), size, NULL, NULL, &error), 0);
	storm("dirty.qcow2", copy, size, 31, 100);
	fd = open(in_folder("dirty.qcow2"), O_RDWR);
	CHECK_INT(pwrite(fd, dirty, 8, 72), 8);
	CHECK_INT(pwrite(fd, zeros, 65536, 2 * 65536), 65536); /* the counts */
	close(fd);
	storm("dirty.qcow2", copy, size, 32, 100);
	free(copy);
}

/* ---- broken images --------------------------------------------------------------------- */

static void
refused(const char *name, const char *why)
{
	struct error error = { 0 };
	struct image *image = image_open(in_folder(name), "qcow2", false, NULL, &error);

	CHECK(!image);
	if (!CHECK(strstr(error.text, why)))
		fprintf(stderr, "wanted \"%s\" in: %s\n", why, error.text);
	image_close(image);
}

static void
test_refused(void)
{
	static const struct { unsigned at; uint8_t byte; const char *why; } bad[] = {
		{ 0, 'X', "no qcow2" }, { 7, 4, "version" }, { 23, 8, "cluster size" }, { 23, 63, "cluster size" },
		{ 35, 1, "encrypted" }, { 36, 0xff, "L1 table" }, { 39, 0, "L1 table" }, { 47, 1, "L1 table" },
		{ 40, 0xff, "L1 table" }, { 48, 1, "refcount table" }, { 59, 0, "refcount table" },
		{ 56, 0xff, "refcount table" }, { 79, 4, "another file" }, { 79, 16, "subclusters" },
		{ 79, 2, "corrupt" }, { 79, 64, "not known" }, { 99, 7, "counts" }, { 103, 3, "length" },
		{ 24, 0xff, "size" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		int fd;

		unlink(in_folder("bad.qcow2"));
		CHECK_INT(qcow2_create(in_folder("bad.qcow2"), 1 << 20, NULL, NULL, NULL), 0);
		fd = open(in_folder("bad.qcow2"), O_RDWR);
		CHECK_INT(pwrite(fd, &bad[i].byte, 1, bad[i].at), 1);
		close(fd);
		refused("bad.qcow2", bad[i].why);
	}
	/* A ring of images, one that is missing, one that is in use. */
	CHECK_INT(qcow2_create(in_folder("ring1.qcow2"), 1 << 20, "ring2.qcow2", "qcow2", NULL), 0);
	CHECK_INT(qcow2_create(in_folder("ring2.qcow2"), 1 << 20, "ring1.qcow2", "qcow2", NULL), 0);
	refused("ring1.qcow2", "below itself");
	CHECK_INT(qcow2_create(in_folder("orphan.qcow2"), 1 << 20, "nowhere.raw", "raw", NULL), 0);
	refused("orphan.qcow2", "No such file");
	{
		struct image *image = open_image("own.qcow2", NULL, false);

		refused("own.qcow2", "in use");
		image_close(image);
	}
}

/* A disk whose format was guessed does not become another one. */
static void
test_disguise(void)
{
	uint8_t sector[512] = "QFI\xfb";
	struct image *image;
	int fd = open(in_folder("guess.raw"), O_CREAT | O_RDWR, 0600);

	CHECK_INT(ftruncate(fd, 4096), 0);
	close(fd);
	image = open_image("guess.raw", NULL, false);
	CHECK_INT(image_write(image, sector, 0, 512), 1 /* EPERM */);
	CHECK_INT(image_write(image, sector, 512, 512), 0);
	image_close(image);
	image = open_image("guess.raw", "raw", false);
	CHECK_INT(image_write(image, sector, 0, 512), 0);
	image_close(image);
}

int
main(void)
{
	log_open(-1, LOG_ERROR);
	/* In memory where that can be had: there are thousands of flushes. */
	snprintf(folder, sizeof folder, "%s/isomorph-qcow2-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(folder))
		return 1;
	have_qemu = shell("command -v qemu-img >/dev/null");
	test_own_images();
	test_qemu_images();
	test_shared_clusters();
	test_killed();
	test_dirty();
	test_refused();
	test_disguise();
	shell("rm -rf %s", folder);
	return check_done();
}

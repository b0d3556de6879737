/* The threads before an image, and images that are put on top of each other. */
#include "backend/disk/disk.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "backend/disk/image.h"
#include "backend/disk/qcow2.h"

#define THREADS 4u

struct disk {
	struct image *image;
	struct worker *worker;
};

static int
perform(struct image *image, const struct disk_request *request)
{
	const struct image_format *format = image->format;
	uint64_t offset = request->offset, size = request->size;

	if (request->op == DISK_FLUSH)
		return image->read_only ? 0 : format->flush(image);
	if (offset > image->size || size > image->size - offset || (offset | size) % IMAGE_SECTOR)
		return EINVAL;
	if (request->op != DISK_READ && image->read_only)
		return EROFS;
	if (!size)
		return 0;
	switch (request->op) {
	case DISK_READ: return format->read(image, request->segment, request->segments, offset, size);
	case DISK_WRITE: return format->write(image, request->segment, request->segments, offset, size);
	case DISK_DISCARD: return format->discard(image, offset, size);
	case DISK_ZERO: return format->zero(image, offset, size, request->unmap);
	case DISK_FLUSH: break;
	}
	return EINVAL;
}

static void
run(struct worker_job *job)
{
	struct disk_request *request = (struct disk_request *)job;

	request->result = perform(request->disk->image, request);
}

static void
finished(struct worker_job *job)
{
	struct disk_request *request = (struct disk_request *)job;

	request->done(request);
}

void
disk_submit(struct disk *disk, struct disk_request *request)
{
	request->disk = disk;
	request->job = (struct worker_job){ run, finished, NULL };
	worker_submit(disk->worker, &request->job);
}

void
disk_drain(struct disk *disk)
{
	worker_drain(disk->worker);
}

/* ---- opening ------------------------------------------------------------------------- */

/* The image goes below a temporary one. Takes it over. */
static struct image *
put_scratch_on(const char *base_path, struct image *base, struct error *error)
{
	const char *folder = getenv("TMPDIR");
	char path[IMAGE_PATH], real[PATH_MAX];
	struct image *image = NULL;
	uint64_t size = base->size;
	const char *format = base->format->name;
	int fd;

	text_format(path, sizeof path, "%s/isomorph-XXXXXX", folder && *folder ? folder : "/var/tmp");
	fd = mkstemp(path);
	if (fd < 0 || !realpath(base_path, real)) {
		error_set(error, errno, "%s: no temporary overlay: %s", path, strerror(errno));
	} else if (unlink(path), !qcow2_create(path, size, real, format, error)) {
		image_close(base);
		base = NULL;
		image = image_open(path, "qcow2", false, NULL, error);
		unlink(path);
	}
	if (fd >= 0)
		close(fd);
	image_close(base);
	return image;
}

static struct image *
open_image(const struct disk_options *options, struct error *error)
{
	struct image *image = image_open(options->path, options->format, options->read_only || options->snapshot, NULL,
					 error);

	if (image && options->snapshot && !options->read_only)
		return put_scratch_on(options->path, image, error);
	return image;
}

struct disk *
disk_open(const struct disk_options *options, struct error *error)
{
	struct disk *disk = calloc(1, sizeof *disk);

	if (!disk) {
		error_set(error, ENOMEM, "%s: no memory", options->path);
		return NULL;
	}
	disk->image = open_image(options, error);
	if (disk->image)
		disk->worker = worker_new(THREADS, options->lock, error);
	if (disk->worker)
		return disk;
	disk_close(disk);
	return NULL;
}

void
disk_close(struct disk *disk)
{
	if (!disk)
		return;
	worker_free(disk->worker);
	image_close(disk->image);
	free(disk);
}

uint64_t
disk_size(const struct disk *disk)
{
	return disk->image->size;
}

bool
disk_read_only(const struct disk *disk)
{
	return disk->image->read_only;
}

const char *
disk_path(const struct disk *disk)
{
	return disk->image->path;
}

int
disk_push_layer(struct disk *disk, const char *path, struct error *error)
{
	char real[PATH_MAX];
	struct image *below = disk->image, *above;
	int failed;

	if (below->read_only)
		return error_set(error, EROFS, "%s: a read-only disk takes no layer", below->path);
	failed = below->format->flush(below);
	if (failed || !realpath(below->path, real))
		return error_set(error, failed ? failed : errno, "%s: %s", below->path,
				 strerror(failed ? failed : errno));
	if (qcow2_create(path, below->size, real, below->format->name, error))
		return -1;
	/* Below the new image the old file is opened again, to be read: share it. */
	flock(below->fd, LOCK_SH);
	above = image_open(path, "qcow2", false, NULL, error);
	if (!above) {
		flock(below->fd, LOCK_EX | LOCK_NB);
		unlink(path);
		return -1;
	}
	disk->image = above;
	image_close(below);
	return 0;
}

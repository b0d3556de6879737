/* The threads before an image: a queue of requests, workers that take from it,
 * and a list of what is done, which is told under the device lock.
 *
 * Two locks. `lock` guards the lists and is held for moments only; the device
 * lock is the caller's. A worker never holds `lock` while it takes the device
 * lock, so that disk_drain, whose caller holds the device lock, can wait for the
 * workers: it tells what they finished itself. */
#include "backend/disk/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "backend/disk/image.h"
#include "backend/disk/qcow2.h"

#define WORKERS 4u

struct list {
	struct disk_request *first, **last;
};

struct disk {
	struct image *image;
	pthread_mutex_t *device_lock;
	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	struct list waiting, finished;
	unsigned busy;    /* requests that are waiting or with a worker */
	unsigned sleepers;
	bool ending;
	pthread_t worker[WORKERS];
	unsigned workers;
};

static void
list_init(struct list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

static void
list_add(struct list *list, struct disk_request *request)
{
	request->next = NULL;
	*list->last = request;
	list->last = &request->next;
}

static struct disk_request *
list_take(struct list *list)
{
	struct disk_request *request = list->first;

	if (request) {
		list->first = request->next;
		if (!list->first)
			list->last = &list->first;
	}
	return request;
}

/* ---- the workers ------------------------------------------------------------------ */

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

/* Tells of all that is finished. The device lock is held. */
static void
tell(struct disk *disk)
{
	for (;;) {
		struct disk_request *request;

		pthread_mutex_lock(&disk->lock);
		request = list_take(&disk->finished);
		pthread_mutex_unlock(&disk->lock);
		if (!request)
			return;
		request->done(request);
	}
}

static void *
work(void *argument)
{
	struct disk *disk = argument;

	pthread_mutex_lock(&disk->lock);
	for (;;) {
		struct disk_request *request = list_take(&disk->waiting);

		if (!request) {
			if (disk->ending)
				break;
			disk->sleepers++;
			pthread_cond_wait(&disk->work, &disk->lock);
			disk->sleepers--;
			continue;
		}
		pthread_mutex_unlock(&disk->lock);
		request->result = perform(disk->image, request);
		pthread_mutex_lock(&disk->lock);
		list_add(&disk->finished, request);
		if (!--disk->busy)
			pthread_cond_broadcast(&disk->idle);
		pthread_mutex_unlock(&disk->lock);

		pthread_mutex_lock(disk->device_lock);
		tell(disk);
		pthread_mutex_unlock(disk->device_lock);
		pthread_mutex_lock(&disk->lock);
	}
	pthread_mutex_unlock(&disk->lock);
	return NULL;
}

void
disk_submit(struct disk *disk, struct disk_request *request)
{
	pthread_mutex_lock(&disk->lock);
	list_add(&disk->waiting, request);
	disk->busy++;
	if (disk->sleepers)
		pthread_cond_signal(&disk->work);
	pthread_mutex_unlock(&disk->lock);
}

void
disk_drain(struct disk *disk)
{
	pthread_mutex_lock(&disk->lock);
	while (disk->busy)
		pthread_cond_wait(&disk->idle, &disk->lock);
	pthread_mutex_unlock(&disk->lock);
	tell(disk);
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

static int
start_workers(struct disk *disk, struct error *error)
{
	sigset_t all, old;
	int failed = 0;

	/* Signals are for the threads that know what to do with them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (disk->workers < WORKERS && !failed) {
		failed = pthread_create(&disk->worker[disk->workers], NULL, work, disk);
		disk->workers += !failed;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return failed ? error_set(error, failed, "disk: no thread: %s", strerror(failed)) : 0;
}

struct disk *
disk_open(const struct disk_options *options, struct error *error)
{
	struct disk *disk = calloc(1, sizeof *disk);

	if (!disk) {
		error_set(error, ENOMEM, "%s: no memory", options->path);
		return NULL;
	}
	pthread_mutex_init(&disk->lock, NULL);
	pthread_cond_init(&disk->work, NULL);
	pthread_cond_init(&disk->idle, NULL);
	list_init(&disk->waiting);
	list_init(&disk->finished);
	disk->device_lock = options->lock;
	disk->image = open_image(options, error);
	if (disk->image && !start_workers(disk, error))
		return disk;
	disk_close(disk);
	return NULL;
}

void
disk_close(struct disk *disk)
{
	if (!disk)
		return;
	pthread_mutex_lock(&disk->lock);
	disk->ending = true;
	pthread_cond_broadcast(&disk->work);
	pthread_mutex_unlock(&disk->lock);
	for (unsigned i = 0; i < disk->workers; i++)
		pthread_join(disk->worker[i], NULL);
	image_close(disk->image);
	pthread_cond_destroy(&disk->work);
	pthread_cond_destroy(&disk->idle);
	pthread_mutex_destroy(&disk->lock);
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

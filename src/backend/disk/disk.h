/* A disk as a device sees it: requests that are done some time later, by threads
 * of the disk's own, straight to and from guest RAM.
 *
 * Threading: the calls are made under the device lock, given when the disk was
 * opened; `done` is called under it too, on one of the disk's threads or inside
 * disk_drain.
 */
#ifndef BACKEND_DISK_DISK_H
#define BACKEND_DISK_DISK_H

#include <pthread.h>
#include <sys/uio.h>

#include "backend/work/worker.h"

struct disk;

enum disk_op { DISK_READ, DISK_WRITE, DISK_FLUSH, DISK_DISCARD, DISK_ZERO };

/* The caller's, until done is called. */
struct disk_request {
	struct worker_job job; /* the disk's, as is the next one */
	struct disk *disk;
	enum disk_op op;
	bool unmap;            /* DISK_ZERO: room on the host may be given back */
	uint64_t offset, size; /* bytes; multiples of 512 inside the disk, else EINVAL */
	const struct iovec *segment; /* READ, WRITE: size bytes in all */
	unsigned segments;
	void (*done)(struct disk_request *request);
	int result;            /* 0 or an errno value */
};

struct disk_options {
	const char *path;
	const char *format;  /* "raw", "qcow2", NULL: found out */
	bool read_only;
	bool snapshot;       /* writes go to a temporary overlay that nobody sees */
	pthread_mutex_t *lock; /* the device lock; borrowed */
};

/* NULL: *error says what is wrong. */
struct disk *disk_open(const struct disk_options *options, struct error *error);
/* Waits for what is under way and writes everything out. The device lock is not
 * held. */
void disk_close(struct disk *disk);

uint64_t disk_size(const struct disk *disk); /* bytes */
bool disk_read_only(const struct disk *disk);
const char *disk_path(const struct disk *disk);

void disk_submit(struct disk *disk, struct disk_request *request);
/* Waits until nothing is under way; calls `done` for all of it. */
void disk_drain(struct disk *disk);

/* Puts a new, empty qcow2 image at path (which must not exist) on top: from now
 * on writes go there and what the disk was stays as it is. For snapshots. The
 * disk is drained. 0, or -1 with *error and the disk as it was. */
int disk_push_layer(struct disk *disk, const char *path, struct error *error);

#endif

/* Disk images: the bytes of a disk in a host file of some format, with plain
 * calls that block. disk.h puts threads before them.
 *
 * An image may have another below it (qcow2's backing file), which it owns and
 * only reads. Image files are hostile input: a file that breaks its format is
 * refused with a message, or its requests fail with EIO once it is open; nothing
 * is read or written outside of it.
 *
 * Threading: the I/O calls may be made by any number of threads at once; ranges
 * that overlap while one of them writes give either's bytes, as on a real disk.
 */
#ifndef BACKEND_DISK_IMAGE_H
#define BACKEND_DISK_IMAGE_H

#include <sys/uio.h>

#include "base/base.h"

#define IMAGE_SECTOR 512u
#define IMAGE_DEPTH 32u     /* images on top of each other, at most */
#define IMAGE_PATH 4096u

struct image;

/* Each returns 0 or an errno value. Offsets and sizes are in bytes, inside the
 * image. */
struct image_format {
	const char *name; /* "raw", "qcow2" */
	int (*read)(struct image *image, const struct iovec *to, unsigned count, uint64_t offset, uint64_t size);
	int (*write)(struct image *image, const struct iovec *from, unsigned count, uint64_t offset, uint64_t size);
	/* What was written is on the host's disk when it returns. */
	int (*flush)(struct image *image);
	/* The range is not needed any more; it may read as anything that it was or 0. */
	int (*discard)(struct image *image, uint64_t offset, uint64_t size);
	/* The range reads as 0; unmap: its room on the host may be given back. */
	int (*zero)(struct image *image, uint64_t offset, uint64_t size, bool unmap);
	/* Writes out what is held back and frees the format's part. */
	void (*close)(struct image *image);
};

/* First member of each format's struct. */
struct image {
	const struct image_format *format;
	struct image *backing; /* or NULL; owned */
	const struct image *above; /* the one that this backs, or NULL */
	int fd;                /* owned */
	uint64_t size;         /* bytes, a multiple of IMAGE_SECTOR */
	bool read_only;
	bool block_device;
	bool guessed;          /* nobody said that it is of this format */
	char path[IMAGE_PATH];
};

/* format NULL: found out by the first bytes. The file is locked against a second
 * writer (flock). above: the image that this one backs, or NULL. NULL: *error
 * says why not. */
struct image *image_open(const char *path, const char *format, bool read_only, const struct image *above,
			 struct error *error);
void image_close(struct image *image);

/* Plain buffers instead of segments. */
int image_read(struct image *image, void *to, uint64_t offset, uint64_t size);
int image_write(struct image *image, const void *from, uint64_t offset, uint64_t size);

/* ---- for the formats --------------------------------------------------------- */

/* Each gets an opened, locked file and returns an image of its own struct. */
struct image *raw_open(int fd, const char *path, bool read_only, const struct image *above, struct error *error);
struct image *qcow2_open(int fd, const char *path, bool read_only, const struct image *above, struct error *error);

/* Whole transfers: 0 or errno. Reads past the file's end give zeros. */
int file_read(int fd, void *to, size_t size, uint64_t offset);
int file_write(int fd, const void *from, size_t size, uint64_t offset);
int file_readv(int fd, const struct iovec *to, unsigned count, uint64_t offset);
int file_writev(int fd, const struct iovec *from, unsigned count, uint64_t offset);
/* [skip, skip + size) of segments, at most `room` segments of it, at to; returns
 * how many, *total their bytes. */
unsigned segments_cut(const struct iovec *from, unsigned count, uint64_t skip, uint64_t size, struct iovec *to,
		      unsigned room, uint64_t *total);
void segments_zero(const struct iovec *to, unsigned count, uint64_t skip, uint64_t size);

#endif

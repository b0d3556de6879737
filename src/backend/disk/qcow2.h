/* Making qcow2 images (the format of QEMU's docs/interop/qcow2, version 3). */
#ifndef BACKEND_DISK_QCOW2_H
#define BACKEND_DISK_QCOW2_H

#include "base/base.h"

/* A new empty image at path, which must not exist. backing: path of the image
 * below it, as it shall stand in the file (relative: to the new image's folder),
 * or NULL; its format must be given with it ("raw", "qcow2"). size in bytes is
 * rounded up to whole sectors. 0 or -1. */
int qcow2_create(const char *path, uint64_t size, const char *backing, const char *backing_format,
		 struct error *error);

#endif

/* Where machines and images are kept (places.c): folders of one user, never of
 * the system. Every function that makes a folder makes it with rights 0700. */
#ifndef MONITOR_PLACES_H
#define MONITOR_PLACES_H

#include <limits.h>

#include "base/base.h"

enum place {
	PLACE_RUN,    /* sockets and the lock of machines that run: gone after a reboot */
	PLACE_MACHINE,/* machine files, overlays, snapshots: kept */
	PLACE_IMAGE,  /* base images: can be made again */
};

/* The folder of a kind, and NAME below it when name is not NULL; made when
 * `make`. */
int places_path(enum place place, const char *name, bool make, char path[PATH_MAX], struct error *error);
/* A file there. */
int places_file(enum place place, const char *name, const char *file, bool make, char path[PATH_MAX],
		struct error *error);
/* Calls each(to, name) for every folder of that kind, in order of name. */
int places_each(enum place place, void (*each)(void *to, const char *name), void *to, struct error *error);

/* A running machine holds its lock as long as its process lives. Returns the
 * lock's descriptor; -1 and error when another process has it. */
int places_lock(const char *name, struct error *error);
bool places_runs(const char *name);

/* Reads a whole file, at most `most` bytes, NUL-terminated; NULL: *error. */
char *places_read(const char *path, size_t most, struct error *error);
/* Removes a folder and all in it; links are not followed. */
int places_remove(const char *folder, struct error *error);
/* Writes a file beside, syncs it, and puts it in place at once. */
int places_write(const char *path, const char *text, struct error *error);

#endif

/* Layers of a named machine's disks, and its snapshots (layers.c, snapshots.c,
 * clone.c).
 *
 * A snapshot freezes the image that a disk writes to: from then on it writes to a
 * new layer, machines/NAME/disk-K.N.qcow2, on top. machines/NAME/disks.json
 * says which layer each disk K writes to; a disk that is not there writes to
 * what the options name. A frozen layer never changes. What was written since is
 * given up when a snapshot is restored, so its layer is emptied and written to again.
 */
#ifndef MONITOR_LAYERS_H
#define MONITOR_LAYERS_H

#include <limits.h>

#include "monitor/session.h"

/* Disks of the configuration become the layers that they write to. */
int layers_apply(struct isomorph_config *config, struct error *error);
/* Freezes what the paused machine's disks are; appends to list an object for each:
 * number, path, format, size. */
int layers_push(struct session *session, cJSON *list, struct error *error);
/* Disks of the configuration become new layers on top of frozen ones, as
 * layers_push listed them. */
int layers_restore(struct isomorph_config *config, const cJSON *list, struct error *error);
/* Whether disks or snapshots of the machine stand on files of another's. */
bool layers_stands_on(const char *name, const char *below);
/* Removes layers that neither a disk nor a snapshot stands on, of any machine; this
 * one does not run. */
void layers_sweep(const char *name);

/* Makes the machine `clone` of the snapshot in a folder: clone.c. */
int clone_make(const char *snapshot, const char *clone, struct error *error);
/* The folder of a snapshot; make: that of all of them is made. */
int snapshots_path(const char *name, const char *snapshot, bool make, char path[PATH_MAX], struct error *error);

#endif

/* migrate/: a machine's state on disk, and in time to come on its way to another
 * host.
 *
 * A snapshot is a folder:
 *
 *     manifest.json   format, what of RAM lies where, checksums, and what the
 *                     caller wants to know again (options, disks)
 *     state           the device stream of machine_state
 *     ram             the pages of RAM and ROM; pages of zeros are holes
 *     sums            checksums of them
 *
 * It is written beside, synced and exchanged for an older one at once: a crash
 * leaves the old or the new one. Reading is careful: whatever the folder holds,
 * the answer is an error or a machine.
 *
 * Restoring maps the ram file privately in place of the machine's RAM, so it costs
 * the same for any size and pages are read as the guest touches them. The file
 * may be replaced or removed meanwhile, but not changed.
 */
#ifndef MIGRATE_SNAPSHOT_H
#define MIGRATE_SNAPSHOT_H

#include <cjson/cJSON.h>

#include "machine/machine.h"

struct snapshot;

/* Writes the paused machine into folder, whose parent is there. about: an
 * object that stays the caller's. */
int snapshot_save(struct machine *machine, const char *folder, const cJSON *about, struct error *error);
/* NULL: *error says what of the snapshot is damaged or missing. */
struct snapshot *snapshot_open(const char *folder, struct error *error);
void snapshot_close(struct snapshot *snapshot);
/* What save was given; the snapshot's. */
const cJSON *snapshot_about(const struct snapshot *snapshot);
/* Compares everything with its checksums, RAM too, which a restore does not. */
int snapshot_verify(const struct snapshot *snapshot, struct error *error);
/* Puts RAM and state into a paused machine of the same make. After a failure the
 * machine is good for machine_free only. The snapshot may be closed then. */
int snapshot_restore(const struct snapshot *snapshot, struct machine *machine, struct error *error);

#endif

/* device/scsi/: SCSI logical units, whatever carries their commands: direct-access
 * disks (SBC-3) and CD-ROM drives (MMC-6), with the commands common to both (SPC-4).
 *
 * Threading: under the device lock; done is called under it, from scsi_start or
 * later.
 */
#ifndef DEVICE_SCSI_SCSI_H
#define DEVICE_SCSI_SCSI_H

#include "backend/disk/disk.h"
#include "state/state.h"

#define SCSI_CDB 32u
#define SCSI_SENSE 18u

enum scsi_kind { SCSI_DISK = 0, SCSI_CDROM = 5 }; /* peripheral device types */

enum scsi_status { SCSI_GOOD = 0, SCSI_CHECK_CONDITION = 2 };

struct scsi_unit;

/* The caller's, until done is called. */
struct scsi_command {
	struct disk_request disk; /* the unit's */
	struct scsi_unit *unit;   /* the unit's */
	uint8_t cdb[SCSI_CDB];
	/* Where data comes from and goes to; out_size, in_size: bytes. The segments
	 * may be changed by the unit. */
	struct iovec *out, *in;
	unsigned outs, ins;
	uint64_t out_size, in_size;
	void (*done)(struct scsi_command *command);
	/* When it is done. */
	uint8_t status;
	uint8_t sense[SCSI_SENSE];
	unsigned sense_size;      /* 0: none */
	uint64_t transferred;     /* bytes */
};

/* disk becomes the unit's, also on failure; a CD-ROM drive may have none. serial
 * is copied. NULL: no memory. */
struct scsi_unit *scsi_unit_new(enum scsi_kind kind, struct disk *disk, const char *serial);
/* The device lock is not held. */
void scsi_unit_free(struct scsi_unit *unit);
void scsi_start(struct scsi_unit *unit, struct scsi_command *command);
/* Waits for all that is under way. */
void scsi_drain(struct scsi_unit *unit);
void scsi_reset(struct scsi_unit *unit);
void scsi_state(struct scsi_unit *unit, struct state *s);
/* The disk behind it, borrowed, or NULL. */
struct disk *scsi_disk(struct scsi_unit *unit);

/* Fails a command for a unit that is not there. */
void scsi_no_unit(struct scsi_command *command);

#endif

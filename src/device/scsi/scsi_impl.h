/* Private to device/scsi/: the unit, sense, and what is sent back at once. */
#ifndef DEVICE_SCSI_SCSI_IMPL_H
#define DEVICE_SCSI_SCSI_IMPL_H

#include "device/scsi/scsi.h"

struct scsi_unit {
	enum scsi_kind kind;
	struct disk *disk;
	uint32_t block;      /* bytes */
	bool ejected;        /* the tray is open, or the medium is stopped */
	bool locked;         /* the host may not take the medium out */
	char serial[21];
};

/* Sense keys with additional codes (SPC-4 annex D), as key << 16 | code << 8 | qualifier. */
enum scsi_sense {
	SENSE_NONE = 0,
	SENSE_NO_MEDIUM = 0x023a00,
	SENSE_STOPPED = 0x020402,
	SENSE_READ_ERROR = 0x031100,
	SENSE_WRITE_ERROR = 0x030c00,
	SENSE_OPCODE = 0x052000,
	SENSE_LBA = 0x052100,
	SENSE_FIELD = 0x052400,
	SENSE_NO_UNIT = 0x052500,
	SENSE_LOCKED = 0x055302,
	SENSE_PARAMETER = 0x052600,
	SENSE_PROTECTED = 0x072700,
};

/* Each ends the command. */
void scsi_good(struct scsi_command *c);
void scsi_fail(struct scsi_command *c, enum scsi_sense sense);
/* Data in, at most `limit` bytes of it (the CDB's allocation length). */
void scsi_reply(struct scsi_command *c, const uint8_t *data, size_t size, uint64_t limit);
/* The first bytes of data out; how many there were. */
size_t scsi_parameters(const struct scsi_command *c, uint8_t *to, size_t size);

/* scsi_inquiry.c: what a unit says of itself. */
void scsi_inquiry(struct scsi_unit *u, struct scsi_command *c);
void scsi_mode_sense(struct scsi_unit *u, struct scsi_command *c);
void scsi_report_luns(struct scsi_unit *u, struct scsi_command *c);

/* scsi_cdrom.c: commands that only a drive has. False: there is no such one. */
bool scsi_cdrom(struct scsi_unit *u, struct scsi_command *c);

static inline uint64_t
scsi_get(const uint8_t *p, unsigned size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | *p++;
	return value;
}

static inline void
scsi_put(uint8_t *p, unsigned size, uint64_t value)
{
	for (; size--; value >>= 8)
		p[size] = (uint8_t)value;
}

/* Blocks of the medium. */
static inline uint64_t
scsi_blocks(const struct scsi_unit *u)
{
	return u->disk ? disk_size(u->disk) / u->block : 0;
}

#endif

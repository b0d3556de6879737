/* Commands of CD-ROM drives (MMC-6): table of contents, profiles, events. The disc
 * has one data track. */
#include <string.h>

#include "device/scsi/scsi_impl.h"

enum opcode { READ_TOC = 0x43, GET_CONFIGURATION = 0x46, GET_EVENT_STATUS = 0x4a, READ_DISC_INFORMATION = 0x51 };
#define PROFILE_DVD 0x10
#define PROFILE_CD 0x08
#define CD_BLOCKS (80u * 60 * 75) /* more is taken as a DVD */
#define LEAD_OUT 0xaa

static void
put_place(uint8_t *p, bool minutes, uint64_t block)
{
	if (!minutes) {
		scsi_put(p, 4, block);
		return;
	}
	block += 150;
	p[0] = 0;
	p[1] = (uint8_t)(block / 75 / 60);
	p[2] = (uint8_t)(block / 75 % 60);
	p[3] = (uint8_t)(block % 75);
}

/* MMC-6 6.25 */
static void
read_toc(struct scsi_unit *u, struct scsi_command *c)
{
	uint8_t data[20] = { 0, 0, 1, 1 }, format = c->cdb[2] & 15, first = c->cdb[6];
	bool minutes = c->cdb[1] & 2;
	unsigned size = 4;

	if (!format)
		format = c->cdb[9] >> 6; /* where ATAPI had it */
	if (!u->disk || u->ejected) {
		scsi_fail(c, SENSE_NO_MEDIUM);
		return;
	}
	if (format > 1 || (first > 1 && first != LEAD_OUT)) {
		scsi_fail(c, SENSE_FIELD);
		return;
	}
	if (format == 1 || first <= 1) {
		data[size + 1] = 0x14; /* data track */
		data[size + 2] = 1;
		put_place(data + size + 4, minutes, 0);
		size += 8;
	}
	if (!format) {
		data[size + 1] = 0x14;
		data[size + 2] = LEAD_OUT;
		put_place(data + size + 4, minutes, scsi_blocks(u));
		size += 8;
	}
	scsi_put(data, 2, size - 2);
	scsi_reply(c, data, size, scsi_get(c->cdb + 7, 2));
}

/* MMC-6 6.6: the current profile, with the list of profiles and the core and
 * removable-medium features. */
static void
get_configuration(struct scsi_unit *u, struct scsi_command *c)
{
	static const uint8_t features[] = {
		0x00, 0x00, 0x03, 8, 0, PROFILE_DVD, 0, 0, 0, PROFILE_CD, 0, 0, /* profiles */
		0x00, 0x01, 0x0b, 8, 0, 0, 0, 1, 1, 0, 0, 0,                     /* core: SCSI */
		0x00, 0x03, 0x0b, 4, 0x29, 0, 0, 0,                              /* removable: tray, eject, lock */
	};
	uint8_t data[8 + sizeof features] = { 0 };
	bool medium = u->disk && !u->ejected, dvd = scsi_blocks(u) > CD_BLOCKS;

	scsi_put(data, 4, sizeof data - 4);
	if (medium)
		data[7] = dvd ? PROFILE_DVD : PROFILE_CD;
	memcpy(data + 8, features, sizeof features);
	data[8 + 6] = medium && dvd;
	data[8 + 10] = medium && !dvd;
	scsi_reply(c, data, sizeof data, scsi_get(c->cdb + 7, 2));
}

/* MMC-6 6.7: the medium's events, asked for (polled). */
static void
get_event_status(struct scsi_unit *u, struct scsi_command *c)
{
	uint8_t data[8] = { 0, 6, 4, 0x10, 0, 0, 0, 0 };

	if (!(c->cdb[1] & 1)) {
		scsi_fail(c, SENSE_FIELD);
		return;
	}
	if (!(c->cdb[4] & 0x10)) {
		data[1] = 2;
		data[2] = 0x80; /* no such class */
		scsi_reply(c, data, 4, scsi_get(c->cdb + 7, 2));
		return;
	}
	data[5] = (uint8_t)((u->disk && !u->ejected ? 2 : 0) | (u->ejected ? 1 : 0));
	scsi_reply(c, data, sizeof data, scsi_get(c->cdb + 7, 2));
}

static void
read_disc_information(struct scsi_unit *u, struct scsi_command *c)
{
	uint8_t data[34] = { 0, 32, 0x0e, 1, 1, 1, 1 }; /* complete, last session closed */

	if (u->disk && !u->ejected)
		scsi_reply(c, data, sizeof data, scsi_get(c->cdb + 7, 2));
	else
		scsi_fail(c, SENSE_NO_MEDIUM);
}

bool
scsi_cdrom(struct scsi_unit *u, struct scsi_command *c)
{
	switch (c->cdb[0]) {
	case READ_TOC: read_toc(u, c); return true;
	case GET_CONFIGURATION: get_configuration(u, c); return true;
	case GET_EVENT_STATUS: get_event_status(u, c); return true;
	case READ_DISC_INFORMATION: read_disc_information(u, c); return true;
	}
	return false;
}

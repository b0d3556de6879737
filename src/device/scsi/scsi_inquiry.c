/* What a SCSI unit says of itself: INQUIRY and its vital product data (SPC-4 6.4,
 * 7.8), mode pages (SPC-4 6.11, 7.5), units of a target (SPC-4 6.33). */
#include <string.h>

#include "device/scsi/scsi_impl.h"

#define VENDOR "ISOMORPH"
#define MODE_SENSE_6 0x1a

enum page { PAGES = 0x00, SERIAL = 0x80, IDENTIFICATION = 0x83, BLOCK_LIMITS = 0xb0, CHARACTERISTICS = 0xb1,
	    PROVISIONING = 0xb2 };

static const char *
product(const struct scsi_unit *u)
{
	return u->kind == SCSI_CDROM ? "CD-ROM          " : "DISK            ";
}

static void
standard(const struct scsi_unit *u, struct scsi_command *c)
{
	uint8_t data[36] = { 0 };

	data[0] = (uint8_t)u->kind;
	data[1] = u->kind == SCSI_CDROM ? 0x80 : 0; /* removable */
	data[2] = 6;                                 /* SPC-4 */
	data[3] = 2;                                 /* response format */
	data[4] = sizeof data - 5;
	data[7] = 2; /* command queuing */
	memcpy(data + 8, VENDOR, 8);
	memcpy(data + 16, product(u), 16);
	memcpy(data + 32, "1   ", 4);
	scsi_reply(c, data, sizeof data, scsi_get(c->cdb + 3, 2));
}

/* Fills in a page after its four bytes of head; returns its length, -1: unknown. */
static int
vital_page(const struct scsi_unit *u, uint8_t page, uint8_t *data)
{
	static const uint8_t pages[] = { PAGES, SERIAL, IDENTIFICATION, BLOCK_LIMITS, CHARACTERISTICS, PROVISIONING };
	unsigned serial = (unsigned)strlen(u->serial);
	bool disk = u->kind == SCSI_DISK;

	switch (page) {
	case PAGES:
		memcpy(data, pages, sizeof pages);
		return disk ? sizeof pages : 3;
	case SERIAL: memcpy(data, u->serial, serial); return (int)serial;
	case IDENTIFICATION:
		data[0] = 2; /* ASCII */
		data[1] = 1; /* vendor and serial */
		data[3] = (uint8_t)(8 + serial);
		memcpy(data + 4, VENDOR, 8);
		memcpy(data + 12, u->serial, serial);
		return (int)(12 + serial);
	case BLOCK_LIMITS:
		scsi_put(data + 16, 4, 0x400000); /* blocks of one UNMAP */
		scsi_put(data + 20, 4, 1);        /* descriptors of one */
		return disk ? 60 : -1;
	case CHARACTERISTICS:
		scsi_put(data, 2, 1); /* does not rotate */
		return disk ? 60 : -1;
	case PROVISIONING:
		data[1] = disk_read_only(u->disk) ? 0 : 0x80; /* UNMAP */
		data[2] = 2;                                  /* thin */
		return disk ? 4 : -1;
	}
	return -1;
}

void
scsi_inquiry(struct scsi_unit *u, struct scsi_command *c)
{
	uint8_t data[4 + 64] = { 0 };
	int size;

	if (!(c->cdb[1] & 1)) {
		if (c->cdb[2])
			scsi_fail(c, SENSE_FIELD);
		else
			standard(u, c);
		return;
	}
	size = vital_page(u, c->cdb[2], data + 4);
	if (size < 0) {
		scsi_fail(c, SENSE_FIELD);
		return;
	}
	data[0] = (uint8_t)u->kind;
	data[1] = c->cdb[2];
	scsi_put(data + 2, 2, (unsigned)size);
	scsi_reply(c, data, 4 + (size_t)size, scsi_get(c->cdb + 3, 2));
}

/* ---- mode pages --------------------------------------------------------------------- */

static unsigned
caching_page(uint8_t *p, bool changeable)
{
	p[0] = 0x08;
	p[1] = 18;
	p[2] = changeable ? 0 : 4; /* WCE: a flush is needed */
	return 20;
}

static unsigned
capabilities_page(uint8_t *p)
{
	p[0] = 0x2a;
	p[1] = 20;
	p[2] = 0x3b; /* reads CD-R, CD-RW, DVD-ROM, DVD-R */
	p[4] = 0x71; /* audio, multisession, mode 2 */
	p[6] = 0x2d; /* tray, eject, lock */
	scsi_put(p + 8, 2, 706 * 8);
	return 22;
}

void
scsi_mode_sense(struct scsi_unit *u, struct scsi_command *c)
{
	bool six = c->cdb[0] == MODE_SENSE_6;
	uint8_t data[8 + 64] = { 0 }, page = c->cdb[2] & 63, control = c->cdb[2] >> 6;
	unsigned head = six ? 4 : 8, size = head;
	bool all = page == 0x3f, known = all;

	if (control == 3) { /* saved values: there are none */
		scsi_fail(c, SENSE_FIELD);
		return;
	}
	if (u->kind == SCSI_DISK && (all || page == 0x08)) {
		size += caching_page(data + size, control == 1);
		known = true;
	}
	if (u->kind == SCSI_CDROM && (all || page == 0x2a)) {
		size += capabilities_page(data + size);
		known = true;
	}
	if (!known) {
		scsi_fail(c, SENSE_FIELD);
		return;
	}
	/* Write protection is in the device-specific byte. */
	data[six ? 2 : 3] = u->disk && disk_read_only(u->disk) ? 0x80 : 0;
	scsi_put(data, six ? 1 : 2, size - (six ? 1 : 2));
	scsi_reply(c, data, size, six ? c->cdb[4] : scsi_get(c->cdb + 7, 2));
}

void
scsi_report_luns(struct scsi_unit *u, struct scsi_command *c)
{
	uint8_t data[16] = { 0, 0, 0, 8 }; /* one: unit 0 */

	(void)u;
	scsi_reply(c, data, sizeof data, scsi_get(c->cdb + 6, 4));
}

/* A SCSI unit's commands: transfers, and what both kinds of units share. Sections
 * cited are of SPC-4 and SBC-3. */
#include <stdlib.h>
#include <string.h>

#include "device/scsi/scsi_impl.h"

enum opcode {
	TEST_UNIT_READY = 0x00, REQUEST_SENSE = 0x03, READ_6 = 0x08, WRITE_6 = 0x0a, INQUIRY = 0x12, MODE_SELECT_6 = 0x15,
	MODE_SENSE_6 = 0x1a, START_STOP = 0x1b, PREVENT_ALLOW = 0x1e, READ_CAPACITY_10 = 0x25, READ_10 = 0x28,
	WRITE_10 = 0x2a, VERIFY_10 = 0x2f, SYNCHRONIZE_10 = 0x35, UNMAP = 0x42, MODE_SENSE_10 = 0x5a, READ_16 = 0x88,
	WRITE_16 = 0x8a, SYNCHRONIZE_16 = 0x91, SERVICE_ACTION_IN_16 = 0x9e, REPORT_LUNS = 0xa0, READ_12 = 0xa8,
	WRITE_12 = 0xaa,
};
#define READ_CAPACITY_16 0x10
#define UNMAP_HEADER 8u
#define UNMAP_DESCRIPTOR 16u
#define UNMAP_BLOCKS 0x400000u

/* ---- how commands end ------------------------------------------------------------ */

void
scsi_good(struct scsi_command *c)
{
	c->status = SCSI_GOOD;
	c->sense_size = 0;
	c->done(c);
}

/* Sense data, fixed format (SPC-4 4.5.3). */
static void
put_sense(uint8_t *sense, uint8_t key, uint8_t code, uint8_t qualifier)
{
	memset(sense, 0, SCSI_SENSE);
	sense[0] = 0x70;
	sense[2] = key;
	sense[7] = SCSI_SENSE - 8;
	sense[12] = code;
	sense[13] = qualifier;
}

void
scsi_fail(struct scsi_command *c, enum scsi_sense sense)
{
	c->status = SCSI_CHECK_CONDITION;
	c->transferred = 0;
	put_sense(c->sense, (uint8_t)(sense >> 16), (uint8_t)(sense >> 8), (uint8_t)sense);
	c->sense_size = SCSI_SENSE;
	c->done(c);
}

void
scsi_no_unit(struct scsi_command *c)
{
	static const uint8_t nobody[36] = { 0x7f, 0, 5, 2, 31 }; /* INQUIRY's answer: not there */

	if (c->cdb[0] == INQUIRY)
		scsi_reply(c, nobody, sizeof nobody, scsi_get(c->cdb + 3, 2));
	else
		scsi_fail(c, SENSE_NO_UNIT);
}

void
scsi_reply(struct scsi_command *c, const uint8_t *data, size_t size, uint64_t limit)
{
	uint64_t left = size < limit ? size : limit;

	left = left < c->in_size ? left : c->in_size;
	c->transferred = left;
	for (unsigned i = 0; i < c->ins && left; i++) {
		size_t part = c->in[i].iov_len < left ? c->in[i].iov_len : left;

		memcpy(c->in[i].iov_base, data, part);
		data += part;
		left -= part;
	}
	scsi_good(c);
}

size_t
scsi_parameters(const struct scsi_command *c, uint8_t *to, size_t size)
{
	size_t done = 0;

	for (unsigned i = 0; i < c->outs && done < size; i++) {
		size_t part = c->out[i].iov_len < size - done ? c->out[i].iov_len : size - done;

		memcpy(to + done, c->out[i].iov_base, part);
		done += part;
	}
	return done;
}

/* ---- transfers ----------------------------------------------------------------------- */

static void
transferred(struct disk_request *request)
{
	struct scsi_command *c = (struct scsi_command *)request;

	if (!request->result) {
		scsi_good(c);
		return;
	}
	scsi_fail(c, request->op == DISK_READ ? SENSE_READ_ERROR : SENSE_WRITE_ERROR);
}

/* The first size bytes of the segments. */
static unsigned
cut(struct iovec *segment, unsigned count, uint64_t size)
{
	unsigned n = 0;

	for (; n < count && size; n++) {
		if (segment[n].iov_len > size)
			segment[n].iov_len = size;
		size -= segment[n].iov_len;
	}
	return n;
}

static void
transfer(struct scsi_unit *u, struct scsi_command *c, uint64_t lba, uint64_t blocks, bool write)
{
	uint64_t size = blocks * u->block;

	if (write && disk_read_only(u->disk)) {
		scsi_fail(c, SENSE_PROTECTED);
		return;
	}
	if (lba > scsi_blocks(u) || blocks > scsi_blocks(u) - lba) {
		scsi_fail(c, SENSE_LBA);
		return;
	}
	if (!blocks) {
		scsi_good(c);
		return;
	}
	if (size > (write ? c->out_size : c->in_size)) {
		scsi_fail(c, SENSE_FIELD); /* less room than the CDB asks for */
		return;
	}
	c->transferred = size;
	c->disk.op = write ? DISK_WRITE : DISK_READ;
	c->disk.offset = lba * u->block;
	c->disk.size = size;
	c->disk.segment = write ? c->out : c->in;
	c->disk.segments = write ? cut(c->out, c->outs, size) : cut(c->in, c->ins, size);
	c->disk.done = transferred;
	disk_submit(u->disk, &c->disk);
}

static void
transfer_6(struct scsi_unit *u, struct scsi_command *c, bool write)
{
	transfer(u, c, scsi_get(c->cdb + 1, 3) & 0x1fffff, c->cdb[4] ? c->cdb[4] : 256, write);
}

static void
synchronize(struct scsi_unit *u, struct scsi_command *c)
{
	c->disk.op = DISK_FLUSH;
	c->disk.done = transferred;
	disk_submit(u->disk, &c->disk);
}

/* SBC-3 5.29; one descriptor. */
static void
unmap(struct scsi_unit *u, struct scsi_command *c)
{
	uint8_t list[UNMAP_HEADER + UNMAP_DESCRIPTOR];
	uint64_t lba, blocks;

	if (disk_read_only(u->disk)) {
		scsi_fail(c, SENSE_PROTECTED);
		return;
	}
	if (scsi_parameters(c, list, sizeof list) < sizeof list || scsi_get(list + 2, 2) != UNMAP_DESCRIPTOR) {
		scsi_fail(c, SENSE_PARAMETER);
		return;
	}
	lba = scsi_get(list + 8, 8);
	blocks = scsi_get(list + 16, 4);
	if (lba > scsi_blocks(u) || blocks > scsi_blocks(u) - lba || blocks > UNMAP_BLOCKS) {
		scsi_fail(c, SENSE_LBA);
		return;
	}
	c->transferred = sizeof list;
	c->disk.op = DISK_DISCARD;
	c->disk.offset = lba * u->block;
	c->disk.size = blocks * u->block;
	c->disk.done = transferred;
	disk_submit(u->disk, &c->disk);
}

static void
capacity_10(struct scsi_unit *u, struct scsi_command *c)
{
	uint64_t last = scsi_blocks(u) ? scsi_blocks(u) - 1 : 0;
	uint8_t data[8];

	scsi_put(data, 4, last < UINT32_MAX ? last : UINT32_MAX);
	scsi_put(data + 4, 4, u->block);
	scsi_reply(c, data, sizeof data, sizeof data);
}

static void
capacity_16(struct scsi_unit *u, struct scsi_command *c)
{
	uint8_t data[32] = { 0 };

	if ((c->cdb[1] & 31) != READ_CAPACITY_16) {
		scsi_fail(c, SENSE_FIELD);
		return;
	}
	scsi_put(data, 8, scsi_blocks(u) ? scsi_blocks(u) - 1 : 0);
	scsi_put(data + 8, 4, u->block);
	if (u->kind == SCSI_DISK) {
		data[13] = 3; /* 8 blocks a physical one */
		if (!disk_read_only(u->disk))
			data[14] = 0x80; /* LBPME: knows UNMAP */
	}
	scsi_reply(c, data, sizeof data, scsi_get(c->cdb + 10, 4));
}

/* ---- dispatch -------------------------------------------------------------------------- */

/* SBC-3 5.25, MMC-6 6.42 */
static void
start_stop(struct scsi_unit *u, struct scsi_command *c)
{
	bool start = c->cdb[4] & 1, eject = c->cdb[4] & 2;

	if (c->cdb[4] >> 4) { /* a power condition */
		scsi_good(c);
		return;
	}
	if (u->kind == SCSI_CDROM && eject) {
		if (!start && u->locked) {
			scsi_fail(c, SENSE_LOCKED);
			return;
		}
		u->ejected = !start;
	}
	scsi_good(c);
}

static void
request_sense(struct scsi_command *c)
{
	uint8_t sense[SCSI_SENSE];

	put_sense(sense, 0, 0, 0); /* sense goes with each status: none is left */
	scsi_reply(c, sense, sizeof sense, c->cdb[4]);
}

/* Commands that work without a medium. */
static bool
without_medium(struct scsi_unit *u, struct scsi_command *c)
{
	switch (c->cdb[0]) {
	case REQUEST_SENSE: request_sense(c); return true;
	case INQUIRY: scsi_inquiry(u, c); return true;
	case MODE_SENSE_6: case MODE_SENSE_10: scsi_mode_sense(u, c); return true;
	case START_STOP: start_stop(u, c); return true;
	case REPORT_LUNS: scsi_report_luns(u, c); return true;
	case PREVENT_ALLOW:
		u->locked = c->cdb[4] & 1;
		scsi_good(c);
		return true;
	}
	return u->kind == SCSI_CDROM && scsi_cdrom(u, c);
}

static void
with_medium(struct scsi_unit *u, struct scsi_command *c)
{
	const uint8_t *cdb = c->cdb;
	bool disk = u->kind == SCSI_DISK;

	switch (cdb[0]) {
	case TEST_UNIT_READY: case VERIFY_10: scsi_good(c); return;
	case READ_CAPACITY_10: capacity_10(u, c); return;
	case SERVICE_ACTION_IN_16: capacity_16(u, c); return;
	case READ_6: transfer_6(u, c, false); return;
	case READ_10: transfer(u, c, scsi_get(cdb + 2, 4), scsi_get(cdb + 7, 2), false); return;
	case READ_12: transfer(u, c, scsi_get(cdb + 2, 4), scsi_get(cdb + 6, 4), false); return;
	case READ_16: transfer(u, c, scsi_get(cdb + 2, 8), scsi_get(cdb + 10, 4), false); return;
	case SYNCHRONIZE_10: case SYNCHRONIZE_16: synchronize(u, c); return;
	}
	switch (disk ? cdb[0] : 0xff) {
	case WRITE_6: transfer_6(u, c, true); return;
	case WRITE_10: transfer(u, c, scsi_get(cdb + 2, 4), scsi_get(cdb + 7, 2), true); return;
	case WRITE_12: transfer(u, c, scsi_get(cdb + 2, 4), scsi_get(cdb + 6, 4), true); return;
	case WRITE_16: transfer(u, c, scsi_get(cdb + 2, 8), scsi_get(cdb + 10, 4), true); return;
	case UNMAP: unmap(u, c); return;
	}
	scsi_fail(c, SENSE_OPCODE);
}

void
scsi_start(struct scsi_unit *u, struct scsi_command *c)
{
	c->unit = u;
	c->disk = (struct disk_request){ 0 };
	c->transferred = 0;
	c->sense_size = 0;
	if (without_medium(u, c))
		return;
	if (!u->disk || u->ejected)
		scsi_fail(c, SENSE_NO_MEDIUM);
	else
		with_medium(u, c);
}

/* ---- life -------------------------------------------------------------------------------- */

struct scsi_unit *
scsi_unit_new(enum scsi_kind kind, struct disk *disk, const char *serial)
{
	struct scsi_unit *u = calloc(1, sizeof *u);

	if (!u) {
		disk_close(disk);
		return NULL;
	}
	u->kind = kind;
	u->disk = disk;
	u->block = kind == SCSI_CDROM ? 2048 : 512;
	text_format(u->serial, sizeof u->serial, "%s", serial);
	return u;
}

void
scsi_unit_free(struct scsi_unit *u)
{
	if (!u)
		return;
	disk_close(u->disk);
	free(u);
}

void
scsi_drain(struct scsi_unit *u)
{
	if (u->disk)
		disk_drain(u->disk);
}

void
scsi_reset(struct scsi_unit *u)
{
	u->ejected = u->locked = false;
}

void
scsi_state(struct scsi_unit *u, struct state *s)
{
	state_begin(s, "scsi", 1);
	state_bool(s, "ejected", &u->ejected);
	state_bool(s, "locked", &u->locked);
	state_end(s);
}

struct disk *
scsi_disk(struct scsi_unit *u)
{
	return u->disk;
}

/* virtio SCSI host (virtio 5.6): queue 0 takes task management, queue 1 would tell
 * of events, queue 2 takes commands: a head with the CDB, data out, a response with
 * the sense, data in. */
#include "device/virtio/scsi.h"

#include <stdlib.h>

#include "device/virtio/virtio_impl.h"

enum queue { CONTROL, EVENT, REQUEST, QUEUES };
enum config { C_QUEUES = 0, C_SEG_MAX = 4, C_MAX_SECTORS = 8, C_PER_LUN = 12, C_EVENT_SIZE = 16, C_SENSE = 20, C_CDB = 24,
	      C_CHANNEL = 28, C_TARGET = 30, C_LUN = 32, C_SIZE = 36 };
#define SENSE_SIZE 96u
#define HEAD 19u     /* before the CDB: lun, tag, attributes */
#define RESPONSE 12u /* before the sense */
enum response { R_OK = 0, R_BAD_TARGET = 3 };
#define CONTROL_TASK 0u

struct request {
	struct scsi_command command;
	struct scsi_host *host;
	struct virtqueue *queue;
	struct request *next; /* in the list of free ones */
	struct virtio_chain chain;
	struct iovec out[VIRTIO_SEGMENTS], in[VIRTIO_SEGMENTS];
	uint8_t response;
};

struct scsi_host {
	struct virtio_device virtio;
	struct scsi_unit *unit[VIRTIO_SCSI_TARGETS];
	struct request *unused;
	uint32_t sense_size, cdb_size; /* the driver may change them */
};

static struct scsi_host *
scsi_host(struct virtio_device *device)
{
	return (struct scsi_host *)device;
}

/* ---- commands -------------------------------------------------------------------- */

static void
finish(struct request *r)
{
	struct scsi_host *h = r->host;
	const struct scsi_command *c = &r->command;
	uint8_t bytes[RESPONSE + SENSE_SIZE] = { 0 };
	uint64_t written = RESPONSE + h->sense_size;

	put32(bytes, c->sense_size);
	if (c->transferred < c->in_size + c->out_size)
		put32(bytes + 4, (uint32_t)(c->in_size + c->out_size - c->transferred));
	bytes[10] = c->status;
	bytes[11] = r->response;
	memcpy(bytes + RESPONSE, c->sense, c->sense_size);
	virtio_chain_write(&r->chain, 0, bytes, RESPONSE + h->sense_size);
	if (c->in_size)
		written += c->in_size; /* a failed read may have written any of it */
	virtqueue_push(r->queue, &r->chain, (uint32_t)written);
	virtqueue_signal(r->queue);
	r->next = h->unused;
	h->unused = r;
}

static void
command_done(struct scsi_command *command)
{
	finish((struct request *)command);
}

/* virtio 5.6.6.1: 1, target, 0x40 | unit in two bytes. */
static struct scsi_unit *
unit_of(struct scsi_host *h, const uint8_t *lun)
{
	if (lun[0] != 1 || lun[1] >= VIRTIO_SCSI_TARGETS)
		return NULL;
	return h->unit[lun[1]];
}

static void
start(struct request *r, const uint8_t *head)
{
	struct scsi_host *h = r->host;
	struct scsi_command *c = &r->command;
	const struct virtio_chain *chain = &r->chain;
	struct scsi_unit *unit = unit_of(h, head);
	unsigned skip_out = HEAD + h->cdb_size, skip_in = RESPONSE + h->sense_size;

	memset(c->cdb, 0, sizeof c->cdb);
	memcpy(c->cdb, head + HEAD, h->cdb_size < SCSI_CDB ? h->cdb_size : SCSI_CDB);
	c->out = r->out;
	c->in = r->in;
	c->outs = virtio_cut(chain->segment, chain->out, skip_out, chain->out_size - skip_out, r->out, &c->out_size);
	c->ins = virtio_cut(chain->segment + chain->out, chain->in, skip_in, chain->in_size - skip_in, r->in, &c->in_size);
	c->done = command_done;
	c->sense_size = 0;
	c->transferred = 0;
	c->status = SCSI_GOOD;
	r->response = R_OK;
	if (!unit) {
		r->response = R_BAD_TARGET;
		finish(r);
	} else if (head[2] & 0x3f || head[3]) { /* another unit of the target */
		scsi_no_unit(c);
	} else {
		scsi_start(unit, c);
	}
}

static struct request *
request_new(struct scsi_host *h, struct virtqueue *queue)
{
	struct request *r = h->unused;

	if (r)
		h->unused = r->next;
	else
		r = malloc(sizeof *r);
	if (r) {
		r->host = h;
		r->queue = queue;
	}
	return r;
}

static void
commands(struct scsi_host *h, struct virtqueue *queue)
{
	for (;;) {
		struct request *r = request_new(h, queue);
		uint8_t head[HEAD + 256];

		if (!r)
			return;
		if (!virtqueue_pop(queue, &r->chain)) {
			r->next = h->unused;
			h->unused = r;
			return;
		}
		if (virtio_chain_read(&r->chain, 0, head, HEAD + h->cdb_size) < HEAD + h->cdb_size ||
		    r->chain.in_size < RESPONSE + h->sense_size) {
			virtio_broken(&h->virtio, "queue %u: a command without room for head or response", queue->index);
			r->next = h->unused;
			h->unused = r;
			return;
		}
		start(r, head);
	}
}

/* ---- task management ----------------------------------------------------------------- */

static void
drain(struct virtio_device *device)
{
	for (unsigned i = 0; i < VIRTIO_SCSI_TARGETS; i++)
		if (scsi_host(device)->unit[i])
			scsi_drain(scsi_host(device)->unit[i]);
}

/* Whatever is to be aborted or reset: once nothing is under way, it is. */
static void
control(struct scsi_host *h, struct virtqueue *queue)
{
	struct virtio_chain chain;

	while (virtqueue_pop(queue, &chain)) {
		uint8_t head[16] = { 0 }, answer[5] = { 0 };
		size_t size;

		if (virtio_chain_read(&chain, 0, head, sizeof head) < sizeof head) {
			virtio_broken(&h->virtio, "queue 0: a task management request without head");
			return;
		}
		drain(&h->virtio);
		if (get32(head) == CONTROL_TASK) {
			answer[0] = unit_of(h, head + 8) ? R_OK : R_BAD_TARGET;
			size = 1;
		} else {
			size = 5; /* asynchronous notification: there are no events */
		}
		virtqueue_push(queue, &chain, (uint32_t)virtio_chain_write(&chain, 0, answer, size));
	}
	virtqueue_signal(queue);
}

static void
scsi_notify(struct virtio_device *device, struct virtqueue *queue)
{
	if (queue->index == CONTROL)
		control(scsi_host(device), queue);
	else if (queue->index >= REQUEST)
		commands(scsi_host(device), queue);
}

/* ---- configuration -------------------------------------------------------------------- */

static void
scsi_config(struct virtio_device *device, uint8_t *config)
{
	put32(config + C_QUEUES, 1);
	put32(config + C_SEG_MAX, VIRTIO_SEGMENTS - 2);
	put32(config + C_MAX_SECTORS, 0xffff);
	put32(config + C_PER_LUN, 128);
	put32(config + C_EVENT_SIZE, 16);
	put32(config + C_SENSE, scsi_host(device)->sense_size);
	put32(config + C_CDB, scsi_host(device)->cdb_size);
	put16(config + C_TARGET, VIRTIO_SCSI_TARGETS - 1);
}

static void
scsi_configure(struct virtio_device *device, const uint8_t *config, unsigned offset, unsigned size)
{
	uint32_t value = get32(config + offset);

	if (size != 4 || device->status & VIRTIO_DRIVER_OK)
		return;
	if (offset == C_SENSE && value >= SCSI_SENSE && value <= SENSE_SIZE)
		scsi_host(device)->sense_size = value;
	if (offset == C_CDB && value && value <= SCSI_CDB)
		scsi_host(device)->cdb_size = value;
}

/* ---- life ------------------------------------------------------------------------------ */

static void
scsi_host_reset(struct virtio_device *device)
{
	struct scsi_host *h = scsi_host(device);

	drain(device);
	for (unsigned i = 0; i < VIRTIO_SCSI_TARGETS; i++)
		if (h->unit[i])
			scsi_reset(h->unit[i]);
	h->sense_size = SENSE_SIZE;
	h->cdb_size = SCSI_CDB;
}

static void
scsi_queue_reset(struct virtio_device *device, struct virtqueue *queue)
{
	(void)queue;
	drain(device);
}

static void
scsi_host_state(struct virtio_device *device, struct state *s)
{
	struct scsi_host *h = scsi_host(device);

	state_u32(s, "sense_size", &h->sense_size);
	state_u32(s, "cdb_size", &h->cdb_size);
	if (h->sense_size < SCSI_SENSE || h->sense_size > SENSE_SIZE || !h->cdb_size || h->cdb_size > SCSI_CDB) {
		state_check(s, false, "a size of sense or command block that cannot be");
		h->sense_size = SENSE_SIZE;
		h->cdb_size = SCSI_CDB;
	}
	for (unsigned i = 0; i < VIRTIO_SCSI_TARGETS; i++)
		if (h->unit[i])
			scsi_state(h->unit[i], s);
}

static void
scsi_free(struct virtio_device *device)
{
	struct scsi_host *h = scsi_host(device);

	for (unsigned i = 0; i < VIRTIO_SCSI_TARGETS; i++)
		scsi_unit_free(h->unit[i]);
	while (h->unused) {
		struct request *next = h->unused->next;

		free(h->unused);
		h->unused = next;
	}
}

static const struct virtio_class scsi_class = {
	.type = VIRTIO_TYPE("virtio-scsi", 1),
	.id = 8,
	.config_size = C_SIZE,
	.reset = scsi_host_reset,
	.notify = scsi_notify,
	.queue_reset = scsi_queue_reset,
	.config = scsi_config,
	.configure = scsi_configure,
	.state = scsi_host_state,
	.quiesce = drain,
	.free = scsi_free,
};

int
virtio_scsi_add(struct virtio_device *device, struct scsi_unit *unit)
{
	for (unsigned i = 0; i < VIRTIO_SCSI_TARGETS; i++) {
		if (scsi_host(device)->unit[i])
			continue;
		scsi_host(device)->unit[i] = unit;
		return 0;
	}
	scsi_unit_free(unit);
	return -1;
}

struct disk *
virtio_scsi_disk(struct virtio_device *device, unsigned target)
{
	struct scsi_unit *unit = target < VIRTIO_SCSI_TARGETS ? scsi_host(device)->unit[target] : NULL;

	return unit ? scsi_disk(unit) : NULL;
}

struct virtio_device *
virtio_scsi_new(const struct virtio_host *host, const char *name)
{
	struct scsi_host *h = virtio_new(&scsi_class, sizeof *h, host, name, 0, QUEUES, VIRTQUEUE_SIZE);

	if (!h)
		return NULL;
	h->sense_size = SENSE_SIZE;
	h->cdb_size = SCSI_CDB;
	return &h->virtio;
}

/* virtio block device (virtio 5.2). A request is a chain: a header of 16 bytes,
 * the data, and one byte of status at the end. Its data segments go to the disk
 * as they are, so host I/O reads and writes guest RAM.
 *
 * Writes are held back by the host's cache when the driver knows of FLUSH and has
 * not asked for write-through; else each write is flushed before it is done. */
#include "device/virtio/blk.h"

#include <stdlib.h>

#include "device/virtio/virtio_impl.h"

#define SECTOR 512u
#define HEADER 16u
#define RANGE 16u            /* a segment of discard or write-zeroes */
#define RANGE_SECTORS 0x400000u /* of one request: 2 GiB */
#define SERIAL 20u
#define QUEUES 8u

enum feature { SEG_MAX = 2, RO = 5, BLK_SIZE = 6, FLUSH = 9, TOPOLOGY = 10, CONFIG_WCE = 11, MQ = 12, DISCARD = 13,
	       WRITE_ZEROES = 14 };
enum request_type { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum request_status { S_OK, S_IOERR, S_UNSUPP };

/* Offsets of the configuration space. */
enum config { C_CAPACITY = 0, C_SEG_MAX = 12, C_BLK_SIZE = 20, C_TOPOLOGY = 24, C_WRITEBACK = 32, C_QUEUES = 34,
	      C_DISCARD = 36, C_WRITE_ZEROES = 48, C_SIZE = 60 };

struct blk;

struct request {
	struct disk_request disk;
	struct blk *blk;
	struct virtqueue *queue;
	struct request *next; /* in the list of free ones */
	bool flushing;        /* the flush after a write */
	struct virtio_chain chain;
	struct iovec data[VIRTIO_SEGMENTS];
};

struct blk {
	struct virtio_device virtio;
	struct disk *disk;
	struct request *unused;
	char serial[SERIAL];
	uint8_t writeback;
};

static struct blk *
blk(struct virtio_device *device)
{
	return (struct blk *)device;
}

/* ---- requests ---------------------------------------------------------------- */

static struct request *
request_new(struct blk *b, struct virtqueue *queue)
{
	struct request *r = b->unused;

	if (r)
		b->unused = r->next;
	else
		r = malloc(sizeof *r);
	if (!r)
		return NULL;
	r->disk = (struct disk_request){ 0 };
	r->blk = b;
	r->queue = queue;
	r->flushing = false;
	return r;
}

static void
request_free(struct request *r)
{
	r->next = r->blk->unused;
	r->blk->unused = r;
}

/* The status is the last writable byte. */
static void
finish(struct request *r, uint8_t status)
{
	const struct virtio_chain *chain = &r->chain;
	const struct iovec *last = &chain->segment[chain->out + chain->in - 1];

	((uint8_t *)last->iov_base)[last->iov_len - 1] = status;
	virtqueue_push(r->queue, chain, (uint32_t)chain->in_size);
	virtqueue_signal(r->queue);
	request_free(r);
}

static void
done(struct disk_request *disk)
{
	struct request *r = (struct request *)disk;
	struct blk *b = r->blk;
	bool through = !virtio_has(&b->virtio, FLUSH) || !b->writeback;

	if (!disk->result && through && !r->flushing && disk->op != DISK_READ && disk->op != DISK_FLUSH) {
		disk->op = DISK_FLUSH;
		r->flushing = true;
		disk_submit(b->disk, disk);
		return;
	}
	finish(r, disk->result ? S_IOERR : S_OK);
}

static void
transfer(struct request *r, uint64_t sector, bool write)
{
	const struct virtio_chain *chain = &r->chain;
	uint64_t size, want;

	if (write) {
		want = chain->out_size - HEADER;
		r->disk.segments = virtio_cut(chain->segment, chain->out, HEADER, want, r->data, &size);
	} else {
		want = chain->in_size - 1;
		r->disk.segments = virtio_cut(chain->segment + chain->out, chain->in, 0, want, r->data, &size);
	}
	if (sector > UINT64_MAX / SECTOR) {
		finish(r, S_IOERR);
		return;
	}
	r->disk.op = write ? DISK_WRITE : DISK_READ;
	r->disk.offset = sector * SECTOR;
	r->disk.size = size;
	r->disk.segment = r->data;
	r->disk.done = done;
	disk_submit(r->blk->disk, &r->disk);
}

static void
range(struct request *r, bool zero)
{
	uint8_t bytes[RANGE];
	uint64_t sector;
	uint32_t sectors, flags;

	if (r->chain.out_size != HEADER + RANGE) {
		finish(r, r->chain.out_size > HEADER && r->chain.out_size % RANGE == 0 ? S_UNSUPP : S_IOERR);
		return;
	}
	virtio_chain_read(&r->chain, HEADER, bytes, sizeof bytes);
	sector = get64(bytes);
	sectors = get32(bytes + 8);
	flags = get32(bytes + 12);
	if (flags & ~1u || (!zero && flags)) {
		finish(r, S_UNSUPP);
		return;
	}
	if (sectors > RANGE_SECTORS || sector > UINT64_MAX / SECTOR) {
		finish(r, S_IOERR);
		return;
	}
	r->disk.op = zero ? DISK_ZERO : DISK_DISCARD;
	r->disk.unmap = flags;
	r->disk.offset = sector * SECTOR;
	r->disk.size = (uint64_t)sectors * SECTOR;
	r->disk.done = done;
	disk_submit(r->blk->disk, &r->disk);
}

static void
start(struct request *r, uint32_t type, uint64_t sector)
{
	switch (type) {
	case T_IN: transfer(r, sector, false); return;
	case T_OUT: transfer(r, sector, true); return;
	case T_DISCARD: range(r, false); return;
	case T_WRITE_ZEROES: range(r, true); return;
	case T_FLUSH:
		r->disk.op = DISK_FLUSH;
		r->disk.done = done;
		disk_submit(r->blk->disk, &r->disk);
		return;
	case T_GET_ID:
		virtio_chain_write(&r->chain, 0, r->blk->serial,
				   r->chain.in_size - 1 < SERIAL ? r->chain.in_size - 1 : SERIAL);
		finish(r, S_OK);
		return;
	}
	finish(r, S_UNSUPP);
}

static void
blk_notify(struct virtio_device *device, struct virtqueue *queue)
{
	for (;;) {
		struct request *r = request_new(blk(device), queue);
		uint8_t header[HEADER];

		if (!r)
			return;
		if (!virtqueue_pop(queue, &r->chain)) {
			request_free(r);
			return;
		}
		if (!r->chain.in_size || virtio_chain_read(&r->chain, 0, header, HEADER) != HEADER) {
			virtio_broken(device, "queue %u: a request without header or status", queue->index);
			request_free(r);
			return;
		}
		start(r, get32(header), get64(header + 8));
	}
}

/* ---- configuration ------------------------------------------------------------- */

static void
blk_config(struct virtio_device *device, uint8_t *config)
{
	put64(config + C_CAPACITY, disk_size(blk(device)->disk) / SECTOR);
	put32(config + C_SEG_MAX, VIRTIO_SEGMENTS - 2);
	put32(config + C_BLK_SIZE, SECTOR);
	config[C_TOPOLOGY] = 3; /* physical blocks of 4096 bytes */
	put16(config + C_TOPOLOGY + 2, 8);
	config[C_WRITEBACK] = blk(device)->writeback;
	put16(config + C_QUEUES, (uint16_t)device->queues);
	put32(config + C_DISCARD, RANGE_SECTORS);
	put32(config + C_DISCARD + 4, 1);
	put32(config + C_DISCARD + 8, 8); /* sectors, aligned */
	put32(config + C_WRITE_ZEROES, RANGE_SECTORS);
	put32(config + C_WRITE_ZEROES + 4, 1);
	config[C_WRITE_ZEROES + 8] = 1; /* may unmap */
}

static void
blk_configure(struct virtio_device *device, const uint8_t *config, unsigned offset, unsigned size)
{
	if (offset <= C_WRITEBACK && offset + size > C_WRITEBACK && virtio_has(device, CONFIG_WCE))
		blk(device)->writeback = config[C_WRITEBACK] & 1;
}

/* ---- life -------------------------------------------------------------------------- */

static void
blk_quiesce(struct virtio_device *device)
{
	disk_drain(blk(device)->disk);
}

static void
blk_reset(struct virtio_device *device)
{
	blk_quiesce(device);
	blk(device)->writeback = 1;
}

static void
blk_queue_reset(struct virtio_device *device, struct virtqueue *queue)
{
	(void)queue;
	blk_quiesce(device);
}

static void
blk_state(struct virtio_device *device, struct state *s)
{
	state_u8(s, "writeback", &blk(device)->writeback);
}

static void
blk_free(struct virtio_device *device)
{
	struct blk *b = blk(device);

	disk_close(b->disk);
	while (b->unused) {
		struct request *next = b->unused->next;

		free(b->unused);
		b->unused = next;
	}
}

static const struct virtio_class blk_class = {
	.type = VIRTIO_TYPE("virtio-blk", 1),
	.id = 2,
	.config_size = C_SIZE,
	.reset = blk_reset,
	.notify = blk_notify,
	.queue_reset = blk_queue_reset,
	.config = blk_config,
	.configure = blk_configure,
	.state = blk_state,
	.quiesce = blk_quiesce,
	.free = blk_free,
};

struct disk *
virtio_blk_disk(struct virtio_device *device)
{
	return blk(device)->disk;
}

struct virtio_device *
virtio_blk_new(const struct virtio_host *host, const char *name, const struct virtio_blk_options *options)
{
	uint64_t features = VIRTIO_F(SEG_MAX) | VIRTIO_F(BLK_SIZE) | VIRTIO_F(FLUSH) | VIRTIO_F(TOPOLOGY) |
			    VIRTIO_F(CONFIG_WCE) | VIRTIO_F(MQ);
	unsigned queues = options->queues ? options->queues : 1;
	const char *serial = options->serial ? options->serial : name;
	struct blk *b;

	if (disk_read_only(options->disk))
		features |= VIRTIO_F(RO);
	else
		features |= VIRTIO_F(DISCARD) | VIRTIO_F(WRITE_ZEROES);
	b = virtio_new(&blk_class, sizeof *b, host, name, features, queues < QUEUES ? queues : QUEUES, VIRTQUEUE_SIZE);
	if (!b) {
		disk_close(options->disk);
		return NULL;
	}
	b->disk = options->disk;
	b->writeback = 1;
	memcpy(b->serial, serial, strnlen(serial, SERIAL));
	return &b->virtio;
}

/* virtio 9P transport: one queue; a chain is a message and room for its answer. The
 * server may wait for the host's disk, so it has a thread of its own and takes one
 * message after the other. */
#include "device/virtio/p9.h"

#include <stdlib.h>

#include "backend/work/worker.h"
#include "device/virtio/virtio_impl.h"

#define MOUNT_TAG 0 /* the only feature */

struct request {
	struct worker_job job;
	struct share *share;
	struct virtqueue *queue;
	struct virtio_chain chain;
	size_t size, room, answered;
	uint8_t *answer;    /* behind the message */
	uint8_t message[];
};

struct share {
	struct virtio_device virtio;
	struct p9 *p9;
	struct worker *worker;
	char tag[VIRTIO_P9_TAG];
	uint16_t tag_size;
};

static struct share *
share(struct virtio_device *device)
{
	return (struct share *)device;
}

static void
run(struct worker_job *job)
{
	struct request *r = (struct request *)job;

	r->answered = p9_handle(r->share->p9, r->message, r->size, r->answer, r->room);
}

static void
done(struct worker_job *job)
{
	struct request *r = (struct request *)job;

	virtqueue_push(r->queue, &r->chain,
		       (uint32_t)virtio_chain_write(&r->chain, 0, r->answer, r->answered));
	virtqueue_signal(r->queue);
	free(r);
}

static void
share_notify(struct virtio_device *device, struct virtqueue *queue)
{
	struct virtio_chain chain;

	while (virtqueue_pop(queue, &chain)) {
		size_t size = chain.out_size < P9_MESSAGE_MAX ? chain.out_size : P9_MESSAGE_MAX;
		size_t room = chain.in_size < P9_MESSAGE_MAX ? chain.in_size : P9_MESSAGE_MAX;
		struct request *r = malloc(sizeof *r + size + room);

		if (!r) {
			virtqueue_push(queue, &chain, 0);
			continue;
		}
		*r = (struct request){ .job = { run, done, NULL }, .share = share(device), .queue = queue, .chain = chain,
				       .room = room, .answer = r->message + size };
		r->size = virtio_chain_read(&chain, 0, r->message, size);
		worker_submit(share(device)->worker, &r->job);
	}
	virtqueue_signal(queue);
}

static void
share_config(struct virtio_device *device, uint8_t *config)
{
	put16(config, share(device)->tag_size);
	memcpy(config + 2, share(device)->tag, share(device)->tag_size);
}

static void
share_quiesce(struct virtio_device *device)
{
	worker_drain(share(device)->worker);
}

static void
share_reset(struct virtio_device *device)
{
	worker_drain(share(device)->worker);
	p9_reset(share(device)->p9);
}

static void
share_queue_reset(struct virtio_device *device, struct virtqueue *queue)
{
	(void)queue;
	worker_drain(share(device)->worker);
}

static void
share_state(struct virtio_device *device, struct state *s)
{
	p9_state(share(device)->p9, s);
}

static void
share_free(struct virtio_device *device)
{
	worker_free(share(device)->worker);
	p9_free(share(device)->p9);
}

static const struct virtio_class share_class = {
	.type = VIRTIO_TYPE("virtio-9p", 1),
	.id = 9,
	.config_size = 2 + VIRTIO_P9_TAG,
	.reset = share_reset,
	.notify = share_notify,
	.queue_reset = share_queue_reset,
	.config = share_config,
	.state = share_state,
	.quiesce = share_quiesce,
	.free = share_free,
};

struct virtio_device *
virtio_p9_new(const struct virtio_host *host, const char *name, struct p9 *p9, const char *tag, struct error *error)
{
	struct share *s = NULL;

	if (!*tag || strlen(tag) > VIRTIO_P9_TAG)
		error_set(error, 0, "share: a tag has 1 to %u bytes, unlike \"%s\"", VIRTIO_P9_TAG, tag);
	else
		s = virtio_new(&share_class, sizeof *s, host, name, VIRTIO_F(MOUNT_TAG), 1, 128);
	if (!s) {
		p9_free(p9);
		error_set(error, 0, "%s: no memory", name);
		return NULL;
	}
	s->p9 = p9;
	s->tag_size = (uint16_t)strlen(tag);
	memcpy(s->tag, tag, s->tag_size);
	s->worker = worker_new(1, host->lock, error);
	if (s->worker)
		return &s->virtio;
	virtio_free(&s->virtio.device);
	return NULL;
}

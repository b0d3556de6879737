/* virtio console (virtio 5.3): queue 0 takes input to the guest, queue 1 its
 * output. A chain of output that the host does not take as a whole stays on its
 * queue; `sent` says how much of it has gone. */
#include "device/virtio/console.h"

#include "backend/console/stream.h"
#include "device/virtio/virtio_impl.h"

enum feature { SIZE = 0, EMERGENCY_WRITE = 2 };
enum config { C_COLUMNS = 0, C_ROWS = 2, C_PORTS = 4, C_EMERGENCY = 8, C_SIZE = 12 };
enum queue { INPUT, OUTPUT };

struct console {
	struct virtio_device virtio;
	struct stream *stream;
	uint16_t columns, rows;
	uint64_t sent; /* bytes of the chain that is next in the output queue */
};

static struct console *
console(struct virtio_device *device)
{
	return (struct console *)device;
}

static size_t
receive(void *owner, const uint8_t *data, size_t size)
{
	struct console *c = owner;
	struct virtqueue *queue = &c->virtio.queue[INPUT];
	struct virtio_chain chain;
	size_t done = 0;

	while (done < size && virtqueue_pop(queue, &chain)) {
		size_t part = virtio_chain_write(&chain, 0, data + done, size - done);

		virtqueue_push(queue, &chain, (uint32_t)part);
		done += part;
	}
	if (done)
		virtqueue_signal(queue);
	return done;
}

/* Sends a chain from `sent` on. False: the host takes no more now. */
static bool
send_chain(struct console *c, const struct virtio_chain *chain)
{
	struct iovec part[VIRTIO_SEGMENTS];
	uint64_t size;
	unsigned parts = c->sent < chain->out_size
				 ? virtio_cut(chain->segment, chain->out, c->sent, chain->out_size - c->sent, part, &size)
				 : 0;

	for (unsigned i = 0; i < parts; i++) {
		size_t taken = stream_write(c->stream, part[i].iov_base, part[i].iov_len);

		c->sent += taken;
		if (taken < part[i].iov_len)
			return false;
	}
	return true;
}

static void
transmit(void *owner)
{
	struct console *c = owner;
	struct virtqueue *queue = &c->virtio.queue[OUTPUT];
	struct virtio_chain chain;
	bool any = false;

	while (virtqueue_pop(queue, &chain)) {
		if (!send_chain(c, &chain)) {
			virtqueue_unpop(queue, &chain);
			break;
		}
		c->sent = 0;
		virtqueue_push(queue, &chain, 0);
		any = true;
	}
	if (any)
		virtqueue_signal(queue);
}

static void
console_notify(struct virtio_device *device, struct virtqueue *queue)
{
	if (queue->index == OUTPUT)
		transmit(console(device));
	else
		stream_resume(console(device)->stream);
}

static void
console_config(struct virtio_device *device, uint8_t *config)
{
	put16(config + C_COLUMNS, console(device)->columns);
	put16(config + C_ROWS, console(device)->rows);
	put32(config + C_PORTS, 1);
}

/* Works at any time, before any queue does. */
static void
console_configure(struct virtio_device *device, const uint8_t *config, unsigned offset, unsigned size)
{
	if (offset == C_EMERGENCY && size)
		stream_write(console(device)->stream, config + C_EMERGENCY, 1);
}

void
virtio_console_resize(struct virtio_device *device, uint16_t columns, uint16_t rows)
{
	struct console *c = console(device);

	if (c->columns == columns && c->rows == rows)
		return;
	c->columns = columns;
	c->rows = rows;
	if (virtio_has(device, SIZE))
		virtio_config_changed(device);
}

static void
console_reset(struct virtio_device *device)
{
	console(device)->sent = 0;
}

static void
console_queue_reset(struct virtio_device *device, struct virtqueue *queue)
{
	if (queue->index == OUTPUT)
		console(device)->sent = 0;
}

static void
console_state(struct virtio_device *device, struct state *s)
{
	struct console *c = console(device);

	state_u16(s, "columns", &c->columns);
	state_u16(s, "rows", &c->rows);
	state_u64(s, "sent", &c->sent);
}

static void
console_free(struct virtio_device *device)
{
	pthread_mutex_lock(device->host.lock);
	stream_free(console(device)->stream);
	pthread_mutex_unlock(device->host.lock);
}

static const struct virtio_class console_class = {
	.type = VIRTIO_TYPE("virtio-console", 1),
	.id = 3,
	.config_size = C_SIZE,
	.reset = console_reset,
	.notify = console_notify,
	.queue_reset = console_queue_reset,
	.config = console_config,
	.configure = console_configure,
	.state = console_state,
	.free = console_free,
};

struct virtio_device *
virtio_console_new(const struct virtio_host *host, const char *name, int in, int out, struct error *error)
{
	struct console *c = virtio_new(&console_class, sizeof *c, host, name, VIRTIO_F(SIZE) | VIRTIO_F(EMERGENCY_WRITE), 2,
				       VIRTQUEUE_SIZE);
	struct stream_client client = { receive, transmit, c };

	if (!c) {
		error_set(error, 0, "%s: no memory", name);
		return NULL;
	}
	c->columns = 80;
	c->rows = 25;
	c->stream = stream_new(host->loop, in, out, &client, error);
	if (c->stream)
		return &c->virtio;
	virtio_free(&c->virtio.device);
	return NULL;
}

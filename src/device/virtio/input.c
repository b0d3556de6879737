/* virtio input: events of Linux' input layer (type, code, value) on one queue, what
 * the device is like in a configuration space that answers questions. */
#include "device/virtio/input.h"

#include <string.h>

/* What is asked for in `select` (virtio 5.8.4), and where the answer lies. */
enum { SELECT_NAME = 1, SELECT_EVENTS = 0x11 };
enum { SELECT, SUBSELECT, SIZE, ANSWER = 8, CONFIG_SIZE = 136 };
/* Linux' input-event-codes.h */
enum { TYPE_SYNC = 0, TYPE_KEY = 1, KEY_POWER = 116 };
enum { EVENTS, STATUS };
#define EVENT_SIZE 8u
#define PRESS_EVENTS 4u /* down, sync, up, sync */

struct button {
	struct virtio_device virtio;
	uint8_t select, subselect;
	uint8_t waiting; /* events of a press that the driver has no buffers for yet */
};

/* The answer to the question that is selected; returns its size. */
static uint8_t
answer(const struct button *b, uint8_t *to)
{
	static const char name[] = "Power Button";

	if (b->select == SELECT_NAME && !b->subselect) {
		memcpy(to, name, sizeof name - 1);
		return sizeof name - 1;
	}
	if (b->select == SELECT_EVENTS && b->subselect == TYPE_KEY) {
		to[KEY_POWER / 8] = 1 << KEY_POWER % 8;
		return KEY_POWER / 8 + 1;
	}
	return 0;
}

static void
button_config(struct virtio_device *device, uint8_t *config)
{
	const struct button *b = (const struct button *)device;

	memset(config, 0, CONFIG_SIZE);
	config[SELECT] = b->select;
	config[SUBSELECT] = b->subselect;
	config[SIZE] = answer(b, config + ANSWER);
}

static void
button_configure(struct virtio_device *device, const uint8_t *config, unsigned offset, unsigned size)
{
	struct button *b = (struct button *)device;

	(void)offset;
	(void)size;
	b->select = config[SELECT];
	b->subselect = config[SUBSELECT];
}

/* Events go out in order as long as there are buffers. */
static void
send(struct button *b)
{
	static const uint8_t events[PRESS_EVENTS][EVENT_SIZE] = {
		{ TYPE_KEY, 0, KEY_POWER, 0, 1 },
		{ TYPE_SYNC },
		{ TYPE_KEY, 0, KEY_POWER, 0, 0 },
		{ TYPE_SYNC },
	};
	struct virtqueue *queue = &b->virtio.queue[EVENTS];
	struct virtio_chain chain;

	while (b->waiting && virtqueue_pop(queue, &chain)) {
		const uint8_t *event = events[PRESS_EVENTS - b->waiting--];

		virtqueue_push(queue, &chain, (uint32_t)virtio_chain_write(&chain, 0, event, EVENT_SIZE));
	}
	virtqueue_signal(queue);
}

static void
button_notify(struct virtio_device *device, struct virtqueue *queue)
{
	struct virtio_chain chain;

	if (queue->index == EVENTS) {
		send((struct button *)device);
		return;
	}
	/* Lights to be lit: there are none. */
	while (virtqueue_pop(queue, &chain))
		virtqueue_push(queue, &chain, 0);
	virtqueue_signal(queue);
}

bool
virtio_button_press(struct virtio_device *device)
{
	struct button *b = (struct button *)device;

	if (!virtio_live(device) || !device->queue[EVENTS].ready)
		return false;
	if (!b->waiting)
		b->waiting = PRESS_EVENTS;
	send(b);
	return true;
}

static void
button_reset(struct virtio_device *device)
{
	struct button *b = (struct button *)device;

	b->select = b->subselect = b->waiting = 0;
}

static void
button_state(struct virtio_device *device, struct state *s)
{
	struct button *b = (struct button *)device;

	state_u8(s, "select", &b->select);
	state_u8(s, "subselect", &b->subselect);
	state_u8(s, "waiting", &b->waiting);
	state_check(s, b->waiting <= PRESS_EVENTS, "waiting");
	if (b->waiting > PRESS_EVENTS)
		b->waiting = 0;
}

static const struct virtio_class button_class = {
	.type = VIRTIO_TYPE("virtio-input", 1),
	.id = 18,
	.config_size = CONFIG_SIZE,
	.reset = button_reset,
	.notify = button_notify,
	.config = button_config,
	.configure = button_configure,
	.state = button_state,
};

struct virtio_device *
virtio_button_new(const struct virtio_host *host, const char *name)
{
	return virtio_new(&button_class, sizeof(struct button), host, name, 0, 2, 64);
}

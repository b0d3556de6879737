/* virtio balloon (virtio 5.5): queue 0 takes page numbers that the guest does
 * without, queue 1 those that it uses again, queue 2 buffers that are free pages
 * (free-page reporting). A page given up is a hole in the machine's memory: it
 * costs nothing and reads as zeros. */
#include "device/virtio/balloon.h"

#include "device/virtio/virtio_impl.h"

enum feature { DEFLATE_ON_OOM = 2, PAGE_REPORTING = 5 };
enum queue { INFLATE, DEFLATE, REPORTING, QUEUES };
enum config { C_TARGET = 0, C_ACTUAL = 4, C_SIZE = 16 };
#define PAGE 4096u /* of this device, whatever the guest's are */
#define NUMBERS 256u /* looked at in one go */

struct balloon {
	struct virtio_device virtio;
	uint32_t target, actual; /* pages */
};

static struct balloon *
balloon(struct virtio_device *device)
{
	return (struct balloon *)device;
}

/* Gives the host [address, address + size) back, whole pages of it. */
static void
give_up(struct balloon *b, uint64_t address, uint64_t size)
{
	uint64_t first = align_up(address, PAGE), end = align_down(address + size, PAGE);

	if (first < end)
		memory_release(b->virtio.host.memory, first, end - first);
}

/* Runs of consecutive pages, up or down, are given up at once. */
static void
give_up_pages(struct balloon *b, const uint8_t *numbers, unsigned count)
{
	uint64_t low = 0, high = 0; /* pages [low, high) */

	for (unsigned i = 0; i < count; i++) {
		uint64_t page = get32(numbers + 4 * i);

		if (low < high && page == high) {
			high++;
		} else if (low < high && page + 1 == low) {
			low--;
		} else {
			give_up(b, low * PAGE, (high - low) * PAGE);
			low = page;
			high = page + 1;
		}
	}
	give_up(b, low * PAGE, (high - low) * PAGE);
}

static void
inflate(struct balloon *b, const struct virtio_chain *chain)
{
	uint8_t numbers[4 * NUMBERS];
	size_t size;

	for (uint64_t at = 0; (size = virtio_chain_read(chain, at, numbers, sizeof numbers)) >= 4; at += size)
		give_up_pages(b, numbers, (unsigned)(size / 4));
}

static void
report(struct balloon *b, const struct virtio_chain *chain)
{
	for (unsigned i = chain->out; i < chain->out + (unsigned)chain->in; i++)
		give_up(b, chain->address[i], chain->segment[i].iov_len);
}

static void
balloon_notify(struct virtio_device *device, struct virtqueue *queue)
{
	struct virtio_chain chain;

	while (virtqueue_pop(queue, &chain)) {
		switch ((enum queue)queue->index) {
		case INFLATE: inflate(balloon(device), &chain); break;
		case REPORTING: report(balloon(device), &chain); break;
		case DEFLATE: case QUEUES: break; /* a hole fills when it is written */
		}
		virtqueue_push(queue, &chain, 0);
	}
	virtqueue_signal(queue);
}

static void
balloon_config(struct virtio_device *device, uint8_t *config)
{
	put32(config + C_TARGET, balloon(device)->target);
	put32(config + C_ACTUAL, balloon(device)->actual);
}

static void
balloon_configure(struct virtio_device *device, const uint8_t *config, unsigned offset, unsigned size)
{
	if (offset == C_ACTUAL && size == 4)
		balloon(device)->actual = get32(config + C_ACTUAL);
}

void
virtio_balloon_set(struct virtio_device *device, uint64_t bytes)
{
	uint64_t pages = bytes / PAGE;

	balloon(device)->target = pages < UINT32_MAX ? (uint32_t)pages : UINT32_MAX;
	virtio_config_changed(device);
}

uint64_t
virtio_balloon_size(const struct virtio_device *device)
{
	return (uint64_t)((const struct balloon *)device)->actual * PAGE;
}

static void
balloon_reset(struct virtio_device *device)
{
	balloon(device)->actual = 0;
}

static void
balloon_state(struct virtio_device *device, struct state *s)
{
	state_u32(s, "target", &balloon(device)->target);
	state_u32(s, "actual", &balloon(device)->actual);
}

static const struct virtio_class balloon_class = {
	.type = VIRTIO_TYPE("virtio-balloon", 1),
	.id = 5,
	.config_size = C_SIZE,
	.reset = balloon_reset,
	.notify = balloon_notify,
	.config = balloon_config,
	.configure = balloon_configure,
	.state = balloon_state,
};

/* Queues without their feature do not exist (virtio 5.5.2), so reporting, with neither
 * statistics nor hints before it, is number 2. */
struct virtio_device *
virtio_balloon_new(const struct virtio_host *host, const char *name)
{
	return virtio_new(&balloon_class, sizeof(struct balloon), host, name,
			  VIRTIO_F(DEFLATE_ON_OOM) | VIRTIO_F(PAGE_REPORTING), QUEUES, 128);
}

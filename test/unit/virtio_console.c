/* The console device on pipes: both directions, more than the host takes, more than
 * the guest takes, the emergency write, the terminal's size, state. */
#include "device/virtio/console.h"

#include <fcntl.h>
#include <signal.h>

#include "unit/virtio_driver.h"

struct pipes {
	int to_guest[2], from_guest[2];
};

static void
with_console(struct driver *d, struct pipes *p, bool packed)
{
	struct error error = { 0 };

	CHECK(!pipe(p->to_guest) && !pipe(p->from_guest));
	driver_init(d, packed);
	driver_attach(d, virtio_console_new(&d->host, "console0", p->to_guest[0], p->from_guest[1], &error));
	driver_start(d, packed ? UINT64_MAX : VIRTIO_F(0));
}

static void
without(struct driver *d, struct pipes *p)
{
	driver_fini(d);
	close(p->to_guest[0]);
	close(p->to_guest[1]);
	close(p->from_guest[0]);
	close(p->from_guest[1]);
}

static void
test_both_ways(bool packed)
{
	struct driver d;
	struct pipes p;
	char text[64] = { 0 };
	struct driver_buffer out[2], in;
	uint16_t id;
	uint32_t size = 0;

	with_console(&d, &p, packed);
	out[0] = (struct driver_buffer){ driver_copy(&d, "Hello, ", 7), 7, false };
	out[1] = (struct driver_buffer){ driver_copy(&d, "world\n", 6), 6, false };
	CHECK_INT(driver_do(&d, 1, out, 2), 0);
	CHECK_INT(read(p.from_guest[0], text, sizeof text), 13);
	CHECK_TEXT(text, "Hello, world\n");
	/* Input that comes before the guest has a buffer waits. */
	CHECK_INT(write(p.to_guest[1], "keys", 4), 4);
	usleep(20000);
	in = (struct driver_buffer){ driver_alloc(&d, 3), 3, true };
	driver_add(&d, 0, &in, 1);
	driver_kick(&d, 0);
	CHECK(driver_wait(&d, 0, &id, &size));
	CHECK_INT(size, 3);
	CHECK(!memcmp(driver_host(&d, in.address), "key", 3));
	driver_check_state(&d);
	CHECK_INT(driver_do(&d, 0, &in, 1), 1);
	CHECK_INT(*(char *)driver_host(&d, in.address), 's');
	without(&d, &p);
}

/* Far more output than the pipe and the device's own room hold: nothing is lost. */
static void
test_much_output(void)
{
	enum { CHUNK = 65536, CHUNKS = 8 };
	struct driver d;
	struct pipes p;
	struct driver_buffer b;
	uint8_t *data, back[4096];
	size_t total = 0;
	bool same = true;
	unsigned done = 0;

	with_console(&d, &p, false);
	b = (struct driver_buffer){ driver_alloc(&d, CHUNK), CHUNK, false };
	data = driver_host(&d, b.address);
	for (unsigned i = 0; i < CHUNK; i++)
		data[i] = (uint8_t)(i * 31 + i / 256);
	for (unsigned i = 0; i < CHUNKS; i++)
		driver_add(&d, 1, &b, 1);
	driver_kick(&d, 1);
	driver_check_state(&d);
	while (total < CHUNKS * CHUNK) {
		ssize_t n = read(p.from_guest[0], back, sizeof back);

		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			same &= back[i] == data[(total + (size_t)i) % CHUNK];
		total += (size_t)n;
	}
	CHECK(same);
	CHECK_INT(total, CHUNKS * CHUNK);
	for (unsigned i = 0; i < CHUNKS; i++) {
		uint16_t id;
		uint32_t size;

		done += driver_wait(&d, 1, &id, &size);
	}
	CHECK_INT(done, CHUNKS);
	/* Whoever listened goes away: the guest is not held up. */
	close(p.from_guest[0]);
	for (unsigned i = 0; i < 8; i++)
		CHECK_INT(driver_do(&d, 1, &b, 1), 0);
	p.from_guest[0] = dup(p.to_guest[0]);
	without(&d, &p);
}

static void
test_configuration(void)
{
	struct driver d;
	struct pipes p;
	char c = 0;

	with_console(&d, &p, false);
	CHECK_INT(driver_config(&d, 0, 4), 80 | 25 << 16);
	pthread_mutex_lock(&d.lock);
	virtio_console_resize(d.device, 132, 50);
	pthread_mutex_unlock(&d.lock);
	CHECK_INT(driver_config(&d, 0, 2), 132);
	CHECK_INT(driver_get(&d, 0x60) & 2, 2);
	driver_set(&d, 0x70, 0);
	driver_set(&d, 0x108, '!');
	CHECK_INT(read(p.from_guest[0], &c, 1), 1);
	CHECK_INT(c, '!');
	without(&d, &p);
}

int
main(void)
{
	log_open(-1, LOG_ERROR);
	signal(SIGPIPE, SIG_IGN);
	test_both_ways(false);
	test_both_ways(true);
	test_much_output();
	test_configuration();
	return check_done();
}

/* The virtio socket, with Unix sockets on the other side: connections from both ends,
 * data both ways, credit, endings, packets that break the rules, state. */
#include "device/virtio/vsock.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "unit/virtio_driver.h"

enum { RX, TX, EVENT };
enum { REQUEST = 1, RESPONSE, RST, SHUTDOWN, RW, CREDIT_UPDATE, CREDIT_REQUEST };
#define CID 7u
#define BUFFER 4096u

struct packet {
	uint64_t from, to;
	uint32_t from_port, to_port, size;
	uint16_t type, op;
	uint32_t flags, room, taken;
} __attribute__((packed));

struct guest {
	struct driver d;
	char path[64];
	uint64_t buffer;
	unsigned received;
	struct packet last;
	uint8_t data[BUFFER];
};

static void
guest_open(struct guest *g)
{
	struct error error = { 0 };
	struct virtio_device *device;

	memset(g, 0, sizeof *g);
	snprintf(g->path, sizeof g->path, "/tmp/isomorph-vsock-%d", getpid());
	driver_init(&g->d, false);
	device = virtio_vsock_new(&g->d.host, "vsock0", CID, g->path, &error);
	if (!CHECK(device))
		fprintf(stderr, "%s\n", error.text);
	driver_attach(&g->d, device);
	driver_start(&g->d, 0);
	g->buffer = driver_alloc(&g->d, 8 * BUFFER);
	for (unsigned i = 0; i < 8; i++) {
		struct driver_buffer b = { g->buffer + i * BUFFER, BUFFER, true };

		driver_add(&g->d, RX, &b, 1);
	}
	driver_kick(&g->d, RX);
}

static void
send_packet(struct guest *g, unsigned op, uint32_t guest_port, uint32_t host_port, const void *data, uint32_t size,
	    uint32_t flags)
{
	struct packet p = { CID, 2, guest_port, host_port, size, 1, (uint16_t)op, flags, 65536, 0 };
	uint64_t top = g->d.top;
	struct driver_buffer b[2] = { { driver_copy(&g->d, &p, sizeof p), sizeof p, false },
				      { driver_copy(&g->d, data, size), size, false } };

	CHECK_INT(driver_do(&g->d, TX, b, size ? 2 : 1), 0);
	g->d.top = top;
}

/* The next packet for the guest; its buffer goes back. */
static bool
receive(struct guest *g)
{
	uint64_t at = g->buffer + g->received % 8 * BUFFER;
	struct driver_buffer b = { at, BUFFER, true };
	uint16_t id;
	uint32_t size;

	if (!CHECK(driver_wait(&g->d, RX, &id, &size)))
		return false;
	memcpy(&g->last, driver_host(&g->d, at), sizeof g->last);
	memcpy(g->data, (uint8_t *)driver_host(&g->d, at) + sizeof g->last, size - sizeof g->last);
	CHECK_INT(size, sizeof g->last + g->last.size);
	CHECK_INT(g->last.from, 2);
	CHECK_INT(g->last.to, CID);
	g->received++;
	driver_add(&g->d, RX, &b, 1);
	driver_kick(&g->d, RX);
	return true;
}

static int
host_socket(const char *path, bool listens)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { 5, 0 };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (listens) {
		unlink(path);
		CHECK(!bind(fd, (struct sockaddr *)&address, sizeof address) && !listen(fd, 4));
	} else {
		CHECK(!connect(fd, (struct sockaddr *)&address, sizeof address));
	}
	return fd;
}

/* A program of the host connects to port 80 of the guest. */
static int
host_connects(struct guest *g, uint32_t *port)
{
	int fd = host_socket(g->path, false);
	char text[32] = { 0 }, want[32];

	CHECK_INT(write(fd, "CONNECT 80\nearly", 16), 16);
	CHECK(receive(g));
	CHECK_INT(g->last.op, REQUEST);
	CHECK_INT(g->last.to_port, 80);
	*port = g->last.from_port;
	send_packet(g, RESPONSE, 80, *port, "", 0, 0);
	snprintf(want, sizeof want, "OK %u\n", *port);
	CHECK_INT(recv(fd, text, strlen(want), MSG_WAITALL), strlen(want));
	CHECK_TEXT(text, want);
	CHECK(receive(g));
	CHECK_INT(g->last.op, RW);
	CHECK_INT(g->last.size, 5);
	CHECK(!memcmp(g->data, "early", 5));
	return fd;
}

static void
test_from_host(void)
{
	static struct guest g;
	uint32_t port;
	char text[16];
	int fd;

	guest_open(&g);
	CHECK_INT(driver_config(&g.d, 0, 8), CID);
	fd = host_connects(&g, &port);
	send_packet(&g, RW, 80, port, "hello", 5, 0);
	CHECK_INT(recv(fd, text, sizeof text, 0), 5);
	CHECK(!memcmp(text, "hello", 5));
	send_packet(&g, CREDIT_REQUEST, 80, port, "", 0, 0);
	CHECK(receive(&g));
	CHECK_INT(g.last.op, CREDIT_UPDATE);
	CHECK_INT(g.last.taken, 5);
	CHECK_INT(g.last.room, 262144);
	/* The host's program sends no more, then the guest neither: it is over. */
	shutdown(fd, SHUT_WR);
	CHECK(receive(&g));
	CHECK_INT(g.last.op, SHUTDOWN);
	CHECK_INT(g.last.flags, 2);
	send_packet(&g, RW, 80, port, "last", 4, 0);
	send_packet(&g, SHUTDOWN, 80, port, "", 0, 3);
	CHECK(receive(&g));
	CHECK_INT(g.last.op, RST);
	CHECK_INT(recv(fd, text, 4, MSG_WAITALL), 4);
	CHECK_INT(recv(fd, text, 1, 0), 0);
	close(fd);
	/* What is no greeting gets no connection. */
	fd = host_socket(g.path, false);
	CHECK_INT(write(fd, "GET / HTTP/1.0\n", 15), 15);
	CHECK(recv(fd, text, 1, 0) <= 0);
	close(fd);
	driver_fini(&g.d);
	CHECK(access(g.path, F_OK));
}

static void
test_from_guest(void)
{
	static struct guest g;
	static uint8_t much[100000], back[100000];
	char path[80];
	int listener, fd;
	size_t sent = 0;

	guest_open(&g);
	snprintf(path, sizeof path, "%s_99", g.path);
	/* Nobody is there. */
	send_packet(&g, REQUEST, 1000, 99, "", 0, 0);
	CHECK(receive(&g));
	CHECK_INT(g.last.op, RST);
	CHECK_INT(g.last.to_port, 1000);
	listener = host_socket(path, true);
	send_packet(&g, REQUEST, 1000, 99, "", 0, 0);
	fd = accept(listener, NULL, NULL);
	CHECK(fd >= 0);
	CHECK(receive(&g));
	CHECK_INT(g.last.op, RESPONSE);
	/* Much at once: it goes through, with credit told on the way. */
	for (unsigned i = 0; i < sizeof much; i++)
		much[i] = (uint8_t)(i * 11 + i / 300);
	for (; sent < sizeof much; sent += 20000)
		send_packet(&g, RW, 1000, 99, much + sent, 20000, 0);
	CHECK_INT(recv(fd, back, sizeof back, MSG_WAITALL), sizeof back);
	CHECK(!memcmp(back, much, sizeof back));
	/* And back, in packets as large as the guest's buffers, up to its credit. */
	CHECK_INT(write(fd, much, 60000), 60000);
	for (size_t got = 0; got < 60000; got += g.last.size) {
		if (!receive(&g))
			break;
		if (g.last.op != RW) {
			CHECK_INT(g.last.op, CREDIT_UPDATE);
			g.last.size = 0;
			continue;
		}
		CHECK(!memcmp(g.data, much + got, g.last.size));
	}
	/* The rest of its credit of 65536, no more. */
	CHECK_INT(write(fd, much, 20000), 20000);
	for (size_t got = 0; got < 5536; got += g.last.size)
		if (!receive(&g))
			break;
	usleep(20000);
	{
		uint16_t id;
		uint32_t size;

		CHECK(!driver_used(&g.d, RX, &id, &size));
	}
	close(fd);
	close(listener);
	unlink(path);
	driver_fini(&g.d);
}

static void
test_wrong(void)
{
	static struct guest g;
	static uint8_t data[65536];
	struct driver_buffer b;
	uint32_t port;
	char byte;
	int fd;

	guest_open(&g);
	send_packet(&g, RW, 5, 6, "x", 1, 0); /* no such connection */
	CHECK(receive(&g));
	CHECK_INT(g.last.op, RST);
	fd = host_connects(&g, &port);
	/* More than its credit. */
	for (unsigned i = 0; i < 12; i++)
		send_packet(&g, RW, 80, port, data, sizeof data, 0);
	while (recv(fd, data, sizeof data, 0) > 0)
		;
	CHECK_INT(recv(fd, &byte, 1, 0), 0);
	close(fd);
	/* A packet that is none, and one that says it has more than it has. */
	b = (struct driver_buffer){ driver_alloc(&g.d, 44), 10, false };
	CHECK_INT(driver_do(&g.d, TX, &b, 1), 0);
	b.size = 44;
	memset(driver_host(&g.d, b.address), 0xff, 44);
	CHECK_INT(driver_do(&g.d, TX, &b, 1), 0);
	CHECK_INT(driver_get(&g.d, 0x70) & 64, 0);
	driver_fini(&g.d);
}

/* After a restore the guest is told that its connections are gone. */
static void
test_restored(void)
{
	static struct guest g;
	struct driver_buffer b;
	uint32_t port;
	uint16_t id;
	uint32_t size = 0;
	char byte;
	int fd;

	guest_open(&g);
	fd = host_connects(&g, &port);
	b = (struct driver_buffer){ driver_copy(&g.d, "\xff\xff\xff\xff", 4), 4, true };
	driver_add(&g.d, EVENT, &b, 1);
	driver_kick(&g.d, EVENT);
	driver_check_state(&g.d);
	CHECK_INT(recv(fd, &byte, 1, 0), 0);
	CHECK(driver_wait(&g.d, EVENT, &id, &size));
	CHECK_INT(size, 4);
	CHECK_INT(*(uint32_t *)driver_host(&g.d, b.address), 0);
	close(fd);
	driver_fini(&g.d);
}

int
main(void)
{
	log_open(-1, LOG_ERROR);
	test_from_host();
	test_from_guest();
	test_wrong();
	test_restored();
	return check_done();
}

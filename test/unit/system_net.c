/* The network card and its backends. The user-mode network is spoken to as a guest
 * would: ARP, DHCP, a UDP datagram out and one in through a forwarded port; two
 * cards on a switch; merged buffers, checksums left open, a link that goes down. */
#include "device/virtio/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "unit/virtio_driver.h"

enum { RX, TX, CTRL };
#define HEADER 12u

static const uint8_t mac_a[6] = { 0x52, 0x54, 0, 0, 0, 1 }, mac_b[6] = { 0x52, 0x54, 0, 0, 0, 2 };
static const uint8_t to_all[6] = { 255, 255, 255, 255, 255, 255 };

struct guest {
	struct driver d;
	uint8_t mac[6];
	uint64_t buffer;
	unsigned buffer_size, buffers;
	uint8_t packet[70000]; /* the last one received, with its header */
	unsigned size;
};

static bool
guest_open(struct guest *g, const struct net_options *with, uint64_t features, unsigned buffer_size)
{
	struct error error = { 0 };
	struct net_options options = *with;
	struct net *net;

	memset(g, 0, sizeof *g);
	memcpy(g->mac, with->mac, 6);
	driver_init(&g->d, true);
	options.lock = &g->d.lock;
	net = net_open(&options, &error);
	if (!CHECK(net)) {
		fprintf(stderr, "%s\n", error.text);
		return false;
	}
	driver_attach(&g->d, virtio_net_new(&g->d.host, "net0", net, g->mac, &error));
	driver_start(&g->d, features);
	g->buffer_size = buffer_size;
	g->buffers = 8;
	g->buffer = driver_alloc(&g->d, 8 * buffer_size);
	for (unsigned i = 0; i < 8; i++) {
		struct driver_buffer b = { g->buffer + i * buffer_size, buffer_size, true };

		driver_add(&g->d, RX, &b, 1);
	}
	driver_kick(&g->d, RX);
	return true;
}

static void
transmit(struct guest *g, const uint8_t *frame, unsigned size, const struct net_header *header)
{
	struct net_header none = { 0 };
	uint64_t top = g->d.top;
	struct driver_buffer b[2] = { { driver_copy(&g->d, header ? header : &none, HEADER), HEADER, false },
				      { driver_copy(&g->d, frame, size), size, false } };

	CHECK_INT(driver_do(&g->d, TX, b, 2), 0);
	g->d.top = top;
}

/* The next packet, put together from its buffers, which go back. Buffers come in
 * the order in which they were given, so the nth one is known. */
static bool
receive(struct guest *g)
{
	unsigned buffers = 1;

	g->size = 0;
	for (unsigned i = 0; i < buffers; i++) {
		uint16_t id;
		uint32_t size = 0;
		uint64_t at = g->buffer + (g->buffers % 8) * g->buffer_size;
		struct driver_buffer b = { at, g->buffer_size, true };

		if (!driver_wait(&g->d, RX, &id, &size))
			return false;
		memcpy(g->packet + g->size, driver_host(&g->d, at), size);
		g->size += size;
		if (!i)
			buffers = g->packet[10] | g->packet[11] << 8;
		g->buffers++;
		driver_add(&g->d, RX, &b, 1);
	}
	driver_kick(&g->d, RX);
	return true;
}

/* ---- frames ---------------------------------------------------------------------------- */

static uint16_t
sum16(const uint8_t *data, unsigned size, uint32_t sum)
{
	for (unsigned i = 0; i < size; i++)
		sum += i % 2 ? data[i] : data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void
put16be(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* A UDP datagram in IPv4 in Ethernet; its UDP checksum is left open: the field
 * holds the pseudo header's sum. Returns the size. */
static unsigned
udp_frame(uint8_t *f, const uint8_t *to_mac, const uint8_t *from_mac, uint32_t from, uint32_t to, unsigned from_port,
	  unsigned to_port, const void *data, unsigned size)
{
	uint8_t *ip = f + 14, *udp = ip + 20;
	uint32_t addresses[2] = { htonl(from), htonl(to) };

	memset(f, 0, 42);
	memcpy(f, to_mac, 6);
	memcpy(f + 6, from_mac, 6);
	put16be(f + 12, 0x0800);
	ip[0] = 0x45;
	put16be(ip + 2, 28 + size);
	ip[8] = 64;
	ip[9] = 17;
	memcpy(ip + 12, addresses, 8);
	put16be(ip + 10, (uint16_t)~sum16(ip, 20, 0));
	put16be(udp, from_port);
	put16be(udp + 2, to_port);
	put16be(udp + 4, 8 + size);
	put16be(udp + 6, sum16((uint8_t *)addresses, 8, 17 + 8 + size));
	memcpy(udp + 8, data, size);
	return 42 + size;
}

static const struct net_header open_checksum = { .flags = NET_NEEDS_CHECKSUM, .checksum_start = 34, .checksum_offset = 6 };

/* Waits for a UDP datagram to this port; *data is in g->packet. */
static unsigned
udp_receive(struct guest *g, unsigned port, const uint8_t **data)
{
	while (receive(g)) {
		const uint8_t *f = g->packet + HEADER;

		if (f[12] != 8 || f[13] || f[23] != 17 || (f[36] << 8 | f[37]) != (int)port)
			continue;
		*data = f + 42;
		return (unsigned)(f[38] << 8 | f[39]) - 8;
	}
	return 0;
}

/* The answer to "who has 10.0.2.2" is its address. */
static void
arp(struct guest *g, uint8_t *gateway)
{
	uint8_t f[60] = { 0 };

	memcpy(f, to_all, 6);
	memcpy(f + 6, g->mac, 6);
	memcpy(f + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
	memcpy(f + 22, g->mac, 6);
	memcpy(f + 28, "\x0a\x00\x02\x0f", 4);
	memcpy(f + 38, "\x0a\x00\x02\x02", 4);
	transmit(g, f, 60, NULL);
	while (CHECK(receive(g)))
		if (g->packet[HEADER + 12] == 8 && g->packet[HEADER + 13] == 6 && g->packet[HEADER + 21] == 2)
			break;
	memcpy(gateway, g->packet + HEADER + 22, 6);
}

static void
dhcp(struct guest *g)
{
	uint8_t f[400], message[300] = { 1, 1, 6, 0, 1, 2, 3, 4 };
	const uint8_t *answer;
	unsigned size;

	memcpy(message + 28, g->mac, 6);
	memcpy(message + 236, "\x63\x82\x53\x63\x35\x01\x01\xff", 8); /* DISCOVER */
	size = udp_frame(f, to_all, g->mac, 0, 0xffffffff, 68, 67, message, sizeof message);
	transmit(g, f, size, &open_checksum);
	if (!CHECK(udp_receive(g, 68, &answer) > 240))
		return;
	CHECK_INT(answer[0], 2);
	CHECK(!memcmp(answer + 16, "\x0a\x00\x02\x0f", 4)); /* 10.0.2.15 is offered */
}

static int
host_socket(unsigned *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timeval patience = { 5, 0 };
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	CHECK(!bind(fd, (struct sockaddr *)&address, sizeof address));
	CHECK(!getsockname(fd, (struct sockaddr *)&address, &length));
	*port = ntohs(address.sin_port);
	return fd;
}

/* A datagram of size bytes to a socket of the host, and one back. */
static void
out_and_back(struct guest *g, const uint8_t *gateway, unsigned size)
{
	static uint8_t f[40100], data[40000], back[40000];
	struct sockaddr_in from;
	socklen_t length = sizeof from;
	const uint8_t *answer = NULL;
	unsigned port, frame;
	int fd = host_socket(&port);

	for (unsigned i = 0; i < size; i++)
		data[i] = (uint8_t)(i * 5 + i / 200);
	frame = udp_frame(f, gateway, g->mac, 0x0a00020f, 0x0a000202, 5000, port, data, size);
	transmit(g, f, frame, &open_checksum);
	CHECK_INT(recvfrom(fd, back, sizeof back, 0, (struct sockaddr *)&from, &length), size);
	CHECK(!memcmp(back, data, size));
	CHECK_INT(sendto(fd, data, size, 0, (struct sockaddr *)&from, length), size);
	if (CHECK_INT(udp_receive(g, 5000, &answer), size))
		CHECK(!memcmp(answer, data, size));
	close(fd);
}

static void
forwarded(struct guest *g, unsigned port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	const uint8_t *data = NULL;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK_INT(sendto(fd, "ping", 4, 0, (struct sockaddr *)&to, sizeof to), 4);
	if (CHECK_INT(udp_receive(g, 7, &data), 4))
		CHECK(!memcmp(data, "ping", 4));
	close(fd);
}

static void
test_user(uint64_t features, unsigned buffer_size)
{
	static struct guest g;
	char text[64];
	const char *forward[1] = { text };
	struct net_options options = { "user", NULL, { 0x52, 0x54, 0, 0, 0, 1 }, forward, 1, NULL };
	uint8_t gateway[6];
	unsigned port;

	close(host_socket(&port)); /* a port that is free */
	snprintf(text, sizeof text, "udp:127.0.0.1:%u:7", port);
	if (!guest_open(&g, &options, features, buffer_size))
		return;
	CHECK_INT(driver_config(&g.d, 0, 4), 0x00005452);
	CHECK_INT(driver_config(&g.d, 6, 2), 1);
	CHECK_INT(driver_config(&g.d, 10, 2), 65520);
	dhcp(&g);
	arp(&g, gateway);
	out_and_back(&g, gateway, 4);
	out_and_back(&g, gateway, 1400);
	driver_check_state(&g.d);
	if (features >> 15 & 1) /* merged buffers: a frame of many */
		out_and_back(&g, gateway, 15000);
	forwarded(&g, port);
	driver_fini(&g.d);
}

/* ---- the switch -------------------------------------------------------------------------- */

static void
test_switch(void)
{
	static struct guest a, b;
	char folder[] = "/tmp/isomorph-switch-XXXXXX", path[64];
	struct net_options options = { .kind = "switch", .name = folder };
	const uint8_t *data = NULL;
	uint8_t f[2000];
	unsigned size;
	struct stat st;

	CHECK(mkdtemp(folder));
	memcpy(options.mac, mac_a, 6);
	/* One that leaves checksums open, one that wants them done. */
	if (!guest_open(&a, &options, UINT64_MAX, 2048))
		return;
	memcpy(options.mac, mac_b, 6);
	if (!guest_open(&b, &options, 0, 2048))
		return;
	size = udp_frame(f, to_all, mac_a, 1, 2, 10, 20, "everybody", 9);
	transmit(&a, f, size, &open_checksum);
	if (CHECK_INT(udp_receive(&b, 20, &data), 9)) {
		CHECK(!memcmp(data, "everybody", 9));
		CHECK_INT(b.packet[0], 0); /* flags */
		CHECK_INT(sum16(b.packet + HEADER + 34, 17, 17 + 17 + 1 + 2), 0xffff);
	}
	size = udp_frame(f, mac_a, mac_b, 2, 1, 20, 11, "back", 4);
	transmit(&b, f, size, NULL);
	CHECK_INT(udp_receive(&a, 11, &data), 4);
	/* To an address that nobody has: it may be behind any of them. */
	f[0] = 0x66;
	transmit(&b, f, size, NULL);
	CHECK_INT(udp_receive(&a, 11, &data), 4);
	/* A cable pulled. */
	pthread_mutex_lock(&b.d.lock);
	virtio_net_set_link(b.d.device, false);
	pthread_mutex_unlock(&b.d.lock);
	memcpy(f, mac_a, 6);
	transmit(&b, f, size, NULL);
	pthread_mutex_lock(&b.d.lock);
	virtio_net_set_link(b.d.device, true);
	pthread_mutex_unlock(&b.d.lock);
	f[42] = 'B';
	transmit(&b, f, size, NULL);
	if (CHECK_INT(udp_receive(&a, 11, &data), 4))
		CHECK_INT(data[0], 'B');
	driver_fini(&b.d);
	snprintf(path, sizeof path, "%s/525400000002", folder);
	CHECK(stat(path, &st));
	driver_fini(&a.d);
	CHECK(!rmdir(folder));
}

/* A guest that gives no buffers: packets wait; then they come, in order. */
static void
test_control(void)
{
	static struct guest g;
	struct net_options options = { .kind = "user", .mac = { 0x52, 0x54, 0, 0, 0, 1 } };
	struct driver_buffer b[3];

	if (!guest_open(&g, &options, UINT64_MAX, 2048))
		return;
	b[0] = (struct driver_buffer){ driver_copy(&g.d, "\x01\x01", 2), 2, false };
	b[1] = (struct driver_buffer){ driver_copy(&g.d, "\x02\x11\x22\x33\x44\x55", 6), 6, false };
	b[2] = (struct driver_buffer){ driver_copy(&g.d, "\xee", 1), 1, true };
	CHECK_INT(driver_do(&g.d, CTRL, b, 3), 1);
	CHECK_INT(*(uint8_t *)driver_host(&g.d, b[2].address), 0);
	CHECK_INT(driver_config(&g.d, 0, 4), 0x33221102);
	memcpy(driver_host(&g.d, b[0].address), "\x07\x01", 2);
	CHECK_INT(driver_do(&g.d, CTRL, b, 3), 1);
	CHECK_INT(*(uint8_t *)driver_host(&g.d, b[2].address), 1);
	pthread_mutex_lock(&g.d.lock);
	virtio_net_announce(g.d.device);
	pthread_mutex_unlock(&g.d.lock);
	CHECK_INT(driver_config(&g.d, 6, 2), 3);
	b[0].size = 2;
	memcpy(driver_host(&g.d, b[0].address), "\x03\x00", 2);
	b[1] = b[2];
	CHECK_INT(driver_do(&g.d, CTRL, b, 2), 1);
	CHECK_INT(driver_config(&g.d, 6, 2), 1);
	driver_fini(&g.d);
}

static void
test_refused(void)
{
	static const char *const bad[] = { "tcp:1", "tcp:0:1", "sctp:1:2", "tcp:70000:1", "tcp:x:1", "tcp:1.2.3.x:1:1",
					   "tcp:1:2:3:4:5", "tcp:1:2x" };
	struct error error = { 0 };
	struct net_options options = { .kind = "carrier-pigeon" };

	CHECK(!net_open(&options, &error));
	CHECK(strstr(error.text, "carrier-pigeon"));
	options.kind = "user";
	options.forwards = 1;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		options.forward = &bad[i];
		error = (struct error){ 0 };
		CHECK(!net_open(&options, &error));
		CHECK(strstr(error.text, "forward"));
	}
	options.kind = "tap";
	error = (struct error){ 0 };
	CHECK(!net_open(&options, &error));
	options.kind = "switch";
	error = (struct error){ 0 };
	CHECK(!net_open(&options, &error));
}

int
main(void)
{
	log_open(-1, LOG_ERROR);
	test_user(VIRTIO_F(0) | VIRTIO_F(3) | VIRTIO_F(15), 2048);
	test_user(UINT64_MAX, 4096);
	test_user(0, 2048);
	test_switch();
	test_control();
	test_refused();
	return check_done();
}

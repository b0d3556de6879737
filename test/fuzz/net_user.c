/* Fuzz target: the user-mode network, with frames as a guest that means harm makes
 * them: sound ones of the protocols that it answers, with bytes changed, lengths
 * that lie, and offload headers that promise what is not there. All in a network
 * namespace without any interface, so nothing leaves the process. */
#include <arpa/inet.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "backend/net/net.h"
#include "fuzz/fuzz.h"

enum { ETHERNET = 14, IPV4 = 20, FRAME_MOST = 2048, ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct net *net;
static volatile unsigned received;

static bool
receive(void *owner, const uint8_t *packet, size_t size)
{
	(void)owner;
	received += packet[size - 1] + 1u;
	return received % 64;
}

static void
writable(void *owner)
{
	(void)owner;
}

static void
put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint16_t
sum16(const uint8_t *data, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static size_t
arp(uint8_t *f, struct input *in)
{
	static const uint8_t head[] = { 0, 1, 8, 0, 6, 4, 0 };

	put16(f + 12, 0x0806);
	memcpy(f + ETHERNET, head, sizeof head);
	f[ETHERNET + 7] = 1 + (uint8_t)take(in, 1) % 2;
	memcpy(f + ETHERNET + 8, f + 6, 6);
	memcpy(f + ETHERNET + 14, "\x0a\x00\x02\x0f", 4);
	memcpy(f + ETHERNET + 24, "\x0a\x00\x02", 3);
	f[ETHERNET + 27] = (uint8_t)take(in, 1);
	return ETHERNET + 28;
}

/* The transport's bytes come from the input; ports and flags that lead somewhere. */
static size_t
transport(uint8_t *at, unsigned protocol, size_t size, struct input *in)
{
	static const uint16_t ports[] = { 67, 53, 69, 7, 113, 22 };

	for (size_t i = 0; i < size; i++)
		at[i] = (uint8_t)take(in, 1);
	if (protocol != TCP && protocol != UDP)
		return size;
	put16(at, 1024u + (unsigned)take(in, 1) % 4);
	put16(at + 2, ports[take(in, 1) % 6]);
	if (protocol == UDP)
		put16(at + 4, (unsigned)(take(in, 1) % 8 ? size : take(in, 2)));
	else if (take(in, 1) % 4)
		at[12] = 0x50;
	return size;
}

static size_t
ipv4(uint8_t *f, struct input *in)
{
	static const uint8_t protocols[] = { ICMP, TCP, TCP, UDP, UDP, 0 };
	uint8_t *ip = f + ETHERNET;
	unsigned protocol = protocols[take(in, 1) % 6];
	size_t size = transport(ip + IPV4, protocol, 20 + take(in, 1) % 200, in);

	put16(f + 12, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, (unsigned)(take(in, 1) % 8 ? IPV4 + size : take(in, 2)));
	put16(ip + 6, take(in, 1) % 4 ? 0 : (unsigned)take(in, 2)); /* fragments */
	ip[8] = 64;
	ip[9] = (uint8_t)protocol;
	memcpy(ip + 12, "\x0a\x00\x02\x0f\x0a\x00\x02", 7);
	ip[19] = (uint8_t)take(in, 1) % 5;
	put16(ip + 10, 0);
	put16(ip + 10, sum16(ip, IPV4));
	return ETHERNET + IPV4 + size;
}

static size_t
ipv6(uint8_t *f, struct input *in)
{
	static const uint8_t next[] = { ICMP6, TCP, UDP, 0, 44, 60 };
	uint8_t *ip = f + ETHERNET;
	size_t size = 20 + take(in, 1) % 100;

	put16(f + 12, 0x86dd);
	ip[0] = 0x60;
	ip[6] = next[take(in, 1) % 6];
	ip[7] = 255;
	put16(ip + 4, (unsigned)(take(in, 1) % 8 ? size : take(in, 2)));
	memcpy(ip + 8, "\xfe\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0f", 16);
	memcpy(ip + 24, "\xfe\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02", 16);
	transport(ip + 40, ip[6], size, in);
	return ETHERNET + 40 + size;
}

static void
send_frame(uint8_t *packet, size_t size, struct input *in)
{
	struct net_header header = { 0 };
	struct iovec iov[2];
	size_t cut = size ? take(in, 1) % size : 0;

	if (take(in, 1) % 3 == 0) { /* what is left to us, rightly or not */
		header.flags = (uint8_t)take(in, 1) % 2;
		header.gso_type = take(in, 1) % 8 ? 0 : (uint8_t)take(in, 1);
		header.gso_size = (uint16_t)take(in, 1);
		header.checksum_start = take(in, 1) % 4 ? ETHERNET + IPV4 : (uint16_t)take(in, 2);
		header.checksum_offset = take(in, 1) % 4 ? 16 : (uint16_t)take(in, 2);
	}
	memcpy(packet, &header, sizeof header);
	iov[0] = (struct iovec){ packet, cut };
	iov[1] = (struct iovec){ packet + cut, sizeof header + size - cut };
	pthread_mutex_lock(&lock);
	net_send(net, iov, 2, sizeof header + size);
	net_flush(net);
	if (take(in, 1) % 8 == 0)
		net_set_offload(net, (unsigned)take(in, 1) & 15);
	net_resume(net);
	pthread_mutex_unlock(&lock);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t packet[sizeof(struct net_header) + FRAME_MOST] = { 0 }, *frame = packet + sizeof(struct net_header);
	struct input in = { data, data + size };

	while (in.at < in.end) {
		size_t length;

		memset(packet, 0, sizeof packet);
		memcpy(frame, "\x52\x55\x0a\x00\x02\x02\x52\x54\0\0\0\x01", 12);
		switch (take(&in, 1) % 8) {
		case 0: length = arp(frame, &in); break;
		case 1: length = ipv6(frame, &in); break;
		case 2: length = take(&in, 1) % 64; break;
		default: length = ipv4(frame, &in); break;
		}
		for (unsigned changes = (unsigned)take(&in, 1) % 4; changes && length; changes--)
			frame[take(&in, 2) % length] = (uint8_t)take(&in, 1);
		if (take(&in, 1) % 16 == 0)
			length = take(&in, 2) % FRAME_MOST;
		send_frame(packet, length, &in);
	}
	return 0;
}

void
fuzz_start(void)
{
	struct net_options options = { .kind = "user", .mac = { 0x52, 0x54, 0, 0, 0, 1 }, .lock = &lock };
	struct net_client client = { receive, writable, NULL };
	struct error error = { 0 };

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET)) {
		printf("no network namespace can be had here: nothing is done\n");
		exit(0);
	}
	log_open(-1, LOG_ERROR);
	net = net_open(&options, &error);
	if (!net || net_start(net, &client, &error)) {
		fprintf(stderr, "%s\n", error.text);
		abort();
	}
}

void
fuzz_stop(void)
{
	net_close(net);
}

/* Fuzz target: the virtio socket, with a listener of the host that echoes nothing and a
 * program that connects. */
#include <sys/socket.h>
#include <sys/un.h>

#include "device/virtio/vsock.h"
#include "fuzz/virtio.h"

static char path[64], port_path[80];
static int listener, client = -1, accepted = -1;

static struct virtio_device *
fuzz_device(struct driver *d)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(path, sizeof path, "/tmp/isomorph-fuzz-vsock-%d", getpid());
	snprintf(port_path, sizeof port_path, "%s_1", path);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", port_path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 8))
		abort();
	return virtio_vsock_new(&d->host, "vsock0", 3, path, NULL);
}

/* A packet of the guest's, from and to where it should be. */
static void
packet(struct driver *d, struct input *in)
{
	struct {
		uint64_t from, to;
		uint32_t from_port, to_port, size;
		uint16_t type, op;
		uint32_t flags, room, taken;
	} __attribute__((packed)) p = { 3, 2, (uint32_t)take(in, 1) % 3, 1, 0, 1, 0, 0, 0, 0 };
	struct driver_buffer b = { FUZZ_BUFFERS, sizeof p, false };

	p.to_port = take(in, 1) % 4 ? 1 : 0x40000000u + (uint32_t)take(in, 1);
	p.op = (uint16_t)take(in, 1) % 9;
	p.flags = (uint32_t)take(in, 1) % 4;
	p.size = (uint32_t)take(in, 1) * 2;
	p.room = (uint32_t)take(in, 4);
	p.taken = (uint32_t)take(in, 4);
	b.size += take(in, 1) % 4 ? p.size : (uint32_t)take(in, 2) % 1024;
	memory_write(&d->memory, FUZZ_BUFFERS, &p, sizeof p);
	driver_add(d, 1, &b, 1);
	driver_kick(d, 1);
}

static void
fuzz_outside(struct driver *d, struct input *in)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char data[256] = "CONNECT 0\n";

	switch (take(in, 1) % 8) {
	case 0:
		if (client >= 0)
			close(client);
		client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
		if (!connect(client, (struct sockaddr *)&address, sizeof address))
			send(client, data, 10 - take(in, 1) % 2, MSG_NOSIGNAL | MSG_DONTWAIT);
		break;
	case 1:
		if (accepted >= 0)
			close(accepted);
		accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
		break;
	case 2:
		send(take(in, 1) % 2 ? client : accepted, data, sizeof data, MSG_NOSIGNAL | MSG_DONTWAIT);
		break;
	case 3:
		recv(take(in, 1) % 2 ? client : accepted, data, sizeof data, MSG_DONTWAIT);
		break;
	default: packet(d, in); break;
	}
}

void
fuzz_stop(void)
{
	driver_fini(&fuzzed);
	unlink(port_path);
}

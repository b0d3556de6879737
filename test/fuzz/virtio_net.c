/* Fuzz target: the network card on a switch, and packets of a neighbour's making. */
#include <sys/socket.h>
#include <sys/un.h>

#include "device/virtio/net.h"
#include "fuzz/virtio.h"

static char folder[] = "/tmp/isomorph-fuzz-net-XXXXXX";
static int neighbour;

static struct virtio_device *
fuzz_device(struct driver *d)
{
	struct net_options options = { .kind = "switch", .name = folder, .mac = { 2, 0, 0, 0, 0, 1 }, .lock = &d->lock };

	if (!mkdtemp(folder))
		abort();
	neighbour = socket(AF_UNIX, SOCK_DGRAM, 0);
	return virtio_net_new(&d->host, "net0", net_open(&options, NULL), options.mac, NULL);
}

static void
fuzz_outside(struct driver *d, struct input *in)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	uint8_t packet[2048];
	size_t size = take(in, 2) % sizeof packet;

	(void)d;
	for (size_t i = 0; i < size; i++)
		packet[i] = (uint8_t)take(in, 1);
	snprintf(address.sun_path, sizeof address.sun_path, "%s/020000000001", folder);
	sendto(neighbour, packet, size, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof address);
}

void
fuzz_stop(void)
{
	driver_fini(&fuzzed);
	rmdir(folder);
}

/* Fuzz target: the console, between pipes. */
#include <fcntl.h>

#include "device/virtio/console.h"
#include "fuzz/virtio.h"

static int in_pipe[2], out_pipe[2];

static struct virtio_device *
fuzz_device(struct driver *d)
{
	if (pipe2(in_pipe, O_NONBLOCK) || pipe2(out_pipe, O_NONBLOCK))
		abort();
	return virtio_console_new(&d->host, "console0", in_pipe[0], out_pipe[1], NULL);
}

/* Keys in, and whatever came out is read. */
static void
fuzz_outside(struct driver *d, struct input *in)
{
	uint64_t keys = take(in, 8);
	char output[65536];

	(void)d;
	if (write(in_pipe[1], &keys, sizeof keys) < 0 || take(in, 1) % 2)
		while (read(out_pipe[0], output, sizeof output) > 0)
			;
}

void
fuzz_stop(void)
{
	driver_fini(&fuzzed);
}

/* syscon: has no state but what it does to the machine. */
#include "device/power/syscon.h"

#include <stdlib.h>

struct syscon {
	struct device device;
	struct syscon_power power;
};

static uint64_t
syscon_read(void *device, uint64_t offset, unsigned size)
{
	(void)device;
	(void)offset;
	(void)size;
	return 0;
}

static void
syscon_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct syscon *c = device;

	(void)size;
	if (offset)
		return;
	switch (value & 0xffff) {
	case SYSCON_PASS:
		c->power.off(c->power.owner, false, 0);
		break;
	case SYSCON_FAIL:
		c->power.off(c->power.owner, true, (int)(value >> 16 & 0xffff));
		break;
	case SYSCON_RESET:
		c->power.reset(c->power.owner);
		break;
	}
}

static const struct memory_ops syscon_ops = { syscon_read, syscon_write, 2, 4 };

static void
syscon_reset(struct device *device)
{
	(void)device;
}

static void
syscon_state(struct device *device, struct state *s)
{
	(void)device;
	(void)s;
}

static void
syscon_free(struct device *device)
{
	free(device);
}

static const struct device_type syscon_type = {
	.name = "syscon",
	.version = 1,
	.reset = syscon_reset,
	.state = syscon_state,
	.free = syscon_free,
};

struct device *
syscon_new(struct memory *memory, uint64_t address, const struct syscon_power *power, struct error *error)
{
	struct syscon *c = calloc(1, sizeof *c);

	if (!c)
		fatal("out of memory for the power switch");
	c->device.type = &syscon_type;
	c->power = *power;
	if (memory_add_device(memory, "syscon", address, SYSCON_SIZE, &syscon_ops, c, error)) {
		free(c);
		return NULL;
	}
	return &c->device;
}

/* virtio's core and the small transport, with the entropy device on top: features,
 * status, both rings, event index, indirect descriptors, chains that break the
 * rules, reset, state. */
#include "device/virtio/rng.h"
#include "unit/virtio_driver.h"

#define EVENTS VIRTIO_F(VIRTIO_F_EVENT_IDX)
#define INDIRECT VIRTIO_F(VIRTIO_F_INDIRECT_DESC)
#define PACKED VIRTIO_F(VIRTIO_F_RING_PACKED)
#define NEEDS_RESET(d) (driver_get(d, 0x70) >> 6 & 1)

static void
with_rng(struct driver *d)
{
	driver_init(d, true);
	driver_attach(d, virtio_rng_new(&d->host, "rng0"));
}

static bool
filled(struct driver *d, uint64_t address, unsigned size)
{
	const uint8_t *bytes = driver_host(d, address);
	unsigned zeros = 0;

	for (unsigned i = 0; i < size; i++)
		zeros += !bytes[i];
	return zeros < size / 2;
}

static void
test_registers(void)
{
	struct driver d;

	with_rng(&d);
	CHECK_INT(driver_get(&d, 0), 0x74726976);
	CHECK_INT(driver_get(&d, 4), 2);
	CHECK_INT(driver_get(&d, 8), 4);
	driver_set(&d, 0x14, 1);
	CHECK_INT(driver_get(&d, 0x10) & 1, 1);
	driver_set(&d, 0x14, 2);
	CHECK_INT(driver_get(&d, 0x10), 0);
	/* A feature that is not offered, or VERSION_1 missing: FEATURES_OK does not stick. */
	driver_set(&d, 0x70, 3);
	driver_set(&d, 0x70, 11);
	CHECK_INT(driver_get(&d, 0x70), 3);
	driver_set(&d, 0x24, 1);
	driver_set(&d, 0x20, 1 | 1u << 30);
	driver_set(&d, 0x70, 11);
	CHECK_INT(driver_get(&d, 0x70), 3);
	driver_start(&d, EVENTS);
	/* Accepted features are fixed now. */
	driver_set(&d, 0x24, 1);
	driver_set(&d, 0x20, 0);
	CHECK_INT(driver_get(&d, 0x20) | d.device->features >> 32, 1);
	driver_set(&d, 0x30, 7);
	CHECK_INT(driver_get(&d, 0x34), 0);
	driver_set(&d, 0x30, 0);
	CHECK_INT(driver_get(&d, 0x34), 64);
	CHECK_INT(driver_get(&d, 0x44), 1);
	CHECK_INT(driver_config(&d, 0, 8), 0);
	CHECK_INT(driver_get(&d, 0xb0), UINT32_MAX);
	driver_set(&d, 0x70, 0);
	CHECK_INT(driver_get(&d, 0x70), 0);
	CHECK_INT(driver_get(&d, 0x44), 0);
	driver_fini(&d);
}

/* Many chains of several buffers, so that rings wrap. */
static void
test_ring(uint64_t features)
{
	struct driver d;

	with_rng(&d);
	driver_start(&d, features);
	CHECK_INT(driver_packed(&d), !!(features & PACKED));
	for (unsigned i = 0; i < 100; i++) {
		struct driver_buffer b[3];
		unsigned count = 1 + i % 3;

		d.top = DRIVER_RAM + 0x10000;
		for (unsigned n = 0; n < count; n++)
			b[n] = (struct driver_buffer){ driver_alloc(&d, 40), 40, true };
		CHECK_INT(driver_do(&d, 0, b, count), 40 * count);
		CHECK(filled(&d, b[count - 1].address, 40));
		if (i == 50)
			driver_check_state(&d);
	}
	CHECK(d.interrupts);
	CHECK(!NEEDS_RESET(&d));
	driver_fini(&d);
}

static void
test_indirect(uint64_t features)
{
	struct driver d;
	uint64_t table, data;
	struct driver_buffer b, entry;

	with_rng(&d);
	driver_start(&d, features | INDIRECT);
	table = driver_alloc(&d, 64);
	data = driver_alloc(&d, 300);
	for (unsigned i = 0; i < 3; i++) {
		bool packed = driver_packed(&d);
		uint16_t flags = (uint16_t)(2 | (i < 2 && !packed ? 1 : 0));

		entry = (struct driver_buffer){ data + 100 * i, 100, true };
		driver_put_descriptor(&d, table + 16 * i, &entry, packed ? 0 : flags, packed ? flags : (uint16_t)(i + 1));
	}
	b = (struct driver_buffer){ table, 48, false };
	driver_add(&d, 0, &b, 1);
	/* Make the descriptor an indirect one. */
	if (driver_packed(&d))
		memory_write16(&d.memory, d.queue[0].descriptors + 14, 0x84);
	else
		memory_write16(&d.memory, d.queue[0].descriptors + 12, 4);
	driver_kick(&d, 0);
	{
		uint16_t id;
		uint32_t size = 0;

		CHECK(driver_used(&d, 0, &id, &size));
		CHECK_INT(size, 300);
	}
	CHECK(filled(&d, data, 300));
	driver_fini(&d);
}

/* With an event index the driver is interrupted only for what it asked for. */
static void
test_events(void)
{
	struct driver d;
	struct driver_buffer b;
	unsigned before;

	with_rng(&d);
	driver_start(&d, EVENTS);
	b = (struct driver_buffer){ driver_alloc(&d, 16), 16, true };
	driver_do(&d, 0, &b, 1); /* the first one always */
	driver_set(&d, 0x64, 3);
	before = d.interrupts;
	memory_write16(&d.memory, d.queue[0].driver + 4 + 2 * DRIVER_SIZE, 3); /* after used index 3 */
	driver_do(&d, 0, &b, 1);
	driver_do(&d, 0, &b, 1);
	CHECK_INT(d.interrupts, before);
	driver_do(&d, 0, &b, 1);
	CHECK_INT(d.interrupts, before + 1);
	CHECK_INT(driver_get(&d, 0x60), 1);
	driver_set(&d, 0x64, 1);
	CHECK_INT(driver_get(&d, 0x60), 0);
	CHECK(!d.level);
	{
		/* The device asks to be notified of the next chain. */
		uint16_t event;

		memory_read16(&d.memory, d.queue[0].used + 4 + 8 * DRIVER_SIZE, &event);
		CHECK_INT(event, 4);
	}
	driver_fini(&d);
}

/* ---- what a hostile driver does ------------------------------------------------ */

enum crime {
	LOOP, BEYOND_TABLE, HEAD_BEYOND, INDEX_AHEAD, OUTSIDE_RAM, PAST_RAM, WRAPS, READ_AFTER_WRITE, ROM_LIKE_SIZE,
	INDIRECT_UNASKED, INDIRECT_SIZE, INDIRECT_NESTED, INDIRECT_OUTSIDE, CRIMES,
};

static void
commit(struct driver *d, enum crime crime, uint64_t data)
{
	uint64_t at = d->queue[0].descriptors, avail = d->queue[0].driver;
	struct driver_buffer b = { data, 16, true }, table = { data, 32, false };

	driver_put_descriptor(d, at, &b, 2, 0);
	switch (crime) {
	case LOOP: driver_put_descriptor(d, at, &b, 3, 0); break;
	case BEYOND_TABLE: driver_put_descriptor(d, at, &b, 3, DRIVER_SIZE); break;
	case HEAD_BEYOND: memory_write16(&d->memory, avail + 4, 0xffff); break;
	case INDEX_AHEAD: break;
	case OUTSIDE_RAM: memory_write64(&d->memory, at, 0x1000); break;
	case PAST_RAM: memory_write64(&d->memory, at, DRIVER_RAM + DRIVER_RAM_SIZE - 8); break;
	case WRAPS: memory_write64(&d->memory, at, UINT64_MAX - 4); break;
	case READ_AFTER_WRITE:
		driver_put_descriptor(d, at, &b, 3, 1);
		driver_put_descriptor(d, at + 16, &b, 0, 0);
		break;
	case ROM_LIKE_SIZE: memory_write32(&d->memory, at + 8, UINT32_MAX); break;
	case INDIRECT_UNASKED:
	case INDIRECT_NESTED:
		driver_put_descriptor(d, at, &table, 4, 0);
		driver_put_descriptor(d, data, &table, 4, 0);
		break;
	case INDIRECT_SIZE:
		table.size = 17;
		driver_put_descriptor(d, at, &table, 4, 0);
		break;
	case INDIRECT_OUTSIDE:
		table.address = 64;
		driver_put_descriptor(d, at, &table, 4, 0);
		break;
	case CRIMES: break;
	}
	memory_write16(&d->memory, avail + 2, crime == INDEX_AHEAD ? DRIVER_SIZE + 1 : 1);
}

static void
test_crimes(void)
{
	for (enum crime crime = 0; crime < CRIMES; crime++) {
		struct driver d;
		struct driver_buffer b;
		uint64_t data;

		with_rng(&d);
		driver_start(&d, crime == INDIRECT_UNASKED ? 0 : INDIRECT);
		data = driver_alloc(&d, 64);
		commit(&d, crime, data);
		driver_kick(&d, 0);
		if (!CHECK(NEEDS_RESET(&d)))
			fprintf(stderr, "crime %d went unnoticed\n", crime);
		CHECK_INT(driver_get(&d, 0x60) & 2, 2);
		{
			uint16_t index = 1;

			memory_read16(&d.memory, d.queue[0].used + 2, &index);
			CHECK_INT(index, 0);
		}
		/* Reset, and it works again. */
		driver_start(&d, INDIRECT);
		CHECK(!NEEDS_RESET(&d));
		b = (struct driver_buffer){ data, 16, true };
		CHECK_INT(driver_do(&d, 0, &b, 1), 16);
		driver_fini(&d);
	}
}

static void
test_bad_queues(void)
{
	static const struct { uint32_t size; uint64_t where; } bad[] = {
		{ 0, DRIVER_RAM }, { 128, DRIVER_RAM }, { 12, DRIVER_RAM }, { 16, DRIVER_RAM + 8 }, { 16, 0x100 },
		{ 16, DRIVER_RAM + DRIVER_RAM_SIZE - 16 }, { 0x10010, DRIVER_RAM },
	};

	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		struct driver d;

		with_rng(&d);
		driver_start(&d, 0);
		driver_set(&d, 0x44, 0);
		driver_set(&d, 0x38, bad[i].size);
		driver_set(&d, 0x80, (uint32_t)bad[i].where);
		driver_set(&d, 0x84, (uint32_t)(bad[i].where >> 32));
		driver_set(&d, 0x90, DRIVER_RAM);
		driver_set(&d, 0xa0, DRIVER_RAM);
		driver_set(&d, 0x44, 1);
		CHECK(NEEDS_RESET(&d));
		CHECK_INT(driver_get(&d, 0x44), 0);
		driver_fini(&d);
	}
}

/* A state of which the positions cannot be is refused, not used. */
static void
test_bad_state(void)
{
	struct driver d;
	struct state *s, *back;
	const void *data;
	size_t size;
	uint8_t *copy;
	unsigned refused = 0;

	with_rng(&d);
	driver_start(&d, PACKED | EVENTS);
	pthread_mutex_lock(&d.lock);
	s = state_save();
	virtio_state(&d.device->device, s);
	data = state_data(s, &size);
	copy = malloc(size);
	for (size_t i = 0; i < size; i++) {
		memcpy(copy, data, size);
		copy[i] ^= 0xff;
		virtio_reset(&d.device->device);
		back = state_restore(copy, size);
		virtio_state(&d.device->device, back);
		refused += state_close(back, NULL) != 0;
		/* Whatever it took, using it is harmless. */
		virtio_notified(d.device, 0);
	}
	CHECK(refused > size / 2);
	free(copy);
	state_close(s, NULL);
	pthread_mutex_unlock(&d.lock);
	driver_fini(&d);
}

int
main(void)
{
	log_open(-1, LOG_ERROR);
	test_registers();
	test_ring(0);
	test_ring(EVENTS);
	test_ring(PACKED);
	test_ring(PACKED | EVENTS);
	test_indirect(0);
	test_indirect(PACKED);
	test_events();
	test_crimes();
	test_bad_queues();
	test_bad_state();
	return check_done();
}

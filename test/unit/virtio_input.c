/* The power button: what it says of itself, and that a press comes as four events,
 * also when the driver's buffers come late. */
#include "device/virtio/input.h"

#include "unit/virtio_driver.h"

enum { EVENTS, STATUS };

static void
set_config(struct driver *d, unsigned offset, uint8_t value)
{
	CHECK(memory_store(&d->memory, DRIVER_MMIO + 0x100 + offset, 1, value));
}

static uint64_t
offer(struct driver *d)
{
	struct driver_buffer b = { driver_alloc(d, 8), 8, true };

	driver_add(d, EVENTS, &b, 1);
	driver_kick(d, EVENTS);
	return b.address;
}

static void
check_event(struct driver *d, uint64_t at, uint64_t want)
{
	uint64_t event;
	uint32_t size;
	uint16_t id;

	CHECK(driver_used(d, EVENTS, &id, &size));
	CHECK_INT(size, 8);
	CHECK(memory_read64(&d->memory, at, &event));
	CHECK_INT(event, want);
}

static bool
press(struct driver *d)
{
	bool pressed;

	pthread_mutex_lock(&d->lock);
	pressed = virtio_button_press(d->device);
	pthread_mutex_unlock(&d->lock);
	return pressed;
}

static void
test_button(bool packed)
{
	static const uint64_t events[] = { UINT64_C(0x100740001), 0, 0x740001, 0 };
	struct driver d;
	uint64_t at[4];

	driver_init(&d, packed);
	driver_attach(&d, virtio_button_new(&d.host, "button"));
	CHECK(!press(&d)); /* there is no driver */
	driver_start(&d, UINT64_MAX);
	set_config(&d, 0, 1);
	CHECK_INT(driver_config(&d, 2, 1), 12);
	CHECK_INT(driver_config(&d, 8, 1), 'P');
	set_config(&d, 0, 0x11);
	CHECK_INT(driver_config(&d, 2, 1), 0);
	set_config(&d, 1, 1);
	CHECK_INT(driver_config(&d, 2, 1), 15);
	CHECK_INT(driver_config(&d, 8 + 14, 1), 0x10); /* bit 116 */
	set_config(&d, 1, 0xff);
	CHECK_INT(driver_config(&d, 2, 1), 0);

	at[0] = offer(&d);
	CHECK(press(&d));
	check_event(&d, at[0], events[0]);
	CHECK(press(&d)); /* while one is under way: the same */
	for (unsigned i = 1; i < 4; i++) {
		at[i] = offer(&d);
		check_event(&d, at[i], events[i]);
	}
	driver_check_state(&d);
	driver_fini(&d);
}

int
main(void)
{
	test_button(false);
	test_button(true);
	return check_done();
}

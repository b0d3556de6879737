/* virtio over PCI, with the entropy device behind it: capabilities, common registers,
 * the window through configuration space, MSI-X and the pin, reset, state. */
#include "bus/pci.h"
#include "device/virtio/rng.h"
#include "unit/virtio_driver.h"

#define ECAM 0x30000000u
#define BAR 0x40000000u
#define BAR_MSIX 0x40010000u
#define COMMON BAR
#define ISR (BAR + 0x1000)
#define NOTIFY (BAR + 0x3000)

struct board {
	struct driver d;
	struct pci_bus bus;
	unsigned messages;
	uint64_t message_address;
	uint32_t message_data;
};

static void
message(void *owner, uint64_t address, uint32_t data)
{
	struct board *b = owner;

	b->messages++;
	b->message_address = address;
	b->message_data = data;
}

static uint32_t
get(struct board *b, uint64_t address, unsigned size)
{
	uint64_t value = 0;

	CHECK(memory_load(&b->d.memory, address, size, &value));
	return (uint32_t)value;
}

static void
set(struct board *b, uint64_t address, unsigned size, uint64_t value)
{
	CHECK(memory_store(&b->d.memory, address, size, value));
}

static uint64_t
config_at(unsigned offset)
{
	return ECAM + (1u << 15) + offset; /* slot 1 */
}

/* The offset of the vendor capability of a type; 0: there is none. */
static unsigned
capability(struct board *b, unsigned type)
{
	unsigned at = get(b, config_at(0x34), 1);

	while (at && (get(b, config_at(at), 1) != 9 || get(b, config_at(at + 3), 1) != type))
		at = get(b, config_at(at + 1), 1);
	return at;
}

static void
set_up(struct board *b)
{
	struct error error = { 0 };

	memset(b, 0, sizeof *b);
	driver_init(&b->d, false);
	b->bus.memory = &b->d.memory;
	b->bus.low = (struct pci_range){ BAR, 0x10000000 };
	b->bus.intx[1] = (struct irq_line){ driver_irq, &b->d, 1 };
	b->bus.msi = (struct msi_target){ message, b };
	CHECK_INT(pci_bus_init(&b->bus, ECAM, 1 << 20, &error), 0);
	b->d.device = virtio_rng_new(&b->d.host, "rng0");
	CHECK_INT(virtio_pci_attach(b->d.device, &b->bus, 1, &error), 0);
	set(b, config_at(0x20), 4, BAR);
	set(b, config_at(0x24), 4, 0);
	set(b, config_at(0x14), 4, BAR_MSIX);
	set(b, config_at(4), 2, 6);
}

/* Up to DRIVER_OK; leaves the queue in d.queue[0], whose layout driver_add knows. */
static void
start(struct board *b)
{
	struct driver *d = &b->d;
	struct driver_queue *q = &d->queue[0];

	set(b, COMMON + 20, 1, 0);
	CHECK_INT(get(b, COMMON + 20, 1), 0);
	set(b, COMMON + 20, 1, 3);
	set(b, COMMON + 8, 4, 1);
	set(b, COMMON + 12, 4, 1);
	set(b, COMMON + 20, 1, 11);
	CHECK_INT(get(b, COMMON + 20, 1), 11);
	*q = (struct driver_queue){ .wrap = true, .used_wrap = true };
	q->descriptors = driver_alloc(d, 16 * DRIVER_SIZE);
	q->driver = driver_alloc(d, 6 + 2 * DRIVER_SIZE);
	q->used = driver_alloc(d, 6 + 8 * DRIVER_SIZE);
	set(b, COMMON + 22, 2, 0);
	CHECK_INT(get(b, COMMON + 24, 2), 64);
	set(b, COMMON + 24, 2, DRIVER_SIZE);
	set(b, COMMON + 32, 8, q->descriptors);
	set(b, COMMON + 40, 4, (uint32_t)q->driver);
	set(b, COMMON + 44, 4, 0);
	set(b, COMMON + 48, 8, q->used);
	CHECK_INT(get(b, COMMON + 32, 4), (uint32_t)q->descriptors);
	set(b, COMMON + 28, 2, 1);
	CHECK_INT(get(b, COMMON + 28, 2), 1);
	set(b, COMMON + 20, 1, 15);
}

static void
ask(struct board *b)
{
	struct driver_buffer buffer = { driver_alloc(&b->d, 16), 16, true };
	uint16_t id;
	uint32_t size = 0;

	driver_add(&b->d, 0, &buffer, 1);
	set(b, NOTIFY, 2, 0);
	CHECK(driver_used(&b->d, 0, &id, &size));
	CHECK_INT(size, 16);
}

static void
test_description(struct board *b)
{
	static const unsigned at[6] = { 0, 0, 0x3000, 0x1000, 0x2000, 0 };
	unsigned notify;

	CHECK_INT(get(b, config_at(0), 4), 0x1af4 | 0x1044u << 16);
	for (unsigned type = 1; type <= 5; type++) {
		unsigned c = capability(b, type);

		CHECK(c);
		if (type == 5)
			continue;
		CHECK_INT(get(b, config_at(c + 4), 1), 4);
		CHECK_INT(get(b, config_at(c + 8), 4), at[type]);
		CHECK_INT(get(b, config_at(c + 12), 4), 0x1000);
	}
	notify = capability(b, 2);
	CHECK_INT(get(b, config_at(notify + 2), 1), 20);
	CHECK_INT(get(b, config_at(notify + 16), 4), 4);
	CHECK_INT(get(b, COMMON + 18, 2), 1);
	CHECK_INT(get(b, COMMON + 30, 2), 0);
	CHECK_INT(get(b, COMMON + 4, 4) >> 28, 3); /* indirect, event index */
	set(b, COMMON + 22, 2, 9);
	CHECK_INT(get(b, COMMON + 24, 2), 0);
}

/* Interrupts by the pin: up until the status is read. */
static void
test_pin(struct board *b)
{
	start(b);
	ask(b);
	CHECK(b->d.level);
	CHECK_INT(b->messages, 0);
	CHECK_INT(get(b, ISR, 1), 1);
	CHECK(!b->d.level);
	CHECK_INT(get(b, ISR, 1), 0);
}

static void
test_msix(struct board *b)
{
	unsigned at = get(b, config_at(0x34), 1);

	while (at && get(b, config_at(at), 1) != 0x11)
		at = get(b, config_at(at + 1), 1);
	CHECK(at);
	start(b);
	set(b, config_at(at + 2), 2, 0x8000);
	set(b, BAR_MSIX + 16, 4, 0xfee01000);
	set(b, BAR_MSIX + 20, 4, 0);
	set(b, BAR_MSIX + 24, 4, 77);
	set(b, BAR_MSIX + 28, 4, 0);
	set(b, COMMON + 26, 2, 5);
	CHECK_INT(get(b, COMMON + 26, 2), 0xffff); /* there is no such one */
	set(b, COMMON + 26, 2, 1);
	CHECK_INT(get(b, COMMON + 26, 2), 1);
	b->d.level = false;
	ask(b);
	CHECK_INT(b->messages, 1);
	CHECK_INT(b->message_address, 0xfee01000);
	CHECK_INT(b->message_data, 77);
	CHECK(!b->d.level);
	driver_check_state(&b->d);
	ask(b);
	CHECK_INT(b->messages, 2);
	set(b, config_at(at + 2), 2, 0);
}

/* The same registers through configuration space. */
static void
test_window(struct board *b)
{
	unsigned at = capability(b, 5);

	set(b, config_at(at + 4), 1, 4);
	set(b, config_at(at + 8), 4, 18);
	set(b, config_at(at + 12), 4, 2);
	CHECK_INT(get(b, config_at(at + 16), 2), 1);
	set(b, config_at(at + 8), 4, 22);
	set(b, config_at(at + 16), 2, 3);
	CHECK_INT(get(b, COMMON + 22, 2), 3);
	/* Outside, of the wrong size, in no BAR: nothing. */
	set(b, config_at(at + 8), 4, 0x4000);
	CHECK_INT(get(b, config_at(at + 16), 2), 0);
	set(b, config_at(at + 8), 4, 0xfffffffe);
	CHECK_INT(get(b, config_at(at + 16), 2), 0);
	set(b, config_at(at + 4), 1, 0);
	set(b, config_at(at + 8), 4, 18);
	CHECK_INT(get(b, config_at(at + 16), 2), 0);
}

int
main(void)
{
	static struct board b;

	log_open(-1, LOG_ERROR);
	set_up(&b);
	test_description(&b);
	test_pin(&b);
	test_msix(&b);
	test_window(&b);
	start(&b);
	driver_fini(&b.d);
	return check_done();
}

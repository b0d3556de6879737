/* Fuzz target: configuration space, BARs, MSI-X tables and the common registers of
 * a virtio device over PCI, accessed at any address and width; now and then a queue
 * that works, so that interrupts are raised; state saved and restored in the middle. */
#include "bus/pci.h"
#include "device/virtio/rng.h"
#include "fuzz/fuzz.h"
#include "unit/virtio_driver.h"

#define ECAM 0x30000000u
#define BAR 0x40000000u
#define WINDOW 0x8000u /* of the two BARs, as placed by place_bars */
#define COMMON BAR

static struct driver d;
static struct pci_bus bus;
static unsigned messages;

static void
message(void *owner, uint64_t address, uint32_t data)
{
	(void)owner, (void)address, (void)data;
	messages++;
}

static uint64_t
config_at(unsigned slot, unsigned offset)
{
	return ECAM + ((uint64_t)slot << 15) + offset;
}

static void
set(uint64_t address, unsigned size, uint64_t value)
{
	memory_store(&d.memory, address, size, value);
}

static void
place_bars(void)
{
	set(config_at(1, 0x20), 4, BAR);
	set(config_at(1, 0x24), 4, 0);
	set(config_at(1, 0x14), 4, BAR + WINDOW);
	set(config_at(1, PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

/* The queue as a driver sets it up, at places of the input's choice. */
static void
start_queue(struct input *in)
{
	uint64_t at = DRIVER_RAM + take(in, 2) * 16;

	set(COMMON + 20, 1, 0);
	set(COMMON + 20, 1, 3);
	set(COMMON + 8, 4, 1);
	set(COMMON + 12, 4, 1);
	set(COMMON + 20, 1, 11);
	set(COMMON + 24, 2, DRIVER_SIZE);
	set(COMMON + 26, 2, take(in, 1) % 4);
	set(COMMON + 32, 8, at);
	set(COMMON + 40, 8, at + 0x1000);
	set(COMMON + 48, 8, at + 0x2000);
	set(COMMON + 28, 2, 1);
	set(COMMON + 20, 1, 15);
	memory_write64(&d.memory, at, DRIVER_RAM);
	memory_write64(&d.memory, at + 8, 16 | (uint64_t)2 << 32);
	memory_write32(&d.memory, at + 0x1000, 1u << 16);
	set(BAR + 0x3000, 2, 0);
}

static void
access_at(uint64_t address, struct input *in)
{
	unsigned size = 1u << take(in, 1) % 4;
	uint64_t value;

	address &= ~(uint64_t)(size - 1);
	if (take(in, 1) & 1)
		memory_load(&d.memory, address, size, &value);
	else
		set(address, size, take(in, size));
}

static void
step(struct input *in)
{
	switch (take(in, 1) % 8) {
	case 0: access_at(config_at((unsigned)take(in, 1) % 32, (unsigned)take(in, 2) % 4096), in); break;
	case 1: case 2: access_at(config_at(1, (unsigned)take(in, 1)), in); break;
	case 3: access_at(COMMON + take(in, 1) % 64, in); break;
	case 4: access_at(BAR + take(in, 2), in); break;
	case 5: access_at(BAR + WINDOW + take(in, 2) % 0x1000, in); break; /* MSI-X */
	case 6: place_bars(); break;
	case 7: start_queue(in); break;
	}
}

/* What was saved and restored is saved the same. */
static void
check_state(void)
{
	struct state *before = state_save(), *after;
	const void *first, *second;
	size_t size, again;

	d.device->device.type->quiesce(&d.device->device);
	d.device->device.type->state(&d.device->device, before);
	first = state_data(before, &size);
	after = state_restore(first, size);
	d.device->device.type->state(&d.device->device, after);
	if (state_close(after, NULL))
		abort();
	after = state_save();
	d.device->device.type->state(&d.device->device, after);
	second = state_data(after, &again);
	if (size != again || memcmp(first, second, size))
		abort();
	state_close(before, NULL);
	state_close(after, NULL);
	d.device->device.type->resume(&d.device->device);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	bool check = take(&in, 1) % 4 == 0;

	pthread_mutex_lock(&d.lock);
	d.device->device.type->reset(&d.device->device);
	pthread_mutex_unlock(&d.lock);
	place_bars();
	while (in.at < in.end)
		step(&in);
	if (check) {
		pthread_mutex_lock(&d.lock);
		check_state();
		pthread_mutex_unlock(&d.lock);
	}
	return 0;
}

void
fuzz_start(void)
{
	struct error error = { 0 };

	log_open(-1, LOG_ERROR);
	driver_init(&d, true);
	bus.memory = &d.memory;
	bus.low = (struct pci_range){ BAR, 0x10000000 };
	bus.intx[1] = (struct irq_line){ driver_irq, &d, 1 };
	bus.msi = (struct msi_target){ message, NULL };
	d.device = virtio_rng_new(&d.host, "rng0");
	if (pci_bus_init(&bus, ECAM, 1 << 20, &error) || virtio_pci_attach(d.device, &bus, 1, &error))
		abort();
}

void
fuzz_stop(void)
{
	driver_fini(&d);
}

/* The PCI root bus: configuration space through ECAM, and where BARs are mapped.
 *
 * A guest's write changes the bits of config[] that writable[] names, no others;
 * what follows from them (BARs move, pins fall silent) is worked out from
 * config[] afterwards, so that restoring a snapshot takes the same path.
 */
#include "bus/pci.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "bus/pci_impl.h"

static uint16_t
get16(const struct pci_function *f, unsigned offset)
{
	return (uint16_t)(f->config[offset] | f->config[offset + 1] << 8);
}

static uint32_t
get32(const struct pci_function *f, unsigned offset)
{
	return get16(f, offset) | (uint32_t)get16(f, offset + 2) << 16;
}

static uint16_t
command(const struct pci_function *f)
{
	return get16(f, PCI_COMMAND);
}

void
pci_put16(struct pci_function *f, unsigned offset, uint16_t value)
{
	f->config[offset] = (uint8_t)value;
	f->config[offset + 1] = (uint8_t)(value >> 8);
}

void
pci_put32(struct pci_function *f, unsigned offset, uint32_t value)
{
	pci_put16(f, offset, (uint16_t)value);
	pci_put16(f, offset + 2, (uint16_t)(value >> 16));
}

static void
allow32(struct pci_function *f, unsigned offset, uint32_t bits)
{
	for (unsigned i = 0; i < 4; i++)
		f->writable[offset + i] = (uint8_t)(bits >> 8 * i);
}

/* ---- describing a function ------------------------------------------------- */

void
pci_init(struct pci_function *f, const struct pci_identity *identity)
{
	memset(f, 0, sizeof *f);
	pci_put16(f, 0x00, identity->vendor);
	pci_put16(f, 0x02, identity->device);
	f->config[0x08] = identity->revision;
	f->config[0x09] = (uint8_t)identity->class_code;
	f->config[0x0a] = (uint8_t)(identity->class_code >> 8);
	f->config[0x0b] = (uint8_t)(identity->class_code >> 16);
	pci_put16(f, 0x2c, identity->subsystem_vendor);
	pci_put16(f, 0x2e, identity->subsystem);
	f->config[PCI_INTERRUPT_PIN] = !identity->no_intx;
	f->writable[PCI_COMMAND] = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	f->writable[PCI_COMMAND + 1] = PCI_COMMAND_NO_INTX >> 8;
	f->writable[0x0c] = 0xff; /* cache line size: a scratch byte */
	f->writable[PCI_INTERRUPT_LINE] = 0xff;
	f->capabilities_end = PCI_FIRST_CAPABILITY;
	for (unsigned i = 0; i < PCI_BARS; i++)
		f->bar[i].mapped = UINT64_MAX;
}

void
pci_add_bar(struct pci_function *f, unsigned n, uint64_t size, bool wide, const struct memory_ops *ops, void *owner)
{
	struct pci_bar *bar = &f->bar[n];
	uint64_t bits = ~(size - 1);

	assert(n + wide < PCI_BARS && size >= 16 && !(size & (size - 1)) && !bar->size);
	assert(wide || size <= UINT32_MAX);
	*bar = (struct pci_bar){ size, UINT64_MAX, ops, owner, wide };
	f->config[PCI_BAR0 + 4 * n] = wide ? 0xc : 0;
	allow32(f, PCI_BAR0 + 4 * n, (uint32_t)bits);
	if (wide)
		allow32(f, PCI_BAR0 + 4 * n + 4, (uint32_t)(bits >> 32));
}

unsigned
pci_add_capability(struct pci_function *f, uint8_t id, unsigned length)
{
	unsigned at = f->capabilities_end;

	assert(at + length <= PCI_CONFIG);
	f->config[at] = id;
	f->config[at + 1] = f->config[PCI_CAPABILITIES];
	f->config[PCI_CAPABILITIES] = (uint8_t)at;
	f->config[PCI_STATUS] |= PCI_STATUS_CAPABILITIES;
	f->capabilities_end = (unsigned)align_up(at + length, 4);
	return at;
}

/* ---- what follows from configuration space --------------------------------- */

/* Where the guest wants BAR n, UINT64_MAX if nowhere or where no BAR may be. */
static uint64_t
wanted(const struct pci_function *f, unsigned n)
{
	const struct pci_bar *bar = &f->bar[n];
	const struct pci_range *range[2] = { &f->bus->low, &f->bus->high };
	uint64_t start = get32(f, PCI_BAR0 + 4 * n) & ~UINT32_C(15);

	if (!bar->size || !(command(f) & PCI_COMMAND_MEMORY))
		return UINT64_MAX;
	if (bar->wide)
		start |= (uint64_t)get32(f, PCI_BAR0 + 4 * n + 4) << 32;
	for (unsigned i = 0; i < ARRAY_LEN(range); i++)
		if (start >= range[i]->start && bar->size <= range[i]->size &&
		    start - range[i]->start <= range[i]->size - bar->size)
			return start;
	return UINT64_MAX;
}

/* A BAR that would lie over another one stays unmapped until one of them moves. */
static void
map_bars(struct pci_function *f)
{
	struct pci_bus *bus = f->bus;

	for (unsigned n = 0; n < PCI_BARS; n++) {
		struct pci_bar *bar = &f->bar[n];
		uint64_t start = wanted(f, n);

		if (bar->mapped == start)
			continue;
		if (bar->mapped != UINT64_MAX)
			memory_remove(bus->memory, bar->mapped);
		bar->mapped = UINT64_MAX;
		if (start != UINT64_MAX &&
		    !memory_add_device(bus->memory, "bar", start, bar->size, bar->ops, bar->owner, NULL))
			bar->mapped = start;
	}
}

static bool
pin_asserted(const struct pci_function *f)
{
	return f->intx && !(command(f) & PCI_COMMAND_NO_INTX) && !pci_msix_enabled(f);
}

/* A board wires pin A of slot s to line s modulo 4, and the other pins on. */
static void
update_line(struct pci_bus *bus, unsigned line)
{
	bool level = false;

	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		const struct pci_function *f = bus->slot[slot];

		if (f && slot % 4 == line && pin_asserted(f))
			level = true;
	}
	irq_set(&bus->intx[line], level);
}

static void
follow(struct pci_function *f)
{
	map_bars(f);
	f->config[PCI_STATUS] = (uint8_t)((f->config[PCI_STATUS] & ~PCI_STATUS_INTX) | (f->intx ? PCI_STATUS_INTX : 0));
	update_line(f->bus, f->slot % 4);
	pci_msix_deliver(f);
}

void
pci_set_intx(struct pci_function *f, bool level)
{
	if (f->intx == level)
		return;
	f->intx = level;
	follow(f);
}

bool
pci_is_master(const struct pci_function *f)
{
	return command(f) & PCI_COMMAND_MASTER;
}

void
pci_reset(struct pci_function *f)
{
	for (unsigned i = 0; i < PCI_CONFIG; i++)
		f->config[i] &= (uint8_t)~f->writable[i];
	f->intx = false;
	pci_msix_reset(f);
	if (f->bus)
		follow(f);
}

void
pci_state(struct pci_function *f, struct state *s)
{
	uint8_t config[PCI_CONFIG];

	memcpy(config, f->config, sizeof config);
	state_begin(s, "pci", 1);
	state_bytes(s, "config", config, sizeof config);
	state_bool(s, "intx", &f->intx);
	pci_msix_state(f, s);
	state_end(s);
	if (state_way(s) != STATE_RESTORE)
		return;
	for (unsigned i = 0; i < PCI_CONFIG; i++)
		f->config[i] = (uint8_t)((f->config[i] & ~f->writable[i]) | (config[i] & f->writable[i]));
	if (f->bus)
		follow(f);
}

/* ---- configuration cycles --------------------------------------------------- */

static bool
in_window(const struct pci_function *f, unsigned offset, unsigned size)
{
	return offset >= f->window && offset + size <= f->window + f->window_size;
}

uint32_t
pci_config_read(struct pci_function *f, unsigned offset, unsigned size)
{
	uint32_t value = 0;

	/* Beyond is extended space, with no capability in it. */
	if (offset + size > PCI_CONFIG)
		return 0;
	if (f->window_read && in_window(f, offset, size))
		return f->window_read(f->window_owner, offset - f->window, size);
	for (unsigned i = 0; i < size; i++)
		value |= (uint32_t)f->config[offset + i] << 8 * i;
	return value;
}

void
pci_config_write(struct pci_function *f, unsigned offset, unsigned size, uint32_t value)
{
	if (offset + size > PCI_CONFIG)
		return;
	if (f->window_write && in_window(f, offset, size)) {
		f->window_write(f->window_owner, offset - f->window, size, value);
		return;
	}
	for (unsigned i = 0; i < size; i++) {
		uint8_t bits = f->writable[offset + i], byte = (uint8_t)(value >> 8 * i);

		f->config[offset + i] = (uint8_t)((f->config[offset + i] & ~bits) | (byte & bits));
	}
	follow(f);
}

/* ECAM: bus number in bits 20 and up, slot 19..15, function 14..12. */
static struct pci_function *
addressed(struct pci_bus *bus, uint64_t offset)
{
	return offset >> 20 || offset >> 12 & 7 ? NULL : bus->slot[offset >> 15 & 31];
}

static uint64_t
ecam_read(void *owner, uint64_t offset, unsigned size)
{
	struct pci_function *f = addressed(owner, offset);

	return f ? pci_config_read(f, offset & 0xfff, size) : UINT32_MAX;
}

static void
ecam_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct pci_function *f = addressed(owner, offset);

	if (f)
		pci_config_write(f, offset & 0xfff, size, (uint32_t)value);
}

static const struct memory_ops ecam_ops = { ecam_read, ecam_write, 1, 4 };

int
pci_bus_init(struct pci_bus *bus, uint64_t ecam, uint64_t size, struct error *error)
{
	/* The identity of the generic ECAM bridge that guests know. */
	static const struct pci_identity bridge = {
		.vendor = 0x1b36, .device = 0x0008, .subsystem_vendor = 0x1af4, .subsystem = 0x1100,
		.class_code = 0x060000, .no_intx = true,
	};

	pci_init(&bus->bridge, &bridge);
	bus->bridge.bus = bus;
	bus->slot[0] = &bus->bridge;
	return memory_add_device(bus->memory, "pci-ecam", ecam, size, &ecam_ops, bus, error);
}

int
pci_attach(struct pci_bus *bus, int slot, struct pci_function *f, struct error *error)
{
	if (slot == PCI_ANY_SLOT)
		for (slot = 1; slot < PCI_SLOTS && bus->slot[slot];)
			slot++;
	if (slot < 1 || slot >= PCI_SLOTS || bus->slot[slot])
		return error_set(error, EBUSY, "no free PCI slot for a device");
	f->bus = bus;
	f->slot = (unsigned)slot;
	bus->slot[slot] = f;
	return 0;
}

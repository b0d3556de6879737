/* A board without a CPU: memory, an event loop that does not run, and the core
 * chips, for tests that act as the guest. Lines end in a table of levels. */
#ifndef TEST_UNIT_DEVICE_BOARD_H
#define TEST_UNIT_DEVICE_BOARD_H

#include <stdlib.h>
#include <unistd.h>

#include "bus/pci.h"
#include "device/flash/cfi.h"
#include "device/intc/aclint.h"
#include "device/intc/aplic.h"
#include "device/intc/imsic.h"
#include "device/intc/plic.h"
#include "device/power/syscon.h"
#include "device/rtc/goldfish.h"
#include "device/uart/ns16550a.h"
#include "unit/check.h"

#define HARTS 3u
#define LINES 64u

enum {
	UART = 0x10000000,
	PLIC = 0xc000000,
	APLIC = 0xd000000,  /* two domains that send messages, then two that do not */
	IMSIC_M = 0x24000000,
	IMSIC_S = 0x28000000,
	CLINT = 0x2000000,
	SSWI = 0x2f00000,
	RTC = 0x101000,
	SYSCON = 0x100000,
	FLASH = 0x20000000,
	ECAM = 0x30000000,
	BARS = 0x40000000,
};
#define FLASH_SIZE (8u * CFI_FLASH_SECTOR)
/* Lines: the first go to the PLIC's outputs, these to the IMSIC's, to a hart's other
 * inputs, and to the outputs of the second APLIC. */
enum { LINE_IMSIC = 8, LINE_APLIC = 48, LINE_TIMER = 16, LINE_SOFTWARE = 24, LINE_SUPERVISOR = 32, LINE_UART = 40, LINE_RTC = 41, LINE_PCI = 44 };

struct board {
	pthread_mutex_t lock;
	struct memory memory;
	struct event_loop *loop;
	struct guest_clock clock;
	struct console *console;
	int out[2]; /* a pipe: what the console writes */
	bool level[LINES];
	unsigned rises[LINES];
	struct device *device[12];
	unsigned devices;
	struct device *plic, *aclint, *imsic, *aplic[2];
	struct pci_bus pci;
	struct pci_function function;
	uint64_t bar_offset, bar_value, messages, last_message;
	unsigned off, resets;
	int off_code;
};

static void
board_set(void *controller, unsigned number, bool level)
{
	struct board *b = controller;

	if (level && !b->level[number])
		b->rises[number]++;
	b->level[number] = level;
}

static inline struct irq_line
board_line(struct board *b, unsigned number)
{
	return (struct irq_line){ board_set, b, number };
}

static inline void
board_off(void *owner, bool failed, int code)
{
	struct board *b = owner;

	b->off += 1 + failed;
	b->off_code = code;
}

static inline void
board_reset(void *owner)
{
	((struct board *)owner)->resets++;
}

static inline uint64_t
board_bar_read(void *owner, uint64_t offset, unsigned size)
{
	(void)size;
	return ((struct board *)owner)->bar_value + offset;
}

static inline void
board_bar_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct board *b = owner;

	(void)size;
	b->bar_offset = offset;
	b->bar_value = value;
}

static inline void
board_message(void *owner, uint64_t address, uint32_t data)
{
	struct board *b = owner;

	b->messages++;
	b->last_message = address + data;
}

static inline void
board_send(void *owner, uint64_t address, uint32_t data)
{
	imsic_send(((struct board *)owner)->imsic, address, data);
}

static inline void
board_add(struct board *b, struct device *device)
{
	CHECK(device != NULL);
	b->device[b->devices++] = device;
}

static inline void
board_pci(struct board *b)
{
	static const struct memory_ops ops = { board_bar_read, board_bar_write, 1, 8 };
	static const struct pci_identity identity = { .vendor = 0x1af4, .device = 0x1042, .class_code = 0x010000 };

	b->pci.memory = &b->memory;
	b->pci.low = (struct pci_range){ BARS, 0x1000000 };
	b->pci.high = (struct pci_range){ UINT64_C(0x400000000), 0x1000000 };
	b->pci.msi = (struct msi_target){ board_message, b };
	for (unsigned i = 0; i < 4; i++)
		b->pci.intx[i] = board_line(b, LINE_PCI + i);
	CHECK_INT(pci_bus_init(&b->pci, ECAM, 0x1000000, NULL), 0);
	pci_init(&b->function, &identity);
	pci_add_bar(&b->function, 0, 0x4000, true, &ops, b);
	pci_add_bar(&b->function, 3, 0x100, false, &ops, b);
	pci_add_msix(&b->function, 2, 5);
	CHECK_INT(pci_attach(&b->pci, 2, &b->function, NULL), 0);
}

/* The AIA's controllers beside the PLIC. */
static inline void
board_aia(struct board *b)
{
	static const uint64_t files[] = { IMSIC_M, IMSIC_S };
	struct irq_line file[2 * HARTS], direct[2 * HARTS];
	struct aplic_wiring w = { .address = { APLIC, APLIC + APLIC_SIZE }, .harts = HARTS, .msi = { board_send, b } };

	for (unsigned i = 0; i < 2 * HARTS; i++) {
		file[i] = board_line(b, LINE_IMSIC + i);
		direct[i] = board_line(b, LINE_APLIC + i);
	}
	board_add(b, b->imsic = imsic_new(&b->memory, files, file, HARTS, NULL));
	board_add(b, b->aplic[0] = aplic_new(&b->memory, &w, NULL));
	w = (struct aplic_wiring){ .address = { APLIC + 2 * APLIC_SIZE, APLIC + 3 * APLIC_SIZE }, .harts = HARTS,
				   .output = direct };
	board_add(b, b->aplic[1] = aplic_new(&b->memory, &w, NULL));
}

static inline struct board *
board_new(void)
{
	struct board *b = calloc(1, sizeof *b);
	struct irq_line external[2 * HARTS], timer[HARTS], software[HARTS], supervisor[HARTS], line;
	const struct cfi_flash_options flash = { 0 };
	const struct syscon_power power = { board_off, board_reset, b };
	struct aclint_wiring w = { .clint = CLINT, .sswi = SSWI, .harts = HARTS, .hz = 10000000, .clock = &b->clock,
				   .timer = timer, .software = software, .supervisor = supervisor };

	pthread_mutex_init(&b->lock, NULL);
	CHECK_INT(memory_init(&b->memory, NULL), 0);
	b->loop = event_loop_new(&b->lock, NULL);
	guest_clock_init(&b->clock);
	CHECK_INT(pipe(b->out), 0);
	b->console = console_new(b->loop, -1, b->out[1], NULL);
	for (unsigned i = 0; i < 2 * HARTS; i++)
		external[i] = board_line(b, i);
	for (unsigned i = 0; i < HARTS; i++) {
		timer[i] = board_line(b, LINE_TIMER + i);
		software[i] = board_line(b, LINE_SOFTWARE + i);
		supervisor[i] = board_line(b, LINE_SUPERVISOR + i);
	}
	w.loop = b->loop;
	board_add(b, b->plic = plic_new(&b->memory, PLIC, external, 2 * HARTS, NULL));
	board_aia(b);
	board_add(b, b->aclint = aclint_new(&b->memory, &w, NULL));
	line = board_line(b, LINE_UART);
	board_add(b, ns16550a_new(&b->memory, UART, &line, b->console, NULL));
	line = board_line(b, LINE_RTC);
	board_add(b, goldfish_rtc_new(&b->memory, RTC, &line, b->loop, NULL));
	board_add(b, syscon_new(&b->memory, SYSCON, &power, NULL));
	board_add(b, cfi_flash_new(&b->memory, FLASH, FLASH_SIZE, &flash, NULL));
	board_pci(b);
	for (unsigned i = 0; i < b->devices; i++)
		b->device[i]->type->reset(b->device[i]);
	pci_reset(&b->function);
	return b;
}

static inline void
board_free(struct board *b)
{
	for (unsigned i = 0; i < b->devices; i++)
		b->device[i]->type->free(b->device[i]);
	console_free(b->console);
	event_loop_free(b->loop);
	close(b->out[0]);
	close(b->out[1]);
	memory_fini(&b->memory);
	free(b);
}

static inline void
board_state(struct board *b, struct state *s)
{
	for (unsigned i = 0; i < b->devices; i++) {
		state_begin(s, b->device[i]->type->name, b->device[i]->type->version);
		b->device[i]->type->state(b->device[i], s);
		state_end(s);
	}
	pci_state(&b->function, s);
}

/* The guest's accesses; those that fault are told by UINT64_MAX. */
static inline uint64_t
board_load(struct board *b, uint64_t address, unsigned size)
{
	uint64_t value;

	return memory_load(&b->memory, address, size, &value) ? value : UINT64_MAX;
}

static inline void
board_store(struct board *b, uint64_t address, unsigned size, uint64_t value)
{
	CHECK(memory_store(&b->memory, address, size, value));
}

#endif

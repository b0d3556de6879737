/* A PCI Express root bus behind ECAM: functions, their configuration space, BARs,
 * capabilities, MSI-X and INTx. (PCI Local Bus 3.0, PCI Express Base 3.0.)
 *
 * A chip that is a PCI function embeds a struct pci_function, describes it once
 *
 *     pci_init(&chip->pci, &(struct pci_identity){ .vendor = …, .device = … });
 *     pci_add_bar(&chip->pci, 4, 0x4000, true, &chip_ops, chip);
 *     at = pci_add_capability(&chip->pci, 9, 16);     then chip->pci.config[at + 2…]
 *     pci_add_msix(&chip->pci, 1, vectors);
 *     pci_attach(bus, PCI_ANY_SLOT, &chip->pci, error);
 *
 * and after that only sees accesses to its BARs, and says pci_msix_send or
 * pci_set_intx when it wants attention. Where a BAR lies, bus mastering and
 * masking are kept here. All functions sit on bus 0, each in a slot of its own,
 * function 0. BARs are memory, 64 bits wide and prefetchable or 32 bits; there
 * are no I/O BARs.
 *
 * Threading: everything under the machine's device lock.
 */
#ifndef BUS_PCI_H
#define BUS_PCI_H

#include "bus/irq.h"
#include "memory/memory.h"
#include "state/state.h"

#define PCI_SLOTS 32
#define PCI_BARS 6
#define PCI_CONFIG 256      /* bytes of configuration space that are kept */
#define PCI_ANY_SLOT (-1)
#define PCI_MSIX_VECTORS 128 /* of one function, at most */

/* Offsets in configuration space and bits there that chips may ask for. */
enum {
	PCI_COMMAND = 0x04,
	PCI_STATUS = 0x06,
	PCI_BAR0 = 0x10,
	PCI_CAPABILITIES = 0x34,
	PCI_INTERRUPT_LINE = 0x3c,
	PCI_INTERRUPT_PIN = 0x3d,
	PCI_FIRST_CAPABILITY = 0x40,

	PCI_COMMAND_MEMORY = 2,
	PCI_COMMAND_MASTER = 4,
	PCI_COMMAND_NO_INTX = 0x400,
	PCI_STATUS_INTX = 8,
	PCI_STATUS_CAPABILITIES = 0x10,
};

struct pci_identity {
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint32_t class_code; /* 24 bits: class, subclass, interface */
	uint8_t revision;
	bool no_intx;        /* has no interrupt pin */
};

struct pci_bar {
	uint64_t size;   /* a power of two; 0: there is none */
	uint64_t mapped; /* where it is in the map, UINT64_MAX: not there */
	const struct memory_ops *ops;
	void *owner;
	bool wide;       /* takes the next BAR's register too */
};

struct pci_msix_entry {
	uint64_t address;
	uint32_t data;
	uint32_t control; /* bit 0: masked */
};

struct pci_function {
	uint8_t config[PCI_CONFIG];   /* as the guest reads it */
	uint8_t writable[PCI_CONFIG]; /* the bits of it that the guest may write */
	struct pci_bar bar[PCI_BARS];
	struct pci_bus *bus;          /* NULL before pci_attach */
	unsigned slot;
	unsigned capabilities_end;    /* where the next capability goes */
	bool intx;                    /* what the chip last said */
	/* MSI-X; msix_at: its capability's offset, 0: has none. */
	unsigned msix_at, vectors;
	struct pci_msix_entry msix[PCI_MSIX_VECTORS];
	uint64_t pending[PCI_MSIX_VECTORS / 64];
	/* Configuration space that the chip itself answers for (virtio's window
	 * to its BARs): [window, window + window_size). NULL: none. */
	unsigned window, window_size;
	uint32_t (*window_read)(void *owner, unsigned offset, unsigned size);
	void (*window_write)(void *owner, unsigned offset, unsigned size, uint32_t value);
	void *window_owner;
};

struct pci_range {
	uint64_t start, size;
};

struct pci_bus {
	struct memory *memory;        /* where BARs are mapped */
	struct pci_range low, high;   /* where BARs may be: below and above 4 GiB */
	struct irq_line intx[4];      /* INTA to INTD as wired on the board */
	struct msi_target msi;        /* zeroed: the board has no MSI */
	struct pci_function *slot[PCI_SLOTS];
	struct pci_function bridge;   /* slot 0: the host bridge */
};

/* The bus with its host bridge, borrowed memory, and its ECAM region of size bytes
 * (1 MiB a bus number) at ecam. The rest is the caller's to fill in before. */
int pci_bus_init(struct pci_bus *bus, uint64_t ecam, uint64_t size, struct error *error);

/* ---- describing a function, before it is attached ------------------------- */

void pci_init(struct pci_function *function, const struct pci_identity *identity);
/* BAR number n, size a power of two of at least 16; wide: 64 bits, prefetchable,
 * and takes number n + 1 as well. owner goes to ops. */
void pci_add_bar(struct pci_function *function, unsigned n, uint64_t size, bool wide, const struct memory_ops *ops,
		 void *owner);
/* A capability of length bytes, its two header bytes included; they are filled
 * in. Returns its offset. The caller fills config[] and writable[] for the rest. */
unsigned pci_add_capability(struct pci_function *function, uint8_t id, unsigned length);
/* MSI-X with its table and pending bits in BAR n of their own (32 bits). */
void pci_add_msix(struct pci_function *function, unsigned n, unsigned vectors);
/* Little-endian words in config[]. */
void pci_put16(struct pci_function *function, unsigned offset, uint16_t value);
void pci_put32(struct pci_function *function, unsigned offset, uint32_t value);
/* Puts it into a slot (1 to 31) or the first free one. */
int pci_attach(struct pci_bus *bus, int slot, struct pci_function *function, struct error *error);

/* ---- a function at work ---------------------------------------------------- */

/* Whether the driver uses MSI-X now; INTx is silent then. */
bool pci_msix_enabled(const struct pci_function *function);
/* Sends vector n (ignored when there is none such), or keeps it pending. */
void pci_msix_send(struct pci_function *function, unsigned n);
/* The level of the interrupt pin. */
void pci_set_intx(struct pci_function *function, bool level);
/* May the function access memory (bus master)? */
bool pci_is_master(const struct pci_function *function);
/* As after power-on: BARs unmapped, MSI-X off, pin low. */
void pci_reset(struct pci_function *function);
/* What the guest can change; a section of its own, "pci". The bus's host bridge is
 * a function as any other: bus->bridge. */
void pci_state(struct pci_function *function, struct state *s);

/* Configuration cycles as ECAM makes them: size 1, 2 or 4, offset within the
 * 4096 bytes and aligned. For tests and the bus itself. */
uint32_t pci_config_read(struct pci_function *function, unsigned offset, unsigned size);
void pci_config_write(struct pci_function *function, unsigned offset, unsigned size, uint32_t value);

#endif

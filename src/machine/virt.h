/* The riscv64 board `virt`: its memory map and parts; for virt*.c and sbi*.c.
 *
 * The map and the device tree are those of the machine of the same name that
 * firmware and distributions know (its documentation: QEMU's "virt" board):
 *
 *	0x0000_1000  boot ROM            0x1000_0000  UART, line 10
 *	0x0010_0000  syscon              0x1000_1000  8 virtio-mmio slots, lines 1 to 8
 *	0x0010_1000  RTC, line 11        0x2000_0000  flash, two of 32 MiB
 *	0x0200_0000  CLINT               0x3000_0000  PCI ECAM, 256 MiB
 *	0x02f0_0000  ACLINT SSWI         0x4000_0000  PCI memory below 4 GiB, 1 GiB
 *	0x0300_0000  PCI I/O ports       0x8000_0000  RAM
 *	0x0c00_0000  PLIC                beyond RAM   PCI memory, 16 GiB, aligned so
 *
 * With the AIA (config.aia) there is no PLIC, but
 *
 *	0x0c00_0000  APLIC of M-mode     0x2400_0000  IMSIC files of M-mode
 *	0x0d00_0000  APLIC of S-mode     0x2800_0000  IMSIC files of S-mode
 */
#ifndef MACHINE_VIRT_H
#define MACHINE_VIRT_H

#include "device/intc/imsic.h"
#include "machine/machine_impl.h"

enum {
	VIRT_ROM = 0x1000,
	VIRT_ROM_SIZE = 0xf000,
	VIRT_SYSCON = 0x100000,
	VIRT_RTC = 0x101000,
	VIRT_CLINT = 0x2000000,
	VIRT_SSWI = 0x2f00000,
	VIRT_PCI_PORTS = 0x3000000,
	VIRT_PCI_PORTS_SIZE = 0x10000,
	VIRT_PLIC = 0xc000000,
	VIRT_APLIC_M = 0xc000000,
	VIRT_APLIC_S = 0xd000000,
	VIRT_UART = 0x10000000,
	VIRT_MMIO = 0x10001000,
	VIRT_MMIO_SIZE = 0x1000,
	VIRT_MMIO_SLOTS = 8,
	VIRT_FLASH = 0x20000000,
	VIRT_FLASH_SIZE = 0x2000000, /* of each of two */
	VIRT_IMSIC_M = 0x24000000,
	VIRT_IMSIC_S = 0x28000000,
	VIRT_ECAM = 0x30000000,
	VIRT_ECAM_SIZE = 0x10000000,
	VIRT_PCI_LOW = 0x40000000,
	VIRT_PCI_LOW_SIZE = 0x40000000,
};
#define VIRT_RAM UINT64_C(0x80000000)
#define VIRT_PCI_HIGH_SIZE UINT64_C(0x400000000)

/* Inputs of the PLIC or APLIC. */
enum { VIRT_LINE_MMIO = 1, VIRT_LINE_UART = 10, VIRT_LINE_RTC = 11, VIRT_LINE_PCI = 32 };

/* ---- performance counters of the built-in firmware: sbi_pmu.c ----------------- */

#define SBI_FIRMWARE_COUNTERS 16u

/* SBI 11.4: what it counts, by its code. */
enum sbi_event {
	SBI_EVENT_SET_TIMER = 5,
	SBI_EVENT_IPI_SENT = 6,
	SBI_EVENT_IPI_RECEIVED = 7,
	SBI_EVENT_FENCE_I_SENT = 8,
	SBI_EVENT_FENCE_I_RECEIVED = 9,
	SBI_EVENT_SFENCE_SENT = 10,
	SBI_EVENT_SFENCE_RECEIVED = 11,
	SBI_EVENT_SFENCE_ASID_SENT = 12,
	SBI_EVENT_SFENCE_ASID_RECEIVED = 13,
	SBI_EVENTS = 22,
};

struct sbi_counter {
	uint32_t event;
	uint64_t value, base; /* shown when it last started or stopped; the total then */
};

/* Of one hart. */
struct sbi_pmu {
	uint64_t total[SBI_EVENTS]; /* atomic */
	uint32_t started;           /* a bit a counter */
	struct sbi_counter counter[SBI_FIRMWARE_COUNTERS];
};

struct virt {
	struct device *plic, *aplic, *imsic; /* NULL: it has none */
	struct device *aclint, *uart;
	struct guest_files files;  /* imsic's, for the harts */
	uint8_t *rom;              /* its bytes */
	uint64_t pci_high;         /* where PCI memory beyond RAM begins */
	bool mmio_used[VIRT_MMIO_SLOTS];
	bool flash;                /* there is, as the device tree says */
	bool flash_code;           /* and the first has something to start: in S-mode */
	bool firmware_in_flash;    /* config.firmware is that */
	/* How vCPUs start: firmware in M-mode or everything by ourselves. */
	bool machine_mode;
	uint64_t entry, device_tree, dynamic_info;
	struct sbi_pmu pmu[MACHINE_CPUS];
};

static inline struct virt *
virt_of(struct machine *m)
{
	return m->board;
}

/* ---- virt_fdt.c ------------------------------------------------------------- */

/* What the device tree says of what was loaded. */
struct virt_chosen {
	const char *append;
	uint64_t initrd, initrd_end; /* both 0: none */
};
/* Makes the tree, in memory from malloc, or takes config.dtb and completes it.
 * NULL: *error. */
void *virt_fdt(struct machine *m, const struct virt_chosen *chosen, size_t *size, struct error *error);

/* ---- virt_load.c ------------------------------------------------------------ */

int virt_load(struct machine *m, struct error *error);

/* ---- sbi.c: the built-in firmware (RISC-V SBI specification 2.0) ------------- */

void sbi_call(struct machine *m, unsigned cpu);

enum sbi_error {
	SBI_SUCCESS = 0,
	SBI_FAILED = -1,
	SBI_NOT_SUPPORTED = -2,
	SBI_INVALID_PARAM = -3,
	SBI_DENIED = -4,
	SBI_INVALID_ADDRESS = -5,
	SBI_ALREADY_AVAILABLE = -6,
	SBI_ALREADY_STARTED = -7,
	SBI_ALREADY_STOPPED = -8,
};

/* A call's arguments a0 to a5 and function a6, and what it answers. */
struct sbi {
	struct machine *machine;
	struct machine_cpu *cpu;
	uint64_t a[6];
	uint64_t function;
	uint64_t value; /* for a1 */
	bool no_answer; /* registers stay: the vCPU stops or starts anew */
};

/* sbi_hsm.c: harts, suspension, reset */
int64_t sbi_hsm(struct sbi *call);
int64_t sbi_susp(struct sbi *call);
int64_t sbi_srst(struct sbi *call);
/* sbi_pmu.c */
int64_t sbi_pmu(struct sbi *call);
void sbi_pmu_count(struct machine *m, unsigned hart, enum sbi_event event); /* any thread */
void sbi_pmu_reset(struct machine *m);
void sbi_pmu_state(struct machine *m, struct state *s);
/* sbi_console.c */
int64_t sbi_dbcn(struct sbi *call);
int64_t sbi_putchar(struct sbi *call);
int64_t sbi_getchar(struct sbi *call);

#endif

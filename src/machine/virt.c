/* The riscv64 board `virt`: what is where, and how it is wired. */
#include "machine/virt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/flash/cfi.h"
#include "device/intc/aclint.h"
#include "device/intc/aplic.h"
#include "device/intc/plic.h"
#include "device/power/syscon.h"
#include "device/rtc/goldfish.h"
#include "device/uart/ns16550a.h"
#include "guest/riscv64/state.h"

/* Interrupt inputs of a hart, by their bit in mip. */
enum { SSI = 1, MSI = 3, STI = 5, MTI = 7, SEI = 9, MEI = 11 };

static int
keep(struct machine *m, struct device *device, const char *name)
{
	if (!device)
		return -1;
	machine_add(m, device, name);
	return 0;
}

/* ---- interrupt controllers --------------------------------------------------- */

static void
send_message(void *owner, uint64_t address, uint32_t data)
{
	struct machine *m = owner;

	if (!imsic_send(virt_of(m)->imsic, address, data))
		memory_write32(&m->memory, address, data);
}

/* IMSICs, and what they are to the harts and to PCI. */
static int
build_imsic(struct machine *m, const struct irq_line *external, struct error *error)
{
	static const uint64_t address[IMSIC_FILES] = { VIRT_IMSIC_M, VIRT_IMSIC_S };
	struct virt *v = virt_of(m);

	v->imsic = imsic_new(&m->memory, address, external, m->cpus, error);
	if (keep(m, v->imsic, "imsic"))
		return -1;
	v->files = (struct guest_files){ imsic_change, imsic_top, v->imsic };
	for (unsigned i = 0; i < m->cpus; i++)
		m->cpu[i].env.files = &v->files;
	m->pci.msi = (struct msi_target){ send_message, m };
	return 0;
}

/* What wired interrupts go to: PLIC or APLIC. external: each hart's M then S input. */
static int
build_wired(struct machine *m, const struct irq_line *external, struct error *error)
{
	struct virt *v = virt_of(m);
	const char *aia = m->config.aia ? m->config.aia : "none";
	struct aplic_wiring wiring = {
		.address = { VIRT_APLIC_M, VIRT_APLIC_S }, .harts = m->cpus, .output = external,
	};

	if (!strcmp(aia, "none")) {
		v->plic = plic_new(&m->memory, VIRT_PLIC, external, 2 * m->cpus, error);
		return keep(m, v->plic, "plic");
	}
	if (!strcmp(aia, "aplic-imsic")) {
		if (build_imsic(m, external, error))
			return -1;
		wiring.output = NULL;
		wiring.msi = m->pci.msi;
	} else if (strcmp(aia, "aplic") != 0) {
		return error_set(error, EINVAL, "there is no aia=%s: none, aplic, aplic-imsic", aia);
	}
	v->aplic = aplic_new(&m->memory, &wiring, error);
	return keep(m, v->aplic, "aplic");
}

static struct irq_line
wire(const struct virt *v, unsigned n)
{
	return v->plic ? plic_input(v->plic, n) : aplic_input(v->aplic, n);
}

static int
build_controllers(struct machine *m, struct error *error)
{
	struct irq_line external[2 * MACHINE_CPUS], timer[MACHINE_CPUS], software[MACHINE_CPUS],
		supervisor[MACHINE_CPUS];
	struct virt *v = virt_of(m);
	struct aclint_wiring wiring = {
		.clint = VIRT_CLINT, .sswi = VIRT_SSWI, .harts = m->cpus, .hz = m->type->guest->system->timebase_hz,
		.clock = &m->clock, .loop = m->loop, .timer = timer, .software = software, .supervisor = supervisor,
	};

	for (unsigned i = 0; i < m->cpus; i++) {
		external[2 * i] = machine_cpu_input(m, i, MEI);
		external[2 * i + 1] = machine_cpu_input(m, i, SEI);
		timer[i] = machine_cpu_input(m, i, MTI);
		software[i] = machine_cpu_input(m, i, MSI);
		supervisor[i] = machine_cpu_input(m, i, SSI);
	}
	if (build_wired(m, external, error))
		return -1;
	v->aclint = aclint_new(&m->memory, &wiring, error);
	return keep(m, v->aclint, "aclint");
}

/* ---- PCI ---------------------------------------------------------------------- */

static int
build_pci(struct machine *m, struct error *error)
{
	struct virt *v = virt_of(m);

	v->pci_high = align_up(VIRT_RAM + m->config.memory, VIRT_PCI_HIGH_SIZE);
	m->pci.memory = &m->memory;
	m->pci.low = (struct pci_range){ VIRT_PCI_LOW, VIRT_PCI_LOW_SIZE };
	m->pci.high = (struct pci_range){ v->pci_high, VIRT_PCI_HIGH_SIZE };
	for (unsigned i = 0; i < 4; i++)
		m->pci.intx[i] = wire(v, VIRT_LINE_PCI + i);
	return pci_bus_init(&m->pci, VIRT_ECAM, VIRT_ECAM_SIZE, error);
}

/* ---- power ---------------------------------------------------------------------- */

static void
power_off(void *owner, bool failed, int code)
{
	struct machine *m = owner;

	if (m->config.bare)
		machine_end(m, MACHINE_BARE, failed && !code ? 1 : code);
	else
		machine_end(m, failed ? MACHINE_PANIC : MACHINE_POWEROFF, code);
}

static void
power_reset(void *owner)
{
	machine_want_reset(owner);
}

static int
build_small(struct machine *m, struct error *error)
{
	const struct syscon_power power = { power_off, power_reset, m };
	struct virt *v = virt_of(m);
	struct irq_line line = wire(v, VIRT_LINE_UART);

	v->uart = ns16550a_new(&m->memory, VIRT_UART, &line, m->console, error);
	if (keep(m, v->uart, "uart") || keep(m, syscon_new(&m->memory, VIRT_SYSCON, &power, error), "syscon"))
		return -1;
	line = wire(v, VIRT_LINE_RTC);
	return keep(m, goldfish_rtc_new(&m->memory, VIRT_RTC, &line, m->loop, error), "rtc");
}

/* ---- flash ------------------------------------------------------------------- */

/* A UEFI firmware volume (PI specification, volume 3) begins with 16 bytes, a GUID,
 * a length and this. */
static bool
is_firmware_volume(const char *path)
{
	enum { AT = 40 };
	uint8_t head[AT + 4];
	FILE *file = fopen(path, "rbe");
	bool is = file && fread(head, sizeof head, 1, file) == 1 && !memcmp(head + AT, "_FVH", 4);

	if (file)
		fclose(file);
	return is;
}

/* Two flashes if anything is to be in them: firmware that runs there, then
 * "flash" disks in order. */
static int
build_flash(struct machine *m, struct error *error)
{
	struct cfi_flash_options options[2] = { { 0 } };
	struct virt *v = virt_of(m);
	unsigned used = 0;

	if (m->config.firmware && is_firmware_volume(m->config.firmware)) {
		options[used++] = (struct cfi_flash_options){ m->config.firmware, true };
		v->firmware_in_flash = true;
	}
	for (unsigned i = 0; i < m->config.disks; i++) {
		const struct machine_disk *disk = &m->config.disk[i];

		if (!disk->bus || strcmp(disk->bus, "flash"))
			continue;
		if (used == 2)
			return error_set(error, ENOSPC, "%s: a machine has two flashes, and both are taken", disk->path);
		options[used++] = (struct cfi_flash_options){ disk->path, disk->read_only || disk->snapshot };
	}
	v->flash = v->flash_code = used;
	if (!used)
		return 0;
	return keep(m, cfi_flash_new(&m->memory, VIRT_FLASH, VIRT_FLASH_SIZE, &options[0], error), "flash0") ||
			       keep(m, cfi_flash_new(&m->memory, VIRT_FLASH + VIRT_FLASH_SIZE, VIRT_FLASH_SIZE,
						     &options[1], error),
				    "flash1")
		       ? -1
		       : 0;
}

static int
build(struct machine *m, struct error *error)
{
	struct virt *v = calloc(1, sizeof *v);

	if (!v)
		fatal("out of memory for a board");
	m->board = v;
	if (memory_add_ram(&m->memory, "ram", VIRT_RAM, m->config.memory, error) ||
	    memory_add_rom(&m->memory, "boot-rom", VIRT_ROM, "", 0, VIRT_ROM_SIZE, error) ||
	    build_controllers(m, error) || build_pci(m, error) || build_small(m, error) ||
	    build_flash(m, error) ||
	    (!m->config.bare && machine_add_devices(m, error)))
		return -1;
	v->rom = memory_ram(&m->memory, VIRT_ROM, VIRT_ROM_SIZE, false);
	return 0;
}

static void
board_free(struct machine *m)
{
	free(m->board);
	m->board = NULL;
}

/* ---- harts ------------------------------------------------------------------------ */

/* As firmware hands a hart over (SBI, HSM): S-mode, no translation, interrupts
 * off, its number and an argument. */
static void
enter(struct machine *m, unsigned number)
{
	struct machine_cpu *cpu = &m->cpu[number];
	struct ir_frame *frame = cpu->vcpu.frame;
	const struct guest_system *system = m->type->guest->system;

	system->reset(frame);
	system->firmware(frame);
	riscv64_state_of(frame)->x[10] = number;
	riscv64_state_of(frame)->x[11] = cpu->start_argument;
	frame->pc = cpu->start_pc;
}

/* Every hart starts in M-mode, or the first in S-mode and the others wait to be
 * started. */
static int
load(struct machine *m, struct error *error)
{
	struct virt *v = virt_of(m);

	if (virt_load(m, error))
		return -1;
	sbi_pmu_reset(m);
	if (v->aplic && !v->machine_mode)
		aplic_delegate(v->aplic, VIRT_IMSIC_S);
	for (unsigned i = 0; i < m->cpus; i++) {
		struct machine_cpu *cpu = &m->cpu[i];
		struct riscv64_state *s = riscv64_state_of(cpu->vcpu.frame);

		cpu->start_pc = v->entry;
		cpu->start_argument = v->device_tree;
		cpu->state = i ? CPU_STOPPED : CPU_STARTED;
		if (v->machine_mode) {
			s->x[10] = i;
			s->x[11] = v->device_tree;
			s->x[12] = v->dynamic_info;
			cpu->vcpu.frame->pc = v->entry;
			cpu->state = CPU_STARTED;
		} else if (!i) {
			enter(m, i);
		}
	}
	return 0;
}

const struct machine_type machine_riscv64_virt = {
	.name = "virt",
	.guest = &guest_riscv64,
	.default_memory = UINT64_C(512) << 20,
	.build = build,
	.load = load,
	.call = sbi_call,
	.enter = enter,
	.state = sbi_pmu_state,
	.timer_input = STI,
	.free = board_free,
};

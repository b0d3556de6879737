/* The device tree of the board `virt` (Devicetree Specification 0.4; bindings as
 * in Linux' Documentation/devicetree/bindings). Its nodes have the names and
 * properties that guests know from the machine of the same name.
 */
#include <errno.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "bus/pci.h"
#include "device/intc/aclint.h"
#include "device/intc/aplic.h"
#include "device/intc/plic.h"
#include "device/power/syscon.h"
#include "device/rtc/goldfish.h"
#include "device/uart/ns16550a.h"
#include "guest/riscv64/state.h"
#include "machine/virt.h"

#define ROOM (UINT64_C(1) << 20)

enum { MSI = 3, MTI = 7, SEI = 9, MEI = 11 };
/* PHANDLE_WIRED: what wired interrupts go to, PLIC or S-mode's APLIC. */
enum { PHANDLE_WIRED = 1, PHANDLE_SYSCON = 2, PHANDLE_APLIC_M = 3, PHANDLE_IMSIC = 4, PHANDLE_CPU = 16, PHANDLE_INTC = 128 };
enum { LEVEL_HIGH = 4 }; /* an interrupt's type, where it is said */

/* The first failure sticks: a tree is written without looking, and looked at
 * once. */
struct tree {
	void *fdt;
	int failed; /* libfdt's code */
};

static void
check(struct tree *t, int code)
{
	if (code && !t->failed)
		t->failed = code;
}

static void
begin(struct tree *t, const char *name)
{
	check(t, fdt_begin_node(t->fdt, name));
}

/* A node with a unit address: "name@address". */
static void
begin_at(struct tree *t, const char *name, uint64_t address)
{
	char whole[64];

	text_format(whole, sizeof whole, "%s@%llx", name, (unsigned long long)address);
	begin(t, whole);
}

static void
end(struct tree *t)
{
	check(t, fdt_end_node(t->fdt));
}

static void
text(struct tree *t, const char *name, const char *value)
{
	check(t, fdt_property_string(t->fdt, name, value));
}

static void
bytes(struct tree *t, const char *name, const void *value, size_t size)
{
	check(t, fdt_property(t->fdt, name, value, (int)size));
}

static void
flag(struct tree *t, const char *name)
{
	bytes(t, name, "", 0);
}

static void
word(struct tree *t, const char *name, uint32_t value)
{
	check(t, fdt_property_u32(t->fdt, name, value));
}

static void
words(struct tree *t, const char *name, const uint32_t *values, unsigned count)
{
	void *at = NULL;

	check(t, fdt_property_placeholder(t->fdt, name, (int)(4 * count), &at));
	for (unsigned i = 0; at && i < count; i++)
		fdt32_st((uint32_t *)at + i, values[i]);
}

static void
reg(struct tree *t, uint64_t start, uint64_t size)
{
	const uint32_t value[] = { (uint32_t)(start >> 32), (uint32_t)start, (uint32_t)(size >> 32), (uint32_t)size };

	words(t, "reg", value, 4);
}

/* ---- harts ------------------------------------------------------------------- */

/* riscv,isa: single letters run together, the others joined by '_'; and
 * riscv,isa-extensions: a list of strings. */
static void
extensions(struct tree *t, const struct machine *m)
{
	const struct guest_system *system = m->type->guest->system;
	const struct virt *v = m->board;
	char isa[512], list[512];
	size_t length = (size_t)text_format(list, sizeof list, "%s%s", system->extensions, v->imsic ? " smaia ssaia" : "");

	text_format(isa, sizeof isa, "rv64");
	for (char *at = list, *space; *at; at = space ? space + 1 : at + strlen(at)) {
		space = strchr(at, ' ');
		if (space)
			*space = 0;
		text_format(isa + strlen(isa), sizeof isa - strlen(isa), at[1] ? "_%s" : "%s", at);
	}
	text(t, "riscv,isa", isa);
	text(t, "riscv,isa-base", system->base);
	bytes(t, "riscv,isa-extensions", list, length + 1);
}

static void
add_cpu(struct tree *t, const struct machine *m, unsigned n)
{
	begin_at(t, "cpu", n);
	word(t, "phandle", PHANDLE_CPU + n);
	text(t, "device_type", "cpu");
	word(t, "reg", n);
	text(t, "status", "okay");
	text(t, "compatible", "riscv");
	extensions(t, m);
	word(t, "riscv,cbom-block-size", RISCV64_CACHE_BLOCK);
	word(t, "riscv,cbop-block-size", RISCV64_CACHE_BLOCK);
	word(t, "riscv,cboz-block-size", RISCV64_CACHE_BLOCK);
	text(t, "mmu-type", "riscv,sv48");
	begin(t, "interrupt-controller");
	word(t, "#interrupt-cells", 1);
	flag(t, "interrupt-controller");
	text(t, "compatible", "riscv,cpu-intc");
	word(t, "phandle", PHANDLE_INTC + n);
	end(t);
	end(t);
}

static void
add_cpus(struct tree *t, const struct machine *m)
{
	char core[16];

	begin(t, "cpus");
	word(t, "#address-cells", 1);
	word(t, "#size-cells", 0);
	word(t, "timebase-frequency", (uint32_t)m->type->guest->system->timebase_hz);
	for (unsigned i = 0; i < m->cpus; i++)
		add_cpu(t, m, i);
	begin(t, "cpu-map");
	begin(t, "cluster0");
	for (unsigned i = 0; i < m->cpus; i++) {
		text_format(core, sizeof core, "core%u", i);
		begin(t, core);
		word(t, "cpu", PHANDLE_CPU + i);
		end(t);
	}
	end(t);
	end(t);
	end(t);
}

/* ---- chips ------------------------------------------------------------------- */

/* Each hart's intc and one or two (second not 0) of its inputs. */
static void
interrupts_extended(struct tree *t, const struct machine *m, uint32_t first, uint32_t second)
{
	uint32_t value[4 * MACHINE_CPUS];
	unsigned count = 0;

	for (unsigned i = 0; i < m->cpus; i++) {
		value[count++] = PHANDLE_INTC + i;
		value[count++] = first;
		if (!second)
			continue;
		value[count++] = PHANDLE_INTC + i;
		value[count++] = second;
	}
	words(t, "interrupts-extended", value, count);
}

/* An input of PLIC or APLIC. The second knows of more than levels. */
static void
line(struct tree *t, const struct virt *v, uint32_t number)
{
	const uint32_t interrupt[] = { number, LEVEL_HIGH };

	word(t, "interrupt-parent", PHANDLE_WIRED);
	words(t, "interrupts", interrupt, v->plic ? 1 : 2);
}

static void
add_plic(struct tree *t, const struct machine *m)
{
	static const char plic[] = "sifive,plic-1.0.0\0riscv,plic0";

	begin_at(t, "plic", VIRT_PLIC);
	word(t, "phandle", PHANDLE_WIRED);
	bytes(t, "compatible", plic, sizeof plic);
	reg(t, VIRT_PLIC, PLIC_SIZE(2 * m->cpus));
	word(t, "#address-cells", 0);
	word(t, "#interrupt-cells", 1);
	flag(t, "interrupt-controller");
	word(t, "riscv,ndev", PLIC_SOURCES - 1);
	interrupts_extended(t, m, MEI, SEI);
	end(t);
}

/* The interrupt files of one privilege (Linux: riscv,imsics.yaml). */
static void
add_imsic(struct tree *t, const struct machine *m, bool machine)
{
	begin_at(t, "interrupt-controller", machine ? VIRT_IMSIC_M : VIRT_IMSIC_S);
	word(t, "phandle", PHANDLE_IMSIC + machine);
	text(t, "compatible", "riscv,imsics");
	reg(t, machine ? VIRT_IMSIC_M : VIRT_IMSIC_S, (uint64_t)m->cpus * IMSIC_PAGE);
	flag(t, "interrupt-controller");
	word(t, "#interrupt-cells", 0);
	flag(t, "msi-controller");
	word(t, "#msi-cells", 0);
	word(t, "riscv,num-ids", IMSIC_IDENTITIES);
	interrupts_extended(t, m, machine ? MEI : SEI, 0);
	end(t);
}

/* A domain of it (riscv,aplic.yaml); M-mode's delegates all to the other. */
static void
add_aplic(struct tree *t, const struct machine *m, bool machine)
{
	static const uint32_t all[] = { PHANDLE_WIRED, 1, APLIC_SOURCES };

	begin_at(t, "interrupt-controller", machine ? VIRT_APLIC_M : VIRT_APLIC_S);
	word(t, "phandle", machine ? PHANDLE_APLIC_M : PHANDLE_WIRED);
	text(t, "compatible", "riscv,aplic");
	reg(t, machine ? VIRT_APLIC_M : VIRT_APLIC_S, APLIC_SIZE);
	word(t, "#address-cells", 0);
	word(t, "#interrupt-cells", 2);
	flag(t, "interrupt-controller");
	word(t, "riscv,num-sources", APLIC_SOURCES);
	if (((const struct virt *)m->board)->imsic)
		word(t, "msi-parent", PHANDLE_IMSIC + machine);
	else
		interrupts_extended(t, m, machine ? MEI : SEI, 0);
	if (machine) {
		word(t, "riscv,children", PHANDLE_WIRED);
		words(t, "riscv,delegation", all, ARRAY_LEN(all));
	}
	end(t);
}

/* M-mode's parts are there for whoever runs in M-mode. */
static void
add_controllers(struct tree *t, const struct machine *m)
{
	static const char clint[] = "sifive,clint0\0riscv,clint0";
	const struct virt *v = m->board;

	if (v->plic)
		add_plic(t, m);
	for (unsigned machine = 0; machine <= v->machine_mode && v->imsic; machine++)
		add_imsic(t, m, machine);
	for (unsigned machine = 0; machine <= v->machine_mode && v->aplic; machine++)
		add_aplic(t, m, machine);
	begin_at(t, "clint", VIRT_CLINT);
	bytes(t, "compatible", clint, sizeof clint);
	reg(t, VIRT_CLINT, ACLINT_SIZE);
	interrupts_extended(t, m, MSI, MTI);
	end(t);
}

static void
add_small(struct tree *t, const struct virt *v)
{
	static const char finisher[] = "sifive,test1\0sifive,test0\0syscon";

	begin_at(t, "test", VIRT_SYSCON);
	word(t, "phandle", PHANDLE_SYSCON);
	bytes(t, "compatible", finisher, sizeof finisher);
	reg(t, VIRT_SYSCON, SYSCON_SIZE);
	end(t);
	begin_at(t, "rtc", VIRT_RTC);
	text(t, "compatible", "google,goldfish-rtc");
	reg(t, VIRT_RTC, GOLDFISH_RTC_SIZE);
	line(t, v, VIRT_LINE_RTC);
	end(t);
	begin_at(t, "serial", VIRT_UART);
	text(t, "compatible", "ns16550a");
	reg(t, VIRT_UART, NS16550A_SIZE);
	word(t, "clock-frequency", 3686400);
	line(t, v, VIRT_LINE_UART);
	end(t);
	for (unsigned i = 0; i < VIRT_MMIO_SLOTS; i++) {
		if (!v->mmio_used[i])
			continue;
		begin_at(t, "virtio_mmio", VIRT_MMIO + i * VIRT_MMIO_SIZE);
		text(t, "compatible", "virtio,mmio");
		reg(t, VIRT_MMIO + i * VIRT_MMIO_SIZE, VIRT_MMIO_SIZE);
		line(t, v, VIRT_LINE_MMIO + i);
		end(t);
	}
}

/* Pin p of slot s is wired to line s + p, modulo 4. */
static void
add_interrupt_map(struct tree *t, const struct virt *v)
{
	enum { SLOTS = 4, PINS = 4, CELLS = 7 };
	static const uint32_t mask[] = { 0x1800, 0, 0, 7 };
	unsigned cells = v->plic ? CELLS - 1 : CELLS;
	uint32_t map[SLOTS * PINS * CELLS], *at = map;

	for (unsigned slot = 0; slot < SLOTS; slot++)
		for (unsigned pin = 1; pin <= PINS; pin++) {
			const uint32_t entry[CELLS] = { slot << 11, 0, 0, pin, PHANDLE_WIRED,
							VIRT_LINE_PCI + (slot + pin - 1) % 4, LEVEL_HIGH };

			memcpy(at, entry, cells * sizeof *entry);
			at += cells;
		}
	words(t, "interrupt-map-mask", mask, ARRAY_LEN(mask));
	words(t, "interrupt-map", map, SLOTS * PINS * cells);
}

static void
add_pci(struct tree *t, const struct virt *v)
{
	enum { PORTS = 0x1000000, MEMORY_32 = 0x2000000, MEMORY_64 = 0x3000000 };
	const uint32_t high = (uint32_t)(v->pci_high >> 32), low = (uint32_t)v->pci_high;
	const uint32_t ranges[] = {
		PORTS,     0,    0,            0,    VIRT_PCI_PORTS, 0, VIRT_PCI_PORTS_SIZE,
		MEMORY_32, 0,    VIRT_PCI_LOW, 0,    VIRT_PCI_LOW,   0, VIRT_PCI_LOW_SIZE,
		MEMORY_64, high, low,          high, low,            VIRT_PCI_HIGH_SIZE >> 32, 0,
	};
	static const uint32_t buses[] = { 0, 255 };

	begin_at(t, "pci", VIRT_ECAM);
	text(t, "compatible", "pci-host-ecam-generic");
	text(t, "device_type", "pci");
	word(t, "#address-cells", 3);
	word(t, "#size-cells", 2);
	word(t, "#interrupt-cells", 1);
	word(t, "linux,pci-domain", 0);
	words(t, "bus-range", buses, 2);
	flag(t, "dma-coherent");
	reg(t, VIRT_ECAM, VIRT_ECAM_SIZE);
	words(t, "ranges", ranges, ARRAY_LEN(ranges));
	if (v->imsic)
		word(t, "msi-parent", PHANDLE_IMSIC);
	add_interrupt_map(t, v);
	end(t);
}

static void
add_power(struct tree *t)
{
	begin(t, "poweroff");
	text(t, "compatible", "syscon-poweroff");
	word(t, "regmap", PHANDLE_SYSCON);
	word(t, "offset", 0);
	word(t, "value", SYSCON_PASS);
	end(t);
	begin(t, "reboot");
	text(t, "compatible", "syscon-reboot");
	word(t, "regmap", PHANDLE_SYSCON);
	word(t, "offset", 0);
	word(t, "value", SYSCON_RESET);
	end(t);
}

static void
add_flash(struct tree *t)
{
	const uint32_t banks[] = { 0, VIRT_FLASH, 0, VIRT_FLASH_SIZE,
				   0, VIRT_FLASH + VIRT_FLASH_SIZE, 0, VIRT_FLASH_SIZE };

	begin_at(t, "flash", VIRT_FLASH);
	text(t, "compatible", "cfi-flash");
	words(t, "reg", banks, ARRAY_LEN(banks));
	word(t, "bank-width", 4);
	end(t);
}

/* ---- the whole ---------------------------------------------------------------- */

static void
add_fixed(struct tree *t, const struct machine *m)
{
	const struct virt *v = m->board;

	word(t, "#address-cells", 2);
	word(t, "#size-cells", 2);
	text(t, "compatible", "riscv-virtio");
	text(t, "model", "riscv-virtio,isomorph");
	begin_at(t, "memory", VIRT_RAM);
	text(t, "device_type", "memory");
	reg(t, VIRT_RAM, m->config.memory);
	end(t);
	add_cpus(t, m);
	if (v->flash)
		add_flash(t);
	begin(t, "soc");
	word(t, "#address-cells", 2);
	word(t, "#size-cells", 2);
	text(t, "compatible", "simple-bus");
	flag(t, "ranges");
	add_controllers(t, m);
	add_small(t, v);
	add_pci(t, v);
	end(t);
	add_power(t);
}

static void *
make(const struct machine *m, struct error *error)
{
	struct tree t = { .fdt = malloc(ROOM) };
	char path[64];

	if (!t.fdt)
		fatal("out of memory for a device tree");
	check(&t, fdt_create(t.fdt, ROOM));
	check(&t, fdt_finish_reservemap(t.fdt));
	begin(&t, "");
	add_fixed(&t, m);
	text_format(path, sizeof path, "/soc/serial@%llx", (unsigned long long)VIRT_UART);
	begin(&t, "aliases");
	text(&t, "serial0", path);
	end(&t);
	begin(&t, "chosen");
	text(&t, "stdout-path", path);
	end(&t);
	end(&t);
	check(&t, fdt_finish(t.fdt));
	if (!t.failed)
		return t.fdt;
	error_set(error, EINVAL, "cannot make the device tree: %s", fdt_strerror(t.failed));
	free(t.fdt);
	return NULL;
}

/* A tree from a file, with room for more. */
static void *
take(const char *path, struct error *error)
{
	struct payload image;
	void *fdt = malloc(ROOM);
	int code;

	if (!fdt)
		fatal("out of memory for a device tree");
	if (payload_read(&image, path, "device tree", error)) {
		free(fdt);
		return NULL;
	}
	code = fdt_check_full(image.bytes, image.size);
	if (!code)
		code = fdt_open_into(image.bytes, fdt, ROOM);
	payload_free(&image);
	if (!code)
		return fdt;
	error_set(error, EINVAL, "device tree %s: %s", path, fdt_strerror(code));
	free(fdt);
	return NULL;
}

/* What was loaded goes into /chosen. */
static int
complete(void *fdt, const struct virt_chosen *chosen)
{
	uint8_t seed[32];
	int node, code = fdt_open_into(fdt, fdt, ROOM);

	if (code)
		return code;
	node = fdt_path_offset(fdt, "/chosen");
	if (node == -FDT_ERR_NOTFOUND)
		node = fdt_add_subnode(fdt, 0, "chosen");
	if (node < 0)
		return node;
	if (chosen->append)
		code = fdt_setprop_string(fdt, node, "bootargs", chosen->append);
	if (!code && chosen->initrd_end) {
		code = fdt_setprop_u64(fdt, node, "linux,initrd-start", chosen->initrd);
		if (!code)
			code = fdt_setprop_u64(fdt, node, "linux,initrd-end", chosen->initrd_end);
	}
	if (!code && getrandom(seed, sizeof seed, 0) == (ssize_t)sizeof seed)
		code = fdt_setprop(fdt, node, "rng-seed", seed, sizeof seed);
	return code;
}

void *
virt_fdt(struct machine *m, const struct virt_chosen *chosen, size_t *size, struct error *error)
{
	void *fdt = m->config.dtb ? take(m->config.dtb, error) : make(m, error);
	int code;

	if (!fdt)
		return NULL;
	code = complete(fdt, chosen);
	if (!code)
		code = fdt_pack(fdt);
	if (code) {
		error_set(error, EINVAL, "cannot complete the device tree: %s", fdt_strerror(code));
		free(fdt);
		return NULL;
	}
	*size = fdt_totalsize(fdt);
	return fdt;
}

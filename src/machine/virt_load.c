/* What the board `virt` starts with: a bare-metal program, firmware with or
 * without a payload, or a kernel.
 *
 * RAM: firmware at its start; the kernel where its header says, 2 MiB in; the
 * initial file system behind it; the device tree at the top of what lies below
 * 3 GiB of RAM.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine/virt.h"

#define KERNEL_OFFSET UINT64_C(0x200000)
/* Firmware adds to the tree where it lies, and copies more than it holds. */
#define TREE_ROOM UINT64_C(0x10000)
#define TREE_ALIGN UINT64_C(0x1000)
#define TREE_BELOW (VIRT_RAM + (UINT64_C(3) << 30))

/* The header of a Linux image (Documentation/arch/riscv/boot-image-header). */
struct linux_header {
	uint32_t code[2];
	uint64_t text_offset, image_size, flags;
	uint32_t version, reserved;
	uint64_t reserved_too;
	char magic[8]; /* "RISCV" */
	char magic2[4]; /* "RSC\5" */
	uint32_t reserved_last;
};

struct placed {
	uint64_t entry, end;
};

static uint64_t
ram_end(const struct machine *m)
{
	return VIRT_RAM + m->config.memory;
}

static int
put(struct machine *m, uint64_t address, const struct payload *image, const char *what, const char *path,
	struct error *error)
{
	if (payload_place(image, &m->memory, address))
		return 0;
	return error_set(error, EFBIG, "%s %s: its %zu bytes do not fit into RAM at %#llx; give the machine more memory",
			 what, path, image->size, (unsigned long long)address);
}

/* A Linux image or any other raw one. */
static int
place_raw(struct machine *m, const struct payload *image, struct placed *placed, struct error *error)
{
	struct linux_header header = { 0 };
	uint64_t size = image->size;

	placed->entry = VIRT_RAM + KERNEL_OFFSET;
	if (size >= sizeof header) {
		memcpy(&header, image->bytes, sizeof header);
		if (!memcmp(header.magic2, "RSC\5", 4)) {
			if (header.text_offset && header.text_offset < m->config.memory)
				placed->entry = VIRT_RAM + header.text_offset;
			size = header.image_size > size && header.image_size < m->config.memory ? header.image_size
												 : size;
		}
	}
	placed->end = placed->entry + size;
	if (placed->end > ram_end(m))
		return error_set(error, EFBIG, "kernel %s: needs %llu bytes of RAM and does not fit", m->config.kernel,
				 (unsigned long long)size);
	return put(m, placed->entry, image, "kernel", m->config.kernel, error);
}

static int
place_kernel(struct machine *m, struct placed *placed, struct error *error)
{
	const char *path = m->config.kernel;
	struct payload image;
	int failed;

	if (payload_read(&image, path, "kernel", error))
		return -1;
	failed = payload_unpack(&image, path, error);
	if (!failed)
		failed = payload_is_elf(&image) ? payload_load_elf(&image, path, &m->memory, &placed->entry, &placed->end, error)
					      : place_raw(m, &image, placed, error);
	payload_free(&image);
	return failed;
}

static int
place_initrd(struct machine *m, uint64_t behind, struct virt_chosen *chosen, struct error *error)
{
	const char *path = m->config.initrd;
	uint64_t half = m->config.memory / 2, least = VIRT_RAM + (half < 128 << 20 ? half : 128 << 20);
	uint64_t at = align_up(behind > least ? behind : least, 0x1000);
	struct payload image;
	int failed;

	if (payload_read(&image, path, "initrd", error))
		return -1;
	if (at + image.size > ram_end(m))
		at = align_up(behind, 0x1000);
	failed = put(m, at, &image, "initrd", path, error);
	chosen->initrd = at;
	chosen->initrd_end = at + image.size;
	payload_free(&image);
	return failed;
}

/* M-mode firmware at the start of RAM. */
static int
place_firmware(struct machine *m, struct placed *placed, struct error *error)
{
	const char *path = m->config.firmware;
	struct payload image;
	int failed;

	if (payload_read(&image, path, "firmware", error))
		return -1;
	if (payload_is_elf(&image)) {
		failed = payload_load_elf(&image, path, &m->memory, &placed->entry, &placed->end, error);
	} else {
		placed->entry = VIRT_RAM;
		placed->end = VIRT_RAM + image.size;
		failed = put(m, VIRT_RAM, &image, "firmware", path, error);
	}
	payload_free(&image);
	return failed;
}

/* What OpenSBI's fw_dynamic reads at a2: where to go on, in S-mode. */
static void
place_dynamic_info(struct machine *m, uint64_t next)
{
	enum { MAGIC = 0x4942534f, VERSION = 2, SUPERVISOR = 1, AT = 0x100 };
	const uint64_t info[] = { MAGIC, VERSION, next, SUPERVISOR, 0, 0 };
	struct virt *v = virt_of(m);

	memcpy(v->rom + AT, info, sizeof info);
	v->dynamic_info = VIRT_ROM + AT;
}

static int
place_tree(struct machine *m, uint64_t behind, const struct virt_chosen *chosen, struct error *error)
{
	uint64_t top = ram_end(m) < TREE_BELOW ? ram_end(m) : TREE_BELOW, at;
	struct payload tree = { 0 };
	int failed;

	tree.bytes = virt_fdt(m, chosen, &tree.size, error);
	if (!tree.bytes)
		return -1;
	at = align_down(top - tree.size - TREE_ROOM, TREE_ALIGN);
	if (at < behind)
		failed = error_set(error, EFBIG, "kernel and initrd leave no room for the device tree; "
				   "give the machine more memory");
	else
		failed = put(m, at, &tree, "device tree", "", error);
	virt_of(m)->device_tree = at;
	payload_free(&tree);
	return failed;
}

int
virt_load(struct machine *m, struct error *error)
{
	const struct machine_config *c = &m->config;
	struct placed kernel = { 0 }, firmware = { 0 };
	struct virt_chosen chosen = { .append = c->append };
	struct virt *v = virt_of(m);
	bool firmware_in_ram = c->firmware && !v->firmware_in_flash;
	uint64_t behind;

	v->machine_mode = c->bare || firmware_in_ram;
	v->dynamic_info = 0;
	if (c->bare && machine_load_bare(m, &firmware.entry, &firmware.end, error))
		return -1;
	if (firmware_in_ram && place_firmware(m, &firmware, error))
		return -1;
	if (c->kernel && place_kernel(m, &kernel, error))
		return -1;
	if (!c->kernel && v->flash_code)
		kernel.entry = VIRT_FLASH;
	if (!kernel.entry && !v->machine_mode)
		return error_set(error, EINVAL, "nothing to boot: no kernel, no firmware");
	behind = kernel.end > firmware.end ? kernel.end : firmware.end;
	behind = behind > VIRT_RAM ? behind : VIRT_RAM;
	if (c->initrd && place_initrd(m, behind, &chosen, error))
		return -1;
	behind = chosen.initrd_end > behind ? chosen.initrd_end : behind;
	if (place_tree(m, behind, &chosen, error))
		return -1;
	if (firmware_in_ram)
		place_dynamic_info(m, kernel.entry ? kernel.entry : VIRT_RAM + KERNEL_OFFSET);
	v->entry = v->machine_mode ? firmware.entry : kernel.entry;
	return 0;
}

/* CFI flash. Each command and status goes to both chips at once: a 32-bit word has
 * one for each, and what is done is what the lower half says.
 *
 * While it is read as an array the guest reads its bytes straight from memory
 * (memory_window_open); a command for another mode closes the window.
 *
 * Programming and erasing take no time. A buffered write is kept aside until it is
 * confirmed.
 */
#include "device/flash/cfi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECTOR CFI_FLASH_SECTOR
#define BUFFER 4096u /* bytes of a buffered write, of both chips */
#define WORD 4u      /* bytes that both chips make */

enum command {
	PROGRAM_ALTERNATE = 0x10,
	ERASE = 0x20,
	PROGRAM = 0x40,
	CLEAR_STATUS = 0x50,
	LOCK = 0x60,
	READ_STATUS = 0x70,
	READ_ID = 0x90,
	QUERY = 0x98,
	CONFIRM = 0xd0,
	BUFFERED = 0xe8,
	READ_ARRAY = 0xff,
};
enum status { READY = 0x80, ERASE_FAILED = 0x20, PROGRAM_FAILED = 0x10 };
enum mode { MODE_ARRAY, MODE_STATUS, MODE_ID, MODE_QUERY };
/* What the next write is. */
enum step { STEP_COMMAND, STEP_PROGRAM, STEP_ERASE, STEP_LOCK, STEP_COUNT, STEP_FILL, STEP_CONFIRM };

struct cfi_flash {
	struct device device;
	struct memory *memory;
	uint64_t address, size;
	uint8_t *bytes;
	int fd;            /* -1: changes are not kept */
	uint64_t file;     /* bytes of it that are the flash's */
	uint8_t *changed;  /* a byte for each sector that differs from power-on's */
	uint8_t mode, step, status;
	uint32_t left;     /* words of a buffered write that are to come */
	uint64_t low, high; /* where those that came lie */
	uint8_t buffer[BUFFER];
	uint64_t base;     /* of the buffer in the flash */
};

/* ---- contents ---------------------------------------------------------------- */

static void
keep(struct cfi_flash *f, uint64_t offset, uint64_t size)
{
	f->changed[offset / SECTOR] = 1;
	if (f->fd < 0 || offset >= f->file)
		return;
	size = size < f->file - offset ? size : f->file - offset;
	if (pwrite(f->fd, f->bytes + offset, size, (off_t)offset) != (ssize_t)size)
		f->status |= PROGRAM_FAILED;
}

/* Programming turns ones into zeros. */
static void
program(struct cfi_flash *f, uint64_t offset, const uint8_t *from, uint64_t size)
{
	for (uint64_t i = 0; i < size; i++)
		f->bytes[offset + i] &= from[i];
	keep(f, offset, size);
	memory_touched(f->memory, f->address + offset, size);
}

static void
erase(struct cfi_flash *f, uint64_t offset)
{
	offset = align_down(offset, SECTOR);
	memset(f->bytes + offset, 0xff, SECTOR);
	keep(f, offset, SECTOR);
	memory_touched(f->memory, f->address + offset, SECTOR);
}

/* ---- what is read --------------------------------------------------------------- */

/* CFI's table, by address in one chip. */
static uint8_t
query(const struct cfi_flash *f, uint64_t at)
{
	/* The size of one chip and its sectors, half of what both make. */
	unsigned chip = 63 - (unsigned)__builtin_clzll(f->size / 2);
	unsigned sectors = (unsigned)(f->size / SECTOR) - 1, sector = SECTOR / 2 / 256;

	switch (at) {
	case 0x10:
		return 'Q';
	case 0x11:
		return 'R';
	case 0x12:
		return 'Y';
	case 0x13: /* command set 0001 */
		return 1;
	case 0x15: /* its own table, below */
		return 0x31;
	case 0x1b: /* 4.5 V to 5.5 V; times: 2^n, in the units of the standard */
		return 0x45;
	case 0x1c:
		return 0x55;
	case 0x1f:
	case 0x20:
		return 7;
	case 0x21:
		return 10;
	case 0x23:
	case 0x24:
	case 0x25:
		return 4;
	case 0x27:
		return (uint8_t)chip;
	case 0x28: /* 16 bits wide */
		return 1;
	case 0x2a: /* bytes of a buffered write: 2^11 */
		return 11;
	case 0x2c: /* one region of sectors */
		return 1;
	case 0x2d:
		return (uint8_t)sectors;
	case 0x2e:
		return (uint8_t)(sectors >> 8);
	case 0x2f:
		return (uint8_t)sector;
	case 0x30:
		return (uint8_t)(sector >> 8);
	case 0x31:
		return 'P';
	case 0x32:
		return 'R';
	case 0x33:
		return 'I';
	case 0x34:
		return '1';
	case 0x35:
		return '0';
	}
	return 0;
}

static uint8_t
identity(uint64_t at)
{
	enum { INTEL = 0x89, P30_128 = 0x18 };

	/* Of each sector: maker, device, and that it is not locked. */
	switch (at % (SECTOR / WORD)) {
	case 0:
		return INTEL;
	case 1:
		return P30_128;
	}
	return 0;
}

static uint64_t
flash_read(void *device, uint64_t offset, unsigned size)
{
	struct cfi_flash *f = device;
	uint32_t word = 0, half = 0;

	switch ((enum mode)f->mode) {
	case MODE_ARRAY:
		memcpy(&word, f->bytes + offset, size);
		return word;
	case MODE_STATUS:
		half = f->status;
		break;
	case MODE_ID:
		half = identity(offset / WORD);
		break;
	case MODE_QUERY:
		half = query(f, offset / WORD);
		break;
	}
	return (half | half << 16) >> offset % WORD * 8;
}

/* ---- commands --------------------------------------------------------------------- */

static void
set_mode(struct cfi_flash *f, enum mode mode)
{
	f->mode = (uint8_t)mode;
	memory_window_open(f->memory, f->address, mode == MODE_ARRAY);
}

static void
fail(struct cfi_flash *f, uint8_t how)
{
	f->status |= how;
	f->step = STEP_COMMAND;
}

static void
command(struct cfi_flash *f, uint8_t value)
{
	switch (value) {
	case PROGRAM:
	case PROGRAM_ALTERNATE:
		f->step = STEP_PROGRAM;
		set_mode(f, MODE_STATUS);
		break;
	case ERASE:
		f->step = STEP_ERASE;
		set_mode(f, MODE_STATUS);
		break;
	case LOCK:
		f->step = STEP_LOCK;
		set_mode(f, MODE_STATUS);
		break;
	case BUFFERED:
		f->step = STEP_COUNT;
		set_mode(f, MODE_STATUS);
		break;
	case CLEAR_STATUS:
		f->status = READY;
		break;
	case READ_STATUS:
		set_mode(f, MODE_STATUS);
		break;
	case READ_ID:
		set_mode(f, MODE_ID);
		break;
	case QUERY:
		set_mode(f, MODE_QUERY);
		break;
	default: /* READ_ARRAY, and what is no command */
		set_mode(f, MODE_ARRAY);
		break;
	}
}

/* The count is of words less one, the same for each chip. */
static void
begin_buffer(struct cfi_flash *f, uint64_t offset, uint64_t value)
{
	uint32_t words = (uint32_t)(value & 0xffff) + 1;

	if (words > BUFFER / WORD) {
		fail(f, PROGRAM_FAILED);
		return;
	}
	f->left = words;
	f->base = align_down(offset, BUFFER);
	f->low = f->size;
	f->high = 0;
	memset(f->buffer, 0xff, sizeof f->buffer);
	f->step = STEP_FILL;
}

static void
fill_buffer(struct cfi_flash *f, uint64_t offset, unsigned size, uint64_t value)
{
	/* Buffered words stay in the block of the first. */
	if (f->low == f->size) {
		f->base = align_down(offset, BUFFER);
		f->high = 0;
	}
	if (offset < f->base || offset + size > f->base + BUFFER) {
		fail(f, PROGRAM_FAILED);
		return;
	}
	memcpy(f->buffer + (offset - f->base), &value, size);
	f->low = offset < f->low ? offset : f->low;
	f->high = offset + size > f->high ? offset + size : f->high;
	if (!--f->left)
		f->step = STEP_CONFIRM;
}

static void
flash_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct cfi_flash *f = device;
	uint8_t byte = (uint8_t)value;

	switch ((enum step)f->step) {
	case STEP_COMMAND:
		command(f, byte);
		break;
	case STEP_PROGRAM:
		program(f, offset, (const uint8_t *)&value, size);
		f->step = STEP_COMMAND;
		break;
	case STEP_ERASE:
		if (byte == CONFIRM)
			erase(f, offset);
		else
			f->status |= ERASE_FAILED | PROGRAM_FAILED;
		f->step = STEP_COMMAND;
		break;
	case STEP_LOCK: /* sectors are never locked */
		f->step = STEP_COMMAND;
		break;
	case STEP_COUNT:
		begin_buffer(f, offset, value);
		break;
	case STEP_FILL:
		fill_buffer(f, offset, size, value);
		break;
	case STEP_CONFIRM:
		if (byte == CONFIRM)
			program(f, f->low, f->buffer + (f->low - f->base), f->high - f->low);
		else
			f->status |= PROGRAM_FAILED;
		f->step = STEP_COMMAND;
		break;
	}
}

static const struct memory_ops flash_ops = { flash_read, flash_write, 1, 4 };

/* ---- life -------------------------------------------------------------------------- */

static void
flash_reset(struct device *device)
{
	struct cfi_flash *f = (struct cfi_flash *)device;

	f->step = STEP_COMMAND;
	f->status = READY;
	f->left = 0;
	f->low = f->size;
	f->high = f->base = 0;
	set_mode(f, MODE_ARRAY);
}

/* Sectors that changed since power-on, whole. */
static void
sectors_state(struct cfi_flash *f, struct state *s)
{
	for (uint64_t i = 0; i < f->size / SECTOR; i++) {
		state_u8(s, "changed", &f->changed[i]);
		if (!f->changed[i])
			continue;
		state_bytes(s, "sector", f->bytes + i * SECTOR, SECTOR);
		if (state_way(s) == STATE_RESTORE)
			keep(f, i * SECTOR, SECTOR);
	}
}

static void
flash_state(struct device *device, struct state *s)
{
	struct cfi_flash *f = (struct cfi_flash *)device;
	bool fits;

	state_u8(s, "mode", &f->mode);
	state_u8(s, "step", &f->step);
	state_u8(s, "status", &f->status);
	state_u32(s, "left", &f->left);
	state_u64(s, "low", &f->low);
	state_u64(s, "high", &f->high);
	state_u64(s, "base", &f->base);
	state_bytes(s, "buffer", f->buffer, sizeof f->buffer);
	sectors_state(f, s);
	if (state_way(s) != STATE_RESTORE)
		return;
	/* A buffered write is in one block, inside the flash. */
	fits = f->base % BUFFER == 0 && f->base < f->size && f->low >= f->base && f->low < f->high &&
	       f->high <= f->base + BUFFER;
	if (f->mode > MODE_QUERY || f->step > STEP_CONFIRM || (f->step == STEP_CONFIRM && !fits) ||
	    (f->step == STEP_FILL && (!f->left || (!fits && f->low != f->size)))) {
		state_check(s, false, "step");
		flash_reset(device);
	}
	set_mode(f, (enum mode)f->mode);
}

static void
flash_free(struct device *device)
{
	struct cfi_flash *f = (struct cfi_flash *)device;

	if (f->bytes)
		munmap(f->bytes, f->size);
	if (f->fd >= 0)
		close(f->fd);
	free(f->changed);
	free(f);
}

static const struct device_type cfi_flash_type = {
	.name = "cfi-flash",
	.version = 1,
	.reset = flash_reset,
	.state = flash_state,
	.free = flash_free,
};

/* Reads the file in; *f->fd stays open to keep what is written. */
static int
load(struct cfi_flash *f, const struct cfi_flash_options *options, struct error *error)
{
	int fd = open(options->path, (options->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	uint64_t done = 0;
	int failed = 0;

	if (size < 0)
		failed = error_set(error, errno, "flash %s: %s", options->path, strerror(errno));
	else if ((uint64_t)size > f->size)
		failed = error_set(error, EFBIG, "flash %s: has %llu bytes, and the flash only %llu", options->path,
				   (unsigned long long)size, (unsigned long long)f->size);
	while (!failed && done < (uint64_t)size) {
		ssize_t got = pread(fd, f->bytes + done, (size_t)((uint64_t)size - done), (off_t)done);

		if (got <= 0)
			failed = error_set(error, errno, "flash %s: cannot be read", options->path);
		else
			done += (uint64_t)got;
	}
	f->file = done;
	if (!failed && !options->read_only)
		f->fd = fd;
	else if (fd >= 0)
		close(fd);
	return failed;
}

struct device *
cfi_flash_new(struct memory *memory, uint64_t address, uint64_t size, const struct cfi_flash_options *options,
	      struct error *error)
{
	struct cfi_flash *f = calloc(1, sizeof *f);

	if (!f)
		fatal("out of memory for a flash");
	f->device.type = &cfi_flash_type;
	f->memory = memory;
	f->address = address;
	f->size = size;
	f->fd = -1;
	f->changed = calloc(size / SECTOR, 1);
	f->bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (f->bytes == MAP_FAILED || !f->changed)
		fatal("out of memory for a flash");
	memset(f->bytes, 0xff, size);
	if ((!options->path || !load(f, options, error)) &&
	    !memory_add_window(memory, "flash", address, size, f->bytes, &flash_ops, f, error)) {
		f->status = READY;
		f->low = size;
		return &f->device;
	}
	flash_free(&f->device);
	return NULL;
}

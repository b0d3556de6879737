/* Guest-physical memory: the map and its edges, words, devices and the sizes they
 * take, windows, who is told of writes to code, the dirty log. */
#include "memory/memory.h"

#include "unit/check.h"

#define RAM 0x80000000u
#define RAM_SIZE 0x10000u

struct chip {
	uint64_t last_offset, last_value, value;
	unsigned last_size, accesses;
};

static uint64_t
chip_read(void *device, uint64_t offset, unsigned size)
{
	struct chip *chip = device;

	chip->last_offset = offset;
	chip->last_size = size;
	chip->accesses++;
	return chip->value + offset;
}

static void
chip_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct chip *chip = device;

	chip->last_offset = offset;
	chip->last_size = size;
	chip->last_value = value;
	chip->accesses++;
}

static const struct memory_ops words = { chip_read, chip_write, 4, 4 };
static const struct memory_ops any = { chip_read, chip_write, 0, 0 };

struct told {
	uint64_t address, size;
	unsigned count, changes, locks;
};

static void
told_written(void *owner, uint64_t address, uint64_t size)
{
	struct told *told = owner;

	told->address = address;
	told->size = size;
	told->count++;
}

static void
told_changed(void *owner)
{
	((struct told *)owner)->changes++;
}

static void
told_lock(void *owner)
{
	((struct told *)owner)->locks++;
}

static void
map(struct memory *memory, struct chip *chip)
{
	struct error error = { 0 };

	CHECK_INT(memory_init(memory, &error), 0);
	CHECK_INT(memory_add_ram(memory, "ram", RAM, RAM_SIZE, &error), 0);
	CHECK_INT(memory_add_rom(memory, "rom", 0x1000, "abcdefgh", 8, MEMORY_PAGE, &error), 0);
	CHECK_INT(memory_add_device(memory, "words", 0x10000, 0x100, &words, chip, &error), 0);
	CHECK_INT(memory_add_device(memory, "any", 0x20000, 0x100, &any, chip, &error), 0);
	CHECK_INT(memory_add_device(memory, "top", UINT64_MAX - 0xff, 0x100, &any, chip, &error), 0);
}

static void
test_map(void)
{
	struct memory memory;
	struct chip chip = { 0 };
	struct error error = { 0 };

	map(&memory, &chip);
	CHECK(!memory_find(&memory, 0));
	CHECK(!memory_find(&memory, 0xfff));
	CHECK_TEXT(memory_find(&memory, 0x1000)->name, "rom");
	CHECK_TEXT(memory_find(&memory, 0x100ff)->name, "words");
	CHECK(!memory_find(&memory, 0x10100));
	CHECK_TEXT(memory_find(&memory, UINT64_MAX)->name, "top");
	CHECK(memory_add_ram(&memory, "over", RAM + RAM_SIZE - MEMORY_PAGE, MEMORY_PAGE, &error) < 0);
	CHECK(memory_add_ram(&memory, "odd", 0x100, MEMORY_PAGE, NULL) < 0);
	CHECK(memory_add_device(&memory, "wraps", UINT64_MAX - 0xfff, 0x2000, &any, &chip, NULL) < 0);
	CHECK(memory_add_device(&memory, "empty", 0x50000, 0, &any, &chip, NULL) < 0);
	CHECK(memory_add_device(&memory, "over", 0x100ff, 1, &any, &chip, NULL) < 0);
	memory_remove(&memory, 0x10000);
	CHECK(!memory_find(&memory, 0x10000));
	CHECK_TEXT(memory_find(&memory, 0x20000)->name, "any");
	memory_fini(&memory);
}

static void
test_ram(void)
{
	struct memory memory;
	struct chip chip = { 0 };
	uint8_t bytes[16] = { 0 };
	uint64_t value, size;
	uint32_t word;
	bool swapped = false;

	map(&memory, &chip);
	CHECK(memory_write(&memory, RAM + RAM_SIZE - 4, "wxyz", 4));
	CHECK(!memory_write(&memory, RAM + RAM_SIZE - 4, "wxyz!", 5));
	CHECK(!memory_read(&memory, RAM + RAM_SIZE - 4, bytes, UINT64_MAX));
	CHECK(memory_read(&memory, RAM + RAM_SIZE - 4, bytes, 4));
	CHECK_TEXT((char *)bytes, "wxyz");
	CHECK(memory_read(&memory, 0x1000, bytes, 8));
	CHECK(!memory_write(&memory, 0x1000, bytes, 8));
	CHECK(!memory_read(&memory, 0x10000, bytes, 4));
	CHECK(memory_write64(&memory, RAM + 1, 0x1122334455667788));
	CHECK(memory_read64(&memory, RAM + 1, &value));
	CHECK_INT(value, 0x1122334455667788);
	CHECK(memory_read32(&memory, RAM + 4, &word));
	CHECK_INT(word, 0x22334455);
	CHECK(memory_write32(&memory, RAM, 7));
	CHECK(memory_cas(&memory, RAM, 4, 7, 9, &swapped) && swapped);
	CHECK(memory_cas(&memory, RAM, 4, 7, 9, &swapped) && !swapped);
	CHECK(!memory_cas(&memory, RAM + 2, 4, 7, 9, &swapped));
	CHECK(!memory_cas(&memory, 0x1000, 4, 7, 9, &swapped));
	CHECK(!memory_ram(&memory, 0x1000, 8, true));
	CHECK(memory_ram(&memory, 0x1000, 8, false));
	size = 0x100000;
	CHECK(memory_borrow(&memory, RAM + 0x10, &size, true));
	CHECK_INT(size, RAM_SIZE - 0x10);
	CHECK(!memory_borrow(&memory, 0x10000, &size, false));
	memory_fini(&memory);
}

static void
test_devices(void)
{
	struct memory memory;
	struct chip chip = { .value = 0x100 };
	struct told told = { 0 };
	uint64_t value = 0;

	map(&memory, &chip);
	memory.owner = &told;
	memory.lock = memory.unlock = told_lock;
	CHECK(memory_load(&memory, 0x10008, 4, &value));
	CHECK_INT(value, 0x108);
	CHECK_INT(told.locks, 2);
	CHECK(!memory_load(&memory, 0x10008, 2, &value)); /* smaller than it takes */
	CHECK(!memory_load(&memory, 0x1000a, 4, &value)); /* not aligned */
	CHECK(memory_load(&memory, 0x10008, 8, &value));  /* two pieces */
	CHECK_INT(value, 0x10c00000108);
	chip.accesses = 0;
	CHECK(memory_store(&memory, 0x10010, 8, 0x2200000011));
	CHECK_INT(chip.accesses, 2);
	CHECK_INT(chip.last_offset, 0x14);
	CHECK_INT(chip.last_value, 0x22);
	CHECK(memory_load(&memory, 0x20001, 1, &value));
	CHECK_INT(value, 1); /* 0x101 cut to a byte */
	CHECK(memory_store(&memory, 0x20002, 2, 0xffff1234));
	CHECK_INT(chip.last_value, 0x1234);
	CHECK(!memory_load(&memory, 0x30000, 4, &value));
	CHECK(!memory_store(&memory, 0x30000, 4, 1));
	CHECK(!memory_store(&memory, 0x1000, 4, 1)); /* ROM */
	CHECK(memory_store(&memory, RAM + 3, 2, 0xabcd)); /* RAM takes any alignment */
	CHECK(memory_load(&memory, RAM + 3, 2, &value));
	CHECK_INT(value, 0xabcd);
	memory_fini(&memory);
}

static void
test_window(void)
{
	static _Alignas(8) uint8_t bytes[MEMORY_PAGE] = "flash";
	struct memory memory;
	struct chip chip = { .value = 0x40 };
	struct told told = { 0 };
	uint64_t value;

	CHECK_INT(memory_init(&memory, NULL), 0);
	memory.owner = &told;
	memory.changed = told_changed;
	CHECK_INT(memory_add_window(&memory, "flash", 0x20000000, sizeof bytes, bytes, &any, &chip, NULL), 0);
	CHECK(memory_load(&memory, 0x20000000, 1, &value));
	CHECK_INT(value, 'f');
	CHECK_INT(chip.accesses, 0);
	CHECK(memory_store(&memory, 0x20000004, 4, 0x70));
	CHECK_INT(chip.last_value, 0x70);
	memory_window_open(&memory, 0x20000000, false);
	CHECK_INT(told.changes, 1);
	CHECK(!memory_ram(&memory, 0x20000000, 4, false));
	CHECK(memory_load(&memory, 0x20000004, 1, &value));
	CHECK_INT(value, 0x44);
	memory_window_open(&memory, 0x20000000, true);
	memory_window_open(&memory, 0x20000000, true);
	CHECK_INT(told.changes, 2);
	CHECK(memory_ram(&memory, 0x20000000, 4, false) == bytes);
	memory_fini(&memory);
}

static void
count_page(void *to, uint64_t address)
{
	struct told *told = to;

	told->address = address;
	told->count++;
}

static void
test_flags(void)
{
	struct memory memory;
	struct chip chip = { 0 };
	struct told told = { 0 }, log = { 0 };
	bool swapped;

	map(&memory, &chip);
	memory.owner = &told;
	memory.written = told_written;
	CHECK(memory_flags(&memory, RAM) && !memory_flags(&memory, 0x10000));
	*memory_flags(&memory, RAM + MEMORY_PAGE) |= MEMORY_PAGE_CODE;
	CHECK(memory_write(&memory, RAM, "x", 1));
	CHECK_INT(told.count, 0);
	CHECK(memory_write(&memory, RAM + MEMORY_PAGE - 2, "abcd", 4));
	CHECK_INT(told.count, 1);
	CHECK_INT(told.address, RAM + MEMORY_PAGE);
	CHECK_INT(told.size, 2);
	CHECK(memory_store(&memory, RAM + MEMORY_PAGE + 8, 8, 0));
	CHECK(memory_cas(&memory, RAM + MEMORY_PAGE + 8, 8, 0, 1, &swapped));
	CHECK_INT(told.count, 3);

	memory_log_start(&memory);
	CHECK_INT(*memory_flags(&memory, RAM), MEMORY_PAGE_CLEAN);
	memory_log_take(&memory, count_page, &log);
	CHECK_INT(log.count, 0);
	CHECK(memory_write32(&memory, RAM + 5 * MEMORY_PAGE, 1));
	memory_log_take(&memory, count_page, &log);
	CHECK_INT(log.count, 1);
	CHECK_INT(log.address, RAM + 5 * MEMORY_PAGE);
	memory_log_take(&memory, count_page, &log);
	CHECK_INT(log.count, 1);
	memory_log_stop(&memory);
	CHECK_INT(*memory_flags(&memory, RAM + MEMORY_PAGE), MEMORY_PAGE_CODE);
	memory_fini(&memory);
}

int
main(void)
{
	test_map();
	test_ram();
	test_devices();
	test_window();
	test_flags();
	return check_done();
}

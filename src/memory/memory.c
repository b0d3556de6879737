/* Guest-physical memory: the map, checked access, page flags, dirty log.
 *
 * RAM and ROM come when the machine is built and stay, so finding them takes no
 * lock. Device regions move at run time (PCI BARs); they are found and called
 * under memory->lock alone. So a map that changes is never seen half-changed.
 *
 * Page flags and other threads. A writer writes first and looks at the flags
 * then; whoever sets a flag (a translator: CODE, the dirty log: CLEAN) sets it
 * first and reads the page then. With a full fence on both sides one of the two
 * sees the other.
 */
#include "memory/memory.h"

#include "host/populate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BULK (UINT64_C(64) << 10) /* bytes from which host memory is asked for at once */
#define HUGE_PAGE (UINT64_C(2) << 20)

int
memory_init(struct memory *memory, struct error *error)
{
	(void)error;
	memset(memory, 0, sizeof *memory);
	return 0;
}

static void
region_drop(struct memory_region *region)
{
	if (region->host && !region->borrowed)
		munmap(region->host, region->size);
	free(region->flags);
}

void
memory_fini(struct memory *memory)
{
	for (unsigned i = 0; i < memory->count; i++)
		region_drop(&memory->region[i]);
	for (unsigned i = 0; i < memory->devices; i++)
		region_drop(&memory->device[i]);
	memory->count = memory->devices = 0;
}

/* ---- the map --------------------------------------------------------------- */

static const struct memory_region *
find_in(const struct memory_region *regions, unsigned count, uint64_t address)
{
	unsigned low = 0, high = count;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (regions[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address - regions[low - 1].start >= regions[low - 1].size)
		return NULL;
	return &regions[low - 1];
}

const struct memory_region *
memory_find_ram(const struct memory *memory, uint64_t address)
{
	return find_in(memory->region, memory->count, address);
}

const struct memory_region *
memory_find(const struct memory *memory, uint64_t address)
{
	const struct memory_region *region = memory_find_ram(memory, address);

	return region ? region : find_in(memory->device, memory->devices, address);
}

static bool
overlaps(const struct memory_region *regions, unsigned count, uint64_t start, uint64_t size)
{
	for (unsigned i = 0; i < count; i++)
		if (start <= regions[i].start + (regions[i].size - 1) && regions[i].start <= start + (size - 1))
			return true;
	return false;
}

static int
add(struct memory *memory, struct memory_region *list, unsigned *count, const struct memory_region *region,
	struct error *error)
{
	unsigned at = *count;

	if (!region->size || region->start + (region->size - 1) < region->start)
		return error_set(error, EINVAL, "memory: %s has an impossible range", region->name);
	if (*count == MEMORY_REGIONS)
		return error_set(error, ENOSPC, "memory: no room in the map for %s", region->name);
	if (overlaps(memory->region, memory->count, region->start, region->size) ||
	    overlaps(memory->device, memory->devices, region->start, region->size))
		return error_set(error, EEXIST, "memory: %s at %#llx overlaps something", region->name,
				 (unsigned long long)region->start);
	while (at && list[at - 1].start > region->start) {
		list[at] = list[at - 1];
		at--;
	}
	list[at] = *region;
	++*count;
	return 0;
}

/* Zeroed memory of the host's, at its natural alignment for huge pages: a page that is
 * touched first costs microseconds, and the host's TLB has few entries for small
 * ones. NULL: errno. */
static uint8_t *
map_pages(uint64_t size)
{
	size_t spare = size >= HUGE_PAGE ? HUGE_PAGE : 0;
	uint8_t *at = mmap(NULL, size + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t before;

	if (at == MAP_FAILED)
		return NULL;
	before = (size_t)(align_up((uintptr_t)at, HUGE_PAGE) - (uintptr_t)at);
	if (!spare)
		return at;
	if (before)
		munmap(at, before);
	if (before < spare)
		munmap(at + before + size, spare - before);
	madvise(at + before, size, MADV_HUGEPAGE); /* a hint */
	return at + before;
}

static int
add_pages(struct memory *memory, struct memory_region *region, struct error *error)
{
	if ((region->start | region->size) % MEMORY_PAGE || !region->size)
		return error_set(error, EINVAL, "memory: %s is not made of whole pages", region->name);
	region->host = map_pages(region->size);
	if (!region->host)
		return error_set(error, errno, "memory: no %llu bytes for %s: %s", (unsigned long long)region->size,
				 region->name, strerror(errno));
	region->flags = calloc(region->size / MEMORY_PAGE, 1);
	if (!region->flags)
		return error_set(error, ENOMEM, "memory: no room for the page flags of %s", region->name);
	return add(memory, memory->region, &memory->count, region, error);
}

int
memory_add_ram(struct memory *memory, const char *name, uint64_t start, uint64_t size, struct error *error)
{
	struct memory_region region = { .name = name, .start = start, .size = size, .writable = true };

	if (!add_pages(memory, &region, error))
		return 0;
	region_drop(&region);
	return -1;
}

int
memory_add_rom(struct memory *memory, const char *name, uint64_t start, const void *data, uint64_t size,
	       uint64_t room, struct error *error)
{
	struct memory_region region = { .name = name, .start = start, .size = room };

	if (size > room)
		return error_set(error, EFBIG, "memory: %llu bytes do not fit into the %llu of %s",
				 (unsigned long long)size, (unsigned long long)room, name);
	if (add_pages(memory, &region, error)) {
		region_drop(&region);
		return -1;
	}
	if (size)
		memcpy(region.host, data, size);
	return 0;
}

int
memory_map_file(struct memory *memory, uint64_t start, int fd, uint64_t offset, struct error *error)
{
	for (unsigned i = 0; i < memory->count; i++) {
		struct memory_region *region = &memory->region[i];

		if (region->start != start || region->borrowed)
			continue;
		if (mmap(region->host, region->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, fd,
			 (off_t)offset) == MAP_FAILED)
			return error_set(error, errno, "memory: a file cannot be mapped for %s: %s", region->name,
					 strerror(errno));
		region->file = true;
		memset(region->flags, 0, region->size / MEMORY_PAGE);
		return 0;
	}
	return error_set(error, EINVAL, "memory: there is no RAM at %#llx", (unsigned long long)start);
}

int
memory_add_device(struct memory *memory, const char *name, uint64_t start, uint64_t size,
		  const struct memory_ops *ops, void *device, struct error *error)
{
	struct memory_region region = { .name = name, .start = start, .size = size, .ops = ops,
					.device = device };

	return add(memory, memory->device, &memory->devices, &region, error);
}

int
memory_add_window(struct memory *memory, const char *name, uint64_t start, uint64_t size, uint8_t *host,
		  const struct memory_ops *ops, void *device, struct error *error)
{
	struct memory_region region = { .name = name, .start = start, .size = size, .host = host,
					.ops = ops, .device = device, .borrowed = true };

	if ((start | size) % MEMORY_PAGE)
		return error_set(error, EINVAL, "memory: %s is not made of whole pages", name);
	region.flags = calloc(size / MEMORY_PAGE, 1);
	if (!region.flags)
		return error_set(error, ENOMEM, "memory: no room for the page flags of %s", name);
	if (!add(memory, memory->region, &memory->count, &region, error))
		return 0;
	free(region.flags);
	return -1;
}

static void
changed(struct memory *memory)
{
	if (memory->changed)
		memory->changed(memory->owner);
}

void
memory_window_open(struct memory *memory, uint64_t start, bool open)
{
	struct memory_region *region = (struct memory_region *)memory_find_ram(memory, start);

	if (!region || region->closed == !open)
		return;
	__atomic_store_n(&region->closed, !open, __ATOMIC_SEQ_CST);
	changed(memory);
}

void
memory_remove(struct memory *memory, uint64_t start)
{
	const struct memory_region *region = find_in(memory->device, memory->devices, start);
	unsigned at;

	if (!region || region->start != start)
		return;
	at = (unsigned)(region - memory->device);
	memory->devices--;
	memmove(&memory->device[at], &memory->device[at + 1], (memory->devices - at) * sizeof memory->device[0]);
	changed(memory);
}

uint8_t *
memory_ram(const struct memory *memory, uint64_t address, uint64_t size, bool write)
{
	const struct memory_region *region = memory_find_ram(memory, address);

	if (!region || (write && !region->writable) || __atomic_load_n(&region->closed, __ATOMIC_ACQUIRE) ||
	    size > region->size - (address - region->start))
		return NULL;
	return region->host + (address - region->start);
}

uint8_t *
memory_flags(const struct memory *memory, uint64_t address)
{
	const struct memory_region *region = memory_find_ram(memory, address);

	return region ? &region->flags[(address - region->start) / MEMORY_PAGE] : NULL;
}

/* ---- checked access -------------------------------------------------------- */

/* [at, at + size) of region was written; never empty. */
static void
touched(struct memory *memory, const struct memory_region *region, uint64_t at, uint64_t size)
{
	uint64_t last = (at + size - 1) / MEMORY_PAGE;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (uint64_t page = at / MEMORY_PAGE; page <= last; page++) {
		uint8_t flags = __atomic_load_n(&region->flags[page], __ATOMIC_RELAXED);
		uint64_t from, to;

		if (LIKELY(!flags))
			continue;
		if (flags & MEMORY_PAGE_CLEAN)
			__atomic_fetch_and(&region->flags[page], (uint8_t)~MEMORY_PAGE_CLEAN, __ATOMIC_SEQ_CST);
		from = page * MEMORY_PAGE > at ? page * MEMORY_PAGE : at;
		to = (page + 1) * MEMORY_PAGE < at + size ? (page + 1) * MEMORY_PAGE : at + size;
		if (flags & MEMORY_PAGE_CODE && memory->written)
			memory->written(memory->owner, region->start + from, to - from);
		if (flags & MEMORY_PAGE_WATCHED && memory->watched)
			memory->watched(memory->owner, region->start + from, to - from);
	}
}

void
memory_touched(struct memory *memory, uint64_t address, uint64_t size)
{
	while (size) {
		const struct memory_region *region = memory_find_ram(memory, address);
		uint64_t part;

		if (!region)
			return;
		part = region->size - (address - region->start);
		part = part < size ? part : size;
		touched(memory, region, address - region->start, part);
		address += part;
		size -= part;
	}
}

bool
memory_release(struct memory *memory, uint64_t address, uint64_t size)
{
	const struct memory_region *region = memory_find_ram(memory, address);
	uint8_t *host = memory_ram(memory, address, size, true);
	bool gone;

	if (!host || (address | size) % MEMORY_PAGE || !size)
		return false;
	if (!region->file)
		gone = !madvise(host, size, MADV_DONTNEED);
	else /* a hole in a private mapping; each small one would be a mapping of the host's, of which it has few */
		gone = size >= MEMORY_RELEASE_LEAST &&
		       mmap(host, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) !=
			       MAP_FAILED;
	if (gone)
		memory_touched(memory, address, size);
	return gone;
}

bool
memory_read(struct memory *memory, uint64_t address, void *to, uint64_t size)
{
	const uint8_t *host = memory_ram(memory, address, size, false);

	if (!host)
		return false;
	if (size)
		memcpy(to, host, size);
	return true;
}

bool
memory_write(struct memory *memory, uint64_t address, const void *from, uint64_t size)
{
	uint8_t *host = memory_ram(memory, address, size, true);

	if (!host)
		return false;
	if (size >= BULK)
		host_populate(host, size);
	if (size) {
		memcpy(host, from, size);
		memory_touched(memory, address, size);
	}
	return true;
}

/* One host access of an aligned word, which another thread sees whole; else
 * bytes. */
static uint64_t
host_load(const uint8_t *host, unsigned size)
{
	uint64_t value = 0;

	if (!((uintptr_t)host & (size - 1))) {
		switch (size) {
		case 1:
			return __atomic_load_n(host, __ATOMIC_ACQUIRE);
		case 2:
			return __atomic_load_n((const uint16_t *)host, __ATOMIC_ACQUIRE);
		case 4:
			return __atomic_load_n((const uint32_t *)host, __ATOMIC_ACQUIRE);
		case 8:
			return __atomic_load_n((const uint64_t *)host, __ATOMIC_ACQUIRE);
		}
	}
	memcpy(&value, host, size);
	return value;
}

static void
host_store(uint8_t *host, unsigned size, uint64_t value)
{
	if (!((uintptr_t)host & (size - 1))) {
		switch (size) {
		case 1:
			__atomic_store_n(host, (uint8_t)value, __ATOMIC_RELEASE);
			return;
		case 2:
			__atomic_store_n((uint16_t *)host, (uint16_t)value, __ATOMIC_RELEASE);
			return;
		case 4:
			__atomic_store_n((uint32_t *)host, (uint32_t)value, __ATOMIC_RELEASE);
			return;
		case 8:
			__atomic_store_n((uint64_t *)host, value, __ATOMIC_RELEASE);
			return;
		}
	}
	memcpy(host, &value, size);
}

static bool
read_word(struct memory *memory, uint64_t address, unsigned size, uint64_t *value)
{
	const uint8_t *host = memory_ram(memory, address, size, false);

	if (host)
		*value = host_load(host, size);
	return host;
}

static bool
write_word(struct memory *memory, uint64_t address, unsigned size, uint64_t value)
{
	uint8_t *host = memory_ram(memory, address, size, true);

	if (!host)
		return false;
	host_store(host, size, value);
	memory_touched(memory, address, size);
	return true;
}

bool
memory_read16(struct memory *memory, uint64_t address, uint16_t *value)
{
	uint64_t word;
	bool ok = read_word(memory, address, sizeof *value, &word);

	if (ok)
		*value = (uint16_t)word;
	return ok;
}

bool
memory_read32(struct memory *memory, uint64_t address, uint32_t *value)
{
	uint64_t word;
	bool ok = read_word(memory, address, sizeof *value, &word);

	if (ok)
		*value = (uint32_t)word;
	return ok;
}

bool
memory_read64(struct memory *memory, uint64_t address, uint64_t *value)
{
	return read_word(memory, address, sizeof *value, value);
}

bool
memory_write16(struct memory *memory, uint64_t address, uint16_t value)
{
	return write_word(memory, address, sizeof value, value);
}

bool
memory_write32(struct memory *memory, uint64_t address, uint32_t value)
{
	return write_word(memory, address, sizeof value, value);
}

bool
memory_write64(struct memory *memory, uint64_t address, uint64_t value)
{
	return write_word(memory, address, sizeof value, value);
}

bool
memory_cas(struct memory *memory, uint64_t address, unsigned size, uint64_t old, uint64_t new, bool *swapped)
{
	uint8_t *host = memory_ram(memory, address, size, true);
	uint32_t old32 = (uint32_t)old;

	if (!host || address & (size - 1) || (size != 4 && size != 8))
		return false;
	if (size == 4)
		*swapped = __atomic_compare_exchange_n((uint32_t *)host, &old32, (uint32_t)new, false,
						       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	else
		*swapped = __atomic_compare_exchange_n((uint64_t *)host, &old, new, false, __ATOMIC_SEQ_CST,
						       __ATOMIC_SEQ_CST);
	if (*swapped)
		memory_touched(memory, address, size);
	return true;
}

void *
memory_borrow(struct memory *memory, uint64_t address, uint64_t *size, bool write)
{
	uint8_t *host = memory_ram(memory, address, 1, write);
	const struct memory_region *region = host ? memory_find_ram(memory, address) : NULL;
	uint64_t room = region ? region->size - (address - region->start) : 0;

	if (*size > room)
		*size = room;
	return host;
}

/* ---- a CPU's access -------------------------------------------------------- */

static void
lock(struct memory *memory)
{
	if (memory->lock)
		memory->lock(memory->owner);
}

static void
unlock(struct memory *memory)
{
	if (memory->unlock)
		memory->unlock(memory->owner);
}

/* The device that takes an access of this size, and in pieces of how many
 * bytes; NULL if none does. Under the lock. */
static const struct memory_region *
device_for(const struct memory *memory, uint64_t address, unsigned size, unsigned *piece)
{
	const struct memory_region *region = memory_find(memory, address);
	unsigned least, most;

	if (!region || !region->ops || address & (size - 1) || size > region->size - (address - region->start))
		return NULL;
	least = region->ops->least ? region->ops->least : 1;
	most = region->ops->most ? region->ops->most : 8;
	if (size < least)
		return NULL;
	*piece = size < most ? size : most;
	return region;
}

bool
memory_load(struct memory *memory, uint64_t address, unsigned size, uint64_t *value)
{
	const struct memory_region *region;
	unsigned piece;

	if (read_word(memory, address, size, value))
		return true;
	lock(memory);
	region = device_for(memory, address, size, &piece);
	if (region && region->ops->read) {
		uint64_t mask = piece < 8 ? (UINT64_C(1) << 8 * piece) - 1 : UINT64_MAX;

		*value = 0;
		for (unsigned at = 0; at < size; at += piece)
			*value |= (region->ops->read(region->device, address - region->start + at, piece) & mask)
				  << 8 * at;
	}
	unlock(memory);
	return region && region->ops->read;
}

bool
memory_store(struct memory *memory, uint64_t address, unsigned size, uint64_t value)
{
	const struct memory_region *region;
	const struct memory_ops *ops;
	void *device;
	uint64_t offset;
	unsigned piece;

	if (write_word(memory, address, size, value))
		return true;
	lock(memory);
	region = device_for(memory, address, size, &piece);
	ops = region ? region->ops : NULL;
	if (ops && ops->write) {
		uint64_t mask = piece < 8 ? (UINT64_C(1) << 8 * piece) - 1 : UINT64_MAX;

		/* The write may change the map and so move the region's entry. */
		device = region->device;
		offset = address - region->start;
		for (unsigned at = 0; at < size; at += piece)
			ops->write(device, offset + at, piece, value >> 8 * at & mask);
	}
	unlock(memory);
	return ops && ops->write;
}

/* ---- dirty log ------------------------------------------------------------- */

static void
log_all(struct memory *memory, bool clean)
{
	for (unsigned i = 0; i < memory->count; i++) {
		struct memory_region *region = &memory->region[i];

		if (!region->writable)
			continue;
		for (uint64_t page = 0; page < region->size / MEMORY_PAGE; page++) {
			if (clean)
				__atomic_fetch_or(&region->flags[page], MEMORY_PAGE_CLEAN, __ATOMIC_SEQ_CST);
			else
				__atomic_fetch_and(&region->flags[page], (uint8_t)~MEMORY_PAGE_CLEAN,
						   __ATOMIC_SEQ_CST);
		}
	}
}

void
memory_log_start(struct memory *memory)
{
	log_all(memory, true);
}

void
memory_log_stop(struct memory *memory)
{
	log_all(memory, false);
}

void
memory_log_take(struct memory *memory, void (*page)(void *to, uint64_t address), void *to)
{
	for (unsigned i = 0; i < memory->count; i++) {
		struct memory_region *region = &memory->region[i];

		if (!region->writable)
			continue;
		for (uint64_t n = 0; n < region->size / MEMORY_PAGE; n++)
			if (!(__atomic_fetch_or(&region->flags[n], MEMORY_PAGE_CLEAN, __ATOMIC_SEQ_CST) &
			      MEMORY_PAGE_CLEAN))
				page(to, region->start + n * MEMORY_PAGE);
	}
}

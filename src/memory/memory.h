/* memory/: guest-physical memory of a system VM.
 *
 * An address space maps ranges of guest-physical addresses to RAM, to ROM or to
 * devices. Port I/O is another such space. RAM and ROM are added while nothing
 * runs and stay, so finding them takes no lock; devices come and go at run time
 * (PCI BARs) and are added, removed and found under memory->lock alone.
 *
 * RAM is anonymous memory of the host's, or a private mapping of a snapshot's file,
 * and given back page by page. Guest memory is
 * hostile and changes between two reads: copy, then check, then use.
 *
 * Page flags. Each RAM page of 4096 bytes has a byte of MEMORY_PAGE_* flags,
 * changed by atomic or and and alone, sequentially consistent. A
 * writer that is not translated guest code (devices, loaders, page walks)
 * writes through memory_write, which tells `written` about pages with CODE and
 * marks DIRTY. Translated code writes straight to RAM, but only to pages that
 * its soft TLB has as writable, which cpu/ keeps from pages that want telling.
 *
 * Threading: any thread, unless said otherwise.
 */
#ifndef MEMORY_MEMORY_H
#define MEMORY_MEMORY_H

#include "base/base.h"
#include "state/state.h"

#define MEMORY_PAGE 4096u

enum memory_page_flag {
	MEMORY_PAGE_CODE = 1,  /* has translations: a write must be told. Set (seq_cst)
	                          before the code is read; cleared by who was told */
	MEMORY_PAGE_CLEAN = 2, /* dirty logging is on and the page was not written
	                          since the log was last taken */
	MEMORY_PAGE_WRITABLE = 4, /* cpu/'s: some soft TLB may have it as writable */
	MEMORY_PAGE_ASKED = 16, /* cpu/'s, of some pages: host memory around it was asked
	                          for in bulk */
	MEMORY_PAGE_WATCHED = 8, /* every write goes by memory_store and the like, which tell
	                            `watched`; set before the vCPUs run */
};

/* A device's registers. offset is from the region's start, size 1, 2, 4 or 8 and
 * offset a multiple of it. Accesses of more than `most` bytes come in pieces of
 * `most`, those of less than `least` are refused (an access fault), and so are
 * all where the function is NULL. Called on vCPU threads, with whatever lock the
 * owner of the map has (machine.h: the device lock). */
struct memory_ops {
	uint64_t (*read)(void *device, uint64_t offset, unsigned size);
	void (*write)(void *device, uint64_t offset, unsigned size, uint64_t value);
	uint8_t least, most; /* bytes; 0: 1 and 8 */
};

struct memory_region {
	const char *name;
	uint64_t start, size;
	uint8_t *host;         /* RAM and ROM: where it is; devices: NULL */
	uint8_t *flags;        /* RAM: a byte of enum memory_page_flag a page */
	bool writable;         /* RAM */
	bool file;             /* a private mapping of a file (memory_map_file) */
	bool borrowed;         /* host is somebody else's */
	bool closed;           /* a window: reads go to the device now */
	const struct memory_ops *ops; /* devices; ROM that is a device when written
	                                 (flash) has both host and ops */
	void *device;
};

#define MEMORY_REGIONS 128

struct memory {
	struct memory_region region[MEMORY_REGIONS]; /* RAM, ROM: by address, no overlaps */
	unsigned count;
	struct memory_region device[MEMORY_REGIONS]; /* the same of devices */
	unsigned devices;
	/* Called (if not NULL) after bytes of one page with MEMORY_PAGE_CODE were
	 * written by memory_write and the like. */
	void (*written)(void *owner, uint64_t address, uint64_t size);
	/* The same of a page with MEMORY_PAGE_WATCHED. */
	void (*watched)(void *owner, uint64_t address, uint64_t size);
	/* Called (if not NULL) when what was readable or there no longer is, with
	 * the lock held: whoever keeps addresses forgets them. */
	void (*changed)(void *owner);
	void *owner;
	/* Serialises device accesses: taken around memory_ops calls by
	 * memory_load and memory_store when not NULL. */
	void (*lock)(void *owner);
	void (*unlock)(void *owner);
};

int memory_init(struct memory *memory, struct error *error);
void memory_fini(struct memory *memory);

/* Fresh zeroed RAM; start and size multiples of MEMORY_PAGE. name stays borrowed. */
int memory_add_ram(struct memory *memory, const char *name, uint64_t start, uint64_t size, struct error *error);
/* A copy of size bytes at data, zero-padded to room bytes. */
int memory_add_rom(struct memory *memory, const char *name, uint64_t start, const void *data, uint64_t size,
		   uint64_t room, struct error *error);
int memory_add_device(struct memory *memory, const char *name, uint64_t start, uint64_t size,
		      const struct memory_ops *ops, void *device, struct error *error);
/* A device that reads as the bytes at host, borrowed, while its window is open,
 * as it is at first (flash); whole pages. Writes go to the device. */
int memory_add_window(struct memory *memory, const char *name, uint64_t start, uint64_t size, uint8_t *host,
		      const struct memory_ops *ops, void *device, struct error *error);
void memory_window_open(struct memory *memory, uint64_t start, bool open);
/* RAM or ROM at start becomes what the file has at offset (whole pages), mapped
 * privately: read as it is touched, never written. Nobody runs; whoever keeps
 * addresses forgets them (changed is not called). */
int memory_map_file(struct memory *memory, uint64_t start, int fd, uint64_t offset, struct error *error);
/* Takes a device region away again (a PCI BAR that moves). */
void memory_remove(struct memory *memory, uint64_t start);

/* The region that holds the address; NULL if none. The first finds RAM, ROM and
 * windows, the second devices too, and is called under the lock. */
const struct memory_region *memory_find_ram(const struct memory *memory, uint64_t address);
const struct memory_region *memory_find(const struct memory *memory, uint64_t address);
/* Host address of [address, address + size) if that is RAM as a whole (or ROM
 * or an open window, unless write), else NULL. Translated code and the soft TLB use it;
 * devices use memory_read and memory_write. */
uint8_t *memory_ram(const struct memory *memory, uint64_t address, uint64_t size, bool write);
/* Flags of the page of RAM, ROM or window that holds address; NULL if it is none. */
uint8_t *memory_flags(const struct memory *memory, uint64_t address);

/* ---- checked access to RAM, for devices and loaders ---------------------- */

/* Copies between guest RAM (ROM for reads) and the caller; a range that is not
 * RAM as a whole copies nothing and returns false. */
bool memory_read(struct memory *memory, uint64_t address, void *to, uint64_t size);
bool memory_write(struct memory *memory, uint64_t address, const void *from, uint64_t size);
/* Little-endian words, one host access each when aligned. */
bool memory_read16(struct memory *memory, uint64_t address, uint16_t *value);
bool memory_read32(struct memory *memory, uint64_t address, uint32_t *value);
bool memory_read64(struct memory *memory, uint64_t address, uint64_t *value);
bool memory_write16(struct memory *memory, uint64_t address, uint16_t value);
bool memory_write32(struct memory *memory, uint64_t address, uint32_t value);
bool memory_write64(struct memory *memory, uint64_t address, uint64_t value);
/* Atomic compare and exchange of an aligned little-endian word of 4 or 8 bytes (page walks
 * that set A and D). False: no RAM. *swapped tells. */
bool memory_cas(struct memory *memory, uint64_t address, unsigned size, uint64_t old, uint64_t new, bool *swapped);
/* For host I/O straight into guest RAM (preadv): host address for at most *size
 * bytes, which is cut to what is contiguous there; NULL if none. A writer calls
 * memory_touched for what it wrote, before anybody is told of it. */
void *memory_borrow(struct memory *memory, uint64_t address, uint64_t *size, bool write);
void memory_touched(struct memory *memory, uint64_t address, uint64_t size);
/* The guest does without whole pages of RAM: they become zeros that cost the host
 * nothing until they are written. Where RAM is mapped from a file that only goes for
 * MEMORY_RELEASE_LEAST bytes and more. False: the bytes are as they were. */
#define MEMORY_RELEASE_LEAST (64u << 10)
bool memory_release(struct memory *memory, uint64_t address, uint64_t size);

/* ---- a CPU's access: RAM, ROM or device ----------------------------------- */

/* size 1, 2, 4, 8; false: nothing is there, or it takes no access of this size
 * (the CPU's access fault). Device accesses are made under memory->lock. */
bool memory_load(struct memory *memory, uint64_t address, unsigned size, uint64_t *value);
bool memory_store(struct memory *memory, uint64_t address, unsigned size, uint64_t value);

/* ---- dirty log ------------------------------------------------------------ */

/* Starts logging: every RAM page becomes CLEAN. The caller then makes the vCPUs
 * forget which pages they may write without telling (cpu_flush_writes). */
void memory_log_start(struct memory *memory);
void memory_log_stop(struct memory *memory);
/* Calls page(to, address) for each page written since the log was started or
 * last taken, and makes it CLEAN again; vCPUs as above, before. */
void memory_log_take(struct memory *memory, void (*page)(void *to, uint64_t address), void *to);

#endif

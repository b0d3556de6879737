/* machine/: system VMs. A machine is a board (struct machine_type) with memory,
 * buses, devices and vCPUs, made from a configuration.
 *
 * Threads. Each vCPU is a host thread; an event loop has one; backends have
 * their own. The device lock (struct machine.lock) is held for every device
 * callback; vCPU threads take it for device accesses (memory->lock) only. Order: device
 * lock, then cpu_cache's.
 *
 * Life: machine_new, machine_start, machine_wait (or machine_pause and
 * machine_resume any number of times), machine_free. Nothing is global: two
 * machines can live in one process.
 */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include <pthread.h>

#include "cpu/cpu.h"
#include "device/device.h"
#include "guest/system.h"
#include "host/event.h"

#define MACHINE_CPUS 64 /* at most */
#define MACHINE_DISKS 16
#define MACHINE_NETS 8
#define MACHINE_SHARES 8
#define MACHINE_FORWARDS 32

/* What a user asks for; strings are borrowed and outlive the machine. Zeroed is
 * a default: NULL, 0 and false mean "not given". Names are those of the options
 * and of a machine file. */
struct machine_disk {
	const char *path;
	const char *format; /* "raw", "qcow2", NULL: found out */
	const char *bus;    /* "virtio" (default), "scsi", "cdrom", "flash" */
	bool read_only;
	bool snapshot;      /* writes go to a temporary overlay */
};
struct machine_net {
	const char *kind; /* "user" (default), "tap", "switch", "none" */
	const char *name; /* tap: interface; switch: socket path */
	const char *mac;  /* NULL: made from the machine's name and number */
};
struct machine_share {
	const char *path, *tag;
	bool read_only;
};
struct machine_config {
	const char *name;         /* of the machine, NULL: unnamed */
	const char *type;         /* "virt" */
	const char *aia;          /* interrupt controllers: "none" (default): PLIC; "aplic": APLIC;
	                             "aplic-imsic": APLIC and IMSIC, with MSI */
	const char *arch;         /* guest_by_name's */
	bool packed;              /* virtio devices offer packed rings */
	unsigned cpus;            /* 0: 1 */
	uint64_t memory;          /* bytes; 0: the board's default */
	const char *accel;        /* "translate", "interpret", "lockstep"; NULL: auto */
	const char *kernel, *initrd, *append, *firmware, *dtb;
	const char *bare;         /* ELF of a bare-metal program: M-mode start, tohost */
	const char *signature;    /* file for the program's memory from begin_signature on */
	struct machine_disk disk[MACHINE_DISKS];
	unsigned disks;
	struct machine_net net[MACHINE_NETS];
	unsigned nets;
	struct machine_share share[MACHINE_SHARES];
	unsigned shares;
	const char *forward[MACHINE_FORWARDS]; /* "tcp:2222:22" */
	unsigned forwards;
	const char *const *pin;   /* NULL, or for each vCPU a host CPU list */
	unsigned weight;          /* 1 to 10000, 0: 100 */
	bool deterministic;       /* all vCPUs on one thread, switched by count */
	unsigned vsock_cid;       /* 0: no vsock */
	const char *vsock_path;   /* the host's end of it: a Unix socket's path */
	int console_in, console_out; /* descriptors of the first console, not the same
	                                one; -1: none */
	int shell_in, shell_out;  /* descriptors of the second console, a virtio port
	                             (hvc0); -1: none */
	bool restored;            /* machine_start loads and resets nothing and leaves the
	                             machine paused: its RAM and state are put in, then
	                             machine_resume */
	const struct cpu_options *options; /* the engine's; NULL: defaults */
};

/* How a machine came to its end, or why machine_wait came back. */
enum machine_end {
	MACHINE_POWEROFF,  /* the guest asked; status is its code (0: fine) */
	MACHINE_RESET,     /* the guest asked for a reset and resets are off, or too
	                      many came within too short a time */
	MACHINE_PANIC,     /* the guest said that it crashed (SBI SRST reason, syscon fail, pvpanic) */
	MACHINE_STOPPED,   /* machine_stop */
	MACHINE_BARE,      /* a bare-metal program's verdict: status */
	MACHINE_FAILED,    /* the host failed; error says how */
};

struct machine; /* machine_impl.h */

/* What a board is. */
struct machine_type {
	const char *name;
	const struct guest *guest;
	uint64_t default_memory;
	/* Builds devices and maps memory. */
	int (*build)(struct machine *machine, struct error *error);
	/* Loads kernel, firmware, device tree; sets the vCPUs' entry state. After
	 * build, and again at each reset. */
	int (*load)(struct machine *machine, struct error *error);
	/* A firmware call of the vCPU (SBI); its thread. */
	void (*call)(struct machine *machine, unsigned cpu);
	/* Sets the entry state of a vCPU that firmware started; its thread. */
	void (*enter)(struct machine *machine, unsigned cpu);
	/* What the board has besides devices; in a section of its own. */
	void (*state)(struct machine *machine, struct state *s);
	unsigned timer_input; /* which input (guest_system.set_input) is the guest's own timer */
	void (*free)(struct machine *machine);
};
extern const struct machine_type machine_riscv64_virt;
/* NULL when there is none. */
const struct machine_type *machine_type_find(const char *arch, const char *name);

/* NULL: *error says what is wrong. */
struct machine *machine_new(const struct machine_config *config, struct error *error);
int machine_start(struct machine *machine, struct error *error);
/* Waits for the end; status: exit code of POWEROFF or BARE. */
enum machine_end machine_wait(struct machine *machine, int *status, struct error *error);
/* All vCPUs are at safepoints and devices are quiet when pause returns. */
void machine_pause(struct machine *machine);
void machine_resume(struct machine *machine);
/* Asks the guest to shut down (power button); false: there is none, or no driver of it. */
bool machine_powerdown(struct machine *machine);
/* Ends it at once. */
void machine_stop(struct machine *machine);
void machine_free(struct machine *machine);
/* Lists everything but RAM; the machine is paused. */
void machine_state(struct machine *machine, struct state *s);
struct memory *machine_memory(struct machine *machine);
/* The translator's counters; once it has ended, or while it is paused. */
void machine_stats(struct machine *machine, struct cpu_stats *stats);
/* The disk that config->disk[number] became, for snapshots' layers; NULL: none. */
struct disk *machine_disk(struct machine *machine, unsigned number);

#endif

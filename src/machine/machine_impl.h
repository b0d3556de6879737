/* What machines are made of inside; for the files of machine/ alone.
 *
 *   machine.c   making and unmaking, devices, resets, the whole state
 *   life.c      start, pause, resume, the end
 *   vcpu.c      vCPU threads: running, sleeping, timers, interrupt inputs
 *   schedule.c  pinning, weights; all vCPUs on one thread (deterministic)
 *   devices.c   the virtio devices that a configuration asks for
 *   file.c, elf.c, unpack.c  images of kernels and firmware
 *   bare.c      bare-metal programs and their verdict
 *   virt.c      the riscv64 board; virt_fdt.c, virt_load.c, sbi*.c belong to it
 *
 * Locks, in this order: `lock` (devices), the engine's, `timer_lock` (vCPU
 * timers), `life_lock`.
 */
#ifndef MACHINE_MACHINE_IMPL_H
#define MACHINE_MACHINE_IMPL_H

#include "backend/console/console.h"
#include "bus/clock.h"
#include "bus/pci.h"
#include "machine/machine.h"

/* Of a vCPU as firmware sees it (SBI HSM). */
enum cpu_state {
	CPU_STARTED,
	CPU_STOPPED,
	CPU_CLAIMED,        /* somebody is about to start it */
	CPU_STARTING,       /* its thread is to enter it at start_pc */
	CPU_SUSPENDED,      /* until an interrupt is pending; goes on where it is */
	CPU_SUSPENDED_DEEP, /* the same; then as CPU_STARTING */
};

struct machine_cpu {
	struct machine *machine;
	unsigned number;
	struct vcpu vcpu;
	struct guest_env env;
	bool made;              /* vcpu is initialized */
	pthread_t thread;
	bool threaded;          /* thread is there */
	struct event *timer;    /* in machine->timers */
	uint64_t deadline;      /* ticks; under timer_lock */
	uint32_t asleep;        /* atomic: may wait for frame->poll */
	bool waits;             /* in turn: it came to a wait */
	uint32_t state;         /* atomic: enum cpu_state */
	uint64_t start_pc, start_argument;
};

/* What vCPU threads look at when they are polled. */
enum machine_halt { HALT_PAUSE = 1, HALT_QUIT = 2 };

#define MACHINE_RESETS 10u         /* in a row, each sooner than this after… */
#define MACHINE_RESET_SECONDS 10u  /* …the one before: the guest goes in circles */

struct machine {
	struct machine_config config;
	const struct machine_type *type;
	pthread_mutex_t lock;       /* the device lock */
	struct event_loop *loop;    /* of devices and backends; its lock is `lock` */
	pthread_mutex_t timer_lock;
	struct event_loop *timers;  /* of vCPUs' own timers */
	struct memory memory;
	bool map_changed;           /* under lock: vCPUs are to forget addresses */
	struct guest_clock clock;
	struct cpu_options options;
	struct cpu_space space;
	bool space_made;
	struct machine_cpu cpu[MACHINE_CPUS];
	unsigned cpus;
	struct device *devices;
	struct console *console;
	struct pci_bus pci;
	struct disk *disk[MACHINE_DISKS]; /* of config.disk, whatever device has it */
	struct virtio_device *balloon;
	struct virtio_device *button; /* to ask for power-off, or NULL */
	void *board;                /* the type's */

	/* ---- in turn ---- */
	uint64_t turn_base;         /* nanoseconds until this turn */
	uint64_t turn_room;         /* instructions until its end or a timer, */
	uint32_t turn_cut;          /* atomic: a timer was armed that is due before that */
	struct machine_cpu *turn_of; /* whose it is; NULL: nobody's */
	uint32_t turns_word;        /* counts polls; a futex */
	uint32_t turns_asleep;      /* atomic: somebody may wait for it */

	/* ---- bare-metal programs ---- */
	uint64_t tohost, fromhost;  /* addresses of the words; 0: none */
	uint64_t signature, signature_end; /* physical */

	/* ---- life ---- */
	pthread_mutex_t life_lock;
	pthread_cond_t life_changed;
	uint32_t halt;              /* atomic: enum machine_halt bits */
	unsigned holds;             /* who wants the vCPUs to stand still */
	unsigned pauses;            /* of those, who wants the devices to as well */
	unsigned running;           /* vCPU threads that do not */
	bool started;
	bool want_reset, ended;
	enum machine_end end;
	int status;
	struct error failure;
	unsigned resets;            /* in a row */
	uint64_t last_reset;        /* host nanoseconds */
};

/* ---- machine.c ------------------------------------------------------------- */

/* The machine owns the device from here on. Names it. */
void machine_add(struct machine *machine, struct device *device, const char *name);
/* Devices and vCPUs as after power-on, then the type's load if wanted. All stands
 * still. */
int machine_reset(struct machine *machine, bool load, struct error *error);

/* ---- life.c ---------------------------------------------------------------- */

/* The machine is to end (the first to say so wins) or to reset; any thread, also
 * under the device lock. vCPUs stop at their next safepoint. */
void machine_end(struct machine *machine, enum machine_end end, int status);
void machine_want_reset(struct machine *machine);
/* Called by vCPU threads: waits while the machine is paused; false: it ends. */
bool machine_go_on(struct machine *machine);
/* Stands still, nested; vCPU threads may not call it. */
void machine_hold(struct machine *machine);
void machine_release(struct machine *machine);

/* ---- vcpu.c ---------------------------------------------------------------- */

int machine_cpus_new(struct machine *machine, struct error *error);
int machine_cpus_start(struct machine *machine, struct error *error);
void machine_cpus_join(struct machine *machine);
void machine_cpus_free(struct machine *machine);
/* Makes a vCPU come out of guest code or sleep soon. Any thread. */
void machine_cpu_kick(struct machine_cpu *cpu);
void machine_kick_all(struct machine *machine);
/* An interrupt input of a vCPU, as a line for devices. */
struct irq_line machine_cpu_input(struct machine *machine, unsigned cpu, unsigned input);
/* The guest's clock moved or goes again: timers are armed anew. */
void machine_timers_update(struct machine *machine);
/* Sleeps until the vCPU is polled. */
void machine_cpu_sleep(struct machine_cpu *cpu);
/* Sleeps until the word is no longer what was seen, at most for a time (NULL: for
 * ever); true: that is over. */
bool machine_wait_word(uint32_t *word, uint32_t seen, const struct timespec *limit);
/* Brings it out of the states in which it does not run, if it is time; true: it
 * is started. vCPU thread. */
bool machine_cpu_ready(struct machine_cpu *cpu);
uint64_t machine_time(const struct machine *machine); /* ticks */

/* ---- schedule.c ------------------------------------------------------------ */

/* Pins the calling thread, a vCPU's, and sets its weight. */
void machine_schedule(struct machine_cpu *cpu);
/* Runs all vCPUs in turn on the calling thread until the end. */
void machine_run_in_turn(struct machine *machine);
/* Nanoseconds that have passed so: the clock's source; owner: the machine. */
uint64_t machine_turn_time(void *owner);
/* And what it does when a timer is armed. */
void machine_turn_until(void *owner, uint64_t nanoseconds);

/* ---- devices.c ------------------------------------------------------------- */

/* Adds the configuration's devices to machine->pci. */
int machine_add_devices(struct machine *machine, struct error *error);

/* ---- file.c, elf.c, unpack.c ------------------------------------------------ */

struct payload {
	uint8_t *bytes; /* owned */
	size_t size;
	bool mapped;    /* the file itself, not to be written; else from malloc */
	int file;       /* mapped: its descriptor, owned */
};
/* Reads a whole file and unpacks it if it is packed. what: for messages. */
int payload_read(struct payload *image, const char *path, const char *what, struct error *error);
void payload_free(struct payload *image);
/* Copies it to guest memory; false: it does not fit. */
bool payload_place(const struct payload *image, struct memory *memory, uint64_t address);
/* If it is a gzip, zstd or EFI zboot image: unpacks it in place. */
int payload_unpack(struct payload *image, const char *path, struct error *error);
bool payload_is_elf(const struct payload *image);
/* Loads an ELF file's segments at their physical addresses. *end: behind the last. */
int payload_load_elf(const struct payload *image, const char *path, struct memory *memory, uint64_t *entry,
		   uint64_t *end, struct error *error);
/* The address of a symbol; false: there is none. */
bool payload_symbol(const struct payload *image, const char *name, uint64_t *address);

/* ---- bare.c ---------------------------------------------------------------- */

/* Loads config.bare; *entry is where it starts, *end behind it. */
int machine_load_bare(struct machine *machine, uint64_t *entry, uint64_t *end, struct error *error);
/* Writes config.signature. All stands still. */
int machine_write_signature(struct machine *machine, struct error *error);

#endif

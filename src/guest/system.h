/* What a guest ISA says about its system level: translation of addresses,
 * traps, interrupts, privileged instructions. A guest that has it can run in a
 * system VM (cpu/, machine/).
 *
 * Regimes. A regime is a way in which data addresses are translated and
 * checked: a privilege level, with what else changes rights (RISC-V SUM, MXR,
 * MPRV). Each has a soft TLB of its own, so that moving between them flushes
 * nothing. Regime numbers are the guest's, below GUEST_REGIMES.
 *
 * Address spaces. Translations that are not global belong to an address-space
 * number (ASID and what goes with it). Stale entries stay until the guest asks
 * for their removal, as the architecture allows.
 */
#ifndef GUEST_SYSTEM_H
#define GUEST_SYSTEM_H

#include "guest/guest.h"
#include "memory/memory.h"

#define GUEST_REGIMES 8

enum guest_access { GUEST_READ = 1, GUEST_WRITE = 2, GUEST_EXECUTE = 4 };

/* What a walk found. Good for the naturally aligned `page` bytes around the
 * address: one mapping, and one set of protection rules (RISC-V PMP). Whether
 * memory is there, and the same all over, is for memory/ to say. */
struct guest_walk {
	uint64_t physical; /* of the byte asked for */
	uint64_t page;     /* a power of two; below MEMORY_PAGE: not to be cached.
	                      Superpages: the whole mapping, at most 1 GiB */
	uint64_t span;     /* of the mapping (leaf entry) it came from, whatever the
	                      protection rules: a flush of any address in it is one
	                      of this. A power of two; 0: as page */
	uint8_t allowed;   /* enum guest_access bits that need no other walk: no
	                      WRITE while the page is not dirty yet */
	bool global;       /* in every address space of its regime */
};

/* A fault or trap as the guest's architecture numbers it. RISC-V: cause as in
 * scause (interrupt bit included), value as stval. */
struct guest_fault {
	uint64_t cause, value;
};

/* What a system-level instruction, trap or interrupt asks of the vCPU's runner. */
enum guest_step {
	GUEST_STEP_NEXT,  /* frame->pc is where to go on */
	GUEST_STEP_WAIT,  /* the same, but not before guest_system.awake: WFI */
	GUEST_STEP_CALL,  /* a call of the built-in firmware (SBI, PSCI); frame->pc
	                     is the instruction after it */
	GUEST_STEP_FAULT, /* *fault is to be delivered; frame->pc is its instruction */
};

/* What of an interrupt controller belongs to a vCPU and is reached by its own
 * instructions (RISC-V: the interrupt files of an IMSIC, 0 M-mode's, 1 S-mode's).
 * The vCPU's thread. */
struct guest_files {
	/* A register of the file becomes (value & ~clear) | set, as far as it can;
	 * returns its value before. */
	uint64_t (*change)(void *owner, unsigned cpu, unsigned file, unsigned number, uint64_t clear, uint64_t set);
	/* The most urgent interrupt that is pending and enabled, 0: none. take: it is
	 * not pending any more. */
	uint32_t (*top)(void *owner, unsigned cpu, unsigned file, bool take);
	void *owner;
};

/* What the guest asks of whoever runs it; the runner fills it in before the
 * vCPU starts, frame->env points to it. Called on the vCPU's own thread from
 * guest_system functions and helpers. */
struct guest_env {
	struct memory *memory;
	unsigned number; /* of the vCPU: hart id */
	bool counts;     /* instructions retired are counted, each one */
	const struct guest_files *files; /* NULL: there are none */
	/* Forget translations of the page at address (any mapping size that
	 * covers it), or of all when !one; of this address space only, or of all
	 * when !asid_only; global ones too when global. */
	void (*flush)(struct guest_env *env, bool one, uint64_t address, bool asid_only, uint32_t asid, bool global);
	/* Data regime, fetch regime, address space or mode key may have changed:
	 * the engine brings frame->tlb and the like up to date. */
	void (*changed)(struct guest_env *env);
	/* fence.i and its like: code of this vCPU was changed by itself. */
	void (*code_changed)(struct guest_env *env);
	/* Time in ticks of the guest's time base; shared by the machine. */
	uint64_t (*time)(struct guest_env *env);
	/* The guest's own timer (stimecmp, CNTV_CVAL) now fires at `when` ticks;
	 * UINT64_MAX: never. */
	void (*timer)(struct guest_env *env, uint64_t when);
	void *owner; /* machine's */
	void *engine; /* cpu/'s: struct vcpu */
};

struct guest_system {
	uint64_t timebase_hz; /* of `time` */
	/* Data regimes (bit n: regime n) of which nearly all translations belong
	 * to one address space: user level. A hint for speed. */
	uint32_t private_regimes;
	/* Code with these bits of the mode key so is user-level: it has no way to
	 * change its data regime or address space but a trap. */
	uint32_t user_mode_mask, user_mode;

	/* The guest's extensions as the device tree names them (RISC-V:
	 * riscv,isa's words after the base, separated by blanks). */
	const char *base, *extensions;

	/* The vCPU as it leaves reset: highest privilege, nothing set up;
	 * frame->env is set. Whoever calls it then sets pc and entry registers. */
	void (*reset)(struct ir_frame *frame);
	/* After reset: the vCPU as the machine's built-in firmware hands it to a
	 * kernel (RISC-V: S-mode; SBI calls are GUEST_STEP_CALL from now on). */
	void (*firmware)(struct ir_frame *frame);

	/* The regime of data accesses now, and whether addresses are used as they
	 * are (then walks only check). Pure. */
	unsigned (*data_regime)(const struct ir_frame *frame);
	/* The regime of instruction fetches. Pure. */
	unsigned (*fetch_regime)(const struct ir_frame *frame);
	/* The current address space's number. Pure. */
	uint32_t (*asid)(const struct ir_frame *frame);

	/* Of a vCPU that counts: how many more instructions may retire before the
	 * runner is to come back (CPU_SYSTEM_DUE), and how many may from now on.
	 * After reset there is no limit. Outside of generated code. */
	uint64_t (*instructions_left)(const struct ir_frame *frame);
	void (*allow_instructions)(struct ir_frame *frame, uint64_t count);

	/* Walks for an access of size bytes, none of them on another page of
	 * MEMORY_PAGE; sets A and D bits as the architecture has it. The access as
	 * a whole is checked; `page` may be smaller than it. access: one bit; WRITE
	 * also for those that read as well. False: *fault. */
	bool (*walk)(struct ir_frame *frame, uint64_t address, unsigned size, enum guest_access access,
		     unsigned regime, struct guest_walk *walk, struct guest_fault *fault);
	/* The fault for an access of which the translation is good but where
	 * there is no memory, or that is misaligned where that is not done. */
	struct guest_fault (*access_fault)(uint64_t address, enum guest_access access);
	struct guest_fault (*misaligned)(uint64_t address, enum guest_access access);

	/* A trap of enum ir_trap that is no access: illegal (value: the bits),
	 * breakpoint, syscall, as a fault of the guest's. True: it is to be
	 * delivered; false: *step says what it is instead (a firmware call), and
	 * the runner moves frame->pc on. */
	bool (*trap)(struct ir_frame *frame, enum ir_trap trap, uint64_t value, struct guest_fault *fault,
		     enum guest_step *step);
	/* Enters the handler for the fault of the instruction at frame->pc. */
	void (*deliver)(struct ir_frame *frame, const struct guest_fault *fault);
	/* Enters the handler of the most urgent interrupt that is pending and
	 * enabled, if there is one; frame->pc is the next instruction. To be asked
	 * when the vCPU was polled, and after whatever may have let an interrupt
	 * in: execute, a region that ended by IR_EXIT_LOOKUP, a restored state. */
	bool (*interrupt)(struct ir_frame *frame);
	/* WFI ends: an interrupt is pending, enabled at large or not. Pure. */
	bool (*awake)(const struct ir_frame *frame);
	/* Sets or clears an interrupt input (RISC-V: a bit of mip by number). Any
	 * thread; the caller then polls the vCPU. */
	void (*set_input)(struct ir_frame *frame, unsigned number, bool level);
	/* Lockstep: frame->guest becomes `saved` (IR_GUEST_STATE_SIZE bytes) again,
	 * but for inputs that other threads set or cleared since. NULL: there are
	 * no such inputs. */
	void (*restore)(struct ir_frame *frame, const uint8_t *saved);

	/* Sets the guest's own timer, as firmware does for those that do not know
	 * of it (SBI TIME): it asks env->timer in turn. The vCPU's thread. */
	void (*set_timer)(struct ir_frame *frame, uint64_t when);

	/* Does the instruction that a lifter left to IR_TRAP_SYSTEM: frame->pc is
	 * its address, next that of the one after, bits its encoding. */
	enum guest_step (*execute)(struct ir_frame *frame, uint64_t bits, uint64_t next, struct guest_fault *fault);

	/* The system state, field by field (registers included). */
	void (*state)(struct ir_frame *frame, struct state *s);
};

extern const struct guest_system guest_riscv64_system;

#endif

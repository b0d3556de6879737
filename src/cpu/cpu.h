/* cpu/: what a vCPU is and the ways to run one.
 *
 * A vCPU is an ir_frame plus what its accelerator keeps. cpu_run runs it until
 * something needs the outside: a system call, a guest fault, a poll request.
 * The process VM (and later the machine) is that outside; it gives each address
 * space a struct cpu_space, through which the engine reads guest code.
 *
 * Accelerators, one contract: interp/ evaluates the IR, translate/ compiles it,
 * lockstep runs both and compares. The caller does not know which it has.
 *
 * Threading: one host thread runs a vCPU. A space's code cache is shared by its
 * vCPUs and locks itself; locks are futexes that survive a holder killed in the
 * middle (vfork children share them).
 */
#ifndef CPU_CPU_H
#define CPU_CPU_H

#include "guest/guest.h"

struct target;    /* codegen/target.h */
struct store;     /* store/store.h */
struct cpu_cache; /* translations of one address space: translate/cache.c */

/* A stretch of guest code of one file, [start, end), whose first byte would lie at
 * anchor. */
struct cpu_file_code {
	uint64_t start, end, anchor;
};

/* An address space that code runs in. The owner fills it before cpu_space_init
 * and keeps it as long as any vCPU. */
struct cpu_space {
	const struct guest *guest;
	uint64_t guest_base;

	/* The three are called with none of the engine's locks held, so they
	 * may take the owner's; they must hold none of those when they return,
	 * and run no guest code.
	 *
	 * Host address of the guest code at pc if it is mapped executable, and
	 * how many bytes from there on are; NULL if not. It may be unmapped
	 * right after: the engine reads it under a recovery point. */
	const uint8_t *(*code)(struct cpu_space *space, uint64_t pc, size_t *readable);
	/* Guest address the code at pc is placed relative to (load address of
	 * its file mapping), within 1 GiB of pc: the anchor of its segment. */
	uint64_t (*anchor)(struct cpu_space *space, uint64_t pc);
	/* [start, end), whole pages of 4096 bytes, will have translations: if
	 * the guest may write there, make host stores fault so that
	 * cpu_invalidate gets called first. Stays so until cpu_invalidate takes
	 * the page; may be called again for a page that is watched. False: not now
	 * (the host's kernel may be about to write there); what is read there is
	 * then run once and not kept. */
	bool (*watch)(struct cpu_space *space, uint64_t start, uint64_t end);
	/* What keeps translations of the code at pc from run to run, and the mapping
	 * around it for which that holds, executable all of it; NULL: nothing does.
	 * code->anchor is what anchor() says there. The answer may be remembered
	 * until the next cpu_invalidate. The function may be NULL. */
	struct store *(*store)(struct cpu_space *space, uint64_t pc, struct cpu_file_code *code);
	/* Lockstep: whether other processes may write to [address, address +
	 * size). Regions that store there run once, uncompared. NULL: never. */
	bool (*shared)(struct cpu_space *space, uint64_t address, unsigned size);
	void *owner;

	/* A system VM's space: guest-physical memory, in place of the above but
	 * for `owner`, `guest`. Code is then known by physical address, guest_base
	 * is not used, and vCPUs are run by cpu_run_system. NULL: a process VM. */
	struct memory *memory;

	struct cpu_cache *cache;
};

enum cpu_accel { CPU_ACCEL_TRANSLATE, CPU_ACCEL_INTERPRET, CPU_ACCEL_LOCKSTEP };

/* Lockstep ends the process with this status, after a report on the log, when
 * evaluator and translation differ. It lets one vCPU of a space run at a time;
 * what other processes or system calls write meanwhile may make a region be
 * compared again, up to three times. Regions whose helpers never give the same
 * twice (IR_H_VOLATILE) run once, in the evaluator. */
#define CPU_LOCKSTEP_STATUS 123

struct cpu_options {
	enum cpu_accel accel;
	bool force_faults;   /* every faulting op faults once (in a system VM: misses the soft TLB
	                        each time), to test recovery */
	unsigned lockstep_sample; /* compare one region entry in this many; 1: all */
	unsigned max_insns;  /* per region; 0: default */
	unsigned tier;       /* 2: loops that run often are optimized; else tier 1 only */
	unsigned loop_heat;  /* that is when they have jumped back so many times */
	unsigned dump;       /* enum cpu_dump bits: -d */
	uint64_t cache_bytes; /* limit on translated code; 0: default */
	unsigned baseline;   /* for tests: host features of x86-64-v2 only (2), of v3
	                        (3); 0: all there are */
	bool stats;          /* measure translate_ns */
	const struct target *target; /* code generator; NULL: the host's. Where
	                                there is none, code is interpreted */
};
enum cpu_dump { CPU_DUMP_GUEST = 1, CPU_DUMP_LIFT = 2, CPU_DUMP_REGALLOC = 4, CPU_DUMP_EMIT = 8 };

/* Why cpu_run came back. frame->pc, slots, fp_flags are exact. */
struct cpu_stop {
	enum cpu_stop_kind {
		CPU_STOP_POLL,  /* frame->poll was set; nothing else. The owner clears
		                 * it (before it looks what is pending). The engine
		                 * sets it too, so expect it for no reason of yours */
		CPU_STOP_TRAP,  /* trap below */
	} kind;
	enum ir_trap trap;
	uint64_t pc;      /* of the instruction that trapped; for SYSCALL and
	                     BREAKPOINT frame->pc is pc too: the owner moves it
	                     to `next` when the guest goes on */
	uint64_t next;    /* SYSCALL, BREAKPOINT: address of the following
	                     instruction; else pc */
	uint64_t address; /* faults: the guest address; ILLEGAL: the bits */
	int host_signal;  /* faults that came as a host signal: its number, else 0 */
	int host_code;    /* its si_code (SEGV_MAPERR, BUS_ADRERR, …) */
};

struct vcpu {
	struct ir_frame *frame;  /* own pages */
	struct cpu_space *space;
	const struct cpu_options *options;
	void *owner;             /* the process VM's thread */
	/* ---- the engine's own ---- */
	struct cpu_local *local; /* accelerator's data */
};

int cpu_space_init(struct cpu_space *space, const struct cpu_options *options, struct error *error);
void cpu_space_fini(struct cpu_space *space);

/* Allocates the frame (guest->reset applied) and the shadow stack; nothing else
 * but vcpu->owner is the caller's to set. */
int vcpu_init(struct vcpu *vcpu, struct cpu_space *space, const struct cpu_options *options, struct error *error);
/* Its thread is gone or calls it itself; any thread may. A vCPU whose thread
 * died inside cpu_run (a vfork child) or is not in this process (after fork)
 * must go this way too, or code memory is never reclaimed. */
void vcpu_fini(struct vcpu *vcpu);
/* Runs until something needs the outside. Must be called with the recovery
 * frame free (not re-entrant for one vCPU). */
void cpu_run(struct vcpu *vcpu, struct cpu_stop *stop);

/* The same for one instruction, by the evaluator; CPU_STOP_POLL when it did not
 * trap. */
void cpu_step(struct vcpu *vcpu, struct cpu_stop *stop);

/* The mode key, FP state or pc was changed from outside (signal frame,
 * sigreturn, debugger): call before cpu_run. */
void cpu_state_changed(struct vcpu *vcpu);
/* Folds lazy state so that the frame is exact. cpu_run's return implies it. */
void cpu_sync(struct vcpu *vcpu);

/* Guest code in [start, end) changed or went away, or its pages' protection
 * did. Any thread, also in the handler of a synchronous signal, and with the
 * owner's locks held. Translations of whole pages go: this thread never enters
 * them again, others finish at most the region that they are in. */
void cpu_invalidate(struct cpu_space *space, uint64_t start, uint64_t end);
/* True if [start, end) may have translations, that is, if a page of it is
 * watched. Takes the cache's lock. */
bool cpu_has_code(struct cpu_space *space, uint64_t start, uint64_t end);

/* Called first thing in the owner's host signal handler for a synchronous
 * signal (siginfo's code > 0 and raised by an instruction). vcpu is the
 * thread's; info and ucontext are the handler's arguments. True: the context
 * was redirected, return from the handler and cpu_run will come back with
 * CPU_STOP_TRAP. False: it did not come from guest code (a defect of ours). */
bool cpu_host_fault(struct vcpu *vcpu, int signal, void *info, void *ucontext);
/* For asynchronous host signals: asks the vCPU to stop at its next safepoint.
 * Any thread, async-signal-safe. */
static inline void
cpu_poll(struct vcpu *vcpu)
{
	__atomic_store_n(&vcpu->frame->poll, 1, __ATOMIC_RELEASE);
}

/* ---- system VMs: system/ ------------------------------------------------- */

enum cpu_system_stop {
	CPU_SYSTEM_POLL, /* somebody called cpu_poll: the owner, or the engine for
	                    reasons of its own. frame->poll is cleared before; an
	                    interrupt that is pending has been taken */
	CPU_SYSTEM_WAIT, /* WFI and no interrupt pending: wait until one is or a poll */
	CPU_SYSTEM_CALL, /* a firmware call; frame->pc is behind it */
	CPU_SYSTEM_DUE,  /* no instruction is left: guest_system.allow_instructions */
};
/* Runs a vCPU of a system VM: traps are delivered, system instructions done,
 * interrupts taken. Before the first call the owner has filled vcpu->frame->env
 * (memory, number, time, timer, owner) and called cpu_system_init. */
enum cpu_system_stop cpu_run_system(struct vcpu *vcpu);
/* After vcpu_init: soft TLBs, and env's flush, changed, code_changed, engine. */
int cpu_system_init(struct vcpu *vcpu, struct guest_env *env, struct error *error);
/* Around the life of a host thread that calls cpu_run_system: a signal stack and
 * handlers for host faults in generated code. */
int cpu_thread_enter(struct error *error);
void cpu_thread_leave(void);
/* For remote fences (SBI RFENCE): makes every vCPU of the set (bit n: env number
 * n; self excluded or not) flush as guest_env.flush says, fence.i when code, and
 * returns when all have, or will before they run guest code again. self: the
 * calling vCPU's thread, or NULL. */
struct cpu_flush {
	bool code;                       /* fence.i */
	bool translations;               /* the fields below */
	bool asid_only, global;
	uint32_t asid;
	uint64_t start, size;            /* size 0 or UINT64_MAX: everything */
};
void cpu_flush_remote(struct cpu_space *space, struct vcpu *self, const uint64_t *set, unsigned words,
		      const struct cpu_flush *flush);
/* The dirty log was taken or the map changed (a BAR): vCPUs forget which pages
 * they may write, or all of memory they know, before they run on. As above. */
void cpu_flush_writes(struct cpu_space *space, struct vcpu *self);
void cpu_flush_map(struct cpu_space *space, struct vcpu *self);

/* Around fork: before in the parent, after in both processes, with child true
 * in the new one, whatever fork said. The cache is locked in between. Code
 * memory is shared with the other side from here on; each copies it before it
 * changes it. In the child, vcpu_fini the vCPUs of threads that are not there.
 * Not for children that share the address space. */
void cpu_fork_before(struct cpu_space *space);
void cpu_fork_after(struct cpu_space *space, bool child);

/* Adds translations that are new since the last call, or since fork, to their
 * stores as far as those want them (store_worth); vcpu is the caller's, outside
 * cpu_run. */
void cpu_save(struct vcpu *vcpu);

/* --stats: a snapshot of the counters. */
struct cpu_stats {
	uint64_t loops /* of the regions: tier 2's */;
	uint64_t regions, guest_insns, host_bytes, cold_bytes, map_bytes;
	uint64_t translate_ns /* processor time */, exits[32], lookups, links, invalidated, flushes, interpreted;
	uint64_t recalled /* regions that came from a store */, saved /* that went there */;
};
void cpu_stats(const struct cpu_space *space, struct cpu_stats *stats);

#endif

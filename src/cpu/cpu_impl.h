/* cpu/, private to the folder: what vCPUs and spaces are inside.
 *
 *   vcpu.c        a vCPU's life, cpu_run's choice of an accelerator, host faults
 *   space.c       a space's life, its lock, invalidation, fork
 *   pages.c       which guest pages have translations
 *   lift.c        guest code read, watched and lifted
 *   dump.c        what -d prints
 *   interp/       evaluates regions; also where a translator cannot go
 *   translate/    compiles them: the code cache and the loop around it
 *   lockstep/     runs both and compares
 *   system/       vCPUs of system VMs: translation of addresses, traps
 *
 * Reading guest code without a race. A lift notes space->attempts, watches the
 * page, copies its bytes, lifts the copy. Every invalidation counts attempts
 * up, so a lift during which none came is of bytes that were there while the
 * page was watched: only that may be kept (cpu_keep, under the lock).
 *
 * Locks. cpu_cache.lock guards everything in cpu_cache and the translator, but
 * for what is said to be read without. Nothing is called back and no guest
 * memory is touched under it, so a fault handler may take it.
 */
#ifndef CPU_CPU_IMPL_H
#define CPU_CPU_IMPL_H

#include "codegen/target.h"
#include "cpu/cpu.h"
#include "host/fault.h"
#include "host/lock.h"
#include "host/recover.h"
#include "ir/eval.h"

#define GUEST_PAGE 4096u
#define CODE_BYTES 1024u /* of guest code read for one region */

/* Mode key bit of the engine's own: the code is mapped, here and in the rest of
 * its naturally aligned CPU_SUPER_PAGE bytes, by one mapping. */
#define CPU_MODE_SUPER (1u << 31)
/* Another: accesses do not share probes of the soft TLB. Such a region is reached by
 * CODE_EXIT_APART alone. */
#define CPU_MODE_APART (1u << 30)
#define CPU_MODE_ENGINE (CPU_MODE_SUPER | CPU_MODE_APART)
#define CPU_SUPER_PAGE (2u << 20)

struct translator;
struct region;

/* ---- pages.c: under the lock -------------------------------------------- */

struct code_page {
	uint64_t page;  /* guest address */
	uint32_t first; /* head of the list of regions in it; 0: none */
	bool used;
	bool watched;   /* may have translations */
};

struct page_array {
	struct page_array *older; /* smaller ones, kept for readers */
	uint32_t count, capacity; /* slots in use; a power of two */
	struct code_page slot[];
};

struct page_table {
	struct page_array *array; /* NULL: empty */
};

/* NULL when the page was never heard of. */
struct code_page *page_find(struct page_table *table, uint64_t page);
/* Pointers into the table die. */
struct code_page *page_make(struct page_table *table, uint64_t page);
/* Without the lock. False when in doubt; when true wrongly, an invalidation is
 * on its way that the caller's count of attempts will show. */
bool page_watched(const struct page_table *table, uint64_t page);
static inline void
page_set_watched(struct code_page *page, bool watched)
{
	__atomic_store_n(&page->watched, watched, __ATOMIC_RELAXED);
}
/* The next watched page that [start, end) touches, in no order; NULL at the
 * end. *cursor starts as 0. */
struct code_page *page_next(struct page_table *table, uint64_t start, uint64_t end, uint64_t *cursor);
/* Empties the lists of regions; watched pages stay so. */
void page_table_clear(struct page_table *table);
void page_table_fini(struct page_table *table);

/* ---- a space's insides -------------------------------------------------- */

struct cpu_cache {
	uint32_t lock;           /* host/lock.h */
	struct page_table pages;
	struct vcpu *vcpus;      /* list, by local->next */
	const struct cpu_options *options;
	struct translator *translator; /* NULL when only interpreting */

	uint32_t turn; /* lockstep: the lock of the vCPU that runs; outermost */

	/* Read without the lock. */
	uint64_t attempts; /* invalidations asked for */
	uint64_t drops;    /* those that hit a page with translations */

	struct cpu_stats gone; /* counters of vCPUs that are no more */
	uint64_t invalidated, flushes;
};

void space_lock(struct cpu_space *space);
void space_unlock(struct cpu_space *space);
/* Under the lock: keeps the counters of a vCPU that goes. */
void cpu_stats_retire(struct cpu_space *space, const struct cpu_stats *stats);

/* ---- lift.c ------------------------------------------------------------- */

struct lifted {
	struct ir_region region;
	uint64_t attempts; /* of the space, before its bytes were read */
	uint64_t second;   /* system VM, an instruction that straddles pages: the
	                      physical address of the second; else 0 */
	bool loop;           /* by opt/: tier 2's */
	const uint8_t *code; /* the copy that was lifted, in the arena */
	size_t code_size;
};

/* Lifts the code at pc under mode into the arena, at most insns instructions (0:
 * as many as the options say). False: it cannot be fetched, *stop says so. Does
 * not hold the lock. */
bool cpu_lift(struct vcpu *vcpu, struct arena *arena, uint64_t pc, uint32_t mode, unsigned insns,
	      struct lifted *lifted, struct cpu_stop *stop);
/* Whether what was lifted may be kept; marks its pages as having translations
 * and watched. Under the lock. */
bool cpu_keep(struct cpu_space *space, const struct lifted *lifted);
/* The same of code that was not lifted. */
bool cpu_keep_code(struct cpu_space *space, uint64_t pc, size_t size, uint64_t attempts);
/* Copies guest code; returns how many bytes there are, 0 when none. fault says
 * what the host said when it was not mapped after all. */
size_t cpu_read_code(struct vcpu *vcpu, uint64_t pc, uint8_t *to, size_t size, struct host_fault *fault);
/* Whether the code at pc, which must be mapped executable, is this; its pages are
 * watched then. For cpu_keep, with what the count of attempts was before. */
bool cpu_code_is(struct vcpu *vcpu, uint64_t pc, const uint8_t *code, size_t size);
/* Calls act(argument), which may touch memory that is not there: false then. It may
 * take no lock. */
bool cpu_guarded(struct vcpu *vcpu, void (*act)(void *argument), void *argument);

/* The same in a system VM, by physical address: system/code.c. */
bool system_lift(struct vcpu *vcpu, struct arena *arena, uint64_t pc, uint32_t mode, unsigned insns,
		 struct lifted *lifted, struct cpu_stop *stop);
void system_unwatch(struct cpu_space *space, uint64_t start, uint64_t end);
/* Whether that is the page after frame->page now; 0 is. */
bool system_second_is(struct vcpu *vcpu, uint64_t second);

/* ---- a vCPU's insides --------------------------------------------------- */

/* Lifted regions of this vCPU, for evaluation. */
struct interp_cache {
	struct arena arena;
	struct interp_entry **bucket;
	size_t bytes;   /* in the arena, about */
	uint64_t *value; /* the evaluator's room for `values` values */
	uint32_t values;
	uint64_t drops; /* of the space when they were lifted */
};

struct cpu_local {
	struct vcpu *next;
	struct arena arena; /* for one translation */
	struct interp_cache interp;

	/* Host faults. While recovering, C code reads guest memory. */
	struct recovery recovery;
	volatile bool recovering;
	struct host_fault fault;
	struct ir_eval eval;
	const struct ir_region *evaluating; /* or evaluated last */

	/* translate/run.c */
	uint32_t inside;  /* epoch under which it runs; 0 outside. Read by others */
	uint32_t epoch;   /* that of its jump table and shadow stack */
	uint32_t mode;    /* mode key of its jump table and shadow stack */
	uint8_t *shadow;  /* shadow stack with its guards */
	uint64_t record[5]; /* struct code_exit of a host fault in generated code */

	/* translate/keep.c: the store asked for last; NULL: none */
	struct store *store;
	struct cpu_file_code stored; /* it holds for; empty: nobody was asked */
	uint64_t stored_attempts;    /* of the space, before it was asked */

	/* system/ */
	struct cpu_system *system; /* NULL in a process VM */

	/* lockstep/ */
	struct lockstep *lockstep;

	struct cpu_stats stats;
};

/* The stop for a host fault (local->fault) of the guest instruction at pc. The
 * frame is exact for it. */
void cpu_fault_stop(struct vcpu *vcpu, uint64_t pc, struct cpu_stop *stop);
/* A CHECK's trap is that of a host fault which a helper ran into (frame->guard):
 * local->fault. Of a process VM: there the host finds all faults of memory. */
static inline bool
cpu_trap_is_host_fault(const struct vcpu *vcpu, enum ir_trap trap)
{
	return !vcpu->local->system && (trap == IR_TRAP_READ_FAULT || trap == IR_TRAP_WRITE_FAULT);
}
/* The stop for a trap of the instruction at pc. */
void cpu_trap_stop(struct vcpu *vcpu, enum ir_trap trap, uint64_t pc, uint64_t next,
		   uint64_t value, struct cpu_stop *stop);
/* The guest address that the instruction at pc accesses, from the state. */
uint64_t cpu_accessed(struct vcpu *vcpu, uint64_t pc, enum ir_access *access);
/* True and the stop when the frame's poll flag is set. */
bool cpu_polled(struct vcpu *vcpu, struct cpu_stop *stop);

/* ---- system/ ------------------------------------------------------------- */

/* What a lookup needs: *pc, where the code at frame->pc is known by, its mode key
 * in frame->mode. False: it cannot be fetched, *stop says so. */
bool system_code(struct vcpu *vcpu, uint64_t *pc, struct cpu_stop *stop);
/* Changes when what was fetched may be another now. */
uint64_t system_context(const struct vcpu *vcpu);
/* The code found last is to be run one instruction at a time, each fetched anew;
 * false in a process. */
bool system_fine(const struct vcpu *vcpu);
/* The region with this entry, of code at physical address pc, dies: it leaves the
 * vCPU's jump tables. Any thread. */
void system_jumps_forget(struct vcpu *vcpu, const void *host, uint64_t pc);
void system_thread_runs(struct vcpu *vcpu);
void system_state_changed(struct vcpu *vcpu);
void system_vcpu_fini(struct vcpu *vcpu);

/* ---- interp/ ------------------------------------------------------------ */

void interp_run(struct vcpu *vcpu, struct cpu_stop *stop);
/* Evaluates the region once; true: *stop is set. */
bool interp_region(struct vcpu *vcpu, const struct ir_region *region, struct cpu_stop *stop);
/* The region that interp_here evaluated last. */
const struct lifted *interp_last(const struct vcpu *vcpu);
/* Evaluates the region at the frame's pc once, or only its first instruction,
 * from the vCPU's own cache. */
bool interp_here(struct vcpu *vcpu, bool single, struct cpu_stop *stop);
void interp_fini(struct vcpu *vcpu);

/* ---- translate/, for the rest of the folder ------------------------------ */

int translator_init(struct cpu_space *space, struct error *error);
void translator_fini(struct cpu_space *space);
void translator_run(struct vcpu *vcpu, struct cpu_stop *stop);
int translator_vcpu_init(struct vcpu *vcpu, struct error *error);
void translator_vcpu_fini(struct vcpu *vcpu);
void translator_sync(struct vcpu *vcpu);
/* Under the lock: the page's translations die; *first is its list. */
void translator_drop_page(struct cpu_space *space, struct code_page *page);
/* Under the lock: everything goes, consistent or not. */
void cache_flush(struct cpu_space *space);
void translator_save(struct vcpu *vcpu);
void translator_fork(struct cpu_space *space, bool child);
bool translator_fault(struct vcpu *vcpu, const struct host_fault *fault, void *ucontext);
void translator_stats(const struct cpu_space *space, struct cpu_stats *stats);

/* ---- lockstep/ ----------------------------------------------------------- */

void lockstep_run(struct vcpu *vcpu, struct cpu_stop *stop);
/* One region, for a system VM's run loop, which holds the turn. True: *stop is
 * set. */
bool lockstep_once(struct vcpu *vcpu, struct cpu_stop *stop);
int lockstep_vcpu_init(struct vcpu *vcpu, struct error *error);
void lockstep_vcpu_fini(struct vcpu *vcpu);

/* ---- dump.c --------------------------------------------------------------- */

/* What of it the options ask for. */
void cpu_dump_lifted(struct vcpu *vcpu, const struct lifted *lifted);
void cpu_dump_region(struct vcpu *vcpu, const struct lifted *lifted, unsigned dump);
void cpu_dump_text(const char *title, const char *text);
/* -d regalloc, emit: each op with the place of its value and its bytes; code
 * NULL: it has none. hot: the first hot byte. */
void cpu_dump_code(const struct lifted *lifted, const struct target_code *code, const struct code_mark *mark,
		   const uint8_t *hot, unsigned dump);

#endif

/* translate/: the code cache of an address space, and the loop around it.
 *
 *   cache.c     tables, lookup, flush and reclaiming
 *   segment.c   code memory: segments, which one serves which guest code, fork
 *   region.c    one region compiled and put into the tables
 *   loop.c      tier 2: a loop found, compiled in place of its head's region
 *   link.c      chaining, unlinking, invalidation
 *   points.c    from a host PC back to the guest: compact state maps
 *   keep.c      regions kept in stores from run to run
 *   run.c       the run loop
 *   shadow.c    shadow stacks
 *
 * A segment begins with its anchors, guest addresses that PCs in its code are
 * relative to: of each file that its code is of, where that is mapped. So what a
 * region's code says of its PC is the same wherever the file lies. Then comes hot
 * code, up to three eighths, cold in the rest, each growing upwards, so that
 * regions lie in the order of their making and a host PC is found by bisection.
 *
 * Numbers, not pointers, name regions and places, so tables can be reserved
 * once, are touched as they fill, and mean the same after fork. A region's
 * entry never changes place; a dead one stays until everything is reclaimed.
 *
 * Reclaiming. A flush counts the epoch up and makes everything dead, but code
 * memory and tables may be used anew only when no vCPU runs under the old
 * epoch (local->inside). A vCPU that enters under a new epoch first resets its
 * shadow stack and jump table, the only places that hold addresses of code
 * from run to run. Until all have done so, code is interpreted.
 *
 * Reading without the lock: lookups (translator.lookup, region[]), and what
 * the owner of a vCPU needs for a fault in a region that it is in.
 */
#ifndef CPU_TRANSLATE_TRANSLATE_H
#define CPU_TRANSLATE_TRANSLATE_H

#include "codegen/target.h"
#include "cpu/cpu_impl.h"
#include "host/codemem.h"

#define SEGMENT_SIZE (1u << 20)
#define SEGMENT_COLD (SEGMENT_SIZE / 8 * 3) /* where its cold code starts */
#define SEGMENT_ANCHORS 32u
#define SEGMENT_HEAD (SEGMENT_ANCHORS * 8u) /* before the hot code: the anchor slots */
#define SEGMENT_REGIONS (SEGMENT_SIZE / 32) /* at most */
#define REFUSED_BITS 65536u

enum region_state {
	REGION_NONE,
	REGION_LIVE,
	REGION_INTERPRET, /* the target has no code for it */
	REGION_DEAD,
};

struct region {
	uint64_t pc;                 /* guest address; of a system VM physical */
	uint64_t second;             /* struct lifted */
	uint32_t mode;
	uint32_t hot, cold;          /* offsets in code memory */
	uint32_t hot_size, cold_size;
	uint32_t points, points_end; /* offsets in translator.map */
	uint32_t notes_end;          /* from points_end: what keep.c needs; none: as that */
	uint32_t incoming;           /* first link that leads here; 0: none */
	uint32_t page_next[2];       /* in the lists of its one or two pages */
	struct store *store;         /* that is to keep it, or NULL */
	uint16_t bytes;              /* of guest code */
	uint8_t anchor;              /* its number in the segment */
	uint8_t state;               /* enum region_state */
	uint8_t tier;                /* 1 or 2 */
	uint16_t bails;              /* tier 2: instructions left to the interpreter.
	                                Counted without the lock */
};

/* An exit that jumps to a region. */
struct link {
	uint32_t exit; /* offset of its code_exit in code memory */
	uint32_t next; /* in the region's list */
};

struct segment {
	uint64_t anchor[SEGMENT_ANCHORS];
	uint32_t anchors;
	uint32_t hot, cold;           /* next free bytes, from the segment's start */
	uint32_t seal_hot, seal_cold; /* code below these is shared with the
	                                 other side of a fork */
	uint32_t regions;             /* in translator.order. Read without the lock */
	uint32_t wanted;              /* times a sealed exit was missed */
	uint32_t ready_hot, ready_cold; /* up to here the host was asked for memory */
	bool mapped, full;
	bool sealed;                  /* may not grow: the other side may */
};

/* Open addressing. A slot is 0 when free, else a region's number and, in the
 * high half, the hash of its key, so that few other regions are looked at. */
struct lookup {
	struct lookup *older; /* not yet reclaimed */
	uint32_t mask, used;
	uint64_t slot[];
};

struct translator {
	const struct target *target;
	const struct guest *guest;
	struct target_thunks thunks;
	struct code_memory memory;
	uint32_t epoch;   /* from 1 on. Read without the lock */
	bool draining;    /* flushed, not reclaimed */
	bool bulk;        /* a system VM: much will be translated */
	struct lookup *lookup;

	/* Reserved memory, touched as it fills. */
	uint8_t *tables;
	size_t tables_size;
	struct region *region; /* [1, region_count) */
	uint32_t region_count, region_max;
	uint32_t saved;        /* regions from here on are new to keep.c */
	uint32_t *reloc;       /* TRANSLATOR_RELOCS, for the region being made */
	struct link *link;     /* [1, link_count) */
	uint32_t link_count, link_max;
	uint8_t *map;          /* [1, map_used) */
	uint32_t map_used, map_max;
	uint32_t *order;       /* SEGMENT_REGIONS a segment: its regions by address */
	uint8_t *region_ready, *map_ready; /* as segment.ready_hot */
	struct segment *segment; /* [1, segment_max); 0 has the thunks */
	uint32_t segment_max, segment_next, segment_limit;
	/* System VM: target_job.places. */
	uint8_t places[CODE_PLACES];
	/* Process VM: by hash of a head's pc, loops that tier 2 has no code for. */
	uint64_t refused[REFUSED_BITS / 64];
};

static inline struct translator *
translator_of(const struct vcpu *vcpu)
{
	return vcpu->space->cache->translator;
}

static inline const void *
region_entry(const struct translator *t, const struct region *region)
{
	return t->memory.x + region->hot;
}

static inline uint8_t
region_state(const struct region *region)
{
	return __atomic_load_n(&region->state, __ATOMIC_ACQUIRE);
}

/* ---- cache.c ------------------------------------------------------------- */

/* The live region for pc under mode, NULL if there is none. No lock. */
struct region *lookup_find(const struct translator *t, uint64_t pc, uint32_t mode);
/* Under the lock. */
void lookup_insert(struct translator *t, uint32_t number);
/* Under the lock: makes memory of a flush usable again; self is outside. False
 * while some vCPU runs under an old epoch. */
bool cache_reclaim(struct cpu_space *space, const struct vcpu *self);

/* ---- segment.c ------------------------------------------------------------ */

enum { SEGMENT_NONE = 0 };
/* A segment that is not full and has the anchor; *number is which it is.
 * SEGMENT_NONE: the cache is full. */
uint32_t segment_for(struct translator *t, uint64_t anchor, uint8_t *number);
/* After code was put there: asks the host for what comes next in bulk, a fault for each
 * page costs more. */
void segment_ahead(struct translator *t, uint32_t index);
/* The same for a table that has come to next. */
void table_ahead(const struct translator *t, uint8_t **ready, const void *next);
/* Before code at an offset of code memory is changed. False: it cannot be, or
 * with eager false, it is not worth it yet. */
bool segment_unseal(struct translator *t, uint32_t offset, bool eager);
void segment_reset(struct translator *t);

#define HOT_ALIGN 16u
#define COLD_ALIGN 8u
#define TRANSLATOR_RELOCS 4096u

/* ---- region.c ------------------------------------------------------------- */

enum region_made { REGION_MADE, REGION_EVALUATED, REGION_STOPPED };
/* Translates the code at pc (the frame's, or where a system VM has it); the vCPU
 * is outside. Where that can not be now, evaluates it (in a system VM, leaves that
 * to the caller). REGION_STOPPED: *stop is set. */
enum region_made region_make(struct vcpu *vcpu, uint64_t pc, struct cpu_stop *stop);

/* Compiles what was lifted and puts it into the tables; of a loop, in place of what is
 * there. Under the lock. False: not now, not at all as it changed, or a loop that has
 * no code. store: that is to keep it, or NULL. */
bool region_compile(struct vcpu *vcpu, const struct lifted *lifted, uint64_t anchor, struct store *store);

/* With --stats the thread's processor time in ns, which translate_ns is measured by;
 * else 0. */
uint64_t region_clock(const struct vcpu *vcpu);

/* Under the lock, for the region numbered t->region_count, of which pc, second, mode
 * and bytes are set: its code is at these offsets; it is in the tables from the end
 * of the second call on. */
void region_place(struct translator *t, struct region *region, uint32_t hot, uint32_t hot_size, uint32_t cold,
		  uint32_t cold_size);
void region_enter(struct cpu_space *space, struct region *region, enum region_state state);
/* Under the lock: what is known of the access at delta takes one step on, and the region
 * gives way to one made so. often: its trial ended by misses. */
void region_wander(struct cpu_space *space, struct region *region, int32_t delta, bool often);

/* ---- loop.c --------------------------------------------------------------- */

/* The frame's pc is the head of a loop that runs often, by way of the jump at `last`:
 * makes tier 2's region for it. The vCPU is outside. False: it has no code. */
bool loop_make(struct vcpu *vcpu, uint64_t last);
/* The region of tier 2 left an instruction to the interpreter; one that does so often
 * is given up. */
void loop_bailed(struct vcpu *vcpu, uint32_t number);

/* ---- link.c --------------------------------------------------------------- */

/* Chains the exit at this offset to the region if both still live. */
void link_exit(struct vcpu *vcpu, uint32_t exit, struct region *to, uint32_t epoch);
/* Chains the exits of a region just made whose targets are there already.
 * Under the lock. */
void link_known(struct vcpu *vcpu, const struct region *region, const struct target_code *code);
/* Under the lock: this region is never entered again. */
void region_kill(struct cpu_space *space, uint32_t number);

/* ---- points.c ------------------------------------------------------------- */

/* Packs the points and moves of a compiled region into translator.map; false:
 * no room. Sets region->points and points_end. */
bool points_pack(struct translator *t, struct region *region, const struct target_code *code);
/* The same of exits and relocations, behind the points. */
bool notes_pack(struct translator *t, struct region *region, const struct target_code *code);
/* From such a string, into an array of `room`: how many there are, more than room if
 * it is no such string. First the exits, then the relocations (rotated by 2). */
struct notes {
	const uint8_t *at, *end;
};
uint32_t notes_list(struct notes *notes, uint32_t *list, uint32_t room, unsigned rotated);
/* Bounds of what a point's moves may be. */
#define POINT_MOVES IR_SLOT_MAX
/* The point of a host PC, by its offset from the region's hot start: the delta
 * of the guest instruction, and its moves (room for POINT_MOVES). */
bool points_find(const struct translator *t, const struct region *region, uint32_t host,
		 int32_t *pc, struct code_move *move, uint32_t *moves);
/* The region whose hot code holds the running address; NULL if none. */
struct region *region_at(const struct translator *t, uintptr_t x);

/* ---- keep.c --------------------------------------------------------------- */

/* The store for the code at pc and its anchor; NULL, and the anchor alone. Without
 * the lock. */
struct store *keep_store(struct vcpu *vcpu, uint64_t pc, uint64_t *anchor);
/* Makes the region at pc from what its store has; false: it has nothing that fits, or
 * not now. The vCPU is outside. */
bool keep_recall(struct vcpu *vcpu, struct store *store, uint64_t pc, uint64_t anchor);

/* ---- shadow.c ------------------------------------------------------------- */

int shadow_init(struct vcpu *vcpu, struct error *error);
void shadow_fini(struct vcpu *vcpu);
void shadow_reset(struct vcpu *vcpu);
/* True if the fault hit a guard: the context goes on with a fresh stack. */
bool shadow_fault(struct vcpu *vcpu, const struct host_fault *fault, void *ucontext);
/* True if the fault was a return to the void's pair; frame->pc is where the guest
 * wanted to go. */
bool shadow_void(struct vcpu *vcpu, const struct host_fault *fault, void *ucontext);

/* ---- run.c ----------------------------------------------------------------- */

/* Evaluates the region at the frame's pc once, or only its first instruction.
 * True: *stop is set. */
bool run_interpreted(struct vcpu *vcpu, bool single, struct cpu_stop *stop);
/* Publishes that the vCPU runs under the present epoch, which it returns;
 * makes shadow stack and jump table fit for it and for frame->mode. */
uint32_t safepoint_enter(struct vcpu *vcpu);
void safepoint_leave(struct vcpu *vcpu);
/* What the exit that the frame recorded asks for. True: *stop is set. */
struct run_next {
	uint32_t link;  /* exit to chain to the next region, an offset; 0: none */
	bool indirect;  /* the next region belongs into the jump table */
	bool apart;     /* the next region is one of CPU_MODE_APART */
	uint64_t hot;   /* where a loop that runs often jumps back from, its head is next;
	                   or 0 */
};
/* That exit is in the middle of an instruction's region: it has to go on with
 * the instruction at its target. */
bool exit_is_partial(struct vcpu *vcpu);
bool exit_decode(struct vcpu *vcpu, struct run_next *next, struct cpu_stop *stop);
/* The guest address that is the exit's target. */
uint64_t exit_target(const struct vcpu *vcpu, const struct code_exit *exit);

#endif

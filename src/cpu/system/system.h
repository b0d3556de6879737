/* system/: vCPUs of system VMs, private to cpu/.
 *
 *   run.c       the run loop: traps, system instructions, interrupts
 *   tlb.c       soft TLBs: views, filling, writes that must be told
 *   flush.c     what takes entries away again
 *   mmu.c       the evaluator's accesses and devices
 *   context.c   fetches: their translation, contexts, shadow stacks
 *   jumps.c     jump tables of contexts
 *   code.c      guest code read and watched by physical address
 *   mail.c      what vCPUs ask of each other, and the handshake
 *   vcpu.c      a vCPU's life
 *   thread.c    host threads that run vCPUs
 *
 * Code is known by physical address; frame->page is the guest address of the
 * page that the running region lies in.
 *
 * Views. A soft TLB is an array of entries, direct-mapped by page number, for one
 * data regime and, where most translations belong to one address space (user
 * level), for one of those: a view. frame->tlb points into the current one, so
 * neither a change of privilege nor, mostly, of address space flushes anything.
 * A view has a log of its entries, so emptying costs what was used. User-level
 * code keeps copies of entries by the place that used them last (frame->site), of
 * one view; they go when anything of that view goes.
 *
 * Contexts. A number for each way in which fetches are translated (regime, mode
 * key, address space unless all its code is global). The fetch TLB's entries carry
 * it, a shadow stack belongs to one, and so does a jump table. When a mapping that a
 * context's code relies on may have changed, the context takes a new number, its
 * jump table is emptied, and nothing else need be searched. Which mappings those are it remembers in sets
 * that may say yes wrongly.
 *
 * Writes. An entry allows writes only if its physical page had neither
 * MEMORY_PAGE_CODE nor MEMORY_PAGE_CLEAN when it was filled; the filler sets
 * MEMORY_PAGE_WRITABLE first and looks at these after. Whoever sets CODE (or
 * CLEAN) takes WRITABLE away after, and if it was set has all vCPUs drop their
 * write tags of the page before he goes on. So either he finds WRITABLE, or the
 * filler finds CODE.
 *
 * Handshake. `running` says that a vCPU may be using what it knows of memory.
 * Requests are put into its mail; the sender waits until they are served or the
 * vCPU is not running: it serves its mail before it does again. A vCPU is not
 * running while it waits for others, translates, or is in a device.
 */
#ifndef CPU_SYSTEM_SYSTEM_H
#define CPU_SYSTEM_SYSTEM_H

#include "cpu/cpu_impl.h"
#include "guest/system.h"

#define PRIVATE_VIEWS 8u
#define CONTEXTS 64u
#define JUMP_TABLES 16u
#define FETCH_SIZE 512u
#define MAIL_SIZE 16u

/* Region mode key bit of the engine: the code's mapping is at least SUPER_PAGE,
 * so within such a block distances of guest addresses are those of physical ones. */
#define MODE_SUPER CPU_MODE_SUPER
#define SUPER_PAGE CPU_SUPER_PAGE

/* ---- soft TLBs ------------------------------------------------------------ */

/* In the low bits of ir_tlb.physical. */
enum tlb_flags {
	TLB_GLOBAL = 1,
	TLB_ALLOWED = 1,   /* shift: enum guest_access, three bits */
	TLB_SPAN = 4,      /* shift: log2 of the mapping's size, six bits */
};

/* Indices of entries, each at most once. */
struct tlb_log {
	unsigned count;
	uint16_t index[IR_TLB_SIZE];
	uint64_t listed[IR_TLB_SIZE / 64];
};

/* Mappings larger than a page, by size (rounded up to a few): the range that they
 * lie in, and a hashed set. May say yes wrongly. */
#define SPAN_SIZES 5u
#define SPAN_BITS 1024u
struct span_set {
	unsigned sizes;
	struct {
		uint8_t log2;
		uint64_t least, most; /* addresses >> log2 */
		uint64_t bit[SPAN_BITS / 64];
	} size[SPAN_SIZES];
};

/* One of `bits`, a power of two up to 65536, for a number. */
static inline unsigned
set_hash(uint64_t number, unsigned bits)
{
	return (unsigned)(number * UINT64_C(0x9e3779b97f4a7c15) >> 48) & (bits - 1);
}

struct tlb_view {
	struct ir_tlb *entry; /* IR_TLB_SIZE */
	unsigned regime;
	uint32_t asid;    /* of entries that are not global */
	uint64_t used;    /* when it was last current */
	struct tlb_log own, global;
	struct span_set spans;
};

/* ---- fetches -------------------------------------------------------------- */

struct fetch_entry {
	uint64_t context; /* number; 0: empty */
	uint64_t page;    /* guest address */
	uint64_t physical;
	bool super;
	bool fine;        /* protection is finer than the page: asked for each
	                     instruction, and the entry is not found again */
};

#define CONTEXT_PAGES 4096u
struct context {
	uint64_t number;  /* 0: free */
	unsigned regime;
	uint32_t mode;
	uint32_t asid;    /* when own */
	bool own;         /* has code that is not global */
	bool filled;      /* the sets have something */
	uint64_t used;
	struct jump_table *jumps; /* NULL: none of late */
	uint64_t page[CONTEXT_PAGES / 64]; /* set of pages by number */
	struct span_set spans;
};

struct shadow_stack {
	uint8_t *memory;  /* local->shadow when current */
	void *top;        /* frame->shadow_stack when not current */
	uint64_t context; /* whose return addresses are in it */
};

/* ---- mail ----------------------------------------------------------------- */

struct mail {
	uint32_t lock;
	uint32_t pending;  /* there is something */
	uint32_t posted;   /* requests so far */
	uint32_t served;
	uint32_t word;     /* futex: counted up when something was served or
	                      running ended */
	uint32_t waiters;
	bool everything;   /* too many: forget all */
	bool writes;       /* all write tags */
	unsigned flushes, pages;
	struct cpu_flush flush[MAIL_SIZE];
	uint64_t page[MAIL_SIZE]; /* physical: write tags of it */
};

/* ---- a vCPU --------------------------------------------------------------- */

struct cpu_system {
	struct vcpu *vcpu;
	const struct guest_system *guest;
	struct memory *memory;
	struct ir_mmu mmu;
	struct guest_fault fault; /* of the access, fetch or trap that failed last */

	bool counts;     /* guest_env.counts */
	bool fine;       /* fetch_entry.fine of the last system_fetch */
	bool stale;      /* regime, context or shadow stack are to be looked at */
	unsigned regime; /* of data */
	uint32_t asid;
	uint64_t clock;  /* for `used` */
	struct tlb_view *view; /* current */
	struct tlb_view *sites; /* the view that frame->site is of */
	struct tlb_view *shared[GUEST_REGIMES];
	struct tlb_view *private[PRIVATE_VIEWS];

	/* The RAM region of late: [start, start + size). */
	uint64_t ram_start, ram_size;
	uint8_t *ram_host, *ram_flags;

	struct context *context; /* current */
	struct context contexts[CONTEXTS];
	struct jump_table *jumps[JUMP_TABLES]; /* read by others */
	uint64_t last_number;
	struct fetch_entry fetch[FETCH_SIZE];
	struct shadow_stack shadow[2];
	unsigned shadow_now;

	uint32_t running;
	struct mail mail;
};

/* Instructions that a region may have. */
static inline unsigned
region_insns(const struct vcpu *vcpu)
{
	enum { DEFAULT = 64 };

	return vcpu->options->max_insns ? vcpu->options->max_insns : DEFAULT;
}

static inline struct cpu_system *
system_of(const struct vcpu *vcpu)
{
	return vcpu->local->system;
}

/* ---- tlb.c ---------------------------------------------------------------- */

/* Makes the view of this regime and address space current. */
void tlb_select(struct cpu_system *s, unsigned regime, uint32_t asid);
/* For an access of size bytes in one page: *host is where they are, or NULL for
 * what is no memory that can be so accessed, and *physical their address. False:
 * s->fault. */
bool tlb_access(struct cpu_system *s, uint64_t address, unsigned size, enum guest_access access,
		uint8_t **host, uint64_t *physical);
/* frame->fill. */
bool tlb_fill(struct ir_frame *frame);
/* Host address and page flags of a physical page; NULL if it is no RAM. */
uint8_t *tlb_ram(struct cpu_system *s, uint64_t page, uint8_t **flags);
void tlb_drop_writes(struct cpu_system *s, uint64_t physical); /* of a page */
void tlb_drop_all_writes(struct cpu_system *s);
void tlb_fini(struct cpu_system *s);
/* User-level code goes on with the current view: frame->site is of that. */
void sites_select(struct cpu_system *s);
/* Entries of a view went, or changed: so does what frame->site has of them. */
void sites_forget(struct cpu_system *s, const struct tlb_view *view);

/* ---- flush.c -------------------------------------------------------------- */

/* log2 of a mapping's size, rounded up to one of SPAN_SIZES. */
unsigned span_log2(uint64_t size);
void span_add(struct span_set *set, uint64_t address, unsigned log2);
void view_empty(struct tlb_view *view, bool global);
/* Entries and contexts that the flush names go. */
void system_flush(struct cpu_system *s, const struct cpu_flush *flush);
/* What is known of memory goes, all of it. */
void system_forget(struct cpu_system *s);

/* ---- mmu.c ---------------------------------------------------------------- */

void mmu_init(struct cpu_system *s);

/* ---- context.c ------------------------------------------------------------ */

/* Brings frame->tlb, context, shadow stack and mode up to date. Outside of
 * generated code. */
void system_sync(struct cpu_system *s);
void context_renew(struct cpu_system *s, struct context *context);
/* The code at frame->pc: frame->page and mode are set, *physical is its address.
 * False: s->fault. */
bool system_fetch(struct cpu_system *s, uint64_t *physical);
/* The physical page behind frame->page. */
bool system_fetch_next(struct cpu_system *s, uint64_t *physical);

/* ---- jumps.c -------------------------------------------------------------- */

struct region;
/* frame->far becomes the current context's table. */
void jumps_select(struct cpu_system *s);
/* The region is at frame->pc in the current context. */
void jumps_fill(struct cpu_system *s, const struct region *region);
void jumps_clear(const struct context *context);
void jumps_fini(struct cpu_system *s);

/* ---- mail.c --------------------------------------------------------------- */

void system_enter(struct cpu_system *s);
void system_leave(struct cpu_system *s);
static inline bool
mail_pending(const struct cpu_system *s)
{
	return __atomic_load_n(&s->mail.pending, __ATOMIC_SEQ_CST);
}
void mail_serve(struct cpu_system *s);
/* Has all other vCPUs drop their write tags for the physical page, and drops
 * those of s; s is not running. */
void mail_drop_writes(struct cpu_system *s, uint64_t page);

#endif

/* codegen/: IR to host code. Everyone above sees a code generator only as
 * struct target.
 *
 * Code goes to a segment of the code cache in two streams, hot (the region's
 * straight path) and cold (exit stubs, rare paths, exit records). Memory has
 * two addresses: where it is written (w) and where it runs (x). Nothing in it
 * is an absolute address: distances within the cache are relative, guest PCs
 * come from the segment's anchor slot plus a delta, helpers and the common
 * exits from the frame.
 */
#ifndef CODEGEN_TARGET_H
#define CODEGEN_TARGET_H

#include "ir/frame.h"

/* One stream of a segment. */
struct code_stream {
	uint8_t *w;    /* next byte, at its writable address */
	uint8_t *end;  /* end of room, writable address */
};

/* An exit of a region, in the cold stream beside its stub, aligned to 8; the
 * frame's exit_record points to the running (x) address of one. */
struct code_exit {
	uint32_t region;      /* number the cache gave the region */
	int32_t patch;        /* from this record to the rel32 field that leads
	                         here, for chaining; 0: none */
	int32_t stub;         /* from this record to its stub's first byte */
	int32_t target;       /* delta of the next PC from the region's pc */
	int32_t link;         /* TRAP: delta of the PC after; CALL: of the return */
	uint8_t kind;         /* enum ir_exit_kind, or one of enum code_exit_kind */
	uint8_t trap;         /* enum ir_trap */
	uint16_t retired;
	uint32_t value;       /* CHECK: its value */
	uint32_t misses;      /* the cache's: times taken unlinked */
};
enum code_exit_kind {
	CODE_EXIT_POLL = 16,      /* a safepoint; goes on at target */
	CODE_EXIT_CHECK = 17,     /* trap before the instruction at target */
	CODE_EXIT_INTERPRET = 18, /* the instruction at target met a rare case:
	                             evaluate this one instruction, go on */
	CODE_EXIT_HOT = 19,       /* a jump back, taken often: target may be worth
	                             tier 2; link: delta of the instruction that jumps.
	                             May be chained, then it does not count */
	CODE_EXIT_APART = 20,     /* a shared probe of the soft TLB met the end of a page:
	                             goes on at target in a region that shares none. May
	                             be chained to that */
	CODE_EXIT_WANDER = 21,    /* the entry of frame->site that value names was counted as
	                             far as enum code_site says; link: one, the misses of
	                             CODE_SITE_TRIED. Goes on at target */
};

/* From a place in host code back to the guest: one per op that may fault.
 * Sorted by host; the point of a host PC is the first whose host is above it.
 * Only hot code faults. */
struct code_point {
	uint32_t host;  /* end of the host instruction(s), offset from the
	                   region's first hot byte */
	int32_t pc;     /* delta of the guest instruction's address */
	uint32_t map;   /* first index into the slot moves that apply: those of
	                   this point run to the next point's map */
};

/* A slot that is not where the boundary convention has it. */
struct code_move {
	uint16_t slot;
	uint8_t where;  /* enum code_where */
	uint8_t fixup;  /* enum ir_fixup */
	uint64_t value; /* register number, frame offset, constant; of a sum
	                   base part | index part << 8 | shift << 16 | number << 32.
	                   Of a float with a fix-up also the bytes, 4 or 8, that may
	                   be a NaN to be made canonical, << CODE_RAW_SHIFT */
};
enum { CODE_RAW_SHIFT = 56 };
/* A part of a sum: a register, or from these on a word of frame->scratch, a slot's
 * place in the frame, nothing. */
enum code_sum { CODE_SUM_SCRATCH = 16, CODE_SUM_SLOT = 48, CODE_SUM_NONE = 255 };
/* Where the host code of an IR op begins and where its value is after it: for
 * those who look (explain, -d regalloc and emit). */
struct code_mark {
	ir_ref ref;
	uint32_t hot; /* offset from the region's first hot byte */
	char where[8]; /* a host register, "frame", or empty: nowhere yet */
};

enum code_where { CODE_HOME, CODE_GPR, CODE_FPR, CODE_FRAME, CODE_CONST, CODE_SUM };

/* A 32-bit distance in a region's code that is another one elsewhere: its offset
 * in its stream, and which it is. It leads to the region's other stream, or to
 * the anchor slot. All that does not stand in this list may be copied as it is. */
#define CODE_RELOC_COLD (1u << 31)   /* it is in the cold stream, else in the hot */
#define CODE_RELOC_ANCHOR (1u << 30)
#define CODE_RELOC_OFFSET (CODE_RELOC_ANCHOR - 1)

/* What is known of how often an access misses its entry of frame->site. */
enum code_site {
	CODE_SITE_NEW,    /* until 4096 misses */
	CODE_SITE_TRIED,  /* until CODE_TRIES accesses or CODE_TRIED_MISSES misses more */
	CODE_SITE_GOOD,   /* the accesses came first: nothing need be counted */
	CODE_SITE_WANDER, /* the misses did: it is better off without */
};
#define CODE_NEW_MISSES 4096u
#define CODE_TRIES 4096u
#define CODE_TRIED_MISSES 256u
/* Indices of target_job.places, and that of the instruction at pc (region->pc plus
 * delta). */
#define CODE_PLACES 65536u
static inline uint32_t
code_place(uint64_t pc)
{
	return (uint32_t)((pc >> 1) * UINT64_C(0x9e3779b97f4a7c15) >> 32) % CODE_PLACES;
}

/* How a region lies. */
struct code_place {
	int64_t apart;    /* first cold byte minus first hot byte */
	int64_t anchored; /* first hot byte minus the anchor slot */
};

struct target_job {
	const struct ir_region *region;
	uint32_t number;            /* the region's number, for its exit records */
	int64_t anchor;             /* region->pc - value in the anchor slot */
	const uint8_t *anchor_slot; /* writable address of the segment's anchor slot */
	struct code_stream *hot, *cold;
	struct arena *arena;        /* temporary memory; points and moves lie there */
	bool guest_base_zero;
	bool loop;                  /* the region is of several blocks, as opt/ makes it:
	                               tier 2 */
	bool heat;                  /* jumps back count in frame->heat and leave by
	                               CODE_EXIT_HOT when it comes below 0 */
	bool system;                /* a system VM's: region->pc is physical, code lies
	                               in frame->page, memory behind the soft TLB */
	bool sites;                 /* and the code is user-level: frame->site serves */
	bool apart;                 /* and accesses do not share a TLB probe */
	const uint8_t *places;      /* enum code_site by code_place; NULL: all are new */
	bool super;                 /* and what is within 2 MiB of natural alignment
	                               is as far off as in physical memory */
	unsigned baseline;          /* 2: x86-64-v2 features only, 3: v3; 0: all */
	bool force_faults;          /* plant a trap (SIGILL) before every access */
	struct code_mark *mark;     /* room for ins_count marks, or NULL */
	uint32_t *reloc;            /* room for reloc_room relocations, or NULL */
	uint32_t reloc_room;
};

struct target_code {
	uint32_t entry; /* padding before the region's first hot byte */
	uint32_t hot_size, cold_size; /* from there on */
	const struct code_point *point;
	uint32_t point_count;
	const struct code_move *move;
	uint32_t move_count;
	uint32_t mark_count;
	const uint32_t *exit; /* exit records: offsets from the region's first
	                         cold byte */
	uint32_t exit_count;
	uint32_t reloc_count; /* in the job's reloc */
	bool movable;         /* these are all; false: not asked for, or no room */
};

enum target_result {
	TARGET_OK,
	TARGET_NO_ROOM,     /* streams too small: take a fresh segment */
	TARGET_UNSUPPORTED, /* an op this target has no code for: interpret */
};

/* Code that every region shares, at running addresses. */
struct target_thunks {
	/* Runs generated code at entry on the frame's shadow stack until an
	 * exit; frame->exit_record tells which. Loads the boundary registers
	 * from the frame and stores them back. Clobbers host FP state but for
	 * what host_fp keeps. */
	void (*enter)(struct ir_frame *frame, const void *entry);
	void *leave;  /* for frame->leave */
	void *helper; /* for frame->helper_thunk */
	void *miss;   /* for frame->miss_thunk */
	void *rare;   /* for frame->rare_thunk */
};

struct target {
	const char *name;
	const char *objdump; /* options with which objdump reads its code */
	/* The register that a slot lives in at region boundaries, or NULL. */
	const char *(*home)(const struct ir_slot *slot);
	/* A hash of the host features it generates for. */
	uint64_t (*features)(void);
	enum target_result (*compile)(const struct target_job *job, struct target_code *code);

	/* Emits the thunks that lead into and out of generated code; once a
	 * space, into its first segment. w_to_x: running address minus writable
	 * address. False: no room. */
	bool (*thunks)(const struct ir_slots *slots, struct code_stream *hot, ptrdiff_t w_to_x,
		       struct target_thunks *thunks);
	/* Prepares a zeroed frame: common exits, empty jump table, host FP control,
	 * constants. Leaves helper[], shadow_stack and guest_base to the caller. */
	void (*frame_init)(struct ir_frame *frame, const struct target_thunks *thunks);
	/* Folds the host's sticky flags into fp_flags; host_fp follows fp_round. */
	void (*fp_sync)(struct ir_frame *frame);

	/* Redirects the branch of an exit to a region's entry (x addresses
	 * differ by w_to_x), or back to its own stub. One atomic store. */
	void (*link)(struct code_exit *exit_w, ptrdiff_t w_to_x, const void *entry_x);
	void (*unlink)(struct code_exit *exit_w);

	/* Takes away the trap that force_faults planted at this (writable)
	 * address: the host PC of its signal. */
	void (*force_done)(uint8_t *w);

	/* A synchronous host signal hit generated code at ucontext's PC, which
	 * the cache found to be `point` of a region with the moves given.
	 * Rewrites the context so that on return from the signal it leaves
	 * through the common exit as if `record` had been taken, with exact
	 * guest state. False: the PC is not one the target can leave from. */
	bool (*fault_exit)(void *ucontext, struct ir_frame *frame, const struct ir_slots *slots,
			   const struct code_move *move, uint32_t moves, void *record);
};

/* The region's code was made for one place and is copied to hot and cold at
 * another, aligned alike (hot to 16 bytes, cold as it was within 16) and as far
 * from its PC's anchor: makes it right there. No exit of it is chained. The
 * relocations and exits must lie within the region. */
struct code_parts {
	uint8_t *hot, *cold; /* writable addresses */
	uint32_t cold_size;
	const uint32_t *reloc, *exit;
	uint32_t reloc_count, exit_count;
};
void code_move_to(const struct code_parts *parts, const struct code_place *from, const struct code_place *to);

extern const struct target target_x86_64;

/* The code generator for the host that this runs on, NULL if there is none:
 * target.c. */
const struct target *target_host(void);

#endif

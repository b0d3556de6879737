/* What generated code and the evaluator see of a vCPU: one flat struct that
 * the host's frame register points into. Guest slots are offsets into
 * `guest`; everything after it is the engine's. One thread at a time owns a
 * frame; only `poll` is written by others.
 */
#ifndef IR_FRAME_H
#define IR_FRAME_H

#include "ir/ir.h"

struct recovery;

#define IR_GUEST_STATE_SIZE 4096
/* Generated code addresses the frame from its start plus this, so that the
 * first 256 bytes (integer registers) take short displacements. */
#define IR_FRAME_BIAS 128

#define IR_JUMP_TABLE_SIZE 16384 /* entries; a power of two */

struct ir_jump {
	uint64_t pc;    /* guest address, or IR_JUMP_EMPTY */
	void *host;     /* entry of its region */
};
/* Odd and not canonical: no address that code can lie at. A zeroed entry is as
 * empty, but for the first: address 0 is looked up nowhere else. So pages of
 * the table that were never filled need not be written. */
#define IR_JUMP_EMPTY 0x8000000000000001u

/* In a system VM, where a guest address means code only in a context, frame->far is
 * the current one's table. */
#define IR_FAR_TABLE_SIZE 8192

#define IR_SCRATCH 32
#define IR_HEAT_SIZE 256u

/* One entry of a soft TLB, which system VMs have in place of guest_base. A tag is the
 * guest address of the page, or IR_TLB_NONE. An access to [a, b) hits the entry
 * at index (a / page) when its tag equals the page of b - 1; so an access that
 * crosses pages never hits. */
struct ir_tlb {
	uint64_t read, write; /* tags; write: both may be done */
	uint64_t addend;      /* host address minus guest address */
	uint64_t physical;    /* guest-physical address of the page */
};
#define IR_TLB_SIZE 4096u /* entries of each; a power of two */
#define IR_TLB_PAGE 4096u
#define IR_TLB_NONE 1u

/* What one place in user-level code found in the soft TLB last: an access of
 * bytes [a, b) hits when a - page < limit (unsigned); 0: empty. Places share
 * entries by hash, but only those that ask for the same: places that read and
 * places that write have sets of their own, by the most bytes that the set's
 * accesses may span, which limit takes into account. */
struct ir_site {
	uint64_t page;        /* guest address */
	uint64_t limit;
	uint64_t addend;      /* host address minus guest address */
	uint32_t misses;      /* the target's: counted up to overflow */
	uint32_t tries;       /* accesses, the same */
};
#define IR_SITE_SPANS 8u    /* sets for spans of up to 1, 2, 4, … 64 and 256 bytes */
#define IR_SITE_SET 512u    /* entries of a set */
#define IR_SITES (2 * IR_SITE_SPANS * IR_SITE_SET)
#define IR_SITE_GROUP 16u   /* entries for each byte of site_used */

struct ir_frame {
	_Alignas(64) uint8_t guest[IR_GUEST_STATE_SIZE];

	/* ---- valid outside regions ---- */
	uint64_t pc;   /* guest PC */
	uint32_t mode; /* mode key of the code at pc */

	/* ---- safepoints: any thread or signal handler may set it ---- */
	uint32_t poll;

	/* ---- floating point. Accrued flags are fp_flags or-ed with those
	 * the host still holds (target->fp_sync folds them in). ---- */
	uint32_t fp_flags; /* RISC-V fflags layout */
	uint32_t fp_round; /* enum ir_round; 5 and up: invalid */
	uint32_t host_fp;  /* host's control and sticky bits (MXCSR) */

	/* ---- flags that generated code has not worked out yet (codegen/<host>):
	 * while flags_op is not zero it says how to, from the words below; the
	 * byte in the flags slot is stale. Zero outside generated code. ---- */
	uint32_t flags_op;
	uint64_t flags_a, flags_b, flags_r, flags_m;

	/* ---- linked load / conditional store ---- */
	uint32_t pad;
	uint64_t link_address; /* guest address or IR_LINK_NONE */
	uint64_t link_value, link_high; /* high: of 128 bits */

	/* ---- memory ---- */
	uint64_t guest_base; /* host address of guest address 0 */
	/* While a helper touches guest memory of a process VM: where it goes on after a
	 * host fault (host/recover.h), of which the vCPU keeps the particulars. Else NULL. */
	const struct recovery *guard;

	/* ---- system VMs: cpu/system/ keeps these up to date ---- */
	struct ir_tlb *tlb;     /* soft TLB of the current data regime */
	uint64_t page;          /* a guest address in the page that the running region
	                           lies in: what PCs are relative to (ir_frame_page) */
	struct ir_jump *far;    /* jump table of the way in which fetches are translated
	                           now: regime, address space, mode key */
	struct guest_env *env;  /* guest/system.h; NULL in a process VM */
	uint64_t miss_address;  /* of an access that missed the soft TLB, */
	uint32_t miss_access;   /* enum ir_access | bytes << 8 */

	/* ---- leaving generated code (codegen/<host>) ---- */
	void *host_stack;    /* C stack while generated code runs */
	void *shadow_stack;  /* its stack pointer while C runs */
	void *leave;         /* common exit */
	void *helper_thunk;  /* switches stacks around a helper */
	void *miss_thunk;    /* the same around `fill`, and keeps every register */
	void *rare_thunk;    /* the same around ir_eval_op, which `rare` tells what to do */
	struct {
		uint32_t what, types, c;
	} rare;
	/* Tries to make the access that missed hit; false: it cannot, the
	 * instruction is for the evaluator. */
	bool (*fill)(struct ir_frame *frame);
	void *exit_record;   /* which exit was taken; struct code_exit */
	uint64_t scratch[IR_SCRATCH]; /* spills; nothing lives here across regions */
	uint64_t kept[16];   /* registers, of miss_thunk and rare_thunk */
	uint64_t operand[6]; /* ir_eval_op's: operands, two words each, and the result */

	_Alignas(16) uint64_t constant[36]; /* the target's own */

	ir_helper_fn helper[IR_HELPER_MAX];
	struct ir_jump jump[IR_JUMP_TABLE_SIZE]; /* process VMs */

	/* System VMs, of the view that user-level code runs with. */
	uint8_t site_used[IR_SITES / IR_SITE_GROUP]; /* not zero: one of the group may be
	                                                filled */
	struct ir_site site[IR_SITES];

	/* Tier 2: how many more times jumps back may be taken before their target is
	 * looked at, by target. */
	int32_t heat[IR_HEAT_SIZE];
};
#define IR_LINK_NONE 1u

/* Start of the page that the running region lies in. */
static inline uint64_t
ir_frame_page(const struct ir_frame *frame)
{
	return frame->page & ~(uint64_t)(IR_TLB_PAGE - 1);
}

#endif

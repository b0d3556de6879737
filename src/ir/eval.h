/* The evaluator: runs a region's IR directly. Portable C, integers only; the
 * oracle for passes and code generators, and the way to run where there is no
 * code generator.
 *
 * It acts on the frame as translated code does: SETs as they come, memory
 * through frame->guest_base. A guest access that faults raises a host signal;
 * whoever handles it leaves through a recovery point of its own (cpu/interp)
 * with the frame exact for the guest instruction at `at`.
 */
#ifndef IR_EVAL_H
#define IR_EVAL_H

#include "ir/frame.h"

/* Undo log for lockstep: what guest memory held before each store. */
struct ir_undo {
	uint64_t address; /* guest address */
	uint8_t size;     /* 1 to 32 bytes */
	uint8_t old[32];
};

/* Guest memory for tests without a process: accesses outside
 * [base, base + size) are faults reported as traps. */
struct ir_window {
	uint64_t base;
	uint64_t size;
	uint8_t *bytes;
};

/* Guest memory behind address translation: system VMs. Each function returns
 * false after a guest fault, of which it keeps the particulars; the evaluation
 * then ends with READ_FAULT or WRITE_FAULT before the instruction. The region's
 * base address is then ir_frame_page plus the offset in page of its pc. */
struct ir_mmu {
	/* XLATE: whether [address + lo, address + hi) may be accessed, as a whole;
	 * address a multiple of 1 << align. Changes nothing that the guest sees
	 * but accessed and dirty bits of page tables. */
	bool (*check)(struct ir_mmu *mmu, uint64_t address, int64_t lo, int64_t hi, unsigned align,
		      enum ir_access access);
	/* size bytes, all in one page. *host: where they are when they are memory;
	 * NULL: a device's. Valid until the next call. */
	bool (*find)(struct ir_mmu *mmu, uint64_t address, unsigned size, enum ir_access access, uint8_t **host);
	/* A device's; a size or alignment that it does not take is a fault. */
	bool (*load)(struct ir_mmu *mmu, uint64_t address, unsigned size, uint64_t *value);
	bool (*store)(struct ir_mmu *mmu, uint64_t address, unsigned size, uint64_t value);
	/* The fault of an atomic access to what is no memory. */
	void (*refuse)(struct ir_mmu *mmu, uint64_t address, enum ir_access access);
};

struct ir_eval {
	struct ir_frame *frame;
	struct ir_mmu *mmu; /* NULL: no translation. With it the undo
	                       log has host addresses */
	bool device;        /* a device was accessed */
	const struct ir_window *window; /* NULL: straight through guest_base */
	struct vec *undo;               /* of struct ir_undo; NULL: no log */
	uint64_t *value;                /* room for 4 words a ref; NULL: from arena */
	struct arena *arena;

	/* Progress, valid while it runs and after. */
	volatile int32_t at;       /* delta of the current guest instruction */
	volatile uint32_t retired; /* guest instructions completed: the ATs
	                              met but for the current one; at an exit,
	                              as struct ir_exit's (counted, so right
	                              for loops too) */

	/* Result. */
	enum ir_exit_kind kind;
	enum ir_trap trap;   /* IR_TRAP_NONE unless kind is TRAP */
	uint64_t trap_value; /* CHECK's value, or a window fault's address */
	bool before;         /* the trap belongs before its instruction: pc is
	                        the instruction's own (faults, CHECK) */
	uint64_t link;       /* CALL, ICALL: guest return address; TRAP: next PC
	                        (of a fault or CHECK too) */
};

/* Evaluates the region once from its entry; leaves frame->pc at the next guest
 * PC (for an exit trap: the address of the instruction). The frame's FP state
 * must be whole (target->fp_sync). Returns false on an op it does not know or
 * a helper that is not there (a bug), after an error line. */
bool ir_eval(struct ir_eval *eval, const struct ir_region *region);

/* A helper (ir_helper_fn) that does one op whose effects are none, or IR_E_FP. what:
 * op | result type << 8 | aux << 16; types: those of the operands, a byte each from
 * the lowest; c: the op's c where that is a number. The operands are in frame->operand,
 * two words each, with anything above their types; the result takes the first two.
 * Returns 0. */
uint64_t ir_eval_op(struct ir_frame *frame, uint64_t what, uint64_t types, uint64_t c);

#endif

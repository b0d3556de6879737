/* Tier 2 for x86-64, private to the folder: regions of several blocks in SSA form
 * (opt/opt.h says in which), with registers for values, not for slots.
 *
 *   loop.c          the driver: blocks, branches, exits, safepoints
 *   loop_plan.c     which values there are, which are made where they are used
 *   loop_live.c     where each is alive
 *   loop_alloc.c    a place for each
 *   loop_move.c     moves at once; what the state maps ask for
 *   loop_int.c, loop_fp.c, loop_mem.c     ops
 *
 * Rule 1. A value has one place from where it is made to its last use: a register,
 * a word of frame->scratch, or, if it is what a slot held at entry, that slot's own
 * place in the frame. Constants have none.
 * Rule 2. rax, rdx, xmm14 and xmm15 hold nothing from op to op. Each op has them to
 * itself; all other registers but rbp and rsp hold values, those of the boundary
 * too.
 * Rule 3. Where the region may be left, its op's state map and the entry values of
 * boundary slots that the map does not name count as used: they have places. An
 * exit moves them to where the boundary convention wants them; a fault's point
 * says where they are.
 * Rule 4. As rule 3 of gen.h: a float may be a NaN that is not canonical yet (raw).
 * It is mended in its register where it escapes, and in an exit's moves.
 *
 * Requires AVX2, BMI2, FMA and LZCNT, guest memory at its own addresses, and a
 * process VM.
 */
#ifndef CODEGEN_X86_64_LOOP_H
#define CODEGEN_X86_64_LOOP_H

#include "codegen/x86_64/gen.h"
#include "ir/cfg.h"

/* How a value is had. */
enum late {
	LATE_DEAD,  /* nobody wants it */
	LATE_PLACE, /* from its place */
	LATE_CONST,
	LATE_SAME,  /* as its operand: TRUNC, COPY, XLATE */
	LATE_SUM,   /* added up in an address: ADD, SHL */
	LATE_TEST,  /* compared where it decides: ICMP */
	LATE_BOX,   /* boxed where it leaves: BOX */
};

/* Where something is. */
struct place {
	uint8_t kind; /* enum place_kind */
	uint8_t n;    /* register, word, slot */
};
enum place_kind { PLACE_NONE, PLACE_GPR, PLACE_FPR, PLACE_SCRATCH, PLACE_SLOT };

static inline bool
place_same(struct place x, struct place y)
{
	return x.kind == y.kind && x.n == y.n;
}

struct lval {
	uint8_t late;  /* enum late */
	uint8_t raw;   /* rule 4: 0, or 4 or 8 bytes */
	bool single;    /* a container of a boxed single; but what is above that in
	                   its place is anything: boxed where it leaves */
	struct place place;
	uint32_t row;  /* in the bits of where it is alive, from 1 on; 0: no place */
	uint64_t weight; /* uses by how often they run */
};

/* A forward jump to a block. */
struct loop_jump {
	uint8_t *field;
	uint32_t block;
};

struct loop {
	struct gen g; /* its assemblers, job and records; nothing of its registers */
	const struct ir_region *region;
	const struct ir_ins *ins;
	struct ir_cfg cfg;
	struct arena *arena;
	struct lval *val;
	uint32_t *block_of;   /* of each op */
	uint32_t *map_first;  /* of each op: index of its first entry in region->map */
	ir_ref entry[IR_SLOT_MAX]; /* GET of each slot, or 0 */
	/* The loop is entered only if the slot holds no NaN of so many bytes (4, 8 or
	 * both, or-ed), if it holds a box. */
	uint8_t no_nan[IR_SLOT_MAX];
	bool boxed[IR_SLOT_MAX];
	/* loop_live.c: for each row, a bit an op: alive before it */
	uint64_t *live;
	uint32_t rows, words;
	ir_ref *row_value;
	/* loop.c */
	uint8_t **label;
	struct loop_jump *jump;
	uint32_t jumps;
	uint32_t next;        /* the block that is laid out after this one */
	int32_t *at;          /* of each block: delta of the last instruction in it, or
	                         on the one way there */
};

#define LOOP_TEMP_GPRS ((1u << RAX) | (1u << RDX))
#define LOOP_GPRS (0xffffu & ~(LOOP_TEMP_GPRS | 1u << RSP | 1u << RBP))
#define LOOP_FPRS 0x3fffu

/* Calls use for each value with a place that value ref is had from. */
typedef void (*loop_leaf)(struct loop *l, ir_ref value, void *arg);
void loop_leaves(struct loop *l, ir_ref ref, loop_leaf leaf, void *arg);
/* The same for all that op ref wants, its state included (rule 3). */
void loop_uses(struct loop *l, ir_ref ref, loop_leaf leaf, void *arg);
/* The op may leave the region: its map counts. */
bool loop_may_leave(const struct loop *l, ir_ref ref);
/* The entries of the op's map: [*first, result). */
static inline uint32_t
loop_map(const struct loop *l, ir_ref ref, uint32_t *first)
{
	*first = l->map_first[ref];
	return l->map_first[ref + 1];
}

/* False: there is an op in the region that has no code here. */
bool loop_plan(struct loop *l);
void loop_live(struct loop *l);
/* False: there are more values than places. */
bool loop_alloc(struct loop *l);

static inline uint64_t *
loop_row(const struct loop *l, ir_ref value)
{
	return l->live + (size_t)l->val[value].row * l->words;
}

/* ---- loop_move.c ---------------------------------------------------------- */

/* One of several moves that happen at once. */
struct loop_move {
	struct place to;
	struct place from; /* if value is 0 */
	ir_ref value;      /* what is moved, from wherever it is had */
	uint8_t mend;      /* afterwards: canonicalize 4 or 8 bytes */
	bool box;          /* and box */
};
enum { LOOP_MOVES = IR_SLOT_MAX };

/* False: the moves cannot be done with the temporaries there are. */
bool loop_moves(struct loop *l, struct x86_asm *a, const struct loop_move *move, unsigned count);
/* From the boundary to the places of what the slots hold at entry. */
bool loop_enter(struct loop *l);
/* The moves that a GOTO makes; their number (those that move nothing left out). */
unsigned loop_edge(const struct loop *l, ir_ref end, struct loop_move *move);
/* The state that op ref's map tells goes to the boundary. */
bool loop_restore(struct loop *l, struct x86_asm *a, ir_ref ref);
/* The instruction just emitted for op ref may fault. */
void loop_mark_fault(struct loop *l, ir_ref ref);

/* ---- operands -------------------------------------------------------------- */

static inline struct x86_mem
place_operand(const struct loop *l, struct place p)
{
	return p.kind == PLACE_SLOT ? slot_mem(&l->g, p.n) : scratch_mem(p.n);
}

/* The value that ref is another name of. */
static inline ir_ref
loop_same(const struct loop *l, ir_ref ref)
{
	while (l->val[ref].late == LATE_SAME)
		ref = l->ins[ref].a;
	return ref;
}

static inline bool
loop_is_const(const struct loop *l, ir_ref ref)
{
	return l->val[loop_same(l, ref)].late == LATE_CONST;
}

/* A register with the value: its own, or temp after the value was brought there. */
int loop_in(struct loop *l, ir_ref ref, int temp);
int loop_in_fp(struct loop *l, ir_ref ref, int temp);
/* True and the operand if the value is in memory. */
bool loop_in_mem(const struct loop *l, ir_ref ref, struct x86_mem *m);
bool loop_imm32(const struct loop *l, ir_ref ref, int size, int32_t *imm);
/* The register to make op ref's result in, temp if it has none of its own; what was
 * made there goes to its place. */
int loop_out(const struct loop *l, ir_ref ref, int temp);
void loop_made(struct loop *l, ir_ref ref, int reg);
/* The value added up, as an address; may take both integer temporaries. */
struct x86_mem loop_address(struct loop *l, ir_ref ref, int32_t disp);
/* The sum that ref is: registers or places of up to two values, a shift, a number. */
struct loop_sum {
	ir_ref base, index; /* 0: none */
	unsigned shift;
	int32_t disp;
};
struct loop_sum loop_sum_of(const struct loop *l, ir_ref ref);

/* Compares for a condition; the host's condition that is true when it is not
 * zero. */
enum x86_cc loop_condition(struct loop *l, ir_ref ref);
/* On cc, leaves op ref's instruction to the interpreter. */
void loop_bail(struct loop *l, enum x86_cc cc, ir_ref ref);

/* ---- ops: false: it has no code -------------------------------------------- */

bool loop_int(struct loop *l, ir_ref ref);
bool loop_fp(struct loop *l, ir_ref ref);
bool loop_memory(struct loop *l, ir_ref ref);
/* Whether they have code for it. */
bool loop_knows(const struct loop *l, ir_ref ref);
bool loop_fp_knows(const struct loop *l, ir_ref ref);
/* The raw value in the register becomes canonical. */
void loop_mend(struct loop *l, ir_ref ref, int reg);

enum target_result loop_compile(const struct target_job *job, struct target_code *code);

#endif

/* Tier 1 for x86-64, private to the folder: one pass over an extended basic
 * block, after one backward pass for uses.
 *
 *   compile.c   the driver: backward pass, forward pass, struct target
 *   regs.c      where values are: homes, temporaries, constants, spills
 *   int*.c      integer ops          fp.c       floating point
 *   flags.c     NZCV, EFLAGS; flags_use.c: conditions; flags_slot.c: the slot;
 *               flags_frame.c: in C
 *   fp_arm.c    floating point with Arm's NaNs and tininess; half.c: half precision;
 *               fp_rare.c
 *   evaluate.c  what has no code
 *   crypto.c    AES, SHA-1, SHA-256
 *   vector*.c   lanes: arithmetic, moves, changes of width, floating point
 *   memory.c    loads, stores, atomics, fences; atomic_wide.c: of 16 bytes
 *   soft_tlb.c  where guest memory is, in a system VM
 *   exit.c      ends of blocks, side exits, exit records
 *   far.c       the same to other pages of a system VM
 *   thunks.c    into and out of generated code, helpers, patching, faults
 *
 * Registers. rbp is the frame plus IR_FRAME_BIAS, rsp the shadow stack. The
 * ten boundary registers hold the guest slots whose `boundary` says so, at
 * region entries and exits and in between: they are those slots' homes. The
 * other slots' homes are in the frame. rax rcx rdx r11 are temporaries, and all
 * vector registers that are no home.
 *
 * Rule 1. After a SET its slot's home holds the value. So at every op that can
 * leave the region all slots are at home, and no state map is needed, but for
 * rule 3.
 * Rule 2. A value may live in a home as long as no other SET comes; when one
 * comes and the value is still needed, it moves to a temporary first.
 * Rule 3. The result of RISC-V arithmetic may be a NaN that is not canonical
 * yet. A boundary register may hold such a value (raw_home); it is mended
 * where it escapes and at exits; at a fault, by the state map's fix-up.
 * Rule 4. A SET of the flags slot is noted, not done (flags_now): its operands
 * stay alive and go to the frame at exits, or as soon as one of them loses its
 * home (flags_slot.c). So between regions the flags slot is either its byte, or
 * what flags_op and the words behind it in the frame say (flags.h). Leaving to
 * C, for an exit or a helper, works the byte out.
 */
#ifndef CODEGEN_X86_64_GEN_H
#define CODEGEN_X86_64_GEN_H

#include "codegen/target.h"
#include "codegen/x86_64/asm.h"
#include "host/cpu.h"

enum bank { GPR, FPR };
enum { BOUNDARY_GPRS = 10, BOUNDARY_FPRS = 12, FEWEST_BOUNDARY_FPRS = 10 };
extern const uint8_t boundary_gpr[BOUNDARY_GPRS];
#define TEMP_GPRS ((1u << RAX) | (1u << RCX) | (1u << RDX) | (1u << R11))

#define NO_REG (-1)
#define NO_SLOT (-1)

/* frame->constant, by 64-bit word; 128-bit ones are aligned. */
enum frame_constant {
	K_BOX32 = 0,      /* 0xffffffff00000000, 0 */
	K_SIGN64 = 2,     /* sign bit of the low double */
	K_SIGN32 = 4,
	K_ABS64 = 6,      /* everything but it */
	K_ABS32 = 8,
	K_NAN64 = 10,     /* RISC-V canonical NaN */
	K_NAN32 = 12,     /* the same, boxed */
	K_FLAGS = 16,     /* 64 bytes: MXCSR sticky bits to fflags */
	K_MIN64 = 24, /* smallest normal number */
	K_MIN32 = 26,
	K_HALF64 = 28,
	K_HALF32 = 30,
	K_LARGE64 = 32, /* the exponent's bits but the lowest */
	K_LARGE32 = 34,
};

/* Where an SSA value is. */
struct val {
	uint16_t uses;  /* consumers still to come */
	int8_t reg;     /* temporary that holds it, GPR or XMM by type, or NO_REG */
	int8_t spill;   /* frame->scratch word that holds it, or -1 */
	int16_t home;   /* slot whose home holds it, or NO_SLOT */
	uint8_t raw;    /* rule 3: 0, or 4 or 8: a float of that many bytes
	                   that may be a NaN not canonical yet */
	bool boxed;     /* the f32 in the low half has ones above it */
	bool deferred;  /* made at its consumer: ICMP, COND, AND of a return,
	                   flags */
	bool late;      /* made at its SET (address_defer_update) */
	uint8_t form;   /* of flags: enum flags_form (flags.h) */
	int8_t near;    /* of flags: the way to the result they are known by */
	bool wide;      /* the spill takes two words */
	uint8_t zx;     /* bytes above which its register is zero, if known (4, 8) */
	uint32_t alias; /* the value it is the same as, or 0 */
};

struct gen {
	struct x86_asm hot, cold; /* first: x86 functions take &gen->hot */
	const struct target_job *job;
	const struct ir_region *region;
	const struct ir_ins *ins;
	const struct ir_slots *slots;
	const struct host_cpu *cpu;
	struct val *val;
	uint8_t *hot_start, *cold_start;
	ir_ref at;       /* index of the op being made */
	int32_t pc;      /* delta of the current guest instruction */
	uint32_t retired; /* guest instructions begun */
	/* by bank, GPR or FPR: sets of registers, and what temporaries hold */
	uint32_t temps[2];  /* temporaries there are */
	uint32_t free[2];   /* temporaries that hold nothing */
	uint32_t locked[2]; /* operands of the current op: not to be evicted */
	ir_ref held[2][16]; /* value in a temporary */
	int8_t slot_reg[IR_SLOT_MAX];    /* boundary register or NO_REG */
	ir_ref slot_val[IR_SLOT_MAX];    /* value that lives in the slot's home */
	uint8_t raw_home[IR_SLOT_MAX];   /* rule 3: 0, or 4 or 8 bytes */
	unsigned raw_count;              /* slots whose raw_home is set */
	uint32_t scratch_used;           /* bit set of frame->scratch words */
	uint64_t *dead_set;              /* bit set over refs: SET not needed */
	ir_ref last_pc;                  /* PC op whose value is at hand, or 0 */
	/* flags: flags.c */
	int flags_slot;                  /* or NO_SLOT */
	ir_ref flags_now;                /* what it holds, not in the frame yet; or 0 */
	uint64_t *flags_dead;            /* bit set over refs: from there on nobody sees
	                                    the slot's flags before they are set */
	ir_ref eflags;                   /* flags that the host's flags are, ... */
	const uint8_t *eflags_at;        /* if nothing was emitted since */
	bool eflags_swapped;             /* FLAGS_FCMP: of b and a */
	ir_ref fp_cleared;               /* the last FPFLAGS_SET so far */
	ir_ref fp_kept;                  /* an FPFLAGS_SET that changes nothing, or 0 */
	struct code_point *point;
	uint32_t point_count, point_capacity;
	struct code_move *move;
	uint32_t move_count, move_capacity;
	uint32_t *exit; /* of records */
	uint32_t exit_count, exit_capacity;
	uint32_t mark_count; /* given to the job's mark */
	ir_ref tlb_sum;                  /* XLATE whose value is an addend; or 0 */
	struct tlb_plan *tlb_plan;       /* soft_tlb.c's; NULL: nothing is shared */
	/* vector temporaries that are free but had better be left alone: they hold
	 * something of two values that may be of use (crypto.c) */
	uint32_t memo_regs;
	ir_ref memo[2];
	int memo_reg[2];
	int known_round;                 /* MXCSR's mode (enum ir_round) + 1, or 0 */
	struct { uint64_t low, high; const uint8_t *p; } constant[8]; /* const_mem's, of late */
	unsigned constants;
	bool set_done;                   /* the current instruction has SET a slot */
	bool stored;                     /* or stored to memory */
	bool failed;                     /* an op has no code here */
};

/* ---- frame operands ----------------------------------------------------- */

static inline struct x86_mem
frame_mem(size_t offset)
{
	return x86_base(RBP, (int32_t)offset - IR_FRAME_BIAS);
}
#define FRAME(field) frame_mem(offsetof(struct ir_frame, field))
#define FRAME_CONST(k) frame_mem(offsetof(struct ir_frame, constant) + 8 * (size_t)(k))

static inline struct x86_mem
slot_mem(const struct gen *g, int slot)
{
	return frame_mem(g->slots->slot[slot].offset);
}

static inline struct x86_mem
scratch_mem(int word)
{
	return frame_mem(offsetof(struct ir_frame, scratch) + 8 * (size_t)word);
}

/* ---- regs.c ------------------------------------------------------------- */

static inline bool
type_is_fp(enum ir_type type)
{
	return type >= IR_F16 && type <= IR_V128;
}

/* Bytes of an integer op: 4 for i8 to i32, 8 for i64. */
static inline int
op_size(enum ir_type type)
{
	return type == IR_I64 || type == IR_HOST ? 8 : 4;
}

static inline ir_ref
resolve(const struct gen *g, ir_ref ref)
{
	while (g->val[ref].alias)
		ref = g->val[ref].alias;
	return ref;
}

static inline bool
is_const(const struct gen *g, ir_ref ref)
{
	return g->ins[resolve(g, ref)].op == IR_CONST;
}

static inline enum bank
bank_of(const struct gen *g, ir_ref ref)
{
	return type_is_fp((enum ir_type)g->ins[ref].type) ? FPR : GPR;
}

/* The constant fits the sign-extended 32-bit immediate of an op of this size. */
bool const_imm32(const struct gen *g, ir_ref ref, int size, int32_t *imm);

void regs_begin(struct gen *g);
/* The register the value (resolved) is in now, or NO_REG. */
int register_of(const struct gen *g, ir_ref ref);
/* Where in the frame a value is that no register has. */
struct x86_mem place_mem(const struct gen *g, ir_ref ref);
/* The slot that the result of op ref is SET to in the same instruction, as it is
 * or zero-extended, with nothing in between that could leave; or NO_SLOT. */
int set_of(const struct gen *g, ir_ref ref);
/* The slot's home is about to be overwritten: what is needed of the value that
 * lives there moves away. */
void vacate(struct gen *g, unsigned slot);
/* The operand in a register, which stays as it is; locked until op_done. */
int use(struct gen *g, ir_ref ref);
/* Makes register reg a copy of the operand, size bytes of it. Keeps flags. */
void copy_to(struct gen *g, int reg, ir_ref ref, int size);
/* True and a memory operand, if the value is only in the frame and this is its
 * last use, so that loading it into a register would gain nothing. */
bool use_mem(struct gen *g, ir_ref ref, struct x86_mem *m);
/* The operand is not needed in its register any more. */
static inline void
unlock(struct gen *g, enum bank bank, int reg)
{
	g->locked[bank] &= ~(1u << reg);
}
/* A temporary of this op holds nothing of use any more. */
static inline void
give_back(struct gen *g, enum bank bank, int reg)
{
	g->locked[bank] &= ~(1u << reg);
	g->free[bank] |= 1u << reg;
}
/* The same where all 16 bytes are asked for. */
bool use_vector_mem(struct gen *g, ir_ref ref, struct x86_mem *m);
/* A free temporary, locked until op_done. */
int temp(struct gen *g, enum bank bank);
/* Empties a particular temporary and locks it. */
void claim(struct gen *g, enum bank bank, int reg);
/* The register for the result of op ref: the home that the SET behind it
 * names when nothing else needs what is there, else an operand's temporary
 * that dies here, else a fresh one. With reuse false it is no register that an
 * operand is in. Operands must have been `use`d before. */
int dest(struct gen *g, ir_ref ref, bool reuse);
/* For a result that is in temporary reg by now, which the op took: the home as
 * above for it to be moved to, or reg itself. */
int dest_or(struct gen *g, ir_ref ref, int reg);
/* Whether the home that the result of op ref is SET to is register reg and can be
 * written in place: that of an operand that is not needed any more, say. */
bool is_dest(struct gen *g, ir_ref ref, int reg);
/* Binds the result of op ref to the register. */
void define(struct gen *g, ir_ref ref, int reg);
/* Makes ref another name of value `of`, which takes over its uses. If `of` is an
 * operand, the caller drops it afterwards. */
void define_alias(struct gen *g, ir_ref ref, ir_ref of);
/* The i128 that is the result of op ref is in two words of the frame, which get the
 * registers if there are such. Returns the first word. */
int keep_wide(struct gen *g, ir_ref ref, int low, int high);
/* One use of the operand is over. */
void drop(struct gen *g, ir_ref ref);
/* Unlocks all. */
void op_done(struct gen *g);
void gen_get(struct gen *g, ir_ref ref);
/* A SET that is not needed (dead_set, its use not counted) does nothing; but
 * its value may have been made in the home, which may hold anything until the
 * next SET. */
void gen_set(struct gen *g, ir_ref ref);
/* Moves everything that lives in temporaries to the frame, before a helper;
 * homes too, when the helper may write slots. */
void save_values(struct gen *g, bool homes);
/* Mends a raw value that is in reg before it escapes (rule 3). */
void canonicalize(struct gen *g, ir_ref ref, int reg);
/* Mends every raw home in code at a; forget: they are mended from here on. */
void canonicalize_homes(struct gen *g, struct x86_asm *a, bool forget);
/* Records that the instruction just emitted may fault; add_move gives that
 * point another slot that is not at home. */
void mark_fault(struct gen *g);
void add_move(struct gen *g, const struct code_move *move);
/* Lists the exit record. */
void add_exit(struct gen *g, const struct code_exit *record);
/* Before code is made: what a job that wants to move it needs. */
void relocs_begin(struct gen *g);
/* After it is made: what came of the job. */
void hand_over(struct gen *g, const struct target_job *job, struct target_code *code);

/* ---- compile.c ---------------------------------------------------------- */

/* An integer op that has code for 32 and 64 bits alone. */
bool is_word_op(enum ir_op op);

/* ---- address.c ---------------------------------------------------------- */

/* Whether the ADD, the SHL, is left to the load or store that wants it; it then has no
 * code, and its SET none either. */
bool address_defer_add(struct gen *g, ir_ref ref);
bool address_defer_shift(struct gen *g, ir_ref ref);
/* Whether the ADD that moves an address on is left to its SET; gen_set then has it
 * made in the slot's home. */
bool address_defer_update(struct gen *g, ir_ref ref);
void address_update(struct gen *g, ir_ref ref, unsigned slot);
/* Makes an ADD that a SHL was left to. */
bool address_sum(struct gen *g, ir_ref ref);
/* If the address was left to the access: its operand. The parts are dropped. */
bool address_of(struct gen *g, ir_ref access, struct x86_mem *m);
/* In place of mark_fault for such a load. */
void address_mark_fault(struct gen *g, ir_ref load, struct x86_mem m);
/* ---- flags*.c -------------------------------- */

bool gen_flags(struct gen *g, ir_ref ref);
/* ADD or SUB together with the flags of the same operands, if there are such:
 * one host instruction makes both. */
bool flags_arithmetic(struct gen *g, ir_ref ref);
/* The host's flags are those of the result, C and V clear, of op ref, made just
 * now; its FLAGS_LOGIC may use them. */
void flags_of_logic(struct gen *g, ir_ref ref);
/* Emits what is needed for the host's condition that is true when cond holds of
 * flags f. Drops nothing. */
enum x86_cc flags_condition(struct gen *g, ir_ref f, enum ir_cond cond);
/* The last use of deferred flags, or of a COND, PAIR or BITREV that was left to its
 * users, is gone: so are those of its operands. */
void flags_release(struct gen *g, ir_ref ref);
/* The frame's word for the slot's flags, and the operands that go with it by
 * enum flags_part (0: none). */
uint32_t flags_describe(const struct gen *g, ir_ref f, ir_ref *part);
void flags_slot_set(struct gen *g, ir_ref ref);
void flags_slot_get(struct gen *g, ir_ref ref);
/* Comes before each op: forgets flags that nobody will see. */
void flags_advance(struct gen *g, ir_ref ref);
/* Stores what the slot holds to the frame, in code at a, at an exit; flush:
 * here, for good. */
void flags_store(struct gen *g, struct x86_asm *a);
void flags_flush(struct gen *g);
/* The value is one that the slot's flags are known by. */
bool flags_hold(const struct gen *g, ir_ref ref);
/* Adds to the newest fault point where the slot's flags are. */
void flags_map(struct gen *g);
/* The byte that the words in the frame stand for. */
unsigned x86_frame_flags(const struct ir_frame *frame);

static inline bool
eflags_live(const struct gen *g)
{
	return g->eflags && g->eflags_at == g->hot.p;
}

/* Comes right before that instruction: with force_faults, a trap that stands
 * for a fault of it. */
static inline void
plant_fault(struct gen *g)
{
	/* Not between the stores of one instruction: only one that crosses pages may
	 * fault there, and has then done the first, as Arm allows of a pair. */
	if (UNLIKELY(g->job->force_faults) && !g->stored)
		x86_ud2(&g->hot);
}

/* ---- ops ---------------------------------------------------------------- */

bool gen_int(struct gen *g, ir_ref ref);
bool gen_int_bits(struct gen *g, ir_ref ref);
bool gen_memory(struct gen *g, ir_ref ref);
bool gen_cas_wide(struct gen *g, ir_ref ref);
bool gen_ll_wide(struct gen *g, ir_ref ref);
bool gen_sc_wide(struct gen *g, ir_ref ref);
bool gen_fp(struct gen *g, ir_ref ref);
bool gen_fp_arm(struct gen *g, ir_ref ref);
bool gen_vector(struct gen *g, ir_ref ref);
bool gen_vector_fp(struct gen *g, ir_ref ref);
/* What these have no code for: of half precision; steps of Newton's iterations,
 * rounding with ties away, conversions without AVX-512. */
bool gen_half(struct gen *g, ir_ref ref);
bool gen_fp_rare(struct gen *g, ir_ref ref);
/* Of ops that have code for all lanes: whether they have for these types. */
bool vector_has_code(const struct gen *g, const struct ir_ins *ins);
bool gen_crypto(struct gen *g, ir_ref ref);
bool crypto_has_code(const struct gen *g, enum ir_op op);
/* An op that has no code of its own: the evaluator does it. False: not this one. */
bool gen_evaluated(struct gen *g, ir_ref ref);
/* To come in cold code, which hot code has just jumped to because the result of op
 * ref in vector register d is one that the host makes otherwise than the guest: the
 * evaluator makes it, and hot code goes on. reg: where the operands are, NO_REG: in
 * the frame. Every other register stays as it is. */
void gen_rare(struct gen *g, ir_ref ref, int d, const int reg[3]);
/* SELECT of a float or a vector. */
void gen_select_fpr(struct gen *g, ir_ref ref);
/* The op's NaN rule is one of Arm's, and it is otherwise as usual. */
bool fp_is_arm(const struct ir_ins *ins);
/* Where the result of a scalar FMA has been made: in the home it is for, if that can be
 * had, or in a temporary. */
struct fp_fused {
	int reg;
	int operand[3]; /* where the operands are now, for gen_rare */
	ir_ref upper;   /* the operand whose upper part the result has */
};
/* size: 4 or 8. The result has the upper part of an operand for which it is known to be
 * clear, if there is one. any_nan: if it is a NaN, the addend may as well have been
 * that. Drops nothing. */
struct fp_fused fp_fuse(struct gen *g, ir_ref ref, int size, bool any_nan);
/* d = s rounded to the nearest integral value, ties away from zero, raising nothing;
 * NaNs are the interpreter's. size: 4 or 8. */
void fp_round_away(struct gen *g, int size, int d, int s);
/* Sees to it that MXCSR is in the op's static rounding mode. */
void fp_require_round(struct gen *g, const struct ir_ins *ins);
/* 16 bytes of constant data in the cold stream, addressed from hot code at this
 * point: the operand of the next instruction, with imm bytes of immediate. */
struct x86_mem const_mem(struct gen *g, uint64_t low, uint64_t high);
void gen_call(struct gen *g, ir_ref ref);
/* Emits compare code for a condition and returns the host's condition that is
 * true when the value is not zero. */
enum x86_cc gen_condition(struct gen *g, ir_ref ref);
/* The conditional end of a trunk block: one side leaves. Returns the block that
 * the trunk goes on with. */
uint32_t gen_br(struct gen *g, ir_ref ref);
void gen_exit(struct gen *g, ir_ref ref);
void gen_check(struct gen *g, ir_ref ref);
/* On cc, leaves the region by a record of this kind; JUMP may be chained. */
struct code_exit *gen_side_exit(struct gen *g, enum x86_cc cc, unsigned kind, unsigned trap,
				int32_t target, int32_t link);
/* On cc, leaves the current guest instruction to the interpreter: nothing of
 * it may have happened but sticky flags it raises anyway. */
void gen_bail(struct gen *g, enum x86_cc cc);
/* The same without a condition: the region ends here. */
void gen_interpret(struct gen *g);
/* Only the record and stub, for code that jumps there itself. */
struct code_exit *gen_interpret_stub(struct gen *g);
/* An exit of that kind to the instruction that is being made, all in cold code from
 * *begin on; CODE_EXIT_APART may be chained. */
struct code_exit *gen_cold_exit(struct gen *g, unsigned kind, uint8_t **begin);
/* Address of the region's base plus delta. */
void gen_pc_to(struct gen *g, int reg, int64_t delta);
/* Calls C: arguments are in rax, rdx, rcx; result in rax. Everything in
 * temporaries must have been saved. */
void gen_helper_call(struct gen *g, struct x86_asm *a, unsigned helper);
/* A helper that codegen itself asks for; numbers count down from the end of
 * frame->helper. */
enum gen_helper { H_ROUND_SET = IR_HELPER_MAX - 1, H_FLAGS = IR_HELPER_MAX - 2, H_EVALUATE = IR_HELPER_MAX - 3 };

/* The host's features, probed once and kept; filling it in twice at a time does
 * no harm. baseline: 2, 3 for those of x86-64-v2, v3 alone; 0: all. */
const struct host_cpu *x86_host_features(unsigned baseline);

/* ---- soft_tlb.c --------------------------------------------------------- */

/* Before code is made, after uses are counted: which accesses share a probe. */
void soft_tlb_plan(struct gen *g);
void soft_tlb_xlate(struct gen *g, ir_ref ref);
/* What is to be added to displacements from this host address. */
int32_t soft_tlb_shift(const struct gen *g, ir_ref host);
/* The operand of a load or store at this host address; for any kind of VM. */
struct x86_mem soft_tlb_operand(struct gen *g, ir_ref host, int32_t displacement);

/* ---- exit.c, for far.c ---------------------------------------------------- */

struct code_exit *put_record(struct gen *g, unsigned kind, unsigned trap, int32_t target, int32_t link);
void put_stub(struct gen *g, const struct code_exit *record);
static inline uint8_t *
stub_of(struct code_exit *record)
{
	return (uint8_t *)record + record->stub;
}

/* ---- far.c -------------------------------------------------------------- */

/* How a jump to base + target is made. */
enum reach {
	REACH_NEAR, /* frame->page stays: as in a process VM */
	REACH_PAGE, /* the same, after frame->page has moved */
	REACH_FAR,  /* by the jump table */
};
enum reach far_reach(const struct gen *g, int32_t target);
/* frame->page moves to the target's page, or back from there. */
void far_move(const struct gen *g, struct x86_asm *a, int32_t target, bool back);
/* The target's address to register reg. */
void far_address(const struct gen *g, struct x86_asm *a, int reg, int32_t target);
/* Looks the address in pc up, which is neither rax nor rcx: these then select the
 * entry, and frame->page is set. Returns the jump on a miss. */
uint8_t *far_probe(struct x86_asm *a, int pc);
/* The operand of the jump there. */
struct x86_mem far_host(void);

/* ---- thunks.c ----------------------------------------------------------- */

bool x86_thunks(const struct ir_slots *slots, struct code_stream *hot, ptrdiff_t w_to_x,
		struct target_thunks *thunks);
void x86_frame_init(struct ir_frame *frame, const struct target_thunks *thunks);
void x86_fp_sync(struct ir_frame *frame);
void x86_link(struct code_exit *exit_w, ptrdiff_t w_to_x, const void *entry_x);
void x86_unlink(struct code_exit *exit_w);
void x86_force_done(uint8_t *w);
bool x86_fault_exit(void *ucontext, struct ir_frame *frame, const struct ir_slots *slots,
		    const struct code_move *move, uint32_t moves, void *record);

#endif

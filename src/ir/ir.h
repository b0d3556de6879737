/* ir/: the language between guest and host.
 *
 * A region is a control-flow graph of guest code in SSA form with block
 * parameters, in flat arrays, built in an arena and thrown away whole. A value
 * is named by the index of the op that makes it (ir_ref). ops.def says what
 * each op means; this header says how ops are put together.
 *
 *     region 0x10078 mode 0          riscv64:  addi a0,a0,1
 *     block 0                                  beq  a0,a1,0x10070
 *       at 0 len 4
 *       %2 = get.i64 a0
 *       %3 = const.i64 1
 *       %4 = add.i64 %2, %3
 *       set a0, %4
 *       at 4 len 4
 *       %7 = get.i64 a1
 *       %8 = icmp.i64 eq %4, %7
 *       br %8, @1, @2
 *     block 1
 *       exit jump -8
 *     block 2
 *       exit jump 8
 *
 * Guest state. Slots are named places in struct ir_frame (frame.h), listed by
 * the guest. GET and SET act in program order: wherever an op can leave the
 * region, the architectural state is what the SETs before it made, unless the
 * op has a state map (struct ir_map), which passes that promote slots to
 * values write instead. An op that faults does so as if its whole guest
 * instruction had not begun: lifters put SETs after every op of the same
 * instruction that may fault.
 *
 * Addresses. Nothing in a region is an absolute guest or host address: a PC is
 * the region's base plus a delta.
 *
 * Threading: a region belongs to one thread.
 */
#ifndef IR_IR_H
#define IR_IR_H

#include "base/base.h"

typedef uint32_t ir_ref; /* index of an op in its region; 0 is no value */

enum ir_type {
	IR_VOID,
	IR_I8,
	IR_I16,
	IR_I32,
	IR_I64,
	IR_I128,
	IR_F16,
	IR_F32,
	IR_F64,
	IR_V64,
	IR_V128,
	IR_V256,
	IR_FLAGS,
	IR_HOST,
	IR_TYPE_COUNT
};

enum ir_op {
#define OP(NAME, text, result, operands, aux, effects, meaning) IR_##NAME,
#include "ir/ops.def"
#undef OP
	IR_OP_COUNT
};

enum ir_effect {
	IR_E_PURE = 0,
	IR_E_READ_STATE = 1,
	IR_E_WRITE_STATE = 2,
	IR_E_READ_MEM = 4,
	IR_E_WRITE_MEM = 8,
	IR_E_FAULT = 16,
	IR_E_FP = 32,
	IR_E_END = 64,
	IR_E_BARRIER = 128,
};

enum ir_result_rule { IR_R_NONE, IR_R_ANY, IR_R_SAME, IR_R_INT, IR_R_FLOAT, IR_R_VEC, IR_R_FLAGS, IR_R_HOST };

/* What aux and the immediates of an op are; its fields are in text_fields.c. */
enum ir_aux {
	IR_AUX_NONE,     /* nothing */
	IR_AUX_AT,       /* aux the length, imm the delta */
	IR_AUX_CONST,    /* imm the value */
	IR_AUX_PARAM,    /* imm the number */
	IR_AUX_PC,       /* imm the delta */
	IR_AUX_SLOT,     /* a slot */
	IR_AUX_BIT,      /* a bit number, written after the operands */
	IR_AUX_HELPER,   /* a helper */
	IR_AUX_EXIT,     /* see struct ir_exit */
	IR_AUX_TYPE,     /* an integer type */
	IR_AUX_LANE,     /* a type of lane */
	IR_AUX_DIVIDE,
	IR_AUX_POLY,
	IR_AUX_COND,     /* enum ir_cond as far as UGE */
	IR_AUX_FLAGCOND, /* enum ir_cond */
	IR_AUX_CARRY,    /* enum ir_carry */
	IR_AUX_FLAGS,    /* enum ir_flag bits */
	IR_AUX_XLATE,    /* IR_XLATE_*; imm is lo and hi */
	IR_AUX_MEM,      /* IR_MEM() */
	IR_AUX_RMW,      /* IR_MEM_RMW() */
	IR_AUX_FENCE,    /* IR_FENCE() */
	IR_AUX_TRAP,     /* enum ir_trap; imm is the value */
	IR_AUX_FP,       /* IR_FP() and no variant; those below have one */
	IR_AUX_FMA,
	IR_AUX_FMINMAX,
	IR_AUX_FCMP,
	IR_AUX_FLAGSFCMP,
	IR_AUX_F2I,
	IR_AUX_I2F,
	IR_AUX_FRINT,
	IR_AUX_FCVT,
	IR_AUX_FSGNJ,    /* enum ir_fsgnj_variant alone */
	IR_AUX_LANEX,    /* IR_LANE() */
	IR_AUX_REDUCE,   /* IR_REDUCE() */
	IR_AUX_SHA1,     /* enum ir_sha1 */
	IR_AUX_VFP,      /* IR_VFP(), and below with the variants of the scalar ops */
	IR_AUX_VFMA,
	IR_AUX_VFMINMAX,
	IR_AUX_VFCMP,
	IR_AUX_VF2I,
	IR_AUX_VI2F,
	IR_AUX_VFRINT,
	IR_AUX_VFCVT,
	IR_AUX_COUNT
};

struct ir_op_info {
	const char *text;
	const char *operands; /* three letters, see ops.def */
	uint8_t result;       /* enum ir_result_rule */
	uint8_t aux;          /* enum ir_aux */
	uint8_t effects;      /* enum ir_effect bits */
	const char *meaning;
};
extern const struct ir_op_info ir_op_info[IR_OP_COUNT];

/* Width of a type in bits; 0 for void and flags, 64 for host. */
unsigned ir_type_bits(enum ir_type type);
const char *ir_type_name(enum ir_type type);

/* One op: 16 bytes. imm overlays operands b and c. */
struct ir_ins {
	uint8_t op;   /* enum ir_op */
	uint8_t type; /* enum ir_type of the result */
	uint16_t aux;
	uint32_t a;
	union {
		struct {
			uint32_t b;
			uint32_t c;
		};
		int64_t imm;
	};
};

/* ---- aux encodings ------------------------------------------------------ */

enum ir_cond { /* ICMP; COND has the flag conditions as well */
	IR_EQ, IR_NE, IR_SLT, IR_SLE, IR_SGT, IR_SGE, IR_ULT, IR_ULE, IR_UGT, IR_UGE,
	IR_MI, IR_PL, IR_VS, IR_VC, IR_CS, IR_CC, IR_PE, IR_PO
};
enum ir_flag { IR_FLAG_N = 1, IR_FLAG_Z = 2, IR_FLAG_C = 4, IR_FLAG_V = 8, IR_FLAG_P = 16, IR_FLAG_A = 32,
	       /* Not a flag: how ULT ULE UGT UGE read C. Whoever makes flags
	        * sets it by the low bit of aux, enum ir_carry. A slot of type
	        * flags is one byte of these bits. */
	       IR_FLAG_C_NOT_BORROW = 64 };
enum ir_carry { IR_CARRY_BORROW, IR_CARRY_NOT_BORROW };

/* XLATE: aux = access | log2 of the alignment demanded << 4. lo and hi of imm
 * are byte offsets from a, as two int32. */
enum ir_access { IR_ACCESS_R = 1, IR_ACCESS_W = 2, IR_ACCESS_RW = 3 };
#define IR_XLATE_ACCESS(aux) ((aux) & 3)
#define IR_XLATE_ALIGN(aux) (((aux) >> 4) & 15) /* log2 */

/* LOAD, STORE, RMW, CAS, LL, SC: aux = memory type | sign << 4 | order << 5 |
 * rmw << 8. */
enum ir_order { IR_RELAXED = 0, IR_ACQUIRE = 1, IR_RELEASE = 2, IR_ACQ_REL = 3, IR_SEQ_CST = 4 };
enum ir_rmw { IR_RMW_XCHG, IR_RMW_ADD, IR_RMW_AND, IR_RMW_OR, IR_RMW_XOR, IR_RMW_SMIN, IR_RMW_SMAX,
	      IR_RMW_UMIN, IR_RMW_UMAX, IR_RMW_ANDN /* Arm ldclr */ };
#define IR_MEM(type, sign, order) ((uint16_t)((type) | (sign) << 4 | (order) << 5))
#define IR_MEM_RMW(type, order, rmw) ((uint16_t)((type) | (order) << 5 | (rmw) << 8))
#define IR_MEM_TYPE(aux) ((enum ir_type)((aux) & 15))
#define IR_MEM_SIGNED(aux) (((aux) >> 4) & 1)
#define IR_MEM_ORDER(aux) ((enum ir_order)(((aux) >> 5) & 7))
#define IR_MEM_RMW_OP(aux) ((enum ir_rmw)(((aux) >> 8) & 15))

/* FENCE: predecessor set in the low 4 bits, successor in the next 4; bits as
 * RISC-V's: W 1, R 2, O 4, I 8. IR_FENCE_COMPILER orders nothing at run time. */
#define IR_FENCE_COMPILER 0
#define IR_FENCE(pred, succ) ((uint16_t)((pred) | (succ) << 4))

/* Floating point. Rounding modes carry RISC-V's numbers; those of the guest
 * map onto them. */
enum ir_round { IR_RNE, IR_RTZ, IR_RDN, IR_RUP, IR_RMM, IR_ROD, IR_RDYN = 7 };
enum ir_nan { IR_NAN_RISCV, IR_NAN_ARM, IR_NAN_ARM_DEFAULT, IR_NAN_X86 };
enum ir_fp_bits {
	IR_FP_NOFLAGS = 1 << 5,    /* raises nothing */
	IR_FP_TINY_BEFORE = 1 << 6, /* Arm: tininess before rounding */
	IR_FP_FLUSH = 1 << 7,      /* denormal inputs and outputs are zero */
	IR_FP_VARIANT = 8,         /* shift: 3 bits of the op's own, below */
};
/* aux = round | nan << 3 | fp bits | variant << 8. */
#define IR_FP(round, nan, bits, variant) ((uint16_t)((round) | (nan) << 3 | (bits) | (variant) << 8))
#define IR_FP_ROUND(aux) ((enum ir_round)((aux) & 7))
#define IR_FP_NAN(aux) ((enum ir_nan)(((aux) >> 3) & 3))
#define IR_FP_VARIANT_OF(aux) (((aux) >> 8) & 0xff)
/* variants */
enum ir_fma_variant { IR_FMA_NEG_PRODUCT = 1, IR_FMA_NEG_ADDEND = 2 };
enum ir_fminmax_variant { IR_FMINMAX_NUMBER, IR_FMINMAX_PROPAGATE, IR_FMINMAX_X86 };
enum ir_fcmp_variant { IR_FCMP_EQ, IR_FCMP_LT, IR_FCMP_LE, IR_FCMP_UNORD, IR_FP_SIGNALING = 8, IR_FCMP_X86 = 16 };
enum ir_f2i_variant { /* | signed << 2 */
	IR_F2I_RISCV = 0, IR_F2I_ARM = 1, IR_F2I_X86 = 2, IR_F2I_MODULAR = 3, IR_F2I_SIGNED = 4 };
enum ir_i2f_variant { IR_I2F_SIGNED = 1 };
enum ir_fcvt_variant { IR_FCVT_ALTERNATIVE = 1 /* f16 is Arm's format without infinities and NaNs */ };
enum ir_frint_variant { IR_FRINT_INEXACT = 1 /* raises inexact */, IR_FRINT_I32 = 2, IR_FRINT_I64 = 4 };
enum ir_fsgnj_variant { IR_FSGNJ_COPY, IR_FSGNJ_NOT, IR_FSGNJ_XOR }; /* aux itself */
/* The same on lanes: the lane's format in the highest bits. */
#define IR_VFP(lane, round, nan, bits, variant) \
	((uint16_t)(IR_FP(round, nan, bits, variant) | ((lane) - IR_F16 + 1) << 14))
#define IR_VFP_LANE(aux) ((enum ir_type)(IR_F16 - 1 + (((aux) >> 14) & 3)))

/* Vectors: aux = lane type, and for some ops (IR_AUX_LANEX) bits, each of which
 * means something only where the op says so. */
enum ir_lane_bits {
	IR_LANE_SIGNED = 1 << 4,
	IR_LANE_ROUND = 1 << 5,
	IR_LANE_SATURATE = 1 << 6,
	IR_LANE_OVERFLOW = 1 << 7, /* not the value: all ones in the lanes that were saturated */
	IR_LANE_SUBTRACT = 1 << 8,
};
#define IR_LANE(type, bits) ((uint16_t)((type) | (bits)))
#define IR_LANE_TYPE(aux) ((enum ir_type)((aux) & 15))
enum ir_reduce { IR_REDUCE_ADD, IR_REDUCE_SMIN, IR_REDUCE_SMAX, IR_REDUCE_UMIN, IR_REDUCE_UMAX };
#define IR_REDUCE(type, how) ((uint16_t)((type) | (how) << 4))
#define IR_REDUCE_HOW(aux) ((enum ir_reduce)(((aux) >> 4) & 7))
enum ir_sha1 { IR_SHA1_C, IR_SHA1_P, IR_SHA1_M };

/* CHECK and traps: what a guest instruction may run into. */
enum ir_trap {
	IR_TRAP_NONE,
	IR_TRAP_ILLEGAL,    /* value: the instruction's bits */
	IR_TRAP_BREAKPOINT,
	IR_TRAP_SYSCALL,
	IR_TRAP_MISALIGNED, /* value: the address */
	IR_TRAP_READ_FAULT,
	IR_TRAP_WRITE_FAULT,
	IR_TRAP_FETCH_FAULT,
	IR_TRAP_DIVIDE,
	IR_TRAP_SYSTEM,     /* an instruction that guest_system.execute does; value:
	                       its bits */
};

/* ---- leaving a region --------------------------------------------------- */

enum ir_exit_kind {
	IR_EXIT_JUMP,     /* to region base + target: may be chained */
	IR_EXIT_CALL,     /* the same, pairs with a return to base + link */
	IR_EXIT_INDIRECT, /* to the address in value */
	IR_EXIT_ICALL,    /* the same, pairs with a return to base + link */
	IR_EXIT_RETURN,   /* to the address in value, pairs with a call */
	IR_EXIT_TRAP,     /* trap `trap` at base + target; next PC base + link.
	                     Its set-up ops have run; a system call, a break */
	IR_EXIT_LOOKUP,   /* to base + target, never chained: the mode key or
	                     the code itself may have changed (fence.i) */
};

/* The exit's fields, read from the op: aux = kind | trap << 4; the operand
 * pool at a holds {target, link, value ref, retired}. */
struct ir_exit {
	enum ir_exit_kind kind;
	enum ir_trap trap;
	int32_t target; /* delta of the next PC */
	int32_t link;   /* delta of the return address */
	ir_ref value;
	uint32_t retired; /* guest instructions completed since region entry */
};

/* ---- helpers ------------------------------------------------------------ */

struct ir_frame;
/* What translated code and the evaluator call. Gets the frame and up to three
 * 64-bit operands, returns up to 64 bits. */
typedef uint64_t (*ir_helper_fn)(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c);

enum ir_helper_effect {
	IR_H_READ_STATE = 1,  /* reads guest slots */
	IR_H_WRITE_STATE = 2, /* writes guest slots */
	IR_H_MEMORY = 4,
	IR_H_FAULT = 8,
	IR_H_FP = 16,   /* reads rounding mode, raises flags through frame->fp_flags */
	IR_H_EXIT = 32, /* the region must end right after it */
	IR_H_ANY = 63,  /* undeclared */
	IR_H_VOLATILE = 64, /* the result is another each time: a clock */
};
struct ir_helper {
	const char *name;
	ir_helper_fn function;
	uint8_t arguments;    /* 0 to 3 */
	uint8_t effects;      /* enum ir_helper_effect */
};
#define IR_HELPER_MAX 128

/* ---- slots -------------------------------------------------------------- */

/* One place of guest state. */
struct ir_slot {
	const char *name;  /* the architecture's name, as the assembler's */
	uint16_t offset;   /* bytes from the start of ir_frame.guest */
	uint8_t type;      /* enum ir_type */
	int8_t boundary;   /* which boundary register holds it between regions,
	                      0 up per register file in order of heat, or -1 */
	uint16_t alias;    /* slot whose bytes overlap (a sub-register), or itself */
};

struct ir_slots {
	const struct ir_slot *slot;
	unsigned count; /* at most IR_SLOT_MAX */
};
#define IR_SLOT_MAX 128

/* ---- regions ------------------------------------------------------------ */

/* A fix-up a state map applies to a value before it is the slot's. */
enum ir_fixup { IR_FIX_NONE, IR_FIX_BOX, IR_FIX_CANON, IR_FIX_SEXT32, IR_FIX_ZEXT32, IR_FIX_FLAGS };

/* At op `at`, slot holds value (after the fix-up), whatever SETs say. Sorted
 * by at. */
struct ir_map {
	ir_ref at;
	uint16_t slot;
	uint8_t fixup; /* enum ir_fixup */
	ir_ref value;
};

struct ir_block {
	ir_ref first;        /* its first op: where the block before ended; 1 in the first block */
	uint32_t count;      /* ops, the end included */
	uint32_t parameters; /* leading PARAM ops */
};

struct ir_region {
	uint64_t pc;   /* guest address of the region's base */
	uint32_t mode; /* mode key it was lifted under */
	bool counted;  /* instruction budget checked: see engine notes in doc/ */
	uint32_t bytes; /* guest code bytes covered from pc on */
	uint32_t insns; /* guest instructions lifted */
	const struct ir_slots *slots;
	const struct ir_helper *helpers; /* IR_HELPER_MAX at most, by number */
	unsigned helper_count;

	struct ir_ins *ins; /* ins[0] is a NOP, so that ref 0 means none */
	uint32_t ins_count, ins_capacity;
	struct ir_block *block;
	uint32_t block_count, block_capacity;
	uint32_t *pool; /* operand lists: pool[k] = count, then the operands */
	uint32_t pool_count, pool_capacity;
	struct ir_map *map;
	uint32_t map_count, map_capacity;
	struct arena *arena;
};

/* Reads the exit that op ref is. */
struct ir_exit ir_exit_of(const struct ir_region *region, ir_ref ref);

/* ---- builder: build.c --------------------------------------------------- */

/* Builds a region op by op. It folds constants and identities and forwards
 * GETs of slots whose value is known in the block, so an op asked for need not
 * be an op made. Errors stick: a failed builder makes no more ops and
 * ir_build_end returns false. */
struct ir_builder {
	struct ir_region *region;
	ir_ref slot_value[IR_SLOT_MAX]; /* what the slot is known to hold, 0 unknown */
	ir_ref constant[16];            /* constants of late, by bits of their value */
	uint32_t block;                 /* the open block */
	uint32_t retired;               /* AT ops so far */
	int32_t at;                     /* delta of the last AT */
	bool aliased;                   /* a slot with an alias was touched */
	bool failed;
};

/* An empty region in the arena, one block open. Helpers and the like are the
 * caller's to fill in afterwards. slots stays borrowed. */
void ir_build_begin(struct ir_builder *b, struct ir_region *region, struct arena *arena,
		    const struct ir_slots *slots, uint64_t pc, uint32_t mode);
/* Opens a new, empty block; the one before must have ended. Returns its
 * number. Numbers of blocks to come are block_count, block_count + 1, …:
 * ir_br may name them. keep: the new block's only predecessor is the block
 * before (or the one before that, if the block before is an EXIT alone), so
 * known slot values stay known. */
uint32_t ir_block(struct ir_builder *b, bool keep);
bool ir_build_end(struct ir_builder *b);

/* Appends this very op: no folding, no effect on what is known of slots. */
ir_ref ir_emit(struct ir_builder *b, enum ir_op op, enum ir_type type, unsigned aux, ir_ref x, ir_ref y, ir_ref z);
void ir_at(struct ir_builder *b, int32_t delta, unsigned length);
ir_ref ir_const(struct ir_builder *b, enum ir_type type, uint64_t value);
ir_ref ir_pc(struct ir_builder *b, int64_t delta);
ir_ref ir_param(struct ir_builder *b, enum ir_type type);
ir_ref ir_get(struct ir_builder *b, unsigned slot);
void ir_set(struct ir_builder *b, unsigned slot, ir_ref value);
/* Any pure op, folded where its operands are constants or it is an identity.
 * Those below do the same for the usual shapes. */
ir_ref ir_fold(struct ir_builder *b, enum ir_op op, enum ir_type type, unsigned aux,
	       ir_ref x, ir_ref y, ir_ref z);
/* Two operands of one type, result the same; folds. A constant operand of a
 * commutative op comes second. */
ir_ref ir_binary(struct ir_builder *b, enum ir_op op, ir_ref x, ir_ref y);
ir_ref ir_unary(struct ir_builder *b, enum ir_op op, ir_ref x);
/* SEXT and ZEXT of the low `from` of x to type `to`; TRUNC. */
ir_ref ir_sext(struct ir_builder *b, enum ir_type to, enum ir_type from, ir_ref x);
ir_ref ir_zext(struct ir_builder *b, enum ir_type to, enum ir_type from, ir_ref x);
ir_ref ir_trunc(struct ir_builder *b, enum ir_type to, ir_ref x);
ir_ref ir_bitcast(struct ir_builder *b, enum ir_type to, ir_ref x);
/* The value of type f16 or f32 in the f64 container x; f32 in BOX is itself. */
ir_ref ir_unbox(struct ir_builder *b, enum ir_type type, ir_ref x);
/* type: of the result; x and y have one type, any integer. */
ir_ref ir_icmp(struct ir_builder *b, enum ir_type type, enum ir_cond cond, ir_ref x, ir_ref y);
ir_ref ir_select(struct ir_builder *b, ir_ref cond, ir_ref yes, ir_ref no);
ir_ref ir_xlate(struct ir_builder *b, enum ir_access access, unsigned align_log2, ir_ref address,
		int32_t lo, int32_t hi);
/* A load of memory type `memory` extended to `type`; disp is added to host. */
ir_ref ir_load(struct ir_builder *b, enum ir_type type, unsigned mem_aux, ir_ref host, int32_t disp);
void ir_store(struct ir_builder *b, unsigned mem_aux, ir_ref host, ir_ref value, int32_t disp);
/* Helper call; type IR_VOID for none. A helper that writes state makes all
 * known slot values unknown. */
ir_ref ir_call(struct ir_builder *b, enum ir_type type, unsigned helper, unsigned count, const ir_ref *arguments);
void ir_check(struct ir_builder *b, enum ir_trap trap, ir_ref condition, uint32_t value);
void ir_goto(struct ir_builder *b, uint32_t block, unsigned count, const ir_ref *arguments);
/* A conditional end; blocks take no parameters in this short form. */
void ir_br(struct ir_builder *b, ir_ref condition, uint32_t yes, uint32_t no);
/* The same with arguments for the parameters of each. */
void ir_br_with(struct ir_builder *b, ir_ref condition, uint32_t yes, unsigned yes_count,
		const ir_ref *yes_arguments, uint32_t no, unsigned no_count, const ir_ref *no_arguments);
void ir_exit_jump(struct ir_builder *b, int32_t target);
void ir_exit_call(struct ir_builder *b, int32_t target, int32_t link);
void ir_exit_value(struct ir_builder *b, enum ir_exit_kind kind, ir_ref value, int32_t link);
void ir_exit_trap(struct ir_builder *b, enum ir_trap trap, int32_t at, int32_t next);
void ir_exit_lookup(struct ir_builder *b, int32_t target);
/* IR_EXIT_LOOKUP to the instruction at hand, of which nothing was done. */
void ir_exit_again(struct ir_builder *b);

/* BR's and GOTO's targets: pool[a] of GOTO, pool[b] of BR, {block, count,
 * arguments…}, BR's second right after its first. Returns the block number and points *arguments at *count refs.
 * which: 0 first, 1 second. */
uint32_t ir_target(const struct ir_region *region, ir_ref end, unsigned which,
		   const uint32_t **arguments, uint32_t *count);
/* CALL's operands. */
const uint32_t *ir_call_arguments(const struct ir_region *region, ir_ref call, uint32_t *count);

/* ---- checks and text: verify.c print.c parse.c -------------------------- */

/* Checks types, dominance, block ends, slot numbers, parameters. 0, or -1
 * with the first violation in error. */
int ir_verify(const struct ir_region *region, struct error *error);

/* Prints in the syntax parse.c reads. Returns the length the text has. */
int ir_print(const struct ir_region *region, char *buffer, size_t size);
int ir_print_ins(const struct ir_region *region, ir_ref ref, char *buffer, size_t size);

/* Reads one region; text is NUL-terminated, `#` starts a comment. */
int ir_parse(struct ir_region *region, struct arena *arena, const struct ir_slots *slots,
	     const struct ir_helper *helpers, unsigned helper_count, const char *text,
	     struct error *error);

#endif

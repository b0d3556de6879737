/* Lifting RV64 to IR, private to the folder.
 *
 * lift.c runs along the code, decodes, and hands each instruction to the lifter
 * that lifters.def names. A lifter appends the instruction's ops by the rules
 * below; lift_*.c hold them by group. Source of all meanings: RISC-V
 * Instruction Set Manual, volume I, version 20240411.
 *
 * Rules. (1) SETs come after every op of the instruction that may fault. (2) A
 * SET stands right behind the op that makes its value, a BR, SELECT or CHECK
 * right behind its condition, where the code generator looks for it. (3) Reads
 * of x0 are the constant 0 and writes to it vanish, but what else the
 * instruction does stays. (4) A lifter that leaves the region sets `ended`.
 * (5) One that leaves it, or may, after its instruction is done, calls
 * lift_retire before; for all others lift.c does.
 */
#ifndef GUEST_RISCV64_LIFT_H
#define GUEST_RISCV64_LIFT_H

#include "guest/riscv64/privileged.h"

struct lifter {
	struct ir_builder b;
	struct riscv64_insn insn;
	int32_t at, next; /* deltas of the instruction and of the one after */
	int32_t join;     /* nearest place ahead that a branch goes to */
	uint32_t mode;    /* mode key: enum riscv64_mode bits */
	bool single_block;
	bool ended;
	bool fs_dirty;    /* mstatus.FS is known to be dirty */
	bool retired;     /* the instruction at hand is counted */
	/* The value last unboxed of each f register: good while the slot still
	 * holds `container`. */
	struct {
		ir_ref container, value;
	} unboxed[32];
};

/* Lifters; how a and b choose among the instructions of one shape is said at
 * each definition. */
#define LIFTER(name) void name(struct lifter *l, unsigned a, unsigned b)

LIFTER(lift_nothing);
LIFTER(lift_illegal);

/* lift_int.c */
LIFTER(lift_lui);
LIFTER(lift_auipc);
LIFTER(lift_binary);
LIFTER(lift_binary_imm);
LIFTER(lift_word);
LIFTER(lift_word_imm);
LIFTER(lift_narrow);
LIFTER(lift_narrow_imm);
LIFTER(lift_compare);
LIFTER(lift_compare_imm);
LIFTER(lift_czero);
LIFTER(lift_zero);

/* lift_branch.c */
LIFTER(lift_branch);
LIFTER(lift_jal);
LIFTER(lift_jalr);
LIFTER(lift_trap);
LIFTER(lift_fence_i);
LIFTER(lift_privileged);
LIFTER(lift_fence_vma);

/* lift_memory.c */
LIFTER(lift_load);
LIFTER(lift_store);
LIFTER(lift_fload);
LIFTER(lift_fstore);
LIFTER(lift_fence);
LIFTER(lift_fence_tso);
LIFTER(lift_cbo_manage);
LIFTER(lift_cbo_zero);

/* lift_atomic.c */
LIFTER(lift_lr);
LIFTER(lift_sc);
LIFTER(lift_amo);

/* lift_bits.c */
LIFTER(lift_shift_add);
LIFTER(lift_slli_uw);
LIFTER(lift_unary);
LIFTER(lift_unary_word);
LIFTER(lift_sign_extend);
LIFTER(lift_zero_extend);
LIFTER(lift_orn);
LIFTER(lift_xnor);
LIFTER(lift_clmulr);
LIFTER(lift_bit);
LIFTER(lift_bit_imm);
LIFTER(lift_bext);
LIFTER(lift_bext_imm);

/* lift_csr.c */
LIFTER(lift_csr);
/* The value of a CSR after an action. */
ir_ref lift_csr_result(struct lifter *l, enum riscv64_csr_action action, ir_ref old, ir_ref operand);
/* In a system VM: a CSR that is no floating-point one. rd is set by it. */
void lift_csr_system(struct lifter *l, enum riscv64_csr_action action, bool immediate);

/* lift_vector.c */
LIFTER(lift_vector);
/* A CSR of V; false: it is none, or cannot be touched so. */
bool lift_csr_vector(struct lifter *l, enum riscv64_csr_action action, bool immediate);

/* lift_float.c */
LIFTER(lift_fp_binary);
LIFTER(lift_fp_unary);
LIFTER(lift_fp_fma);
LIFTER(lift_fp_min);
LIFTER(lift_fp_max);
LIFTER(lift_fp_compare);
LIFTER(lift_fp_round);
LIFTER(lift_fsgnj);
LIFTER(lift_fclass);

/* lift_float_move.c */
LIFTER(lift_fp_to_int);
LIFTER(lift_fp_modular);
LIFTER(lift_fp_from_int);
LIFTER(lift_fp_convert);
LIFTER(lift_fmv_to_x);
LIFTER(lift_fmv_from_x);
LIFTER(lift_fli);

/* Integer types that floats are converted to and from. */
enum riscv64_int { RV_INT_W, RV_INT_WU, RV_INT_L, RV_INT_LU };

/* ---- operands ----------------------------------------------------------- */

static inline ir_ref
lift_x(struct lifter *l, unsigned reg)
{
	return reg ? ir_get(&l->b, RISCV64_X0 + reg) : ir_const(&l->b, IR_I64, 0);
}

static inline void
lift_set_x(struct lifter *l, ir_ref value)
{
	if (l->insn.rd)
		ir_set(&l->b, RISCV64_X0 + l->insn.rd, value);
}

static inline ir_ref
lift_imm(struct lifter *l)
{
	return ir_const(&l->b, IR_I64, (uint64_t)l->insn.imm);
}

/* The value of `type` in an f register, the whole container if f64; of a
 * narrower one the canonical NaN if it is not boxed. */
ir_ref lift_f(struct lifter *l, enum ir_type type, unsigned reg);
/* f register rd becomes a value of `type`, boxed. */
void lift_set_f(struct lifter *l, enum ir_type type, ir_ref value);
/* aux of an FP op: the rounding mode of the instruction and a variant. */
unsigned lift_fp_aux(const struct lifter *l, unsigned variant);

/* ---- helpers: helpers.c ------------------------------------------------- */

enum riscv64_helper {
	RV_HELPER_FRM,
	RV_HELPER_TIME,
	RV_HELPER_TIME_COUNTED, /* the same where time is what retires */
	RV_HELPER_CYCLE,
	RV_HELPER_INSTRET,
	RV_HELPER_STATUS, /* mstatus was set: returns whether the region must end */
	RV_HELPER_FENCE_VMA,
	RV_HELPER_VECTOR,        /* vector.h; returns enum vector_outcome */
	RV_HELPER_VECTOR_STORE,  /* the same, of an instruction that writes to memory */
	RV_HELPER_VECTOR_SET,    /* vset{i}vl{i}: returns the new vl */
	RV_HELPER_VECTOR_RESULT, /* vector_result */
	RV_HELPER_VECTOR_CSR_READ,
	RV_HELPER_VECTOR_CSR_WRITE,
	RV_HELPER_COUNT
};

extern const struct ir_helper riscv64_helpers[RV_HELPER_COUNT];

/* The last operand of RV_HELPER_FENCE_VMA: which registers were given. */
enum riscv64_fence { RV_FENCE_ADDRESS = 1, RV_FENCE_ASID = 2 };

/* Leaves the region for guest_system.execute. */
void lift_system(struct lifter *l);
/* The instruction is done and counted; nothing that may fault comes after. Does
 * nothing on a vCPU that does not count. */
void lift_retire(struct lifter *l);
/* A floating-point instruction that changes registers or flags: FS is dirty now. */
void lift_fs_dirty(struct lifter *l);

static inline bool
lift_in_system(const struct lifter *l)
{
	return l->mode & RISCV64_MODE_SYSTEM;
}

static inline unsigned
lift_privilege(const struct lifter *l)
{
	return (l->mode & RISCV64_MODE_PRIVILEGE) >> RISCV64_MODE_PRIVILEGE_SHIFT;
}

/* Mode key bits of a rounding mode (frm). */
static inline uint32_t
riscv64_mode_of(uint64_t frm)
{
	return frm < IR_RMM ? 0 : frm == IR_RMM ? RISCV64_MODE_FRM_RMM : RISCV64_MODE_FRM_INVALID;
}

/* guest.h's lift. */
int riscv64_lift(struct ir_region *region, struct arena *arena, uint64_t pc, uint32_t mode,
		 const struct guest_lift_limits *limits);

#endif

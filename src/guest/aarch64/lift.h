/* Lifting A64 to IR, private to the folder.
 *
 * lift.c runs along the code, decodes, and hands each instruction to the lifter
 * that lifters.def names. A lifter appends the instruction's ops by the rules
 * below; lift_*.c hold them by group. Source of all meanings: Arm ARM DDI 0487,
 * chapters C6 and C7.
 *
 * Rules. (1) SETs come after every op of the instruction that may fault. (2) A
 * SET stands right behind the op that makes its value, a BR, SELECT or CHECK
 * right behind its condition, where the code generator looks for it; flags are
 * made after the result they belong to, and from the same operands. (3) Register
 * 31 is SP or zero as the operation says: a64_xsp or a64_x. (4) A lifter that
 * leaves the region sets `ended`. (5) The upper half of what a 32-bit operation
 * writes is zero.
 */
#ifndef GUEST_AARCH64_LIFT_H
#define GUEST_AARCH64_LIFT_H

#include "guest/aarch64/insn.h"
#include "guest/aarch64/state.h"

struct lifter {
	struct ir_builder b;
	struct aarch64_insn insn;
	int32_t at, next; /* deltas of the instruction and of the one after */
	int32_t join;     /* nearest place ahead that a branch goes to */
	uint32_t mode;    /* mode key: enum aarch64_mode bits */
	bool single_block;
	bool ended;
};

/* Lifters; how a and b choose among the instructions of one shape is said at
 * each definition. */
#define LIFTER(name) void name(struct lifter *l, unsigned a, unsigned b)

LIFTER(a64_nothing);
LIFTER(a64_illegal);

/* lift_int.c */
LIFTER(a64_adr);
LIFTER(a64_adrp);
LIFTER(a64_add_imm);
LIFTER(a64_logic_imm);
LIFTER(a64_mov_wide);
LIFTER(a64_movk);
LIFTER(a64_add);
LIFTER(a64_add_ext);
LIFTER(a64_logic);
LIFTER(a64_logic_not);
LIFTER(a64_carry);
LIFTER(a64_binary);
LIFTER(a64_madd);
LIFTER(a64_madd_long);
LIFTER(a64_mul_high);

/* lift_bits.c */
LIFTER(a64_ubfm);
LIFTER(a64_sbfm);
LIFTER(a64_bfm);
LIFTER(a64_extr);
LIFTER(a64_unary);
LIFTER(a64_cls);
LIFTER(a64_rev16);
LIFTER(a64_rev32);
LIFTER(a64_crc32);

/* lift_cond.c */
LIFTER(a64_select);
LIFTER(a64_ccmp);
LIFTER(a64_cfinv);
LIFTER(a64_rmif);
LIFTER(a64_setf);
LIFTER(a64_xaflag);

/* lift_branch.c */
LIFTER(a64_b_cond);
LIFTER(a64_cbz);
LIFTER(a64_tbz);
LIFTER(a64_b);
LIFTER(a64_br);
LIFTER(a64_trap);

/* lift_memory.c */
LIFTER(a64_load);
LIFTER(a64_store);
LIFTER(a64_load_pair);
LIFTER(a64_store_pair);
LIFTER(a64_barrier);
LIFTER(a64_isb);
LIFTER(a64_cache_touch);
LIFTER(a64_dc_zva);

/* lift_atomic.c */
LIFTER(a64_ldxr);
LIFTER(a64_stxr);
LIFTER(a64_clrex);
LIFTER(a64_cas);
LIFTER(a64_casp);
LIFTER(a64_atomic);

/* lift_system.c */
LIFTER(a64_mrs);
LIFTER(a64_msr);

#include "guest/aarch64/lift_simd.h"

/* What a64_select does to Rm. */
enum a64_select { A64_SELECT_AS_IS, A64_SELECT_INC, A64_SELECT_NOT, A64_SELECT_NEG };

/* ---- operands ----------------------------------------------------------- */

/* x register; 31 is zero. */
static inline ir_ref
a64_x(struct lifter *l, unsigned reg)
{
	return reg == 31 ? ir_const(&l->b, IR_I64, 0) : ir_get(&l->b, AARCH64_X0 + reg);
}

/* x register; 31 is SP. */
static inline ir_ref
a64_xsp(struct lifter *l, unsigned reg)
{
	return ir_get(&l->b, AARCH64_X0 + reg);
}

/* The type that sf says, or size of what a load or store moves. */
static inline enum ir_type
a64_type(const struct lifter *l)
{
	return l->insn.size ? IR_I64 : IR_I32;
}

/* Value of a64_type in a register; 31 is zero. */
static inline ir_ref
a64_r(struct lifter *l, unsigned reg)
{
	return ir_trunc(&l->b, a64_type(l), a64_x(l, reg));
}

static inline ir_ref
a64_rsp(struct lifter *l, unsigned reg)
{
	return ir_trunc(&l->b, a64_type(l), a64_xsp(l, reg));
}

/* A constant of a64_type. */
static inline ir_ref
a64_constant(struct lifter *l, uint64_t value)
{
	return ir_const(&l->b, a64_type(l), value);
}

/* x register reg becomes value, of any integer type, zero-extended; 31: nowhere. */
void a64_set(struct lifter *l, unsigned reg, ir_ref value);
/* The same; 31: SP. */
void a64_set_sp(struct lifter *l, unsigned reg, ir_ref value);

/* 1 (of type i64) if the condition holds of the flags as they are; 14 and 15
 * always do. */
ir_ref a64_cond(struct lifter *l, unsigned cond);
/* NZCV in bits 31 to 28 of an i64, the rest 0; and back, other bits ignored. */
ir_ref a64_nzcv(struct lifter *l);
void a64_set_nzcv(struct lifter *l, ir_ref value);

/* ---- memory ------------------------------------------------------------- */

/* The integer type of an element that the instruction accesses. */
enum ir_type a64_memory_type(const struct lifter *l);

/* Where a load or store goes, by the addressing mode that the table has of it. */
struct a64_place {
	ir_ref host;  /* of an XLATE */
	int32_t disp; /* of the first byte from host */
	ir_ref base;  /* what the base register becomes; 0: it does not change */
};

/* Translates the address of the instruction's access of so many bytes from there
 * on. align_log2: of the alignment demanded. */
struct a64_place a64_access(struct lifter *l, enum ir_access access, unsigned bytes,
			       unsigned align_log2);
/* Writes the base register back; after every access of the instruction. */
void a64_write_back(struct lifter *l, const struct a64_place *access);
/* A guest address without its tag, if addresses may have tags. */
ir_ref a64_untagged(struct lifter *l, ir_ref address);

/* ---- floating point ----------------------------------------------------- */

/* aux of an FP op under FPCR: rounding mode, NaN rule, tininess, flushing, and a
 * variant. f16: an operation of half precision, which FZ16 flushes. */
unsigned a64_fp_aux(const struct lifter *l, enum ir_round round, bool f16, unsigned variant);

/* ---- helpers: helpers.c ------------------------------------------------- */

enum aarch64_helper { A64_HELPER_FPCR, A64_HELPER_COUNTER, A64_HELPER_CLREX, A64_HELPER_COUNT };

extern const struct ir_helper aarch64_helpers[A64_HELPER_COUNT];

/* Mode key of FPCR's bits. */
static inline uint32_t
aarch64_mode_of(uint64_t fpcr)
{
	return (fpcr & AARCH64_FPCR_FZ16 ? AARCH64_MODE_FZ16 : 0) | (fpcr & AARCH64_FPCR_FZ ? AARCH64_MODE_FZ : 0) |
	       (fpcr & AARCH64_FPCR_DN ? AARCH64_MODE_DN : 0) | (fpcr & AARCH64_FPCR_AHP ? AARCH64_MODE_AHP : 0);
}

/* guest.h's lift. */
int aarch64_lift(struct ir_region *region, struct arena *arena, uint64_t pc, uint32_t mode,
		 const struct guest_lift_limits *limits);

#endif

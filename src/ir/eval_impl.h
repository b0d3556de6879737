/* What the evaluator's files share; see eval.c. */
#ifndef IR_EVAL_IMPL_H
#define IR_EVAL_IMPL_H

#include "base/softfloat.h"
#include "ir/eval.h"
#include "ir/integer.h"

/* A value: integers and floats zero-extended in the first word, i128 and
 * vectors in as many as they need, the lowest first; the words above a type
 * mean nothing. A host address is kept as the guest address it was made from.
 * Flags are enum ir_flag bits. */
typedef uint64_t eval_value[4];

/* One evaluation of a region. */
struct eval_run {
	struct ir_eval *eval;
	const struct ir_region *region;
	struct ir_frame *frame;
	eval_value *value; /* by ref */
	uint64_t base;     /* guest address of the region */
	ir_ref next;       /* op to do next */
	unsigned passed;   /* AT ops met */
	unsigned length;   /* bytes of the current guest instruction */
	bool stop;
	bool broken;       /* an op or helper that is not there */
	eval_value *scratch; /* for moves between many parameters */
};

/* Does one op, its result to out. */
typedef void (*eval_fn)(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);

extern const eval_fn eval_table[IR_OP_COUNT];

/* One for each group of ops: eval_int.c eval_flags.c eval_mem.c eval_atomic.c
 * eval_fp.c eval_vfp.c eval_vec.c eval_lanes.c eval_crypto.c. */
void eval_integer(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_select(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_copy(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_pair(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);

void eval_flags_arith(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_flags_logic(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_flags_merge(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_flags_pack(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_flags_bits(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_carry_arith(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_cond(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);

void eval_get(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_set(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_xlate(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_load(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_store(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_fence(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_rmw(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_cas(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_ll(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_sc(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);

void eval_float(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_float_bits(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_float_compare(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_float_convert(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_float_state(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);

void eval_float_lanes(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_float_lanes_int(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_float_lanes_convert(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);

void eval_vector_bits(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_vector_lanes(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_vector_unary(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_vector_extra(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_vector_widen(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_vector_reduce(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_vector_move(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_vector_permute(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_vector_bytes(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_vector_resize(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);

void eval_aes(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_sha1(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);
void eval_sha256(struct eval_run *run, const struct ir_ins *ins, uint64_t *out);

/* Ends the region with a guest fault before the current instruction. */
void eval_fault(struct eval_run *run, enum ir_trap trap, uint64_t value);

/* Integer ops where a type is wider than 64 bits: eval_wide.c. Operands are
 * zero-extended; the result may have bits above its type. */
bool eval_wide_op(enum ir_op op, enum ir_type from, unsigned aux, u128 a, u128 b, u128 *result);

/* ---- floating point: eval_fp.c ------------------------------------------ */

enum fp_format eval_format(enum ir_type type);
/* What aux and the frame say about rounding, NaNs, flushing. */
struct fp_env eval_environment(const struct eval_run *run, unsigned aux);
/* Accrues in the frame what env has of flags. */
void eval_raise(struct eval_run *run, unsigned aux, const struct fp_env *env);
/* A scalar op with one to three operands of the result's format, by op and aux. */
uint64_t eval_arithmetic(struct fp_env *env, enum ir_op op, enum fp_format format, unsigned aux, uint64_t a,
			 uint64_t b, uint64_t c);
bool eval_relation_holds(enum fp_relation relation, unsigned variant);
/* To and from integers of `width` bits with scale fraction bits. */
uint64_t eval_to_integer(struct fp_env *env, unsigned aux, enum fp_format format, unsigned width, uint64_t a,
			 unsigned scale);
uint64_t eval_from_integer(struct fp_env *env, unsigned aux, enum fp_format format, unsigned width, uint64_t a,
			   unsigned scale);

/* ---- guest memory: eval_mem.c ------------------------------------------- */

/* Puts where the bytes of a guest access are into *bytes, which may be any
 * address, 0 too. False after a fault outside the window. */
bool eval_address(struct eval_run *run, uint64_t address, unsigned size, bool write, uint8_t **bytes);
/* The same behind address translation: eval_mmu.c. For atomics; one page. */
bool eval_mmu_address(struct eval_run *run, uint64_t address, unsigned size, bool write, uint8_t **bytes);
/* XLATE; false after a fault. */
bool eval_mmu_check(struct eval_run *run, const struct ir_ins *ins, uint64_t address);
/* size 1 to 32 bytes, also across pages and of devices. */
bool eval_mmu_load(struct eval_run *run, uint64_t address, unsigned size, uint64_t *words);
bool eval_mmu_store(struct eval_run *run, uint64_t address, unsigned size, const uint64_t *words);
/* size: 1 2 4 8 16 32. One host access each where size is at most 8 and p is
 * aligned. Guest memory is little-endian. */
void eval_read(const uint8_t *p, unsigned size, uint64_t *words);
void eval_write(uint8_t *p, unsigned size, const uint64_t *words);
/* Notes in the undo log what was at address. */
void eval_log(struct eval_run *run, uint64_t address, unsigned size, const uint64_t *old);
/* Extends what was read of the memory type in aux to the result type. */
void eval_extend(const struct ir_ins *ins, uint64_t *words);

static inline uint64_t *
eval_of(const struct eval_run *run, ir_ref ref)
{
	return run->value[ref];
}

static inline enum ir_type
eval_type(const struct eval_run *run, ir_ref ref)
{
	return (enum ir_type)run->region->ins[ref].type;
}

/* x cut to a type of at most 64 bits. */
static inline uint64_t
eval_cut(enum ir_type type, uint64_t x)
{
	unsigned bits = ir_type_bits(type);

	return bits && bits < 64 ? x & int_mask(bits) : x;
}

/* ---- lanes: numbered from the lowest bits ------------------------------- */

static inline uint64_t
lane_get(const uint64_t *words, unsigned lane, unsigned width)
{
	unsigned bit = lane * width;

	return words[bit / 64] >> bit % 64 & int_mask(width);
}

static inline void
lane_set(uint64_t *words, unsigned lane, unsigned width, uint64_t x)
{
	unsigned bit = lane * width;
	uint64_t mask = int_mask(width) << bit % 64;

	words[bit / 64] = (words[bit / 64] & ~mask) | (x << bit % 64 & mask);
}

/* x in the lane, or the nearer end of its range. */
static inline uint64_t
lane_saturate_signed(s128 x, unsigned width)
{
	s128 most = (s128)(int_mask(width) >> 1), least = -most - 1;

	return (uint64_t)(x > most ? most : x < least ? least : x);
}

static inline uint64_t
lane_saturate_unsigned(s128 x, unsigned width)
{
	s128 most = (s128)int_mask(width);

	return (uint64_t)(x > most ? most : x < 0 ? 0 : x);
}

#endif

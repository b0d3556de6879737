/* Lifting a region: along the code until something ends it; guest/branch.h says
 * how conditional branches leave it. Also what the lifters share. */
#include "guest/aarch64/lift.h"

#include <string.h>

#define DEFAULT_INSNS 64u

/* Each operation has a lifter, and only one. */
enum {
#define LIFT(op, lifter, a, b) LIFTED_##op = 1,
#include "guest/aarch64/lifters.def"
};
#define INSN(op, mnemonic, picture, extension, operands, attributes) \
	_Static_assert(LIFTED_##op, "lifters.def lacks an operation");
#include "guest/aarch64/insns.def"

LIFTER(a64_nothing)
{
	(void)l, (void)a, (void)b;
}

LIFTER(a64_illegal)
{
	(void)a, (void)b;
	ir_exit_trap(&l->b, IR_TRAP_ILLEGAL, l->at, l->next);
	l->ended = true;
}

static void
lift_insn(struct lifter *l)
{
	switch (l->insn.op) {
#define LIFT(op, lifter, a, b) \
	case A64_##op: \
		lifter(l, a, b); \
		return;
#include "guest/aarch64/lifters.def"
	case A64_ILLEGAL:
	case A64_OP_COUNT:
		a64_illegal(l, 0, 0);
		return;
	}
}

/* Decodes the instruction at l->next into l->insn. False if its bytes are not
 * all readable. */
static bool
next_insn(struct lifter *l, const struct guest_lift_limits *limits)
{
	uint32_t bits;

	if (limits->readable - (size_t)l->next < sizeof bits)
		return false;
	memcpy(&bits, limits->code + l->next, sizeof bits);
	aarch64_decode(bits, &l->insn);
	l->at = l->next;
	l->next += (int32_t)sizeof bits;
	return true;
}

int
aarch64_lift(struct ir_region *region, struct arena *arena, uint64_t pc, uint32_t mode,
	     const struct guest_lift_limits *limits)
{
	struct lifter l = { .mode = mode, .join = INT32_MAX, .single_block = limits->single_block };
	unsigned most = limits->insns ? limits->insns : DEFAULT_INSNS, count = 0;

	ir_build_begin(&l.b, region, arena, guest_aarch64.slots, pc, mode);
	region->helpers = aarch64_helpers;
	region->helper_count = A64_HELPER_COUNT;
	/* Code is aligned (D1.3.3, PC alignment fault). */
	if (UNLIKELY(pc % 4)) {
		ir_at(&l.b, 0, 4);
		ir_exit_trap(&l.b, IR_TRAP_MISALIGNED, 0, 0);
		return ir_build_end(&l.b) ? 0 : -1;
	}
	for (; !l.ended && count < most && l.next != l.join && next_insn(&l, limits); count++) {
		ir_at(&l.b, l.at, 4);
		lift_insn(&l);
	}
	if (!l.ended && count)
		ir_exit_jump(&l.b, l.next);
	else if (!l.ended) /* next: the first byte that cannot be fetched */
		ir_exit_trap(&l.b, IR_TRAP_FETCH_FAULT, 0, 0);
	return ir_build_end(&l.b) ? 0 : -1;
}

/* ---- operands ----------------------------------------------------------- */

void
a64_set(struct lifter *l, unsigned reg, ir_ref value)
{
	if (reg != 31)
		a64_set_sp(l, reg, value);
}

void
a64_set_sp(struct lifter *l, unsigned reg, ir_ref value)
{
	enum ir_type type = (enum ir_type)l->b.region->ins[value].type;

	ir_set(&l->b, AARCH64_X0 + reg, type == IR_I64 ? value : ir_zext(&l->b, IR_I64, type, value));
}

/* C1.2.4: the conditions, as those of the IR; C is not borrow here. */
ir_ref
a64_cond(struct lifter *l, unsigned cond)
{
	static const uint8_t conditions[14] = {
		IR_EQ, IR_NE, IR_CS, IR_CC, IR_MI, IR_PL, IR_VS, IR_VC, IR_UGT, IR_ULE, IR_SGE, IR_SLT,
		IR_SGT, IR_SLE,
	};

	if (cond >= 14)
		return ir_const(&l->b, IR_I64, 1);
	return ir_fold(&l->b, IR_COND, IR_I64, conditions[cond], ir_get(&l->b, AARCH64_NZCV), 0, 0);
}

/* ---- memory ------------------------------------------------------------- */

/* The top byte of an address that user code uses is a tag (D8.8, TBI0); bit 55,
 * which says whose address it is, is 0 in all that can be accessed. */
ir_ref
a64_untagged(struct lifter *l, ir_ref address)
{
	if (!(l->mode & AARCH64_MODE_TAGGED))
		return address;
	return ir_binary(&l->b, IR_AND, address, ir_const(&l->b, IR_I64, ~0ull >> 8));
}

/* Rm as the option says, shifted left (the manual's ExtendReg). */
static ir_ref
index_of(struct lifter *l)
{
	ir_ref index = a64_x(l, l->insn.rm);
	unsigned shift = l->insn.imm ? aarch64_access_log2(&l->insn) : 0;

	if (l->insn.option == 2)
		index = ir_zext(&l->b, IR_I64, IR_I32, index);
	else if (l->insn.option == 6)
		index = ir_sext(&l->b, IR_I64, IR_I32, index);
	return ir_binary(&l->b, IR_SHL, index, ir_const(&l->b, IR_I64, shift));
}

struct a64_place
a64_access(struct lifter *l, enum ir_access access, unsigned bytes, unsigned align_log2)
{
	unsigned mode = aarch64_op_attributes(l->insn.op) & AA_ADDRESS;
	int64_t offset = aarch64_access_offset(&l->insn);
	struct a64_place at = { .disp = 0 };
	ir_ref address;

	if (mode == AA_LITERAL)
		address = ir_pc(&l->b, l->at + 4 * l->insn.imm);
	else
		address = a64_xsp(l, l->insn.rn);
	if (mode == AA_INDEX)
		address = ir_binary(&l->b, IR_ADD, address, index_of(l));
	if (mode == AA_PRE || mode == AA_POST)
		at.base = ir_binary(&l->b, IR_ADD, address, ir_const(&l->b, IR_I64, (uint64_t)offset));
	if (mode == AA_PRE || mode == AA_OFFSET)
		at.disp = (int32_t)offset;
	/* The tag goes from the sum: it may carry into the top byte. */
	if (l->mode & AARCH64_MODE_TAGGED) {
		address = ir_binary(&l->b, IR_ADD, address, ir_const(&l->b, IR_I64, (uint64_t)(int64_t)at.disp));
		address = a64_untagged(l, address);
		at.disp = 0;
	}
	at.host = ir_xlate(&l->b, access, align_log2, address, at.disp, at.disp + (int32_t)bytes);
	return at;
}

void
a64_write_back(struct lifter *l, const struct a64_place *access)
{
	if (access->base)
		a64_set_sp(l, l->insn.rn, access->base);
}

/* ---- floating point ----------------------------------------------------- */

unsigned
a64_fp_aux(const struct lifter *l, enum ir_round round, bool f16, unsigned variant)
{
	enum ir_nan nan = l->mode & AARCH64_MODE_DN ? IR_NAN_ARM_DEFAULT : IR_NAN_ARM;
	bool flush = l->mode & (f16 ? AARCH64_MODE_FZ16 : AARCH64_MODE_FZ);

	return IR_FP(round, nan, IR_FP_TINY_BEFORE | (flush ? IR_FP_FLUSH : 0), variant);
}

/* Lifting a region: along the code until something ends it; guest/branch.h says
 * how conditional branches leave it. */
#include "guest/riscv64/lift.h"

#include <string.h>

#define DEFAULT_INSNS 64u

/* Each operation has a lifter, and only one. */
enum {
#define LIFT(op, lifter, a, b) LIFTED_##op = 1,
#include "guest/riscv64/lifters.def"
};
#define INSN(op, mnemonic, picture, format, extension, operands, attributes) \
	_Static_assert(LIFTED_##op, "lifters.def lacks an operation");
#include "guest/riscv64/insns.def"

LIFTER(lift_nothing)
{
	(void)l, (void)a, (void)b;
}

LIFTER(lift_illegal)
{
	(void)a, (void)b;
	ir_exit_trap(&l->b, IR_TRAP_ILLEGAL, l->at, l->next);
	l->ended = true;
}

static void
lift_by_table(struct lifter *l)
{
	switch (l->insn.op) {
#define LIFT(op, lifter, a, b) \
	case RV_##op: \
		lifter(l, a, b); \
		return;
#include "guest/riscv64/lifters.def"
	case RV_ILLEGAL:
	case RV_OP_COUNT:
		lift_illegal(l, 0, 0);
		return;
	}
}

void
lift_fs_dirty(struct lifter *l)
{
	if (!lift_in_system(l) || l->fs_dirty)
		return;
	ir_set(&l->b, RISCV64_SLOT_FS, ir_const(&l->b, IR_I64, STATUS_FS_DIRTY));
	l->fs_dirty = true;
}

/* Illegal because of the floating-point state: it is off, or the dynamic rounding
 * mode is invalid; only instructions with a rounding mode have rm set. */
static bool
fp_illegal(const struct lifter *l, unsigned attributes)
{
	if (l->mode & RISCV64_MODE_FRM_INVALID && l->insn.rm == RV_DYN)
		return true;
	return l->mode & RISCV64_MODE_FP_OFF && attributes & RVA_FP;
}

void
lift_retire(struct lifter *l)
{
	ir_ref before, one;

	if (LIKELY(!(l->mode & RISCV64_MODE_COUNTS)) || l->retired)
		return;
	before = ir_get(&l->b, RISCV64_SLOT_RETIRED);
	one = ir_const(&l->b, IR_I64, 1);
	ir_set(&l->b, RISCV64_SLOT_RETIRED, ir_binary(&l->b, IR_ADD, before, one));
	l->retired = true;
}

/* A vCPU that counts runs a region only if it may retire all of it: what is left
 * is done one by one. */
static void
lift_limit(struct lifter *l, unsigned most)
{
	uint32_t away = l->b.region->block_count;
	ir_ref limit, left, room;

	if (LIKELY(!(l->mode & RISCV64_MODE_COUNTS)))
		return;
	limit = ir_get(&l->b, RISCV64_SLOT_LIMIT);
	left = ir_binary(&l->b, IR_SUB, limit, ir_get(&l->b, RISCV64_SLOT_RETIRED));
	room = ir_const(&l->b, IR_I64, most);
	ir_br(&l->b, ir_icmp(&l->b, IR_I64, IR_ULT, left, room), away, away + 1);
	ir_block(&l->b, true);
	ir_exit_again(&l->b);
	ir_block(&l->b, true);
}

static void
lift_insn(struct lifter *l)
{
	unsigned attributes = l->mode ? riscv64_op_attributes(l->insn.op) : 0;

	if (UNLIKELY(l->mode && fp_illegal(l, attributes))) {
		lift_illegal(l, 0, 0);
		return;
	}
	lift_by_table(l);
	if (l->ended)
		return;
	/* Stores change no state; what moves or classifies is taken to. */
	if (attributes & RVA_FP && !(attributes & RVA_STORE))
		lift_fs_dirty(l);
	lift_retire(l);
}

/* Decodes the instruction at l->next into l->insn. False if its bytes are not
 * all readable. */
static bool
next_insn(struct lifter *l, const struct guest_lift_limits *limits)
{
	const uint8_t *code = limits->code + l->next;
	size_t left = limits->readable - (size_t)l->next;
	uint16_t low, high = 0;

	if (left < 2)
		return false;
	memcpy(&low, code, 2);
	if (riscv64_insn_length(low) == 4) {
		if (left < 4)
			return false;
		memcpy(&high, code + 2, 2);
	}
	riscv64_decode(low | (uint32_t)high << 16, &l->insn);
	l->at = l->next;
	l->next += l->insn.length;
	return true;
}

int
riscv64_lift(struct ir_region *region, struct arena *arena, uint64_t pc, uint32_t mode,
	     const struct guest_lift_limits *limits)
{
	struct lifter l = { .mode = mode, .join = INT32_MAX, .single_block = limits->single_block };
	unsigned most = limits->insns ? limits->insns : DEFAULT_INSNS, count = 0;

	ir_build_begin(&l.b, region, arena, guest_riscv64.slots, pc, mode);
	region->helpers = riscv64_helpers;
	region->helper_count = RV_HELPER_COUNT;
	for (; !l.ended && count < most && l.next != l.join && next_insn(&l, limits); count++) {
		ir_at(&l.b, l.at, l.insn.length);
		l.retired = false;
		if (!count)
			lift_limit(&l, most);
		lift_insn(&l);
	}
	if (!l.ended && count)
		ir_exit_jump(&l.b, l.next);
	else if (!l.ended) /* next: the first byte that cannot be fetched */
		ir_exit_trap(&l.b, IR_TRAP_FETCH_FAULT, 0, limits->readable < 2 ? 0 : 2);
	return ir_build_end(&l.b) ? 0 : -1;
}

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
lift_insn(struct lifter *l)
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
		/* An invalid dynamic rounding mode makes what uses it illegal;
		 * only instructions with a rounding mode have rm set. */
		if (UNLIKELY(l.insn.rm == RV_DYN && mode & RISCV64_MODE_FRM_INVALID))
			lift_illegal(&l, 0, 0);
		else
			lift_insn(&l);
	}
	if (!l.ended && count)
		ir_exit_jump(&l.b, l.next);
	else if (!l.ended) /* next: the first byte that cannot be fetched */
		ir_exit_trap(&l.b, IR_TRAP_FETCH_FAULT, 0, limits->readable < 2 ? 0 : 2);
	return ir_build_end(&l.b) ? 0 : -1;
}

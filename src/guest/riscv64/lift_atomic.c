/* A: load-reserved, store-conditional, atomic memory operations. All demand
 * natural alignment. */
#include "guest/riscv64/lift.h"

static enum ir_order
order(const struct riscv64_insn *insn)
{
	if (insn->aq && insn->rl)
		return IR_SEQ_CST;
	return insn->aq ? IR_ACQUIRE : insn->rl ? IR_RELEASE : IR_RELAXED;
}

static ir_ref
translate(struct lifter *l, enum ir_access access, unsigned type, ir_ref address)
{
	unsigned bytes = ir_type_bits((enum ir_type)type) / 8;

	return ir_xlate(&l->b, access, bytes == 4 ? 2 : 3, address, 0, (int32_t)bytes);
}

/* a: the type. */
LIFTER(lift_lr)
{
	ir_ref address = lift_x(l, l->insn.rs1);
	ir_ref host = translate(l, IR_ACCESS_R, a, address);
	ir_ref value = ir_emit(&l->b, IR_LL, (enum ir_type)a, IR_MEM(a, 0, order(&l->insn)), host,
			       address, 0);

	(void)b;
	lift_set_x(l, ir_sext(&l->b, IR_I64, (enum ir_type)a, value));
}

/* a: the type. Faults whether it would succeed or not. */
LIFTER(lift_sc)
{
	ir_ref address = lift_x(l, l->insn.rs1);
	ir_ref value = ir_trunc(&l->b, (enum ir_type)a, lift_x(l, l->insn.rs2));
	ir_ref host = translate(l, IR_ACCESS_RW, a, address);

	(void)b;
	lift_set_x(l, ir_emit(&l->b, IR_SC, IR_I64, IR_MEM(a, 0, order(&l->insn)), host, value, address));
}

/* a: the type; b: the operation. */
LIFTER(lift_amo)
{
	ir_ref address = lift_x(l, l->insn.rs1);
	ir_ref value = ir_trunc(&l->b, (enum ir_type)a, lift_x(l, l->insn.rs2));
	ir_ref host = translate(l, IR_ACCESS_RW, a, address);
	ir_ref old = ir_emit(&l->b, IR_RMW, (enum ir_type)a, IR_MEM_RMW(a, order(&l->insn), b), host,
			     value, 0);

	lift_set_x(l, ir_sext(&l->b, IR_I64, (enum ir_type)a, old));
}

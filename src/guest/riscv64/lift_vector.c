/* V: each instruction is a call of vector_execute (vector.h), which looks at vtype
 * and vl when it runs. */
#include "guest/riscv64/lift.h"
#include "guest/riscv64/vector.h"

static ir_ref
constant(struct lifter *l, uint64_t value)
{
	return ir_const(&l->b, IR_I64, value);
}

/* An AVL in x0 asks for as much as there is, or, where vl goes to x0 too, for what
 * there was ("AVL encoding"). */
static void
lift_set(struct lifter *l)
{
	const struct riscv64_insn *insn = &l->insn;
	ir_ref operand[3];

	operand[1] = insn->op == RV_VSETVL ? lift_x(l, insn->rs2) : lift_imm(l);
	operand[2] = constant(l, 0);
	if (insn->op == RV_VSETIVLI) {
		operand[0] = constant(l, insn->rs1);
	} else if (insn->rs1) {
		operand[0] = lift_x(l, insn->rs1);
	} else {
		operand[0] = constant(l, UINT64_MAX);
		operand[2] = constant(l, insn->rd ? 0 : VECTOR_KEEP_VL);
	}
	lift_set_x(l, ir_call(&l->b, IR_I64, RV_HELPER_VECTOR_SET, 3, operand));
}

static uint64_t
packed(const struct riscv64_insn *insn)
{
	return (uint64_t)insn->op | (uint64_t)insn->rd << 16 | (uint64_t)insn->rs1 << 24 | (uint64_t)insn->rs2 << 32 |
	       (uint64_t)insn->vm << 40 | (uint64_t)insn->nf << 48;
}

static void
check(struct lifter *l, ir_ref outcome, enum vector_outcome is, enum ir_trap trap, uint32_t value)
{
	ir_check(&l->b, trap, ir_icmp(&l->b, IR_I64, IR_EQ, outcome, constant(l, is)), value);
}

LIFTER(lift_vector)
{
	enum riscv64_op op = l->insn.op;
	unsigned attributes = riscv64_op_attributes(op);
	bool store = attributes & RVA_STORE;
	ir_ref outcome, operand[2];
	uint32_t bits = 0;

	(void)a, (void)b;
	if (!(l->mode & RISCV64_MODE_VECTOR)) {
		lift_illegal(l, 0, 0);
		return;
	}
	if (op == RV_VSETVLI || op == RV_VSETIVLI || op == RV_VSETVL) {
		lift_set(l);
		return;
	}
	riscv64_encode(&l->insn, &bits);
	operand[0] = constant(l, packed(&l->insn));
	operand[1] = lift_imm(l);
	outcome = ir_call(&l->b, IR_I64, store ? RV_HELPER_VECTOR_STORE : RV_HELPER_VECTOR, 2, operand);
	check(l, outcome, VECTOR_ILLEGAL, IR_TRAP_ILLEGAL, bits);
	if (attributes & (RVA_LOAD | RVA_STORE))
		check(l, outcome, VECTOR_FAULT, store ? IR_TRAP_WRITE_FAULT : IR_TRAP_READ_FAULT, 0);
	if (op == RV_VMV_X_S || op == RV_VCPOP_M || op == RV_VFIRST_M)
		lift_set_x(l, ir_call(&l->b, IR_I64, RV_HELPER_VECTOR_RESULT, 0, NULL));
	else if (op == RV_VFMV_F_S)
		lift_set_f(l, IR_F64, ir_bitcast(&l->b, IR_F64, ir_call(&l->b, IR_I64, RV_HELPER_VECTOR_RESULT, 0, NULL)));
}

bool
lift_csr_vector(struct lifter *l, enum riscv64_csr_action action, bool immediate)
{
	unsigned csr = l->insn.csr;
	bool writes = action == RV_CSR_WRITE || (immediate ? l->insn.imm : l->insn.rs1);
	bool fixed = csr >= CSR_VL && csr <= CSR_VLENB;
	ir_ref operand, old, value[2] = { constant(l, csr), 0 };

	if (!fixed && csr != CSR_VSTART && csr != CSR_VXSAT && csr != CSR_VXRM && csr != CSR_VCSR)
		return false;
	if (fixed && writes)
		return false;
	operand = immediate ? lift_imm(l) : lift_x(l, l->insn.rs1);
	old = ir_call(&l->b, IR_I64, RV_HELPER_VECTOR_CSR_READ, 1, value);
	if (writes) {
		value[1] = lift_csr_result(l, action, old, operand);
		ir_call(&l->b, IR_I64, RV_HELPER_VECTOR_CSR_WRITE, 2, value);
	}
	lift_set_x(l, old);
	return true;
}

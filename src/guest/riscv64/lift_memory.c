/* Loads, stores, fences, cache blocks. Accesses of whatever alignment are
 * allowed, as Linux promises its user code. */
#include "guest/riscv64/lift.h"

static unsigned
bytes_of(enum ir_type type)
{
	return ir_type_bits(type) / 8;
}

/* The host address that base + imm is an offset from. */
static ir_ref
translate(struct lifter *l, enum ir_access access, enum ir_type type)
{
	int32_t imm = (int32_t)l->insn.imm;
	ir_ref base = lift_x(l, l->insn.rs1);

	return ir_xlate(&l->b, access, 0, base, imm, imm + (int32_t)bytes_of(type));
}

/* a: the memory type; b: extended by its sign. */
LIFTER(lift_load)
{
	ir_ref host = translate(l, IR_ACCESS_R, (enum ir_type)a);

	lift_set_x(l, ir_load(&l->b, IR_I64, IR_MEM(a, b, IR_RELAXED), host, (int32_t)l->insn.imm));
}

/* a: the memory type. */
LIFTER(lift_store)
{
	ir_ref host = translate(l, IR_ACCESS_W, (enum ir_type)a);

	(void)b;
	ir_store(&l->b, IR_MEM(a, 0, IR_RELAXED), host, lift_x(l, l->insn.rs2), (int32_t)l->insn.imm);
}

/* a: the type. */
LIFTER(lift_fload)
{
	enum ir_type type = (enum ir_type)a;
	ir_ref host = translate(l, IR_ACCESS_R, type);

	(void)b;
	lift_set_f(l, type, ir_load(&l->b, type, IR_MEM(a, 0, IR_RELAXED), host, (int32_t)l->insn.imm));
}

/* a: the type. The low bits of the register are stored, boxed or not (manual I,
 * 21.2). */
LIFTER(lift_fstore)
{
	ir_ref host = translate(l, IR_ACCESS_W, (enum ir_type)a);

	(void)b;
	ir_store(&l->b, IR_MEM(a, 0, IR_RELAXED), host, ir_get(&l->b, RISCV64_F0 + l->insn.rs2),
		 (int32_t)l->insn.imm);
}

/* ---- fences ------------------------------------------------------------- */

/* A fence that orders nothing is a hint. */
LIFTER(lift_fence)
{
	unsigned before = (unsigned)l->insn.imm >> 4 & 15, after = (unsigned)l->insn.imm & 15;

	(void)a, (void)b;
	if (before && after)
		ir_emit(&l->b, IR_FENCE, IR_VOID, IR_FENCE(before, after), 0, 0, 0);
}

/* Loads before everything after, stores before stores (manual I, 2.7). */
LIFTER(lift_fence_tso)
{
	enum { W = 1, R = 2 };

	(void)a, (void)b;
	ir_emit(&l->b, IR_FENCE, IR_VOID, IR_FENCE(R, R | W), 0, 0, 0);
	ir_emit(&l->b, IR_FENCE, IR_VOID, IR_FENCE(W, W), 0, 0, 0);
}

/* ---- cache blocks ------------------------------------------------------- */

/* cbo.inval, cbo.clean, cbo.flush: memory is coherent, but an address that
 * cannot be accessed faults. a: granted to user code in a process VM. */
LIFTER(lift_cbo_manage)
{
	ir_ref host;

	(void)b;
	if (lift_in_system(l)) {
		lift_system(l);
		return;
	}
	if (!a) {
		lift_illegal(l, 0, 0);
		return;
	}
	host = translate(l, IR_ACCESS_R, IR_I8);
	ir_load(&l->b, IR_I64, IR_MEM(IR_I8, 0, IR_RELAXED), host, 0);
}

/* The block that holds the address; it lies in one page, so it faults whole. */
LIFTER(lift_cbo_zero)
{
	ir_ref mask, block, host, zero;

	(void)a, (void)b;
	if (l->mode & RISCV64_MODE_NO_CBO_ZERO) {
		lift_illegal(l, 0, 0);
		return;
	}
	mask = ir_const(&l->b, IR_I64, -(uint64_t)RISCV64_CACHE_BLOCK);
	block = ir_binary(&l->b, IR_AND, lift_x(l, l->insn.rs1), mask);
	host = ir_xlate(&l->b, IR_ACCESS_W, 0, block, 0, RISCV64_CACHE_BLOCK);
	zero = ir_const(&l->b, IR_I64, 0);
	for (unsigned i = 0; i < RISCV64_CACHE_BLOCK; i += 8)
		ir_store(&l->b, IR_MEM(IR_I64, 0, IR_RELAXED), host, zero, (int32_t)i);
}

/* Exclusives, compare and swap, atomic memory operations. All demand natural
 * alignment, of a pair that of both together (B2.7.2; there is no FEAT_LSE2). */
#include "guest/aarch64/lift.h"

static enum ir_order
order(bool acquire, bool release)
{
	if (acquire && release)
		return IR_SEQ_CST;
	return acquire ? IR_ACQUIRE : release ? IR_RELEASE : IR_RELAXED;
}

static unsigned
log2_of(enum ir_type type)
{
	return (unsigned)__builtin_ctz(ir_type_bits(type) / 8);
}

static ir_ref
translate(struct lifter *l, enum ir_access access, enum ir_type type, ir_ref address)
{
	return ir_xlate(&l->b, access, log2_of(type), address, 0, (int32_t)(ir_type_bits(type) / 8));
}

static ir_ref
address_of(struct lifter *l)
{
	return a64_untagged(l, a64_xsp(l, l->insn.rn));
}

/* ---- pairs as one value ------------------------------------------------- */

static enum ir_type
pair_type(const struct lifter *l)
{
	return l->insn.size ? IR_I128 : IR_I64;
}

static ir_ref
pair_get(struct lifter *l, unsigned low, unsigned high)
{
	ir_ref x = a64_x(l, low), y = a64_x(l, high);

	if (l->insn.size)
		return ir_emit(&l->b, IR_PAIR, IR_I128, 0, x, y, 0);
	x = ir_zext(&l->b, IR_I64, IR_I32, x);
	y = ir_binary(&l->b, IR_SHL, y, ir_const(&l->b, IR_I64, 32));
	return ir_binary(&l->b, IR_OR, x, y);
}

static void
pair_set(struct lifter *l, unsigned low, unsigned high, ir_ref value)
{
	ir_ref x, y;

	if (l->insn.size) {
		x = ir_trunc(&l->b, IR_I64, value);
		y = ir_fold(&l->b, IR_EXTRACT, IR_I64, 64, value, 0, 0);
	} else {
		x = ir_zext(&l->b, IR_I64, IR_I32, value);
		y = ir_binary(&l->b, IR_LSHR, value, ir_const(&l->b, IR_I64, 32));
	}
	a64_set(l, low, x);
	a64_set(l, high, y);
}

/* ---- exclusives --------------------------------------------------------- */

/* a: acquires. */
LIFTER(a64_ldxr)
{
	bool pair = aarch64_op_attributes(l->insn.op) & AA_PAIR;
	enum ir_type type = pair ? pair_type(l) : a64_memory_type(l);
	ir_ref address = address_of(l), host = translate(l, IR_ACCESS_R, type, address);
	ir_ref value = ir_emit(&l->b, IR_LL, type, IR_MEM(type, 0, order(a, false)), host, address, 0);

	(void)b;
	if (pair)
		pair_set(l, l->insn.rd, l->insn.ra, value);
	else
		a64_set(l, l->insn.rd, value);
}

/* a: releases. Faults whether it would succeed or not. */
LIFTER(a64_stxr)
{
	bool pair = aarch64_op_attributes(l->insn.op) & AA_PAIR;
	enum ir_type type = pair ? pair_type(l) : a64_memory_type(l);
	ir_ref address = address_of(l);
	ir_ref value = pair ? pair_get(l, l->insn.rd, l->insn.ra) : ir_trunc(&l->b, type, a64_x(l, l->insn.rd));
	ir_ref host = translate(l, IR_ACCESS_RW, type, address);

	(void)b;
	a64_set(l, l->insn.rm,
		ir_emit(&l->b, IR_SC, IR_I64, IR_MEM(type, 0, order(false, a)), host, value, address));
}

LIFTER(a64_clrex)
{
	(void)a, (void)b;
	ir_call(&l->b, IR_VOID, A64_HELPER_CLREX, 0, NULL);
}

/* ---- LSE ---------------------------------------------------------------- */

/* Rs is compared with memory and gets what it held; Rt is what goes there. */
LIFTER(a64_cas)
{
	enum ir_type type = a64_memory_type(l);
	ir_ref address = address_of(l);
	ir_ref expected = ir_trunc(&l->b, type, a64_x(l, l->insn.rm));
	ir_ref value = ir_trunc(&l->b, type, a64_x(l, l->insn.rd));
	ir_ref host = translate(l, IR_ACCESS_RW, type, address);
	unsigned aux = IR_MEM(type, 0, order(l->insn.acquire, l->insn.release));

	(void)a, (void)b;
	a64_set(l, l->insn.rm, ir_emit(&l->b, IR_CAS, type, aux, host, expected, value));
}

LIFTER(a64_casp)
{
	enum ir_type type = pair_type(l);
	ir_ref address = address_of(l);
	ir_ref expected = pair_get(l, l->insn.rm, l->insn.rm + 1u);
	ir_ref value = pair_get(l, l->insn.rd, l->insn.rd + 1u);
	ir_ref host = translate(l, IR_ACCESS_RW, type, address);
	unsigned aux = IR_MEM(type, 0, order(l->insn.acquire, l->insn.release));

	(void)a, (void)b;
	pair_set(l, l->insn.rm, l->insn.rm + 1u, ir_emit(&l->b, IR_CAS, type, aux, host, expected, value));
}

/* a: the operation. */
LIFTER(a64_atomic)
{
	enum ir_type type = a64_memory_type(l);
	ir_ref address = address_of(l);
	ir_ref value = ir_trunc(&l->b, type, a64_x(l, l->insn.rm));
	ir_ref host = translate(l, IR_ACCESS_RW, type, address);
	unsigned aux = IR_MEM_RMW(type, order(l->insn.acquire, l->insn.release), a);

	(void)b;
	a64_set(l, l->insn.rd, ir_emit(&l->b, IR_RMW, type, aux, host, value, 0));
}

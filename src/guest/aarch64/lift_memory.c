/* Loads and stores of general registers, barriers, cache blocks. Accesses of
 * whatever alignment are allowed, but of ordered and exclusive ones. */
#include "guest/aarch64/lift.h"

enum ir_type
a64_memory_type(const struct lifter *l)
{
	static const uint8_t types[5] = { IR_I8, IR_I16, IR_I32, IR_I64, IR_I128 };

	return (enum ir_type)types[aarch64_access_log2(&l->insn)];
}

static unsigned
bytes_of(enum ir_type type)
{
	return ir_type_bits(type) / 8;
}

/* a: sign-extends; b: enum ir_order. */
LIFTER(a64_load)
{
	enum ir_type type = a64_memory_type(l);
	struct a64_place at = a64_access(l, IR_ACCESS_R, bytes_of(type), b ? aarch64_access_log2(&l->insn) : 0);
	/* What is extended to 32 bits ends there. */
	enum ir_type to = a && type != IR_I32 ? a64_type(l) : IR_I64;
	ir_ref value = ir_load(&l->b, to, IR_MEM(type, a, b), at.host, at.disp);

	a64_set(l, l->insn.rd, value);
	a64_write_back(l, &at);
}

/* b: enum ir_order. */
LIFTER(a64_store)
{
	enum ir_type type = a64_memory_type(l);
	ir_ref value = a64_x(l, l->insn.rd);
	struct a64_place at = a64_access(l, IR_ACCESS_W, bytes_of(type), b ? aarch64_access_log2(&l->insn) : 0);

	(void)a;
	ir_store(&l->b, IR_MEM(type, 0, b), at.host, value, at.disp);
	a64_write_back(l, &at);
}

/* a: sign-extends. */
LIFTER(a64_load_pair)
{
	enum ir_type type = a64_memory_type(l);
	int32_t size = (int32_t)bytes_of(type);
	struct a64_place at = a64_access(l, IR_ACCESS_R, 2 * (unsigned)size, 0);
	ir_ref first = ir_load(&l->b, IR_I64, IR_MEM(type, a, IR_RELAXED), at.host, at.disp);
	ir_ref second = ir_load(&l->b, IR_I64, IR_MEM(type, a, IR_RELAXED), at.host, at.disp + size);

	(void)b;
	a64_set(l, l->insn.rd, first);
	a64_set(l, l->insn.ra, second);
	a64_write_back(l, &at);
}

LIFTER(a64_store_pair)
{
	enum ir_type type = a64_memory_type(l);
	int32_t size = (int32_t)bytes_of(type);
	ir_ref first = a64_x(l, l->insn.rd), second = a64_x(l, l->insn.ra);
	struct a64_place at = a64_access(l, IR_ACCESS_W, 2 * (unsigned)size, 0);

	(void)a, (void)b;
	ir_store(&l->b, IR_MEM(type, 0, IR_RELAXED), at.host, first, at.disp);
	ir_store(&l->b, IR_MEM(type, 0, IR_RELAXED), at.host, second, at.disp + size);
	a64_write_back(l, &at);
}

/* ---- barriers ----------------------------------------------------------- */

/* DMB, DSB: bits 1:0 of CRm say which accesses (1: loads before, 2: stores before
 * and after). */
LIFTER(a64_barrier)
{
	enum { W = 1, R = 2 };
	unsigned kind = (unsigned)l->insn.imm & 3;
	unsigned before = kind == 1 ? R : kind == 2 ? W : R | W, after = kind == 2 ? W : R | W;

	(void)a, (void)b;
	ir_emit(&l->b, IR_FENCE, IR_VOID, IR_FENCE(before, after), 0, 0, 0);
}

/* What was written as data may be code now: everything after is looked up. */
LIFTER(a64_isb)
{
	(void)a, (void)b;
	ir_exit_lookup(&l->b, l->next);
	l->ended = true;
}

/* ---- cache blocks ------------------------------------------------------- */

/* Maintenance: memory is coherent, but an address that cannot be accessed
 * faults. */
LIFTER(a64_cache_touch)
{
	ir_ref address = a64_untagged(l, a64_x(l, l->insn.rd));
	ir_ref host = ir_xlate(&l->b, IR_ACCESS_R, 0, address, 0, 1);

	(void)a, (void)b;
	ir_load(&l->b, IR_I64, IR_MEM(IR_I8, 0, IR_RELAXED), host, 0);
}

/* The block that holds the address; it lies in one page, so it faults whole. */
LIFTER(a64_dc_zva)
{
	ir_ref mask = ir_const(&l->b, IR_I64, -(uint64_t)AARCH64_CACHE_BLOCK);
	ir_ref block = ir_binary(&l->b, IR_AND, a64_untagged(l, a64_x(l, l->insn.rd)), mask);
	ir_ref host = ir_xlate(&l->b, IR_ACCESS_W, 0, block, 0, AARCH64_CACHE_BLOCK);
	ir_ref zero = ir_const(&l->b, IR_I64, 0);

	(void)a, (void)b;
	for (unsigned i = 0; i < AARCH64_CACHE_BLOCK; i += 8)
		ir_store(&l->b, IR_MEM(IR_I64, 0, IR_RELAXED), host, zero, (int32_t)i);
}

/* Random regions of the toy guest: straight lines of guest instructions with
 * side exits, checks, memory accesses, helper calls and floating point, under
 * the rules that hold for lifters: in an instruction whatever may leave comes
 * first, then at most one op that changes memory or other state, then SETs.
 * Values of earlier instructions stay in use at random, so that many more are
 * alive than there are registers and slots are overwritten under them. */
#ifndef TEST_UNIT_CODEGEN_RANDOM_H
#define TEST_UNIT_CODEGEN_RANDOM_H

#include "codegen_run.h"

enum { POOL = 512, REGION_OPS = 4096 };

/* What is known while a region is made. */
struct maker {
	struct ir_builder b;
	struct ir_region region;
	ir_ref value[IR_TYPE_COUNT][POOL]; /* in scope, by type */
	unsigned count[IR_TYPE_COUNT];
	bool raw;       /* emits ops as they are, without folding */
	unsigned fp;    /* percentage of floating-point ops */
	unsigned memory; /* of memory ops */
	unsigned flags; /* of ops on flags */
	unsigned vectors; /* of vector ops */
	unsigned reach; /* how far back operands are taken from */
	int32_t pc;
};

static ir_ref
keep(struct maker *m, ir_ref ref)
{
	enum ir_type type = (enum ir_type)m->region.ins[ref].type;

	m->value[type][m->count[type]++ % POOL] = ref;
	return ref;
}

static ir_ref
make(struct maker *m, enum ir_op op, enum ir_type type, unsigned aux, ir_ref x, ir_ref y, ir_ref z)
{
	if (m->raw)
		return keep(m, ir_emit(&m->b, op, type, aux, x, y, z));
	return keep(m, ir_fold(&m->b, op, type, aux, x, y, z));
}

static ir_ref
get_slot(struct maker *m, unsigned slot)
{
	if (m->raw)
		return ir_emit(&m->b, IR_GET, (enum ir_type)toy_slot[slot].type, slot, 0, 0, 0);
	return ir_get(&m->b, slot);
}

static void
set_slot(struct maker *m, unsigned slot, ir_ref value)
{
	if (m->raw)
		ir_emit(&m->b, IR_SET, IR_VOID, slot, value, 0, 0);
	else
		ir_set(&m->b, slot, value);
}

/* One made before, or 0. */
static ir_ref
old_value(struct maker *m, enum ir_type type)
{
	unsigned count = m->count[type] < POOL ? m->count[type] : POOL, reach = count < m->reach ? count : m->reach;

	if (!count)
		return 0;
	return m->value[type][(m->count[type] - 1 - below(percent(80) ? reach : count)) % POOL];
}

static ir_ref any(struct maker *m, enum ir_type type);

static ir_ref
fresh_value(struct maker *m, enum ir_type type)
{
	unsigned slot = percent(60) ? below(12) : below(32);

	switch ((int)type) {
	case IR_I8:
	case IR_I16:
	case IR_I32:
		if (percent(30))
			return ir_const(&m->b, type, random_int());
		return make(m, IR_TRUNC, type, 0, any(m, type == IR_I8 && percent(50) ? IR_I32 : IR_I64), 0, 0);
	case IR_I64:
		if (percent(20))
			return ir_const(&m->b, IR_I64, random_int());
		if (percent(3))
			return keep(m, ir_pc(&m->b, (int32_t)below(0x1000) - 0x800));
		return keep(m, get_slot(m, slot));
	case IR_F32:
		if (percent(10))
			return ir_const(&m->b, IR_F32, random_f32());
		if (m->vectors && percent(80))
			return keep(m, ir_emit(&m->b, IR_VEXTRACT, IR_F32, IR_F32, any(m, IR_V128), 0, percent(80) ? 0 : below(4)));
		return make(m, IR_UNBOX, IR_F32, 0, get_slot(m, INTS + (percent(98) ? slot | 1 : slot)), 0, 0);
	case IR_F64:
		if (percent(10))
			return ir_const(&m->b, IR_F64, random_f64());
		if (m->vectors && percent(80))
			return keep(m, ir_emit(&m->b, IR_VEXTRACT, IR_F64, IR_F64, any(m, IR_V128), 0, percent(80) ? 0 : 1));
		return keep(m, get_slot(m, INTS + (slot & ~1u)));
	case IR_V128:
		if (percent(5))
			return make(m, IR_VSPLAT, IR_V128, IR_I16, ir_const(&m->b, IR_I16, random_int() & 0xffff), 0, 0);
		if (percent(5))
			return ir_const(&m->b, IR_V128, percent(50) ? 0 : random64());
		return keep(m, get_slot(m, VECTOR_FIRST + below(VECTORS)));
	case IR_V64:
		if (percent(5))
			return ir_const(&m->b, IR_V64, percent(50) ? 0 : random_half());
		return make(m, percent(80) ? IR_VRESIZE : IR_VHIGH, IR_V64, 0, any(m, IR_V128), 0, 0);
	case IR_F16:
		return make(m, IR_FCVT, IR_F16, IR_FP(IR_RDYN, IR_NAN_ARM, IR_FP_TINY_BEFORE, 0), any(m, IR_F32), 0, 0);
	case IR_FLAGS:
		if (percent(20))
			return ir_const(&m->b, IR_FLAGS, below(128));
		return keep(m, get_slot(m, TOY_FLAGS_SLOT));
	}
	return 0;
}

static ir_ref
any(struct maker *m, enum ir_type type)
{
	ir_ref old = percent(65) ? old_value(m, type) : 0;

	return old ? old : fresh_value(m, type);
}

static enum ir_type
any_int_type(void)
{
	static const uint8_t types[] = { IR_I64, IR_I64, IR_I64, IR_I32, IR_I32, IR_I16, IR_I8 };

	return (enum ir_type)types[below(ARRAY_LEN(types))];
}

/* ---- integer ------------------------------------------------------------ */

static void
make_extension(struct maker *m)
{
	enum ir_type from = (enum ir_type)(IR_I8 + below(4)), to = (enum ir_type)(from + below(IR_I64 - from + 1));
	enum ir_type operand = percent(50) ? to : from;

	make(m, percent(50) ? IR_SEXT : IR_ZEXT, to, from, any(m, operand), 0, 0);
}

static void
make_compare(struct maker *m)
{
	enum ir_type of = any_int_type();
	ir_ref x = any(m, of), y = percent(5) ? x : any(m, of);

	make(m, IR_ICMP, percent(80) ? IR_I64 : any_int_type(), below(IR_UGE + 1), x, y, 0);
}

static ir_ref make_condition(struct maker *m, enum ir_type type);

static void
make_select(struct maker *m)
{
	enum ir_type type = any_int_type();
	ir_ref yes = any(m, type), no = any(m, type), condition;

	if (percent(30))
		make_condition(m, IR_I64);
	else if (percent(60))
		make_compare(m);
	condition = percent(70) ? (ir_ref)(m->region.ins_count - 1) : any(m, any_int_type());
	if (m->region.ins[condition].type < IR_I8 || m->region.ins[condition].type > IR_I64)
		condition = any(m, IR_I64);
	make(m, IR_SELECT, type, 0, condition, yes, no);
}

static void
make_bits(struct maker *m)
{
	enum ir_type type = percent(50) ? IR_I64 : IR_I32, part = (enum ir_type)(IR_I8 + below(percent(80) ? 3 : 4));
	ir_ref x = any(m, type);

	switch (below(5)) {
	case 0:
		if (percent(20)) {
			type = IR_I16;
			x = any(m, IR_I16);
		}
		x = make(m, IR_BITREV, type, 0, x, 0, 0);
		if (percent(50) && m->region.ins[x].type >= IR_I32)
			make(m, IR_CLZ, (enum ir_type)m->region.ins[x].type, 0, x, 0, 0);
		break;
	case 1:
		if (part < type)
			make(m, IR_EXTRACT, part, below(ir_type_bits(type)), x, 0, 0);
		break;
	case 2:
		if (part <= type)
			make(m, IR_INSERT, type, below(ir_type_bits(type)), x, any(m, part), 0);
		break;
	case 3:
		part = (enum ir_type)(IR_I8 + below(4));
		make(m, IR_CRC32, IR_I32, below(2), any(m, IR_I32), any(m, part), 0);
		break;
	default:
		x = make(m, IR_PAIR, IR_I128, 0, any(m, IR_I64), any(m, IR_I64), 0);
		if (m->raw)
			make(m, IR_TRUNC, IR_I64, 0, x, 0, 0);
		make(m, IR_EXTRACT, IR_I64, 64, x, 0, 0);
	}
}

static void
make_int(struct maker *m)
{
	static const uint8_t narrow[] = { IR_ADD, IR_SUB, IR_AND, IR_OR, IR_XOR, IR_ANDN, IR_NOT, IR_NEG, IR_MUL };
	static const uint8_t wide[] = { IR_ADD, IR_ADD, IR_SUB, IR_SUB, IR_AND, IR_OR, IR_XOR, IR_ANDN, IR_NOT, IR_NEG,
					IR_MUL, IR_MULHS, IR_MULHU, IR_MULHSU, IR_SDIV, IR_UDIV, IR_SREM, IR_UREM,
					IR_SHL, IR_LSHR, IR_ASHR, IR_ROTL, IR_ROTR, IR_SHL, IR_LSHR, IR_ASHR, IR_SMIN, IR_SMAX,
					IR_UMIN, IR_UMAX, IR_CLZ, IR_CTZ, IR_POPCNT, IR_BSWAP, IR_COPY };
	enum ir_type type = any_int_type();
	enum ir_op op;
	ir_ref x, y = 0;
	unsigned aux = 0;

	switch (below(11)) {
	case 10: make_bits(m); return;
	case 0: make_extension(m); return;
	case 1: make_compare(m); return;
	case 2: make_select(m); return;
	default: break;
	}
	op = (enum ir_op)(type < IR_I32 ? narrow[below(ARRAY_LEN(narrow))] : wide[below(ARRAY_LEN(wide))]);
	if (type == IR_I64 && percent(3))
		op = percent(50) ? IR_ORCB : percent(50) ? IR_CLMUL : IR_CLMULH;
	x = any(m, type);
	if (ir_op_info[op].operands[1] != '.')
		y = percent(8) ? x : percent(30) ? ir_const(&m->b, type, random_int()) : any(m, type);
	if (op >= IR_SDIV && op <= IR_UREM)
		aux = below(2);
	make(m, op, type, aux, x, y, 0);
}

/* ---- flags -------------------------------------------------------------- */

/* An arithmetic op and the flags of the same operands, in either order. */
static void
make_sum(struct maker *m)
{
	bool minus = percent(60), carry = percent(30), arm = percent(80);
	enum ir_type type = carry || percent(80) ? (percent(50) ? IR_I64 : IR_I32) : any_int_type();
	enum ir_op op = carry ? (minus ? IR_SBC : IR_ADC) : minus ? IR_SUB : IR_ADD;
	enum ir_op flags = carry ? (minus ? IR_FLAGS_SBC : IR_FLAGS_ADC) : minus ? IR_FLAGS_SUB : IR_FLAGS_ADD;
	ir_ref x = any(m, type), y = percent(5) ? x : percent(30) ? ir_const(&m->b, type, random_int()) : any(m, type);
	ir_ref c = carry ? any(m, IR_FLAGS) : 0;
	bool first = percent(20);

	if (first)
		make(m, flags, IR_FLAGS, arm, x, y, c);
	if (percent(80))
		make(m, op, type, op == IR_SBC ? arm : 0, x, y, c);
	if (!first)
		make(m, flags, IR_FLAGS, arm, x, y, c);
}

static void
make_logic(struct maker *m)
{
	static const uint8_t ops[] = { IR_AND, IR_AND, IR_AND, IR_OR, IR_ANDN };
	enum ir_type type = any_int_type();
	ir_ref x = any(m, type), y = percent(50) ? ir_const(&m->b, type, random_int()) : any(m, type);

	if (percent(80))
		x = make(m, (enum ir_op)ops[below(ARRAY_LEN(ops))], type, 0, x, y, 0);
	if (m->region.ins[x].type != IR_FLAGS)
		make(m, IR_FLAGS_LOGIC, IR_FLAGS, percent(80), x, 0, 0);
}

static ir_ref
make_condition(struct maker *m, enum ir_type type)
{
	return make(m, IR_COND, type, below(IR_PO + 1), any(m, IR_FLAGS), 0, 0);
}

static void
make_flags(struct maker *m)
{
	enum ir_type type = percent(50) ? IR_F64 : IR_F32;
	ir_ref x, y;

	switch (below(12)) {
	default: make_sum(m); break;
	case 0:
	case 1: make_logic(m); break;
	case 2:
		x = any(m, type);
		make(m, IR_FLAGS_FCMP, IR_FLAGS, IR_FP(IR_RDYN, IR_NAN_ARM, 0, below(2) ? IR_FP_SIGNALING : 0), x,
		     percent(10) ? x : any(m, type), 0);
		break;
	case 3:
		x = percent(80) ? make_condition(m, IR_I64) : any(m, IR_I64);
		y = any(m, IR_FLAGS);
		make(m, IR_FLAGS_SELECT, IR_FLAGS, 0, x, y,
		     percent(70) ? ir_const(&m->b, IR_FLAGS, below(128)) : any(m, IR_FLAGS));
		break;
	case 4:
		if (percent(30))
			make(m, IR_FLAGS_MERGE, IR_FLAGS, below(64), any(m, IR_FLAGS), any(m, IR_FLAGS), 0);
		else if (percent(40))
			make(m, IR_FLAGS_PACK, IR_FLAGS, below(2), any(m, any_int_type()), 0, 0);
		else if (percent(50))
			make(m, IR_FLAGS_BITS, IR_I64, 0, any(m, IR_FLAGS), 0, 0);
		break;
	case 5: make_condition(m, any_int_type()); break;
	}
	if (percent(70))
		set_slot(m, TOY_FLAGS_SLOT, m->count[IR_FLAGS] && percent(80) ? old_value(m, IR_FLAGS) : any(m, IR_FLAGS));
}

/* ---- floating point ----------------------------------------------------- */

static void
make_conversion(struct maker *m)
{
	static const uint8_t rounds[] = { IR_RDYN, IR_RDYN, IR_RTZ, IR_RTZ, IR_RNE, IR_RDN, IR_RUP, IR_RMM };
	unsigned round = rounds[below(ARRAY_LEN(rounds))], sign = below(4) != 0;
	enum ir_type fp = percent(50) ? IR_F64 : IR_F32, integer = percent(50) ? IR_I64 : IR_I32;

	switch (below(4)) {
	case 0:
		make(m, IR_F2I, integer, IR_FP(round, IR_NAN_RISCV, 0, IR_F2I_RISCV | sign << 2), any(m, fp), 0, 0);
		break;
	case 1:
		make(m, IR_I2F, fp, IR_FP(round, IR_NAN_RISCV, 0, sign), any(m, integer), 0, 0);
		break;
	case 2:
		make(m, IR_FCVT, fp, IR_FP(IR_RDYN, IR_NAN_RISCV, 0, 0), any(m, fp == IR_F64 ? IR_F32 : IR_F64), 0, 0);
		break;
	default:
		make(m, IR_FRINT, fp, IR_FP(round, IR_NAN_RISCV, 0, below(2)), any(m, fp), 0, 0);
	}
}

static void
make_fp_bits(struct maker *m, enum ir_type type)
{
	enum ir_type same = type == IR_F64 ? IR_I64 : IR_I32;
	ir_ref x = any(m, type);

	switch (below(7)) {
	case 0: make(m, IR_FNEG, type, 0, x, 0, 0); break;
	case 1: make(m, IR_FABS, type, 0, x, 0, 0); break;
	case 2: make(m, IR_FSGNJ, type, below(3), x, percent(30) ? x : any(m, type), 0); break;
	case 3: make(m, IR_BITCAST, same, 0, x, 0, 0); break;
	case 4: make(m, IR_BITCAST, type, 0, any(m, same), 0, 0); break;
	case 5:
		if (percent(10))
			make(m, IR_FCLASS, IR_I64, 0, x, 0, 0);
		break;
	default:
		if (type == IR_F32)
			m->value[IR_F64][0] = make(m, IR_BOX, IR_F64, 0, x, 0, 0);
	}
}

static void
make_fp(struct maker *m)
{
	static const uint8_t two[] = { IR_FADD, IR_FSUB, IR_FMUL, IR_FDIV, IR_FMIN, IR_FMAX };
	enum ir_type type = percent(50) ? IR_F64 : IR_F32;
	unsigned aux = IR_FP(IR_RDYN, IR_NAN_RISCV, 0, 0);
	ir_ref x = any(m, type), y = percent(8) ? x : any(m, type);

	switch (below(12)) {
	case 0: make_conversion(m); break;
	case 1: make(m, IR_FSQRT, type, aux, x, 0, 0); break;
	case 2: make(m, IR_FMA, type, IR_FP(IR_RDYN, IR_NAN_RISCV, 0, below(4)), x, y, any(m, type)); break;
	case 3:
		make(m, IR_FCMP, IR_I64, IR_FP(IR_RDYN, IR_NAN_RISCV, 0, below(4) | below(2) << 3), x, y, 0);
		break;
	case 4:
	case 5: make_fp_bits(m, type); break;
	case 6:
		if (percent(30))
			make(m, IR_AND, IR_I64, 0, ir_emit(&m->b, IR_FPFLAGS_GET, IR_I64, 0, 0, 0, 0),
			     ir_const(&m->b, IR_I64, ~32ull), 0);
		break;
	default: make(m, (enum ir_op)two[below(percent(80) ? 4 : 6)], type, aux, x, y, 0);
	}
}

#include "codegen_vectors.h"

/* ---- memory ------------------------------------------------------------- */

/* A guest address that is nearly always good for size bytes at + disp. */
static ir_ref
make_address(struct maker *m, int32_t *disp, unsigned size)
{
	ir_ref pointer = keep(m, get_slot(m, percent(50) ? POINTER_A : POINTER_B));

	*disp = percent(97) ? (int32_t)below(1024) - 64 : (int32_t)below(8192) - 2048;
	if (percent(60))
		*disp &= -(int32_t)size;
	if (percent(30))
		pointer = make(m, IR_ADD, IR_I64, 0, pointer,
			       make(m, IR_AND, IR_I64, 0, any(m, IR_I64), ir_const(&m->b, IR_I64, 0x3f8), 0), 0);
	return pointer;
}

static ir_ref
make_xlate(struct maker *m, enum ir_access access, unsigned align, ir_ref address, int32_t disp, unsigned size)
{
	return ir_xlate(&m->b, access, align, address, disp, disp + (int32_t)size);
}

static enum ir_type
fp_memory_type(const struct maker *m)
{
	if (m->vectors && percent(60))
		return percent(70) ? IR_V128 : percent(50) ? IR_V64 : IR_F16;
	return percent(50) ? IR_F64 : IR_F32;
}

static void
make_load(struct maker *m)
{
	enum ir_type type = percent(25) ? fp_memory_type(m) : any_int_type(), memory = type;
	unsigned sign = below(2), order = percent(90) ? IR_RELAXED : below(5);
	int32_t disp;
	ir_ref address;

	if (type <= IR_I64)
		memory = (enum ir_type)(IR_I8 + below(type - IR_I8 + 1));
	address = make_address(m, &disp, ir_type_bits(memory) / 8);
	address = make_xlate(m, IR_ACCESS_R, 0, address, disp, ir_type_bits(memory) / 8);
	keep(m, ir_load(&m->b, type, IR_MEM(memory, memory <= IR_I64 ? sign : 0, order), address, disp));
}

static void
make_store(struct maker *m)
{
	enum ir_type type = percent(25) ? fp_memory_type(m) : any_int_type(), memory = type;
	unsigned order = percent(90) ? IR_RELAXED : below(5);
	int32_t disp;
	ir_ref address, value = any(m, type);

	if (type <= IR_I64)
		memory = (enum ir_type)(IR_I8 + below(type - IR_I8 + 1));
	else if (percent(50) && type == IR_F64)
		memory = IR_F32;
	address = make_address(m, &disp, ir_type_bits(memory) / 8);
	address = make_xlate(m, IR_ACCESS_W, 0, address, disp, ir_type_bits(memory) / 8);
	ir_store(&m->b, IR_MEM(memory, 0, order), address, value, disp);
}

static ir_ref
make_pair(struct maker *m)
{
	return ir_emit(&m->b, IR_PAIR, IR_I128, 0, any(m, IR_I64), any(m, IR_I64), 0);
}

/* Of 16 bytes. */
static void
make_wide_atomic(struct maker *m)
{
	unsigned aux = IR_MEM(IR_I128, 0, below(5));
	ir_ref x = make_pair(m), y = make_pair(m), address = keep(m, get_slot(m, percent(70) ? POINTER_A : POINTER_B)), host;

	address = make(m, IR_AND, IR_I64, 0, address, ir_const(&m->b, IR_I64, -16ull), 0);
	host = make_xlate(m, IR_ACCESS_RW, 4, address, 0, 16);
	switch (below(3)) {
	case 0: x = ir_emit(&m->b, IR_CAS, IR_I128, aux, host, x, y); break;
	case 1: x = ir_emit(&m->b, IR_LL, IR_I128, aux, host, address, 0); break;
	default: keep(m, ir_emit(&m->b, IR_SC, IR_I64, aux, host, x, address)); return;
	}
	keep(m, ir_emit(&m->b, IR_TRUNC, IR_I64, 0, x, 0, 0));
	if (percent(80))
		keep(m, ir_emit(&m->b, IR_EXTRACT, IR_I64, 64, x, 0, 0));
}

/* RMW CAS LL SC: aligned to their size by the address mask, mostly. */
static void
make_atomic(struct maker *m)
{
	enum ir_type type = percent(50) ? IR_I64 : IR_I32, memory = percent(80) ? type : (enum ir_type)(IR_I8 + below(2));
	unsigned size = ir_type_bits(memory) / 8, order = below(5);
	ir_ref x = any(m, type), y = any(m, type), address, host;

	if (memory < IR_I32)
		type = memory, x = any(m, type), y = any(m, type);
	address = keep(m, get_slot(m, percent(70) ? POINTER_A : POINTER_B));
	if (percent(30))
		address = make(m, IR_ADD, IR_I64, 0, address, ir_const(&m->b, IR_I64, 8 * below(16)), 0);
	host = make_xlate(m, IR_ACCESS_RW, (unsigned)__builtin_ctz(size), address, 0, size);
	if (percent(15)) {
		make_wide_atomic(m);
		return;
	}
	switch (below(memory < IR_I32 ? 2 : 4)) {
	case 0:
		keep(m, ir_emit(&m->b, IR_RMW, type, IR_MEM_RMW(memory, order, below(IR_RMW_ANDN + 1)), host, x, 0));
		break;
	case 1:
		keep(m, ir_emit(&m->b, IR_CAS, type, IR_MEM(memory, 0, order), host, x, y));
		break;
	case 2:
		keep(m, ir_emit(&m->b, IR_LL, type, IR_MEM(type, 0, order), host, address, 0));
		break;
	default:
		keep(m, ir_emit(&m->b, IR_SC, percent(50) ? IR_I64 : IR_I32, IR_MEM(type, 0, order), host, x, address));
	}
}

static void
make_call(struct maker *m)
{
	unsigned helper = below(TOY_HELPERS);
	ir_ref argument[3];
	ir_ref call;

	for (unsigned i = 0; i < toy_helper[helper].arguments; i++)
		argument[i] = any(m, percent(90) ? IR_I64 : any_int_type());
	call = ir_call(&m->b, percent(90) ? IR_I64 : IR_VOID, helper, toy_helper[helper].arguments, argument);
	if (m->region.ins[call].type == IR_I64)
		keep(m, call);
}

/* ---- instructions ------------------------------------------------------- */

static void
make_state_op(struct maker *m)
{
	switch (below(8)) {
	case 0:
	case 1:
	case 2:
	case 3: make_store(m); break;
	case 4:
	case 5: make_atomic(m); break;
	case 6: make_call(m); break;
	default:
		if (percent(30))
			ir_emit(&m->b, IR_FENCE, IR_VOID, IR_FENCE(below(16), below(16)), 0, 0, 0);
		else if (percent(50))
			ir_emit(&m->b, IR_FPFLAGS_SET, IR_VOID, 0, any(m, IR_I64), 0, 0);
		else
			ir_emit(&m->b, IR_FPROUND_SET, IR_VOID, 0, ir_const(&m->b, IR_I64, below(4)), 0, 0);
	}
}

/* A SET of any slot, often of the value just made. */
static void
make_set(struct maker *m)
{
	unsigned slot = percent(60) ? below(12) : below(32);
	ir_ref last = m->region.ins_count - 1;

	if (slot == POINTER_A || slot == POINTER_B)
		slot = 0;
	if (m->vectors && percent(m->vectors)) {
		set_slot(m, VECTOR_FIRST + below(VECTORS), m->region.ins[last].type == IR_V128 ? last : any(m, IR_V128));
		return;
	}
	if (percent(50) && m->region.ins[last].type == IR_I64)
		set_slot(m, slot, last);
	else if (percent(50) && m->region.ins[last].type == IR_F64 && m->region.ins[last].op != IR_BOX)
		set_slot(m, INTS + (slot & ~1u), last);
	else if (percent(50) && m->region.ins[last].type == IR_F32)
		set_slot(m, INTS + (slot | 1), make(m, IR_BOX, IR_F64, 0, last, 0, 0));
	else if (m->fp && percent(m->fp / 2) && m->count[IR_F32])
		set_slot(m, INTS + (slot | 1), make(m, IR_BOX, IR_F64, 0, old_value(m, IR_F32), 0, 0));
	else if (percent(m->fp))
		set_slot(m, INTS + (slot & ~1u), any(m, IR_F64));
	else
		set_slot(m, slot, any(m, IR_I64));
}

static void
make_at(struct maker *m)
{
	ir_at(&m->b, m->pc, 4);
	m->pc += 4;
}

static void
make_instruction(struct maker *m)
{
	bool made_flags = false;

	make_at(m);
	for (unsigned n = 1 + below(3); n > 0; n--) {
		if (percent(m->fp))
			make_fp(m);
		else if (percent(m->vectors))
			make_vector(m);
		else if (percent(m->flags))
			made_flags = true;
		else if (percent(m->memory))
			make_load(m);
		else
			make_int(m);
	}
	if (percent(4)) {
		ir_ref condition = make(m, IR_ICMP, IR_I64, IR_EQ, any(m, IR_I64), ir_const(&m->b, IR_I64, random64()), 0);

		ir_check(&m->b, IR_TRAP_DIVIDE, percent(50) ? condition : old_value(m, IR_I64), 17);
	}
	if (percent(m->memory)) {
		make_state_op(m);
		if (percent(60))
			make_set(m);
		return;
	}
	if (made_flags) /* SETs the slot: after all that may leave */
		make_flags(m);
	for (unsigned n = below(3); n > 0; n--)
		make_set(m);
}

/* A conditional branch out of the trunk, one way round or the other. */
static void
make_branch(struct maker *m)
{
	uint32_t here = m->region.block_count - 1;
	bool out_first = percent(50);
	ir_ref condition;

	make_at(m);
	if (m->flags && percent(60)) {
		condition = make_condition(m, IR_I64);
	} else if (percent(75)) {
		enum ir_type of = any_int_type();
		ir_ref x = any(m, of), y = percent(40) ? ir_const(&m->b, of, random_int()) : any(m, of);

		condition = make(m, IR_ICMP, percent(50) ? IR_I64 : IR_I8, below(IR_UGE + 1), x, y, 0);
	} else {
		condition = any(m, any_int_type());
	}
	ir_br(&m->b, condition, here + (out_first ? 1 : 2), here + (out_first ? 2 : 1));
	ir_block(&m->b, true);
	ir_exit_jump(&m->b, (int32_t)below(0x2000) - 0x1000);
	ir_block(&m->b, true);
}

static void
make_end(struct maker *m)
{
	static const uint8_t kinds[] = { IR_EXIT_INDIRECT, IR_EXIT_ICALL, IR_EXIT_RETURN };
	int32_t out = (int32_t)(below(0x2000) - 0x1000) & -2;
	ir_ref value;

	make_at(m);
	switch (below(7)) {
	case 0:
	case 1: ir_exit_jump(&m->b, out); break;
	case 2:
		if (percent(80))
			set_slot(m, percent(80) ? 1 : 25, ir_pc(&m->b, m->pc));
		ir_exit_call(&m->b, out, m->pc);
		break;
	case 3: ir_exit_trap(&m->b, percent(50) ? IR_TRAP_SYSCALL : IR_TRAP_BREAKPOINT, m->pc - 4, m->pc); break;
	case 4: ir_exit_lookup(&m->b, out); break;
	default:
		value = any(m, IR_I64);
		if (percent(50))
			value = make(m, IR_ADD, IR_I64, 0, value, ir_const(&m->b, IR_I64, random_int()), 0);
		value = make(m, IR_AND, IR_I64, 0, value, ir_const(&m->b, IR_I64, -2ull), 0);
		if (percent(40)) {
			set_slot(m, percent(80) ? 1 : 25, ir_pc(&m->b, m->pc));
			ir_exit_value(&m->b, IR_EXIT_ICALL, value, m->pc);
		} else {
			ir_exit_value(&m->b, (enum ir_exit_kind)kinds[below(3)], value, m->pc);
		}
	}
}

/* The maker is reused from region to region. */
static inline const struct ir_region *
make_region(struct maker *m, unsigned instructions, bool vectors)
{
	static const uint8_t fp[] = { 0, 0, 10, 30, 60, 90 };

	arena_reset(&region_arena);
	memset(m->count, 0, sizeof m->count);
	m->raw = percent(40);
	m->fp = fp[below(ARRAY_LEN(fp))];
	m->memory = percent(50) ? 10 : 30;
	m->flags = percent(60) ? below(80) : 0;
	m->vectors = vectors ? 30 + below(60) : 0;
	m->reach = percent(50) ? 4 : 40;
	m->pc = 0;
	toy_begin(&m->b, &m->region);
	for (unsigned i = 0; i < instructions; i++) {
		if (percent(7))
			make_branch(m);
		else
			make_instruction(m);
	}
	make_end(m);
	CHECK(ir_build_end(&m->b));
	return &m->region;
}

/* ---- taken sides -------------------------------------------------------- */

/* Turns around branches that leave early and takes out checks that fire, so
 * that the region is mostly run to its end. */
static inline void
straighten(struct ir_region *region, unsigned how)
{
	struct ir_eval eval;

	for (unsigned tries = 0; tries < 40 && percent(93); tries++) {
		ir_ref at = 0, end = 0;
		int64_t stop;

		arena_reset(&compile_arena);
		if (!toy_eval(region, how, &eval))
			return;
		stop = eval.at;
		for (ir_ref ref = 1; ref < region->ins_count; ref++) {
			struct ir_ins *ins = &region->ins[ref];

			if (ins->op == IR_AT)
				at = ins->imm == stop ? ref : 0;
			else if (at && ins->op == IR_CHECK && eval.before && eval.trap == IR_TRAP_DIVIDE)
				end = ref;
			else if (at && ins->op == IR_BR)
				end = ref;
		}
		if (!end)
			return;
		if (region->ins[end].op == IR_CHECK) {
			region->ins[end] = (struct ir_ins){ .op = IR_NOP };
		} else {
			uint32_t *words = &region->pool[region->ins[end].b], first = words[0];

			words[0] = words[2];
			words[2] = first;
		}
	}
}

#endif

/* The code generator against the evaluator, op by op: every integer, memory
 * and floating-point op in every type, with operands and results in boundary
 * registers, frame memory, constants and temporaries, on values at which
 * arithmetic breaks; as the host is and as x86-64-v2, with a guest base of
 * zero and without. */
#include "codegen_run.h"

/* Where an operand comes from; where the result goes. */
enum place { IN_BOUNDARY, IN_MEMORY, IN_CONSTANT, IN_TEMPORARY, IN_SAME, PLACES };
enum sink { TO_BOUNDARY, TO_MEMORY, TO_OPERAND, TO_NOTHING, TO_LATER, SINKS };

static struct ir_builder builder;
static struct ir_region region;
static struct ir_builder *const b = &builder;
static unsigned long ran_in_code, ran_elsewhere;

/* What op is being tried, for the message. */
static const char *what;
static unsigned what_type, what_aux, what_place[3], what_sink;

static ir_ref
op(enum ir_op code_op, enum ir_type type, unsigned aux, ir_ref x, ir_ref y, ir_ref z)
{
	return ir_emit(b, code_op, type, aux, x, y, z);
}

static void
try_now(unsigned how)
{
	struct outcome out;

	if (CHECK(toy_compare(&region, how, &out) && out.compiled == TARGET_OK)) {
		ran_elsewhere += out.kind == CODE_EXIT_INTERPRET;
		ran_in_code += out.kind != CODE_EXIT_INTERPRET;
		return;
	}
	if (check_failures > CHECK_SHOWN)
		return;
	fprintf(stderr, "%s type %u aux %#x places %u %u %u sink %u%s%s%s\n", what, what_type, what_aux, what_place[0],
		what_place[1], what_place[2], what_sink, how & HOW_BASELINE ? " baseline" : how & HOW_V3 ? " v3" : "",
		how & HOW_BASED ? " based" : "", how & HOW_FORCED ? " forced" : "");
	toy_show = true;
	toy_compare(&region, how, &out);
	toy_show = false;
	toy_print(&region);
	toy_dump();
}

/* ---- operands and results ----------------------------------------------- */

static void
begin(void)
{
	arena_reset(&region_arena);
	toy_begin(b, &region);
	ir_at(b, 0, 4);
	/* What an instruction before leaves. */
	ir_emit(b, IR_SET, IR_VOID, 9, ir_get(b, 8), 0, 0);
	ir_at(b, 4, 4);
}

static void
end(void)
{
	ir_at(b, 8, 4);
	ir_exit_lookup(b, 12);
	CHECK(ir_build_end(b));
}

/* Slot of operand number n in a place: 1 2 3 or 12 13 14; FP ones likewise. */
static unsigned
operand_slot(unsigned n, enum place place, bool fp)
{
	return (fp ? INTS : 0) + (place == IN_MEMORY ? 12 : 1) + n;
}

static ir_ref
operand(unsigned n, enum place place, enum ir_type type)
{
	bool fp = type == IR_F32 || type == IR_F64;
	ir_ref x = 0;

	what_place[n] = place;
	switch (place) {
	case IN_CONSTANT:
		return ir_const(b, type, !fp ? random_int() : type == IR_F64 ? random_f64() : random_f32());
	case IN_SAME:
	case IN_BOUNDARY:
	case IN_MEMORY:
	case IN_TEMPORARY:
	case PLACES:
		x = ir_get(b, operand_slot(place == IN_SAME ? 0 : n, place, fp));
	}
	if (place == IN_TEMPORARY)
		x = fp ? op(IR_FNEG, IR_F64, 0, x, 0, 0) : op(IR_XOR, IR_I64, 0, x, ir_const(b, IR_I64, 0x55), 0);
	if (type == IR_F32 && place == IN_TEMPORARY) /* keeps the box */
		x = op(IR_FNEG, IR_F64, 0, x, 0, 0);
	if (type == IR_F32)
		return op(IR_UNBOX, IR_F32, 0, x, 0, 0);
	return type == IR_I64 || fp ? x : op(IR_TRUNC, type, 0, x, 0, 0);
}

/* Makes the result a slot's, one way or another. */
static void
result(ir_ref x, enum sink sink, enum place a)
{
	enum ir_type type = (enum ir_type)region.ins[x].type;
	bool fp = type == IR_F32 || type == IR_F64;
	unsigned to = (fp ? INTS : 0) + (sink == TO_MEMORY ? 16 : 6);

	what_sink = sink;
	if (sink == TO_NOTHING)
		return;
	if (type == IR_F32)
		x = op(IR_BOX, IR_F64, 0, x, 0, 0);
	else if (!fp && type != IR_I64)
		x = op(below(2) ? IR_ZEXT : IR_SEXT, IR_I64, type, x, 0, 0);
	if (sink == TO_OPERAND)
		to = operand_slot(0, a, fp);
	op(IR_SET, IR_VOID, to, x, 0, 0);
	if (sink == TO_LATER) {
		/* Its slot is overwritten before it is used. */
		op(IR_SET, IR_VOID, to, ir_get(b, (fp ? INTS : 0) + 8), 0, 0);
		op(IR_SET, IR_VOID, to + 1, x, 0, 0);
		op(IR_SET, IR_VOID, to + 12, x, 0, 0);
	}
}

/* Containers of f32 operands are good boxes, nearly always. */
static void
state(unsigned how, enum ir_type fp)
{
	toy_random_state(how);
	if (fp != IR_F32 && fp != IR_F64)
		return;
	for (unsigned i = 0; i < 16; i++)
		toy_fp(i, fp == IR_F64 ? random_f64() : percent(99) ? 0xffffffff00000000 | random_f32() : random_f64());
}

/* One op in all places and sinks. `operands` of them of type `from`. */
static void
everywhere(enum ir_op o, enum ir_type type, unsigned aux, enum ir_type from, unsigned operands, unsigned values)
{
	what = ir_op_info[o].text;
	what_type = type;
	what_aux = aux;
	ran_in_code = 0;
	for (unsigned n = 0; n < PLACES * PLACES * SINKS; n++) {
		enum place pa = (enum place)(n % PLACES), pb = (enum place)(n / PLACES % PLACES);
		enum sink sink = (enum sink)(n / PLACES / PLACES);
		unsigned how = below(HOW_ALL);
		ir_ref x, y = 0, z = 0;

		if ((operands < 2 && pb) || pa == IN_SAME)
			continue;
		begin();
		x = operand(0, pa, from);
		if (operands > 1)
			y = pb == IN_SAME ? x : operand(1, pb, from);
		if (operands > 2)
			z = percent(10) ? x : operand(2, (enum place)below(IN_SAME), from);
		result(op(o, type, aux, x, y, z), sink, pa);
		end();
		for (unsigned i = 0; i < values; i++) {
			state(how, from);
			try_now(how);
		}
	}
}

/* ---- integers ----------------------------------------------------------- */

static void
test_integer(void)
{
	static const uint8_t two[] = { IR_ADD, IR_SUB, IR_AND, IR_OR, IR_XOR, IR_ANDN, IR_MUL, IR_MULHS, IR_MULHU,
				       IR_MULHSU, IR_SDIV, IR_UDIV, IR_SREM, IR_UREM, IR_SHL, IR_LSHR, IR_ASHR,
				       IR_ROTL, IR_ROTR, IR_SMIN, IR_SMAX, IR_UMIN, IR_UMAX, IR_CLMUL, IR_CLMULH };
	static const uint8_t one[] = { IR_NOT, IR_NEG, IR_CLZ, IR_CTZ, IR_POPCNT, IR_BSWAP, IR_BITREV, IR_ORCB, IR_COPY };

	for (unsigned type = IR_I8; type <= IR_I64; type++) {
		for (unsigned i = 0; i < ARRAY_LEN(two); i++) {
			everywhere(two[i], type, two[i] >= IR_SDIV && two[i] <= IR_UREM ? below(2) : 0, type, 2, 4);
			if (type >= IR_I32 && two[i] != IR_CLMUL && two[i] != IR_CLMULH)
				CHECK(ran_in_code > 0);
		}
		for (unsigned i = 0; i < ARRAY_LEN(one); i++)
			everywhere(one[i], type, 0, type, 1, 6);
		for (unsigned from = IR_I8; from <= IR_I64; from++) {
			if (from <= type) { /* and of wider operands */
				everywhere(IR_SEXT, type, from, type, 1, 6);
				everywhere(IR_ZEXT, type, from, type, 1, 6);
				everywhere(IR_SEXT, type, from, from, 1, 6);
				everywhere(IR_ZEXT, type, from, from, 1, 6);
				CHECK(ran_in_code > 0);
			} else {
				everywhere(IR_TRUNC, type, 0, from, 1, 6);
			}
		}
	}
}

static void
test_compare(void)
{
	for (unsigned cond = IR_EQ; cond <= IR_UGE; cond++) {
		for (unsigned type = IR_I8; type <= IR_I64; type++) {
			everywhere(IR_ICMP, percent(60) ? IR_I64 : IR_I8 + below(4), cond, type, 2, 4);
			CHECK(ran_in_code > 0);
		}
	}
}

/* Conditions fused and not, into branches, checks and selects. */
static void
condition(unsigned how, unsigned kind, unsigned cond, enum ir_type type, bool fused)
{
	enum place pa = (enum place)below(IN_SAME), pb = (enum place)below(IN_SAME);
	ir_ref x, y, c, other;

	begin();
	x = operand(0, pa, type);
	y = percent(10) ? x : operand(1, pb, type);
	c = op(IR_ICMP, percent(50) ? IR_I64 : IR_I8, cond, x, y, 0);
	if (!fused)
		other = op(IR_ADD, IR_I64, 0, ir_get(b, 3), ir_get(b, 14), 0);
	else
		other = ir_get(b, 3);
	switch (kind) {
	case 0:
		ir_br(b, c, 1, 2);
		ir_block(b, true);
		ir_exit_jump(b, percent(50) ? -64 : 64);
		ir_block(b, true);
		break;
	case 1:
		ir_br(b, c, 2, 1);
		ir_block(b, true);
		ir_exit_jump(b, percent(50) ? -64 : 64);
		ir_block(b, true);
		break;
	case 2:
		ir_check(b, IR_TRAP_MISALIGNED, c, 5);
		break;
	default:
		result(op(IR_SELECT, IR_I64, 0, c, other, operand(2, pa, IR_I64)), (enum sink)below(SINKS), pa);
	}
	if (!fused)
		op(IR_SET, IR_VOID, 4, c && region.ins[c].type == IR_I64 ? c : other, 0, 0);
	end();
	for (unsigned i = 0; i < 4; i++) {
		toy_random_state(how);
		try_now(how);
	}
}

static void
test_condition(void)
{
	what = "condition";
	for (unsigned i = 0; i < 16000; i++)
		condition(i % 2, i / 2 % 4, i / 8 % (IR_UGE + 1), (enum ir_type)(IR_I8 + below(4)), percent(50));
}

/* ---- memory ------------------------------------------------------------- */

static ir_ref
address_of(enum place place, unsigned size, unsigned align, int32_t disp, enum ir_access access)
{
	ir_ref pointer = ir_get(b, percent(50) ? POINTER_A : POINTER_B);

	if (place == IN_TEMPORARY)
		pointer = op(IR_ADD, IR_I64, 0, pointer, ir_const(b, IR_I64, 8 + below(percent(80) ? 1 : 8)), 0);
	return ir_xlate(b, access, align, pointer, disp, disp + (int32_t)size);
}

static void
test_load(void)
{
	what = "load";
	for (unsigned i = 0; i < 8000; i++) {
		enum ir_type type = i % 8 < 6 ? (enum ir_type)(IR_I8 + i % 4) : i % 2 ? IR_F32 : IR_F64;
		enum ir_type memory = type <= IR_I64 ? (enum ir_type)(IR_I8 + below(type)) : type;
		unsigned size = ir_type_bits(memory) / 8, how = below(HOW_ALL);
		int32_t disp = percent(10) ? (int32_t)below(8192) - 2048 : (int32_t)below(256) - 64;
		ir_ref h;

		begin();
		h = address_of((enum place)below(IN_SAME), size, percent(20) ? 3 : 0, disp, IR_ACCESS_R);
		result(ir_load(b, type, IR_MEM(memory, type <= IR_I64 ? below(2) : 0, below(5)), h, disp),
		       (enum sink)below(SINKS), (enum place)below(2));
		end();
		toy_random_state(how);
		try_now(how);
	}
}

static void
test_store(void)
{
	what = "store";
	for (unsigned i = 0; i < 8000; i++) {
		enum ir_type type = i % 8 < 6 ? (enum ir_type)(IR_I8 + i % 4) : i % 2 ? IR_F32 : IR_F64;
		enum ir_type memory = type <= IR_I64 ? (enum ir_type)(IR_I8 + below(type)) :
				      percent(50)    ? IR_F32 :
						       type;
		unsigned size = ir_type_bits(memory) / 8, how = below(HOW_ALL);
		int32_t disp = percent(10) ? (int32_t)below(8192) - 2048 : (int32_t)below(256) - 64;
		ir_ref h, x;

		begin();
		x = operand(0, (enum place)below(IN_SAME), type);
		if (type == IR_F64 && percent(50))
			x = op(IR_FADD, IR_F64, IR_FP(IR_RDYN, IR_NAN_RISCV, 0, 0), x, operand(1, IN_MEMORY, type), 0);
		h = address_of((enum place)below(IN_SAME), size, percent(20) ? 3 : 0, disp, IR_ACCESS_W);
		ir_store(b, IR_MEM(memory, 0, below(5)), h, x, disp);
		result(x, (enum sink)below(SINKS), IN_MEMORY);
		end();
		state(how, type);
		try_now(how);
	}
}

static void
test_atomic(void)
{
	for (unsigned i = 0; i < 24000; i++) {
		unsigned kind = i % 4, order = below(5), how = below(HOW_ALL);
		enum ir_type type = (enum ir_type)(kind < 2 ? IR_I8 + below(4) : IR_I32 + below(2));
		unsigned size = ir_type_bits(type) / 8;
		enum place pa = (enum place)below(IN_SAME), pb = (enum place)below(IN_SAME);
		ir_ref address, h, x, y, r;

		begin();
		address = ir_get(b, POINTER_A);
		if (kind < 3 && percent(10)) /* not there */
			address = op(IR_ADD, IR_I64, 0, address, ir_const(b, IR_I64, TOY_PAGE), 0);
		x = percent(10) && type == IR_I64 ? address : operand(0, pa, type);
		y = percent(10) ? x : operand(1, pb, type);
		if (percent(30)) /* what is there, so that CAS succeeds */
			y = ir_load(b, type, IR_MEM(type, 0, 0), ir_xlate(b, IR_ACCESS_R, 0, address, 0, (int)size), 0);
		h = ir_xlate(b, IR_ACCESS_RW, percent(80) ? (unsigned)__builtin_ctz(size) : 5, address, 0, (int)size);
		what_type = type;
		if (kind == 0) {
			what = "rmw";
			r = op(IR_RMW, type, IR_MEM_RMW(type, order, what_aux = below(IR_RMW_ANDN + 1)), h, x, 0);
		} else if (kind == 1) {
			what = "cas";
			r = op(IR_CAS, type, IR_MEM(type, 0, order), h, y, x);
		} else if (kind == 2) {
			what = "ll";
			r = op(IR_LL, type, IR_MEM(type, 0, order), h, address, 0);
		} else {
			what = "sc";
			r = op(IR_SC, IR_I64, IR_MEM(type, 0, order), h, x, address);
		}
		result(r, (enum sink)below(SINKS), pa);
		end();
		toy_random_state(how);
		if (percent(60)) { /* as LL of this place leaves it */
			memcpy(&start_frame.link_address, start_frame.guest + toy_slot[POINTER_A].offset, 8);
			start_frame.link_value = 0;
			memcpy(&start_frame.link_value,
			       start_memory + (start_frame.link_address -
					       (how & HOW_BASED ? TOY_BASED : (uint64_t)(uintptr_t)toy_memory)),
			       size);
		}
		try_now(how);
	}
}

/* ---- floating point ----------------------------------------------------- */

enum { DYNAMIC = IR_FP(IR_RDYN, IR_NAN_RISCV, 0, 0) };

static void
test_float(void)
{
	static const uint8_t two[] = { IR_FADD, IR_FSUB, IR_FMUL, IR_FDIV, IR_FMIN, IR_FMAX };

	for (unsigned type = IR_F32; type <= IR_F64; type++) {
		for (unsigned i = 0; i < ARRAY_LEN(two); i++) {
			everywhere(two[i], type, DYNAMIC, type, 2, 16);
			CHECK(ran_in_code > 0);
		}
		everywhere(IR_FSQRT, type, DYNAMIC, type, 1, 40);
		CHECK(ran_in_code > 0);
		for (unsigned variant = 0; variant < 4; variant++)
			everywhere(IR_FMA, type, IR_FP(IR_RDYN, IR_NAN_RISCV, 0, variant), type, 3, 16);
		for (unsigned variant = 0; variant < 16; variant++) {
			if (variant & 4)
				continue;
			everywhere(IR_FCMP, IR_I64, IR_FP(IR_RDYN, IR_NAN_RISCV, 0, variant), type, 2, 8);
			CHECK(ran_in_code > 0);
		}
		everywhere(IR_FNEG, type, 0, type, 1, 16);
		everywhere(IR_FABS, type, 0, type, 1, 16);
		for (unsigned how = 0; how < 3; how++)
			everywhere(IR_FSGNJ, type, how, type, 2, 8);
		everywhere(IR_FCLASS, IR_I64, 0, type, 1, 4);
		everywhere(IR_BITCAST, type == IR_F32 ? IR_I32 : IR_I64, 0, type, 1, 8);
		everywhere(IR_BITCAST, type, 0, type == IR_F32 ? IR_I32 : IR_I64, 1, 8);
		CHECK(ran_in_code > 0);
		/* Static rounding modes are the interpreter's, or exact. */
		for (unsigned round = IR_RNE; round <= IR_RMM; round++)
			everywhere(IR_FADD, type, IR_FP(round, IR_NAN_RISCV, 0, 0), type, 2, 4);
	}
}

static void
test_float_convert(void)
{
	static const uint8_t rounds[] = { IR_RNE, IR_RTZ, IR_RDN, IR_RUP, IR_RMM, IR_RDYN };

	everywhere(IR_FCVT, IR_F64, DYNAMIC, IR_F32, 1, 60);
	CHECK(ran_in_code > 0);
	everywhere(IR_FCVT, IR_F32, DYNAMIC, IR_F64, 1, 60);
	CHECK(ran_in_code > 0);
	for (unsigned i = 0; i < ARRAY_LEN(rounds) * 8; i++) {
		unsigned round = rounds[i / 8], sign = i & 1;
		enum ir_type fp = i & 2 ? IR_F64 : IR_F32, integer = i & 4 ? IR_I64 : IR_I32;

		everywhere(IR_F2I, integer, IR_FP(round, IR_NAN_RISCV, 0, IR_F2I_RISCV | sign << 2), fp, 1, 40);
		if (sign && round != IR_RMM)
			CHECK(ran_in_code > 0);
		everywhere(IR_I2F, fp, IR_FP(round, IR_NAN_RISCV, 0, sign), integer, 1, 20);
		if (sign)
			CHECK(ran_in_code > 0);
		everywhere(IR_FRINT, fp, IR_FP(round, IR_NAN_RISCV, 0, sign), fp, 1, 20);
	}
}

/* Boxes: good ones stay, bad ones leave before anything has changed. */
static void
test_box(void)
{
	struct outcome out;

	for (unsigned i = 0; i < 400; i++) {
		enum place place = (enum place)(i % 2);
		unsigned slot = operand_slot(0, place, true), how = below(HOW_ALL);
		bool good = i / 2 % 2;
		ir_ref x;

		begin();
		x = op(IR_UNBOX, IR_F32, 0, ir_get(b, slot), 0, 0);
		x = op(IR_FADD, IR_F32, DYNAMIC, x, x, 0);
		op(IR_SET, IR_VOID, slot + i / 4 % 2, op(IR_BOX, IR_F64, 0, x, 0, 0), 0, 0);
		end();
		toy_random_state(how);
		toy_fp(slot - INTS, good ? 0xffffffff00000000 | random_f32() : (random64() & ~(1ull << 40)));
		what = "unbox";
		CHECK(toy_compare(&region, how, &out));
		CHECK_INT(out.kind, good ? IR_EXIT_LOOKUP : CODE_EXIT_INTERPRET);
		if (!good)
			CHECK_INT(out.pc, TOY_PC + 4);
	}
}

/* Accrued flags and the rounding mode, read and written between operations. */
static void
test_float_state(void)
{
	what = "fp state";
	for (unsigned i = 0; i < 4000; i++) {
		unsigned how = below(HOW_ALL);
		ir_ref x, y, f;

		begin();
		x = operand(0, (enum place)below(IN_SAME), IR_F64);
		y = operand(1, (enum place)below(IN_SAME), IR_F64);
		x = op(IR_FDIV, IR_F64, DYNAMIC, x, y, 0);
		if (percent(50)) {
			f = op(IR_FPFLAGS_GET, IR_I64, 0, 0, 0, 0);
			op(IR_SET, IR_VOID, percent(50) ? 2 : 17, op(IR_AND, IR_I64, 0, f, ir_const(b, IR_I64, ~32ull), 0), 0, 0);
			ir_at(b, 5, 4);
		}
		if (percent(50)) {
			op(IR_FPFLAGS_SET, IR_VOID, 0, operand(2, (enum place)below(IN_SAME), IR_I64), 0, 0);
			ir_at(b, 6, 4);
		}
		if (percent(50)) { /* a mode the host lacks ends the region */
			bool known = percent(50);

			op(IR_FPROUND_SET, IR_VOID, 0, known ? ir_const(b, IR_I64, below(4)) : operand(2, IN_MEMORY, IR_I64), 0, 0);
			ir_at(b, 7, 4);
			if (known)
				x = op(IR_FMUL, IR_F64, DYNAMIC, x, y, 0);
		}
		op(IR_SET, IR_VOID, INTS + (percent(50) ? 2 : 17), x, 0, 0);
		end();
		state(how, IR_F64);
		slot_write(operand_slot(2, IN_MEMORY, false), percent(70) ? below(9) : random64());
		try_now(how);
	}
}

/* ---- helpers and the rest ----------------------------------------------- */

static void
test_call(void)
{
	what = "call";
	for (unsigned i = 0; i < 8000; i++) {
		unsigned how = below(HOW_ALL), helper = i % TOY_HELPERS;
		ir_ref a[3], alive[6], r, f;

		begin();
		f = op(IR_FADD, IR_F64, DYNAMIC, operand(0, IN_BOUNDARY, IR_F64), operand(1, IN_MEMORY, IR_F64), 0);
		for (unsigned k = 0; k < ARRAY_LEN(alive); k++)
			alive[k] = op(IR_ADD, IR_I64, 0, ir_get(b, k + 1), ir_get(b, k + 11), 0);
		for (unsigned k = 0; k < 3; k++)
			a[k] = percent(30) ? alive[below(6)] : operand(k, (enum place)below(IN_SAME), IR_I64);
		r = ir_call(b, IR_I64, helper, toy_helper[helper].arguments, a);
		op(IR_SET, IR_VOID, percent(50) ? 3 : 21, r, 0, 0);
		for (unsigned k = 0; k < ARRAY_LEN(alive); k++)
			op(IR_SET, IR_VOID, percent(50) ? below(3) : 22 + below(5), alive[k], 0, 0);
		op(IR_SET, IR_VOID, INTS + (percent(50) ? 3 : 21), f, 0, 0);
		end();
		state(how, IR_F64);
		try_now(how);
	}
}

/* Addresses from the anchor slot, near and far; copies of them. */
static void
test_pc(void)
{
	what = "pc";
	for (unsigned i = 0; i < 400; i++) {
		unsigned how = below(HOW_ALL);
		ir_ref pc;

		begin();
		pc = ir_pc(b, percent(50) ? (int64_t)below(4096) - 2048 : (int64_t)random_int());
		result(pc, (enum sink)below(SINKS), (enum place)below(2));
		op(IR_SET, IR_VOID, 18, percent(50) ? pc : ir_get(b, 2), 0, 0);
		end();
		toy_random_state(how);
		try_now(how);
	}
}

/* What has no code: its instruction is the interpreter's, with the state of
 * before, whatever the types of its values. */
static void
test_without_code(void)
{
	struct outcome out;

	for (unsigned i = 0; i < 600; i++) {
		unsigned how = below(HOW_ALL);
		ir_ref x, y, v;

		begin();
		op(IR_SET, IR_VOID, 10, ir_get(b, 9), 0, 0);
		ir_at(b, 6, 2);
		x = operand(0, (enum place)below(IN_SAME), IR_I64);
		y = operand(1, (enum place)below(IN_SAME), IR_I64);
		switch (i % 8) {
		case 0:
			v = op(IR_FLAGS_SUB, IR_FLAGS, IR_CARRY_NOT_BORROW, x, y, 0);
			x = op(IR_COND, IR_I64, below(IR_PO + 1), v, 0, 0);
			break;
		case 1:
			v = op(IR_MUL, IR_I128, 0, op(IR_SEXT, IR_I128, IR_I64, x, 0, 0), op(IR_ZEXT, IR_I128, IR_I64, y, 0, 0), 0);
			x = op(IR_EXTRACT, IR_I64, 64, v, 0, 0);
			break;
		case 2:
			x = op(IR_TRUNC, IR_I64, 0, op(IR_PAIR, IR_I128, 0, x, y, 0), 0, 0);
			break;
		case 3:
			v = op(IR_ICMP, IR_I64, IR_ULT, op(IR_PAIR, IR_I128, 0, x, y, 0), ir_const(b, IR_I128, 5), 0);
			x = op(IR_SELECT, IR_I64, 0, v, x, y);
			break;
		case 4:
			v = op(IR_VADD, IR_V128, IR_I32, op(IR_VSPLAT, IR_V128, IR_I64, x, 0, 0), op(IR_VSPLAT, IR_V128, IR_I64, y, 0, 0), 0);
			x = op(IR_VEXTRACT, IR_I64, IR_I64, v, 0, 1);
			break;
		case 5:
			v = op(IR_TRUNC, IR_I16, 0, x, 0, 0);
			v = op(IR_BITCAST, IR_F16, 0, v, 0, 0);
			x = op(IR_ADD, IR_I64, 0, y, op(IR_FCLASS, IR_I64, 0, v, 0, 0), 0);
			break;
		case 6:
			x = op(IR_INSERT, IR_I64, 8, x, op(IR_TRUNC, IR_I8, 0, y, 0, 0), 0);
			break;
		default:
			v = op(IR_TRUNC, IR_I32, 0, x, 0, 0);
			x = op(IR_ZEXT, IR_I64, IR_I32, op(IR_CRC32, IR_I32, below(2), v, y, 0), 0, 0);
		}
		result(x, (enum sink)below(SINKS - 2), IN_BOUNDARY);
		end();
		toy_random_state(how);
		what = "no code";
		what_aux = i % 8;
		try_now(how);
		toy_compare(&region, how, &out);
		CHECK(out.kind == CODE_EXIT_INTERPRET || out.kind == IR_EXIT_LOOKUP);
	}
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	seed |= seed == 0;
	printf("seed %#" PRIx64 "\n", seed);
	if (!toy_init())
		return check_done();
	test_integer();
	test_compare();
	test_condition();
	test_load();
	test_store();
	test_atomic();
	test_float();
	test_float_convert();
	test_box();
	test_float_state();
	test_call();
	test_pc();
	test_without_code();
	return check_done();
}

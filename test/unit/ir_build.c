/* ir/: the builder: folding, slots, blocks, exits. */
#include "ir/ir.h"
#include "unit/check.h"

static const struct ir_slot slot_list[] = {
	{ "a", 0, IR_I64, -1, 0 },
	{ "b", 8, IR_I64, -1, 1 },
	{ "wide", 16, IR_I64, -1, 2 },
	{ "low", 16, IR_I32, -1, 2 },
};
static const struct ir_slots slots = { slot_list, ARRAY_LEN(slot_list) };
static const struct ir_helper helpers[] = {
	{ "pure", NULL, 1, 0 },
	{ "writes", NULL, 1, IR_H_WRITE_STATE },
};

static struct arena arena;
static struct ir_region region;
static struct ir_builder b;

static void
begin(void)
{
	arena_reset(&arena);
	ir_build_begin(&b, &region, &arena, &slots, 0x1000, 0);
	region.helpers = helpers;
	region.helper_count = ARRAY_LEN(helpers);
}

static bool
is_const(ir_ref ref, enum ir_type type, uint64_t value)
{
	const struct ir_ins *ins = &region.ins[ref];

	return ins->op == IR_CONST && ins->type == type && (uint64_t)ins->imm == value;
}

static bool
is_op(ir_ref ref, enum ir_op op, ir_ref x, ir_ref y)
{
	const struct ir_ins *ins = &region.ins[ref];

	return ins->op == op && ins->a == x && ins->b == y;
}

static void
test_constants(void)
{
	ir_ref one, minus;

	begin();
	one = ir_const(&b, IR_I64, 1);
	CHECK_INT(ir_const(&b, IR_I64, 1), one);
	CHECK(ir_const(&b, IR_I32, 1) != one);
	minus = ir_const(&b, IR_I16, UINT64_MAX);
	CHECK(is_const(minus, IR_I16, 0xffff));
	CHECK(is_const(ir_unary(&b, IR_CLZ, one), IR_I64, 63));
	CHECK(is_const(ir_sext(&b, IR_I64, IR_I16, minus), IR_I64, UINT64_MAX));
	CHECK(is_const(ir_zext(&b, IR_I64, IR_I8, minus), IR_I64, 0xff));
	CHECK(is_const(ir_icmp(&b, IR_I64, IR_SLT, minus, ir_const(&b, IR_I16, 0)), IR_I64, 1));
	CHECK(is_const(ir_bitcast(&b, IR_F64, one), IR_F64, 1));
	CHECK(is_const(ir_fold(&b, IR_EXTRACT, IR_I8, 4, minus, 0, 0), IR_I8, 0xff));
	CHECK(is_const(ir_fold(&b, IR_SDIV, IR_I64, 1, one, ir_const(&b, IR_I64, 0), 0), IR_I64, 0));
}

static void
test_identities(void)
{
	ir_ref x, y, zero, ones, five, wide;

	begin();
	x = ir_get(&b, 0);
	y = ir_get(&b, 1);
	zero = ir_const(&b, IR_I64, 0);
	ones = ir_const(&b, IR_I64, UINT64_MAX);
	five = ir_const(&b, IR_I64, 5);
	CHECK_INT(ir_binary(&b, IR_ADD, x, zero), x);
	CHECK_INT(ir_binary(&b, IR_ADD, zero, x), x);
	CHECK_INT(ir_binary(&b, IR_MUL, x, ir_const(&b, IR_I64, 1)), x);
	CHECK_INT(ir_binary(&b, IR_AND, ones, x), x);
	CHECK_INT(ir_binary(&b, IR_OR, x, zero), x);
	CHECK_INT(ir_binary(&b, IR_XOR, x, zero), x);
	CHECK_INT(ir_binary(&b, IR_SHL, x, ir_const(&b, IR_I64, 64)), x);
	CHECK_INT(ir_binary(&b, IR_UMAX, x, x), x);
	CHECK(is_const(ir_binary(&b, IR_SUB, x, x), IR_I64, 0));
	CHECK(is_const(ir_binary(&b, IR_OR, x, ones), IR_I64, UINT64_MAX));
	CHECK(is_op(ir_binary(&b, IR_ADD, five, x), IR_ADD, x, five));
	CHECK(is_op(ir_binary(&b, IR_XOR, x, ones), IR_NOT, x, 0));
	CHECK(is_op(ir_binary(&b, IR_SUB, zero, x), IR_NEG, x, 0));
	CHECK(is_op(ir_binary(&b, IR_SHL, x, ir_const(&b, IR_I64, 69)), IR_SHL, x, five));
	CHECK(is_op(ir_binary(&b, IR_MUL, x, ir_const(&b, IR_I64, 32)), IR_SHL, x, five));
	CHECK(is_op(ir_binary(&b, IR_ADD, x, y), IR_ADD, x, y));
	CHECK_INT(ir_unary(&b, IR_NOT, ir_unary(&b, IR_NOT, x)), x);
	wide = ir_sext(&b, IR_I64, IR_I32, x);
	CHECK(is_op(wide, IR_SEXT, x, 0));
	CHECK_INT(ir_sext(&b, IR_I64, IR_I32, wide), wide);
	CHECK(is_op(ir_zext(&b, IR_I64, IR_I32, wide), IR_ZEXT, x, 0));
	CHECK(is_op(ir_sext(&b, IR_I64, IR_I8, wide), IR_SEXT, x, 0));
	CHECK(is_op(ir_trunc(&b, IR_I32, wide), IR_TRUNC, x, 0));
	CHECK_INT(ir_trunc(&b, IR_I64, x), x);
	CHECK_INT(ir_select(&b, x, y, y), y);
	CHECK_INT(ir_select(&b, five, x, y), x);
	CHECK_INT(region.ins[ir_binary(&b, IR_ADD, ir_pc(&b, 8), five)].imm, 13);
	CHECK_INT(ir_unbox(&b, IR_F32, ir_fold(&b, IR_BOX, IR_F64, 0, ir_const(&b, IR_F32, 7), 0, 0)),
		  ir_const(&b, IR_F32, 7));
	CHECK(!b.failed);
}

static void
test_compare(void)
{
	ir_ref x, y, zero, less, again;

	begin();
	x = ir_get(&b, 0);
	y = ir_get(&b, 1);
	zero = ir_const(&b, IR_I64, 0);
	CHECK(is_const(ir_icmp(&b, IR_I64, IR_SLE, x, x), IR_I64, 1));
	CHECK(is_const(ir_icmp(&b, IR_I64, IR_NE, x, x), IR_I64, 0));
	CHECK(is_const(ir_icmp(&b, IR_I64, IR_ULT, x, zero), IR_I64, 0));
	again = ir_icmp(&b, IR_I64, IR_ULT, x, ir_const(&b, IR_I64, 1));
	CHECK(is_op(again, IR_ICMP, x, zero) && region.ins[again].aux == IR_EQ);
	again = ir_icmp(&b, IR_I64, IR_ULT, zero, x);
	CHECK(is_op(again, IR_ICMP, x, zero) && region.ins[again].aux == IR_NE);
	less = ir_icmp(&b, IR_I64, IR_SLT, x, y);
	again = ir_icmp(&b, IR_I64, IR_EQ, less, zero);
	CHECK(is_op(again, IR_ICMP, x, y) && region.ins[again].aux == IR_SGE);
	again = ir_icmp(&b, IR_I64, IR_NE, zero, less);
	CHECK(is_op(again, IR_ICMP, x, y) && region.ins[again].aux == IR_SLT);
}

static void
test_slots(void)
{
	ir_ref x, y, narrow, wide;
	uint32_t count;

	begin();
	x = ir_get(&b, 0);
	CHECK_INT(ir_get(&b, 0), x);
	y = ir_binary(&b, IR_ADD, x, ir_const(&b, IR_I64, 3));
	ir_set(&b, 1, y);
	CHECK_INT(ir_get(&b, 1), y);
	count = region.ins_count;
	ir_set(&b, 1, y);
	ir_set(&b, 0, x);
	CHECK_INT(region.ins_count, count);
	ir_call(&b, IR_VOID, 0, 1, &x);
	CHECK_INT(ir_get(&b, 1), y);
	ir_call(&b, IR_VOID, 1, 1, &x);
	CHECK(ir_get(&b, 1) != y);
	CHECK_INT(ir_get(&b, 1), ir_get(&b, 1));
	wide = ir_get(&b, 2);
	narrow = ir_get(&b, 3);
	ir_set(&b, 2, x);
	CHECK(ir_get(&b, 3) != narrow);
	ir_set(&b, 3, ir_const(&b, IR_I32, 1));
	CHECK(ir_get(&b, 2) != x && ir_get(&b, 2) != wide);
}

/* A trunk with a side exit: values are known beyond it; joins forget. */
static void
test_blocks(void)
{
	ir_ref x, end, argument;
	const uint32_t *arguments;
	uint32_t exit, next, count;

	begin();
	ir_at(&b, 0, 4);
	x = ir_get(&b, 0);
	ir_at(&b, 4, 2);
	ir_br(&b, x, 1, 2);
	end = region.ins_count - 1;
	exit = ir_block(&b, true);
	ir_exit_jump(&b, -8);
	next = ir_block(&b, true);
	CHECK_INT(exit, 1);
	CHECK_INT(next, 2);
	CHECK_INT(ir_get(&b, 0), x);
	ir_at(&b, 6, 4);
	argument = ir_get(&b, 1);
	ir_br_with(&b, x, 3, 1, &argument, 3, 1, &x);
	CHECK_INT(ir_target(&region, region.ins_count - 1, 1, &arguments, &count), 3);
	CHECK(count == 1 && arguments[0] == x);
	ir_block(&b, false);
	CHECK(ir_param(&b, IR_I64));
	CHECK(ir_get(&b, 0) != x);
	ir_exit_trap(&b, IR_TRAP_ILLEGAL, 6, 10);
	CHECK(ir_build_end(&b));
	CHECK_INT(region.block[3].parameters, 1);
	CHECK_INT(region.block[3].count, 3);
	CHECK_INT(region.insns, 3);
	CHECK_INT(region.bytes, 10);
	CHECK_INT(ir_target(&region, end, 0, &arguments, &count), 1);
	CHECK_INT(ir_target(&region, end, 1, &arguments, &count), 2);
	CHECK_INT(count, 0);
	CHECK_INT(ir_exit_of(&region, region.block[1].first).retired, 2);
	CHECK_INT(ir_exit_of(&region, region.block[1].first).target, -8);
	CHECK_INT(ir_exit_of(&region, region.ins_count - 1).retired, 2);
	CHECK_INT(ir_exit_of(&region, region.ins_count - 1).trap, IR_TRAP_ILLEGAL);
	CHECK_INT(ir_exit_of(&region, region.ins_count - 1).link, 10);
}

static void
test_failure(void)
{
	begin();
	ir_get(&b, 0);
	CHECK(!ir_build_end(&b)); /* no end of the block */

	begin();
	for (unsigned i = 0; i < 2u << 20; i++)
		ir_binary(&b, IR_ADD, ir_get(&b, 0), ir_get(&b, 1));
	ir_exit_jump(&b, 4);
	CHECK(b.failed);
	CHECK(!ir_build_end(&b));

	begin(); /* grows, within limits */
	for (unsigned i = 0; i < 5000; i++) {
		ir_ref list[3] = { ir_get(&b, 0), ir_const(&b, IR_I64, i), 0 };

		ir_call(&b, IR_VOID, 0, 2, list);
		ir_br(&b, list[0], region.block_count, region.block_count);
		ir_block(&b, true);
	}
	ir_exit_lookup(&b, 4);
	CHECK(ir_build_end(&b));
	for (unsigned i = 0; i < 5000; i++) {
		const struct ir_block *block = &region.block[i];
		const uint32_t *arguments;
		uint32_t count;

		arguments = ir_call_arguments(&region, block->first + block->count - 2, &count);
		CHECK(count == 2 && is_const(arguments[1], IR_I64, i));
	}
}

int
main(void)
{
	test_constants();
	test_identities();
	test_compare();
	test_slots();
	test_blocks();
	test_failure();
	arena_fini(&arena);
	return check_done();
}

/* ir/: the text of regions. */
#include "ir/ir.h"
#include "unit/check.h"

static const struct ir_slot slot_list[] = {
	{ "a0", 0, IR_I64, -1, 0 },
	{ "a1", 8, IR_I64, -1, 1 },
	{ "f0", 16, IR_F64, -1, 2 },
};
static const struct ir_slots slots = { slot_list, ARRAY_LEN(slot_list) };

static struct arena arena;
static struct ir_region region;
static struct ir_builder b;
static char text[1 << 16];

static void
test_print(void)
{
	ir_ref x, host, sum;
	int length;

	arena_reset(&arena);
	ir_build_begin(&b, &region, &arena, &slots, 0x10078, 1);
	ir_at(&b, 0, 4);
	x = ir_get(&b, 0);
	sum = ir_binary(&b, IR_ADD, x, ir_const(&b, IR_I64, UINT64_MAX));
	host = ir_xlate(&b, IR_ACCESS_R, 3, sum, -8, 8);
	ir_set(&b, 0, ir_load(&b, IR_I64, IR_MEM(IR_I32, 1, IR_ACQUIRE), host, -4));
	ir_at(&b, 4, 2);
	ir_fold(&b, IR_FADD, IR_F64, IR_FP(IR_RDYN, IR_NAN_RISCV, 0, 0), ir_get(&b, 2), ir_get(&b, 2), 0);
	ir_br(&b, ir_icmp(&b, IR_I64, IR_ULT, sum, ir_get(&b, 1)), 1, 2);
	ir_block(&b, true);
	ir_exit_jump(&b, -8);
	ir_block(&b, true);
	ir_exit_trap(&b, IR_TRAP_SYSCALL, 4, 6);
	CHECK(ir_build_end(&b));
	length = ir_print(&region, text, sizeof text);
	CHECK_INT(length, strlen(text));
	CHECK_TEXT(text, "region 0x10078 mode 0x1\n"
			 "block 0\n"
			 "  at 0 len 4\n"
			 "  %2 = get.i64 a0\n"
			 "  %3 = const.i64 -1\n"
			 "  %4 = add.i64 %2, %3\n"
			 "  %5 = xlate r align8 %4, -8, 8\n"
			 "  %6 = load.i64 i32 signed acquire %5, -4\n"
			 "  set a0, %6\n"
			 "  at 4 len 2\n"
			 "  %9 = get.f64 f0\n"
			 "  %10 = fadd.f64 dyn %9, %9\n"
			 "  %11 = get.i64 a1\n"
			 "  %12 = icmp.i64 ult %4, %11\n"
			 "  br %12, @1, @2\n"
			 "block 1\n"
			 "  exit jump -8\n"
			 "block 2\n"
			 "  exit trap syscall 4 link 6\n");
	CHECK_INT(ir_print(&region, text, 10), length);
	CHECK_INT(strlen(text), 9);
	CHECK_INT(ir_print(&region, NULL, 0), length);
}

int
main(void)
{
	test_print();
	arena_fini(&arena);
	return check_done();
}

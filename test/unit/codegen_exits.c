/* Ways from region to region in generated code: chained jumps, calls and
 * returns over the shadow stack, the jump table, safepoints. Each region adds
 * a number of its own to x2, so that a sum tells which ones ran. */
#include "codegen_run.h"

enum { SUM = 2, LINK = 1, WHERE = 12, REGIONS = 8 };

struct made {
	const uint8_t *entry; /* running address */
};

static struct ir_builder builder;
static struct ir_region region;
static struct ir_builder *const b = &builder;
static unsigned how;

static void
begin(uint64_t pc, unsigned number)
{
	arena_reset(&region_arena);
	ir_build_begin(b, &region, &region_arena, toy_slots, pc, 0);
	region.helpers = toy_helper;
	region.helper_count = TOY_HELPERS;
	ir_at(b, 0, 4);
	ir_set(b, SUM, ir_binary(b, IR_ADD, ir_get(b, SUM), ir_const(b, IR_I64, number)));
	ir_at(b, 4, 4);
}

static struct made
end(void)
{
	CHECK(ir_build_end(b));
	CHECK_INT(toy_compile(&region, how), TARGET_OK);
	return (struct made){ code_entry };
}

/* A region that leaves for good. */
static struct made
make_last(uint64_t pc, unsigned number)
{
	begin(pc, number);
	ir_exit_lookup(b, 4);
	return end();
}

/* ---- running ------------------------------------------------------------ */

static uint64_t
slot_read(unsigned slot)
{
	uint64_t x;

	memcpy(&x, host_frame.guest + toy_slot[slot].offset, sizeof x);
	return x;
}

static void
set(unsigned slot, uint64_t x)
{
	memcpy(host_frame.guest + toy_slot[slot].offset, &x, sizeof x);
}

/* Fresh state: no sum, an empty shadow stack and jump table. */
static void
fresh(void)
{
	uint8_t *shadow = shadow_memory + SHADOW_SIZE / 2;

	memset(host_frame.guest, 0, sizeof host_frame.guest);
	memset(shadow - 256, 0x5b, 512);
	host_frame.shadow_stack = shadow;
	host_frame.poll = 0;
	host_frame.guest_base = 0;
	host_frame.pc = 1;
	for (unsigned i = 0; i < IR_JUMP_TABLE_SIZE; i++)
		host_frame.jump[i].pc = IR_JUMP_EMPTY;
}

static void
enter(struct made made)
{
	alarm(4);
	running = &region;
	code_entry = made.entry;
	thunks.enter(&host_frame, made.entry);
	running = NULL;
}

static intptr_t
shadow_depth(void)
{
	return shadow_memory + SHADOW_SIZE / 2 - (uint8_t *)host_frame.shadow_stack;
}

static struct code_exit *
last_exit(void)
{
	return (struct code_exit *)(void *)((uint8_t *)host_frame.exit_record - (code_memory.x - code_memory.w));
}

static void
link_last(struct made to)
{
	CHECK(last_exit()->patch != 0);
	target->link(last_exit(), code_memory.x - code_memory.w, to.entry);
}

static void
jump_entry(uint64_t pc, struct made to)
{
	host_frame.jump[(pc >> 1) % IR_JUMP_TABLE_SIZE] = (struct ir_jump){ pc, (void *)(uintptr_t)to.entry };
}

/* The last exit: its kind, its sum so far, the depth of the shadow stack. */
static void
expect(unsigned kind, uint64_t sum, intptr_t depth, int line)
{
	bool good = CHECK_INT(last_exit()->kind, kind);

	good &= CHECK_INT(slot_read(SUM), sum);
	good &= CHECK_INT(shadow_depth(), depth);
	if (!good)
		fprintf(stderr, "  at line %d\n", line);
}
#define EXPECT(kind, sum, depth) expect(kind, sum, depth, __LINE__)

/* ---- jumps -------------------------------------------------------------- */

static void
test_jump(void)
{
	struct made from, to = make_last(TOY_PC + 0x100, 16);
	struct code_exit *exit;

	begin(TOY_PC, 1);
	ir_exit_jump(b, 0x100);
	from = end();
	fresh();
	enter(from);
	EXPECT(IR_EXIT_JUMP, 1, 0);
	exit = last_exit();
	CHECK_INT(exit->target, 0x100);
	CHECK_INT(exit->retired, 2);
	CHECK_INT(exit->region, 7);
	link_last(to);
	enter(from);
	EXPECT(IR_EXIT_LOOKUP, 18, 0);
	target->unlink(exit);
	enter(from);
	EXPECT(IR_EXIT_JUMP, 19, 0);
	CHECK(last_exit() == exit);
}

/* A side exit is chained too, also where values must be mended on the way. */
static void
test_side_exit(bool raw)
{
	struct made from, to = make_last(TOY_PC + 0x100, 16);

	begin(TOY_PC, 1);
	if (raw) {
		ir_ref f = ir_get(b, INTS + 3);

		ir_set(b, INTS + 2, ir_emit(b, IR_FADD, IR_F64, IR_FP(IR_RDYN, IR_NAN_RISCV, 0, 0), f, f, 0));
	}
	ir_br(b, ir_icmp(b, IR_I64, IR_EQ, ir_get(b, WHERE), ir_const(b, IR_I64, 5)), 1, 2);
	ir_block(b, true);
	ir_exit_jump(b, 0x100);
	ir_block(b, true);
	ir_exit_lookup(b, 8);
	from = end();
	fresh();
	set(INTS + 3, 0xfff8000000001234);
	enter(from);
	EXPECT(IR_EXIT_LOOKUP, 1, 0);
	if (raw)
		CHECK_INT(slot_read(INTS + 2), 0x7ff8000000000000);
	set(INTS + 2, 0);
	set(WHERE, 5);
	enter(from);
	EXPECT(IR_EXIT_JUMP, 2, 0);
	CHECK_INT(last_exit()->target, 0x100);
	link_last(to);
	enter(from);
	EXPECT(IR_EXIT_LOOKUP, 19, 0);
	if (raw)
		CHECK_INT(slot_read(INTS + 2), 0x7ff8000000000000);
}

/* A loop that is linked to itself runs until its counter, or poll, ends it. */
static void
test_loop(void)
{
	struct made loop;
	struct code_exit *back;

	begin(TOY_PC, 1);
	ir_br(b, ir_icmp(b, IR_I64, IR_ULT, ir_get(b, SUM), ir_const(b, IR_I64, 1000)), 1, 2);
	ir_block(b, true);
	ir_exit_jump(b, 0);
	ir_block(b, true);
	ir_exit_jump(b, 8);
	loop = end();
	fresh();
	enter(loop);
	EXPECT(IR_EXIT_JUMP, 1, 0);
	back = last_exit();
	CHECK_INT(back->target, 0);
	CHECK_INT(back->retired, 2);
	target->link(back, code_memory.x - code_memory.w, loop.entry);
	enter(loop);
	EXPECT(IR_EXIT_JUMP, 1000, 0);
	CHECK_INT(last_exit()->target, 8);
	set(SUM, 0);
	host_frame.poll = 1;
	enter(loop);
	EXPECT(CODE_EXIT_POLL, 1, 0);
	/* Before the branch, which runs again. */
	CHECK_INT(last_exit()->target, 4);
	CHECK_INT(last_exit()->retired, 1);
}

/* A jump backwards polls after it has run; forwards it does not. */
static void
test_poll_jump(int32_t to)
{
	struct made from;

	begin(TOY_PC, 1);
	ir_exit_jump(b, to);
	from = end();
	fresh();
	host_frame.poll = 1;
	enter(from);
	EXPECT(to <= 4 ? CODE_EXIT_POLL : IR_EXIT_JUMP, 1, 0);
	CHECK_INT(last_exit()->target, to);
	CHECK_INT(last_exit()->retired, 2);
}

/* ---- calls and returns -------------------------------------------------- */

static struct made
make_return(uint64_t pc, unsigned number, bool masked)
{
	ir_ref to;

	begin(pc, number);
	to = ir_get(b, LINK);
	if (masked)
		to = ir_binary(b, IR_AND, to, ir_const(b, IR_I64, -2ull));
	ir_exit_value(b, IR_EXIT_RETURN, to, 0);
	return end();
}

static struct made
make_call(uint64_t pc, unsigned number, int32_t to, unsigned link_slot)
{
	begin(pc, number);
	ir_set(b, link_slot, ir_pc(b, 8));
	ir_exit_call(b, to, 8);
	return end();
}

static void
test_call(unsigned link_slot)
{
	struct made call = make_call(TOY_PC, 1, 0x100, link_slot), callee = make_return(TOY_PC + 0x100, 16, true);
	struct made back = make_last(TOY_PC + 8, 256), other = make_last(TOY_PC + 0x300, 4096);

	fresh();
	enter(call);
	EXPECT(IR_EXIT_CALL, 1, 16);
	CHECK_INT(slot_read(link_slot), TOY_PC + 8);
	CHECK_INT(last_exit()->target, 0x100);
	CHECK_INT(last_exit()->link, 8);
	link_last(callee);
	set(LINK, TOY_PC + 8);
	enter(callee); /* lands behind the call, which is not linked on */
	EXPECT(IR_EXIT_JUMP, 17, 0);
	CHECK_INT(last_exit()->target, 8);
	link_last(back);
	set(LINK, TOY_PC + 8);
	enter(call);
	if (link_slot == LINK)
		EXPECT(IR_EXIT_LOOKUP, 17 + 1 + 16 + 256, 0);

	/* A return elsewhere: the entry goes, then the jump table. */
	set(SUM, 0);
	set(LINK, TOY_PC + 0x300);
	if (link_slot == LINK)
		return;
	enter(call);
	EXPECT(IR_EXIT_RETURN, 17, 0);
	CHECK_INT(host_frame.pc, TOY_PC + 0x300);
	jump_entry(TOY_PC + 0x300, other);
	enter(call);
	EXPECT(IR_EXIT_LOOKUP, 17 + 17 + 4096, 0);
	host_frame.poll = 1;
	enter(call);
	EXPECT(IR_EXIT_RETURN, 17 + 17 + 4096 + 17, 0);
	CHECK_INT(host_frame.pc, TOY_PC + 0x300);
	host_frame.poll = 0;
	/* An odd address is the even one below it. */
	set(SUM, 0);
	set(LINK, TOY_PC + 0x301);
	enter(call);
	EXPECT(IR_EXIT_LOOKUP, 17 + 4096, 0);
	/* The table's entry is another address's. */
	set(SUM, 0);
	set(LINK, TOY_PC + 0x300 + 2 * IR_JUMP_TABLE_SIZE);
	enter(call);
	EXPECT(IR_EXIT_RETURN, 17, 0);
	CHECK_INT(host_frame.pc, TOY_PC + 0x300 + 2 * IR_JUMP_TABLE_SIZE);
}

/* Recursion: each call pushes, all returns find their caller. */
static void
test_recursion(void)
{
	struct made down, up;
	struct code_exit *call;

	/* at 0: sum++; if sum >= 20 return; save link; call 0 */
	begin(TOY_PC, 1);
	ir_br(b, ir_icmp(b, IR_I64, IR_UGE, ir_get(b, SUM), ir_const(b, IR_I64, 20)), 1, 2);
	ir_block(b, true);
	ir_exit_jump(b, 0x100);
	ir_block(b, true);
	ir_at(b, 8, 4);
	ir_set(b, LINK, ir_pc(b, 0x100));
	ir_exit_call(b, 0, 0x100);
	down = end();
	up = make_return(TOY_PC + 0x100, 100, false);
	fresh();
	enter(down);
	EXPECT(IR_EXIT_CALL, 1, 16);
	call = last_exit();
	link_last(down);
	enter(down);
	EXPECT(IR_EXIT_JUMP, 20, 16 + 18 * 16); /* the side exit, not linked yet */
	link_last(up);
	enter(up); /* returns to the innermost landing, not linked yet */
	EXPECT(IR_EXIT_JUMP, 120, 18 * 16 - 16 + 16);
	link_last(up);
	enter(up); /* and up through all of them; the last finds no caller */
	EXPECT(IR_EXIT_RETURN, 20 + 100 + 19 * 100, -16);
	target->unlink(call);
	fresh();
	enter(down);
	EXPECT(IR_EXIT_CALL, 1, 16);
	/* A safepoint on a call backwards: it has not been pushed. */
	host_frame.poll = 1;
	enter(down);
	EXPECT(CODE_EXIT_POLL, 2, 16);
	CHECK_INT(last_exit()->target, 0);
	CHECK_INT(slot_read(LINK), TOY_PC + 0x100);
}

/* ---- indirect ----------------------------------------------------------- */

static void
test_indirect(bool call, unsigned slot)
{
	struct made from, to = make_return(TOY_PC + 0x2000, 16, true), back = make_last(TOY_PC + 8, 256);
	enum ir_exit_kind kind = call ? IR_EXIT_ICALL : IR_EXIT_INDIRECT;

	begin(TOY_PC, 1);
	ir_ref pc = ir_binary(b, IR_AND, ir_get(b, slot), ir_const(b, IR_I64, -2ull));

	if (call)
		ir_set(b, LINK, ir_pc(b, 8));
	ir_exit_value(b, kind, pc, 8);
	from = end();
	fresh();
	set(slot, TOY_PC + 0x2001);
	enter(from);
	EXPECT(kind, 1, call ? 16 : 0);
	CHECK_INT(host_frame.pc, TOY_PC + 0x2000);
	if (call)
		CHECK_INT(last_exit()->link, 8);
	if (call) { /* the callee comes back */
		enter(to);
		EXPECT(IR_EXIT_JUMP, 17, 0);
		CHECK_INT(last_exit()->target, 8);
		link_last(back);
	}
	fresh();
	set(slot, TOY_PC + 0x2000);
	if (slot != LINK)
		set(LINK, TOY_PC + 8);
	jump_entry(TOY_PC + 0x2000, to);
	enter(from);
	EXPECT(call ? IR_EXIT_LOOKUP : IR_EXIT_RETURN, call ? 273 : 17, call ? 0 : -16);
	fresh();
	set(slot, TOY_PC + 0x2000 + 2 * IR_JUMP_TABLE_SIZE);
	jump_entry(TOY_PC + 0x2000, to);
	enter(from);
	EXPECT(kind, 1, call ? 16 : 0);
	CHECK_INT(host_frame.pc, TOY_PC + 0x2000 + 2 * IR_JUMP_TABLE_SIZE);
	fresh();
	set(slot, TOY_PC + 0x2000);
	jump_entry(TOY_PC + 0x2000, to);
	host_frame.poll = 1;
	enter(from);
	EXPECT(kind, 1, call ? 16 : 0);
	CHECK_INT(host_frame.pc, TOY_PC + 0x2000);
}

int
main(void)
{
	if (!toy_init())
		return check_done();
	for (how = 0; how < HOW_FORCED; how++) {
		test_jump();
		test_side_exit(false);
		test_side_exit(true);
		test_loop();
		test_poll_jump(0x100);
		test_poll_jump(8);
		test_poll_jump(4); /* to itself */
		test_poll_jump(-0x100);
		test_call(LINK);
		test_call(5);
		test_call(25);
		test_recursion();
		for (unsigned slot = 0; slot < 20; slot += 1 + (slot == SUM - 1)) {
			if (slot != LINK) /* the region jumped to returns there */
				test_indirect(false, slot);
			test_indirect(true, slot);
		}
	}
	return check_done();
}

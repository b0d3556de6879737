/* ir/: regions as text: random ones print and parse back to themselves, and
 * text that is broken is refused without harm. Each random region is checked
 * op by op with the verifier, so what it lets through is what is printed.
 *
 *	ir_text [SEED]
 */
#include "ir/ir.h"
#include "unit/check.h"

#include <stdlib.h>

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

/* ---- random regions ----------------------------------------------------- */

static uint64_t state = 1;

/* Below `below`, by splitmix64. */
static uint32_t
pick(uint32_t below)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ z >> 31) >> 16) % below;
}

static const struct ir_helper helpers[] = {
	{ "none", NULL, 0, 0 },
	{ "two", NULL, 2, IR_H_READ_STATE },
	{ "three", NULL, 3, IR_H_MEMORY },
};

/* A value of the type among the ops of the open block; of any if void. */
static ir_ref
pick_value(enum ir_type type)
{
	ir_ref first = region.block[b.block].first, count = region.ins_count - first;

	for (unsigned tries = 0; tries < 30 && count; tries++) {
		ir_ref ref = first + pick(count);

		if (region.ins[ref].type != IR_VOID && (!type || region.ins[ref].type == type))
			return ref;
	}
	for (ir_ref ref = first; ref < region.ins_count; ref++)
		if (region.ins[ref].type == type)
			return ref;
	return 0;
}

static enum ir_type
pick_type(enum ir_result_rule rule)
{
	switch (rule) {
	case IR_R_NONE: return IR_VOID;
	case IR_R_FLAGS: return IR_FLAGS;
	case IR_R_HOST: return IR_HOST;
	case IR_R_INT: return (enum ir_type)(IR_I8 + pick(5));
	case IR_R_FLOAT: return (enum ir_type)(IR_F16 + pick(3));
	case IR_R_VEC: return (enum ir_type)(IR_V64 + pick(3));
	case IR_R_ANY:
	case IR_R_SAME: break;
	}
	return (enum ir_type)(1 + pick(IR_TYPE_COUNT - 1));
}

static ir_ref
pick_operand(char letter, enum ir_type type, ir_ref a)
{
	switch (letter) {
	case '.':
	case '*':
	case 'D': return 0;
	case '=': return pick_value(type);
	case '~': return pick_value((enum ir_type)region.ins[a].type);
	case 'g': return pick_value(IR_FLAGS);
	case 'h': return pick_value(IR_HOST);
	case 'i': return pick_value(pick_type(IR_R_INT));
	case 'f': return pick_value(pick_type(IR_R_FLOAT));
	case 'v': return pick_value(pick_type(IR_R_VEC));
	}
	return pick_value(pick_type(IR_R_ANY));
}

static void
add_call(enum ir_type type)
{
	unsigned helper = pick(ARRAY_LEN(helpers));
	ir_ref list[3];

	for (unsigned i = 0; i < helpers[helper].arguments; i++)
		list[i] = pick_value(pick(2) ? IR_I64 : IR_F32);
	ir_call(&b, pick(2) ? type : IR_VOID, helper, helpers[helper].arguments, list);
}

/* Appends an op that may well be wrong. */
static void
add_op(void)
{
	enum ir_op op = (enum ir_op)pick(IR_OP_COUNT);
	const struct ir_op_info *info = &ir_op_info[op];
	enum ir_type type = pick_type((enum ir_result_rule)info->result);
	unsigned aux = pick(2) ? 0 : pick(3) ? pick(16) : pick(3) ? 1u << pick(16) : pick(65536);
	ir_ref operand[3] = { 0 }, ref;

	for (unsigned i = 0; i < 3; i++)
		operand[i] = pick_operand(info->operands[i], type, operand[0]);
	if (op == IR_CALL) {
		add_call(type);
		return;
	}
	if (info->aux == IR_AUX_FLAGSFCMP || info->aux == IR_AUX_FP)
		aux = IR_FP(pick(8), pick(4), pick(8) << 5, pick(2) ? 0 : pick(32));
	if (info->aux >= IR_AUX_VFP && info->aux <= IR_AUX_VFCVT)
		aux = IR_VFP(IR_F16 + pick(3), pick(8), pick(4), pick(8) << 5, pick(2) ? 0 : pick(32));
	if (info->aux == IR_AUX_MEM || info->aux == IR_AUX_RMW)
		aux = pick(12) | pick(2) << 4 | pick(5) << 5 | pick(10) << 8 * pick(2);
	ref = ir_emit(&b, op, type, aux, operand[0], operand[1], operand[2]);
	if (info->operands[2] == 'D' || info->aux == IR_AUX_XLATE)
		region.ins[ref].c = pick(16);
	if (info->aux == IR_AUX_XLATE)
		region.ins[ref].b = pick(4) - 2;
	if (op == IR_CONST || op == IR_PC)
		region.ins[ref].imm = pick(2) ? (int64_t)pick(1 << 20) : (int64_t)state;
}

static bool
verifies(void)
{
	struct error error = { 0 };
	uint32_t ins = region.ins_count, pool = region.pool_count, blocks = region.block_count;
	struct ir_block open = region.block[b.block];
	bool ok;

	ir_exit_jump(&b, 0);
	region.block[b.block].count = region.ins_count - open.first;
	region.block_count = b.block + 1;
	ok = !ir_verify(&region, &error);
	region.ins_count = ins;
	region.pool_count = pool;
	region.block_count = blocks;
	region.block[b.block] = open;
	return ok;
}

static unsigned long op_seen[IR_OP_COUNT];

/* Tries ops until the block has a few that are right. */
static void
fill_block(unsigned ops)
{
	for (unsigned tries = 0; ops && tries < 60 * ops; tries++) {
		uint32_t ins = region.ins_count, pool = region.pool_count;

		if (pick(4))
			add_op();
		else
			ir_at(&b, (int32_t)pick(1000) - 500, 1 + pick(15));
		if (verifies()) {
			op_seen[region.ins[ins].op]++;
			ops--;
			continue;
		}
		region.ins_count = ins;
		region.pool_count = pool;
	}
}

static void
add_values(void)
{
	for (unsigned type = IR_I8; type <= IR_V256; type++)
		ir_emit(&b, IR_CONST, (enum ir_type)type, 0, 0, 0, 0);
	ir_emit(&b, IR_FLAGS_ADD, IR_FLAGS, 0, pick_value(IR_I64), pick_value(IR_I64), 0);
	ir_xlate(&b, IR_ACCESS_RW, 0, pick_value(IR_I64), 0, 16);
}

static void
add_maps(void)
{
	for (unsigned i = 0; i < 3; i++) {
		static struct ir_map map[3];
		ir_ref value = pick_value(IR_I64);

		map[i] = (struct ir_map){ region.ins_count - 1, (uint16_t)i, IR_FIX_NONE, value };
		if (i == 2)
			map[i] = (struct ir_map){ map[i].at, 2, IR_FIX_BOX, pick_value(IR_F32) };
		region.map = map;
		region.map_count = i + 1;
	}
}

/* A trunk of two blocks and its exits: 0 -> 1, 3; 1 -> 2 with arguments. */
static void
make_random(void)
{
	ir_ref condition, list[2];

	ir_build_begin(&b, &region, &arena, &slots, state & ~UINT64_C(1), pick(4));
	region.helpers = helpers;
	region.helper_count = ARRAY_LEN(helpers);
	add_values();
	fill_block(1 + pick(30));
	list[0] = pick_value(IR_V128);
	list[1] = pick_value(IR_I8);
	ir_goto(&b, 1, 2, list);
	ir_block(&b, false);
	ir_param(&b, IR_V128);
	condition = ir_param(&b, IR_I8);
	list[0] = ir_const(&b, IR_F32, 5);
	list[1] = ir_const(&b, IR_I64, 7);
	ir_br_with(&b, condition, 2, 1, list, 3, 1, list + 1);
	ir_block(&b, false);
	ir_param(&b, IR_F32);
	if (pick(2))
		ir_exit_trap(&b, (enum ir_trap)(1 + pick(8)), b.retired ? b.at : 0, 4);
	else
		ir_exit_call(&b, (int32_t)pick(100) - 50, 4);
	ir_block(&b, false);
	condition = ir_param(&b, IR_I64);
	ir_const(&b, IR_F32, 5);
	ir_exit_value(&b, (enum ir_exit_kind)(IR_EXIT_INDIRECT + pick(3)), condition, (int32_t)pick(2));
	if (pick(8) == 0) /* retired */
		region.pool[region.pool_count - 1] = 1000;
	CHECK(ir_build_end(&b));
	region.counted = pick(2);
	if (pick(4) == 0)
		region.bytes = pick(100);
}

static bool
equal(const struct ir_region *x, const struct ir_region *y)
{
	if (x->pc != y->pc || x->mode != y->mode || x->counted != y->counted || x->bytes != y->bytes ||
	    x->insns != y->insns || x->ins_count != y->ins_count || x->block_count != y->block_count ||
	    x->pool_count != y->pool_count || x->map_count != y->map_count)
		return false;
	for (uint32_t i = 0; i < x->map_count; i++)
		if (x->map[i].at != y->map[i].at || x->map[i].slot != y->map[i].slot ||
		    x->map[i].fixup != y->map[i].fixup || x->map[i].value != y->map[i].value)
			return false;
	return !memcmp(x->ins, y->ins, x->ins_count * sizeof *x->ins) &&
	       !memcmp(x->block, y->block, x->block_count * sizeof *x->block) &&
	       !memcmp(x->pool, y->pool, x->pool_count * sizeof *x->pool);
}

/* The printed region parses back to itself. */
static void
check_round_trip(void)
{
	struct error error = { 0 };
	struct ir_region again;
	int failed;

	CHECK(ir_print(&region, text, sizeof text) < (int)sizeof text);
	failed = ir_verify(&region, &error);
	if (!CHECK(!failed))
		fprintf(stderr, "%s\n%s", error.text, text);
	failed = ir_parse(&again, &arena, &slots, helpers, ARRAY_LEN(helpers), text, &error);
	if (!CHECK(!failed))
		fprintf(stderr, "%s\n%s", error.text, text);
	else if (!CHECK(equal(&region, &again)))
		fprintf(stderr, "%s", text);
}

static void
test_random(void)
{
	for (unsigned i = 0; i < 30 * IR_OP_COUNT; i++) {
		arena_reset(&arena);
		make_random();
		if (i % 4 == 0)
			add_maps();
		check_round_trip();
	}
	for (unsigned op = 0; op < IR_OP_COUNT; op++)
		if (op != IR_PARAM && op != IR_GOTO && op != IR_BR && op != IR_EXIT && !CHECK(op_seen[op]))
			fprintf(stderr, "no random %s was right\n", ir_op_info[op].text);
}

/* ---- broken text -------------------------------------------------------- */

static size_t
line_start(size_t length)
{
	size_t at = pick((uint32_t)length);

	while (at && text[at - 1] != '\n')
		at--;
	return at;
}

/* Changes a character, cuts a piece, repeats one elsewhere, or swaps digits. */
static void
mutate(void)
{
	static const char characters[] = "%@(),={}!:#.-0123456789xabcdefgilmnoprstu \n";
	size_t length = strlen(text), at, size, to;
	char piece[64];

	if (length < 100)
		return;
	at = pick((uint32_t)length - 70);
	size = 1 + pick(sizeof piece - 2);
	switch (pick(5)) {
	case 0:
		text[at] = characters[pick(sizeof characters - 1)];
		break;
	case 1:
		memmove(text + at, text + at + size, length - at - size + 1);
		break;
	case 2:
		if (length + size >= sizeof text)
			break;
		to = pick((uint32_t)length);
		memcpy(piece, text + at, size);
		memmove(text + to + size, text + to, length - to + 1);
		memcpy(text + to, piece, size);
		break;
	case 3:
		to = line_start(length);
		size = strcspn(text + to, "\n") + 1;
		if (size < sizeof piece && to + size <= length)
			memmove(text + to, text + to + size, length - to - size + 1);
		break;
	case 4:
		while (text[at] && (text[at] < '0' || text[at] > '9'))
			at++;
		if (text[at])
			text[at] = (char)('0' + pick(10));
		break;
	}
}

static void
test_broken(void)
{
	static char whole[sizeof text];
	unsigned good = 0;

	for (unsigned i = 0; i < 20000; i++) {
		struct error error = { 0 };
		int failed;

		arena_reset(&arena);
		if (i % 100 == 0) {
			make_random();
			if (i % 200 == 0)
				add_maps();
			ir_print(&region, whole, sizeof whole);
			arena_reset(&arena);
		}
		memcpy(text, whole, sizeof text);
		for (unsigned n = 1 + pick(3); n; n--)
			mutate();
		failed = ir_parse(&region, &arena, &slots, helpers, ARRAY_LEN(helpers), text, &error) ||
			 ir_verify(&region, &error);
		CHECK_INT(error.set, failed != 0);
		if (!failed) {
			good++;
			check_round_trip();
		}
	}
	CHECK(good > 100 && good < 19000);
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		state = strtoull(argv[1], NULL, 0);
	test_print();
	test_random();
	test_broken();
	arena_fini(&arena);
	return check_done();
}

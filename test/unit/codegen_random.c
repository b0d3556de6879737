/* The code generator against the evaluator on random regions.
 *
 *	codegen_random [seed [regions [instructions]]]
 *
 * A region that differs is made smaller as long as it still differs, and
 * printed with the state before; the same seed and numbers find it again. */
#include "codegen_random.h"

static struct maker maker;
static unsigned long compiled, unsupported, interpreted, by_kind[OUT_FAULT + 1];

/* ---- shrinking ---------------------------------------------------------- */

/* An XLATE whose access is gone faults for the evaluator only. */
static bool
has_bare_xlate(const struct ir_region *region)
{
	for (ir_ref ref = 1; ref < region->ins_count; ref++) {
		ir_ref user = ref + 1;

		if (region->ins[ref].op != IR_XLATE)
			continue;
		while (user < region->ins_count && (region->ins[user].a != ref || region->ins[user].op < IR_LOAD))
			user++;
		if (user == region->ins_count)
			return true;
	}
	return false;
}

static bool
fails(const struct ir_region *region, unsigned how)
{
	struct outcome out;

	return !has_bare_xlate(region) && !toy_compare(region, how, &out);
}

static bool
is_used(const struct ir_region *region, ir_ref of)
{
	for (ir_ref ref = 1; ref < region->ins_count; ref++) {
		const struct ir_ins *ins = &region->ins[ref];
		const char *kinds = ir_op_info[ins->op].operands;
		const uint32_t *list;
		uint32_t count;

		if ((kinds[0] != '.' && kinds[0] != '*' && ins->a == of) ||
		    (kinds[1] != '.' && kinds[1] != '*' && ins->b == of) ||
		    (kinds[2] != '.' && kinds[2] != '*' && kinds[2] != 'D' && ins->c == of))
			return true;
		if (ins->op == IR_EXIT && ir_exit_of(region, ref).value == of)
			return true;
		if (ins->op == IR_CALL) {
			list = ir_call_arguments(region, ref, &count);
			while (count-- > 0)
				if (list[count] == of)
					return true;
		}
	}
	return false;
}

/* Tries the access without itself and its translation. */
static bool
try_access(struct ir_region *region, ir_ref ref, unsigned how)
{
	struct ir_ins *ins = region->ins, access = ins[ref], xlate = ins[access.a];
	ir_ref at = access.a;

	if (access.op < IR_LOAD || access.op > IR_SC || xlate.op != IR_XLATE)
		return false;
	ins[at] = (struct ir_ins){ .op = IR_NOP };
	ins[ref] = access.op == IR_STORE ? ins[at] : (struct ir_ins){ .op = IR_CONST, .type = access.type, .imm = 2 };
	if (fails(region, how))
		return true;
	ins[at] = xlate;
	ins[ref] = access;
	return false;
}

/* Tries the op as another; puts it back if the region no longer fails. */
static bool
try_op(struct ir_region *region, ir_ref ref, struct ir_ins with, unsigned how)
{
	struct ir_ins old = region->ins[ref];

	region->ins[ref] = with;
	if (fails(region, how))
		return true;
	region->ins[ref] = old;
	return false;
}

/* Ends the region as early as it still fails. */
static void
cut_end(struct ir_region *region, unsigned how)
{
	for (int64_t delta = 4; delta < 4 * REGION_OPS; delta += 4) {
		struct ir_region cut = toy_cut(region, delta, &region_arena);

		if (cut.ins == region->ins || !fails(&cut, how))
			continue;
		*region = cut;
		return;
	}
}

static void
shrink(struct ir_region *region, unsigned how)
{
	bool smaller = true;

	cut_end(region, how);
	for (unsigned pass = 0; smaller && pass < 8; pass++) {
		smaller = false;
		for (ir_ref ref = region->ins_count; ref-- > 1;) {
			const struct ir_ins *ins = &region->ins[ref];
			enum ir_type type = (enum ir_type)ins->type;

			if (ins->op == IR_NOP || ins->op == IR_AT || ins->op == IR_EXIT || ins->op == IR_BR)
				continue;
			if (try_access(region, ref, how)) {
				smaller = true;
				continue;
			}
			if (type == IR_VOID || !is_used(region, ref)) {
				smaller |= try_op(region, ref, (struct ir_ins){ .op = IR_NOP }, how);
				continue;
			}
			if (ins->op == IR_CONST || ins->op == IR_GET)
				continue;
			if (type <= IR_I64 || type == IR_F64 || type == IR_F32)
				smaller |= try_op(region, ref, (struct ir_ins){ .op = IR_CONST, .type = ins->type, .imm = 2 }, how);
			if (type == IR_V128 || type == IR_V64)
				smaller |= try_op(region, ref, (struct ir_ins){ .op = IR_CONST, .type = ins->type, .imm = 2 }, how);
			if (type == IR_FLAGS)
				smaller |= try_op(region, ref, (struct ir_ins){ .op = IR_GET, .type = ins->type, .aux = TOY_FLAGS_SLOT }, how);
			if (region->ins[ref].op != IR_CONST && (type == IR_I64 || type == IR_F64))
				smaller |= try_op(region, ref, (struct ir_ins){ .op = IR_GET, .type = ins->type,
					.aux = type == IR_F64 ? INTS + 2 : 3 }, how);
		}
	}
}

static void
tell(struct ir_region *region, unsigned how, unsigned long number, uint64_t at_seed)
{
	struct outcome out;

	fprintf(stderr, "region %lu, seed %#" PRIx64 ", %s%s%s%s\n", number, at_seed, how & HOW_BASELINE ? "baseline " : how & HOW_V3 ? "v3 " : "",
		how & HOW_BASED ? "based" : "",
		how & HOW_FORCED ? " forced" : "", maker.raw ? " raw" : "");
	toy_show = true;
	fails(region, how);
	toy_show = false;
	if (check_failures > 3)
		return;
	shrink(region, how);
	fprintf(stderr, "smaller:\n");
	toy_print(region);
	for (unsigned i = 0; i < NUMBERS; i++) {
		uint64_t x;

		memcpy(&x, start_frame.guest + 8 * i, 8);
		fprintf(stderr, "%s%s=%" PRIx64, i % 8 ? " " : "\n", toy_name[i], x);
	}
	fprintf(stderr, "\nflags=%x", start_frame.guest[toy_slot[TOY_FLAGS_SLOT].offset]);
	fprintf(stderr, "\nround %u flags %#x\n", start_frame.fp_round, start_frame.fp_flags);
	toy_show = true;
	toy_compare(region, how, &out);
	fprintf(stderr, "exit %u to %#" PRIx64 "\n", out.kind, out.pc);
	toy_show = false;
	toy_dump();
}

/* ---- main --------------------------------------------------------------- */

static void
one(unsigned long number, unsigned most)
{
	uint64_t at_seed = seed;
	unsigned how = below(HOW_ALL);
	struct outcome out;
	struct ir_region *region = &maker.region;
	bool good, vectors = percent(40);

	toy_choose(vectors);
	toy_random_state(how);
	make_region(&maker, 1 + below(percent(30) ? most : 12), vectors);
	straighten(region, how);
	good = toy_compare(region, how, &out);
	if (!CHECK(good)) {
		tell(region, how, number, at_seed);
		return;
	}
	compiled += out.compiled == TARGET_OK;
	unsupported += out.compiled == TARGET_UNSUPPORTED;
	interpreted += out.compiled == TARGET_OK && out.kind == CODE_EXIT_INTERPRET;
	if (out.compiled == TARGET_OK)
		by_kind[out.kind]++;
}

int
main(int argc, char **argv)
{
	unsigned long regions = argc > 2 ? strtoul(argv[2], NULL, 0) : 3000;
	unsigned most = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 0) : 100;

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	seed |= seed == 0;
	printf("seed %#" PRIx64 "\n", seed);
	if (!toy_init())
		return check_done();
	for (unsigned long i = 0; i < regions && check_failures < 20; i++)
		one(i, most);
	printf("%lu compiled, %lu unsupported, %lu left to the interpreter\n", compiled, unsupported, interpreted);
	for (unsigned i = 0; i < ARRAY_LEN(by_kind); i++)
		if (by_kind[i])
			printf("exit kind %u: %lu\n", i, by_kind[i]);
	/* Most regions have code and run in it. */
	CHECK(unsupported * 5 < regions);
	CHECK(interpreted * 2 < regions);
	return check_done();
}

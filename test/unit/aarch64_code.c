/* All A64 operations have x86-64 code, at each level of host features: each is
 * lifted alone, and the code generator must come to the end of the region. */
#include "aarch64_run.h"
#include "codegen/target.h"

enum { TRIES = 8, ROOM = 1 << 16 };

static uint8_t hot[ROOM], cold[ROOM];
static struct arena compile_arena;

/* The region in arm.region has code to its end. */
static bool
has_code(unsigned baseline)
{
	const struct ir_region *region = &arm.region;
	struct code_stream h = { hot + 64, hot + ROOM }, c = { cold, cold + ROOM };
	struct target_job job = { .region = region, .anchor_slot = hot, .hot = &h, .cold = &c, .arena = &compile_arena,
				  .guest_base_zero = true, .baseline = baseline };
	struct target_code code;

	arena_reset(&compile_arena);
	job.mark = arena_alloc(&compile_arena, region->ins_count * sizeof *job.mark);
	if (target_host()->compile(&job, &code) != TARGET_OK || !code.mark_count)
		return false;
	return region->ins[job.mark[code.mark_count - 1].ref].op == IR_EXIT;
}

/* Exclusive pairs without AVX, whose 16-byte loads are atomic: to load is to store. */
static bool
left_out(enum aarch64_op op, unsigned baseline)
{
	return baseline == 2 && (op == A64_LDXP || op == A64_LDAXP);
}

static void
try_op(enum aarch64_op op, unsigned baseline)
{
	struct aarch64_op_info info = aarch64_op_info(op);
	struct aarch64_insn insn;
	char text[80];

	for (unsigned tries = 0, i = 0; i < 40 * TRIES && tries < TRIES; i++) {
		uint32_t bits = info.match | ((uint32_t)arm_random() & ~info.mask);

		if (!aarch64_decode(bits, &insn) || insn.op != op)
			continue;
		tries++;
		arm_begin();
		arm_put(bits);
		arm_lift();
		if (CHECK(has_code(baseline) || left_out(op, baseline)))
			continue;
		aarch64_disassemble(text, sizeof text, 0, bits, 0);
		fprintf(stderr, "no code for %08x, %s (baseline %u)\n", bits, text, baseline);
		return;
	}
}

int
main(void)
{
	static const unsigned level[] = { 0, 3, 2 };

	for (enum aarch64_op op = A64_ILLEGAL + 1; op < A64_OP_COUNT; op++)
		for (unsigned i = 0; i < ARRAY_LEN(level); i++)
			try_op(op, level[i]);
	return check_done();
}

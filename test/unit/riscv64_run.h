/* A small RV64 machine for unit tests: encodes instructions by the table,
 * lifts them and runs the IR in the evaluator. */
#ifndef TEST_UNIT_RISCV64_RUN_H
#define TEST_UNIT_RISCV64_RUN_H

#include "guest/riscv64/insn.h"
#include "guest/riscv64/state.h"
#include "ir/eval.h"
#include "unit/check.h"

#include <stdlib.h>

/* Where code and memory lie for the guest. */
#define CODE_PC 0x40000000ull
#define MEMORY_BASE 0x50000ull
#define MEMORY_SIZE 4096u

static struct {
	struct ir_frame frame;
	uint8_t memory[MEMORY_SIZE];
	uint8_t code[1024];
	size_t size; /* bytes of code */
	struct arena arena;
	struct ir_region region;
	struct ir_eval eval; /* of the last run */
	unsigned insns;      /* limit of a region; 0: none set */
	bool single_block;
} rv;

static inline uint64_t
rv_random(void)
{
	static uint64_t state = 0x2545f4914f6cdd1dull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x9e3779b97f4a7c15ull >> 3 ^ state;
}

/* Operands that go wrong first, small numbers, and anything. */
static inline uint64_t
rv_random_operand(void)
{
	static const uint64_t corners[] = {
		0, 1, 2, UINT64_MAX, UINT64_MAX - 1, INT64_MAX, (uint64_t)INT64_MIN, 0x7fffffff, 0x80000000,
		0xffffffff, 0xffffffff80000000, 0xffffffff7fffffff, 0x100000000, 0x8000, 0x7fff, 0x80,
		0x0123456789abcdef, 0xff00ff00ff00ff00,
	};
	uint64_t r = rv_random();

	switch (r % 4) {
	case 0:
		return corners[(r >> 2) % ARRAY_LEN(corners)];
	case 1:
		return (uint64_t)((int64_t)rv_random() >> (r >> 2 & 63));
	case 2:
		return 1ull << (r >> 2 & 63);
	}
	return rv_random();
}

static inline struct riscv64_state *
rv_state(void)
{
	return riscv64_state_of(&rv.frame);
}

/* Empty code, registers of random operands. */
static inline void
rv_begin(void)
{
	rv.size = 0;
	rv.insns = 0;
	rv.single_block = false;
	guest_riscv64.reset(&rv.frame);
	for (unsigned i = 1; i < 32; i++)
		rv_state()->x[i] = rv_random_operand();
	for (unsigned i = 0; i < 32; i++)
		rv_state()->f[i] = rv_random();
}

static inline void
rv_put(uint32_t bits, unsigned length)
{
	memcpy(rv.code + rv.size, &bits, length);
	rv.size += length;
}

/* Appends an instruction in its 32-bit form. */
static inline void
rv_insn(struct riscv64_insn insn)
{
	uint32_t bits = 0;

	insn.form = (uint16_t)insn.op;
	if (!CHECK(riscv64_encode(&insn, &bits)))
		fprintf(stderr, "  cannot encode %s\n", riscv64_form_info(insn.op).mnemonic);
	rv_put(bits, 4);
}

#define RV(operation, ...) rv_insn((struct riscv64_insn){ .op = RV_##operation, __VA_ARGS__ })

/* An immediate that the operation can hold, at random. */
static inline int64_t
rv_random_imm(enum riscv64_op op)
{
	int64_t r = (int64_t)rv_random();

	switch ((int)riscv64_form_info(op).format) {
	case RV_FORMAT_I:
	case RV_FORMAT_S:
		return r % 3 ? r >> 52 : (r >> 62);
	case RV_FORMAT_SHIFT:
		return r & 63;
	case RV_FORMAT_SHIFTW:
	case RV_FORMAT_CSRI:
	case RV_FORMAT_FLI:
		return r & 31;
	case RV_FORMAT_U:
		return (r >> 44) * 4096;
	case RV_FORMAT_MOPRR:
		return r & 7;
	case RV_FORMAT_MOPR:
		return r & 31;
	}
	return 0;
}

/* The region keeps the IR's rules, and its text says all of it. */
static inline void
rv_check_region(void)
{
	static char text[1 << 18], again_text[1 << 18];
	const struct ir_region *region = &rv.region;
	struct error error = { 0 };
	struct ir_region again;

	if (!CHECK(ir_print(region, text, sizeof text) < (int)sizeof text) || !CHECK(!ir_verify(region, &error)) ||
	    !CHECK(!ir_parse(&again, &rv.arena, region->slots, region->helpers, region->helper_count, text,
			     &error)))
		fprintf(stderr, "%s\n%s", error.text, text);
	else if (!CHECK(ir_print(&again, again_text, sizeof again_text) > 0 && !strcmp(text, again_text)))
		fprintf(stderr, "%s%s", text, again_text);
}

/* Lifts the code from CODE_PC on under the frame's mode. */
static inline void
rv_lift(void)
{
	struct guest_lift_limits limits = { .insns = rv.insns, .code = rv.code, .readable = rv.size,
					    .single_block = rv.single_block };

	arena_reset(&rv.arena);
	rv.frame.pc = CODE_PC;
	rv.frame.mode = guest_riscv64.mode(&rv.frame);
	CHECK_INT(guest_riscv64.lift(&rv.region, &rv.arena, CODE_PC, rv.frame.mode, &limits), 0);
	rv_check_region();
}

/* Lifts and runs one region. */
static inline void
rv_run(void)
{
	static const struct ir_window window = { MEMORY_BASE, MEMORY_SIZE, rv.memory };

	rv_lift();
	rv.eval = (struct ir_eval){ .frame = &rv.frame, .window = &window, .arena = &rv.arena };
	CHECK(ir_eval(&rv.eval, &rv.region));
}

/* Checks that the region ended in a jump to CODE_PC + delta. */
#define RV_CHECK_JUMP(delta) \
	do { \
		CHECK_INT(rv.eval.kind, IR_EXIT_JUMP); \
		CHECK_INT(rv.frame.pc, CODE_PC + (uint64_t)(int64_t)(delta)); \
	} while (0)

#endif

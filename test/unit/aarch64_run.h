/* A small A64 machine for unit tests: lifts instructions and runs the IR in the
 * evaluator. */
#ifndef TEST_UNIT_AARCH64_RUN_H
#define TEST_UNIT_AARCH64_RUN_H

#include "guest/aarch64/insn.h"
#include "guest/aarch64/state.h"
#include "ir/eval.h"
#include "unit/check.h"

#include <stdlib.h>

/* Where code and memory lie for the guest. */
#define CODE_PC 0x40000000ull
#define MEMORY_BASE 0x50000ull
#define MEMORY_SIZE 4096u

static struct {
	struct ir_frame frame;
	_Alignas(64) uint8_t memory[MEMORY_SIZE];
	uint32_t code[64];
	unsigned count; /* instructions */
	struct arena arena;
	struct ir_region region;
	struct ir_eval eval; /* of the last run */
	bool single_block;
} arm;

static inline uint64_t
arm_random(void)
{
	static uint64_t state = 0x2545f4914f6cdd1dull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x9e3779b97f4a7c15ull >> 3 ^ state;
}

static inline struct aarch64_state *
arm_state(void)
{
	return aarch64_state_of(&arm.frame);
}

/* Empty code; the state of a new process. */
static inline void
arm_begin(void)
{
	arm.count = 0;
	arm.single_block = false;
	guest_aarch64.reset(&arm.frame);
}

static inline void
arm_put(uint32_t bits)
{
	arm.code[arm.count++] = bits;
}

/* The region keeps the IR's rules, and its text says all of it. */
static inline void
arm_check_region(void)
{
	static char text[1 << 18], again_text[1 << 18];
	const struct ir_region *region = &arm.region;
	struct error error = { 0 };
	struct ir_region again;

	if (!CHECK(ir_print(region, text, sizeof text) < (int)sizeof text) || !CHECK(!ir_verify(region, &error)) ||
	    !CHECK(!ir_parse(&again, &arm.arena, region->slots, region->helpers, region->helper_count, text,
			     &error)))
		fprintf(stderr, "%s\n%s", error.text, text);
	else if (!CHECK(ir_print(&again, again_text, sizeof again_text) > 0 && !strcmp(text, again_text)))
		fprintf(stderr, "%s%s", text, again_text);
}

/* Lifts the code from CODE_PC on under the frame's mode. */
static inline void
arm_lift(void)
{
	struct guest_lift_limits limits = { .code = (const uint8_t *)arm.code, .readable = 4 * arm.count,
					    .single_block = arm.single_block };

	arena_reset(&arm.arena);
	arm.frame.pc = CODE_PC;
	arm.frame.mode = guest_aarch64.mode(&arm.frame);
	CHECK_INT(guest_aarch64.lift(&arm.region, &arm.arena, CODE_PC, arm.frame.mode, &limits), 0);
	arm_check_region();
}

/* Lifts and runs one region. */
static inline void
arm_run(void)
{
	static const struct ir_window window = { MEMORY_BASE, MEMORY_SIZE, arm.memory };

	arm_lift();
	arm.eval = (struct ir_eval){ .frame = &arm.frame, .window = &window, .arena = &arm.arena };
	CHECK(ir_eval(&arm.eval, &arm.region));
}

#endif

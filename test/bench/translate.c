/* What translation costs: lifts and compiles every region of the executable
 * sections of a guest's ELF files, in order of address, cold code as a loader
 * would meet it, and prints nanoseconds a guest instruction (of real time, whose clock is cheap: run it alone).
 *
 * usage: translate FILE…     (built as build/bench/translate)
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "codegen/target.h"
#include "monitor/elf_file.h"

enum { STREAM = 1 << 20 };

struct total {
	uint64_t insns, ops, regions, unsupported, hot, cold, lift_ns, compile_ns;
};

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void
translate(struct total *total, const struct guest *guest, const struct elf_range *range, struct arena *arena,
	  uint8_t *memory)
{
	const struct target *target = target_host();
	uint64_t at = 0;

	while (at + 4 <= range->size) {
		struct guest_lift_limits limits = { .insns = 64, .code = range->bytes + at, .readable = range->size - at };
		struct code_stream hot = { memory + 64, memory + STREAM };
		struct code_stream cold = { memory + STREAM, memory + 2 * STREAM };
		struct ir_region region;
		struct target_code code = { 0 };
		uint64_t begin = now(), middle;

		if (guest->lift(&region, arena, range->address + at, 0, &limits) < 0)
			return;
		region.helpers = guest->helpers;
		region.helper_count = guest->helper_count;
		middle = now();
		struct target_job job = { .region = &region, .hot = &hot, .cold = &cold, .arena = arena,
					  .anchor_slot = memory, .guest_base_zero = true };

		if (target->compile(&job, &code) != TARGET_OK)
			total->unsupported++;
		total->compile_ns += now() - middle;
		total->lift_ns += middle - begin;
		total->insns += region.insns;
		total->ops += region.ins_count;
		total->regions++;
		total->hot += code.hot_size;
		total->cold += code.cold_size;
		at += region.bytes ? region.bytes : 2;
		arena_reset(arena);
	}
}

int
main(int argc, char **argv)
{
	uint8_t *memory = pages_alloc(2 * STREAM);
	struct arena arena = { 0 };

	for (int i = 1; i < argc; i++) {
		struct total t = { 0 };
		struct elf_file file;
		struct elf_range range;
		struct error error = { 0 };

		if (elf_file_open(&file, argv[i], &error)) {
			fprintf(stderr, "%s\n", error.text);
			return 1;
		}
		for (int round = 0; round < 2; round++) { /* the first warms up */
			t = (struct total){ 0 };
			for (unsigned n = 0; elf_file_code(&file, n, &range); n++)
				translate(&t, file.guest, &range, &arena, memory);
		}
		printf("%s: %lu instructions in %lu regions (%lu not compiled), %.1f ops each\n"
		       "  lift %.0f ns, compile %.0f ns an instruction; %.1f bytes hot, %.1f cold an instruction\n",
		       argv[i], (unsigned long)t.insns, (unsigned long)t.regions, (unsigned long)t.unsupported,
		       (double)t.ops / (double)t.insns, (double)t.lift_ns / (double)t.insns,
		       (double)t.compile_ns / (double)t.insns, (double)t.hot / (double)t.insns,
		       (double)t.cold / (double)t.insns);
		elf_file_close(&file);
	}
	return 0;
}

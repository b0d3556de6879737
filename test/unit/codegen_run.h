/* For the tests of the code generator: a toy guest, and a run of one region by
 * generated code and by the evaluator from one state, compared.
 *
 * The toy guest has 32 integer slots, ten of them boundary slots, 32 f64
 * containers with twelve, flags, and 16 vectors; slots 5 and 20 are pointers to its memory, one page
 * before one that is not there. A region is compiled at a place of its own in
 * code memory and entered through the thunks; a fault of the host is led out
 * by fault_exit as the cache would.
 */
#ifndef TEST_UNIT_CODEGEN_RUN_H
#define TEST_UNIT_CODEGEN_RUN_H

#include "check.h"
#include "codegen/target.h"
#include "host/codemem.h"
#include "ir/eval.h"

#include <cpuid.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ucontext.h>
#include <unistd.h>

/* ---- random values ------------------------------------------------------ */

static uint64_t seed = 0x9e3779b97f4a7c15;

static inline uint64_t
random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1d;
}

/* 0 to n - 1 */
static inline unsigned
below(unsigned n)
{
	return (unsigned)(random64() >> 33) % n;
}

static inline bool
percent(unsigned n)
{
	return below(100) < n;
}

static inline uint64_t
random_int(void)
{
	static const uint64_t edges[] = { 0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
					  0xffffffff, 0x100000000, INT64_MAX, 1ull << 63, UINT64_MAX };
	uint64_t v = random64();

	switch (v % 4) {
	case 0: return edges[below(ARRAY_LEN(edges))];
	case 1: return -edges[below(ARRAY_LEN(edges))];
	case 2: return v >> (v >> 58);
	default: return v;
	}
}

/* NaNs of both kinds, infinities, zeros, denormals, extremes, round halves,
 * edges of integer ranges; plain numbers more often. */
static inline uint64_t
random_f64(void)
{
	static const uint64_t edges[] = {
		0x7ff8000000000000, 0x7ff0000000000001, 0x7ff4000000000000, 0xfff8000000001234, 0x7ff0000000000000,
		0, 1, 0x000fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff, 0x3ff0000000000000,
		0x3fe0000000000000, 0x3ff8000000000000, 0x4004000000000000, 0x41dfffffffc00000, 0x41e0000000000000,
		0x41efffffffe00000, 0x41f0000000000000, 0x43e0000000000000, 0x43dfffffffffffff, 0x43f0000000000000,
		0x47efffffe0000000, 0x47effffff0000000, 0x3690000000000000, 0x380fffffffffffff, 0x3fefffffffffffff };
	uint64_t v = random64();

	if (v % 8 == 0)
		return edges[below(ARRAY_LEN(edges))] ^ (v & 1ull << 63);
	if (v % 8 == 1)
		return v;
	if (v % 8 == 2) /* a small number of halves */
		return ((union { double d; uint64_t u; }){ .d = (double)(int)(v >> 40 & 0xfff) / 2 - 512 }).u;
	return (v & 0x800fffffffffffff) | (uint64_t)(1023 - 40 + below(80)) << 52;
}

static inline uint32_t
random_f32(void)
{
	static const uint32_t edges[] = {
		0x7fc00000, 0x7f800001, 0x7fa00000, 0xffc01234, 0x7f800000, 0, 1, 0x007fffff, 0x00800000,
		0x7f7fffff, 0x3f800000, 0x3f000000, 0x3fc00000, 0x40200000, 0x4f000000, 0x4effffff, 0x4f800000,
		0x5f000000, 0x5effffff, 0x5f800000, 0x3f7fffff };
	uint64_t v = random64();

	if (v % 8 == 0)
		return edges[below(ARRAY_LEN(edges))] ^ (uint32_t)(v & 1u << 31);
	if (v % 8 == 1)
		return (uint32_t)(v >> 20);
	if (v % 8 == 2)
		return ((union { float d; uint32_t u; }){ .d = (float)(int)(v >> 40 & 0xfff) / 2 - 512 }).u;
	return (uint32_t)(v >> 20 & 0x807fffff) | (127 - 20 + below(40)) << 23;
}

/* ---- the toy guest ------------------------------------------------------ */

enum { INTS = 32, FPS = 32, NUMBERS = INTS + FPS, TOY_FLAGS_SLOT = NUMBERS, VECTOR_FIRST, VECTORS = 16,
	TOY_SLOTS = VECTOR_FIRST + VECTORS, POINTER_A = 5, POINTER_B = 20, TOY_PAGE = 4096 };
/* Two tables, alike but for the boundary registers: of containers, of vectors. */
static struct ir_slot toy_slot[TOY_SLOTS], toy_vector_slot[TOY_SLOTS];
static const struct ir_slots toy_tables[2] = { { toy_slot, TOY_SLOTS }, { toy_vector_slot, TOY_SLOTS } };
static const struct ir_slots *toy_slots = &toy_tables[0];
static char toy_name[TOY_SLOTS][8];
static uint8_t *const toy_memory = (uint8_t *)0x20000000; /* host address */
enum { TOY_BASED = 0x400000 };                            /* guest address when the base is not zero */
enum { TOY_PC = 0x10000, TOY_ANCHOR = TOY_PC - 0x230 };

static uint64_t
helper_mix(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c)
{
	(void)frame;
	/* Registers that C may change are changed. */
	__asm__ volatile("pcmpeqb %%xmm0, %%xmm0\n\tmovaps %%xmm0, %%xmm5\n\tmovaps %%xmm0, %%xmm12\n\t"
			 "movaps %%xmm0, %%xmm13\n\tmovaps %%xmm0, %%xmm14\n\tmovaps %%xmm0, %%xmm15\n\t"
			 "mov $-1, %%r11\n\tmov %%r11, %%r10\n\tmov %%r11, %%r9\n\tmov %%r11, %%r8"
			 ::: "xmm0", "xmm5", "xmm12", "xmm13", "xmm14", "xmm15", "r8", "r9", "r10", "r11");
	return a * 3 + (b ^ 0x1234567890abcdef) - c;
}

/* Reads every slot. */
static uint64_t
helper_read(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t sum = a, slot;

	(void)b, (void)c;
	for (unsigned i = 0; i < NUMBERS; i++) {
		memcpy(&slot, frame->guest + toy_slot[i].offset, sizeof slot);
		sum = sum * 31 + slot;
	}
	return sum * 31 + frame->guest[toy_slot[TOY_FLAGS_SLOT].offset];
}

/* Changes some slots, both boundary and not. */
static uint64_t
helper_write(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c)
{
	(void)c;
	memcpy(frame->guest + toy_slot[2].offset, &a, sizeof a);
	memcpy(frame->guest + toy_slot[15].offset, &a, sizeof a);
	memcpy(frame->guest + toy_slot[INTS + 4].offset, &b, sizeof b);
	memcpy(frame->guest + toy_slot[INTS + 20].offset, &b, sizeof b);
	return a ^ b;
}

static uint64_t
helper_flags(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c)
{
	(void)a, (void)b, (void)c;
	frame->fp_flags |= 4;
	return frame->fp_round;
}

enum { TOY_MIX, TOY_READ, TOY_WRITE, TOY_FLAGS, TOY_HELPERS };
static const struct ir_helper toy_helper[TOY_HELPERS] = {
	[TOY_MIX] = { "mix", helper_mix, 3, 0 },
	[TOY_READ] = { "read", helper_read, 1, IR_H_READ_STATE },
	[TOY_WRITE] = { "write", helper_write, 2, IR_H_READ_STATE | IR_H_WRITE_STATE },
	[TOY_FLAGS] = { "flags", helper_flags, 0, IR_H_FP },
};

/* ---- one run ------------------------------------------------------------ */

enum { HOW_BASELINE = 1, HOW_BASED = 2, HOW_FORCED = 4, HOW_V3 = 8, HOW_ALL = 16, HOW_LOOP = 32 };
enum { CODE_SIZE = 1 << 20, CODE_COLD = CODE_SIZE / 2, SHADOW_SIZE = 1 << 16 };
enum { OUT_FAULT = 64 }; /* beside the kinds of a code_exit */

/* How a run in generated code ended. */
struct outcome {
	enum target_result compiled;
	unsigned kind, trap;
	uint64_t pc, link;
	unsigned retired;
	intptr_t shadow; /* bytes the shadow stack moved by */
};

static const struct target *target;
static struct code_memory code_memory;
static struct code_stream hot_stream, cold_stream;
static uint8_t *hot_first; /* behind the thunks */
static struct target_thunks thunks, both_thunks[2];
static struct target_code code; /* the last one compiled */
static uint8_t *code_hot_w, *code_cold_w;
static const uint8_t *code_entry;
static struct arena compile_arena, region_arena;
static uint8_t *shadow_memory;

/* The state to start from, and after: by the evaluator, by the code. */
static struct ir_frame start_frame, eval_frame, host_frame;
static uint8_t start_memory[TOY_PAGE], eval_memory[TOY_PAGE], host_memory[TOY_PAGE];
#define FRAME_STATE offsetof(struct ir_frame, guest_base)

/* Of the traps planted before accesses: how many to pass before one is taken. */
static unsigned forced_left;
static bool forced_taken;

static struct code_exit fault_record = { .kind = OUT_FAULT };
static const struct ir_region *running;
static unsigned running_how;
static void toy_print(const struct ir_region *region);
static void toy_dump(void);

/* Why the test cannot go on; from a signal handler. */
static void
die(int number, uint64_t pc)
{
	fprintf(stderr, "signal %d in generated code at %#" PRIx64 " (hot + %#" PRIx64 ")\n", number, pc,
		pc - (uint64_t)(uintptr_t)code_entry);
	if (running) {
		toy_print(running);
		toy_dump();
	}
	_exit(1);
}

static void
on_fault(int number, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	uint64_t pc = (uint64_t)uc->uc_mcontext.gregs[REG_RIP], offset = pc - (uint64_t)(uintptr_t)code_entry;

	(void)info;
	if (number == SIGILL && running && (running_how & HOW_FORCED) && !memcmp((void *)(uintptr_t)pc, "\x0f\x0b", 2)) {
		if (forced_left) {
			forced_left--;
			uc->uc_mcontext.gregs[REG_RIP] += 2;
			return;
		}
		forced_taken = true;
	}
	if ((number == SIGSEGV || forced_taken) && running && offset < code.hot_size) {
		for (uint32_t i = 0; i < code.point_count; i++) {
			uint32_t end = i + 1 < code.point_count ? code.point[i + 1].map : code.move_count;

			if (offset >= code.point[i].host)
				continue;
			fault_record.target = code.point[i].pc;
			if (target->fault_exit(context, &host_frame, toy_slots, code.move + code.point[i].map,
					       end - code.point[i].map, &fault_record))
				return;
			break;
		}
	}
	die(number, pc);
}

static bool
toy_init(void)
{
	static char stack[1 << 16];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGALRM };

	for (unsigned i = 0; i < NUMBERS; i++) {
		bool fp = i >= INTS;
		unsigned n = i % INTS;

		snprintf(toy_name[i], sizeof toy_name[i], "%c%u", fp ? 'f' : 'x', n);
		toy_slot[i] = (struct ir_slot){
			.name = toy_name[i], .offset = (uint16_t)(8 * i), .type = fp ? IR_F64 : IR_I64,
			.boundary = (int8_t)(n < (fp ? 12u : 10u) ? (int)n : -1), .alias = (uint16_t)i };
	}
	snprintf(toy_name[TOY_FLAGS_SLOT], sizeof toy_name[0], "flags");
	toy_slot[TOY_FLAGS_SLOT] = (struct ir_slot){ .name = toy_name[TOY_FLAGS_SLOT], .offset = 8 * TOY_FLAGS_SLOT,
						     .type = IR_FLAGS, .boundary = -1, .alias = TOY_FLAGS_SLOT };
	for (unsigned i = 0; i < VECTORS; i++) {
		unsigned slot = VECTOR_FIRST + i;

		snprintf(toy_name[slot], sizeof toy_name[0], "v%u", i);
		toy_slot[slot] = (struct ir_slot){ .name = toy_name[slot], .offset = (uint16_t)(8 * (NUMBERS + 2) + 16 * i),
						   .type = IR_V128, .boundary = -1, .alias = (uint16_t)slot };
	}
	memcpy(toy_vector_slot, toy_slot, sizeof toy_slot);
	for (unsigned i = 0; i < FPS; i++)
		toy_vector_slot[INTS + i].boundary = -1;
	for (unsigned i = 0; i < 10; i++)
		toy_vector_slot[VECTOR_FIRST + i].boundary = (int8_t)i;
	target = target_host();
	if (!CHECK(target != NULL))
		return false;
	if (!CHECK(mmap(toy_memory, TOY_PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == toy_memory) ||
	    !CHECK(mmap(toy_memory + TOY_PAGE, TOY_PAGE, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == toy_memory + TOY_PAGE))
		return false;
	if (!CHECK(code_memory_reserve(&code_memory, CODE_SIZE, CODE_SIZE) == 0) ||
	    !CHECK(code_memory_map(&code_memory, 0, CODE_SIZE) == 0))
		return false;
	shadow_memory = mmap(NULL, SHADOW_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	hot_stream = (struct code_stream){ code_memory.w + 64, code_memory.w + CODE_COLD };
	cold_stream = (struct code_stream){ code_memory.w + CODE_COLD, code_memory.w + CODE_SIZE };
	for (unsigned i = 0; i < 2; i++)
		if (!CHECK(target->thunks(&toy_tables[i], &hot_stream, code_memory.x - code_memory.w, &both_thunks[i])))
			return false;
	thunks = both_thunks[0];
	hot_first = hot_stream.w;
	target->frame_init(&host_frame, &thunks);
	target->frame_init(&start_frame, &thunks);
	for (unsigned i = 0; i < TOY_HELPERS; i++)
		host_frame.helper[i] = toy_helper[i].function;
	sigaltstack(&alternate, NULL);
	for (unsigned i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &action, NULL);
	return true;
}

/* Regions from now on are of the table with vectors at the boundary, or not. */
static inline void
toy_choose(bool vectors)
{
	toy_slots = &toy_tables[vectors];
	thunks = both_thunks[vectors];
	host_frame.leave = thunks.leave;
	host_frame.helper_thunk = thunks.helper;
	host_frame.rare_thunk = thunks.rare;
}

/* Begins a region; helpers are filled in. */
static inline void
toy_begin(struct ir_builder *b, struct ir_region *region)
{
	ir_build_begin(b, region, &region_arena, toy_slots, TOY_PC, 0);
	region->helpers = toy_helper;
	region->helper_count = TOY_HELPERS;
}

/* What is compiled for one place and moved to another must be what is compiled
 * for that one, byte for byte. */
static inline void
check_moved(const struct target_job *made)
{
	enum { HOT = 64 + 96, COLD = 96 << 10, SIZE = 2 * COLD, RELOCS = 4096 };
	static _Alignas(64) uint8_t there[SIZE], moved[SIZE];
	static uint32_t reloc[RELOCS];
	size_t lead = COLD + ((uintptr_t)code_cold_w & 15);
	struct code_stream hot = { there + HOT, there + COLD }, cold = { there + lead, there + SIZE };
	struct target_job job = *made;
	struct target_code again = { 0 };
	struct code_parts parts = { moved + HOT, moved + lead, code.cold_size, made->reloc, code.exit,
				    code.reloc_count, code.exit_count };
	struct code_place from = { code_cold_w - code_hot_w, code_hot_w - made->anchor_slot };
	struct code_place to = { (int64_t)lead - HOT, HOT };

	job.hot = &hot;
	job.cold = &cold;
	job.reloc = reloc;
	job.anchor_slot = there;
	if (!CHECK(code.movable && target->compile(&job, &again) == TARGET_OK && again.entry == 0))
		return;
	CHECK_INT(again.hot_size, code.hot_size);
	CHECK_INT(again.cold_size, code.cold_size);
	CHECK_INT(again.reloc_count, code.reloc_count);
	memcpy(parts.hot, code_hot_w, code.hot_size);
	memcpy(parts.cold, code_cold_w, code.cold_size);
	code_move_to(&parts, &from, &to);
	CHECK(!memcmp(parts.hot, there + HOT, code.hot_size));
	CHECK(!memcmp(parts.cold, there + lead, code.cold_size));
}

static enum target_result
toy_compile(const struct ir_region *region, unsigned how)
{
	struct target_job job = {
		.region = region, .number = 7, .anchor = (int64_t)(region->pc - TOY_ANCHOR), .anchor_slot = code_memory.w,
		.hot = &hot_stream, .cold = &cold_stream, .arena = &compile_arena,
		.guest_base_zero = !(how & HOW_BASED), .baseline = how & HOW_BASELINE ? 2 : how & HOW_V3 ? 3 : 0,
		.force_faults = how & HOW_FORCED, .loop = how & HOW_LOOP };
	static uint32_t reloc[4096];
	unsigned eax, ebx, ecx, edx;
	enum target_result result;

	job.reloc = reloc;
	job.reloc_room = ARRAY_LEN(reloc);
	*(uint64_t *)(void *)code_memory.w = TOY_ANCHOR;
	arena_reset(&compile_arena);
	for (int again = 0; again < 2; again++) {
		code_hot_w = hot_stream.w;
		code_cold_w = cold_stream.w;
		result = target->compile(&job, &code);
		if (result != TARGET_NO_ROOM)
			break;
		hot_stream.w = hot_first;
		cold_stream.w = code_memory.w + CODE_COLD;
		__cpuid(0, eax, ebx, ecx, edx); /* old code at these addresses is forgotten */
	}
	code_entry = code_memory.x + (code_hot_w - code_memory.w) + code.entry;
	code_hot_w += code.entry;
	if (result == TARGET_OK && !(how & HOW_LOOP))
		check_moved(&job);
	return result;
}

/* Writes the code for objdump -D -b binary -m i386:x86-64. */
static inline void
toy_dump(void)
{
	FILE *f = fopen("/tmp/codegen.bin", "w");

	if (!f)
		return;
	fwrite(code_hot_w, 1, code.hot_size, f);
	fclose(f);
	if ((f = fopen("/tmp/codegen-cold.bin", "w"))) {
		fwrite(code_cold_w, 1, code.cold_size, f);
		fclose(f);
	}
}

/* What vector temporaries hold at entry is nobody's; the same each time. */
static void
spoil_temporaries(void)
{
	static const uint64_t garbage[2] = { 0x7ff4dead00c0ffee, 0x7fa0123480000001 };

	__asm__ volatile("movups %0, %%xmm10\n\tmovaps %%xmm10, %%xmm11\n\tmovaps %%xmm10, %%xmm12\n\t"
			 "movaps %%xmm10, %%xmm13\n\tmovaps %%xmm10, %%xmm14\n\tmovaps %%xmm10, %%xmm15"
			 :: "m"(garbage) : "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

/* Runs what is compiled from the start state. */
static void
toy_enter(const struct ir_region *region, unsigned how, struct outcome *out)
{
	const struct code_exit *exit;
	uint8_t *shadow = shadow_memory + SHADOW_SIZE / 2;

	memcpy(&host_frame, &start_frame, FRAME_STATE);
	memcpy(toy_memory, start_memory, TOY_PAGE);
	memset(shadow - 64, 0x5b, 128); /* no address a return goes to */
	memset(host_frame.scratch, 0x5b, sizeof host_frame.scratch);
	host_frame.guest_base = how & HOW_BASED ? (uint64_t)(uintptr_t)toy_memory - TOY_BASED : 0;
	host_frame.shadow_stack = shadow;
	target->fp_sync(&host_frame);
	running = region;
	running_how = how;
	forced_left = (unsigned)start_frame.link_value & 7;
	forced_taken = false;
	alarm(4); /* for code that never ends */
	spoil_temporaries();
	thunks.enter(&host_frame, code_entry);
	running = NULL;
	target->fp_sync(&host_frame);
	memcpy(host_memory, toy_memory, TOY_PAGE);
	exit = host_frame.exit_record;
	out->kind = exit->kind;
	out->trap = exit->trap;
	out->pc = region->pc + (uint64_t)(int64_t)exit->target;
	if (out->kind == IR_EXIT_INDIRECT || out->kind == IR_EXIT_ICALL || out->kind == IR_EXIT_RETURN)
		out->pc = host_frame.pc;
	out->link = region->pc + (uint64_t)(int64_t)exit->link;
	out->retired = exit->retired;
	out->shadow = (uint8_t *)host_frame.shadow_stack - shadow;
}

/* The region cut short before the instruction whose AT has this delta, which
 * exits by LOOKUP. */
static struct ir_region
toy_cut(const struct ir_region *region, int64_t delta, struct arena *arena)
{
	struct ir_region cut = *region;
	ir_ref at = 1;

	while (at < region->ins_count && (region->ins[at].op != IR_AT || region->ins[at].imm != delta))
		at++;
	if (at == region->ins_count)
		return cut;
	cut.ins = arena_alloc(arena, region->ins_count * sizeof *cut.ins);
	cut.pool = arena_alloc(arena, (region->pool_count + 4) * sizeof *cut.pool);
	cut.block = arena_alloc(arena, region->block_count * sizeof *cut.block);
	memcpy(cut.ins, region->ins, at * sizeof *cut.ins);
	memcpy(cut.pool, region->pool, region->pool_count * sizeof *cut.pool);
	cut.pool[region->pool_count] = (uint32_t)delta;
	cut.pool_count += 4;
	cut.ins[at] = (struct ir_ins){ .op = IR_EXIT, .aux = IR_EXIT_LOOKUP, .a = region->pool_count };
	cut.ins_count = at + 1;
	for (cut.block_count = 0; region->block[cut.block_count].first <= at; cut.block_count++) {
		struct ir_block *block = &cut.block[cut.block_count];

		*block = region->block[cut.block_count];
		if (block->first + block->count > at) {
			block->count = at + 1 - block->first;
			cut.block_count++;
			break;
		}
	}
	/* What it would have counted: the instructions begun. */
	for (ir_ref ref = 1; ref < at; ref++)
		cut.pool[region->pool_count + 3] += region->ins[ref].op == IR_AT;
	return cut;
}

static bool
toy_eval(const struct ir_region *region, unsigned how, struct ir_eval *eval)
{
	struct ir_window window = { how & HOW_BASED ? TOY_BASED : (uint64_t)(uintptr_t)toy_memory, TOY_PAGE,
				    eval_memory };

	*eval = (struct ir_eval){ .frame = &eval_frame, .window = &window, .arena = &compile_arena };
	memcpy(&eval_frame, &start_frame, FRAME_STATE);
	memcpy(eval_memory, start_memory, TOY_PAGE);
	return ir_eval(eval, region);
}

/* ---- comparison --------------------------------------------------------- */

static bool toy_show; /* mismatches are told */

static bool
same(const char *what, uint64_t got, uint64_t want)
{
	if (got == want)
		return true;
	if (toy_show)
		fprintf(stderr, "  %s: got %#" PRIx64 ", want %#" PRIx64 "\n", what, got, want);
	return false;
}

static bool
same_state(bool more_flags)
{
	bool good = true;

	good &= same(toy_name[TOY_FLAGS_SLOT], host_frame.guest[toy_slot[TOY_FLAGS_SLOT].offset],
		     eval_frame.guest[toy_slot[TOY_FLAGS_SLOT].offset]);
	for (unsigned i = 0; i < NUMBERS; i++) {
		uint64_t got, want;

		memcpy(&got, host_frame.guest + 8 * i, 8);
		memcpy(&want, eval_frame.guest + 8 * i, 8);
		good &= same(toy_name[i], got, want);
	}
	for (unsigned i = 0; i < 2 * VECTORS; i++) {
		uint64_t got, want;

		memcpy(&got, host_frame.guest + toy_slot[VECTOR_FIRST].offset + 8 * i, 8);
		memcpy(&want, eval_frame.guest + toy_slot[VECTOR_FIRST].offset + 8 * i, 8);
		good &= same(i % 2 ? "upper half" : toy_name[VECTOR_FIRST + i / 2], got, want);
	}
	for (unsigned i = 0; i < TOY_PAGE; i++) {
		if (host_memory[i] != eval_memory[i] && toy_show)
			fprintf(stderr, "  memory + %#x:\n", i);
		if (!same("memory", host_memory[i], eval_memory[i])) {
			good = false;
			break;
		}
	}
	if (more_flags)
		eval_frame.fp_flags |= host_frame.fp_flags;
	/* Whether a denormal came in is not tracked by guests without that flag. */
	good &= same("fp_flags", host_frame.fp_flags & ~32u, eval_frame.fp_flags & ~32u);
	good &= same("fp_round", host_frame.fp_round, eval_frame.fp_round);
	good &= same("link address", host_frame.link_address, eval_frame.link_address);
	if (eval_frame.link_address != IR_LINK_NONE)
		good &= same("link value", host_frame.link_value, eval_frame.link_value);
	return good;
}

static bool
same_exit(const struct outcome *out, const struct ir_eval *eval)
{
	static const int8_t moved[] = { [IR_EXIT_CALL] = -16, [IR_EXIT_ICALL] = -16, [IR_EXIT_RETURN] = 16,
					[IR_EXIT_LOOKUP] = 0 };
	bool good = same("pc", out->pc, eval_frame.pc);

	if (out->kind != OUT_FAULT)
		good &= same("retired", out->retired, eval->retired);
	if (out->kind == OUT_FAULT || out->kind == CODE_EXIT_CHECK) {
		good &= same("kind", IR_EXIT_TRAP, eval->kind);
		good &= same("before", true, eval->before);
		if (out->kind == CODE_EXIT_CHECK)
			good &= same("trap", out->trap, eval->trap);
		else
			good &= same("trap", eval->trap == IR_TRAP_READ_FAULT || eval->trap == IR_TRAP_WRITE_FAULT,
				     true);
		good &= same("shadow stack", (uint64_t)out->shadow, 0);
		return good;
	}
	good &= same("kind", out->kind, eval->kind);
	if (out->kind == CODE_EXIT_INTERPRET)
		return good;
	good &= same("shadow stack", (uint64_t)out->shadow,
		     (uint64_t)(int64_t)(out->kind < ARRAY_LEN(moved) ? moved[out->kind] : 0));
	if (out->kind == IR_EXIT_TRAP) {
		good &= same("trap", out->trap, eval->trap);
		good &= same("before", eval->before, false);
	}
	if (out->kind == IR_EXIT_CALL || out->kind == IR_EXIT_ICALL || out->kind == IR_EXIT_TRAP)
		good &= same("link", out->link, eval->link);
	return good;
}

/* Compiles and runs the region both ways; false if the outcomes differ. One
 * that the target has no code for counts as good: out->compiled says so. */
static inline bool
toy_compare(const struct ir_region *region, unsigned how, struct outcome *out)
{
	struct ir_eval eval;
	struct ir_region cut;
	bool good;

	memset(out, 0, sizeof *out);
	out->compiled = toy_compile(region, how);
	if (out->compiled != TARGET_OK)
		return out->compiled == TARGET_UNSUPPORTED;
	toy_enter(region, how, out);
	if (out->kind == CODE_EXIT_INTERPRET || forced_taken) {
		cut = toy_cut(region, (int64_t)(out->pc - region->pc), &compile_arena);
		good = toy_eval(&cut, how, &eval);
		/* The cut ends where the instruction has not begun. */
		eval.kind = (enum ir_exit_kind)CODE_EXIT_INTERPRET;
		out->kind = CODE_EXIT_INTERPRET;
		if (forced_taken) /* the record is the cache's */
			out->retired = eval.retired;
		good &= same("before", eval.before, false);
		good &= same_exit(out, &eval);
		good &= same_state(true);
		return good;
	}
	good = toy_eval(region, how, &eval);
	good &= same_exit(out, &eval);
	good &= same_state(false);
	return good;
}

/* ---- states ------------------------------------------------------------- */

/* Half a vector: lanes of any kind. */
static inline uint64_t
random_half(void)
{
	uint64_t x = 0;

	switch (below(5)) {
	case 0: return random_f64();
	case 1: return (uint64_t)random_f32() << 32 | random_f32();
	case 2:
		for (unsigned i = 0; i < 4; i++)
			x = x << 16 | (random_int() & 0xffff);
		return x;
	case 3: return random_int();
	default: return random64();
	}
}

static void
slot_write(unsigned slot, uint64_t value)
{
	memcpy(start_frame.guest + toy_slot[slot].offset, &value, sizeof value);
}

static inline void
toy_fp(unsigned i, uint64_t value)
{
	slot_write(INTS + i, value);
}

/* Containers with odd numbers hold boxed singles. */
static inline void
toy_random_state(unsigned how)
{
	uint64_t memory = how & HOW_BASED ? TOY_BASED : (uint64_t)(uintptr_t)toy_memory;

	for (unsigned i = 0; i < INTS; i++)
		slot_write(i, random_int());
	for (unsigned i = 0; i < FPS; i++)
		toy_fp(i, i % 2 ? 0xffffffff00000000 | random_f32() : random_f64());
	for (unsigned i = 0; i < 2 * VECTORS; i++) {
		uint64_t x = random_half();

		memcpy(start_frame.guest + toy_slot[VECTOR_FIRST].offset + 8 * i, &x, 8);
	}
	slot_write(POINTER_A, memory + 64 + 8 * below(16));
	slot_write(POINTER_B, memory + 1024 + below(64));
	for (unsigned i = 0; i < TOY_PAGE; i += 8) {
		uint64_t x = i / 8 % 4 == 0 ? random_f64() : i / 8 % 4 == 1 ? 0xffffffff00000000 | random_f32() : random_int();

		memcpy(start_memory + i, &x, 8);
	}
	start_frame.guest[toy_slot[TOY_FLAGS_SLOT].offset] = (uint8_t)below(128);
	start_frame.fp_flags = percent(50) ? 0 : below(32);
	start_frame.fp_round = below(4);
	start_frame.link_address = percent(50) ? IR_LINK_NONE : memory + 64;
	start_frame.link_value = random_int();
	start_frame.pc = start_frame.poll = 0;
}

/* ---- text --------------------------------------------------------------- */

static void
print_op(const struct ir_region *region, ir_ref ref)
{
	const struct ir_ins *ins = &region->ins[ref];
	const struct ir_op_info *info = &ir_op_info[ins->op];
	uint32_t count;
	const uint32_t *list;

	fprintf(stderr, "  %%%u = %s.%s aux %#x", ref, info->text, ir_type_name((enum ir_type)ins->type), ins->aux);
	if (info->operands[0] != '.' && info->operands[0] != '*')
		fprintf(stderr, " %%%u", ins->a);
	if (info->operands[1] != '.' && info->operands[1] != '*')
		fprintf(stderr, " %%%u", ins->b);
	if (info->operands[2] == 'D')
		fprintf(stderr, " + %d", (int32_t)ins->c);
	else if (info->operands[2] != '.')
		fprintf(stderr, " %%%u", ins->c);
	if (ins->op == IR_CALL) {
		list = ir_call_arguments(region, ref, &count);
		for (uint32_t i = 0; i < count; i++)
			fprintf(stderr, " %%%u", list[i]);
	} else if (ins->op == IR_BR) {
		fprintf(stderr, " @%u @%u", ir_target(region, ref, 0, &list, &count),
			ir_target(region, ref, 1, &list, &count));
	} else if (ins->op == IR_EXIT) {
		struct ir_exit e = ir_exit_of(region, ref);

		fprintf(stderr, " kind %d target %d link %d value %%%u", e.kind, e.target, e.link, e.value);
	} else if (info->operands[1] == '.') {
		fprintf(stderr, " imm %#" PRIx64, (uint64_t)ins->imm);
	}
	fputc('\n', stderr);
}

static void
toy_print(const struct ir_region *region)
{
	for (uint32_t i = 0; i < region->block_count; i++) {
		const struct ir_block *block = &region->block[i];

		fprintf(stderr, "block %u\n", i);
		for (uint32_t j = 0; j < block->count; j++)
			if (region->ins[block->first + j].op != IR_NOP &&
			    (region->ins[block->first + j].op != IR_AT || j + 1 == block->count ||
			     region->ins[block->first + j + 1].op > IR_AT))
				print_op(region, block->first + j);
	}
}

#endif

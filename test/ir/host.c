/* Runs a region of a test by generated code, as the code cache would: thunks
 * for the guest's slots, the region behind them, a fault of the host led out
 * through fault_exit. Code memory is used up front to back, never twice: no
 * stale code is in the way.
 */
#include "codegen/target.h"
#include "host/codemem.h"
#include "test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ucontext.h>
#include <unistd.h>

enum { CODE_SIZE = 8 << 20, CODE_COLD = CODE_SIZE / 2, SHADOW_SIZE = 1 << 16, OUT_FAULT = 64 };

uint8_t *test_memory;

static const struct target *target;
static struct code_memory memory;
static struct code_stream hot, cold;
static struct target_code code;
static struct arena arena;
static uint8_t *shadow;

/* What runs, for the signal handler. */
static const struct ir_region *running;
static struct ir_frame *running_frame;
static uint64_t running_entry;
static struct code_exit fault_record = { .kind = OUT_FAULT };

static void
on_fault(int number, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	uint64_t offset = (uint64_t)uc->uc_mcontext.gregs[REG_RIP] - running_entry;
	static const char died[] = "not ok ir: generated code died of a signal\n";

	(void)info, (void)number;
	for (uint32_t i = 0; running && offset < code.hot_size && i < code.point_count; i++) {
		const struct code_point *point = &code.point[i];
		uint32_t end = i + 1 < code.point_count ? point[1].map : code.move_count;

		if (offset >= point->host)
			continue;
		fault_record.target = point->pc;
		if (target->fault_exit(context, running_frame, running->slots, code.move + point->map,
				       end - point->map, &fault_record))
			return;
		break;
	}
	if (write(1, died, sizeof died - 1) < 0)
		_exit(2);
	_exit(1);
}

bool
test_host_init(void)
{
	static char stack[1 << 16];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	uint8_t *pages = mmap(NULL, TEST_MEMORY + 2 * TEST_MEMORY_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);

	target = target_host();
	if (pages == MAP_FAILED ||
	    mprotect(pages + TEST_MEMORY, TEST_MEMORY_SIZE, PROT_READ | PROT_WRITE)) {
		perror("ir: memory");
		return false;
	}
	test_memory = pages + TEST_MEMORY;
	if (!target)
		return true;
	shadow = mmap(NULL, SHADOW_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (shadow == MAP_FAILED || code_memory_reserve(&memory, CODE_SIZE, CODE_SIZE) ||
	    code_memory_map(&memory, 0, CODE_SIZE)) {
		perror("ir: code memory");
		return false;
	}
	hot = (struct code_stream){ memory.w + 64, memory.w + CODE_COLD };
	cold = (struct code_stream){ memory.w + CODE_COLD, memory.w + CODE_SIZE };
	sigaltstack(&alternate, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGILL, &action, NULL);
	sigaction(SIGFPE, &action, NULL);
	return true;
}

static void
read_end(const struct ir_region *region, const struct ir_frame *frame, struct test_end *end)
{
	const struct code_exit *exit = frame->exit_record;

	*end = (struct test_end){ .trap = (enum ir_trap)exit->trap, .fault = exit->kind == OUT_FAULT,
				  .pc = region->pc + (uint64_t)(int64_t)exit->target,
				  .link = region->pc + (uint64_t)(int64_t)exit->link,
				  .retired = exit->retired };
	end->kind = exit->kind >= CODE_EXIT_POLL ? IR_EXIT_TRAP : (enum ir_exit_kind)exit->kind;
	if (end->kind == IR_EXIT_INDIRECT || end->kind == IR_EXIT_ICALL || end->kind == IR_EXIT_RETURN)
		end->pc = frame->pc;
}

bool
test_host_run(const struct ir_region *region, struct ir_frame *frame, struct test_end *end)
{
	struct target_thunks thunks;
	struct target_job job = { .region = region, .number = 1, .anchor = 0x40, .anchor_slot = memory.w,
				  .hot = &hot, .cold = &cold, .arena = &arena };
	const struct code_exit *exit;
	uint8_t *entry;

	if (!target)
		return false;
	arena_reset(&arena);
	*(uint64_t *)(void *)memory.w = region->pc - (uint64_t)job.anchor;
	if (!target->thunks(region->slots, &hot, memory.x - memory.w, &thunks))
		return false;
	entry = hot.w;
	if (target->compile(&job, &code) != TARGET_OK)
		return false;
	entry += memory.x - memory.w + (ptrdiff_t)code.entry;
	target->frame_init(frame, &thunks);
	for (unsigned i = 0; i < test_helpers; i++)
		frame->helper[i] = test_helper[i].function;
	frame->guest_base = (uint64_t)(uintptr_t)test_memory - TEST_MEMORY;
	frame->shadow_stack = shadow + SHADOW_SIZE / 2;
	target->fp_sync(frame);
	running = region;
	running_frame = frame;
	running_entry = (uint64_t)(uintptr_t)entry;
	thunks.enter(frame, entry);
	running = NULL;
	target->fp_sync(frame);
	exit = frame->exit_record;
	if (exit->kind == CODE_EXIT_INTERPRET || exit->kind == CODE_EXIT_POLL)
		return false;
	read_end(region, frame, end);
	return true;
}

/* Guest code: read, watched, lifted.
 *
 * A region lies in one guest page, so that a page's fate is that of its
 * regions; only an instruction that straddles two pages is a region of its own
 * in both. */
#include "cpu/cpu_impl.h"

#include <string.h>

#define DEFAULT_INSNS 64u
#define LONGEST_INSN 16u

bool
cpu_guarded(struct vcpu *vcpu, void (*act)(void *argument), void *argument)
{
	struct cpu_local *local = vcpu->local;

	if (recovery_set(&local->recovery)) {
		recovery_landed();
		return false;
	}
	local->recovering = true;
	act(argument);
	local->recovering = false;
	return true;
}

static bool
guarded_copy(struct cpu_local *local, uint8_t *to, const uint8_t *from, size_t size)
{
	if (recovery_set(&local->recovery)) {
		recovery_landed();
		return false;
	}
	local->recovering = true;
	memcpy(to, from, size);
	local->recovering = false;
	return true;
}

size_t
cpu_read_code(struct vcpu *vcpu, uint64_t pc, uint8_t *to, size_t size, struct host_fault *fault)
{
	size_t readable = 0;
	const uint8_t *code = vcpu->space->code(vcpu->space, pc, &readable);

	*fault = (struct host_fault){ 0 };
	if (!code || !readable)
		return 0;
	if (size > readable)
		size = readable;
	if (guarded_copy(vcpu->local, to, code, size))
		return size;
	*fault = vcpu->local->fault;
	return 0;
}

static bool
fetch_fault(uint64_t pc, uint64_t address, const struct host_fault *fault, struct cpu_stop *stop)
{
	*stop = (struct cpu_stop){ .kind = CPU_STOP_TRAP, .trap = IR_TRAP_FETCH_FAULT, .pc = pc,
				   .next = pc, .address = address, .host_signal = fault->signal,
				   .host_code = fault->code };
	return false;
}

/* What lies in a page that cannot be watched is never kept: no count of attempts
 * is that high. */
#define ATTEMPTS_NEVER UINT64_MAX

static void
watch_page(struct cpu_space *space, uint64_t page, struct lifted *lifted)
{
	if (!page_watched(&space->cache->pages, page) && !space->watch(space, page, page + GUEST_PAGE))
		lifted->attempts = ATTEMPTS_NEVER;
}

/* Reads and lifts what lies in pc's page, or with straddle the one instruction
 * that begins in it and ends in the next. */
static size_t
lift_once(struct vcpu *vcpu, struct arena *arena, uint64_t pc, uint32_t mode, unsigned insns,
	  bool straddle, struct lifted *lifted, struct host_fault *fault)
{
	struct cpu_space *space = vcpu->space;
	uint64_t page = align_down(pc, GUEST_PAGE);
	size_t left = page + GUEST_PAGE - pc, want = left < CODE_BYTES ? left : CODE_BYTES;
	uint8_t *code = arena_alloc(arena, CODE_BYTES + LONGEST_INSN);
	struct guest_lift_limits limits = { .insns = straddle ? 1 : insns, .code = code };
	size_t readable;

	*fault = (struct host_fault){ 0 };
	lifted->attempts = __atomic_load_n(&space->cache->attempts, __ATOMIC_ACQUIRE);
	if (!space->code(space, pc, &readable))
		return 0;
	watch_page(space, page, lifted);
	if (straddle && readable > left) {
		watch_page(space, page + GUEST_PAGE, lifted);
		want = left + LONGEST_INSN;
	}
	limits.readable = cpu_read_code(vcpu, pc, code, want, fault);
	lifted->code = code;
	lifted->code_size = limits.readable;
	if (!limits.readable)
		return 0;
	if (space->guest->lift(&lifted->region, arena, pc, mode, &limits))
		fatal("cannot lift the code at %#lx: the region is too large", (unsigned long)pc);
	return limits.readable;
}

bool
cpu_lift(struct vcpu *vcpu, struct arena *arena, uint64_t pc, uint32_t mode, unsigned insns,
	 struct lifted *lifted, struct cpu_stop *stop)
{
	uint64_t left = GUEST_PAGE - pc % GUEST_PAGE;
	struct host_fault fault;
	size_t got;

	lifted->loop = false;
	if (vcpu->local->system)
		return system_lift(vcpu, arena, pc, mode, insns, lifted, stop);
	lifted->second = 0;
	if (!insns)
		insns = vcpu->options->max_insns ? vcpu->options->max_insns : DEFAULT_INSNS;
	got = lift_once(vcpu, arena, pc, mode, insns, false, lifted, &fault);
	if (!got)
		return fetch_fault(pc, pc, &fault, stop);
	if (!lifted->region.bytes && got == left)
		got = lift_once(vcpu, arena, pc, mode, insns, true, lifted, &fault);
	if (!got || !lifted->region.bytes)
		return fetch_fault(pc, pc + got, &fault, stop);
	cpu_dump_lifted(vcpu, lifted);
	return true;
}

struct comparison {
	const uint8_t *there, *code;
	size_t size;
	bool same;
};

static void
compare(void *argument)
{
	struct comparison *c = argument;

	c->same = !memcmp(c->there, c->code, c->size);
}

bool
cpu_code_is(struct vcpu *vcpu, uint64_t pc, const uint8_t *code, size_t size)
{
	struct cpu_space *space = vcpu->space;
	uint64_t first = align_down(pc, GUEST_PAGE), last = align_down(pc + size - 1, GUEST_PAGE);
	struct comparison c = { (const uint8_t *)(uintptr_t)(space->guest_base + pc), code, size, false };
	struct lifted watched = { 0 };

	watch_page(space, first, &watched);
	if (last != first)
		watch_page(space, last, &watched);
	return watched.attempts != ATTEMPTS_NEVER && cpu_guarded(vcpu, compare, &c) && c.same;
}

bool
cpu_keep_code(struct cpu_space *space, uint64_t pc, size_t size, uint64_t attempts)
{
	if (space->cache->attempts != attempts)
		return false;
	for (uint64_t page = align_down(pc, GUEST_PAGE); page < pc + size; page += GUEST_PAGE)
		page_set_watched(page_make(&space->cache->pages, page), true);
	return true;
}

bool
cpu_keep(struct cpu_space *space, const struct lifted *lifted)
{
	uint64_t pc = lifted->region.pc;

	if (!lifted->second)
		return cpu_keep_code(space, pc, lifted->region.bytes, lifted->attempts);
	if (!cpu_keep_code(space, pc, GUEST_PAGE - pc % GUEST_PAGE, lifted->attempts))
		return false;
	page_set_watched(page_make(&space->cache->pages, lifted->second), true);
	return true;
}

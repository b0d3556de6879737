/* Guest code by physical address: read, watched, lifted. As lift.c does for a
 * process, but that an instruction which straddles two pages depends on what the
 * second is mapped to as well. */
#include "cpu/system/system.h"

#include <string.h>

#define LONGEST_INSN 16u

/* From here on the page has translations: no one writes there untold. May wait
 * for other vCPUs. */
static void
watch(struct cpu_system *s, uint64_t page)
{
	uint8_t *flags;
	bool running;

	if (page_watched(&s->vcpu->space->cache->pages, page) || !(flags = memory_flags(s->memory, page)))
		return;
	__atomic_fetch_or(flags, MEMORY_PAGE_CODE, __ATOMIC_SEQ_CST);
	if (!(__atomic_fetch_and(flags, (uint8_t)~MEMORY_PAGE_WRITABLE, __ATOMIC_SEQ_CST) & MEMORY_PAGE_WRITABLE))
		return;
	running = __atomic_load_n(&s->running, __ATOMIC_RELAXED);
	if (running)
		system_leave(s);
	mail_drop_writes(s, page);
	if (running)
		system_enter(s);
}

/* Called for pages of which cpu_invalidate takes the translations: before. */
void
system_unwatch(struct cpu_space *space, uint64_t start, uint64_t end)
{
	for (uint64_t page = align_down(start, GUEST_PAGE); page < end; page += GUEST_PAGE) {
		uint8_t *flags = memory_flags(space->memory, page);

		if (flags)
			__atomic_fetch_and(flags, (uint8_t)~MEMORY_PAGE_CODE, __ATOMIC_SEQ_CST);
	}
}

static bool
fetch_fault(struct cpu_system *s, uint64_t pc, struct cpu_stop *stop)
{
	*stop = (struct cpu_stop){ .kind = CPU_STOP_TRAP, .trap = IR_TRAP_FETCH_FAULT, .pc = pc, .next = pc };
	s->vcpu->frame->pc = pc;
	return false;
}

/* Copies what memory (RAM or ROM) has there; the number of bytes. */
static size_t
read_page(struct cpu_system *s, uint64_t physical, uint8_t *to, size_t size)
{
	const uint8_t *from = memory_ram(s->memory, align_down(physical, GUEST_PAGE), GUEST_PAGE, false);

	if (!from)
		return 0;
	memcpy(to, from + physical % GUEST_PAGE, size);
	return size;
}

static void
lift(struct vcpu *vcpu, struct arena *arena, uint64_t pc, uint32_t mode,
	const struct guest_lift_limits *limits, struct lifted *lifted)
{
	if (vcpu->space->guest->lift(&lifted->region, arena, pc, mode & ~CPU_MODE_ENGINE, limits))
		fatal("cannot lift the code at %#lx: the region is too large", (unsigned long)pc);
	lifted->region.mode = mode;
}

/* The instruction's own page ended in its middle. */
static bool
lift_straddling(struct cpu_system *s, struct arena *arena, uint64_t pc, uint32_t mode, size_t got,
		uint8_t *code, struct lifted *lifted, struct cpu_stop *stop)
{
	uint64_t next = ir_frame_page(s->vcpu->frame) + GUEST_PAGE;
	struct guest_lift_limits limits = { .insns = 1, .code = code };
	size_t more;

	if (!system_fetch_next(s, &lifted->second))
		return fetch_fault(s, s->vcpu->frame->pc, stop);
	watch(s, lifted->second);
	more = read_page(s, lifted->second, code + got, LONGEST_INSN);
	limits.readable = lifted->code_size = got + more;
	if (more)
		lift(s->vcpu, arena, pc, mode, &limits, lifted);
	if (more && lifted->region.bytes)
		return true;
	s->fault = s->guest->access_fault(next, GUEST_EXECUTE);
	return fetch_fault(s, s->vcpu->frame->pc, stop);
}

/* Where protection is finer than a page, the bytes of an instruction at frame->pc
 * that may be fetched; its first half may. Of a page's last two, the straddling
 * instruction's other half is looked at as the next page's. */
static size_t
fine_bytes(struct cpu_system *s, size_t left)
{
	enum { HALF = 2, WHOLE = 4 };
	struct guest_walk walk = { 0 };
	uint64_t second = s->vcpu->frame->pc + HALF;

	if (left < WHOLE)
		return left;
	return s->guest->walk(s->vcpu->frame, second, HALF, GUEST_EXECUTE, s->context->regime, &walk, &s->fault) ? WHOLE
														 : HALF;
}

bool
system_lift(struct vcpu *vcpu, struct arena *arena, uint64_t pc, uint32_t mode, unsigned insns, struct lifted *lifted,
	    struct cpu_stop *stop)
{
	struct cpu_system *s = system_of(vcpu);
	size_t left = GUEST_PAGE - pc % GUEST_PAGE, want = left < CODE_BYTES ? left : CODE_BYTES;
	uint8_t *code = arena_alloc(arena, CODE_BYTES + LONGEST_INSN);
	struct guest_lift_limits limits = { .code = code };
	uint64_t next;

	limits.insns = insns ? insns : region_insns(vcpu);
	lifted->second = 0;
	lifted->attempts = __atomic_load_n(&vcpu->space->cache->attempts, __ATOMIC_ACQUIRE);
	watch(s, align_down(pc, GUEST_PAGE));
	if (s->fine)
		want = fine_bytes(s, left);
	limits.readable = read_page(s, pc, code, want);
	lifted->code = code;
	lifted->code_size = limits.readable;
	if (!limits.readable) {
		s->fault = s->guest->access_fault(vcpu->frame->pc, GUEST_EXECUTE);
		return fetch_fault(s, vcpu->frame->pc, stop);
	}
	lift(vcpu, arena, pc, mode, &limits, lifted);
	if (!lifted->region.bytes && want < left && s->fine)
		return fetch_fault(s, vcpu->frame->pc, stop);
	if (!lifted->region.bytes &&
	    !lift_straddling(s, arena, pc, mode, limits.readable, code, lifted, stop))
		return false;
	/* A superpage goes on with the next page, whoever looks. */
	next = align_down(pc, GUEST_PAGE) + GUEST_PAGE;
	if (lifted->second == next && mode & MODE_SUPER && next % SUPER_PAGE)
		lifted->second = 0;
	cpu_dump_lifted(vcpu, lifted);
	return true;
}

bool
system_second_is(struct vcpu *vcpu, uint64_t second)
{
	uint64_t physical;

	return !second || (system_fetch_next(system_of(vcpu), &physical) && physical == second);
}

/* The evaluator's accesses: struct ir_mmu on the soft TLB; devices. */
#include "cpu/system/system.h"

static struct cpu_system *
of_mmu(struct ir_mmu *mmu)
{
	return (struct cpu_system *)(void *)((char *)mmu - offsetof(struct cpu_system, mmu));
}

static enum guest_access
guest_access_of(enum ir_access access)
{
	return access & IR_ACCESS_W ? GUEST_WRITE : GUEST_READ;
}

/* A device takes words of up to 8 bytes where they belong. */
static bool
suits_device(struct cpu_system *s, uint64_t address, unsigned size, enum guest_access access)
{
	if (size <= 8 && !(size & (size - 1)) && !(address & (size - 1)))
		return true;
	s->fault = size <= 8 ? s->guest->misaligned(address, access) : s->guest->access_fault(address, access);
	return false;
}

static bool
check(struct ir_mmu *mmu, uint64_t address, int64_t lo, int64_t hi, unsigned align, enum ir_access access)
{
	struct cpu_system *s = of_mmu(mmu);
	enum guest_access how = guest_access_of(access);
	uint64_t start = address + (uint64_t)lo, left = hi > lo ? (uint64_t)(hi - lo) : 0;
	bool whole = align_down(start, IR_TLB_PAGE) == align_down(start + left - 1, IR_TLB_PAGE);
	uint64_t physical;
	uint8_t *host;

	if (address & ((UINT64_C(1) << align) - 1)) {
		s->fault = s->guest->misaligned(address, how);
		return false;
	}
	for (uint64_t at = start; left;) {
		uint64_t room = IR_TLB_PAGE - at % IR_TLB_PAGE, size = left < room ? left : room;

		if (!tlb_access(s, at, (unsigned)size, how, &host, &physical))
			return false;
		if (UNLIKELY(!host)) {
			if (!whole) {
				s->fault = s->guest->misaligned(start, how);
				return false;
			}
			if (!suits_device(s, at, (unsigned)size, how))
				return false;
		}
		at += size;
		left -= size;
	}
	return true;
}

static bool
find(struct ir_mmu *mmu, uint64_t address, unsigned size, enum ir_access access, uint8_t **host)
{
	uint64_t physical;

	return tlb_access(of_mmu(mmu), address, size, guest_access_of(access), host, &physical);
}

/* ---- devices ------------------------------------------------------------------ */

/* While a vCPU waits for a device others may wait for it: system.h, Handshake. */
static bool
device(struct cpu_system *s, uint64_t address, unsigned size, enum guest_access access, uint64_t *value)
{
	uint64_t physical;
	uint8_t *host;
	bool done;

	if (!tlb_access(s, address, size, access, &host, &physical) || !suits_device(s, address, size, access))
		return false;
	system_leave(s);
	if (access == GUEST_WRITE)
		done = memory_store(s->memory, physical, size, *value);
	else
		done = memory_load(s->memory, physical, size, value);
	system_enter(s);
	if (!done)
		s->fault = s->guest->access_fault(address, access);
	return done;
}

static bool
load(struct ir_mmu *mmu, uint64_t address, unsigned size, uint64_t *value)
{
	return device(of_mmu(mmu), address, size, GUEST_READ, value);
}

static bool
store(struct ir_mmu *mmu, uint64_t address, unsigned size, uint64_t value)
{
	return device(of_mmu(mmu), address, size, GUEST_WRITE, &value);
}

static void
refuse(struct ir_mmu *mmu, uint64_t address, enum ir_access access)
{
	struct cpu_system *s = of_mmu(mmu);

	s->fault = s->guest->access_fault(address, guest_access_of(access));
}

void
mmu_init(struct cpu_system *s)
{
	s->mmu = (struct ir_mmu){ .check = check, .find = find, .load = load, .store = store, .refuse = refuse };
}

/* The evaluator's plain accesses to guest memory behind address translation
 * (struct ir_mmu). An access is done page by page; XLATE has seen to it that
 * none of its pages faults, so what faults here still is a device that does not
 * take the access, or a translation that another CPU has taken away meanwhile. */
#include "ir/eval_impl.h"

#include <string.h>

#define PAGE 4096u

static bool
fault(struct eval_run *run, uint64_t address, bool write)
{
	eval_fault(run, write ? IR_TRAP_WRITE_FAULT : IR_TRAP_READ_FAULT, address);
	return false;
}

bool
eval_mmu_check(struct eval_run *run, const struct ir_ins *ins, uint64_t address)
{
	struct ir_mmu *mmu = run->eval->mmu;
	int32_t lo = (int32_t)(uint32_t)(uint64_t)ins->imm;
	int32_t hi = (int32_t)(uint32_t)((uint64_t)ins->imm >> 32);
	enum ir_access access = (enum ir_access)IR_XLATE_ACCESS(ins->aux);

	if (mmu->check(mmu, address, lo, hi, IR_XLATE_ALIGN(ins->aux), access))
		return true;
	return fault(run, address, access & IR_ACCESS_W);
}

bool
eval_mmu_address(struct eval_run *run, uint64_t address, unsigned size, bool write, uint8_t **bytes)
{
	struct ir_mmu *mmu = run->eval->mmu;
	enum ir_access access = write ? IR_ACCESS_RW : IR_ACCESS_R;

	if (address % PAGE + size <= PAGE) {
		if (!mmu->find(mmu, address, size, access, bytes))
			return fault(run, address, write);
		if (*bytes)
			return true;
	}
	mmu->refuse(mmu, address, access);
	return fault(run, address, write);
}

/* Bytes of [address, address + size) before the end of its page. */
static unsigned
first_part(uint64_t address, unsigned size)
{
	unsigned left = PAGE - (unsigned)(address % PAGE);

	return left < size ? left : size;
}

/* Of one page. host NULL: a device, which has words of at most 8 bytes. */
static bool
load_part(struct eval_run *run, uint64_t address, unsigned size, const uint8_t *host, uint8_t *to)
{
	struct ir_mmu *mmu = run->eval->mmu;
	eval_value words = { 0 };

	if (host) {
		if (size & (size - 1))
			memcpy(words, host, size);
		else
			eval_read(host, size, words);
	} else {
		run->eval->device = true;
		if (!mmu->load(mmu, address, size, words))
			return fault(run, address, false);
	}
	memcpy(to, words, size);
	return true;
}

bool
eval_mmu_load(struct eval_run *run, uint64_t address, unsigned size, uint64_t *words)
{
	struct ir_mmu *mmu = run->eval->mmu;
	unsigned first = first_part(address, size);
	uint8_t bytes[sizeof(eval_value)] = { 0 }, *host;

	if (!mmu->find(mmu, address, first, IR_ACCESS_R, &host))
		return fault(run, address, false);
	if (LIKELY(host && first == size)) {
		eval_read(host, size, words);
		return true;
	}
	if (!load_part(run, address, first, host, bytes))
		return false;
	if (first < size) {
		if (!mmu->find(mmu, address + first, size - first, IR_ACCESS_R, &host))
			return fault(run, address + first, false);
		if (!load_part(run, address + first, size - first, host, bytes + first))
			return false;
	}
	memcpy(words, bytes, align_up(size, 8));
	return true;
}

/* Of one page of memory. */
static void
store_part(struct eval_run *run, uint8_t *host, unsigned size, const uint8_t *from)
{
	eval_value words = { 0 }, old = { 0 };

	memcpy(words, from, size);
	if (run->eval->undo) {
		memcpy(old, host, size);
		eval_log(run, (uint64_t)(uintptr_t)host, size, old);
	}
	if (size & (size - 1))
		memcpy(host, words, size);
	else
		eval_write(host, size, words);
}

static bool
store_device(struct eval_run *run, uint64_t address, unsigned size, const uint8_t *from)
{
	struct ir_mmu *mmu = run->eval->mmu;
	uint64_t value = 0;

	run->eval->device = true;
	if (size <= sizeof value)
		memcpy(&value, from, size);
	return mmu->store(mmu, address, size, value) || fault(run, address, true);
}

bool
eval_mmu_store(struct eval_run *run, uint64_t address, unsigned size, const uint64_t *words)
{
	struct ir_mmu *mmu = run->eval->mmu;
	unsigned first = first_part(address, size);
	const uint8_t *from = (const uint8_t *)words;
	uint8_t *host;

	/* The second page first: if it can no longer be written nothing has been. */
	if (first < size) {
		if (!mmu->find(mmu, address + first, size - first, IR_ACCESS_W, &host))
			return fault(run, address + first, true);
		if (host)
			store_part(run, host, size - first, from + first);
		else if (!store_device(run, address + first, size - first, from + first))
			return false;
	}
	if (!mmu->find(mmu, address, first, IR_ACCESS_W, &host))
		return fault(run, address, true);
	if (host)
		store_part(run, host, first, from);
	else
		return store_device(run, address, first, from);
	return true;
}

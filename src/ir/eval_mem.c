/* The evaluator's guest slots and guest memory.
 *
 * Guest memory is read and written with one relaxed access of the natural size
 * where the address is aligned, as guests expect of aligned accesses; anything
 * else goes in parts. Order comes from fences around the access. Memory is
 * little-endian whatever the host.
 */
#include "ir/eval_impl.h"

#include <string.h>

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LE16(x) __builtin_bswap16(x)
#define LE32(x) __builtin_bswap32(x)
#define LE64(x) __builtin_bswap64(x)
#else
#define LE16(x) (x)
#define LE32(x) (x)
#define LE64(x) (x)
#endif

/* ---- guest slots: the host's byte order --------------------------------- */

void
eval_get(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	const uint8_t *p = run->frame->guest + run->region->slots->slot[ins->aux].offset;
	unsigned bits = ir_type_bits(ins->type);
	uint16_t half;
	uint32_t word;

	switch (bits) {
	case 0: /* flags: a byte */
	case 8:
		out[0] = *p;
		break;
	case 16:
		memcpy(&half, p, sizeof half);
		out[0] = half;
		break;
	case 32:
		memcpy(&word, p, sizeof word);
		out[0] = word;
		break;
	default:
		memcpy(out, p, bits / 8);
		break;
	}
}

void
eval_set(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	const struct ir_slot *slot = &run->region->slots->slot[ins->aux];
	uint8_t *p = run->frame->guest + slot->offset;
	unsigned bits = ir_type_bits(slot->type);
	const uint64_t *words = eval_of(run, ins->a);
	uint16_t half = (uint16_t)words[0];
	uint32_t word = (uint32_t)words[0];

	(void)out;
	switch (bits) {
	case 0:
	case 8:
		*p = (uint8_t)words[0];
		break;
	case 16:
		memcpy(p, &half, sizeof half);
		break;
	case 32:
		memcpy(p, &word, sizeof word);
		break;
	default:
		memcpy(p, words, bits / 8);
		break;
	}
}

/* ---- access to bytes ---------------------------------------------------- */

static bool
is_aligned(const uint8_t *p, unsigned size)
{
	return !((uintptr_t)p & (size - 1));
}

static uint64_t
read_parts(const uint8_t *p, unsigned size)
{
	uint64_t x = 0;

	for (unsigned i = 0; i < size; i++)
		x |= (uint64_t)p[i] << 8 * i;
	return x;
}

static void
write_parts(uint8_t *p, unsigned size, uint64_t x)
{
	for (unsigned i = 0; i < size; i++, x >>= 8)
		p[i] = (uint8_t)x;
}

static uint64_t
read_word(const uint8_t *p, unsigned size)
{
	if (!is_aligned(p, size))
		return read_parts(p, size);
	switch (size) {
	case 1:
		return __atomic_load_n(p, __ATOMIC_RELAXED);
	case 2:
		return LE16(__atomic_load_n((const uint16_t *)(const void *)p, __ATOMIC_RELAXED));
	case 4:
		return LE32(__atomic_load_n((const uint32_t *)(const void *)p, __ATOMIC_RELAXED));
	}
	return LE64(__atomic_load_n((const uint64_t *)(const void *)p, __ATOMIC_RELAXED));
}

static void
write_word(uint8_t *p, unsigned size, uint64_t x)
{
	if (!is_aligned(p, size)) {
		write_parts(p, size, x);
		return;
	}
	switch (size) {
	case 1:
		__atomic_store_n(p, (uint8_t)x, __ATOMIC_RELAXED);
		break;
	case 2:
		__atomic_store_n((uint16_t *)(void *)p, LE16((uint16_t)x), __ATOMIC_RELAXED);
		break;
	case 4:
		__atomic_store_n((uint32_t *)(void *)p, LE32((uint32_t)x), __ATOMIC_RELAXED);
		break;
	case 8:
		__atomic_store_n((uint64_t *)(void *)p, LE64(x), __ATOMIC_RELAXED);
		break;
	}
}

void
eval_read(const uint8_t *p, unsigned size, uint64_t *words)
{
	if (size <= 8)
		words[0] = read_word(p, size);
	else
		for (unsigned i = 0; i < size; i += 8)
			words[i / 8] = read_word(p + i, 8);
}

/* Where a store crosses into another page, both are tried before, so that
 * nothing of it is written when one faults. The fault is at the first byte that
 * may not be written. */
static void
probe(uint8_t *p, unsigned size)
{
	uintptr_t last = (uintptr_t)p + size - 1;

	if (((uintptr_t)p ^ last) & ~(uintptr_t)4095) {
		(void)__atomic_fetch_or(p, 0, __ATOMIC_RELAXED);
		(void)__atomic_fetch_or((uint8_t *)(last & ~(uintptr_t)4095), 0, __ATOMIC_RELAXED);
	}
}

void
eval_write(uint8_t *p, unsigned size, const uint64_t *words)
{
	probe(p, size);
	if (size <= 8)
		write_word(p, size, words[0]);
	else
		for (unsigned i = 0; i < size; i += 8)
			write_word(p + i, 8, words[i / 8]);
}

/* ---- addresses ---------------------------------------------------------- */

/* Faults unless [address, address + size) lies in the window. */
static bool
in_window(struct eval_run *run, uint64_t address, uint64_t size, bool write)
{
	const struct ir_window *w = run->eval->window;
	uint64_t offset = address - w->base;

	if (offset < w->size && size <= w->size - offset)
		return true;
	if (!size)
		return true;
	/* The lowest byte outside. */
	eval_fault(run, write ? IR_TRAP_WRITE_FAULT : IR_TRAP_READ_FAULT,
		   offset < w->size ? w->base + w->size : address);
	return false;
}

bool
eval_address(struct eval_run *run, uint64_t address, unsigned size, bool write, uint8_t **bytes)
{
	const struct ir_window *w = run->eval->window;

	if (run->eval->mmu)
		return eval_mmu_address(run, address, size, write, bytes);
	if (!w)
		*bytes = (uint8_t *)(uintptr_t)(run->frame->guest_base + address);
	else if (in_window(run, address, size, write))
		*bytes = w->bytes + (address - w->base);
	else
		return false;
	return true;
}

void
eval_xlate(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	uint64_t address = eval_of(run, ins->a)[0];
	uint64_t align = (uint64_t)1 << IR_XLATE_ALIGN(ins->aux);
	int32_t lo = (int32_t)(uint32_t)(uint64_t)ins->imm;
	int32_t hi = (int32_t)(uint32_t)((uint64_t)ins->imm >> 32);

	if (run->eval->mmu) {
		if (eval_mmu_check(run, ins, address))
			out[0] = address;
		return;
	}
	if (address & (align - 1)) {
		eval_fault(run, IR_TRAP_MISALIGNED, address);
		return;
	}
	if (run->eval->window && hi > lo &&
	    !in_window(run, address + (uint64_t)(int64_t)lo, (uint64_t)((int64_t)hi - lo),
		       IR_XLATE_ACCESS(ins->aux) & IR_ACCESS_W))
		return;
	out[0] = address;
}

/* ---- plain accesses ----------------------------------------------------- */

void
eval_log(struct eval_run *run, uint64_t address, unsigned size, const uint64_t *old)
{
	struct ir_undo *undo;

	if (!run->eval->undo)
		return;
	undo = vec_push(run->eval->undo, sizeof *undo);
	undo->address = address;
	undo->size = (uint8_t)size;
	for (unsigned i = 0; i < size; i += 8)
		write_parts(undo->old + i, size < 8 ? size : 8, old[i / 8]);
}

void
eval_extend(const struct ir_ins *ins, uint64_t *words)
{
	enum ir_type memory = IR_MEM_TYPE(ins->aux);
	unsigned bits = ir_type_bits(memory);

	if (memory > IR_I64)
		return;
	if (IR_MEM_SIGNED(ins->aux))
		words[0] = eval_cut(ins->type, (uint64_t)int_signed(words[0], bits));
	words[1] = IR_MEM_SIGNED(ins->aux) && (int64_t)words[0] < 0 ? UINT64_MAX : 0;
}

void
eval_load(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	enum ir_order order = IR_MEM_ORDER(ins->aux);
	unsigned size = ir_type_bits(IR_MEM_TYPE(ins->aux)) / 8;
	uint64_t address = eval_of(run, ins->a)[0] + (uint64_t)(int64_t)(int32_t)ins->c;
	uint8_t *p;

	if (order == IR_SEQ_CST)
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (run->eval->mmu) {
		if (!eval_mmu_load(run, address, size, out))
			return;
	} else if (eval_address(run, address, size, false, &p)) {
		eval_read(p, size, out);
	} else {
		return;
	}
	if (order != IR_RELAXED && order != IR_RELEASE)
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	eval_extend(ins, out);
}

void
eval_store(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	enum ir_order order = IR_MEM_ORDER(ins->aux);
	unsigned size = ir_type_bits(IR_MEM_TYPE(ins->aux)) / 8;
	uint64_t address = eval_of(run, ins->a)[0] + (uint64_t)(int64_t)(int32_t)ins->c;
	eval_value old;
	uint8_t *p;

	(void)out;
	if (order != IR_RELAXED && order != IR_ACQUIRE)
		__atomic_thread_fence(__ATOMIC_RELEASE);
	if (run->eval->mmu) {
		if (!eval_mmu_store(run, address, size, eval_of(run, ins->b)))
			return;
	} else if (eval_address(run, address, size, true, &p)) {
		if (run->eval->undo)
			eval_read(p, size, old);
		eval_write(p, size, eval_of(run, ins->b));
		if (run->eval->undo) /* now that it has not faulted */
			eval_log(run, address, size, old);
	} else {
		return;
	}
	if (order == IR_SEQ_CST)
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Only a store before a load after needs the strongest of fences. */
void
eval_fence(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	enum { W = 1, R = 2, O = 4, I = 8 };
	unsigned before = ins->aux & 15, after = ins->aux >> 4 & 15;

	(void)run, (void)out;
	if (ins->aux == IR_FENCE_COMPILER)
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
	else if ((before & (W | O)) && (after & (R | I)))
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	else
		__atomic_thread_fence(__ATOMIC_ACQ_REL);
}

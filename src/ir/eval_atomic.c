/* The evaluator's atomic accesses. All are made of the host's compare and
 * exchange, sequentially consistent, which is at least the order asked for.
 *
 * LL and SC go by value: SC succeeds if memory holds what LL saw.
 */
#include "ir/eval_impl.h"

#include <string.h>

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#error "ir/eval_atomic.c: the operands of guest atomics need swapping on this host"
#endif

/* x86 guests may make atomic accesses at any address. Hosts that cannot must
 * not offer a guest that does; so the builtins get the address as it is. */
#define ANY_ADDRESS __attribute__((no_sanitize("alignment")))

#define EXCHANGE(TYPE) \
	do { \
		TYPE expected = (TYPE)old[0]; \
		done = __atomic_compare_exchange_n((TYPE *)(void *)p, &expected, (TYPE)fresh[0], false, \
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
		old[0] = expected; \
	} while (0)

ANY_ADDRESS static bool
exchange_128(uint8_t *p, uint64_t *old, const uint64_t *fresh)
{
	u128 expected = (u128)old[1] << 64 | old[0];
	u128 seen = __sync_val_compare_and_swap((u128 *)(void *)p, expected,
						(u128)fresh[1] << 64 | fresh[0]);

	old[0] = (uint64_t)seen;
	old[1] = (uint64_t)(seen >> 64);
	return seen == expected;
}

/* Stores fresh at p if it holds *old; *old becomes what it held. */
ANY_ADDRESS static bool
exchange(uint8_t *p, unsigned size, uint64_t *old, const uint64_t *fresh)
{
	bool done = false;

	switch (size) {
	case 1:
		EXCHANGE(uint8_t);
		break;
	case 2:
		EXCHANGE(uint16_t);
		break;
	case 4:
		EXCHANGE(uint32_t);
		break;
	case 8:
		EXCHANGE(uint64_t);
		break;
	case 16:
		return exchange_128(p, old, fresh);
	}
	return done;
}

/* old (rmw) operand, both of the memory type. */
static u128
combine(enum ir_rmw rmw, unsigned bits, u128 old, u128 operand)
{
	unsigned up = 128 - bits; /* compares at the top so that the sign counts */
	s128 so = (s128)(old << up), sx = (s128)(operand << up);

	switch (rmw) {
	case IR_RMW_XCHG: return operand;
	case IR_RMW_ADD: return old + operand;
	case IR_RMW_AND: return old & operand;
	case IR_RMW_OR: return old | operand;
	case IR_RMW_XOR: return old ^ operand;
	case IR_RMW_SMIN: return so < sx ? old : operand;
	case IR_RMW_SMAX: return so > sx ? old : operand;
	case IR_RMW_UMIN: return (u128)so < (u128)sx ? old : operand;
	case IR_RMW_UMAX: return (u128)so > (u128)sx ? old : operand;
	case IR_RMW_ANDN: return old & ~operand;
	}
	return old;
}

/* The address by which the undo log knows the bytes: ir_eval.mmu. */
static uint64_t
logged(const struct eval_run *run, uint64_t address, const uint8_t *p)
{
	return run->eval->mmu ? (uint64_t)(uintptr_t)p : address;
}

void
eval_rmw(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	unsigned bits = ir_type_bits(IR_MEM_TYPE(ins->aux));
	uint64_t address = eval_of(run, ins->a)[0];
	uint8_t *p;
	const uint64_t *operand = eval_of(run, ins->b);
	eval_value old = { 0 }, fresh;
	u128 result;

	if (!eval_address(run, address, bits / 8, true, &p))
		return;
	eval_read(p, bits / 8, old);
	do {
		result = combine(IR_MEM_RMW_OP(ins->aux), bits, (u128)old[1] << 64 | old[0],
				 bits == 128 ? (u128)operand[1] << 64 | operand[0] : operand[0]);
		fresh[0] = (uint64_t)result;
		fresh[1] = (uint64_t)(result >> 64);
	} while (!exchange(p, bits / 8, old, fresh));
	eval_log(run, logged(run, address, p), bits / 8, old);
	memcpy(out, old, sizeof old);
	eval_extend(ins, out);
}

void
eval_cas(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	unsigned size = ir_type_bits(IR_MEM_TYPE(ins->aux)) / 8;
	uint64_t address = eval_of(run, ins->a)[0];
	eval_value old;
	uint8_t *p;

	if (!eval_address(run, address, size, true, &p))
		return;
	memcpy(old, eval_of(run, ins->b), sizeof old);
	if (exchange(p, size, old, eval_of(run, ins->c)))
		eval_log(run, logged(run, address, p), size, old);
	memcpy(out, old, sizeof old);
	eval_extend(ins, out);
}

void
eval_ll(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	unsigned size = ir_type_bits(ins->type) / 8;
	enum ir_order order = IR_MEM_ORDER(ins->aux);
	uint8_t *p;

	if (!eval_address(run, eval_of(run, ins->a)[0], size, false, &p))
		return;
	if (order == IR_SEQ_CST)
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	eval_read(p, size, out);
	if (order != IR_RELAXED && order != IR_RELEASE)
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	run->frame->link_address = eval_of(run, ins->b)[0];
	run->frame->link_value = out[0];
	if (size > 8)
		run->frame->link_high = out[1];
}

void
eval_sc(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	unsigned size = ir_type_bits(IR_MEM_TYPE(ins->aux)) / 8;
	uint64_t address = eval_of(run, ins->a)[0];
	eval_value old = { run->frame->link_value, run->frame->link_high };
	bool stored = false;
	uint8_t *p;

	if (!eval_address(run, address, size, true, &p))
		return;
	if (size <= 8)
		old[0] = eval_cut(IR_MEM_TYPE(ins->aux), old[0]);
	if (run->frame->link_address == eval_of(run, ins->c)[0])
		stored = exchange(p, size, old, eval_of(run, ins->b));
	if (stored)
		eval_log(run, logged(run, address, p), size, old);
	run->frame->link_address = IR_LINK_NONE;
	out[0] = !stored;
	out[1] = 0;
}

/* The evaluator's flags: NZCV and EFLAGS, enum ir_flag bits, with how C is to
 * be read in unsigned conditions (IR_FLAG_C_NOT_BORROW) beside them. Widths up
 * to 64 bits. */
#include "ir/eval_impl.h"

static uint64_t
polarity(unsigned aux)
{
	return (aux & 1) == IR_CARRY_NOT_BORROW ? IR_FLAG_C_NOT_BORROW : 0;
}

/* N, Z and, where C is a borrow, x86's P (even parity of the low byte) of a
 * result, with how C is to be read. */
static uint64_t
flags_of_result(uint64_t r, unsigned bits, unsigned aux)
{
	uint64_t f = polarity(aux);

	if (r >> (bits - 1) & 1)
		f |= IR_FLAG_N;
	if (!r)
		f |= IR_FLAG_Z;
	if (!polarity(aux) && !(__builtin_popcountll(r & 0xff) & 1))
		f |= IR_FLAG_P;
	return f;
}

/* What ADC and SBC take in: 1 for a carry or a borrow. */
static unsigned
carry_in(const struct eval_run *run, const struct ir_ins *ins)
{
	bool c = eval_of(run, ins->c)[0] & IR_FLAG_C;

	switch ((int)ins->op) {
	case IR_ADC:
	case IR_FLAGS_ADC:
		return c;
	case IR_SBC:
	case IR_FLAGS_SBC:
		return (ins->aux & 1) == IR_CARRY_NOT_BORROW ? !c : c;
	}
	return 0;
}

static bool
subtracts(const struct ir_ins *ins)
{
	return ins->op == IR_FLAGS_SUB || ins->op == IR_FLAGS_SBC || ins->op == IR_SBC;
}

/* FLAGS_ADD FLAGS_SUB FLAGS_ADC FLAGS_SBC */
void
eval_flags_arith(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	unsigned bits = ir_type_bits(eval_type(run, ins->a)), in = carry_in(run, ins);
	uint64_t a = eval_of(run, ins->a)[0], b = eval_of(run, ins->b)[0], r, f;
	bool minus = subtracts(ins), carry, overflow;

	if (bits > 64) {
		run->broken = true;
		return;
	}
	if (minus) {
		r = (a - b - in) & int_mask(bits);
		carry = (u128)b + in > a;
		overflow = ((a ^ b) & (a ^ r)) >> (bits - 1) & 1;
	} else {
		r = (a + b + in) & int_mask(bits);
		carry = ((u128)a + b + in) >> bits & 1;
		overflow = ((a ^ r) & (b ^ r)) >> (bits - 1) & 1;
	}
	f = flags_of_result(r, bits, ins->aux);
	if (minus && (ins->aux & 1) == IR_CARRY_NOT_BORROW)
		carry = !carry;
	if (carry)
		f |= IR_FLAG_C;
	if (overflow)
		f |= IR_FLAG_V;
	if (!polarity(ins->aux) && (a ^ b ^ r) & 16)
		f |= IR_FLAG_A;
	out[0] = f;
}

/* ADC SBC */
void
eval_carry_arith(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	uint64_t a = eval_of(run, ins->a)[0], b = eval_of(run, ins->b)[0];
	unsigned in = carry_in(run, ins);

	if (ins->type == IR_I128) {
		run->broken = true;
		return;
	}
	out[0] = eval_cut(ins->type, subtracts(ins) ? a - b - in : a + b + in);
}

void
eval_flags_logic(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	unsigned bits = ir_type_bits(eval_type(run, ins->a));

	if (bits > 64) {
		run->broken = true;
		return;
	}
	out[0] = flags_of_result(eval_of(run, ins->a)[0], bits, ins->aux);
}

void
eval_flags_merge(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	uint64_t from_b = ins->aux & 63;

	if (from_b & IR_FLAG_C)
		from_b |= IR_FLAG_C_NOT_BORROW;
	out[0] = (eval_of(run, ins->a)[0] & ~from_b) | (eval_of(run, ins->b)[0] & from_b);
}

void
eval_flags_pack(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	out[0] = (eval_of(run, ins->a)[0] & 63) | polarity(ins->aux);
}

void
eval_flags_bits(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	out[0] = eval_cut(ins->type, eval_of(run, ins->a)[0] & 63);
}

bool
ir_flags_hold(enum ir_cond cond, unsigned f)
{
	bool n = f & IR_FLAG_N, z = f & IR_FLAG_Z, c = f & IR_FLAG_C, v = f & IR_FLAG_V;
	bool borrow = f & IR_FLAG_C_NOT_BORROW ? !c : c;

	switch (cond) {
	case IR_EQ: return z;
	case IR_NE: return !z;
	case IR_SLT: return n != v;
	case IR_SLE: return z || n != v;
	case IR_SGT: return !z && n == v;
	case IR_SGE: return n == v;
	case IR_ULT: return borrow;
	case IR_ULE: return borrow || z;
	case IR_UGT: return !borrow && !z;
	case IR_UGE: return !borrow;
	case IR_MI: return n;
	case IR_PL: return !n;
	case IR_VS: return v;
	case IR_VC: return !v;
	case IR_CS: return c;
	case IR_CC: return !c;
	case IR_PE: return f & IR_FLAG_P;
	case IR_PO: return !(f & IR_FLAG_P);
	}
	return false;
}

void
eval_cond(struct eval_run *run, const struct ir_ins *ins, uint64_t *out)
{
	out[0] = ir_flags_hold((enum ir_cond)ins->aux, (unsigned)eval_of(run, ins->a)[0]);
	out[1] = 0;
}

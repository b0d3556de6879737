/* The evaluator's integer ops where a type is i128. The same meanings as in
 * integer.c, on u128. */
#include "ir/eval_impl.h"

static u128
extend(u128 x, unsigned bits, bool sign)
{
	if (bits == 128)
		return x;
	x &= int_mask(bits);
	return sign ? (u128)(s128)int_signed((uint64_t)x, bits) : x;
}

/* High half of the unsigned product. */
static u128
multiply_high(u128 a, u128 b)
{
	uint64_t a0 = (uint64_t)a, b0 = (uint64_t)b, a1 = (uint64_t)(a >> 64), b1 = (uint64_t)(b >> 64);
	u128 low = (u128)a0 * b0, cross1 = (u128)a1 * b0, cross2 = (u128)a0 * b1;
	u128 middle = (low >> 64) + (uint64_t)cross1 + (uint64_t)cross2;

	return (u128)a1 * b1 + (cross1 >> 64) + (cross2 >> 64) + (middle >> 64);
}

static u128
divide(bool is_signed, unsigned aux, u128 a, u128 b)
{
	if (!b)
		return aux ? 0 : ~(u128)0;
	if (!is_signed)
		return a / b;
	return (s128)b == -1 ? -a : (u128)((s128)a / (s128)b);
}

static u128
remain(bool is_signed, u128 a, u128 b)
{
	if (!b)
		return a;
	if (!is_signed)
		return a % b;
	return (s128)b == -1 ? 0 : (u128)((s128)a % (s128)b);
}

static u128
carryless(u128 a, u128 b, bool high)
{
	u128 r = 0;

	for (unsigned i = 0; i < 128; i++)
		if (b >> i & 1)
			r ^= !high ? a << i : i ? a >> (128 - i) : 0;
	return r;
}

/* Does a 64-bit op on each half, the halves swapped if told. */
static u128
by_halves(enum ir_op op, u128 a, bool swap)
{
	uint64_t low = 0, high = 0;

	ir_int_op(op, IR_I64, IR_I64, 0, (uint64_t)a, 0, 0, &low);
	ir_int_op(op, IR_I64, IR_I64, 0, (uint64_t)(a >> 64), 0, 0, &high);
	return swap ? (u128)low << 64 | high : (u128)high << 64 | low;
}

static unsigned
count_zeros(u128 a, bool leading)
{
	uint64_t low = (uint64_t)a, high = (uint64_t)(a >> 64);

	if (leading)
		return high ? (unsigned)__builtin_clzll(high) :
		       low  ? 64 + (unsigned)__builtin_clzll(low) :
			      128;
	return low ? (unsigned)__builtin_ctzll(low) : high ? 64 + (unsigned)__builtin_ctzll(high) : 128;
}

static unsigned
count_ones(u128 a)
{
	return (unsigned)__builtin_popcountll((uint64_t)a) +
	       (unsigned)__builtin_popcountll((uint64_t)(a >> 64));
}

static bool
compare(enum ir_cond cond, u128 a, u128 b)
{
	switch ((int)cond) {
	case IR_EQ: return a == b;
	case IR_NE: return a != b;
	case IR_SLT: return (s128)a < (s128)b;
	case IR_SLE: return (s128)a <= (s128)b;
	case IR_SGT: return (s128)a > (s128)b;
	case IR_SGE: return (s128)a >= (s128)b;
	case IR_ULT: return a < b;
	case IR_ULE: return a <= b;
	case IR_UGT: return a > b;
	case IR_UGE: return a >= b;
	}
	return false;
}

static u128
insert(u128 a, u128 b, unsigned at, unsigned bits)
{
	u128 mask;

	if (at >= 128)
		return a;
	mask = (bits == 128 ? ~(u128)0 : (u128)int_mask(bits)) << at;
	return (a & ~mask) | (b << at & mask);
}

/* High half of a product of which the operands told are signed. */
static u128
multiply_high_signed(u128 a, u128 b, bool b_signed)
{
	u128 r = multiply_high(a, b);

	if ((s128)a < 0)
		r -= b;
	if (b_signed && (s128)b < 0)
		r -= a;
	return r;
}

bool
eval_wide_op(enum ir_op op, enum ir_type from, unsigned aux, u128 a, u128 b, u128 *r)
{
	unsigned n = (unsigned)b & 127;

	switch ((int)op) {
	case IR_ADD: *r = a + b; break;
	case IR_SUB: *r = a - b; break;
	case IR_MUL: *r = a * b; break;
	case IR_MULHS: *r = multiply_high_signed(a, b, true); break;
	case IR_MULHU: *r = multiply_high(a, b); break;
	case IR_MULHSU: *r = multiply_high_signed(a, b, false); break;
	case IR_SDIV: *r = divide(true, aux, a, b); break;
	case IR_UDIV: *r = divide(false, aux, a, b); break;
	case IR_SREM: *r = remain(true, a, b); break;
	case IR_UREM: *r = remain(false, a, b); break;
	case IR_AND: *r = a & b; break;
	case IR_OR: *r = a | b; break;
	case IR_XOR: *r = a ^ b; break;
	case IR_ANDN: *r = a & ~b; break;
	case IR_NOT: *r = ~a; break;
	case IR_NEG: *r = -a; break;
	case IR_SHL: *r = a << n; break;
	case IR_LSHR: *r = a >> n; break;
	case IR_ASHR: *r = (u128)((s128)a >> n); break;
	case IR_ROTL: *r = n ? a << n | a >> (128 - n) : a; break;
	case IR_ROTR: *r = n ? a >> n | a << (128 - n) : a; break;
	case IR_SMIN: *r = (s128)a < (s128)b ? a : b; break;
	case IR_SMAX: *r = (s128)a > (s128)b ? a : b; break;
	case IR_UMIN: *r = a < b ? a : b; break;
	case IR_UMAX: *r = a > b ? a : b; break;
	case IR_CLZ: *r = count_zeros(a, true); break;
	case IR_CTZ: *r = count_zeros(a, false); break;
	case IR_POPCNT: *r = count_ones(a); break;
	case IR_BSWAP:
	case IR_BITREV: *r = by_halves(op, a, true); break;
	case IR_ORCB: *r = by_halves(op, a, false); break;
	case IR_CLMUL: *r = carryless(a, b, false); break;
	case IR_CLMULH: *r = carryless(a, b, true); break;
	case IR_SEXT: *r = extend(a, ir_type_bits(aux), true); break;
	case IR_ZEXT: *r = extend(a, ir_type_bits(aux), false); break;
	case IR_TRUNC: *r = a; break;
	case IR_INSERT: *r = insert(a, b, aux, ir_type_bits(from)); break;
	case IR_EXTRACT: *r = aux < 128 ? a >> aux : 0; break;
	case IR_ICMP: *r = compare((enum ir_cond)aux, a, b); break;
	default: return false;
	}
	return true;
}

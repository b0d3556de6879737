/* The pure integer ops of up to 64 bits; see integer.h. Each is written down
 * as ops.def words it, on the zero-extended operands. */
#include "ir/integer.h"

bool
ir_int_compare(enum ir_cond cond, unsigned bits, uint64_t x, uint64_t y)
{
	int64_t sx = int_signed(x, bits), sy = int_signed(y, bits);

	switch ((int)cond) {
	case IR_EQ:
		return x == y;
	case IR_NE:
		return x != y;
	case IR_SLT:
		return sx < sy;
	case IR_SLE:
		return sx <= sy;
	case IR_SGT:
		return sx > sy;
	case IR_SGE:
		return sx >= sy;
	case IR_ULT:
		return x < y;
	case IR_ULE:
		return x <= y;
	case IR_UGT:
		return x > y;
	case IR_UGE:
		return x >= y;
	}
	return false;
}

static uint64_t
divide(bool wanted_signed, unsigned aux, unsigned bits, uint64_t a, uint64_t b)
{
	if (!b)
		return aux ? 0 : UINT64_MAX;
	if (!wanted_signed)
		return a / b;
	if (int_signed(b, bits) == -1)
		return -a; /* the host would trap on smallest / -1 */
	return (uint64_t)(int_signed(a, bits) / int_signed(b, bits));
}

static uint64_t
remain(bool wanted_signed, unsigned bits, uint64_t a, uint64_t b)
{
	if (!b)
		return a;
	if (!wanted_signed)
		return a % b;
	if (int_signed(b, bits) == -1)
		return 0;
	return (uint64_t)(int_signed(a, bits) % int_signed(b, bits));
}

static uint64_t
rotate_left(uint64_t a, unsigned count, unsigned bits)
{
	count &= bits - 1;
	return count ? a << count | a >> (bits - count) : a;
}

static uint64_t
reverse_bits(uint64_t a, unsigned bits)
{
	uint64_t r = __builtin_bswap64(a);

	r = (r & 0x0f0f0f0f0f0f0f0f) << 4 | (r >> 4 & 0x0f0f0f0f0f0f0f0f);
	r = (r & 0x3333333333333333) << 2 | (r >> 2 & 0x3333333333333333);
	r = (r & 0x5555555555555555) << 1 | (r >> 1 & 0x5555555555555555);
	return r >> (64 - bits);
}

static uint64_t
or_combine(uint64_t a)
{
	uint64_t r = 0;

	for (unsigned i = 0; i < 64; i += 8)
		if (a >> i & 0xff)
			r |= (uint64_t)0xff << i;
	return r;
}

static u128
carryless(uint64_t a, uint64_t b)
{
	u128 r = 0;

	for (unsigned i = 0; i < 64; i++)
		if (b >> i & 1)
			r ^= (u128)a << i;
	return r;
}

static uint64_t
crc32(uint32_t crc, uint64_t value, unsigned bits, bool castagnoli)
{
	uint32_t polynomial = castagnoli ? 0x82f63b78 : 0xedb88320; /* reflected */

	for (unsigned i = 0; i < bits; i++, value >>= 1)
		crc = (crc ^ value) & 1 ? crc >> 1 ^ polynomial : crc >> 1;
	return crc;
}

static uint64_t
insert(uint64_t a, uint64_t b, unsigned at, unsigned bits)
{
	uint64_t mask;

	if (at >= 64)
		return a;
	mask = int_mask(bits) << at;
	return (a & ~mask) | (b << at & mask);
}

/* Switches on int so that the many other ops need no case. */
static bool
operate(enum ir_op op, unsigned w, unsigned from, unsigned aux, uint64_t a, uint64_t b, uint64_t c,
	uint64_t *r)
{
	unsigned n = (unsigned)b & (w - 1); /* shift count */

	switch ((int)op) {
	case IR_COPY: *r = a; break;
	case IR_ADD: *r = a + b; break;
	case IR_SUB: *r = a - b; break;
	case IR_MUL: *r = a * b; break;
	case IR_MULHS: *r = (uint64_t)((s128)int_signed(a, w) * int_signed(b, w) >> w); break;
	case IR_MULHU: *r = (uint64_t)((u128)a * b >> w); break;
	case IR_MULHSU: *r = (uint64_t)((s128)int_signed(a, w) * (s128)b >> w); break;
	case IR_SDIV: *r = divide(true, aux, w, a, b); break;
	case IR_UDIV: *r = divide(false, aux, w, a, b); break;
	case IR_SREM: *r = remain(true, w, a, b); break;
	case IR_UREM: *r = remain(false, w, a, b); break;
	case IR_AND: *r = a & b; break;
	case IR_OR: *r = a | b; break;
	case IR_XOR: *r = a ^ b; break;
	case IR_ANDN: *r = a & ~b; break;
	case IR_NOT: *r = ~a; break;
	case IR_NEG: *r = -a; break;
	case IR_SHL: *r = a << n; break;
	case IR_LSHR: *r = a >> n; break;
	case IR_ASHR: *r = (uint64_t)(int_signed(a, w) >> n); break;
	case IR_ROTL: *r = rotate_left(a, n, w); break;
	case IR_ROTR: *r = rotate_left(a, w - n, w); break;
	case IR_SMIN: *r = int_signed(a, w) < int_signed(b, w) ? a : b; break;
	case IR_SMAX: *r = int_signed(a, w) > int_signed(b, w) ? a : b; break;
	case IR_UMIN: *r = a < b ? a : b; break;
	case IR_UMAX: *r = a > b ? a : b; break;
	case IR_CLZ: *r = a ? (unsigned)__builtin_clzll(a) - (64 - w) : w; break;
	case IR_CTZ: *r = a ? (unsigned)__builtin_ctzll(a) : w; break;
	case IR_POPCNT: *r = (unsigned)__builtin_popcountll(a); break;
	case IR_BSWAP: *r = __builtin_bswap64(a) >> (64 - w); break;
	case IR_BITREV: *r = reverse_bits(a, w); break;
	case IR_ORCB: *r = or_combine(a); break;
	case IR_CLMUL: *r = (uint64_t)carryless(a, b); break;
	case IR_CLMULH: *r = (uint64_t)(carryless(a, b) >> w); break;
	case IR_CRC32: *r = crc32((uint32_t)a, b, from, aux & 1); break;
	case IR_SEXT: *r = (uint64_t)int_signed(a, ir_type_bits(aux)); break;
	case IR_ZEXT: *r = a & int_mask(ir_type_bits(aux)); break;
	case IR_TRUNC: *r = a; break;
	case IR_INSERT: *r = insert(a, b, aux, from); break;
	case IR_EXTRACT: *r = aux < 64 ? a >> aux : 0; break;
	case IR_ICMP: *r = ir_int_compare((enum ir_cond)aux, from, a, b); break;
	case IR_SELECT: *r = a ? b : c; break;
	default: return false;
	}
	return true;
}

bool
ir_int_op(enum ir_op op, enum ir_type type, enum ir_type from, unsigned aux, uint64_t a, uint64_t b,
	  uint64_t c, uint64_t *result)
{
	unsigned bits = ir_type_bits(type), from_bits = ir_type_bits(from);

	if (bits - 1 > 63 || from_bits - 1 > 63 || !operate(op, bits, from_bits, aux, a, b, c, result))
		return false;
	*result &= int_mask(bits);
	return true;
}

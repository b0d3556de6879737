/* ir/: every pure integer op at every width: what the evaluator computes and
 * what the builder folds, against expectations written here bit by bit; flags
 * against the host's own where it has them. */
#include "ir/eval.h"
#include "unit/check.h"

static struct arena arena, values;
static struct ir_frame frame;
static struct ir_slot slot_list[16];
static struct ir_slots slots = { slot_list, 16 };

static const enum ir_type types[] = { IR_I8, IR_I16, IR_I32, IR_I64, IR_I128 };

/* Slots 3k, 3k+1, 3k+2 have type k. Slot 15 is flags. */
static void
make_slots(void)
{
	for (unsigned i = 0; i < 15; i++)
		slot_list[i] = (struct ir_slot){ "s", (uint16_t)(16 * i), (uint8_t)types[i / 3], -1,
						 (uint16_t)i };
	slot_list[15] = (struct ir_slot){ "flags", 240, IR_FLAGS, -1, 15 };
}

static uint64_t
random_word(void)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static u128
mask(unsigned bits)
{
	return bits == 128 ? ~(u128)0 : ((u128)1 << bits) - 1;
}

/* Often one of those values at which ops change their mind. */
static u128
random_operand(unsigned bits)
{
	u128 x = (u128)random_word() << 64 | random_word();

	switch (random_word() % 8) {
	case 0:
		return 0;
	case 1:
		return mask(bits);
	case 2:
		return (u128)1 << (bits - 1);
	case 3:
		return mask(bits) >> 1;
	case 4:
		return x & 7;
	case 5:
		return x & mask(bits) & mask(bits / 2);
	}
	return x & mask(bits);
}

static void
put(unsigned slot, u128 x)
{
	memcpy(frame.guest + slot_list[slot].offset, &x, ir_type_bits(slot_list[slot].type) / 8);
}

static u128
got(unsigned slot)
{
	u128 x = 0;

	memcpy(&x, frame.guest + slot_list[slot].offset, ir_type_bits(slot_list[slot].type) / 8);
	return x;
}

static void
run(const struct ir_region *region)
{
	struct ir_eval eval = { .frame = &frame, .arena = &values };

	arena_reset(&values);
	CHECK(ir_eval(&eval, region));
}

/* ---- expectations: long hand -------------------------------------------- */

static bool
bit(u128 x, unsigned i)
{
	return x >> i & 1;
}

static bool
negative(u128 x, unsigned w)
{
	return bit(x, w - 1);
}

static u128
magnitude(u128 x, unsigned w)
{
	return (negative(x, w) ? -x : x) & mask(w);
}

/* Product of 2w bits by shifting and adding: low and high half. */
static u128
product(u128 a, u128 b, unsigned w, bool exclusive, bool high)
{
	u128 lo = 0, hi = 0;

	for (unsigned i = w; i-- > 0;) {
		hi = (hi << 1 | bit(lo, w - 1)) & mask(w);
		lo = lo << 1 & mask(w);
		if (!bit(b, i))
			continue;
		if (exclusive) {
			lo ^= a;
			continue;
		}
		hi += ((lo + a) & mask(w)) < a;
		lo = (lo + a) & mask(w);
	}
	return high ? hi : lo;
}

static u128
signed_high(u128 a, u128 b, unsigned w, bool b_signed)
{
	bool minus = negative(a, w) ^ (b_signed && negative(b, w));
	u128 x = magnitude(a, w), y = b_signed ? magnitude(b, w) : b;
	u128 hi = product(x, y, w, false, true), lo = product(x, y, w, false, false);

	if (!minus)
		return hi;
	return (~hi + (lo == 0)) & mask(w);
}

/* Quotient and remainder by long division. */
static void
long_divide(u128 a, u128 b, unsigned w, u128 *quotient, u128 *rest)
{
	u128 q = 0, r = 0;

	for (unsigned i = w; i-- > 0;) {
		bool over = bit(r, 127);

		r = r << 1 | bit(a, i);
		if (over || r >= b) {
			r -= b;
			q |= (u128)1 << i;
		}
	}
	*quotient = q;
	*rest = r;
}

static u128
division(enum ir_op op, u128 a, u128 b, unsigned w)
{
	bool is_signed = op == IR_SDIV || op == IR_SREM, rest = op == IR_SREM || op == IR_UREM;
	u128 q, r;

	if (!b)
		return rest ? a : mask(w);
	if (!is_signed) {
		long_divide(a, b, w, &q, &r);
		return rest ? r : q;
	}
	long_divide(magnitude(a, w), magnitude(b, w), w, &q, &r);
	if (negative(a, w))
		r = -r;
	if (negative(a, w) != negative(b, w))
		q = -q;
	return (rest ? r : q) & mask(w);
}

static u128
shifted(enum ir_op op, u128 a, unsigned n, unsigned w)
{
	u128 r = 0;

	for (unsigned i = 0; i < w; i++) { /* bit i of the result */
		unsigned left = (i + w - n) % w, right = (i + n) % w;
		bool x = false;

		switch ((int)op) {
		case IR_SHL: x = i >= n && bit(a, i - n); break;
		case IR_LSHR: x = i + n < w && bit(a, i + n); break;
		case IR_ASHR: x = i + n < w ? bit(a, i + n) : negative(a, w); break;
		case IR_ROTL: x = bit(a, left); break;
		case IR_ROTR: x = bit(a, right); break;
		}
		r |= (u128)x << i;
	}
	return r;
}

static bool
less(u128 a, u128 b, unsigned w, bool is_signed)
{
	if (is_signed && negative(a, w) != negative(b, w))
		return negative(a, w);
	return a < b;
}

/* Ops that go over the bits of one operand. */
static u128
bitwise(enum ir_op op, u128 a, unsigned w)
{
	u128 r = 0;

	switch ((int)op) {
	case IR_CLZ:
		while (r < w && !bit(a, w - 1 - (unsigned)r))
			r++;
		return r;
	case IR_CTZ:
		while (r < w && !bit(a, (unsigned)r))
			r++;
		return r;
	}
	for (unsigned i = 0; i < w; i++)
		switch ((int)op) {
		case IR_POPCNT: r += bit(a, i); break;
		case IR_BITREV: r |= (u128)bit(a, i) << (w - 1 - i); break;
		case IR_BSWAP: r |= (u128)bit(a, i) << (w - 8 - i / 8 * 8 + i % 8); break;
		case IR_ORCB: r |= (u128)(bit(a, i) ? 0xff : 0) << i / 8 * 8; break;
		}
	return r;
}

static u128
expect(enum ir_op op, u128 a, u128 b, unsigned w)
{
	unsigned n = (unsigned)(b % w);

	switch ((int)op) {
	case IR_ADD: return a + b;
	case IR_SUB: return a + ~b + 1;
	case IR_MUL: return product(a, b, w, false, false);
	case IR_MULHU: return product(a, b, w, false, true);
	case IR_MULHS: return signed_high(a, b, w, true);
	case IR_MULHSU: return signed_high(a, b, w, false);
	case IR_CLMUL: return product(a, b, w, true, false);
	case IR_CLMULH: return product(a, b, w, true, true);
	case IR_SDIV:
	case IR_UDIV:
	case IR_SREM:
	case IR_UREM: return division(op, a, b, w);
	case IR_AND: return a & b;
	case IR_OR: return a | b;
	case IR_XOR: return (a | b) & ~(a & b);
	case IR_ANDN: return a & ~b;
	case IR_NOT: return ~a;
	case IR_NEG: return ~a + 1;
	case IR_SMIN: return less(a, b, w, true) ? a : b;
	case IR_SMAX: return less(a, b, w, true) ? b : a;
	case IR_UMIN: return less(a, b, w, false) ? a : b;
	case IR_UMAX: return less(a, b, w, false) ? b : a;
	case IR_CLZ:
	case IR_CTZ:
	case IR_POPCNT:
	case IR_BSWAP:
	case IR_BITREV:
	case IR_ORCB: return bitwise(op, a, w);
	}
	return shifted(op, a, n, w);
}

/* ---- the tests ---------------------------------------------------------- */

static void
check_value(u128 value, u128 want, enum ir_op op, unsigned w, const char *how)
{
	bool ok = value == want;

	CHECK(ok);
	if (!ok)
		fprintf(stderr, "\t%s.i%u %s\n", ir_op_info[op].text, w, how);
}

/* Builds the op on slots and on constants; the region is only good once. */
static void
test_op(enum ir_op op, unsigned k)
{
	bool two = ir_op_info[op].operands[1] == '=';
	unsigned w = ir_type_bits(types[k]);
	struct ir_region region, folded;
	struct ir_builder b, c;

	arena_reset(&arena);
	ir_build_begin(&b, &region, &arena, &slots, 0, 0);
	ir_set(&b, 3 * k + 2,
	       ir_emit(&b, op, types[k], 0, ir_get(&b, 3 * k), two ? ir_get(&b, 3 * k + 1) : 0, 0));
	ir_exit_jump(&b, 4);
	CHECK(ir_build_end(&b));
	for (unsigned i = 0; i < 60; i++) {
		u128 x = random_operand(w), y = random_operand(w), want = expect(op, x, y, w) & mask(w);
		ir_ref ref;

		put(3 * k, x);
		put(3 * k + 1, y);
		run(&region);
		check_value(got(3 * k + 2), want, op, w, "evaluated");
		if (w > 64)
			continue;
		ir_build_begin(&c, &folded, &arena, &slots, 0, 0);
		ref = ir_fold(&c, op, types[k], 0, ir_const(&c, types[k], (uint64_t)x),
			      two ? ir_const(&c, types[k], (uint64_t)y) : 0, 0);
		CHECK_INT(folded.ins[ref].op, IR_CONST);
		check_value((uint64_t)folded.ins[ref].imm, want, op, w, "folded");
		/* One operand constant: identities and rewriting. */
		ref = ir_fold(&c, op, types[k], 0, ir_get(&c, 3 * k),
			      two ? ir_const(&c, types[k], (uint64_t)y) : 0, 0);
		ir_set(&c, 3 * k + 2, ref);
		ref = ir_fold(&c, op, types[k], 0, ir_const(&c, types[k], (uint64_t)x),
			      two ? ir_get(&c, 3 * k + 1) : 0, 0);
		ir_set(&c, 3 * k + 1, ref);
		ir_exit_jump(&c, 4);
		CHECK(ir_build_end(&c));
		run(&folded);
		check_value(got(3 * k + 2), want, op, w, "with second constant");
		check_value(got(3 * k + 1), want, op, w, "with first constant");
	}
}

static void
test_ops(void)
{
	for (unsigned k = 0; k < ARRAY_LEN(types); k++)
		for (enum ir_op op = IR_ADD; op <= IR_CLMULH; op++)
			test_op(op, k);
}

static bool
compares(enum ir_cond cond, u128 x, u128 y, unsigned w)
{
	switch ((int)cond) {
	case IR_EQ: return x == y;
	case IR_NE: return x != y;
	case IR_SLT: return less(x, y, w, true);
	case IR_SLE: return !less(y, x, w, true);
	case IR_SGT: return less(y, x, w, true);
	case IR_SGE: return !less(x, y, w, true);
	case IR_ULT: return less(x, y, w, false);
	case IR_ULE: return !less(y, x, w, false);
	case IR_UGT: return less(y, x, w, false);
	}
	return !less(x, y, w, false);
}

/* ICMP as a value, its opposite, selection, with slots and constants. */
static void
test_compare(unsigned k, enum ir_cond cond)
{
	unsigned w = ir_type_bits(types[k]);

	for (unsigned i = 0; i < 40; i++) {
		u128 x = random_operand(w), y = i % 4 ? random_operand(w) : x;
		bool want = compares(cond, x, y, w);
		struct ir_region region;
		struct ir_builder b;
		ir_ref first, second, truth;

		put(3 * k, x);
		put(3 * k + 1, y);
		arena_reset(&arena);
		ir_build_begin(&b, &region, &arena, &slots, 0, 0);
		first = w <= 64 && i & 1 ? ir_const(&b, types[k], (uint64_t)x) : ir_get(&b, 3 * k);
		second = w <= 64 && i & 2 ? ir_const(&b, types[k], (uint64_t)y) : ir_get(&b, 3 * k + 1);
		truth = ir_icmp(&b, IR_I64, cond, first, second);
		ir_set(&b, 9, truth);
		ir_set(&b, 10, ir_icmp(&b, IR_I64, IR_EQ, truth, ir_const(&b, IR_I64, 0)));
		ir_set(&b, 3 * k, ir_select(&b, truth, second, first));
		ir_exit_jump(&b, 4);
		CHECK(ir_build_end(&b));
		run(&region);
		check_value(got(3 * k), want ? y : x, IR_SELECT, w, "icmp");
		if (k != 3) {
			CHECK_INT(got(9), want);
			CHECK_INT(got(10), !want);
		}
	}
}

static u128
extended(u128 x, unsigned from, bool sign)
{
	return sign && negative(x, from) ? x | ~mask(from) : x & mask(from);
}

/* SEXT, ZEXT and TRUNC from any type to any, and twice in a row. */
static void
test_widths(void)
{
	for (unsigned i = 0; i < 6000; i++) {
		unsigned k = random_word() % 5, to = random_word() % 5, from = random_word() % (k + 1);
		unsigned last = random_word() % 5, w;
		bool sign = random_word() & 1, again = random_word() & 1;
		u128 x = random_operand(ir_type_bits(types[k])), want;
		struct ir_region region;
		struct ir_builder b;
		ir_ref ref;

		from = from > to ? to : from;
		w = ir_type_bits(types[from]);
		put(3 * k, x);
		arena_reset(&arena);
		ir_build_begin(&b, &region, &arena, &slots, 0, 0);
		ref = k < 4 && i % 3 == 0 ? ir_const(&b, types[k], (uint64_t)x) : ir_get(&b, 3 * k);
		ref = (sign ? ir_sext : ir_zext)(&b, types[to], types[from], ref);
		want = extended(x, w, sign) & mask(ir_type_bits(types[to]));
		if (last <= to) {
			ref = ir_trunc(&b, types[last], ref);
			want &= mask(ir_type_bits(types[last]));
			to = last;
		}
		from = random_word() % (to + 1);
		ref = (again ? ir_sext : ir_zext)(&b, types[to], types[from], ref);
		want = extended(want, ir_type_bits(types[from]), again) & mask(ir_type_bits(types[to]));
		ir_set(&b, 3 * to + 1, ref);
		ir_exit_jump(&b, 4);
		CHECK(ir_build_end(&b));
		run(&region);
		check_value(got(3 * to + 1), want, sign ? IR_SEXT : IR_ZEXT, w, "extended");
	}
}

/* INSERT, EXTRACT, PAIR, CRC32. */
static void
test_fields(void)
{
	for (unsigned i = 0; i < 4000; i++) {
		unsigned k = random_word() % 5, small = random_word() % (k + 1);
		unsigned w = ir_type_bits(types[k]), n = ir_type_bits(types[small]);
		unsigned at = random_word() % (w - n + 1);
		u128 x = random_operand(w), y = random_operand(n);
		struct ir_region region;
		struct ir_builder b;
		ir_ref pair;

		put(3 * k, x);
		put(3 * small + 1, y);
		arena_reset(&arena);
		ir_build_begin(&b, &region, &arena, &slots, 0, 0);
		ir_set(&b, 3 * k + 2,
		       ir_fold(&b, IR_INSERT, types[k], at, ir_get(&b, 3 * k), ir_get(&b, 3 * small + 1), 0));
		ir_set(&b, 3 * small + 1,
		       ir_fold(&b, IR_EXTRACT, types[small], at, ir_get(&b, 3 * k), 0, 0));
		if (k == 4) {
			pair = ir_emit(&b, IR_PAIR, IR_I128, 0, ir_trunc(&b, IR_I64, ir_get(&b, 12)),
				       ir_fold(&b, IR_EXTRACT, IR_I64, 64, ir_get(&b, 12), 0, 0), 0);
			ir_set(&b, 12, pair);
			ir_set(&b, 9, ir_fold(&b, IR_EXTRACT, IR_I64, 64, pair, 0, 0));
		}
		ir_exit_jump(&b, 4);
		CHECK(ir_build_end(&b));
		run(&region);
		check_value(got(3 * k + 2), (x & ~(mask(n) << at)) | y << at, IR_INSERT, w, "field");
		check_value(got(3 * small + 1), x >> at & mask(n), IR_EXTRACT, n, "field");
		if (k == 4)
			check_value(got(12), x, IR_PAIR, w, "halves");
	}
}

static void
test_crc(void)
{
	static const char text[] = "123456789";

	for (unsigned castagnoli = 0; castagnoli < 2; castagnoli++) {
		struct ir_region region;
		struct ir_builder b;
		ir_ref crc;

		arena_reset(&arena);
		ir_build_begin(&b, &region, &arena, &slots, 0, 0);
		crc = ir_get(&b, 6);
		crc = ir_emit(&b, IR_CRC32, IR_I32, castagnoli, crc, ir_get(&b, 9), 0);
		crc = ir_emit(&b, IR_CRC32, IR_I32, castagnoli, crc, ir_get(&b, 0), 0);
		ir_set(&b, 6, ir_unary(&b, IR_NOT, crc));
		ir_exit_jump(&b, 4);
		CHECK(ir_build_end(&b));
		put(6, 0xffffffff);
		memcpy(frame.guest + slot_list[9].offset, text, 8);
		put(0, (uint8_t)text[8]);
		run(&region);
		/* The check values that the CRC catalogues give. */
		CHECK_INT(got(6), castagnoli ? 0xe3069283 : 0xcbf43926);
	}
}

/* ---- flags -------------------------------------------------------------- */

#if defined(__x86_64__)
/* The host's own flags as enum ir_flag bits. in: carry before. */
#define HOST_FLAGS(TYPE, INSN, x, y, in)                                                \
	do {                                                                                   \
		TYPE x_ = (TYPE)(x), y_ = (TYPE)(y);                                           \
		__asm__ volatile("bt $0, %k3; " INSN " %2, %0; pushfq; popq %1"                \
				 : "+&r"(x_), "=&r"(flags)                                     \
				 : "r"(y_), "r"((uint64_t)(in))                                \
				 : "cc", "memory");                                            \
	} while (0)

static uint64_t
host_flags(enum ir_op op, unsigned w, uint64_t x, uint64_t y, bool in)
{
	uint64_t flags = 0;

#define BY_WIDTH(INSN)                                                      \
	switch (w) {                                                        \
	case 8: HOST_FLAGS(uint8_t, INSN "b", x, y, in); break;          \
	case 16: HOST_FLAGS(uint16_t, INSN "w", x, y, in); break;        \
	case 32: HOST_FLAGS(uint32_t, INSN "l", x, y, in); break;        \
	case 64: HOST_FLAGS(uint64_t, INSN "q", x, y, in); break;        \
	}
	switch ((int)op) {
	case IR_FLAGS_ADD: BY_WIDTH("add"); break;
	case IR_FLAGS_SUB: BY_WIDTH("sub"); break;
	case IR_FLAGS_ADC: BY_WIDTH("adc"); break;
	case IR_FLAGS_SBC: BY_WIDTH("sbb"); break;
	case IR_FLAGS_LOGIC: BY_WIDTH("and"); flags &= ~(uint64_t)16; break;
	}
	return (flags >> 7 & 1 ? IR_FLAG_N : 0) | (flags >> 6 & 1 ? IR_FLAG_Z : 0) |
	       (flags & 1 ? IR_FLAG_C : 0) | (flags >> 11 & 1 ? IR_FLAG_V : 0) |
	       (flags >> 2 & 1 ? IR_FLAG_P : 0) | (flags >> 4 & 1 ? IR_FLAG_A : 0);
}

/* The sum or difference that goes with ADC and SBC is in slot 3k+2. */
static void
test_flags_of(enum ir_op op, unsigned k, unsigned carry)
{
	bool logic = op == IR_FLAGS_LOGIC, minus = op == IR_FLAGS_SUB || op == IR_FLAGS_SBC;
	enum ir_op sum = op == IR_FLAGS_SBC ? IR_SBC : IR_ADC;
	unsigned w = ir_type_bits(types[k]);
	struct ir_region region;
	struct ir_builder b;
	ir_ref x, y, flags, in;

	arena_reset(&arena);
	ir_build_begin(&b, &region, &arena, &slots, 0, 0);
	x = ir_get(&b, 3 * k);
	y = ir_get(&b, 3 * k + 1);
	in = ir_get(&b, 15);
	flags = ir_emit(&b, op, IR_FLAGS, carry, logic ? ir_binary(&b, IR_AND, x, y) : x, logic ? 0 : y,
			op == IR_FLAGS_ADC || op == IR_FLAGS_SBC ? in : 0);
	ir_set(&b, 3 * k + 2, ir_emit(&b, sum, types[k], carry, x, y, in));
	ir_set(&b, 15, flags);
	ir_set(&b, 9, ir_emit(&b, IR_FLAGS_BITS, IR_I64, 0, flags, 0, 0));
	ir_set(&b, 10, ir_emit(&b, IR_COND, IR_I64, IR_ULT, flags, 0, 0));
	ir_set(&b, 11, ir_emit(&b, IR_COND, IR_I64, IR_SLE, flags, 0, 0));
	ir_exit_jump(&b, 4);
	CHECK(ir_build_end(&b));
	for (unsigned i = 0; i < 100; i++) {
		u128 p = random_operand(w), q = i % 8 ? random_operand(w) : p;
		bool taken = random_word() & 1; /* a carry or a borrow comes in */
		uint64_t want = host_flags(op, w, (uint64_t)p, (uint64_t)q, taken);

		put(3 * k, p);
		put(3 * k + 1, q);
		frame.guest[slot_list[15].offset] =
			(minus && carry == IR_CARRY_NOT_BORROW ? !taken : taken) ? IR_FLAG_C : 0;
		if (minus && carry == IR_CARRY_NOT_BORROW)
			want ^= IR_FLAG_C;
		if (carry == IR_CARRY_NOT_BORROW)
			want &= IR_FLAG_N | IR_FLAG_Z | IR_FLAG_C | IR_FLAG_V;
		run(&region);
		CHECK_INT(got(9), want);
		if (op == IR_FLAGS_SUB) {
			CHECK_INT(got(10), less(p, q, w, false));
			CHECK_INT(got(11), !less(q, p, w, true));
		}
		if ((op == IR_FLAGS_ADC || op == IR_FLAGS_SBC) && k != 3)
			check_value(got(3 * k + 2), (op == IR_FLAGS_SBC ? p - q - taken : p + q + taken) & mask(w),
				    sum, w, "with carry");
	}
}

static void
test_flags(void)
{
	for (unsigned k = 0; k < 4; k++)
		for (enum ir_op op = IR_FLAGS_ADD; op <= IR_FLAGS_LOGIC; op++)
			for (unsigned carry = 0; carry < 2; carry++)
				test_flags_of(op, k, carry);
}
#else
static void
test_flags(void)
{
}
#endif

/* PACK, MERGE, SELECT, and every condition over all flag values. */
static void
test_conditions(void)
{
	for (unsigned f = 0; f < 128; f++) {
		bool n = f & 1, z = f & 2, c = f & 4, v = f & 8, p = f & 16, below = f & 64 ? !c : c;
		bool want[] = { z, !z, n != v, z || n != v, !z && n == v, n == v, below, below || z,
				!below && !z, !below, n, !n, v, !v, c, !c, p, !p };
		struct ir_region region;
		struct ir_builder b;
		ir_ref bits, flags, packed, sum;

		arena_reset(&arena);
		ir_build_begin(&b, &region, &arena, &slots, 0, 0);
		flags = ir_get(&b, 15);
		bits = ir_get(&b, 9);
		packed = ir_emit(&b, IR_FLAGS_PACK, IR_FLAGS, f >> 6, bits, 0, 0);
		sum = ir_const(&b, IR_I64, 0);
		for (unsigned cond = 0; cond < ARRAY_LEN(want); cond++) {
			ir_ref holds = ir_emit(&b, IR_COND, IR_I64, cond, cond & 1 ? flags : packed, 0, 0);

			sum = ir_binary(&b, IR_OR, sum, ir_binary(&b, IR_SHL, holds, ir_const(&b, IR_I64, cond)));
		}
		ir_set(&b, 10, sum);
		packed = ir_emit(&b, IR_FLAGS_MERGE, IR_FLAGS, IR_FLAG_C, packed,
				 ir_emit(&b, IR_FLAGS_LOGIC, IR_FLAGS, 0, bits, 0, 0), 0);
		packed = ir_emit(&b, IR_FLAGS_SELECT, IR_FLAGS, 0, bits, packed, flags);
		ir_set(&b, 15, packed);
		ir_exit_jump(&b, 4);
		CHECK(ir_build_end(&b));
		frame.guest[slot_list[15].offset] = (uint8_t)f;
		put(9, f & 63);
		run(&region);
		for (unsigned cond = 0; cond < ARRAY_LEN(want); cond++)
			CHECK_INT(got(10) >> cond & 1, want[cond]);
		CHECK_INT(frame.guest[slot_list[15].offset],
			  f & 63 ? f & ~(unsigned)(IR_FLAG_C | IR_FLAG_C_NOT_BORROW) : f);
	}
}

int
main(void)
{
	make_slots();
	test_ops();
	for (unsigned k = 0; k < ARRAY_LEN(types); k++)
		for (enum ir_cond cond = IR_EQ; cond <= IR_UGE; cond++)
			test_compare(k, cond);
	test_widths();
	test_fields();
	test_crc();
	test_flags();
	test_conditions();
	arena_fini(&arena);
	arena_fini(&values);
	return check_done();
}

/* Works out flags that generated code left in the frame as operands. Integers
 * only: generated code's floating-point state is live around it. */
#include "codegen/x86_64/gen.h"

#include "codegen/x86_64/flags.h"

/* LAHF's bits. */
enum { AH_CF = 1, AH_PF = 4, AH_AF = 16, AH_ZF = 64, AH_SF = 128 };

static uint64_t
mask_of(unsigned bytes)
{
	return UINT64_MAX >> (64 - 8 * bytes);
}

/* enum ir_flag bits of a sum or difference r of a and b; carry: C as it is to
 * be stored. */
static unsigned
flags_of(uint64_t r, unsigned bytes, bool carry, bool overflow, bool adjust, bool not_borrow)
{
	unsigned f = not_borrow ? IR_FLAG_C_NOT_BORROW : 0;

	r &= mask_of(bytes);
	f |= r >> (8 * bytes - 1) ? IR_FLAG_N : 0;
	f |= r ? 0 : IR_FLAG_Z;
	f |= carry ? IR_FLAG_C : 0;
	f |= overflow ? IR_FLAG_V : 0;
	if (not_borrow)
		return f;
	f |= __builtin_parity((unsigned)r & 0xff) ? 0 : IR_FLAG_P;
	return f | (adjust ? IR_FLAG_A : 0);
}

static unsigned
arithmetic(const struct ir_frame *frame, uint32_t word)
{
	unsigned bytes = 1u << (word >> 6 & 3), form = word >> 4 & 3, top = 8 * bytes - 1;
	bool minus = (word & 15) == FLAGS_OF_SUB, not_borrow = word >> 8 & 1, carry, overflow;
	uint64_t a = frame->flags_a, b = frame->flags_b, r = frame->flags_r;

	if (form == FLAGS_RB)
		a = minus ? r + b : r - b;
	else if (form == FLAGS_RA)
		b = minus ? a - r : r - a;
	a &= mask_of(bytes);
	b &= mask_of(bytes);
	r = (minus ? a - b : a + b) & mask_of(bytes);
	carry = minus ? (a < b) != not_borrow : r < a;
	overflow = (minus ? (a ^ b) & (a ^ r) : (a ^ r) & (b ^ r)) >> top & 1;
	return flags_of(r, bytes, carry, overflow, (a ^ b ^ r) & 16, not_borrow);
}

static unsigned
host(uint64_t ax, bool minus, bool not_borrow)
{
	unsigned ah = (unsigned)ax >> 8, f = not_borrow ? IR_FLAG_C_NOT_BORROW : 0;

	f |= ah & AH_SF ? IR_FLAG_N : 0;
	f |= ah & AH_ZF ? IR_FLAG_Z : 0;
	f |= ((ah & AH_CF) != 0) != (minus && not_borrow) ? IR_FLAG_C : 0;
	f |= ax & 1 ? IR_FLAG_V : 0;
	if (not_borrow)
		return f;
	return f | (ah & AH_PF ? IR_FLAG_P : 0) | (ah & AH_AF ? IR_FLAG_A : 0);
}

/* A float's bits as an integer that orders as floats do; zeros are equal. */
static int64_t
ordered(uint64_t x, unsigned bytes)
{
	int64_t s = bytes == 8 ? (int64_t)x : (int64_t)(int32_t)x;

	return s >= 0 ? s : (bytes == 8 ? INT64_MIN : (int64_t)INT32_MIN) - s;
}

static unsigned
compare(uint64_t a, uint64_t b, unsigned bytes)
{
	uint64_t magnitude = mask_of(bytes) >> 1, infinity = bytes == 8 ? 0x7ff0000000000000 : 0x7f800000;
	unsigned f = IR_FLAG_C_NOT_BORROW;

	if ((a & magnitude) > infinity || (b & magnitude) > infinity)
		return f | IR_FLAG_C | IR_FLAG_V;
	if (ordered(a, bytes) == ordered(b, bytes))
		return f | IR_FLAG_Z | IR_FLAG_C;
	return f | (ordered(a, bytes) < ordered(b, bytes) ? IR_FLAG_N : IR_FLAG_C);
}

unsigned
x86_frame_flags(const struct ir_frame *frame)
{
	uint32_t word = frame->flags_op;
	bool not_borrow = word >> 8 & 1;

	if (word & FLAGS_WORD_SELECT && !(frame->flags_m & 1))
		return word >> 16 & 127;
	switch ((enum flags_kind)(word & 15)) {
	case FLAGS_IN_SLOT:
		break;
	case FLAGS_OF_ADD:
	case FLAGS_OF_SUB:
		return arithmetic(frame, word);
	case FLAGS_OF_LOGIC:
		return flags_of(frame->flags_r, 1u << (word >> 6 & 3), false, false, false, not_borrow);
	case FLAGS_OF_FCMP:
		return compare(frame->flags_a, frame->flags_b, 1u << (word >> 6 & 3));
	case FLAGS_HOST_ADD:
	case FLAGS_HOST_SUB:
		return host(frame->flags_r, (word & 15) == FLAGS_HOST_SUB, not_borrow);
	case FLAGS_CONSTANT:
		return word >> 16 & 127;
	}
	return 0;
}

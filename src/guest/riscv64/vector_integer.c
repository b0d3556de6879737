/* Kernels of integer operations ("Vector Integer Arithmetic Instructions"). Operands
 * come extended as the row says; what is above the width of a result is cut. */
#include "guest/riscv64/vector.h"

#define KERNEL(name, expression) \
	uint64_t kernel_##name(struct vector *v, uint64_t a, uint64_t b, uint64_t d) \
	{ \
		(void)v, (void)a, (void)b, (void)d; \
		return (uint64_t)(expression); \
	}

KERNEL(first, a)
KERNEL(second, b)
KERNEL(add, a + b)
KERNEL(sub, a - b)
KERNEL(rsub, b - a)
KERNEL(and, a & b)
KERNEL(or, a | b)
KERNEL(xor, a ^ b)
KERNEL(andn, a & ~b)
KERNEL(orn, a | ~b)
KERNEL(nand, ~(a & b))
KERNEL(nor, ~(a | b))
KERNEL(xnor, ~(a ^ b))

KERNEL(minimum_unsigned, a < b ? a : b)
KERNEL(maximum_unsigned, a > b ? a : b)
KERNEL(minimum, (int64_t)a < (int64_t)b ? a : b)
KERNEL(maximum, (int64_t)a > (int64_t)b ? a : b)

KERNEL(equal, a == b)
KERNEL(unequal, a != b)
KERNEL(less_unsigned, a < b)
KERNEL(less, (int64_t)a < (int64_t)b)
KERNEL(less_equal_unsigned, a <= b)
KERNEL(less_equal, (int64_t)a <= (int64_t)b)
KERNEL(greater_unsigned, a > b)
KERNEL(greater, (int64_t)a > (int64_t)b)

/* By as many bits as the shifted operand's width is large: its low bits count. */
KERNEL(shift_left, a << (b & (v->a_width - 1)))
KERNEL(shift_right, a >> (b & (v->a_width - 1)))
KERNEL(shift_right_signed, (int64_t)a >> (b & (v->a_width - 1)))

KERNEL(add_carry, a + b + v->mask_bit)
KERNEL(carry_out, ((u128)a + b + v->mask_bit) >> v->a_width)
KERNEL(subtract_borrow, a - b - v->mask_bit)
KERNEL(borrow_out, (u128)a < (u128)b + v->mask_bit)
KERNEL(merge, v->mask_bit ? b : a)

KERNEL(multiply, a *b)
KERNEL(multiply_high_unsigned, ((u128)a * b) >> v->a_width)
KERNEL(multiply_high, ((s128)(int64_t)a * (int64_t)b) >> v->a_width)
KERNEL(multiply_high_mixed, ((s128)(int64_t)a * (s128)b) >> v->a_width)
KERNEL(multiply_add, a *b + d)
KERNEL(multiply_subtract, d - a * b)
KERNEL(multiply_destination_add, d *b + a)
KERNEL(multiply_destination_subtract, a - d * b)

/* Division by zero and overflow as in M. */
KERNEL(divide_unsigned, b ? a / b : UINT64_MAX)
KERNEL(remainder_unsigned, b ? a % b : a)
KERNEL(divide, !b ? UINT64_MAX : b == UINT64_MAX ? -a : (uint64_t)((int64_t)a / (int64_t)b))
KERNEL(remainder, !b ? a : b == UINT64_MAX ? 0 : (uint64_t)((int64_t)a % (int64_t)b))

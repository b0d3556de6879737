/* Kernels of fixed-point operations ("Vector Fixed-Point Arithmetic Instructions"):
 * saturation sets vxsat, vxrm rounds. */
#include "guest/riscv64/vector.h"

#define KERNEL(name) uint64_t kernel_##name(struct vector *v, uint64_t a, uint64_t b, uint64_t d)

enum vxrm { RNU, RNE, RDN, ROD };

/* What is added to x >> by for what was shifted out. */
static unsigned
increment(const struct vector *v, u128 x, unsigned by)
{
	unsigned half, below, lowest = (unsigned)(x >> by) & 1;

	if (!by)
		return 0;
	half = (unsigned)(x >> (by - 1)) & 1;
	below = (x & (((u128)1 << (by - 1)) - 1)) != 0;
	switch ((enum vxrm)v->s->vxrm) {
	case RNU:
		return half;
	case RNE:
		return half & (below | lowest);
	case RDN:
		return 0;
	case ROD:
		return ~lowest & (half | below) & 1;
	}
	return 0;
}

static u128
shift_unsigned(const struct vector *v, u128 x, unsigned by)
{
	return (x >> by) + increment(v, x, by);
}

static s128
shift_signed(const struct vector *v, s128 x, unsigned by)
{
	return (x >> by) + (s128)increment(v, (u128)x, by);
}

static uint64_t
saturate(struct vector *v, s128 x)
{
	s128 most = ((s128)1 << (v->d_width - 1)) - 1, least = -most - 1;

	if (x <= most && x >= least)
		return (uint64_t)x;
	v->s->vxsat = 1;
	return (uint64_t)(x > most ? most : least);
}

static uint64_t
saturate_unsigned(struct vector *v, s128 x)
{
	s128 most = ((s128)1 << v->d_width) - 1;

	if (x <= most && x >= 0)
		return (uint64_t)x;
	v->s->vxsat = 1;
	return x < 0 ? 0 : (uint64_t)most;
}

KERNEL(add_saturate_unsigned)
{
	(void)d;
	return saturate_unsigned(v, (s128)a + (s128)b);
}

KERNEL(add_saturate)
{
	(void)d;
	return saturate(v, (s128)(int64_t)a + (int64_t)b);
}

KERNEL(subtract_saturate_unsigned)
{
	(void)d;
	return saturate_unsigned(v, (s128)a - (s128)b);
}

KERNEL(subtract_saturate)
{
	(void)d;
	return saturate(v, (s128)(int64_t)a - (int64_t)b);
}

KERNEL(multiply_fraction)
{
	(void)d;
	return saturate(v, shift_signed(v, (s128)(int64_t)a * (int64_t)b, v->a_width - 1));
}

KERNEL(add_average_unsigned)
{
	(void)d;
	return (uint64_t)shift_unsigned(v, (u128)a + b, 1);
}

KERNEL(add_average)
{
	(void)d;
	return (uint64_t)shift_signed(v, (s128)(int64_t)a + (int64_t)b, 1);
}

KERNEL(subtract_average_unsigned)
{
	(void)d;
	return (uint64_t)shift_signed(v, (s128)a - (s128)b, 1);
}

KERNEL(subtract_average)
{
	(void)d;
	return (uint64_t)shift_signed(v, (s128)(int64_t)a - (int64_t)b, 1);
}

KERNEL(shift_right_round)
{
	(void)d;
	return (uint64_t)shift_unsigned(v, a, b & (v->a_width - 1));
}

KERNEL(shift_right_round_signed)
{
	(void)d;
	return (uint64_t)shift_signed(v, (int64_t)a, b & (v->a_width - 1));
}

KERNEL(clip_unsigned)
{
	(void)d;
	return saturate_unsigned(v, (s128)shift_unsigned(v, a, b & (v->a_width - 1)));
}

KERNEL(clip)
{
	(void)d;
	return saturate(v, shift_signed(v, (int64_t)a, b & (v->a_width - 1)));
}

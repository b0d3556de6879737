/* Which vector instructions are illegal under the vtype at hand: "Vector Operands",
 * "Vector Register Grouping" and what the sections on each operation add. */
#include "guest/riscv64/vector.h"

/* A group as an operand; width 0: there is none. */
struct group {
	unsigned reg;
	int lmul;
	unsigned width; /* bits of an element; 1: a mask */
};

static unsigned
registers(int lmul)
{
	return lmul > 0 ? 1u << lmul : 1;
}

static bool
overlap(unsigned a, int a_lmul, unsigned b, int b_lmul)
{
	return a < b + registers(b_lmul) && b < a + registers(a_lmul);
}

bool
vector_aligned(unsigned reg, int lmul)
{
	return !(reg & (registers(lmul) - 1));
}

/* The same width; or a narrower destination over the lowest part of the source; or a
 * wider one whose highest part the source, of whole registers, is. */
bool
vector_overlap_allowed(unsigned d, int d_lmul, unsigned d_width, unsigned s, int s_lmul, unsigned s_width)
{
	if (!overlap(d, d_lmul, s, s_lmul) || d_width == s_width)
		return true;
	if (d_width < s_width)
		return d == s;
	return s_lmul >= 0 && s + registers(s_lmul) == d + registers(d_lmul);
}

bool
vector_sources_clash(unsigned a, int a_lmul, unsigned a_width, unsigned b, int b_lmul, unsigned b_width)
{
	return a_width != b_width && overlap(a, a_lmul, b, b_lmul);
}

/* ---- operands by shape --------------------------------------------------- */

static bool
twice(struct group *g)
{
	g->width *= 2;
	g->lmul++;
	return g->width <= 64 && g->lmul <= 3;
}

static bool
part(struct group *g, int log)
{
	g->width >>= log;
	g->lmul -= log;
	return g->width >= 8 && g->lmul >= -3;
}

static void
single(struct group *g)
{
	g->lmul = 0;
}

static void
mask(struct group *g)
{
	g->lmul = 0;
	g->width = 1;
}

/* d, a and b come as groups of SEW and LMUL. False: widths or sizes that are not. */
static bool
shape_groups(enum vector_shape shape, struct group *d, struct group *a, struct group *b)
{
	switch (shape) {
	case VECTOR_SAME:
	case VECTOR_SLIDE_UP:
	case VECTOR_GATHER:
	case VECTOR_INDEX:
		return true;
	case VECTOR_WIDE:
	case VECTOR_WIDE_TERNARY:
		return twice(d);
	case VECTOR_WIDE_FIRST:
		return twice(d) && twice(a);
	case VECTOR_NARROW:
		return twice(a);
	case VECTOR_COMPARE:
		mask(d);
		return true;
	case VECTOR_HALF:
		return part(a, 1);
	case VECTOR_QUARTER:
		return part(a, 2);
	case VECTOR_EIGHTH:
		return part(a, 3);
	case VECTOR_REDUCE:
		single(d);
		single(b);
		return true;
	case VECTOR_REDUCE_WIDE:
		single(d);
		single(b);
		d->width *= 2;
		b->width *= 2;
		return d->width <= 64;
	case VECTOR_GATHER_16:
		b->lmul += 1 - vector_log(b->width);
		b->width = 16;
		return b->lmul >= -3 && b->lmul <= 3;
	case VECTOR_COMPRESS:
		mask(b);
		return true;
	case VECTOR_MASKS:
	case VECTOR_MASKS_APART:
		mask(d);
		mask(a);
		mask(b);
		return true;
	case VECTOR_FROM_MASK:
		mask(a);
		return true;
	case VECTOR_MASK_SCALAR:
		mask(a);
		return true;
	case VECTOR_SCALAR:
	case VECTOR_WHOLE:
	case VECTOR_MEMORY:
		return true;
	}
	return false;
}

/* ---- rules ---------------------------------------------------------------- */

static bool
is_float_width(unsigned width)
{
	return width == 32 || width == 64;
}

/* The rounding mode must be valid even where nothing is rounded ("Vector
 * Floating-Point Instructions"). */
static bool
float_legal(const struct vector *v, const struct group *d, const struct group *a)
{
	unsigned flags = v->row->flags;

	if (v->frame->fp_round > IR_RMM)
		return false;
	if (flags & VECTOR_FROM_INT)
		return is_float_width(d->width);
	if (flags & VECTOR_TO_INT)
		return is_float_width(a->width);
	return is_float_width(v->sew) && (d->width <= v->sew || is_float_width(d->width));
}

/* A masked instruction reads v0 with elements of one bit, and writes over it only if
 * it makes a mask, or one element. */
static bool
mask_legal(const struct vector *v, const struct group *d, const struct group *a, const struct group *b)
{
	enum vector_shape shape = (enum vector_shape)v->row->shape;

	if (a->width && vector_sources_clash(a->reg, a->lmul, a->width, 0, 0, 1))
		return false;
	if (b->width && vector_sources_clash(b->reg, b->lmul, b->width, 0, 0, 1))
		return false;
	if (!d->width || d->width == 1 || shape == VECTOR_REDUCE || shape == VECTOR_REDUCE_WIDE)
		return shape != VECTOR_MASKS_APART || d->reg;
	return d->reg != 0;
}

static bool
apart(const struct group *d, const struct group *s)
{
	return !overlap(d->reg, d->lmul, s->reg, s->lmul);
}

static bool
shape_legal(enum vector_shape shape, const struct group *d, const struct group *a, const struct group *b)
{
	switch (shape) {
	case VECTOR_GATHER:
	case VECTOR_GATHER_16:
	case VECTOR_COMPRESS:
		return apart(d, a) && (!b->width || apart(d, b));
	case VECTOR_SLIDE_UP:
	case VECTOR_MASKS_APART:
	case VECTOR_FROM_MASK:
		return apart(d, a);
	case VECTOR_WIDE_TERNARY: /* the destination is read too, with its own width */
		return apart(d, a) && (!b->width || apart(d, b));
	default:
		return true;
	}
}

static bool
groups_legal(const struct vector *v, const struct group *d, const struct group *a, const struct group *b)
{
	enum vector_shape shape = (enum vector_shape)v->row->shape;
	bool reduces = shape == VECTOR_REDUCE || shape == VECTOR_REDUCE_WIDE;

	if (d->width && !vector_aligned(d->reg, d->lmul))
		return false;
	if ((a->width && !vector_aligned(a->reg, a->lmul)) || (b->width && !vector_aligned(b->reg, b->lmul)))
		return false;
	if (a->width && b->width && vector_sources_clash(a->reg, a->lmul, a->width, b->reg, b->lmul, b->width))
		return false;
	if (d->width && !reduces) {
		if (a->width &&
		    !vector_overlap_allowed(d->reg, d->lmul, d->width, a->reg, a->lmul, a->width))
			return false;
		if (b->width &&
		    !vector_overlap_allowed(d->reg, d->lmul, d->width, b->reg, b->lmul, b->width))
			return false;
	}
	if (!shape_legal(shape, d, a, b))
		return false;
	return (v->vm && !(v->row->flags & VECTOR_TAKES_MASK)) || mask_legal(v, d, a, b);
}

static bool
whole_legal(const struct vector *v)
{
	int lmul = v->op == RV_VMV1R_V ? 0 : v->op == RV_VMV2R_V ? 1 : v->op == RV_VMV4R_V ? 2 : 3;

	return vector_aligned(v->vd, lmul) && vector_aligned(v->vs2, lmul);
}

bool
vector_legal(struct vector *v)
{
	const struct vector_row *row = v->row;
	enum vector_shape shape = (enum vector_shape)row->shape;
	struct group d = { v->vd, v->lmul, v->sew }, a = { v->vs2, v->lmul, v->sew }, b = { v->vs1, v->lmul, v->sew };

	if (v->s->vtype & RISCV64_VILL)
		return false;
	if (row->flags & VECTOR_FROM_START && v->s->vstart)
		return false;
	if (shape == VECTOR_WHOLE)
		return whole_legal(v);
	if (!shape_groups(shape, &d, &a, &b))
		return false;
	if (row->flags & VECTOR_FLOAT && !float_legal(v, &d, &a))
		return false;
	v->d_width = d.width;
	v->a_width = a.width;
	v->b_width = b.width;
	if (shape == VECTOR_SCALAR || shape == VECTOR_MASK_SCALAR)
		return true;
	if (row->kind != VECTOR_V)
		b.width = 0;
	if (shape == VECTOR_INDEX || v->op == RV_VMV_V_V || v->op == RV_VMV_V_X || v->op == RV_VMV_V_I ||
	    v->op == RV_VFMV_V_F)
		a.width = 0;
	return groups_legal(v, &d, &a, &b);
}

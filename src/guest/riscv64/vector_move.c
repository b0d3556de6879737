/* Moves between elements ("Vector Permutation Instructions"). */
#include "guest/riscv64/vector.h"

/* Element 0, whatever vl and vstart are. A float is boxed. */
VECTOR_RUN(vector_to_scalar)
{
	uint64_t x = vector_get(v, v->vs2, 0, v->sew);

	if (v->op == RV_VMV_X_S)
		x = vector_signed(x, v->sew);
	else if (v->sew == 32)
		x |= UINT64_C(0xffffffff) << 32;
	v->s->vector_result = x;
	return VECTOR_DONE;
}

VECTOR_RUN(vector_from_scalar)
{
	if (v->s->vstart < v->s->vl)
		vector_put(v, v->vd, 0, v->sew, vector_scalar(v));
	return VECTOR_DONE;
}

/* Element i of the destination, if it is active. */
static void
put(struct vector *v, unsigned i, uint64_t x)
{
	if (vector_active(v, i))
		vector_put(v, v->vd, i, v->sew, x);
}

VECTOR_RUN(vector_slide_up)
{
	uint64_t by = vector_scalar(v);

	for (uint64_t i = v->s->vstart > by ? v->s->vstart : by; i < v->s->vl; i++)
		put(v, (unsigned)i, vector_get(v, v->vs2, (unsigned)(i - by), v->sew));
	return VECTOR_DONE;
}

VECTOR_RUN(vector_slide_down)
{
	uint64_t by = vector_scalar(v), all = vector_vlmax(v);

	for (uint64_t i = v->s->vstart; i < v->s->vl; i++)
		put(v, (unsigned)i, by < all - i ? vector_get(v, v->vs2, (unsigned)(i + by), v->sew) : 0);
	return VECTOR_DONE;
}

VECTOR_RUN(vector_slide1_up)
{
	for (unsigned i = (unsigned)v->s->vstart; i < v->s->vl; i++)
		put(v, i, i ? vector_get(v, v->vs2, i - 1, v->sew) : vector_scalar(v));
	return VECTOR_DONE;
}

VECTOR_RUN(vector_slide1_down)
{
	for (unsigned i = (unsigned)v->s->vstart; i < v->s->vl; i++)
		put(v, i, i + 1 < v->s->vl ? vector_get(v, v->vs2, i + 1, v->sew) : vector_scalar(v));
	return VECTOR_DONE;
}

/* An index that no element has gives 0; it is unsigned, a scalar one whole. */
VECTOR_RUN(vector_gather)
{
	uint64_t all = vector_vlmax(v), index = 0;

	if (v->row->kind != VECTOR_V)
		index = vector_scalar(v);
	for (unsigned i = (unsigned)v->s->vstart; i < v->s->vl; i++) {
		if (v->row->kind == VECTOR_V)
			index = vector_get(v, v->vs1, i, v->b_width);
		put(v, i, index < all ? vector_get(v, v->vs2, (unsigned)index, v->sew) : 0);
	}
	return VECTOR_DONE;
}

VECTOR_RUN(vector_compress)
{
	unsigned to = 0;

	for (unsigned i = 0; i < v->s->vl; i++)
		if (vector_get(v, v->vs1, i, 1))
			vector_put(v, v->vd, to++, v->sew, vector_get(v, v->vs2, i, v->sew));
	return VECTOR_DONE;
}

/* Elements from vstart on, whatever vl is. */
VECTOR_RUN(vector_copy_whole)
{
	unsigned registers = v->op == RV_VMV1R_V ? 1 : v->op == RV_VMV2R_V ? 2 : v->op == RV_VMV4R_V ? 4 : 8;
	size_t from = (size_t)v->s->vstart * v->sew / 8, size = registers * v->s->vlenb;

	if (from < size)
		memmove(vector_bytes(v, v->vd) + from, vector_bytes(v, v->vs2) + from, size - from);
	return VECTOR_DONE;
}

/* Elementwise vector operations: the loop around the kernels. */
#include "guest/riscv64/vector.h"

static uint64_t
element(const struct vector *v, unsigned reg, unsigned i, unsigned width, unsigned is_signed)
{
	uint64_t x = vector_get(v, reg, i, width);

	return is_signed ? vector_signed(x, width) : x;
}

VECTOR_RUN(vector_elements)
{
	const struct vector_row *row = v->row;
	bool takes_mask = row->flags & (VECTOR_TAKES_MASK | VECTOR_CARRIES), all = v->vm || takes_mask;
	unsigned a_signed = row->flags & VECTOR_A_SIGNED, b_signed = row->flags & VECTOR_B_SIGNED;
	unsigned end = (unsigned)v->s->vl;
	uint64_t b = 0, d = 0;

	if (row->kind != VECTOR_NONE && row->kind != VECTOR_V) {
		b = vector_cut(vector_scalar(v), v->b_width);
		if (b_signed)
			b = vector_signed(b, v->b_width);
	}
	if (vector_chunks(v, b))
		return VECTOR_DONE;
	for (unsigned i = (unsigned)v->s->vstart; i < end; i++) {
		uint64_t a;

		if (!all && !vector_active(v, i))
			continue;
		if (takes_mask)
			v->mask_bit = (row->flags & VECTOR_CARRIES && v->vm) ? 0 : vector_get(v, 0, i, 1);
		a = element(v, v->vs2, i, v->a_width, a_signed);
		if (row->kind == VECTOR_V)
			b = element(v, v->vs1, i, v->b_width, b_signed);
		if (row->flags & VECTOR_TERNARY)
			d = vector_get(v, v->vd, i, v->d_width);
		vector_put(v, v->vd, i, v->d_width, row->kernel(v, a, b, d));
	}
	return VECTOR_DONE;
}

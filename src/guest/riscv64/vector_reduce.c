/* Reductions: the active elements of vs2 and element 0 of vs1 become element 0 of vd.
 * All go in order, sums of floats too, which the manual leaves open for vfredusum. */
#include "guest/riscv64/vector.h"

VECTOR_RUN(vector_reduce)
{
	unsigned end = (unsigned)v->s->vl, flags = v->row->flags;
	uint64_t sum = vector_get(v, v->vs1, 0, v->b_width);

	if (!end)
		return VECTOR_DONE;
	if (flags & VECTOR_B_SIGNED)
		sum = vector_signed(sum, v->b_width);
	for (unsigned i = 0; i < end; i++) {
		uint64_t a;

		if (!vector_active(v, i))
			continue;
		a = vector_get(v, v->vs2, i, v->a_width);
		if (flags & VECTOR_A_SIGNED)
			a = vector_signed(a, v->a_width);
		sum = v->row->kernel(v, a, sum, 0);
	}
	vector_put(v, v->vd, 0, v->d_width, sum);
	return VECTOR_DONE;
}

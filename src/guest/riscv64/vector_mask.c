/* Operations on masks ("Vector Mask Instructions"). */
#include "guest/riscv64/vector.h"

VECTOR_RUN(vector_mask_logic)
{
	unsigned end = (unsigned)v->s->vl;

	for (unsigned i = (unsigned)v->s->vstart; i < end; i++)
		vector_put(v, v->vd, i, 1, v->row->kernel(v, vector_get(v, v->vs2, i, 1), vector_get(v, v->vs1, i, 1), 0));
	return VECTOR_DONE;
}

VECTOR_RUN(vector_mask_count)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < v->s->vl; i++)
		count += vector_active(v, i) && vector_get(v, v->vs2, i, 1);
	v->s->vector_result = count;
	return VECTOR_DONE;
}

VECTOR_RUN(vector_mask_first)
{
	v->s->vector_result = UINT64_MAX;
	for (unsigned i = 0; i < v->s->vl; i++)
		if (vector_active(v, i) && vector_get(v, v->vs2, i, 1)) {
			v->s->vector_result = i;
			break;
		}
	return VECTOR_DONE;
}

/* Before, including, only: the first element that is set. */
VECTOR_RUN(vector_mask_set)
{
	bool found = false;

	for (unsigned i = 0; i < v->s->vl; i++) {
		bool here, result;

		if (!vector_active(v, i))
			continue;
		here = !found && vector_get(v, v->vs2, i, 1);
		if (v->op == RV_VMSOF_M)
			result = here;
		else
			result = !found && (!here || v->op == RV_VMSIF_M);
		found |= here;
		vector_put(v, v->vd, i, 1, result);
	}
	return VECTOR_DONE;
}

VECTOR_RUN(vector_iota)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < v->s->vl; i++) {
		if (!vector_active(v, i))
			continue;
		vector_put(v, v->vd, i, v->d_width, count);
		count += vector_get(v, v->vs2, i, 1);
	}
	return VECTOR_DONE;
}

VECTOR_RUN(vector_id)
{
	for (unsigned i = (unsigned)v->s->vstart; i < v->s->vl; i++)
		if (vector_active(v, i))
			vector_put(v, v->vd, i, v->d_width, i);
	return VECTOR_DONE;
}

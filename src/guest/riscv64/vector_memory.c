/* Vector loads and stores ("Vector Loads and Stores"), of process VMs: guest memory
 * is at guest_base, and the host finds faults (ir_frame.guard).
 *
 * Elements go in order, and vstart follows them, so that it names the one that
 * faulted; of a segment, fields before the one that faulted may have been done.
 */
#include "guest/riscv64/vector.h"

#include "host/recover.h"

#define PAGE 4096u

enum mode { UNIT, STRIDED, INDEXED, WHOLE, MASK, FAULT_FIRST };

/* What an operation is, but for what its fields say. */
struct form {
	uint8_t mode;  /* enum mode */
	uint8_t width; /* in the instruction: of data; of indices */
	bool store;
};

#define FORMS(op, mode, store) \
	case RV_##op##8: return (struct form){ mode, 8, store }; \
	case RV_##op##16: return (struct form){ mode, 16, store }; \
	case RV_##op##32: return (struct form){ mode, 32, store }; \
	case RV_##op##64: return (struct form){ mode, 64, store };
#define FORMS_FF(op) \
	case RV_##op##8FF: return (struct form){ FAULT_FIRST, 8, false }; \
	case RV_##op##16FF: return (struct form){ FAULT_FIRST, 16, false }; \
	case RV_##op##32FF: return (struct form){ FAULT_FIRST, 32, false }; \
	case RV_##op##64FF: return (struct form){ FAULT_FIRST, 64, false };

static struct form
form_of(enum riscv64_op op)
{
	switch ((unsigned)op) {
	FORMS(VLE, UNIT, false)
	FORMS(VLSEGE, UNIT, false)
	FORMS(VSE, UNIT, true)
	FORMS(VSSEGE, UNIT, true)
	FORMS_FF(VLE)
	FORMS_FF(VLSEGE)
	FORMS(VLSE, STRIDED, false)
	FORMS(VLSSEGE, STRIDED, false)
	FORMS(VSSE, STRIDED, true)
	FORMS(VSSSEGE, STRIDED, true)
	FORMS(VLUXEI, INDEXED, false)
	FORMS(VLOXEI, INDEXED, false)
	FORMS(VLUXSEGEI, INDEXED, false)
	FORMS(VLOXSEGEI, INDEXED, false)
	FORMS(VSUXEI, INDEXED, true)
	FORMS(VSOXEI, INDEXED, true)
	FORMS(VSUXSEGEI, INDEXED, true)
	FORMS(VSOXSEGEI, INDEXED, true)
	FORMS(VL1RE, WHOLE, false)
	FORMS(VL2RE, WHOLE, false)
	FORMS(VL4RE, WHOLE, false)
	FORMS(VL8RE, WHOLE, false)
	case RV_VS1R:
	case RV_VS2R:
	case RV_VS4R:
	case RV_VS8R:
		return (struct form){ WHOLE, 8, true };
	case RV_VLM:
		return (struct form){ MASK, 8, false };
	}
	return (struct form){ MASK, 8, true };
}

/* An access in all. */
struct plan {
	struct form form;
	uint8_t *base;      /* host address of rs1's */
	uint64_t stride;    /* between elements, but of INDEXED */
	unsigned width;     /* of data, bits */
	int lmul;           /* of each field's group; log2 */
	unsigned fields;
	unsigned end;       /* elements, without regard to vstart */
};

/* ---- what is legal --------------------------------------------------------- */

static unsigned
registers(int lmul)
{
	return lmul > 0 ? 1u << lmul : 1;
}

/* The log2 of a group's size where elements are not of SEW. */
static int
lmul_of(const struct vector *v, unsigned width)
{
	return vector_log(width) - vector_log(v->sew) + v->lmul;
}

static bool
is_lmul(int lmul)
{
	return lmul >= -3 && lmul <= 3;
}

static bool
fields_fit(const struct vector *v, const struct plan *p)
{
	unsigned all = p->fields * registers(p->lmul);

	return is_lmul(p->lmul) && vector_aligned(v->vd, p->lmul) && all <= 8 && v->vd + all <= 32;
}

/* Indices, and data that are stored, are sources; data that are loaded may overlap the
 * indices as any destination may, those of segments not at all. */
static bool
indices_legal(const struct vector *v, const struct plan *p)
{
	unsigned width = p->form.width, step = registers(p->lmul);
	int lmul = lmul_of(v, width);

	if (!is_lmul(lmul) || !vector_aligned(v->vs2, lmul))
		return false;
	if (!v->vm && vector_sources_clash(v->vs2, lmul, width, 0, 0, 1))
		return false;
	for (unsigned field = 0; field < p->fields; field++) {
		unsigned reg = v->vd + field * step;

		if (p->form.store) {
			if (vector_sources_clash(reg, p->lmul, p->width, v->vs2, lmul, width))
				return false;
		} else if (p->fields > 1) {
			if (vector_sources_clash(reg, p->lmul, 0, v->vs2, lmul, width))
				return false;
		} else if (!vector_overlap_allowed(reg, p->lmul, p->width, v->vs2, lmul, width)) {
			return false;
		}
	}
	return true;
}

static bool
plan_legal(const struct vector *v, const struct plan *p)
{
	if (p->form.mode == WHOLE)
		return !(v->vd & v->nf);
	if (v->s->vtype & RISCV64_VILL)
		return false;
	if (p->form.mode == MASK)
		return true;
	if (!fields_fit(v, p) || (!v->vm && !v->vd))
		return false;
	return p->form.mode != INDEXED || indices_legal(v, p);
}

static struct plan
plan_of(const struct vector *v)
{
	struct plan p = { .form = form_of(v->op), .fields = v->nf + 1u, .end = (unsigned)v->s->vl };

	p.base = (uint8_t *)(uintptr_t)(v->frame->guest_base + v->s->x[v->vs1]);
	p.width = p.form.mode == INDEXED ? v->sew : p.form.width;
	p.stride = (uint64_t)p.width / 8 * p.fields;
	switch ((enum mode)p.form.mode) {
	case UNIT:
	case FAULT_FIRST:
		p.lmul = lmul_of(v, p.width);
		break;
	case STRIDED:
		p.lmul = lmul_of(v, p.width);
		p.stride = v->s->x[v->vs2];
		break;
	case INDEXED:
		p.lmul = v->lmul;
		break;
	case WHOLE:
		p.end = (unsigned)v->s->vlenb * 8 / p.width * p.fields;
		p.fields = 1;
		p.stride = p.width / 8;
		break;
	case MASK:
		p.end = (p.end + 7) / 8;
		break;
	}
	return p;
}

/* ---- doing it --------------------------------------------------------------- */

/* A store over the end of a page writes nothing if either page cannot be written. */
static void
probe(uint8_t *p, unsigned size)
{
	uintptr_t last = (uintptr_t)p + size - 1;

	if (((uintptr_t)p ^ last) & ~(uintptr_t)(PAGE - 1)) {
		(void)__atomic_fetch_or(p, 0, __ATOMIC_RELAXED);
		(void)__atomic_fetch_or((uint8_t *)(last & ~(uintptr_t)(PAGE - 1)), 0, __ATOMIC_RELAXED);
	}
}

/* By one access of its width. */
static void
copy_element(uint8_t *to, const uint8_t *from, unsigned width)
{
	switch (width) {
	case 8:
		*to = *from;
		break;
	case 16:
		memcpy(to, from, 2);
		break;
	case 32:
		memcpy(to, from, 4);
		break;
	case 64:
		memcpy(to, from, 8);
		break;
	}
}

static void
access_elements(struct vector *v, const struct plan *p)
{
	unsigned step = registers(p->lmul), bytes = p->width / 8;
	volatile uint64_t *vstart = &v->s->vstart;
	bool all = v->vm;

	for (unsigned i = (unsigned)*vstart; i < p->end; i++) {
		uint8_t *at = p->base;

		if (!all && !vector_active(v, i))
			continue;
		at += p->form.mode == INDEXED ? vector_get(v, v->vs2, i, p->form.width) : i * p->stride;
		*vstart = i;
		for (unsigned field = 0; field < p->fields; field++, at += bytes) {
			uint8_t *element = vector_bytes(v, v->vd + field * step) + (size_t)i * bytes;

			if (p->form.store) {
				probe(at, bytes);
				copy_element(at, element, p->width);
			} else {
				copy_element(element, at, p->width);
			}
		}
	}
}

/* All bytes of one page, which fault all or not at all. False: it is no such
 * access. */
static bool
access_block(struct vector *v, const struct plan *p)
{
	size_t bytes = p->width / 8, first = (size_t)v->s->vstart * bytes, end = p->end * bytes;
	uint8_t *memory = p->base + first, *reg = vector_bytes(v, v->vd) + first;

	if (!v->vm || p->fields > 1 || p->stride != bytes || p->form.mode == INDEXED || first >= end ||
	    ((uintptr_t)memory ^ (uintptr_t)(memory + (end - first) - 1)) & ~(uintptr_t)(PAGE - 1))
		return false;
	if (!p->form.store) {
		memcpy(reg, memory, end - first);
		return true;
	}
	/* Nothing is written twice: others may see it. */
	for (; end - first >= 8; first += 8, memory += 8, reg += 8)
		memcpy(memory, reg, 8);
	for (; first < end; first += bytes, memory += bytes, reg += bytes)
		memcpy(memory, reg, bytes);
	return true;
}

/* Comes back false after a fault. */
static bool
access(struct vector *v, const struct plan *p)
{
	struct recovery point;

	if (recovery_set(&point)) {
		recovery_landed();
		return false;
	}
	*(const struct recovery *volatile *)&v->frame->guard = &point;
	if (!access_block(v, p))
		access_elements(v, p);
	*(const struct recovery *volatile *)&v->frame->guard = NULL;
	return true;
}

VECTOR_RUN(vector_memory)
{
	struct plan p = plan_of(v);

	if (!plan_legal(v, &p))
		return VECTOR_ILLEGAL;
	if (!access(v, &p)) {
		if (p.form.mode != FAULT_FIRST || !v->s->vstart)
			return VECTOR_FAULT;
		v->s->vl = v->s->vstart;
	}
	v->s->vstart = 0;
	return VECTOR_DONE;
}

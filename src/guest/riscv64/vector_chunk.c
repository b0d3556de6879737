/* The commonest integer operations, 16 bytes at a time: all elements from the first
 * on, none masked off. Groups begin at multiples of 16 bytes and have whole numbers
 * of them; what a last part of 16 bytes has behind vl is put back. */
#include "guest/riscv64/vector.h"

#define CHUNK 16u

typedef uint8_t chunk_8 __attribute__((vector_size(16), may_alias));
typedef uint16_t chunk_16 __attribute__((vector_size(16), may_alias));
typedef uint32_t chunk_32 __attribute__((vector_size(16), may_alias));
typedef uint64_t chunk_64 __attribute__((vector_size(16), may_alias));

/* What the functions below do for one width. */
#define WIDTH(bits) \
	static bool chunk_of_##bits(unsigned op, chunk_##bits *to, chunk_##bits a, chunk_##bits b) \
	{ \
		switch (op) { \
		case RV_VADD_VV: \
		case RV_VADD_VX: \
		case RV_VADD_VI: \
			*to = a + b; \
			return true; \
		case RV_VSUB_VV: \
		case RV_VSUB_VX: \
			*to = a - b; \
			return true; \
		case RV_VRSUB_VX: \
		case RV_VRSUB_VI: \
			*to = b - a; \
			return true; \
		case RV_VAND_VV: \
		case RV_VAND_VX: \
		case RV_VAND_VI: \
			*to = a & b; \
			return true; \
		case RV_VOR_VV: \
		case RV_VOR_VX: \
		case RV_VOR_VI: \
			*to = a | b; \
			return true; \
		case RV_VXOR_VV: \
		case RV_VXOR_VX: \
		case RV_VXOR_VI: \
			*to = a ^ b; \
			return true; \
		case RV_VMUL_VV: \
		case RV_VMUL_VX: \
			*to = a * b; \
			return true; \
		case RV_VMV_V_V: \
		case RV_VMV_V_X: \
		case RV_VMV_V_I: \
			*to = b; \
			return true; \
		} \
		return false; \
	}

WIDTH(8)
WIDTH(16)
WIDTH(32)
WIDTH(64)

static bool
chunk(const struct vector *v, void *to, const void *a, const void *b)
{
	switch (v->sew) {
	case 8:
		return chunk_of_8(v->op, to, *(const chunk_8 *)a, *(const chunk_8 *)b);
	case 16:
		return chunk_of_16(v->op, to, *(const chunk_16 *)a, *(const chunk_16 *)b);
	case 32:
		return chunk_of_32(v->op, to, *(const chunk_32 *)a, *(const chunk_32 *)b);
	}
	return chunk_of_64(v->op, to, *(const chunk_64 *)a, *(const chunk_64 *)b);
}

bool
vector_chunks(struct vector *v, uint64_t scalar)
{
	size_t end = (size_t)v->s->vl * v->sew / 8;
	uint8_t *d = vector_bytes(v, v->vd);
	const uint8_t *a = vector_bytes(v, v->vs2), *b = vector_bytes(v, v->vs1);
	_Alignas(CHUNK) uint8_t constant[CHUNK], last[CHUNK];

	if (v->row->shape != VECTOR_SAME || !v->vm || v->s->vstart)
		return false;
	for (unsigned i = 0; i < CHUNK; i++)
		constant[i] = (uint8_t)(scalar >> (8 * i & (v->sew - 1)));
	for (size_t at = 0; at < end; at += CHUNK) {
		size_t left = end - at;

		if (left < CHUNK)
			memcpy(last, d + at, CHUNK);
		if (!chunk(v, d + at, a + at, v->row->kind == VECTOR_V ? b + at : constant))
			return false;
		if (left < CHUNK)
			memcpy(d + at + left, last + left, CHUNK - left);
	}
	return true;
}

/* V: vector instructions as C functions, private to the folder. Lifted code calls
 * vector_execute for each; it finds the instruction's row in vectors.def, checks what
 * vtype makes of it, and has it done, element by element.
 *
 *   vectors.def       what each operation is: shape of its operands, function
 *   vector.c          one instruction from start to end; vset, CSRs
 *   vector_check.c    which are illegal under the current vtype
 *   vector_element.c  elementwise operations: the loop around the kernels
 *   vector_chunk.c    a few of them, many elements at a time
 *   vector_integer.c, vector_fixed.c, vector_float.c   kernels: one element
 *   vector_reduce.c, vector_mask.c, vector_move.c, vector_memory.c   the others
 *
 * A register group is its first register: elements lie one behind the other in
 * riscv64_state.v, over register boundaries too, so vlenb need not be known. Masked
 * off and tail elements stay as they are, whatever vta and vma say.
 *
 * An instruction begins at element vstart and leaves vstart 0; one that traps leaves
 * it at the element that did, so that it goes on there.
 *
 * Source: RISC-V Instruction Set Manual, volume I, chapter "V" (1.0); section names
 * in quotes are that chapter's.
 */
#ifndef GUEST_RISCV64_VECTOR_H
#define GUEST_RISCV64_VECTOR_H

#include <string.h>

#include "base/softfloat.h"
#include "guest/riscv64/insn.h"
#include "guest/riscv64/state.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "elements are read in the host's order of bytes"
#endif

/* What vs1's place holds. */
enum vector_kind {
	VECTOR_NONE,
	VECTOR_V, /* a vector */
	VECTOR_X, /* an x register, sign-extended or cut to SEW */
	VECTOR_I, /* an immediate */
	VECTOR_F, /* an f register; a value that is not boxed is the canonical NaN */
};

/* Widths of destination, vs2 and vs1 and the sizes of their groups. */
enum vector_shape {
	VECTOR_SAME,
	VECTOR_WIDE,        /* destination of 2 * SEW */
	VECTOR_WIDE_TERNARY, /* the same, which is a source as well */
	VECTOR_WIDE_FIRST,  /* destination and vs2 of 2 * SEW */
	VECTOR_NARROW,      /* vs2 of 2 * SEW */
	VECTOR_COMPARE,     /* destination a mask */
	VECTOR_HALF, VECTOR_QUARTER, VECTOR_EIGHTH, /* vs2 of a part of SEW */
	VECTOR_REDUCE,      /* destination and vs1 one element each */
	VECTOR_REDUCE_WIDE, /* those of 2 * SEW */
	VECTOR_SLIDE_UP,    /* as SAME, and destination and vs2 are apart */
	VECTOR_GATHER,      /* as that, and destination and vs1 too */
	VECTOR_GATHER_16,   /* the same, vs1 of 16 bits */
	VECTOR_COMPRESS,    /* the same, vs1 a mask */
	VECTOR_MASKS,       /* all masks */
	VECTOR_MASKS_APART, /* the same, destination and vs2 apart */
	VECTOR_FROM_MASK,   /* vs2 a mask, apart */
	VECTOR_INDEX,       /* no sources */
	VECTOR_SCALAR,      /* no groups: one element, or no vector at all */
	VECTOR_MASK_SCALAR, /* vs2 a mask, the destination no vector */
	VECTOR_WHOLE,       /* whole registers: vtype does not matter */
	VECTOR_MEMORY,      /* vector_memory.c sees to it */
};

enum vector_flag {
	VECTOR_A_SIGNED = 1 << 0, /* vs2's elements are sign-extended for the kernel */
	VECTOR_B_SIGNED = 1 << 1, /* vs1's, the scalar's */
	VECTOR_AB_SIGNED = VECTOR_A_SIGNED | VECTOR_B_SIGNED,
	VECTOR_FLOAT = 1 << 2,    /* singles or doubles; frm must be valid */
	VECTOR_FROM_START = 1 << 3, /* illegal unless vstart is 0 */
	VECTOR_TAKES_MASK = 1 << 4, /* v0 is an operand, all elements are active */
	VECTOR_CARRIES = 1 << 5,  /* the same, vm or not: no carry without */
	VECTOR_TERNARY = 1 << 6,  /* the destination is a source */
	VECTOR_FROM_INT = 1 << 7, /* with FLOAT: of the two only the destination is one */
	VECTOR_TO_INT = 1 << 8,   /* only the source */
};

enum vector_outcome { VECTOR_DONE, VECTOR_ILLEGAL, VECTOR_FAULT /* see ir_frame.guard */ };

struct vector;

/* One element: a of vs2, b of vs1 or the scalar, d of the destination before. The
 * result is cut to the destination's width (its lowest bit if that is a mask). */
typedef uint64_t vector_kernel(struct vector *v, uint64_t a, uint64_t b, uint64_t d);

struct vector_row {
	uint8_t kind, shape; /* enum vector_kind, enum vector_shape */
	uint16_t flags;      /* enum vector_flag */
	enum vector_outcome (*run)(struct vector *v);
	vector_kernel *kernel;
};

/* An instruction on its way. */
struct vector {
	struct ir_frame *frame;
	struct riscv64_state *s;
	const struct vector_row *row;
	int64_t imm;
	enum riscv64_op op;
	uint8_t vd, vs1, vs2; /* vs1, vs2: also rs1, rs2 */
	uint8_t nf;           /* fields of a segment, less one */
	bool vm;
	int lmul;             /* log2: -3…3 */
	unsigned sew;         /* bits */
	unsigned d_width, a_width, b_width; /* bits of elements; 1: mask */
	uint64_t mask_bit;    /* v0's, of the element at hand: TAKES_MASK, CARRIES */
	unsigned lane;        /* number of the element at hand */
	struct fp_env fp;     /* FLOAT */
	enum fp_format format, wide; /* of SEW, of 2 * SEW */
};

/* ---- helpers that lifted code calls ------------------------------------- */

/* what: op | vd << 16 | vs1 << 24 | vs2 << 32 | vm << 40 | nf << 48. Returns enum
 * vector_outcome. */
uint64_t vector_execute(struct ir_frame *frame, uint64_t what, uint64_t imm, uint64_t c);
/* avl UINT64_MAX: as many as there can be; VECTOR_KEEP_VL in how: vl stays. Returns
 * the new vl. */
uint64_t vector_set(struct ir_frame *frame, uint64_t avl, uint64_t vtype, uint64_t how);
uint64_t vector_result(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c);
uint64_t vector_csr_read(struct ir_frame *frame, uint64_t number, uint64_t b, uint64_t c);
uint64_t vector_csr_write(struct ir_frame *frame, uint64_t number, uint64_t value, uint64_t c);

enum { VECTOR_KEEP_VL = 1 };
enum { CSR_VSTART = 0x008, CSR_VXSAT = 0x009, CSR_VXRM = 0x00a, CSR_VCSR = 0x00f, CSR_VL = 0xc20, CSR_VTYPE, CSR_VLENB };

/* ---- vector_check.c ----------------------------------------------------- */

/* Whether the instruction may run; fills in the widths. */
bool vector_legal(struct vector *v);
/* Whether a group of so many registers (log2; below 0: part of one) may begin here. */
bool vector_aligned(unsigned reg, int lmul);
/* A destination group and a source that it may overlap only where "Vector Operands"
 * allows it; widths in bits, 1 for masks. */
bool vector_overlap_allowed(unsigned d, int d_lmul, unsigned d_width, unsigned s, int s_lmul, unsigned s_width);
/* Whether one register would be read with two widths. */
bool vector_sources_clash(unsigned a, int a_lmul, unsigned a_width, unsigned b, int b_lmul, unsigned b_width);

/* ---- vector_chunk.c ------------------------------------------------------ */

/* Does an elementwise operation, with the scalar operand if it has one, many elements
 * at a time. False: it is none of those that can be done so; nothing was. */
bool vector_chunks(struct vector *v, uint64_t scalar);

/* ---- what rows run ------------------------------------------------------ */

#define VECTOR_RUN(name) enum vector_outcome name(struct vector *v)
VECTOR_RUN(vector_elements);
VECTOR_RUN(vector_reduce);
VECTOR_RUN(vector_mask_logic);
VECTOR_RUN(vector_mask_count);
VECTOR_RUN(vector_mask_first);
VECTOR_RUN(vector_mask_set);
VECTOR_RUN(vector_iota);
VECTOR_RUN(vector_id);
VECTOR_RUN(vector_to_scalar);
VECTOR_RUN(vector_from_scalar);
VECTOR_RUN(vector_slide_up);
VECTOR_RUN(vector_slide_down);
VECTOR_RUN(vector_slide1_up);
VECTOR_RUN(vector_slide1_down);
VECTOR_RUN(vector_gather);
VECTOR_RUN(vector_compress);
VECTOR_RUN(vector_copy_whole);
VECTOR_RUN(vector_memory);
VECTOR_RUN(vector_nothing); /* vset: lifted code calls vector_set */

#define VECTOR(op, kind, shape, flags, run, kernel) vector_kernel kernel_##kernel;
#include "guest/riscv64/vectors.def"

/* ---- elements ----------------------------------------------------------- */

static inline uint8_t *
vector_bytes(const struct vector *v, unsigned reg)
{
	return v->s->v + reg * v->s->vlenb;
}

/* Element i of the group that begins at reg; zero-extended. */
static inline uint64_t
vector_get(const struct vector *v, unsigned reg, unsigned i, unsigned width)
{
	const uint8_t *p = vector_bytes(v, reg);
	uint16_t h;
	uint32_t w;
	uint64_t d;

	switch (width) {
	case 8:
		return p[i];
	case 16:
		memcpy(&h, p + 2 * i, 2);
		return h;
	case 32:
		memcpy(&w, p + 4 * i, 4);
		return w;
	case 64:
		memcpy(&d, p + 8 * (size_t)i, 8);
		return d;
	}
	return p[i / 8] >> i % 8 & 1;
}

static inline void
vector_put(const struct vector *v, unsigned reg, unsigned i, unsigned width, uint64_t x)
{
	uint8_t *p = vector_bytes(v, reg);

	switch (width) {
	case 1:
		p[i / 8] = (uint8_t)((p[i / 8] & ~(1u << i % 8)) | (unsigned)(x & 1) << i % 8);
		break;
	case 8:
		p[i] = (uint8_t)x;
		break;
	case 16:
		memcpy(p + 2 * i, &(uint16_t){ (uint16_t)x }, 2);
		break;
	case 32:
		memcpy(p + 4 * i, &(uint32_t){ (uint32_t)x }, 4);
		break;
	case 64:
		memcpy(p + 8 * (size_t)i, &x, 8);
		break;
	}
}

static inline bool
vector_active(const struct vector *v, unsigned i)
{
	return v->vm || (v->s->v[i / 8] >> i % 8 & 1);
}

/* x's low `width` bits with their sign. */
static inline uint64_t
vector_signed(uint64_t x, unsigned width)
{
	return (uint64_t)((int64_t)(x << (64 - width)) >> (64 - width));
}

static inline uint64_t
vector_cut(uint64_t x, unsigned width)
{
	return width == 64 ? x : x & ((UINT64_C(1) << width) - 1);
}

/* log2 of a width of 8…64 bits, less 3. */
static inline int
vector_log(unsigned width)
{
	return __builtin_ctz(width) - 3;
}

/* Elements of a group. */
static inline unsigned
vector_vlmax(const struct vector *v)
{
	unsigned all = (unsigned)v->s->vlenb * 8 / v->sew;

	return v->lmul >= 0 ? all << v->lmul : all >> -v->lmul;
}

/* The scalar operand, in the low b_width bits. */
uint64_t vector_scalar(const struct vector *v);

#endif

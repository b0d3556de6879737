/* One vector instruction from start to end; vset{i}vl{i}; the CSRs of V. */
#include "guest/riscv64/vector.h"

/* Operations of V follow each other in enum riscv64_op. */
enum { VECTOR_FIRST = RV_VSETVLI };

static const struct vector_row rows[] = {
#define VECTOR(op, kind, shape, flags, run, kernel) \
	[RV_##op - VECTOR_FIRST] = { VECTOR_##kind, VECTOR_##shape, flags, run, kernel_##kernel },
#include "guest/riscv64/vectors.def"
};

uint64_t
kernel_none(struct vector *v, uint64_t a, uint64_t b, uint64_t d)
{
	(void)v, (void)a, (void)b, (void)d;
	return 0;
}

VECTOR_RUN(vector_nothing)
{
	(void)v;
	return VECTOR_ILLEGAL;
}

static enum fp_format
format_of(unsigned width)
{
	return width == 64 ? FP_F64 : width == 32 ? FP_F32 : FP_F16;
}

uint64_t
vector_scalar(const struct vector *v)
{
	uint64_t f;

	if (v->row->kind == VECTOR_I)
		return (uint64_t)v->imm;
	if (v->row->kind == VECTOR_X)
		return v->s->x[v->vs1];
	f = v->s->f[v->vs1];
	if (v->sew == 32 && f >> 32 != UINT32_MAX)
		return 0x7fc00000;
	return f;
}

uint64_t
vector_execute(struct ir_frame *frame, uint64_t what, uint64_t imm, uint64_t c)
{
	struct riscv64_state *s = riscv64_state_of(frame);
	unsigned op = what & 0xffff;
	struct vector v = {
		.frame = frame,
		.s = s,
		.row = &rows[op - VECTOR_FIRST],
		.imm = (int64_t)imm,
		.op = (enum riscv64_op)op,
		.vd = what >> 16 & 31,
		.vs1 = what >> 24 & 31,
		.vs2 = what >> 32 & 31,
		.vm = what >> 40 & 1,
		.nf = what >> 48 & 7,
		.lmul = (int)(s->vtype & 7) - (s->vtype & 4 ? 8 : 0),
		.sew = 8u << (s->vtype >> 3 & 3),
		.fp = { .rounding = (uint8_t)frame->fp_round },
	};
	enum vector_outcome outcome;

	(void)c;
	s->vector_used = true;
	if (v.row->shape == VECTOR_MEMORY)
		return v.row->run(&v);
	v.format = format_of(v.sew);
	v.wide = format_of(2 * v.sew);
	if (!vector_legal(&v))
		return VECTOR_ILLEGAL;
	outcome = v.row->run(&v);
	frame->fp_flags |= v.fp.flags;
	s->vstart = 0;
	return outcome;
}

uint64_t
vector_result(struct ir_frame *frame, uint64_t a, uint64_t b, uint64_t c)
{
	(void)a, (void)b, (void)c;
	return riscv64_state_read(frame)->vector_result;
}

/* ---- configuration: "Configuration-Setting Instructions" ---------------- */

enum { ELEN_LOG = 3 /* 64 bits, as vsew counts */ };

/* Elements that a group has under vtype; 0: it is reserved or not there. */
static uint64_t
vlmax_of(const struct riscv64_state *s, uint64_t vtype)
{
	int lmul = (int)(vtype & 7) - (vtype & 4 ? 8 : 0), sew = (int)(vtype >> 3 & 7);

	if (vtype >> 8 || lmul == -4 || sew > ELEN_LOG || lmul < sew - ELEN_LOG)
		return 0;
	return lmul >= 0 ? (s->vlenb >> sew) << lmul : s->vlenb >> sew >> -lmul;
}

/* vl stays only where VLMAX does; the rest is reserved ("AVL encoding"). */
uint64_t
vector_set(struct ir_frame *frame, uint64_t avl, uint64_t vtype, uint64_t how)
{
	struct riscv64_state *s = riscv64_state_of(frame);
	uint64_t most = vlmax_of(s, vtype);

	s->vector_used = true;
	s->vstart = 0;
	if (how & VECTOR_KEEP_VL) {
		avl = s->vl;
		if (vlmax_of(s, s->vtype) != most)
			most = 0;
	}
	s->vtype = most ? vtype : RISCV64_VILL;
	s->vl = avl < most ? avl : most;
	return s->vl;
}

/* ---- CSRs --------------------------------------------------------------- */

uint64_t
vector_csr_read(struct ir_frame *frame, uint64_t number, uint64_t b, uint64_t c)
{
	const struct riscv64_state *s = riscv64_state_read(frame);

	(void)b, (void)c;
	switch (number) {
	case CSR_VSTART:
		return s->vstart;
	case CSR_VXSAT:
		return s->vxsat;
	case CSR_VXRM:
		return s->vxrm;
	case CSR_VCSR:
		return s->vxsat | (uint64_t)s->vxrm << 1;
	case CSR_VL:
		return s->vl;
	case CSR_VTYPE:
		return s->vtype;
	}
	return s->vlenb;
}

/* vstart has bits for the elements of the largest group of bytes, 8 * vlenb. */
uint64_t
vector_csr_write(struct ir_frame *frame, uint64_t number, uint64_t value, uint64_t c)
{
	struct riscv64_state *s = riscv64_state_of(frame);

	(void)c;
	s->vector_used = true;
	switch (number) {
	case CSR_VSTART:
		s->vstart = value & (8 * s->vlenb - 1);
		break;
	case CSR_VXSAT:
		s->vxsat = value & 1;
		break;
	case CSR_VXRM:
		s->vxrm = value & 3;
		break;
	case CSR_VCSR:
		s->vxsat = value & 1;
		s->vxrm = value >> 1 & 3;
		break;
	}
	return 0;
}

/* ---- for others ---------------------------------------------------------- */

void
riscv64_vector_init(struct ir_frame *frame, unsigned vlenb)
{
	struct riscv64_state *s = riscv64_state_of(frame);

	memset(s->v, 0, sizeof s->v);
	s->vl = s->vstart = 0;
	s->vtype = RISCV64_VILL;
	s->vxrm = s->vxsat = 0;
	s->vector_used = false;
	s->vlenb = vlenb;
	s->mode_key |= RISCV64_MODE_VECTOR;
}

void
riscv64_vector_restore(struct ir_frame *frame, uint64_t vl, uint64_t vtype, uint64_t vstart, uint64_t vcsr)
{
	vector_set(frame, vl, vtype, 0);
	vector_csr_write(frame, CSR_VSTART, vstart, 0);
	vector_csr_write(frame, CSR_VCSR, vcsr, 0);
}

void
riscv64_vector_discard(struct ir_frame *frame)
{
	struct riscv64_state *s = riscv64_state_of(frame);

	if (!s->vector_used)
		return;
	memset(s->v, 0xff, 32 * s->vlenb);
	s->vl = s->vstart = 0;
	s->vtype = RISCV64_VILL;
}

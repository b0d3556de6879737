/* Operands, addresses, loads and stores of loops. */
#include "codegen/x86_64/loop.h"

/* ---- operands -------------------------------------------------------------- */

bool
loop_in_mem(const struct loop *l, ir_ref ref, struct x86_mem *m)
{
	const struct lval *v = &l->val[loop_same(l, ref)];

	if (v->late != LATE_PLACE || (v->place.kind != PLACE_SCRATCH && v->place.kind != PLACE_SLOT))
		return false;
	*m = place_operand(l, v->place);
	return true;
}

bool
loop_imm32(const struct loop *l, ir_ref ref, int size, int32_t *imm)
{
	const struct ir_ins *ins = &l->ins[loop_same(l, ref)];

	if (ins->op != IR_CONST)
		return false;
	*imm = (int32_t)ins->imm;
	return size <= 4 || *imm == ins->imm;
}

int
loop_in(struct loop *l, ir_ref ref, int temp)
{
	struct x86_mem m;

	ref = loop_same(l, ref);
	if (l->val[ref].late == LATE_CONST) {
		x86_mov_ri(&l->g.hot, temp, (uint64_t)l->ins[ref].imm);
		return temp;
	}
	if (loop_in_mem(l, ref, &m)) {
		x86_mov_rm(&l->g.hot, 8, temp, m);
		return temp;
	}
	assert(l->val[ref].place.kind == PLACE_GPR);
	return l->val[ref].place.n;
}

int
loop_in_fp(struct loop *l, ir_ref ref, int temp)
{
	const struct ir_ins *ins;
	struct x86_mem m;

	ref = loop_same(l, ref);
	if (l->val[ref].late == LATE_BOX)
		ref = loop_same(l, l->ins[ref].a);
	ins = &l->ins[ref];
	if (l->val[ref].late == LATE_CONST) {
		if (ins->imm)
			x86_movsd_load(&l->g.hot, temp, const_mem(&l->g, (uint64_t)ins->imm, 0));
		else
			x86_vzero(&l->g.hot, temp);
		return temp;
	}
	if (loop_in_mem(l, ref, &m)) {
		x86_movsd_load(&l->g.hot, temp, m);
		return temp;
	}
	assert(l->val[ref].place.kind == PLACE_FPR);
	return l->val[ref].place.n;
}

int
loop_out(const struct loop *l, ir_ref ref, int temp)
{
	struct place p = l->val[ref].place;

	return p.kind == PLACE_GPR || p.kind == PLACE_FPR ? p.n : temp;
}

void
loop_made(struct loop *l, ir_ref ref, int reg)
{
	struct place p = l->val[ref].place;

	switch ((enum place_kind)p.kind) {
	case PLACE_GPR:
		if (p.n != reg)
			x86_mov_rr(&l->g.hot, 8, p.n, reg);
		break;
	case PLACE_FPR:
		if (p.n != reg)
			x86_movaps(&l->g.hot, p.n, reg);
		break;
	case PLACE_SCRATCH:
		if (bank_of(&l->g, ref) == FPR)
			x86_movsd_store(&l->g.hot, place_operand(l, p), reg);
		else
			x86_mov_mr(&l->g.hot, 8, place_operand(l, p), reg);
		break;
	case PLACE_SLOT:
	case PLACE_NONE:
		break;
	}
}

struct x86_mem
loop_address(struct loop *l, ir_ref ref, int32_t disp)
{
	struct loop_sum sum = loop_sum_of(l, ref);
	struct x86_mem m = { X86_NONE, X86_NONE, (uint8_t)sum.shift, 0, 0 };
	int64_t far = (int64_t)sum.disp + disp;

	if (sum.base)
		m.base = (int8_t)loop_in(l, sum.base, RAX);
	if (sum.index)
		m.index = (int8_t)loop_in(l, sum.index, RDX);
	m.disp = (int32_t)far;
	if (far != m.disp) {
		m.disp = sum.disp;
		x86_lea(&l->g.hot, 8, RAX, m);
		m = x86_base(RAX, disp);
	}
	return m;
}

/* ---- loads and stores -------------------------------------------------------- */

static int
bytes_of(const struct ir_ins *ins)
{
	return (int)ir_type_bits(IR_MEM_TYPE(ins->aux)) / 8;
}

static void
load(struct loop *l, ir_ref ref)
{
	const struct ir_ins *ins = &l->ins[ref];
	enum ir_type type = (enum ir_type)ins->type;
	struct x86_mem m = loop_address(l, ins->a, (int32_t)ins->c);
	bool fp = type_is_fp(type);
	int bytes = bytes_of(ins), d = loop_out(l, ref, fp ? XMM15 : RAX);

	plant_fault(&l->g);
	if (fp)
		x86_movs_load(&l->g.hot, bytes, d, m);
	else if (IR_MEM_SIGNED(ins->aux) && bytes < (int)ir_type_bits(type) / 8)
		x86_movsx_rm(&l->g.hot, op_size(type), bytes, d, m);
	else
		x86_movzx_rm(&l->g.hot, bytes, d, m);
	loop_mark_fault(l, ref);
	loop_made(l, ref, d);
}

/* A register that the address does not need; the address may become one. */
static int
free_temp(struct loop *l, struct x86_mem *m)
{
	if (m->base != RAX && m->index != RAX)
		return RAX;
	if (m->base != RDX && m->index != RDX)
		return RDX;
	x86_lea(&l->g.hot, 8, RAX, *m);
	*m = x86_base(RAX, 0);
	return RDX;
}

static void
store(struct loop *l, ir_ref ref)
{
	const struct ir_ins *ins = &l->ins[ref];
	struct x86_mem m = loop_address(l, ins->a, (int32_t)ins->c);
	ir_ref value = loop_same(l, ins->b);
	int bytes = bytes_of(ins), r;
	int32_t imm;

	if (loop_imm32(l, value, bytes, &imm)) {
		plant_fault(&l->g);
		x86_mov_mi(&l->g.hot, bytes, m, imm);
	} else if (bank_of(&l->g, value) == FPR) {
		r = loop_in_fp(l, value, XMM15);
		loop_mend(l, value, r);
		plant_fault(&l->g);
		x86_movs_store(&l->g.hot, bytes, m, r);
	} else {
		r = loop_in(l, value, free_temp(l, &m));
		plant_fault(&l->g);
		x86_mov_mr(&l->g.hot, bytes, m, r);
	}
	loop_mark_fault(l, ref);
	l->g.stored = true;
}

bool
loop_memory(struct loop *l, ir_ref ref)
{
	switch (l->ins[ref].op) {
	case IR_LOAD:
		load(l, ref);
		return true;
	case IR_STORE:
		store(l, ref);
		return true;
	default:
		return false;
	}
}

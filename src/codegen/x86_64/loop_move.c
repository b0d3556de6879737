/* Moves that happen at once: on edges, at entry, at exits; and the places that a
 * fault's point tells. */
#include "codegen/x86_64/loop.h"

#include <string.h>

/* A move still to be done, and the places that it reads. */
struct pending {
	struct loop_move m;
	struct place source[2];
	struct loop_sum sum;
	uint64_t constant;
	enum { FROM_PLACE, FROM_CONST, FROM_SUM } how;
	bool done;
};

struct mover {
	struct loop *l;
	struct x86_asm *a;
	struct pending *move;
	unsigned count;
};

static bool
in_memory(struct place p)
{
	return p.kind == PLACE_SCRATCH || p.kind == PLACE_SLOT;
}

struct loop_sum
loop_sum_of(const struct loop *l, ir_ref ref)
{
	const struct ir_ins *ins;
	struct loop_sum sum = { 0 };
	ir_ref a, b;

	ref = loop_same(l, ref);
	ins = &l->ins[ref];
	if (l->val[ref].late != LATE_SUM) {
		sum.base = ref;
		return sum;
	}
	if (ins->op == IR_SHL) {
		sum.index = loop_same(l, ins->a);
		sum.shift = (unsigned)l->ins[ins->b].imm;
		return sum;
	}
	a = loop_same(l, ins->a);
	b = loop_same(l, ins->b);
	if (l->val[a].late == LATE_SUM) {
		a = b;
		b = loop_same(l, ins->a);
	}
	sum.base = a;
	if (l->ins[b].op == IR_CONST) {
		sum.disp = (int32_t)l->ins[b].imm;
	} else if (l->val[b].late == LATE_SUM) {
		sum.index = loop_same(l, l->ins[b].a);
		sum.shift = (unsigned)l->ins[l->ins[b].b].imm;
	} else {
		sum.index = b;
	}
	return sum;
}

/* ---- one move -------------------------------------------------------------- */

static void
move_constant(struct mover *v, struct place to, uint64_t constant)
{
	struct x86_asm *a = v->a;

	if (to.kind == PLACE_GPR) {
		x86_mov_ri(a, to.n, constant);
		return;
	}
	if (to.kind == PLACE_FPR && !constant) {
		x86_vzero(a, to.n);
		return;
	}
	if (in_memory(to) && constant == (uint64_t)(int64_t)(int32_t)constant) {
		x86_mov_mi(a, 8, place_operand(v->l, to), (int32_t)constant);
		return;
	}
	x86_mov_ri(a, RDX, constant);
	if (to.kind == PLACE_FPR)
		x86_movd_xr(a, 8, to.n, RDX);
	else
		x86_mov_mr(a, 8, place_operand(v->l, to), RDX);
}

static void
move_place(struct mover *v, struct place to, struct place from)
{
	struct x86_asm *a = v->a;

	if (to.kind == PLACE_GPR && from.kind == PLACE_GPR) {
		x86_mov_rr(a, 8, to.n, from.n);
	} else if (to.kind == PLACE_FPR && from.kind == PLACE_FPR) {
		x86_movaps(a, to.n, from.n);
	} else if (to.kind == PLACE_GPR && from.kind == PLACE_FPR) {
		x86_movd_rx(a, 8, to.n, from.n);
	} else if (to.kind == PLACE_FPR && from.kind == PLACE_GPR) {
		x86_movd_xr(a, 8, to.n, from.n); /* out of a cycle through memory */
	} else if (to.kind == PLACE_GPR) {
		x86_mov_rm(a, 8, to.n, place_operand(v->l, from));
	} else if (to.kind == PLACE_FPR) {
		x86_movsd_load(a, to.n, place_operand(v->l, from));
	} else if (from.kind == PLACE_GPR) {
		x86_mov_mr(a, 8, place_operand(v->l, to), from.n);
	} else if (from.kind == PLACE_FPR) {
		x86_movsd_store(a, place_operand(v->l, to), from.n);
	} else {
		x86_mov_rm(a, 8, RDX, place_operand(v->l, from));
		x86_mov_mr(a, 8, place_operand(v->l, to), RDX);
	}
}

static void
move_sum(struct mover *v, const struct pending *p)
{
	struct x86_asm *a = v->a;
	struct place base = p->source[0], index = p->source[1];
	int to = p->m.to.kind == PLACE_GPR ? p->m.to.n : RDX;
	struct x86_mem m = { X86_NONE, X86_NONE, (uint8_t)p->sum.shift, 0, p->sum.disp };

	if (index.kind) {
		if (in_memory(index))
			x86_mov_rm(a, 8, RDX, place_operand(v->l, index));
		m.index = in_memory(index) ? RDX : (int8_t)index.n;
	}
	if (!in_memory(base)) {
		m.base = base.kind ? (int8_t)base.n : X86_NONE;
		x86_lea(a, 8, to, m);
	} else {
		x86_lea(a, 8, RDX, m);
		x86_alu_rm(a, X86_ADD, 8, RDX, place_operand(v->l, base));
		if (to != RDX)
			x86_mov_rr(a, 8, to, RDX);
	}
	if (p->m.to.kind != PLACE_GPR)
		x86_mov_mr(a, 8, place_operand(v->l, p->m.to), RDX);
}

static void
move_one(struct mover *v, struct pending *p)
{
	switch (p->how) {
	case FROM_CONST:
		move_constant(v, p->m.to, p->constant);
		break;
	case FROM_SUM:
		move_sum(v, p);
		break;
	case FROM_PLACE:
		if (!place_same(p->m.to, p->source[0]))
			move_place(v, p->m.to, p->source[0]);
		break;
	}
	p->done = true;
}

/* ---- all of them ------------------------------------------------------------- */

static bool
is_read(const struct mover *v, struct place place, const struct pending *but)
{
	for (unsigned i = 0; i < v->count; i++) {
		const struct pending *p = &v->move[i];

		if (!p->done && p != but && (place_same(p->source[0], place) || place_same(p->source[1], place)))
			return true;
	}
	return false;
}

/* What is in the place of one that waits goes to a temporary. */
static bool
break_cycle(struct mover *v)
{
	struct place from = { 0, 0 }, to;
	unsigned i = 0;
	bool fp;

	while (v->move[i].done)
		i++;
	from = v->move[i].m.to;
	fp = from.kind == PLACE_FPR;
	to = fp ? (struct place){ PLACE_FPR, XMM15 } : (struct place){ PLACE_GPR, RAX };
	if (is_read(v, to, NULL))
		return false;
	move_place(v, to, from);
	for (i = 0; i < v->count; i++)
		for (unsigned k = 0; k < 2; k++)
			if (place_same(v->move[i].source[k], from))
				v->move[i].source[k] = to;
	return true;
}

static void
source_of(const struct loop *l, struct pending *p)
{
	ir_ref value = loop_same(l, p->m.value);

	if (!value) {
		p->source[0] = p->m.from;
		return;
	}
	if (l->val[value].late == LATE_BOX)
		value = loop_same(l, l->ins[value].a);
	switch ((enum late)l->val[value].late) {
	case LATE_CONST:
		p->how = FROM_CONST;
		p->constant = (uint64_t)l->ins[value].imm;
		break;
	case LATE_SUM:
		p->how = FROM_SUM;
		p->sum = loop_sum_of(l, value);
		if (p->sum.base)
			p->source[0] = l->val[p->sum.base].place;
		if (p->sum.index)
			p->source[1] = l->val[p->sum.index].place;
		break;
	default:
		p->source[0] = l->val[value].place;
	}
}

/* What a float needs before others see it. */
static void
finish(struct mover *v, const struct loop_move *m)
{
	struct x86_asm *a = v->a;
	bool memory = in_memory(m->to);
	int reg = memory ? XMM14 : m->to.n;
	uint8_t *over;

	if (memory)
		x86_movsd_load(a, reg, place_operand(v->l, m->to));
	if (m->mend) {
		x86_ucomis(a, m->mend, reg, reg);
		over = x86_jcc_short(a, X86_CC_NP);
		x86_movsd_load(a, reg, FRAME_CONST(m->mend == 8 ? K_NAN64 : K_NAN32));
		x86_patch_rel8(over, a->p);
	}
	if (m->box)
		x86_vop3_m(a, X86_ORPS, 0, reg, reg, FRAME_CONST(K_BOX32));
	if (memory)
		x86_movsd_store(a, place_operand(v->l, m->to), reg);
}

bool
loop_moves(struct loop *l, struct x86_asm *a, const struct loop_move *move, unsigned count)
{
	struct pending pending[LOOP_MOVES];
	struct mover v = { .l = l, .a = a, .move = pending, .count = count };
	unsigned left = count;

	for (unsigned i = 0; i < count; i++) {
		pending[i] = (struct pending){ .m = move[i] };
		source_of(l, &pending[i]);
	}
	while (left) {
		bool any = false;

		for (unsigned i = 0; i < count; i++) {
			if (pending[i].done || is_read(&v, pending[i].m.to, &pending[i]))
				continue;
			move_one(&v, &pending[i]);
			any = true;
			left--;
		}
		if (!any && !break_cycle(&v))
			return false;
	}
	for (unsigned i = 0; i < count; i++)
		if (move[i].mend || move[i].box)
			finish(&v, &move[i]);
	return true;
}

/* ---- edges, entry, exits --------------------------------------------------------- */

static struct place
boundary(const struct loop *l, unsigned slot)
{
	int reg = l->g.slot_reg[slot];

	if (reg == NO_REG)
		return (struct place){ PLACE_SLOT, (uint8_t)slot };
	return (struct place){ type_is_fp((enum ir_type)l->g.slots->slot[slot].type) ? PLACE_FPR : PLACE_GPR, (uint8_t)reg };
}

bool
loop_enter(struct loop *l)
{
	struct loop_move move[LOOP_MOVES];
	unsigned count = 0;

	for (unsigned slot = 0; slot < l->g.slots->count; slot++) {
		struct place to = l->entry[slot] ? l->val[l->entry[slot]].place : (struct place){ 0, 0 };

		if (to.kind && !place_same(to, boundary(l, slot)))
			move[count++] = (struct loop_move){ .to = to, .from = boundary(l, slot) };
	}
	return loop_moves(l, &l->g.hot, move, count);
}

unsigned
loop_edge(const struct loop *l, ir_ref end, struct loop_move *move)
{
	const uint32_t *list;
	uint32_t count, to = ir_target(l->region, end, 0, &list, &count);
	unsigned moves = 0;

	for (uint32_t k = 0; k < count; k++) {
		struct place place = l->val[l->region->block[to].first + k].place;
		ir_ref value = loop_same(l, list[k]);

		if (place.kind && !(l->val[value].late == LATE_PLACE && place_same(l->val[value].place, place)))
			move[moves++] = (struct loop_move){ .to = place, .value = value };
	}
	return moves;
}

/* What each slot holds according to op ref's map; 0: what is in the frame. */
static void
state_at(const struct loop *l, ir_ref ref, ir_ref *value)
{
	uint32_t i, end;

	for (unsigned slot = 0; slot < l->g.slots->count; slot++)
		value[slot] = l->g.slot_reg[slot] != NO_REG ? l->entry[slot] : 0;
	for (end = loop_map(l, ref, &i); i < end; i++)
		value[l->region->map[i].slot] = l->region->map[i].value;
}

bool
loop_restore(struct loop *l, struct x86_asm *a, ir_ref ref)
{
	struct loop_move move[LOOP_MOVES];
	ir_ref value[IR_SLOT_MAX];
	unsigned count = 0;

	state_at(l, ref, value);
	for (unsigned slot = 0; slot < l->g.slots->count; slot++) {
		ir_ref is = value[slot] ? loop_same(l, value[slot]) : 0;
		struct loop_move m = { .to = boundary(l, slot), .value = is };

		if (!is)
			continue;
		m.mend = l->val[is].raw;
		m.box = l->val[is].late == LATE_BOX || (l->val[is].single && l->ins[is].op == IR_PARAM);
		if (m.mend || m.box || l->val[is].late != LATE_PLACE || !place_same(l->val[is].place, m.to))
			move[count++] = m;
	}
	return loop_moves(l, a, move, count);
}

/* ---- faults ----------------------------------------------------------------------- */

/* A part of a sum as thunks.c reads it. */
static uint64_t
sum_part(const struct loop *l, ir_ref value)
{
	struct place p = l->val[value].place;

	if (!value)
		return CODE_SUM_NONE;
	return p.kind == PLACE_SCRATCH ? CODE_SUM_SCRATCH + p.n : p.kind == PLACE_SLOT ? CODE_SUM_SLOT + p.n : p.n;
}

static struct code_move
fault_move(const struct loop *l, unsigned slot, ir_ref value)
{
	struct code_move move = { .slot = (uint16_t)slot };
	const struct lval *v = &l->val[value];
	struct loop_sum sum;

	move.fixup = v->late == LATE_BOX || v->single ? IR_FIX_BOX : v->raw ? IR_FIX_CANON : IR_FIX_NONE;
	if (v->late == LATE_BOX)
		value = loop_same(l, l->ins[value].a);
	switch ((enum late)l->val[value].late) {
	case LATE_CONST:
		move.where = CODE_CONST;
		move.value = (uint64_t)l->ins[value].imm;
		return move;
	case LATE_SUM:
		sum = loop_sum_of(l, value);
		move.where = CODE_SUM;
		move.value = sum_part(l, sum.base) | sum_part(l, sum.index) << 8 | (uint64_t)sum.shift << 16 |
			     (uint64_t)(uint32_t)sum.disp << 32;
		return move;
	default:
		break;
	}
	switch ((enum place_kind)l->val[value].place.kind) {
	case PLACE_FPR:
		move.where = CODE_FPR;
		move.value = l->val[value].place.n;
		break;
	case PLACE_SCRATCH:
		move.where = CODE_FRAME;
		move.value = offsetof(struct ir_frame, scratch) + 8 * (size_t)l->val[value].place.n;
		break;
	case PLACE_SLOT:
		move.where = CODE_FRAME;
		move.value = l->g.slots->slot[l->val[value].place.n].offset;
		break;
	case PLACE_GPR:
	case PLACE_NONE:
		move.where = CODE_GPR;
		move.value = l->val[value].place.n;
		break;
	}
	if (move.fixup)
		move.value |= (uint64_t)v->raw << CODE_RAW_SHIFT;
	return move;
}

void
loop_mark_fault(struct loop *l, ir_ref ref)
{
	ir_ref value[IR_SLOT_MAX];

	mark_fault(&l->g);
	state_at(l, ref, value);
	for (unsigned slot = 0; slot < l->g.slots->count; slot++) {
		ir_ref is = value[slot] ? loop_same(l, value[slot]) : 0;
		struct code_move move;

		if (!is || (l->val[is].late == LATE_PLACE && !l->val[is].raw && !l->val[is].single && place_same(l->val[is].place, boundary(l, slot))))
			continue;
		move = fault_move(l, slot, is);
		add_move(&l->g, &move);
	}
}

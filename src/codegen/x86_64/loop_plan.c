/* Which values a loop has, and how each is had: loop.h. */
#include "codegen/x86_64/loop.h"

#include <string.h>

/* What is done with a value, as bits. */
enum use {
	USE_PLAIN = 1,   /* anything but the following */
	USE_ADDRESS = 2, /* by XLATE; of XLATE by LOAD and STORE */
	USE_SUM = 4,     /* by an ADD that may be an address, as an operand */
	USE_TEST = 8,    /* by BR, CHECK, SELECT as the condition */
	USE_STATE = 16,  /* by a state map */
	USE_LOW = 32,    /* its low four bytes are stored */
	USE_UNBOX = 64,
	USE_ARGUMENT = 128, /* for a parameter */
};

#define IS_VALUE(letter) ((letter) != '.' && (letter) != '*' && (letter) != 'D')

static unsigned
operand_kinds(const struct ir_ins *ins)
{
	const char *letters = ir_op_info[ins->op].operands;

	return (unsigned)IS_VALUE(letters[0]) | (unsigned)IS_VALUE(letters[1]) << 1 | (unsigned)IS_VALUE(letters[2]) << 2;
}

bool
loop_may_leave(const struct loop *l, ir_ref ref)
{
	const struct ir_ins *ins = &l->ins[ref];

	switch (ins->op) {
	case IR_LOAD:
	case IR_STORE:
	case IR_CHECK:
	case IR_EXIT:
	case IR_FMA:
	case IR_FMIN:
	case IR_FMAX:
	case IR_F2I:
		return true;
	case IR_GOTO: /* back: a safepoint */
		return ir_successor(l->region, ref, 0) <= l->block_of[ref];
	default:
		return false;
	}
}

/* ---- uses ------------------------------------------------------------------- */

void
loop_leaves(struct loop *l, ir_ref ref, loop_leaf leaf, void *arg)
{
	const struct ir_ins *ins = &l->ins[ref];

	switch ((enum late)l->val[ref].late) {
	case LATE_PLACE:
		leaf(l, ref, arg);
		return;
	case LATE_SAME:
	case LATE_BOX:
		loop_leaves(l, ins->a, leaf, arg);
		return;
	case LATE_SUM:
	case LATE_TEST:
		loop_leaves(l, ins->a, leaf, arg);
		loop_leaves(l, ins->b, leaf, arg);
		return;
	case LATE_DEAD:
	case LATE_CONST:
		return;
	}
}

void
loop_uses(struct loop *l, ir_ref ref, loop_leaf leaf, void *arg)
{
	const struct ir_ins *ins = &l->ins[ref];
	unsigned kinds = operand_kinds(ins);
	bool named[IR_SLOT_MAX] = { false };
	const uint32_t *list;
	uint32_t count, i, end;

	if (kinds & 1)
		loop_leaves(l, ins->a, leaf, arg);
	if (kinds & 2)
		loop_leaves(l, ins->b, leaf, arg);
	if (kinds & 4)
		loop_leaves(l, ins->c, leaf, arg);
	if (ins->op == IR_GOTO) {
		uint32_t to = ir_target(l->region, ref, 0, &list, &count);

		for (i = 0; i < count; i++)
			if (l->val[l->region->block[to].first + i].late == LATE_PLACE)
				loop_leaves(l, list[i], leaf, arg);
	}
	if (!loop_may_leave(l, ref))
		return;
	for (end = loop_map(l, ref, &i); i < end; i++) {
		named[l->region->map[i].slot] = true;
		loop_leaves(l, l->region->map[i].value, leaf, arg);
	}
	for (unsigned slot = 0; slot < l->g.slots->count; slot++)
		if (!named[slot] && l->g.slot_reg[slot] != NO_REG)
			loop_leaves(l, l->entry[slot], leaf, arg);
}

/* ---- what is wanted ---------------------------------------------------------- */

/* A stack of values whose operands are still to be marked. */
struct wanted {
	struct loop *l;
	uint8_t *use;
	ir_ref *stack;
	uint32_t depth;
};

static void
want(struct wanted *w, ir_ref ref, unsigned use)
{
	if (!w->use[ref])
		w->stack[w->depth++] = ref;
	w->use[ref] |= (uint8_t)use;
}

/* How an op uses its operand `which`. */
static unsigned
use_of(const struct loop *l, const struct ir_ins *ins, unsigned which)
{
	switch (ins->op) {
	case IR_XLATE:
		return USE_ADDRESS;
	case IR_LOAD:
		return USE_ADDRESS;
	case IR_STORE:
		if (which == 0)
			return USE_ADDRESS;
		return IR_MEM_TYPE(ins->aux) == IR_F32 || IR_MEM_TYPE(ins->aux) == IR_I32 ? USE_LOW : USE_PLAIN;
	case IR_UNBOX:
		return USE_UNBOX;
	case IR_ADD:
		return ins->type == IR_I64 ? USE_SUM : USE_PLAIN;
	case IR_BR:
	case IR_CHECK:
		return USE_TEST;
	case IR_SELECT:
		return which == 0 ? USE_TEST : USE_PLAIN;
	default:
		(void)l;
		return USE_PLAIN;
	}
}

static void
want_operands(struct wanted *w, ir_ref ref)
{
	const struct ir_ins *ins = &w->l->ins[ref];
	unsigned kinds = operand_kinds(ins);

	if (kinds & 1)
		want(w, ins->a, use_of(w->l, ins, 0));
	if (kinds & 2)
		want(w, ins->b, use_of(w->l, ins, 1));
	if (kinds & 4)
		want(w, ins->c, use_of(w->l, ins, 2));
}

/* The arguments for a parameter that is wanted. */
static void
want_arguments(struct wanted *w, ir_ref param)
{
	struct loop *l = w->l;
	uint32_t to = l->block_of[param], k = param - l->region->block[to].first, count;
	const uint32_t *list;

	for (uint32_t block = 0; block < l->region->block_count; block++) {
		ir_ref end = ir_block_end(l->region, block);

		if (ir_targets(l->region, end) == 1 && ir_target(l->region, end, 0, &list, &count) == to)
			want(w, list[k], USE_ARGUMENT);
	}
}

static bool
is_root(const struct ir_ins *ins)
{
	return ins->type == IR_VOID || ir_op_info[ins->op].effects & ~(unsigned)IR_E_READ_STATE;
}

static void
want_all(struct loop *l, uint8_t *use)
{
	struct wanted w = { l, use, arena_alloc(l->arena, l->region->ins_count * sizeof(ir_ref)), 0 };
	uint32_t i, end;

	for (ir_ref ref = 1; ref < l->region->ins_count; ref++) {
		if (!is_root(&l->ins[ref]))
			continue;
		if (l->ins[ref].type != IR_VOID)
			want(&w, ref, 0);
		want_operands(&w, ref);
		if (!loop_may_leave(l, ref))
			continue;
		for (end = loop_map(l, ref, &i); i < end; i++)
			want(&w, l->region->map[i].value, USE_STATE);
	}
	for (unsigned slot = 0; slot < l->g.slots->count; slot++)
		if (l->entry[slot] && l->g.slot_reg[slot] != NO_REG)
			want(&w, l->entry[slot], USE_STATE);
	while (w.depth) {
		ir_ref ref = w.stack[--w.depth];

		if (l->ins[ref].op == IR_PARAM)
			want_arguments(&w, ref);
		else if (!is_root(&l->ins[ref]))
			want_operands(&w, ref);
	}
}

/* ---- how each is had ------------------------------------------------------------ */

static bool
is_index(const struct loop *l, const struct ir_ins *ins)
{
	const struct ir_ins *by = &l->ins[ins->b];

	return ins->op == IR_SHL && ins->type == IR_I64 && by->op == IR_CONST && by->imm >= 1 && by->imm <= 3;
}

/* An ADD that only addresses and the state want: its parts may be added up there. */
static bool
is_sum(const struct loop *l, const uint8_t *use, ir_ref ref)
{
	const struct ir_ins *ins = &l->ins[ref];

	return ins->op == IR_ADD && ins->type == IR_I64 && use[ref] & USE_ADDRESS &&
	       !(use[ref] & ~(unsigned)(USE_ADDRESS | USE_STATE));
}

/* ---- containers of singles ------------------------------------------------------
 *
 * A parameter that is always a box (or what a slot held at entry, which is asked for a
 * box then), and is only unboxed, stored as a single, passed on to another such, or
 * part of the state, need not be boxed in its place. */

static bool
may_be_single(const struct loop *l, const uint8_t *use, ir_ref ref)
{
	return l->ins[ref].op == IR_PARAM && l->ins[ref].type == IR_F64 && use[ref] & (USE_UNBOX | USE_LOW) &&
	       !(use[ref] & ~(unsigned)(USE_STATE | USE_LOW | USE_UNBOX | USE_ARGUMENT));
}

/* Calls visit for each argument of a parameter that somebody wants. */
static bool
each_edge(struct loop *l, const uint8_t *use, bool (*visit)(struct loop *l, ir_ref param, ir_ref argument))
{
	const struct ir_region *r = l->region;
	bool any = false;

	for (uint32_t block = 0; block < r->block_count; block++) {
		ir_ref end = ir_block_end(r, block), first;
		const uint32_t *list;
		uint32_t count;

		if (ir_targets(r, end) != 1)
			continue;
		first = r->block[ir_target(r, end, 0, &list, &count)].first;
		for (uint32_t k = 0; k < count; k++)
			if (use[first + k])
				any |= visit(l, first + k, list[k]);
	}
	return any;
}

static bool
visit_single(struct loop *l, ir_ref param, ir_ref argument)
{
	const struct ir_ins *ins = &l->ins[argument];
	bool fits = ins->op == IR_BOX || ins->op == IR_GET || l->val[argument].single;

	if (l->val[param].single && !fits) {
		l->val[param].single = false;
		return true;
	}
	if (!l->val[param].single && ins->op == IR_PARAM && l->val[argument].single) {
		l->val[argument].single = false;
		return true;
	}
	return false;
}

static bool
visit_boxed(struct loop *l, ir_ref param, ir_ref argument)
{
	if (l->val[param].single && l->ins[argument].op == IR_GET)
		l->boxed[l->ins[argument].aux] = l->val[argument].single = true;
	return false;
}

static void
find_singles(struct loop *l, const uint8_t *use)
{
	for (ir_ref ref = 1; ref < l->region->ins_count; ref++)
		l->val[ref].single = may_be_single(l, use, ref);
	while (each_edge(l, use, visit_single))
		;
	each_edge(l, use, visit_boxed);
}

/* A parameter that is not such wants the box whole. */
static bool
goes_whole(struct loop *l, const uint8_t *use, ir_ref box)
{
	const struct ir_region *r = l->region;

	for (uint32_t block = 0; block < r->block_count && use[box] & USE_ARGUMENT; block++) {
		ir_ref end = ir_block_end(r, block), first;
		const uint32_t *list;
		uint32_t count;

		if (ir_targets(r, end) != 1)
			continue;
		first = r->block[ir_target(r, end, 0, &list, &count)].first;
		for (uint32_t k = 0; k < count; k++)
			if (list[k] == box && use[first + k] && !l->val[first + k].single)
				return true;
	}
	return false;
}

/* ---- how each is had, all of them --------------------------------------------------- */

static enum late
late_of(struct loop *l, const uint8_t *use, ir_ref ref)
{
	const struct ir_ins *ins = &l->ins[ref];
	bool root = is_root(ins);

	if (ins->type == IR_VOID || (!use[ref] && !root))
		return LATE_DEAD;
	switch (ins->op) {
	case IR_CONST:
		return LATE_CONST;
	case IR_XLATE:
	case IR_COPY:
	case IR_TRUNC:
		return LATE_SAME;
	case IR_ADD:
		if (!is_sum(l, use, ref) || !l->block_of[ref]) /* made once */
			return LATE_PLACE;
		ins = &l->ins[ins->b];
		return ins->op == IR_CONST && ins->imm != (int32_t)ins->imm ? LATE_PLACE : LATE_SUM;
	case IR_ICMP:
		return use[ref] & ~(unsigned)USE_TEST || l->ins[ins->a].type > IR_I64 ? LATE_PLACE : LATE_TEST;
	case IR_BOX:
		return use[ref] & ~(unsigned)(USE_STATE | USE_LOW | USE_ARGUMENT) || goes_whole(l, use, ref) ? LATE_PLACE : LATE_BOX;
	case IR_UNBOX:
		return l->val[ins->a].single ? LATE_SAME : LATE_PLACE;
	default:
		return LATE_PLACE;
	}
}

/* A shift is left to the sums that want it if all that want it are such. */
static void
defer_shifts(struct loop *l, const uint8_t *use)
{
	bool *plain = arena_alloc(l->arena, l->region->ins_count * sizeof *plain);

	for (ir_ref ref = 1; ref < l->region->ins_count; ref++) {
		const struct ir_ins *ins = &l->ins[ref];

		if (ins->op != IR_ADD || l->val[ref].late == LATE_SUM)
			continue;
		if (l->val[ref].late == LATE_PLACE)
			plain[ins->a] = plain[ins->b] = true;
	}
	for (ir_ref ref = 1; ref < l->region->ins_count; ref++)
		if (l->val[ref].late == LATE_PLACE && l->block_of[ref] && is_index(l, &l->ins[ref]) &&
		    !(use[ref] & ~(unsigned)(USE_SUM | USE_STATE)) && use[ref] & USE_SUM && !plain[ref])
			l->val[ref].late = LATE_SUM;
	/* At most one of the two can be the index. */
	for (ir_ref ref = 1; ref < l->region->ins_count; ref++) {
		const struct ir_ins *ins = &l->ins[ref];

		if (ins->op == IR_ADD && l->val[ref].late == LATE_SUM && l->ins[ins->b].op == IR_SHL &&
		    l->val[ins->b].late == LATE_SUM && l->val[ins->a].late == LATE_SUM)
			l->val[ins->a].late = LATE_PLACE;
	}
}

/* ---- raw floats --------------------------------------------------------------------
 *
 * A value may be mended only if a NaN in it is one that arithmetic made: it is tame.
 * What was loaded, or has had its sign changed, is not: its NaNs have bits to be kept,
 * and to compare one may raise invalid. A parameter is raw if an argument is and all
 * are tame. Arguments that are what a slot held at entry are made so: the loop is not
 * entered if they are NaNs. A raw argument of a parameter that is not tame is mended on
 * its edge. */

/* 0, 4 or 8; what operands are is known but for parameters, which begin as 0. */
static unsigned
raw_of(const struct loop *l, ir_ref ref)
{
	const struct ir_ins *ins = &l->ins[ref];

	switch (ins->op) {
	case IR_FADD:
	case IR_FSUB:
	case IR_FMUL:
	case IR_FDIV:
	case IR_FSQRT:
	case IR_FCVT:
	case IR_FRINT:
		return ins->type == IR_F64 ? 8 : 4;
	case IR_BOX: /* in a place it is mended: others may not know it for a box */
		return l->val[ref].late == LATE_BOX ? l->val[ins->a].raw : 0;
	case IR_COPY:
		return l->val[ins->a].raw;
	default:
		return 0;
	}
}

static bool
is_tame(const struct loop *l, const bool *wild, ir_ref ref)
{
	const struct ir_ins *ins = &l->ins[ref];
	uint64_t size = (uint64_t)ins->imm << 1;

	switch (ins->op) {
	case IR_CONST:
		return size <= UINT64_C(0xffe0000000000000);
	case IR_BOX:
		return l->val[ref].late == LATE_BOX && is_tame(l, wild, ins->a);
	case IR_PARAM:
		return !wild[ref];
	case IR_FMA:
	case IR_FMIN:
	case IR_FMAX:
	case IR_I2F:
	case IR_GET:
		return true;
	default:
		return raw_of(l, ref) != 0;
	}
}

/* Calls visit for each argument of a parameter that is a double; true if any call
 * says so. */
static bool
each_argument(struct loop *l, bool *wild, bool (*visit)(struct loop *l, bool *wild, ir_ref param, ir_ref argument))
{
	const struct ir_region *r = l->region;
	bool any = false;

	for (uint32_t block = 0; block < r->block_count; block++) {
		ir_ref end = ir_block_end(r, block), first;
		const uint32_t *list;
		uint32_t count;

		if (ir_targets(r, end) != 1)
			continue;
		first = r->block[ir_target(r, end, 0, &list, &count)].first;
		for (uint32_t k = 0; k < count; k++)
			if (l->ins[first + k].type == IR_F64 && l->val[first + k].late == LATE_PLACE)
				any |= visit(l, wild, first + k, list[k]);
	}
	return any;
}

static bool
visit_wild(struct loop *l, bool *wild, ir_ref param, ir_ref argument)
{
	if (wild[param] || is_tame(l, wild, argument))
		return false;
	return wild[param] = true;
}

static bool
visit_raw(struct loop *l, bool *wild, ir_ref param, ir_ref argument)
{
	if (l->val[param].raw || wild[param] || !l->val[argument].raw)
		return false;
	l->val[param].raw = l->val[argument].raw;
	return true;
}

/* What comes to a raw parameter by way of others. */
static bool
visit_source(struct loop *l, bool *source, ir_ref param, ir_ref argument)
{
	if (!(source[param] || l->val[param].raw) || l->ins[argument].op != IR_PARAM || source[argument])
		return false;
	return source[argument] = true;
}

static bool
visit_entry(struct loop *l, bool *source, ir_ref param, ir_ref argument)
{
	if ((source[param] || l->val[param].raw) && l->ins[argument].op == IR_GET)
		l->no_nan[l->ins[argument].aux] |= l->val[param].single ? 4 : 8;
	return false;
}

static void
find_raw(struct loop *l)
{
	bool *wild = arena_alloc(l->arena, l->region->ins_count * sizeof *wild);
	bool *source = arena_alloc(l->arena, l->region->ins_count * sizeof *source);

	for (ir_ref ref = 1; ref < l->region->ins_count; ref++)
		if (l->ins[ref].op != IR_PARAM)
			l->val[ref].raw = (uint8_t)raw_of(l, ref);
	while (each_argument(l, wild, visit_wild))
		;
	while (each_argument(l, wild, visit_raw))
		;
	while (each_argument(l, source, visit_source))
		;
	each_argument(l, source, visit_entry);
}

/* ---- the plan ------------------------------------------------------------------------ */

static void
weigh(struct loop *l, ir_ref value, void *arg)
{
	const uint64_t *weight = arg;

	l->val[value].weight += *weight;
}

/* Uses by the state weigh nothing: an exit runs once. */
static void
weigh_all(struct loop *l)
{
	for (ir_ref ref = 1; ref < l->region->ins_count; ref++) {
		const struct ir_ins *ins = &l->ins[ref];
		unsigned depth = l->cfg.depth[l->block_of[ref]], kinds = operand_kinds(ins);
		uint64_t weight = UINT64_C(1) << 3 * (depth < 6 ? depth : 6);
		const uint32_t *list;
		uint32_t count;

		if (ins->type != IR_VOID && l->val[ref].late != LATE_PLACE)
			continue;
		if (l->val[ref].late == LATE_PLACE)
			l->val[ref].weight += weight;
		if (kinds & 1)
			loop_leaves(l, ins->a, weigh, &weight);
		if (kinds & 2)
			loop_leaves(l, ins->b, weigh, &weight);
		if (kinds & 4)
			loop_leaves(l, ins->c, weigh, &weight);
		if (ins->op != IR_GOTO)
			continue;
		ir_target(l->region, ref, 0, &list, &count);
		for (uint32_t i = 0; i < count; i++)
			loop_leaves(l, list[i], weigh, &weight);
	}
}

static bool
all_known(const struct loop *l)
{
	for (ir_ref ref = 1; ref < l->region->ins_count; ref++)
		if ((l->val[ref].late != LATE_DEAD || l->ins[ref].type == IR_VOID) && !loop_knows(l, ref))
			return false;
	return true;
}

bool
loop_plan(struct loop *l)
{
	const struct ir_region *r = l->region;
	uint8_t *use = arena_alloc(l->arena, r->ins_count);
	uint32_t map = 0;

	l->block_of = arena_alloc(l->arena, r->ins_count * sizeof *l->block_of);
	l->map_first = arena_alloc(l->arena, (r->ins_count + 1) * sizeof *l->map_first);
	for (uint32_t block = 0; block < r->block_count; block++)
		for (uint32_t i = 0; i < r->block[block].count; i++)
			l->block_of[r->block[block].first + i] = block;
	for (ir_ref ref = 1; ref < r->ins_count; ref++) {
		if (l->ins[ref].op == IR_GET)
			l->entry[l->ins[ref].aux] = ref;
		while (map < r->map_count && r->map[map].at < ref)
			map++;
		l->map_first[ref] = map;
	}
	l->map_first[r->ins_count] = r->map_count;
	want_all(l, use);
	find_singles(l, use);
	for (ir_ref ref = 1; ref < r->ins_count; ref++)
		l->val[ref].late = (uint8_t)late_of(l, use, ref);
	defer_shifts(l, use);
	if (!all_known(l))
		return false;
	find_raw(l);
	weigh_all(l);
	return true;
}

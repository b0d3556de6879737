/* Parameters that are one value, folding, value numbering, invariants: opt.h.
 *
 * The new region has the same blocks. An op is looked up when it has been made:
 * what the builder folds it to is what counts. */
#include "opt/opt_impl.h"

#include <string.h>

struct clean {
	struct ir_builder b;
	const struct ir_region *in;
	struct ir_cfg cfg;
	ir_ref *same;      /* in `in`: the value that a parameter always is, or 0 */
	bool *fixed;       /* in `in`: made in the first block */
	ir_ref *renamed;   /* from `in` to the new region */
	uint32_t *block;   /* of each op of the new region. Room for `room` */
	uint32_t room;
	ir_ref *table;     /* by hash: pure ops of the new region */
	uint32_t mask;
	uint32_t maps;     /* of `in`, done */
};

static ir_ref
resolve(const struct clean *c, ir_ref ref)
{
	while (c->same[ref])
		ref = c->same[ref];
	return ref;
}

/* ---- parameters ----------------------------------------------------------- */

/* Takes another edge into account: one[k] is the value that parameter k has always
 * been so far, 0 at first, or itself when it has been two. */
static void
meet(const struct clean *c, const struct ir_block *to, const uint32_t *arguments, ir_ref *one)
{
	for (uint32_t k = 0; k < to->parameters; k++) {
		ir_ref self = to->first + k, value = resolve(c, arguments[k]);

		if (value == self || one[k] == value)
			continue;
		one[k] = one[k] ? self : value;
	}
}

static bool
settle_block(struct clean *c, uint32_t number)
{
	const struct ir_region *in = c->in;
	const struct ir_block *block = &in->block[number];
	ir_ref one[IR_SLOT_MAX] = { 0 };
	bool changed = false;

	for (uint32_t i = 0; i < c->cfg.reached; i++) {
		ir_ref end = ir_block_end(in, c->cfg.order[i]);
		const uint32_t *arguments;
		uint32_t count;

		for (unsigned which = 0; which < ir_targets(in, end); which++)
			if (ir_target(in, end, which, &arguments, &count) == number)
				meet(c, block, arguments, one);
	}
	for (uint32_t k = 0; k < block->parameters; k++) {
		ir_ref self = block->first + k;

		if (c->same[self] || !one[k] || one[k] == self)
			continue;
		c->same[self] = one[k];
		changed = true;
	}
	return changed;
}

static void
settle_parameters(struct clean *c)
{
	for (bool changed = true; changed;) {
		changed = false;
		for (uint32_t i = 0; i < c->cfg.reached; i++)
			if (c->in->block[c->cfg.order[i]].parameters)
				changed |= settle_block(c, c->cfg.order[i]);
	}
}

/* ---- invariants ----------------------------------------------------------- */

static bool
is_pure_value(const struct ir_ins *ins)
{
	return ir_op_info[ins->op].effects == IR_E_PURE && ins->type != IR_VOID && ins->op != IR_PARAM;
}

/* What is done in each round of a loop: in a loop within another, or on every way to a
 * jump back. The rest is not worth being done before. */
static bool
is_frequent(const struct clean *c, uint32_t block)
{
	if (!block || c->cfg.depth[block] > 1)
		return true;
	for (uint32_t i = 0; i < c->cfg.reached; i++) {
		ir_ref end = ir_block_end(c->in, c->cfg.order[i]);

		if (ir_targets(c->in, end) == 1 && c->cfg.place[ir_successor(c->in, end, 0)] <= i &&
		    ir_cfg_dominates(&c->cfg, block, c->cfg.order[i]))
			return true;
	}
	return false;
}

static void
find_fixed(struct clean *c)
{
	for (uint32_t i = 0; i < c->cfg.reached; i++) {
		const struct ir_block *block = &c->in->block[c->cfg.order[i]];
		bool frequent = is_frequent(c, c->cfg.order[i]);

		for (ir_ref ref = block->first; ref < block->first + block->count; ref++) {
			const struct ir_ins *ins = &c->in->ins[ref];
			unsigned kinds = opt_operands(ins);

			c->fixed[ref] = ins->op == IR_GET || ins->op == IR_CONST ||
					(frequent && is_pure_value(ins) && (!(kinds & 1) || c->fixed[resolve(c, ins->a)]) &&
					 (!(kinds & 2) || c->fixed[resolve(c, ins->b)]) &&
					 (!(kinds & 4) || c->fixed[resolve(c, ins->c)]));
		}
	}
}

/* ---- value numbering ------------------------------------------------------- */

static uint32_t
hash(const struct ir_ins *ins)
{
	uint64_t h = (uint64_t)ins->op | (uint64_t)ins->type << 8 | (uint64_t)ins->aux << 16 | (uint64_t)ins->a << 32;

	h = (h ^ (uint64_t)ins->imm * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xff51afd7ed558ccd);
	return (uint32_t)(h >> 32);
}

/* Notes the blocks of the ops made since `from`. */
static bool
note_block(struct clean *c, ir_ref from)
{
	if (c->b.region->ins_count > c->room || c->b.failed)
		return false;
	for (; from < c->b.region->ins_count; from++)
		c->block[from] = c->b.block;
	return true;
}

/* The value of the newest op, which may be there already. */
static ir_ref
number(struct clean *c, ir_ref ref)
{
	struct ir_region *r = c->b.region;
	const struct ir_ins *ins = &r->ins[ref];
	uint32_t i = hash(ins) & c->mask;

	for (; c->table[i]; i = (i + 1) & c->mask) {
		ir_ref old = c->table[i];

		if (memcmp(&r->ins[old], ins, sizeof *ins) || !ir_cfg_dominates(&c->cfg, c->block[old], c->b.block))
			continue;
		if (ins->op != IR_CONST) /* the builder may remember it */
			r->ins_count--;
		return old;
	}
	c->table[i] = ref;
	return ref;
}

/* ---- copying --------------------------------------------------------------- */

static ir_ref
operand(const struct clean *c, ir_ref ref, bool is_value)
{
	return is_value ? c->renamed[resolve(c, ref)] : ref;
}

static bool
copy_pure(struct clean *c, ir_ref ref)
{
	const struct ir_ins *ins = &c->in->ins[ref];
	unsigned kinds = opt_operands(ins);
	ir_ref before = c->b.region->ins_count, made;

	if (!kinds)
		made = opt_copy(&c->b, c->in, ref, c->renamed, 0);
	else
		made = ir_fold(&c->b, (enum ir_op)ins->op, (enum ir_type)ins->type, ins->aux,
			       operand(c, ins->a, kinds & 1), operand(c, ins->b, kinds & 2),
			       operand(c, ins->c, kinds & 4));
	if (!note_block(c, before))
		return false;
	if (made >= before && made == c->b.region->ins_count - 1)
		made = number(c, made);
	c->renamed[ref] = made;
	return true;
}

/* The state map of op ref for the newest op. */
static void
copy_map(struct clean *c, ir_ref ref)
{
	const struct ir_region *in = c->in;

	while (c->maps < in->map_count && in->map[c->maps].at < ref)
		c->maps++;
	for (; c->maps < in->map_count && in->map[c->maps].at == ref; c->maps++) {
		const struct ir_map *m = &in->map[c->maps];
		ir_ref value = c->renamed[resolve(c, m->value)];
		const struct ir_ins *ins = &c->b.region->ins[value];

		if (ins->op != IR_GET || ins->aux != m->slot)
			opt_map(c->b.region, c->b.region->ins_count - 1, m->slot, (enum ir_fixup)m->fixup, value);
	}
}

static bool
copy_op(struct clean *c, ir_ref ref)
{
	const struct ir_ins *ins = &c->in->ins[ref];
	ir_ref before = c->b.region->ins_count;

	if (c->fixed[ref] || ins->op == IR_NOP)
		return true;
	if (is_pure_value(ins))
		return copy_pure(c, ref);
	for (unsigned i = 0, kinds = opt_operands(ins); i < 3; i++) {
		ir_ref value = i == 0 ? ins->a : i == 1 ? ins->b : ins->c;

		if (kinds >> i & 1)
			c->renamed[value] = c->renamed[resolve(c, value)];
	}
	c->renamed[ref] = opt_copy(&c->b, c->in, ref, c->renamed, 0);
	if (!note_block(c, before))
		return false;
	copy_map(c, ref);
	return true;
}

static bool
copy_end(struct clean *c, ir_ref end)
{
	const struct ir_region *in = c->in;
	ir_ref argument[IR_SLOT_MAX], before = c->b.region->ins_count, value;
	const uint32_t *list;
	uint32_t count, kept = 0, to;

	switch (ir_targets(in, end)) {
	case 0:
		value = ir_exit_of(in, end).value;
		c->renamed[value] = c->renamed[resolve(c, value)];
		opt_copy_exit(&c->b, in, end, c->renamed, 0);
		break;
	case 1:
		to = ir_target(in, end, 0, &list, &count);
		for (uint32_t i = 0; i < count; i++)
			if (!c->same[in->block[to].first + i])
				argument[kept++] = c->renamed[resolve(c, list[i])];
		ir_goto(&c->b, to, kept, argument);
		break;
	case 2:
		ir_br(&c->b, c->renamed[resolve(c, in->ins[end].a)], ir_successor(in, end, 0), ir_successor(in, end, 1));
		break;
	}
	if (!note_block(c, before))
		return false;
	copy_map(c, end);
	return true;
}

/* What comes to the first block: GETs and constants first. */
static bool
copy_fixed(struct clean *c)
{
	for (uint32_t i = 0; i < c->cfg.reached; i++) {
		const struct ir_block *block = &c->in->block[c->cfg.order[i]];

		for (ir_ref ref = block->first; ref < block->first + block->count; ref++) {
			ir_ref before = c->b.region->ins_count;

			if (!c->fixed[ref])
				continue;
			if (c->in->ins[ref].op == IR_GET)
				c->renamed[ref] = ir_get(&c->b, c->in->ins[ref].aux);
			else if (!copy_pure(c, ref))
				return false;
			if (!note_block(c, before))
				return false;
		}
	}
	return true;
}

static bool
copy_block(struct clean *c, uint32_t number_of)
{
	const struct ir_block *block = &c->in->block[number_of];
	ir_ref end = ir_block_end(c->in, number_of), before;

	if (!number_of) {
		if (!copy_fixed(c))
			return false;
	} else {
		ir_block(&c->b, false);
	}
	for (ir_ref ref = block->first; ref < block->first + block->parameters; ref++) {
		if (c->same[ref])
			continue;
		before = c->b.region->ins_count;
		c->renamed[ref] = ir_param(&c->b, (enum ir_type)c->in->ins[ref].type);
		if (!note_block(c, before))
			return false;
	}
	for (ir_ref ref = block->first + block->parameters; ref < end; ref++)
		if (!copy_op(c, ref))
			return false;
	return copy_end(c, end);
}

bool
opt_clean(struct ir_region *out, const struct ir_region *in, struct arena *arena)
{
	struct clean *c = arena_alloc(arena, sizeof *c);

	c->in = in;
	c->room = 2 * in->ins_count;
	for (c->mask = 63; c->mask < 2 * c->room; c->mask = 2 * c->mask + 1)
		;
	c->same = arena_alloc(arena, in->ins_count * sizeof *c->same);
	c->fixed = arena_alloc(arena, in->ins_count * sizeof *c->fixed);
	c->renamed = arena_alloc(arena, in->ins_count * sizeof *c->renamed);
	c->block = arena_alloc(arena, c->room * sizeof *c->block);
	c->table = arena_alloc(arena, (c->mask + 1) * sizeof *c->table);
	ir_cfg_make(&c->cfg, in, arena);
	if (c->cfg.reached != in->block_count)
		return false;
	opt_begin(&c->b, out, in, arena);
	settle_parameters(c);
	find_fixed(c);
	for (uint32_t i = 0; i < in->block_count; i++)
		if (!copy_block(c, i))
			return false;
	return ir_build_end(&c->b);
}

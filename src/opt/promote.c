/* Slots become values: opt.h.
 *
 * A block that more than one edge leads to takes every slot that is SET anywhere
 * as a parameter; those that are always one value go in opt_clean. That is more
 * than needed for a moment, and needs no frontiers of dominance. */
#include "opt/opt_impl.h"

#include <string.h>

struct promote {
	struct ir_builder b;
	const struct ir_region *in;
	struct ir_cfg cfg;
	struct arena *arena;
	ir_ref *renamed;              /* of each op of `in` */
	bool wanted[IR_SLOT_MAX];     /* has a GET */
	uint16_t set[IR_SLOT_MAX];    /* slots that are SET */
	unsigned sets;
	ir_ref entry[IR_SLOT_MAX];    /* what each held at entry */
	ir_ref now[IR_SLOT_MAX];      /* what each holds now */
	struct behind *behind;        /* of each block */
	/* What the present guest instruction has done. */
	bool changed;                 /* SET a slot */
	bool stored;
};

/* What is so where a block ends. */
struct behind {
	ir_ref *now;
	bool changed, stored;
};

/* What the pass knows how to treat; notes which slots there are. */
static bool
survey(struct promote *p)
{
	const struct ir_slots *slots = p->in->slots;
	bool set[IR_SLOT_MAX] = { false };

	for (ir_ref ref = 1; ref < p->in->ins_count; ref++) {
		const struct ir_ins *ins = &p->in->ins[ref];

		if (ins->op == IR_GET || ins->op == IR_SET) {
			enum ir_type type = (enum ir_type)(ins->op == IR_GET ? ins->type : p->in->ins[ins->a].type);

			if (slots->slot[ins->aux].alias != ins->aux || type != slots->slot[ins->aux].type)
				return false;
			p->wanted[ins->aux] = true;
			set[ins->aux] |= ins->op == IR_SET;
		} else if (ins->op == IR_FPFLAGS_GET || ins->op == IR_FPFLAGS_SET) {
			continue; /* no slot: they stay */
		} else if (ins->op == IR_CALL || ins->op == IR_PARAM ||
			   ir_op_info[ins->op].effects & (IR_E_READ_STATE | IR_E_WRITE_STATE)) {
			return false;
		}
	}
	for (unsigned slot = 0; slot < slots->count; slot++) {
		if (slots->slot[slot].boundary >= 0 && slots->slot[slot].alias == slot)
			p->wanted[slot] = true;
		if (set[slot])
			p->set[p->sets++] = (uint16_t)slot;
	}
	return true;
}

static void
put_map(struct promote *p, ir_ref at)
{
	for (unsigned i = 0; i < p->sets; i++) {
		unsigned slot = p->set[i];

		if (p->now[slot] != p->entry[slot])
			opt_map(p->b.region, at, slot, IR_FIX_NONE, p->now[slot]);
	}
}

/* The op may leave the region before its instruction. */
static bool
may_leave(const struct ir_ins *ins)
{
	unsigned effects = ir_op_info[ins->op].effects;

	if (ins->op == IR_XLATE)
		return IR_XLATE_ALIGN(ins->aux);
	return effects & (IR_E_FAULT | IR_E_FP);
}

static bool
copy_op(struct promote *p, ir_ref ref)
{
	const struct ir_ins *ins = &p->in->ins[ref];

	switch ((int)ins->op) {
	case IR_GET:
		p->renamed[ref] = p->now[ins->aux];
		return true;
	case IR_SET:
		p->now[ins->aux] = p->renamed[ins->a];
		p->changed = true;
		return true;
	case IR_AT:
		p->changed = p->stored = false;
		break;
	}
	p->renamed[ref] = opt_copy(&p->b, p->in, ref, p->renamed, 0);
	if (may_leave(ins)) {
		/* Of several stores only one that crosses pages may fault behind the first. */
		if (p->changed || (p->stored && ins->op != IR_STORE))
			return false; /* the state before its instruction is gone */
		put_map(p, p->b.region->ins_count - 1);
	}
	p->changed |= ins->op == IR_FPFLAGS_SET;
	p->stored |= (ir_op_info[ins->op].effects & IR_E_WRITE_MEM) != 0;
	return true;
}

/* An edge to a block, with what it takes. */
static void
go(struct promote *p, uint32_t to)
{
	ir_ref argument[IR_SLOT_MAX];
	unsigned count = p->cfg.preds[to] > 1 ? p->sets : 0;

	for (unsigned i = 0; i < count; i++)
		argument[i] = p->now[p->set[i]];
	ir_goto(&p->b, p->cfg.place[to], count, argument);
}

static bool
copy_end(struct promote *p, uint32_t block)
{
	const struct ir_region *in = p->in;
	ir_ref end = ir_block_end(in, block);
	uint32_t yes, no;

	switch (ir_targets(in, end)) {
	case 0:
		opt_copy_exit(&p->b, in, end, p->renamed, 0);
		put_map(p, p->b.region->ins_count - 1);
		return true;
	case 1:
		yes = ir_successor(in, end, 0);
		go(p, yes);
		if (p->cfg.place[yes] > p->cfg.place[block])
			return true;
		put_map(p, p->b.region->ins_count - 1);
		return !p->changed && !p->stored;
	}
	yes = ir_successor(in, end, 0);
	no = ir_successor(in, end, 1);
	ir_br(&p->b, p->renamed[in->ins[end].a], p->cfg.place[yes], p->cfg.place[no]);
	/* Lifters give each way of a branch a block of its own. */
	return p->cfg.preds[yes] == 1 && p->cfg.preds[no] == 1;
}

/* What the slots hold where a block begins. */
static void
enter(struct promote *p, uint32_t block)
{
	const struct ir_slots *slots = p->in->slots;

	if (!p->cfg.place[block]) {
		for (unsigned slot = 0; slot < slots->count; slot++)
			if (p->wanted[slot])
				p->entry[slot] = p->now[slot] = ir_get(&p->b, slot);
		return;
	}
	ir_block(&p->b, false);
	if (p->cfg.preds[block] == 1) {
		const struct behind *behind = &p->behind[p->cfg.pred[block]];

		memcpy(p->now, behind->now, sizeof p->now);
		p->changed = behind->changed;
		p->stored = behind->stored;
		return;
	}
	memcpy(p->now, p->entry, sizeof p->now);
	for (unsigned i = 0; i < p->sets; i++)
		p->now[p->set[i]] = ir_param(&p->b, (enum ir_type)slots->slot[p->set[i]].type);
	p->changed = p->stored = false;
}

bool
opt_promote(struct ir_region *out, const struct ir_region *in, struct arena *arena)
{
	struct promote *p = arena_alloc(arena, sizeof *p);

	p->in = in;
	p->arena = arena;
	p->renamed = arena_alloc(arena, in->ins_count * sizeof *p->renamed);
	p->behind = arena_alloc(arena, in->block_count * sizeof *p->behind);
	ir_cfg_make(&p->cfg, in, arena);
	opt_begin(&p->b, out, in, arena);
	if (!survey(p) || p->cfg.preds[0])
		return false;
	for (uint32_t i = 0; i < p->cfg.reached; i++) {
		uint32_t block = p->cfg.order[i];
		ir_ref end = ir_block_end(in, block);

		enter(p, block);
		for (ir_ref ref = in->block[block].first; ref < end; ref++)
			if (!copy_op(p, ref))
				return false;
		if (!copy_end(p, block))
			return false;
		p->behind[block] = (struct behind){ arena_alloc(arena, sizeof p->now), p->changed, p->stored };
		memcpy(p->behind[block].now, p->now, sizeof p->now);
	}
	return ir_build_end(&p->b);
}

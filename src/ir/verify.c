/* The verifier: whether a region keeps the rules of ir.h and ops.def.
 *
 * In this order, each step relying on those before: blocks tile the ops and
 * end where they should; lists lie in the pool; each op's types and numbers
 * are right (verify_op.c); a value is used only where the op that makes it has
 * run, that is in blocks its block dominates; block parameters get what they
 * want; and no op that may fault comes after a SET of the same guest
 * instruction, for a fault must find the state from before it. A slot that the
 * faulting op's state map lists is exempt.
 *
 * Code that cannot be reached may use its own block's values alone.
 *
 * Takes nothing for granted but the counts in struct ir_region and the arrays
 * they stand for. Temporary memory comes from the region's arena.
 */
#include "ir/verify_impl.h"
#include "ir/text_impl.h"

#include <string.h>

bool
verify_fail(struct verify *v, ir_ref ref, const char *format, ...)
{
	const struct ir_region *r = v->region;
	char why[256];
	va_list args;

	va_start(args, format);
	text_vformat(why, sizeof why, format, args);
	va_end(args);
	error_set(v->error, 0, "op %u (%s): %s", ref,
		  ref < r->ins_count && r->ins[ref].op < IR_OP_COUNT ? ir_op_info[r->ins[ref].op].text : "?", why);
	return false;
}

static bool
is_end(const struct ir_ins *ins)
{
	return ir_op_info[ins->op].effects & IR_E_END;
}

/* ---- blocks ------------------------------------------------------------- */

static bool
check_block(struct verify *v, uint32_t number)
{
	const struct ir_region *r = v->region;
	const struct ir_block *block = &r->block[number];
	ir_ref ref = block->first, end = block->first + block->count;
	uint32_t parameters = 0;

	for (; ref < end; ref++) {
		const struct ir_ins *ins = &r->ins[ref];

		v->block_of[ref] = number;
		if (ins->op >= IR_OP_COUNT)
			return verify_fail(v, ref, "there is no op %u", ins->op);
		if (ins->type >= IR_TYPE_COUNT)
			return verify_fail(v, ref, "there is no type %u", ins->type);
		if (is_end(ins) != (ref == end - 1))
			return verify_fail(v, ref, is_end(ins) ? "the block goes on after its end" :
								 "the block has no end");
		if (ins->op != IR_PARAM)
			continue;
		if (ref - block->first != parameters++)
			return verify_fail(v, ref, "a parameter not at the head of its block");
		if (ins->imm != ref - block->first)
			return verify_fail(v, ref, "parameter %u has another number", ref - block->first);
	}
	if (parameters != block->parameters)
		return verify_fail(v, block->first, "block %u has %u parameters, not %u", number,
				   parameters, block->parameters);
	return true;
}

static bool
check_blocks(struct verify *v)
{
	const struct ir_region *r = v->region;
	ir_ref next = 1;

	if (r->ins_count < 2 || !r->block_count || r->ins[0].op != IR_NOP)
		return verify_fail(v, 0, "the region is empty");
	for (uint32_t i = 0; i < r->block_count; i++) {
		if (r->block[i].first != next || !r->block[i].count ||
		    r->block[i].count > r->ins_count - next)
			return verify_fail(v, next, "block %u does not begin here or is too long", i);
		next += r->block[i].count;
		if (!check_block(v, i))
			return false;
	}
	if (next != r->ins_count)
		return verify_fail(v, next, "in no block");
	if (r->block[0].parameters)
		return verify_fail(v, 1, "the first block has parameters");
	return true;
}

/* ---- control flow ------------------------------------------------------- */

static ir_ref
end_of(const struct ir_region *r, uint32_t block)
{
	return r->block[block].first + r->block[block].count - 1;
}

/* The number of a block's successor, if it has that many. */
static bool
successor(const struct ir_region *r, uint32_t block, unsigned which, uint32_t *to)
{
	const uint32_t *arguments;
	uint32_t count;
	ir_ref end = end_of(r, block);

	if (which >= verify_targets(&r->ins[end]))
		return false;
	*to = ir_target(r, end, which, &arguments, &count);
	return true;
}

/* Depth first, without recursion: a region may be as deep as it is long. */
static void
order_blocks(struct verify *v)
{
	const struct ir_region *r = v->region;
	uint32_t *stack = arena_alloc(r->arena, r->block_count * sizeof *stack);
	uint8_t *next = arena_alloc(r->arena, r->block_count);
	bool *seen = arena_alloc(r->arena, r->block_count * sizeof *seen);
	uint32_t depth = 1, to, at = r->block_count;

	memset(v->place, 0xff, r->block_count * sizeof *v->place);
	stack[0] = 0;
	seen[0] = true;
	while (depth) {
		uint32_t block = stack[depth - 1];

		if (!successor(r, block, next[block]++, &to)) {
			v->order[--at] = block;
			depth--;
		} else if (!seen[to]) {
			seen[to] = true;
			stack[depth++] = to;
		}
	}
	v->reached = r->block_count - at;
	memmove(v->order, v->order + at, v->reached * sizeof *v->order);
	for (uint32_t i = 0; i < v->reached; i++)
		v->place[v->order[i]] = i;
}

/* The nearest block that dominates both. */
static uint32_t
common(const struct verify *v, uint32_t x, uint32_t y)
{
	while (x != y)
		if (v->place[x] > v->place[y])
			x = v->above[x];
		else
			y = v->above[y];
	return x;
}

/* Immediate dominators by iteration to a fixed point in reverse postorder, as
 * Cooper, Harvey and Kennedy do ("A Simple, Fast Dominance Algorithm"). */
static void
find_dominators(struct verify *v)
{
	const struct ir_region *r = v->region;
	bool changed = true;

	memset(v->above, 0xff, r->block_count * sizeof *v->above);
	v->above[0] = 0;
	while (changed) {
		changed = false;
		for (uint32_t i = 0; i < v->reached; i++) {
			uint32_t from = v->order[i], to, now;

			for (unsigned which = 0; successor(r, from, which, &to); which++) {
				now = v->above[to] == NOWHERE ? from : common(v, v->above[to], from);
				changed |= now != v->above[to];
				v->above[to] = now;
			}
		}
	}
}

/* ---- uses --------------------------------------------------------------- */

static bool
check_use(struct verify *v, ir_ref user, ir_ref value)
{
	const struct ir_region *r = v->region;
	uint32_t from, to = v->block_of[user];

	if (!value || value >= r->ins_count)
		return verify_fail(v, user, "there is no value %u", value);
	if (r->ins[value].type == IR_VOID)
		return verify_fail(v, user, "op %u makes no value", value);
	from = v->block_of[value];
	if (from == to)
		return value < user || verify_fail(v, user, "%%%u is made only later", value);
	if (v->place[from] == NOWHERE || v->place[to] == NOWHERE)
		return verify_fail(v, user, "%%%u is of another block, and one cannot be reached", value);
	while (v->place[to] > v->place[from])
		to = v->above[to];
	return to == from || verify_fail(v, user, "%%%u may not have been made on the way here", value);
}

static bool
check_list(struct verify *v, ir_ref user, const uint32_t *list, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (!check_use(v, user, list[i]))
			return false;
	return true;
}

static bool
check_target(struct verify *v, ir_ref end, unsigned which)
{
	const struct ir_region *r = v->region;
	const uint32_t *arguments;
	uint32_t count, number = ir_target(r, end, which, &arguments, &count);
	const struct ir_block *block = &r->block[number];

	if (!check_list(v, end, arguments, count))
		return false;
	if (count != block->parameters)
		return verify_fail(v, end, "block %u takes %u arguments, not %u", number, block->parameters, count);
	for (uint32_t i = 0; i < count; i++)
		if (r->ins[arguments[i]].type != r->ins[block->first + i].type)
			return verify_fail(v, end, "argument %u of block %u is %s, not %s", i, number,
					   ir_type_name(r->ins[arguments[i]].type),
					   ir_type_name(r->ins[block->first + i].type));
	return true;
}

static bool
check_uses(struct verify *v, ir_ref ref)
{
	const struct ir_ins *ins = &v->region->ins[ref];
	const uint32_t operand[3] = { ins->a, ins->b, ins->c };
	const uint32_t *list;
	uint32_t count;

	for (unsigned i = 0; i < 3; i++)
		if (text_is_value(ir_op_info[ins->op].operands[i]) && !check_use(v, ref, operand[i]))
			return false;
	for (unsigned i = 0; i < verify_targets(ins); i++)
		if (!check_target(v, ref, i))
			return false;
	if (ins->op == IR_CALL) {
		list = ir_call_arguments(v->region, ref, &count);
		return check_list(v, ref, list, count);
	}
	if (ins->op == IR_EXIT && ir_exit_of(v->region, ref).value)
		return check_use(v, ref, ir_exit_of(v->region, ref).value);
	return true;
}

/* ---- state maps --------------------------------------------------------- */

static bool
fits(const struct ir_map *m, enum ir_type value, enum ir_type slot)
{
	bool float_value = value >= IR_F16 && value <= IR_F64;

	switch ((enum ir_fixup)m->fixup) {
	case IR_FIX_NONE:
		return value == slot;
	case IR_FIX_BOX:
		return float_value && slot == IR_F64;
	case IR_FIX_CANON:
		return float_value && value == slot;
	case IR_FIX_SEXT32:
	case IR_FIX_ZEXT32:
		return (value == IR_I32 || value == IR_I64) && slot == IR_I64;
	case IR_FIX_FLAGS:
		return value == IR_FLAGS;
	}
	return false;
}

static bool
check_maps(struct verify *v)
{
	const struct ir_region *r = v->region;
	ir_ref last = 1;

	for (uint32_t i = 0; i < r->map_count; i++) {
		const struct ir_map *m = &r->map[i];

		if (m->at < last || m->at >= r->ins_count)
			return verify_fail(v, m->at, "its state map is out of order");
		last = m->at;
		if (m->slot >= r->slots->count)
			return verify_fail(v, m->at, "its state map has a slot %u", m->slot);
		if (!check_use(v, m->at, m->value))
			return false;
		if (!fits(m, r->ins[m->value].type, r->slots->slot[m->slot].type))
			return verify_fail(v, m->at, "%%%u does not fit slot %s of its state map", m->value,
					   r->slots->slot[m->slot].name);
	}
	return true;
}

/* ---- faults before sets ------------------------------------------------- */

/* What the current guest instruction has changed: slots, and the rest. */
struct changed {
	uint64_t slot[IR_SLOT_MAX / 64];
	bool other;
};

static void
mark(struct changed *c, const struct ir_region *r, const struct ir_ins *ins)
{
	unsigned effects = ir_op_info[ins->op].effects;

	switch ((int)ins->op) {
	case IR_AT:
		memset(c, 0, sizeof *c);
		break;
	case IR_SET:
		c->slot[ins->aux / 64] |= UINT64_C(1) << ins->aux % 64;
		break;
	case IR_FPFLAGS_SET:
	case IR_FPROUND_SET:
		c->other = true;
		break;
	case IR_CALL:
		c->other |= (verify_helper_effects(r, ins->aux) & IR_H_WRITE_STATE) != 0;
		break;
	default:
		if ((effects & IR_E_FP) && !(ins->aux & IR_FP_NOFLAGS))
			c->other = true;
		break;
	}
}

static bool
may_fault(const struct ir_region *r, const struct ir_ins *ins)
{
	if (ins->op == IR_CALL)
		return verify_helper_effects(r, ins->aux) & IR_H_FAULT;
	return ir_op_info[ins->op].effects & IR_E_FAULT;
}

/* True if a fault at ref would find nothing changed. */
static bool
is_before(const struct ir_region *r, ir_ref ref, struct changed c)
{
	bool any = c.other;

	for (uint32_t i = 0; i < r->map_count; i++)
		if (r->map[i].at == ref)
			c.slot[r->map[i].slot / 64] &= ~(UINT64_C(1) << r->map[i].slot % 64);
	for (unsigned i = 0; i < ARRAY_LEN(c.slot); i++)
		any |= c.slot[i] != 0;
	return !any;
}

static bool
walk_block(struct verify *v, uint32_t number, struct changed *c, bool check)
{
	const struct ir_region *r = v->region;
	const struct ir_block *block = &r->block[number];

	for (ir_ref ref = block->first; ref < block->first + block->count; ref++) {
		if (check && may_fault(r, &r->ins[ref]) && !is_before(r, ref, *c))
			return verify_fail(v, ref, "may fault after its instruction has changed state");
		mark(c, r, &r->ins[ref]);
	}
	return true;
}

static bool
merge(struct changed *to, const struct changed *from)
{
	struct changed old = *to;

	for (unsigned i = 0; i < ARRAY_LEN(to->slot); i++)
		to->slot[i] |= from->slot[i];
	to->other |= from->other;
	return memcmp(old.slot, to->slot, sizeof old.slot) || old.other != to->other;
}

/* What has changed at the head of a block is what has at any block that leads
 * to it. */
static bool
check_faults(struct verify *v)
{
	const struct ir_region *r = v->region;
	struct changed *head = arena_alloc(r->arena, r->block_count * sizeof *head), c;
	bool again = true;

	while (again) {
		again = false;
		for (uint32_t i = 0; i < v->reached; i++) {
			uint32_t to;

			c = head[v->order[i]];
			walk_block(v, v->order[i], &c, false);
			for (unsigned which = 0; successor(r, v->order[i], which, &to); which++)
				again |= merge(&head[to], &c);
		}
	}
	for (uint32_t i = 0; i < r->block_count; i++) {
		c = head[i];
		if (!walk_block(v, i, &c, true))
			return false;
	}
	return true;
}

/* A helper that wants the region to end does so with its guest instruction. */
static bool
check_helper_exit(struct verify *v, ir_ref ref)
{
	const struct ir_region *r = v->region;

	if (r->ins[ref].op != IR_CALL || r->ins[ref].aux >= r->helper_count ||
	    !(r->helpers[r->ins[ref].aux].effects & IR_H_EXIT))
		return true;
	for (ir_ref next = ref + 1; r->ins[next].op != IR_EXIT; next++)
		if (r->ins[next].op == IR_AT || is_end(&r->ins[next]))
			return verify_fail(v, ref, "the region goes on after a helper that ends it");
	return true;
}

int
ir_verify(const struct ir_region *region, struct error *error)
{
	struct verify v = {
		.region = region,
		.error = error,
		.block_of = arena_alloc(region->arena, region->ins_count * sizeof(uint32_t)),
		.order = arena_alloc(region->arena, region->block_count * sizeof(uint32_t)),
		.place = arena_alloc(region->arena, region->block_count * sizeof(uint32_t)),
		.above = arena_alloc(region->arena, region->block_count * sizeof(uint32_t)),
	};

	if (!check_blocks(&v))
		return -1;
	for (ir_ref ref = 1; ref < region->ins_count; ref++)
		if (!verify_pool(&v, ref))
			return -1;
	order_blocks(&v);
	find_dominators(&v);
	for (ir_ref ref = 1; ref < region->ins_count; ref++)
		if (!check_uses(&v, ref) || !verify_op(&v, ref) || !check_helper_exit(&v, ref))
			return -1;
	return check_maps(&v) && check_faults(&v) ? 0 : -1;
}

/* Addresses that no register needs to hold. Compiled RISC-V code indexes an
 * array by
 *
 *     slli a5,a5,2       add a5,a5,a4       lw a5,0(a5)
 *
 * and the host by one load. The ADD (and the SHL before it) can be left out if
 * nothing but the load wants them: the slot they set is set again by the load.
 * Should the load fault, the slot must hold the address: the state map then
 * says how to add it up from registers that are whole at that time.
 *
 * The shape is exact: ADD, SET s, AT, XLATE of the sum, LOAD of that, SET s;
 * before it SHL, a SET that is not needed, AT, perhaps a GET.
 */
#include "codegen/x86_64/gen.h"

static bool
is_dead(const struct gen *g, ir_ref ref)
{
	return g->dead_set[ref / 64] >> (ref % 64) & 1;
}

/* ref is an ADD that heads the shape. Uses are those left at this point. */
static bool
heads_load(const struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];

	return ref + 5 < g->region->ins_count && ins->op == IR_ADD && ins->type == IR_I64 && g->val[ref].uses == 2 &&
	       ins[1].op == IR_SET && ins[1].a == ref && !is_dead(g, ref + 1) && ins[2].op == IR_AT &&
	       ins[3].op == IR_XLATE && ins[3].a == ref && IR_XLATE_ALIGN(ins[3].aux) == 0 &&
	       g->val[ref + 3].uses == 1 && ins[4].op == IR_LOAD && ins[4].a == ref + 3 && !type_is_fp(ins[4].type) &&
	       ins[5].op == IR_SET && ins[5].a == ref + 4 && ins[5].aux == ins[1].aux &&
	       ir_type_bits(IR_MEM_TYPE(ins[4].aux)) <= 64;
}

bool
address_defer_add(struct gen *g, ir_ref ref)
{
	if (!g->job->guest_base_zero || !heads_load(g, ref) || is_const(g, g->ins[ref].b))
		return false;
	g->val[ref].deferred = true;
	return true;
}

bool
address_defer_shift(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref], *add = ins + 3;
	int64_t count;

	if (!g->job->guest_base_zero || ins->type != IR_I64 || g->val[ref].uses != 1 || !is_const(g, ins->b) ||
	    ref + 4 >= g->region->ins_count || ins[1].op != IR_SET || ins[1].a != ref || !is_dead(g, ref + 1) ||
	    ins[2].op != IR_AT)
		return false;
	if (add->op == IR_GET)
		add++;
	if (!heads_load(g, (ir_ref)(add - g->ins)) || (add->a == ref) == (add->b == ref))
		return false;
	count = g->ins[resolve(g, ins->b)].imm & 63;
	if (count < 1 || count > 3 || is_const(g, add->a == ref ? add->b : add->a))
		return false;
	g->val[ref].deferred = true;
	return true;
}

bool
address_of_load(struct gen *g, ir_ref load, struct x86_mem *m)
{
	ir_ref sum = resolve(g, g->ins[load].a), a, b;
	const struct ir_ins *add = &g->ins[sum];
	unsigned scale = 0;
	int base, index;

	if (add->op != IR_ADD || !g->val[sum].deferred)
		return false;
	a = resolve(g, add->a);
	b = resolve(g, add->b);
	if (g->val[a].deferred) {
		a = b;
		b = resolve(g, add->a);
	}
	base = use(g, a);
	if (g->val[b].deferred) {
		scale = (unsigned)g->ins[resolve(g, g->ins[b].b)].imm & 63;
		index = use(g, g->ins[b].a);
		drop(g, g->ins[b].a);
		drop(g, g->ins[b].b);
	} else {
		index = use(g, b);
	}
	drop(g, add->a);
	drop(g, add->b);
	*m = x86_index(base, index, scale, (int32_t)g->ins[load].c);
	return true;
}

void
address_mark_fault(struct gen *g, ir_ref load, struct x86_mem m)
{
	mark_fault(g);
	add_move(g, &(struct code_move){ .slot = g->ins[load + 1].aux,
					 .where = CODE_SUM,
					 .value = (uint64_t)m.base | (uint64_t)m.index << 8 |
						  (uint64_t)m.scale_log2 << 16 });
}

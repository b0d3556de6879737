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
 * before it SHL, a SET that is not needed, AT, perhaps a GET. On Arm one instruction
 * has all of it: (SHL,) ADD, XLATE, LOAD or STORE, where no slot has the sum; and what
 * it adds to the base register is added in place when the access is done.
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

/* The same for a sum that no slot has. */
static bool
heads_access(const struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];

	if (ref + 3 >= g->region->ins_count || ins->op != IR_ADD || ins->type != IR_I64 || g->val[ref].uses != 1 ||
	    ins[1].op != IR_XLATE || ins[1].a != ref || IR_XLATE_ALIGN(ins[1].aux) != 0 || g->val[ref + 1].uses != 1)
		return false;
	return (ins[2].op == IR_LOAD || ins[2].op == IR_STORE) && ins[2].a == ref + 1;
}

bool
address_defer_add(struct gen *g, ir_ref ref)
{
	if (!g->job->guest_base_zero || (!heads_load(g, ref) && !heads_access(g, ref)) || is_const(g, g->ins[ref].b))
		return false;
	g->val[ref].deferred = true;
	return true;
}

/* The ADD that the SHL's result is for, if it heads the first shape or is of the same
 * instruction; or 0. */
static ir_ref
sum_of_shift(const struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool other = ins[1].op == IR_SET && ins[1].a == ref && is_dead(g, ref + 1) && ins[2].op == IR_AT;
	ir_ref add = ref + (other ? 3 : 1);

	if (ref + 4 >= g->region->ins_count)
		return 0;
	if (g->ins[add].op == IR_GET)
		add++;
	if (other)
		return heads_load(g, add) ? add : 0;
	return g->ins[add].op == IR_ADD && g->ins[add].type == IR_I64 ? add : 0;
}

bool
address_defer_shift(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref], *add;
	ir_ref sum;
	int64_t count;

	if (!g->job->guest_base_zero || ins->type != IR_I64 || g->val[ref].uses != 1 || !is_const(g, ins->b))
		return false;
	sum = sum_of_shift(g, ref);
	if (!sum)
		return false;
	add = &g->ins[sum];
	if ((add->a == ref) == (add->b == ref))
		return false;
	count = g->ins[resolve(g, ins->b)].imm & 63;
	if (count < 1 || count > 3 || is_const(g, add->a == ref ? add->b : add->a))
		return false;
	g->val[ref].deferred = true;
	return true;
}

/* Of op user: whether ref is an operand. */
static bool
is_used(const struct ir_ins *user, ir_ref ref)
{
	const char *kinds = ir_op_info[user->op].operands;
	const ir_ref operand[] = { user->a, user->b, user->c };

	for (unsigned i = 0; i < 3; i++)
		if (kinds[i] != '.' && kinds[i] != '*' && kinds[i] != 'D' && operand[i] == ref)
			return true;
	return false;
}

/* Ops of a load or store that may come between. */
static bool
is_of_access(const struct ir_ins *ins)
{
	switch (ins->op) {
	case IR_NOP:
	case IR_CONST:
	case IR_GET:
	case IR_SET:
	case IR_XLATE:
	case IR_LOAD:
	case IR_STORE:
	case IR_ZEXT:
	case IR_SEXT:
	case IR_VSCALAR:
		return true;
	default:
		return false;
	}
}

/* Arm's post-index forms move the base register on once the access is done. The sum is
 * made before it in the IR; nobody wants it until it is SET. */
bool
address_defer_update(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	ir_ref a = resolve(g, ins->a), end = ref + 12 < g->region->ins_count ? ref + 12 : g->region->ins_count;
	int home = g->val[a].home;
	int32_t imm;

	if (ins->type != IR_I64 || home == NO_SLOT || g->slot_reg[home] == NO_REG || !const_imm32(g, ins->b, 8, &imm) ||
	    set_of(g, ref) != NO_SLOT)
		return false;
	for (ir_ref i = ref + 1; i < end; i++) {
		const struct ir_ins *other = &g->ins[i];

		if (other->op == IR_SET && other->aux == home) {
			g->val[ref].late = other->a == ref && !is_dead(g, i);
			return g->val[ref].late;
		}
		if (!is_of_access(other) || is_used(other, ref))
			return false;
	}
	return false;
}

void
address_update(struct gen *g, ir_ref ref, unsigned slot)
{
	const struct ir_ins *ins = &g->ins[ref];
	int from = use(g, ins->a);

	drop(g, ins->a);
	drop(g, ins->b);
	vacate(g, slot);
	x86_lea(&g->hot, 8, g->slot_reg[slot], x86_base(from, (int32_t)g->ins[resolve(g, ins->b)].imm));
	g->val[ref].late = false;
	g->val[ref].home = (int16_t)slot;
	g->slot_val[slot] = ref;
}

/* The operand is a SHL that was left to the ADD. */
static bool
is_left(const struct gen *g, ir_ref operand)
{
	return g->ins[operand].op == IR_SHL && g->val[operand].deferred;
}

/* The sum as an address. */
static struct x86_mem
sum_of(struct gen *g, const struct ir_ins *add, int32_t displacement)
{
	ir_ref a = resolve(g, add->a), b = resolve(g, add->b);
	unsigned scale = 0;
	int base, index;

	if (is_left(g, a)) {
		a = b;
		b = resolve(g, add->a);
	}
	base = use(g, a);
	if (is_left(g, b)) {
		scale = (unsigned)g->ins[resolve(g, g->ins[b].b)].imm & 63;
		index = use(g, g->ins[b].a);
	} else {
		index = use(g, b);
	}
	return x86_index(base, index, scale, displacement);
}

static void
drop_parts(struct gen *g, const struct ir_ins *add)
{
	const ir_ref operand[] = { add->a, add->b };

	for (unsigned i = 0; i < 2; i++) {
		ir_ref part = resolve(g, operand[i]);

		if (is_left(g, part)) {
			drop(g, g->ins[part].a);
			drop(g, g->ins[part].b);
		}
		drop(g, part);
	}
}

bool
address_of(struct gen *g, ir_ref access, struct x86_mem *m)
{
	ir_ref sum = resolve(g, g->ins[access].a);

	if (g->ins[sum].op != IR_ADD || !g->val[sum].deferred)
		return false;
	*m = sum_of(g, &g->ins[sum], (int32_t)g->ins[access].c);
	drop_parts(g, &g->ins[sum]);
	return true;
}

bool
address_sum(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	struct x86_mem m;
	int d;

	if (!is_left(g, resolve(g, ins->a)) && !is_left(g, resolve(g, ins->b)))
		return false;
	m = sum_of(g, ins, 0);
	d = dest(g, ref, true);
	x86_lea(&g->hot, 8, d, m);
	drop_parts(g, ins);
	define(g, ref, d);
	return true;
}

void
address_mark_fault(struct gen *g, ir_ref load, struct x86_mem m)
{
	mark_fault(g);
	if (g->ins[resolve(g, g->ins[load].a) + 1].op != IR_SET)
		return;
	add_move(g, &(struct code_move){ .slot = g->ins[load + 1].aux,
					 .where = CODE_SUM,
					 .value = (uint64_t)m.base | (uint64_t)m.index << 8 |
						  (uint64_t)m.scale_log2 << 16 });
}

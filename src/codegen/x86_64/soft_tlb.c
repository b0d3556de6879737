/* Guest memory of a system VM: the inline probe of the soft TLB (frame.h, struct
 * ir_tlb). A miss calls a thunk that keeps every register and tries to fill the
 * entry; then the probe is made again. What cannot be made to hit (a fault, a
 * device, an access across pages) is left to the evaluator: all state is at home
 * (gen.h, rule 1).
 *
 * Guest memory is always there, so loads and stores themselves never fault.
 *
 * Sharing. Accesses at constant distances from one value (a stack frame, a
 * struct) within SHARE_SPAN bytes share one probe, made by the first of them (the
 * leader) for the range of all: an entry that hits is good for the whole range,
 * with one set of rights, so none of the others can fault. Nothing in between
 * changes the TLB for this vCPU: a helper call ends sharing, and flushes by others
 * wait for a safepoint. A range that crosses pages never hits; then code goes on at the
 * leader's instruction in a region that does not share (job->apart), and from its end
 * in regions that do. Reads and writes do not share: a read must not dirty the page. */
#include "codegen/x86_64/gen.h"

#include <string.h>

enum { PAGE_SHIFT = 12, ENTRY_SHIFT = 5 };
_Static_assert(sizeof(struct ir_tlb) == 1 << ENTRY_SHIFT && IR_TLB_PAGE == 1 << PAGE_SHIFT, "shifts");

enum { SHARE_SPAN = 256, OPEN_GROUPS = 8 };

/* Accesses that share a probe. Distances are from the leader's base. */
struct tlb_group {
	ir_ref leader, last;
	ir_ref root;      /* the value all bases are sums of, and constants */
	int64_t leader_distance; /* of the leader's base from the root */
	int64_t lo, hi;   /* range of all, from the root */
	unsigned access;
};

struct tlb_plan {
	struct tlb_group *group;
	uint16_t *of;     /* by ref: its group and 1; 0: none */
	int32_t *shift;   /* by ref: its base from the leader's */
};

/* ---- planning ------------------------------------------------------------ */

static ir_ref
root_of(const struct gen *g, ir_ref ref, int64_t *distance)
{
	*distance = 0;
	while (g->ins[ref].op == IR_ADD && g->ins[g->ins[ref].b].op == IR_CONST) {
		*distance = (int64_t)((uint64_t)*distance + (uint64_t)g->ins[g->ins[ref].b].imm);
		ref = g->ins[ref].a;
	}
	return ref;
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Joins an open group, or opens one in place of the oldest. */
static void
plan_xlate(struct gen *g, ir_ref ref, uint16_t *open, unsigned *groups)
{
	struct tlb_plan *plan = g->tlb_plan;
	const struct ir_ins *ins = &g->ins[ref];
	int64_t distance, lo, hi;
	ir_ref root = root_of(g, ins->a, &distance);
	unsigned access = IR_XLATE_ACCESS(ins->aux) & IR_ACCESS_W;
	struct tlb_group *group;

	lo = distance + (int32_t)ins->b;
	hi = distance + (int32_t)ins->c;
	for (unsigned i = 0; i < OPEN_GROUPS && open[i]; i++) {
		group = &plan->group[open[i]];
		if (group->root != root || group->access != access ||
		    most(group->hi, hi) - least(group->lo, lo) > SHARE_SPAN)
			continue;
		group->lo = least(group->lo, lo);
		group->hi = most(group->hi, hi);
		group->last = ref;
		plan->of[ref] = open[i];
		plan->shift[ref] = (int32_t)(distance - group->leader_distance);
		return;
	}
	group = &plan->group[++*groups];
	*group = (struct tlb_group){ ref, ref, root, distance, lo, hi, access };
	plan->of[ref] = (uint16_t)*groups;
	memmove(open + 1, open, (OPEN_GROUPS - 1) * sizeof *open);
	open[0] = (uint16_t)*groups;
}

void
soft_tlb_plan(struct gen *g)
{
	uint32_t count = g->region->ins_count, xlates = 0;
	uint16_t open[OPEN_GROUPS] = { 0 };
	unsigned groups = 0;
	struct tlb_plan *plan;

	if (!g->job->system || g->job->apart)
		return;
	for (ir_ref ref = 1; ref < count; ref++)
		xlates += g->ins[ref].op == IR_XLATE;
	if (xlates < 2)
		return;
	plan = g->tlb_plan = arena_alloc(g->job->arena, sizeof *plan);
	plan->group = arena_alloc(g->job->arena, (xlates + 1) * sizeof *plan->group);
	plan->of = arena_alloc(g->job->arena, count * sizeof *plan->of);
	plan->shift = arena_alloc(g->job->arena, count * sizeof *plan->shift);
	for (ir_ref ref = 1; ref < count; ref++) {
		const struct ir_ins *ins = &g->ins[ref];

		if (ins->op == IR_CALL)
			memset(open, 0, sizeof open);
		else if (ins->op == IR_XLATE && !IR_XLATE_ALIGN(ins->aux))
			plan_xlate(g, ref, open, &groups);
	}
	for (unsigned i = 1; i <= groups; i++) /* until the last has come */
		if (plan->group[i].last != plan->group[i].leader)
			g->val[plan->group[i].leader].uses++;
}

int32_t
soft_tlb_shift(const struct gen *g, ir_ref host)
{
	return g->tlb_plan && g->ins[host].op == IR_XLATE ? g->tlb_plan->shift[host] : 0;
}

/* ---- code ----------------------------------------------------------------- */

/* A probe: of which access, from its operand in ra; d and t are free. */
struct probe {
	int ra, d, t;
	int32_t lo, hi;  /* the bytes [ra + lo, ra + hi) */
	unsigned access; /* enum ir_access */
	bool shared;     /* they are of several accesses */
};

/* On a miss of put_search's: the access to the frame, fill, again from `again`; else
 * out. */
static void
put_miss(struct gen *g, const struct probe *p, uint8_t *miss, const uint8_t *again)
{
	struct code_exit *record;
	uint8_t *apart = NULL;

	if (p->shared)
		gen_cold_exit(g, CODE_EXIT_APART, &apart);
	record = gen_interpret_stub(g);
	x86_patch_rel32(miss, g->cold.p);
	x86_lea(&g->cold, 8, p->d, x86_base(p->ra, p->lo));
	if (p->shared) { /* t has the page of the last byte */
		x86_alu_rr(&g->cold, X86_CMP, 8, p->d, p->t);
		x86_jcc(&g->cold, X86_CC_B, apart);
	}
	x86_mov_mr(&g->cold, 8, FRAME(miss_address), p->d);
	x86_mov_mi(&g->cold, 4, FRAME(miss_access), (int32_t)(p->access | (uint32_t)(p->hi - p->lo) << 8));
	x86_call_m(&g->cold, FRAME(miss_thunk));
	x86_jcc(&g->cold, X86_CC_NE, again);
	canonicalize_homes(g, &g->cold, false);
	flags_store(g, &g->cold);
	x86_jmp(&g->cold, stub_of(record));
}

/* The value is wanted by the plain access behind it alone, which then adds the
 * guest address itself: an index costs it nothing. */
static bool
leaves_sum(const struct gen *g, ir_ref ref)
{
	ir_ref next = ref + 1;

	if (g->val[ref].uses != 1 || IR_XLATE_ALIGN(g->ins[ref].aux))
		return false;
	while (next < g->region->ins_count && (g->ins[next].op == IR_GET || g->ins[next].op == IR_CONST))
		next++;
	return next < g->region->ins_count && (g->ins[next].op == IR_LOAD || g->ins[next].op == IR_STORE) &&
	       g->ins[next].a == ref;
}

struct x86_mem
soft_tlb_operand(struct gen *g, ir_ref host, int32_t displacement)
{
	int base = use(g, host), index;

	if (!g->job->system || g->tlb_sum != host)
		return x86_base(base, displacement + soft_tlb_shift(g, host));
	index = use(g, g->ins[host].a);
	drop(g, g->ins[host].a); /* stays locked while this op is made */
	g->tlb_sum = 0;
	return x86_index(base, index, 0, displacement);
}

/* d: the entry; t: the page of its last byte. Returns the jump that a miss takes. */
static uint8_t *
put_search(struct x86_asm *a, const struct probe *p)
{
	size_t tag = p->access & IR_ACCESS_W ? offsetof(struct ir_tlb, write) : offsetof(struct ir_tlb, read);
	int d = p->d, t = p->t;

	if (p->lo)
		x86_lea(a, 4, d, x86_base(p->ra, p->lo));
	else
		x86_mov_rr(a, 4, d, p->ra);
	x86_shr_ri(a, 4, d, PAGE_SHIFT - ENTRY_SHIFT);
	x86_alu_ri(a, X86_AND, 4, d, (int32_t)(IR_TLB_SIZE - 1) << ENTRY_SHIFT);
	x86_alu_rm(a, X86_ADD, 8, d, FRAME(tlb));
	x86_lea(a, 8, t, x86_base(p->ra, p->hi - 1));
	x86_alu_ri(a, X86_AND, 8, t, -(int32_t)IR_TLB_PAGE);
	x86_alu_rm(a, X86_CMP, 8, t, x86_base(d, (int32_t)tag));
	return x86_jcc_forward(a, X86_CC_NE);
}

#define SITE_SPAN_MAX 256 /* of the last set */

/* What is known of the access that is being made. */
static enum code_site
site_known(const struct gen *g)
{
	uint32_t place = code_place(g->region->pc + (uint64_t)(int64_t)g->pc);

	return g->job->places ? (enum code_site)g->job->places[place] : CODE_SITE_NEW;
}

/* The entry of the present instruction for accesses that span that many bytes: the
 * same whenever it is translated. *span: the most that accesses of its set span. */
static unsigned
site_number(const struct gen *g, bool writes, int32_t *span)
{
	uint64_t pc = g->region->pc + (uint64_t)(int64_t)g->pc;
	unsigned set = 0;

	while (set < IR_SITE_SPANS - 1 && 1 << set < *span)
		set++;
	*span = set == IR_SITE_SPANS - 1 ? SITE_SPAN_MAX : 1 << set;
	return (writes * IR_SITE_SPANS + set) * IR_SITE_SET + (unsigned)((pc / 2 + pc / IR_TLB_PAGE * 37) % IR_SITE_SET);
}

/* A miss of the entry comes to cold code, which counts it. */
static void
count_miss(struct gen *g, uint8_t *other, unsigned number, enum code_site known)
{
	uint64_t most = known == CODE_SITE_TRIED ? CODE_TRIED_MISSES : CODE_NEW_MISSES;
	struct code_exit *record;
	uint8_t *wander;

	if (known == CODE_SITE_GOOD) {
		x86_patch_rel32(other, g->cold.p);
		return;
	}
	record = gen_cold_exit(g, CODE_EXIT_WANDER, &wander);
	record->value = number;
	record->link = known == CODE_SITE_TRIED;
	x86_patch_rel32(other, g->cold.p);
	x86_alu_mi(&g->cold, X86_ADD, 4, frame_mem(offsetof(struct ir_frame, site[number].misses)),
		   (int32_t)((UINT64_C(1) << 32) / most));
	x86_jcc(&g->cold, X86_CC_B, wander);
}

/* Counts accesses of the entry. */
static void
count_try(struct gen *g, unsigned number)
{
	uint8_t *wander;

	gen_cold_exit(g, CODE_EXIT_WANDER, &wander)->value = number;
	x86_alu_mi(&g->hot, X86_ADD, 4, frame_mem(offsetof(struct ir_frame, site[number].tries)),
		   (int32_t)((UINT64_C(1) << 32) / CODE_TRIES));
	x86_patch_rel32(x86_jcc_forward(&g->hot, X86_CC_B), wander);
}

/* User-level code asks the entry of this place first (frame.h, struct ir_site):
 * half the instructions, and none of them a load whose address depends on the
 * guest's. The soft TLB is searched in cold code and fills it. A place that does so
 * too often is better off without: a jump that cannot be predicted costs more than
 * the search. */
static void
put_site(struct gen *g, const struct probe *p)
{
	int32_t span = p->hi - p->lo;
	unsigned number = site_number(g, p->access & IR_ACCESS_W, &span);
	struct x86_mem page = frame_mem(offsetof(struct ir_frame, site) + number * sizeof(struct ir_site));
	struct x86_mem limit = page, addend = page;
	enum code_site known = site_known(g);
	uint8_t *other, *miss;
	const uint8_t *again;
	int d = p->d, t = p->t;

	limit.disp += (int32_t)offsetof(struct ir_site, limit);
	addend.disp += (int32_t)offsetof(struct ir_site, addend);
	if (known == CODE_SITE_TRIED)
		count_try(g, number);
	if (p->lo)
		x86_lea(&g->hot, 8, t, x86_base(p->ra, p->lo));
	else
		x86_mov_rr(&g->hot, 8, t, p->ra);
	x86_alu_rm(&g->hot, X86_SUB, 8, t, page);
	x86_alu_rm(&g->hot, X86_CMP, 8, t, limit);
	other = x86_jcc_forward(&g->hot, X86_CC_AE);
	x86_mov_rm(&g->hot, 8, d, addend);

	count_miss(g, other, number, known);
	again = g->cold.p;
	miss = put_search(&g->cold, p);
	x86_mov_mr(&g->cold, 8, page, t);
	x86_mov_rm(&g->cold, 8, d, x86_base(d, (int32_t)offsetof(struct ir_tlb, addend)));
	x86_mov_mi(&g->cold, 8, limit, (int32_t)IR_TLB_PAGE - span + 1);
	x86_mov_mr(&g->cold, 8, addend, d);
	x86_mov_mi(&g->cold, 1, frame_mem(offsetof(struct ir_frame, site_used) + number / IR_SITE_GROUP), 1);
	x86_jmp(&g->cold, g->hot.p);
	put_miss(g, p, miss, again);
}

/* Makes the op's value, good for [lo, hi) from its operand. */
static void
put_probe(struct gen *g, ir_ref ref, int32_t lo, int32_t hi, bool shared)
{
	const struct ir_ins *ins = &g->ins[ref];
	unsigned align = IR_XLATE_ALIGN(ins->aux);
	int ra = use(g, ins->a), d = temp(g, GPR), t = temp(g, GPR);
	struct probe p = { ra, d, t, lo, hi, IR_XLATE_ACCESS(ins->aux), shared };
	const uint8_t *again;
	uint8_t *miss;

	if (align) {
		x86_test_ri(&g->hot, 4, ra, (1 << align) - 1);
		gen_bail(g, X86_CC_NE);
	}
	if (g->job->sites && hi - lo <= SITE_SPAN_MAX && site_known(g) != CODE_SITE_WANDER) {
		put_site(g, &p);
	} else {
		again = g->hot.p;
		miss = put_search(&g->hot, &p);
		put_miss(g, &p, miss, again);
		x86_mov_rm(&g->hot, 8, d, x86_base(d, (int32_t)offsetof(struct ir_tlb, addend)));
	}
	if (leaves_sum(g, ref)) {
		g->tlb_sum = ref;
	} else {
		x86_alu_rr(&g->hot, X86_ADD, 8, d, ra);
		drop(g, ins->a);
	}
	define(g, ref, d);
}

void
soft_tlb_xlate(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	const struct tlb_group *group;

	if (!g->tlb_plan || !g->tlb_plan->of[ref]) {
		put_probe(g, ref, (int32_t)ins->b, (int32_t)ins->c, false);
		return;
	}
	group = &g->tlb_plan->group[g->tlb_plan->of[ref]];
	if (ref == group->leader) {
		put_probe(g, ref, (int32_t)(group->lo - group->leader_distance),
			  (int32_t)(group->hi - group->leader_distance), group->last != group->leader);
		return;
	}
	define_alias(g, ref, group->leader);
	drop(g, ins->a);
	if (ref == group->last)
		drop(g, group->leader);
}

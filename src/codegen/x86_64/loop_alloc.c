/* A place for each value. The values whose uses weigh most for the time they are
 * alive choose first; each takes a register that no value alive with it has, by
 * preference one that saves a move; the rest live in the frame. Loops are small:
 * where each place is taken is a bit an op, and two values may share a place if
 * their bits do not meet. */
#include "codegen/x86_64/loop.h"

#include <string.h>

struct choice {
	ir_ref value;
	uint64_t rank;
};

struct alloc {
	struct loop *l;
	uint64_t *taken[2][16];      /* of each register, GPR and FPR: the bits */
	uint64_t *word[IR_SCRATCH];
	/* The values that a value had better share a register with: parameters and
	 * their arguments, results and first operands. Lists by number. */
	struct friend { ir_ref value; uint32_t next; } *friend;
	uint32_t *first, friends, room;
};

static bool
is_free(const struct alloc *a, const uint64_t *taken, const uint64_t *row)
{
	for (uint32_t i = 0; i < a->l->words; i++)
		if (taken[i] & row[i])
			return false;
	return true;
}

static void
take(const struct alloc *a, uint64_t *taken, const uint64_t *row)
{
	for (uint32_t i = 0; i < a->l->words; i++)
		taken[i] |= row[i];
}

/* ---- friends ------------------------------------------------------------------ */

static void
befriend(struct alloc *a, ir_ref x, ir_ref y)
{
	x = loop_same(a->l, x);
	y = loop_same(a->l, y);
	if (a->l->val[x].late != LATE_PLACE || a->l->val[y].late != LATE_PLACE || a->friends + 2 > a->room)
		return;
	a->friend[a->friends] = (struct friend){ y, a->first[x] };
	a->first[x] = a->friends++;
	a->friend[a->friends] = (struct friend){ x, a->first[y] };
	a->first[y] = a->friends++;
}

static void
find_friends(struct alloc *a)
{
	const struct loop *l = a->l;
	const struct ir_region *r = l->region;
	const uint32_t *list;
	uint32_t count = 0, to;

	for (uint32_t block = 0; block < r->block_count; block++)
		a->room += ir_targets(r, ir_block_end(r, block)) == 1 ? 2 * IR_SLOT_MAX : 0;
	a->room += 2 * r->ins_count + 1;
	a->friend = arena_alloc(l->arena, a->room * sizeof *a->friend);
	a->first = arena_alloc(l->arena, r->ins_count * sizeof *a->first);
	a->friends = 1;
	for (ir_ref ref = 1; ref < r->ins_count; ref++) {
		const struct ir_ins *ins = &l->ins[ref];

		if (l->val[ref].late == LATE_PLACE && ir_op_info[ins->op].operands[0] != '.' &&
		    ir_op_info[ins->op].operands[0] != '*' && ins->op != IR_LOAD)
			befriend(a, ref, ins->a);
	}
	for (uint32_t block = 0; block < r->block_count; block++) {
		ir_ref end = ir_block_end(r, block);

		if (ir_targets(r, end) != 1)
			continue;
		to = ir_target(r, end, 0, &list, &count);
		for (uint32_t k = 0; k < count; k++)
			if (l->val[r->block[to].first + k].late == LATE_PLACE)
				befriend(a, r->block[to].first + k, list[k]);
	}
}

/* ---- choosing ------------------------------------------------------------------ */

static bool
try_register(struct alloc *a, ir_ref value, enum bank bank, int reg)
{
	const uint64_t *row = loop_row(a->l, value);

	if (!((bank == GPR ? LOOP_GPRS : LOOP_FPRS) >> reg & 1) || !is_free(a, a->taken[bank][reg], row))
		return false;
	take(a, a->taken[bank][reg], row);
	a->l->val[value].place = (struct place){ bank == GPR ? PLACE_GPR : PLACE_FPR, (uint8_t)reg };
	return true;
}

static bool
try_friends(struct alloc *a, ir_ref value, enum bank bank)
{
	for (uint32_t i = a->first[value]; i; i = a->friend[i].next) {
		struct place p = a->l->val[a->friend[i].value].place;

		if (p.kind == (bank == GPR ? PLACE_GPR : PLACE_FPR) && try_register(a, value, bank, p.n))
			return true;
	}
	/* A friend that has not chosen yet may be at home somewhere. */
	for (uint32_t i = a->first[value]; i; i = a->friend[i].next) {
		const struct ir_ins *ins = &a->l->ins[a->friend[i].value];

		if (ins->op == IR_GET && a->l->g.slot_reg[ins->aux] != NO_REG &&
		    try_register(a, value, bank, a->l->g.slot_reg[ins->aux]))
			return true;
	}
	return false;
}

/* Those that no slot has at the boundary come first. */
static const uint8_t gpr_order[] = { RCX, R11, R15, R14, R13, R12, R10, R9, R8, RDI, RSI, RBX };
static const uint8_t fpr_order[] = { 12, 13, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0 };

static bool
choose(struct alloc *a, ir_ref value)
{
	struct loop *l = a->l;
	const struct ir_ins *ins = &l->ins[value];
	enum bank bank = bank_of(&l->g, value);
	const uint8_t *order = bank == GPR ? gpr_order : fpr_order;
	unsigned count = bank == GPR ? ARRAY_LEN(gpr_order) : ARRAY_LEN(fpr_order);
	const uint64_t *row = loop_row(l, value);

	if (ins->op == IR_GET && l->g.slot_reg[ins->aux] != NO_REG && try_register(a, value, bank, l->g.slot_reg[ins->aux]))
		return true;
	if (try_friends(a, value, bank))
		return true;
	/* What nothing in the loops wants stays in the frame rather than take one. */
	for (unsigned i = 0; i < count && (ins->op != IR_GET || l->val[value].weight > 1); i++)
		if (try_register(a, value, bank, order[i]))
			return true;
	if (ins->op == IR_GET) {
		l->val[value].place = (struct place){ PLACE_SLOT, (uint8_t)ins->aux };
		return true;
	}
	for (unsigned i = 0; i < IR_SCRATCH; i++) {
		if (!is_free(a, a->word[i], row))
			continue;
		take(a, a->word[i], row);
		l->val[value].place = (struct place){ PLACE_SCRATCH, (uint8_t)i };
		return true;
	}
	return false;
}

static int
by_rank(const void *x, const void *y)
{
	const struct choice *a = x, *b = y;

	if (a->rank != b->rank)
		return a->rank < b->rank ? 1 : -1;
	return a->value < b->value ? -1 : 1;
}

/* By merging halves: the host library's sort may call malloc. */
static void
sort(struct choice *choice, uint32_t count, struct choice *room)
{
	uint32_t half = count / 2, i = 0, j = half, k = 0;

	if (count < 2)
		return;
	sort(choice, half, room);
	sort(choice + half, count - half, room);
	while (k < count)
		if (j == count || (i < half && by_rank(&choice[i], &choice[j]) <= 0))
			room[k++] = choice[i++];
		else
			room[k++] = choice[j++];
	memcpy(choice, room, count * sizeof *choice);
}

bool
loop_alloc(struct loop *l)
{
	struct alloc *a = arena_alloc(l->arena, sizeof *a);
	struct choice *choice = arena_alloc(l->arena, 2 * (size_t)l->rows * sizeof *choice);
	uint32_t count = 0;

	a->l = l;
	for (unsigned i = 0; i < 16; i++)
		for (unsigned bank = GPR; bank <= FPR; bank++)
			a->taken[bank][i] = arena_alloc(l->arena, l->words * sizeof(uint64_t));
	for (unsigned i = 0; i < IR_SCRATCH; i++)
		a->word[i] = arena_alloc(l->arena, l->words * sizeof(uint64_t));
	find_friends(a);
	for (uint32_t row = 1; row < l->rows; row++) {
		const uint64_t *bits = l->live + (size_t)row * l->words;
		uint64_t length = 0;

		for (uint32_t i = 0; i < l->words; i++)
			length += (uint64_t)__builtin_popcountll(bits[i]);
		if (length)
			choice[count++] = (struct choice){ l->row_value[row], (l->val[l->row_value[row]].weight << 16) / length };
	}
	sort(choice, count, choice + l->rows);
	for (uint32_t i = 0; i < count; i++)
		if (!choose(a, choice[i].value))
			return false;
	return true;
}

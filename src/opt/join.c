/* Pieces of a loop become one region: opt.h. */
#include "opt/opt_impl.h"

struct join {
	struct ir_builder b;
	const struct ir_region *const *piece;
	unsigned count;
	uint32_t *first; /* of each piece: number of its first block */
};

/* The first block of the piece that begins at pc; 0: there is none. */
static uint32_t
block_at(const struct join *j, uint64_t pc)
{
	for (unsigned i = 0; i < j->count; i++)
		if (j->piece[i]->pc == pc)
			return j->first[i];
	return 0;
}

/* Where the block stops being of use: at the instruction that leaves other than
 * by a jump (a call, a return, a trap). That is done outside: the region leaves
 * to it. Else at its end. */
static ir_ref
last_op(const struct ir_region *r, uint32_t block)
{
	ir_ref end = ir_block_end(r, block), ref = end;

	if (r->ins[end].op != IR_EXIT || ir_exit_of(r, end).kind == IR_EXIT_JUMP)
		return end;
	while (ref > r->block[block].first && r->ins[ref].op != IR_AT)
		ref--;
	return r->ins[ref].op == IR_AT ? ref : end;
}

static void
copy_end(struct join *j, unsigned number, ir_ref end, const ir_ref *renamed)
{
	const struct ir_region *r = j->piece[number];
	int32_t shift = (int32_t)(r->pc - j->piece[0]->pc);
	struct ir_exit out;
	uint32_t to = 0;

	if (r->ins[end].op == IR_AT) {
		ir_exit_jump(&j->b, (int32_t)r->ins[end].imm + shift);
		return;
	}
	if (ir_targets(r, end) == 2) {
		ir_br(&j->b, renamed[r->ins[end].a], j->first[number] + ir_successor(r, end, 0),
		      j->first[number] + ir_successor(r, end, 1));
		return;
	}
	if (ir_targets(r, end) == 1) {
		ir_goto(&j->b, j->first[number] + ir_successor(r, end, 0), 0, NULL);
		return;
	}
	out = ir_exit_of(r, end);
	if (out.kind == IR_EXIT_JUMP)
		to = block_at(j, r->pc + (uint64_t)(int64_t)out.target);
	if (to)
		ir_goto(&j->b, to, 0, NULL);
	else
		opt_copy_exit(&j->b, r, end, renamed, shift);
}

bool
opt_join(struct ir_region *out, struct arena *arena, const struct ir_region *const *piece, unsigned count)
{
	struct join j = { .piece = piece, .count = count, .first = arena_alloc(arena, count * sizeof *j.first) };
	uint32_t blocks = 1;

	for (unsigned i = 0; i < count; i++) {
		j.first[i] = blocks;
		blocks += piece[i]->block_count;
	}
	opt_begin(&j.b, out, piece[0], arena);
	ir_goto(&j.b, j.first[0], 0, NULL);
	for (unsigned i = 0; i < count; i++) {
		const struct ir_region *r = piece[i];
		ir_ref *renamed = arena_alloc(arena, r->ins_count * sizeof *renamed);
		int32_t shift = (int32_t)(r->pc - piece[0]->pc);

		for (uint32_t block = 0; block < r->block_count; block++) {
			ir_ref end = last_op(r, block);

			if (r->block[block].parameters)
				return false;
			ir_block(&j.b, false);
			for (ir_ref ref = r->block[block].first; ref < end; ref++)
				renamed[ref] = opt_copy(&j.b, r, ref, renamed, shift);
			copy_end(&j, i, end, renamed);
		}
	}
	return ir_build_end(&j.b);
}

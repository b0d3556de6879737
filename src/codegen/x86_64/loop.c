/* Tier 2's driver: loop.h. Blocks follow each other as in the region, but for those
 * that only leave, which are cold code, and those that are an edge without moves,
 * which are nothing. */
#include "codegen/x86_64/loop.h"

#include <string.h>

/* What one op may emit at most, both streams, with all the moves of an exit; checked
 * before each. */
enum { ROOM_HOT = 4096, ROOM_COLD = 8192 };
enum { MOST_OPS = 6000 };

/* ---- leaving ------------------------------------------------------------------- */

static void
set_patch(struct code_exit *record, uint8_t *field)
{
	record->patch = (int32_t)(field - (uint8_t *)record);
}

/* In cold code: the state that op ref's map tells, then out by a record that is not
 * chained. Returns where that begins. */
static const uint8_t *
cold_exit(struct loop *l, ir_ref ref, unsigned kind, int32_t target)
{
	struct code_exit *record = put_record(&l->g, kind, 0, target, 0);
	const uint8_t *begin;

	put_stub(&l->g, record);
	begin = l->g.cold.p;
	l->g.failed |= !loop_restore(l, &l->g.cold, ref);
	x86_jmp(&l->g.cold, stub_of(record));
	return begin;
}

void
loop_bail(struct loop *l, enum x86_cc cc, ir_ref ref)
{
	uint8_t *field = x86_jcc_forward(&l->g.hot, cc);

	x86_patch_rel32(field, cold_exit(l, ref, CODE_EXIT_INTERPRET, l->g.pc));
}

/* A safepoint: the state is that before the last instruction, which ends with the
 * edge `end` and does nothing else. */
static void
poll(struct loop *l, ir_ref end)
{
	int32_t pc = l->at[l->block_of[end]];
	uint8_t *field;

	x86_alu_mi(&l->g.hot, X86_CMP, 4, FRAME(poll), 0);
	field = x86_jcc_forward(&l->g.hot, X86_CC_NE);
	x86_patch_rel32(field, cold_exit(l, end, CODE_EXIT_POLL, pc));
}

static bool
is_back(const struct loop *l, ir_ref end)
{
	return l->ins[end].op == IR_GOTO && ir_successor(l->region, end, 0) <= l->block_of[end];
}

/* Out by a jump that may be chained, in either stream. Returns where that begins. */
static const uint8_t *
leave(struct loop *l, struct x86_asm *a, ir_ref end)
{
	struct ir_exit out = ir_exit_of(l->region, end);
	struct code_exit *record = put_record(&l->g, IR_EXIT_JUMP, 0, out.target, 0);
	const uint8_t *begin;

	put_stub(&l->g, record);
	begin = a->p;
	l->g.failed |= !loop_restore(l, a, end);
	set_patch(record, x86_jmp_patchable(a, stub_of(record)));
	return begin;
}

/* ---- branches --------------------------------------------------------------------- */

/* The block is its end alone. */
static bool
is_bare(const struct loop *l, uint32_t block)
{
	const struct ir_block *b = &l->region->block[block];

	for (ir_ref ref = b->first; ref < b->first + b->count - 1; ref++)
		if (l->ins[ref].op != IR_AT && l->ins[ref].op != IR_NOP &&
		    (l->ins[ref].type == IR_VOID || l->val[ref].late == LATE_PLACE))
			return false;
	return true;
}

static bool
is_exit(const struct loop *l, uint32_t block)
{
	return is_bare(l, block) && l->ins[ir_block_end(l->region, block)].op == IR_EXIT;
}

/* Argument k of the edge is raw, and its parameter is not. */
static bool
is_mended(const struct loop *l, const struct ir_block *to, const uint32_t *list, uint32_t k)
{
	const struct lval *v = &l->val[to->first + k];

	return !v->raw && v->place.kind && l->val[loop_same(l, list[k])].raw;
}

static bool
wants_mending(const struct loop *l, ir_ref end)
{
	const uint32_t *list;
	uint32_t count, to = ir_target(l->region, end, 0, &list, &count);
	bool any = false;

	for (uint32_t k = 0; k < count; k++)
		any |= is_mended(l, &l->region->block[to], list, k);
	return any;
}

/* An edge that moves nothing, and no guest instruction: the state is that of the
 * branch to it. No head of a loop is one. */
static bool
is_through(const struct loop *l, uint32_t block)
{
	struct loop_move move[LOOP_MOVES];
	ir_ref end = ir_block_end(l->region, block);

	for (ir_ref ref = l->region->block[block].first; ref < end; ref++)
		if (l->ins[ref].op == IR_AT)
			return false;
	if (l->ins[end].op == IR_GOTO && wants_mending(l, end))
		return false;
	return l->cfg.preds[block] == 1 && is_bare(l, block) && l->ins[end].op == IR_GOTO && !loop_edge(l, end, move);
}

static bool
is_laid_out(const struct loop *l, uint32_t block)
{
	return block && !is_exit(l, block) && !is_through(l, block);
}

/* Where a jump to the block ends up in hot code. */
static uint32_t
through(const struct loop *l, uint32_t block)
{
	while (block && is_through(l, block))
		block = ir_successor(l->region, ir_block_end(l->region, block), 0);
	return block;
}

static void
jump_to(struct loop *l, uint8_t *field, uint32_t block)
{
	if (l->label[block])
		x86_patch_rel32(field, l->label[block]);
	else
		l->jump[l->jumps++] = (struct loop_jump){ field, block };
}

static void
jcc_to(struct loop *l, enum x86_cc cc, uint32_t block)
{
	struct x86_asm *a = &l->g.hot;

	if (is_exit(l, block)) {
		uint8_t *field = x86_jcc_forward(a, cc);

		x86_patch_rel32(field, leave(l, &l->g.cold, ir_block_end(l->region, block)));
		return;
	}
	block = through(l, block);
	if (l->label[block])
		x86_jcc(a, cc, l->label[block]);
	else
		jump_to(l, x86_jcc_forward(a, cc), block);
}

static void
jmp_to(struct loop *l, uint32_t block)
{
	if (is_exit(l, block)) {
		leave(l, &l->g.hot, ir_block_end(l->region, block));
		return;
	}
	block = through(l, block);
	if (block == l->next)
		return;
	if (l->label[block])
		x86_jmp(&l->g.hot, l->label[block]);
	else
		jump_to(l, x86_jmp_forward(&l->g.hot), block);
}

/* A safepoint of an edge that is nothing comes before the branch to it. */
static void
poll_before(struct loop *l, uint32_t block)
{
	for (; block && is_through(l, block); block = ir_successor(l->region, ir_block_end(l->region, block), 0))
		if (is_back(l, ir_block_end(l->region, block)))
			poll(l, ir_block_end(l->region, block));
}

static void
branch(struct loop *l, ir_ref end)
{
	uint32_t yes = ir_successor(l->region, end, 0), no = ir_successor(l->region, end, 1);
	enum x86_cc cc;

	poll_before(l, yes);
	poll_before(l, no);
	cc = loop_condition(l, l->ins[end].a);
	/* The way that runs on, or the one that leaves, is jumped over or to. */
	if (!is_exit(l, yes) && through(l, yes) == l->next) {
		jcc_to(l, x86_cc_invert(cc), no);
		jmp_to(l, yes);
	} else if (is_exit(l, no) && !is_exit(l, yes)) {
		jcc_to(l, cc, yes);
		jmp_to(l, no);
	} else {
		jcc_to(l, cc, yes);
		jmp_to(l, no);
	}
}

/* Raw arguments of parameters that are not. */
static void
mend_arguments(struct loop *l, ir_ref end)
{
	const uint32_t *list;
	uint32_t count, to = ir_target(l->region, end, 0, &list, &count);
	struct x86_mem m;

	for (uint32_t k = 0; k < count; k++) {
		int reg;

		if (!is_mended(l, &l->region->block[to], list, k))
			continue;
		reg = loop_in_fp(l, list[k], XMM15);
		loop_mend(l, list[k], reg);
		if (loop_in_mem(l, list[k], &m))
			x86_movsd_store(&l->g.hot, m, reg);
	}
}

static void
edge(struct loop *l, ir_ref end)
{
	struct loop_move move[LOOP_MOVES];
	unsigned count = loop_edge(l, end, move);

	if (is_back(l, end))
		poll(l, end);
	mend_arguments(l, end);
	l->g.failed |= !loop_moves(l, &l->g.hot, move, count);
	poll_before(l, ir_successor(l->region, end, 0));
	jmp_to(l, ir_successor(l->region, end, 0));
}

/* ---- blocks ------------------------------------------------------------------------ */

static void
put_mark(struct loop *l, ir_ref ref)
{
	static const char *const kind[] = { "", "r", "x", "word ", "frame" };
	const struct place p = l->val[ref].place;
	struct code_mark *mark;

	if (!l->g.job->mark)
		return;
	mark = &l->g.job->mark[l->g.mark_count++];
	*mark = (struct code_mark){ ref, (uint32_t)(l->g.hot.p - l->g.hot_start), "" };
	if (p.kind)
		text_format(mark->where, sizeof mark->where, "%s%u", kind[p.kind], p.n);
}

static bool
op(struct loop *l, ir_ref ref)
{
	const struct ir_ins *ins = &l->ins[ref];

	switch (ins->op) {
	case IR_AT:
		l->g.pc = (int32_t)ins->imm;
		l->g.stored = false;
		return true;
	case IR_NOP:
	case IR_GET:
	case IR_PARAM:
		return true;
	case IR_CHECK: /* the evaluator finds the trap again */
		loop_bail(l, loop_condition(l, ins->a), ref);
		return true;
	default:
		return loop_int(l, ref) || loop_memory(l, ref) || loop_fp(l, ref);
	}
}

static enum target_result
block_code(struct loop *l, uint32_t number)
{
	const struct ir_block *block = &l->region->block[number];
	ir_ref end = ir_block_end(l->region, number);

	l->label[number] = l->g.hot.p;
	for (ir_ref ref = block->first; ref <= end; ref++) {
		const struct ir_ins *ins = &l->ins[ref];

		if (l->g.hot.end - l->g.hot.p < ROOM_HOT || l->g.cold.end - l->g.cold.p < ROOM_COLD)
			return TARGET_NO_ROOM;
		put_mark(l, ref);
		if (ref == end)
			break;
		if (ins->type != IR_VOID && l->val[ref].late != LATE_PLACE)
			continue;
		if (!op(l, ref))
			return TARGET_UNSUPPORTED;
	}
	if (l->ins[end].op == IR_BR)
		branch(l, end);
	else if (l->ins[end].op == IR_GOTO)
		edge(l, end);
	else
		leave(l, &l->g.hot, end);
	return l->g.failed ? TARGET_UNSUPPORTED : TARGET_OK;
}

/* Arithmetic that rounds to the nearest by name does so if MXCSR does: else the
 * loop is not entered. */
static bool
wants_nearest(const struct loop *l)
{
	bool any = false;

	for (ir_ref ref = 1; ref < l->region->ins_count; ref++) {
		const struct ir_ins *ins = &l->ins[ref];
		bool rounds = (ins->op >= IR_FADD && ins->op <= IR_FMA) || ins->op == IR_FCVT || ins->op == IR_I2F;

		any |= rounds && IR_FP_ROUND(ins->aux) == IR_RNE;
	}
	return any;
}

/* What must hold for the loop to be entered, asked while all is at the boundary. If it
 * does not, the first instruction is interpreted. */
static void
ask(struct loop *l)
{
	struct code_exit *record = put_record(&l->g, CODE_EXIT_INTERPRET, 0, 0, 0);
	struct x86_mem control = FRAME(host_fp);
	struct x86_asm *a = &l->g.hot;

	put_stub(&l->g, record);
	if (wants_nearest(l)) {
		control.disp++; /* bits 13 and 14 */
		x86_test_mi(a, 1, control, 0x60);
		x86_patch_rel32(x86_jcc_forward(a, X86_CC_NE), stub_of(record));
	}
	for (unsigned slot = 0; slot < l->g.slots->count; slot++) {
		struct x86_mem upper = slot_mem(&l->g, (int)slot);

		upper.disp += 4;
		if (l->boxed[slot] && l->g.slot_reg[slot] != NO_REG) {
			x86_pextr(a, 4, RAX, l->g.slot_reg[slot], 1);
			x86_alu_ri(a, X86_CMP, 4, RAX, -1);
		} else if (l->boxed[slot]) {
			x86_alu_mi(a, X86_CMP, 4, upper, -1);
		}
		if (l->boxed[slot])
			x86_patch_rel32(x86_jcc_forward(a, X86_CC_NE), stub_of(record));
		if (!l->no_nan[slot])
			continue;
		if (l->g.slot_reg[slot] != NO_REG)
			x86_movd_rx(a, 8, RAX, l->g.slot_reg[slot]);
		else
			x86_mov_rm(a, 8, RAX, slot_mem(&l->g, (int)slot));
		/* By integers: to compare a signaling one would raise invalid. */
		x86_alu_rr(a, X86_ADD, l->no_nan[slot] & 8 ? 8 : 4, RAX, RAX);
		x86_mov_ri(a, RDX, l->no_nan[slot] & 8 ? UINT64_C(0xffe0000000000000) : 0xff000000);
		x86_alu_rr(a, X86_CMP, 8, RAX, RDX);
		x86_patch_rel32(x86_jcc_forward(a, X86_CC_A), stub_of(record));
	}
}

/* Which instruction each block's end belongs to: the way to a block that has no AT of
 * its own is one block long. */
static void
find_instructions(struct loop *l)
{
	l->at = arena_alloc(l->arena, l->region->block_count * sizeof *l->at);
	for (uint32_t number = 0; number < l->region->block_count; number++) {
		const struct ir_block *block = &l->region->block[number];

		if (number && l->cfg.preds[number] == 1)
			l->at[number] = l->at[l->cfg.pred[number]];
		for (ir_ref ref = block->first; ref < block->first + block->count; ref++)
			if (l->ins[ref].op == IR_AT)
				l->at[number] = (int32_t)l->ins[ref].imm;
	}
}

static enum target_result
all_code(struct loop *l)
{
	uint32_t blocks = l->region->block_count;

	ask(l);
	l->g.failed |= !loop_enter(l);
	for (uint32_t number = 0; number < blocks; number++) {
		enum target_result result;

		if (number && !is_laid_out(l, number))
			continue;
		l->next = number + 1;
		while (l->next < blocks && !is_laid_out(l, l->next))
			l->next++;
		if (number && l->cfg.depth[number] > l->cfg.depth[l->cfg.above[number]])
			x86_nop(&l->g.hot, (int)(-(uintptr_t)l->g.hot.p & 15));
		l->g.pc = l->at[number];
		result = block_code(l, number);
		if (result != TARGET_OK)
			return result;
	}
	for (uint32_t i = 0; i < l->jumps; i++)
		x86_patch_rel32(l->jump[i].field, l->label[l->jump[i].block]);
	return TARGET_OK;
}

static bool
host_serves(const struct host_cpu *cpu)
{
	return cpu->avx && cpu->avx2 && cpu->bmi1 && cpu->bmi2 && cpu->fma && cpu->lzcnt;
}

enum target_result
loop_compile(const struct target_job *job, struct target_code *code)
{
	const struct ir_region *region = job->region;
	const struct host_cpu *cpu = x86_host_features(job->baseline);
	struct loop *l;
	enum target_result result;

	if (!host_serves(cpu) || !job->guest_base_zero || job->system || region->counted || region->ins_count > MOST_OPS)
		return TARGET_UNSUPPORTED;
	if (job->hot->end - job->hot->w < ROOM_HOT || job->cold->end - job->cold->w < ROOM_COLD)
		return TARGET_NO_ROOM;
	l = arena_alloc(job->arena, sizeof *l);
	l->region = region;
	l->ins = region->ins;
	l->arena = job->arena;
	l->g = (struct gen){ .job = job, .region = region, .ins = region->ins, .slots = region->slots, .cpu = cpu,
			     .flags_slot = NO_SLOT,
			     .hot = { .p = job->hot->w, .end = job->hot->end, .vex = true, .scratch = -1 },
			     .cold = { .p = job->cold->w, .end = job->cold->end, .vex = true, .scratch = -1 } };
	l->val = arena_alloc(job->arena, region->ins_count * sizeof *l->val);
	l->label = arena_alloc(job->arena, region->block_count * sizeof *l->label);
	l->jump = arena_alloc(job->arena, 2 * region->block_count * sizeof *l->jump);
	regs_begin(&l->g);
	ir_cfg_make(&l->cfg, region, job->arena);
	if (!loop_plan(l))
		return TARGET_UNSUPPORTED;
	find_instructions(l);
	loop_live(l);
	if (!loop_alloc(l))
		return TARGET_UNSUPPORTED;
	x86_nop(&l->g.hot, (int)(-(uintptr_t)l->g.hot.p & 15));
	l->g.hot_start = l->g.hot.p;
	l->g.cold_start = l->g.cold.p;
	relocs_begin(&l->g);
	result = all_code(l);
	if (result == TARGET_OK)
		hand_over(&l->g, job, code);
	return result;
}

/* Ends of blocks, side exits and their records. A stub in cold code leads out
 * of generated code with its record's address in rax; a record says all that
 * the run loop must know. Jumps that may be chained are patchable and lead to
 * their stub until then. */
#include "codegen/x86_64/gen.h"

#include <string.h>

/* The displacement of the jump table, from the frame register. */
#define JUMP_PC ((int32_t)offsetof(struct ir_frame, jump) - IR_FRAME_BIAS)
#define JUMP_HOST (JUMP_PC + (int32_t)offsetof(struct ir_jump, host))
/* A guest PC masked so selects an entry: times 8 it is its offset. */
#define JUMP_MASK ((IR_JUMP_TABLE_SIZE - 1) << 1)

struct code_exit *
put_record(struct gen *g, unsigned kind, unsigned trap, int32_t target, int32_t link)
{
	struct code_exit *record;
	bool before = kind >= CODE_EXIT_CHECK && kind != CODE_EXIT_HOT;

	x86_nop(&g->cold, (int)(-(uintptr_t)g->cold.p & 7));
	record = (struct code_exit *)(void *)g->cold.p;
	*record = (struct code_exit){
		.region = g->job->number,
		.target = target,
		.link = link,
		.kind = (uint8_t)kind,
		.trap = (uint8_t)trap,
		.retired = (uint16_t)(g->retired - before),
	};
	g->cold.p += sizeof *record;
	record->stub = (int32_t)(g->cold.p - (uint8_t *)record);
	add_exit(g, record);
	return record;
}

void
put_stub(struct gen *g, const struct code_exit *record)
{
	g->cold.start = g->cold.p;
	x86_lea(&g->cold, 8, RAX, x86_rip((int32_t)((const uint8_t *)record - g->cold.p)));
	x86_jmp_m(&g->cold, FRAME(leave));
}

static void
set_patch(struct code_exit *record, uint8_t *field)
{
	record->patch = (int32_t)(field - (uint8_t *)record);
}

/* The record and stub of a jump that may be chained. The stub of one that moves
 * frame->page moves it back: exits are relative to the region's. */
static struct code_exit *
put_jump(struct gen *g, unsigned kind, int32_t target, int32_t link)
{
	struct code_exit *record = put_record(g, kind, 0, target, link);

	if (far_reach(g, target) == REACH_PAGE)
		far_move(g, &g->cold, target, true);
	put_stub(g, record);
	return record;
}

/* A jump to another page by the jump table, in either stream. All temporaries
 * are free. call: the call's link has been pushed. Returns where a call comes
 * back to, in hot code. */
static const uint8_t *
far_jump(struct gen *g, struct x86_asm *a, int32_t target, int32_t link, bool call)
{
	const uint8_t *back;
	uint8_t *miss;
	struct code_exit *record;

	far_address(g, a, RDX, target);
	miss = far_probe(a, RDX);
	if (call)
		x86_call_m(a, far_host());
	else
		x86_jmp_m(a, far_host());
	back = a->p;
	record = put_record(g, call ? IR_EXIT_ICALL : IR_EXIT_INDIRECT, 0, 0, link);
	x86_patch_rel32(miss, g->cold.p);
	if (call) { /* what the call instruction would have pushed */
		g->cold.start = g->cold.p;
		x86_lea(&g->cold, 8, RAX, x86_rip((int32_t)(back - g->cold.p)));
		x86_push_r(&g->cold, RAX);
	}
	x86_mov_mr(&g->cold, 8, FRAME(pc), RDX);
	put_stub(g, record);
	return back;
}

/* The conditional jump of gen_side_exit where it leads to another page. */
static void
far_side_exit(struct gen *g, enum x86_cc cc, int32_t target)
{
	struct code_exit *record = NULL;

	if (far_reach(g, target) == REACH_PAGE)
		record = put_jump(g, IR_EXIT_JUMP, target, 0);
	x86_patch_rel32(x86_jcc_forward(&g->hot, cc), g->cold.p);
	canonicalize_homes(g, &g->cold, false);
	flags_store(g, &g->cold);
	if (record) {
		far_move(g, &g->cold, target, false);
		set_patch(record, x86_jmp_patchable(&g->cold, stub_of(record)));
	} else {
		far_jump(g, &g->cold, target, 0, false);
	}
}

/* A jump back that counts: the jump to be patched leads to code that counts it and
 * goes on by `record`'s jump, or leaves by the record that is returned. *begin is
 * where that code is. Once the loop has been looked at, the jump is led past it. */
static struct code_exit *
put_heat(struct gen *g, struct code_exit *record, uint8_t **begin)
{
	size_t index = (g->region->pc + (uint64_t)(int64_t)record->target) >> 1 & (IR_HEAT_SIZE - 1);
	struct code_exit *hot = put_record(g, CODE_EXIT_HOT, 0, record->target, g->pc);

	put_stub(g, hot);
	*begin = g->cold.p;
	x86_alu_mi(&g->cold, X86_SUB, 4, frame_mem(offsetof(struct ir_frame, heat) + 4 * index), 1);
	x86_jcc(&g->cold, X86_CC_S, stub_of(hot));
	set_patch(record, x86_jmp_patchable(&g->cold, stub_of(record)));
	return hot;
}

static bool
counts(const struct gen *g, int32_t target)
{
	return g->job->heat && target <= g->pc;
}

struct code_exit *
gen_side_exit(struct gen *g, enum x86_cc cc, unsigned kind, unsigned trap, int32_t target, int32_t link)
{
	bool chained = kind == IR_EXIT_JUMP;
	struct code_exit *record;
	uint8_t *first;

	if (chained && far_reach(g, target) != REACH_NEAR) {
		far_side_exit(g, cc, target);
		return NULL;
	}
	record = put_record(g, kind, trap, target, link);

	put_stub(g, record);
	first = stub_of(record);
	if (chained && counts(g, target))
		record = put_heat(g, record, &first);
	if (g->raw_count || g->flags_now) {
		x86_patch_rel32(x86_jcc_forward(&g->hot, cc), g->cold.p);
		canonicalize_homes(g, &g->cold, false);
		flags_store(g, &g->cold);
		if (chained)
			set_patch(record, x86_jmp_patchable(&g->cold, first));
		else
			x86_jmp(&g->cold, stub_of(record));
	} else if (chained) {
		set_patch(record, x86_jcc_patchable(&g->hot, cc, first));
	} else {
		x86_patch_rel32(x86_jcc_forward(&g->hot, cc), stub_of(record));
	}
	return record;
}

/* A safepoint that goes on at target: before the current instruction, or after
 * a jump, which may be to itself. */
static void
poll(struct gen *g, int32_t target, uint32_t retired)
{
	x86_alu_mi(&g->hot, X86_CMP, 4, FRAME(poll), 0);
	gen_side_exit(g, X86_CC_NE, CODE_EXIT_POLL, 0, target, 0)->retired = (uint16_t)retired;
}

void
gen_check(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	enum x86_cc cc = gen_condition(g, ins->a);

	gen_side_exit(g, cc, CODE_EXIT_CHECK, ins->aux, g->pc, 0)->value = (uint32_t)ins->imm;
}

void
gen_bail(struct gen *g, enum x86_cc cc)
{
	gen_side_exit(g, cc, CODE_EXIT_INTERPRET, 0, g->pc, 0);
}

struct code_exit *
gen_interpret_stub(struct gen *g)
{
	struct code_exit *record = put_record(g, CODE_EXIT_INTERPRET, 0, g->pc, 0);

	put_stub(g, record);
	return record;
}

struct code_exit *
gen_cold_exit(struct gen *g, unsigned kind, uint8_t **begin)
{
	struct code_exit *record = put_record(g, kind, 0, g->pc, 0);

	put_stub(g, record);
	*begin = g->cold.p;
	canonicalize_homes(g, &g->cold, false);
	flags_store(g, &g->cold);
	if (kind == CODE_EXIT_APART)
		set_patch(record, x86_jmp_patchable(&g->cold, stub_of(record)));
	else
		x86_jmp(&g->cold, stub_of(record));
	return record;
}

void
gen_interpret(struct gen *g)
{
	struct code_exit *record;

	flags_flush(g);
	canonicalize_homes(g, &g->hot, true); /* writes cold code: before the record */
	record = gen_interpret_stub(g);
	x86_patch_rel32(x86_jmp_forward(&g->hot), stub_of(record));
}

/* The block is nothing but a jump out of the region. */
static bool
is_exit_block(const struct gen *g, uint32_t block)
{
	const struct ir_block *b = &g->region->block[block];
	const struct ir_ins *ins = &g->ins[b->first];

	enum ir_exit_kind kind = (enum ir_exit_kind)(ins->aux & 15);

	return b->count == 1 && ins->op == IR_EXIT && (kind == IR_EXIT_JUMP || kind == IR_EXIT_LOOKUP);
}

/* Code since start moves up so that the patchable jump behind it needs no
 * padding in between: the compare and the jump stay one for the decoder.
 * Requires that nothing in it is relative to its address. */
static void
pad_before(struct x86_asm *a, uint8_t *start)
{
	size_t length = (size_t)(a->p - start);
	int pad = x86_field_pad(a->p + 2);
	uint8_t code[64];

	if (!pad || length > sizeof code)
		return;
	memcpy(code, start, length);
	a->p = start;
	x86_nop(a, pad);
	memcpy(a->p, code, length);
	a->p += length;
}

uint32_t
gen_br(struct gen *g, ir_ref ref)
{
	const uint32_t *arguments;
	uint32_t count, yes = ir_target(g->region, ref, 0, &arguments, &count);
	uint8_t *start;
	uint32_t no = ir_target(g->region, ref, 1, &arguments, &count);
	bool invert = !is_exit_block(g, yes);
	struct ir_exit out;
	enum x86_cc cc;

	if (invert && !is_exit_block(g, no)) {
		g->failed = true;
		return no;
	}
	out = ir_exit_of(g->region, g->region->block[invert ? no : yes].first);
	if (out.target <= g->pc) { /* a loop: not by way of cold code */
		flags_flush(g);
		poll(g, g->pc, g->retired - 1);
	}
	start = g->hot.p;
	cc = gen_condition(g, g->ins[ref].a);
	pad_before(&g->hot, start);
	gen_side_exit(g, invert ? x86_cc_invert(cc) : cc, out.kind, 0, out.target, 0);
	return invert ? yes : no;
}

static void
exit_jump(struct gen *g, int32_t target)
{
	enum reach reach = far_reach(g, target);
	struct code_exit *record;
	uint8_t *first;

	if (reach == REACH_FAR) {
		far_jump(g, &g->hot, target, 0, false);
		return;
	}
	record = put_jump(g, IR_EXIT_JUMP, target, 0);
	first = stub_of(record);
	if (counts(g, target))
		record = put_heat(g, record, &first);
	if (reach == REACH_PAGE)
		far_move(g, &g->hot, target, false);
	set_patch(record, x86_jmp_patchable(&g->hot, first));
}

/* Pushes the guest return address, for the return to compare with. */
static void
push_link(struct gen *g, int32_t link)
{
	const struct ir_ins *pc = &g->ins[g->last_pc];

	if (g->last_pc && pc->imm == link) {
		const struct val *v = &g->val[g->last_pc];

		if (v->home != NO_SLOT && g->slot_val[v->home] == g->last_pc) {
			if (g->slot_reg[v->home] != NO_REG)
				x86_push_r(&g->hot, g->slot_reg[v->home]);
			else
				x86_push_m(&g->hot, slot_mem(g, v->home));
			return;
		}
	}
	int t = temp(g, GPR);

	gen_pc_to(g, t, link);
	x86_push_r(&g->hot, t);
}

/* Whoever comes back to link has set frame->page to link's page: exits are relative
 * to the region's. */
static void
far_back(struct gen *g, int32_t link)
{
	int64_t offset = (int64_t)(g->region->pc % IR_TLB_PAGE) + link;

	if (g->job->system && (offset < 0 || offset >= IR_TLB_PAGE))
		far_move(g, &g->hot, link, true);
}

/* Where a call comes back to: the pushed guest address goes, on to link. */
static void
landing(struct gen *g, int32_t link)
{
	x86_lea(&g->hot, 8, RSP, x86_base(RSP, 8));
	far_back(g, link);
	exit_jump(g, link);
}

static void
exit_call(struct gen *g, const struct ir_exit *out)
{
	enum reach reach = far_reach(g, out->target);
	struct code_exit *record;

	if (out->target <= g->pc)
		poll(g, out->target, g->retired);
	push_link(g, out->link);
	if (reach == REACH_FAR) {
		far_jump(g, &g->hot, out->target, out->link, true);
		landing(g, out->link);
		return;
	}
	record = put_jump(g, IR_EXIT_CALL, out->target, out->link);
	if (reach == REACH_PAGE)
		far_move(g, &g->hot, out->target, false);
	set_patch(record, x86_call_patchable(&g->hot, stub_of(record)));
	landing(g, out->link);
}

/* Compares the jump table's entry for the address in pc, which is not rax, nor rcx
 * in a system VM. *miss is the jump that a miss takes; returns the operand of the
 * jump that a hit takes. */
static struct x86_mem
probe(const struct gen *g, struct x86_asm *a, int pc, uint8_t **miss)
{
	if (g->job->system) {
		*miss = far_probe(a, pc);
		return far_host();
	}
	x86_mov_rr(a, 4, RAX, pc);
	x86_alu_ri(a, X86_AND, 4, RAX, JUMP_MASK);
	x86_alu_rm(a, X86_CMP, 8, pc, x86_index(RBP, RAX, 3, JUMP_PC));
	*miss = x86_jcc_forward(a, X86_CC_NE);
	return x86_index(RBP, RAX, 3, JUMP_HOST);
}

/* A miss: to the run loop with the address in frame->pc. */
static void
put_miss(struct gen *g, const struct code_exit *record, int pc)
{
	x86_mov_mr(&g->cold, 8, FRAME(pc), pc);
	put_stub(g, record);
}

static void
exit_indirect(struct gen *g, const struct ir_exit *out, bool call)
{
	uint8_t *miss, *polled;
	struct code_exit *record;
	const uint8_t *back;
	struct x86_mem host;
	int pc;

	claim(g, GPR, RAX);
	if (g->job->system)
		claim(g, GPR, RCX);
	pc = use(g, out->value);
	if (call)
		push_link(g, out->link);
	x86_alu_mi(&g->hot, X86_CMP, 4, FRAME(poll), 0);
	polled = x86_jcc_forward(&g->hot, X86_CC_NE);
	host = probe(g, &g->hot, pc, &miss);
	if (call)
		x86_call_m(&g->hot, host);
	else
		x86_jmp_m(&g->hot, host);
	back = g->hot.p;
	if (call)
		landing(g, out->link);
	record = put_record(g, call ? IR_EXIT_ICALL : IR_EXIT_INDIRECT, 0, 0, out->link);
	x86_patch_rel32(miss, g->cold.p);
	x86_patch_rel32(polled, g->cold.p);
	if (call) { /* what the call instruction would have pushed */
		g->cold.start = g->cold.p;
		x86_lea(&g->cold, 8, RAX, x86_rip((int32_t)(back - g->cold.p)));
		x86_push_r(&g->cold, RAX);
	}
	put_miss(g, record, pc);
}

static void
exit_return(struct gen *g, const struct ir_exit *out)
{
	ir_ref value = resolve(g, out->value);
	bool masked = g->val[value].deferred;
	struct code_exit *record;
	uint8_t *unlike, *polled, *miss;
	struct x86_mem host;
	int pc, t;

	claim(g, GPR, RAX);
	if (g->job->system)
		claim(g, GPR, RCX);
	pc = use(g, masked ? g->ins[value].a : value);
	x86_alu_rm(&g->hot, X86_CMP, 8, pc, x86_base(RSP, 8));
	unlike = x86_jcc_forward(&g->hot, X86_CC_NE);
	if (g->job->system)
		x86_mov_mr(&g->hot, 8, FRAME(page), pc);
	x86_ret(&g->hot);

	/* Not the caller's: give its entry up and go by the jump table. */
	record = put_record(g, IR_EXIT_RETURN, 0, 0, 0);
	x86_patch_rel32(unlike, g->cold.p);
	x86_lea(&g->cold, 8, RSP, x86_base(RSP, 16));
	if (masked) {
		t = pc == RDX ? R11 : RDX;
		x86_mov_rr(&g->cold, 8, t, pc);
		x86_alu_ri(&g->cold, X86_AND, 8, t, -2);
		pc = t;
	}
	x86_alu_mi(&g->cold, X86_CMP, 4, FRAME(poll), 0);
	polled = x86_jcc_forward(&g->cold, X86_CC_NE);
	host = probe(g, &g->cold, pc, &miss);
	x86_jmp_m(&g->cold, host);
	x86_patch_rel32(miss, g->cold.p);
	x86_patch_rel32(polled, g->cold.p);
	put_miss(g, record, pc);
}

void
gen_exit(struct gen *g, ir_ref ref)
{
	struct ir_exit out = ir_exit_of(g->region, ref);
	struct code_exit *record;

	g->retired = out.retired;
	flags_flush(g);
	canonicalize_homes(g, &g->hot, true);
	switch (out.kind) {
	case IR_EXIT_JUMP:
		if (out.target <= g->pc)
			poll(g, out.target, g->retired);
		exit_jump(g, out.target);
		break;
	case IR_EXIT_CALL:
		exit_call(g, &out);
		break;
	case IR_EXIT_INDIRECT:
	case IR_EXIT_ICALL:
		exit_indirect(g, &out, out.kind == IR_EXIT_ICALL);
		break;
	case IR_EXIT_RETURN:
		exit_return(g, &out);
		break;
	case IR_EXIT_TRAP:
	case IR_EXIT_LOOKUP:
		record = put_record(g, out.kind, out.trap, out.target, out.link);
		put_stub(g, record);
		x86_patch_rel32(x86_jmp_forward(&g->hot), stub_of(record));
		break;
	}
}

/* ---- helpers ------------------------------------------------------------ */

void
gen_helper_call(struct gen *g, struct x86_asm *a, unsigned helper)
{
	(void)g;
	x86_mov_ri(a, R11, helper);
	x86_call_m(a, FRAME(helper_thunk));
}

void
gen_call(struct gen *g, ir_ref ref)
{
	static const uint8_t argument[] = { RAX, RDX, RCX };
	const struct ir_ins *ins = &g->ins[ref];
	const struct ir_helper *helper = &g->region->helpers[ins->aux];
	const uint32_t *operand;
	uint32_t count;
	bool writes = helper->effects & IR_H_WRITE_STATE;

	operand = ir_call_arguments(g->region, ref, &count);
	flags_flush(g);
	canonicalize_homes(g, &g->hot, true);
	save_values(g, writes);
	for (uint32_t i = 0; i < count; i++) {
		int bytes = (int)ir_type_bits((enum ir_type)g->ins[operand[i]].type) / 8;

		claim(g, GPR, argument[i]);
		copy_to(g, argument[i], operand[i], 8);
		if (bytes < 8) /* what is above a narrow value is anything */
			x86_movzx_rr(&g->hot, bytes, argument[i], argument[i]);
	}
	op_done(g);
	gen_helper_call(g, &g->hot, ins->aux);
	for (uint32_t i = 0; i < count; i++)
		drop(g, operand[i]);
	if (ins->type != IR_VOID) {
		claim(g, GPR, RAX);
		define(g, ref, RAX);
	}
}

/* Atomic ops of 16 bytes, on CMPXCHG16B, which takes its operands in rdx:rax and
 * rcx:rbx. rbx is some slot's home: it is kept in the frame meanwhile, where the
 * state map finds it if the access faults. Loads are single accesses of 16 bytes,
 * which processors with AVX make atomic.
 */
#include "codegen/x86_64/gen.h"

/* The halves of an i128 made by PAIR. */
static bool
halves(const struct gen *g, ir_ref ref, ir_ref *low, ir_ref *high)
{
	const struct ir_ins *ins = &g->ins[resolve(g, ref)];

	if (ins->op != IR_PAIR)
		return false;
	*low = ins->a;
	*high = ins->b;
	return true;
}

/* Adds to the newest fault point that rbx's slot is in frame->kept. */
static void
map_rbx(struct gen *g)
{
	for (unsigned slot = 0; slot < g->slots->count; slot++)
		if (g->slot_reg[slot] == RBX && !type_is_fp((enum ir_type)g->slots->slot[slot].type))
			add_move(g, &(struct code_move){ .slot = (uint16_t)slot, .where = CODE_FRAME,
							 .value = offsetof(struct ir_frame, kept) });
}

/* All temporaries are claimed: r11 is the address, rdx:rax what is expected. */
static void
exchange(struct gen *g, ir_ref low, ir_ref high, int32_t disp)
{
	copy_to(g, RCX, high, 8);
	x86_mov_mr(&g->hot, 8, FRAME(kept), RBX);
	plant_fault(g);
	copy_to(g, RBX, low, 8);
	x86_lock(&g->hot);
	x86_cmpxchg16b_m(&g->hot, x86_base(R11, disp));
	mark_fault(g);
	map_rbx(g);
	x86_mov_rm(&g->hot, 8, RBX, FRAME(kept));
}

static void
claim_all(struct gen *g)
{
	static const uint8_t all[] = { RAX, RDX, RCX, R11 };

	for (unsigned i = 0; i < ARRAY_LEN(all); i++)
		claim(g, GPR, all[i]);
}

bool
gen_cas_wide(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	ir_ref old[2], fresh[2];

	if (ins->type != IR_I128 || !halves(g, ins->b, &old[0], &old[1]) || !halves(g, ins->c, &fresh[0], &fresh[1]))
		return false;
	claim_all(g);
	copy_to(g, R11, ins->a, 8);
	copy_to(g, RAX, old[0], 8);
	copy_to(g, RDX, old[1], 8);
	exchange(g, fresh[0], fresh[1], soft_tlb_shift(g, ins->a));
	drop(g, ins->a);
	drop(g, ins->b);
	drop(g, ins->c);
	keep_wide(g, ref, RAX, RDX);
	return true;
}

bool
gen_ll_wide(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int base, address, t;

	if (!g->hot.vex)
		return false;
	base = use(g, ins->a);
	address = use(g, ins->b);
	t = temp(g, FPR);
	plant_fault(g);
	x86_movaps_load(&g->hot, t, x86_base(base, soft_tlb_shift(g, ins->a)));
	mark_fault(g);
	x86_mov_mr(&g->hot, 8, FRAME(link_address), address);
	x86_movups_store(&g->hot, FRAME(link_value), t);
	drop(g, ins->a);
	drop(g, ins->b);
	x86_movups_store(&g->hot, scratch_mem(keep_wide(g, ref, NO_REG, NO_REG)), t);
	return true;
}

bool
gen_sc_wide(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	uint8_t *lost, *back;
	ir_ref fresh[2];

	if (!halves(g, ins->b, &fresh[0], &fresh[1]))
		return false;
	claim_all(g);
	copy_to(g, R11, ins->c, 8);
	x86_alu_mr(&g->hot, X86_CMP, 8, FRAME(link_address), R11);
	copy_to(g, R11, ins->a, 8);
	x86_mov_rm(&g->hot, 8, RAX, FRAME(link_value));
	x86_mov_rm(&g->hot, 8, RDX, FRAME(link_high));
	lost = x86_jcc_forward(&g->hot, X86_CC_NE);
	exchange(g, fresh[0], fresh[1], soft_tlb_shift(g, ins->a));
	x86_setcc_r(&g->hot, X86_CC_NE, RAX);
	x86_movzx_rr(&g->hot, 1, RAX, RAX);
	back = g->hot.p;
	x86_mov_mi(&g->hot, 8, FRAME(link_address), IR_LINK_NONE);
	x86_patch_rel32(lost, g->cold.p);
	x86_mov_ri(&g->cold, RAX, 1);
	x86_jmp(&g->cold, back);
	drop(g, ins->a);
	drop(g, ins->b);
	drop(g, ins->c);
	define(g, ref, RAX);
	return true;
}

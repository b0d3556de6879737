/* Guest memory of a system VM: the inline probe of the soft TLB (frame.h, struct
 * ir_tlb). A miss calls a thunk that keeps every register and tries to fill the
 * entry; then the probe is made again. What cannot be made to hit (a fault, a
 * device, an access across pages) is left to the evaluator: all state is at home
 * (gen.h, rule 1).
 *
 * Guest memory is always there, so loads and stores themselves never fault. */
#include "codegen/x86_64/gen.h"

enum { PAGE_SHIFT = 12, ENTRY_SHIFT = 5 };
_Static_assert(sizeof(struct ir_tlb) == 1 << ENTRY_SHIFT && IR_TLB_PAGE == 1 << PAGE_SHIFT, "shifts");

/* On a miss: the access to ra + lo to the frame, fill, again from `again`; else
 * out. d is free. */
static void
put_miss(struct gen *g, uint8_t *miss, const uint8_t *again, int d, int ra, int32_t lo, uint32_t access)
{
	struct code_exit *record = gen_interpret_stub(g);

	x86_patch_rel32(miss, g->cold.p);
	x86_lea(&g->cold, 8, d, x86_base(ra, lo));
	x86_mov_mr(&g->cold, 8, FRAME(miss_address), d);
	x86_mov_mi(&g->cold, 4, FRAME(miss_access), (int32_t)access);
	x86_call_m(&g->cold, FRAME(miss_thunk));
	x86_jcc(&g->cold, X86_CC_NE, again);
	canonicalize_homes(g, &g->cold, false);
	x86_jmp(&g->cold, (uint8_t *)record + record->stub);
}

void
soft_tlb_xlate(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	unsigned align = IR_XLATE_ALIGN(ins->aux), access = IR_XLATE_ACCESS(ins->aux);
	int32_t lo = (int32_t)(uint32_t)(uint64_t)ins->imm;
	int32_t hi = (int32_t)(uint32_t)((uint64_t)ins->imm >> 32);
	size_t tag = access & IR_ACCESS_W ? offsetof(struct ir_tlb, write) : offsetof(struct ir_tlb, read);
	int ra = use(g, ins->a), d = temp(g, GPR), t = temp(g, GPR);
	const uint8_t *again;
	uint8_t *miss;

	if (align) {
		x86_test_ri(&g->hot, 4, ra, (1 << align) - 1);
		gen_bail(g, X86_CC_NE);
	}
	again = g->hot.p;
	if (lo)
		x86_lea(&g->hot, 4, d, x86_base(ra, lo));
	else
		x86_mov_rr(&g->hot, 4, d, ra);
	x86_shr_ri(&g->hot, 4, d, PAGE_SHIFT - ENTRY_SHIFT);
	x86_alu_ri(&g->hot, X86_AND, 4, d, (int32_t)(IR_TLB_SIZE - 1) << ENTRY_SHIFT);
	x86_alu_rm(&g->hot, X86_ADD, 8, d, FRAME(tlb));
	x86_lea(&g->hot, 8, t, x86_base(ra, hi - 1));
	x86_alu_ri(&g->hot, X86_AND, 8, t, -(int32_t)IR_TLB_PAGE);
	x86_alu_rm(&g->hot, X86_CMP, 8, t, x86_base(d, (int32_t)tag));
	miss = x86_jcc_forward(&g->hot, X86_CC_NE);
	put_miss(g, miss, again, d, ra, lo, access | (uint32_t)(hi - lo) << 8);
	x86_mov_rm(&g->hot, 8, d, x86_base(d, (int32_t)offsetof(struct ir_tlb, addend)));
	x86_alu_rr(&g->hot, X86_ADD, 8, d, ra);
	drop(g, ins->a);
	define(g, ref, d);
}

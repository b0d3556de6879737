/* Loads, stores, atomics and fences. An x86-64 host keeps total store order:
 * acquire loads and release stores are plain, and only an earlier store before
 * a later load needs a fence. */
#include "codegen/x86_64/gen.h"

static void
xlate(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	unsigned align = IR_XLATE_ALIGN(ins->aux);
	int ra, d;

	if (g->job->system) {
		soft_tlb_xlate(g, ref);
		return;
	}
	if (align) {
		ra = use(g, ins->a);
		x86_test_ri(&g->hot, 4, ra, (1 << align) - 1);
		gen_side_exit(g, X86_CC_NE, CODE_EXIT_CHECK, IR_TRAP_MISALIGNED, g->pc, 0);
	}
	if (g->job->guest_base_zero) {
		define_alias(g, ref, ins->a);
		drop(g, ins->a);
		return;
	}
	ra = use(g, ins->a);
	d = temp(g, GPR);
	x86_mov_rm(&g->hot, 8, d, FRAME(guest_base));
	x86_alu_rr(&g->hot, X86_ADD, 8, d, ra);
	drop(g, ins->a);
	define(g, ref, d);
}

static int
mem_bytes(const struct ir_ins *ins)
{
	return (int)ir_type_bits(IR_MEM_TYPE(ins->aux)) / 8;
}

static bool
load(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = mem_bytes(ins), d, t = NO_REG;
	enum ir_type type = (enum ir_type)ins->type;
	bool summed = false;
	struct x86_mem m;

	if (bytes > (type_is_fp(type) ? 16 : 8))
		return false;
	summed = address_of(g, ref, &m);
	if (!summed) {
		m = soft_tlb_operand(g, ins->a, (int32_t)ins->c);
	}
	if (type_is_fp(type)) {
		d = dest(g, ref, true);
		if (bytes == 2)
			t = temp(g, GPR);
		plant_fault(g);
		if (bytes == 16)
			x86_movups_load(&g->hot, d, m);
		else if (bytes == 2)
			x86_movzx_rm(&g->hot, 2, t, m);
		else
			x86_movs_load(&g->hot, bytes, d, m);
	} else {
		d = dest(g, ref, true);
		plant_fault(g);
		if (IR_MEM_SIGNED(ins->aux) && bytes < (int)ir_type_bits(type) / 8)
			x86_movsx_rm(&g->hot, op_size(type), bytes, d, m);
		else
			x86_movzx_rm(&g->hot, bytes, d, m);
	}
	if (summed)
		address_mark_fault(g, ref, m);
	else
		mark_fault(g);
	if (t != NO_REG)
		x86_movd_xr(&g->hot, 4, d, t);
	drop(g, ins->a);
	define(g, ref, d);
	g->val[ref].zx = type_is_fp(type) ? (bytes & 15) : type == IR_I32 ? 4 : 0;
	return true;
}

static bool
store(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = mem_bytes(ins);
	struct x86_mem m;
	int32_t imm;

	if (bytes > (type_is_fp((enum ir_type)g->ins[ins->b].type) ? 16 : 8))
		return false;
	if (!address_of(g, ref, &m))
		m = soft_tlb_operand(g, ins->a, (int32_t)ins->c);
	if (bytes <= 8 && const_imm32(g, ins->b, bytes, &imm)) {
		plant_fault(g);
		x86_mov_mi(&g->hot, bytes, m, imm);
	} else if (bank_of(g, resolve(g, ins->b)) == FPR) {
		int value = use(g, ins->b);

		canonicalize(g, ins->b, value);
		plant_fault(g);
		if (bytes == 16)
			x86_movups_store(&g->hot, m, value);
		else if (bytes == 2)
			x86_pextrw_m(&g->hot, m, value, 0);
		else
			x86_movs_store(&g->hot, bytes, m, value);
	} else {
		int value = use(g, ins->b);

		plant_fault(g);
		x86_mov_mr(&g->hot, bytes, m, value);
	}
	mark_fault(g);
	g->stored = true;
	if (IR_MEM_ORDER(ins->aux) == IR_SEQ_CST) {
		x86_lock(&g->hot);
		x86_or_mi(&g->hot, 4, x86_base(RSP, 0), 0);
	}
	drop(g, ins->a);
	drop(g, ins->b);
	return true;
}

/* rmw with a loop: rax holds the old value, t the new. */
static void
rmw_loop(struct gen *g, enum ir_rmw op, int bytes, struct x86_mem m, int value)
{
	static const uint8_t keep_old[] = { [IR_RMW_SMIN] = X86_CC_LE, [IR_RMW_SMAX] = X86_CC_GE,
					    [IR_RMW_UMIN] = X86_CC_BE, [IR_RMW_UMAX] = X86_CC_AE };
	int size = bytes < 4 ? 4 : bytes, t = temp(g, GPR);
	const uint8_t *again;

	plant_fault(g);
	x86_movzx_rm(&g->hot, bytes, RAX, m);
	mark_fault(g);
	again = g->hot.p;
	x86_mov_rr(&g->hot, size, t, value);
	switch (op) {
	case IR_RMW_AND: x86_alu_rr(&g->hot, X86_AND, size, t, RAX); break;
	case IR_RMW_OR: x86_alu_rr(&g->hot, X86_OR, size, t, RAX); break;
	case IR_RMW_XOR: x86_alu_rr(&g->hot, X86_XOR, size, t, RAX); break;
	case IR_RMW_ANDN:
		x86_not_r(&g->hot, size, t);
		x86_alu_rr(&g->hot, X86_AND, size, t, RAX);
		break;
	case IR_RMW_SMIN:
	case IR_RMW_SMAX:
	case IR_RMW_UMIN:
	case IR_RMW_UMAX:
		x86_alu_rr(&g->hot, X86_CMP, bytes, RAX, value);
		x86_cmov_rr(&g->hot, (enum x86_cc)keep_old[op], size, t, RAX);
		break;
	case IR_RMW_XCHG:
	case IR_RMW_ADD:
		break; /* made without a loop */
	}
	x86_lock(&g->hot);
	x86_cmpxchg_mr(&g->hot, bytes, m, t);
	mark_fault(g);
	x86_jcc(&g->hot, X86_CC_NE, again);
}

static bool
rmw(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	enum ir_rmw op = IR_MEM_RMW_OP(ins->aux);
	int bytes = mem_bytes(ins), base, value, d;
	struct x86_mem m;

	if (bytes > 8)
		return false;
	if (op != IR_RMW_XCHG && op != IR_RMW_ADD)
		claim(g, GPR, RAX);
	base = use(g, ins->a);
	value = use(g, ins->b);
	m = x86_base(base, 0);
	if (op == IR_RMW_XCHG || op == IR_RMW_ADD) {
		d = temp(g, GPR);
		x86_mov_rr(&g->hot, 8, d, value);
		plant_fault(g);
		if (op == IR_RMW_XCHG) {
			x86_xchg_mr(&g->hot, bytes, m, d);
		} else {
			x86_lock(&g->hot);
			x86_xadd_mr(&g->hot, bytes, m, d);
		}
		mark_fault(g);
	} else {
		d = RAX;
		rmw_loop(g, op, bytes, m, value);
	}
	drop(g, ins->a);
	drop(g, ins->b);
	define(g, ref, d);
	return true;
}

static bool
cas(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = mem_bytes(ins), base, fresh;

	if (bytes > 8)
		return gen_cas_wide(g, ref);
	claim(g, GPR, RAX);
	base = use(g, ins->a);
	fresh = use(g, ins->c);
	copy_to(g, RAX, ins->b, 8);
	plant_fault(g);
	x86_lock(&g->hot);
	x86_cmpxchg_mr(&g->hot, bytes, x86_base(base, 0), fresh);
	mark_fault(g);
	drop(g, ins->a);
	drop(g, ins->b);
	drop(g, ins->c);
	define(g, ref, RAX);
	return true;
}

static bool
load_linked(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = (int)ir_type_bits((enum ir_type)ins->type) / 8;
	int base, address, d;

	if (bytes > 8)
		return gen_ll_wide(g, ref);
	base = use(g, ins->a);
	address = use(g, ins->b);
	d = temp(g, GPR);
	plant_fault(g);
	if (bytes < 4)
		x86_movzx_rm(&g->hot, bytes, d, x86_base(base, 0));
	else
		x86_mov_rm(&g->hot, bytes, d, x86_base(base, 0));
	mark_fault(g);
	x86_mov_mr(&g->hot, 8, FRAME(link_address), address);
	x86_mov_mr(&g->hot, 8, FRAME(link_value), d);
	drop(g, ins->a);
	drop(g, ins->b);
	define(g, ref, d);
	return true;
}

static bool
store_conditional(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = mem_bytes(ins), base, value, address;
	uint8_t *lost, *back;

	if (bytes > 8)
		return gen_sc_wide(g, ref);
	claim(g, GPR, RAX);
	base = use(g, ins->a);
	value = use(g, ins->b);
	address = use(g, ins->c);
	plant_fault(g); /* here: a fault must leave the link as it was */
	x86_alu_mr(&g->hot, X86_CMP, 8, FRAME(link_address), address);
	x86_mov_rm(&g->hot, 8, RAX, FRAME(link_value));
	lost = x86_jcc_forward(&g->hot, X86_CC_NE);
	x86_lock(&g->hot);
	x86_cmpxchg_mr(&g->hot, bytes, x86_base(base, 0), value);
	mark_fault(g);
	x86_setcc_r(&g->hot, X86_CC_NE, RAX);
	x86_movzx_rr(&g->hot, 1, RAX, RAX);
	back = g->hot.p;
	x86_mov_mi(&g->hot, 8, FRAME(link_address), IR_LINK_NONE); /* not before it may fault */
	x86_patch_rel32(lost, g->cold.p);
	x86_mov_ri(&g->cold, RAX, 1);
	x86_jmp(&g->cold, back);
	drop(g, ins->a);
	drop(g, ins->b);
	drop(g, ins->c);
	define(g, ref, RAX);
	return true;
}

bool
gen_memory(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];

	switch (ins->op) {
	case IR_XLATE: xlate(g, ref); return true;
	case IR_LOAD: return load(g, ref);
	case IR_STORE: return store(g, ref);
	case IR_RMW: return rmw(g, ref);
	case IR_CAS: return cas(g, ref);
	case IR_LL: return load_linked(g, ref);
	case IR_SC: return store_conditional(g, ref);
	case IR_FENCE:
		if (ins->aux & (1 | 4) && ins->aux >> 4 & (2 | 8)) {
			x86_lock(&g->hot);
			x86_or_mi(&g->hot, 4, x86_base(RSP, 0), 0);
		}
		return true;
	case IR_PREFETCH:
		drop(g, ins->a);
		return true;
	default:
		return false;
	}
}

/* Integer ops on bits: reversal, bit fields, CRC-32; and the few that i128 has:
 * it is a pair of values, or what an atomic op left in two words of the frame.
 */
#include "codegen/x86_64/gen.h"

#include "codegen/x86_64/vec_ops.h"

static int
bits_of(const struct gen *g, ir_ref ref)
{
	return (int)ir_type_bits((enum ir_type)g->ins[ref].type);
}

/* ---- reversal ----------------------------------------------------------- */

/* CLZ of the reversal is CTZ: the only user may see to it (count_bits). */
static bool
has_counter(const struct gen *g, ir_ref ref)
{
	ir_ref end = ref + 8 < g->region->ins_count ? ref + 8 : g->region->ins_count;

	for (ir_ref i = ref + 1; i < end && !(ir_op_info[g->ins[i].op].effects & IR_E_END); i++)
		if (g->ins[i].op == IR_CLZ && g->ins[i].a == ref && g->ins[i].type == g->ins[ref].type)
			return g->val[i].uses > 0;
	return false;
}

/* One step: d = neighbouring groups of n bits of d exchanged. */
static void
exchange_bits(struct gen *g, int d, int t, int m, int n, uint64_t low, int size)
{
	x86_mov_ri(&g->hot, m, size == 8 ? low : (uint32_t)low);
	x86_mov_rr(&g->hot, size, t, d);
	x86_shr_ri(&g->hot, size, t, n);
	x86_alu_rr(&g->hot, X86_AND, size, t, m);
	x86_alu_rr(&g->hot, X86_AND, size, d, m);
	x86_shl_ri(&g->hot, size, d, n);
	x86_alu_rr(&g->hot, X86_OR, size, d, t);
}

/* GFNI's affine transform of each byte by the mirrored unit matrix. */
static bool
reverse(struct gen *g, ir_ref ref)
{
	int bits = bits_of(g, ref), size = bits == 64 ? 8 : 4, ra, d, t, m;

	if (bits >= 32 && g->val[ref].uses == 1 && has_counter(g, ref)) {
		g->val[ref].deferred = true;
		return true;
	}
	ra = use(g, g->ins[ref].a);
	if (g->cpu->gfni && g->hot.vex) {
		t = temp(g, FPR);
		x86_movd_xr(&g->hot, size, t, ra);
		x86_vop3_mi(&g->hot, X86_GF2P8AFFINEQB, 0, t, t, const_mem(g, 0x8040201008040201, 0x8040201008040201), 0);
		d = dest(g, ref, true);
		x86_movd_rx(&g->hot, size, d, t);
	} else {
		d = temp(g, GPR);
		t = temp(g, GPR);
		m = temp(g, GPR);
		x86_mov_rr(&g->hot, size, d, ra);
		exchange_bits(g, d, t, m, 1, 0x5555555555555555, size);
		exchange_bits(g, d, t, m, 2, 0x3333333333333333, size);
		exchange_bits(g, d, t, m, 4, 0x0f0f0f0f0f0f0f0f, size);
	}
	x86_bswap_r(&g->hot, size, d);
	if (bits < 32)
		x86_shr_ri(&g->hot, 4, d, 32 - bits);
	drop(g, g->ins[ref].a);
	define(g, ref, d);
	return true;
}

/* ---- fields ------------------------------------------------------------- */

/* Bits of a from bit on; what is above them may be anything for types below i32,
 * and is zeros for i32. */
static void
extract(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int size = bits_of(g, ins->a) == 64 ? 8 : 4, ra = use(g, ins->a), d = dest(g, ref, true);

	if (size == 4 && bits_of(g, ins->a) < 32)
		x86_movzx_rr(&g->hot, bits_of(g, ins->a) / 8, d, ra);
	else if (d != ra)
		x86_mov_rr(&g->hot, size, d, ra);
	if (ins->aux)
		x86_shr_ri(&g->hot, size, d, ins->aux);
	if (ins->type == IR_I32)
		x86_mov_rr(&g->hot, 4, d, d);
	drop(g, ins->a);
	define(g, ref, d);
}

/* a with b's bits from aux on: shifted up, b's width cleared in a. */
static void
insert(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int size = op_size((enum ir_type)ins->type), width = bits_of(g, ins->b);
	int ra = use(g, ins->a), rb = use(g, ins->b), t = temp(g, GPR), u = temp(g, GPR);
	uint64_t mask = (width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1) << ins->aux;

	if (width <= 32)
		x86_movzx_rr(&g->hot, width / 8, t, rb);
	else
		x86_mov_rr(&g->hot, 8, t, rb);
	if (ins->aux)
		x86_shl_ri(&g->hot, size, t, ins->aux);
	x86_mov_ri(&g->hot, u, size == 8 ? ~mask : (uint32_t)~mask);
	x86_alu_rr(&g->hot, X86_AND, size, u, ra);
	x86_alu_rr(&g->hot, X86_OR, size, t, u);
	drop(g, ins->a);
	drop(g, ins->b);
	define(g, ref, t);
}

/* ---- CRC-32 ------------------------------------------------------------- */

/* IEEE's polynomial, bits reversed as all here is: with the data and the
 * accumulator in the top of 64 bits, the quotient is the low half of the product
 * with the polynomial's inverse modulo x^64, and the remainder the high half of
 * the quotient's with the polynomial. */
static void
crc_ieee(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bits = bits_of(g, ins->b), acc = use(g, ins->a), value = use(g, ins->b);
	int t = temp(g, GPR), u, x = temp(g, FPR);

	if (bits == 64) {
		x86_mov_rr(&g->hot, 4, t, acc);
		x86_alu_rr(&g->hot, X86_XOR, 8, t, value);
	} else {
		x86_mov_rr(&g->hot, 4, t, acc);
		x86_alu_rr(&g->hot, X86_XOR, 4, t, value);
		x86_shl_ri(&g->hot, 8, t, 64 - bits);
	}
	x86_movd_xr(&g->hot, 8, x, t);
	x86_vop3_mi(&g->hot, X86_PCLMULQDQ, 0, x, x, const_mem(g, UINT64_C(0xb4e5b025f7011641), 0x1db710641), 0x00);
	x86_vop3_mi(&g->hot, X86_PCLMULQDQ, 0, x, x, const_mem(g, UINT64_C(0xb4e5b025f7011641), 0x1db710641), 0x10);
	x86_pextr(&g->hot, 4, t, x, 2);
	if (bits < 32) {
		u = temp(g, GPR);
		x86_mov_rr(&g->hot, 4, u, acc);
		x86_shr_ri(&g->hot, 4, u, bits);
		x86_alu_rr(&g->hot, X86_XOR, 4, t, u);
	}
	drop(g, ins->a);
	drop(g, ins->b);
	define(g, ref, t);
}

static bool
crc(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int acc, value, t;

	if (!ins->aux) {
		if (!g->cpu->pclmul)
			return false;
		crc_ieee(g, ref);
		return true;
	}
	acc = use(g, ins->a);
	value = use(g, ins->b);
	t = temp(g, GPR);
	x86_mov_rr(&g->hot, 4, t, acc);
	x86_crc32_rr(&g->hot, bits_of(g, ins->b) / 8, t, value);
	drop(g, ins->a);
	drop(g, ins->b);
	define(g, ref, t);
	return true;
}

/* ---- i128 --------------------------------------------------------------- */

/* Half of an i128: an operand of its PAIR, or a word of its place. */
static bool
half(struct gen *g, ir_ref ref, unsigned which)
{
	ir_ref whole = resolve(g, g->ins[ref].a), part;
	int d;

	if (g->ins[whole].op == IR_PAIR) {
		part = which ? g->ins[whole].b : g->ins[whole].a;
		define_alias(g, ref, part);
	} else if (g->val[whole].spill >= 0) {
		d = dest(g, ref, false);
		x86_mov_rm(&g->hot, 8, d, scratch_mem(g->val[whole].spill + (int)which));
		define(g, ref, d);
	} else {
		return false;
	}
	drop(g, whole);
	return true;
}

static bool
gen_op(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool wide = ins->type == IR_I128, from_wide = ins->a && g->ins[ins->a].type == IR_I128;

	switch (ins->op) {
	case IR_PAIR:
		g->val[ref].deferred = true;
		return true;
	case IR_TRUNC: return from_wide && !wide && half(g, ref, 0);
	case IR_EXTRACT:
		if (from_wide)
			return !wide && ins->aux % 64 == 0 && half(g, ref, ins->aux / 64);
		extract(g, ref);
		return true;
	case IR_INSERT:
		if (wide || bits_of(g, ins->b) > 64)
			return false;
		insert(g, ref);
		return true;
	case IR_BITREV: return !wide && reverse(g, ref);
	case IR_CRC32: return crc(g, ref);
	default: return false;
	}
}

bool
gen_int_bits(struct gen *g, ir_ref ref)
{
	if (!gen_op(g, ref))
		return false;
	if (g->ins[ref].type == IR_I32 && !g->val[ref].alias && !g->val[ref].deferred)
		g->val[ref].zx = 4;
	return true;
}

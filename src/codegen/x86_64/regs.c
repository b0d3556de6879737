/* Where values are: homes, temporaries, constants, spills. gen.h has the
 * rules. */
#include "codegen/x86_64/gen.h"

#include <string.h>

/* By boundary number of the slot table. Callee-saved ones come last: they are
 * no better, every helper call stores all. */
const uint8_t boundary_gpr[BOUNDARY_GPRS] = { RBX, RSI, RDI, R8, R9, R10, R12, R13, R14, R15 };

#define TEMPS(bank) (g->temps[bank])

bool
const_imm32(const struct gen *g, ir_ref ref, int size, int32_t *imm)
{
	const struct ir_ins *ins = &g->ins[resolve(g, ref)];

	if (ins->op != IR_CONST)
		return false;
	*imm = (int32_t)ins->imm;
	return size <= 4 || *imm == ins->imm;
}

/* The boundary registers of a slot table. */
static void
boundary_registers(const struct ir_slots *slots, int8_t reg[IR_SLOT_MAX])
{
	memset(reg, NO_REG, IR_SLOT_MAX);
	for (unsigned i = 0; i < slots->count; i++) {
		const struct ir_slot *slot = &slots->slot[i];

		if (slot->boundary < 0)
			continue;
		if (type_is_fp((enum ir_type)slot->type)) {
			if (slot->boundary < BOUNDARY_FPRS)
				reg[i] = slot->boundary;
		} else if (slot->boundary < BOUNDARY_GPRS) {
			reg[i] = (int8_t)boundary_gpr[slot->boundary];
		}
	}
}

static void
know_boundary(struct gen *g)
{
	static struct {
		const struct ir_slots *slots;
		int8_t reg[IR_SLOT_MAX];
		uint32_t temp_fprs;
	} kept;
	const struct ir_slots *none = NULL;

	if (__atomic_load_n(&kept.slots, __ATOMIC_ACQUIRE) == g->slots) {
		memcpy(g->slot_reg, kept.reg, sizeof g->slot_reg);
		g->temps[FPR] = kept.temp_fprs;
		return;
	}
	boundary_registers(g->slots, g->slot_reg);
	g->temps[FPR] = 0xffff;
	for (unsigned i = 0; i < g->slots->count; i++)
		if (g->slot_reg[i] != NO_REG && type_is_fp((enum ir_type)g->slots->slot[i].type))
			g->temps[FPR] &= ~(1u << g->slot_reg[i]);
	/* The first table stays; a pointer marks the copy complete. */
	if (__atomic_compare_exchange_n(&kept.slots, &none, (const struct ir_slots *)&kept, false, __ATOMIC_ACQUIRE,
					__ATOMIC_RELAXED)) {
		memcpy(kept.reg, g->slot_reg, sizeof kept.reg);
		kept.temp_fprs = g->temps[FPR];
		__atomic_store_n(&kept.slots, g->slots, __ATOMIC_RELEASE);
	}
}

void
regs_begin(struct gen *g)
{
	know_boundary(g);
	g->temps[GPR] = g->free[GPR] = TEMP_GPRS;
	/* Without AVX the assembler wants one to make two operands of three. A
	 * guest that needs all others does without (no vector ops). */
	if (!g->hot.vex && __builtin_popcount(g->temps[FPR]) > 4) {
		g->temps[FPR] &= ~(1u << XMM15);
		g->hot.scratch = g->cold.scratch = XMM15;
	}
	g->free[FPR] = g->temps[FPR];
}

static bool
in_home_register(const struct gen *g, const struct val *v)
{
	return v->home != NO_SLOT && g->slot_reg[v->home] != NO_REG;
}

int
register_of(const struct gen *g, ir_ref ref)
{
	const struct val *v = &g->val[ref];

	if (v->reg != NO_REG)
		return v->reg;
	return in_home_register(g, v) ? g->slot_reg[v->home] : NO_REG;
}

static void
load_fpr(struct gen *g, int reg, enum ir_type type, struct x86_mem m)
{
	if (type == IR_F32 || type == IR_F16)
		x86_movss_load(&g->hot, reg, m);
	else if (type == IR_V128)
		x86_movups_load(&g->hot, reg, m);
	else
		x86_movsd_load(&g->hot, reg, m);
}

/* words: 1, or 2 that follow each other. */
static int
new_scratch(struct gen *g, int words)
{
	for (int i = 0; words == 2 && i < IR_SCRATCH - 1; i += 2) {
		if (!(g->scratch_used & 3u << i)) {
			g->scratch_used |= 3u << i;
			return i;
		}
	}
	if (words == 2) {
		g->failed = true;
		return 0;
	}
	for (int i = 0; i < IR_SCRATCH; i++) {
		if (!(g->scratch_used & 1u << i)) {
			g->scratch_used |= 1u << i;
			return i;
		}
	}
	g->failed = true;
	return 0;
}

static void
forget_spill(struct gen *g, struct val *v)
{
	if (v->spill >= 0) {
		g->scratch_used &= ~((v->wide ? 3u : 1u) << v->spill);
		v->spill = -1;
	}
}

struct x86_mem
place_mem(const struct gen *g, ir_ref ref)
{
	const struct val *v = &g->val[ref];

	return v->home != NO_SLOT ? slot_mem(g, v->home) : scratch_mem(v->spill);
}

/* Writes the value in a temporary to a scratch word. */
static void
spill(struct gen *g, ir_ref ref)
{
	struct val *v = &g->val[ref];

	v->wide = g->ins[ref].type == IR_V128;
	v->spill = (int8_t)new_scratch(g, v->wide ? 2 : 1);
	if (v->wide)
		x86_movups_store(&g->hot, scratch_mem(v->spill), v->reg);
	else if (bank_of(g, ref) == GPR)
		x86_mov_mr(&g->hot, 8, scratch_mem(v->spill), v->reg);
	else
		x86_movsd_store(&g->hot, scratch_mem(v->spill), v->reg);
}

/* A value that can be had again without its temporary. */
static bool
has_other_place(const struct gen *g, ir_ref ref)
{
	const struct val *v = &g->val[ref];

	return v->uses == 0 || v->home != NO_SLOT || v->spill >= 0 || g->ins[ref].op == IR_CONST;
}

static void
evict(struct gen *g, enum bank bank, int reg)
{
	ir_ref ref = g->held[bank][reg];

	if (ref) {
		if (!has_other_place(g, ref))
			spill(g, ref);
		g->val[ref].reg = NO_REG;
		g->held[bank][reg] = 0;
	}
	g->free[bank] |= 1u << reg;
}

int
temp(struct gen *g, enum bank bank)
{
	uint32_t candidates = g->free[bank] & ~g->locked[bank];
	int reg;

	if (!candidates) {
		uint32_t set = TEMPS(bank) & ~g->locked[bank];

		if (!set) {
			g->failed = true;
			return bank == GPR ? RAX : 12;
		}
		reg = __builtin_ctz(set);
		for (uint32_t rest = set; rest; rest &= rest - 1) {
			int r = __builtin_ctz(rest);

			if (!g->held[bank][r] || has_other_place(g, g->held[bank][r])) {
				reg = r;
				break;
			}
		}
		evict(g, bank, reg);
	} else if (bank == FPR && candidates & ~g->memo_regs) {
		reg = __builtin_ctz(candidates & ~g->memo_regs);
	} else {
		reg = __builtin_ctz(candidates);
	}
	if (bank == FPR && 1u << reg & g->memo_regs)
		g->memo_regs = 0;
	g->free[bank] &= ~(1u << reg);
	g->locked[bank] |= 1u << reg;
	return reg;
}

void
claim(struct gen *g, enum bank bank, int reg)
{
	if (!(g->free[bank] & 1u << reg)) {
		ir_ref ref = g->held[bank][reg];
		uint32_t rest = g->free[bank] & ~g->locked[bank];

		/* A register-to-register move beats a spill. */
		if (ref && !has_other_place(g, ref) && rest && bank == GPR) {
			int to = __builtin_ctz(rest);

			x86_mov_rr(&g->hot, 8, to, reg);
			g->free[bank] &= ~(1u << to);
			g->held[bank][to] = ref;
			g->val[ref].reg = (int8_t)to;
			g->locked[bank] |= g->locked[bank] & 1u << reg ? 1u << to : 0;
			g->held[bank][reg] = 0;
		} else {
			evict(g, bank, reg);
		}
	}
	g->free[bank] &= ~(1u << reg);
	g->locked[bank] |= 1u << reg;
}

/* Puts the value into register reg by whatever place it has. */
static void
fetch(struct gen *g, int reg, ir_ref ref, int size)
{
	const struct val *v = &g->val[ref];
	const struct ir_ins *ins = &g->ins[ref];
	int from = register_of(g, ref);

	if (bank_of(g, ref) == FPR) {
		if (from != NO_REG) {
			if (from != reg)
				x86_movaps(&g->hot, reg, from);
		} else if (v->home != NO_SLOT) {
			load_fpr(g, reg, (enum ir_type)g->slots->slot[v->home].type,
				 slot_mem(g, v->home));
		} else if (v->spill >= 0) {
			load_fpr(g, reg, v->wide ? IR_V128 : IR_F64, scratch_mem(v->spill));
		} else if (ins->op == IR_CONST && ins->imm == 0) {
			x86_vzero(&g->hot, reg);
		} else if (ins->op == IR_CONST) {
			int t = temp(g, GPR);

			x86_mov_ri(&g->hot, t, (uint64_t)ins->imm);
			x86_movd_xr(&g->hot, 8, reg, t);
			g->free[GPR] |= 1u << t;
			g->locked[GPR] &= ~(1u << t);
		} else {
			g->failed = true;
		}
		return;
	}
	if (from != NO_REG) {
		if (from != reg)
			x86_mov_rr(&g->hot, size, reg, from);
	} else if (ins->op == IR_CONST) {
		x86_mov_ri(&g->hot, reg, (uint64_t)ins->imm);
	} else if (v->home != NO_SLOT && ins->type == IR_FLAGS) {
		x86_movzx_rm(&g->hot, 1, reg, slot_mem(g, v->home));
	} else if (v->home != NO_SLOT) {
		x86_mov_rm(&g->hot, size, reg, slot_mem(g, v->home));
	} else if (v->spill >= 0) {
		x86_mov_rm(&g->hot, size, reg, scratch_mem(v->spill));
	} else {
		g->failed = true; /* an op that has no code left no value */
	}
}

int
use(struct gen *g, ir_ref ref)
{
	enum bank bank;
	int reg;

	ref = resolve(g, ref);
	bank = bank_of(g, ref);
	reg = register_of(g, ref);
	if (reg == NO_REG) {
		reg = temp(g, bank);
		fetch(g, reg, ref, 8);
		g->val[ref].reg = (int8_t)reg;
		g->held[bank][reg] = ref;
	}
	g->locked[bank] |= 1u << reg;
	return reg;
}

void
copy_to(struct gen *g, int reg, ir_ref ref, int size)
{
	fetch(g, reg, resolve(g, ref), size);
}

bool
use_mem(struct gen *g, ir_ref ref, struct x86_mem *m)
{
	const struct val *v;

	ref = resolve(g, ref);
	v = &g->val[ref];
	if (v->uses > 1 || register_of(g, ref) != NO_REG || g->ins[ref].op == IR_CONST)
		return false;
	if (v->home != NO_SLOT)
		*m = slot_mem(g, v->home);
	else if (v->spill >= 0)
		*m = scratch_mem(v->spill);
	else
		return false;
	return true;
}

bool
use_vector_mem(struct gen *g, ir_ref ref, struct x86_mem *m)
{
	const struct val *v = &g->val[resolve(g, ref)];

	/* A v64 may pass for a v128, but is kept in 8 bytes. */
	if (v->home != NO_SLOT ? g->slots->slot[v->home].type != IR_V128 : !v->wide)
		return false;
	return use_mem(g, ref, m);
}

/* How many of the operands of op are the value ref. */
static unsigned
operand_count(const struct gen *g, const struct ir_ins *ins, ir_ref ref)
{
	const char *kinds = ir_op_info[ins->op].operands;
	uint32_t operand[3] = { ins->a, ins->b, ins->c };
	unsigned count = 0;

	for (int i = 0; i < 3; i++) {
		if (kinds[i] != '.' && kinds[i] != '*' && kinds[i] != 'D' && operand[i] &&
		    resolve(g, operand[i]) == ref)
			count++;
	}
	return count;
}

/* The home that a SET behind op ref writes, if it can be had now. */
static int
home_for(struct gen *g, ir_ref ref, bool reuse)
{
	ir_ref old;
	unsigned here;
	int slot = set_of(g, ref), reg;

	if (slot == NO_SLOT)
		return NO_REG;
	reg = g->slot_reg[slot];
	if (reg == NO_REG)
		return NO_REG;
	if (reuse && g->slot_val[slot] && flags_hold(g, g->slot_val[slot]))
		flags_flush(g);
	old = g->slot_val[slot];
	if (!old || g->val[old].uses == 0)
		return reg;
	here = operand_count(g, &g->ins[ref], old);
	if (here && !reuse)
		return NO_REG;
	if (g->val[old].uses <= here)
		return reg;
	/* It lives on elsewhere as well. */
	return g->val[old].reg != NO_REG || g->val[old].spill >= 0 ? reg : NO_REG;
}

int
dest(struct gen *g, ir_ref ref, bool reuse)
{
	const struct ir_ins *ins = &g->ins[ref];
	enum bank bank = bank_of(g, ref);
	int reg = home_for(g, ref, reuse), slot = set_of(g, ref);

	if (reg != NO_REG)
		return reg;
	/* What lives there and on has to move anyway when the SET comes: it does now, and
	 * the result needs no move. */
	if (reuse && slot != NO_SLOT && g->slot_reg[slot] != NO_REG && g->free[bank] & ~g->locked[bank]) {
		vacate(g, (unsigned)slot);
		return g->slot_reg[slot];
	}
	if (reuse && ins->a && ir_op_info[ins->op].operands[0] != '.' &&
	    ir_op_info[ins->op].operands[0] != '*') {
		ir_ref a = resolve(g, ins->a);

		if (bank_of(g, a) == bank && g->val[a].reg != NO_REG &&
		    g->val[a].uses <= operand_count(g, ins, a))
			return g->val[a].reg;
	}
	return temp(g, bank);
}

int
dest_or(struct gen *g, ir_ref ref, int reg)
{
	int home = home_for(g, ref, true);

	return home != NO_REG ? home : reg;
}

bool
is_dest(struct gen *g, ir_ref ref, int reg)
{
	return home_for(g, ref, true) == reg;
}

void
define(struct gen *g, ir_ref ref, int reg)
{
	enum bank bank = bank_of(g, ref);
	struct val *v = &g->val[ref];

	if (1u << reg & TEMPS(bank)) {
		ir_ref old = g->held[bank][reg];

		if (old && old != ref)
			g->val[old].reg = NO_REG;
		g->held[bank][reg] = ref;
		g->free[bank] &= ~(1u << reg);
		v->reg = (int8_t)reg;
		if (v->uses == 0) {
			g->held[bank][reg] = 0;
			g->free[bank] |= 1u << reg;
			v->reg = NO_REG;
		}
		return;
	}
	/* A home: the SET that follows makes it so; what was there has gone. */
	unsigned slot = (unsigned)set_of(g, ref);
	ir_ref old = g->slot_val[slot];

	if (old && old != ref)
		g->val[old].home = NO_SLOT;
	g->slot_val[slot] = ref;
	v->home = (int16_t)slot;
}

void
define_alias(struct gen *g, ir_ref ref, ir_ref of)
{
	of = resolve(g, of);
	g->val[ref].alias = of;
	g->val[of].uses = (uint16_t)(g->val[of].uses + g->val[ref].uses);
}

int
keep_wide(struct gen *g, ir_ref ref, int low, int high)
{
	struct val *v = &g->val[ref];
	int word = new_scratch(g, 2);

	if (low != NO_REG)
		x86_mov_mr(&g->hot, 8, scratch_mem(word), low);
	if (high != NO_REG)
		x86_mov_mr(&g->hot, 8, scratch_mem(word + 1), high);
	v->wide = true;
	v->spill = (int8_t)word;
	if (!v->uses)
		forget_spill(g, v);
	return word;
}

void
drop(struct gen *g, ir_ref ref)
{
	struct val *v;
	enum bank bank;

	ref = resolve(g, ref);
	v = &g->val[ref];
	if (v->uses == 0 || --v->uses > 0)
		return;
	bank = bank_of(g, ref);
	if (v->reg != NO_REG && g->held[bank][v->reg] == ref) {
		g->held[bank][v->reg] = 0;
		g->free[bank] |= 1u << v->reg;
		v->reg = NO_REG;
	}
	forget_spill(g, v);
	if (v->deferred)
		flags_release(g, ref);
}

void
op_done(struct gen *g)
{
	/* A temporary that an op took and bound to nothing is free again. */
	for (int bank = GPR; bank <= FPR; bank++) {
		uint32_t set = g->locked[bank] & TEMPS(bank);

		for (; set; set &= set - 1) {
			int reg = __builtin_ctz(set);

			if (!g->held[bank][reg])
				g->free[bank] |= 1u << reg;
		}
		g->locked[bank] = 0;
	}
}

/* ---- slots -------------------------------------------------------------- */

void
gen_get(struct gen *g, ir_ref ref)
{
	unsigned slot = g->ins[ref].aux;
	struct val *v = &g->val[ref];
	ir_ref known = g->slot_val[slot];

	if ((int)slot == g->flags_slot) {
		flags_slot_get(g, ref);
		return;
	}
	/* Of an FP slot it may be the f32 that was boxed in place: as good. */
	if (known && g->val[known].home == (int16_t)slot) {
		define_alias(g, ref, known);
		return;
	}
	v->home = (int16_t)slot;
	v->raw = g->raw_home[slot];
	g->slot_val[slot] = ref;
}

void
vacate(struct gen *g, unsigned slot)
{
	ir_ref old = g->slot_val[slot];
	struct val *v;

	if (!old)
		return;
	if (g->flags_now && g->val[old].uses && flags_hold(g, old))
		flags_flush(g);
	v = &g->val[old];
	if (v->uses > 0 && v->reg == NO_REG && v->spill < 0 && g->ins[old].op != IR_CONST) {
		enum bank bank = bank_of(g, old);
		int reg = temp(g, bank);

		fetch(g, reg, old, 8);
		v->reg = (int8_t)reg;
		g->held[bank][reg] = old;
	}
	v->home = NO_SLOT;
	g->slot_val[slot] = 0;
}

static void
set_raw(struct gen *g, unsigned slot, unsigned bytes)
{
	g->raw_count += (bytes != 0) - (g->raw_home[slot] != 0);
	g->raw_home[slot] = (uint8_t)bytes;
}

/* Stores a value to a slot whose home is in the frame. */
static void
set_memory(struct gen *g, unsigned slot, ir_ref ref)
{
	enum ir_type type = (enum ir_type)g->slots->slot[slot].type;
	struct x86_mem m = slot_mem(g, (int)slot);
	int32_t imm;
	int reg;

	if (bank_of(g, ref) == FPR) {
		if (const_imm32(g, ref, 8, &imm) && type != IR_V128) {
			x86_mov_mi(&g->hot, 8, m, imm);
			return;
		}
		reg = use(g, ref);
		canonicalize(g, ref, reg);
		if (type == IR_V128)
			x86_movups_store(&g->hot, m, reg);
		else
			x86_movsd_store(&g->hot, m, reg);
	} else if (const_imm32(g, ref, 8, &imm)) {
		x86_mov_mi(&g->hot, (int)ir_type_bits(type) / 8, m, imm);
	} else {
		x86_mov_mr(&g->hot, (int)ir_type_bits(type) / 8, m, use(g, ref));
	}
}

/* The slot has room for all of a value, of which it may be SET to the low part. */
static bool
holds_whole(const struct gen *g, unsigned slot, ir_ref value)
{
	return g->ins[value].type != IR_V128 || g->slots->slot[slot].type == IR_V128;
}

void
gen_set(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool dead = g->dead_set[ref / 64] >> (ref % 64) & 1;
	unsigned slot = ins->aux;
	ir_ref value = resolve(g, ins->a);
	struct val *v = &g->val[value];
	int home = g->slot_reg[slot];
	bool live = eflags_live(g) && !v->raw;

	if (v->late)
		address_update(g, value, slot);

	if ((int)slot == g->flags_slot) {
		flags_slot_set(g, ref);
		return;
	}
	if (v->home == (int16_t)slot) { /* made in place, or already there */
		if (home != NO_REG && bank_of(g, value) == FPR)
			set_raw(g, slot, v->raw);
		if (!dead)
			drop(g, ins->a);
		return;
	}
	if (dead)
		return;
	if (v->deferred) { /* address.c: the load behind it sets the slot */
		drop(g, ins->a);
		return;
	}
	if (home == NO_REG) {
		vacate(g, slot);
		set_memory(g, slot, value);
	} else {
		/* Read before the home's old value is gone. */
		vacate(g, slot);
		fetch(g, home, value, 8);
		if (bank_of(g, value) == FPR)
			set_raw(g, slot, v->raw);
	}
	/* The home is as good a place as the temporary. A value may have one
	 * home only; the newest is the likeliest to be asked for. */
	if (g->ins[value].op != IR_CONST && holds_whole(g, slot, value)) {
		if (v->home == NO_SLOT || g->slot_reg[v->home] == NO_REG) {
			if (v->home != NO_SLOT)
				g->slot_val[v->home] = 0;
			v->home = (int16_t)slot;
			g->slot_val[slot] = value;
			if (home != NO_REG && v->reg != NO_REG) {
				enum bank bank = bank_of(g, value);

				g->held[bank][v->reg] = 0;
				g->free[bank] |= 1u << v->reg;
				v->reg = NO_REG;
			}
		}
	}
	if (live) /* only moves */
		g->eflags_at = g->hot.p;
	drop(g, ins->a);
}

void
save_values(struct gen *g, bool homes)
{
	g->memo_regs = 0;
	for (int bank = GPR; bank <= FPR; bank++) {
		for (uint32_t set = TEMPS(bank) & ~g->free[bank]; set; set &= set - 1)
			evict(g, (enum bank)bank, __builtin_ctz(set));
	}
	if (!homes)
		return;
	for (unsigned slot = 0; slot < g->slots->count; slot++) {
		ir_ref value = g->slot_val[slot];

		if (!value)
			continue;
		vacate(g, slot);
		if (g->val[value].reg != NO_REG) {
			enum bank bank = bank_of(g, value);
			int reg = g->val[value].reg;

			evict(g, bank, reg);
			g->locked[bank] &= ~(1u << reg);
		}
	}
}

/* ---- rule 3 ------------------------------------------------------------- */

/* If reg holds a NaN it becomes the canonical one. The mending is out of the
 * way, in cold code. */
static void
emit_canonicalize(struct gen *g, struct x86_asm *a, int reg, int size)
{
	if (a == &g->cold) {
		uint8_t *over;

		x86_ucomis(a, size, reg, reg);
		over = x86_jcc_short(a, X86_CC_NP);
		x86_movsd_load(a, reg, FRAME_CONST(size == 8 ? K_NAN64 : K_NAN32));
		x86_patch_rel8(over, a->p);
		return;
	}
	x86_ucomis(a, size, reg, reg);
	x86_patch_rel32(x86_jcc_forward(a, X86_CC_P), g->cold.p);
	x86_movsd_load(&g->cold, reg, FRAME_CONST(size == 8 ? K_NAN64 : K_NAN32));
	x86_jmp(&g->cold, a->p);
}

void
canonicalize(struct gen *g, ir_ref ref, int reg)
{
	struct val *v;

	ref = resolve(g, ref);
	v = &g->val[ref];
	if (!v->raw)
		return;
	emit_canonicalize(g, &g->hot, reg, v->raw);
	v->raw = 0;
	if (in_home_register(g, v)) {
		if (g->slot_reg[v->home] == reg) {
			set_raw(g, (unsigned)v->home, 0);
		} else { /* what the home has is not this value any more */
			g->slot_val[v->home] = 0;
			v->home = NO_SLOT;
		}
	}
	forget_spill(g, v);
}

void
canonicalize_homes(struct gen *g, struct x86_asm *a, bool forget)
{
	unsigned left = g->raw_count;

	for (unsigned slot = 0; left; slot++) {
		if (!g->raw_home[slot])
			continue;
		left--;
		emit_canonicalize(g, a, g->slot_reg[slot], g->raw_home[slot]);
		if (!forget)
			continue;
		if (g->slot_val[slot]) { /* the home is its only whole copy */
			struct val *v = &g->val[g->slot_val[slot]];

			if (v->reg != NO_REG) {
				g->held[FPR][v->reg] = 0;
				g->free[FPR] |= 1u << v->reg;
				v->reg = NO_REG;
			}
			forget_spill(g, v);
			v->raw = 0;
		}
		set_raw(g, slot, 0);
	}
}

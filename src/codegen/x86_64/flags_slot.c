/* The flags slot: what a SET notes, what goes to the frame and when, what a GET
 * finds. flags.c has the scheme, flags.h the words in the frame. */
#include "codegen/x86_64/gen.h"

#include "codegen/x86_64/flags.h"

static struct x86_mem
part_mem(enum flags_part part)
{
	static const uint16_t offset[] = {
		[FLAGS_PART_OP] = offsetof(struct ir_frame, flags_op), [FLAGS_PART_A] = offsetof(struct ir_frame, flags_a),
		[FLAGS_PART_B] = offsetof(struct ir_frame, flags_b),   [FLAGS_PART_R] = offsetof(struct ir_frame, flags_r),
		[FLAGS_PART_M] = offsetof(struct ir_frame, flags_m),
	};
	return frame_mem(offset[part]);
}

/* Nobody sees what the slot holds before it is set again. */
static bool
is_dead(const struct gen *g, ir_ref ref)
{
	return g->flags_dead[ref / 64] >> (ref % 64) & 1;
}

void
flags_advance(struct gen *g, ir_ref ref)
{
	if (g->flags_now && is_dead(g, ref)) {
		drop(g, g->flags_now);
		g->flags_now = 0;
	}
}

/* Writes a value to a word of the frame with no register and, for numbers and
 * registers, without touching the host's flags. */
static void
store_part(struct gen *g, struct x86_asm *a, enum flags_part part, ir_ref ref)
{
	struct x86_mem to = part_mem(part);
	int reg;

	ref = resolve(g, ref);
	reg = register_of(g, ref);
	if (reg != NO_REG && bank_of(g, ref) == FPR) {
		x86_movsd_store(a, to, reg);
	} else if (reg != NO_REG) {
		x86_mov_mr(a, 8, to, reg);
	} else if (g->ins[ref].op == IR_CONST) {
		int64_t imm = g->ins[ref].imm;

		if (imm == (int32_t)imm) {
			x86_mov_mi(a, 8, to, (int32_t)imm);
		} else {
			x86_mov_mi(a, 4, to, (int32_t)imm);
			to.disp += 4;
			x86_mov_mi(a, 4, to, (int32_t)(imm >> 32));
		}
	} else {
		x86_push_m(a, place_mem(g, ref));
		x86_pop_m(a, to);
	}
}

void
flags_store(struct gen *g, struct x86_asm *a)
{
	ir_ref part[FLAGS_PARTS];
	uint32_t word;

	if (!g->flags_now)
		return;
	word = flags_describe(g, g->flags_now, part);
	for (unsigned i = FLAGS_PART_A; i < FLAGS_PARTS; i++)
		if (part[i])
			store_part(g, a, (enum flags_part)i, part[i]);
	if (word)
		x86_mov_mi(a, 4, part_mem(FLAGS_PART_OP), (int32_t)word);
}

void
flags_flush(struct gen *g)
{
	ir_ref f = g->flags_now;
	bool live;

	if (!f)
		return;
	live = eflags_live(g);
	if (!g->val[f].deferred && g->ins[f].op != IR_CONST) { /* a byte */
		int reg;

		g->flags_now = 0; /* vacate may evict it, but not flush again */
		vacate(g, (unsigned)g->flags_slot);
		reg = use(g, f);
		x86_mov_mr(&g->hot, 1, slot_mem(g, g->flags_slot), reg);
		x86_mov_mi(&g->hot, 4, part_mem(FLAGS_PART_OP), 0);
	} else { /* the byte goes when C is left to */
		vacate(g, (unsigned)g->flags_slot);
		flags_store(g, &g->hot);
		g->flags_now = 0;
	}
	if (live)
		g->eflags_at = g->hot.p;
	drop(g, f);
}

bool
flags_hold(const struct gen *g, ir_ref ref)
{
	ir_ref part[FLAGS_PARTS];

	if (!g->flags_now)
		return false;
	if (g->flags_now == ref)
		return true;
	flags_describe(g, g->flags_now, part);
	for (unsigned i = FLAGS_PART_A; i < FLAGS_PARTS; i++)
		if (part[i] && resolve(g, part[i]) == ref)
			return true;
	return false;
}

void
flags_map(struct gen *g)
{
	ir_ref part[FLAGS_PARTS];
	struct code_move move = { .fixup = IR_FIX_FLAGS, .where = CODE_CONST };

	if (!g->flags_now)
		return;
	move.value = flags_describe(g, g->flags_now, part);
	move.slot = FLAGS_PART_OP;
	add_move(g, &move);
	for (unsigned i = FLAGS_PART_A; i < FLAGS_PARTS; i++) {
		ir_ref ref = part[i] ? resolve(g, part[i]) : 0;

		if (!ref)
			continue;
		move.slot = (uint16_t)i;
		if (register_of(g, ref) != NO_REG) {
			move.where = bank_of(g, ref) == FPR ? CODE_FPR : CODE_GPR;
			move.value = (uint64_t)register_of(g, ref);
		} else if (g->ins[ref].op == IR_CONST) {
			move.where = CODE_CONST;
			move.value = (uint64_t)g->ins[ref].imm;
		} else {
			move.where = CODE_FRAME;
			move.value = (uint64_t)(place_mem(g, ref).disp + IR_FRAME_BIAS);
		}
		add_move(g, &move);
	}
}

void
flags_slot_set(struct gen *g, ir_ref ref)
{
	ir_ref value = resolve(g, g->ins[ref].a);

	if (g->dead_set[ref / 64] >> (ref % 64) & 1)
		return;
	if (g->flags_now)
		drop(g, g->flags_now);
	g->flags_now = value; /* takes over the SET's use */
	if (g->val[value].home == g->flags_slot) { /* what is there already */
		g->flags_now = 0;
		drop(g, value);
	} else if (!g->val[value].deferred && g->ins[value].op != IR_CONST) {
		flags_flush(g);
	}
}

void
flags_slot_get(struct gen *g, ir_ref ref)
{
	int slot = g->flags_slot;
	ir_ref known = g->slot_val[slot];
	uint8_t *late;
	const uint8_t *back;

	if (g->flags_now) {
		define_alias(g, ref, g->flags_now);
		return;
	}
	if (known && g->val[known].home == slot) {
		define_alias(g, ref, known);
		return;
	}
	canonicalize_homes(g, &g->hot, true);
	save_values(g, false);
	x86_alu_mi(&g->hot, X86_CMP, 4, part_mem(FLAGS_PART_OP), 0);
	late = x86_jcc_forward(&g->hot, X86_CC_NE);
	back = g->hot.p;
	x86_patch_rel32(late, g->cold.p);
	gen_helper_call(g, &g->cold, H_FLAGS);
	x86_jmp(&g->cold, back);
	g->val[ref].home = (int16_t)slot;
	g->slot_val[slot] = ref;
}

/* Tier 2: a loop found, lifted whole and compiled in place of the region at its head.
 *
 * A loop is what lies between its head and a jump back to it that is taken often, as
 * compilers lay loops out, and can come back to the head from there. If a jump from
 * further on turns out to be taken often, it is made anew, larger. It is lifted in pieces, from
 * each place that a jump in it leads to up to the next such place; opt/ joins them.
 * What lies elsewhere, calls, returns and traps are left to tier 1. */
#include "cpu/translate/translate.h"
#include "opt/opt.h"

enum {
	PIECES = 64,     /* at most */
	SPAN = 2048,     /* bytes of guest code: it lies in two pages at most */
	MOST_INSNS = 400,
	MOST_BAILS = 1000,
	ARENA_SIZE = 4 << 20, /* most loops fit: pages are dear */
};

struct piece {
	uint64_t pc;
	struct ir_region region;
	bool lifted, kept;
};

struct finder {
	struct vcpu *vcpu;
	uint64_t head, last; /* the instruction that jumps back */
	struct piece *piece;
	unsigned count;
};

/* ---- finding ------------------------------------------------------------------ */

static struct piece *
piece_at(const struct finder *f, uint64_t pc)
{
	for (unsigned i = 0; i < f->count; i++)
		if (f->piece[i].pc == pc)
			return &f->piece[i];
	return NULL;
}

/* Lifts at most that many instructions (0: any number) there. */
static void
lift_piece(struct finder *f, struct piece *piece, unsigned insns)
{
	struct lifted lifted;
	struct cpu_stop stop;

	piece->lifted = cpu_lift(f->vcpu, &f->vcpu->local->arena, piece->pc, f->vcpu->frame->mode, insns, &lifted, &stop);
	piece->region = lifted.region;
}

/* The address that the op leaves to by a jump, and the instruction that does, by way
 * of *at, which the caller keeps; 0: it does not. */
static uint64_t
jump_of(const struct ir_region *r, ir_ref ref, uint64_t *at)
{
	struct ir_exit out;

	if (r->ins[ref].op == IR_AT)
		*at = r->pc + (uint64_t)r->ins[ref].imm;
	if (r->ins[ref].op != IR_EXIT)
		return 0;
	out = ir_exit_of(r, ref);
	return out.kind == IR_EXIT_JUMP ? r->pc + (uint64_t)(int64_t)out.target : 0;
}

/* All that can be reached from the head up to the jump back. */
static bool
find_pieces(struct finder *f)
{
	f->piece[f->count++].pc = f->head;
	for (unsigned i = 0; i < f->count; i++) {
		struct piece *piece = &f->piece[i];
		uint64_t at = piece->pc;

		lift_piece(f, piece, 0);
		for (ir_ref ref = 1; piece->lifted && ref < piece->region.ins_count; ref++) {
			uint64_t to = jump_of(&piece->region, ref, &at);

			if (!to || to < f->head || to > f->last || piece_at(f, to) || f->count == PIECES)
				continue;
			f->piece[f->count++].pc = to;
		}
	}
	return f->piece[0].lifted;
}

/* Pieces end where another begins. */
static void
split_pieces(struct finder *f)
{
	for (unsigned i = 0; i < f->count; i++) {
		struct piece *piece = &f->piece[i];
		unsigned insns = 0;

		piece->kept = piece->lifted;
		for (ir_ref ref = 1; piece->kept && ref < piece->region.ins_count; ref++) {
			const struct piece *other;

			if (piece->region.ins[ref].op != IR_AT)
				continue;
			other = piece_at(f, piece->region.pc + (uint64_t)piece->region.ins[ref].imm);
			if (insns && other && other->lifted) {
				lift_piece(f, piece, insns);
				piece->kept = piece->lifted;
				break;
			}
			insns++;
		}
	}
}

static bool
leads_to(const struct finder *f, const struct piece *piece, bool (*is)(const struct finder *, const struct piece *))
{
	uint64_t at = 0;

	for (ir_ref ref = 1; ref < piece->region.ins_count; ref++) {
		uint64_t to = jump_of(&piece->region, ref, &at);
		const struct piece *there = to ? piece_at(f, to) : NULL;

		if (there && there->kept && is(f, there))
			return true;
	}
	return false;
}

static bool
is_head(const struct finder *f, const struct piece *piece)
{
	return piece->pc == f->head;
}

static bool
is_marked(const struct finder *f, const struct piece *piece)
{
	(void)f;
	return piece->region.counted; /* borrowed as a mark */
}

/* Keeps the pieces from which the head can be reached. */
static void
keep_loop(struct finder *f)
{
	for (bool more = true; more;) {
		more = false;
		for (unsigned i = 0; i < f->count; i++) {
			struct piece *piece = &f->piece[i];

			if (!piece->kept || piece->region.counted)
				continue;
			if (leads_to(f, piece, is_head) || leads_to(f, piece, is_marked))
				piece->region.counted = more = true;
		}
	}
	for (unsigned i = 0; i < f->count; i++) {
		f->piece[i].kept &= f->piece[i].region.counted;
		f->piece[i].region.counted = false;
	}
}

/* What follows the last way back in a piece is not of the loop. */
static void
cut_tails(struct finder *f)
{
	for (unsigned i = 0; i < f->count; i++) {
		struct piece *piece = &f->piece[i];
		unsigned insns = 0, useful = 0;
		uint64_t at;

		for (ir_ref ref = 1; piece->kept && ref < piece->region.ins_count; ref++) {
			uint64_t to = jump_of(&piece->region, ref, &at);
			const struct piece *there = to ? piece_at(f, to) : NULL;

			insns += piece->region.ins[ref].op == IR_AT;
			if (there && there->kept)
				useful = insns;
		}
		if (!piece->kept || !useful || useful == insns)
			continue;
		lift_piece(f, piece, useful);
		piece->kept = piece->lifted;
	}
}

/* ---- making ---------------------------------------------------------------------- */

/* The loop's region in the vCPU's arena. False: there is no loop, or none that tier 2
 * knows. */
static bool
loop_region(struct finder *f, struct ir_region *region)
{
	struct arena *arena = &f->vcpu->local->arena;
	const struct ir_region *kept[PIECES];
	struct ir_region joined, promoted;
	unsigned count = 0, insns = 0;

	if (!find_pieces(f))
		return false;
	split_pieces(f);
	keep_loop(f);
	cut_tails(f);
	if (!f->piece[0].kept)
		return false;
	for (unsigned i = 0; i < f->count; i++) {
		if (!f->piece[i].kept)
			continue;
		kept[count++] = &f->piece[i].region;
		insns += f->piece[i].region.insns;
	}
	return insns <= MOST_INSNS && opt_join(&joined, arena, kept, count) && opt_promote(&promoted, &joined, arena) &&
	       opt_clean(region, &promoted, arena);
}

static uint64_t *
refused_word(struct translator *t, uint64_t pc, uint64_t *bit)
{
	uint32_t hash = (uint32_t)((pc >> 1) * UINT64_C(0x9e3779b97f4a7c15) >> 32) % REFUSED_BITS;

	*bit = UINT64_C(1) << (hash % 64);
	return &t->refused[hash / 64];
}

void
loop_bailed(struct vcpu *vcpu, uint32_t number)
{
	struct translator *t = translator_of(vcpu);
	struct region *region = &t->region[number];
	uint64_t bit, *word = refused_word(t, region->pc, &bit);

	if (++region->bails < MOST_BAILS)
		return;
	__atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
	space_lock(vcpu->space);
	region_kill(vcpu->space, number);
	space_unlock(vcpu->space);
}

bool
loop_make(struct vcpu *vcpu, uint64_t last)
{
	struct cpu_space *space = vcpu->space;
	struct translator *t = translator_of(vcpu);
	uint64_t pc = vcpu->frame->pc, bit, *word = refused_word(t, pc, &bit), anchor;
	struct lifted lifted = { .loop = true, .attempts = __atomic_load_n(&space->cache->attempts, __ATOMIC_ACQUIRE) };
	struct finder f = { .vcpu = vcpu, .head = pc, .last = last };
	uint64_t began = region_clock(vcpu);
	bool made = false;

	if (last < pc || last - pc >= SPAN || __atomic_load_n(word, __ATOMIC_RELAXED) & bit)
		return false;
	arena_reserve(&vcpu->local->arena, ARENA_SIZE);
	f.piece = arena_alloc(&vcpu->local->arena, PIECES * sizeof *f.piece);
	if (loop_region(&f, &lifted.region)) {
		anchor = space->anchor(space, pc);
		cpu_dump_lifted(vcpu, &lifted);
		space_lock(space);
		made = region_compile(vcpu, &lifted, anchor, NULL);
		space_unlock(space);
	}
	vcpu->local->stats.translate_ns += region_clock(vcpu) - began;
	if (!made) /* nor will it be the next time */
		__atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
	return made;
}

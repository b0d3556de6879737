/* Cryptography: Arm's instructions on AES-NI and SHA-NI. Without them there is no
 * code, and the instruction is interpreted.
 *
 * AES. AESE and AESD add the key first, the host's rounds last: with a zero key
 * after, and the key before, they are the same. A round's AESE and AESMC, AESD
 * and AESIMC, become one host round.
 *
 * SHA-256. Arm keeps a b c d and e f g h, the host a b e f and c d g h, the other
 * way round in the register; each pair of SHA256H and SHA256H2 of the same
 * operands is made at once, and the next pair goes on with what it left.
 */
#include "codegen/x86_64/vector.h"

enum { NEAR = 8, REVERSE = 0x1b };

/* ---- AES ---------------------------------------------------------------- */

/* The op's only user nearby is this one. */
static bool
only_for(const struct gen *g, ir_ref ref, enum ir_op op)
{
	ir_ref end = ref + NEAR < g->region->ins_count ? ref + NEAR : g->region->ins_count;

	if (g->val[ref].uses != 1)
		return false;
	for (ir_ref i = ref + 1; i < end && !(ir_op_info[g->ins[i].op].effects & IR_E_END); i++)
		if (g->ins[i].op == op && g->ins[i].a == ref)
			return g->val[i].uses > 0;
	return false;
}

/* t = the operands' sum. */
static int
add_key(struct gen *g, const struct ir_ins *ins)
{
	int s = use(g, ins->a), k, t;
	struct x86_mem m;

	if (g->hot.vex && resolve(g, ins->a) != resolve(g, ins->b) && use_vector_mem(g, ins->b, &m)) {
		t = temp(g, FPR);
		x86_vop3_m(&g->hot, X86_PXOR, 0, t, s, m);
		return t;
	}
	k = use(g, ins->b);
	t = temp(g, FPR);
	x86_vop3(&g->hot, X86_PXOR, 0, t, s, k);
	return t;
}

/* VAESE, VAESD */
static void
sub_bytes(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool encrypts = ins->op == IR_VAESE;
	int t, d;

	if (only_for(g, ref, encrypts ? IR_VAESMC : IR_VAESIMC)) {
		g->val[ref].deferred = true;
		return;
	}
	t = add_key(g, ins);
	d = dest_or(g, ref, t);
	vec_with_const(g, encrypts ? X86_AESENCLAST : X86_AESDECLAST, d, t, 0, 0);
	vec_finish(g, ref, d);
}

/* VAESMC, VAESIMC */
static void
mix_columns(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	ir_ref a = resolve(g, ins->a);
	bool encrypts = ins->op == IR_VAESMC;
	int t, d;

	if (g->val[a].deferred) {
		t = add_key(g, &g->ins[a]);
		d = dest_or(g, ref, t);
		vec_with_const(g, encrypts ? X86_AESENC : X86_AESDEC, d, t, 0, 0);
	} else if (encrypts) { /* a round that is undone but for this */
		t = temp(g, FPR);
		vec_with_const(g, X86_AESDECLAST, t, use(g, a), 0, 0);
		d = dest_or(g, ref, t);
		vec_with_const(g, X86_AESENC, d, t, 0, 0);
	} else {
		vec_unary(g, ref, X86_AESIMC);
		return;
	}
	vec_finish(g, ref, d);
}

/* ---- SHA-256 ------------------------------------------------------------ */

/* The other of the pair: of the same four rounds. */
static ir_ref
other_half(const struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	enum ir_op op = ins->op == IR_VSHA256H ? IR_VSHA256H2 : IR_VSHA256H;
	ir_ref end = ref + NEAR < g->region->ins_count ? ref + NEAR : g->region->ins_count;

	for (ir_ref i = ref + 1; i < end && !(ir_op_info[g->ins[i].op].effects & IR_E_END); i++)
		if (g->ins[i].op == op && g->ins[i].a == ins->b && g->ins[i].b == ins->a && g->ins[i].c == ins->c)
			return g->val[i].uses ? i : 0;
	return 0;
}

/* The state a b c d, e f g h of values x and y in the host's order, in temporaries;
 * what the rounds before left of it is used as it is. w: a register to leave alone. */
static void
host_state(struct gen *g, ir_ref x, ir_ref y, int w, int *abef, int *cdgh)
{
	int rx, ry;

	if (g->memo_regs && g->memo[0] == x && g->memo[1] == y) {
		*abef = g->memo_reg[0];
		*cdgh = g->memo_reg[1];
		for (int i = 0; i < 2; i++) {
			g->free[FPR] &= ~(1u << g->memo_reg[i]);
			g->locked[FPR] |= 1u << g->memo_reg[i];
		}
		return;
	}
	rx = use(g, x);
	ry = use(g, y);
	*abef = temp(g, FPR);
	*cdgh = temp(g, FPR);
	x86_vop3_i(&g->hot, X86_SHUFPS, 0, *abef, ry, rx, 0x11);
	x86_vop3_i(&g->hot, X86_SHUFPS, 0, *cdgh, ry, rx, 0xbb);
	if (rx != w)
		unlock(g, FPR, rx);
	if (ry != w)
		unlock(g, FPR, ry);
}

/* VSHA256H, VSHA256H2 */
static void
sha256_rounds(struct gen *g, ir_ref ref)
{
	static const uint8_t order[2] = { 0xbb, 0x11 }; /* a b c d, e f g h */
	const struct ir_ins *ins = &g->ins[ref];
	bool first = ins->op == IR_VSHA256H;
	ir_ref x = resolve(g, first ? ins->a : ins->b), y = resolve(g, first ? ins->b : ins->a), pair = other_half(g, ref);
	int w, abef, cdgh, kept, d;

	if (g->val[ref].reg != NO_REG || g->val[ref].spill >= 0) /* made with its other half */
		return;
	w = use(g, ins->c);
	host_state(g, x, y, w, &abef, &cdgh);
	/* The instruction has its words in xmm0. */
	kept = temp(g, FPR);
	x86_movaps(&g->hot, kept, XMM0);
	if (w != XMM0)
		x86_movaps(&g->hot, XMM0, w);
	x86_sha(&g->hot, X86_SHA256RNDS2, cdgh, abef);
	x86_pshufd(&g->hot, XMM0, XMM0, 0xee);
	x86_sha(&g->hot, X86_SHA256RNDS2, abef, cdgh);
	x86_movaps(&g->hot, XMM0, kept);
	drop(g, ins->a);
	drop(g, ins->b);
	drop(g, ins->c);
	if (pair) {
		x86_vop3_i(&g->hot, X86_SHUFPS, 0, kept, abef, cdgh, order[first]);
		drop(g, g->ins[pair].a);
		drop(g, g->ins[pair].b);
		drop(g, g->ins[pair].c);
		define(g, pair, kept);
	}
	d = temp(g, FPR);
	x86_vop3_i(&g->hot, X86_SHUFPS, 0, d, abef, cdgh, order[!first]);
	define(g, ref, d);
	if (pair) {
		g->memo[0] = first ? ref : pair;
		g->memo[1] = first ? pair : ref;
		g->memo_reg[0] = abef;
		g->memo_reg[1] = cdgh;
		g->memo_regs = 1u << abef | 1u << cdgh;
	}
}

static void
sha256_schedule(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int a = use(g, ins->a), b = use(g, ins->b), c, t = temp(g, FPR);

	if (ins->op == IR_VSHA256SU0) {
		x86_movaps(&g->hot, t, a);
		x86_sha(&g->hot, X86_SHA256MSG1, t, b);
	} else {
		c = use(g, ins->c);
		x86_vop3_i(&g->hot, X86_PALIGNR, 0, t, c, b, 4);
		x86_vop3(&g->hot, X86_PADDD, 0, t, t, a);
		x86_sha(&g->hot, X86_SHA256MSG2, t, c);
	}
	vec_finish(g, ref, t);
}

/* ---- SHA-1 -------------------------------------------------------------- */

/* The host adds the constant that Arm's words have already, and takes e added to
 * the first word. */
static void
sha1_rounds(struct gen *g, ir_ref ref)
{
	static const uint32_t constant[] = { [IR_SHA1_C] = 0x5a827999, [IR_SHA1_P] = 0x6ed9eba1, [IR_SHA1_M] = 0x8f1bbcdc };
	const struct ir_ins *ins = &g->ins[ref];
	int a = use(g, ins->a), e = use(g, ins->b), w = use(g, ins->c), t = temp(g, FPR), u = temp(g, FPR);
	uint64_t minus = vec_repeat(-(uint64_t)constant[ins->aux], 4);

	x86_pshufd(&g->hot, t, w, REVERSE);
	vec_with_const(g, X86_PADDD, t, t, minus, minus);
	x86_vshift_i(&g->hot, 8, 7, 0, u, e, 12);
	x86_vop3(&g->hot, X86_PADDD, 0, t, t, u);
	x86_pshufd(&g->hot, u, a, REVERSE);
	x86_sha(&g->hot, X86_SHA1RNDS4, u, t);
	x86_put8(&g->hot, (int)ins->aux);
	x86_pshufd(&g->hot, u, u, REVERSE);
	vec_finish(g, ref, u);
}

/* d = s turned left by one, lanes of 4 bytes. */
static void
rotate(struct gen *g, int d, int s, int t)
{
	x86_vshift_i(&g->hot, 4, 2, 0, t, s, 31);
	x86_vshift_i(&g->hot, 4, 6, 0, d, s, 1);
	x86_vop3(&g->hot, X86_POR, 0, d, d, t);
}

static void
sha1_schedule(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int a = use(g, ins->a), b = use(g, ins->b), t = temp(g, FPR), u = temp(g, FPR), v = temp(g, FPR);

	x86_vshift_i(&g->hot, 8, 3, 0, t, b, 4);
	x86_vop3(&g->hot, X86_PXOR, 0, t, t, a);
	rotate(g, t, t, u);
	x86_vshift_i(&g->hot, 8, 7, 0, v, t, 12);
	rotate(g, v, v, u);
	x86_vop3(&g->hot, X86_PXOR, 0, t, t, v);
	vec_finish(g, ref, t);
}

bool
crypto_has_code(const struct gen *g, enum ir_op op)
{
	switch (op) {
	case IR_VAESE:
	case IR_VAESD:
	case IR_VAESMC:
	case IR_VAESIMC: return g->cpu->aes;
	case IR_VSHA1SU1: return true;
	case IR_VSHA1:
	case IR_VSHA256H:
	case IR_VSHA256H2:
	case IR_VSHA256SU0:
	case IR_VSHA256SU1: return g->cpu->sha;
	default: return false;
	}
}

bool
gen_crypto(struct gen *g, ir_ref ref)
{
	enum ir_op op = (enum ir_op)g->ins[ref].op;

	if (!crypto_has_code(g, op))
		return false;
	if (op == IR_VAESE || op == IR_VAESD)
		sub_bytes(g, ref);
	else if (op == IR_VAESMC || op == IR_VAESIMC)
		mix_columns(g, ref);
	else if (op == IR_VSHA256H || op == IR_VSHA256H2)
		sha256_rounds(g, ref);
	else if (op == IR_VSHA1)
		sha1_rounds(g, ref);
	else if (op == IR_VSHA1SU1)
		sha1_schedule(g, ref);
	else
		sha256_schedule(g, ref);
	return true;
}

/* Vector ops that move lanes: between registers, between lanes, to and from
 * scalars. */
#include "codegen/x86_64/vector.h"

#include <string.h>

/* ---- constants ---------------------------------------------------------- */

struct x86_mem
const_mem(struct gen *g, uint64_t low, uint64_t high)
{
	const uint8_t *p = NULL;
	uint64_t both[2] = { low, high };

	for (unsigned i = 0; i < ARRAY_LEN(g->constant); i++)
		if (g->constant[i].p && g->constant[i].low == low && g->constant[i].high == high)
			p = g->constant[i].p;
	if (!p) {
		unsigned i = g->constants++ % ARRAY_LEN(g->constant);

		x86_nop(&g->cold, (int)(-(uintptr_t)g->cold.p & 15));
		p = g->cold.p;
		memcpy(g->cold.p, both, sizeof both);
		g->cold.p += sizeof both;
		g->constant[i].low = low;
		g->constant[i].high = high;
		g->constant[i].p = p;
	}
	g->hot.start = g->hot.p;
	return x86_rip((int32_t)(p - g->hot.p));
}

void
vec_load_const(struct gen *g, int d, uint64_t low, uint64_t high)
{
	if (!low && !high)
		x86_vzero(&g->hot, d);
	else if (low == UINT64_MAX && high == UINT64_MAX)
		x86_vop3(&g->hot, X86_PCMPEQD, 0, d, d, d);
	else
		x86_movaps_load(&g->hot, d, const_mem(g, low, high));
}

void
vec_with_const(struct gen *g, uint32_t op, int d, int s, uint64_t low, uint64_t high)
{
	if (!g->hot.vex && d != s) {
		x86_movaps(&g->hot, d, s);
		s = d;
	}
	x86_vop3_m(&g->hot, op, 0, d, s, const_mem(g, low, high));
}

uint64_t
vec_repeat(uint64_t value, int bytes)
{
	value &= UINT64_MAX >> (64 - 8 * bytes);
	for (int width = 8 * bytes; width < 64; width *= 2)
		value |= value << width;
	return value;
}

/* The vector is a constant: CONST, or VJOIN of such. */
static bool
constant_of(const struct gen *g, ir_ref ref, uint64_t *low, uint64_t *high)
{
	const struct ir_ins *ins = &g->ins[resolve(g, ref)];

	*high = 0;
	if (ins->op == IR_CONST) {
		*low = (uint64_t)ins->imm;
		return true;
	}
	if (ins->op != IR_VJOIN || !is_const(g, ins->a) || !is_const(g, ins->b))
		return false;
	*low = (uint64_t)g->ins[resolve(g, ins->a)].imm;
	*high = (uint64_t)g->ins[resolve(g, ins->b)].imm;
	return true;
}

/* ---- one into all ------------------------------------------------------- */

static void
splat(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = lane_bytes(ins), d, s;

	if (is_const(g, ins->a)) {
		uint64_t value = vec_repeat((uint64_t)g->ins[resolve(g, ins->a)].imm, bytes);

		d = dest(g, ref, false);
		vec_load_const(g, d, value, ins->type == IR_V128 ? value : 0);
		if (ins->type == IR_V64)
			g->val[ref].zx = 8;
		vec_finish(g, ref, d);
		return;
	}
	s = use(g, ins->a);
	canonicalize(g, ins->a, s);
	d = dest(g, ref, bank_of(g, resolve(g, ins->a)) == FPR);
	if (bank_of(g, resolve(g, ins->a)) == GPR) {
		x86_movd_xr(&g->hot, bytes == 8 ? 8 : 4, d, s);
		s = d;
	}
	switch (bytes) {
	case 1: vec_with_const(g, X86_PSHUFB, d, s, 0, 0); break;
	case 2:
		x86_vop2_i(&g->hot, X86_PSHUFLW, 0, d, s, 0);
		x86_vop3(&g->hot, X86_PUNPCKLQDQ, 0, d, d, d);
		break;
	case 4: x86_pshufd(&g->hot, d, s, 0); break;
	default: x86_vop3(&g->hot, X86_PUNPCKLQDQ, 0, d, s, s); break;
	}
	vec_finish(g, ref, d);
}

static void
duplicate(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = lane_bytes(ins), s = use(g, ins->a), d = dest(g, ref, true);
	int lane = (int)(ins->c & 0xff) % ((int)ir_type_bits((enum ir_type)g->ins[ins->a].type) / 8 / bytes);

	switch (bytes) {
	case 1: vec_with_const(g, X86_PSHUFB, d, s, vec_repeat((unsigned)lane, 1), vec_repeat((unsigned)lane, 1)); break;
	case 2:
		x86_vop2_i(&g->hot, lane < 4 ? X86_PSHUFLW : X86_PSHUFHW, 0, d, s, (lane & 3) * 0x55);
		x86_vop3(&g->hot, lane < 4 ? X86_PUNPCKLQDQ : X86_PUNPCKHQDQ, 0, d, d, d);
		break;
	case 4: x86_pshufd(&g->hot, d, s, lane * 0x55); break;
	default: x86_vop3(&g->hot, lane ? X86_PUNPCKHQDQ : X86_PUNPCKLQDQ, 0, d, s, s); break;
	}
	vec_finish(g, ref, d);
}

/* ---- scalars ------------------------------------------------------------ */

static void
extract_float(struct gen *g, ir_ref ref, int bytes, int lane)
{
	const struct ir_ins *ins = &g->ins[ref];
	int s, d;

	if (!lane) {
		define_alias(g, ref, ins->a);
		drop(g, ins->a);
		return;
	}
	s = use(g, ins->a);
	d = dest(g, ref, true);
	if (bytes == 2)
		x86_vshift_i(&g->hot, 8, 3, 0, d, s, 2 * lane);
	else
		x86_pshufd(&g->hot, d, s, bytes == 8 ? 0xee : lane * 0x55);
	vec_finish(g, ref, d);
}

static bool
extract(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = lane_bytes(ins), s, d;
	int lane = (int)(ins->c & 0xff) % ((int)ir_type_bits((enum ir_type)g->ins[ins->a].type) / 8 / bytes);

	if (type_is_fp((enum ir_type)ins->type)) {
		if ((int)ir_type_bits((enum ir_type)ins->type) != 8 * bytes)
			return false; /* zeros above it, which nobody asks for */
		extract_float(g, ref, bytes, lane);
		return true;
	}
	s = use(g, ins->a);
	d = dest(g, ref, false);
	if (!lane && bytes >= 4)
		x86_movd_rx(&g->hot, bytes, d, s);
	else
		x86_pextr(&g->hot, bytes, d, s, lane);
	if (bytes < 8)
		g->val[ref].zx = 4;
	vec_finish(g, ref, d);
	return true;
}

static void
insert(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = lane_bytes(ins), s = use(g, ins->a), x = use(g, ins->b), d, t;
	int lane = (int)(ins->c & 0xff) % ((int)ir_type_bits((enum ir_type)ins->type) / 8 / bytes);

	canonicalize(g, ins->b, x);
	if (bank_of(g, resolve(g, ins->b)) == GPR) {
		d = dest(g, ref, true);
		x86_pinsr(&g->hot, bytes, d, s, x, lane);
	} else if (bytes == 8) {
		d = vec_dest(g, ref);
		if (lane)
			x86_vop3(&g->hot, X86_PUNPCKLQDQ, 0, d, s, x);
		else
			x86_movsd(&g->hot, d, s, x);
	} else if (bytes == 4) {
		d = vec_dest(g, ref);
		x86_vop3_i(&g->hot, X86_INSERTPS, 0, d, s, x, lane << 4);
	} else {
		t = temp(g, GPR);
		x86_movd_rx(&g->hot, 4, t, x);
		d = vec_dest(g, ref);
		x86_pinsr(&g->hot, bytes, d, s, t, lane);
	}
	vec_finish(g, ref, d);
}

/* The scalar has been made in the home of the slot that its vector is SET to: what is
 * above it, which is anything, is cleared there, and both are one. */
static bool
scalar_in_place(struct gen *g, ir_ref ref, ir_ref a, int bytes)
{
	int slot = g->val[a].home, home = slot == NO_SLOT ? NO_REG : g->slot_reg[slot];

	if (home == NO_REG || g->ins[a].type != (bytes == 8 ? IR_F64 : IR_F32) || set_of(g, ref) != slot)
		return false;
	if (bytes == 8)
		x86_movq(&g->hot, home, home);
	else
		x86_vop3_i(&g->hot, X86_INSERTPS, 0, home, home, home, 0xe);
	g->val[a].zx = (uint8_t)bytes;
	define_alias(g, ref, a);
	drop(g, a);
	return true;
}

/* Lane 0 alone. */
static void
scalar(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	ir_ref a = resolve(g, ins->a);
	int bytes = lane_bytes(ins), s, d, t;

	if (g->val[a].raw)
		canonicalize(g, a, use(g, a));
	if (bank_of(g, a) == FPR && g->val[a].zx && g->val[a].zx <= bytes) {
		define_alias(g, ref, a);
		drop(g, a);
		return;
	}
	if (scalar_in_place(g, ref, a, bytes))
		return;
	s = use(g, a);
	d = dest(g, ref, bank_of(g, a) == FPR && bytes > 2);
	if (bank_of(g, a) == GPR && bytes >= 4) {
		x86_movd_xr(&g->hot, bytes, d, s);
	} else if (bank_of(g, a) == GPR) {
		t = temp(g, GPR);
		x86_movzx_rr(&g->hot, bytes, t, s);
		x86_movd_xr(&g->hot, 4, d, t);
	} else if (bytes == 8) {
		x86_movq(&g->hot, d, s);
	} else if (bytes == 4) {
		x86_vop3_i(&g->hot, X86_INSERTPS, 0, d, s, s, 0xe);
	} else {
		x86_vzero(&g->hot, d);
		x86_vop3_i(&g->hot, X86_PBLENDW, 0, d, d, s, 1);
	}
	g->val[ref].zx = (uint8_t)(bytes < 4 ? 4 : bytes);
	vec_finish(g, ref, d);
}

/* ---- halves ------------------------------------------------------------- */

static void
resize(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	ir_ref a = resolve(g, ins->a);
	bool widens = ins->type == IR_V128 && g->ins[ins->a].type == IR_V64;
	int s, d;

	if (!widens || (g->val[a].zx && g->val[a].zx <= 8)) {
		define_alias(g, ref, a);
		drop(g, a);
		return;
	}
	s = use(g, a);
	d = dest(g, ref, true);
	x86_movq(&g->hot, d, s);
	g->val[ref].zx = 8;
	vec_finish(g, ref, d);
}

static void
join(struct gen *g, ir_ref ref)
{
	uint64_t low, high;
	int d;

	if (!constant_of(g, ref, &low, &high)) {
		vec_binary(g, ref, X86_PUNPCKLQDQ);
		return;
	}
	d = dest(g, ref, false);
	vec_load_const(g, d, low, high);
	vec_finish(g, ref, d);
}

/* ---- permutations ------------------------------------------------------- */

static void
shuffle(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = (int)ir_type_bits((enum ir_type)ins->type) / 8, s = use(g, ins->a), x = use(g, ins->b);
	int t = temp(g, FPR), d;
	uint64_t bias = vec_repeat(128 - (unsigned)bytes, 1);

	/* What is out of range has the top bit set then. Of 8 bytes, the indices
	 * come out 8 higher. */
	vec_with_const(g, X86_PADDUSB, t, x, bias, bias);
	if (bytes == 8) {
		d = temp(g, FPR);
		x86_vop3(&g->hot, X86_PUNPCKLQDQ, 0, d, s, s);
		s = d;
	} else {
		d = vec_dest(g, ref);
	}
	x86_vop3(&g->hot, X86_PSHUFB, 0, d, s, t);
	vec_finish(g, ref, d);
}

static void
extract_bytes(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = (int)ir_type_bits((enum ir_type)ins->type) / 8, from = (int)ins->c & (bytes - 1);
	int s = use(g, ins->a), x = use(g, ins->b), d = vec_dest(g, ref);

	if (bytes == 16) {
		x86_vop3_i(&g->hot, X86_PALIGNR, 0, d, x, s, from);
	} else {
		x86_vop3(&g->hot, X86_PUNPCKLQDQ, 0, d, s, x);
		if (from)
			x86_vshift_i(&g->hot, 8, 3, 0, d, d, from);
	}
	vec_finish(g, ref, d);
}

static void
reverse(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int lane = lane_bytes(ins), group = (int)ins->c & 31, s = use(g, ins->a), d = dest(g, ref, true);
	uint8_t order[16];
	uint64_t words[2];

	for (int i = 0; i < 16; i++) { /* the lane's place counts from the group's other end */
		int in_group = i % group;

		order[i] = (uint8_t)(i - in_group + (group - lane - in_group / lane * lane) + in_group % lane);
	}
	memcpy(words, order, sizeof words);
	vec_with_const(g, X86_PSHUFB, d, s, words[0], words[1]);
	vec_finish(g, ref, d);
}

/* The even or odd lanes of a then b. */
static void
unzip(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool odd = ins->op == IR_VODD;
	int bytes = lane_bytes(ins), s = use(g, ins->a), x = use(g, ins->b), t, u, d;

	if (bytes >= 4) {
		d = vec_dest(g, ref);
		if (bytes == 8)
			x86_vop3(&g->hot, odd ? X86_PUNPCKHQDQ : X86_PUNPCKLQDQ, 0, d, s, x);
		else if (ins->type == IR_V64)
			x86_vop3(&g->hot, X86_PUNPCKLDQ, 0, d, s, x);
		else
			x86_vop3_i(&g->hot, X86_SHUFPS, 0, d, s, x, odd ? 0xdd : 0x88);
		if (odd && ins->type == IR_V64)
			x86_vshift_i(&g->hot, 8, 3, 0, d, d, 8);
		vec_finish(g, ref, d);
		return;
	}
	/* Into the low halves of lanes twice as wide, which then are packed. */
	t = temp(g, FPR);
	u = temp(g, FPR);
	if (odd) {
		x86_vshift_i(&g->hot, 2 * bytes, 2, 0, t, s, 8 * bytes);
		x86_vshift_i(&g->hot, 2 * bytes, 2, 0, u, x, 8 * bytes);
	} else {
		uint64_t mask = vec_repeat(bytes == 1 ? 0xff : 0xffff, 2 * bytes);

		vec_with_const(g, X86_PAND, t, s, mask, mask);
		vec_with_const(g, X86_PAND, u, x, mask, mask);
	}
	d = vec_dest(g, ref);
	x86_vop3(&g->hot, bytes == 1 ? X86_PACKUSWB : X86_PACKUSDW, 0, d, t, u);
	if (ins->type == IR_V64)
		x86_pshufd(&g->hot, d, d, 0x08);
	vec_finish(g, ref, d);
}

/* Lanes of a and b by pairs: VTRNEVEN, VTRNODD. */
static void
transpose(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	bool odd = ins->op == IR_VTRNODD;
	int bytes = lane_bytes(ins), s = use(g, ins->a), x = use(g, ins->b), t, u, d;
	uint64_t low;

	if (bytes == 8) {
		vec_binary(g, ref, odd ? X86_PUNPCKHQDQ : X86_PUNPCKLQDQ);
		return;
	}
	low = vec_repeat(UINT64_MAX >> (64 - 8 * bytes), 2 * bytes);
	t = temp(g, FPR);
	u = temp(g, FPR);
	if (odd) {
		x86_vshift_i(&g->hot, 2 * bytes, 2, 0, t, s, 8 * bytes);
		vec_with_const(g, X86_PAND, u, x, ~low, ~low);
	} else {
		vec_with_const(g, X86_PAND, t, s, low, low);
		x86_vshift_i(&g->hot, 2 * bytes, 6, 0, u, x, 8 * bytes);
	}
	d = vec_dest(g, ref);
	x86_vop3(&g->hot, X86_POR, 0, d, t, u);
	vec_finish(g, ref, d);
}

static bool
zip(struct gen *g, ir_ref ref)
{
	static const uint32_t low[] = { [1] = X86_PUNPCKLBW, [2] = X86_PUNPCKLWD, [4] = X86_PUNPCKLDQ, [8] = X86_PUNPCKLQDQ };
	static const uint32_t high[] = { [1] = X86_PUNPCKHBW, [2] = X86_PUNPCKHWD, [4] = X86_PUNPCKHDQ, [8] = X86_PUNPCKHQDQ };
	const struct ir_ins *ins = &g->ins[ref];
	int bytes = lane_bytes(ins), s, x, d;

	if (ins->op == IR_VZIPLO || ins->type == IR_V128) {
		vec_binary(g, ref, ins->op == IR_VZIPLO ? low[bytes] : high[bytes]);
		return true;
	}
	s = use(g, ins->a);
	x = use(g, ins->b);
	d = vec_dest(g, ref);
	x86_vop3(&g->hot, low[bytes], 0, d, s, x);
	x86_vshift_i(&g->hot, 8, 3, 0, d, d, 8);
	vec_finish(g, ref, d);
	return true;
}

bool
vec_move(struct gen *g, ir_ref ref)
{
	const struct ir_ins *ins = &g->ins[ref];
	int s, d;

	switch (ins->op) {
	case IR_VSPLAT: splat(g, ref); return true;
	case IR_VDUP: duplicate(g, ref); return true;
	case IR_VEXTRACT: return extract(g, ref);
	case IR_VINSERT: insert(g, ref); return true;
	case IR_VSCALAR: scalar(g, ref); return true;
	case IR_VRESIZE: resize(g, ref); return true;
	case IR_VHIGH:
		s = use(g, ins->a);
		d = dest(g, ref, true);
		x86_vshift_i(&g->hot, 8, 3, 0, d, s, 8);
		g->val[ref].zx = 8;
		vec_finish(g, ref, d);
		return true;
	case IR_VJOIN: join(g, ref); return true;
	case IR_VSHUF: shuffle(g, ref); return true;
	case IR_VEXT: extract_bytes(g, ref); return true;
	case IR_VREV: reverse(g, ref); return true;
	case IR_VEVEN:
	case IR_VODD: unzip(g, ref); return true;
	case IR_VTRNEVEN:
	case IR_VTRNODD: transpose(g, ref); return true;
	case IR_VZIPLO:
	case IR_VZIPHI: return zip(g, ref);
	default: return false;
	}
}

/* Loads and stores of v registers: whole or in part, pairs, and structures whose
 * elements go to registers of their own. C7.2. */
#include "guest/aarch64/simd.h"

/* What is moved, by log2 of its bytes; 128 bits as a vector. */
static enum ir_type
memory_type(unsigned log2)
{
	static const uint8_t types[] = { IR_I8, IR_F16, IR_F32, IR_F64, IR_V128 };

	return (enum ir_type)types[log2];
}

static ir_ref
load(struct lifter *l, unsigned log2, ir_ref host, int32_t disp)
{
	enum ir_type type = memory_type(log2);

	return ir_load(&l->b, type, IR_MEM(type, 0, IR_RELAXED), host, disp);
}

static void
store(struct lifter *l, unsigned log2, unsigned reg, ir_ref host, int32_t disp)
{
	enum ir_type type = memory_type(log2);
	ir_ref value = log2 == 4 ? a64_v(l, reg) : a64_v_scalar(l, type, reg);

	ir_store(&l->b, IR_MEM(type, 0, IR_RELAXED), host, value, disp);
}

/* ---- one register, pairs: a is log2 of the bytes of one ----------------- */

LIFTER(a64_v_load)
{
	struct a64_place at = a64_access(l, IR_ACCESS_R, 1u << a, 0);

	(void)b;
	a64_v_set(l, load(l, a, at.host, at.disp));
	a64_write_back(l, &at);
}

LIFTER(a64_v_store)
{
	struct a64_place at = a64_access(l, IR_ACCESS_W, 1u << a, 0);

	(void)b;
	store(l, a, l->insn.rd, at.host, at.disp);
	a64_write_back(l, &at);
}

LIFTER(a64_v_load_pair)
{
	struct a64_place at = a64_access(l, IR_ACCESS_R, 2u << a, 0);
	ir_ref first = load(l, a, at.host, at.disp), second = load(l, a, at.host, at.disp + (1 << a));

	(void)b;
	a64_v_set_register(l, l->insn.rd, first);
	a64_v_set_register(l, l->insn.ra, second);
	a64_write_back(l, &at);
}

LIFTER(a64_v_store_pair)
{
	struct a64_place at = a64_access(l, IR_ACCESS_W, 2u << a, 0);

	(void)b;
	store(l, a, l->insn.rd, at.host, at.disp);
	store(l, a, l->insn.ra, at.host, at.disp + (1 << a));
	a64_write_back(l, &at);
}

/* ---- structures --------------------------------------------------------- */

enum { MOST = 4 }; /* registers */

/* The host address of so many bytes at the base register. */
static ir_ref
base(struct lifter *l, enum ir_access access, unsigned bytes)
{
	ir_ref address = a64_untagged(l, a64_xsp(l, l->insn.rn));

	return ir_xlate(&l->b, access, 0, address, 0, (int32_t)bytes);
}

/* Bit 23 of those that write the base back, by Rm, or by the bytes moved if that
 * is 31. */
static void
write_back(struct lifter *l, unsigned bytes)
{
	ir_ref address = a64_xsp(l, l->insn.rn), step;

	if (!(l->insn.bits >> 23 & 1))
		return;
	step = l->insn.rm == 31 ? ir_const(&l->b, IR_I64, bytes) : a64_x(l, l->insn.rm);
	a64_set_sp(l, l->insn.rn, ir_binary(&l->b, IR_ADD, address, step));
}

/* A shuffle that takes byte `from[i]` where that is not negative, else zero. */
static ir_ref
shuffled(struct lifter *l, ir_ref x, const int from[16])
{
	uint64_t half[2] = { 0, 0 };

	for (unsigned i = 0; i < 16; i++)
		half[i / 8] |= (uint64_t)(uint8_t)from[i] << i % 8 * 8;
	return a64_v_op(l, IR_VSHUF, 0, x, a64_v_const(l, half[0], half[1]), 0);
}

/* Three registers of three-element structures, either way: byte i of result r is
 * byte `at` of source s, as place() says; each result is or-ed of three shuffles. */
static void
rearrange3(struct lifter *l, unsigned log2, bool apart, const ir_ref in[MOST], ir_ref out[MOST])
{
	for (unsigned r = 0; r < 3; r++) {
		out[r] = 0;
		for (unsigned s = 0; s < 3; s++) {
			int from[16];
			ir_ref part;

			for (unsigned i = 0; i < 16; i++) {
				unsigned byte = i & ((1u << log2) - 1), lane = i >> log2;
				unsigned flat = 16 * r + i, at;

				if (apart) { /* lane of register r: structure's element r */
					at = ((3 * lane + r) << log2) + byte;
				} else {
					unsigned element = flat >> log2;

					at = 16 * (element % 3) + (element / 3 << log2) + byte;
				}
				from[i] = at / 16 == s ? (int)(at % 16) : -1;
			}
			part = shuffled(l, in[s], from);
			out[r] = s ? a64_v_op(l, IR_VOR, 0, out[r], part, 0) : part;
		}
	}
}

/* in[0…n) are memory in order, out[0…n) registers. */
static void
take_apart(struct lifter *l, unsigned n, enum ir_type lane, const ir_ref in[MOST], ir_ref out[MOST])
{
	ir_ref half[MOST];

	switch (n) {
	case 2:
		out[0] = a64_v_op(l, IR_VEVEN, lane, in[0], in[1], 0);
		out[1] = a64_v_op(l, IR_VODD, lane, in[0], in[1], 0);
		break;
	case 3:
		rearrange3(l, (unsigned)(lane - IR_I8), true, in, out);
		break;
	case 4: /* elements 0 and 2, 1 and 3, then each */
		half[0] = a64_v_op(l, IR_VEVEN, lane, in[0], in[1], 0);
		half[1] = a64_v_op(l, IR_VODD, lane, in[0], in[1], 0);
		half[2] = a64_v_op(l, IR_VEVEN, lane, in[2], in[3], 0);
		half[3] = a64_v_op(l, IR_VODD, lane, in[2], in[3], 0);
		out[0] = a64_v_op(l, IR_VEVEN, lane, half[0], half[2], 0);
		out[1] = a64_v_op(l, IR_VEVEN, lane, half[1], half[3], 0);
		out[2] = a64_v_op(l, IR_VODD, lane, half[0], half[2], 0);
		out[3] = a64_v_op(l, IR_VODD, lane, half[1], half[3], 0);
		break;
	}
}

/* The other way round. */
static void
put_together(struct lifter *l, unsigned n, enum ir_type lane, const ir_ref in[MOST], ir_ref out[MOST])
{
	ir_ref half[MOST];

	switch (n) {
	case 2:
		out[0] = a64_v_op(l, IR_VZIPLO, lane, in[0], in[1], 0);
		out[1] = a64_v_op(l, IR_VZIPHI, lane, in[0], in[1], 0);
		break;
	case 3:
		rearrange3(l, (unsigned)(lane - IR_I8), false, in, out);
		break;
	case 4:
		half[0] = a64_v_op(l, IR_VZIPLO, lane, in[0], in[2], 0);
		half[1] = a64_v_op(l, IR_VZIPHI, lane, in[0], in[2], 0);
		half[2] = a64_v_op(l, IR_VZIPLO, lane, in[1], in[3], 0);
		half[3] = a64_v_op(l, IR_VZIPHI, lane, in[1], in[3], 0);
		out[0] = a64_v_op(l, IR_VZIPLO, lane, half[0], half[2], 0);
		out[1] = a64_v_op(l, IR_VZIPHI, lane, half[0], half[2], 0);
		out[2] = a64_v_op(l, IR_VZIPLO, lane, half[1], half[3], 0);
		out[3] = a64_v_op(l, IR_VZIPHI, lane, half[1], half[3], 0);
		break;
	}
}

/* The 8-byte pieces of memory, two to a vector, from piece 0 on. */
static unsigned
pieces_of(unsigned registers, bool q)
{
	return q ? 2 * registers : registers;
}

static ir_ref
load_piece(struct lifter *l, ir_ref host, unsigned number)
{
	return ir_load(&l->b, IR_V64, IR_MEM(IR_V64, 0, IR_RELAXED), host, (int32_t)(8 * number));
}

/* Registers of 64 bits are taken apart two memory pieces to a vector, too: in a
 * vector of 128 bits the lanes that come out first are as many as they need. */
static void
load_vectors(struct lifter *l, unsigned registers, ir_ref host, ir_ref memory[MOST])
{
	for (unsigned i = 0; i < MOST; i++)
		memory[i] = 0;
	if (l->insn.q) {
		for (unsigned i = 0; i < registers; i++)
			memory[i] = load(l, 4, host, (int32_t)(16 * i));
		return;
	}
	for (unsigned i = 0; i < registers; i += 2) {
		ir_ref low, high;

		if (i + 1 < registers) {
			memory[i / 2] = load(l, 4, host, (int32_t)(8 * i));
			continue;
		}
		low = load_piece(l, host, i);
		high = a64_v_zero(l, IR_V64);
		memory[i / 2] = ir_emit(&l->b, IR_VJOIN, IR_V128, 0, low, high, 0);
	}
	for (unsigned i = 0; i < registers; i++)
		if (!memory[i])
			memory[i] = a64_v_zero(l, IR_V128);
}

/* a: elements of a structure; b: registers. */
LIFTER(a64_v_load_structures)
{
	unsigned bytes = 8 * pieces_of(b, l->insn.q);
	ir_ref host = base(l, IR_ACCESS_R, bytes), memory[MOST], value[MOST];

	if (a == 1) {
		for (unsigned i = 0; i < b; i++)
			value[i] = l->insn.q ? load(l, 4, host, (int32_t)(16 * i)) : load_piece(l, host, i);
	} else {
		load_vectors(l, b, host, memory);
		take_apart(l, a, a64_lane(l->insn.size), memory, value);
		for (unsigned i = 0; i < b && !l->insn.q; i++)
			value[i] = ir_emit(&l->b, IR_VRESIZE, IR_V64, 0, value[i], 0, 0);
	}
	for (unsigned i = 0; i < b; i++)
		a64_v_set_register(l, (l->insn.rd + i) % 32, value[i]);
	write_back(l, bytes);
}

/* Of registers of 64 bits the memory is the first half of what is put together. */
LIFTER(a64_v_store_structures)
{
	unsigned pieces = pieces_of(b, l->insn.q);
	ir_ref host = base(l, IR_ACCESS_W, 8 * pieces), value[MOST], memory[MOST];

	for (unsigned i = 0; i < b; i++)
		value[i] = a64_v(l, (l->insn.rd + i) % 32);
	if (a == 1) {
		for (unsigned i = 0; i < b && !l->insn.q; i++) {
			value[i] = a64_v_low(l, (l->insn.rd + i) % 32);
			ir_store(&l->b, IR_MEM(IR_V64, 0, IR_RELAXED), host, value[i], (int32_t)(8 * i));
		}
		for (unsigned i = 0; i < b && l->insn.q; i++)
			ir_store(&l->b, IR_MEM(IR_V128, 0, IR_RELAXED), host, value[i], (int32_t)(16 * i));
	} else {
		put_together(l, a, a64_lane(l->insn.size), value, memory);
		for (unsigned i = 0; i < pieces; i += 2)
			if (i + 1 < pieces)
				ir_store(&l->b, IR_MEM(IR_V128, 0, IR_RELAXED), host, memory[i / 2], (int32_t)(8 * i));
			else
				ir_store(&l->b, IR_MEM(IR_V64, 0, IR_RELAXED), host,
					 ir_emit(&l->b, IR_VRESIZE, IR_V64, 0, memory[i / 2], 0, 0), (int32_t)(8 * i));
	}
	write_back(l, 8 * pieces);
}

/* ---- one element of each register: a is their number, b log2 of its bytes */

LIFTER(a64_v_load_single)
{
	unsigned bytes = a << b;
	enum ir_type type = memory_type(b);
	ir_ref host = base(l, IR_ACCESS_R, bytes), value[MOST];

	for (unsigned i = 0; i < a; i++)
		value[i] = load(l, b, host, (int32_t)(i << b));
	for (unsigned i = 0; i < a; i++) {
		unsigned reg = (l->insn.rd + i) % 32;
		ir_ref old = a64_v(l, reg);

		ir_set(&l->b, AARCH64_V0 + reg,
		       ir_emit(&l->b, IR_VINSERT, IR_V128, type, old, value[i], (ir_ref)l->insn.imm));
	}
	write_back(l, bytes);
}

LIFTER(a64_v_store_single)
{
	unsigned bytes = a << b;
	enum ir_type type = memory_type(b);
	ir_ref host = base(l, IR_ACCESS_W, bytes);

	for (unsigned i = 0; i < a; i++) {
		ir_ref value = ir_emit(&l->b, IR_VEXTRACT, type, type, a64_v(l, (l->insn.rd + i) % 32), 0,
				       (ir_ref)l->insn.imm);

		ir_store(&l->b, IR_MEM(type, 0, IR_RELAXED), host, value, (int32_t)(i << b));
	}
	write_back(l, bytes);
}

/* a: the number of registers, each of which gets its element in every lane. */
LIFTER(a64_v_load_replicate)
{
	unsigned log2 = l->insn.size, bytes = a << log2;
	enum ir_type type = memory_type(log2);
	ir_ref host = base(l, IR_ACCESS_R, bytes), value[MOST];

	(void)b;
	for (unsigned i = 0; i < a; i++)
		value[i] = load(l, log2, host, (int32_t)(i << log2));
	for (unsigned i = 0; i < a; i++)
		a64_v_set_register(l, (l->insn.rd + i) % 32,
				   ir_emit(&l->b, IR_VSPLAT, a64_shape(l), type, value[i], 0, 0));
	write_back(l, bytes);
}

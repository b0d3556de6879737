/* The builder's folding of pure ops.
 *
 * Rules. (1) All operands constant: ir_int_op computes the result. (2) A
 * constant operand of a commutative op goes second, so that the rules after it
 * and the code generator look in one place. (3) One rewriting step an op, each
 * to an op or value that is nowhere dearer: nothing searches, nothing makes a
 * value live longer than its operands would. (4) No rule holds only for some
 * width; i128 takes part where no constant is needed.
 */
#include "ir/build_impl.h"

static bool
is_power_of_two(uint64_t x)
{
	return x && !(x & (x - 1));
}

static bool
is_commutative(enum ir_op op)
{
	switch ((int)op) {
	case IR_ADD:
	case IR_MUL:
	case IR_MULHS:
	case IR_MULHU:
	case IR_AND:
	case IR_OR:
	case IR_XOR:
	case IR_SMIN:
	case IR_SMAX:
	case IR_UMIN:
	case IR_UMAX:
	case IR_CLMUL:
	case IR_CLMULH:
		return true;
	}
	return false;
}

/* ---- two operands ------------------------------------------------------- */

static ir_ref
shift_by(struct ir_builder *b, enum ir_op op, enum ir_type type, ir_ref x, uint64_t count)
{
	uint64_t n = count & (ir_type_bits(type) - 1);

	if (!n)
		return x;
	return n == count ? 0 : build_op(b, op, type, 0, x, ir_const(b, type, n), 0);
}

static ir_ref
divide_by(struct ir_builder *b, enum ir_op op, enum ir_type type, ir_ref x, uint64_t v)
{
	bool remainder = op == IR_SREM || op == IR_UREM;

	if (v == 1)
		return remainder ? ir_const(b, type, 0) : x;
	if (!is_power_of_two(v))
		return 0;
	if (op == IR_UDIV)
		return ir_binary(b, IR_LSHR, x, ir_const(b, type, (unsigned)__builtin_ctzll(v)));
	return op == IR_UREM ? ir_binary(b, IR_AND, x, ir_const(b, type, v - 1)) : 0;
}

/* x is the AND with a constant that has no bit that v has not. */
static bool
is_masked(struct ir_builder *b, ir_ref x, uint64_t v)
{
	const struct ir_ins *mask;

	if (build_ins(b, x)->op != IR_AND)
		return false;
	mask = build_ins(b, build_ins(b, x)->b);
	return mask->op == IR_CONST && !((uint64_t)mask->imm & ~v);
}

/* x op v; 0 when nothing is known better. */
static ir_ref
with_constant(struct ir_builder *b, enum ir_op op, enum ir_type type, ir_ref x, uint64_t v)
{
	uint64_t ones = int_mask(ir_type_bits(type));

	switch ((int)op) {
	case IR_ADD:
		if (v && build_ins(b, x)->op == IR_PC)
			return ir_pc(b, (int64_t)((uint64_t)build_ins(b, x)->imm + v));
		return v ? 0 : x;
	case IR_SUB:
		return v ? ir_binary(b, IR_ADD, x, ir_const(b, type, -v)) : x;
	case IR_MUL:
		if (v <= 1)
			return v ? x : ir_const(b, type, 0);
		if (is_power_of_two(v))
			return ir_binary(b, IR_SHL, x,
					 ir_const(b, type, (unsigned)__builtin_ctzll(v)));
		return 0;
	case IR_MULHU:
		return v ? 0 : ir_const(b, type, 0);
	case IR_SDIV:
	case IR_UDIV:
	case IR_SREM:
	case IR_UREM:
		return divide_by(b, op, type, x, v);
	case IR_AND:
		if (v == ones || is_masked(b, x, v))
			return x;
		return v ? 0 : ir_const(b, type, 0);
	case IR_OR:
		if (v == ones)
			return ir_const(b, type, ones);
		return v ? 0 : x;
	case IR_XOR:
		if (v == ones)
			return ir_unary(b, IR_NOT, x);
		return v ? 0 : x;
	case IR_ANDN:
		return ir_binary(b, IR_AND, x, ir_const(b, type, ~v));
	case IR_SHL:
	case IR_LSHR:
	case IR_ASHR:
	case IR_ROTL:
	case IR_ROTR:
		return shift_by(b, op, type, x, v);
	}
	return 0;
}

/* 0 op x, op not commutative. */
static ir_ref
zero_with(struct ir_builder *b, enum ir_op op, enum ir_type type, ir_ref x)
{
	switch ((int)op) {
	case IR_SUB:
		return ir_unary(b, IR_NEG, x);
	case IR_ANDN:
	case IR_SHL:
	case IR_LSHR:
	case IR_ASHR:
	case IR_ROTL:
	case IR_ROTR:
	case IR_MULHSU:
	case IR_SREM:
	case IR_UREM:
		return ir_const(b, type, 0);
	}
	return 0;
}

static ir_ref
with_itself(struct ir_builder *b, enum ir_op op, enum ir_type type, ir_ref x)
{
	switch ((int)op) {
	case IR_SUB:
	case IR_XOR:
	case IR_ANDN:
		return ir_const(b, type, 0);
	case IR_AND:
	case IR_OR:
	case IR_SMIN:
	case IR_SMAX:
	case IR_UMIN:
	case IR_UMAX:
		return x;
	}
	return 0;
}

static ir_ref
binary(struct ir_builder *b, enum ir_op op, unsigned aux, ir_ref x, ir_ref y)
{
	enum ir_type type = build_type(b, x);
	bool known_x = build_is_const(b, x), known_y = build_is_const(b, y);
	ir_ref better = 0;
	uint64_t result;

	if (known_x && known_y &&
	    ir_int_op(op, type, type, aux, build_value(b, x), build_value(b, y), 0, &result))
		return ir_const(b, type, result);
	if (known_x && !known_y && is_commutative(op)) {
		ir_ref t = x;

		x = y;
		y = t;
		known_y = true;
		known_x = false;
	}
	if (known_y)
		better = with_constant(b, op, type, x, build_value(b, y));
	else if (known_x && !build_value(b, x))
		better = zero_with(b, op, type, y);
	else if (x == y)
		better = with_itself(b, op, type, x);
	return better ? better : build_op(b, op, type, aux, x, y, 0);
}

ir_ref
ir_binary(struct ir_builder *b, enum ir_op op, ir_ref x, ir_ref y)
{
	return binary(b, op, 0, x, y);
}

/* ---- one operand -------------------------------------------------------- */

/* An op on constants only; or the op itself. */
static ir_ref
constant_or_op(struct ir_builder *b, enum ir_op op, enum ir_type type, unsigned aux, ir_ref x,
	       ir_ref y, ir_ref z)
{
	bool from_y = op == IR_INSERT || op == IR_CRC32;
	uint64_t result;

	if (build_is_const(b, x) && (!y || build_is_const(b, y)) && (!z || build_is_const(b, z)) &&
	    ir_int_op(op, type, build_type(b, from_y ? y : x), aux, build_value(b, x),
		      build_value(b, y), build_value(b, z), &result))
		return ir_const(b, type, result);
	return build_op(b, op, type, aux, x, y, z);
}

ir_ref
ir_unary(struct ir_builder *b, enum ir_op op, ir_ref x)
{
	const struct ir_ins *ins = build_ins(b, x);

	if (ins->op == op && (op == IR_NOT || op == IR_NEG || op == IR_FNEG))
		return ins->a;
	return constant_or_op(b, op, ins->type, 0, x, 0, 0);
}

/* A constant whose bits above `from` are as the extension makes them. */
static bool
constant_is_extended(const struct ir_ins *x, bool sign, unsigned from)
{
	uint64_t high = (uint64_t)x->imm >> (sign ? from - 1 : from);

	return high == 0 || (sign && high == UINT64_MAX >> (from - 1) && x->type == IR_I64);
}

/* True if x has the bits above `from` already as the extension makes them:
 * what compiled code extends again, because its instruction set has 32-bit
 * forms of some operations only. Looks `depth` ops deep. */
static bool
is_extended(struct ir_builder *b, ir_ref ref, bool sign, unsigned from, unsigned depth)
{
	const struct ir_ins *x = build_ins(b, ref);
	unsigned bits;

	switch (x->op) {
	case IR_CONST:
		return x->type <= IR_I64 && constant_is_extended(x, sign, from);
	case IR_SEXT:
		return sign && ir_type_bits(x->aux) <= from;
	case IR_ZEXT:
		bits = ir_type_bits(x->aux);
		return sign ? bits < from : bits <= from;
	case IR_LOAD:
		bits = ir_type_bits(IR_MEM_TYPE(x->aux));
		if (x->type > IR_I64)
			return false;
		if (IR_MEM_SIGNED(x->aux))
			return sign && bits <= from;
		return sign ? bits < from : bits <= from;
	case IR_ICMP:
		return sign ? from > 1 : true;
	case IR_AND:
		/* A mask that clears everything above is enough by itself. */
		if (is_extended(b, x->b, false, sign ? from - 1 : from, 0))
			return true;
		__attribute__((fallthrough));
	case IR_OR:
	case IR_XOR:
		return depth && is_extended(b, x->a, sign, from, depth - 1) &&
		       is_extended(b, x->b, sign, from, depth - 1);
	case IR_NOT:
		return depth && sign && is_extended(b, x->a, sign, from, depth - 1);
	case IR_LSHR:
		if (x->type == IR_I64 && build_ins(b, x->b)->op == IR_CONST) {
			bits = 64 - (unsigned)(build_ins(b, x->b)->imm & 63);
			return sign ? bits < from : bits <= from;
		}
		return false;
	}
	return false;
}

static ir_ref
extend(struct ir_builder *b, enum ir_op op, enum ir_type to, enum ir_type from, ir_ref x)
{
	unsigned bits = ir_type_bits(from);
	const struct ir_ins *ins = build_ins(b, x);

	if (ir_type_bits(to) == bits)
		return ir_trunc(b, to, x);
	if (ins->type == to && is_extended(b, x, op == IR_SEXT, bits, 3))
		return x;
	/* Its low bits come straight from the operand below it. */
	if ((ins->op == IR_SEXT || ins->op == IR_ZEXT) && ir_type_bits(ins->aux) >= bits)
		x = ins->a;
	else if (ins->op == IR_TRUNC && build_type(b, ins->a) <= IR_I64)
		x = ins->a;
	return constant_or_op(b, op, to, from, x, 0, 0);
}

ir_ref
ir_sext(struct ir_builder *b, enum ir_type to, enum ir_type from, ir_ref x)
{
	return extend(b, IR_SEXT, to, from, x);
}

ir_ref
ir_zext(struct ir_builder *b, enum ir_type to, enum ir_type from, ir_ref x)
{
	return extend(b, IR_ZEXT, to, from, x);
}

ir_ref
ir_trunc(struct ir_builder *b, enum ir_type to, ir_ref x)
{
	const struct ir_ins *ins = build_ins(b, x);
	unsigned bits = ir_type_bits(to);

	if (ins->type == to)
		return x;
	if (ins->op == IR_PAIR)
		return ir_trunc(b, to, ins->a);
	if (ins->op == IR_TRUNC)
		x = ins->a;
	else if ((ins->op == IR_SEXT || ins->op == IR_ZEXT) && ir_type_bits(ins->aux) >= bits)
		return ir_trunc(b, to, ins->a);
	return constant_or_op(b, IR_TRUNC, to, 0, x, 0, 0);
}

ir_ref
ir_bitcast(struct ir_builder *b, enum ir_type to, ir_ref x)
{
	const struct ir_ins *ins = build_ins(b, x);

	if (ins->type == to)
		return x;
	if (ins->op == IR_BITCAST)
		return ir_bitcast(b, to, ins->a);
	if (ins->op == IR_CONST && ir_type_bits(ins->type) <= 64)
		return ir_const(b, to, (uint64_t)ins->imm);
	return build_op(b, IR_BITCAST, to, 0, x, 0, 0);
}

/* ---- comparisons -------------------------------------------------------- */

/* The condition for operands the other way round. */
static const uint8_t swapped[] = {
	[IR_EQ] = IR_EQ,   [IR_NE] = IR_NE,   [IR_SLT] = IR_SGT, [IR_SLE] = IR_SGE, [IR_SGT] = IR_SLT,
	[IR_SGE] = IR_SLE, [IR_ULT] = IR_UGT, [IR_ULE] = IR_UGE, [IR_UGT] = IR_ULT, [IR_UGE] = IR_ULE,
};
/* The condition that holds when it does not. */
static const uint8_t opposite[] = {
	[IR_EQ] = IR_NE,   [IR_NE] = IR_EQ,   [IR_SLT] = IR_SGE, [IR_SLE] = IR_SGT, [IR_SGT] = IR_SLE,
	[IR_SGE] = IR_SLT, [IR_ULT] = IR_UGE, [IR_ULE] = IR_UGT, [IR_UGT] = IR_ULE, [IR_UGE] = IR_ULT,
};

/* x cond v; 0 when nothing is known better. */
static ir_ref
compare_constant(struct ir_builder *b, enum ir_type type, enum ir_cond cond, ir_ref x, uint64_t v)
{
	const struct ir_ins *ins = build_ins(b, x);
	enum ir_type of = (enum ir_type)ins->type;
	bool equality = cond == IR_EQ || cond == IR_NE;

	if (v == 1 && (cond == IR_ULT || cond == IR_UGE))
		return ir_icmp(b, type, cond == IR_ULT ? IR_EQ : IR_NE, x, ir_const(b, of, 0));
	if (v)
		return 0;
	if (cond == IR_ULT || cond == IR_UGE)
		return ir_const(b, type, cond == IR_UGE);
	if (cond == IR_ULE || cond == IR_UGT)
		return ir_icmp(b, type, cond == IR_ULE ? IR_EQ : IR_NE, x, ir_const(b, of, 0));
	/* A truth value compared with false is itself or its opposite. */
	if (equality && ins->op == IR_ICMP)
		return ir_icmp(b, type, cond == IR_NE ? ins->aux : opposite[ins->aux], ins->a, ins->b);
	return 0;
}

ir_ref
ir_icmp(struct ir_builder *b, enum ir_type type, enum ir_cond cond, ir_ref x, ir_ref y)
{
	bool known_x = build_is_const(b, x), known_y = build_is_const(b, y);
	ir_ref better;

	if (known_x && known_y)
		return ir_const(b, type,
				ir_int_compare(cond, ir_type_bits(build_type(b, x)),
					       build_value(b, x), build_value(b, y)));
	if (x == y) /* true of x and x as it is of 0 and 0 */
		return ir_const(b, type, ir_int_compare(cond, 64, 0, 0));
	if (known_x)
		return ir_icmp(b, type, swapped[cond], y, x);
	if (known_y && (better = compare_constant(b, type, cond, x, build_value(b, y))))
		return better;
	return build_op(b, IR_ICMP, type, cond, x, y, 0);
}

ir_ref
ir_select(struct ir_builder *b, ir_ref cond, ir_ref yes, ir_ref no)
{
	if (yes == no)
		return yes;
	if (build_is_const(b, cond))
		return build_value(b, cond) ? yes : no;
	return build_op(b, IR_SELECT, build_type(b, yes), 0, cond, yes, no);
}

/* ---- any ---------------------------------------------------------------- */

static ir_ref
sign_inject(struct ir_builder *b, enum ir_type type, unsigned aux, ir_ref x, ir_ref y)
{
	if (x == y && aux == IR_FSGNJ_COPY)
		return x;
	if (x == y && aux == IR_FSGNJ_NOT)
		return ir_unary(b, IR_FNEG, x);
	if (x == y && aux == IR_FSGNJ_XOR)
		return build_op(b, IR_FABS, type, 0, x, 0, 0);
	return build_op(b, IR_FSGNJ, type, aux, x, y, 0);
}

ir_ref
ir_fold(struct ir_builder *b, enum ir_op op, enum ir_type type, unsigned aux, ir_ref x, ir_ref y,
	ir_ref z)
{
	const struct ir_op_info *info = &ir_op_info[op];
	const struct ir_ins *ins = build_ins(b, x);

	if (info->effects != IR_E_PURE)
		return build_op(b, op, type, aux, x, y, z);
	switch ((int)op) {
	case IR_COPY:
		return x;
	case IR_BITCAST:
		return ir_bitcast(b, type, x);
	case IR_NOT:
	case IR_NEG:
	case IR_FNEG:
		return ir_unary(b, op, x);
	case IR_SEXT:
	case IR_ZEXT:
		return extend(b, op, type, aux, x);
	case IR_EXTRACT:
		if (!aux)
			return ir_trunc(b, type, x);
		if (ins->op == IR_PAIR && aux == 64)
			return ir_trunc(b, type, ins->b);
		break;
	case IR_TRUNC:
		return ir_trunc(b, type, x);
	case IR_ICMP:
		return ir_icmp(b, type, aux, x, y);
	case IR_SELECT:
		return ir_select(b, x, y, z);
	case IR_FSGNJ:
		return sign_inject(b, type, aux, x, y);
	case IR_UNBOX:
		if (ins->op == IR_BOX && build_type(b, ins->a) == type)
			return ins->a;
		break;
	}
	if (info->result == IR_R_INT && info->operands[0] == '=' && info->operands[1] == '=' &&
	    info->operands[2] == '.')
		return binary(b, op, aux, x, y);
	return constant_or_op(b, op, type, aux, x, y, z);
}

ir_ref
ir_unbox(struct ir_builder *b, enum ir_type type, ir_ref x)
{
	return ir_fold(b, IR_UNBOX, type, 0, x, 0, 0);
}

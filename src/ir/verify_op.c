/* The verifier's rules for one op: those of ops.def's letters for all, then
 * what an op's meaning asks beyond them. */
#include "ir/text_impl.h"
#include "ir/verify_impl.h"

static bool
is_int(enum ir_type type)
{
	return type >= IR_I8 && type <= IR_I128;
}

static bool
is_float(enum ir_type type)
{
	return type >= IR_F16 && type <= IR_F64;
}

static bool
is_vector(enum ir_type type)
{
	return type >= IR_V64 && type <= IR_V256;
}

/* A lane, or what fits a general register: up to 64 bits. */
static bool
is_scalar(enum ir_type type)
{
	return (is_int(type) && type != IR_I128) || is_float(type);
}

static enum ir_type
type_of(const struct verify *v, ir_ref ref)
{
	return (enum ir_type)v->region->ins[ref].type;
}

unsigned
verify_helper_effects(const struct ir_region *region, unsigned helper)
{
	return helper < region->helper_count ? region->helpers[helper].effects : IR_H_ANY;
}

/* ---- the pool ----------------------------------------------------------- */

static bool
check_targets_in_pool(struct verify *v, ir_ref ref, uint32_t at, unsigned targets)
{
	const struct ir_region *r = v->region;

	for (unsigned i = 0; i < targets; i++) {
		if (at > r->pool_count || r->pool_count - at < 2 || r->pool[at + 1] > r->pool_count - at - 2)
			return verify_fail(v, ref, "its list is outside the pool");
		if (r->pool[at] >= r->block_count)
			return verify_fail(v, ref, "there is no block %u", r->pool[at]);
		at += 2 + r->pool[at + 1];
	}
	return true;
}

bool
verify_pool(struct verify *v, ir_ref ref)
{
	const struct ir_region *r = v->region;
	const struct ir_ins *ins = &r->ins[ref];

	if (ins->op == IR_GOTO || ins->op == IR_BR)
		return check_targets_in_pool(v, ref, ins->op == IR_BR ? ins->b : ins->a, verify_targets(ins));
	if (ins->op == IR_CALL && (ins->a >= r->pool_count || r->pool[ins->a] > r->pool_count - ins->a - 1))
		return verify_fail(v, ref, "its list is outside the pool");
	if (ins->op == IR_EXIT && (ins->a > r->pool_count || r->pool_count - ins->a < 4))
		return verify_fail(v, ref, "its fields are outside the pool");
	return true;
}

/* ---- letters ------------------------------------------------------------ */

static bool
result_is(const struct verify *v, const struct ir_ins *ins)
{
	enum ir_type type = (enum ir_type)ins->type;

	switch ((enum ir_result_rule)ir_op_info[ins->op].result) {
	case IR_R_NONE:
		return type == IR_VOID;
	case IR_R_ANY:
		return type != IR_VOID || ins->op == IR_CALL;
	case IR_R_SAME:
		return type == type_of(v, ins->a);
	case IR_R_INT:
		return is_int(type);
	case IR_R_FLOAT:
		return is_float(type);
	case IR_R_VEC:
		return is_vector(type);
	case IR_R_FLAGS:
		return type == IR_FLAGS;
	case IR_R_HOST:
		return type == IR_HOST;
	}
	return false;
}

static bool
operand_is(const struct verify *v, const struct ir_ins *ins, char letter, enum ir_type type)
{
	switch (letter) {
	case 'i':
		return is_int(type);
	case 'f':
		return is_float(type);
	case 'v':
		return is_vector(type);
	case 'g':
		return type == IR_FLAGS;
	case 'h':
		return type == IR_HOST;
	case '=':
		return type == (enum ir_type)ins->type;
	case '~':
		return type == type_of(v, ins->a);
	case 'x':
		return true;
	}
	return false;
}

/* How many of b and c an op's immediates take, from c down. */
static unsigned
immediates(const struct ir_op_info *info)
{
	switch (info->aux) {
	case IR_AUX_AT:
	case IR_AUX_CONST:
	case IR_AUX_PARAM:
	case IR_AUX_PC:
	case IR_AUX_XLATE:
	case IR_AUX_TRAP:
		return 2;
	}
	return info->operands[2] == 'D';
}

static bool
check_letters(struct verify *v, ir_ref ref)
{
	const struct ir_ins *ins = &v->region->ins[ref];
	const struct ir_op_info *info = &ir_op_info[ins->op];
	const uint32_t operand[3] = { ins->a, ins->b, ins->c };

	if (!result_is(v, ins))
		return verify_fail(v, ref, "its type cannot be %s", ir_type_name(ins->type));
	for (unsigned i = 0; i < 3; i++) {
		char letter = info->operands[i];

		if (text_is_value(letter)) {
			enum ir_type type = type_of(v, operand[i]);

			if (!operand_is(v, ins, letter, type))
				return verify_fail(v, ref, "operand %%%u cannot be %s", operand[i],
						   ir_type_name(type));
		} else if (letter == '.' && i < 3 - immediates(info) && operand[i]) {
			return verify_fail(v, ref, "an operand %u too many", operand[i]);
		}
	}
	return true;
}

/* ---- aux ---------------------------------------------------------------- */

static bool
check_fields(struct verify *v, ir_ref ref)
{
	const struct ir_ins *ins = &v->region->ins[ref];
	unsigned rest = ins->aux;

	for (unsigned i = 0; i < TEXT_FIELDS; i++) {
		const struct text_field *f = &text_field[ir_op_info[ins->op].aux][i];

		if (!f->bits)
			break;
		if (!text_field_word(f, ins->aux) && (f->needed || text_field_get(f, ins->aux)))
			return verify_fail(v, ref, "bits %u on of aux cannot be %u", f->shift,
					   text_field_get(f, ins->aux));
		rest &= ~(((1u << f->bits) - 1) << f->shift);
	}
	return !rest || verify_fail(v, ref, "bits %#x of aux mean nothing", rest);
}

static bool
check_slot(struct verify *v, ir_ref ref)
{
	const struct ir_ins *ins = &v->region->ins[ref];
	const struct ir_slots *slots = v->region->slots;
	enum ir_type type = ins->op == IR_SET ? type_of(v, ins->a) : (enum ir_type)ins->type;

	if (ins->aux >= slots->count || ins->aux >= IR_SLOT_MAX)
		return verify_fail(v, ref, "there is no slot %u", ins->aux);
	if (type != (enum ir_type)slots->slot[ins->aux].type)
		return verify_fail(v, ref, "slot %s is %s, not %s", slots->slot[ins->aux].name,
				   ir_type_name(slots->slot[ins->aux].type), ir_type_name(type));
	return true;
}

static bool
check_call(struct verify *v, ir_ref ref)
{
	const struct ir_region *r = v->region;
	const struct ir_ins *ins = &r->ins[ref];
	const uint32_t *list;
	uint32_t count;

	list = ir_call_arguments(r, ref, &count);
	if (ins->aux >= (r->helpers ? r->helper_count : IR_HELPER_MAX))
		return verify_fail(v, ref, "there is no helper %u", ins->aux);
	if (count > 3 || (r->helpers && count != r->helpers[ins->aux].arguments))
		return verify_fail(v, ref, "the helper does not take %u arguments", count);
	for (uint32_t i = 0; i < count; i++)
		if (!is_scalar(type_of(v, list[i])))
			return verify_fail(v, ref, "a helper cannot take %s",
					   ir_type_name(type_of(v, list[i])));
	return ins->type == IR_VOID || is_scalar(ins->type) ||
	       verify_fail(v, ref, "a helper cannot return %s", ir_type_name(ins->type));
}

static bool
check_exit(struct verify *v, ir_ref ref)
{
	struct ir_exit e = ir_exit_of(v->region, ref);

	if ((unsigned)e.kind > IR_EXIT_LOOKUP || (unsigned)e.trap > IR_TRAP_SYSTEM)
		return verify_fail(v, ref, "there is no such exit");
	if ((e.kind == IR_EXIT_TRAP) != (e.trap != IR_TRAP_NONE))
		return verify_fail(v, ref, "a trap goes with a trap exit");
	if (text_exit_has_target(e.kind) ? e.value != 0 : !e.value || e.target)
		return verify_fail(v, ref, "this exit takes %s",
				   text_exit_has_target(e.kind) ? "no value" : "a value and no target");
	return !e.value || type_of(v, e.value) == IR_I64 || type_of(v, e.value) == IR_I32 ||
	       verify_fail(v, ref, "an address cannot be %s", ir_type_name(type_of(v, e.value)));
}

static bool
check_aux(struct verify *v, ir_ref ref)
{
	const struct ir_ins *ins = &v->region->ins[ref];

	switch ((enum ir_aux)ir_op_info[ins->op].aux) {
	case IR_AUX_SLOT:
		return check_slot(v, ref);
	case IR_AUX_HELPER:
		return check_call(v, ref);
	case IR_AUX_EXIT:
		return check_exit(v, ref);
	case IR_AUX_AT:
		return ins->imm == (int32_t)ins->imm || verify_fail(v, ref, "it is too far from the base");
	case IR_AUX_BIT: /* a is at least as wide as the result of INSERT */
		return ins->aux < ir_type_bits(type_of(v, ins->a)) ||
		       verify_fail(v, ref, "there is no bit %u", ins->aux);
	case IR_AUX_NONE:
	case IR_AUX_CONST:
	case IR_AUX_PARAM:
	case IR_AUX_PC:
	case IR_AUX_TYPE:
	case IR_AUX_LANE:
	case IR_AUX_DIVIDE:
	case IR_AUX_POLY:
	case IR_AUX_COND:
	case IR_AUX_FLAGCOND:
	case IR_AUX_CARRY:
	case IR_AUX_FLAGS:
	case IR_AUX_XLATE:
	case IR_AUX_MEM:
	case IR_AUX_RMW:
	case IR_AUX_FENCE:
	case IR_AUX_TRAP:
	case IR_AUX_FP:
	case IR_AUX_FMA:
	case IR_AUX_FMINMAX:
	case IR_AUX_FCMP:
	case IR_AUX_FLAGSFCMP:
	case IR_AUX_F2I:
	case IR_AUX_I2F:
	case IR_AUX_FRINT:
	case IR_AUX_FSGNJ:
	case IR_AUX_LANEX:
	case IR_AUX_REDUCE:
	case IR_AUX_SHA1:
	case IR_AUX_VFP:
	case IR_AUX_VFMA:
	case IR_AUX_VFMINMAX:
	case IR_AUX_VFCMP:
	case IR_AUX_VF2I:
	case IR_AUX_VI2F:
	case IR_AUX_VFRINT:
	case IR_AUX_FCVT:
	case IR_AUX_VFCVT:
	case IR_AUX_COUNT:
		break;
	}
	return check_fields(v, ref);
}

/* ---- meanings ----------------------------------------------------------- */

static bool
const_fits(const struct ir_ins *ins)
{
	unsigned bits = ins->type == IR_FLAGS ? 7 : ir_type_bits(ins->type);

	return ins->type != IR_HOST && (bits >= 64 || !((uint64_t)ins->imm >> bits));
}

static bool
memory_fits(const struct verify *v, const struct ir_ins *ins)
{
	enum ir_type memory = IR_MEM_TYPE(ins->aux);
	enum ir_type value = ins->op == IR_STORE || ins->op == IR_SC ? type_of(v, ins->b) : (enum ir_type)ins->type;

	if (ins->op == IR_LL)
		return (memory == IR_VOID || memory == value) && value <= IR_I128;
	if (ins->op == IR_SC && (!is_int(memory) || memory > IR_I128))
		return false;
	if (is_int(value))
		return is_int(memory) && memory <= value;
	if (IR_MEM_SIGNED(ins->aux))
		return false;
	if (ins->op == IR_STORE && is_float(value)) /* out of a container */
		return is_float(memory) && memory <= value;
	return memory == value && (is_float(value) || is_vector(value));
}

/* Lanes of integers, or of any scalar for those that only move them. */
static bool
lanes_fit(const struct verify *v, const struct ir_ins *ins)
{
	enum ir_type lane = (enum ir_type)ins->aux, from = type_of(v, ins->a);
	unsigned bits = ir_type_bits(lane);

	switch ((int)ins->op) {
	case IR_VAND:
	case IR_VOR:
	case IR_VXOR:
	case IR_VANDN:
	case IR_VBSL:
	case IR_VSHUF:
		return true;
	case IR_VSPLAT:
		return is_scalar(lane) && is_scalar(from) && ir_type_bits(from) >= bits;
	case IR_VINSERT:
		return is_scalar(lane) && is_scalar(type_of(v, ins->b)) && ir_type_bits(type_of(v, ins->b)) >= bits;
	case IR_VEXTRACT:
		return is_scalar(lane) && is_scalar(ins->type) && ir_type_bits(ins->type) >= bits;
	case IR_VSHL:
	case IR_VLSHR:
	case IR_VASHR:
		return lane >= IR_I8 && lane <= IR_I64 && is_scalar(type_of(v, ins->b));
	case IR_VSXTL:
	case IR_VZXTL:
		return lane >= IR_I8 && lane <= IR_I32 && ir_type_bits(from) * 2 >= ir_type_bits(ins->type);
	case IR_VNARROW:
		return lane >= IR_I16 && lane <= IR_I64 && ir_type_bits(ins->type) * 2 >= ir_type_bits(from);
	case IR_VZIPLO:
	case IR_VZIPHI:
	case IR_VEVEN:
	case IR_VODD:
	case IR_VTRNEVEN:
	case IR_VTRNODD:
		return is_scalar(lane) && bits < ir_type_bits(ins->type);
	case IR_VNOT:
		return true;
	case IR_VSCALAR:
		return is_scalar(lane) && is_scalar(from) && ir_type_bits(from) >= bits;
	case IR_VDUP:
		return is_scalar(lane);
	case IR_VREV:
		return is_scalar(lane) && ins->c > bits / 8 && ins->c <= ir_type_bits(ins->type) / 8 &&
		       !(ins->c & (ins->c - 1));
	case IR_VNARROWS:
	case IR_VNARROWSU:
	case IR_VNARROWU:
		return lane >= IR_I16 && lane <= IR_I64 && ir_type_bits(ins->type) * 2 >= ir_type_bits(from);
	case IR_VPMULL:
		return lane == IR_I8 || lane == IR_I64;
	case IR_VRECPE:
	case IR_VRSQRTE:
		return lane == IR_I32;
	}
	return lane >= IR_I8 && lane <= IR_I64;
}

/* The same for those whose lanes have bits besides, of which an op takes some. */
static bool
extra_lanes_fit(const struct ir_ins *ins)
{
	enum ir_type lane = IR_LANE_TYPE(ins->aux);
	unsigned bits = ins->aux & ~15u, allowed = IR_LANE_SIGNED;
	enum ir_type widest = IR_I64;

	switch ((int)ins->op) {
	case IR_VHADD:
		allowed |= IR_LANE_ROUND;
		break;
	case IR_VSHIFT:
		allowed |= IR_LANE_ROUND | IR_LANE_SATURATE | IR_LANE_OVERFLOW;
		break;
	case IR_VQDMULH:
		widest = IR_I32;
		allowed = IR_LANE_ROUND;
		break;
	case IR_VQRDMLAH:
		widest = IR_I32;
		allowed = IR_LANE_SUBTRACT | IR_LANE_OVERFLOW;
		break;
	case IR_VDOT:
		widest = IR_I8;
		break;
	case IR_VMULL:
	case IR_VADDLP:
		widest = IR_I32;
		break;
	}
	return lane >= IR_I8 && lane <= widest && !(bits & ~allowed);
}

static bool
float_lanes_fit(const struct ir_ins *ins)
{
	enum ir_type lane = IR_VFP_LANE(ins->aux);

	if (ins->op == IR_VFWIDEN)
		return lane != IR_F64;
	return ins->op != IR_VFNARROW || lane != IR_F16;
}

/* How the types of an op's operands and result go together, where its letters
 * do not say. */
static bool
widths_fit(const struct verify *v, const struct ir_ins *ins)
{
	const struct ir_op_info *info = &ir_op_info[ins->op];
	unsigned bits = ir_type_bits(ins->type);
	unsigned from = text_is_value(info->operands[0]) ? ir_type_bits(type_of(v, ins->a)) : 0;

	switch ((int)ins->op) {
	case IR_CONST:
		return const_fits(ins);
	case IR_PARAM:
		return ins->type != IR_HOST;
	case IR_PC:
	case IR_F2I:
	case IR_ADC:
	case IR_SBC:
		return bits <= 64;
	case IR_I2F:
	case IR_XLATE:
	case IR_PREFETCH:
	case IR_FLAGS_ADD:
	case IR_FLAGS_SUB:
	case IR_FLAGS_ADC:
	case IR_FLAGS_SBC:
	case IR_FLAGS_LOGIC:
	case IR_FLAGS_PACK:
		return from <= 64;
	case IR_BITCAST:
		return bits && bits == from && ins->type != IR_HOST && type_of(v, ins->a) != IR_HOST;
	case IR_SEXT:
	case IR_ZEXT:
		return ir_type_bits((enum ir_type)ins->aux) <= from && ir_type_bits((enum ir_type)ins->aux) <= bits;
	case IR_TRUNC:
		return bits <= from;
	case IR_PAIR:
		return bits == 128 && from == 64 && type_of(v, ins->b) == IR_I64;
	case IR_CRC32:
		return type_of(v, ins->a) == IR_I32 && type_of(v, ins->b) <= IR_I64 && ins->type <= IR_I64;
	case IR_F2X:
		return bits <= 64 && ins->c <= 64;
	case IR_X2F:
		return from <= 64 && ins->c <= 64;
	case IR_VF2I:
	case IR_VI2F:
		return ins->c <= 64;
	case IR_VHIGH:
	case IR_VFNARROW:
		return bits * 2 == from;
	case IR_VJOIN:
	case IR_VMULL:
	case IR_VPMULL:
	case IR_VFWIDEN:
		return bits == from * 2;
	case IR_VREDUCE:
		return bits <= 64 && bits >= ir_type_bits(IR_LANE_TYPE(ins->aux));
	case IR_VAESE:
	case IR_VAESD:
	case IR_VAESMC:
	case IR_VAESIMC:
	case IR_VSHA1:
	case IR_VSHA1SU1:
	case IR_VSHA256H:
	case IR_VSHA256H2:
	case IR_VSHA256SU0:
	case IR_VSHA256SU1:
		return bits == 128;
	case IR_BOX:
		return bits == 64;
	case IR_UNBOX:
		return from == 64;
	}
	return true;
}

static bool
check_meaning(struct verify *v, ir_ref ref)
{
	const struct ir_ins *ins = &v->region->ins[ref];
	enum ir_aux aux = (enum ir_aux)ir_op_info[ins->op].aux;

	if (!widths_fit(v, ins))
		return verify_fail(v, ref, "its types do not go together");
	if ((aux == IR_AUX_MEM || aux == IR_AUX_RMW) && !memory_fits(v, ins))
		return verify_fail(v, ref, "it cannot access memory as %s",
				   IR_MEM_TYPE(ins->aux) < IR_TYPE_COUNT ?
					   ir_type_name(IR_MEM_TYPE(ins->aux)) : "that");
	if ((aux == IR_AUX_LANE && !lanes_fit(v, ins)) || (aux == IR_AUX_LANEX && !extra_lanes_fit(ins)) ||
	    (aux >= IR_AUX_VFP && aux <= IR_AUX_VFCVT && !float_lanes_fit(ins)))
		return verify_fail(v, ref, "its lanes do not go together");
	if (aux == IR_AUX_XLATE && (int32_t)ins->b >= (int32_t)ins->c)
		return verify_fail(v, ref, "its range is empty");
	if (aux == IR_AUX_TRAP && (uint64_t)ins->imm > UINT32_MAX)
		return verify_fail(v, ref, "its value has more than 32 bits");
	return true;
}

bool
verify_op(struct verify *v, ir_ref ref)
{
	return check_letters(v, ref) && check_aux(v, ref) && check_meaning(v, ref);
}

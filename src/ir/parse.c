/* Reads regions from text: what print.c prints, and what people write as
 * tests. A line holds a head or one op; `#` starts a comment.
 *
 *	region PC mode MODE [counted] [bytes N] [insns N]
 *	block N                        in order, from 0
 *	[%NAME =] OP[.TYPE] [WORD…] [ITEM, …] [!{SLOT=%NAME[:FIXUP] …}]
 *
 * The words are the fields of aux (text_fields.c), the items a slot, the
 * operands and the immediates, in this order; a trailing displacement or trap
 * value of 0 may be left out. Names of values are any letters and digits: an
 * op's number is its place in the text. The shapes of their own:
 *
 *	at DELTA len N                 %3 = const.i64 -1
 *	%2 = param.i64 0               %4 = pc.i64 -16
 *	%5 = xlate rw align8 %3, LO, HI
 *	%6 = call.i64 HELPER(%1, %2)   call HELPER()
 *	goto @1(%2, %3)                br %2, @1(%3), @2
 *	exit jump|call|lookup DELTA [link DELTA]
 *	exit indirect|icall|return %6 [link DELTA]
 *	exit trap TRAP DELTA [link DELTA]
 *
 * An exit may end in `retired N` where the count is not that of the AT ops
 * above it. Whether the region makes sense is for ir_verify to say.
 *
 * Two passes: the first numbers the ops and learns their names, so that a
 * value may be used above the line that makes it.
 */
#include "ir/parse_impl.h"
#include "ir/text_impl.h"

#include <string.h>

enum { MOST_LINES = 1 << 20 };

/* ---- the operand pool, word by word ------------------------------------- */

static uint32_t
push(struct parse *parse, uint32_t word)
{
	uint32_t at = build_pool(&parse->builder, 1);

	if (parse->builder.failed)
		return 0;
	parse->region->pool[at] = word;
	return at;
}

/* The values of a list up to its `)`; count's pool word becomes their number. */
static void
read_list(struct parse *parse, uint32_t count)
{
	uint32_t items = 0;

	while (!parse->failed && !parse_take(parse, ')')) {
		if (items++)
			parse_expect(parse, ',');
		push(parse, parse_value(parse));
	}
	if (!parse->builder.failed)
		parse->region->pool[count] = items;
}

/* ---- words: the fields of aux ------------------------------------------- */

static bool
read_field(struct parse *parse, const struct text_field *field, unsigned *aux)
{
	const char *before = parse->p;
	struct span word = parse_word(parse);

	for (unsigned value = 0; value < field->count; value++)
		if (field->name[value] && parse_is(word, field->name[value])) {
			*aux |= value << field->shift;
			return true;
		}
	parse->p = before;
	return !field->needed;
}

static unsigned
read_fields(struct parse *parse, enum ir_aux kind)
{
	const struct text_field *field = text_field[kind];
	unsigned aux = 0;

	for (unsigned i = 0; i < TEXT_FIELDS && field[i].bits; i++)
		if (!read_field(parse, &field[i], &aux))
			parse_fail(parse, "a word like `%s` expected",
				   field[i].name[field[i].name[0] ? 0 : 1]);
	return aux;
}

static unsigned
read_name_of(struct parse *parse, const char *const *name, unsigned count, const char *what)
{
	struct span word = parse_word(parse);

	for (unsigned i = 0; i < count; i++)
		if (name[i] && parse_is(word, name[i]))
			return i;
	parse_fail(parse, "no %s `%.*s`", what, (int)word.length, word.text);
	return 0;
}

static enum ir_type
type_of(struct span word)
{
	for (unsigned type = IR_VOID + 1; type < IR_TYPE_COUNT; type++)
		if (parse_is(word, ir_type_name((enum ir_type)type)))
			return (enum ir_type)type;
	return IR_VOID;
}

static unsigned
read_slot(struct parse *parse)
{
	const struct ir_slots *slots = parse->region->slots;
	struct span word = parse_word(parse);

	for (unsigned i = 0; i < slots->count; i++)
		if (parse_is(word, slots->slot[i].name))
			return i;
	parse_fail(parse, "no slot `%.*s`", (int)word.length, word.text);
	return 0;
}

/* A helper by its name, or as helperN one that only the frame knows. */
static unsigned
read_helper(struct parse *parse)
{
	const struct ir_region *region = parse->region;
	struct span word = parse_word(parse);
	unsigned number = 0;
	size_t i;

	for (i = 0; i < region->helper_count; i++)
		if (region->helpers[i].name && parse_is(word, region->helpers[i].name))
			return (unsigned)i;
	for (i = 6; i < word.length && number < IR_HELPER_MAX && word.text[i] <= '9'; i++)
		number = number * 10 + (unsigned)(word.text[i] - '0');
	if (word.length < 7 || memcmp(word.text, "helper", 6) || i < word.length || number >= IR_HELPER_MAX)
		parse_fail(parse, "no helper `%.*s`", (int)word.length, word.text);
	return number;
}

/* ---- ops with shapes of their own --------------------------------------- */

static void
read_at(struct parse *parse)
{
	int32_t delta = (int32_t)parse_number(parse, INT32_MIN, INT32_MAX);

	if (!parse_take_word(parse, "len"))
		parse_fail(parse, "`len` expected");
	ir_at(&parse->builder, delta, (unsigned)parse_number(parse, 0, UINT16_MAX));
}

static void
read_const(struct parse *parse, enum ir_type type)
{
	unsigned bits = type == IR_FLAGS ? 8 : ir_type_bits(type) > 64 ? 64 : ir_type_bits(type);
	bool integer = type >= IR_I8 && type <= IR_I64;
	s128 lo = integer ? -((s128)1 << (bits - 1)) : 0;
	uint64_t value = (uint64_t)parse_number(parse, lo, ((s128)1 << bits) - 1);

	build_imm(&parse->builder, IR_CONST, type, 0, 0,
		  (int64_t)(integer ? value & int_mask(bits) : value));
}

static void
read_param(struct parse *parse, enum ir_type type)
{
	struct ir_block *block = &parse->region->block[parse->builder.block];

	build_imm(&parse->builder, IR_PARAM, type, 0, 0, (int64_t)parse_number(parse, 0, UINT32_MAX));
	block->parameters++;
}

static void
read_call(struct parse *parse, enum ir_type type)
{
	unsigned helper = read_helper(parse);
	uint32_t count = push(parse, 0);

	parse_expect(parse, '(');
	read_list(parse, count);
	build_op(&parse->builder, IR_CALL, type, helper, count, 0, 0);
}

/* Returns where its words begin in the pool. */
static uint32_t
read_target(struct parse *parse)
{
	uint32_t at, count;

	parse_expect(parse, '@');
	at = push(parse, (uint32_t)parse_number(parse, 0, MOST_LINES));
	count = push(parse, 0);
	if (parse_take(parse, '('))
		read_list(parse, count);
	return at;
}

static void
read_br(struct parse *parse)
{
	ir_ref condition = parse_value(parse);
	uint32_t yes;

	parse_expect(parse, ',');
	yes = read_target(parse);
	parse_expect(parse, ',');
	read_target(parse);
	build_op(&parse->builder, IR_BR, IR_VOID, 0, condition, yes, 0);
}

static void
read_exit(struct parse *parse)
{
	struct ir_exit e = { 0 };
	uint32_t at;

	e.kind = (enum ir_exit_kind)read_name_of(parse, text_exit, IR_EXIT_LOOKUP + 1, "kind of exit");
	if (e.kind == IR_EXIT_TRAP)
		e.trap = (enum ir_trap)read_name_of(parse, text_trap, IR_TRAP_SYSTEM + 1, "trap");
	if (text_exit_has_target(e.kind))
		e.target = (int32_t)parse_number(parse, INT32_MIN, INT32_MAX);
	else
		e.value = parse_value(parse);
	if (parse_take_word(parse, "link"))
		e.link = (int32_t)parse_number(parse, INT32_MIN, INT32_MAX);
	e.retired = text_retired(e.kind, e.trap, e.target, parse->builder.retired, parse->builder.at);
	if (parse_take_word(parse, "retired"))
		e.retired = (uint32_t)parse_number(parse, 0, UINT32_MAX);
	at = push(parse, (uint32_t)e.target);
	push(parse, (uint32_t)e.link);
	push(parse, e.value);
	push(parse, e.retired);
	build_op(&parse->builder, IR_EXIT, IR_VOID, (unsigned)e.kind | (unsigned)e.trap << 4, at, 0, 0);
}

/* ---- all other ops ------------------------------------------------------ */

static void
next_item(struct parse *parse, unsigned *items)
{
	if ((*items)++)
		parse_expect(parse, ',');
}

/* What comes after the operands; see print.c's put_items. */
static void
read_immediates(struct parse *parse, const struct ir_op_info *info, struct ir_ins *ins)
{
	if (info->operands[2] == 'D' && parse_take(parse, ','))
		ins->c = (uint32_t)(int32_t)parse_number(parse, INT32_MIN, INT32_MAX);
	if (info->aux == IR_AUX_BIT) {
		parse_expect(parse, ',');
		ins->aux = (uint16_t)parse_number(parse, 0, UINT16_MAX);
	}
	if (info->aux == IR_AUX_XLATE) {
		parse_expect(parse, ',');
		ins->b = (uint32_t)(int32_t)parse_number(parse, INT32_MIN, INT32_MAX);
		parse_expect(parse, ',');
		ins->c = (uint32_t)(int32_t)parse_number(parse, INT32_MIN, INT32_MAX);
	}
	if (info->aux == IR_AUX_TRAP && parse_take(parse, ','))
		ins->imm = (int64_t)parse_number(parse, 0, UINT32_MAX);
	if (info->aux == IR_AUX_PC)
		ins->imm = (int64_t)parse_number(parse, INT64_MIN, INT64_MAX);
}

static void
read_usual(struct parse *parse, enum ir_op op, enum ir_type type)
{
	const struct ir_op_info *info = &ir_op_info[op];
	struct ir_ins ins = { .op = (uint8_t)op, .type = (uint8_t)type };
	uint32_t *operand[3] = { &ins.a, &ins.b, &ins.c };
	struct ir_ins *made;
	unsigned items = 0;

	ins.aux = (uint16_t)read_fields(parse, (enum ir_aux)info->aux);
	if (info->aux == IR_AUX_SLOT) {
		next_item(parse, &items);
		ins.aux = (uint16_t)read_slot(parse);
	}
	for (unsigned i = 0; i < 3; i++)
		if (text_is_value(info->operands[i])) {
			next_item(parse, &items);
			*operand[i] = parse_value(parse);
		}
	read_immediates(parse, info, &ins);
	made = build_append(&parse->builder, op, type, ins.aux, ins.a);
	if (made)
		*made = ins;
}

static void
read_op(struct parse *parse, enum ir_op op, enum ir_type type)
{
	switch ((int)op) {
	case IR_AT:
		read_at(parse);
		break;
	case IR_CONST:
		read_const(parse, type);
		break;
	case IR_PARAM:
		read_param(parse, type);
		break;
	case IR_CALL:
		read_call(parse, type);
		break;
	case IR_GOTO:
		build_op(&parse->builder, IR_GOTO, IR_VOID, 0, read_target(parse), 0, 0);
		break;
	case IR_BR:
		read_br(parse);
		break;
	case IR_EXIT:
		read_exit(parse);
		break;
	default:
		read_usual(parse, op, type);
		break;
	}
}

/* ---- lines -------------------------------------------------------------- */

/* Which op a word names; *type becomes the type it makes. */
static enum ir_op
read_op_name(struct parse *parse, enum ir_type *type)
{
	struct span word = parse_word(parse), name = word;

	*type = IR_VOID;
	for (unsigned cut = 0; cut < 2; cut++) {
		for (unsigned op = 0; op < IR_OP_COUNT; op++) {
			const struct ir_op_info *info = &ir_op_info[op];

			if (!parse_is(name, info->text) ||
			    (text_writes_type(info) ? !cut && op != IR_CALL : cut != 0))
				continue;
			if (!cut)
				*type = info->result == IR_R_FLAGS ? IR_FLAGS :
					info->result == IR_R_HOST  ? IR_HOST :
								     IR_VOID;
			return (enum ir_op)op;
		}
		while (name.length && name.text[name.length - 1] != '.')
			name.length--;
		*type = type_of((struct span){ name.text + name.length, word.length - name.length });
		if (!name.length || !*type)
			break;
		name.length--;
	}
	parse_fail(parse, "no op `%.*s`", (int)word.length, word.text);
	return IR_NOP;
}

static void
read_map(struct parse *parse)
{
	struct ir_region *r = parse->region;
	struct ir_map *m;

	parse_expect(parse, '{');
	while (!parse->failed && !parse_take(parse, '}')) {
		if (r->map_count == r->map_capacity) {
			const struct ir_map *old = r->map;

			r->map_capacity = r->map_capacity ? 2 * r->map_capacity : 16;
			r->map = arena_alloc(r->arena, r->map_capacity * sizeof *r->map);
			if (old)
				memcpy(r->map, old, r->map_count * sizeof *r->map);
		}
		m = &r->map[r->map_count++];
		m->at = r->ins_count - 1;
		m->slot = (uint16_t)read_slot(parse);
		parse_expect(parse, '=');
		m->value = parse_value(parse);
		m->fixup = parse_take(parse, ':') ?
				   (uint8_t)read_name_of(parse, text_fixup, IR_FIX_FLAGS + 1, "fix-up") :
				   IR_FIX_NONE;
	}
}

static void
read_op_line(struct parse *parse)
{
	bool named = parse_take(parse, '%');
	enum ir_type type;
	enum ir_op op;

	if (named) {
		parse_word(parse);
		parse_expect(parse, '=');
	}
	op = read_op_name(parse, &type);
	if (!parse->failed && named != (type != IR_VOID))
		parse_fail(parse, named ? "`%s` makes no value" : "what `%s` makes needs a name",
			   ir_op_info[op].text);
	if (!parse->failed)
		read_op(parse, op, type);
	if (parse->builder.failed)
		parse_fail(parse, "the region is too large");
	if (!parse->failed && parse_take(parse, '!'))
		read_map(parse);
}

static bool
block_ended(const struct parse *parse)
{
	const struct ir_region *r = parse->region;

	return r->ins_count > r->block[parse->builder.block].first &&
	       (ir_op_info[r->ins[r->ins_count - 1].op].effects & IR_E_END);
}

static void
read_block_line(struct parse *parse, bool first)
{
	uint32_t expected = first ? 0 : parse->region->block_count;
	uint32_t number = (uint32_t)parse_number(parse, 0, MOST_LINES);

	if (!parse->failed && number != expected)
		parse_fail(parse, "block %u expected", expected);
	if (!parse->failed && !first && !block_ended(parse))
		parse_fail(parse, "the block before has no end");
	if (!parse->failed && !first)
		ir_block(&parse->builder, false);
}

/* What a head says beyond what follows from the ops; -1: nothing. */
struct head {
	uint64_t pc;
	uint32_t mode;
	bool counted;
	int64_t bytes, insns;
};

static struct head
read_head(struct parse *parse)
{
	struct head head = { .bytes = -1, .insns = -1 };

	if (!parse_take_word(parse, "region"))
		parse_fail(parse, "`region` expected");
	head.pc = (uint64_t)parse_number(parse, 0, UINT64_MAX);
	if (!parse_take_word(parse, "mode"))
		parse_fail(parse, "`mode` expected");
	head.mode = (uint32_t)parse_number(parse, 0, UINT32_MAX);
	head.counted = parse_take_word(parse, "counted");
	if (parse_take_word(parse, "bytes"))
		head.bytes = (int64_t)parse_number(parse, 0, UINT32_MAX);
	if (parse_take_word(parse, "insns"))
		head.insns = (int64_t)parse_number(parse, 0, UINT32_MAX);
	return head;
}

/* To the first line that says something; false if there is none. */
static bool
skip_empty(struct parse *parse)
{
	while (parse_at_end(parse))
		if (!parse_next_line(parse))
			return false;
	return true;
}

/* ---- the passes --------------------------------------------------------- */

/* Numbers the ops of the lines below the head, and learns their names. */
static void
learn_names(struct parse *parse)
{
	const char *p = parse->p;
	unsigned line = parse->line;
	ir_ref ref = 0;
	uint32_t lines = 0, room = 64;

	while (parse_next_line(parse))
		lines++;
	if (lines > MOST_LINES) {
		parse_fail(parse, "the text is too long");
		return;
	}
	while (room < 2 * lines)
		room *= 2;
	parse->name_count = room;
	parse->name = arena_alloc(parse->region->arena, room * sizeof *parse->name);
	parse->p = p;
	parse->line = line;
	while (parse_next_line(parse)) {
		if (parse_at_end(parse) || parse_take_word(parse, "block"))
			continue;
		ref++;
		if (parse_take(parse, '%'))
			parse_define(parse, parse_word(parse), ref);
	}
	parse->p = p;
	parse->line = line;
}

static void
read_lines(struct parse *parse)
{
	bool first = true;

	while (!parse->failed && parse_next_line(parse)) {
		if (parse_at_end(parse))
			continue;
		if (parse_take_word(parse, "block")) {
			read_block_line(parse, first);
			first = false;
		} else if (first) {
			parse_fail(parse, "`block 0` expected");
		} else {
			read_op_line(parse);
		}
		if (!parse->failed && !parse_at_end(parse))
			parse_fail(parse, "what is `%c` for?", *parse->p);
	}
	if (!parse->failed && (first || !block_ended(parse)))
		parse_fail(parse, "the last block has no end");
}

int
ir_parse(struct ir_region *region, struct arena *arena, const struct ir_slots *slots,
	 const struct ir_helper *helpers, unsigned helper_count, const char *text,
	 struct error *error)
{
	struct parse parse = { .region = region, .error = error, .p = text, .line = 1 };
	struct head head;

	if (!skip_empty(&parse))
		parse_fail(&parse, "there is no region");
	head = read_head(&parse);
	if (!parse.failed && !parse_at_end(&parse))
		parse_fail(&parse, "what is `%c` for?", *parse.p);
	ir_build_begin(&parse.builder, region, arena, slots, head.pc, head.mode);
	region->helpers = helpers;
	region->helper_count = helper_count;
	region->counted = head.counted;
	if (!parse.failed)
		learn_names(&parse);
	if (!parse.failed)
		read_lines(&parse);
	if (parse.failed)
		return -1;
	if (!ir_build_end(&parse.builder))
		return error_set(error, 0, "the region is too large");
	if (head.bytes >= 0)
		region->bytes = (uint32_t)head.bytes;
	if (head.insns >= 0)
		region->insns = (uint32_t)head.insns;
	return 0;
}

/* Regions as text, in the syntax that parse.c reads and describes. What is not
 * a valid op still prints, with a `?` where the text has no word for it. */
#include "ir/integer.h"
#include "ir/text_impl.h"

struct text_out {
	char *buffer;
	size_t size;
	size_t used; /* length of the whole text, which may be size or more */
};

static void put(struct text_out *out, const char *format, ...) PRINTF_LIKE(2, 3);

static void
put(struct text_out *out, const char *format, ...)
{
	size_t at = out->used < out->size ? out->used : out->size;
	va_list args;

	va_start(args, format);
	out->used += (size_t)text_vformat(out->buffer + at, out->size - at, format, args);
	va_end(args);
}

/* ---- operands and immediates -------------------------------------------- */

/* What stands before an item of the comma list. */
static const char *
comma(unsigned *items)
{
	return (*items)++ ? ", " : " ";
}

/* Small numbers as people write them, others by their bits. */
static void
put_const(struct text_out *out, const struct ir_ins *ins)
{
	uint64_t value = (uint64_t)ins->imm;
	int64_t number;

	if (ins->type >= IR_I8 && ins->type <= IR_I64) {
		number = int_signed(value, ir_type_bits(ins->type));
		if (number > -65536 && number < 65536) {
			put(out, " %lld", (long long)number);
			return;
		}
	}
	put(out, " %#llx", (unsigned long long)value);
}

static void
put_slot(struct text_out *out, const struct ir_region *region, unsigned slot)
{
	if (slot < region->slots->count)
		put(out, "%s", region->slots->slot[slot].name);
	else
		put(out, "?%u", slot);
}

static void
put_list(struct text_out *out, const uint32_t *list, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		put(out, "%s%%%u", i ? ", " : "", list[i]);
}

/* A block with the arguments for its parameters. */
static void
put_target(struct text_out *out, const struct ir_region *region, ir_ref end, unsigned which)
{
	const uint32_t *arguments;
	uint32_t count, block = ir_target(region, end, which, &arguments, &count);

	put(out, "@%u", block);
	if (!count)
		return;
	put(out, "(");
	put_list(out, arguments, count);
	put(out, ")");
}

static void
put_call(struct text_out *out, const struct ir_region *region, ir_ref ref)
{
	unsigned helper = region->ins[ref].aux;
	const uint32_t *list;
	uint32_t count;

	list = ir_call_arguments(region, ref, &count);
	if (helper < region->helper_count && region->helpers[helper].name)
		put(out, " %s(", region->helpers[helper].name);
	else
		put(out, " helper%u(", helper);
	put_list(out, list, count);
	put(out, ")");
}

/* The count of retired instructions only where it is not what follows from
 * the AT ops before. */
static void
put_exit(struct text_out *out, const struct ir_region *region, ir_ref ref)
{
	struct ir_exit e = ir_exit_of(region, ref);
	uint32_t begun = 0;
	int64_t at = INT64_MIN;

	for (ir_ref i = 1; i < ref; i++)
		if (region->ins[i].op == IR_AT) {
			begun++;
			at = region->ins[i].imm;
		}
	put(out, " %s", (unsigned)e.kind <= IR_EXIT_LOOKUP ? text_exit[e.kind] : "?");
	if (e.kind == IR_EXIT_TRAP)
		put(out, " %s", e.trap && (unsigned)e.trap <= IR_TRAP_SYSTEM ? text_trap[e.trap] : "?");
	if (text_exit_has_target(e.kind))
		put(out, " %d", (int)e.target);
	else
		put(out, " %%%u", e.value);
	if (e.link || e.kind == IR_EXIT_CALL || e.kind == IR_EXIT_ICALL)
		put(out, " link %d", (int)e.link);
	if (e.retired != text_retired(e.kind, e.trap, e.target, begun, at))
		put(out, " retired %u", e.retired);
}

/* ---- ops ---------------------------------------------------------------- */

static void
put_fields(struct text_out *out, unsigned kind, unsigned aux)
{
	for (const struct text_field *f = text_field[kind]; f < text_field[kind] + TEXT_FIELDS && f->bits; f++) {
		const char *word = text_field_word(f, aux);

		if (word)
			put(out, " %s", word);
		else if (f->needed || text_field_get(f, aux))
			put(out, " ?%u", text_field_get(f, aux));
	}
}

/* The operands that are values, and what comes after them. */
static void
put_items(struct text_out *out, const struct ir_region *region, const struct ir_ins *ins)
{
	const struct ir_op_info *info = &ir_op_info[ins->op];
	const uint32_t operand[3] = { ins->a, ins->b, ins->c };
	unsigned items = 0;

	if (info->aux == IR_AUX_SLOT) {
		put(out, "%s", comma(&items));
		put_slot(out, region, ins->aux);
	}
	for (unsigned i = 0; i < 3; i++)
		if (text_is_value(info->operands[i]))
			put(out, "%s%%%u", comma(&items), operand[i]);
	if (info->operands[2] == 'D')
		put(out, "%s%d", comma(&items), (int)(int32_t)ins->c);
	if (info->aux == IR_AUX_BIT)
		put(out, "%s%u", comma(&items), ins->aux);
	if (info->aux == IR_AUX_XLATE)
		put(out, ", %d, %d", (int)(int32_t)ins->b, (int)(int32_t)ins->c);
	if (info->aux == IR_AUX_TRAP)
		put(out, "%s%#llx", comma(&items), (unsigned long long)ins->imm);
}

static void
put_op(struct text_out *out, const struct ir_region *region, ir_ref ref)
{
	const struct ir_ins *ins = &region->ins[ref];
	const struct ir_op_info *info = &ir_op_info[ins->op];

	switch ((int)ins->op) {
	case IR_AT:
		put(out, " %lld len %u", (long long)ins->imm, ins->aux);
		return;
	case IR_CONST:
		put_const(out, ins);
		return;
	case IR_PARAM:
	case IR_PC:
		put(out, " %lld", (long long)ins->imm);
		return;
	case IR_CALL:
		put_call(out, region, ref);
		return;
	case IR_GOTO:
		put(out, " ");
		put_target(out, region, ref, 0);
		return;
	case IR_BR:
		put(out, " %%%u, ", ins->a);
		put_target(out, region, ref, 0);
		put(out, ", ");
		put_target(out, region, ref, 1);
		return;
	case IR_EXIT:
		put_exit(out, region, ref);
		return;
	}
	put_fields(out, info->aux, ins->aux);
	put_items(out, region, ins);
}

/* The state map of an op, if it has one: !{slot=%value:fixup …}. */
static void
put_map(struct text_out *out, const struct ir_region *region, ir_ref ref)
{
	bool any = false;

	for (const struct ir_map *m = region->map; m < region->map + region->map_count; m++) {
		if (m->at != ref)
			continue;
		put(out, "%s", any ? " " : " !{");
		any = true;
		put_slot(out, region, m->slot);
		put(out, "=%%%u", m->value);
		if (m->fixup)
			put(out, ":%s", m->fixup <= IR_FIX_FLAGS ? text_fixup[m->fixup] : "?");
	}
	if (any)
		put(out, "}");
}

static void
put_ins(struct text_out *out, const struct ir_region *region, ir_ref ref)
{
	const struct ir_ins *ins = &region->ins[ref];
	const struct ir_op_info *info;

	if (ins->op >= IR_OP_COUNT) {
		put(out, "?%u", ins->op);
		return;
	}
	info = &ir_op_info[ins->op];
	if (info->result != IR_R_NONE && !(info->result == IR_R_ANY && ins->type == IR_VOID))
		put(out, "%%%u = ", ref);
	put(out, "%s", info->text);
	if (text_writes_type(info) && ins->type != IR_VOID)
		put(out, ".%s", ins->type < IR_TYPE_COUNT ? ir_type_name(ins->type) : "?");
	put_op(out, region, ref);
	put_map(out, region, ref);
}

/* ---- regions ------------------------------------------------------------ */

static void
put_head(struct text_out *out, const struct ir_region *region)
{
	uint32_t insns = 0;
	int64_t bytes = 0;

	for (ir_ref i = 1; i < region->ins_count; i++) {
		const struct ir_ins *ins = &region->ins[i];

		if (ins->op != IR_AT)
			continue;
		insns++;
		if (ins->imm + ins->aux > bytes)
			bytes = ins->imm + ins->aux;
	}
	put(out, "region %#llx mode %#x", (unsigned long long)region->pc, region->mode);
	if (region->counted)
		put(out, " counted");
	if (region->bytes != bytes)
		put(out, " bytes %u", region->bytes);
	if (region->insns != insns)
		put(out, " insns %u", region->insns);
	put(out, "\n");
}

int
ir_print(const struct ir_region *region, char *buffer, size_t size)
{
	struct text_out out = { buffer, size, 0 };

	put_head(&out, region);
	for (uint32_t b = 0; b < region->block_count; b++) {
		const struct ir_block *block = &region->block[b];

		put(&out, "block %u\n", b);
		for (ir_ref ref = block->first; ref < block->first + block->count; ref++) {
			put(&out, "  ");
			put_ins(&out, region, ref);
			put(&out, "\n");
		}
	}
	return (int)out.used;
}

int
ir_print_ins(const struct ir_region *region, ir_ref ref, char *buffer, size_t size)
{
	struct text_out out = { buffer, size, 0 };

	put_ins(&out, region, ref);
	return (int)out.used;
}

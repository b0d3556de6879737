/* One op into another region. */
#include "opt/opt_impl.h"

#include <string.h>

#define IS_VALUE(letter) ((letter) != '.' && (letter) != '*' && (letter) != 'D')

unsigned
opt_operands(const struct ir_ins *ins)
{
	const char *letters = ir_op_info[ins->op].operands;

	return (unsigned)IS_VALUE(letters[0]) | (unsigned)IS_VALUE(letters[1]) << 1 | (unsigned)IS_VALUE(letters[2]) << 2;
}

void
opt_begin(struct ir_builder *b, struct ir_region *out, const struct ir_region *like, struct arena *arena)
{
	ir_build_begin(b, out, arena, like->slots, like->pc, like->mode);
	out->helpers = like->helpers;
	out->helper_count = like->helper_count;
	out->counted = like->counted;
}

ir_ref
opt_copy(struct ir_builder *b, const struct ir_region *from, ir_ref ref, const ir_ref *renamed, int32_t shift)
{
	const struct ir_ins *ins = &from->ins[ref];
	unsigned kinds = opt_operands(ins);
	ir_ref argument[3];
	const uint32_t *list;
	uint32_t count;

	switch ((int)ins->op) {
	case IR_AT:
		ir_at(b, (int32_t)ins->imm + shift, ins->aux);
		return 0;
	case IR_CONST:
		return ir_const(b, (enum ir_type)ins->type, (uint64_t)ins->imm);
	case IR_PC:
		return ir_pc(b, (int64_t)((uint64_t)ins->imm + (uint64_t)(int64_t)shift));
	case IR_CALL:
		list = ir_call_arguments(from, ref, &count);
		for (uint32_t i = 0; i < count && i < ARRAY_LEN(argument); i++)
			argument[i] = renamed[list[i]];
		return ir_call(b, (enum ir_type)ins->type, ins->aux, count, argument);
	}
	return ir_emit(b, (enum ir_op)ins->op, (enum ir_type)ins->type, ins->aux, kinds & 1 ? renamed[ins->a] : ins->a,
		       kinds & 2 ? renamed[ins->b] : ins->b, kinds & 4 ? renamed[ins->c] : ins->c);
}

void
opt_copy_exit(struct ir_builder *b, const struct ir_region *from, ir_ref ref, const ir_ref *renamed, int32_t shift)
{
	struct ir_exit out = ir_exit_of(from, ref);

	switch (out.kind) {
	case IR_EXIT_JUMP:
		ir_exit_jump(b, out.target + shift);
		break;
	case IR_EXIT_CALL:
		ir_exit_call(b, out.target + shift, out.link + shift);
		break;
	case IR_EXIT_INDIRECT:
	case IR_EXIT_ICALL:
	case IR_EXIT_RETURN:
		ir_exit_value(b, out.kind, renamed[out.value], out.link + shift);
		break;
	case IR_EXIT_TRAP:
		ir_exit_trap(b, out.trap, out.target + shift, out.link + shift);
		break;
	case IR_EXIT_LOOKUP:
		ir_exit_lookup(b, out.target + shift);
		break;
	}
}

void
opt_map(struct ir_region *r, ir_ref at, unsigned slot, enum ir_fixup fixup, ir_ref value)
{
	if (r->map_count == r->map_capacity) {
		uint32_t capacity = r->map_capacity ? 2 * r->map_capacity : 256;
		struct ir_map *map = arena_alloc(r->arena, capacity * sizeof *map);

		if (r->map_count)
			memcpy(map, r->map, r->map_count * sizeof *map);
		r->map = map;
		r->map_capacity = capacity;
	}
	r->map[r->map_count++] = (struct ir_map){ at, (uint16_t)slot, (uint8_t)fixup, value };
}

/* The builder's ends of blocks, and how they are read back.
 *
 * In the operand pool: GOTO has {block, count, arguments} at its operand a, BR
 * two of these in a row at its operand b, EXIT {target, link, value, retired}
 * at its operand a.
 */
#include "ir/build_impl.h"

#include <string.h>

static uint32_t *
target_words(uint32_t *words, uint32_t block, unsigned count, const ir_ref *arguments)
{
	words[0] = block;
	words[1] = count;
	if (count)
		memcpy(words + 2, arguments, count * sizeof *arguments);
	return words + 2 + count;
}

void
ir_goto(struct ir_builder *b, uint32_t block, unsigned count, const ir_ref *arguments)
{
	uint32_t at = build_pool(b, 2 + count);

	if (b->failed)
		return;
	target_words(&b->region->pool[at], block, count, arguments);
	build_op(b, IR_GOTO, IR_VOID, 0, at, 0, 0);
}

void
ir_br(struct ir_builder *b, ir_ref condition, uint32_t yes, uint32_t no)
{
	ir_br_with(b, condition, yes, 0, NULL, no, 0, NULL);
}

void
ir_br_with(struct ir_builder *b, ir_ref condition, uint32_t yes, unsigned yes_count,
	   const ir_ref *yes_arguments, uint32_t no, unsigned no_count, const ir_ref *no_arguments)
{
	uint32_t at = build_pool(b, 4 + yes_count + no_count);
	uint32_t *words;

	if (b->failed)
		return;
	words = target_words(&b->region->pool[at], yes, yes_count, yes_arguments);
	target_words(words, no, no_count, no_arguments);
	build_op(b, IR_BR, IR_VOID, 0, condition, at, 0);
}

uint32_t
ir_target(const struct ir_region *region, ir_ref end, unsigned which, const uint32_t **arguments,
	  uint32_t *count)
{
	const struct ir_ins *ins = &region->ins[end];
	const uint32_t *words = &region->pool[ins->op == IR_BR ? ins->b : ins->a];

	if (which)
		words += 2 + words[1];
	*count = words[1];
	*arguments = words + 2;
	return words[0];
}

/* ---- exits -------------------------------------------------------------- */

static void
make_exit(struct ir_builder *b, enum ir_exit_kind kind, enum ir_trap trap, int32_t target,
	  int32_t link, ir_ref value, uint32_t retired)
{
	uint32_t at = build_pool(b, 4);
	uint32_t *words;

	if (b->failed)
		return;
	words = &b->region->pool[at];
	words[0] = (uint32_t)target;
	words[1] = (uint32_t)link;
	words[2] = value;
	words[3] = retired;
	build_op(b, IR_EXIT, IR_VOID, (unsigned)kind | (unsigned)trap << 4, at, 0, 0);
}

void
ir_exit_jump(struct ir_builder *b, int32_t target)
{
	make_exit(b, IR_EXIT_JUMP, IR_TRAP_NONE, target, 0, 0, b->retired);
}

void
ir_exit_call(struct ir_builder *b, int32_t target, int32_t link)
{
	make_exit(b, IR_EXIT_CALL, IR_TRAP_NONE, target, link, 0, b->retired);
}

void
ir_exit_value(struct ir_builder *b, enum ir_exit_kind kind, ir_ref value, int32_t link)
{
	make_exit(b, kind, IR_TRAP_NONE, 0, link, value, b->retired);
}

/* Of the instructions that trap only a system call completes. One whose AT
 * was never made (a fetch fault) is not among the retired anyway. */
void
ir_exit_trap(struct ir_builder *b, enum ir_trap trap, int32_t at, int32_t next)
{
	bool begun = b->retired && b->at == at && trap != IR_TRAP_SYSCALL;

	make_exit(b, IR_EXIT_TRAP, trap, at, next, 0, b->retired - begun);
}

void
ir_exit_lookup(struct ir_builder *b, int32_t target)
{
	make_exit(b, IR_EXIT_LOOKUP, IR_TRAP_NONE, target, 0, 0, b->retired);
}

void
ir_exit_again(struct ir_builder *b)
{
	make_exit(b, IR_EXIT_LOOKUP, IR_TRAP_NONE, b->at, 0, 0, b->retired - 1);
}

struct ir_exit
ir_exit_of(const struct ir_region *region, ir_ref ref)
{
	const struct ir_ins *ins = &region->ins[ref];
	const uint32_t *words = &region->pool[ins->a];

	return (struct ir_exit){
		.kind = (enum ir_exit_kind)(ins->aux & 15),
		.trap = (enum ir_trap)(ins->aux >> 4),
		.target = (int32_t)words[0],
		.link = (int32_t)words[1],
		.value = words[2],
		.retired = words[3],
	};
}

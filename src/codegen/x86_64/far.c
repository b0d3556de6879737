/* Jumps of a system VM to other pages. Code lies where frame->page says, and what
 * is mapped behind the end of a page is not known when code is made. So such a
 * jump asks the jump table; but where one large mapping has both pages (job->super)
 * it is chained as within a page, and frame->page moves along.
 *
 * The last bytes of a page may be the head of an instruction that straddles into
 * the next; a jump there asks the table too, for that instruction is as valid as
 * both mappings. */
#include "codegen/x86_64/gen.h"

enum { LONGEST_INSN = 16, SUPER_PAGE = 2 << 20 };

/* A guest PC masked so selects an entry: times 8 it is its offset. */
#define FAR_MASK ((IR_FAR_TABLE_SIZE - 1) << 1)
_Static_assert(sizeof(struct ir_jump) == 16, "twice 8");

/* Of the target, from the start of the region's page. */
static int64_t
offset_of(const struct gen *g, int32_t target)
{
	return (int64_t)(g->region->pc % IR_TLB_PAGE) + target;
}

/* What frame->page moves by. */
static int32_t
distance(const struct gen *g, int32_t target)
{
	return (int32_t)(offset_of(g, target) & -(int64_t)IR_TLB_PAGE);
}

enum reach
far_reach(const struct gen *g, int32_t target)
{
	int64_t block = (int64_t)(g->region->pc % SUPER_PAGE) + target;

	if (!g->job->system)
		return REACH_NEAR;
	if (g->job->super && block >= 0 && block <= SUPER_PAGE - LONGEST_INSN)
		return distance(g, target) ? REACH_PAGE : REACH_NEAR;
	if (offset_of(g, target) >= 0 && offset_of(g, target) <= (int64_t)IR_TLB_PAGE - LONGEST_INSN)
		return REACH_NEAR;
	return REACH_FAR;
}

void
far_move(const struct gen *g, struct x86_asm *a, int32_t target, bool back)
{
	x86_alu_mi(a, back ? X86_SUB : X86_ADD, 8, FRAME(page), distance(g, target));
}

void
far_address(const struct gen *g, struct x86_asm *a, int reg, int32_t target)
{
	int64_t offset = offset_of(g, target);

	x86_mov_rm(a, 8, reg, FRAME(page));
	x86_alu_ri(a, X86_AND, 8, reg, -(int32_t)IR_TLB_PAGE);
	x86_lea(a, 8, reg, x86_base(reg, (int32_t)offset));
}

struct x86_mem
far_host(void)
{
	return x86_index(RCX, RAX, 3, (int32_t)offsetof(struct ir_jump, host));
}

uint8_t *
far_probe(struct x86_asm *a, int pc)
{
	uint8_t *miss;

	x86_mov_rr(a, 4, RAX, pc);
	x86_alu_ri(a, X86_AND, 4, RAX, FAR_MASK);
	x86_mov_rm(a, 8, RCX, FRAME(far));
	x86_alu_rm(a, X86_CMP, 8, pc, x86_index(RCX, RAX, 3, (int32_t)offsetof(struct ir_jump, pc)));
	miss = x86_jcc_forward(a, X86_CC_NE);
	x86_mov_mr(a, 8, FRAME(page), pc);
	return miss;
}

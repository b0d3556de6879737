/* Conditional branches, for the lifters of all guests.
 *
 * A region is one trunk. A conditional branch leaves it through a block that is
 * an exit alone and else goes on in the next block, so that what is known of
 * the slots stays known.
 */
#ifndef GUEST_BRANCH_H
#define GUEST_BRANCH_H

#include "ir/ir.h"

/* Leaves to the delta target if cond is not zero, else goes on at next; cond may
 * be a constant. *join is the nearest place ahead that a branch goes to. With
 * single_block the region ends either way. Returns whether it has ended. */
bool guest_branch(struct ir_builder *b, ir_ref cond, int32_t target, int32_t next, int32_t *join,
		  bool single_block);

#endif

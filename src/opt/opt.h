/* opt/: regions of several blocks, made of what guests' lifters make, and made
 * better. A pass is a function from one region to a new one; each states what
 * it requires and keeps.
 *
 *   join.c      pieces of one loop become one region
 *   promote.c   slots become SSA values with block parameters and state maps
 *   clean.c     folding, value numbering, invariants out of loops
 *   copy.c      one op into another region, for the passes
 *
 * All regions here pass ir_verify, and the evaluator runs the joined one: it is
 * the oracle for what is made of it.
 */
#ifndef OPT_OPT_H
#define OPT_OPT_H

#include "ir/ir.h"

/* Joins regions lifted one by one (under one mode, by one guest) into one whose
 * entry is that of piece[0]: a jump out of one to the entry of another becomes
 * an edge. An instruction that leaves in other ways (call, return, trap) is jumped
 * to, out of the region. Requires that no piece lies before piece[0] in guest
 * memory. False: it is too large. */
bool opt_join(struct ir_region *out, struct arena *arena, const struct ir_region *const *piece, unsigned count);

/* Makes the slots values. Requires a first block that nothing jumps to. What
 * comes of it has GETs in the first block only (of each slot that has a boundary
 * register, is read, or is set), no SETs, and state maps at
 *
 *   - each op that may fault, and each that computes in floating point: the state
 *     before its guest instruction;
 *   - each EXIT;
 *   - each GOTO back to a loop's head: the state there, for safepoints. The
 *     instruction of the last AT on the way there may be done again.
 *
 * A slot that a map does not name holds what it held at entry. The blocks are in
 * reverse postorder. False: something in it touches state in other ways (helper
 * calls, linked loads, aliased slots), or sets it before it may leave. */
bool opt_promote(struct ir_region *out, const struct ir_region *in, struct arena *arena);

/* Requires and keeps a promoted region. Parameters that are always one value go,
 * pure ops are folded, equal ones merged where one dominates the other, those
 * whose operands do not change in the region come to its first block. False: it
 * is too large. */
bool opt_clean(struct ir_region *out, const struct ir_region *in, struct arena *arena);

#endif

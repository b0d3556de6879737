/* What the makers of the guests' decoder tables share: pictures of encodings,
 * and the decision tree over them.
 *
 * The tree: a node is a bit field that selects a child, which is a node or a
 * leaf; a leaf is a list of patterns, most special first, of which the first
 * that matches is meant. The first nodes are roots, which the decoder picks by
 * bits that the caller names; a root is always a node, if need be of no bits, so
 * that the decoder takes the same path for most instructions. Nodes, children and
 * leaves are numbers, not pointers, so the tables need no relocation. Where a
 * pattern does not fix the bits that a node looks at, it stands under several
 * children.
 */
#ifndef TOOLS_DECODE_TREE_H
#define TOOLS_DECODE_TREE_H

#include <stdbool.h>
#include <stdint.h>

struct picture {
	const char *text; /* as in insns.def */
	uint32_t match, mask;
	unsigned bits;    /* 16 or 32 */
	unsigned rank;    /* where two overlap, the higher is meant */
};

/* Says what is wrong where in insns.def, and ends the program. */
_Noreturn void die(const char *where, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Copies a picture without blanks, so that element n is bit n of the
 * instruction. Returns the number of bits. */
unsigned picture_bits(const char *text, char bits[32]);

/* Fills in match, mask, bits, and as rank the number of fixed bits. */
void picture_parse(struct picture *picture);

/* The pictures, most special first; dies when two overlap and neither is more
 * special. They stay borrowed until tree_print. */
void tree_begin(struct picture *const *pictures, unsigned count, unsigned roots);

/* Builds root number `root`, for instructions of so many bits that have these
 * under mask; without picture number `n` if leave_out(n, root) says so (NULL:
 * with all). */
void tree_root(unsigned root, unsigned bits, uint32_t fixed, uint32_t mask,
	       bool (*leave_out)(unsigned number, unsigned root));

/* Prints the arrays children, lists and nodes of src/guest/decode.h. */
void tree_print(void);

#endif

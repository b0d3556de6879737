/* What the guests' decoders share: the tables that tools/decode_tree.c makes of an
 * instruction table, and the way through them.
 *
 * A root, nodes until a leaf, then the leaf's patterns in order. Pattern 0 is
 * "illegal"; who numbers the others says so. The tables hold no addresses: they
 * stay in clean, shared pages.
 */
#ifndef GUEST_DECODE_H
#define GUEST_DECODE_H

#include "base/base.h"

enum { DECODE_LEAF = 0x8000, DECODE_LAST = 0x8000 };

struct pattern {
	uint32_t match, mask;
	uint16_t op, format;
};

struct node {
	uint16_t base;
	uint8_t shift, mask;
};

/* Number of the pattern that these bits have, 0 if none. */
static inline unsigned
decode_find(const struct node *nodes, const uint16_t *children, const uint16_t *lists,
	    const struct pattern *patterns, unsigned root, uint32_t bits)
{
	const uint16_t *list;
	unsigned ref = root;

	do {
		const struct node *node = &nodes[ref];

		ref = children[node->base + (bits >> node->shift & node->mask)];
	} while (UNLIKELY(!(ref & DECODE_LEAF)));
	for (list = &lists[ref & ~(unsigned)DECODE_LEAF];; list++) {
		unsigned number = *list & ~(unsigned)DECODE_LAST;

		if (LIKELY((bits & patterns[number].mask) == patterns[number].match))
			return number;
		if (*list & DECODE_LAST)
			return 0;
	}
}

#endif

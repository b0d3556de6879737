/* Pointer chase through a random cycle (256 KB: the second-level cache) and
 * walks of a binary tree: dependent loads, branches on data.
 * class: integer
 */
#include "kernel.h"

#define NODES 8192

struct node {
	struct node *next, *left, *right;
	uint64_t key;
};

static struct node nodes[NODES];
static uint32_t order[NODES];

static void
insert(struct node *root, struct node *new)
{
	for (struct node **at = &root;;) {
		if (!*at) {
			*at = new;
			return;
		}
		at = new->key < (*at)->key ? &(*at)->left : &(*at)->right;
	}
}

static uint64_t
find(const struct node *node, uint64_t key)
{
	uint64_t depth = 0;

	while (node && node->key != key) {
		node = key < node->key ? node->left : node->right;
		depth++;
	}
	return depth;
}

int
main(int argc, char **argv)
{
	uint64_t random = 11, sum = 0;

	for (uint32_t i = 0; i < NODES; i++)
		order[i] = i;
	for (uint32_t i = NODES - 1; i; i--) {
		uint32_t j = kernel_random(&random) % (i + 1), t = order[i];

		order[i] = order[j];
		order[j] = t;
	}
	for (uint32_t i = 0; i < NODES; i++) {
		nodes[order[i]].next = &nodes[order[(i + 1) % NODES]];
		nodes[order[i]].key = kernel_random(&random);
		if (i)
			insert(&nodes[order[0]], &nodes[order[i]]);
	}
	for (long n = kernel_rounds(argc, argv, 1000); n > 0; n--) {
		const struct node *p = nodes;

		for (uint32_t i = 0; i < NODES * 40; i++)
			p = p->next;
		for (uint32_t i = 0; i < 4096; i++)
			sum += find(&nodes[order[0]], nodes[kernel_random(&random) % NODES].key);
		sum = kernel_mix(sum, p->key);
	}
	return kernel_done(sum);
}

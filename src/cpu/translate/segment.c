/* Code memory: segments, and who may change what after fork.
 *
 * At fork both sides keep running the same code memory. Code that was there is
 * sealed: before either side changes it, it takes a copy of its own. Memory
 * beyond belongs to the parent, which goes on growing its segments; the child
 * starts new ones. So a child that only runs and execs costs nothing, nor does
 * a shell that forks again and again.
 */
#include "cpu/translate/translate.h"

#include "host/populate.h"

#define CHUNK (64u << 10) /* of memory that the host is asked for; and before less than */
#define LEFT (8u << 10)   /* this much is left */
#define WANTED_ENOUGH 64u /* misses of sealed exits that pay for a copy */

void
segment_ahead(struct translator *t, uint32_t index)
{
	struct segment *segment = &t->segment[index];
	uint8_t *w = t->memory.w + (size_t)index * SEGMENT_SIZE;

	if (t->bulk)
		return;
	while (segment->hot + LEFT > segment->ready_hot && segment->ready_hot < SEGMENT_COLD) {
		host_populate(w + segment->ready_hot, CHUNK);
		segment->ready_hot += CHUNK;
	}
	while (segment->cold + LEFT > segment->ready_cold && segment->ready_cold < SEGMENT_SIZE) {
		host_populate(w + segment->ready_cold, CHUNK);
		segment->ready_cold += CHUNK;
	}
}

void
table_ahead(const struct translator *t, uint8_t **ready, const void *next)
{
	const uint8_t *end = t->tables + t->tables_size - CHUNK;

	if ((const uint8_t *)next + LEFT <= *ready || t->bulk || *ready >= end)
		return;
	host_populate(*ready, CHUNK);
	*ready += CHUNK;
}

static uint32_t
segment_new(struct translator *t)
{
	uint32_t index = t->segment_next;
	size_t at = (size_t)index * SEGMENT_SIZE;
	struct segment *segment = &t->segment[index];

	if (index >= t->segment_limit || code_memory_map(&t->memory, at, SEGMENT_SIZE))
		return SEGMENT_NONE;
	*segment = (struct segment){ .hot = SEGMENT_HEAD, .cold = SEGMENT_COLD, .mapped = true,
				     .ready_cold = SEGMENT_COLD };
	if (t->bulk)
		host_populate(t->memory.w + at, SEGMENT_SIZE);
	else
		segment_ahead(t, index);
	t->segment_next++;
	return index;
}

/* The segment's number for the anchor, a new one if there is room; anchors are
 * written once, and what the other side of a fork does not know it does not use. */
static bool
anchor_in(struct translator *t, uint32_t index, uint64_t anchor, uint8_t *number)
{
	struct segment *segment = &t->segment[index];
	uint32_t i = 0;

	while (i < segment->anchors && segment->anchor[i] != anchor)
		i++;
	if (i == SEGMENT_ANCHORS)
		return false;
	if (i == segment->anchors) {
		((uint64_t *)(void *)(t->memory.w + (size_t)index * SEGMENT_SIZE))[i] = anchor;
		segment->anchor[segment->anchors++] = anchor;
	}
	*number = (uint8_t)i;
	return true;
}

uint32_t
segment_for(struct translator *t, uint64_t anchor, uint8_t *number)
{
	uint32_t index;

	for (uint32_t i = t->segment_next; --i > 0;)
		if (!t->segment[i].full && !t->segment[i].sealed && anchor_in(t, i, anchor, number))
			return i;
	index = segment_new(t);
	if (index != SEGMENT_NONE)
		anchor_in(t, index, anchor, number);
	return index;
}

bool
segment_unseal(struct translator *t, uint32_t offset, bool eager)
{
	uint32_t index = offset / SEGMENT_SIZE, inside = offset % SEGMENT_SIZE;
	struct segment *segment = &t->segment[index];
	struct code_span used[] = { { 0, segment->hot },
				    { SEGMENT_COLD, segment->cold - SEGMENT_COLD } };

	if (inside >= (inside < SEGMENT_COLD ? segment->seal_hot : segment->seal_cold))
		return true;
	if (!eager && ++segment->wanted < WANTED_ENOUGH)
		return false;
	if (code_memory_own(&t->memory, (size_t)index * SEGMENT_SIZE, SEGMENT_SIZE, used, ARRAY_LEN(used)))
		return false;
	segment->seal_hot = segment->seal_cold = segment->wanted = 0;
	segment->sealed = false;
	return true;
}

/* Memory stays until segment_new replaces it. */
void
segment_reset(struct translator *t)
{
	for (uint32_t i = 1; i < t->segment_next; i++)
		t->segment[i] = (struct segment){ 0 };
	t->segment_next = 1;
}

void
translator_fork(struct cpu_space *space, bool child)
{
	struct translator *t = space->cache->translator;

	for (uint32_t i = 1; i < t->segment_next; i++) {
		struct segment *segment = &t->segment[i];

		segment->seal_hot = segment->hot;
		segment->seal_cold = segment->cold;
		segment->wanted = 0;
		segment->sealed |= child;
	}
	if (child) /* what is there is the parent's to save */
		t->saved = t->region_count;
}

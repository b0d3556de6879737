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

#define WANTED_ENOUGH 64u /* misses of sealed exits that pay for a copy */

static bool
reaches(uint64_t anchor, uint64_t pc)
{
	return pc - anchor + REACH < 2 * REACH;
}

static uint32_t
segment_new(struct translator *t, uint64_t anchor)
{
	uint32_t index = t->segment_next;
	size_t at = (size_t)index * SEGMENT_SIZE;
	struct segment *segment = &t->segment[index];

	if (index >= t->segment_limit || code_memory_map(&t->memory, at, SEGMENT_SIZE))
		return SEGMENT_NONE;
	*segment = (struct segment){ .anchor = anchor, .hot = SEGMENT_HEAD, .cold = SEGMENT_COLD,
				     .mapped = true };
	if (t->bulk)
		host_populate(t->memory.w + at, SEGMENT_SIZE);
	*(uint64_t *)(void *)(t->memory.w + at) = anchor;
	t->segment_next++;
	return index;
}

uint32_t
segment_for(struct translator *t, uint64_t pc, uint64_t anchor)
{
	for (uint32_t i = t->segment_next; --i > 0;) {
		const struct segment *segment = &t->segment[i];

		if (!segment->full && !segment->sealed && reaches(segment->anchor, pc))
			return i;
	}
	return segment_new(t, reaches(anchor, pc) ? anchor : align_down(pc, GUEST_PAGE));
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
}

/* Jump tables: where indirect jumps, and direct ones to other pages, find their
 * region. There is a table for each of the contexts that ran of late; it holds
 * code of that context as it is now, so that a probe compares the PC alone. */
#include "cpu/system/system.h"

#include "cpu/translate/translate.h"

struct jump_table {
	struct ir_jump entry[IR_FAR_TABLE_SIZE]; /* first: frame->far */
	struct context *context; /* whose it is */
	/* indices of entries that may not be empty, each at most once */
	unsigned count;
	uint16_t index[IR_FAR_TABLE_SIZE];
	uint64_t listed[IR_FAR_TABLE_SIZE / 64];
};
_Static_assert(IR_FAR_TABLE_SIZE <= 65536, "index");

static struct jump_table *
table_new(void)
{
	struct jump_table *table = pages_alloc(sizeof *table);

	if (!table)
		fatal("out of host memory for a jump table");
	table->entry[0].pc = IR_JUMP_EMPTY;
	return table;
}

static void
table_clear(struct jump_table *table)
{
	for (unsigned i = 0; i < table->count; i++) {
		unsigned index = table->index[i];

		__atomic_store_n(&table->entry[index].pc, IR_JUMP_EMPTY, __ATOMIC_RELAXED);
		table->listed[index / 64] = 0;
	}
	table->count = 0;
}

void
jumps_clear(const struct context *context)
{
	if (context->jumps)
		table_clear(context->jumps);
}

/* One that no context has, or the one that was used longest ago. */
static struct jump_table *
table_take(struct cpu_system *s)
{
	struct jump_table **oldest = &s->jumps[0];

	for (unsigned i = 0; i < JUMP_TABLES; i++) {
		if (!s->jumps[i]) {
			/* See jumps_fill: whoever kills a region must find it. */
			__atomic_store_n(&s->jumps[i], table_new(), __ATOMIC_SEQ_CST);
			return s->jumps[i];
		}
		if (s->jumps[i]->context->used < (*oldest)->context->used)
			oldest = &s->jumps[i];
	}
	table_clear(*oldest);
	(*oldest)->context->jumps = NULL;
	return *oldest;
}

void
jumps_select(struct cpu_system *s)
{
	struct context *context = s->context;

	if (UNLIKELY(!context->jumps)) {
		context->jumps = table_take(s);
		context->jumps->context = context;
	}
	s->vcpu->frame->far = context->jumps->entry;
}

/* Whoever kills the region marks it first and searches the tables then: the
 * entry is found there, or the mark here. */
void
jumps_fill(struct cpu_system *s, const struct region *region)
{
	struct jump_table *table = s->context->jumps;
	unsigned index = (s->vcpu->frame->pc >> 1) % IR_FAR_TABLE_SIZE;
	struct ir_jump *entry = &table->entry[index];
	uint64_t bit = UINT64_C(1) << (index % 64);

	if (!(table->listed[index / 64] & bit)) {
		table->listed[index / 64] |= bit;
		table->index[table->count++] = (uint16_t)index;
	}
	__atomic_store_n(&entry->pc, IR_JUMP_EMPTY, __ATOMIC_RELAXED);
	__atomic_store_n(&entry->host, (void *)(uintptr_t)region_entry(translator_of(s->vcpu), region),
			 __ATOMIC_RELEASE);
	__atomic_store_n(&entry->pc, s->vcpu->frame->pc, __ATOMIC_SEQ_CST);
	if (UNLIKELY(__atomic_load_n(&region->state, __ATOMIC_SEQ_CST) != REGION_LIVE))
		__atomic_store_n(&entry->pc, IR_JUMP_EMPTY, __ATOMIC_RELAXED);
}

/* Guest addresses agree with physical ones in the offset in page, so there are a
 * few places where the entry may be. Its thread probes meanwhile: the key alone is
 * cleared, and one that it fills just now loses at worst its entry. */
void
system_jumps_forget(struct vcpu *vcpu, const void *host, uint64_t pc)
{
	enum { PER_PAGE = GUEST_PAGE / 2 };

	for (unsigned i = 0; i < JUMP_TABLES; i++) {
		struct jump_table *table = __atomic_load_n(&system_of(vcpu)->jumps[i], __ATOMIC_SEQ_CST);

		for (unsigned at = pc % GUEST_PAGE / 2; table && at < IR_FAR_TABLE_SIZE; at += PER_PAGE) {
			struct ir_jump *entry = &table->entry[at];

			if (__atomic_load_n(&entry->host, __ATOMIC_RELAXED) == host)
				__atomic_store_n(&entry->pc, IR_JUMP_EMPTY, __ATOMIC_SEQ_CST);
		}
	}
}

void
jumps_fini(struct cpu_system *s)
{
	for (unsigned i = 0; i < JUMP_TABLES; i++)
		if (s->jumps[i])
			pages_free(s->jumps[i], sizeof *s->jumps[i]);
}

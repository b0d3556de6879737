/* What takes entries of soft TLBs and numbers of contexts away. */
#include "cpu/system/system.h"

#include <assert.h>

#define PAGES_ONE_BY_ONE 64u

/* ---- sets of large mappings -------------------------------------------------- */

unsigned
span_log2(uint64_t size)
{
	static const uint8_t rounded[SPAN_SIZES] = { 16, 21, 30, 39, 63 };
	unsigned log2 = 63 - (unsigned)__builtin_clzll(size), i = 0;

	if (size <= IR_TLB_PAGE)
		return log2;
	while (rounded[i] < log2)
		i++;
	return rounded[i];
}

void
span_add(struct span_set *set, uint64_t address, unsigned log2)
{
	uint64_t block = address >> log2;
	unsigned i = 0, bit = set_hash(block, SPAN_BITS);

	while (i < set->sizes && set->size[i].log2 != log2)
		i++;
	if (i == set->sizes) {
		assert(set->sizes < SPAN_SIZES);
		set->size[set->sizes].log2 = (uint8_t)log2;
		set->size[set->sizes++].least = UINT64_MAX;
	}
	if (block < set->size[i].least)
		set->size[i].least = block;
	if (block > set->size[i].most)
		set->size[i].most = block;
	set->size[i].bit[bit / 64] |= UINT64_C(1) << (bit % 64);
}

/* Whether a large mapping may cover the address. */
static bool
span_has(const struct span_set *set, uint64_t address)
{
	for (unsigned i = 0; i < set->sizes; i++) {
		uint64_t block = address >> set->size[i].log2;
		unsigned bit = set_hash(block, SPAN_BITS);

		if (block >= set->size[i].least && block <= set->size[i].most &&
		    (set->size[i].bit[bit / 64] >> (bit % 64) & 1))
			return true;
	}
	return false;
}

static void
span_clear(struct span_set *set)
{
	if (set->sizes)
		*set = (struct span_set){ 0 };
}

/* ---- views -------------------------------------------------------------------- */

static void
drop(struct ir_tlb *entry)
{
	entry->read = entry->write = IR_TLB_NONE;
	entry->physical = 0;
}

static void
log_empty(struct tlb_view *view, struct tlb_log *log, bool global)
{
	for (unsigned i = 0; i < log->count; i++) {
		unsigned index = log->index[i];

		if ((view->entry[index].physical & TLB_GLOBAL) == global)
			drop(&view->entry[index]);
		log->listed[index / 64] = 0;
	}
	log->count = 0;
}

/* global: global entries as well. */
void
view_empty(struct tlb_view *view, bool global)
{
	log_empty(view, &view->own, false);
	if (!global)
		return;
	log_empty(view, &view->global, true);
	span_clear(&view->spans);
}

static bool
covers(const struct ir_tlb *entry, uint64_t address)
{
	uint64_t page = entry->read & 1 ? entry->write : entry->read;

	return !(page & 1) && !((page ^ address) >> (entry->physical >> TLB_SPAN & 63));
}

static void
drop_covering(struct tlb_view *view, const struct tlb_log *log, uint64_t address, bool global)
{
	for (unsigned i = 0; i < log->count; i++) {
		struct ir_tlb *entry = &view->entry[log->index[i]];

		if (covers(entry, address) && (global || !(entry->physical & TLB_GLOBAL)))
			drop(entry);
	}
}

static void
view_drop(struct tlb_view *view, uint64_t address, bool global)
{
	struct ir_tlb *entry = &view->entry[address / IR_TLB_PAGE % IR_TLB_SIZE];

	if (span_has(&view->spans, address)) {
		drop_covering(view, &view->own, address, global);
		if (global)
			drop_covering(view, &view->global, address, true);
	} else if (covers(entry, address) && (global || !(entry->physical & TLB_GLOBAL))) {
		drop(entry);
	}
}

/* ---- contexts ------------------------------------------------------------------ */

static bool
context_relies(const struct context *context, uint64_t address)
{
	unsigned bit = set_hash(address / IR_TLB_PAGE, CONTEXT_PAGES);

	return context->filled && ((context->page[bit / 64] >> (bit % 64) & 1) || span_has(&context->spans, address));
}

/* ---- flushes ------------------------------------------------------------------- */

static bool
concerns_view(const struct cpu_flush *flush, const struct tlb_view *view)
{
	return view && (!flush->asid_only || view->asid == flush->asid);
}

static bool
concerns_context(const struct cpu_flush *flush, const struct context *context)
{
	if (!context->number || !context->filled)
		return false;
	return context->own ? !flush->asid_only || context->asid == flush->asid : flush->global;
}

/* One page, or all when !one. */
static void
flush_page(struct cpu_system *s, const struct cpu_flush *flush, bool one, uint64_t address)
{
	for (unsigned i = 0; i < GUEST_REGIMES + PRIVATE_VIEWS; i++) {
		struct tlb_view *view = i < GUEST_REGIMES ? s->shared[i] : s->private[i - GUEST_REGIMES];

		if (!concerns_view(flush, view))
			continue;
		sites_forget(s, view);
		if (one)
			view_drop(view, address, flush->global);
		else
			view_empty(view, flush->global);
	}
	for (unsigned i = 0; i < CONTEXTS; i++) {
		struct context *context = &s->contexts[i];

		if (concerns_context(flush, context) && (!one || context_relies(context, address)))
			context_renew(s, context);
	}
}

void
system_flush(struct cpu_system *s, const struct cpu_flush *flush)
{
	uint64_t first = align_down(flush->start, IR_TLB_PAGE), pages;

	if (!flush->translations)
		return;
	pages = (flush->start % IR_TLB_PAGE + flush->size + IR_TLB_PAGE - 1) / IR_TLB_PAGE;
	if (!flush->size || flush->size > UINT64_C(1) << 32 || pages > PAGES_ONE_BY_ONE) {
		flush_page(s, flush, false, 0);
		return;
	}
	for (uint64_t i = 0; i < pages; i++)
		flush_page(s, flush, true, first + i * IR_TLB_PAGE);
}

void
system_forget(struct cpu_system *s)
{
	static const struct cpu_flush all = { .translations = true, .global = true };

	s->ram_size = 0;
	system_flush(s, &all);
	for (unsigned i = 0; i < CONTEXTS; i++)
		if (s->contexts[i].number)
			context_renew(s, &s->contexts[i]);
}

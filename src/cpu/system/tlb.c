/* Soft TLBs: views and their filling. */
#include "cpu/system/system.h"

#include "host/populate.h"

#include <string.h>

#define ASK_BYTES (UINT64_C(64) << 10)

static struct tlb_view *
view_new(unsigned regime, uint32_t asid)
{
	struct tlb_view *view = pages_alloc(sizeof *view);
	struct ir_tlb *entry = pages_alloc(IR_TLB_SIZE * sizeof *entry);

	if (!view || !entry)
		fatal("out of host memory for a soft TLB");
	/* Of zeroed entries only the first could hit. */
	entry[0].read = entry[0].write = IR_TLB_NONE;
	view->entry = entry;
	view->regime = regime;
	view->asid = asid;
	return view;
}

static struct tlb_view *
view_private(struct cpu_system *s, unsigned regime, uint32_t asid)
{
	struct tlb_view **oldest = &s->private[0];

	for (unsigned i = 0; i < PRIVATE_VIEWS; i++) {
		struct tlb_view *view = s->private[i];

		if (!view)
			return s->private[i] = view_new(regime, asid);
		if (view->regime == regime && view->asid == asid)
			return view;
		if (view->used < (*oldest)->used)
			oldest = &s->private[i];
	}
	sites_forget(s, *oldest);
	view_empty(*oldest, true);
	(*oldest)->regime = regime;
	(*oldest)->asid = asid;
	return *oldest;
}

void
sites_forget(struct cpu_system *s, const struct tlb_view *view)
{
	struct ir_frame *frame = s->vcpu->frame;
	uint64_t used;

	if (!view || view != s->sites)
		return;
	for (unsigned i = 0; i < sizeof frame->site_used; i += sizeof used) {
		memcpy(&used, &frame->site_used[i], sizeof used);
		if (!used)
			continue;
		memset(&frame->site_used[i], 0, sizeof used);
		for (unsigned j = i * IR_SITE_GROUP; j < (i + sizeof used) * IR_SITE_GROUP; j++)
			frame->site[j].limit = 0;
	}
}

void
sites_select(struct cpu_system *s)
{
	if (LIKELY(s->sites == s->view))
		return;
	sites_forget(s, s->sites);
	s->sites = s->view;
}

void
tlb_select(struct cpu_system *s, unsigned regime, uint32_t asid)
{
	struct tlb_view *view;

	if (s->guest->private_regimes >> regime & 1) {
		view = view_private(s, regime, asid);
	} else {
		if (!s->shared[regime])
			s->shared[regime] = view_new(regime, asid);
		view = s->shared[regime];
		if (view->asid != asid) {
			sites_forget(s, view);
			view_empty(view, false);
			view->asid = asid;
		}
	}
	view->used = ++s->clock;
	s->view = view;
	s->regime = regime;
	s->asid = asid;
	s->vcpu->frame->tlb = view->entry;
}

void
tlb_fini(struct cpu_system *s)
{
	for (unsigned i = 0; i < GUEST_REGIMES + PRIVATE_VIEWS; i++) {
		struct tlb_view *view = i < GUEST_REGIMES ? s->shared[i] : s->private[i - GUEST_REGIMES];

		if (!view)
			continue;
		pages_free(view->entry, IR_TLB_SIZE * sizeof *view->entry);
		pages_free(view, sizeof *view);
	}
}

/* ---- physical pages --------------------------------------------------------- */

uint8_t *
tlb_ram(struct cpu_system *s, uint64_t page, uint8_t **flags)
{
	const struct memory_region *region;

	if (page - s->ram_start >= s->ram_size) {
		region = memory_find_ram(s->memory, page);
		if (!region || !region->writable || !region->flags)
			return NULL;
		s->ram_start = region->start;
		s->ram_size = region->size;
		s->ram_host = region->host;
		s->ram_flags = region->flags;
	}
	*flags = s->ram_flags + (page - s->ram_start) / MEMORY_PAGE;
	return s->ram_host + (page - s->ram_start);
}

/* After this the page of RAM may be written until the next safepoint: system.h,
 * Writes. False: it got translations again meanwhile, so no entry may say so. */
static bool
may_write(struct cpu_system *s, uint64_t page, uint8_t *flags)
{
	uint8_t seen;

	__atomic_fetch_or(flags, MEMORY_PAGE_WRITABLE, __ATOMIC_SEQ_CST);
	seen = __atomic_load_n(flags, __ATOMIC_SEQ_CST);
	if (LIKELY(!(seen & (MEMORY_PAGE_CODE | MEMORY_PAGE_CLEAN))))
		return true;
	if (seen & MEMORY_PAGE_CLEAN)
		__atomic_fetch_and(flags, (uint8_t)~MEMORY_PAGE_CLEAN, __ATOMIC_SEQ_CST);
	if (seen & MEMORY_PAGE_CODE)
		cpu_invalidate(s->vcpu->space, page, page + MEMORY_PAGE);
	return !(__atomic_load_n(flags, __ATOMIC_SEQ_CST) & (MEMORY_PAGE_CODE | MEMORY_PAGE_CLEAN));
}

/* A guest that writes to a page will write to its neighbours. */
static void
ask_around(struct cpu_system *s, uint64_t page, uint8_t *flags)
{
	uint64_t first = align_down(page, ASK_BYTES);
	uint8_t *asked = flags - (page - first) / MEMORY_PAGE;

	if (first < s->ram_start || first + ASK_BYTES > s->ram_start + s->ram_size ||
	    LIKELY(__atomic_load_n(asked, __ATOMIC_RELAXED) & MEMORY_PAGE_ASKED))
		return;
	__atomic_fetch_or(asked, MEMORY_PAGE_ASKED, __ATOMIC_SEQ_CST);
	host_populate(s->ram_host + (first - s->ram_start), ASK_BYTES);
}

/* ---- entries ---------------------------------------------------------------- */

static void
log_add(struct tlb_log *log, unsigned index)
{
	uint64_t bit = UINT64_C(1) << (index % 64);

	if (log->listed[index / 64] & bit)
		return;
	log->listed[index / 64] |= bit;
	log->index[log->count++] = (uint16_t)index;
}

static struct ir_tlb *
entry_of(const struct tlb_view *view, uint64_t address)
{
	return &view->entry[address / IR_TLB_PAGE % IR_TLB_SIZE];
}

/* A new entry, which allows nothing yet. */
static struct ir_tlb *
entry_new(struct cpu_system *s, uint64_t address, const struct guest_walk *walk, const uint8_t *host)
{
	struct tlb_view *view = s->view;
	unsigned index = address / IR_TLB_PAGE % IR_TLB_SIZE;
	struct ir_tlb *entry = &view->entry[index];
	uint64_t page = align_down(address, IR_TLB_PAGE);
	uint64_t span = walk->span > walk->page ? walk->span : walk->page;
	unsigned log2 = span_log2(span);

	entry->read = entry->write = IR_TLB_NONE;
	entry->addend = (uint64_t)(uintptr_t)host - page;
	entry->physical = align_down(walk->physical, IR_TLB_PAGE) | (walk->global ? TLB_GLOBAL : 0) |
			  (uint64_t)walk->allowed << TLB_ALLOWED | (uint64_t)log2 << TLB_SPAN;
	log_add(walk->global ? &view->global : &view->own, index);
	if (span > IR_TLB_PAGE)
		span_add(&view->spans, page, log2);
	return entry;
}

/* No entry serves the access: the walk. */
static bool
access_slowly(struct cpu_system *s, uint64_t address, unsigned size, enum guest_access access, uint8_t **host,
	      uint64_t *physical)
{
	uint64_t page = align_down(address, IR_TLB_PAGE), physical_page;
	struct ir_tlb *entry = entry_of(s->view, address);
	bool known = access == GUEST_WRITE && entry->read == page &&
		     entry->physical >> TLB_ALLOWED & GUEST_WRITE;
	struct guest_walk walk = { .page = IR_TLB_PAGE };
	uint8_t *ram, *flags;
	bool writable;

	if (known)
		walk.physical = align_down(entry->physical, IR_TLB_PAGE) + address % IR_TLB_PAGE;
	else if (!s->guest->walk(s->vcpu->frame, address, size, access, s->regime, &walk, &s->fault))
		return false;
	physical_page = align_down(walk.physical, IR_TLB_PAGE);
	*physical = walk.physical;
	*host = NULL;
	ram = tlb_ram(s, physical_page, &flags);
	if (!ram) {
		ram = access == GUEST_WRITE ? NULL : memory_ram(s->memory, physical_page, IR_TLB_PAGE, false);
		if (!ram) /* a device, or nothing: the access will show */
			return true;
	} else if (access == GUEST_WRITE && UNLIKELY(__atomic_load_n(flags, __ATOMIC_RELAXED) & MEMORY_PAGE_WATCHED)) {
		return true; /* stores one by one, as to a device */
	}
	*host = ram + address % IR_TLB_PAGE;
	writable = access == GUEST_WRITE && may_write(s, physical_page, flags);
	if (writable)
		ask_around(s, physical_page, flags);
	/* With force_faults nothing is kept: every access leaves translated code. */
	if (walk.page < IR_TLB_PAGE || UNLIKELY(s->vcpu->options->force_faults))
		return true;
	if (!known)
		entry = entry_new(s, address, &walk, ram);
	if (walk.allowed & GUEST_READ)
		entry->read = page;
	if (writable)
		entry->write = page;
	return true;
}

bool
tlb_access(struct cpu_system *s, uint64_t address, unsigned size, enum guest_access access, uint8_t **host,
	   uint64_t *physical)
{
	const struct ir_tlb *entry = entry_of(s->view, address);

	if ((access == GUEST_WRITE ? entry->write : entry->read) != align_down(address, IR_TLB_PAGE))
		return access_slowly(s, address, size, access, host, physical);
	*host = (uint8_t *)(uintptr_t)(entry->addend + address);
	*physical = align_down(entry->physical, IR_TLB_PAGE) + address % IR_TLB_PAGE;
	return true;
}

bool
tlb_fill(struct ir_frame *frame)
{
	struct cpu_system *s = system_of(frame->env->engine);
	uint64_t address = frame->miss_address, physical, page = align_down(address, IR_TLB_PAGE);
	unsigned size = frame->miss_access >> 8;
	bool write = frame->miss_access & IR_ACCESS_W;
	const struct ir_tlb *entry = entry_of(s->view, address);
	uint8_t *host;

	if (align_down(address + size - 1, IR_TLB_PAGE) != page ||
	    !tlb_access(s, address, size, write ? GUEST_WRITE : GUEST_READ, &host, &physical))
		return false;
	return (write ? entry->write : entry->read) == page;
}

/* ---- writes that must be told again ----------------------------------------- */

static void
drop_writes(struct tlb_view *view, const struct tlb_log *log, bool all, uint64_t physical)
{
	for (unsigned i = 0; i < log->count; i++) {
		struct ir_tlb *entry = &view->entry[log->index[i]];

		if (all || align_down(entry->physical, IR_TLB_PAGE) == physical)
			entry->write = IR_TLB_NONE;
	}
}

static void
each_view(struct cpu_system *s, bool all, uint64_t physical)
{
	/* Of entries that others took the place of as well. */
	sites_forget(s, s->sites);
	for (unsigned i = 0; i < GUEST_REGIMES + PRIVATE_VIEWS; i++) {
		struct tlb_view *view = i < GUEST_REGIMES ? s->shared[i] : s->private[i - GUEST_REGIMES];

		if (!view)
			continue;
		drop_writes(view, &view->own, all, physical);
		drop_writes(view, &view->global, all, physical);
	}
}

void
tlb_drop_writes(struct cpu_system *s, uint64_t physical)
{
	each_view(s, false, physical);
}

void
tlb_drop_all_writes(struct cpu_system *s)
{
	each_view(s, true, 0);
}

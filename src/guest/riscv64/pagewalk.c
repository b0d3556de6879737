/* Translation of addresses: Bare, Sv39, Sv48, Sv57. Manual, 10.3 to 10.6; Svade and
 * Svadu, Svnapot, Svpbmt, Svinval. And which regime is in force.
 *
 * A and D: as menvcfg.ADUE says, a page fault (Svade) or set by the walk, with
 * one atomic step on the entry that was seen (Svadu).
 */
#include "guest/riscv64/privileged.h"

enum {
	PTE_V = 1 << 0,
	PTE_R = 1 << 1,
	PTE_W = 1 << 2,
	PTE_X = 1 << 3,
	PTE_U = 1 << 4,
	PTE_G = 1 << 5,
	PTE_A = 1 << 6,
	PTE_D = 1 << 7,
	PTE_PPN_SHIFT = 10,

	PAGE_SHIFT = 12,
	LEVEL_SHIFT = 9,
	NAPOT_LEVEL = 4, /* the one size there is: 64 KiB, low PPN bits 1000 */
};
#define PTE_PPN (RV_BIT(54) - RV_BIT(10))
#define PTE_RESERVED (RV_BIT(61) - RV_BIT(54))
#define PTE_PBMT (3 * RV_BIT(61))
#define PTE_N RV_BIT(63)
#define PHYSICAL_END RV_BIT(56)
#define LARGEST_PAGE RV_BIT(30)

/* ---- regimes ------------------------------------------------------------- */

static unsigned
regime_of(const struct riscv64_state *s, unsigned privilege)
{
	unsigned mxr = s->mstatus & STATUS_MXR ? 1 : 0;

	if (privilege == RISCV64_MACHINE)
		return REGIME_MACHINE;
	if (SATP_MODE(s->satp) == SATP_BARE)
		return REGIME_BARE;
	if (privilege == RISCV64_USER)
		return REGIME_USER + mxr;
	return (s->mstatus & STATUS_SUM ? REGIME_SUPERVISOR_SUM : REGIME_SUPERVISOR) + mxr;
}

unsigned
riscv64_data_regime(const struct ir_frame *frame)
{
	const struct riscv64_state *s = riscv64_state_read(frame);
	unsigned privilege = s->privilege;

	if (s->mstatus & STATUS_MPRV && privilege == RISCV64_MACHINE)
		privilege = (unsigned)(s->mstatus & STATUS_MPP) >> STATUS_MPP_SHIFT;
	return regime_of(s, privilege);
}

/* MXR and SUM mean nothing to fetches. */
unsigned
riscv64_fetch_regime(const struct ir_frame *frame)
{
	const struct riscv64_state *s = riscv64_state_read(frame);
	unsigned regime = regime_of(s, s->privilege);

	if (regime >= REGIME_SUPERVISOR)
		return REGIME_SUPERVISOR;
	return regime >= REGIME_USER ? REGIME_USER : regime;
}

/* ---- faults -------------------------------------------------------------- */

struct guest_fault
riscv64_access_fault(uint64_t address, enum guest_access access)
{
	unsigned cause = access & GUEST_EXECUTE ? CAUSE_FETCH_ACCESS :
			 access & GUEST_WRITE	? CAUSE_STORE_ACCESS :
						  CAUSE_LOAD_ACCESS;

	return (struct guest_fault){ cause, address };
}

static struct guest_fault
page_fault(uint64_t address, enum guest_access access)
{
	unsigned cause = access & GUEST_EXECUTE ? CAUSE_FETCH_PAGE :
			 access & GUEST_WRITE	? CAUSE_STORE_PAGE :
						  CAUSE_LOAD_PAGE;

	return (struct guest_fault){ cause, address };
}

/* ---- the walk ------------------------------------------------------------ */

/* How a walk ends. */
enum outcome { WALKED, NO_PAGE, NO_ACCESS, AGAIN };

struct walker {
	struct ir_frame *frame;
	const struct riscv64_state *s;
	uint64_t address;
	enum guest_access access;
	unsigned regime;
	/* the leaf */
	uint64_t pte, pte_address;
	unsigned level;
	bool global;
};

/* Reads, or updates, an entry as S-mode would. */
static bool
entry_allowed(const struct walker *w, uint64_t address, enum guest_access access)
{
	uint64_t block = 8;

	return riscv64_pmp(w->s, address, 8, false, &block) & access;
}

/* Bits that must be zero in every entry: reserved ones, and memory types where
 * there are none. */
static bool
malformed(const struct walker *w, uint64_t pte)
{
	uint64_t pbmt = pte & PTE_PBMT;

	if (!(pte & PTE_V) || (pte & (PTE_R | PTE_W)) == PTE_W || pte & PTE_RESERVED)
		return true;
	return pbmt && (!(w->s->menvcfg & MENVCFG_PBMTE) || pbmt == PTE_PBMT);
}

/* From the root to the leaf, its pte, its address, its level. */
static enum outcome
find_leaf(struct walker *w)
{
	unsigned levels = SATP_MODE(w->s->satp) - SATP_SV39 + 3;
	unsigned bits = PAGE_SHIFT + levels * LEVEL_SHIFT;
	uint64_t table = SATP_PPN(w->s->satp) << PAGE_SHIFT;

	if ((uint64_t)((int64_t)(w->address << (64 - bits)) >> (64 - bits)) != w->address)
		return NO_PAGE;
	w->global = false;
	for (unsigned level = levels; level-- > 0;) {
		uint64_t index = w->address >> (PAGE_SHIFT + level * LEVEL_SHIFT) & 511;
		uint64_t at = table + index * 8, pte;

		if (!entry_allowed(w, at, GUEST_READ) || !memory_read64(w->frame->env->memory, at, &pte))
			return NO_ACCESS;
		if (malformed(w, pte))
			return NO_PAGE;
		w->global |= pte & PTE_G;
		if (pte & (PTE_R | PTE_X)) {
			w->pte = pte;
			w->pte_address = at;
			w->level = level;
			return WALKED;
		}
		if (pte & (PTE_U | PTE_A | PTE_D | PTE_PBMT | PTE_N))
			return NO_PAGE;
		table = (pte & PTE_PPN) >> PTE_PPN_SHIFT << PAGE_SHIFT;
	}
	return NO_PAGE;
}

/* What the leaf allows in the regime, A and D aside. */
static unsigned
rights(const struct walker *w)
{
	uint64_t pte = w->pte;
	unsigned allowed = 0;
	bool user = w->regime <= REGIME_USER_MXR, mxr = w->regime & 1;
	bool sum = w->regime >= REGIME_SUPERVISOR_SUM;

	_Static_assert(REGIME_USER_MXR & REGIME_SUPERVISOR_MXR & REGIME_SUPERVISOR_SUM_MXR & 1 &&
			       !((REGIME_USER | REGIME_SUPERVISOR | REGIME_SUPERVISOR_SUM) & 1),
		       "the low bit is MXR");
	if (user != !!(pte & PTE_U)) {
		if (user || !sum)
			return 0;
	} else if (pte & PTE_X) {
		allowed |= GUEST_EXECUTE;
	}
	if (pte & PTE_R || (mxr && pte & PTE_X))
		allowed |= GUEST_READ;
	if (pte & PTE_W)
		allowed |= GUEST_WRITE;
	return allowed;
}

/* The page that the leaf maps, physical and its size, and what may be done. */
static enum outcome
translate(struct walker *w, struct guest_walk *walk)
{
	enum outcome outcome = find_leaf(w);
	uint64_t base, within;
	unsigned shift;

	if (outcome != WALKED)
		return outcome;
	shift = PAGE_SHIFT + w->level * LEVEL_SHIFT;
	base = (w->pte & PTE_PPN) >> PTE_PPN_SHIFT << PAGE_SHIFT;
	if (w->pte & PTE_N) {
		if (w->level || (w->pte >> PTE_PPN_SHIFT & 15) != 8)
			return NO_PAGE;
		shift += NAPOT_LEVEL;
		base = base >> shift << shift;
	}
	within = (UINT64_C(1) << shift) - 1;
	if (base & within)
		return NO_PAGE;
	walk->physical = base | (w->address & within);
	walk->span = within + 1;
	walk->page = within < LARGEST_PAGE ? within + 1 : LARGEST_PAGE;
	walk->allowed = (uint8_t)rights(w);
	walk->global = w->global;
	return walk->allowed & w->access ? WALKED : NO_PAGE;
}

/* A, and D for a store, are set when this is done. */
static enum outcome
mark_used(struct walker *w, uint64_t want)
{
	bool swapped;

	if (!entry_allowed(w, w->pte_address, GUEST_WRITE) ||
	    !memory_cas(w->frame->env->memory, w->pte_address, 8, w->pte, want, &swapped))
		return NO_ACCESS;
	return swapped ? WALKED : AGAIN;
}

/* Translation, then protection, then A and D: they are set only for accesses
 * that are done. */
static enum outcome
walk_once(struct walker *w, unsigned size, struct guest_walk *walk)
{
	bool machine = w->regime == REGIME_MACHINE, translated = w->regime > REGIME_BARE;
	enum outcome outcome = translated ? translate(w, walk) : WALKED;
	uint64_t want = w->pte | PTE_A | (w->access & GUEST_WRITE ? PTE_D : 0);
	bool mark = translated && w->pte != want;

	if (outcome == WALKED && mark && !(w->s->menvcfg & MENVCFG_ADUE))
		return NO_PAGE;
	if (outcome != WALKED)
		return outcome;
	if (walk->physical >= PHYSICAL_END)
		return NO_ACCESS;
	walk->allowed &= riscv64_pmp(w->s, walk->physical, size, machine, &walk->page);
	if (!(walk->allowed & w->access))
		return NO_ACCESS;
	if (translated && !(want & PTE_D))
		walk->allowed &= ~GUEST_WRITE;
	return mark ? mark_used(w, want) : WALKED;
}

bool
riscv64_walk(struct ir_frame *frame, uint64_t address, unsigned size, enum guest_access access,
	     unsigned regime, struct guest_walk *walk, struct guest_fault *fault)
{
	struct walker w = { .frame = frame, .s = riscv64_state_read(frame), .address = address,
			    .access = access, .regime = regime };
	enum outcome outcome;

	do {
		*walk = (struct guest_walk){ .physical = address, .page = LARGEST_PAGE, .global = true,
					     .allowed = GUEST_READ | GUEST_WRITE | GUEST_EXECUTE };
		outcome = walk_once(&w, size, walk);
	} while (outcome == AGAIN);
	if (outcome == NO_PAGE)
		*fault = page_fault(address, access);
	else if (outcome == NO_ACCESS)
		*fault = riscv64_access_fault(address, access);
	return outcome == WALKED;
}

/* Physical memory protection: 16 entries, grain 4 bytes. Manual, 3.7.
 *
 * The lowest entry that covers any byte of an access decides; the access fails
 * if it does not cover all of them. Without such an entry M-mode may do all,
 * the others nothing. Entries bind M-mode only when they are locked.
 */
#include "guest/riscv64/privileged.h"

enum {
	PMP_R = 1 << 0,
	PMP_W = 1 << 1,
	PMP_X = 1 << 2,
	PMP_A = 3 << 3,
	PMP_A_SHIFT = 3,
	PMP_L = 1 << 7,
	PMP_WRITABLE = PMP_R | PMP_W | PMP_X | PMP_A | PMP_L,

	CSR_PMPCFG0 = 0x3a0,
	CSR_PMPADDR0 = 0x3b0,
};
enum pmp_match { PMP_OFF, PMP_TOR, PMP_NA4, PMP_NAPOT };
#define PMPADDR_WRITABLE (RV_BIT(54) - 1)

_Static_assert((int)PMP_R == GUEST_READ && (int)PMP_W == GUEST_WRITE && (int)PMP_X == GUEST_EXECUTE,
	       "an entry's rights are what a walk allows");

static enum pmp_match
match_of(uint8_t cfg)
{
	return (enum pmp_match)((cfg & PMP_A) >> PMP_A_SHIFT);
}

/* ---- the check ----------------------------------------------------------- */

/* Shrinks the block around address to what lies wholly inside or outside. */
static void
shrink(uint64_t *block, uint64_t address, const struct riscv64_pmp_range *range)
{
	for (; *block > 4; *block /= 2) {
		uint64_t first = address & -*block, end = first + *block;

		if (range->end <= first || range->start >= end || (range->start <= first && range->end >= end))
			return;
	}
}

unsigned
riscv64_pmp(const struct riscv64_state *s, uint64_t physical, unsigned size, bool machine, uint64_t *block)
{
	enum { ALL = GUEST_READ | GUEST_WRITE | GUEST_EXECUTE };

	for (unsigned i = 0; i < s->pmp_count; i++) {
		const struct riscv64_pmp_range *range = &s->pmp_range[i];

		if (range->start >= range->end)
			continue;
		shrink(block, physical, range);
		if (physical + size <= range->start || physical >= range->end)
			continue;
		if (physical < range->start || physical + size > range->end)
			return 0;
		if (machine && !(s->pmpcfg[i] & PMP_L))
			return ALL;
		return s->pmpcfg[i] & ALL;
	}
	return machine ? ALL : 0;
}

void
riscv64_pmp_update(struct riscv64_state *s)
{
	s->pmp_count = 0;
	for (unsigned i = 0; i < RISCV64_PMP_COUNT; i++) {
		struct riscv64_pmp_range *range = &s->pmp_range[i];
		uint64_t address = s->pmpaddr[i], ones;

		*range = (struct riscv64_pmp_range){ 0 };
		switch (match_of(s->pmpcfg[i])) {
		case PMP_OFF:
			break;
		case PMP_TOR:
			range->start = i ? s->pmpaddr[i - 1] << 2 : 0;
			range->end = address << 2;
			break;
		case PMP_NA4:
			range->start = address << 2;
			range->end = range->start + 4;
			break;
		case PMP_NAPOT: /* n low ones: 2 to the power of n + 3 bytes */
			ones = address ^ (address + 1);
			range->start = (address & ~ones) << 2;
			range->end = range->start + ((ones + 1) << 2);
			break;
		}
		if (range->start < range->end)
			s->pmp_count = (uint8_t)(i + 1);
	}
}

/* ---- the CSRs ------------------------------------------------------------ */

static void
pmp_changed(struct ir_frame *frame)
{
	riscv64_pmp_update(riscv64_state_of(frame));
	frame->env->flush(frame->env, false, 0, false, 0, true);
	frame->env->changed(frame->env);
}

RV_CSR_READ(pmpcfg)
{
	const struct riscv64_state *s = riscv64_state_read(frame);
	unsigned first = (number - CSR_PMPCFG0) * 4;
	uint64_t value = 0;

	for (unsigned i = 0; i < 8; i++)
		value |= (uint64_t)s->pmpcfg[first + i] << 8 * i;
	return value;
}

/* Writable but not readable is reserved: it loses W. */
RV_CSR_WRITE_TO(pmpcfg)
{
	struct riscv64_state *s = riscv64_state_of(frame);
	unsigned first = (number - CSR_PMPCFG0) * 4;

	for (unsigned i = 0; i < 8; i++) {
		uint8_t cfg = (uint8_t)(value >> 8 * i) & PMP_WRITABLE;

		if (!(cfg & PMP_R))
			cfg &= (uint8_t)~PMP_W;
		if (!(s->pmpcfg[first + i] & PMP_L))
			s->pmpcfg[first + i] = cfg;
	}
	pmp_changed(frame);
}

RV_CSR_READ(pmpaddr)
{
	return riscv64_state_read(frame)->pmpaddr[number - CSR_PMPADDR0];
}

/* A locked entry locks its address, and the one below as well if that is where
 * it begins. */
RV_CSR_WRITE_TO(pmpaddr)
{
	struct riscv64_state *s = riscv64_state_of(frame);
	unsigned i = number - CSR_PMPADDR0;

	if (s->pmpcfg[i] & PMP_L)
		return;
	if (i + 1 < RISCV64_PMP_COUNT && (s->pmpcfg[i + 1] & PMP_L) && match_of(s->pmpcfg[i + 1]) == PMP_TOR)
		return;
	s->pmpaddr[i] = value & PMPADDR_WRITABLE;
	pmp_changed(frame);
}

/* Raising interrupts, and seeing which is taken. */
#ifndef INTERRUPTS_H
#define INTERRUPTS_H

#include "bare.h"

enum { SSI = 1, MSI = 3, STI = 5, MTI = 7, SEI = 9, MEI = 11 };
#define BIT(n) (1ull << (n))
#define MSIP (*(volatile uint32_t *)CLINT)
#define MTIMECMP (*(volatile u64 *)(CLINT + 0x4000))

CODE(nothing, "");

/* SSI, STI and SEI by software, MSI by the CLINT: what of them is pending. */
static inline void
raise(u64 bits)
{
	csr_write(mip, bits);
	MSIP = bits >> MSI & 1;
	while ((csr_read(mip) & BIT(MSI)) != (bits & BIT(MSI)))
		;
}

static inline void
lower(void)
{
	raise(0);
	csr_write(mie, 0);
	csr_write(mideleg, 0);
	csr_clear(mstatus, MSTATUS_MPIE | MSTATUS_MIE | MSTATUS_SPIE | MSTATUS_SIE);
}

/* At a privilege with MIE and SIE as told, the interrupt that is taken: its
 * number and level, or NONE. */
static inline void
taken(u64 line, enum privilege p, bool mie, bool sie, u64 number, enum privilege level)
{
	csr_clear(mstatus, MSTATUS_MPIE | MSTATUS_SIE);
	csr_set(mstatus, (mie ? MSTATUS_MPIE : 0) | (sie ? MSTATUS_SIE : 0));

	struct outcome o = RUN(p, nothing, 0, 0);

	csr_clear(mstatus, MSTATUS_SIE);
	check(line, o.cause, number == NONE ? NONE : INTERRUPT | number);
	check(line, (u64)o.level, level);
	check(line, o.value, 0);
	if (number != NONE)
		check(line, o.pc, address_of(nothing));
}
#define TAKEN(...) taken(__LINE__, __VA_ARGS__)

#endif

/* Which of several interrupts goes first. (QEMU follows the manual in this only
 * with the AIA: qemu -cpu rv64,smaia=on.) */
#include "interrupts.h"

/* MEI, MSI, MTI, SEI, SSI, STI; those for M-mode before those for S-mode. */
int
main(void)
{
	open_memory();
	MTIMECMP = -1ull;
	raise(BIT(MSI) | BIT(SEI) | BIT(SSI) | BIT(STI));
	csr_write(mie, -1ull);
	TAKEN(M, true, false, MSI, M);
	csr_clear(mie, BIT(MSI));
	TAKEN(M, true, false, SEI, M);
	csr_clear(mie, BIT(SEI));
	TAKEN(M, true, false, SSI, M);
	csr_clear(mie, BIT(SSI));
	TAKEN(M, true, false, STI, M);
	csr_write(mie, -1ull);
	csr_write(mideleg, BIT(SEI) | BIT(SSI) | BIT(STI));
	csr_clear(mie, BIT(MSI));
	TAKEN(S, false, true, SEI, S);
	csr_clear(mie, BIT(SEI));
	TAKEN(S, false, true, SSI, S);
	csr_clear(mie, BIT(SSI));
	TAKEN(S, false, true, STI, S);
	csr_write(mie, -1ull);
	csr_write(mideleg, BIT(SEI) | BIT(SSI)); /* STI is M-mode's: it goes first */
	csr_clear(mie, BIT(MSI));
	TAKEN(S, false, true, STI, M);
	lower();
	return 0;
}


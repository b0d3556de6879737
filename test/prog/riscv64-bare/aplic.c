/* An APLIC that interrupts harts itself: priorities, thresholds, claims; and that
 * without IMSICs there are none of the AIA's CSRs.
 *
 * machine: virt,aia=aplic
 */
#include "aia.h"

static u64
topi(unsigned n, unsigned priority)
{
	return n << 16 | priority;
}

/* Domain: M-mode's first. */
static void
test_domain(u64 aplic, unsigned number)
{
	uint32_t pending = 1 << 3 | 1 << 4 | 1 << 5;

	CHECK(WORD(aplic + DOMAINCFG), 0x80000000);
	WORD(aplic + DOMAINCFG) = ENABLED;
	for (unsigned n = 3; n <= 5; n++) {
		WORD(aplic + SOURCECFG(n)) = DETACHED;
		WORD(aplic + TARGET(n)) = n == 3 ? 5 : 2;
		WORD(aplic + SETIPNUM) = n;
	}
	CHECK(WORD(aplic + SETIP), pending);
	CHECK(WORD(aplic + TOPI), 0);
	WORD(aplic + SETIE) = -1u;
	CHECK(WORD(aplic + SETIE), pending); /* of those that are active */
	/* The lowest priority value, then the lowest number. */
	CHECK(WORD(aplic + TOPI), topi(4, 2));
	WORD(aplic + ITHRESHOLD) = 2;
	CHECK(WORD(aplic + TOPI), 0);
	WORD(aplic + ITHRESHOLD) = 0;
	CHECK(csr_read(mip) & BIT(number), 0);
	WORD(aplic + IDELIVERY) = 1;
	CHECK(csr_read(mip) & BIT(number), BIT(number));
	CHECK(WORD(aplic + CLAIMI), topi(4, 2));
	CHECK(WORD(aplic + CLAIMI), topi(5, 2));
	CHECK(WORD(aplic + CLAIMI), topi(3, 5));
	CHECK(csr_read(mip) & BIT(number), 0);
	WORD(aplic + IFORCE) = 1;
	CHECK(csr_read(mip) & BIT(number), BIT(number));
	CHECK(WORD(aplic + CLAIMI), 0);
	CHECK(csr_read(mip) & BIT(number), 0);
	/* Somebody else's. */
	WORD(aplic + TARGET(3)) = 1 << 18 | 1;
	WORD(aplic + SETIPNUM) = 3;
	CHECK(WORD(aplic + TOPI), 0);
	WORD(aplic + CLRIPNUM) = 3;
	CHECK(WORD(aplic + SETIP), 0);
	for (unsigned n = 3; n <= 5; n++)
		WORD(aplic + SOURCECFG(n)) = 0;
}

/* Levels are the pending bit; edges set it. */
static void
test_wire(void)
{
	WORD(APLIC_M + SOURCECFG(UART_SOURCE)) = LEVEL_HIGH;
	WORD(APLIC_M + TARGET(UART_SOURCE)) = 1;
	WORD(APLIC_M + SETIENUM) = UART_SOURCE;
	WORD(APLIC_M + SETIPNUM) = UART_SOURCE;
	CHECK(WORD(APLIC_M + SETIP), 0);
	uart_line(true);
	while (!WORD(APLIC_M + SETIP))
		;
	csr_write(mie, BIT(MEI));
	TAKEN(S, false, false, MEI, M);
	CHECK(WORD(APLIC_M + CLAIMI), topi(UART_SOURCE, 1));
	CHECK(WORD(APLIC_M + CLAIMI), topi(UART_SOURCE, 1));
	uart_line(false);
	CHECK(WORD(APLIC_M + CLAIMI), 0);
	WORD(APLIC_M + SOURCECFG(UART_SOURCE)) = EDGE_HIGH;
	uart_line(true);
	while (!WORD(APLIC_M + SETIP))
		;
	uart_line(false);
	CHECK(WORD(APLIC_M + CLAIMI), topi(UART_SOURCE, 1));
	CHECK(WORD(APLIC_M + CLAIMI), 0);
	WORD(APLIC_M + SOURCECFG(UART_SOURCE)) = LEVEL_LOW;
	CHECK(WORD(APLIC_M + IN_CLRIP), 1 << UART_SOURCE);
	CHECK(WORD(APLIC_M + CLAIMI), topi(UART_SOURCE, 1));
	WORD(APLIC_M + SOURCECFG(UART_SOURCE)) = 0;
	CHECK(WORD(APLIC_M + CLAIMI), 0);
}

int
main(void)
{
	open_memory();
	MTIMECMP = -1ull;
	CHECK(is_illegal(M, READ_BITS(MISELECT)), true);
	CHECK(is_illegal(M, READ_BITS(MTOPEI)), true);
	CHECK(is_illegal(M, READ_BITS(MTOPI)), true);
	CHECK(is_illegal(M, READ_BITS(SIREG)), true);
	test_domain(APLIC_M, MEI);
	for (unsigned n = 3; n <= 5; n++)
		WORD(APLIC_M + SOURCECFG(n)) = DELEGATED;
	test_domain(APLIC_S, SEI);
	test_wire();
	return 0;
}

/* AIA: interrupt files, their CSRs, messages, and an APLIC that sends them.
 *
 * machine: virt,aia=aplic-imsic
 */
#include "aia.h"

static u64
indirect(enum privilege p, u64 select)
{
	if (p == M) {
		csr_write(MISELECT, select);
		return csr_read(MIREG);
	}
	csr_write(SISELECT, select);
	return csr_read(SIREG);
}

static void
set_indirect(enum privilege p, u64 select, u64 value)
{
	if (p == M) {
		csr_write(MISELECT, select);
		csr_write(MIREG, value);
	} else {
		csr_write(SISELECT, select);
		csr_write(SIREG, value);
	}
}

static u64
top(enum privilege p)
{
	return p == M ? csr_read(MTOPEI) : csr_read(STOPEI);
}

static u64
claim(enum privilege p)
{
	return p == M ? csr_swap(MTOPEI, 0) : csr_swap(STOPEI, 0);
}

static u64
both(u64 identity)
{
	return identity << 16 | identity;
}

/* Who may touch what, and what can be selected. */
static void
test_reach(void)
{
	static const uint16_t supervisor[] = { SISELECT, STOPEI, STOPI }, machine[] = { MISELECT, MTOPEI, MTOPI, MVIEN, MVIP };
	static const struct {
		uint16_t select;
		bool legal;
	} selections[] = { { 0, false }, { 0x2f, false }, { 0x30, true }, { 0x31, false }, { 0x3e, true }, { 0x40, false },
			   { 0x70, true }, { 0x72, true }, { 0x80, true }, { 0x81, false }, { 0x86, true }, { 0xc0, true },
			   { 0xc1, false }, { 0xc6, true }, { 0xff, false } };

	for (unsigned i = 0; i < sizeof supervisor / 2; i++) {
		CHECK(is_illegal(U, READ_BITS(supervisor[i])), true);
		CHECK(is_illegal(S, READ_BITS(supervisor[i])), false);
	}
	for (unsigned i = 0; i < sizeof machine / 2; i++) {
		CHECK(is_illegal(S, READ_BITS(machine[i])), true);
		CHECK(is_illegal(M, READ_BITS(machine[i])), false);
	}
	CHECK(is_illegal(M, WRITE_BITS(MTOPI)), true);
	CHECK(is_illegal(M, WRITE_BITS(STOPI)), true);
	for (unsigned i = 0; i < sizeof selections / sizeof *selections; i++) {
		csr_write(MISELECT, selections[i].select);
		csr_write(SISELECT, selections[i].select);
		CHECK(csr_read(MISELECT), selections[i].select);
		CHECK(csr_read(SISELECT), selections[i].select);
		CHECK(is_illegal(M, READ_BITS(MIREG)), !selections[i].legal);
		CHECK(is_illegal(S, READ_BITS(SIREG)), !selections[i].legal);
	}
	csr_write(SISELECT, EIDELIVERY);
	CHECK(is_illegal(U, READ_BITS(SIREG)), true);
	CHECK(is_illegal(S, READ_BITS(MIREG)), true);
}

/* One privilege's file: what its registers hold, who goes first, what a claim does. */
static void
test_file(enum privilege p, u64 page, unsigned number)
{
	set_indirect(p, EIDELIVERY, 0);
	set_indirect(p, EITHRESHOLD, 0);
	for (unsigned i = 0; i < 8; i += 2) {
		set_indirect(p, EIE + i, -1ull);
		CHECK(indirect(p, EIE + i), i ? -1ull : -2ull); /* there is no identity 0 */
		set_indirect(p, EIE + i, 0);
		set_indirect(p, EIP + i, 0);
	}
	WORD(page) = 0;
	WORD(page) = 5;
	WORD(page) = 70;
	CHECK(WORD(page), 0);
	CHECK(indirect(p, EIP), 1 << 5);
	CHECK(indirect(p, EIP + 2), 1 << 6);
	CHECK(top(p), 0);
	set_indirect(p, EIE + 2, 1 << 6);
	CHECK(top(p), both(70));
	set_indirect(p, EIE, 1 << 5);
	CHECK(top(p), both(5));
	/* From the threshold on they do not count. */
	set_indirect(p, EITHRESHOLD, 5);
	CHECK(top(p), 0);
	set_indirect(p, EITHRESHOLD, 6);
	CHECK(top(p), both(5));
	set_indirect(p, EITHRESHOLD, 0);
	/* The line is delivery's. */
	CHECK(csr_read(mip) & BIT(number), 0);
	set_indirect(p, EIDELIVERY, 1);
	CHECK(indirect(p, EIDELIVERY), 1);
	CHECK(csr_read(mip) & BIT(number), BIT(number));
	CHECK(claim(p), both(5));
	CHECK(csr_read(mip) & BIT(number), BIT(number));
	CHECK(top(p), both(70));
	CHECK(claim(p), both(70));
	CHECK(csr_read(mip) & BIT(number), 0);
	CHECK(claim(p), 0);
	/* Software may set and clear bits itself. */
	set_indirect(p, EIP, 1 << 5);
	CHECK(csr_read(mip) & BIT(number), BIT(number));
	if (p == M)
		csr_clear(MIREG, 1 << 5);
	else
		csr_clear(SIREG, 1 << 5);
	CHECK(csr_read(mip) & BIT(number), 0);
	/* All identities there are, and none beyond. */
	set_indirect(p, EIE + 6, -1ull);
	WORD(page) = 256;
	CHECK(top(p), 0);
	WORD(page) = 255;
	CHECK(claim(p), both(255));
	set_indirect(p, EIE + 6, 0);
}

/* Messages interrupt; *topi says which interrupt goes first. */
static void
test_interrupts(void)
{
	set_indirect(M, EIE, 2);
	set_indirect(S, EIE, 2);
	csr_write(mie, -1ull);
	WORD(FILE_S) = 1;
	TAKEN(M, true, false, SEI, M);
	csr_write(mideleg, BIT(SEI) | BIT(SSI) | BIT(STI));
	TAKEN(M, true, true, NONE, NOWHERE);
	TAKEN(S, false, true, SEI, S);
	CHECK(csr_read(MTOPI), 0);
	CHECK(csr_read(STOPI) >> 16, SEI);
	raise(BIT(SSI) | BIT(MSI));
	CHECK(csr_read(STOPI) >> 16, SEI);
	CHECK(csr_read(MTOPI) >> 16, MSI);
	WORD(FILE_M) = 1;
	CHECK(csr_read(MTOPI) >> 16, MEI);
	TAKEN(S, false, true, MEI, M);
	CHECK(claim(M), both(1));
	CHECK(csr_read(MTOPI) >> 16, MSI);
	CHECK(claim(S), both(1));
	CHECK(csr_read(STOPI) >> 16, SSI);
	csr_clear(mie, BIT(SSI) | BIT(MSI));
	CHECK(csr_read(STOPI), 0);
	CHECK(csr_read(MTOPI), 0);
	lower();
}

/* mvip is what software has in mip. */
static void
test_virtual(void)
{
	csr_write(MVIEN, 0);
	csr_write(MVIP, -1ull);
	CHECK(csr_read(mip) & 0xaaa, BIT(SSI) | BIT(STI) | BIT(SEI));
	CHECK(csr_read(MVIP), BIT(SSI) | BIT(STI) | BIT(SEI));
	csr_clear(MVIP, BIT(STI));
	CHECK(csr_read(mip) & 0xaaa, BIT(SSI) | BIT(SEI));
	csr_write(mip, 0);
	CHECK(csr_read(MVIP), 0);
}

/* The APLIC's root: a source becomes a message to the hart's M file. */
static void
test_messages(void)
{
	CHECK(WORD(APLIC_M + DOMAINCFG), 0x80000004);
	WORD(APLIC_M + MMSIADDRCFG) = FILE_M >> 12;
	WORD(APLIC_M + MMSIADDRCFG + 4) = 0;
	WORD(APLIC_M + SMSIADDRCFG) = FILE_S >> 12;
	WORD(APLIC_M + SMSIADDRCFG + 4) = 0;
	set_indirect(M, EIE, 1 << 7 | 1 << 9);
	set_indirect(S, EIE, 1 << 7 | 1 << 9);
	WORD(APLIC_M + GENMSI) = 9;
	CHECK(claim(M), both(9));
	/* A source without a wire. */
	WORD(APLIC_M + TARGET(3)) = 7;
	CHECK(WORD(APLIC_M + TARGET(3)), 0);
	WORD(APLIC_M + SOURCECFG(3)) = DETACHED;
	WORD(APLIC_M + TARGET(3)) = 7;
	WORD(APLIC_M + SETIENUM) = 3;
	WORD(APLIC_M + SETIPNUM) = 3;
	CHECK(WORD(APLIC_M + SETIP), 1 << 3);
	CHECK(top(M), 0);
	WORD(APLIC_M + DOMAINCFG) = ENABLED;
	CHECK(claim(M), both(7));
	CHECK(WORD(APLIC_M + SETIP), 0);
	WORD(APLIC_M + SOURCECFG(3)) = 0;
	CHECK(WORD(APLIC_M + SETIE), 0);
}

/* The same for S-mode's domain, with the UART's wire. */
static void
test_delegation(void)
{
	WORD(APLIC_M + SOURCECFG(UART_SOURCE)) = DELEGATED;
	WORD(APLIC_S + SOURCECFG(UART_SOURCE)) = LEVEL_HIGH;
	CHECK(WORD(APLIC_S + SOURCECFG(UART_SOURCE)), LEVEL_HIGH);
	WORD(APLIC_S + TARGET(UART_SOURCE)) = 9;
	WORD(APLIC_S + SETIENUM) = UART_SOURCE;
	WORD(APLIC_S + DOMAINCFG) = ENABLED;
	CHECK(top(S), 0);
	uart_line(true);
	while (!top(S))
		;
	CHECK(claim(S), both(9));
	CHECK(WORD(APLIC_S + IN_CLRIP), 1 << UART_SOURCE);
	/* One message for one rise; asked anew while it is high. */
	CHECK(top(S), 0);
	WORD(APLIC_S + SETIPNUM) = UART_SOURCE;
	CHECK(claim(S), both(9));
	uart_line(false);
	CHECK(WORD(APLIC_S + IN_CLRIP), 0);
	WORD(APLIC_S + SETIPNUM) = UART_SOURCE;
	CHECK(top(S), 0);
	CHECK(WORD(APLIC_S + SETIP), 0);
}

int
main(void)
{
	open_memory();
	MTIMECMP = -1ull;
	test_reach();
	test_file(M, FILE_M, MEI);
	test_file(S, FILE_S, SEI);
	test_interrupts();
	test_virtual();
	test_messages();
	test_delegation();
	return 0;
}

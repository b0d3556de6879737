/* Interrupts: who lets them in, delegation, vectors, inputs, timers,
 * waiting. */
#include "interrupts.h"

#define MENVCFG 0x30a
#define STIMECMP 0x14d
#define STCE (1ull << 63)
#define MTIME (*(volatile u64 *)(CLINT + 0xbff8))

/* Long enough for an interrupt that comes from another thread. */
CODE(spin, "li a0, 20000000\n1: addi a0, a0, -1\nbnez a0, 1b");
CODE(set_mie, "csrsi mstatus, 8\nnop\ncsrci mstatus, 8");
CODE(set_sie, "csrsi sstatus, 2\nnop\ncsrci sstatus, 2");
CODE(set_mie_register, "li a1, 8\ncsrs mstatus, a1\nnop\ncsrc mstatus, a1");
CODE(set_sie_register, "csrs sstatus, a0\nnop\ncsrc sstatus, a0");
CODE(write_sie, "csrw sstatus, a0\nnop");
CODE(enable_in_sie, "csrw sie, a0\nnop");
CODE(raise_ssip, "csrsi sip, 2\nnop");
CODE(wait, "wfi\nli a0, 7");

/* Each that software can raise: enabled at large, by itself, by privilege. */
static void
test_enables(void)
{
	static const uint8_t numbers[] = { SSI, MSI, STI, SEI };

	for (unsigned i = 0; i < sizeof numbers; i++) {
		unsigned n = numbers[i];

		lower();
		csr_write(mie, BIT(n));
		for (unsigned p = U; p <= M; p++)
			if (p != 2)
				TAKEN((enum privilege)p, true, true, NONE, NOWHERE);
		raise(BIT(n));
		csr_write(mie, ~BIT(n));
		for (unsigned p = U; p <= M; p++)
			if (p != 2)
				TAKEN((enum privilege)p, true, true, NONE, NOWHERE);
		csr_write(mie, BIT(n));
		TAKEN(M, false, true, NONE, NOWHERE);
		TAKEN(M, true, false, n, M);
		TAKEN(S, false, false, n, M);
		TAKEN(U, false, false, n, M);
		if (n == MSI)
			continue;
		csr_write(mideleg, BIT(n));
		TAKEN(M, true, true, NONE, NOWHERE);
		TAKEN(S, true, false, NONE, NOWHERE);
		TAKEN(S, false, true, n, S);
		TAKEN(U, false, false, n, S);
		CHECK(csr_read(mstatus) & MSTATUS_SPP, 0);
		TAKEN(S, false, true, n, S);
		CHECK(csr_read(mstatus) & (MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_SIE), MSTATUS_SPP | MSTATUS_SPIE);
	}
	lower();
}

static void
test_vectors(void)
{
	raise(BIT(SSI));
	csr_write(mie, BIT(SSI));
	csr_write(mtvec, (u64)trap_machine_vectors | 1);
	CHECK(RUN(U, nothing, 0, 0).vector, (u64)trap_machine_vectors + 4 * SSI + 4);
	csr_write(mtvec, trap_machine);
	csr_write(mideleg, BIT(SSI));
	csr_write(stvec, 1);
	CHECK(RUN(U, nothing, 0, 0).vector, SSI);
	csr_write(stvec, 0);
	lower();
}

/* An instruction that lets one in: it is taken right behind it. */
static void
opened(u64 line, enum privilege p, const char *code, u64 a, u64 offset, u64 number, enum privilege level)
{
	struct outcome o = RUN(p, code, a, 0);

	check(line, o.cause, INTERRUPT | number);
	check(line, (u64)o.level, level);
	check(line, o.pc, address_of(code) + offset);
	csr_clear(mstatus, MSTATUS_MPIE | MSTATUS_MIE | MSTATUS_SPIE | MSTATUS_SIE);
}
#define OPENED(...) opened(__LINE__, __VA_ARGS__)

static void
test_opening(void)
{
	raise(BIT(SSI));
	csr_write(mie, BIT(SSI));
	OPENED(M, set_mie, 0, 4, SSI, M);
	OPENED(M, set_mie_register, 0, 6, SSI, M);
	csr_write(mideleg, BIT(SSI));
	OPENED(S, set_sie, 0, 4, SSI, S);
	OPENED(S, set_sie_register, MSTATUS_SIE, 4, SSI, S);
	OPENED(S, write_sie, MSTATUS_SIE, 4, SSI, S);
	csr_write(mie, 0);
	csr_set(mstatus, MSTATUS_SIE);
	OPENED(S, enable_in_sie, BIT(SSI), 4, SSI, S);
	raise(0);
	csr_write(mie, BIT(SSI));
	csr_set(mstatus, MSTATUS_SIE);
	OPENED(S, raise_ssip, 0, 4, SSI, S);
	lower();
}

/* mip and sip: what can be written, what is shown. */
static void
test_pending(void)
{
	csr_write(mip, -1ull);
	CHECK(csr_read(mip) & 0xaaa, BIT(SSI) | BIT(STI) | BIT(SEI));
	csr_write(mideleg, 0);
	CHECK(csr_read(sip), 0);
	CHECK(csr_read(sie), 0);
	csr_write(sie, -1ull);
	CHECK(csr_read(mie) & 0xaaa, 0);
	csr_write(mideleg, BIT(SSI) | BIT(STI) | BIT(SEI));
	CHECK(csr_read(sip), BIT(SSI) | BIT(STI) | BIT(SEI));
	csr_write(sip, 0); /* SSI alone can be */
	CHECK(csr_read(sip), BIT(STI) | BIT(SEI));
	csr_write(mip, 0);
	csr_write(sip, -1ull);
	CHECK(csr_read(mip) & 0xaaa, BIT(SSI));
	csr_write(sie, -1ull);
	CHECK(csr_read(mie) & 0xaaa, BIT(SSI) | BIT(STI) | BIT(SEI));
	csr_write(mie, -1ull);
	CHECK(csr_read(sie) & 0xaaa, BIT(SSI) | BIT(STI) | BIT(SEI));
	csr_write(sie, 0);
	CHECK(csr_read(mie) & 0xaaa, BIT(MSI) | BIT(MTI) | BIT(MEI));
	CHECK(csr_swap(mip, 0) & 0xaaa, BIT(SSI));
	lower();
}

static void
test_machine_timer(void)
{
	struct outcome o;

	MTIMECMP = -1ull;
	csr_write(mie, BIT(MTI));
	o = RUN(S, nothing, 0, 0);
	CHECK(o.cause, NONE);
	MTIMECMP = MTIME + 10000; /* a millisecond */
	o = RUN(S, spin, 0, 0);
	CHECK(o.cause, INTERRUPT | MTI);
	CHECK(csr_read(mip) & BIT(MTI), BIT(MTI));
	CHECK(MTIME >= MTIMECMP, true);
	CHECK(csr_read(time) >= MTIMECMP, true);
	MTIMECMP = -1ull;
	while (csr_read(mip) & BIT(MTI))
		;
	/* Waiting ends with it, also when it is not let in. */
	MTIMECMP = MTIME + 10000;
	o = RUN(M, wait, 0, 0);
	CHECK(o.cause, NONE);
	CHECK(o.a0, 7);
	CHECK(MTIME >= MTIMECMP, true);
	MTIMECMP = MTIME + 10000;
	o = RUN(S, wait, 0, 0);
	CHECK(o.cause, INTERRUPT | MTI);
	CHECK(o.pc, address_of(wait) + 4);
	MTIMECMP = -1ull;
	lower();
}

/* Sstc. */
static void
test_supervisor_timer(void)
{
	struct outcome o;

	csr_write(STIMECMP, -1ull);
	csr_set(MENVCFG, STCE);
	csr_write(mideleg, BIT(STI));
	csr_write(mie, BIT(STI));
	csr_write(mip, BIT(STI)); /* read-only now */
	CHECK(csr_read(mip) & BIT(STI), 0);
	csr_write(STIMECMP, 0);
	CHECK(csr_read(mip) & BIT(STI), BIT(STI));
	CHECK(csr_read(sip) & BIT(STI), BIT(STI));
	TAKEN(U, false, false, STI, S);
	csr_write(STIMECMP, -1ull);
	CHECK(csr_read(mip) & BIT(STI), 0);
	TAKEN(U, false, false, NONE, NOWHERE);
	csr_write(STIMECMP, csr_read(time) + 10000);
	o = RUN(U, spin, 0, 0);
	CHECK(o.cause, INTERRUPT | STI);
	CHECK(o.level, S);
	CHECK(csr_read(time) >= csr_read(STIMECMP), true);
	csr_write(STIMECMP, csr_read(time) + 10000);
	o = RUN(S, wait, 0, 0); /* SIE is clear */
	CHECK(o.cause, NONE);
	CHECK(csr_read(time) >= csr_read(STIMECMP), true);
	csr_write(STIMECMP, -1ull);
	csr_clear(MENVCFG, STCE);
	lower();
}

/* WFI goes on when something is pending and enabled, delegated or not. */
static void
test_waiting(void)
{
	raise(BIT(SSI));
	csr_write(mie, BIT(SSI));
	csr_write(mideleg, BIT(SSI));
	CHECK(WORKS(M, wait, 0, 0).a0, 7);
	CHECK(WORKS(S, wait, 0, 0).a0, 7);
	csr_write(mideleg, 0);
	CHECK(WORKS(M, wait, 0, 0).a0, 7);
	lower();
}

int
main(void)
{
	open_memory();
	MTIMECMP = -1ull;
	test_enables();
	test_vectors();
	test_opening();
	test_pending();
	test_machine_timer();
	test_supervisor_timer();
	test_waiting();
	return 0;
}

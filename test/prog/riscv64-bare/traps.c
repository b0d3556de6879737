/* Exceptions: causes, values, delegation, vectors, returns. */
#include "bare.h"

CODE(nothing, "");
CODE(do_ecall, "ecall");
CODE(do_ebreak, ".option push\n.option norvc\nebreak\n.option pop");
CODE(do_c_ebreak, "c.ebreak");
CODE(do_illegal, ".4byte 0xffffffff");
CODE(do_c_illegal, ".2byte 0");
CODE(load8, "ld a0, 0(a0)");
CODE(store8, "sd a1, 0(a0)");
CODE(load_reserved, "lr.d a0, (a0)");
CODE(store_conditional, "sc.d a0, a1, (a0)");
CODE(atomic_add, "amoadd.d a0, a1, (a0)");
CODE(jump, "jr a0");
CODE(do_mret, "mret");
CODE(do_sret, "sret");
CODE(do_wfi, "wfi");

#define HOLE 0x18000000ull /* neither memory nor device */

static u64 data[4];

static void
test_causes(enum privilege p)
{
	static const u64 ecall[] = { [U] = ECALL_U, [S] = ECALL_S, [M] = ECALL_M };
	struct outcome o;

	WORKS(p, nothing, 0, 0);
	o = TRAPS(p, do_ecall, 0, 0, ecall[p], 0);
	CHECK(o.pc, do_ecall);
	CHECK(o.status >> 11 & 3, p);
	o = RUN(p, do_ebreak, 0, 0);
	CHECK(o.cause, BREAKPOINT);
	CHECK(o.pc, do_ebreak);
	CHECK(o.value == 0 || o.value == o.pc, true);
	o = RUN(p, do_c_ebreak, 0, 0);
	CHECK(o.cause, BREAKPOINT);
	CHECK(o.pc, do_c_ebreak);
	TRAPS(p, do_illegal, 0, 0, ILLEGAL, 0xffffffff);
	TRAPS(p, do_c_illegal, 0, 0, ILLEGAL, 0);
	o = TRAPS(p, load8, HOLE, 0, LOAD_ACCESS, HOLE);
	CHECK(o.pc, load8);
	TRAPS(p, store8, HOLE, 0, STORE_ACCESS, HOLE);
	TRAPS(p, atomic_add, HOLE, 0, STORE_ACCESS, HOLE);
	TRAPS(p, load_reserved, HOLE, 0, LOAD_ACCESS, HOLE);
	o = TRAPS(p, jump, HOLE, 0, FETCH_ACCESS, HOLE);
	CHECK(o.pc, HOLE);
	/* C is there, so a target is never misaligned; the low bit goes. */
	WORKS(p, jump, address_of(nothing) | 1, 0);
}

/* Misaligned atomics trap; ordinary accesses are done. */
static void
test_misaligned(enum privilege p)
{
	u64 odd = (u64)data + 4;
	struct outcome o;

	o = RUN(p, load_reserved, odd, 0);
	CHECK(o.cause == LOAD_MISALIGNED || o.cause == LOAD_ACCESS, true);
	CHECK(o.value, odd);
	o = RUN(p, store_conditional, odd, 0);
	CHECK(o.cause == STORE_MISALIGNED || o.cause == STORE_ACCESS, true);
	CHECK(o.value, odd);
	o = RUN(p, atomic_add, odd, 0);
	CHECK(o.cause == STORE_MISALIGNED || o.cause == STORE_ACCESS, true);
	data[0] = 0x1122334455667788;
	data[1] = 0x99aabbccddeeff00;
	CHECK(WORKS(p, load8, (u64)data + 3, 0).a0, 0xeeff001122334455);
	WORKS(p, store8, (u64)data + 5, -1ull);
	CHECK(data[0], 0xffffff4455667788);
	CHECK(data[1], 0x99aabbffffffffff);
}

/* Every exception that medeleg can hold goes to S-mode from U and S, never from
 * M; others do not. */
static void
test_delegation(void)
{
	struct outcome o;

	csr_write(medeleg, -1);
	CHECK(csr_read(medeleg) & 0xb1ff, 0xb1ff);
	CHECK(csr_read(medeleg) >> ECALL_M & 1, 0);
	csr_clear(medeleg, 1 << ECALL_S); /* with which S-mode's handler calls ours */
	o = TRAPS_S(U, do_ecall, 0, 0, ECALL_U, 0);
	CHECK(csr_read(mstatus) & MSTATUS_SPP, 0);
	CHECK(o.pc, do_ecall);
	TRAPS_S(U, do_illegal, 0, 0, ILLEGAL, 0xffffffff);
	TRAPS_S(S, do_illegal, 0, 0, ILLEGAL, 0xffffffff);
	CHECK(csr_read(mstatus) & MSTATUS_SPP, MSTATUS_SPP);
	TRAPS_S(U, load8, HOLE, 0, LOAD_ACCESS, HOLE);
	TRAPS_S(S, store8, HOLE, 0, STORE_ACCESS, HOLE);
	TRAPS_S(S, jump, HOLE, 0, FETCH_ACCESS, HOLE);
	TRAPS_S(S, do_mret, 0, 0, ILLEGAL, 0x30200073);
	o = RUN(U, do_ebreak, 0, 0);
	CHECK(o.cause, BREAKPOINT);
	CHECK(o.level, S);
	TRAPS(M, do_illegal, 0, 0, ILLEGAL, 0xffffffff);
	for (unsigned cause = 0; cause < 16; cause++) {
		if (cause == ECALL_S)
			continue;
		csr_write(medeleg, 1ull << cause);
		o = RUN(U, do_illegal, 0, 0);
		CHECK(o.level, cause == ILLEGAL ? S : M);
		o = RUN(U, do_ecall, 0, 0);
		CHECK(o.level, cause == ECALL_U ? S : M);
		o = RUN(U, load8, HOLE, 0);
		CHECK(o.level, cause == LOAD_ACCESS ? S : M);
		o = RUN(U, store8, HOLE, 0);
		CHECK(o.level, cause == STORE_ACCESS ? S : M);
		o = RUN(U, jump, HOLE, 0);
		CHECK(o.level, cause == FETCH_ACCESS ? S : M);
	}
	csr_write(medeleg, 0);
}

/* What a trap leaves in mstatus, and what returns make of it. */
static void
test_stack(void)
{
	struct outcome o;

	csr_set(mstatus, MSTATUS_MPIE);
	o = RUN(U, do_ecall, 0, 0); /* mret set MIE from MPIE */
	CHECK(o.status & MSTATUS_MIE, 0);
	CHECK(o.status & MSTATUS_MPIE, MSTATUS_MPIE);
	csr_clear(mstatus, MSTATUS_MPIE);
	o = RUN(U, do_ecall, 0, 0);
	CHECK(o.status & (MSTATUS_MIE | MSTATUS_MPIE), 0);
	/* mret clears MPRV on its way to less than M. */
	csr_set(mstatus, MSTATUS_MPRV);
	o = RUN(S, do_ecall, 0, 0);
	CHECK(o.status & MSTATUS_MPRV, 0);
	csr_set(mstatus, MSTATUS_MPRV);
	o = RUN(M, do_ecall, 0, 0);
	CHECK(o.status & MSTATUS_MPRV, MSTATUS_MPRV);
	csr_clear(mstatus, MSTATUS_MPRV);
	/* The same for S-mode: SPIE and SPP. */
	csr_write(medeleg, 1 << ECALL_U | 1 << ILLEGAL);
	csr_set(mstatus, MSTATUS_SIE);
	RUN(U, do_ecall, 0, 0);
	CHECK(csr_read(mstatus) & (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP), MSTATUS_SPIE);
	csr_clear(mstatus, MSTATUS_SIE | MSTATUS_SPIE);
	RUN(S, do_illegal, 0, 0);
	CHECK(csr_read(mstatus) & (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP), MSTATUS_SPP);
	csr_write(medeleg, 0);
	/* sret: to U with SPP clear, SIE from SPIE, SPIE set, MPRV cleared. */
	csr_write(sepc, do_ecall);
	csr_clear(mstatus, MSTATUS_SPP | MSTATUS_SIE);
	csr_set(mstatus, MSTATUS_SPIE | MSTATUS_MPRV);
	o = RUN(M, do_sret, 0, 0);
	CHECK(o.cause, ECALL_U);
	CHECK(o.status & (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_MPRV), MSTATUS_SIE | MSTATUS_SPIE);
	csr_clear(mstatus, MSTATUS_SPIE);
	csr_set(mstatus, MSTATUS_SPP | MSTATUS_SIE);
	o = RUN(S, do_sret, 0, 0);
	CHECK(o.cause, ECALL_S);
	CHECK(o.status & (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP), MSTATUS_SPIE);
	csr_clear(mstatus, MSTATUS_SPIE);
	/* mret leaves MPP as U and MPIE set: seen by an sret in M-mode code. */
	csr_write(mepc, 0);
}

static void
test_privilege(void)
{
	TRAPS(U, do_mret, 0, 0, ILLEGAL, 0x30200073);
	TRAPS(S, do_mret, 0, 0, ILLEGAL, 0x30200073);
	TRAPS(U, do_sret, 0, 0, ILLEGAL, 0x10200073);
	csr_set(mstatus, MSTATUS_TSR);
	TRAPS(S, do_sret, 0, 0, ILLEGAL, 0x10200073);
	csr_clear(mstatus, MSTATUS_TSR);
	TRAPS(U, do_wfi, 0, 0, ILLEGAL, 0x10500073);
	csr_set(mstatus, MSTATUS_TW);
	TRAPS(S, do_wfi, 0, 0, ILLEGAL, 0x10500073);
	csr_clear(mstatus, MSTATUS_TW);
	CHECK(is_illegal(U, 0x12000073), true);  /* sfence.vma */
	CHECK(is_illegal(S, 0x12000073), false);
	CHECK(is_illegal(U, 0x16000073), true);  /* sinval.vma */
	CHECK(is_illegal(S, 0x16000073), false);
	CHECK(is_illegal(U, 0x18000073), true);  /* sfence.w.inval */
	CHECK(is_illegal(S, 0x18000073), false);
	CHECK(is_illegal(U, 0x18100073), true);  /* sfence.inval.ir */
	CHECK(is_illegal(S, 0x18100073), false);
	csr_set(mstatus, MSTATUS_TVM);
	CHECK(is_illegal(S, 0x12000073), true);
	CHECK(is_illegal(S, 0x16000073), true);
	CHECK(is_illegal(S, 0x18000073), false);
	CHECK(is_illegal(S, 0x18002573), true);  /* csrr a0, satp */
	CHECK(is_illegal(S, 0x18051073), true);  /* csrw satp, a0 */
	CHECK(is_illegal(M, 0x18002573), false);
	CHECK(is_illegal(M, 0x12000073), false);
	csr_clear(mstatus, MSTATUS_TVM);
	CHECK(is_illegal(S, 0x18002573), false);
}

/* mtvec and stvec: exceptions go to the base in either mode. */
static void
test_vectors(void)
{
	struct outcome o;

	csr_write(mtvec, (u64)trap_machine_vectors | 1);
	CHECK(csr_read(mtvec), (u64)trap_machine_vectors | 1);
	o = RUN(U, do_illegal, 0, 0);
	CHECK(o.vector, (u64)trap_machine_vectors + 4);
	csr_write(mtvec, trap_machine);
	csr_write(medeleg, 1 << ILLEGAL);
	csr_write(stvec, 1);
	o = RUN(U, do_illegal, 0, 0);
	CHECK(o.level, S);
	CHECK(o.vector, 0);
	csr_write(stvec, 0);
	csr_write(medeleg, 0);
}

int
main(void)
{
	open_memory();
	for (unsigned p = U; p <= M; p++) {
		if (p == 2)
			continue;
		test_causes((enum privilege)p);
		test_misaligned((enum privilege)p);
	}
	test_delegation();
	test_stack();
	test_privilege();
	test_vectors();
	return 0;
}

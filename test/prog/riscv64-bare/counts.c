/* minstret counts what retires, each instruction once and no other (manual,
 * 3.1.11): straight on, in loops, through calls, traps and returns from them,
 * and stopped by mcountinhibit. */
#include "bare.h"

/* Instructions between two reads of minstret, the first read among them. */
#define COUNT(text) \
	({ \
		u64 from_, to_; \
		__asm__ volatile("csrr %0, minstret\n" text "\ncsrr %1, minstret" \
				 : "=&r"(from_), "=&r"(to_) : : "t0", "t1", "t2", "ra", "ft0", "memory"); \
		to_ - from_; \
	})

CODE(nothing, "");
CODE(hundred, ".rept 100\nnop\n.endr");
CODE(illegal, ".word 0");

/* Instructions that a run of the code takes, whatever is around it. */
static u64
count_run(enum privilege p, const void *code)
{
	u64 from = csr_read(minstret);

	RUN(p, code, 0, 0);
	return csr_read(minstret) - from;
}

static void
test_straight(void)
{
	CHECK(COUNT(""), 1);
	CHECK(COUNT("nop\nnop\nnop"), 4);
	CHECK(COUNT("ld t0, 0(sp)\nsd t0, 0(sp)\namoadd.d t1, zero, (sp)\nmul t0, t0, t1\ndiv t0, t0, t1"), 6);
	CHECK(COUNT("fence\nfence.i\nfence.tso\ncsrr t0, mscratch\ncsrw mscratch, t0"), 6);
	CHECK(COUNT("csrr t0, mstatus\ncsrw mstatus, t0\ncsrsi mstatus, 0\nsfence.vma\ncsrr t0, time"), 6);
	CHECK(COUNT("csrr t0, fcsr\ncsrw fcsr, t0\ncsrwi frm, 1\nfmv.d.x ft0, zero\ncsrwi frm, 0"), 6);
	CHECK(COUNT(".rept 500\nxori t0, t0, 1\n.endr"), 501);
}

static void
test_branches(void)
{
	CHECK(COUNT("li t0, 1000\n1: addi t0, t0, -1\nbnez t0, 1b"), 2002);
	CHECK(COUNT("li t0, 7\n1: addi t0, t0, -1\nbeqz t0, 2f\nj 1b\n2:"), 2 + 3 * 7 - 1);
	CHECK(COUNT("beq t0, t0, 1f\n.word 0\n1:bne t0, t0, 1b"), 3);
	CHECK(COUNT("jal t0, 1f\n.word 0\n1: la t1, 2f\njr t1\n.word 0\n2:"), 5);
	CHECK(COUNT("li t1, 300\n1: jal 3f\naddi t1, t1, -1\nbnez t1, 1b\nj 2f\n3: nop\nret\n2:"), 3 + 300 * 5);
}

/* What traps does not retire. */
static void
test_traps(void)
{
	u64 around = count_run(U, nothing);

	CHECK(count_run(U, nothing), around);
	CHECK(count_run(U, hundred), around + 100);
	/* No return is reached. */
	CHECK(count_run(U, illegal) < around, true);
	CHECK(count_run(S, hundred) - count_run(S, nothing), 100);
}

static void
test_stopped(void)
{
	u64 value;

	CHECK(COUNT("csrwi mcountinhibit, 4\nnop\nnop\nnop"), 1);
	CHECK(csr_read(minstret), csr_read(minstret));
	CHECK(COUNT("csrwi mcountinhibit, 0\nnop\nnop\nnop"), 3);
	__asm__ volatile("csrwi minstret, 0\nnop\nnop\ncsrr %0, minstret" : "=r"(value));
	CHECK(value, 2);
}

int
main(void)
{
	u64 cycle = csr_read(mcycle);

	open_memory();
	csr_set(mstatus, MSTATUS_FS);
	test_straight();
	test_branches();
	test_traps();
	test_stopped();
	CHECK(csr_read(mcycle) > cycle, true);
	return 0;
}

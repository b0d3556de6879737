/* A bare-metal program that reports in the way its first argument to the
 * assembler says (-DHOW=…): through tohost, or the syscon. All but the first hart
 * sleep. */
#define PASS_TOHOST 0
#define FAIL_TOHOST 1
#define PASS_SYSCON 2
#define FAIL_SYSCON 3
#define RESET_SYSCON 4
#define CHARACTERS 5 /* writes through tohost, then passes */
#define CALL 6       /* the same by a system call */

	.section .text.start, "ax"
	.globl _start
_start:
	csrr	t0, mhartid
	bnez	t0, sleep
	la	s0, tohost
	la	s1, fromhost
#if HOW == PASS_TOHOST
	li	t1, 1
	sd	t1, (s0)
#elif HOW == FAIL_TOHOST
	li	t1, 5 << 1 | 1
	sd	t1, (s0)
#elif HOW == CHARACTERS
	la	s2, text
1:	lbu	t1, (s2)
	beqz	t1, 2f
	li	t2, 0x0101 << 48
	or	t1, t1, t2
	sd	t1, (s0)
	addi	s2, s2, 1
	j	1b
2:	li	t1, 1
	sd	t1, (s0)
#elif HOW == CALL
	la	s2, call
	la	t1, text
	sd	t1, 16(s2)
	sd	s2, (s0)
1:	ld	t1, (s1)
	beqz	t1, 1b
	ld	t1, (s2)	/* how many bytes were written: 6 */
	addi	t1, t1, -6
	slli	t1, t1, 1
	ori	t1, t1, 1
	sd	t1, (s0)
#else
	li	s0, 0x100000
#if HOW == PASS_SYSCON
	li	t1, 0x5555
#elif HOW == FAIL_SYSCON
	li	t1, 7 << 16 | 0x3333
#else
	li	t1, 0x7777
#endif
	sw	t1, (s0)
#endif
sleep:
	wfi
	j	sleep

	.data
	.balign 64
	.globl tohost
tohost:	.quad 0
	.globl fromhost
fromhost: .quad 0
	/* The same page is written otherwise, too. */
	.balign 64
call:	.quad 64, 1, 0, 6, 0, 0, 0, 0
text:	.asciz "hello\n"

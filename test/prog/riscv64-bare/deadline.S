/* turns: 1
 *
 * Timers of a deterministic machine are on time, by mtimecmp and by stimecmp, also those
 * that are set while the hart runs: the counter's tick is 100 instructions, and the
 * interrupt comes within two of what was asked. What it was late in all is printed.
 */
	.equ CLINT_MTIMECMP, 0x2004000
	.equ CLINT_MTIME, 0x200bff8
	.equ UART, 0x10000000
	.equ ROUNDS, 400
	.equ MIE_STIE, 1 << 5
	.equ MIE_MTIE, 1 << 7

	.section .text.start, "ax"
	.global _start
_start:
	la t0, trap
	csrw mtvec, t0
	li t0, -1
	csrw stimecmp, t0
	li t0, 1 << 63 /* STCE */
	csrs menvcfg, t0
	li t0, MIE_MTIE | MIE_STIE
	csrw mie, t0
	li s1, 0      /* late in all */
	li s2, ROUNDS
	li s3, 5      /* ticks to the next, other ones every time */
	csrsi mstatus, 8

1:	li s0, 0
	rdtime s4
	add s4, s4, s3
	andi t0, s2, 1
	beqz t0, 2f
	csrw stimecmp, s4
	j 3f
2:	li t1, CLINT_MTIMECMP
	sd s4, 0(t1)
3:	addi t2, t2, 1 /* a loop that never leaves translated code */
	xor t3, t3, t2
	beqz s0, 3b
	addi s3, s3, 37
	li t0, 600
	blt s3, t0, 4f
	addi s3, s3, -597
4:	addi s2, s2, -1
	bnez s2, 1b

	mv a0, s1
	call print
	li t1, 7 /* ends of lines enough for a verdict */
5:	sb t2, 0(t0)
	addi t1, t1, -1
	bnez t1, 5b
	la t0, tohost
	li t1, 1
	sd t1, 0(t0)
6:	j 6b

#include "print.h"

	.balign 4
trap:
	rdtime s5
	sub s5, s5, s4
	add s1, s1, s5
	li s6, 2
	bgtu s5, s6, late
	li s0, 1
	li s6, -1
	csrw stimecmp, s6
	li s7, CLINT_MTIMECMP
	sd s6, 0(s7)
	mret
late:	la t0, tohost
	li t1, 2 << 1 | 1
	sd t1, 0(t0)
7:	j 7b

	.section .tohost, "aw"
	.balign 64
	.global tohost
tohost:	.dword 0
	.global fromhost
fromhost: .dword 0

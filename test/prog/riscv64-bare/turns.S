/* turns: 2
 *
 * Two harts add to a word without care for each other, while timers interrupt them
 * wherever they are. What comes of it depends on where each was interrupted and
 * when it was its turn; it is printed, and is the same every time on a deterministic
 * machine: the word, the places of the interrupts of each hart, time and minstret.
 */
	.equ CLINT_MTIMECMP, 0x2004000
	.equ CLINT_MTIME, 0x200bff8
	.equ UART, 0x10000000
	.equ ROUNDS, 300000
	.equ INTERVAL, 773

	.section .text.start, "ax"
	.global _start
_start:
	csrr s0, mhartid
	la s1, word
	la s2, places
	slli t0, s0, 3
	add s2, s2, t0
	li s3, CLINT_MTIMECMP
	add s3, s3, t0
	li s4, CLINT_MTIME
	la t0, trap
	csrw mtvec, t0
	ld t0, 0(s4)
	addi t0, t0, INTERVAL
	sd t0, 0(s3)
	li t0, 1 << 7
	csrw mie, t0
	csrsi mstatus, 8

	li s5, ROUNDS
1:	ld t0, 0(s1)
	addi t0, t0, 1
	sd t0, 0(s1)
	addi t2, t2, 3
	xor t3, t3, t0
	addi s5, s5, -1
	bnez s5, 1b

	csrci mstatus, 8
	la t0, done
	li t1, 1
	amoadd.d zero, t1, (t0)
	beqz s0, 2f
park:	j park
2:	ld t1, 0(t0)
	addi t1, t1, -2
	bnez t1, 2b

	ld a0, 0(s1)
	call print
	ld a0, 0(s2)
	call print
	ld a0, 8(s2)
	call print
	ld a0, 0(s4)
	call print
	csrr a0, time
	call print
	csrr a0, minstret
	call print
	la t0, tohost
	li t1, 1
	sd t1, 0(t0)
3:	j 3b

#include "print.h"

/* places = places * 31 + where it was; the next one a while later. */
	.balign 4
trap:
	ld s6, 0(s2)
	slli s7, s6, 5
	sub s6, s7, s6
	csrr s7, mepc
	add s6, s6, s7
	sd s6, 0(s2)
	ld s6, 0(s3)
	addi s6, s6, INTERVAL
	sd s6, 0(s3)
	mret

	.section .tohost, "aw"
	.balign 64
	.global tohost
tohost:	.dword 0
	.global fromhost
fromhost: .dword 0
	.data
	.balign 4096 /* not on the page of tohost, whose stores are looked at one by one */
word:	.dword 0
done:	.dword 0
places:	.dword 0, 0
	.balign 4096

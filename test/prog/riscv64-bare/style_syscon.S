/* exit: 103
 *
 * No tohost: the board's test device ends the machine, here with code 3.
 */
	.section .text.start, "ax"
	.global _start
_start:
	li t0, 0x100000
	li t1, 3 << 16 | 0x3333
	sw t1, 0(t0)
1:	wfi
	j 1b

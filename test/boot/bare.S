/* A bare-metal program in M-mode that says its verdict VERDICT: through the word
 * tohost, or through the test device (SYSCON) with its conventions for pass and fail. */
	.section .text.entry, "ax"
	.global _start
_start:
#ifdef SYSCON
	li t0, 0x100000
#if VERDICT
	li t1, VERDICT << 16 | 0x3333
#else
	li t1, 0x5555
#endif
	sw t1, 0(t0)
#else
	la t0, tohost
	li t1, VERDICT << 1 | 1
	sd t1, 0(t0)
#endif
1:	j 1b

	.section .tohost, "aw", @progbits
	.balign 64
	.global tohost
tohost:	.dword 0
	.global fromhost
fromhost: .dword 0

/* exit: 107
 *
 * The way of riscv-arch-test's models: results go to a signature, the end is a
 * store to tohost and a jump to itself. This one says that test 7 failed.
 */
	.section .text.start, "ax"
	.global _start
_start:
	la t0, trap
	csrw mtvec, t0
	la x3, begin_signature
	li x1, 7 << 1 | 1
	sd x1, 0(x3)
	fence
	la t0, tohost
	sd x1, 0(t0)
1:	j 1b
	.balign 4
trap:
	j trap

	.section .tohost, "aw"
	.balign 64
	.global tohost
tohost:	.dword 0
	.global fromhost
fromhost: .dword 0
	.data
	.balign 16
	.global begin_signature
begin_signature:
	.dword 0xdeadbeef
	.global end_signature
end_signature:

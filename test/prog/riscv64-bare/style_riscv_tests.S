/* The way of the riscv-tests suite's environment "p": everything that a machine
 * may lack is tried with mtvec behind it; the verdict is an ecall from the
 * test's privilege, which the trap handler turns into a word in tohost, stored
 * by two 32-bit stores, over and over.
 */
#define TRY(instructions...) \
	la t0, 1f; \
	csrw mtvec, t0; \
	instructions; \
	.balign 4; \
1:

	.section .text.start, "ax"
	.global _start
_start:
	j reset
	.balign 4
handler:
	csrr t5, mcause
	li t6, 8
	beq t5, t6, verdict /* ecall from U, S, M */
	li t6, 9
	beq t5, t6, verdict
	li t6, 11
	beq t5, t6, verdict
	ori gp, gp, 1337 /* anything else */
verdict:
	sw gp, tohost, t5
	la t5, tohost
	sw zero, 4(t5)
	j verdict
reset:
	li gp, 0
	csrr a0, mhartid
0:	bnez a0, 0b
	TRY(csrwi 0x744, 8) /* mnstatus */
	TRY(csrwi satp, 0)
	TRY(li t1, -1; csrw pmpaddr0, t1; li t1, 31; csrw pmpcfg0, t1)
	csrwi mie, 0
	TRY(csrwi medeleg, 0; csrwi mideleg, 0)
	la t0, handler
	csrw mtvec, t0
	li a0, 1
	slli a0, a0, 31
	bltz a0, fail /* RV64 */
	csrwi mstatus, 0
	la t0, test
	csrw mepc, t0
	csrr a0, mhartid
	mret
test: /* U-mode */
	li gp, 2
	li a0, 20
	li a1, 22
	add a0, a0, a1
	li a2, 42
	bne a0, a2, fail
	li gp, 3
	auipc a0, 0
	la a1, tohost
	sub a1, a1, a0
	blez a1, fail
	bnez zero, pass
pass:
	fence
	li gp, 1
	li a7, 93
	li a0, 0
	ecall
fail:
	fence
	slli gp, gp, 1
	ori gp, gp, 1
	li a7, 93
	mv a0, gp
	ecall

	.section .tohost, "aw"
	.balign 64
	.global tohost
tohost:	.dword 0
	.balign 64
	.global fromhost
fromhost: .dword 0

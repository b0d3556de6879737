/* Entry of each hart, traps, the way into user mode, and the first program's
 * start. Registers of a context lie as x1 to x31, then pc, in struct context. */
	.section .text.entry, "ax"
	.globl _start
_start:                                 /* a0: hart, a1: device tree */
	la	sp, boot_stack + 4096
	la	t0, bss_start
	la	t1, bss_end
1:	bgeu	t0, t1, 2f
	sd	zero, (t0)
	addi	t0, t0, 8
	j	1b
2:	call	kernel_main
	j	.

	.globl	secondary_start
secondary_start:                        /* a0: hart, a1: its stack's top */
	mv	sp, a1
	call	kernel_secondary
	j	.

	.text
	/* void context_enter(struct context *context): never returns. */
	.globl	context_enter
context_enter:
	sd	sp, 32*8(a0)            /* this hart's kernel stack, for its traps */
	csrw	sscratch, a0
	ld	t0, 31*8(a0)
	csrw	sepc, t0
	mv	x31, a0
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	ld	x\n, (\n-1)*8(x31)
	.endr
	ld	x31, 30*8(x31)
	sret

	.globl	trap_entry
	.balign	4
trap_entry:                             /* from user mode: sscratch is its context */
	csrrw	x31, sscratch, x31
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	sd	x\n, (\n-1)*8(x31)
	.endr
	csrr	t0, sscratch
	sd	t0, 30*8(x31)
	csrr	t0, sepc
	sd	t0, 31*8(x31)
	mv	a0, x31
	ld	sp, 32*8(x31)
	la	t0, kernel_trap_entry
	csrw	stvec, t0
	call	trap_from_user          /* never returns */
	j	.

	.globl	kernel_trap_entry
	.balign	4
kernel_trap_entry:                      /* the kernel itself may not trap */
	csrr	a0, scause
	csrr	a1, sepc
	csrr	a2, stval
	call	kernel_fault
	j	.

	.section .user.entry, "ax"
user_start:
	call	user_main
	li	a7, 2                   /* exit */
	ecall
	j	.

	.bss
	.balign	16
boot_stack:
	.skip	4096

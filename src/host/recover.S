/* recovery_set for x86-64 (System V ABI): keeps the call-preserved registers,
 * the stack pointer after the return, and the return address. The order is
 * that of recovery_redirect in fault.c.
 */
	.text
	.globl	recovery_set
	.type	recovery_set, @function
recovery_set:
	movq	%rbx, 0(%rdi)
	movq	%rbp, 8(%rdi)
	movq	%r12, 16(%rdi)
	movq	%r13, 24(%rdi)
	movq	%r14, 32(%rdi)
	movq	%r15, 40(%rdi)
	leaq	8(%rsp), %rax
	movq	%rax, 48(%rdi)
	movq	(%rsp), %rax
	movq	%rax, 56(%rdi)
	xorl	%eax, %eax
	ret
	.size	recovery_set, . - recovery_set
	.section .note.GNU-stack, "", @progbits

/* The aarch64 guest's vdso: what Linux offers under these names and the version
 * LINUX_2.6.39 (arch/arm64/kernel/vdso/vdso.lds.S). Each makes its system call.
 * tools/make-vdso assembles this into src/process/vdso_aarch64.c.
 *
 * The signal return code has no unwind information, as in Linux: unwinders know
 * the frame by these two instructions (libgcc's aarch64_fallback_frame_state)
 * and restore all registers from it.
 */
	.text

#define CALL_SIGRETURN 139

	nop /* unwinders look up the return address minus one */
	.global __kernel_rt_sigreturn
	.type __kernel_rt_sigreturn, @function
__kernel_rt_sigreturn:
	mov x8, CALL_SIGRETURN
	svc 0
	.size __kernel_rt_sigreturn, . - __kernel_rt_sigreturn

	.cfi_sections .eh_frame

.macro call name, number
	.global \name
	.type \name, @function
	.balign 16
\name:
	.cfi_startproc
	mov x8, \number
	svc 0
	ret
	.cfi_endproc
	.size \name, . - \name
.endm

	call __kernel_clock_gettime, 113
	call __kernel_clock_getres, 114
	call __kernel_gettimeofday, 169

	.section .note.GNU-stack, "", @progbits

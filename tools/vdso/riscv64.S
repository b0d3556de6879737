/* The riscv64 guest's vdso: what Linux offers under these names and the version
 * LINUX_4.15 (arch/riscv/kernel/vdso/vdso.lds.S). Each makes its system call.
 * tools/make-vdso assembles this into src/process/vdso_riscv64.c.
 *
 * The signal return code comes with full unwind information for the frame that
 * src/process/riscv64.c builds: where each register of the interrupted code
 * lies, as an offset from the stack pointer. The program counter is column 64.
 */
	.text

#define GREGS 304 /* siginfo 128, then 176 to uc_mcontext; pc first, then x1… */
#define FREGS (GREGS + 256)
#define CALL_SIGRETURN 139

/* DW_CFA_expression reg, { DW_OP_breg2 offset }, the offset in two SLEB bytes */
.macro saved reg, offset
	.cfi_escape 0x10, \reg, 3, 0x72, ((\offset) & 0x7f) | 0x80, (\offset) >> 7
.endm

	.cfi_sections .eh_frame
	.cfi_startproc
	.cfi_signal_frame
	.cfi_return_column 64
	/* DW_CFA_def_cfa_expression { DW_OP_breg2 offset of x2; DW_OP_deref } */
	.cfi_escape 0x0f, 4, 0x72, ((GREGS + 16) & 0x7f) | 0x80, (GREGS + 16) >> 7, 0x06
	saved 64, GREGS
	saved 1, GREGS + 8
	.set reg, 3
	.rept 29
	saved reg, GREGS + 8 * reg
	.set reg, reg + 1
	.endr
	.set reg, 32
	.rept 32
	saved reg, FREGS + 8 * (reg - 32)
	.set reg, reg + 1
	.endr
	nop /* unwinders look up the return address minus one */
	.global __vdso_rt_sigreturn
	.type __vdso_rt_sigreturn, @function
__vdso_rt_sigreturn:
	li a7, CALL_SIGRETURN
	ecall
	.size __vdso_rt_sigreturn, . - __vdso_rt_sigreturn
	.cfi_endproc

.macro call name, number
	.global \name
	.type \name, @function
	.balign 16
\name:
	.cfi_startproc
	li a7, \number
	ecall
	ret
	.cfi_endproc
	.size \name, . - \name
.endm

	call __vdso_clock_gettime, 113
	call __vdso_clock_getres, 114
	call __vdso_getcpu, 168
	call __vdso_gettimeofday, 169
	call __vdso_flush_icache, 259

	.section .note.GNU-stack, "", @progbits

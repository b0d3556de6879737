/* Raw threads, the system-call window and the copy that can fault; the comments
 * at host/thread.h say what each does. System V calling convention. */

#define SYS_rt_sigreturn 15
#define SYS_clone 56
#define SYS_clone3 435
#define SYS_exit 60
#define SYS_munmap 11

	.text

/* host_stack_enter(rdi top, rsi function, rdx argument) */
	.globl host_stack_enter
	.type host_stack_enter, @function
host_stack_enter:
	.cfi_startproc
	.cfi_undefined rip
	mov %rdi, %rsp
	xor %ebp, %ebp
	mov %rdx, %rdi
	call *%rsi
	ud2
	.cfi_endproc
	.size host_stack_enter, . - host_stack_enter

/* host_clone(rdi flags, rsi top, rdx parent_tid, rcx child_tid, r8 function,
 * r9 argument). The kernel wants child_tid in r10, the thread pointer in r8
 * (unused: no CLONE_SETTLS); function and argument wait in registers that the
 * kernel keeps. */
	.globl host_clone
	.type host_clone, @function
host_clone:
	.cfi_startproc
	push %rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	push %r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r12, 0
	push %r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r13, 0
	mov %rcx, %r10
	mov %r8, %rbx
	mov %r9, %r12
	mov %rsi, %r13
	xor %r8d, %r8d
	mov $SYS_clone, %eax
	syscall
	test %rax, %rax
	jnz 1f
	test %r13, %r13
	jz 1f
	xor %ebp, %ebp
	mov %r12, %rdi
	call *%rbx
	ud2
1:	pop %r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore r13
	pop %r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore r12
	pop %rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbx
	ret
	.cfi_endproc
	.size host_clone, . - host_clone

/* host_clone3(rdi args, rsi size, rdx function, rcx argument). The kernel sets
 * the child's stack by args. */
	.globl host_clone3
	.type host_clone3, @function
host_clone3:
	.cfi_startproc
	push %rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	push %r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r12, 0
	push %rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	mov %rdx, %rbx
	mov %rcx, %r12
	mov $SYS_clone3, %eax
	syscall
	test %rax, %rax
	jnz 1f
	test %rbx, %rbx
	jz 1f
	xor %ebp, %ebp
	mov %r12, %rdi
	call *%rbx
	ud2
1:	pop %rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbp
	pop %r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore r12
	pop %rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbx
	ret
	.cfi_endproc
	.size host_clone3, . - host_clone3

/* host_exit_unmap(rdi memory, rsi size, edx status): no stack from the first
 * system call on. */
	.globl host_exit_unmap
	.type host_exit_unmap, @function
host_exit_unmap:
	.cfi_startproc
	mov %edx, %ebx
	mov $SYS_munmap, %eax
	syscall
	mov %ebx, %edi
	mov $SYS_exit, %eax
	syscall
	ud2
	.cfi_endproc
	.size host_exit_unmap, . - host_exit_unmap

/* host_window_syscall(rdi stop, rsi nr, rdx a, rcx b, r8 c, r9 d, stack e, f).
 * A handler that finds the context within [start, call] sends it to stopped:
 * there the call is not made yet, or the kernel has set the context back to
 * make it again. */
	.globl host_window_syscall
	.globl host_window_start, host_window_call, host_window_stopped
	.hidden host_window_start, host_window_call, host_window_stopped
	.type host_window_syscall, @function
host_window_syscall:
	.cfi_startproc
	mov %rsi, %rax
	mov %rdi, %r11
	mov %rdx, %rdi
	mov %rcx, %rsi
	mov %r8, %rdx
	mov %r9, %r10
	mov 8(%rsp), %r8
	mov 16(%rsp), %r9
host_window_start:
	cmpl $0, (%r11)
	jne host_window_stopped
host_window_call:
	syscall
	ret
host_window_stopped:
	mov $-512, %rax
	ret
	.cfi_endproc
	.size host_window_syscall, . - host_window_syscall

/* host_copy(rdi to, rsi from, rdx size). At a fault rcx counts what is left. */
	.globl host_copy
	.globl host_copy_start, host_copy_end
	.hidden host_copy_start, host_copy_end
	.type host_copy, @function
host_copy:
	.cfi_startproc
	mov %rdx, %rcx
host_copy_start:
	rep movsb
host_copy_end:
	mov %rcx, %rax
	ret
	.cfi_endproc
	.size host_copy, . - host_copy

/* What a handler returns to. */
	.globl host_signal_restorer
	.hidden host_signal_restorer
	.type host_signal_restorer, @function
	nop
host_signal_restorer:
	mov $SYS_rt_sigreturn, %eax
	syscall
	.size host_signal_restorer, . - host_signal_restorer

	.section .note.GNU-stack, "", @progbits

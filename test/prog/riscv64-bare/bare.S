/* Start of a bare-metal test, its trap handlers, and probe(), which runs a piece
 * of code at a privilege and tells what became of it: see bare.h.
 *
 * What probe() keeps of its caller lies in `saved`: ra, sp, gp, tp, s0 to s11.
 */
#include "bare.h"

	.section .text.start, "ax"
	.global _start
_start:
	csrr t0, mhartid
	bnez t0, park
	la sp, stack
	la t0, trap_machine
	csrw mtvec, t0
	call main
	li a0, 0
	li a1, 0
	li a2, 0
	j finish
park:
	wfi
	j park

/* finish(line, got, want): line 0 is success. The verdict goes to tohost, which
 * this project's machine and HTIF know, then to syscon, which QEMU has too. */
	.global finish
finish:
	csrw mie, zero
	li t0, MSTATUS_MPRV
	csrc mstatus, t0
	csrw satp, zero
	beqz a0, 1f
	call report
	li t1, 3 /* test 1 failed */
	li t2, 1 << 16 | 0x3333
	j 2f
1:	li t1, 1
	li t2, 0x5555
2:	la t0, tohost
	sd t1, 0(t0)
	li t0, SYSCON
	sw t2, 0(t0)
3:	j 3b

/* probe(struct outcome *a0, code a1, a2, a3): the caller has set mstatus.MPP and
 * the rest of the state. The code gets a2 and a3 as a0 and a1. */
	.global probe
probe:
	la t0, saved
	sd ra, 0(t0)
	sd sp, 8(t0)
	sd gp, 16(t0)
	sd tp, 24(t0)
	sd s0, 32(t0)
	sd s1, 40(t0)
	sd s2, 48(t0)
	sd s3, 56(t0)
	sd s4, 64(t0)
	sd s5, 72(t0)
	sd s6, 80(t0)
	sd s7, 88(t0)
	sd s8, 96(t0)
	sd s9, 104(t0)
	sd s10, 112(t0)
	sd s11, 120(t0)
	sd a0, 128(t0)
	csrw mscratch, t0
	/* Return to the end beside the code, in whatever mapping it runs. */
	la ra, probe_end
	la t1, _start
	sub ra, ra, t1
	li t2, -(1 << 30)
	and t1, a1, t2
	add ra, ra, t1
	csrw mepc, a1
	mv a0, a2
	mv a1, a3
	mret

	.balign 4
	.global probe_end
probe_end:
	ecall

/* Vectored or not: entry n of the table is at 4 * n. */
	.balign 256
	.option push
	.option norvc
	.global trap_supervisor
trap_supervisor: /* tells M-mode, which reads what S-mode's CSRs say */
	.rept 16
	ecall
	.endr
	.balign 256
	.global trap_machine
trap_machine:
	j enter
	.global trap_machine_vectors
	.balign 256
trap_machine_vectors:
	.rept 16
	jal tp, enter
	.endr
	.option pop

enter:
	csrrw t0, mscratch, t0
	ld t1, 128(t0) /* struct outcome */
	sd a0, OUTCOME_A0(t1)
	csrr t2, mcause
	sd t2, OUTCOME_CAUSE(t1)
	csrr t2, mtval
	sd t2, OUTCOME_VALUE(t1)
	csrr t2, mepc
	sd t2, OUTCOME_PC(t1)
	csrr t2, mstatus
	sd t2, OUTCOME_STATUS(t1)
	sd tp, OUTCOME_VECTOR(t1)
	ld ra, 0(t0)
	ld sp, 8(t0)
	ld gp, 16(t0)
	ld tp, 24(t0)
	ld s0, 32(t0)
	ld s1, 40(t0)
	ld s2, 48(t0)
	ld s3, 56(t0)
	ld s4, 64(t0)
	ld s5, 72(t0)
	ld s6, 80(t0)
	ld s7, 88(t0)
	ld s8, 96(t0)
	ld s9, 104(t0)
	ld s10, 112(t0)
	ld s11, 120(t0)
	ret

	.bss
	.balign 8
saved:	.space 136

	.section .tohost, "aw"
	.balign 64
	.global tohost
tohost:	.dword 0
	.balign 64
	.global fromhost
fromhost: .dword 0

/* Guest program of test/isa/vector-random: entry, and from a state through one
 * instruction to the state after it. Registers x1, x2, x30, x31 are the runner's. */
	.text
	.global _start
_start:
	mv a0, sp
	j start

	.equ F, 256
	.equ VL, 512
	.equ VTYPE, 520
	.equ VSTART, 528
	.equ VCSR, 536
	.equ FCSR, 544
	.equ V, 576

	.macro each_x op
	.irp n, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
	\op x\n, 8 * \n(x30)
	.endr
	.endm

	.macro each_f op
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\op f\n, F + 8 * \n(x30)
	.endr
	.endm

	.macro saved op
	\op ra, 0(sp)
	\op gp, 8(sp)
	\op tp, 16(sp)
	\op s0, 24(sp)
	\op s1, 32(sp)
	\op s2, 40(sp)
	\op s3, 48(sp)
	\op s4, 56(sp)
	\op s5, 64(sp)
	\op s6, 72(sp)
	\op s7, 80(sp)
	\op s8, 88(sp)
	\op s9, 96(sp)
	\op s10, 104(sp)
	\op s11, 112(sp)
	.endm

/* void run_one(struct state *, const u32 *code): registers by the state, the
 * instruction, which a ret follows, and back. */
	.global run_one
run_one:
	addi sp, sp, -128
	saved sd
	mv x30, a0
	mv x31, a1
	csrr t0, vlenb
	slli t0, t0, 3
	addi t1, x30, V
	vl8re8.v v0, (t1)
	add t1, t1, t0
	vl8re8.v v8, (t1)
	add t1, t1, t0
	vl8re8.v v16, (t1)
	add t1, t1, t0
	vl8re8.v v24, (t1)
	ld t0, VL(x30)
	ld t1, VTYPE(x30)
	vsetvl zero, t0, t1
	ld t0, VCSR(x30)
	csrw vcsr, t0
	ld t0, FCSR(x30)
	csrw fcsr, t0
	each_f fld
	ld t0, VSTART(x30)
	csrw vstart, t0
	each_x ld
	jalr x31
	each_x sd
	csrr t0, vstart
	sd t0, VSTART(x30)
	csrr t0, vl
	sd t0, VL(x30)
	csrr t0, vtype
	sd t0, VTYPE(x30)
	csrr t0, vcsr
	sd t0, VCSR(x30)
	csrr t0, fcsr
	sd t0, FCSR(x30)
	csrw fcsr, zero
	each_f fsd
	csrw vstart, zero
	csrr t0, vlenb
	slli t0, t0, 3
	addi t1, x30, V
	vs8r.v v0, (t1)
	add t1, t1, t0
	vs8r.v v8, (t1)
	add t1, t1, t0
	vs8r.v v16, (t1)
	add t1, t1, t0
	vs8r.v v24, (t1)
	saved ld
	addi sp, sp, 128
	ret

	.global vector_bytes
vector_bytes:
	csrr a0, vlenb
	ret

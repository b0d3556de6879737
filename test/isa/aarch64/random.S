/* Guest program of test/isa/aarch64-random: entry, and from a state through one
 * instruction to the state after it. */
	.text
	.global _start
_start:
	mov x0, sp
	b start

	.macro vectors op
	.set r, 0
	.rept 16
	vector \op, %r, %(r + 1), %(r * 16)
	.set r, r + 2
	.endr
	.endm

	.altmacro
	.macro vector op, a, b, offset
	\op q\a, q\b, [x30, \offset]
	.endm

/* void run_one(struct state *, const u32 *code): registers by the state, the
 * instruction, which a ret follows, and back. */
	.global run_one
run_one:
	stp x19, x20, [sp, -112]!
	stp x21, x22, [sp, 16]
	stp x23, x24, [sp, 32]
	stp x25, x26, [sp, 48]
	stp x27, x28, [sp, 64]
	stp x29, x30, [sp, 80]
	str x1, [sp, 96]
	mov x28, x0
	clrex
	add x30, x28, 256
	vectors ldp
	ldr x0, [x28, 768]
	msr fpcr, x0
	ldr x0, [x28, 776]
	msr fpsr, x0
	ldr x0, [x28, 248]
	msr nzcv, x0
	ldp x0, x1, [x28, 0]
	ldp x2, x3, [x28, 16]
	ldp x4, x5, [x28, 32]
	ldp x6, x7, [x28, 48]
	ldp x8, x9, [x28, 64]
	ldp x10, x11, [x28, 80]
	ldp x12, x13, [x28, 96]
	ldp x14, x15, [x28, 112]
	ldp x16, x17, [x28, 128]
	ldp x18, x19, [x28, 144]
	ldp x20, x21, [x28, 160]
	ldp x22, x23, [x28, 176]
	ldp x24, x25, [x28, 192]
	ldp x26, x27, [x28, 208]
	ldr x29, [x28, 232]
	ldr x30, [sp, 96]
	blr x30
	stp x0, x1, [x28, 0]
	stp x2, x3, [x28, 16]
	stp x4, x5, [x28, 32]
	stp x6, x7, [x28, 48]
	stp x8, x9, [x28, 64]
	stp x10, x11, [x28, 80]
	stp x12, x13, [x28, 96]
	stp x14, x15, [x28, 112]
	stp x16, x17, [x28, 128]
	stp x18, x19, [x28, 144]
	stp x20, x21, [x28, 160]
	stp x22, x23, [x28, 176]
	stp x24, x25, [x28, 192]
	stp x26, x27, [x28, 208]
	str x29, [x28, 232]
	mrs x0, nzcv
	str x0, [x28, 248]
	mrs x0, fpsr
	str x0, [x28, 776]
	mrs x0, fpcr
	str x0, [x28, 768]
	msr fpcr, xzr
	add x30, x28, 256
	vectors stp
	ldp x21, x22, [sp, 16]
	ldp x23, x24, [sp, 32]
	ldp x25, x26, [sp, 48]
	ldp x27, x28, [sp, 64]
	ldp x29, x30, [sp, 80]
	ldp x19, x20, [sp], 112
	ret
